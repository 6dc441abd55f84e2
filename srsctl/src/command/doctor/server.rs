//! The server that runs, if one does.

use std::os::unix::fs::MetadataExt as _;
use std::path::PathBuf;
use std::time::Instant;

use srs_api::{RunningConfig, ServiceState, ServiceSummary};

use super::finding::Finding;
use super::host::Host;
use super::read::Root;
use super::units::{API, SERVICE, Systemd, Unit};
use crate::client::{ApiError, Client};
use crate::output::units::{count, now_ms};

/// What is known of the server.
#[derive(Clone, Debug)]
pub(super) enum Server {
    /// It was not asked, or did not answer.
    Absent { why: Absence, message: String },
    /// It answers.
    Running(Box<Running>),
}

/// Why a server does not answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Absence {
    /// There is no socket.
    None,
    /// There is one, and nobody behind it.
    Stale,
    /// Who asks may not.
    Refused,
    /// It does not run, and asking would start it.
    Resting,
    /// Anything else: it hangs, or is something else.
    Trouble,
}

/// A server that answers.
#[derive(Clone, Debug, Default)]
pub(super) struct Running {
    /// Its name, or where it is.
    pub(super) name: String,
    /// Whether that is this host.
    pub(super) is_local: bool,
    pub(super) version: String,
    pub(super) pid: u32,
    /// Its user, if that can be told.
    pub(super) uid: Option<u32>,
    /// By how many milliseconds its clock is ahead of this one, and by how many that may be wrong.
    pub(super) skew_ms: Option<(i64, i64)>,
    /// What it serves, if it tells.
    pub(super) service: Option<ServiceSummary>,
    /// Its configuration, if it tells.
    pub(super) config: Option<RunningConfig>,
    /// Whether the program that it runs was replaced or removed since it began, if that can be
    /// told.
    pub(super) is_outdated: Option<bool>,
}

impl Server {
    /// Asks it.
    pub(super) async fn ask(client: &Client, name: &str, root: &Root) -> Self {
        let (asked, since) = (now_ms(), Instant::now());
        let summaries = match client.summaries().await {
            Ok(answer) => answer.data,
            Err(error) => return Self::absent(&error),
        };
        let took = i64::try_from(since.elapsed().as_millis()).unwrap_or(i64::MAX);
        let half = took / 2;
        let pid = u32::try_from(summaries.process.pid).unwrap_or(0);
        let is_local = client.server().is_local();
        let config = client.config().await.ok();
        Self::Running(Box::new(Running {
            name: name.to_owned(),
            is_local,
            version: summaries.process.version,
            pid,
            uid: is_local.then(|| user_of(root, pid)).flatten(),
            skew_ms: (summaries.now_ms > 0)
                .then(|| (summaries.now_ms.saturating_sub(asked + half), half)),
            service: summaries.srs,
            config: config.map(|answer| answer.data),
            is_outdated: is_local.then(|| is_outdated(root, pid)).flatten(),
        }))
    }

    /// One that does not answer, because of `error`.
    pub(super) fn absent(error: &ApiError) -> Self {
        let why = match error {
            ApiError::NoSocket { .. } | ApiError::NoDefaultSocket { .. } => Absence::None,
            ApiError::NotListening { .. } => Absence::Stale,
            ApiError::Permission { .. }
            | ApiError::Unauthorized { .. }
            | ApiError::Forbidden { .. } => Absence::Refused,
            _ => Absence::Trouble,
        };
        let message = match error {
            // What lets one in is told of the socket.
            ApiError::Permission { server, .. } => format!("{server}: permission denied"),
            // The others send whoever asks to this command.
            ApiError::NoSocket { server, .. } => format!("{server}: no such socket"),
            ApiError::NoDefaultSocket { servers, .. } => format!("{servers}: no such socket"),
            ApiError::Timeout { server, within, .. } => {
                format!("{server}: no answer within {within:?}")
            }
            ApiError::Broken { server, error, .. } => {
                format!("{server}: the answer broke off: {error}")
            }
            error => crate::output::text::chain(error),
        };
        Self::Absent { why, message }
    }

    /// One that systemd would start if its API were asked: a look must not undo what somebody has
    /// stopped. `None` if it may be asked.
    pub(super) fn resting(systemd: &Systemd) -> Option<Self> {
        let service = systemd.unit(SERVICE)?;
        let rests = matches!(service.get("ActiveState"), "inactive" | "failed");
        let is_awaited = systemd.unit(API).is_some_and(Unit::is_active);
        (rests && is_awaited).then(|| Self::Absent {
            why: Absence::Resting,
            message: String::new(),
        })
    }

    /// The one on this host, if it answers.
    pub(super) fn here(&self) -> Option<&Running> {
        self.running().filter(|running| running.is_local)
    }

    /// Whether one answers on this host.
    pub(super) fn is_here(&self) -> bool {
        self.here().is_some()
    }

