//! What a list's rows are matched by: a regular expression of somebody who asks.

use regex::{Regex, RegexBuilder};

/// Which texts are wanted.
#[derive(Clone, Debug)]
pub struct Pattern {
    regex: Regex,
    invert: bool,
}

/// Why a pattern is none.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PatternError {
    /// It has too many bytes.
    #[error("the pattern has {len} bytes, and may have {MAX_PATTERN}")]
    TooLong {
        /// How many it has.
        len: usize,
    },
    /// It repeats too much.
    #[error("the pattern means too many states: repeat less in it")]
    TooLarge,
    /// It is not written as patterns are.
    #[error("the pattern cannot be read: {0}")]
    Syntax(String),
}

impl Pattern {
    /// Wants what `pattern` matches somewhere or, with `invert`, what it does not. Matching takes
    /// time that is linear in the text, whatever the pattern is.
    ///
    /// # Errors
    /// [`PatternError`]
    pub fn new(pattern: &str, invert: bool) -> Result<Self, PatternError> {
        if pattern.len() > MAX_PATTERN {
            let len = pattern.len();
            return Err(PatternError::TooLong { len });
        }
        let regex = RegexBuilder::new(pattern)
            .size_limit(PROGRAM)
            .dfa_size_limit(CACHE)
            .nest_limit(NESTING)
            .build()
            .map_err(|error| match error {
                regex::Error::CompiledTooBig(_) => PatternError::TooLarge,
                error => PatternError::Syntax(reason(&error.to_string())),
            })?;
        Ok(Self { regex, invert })
    }

    /// Whether it wants `text`.
    pub(super) fn wants(&self, text: &str) -> bool {
        self.regex.is_match(text) != self.invert
    }
}

/// The last line, which says why; those before it draw where.
fn reason(error: &str) -> String {
    let last = error.lines().last().unwrap_or_default();
    last.strip_prefix("error: ").unwrap_or(last).to_owned()
}

/// The longest pattern, in bytes: nobody types more.
pub(crate) const MAX_PATTERN: usize = 256;
/// The most bytes that a pattern is compiled to.
const PROGRAM: usize = 512 * 1024;
/// The most bytes that matching remembers.
const CACHE: usize = 512 * 1024;
const NESTING: u32 = 32;

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_pattern_wants_what_it_matches() {
        let cases = [
            ("", "live/show", true),
            ("show", "live/show", true),
            ("^show", "live/show", false),
            (r"^live/\w+$", "live/show", true),
            (r"cam\d{2}", "live/cam07", true),
            ("(?i)SHOW|café", "live/Café", true),
            ("^1(00|23) play", "123 play 192.0.2.1:1 live/show VLC", true),
        ];
        for (pattern, text, is_wanted) in cases {
            for invert in [false, true] {
                let pattern = Pattern::new(pattern, invert).unwrap();
                assert_eq!(pattern.wants(text), is_wanted != invert, "{pattern:?}");
            }
        }
    }

    #[test]
    fn a_wrong_pattern_is_told_why_in_one_line() {
        let long = "x".repeat(257);
        let cases = [
            ("(", "the pattern cannot be read: unclosed group"),
            (
                "a**{",
                "the pattern cannot be read: unclosed counted repetition",
            ),
            (
                "a\n[",
                "the pattern cannot be read: unclosed character class",
            ),
            (&long, "the pattern has 257 bytes, and may have 256"),
            (
                r"(\w{100}){100}",
                "the pattern means too many states: repeat less in it",
            ),
        ];
        for (pattern, why) in cases {
            let error = Pattern::new(pattern, false).unwrap_err();
            assert_eq!(error.to_string(), why, "{pattern}");
        }
    }

    #[test]
    fn no_pattern_takes_long() {
        let text = "a".repeat(1_000);
        let start = Instant::now();
        let nested = format!("{}a{}", "(".repeat(30), "*)".repeat(30));
        for pattern in [
            "(a*)*b",
            "(a|a)*$b",
            r"(\w|\d|a)*\W",
            &nested,
            &"a?".repeat(128),
        ] {
            if let Ok(pattern) = Pattern::new(pattern, false) {
                pattern.wants(&text);
            }
        }
        assert!(start.elapsed() < Duration::from_secs(5));
    }

    proptest! {
        #[test]
        fn no_pattern_panics(pattern in ".{0,80}", text in ".{0,80}") {
            match Pattern::new(&pattern, false) {
                Ok(pattern) => {
                    pattern.wants(&text);
                }
                Err(error) => prop_assert_eq!(error.to_string().lines().count(), 1),
            }
        }
    }
}
