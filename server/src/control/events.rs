//! What happens, for those who watch: the newest events, and how many there were of each kind.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use srs_api::{Event, EventKind};

use super::clients::Client;
use super::feed::{Bounds, Feed, News};
use super::wall_clock;
use crate::hub::StreamName;

/// The events of one server. Clones share them.
#[derive(Clone, Debug)]
pub struct Events {
    feed: Feed<Event>,
    /// How many there were, by kind.
    counts: Arc<[AtomicU64; EventKind::ALL.len()]>,
}

impl Default for Events {
    fn default() -> Self {
        Self::since(0)
    }
}

impl Events {
    /// The events of a server that began at `started_ms`, in Unix milliseconds.
    pub fn since(started_ms: i64) -> Self {
        Self {
            feed: Feed::since(started_ms, BOUNDS),
            counts: Arc::new([const { AtomicU64::new(0) }; EventKind::ALL.len()]),
        }
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
        self.counts[kind as usize].fetch_add(1, Ordering::Relaxed);
        let bytes = size_of::<Event>() + event.message.len();
        self.feed.push(bytes, |id| Event { id, ..event });
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
        let counts = self
            .counts
            .each_ref()
            .map(|count| count.load(Ordering::Relaxed));
        EventKind::ALL.into_iter().zip(counts)
    }

    /// The events, for those who watch.
    pub fn feed(&self) -> &Feed<Event> {
        &self.feed
    }

    /// The id of the newest event; before there was one, that of the beginning.
    pub fn newest(&self) -> u64 {
        self.feed.newest()
    }

    /// What came after the event `id`, up to `most` events.
    pub fn after(&self, id: u64, most: usize) -> News<Event> {
        self.feed.after(id, most)
    }
}

/// Some hundred bytes each; names and messages that peers choose are bounded where they come in.
const BOUNDS: Bounds = Bounds {
    items: 1_000,
    bytes: 4 << 20,
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_has_a_count_of_its_own() {
        let events = Events::default();
        for (index, kind) in EventKind::ALL.into_iter().enumerate() {
            assert_eq!(kind as usize, index, "{kind}");
            events.tell(kind, |_| {});
        }
        assert!(events.counts().all(|(_, count)| count == 1));
        let news = events.after(0, 2);
        assert_eq!((news.items[0].id, news.items[1].id), (1, 2));
    }
}
