//! The process and its host at a glance.

use srs_api::{ServiceSummary, Summaries};

use super::kbps;
use crate::control::clients::{Account, Role};
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
    let clients = service.clients.list();
    let (mut publishers, mut players) = (0, 0);
    for client in &clients {
        match client.role() {
            Role::Unknown => {}
            Role::Publisher { .. } => publishers += 1,
            Role::Player => players += 1,
        }
    }
    let streams = service.hub.streams();
    ServiceSummary {
        name: heartbeat::device_id(&service.config().heartbeat),
        streams: streams
            .iter()
            .filter(|stream| stream.publisher().is_some())
            .count(),
        clients: clients.len(),
        publishers,
        players,
        clients_total: service.clients.accepted(),
        clients_errs_total: service.counters.clients(),
        max_connections: u64::try_from(service.max_connections()).unwrap_or(u64::MAX),
        reloads: service.reloader.last().generation,
        listen: service
            .addresses()
            .rtmp
            .iter()
            .map(ToString::to_string)
            .collect(),
        recv_packets: account.total.packets_in,
        send_packets: account.total.packets_out,
        drops: account.total.dropped,
        kbps: kbps(&account.windows),
        // Memory and files are what the kernel says.
        ..ServiceSummary::default()
    }
}

fn signed(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}
