//! One mistake in the settings file, shown in its line.

use std::fmt;
use std::ops::Range;
use std::path::Path;

use crate::output::text::{cut, printable};

/// What is wrong at one place, and what would have been right:
///
/// ```text
/// /home/u/.config/srsctl/config.toml:3:1: unknown key `adress` in [servers.edge1]
///   3 | adress = "http://edge1:1985"
///     | ^^^^^^ did you mean `address`?
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Mistake {
    file: String,
    line: usize,
    column: usize,
    excerpt: String,
    /// What is marked: characters before it, and its own.
    marked: (usize, usize),
    problem: String,
    help: String,
}

impl Mistake {
    /// A mistake at `span`, a range of bytes of `text`; beyond the end counts as at the end. What
    /// may be a secret is not shown.
    pub(super) fn new(file: &Path, text: &str, span: &Range<usize>) -> Self {
        let start = text.floor_char_boundary(span.start.min(text.len()));
        let (before, after) = text.split_at_checked(start).unwrap_or((text, ""));
        let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
        let line = text.get(line_start..).unwrap_or_default();
        let line = line.split('\n').next().unwrap_or_default();
        let line = line.trim_end_matches('\r');
        let marked = after.get(..span.len()).unwrap_or(after);
        let marked = marked.split(['\n', '\r']).next().unwrap_or_default();
        let column = before.get(line_start..).map_or(0, |it| it.chars().count());
        let excerpt = match line.split_once('=') {
            Some((key, value)) if is_secret(key, value) => format!("{key}= …"),
            _ => line.to_owned(),
        };
        let excerpt = printable_but_tabs(&excerpt);
        let excerpt = cut(&excerpt, WIDEST).into_owned();
        let room = excerpt.chars().count();
        let at = column.min(room);
        Self {
            file: file.display().to_string(),
            line: before.matches('\n').count() + 1,
            column: column + 1,
            marked: (at, marked.chars().count().clamp(1, (room - at).max(1))),
            excerpt,
            problem: String::new(),
            help: String::new(),
        }
    }

    /// The mistake, with what is wrong and what would be right; the latter may be empty.
    pub(super) fn told(self, problem: impl Into<String>, help: impl Into<String>) -> Self {
        Self {
            problem: printable(&problem.into()).into_owned(),
            help: printable(&help.into()).into_owned(),
            ..self
        }
    }

    /// Where it is: line and column, from 1.
    #[cfg(test)]
    pub(super) fn place(&self) -> (usize, usize) {
        (self.line, self.column)
    }
}

impl fmt::Display for Mistake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            file,
            line,
            column,
            excerpt,
            marked: (before, marks),
            problem,
            help,
        } = self;
        writeln!(f, "{file}:{line}:{column}: {problem}")?;
        writeln!(f, "  {line} | {excerpt}")?;
        let gutter = line.to_string().len();
        write!(f, "  {:gutter$} | {:before$}", "", "")?;
        write!(f, "{:^<marks$}", "")?;
        if help.is_empty() {
            Ok(())
        } else {
            write!(f, " {help}")
        }
    }
}

/// Whether somebody may have written a secret here: in place of the file that holds it, or in a URL.
fn is_secret(key: &str, value: &str) -> bool {
    let key = key.trim().to_lowercase().replace('-', "_");
    let is_called_so = ["token", "pass", "secret"]
        .iter()
        .any(|it| key.contains(it));
    is_called_so && !key.ends_with("_file")
        || key == "user" && value.contains(':')
        || value.contains(['@', '?'])
}

/// `line` as it is shown, with as many characters: marks stand below it.
fn printable_but_tabs(line: &str) -> String {
    let shown = |c: char| match c {
        '\t' => ' ',
        c if *printable(c.encode_utf8(&mut [0; 4])) != *c.encode_utf8(&mut [0; 4]) => '?',
        c => c,
    };
    line.chars().map(shown).collect()
}

/// Longer lines are cut.
const WIDEST: usize = 100;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn at(text: &str, span: &Range<usize>) -> String {
        let mistake = Mistake::new(Path::new("c.toml"), text, span);
        mistake.told("wrong", "do right").to_string()
    }

    #[test]
    fn a_mistake_is_shown_in_its_line() {
        let text = "server = \"a\"\n\tadress = \"b\"\n";
        let expected = "\
c.toml:2:2: wrong
  2 |  adress = \"b\"
    |  ^^^^^^ do right";
        assert_eq!(at(text, &(14..20)), expected);
    }

    #[test]
    fn secrets_are_not_shown() {
        for line in [
            "token = \"geheim\"",
            "Password = geheim",
            "user = \"admin:geheim\"",
            "address = \"http://admin:geheim@host\"",
            "rtmp = \"rtmp://host/?token=geheim\"",
        ] {
            let told = at(line, &(0..line.len()));
            assert!(told.contains("= …") && !told.contains("geheim"), "{told}");
        }
        let told = at("token_file = 7", &(13..14));
        assert!(told.contains("token_file = 7"), "{told}");
    }

    proptest! {
        #[test]
        fn any_place_of_any_text_can_be_shown(
            text in "[a\u{e4}\t\n\r=\u{1b}\u{4e2d} ]{0,160}",
            start in 0_usize..200,
            len in 0_usize..200,
        ) {
            let told = at(&text, &(start..start + len));
            prop_assert_eq!(told.lines().count(), 3);
            prop_assert!(!told.contains(['\x1b', '\t']));
        }
    }
}
