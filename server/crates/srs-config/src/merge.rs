//! Several files as one: tables are merged key by key, every other value replaces the one before.

use std::borrow::Cow;
use std::collections::BTreeSet;

use toml::Spanned;
use toml::de::{DeArray, DeTable, DeValue};

use super::VhostName;
use super::key_path::KeyPath;
use super::vhost_name;

/// What some files say together.
#[derive(Default)]
pub(super) struct Merged<'a>(DeTable<'a>);

impl<'a> Merged<'a> {
    /// The tree. Places in it mean nothing: its entries are of several files.
    pub(super) fn into_table(self) -> DeTable<'a> {
        self.0
    }

    /// Puts `table` over what is there, without the entries that are `skipped`.
    pub(super) fn add(&mut self, table: &DeTable<'a>, skipped: &BTreeSet<KeyPath>) {
        merge(&mut self.0, table, &KeyPath::default(), skipped);
    }

    /// As [`Self::add`]; what `table` says of the default vhost is put over every vhost.
    pub(super) fn add_for_all_vhosts(&mut self, table: &DeTable<'a>, skipped: &BTreeSet<KeyPath>) {
        self.add(table, skipped);
        let path = KeyPath::of_keys(&["vhost", VhostName::DEFAULT]);
        let for_all = table.get("vhost").and_then(|vhosts| {
            let vhosts = vhosts.get_ref().as_table()?;
            vhosts.get(VhostName::DEFAULT)?.get_ref().as_table()
        });
        let (Some(for_all), Some(vhosts)) = (for_all, self.0.get_mut("vhost")) else {
            return;
        };
        let DeValue::Table(vhosts) = vhosts.get_mut() else {
            return;
        };
        for (_, vhost) in vhosts.iter_mut() {
            if let DeValue::Table(vhost) = vhost.get_mut() {
                merge(vhost, for_all, &path, skipped);
            }
        }
    }

    /// Takes the keys `keys` out of the table `table`, which is at the top.
    pub(super) fn remove(&mut self, removed: &[(&str, &str)]) {
        for (table, key) in removed {
            if let Some(DeValue::Table(table)) = self.0.get_mut(*table).map(Spanned::get_mut) {
                table.remove(*key);
            }
        }
    }
}

/// Puts `new`, which is at `path`, over `old`.
fn merge<'a>(
    old: &mut DeTable<'a>,
    new: &DeTable<'a>,
    path: &KeyPath,
    skipped: &BTreeSet<KeyPath>,
) {
    let are_vhosts = path.keys() == ["vhost"];
    for (key, value) in new {
        let path = path.key(key.get_ref());
        if skipped.contains(&path) {
            continue;
        }
        // Names that differ in TOML can be one host.
        let name = if are_vhosts {
            Cow::Owned(vhost_name::normalize(key.get_ref()).into_owned())
        } else {
            key.get_ref().clone()
        };
        match value.get_ref() {
            DeValue::Table(table) => {
                let empty = || Spanned::new(0..0, DeValue::Table(DeTable::new()));
                let entry = old.entry(Spanned::new(0..0, name)).or_insert_with(empty);
                if !entry.get_ref().is_table() {
                    *entry = empty();
                }
                if let DeValue::Table(inner) = entry.get_mut() {
                    merge(inner, table, &path, skipped);
                }
            }
            value => {
                let value = Spanned::new(0..0, without(value, &path, skipped));
                old.insert(Spanned::new(0..0, name), value);
            }
        }
    }
}

/// `value`, which is at `path`, without the elements that are `skipped`.
fn without<'a>(value: &DeValue<'a>, path: &KeyPath, skipped: &BTreeSet<KeyPath>) -> DeValue<'a> {
    match value {
        DeValue::Array(array) => {
            let mut rest = DeArray::new();
            for (index, element) in array.iter().enumerate() {
                if !skipped.contains(&path.element(index)) {
                    rest.push(element.clone());
                }
            }
            DeValue::Array(rest)
        }
        value => value.clone(),
    }
}
