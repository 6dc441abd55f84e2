//! What the events that matter are known by: the journal's `MESSAGE_ID`.
//!
//! An id stays what it is for ever: people filter by it, and `journalctl -x` finds the explanation
//! in the message catalog by it, `packaging/systemd/srs.catalog`. An event names its id like this:
//!
//! ```ignore
//! tracing::info!(message_id = MessageId::Stopped.as_str(), "stopped");
//! ```
//!
//! Only the journal gets it; on the console, in files and in what is kept the line is what it is
//! without. Players that come and go have none: there are too many of them for `journalctl -x` to
//! explain each.

use super::session::{APP, CLIENT, PEER, STREAM, VHOST};

/// An event that an operator may look for, count or be woken by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MessageId {
    /// The configuration is wrong, and the server does not start.
    ConfigRefused,
    /// The server starts.
    Start,
    /// The server cannot start: an address, a file or a limit is in the way.
    StartFailed,
    /// The server stops.
    Stopping,
    /// The server has stopped.
    Stopped,
    /// Something no longer gets on, and systemd is not told that the server is well.
    Watchdog,
    /// A new configuration is in force.
    ReloadDone,
    /// A new configuration was refused; the old one stays in force.
    ReloadFailed,
    /// A publisher begins.
    Publish,
    /// A publisher ends.
    Unpublish,
    /// A connection was closed at once: there are as many as may be.
    ConnectionRefused,
    /// A client may not connect: its vhost, its application or its page.
    ConnectRefused,
    /// A client may not publish.
    PublishRefused,
    /// A client may not play.
    PlayRefused,
    /// A client was cut off: it was too slow, silent, or broke the protocol.
    CutOff,
    /// A connection to the API was closed: there are as many as may be.
    ApiConnectionRefused,
    /// A request of the API did not prove who asks.
    ApiRefused,
    /// More of one source was refused or cut off than has lines of its own.
    MoreRefused,
    /// Connections cannot be accepted, most often for want of descriptors.
    AcceptFailed,
    /// Connections can be accepted again.
    AcceptWorks,
    /// An address is not listened at any more, though it should be.
    ListenerLost,
    /// The API has no place to be served at.
    ApiNotServed,
    /// What is sent to another server does not arrive.
    OutputFailed,
    /// What is sent to another server arrives.
    OutputWorks,
    /// A task panicked: a bug.
    TaskPanicked,
    /// A part of the server failed and is started again.
    PartRestarts,
    /// A server of the fleet is there, or there again.
    ServerSeen,
    /// A server of the fleet is late with its heartbeat.
    ServerLate,
}

