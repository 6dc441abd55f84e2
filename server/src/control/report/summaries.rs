//! The process and its host at a glance.

use srs_api::{Reload, ReloadOutcome, ReloadSummary, ServiceState, ServiceSummary, Summaries};

use super::{kbps, problems};
use crate::control::clients::Account;
use crate::control::heartbeat;
use crate::service::Service;

/// The process and its host at a glance.
pub fn summaries(service: &Service) -> Summaries {
    let account = service.clients.account();
    let mut summaries = Summaries {
        srs: Some(own(service, &account)),
        ..Summaries::default()
    };
    service.sysinfo.fill(&mut summaries);
    if let Some(srs) = &mut summaries.srs {
        for disk in &mut srs.disks {
            disk.is_scarce = problems::of_disk(disk).is_some();
        }
        srs.problems = problems::problems(service, srs);
        srs.state = if service.stop.is_cancelled() {
            ServiceState::Draining
        } else if srs.problems.is_empty() {
            ServiceState::Running
        } else {
            ServiceState::Degraded
        };
    }

    let uptime = service.sysinfo.uptime().as_millis().max(1);
    let average = |bytes: u64| i64::try_from(u128::from(bytes) * 8 / uptime).unwrap_or(i64::MAX);
    let system = &mut summaries.system;
    system.srs_sample_time = summaries.now_ms;
    system.srs_recv_bytes = signed(account.total.bytes_in);
    system.srs_recv_kbps = average(account.total.bytes_in);
    system.srs_send_bytes = signed(account.total.bytes_out);
    system.srs_send_kbps = average(account.total.bytes_out);
    let connections = service.clients.len() + service.api.connections();
    system.conn_srs = i64::try_from(connections).unwrap_or(i64::MAX);
    summaries
}

fn own(service: &Service, account: &Account) -> ServiceSummary {
    let present = service.clients.present();
    let streams = service.hub.streams();
    let last_reload = service.reloader.last();
    let addresses = service.addresses();
    ServiceSummary {
        name: heartbeat::device_id(&service.config().heartbeat),
        streams: streams
            .iter()
            .filter(|stream| stream.publisher().is_some())
            .count(),
        clients: service.clients.len(),
        publishers: present.publishers,
        players: present.players,
        clients_total: service.clients.accepted(),
        clients_errs_total: service.counters.clients(),
        max_connections: u64::try_from(service.max_connections()).unwrap_or(u64::MAX),
        reloads: last_reload.generation,
        last_reload: in_short(&last_reload),
        listen: texts(&addresses.rtmp),
        listen_api: texts(&addresses.api),
        listen_http: texts(&addresses.http),
        recv_packets: account.total.packets_in,
        send_packets: account.total.packets_out,
        drops: account.total.dropped,
        kbps: kbps(&account.windows),
        watchdog: service.beats.tell(),
        // Memory, files and disks are what the kernel says; what is wrong is seen at the end.
        ..ServiceSummary::default()
    }
}

fn texts(addresses: &[impl ToString]) -> Vec<String> {
    addresses.iter().map(ToString::to_string).collect()
}

fn signed(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

fn in_short(reload: &Reload) -> ReloadSummary {
    ReloadSummary {
        outcome: (reload.outcome != ReloadOutcome::Never).then_some(reload.outcome),
        time_ms: reload.time_ms,
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use srs_api::PartKind;

    use super::*;
    use crate::config::Config;

    #[test]
    fn a_server_runs_is_degraded_or_stops() {
        let service = Service::new(Arc::new(Config::default()), 100);
        let told = || summaries(&service).srs.unwrap();
        assert_eq!(told().state, ServiceState::Running);
        assert_eq!(told().last_reload, ReloadSummary::default());

        let part = service.parts.register(PartKind::Task, "sampling", "");
        part.failed("panicked");
        let degraded = told();
        assert_eq!(degraded.state, ServiceState::Degraded);
        assert_eq!(degraded.problems, ["sampling has failed: panicked"]);
        drop(part);
        assert_eq!(told().state, ServiceState::Running);

        let failed = service.reloader.begin(false);
        service.reloader.set_last(failed.clone());
        let degraded = told();
        assert_eq!(degraded.state, ServiceState::Degraded);
        assert_eq!(
            degraded.last_reload,
            ReloadSummary {
                outcome: Some(ReloadOutcome::Failed),
                time_ms: failed.time_ms,
            }
        );

        service.stop.cancel();
        assert_eq!(told().state, ServiceState::Draining);
    }
}
