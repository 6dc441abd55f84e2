//! Where a value is in a TOML file.

use std::fmt;
use std::ops::Range;

use toml::Spanned;
use toml::de::DeValue;

use super::vhost_name;

/// The way from the root of a file to an entry: keys, and places in lists.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct KeyPath(Vec<Step>);

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Step {
    Key(String),
    Element(usize),
}

impl Step {
    fn as_key(&self) -> Option<&str> {
        match self {
            Self::Key(key) => Some(key),
            Self::Element(_) => None,
        }
    }
}

impl KeyPath {
    pub(super) fn of_keys(keys: &[&str]) -> Self {
        Self(keys.iter().map(|&key| Step::Key(key.to_owned())).collect())
    }

    pub(super) fn key(&self, key: &str) -> Self {
        self.step(Step::Key(key.to_owned()))
    }

    pub(super) fn element(&self, index: usize) -> Self {
        self.step(Step::Element(index))
    }

    fn step(&self, step: Step) -> Self {
        Self(self.0.iter().cloned().chain([step]).collect())
    }

    /// The keys on the way; places in lists are left out.
    pub(super) fn keys(&self) -> Vec<&str> {
        self.0.iter().filter_map(Step::as_key).collect()
    }

    /// The way to the list or table that this is directly in; `None` for the root.
    pub(super) fn parent(&self) -> Option<Self> {
        let (_, outer) = self.0.split_last()?;
        Some(Self(outer.to_vec()))
    }

    pub(super) fn is_element(&self) -> bool {
        matches!(self.0.last(), Some(Step::Element(_)))
    }

    pub(super) fn starts_with(&self, other: &Self) -> bool {
        self.0.starts_with(&other.0)
    }

    /// The keys on the way to the table that this is in.
    fn table(&self) -> Vec<&str> {
        let mut keys = self.keys();
        keys.pop();
        keys
    }

    /// Whether `other`, which may write the name of its vhost in another way, is in the same table.
    pub(super) fn is_beside(&self, other: &Self) -> bool {
        let (one, other) = (self.table(), other.table());
        match (&one[..], &other[..]) {
            (["vhost", one, rest @ ..], ["vhost", other, others @ ..]) => {
                vhost_name::normalize(one) == vhost_name::normalize(other) && rest == others
            }
            (one, other) => one == other,
        }
    }

    /// This path with the name of its vhost as it is written in `root`; `None` if that is not there.
    pub(super) fn as_written(&self, root: &DeValue<'_>) -> Option<Self> {
        let ["vhost", name, ..] = self.keys()[..] else {
            return Some(self.clone());
        };
        let vhosts = root.get("vhost")?.get_ref().as_table()?;
        let mut names = vhosts.keys().map(|key| &**key.get_ref());
        let written = names.find(|written| vhost_name::normalize(written) == name)?;
        Some(self.in_vhost(written))
    }

    /// This path with `name` for the name of its vhost, if it is in one.
    pub(super) fn in_vhost(&self, name: &str) -> Self {
        let mut path = self.clone();
        if let [Step::Key(vhost), Step::Key(old), ..] = &mut path.0[..]
            && vhost == "vhost"
        {
            name.clone_into(old);
        }
        path
    }

    /// The key and the value at this path; an element of a list has no key.
    pub(super) fn find<'a, 'i>(&self, root: &'a DeValue<'i>) -> Option<Entry<'a, 'i>> {
        let mut key = None;
        let mut value: Option<&Spanned<DeValue<'i>>> = None;
        for step in &self.0 {
            let inside = value.map_or(root, Spanned::get_ref);
            (key, value) = match step {
                Step::Key(name) => {
                    let (key, value) = inside.as_table()?.get_key_value(name.as_str())?;
                    (Some(key.span()), Some(value))
                }
                Step::Element(index) => (None, Some(inside.as_array()?.get(*index)?)),
            };
        }
        Some(Entry { key, value: value? })
    }
}

/// An entry as it stands in the file.
pub(super) struct Entry<'a, 'i> {
    pub(super) key: Option<Range<usize>>,
    pub(super) value: &'a Spanned<DeValue<'i>>,
}

/// As it is written in TOML, for instance `vhost."example.com".play`.
impl fmt::Display for KeyPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, key) in self.keys().into_iter().enumerate() {
            let separator = if index == 0 { "" } else { "." };
            write!(f, "{separator}{}", toml_key(key))?;
        }
        Ok(())
    }
}

/// A key as it is written in TOML, in quotes where it needs them.
pub(super) fn toml_key(key: &str) -> String {
    let is_bare = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_');
    if !key.is_empty() && key.chars().all(is_bare) {
        key.to_owned()
    } else {
        format!("{key:?}")
    }
}
