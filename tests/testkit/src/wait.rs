//! Bounded waits for what the kernel cannot wake us for: a file that grows, a port that opens, a
//! process that ends.
//!
//! The only sleep of the tests is the pause between two looks, here. Whoever waits for a line of a
//! log is woken by [`Log`](crate::Log) instead.

use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Result, bail};

/// Looks until `look` finds something, and gives that.
///
/// # Errors
/// If there was nothing for `bound`, which the message says with `what`; or what `look` failed with.
pub fn wait_for<T>(
    bound: Duration,
    what: &str,
    mut look: impl FnMut() -> Result<Option<T>>,
) -> Result<T> {
    let start = Instant::now();
    loop {
        if let Some(found) = look()? {
            return Ok(found);
        }
        if start.elapsed() >= bound {
            bail!("waited {bound:?} for {what}, in vain");
        }
        thread::sleep(BETWEEN_LOOKS);
    }
}

/// Looks until `holds` is true.
///
/// # Errors
/// If it was not for `bound`, which the message says with `what`.
pub fn wait_until(bound: Duration, what: &str, mut holds: impl FnMut() -> bool) -> Result<()> {
    wait_for(bound, what, || Ok(holds().then_some(())))
}

/// Short against everything that is measured, long against the cost of a look.
const BETWEEN_LOOKS: Duration = Duration::from_millis(5);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wait_ends_when_its_condition_holds() {
        let mut looks = 0;
        let found = wait_for(Duration::from_secs(5), "the third look", || {
            looks += 1;
            Ok((looks == 3).then_some("found"))
        });
        assert_eq!(found.unwrap(), "found");
        assert_eq!(looks, 3);
    }

    #[test]
    fn a_wait_in_vain_says_what_was_waited_for() {
        let error = wait_until(Duration::ZERO, "the end of time", || false).unwrap_err();
        assert_eq!(error.to_string(), "waited 0ns for the end of time, in vain");
    }
}
