//! What is not TOML.
//!
//! The parser of the toml crate finds the places; what it says of them is put in words for
//! somebody who edits a configuration, not a grammar. What is not known here is passed on.

use std::ops::Range;

use toml::de::{DeTable, Error};

use super::Mistake;
use super::hint::nearest;
use super::original::{self, Directive};

/// A text without the lines that are not TOML.
pub(super) struct Syntax {
    /// The text with spaces in place of those lines, so that every place in it stays the same.
    pub(super) rest: String,
    /// What is wrong with those lines.
    pub(super) mistakes: Vec<Mistake>,
    /// Whether the rest means what it meant among them.
    pub(super) is_sound: bool,
}

/// Takes what is not TOML out of `text`.
///
/// What the parser reports behind its first mistake is mostly a consequence of that. So the line
/// is taken out and the rest is parsed again, as long as a line is all that a mistake can affect.
pub(super) fn split(text: &str) -> Syntax {
    let mut syntax = Syntax {
        rest: text.to_owned(),
        mistakes: Vec::new(),
        is_sound: true,
    };
    while syntax.mistakes.len() < MAX_FOUND {
        let errors = DeTable::parse_recoverable(&syntax.rest).1;
        let starts = errors.iter().map(|error| error.span().unwrap_or_default());
        let Some((span, error)) = starts.zip(&errors).min_by_key(|(span, _)| span.start) else {
            return syntax;
        };
        if syntax.mistakes.is_empty() && syntax.take_out_directives(text) {
            continue;
        }
        if let Some((start, explained)) = open_bracket(&syntax.rest, &errors) {
            syntax.note(text, start..start + 1, explained);
            break;
        }
        // Keys behind a header that was taken out are in the wrong table for now.
        if syntax.is_sound || error.message() != DUPLICATE {
            let explained = explain(error.message(), &syntax.rest, &span);
            syntax.note(text, span.clone(), explained);
        }
        if !syntax.take_out_line(span.start) {
            break;
        }
    }
    syntax.is_sound = false;
    syntax
}

impl Syntax {
    fn note(&mut self, text: &str, span: Range<usize>, (problem, help): (String, String)) {
        self.mistakes.push(Mistake::new(text, span, problem, help));
    }

    /// Takes out the line with `place`, if the lines behind it can be understood without it.
    fn take_out_line(&mut self, place: usize) -> bool {
        let place = place.min(self.rest.len());
        let Some((before, after)) = self.rest.split_at_checked(place) else {
            return false;
        };
        let start = before.rfind('\n').map_or(0, |newline| newline + 1);
        let end = after
            .find('\n')
            .map_or(self.rest.len(), |newline| place + newline);
        let line = self.rest[start..end].trim();
        let is_header = line.starts_with('[') && !line.ends_with(',');
        if !is_header && !is_entry(line) {
            return false;
        }
        self.is_sound &= !is_header;
        self.take_out(start..end);
        true
    }

    /// Takes out the lines that are in the syntax of SRS; false if there are none.
    fn take_out_directives(&mut self, text: &str) -> bool {
        let (directives, closing) = original::directives(text);
        for Directive { span, brief, help } in &directives {
            let problem = format!("`{brief}` is the syntax of SRS up to 7.0, this file is TOML");
            self.note(text, span.clone(), (problem, help.clone()));
            self.take_out(span.clone());
        }
        if directives.is_empty() {
            return false;
        }
        self.is_sound = false;
        for span in closing {
            self.take_out(span);
        }
        true
    }

    fn take_out(&mut self, span: Range<usize>) {
        self.rest
            .replace_range(span.clone(), &" ".repeat(span.len()));
    }
}

/// Whether `line` is a key and its value, or was meant to be, and nothing of the next line.
fn is_entry(line: &str) -> bool {
    let count = |c: char| line.matches(c).count();
    line.starts_with(|c: char| c.is_alphanumeric() || matches!(c, '_' | '='))
        && count('[') == count(']')
        && count('{') == count('}')
        && !line.contains("\"\"\"")
        && !line.contains("'''")
}

