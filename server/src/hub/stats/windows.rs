//! Bit rates over windows of time, in a few hundred bytes.

use std::time::{Duration, Instant};

/// The lengths of the windows.
pub const WINDOWS: [Duration; 5] = [
    Duration::from_secs(5),
    Duration::from_secs(30),
    Duration::from_secs(60),
    Duration::from_secs(300),
    Duration::from_secs(3_600),
];

/// Bit rates over one window, in kilobits (of 1000 bits) per second.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Kbps {
    /// Received.
    pub received: u64,
    /// Sent.
    pub sent: u64,
}

/// The rates of two byte counters over each of [`WINDOWS`].
///
/// Fed with readings about once a second. A window keeps a reading for each fifth of its length,
/// so that it reaches back by its length and up to a fifth more; before it has passed once it
/// covers what there is, so that the first figures are true, too.
///
/// `T` is how a counter is kept: as it is (`u64`), or as a [`Coarse`] one where there are many.
#[derive(Clone, Debug)]
pub struct Windows<T = u64> {
    began: Instant,
    newest: Reading<T>,
    rings: [Ring<T>; WINDOWS.len()],
}

/// How a byte counter is kept.
pub trait Counter: Copy + Default {
    /// The counter at `bytes`.
    fn at(bytes: u64) -> Self;

    /// How many bytes it has counted since `earlier`.
    fn since(self, earlier: Self) -> u64;
}

impl Counter for u64 {
    fn at(bytes: u64) -> Self {
        bytes
    }

    fn since(self, earlier: Self) -> u64 {
        self.saturating_sub(earlier)
    }
}

/// A byte counter in units of 256 bytes, which wraps: right as long as a window has less than a
/// terabyte, which are 2 Gbit/s for more than an hour.
#[derive(Clone, Copy, Debug, Default)]
pub struct Coarse(u32);

impl Counter for Coarse {
    fn at(bytes: u64) -> Self {
        #[expect(clippy::cast_possible_truncation, reason = "it wraps")]
        Self((bytes / UNIT) as u32)
    }

    fn since(self, earlier: Self) -> u64 {
        u64::from(self.0.wrapping_sub(earlier.0)) * UNIT
    }
}

const UNIT: u64 = 256;

/// Two byte counters at a moment.
#[derive(Clone, Copy, Debug, Default)]
struct Reading<T> {
    /// Milliseconds since the beginning. Wraps after 49 days, which differences do not notice.
    at: u32,
    bytes_in: T,
    bytes_out: T,
}

/// The last readings of a window, a fifth of its length apart.
#[derive(Clone, Copy, Debug, Default)]
struct Ring<T> {
    at: [u32; KEPT],
    bytes_in: [T; KEPT],
    bytes_out: [T; KEPT],
    /// The place of the oldest, which is the next to be overwritten.
    oldest: u8,
    len: u8,
}

/// One more than the parts of a window.
const KEPT: usize = PARTS + 1;
const PARTS: usize = 5;

impl<T: Counter> Windows<T> {
    /// Begins with counters that stand at zero.
    pub fn new(now: Instant) -> Self {
        let mut windows = Self {
            began: now,
            newest: Reading::default(),
            rings: [Ring::default(); WINDOWS.len()],
        };
        for ring in &mut windows.rings {
            ring.push(Reading::default());
        }
        windows
    }

    /// Takes the counters' present state in.
    pub fn record(&mut self, now: Instant, bytes_in: u64, bytes_out: u64) {
        let age = now.saturating_duration_since(self.began);
        // Whoever came after the moment of the sample is in the next one.
        if age.is_zero() {
            return;
        }
        #[expect(
            clippy::cast_possible_truncation,
            reason = "only differences count, and none is longer than an hour and a fifth"
        )]
        let at = age.as_millis() as u32;
        self.newest = Reading {
            at,
            bytes_in: T::at(bytes_in),
            bytes_out: T::at(bytes_out),
        };
        for (ring, length) in self.rings.iter_mut().zip(WINDOWS) {
            let part = u128::from(at.wrapping_sub(ring.newest_at()));
            // Readings come a little early or late; a part must not be skipped for that.
            if part + JITTER_MILLIS >= length.as_millis() / PARTS as u128 {
                ring.push(self.newest);
            }
        }
    }

    /// The rates over each of [`WINDOWS`].
    pub fn kbps(&self) -> [Kbps; WINDOWS.len()] {
        self.rings.each_ref().map(|ring| self.rate(ring))
    }

    /// The rates over the shortest of [`WINDOWS`].
    pub fn newest_kbps(&self) -> Kbps {
        let [shortest, ..] = &self.rings;
        self.rate(shortest)
    }

    fn rate(&self, ring: &Ring<T>) -> Kbps {
        let oldest = ring.oldest();
        let millis = u64::from(self.newest.at.wrapping_sub(oldest.at));
        let rate = |bytes: u64| bytes.saturating_mul(8).checked_div(millis).unwrap_or(0);
        Kbps {
            received: rate(self.newest.bytes_in.since(oldest.bytes_in)),
            sent: rate(self.newest.bytes_out.since(oldest.bytes_out)),
        }
    }
}

