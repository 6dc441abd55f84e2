//! Figures as people say them.

use std::fmt;
use std::time::Duration;

use jiff::Timestamp;
use jiff::tz::TimeZone;

/// A bit rate, given in kbit/s: `850 kbit/s`, `1.2 Mbit/s`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Rate(pub(crate) u64);

impl fmt::Display for Rate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kbps = self.0 as f64;
        match self.0 {
            0..1_000 => write!(f, "{} kbit/s", self.0),
            // From 999,950 on it would be rounded to 1000.0.
            1_000..999_950 => write!(f, "{:.1} Mbit/s", kbps / 1e3),
            _ => write!(f, "{:.1} Gbit/s", kbps / 1e6),
        }
    }
}

/// A time that has passed: `45s`, `3m 12s`, `3h 12m`, `5d 3h`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Elapsed(Duration);

impl Elapsed {
    /// Of so many seconds; what is no time at all counts as none.
    pub(crate) fn seconds(seconds: f64) -> Self {
        Self(Duration::try_from_secs_f64(seconds).unwrap_or_default())
    }

    /// From one time to a later one, both in Unix milliseconds.
    pub(crate) fn between(since_ms: i64, now_ms: i64) -> Self {
        let millis = u64::try_from(now_ms.saturating_sub(since_ms)).unwrap_or_default();
        Self(Duration::from_millis(millis))
    }
}

impl fmt::Display for Elapsed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let seconds = self.0.as_secs();
        let (minutes, hours, days) = (seconds / 60, seconds / 3600, seconds / 86_400);
        let text = if days > 0 {
            format!("{days}d {}h", hours % 24)
        } else if hours > 0 {
            format!("{hours}h {}m", minutes % 60)
        } else if minutes > 0 {
            format!("{minutes}m {}s", seconds % 60)
        } else {
            format!("{seconds}s")
        };
        f.pad(&text)
    }
}

/// A point in time, given in Unix milliseconds, as the clock on the wall shows it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct WallTime(pub(crate) i64);

impl fmt::Display for WallTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match Timestamp::from_millisecond(self.0) {
            Ok(time) => {
                let time = time.to_zoned(TimeZone::system());
                write!(f, "{}", time.strftime("%Y-%m-%d %H:%M:%S"))
            }
            Err(_) => write!(f, "{} ms", self.0),
        }
    }
}

/// The time now, in Unix milliseconds.
pub(crate) fn now_ms() -> i64 {
    Timestamp::now().as_millisecond()
}

/// A fraction as percent: `12.3 %`.
pub(crate) fn percent(fraction: f64) -> String {
    format!("{:.1} %", fraction * 100.0)
}

/// A count with its digits in groups: `1,234,567`.
pub(crate) fn count(number: u64) -> String {
    let digits = number.to_string();
    let mut grouped = String::with_capacity(digits.len() + digits.len() / 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}

/// `1 problem`, `2 problems`.
pub(crate) fn plural(count: usize, one: &str) -> String {
    let plural = if count == 1 { "" } else { "s" };
    format!("{count} {one}{plural}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bit_rates_have_the_unit_that_fits() {
        let cases = [
            (0, "0 kbit/s"),
            (999, "999 kbit/s"),
            (1_000, "1.0 Mbit/s"),
            (1_234, "1.2 Mbit/s"),
            (999_949, "999.9 Mbit/s"),
            (999_950, "1.0 Gbit/s"),
            (40_000_000, "40.0 Gbit/s"),
        ];
        for (kbps, text) in cases {
            assert_eq!(Rate(kbps).to_string(), text);
        }
    }

    #[test]
    fn times_have_the_two_units_that_matter() {
        let cases = [
            (0.0, "0s"),
            (-3.0, "0s"),
            (f64::NAN, "0s"),
            (59.9, "59s"),
            (192.0, "3m 12s"),
            (3_600.0, "1h 0m"),
            (11_520.0, "3h 12m"),
            (442_800.0, "5d 3h"),
        ];
        for (seconds, text) in cases {
            assert_eq!(Elapsed::seconds(seconds).to_string(), text);
        }
        assert_eq!(Elapsed::between(1_000, 46_500).to_string(), "45s");
        assert_eq!(Elapsed::between(46_500, 1_000).to_string(), "0s");
    }

    #[test]
    fn digits_are_grouped() {
        let cases = [
            (0, "0"),
            (999, "999"),
            (1_000, "1,000"),
            (1_234_567, "1,234,567"),
        ];
        for (number, text) in cases {
            assert_eq!(count(number), text);
        }
    }

    #[test]
    fn a_time_beyond_all_calendars_is_shown_as_it_came() {
        assert_eq!(WallTime(i64::MAX).to_string(), format!("{} ms", i64::MAX));
    }
}
