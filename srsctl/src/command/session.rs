//! What the commands of the API have in common: a server to ask, and a way to print what it says.

use std::env;
use std::time::Duration;

use serde::Serialize;

use super::Error;
use crate::cli::{ApiOptions, Form};
use crate::client::{Client, Credentials};
use crate::output::{self, Report, Terminal};
use crate::sink;

/// A server to ask, and how its answers are printed.
#[derive(Debug)]
pub(crate) struct Session {
    /// The server.
    pub(crate) client: Client,
    form: Form,
}

impl Session {
    /// Begins with what the arguments and the environment say.
    ///
    /// # Errors
    /// They are wrong, or there is no server.
    pub(crate) async fn open(options: &ApiOptions) -> Result<Self, Error> {
        let server = match (&options.server, variable("SRSCTL_SERVER")) {
            (Some(server), _) => Some(server.clone()),
            (None, Some(text)) => Some(text.parse().map_err(|error| Error::Variable {
                name: "SRSCTL_SERVER",
                error,
            })?),
            (None, None) => None,
        };
        let credentials = credentials(options)?;
        let within = options.timeout.unwrap_or(TIMEOUT);
        Ok(Self {
            client: Client::open(server, credentials, within).await?,
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
    text.unwrap_or_default() + "\n"
}

fn credentials(options: &ApiOptions) -> Result<Option<Credentials>, Error> {
    let unusable = |what| move || Error::Unusable { what };
    let credentials = if let Some(path) = &options.token_file {
        Credentials::token_file(path)?
    } else if let Some(token) = &options.token {
        Credentials::token(token).ok_or_else(unusable("--token: a token has no spaces"))?
    } else if let Some(user) = &options.user {
        Credentials::user(user).ok_or_else(unusable("--user: expected NAME:PASSWORD"))?
    } else if let Some(token) = variable("SRSCTL_TOKEN") {
        Credentials::token(&token).ok_or_else(unusable("SRSCTL_TOKEN: a token has no spaces"))?
    } else {
        return Ok(None);
    };
    Ok(Some(credentials))
}

fn variable(name: &str) -> Option<String> {
    env::var(name).ok().filter(|value| !value.is_empty())
}

/// A server that is well answers within milliseconds.
const TIMEOUT: Duration = Duration::from_secs(5);
