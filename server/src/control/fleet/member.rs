//! One server of the fleet: who it is, when its heartbeats came, and what was in the last one.

use std::net::IpAddr;

use srs_api::{Heartbeat, Server, ServerState};

use super::FleetError;
use super::figures::Figures;

/// A server. Times are milliseconds as the roster counts them.
#[derive(Clone, Debug)]
pub(super) struct Member {
    pub ip: String,
    pub peer: String,
    pub is_late: bool,
    pub first_seen: i64,
    pub last_seen: i64,
    /// The times between the last heartbeats, the newest last; 0 where there was none yet.
    gaps: [i64; 3],
    pub beats: u64,
    figures: Figures,
}

/// A heartbeat whose names are right.
#[derive(Clone, Debug)]
pub(super) struct Beat {
    /// What the server is known by: its own name, or its address if it has none.
    pub name: String,
    ip: String,
    peer: String,
    figures: Figures,
}

impl Beat {
    pub(super) fn new(heartbeat: Heartbeat, peer: Option<IpAddr>) -> Result<Self, FleetError> {
        check("device_id", &heartbeat.device_id, MOST_NAME)?;
        check("ip", &heartbeat.ip, MOST_IP)?;
        let peer = peer.map_or_else(String::new, |peer| peer.to_canonical().to_string());
        let first_of = |names: [&str; 3]| {
            let mut names = names.into_iter().map(str::trim);
            names.find(|name| !name.is_empty()).map(str::to_owned)
        };
        Ok(Self {
            name: first_of([&heartbeat.device_id, &peer, &heartbeat.ip])
                .ok_or(FleetError::Unnamed)?,
            ip: first_of([&heartbeat.ip, &peer, ""]).unwrap_or_default(),
            peer,
            figures: heartbeat
                .summaries
                .map(|summaries| Figures::of(&summaries.data))
                .unwrap_or_default(),
        })
    }
}

impl Member {
    /// A server whose first heartbeat this is.
    pub(super) fn new(beat: Beat, now: i64) -> Self {
        Self {
            ip: beat.ip,
            peer: beat.peer,
            is_late: false,
            first_seen: now,
            last_seen: now,
            gaps: [0; 3],
            beats: 1,
            figures: beat.figures,
        }
    }

    /// Takes in one more heartbeat.
    pub(super) fn beat(&mut self, beat: Beat, now: i64) {
        let [_, second, third] = self.gaps;
        // Never 0, which stands for none.
        self.gaps = [second, third, now.saturating_sub(self.last_seen).max(1)];
        self.ip = beat.ip;
        self.peer = beat.peer;
        self.is_late = false;
        self.last_seen = self.last_seen.max(now);
        self.beats = self.beats.saturating_add(1);
        self.figures = beat.figures;
    }

    /// A server that was kept over a restart, `None` if it cannot be one. Ages survive as they
    /// were, however the clock of the host has been set since; times in the future are now.
    pub(super) fn restore(kept: &Server, now: i64, unix_millis: i64) -> Option<(String, Self)> {
        check("device_id", &kept.device_id, MOST_NAME).ok()?;
        check("ip", &kept.ip, MOST_IP).ok()?;
        check("peer", &kept.peer, MOST_IP).ok()?;
        if kept.device_id.is_empty() {
            return None;
        }
        let at = |time_ms: i64| now.saturating_sub(unix_millis.saturating_sub(time_ms).max(0));
        let last_seen = at(kept.last_seen_ms);
        let interval = kept.interval.clamp(0.0, MOST_INTERVAL);
        let member = Self {
            ip: kept.ip.clone(),
            peer: kept.peer.clone(),
            is_late: kept.state == ServerState::Late,
            first_seen: at(kept.first_seen_ms).min(last_seen),
            last_seen,
            gaps: [0, 0, millis(interval)],
            beats: kept.beats.max(1),
            figures: Figures::of_kept(kept),
        };
        Some((kept.device_id.clone(), member))
    }

    /// The usual time between its heartbeats, 0 before it is known: of the last three the middle
    /// one, so that neither a restart nor an outage counts.
    pub(super) fn interval(&self) -> i64 {
        let mut gaps = self.gaps;
        gaps.sort_unstable();
        match gaps {
            [0, 0, only] => only,
            [0, shorter, _] => shorter,
            [_, middle, _] => middle,
        }
    }

    /// How long its last heartbeat is ago.
    pub(super) fn age(&self, now: i64) -> i64 {
        now.saturating_sub(self.last_seen).max(0)
    }