    /// The one that answers, wherever it is.
    pub(super) fn running(&self) -> Option<&Running> {
        match self {
            Self::Running(running) => Some(running),
            Self::Absent { .. } => None,
        }
    }

    /// Why none answers.
    pub(super) fn absence(&self) -> Option<Absence> {
        match self {
            Self::Absent { why, .. } => Some(*why),
            Self::Running(_) => None,
        }
    }
}

fn user_of(root: &Root, pid: u32) -> Option<u32> {
    let process = std::fs::metadata(root.at(format!("/proc/{pid}"))).ok()?;
    Some(process.uid())
}

/// Whether the program of the process is no longer where it was started from.
fn is_outdated(root: &Root, pid: u32) -> Option<bool> {
    let program: PathBuf = std::fs::read_link(root.at(format!("/proc/{pid}/exe"))).ok()?;
    Some(program.to_string_lossy().ends_with(" (deleted)"))
}

/// Whether the server is well, and of our version.
pub(super) fn check(host: &Host) -> Vec<Finding> {
    let running = match &host.server {
        Server::Running(running) => running,
        Server::Absent { why, message } => return vec![absent(host, *why, message)],
    };
    let mut findings = Vec::new();
    if running.version != VERSION {
        let seen = format!(
            "{} is srs {}, this is srsctl {VERSION}",
            running.name, running.version
        );
        let finding = Finding::warning(CHECK, "version-differs", seen);
        findings.push(
            finding
                .mend("upgrade both, then restart the server")
                .command(RESTART),
        );
    }
    if running.is_outdated == Some(true) {
        let seen = "the program was upgraded or removed since the server was started";
        let finding = Finding::warning(CHECK, "program-replaced", seen);
        findings.push(
            finding
                .mend("restart the server to run the new one")
                .command(RESTART),
        );
    }
    if let Some(service) = &running.service {
        findings.extend(health(service));
    }
    if findings.is_empty() {
        let mut seen = format!("srs {} at {}", running.version, running.name);
        if running.is_local {
            seen += &format!(", pid {}", running.pid);
        } else {
            seen += ", not on this host: what is checked here is this host";
        }
        findings.push(Finding::ok(CHECK, seen));
    }
    findings
}

/// What the server says of itself.
fn health(service: &ServiceSummary) -> Vec<Finding> {
    let mut findings = Vec::new();
    if service.state == ServiceState::Degraded {
        for problem in &service.problems {
            let seen = format!("the server says: {problem}");
            let finding = Finding::warning(CHECK, "server-degraded", seen);
            findings.push(relieved(finding, problem));
        }
    }
    let (clients, most) = (service.clients as u64, service.max_connections);
    if most > 0 && clients.saturating_mul(10) >= most.saturating_mul(9) {
        let seen = format!(
            "{} of {} clients: further ones are soon refused",
            count(clients),
            count(most)
        );
        let finding = Finding::warning(CHECK, "clients-scarce", seen);
        findings.push(finding.mend("raise max_connections, or send viewers to another server"));
    }
    findings
}

/// The finding, with what to do about what the server said.
fn relieved(finding: Finding, problem: &str) -> Finding {
    if problem.starts_with("the heartbeat to ") {
        finding.mend(
            "see that a server takes heartbeats at that address, and that this host reaches it, or \
             correct heartbeat.url; it is tried again by itself",
        )
    } else if problem.starts_with("the last reload failed") {
        finding
            .mend("correct what this names, then reload")
            .command("sudo srsctl config diff")
            .command("sudo srsctl reload")
    } else {
        finding.command("journalctl -u srs -p warning -n 50")
    }
}

/// What it means that nobody answers.
fn absent(host: &Host, why: Absence, message: &str) -> Finding {
    let is_active = host.systemd.unit(SERVICE).is_some_and(Unit::is_active);
    match why {
        Absence::Refused => Finding::note(CHECK, "server-not-asked", message)
            .mend("what the server itself knows was not checked; root may ask it")
            .command("sudo srsctl doctor"),
        Absence::Resting => {
            let seen = "srs.service does not run, and was not asked, as that would start it";
            Finding::note(CHECK, "server-absent", seen)
        }
        Absence::Trouble if !host.configuration.config.http_api.enabled => {
            let seen = "the configuration has no API: what the server itself knows was not checked";
            Finding::note(CHECK, "server-not-asked", seen)
        }
        Absence::Trouble => {
            Finding::problem(CHECK, "server-silent", message).command("journalctl -u srs -n 50")
        }
        Absence::None | Absence::Stale if is_active => {
            let seen = format!("srs.service is active, but its API does not answer: {message}");
            Finding::warning(CHECK, "api-silent", seen)
                .mend("see at which address http_api.listen has it, and name that with --server")
                .command("journalctl -u srs -n 50")
        }
        Absence::None | Absence::Stale => {
            let seen = "no server answers here: what one would be given was checked";
            Finding::note(CHECK, "server-absent", seen)
        }
    }
}

