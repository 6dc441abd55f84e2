//! Text from the network on a terminal: how wide it is, how it is cut, and that it only shows.

use std::borrow::Cow;
use std::error::Error;

use unicode_width::{UnicodeWidthChar as _, UnicodeWidthStr as _};

/// `text` with everything escaped that does not show but acts: a stream's name must neither move
/// the cursor nor turn the line around.
pub(crate) fn printable(text: &str) -> Cow<'_, str> {
    escaped(text, acts)
}

/// As [`printable`], of a message: of several lines, with tabs.
pub(crate) fn printable_message(text: &str) -> Cow<'_, str> {
    escaped(text, |c| acts(c) && !matches!(c, '\n' | '\t'))
}

/// As [`printable`], of several lines.
pub(crate) fn printable_lines(text: &str) -> Cow<'_, str> {
    escaped(text, |c| acts(c) && c != '\n')
}

fn escaped(text: &str, acts: impl Fn(char) -> bool) -> Cow<'_, str> {
    if !text.contains(&acts) {
        return Cow::Borrowed(text);
    }
    let mut escaped = String::with_capacity(text.len() + 8);
    for c in text.chars() {
        if acts(c) {
            escaped.extend(c.escape_default());
        } else {
            escaped.push(c);
        }
    }
    Cow::Owned(escaped)
}

/// Control characters, and those that set the direction or break the line.
fn acts(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}'
            | '\u{2066}'..='\u{2069}' | '\u{feff}')
}

/// An error with what caused it, in a line.
pub(crate) fn chain(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(error) = source {
        text += &format!(": {error}");
        source = error.source();
    }
    text.lines().collect::<Vec<_>>().join(" ")
}

/// `text` with no more marks above and below a character than a script has: what takes no columns
/// would else be written without end.
pub(crate) fn thinned(text: &str) -> Cow<'_, str> {
    if text.is_ascii() {
        return Cow::Borrowed(text);
    }
    let mut marks = 0;
    let is_kept = |c: &char| {
        marks = if c.width() == Some(0) { marks + 1 } else { 0 };
        marks <= MOST_MARKS
    };
    let kept: String = text.chars().filter(is_kept).collect();
    if kept.len() == text.len() {
        Cow::Borrowed(text)
    } else {
        Cow::Owned(kept)
    }
}

/// JSON whose strings only show: what acts on a terminal is escaped as JSON has it.
pub(crate) fn printable_json(json: String) -> String {
    let acts = |c: char| acts(c) && !matches!(c, '\n' | '\t');
    if !json.contains(acts) {
        return json;
    }
    let mut shown = String::with_capacity(json.len() + 64);
    for c in json.chars() {
        if acts(c) {
            // All of them are of the first plane.
            shown += &format!("\\u{:04x}", u32::from(c));
        } else {
            shown.push(c);
        }
    }
    shown
}

/// The columns that `text` takes on a terminal.
pub(crate) fn width(text: &str) -> usize {
    text.width()
}

/// `text` in at most `columns` columns: cut, and marked with `…`, where it is wider.
pub(crate) fn cut(text: &str, columns: usize) -> Cow<'_, str> {
    if width(text) <= columns {
        return Cow::Borrowed(text);
    }
    let Some(room) = columns.checked_sub(1) else {
        return Cow::Borrowed("");
    };
    let mut taken = 0;
    let end = text.char_indices().find_map(|(index, c)| {
        taken += c.width().unwrap_or(0);
        (taken > room).then_some(index)
    });
    let kept = end.and_then(|end| text.get(..end)).unwrap_or(text);
    Cow::Owned(format!("{kept}…"))
}

/// `text` in lines of at most `columns` columns: broken behind a comma if there is one, else
/// between words. A word that is wider stays whole, as somebody may want to copy it.
pub(crate) fn wrapped(text: &str, columns: usize) -> Vec<&str> {
    let mut lines = Vec::new();
    let mut rest = text;
    while width(rest) > columns {
        let fits = |end: usize| rest.get(..end).is_some_and(|line| width(line) <= columns);
        let commas = rest.match_indices(", ").map(|(index, _)| index + 1);
        let spaces = || rest.match_indices(' ').map(|(index, _)| index);
        let end = commas
            .take_while(|end| fits(*end))
            .last()
            .or_else(|| spaces().take_while(|end| fits(*end)).last())
            .or_else(|| spaces().next());
        let Some((line, more)) = end.and_then(|end| rest.split_at_checked(end)) else {
            break;
        };
        lines.push(line);
        rest = more.trim_start_matches(' ');
    }
    lines.push(rest);
    lines
}

/// As [`wrapped`], but a word that is wider is broken wherever the line ends, so that all of it can
/// be read.
pub(crate) fn wrapped_hard(text: &str, columns: usize) -> Vec<&str> {
    let mut lines = Vec::new();
    for mut rest in wrapped(text, columns) {
        while width(rest) > columns {
            let mut taken = 0;
            // A line has one character at least, however narrow it is.
            let end = rest.char_indices().find_map(|(index, c)| {
                taken += c.width().unwrap_or(0);
                (taken > columns && index > 0).then_some(index)
            });
            let Some((line, more)) = end.and_then(|end| rest.split_at_checked(end)) else {
                break;
            };
            lines.push(line);
            rest = more;
        }
        lines.push(rest);
    }
    lines
}

