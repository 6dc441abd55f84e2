//! The distribution of durations, in a memory that does not grow with their number.

use std::time::Duration;

use super::moment::nanos;

/// Counts of durations in buckets whose width is less than a hundredth of their value, from a
/// nanosecond to centuries. What it tells is exact to that, the largest duration is exact.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Histogram {
    counts: Box<[u64]>,
    count: u64,
    max: u64,
}

impl Histogram {
    /// One duration more.
    pub(super) fn record(&mut self, duration: Duration) {
        let value = nanos(duration);
        self.counts[bucket(value)] += 1;
        self.count += 1;
        self.max = self.max.max(value);
    }

    /// Everything that `other` has counted, too.
    pub(super) fn merge(&mut self, other: &Self) {
        for (count, more) in self.counts.iter_mut().zip(&other.counts) {
            *count += more;
        }
        self.count += other.count;
        self.max = self.max.max(other.max);
    }

    /// How many durations were recorded.
    pub(super) fn count(&self) -> u64 {
        self.count
    }

    /// The longest duration.
    pub(super) fn max(&self) -> Option<Duration> {
        (self.count > 0).then(|| Duration::from_nanos(self.max))
    }

    /// The duration that `percent` (0 to 100) of all do not exceed; `None` if there is none at all.
    pub(super) fn percentile(&self, percent: u64) -> Option<Duration> {
        // The nearest rank: the first one that has so many up to itself.
        let rank = (self.count * percent).div_ceil(100).max(1);
        let mut up_to = 0;
        let bucket = self.counts.iter().position(|count| {
            up_to += count;
            up_to >= rank
        })?;
        Some(Duration::from_nanos(middle(bucket).min(self.max)))
    }
}

impl Default for Histogram {
    fn default() -> Self {
        Self {
            counts: vec![0; BUCKETS].into(),
            count: 0,
            max: 0,
        }
    }
}

/// The bucket of `value`. The first 128 are one wide, then each power of two has 64 of the same
/// width.
fn bucket(value: u64) -> usize {
    let scale = scale(value);
    let place = usize::try_from(value >> scale).expect("a value scaled down to 7 bits");
    scale * PER_POWER + place
}

/// By how many bits `value` is too long for [`PRECISION`] and one more.
fn scale(value: u64) -> usize {
    let bits = (u64::BITS - value.leading_zeros()) as usize;
    bits.saturating_sub(PRECISION + 1)
}

/// The value in the middle of a bucket.
fn middle(bucket: usize) -> u64 {
    let scale = (bucket / PER_POWER).saturating_sub(1);
    let first = ((bucket - scale * PER_POWER) as u64) << scale;
    first + (1 << scale >> 1)
}

/// Bits behind the first that tell buckets apart.
const PRECISION: usize = 6;
const PER_POWER: usize = 1 << PRECISION;
/// One for each value below 128, then 64 for each longer number of bits.
const BUCKETS: usize = (u64::BITS as usize - PRECISION + 1) * PER_POWER;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn of(values: impl IntoIterator<Item = u64>) -> Histogram {
        let mut histogram = Histogram::default();
        for value in values {
            histogram.record(Duration::from_nanos(value));
        }
        histogram
    }

    fn percentiles(histogram: &Histogram) -> [Option<u128>; 3] {
        [50, 95, 99].map(|p| histogram.percentile(p).map(|duration| duration.as_nanos()))
    }

    #[test]
    fn nothing_has_no_percentiles() {
        let empty = Histogram::default();
        assert_eq!(percentiles(&empty), [None; 3]);
        assert_eq!((empty.max(), empty.count()), (None, 0));
    }

    #[test]
    fn small_values_are_exact() {
        assert_eq!(percentiles(&of(1..=100)), [Some(50), Some(95), Some(99)]);
        assert_eq!(percentiles(&of([7])), [Some(7); 3]);
    }

    #[test]
    fn a_percentile_is_never_above_the_largest() {
        let histogram = of([1_000_003]);
        assert!(histogram.percentile(100) <= histogram.max());
        assert_eq!(histogram.max(), Some(Duration::from_nanos(1_000_003)));
    }

    #[test]
    fn merged_histograms_are_one_of_all_values() {
        let mut left = of([5, 10_000, 70_000_000]);
        left.merge(&of([6, 20_000, u64::MAX]));
        assert_eq!(left, of([5, 6, 10_000, 20_000, 70_000_000, u64::MAX]));
    }

    proptest! {
        #[test]
        fn every_value_is_found_again_within_a_hundredth(bits in 0..64_u32, value: u64) {
            let value = value >> bits;
            let found = middle(bucket(value));
            prop_assert!(found.abs_diff(value) <= value / 100, "{value} became {found}");
        }

        #[test]
        fn buckets_follow_each_other_in_the_order_of_their_values(value in 0..u64::MAX) {
            let (this, next) = (bucket(value), bucket(value + 1));
            prop_assert!(next == this || next == this + 1);
        }
    }

    #[test]
    fn the_largest_value_has_the_last_bucket() {
        assert_eq!(bucket(u64::MAX), BUCKETS - 1);
    }
}
