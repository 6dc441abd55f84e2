//! Who is in the fleet, without clock, file or log.

use std::collections::{BTreeMap, btree_map};
use std::fmt;
use std::net::IpAddr;
use std::time::Duration;

use srs_api::{Heartbeat, Server};

use super::FleetError;
use super::member::{Beat, Member};
use crate::config::FleetConfig;

/// The servers by name. Times are milliseconds since some moment, and never go back.
#[derive(Debug)]
pub(super) struct Roster {
    config: FleetConfig,
    members: BTreeMap<String, Member>,
    /// Since when heartbeats could come. While this server itself was away, nobody was silent.
    since: i64,
    /// Whether there is something that the file does not have.
    has_changed: bool,
    /// Until then it makes no sense to look for room again.
    full_until: i64,
    /// Until then enough has been said about its being full.
    quiet_until: i64,
}

/// What has changed about a server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum News {
    /// It is new.
    First { name: String, ip: String },
    /// It was late, and is not any more.
    Back { name: String, after: Duration },
    /// Its heartbeat is late.
    Late { name: String, age: Duration },
    /// It is not known any more.
    Forgotten { name: String, age: Duration },
}

impl fmt::Display for News {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::First { name, ip } if ip.is_empty() || name == ip => {
                write!(f, "server {name} is new in the fleet")
            }
            Self::First { name, ip } => write!(f, "server {name} at {ip} is new in the fleet"),
            Self::Back { name, after } => {
                write!(f, "server {name} is back after {} s", after.as_secs())
            }
            Self::Late { name, age } => {
                let age = age.as_secs();
                write!(f, "server {name} is late: no heartbeat for {age} s")
            }
            Self::Forgotten { name, age } => {
                let age = age.as_secs();
                write!(f, "server {name} is forgotten: no heartbeat for {age} s")
            }
        }
    }
}

impl Roster {
    pub(super) fn new(config: FleetConfig) -> Self {
        Self {
            config,
            members: BTreeMap::new(),
            since: 0,
            has_changed: false,
            full_until: i64::MIN,
            quiet_until: i64::MIN,
        }
    }

    /// Puts other settings in force. Servers beyond a smaller `max_servers` leave, those first
    /// whose heartbeats are the oldest; a fleet that is not wanted any more is empty.
    pub(super) fn configure(&mut self, config: FleetConfig) {
        if !config.enabled {
            self.members.clear();
            self.has_changed = false;
        }
        self.config = config;
        self.full_until = i64::MIN;
        self.shrink();
    }

    /// Takes in a heartbeat.
    pub(super) fn beat(
        &mut self,
        heartbeat: Heartbeat,
        peer: Option<IpAddr>,
        now: i64,
    ) -> Result<(String, Option<News>), FleetError> {
        if !self.config.enabled {
            return Err(FleetError::Disabled);
        }
        let beat = Beat::new(heartbeat, peer)?;
        let name = beat.name.clone();
        if let Some(member) = self.members.get_mut(&name) {
            let was_late = member.is_late;
            let after = duration(member.age(now));
            member.beat(beat, now);
            self.has_changed = true;
            let news = was_late.then(|| News::Back {
                name: name.clone(),
                after,
            });
            return Ok((name, news));
        }
        self.make_room(now)?;
        let member = Member::new(beat, now);
        let ip = member.ip.clone();
        self.members.insert(name.clone(), member);
        self.has_changed = true;
        let first = News::First {
            name: name.clone(),
            ip,
        };
        Ok((name, Some(first)))
    }

    /// Notices who is late, and forgets who is gone.
    pub(super) fn look(&mut self, now: i64) -> Vec<News> {
        let mut news = vec![];
        let (late_after, forget_after) = (
            millis(self.config.late_after),
            millis(self.config.forget_after),
        );
        self.members.retain(|name, member| {
            let age = member.age(now);
            let silence = age.min(now.saturating_sub(self.since));
            let late_after = late_after.max(member.interval().saturating_mul(3));
            if silence > late_after && !member.is_late {
                member.is_late = true;
                self.has_changed = true;
                news.push(News::Late {
                    name: name.clone(),
                    age: duration(age),
                });
            }
            // Not before it is late, however seldom its heartbeats are.
            let is_gone = silence > forget_after.max(late_after);
            if is_gone {
                self.has_changed = true;
                news.push(News::Forgotten {
                    name: name.clone(),
                    age: duration(age),
                });
            }
            !is_gone
        });
        news
    }

    /// The servers, by name.
    pub(super) fn servers(&self, now: i64, unix_millis: i64) -> Vec<Server> {
        self.members
            .iter()
            .map(|(name, member)| member.server(name, now, unix_millis))
            .collect()
    }

    /// Takes in servers of a former life. Those that are here already know better.
    pub(super) fn restore(&mut self, kept: Vec<Server>, now: i64, unix_millis: i64) {
        self.since = now;
        for server in kept {
            if let Some((name, member)) = Member::restore(&server, now, unix_millis)
                && let btree_map::Entry::Vacant(place) = self.members.entry(name)
            {
                place.insert(member);
            }
        }
        self.shrink();
    }

    /// Whether there is something to keep that was not so at the last call.
    pub(super) fn take_changed(&mut self) -> bool {
        std::mem::take(&mut self.has_changed)
    }

    /// There is something to keep.
    pub(super) fn set_changed(&mut self) {
        self.has_changed = true;
    }

    /// Whether it was not said for some time that the fleet is full.
    pub(super) fn is_time_to_complain(&mut self, now: i64) -> bool {
        let is_time = now >= self.quiet_until;
        if is_time {
            self.quiet_until = now.saturating_add(COMPLAIN_EVERY);
        }
        is_time
    }

    /// Makes sure that one more server fits: of those that are late and sent a single heartbeat,
    /// the one that did so first goes.
    fn make_room(&mut self, now: i64) -> Result<(), FleetError> {
        if self.members.len() < self.config.max_servers {
            return Ok(());
        }
        let full = FleetError::Full {
            most: self.config.max_servers,
        };
        if now < self.full_until {
            return Err(full);
        }
        let stranger = self
            .members
            .iter()
            .filter(|(_, member)| member.is_late && member.beats == 1)
            .min_by_key(|(_, member)| member.last_seen)
            .map(|(name, _)| name.clone());
        match stranger {
            Some(name) => {
                self.members.remove(&name);
                Ok(())
            }
            None => {
                // Looking at ten thousand servers for every heartbeat of a flood would be dear.
                self.full_until = now.saturating_add(LOOK_FOR_ROOM_EVERY);
                Err(full)
            }
        }
    }

    fn shrink(&mut self) {
        let Some(surplus) = self.members.len().checked_sub(self.config.max_servers) else {
            return;
        };
        let mut oldest: Vec<(i64, String)> = self
            .members
            .iter()
            .map(|(name, member)| (member.last_seen, name.clone()))
            .collect();
        oldest.sort_unstable();
        for (_, name) in oldest.into_iter().take(surplus) {
            self.members.remove(&name);
            self.has_changed = true;
        }
    }
}

fn millis(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}

fn duration(millis: i64) -> Duration {
    Duration::from_millis(u64::try_from(millis).unwrap_or(0))
}

/// Ten minutes.
const COMPLAIN_EVERY: i64 = 600_000;
/// A second: servers become late at that pace.
const LOOK_FOR_ROOM_EVERY: i64 = 1_000;
