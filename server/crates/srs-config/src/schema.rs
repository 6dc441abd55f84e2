//! Which tables there are, and which keys they have: read off the structs, so that no list needs
//! to be kept in step with them.

use std::collections::BTreeMap;

use serde::Deserialize as _;
use toml::de::{DeTable, DeValue};

use super::reader::{Keys, Notes, Reader};
use super::{Config, VhostConfig, VhostName};

/// A table that a configuration may have.
#[derive(Debug)]
pub(super) struct Table {
    /// The keys on the way to it; a vhost is called [`ANY_VHOST`]. Empty for the root.
    pub(super) path: Vec<String>,
    /// Its keys, tables among them.
    pub(super) keys: Keys,
}

/// Stands for the name of a vhost.
pub(super) const ANY_VHOST: &str = "NAME";

/// All tables, each before those inside it.
pub(super) fn tables() -> Vec<Table> {
    let text = toml::to_string(&sample()).unwrap_or_default();
    let root = DeValue::Table(DeTable::parse_recoverable(&text).0.into_inner());
    let notes = Notes::default();
    // What a configuration is written as, it can be read from; else there is nothing to tell.
    let _ = Config::deserialize(Reader::new(&root, &notes));
    let table = |(path, keys): (super::key_path::KeyPath, Keys)| Table {
        path: generalize(&path.keys())
            .into_iter()
            .map(str::to_owned)
            .collect(),
        keys,
    };
    notes.tables.take().into_iter().map(table).collect()
}

/// Whether there is a table at `path`, in which a vhost is called [`ANY_VHOST`].
pub(super) fn is_table(path: &[&str]) -> bool {
    tables().iter().any(|table| table.path == path)
}

/// Whether the table at `path`, in which a vhost is called [`ANY_VHOST`], has `key`.
pub(super) fn has(path: &[&str], key: &str) -> bool {
    tables()
        .iter()
        .any(|table| table.path == path && table.keys.contains(&key))
}

/// `keys` with [`ANY_VHOST`] in place of the name of a vhost.
pub(super) fn generalize<'a>(keys: &[&'a str]) -> Vec<&'a str> {
    let mut keys = keys.to_vec();
    if let ["vhost", name, ..] = &mut keys[..] {
        *name = ANY_VHOST;
    }
    keys
}

/// A configuration that has every table.
pub(super) fn sample() -> Config {
    let name: VhostName = ANY_VHOST.parse().expect("letters make a name");
    Config {
        vhosts: BTreeMap::from([(name, VhostConfig::default())]),
        ..Config::default()
    }
}
