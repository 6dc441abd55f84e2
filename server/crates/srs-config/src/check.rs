//! From text to a checked [`Config`], or to all mistakes of the text.
//!
//! Reading stops at the first mistake, as serde does. Its entry is then left out and reading
//! starts again, until nothing is wrong with the rest. Each round leaves out one entry more, so
//! there is an end to it. What contradicts each other is looked for last, in what is left.

use serde::Deserialize as _;
use toml::de::{DeTable, DeValue};

use super::key_path::{Entry, KeyPath};
use super::reader::{Notes, Reader};
use super::syntax::{self, Syntax};
use super::vhost::Contradiction;
use super::{Config, Mistake, VhostConfig, VhostName, hint, original};

/// Reads a configuration out of `text`.
pub(super) fn read(text: &str) -> Result<Config, Vec<Mistake>> {
    let Syntax {
        rest,
        mut mistakes,
        is_sound,
    } = syntax::split(text);
    if !is_sound {
        // What the rest means is guesswork.
        return Err(mistakes);
    }
    let is_whole = mistakes.is_empty();
    let root = DeValue::Table(DeTable::parse_recoverable(&rest).0.into_inner());
    let mut check = Check {
        text: &rest,
        root: &root,
        notes: Notes::default(),
        found: Vec::new(),
    };
    let config = check.read_what_is_right();
    if let (Some(config), true) = (&config, is_whole) {
        check.find_contradictions(config);
    }
    mistakes.extend(check.found.into_iter().map(|(_, mistake)| mistake));
    match config {
        Some(config) if mistakes.is_empty() => Ok(config),
        _ => Err(mistakes),
    }
}

struct Check<'a> {
    text: &'a str,
    root: &'a DeValue<'a>,
    notes: Notes,
    found: Vec<(KeyPath, Mistake)>,
}

impl Check<'_> {
    /// A configuration without the entries that are wrong; `None` if those are too many.
    fn read_what_is_right(&mut self) -> Option<Config> {
        while self.found.len() < MAX_FOUND {
            let result = Config::deserialize(Reader::new(self.root, &self.notes));
            let room = MAX_FOUND.saturating_sub(self.found.len());
            for (path, known) in self.notes.unknown.take().into_iter().take(room) {
                if let Some(Entry {
                    key: Some(key),
                    value,
                }) = path.find(self.root)
                {
                    let (problem, help) = hint::unknown(&path, known, value.get_ref());
                    self.found
                        .push((path.clone(), Mistake::new(self.text, key, problem, help)));
                }
                self.notes.skipped.insert(path);
            }
            let (path, is_key, help) = match result {
                Ok(config) => return Some(config),
                Err(fault) => fault.into_parts(),
            };
            // A list whose elements are all wrong is not also too short.
            if !self.found.iter().any(|(known, _)| known.starts_with(&path)) {
                self.note(&path, is_key, help);
            }
            if !self.notes.skipped.insert(path) {
                break;
            }
        }
        None
    }

    /// Notes that the key or the value at `path` is wrong.
    fn note(&mut self, path: &KeyPath, is_key: bool, help: String) {
        let (span, problem, help) = match path.find(self.root) {
            None => (0..0, "this is no configuration".to_owned(), help),
            Some(Entry { key: Some(key), .. }) if is_key => {
                (key, format!("`{path}` cannot be named so"), help)
            }
            Some(Entry { key, value }) => {
                let written = self.text.get(value.span()).unwrap_or_default();
                let value_span = value.span();
                let value = value.get_ref();
                let verb = if path.is_element() { "contain" } else { "be" };
                let problem = format!("`{path}` cannot {verb} {}", describe(value, written));
                // The place of a table is its whole header, of which the last key is to blame.
                let is_header = written.starts_with('[') && (value.is_table() || is_tables(value));
                let span = key.filter(|_| is_header).unwrap_or(value_span);
                match original::explain_value(path, value) {
                    Some(note) => (span, problem, format!("{note}; {help}")),
                    None => (span, problem, help),
                }
            }
        };
        let mistake = Mistake::new(self.text, span, problem, help);
        self.found.push((path.clone(), mistake));
    }

    /// Looks for settings that are right alone but not together, where nothing else is wrong.
    fn find_contradictions(&mut self, config: &Config) {
        let vhosts = KeyPath::of_keys(&["vhost"]);
        let Some(table) = vhosts
            .find(self.root)
            .and_then(|entry| entry.value.get_ref().as_table())
        else {
            return;
        };
        for name in table.keys() {
            let path = vhosts.key(name.get_ref());
            let vhost = name
                .get_ref()
                .parse()
                .ok()
                .and_then(|name: VhostName| config.vhosts.get(&name));
            if let Some(Contradiction { key, needs }) = vhost.and_then(VhostConfig::contradiction)
                && !self.found.iter().any(|(known, _)| known.starts_with(&path))
            {
                self.note(&path.key(key), false, needs.to_owned());
            }
        }
    }
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
