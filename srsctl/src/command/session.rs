//! What the commands of the API have in common: a server to ask, and a way to print what it says.

use std::env;
use std::time::Duration;

use serde::Serialize;

use super::Error;
use crate::cli::{ApiOptions, Form};
use crate::client::{Client, Credentials, Secret};
use crate::output::text::printable_json;
use crate::output::{self, Report, Terminal};
use crate::settings::{ServerRef, ServerSettings, Settings};
use crate::sink;

/// A server to ask, and how its answers are printed.
#[derive(Debug)]
pub(crate) struct Session {
    /// The server.
    pub(crate) client: Client,
    /// What people call it.
    pub(crate) name: String,
    form: Form,
}

impl Session {
    /// Begins with what the arguments, the environment and the settings say.
    ///
    /// # Errors
    /// They are wrong, or there is no server.
    pub(crate) async fn open(options: &ApiOptions) -> Result<Self, Error> {
        let settings = Settings::load()?;
        let opened = open_server(&settings, options, one(options)?).await?;
        tell(opened.warning.as_deref());
        Ok(Self {
            client: opened.client,
            name: opened.name,
            form: form(options),
        })
    }

    /// Whether a client of this id is connected, as far as the server tells.
    pub(crate) async fn has_client(&self, id: u64) -> bool {
        let id = id.to_string();
        let answer = self.client.client(&id).await;
        answer.is_ok_and(|answer| answer.client.id == id)
    }

    /// Prints a result.
    ///
    /// # Errors
    /// It cannot be written.
    pub(crate) async fn print(&self, report: &impl Report) -> Result<(), Error> {
        print(report, self.form).await
    }

    /// Prints what is for programs only: an answer that people are told as an error.
    ///
    /// # Errors
    /// It cannot be written.
    pub(crate) async fn print_json(&self, answer: &impl Serialize) -> Result<(), Error> {
        match self.form {
            Form::Table => Ok(()),
            Form::Json => {
                let text = json(answer, &Terminal::of_stdout());
                sink::print(text).await.map_err(Error::stdout)
            }
        }
    }

    /// How results are printed.
    pub(crate) fn form(&self) -> Form {
        self.form
    }
}

/// How results are printed.
pub(crate) fn form(options: &ApiOptions) -> Form {
    options.output.unwrap_or(Form::Table)
}

/// Prints a result; what is worth saying besides goes to standard error.
///
/// # Errors
/// It cannot be written.
pub(crate) async fn print(report: &impl Report, form: Form) -> Result<(), Error> {
    let terminal = Terminal::of_stdout();
    let text = match form {
        Form::Table => report.text(&terminal),
        Form::Json => json(report, &terminal),
    };
    if let Some(remark) = report.remark() {
        output::tell(format_args!("{remark}"));
    }
    sink::print(text).await.map_err(Error::stdout)
}

/// A line for programs, or several for eyes.
fn json(answer: &impl Serialize, terminal: &Terminal) -> String {
    let text = if terminal.width.is_some() {
        serde_json::to_string_pretty(answer)
    } else {
        serde_json::to_string(answer)
    };
    printable_json(text.unwrap_or_default()) + "\n"
}

/// A server that can be asked, and what is known of it.
#[derive(Debug)]
pub(crate) struct Opened {
    /// The server.
    pub(crate) client: Client,
    /// What people call it: its name in the settings, or else its address.
    pub(crate) name: String,
    /// Whether the arguments or the settings forbid to change anything there.
    pub(crate) read_only: bool,
    /// What the URLs of its streams begin with, if that is known.
    pub(crate) rtmp: Option<String>,
    /// What is not as it should be, and keeps nobody from asking.
    pub(crate) warning: Option<String>,
}

/// The server that the options name, where only one can be asked.
fn one(options: &ApiOptions) -> Result<Option<ServerRef>, Error> {
    match options.server.as_slice() {
        [] => Ok(None),
        [server] => Ok(Some(server.clone())),
        _ => Err(Error::SeveralServers),
    }
}

/// Opens every server that the options name; without one, the one that the environment and the
/// settings say. Warnings are told on standard error.
///
/// # Errors
/// They are wrong, or there is no server.
pub(crate) async fn open_all(options: &ApiOptions) -> Result<Vec<Opened>, Error> {
    let settings = Settings::load()?;
    let open = async |server| {
        let mut opened = open_server(&settings, options, server).await?;
        tell(opened.warning.take().as_deref());
        Ok::<_, Error>(opened)
    };
    if options.server.is_empty() {
        return Ok(vec![open(None).await?]);
    }
    let mut opened = Vec::new();
    for server in &options.server {
        opened.push(open(Some(server.clone())).await?);
    }
    Ok(opened)
}

/// Opens `server`, a name of the settings or an address; the other options count for it, too. A
/// warning is left to the caller: standard error may be under a screen.
///
/// # Errors
/// It is neither, or there is no such server.
pub(crate) async fn open_named(options: &ApiOptions, server: &str) -> Result<Opened, Error> {
    let server = parsed("the server", server)?;
    open_server(&Settings::load()?, options, Some(server)).await
}

