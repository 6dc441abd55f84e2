//! How the user likes the dashboard: what the settings say, and what the arguments say instead.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::de::Error as _;
use serde::{Deserialize, Deserializer};

use super::app::Liking;
use super::columns::{self, Units};
use super::graph::Symbols;
use super::page::Table;
use super::theme::{Colours, THEMES};
use crate::cli::Top;
use crate::settings;

/// The table `[top]` of the settings.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct TopSettings {
    /// The name of the theme.
    #[serde(deserialize_with = "theme_of")]
    theme: Option<ThemeName>,
    /// How often servers are asked.
    #[serde(deserialize_with = "settings::duration")]
    interval: Option<Duration>,
    /// What graphs are drawn with; else what the environment can show.
    #[serde(deserialize_with = "symbols_of")]
    symbols: Option<Symbols>,
    /// What rates are told in.
    #[serde(deserialize_with = "units_of")]
    units: Option<Units>,
    /// Whether the mouse is the dashboard's.
    mouse: Option<bool>,
    /// The columns of tables that are not the usual ones.
    #[serde(deserialize_with = "chosen_columns")]
    columns: ChosenColumns,
}

/// One of those that there are.
type ThemeName = &'static str;
/// Columns by table, by their keys.
pub(crate) type ChosenColumns = BTreeMap<Table, Vec<&'static str>>;

/// How the dashboard is to be.
#[derive(Clone, Debug)]
pub(crate) struct Options {
    pub(crate) liking: Liking,
    pub(crate) has_mouse: bool,
}

impl Options {
    /// What `arguments` say, else `settings`, else what the environment can show.
    pub(crate) fn new(
        arguments: &Top,
        settings: &TopSettings,
        variable: impl Fn(&str) -> Option<String>,
    ) -> Self {
        let symbols = match settings.symbols {
            _ if arguments.ascii => Symbols::Ascii,
            Some(symbols) => symbols,
            None => Symbols::of(&variable),
        };
        let every = arguments.interval.or(settings.interval);
        Self {
            liking: Liking {
                theme: arguments.theme.or(settings.theme).unwrap_or("default"),
                colours: Colours::of(&variable),
                symbols,
                every: every.unwrap_or(Duration::from_secs(1)).clamp(LEAST, MOST),
                units: settings.units.unwrap_or_default(),
                columns: settings.columns.clone(),
            },
            has_mouse: !arguments.no_mouse && settings.mouse.unwrap_or(true),
        }
    }
}

/// The theme of this name.
///
/// # Errors
/// There is none; which there are.
pub(crate) fn theme(name: &str) -> Result<&'static str, String> {
    let known = THEMES
        .iter()
        .map(|(known, _)| *known)
        .find(|known| *known == name);
    known.ok_or_else(|| expected(name, &THEMES.map(|(name, _)| name)))
}

fn symbols(name: &str) -> Result<Symbols, String> {
    Symbols::named(name).ok_or_else(|| expected(name, &["braille", "block", "ascii"]))
}

fn units(name: &str) -> Result<Units, String> {
    match name {
        "bits" => Ok(Units::Bits),
        "bytes" => Ok(Units::Bytes),
        _ => Err(expected(name, &["bits", "bytes"])),
    }
}

fn expected(name: &str, names: &[&str]) -> String {
    format!("there is no {name:?}, expected one of {}", names.join(", "))
}

/// A setting whose text `parse` understands.
fn told<'de, T, D: Deserializer<'de>>(
    deserializer: D,
    parse: impl Fn(&str) -> Result<T, String>,
) -> Result<Option<T>, D::Error> {
    let text = String::deserialize(deserializer)?;
    parse(&text).map(Some).map_err(D::Error::custom)
}

fn theme_of<'de, D: Deserializer<'de>>(from: D) -> Result<Option<&'static str>, D::Error> {
    told(from, theme)
}

fn symbols_of<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Symbols>, D::Error> {
    told(from, symbols)
}

fn units_of<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Units>, D::Error> {
    told(from, units)
}

