//! The unix socket of the API, and who may use it.

use std::fs;
use std::os::unix::fs::FileTypeExt as _;
use std::path::{Path, PathBuf};

use rustix::fs::{Access, access};
use srs_config::Config;

use super::accounts::{GROUP, Owned};
use super::finding::{Finding, quoted};
use super::host::Host;
use super::read::Root;
use super::server::Absence;
use super::units::{API, Systemd, Unit};

/// A socket of the API, as it is on disk.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct ApiSocket {
    pub(super) path: PathBuf,
    pub(super) state: State,
}

/// What is there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum State {
    Missing,
    /// Who asks may not go through this folder.
    Hidden(PathBuf),
    /// Something that is no socket.
    Other,
    There {
        owned: Owned,
        /// Whether who asks may connect.
        is_writable: bool,
    },
}

impl ApiSocket {
    /// Looks at those that `config` has, and at those that systemd holds; to these the default
    /// gives way.
    pub(super) fn read(root: &Root, config: &Config, systemd: &Systemd) -> Vec<Self> {
        let api = &config.http_api;
        let mut paths: Vec<&Path> = systemd.passed_paths(API).collect();
        let gives_way = !paths.is_empty() && api.listen == Config::default().http_api.listen;
        let configured = api.listen.iter().filter_map(|address| address.path());
        for path in configured.filter(|_| !gives_way) {
            if !paths.contains(&path) {
                paths.push(path);
            }
        }
        paths
            .into_iter()
            .filter(|_| api.enabled)
            .map(|path| Self {
                path: path.to_owned(),
                state: State::of(root, path),
            })
            .collect()
    }
}

impl State {
    fn of(root: &Root, path: &Path) -> Self {
        // From the root down: the first closed folder hides all below it.
        let mut folders: Vec<&Path> = path.ancestors().skip(1).collect();
        folders.reverse();
        let is_closed = |folder: &&Path| {
            access(root.at(folder), Access::EXEC_OK) == Err(rustix::io::Errno::ACCESS)
        };
        if let Some(folder) = folders.into_iter().find(is_closed) {
            return Self::Hidden(folder.to_owned());
        }
        let path = root.at(path);
        match fs::metadata(&path) {
            Err(_) => Self::Missing,
            Ok(metadata) if !metadata.file_type().is_socket() => Self::Other,
            Ok(metadata) => Self::There {
                owned: Owned::of(&metadata),
                is_writable: access(&path, Access::WRITE_OK).is_ok(),
            },
        }
    }
}

/// Whether those who operate the server can, and nobody else.
pub(super) fn check(host: &Host) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut well = Vec::new();
    for socket in &host.api_sockets {
        match of_socket(host, socket) {
            Ok(seen) => well.push(seen),
            Err(found) => findings.extend(found),
        }
    }
    if host.api_sockets.is_empty() {
        let seen = if host.configuration.config.http_api.enabled {
            "the configuration has no unix socket for the API: srsctl needs --server here"
        } else {
            "http_api.enabled is false: there is no API that srsctl could ask"
        };
        findings.push(Finding::note(CHECK, "api-socket-none", seen));
    }
    if !well.is_empty() {
        findings.insert(0, Finding::ok(CHECK, well.join("; ")));
    }
    findings
}

