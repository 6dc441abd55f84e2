//! The time that is measured, and what a player received in it.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use super::moment::Moment;

/// When the measuring begins and when it is over, for all that take part in it.
#[derive(Debug)]
pub(super) struct Window {
    // In nanoseconds. All is done on one thread: there is no order to keep.
    begin: AtomicU64,
    end: AtomicU64,
}

impl Window {
    /// A window that has not begun.
    pub(super) const fn new() -> Self {
        Self {
            begin: AtomicU64::new(u64::MAX),
            end: AtomicU64::new(u64::MAX),
        }
    }

    /// The measuring begins at `at`.
    pub(super) fn open(&self, at: Moment) {
        self.begin.store(at.nanos(), Ordering::Relaxed);
    }

    /// The measuring is over at `at`.
    pub(super) fn close(&self, at: Moment) {
        self.end.store(at.nanos(), Ordering::Relaxed);
    }

    pub(super) fn begin(&self) -> Moment {
        Moment::from_nanos(self.begin.load(Ordering::Relaxed))
    }

    pub(super) fn end(&self) -> Moment {
        Moment::from_nanos(self.end.load(Ordering::Relaxed))
    }

    /// Whether `at` is measured.
    pub(super) fn holds(&self, at: Moment) -> bool {
        at >= self.begin() && at < self.end()
    }
}

/// What one player has received.
#[derive(Clone, Copy, Debug)]
pub(super) struct Arrivals {
    /// In the window.
    bytes: u64,
    last: Moment,
    is_starved: bool,
}

impl Arrivals {
    /// A player that has just received something.
    pub(super) const fn new(now: Moment) -> Self {
        Self {
            bytes: 0,
            last: now,
            is_starved: false,
        }
    }

    /// `len` bytes have arrived by `now`; with none it was looked for them in vain.
    pub(super) fn take(&mut self, len: usize, now: Moment, window: &Window) {
        if window.holds(now) {
            self.bytes += len as u64;
        }
        // What was before the window is not its matter, nor what comes after it.
        let silence = now.min(window.end()).since(self.last.max(window.begin()));
        self.is_starved |= silence >= STARVED_AFTER;
        if len > 0 {
            self.last = now;
        }
    }

    /// Bytes in the window.
    pub(super) const fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Whether the player got nothing for too long in the window.
    pub(super) const fn is_starved(&self) -> bool {
        self.is_starved
    }
}

/// A player that gets no byte for so long is starved.
const STARVED_AFTER: Duration = Duration::from_secs(3);

#[cfg(test)]
mod tests {
    use super::*;

    fn second(number: u64) -> Moment {
        Moment::from_nanos(number * 1_000_000_000)
    }

    fn arrivals(at: &[(u64, usize)]) -> Arrivals {
        let window = Window::new();
        let mut arrivals = Arrivals::new(second(0));
        for (time, len) in at {
            if *time >= 10 {
                window.open(second(10));
            }
            if *time >= 20 {
                window.close(second(20));
            }
            arrivals.take(*len, second(*time), &window);
        }
        arrivals
    }

    #[test]
    fn bytes_count_in_the_window_alone() {
        let arrivals = arrivals(&[(9, 1), (10, 20), (12, 300), (14, 4_000), (20, 50_000)]);
        assert_eq!(arrivals.bytes(), 4_320);
    }

    #[test]
    fn three_seconds_without_a_byte_are_too_long() {
        let cases = [
            ("a gap", vec![(10, 1), (13, 1)], true),
            ("nothing at all", vec![(10, 0), (12, 0), (13, 0)], true),
            (
                "a gap before the window",
                vec![(1, 1), (10, 1), (12, 1)],
                false,
            ),
            (
                "a gap that ends in the window",
                vec![(1, 1), (12, 1)],
                false,
            ),
            (
                "a gap up to the end of the window",
                vec![(12, 1), (14, 1), (16, 1), (30, 0)],
                true,
            ),
            (
                "a gap after the window",
                vec![(12, 1), (14, 1), (16, 1), (18, 1), (30, 1)],
                false,
            ),
        ];
        for (name, at, expected) in cases {
            assert_eq!(arrivals(&at).is_starved(), expected, "{name}");
        }
    }
}
