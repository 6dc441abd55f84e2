//! Counters of traffic, and rates over time windows.
//!
//! - [`Traffic`]: what one connection counts, by atomics: counting costs a player no lock;
//! - [`Tally`]: the sum of many, with its rates; whoever samples the counters adds to it;
//! - [`windows`]: rates over windows of time;
//! - [`history`]: how they were over the last hour; [`losses`]: what was lost lately;
//! - [`headers`]: what its headers say, in short;
//! - [`pace`]: how fast media comes;
//! - [`figures`]: what a stream's own packets tell of it.

pub mod figures;
pub mod headers;
pub mod history;
pub mod losses;
pub mod pace;
pub mod windows;

use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::time::{Duration, Instant};

pub use self::figures::{Figures, MediaRate};
pub use self::windows::{Coarse, Counter, Kbps, WINDOWS, Windows};

/// What went through one client's connection. Counted by the client's own task, or by whoever
/// writes to it in its place.
#[derive(Debug, Default)]
pub struct Traffic {
    /// Bytes read from the client's socket.
    pub bytes_in: AtomicU64,
    /// Bytes written to the client's socket.
    pub bytes_out: AtomicU64,
    /// Media packets from the client.
    pub packets_in: AtomicU64,
    /// Media packets to the client.
    pub packets_out: AtomicU64,
    /// Packets that the client lost because it was too slow.
    pub dropped: AtomicU64,
    /// How often it jumped to a newer key frame because of that.
    pub jumps: AtomicU64,
    /// How far the client is behind the newest packet, in milliseconds.
    pub lag_millis: AtomicU64,
    /// The round trip to it and back, in microseconds; 0 before it was measured.
    rtt_micros: AtomicU32,
    /// TCP segments that had to be sent to it again.
    retransmits: AtomicU32,
}

/// A moment's reading of one or more [`Traffic`]s.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Reading {
    /// Bytes in.
    pub bytes_in: u64,
    /// Bytes out.
    pub bytes_out: u64,
    /// Packets in.
    pub packets_in: u64,
    /// Packets out.
    pub packets_out: u64,
    /// Packets lost.
    pub dropped: u64,
    /// Jumps.
    pub jumps: u64,
    /// The longest lag, in milliseconds.
    pub lag_millis: u64,
}

impl Traffic {
    /// Notes how its connection goes, as the kernel measures it.
    pub fn note_connection(&self, round_trip: Duration, retransmits: u32) {
        let micros = u32::try_from(round_trip.as_micros()).unwrap_or(u32::MAX);
        self.rtt_micros.store(micros, Ordering::Relaxed);
        self.retransmits.store(retransmits, Ordering::Relaxed);
    }

    /// The round trip to the client and back, once it was measured.
    pub fn round_trip(&self) -> Option<Duration> {
        let micros = self.rtt_micros.load(Ordering::Relaxed);
        (micros > 0).then(|| Duration::from_micros(micros.into()))
    }

    /// TCP segments that had to be sent to the client again.
    pub fn retransmits(&self) -> u32 {
        self.retransmits.load(Ordering::Relaxed)
    }

    /// Reads the counters.
    pub fn reading(&self) -> Reading {
        Reading {
            bytes_in: self.bytes_in.load(Ordering::Relaxed),
            bytes_out: self.bytes_out.load(Ordering::Relaxed),
            packets_in: self.packets_in.load(Ordering::Relaxed),
            packets_out: self.packets_out.load(Ordering::Relaxed),
            dropped: self.dropped.load(Ordering::Relaxed),
            jumps: self.jumps.load(Ordering::Relaxed),
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
            packets_in: self.packets_in.saturating_sub(earlier.packets_in),
            packets_out: self.packets_out.saturating_sub(earlier.packets_out),
            dropped: self.dropped.saturating_sub(earlier.dropped),
            jumps: self.jumps.saturating_sub(earlier.jumps),
            lag_millis: self.lag_millis,
        }
    }

    /// Adds another client's counters; of the lags the longest counts.
    pub fn add(&mut self, other: &Self) {
        self.bytes_in += other.bytes_in;
        self.bytes_out += other.bytes_out;
        self.packets_in += other.packets_in;
        self.packets_out += other.packets_out;
        self.dropped += other.dropped;
        self.jumps += other.jumps;
        self.lag_millis = self.lag_millis.max(other.lag_millis);
    }

    /// Whether anything but the lag is not zero.
    pub fn has_counted(&self) -> bool {
        *self
            != Self {
                lag_millis: self.lag_millis,
                ..Self::default()
            }
    }

    /// Packets of both directions.
    pub fn packets(&self) -> u64 {
        self.packets_in + self.packets_out
    }
}

/// What many clients have counted together, those that have gone included, and at what rate.
#[derive(Debug)]
pub struct Tally {
    total: Reading,
    windows: Windows,
}

impl Tally {
    /// Begins at zero.
    pub fn new(now: Instant) -> Self {
        Self {
            total: Reading::default(),
            windows: Windows::new(now),
        }
    }

    /// Adds what a client has counted since the last time. Lags are not added up.
    pub fn add(&mut self, counted: &Reading) {
        self.total.add(&Reading {
            lag_millis: 0,
            ..*counted
        });
    }

    /// Notes for the rates how much it is by now; to be called about once a second.
    pub fn sample(&mut self, now: Instant) {
        self.windows
            .record(now, self.total.bytes_in, self.total.bytes_out);
    }

    /// The sums.
    pub fn total(&self) -> &Reading {
        &self.total
    }

    /// The rates.
    pub fn windows(&self) -> &Windows {
        &self.windows
    }
}
