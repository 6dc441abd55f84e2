//! `srsctl config diff FILE`: the running server's settings beside those of a file.

use std::path::Path;

use serde::Serialize;
use srs_config::{Config, Shown};

use super::check::load;
use crate::client::Client;
use crate::command::Error;
use crate::output::text::printable;
use crate::output::{Report, Terminal};

/// What differs, in the order of the settings.
#[derive(Debug, Serialize)]
#[serde(transparent)]
pub(crate) struct Differences(Vec<Difference>);

/// A setting that differs.
#[derive(Debug, Serialize)]
struct Difference {
    /// Its key, with those of its tables.
    setting: String,
    /// What the server has, as TOML; absent if it has not.
    #[serde(skip_serializing_if = "Option::is_none")]
    server: Option<String>,
    /// What the file has, likewise.
    #[serde(skip_serializing_if = "Option::is_none")]
    file: Option<String>,
}

/// Asks the server, reads the file, and compares.
///
/// # Errors
/// The server does not answer, or has settings that this program does not know, or the file has
/// mistakes.
pub(super) async fn with_file(client: &Client, path: &Path) -> Result<Differences, Error> {
    let file = load(Some(path))?.config;
    let answer = client.config().await?;
    let server = Config::parse_shown(&answer.data.toml, SERVER).map_err(Error::ServerConfig)?;
    Ok(compare(&server, &file))
}

/// What differs between the configuration that the server tells of and that of a file.
fn compare(server: &Config, file: &Config) -> Differences {
    let differences = srs_config::diff(&as_told(server), &as_told(file)).into_iter();
    let differences = differences.map(|difference| Difference {
        setting: difference.setting,
        server: difference.old,
        file: difference.new,
    });
    Differences(differences.collect())
}

/// `config` as a server tells of it: without secrets, so that all that can be told of two is that
/// both are there, and with a table for the hosts that have none.
fn as_told(config: &Config) -> Config {
    let text = config.to_toml(Shown::WithoutSecrets);
    Config::parse_shown(&text, SERVER).expect("a configuration that is written out is one")
}

impl Report for Differences {
    fn text(&self, _terminal: &Terminal) -> String {
        let mut out = String::new();
        for Difference {
            setting,
            server,
            file,
        } in &self.0
        {
            let lines = [("-", server), ("+", file)];
            for (sign, value) in lines {
                if let Some(value) = value {
                    out += &format!("{sign} {} = {}\n", printable(setting), printable(value));
                }
            }
        }
        out
    }

    fn remark(&self) -> Option<String> {
        self.0.is_empty().then(|| "nothing differs".to_owned())
    }
}

/// What messages call the configuration of the server.
const SERVER: &str = "the server";

#[cfg(test)]
mod tests {
    use super::*;

    fn told(server: &str, file: &str) -> String {
        let [server, file] = [server, file].map(|text| Config::parse(text, "the test").unwrap());
        // As it comes from a server.
        let server = server.to_toml(Shown::WithoutSecrets);
        let server = Config::parse_shown(&server, SERVER).unwrap();
        compare(&server, &file).text(&Terminal::NONE)
    }

    #[test]
    fn what_differs_is_told_with_its_key() {
        let server = r#"
            listen = ["1935"]
            vhost."a.example.com".gop_cache = true
            vhost.old = {}
        "#;
        let file = r#"
            listen = ["1936"]
            max_connections = 10000
            pid = "/run/srs/pid"
            vhost."a.example.com".gop_cache = false
        "#;
        let expected = "\
- listen = [\"1935\"]
+ listen = [\"1936\"]
+ pid = \"/run/srs/pid\"
- vhost.\"a.example.com\".gop_cache = true
+ vhost.\"a.example.com\".gop_cache = false
- vhost.old = {}
";
        assert_eq!(told(server, file), expected);
    }

    #[test]
    fn the_same_written_otherwise_is_no_difference() {
        let token = "http_api = { token = \"geheim\", username = \"a\", password = \"b c\" }\n\
                     heartbeat.token = \"t\"\nheartbeat.url = \"http://a/?token=b\"";
        for (server, file) in [
            ("", ""),
            ("", "max_connections = 10000\n[vhost.__defaultVhost__]"),
            ("[vhost.__defaultVhost__.play]", ""),
            (
                "[vhost.A]\nqueue_length = 5",
                "[vhost.a]\nqueue_length = \"5s\"",
            ),
            (token, token),
        ] {
            assert_eq!(told(server, file), "", "{server:?} {file:?}");
        }
    }

    #[test]
    fn a_secret_is_told_only_to_be_there() {
        let token = "http_api.token = \"geheim\"";
        assert_eq!(told("", token), "+ http_api.token = \"…\"\n");
        assert_eq!(told(token, ""), "- http_api.token = \"…\"\n");
        assert_eq!(told(token, "http_api.token = \"secret\""), "");
    }
}
