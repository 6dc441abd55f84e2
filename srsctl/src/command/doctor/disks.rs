//! The file systems that the server writes to.

use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use procfs::FromBufRead as _;
use procfs::process::MountInfos;
use rustix::fs::{StatVfsMountFlags, statvfs};
use srs_config::{Config, LogTarget};

use super::accounts::{GROUP, Owned, USER};
use super::finding::{Finding, Level, quoted};
use super::host::Host;
use super::read::Root;
use super::server::Server;
use super::units::{SERVICE, Systemd, Unit};
use crate::output::Size;
use crate::output::units::{count, percent};

/// A folder that the server writes to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Folder {
    pub(super) path: PathBuf,
    /// What is kept there.
    pub(super) what: &'static str,
    /// `None` if it is not there.
    pub(super) space: Option<Space>,
}

/// What is known of a folder and of its file system.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Space {
    pub(super) owned: Owned,
    pub(super) device: u64,
    pub(super) total: u64,
    /// Without what is kept back for root.
    pub(super) free: u64,
    /// 0 where the file system has no fixed number of them.
    pub(super) files: u64,
    pub(super) free_files: u64,
    pub(super) is_read_only: bool,
    /// The type of the file system, as in `ext4`.
    pub(super) kind: String,
}

impl Folder {
    /// Looks at those that `config` writes to. Relative paths begin in `base`; where that is not
    /// known they are left out.
    pub(super) fn read(root: &Root, config: &Config, base: Option<&Path>) -> Vec<Self> {
        let kinds = kinds(root);
        let mut folders: Vec<(PathBuf, &'static str)> = vec![(STATE.into(), "what it keeps")];
        if config.log.target == LogTarget::File {
            let folder = parent(config.log.file.as_path(), base);
            folders.extend(folder.map(|folder| (folder, "the log")));
        }
        if config.fleet.enabled {
            let folder = parent(config.fleet.file.as_path(), base);
            folders.extend(folder.map(|folder| (folder, "the fleet")));
        }
        let mut seen = Vec::new();
        folders.retain(|(path, _)| {
            let is_new = !seen.contains(path);
            seen.push(path.clone());
            is_new
        });
        folders
            .into_iter()
            .map(|(path, what)| Self {
                space: Space::of(&root.at(&path), &kinds),
                path,
                what,
            })
            .collect()
    }
}

impl Space {
    fn of(path: &Path, kinds: &[(String, String)]) -> Option<Self> {
        let metadata = fs::metadata(path).ok()?;
        let space = statvfs(path).ok()?;
        let device = metadata.dev();
        let number = format!(
            "{}:{}",
            rustix::fs::major(device),
            rustix::fs::minor(device)
        );
        let kind = kinds.iter().find(|(known, _)| *known == number);
        Some(Self {
            owned: Owned::of(&metadata),
            device,
            total: space.f_blocks.saturating_mul(space.f_frsize),
            free: space.f_bavail.saturating_mul(space.f_frsize),
            files: space.f_files,
            free_files: space.f_favail,
            is_read_only: space.f_flag.contains(StatVfsMountFlags::RDONLY),
            kind: kind.map(|(_, kind)| kind.clone()).unwrap_or_default(),
        })
    }
}

/// The types of the mounted file systems by their devices.
fn kinds(root: &Root) -> Vec<(String, String)> {
    let file = root.lines("/proc/self/mountinfo").ok();
    let mounts = file.and_then(|file| MountInfos::from_buf_read(file).ok());
    let mounts = mounts.into_iter().flatten();
    mounts.map(|mount| (mount.majmin, mount.fs_type)).collect()
}

/// The folder of a file.
fn parent(file: &Path, base: Option<&Path>) -> Option<PathBuf> {
    let folder = file.parent().unwrap_or(file);
    match base {
        // What is joined to nothing ends with a slash.
        Some(base) if folder.as_os_str().is_empty() => Some(base.to_owned()),
        Some(base) => Some(base.join(folder)),
        None => folder.is_absolute().then(|| folder.to_owned()),
    }
}

/// The folder that the server runs in, or would; it is not that of whoever asks.
pub(super) fn working_folder(root: &Root, server: &Server, systemd: &Systemd) -> Option<PathBuf> {
    let service = systemd.unit(SERVICE);
    let Some(running) = server.here() else {
        let here = || std::env::current_dir().ok();
        return service.map(Unit::folder).or_else(here);
    };
    // Of other users only root may see it.
    let seen = fs::read_link(root.at(format!("/proc/{}/cwd", running.pid)));
    seen.ok().or_else(|| {
        let service = service.filter(|unit| unit.main_pid() == Some(running.pid))?;
        Some(service.folder())
    })
}

/// Whether the server can write, and for how long.
pub(super) fn check(host: &Host) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut well = Vec::new();
    let mut devices = Vec::new();
    for folder in &host.folders {
        let Some(space) = &folder.space else {
            findings.extend(missing(host, folder));
            continue;
        };
        let before = findings.len();
        findings.extend(closed(host, folder, space));
        if devices.contains(&space.device) {
            continue;
        }
        devices.push(space.device);
        findings.extend(of_space(folder, space));
        if findings.len() == before {
            well.push(free(folder, space));
        }
    }
    if !well.is_empty() || findings.is_empty() {
        let seen = match well.as_slice() {
            [] => "nothing is written by now".to_owned(),
            well => well.join("; "),
        };
        findings.insert(0, Finding::ok(CHECK, seen));
    }
    findings
}