impl<T: Counter> Ring<T> {
    fn push(&mut self, reading: Reading<T>) {
        let (oldest, len) = (usize::from(self.oldest), usize::from(self.len));
        let place = (oldest + len) % KEPT;
        self.at[place] = reading.at;
        self.bytes_in[place] = reading.bytes_in;
        self.bytes_out[place] = reading.bytes_out;
        if len < KEPT {
            self.len += 1;
        } else {
            self.oldest = if oldest + 1 < KEPT {
                self.oldest + 1
            } else {
                0
            };
        }
    }

    fn oldest(&self) -> Reading<T> {
        self.get(0)
    }

    fn newest_at(&self) -> u32 {
        self.get(usize::from(self.len) - 1).at
    }

    fn get(&self, nth: usize) -> Reading<T> {
        let place = (usize::from(self.oldest) + nth) % KEPT;
        Reading {
            at: self.at[place],
            bytes_in: self.bytes_in[place],
            bytes_out: self.bytes_out[place],
        }
    }
}

/// How much earlier than it should be a reading may come.
const JITTER_MILLIS: u128 = 300;

#[cfg(test)]
mod tests {
    use super::*;

    /// Records a reading a second, with what `bytes_of` gives for each.
    fn after<T: Counter>(seconds: u64, bytes_of: impl Fn(u64) -> u64) -> Windows<T> {
        let start = Instant::now();
        let mut windows = Windows::new(start);
        let mut bytes = 0;
        for second in 1..=seconds {
            bytes += bytes_of(second);
            // As a timer does, some come a little early and some late.
            let jitter = Duration::from_millis(second * 37 % 200);
            let now = start + Duration::from_secs(second) + jitter;
            windows.record(now, bytes, bytes * 2);
        }
        windows
    }

    fn is_near(kbps: u64, expected: u64) -> bool {
        kbps.abs_diff(expected) * 100 <= expected * 5
    }

    #[test]
    fn a_steady_stream_has_one_rate_in_all_windows() {
        // The fastest one makes a coarse counter wrap.
        for (bytes, kbps) in [(40_000, 320), (125_000, 1_000), (125_000_000, 1_000_000)] {
            for seconds in [3, 10, 45, 100, 400, 10_000] {
                let exact = after::<u64>(seconds, |_| bytes).kbps();
                let coarse = after::<Coarse>(seconds, |_| bytes).kbps();
                for rate in exact.into_iter().chain(coarse) {
                    assert!(is_near(rate.received, kbps), "{seconds}: {rate:?}");
                    assert!(is_near(rate.sent, kbps * 2), "{seconds}: {rate:?}");
                }
            }
        }
    }

    #[test]
    fn each_window_reaches_back_by_its_own_length() {
        // 1000 kbit/s for two hours, then 3000 for 40 seconds.
        let windows = after::<u64>(
            7_240,
            |second| {
                if second <= 7_200 { 125_000 } else { 375_000 }
            },
        );
        assert_eq!(windows.newest_kbps(), windows.kbps()[0]);
        let [s5, s30, m1, m5, m60] = windows.kbps().map(|kbps| kbps.received);
        assert!(is_near(s5, 3_000) && is_near(s30, 3_000), "{s5} {s30}");
        // 40 of 60 to 72 seconds, of 300 to 360, of 3600 to 4320.
        assert!((2_110..=2_340).contains(&m1), "{m1}");
        assert!((1_220..=1_270).contains(&m5), "{m5}");
        assert!((1_018..=1_023).contains(&m60), "{m60}");
    }

    #[test]
    fn silence_shows_after_a_window() {
        let windows = after::<Coarse>(60, |second| if second <= 50 { 125_000 } else { 0 });
        let [s5, s30, ..] = windows.kbps().map(|kbps| kbps.received);
        assert_eq!(s5, 0);
        assert!(s30 > 500, "{s30}");
    }

    #[test]
    fn nothing_is_nothing_whenever_it_is_looked_at() {
        let start = Instant::now();
        let mut windows = Windows::<u64>::new(start);
        assert_eq!(windows.kbps(), [Kbps::default(); 5]);
        // A sample whose time was before the beginning.
        windows.record(start, 1_000_000, 1_000_000);
        assert_eq!(windows.kbps(), [Kbps::default(); 5]);
    }

    #[test]
    fn a_client_has_room_for_its_windows() {
        let bytes = size_of::<Windows<Coarse>>();
        assert!(bytes <= 424, "{bytes}");
    }
}
