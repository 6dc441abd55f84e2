//! All settings: read off the structs and their schema, so that no list needs to be kept in step.

use std::ops::Range;
use std::sync::LazyLock;

use serde_json::Value;

use super::hint;
use super::json_schema::json_schema;
use super::key_path::KeyPath;
use super::schema::{self, ANY_VHOST, Table};

/// A setting that a configuration may have.
#[derive(Debug)]
pub(super) struct Setting {
    /// The keys on the way to its table; a vhost is called [`ANY_VHOST`].
    pub(super) table: Vec<String>,
    /// Its key.
    pub(super) key: &'static str,
    /// What its values are.
    pub(super) kind: Kind,
    /// Whether its values must not be shown.
    pub(super) is_secret: bool,
    /// Whether its values are URLs, of which the query must not be shown.
    pub(super) is_url: bool,
}

/// What the values of a setting are, as far as a bare text must know to become one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// True or false.
    Switch,
    /// A whole number, without a unit.
    Number,
    /// A list.
    List,
    /// Everything that is written in quotes, or can be.
    Text,
}

impl Setting {
    /// The keys on the way to it, its own the last.
    pub(super) fn path(&self) -> Vec<&str> {
        let table = self.table.iter().map(String::as_str);
        table.chain([self.key]).collect()
    }

    /// The same without those of the vhost that it is in, if it is of vhosts.
    pub(super) fn inner_path(&self) -> Vec<&str> {
        let mut path = self.path();
        if self.is_of_vhost() {
            path.drain(..VHOST_KEYS);
        }
        path
    }

    /// Whether each vhost has it.
    pub(super) fn is_of_vhost(&self) -> bool {
        self.path().contains(&ANY_VHOST)
    }

    /// The way to it in the vhost `vhost`, if it is of vhosts.
    pub(super) fn path_in(&self, vhost: &str) -> KeyPath {
        KeyPath::of_keys(&self.path()).in_vhost(vhost)
    }
}

/// All settings in the order of the structs: those of a table, then those of the tables in it.
pub(super) fn all() -> &'static [Setting] {
    static ALL: LazyLock<Vec<Setting>> = LazyLock::new(|| {
        let mut settings = Vec::new();
        collect(&[], &schema::tables(), &json_schema(), &mut settings);
        settings
    });
    &ALL
}

/// The settings that each vhost has.
pub(super) fn of_vhosts() -> impl Iterator<Item = &'static Setting> {
    all().iter().filter(|setting| setting.is_of_vhost())
}

/// All settings, those of one table together.
pub(super) fn by_table() -> impl Iterator<Item = &'static [Setting]> {
    all().chunk_by(|one, next| one.table == next.table)
}

/// The setting at `path`, whose vhost may have any name.
pub(super) fn at(path: &KeyPath) -> Option<&'static Setting> {
    let keys = path.keys();
    let path = schema::generalize(&keys);
    all().iter().find(|setting| setting.path() == path)
}

/// The part of a line that may be the value of a secret: what follows a key that is one, or nearly.
pub(super) fn secret_in(line: &str) -> Option<Range<usize>> {
    static KEYS: LazyLock<Vec<&str>> = LazyLock::new(|| {
        let secrets = all().iter().filter(|setting| setting.is_secret);
        secrets.map(|setting| setting.key).collect()
    });
    let is_in_key = |c: char| c.is_alphanumeric() || matches!(c, '_' | '-');
    let mut rest = line;
    while let Some(start) = rest.find(is_in_key) {
        let word = &rest[start..];
        let len = word.find(|c| !is_in_key(c)).unwrap_or(word.len());
        let (word, after) = word.split_at(len);
        let value = after.trim_start_matches(['"', '\'']);
        let value = value.trim_start_matches([' ', '\t', '=']);
        if !value.is_empty() && value.len() < after.len() && hint::nearest(word, &KEYS).is_some() {
            return Some(line.len() - value.len()..line.len());
        }
        rest = after;
    }
    None
}

