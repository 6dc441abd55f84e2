//! Moments on a clock that the processes of a machine share.

use std::ops::Add;
use std::time::Duration;

use rustix::time::{ClockId, clock_gettime};

/// A moment in nanoseconds on `CLOCK_MONOTONIC`. Unlike a [`std::time::Instant`] it can be sent to
/// another process, and means the same there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Moment(u64);

impl Moment {
    pub(super) const fn from_nanos(nanos: u64) -> Self {
        Self(nanos)
    }

    /// What the clock shows.
    pub(super) fn now() -> Self {
        Self(nanos(of_clock(ClockId::Monotonic)))
    }

    pub(super) const fn nanos(self) -> u64 {
        self.0
    }

    /// The time since `earlier`; zero if that is later.
    pub(super) const fn since(self, earlier: Self) -> Duration {
        Duration::from_nanos(self.0.saturating_sub(earlier.0))
    }
}

impl Add<Duration> for Moment {
    type Output = Self;

    fn add(self, duration: Duration) -> Self {
        Self(self.0.saturating_add(nanos(duration)))
    }
}

/// The time that this process has had the processors for, with all its threads.
pub(super) fn processor_time() -> Duration {
    of_clock(ClockId::ProcessCPUTime)
}

fn of_clock(clock: ClockId) -> Duration {
    // These clocks never show a negative time.
    clock_gettime(clock).try_into().unwrap_or_default()
}

/// Nanoseconds of `duration`; they are enough for 584 years.
pub(super) fn nanos(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_between_moments_is_never_negative() {
        let (early, late) = (Moment::from_nanos(1_000), Moment::from_nanos(1_500));
        assert_eq!(late.since(early), Duration::from_nanos(500));
        assert_eq!(early.since(late), Duration::ZERO);
        assert_eq!(early + Duration::from_nanos(500), late);
    }

    #[test]
    fn the_clock_goes_on() {
        let before = Moment::now();
        assert!(Moment::now() >= before && before.nanos() > 0);
    }
}
