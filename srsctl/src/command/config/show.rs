//! `srsctl config show`: the settings of the running server, or of a file.

use std::path::Path;

use serde::Serialize;
use srs_api::ConfigAnswer;
use srs_config::{Config, VhostConfig, VhostName};
use toml::{Table, Value};

use super::check::load;
use crate::cli::Show;
use crate::client::Client;
use crate::command::Error;
use crate::output::text::printable_lines;
use crate::output::{Report, Terminal};

/// Settings, as TOML for people. Programs get the server's answer, or the table of the file.
#[derive(Debug, Serialize)]
#[serde(untagged)]
pub(crate) enum Shown {
    /// What the server has.
    Server {
        /// Its answer.
        #[serde(flatten)]
        answer: Box<ConfigAnswer>,
        /// What of it is shown.
        #[serde(skip)]
        settings: Table,
    },
    /// What a file has.
    File(Table),
}

/// Asks the server.
///
/// # Errors
/// It does not answer, or tells what is no TOML.
pub(super) async fn of_server(client: &Client, arguments: &Show) -> Result<Shown, Error> {
    let answer = client.config().await?;
    let settings: Table = answer.data.toml.parse().map_err(Error::ConfigText)?;
    Ok(Shown::Server {
        settings: wanted(settings, arguments),
        answer: Box::new(answer),
    })
}

/// Reads the file.
///
/// # Errors
/// It cannot be read, or has mistakes.
pub(super) fn of_file(path: &Path, arguments: &Show) -> Result<Shown, Error> {
    let loaded = load(Some(path))?;
    Ok(Shown::File(wanted(as_told(&loaded.config), arguments)))
}

/// The settings as a server tells of them: what is shown of a file may be seen by whoever looks
/// over a shoulder, too.
fn as_told(config: &Config) -> Table {
    let text = config.to_toml(srs_config::Shown::WithoutSecrets);
    text.parse().expect("what is written as TOML is TOML")
}

fn wanted(settings: Table, arguments: &Show) -> Table {
    if arguments.effective {
        settings
    } else {
        without_defaults(settings)
    }
}

/// The settings that differ from the defaults.
fn without_defaults(mut settings: Table) -> Table {
    let vhosts = settings.remove(VHOST);
    let mut rest = differing(settings, &table(&Config::default()));
    if let Some(Value::Table(vhosts)) = vhosts {
        let defaults = table(&VhostConfig::default());
        let vhosts = vhosts.into_iter().map(|(name, vhost)| match vhost {
            Value::Table(vhost) => (name, Value::Table(differing(vhost, &defaults))),
            other => (name, other),
        });
        // One without settings of its own stays: that it is there is a setting. That for all other
        // hosts is there anyway.
        let is_told = |name: &str, vhost: &Value| {
            name != VhostName::DEFAULT || vhost.as_table().is_none_or(|vhost| !vhost.is_empty())
        };
        let vhosts: Table = vhosts
            .filter(|(name, vhost)| is_told(name, vhost))
            .collect();
        if !vhosts.is_empty() {
            rest.insert(VHOST.to_owned(), Value::Table(vhosts));
        }
    }
    rest
}

/// What of `settings` is not in `defaults`, or is another value there.
fn differing(settings: Table, defaults: &Table) -> Table {
    let differing =
        settings
            .into_iter()
            .filter_map(|(key, value)| match (value, defaults.get(&key)) {
                (Value::Table(table), Some(Value::Table(defaults))) => {
                    let table = differing(table, defaults);
                    (!table.is_empty()).then_some((key, Value::Table(table)))
                }
                (value, Some(default)) if value == *default => None,
                (value, _) => Some((key, value)),
            });
    differing.collect()
}

/// The settings of `part` by their keys.
fn table(part: &impl Serialize) -> Table {
    Table::try_from(part).expect("a configuration is a table")
}

impl Report for Shown {
    fn text(&self, _terminal: &Terminal) -> String {
        let (Self::Server { settings, .. } | Self::File(settings)) = self;
        if settings.is_empty() {
            return "# everything has its default\n".to_owned();
        }
        // Values are escaped by TOML already; this is for what it lets through.
        printable_lines(&toml::to_string(settings).unwrap_or_default()).into_owned()
    }
}

const VHOST: &str = "vhost";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_differs_from_the_defaults_is_left() {
        let text = r#"
            listen = ["1936"]
            max_connections = 10000
            [log]
            level = "debug"
            [vhost."live.example.com"]
            [vhost."live.example.com".play]
            [vhost."b.example.com"]
            gop_cache = false
        "#;
        let config = Config::parse(text, "the test").unwrap();
        let shown = toml::to_string(&without_defaults(as_told(&config))).unwrap();
        let expected = r#"listen = ["1936"]

[log]
level = "debug"

[vhost."b.example.com"]
gop_cache = false

[vhost."live.example.com"]
"#;
        assert_eq!(shown, expected);
        assert!(without_defaults(as_told(&Config::default())).is_empty());
    }

    #[test]
    fn the_table_for_all_other_hosts_is_shown_if_it_says_something() {
        let config = Config::parse("[vhost.__defaultVhost__]\natc = true", "the test").unwrap();
        let shown = toml::to_string(&without_defaults(as_told(&config))).unwrap();
        assert_eq!(shown, "[vhost.__defaultVhost__]\natc = true\n");
    }

    #[test]
    fn no_secret_of_a_file_is_shown() {
        let text = "http_api.token = \"geheim\"\nheartbeat.url = \"http://a/?token=geheim\"";
        let settings = as_told(&Config::parse(text, "the test").unwrap());
        let shown = Shown::File(without_defaults(settings.clone()));
        let expected = "[heartbeat]\nurl = \"http://a/?…\"\n\n[http_api]\ntoken = \"…\"\n";
        assert_eq!(shown.text(&Terminal::NONE), expected);
        let json = serde_json::to_string(&Shown::File(settings)).unwrap();
        assert!(!json.contains("geheim"), "{json}");
    }
}