/// What is well with it, or what is not.
fn of_socket(host: &Host, socket: &ApiSocket) -> Result<String, Vec<Finding>> {
    let path = socket.path.display();
    let (owned, is_writable) = match &socket.state {
        State::There { owned, is_writable } => (*owned, *is_writable),
        State::Missing => return missing(host, socket),
        State::Hidden(folder) => {
            let seen = format!("{path}: you may not go through {}", folder.display());
            let finding = Finding::warning(CHECK, "api-socket-hidden", seen);
            return Err(vec![let_in(host, finding)]);
        }
        State::Other => {
            let seen = format!("{path} is no socket: srs cannot listen there");
            let finding = Finding::problem(CHECK, "api-socket-obstructed", seen);
            let mend = "move it away, or choose another path in http_api.listen";
            let look = format!("sudo ls -ld {}", quoted(&socket.path));
            return Err(vec![finding.mend(mend).command(look)]);
        }
    };
    let typed = quoted(&socket.path);
    let mut findings = Vec::new();
    if owned.mode & 0o002 != 0 {
        let seen = format!(
            "{path}: everybody on this host may write to it (mode {:04o}), and so do everything",
            owned.mode
        );
        let finding = Finding::problem(CHECK, "api-socket-open", seen);
        findings.push(finding.command(format!("sudo chmod 0660 {typed}")));
    }
    let is_packaged = socket.path == Path::new(srs_config::DEFAULT_API_SOCKET);
    if let Some(operators) = host.accounts.operators.filter(|_| is_packaged)
        && (owned.gid != operators || owned.mode & 0o020 == 0)
    {
        let seen = format!(
            "{path}: the group {GROUP} may not write to it (mode {:04o})",
            owned.mode
        );
        let finding = Finding::warning(CHECK, "api-socket-group", seen);
        findings.push(finding.command(format!(
            "sudo chgrp {GROUP} {typed} && sudo chmod 0660 {typed}"
        )));
    }
    if host.server.absence() == Some(Absence::Stale) {
        let seen = format!("{path} is there, and nobody listens at it");
        let finding = Finding::warning(CHECK, "api-socket-stale", seen);
        findings.push(finding.command("sudo systemctl restart srs-api.socket srs.service"));
    }
    if !is_writable {
        let seen = format!(
            "{path}: {} may not write to it (mode {:04o}): srsctl is refused",
            host.accounts.me.name, owned.mode
        );
        let finding = Finding::warning(CHECK, "api-socket-refused", seen);
        findings.push(let_in(host, finding));
    }
    if findings.is_empty() {
        Ok(format!("{path}, mode {:04o}, lets you in", owned.mode))
    } else {
        Err(findings)
    }
}

fn missing(host: &Host, socket: &ApiSocket) -> Result<String, Vec<Finding>> {
    let path = socket.path.display();
    let is_packaged = socket.path == Path::new(srs_config::DEFAULT_API_SOCKET);
    let unit = host.systemd.socket(API).filter(|_| is_packaged);
    if host.server.is_here() {
        let seen = format!("{path} is configured, but is not there");
        let finding = Finding::warning(CHECK, "api-socket-missing", seen);
        return Err(vec![match unit {
            Some(_) => finding.command("sudo systemctl restart srs-api.socket srs.service"),
            None => finding.mend("somebody removed it: restart the server"),
        }]);
    }
    if unit.is_some_and(|unit: &Unit| !unit.is_active()) {
        let seen = format!("{path} is not there, as srs-api.socket is not active");
        let finding = Finding::warning(CHECK, "api-socket-missing", seen);
        return Err(vec![finding.command(
            "sudo systemctl enable srs-api.socket && sudo systemctl start srs-api.socket",
        )]);
    }
    Ok(format!("{path} is made when the server starts"))
}

/// What lets who asks in.
fn let_in(host: &Host, finding: Finding) -> Finding {
    let accounts = &host.accounts;
    match accounts.operators {
        Some(gid) if accounts.is_operator && !accounts.me.groups.contains(&gid) => {
            finding.mend("you are in the group srs, but not yet in this session: log in again")
        }
        Some(_) if !accounts.is_operator => finding
            .mend("join the group srs, then log in again")
            .command(format!("sudo usermod -aG {GROUP} {}", accounts.me.name)),
        _ => finding.command("sudo srsctl status"),
    }
}

