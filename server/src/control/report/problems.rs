//! What is wrong with a server that serves, for people.

use srs_api::{Disk, Part, PartKind, PartState, ReloadOutcome, ServiceSummary};

use crate::service::Service;

/// What is wrong with `service`, of which `srs` is known otherwise; nothing if it is as it should.
pub(super) fn problems(service: &Service, srs: &ServiceSummary) -> Vec<String> {
    let mut problems: Vec<String> = service.parts.list().iter().filter_map(of_part).collect();
    let missing = service.addresses().missing;
    problems.extend(
        missing
            .iter()
            .map(|address| format!("not listening at {address}")),
    );
    if srs.last_reload.outcome == Some(ReloadOutcome::Failed) {
        problems.push("the last reload failed: the settings before it are in force".to_owned());
    }
    let clients = u64::try_from(srs.clients).unwrap_or(u64::MAX);
    problems.extend(of_limit(clients, srs.max_connections, "clients"));
    let files = of_limit(srs.open_files, srs.max_open_files, "files and sockets");
    problems.extend(files);
    problems.extend(srs.disks.iter().filter_map(of_disk));
    problems
}

fn of_part(part: &Part) -> Option<String> {
    let Part { target, error, .. } = part;
    let name = match part.kind {
        PartKind::Task => target.clone(),
        PartKind::Heartbeat => format!("the heartbeat to {target}"),
        kind => format!("{} {target}", kind.name()),
    };
    match part.state {
        PartState::Retrying => Some(format!("{name} fails and is tried again: {error}")),
        PartState::Failed => Some(format!("{name} has failed: {error}")),
        PartState::Running | PartState::Idle => None,
    }
}

/// `what` is of the things that are limited.
fn of_limit(count: u64, limit: u64, what: &str) -> Option<String> {
    // The share of a limit that there is none of is 0.
    let is_near = u128::from(count) * 10 > u128::from(limit) * 9;
    is_near.then(|| format!("{count} {what} of {limit} that may be"))
}

/// What is wrong with a disk, if anything is.
pub(super) fn of_disk(disk: &Disk) -> Option<String> {
    let path = &disk.path;
    if u128::from(disk.free_bytes) * 20 < u128::from(disk.total_bytes) {
        let percent = u128::from(disk.free_bytes) * 100 / u128::from(disk.total_bytes.max(1));
        return Some(format!("the disk of {path} has {percent} % left"));
    }
    let seconds = disk.full_in.filter(|seconds| *seconds < SOON)?;
    let minutes = seconds / 60.0;
    Some(format!(
        "the disk of {path} is full in {minutes:.0} minutes"
    ))
}

/// An hour is time to do something about it.
const SOON: f64 = 3_600.0;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_that_does_not_work_is_a_problem() {
        let part = |kind, state| Part {
            id: "1".into(),
            kind,
            target: "http://host/a".into(),
            stream: String::new(),
            state,
            since_ms: 0,
            restarts: 0,
            next_try_ms: None,
            progress: String::new(),
            error: "no answer".into(),
        };
        for (kind, state, expected) in [
            (PartKind::Task, PartState::Running, None),
            (PartKind::Heartbeat, PartState::Idle, None),
            (
                PartKind::Heartbeat,
                PartState::Retrying,
                Some("the heartbeat to http://host/a fails and is tried again: no answer"),
            ),
            (
                PartKind::Forward,
                PartState::Failed,
                Some("forward http://host/a has failed: no answer"),
            ),
        ] {
            let problem = of_part(&part(kind, state));
            assert_eq!(problem.as_deref(), expected, "{kind:?} {state:?}");
        }
    }

    #[test]
    fn more_than_nine_tenths_of_a_limit_are_a_problem() {
        for (count, limit, is_problem) in [
            (90, 100, false),
            (91, 100, true),
            (0, 0, false),
            (u64::MAX / 2, u64::MAX, false),
            (u64::MAX, u64::MAX, true),
        ] {
            let problem = of_limit(count, limit, "clients");
            assert_eq!(problem.is_some(), is_problem, "{count} of {limit}");
        }
        let problem = of_limit(91, 100, "clients");
        assert_eq!(problem.unwrap(), "91 clients of 100 that may be");
    }

    #[test]
    fn a_disk_that_is_full_or_will_be_soon_is_a_problem() {
        let disk = |free_bytes, full_in| Disk {
            path: "/var".into(),
            total_bytes: 1_000,
            free_bytes,
            full_in,
            is_scarce: false,
        };
        for (disk, expected) in [
            (disk(50, None), None),
            (disk(49, None), Some("the disk of /var has 4 % left")),
            (disk(0, Some(0.0)), Some("the disk of /var has 0 % left")),
            (disk(500, Some(3_600.0)), None),
            (
                disk(500, Some(1_810.0)),
                Some("the disk of /var is full in 30 minutes"),
            ),
        ] {
            assert_eq!(of_disk(&disk).as_deref(), expected, "{disk:?}");
        }
    }
}