const CHECK: &str = "server";
const VERSION: &str = env!("CARGO_PKG_VERSION");
const RESTART: &str = "sudo systemctl restart srs.service";

#[cfg(test)]
mod tests {
    use super::*;

    fn ids(host: &Host) -> Vec<&'static str> {
        check(host).iter().map(|finding| finding.id).collect()
    }

    #[test]
    fn a_server_is_well_or_says_what_it_suffers() {
        let well = Running {
            name: "unix:/run/srs/api.sock".into(),
            is_local: true,
            version: VERSION.into(),
            pid: 7,
            ..Running::default()
        };
        let service = ServiceSummary {
            state: ServiceState::Degraded,
            problems: vec!["a".into(), "b".into()],
            clients: 90,
            max_connections: 100,
            ..ServiceSummary::default()
        };
        let cases = [
            (well.clone(), vec!["server"]),
            (
                Running {
                    version: "0.0.9".into(),
                    is_outdated: Some(true),
                    ..well.clone()
                },
                vec!["version-differs", "program-replaced"],
            ),
            (
                Running {
                    service: Some(service),
                    ..well.clone()
                },
                vec!["server-degraded", "server-degraded", "clients-scarce"],
            ),
        ];
        for (running, expected) in cases {
            let server = Server::Running(Box::new(running));
            let host = Host {
                server,
                ..Host::well()
            };
            assert_eq!(ids(&host), expected);
        }
    }

    #[test]
    fn what_a_server_suffers_has_a_remedy_of_its_own() {
        let of = |problem: &str| {
            let service = ServiceSummary {
                state: ServiceState::Degraded,
                problems: vec![problem.to_owned()],
                ..ServiceSummary::default()
            };
            health(&service).remove(0)
        };
        let beat = of("the heartbeat to http://host/a fails and is tried again: no answer");
        assert!(beat.mend.unwrap().contains("heartbeat.url"));
        assert!(beat.commands.is_empty(), "{:?}", beat.commands);
        let reload = of("the last reload failed: the settings before it are in force");
        assert_eq!(reload.commands[0], "sudo srsctl config diff");
        let other = of("not listening at [::]:1936");
        assert!(other.commands[0].starts_with("journalctl"), "{other:?}");
    }

    #[test]
    fn what_silence_means_depends_on_what_should_run() {
        let active = "Id=srs.service\nLoadState=loaded\nActiveState=active\n";
        for (why, units, expected) in [
            (Absence::None, "", "server-absent"),
            (Absence::Stale, "", "server-absent"),
            (Absence::None, active, "api-silent"),
            (Absence::Refused, active, "server-not-asked"),
            (Absence::Resting, "", "server-absent"),
            (Absence::Trouble, "", "server-silent"),
        ] {
            let host = Host {
                server: Server::Absent {
                    why,
                    message: "why".into(),
                },
                systemd: Systemd::of(units),
                ..Host::well()
            };
            assert_eq!(ids(&host), [expected]);
        }
        let mut off = Host {
            server: Server::Absent {
                why: Absence::Trouble,
                message: "why".into(),
            },
            ..Host::well()
        };
        off.configuration.config.http_api.enabled = false;
        assert_eq!(ids(&off), ["server-not-asked"]);
    }

    #[test]
    fn advice_that_leads_to_the_doctor_is_not_the_doctors() {
        let server = "unix:/run/srs/api.sock".to_owned();
        let advice = "see srsctl doctor";
        for error in [
            ApiError::NoSocket {
                server: server.clone(),
                advice,
            },
            ApiError::Timeout {
                server: server.clone(),
                within: std::time::Duration::from_secs(5),
                advice,
            },
            ApiError::Broken {
                server,
                advice,
                error: "reset".into(),
            },
        ] {
            let Server::Absent { message, .. } = Server::absent(&error) else {
                panic!("it is absent");
            };
            assert!(!message.contains("doctor"), "{message}");
        }
    }

    #[test]
    fn a_server_that_a_question_would_start_is_not_asked() {
        let of = |service: &str, socket: &str| {
            let unit =
                |id: &str, state: &str| format!("Id={id}\nLoadState=loaded\nActiveState={state}\n");
            let units = [unit(SERVICE, service), unit(API, socket)].join("\n");
            Server::resting(&Systemd::of(&units)).is_some()
        };
        assert!(of("inactive", "active") && of("failed", "active"));
        assert!(!of("active", "active") && !of("inactive", "inactive"));
        assert!(Server::resting(&Systemd::Absent).is_none());
    }

    #[test]
    fn a_program_that_was_replaced_is_known_by_its_link() {
        let folder = tempfile::tempdir().unwrap();
        let process = folder.path().join("proc/7");
        std::fs::create_dir_all(&process).unwrap();
        let root = Root::of(folder.path());
        assert_eq!(is_outdated(&root, 7), None);
        std::os::unix::fs::symlink("/usr/sbin/srs (deleted)", process.join("exe")).unwrap();
        assert_eq!(is_outdated(&root, 7), Some(true));
    }
}