fn free(folder: &Folder, space: &Space) -> String {
    format!(
        "{}: {} of {} free ({})",
        folder.path.display(),
        Size(space.free),
        Size(space.total),
        percent(fraction(space.free, space.total))
    )
}

/// A folder that is not there. Under systemd the unit makes those of the package.
fn missing(host: &Host, folder: &Folder) -> Option<Finding> {
    let path = folder.path.display();
    if is_packaged(folder) && host.systemd.unit(SERVICE).is_some() {
        return None;
    }
    let seen = format!("{path}, for {}, is not there", folder.what);
    // Without the log's folder the server does not start.
    let (level, id) = match folder.what {
        "the log" => (Level::Problem, "log-folder-missing"),
        _ => (Level::Note, "folder-missing"),
    };
    let owner = match &host.accounts.service {
        Some(_) => format!("-o {USER} -g {GROUP} "),
        None => String::new(),
    };
    let finding = Finding::new(level, CHECK, id, seen);
    Some(finding.command(format!(
        "sudo install -d {owner}-m 0750 {}",
        quoted(&folder.path)
    )))
}

fn is_packaged(folder: &Folder) -> bool {
    [STATE, LOG]
        .iter()
        .any(|path| folder.path == Path::new(path))
}

/// A folder that the server may not write to.
fn closed(host: &Host, folder: &Folder, space: &Space) -> Option<Finding> {
    let service = host.account()?;
    if space.owned.lets(service, 3) {
        return None;
    }
    let path = folder.path.display();
    let seen = format!(
        "{path}, for {}: the user {USER} cannot write there (owner {}, mode {:04o})",
        folder.what,
        host.accounts.name_of(space.owned.uid),
        space.owned.mode
    );
    let finding = Finding::warning(CHECK, "folder-closed", seen);
    // Only what the packages make is the server's for sure.
    Some(if is_packaged(folder) {
        finding.command(format!("sudo chown {USER}:{GROUP} {path}"))
    } else {
        finding.mend("let it write there, or choose another folder in the configuration")
    })
}

