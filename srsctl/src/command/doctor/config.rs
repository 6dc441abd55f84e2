//! The configuration: that it is one, that the server can read it, and that others cannot read its
//! secrets.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use srs_config::{Config, DEFAULT_PATH, Error, Source};

use super::accounts::{Account, GROUP, Owned, USER};
use super::finding::{Finding, quoted};
use super::host::Host;
use super::read::Root;
use super::server::Server;
use crate::output::units::plural;

/// What is known of the configuration.
#[derive(Clone, Debug, Default)]
pub(super) struct Configuration {
    /// The main file.
    pub(super) path: PathBuf,
    /// Its files and the folders that lead there.
    pub(super) files: Vec<Place>,
    /// What is wrong with it.
    pub(super) faults: Vec<Fault>,
    /// What is worth knowing, though no mistake.
    pub(super) warnings: Vec<String>,
    /// What counts for the other checks: the configuration; if it is none that of the server that
    /// runs, or else the built-in one.
    pub(super) config: Config,
    /// Where that is from, if it is not from the files.
    pub(super) instead: Option<&'static str>,
}

/// A file, or a folder on the way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) path: PathBuf,
    pub(super) owned: Owned,
    pub(super) is_folder: bool,
}

/// Why a configuration is none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Fault {
    /// Who asks may not read the file.
    Hidden(PathBuf),
    /// A mistake, with line and column, and what would be right.
    Mistake { seen: String, help: String },
    /// Anything else.
    Other(String),
}

impl Fault {
    fn is_hidden(&self) -> bool {
        matches!(self, Self::Hidden(_))
    }
}

impl Configuration {
    /// Reads the file, else that of the server that runs here, else the default one.
    pub(super) fn read(file: Option<&Path>, server: &Server, root: &Root) -> Self {
        let running = server.here().and_then(|running| running.config.as_ref());
        let path = match (file, running) {
            (Some(file), _) => Some(file.to_owned()),
            (None, Some(running)) => running.files.first().map(PathBuf::from),
            (None, None) => None,
        };
        let is_fileless = file.is_none() && running.is_some_and(|it| it.files.is_empty());
        let has_default = fs::symlink_metadata(DEFAULT_PATH).is_ok();
        let running = running.and_then(|it| Config::parse(&it.toml, "the server").ok());
        if let (Some(config), true) = (&running, is_fileless) {
            return Self {
                config: config.clone(),
                instead: Some("the configuration of the running server, which reads no file"),
                ..Self::default()
            };
        }
        let source = Source::of_file(path.clone());
        let (config, warnings, files, faults) = match source.load() {
            Ok(loaded) => (Some(loaded.config), loaded.warnings, loaded.files, vec![]),
            Err(error) => (None, vec![], vec![], faults(&error)),
        };
        let path = path.unwrap_or_else(|| DEFAULT_PATH.into());
        let instead = match (&config, &running) {
            (Some(_), _) if files.is_empty() && !has_default => {
                Some("the built-in configuration, as there is no /etc/srs/srs.toml")
            }
            (Some(_), _) => None,
            (None, Some(_)) => Some("the configuration of the running server"),
            (None, None) => Some("the built-in configuration"),
        };
        let files = if files.is_empty() {
            vec![path.clone()]
        } else {
            files
        };
        Self {
            files: places(&files, root),
            path,
            faults,
            warnings,
            config: config.or(running).unwrap_or_default(),
            instead,
        }
    }
}

/// What an error says, one thing at a time.
fn faults(error: &Error) -> Vec<Fault> {
    match error {
        Error::Several(errors) => errors.iter().flat_map(faults).collect(),
        Error::Unreadable { path, cause } if cause.kind() == io::ErrorKind::PermissionDenied => {
            vec![Fault::Hidden(path.clone())]
        }
        Error::Invalid(_) => {
            let mistakes = error.mistakes().iter().map(|mistake| {
                let place = format!("{}:{}:{}", mistake.file(), mistake.line(), mistake.column());
                Fault::Mistake {
                    seen: format!("{place}: {}", mistake.problem()),
                    help: mistake.help().to_owned(),
                }
            });
            mistakes.collect()
        }
        other => vec![Fault::Other(other.to_string())],
    }
}

