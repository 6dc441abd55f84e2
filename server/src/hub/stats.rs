//! Counters of traffic, and rates over time windows.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use srs_media::time::Timestamp;

/// What went through one client's connection. Counted by the client's own task, or by whoever
/// writes to it in its place.
#[derive(Debug, Default)]
pub struct Traffic {
    /// Bytes read from the client's socket.
    pub bytes_in: AtomicU64,
    /// Bytes written to the client's socket.
    pub bytes_out: AtomicU64,
    /// Media packets from or to the client.
    pub packets: AtomicU64,
    /// Packets that the client lost because it was too slow.
    pub dropped: AtomicU64,
    /// How far the client is behind the newest packet, in milliseconds.
    pub lag_millis: AtomicU64,
}

/// A moment's reading of one or more [`Traffic`]s.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Reading {
    /// Bytes in.
    pub bytes_in: u64,
    /// Bytes out.
    pub bytes_out: u64,
    /// Packets.
    pub packets: u64,
    /// Packets lost.
    pub dropped: u64,
    /// The longest lag, in milliseconds.
    pub lag_millis: u64,
}

impl Traffic {
    /// Reads the counters.
    pub fn reading(&self) -> Reading {
        Reading {
            bytes_in: self.bytes_in.load(Ordering::Relaxed),
            bytes_out: self.bytes_out.load(Ordering::Relaxed),
            packets: self.packets.load(Ordering::Relaxed),
            dropped: self.dropped.load(Ordering::Relaxed),
            lag_millis: self.lag_millis.load(Ordering::Relaxed),
        }
    }
}

impl Reading {
    /// What was counted since an earlier reading of the same counters. The lag is that of now.
    pub fn since(&self, earlier: &Self) -> Self {
        Self {
            bytes_in: self.bytes_in.saturating_sub(earlier.bytes_in),
            bytes_out: self.bytes_out.saturating_sub(earlier.bytes_out),
            packets: self.packets.saturating_sub(earlier.packets),
            dropped: self.dropped.saturating_sub(earlier.dropped),
            lag_millis: self.lag_millis,
        }
    }

    /// Adds another client's counters; of the lags the longest counts.
    pub fn add(&mut self, other: &Self) {
        self.bytes_in += other.bytes_in;
        self.bytes_out += other.bytes_out;
        self.packets += other.packets;
        self.dropped += other.dropped;
        self.lag_millis = self.lag_millis.max(other.lag_millis);
    }
}

/// How much media a stream has in a second, by its own timestamps.
#[derive(Clone, Copy, Debug, Default)]
pub struct MediaRate {
    bytes_per_second: u64,
    /// Where the stretch that is measured now begins.
    since: Timestamp,
    bytes: u64,
}

impl MediaRate {
    /// Counts a packet of `len` bytes.
    pub fn count(&mut self, timestamp: Timestamp, len: usize) {
        self.bytes += len as u64;
        let elapsed = timestamp.saturating_since(self.since);
        if elapsed >= RATE_STRETCH {
            let millis = u64::try_from(elapsed.as_millis()).unwrap_or(u64::MAX);
            self.bytes_per_second = self.bytes.saturating_mul(1_000) / millis.max(1);
            self.since = timestamp;
            self.bytes = 0;
        }
    }

    /// The rate over the last stretch of some seconds; zero before there was one.
    pub fn bytes_per_second(&self) -> u64 {
        self.bytes_per_second
    }
}

/// A byte counter's rate since its beginning and over the last 30 seconds and 5 minutes.
///
/// Fed with readings at any interval; a window reaches back to the oldest reading within it. Before
/// a window has passed once it covers what there is, so that the first figures are true too.
#[derive(Debug)]
pub struct Rates {
    began: (Instant, u64),
    readings: VecDeque<(Instant, u64)>,
}

impl Rates {
    /// Begins to measure a counter that stands at `bytes`.
    pub fn new(now: Instant, bytes: u64) -> Self {
        Self {
            began: (now, bytes),
            readings: VecDeque::from([(now, bytes)]),
        }
    }

    /// Takes a reading in; those older than the longest window are dropped.
    pub fn record(&mut self, now: Instant, bytes: u64) {
        self.readings.push_back((now, bytes));
        let keep_from = |at: Instant| now.saturating_duration_since(at) >= LONG_WINDOW;
        while self.readings.get(1).is_some_and(|(at, _)| keep_from(*at)) {
            self.readings.pop_front();
        }
        if self.readings.len() > MOST_READINGS {
            self.readings.pop_front();
        }
    }

    /// kbit/s (of 1000 bits) since the beginning, over 30 seconds, over 5 minutes.
    pub fn kbps(&self) -> [u64; 3] {
        let Some(newest) = self.readings.back() else {
            return [0; 3];
        };
        let since = |window: Duration| {
            let within = |at: Instant| newest.0.saturating_duration_since(at) <= window;
            let oldest = self
                .readings
                .iter()
                .find(|(at, _)| within(*at))
                .unwrap_or(newest);
            kbps(oldest, newest)
        };
        [
            kbps(&self.began, newest),
            since(SHORT_WINDOW),
            since(LONG_WINDOW),
        ]
    }
}

fn kbps(from: &(Instant, u64), to: &(Instant, u64)) -> u64 {
    let millis = to.0.saturating_duration_since(from.0).as_millis();
    let bits = u128::from(to.1.saturating_sub(from.1)) * 8;
    bits.checked_div(millis)
        .and_then(|rate| u64::try_from(rate).ok())
        .unwrap_or(0)
}

/// A group of pictures, as most encoders make them.
const RATE_STRETCH: Duration = Duration::from_secs(2);
const SHORT_WINDOW: Duration = Duration::from_secs(30);
const LONG_WINDOW: Duration = Duration::from_secs(300);
/// A reader that records every second needs this many.
const MOST_READINGS: usize = 302;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rates_cover_their_windows() {
        let start = Instant::now();
        let mut rates = Rates::new(start, 0);
        let mut bytes = 0;
        // 1000 kbit/s for ten minutes, then 2000 for one.
        for second in 1..=660 {
            bytes += if second <= 600 { 125_000 } else { 250_000 };
            rates.record(start + Duration::from_secs(second), bytes);
        }
        assert_eq!(rates.kbps(), [1_090, 2_000, 1_200]);
    }

    #[test]
    fn the_first_figures_are_true_before_a_window_has_passed() {
        let start = Instant::now();
        let mut rates = Rates::new(start, 1_000_000);
        assert_eq!(rates.kbps(), [0, 0, 0]);
        rates.record(start + Duration::from_secs(10), 1_000_000 + 1_250_000);
        assert_eq!(rates.kbps(), [1_000, 1_000, 1_000]);
    }
}
