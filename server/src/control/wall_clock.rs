//! The time of day, for people and other machines. Durations are measured by `Instant`.

use std::time::{SystemTime, UNIX_EPOCH};

/// Milliseconds since 1970.
pub fn unix_millis() -> i64 {
    unix_millis_of(SystemTime::now())
}

/// Milliseconds from 1970 to `time`; 0 if that was before.
pub fn unix_millis_of(time: SystemTime) -> i64 {
    let since = time.duration_since(UNIX_EPOCH);
    since.map_or(0, |since| {
        i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
    })
}