fn of_space(folder: &Folder, space: &Space) -> Vec<Finding> {
    let path = folder.path.display();
    let typed = quoted(&folder.path);
    let mut findings = Vec::new();
    if space.is_read_only {
        let seen = format!("{path} is on a file system that is mounted read-only");
        let finding = Finding::problem(CHECK, "disk-read-only", seen)
            .mend("see why; the kernel does that itself after errors of the disk")
            .command("sudo dmesg --level=err,warn | tail -n 50")
            .command(format!(
                "sudo mount -o remount,rw $(findmnt -no TARGET -T {typed})"
            ));
        findings.push(finding);
    }
    if matches!(space.kind.as_str(), "tmpfs" | "ramfs") {
        let seen = format!("{path} is in memory ({}): a reboot empties it", space.kind);
        let finding = Finding::warning(CHECK, "disk-volatile", seen);
        findings.push(finding.command(format!("findmnt -T {typed}")));
    }
    let level = match space.total {
        0 => None,
        total => scarce(space.free, total),
    };
    if let Some((level, id)) = level {
        let finding = Finding::new(level, CHECK, id, free(folder, space));
        findings.push(
            finding
                .command(format!(
                    "sudo du -xh --max-depth=2 {typed} | sort -h | tail"
                ))
                .command("journalctl --disk-usage"),
        );
    }
    let free_files = fraction(space.free_files, space.files);
    if space.files > 0 && free_files < LITTLE {
        let (level, id) = match free_files < NOTHING {
            true => (Level::Problem, "disk-no-inodes"),
            false => (Level::Warning, "disk-few-inodes"),
        };
        let files = match space.free_files {
            1 => "1 more file".to_owned(),
            files => format!("{} more files", count(files)),
        };
        let seen = format!(
            "{path}: room for {files} ({} of the inodes)",
            percent(free_files)
        );
        let finding = Finding::new(level, CHECK, id, seen);
        findings.push(finding.command(format!("sudo du -x --inodes {typed} | sort -n | tail")));
    }
    findings
}

/// Whether so little is free that somebody should act. From 5 % on the server calls itself
/// degraded. A percentage alone would call 200 GB of a large disk nothing, and the 4 MB of a small
/// one enough.
fn scarce(free: u64, total: u64) -> Option<(Level, &'static str)> {
    let part = fraction(free, total);
    if (part < NOTHING && free < 10 * GB) || free < GB / 100 {
        Some((Level::Problem, "disk-full"))
    } else if part < LITTLE || (free < GB && part < 0.2) {
        Some((Level::Warning, "disk-scarce"))
    } else {
        None
    }
}

fn fraction(part: u64, whole: u64) -> f64 {
    part as f64 / whole.max(1) as f64
}

const CHECK: &str = "disk";
const STATE: &str = "/var/lib/srs";
const LOG: &str = "/var/log/srs";
const GB: u64 = 1_000_000_000;
const LITTLE: f64 = 0.05;
const NOTHING: f64 = 0.01;

#[cfg(test)]
mod tests {
    use super::super::server::{Absence, Running};
    use super::*;

    fn space() -> Space {
        Space {
            owned: Owned {
                uid: 990,
                gid: 991,
                mode: 0o750,
            },
            device: 1,
            total: 100 * GB,
            free: 50 * GB,
            files: 1000,
            free_files: 500,
            is_read_only: false,
            kind: "ext4".into(),
        }
    }

    fn folder(path: &str, what: &'static str, space: Option<Space>) -> Folder {
        Folder {
            path: path.into(),
            what,
            space,
        }
    }

