//! A log that goes to the journal, which journalctl(1) shows.

use std::fs;
use std::io;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use rustix::fs::{Access, access};
use rustix::io::Errno;
use srs_config::LogLevel;

use super::Wanted;
use super::line::Filter;
use crate::command::Error;

/// Becomes a journalctl that shows what is wanted. Comes back only if that fails, or if there is
/// nothing of a client, or nothing that the user may read.
pub(super) fn show(wanted: &Wanted) -> Error {
    let unit = wanted.filter.pid.and_then(unit_of);
    let arguments = arguments(wanted, unit.as_deref());
    if is_closed(Path::new("/"), |file| access(file, Access::READ_OK))
        && !has_lines(wanted, unit.as_deref())
    {
        return Error::JournalClosed;
    }
    if let Some(nothing) = wanted.nothing() {
        match is_empty(&arguments) {
            Ok(false) => {}
            Ok(true) => return nothing,
            Err(error) => return Error::Journalctl(error),
        }
    }
    Error::Journalctl(Command::new("journalctl").args(arguments).exec())
}

/// Whether there is a line of the unit srs in the journal that the user may read.
pub(super) fn is_readable() -> bool {
    let unit = [format!("--unit={UNIT}")];
    has_line(&unit)
}

/// Whether the system's journal is there, and not for the user: journalctl then shows nothing, and
/// calls that a success.
fn is_closed(root: &Path, read: impl Fn(&Path) -> Result<(), Errno>) -> bool {
    let mut files: Vec<PathBuf> = Vec::new();
    for folder in JOURNALS {
        let folder = root.join(folder);
        match fs::read_dir(&folder) {
            Ok(hosts) => files.extend(hosts.flatten().map(|host| host.path().join(SYSTEM))),
            Err(_) => files.push(folder),
        }
    }
    let read = files.iter().map(|file| read(file));
    let mut there = read.filter(|read| *read != Err(Errno::NOENT)).peekable();
    there.peek().is_some() && there.all(|read| read.is_err())
}

/// Whether there is any line of the server that the user may read: that of his own systemd is in
/// his own journal.
fn has_lines(wanted: &Wanted, unit: Option<&str>) -> bool {
    let any = Wanted {
        filter: Filter {
            pid: wanted.filter.pid,
            ..Filter::default()
        },
        began: wanted.began,
        lines: None,
        follow: false,
    };
    has_line(&arguments(&any, unit))
}

/// Whether the journal has no such line; if it does not let itself be asked, what it is asked next
/// says why.
fn is_empty(arguments: &[String]) -> io::Result<bool> {
    let output = last_line(arguments)?;
    Ok(output.status.success() && output.stdout.is_empty())
}

fn has_line(arguments: &[String]) -> bool {
    last_line(arguments).is_ok_and(|it| it.status.success() && !it.stdout.is_empty())
}

fn last_line(arguments: &[String]) -> io::Result<Output> {
    Command::new("journalctl")
        .args(arguments)
        // The last number of lines counts.
        .args(["--quiet", "--output=cat", "--lines=1"])
        .output()
}

/// What journalctl is called with. `unit` is the one that the server runs in, if it is known.
fn arguments(wanted: &Wanted, unit: Option<&str>) -> Vec<String> {
    let filter = &wanted.filter;
    let mut arguments = Vec::new();
    if wanted.follow {
        arguments.push("--follow".to_owned());
    }
    match wanted.lines {
        Some(lines) => arguments.push(format!("--lines={lines}")),
        // One that follows would begin with ten lines.
        None if wanted.follow => arguments.push("--lines=all".to_owned()),
        None => {}
    }
    let of_process = filter
        .pid
        .filter(|_| filter.client.is_some() || unit.is_none());
    // Before that the pid was another's: after another boot, or in a container.
    let began = wanted.began.filter(|_| of_process.is_some());
    if let Some(since) = filter.since.max(began) {
        arguments.push(format!("--since=@{}", since.as_second()));
    }
    if let Some(level) = filter.level {
        arguments.push(format!("--priority={}", priority(level)));
    }
    match of_process {
        Some(pid) => arguments.push(format!("_PID={pid}")),
        // What systemd says of the unit belongs to its story, and so does the next process.
        None => arguments.push(format!("--unit={}", unit.unwrap_or(UNIT))),
    }
    if let Some(client) = filter.client {
        arguments.push(format!("SRS_CLIENT={client}"));
    }
    arguments
}

/// The system's unit that the process belongs to.
fn unit_of(pid: u32) -> Option<String> {
    let groups = fs::read_to_string(format!("/proc/{pid}/cgroup")).ok()?;
    unit_in(&groups).map(str::to_owned)
}

/// The unit in the text of `/proc/PID/cgroup`: `0::/system.slice/srs.service`, or in a slice of
/// its own; `1:name=systemd:/…` where systemd has only the first version of control groups.
pub(in crate::command) fn unit_in(groups: &str) -> Option<&str> {
    // Where both are there, the second may be empty.
    let path_of = |name: &str| {
        let path = groups.lines().find_map(|line| line.split_once(name))?.1;
        (path != "/").then_some(path)
    };
    let path = path_of(":name=systemd:").or_else(|| path_of("0::"))?;
    // The units of a user's own systemd are none that --unit knows, and user@1000.service is all
    // that the user runs.
    if path.starts_with("/user.slice/") {
        return None;
    }
    path.rsplit('/').find(|part| part.ends_with(".service"))
}