/// The files, and the folders that lead to them, as far as they can be seen.
fn places(files: &[PathBuf], root: &Root) -> Vec<Place> {
    let mut places: Vec<Place> = Vec::new();
    for file in files {
        for (depth, path) in file.ancestors().enumerate() {
            let is_known = places.iter().any(|place| place.path == path);
            let Ok(metadata) = fs::metadata(root.at(path)) else {
                continue;
            };
            if !is_known && !path.as_os_str().is_empty() {
                places.push(Place {
                    path: path.to_owned(),
                    owned: Owned::of(&metadata),
                    is_folder: depth > 0,
                });
            }
        }
    }
    places
}

/// Whether the configuration is one, and who can read it.
pub(super) fn check(host: &Host) -> Vec<Finding> {
    let configuration = &host.configuration;
    let mut findings = Vec::new();
    let (told, more) = configuration
        .faults
        .split_at(configuration.faults.len().min(MOST_MISTAKES));
    findings.extend(told.iter().map(finding));
    if !more.is_empty() {
        let seen = format!("and {}", plural(more.len(), "more mistake"));
        findings.push(Finding::problem(CHECK, "configuration-invalid", seen));
    }
    if let Some(last) = findings.pop() {
        let path = quoted(&configuration.path);
        findings.push(match configuration.faults.as_slice() {
            // Who may not read one file learns nothing from another look at it.
            faults if faults.iter().all(Fault::is_hidden) => {
                last.command(format!("sudo srsctl doctor --config {path}"))
            }
            faults if faults.iter().any(Fault::is_hidden) => {
                last.command(format!("sudo srsctl config check {path}"))
            }
            _ => last.command(format!("srsctl config check {path}")),
        });
        let assumed = configuration
            .instead
            .unwrap_or("the built-in configuration");
        let seen = format!("the checks below go by {assumed}");
        findings.push(Finding::note(CHECK, "configuration-assumed", seen));
    }
    for warning in &configuration.warnings {
        findings.push(Finding::warning(CHECK, "configuration-warning", warning));
    }
    if let Some(service) = host.account() {
        findings.extend(unreadable(&configuration.files, service));
    }
    findings.extend(exposed(host));
    if findings.is_empty() {
        let seen = match configuration.instead {
            Some(instead) => format!("{instead}: valid"),
            None => {
                let files = configuration.files.iter().filter(|place| !place.is_folder);
                match files.count() {
                    0 | 1 => format!("{} is valid", configuration.path.display()),
                    files => format!(
                        "{} is valid, with {} beside it",
                        configuration.path.display(),
                        plural(files - 1, "more file")
                    ),
                }
            }
        };
        findings.push(Finding::ok(CHECK, seen));
    }
    findings
}

fn finding(fault: &Fault) -> Finding {
    match fault {
        Fault::Hidden(path) => {
            let seen = format!("{}: you may not read it", path.display());
            Finding::note(CHECK, "configuration-hidden", seen)
        }
        Fault::Mistake { seen, help } => {
            let finding = Finding::problem(CHECK, "configuration-invalid", seen);
            if help.is_empty() {
                finding
            } else {
                finding.mend(help)
            }
        }
        Fault::Other(message) => Finding::problem(CHECK, "configuration-unreadable", message),
    }
}

/// The first place that keeps the server from its files.
fn unreadable(places: &[Place], service: &Account) -> Option<Finding> {
    let closed = |place: &&Place| {
        let bits = if place.is_folder { 1 } else { 4 };
        !place.owned.lets(service, bits)
    };
    // A closed folder comes before what is in it, and the root before all.
    let place = places.iter().filter(closed).min_by_key(|place| {
        let depth = place.path.components().count();
        (!place.is_folder, depth)
    })?;
    let seen = format!(
        "{}: the user {USER} cannot read it (mode {:04o})",
        place.path.display(),
        place.owned.mode
    );
    // What lies elsewhere is somebody's own, and a server that runs reads it as somebody else.
    if !place.path.starts_with(PACKAGED) {
        let finding = Finding::note(CHECK, "configuration-elsewhere", seen);
        return Some(finding.mend(format!("for srs.service it belongs below {PACKAGED}")));
    }
    let mode = if place.is_folder { "0750" } else { "0640" };
    let path = quoted(&place.path);
    let finding = Finding::problem(CHECK, "configuration-closed", seen);
    Some(finding.command(format!(
        "sudo chgrp {GROUP} {path} && sudo chmod {mode} {path}"
    )))
}