    fn ids(folders: Vec<Folder>) -> Vec<&'static str> {
        let host = Host {
            folders,
            ..Host::well()
        };
        check(&host).iter().map(|finding| finding.id).collect()
    }

    #[test]
    fn little_is_what_is_soon_used_up() {
        for (free, total, expected) in [
            (50 * GB, 100 * GB, None),
            (4 * GB, 100 * GB, Some("disk-scarce")),
            (GB / 2, 100 * GB, Some("disk-full")),
            (GB * 9 / 10, 10 * GB, Some("disk-scarce")),
            (190 * GB, 20_000 * GB, Some("disk-scarce")),
            (GB / 2, GB, None),
            (GB / 200, GB / 2, Some("disk-full")),
        ] {
            let found = scarce(free, total).map(|(_, id)| id);
            assert_eq!(found, expected, "{free} of {total}");
        }
    }

    #[test]
    fn what_keeps_the_server_from_writing_is_told() {
        let state = |space| vec![folder(STATE, "what it keeps", Some(space))];
        let closed = Owned {
            uid: 0,
            gid: 0,
            mode: 0o755,
        };
        for (folders, expected) in [
            (state(space()), "disk"),
            (
                state(Space {
                    is_read_only: true,
                    ..space()
                }),
                "disk-read-only",
            ),
            (
                state(Space {
                    kind: "tmpfs".into(),
                    ..space()
                }),
                "disk-volatile",
            ),
            (
                state(Space {
                    free: GB,
                    ..space()
                }),
                "disk-scarce",
            ),
            (
                state(Space {
                    free_files: 40,
                    ..space()
                }),
                "disk-few-inodes",
            ),
            (
                state(Space {
                    free_files: 9,
                    ..space()
                }),
                "disk-no-inodes",
            ),
            (
                state(Space {
                    files: 0,
                    free_files: 0,
                    ..space()
                }),
                "disk",
            ),
            (
                state(Space {
                    owned: closed,
                    ..space()
                }),
                "folder-closed",
            ),
            (vec![folder(STATE, "what it keeps", None)], "folder-missing"),
            (vec![folder("/log", "the log", None)], "log-folder-missing"),
        ] {
            assert_eq!(ids(folders), [expected]);
        }
    }

    #[test]
    fn a_file_system_is_told_of_once() {
        let full = Space { free: 0, ..space() };
        let folders = vec![
            folder(STATE, "what it keeps", Some(full.clone())),
            folder(LOG, "the log", Some(full)),
        ];
        assert_eq!(ids(folders), ["disk-full"]);
    }

    #[test]
    fn relative_paths_begin_where_the_server_runs() {
        let config = "log.target = \"file\"\nlog.file = \"log/srs.log\"\nfleet.file = \"a.json\"";
        let config = Config::parse(config, "the test").unwrap();
        let of = |base: Option<&str>| -> Vec<PathBuf> {
            let folders = Folder::read(&Root::host(), &config, base.map(Path::new));
            folders.into_iter().skip(1).map(|it| it.path).collect()
        };
        assert_eq!(of(Some("/")), [Path::new("/log"), Path::new("/")]);
        assert_eq!(of(None), [""; 0].map(PathBuf::from));
    }

    #[test]
    fn the_folder_of_the_server_is_not_that_of_whoever_asks() {
        let host = tempfile::tempdir().unwrap();
        fs::create_dir_all(host.path().join("proc/7")).unwrap();
        std::os::unix::fs::symlink("/srv/live", host.path().join("proc/7/cwd")).unwrap();
        let root = Root::of(host.path());
        let running = |pid| {
            Server::Running(Box::new(Running {
                is_local: true,
                pid,
                ..Running::default()
            }))
        };
        let absent = Server::Absent {
            why: Absence::None,
            message: String::new(),
        };
        let unit = Systemd::of("Id=srs.service\nLoadState=loaded\nMainPID=8\n");
        let here = std::env::current_dir().unwrap();
        for (server, systemd, expected) in [
            (running(7), &unit, Some("/srv/live".into())),
            (running(8), &unit, Some("/".into())),
            (running(9), &unit, None),
            (absent.clone(), &unit, Some("/".into())),
            (absent, &Systemd::Absent, Some(here)),
        ] {
            assert_eq!(working_folder(&root, &server, systemd), expected);
        }
    }

    #[test]
    fn real_folders_are_read() {
        let folder = tempfile::tempdir().unwrap();
        let config = format!(
            "log.target = \"file\"\nlog.file = \"{0}/srs.log\"\nfleet.file = \"{0}/none/a.json\"",
            folder.path().display()
        );
        let config = Config::parse(&config, "the test").unwrap();
        let folders = Folder::read(&Root::host(), &config, None);
        let log = folders.iter().find(|it| it.what == "the log").unwrap();
        let space = log.space.as_ref().unwrap();
        assert!(space.total >= space.free && space.total > 0, "{space:?}");
        assert!(!space.kind.is_empty() && !space.is_read_only, "{space:?}");
        let fleet = folders.iter().find(|it| it.what == "the fleet").unwrap();
        assert_eq!(fleet.space, None);
    }
}
