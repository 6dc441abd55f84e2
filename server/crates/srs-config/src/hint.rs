//! What whoever wrote an unknown key may have meant.

use toml::de::DeValue;

use super::key_path::{KeyPath, toml_key};
use super::original::{self, Fate};
use super::reader::Keys;
use super::schema::{self, ANY_VHOST, Table};

/// What is wrong with the key at `path`, which is none of `known`, and what may be right.
pub(super) fn unknown(path: &KeyPath, known: Keys, value: &DeValue<'_>) -> (String, String) {
    let keys = path.keys();
    let Some((&key, table)) = keys.split_last() else {
        return (String::new(), String::new());
    };
    let noun = if value.is_table() { "table" } else { "key" };
    let unknown = match table {
        [] => format!("unknown {noun} `{}`", toml_key(key)),
        _ => format!(
            "unknown {noun} `{}` in {}",
            toml_key(key),
            header(table, table)
        ),
    };
    let not_yet = format!("`{}` is not available in this version yet", toml_key(key));
    match original::fate(table, key) {
        Some(Fate::Later) => (not_yet, "take it out until then".to_owned()),
        Some(Fate::LaterAs(later)) => {
            let later = header(later, table);
            (
                not_yet,
                format!("it will be {later}; take it out until then"),
            )
        }
        Some(Fate::Is(here, name) | Fate::IsInWords(here, name)) => {
            (unknown, moved(name, here, table))
        }
        Some(Fate::IsInMillis(here, name)) => {
            let help = match value.as_integer() {
                Some(millis) if millis.radix() == 10 => {
                    moved(&format!("{name} = \"{millis}ms\""), here, table)
                }
                _ => moved(name, here, table),
            };
            (unknown, help)
        }
        Some(Fate::Gone(reason)) => (unknown, reason.to_owned()),
        None => {
            let help = belongs_elsewhere(key, table, value)
                .or_else(|| nearest(key, known).map(|near| format!("did you mean `{near}`?")))
                .or_else(|| quoted_host(&keys, known, value));
            let list = || either(known.iter().map(|key| format!("`{key}`")));
            (
                unknown,
                help.unwrap_or_else(|| format!("expected {}", list())),
            )
        }
    }
}

/// Says that it is `name` now, of the table `here`.
fn moved(name: &str, here: &[&str], table: &[&str]) -> String {
    if here == schema::generalize(table) {
        format!("it is `{name}` here")
    } else {
        format!("it is `{name}` {} here", inside(here, table))
    }
}

/// Says in which other tables there is such a key, if any.
fn belongs_elsewhere(key: &str, table: &[&str], value: &DeValue<'_>) -> Option<String> {
    let tables = schema::tables();
    let is_table = |path: &[String]| tables.iter().any(|table| table.path == path);
    let fits = |other: &&Table| {
        let path: Vec<_> = other.path.iter().cloned().chain([key.to_owned()]).collect();
        other.keys.contains(&key) && is_table(&path) == value.is_table()
    };
    let places: Vec<_> = tables
        .iter()
        .filter(fits)
        .map(|other| other.path.iter().map(String::as_str).collect::<Vec<_>>())
        .map(|path| inside(&path, table))
        .collect();
    (!places.is_empty()).then(|| format!("`{key}` belongs {}", places.join(" or ")))
}

/// The key of `known` that `key` is a slip of the pen away from.
pub(super) fn nearest<'a>(key: &str, known: &[&'a str]) -> Option<&'a str> {
    if key.len() > MAX_KEY {
        return None;
    }
    let plain = |key: &str| key.to_lowercase().replace('-', "_");
    let slips = key.chars().count().div_ceil(4);
    known
        .iter()
        .map(|known| (strsim::damerau_levenshtein(&plain(key), known), *known))
        .filter(|(distance, _)| *distance <= slips)
        .min()
        .map(|(_, known)| known)
}

/// A name with dots and without quotes reads as tables in tables.
fn quoted_host(keys: &[&str], known: Keys, value: &DeValue<'_>) -> Option<String> {
    let ["vhost", labels @ ..] = keys else {
        return None;
    };
    let mut name = labels.join(".");
    let mut table = value.as_table()?;
    if labels.len() != 2 {
        return None;
    }
    while !table.is_empty() && table.values().all(|value| value.get_ref().is_table()) {
        let is_label = |key: &str| !known.contains(&key);
        let Some((label, inner)) = table.iter().find(|(key, _)| is_label(key.get_ref())) else {
            break;
        };
        name = format!("{name}.{}", label.get_ref());
        table = inner.get_ref().as_table()?;
    }
    Some(format!("a name with dots needs quotes: [vhost.{name:?}]"))
}

/// `in [TABLE]`, or where the keys without a table go.
fn inside(table: &[&str], from: &[&str]) -> String {
    if table.is_empty() {
        "at the top of the file, before the first [table]".to_owned()
    } else {
        format!("in {}", header(table, from))
    }
}

/// `[TABLE]`, of the same vhost as `from` if both are in one.
pub(super) fn header(table: &[&str], from: &[&str]) -> String {
    let name = |key: &str| match (key, from) {
        (ANY_VHOST, ["vhost", name, ..]) => toml_key(name),
        (ANY_VHOST, _) => format!("{ANY_VHOST:?}"),
        _ => toml_key(key),
    };
    format!(
        "[{}]",
        table
            .iter()
            .map(|key| name(key))
            .collect::<Vec<_>>()
            .join(".")
    )
}

/// `a, b or c`
pub(super) fn either(items: impl Iterator<Item = String>) -> String {
    list(items, "or")
}

/// `a, b {word} c`
pub(super) fn list(items: impl Iterator<Item = String>, word: &str) -> String {
    let items: Vec<_> = items.collect();
    match items.split_last() {
        Some((last, rest)) if !rest.is_empty() => format!("{} {word} {last}", rest.join(", ")),
        _ => items.concat(),
    }
}

/// No key is half as long; comparing takes time by the square of the length.
const MAX_KEY: usize = 64;
