//! What differs between two configurations.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use toml::Table;

use super::effective::{Shown, spell, value};
use super::key_path::KeyPath;
use super::settings::{self, Setting};
use super::{Config, VhostConfig};

/// A setting that differs, or a vhost that only one of two configurations has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// Its key with those of its tables, as in a file: `vhost."live.example.com".queue_length`.
    pub setting: String,
    /// The same as a list of keys; see [`Difference::keys`].
    pub path: Vec<String>,
    /// What it was, in the spelling of a file; `None` if it was not set. A secret is `"…"`, a
    /// vhost is what its table has beside defaults: `{ gop_cache = false }`.
    pub old: Option<String>,
    /// What it is now; `None` if it is not set.
    pub new: Option<String>,
}

impl Difference {
    /// The keys, for a `match`: `["log", "level"]`, `["vhost", name, "play", key]`, and
    /// `["vhost", name]` if the whole vhost was added or removed.
    #[must_use]
    pub fn keys(&self) -> Vec<&str> {
        self.path.iter().map(String::as_str).collect()
    }

    fn new(path: &KeyPath, old: Option<String>, new: Option<String>) -> Self {
        Self {
            setting: path.to_string(),
            path: path.keys().into_iter().map(str::to_owned).collect(),
            old,
            new,
        }
    }
}

/// What differs from `old` to `new`, in the order of the settings; the values are the effective
/// ones, so a setting that is left out has its default. Vhosts come last, by name.
#[must_use]
pub fn diff(old: &Config, new: &Config) -> Vec<Difference> {
    let values = [old, new].map(|config| {
        let outside = Config {
            vhosts: BTreeMap::new(),
            ..config.clone()
        };
        outside.to_table()
    });
    let others = settings::all().iter().filter(|it| !it.is_of_vhost());
    let mut differences: Vec<_> = others.filter_map(|it| compare(it, "", &values)).collect();
    let mut names: Vec<_> = old.vhosts.keys().chain(new.vhosts.keys()).collect();
    names.sort();
    names.dedup();
    for name in names {
        match [old, new].map(|config| config.vhosts.get(name)) {
            // Most of a thousand stay as they are.
            [before, now] if before == now => {}
            [Some(before), Some(now)] => {
                let values = [before, now].map(VhostConfig::to_table);
                let settings = settings::of_vhosts();
                differences.extend(settings.filter_map(|it| compare(it, name.as_str(), &values)));
            }
            [before, now] => {
                let path = KeyPath::of_keys(&["vhost", name.as_str()]);
                differences.push(Difference::new(&path, before.map(brief), now.map(brief)));
            }
        }
    }
    differences
}

/// The difference in `setting`, if there is one. The tables are of the vhost `vhost` if the setting
/// is of vhosts.
fn compare(setting: &Setting, vhost: &str, [old, new]: &[Table; 2]) -> Option<Difference> {
    let keys = setting.inner_path();
    let [old, new] = [old, new].map(|table| value(table, &keys));
    if old == new {
        return None;
    }
    let spell = |value| spell(setting, value, Shown::WithoutSecrets);
    let path = setting.path_in(vhost);
    Some(Difference::new(&path, old.map(spell), new.map(spell)))
}

/// What `vhost` has beside defaults, in one line.
fn brief(vhost: &VhostConfig) -> String {
    static DEFAULT: LazyLock<Table> = LazyLock::new(|| VhostConfig::default().to_table());
    let mine = vhost.to_table();
    let entries: Vec<_> = settings::of_vhosts()
        .filter_map(|setting| {
            let keys = setting.inner_path();
            let value = value(&mine, &keys).filter(|mine| Some(*mine) != value(&DEFAULT, &keys))?;
            let value = spell(setting, value, Shown::WithoutSecrets);
            Some(format!("{} = {value}", keys.join(".")))
        })
        .collect();
    if entries.is_empty() {
        "{}".to_owned()
    } else {
        format!("{{ {} }}", entries.join(", "))
    }
}
