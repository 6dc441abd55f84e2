//! Media time, as packets of a stream carry it.
//!
//! RTMP and FLV count milliseconds modulo 2^32, which wraps after 49.7 days. Inside, the wraps are
//! undone once, where a packet comes in ([`Timestamp::nearest`]), so that later comparisons and
//! differences need no thought.

use std::fmt;
use std::time::Duration;

/// A point in the media time of one stream: whole milliseconds since an origin that the publisher
/// chose, with the wraps of the wire undone.
///
/// Arithmetic with [`Duration`] saturates at both ends and drops what is below a millisecond.
/// Displayed as hours, minutes, seconds and milliseconds: `0:01:02.345`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp {
    millis: u64,
}

impl Timestamp {
    /// The origin of media time.
    pub const ZERO: Self = Self { millis: 0 };

    /// The latest time that can be said.
    pub const MAX: Self = Self { millis: u64::MAX };

    /// The time `millis` milliseconds after the origin.
    pub const fn from_millis(millis: u64) -> Self {
        Self { millis }
    }

    /// Milliseconds since the origin.
    pub const fn as_millis(self) -> u64 {
        self.millis
    }

    /// The time closest to `self` that the wire says as `wire`: undoes the wrap of a timestamp that
    /// follows `self` in a stream, or precedes it by a little.
    ///
    /// The result's [`wire`](Self::wire) is always `wire`; a step of up to 2^31 ms (24.8 days) in
    /// either direction is told apart. A time before the origin cannot be said: the next one that
    /// the wire says alike is taken.
    #[must_use]
    pub const fn nearest(self, wire: u32) -> Self {
        let forward = wire.wrapping_sub(self.wire());
        let millis = if forward <= HALF_WRAP {
            self.millis.checked_add(forward as u64)
        } else {
            self.millis.checked_sub(forward.wrapping_neg() as u64)
        };
        match millis {
            Some(millis) => Self { millis },
            None if forward <= HALF_WRAP => Self {
                millis: self.millis & !WIRE_MASK | wire as u64,
            },
            None => Self {
                millis: wire as u64,
            },
        }
    }

    /// Milliseconds modulo 2^32, as RTMP and FLV carry the time.
    #[must_use]
    #[expect(
        clippy::cast_possible_truncation,
        reason = "the wire's clock is the low 32 bits"
    )]
    pub const fn wire(self) -> u32 {
        self.millis as u32
    }

    /// The time `span` later, [`MAX`](Self::MAX) at most.
    #[must_use]
    pub fn saturating_add(self, span: Duration) -> Self {
        Self {
            millis: self.millis.saturating_add(whole_millis(span)),
        }
    }

    /// The time `span` earlier, [`ZERO`](Self::ZERO) at least.
    #[must_use]
    pub fn saturating_sub(self, span: Duration) -> Self {
        Self {
            millis: self.millis.saturating_sub(whole_millis(span)),
        }
    }

    /// How much later than `earlier` this is; zero if it is not later.
    pub const fn saturating_since(self, earlier: Self) -> Duration {
        Duration::from_millis(self.millis.saturating_sub(earlier.millis))
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let seconds = self.millis / 1000;
        let (hours, minutes) = (seconds / 3600, seconds / 60 % 60);
        write!(
            f,
            "{hours}:{minutes:02}:{:02}.{:03}",
            seconds % 60,
            self.millis % 1000
        )
    }
}

fn whole_millis(span: Duration) -> u64 {
    u64::try_from(span.as_millis()).unwrap_or(u64::MAX)
}

/// A step forward on the wire's clock that is longer than this is a step back.
const HALF_WRAP: u32 = 1 << 31;

const WIRE_MASK: u64 = u32::MAX as u64;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const WRAP: u64 = 1 << 32;

    #[test]
    fn the_wire_carries_milliseconds_modulo_2_to_the_32() {
        let cases = [
            (0, 0),
            (40, 40),
            (WRAP - 1, u32::MAX),
            (WRAP, 0),
            (3 * WRAP + 7, 7),
        ];
        for (millis, wire) in cases {
            assert_eq!(Timestamp::from_millis(millis).wire(), wire);
        }
    }

    #[test]
    fn the_nearest_time_undoes_wraps_in_both_directions() {
        let cases = [
            ("a step forward", 1000, 1040, 1040),
            ("a step back", 1000, 960, 960),
            ("forward over a wrap", WRAP - 10, 30, WRAP + 30),
            ("back over a wrap", WRAP + 10, 0xFFFF_FFF0, WRAP - 16),
            ("a second wrap", 2 * WRAP - 1, 0, 2 * WRAP),
            (
                "a step of exactly half a wrap is forward",
                0,
                1 << 31,
                1 << 31,
            ),
            ("before the origin", 5, 0xFFFF_FFFF, WRAP - 1),
            ("past the last time", u64::MAX, 4, u64::MAX - WIRE_MASK + 4),
        ];
        for (name, from, wire, expected) in cases {
            let nearest = Timestamp::from_millis(from).nearest(wire);
            assert_eq!(nearest, Timestamp::from_millis(expected), "{name}");
        }
    }

    #[test]
    fn arithmetic_saturates_and_drops_fractions() {
        let time = Timestamp::from_millis(1000);
        assert_eq!(
            time.saturating_add(Duration::from_micros(2999)).as_millis(),
            1002
        );
        assert_eq!(time.saturating_sub(Duration::from_secs(2)), Timestamp::ZERO);
        assert_eq!(time.saturating_add(Duration::MAX), Timestamp::MAX);
        assert_eq!(
            time.saturating_since(Timestamp::ZERO),
            Duration::from_secs(1)
        );
        assert_eq!(Timestamp::ZERO.saturating_since(time), Duration::ZERO);
    }

    #[test]
    fn times_are_shown_as_hours_minutes_and_seconds() {
        let cases = [
            (0, "0:00:00.000"),
            (62_345, "0:01:02.345"),
            (360_000_001, "100:00:00.001"),
        ];
        for (millis, expected) in cases {
            assert_eq!(Timestamp::from_millis(millis).to_string(), expected);
        }
    }

    proptest! {
        #[test]
        fn the_nearest_time_is_said_alike_by_the_wire(millis: u64, wire: u32) {
            prop_assert_eq!(Timestamp::from_millis(millis).nearest(wire).wire(), wire);
        }

        #[test]
        fn a_stream_of_any_length_is_followed(
            start: u32,
            steps in prop::collection::vec(0..1u32 << 31, 0..50),
        ) {
            let mut expected = u64::from(start);
            let mut time = Timestamp::ZERO.nearest(start);
            for step in steps {
                expected += u64::from(step);
                time = time.nearest(Timestamp::from_millis(expected).wire());
                prop_assert_eq!(time.as_millis(), expected);
            }
        }
    }
}
