//! `srsctl status`: how a server is.

use serde::Serialize;
use srs_api::{
    Answer, Effect, Health, HeartbeatState, Reload, ReloadOutcome, ServiceSummary, Summaries,
};

use super::{Error, stats};
use crate::client::{ApiError, Client};
use crate::output::units::{Elapsed, Rate, WallTime, count, now_ms, percent};
use crate::output::{Colour, Page, Report, Size, Terminal};

/// What is known of a server. What an older one does not have is absent.
#[derive(Debug, Serialize)]
pub(crate) struct Status {
    summaries: Answer<Summaries>,
    health: Option<Health>,
    reload: Option<Answer<Reload>>,
    heartbeat: Option<HeartbeatState>,
}

/// Asks for all of it.
///
/// # Errors
/// The server does not answer.
pub(crate) async fn run(client: &Client) -> Result<Status, Error> {
    Ok(Status {
        summaries: client.summaries().await?,
        health: if_known(client.readiness().await)?,
        reload: if_known(client.last_reload().await)?,
        // The fleet itself is not wanted.
        heartbeat: if_known(client.servers(1).await)?.map(|answer| answer.heartbeat),
    })
}

/// What a server answered, unless it is too old to know the question.
fn if_known<T>(answer: Result<T, ApiError>) -> Result<Option<T>, ApiError> {
    match answer {
        Ok(answer) => Ok(Some(answer)),
        Err(error) if error.is_unknown_to_server() => Ok(None),
        Err(error) => Err(error),
    }
}

impl Report for Status {
    fn text(&self, terminal: &Terminal) -> String {
        let mut page = Page::default();
        let summaries = &self.summaries.data;
        let process = &summaries.process;
        if let Some(service) = &summaries.srs {
            page.add("server", &service.name);
        }
        page.add("version", &process.version);
        if let Some(health) = &self.health {
            let (state, colour) = state(health);
            page.add_painted("state", state, Some(colour));
        }
        page.add("uptime", uptime(process.srs_uptime, summaries.now_ms));
        page.add("pid", process.pid);
        page.add(
            "CPU",
            stats::known(summaries.self_cpu_stat_ok, || {
                format!("{} of a core", percent(process.cpu_percent))
            }),
        );
        match &summaries.srs {
            Some(service) => add_service(&mut page, service),
            None => {
                page.add("memory", kibibytes(process.mem_kbyte.unsigned_abs()));
                page.add("connections", summaries.system.conn_srs);
            }
        }
        if let Some(reload) = &self.reload {
            add_reload(&mut page, &reload.data);
        }
        if let Some(heartbeat) = &self.heartbeat {
            let (text, colour) = heartbeat_line(heartbeat);
            page.add_painted("heartbeat", text, colour);
        }
        page.render(terminal)
    }
}

fn add_service(page: &mut Page, service: &ServiceSummary) {
    let (open, most) = (service.open_files, service.max_open_files);
    let is_scarce = most > 0 && open * 10 >= most * 9;
    page.add("memory", stats::resident(service));
    page.add_painted(
        "open files",
        stats::open_files(service),
        is_scarce.then_some(Colour::Odd),
    );
    page.add("streams", service.streams);
    page.add("publishers", service.publishers);
    page.add("players", service.players);
    let clients = service.clients as u64;
    let is_full = service.max_connections > 0 && clients >= service.max_connections;
    page.add_painted(
        "clients",
        format!("{} of {}", count(clients), count(service.max_connections)),
        is_full.then_some(Colour::Odd),
    );
    page.add("in", Rate(service.kbps.recv_30s));
    page.add("out", Rate(service.kbps.send_30s));
    page.add("listens at", addresses(service));
}

/// `[::]:1935, unix:/run/srs/api.sock (API)`.
fn addresses(service: &ServiceSummary) -> String {
    let api = service.listen_api.iter().map(|at| format!("{at} (API)"));
    let http = service.listen_http.iter().map(|at| format!("{at} (HTTP)"));
    let all: Vec<String> = service
        .listen
        .iter()
        .cloned()
        .chain(api)
        .chain(http)
        .collect();
    all.join(", ")
}

fn state(health: &Health) -> (String, Colour) {
    if health.code == 0 {
        ("ready".to_owned(), Colour::Good)
    } else {
        (format!("not ready: {}", health.status), Colour::Bad)
    }
}

/// `3h 12m, since 2026-11-22 14:00:00`.
fn uptime(seconds: f64, now_ms: i64) -> String {
    let uptime = Elapsed::seconds(seconds);
    // Beyond what a float holds there is no server that old.
    #[expect(
        clippy::cast_possible_truncation,
        reason = "a float that is too large becomes the largest number"
    )]
    let since = now_ms.saturating_sub((seconds * 1000.0) as i64);
    if now_ms > 0 {
        format!("{uptime}, since {}", WallTime(since))
    } else {
        uptime.to_string()
    }
}

fn add_reload(page: &mut Page, reload: &Reload) {
    let when = || {
        let ago = Elapsed::between(reload.time_ms, now_ms());
        format!("{} ({ago} ago)", WallTime(reload.time_ms))
    };
    let restarts = reload
        .changes
        .iter()
        .filter(|change| change.effect == Effect::Restart);
    let (text, colour) = match reload.outcome {
        ReloadOutcome::Never => ("never".to_owned(), None),
        ReloadOutcome::Done => match restarts.count() {
            0 => (format!("{}: done", when()), None),
            waiting => (
                format!(
                    "{}: done; settings that wait for a restart: {waiting}",
                    when()
                ),
                Some(Colour::Odd),
            ),
        },
        ReloadOutcome::Failed => {
            let error = reload.error.as_deref().unwrap_or_default();
            let error = error.lines().next().unwrap_or_default();
            (format!("{}: failed: {error}", when()), Some(Colour::Bad))
        }
    };
    page.add_painted("last reload", text, colour);
}

fn heartbeat_line(heartbeat: &HeartbeatState) -> (String, Option<Colour>) {
    if !heartbeat.enabled {
        return ("off".to_owned(), None);
    }
    let url = &heartbeat.url;
    let last = || match heartbeat.last_ok_ms {
        0 => "none has arrived yet".to_owned(),
        last => format!(
            "the last one arrived {} ago",
            Elapsed::between(last, now_ms())
        ),
    };
    if heartbeat.ok {
        (format!("{url}: {}", last()), Some(Colour::Good))
    } else if heartbeat.error.is_empty() {
        (format!("{url}: {}", last()), None)
    } else {
        let text = format!("{url}: {}; {}", heartbeat.error, last());
        (text, Some(Colour::Bad))
    }
}

/// An amount of memory, given in KiB.
fn kibibytes(kib: u64) -> Size {
    Size(kib.saturating_mul(1024))
}