const CHECK: &str = "api-socket";

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;
    use std::os::unix::net::UnixListener;

    use super::super::server::{Running, Server};
    use super::*;

    fn there(mode: u32, gid: u32, is_writable: bool) -> State {
        let owned = Owned { uid: 0, gid, mode };
        State::There { owned, is_writable }
    }

    fn host(state: State) -> Host {
        Host {
            api_sockets: vec![ApiSocket {
                path: srs_config::DEFAULT_API_SOCKET.into(),
                state,
            }],
            ..Host::well()
        }
    }

    fn ids(host: &Host) -> Vec<&'static str> {
        check(host).iter().map(|finding| finding.id).collect()
    }

    #[test]
    fn the_socket_is_for_the_group_and_nobody_else() {
        for (state, expected) in [
            (there(0o660, 991, true), "api-socket"),
            (there(0o666, 991, true), "api-socket-open"),
            (there(0o660, 0, true), "api-socket-group"),
            (there(0o600, 991, true), "api-socket-group"),
            (there(0o660, 991, false), "api-socket-refused"),
            (State::Hidden("/run/srs".into()), "api-socket-hidden"),
            (State::Other, "api-socket-obstructed"),
            (State::Missing, "api-socket"),
        ] {
            assert_eq!(ids(&host(state.clone())), [expected], "{state:?}");
        }
        let none = Host {
            api_sockets: Vec::new(),
            ..Host::well()
        };
        assert_eq!(ids(&none), ["api-socket-none"]);
    }

    #[test]
    fn sockets_that_systemd_holds_are_known() {
        let root = Root::of(Path::new("/nonexistent"));
        let units = |path: &str| {
            Systemd::of(&format!(
                "Id=srs-api.socket\nLoadState=loaded\nActiveState=active\nListen={path} (Stream)\n"
            ))
        };
        let usual = srs_config::DEFAULT_API_SOCKET;
        let tcp = "http_api.listen = [\"127.0.0.1:1985\"]";
        let both = "http_api.listen = [\"unix:/run/a\", \"unix:/run/b\"]";
        let off = "http_api.enabled = false";
        for (config, systemd, expected) in [
            (tcp, units(usual), vec![usual]),
            (tcp, Systemd::Absent, vec![]),
            (both, units("/run/a"), vec!["/run/a", "/run/b"]),
            ("", units("/run/a"), vec!["/run/a"]),
            ("", Systemd::Absent, vec![usual]),
            (off, units(usual), vec![]),
        ] {
            let config = Config::parse(config, "the test").unwrap();
            let found = ApiSocket::read(&root, &config, &systemd);
            let found: Vec<_> = found.iter().map(|it| it.path.as_path()).collect();
            assert_eq!(
                found,
                expected.into_iter().map(Path::new).collect::<Vec<_>>()
            );
        }
    }

    #[test]
    fn an_api_that_is_off_is_not_one_without_a_socket() {
        let mut host = Host::well();
        assert!(check(&host)[0].seen.contains("--server"));
        host.configuration.config.http_api.enabled = false;
        assert!(
            check(&host)[0]
                .seen
                .starts_with("http_api.enabled is false")
        );
    }

    #[test]
    fn a_user_is_told_how_to_get_in() {
        let mut host = host(there(0o660, 991, false));
        let mend = |host: &Host| check(host).remove(0);
        assert_eq!(mend(&host).commands, ["sudo usermod -aG srs ann"]);
        host.accounts.is_operator = true;
        let found = mend(&host);
        assert!(found.mend.unwrap().contains("log in again"));
        assert_eq!(found.commands, Vec::<String>::new());
    }

    #[test]
    fn a_socket_that_is_missing_or_stale_is_told() {
        let running = Server::Running(Box::new(Running {
            is_local: true,
            ..Running::default()
        }));
        let running = Host {
            server: running,
            ..host(State::Missing)
        };
        assert_eq!(ids(&running), ["api-socket-missing"]);
        let unit = Host {
            systemd: Systemd::of("Id=srs-api.socket\nLoadState=loaded\nActiveState=inactive\n"),
            ..host(State::Missing)
        };
        assert_eq!(ids(&unit), ["api-socket-missing"]);
        let stale = Host {
            server: Server::Absent {
                why: Absence::Stale,
                message: String::new(),
            },
            ..host(there(0o660, 991, true))
        };
        assert_eq!(ids(&stale), ["api-socket-stale"]);
    }

    #[test]
    fn sockets_are_looked_at_on_disk() {
        let folder = tempfile::tempdir().unwrap();
        let root = Root::of(folder.path());
        let path = Path::new("/run/srs/api.sock");
        assert_eq!(State::of(&root, path), State::Missing);
        fs::create_dir_all(folder.path().join("run/srs")).unwrap();
        fs::write(root.at(path), "").unwrap();
        assert_eq!(State::of(&root, path), State::Other);
        fs::remove_file(root.at(path)).unwrap();
        let _listener = UnixListener::bind(root.at(path)).unwrap();
        fs::set_permissions(root.at(path), fs::Permissions::from_mode(0o640)).unwrap();
        let State::There { owned, is_writable } = State::of(&root, path) else {
            panic!("it is there");
        };
        assert_eq!((owned.mode, is_writable), (0o640, true));
    }
}