/// Marks on one character: no script needs more.
const MOST_MARKS: usize = 4;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_acts_on_a_terminal_is_escaped() {
        let cases = [
            ("live/show", "live/show"),
            ("grüße 直播 👍", "grüße 直播 👍"),
            ("a\x1b[2Jb", "a\\u{1b}[2Jb"),
            ("a\tb\nc\r", "a\\tb\\nc\\r"),
            ("\u{9b}31m", "\\u{9b}31m"),
            ("abc\u{202e}gpj", "abc\\u{202e}gpj"),
        ];
        for (text, expected) in cases {
            assert_eq!(printable(text), expected);
        }
        assert_eq!(printable_lines("one\n\ttwo\x07"), "one\n\\ttwo\\u{7}");
    }

    #[test]
    fn marks_have_a_bound() {
        let many = format!("e{}x", "\u{301}".repeat(10_000));
        assert_eq!(thinned(&many).chars().count(), 2 + MOST_MARKS);
        assert_eq!(thinned("e\u{301}x 直播"), "e\u{301}x 直播");
    }

    #[test]
    fn json_only_shows_and_is_the_same_json() {
        let json = r#"{"a":"\u001b[2J","b":"BIDI"}"#.replace("BIDI", "\u{202e}\u{9b}\u{7f}");
        let shown = printable_json(json.clone());
        assert_eq!(shown, r#"{"a":"\u001b[2J","b":"\u202e\u009b\u007f"}"#);
        let read = |text: &str| serde_json::from_str::<serde_json::Value>(text).unwrap();
        assert_eq!(read(&shown), read(&json));
    }

    #[test]
    fn widths_are_those_of_the_terminal() {
        let cases = [("show", 4), ("直播", 4), ("e\u{301}", 1), ("", 0)];
        for (text, columns) in cases {
            assert_eq!(width(text), columns, "{text}");
        }
    }

    #[test]
    fn what_is_too_wide_is_cut_and_marked() {
        let cases = [
            ("show", 4, "show"),
            ("shows", 4, "sho…"),
            ("直播间", 5, "直播…"),
            ("直播间", 4, "直…"),
            ("e\u{301}e\u{301}e\u{301}", 2, "e\u{301}…"),
            ("show", 1, "…"),
            ("show", 0, ""),
        ];
        for (text, columns, expected) in cases {
            assert_eq!(cut(text, columns), expected, "{text} {columns}");
            assert!(width(&cut(text, columns)) <= columns);
        }
    }

    #[test]
    fn long_values_are_broken_where_they_may_be() {
        let cases: [(&str, usize, &[&str]); 6] = [
            ("one, two", 8, &["one, two"]),
            ("one, two", 7, &["one,", "two"]),
            ("one two, three four", 14, &["one two,", "three four"]),
            ("one two three", 9, &["one two", "three"]),
            ("rtmp://host/live and", 6, &["rtmp://host/live", "and"]),
            ("rtmp://host/live", 6, &["rtmp://host/live"]),
        ];
        for (text, columns, expected) in cases {
            assert_eq!(wrapped(text, columns), expected, "{text} {columns}");
        }
    }

    #[test]
    fn words_that_are_too_wide_are_broken_where_all_must_be_read() {
        let cases: [(&str, usize, &[&str]); 6] = [
            ("one two, three", 8, &["one two,", "three"]),
            (
                "see rtmp://host/live",
                6,
                &["see", "rtmp:/", "/host/", "live"],
            ),
            ("rtmp://host", 11, &["rtmp://host"]),
            ("直播间", 5, &["直播", "间"]),
            ("直播", 1, &["直", "播"]),
            ("ab", 0, &["a", "b"]),
        ];
        for (text, columns, expected) in cases {
            assert_eq!(wrapped_hard(text, columns), expected, "{text} {columns}");
        }
    }

    proptest! {
        #[test]
        fn hard_wrapping_loses_nothing_and_fits(text in "[a-z, 直]{0,60}", columns in 2_usize..40) {
            let lines = wrapped_hard(&text, columns);
            let bare = |text: &str| text.replace(' ', "");
            prop_assert_eq!(bare(&lines.concat()), bare(&text));
            for line in lines {
                prop_assert!(width(line) <= columns, "{:?}", line);
            }
        }

        #[test]
        fn wrapping_loses_no_word(text in "[a-z, ]{0,60}", columns in 0_usize..40) {
            let lines = wrapped(&text, columns);
            let words = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
            prop_assert_eq!(words(&lines.join(" ")), words(&text));
            for line in lines {
                prop_assert!(width(line) <= columns || !line.contains(' '), "{:?}", line);
            }
        }

        #[test]
        fn whatever_comes_only_shows_and_fits(text: String, columns in 0_usize..40) {
            let shown = printable(&text);
            prop_assert!(!shown.chars().any(acts));
            let cut = cut(&shown, columns);
            prop_assert!(width(&cut) <= columns);
        }
    }
}
