//! All that is known of the host: the checks look at nothing else.

use std::path::Path;

use super::accounts::{Account, Accounts};
use super::api_socket::ApiSocket;
use super::clock::Clock;
use super::config::Configuration;
use super::descriptors::Limit;
use super::disks::Folder;
use super::ffmpeg::Ffmpeg;
use super::finding::Finding;
use super::firewall::Firewall;
use super::kernel::Kernel;
use super::ports::Ports;
use super::read::{self, Root};
use super::server::Server;
use super::units::Systemd;
use super::{
    api_socket, clock, config, descriptors, disks, ffmpeg, firewall, kernel, ports, server, units,
};

/// What was read.
#[derive(Clone, Debug)]
pub(super) struct Host {
    pub(super) accounts: Accounts,
    pub(super) server: Server,
    pub(super) configuration: Configuration,
    pub(super) systemd: Systemd,
    pub(super) descriptors: Limit,
    pub(super) ports: Ports,
    pub(super) api_sockets: Vec<ApiSocket>,
    pub(super) folders: Vec<Folder>,
    pub(super) clock: Clock,
    pub(super) kernel: Kernel,
    pub(super) firewall: Firewall,
    pub(super) ffmpeg: Option<Ffmpeg>,
    /// Whether packages are installed with apt.
    pub(super) has_apt: bool,
}

impl Host {
    /// Reads the rest of it. `file` is the configuration, if one is named.
    pub(super) fn read(server: Server, systemd: Systemd, file: Option<&Path>) -> Self {
        let root = Root::host();
        let configuration = Configuration::read(file, &server, &root);
        let accounts = Accounts::read(&root);
        let config = &configuration.config;
        let pid = server.here().map(|running| running.pid);
        let folder = disks::working_folder(&root, &server, &systemd);
        Self {
            descriptors: Limit::read(&root, pid),
            ports: Ports::read(&root, config, &systemd),
            api_sockets: ApiSocket::read(&root, config, &systemd),
            folders: Folder::read(&root, config, folder.as_deref()),
            clock: Clock::read(&root),
            kernel: Kernel::read(&root),
            firewall: Firewall::read(&root, &systemd, accounts.is_root()),
            ffmpeg: Ffmpeg::read(),
            has_apt: read::program("apt").is_some(),
            accounts,
            server,
            systemd,
            configuration,
        }
    }

    /// The user that the server runs as, if it is the one of the packages.
    pub(super) fn account(&self) -> Option<&Account> {
        let service = self.accounts.service.as_ref()?;
        let running = self.server.here().and_then(|running| running.uid);
        running
            .is_none_or(|uid| uid == service.uid)
            .then_some(service)
    }

    /// What all checks find, in the order in which one would look.
    pub(super) fn check(&self) -> Vec<Finding> {
        let checks = [
            config::check,
            units::check,
            server::check,
            ports::check,
            api_socket::check,
            descriptors::check,
            disks::check,
            clock::check,
            kernel::check,
            firewall::check,
            ffmpeg::check,
        ];
        let findings = checks.into_iter().flat_map(|check| check(self));
        if self.accounts.is_root() {
            findings.map(Finding::for_root).collect()
        } else {
            findings.collect()
        }
    }

    /// A host where all is well, no server runs, and ann asks.
    #[cfg(test)]
    pub(super) fn well() -> Self {
        use super::server::Absence;

        let mut accounts = Accounts::default();
        accounts.me = Account {
            name: "ann".into(),
            uid: 1000,
            groups: vec![1000],
        };
        accounts.service = Some(Account {
            name: "srs".into(),
            uid: 990,
            groups: vec![991],
        });
        accounts.operators = Some(991);
        Self {
            accounts,
            server: Server::Absent {
                why: Absence::None,
                message: String::new(),
            },
            configuration: Configuration::default(),
            systemd: Systemd::Absent,
            descriptors: Limit {
                of_server: None,
                of_manager: None,
                of_shell: 1 << 20,
            },
            ports: Ports {
                listening: Some(Vec::new()),
                has_ipv6: true,
                ..Ports::default()
            },
            api_sockets: Vec::new(),
            folders: Vec::new(),
            clock: Clock {
                now_ms: 1_790_000_000_000,
                synchronised: Some((true, "timedatectl")),
                is_containers: false,
            },
            kernel: Kernel {
                backlog: Some(4096),
                send_buffer: Some(212_992),
                own_send_buffer: Some(4_194_304),
                tracked: None,
                overflows: 0,
            },
            firewall: Firewall::Off,
            ffmpeg: Some(Ffmpeg {
                path: "/usr/bin/ffmpeg".into(),
                version: Some("7".into()),
                missing: Vec::new(),
            }),
            has_apt: true,
        }
    }
}