/// The bracket of a list, or the brace of a table, that is not closed, if there is one.
fn open_bracket(text: &str, errors: &[Error]) -> Option<(usize, (String, String))> {
    let has = |message: &str| {
        errors
            .iter()
            .any(|error| error.message().starts_with(message))
    };
    let is_open_at_end = OPEN.into_iter().any(has);
    if !is_open_at_end && !has(ENTRY_IN_LIST) {
        return None;
    }
    // The parser reports this at the end of the file. The first thing in there that does not
    // belong stands near the place where the bracket was forgotten.
    let is_inside = |error: &&Error| INSIDE.iter().any(|part| error.message().contains(part));
    let first = errors
        .iter()
        .filter(is_inside)
        .filter_map(Error::span)
        .map(|s| s.start)
        .min()?;
    let before = text.get(..first)?;
    let last_open = |open: char, close: char| {
        let starts = before.match_indices(open).map(|(index, _)| index).rev();
        let is_value = |index: &usize| before[..*index].trim_end_matches(' ').ends_with('=');
        let is_open = |index: &usize| {
            let inside = &before[*index..];
            inside.matches(open).count() > inside.matches(close).count()
        };
        starts.filter(is_value).find(is_open)
    };
    let list = last_open('[', ']').map(|start| (start, "this list is not closed", "`]`"));
    let table = last_open('{', '}').map(|start| (start, "this table is not closed", "`}`"));
    let (start, problem, bracket) = list.max(table)?;
    // A bracket further down may have closed it; within a line that would be no surprise.
    if !is_open_at_end && !before[start..].contains('\n') {
        return None;
    }
    Some((
        start,
        (problem.to_owned(), format!("expected {bracket} behind it")),
    ))
}

/// What is wrong and what would be right, for what the parser says about `span`.
fn explain(message: &str, text: &str, span: &Range<usize>) -> (String, String) {
    let written = text.get(span.clone()).unwrap_or_default().trim();
    let follows = text.get(span.start..).unwrap_or_default();
    let (problem, expected) = message.split_once(", expected ").unwrap_or((message, ""));
    let (problem, help) = match problem {
        _ if written.ends_with(';') || follows.starts_with(';') => (
            "a line of TOML has no `;` at its end",
            "take it out".to_owned(),
        ),
        "string values must be quoted" if written.is_empty() => (
            "there is no value",
            "expected one behind the `=`".to_owned(),
        ),
        "string values must be quoted" | "invalid boolean" | "invalid float" => {
            match &*written.to_lowercase() {
                "true" | "false" => (
                    "this is not TOML",
                    format!("write {}", written.to_lowercase()),
                ),
                "on" | "yes" => ("a text needs quotes", format!("write {written:?}, or true")),
                "off" | "no" => (
                    "a text needs quotes",
                    format!("write {written:?}, or false"),
                ),
                word => {
                    let plain = written.trim_matches(['“', '”', '„', '‘', '’', '\'', '"']);
                    let help = match nearest(word, &["true", "false"]) {
                        Some(boolean) => format!("write {plain:?}, or {boolean}"),
                        None => format!("write {plain:?}"),
                    };
                    ("a text needs quotes", help)
                }
            }
        }
        "invalid basic string" | "invalid literal string" if written.is_empty() => {
            ("this text is not closed", format!("expected {expected}"))
        }
        "missing escaped value" => (
            "a backslash in double quotes begins an escape",
            r"write \\, or put the text in single quotes".to_owned(),
        ),
        "key with no value" => ("there is no value", "expected `=` and a value".to_owned()),
        "invalid unquoted key" | "unquoted keys cannot be empty" => (
            "this is no key",
            "a key has letters, digits, `-` and `_`; others need quotes around it".to_owned(),
        ),
        DUPLICATE => {
            return (
                format!("`{written}` is here a second time"),
                "a key and a table may be there once".to_owned(),
            );
        }
        "unexpected key or value" => (
            "there is something behind the end",
            "expected a new line".to_owned(),
        ),
        MISSING_COMMA => (
            "a comma is missing in the list",
            "expected `,` before this".to_owned(),
        ),
        _ if expected == "nothing" => (problem, "take it out".to_owned()),
        _ if expected.is_empty() => (problem, String::new()),
        _ => (problem, format!("expected {expected}")),
    };
    (problem.to_owned(), help)
}

/// More mistakes than this are not looked for.
const MAX_FOUND: usize = 50;

const DUPLICATE: &str = "duplicate key";
const MISSING_COMMA: &str = "missing comma between array elements";

const ENTRY_IN_LIST: &str = "unexpected `=` in array";

/// What the parser says at the end of a file in which a bracket is not closed, and before.
const OPEN: [&str; 2] = ["unclosed array", "unclosed inline table"];
const INSIDE: [&str; 5] = [
    "array element",
    "in array",
    "unclosed array",
    "inline table",
    "between key-value pairs",
];
