//! One mistake in a configuration: in a file, shown in its line, or in the environment.

use std::fmt;
use std::ops::Range;

use super::settings;

/// What is wrong at one place, and what would have been right.
///
/// In a file it is displayed in its line:
///
/// ```text
/// /etc/srs/srs.toml:3:1: unknown key `lisen`
///   3 | lisen = ["1935"]
///     | ^^^^^ did you mean `listen`?
/// ```
///
/// and in the environment in one line:
///
/// ```text
/// environment: SRS_MAX_CONNECTIONS cannot be "many": expected a whole number from 1 to 1000000
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mistake {
    file: String,
    /// Where in the file; `None` in the environment.
    place: Option<Place>,
    problem: String,
    help: String,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Place {
    line: usize,
    column: usize,
    excerpt: String,
    /// The part of `excerpt` that is marked, in characters.
    marked: Range<usize>,
}

impl Mistake {
    /// A mistake at `span`, a range of bytes of `text`; beyond the end counts as at the end.
    /// The value of a secret is shown nowhere, nor is the query of a URL: what is told of a file
    /// goes into logs.
    pub(super) fn new(
        text: &str,
        span: Range<usize>,
        mut problem: String,
        mut help: String,
    ) -> Self {
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
        let secret = settings::secret_in(line).map(|secret| {
            for message in [&mut problem, &mut help] {
                *message = hide(message, &line[secret.start..]);
            }
            secret.start
        });
        let query = settings::query_in(line).map(|query| {
            for message in [&mut problem, &mut help] {
                *message = message.replace(&format!("?{}", &line[query.clone()]), "?…");
            }
            query.start
        });
        let (excerpt, marked) = match secret.into_iter().chain(query).min() {
            None => window(line, from..from + len),
            Some(hidden) => {
                let before = &line[..hidden];
                let from = from.min(before.chars().count());
                let len = len.min(before.chars().count() - from).max(1);
                window(&format!("{before}…"), from..from + len)
            }
        };
        Self {
            file: String::new(),
            place: Some(Place {
                line: text[..line_start].matches('\n').count() + 1,
                column: from + 1,
                excerpt,
                marked,
            }),
            problem,
            help,
        }
    }

    /// A mistake in a variable, which `problem` names.
    pub(super) fn in_environment(problem: String, help: String) -> Self {
        Self {
            file: ENVIRONMENT.to_owned(),
            place: None,
            problem,
            help,
        }
    }

    /// The same in the file of this name.
    pub(super) fn in_file(self, name: &str) -> Self {
        Self {
            file: name.to_owned(),
            ..self
        }
    }

    /// The name of the file, or `environment`.
    #[must_use]
    pub fn file(&self) -> &str {
        &self.file
    }

    /// Line in the file, from 1; 0 in the environment.
    #[must_use]
    pub fn line(&self) -> usize {
        self.place.as_ref().map_or(0, |place| place.line)
    }

    /// Column in the line, from 1, in characters; 0 in the environment.
    #[must_use]
    pub fn column(&self) -> usize {
        self.place.as_ref().map_or(0, |place| place.column)
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

    /// All but the line of the file, for where one line is all there is:
    /// ``/etc/srs/srs.toml:3:1: unknown key `lisen`: did you mean `listen`?``
    #[must_use]
    pub fn in_one_line(&self) -> String {
        let mut line = self.file.clone();
        if let Some(Place {
            line: at, column, ..
        }) = &self.place
        {
            line.push_str(&format!(":{at}:{column}"));
        }
        for part in [&self.problem, &self.help] {
            if !part.is_empty() {
                line.push_str(": ");
                line.push_str(part);
            }
        }
        line
    }
}

impl fmt::Display for Mistake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            file,
            place,
            problem,
            help,
        } = self;
        let Some(place) = place else {
            return f.write_str(&self.in_one_line());
        };
        let Place { line, column, .. } = place;
        writeln!(f, "{file}:{line}:{column}: {problem}")?;
        writeln!(f, "  {line} | {}", place.excerpt)?;
        let gutter = line.to_string().len();
        write!(f, "  {:gutter$} | ", "")?;
        // A tab below a tab keeps the marks in place, however wide the terminal shows it.
        for c in place.excerpt.chars().take(place.marked.start) {
            f.write_str(if c == '\t' { "\t" } else { " " })?;
        }
        write!(f, "{:^<1$}", "", place.marked.len())?;
        if help.is_empty() {
            Ok(())
        } else {
            write!(f, " {help}")
        }
    }
}

