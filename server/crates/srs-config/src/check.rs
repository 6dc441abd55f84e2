//! From texts to a checked [`Config`], or to all mistakes of the texts.
//!
//! Each file is read by itself, so that what is wrong with it is told whatever the others say.
//! Reading stops at the first mistake, as serde does. Its entry is then left out and reading
//! starts again, until nothing is wrong with the rest. Each round leaves out one entry more, so
//! there is an end to it. The environment is read like a file. What is right is then merged, and
//! what contradicts each other is looked for last, in the whole.

use std::collections::BTreeSet;

use serde::Deserialize as _;
use toml::de::{DeTable, DeValue};

use super::contradiction::{self, Contradiction};
use super::environment::Environment;
use super::key_path::{Entry, KeyPath};
use super::merge::Merged;
use super::reader::{Keys, Notes, Reader};
use super::syntax::{self, Syntax};
use super::{Config, Mistake, VhostName, hint, original, settings};

/// A file: what messages call it, and what it says.
pub(super) struct File {
    pub(super) name: String,
    pub(super) text: String,
}

/// Reads a configuration out of `files`, of which later ones count more, and the `environment`,
/// which counts most.
pub(super) fn read(files: &[File], environment: &Environment) -> Result<Config, Vec<Mistake>> {
    let syntaxes: Vec<_> = files.iter().map(|file| syntax::split(&file.text)).collect();
    let mut documents: Vec<_> = files
        .iter()
        .zip(&syntaxes)
        .map(|(file, syntax)| Document::of_file(&file.name, syntax))
        .collect();
    documents.push(Document::of_environment(environment));
    let is_whole = documents.iter().all(|document| document.is_whole);
    let root = DeValue::Table(merge(&documents, environment).into_table());
    let result = Config::deserialize(Reader::new(&root, &Notes::default()));
    if let (Ok(config), true) = (&result, is_whole) {
        blame_contradictions(&mut documents, contradiction::find(config));
    }
    let mistakes: Vec<_> = documents
        .into_iter()
        .flat_map(Document::into_mistakes)
        .collect();
    match result {
        Ok(config) if mistakes.is_empty() => Ok(config),
        // What is right in each file is right in all: that would be a mistake of ours.
        Err(fault) if mistakes.is_empty() => {
            let (path, _, help) = fault.into_parts();
            let problem = format!("`{path}` is wrong in all files together");
            Err(vec![Mistake::in_environment(problem, help)])
        }
        _ => Err(mistakes),
    }
}

/// What is right in the documents.
fn merge<'a>(documents: &'a [Document<'a>], environment: &Environment) -> Merged<'a> {
    let mut merged = Merged::default();
    for document in documents {
        let DeValue::Table(table) = &document.root else {
            continue;
        };
        match document.origin {
            Origin::File { .. } => merged.add(table, &document.skipped),
            Origin::Environment(_) => {
                merged.remove(environment.removed());
                merged.add_for_all_vhosts(table, &document.skipped);
            }
        }
    }
    merged
}

/// Notes each contradiction in the document that brought it about: the last one that has any of
/// its settings.
fn blame_contradictions(documents: &mut [Document<'_>], contradictions: Vec<Contradiction>) {
    for Contradiction { settings, help } in contradictions {
        // What else is wrong with these may be the reason, and gone with it.
        let is_affected = |document: &Document<'_>| {
            let mut found = document.found.iter();
            found.any(|(path, _)| settings.iter().any(|setting| setting.is_beside(path)))
        };
        if documents.iter().any(is_affected) {
            continue;
        }
        let blamed = documents.iter_mut().rev().find_map(|document| {
            let mut settings = settings.iter();
            let path = settings.find_map(|setting| document.nearest(setting))?;
            Some((document, path))
        });
        if let Some((document, path)) = blamed {
            document.note(&path, false, help);
        }
    }
}

/// A file, or the environment, and what is wrong with it.
struct Document<'a> {
    origin: Origin<'a>,
    root: DeValue<'a>,
    /// Whether nothing had to be left out to get a tree at all.
    is_whole: bool,
    /// Mistakes that stand in the way of a tree.
    mistakes: Vec<Mistake>,
    /// Entries that are wrong.
    skipped: BTreeSet<KeyPath>,
    found: Vec<(KeyPath, Mistake)>,
}

enum Origin<'a> {
    File { name: &'a str, text: &'a str },
    Environment(&'a Environment),
}

impl<'a> Document<'a> {
    fn of_file(name: &'a str, syntax: &'a Syntax) -> Self {
        let mut document = Self {
            origin: Origin::File {
                name,
                text: &syntax.rest,
            },
            root: DeValue::Table(DeTable::new()),
            is_whole: syntax.mistakes.is_empty(),
            mistakes: syntax.mistakes.clone(),
            skipped: BTreeSet::new(),
            found: Vec::new(),
        };
        // Of a text that is not sound, what the rest means is guesswork.
        if syntax.is_sound {
            document.root = DeValue::Table(DeTable::parse_recoverable(&syntax.rest).0.into_inner());
            document.find_mistakes();
        }
        document
    }

    fn of_environment(environment: &'a Environment) -> Self {
        let mut document = Self {
            origin: Origin::Environment(environment),
            root: DeValue::Table(environment.to_table()),
            is_whole: true,
            mistakes: environment.mistakes(),
            skipped: BTreeSet::new(),
            found: Vec::new(),
        };
        document.find_mistakes();
        document
    }

