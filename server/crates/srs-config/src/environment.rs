//! Variables of the environment as settings, under the names that later SRS gives them: `SRS_`,
//! then the keys on the way to the setting in upper case, joined by `_`, without the name of a
//! vhost: `SRS_HTTP_API_LISTEN`, `SRS_VHOST_PLAY_MERGE`.
//!
//! The variables become a table like that of a file, which is then read and checked as one.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use toml::Spanned;
use toml::de::{DeArray, DeTable, DeValue};

use super::effective::without_query;
use super::key_path::KeyPath;
use super::original::{self, Fate};
use super::schema;
use super::settings::{self, Kind, Setting};
use super::{Mistake, VhostName, hint};

/// What all names of variables begin with.
pub(super) const PREFIX: &str = "SRS_";

/// The variables that are settings, and what is to be said of the others.
#[derive(Default)]
pub(super) struct Environment {
    variables: Vec<Variable>,
    /// Settings that are taken back, by table and key.
    removed: Vec<(&'static str, &'static str)>,
    mistakes: Vec<Mistake>,
    warnings: Vec<String>,
}

/// A variable that is a setting.
struct Variable {
    name: String,
    /// Its value as it was set.
    written: String,
    /// Its value as a file would have it.
    text: String,
    setting: &'static Setting,
}

impl Environment {
    /// Looks through names and values; a name without `SRS_` is nothing to us, and an empty value
    /// is no value: compositions of containers pass on what is not set as empty.
    pub(super) fn new(variables: &[(String, String)]) -> Self {
        let ours: BTreeMap<_, _> = variables
            .iter()
            .filter(|(name, value)| name.starts_with(PREFIX) && !value.is_empty())
            .map(|(name, value)| (name.as_str(), value.as_str()))
            .collect();
        let mut environment = Self::default();
        let mut strangers = Vec::new();
        for (name, value) in ours {
            match NAMES.get(name) {
                Some(Meaning::Is(setting, how)) => environment.variables.push(Variable {
                    name: name.to_owned(),
                    written: value.to_owned(),
                    text: how.apply(value),
                    setting,
                }),
                Some(Meaning::Login) => environment.switch_login(name, value),
                None => match explain(name) {
                    Some(warning) => environment.warnings.push(warning),
                    None => strangers.push(name),
                },
            }
        }
        // The name that is ours counts more than the one of SRS.
        environment
            .variables
            .sort_by_key(|variable| variable.name == name_of(&variable.setting.path()));
        environment.warn_of_doubles();
        if !strangers.is_empty() {
            environment.warnings.push(format!(
                "no setting has the name of {}",
                hint::list(strangers.into_iter().map(str::to_owned), "or of")
            ));
        }
        if environment.removed.contains(&("http_api", "password")) {
            environment.drop_login();
        }
        environment
    }

    /// The variables as a file would have them; those of vhosts in the table of the default one.
    pub(super) fn to_table(&self) -> DeTable<'_> {
        let mut root = DeTable::new();
        for variable in &self.variables {
            let mut table = &mut root;
            for key in &variable.setting.table {
                let key = if key == schema::ANY_VHOST {
                    VhostName::DEFAULT
                } else {
                    key
                };
                let empty = || nowhere(DeValue::Table(DeTable::new()));
                let entry = table.entry(nowhere(key.into())).or_insert_with(empty);
                let DeValue::Table(inner) = entry.get_mut() else {
                    unreachable!("a path to a table has only tables on it");
                };
                table = inner;
            }
            let key = variable.setting.key;
            table.insert(nowhere(key.into()), nowhere(variable.value()));
        }
        root
    }

    /// Settings of files that the environment takes back, by table and key.
    pub(super) fn removed(&self) -> &[(&'static str, &'static str)] {
        &self.removed
    }

    /// What is wrong with variables that are no settings of their own.
    pub(super) fn mistakes(&self) -> Vec<Mistake> {
        self.mistakes.clone()
    }

    /// What is worth knowing.
    pub(super) fn warnings(&self) -> Vec<String> {
        self.warnings.clone()
    }

    /// A mistake in the variable that is at `path` of `root`, which [`Self::to_table`] made.
    pub(super) fn mistake(&self, path: &KeyPath, root: &DeValue<'_>, help: &str) -> Mistake {
        let setting = settings::at(path);
        let mut variables = self.variables.iter().rev();
        let variable = variables.find(|it| Some(it.setting.path()) == setting.map(Setting::path));
        let Some(Variable { name, written, .. }) = variable else {
            return Mistake::in_environment(format!("`{path}` is wrong"), help.to_owned());
        };
        let element = path
            .find(root)
            .filter(|_| path.is_element())
            .and_then(|entry| entry.value.get_ref().as_str());
        let problem = match element {
            _ if setting.is_some_and(|setting| setting.is_secret) => {
                format!("{name} cannot be as it is")
            }
            Some(element) => format!("{name} cannot contain {element:?}"),
            None => format!("{name} cannot be {:?}", without_query(written)),
        };
        let help = match help {
            "expected true or false" => "expected on or off",
            help => help,
        };
        Mistake::in_environment(problem, help.to_owned())
    }

    /// Tells which of two variables for one setting counts, if they say different things.
    fn warn_of_doubles(&mut self) {
        for (index, one) in self.variables.iter().enumerate() {
            let later = &self.variables[index + 1..];
            let is_other =
                |it: &&Variable| it.setting.path() == one.setting.path() && it.text != one.text;
            if let Some(other) = later.iter().rev().find(is_other) {
                self.warnings.push(format!(
                    "{} does nothing: {} says something else and counts more",
                    one.name, other.name
                ));
            }
        }
    }

    /// Basic authentication, which is there when a name and a password are: off takes them back.
    fn switch_login(&mut self, name: &str, value: &str) {
        match switch(value) {
            Some(true) => {}
            Some(false) => {
                self.removed = vec![("http_api", "username"), ("http_api", "password")];
            }
            None => self.mistakes.push(Mistake::in_environment(
                format!("{name} cannot be {value:?}"),
                "expected on or off".to_owned(),
            )),
        }
    }

    fn drop_login(&mut self) {
        let is_login = |setting: &Setting| {
            let mut removed = self.removed.iter();
            removed.any(|(table, key)| setting.path() == [*table, *key])
        };
        self.variables
            .retain(|variable| !is_login(variable.setting));
    }
}

