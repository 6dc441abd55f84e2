//! How long to wait before a collector that failed is tried again.

use std::time::Duration;

/// Waits that double from one interval up to a minute, each a little longer by chance, so that a
/// fleet does not come back as one.
#[derive(Debug)]
pub(super) struct Backoff {
    interval: Duration,
    wait: Duration,
}

impl Backoff {
    /// Never faster than `interval`, which is that of successful beats.
    pub(super) fn new(interval: Duration) -> Self {
        Self {
            interval,
            wait: interval,
        }
    }

    /// All is well again.
    pub(super) fn reset(&mut self) {
        self.wait = self.interval;
    }

    /// How long to wait after one more failure.
    pub(super) fn next(&mut self) -> Duration {
        self.next_with(chance())
    }

    fn next_with(&mut self, chance: u8) -> Duration {
        let wait = self.wait;
        self.wait = (wait * 2).min(LONGEST).max(self.interval);
        wait + wait / 4 * u32::from(chance) / u32::from(u8::MAX)
    }
}

/// Any number, each as likely as the others; should the system have no randomness to give, each
/// server goes by its process id.
fn chance() -> u8 {
    let mut chance = [0];
    if getrandom::fill(&mut chance).is_err() {
        [chance[0], ..] = std::process::id().to_le_bytes();
    }
    chance[0]
}

/// A collector that is back is found within a minute and a quarter.
const LONGEST: Duration = Duration::from_secs(60);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_grow_to_a_minute_and_begin_anew() {
        let seconds = |backoff: &mut Backoff, chance| backoff.next_with(chance).as_secs_f64();
        let mut backoff = Backoff::new(Duration::from_secs(10));
        let waits: Vec<f64> = (0..5).map(|_| seconds(&mut backoff, 0)).collect();
        assert_eq!(waits, [10.0, 20.0, 40.0, 60.0, 60.0]);
        assert_eq!(seconds(&mut backoff, u8::MAX), 75.0);
        backoff.reset();
        assert_eq!(seconds(&mut backoff, u8::MAX), 12.5);
    }

    #[test]
    fn waits_are_never_shorter_than_the_interval() {
        for interval in [Duration::from_millis(300), Duration::from_secs(3_600)] {
            let mut backoff = Backoff::new(interval);
            for _ in 0..20 {
                assert!(backoff.next() >= interval);
            }
        }
    }
}
