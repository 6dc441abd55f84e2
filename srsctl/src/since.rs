//! A point in time as it is written on the command line: `10m` (ago), `17:05`,
//! `2026-11-22 17:05:06`, RFC 3339.

use std::str::FromStr;

use jiff::civil::{DateTime, Time};
use jiff::tz::TimeZone;
use jiff::{Timestamp, Zoned};

use crate::duration;

/// A point in time in the past.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Since(pub(crate) Timestamp);

/// Why text is no point in time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum SinceError {
    #[error("expected a time, as in 10m (ago), 17:05, \"2026-11-22 17:05:06\" or RFC 3339")]
    Unknown,
}

impl FromStr for Since {
    type Err = SinceError;

    fn from_str(text: &str) -> Result<Self, SinceError> {
        parse(text.trim(), &Zoned::now())
            .map(Self)
            .ok_or(SinceError::Unknown)
    }
}

/// Times without a zone are those of `now`.
fn parse(text: &str, now: &Zoned) -> Option<Timestamp> {
    if let Ok(ago) = duration::parse(text) {
        return now.timestamp().checked_sub(ago).ok();
    }
    if let Ok(timestamp) = text.parse::<Timestamp>() {
        return Some(timestamp);
    }
    let at = |time: DateTime, zone: &TimeZone| Some(time.to_zoned(zone.clone()).ok()?.timestamp());
    if let Ok(time) = text.parse::<DateTime>() {
        return at(time, now.time_zone());
    }
    let time: Time = text.parse().ok()?;
    let today = at(now.date().to_datetime(time), now.time_zone())?;
    if today <= now.timestamp() {
        return Some(today);
    }
    // In the morning, 23:00 is that of yesterday.
    let yesterday = now.date().yesterday().ok()?;
    at(yesterday.to_datetime(time), now.time_zone())
}

#[cfg(test)]
mod tests {
    use jiff::tz::offset;

    use super::*;

    #[test]
    fn times_are_written_as_people_do() {
        let zone = TimeZone::fixed(offset(1));
        let now = "2026-11-22T17:05:06".parse::<DateTime>().unwrap();
        let now = now.to_zoned(zone).unwrap();
        let cases = [
            ("10m", "2026-11-22T16:55:06+01:00"),
            ("1d", "2026-11-21T17:05:06+01:00"),
            ("17:05", "2026-11-22T17:05:00+01:00"),
            ("23:00", "2026-11-21T23:00:00+01:00"),
            ("2026-11-20", "2026-11-20T00:00:00+01:00"),
            ("2026-11-20 12:30", "2026-11-20T12:30:00+01:00"),
            ("2026-11-20 12:30:01.5", "2026-11-20T12:30:01.5+01:00"),
            ("2026-11-20T12:30:00Z", "2026-11-20T13:30:00+01:00"),
        ];
        for (text, expected) in cases {
            assert_eq!(parse(text, &now), Some(expected.parse().unwrap()), "{text}");
        }
        for text in ["", "yesterday", "25:00", "2026-13-01"] {
            assert_eq!(parse(text, &now), None, "{text}");
        }
    }
}