impl Variable {
    /// The value as a file would have it.
    fn value(&self) -> DeValue<'_> {
        let text = self.text.as_str();
        let string = || DeValue::String(text.into());
        match self.setting.kind {
            Kind::Switch => switch(text).map_or_else(string, DeValue::Boolean),
            Kind::Number => integer(text).unwrap_or_else(string),
            Kind::List => {
                let mut list = DeArray::new();
                for element in text.split_whitespace() {
                    list.push(nowhere(DeValue::String(element.into())));
                }
                DeValue::Array(list)
            }
            Kind::Text => string(),
        }
    }
}

/// What a variable's name means.
enum Meaning {
    /// This setting, written in this way.
    Is(&'static Setting, Written),
    /// Whether there is basic authentication.
    Login,
}

/// How the value of a variable is written.
#[derive(Clone, Copy)]
enum Written {
    /// As in a file.
    Plainly,
    /// In milliseconds.
    InMillis,
    /// In a word of SRS.
    AsInSrs,
}

impl Written {
    /// `value` as a file would have it.
    fn apply(self, value: &str) -> String {
        match self {
            Self::InMillis if value.bytes().all(|b| b.is_ascii_digit()) => format!("{value}ms"),
            Self::AsInSrs => original::word(value).unwrap_or(value).to_owned(),
            _ => value.to_owned(),
        }
    }
}

/// The names that mean something.
static NAMES: LazyLock<BTreeMap<String, Meaning>> = LazyLock::new(|| {
    let mut names = BTreeMap::from([(LOGIN.to_owned(), Meaning::Login)]);
    let find = |table: &[&str], key: &str| {
        let path: Vec<_> = table.iter().chain([&key]).copied().collect();
        settings::at(&KeyPath::of_keys(&path))
    };
    for (table, key, fate) in original::fates() {
        let (setting, written) = match fate {
            Fate::Is(here, name) => (find(here, name), Written::Plainly),
            Fate::IsInWords(here, name) => (find(here, name), Written::AsInSrs),
            Fate::IsInMillis(here, name) => (find(here, name), Written::InMillis),
            Fate::Later | Fate::LaterAs(_) | Fate::Gone(_) => continue,
        };
        if let Some(setting) = setting {
            let path: Vec<_> = table.iter().chain([key]).copied().collect();
            names.insert(name_of(&path), Meaning::Is(setting, written));
        }
    }
    for setting in settings::all() {
        let meaning = Meaning::Is(setting, Written::Plainly);
        names.insert(name_of(&setting.path()), meaning);
    }
    names
});

/// The variable of the setting at `path`.
fn name_of(path: &[&str]) -> String {
    let keys: Vec<_> = path
        .iter()
        .filter(|key| **key != schema::ANY_VHOST)
        .map(|key| key.to_uppercase())
        .collect();
    format!("{PREFIX}{}", keys.join("_"))
}

/// What is to be said of a variable that is no setting, if it was meant to be one.
fn explain(name: &str) -> Option<String> {
    let is_part = |known: &str| {
        let rest = name.strip_prefix(known);
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('_'))
    };
    let fate = original::fates()
        .filter_map(|(table, key, fate)| {
            let path: Vec<_> = table.iter().chain([key]).copied().collect();
            Some((name_of(&path), fate)).filter(|(known, _)| is_part(known))
        })
        .max_by_key(|(known, _)| known.len());
    match fate {
        Some((_, Fate::Later | Fate::LaterAs(_))) => {
            Some(format!("{name} is not available in this version yet"))
        }
        Some((_, Fate::Gone(reason))) => Some(format!("{name} does nothing: {reason}")),
        _ => {
            let mut known = NAMES.keys();
            let slip = |known: &&String| strsim::damerau_levenshtein(name, known) <= MAX_SLIPS;
            let is_short = name.len() <= MAX_NAME;
            let near = known.find(slip).filter(|_| is_short)?;
            Some(format!(
                "no setting has the name of {name}: did you mean {near}?"
            ))
        }
    }
}

/// A switch as SRS writes it, or TOML.
fn switch(text: &str) -> Option<bool> {
    match text {
        "on" | "true" => Some(true),
        "off" | "false" => Some(false),
        _ => None,
    }
}

/// A whole number; `None` if `text` is not written like one.
fn integer(text: &str) -> Option<DeValue<'_>> {
    let value = DeValue::parse(text).ok()?.into_inner();
    value.is_integer().then_some(value)
}

/// An entry that is in no text.
fn nowhere<T>(value: T) -> Spanned<T> {
    Spanned::new(0..0, value)
}

/// Later SRS's switch for basic authentication.
const LOGIN: &str = "SRS_HTTP_API_AUTH_ENABLED";

/// Names that differ by more are meant for somebody else, such as the `SRS_PORT` of Kubernetes.
const MAX_SLIPS: usize = 2;

/// No name is half as long; comparing takes time by the square of the length.
const MAX_NAME: usize = 128;
