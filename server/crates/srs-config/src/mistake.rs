//! One mistake in a configuration file, shown in its line.

use std::fmt;
use std::ops::Range;

/// What is wrong at one place of the text, and what would have been right.
///
/// It is displayed without the file's name, from the line on:
///
/// ```text
/// 3:1: unknown key `lisen`
///   3 | lisen = ["1935"]
///     | ^^^^^ did you mean `listen`?
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mistake {
    line: usize,
    column: usize,
    problem: String,
    help: String,
    excerpt: String,
    /// The part of `excerpt` that is marked, in characters.
    marked: Range<usize>,
}

impl Mistake {
    /// A mistake at `span`, a range of bytes of `text`; beyond the end counts as at the end.
    pub(super) fn new(text: &str, span: Range<usize>, problem: String, help: String) -> Self {
        let place = floor_char_boundary(text, span.start);
        let line_start = text[..place].rfind('\n').map_or(0, |newline| newline + 1);
        let line = text[line_start..]
            .split('\n')
            .next()
            .unwrap_or_default()
            .trim_end_matches('\r');
        let line_end = line_start + line.len();
        let start = place.min(line_end);
        let end = floor_char_boundary(text, span.end.clamp(start, line_end)).max(start);
        let from = text[line_start..start].chars().count();
        let len = text[start..end].chars().count().max(1);
        let (excerpt, marked) = window(line, from..from + len);
        Self {
            line: text[..line_start].matches('\n').count() + 1,
            column: from + 1,
            problem,
            help,
            excerpt,
            marked,
        }
    }

    /// Line in the file, from 1.
    #[must_use]
    pub fn line(&self) -> usize {
        self.line
    }

    /// Column in the line, from 1, in characters.
    #[must_use]
    pub fn column(&self) -> usize {
        self.column
    }

    /// What is wrong.
    #[must_use]
    pub fn problem(&self) -> &str {
        &self.problem
    }

    /// What would have been right; may be empty.
    #[must_use]
    pub fn help(&self) -> &str {
        &self.help
    }
}

impl fmt::Display for Mistake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}:{}: {}", self.line, self.column, self.problem)?;
        writeln!(f, "  {} | {}", self.line, self.excerpt)?;
        let gutter = self.line.to_string().len();
        write!(f, "  {:gutter$} | ", "")?;
        // A tab below a tab keeps the marks in place, however wide the terminal shows it.
        for c in self.excerpt.chars().take(self.marked.start) {
            f.write_str(if c == '\t' { "\t" } else { " " })?;
        }
        write!(f, "{:^<1$}", "", self.marked.len())?;
        if self.help.is_empty() {
            Ok(())
        } else {
            write!(f, " {}", self.help)
        }
    }
}

/// The part of `line` around `marked` that fits a screen, and where `marked` is in it.
fn window(line: &str, marked: Range<usize>) -> (String, Range<usize>) {
    let length = line.chars().count();
    let first = if length <= MAX_EXCERPT {
        0
    } else {
        marked.start.saturating_sub(MAX_EXCERPT / 2)
    };
    let visible = line.chars().skip(first).take(MAX_EXCERPT).map(|c| match c {
        // What the file says must not move the terminal's cursor.
        c if c.is_control() && c != '\t' => char::REPLACEMENT_CHARACTER,
        c => c,
    });
    let mut excerpt = String::new();
    if first > 0 {
        excerpt.push('…');
    }
    let shift = excerpt.chars().count();
    excerpt.extend(visible);
    if first + MAX_EXCERPT < length {
        excerpt.push('…');
    }
    let start = marked.start - first + shift;
    (excerpt, start..start + marked.len().min(MAX_EXCERPT))
}

/// The nearest character boundary of `text` at or before `index`.
fn floor_char_boundary(text: &str, index: usize) -> usize {
    (0..=index.min(text.len()))
        .rev()
        .find(|&i| text.is_char_boundary(i))
        .unwrap_or(0)
}

/// Most characters of a line that are shown.
const MAX_EXCERPT: usize = 120;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_line_is_shown_with_the_place_marked() {
        let cases = [
            ("a = 1\nbc = 2\n", 6..8, "2:1: p\n  2 | bc = 2\n    | ^^ h"),
            (
                "a = 1\r\nb = 2\r\n",
                11..20,
                "2:5: p\n  2 | b = 2\n    |     ^ h",
            ),
            ("\tä = 1", 6..7, "1:6: p\n  1 | \tä = 1\n    | \t    ^ h"),
            ("a =", 3..3, "1:4: p\n  1 | a =\n    |    ^ h"),
            ("a =\n", 99..99, "2:1: p\n  2 | \n    | ^ h"),
            ("\r", 1..1, "1:1: p\n  1 | \n    | ^ h"),
            ("", 0..0, "1:1: p\n  1 | \n    | ^ h"),
            ("a\u{1b}[1m", 0..1, "1:1: p\n  1 | a\u{fffd}[1m\n    | ^ h"),
        ];
        for (text, span, expected) in cases {
            let mistake = Mistake::new(text, span, "p".to_owned(), "h".to_owned());
            assert_eq!(mistake.to_string(), expected);
        }
    }

    #[test]
    fn of_a_long_line_only_the_part_around_the_place_is_shown() {
        let text = format!("{}x{}", "a".repeat(500), "b".repeat(500));
        let mistake = Mistake::new(&text, 500..501, "p".to_owned(), "h".to_owned());
        let (a, b) = ("a".repeat(60), "b".repeat(59));
        let expected = format!("1:501: p\n  1 | …{a}x{b}…\n    | {:61}^ h", "");
        assert_eq!(mistake.to_string(), expected);
    }

    proptest! {
        #[test]
        fn any_place_of_any_text_can_be_shown(
            text in r"(?s)[\r\n\PC]{0,40}", start: usize, len in 0..300_usize) {
            for start in [start, start % (text.len() + 1)] {
                let span = start..start.saturating_add(len);
                let mistake = Mistake::new(&text, span, String::new(), String::new());
                prop_assert!(mistake.line() <= text.matches('\n').count() + 1);
                prop_assert!(!mistake.to_string().is_empty());
            }
        }
    }
}
