//! How many packets were lost within the last half minute.

use std::time::{Duration, Instant};

/// What was lost lately, by the parts of half a minute.
#[derive(Debug)]
pub struct Losses {
    began: Instant,
    /// What the counter was when it was looked at last.
    total: u64,
    /// The newest part, counted from the beginning.
    newest: u64,
    parts: [u64; PARTS],
}

impl Losses {
    /// Begins with a counter that stands at zero.
    pub fn new(now: Instant) -> Self {
        Self {
            began: now,
            total: 0,
            newest: 0,
            parts: [0; PARTS],
        }
    }

    /// Goes on with a counter that stands at zero again.
    pub fn resume(&mut self) {
        self.total = 0;
    }

    /// Takes in how many were lost up to now; to be called about once a second.
    pub fn record(&mut self, now: Instant, total: u64) {
        let age = now.saturating_duration_since(self.began);
        let newest = age.as_secs() / PART.as_secs();
        let gone = newest.saturating_sub(self.newest).min(PARTS as u64);
        for part in 0..gone {
            *self.part(newest - part) = 0;
        }
        self.newest = newest;
        *self.part(newest) += total.saturating_sub(self.total);
        self.total = total;
    }

    /// How many were lost within the last half minute.
    pub fn recent(&self) -> u64 {
        self.parts.iter().sum()
    }

    fn part(&mut self, part: u64) -> &mut u64 {
        let place = usize::try_from(part % PARTS as u64).unwrap_or_default();
        &mut self.parts[place]
    }
}

const PARTS: usize = 6;
const PART: Duration = Duration::from_secs(5);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_lost_is_forgotten_after_half_a_minute() {
        let start = Instant::now();
        let mut losses = Losses::new(start);
        let mut after = |second, total| {
            losses.record(start + Duration::from_secs(second), total);
            losses.recent()
        };
        assert_eq!(after(1, 10), 10);
        assert_eq!(after(2, 10), 10);
        assert_eq!(after(12, 15), 15);
        assert_eq!(after(29, 15), 15);
        assert_eq!(after(30, 15), 5);
        assert_eq!(after(44, 15), 0);
        assert_eq!(after(45, 20), 5);
        assert_eq!(after(10_000, 20), 0);
        losses.resume();
        losses.record(start + Duration::from_secs(10_001), 3);
        assert_eq!(losses.recent(), 3);
    }
}
