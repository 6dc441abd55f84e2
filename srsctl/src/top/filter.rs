//! A filter on the rows of a table: a regular expression, or what does not match it.

use regex::{Regex, RegexBuilder};

/// Which rows are wanted.
#[derive(Clone, Debug)]
pub(crate) struct Filter {
    /// As the user typed it, without the `!`.
    pub(crate) text: String,
    /// Whether those are wanted that do not match.
    pub(crate) invert: bool,
    regex: Regex,
}

impl Filter {
    /// What `text` asks for; `None` if that is nothing. A `!` in front turns it around. Upper case
    /// and lower case are the same unless something is in upper case.
    ///
    /// # Errors
    /// It is no regular expression: why, in one line.
    pub(crate) fn parse(text: &str) -> Result<Option<Self>, String> {
        let (invert, text) = match text.strip_prefix('!') {
            Some(rest) => (true, rest),
            None => (false, text),
        };
        if text.is_empty() {
            return Ok(None);
        }
        let regex = RegexBuilder::new(text)
            .case_insensitive(!has_upper_case(text))
            .size_limit(SIZE)
            .build()
            .map_err(|error| reason(&error.to_string()))?;
        Ok(Some(Self {
            text: text.to_owned(),
            invert,
            regex,
        }))
    }

    /// The expression, as the server is to understand it.
    pub(crate) fn pattern(&self) -> String {
        if has_upper_case(&self.text) {
            self.text.clone()
        } else {
            format!("(?i){}", self.text)
        }
    }

    /// As the user would type it.
    pub(crate) fn typed(&self) -> String {
        let invert = if self.invert { "!" } else { "" };
        format!("{invert}{}", self.text)
    }

    /// Whether a row of this text is wanted.
    pub(crate) fn wants(&self, text: &str) -> bool {
        self.regex.is_match(text) != self.invert
    }

    /// Where `text` matches first, in bytes; nowhere if those are wanted that do not.
    pub(crate) fn place(&self, text: &str) -> Option<std::ops::Range<usize>> {
        if self.invert {
            return None;
        }
        self.regex.find(text).map(|found| found.range())
    }
}

impl PartialEq for Filter {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text && self.invert == other.invert
    }
}

/// Outside of escapes, whose letters mean something else in upper case.
fn has_upper_case(text: &str) -> bool {
    let mut is_escaped = false;
    text.chars().any(|c| {
        let counts = !is_escaped && c.is_uppercase();
        is_escaped = c == '\\' && !is_escaped;
        counts
    })
}

/// The last line of what the parser says, which is the reason.
fn reason(error: &str) -> String {
    let line = error.lines().last().unwrap_or_default();
    line.strip_prefix("error: ").unwrap_or(line).to_owned()
}

/// More than any expression needs that somebody types.
const SIZE: usize = 1 << 20;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_match_or_do_not() {
        let cases = [
            ("show", "live/Show", true),
            ("Show", "live/show", false),
            ("^live/", "x/live/", false),
            ("!show", "live/show", false),
            ("!show", "live/other", true),
            ("\\Show", "live/xHOW", true),
            ("直", "live/直播", true),
        ];
        for (text, row, expected) in cases {
            let filter = Filter::parse(text).unwrap().unwrap();
            assert_eq!(filter.wants(row), expected, "{text} {row}");
            assert_eq!(filter.typed(), text);
        }
        assert_eq!(Filter::parse("").unwrap(), None);
        assert_eq!(Filter::parse("!").unwrap(), None);
    }

    #[test]
    fn the_server_gets_what_is_meant() {
        let pattern = |text| Filter::parse(text).unwrap().unwrap().pattern();
        assert_eq!(pattern("show"), "(?i)show");
        assert_eq!(pattern("!Show"), "Show");
        let filter = Filter::parse("o+").unwrap().unwrap();
        assert_eq!(filter.place("foo"), Some(1..3));
        assert_eq!(Filter::parse("!o").unwrap().unwrap().place("foo"), None);
    }

    #[test]
    fn a_wrong_expression_is_told_in_a_line() {
        for (text, expected) in [("(", "unclosed group"), ("a{9999999}", "")] {
            let error = Filter::parse(text).unwrap_err();
            assert!(error.contains(expected), "{error}");
            assert_eq!(error.lines().count(), 1);
        }
    }
}
