//! How fast media comes: seconds of it in a second.

use std::time::{Duration, Instant};

use srs_media::time::Timestamp;

/// How far the media has come, over the last seconds.
#[derive(Clone, Copy, Debug, Default)]
pub struct Pace {
    /// Which publisher it is of; each has a pace of its own.
    publisher: u64,
    /// The moments that were looked at, and how far it was then; in a ring.
    moments: [Option<(Instant, Timestamp)>; KEPT],
    next: usize,
}

impl Pace {
    /// Takes in how far the media of a publisher has come; to be called about once a second.
    pub fn record(&mut self, now: Instant, publisher: u64, newest: Timestamp) {
        if self.publisher != publisher {
            *self = Self {
                publisher,
                ..Self::default()
            };
        }
        self.moments[self.next] = Some((now, newest));
        self.next = (self.next + 1) % KEPT;
    }

    /// Seconds of media in a second, over the last ten; `None` before they have passed.
    pub fn speed(&self) -> Option<f64> {
        let last = (self.next + KEPT - 1) % KEPT;
        let (newest_at, newest) = self.moments[last]?;
        let (oldest_at, oldest) = self.moments[self.next]?;
        let passed = newest_at.saturating_duration_since(oldest_at);
        // Whoever looks too often would find every packet's unevenness.
        (passed >= LEAST)
            .then(|| newest.saturating_since(oldest).as_secs_f64() / passed.as_secs_f64())
    }
}

/// The two ends of ten seconds, and what lies between.
const KEPT: usize = 11;
const LEAST: Duration = Duration::from_secs(5);

#[cfg(test)]
mod tests {
    use super::*;

    fn after(seconds: u64, publisher: u64, pace: &mut Pace, millis_a_second: u64) {
        let start = Instant::now();
        for second in 0..seconds {
            let newest = Timestamp::from_millis(second * millis_a_second);
            pace.record(start + Duration::from_secs(second), publisher, newest);
        }
    }

    #[test]
    fn media_that_comes_at_half_its_speed_is_seen_after_ten_seconds() {
        for (millis, expected) in [(1_000, 1.0), (500, 0.5), (0, 0.0), (1_500, 1.5)] {
            let mut pace = Pace::default();
            after(10, 7, &mut pace, millis);
            assert_eq!(pace.speed(), None);
            after(30, 7, &mut pace, millis);
            assert_eq!(pace.speed(), Some(expected));
        }
    }

    #[test]
    fn another_publisher_begins_anew() {
        let mut pace = Pace::default();
        after(30, 7, &mut pace, 500);
        after(3, 8, &mut pace, 1_000);
        assert_eq!(pace.speed(), None);
    }
}
