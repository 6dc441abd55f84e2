//! What the server keeps running beside its clients, and how that goes: for whoever asks.
//!
//! Each part has a [`PartHandle`], which it tells by how it is, and which removes it when dropped.

use std::collections::{BTreeMap, HashMap};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use srs_api::{Part, PartKind, PartState};

use super::wall_clock;

/// The parts of one server. Clones share them.
#[derive(Clone, Debug, Default)]
pub struct Parts {
    /// Whole at any time.
    shared: Arc<Mutex<Shared>>,
}

#[derive(Debug, Default)]
struct Shared {
    /// The number of the newest part.
    newest: u64,
    parts: BTreeMap<u64, Entry>,
}

#[derive(Debug)]
struct Entry {
    part: Part,
    /// Counted when somebody asks, in the place of a progress that is told.
    clients: Option<ClientCount>,
}

/// A part that runs. Dropping it removes the part.
#[derive(Debug)]
pub struct PartHandle {
    parts: Parts,
    number: u64,
}

impl Parts {
    /// Adds a part, which runs. `target` is what it works with, and is shown: without secrets.
    /// `stream` is the id of the stream that it works for, empty if for none.
    pub fn register(&self, kind: PartKind, target: &str, stream: &str) -> PartHandle {
        self.add(kind, target, stream, None)
    }

    /// Adds a listener at `target`, and gives what counts its clients: their number is told as what
    /// it has done.
    pub fn register_listener(&self, target: &str) -> (PartHandle, ClientCount) {
        let clients = ClientCount::default();
        let part = self.add(PartKind::Listener, target, "", Some(clients.clone()));
        (part, clients)
    }

    fn add(
        &self,
        kind: PartKind,
        target: &str,
        stream: &str,
        clients: Option<ClientCount>,
    ) -> PartHandle {
        let mut shared = self.lock();
        shared.newest += 1;
        let number = shared.newest;
        let part = Part {
            id: format!("{}-{number}", kind.name()),
            kind,
            target: target.to_owned(),
            stream: stream.to_owned(),
            state: PartState::Running,
            since_ms: wall_clock::unix_millis(),
            restarts: 0,
            next_try_ms: None,
            progress: String::new(),
            error: String::new(),
        };
        shared.parts.insert(number, Entry { part, clients });
        drop(shared);
        PartHandle {
            parts: self.clone(),
            number,
        }
    }

    /// All of them, by kind, then by target.
    pub fn list(&self) -> Vec<Part> {
        let shared = self.lock();
        let mut parts: Vec<Part> = shared.parts.values().map(Entry::tell).collect();
        drop(shared);
        // Those with the same target stay in the order in which they came.
        parts.sort_by(|one, other| {
            (one.kind as u8, &one.target).cmp(&(other.kind as u8, &other.target))
        });
        parts
    }

    /// The kinds of those that work for the stream with the id `stream`, one for each part.
    pub fn of_stream(&self, stream: &str) -> Vec<PartKind> {
        let shared = self.lock();
        let is_of = |entry: &&Entry| !stream.is_empty() && entry.part.stream == stream;
        let parts = shared.parts.values().filter(is_of);
        let mut kinds: Vec<PartKind> = parts.map(|entry| entry.part.kind).collect();
        kinds.sort_by_key(|kind| *kind as u8);
        kinds
    }

    /// How many work for each stream that any work for, by the stream's id.
    pub fn count_by_stream(&self) -> HashMap<String, usize> {
        let shared = self.lock();
        let mut counts = HashMap::new();
        for entry in shared.parts.values() {
            let stream = &entry.part.stream;
            if !stream.is_empty() {
                *counts.entry(stream.clone()).or_default() += 1;
            }
        }
        counts
    }

    fn lock(&self) -> MutexGuard<'_, Shared> {
        self.shared.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Entry {
    fn tell(&self) -> Part {
        let mut part = self.part.clone();
        if let Some(clients) = &self.clients {
            part.progress = match clients.count.load(Ordering::Relaxed) {
                1 => "1 client".to_owned(),
                count => format!("{count} clients"),
            };
        }
        part
    }
}

impl PartHandle {
    /// It does its work; if it had failed, it was started again.
    pub fn running(&self) {
        self.change(|part| {
            part.restarts += u64::from(part.state == PartState::Retrying);
            part.next_try_ms = None;
            set_state(part, PartState::Running);
        });
    }

    /// It has failed, once more if it had before, and tries again in `pause`.
    pub fn retrying(&self, error: &str, pause: Duration) {
        let pause = i64::try_from(pause.as_millis()).unwrap_or(i64::MAX);
        self.change(|part| {
            part.restarts += u64::from(part.state == PartState::Retrying);
            part.next_try_ms = Some(wall_clock::unix_millis().saturating_add(pause));
            error.clone_into(&mut part.error);
            set_state(part, PartState::Retrying);
        });
    }

