//! Complaints that strangers can cause as often as they like, and that the log shows now and then.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// One kind of complaint.
#[derive(Debug, Default)]
pub struct Complaint {
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    told: Option<Instant>,
    /// How many were kept back since.
    kept_back: u64,
}

impl Complaint {
    /// Whether to tell one that happens now; if so, with how many were kept back since the last
    /// one that was told.
    pub fn is_due(&self, now: Instant) -> Option<u64> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let is_early = |told: Instant| now.saturating_duration_since(told) < EVERY;
        if state.told.is_some_and(is_early) {
            state.kept_back += 1;
            return None;
        }
        state.told = Some(now);
        Some(std::mem::take(&mut state.kept_back))
    }
}

/// Often enough to see that it goes on.
const EVERY: Duration = Duration::from_secs(10);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flood_is_one_line_at_a_time_that_says_how_large_it_is() {
        let complaint = Complaint::default();
        let start = Instant::now();
        let at = |millis| complaint.is_due(start + Duration::from_millis(millis));
        assert_eq!(at(0), Some(0));
        for millis in 0..5_000 {
            assert_eq!(at(millis), None);
        }
        assert_eq!(at(9_999), None);
        assert_eq!(at(10_000), Some(5_001));
        assert_eq!(at(10_001), None);
        assert_eq!(at(60_000), Some(1));
        assert_eq!(at(80_000), Some(0));
    }
}