impl MessageId {
    /// Each in the order of the declaration, with its id, random as sd-id128(3) wants it, and with
    /// the fields that its entry in the journal always has.
    pub(super) const ALL: [(Self, &'static str, &'static [&'static str]); 28] = [
        (Self::ConfigRefused, "b6be606eab624760a5715c454a60d1c6", &[]),
        (Self::Start, "2c504b1c95d7488b83bc5cd1122173a3", &[]),
        (Self::StartFailed, "e0c25133658a44e0bd2d9d38fcdd2393", &[]),
        (
            Self::Stopping,
            "8c1639e5d2504ebcb341f87a65e191c5",
            &["clients"],
        ),
        (Self::Stopped, "ffe9544ab10544df838e1499acdd3bcc", &[]),
        (Self::Watchdog, "adc50f6124af4c60bdd18432020d821e", &[]),
        (
            Self::ReloadDone,
            "d7094108c0fc4b5ca25df67968cb0e41",
            &[
                "generation",
                "changes",
                "now",
                "new_sessions",
                "restart",
                "millis",
            ],
        ),
        (Self::ReloadFailed, "8c084225d3194bd5a6685aec96c70433", &[]),
        (
            Self::Publish,
            "4abb23f47dac4ea9955aa9fd1893861f",
            &[CLIENT, PEER, VHOST, APP, STREAM, "style"],
        ),
        (
            Self::Unpublish,
            "a6aee9689aeb4c999adf57d90f3a75be",
            &[
                CLIENT, PEER, VHOST, APP, STREAM, "seconds", "packets", "bytes",
            ],
        ),
        (
            Self::ConnectionRefused,
            "f58c61a56ddc4084a1f4e472e9893c75",
            &[PEER],
        ),
        (
            Self::ConnectRefused,
            "f5fa7a298a4c407ea1fb5cd66e617d27",
            &[CLIENT, PEER],
        ),
        (
            Self::PublishRefused,
            "2b9df30fc5d34fa58e81ee52e6e0ffd1",
            &[CLIENT, PEER],
        ),
        (
            Self::PlayRefused,
            "6b165afed9b44620abc1df6f0386e4be",
            &[CLIENT, PEER],
        ),
        (
            Self::CutOff,
            "0c313b0efe6f4f71bf176326c72b3955",
            &[CLIENT, PEER],
        ),
        (
            Self::ApiConnectionRefused,
            "1f14932f1cfd43229eefa80926f80bed",
            &[PEER],
        ),
        (
            Self::ApiRefused,
            "892a546bb284444cb6e6db2642e40c48",
            &[PEER, "method"],
        ),
        (
            Self::MoreRefused,
            "e7f45e7cefb04b5589f34625613d5703",
            &[PEER, "untold"],
        ),
        (Self::AcceptFailed, "c6185a1229c44c609d7a5bf6e6246b02", &[]),
        (Self::AcceptWorks, "5075b0c63cd04226be070c50e185a765", &[]),
        (
            Self::ListenerLost,
            "d603de393bf542cd871e4c6db8b3d25f",
            &["error"],
        ),
        (
            Self::ApiNotServed,
            "91899333da8543c59b898f688d887a88",
            &["error"],
        ),
        (
            Self::OutputFailed,
            "5f77d685e9ef45b7aefc0308101e7f3c",
            &["url"],
        ),
        (
            Self::OutputWorks,
            "8e8dd941e62d4610a3176a99e2c7c6bc",
            &["url"],
        ),
        (
            Self::TaskPanicked,
            "b17388dd386a496a949a492a315d813c",
            &["place"],
        ),
        (Self::PartRestarts, "a1eb552a72794db39ee677baec68d98b", &[]),
        (
            Self::ServerSeen,
            "7ac1b1d3593b4ed68d8ab35cd3e54ab8",
            &["device"],
        ),
        (
            Self::ServerLate,
            "44b0caa9d4ef43678e11a642fbe45d4a",
            &["device"],
        ),
    ];

    /// The id, as an event names it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        Self::ALL[self as usize].1
    }

    /// The one with this id.
    pub(super) fn of(id: &str) -> Option<Self> {
        let found = Self::ALL.iter().find(|(_, known, _)| *known == id)?;
        Some(found.0)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::fs;
    use std::path::{Path, PathBuf};

    use super::*;

    const CATALOG: &str = include_str!("../../../../packaging/systemd/srs.catalog");
    const SESSION: [&str; 5] = [CLIENT, PEER, VHOST, APP, STREAM];

    /// An entry of the catalog.
    struct Entry {
        id: &'static str,
        headers: Vec<(&'static str, &'static str)>,
        text: &'static str,
    }

    fn entries() -> Vec<Entry> {
        let mut entries = Vec::new();
        for entry in format!("\n{CATALOG}").leak().split("\n-- ").skip(1) {
            let (id, rest) = entry.split_once('\n').unwrap();
            let (headers, text) = rest.split_once("\n\n").unwrap();
            let headers = headers.lines().map(|line| line.split_once(": ").unwrap());
            entries.push(Entry {
                id,
                headers: headers.collect(),
                text,
            });
        }
        entries
    }

    /// Names between `@`, of those fields that are ours.
    fn substituted(text: &str) -> impl Iterator<Item = String> {
        let names = text.split('@').skip(1).step_by(2);
        names.map(|name| name.strip_prefix("SRS_").expect(name).to_lowercase())
    }

    #[test]
    fn ids_are_in_the_order_of_the_declaration_random_and_no_two_alike() {
        let mut seen = BTreeSet::new();
        for (place, (id, text, _)) in MessageId::ALL.into_iter().enumerate() {
            assert_eq!(id as usize, place, "{id:?}");
            let is_hex = |c: char| c.is_ascii_digit() || ('a'..='f').contains(&c);
            assert!(text.len() == 32 && text.chars().all(is_hex), "{id:?}");
            // As systemd-id128 makes them: of version 4, and of the variant that has versions.
            assert_eq!(&text[12..13], "4", "{id:?}");
            assert!("89ab".contains(&text[16..17]), "{id:?}");
            assert!(seen.insert(text), "{id:?}");
            assert_eq!(MessageId::of(text), Some(id));
        }
    }

    #[test]
    fn the_catalog_explains_every_id_and_no_other() {
        let entries = entries();
        let explained: Vec<_> = entries.iter().map(|entry| entry.id).collect();
        let ids: Vec<_> = MessageId::ALL.iter().map(|(_, text, _)| *text).collect();
        assert_eq!(explained, ids, "in the same order");
        for entry in &entries {
            let names: Vec<_> = entry.headers.iter().map(|(name, _)| *name).collect();
            assert_eq!(names, ["Subject", "Defined-By", "Documentation"]);
            assert_eq!(entry.headers[1].1, "srs");
            assert!(entry.headers[2].1.starts_with("man:srs"), "{}", entry.id);
            // What it means, and what to do.
            assert!(entry.text.trim().contains("\n\n"), "{}", entry.id);
        }
    }

    #[test]
    fn the_catalog_names_only_fields_that_the_event_has() {
        for (entry, (id, _, fields)) in entries().iter().zip(MessageId::ALL) {
            let subject = entry.headers[0].1;
            for name in substituted(subject).chain(substituted(entry.text)) {
                assert!(fields.contains(&name.as_str()), "{id:?} has no {name}");
            }
        }
    }

    #[test]
    fn what_a_peer_has_chosen_stands_in_no_command_and_unchecked_nowhere() {
        for entry in entries() {
            let commands = entry.text.lines().filter(|line| line.starts_with("    "));
            for name in commands.flat_map(substituted) {
                assert_eq!(name, CLIENT, "somebody copies it into a shell");
            }
            // journalctl shows it as it is. Names of streams have no control characters.
            let unchecked = ["path", "why"];
            let mut names = substituted(entry.text);
            assert!(!names.any(|name| unchecked.contains(&name.as_str())));
        }
    }

    /// The sources below `folder` by their paths, without the modules of logging.
    fn sources(folder: &Path, found: &mut Vec<(PathBuf, String)>) {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.ends_with("control/logging") {
                continue;
            } else if path.is_dir() {
                sources(&path, found);
            } else {
                let source = fs::read_to_string(&path).unwrap();
                found.push((path, source));
            }
        }
    }

    /// The fields of each event in `source` that names `id`.
    fn events(id: MessageId, source: &str) -> Vec<Vec<&str>> {
        let naming = format!("MessageId::{id:?}.as_str()");
        let of_event = |(place, _)| {
            let start = source[..place].rfind("tracing::").unwrap();
            // They stand before the message, which has no field behind it.
            let end = place + source[place..].find('"').unwrap();
            let arguments = source[start..end].split([',', '(']);
            let names = arguments.map(|it| it.split_once(" = ").map_or(it, |(name, _)| name));
            let names = names.map(|it| it.trim().trim_start_matches('%'));
            names.collect()
        };
        source.match_indices(&naming).map(of_event).collect()
    }

    #[test]
    fn every_id_has_its_event_and_that_has_the_fields() {
        let mut found = Vec::new();
        sources(
            &Path::new(env!("CARGO_MANIFEST_DIR")).join("src"),
            &mut found,
        );
        for (id, _, fields) in MessageId::ALL {
            let mut is_told = false;
            for (path, source) in &found {
                // Whatever is told there is told in the span of a client.
                let is_of_client = path.to_string_lossy().contains("/listen/rtmp");
                for event in events(id, source) {
                    is_told = true;
                    for field in fields {
                        let is_known = is_of_client && SESSION.contains(field);
                        assert!(is_known || event.contains(field), "{id:?}: {field}");
                    }
                }
            }
            assert!(is_told, "{id:?}");
        }
    }

    #[test]
    fn the_manual_lists_every_id() {
        let manual = include_str!("../../../../man/srs.8");
        let listed = manual
            .lines()
            .filter_map(|line| line.strip_prefix(".It Dv "));
        let is_id = |it: &&str| it.len() == 32 && it.chars().all(|c| c.is_ascii_hexdigit());
        let ids = MessageId::ALL.map(|(_, text, _)| text);
        assert_eq!(listed.filter(is_id).collect::<Vec<_>>(), ids);
    }
}