    /// As the API shows it.
    pub(super) fn server(&self, name: &str, now: i64, unix_millis: i64) -> Server {
        // By ages, not by the clock of then, which may have been set since.
        let at = |time: i64| unix_millis.saturating_sub(now.saturating_sub(time).max(0));
        let figures = self.figures.clone();
        Server {
            device_id: name.to_owned(),
            ip: self.ip.clone(),
            peer: self.peer.clone(),
            state: if self.is_late {
                ServerState::Late
            } else {
                ServerState::Up
            },
            first_seen_ms: at(self.first_seen),
            last_seen_ms: at(self.last_seen),
            age: seconds(self.age(now)),
            interval: seconds(self.interval()),
            beats: self.beats,
            version: figures.version,
            uptime: figures.uptime,
            streams: figures.streams,
            clients: figures.clients,
            recv_kbps: figures.recv_kbps,
            send_kbps: figures.send_kbps,
            cpu_percent: figures.cpu_percent,
            mem_kbyte: figures.mem_kbyte,
        }
    }
}

fn check(field: &'static str, text: &str, most: usize) -> Result<(), FleetError> {
    if text.len() > most {
        return Err(FleetError::TooLong { field, most });
    }
    if text.chars().any(char::is_control) {
        return Err(FleetError::Unprintable { field });
    }
    Ok(())
}

fn seconds(millis: i64) -> f64 {
    millis as f64 / 1_000.0
}

#[expect(
    clippy::cast_possible_truncation,
    reason = "a float becomes the nearest number that there is, and NaN 0"
)]
fn millis(seconds: f64) -> i64 {
    (seconds * 1_000.0) as i64
}

/// A host name has 253 bytes at most.
const MOST_NAME: usize = 256;
/// An IPv6 address with the name of an interface.
const MOST_IP: usize = 64;
/// A day, in seconds.
const MOST_INTERVAL: f64 = 86_400.0;

#[cfg(test)]
mod tests {
    use super::*;

    fn heartbeat(device_id: &str, ip: &str) -> Heartbeat {
        Heartbeat {
            device_id: device_id.to_owned(),
            ip: ip.to_owned(),
            summaries: None,
        }
    }

    #[test]
    fn a_server_is_known_by_its_name_or_else_by_its_address() {
        let peer: Option<IpAddr> = Some("::ffff:192.0.2.7".parse().unwrap());
        for (device_id, ip, peer, expected) in [
            ("edge", "10.0.0.1", peer, Ok(("edge", "10.0.0.1"))),
            (" edge ", "", peer, Ok(("edge", "192.0.2.7"))),
            ("", "10.0.0.1", peer, Ok(("192.0.2.7", "10.0.0.1"))),
            (" ", "10.0.0.1", None, Ok(("10.0.0.1", "10.0.0.1"))),
            ("", "", None, Err(FleetError::Unnamed)),
        ] {
            let beat = Beat::new(heartbeat(device_id, ip), peer);
            let known = beat
                .as_ref()
                .map(|beat| (beat.name.as_str(), beat.ip.as_str()));
            assert_eq!(
                known,
                expected.as_ref().map(|known| *known),
                "{device_id:?}"
            );
        }
    }

    #[test]
    fn names_are_bounded_and_printable() {
        let long = "x".repeat(MOST_NAME);
        assert!(Beat::new(heartbeat(&long, ""), None).is_ok());
        let too_long = |field, most| FleetError::TooLong { field, most };
        let unprintable = |field| FleetError::Unprintable { field };
        let too_long_ip = "1".repeat(MOST_IP + 1);
        for (device_id, ip, expected) in [
            (&*format!("{long}x"), "", too_long("device_id", MOST_NAME)),
            ("a\u{1b}[2J", "", unprintable("device_id")),
            ("a", "1\n2", unprintable("ip")),
            ("a", &too_long_ip, too_long("ip", MOST_IP)),
        ] {
            let error = Beat::new(heartbeat(device_id, ip), None).unwrap_err();
            assert_eq!(error, expected, "{device_id:?} {ip:?}");
        }
    }

    #[test]
    fn the_usual_interval_counts_neither_restarts_nor_outages() {
        let beat = || Beat::new(heartbeat("edge", ""), None).unwrap();
        let mut member = Member::new(beat(), 0);
        assert_eq!(member.interval(), 0);
        let mut now = 0;
        let mut after = |gap| {
            now += gap;
            member.beat(beat(), now);
            member.interval()
        };
        assert_eq!(after(600), 600, "all that is known");
        assert_eq!(after(10), 10);
        assert_eq!(after(10), 10);
        assert_eq!(after(600), 10);
        assert_eq!(after(10), 10);
        assert_eq!(after(1), 10);
        assert_eq!(after(10), 10);
        assert_eq!(after(20), 10);
        assert_eq!(after(20), 20, "a new interval");
    }
}
