//! What happens, for those who watch: a bounded log of events, read by positions in it.
//!
//! As with a stream, whoever reads holds nothing but a position; who is too slow, or comes too
//! late, is told how much is missing. Ids go on from the time at which the server began, so that
//! the position of somebody who read before a restart is not taken for one of the new life.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use srs_api::{Event, EventKind};
use tokio::sync::Notify;

use super::clients::Client;
use super::wall_clock;
use crate::hub::StreamName;

/// The events of one server. Clones share them.
#[derive(Clone, Debug, Default)]
pub struct Events {
    shared: Arc<Shared>,
}

#[derive(Debug, Default)]
struct Shared {
    log: Mutex<Log>,
    told: Notify,
}

#[derive(Debug, Default)]
struct Log {
    /// The id before that of the first event.
    origin: u64,
    /// The id of the newest event; `origin` before there was one.
    newest: u64,
    kept: VecDeque<Arc<Event>>,
    /// How many there were, by kind.
    counts: [u64; EventKind::ALL.len()],
}

/// What a reader gets.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct News {
    /// Events between the reader's position and the first one here, which are not kept any more.
    pub lost: u64,
    /// The events, the oldest first.
    pub events: Vec<Arc<Event>>,
}

impl Events {
    /// The events of a server that began at `started_ms`, in Unix milliseconds.
    pub fn since(started_ms: i64) -> Self {
        // In microseconds: no life tells a million events a second, so that it ends with smaller
        // ids than the next begins with. They are exact in JSON until 2255.
        let origin = u64::try_from(started_ms).unwrap_or(0).saturating_mul(1_000);
        let events = Self::default();
        let mut log = events.lock();
        (log.origin, log.newest) = (origin, origin);
        drop(log);
        events
    }

    /// Tells an event of `kind`; `fill` adds what is known of it.
    pub fn tell(&self, kind: EventKind, fill: impl FnOnce(&mut Event)) {
        let mut event = Event {
            id: 0,
            time_ms: wall_clock::unix_millis(),
            kind,
            client: None,
            peer: None,
            vhost: None,
            app: None,
            stream: None,
            device: None,
            message: String::new(),
        };
        fill(&mut event);
        let mut log = self.lock();
        log.newest += 1;
        event.id = log.newest;
        log.counts[kind as usize] += 1;
        if log.kept.len() >= KEPT {
            log.kept.pop_front();
        }
        log.kept.push_back(Arc::new(event));
        drop(log);
        self.shared.told.notify_waiters();
    }

    /// Tells what a client does, with the stream that it does it to.
    pub fn tell_of(&self, kind: EventKind, client: &Client, name: Option<&StreamName>, why: &str) {
        self.tell(kind, |event| {
            event.client = Some(client.id.to_string());
            event.peer = Some(client.peer.to_string());
            if let Some(name) = name {
                event.vhost = Some(name.vhost.to_string());
                event.app = Some(name.app.to_string());
                event.stream = Some(name.stream.to_string());
            }
            why.clone_into(&mut event.message);
        });
    }

    /// How many there were of each kind since the server began.
    pub fn counts(&self) -> impl Iterator<Item = (EventKind, u64)> {
        let counts = self.lock().counts;
        EventKind::ALL.into_iter().zip(counts)
    }

    /// The position of a reader that has seen the event `id`: the beginning if that is an event of
    /// another life, of which all there is here is news.
    pub fn position(&self, id: u64) -> u64 {
        self.lock().position(id)
    }

    /// The id of the newest event; before there was one, that of the beginning.
    pub fn newest(&self) -> u64 {
        self.lock().newest
    }

    /// What came after the event `id`, up to `most` events.
    pub fn after(&self, id: u64, most: usize) -> News {
        let log = self.lock();
        let oldest = log.newest + 1 - log.kept.len() as u64;
        let next = log.position(id) + 1;
        let skip = usize::try_from(next.saturating_sub(oldest)).unwrap_or(usize::MAX);
        News {
            lost: oldest.saturating_sub(next),
            events: log.kept.iter().skip(skip).take(most).cloned().collect(),
        }
    }

    /// Waits until there is an event after the position `id`.
    ///
    /// Cancel-safe.
    pub async fn told_after(&self, id: u64) {
        loop {
            let told = self.shared.told.notified();
            tokio::pin!(told);
            // Registered before the look, so that no event falls between look and wait.
            told.as_mut().enable();
            if self.newest() != id {
                return;
            }
            told.await;
        }
    }

    fn lock(&self) -> MutexGuard<'_, Log> {
        // Whole at every point where a holder could panic.
        self.shared
            .log
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

impl Log {
    fn position(&self, id: u64) -> u64 {
        // Beyond the newest, if the clock was set back between the lives.
        if (self.origin..=self.newest).contains(&id) {
            id
        } else {
            self.origin
        }
    }
}

/// So many events are kept for those who come later: some hundred bytes each.
const KEPT: usize = 1_000;

#[cfg(test)]
mod tests {
    use super::*;

    fn ids(news: &News) -> Vec<u64> {
        news.events.iter().map(|event| event.id).collect()
    }

    #[test]
    fn a_reader_gets_what_came_after_its_position() {
        let events = Events::default();
        assert_eq!(events.after(0, 10), News::default());
        for _ in 0..3 {
            events.tell(EventKind::Play, |_| {});
        }
        assert_eq!(ids(&events.after(0, 10)), [1, 2, 3]);
        assert_eq!(ids(&events.after(1, 1)), [2]);
        assert_eq!(ids(&events.after(3, 10)), [0; 0]);
        assert_eq!(ids(&events.after(99, 10)), [1, 2, 3], "of another life");
    }

    #[test]
    fn who_read_before_a_restart_gets_all_of_the_new_life() {
        let tell = |events: &Events| (0..3).for_each(|_| events.tell(EventKind::Play, |_| {}));
        let before = Events::since(1_700_000_000_000);
        tell(&before);
        let seen = before.after(0, 1);
        assert_eq!((seen.lost, ids(&seen)), (0, vec![1_700_000_000_000_001]));

        let after = Events::since(1_700_000_000_001);
        let start = after.newest();
        assert_eq!(after.position(before.newest()), start);
        tell(&after);
        for id in [0, 2, before.newest(), after.newest() + 1, u64::MAX] {
            let news = after.after(id, 10);
            assert_eq!(ids(&news), [start + 1, start + 2, start + 3], "{id}");
            assert_eq!(news.lost, 0, "{id}");
        }
        assert_eq!(ids(&after.after(start + 2, 10)), [start + 3]);
    }

    #[test]
    fn every_kind_has_a_count_of_its_own() {
        let events = Events::default();
        for (index, kind) in EventKind::ALL.into_iter().enumerate() {
            assert_eq!(kind as usize, index, "{kind}");
            events.tell(kind, |_| {});
        }
        assert!(events.counts().all(|(_, count)| count == 1));
    }

    #[test]
    fn who_is_too_slow_is_told_how_much_is_missing() {
        let events = Events::default();
        for _ in 0..KEPT + 5 {
            events.tell(EventKind::Play, |_| {});
        }
        let news = events.after(2, 1);
        assert_eq!((news.lost, ids(&news)), (3, vec![6]));
        assert_eq!(events.after(0, 1).lost, 5);
    }
}