    /// All mistakes, in the order of the lines.
    fn into_mistakes(self) -> Vec<Mistake> {
        let mut mistakes = self.mistakes;
        mistakes.extend(self.found.into_iter().map(|(_, mistake)| mistake));
        if let Origin::File { name, .. } = self.origin {
            mistakes.sort_by_key(|mistake| (mistake.line(), mistake.column()));
            mistakes = mistakes.into_iter().map(|m| m.in_file(name)).collect();
        }
        mistakes
    }

    /// Leaves out the entries that are wrong, until none is or they are too many.
    fn find_mistakes(&mut self) {
        let mut notes = Notes::default();
        while self.found.len() < MAX_FOUND {
            let result = Config::deserialize(Reader::new(&self.root, &notes));
            let room = MAX_FOUND.saturating_sub(self.found.len());
            for (path, known) in notes.unknown.take().into_iter().take(room) {
                self.note_unknown(&path, known);
                notes.skipped.insert(path);
            }
            let Err(fault) = result else {
                break;
            };
            let (path, is_key, help) = fault.into_parts();
            // A list whose elements are all wrong is not also too short.
            if !self.found.iter().any(|(known, _)| known.starts_with(&path)) {
                self.note(&path, is_key, help);
            }
            if !notes.skipped.insert(path) {
                break;
            }
        }
        self.skipped = notes.skipped;
    }

    /// Notes that there is no such key as that at `path`, where only `known` ones may be.
    fn note_unknown(&mut self, path: &KeyPath, known: Keys) {
        let Origin::File { text, .. } = self.origin else {
            // Only variables that name a setting are in there.
            return;
        };
        if let Some(Entry {
            key: Some(key),
            value,
        }) = path.find(&self.root)
        {
            let (problem, help) = hint::unknown(path, known, value.get_ref());
            let mistake = Mistake::new(text, key, problem, help);
            self.found.push((path.clone(), mistake));
        }
    }

    /// Notes that the key or the value at `path` is wrong.
    fn note(&mut self, path: &KeyPath, is_key: bool, help: String) {
        let mistake = match self.origin {
            Origin::File { text, .. } => mistake_in_file(text, &self.root, path, is_key, help),
            Origin::Environment(environment) => environment.mistake(path, &self.root, &help),
        };
        self.found.push((path.clone(), mistake));
    }

    /// The path at which this document has `setting`, or the list whose element that is.
    fn nearest(&self, setting: &KeyPath) -> Option<KeyPath> {
        let path = match self.origin {
            Origin::File { .. } => setting.as_written(&self.root)?,
            Origin::Environment(_) => setting.in_vhost(VhostName::DEFAULT),
        };
        let is_here = |path: &KeyPath| path.find(&self.root).is_some();
        if is_here(&path) {
            return Some(path);
        }
        path.parent()
            .filter(|list| path.is_element() && is_here(list))
    }
}

/// A mistake at the key or the value at `path` of the file `text`, whose entries are `root`.
fn mistake_in_file(
    text: &str,
    root: &DeValue<'_>,
    path: &KeyPath,
    is_key: bool,
    help: String,
) -> Mistake {
    let (span, problem, help) = match path.find(root) {
        None => (0..0, "this is no configuration".to_owned(), help),
        Some(Entry { key: Some(key), .. }) if is_key => {
            (key, format!("`{path}` cannot be named so"), help)
        }
        Some(Entry { key, value }) => {
            let written = text.get(value.span()).unwrap_or_default();
            let value_span = value.span();
            let value = value.get_ref();
            let verb = if path.is_element() { "contain" } else { "be" };
            let is_secret = settings::at(path).is_some_and(|setting| setting.is_secret);
            let problem = if is_secret {
                format!("`{path}` cannot be as it is")
            } else {
                format!("`{path}` cannot {verb} {}", describe(value, written))
            };
            // The place of a table is its whole header, of which the last key is to blame.
            let is_header = written.starts_with('[') && (value.is_table() || is_tables(value));
            let span = key.filter(|_| is_header).unwrap_or(value_span);
            match original::explain_value(path, value) {
                Some(note) => (span, problem, format!("{note}; {help}")),
                None => (span, problem, help),
            }
        }
    };
    Mistake::new(text, span, problem, help)
}

/// `value`, which is `written` so, in as many words as a message can take.
fn describe(value: &DeValue<'_>, written: &str) -> String {
    let is_short = written.chars().count() <= MAX_VALUE && !written.contains('\n');
    match value {
        DeValue::Table(_) => "a table".to_owned(),
        _ if is_tables(value) => "a list of tables".to_owned(),
        _ if is_short => written.to_owned(),
        DeValue::Array(_) => "this list".to_owned(),
        _ => "this value".to_owned(),
    }
}

/// Whether `value` is what a `[[header]]` makes, or looks like it.
fn is_tables(value: &DeValue<'_>) -> bool {
    value
        .as_array()
        .and_then(|array| array.first())
        .is_some_and(|first| first.get_ref().is_table())
}

/// More mistakes than this are not looked for: whoever made them wants another file.
const MAX_FOUND: usize = 200;

/// Longer values are not repeated in a message; the line below it shows them.
const MAX_VALUE: usize = 40;
