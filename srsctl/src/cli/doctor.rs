//! The arguments of `srsctl doctor`.

use std::path::PathBuf;

use clap::Args;

use super::ApiOptions;

/// Check this host, and say how to mend what is not as it should be
///
/// Looked at are the configuration and who can read it, the units of systemd, the server that runs,
/// the ports that it is to listen at, the API's socket and who may use it, the limit of open files,
/// the disks that it writes to, the clock, settings of the kernel, firewalls, and ffmpeg. Nothing is
/// changed. It works with a server and without one; what only root may see is said, and not
/// guessed.
///
/// A line a check says what was seen. Where something is to be done, what and by which commands
/// stands below it. An ok is as it should be, a note is worth knowing, with a warning it serves and
/// will not do so well or for long, and a problem keeps it from serving as it was told to. Then, and
/// only then, the exit status is 7.
///
/// A server elsewhere, named with --server, is compared by version and clock alone: its own host is
/// checked there.
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Doctor {
    /// The configuration to check; else the file of the server that runs here, else
    /// /etc/srs/srs.toml
    #[arg(short, long, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) api: ApiOptions,
}

#[cfg(test)]
impl Doctor {
    /// Whether the help has that finding of that check.
    pub(crate) fn documents(check: &str, id: &str) -> bool {
        let (_, findings) = EXAMPLES
            .split_once("Findings:\n")
            .expect("they are documented");
        // The ids of a check go on in lines without a name.
        let mut current = "";
        findings.lines().any(|line| {
            if let Some(name) = line
                .get(2..13)
                .map(str::trim)
                .filter(|name| !name.is_empty())
            {
                current = name;
            }
            let mut ids = line.get(13..).unwrap_or_default().split([',', ' ']);
            current == check && (id == check || ids.any(|known| known == id))
        })
    }
}

const EXAMPLES: &str = "\
JSON:
  {\"level\": ..., \"problems\": N, \"warnings\": N, \"notes\": N, \"findings\": [...]}
  The level is the worst of the findings, which are in the order of the checks. Each has
    check     its name, as in ports
    id        what was found, as in port-taken; that of an ok is the name of the check
    level     ok, note, warning or problem
    seen      what was seen, for people
    mend      what to do, for people; absent where the commands say it
    commands  what to type for that; empty if there is nothing to type
  These names stay as they are, and so do the ids; there may be more of them.

Findings:
  config       configuration-invalid, configuration-unreadable, configuration-hidden,
               configuration-assumed, configuration-warning, configuration-closed,
               configuration-elsewhere, configuration-exposed
  units        no-systemd, systemd-silent, unit-missing, unit-masked, unit-broken, unit-inactive,
               unit-disabled, unit-changed, unit-restarting, unit-restarted, unit-start-limit,
               unit-failed, unit-failed-configuration, unit-failed-watchdog, unit-failed-memory,
               unit-socket-failed
  server       server-absent, server-not-asked, server-silent, server-degraded, api-silent,
               clients-scarce, version-differs, program-replaced
  ports        port-taken, port-unknown, port-privileged, port-not-served, port-wider,
               port-unnamed, ports-unknown, address-not-here, ipv6-off
  api-socket   api-socket-none, api-socket-missing, api-socket-hidden, api-socket-obstructed,
               api-socket-open, api-socket-group, api-socket-stale, api-socket-refused
  descriptors  descriptors-few, descriptors-too-few, descriptors-scarce
  disk         disk-full, disk-scarce, disk-no-inodes, disk-few-inodes, disk-read-only,
               disk-volatile, folder-missing, folder-closed, log-folder-missing
  clock        clock-unset, clock-unsynchronised, clock-unknown, clock-containers, clock-skew
  kernel       backlog-small, backlog-overflows, send-buffer-capped, send-buffer-small,
               conntrack-small
  firewall     firewall-closed, firewall-hidden, firewall-silent
  ffmpeg       ffmpeg-missing, ffmpeg-broken, ffmpeg-incomplete

Examples:
  srsctl doctor
  sudo srsctl doctor
  srsctl doctor --config new.toml
  srsctl doctor -o json | jq -r '.findings[] | select(.level == \"problem\") | .id'";
