//! All live streams: where publishers and subscribers meet, by name.
//!
//! A stream exists while somebody publishes it or subscribes to it, and leaves no trace
//! afterwards: names that were only asked for cost nothing. The hub knows no wire format.
//!
//! - [`stream`]: one live stream: its log, its publisher, its subscribers;
//! - [`log`], [`cursor`]: the packets, and a position in them;
//! - [`timeline`], [`mixer`]: timestamps and order, corrected once, at the door;
//! - [`takeover`]: who may replace a publisher;
//! - [`stats`]: counters and rates.

pub mod cursor;
pub mod log;
pub mod mixer;
pub mod name;
pub mod stats;
pub mod stream;
pub mod takeover;
pub mod timeline;

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

pub use name::StreamName;
use stream::Past;
pub use stream::{Publisher, Stream, StreamSettings, Subscriber};
pub use takeover::{PublishError, PublishRequest};

/// The live streams of this process. Clones share them.
#[derive(Clone, Debug, Default)]
pub struct Hub {
    /// Protects the set of streams only; each stream has its own lock for what happens in it.
    streams: Arc<Mutex<Streams>>,
}

#[derive(Debug, Default)]
struct Streams {
    by_name: HashMap<StreamName, Arc<Stream>>,
    /// How many there ever were.
    created: u64,
    /// Those that ended last, the newest at the back: an encoder whose network flaps leaves no
    /// stream behind if nobody watches, and its reconnects are to be counted all the same, and its
    /// history is to be kept.
    ended: VecDeque<Ended>,
}

#[derive(Debug)]
struct Ended {
    name: StreamName,
    at: Instant,
    publishes: u64,
    /// Taken by a stream of the same name that follows.
    past: Option<Box<Past>>,
}

impl Streams {
    /// The stream of this name, or a new one that nobody can find yet.
    fn find_or_create(
        &mut self,
        name: &StreamName,
        settings: &StreamSettings,
        now: Instant,
    ) -> Arc<Stream> {
        if let Some(stream) = self.by_name.get(name) {
            return Arc::clone(stream);
        }
        self.created += 1;
        let (publishes, past) = self.before(name, now);
        let stream = Stream::new(self.created, name.clone(), settings, now);
        let stream = stream.with_publishes(publishes);
        Arc::new(stream.with_past(past, now))
    }

    /// How often a stream was published before it ended, not long ago, and what it remembered.
    fn before(&mut self, name: &StreamName, now: Instant) -> (u64, Option<Box<Past>>) {
        let mut ended = self.ended.iter_mut().rev();
        ended
            .find(|ended| ended.name == *name)
            .filter(|ended| now.saturating_duration_since(ended.at) <= REMEMBERED_FOR)
            .map_or((0, None), |ended| (ended.publishes, ended.past.take()))
    }

    fn remember(&mut self, stream: &Stream, now: Instant) {
        let publishes = stream.publishes();
        if publishes == 0 {
            return;
        }
        if self.ended.len() >= REMEMBERED {
            self.ended.pop_front();
        }
        self.ended.push_back(Ended {
            name: stream.name().clone(),
            at: now,
            publishes,
            past: stream.take_past(),
        });
    }
}

impl Hub {
    /// Begins to publish a stream, or replaces its publisher where the request may.
    ///
    /// # Errors
    /// [`PublishError::Busy`]: somebody else publishes it.
    pub fn publish(
        &self,
        name: &StreamName,
        settings: &StreamSettings,
        request: PublishRequest,
        now: Instant,
    ) -> Result<Publisher, PublishError> {
        let mut streams = self.lock();
        let stream = streams.find_or_create(name, settings, now);
        let publisher = Publisher::begin(self.clone(), &stream, settings, request, now)?;
        streams.by_name.entry(name.clone()).or_insert(stream);
        Ok(publisher)
    }

    /// Subscribes to a stream, whether or not somebody publishes it yet.
    pub fn subscribe(
        &self,
        name: &StreamName,
        settings: &StreamSettings,
        now: Instant,
    ) -> Subscriber {
        let mut streams = self.lock();
        let stream = streams.find_or_create(name, settings, now);
        let subscriber = Subscriber::begin(self.clone(), &stream, now);
        streams.by_name.entry(name.clone()).or_insert(stream);
        subscriber
    }

    /// The streams that exist now, in the order in which they came to be.
    pub fn streams(&self) -> Vec<Arc<Stream>> {
        let mut streams: Vec<_> = self.lock().by_name.values().map(Arc::clone).collect();
        streams.sort_unstable_by_key(|stream| stream.id());
        streams
    }

    /// The stream of this id, if it exists now.
    pub fn find(&self, id: u64) -> Option<Arc<Stream>> {
        let streams = self.lock();
        let mut streams = streams.by_name.values();
        streams.find(|stream| stream.id() == id).map(Arc::clone)
    }

    /// How many streams exist now.
    pub fn len(&self) -> usize {
        self.lock().by_name.len()
    }

    /// Whether no stream exists now.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Forgets `stream` if nobody publishes it or subscribes to it any more.
    fn leave(&self, stream: &Arc<Stream>) {
        let mut streams = self.lock();
        if !stream.is_abandoned() {
            return;
        }
        let name = stream.name();
        let known = streams.by_name.get(name);
        if known.is_some_and(|known| Arc::ptr_eq(known, stream)) {
            streams.remember(stream, Instant::now());
            let streams = &mut streams.by_name;
            streams.remove(name);
            // A burst of names must not leave its table behind.
            let capacity = streams.capacity();
            if capacity > SPARE_NAMES && streams.len() < capacity / 4 {
                streams.shrink_to(capacity / 2);
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, Streams> {
        // The map is whole at every point where a holder could panic.
        self.streams.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The table of names is not made smaller than this.
const SPARE_NAMES: usize = 64;
/// So many ended streams are remembered,
const REMEMBERED: usize = 256;
/// for so long.
const REMEMBERED_FOR: Duration = Duration::from_secs(300);