/// Adds the settings of the table at `path`, then those of the tables in it.
fn collect(path: &[String], tables: &[Table], root: &Value, settings: &mut Vec<Setting>) {
    let Some(table) = tables.iter().find(|table| table.path == path) else {
        return;
    };
    let node = path.iter().fold(root, |node, key| inside(root, node, key));
    let mut inner = Vec::new();
    for key in table.keys {
        let path = [path, &[(*key).to_owned()]].concat();
        let mut deeper = tables.iter().map(|table| &table.path);
        if let Some(deeper) = deeper.find(|deeper| deeper.starts_with(&path)) {
            inner.push(deeper.clone());
            continue;
        }
        let node = inside(root, node, key);
        settings.push(Setting {
            table: table.path.clone(),
            key,
            kind: kind(node),
            is_secret: node["writeOnly"] == true,
            is_url: node["format"] == "uri",
        });
    }
    for path in inner {
        collect(&path, tables, root, settings);
    }
}

/// The part of a line that may be the query of a URL, which can hold a token.
pub(super) fn query_in(line: &str) -> Option<Range<usize>> {
    let scheme = line.find("://")?;
    let start = scheme + line[scheme..].find('?')? + 1;
    let rest = &line[start..];
    let len = rest.find(['"', '\'']).unwrap_or(rest.len());
    (len > 0).then_some(start..start + len)
}

/// The schema of what `key` is in a table of the schema `node`.
fn inside<'a>(root: &'a Value, node: &'a Value, key: &str) -> &'a Value {
    let inner = if key == ANY_VHOST {
        let by_pattern = node["patternProperties"].as_object();
        by_pattern
            .and_then(|patterns| patterns.values().next())
            .unwrap_or_else(|| &node["additionalProperties"])
    } else {
        &node["properties"][key]
    };
    let reference = inner["$ref"].as_str().and_then(|it| it.strip_prefix('#'));
    reference.and_then(|it| root.pointer(it)).unwrap_or(inner)
}

fn kind(node: &Value) -> Kind {
    let has_list = |node: &Value| node["type"] == "array";
    let mut forms = node["anyOf"].as_array().into_iter().flatten();
    match node["type"].as_str() {
        Some("boolean") => Kind::Switch,
        Some("integer") => Kind::Number,
        _ if has_list(node) || forms.any(has_list) => Kind::List,
        _ => Kind::Text,
    }
}

/// `vhost` and the name of the vhost.
const VHOST_KEYS: usize = 2;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_know_what_their_values_are() {
        let cases = [
            (&["listen"][..], Kind::List, false),
            (&["max_connections"], Kind::Number, false),
            (&["chunk_size"], Kind::Number, false),
            (&["pid"], Kind::Text, false),
            (&["log", "level"], Kind::Text, false),
            (&["limits", "connections_per_address"], Kind::Number, false),
            (&["limits", "stream_memory"], Kind::Text, false),
            (&["http_api", "enabled"], Kind::Switch, false),
            (&["http_api", "listen"], Kind::List, false),
            (&["http_api", "token"], Kind::Text, true),
            (&["http_api", "username"], Kind::Text, false),
            (&["http_api", "password"], Kind::Text, true),
            (&["heartbeat", "interval"], Kind::Text, false),
            (&["heartbeat", "token"], Kind::Text, true),
            (&["stats", "disk"], Kind::List, false),
            (&["vhost", "a.example", "chunk_size"], Kind::Number, false),
            (&["vhost", "a.example", "play", "merge"], Kind::Text, false),
            (&["vhost", "a.example", "refer", "all"], Kind::List, false),
        ];
        for (path, kind, is_secret) in cases {
            let setting = at(&KeyPath::of_keys(path)).unwrap();
            assert_eq!(
                (setting.kind, setting.is_secret),
                (kind, is_secret),
                "{path:?}"
            );
        }
    }
}
