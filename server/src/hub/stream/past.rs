//! What a stream that was published remembers of its last hour.

use std::sync::{MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::super::stats::history::{History, Moment, Span};
use super::super::stats::losses::Losses;
use super::super::stats::pace::Pace;
use super::Stream;

/// See the module's documentation. Names that are only waited for have none.
#[derive(Debug)]
pub struct Past {
    history: History,
    losses: Losses,
    pace: Pace,
}

impl Past {
    pub(super) fn new(now: Instant) -> Self {
        Self {
            history: History::new(now),
            losses: Losses::new(now),
            pace: Pace::default(),
        }
    }

    /// Goes on with a stream that counts from zero again.
    fn resume(&mut self, now: Instant) {
        self.history.resume(now);
        self.losses.resume();
    }
}

impl Stream {
    /// The same, with what was before it was gone for a moment.
    pub(in crate::hub) fn with_past(mut self, past: Option<Box<Past>>, now: Instant) -> Self {
        self.past = past
            .map(|mut past| {
                past.resume(now);
                past
            })
            .into();
        self
    }

    /// Takes what it remembers, for a stream of the same name that may follow.
    pub(in crate::hub) fn take_past(&self) -> Option<Box<Past>> {
        self.lock_past().take()
    }

    /// Notes for rates and history how things are; to be called about once a second.
    pub fn sample(&self, now: Instant) {
        let mut tally = self.tally();
        tally.sample(now);
        let total = *tally.total();
        drop(tally);
        let mut past = self.lock_past();
        let Some(past) = past.as_mut() else {
            return;
        };
        let viewers = self.subscribers();
        let state = self.read_state();
        let frame_rate = state.frame_rate(now);
        let gop = state.figures.gop().filter(|_| state.flows(now));
        let newest = state.figures.newest();
        let publisher = state.generation;
        drop(state);
        if let Some(newest) = newest {
            past.pace.record(now, publisher, newest);
        }
        past.losses.record(now, total.dropped);
        past.history.record(
            now,
            &Moment {
                bytes_in: total.bytes_in,
                bytes_out: total.bytes_out,
                viewers,
                frame_rate,
                gop: gop.unwrap_or_default(),
            },
        );
    }

    /// The last `length` of its figures; `None` if it was never published.
    pub fn history(&self, length: Duration) -> Option<Span> {
        let past = self.lock_past();
        past.as_ref().map(|past| past.history.last(length))
    }

    /// What was received in each of the last `count` seconds, in kbit/s, the newest last.
    pub fn recent_kbps(&self, count: usize) -> Vec<u32> {
        let past = self.lock_past();
        let past = past.as_ref();
        past.map(|past| past.history.recent_kbps(count))
            .unwrap_or_default()
    }

    /// Seconds of media that came in a second, over the last ten.
    pub(super) fn speed(&self) -> Option<f64> {
        let past = self.lock_past();
        past.as_ref().and_then(|past| past.pace.speed())
    }

    /// Packets that slow players lost within the last half minute.
    pub(super) fn recent_losses(&self) -> u64 {
        let past = self.lock_past();
        past.as_ref().map_or(0, |past| past.losses.recent())
    }

    pub(super) fn lock_past(&self) -> MutexGuard<'_, Option<Box<Past>>> {
        // Samples, each of which is whole by itself.
        self.past.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
