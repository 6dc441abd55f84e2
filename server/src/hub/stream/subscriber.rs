//! Those who take from a stream, and where they hold its log.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use super::super::Hub;
use super::super::cursor::Cursor;
use super::super::log::{Entry, Sequence};
use super::Stream;

/// A position in a stream's log that the log knows of. Dropping it gives it up.
#[derive(Debug)]
pub struct Place {
    stream: Arc<Stream>,
    id: u64,
    position: Arc<AtomicU64>,
}

impl Place {
    /// That of the reader `id`, which the stream's list of them has.
    pub(super) fn new(stream: Arc<Stream>, id: u64, position: Arc<AtomicU64>) -> Self {
        Self {
            stream,
            id,
            position,
        }
    }

    /// Moves on to `position`.
    pub fn set(&self, position: Sequence) {
        self.position.store(position, Ordering::Release);
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.stream.lock_readers().positions.remove(&self.id);
    }
}

/// One who takes from a stream. Dropping it leaves.
#[derive(Debug)]
pub struct Subscriber {
    hub: Hub,
    stream: Arc<Stream>,
    cursor: Cursor,
    /// `cursor`'s position, where the log can see it.
    place: Arc<Place>,
    began: Instant,
}

impl Subscriber {
    pub(in crate::hub) fn begin(hub: Hub, stream: &Arc<Stream>, now: Instant) -> Self {
        let first = stream.read_state().log.first();
        let mut readers = stream.lock_readers();
        readers.subscribers += 1;
        readers.most_subscribers = readers.most_subscribers.max(readers.subscribers);
        readers.begins += stream.age(now);
        drop(readers);
        Self {
            began: now,
            hub,
            stream: Arc::clone(stream),
            cursor: Cursor::default(),
            place: Arc::new(stream.hold(first)),
        }
    }

    /// The stream that is read.
    pub fn stream(&self) -> &Arc<Stream> {
        &self.stream
    }

    /// Where this subscriber holds the log. Whoever reads on in its place moves it.
    pub fn place(&self) -> &Arc<Place> {
        &self.place
    }

    /// The position of the next entry.
    pub fn position(&self) -> Sequence {
        self.cursor.position()
    }

    /// Whether this subscriber has read everything, and gets all that comes as it comes.
    pub fn in_step(&self) -> bool {
        self.stream.with_log(|log| self.cursor.is_in_step(log))
    }

    /// Whether video is left out until the next key frame.
    pub fn awaits_key_frame(&self) -> bool {
        self.cursor.awaits_key_frame()
    }

    /// Goes on at `position`; what stands before it was read for this subscriber by others.
    pub fn resume(&mut self, position: Sequence) {
        let cursor = &mut self.cursor;
        self.stream.with_log(|log| cursor.resume(position, log));
        self.place.set(position);
    }

    /// Whether players of the stream get its publisher's own timestamps.
    pub fn is_atc(&self) -> bool {
        self.stream.is_atc()
    }

    /// How often this subscriber fell behind and jumped.
    pub fn jumps(&self) -> u64 {
        self.cursor.jumps()
    }

    /// How many packets it lost by that.
    pub fn dropped(&self) -> u64 {
        self.cursor.dropped()
    }

    /// Leaves video out from now until the next key frame.
    pub fn await_key_frame(&mut self) {
        self.cursor.await_key_frame();
    }

    /// How far behind the newest packet this subscriber is.
    pub fn lag(&self) -> Duration {
        self.stream.read_state().log.lag(self.cursor.position())
    }

    /// Reads what there is into `batch`; false if there is nothing new.
    pub fn try_read(&mut self, batch: &mut Vec<Entry>) -> bool {
        let state = self.stream.read_state();
        let read = self
            .cursor
            .read(&state.log, state.settings.log.gop_cache, batch);
        drop(state);
        self.place.set(self.cursor.position());
        read
    }

    /// Waits until there is something to read, and reads it into `batch`.
    ///
    /// Cancel-safe: nothing is read until it is returned.
    pub async fn read(&mut self, batch: &mut Vec<Entry>) {
        while !self.try_read(batch) {
            self.stream.reached(self.cursor.position()).await;
        }
    }
}

impl Drop for Subscriber {
    fn drop(&mut self) {
        let mut readers = self.stream.lock_readers();
        readers.subscribers -= 1;
        readers.begins = readers.begins.saturating_sub(self.stream.age(self.began));
        readers.subscribed += self.began.elapsed();
        drop(readers);
        self.hub.leave(&self.stream);
    }
}
