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

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

pub use name::StreamName;
pub use stream::{Publisher, Stream, StreamSettings, Subscriber};
pub use takeover::{PublishError, PublishRequest};

/// The live streams of this process. Clones share them.
#[derive(Clone, Debug, Default)]
pub struct Hub {
    /// Protects the set of streams only; each stream has its own lock for what happens in it.
    streams: Arc<Mutex<HashMap<StreamName, Arc<Stream>>>>,
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
        let existing = streams.get(name).map(Arc::clone);
        let stream = existing.unwrap_or_else(|| Arc::new(Stream::new(name.clone(), settings, now)));
        let publisher = Publisher::begin(self.clone(), &stream, settings, request, now)?;
        streams.entry(name.clone()).or_insert(stream);
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
        let stream = streams
            .entry(name.clone())
            .or_insert_with(|| Arc::new(Stream::new(name.clone(), settings, now)));
        Subscriber::begin(self.clone(), stream)
    }

    /// The streams that exist now, in no order.
    pub fn streams(&self) -> Vec<Arc<Stream>> {
        self.lock().values().map(Arc::clone).collect()
    }

    /// Forgets `stream` if nobody publishes it or subscribes to it any more.
    fn leave(&self, stream: &Arc<Stream>) {
        let mut streams = self.lock();
        if !stream.is_abandoned() {
            return;
        }
        let name = stream.name();
        if streams
            .get(name)
            .is_some_and(|known| Arc::ptr_eq(known, stream))
        {
            streams.remove(name);
            // A burst of names must not leave its table behind.
            let capacity = streams.capacity();
            if capacity > SPARE_NAMES && streams.len() < capacity / 4 {
                streams.shrink_to(capacity / 2);
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<StreamName, Arc<Stream>>> {
        // The map is whole at every point where a holder could panic.
        self.streams.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The table of names is not made smaller than this.
const SPARE_NAMES: usize = 64;