fn chosen_columns<'de, D: Deserializer<'de>>(deserializer: D) -> Result<ChosenColumns, D::Error> {
    let mut chosen = ChosenColumns::new();
    for (name, keys) in BTreeMap::<String, Vec<String>>::deserialize(deserializer)? {
        let table = Table::ALL.into_iter().find(|table| table.name() == name);
        let table =
            table.ok_or_else(|| D::Error::custom(expected(&name, &Table::ALL.map(Table::name))))?;
        let known = columns::keys(table);
        let mut own = Vec::new();
        for key in keys {
            let found = known.iter().find(|known| **known == key);
            let key = found
                .ok_or_else(|| D::Error::custom(format!("{name}: {}", expected(&key, &known))))?;
            if own.contains(key) {
                return Err(D::Error::custom(format!("{name}: {key:?} is there twice")));
            }
            own.push(*key);
        }
        chosen.insert(table, own);
    }
    Ok(chosen)
}

/// Between two questions to a server.
pub(crate) const LEAST: Duration = Duration::from_millis(250);
pub(crate) const MOST: Duration = Duration::from_secs(10);

#[cfg(test)]
mod tests {
    use clap::Parser as _;

    use super::*;
    use crate::cli::{Cli, Command};

    fn options(arguments: &[&str], settings: &str) -> Options {
        let arguments = [&["srsctl", "top"], arguments].concat();
        let Command::Top(top) = Cli::parse_from(arguments).command else {
            panic!("the dashboard was asked for");
        };
        let variable = |name: &str| match name {
            "TERM" => Some("xterm".to_owned()),
            "LANG" => Some("C.UTF-8".to_owned()),
            _ => None,
        };
        Options::new(&top, &toml::from_str(settings).unwrap(), variable)
    }

    #[test]
    fn arguments_count_more_than_settings() {
        let settings = "theme = \"dark\"\ninterval = \"3s\"\nsymbols = \"block\"\nmouse = false\n\
                        units = \"bytes\"\n[columns]\nstreams = [\"name\", \"out\"]";
        let liked = options(&[], settings);
        assert!(!liked.has_mouse);
        let liked = liked.liking;
        assert_eq!((liked.theme, liked.every), ("dark", Duration::from_secs(3)));
        assert_eq!((liked.symbols, liked.units), (Symbols::Block, Units::Bytes));
        assert_eq!(liked.columns[&Table::Streams], ["name", "out"]);
        let told = ["--theme", "light", "--interval", "500ms", "--ascii"];
        let liked = options(&told, settings).liking;
        assert_eq!(
            (liked.theme, liked.every),
            ("light", Duration::from_millis(500))
        );
        assert_eq!(liked.symbols, Symbols::Ascii);
        let liked = options(&[], "interval = 2").liking;
        assert_eq!(liked.every, Duration::from_secs(2), "seconds");
        let liked = options(&[], "");
        assert!(liked.has_mouse);
        assert_eq!(
            (liked.liking.theme, liked.liking.symbols),
            ("default", Symbols::Braille)
        );
        for wrong in [
            ["--theme", "pink"],
            ["--interval", "10ms"],
            ["--interval", "11s"],
        ] {
            assert!(Cli::try_parse_from([&["srsctl", "top"], &wrong[..]].concat()).is_err());
        }
    }

    #[test]
    fn wrong_settings_are_told_with_what_would_be_right() {
        let cases = [
            ("theme = \"pink\"", "expected one of default, mono"),
            (
                "symbols = \"stars\"",
                "expected one of braille, block, ascii",
            ),
            ("units = \"bit\"", "expected one of bits, bytes"),
            ("interval = \"often\"", "expected"),
            ("[columns]\nstream = []", "expected one of streams, clients"),
            (
                "[columns]\nstreams = [\"nam\"]",
                "expected one of state, name",
            ),
            (
                "[columns]\nstreams = [\"name\", \"out\", \"name\"]",
                "streams: \"name\" is there twice",
            ),
            ("interval = 2.5", "a time, as in"),
            ("colour = 1", "unknown field `colour`"),
        ];
        for (settings, expected) in cases {
            let error = toml::from_str::<TopSettings>(settings).unwrap_err();
            assert!(error.to_string().contains(expected), "{settings}: {error}");
        }
    }
}
