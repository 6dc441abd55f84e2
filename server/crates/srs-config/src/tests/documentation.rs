//! `conf/full.toml`, `conf/srs.toml` and `srs.toml(5)` against the structs: every key is there
//! once, in its table, with its true default.

use std::collections::{BTreeMap, BTreeSet};

use super::read;
use crate::{Config, VhostConfig, VhostName, schema};

/// The values of keys by table and key; `None` is a key that is named without a default.
type Settings = BTreeMap<(String, String), Option<toml::Value>>;

/// Every key of the structs with its default, which is `None` if it has none.
fn expected() -> Settings {
    let sample = toml::Table::try_from(schema::sample()).unwrap();
    let tables = schema::tables();
    let paths: BTreeSet<_> = tables.iter().map(|table| table.path.clone()).collect();
    let mut settings = Settings::new();
    for table in &tables {
        let values = table.path.iter().fold(&sample, |outer, key| {
            let name = if key == schema::ANY_VHOST {
                "name"
            } else {
                key
            };
            outer[name].as_table().unwrap()
        });
        for key in table.keys {
            let path: Vec<_> = table
                .path
                .iter()
                .cloned()
                .chain([(*key).to_owned()])
                .collect();
            let is_table = paths.iter().any(|other| other.starts_with(&path));
            if !is_table {
                settings.insert(
                    (table.path.join("."), (*key).to_owned()),
                    values.get(*key).cloned(),
                );
            }
        }
    }
    settings
}

/// Adds what a document says, which may say it once.
fn add(settings: &mut Settings, table: &str, key: &str, value: Option<toml::Value>) {
    let before = settings.insert((table.to_owned(), key.to_owned()), value);
    assert!(before.is_none(), "`{key}` of [{table}] is there twice");
}

fn parse_value(text: &str) -> toml::Value {
    let table: toml::Table = format!("value = {text}").parse().unwrap();
    table["value"].clone()
}

fn assert_documented(documented: &Settings) {
    let expected = expected();
    assert!(expected.len() > 30, "{expected:#?}");
    for (place, default) in &expected {
        assert_eq!(documented.get(place), Some(default), "{place:?}");
    }
    for place in documented.keys() {
        assert!(expected.contains_key(place), "{place:?} is no setting");
    }
}

/// A line of a file as it is, or as it was commented out: `key = value` or `#key = value`.
fn setting(line: &str) -> Option<(&str, &str, bool)> {
    let active = line.strip_prefix('#').unwrap_or(line);
    let (key, value) = active.split_once(" = ")?;
    let is_key = key.bytes().all(|b| b.is_ascii_lowercase() || b == b'_');
    is_key.then_some((key, value, line == active))
}

fn uncommented(text: &str) -> String {
    let line = |line: &str| match setting(line) {
        Some((key, value, _)) => format!("{key} = {value}\n"),
        None => format!("{line}\n"),
    };
    text.lines().map(line).collect()
}

fn with_default_vhost(vhost: VhostConfig) -> Config {
    let name: VhostName = VhostName::DEFAULT.parse().unwrap();
    Config {
        vhosts: BTreeMap::from([(name, vhost)]),
        ..Config::default()
    }
}

#[test]
fn full_toml_has_every_key_once_with_its_default() {
    let mut settings = Settings::new();
    let mut table = String::new();
    for line in read("conf/full.toml").lines() {
        if let Some(header) = line
            .strip_prefix('[')
            .and_then(|line| line.strip_suffix(']'))
        {
            table = header.replace(VhostName::DEFAULT, schema::ANY_VHOST);
        } else if let Some((key, value, is_active)) = setting(line) {
            add(
                &mut settings,
                &table,
                key,
                is_active.then(|| parse_value(value)),
            );
        }
    }
    assert_documented(&settings);
}

#[test]
fn full_toml_is_the_default_configuration() {
    let text = read("conf/full.toml");
    let expected = with_default_vhost(VhostConfig::default());
    assert_eq!(Config::parse(&text, "full.toml").unwrap(), expected);
    Config::parse(&uncommented(&text), "full.toml").unwrap();
}

#[test]
fn srs_toml_shows_true_defaults() {
    let text = read("conf/srs.toml");
    let expected = with_default_vhost(VhostConfig::default());
    assert_eq!(Config::parse(&text, "srs.toml").unwrap(), expected);
    assert_ne!(uncommented(&text), text);
    assert_eq!(
        Config::parse(&uncommented(&text), "srs.toml").unwrap(),
        expected
    );
}

#[test]
fn the_manual_has_every_key_once_with_its_default() {
    let mut settings = Settings::new();
    let mut table = String::new();
    for line in read("man/srs.toml.5").lines() {
        let line = line.replace(r"\(dq", "\"").replace(r"\&", "");
        if let Some(title) = line.strip_prefix(".Ss ") {
            let header = title
                .strip_prefix('[')
                .and_then(|title| title.strip_suffix(']'));
            table = header
                .unwrap_or_default()
                .replace("\"NAME\"", schema::ANY_VHOST);
        } else if let Some(item) = line.strip_prefix(".It Ic ") {
            let (key, value) = item.split_once(" No = ").unwrap();
            add(
                &mut settings,
                &table,
                key,
                (value != "none").then(|| parse_value(value)),
            );
        }
    }
    assert_documented(&settings);
}
