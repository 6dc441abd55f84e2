//! A configuration written out, with every setting.

use std::borrow::Cow;

use toml::{Table, Value};

use super::key_path::KeyPath;
use super::settings::{self, Setting};
use super::{Config, Error, VhostConfig, VhostName, hint};

/// Whether secrets are written out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shown {
    /// Tokens and passwords are there as `"…"`, and so is what follows the `?` in a URL.
    WithoutSecrets,
    /// They are there as they are.
    WithSecrets,
}

impl Config {
    /// The effective configuration as TOML: every setting, in the order of `srs.toml(5)`. Those
    /// that are not set and have no default are comments. Hosts without a table get what stands
    /// in that of `__defaultVhost__`, which is therefore always there.
    #[must_use]
    pub fn to_toml(&self, shown: Shown) -> String {
        let mut config = self.clone();
        config.vhosts.entry(VhostName::default()).or_default();
        let values = config.to_table();
        let mut text = String::new();
        let (of_vhosts, others): (Vec<_>, Vec<_>) =
            settings::by_table().partition(|settings| settings.iter().all(Setting::is_of_vhost));
        for settings in others {
            write_table(&mut text, settings, "", &values, shown);
        }
        for name in config.vhosts.keys() {
            for settings in &of_vhosts {
                write_table(&mut text, settings, name.as_str(), &values, shown);
            }
        }
        text
    }

    /// Reads what [`Self::to_toml`] has written, also without secrets: those that are there are then
    /// all alike. `name` is what messages call it.
    ///
    /// # Errors
    /// As [`Config::parse`]: what another version has written may be none.
    pub fn parse_shown(text: &str, name: &str) -> Result<Self, Error> {
        match text.parse::<Table>() {
            Ok(mut values) => {
                fill_secrets(&mut values, &KeyPath::default());
                Self::parse(&values.to_string(), name)
            }
            // It is no TOML, which the messages are about.
            Err(_) => Self::parse(text, name),
        }
    }

    /// The settings that have a value, as TOML has them.
    pub(super) fn to_table(&self) -> Table {
        Table::try_from(self).expect("a configuration is tables, lists and plain values")
    }
}

impl VhostConfig {
    /// As [`Config::to_table`].
    pub(super) fn to_table(&self) -> Table {
        Table::try_from(self).expect("a vhost is tables, lists and plain values")
    }
}

/// Puts a secret that any setting takes where one is hidden in the table at `path`.
fn fill_secrets(values: &mut Table, path: &KeyPath) {
    let is_secret = |path: &KeyPath| settings::at(path).is_some_and(|setting| setting.is_secret);
    for (key, value) in values {
        let path = path.key(key);
        match value {
            Value::Table(table) => fill_secrets(table, &path),
            Value::String(text) if text == HIDDEN && is_secret(&path) => {
                "hidden".clone_into(text);
            }
            _ => {}
        }
    }
}

/// Writes the `settings` of one table, which may be of the vhost `vhost`.
fn write_table(text: &mut String, settings: &[Setting], vhost: &str, values: &Table, shown: Shown) {
    for (index, setting) in settings.iter().enumerate() {
        let path = setting.path_in(vhost);
        let keys = path.keys();
        let Some((_, table)) = keys.split_last() else {
            continue;
        };
        if index == 0 && !table.is_empty() {
            *text += &format!("\n{}\n", hint::header(table, table));
        }
        *text += &match value(values, &keys) {
            Some(value) => format!("{} = {}\n", setting.key, spell(setting, value, shown)),
            None => format!("# {} is not set\n", setting.key),
        };
    }
}

/// The value at `keys`.
pub(super) fn value<'a>(table: &'a Table, keys: &[&str]) -> Option<&'a Value> {
    let (last, outer) = keys.split_last()?;
    let is_inside = |table: &'a Table, key: &&str| table.get(*key)?.as_table();
    outer.iter().try_fold(table, is_inside)?.get(*last)
}

/// `value` of `setting` as it is written in a file.
pub(super) fn spell(setting: &Setting, value: &Value, shown: Shown) -> String {
    match (shown, value) {
        (Shown::WithSecrets, _) => value.to_string(),
        (Shown::WithoutSecrets, _) if setting.is_secret => format!("\"{HIDDEN}\""),
        (Shown::WithoutSecrets, Value::String(url)) if setting.is_url => {
            Value::String(without_query(url).into_owned()).to_string()
        }
        (Shown::WithoutSecrets, _) => value.to_string(),
    }
}

/// `url` with what stands in the place of a secret for its query, if it has one.
pub(super) fn without_query(url: &str) -> Cow<'_, str> {
    match url.split_once('?') {
        Some((place, query)) if !query.is_empty() => Cow::Owned(format!("{place}?{HIDDEN}")),
        _ => Cow::Borrowed(url),
    }
}

/// What stands in the place of a secret.
const HIDDEN: &str = "…";