    /// It has failed, and does not try again by itself.
    pub fn failed(&self, error: &str) {
        self.change(|part| {
            part.next_try_ms = None;
            error.clone_into(&mut part.error);
            set_state(part, PartState::Failed);
        });
    }

    /// It is not wanted at present.
    pub fn idle(&self) {
        self.change(|part| {
            part.next_try_ms = None;
            set_state(part, PartState::Idle);
        });
    }

    /// What it has done, in few words.
    pub fn progress(&self, progress: String) {
        self.change(|part| part.progress = progress);
    }

    fn change(&self, change: impl FnOnce(&mut Part)) {
        if let Some(entry) = self.parts.lock().parts.get_mut(&self.number) {
            change(&mut entry.part);
        }
    }
}

impl Drop for PartHandle {
    fn drop(&mut self) {
        self.parts.lock().parts.remove(&self.number);
    }
}

fn set_state(part: &mut Part, state: PartState) {
    if part.state != state {
        part.state = state;
        part.since_ms = wall_clock::unix_millis();
    }
}

/// How many clients came in by a part and are there still. Clones share it.
#[derive(Clone, Debug, Default)]
pub struct ClientCount {
    count: Arc<AtomicUsize>,
}

impl ClientCount {
    /// Counts one more, for as long as what it gives is kept.
    pub fn enter(&self) -> Inside {
        self.count.fetch_add(1, Ordering::Relaxed);
        Inside(self.clone())
    }
}

/// A client that is counted.
#[derive(Debug)]
pub struct Inside(ClientCount);

impl Drop for Inside {
    fn drop(&mut self) {
        self.0.count.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_are_listed_by_kind_and_target_until_they_are_dropped() {
        let parts = Parts::default();
        let add = |kind, target| parts.register(kind, target, "");
        let handles = [
            add(PartKind::Task, "b"),
            add(PartKind::Heartbeat, "z"),
            add(PartKind::Task, "a"),
            add(PartKind::Listener, "y"),
        ];
        let listed = || -> Vec<String> {
            let parts = parts.list().into_iter();
            parts.map(|part| part.id + " " + &part.target).collect()
        };
        let all = ["listener-4 y", "heartbeat-2 z", "task-3 a", "task-1 b"];
        assert_eq!(listed(), all);
        drop(handles);
        assert_eq!(listed(), [""; 0]);
    }

    #[test]
    fn a_part_tells_how_it_is() {
        let parts = Parts::default();
        let handle = parts.register(PartKind::Forward, "rtmp://there/live", "s1");
        let told = || parts.list().remove(0);
        assert_eq!((told().state, told().restarts), (PartState::Running, 0));
        handle.retrying("gone", Duration::from_secs(5));
        let failed = told();
        assert_eq!((failed.state, failed.restarts), (PartState::Retrying, 0));
        assert!(failed.next_try_ms > Some(failed.since_ms));
        handle.retrying("gone again", Duration::from_secs(5));
        handle.running();
        handle.progress("sent 80".to_owned());
        let back = told();
        assert_eq!((back.state, back.restarts), (PartState::Running, 2));
        assert_eq!(
            (back.error.as_str(), back.next_try_ms),
            ("gone again", None)
        );
        assert_eq!(
            (back.progress.as_str(), back.stream.as_str()),
            ("sent 80", "s1")
        );
        handle.failed("for good");
        assert_eq!((told().state, told().restarts), (PartState::Failed, 2));
        handle.idle();
        assert_eq!(told().state, PartState::Idle);
    }

    #[test]
    fn a_stream_has_the_parts_that_work_for_it() {
        let parts = Parts::default();
        let _handles = [
            (PartKind::Dvr, "s1"),
            (PartKind::Forward, "s1"),
            (PartKind::Forward, "s1"),
            (PartKind::Forward, "s2"),
            (PartKind::Task, ""),
        ]
        .map(|(kind, stream)| parts.register(kind, "", stream));
        let expected = [PartKind::Forward, PartKind::Forward, PartKind::Dvr];
        assert_eq!(parts.of_stream("s1"), expected);
        assert_eq!(parts.of_stream(""), []);
    }

    #[test]
    fn clients_are_counted_while_they_are_there() {
        let parts = Parts::default();
        let (_handle, count) = parts.register_listener("127.0.0.1:1935");
        let progress = || parts.list().remove(0).progress;
        assert_eq!(progress(), "0 clients");
        let one = count.enter();
        assert_eq!(progress(), "1 client");
        let two = count.enter();
        assert_eq!(progress(), "2 clients");
        drop((one, two));
        assert_eq!(progress(), "0 clients");
    }
}