/// `message` without `secret`, in the forms in which messages repeat what was written.
fn hide(message: &str, secret: &str) -> String {
    let bare = secret.trim_end_matches([' ', '\t', ';', ',']);
    let plain = bare.trim_matches(['"', '\'', '“', '”', '„', '‘', '’']);
    if plain.is_empty() {
        return message.to_owned();
    }
    message
        .replace(&format!("{plain:?}"), "\"…\"")
        .replace(&format!(" {plain};"), " …;")
        .replace(&format!("`{bare}`"), "`…`")
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

/// What the place of mistakes is called that are in no file.
const ENVIRONMENT: &str = "environment";

/// Most characters of a line that are shown.
const MAX_EXCERPT: usize = 120;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_line_is_shown_with_the_place_marked() {
        let cases = [
            (
                "a = 1\nbc = 2\n",
                6..8,
                "f:2:1: p\n  2 | bc = 2\n    | ^^ h",
            ),
            (
                "a = 1\r\nb = 2\r\n",
                11..20,
                "f:2:5: p\n  2 | b = 2\n    |     ^ h",
            ),
            ("\tä = 1", 6..7, "f:1:6: p\n  1 | \tä = 1\n    | \t    ^ h"),
            ("a =", 3..3, "f:1:4: p\n  1 | a =\n    |    ^ h"),
            ("a =\n", 99..99, "f:2:1: p\n  2 | \n    | ^ h"),
            ("\r", 1..1, "f:1:1: p\n  1 | \n    | ^ h"),
            ("", 0..0, "f:1:1: p\n  1 | \n    | ^ h"),
            (
                "a\u{1b}[1m",
                0..1,
                "f:1:1: p\n  1 | a\u{fffd}[1m\n    | ^ h",
            ),
        ];
        for (text, span, expected) in cases {
            let mistake = Mistake::new(text, span, "p".to_owned(), "h".to_owned()).in_file("f");
            assert_eq!(mistake.to_string(), expected);
        }
    }

    #[test]
    fn one_line_has_everything_but_the_excerpt() {
        let mistake = |help: &str| Mistake::new("a\nb", 2..3, "p".to_owned(), help.to_owned());
        assert_eq!(mistake("h").in_file("f").in_one_line(), "f:2:1: p: h");
        assert_eq!(mistake("").in_file("f").in_one_line(), "f:2:1: p");
        let of_variable = Mistake::in_environment("p".to_owned(), "h".to_owned());
        assert_eq!(of_variable.in_one_line(), "environment: p: h");
    }

    #[test]
    fn the_value_of_a_secret_is_not_shown() {
        let cases = [
            (
                "token = \"abc\"",
                8..13,
                "f:1:9: p\n  1 | token = …\n    |         ^ h",
            ),
            (
                "  token=abc",
                8..11,
                "f:1:9: p\n  1 |   token=…\n    |         ^ h",
            ),
            (
                "password abc;",
                0..13,
                "f:1:1: p\n  1 | password …\n    | ^^^^^^^^^ h",
            ),
            (
                "http_api = { token = \"abc\", a = 1 }",
                28..29,
                "f:1:29: p\n  1 | http_api = { token = …\n    |                      ^ h",
            ),
            (
                "http_api.password = 'abc'",
                0..8,
                "f:1:1: p\n  1 | http_api.password = …\n    | ^^^^^^^^ h",
            ),
            (
                "\"token\" = 'abc'",
                0..7,
                "f:1:1: p\n  1 | \"token\" = …\n    | ^^^^^^^ h",
            ),
            (
                "pasword = 'abc'",
                0..7,
                "f:1:1: p\n  1 | pasword = …\n    | ^^^^^^^ h",
            ),
            (
                "tokens = [",
                0..6,
                "f:1:1: p\n  1 | tokens = …\n    | ^^^^^^ h",
            ),
            (
                "# a token is",
                0..1,
                "f:1:1: p\n  1 | # a token …\n    | ^ h",
            ),
            (
                "token_traverse = true",
                0..14,
                "f:1:1: p\n  1 | token_traverse = true\n    | ^^^^^^^^^^^^^^ h",
            ),
            ("token =", 7..7, "f:1:8: p\n  1 | token =\n    |        ^ h"),
        ];
        for (text, span, expected) in cases {
            let mistake = Mistake::new(text, span, "p".to_owned(), "h".to_owned()).in_file("f");
            assert_eq!(mistake.to_string(), expected);
        }
        let messages = [
            "write \"abc\"",
            "`token abc;` is old",
            "`\"abc\"` is here a second time",
        ];
        for message in messages {
            assert!(!hide(message, "\"abc\";").contains("abc"), "{message}");
        }
    }

    #[test]
    fn the_query_of_a_url_is_not_shown() {
        let text = "url = \"htp://h/x?token=abc\" # for room 1";
        let problem = "it cannot be \"htp://h/x?token=abc\"".to_owned();
        let mistake = Mistake::new(text, 6..27, problem, "h".to_owned()).in_file("f");
        let expected = "f:1:7: it cannot be \"htp://h/x?…\"\n  1 | url = \"htp://h/x?…\n    |       ^^^^^^^^^^^ h";
        assert_eq!(mistake.to_string(), expected);
    }

    #[test]
    fn of_a_long_line_only_the_part_around_the_place_is_shown() {
        let text = format!("{}x{}", "a".repeat(500), "b".repeat(500));
        let mistake = Mistake::new(&text, 500..501, "p".to_owned(), "h".to_owned());
        let (a, b) = ("a".repeat(60), "b".repeat(59));
        let expected = format!(":1:501: p\n  1 | …{a}x{b}…\n    | {:61}^ h", "");
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