/// A secret that everybody on the host can read.
fn exposed(host: &Host) -> Option<Finding> {
    let configuration = &host.configuration;
    let api = &configuration.config.http_api;
    if (api.token.is_none() && api.password.is_none()) || configuration.instead.is_some() {
        return None;
    }
    let (files, folders): (Vec<_>, Vec<_>) = configuration
        .files
        .iter()
        .partition(|place| !place.is_folder);
    let is_open = |place: &&&Place, bit: u32| place.owned.mode & bit == bit;
    if folders.iter().any(|folder| !is_open(&folder, 1)) {
        return None;
    }
    let file = files.iter().find(|file| is_open(file, 4))?;
    let seen = format!(
        "{}: everybody on this host can read it (mode {:04o}), and the configuration has a \
         secret of http_api",
        file.path.display(),
        file.owned.mode
    );
    let finding = Finding::warning(CHECK, "configuration-exposed", seen);
    let path = quoted(&file.path);
    Some(finding.command(match host.accounts.operators {
        Some(_) => format!("sudo chgrp {GROUP} {path} && sudo chmod 0640 {path}"),
        None => format!("sudo chmod 0600 {path}"),
    }))
}

const CHECK: &str = "config";
/// Where the packages have it.
const PACKAGED: &str = "/etc/srs";
/// More are told by srsctl config check.
const MOST_MISTAKES: usize = 5;

#[cfg(test)]
mod tests {
    use super::super::server::Running;
    use super::*;

    fn place(path: &str, mode: u32, is_folder: bool) -> Place {
        Place {
            path: path.into(),
            owned: Owned {
                uid: 0,
                gid: 0,
                mode,
            },
            is_folder,
        }
    }

    fn service() -> Account {
        Account {
            name: USER.into(),
            uid: 990,
            groups: vec![991],
        }
    }

    #[test]
    fn the_server_must_get_to_its_files() {
        let cases = [
            (0o755, 0o644, None),
            (0o755, 0o640, Some("/etc/srs/srs.toml")),
            (0o700, 0o640, Some("/etc/srs")),
        ];
        for (folder, file, expected) in cases {
            let places = [
                place("/etc/srs/srs.toml", file, false),
                place("/etc/srs", folder, true),
                place("/", 0o755, true),
            ];
            let found = unreadable(&places, &service());
            assert!(found.iter().all(|it| it.id == "configuration-closed"));
            match (&found, expected) {
                (None, None) => {}
                (Some(found), Some(path)) => assert!(found.seen.starts_with(&format!("{path}:"))),
                _ => panic!("{found:?} {expected:?}"),
            }
        }
    }

    #[test]
    fn nobody_is_told_to_open_a_folder_of_his_own() {
        let places = [
            place("/root/srs.toml", 0o600, false),
            place("/root", 0o700, true),
        ];
        let found = unreadable(&places, &service()).unwrap();
        assert_eq!(found.id, "configuration-elsewhere");
        assert_eq!(found.commands, Vec::<String>::new());
    }

    #[test]
    fn a_secret_is_for_the_server_alone() {
        let config = "http_api.listen = \"1985\"\nhttp_api.token = \"geheim\"\n";
        let config = Config::parse(config, "the test").unwrap();
        let of = |folder, file, config: &Config| {
            let configuration = Configuration {
                path: "/etc/srs/srs.toml".into(),
                files: vec![
                    place("/etc/srs/srs.toml", file, false),
                    place("/etc/srs", folder, true),
                ],
                config: config.clone(),
                ..Configuration::default()
            };
            Host {
                configuration,
                ..Host::well()
            }
        };
        assert!(exposed(&of(0o755, 0o644, &config)).is_some());
        assert!(exposed(&of(0o755, 0o640, &config)).is_none());
        assert!(exposed(&of(0o750, 0o644, &config)).is_none());
        assert!(exposed(&of(0o755, 0o644, &Config::default())).is_none());
    }