async fn open_server(
    settings: &Settings,
    options: &ApiOptions,
    server: Option<ServerRef>,
) -> Result<Opened, Error> {
    let server = match (server, variable("SRSCTL_SERVER")) {
        (Some(server), _) => Some(server),
        (None, Some(text)) => Some(parsed("SRSCTL_SERVER", &text)?),
        (None, None) => settings.server.clone().map(ServerRef::Name),
    };
    let (name, address, own) = match server {
        Some(ServerRef::Name(name)) => {
            let own = known(settings, &name)?;
            (Some(name), Some(own.address.clone()), Some(own))
        }
        Some(ServerRef::Addr(address)) => (None, Some(address), None),
        None => (None, None, None),
    };
    let secret = secret(options, own)?;
    let usual = own.and_then(|own| own.timeout).unwrap_or(TIMEOUT);
    let within = options.timeout.unwrap_or(usual);
    let why = match own {
        _ if options.read_only => Some("--read-only".to_owned()),
        Some(own) if own.read_only => {
            let file = Settings::path();
            Some(format!("it is read_only in {}", file.display()))
        }
        _ => None,
    };
    let read_only = why.is_some();
    let (credentials, warning) = match secret {
        Some(secret) => (Some(secret.credentials), secret.warning),
        None => (None, None),
    };
    let mut client = Client::open(address, credentials, within)
        .await?
        .read_only(why);
    if options.timeout.is_some() {
        client = client.impatient();
    }
    Ok(Opened {
        name: name.unwrap_or_else(|| client.server().to_string()),
        client,
        read_only,
        rtmp: own.and_then(|own| own.rtmp.clone()),
        warning,
    })
}

fn parsed(name: &'static str, text: &str) -> Result<ServerRef, Error> {
    text.parse()
        .map_err(|error| Error::Variable { name, error })
}

/// What the settings have under this name.
fn known<'a>(settings: &'a Settings, name: &str) -> Result<&'a ServerSettings, Error> {
    settings.servers.get(name).ok_or_else(|| {
        let file = Settings::path();
        let file = file.display();
        let expected = match settings.names() {
            names if names.is_empty() => format!("a name that {file} has, and it has none"),
            names => format!("a name that {file} has: {names}"),
        };
        let name = name.to_owned();
        Error::UnknownServer { name, expected }
    })
}

/// Who asks: as the options say, else the settings of the server, else the environment.
fn secret(options: &ApiOptions, own: Option<&ServerSettings>) -> Result<Option<Secret>, Error> {
    let given = |credentials: Option<Credentials>, what| {
        let credentials = credentials.ok_or(Error::Unusable { what })?;
        Ok::<_, Error>(Secret::from(credentials))
    };
    let own = own.map(|own| (&own.token_file, &own.user, &own.password_file));
    let secret = if let Some(path) = &options.token_file {
        Secret::token_file(path)?
    } else if let Some(token) = &options.token {
        given(Credentials::token(token), "--token: a token has no spaces")?
    } else if let Some(user) = &options.user {
        given(Credentials::user(user), "--user: expected NAME:PASSWORD")?
    } else if let Some((Some(path), ..)) = own {
        Secret::token_file(path)?
    } else if let Some((_, Some(user), Some(path))) = own {
        Secret::password_file(user, path)?
    } else if let Some(token) = variable("SRSCTL_TOKEN") {
        given(
            Credentials::token(&token),
            "SRSCTL_TOKEN: a token has no spaces",
        )?
    } else {
        return Ok(None);
    };
    Ok(Some(secret))
}

/// Tells a warning, if there is one.
fn tell(warning: Option<&str>) {
    if let Some(warning) = warning {
        output::tell(format_args!("warning: {warning}"));
    }
}

fn variable(name: &str) -> Option<String> {
    env::var(name).ok().filter(|value| !value.is_empty())
}

/// A server that is well answers within milliseconds.
const TIMEOUT: Duration = Duration::from_secs(5);

#[cfg(test)]
mod tests {
    use super::*;

    const SETTINGS: &str = r#"
[servers.edge1]
address = "edge1:1985"
timeout = "2s"
read_only = true
rtmp = "rtmp://edge1.example.com"

[servers.edge2]
address = "edge2:1985"
"#;

    async fn opened(options: &ApiOptions, server: &str) -> Result<Opened, Error> {
        let settings: Settings = toml::from_str(SETTINGS).unwrap();
        let server = server.parse().unwrap();
        open_server(&settings, options, Some(server)).await
    }

    #[tokio::test]
    async fn what_the_settings_say_of_a_server_is_known() {
        let forbids = ApiOptions {
            read_only: true,
            ..ApiOptions::default()
        };
        let usual = ApiOptions::default();
        let rtmp = Some("rtmp://edge1.example.com");
        let cases = [
            (&usual, "edge1", "edge1", "http://edge1:1985", true, rtmp),
            (&usual, "edge2", "edge2", "http://edge2:1985", false, None),
            (&forbids, "edge2", "edge2", "http://edge2:1985", true, None),
            (
                &usual,
                "edge1:1985",
                "http://edge1:1985",
                "http://edge1:1985",
                false,
                None,
            ),
        ];
        for (options, server, name, address, read_only, rtmp) in cases {
            let opened = opened(options, server).await.unwrap();
            assert_eq!(opened.name, name);
            assert_eq!(opened.client.server().to_string(), address);
            assert_eq!(opened.read_only, read_only, "{server}");
            assert_eq!(opened.client.may_change().is_err(), read_only);
            assert_eq!(opened.rtmp.as_deref(), rtmp);
        }
        let error = opened(&usual, "edge3").await.unwrap_err();
        let told = error.to_string();
        assert!(told.ends_with("has: edge1, edge2"), "{told}");
    }
}
