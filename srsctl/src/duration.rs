//! Durations as they are written on the command line: `10s`, `350ms`, `1m30s`, `90`.

use std::time::Duration;

/// Why text is no duration.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum DurationError {
    #[error("expected a number with a unit, as in 10s or 350ms")]
    NotANumber,
    #[error("unknown unit {0:?}, expected ms, s, m, h or d")]
    UnknownUnit(String),
    #[error("expected more than zero")]
    Zero,
    #[error("longer than a year")]
    TooLong,
}

/// Reads a duration above zero and up to a year; a bare number is seconds.
///
/// # Errors
/// [`DurationError`]: what is wrong with it, for the person who wrote it.
pub(crate) fn parse(text: &str) -> Result<Duration, DurationError> {
    let text = text.trim();
    let mut duration = Duration::ZERO;
    let mut rest = text;
    while !rest.is_empty() || duration.is_zero() {
        let (number, after) = split_where(rest, |c| !is_part_of_number(c));
        let (unit, after) = split_where(after, is_part_of_number);
        let amount: f64 = number.parse().map_err(|_| DurationError::NotANumber)?;
        let seconds = match UNITS.iter().find(|(name, _)| *name == unit) {
            Some((_, seconds)) => *seconds,
            None if number == text => 1.0,
            None => return Err(DurationError::UnknownUnit(unit.to_owned())),
        };
        let part =
            Duration::try_from_secs_f64(amount * seconds).map_err(|_| DurationError::TooLong)?;
        duration = duration.saturating_add(part);
        rest = after;
        if rest.is_empty() && duration.is_zero() {
            return Err(DurationError::Zero);
        }
    }
    if duration > LONGEST {
        Err(DurationError::TooLong)
    } else {
        Ok(duration)
    }
}

/// As [`parse`], and zero.
///
/// # Errors
/// As [`parse`].
pub(crate) fn parse_or_zero(text: &str) -> Result<Duration, DurationError> {
    match parse(text) {
        Err(DurationError::Zero) => Ok(Duration::ZERO),
        result => result,
    }
}

fn is_part_of_number(c: char) -> bool {
    c.is_ascii_digit() || c == '.'
}

fn split_where(text: &str, is_end: impl Fn(char) -> bool) -> (&str, &str) {
    text.split_at(text.find(is_end).unwrap_or(text.len()))
}

/// Units in seconds.
const UNITS: [(&str, f64); 5] = [
    ("ms", 0.001),
    ("s", 1.0),
    ("m", 60.0),
    ("h", 3600.0),
    ("d", 86_400.0),
];

/// Deadlines that far away can be reckoned with without a thought for overflow.
const LONGEST: Duration = Duration::from_secs(366 * 86_400);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_numbers_with_units() {
        let cases = [
            ("10s", 10_000),
            ("350ms", 350),
            ("1m30s", 90_000),
            ("2h", 7_200_000),
            ("1.5s", 1_500),
            ("0.25", 250),
            ("1d", 86_400_000),
            ("90", 90_000),
            (" 5s ", 5_000),
        ];
        for (text, millis) in cases {
            assert_eq!(parse(text), Ok(Duration::from_millis(millis)), "{text}");
        }
    }

    #[test]
    fn zero_is_a_duration_where_it_has_a_meaning() {
        assert_eq!(parse_or_zero("0s"), Ok(Duration::ZERO));
        assert_eq!(parse_or_zero("1s"), Ok(Duration::from_secs(1)));
        assert_eq!(parse_or_zero("s"), Err(DurationError::NotANumber));
    }

    #[test]
    fn anything_else_is_refused_with_what_is_wrong() {
        let unknown = |unit: &str| DurationError::UnknownUnit(unit.to_owned());
        let cases = [
            ("", DurationError::NotANumber),
            ("s", DurationError::NotANumber),
            ("-5s", DurationError::NotANumber),
            ("5x", unknown("x")),
            ("1..5s", DurationError::NotANumber),
            ("5 s", unknown(" s")),
            ("1m30", unknown("")),
            ("0s", DurationError::Zero),
            ("0", DurationError::Zero),
            ("367d", DurationError::TooLong),
            ("99999999999999999999d", DurationError::TooLong),
        ];
        for (text, error) in cases {
            assert_eq!(parse(text), Err(error), "{text}");
        }
    }
}