/// The daemon's names for the journal's priorities.
fn priority(level: LogLevel) -> &'static str {
    match level {
        LogLevel::Error => "err",
        LogLevel::Warn => "warning",
        LogLevel::Info => "info",
        LogLevel::Debug | LogLevel::Trace => "debug",
    }
}

const UNIT: &str = "srs.service";
/// Where journals are, each in a folder of its host's; the second is lost at a reboot.
const JOURNALS: [&str; 2] = ["var/log/journal", "run/log/journal"];
/// That of the system, among those of the users.
const SYSTEM: &str = "system.journal";

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;

    #[test]
    fn journalctl_is_asked_for_what_is_wanted() {
        let all = Wanted {
            filter: Filter::default(),
            began: None,
            lines: None,
            follow: false,
        };
        let of_client = |pid| Wanted {
            filter: Filter {
                client: Some(104),
                pid,
                level: Some(LogLevel::Warn),
                ..Filter::default()
            },
            ..all.clone()
        };
        let of_process = Wanted {
            filter: Filter {
                pid: Some(4242),
                ..Filter::default()
            },
            began: None,
            lines: Some(20),
            follow: true,
        };
        let follow = Wanted {
            follow: true,
            ..of_client(Some(4242))
        };
        let cases: [(&Wanted, Option<&str>, &[&str]); 6] = [
            (&all, None, &["--unit=srs.service"]),
            (
                &of_client(Some(4242)),
                Some("srs.service"),
                &["--priority=warning", "_PID=4242", "SRS_CLIENT=104"],
            ),
            (
                &of_client(None),
                None,
                &["--priority=warning", "--unit=srs.service", "SRS_CLIENT=104"],
            ),
            (&of_process, None, &["--follow", "--lines=20", "_PID=4242"]),
            (
                &of_process,
                Some("live.service"),
                &["--follow", "--lines=20", "--unit=live.service"],
            ),
            (
                &follow,
                None,
                &[
                    "--follow",
                    "--lines=all",
                    "--priority=warning",
                    "_PID=4242",
                    "SRS_CLIENT=104",
                ],
            ),
        ];
        for (wanted, unit, expected) in cases {
            assert_eq!(arguments(wanted, unit), expected);
        }
    }

    #[test]
    fn a_pid_is_that_of_the_running_server_only() {
        let at = |second| Some(Timestamp::from_second(second).unwrap());
        let began = at(1_000);
        // (client, unit, --since of the user, the one for journalctl)
        let cases = [
            (Some(104), Some("srs.service"), None, Some("--since=@1000")),
            (Some(104), None, at(900), Some("--since=@1000")),
            (Some(104), None, at(1_100), Some("--since=@1100")),
            (None, None, None, Some("--since=@1000")),
            (None, Some("srs.service"), None, None),
            (None, Some("srs.service"), at(900), Some("--since=@900")),
        ];
        for (client, unit, since, expected) in cases {
            let wanted = Wanted {
                filter: Filter {
                    client,
                    pid: Some(1),
                    since,
                    level: None,
                },
                began,
                lines: None,
                follow: false,
            };
            let arguments = arguments(&wanted, unit);
            let since = arguments.iter().find(|text| text.starts_with("--since"));
            assert_eq!(since.map(String::as_str), expected, "{arguments:?}");
        }
    }

    #[test]
    fn a_journal_is_closed_if_it_is_there_and_not_for_the_user() {
        let root = tempfile::tempdir().unwrap();
        let may = |file: &Path| access(file, Access::READ_OK);
        let may_not = |file: &Path| may(file).map_err(|_| Errno::NOENT).and(Err(Errno::ACCESS));
        assert!(!is_closed(root.path(), may_not), "there is none");
        let folder = |name: &str| root.path().join(name).join("0123");
        for name in JOURNALS {
            fs::create_dir_all(folder(name)).unwrap();
        }
        assert!(!is_closed(root.path(), may_not), "nothing was written");
        let file = folder(JOURNALS[1]).join(SYSTEM);
        fs::write(&file, "").unwrap();
        assert!(is_closed(root.path(), may_not));
        assert!(!is_closed(root.path(), may));
        // One that can be read is enough.
        fs::write(folder(JOURNALS[0]).join(SYSTEM), "").unwrap();
        let one = |it: &Path| if it == file { may(it) } else { may_not(it) };
        assert!(!is_closed(root.path(), one));
        let hidden = |_: &Path| Err(Errno::ACCESS);
        assert!(is_closed(root.path(), hidden));
    }

    #[test]
    fn the_unit_is_that_of_the_system() {
        let cases = [
            ("0::/system.slice/srs.service\n", Some("srs.service")),
            ("0::/system.slice/srs.service/sub\n", Some("srs.service")),
            (
                "0::/live.slice/live-eu.slice/srs.service",
                Some("srs.service"),
            ),
            (
                "0::/system.slice/system-srs.slice/srs@eu.service\n",
                Some("srs@eu.service"),
            ),
            ("0::/user.slice/user-0.slice/session-1.scope\n", None),
            (
                "0::/user.slice/user-1000.slice/user@1000.service/app.slice/srs.service\n",
                None,
            ),
            ("1:name=systemd:/\n0::/\n", None),
            (
                "2:cpu:/\n1:name=systemd:/system.slice/srs.service\n",
                Some("srs.service"),
            ),
            (
                "1:name=systemd:/system.slice/srs.service\n0::/\n",
                Some("srs.service"),
            ),
            (
                "1:name=systemd:/\n0::/system.slice/srs.service\n",
                Some("srs.service"),
            ),
            ("", None),
        ];
        for (groups, expected) in cases {
            assert_eq!(unit_in(groups), expected);
        }
    }
}