    #[test]
    fn mistakes_are_told_with_their_places() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("srs.toml");
        fs::write(&file, "lisen = [\"1935\"]\nmax_connections = 0\n").unwrap();
        let configuration = Configuration::read(Some(&file), &Host::well().server, &Root::host());
        let host = Host {
            configuration,
            ..Host::well()
        };
        let findings = check(&host);
        let ids: Vec<_> = findings.iter().map(|finding| finding.id).collect();
        let invalid = "configuration-invalid";
        assert_eq!(ids, [invalid, invalid, "configuration-assumed"]);
        assert!(
            findings[0]
                .seen
                .contains("srs.toml:1:1: unknown key `lisen`")
        );
        assert!(findings[0].mend.as_ref().unwrap().contains("listen"));
        assert_eq!(findings[0].commands, Vec::<String>::new());
        let check = format!("srsctl config check {}", file.display());
        assert_eq!(findings[1].commands, [check], "once for all");
    }

    #[test]
    fn who_may_not_read_the_files_is_sent_to_root() {
        let hidden = |path: &str| Fault::Hidden(path.into());
        let mistake = Fault::Other("wrong".into());
        for (faults, expected) in [
            (
                vec![hidden("/etc/srs/srs.toml")],
                "sudo srsctl doctor --config /etc/srs/srs.toml",
            ),
            (
                vec![hidden("/etc/srs/srs.toml"), hidden("/etc/srs/conf.d")],
                "sudo srsctl doctor --config /etc/srs/srs.toml",
            ),
            (
                vec![hidden("/etc/srs/conf.d"), mistake.clone()],
                "sudo srsctl config check /etc/srs/srs.toml",
            ),
            (vec![mistake], "srsctl config check /etc/srs/srs.toml"),
        ] {
            let host = Host {
                configuration: Configuration {
                    path: DEFAULT_PATH.into(),
                    faults,
                    ..Configuration::default()
                },
                ..Host::well()
            };
            let commands: Vec<_> = check(&host)
                .into_iter()
                .flat_map(|it| it.commands)
                .collect();
            assert_eq!(commands, [expected]);
        }
    }

    #[test]
    fn one_file_more_is_one_file() {
        let files = |names: &[&str]| Host {
            configuration: Configuration {
                path: DEFAULT_PATH.into(),
                files: names.iter().map(|it| place(it, 0o644, false)).collect(),
                ..Configuration::default()
            },
            ..Host::well()
        };
        let host = files(&[DEFAULT_PATH, "/etc/srs/conf.d/a.toml"]);
        let expected = "/etc/srs/srs.toml is valid, with 1 more file beside it";
        assert_eq!(check(&host)[0].seen, expected);
        let host = files(&[
            DEFAULT_PATH,
            "/etc/srs/conf.d/a.toml",
            "/etc/srs/conf.d/b.toml",
        ]);
        assert!(
            check(&host)[0]
                .seen
                .ends_with("with 2 more files beside it")
        );
    }

    #[test]
    fn without_files_what_the_server_runs_counts() {
        let config = srs_api::RunningConfig {
            files: Vec::new(),
            generation: 1,
            toml: "max_connections = 77\n".into(),
            log: srs_api::LogPlace::Console,
        };
        let server = Server::Running(Box::new(Running {
            is_local: true,
            config: Some(config),
            ..Running::default()
        }));
        let read = Configuration::read(None, &server, &Root::host());
        assert_eq!(read.config.max_connections, 77);
        assert_eq!(read.faults, []);
        let elsewhere = Server::Running(Box::default());
        let file = Path::new("/nonexistent/srs.toml");
        let read = Configuration::read(Some(file), &elsewhere, &Root::host());
        assert!(
            matches!(read.faults.as_slice(), [Fault::Other(_)]),
            "{read:?}"
        );
        assert_eq!(read.config, Config::default());
    }
}
