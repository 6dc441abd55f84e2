//! The types of values: durations, sizes, counts, addresses, paths.
//!
//! Those that are a type of their own ([`ListenAddr`], [`ChunkSize`], [`FilePath`]) are right by
//! construction. Those that the program wants as a plain `Duration` or integer are read by an
//! adapter for serde's `with` that carries the range: [`DurationBetween`], [`SizeBetween`],
//! [`Count`]. Where a setting has a value of another kind beside those, its own type uses an
//! adapter: [`DurationOrAuto`], [`SizeOrAuto`]. What they report says what would have been right.

pub(super) use self::addr_list::AddrList;
pub use self::api_addr::ApiAddr;
pub use self::chunk_size::ChunkSize;
pub(super) use self::count::Count;
pub(super) use self::device_id::DeviceId;
pub(super) use self::duration::{DurationBetween, DurationOrAuto, DurationOrOff};
pub use self::file_path::FilePath;
pub use self::http_url::HttpUrl;
pub use self::listen_addr::{ListenAddr, ListenAddrError};
pub(super) use self::size::{SizeBetween, SizeOrAuto};

mod addr_list;
mod api_addr;
mod chunk_size;
mod count;
mod device_id;
mod duration;
mod file_path;
mod http_url;
mod listen_addr;
mod size;

/// `number`, a decimal such as `1.5`, times `unit`, if that is a whole number: no rounding, so
/// that a value means what is written.
fn multiply(number: &str, unit: u64) -> Result<u64, DecimalError> {
    let (whole, fraction) = number.split_once('.').unwrap_or((number, "0"));
    let is_digits = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    if !is_digits(whole) || !is_digits(fraction) {
        return Err(DecimalError::NotANumber);
    }
    let whole: u64 = whole.parse().map_err(|_| DecimalError::TooLarge)?;
    let fraction = fraction.trim_end_matches('0');
    let digits = u32::try_from(fraction.len())
        .ok()
        .filter(|&digits| digits <= MAX_FRACTION_DIGITS)
        .ok_or(DecimalError::Inexact)?;
    let numerator: u128 = if digits == 0 {
        0
    } else {
        fraction.parse().unwrap_or(0)
    };
    let denominator = 10_u128.pow(digits);
    let part = numerator * u128::from(unit);
    if !part.is_multiple_of(denominator) {
        return Err(DecimalError::Inexact);
    }
    let part = u64::try_from(part / denominator).map_err(|_| DecimalError::TooLarge)?;
    whole
        .checked_mul(unit)
        .and_then(|product| product.checked_add(part))
        .ok_or(DecimalError::TooLarge)
}

/// Why a number times its unit is not the whole number that is wanted.
#[derive(Debug, PartialEq, Eq)]
enum DecimalError {
    NotANumber,
    TooLarge,
    Inexact,
}

/// Twelve digits and any unit fit in 128 bits; nobody writes more on purpose.
const MAX_FRACTION_DIGITS: u32 = 12;

/// The value of a setting that the server finds by itself.
const AUTO: &str = "auto";

/// `text` for a message, cut where a message would get out of hand.
fn excerpt(text: &str) -> String {
    match text.char_indices().nth(MAX_EXCERPT) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

const MAX_EXCERPT: usize = 24;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_decimal_times_its_unit_is_exact_or_refused() {
        let cases = [
            ("0", 1_000, Ok(0)),
            ("10", 1_000, Ok(10_000)),
            ("9.9", 1_000, Ok(9_900)),
            ("0.35", 1_000, Ok(350)),
            ("1.500000000000000000", 60_000, Ok(90_000)),
            ("0.0001", 1_000, Err(DecimalError::Inexact)),
            ("0.3333333333333333", 3, Err(DecimalError::Inexact)),
            ("18446744073709551615", 1, Ok(u64::MAX)),
            ("18446744073709551616", 1, Err(DecimalError::TooLarge)),
            ("18446744073709551615.5", 2, Err(DecimalError::TooLarge)),
            ("", 1, Err(DecimalError::NotANumber)),
            (".5", 2, Err(DecimalError::NotANumber)),
            ("5.", 2, Err(DecimalError::NotANumber)),
            ("1.2.3", 2, Err(DecimalError::NotANumber)),
            ("+1", 2, Err(DecimalError::NotANumber)),
        ];
        for (number, unit, expected) in cases {
            assert_eq!(multiply(number, unit), expected, "{number} × {unit}");
        }
    }
}
