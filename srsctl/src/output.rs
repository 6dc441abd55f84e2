//! What people read: messages and a status line on standard error, tables and pages, and how
//! figures are written.
//!
//! Results for standard output go through [`crate::sink`].

mod page;
mod report;
mod table;
mod terminal;
pub(crate) mod text;
pub(crate) mod units;

use std::fmt;
use std::io::{self, IsTerminal as _, Write as _};
use std::time::{Duration, Instant};

pub(crate) use self::page::Page;
pub(crate) use self::report::{Report, list_remark};
pub(crate) use self::table::{Cell, Column, Table};
pub(crate) use self::terminal::{Colour, Terminal};

/// Says something on standard error, under the program's name.
pub(crate) fn tell(message: fmt::Arguments<'_>) {
    // What servers say may be in it.
    let message = message.to_string();
    let message = text::printable_message(&message);
    // If standard error is gone there is nobody left to tell.
    let _ = writeln!(io::stderr(), "srsctl: {message}");
}

/// The progress of a command: a line that is rewritten on a terminal; where there is none, a new
/// line every ten seconds if that was asked for, otherwise nothing.
#[derive(Debug)]
pub(crate) struct StatusLine {
    form: Form,
    /// Characters of the line that stands on the terminal now.
    shown: usize,
    last: Option<Instant>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Form {
    Rewritten,
    Lines,
    Off,
}

impl StatusLine {
    /// A line that is not shown yet.
    pub(crate) fn new(verbose: bool) -> Self {
        let form = if io::stderr().is_terminal() {
            Form::Rewritten
        } else if verbose {
            Form::Lines
        } else {
            Form::Off
        };
        Self {
            form,
            shown: 0,
            last: None,
        }
    }

    /// Shows `text`, if it is time for it.
    pub(crate) fn show(&mut self, text: &str, now: Instant) {
        match self.form {
            Form::Rewritten => self.rewrite(text),
            Form::Lines => {
                if self
                    .last
                    .is_none_or(|last| now.saturating_duration_since(last) >= BETWEEN_LINES)
                {
                    self.last = Some(now);
                    tell(format_args!("{text}"));
                }
            }
            Form::Off => {}
        }
    }

    /// Says something that stays. The status line is shown again when there is news.
    pub(crate) fn tell(&mut self, message: fmt::Arguments<'_>) {
        self.clear();
        tell(message);
    }

    /// Takes the line away.
    pub(crate) fn clear(&mut self) {
        if self.shown > 0 {
            self.rewrite("");
            let _ = write!(io::stderr(), "\r");
        }
    }

    fn rewrite(&mut self, text: &str) {
        // Spaces over what was longer work on every terminal, also on those without escapes.
        let _ = write!(io::stderr(), "\r{text:width$}", width = self.shown);
        self.shown = text.chars().count();
    }
}

impl Drop for StatusLine {
    fn drop(&mut self) {
        self.clear();
    }
}

/// Where there is no terminal to rewrite a line on.
const BETWEEN_LINES: Duration = Duration::from_secs(10);

/// A number of bytes as people say it: `512 B`, `43.1 kB`, `2.0 GB`; powers of 1000.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Size(pub(crate) u64);

impl fmt::Display for Size {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0 < 1000 {
            return write!(f, "{} B", self.0);
        }
        let mut amount = self.0 as f64 / 1000.0;
        let mut units = ["kB", "MB", "GB", "TB"].into_iter().peekable();
        while let Some(unit) = units.next() {
            // From here on it would be rounded to 1000.0.
            if amount < 999.95 || units.peek().is_none() {
                return write!(f, "{amount:.1} {unit}");
            }
            amount /= 1000.0;
        }
        Ok(())
    }
}

/// Kilobits per second of `bytes` in `time`; zero if there was no time.
pub(crate) fn kbps(bytes: u64, time: Duration) -> f64 {
    if time.is_zero() {
        0.0
    } else {
        bytes as f64 * 8.0 / 1000.0 / time.as_secs_f64()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_have_the_unit_that_fits() {
        let cases = [
            (0, "0 B"),
            (999, "999 B"),
            (1_000, "1.0 kB"),
            (442_097, "442.1 kB"),
            (999_949, "999.9 kB"),
            (999_950, "1.0 MB"),
            (2_000_000_000, "2.0 GB"),
            (u64::MAX, "18446744.1 TB"),
        ];
        for (bytes, text) in cases {
            assert_eq!(Size(bytes).to_string(), text);
        }
    }

    #[test]
    fn bit_rates_are_kilobits_per_second() {
        assert_eq!(kbps(125_000, Duration::from_secs(2)), 500.0);
        assert_eq!(kbps(1, Duration::ZERO), 0.0);
    }
}
