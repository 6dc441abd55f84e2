//! `srsctl top`: the dashboard.
//!
//! - `app` is the state, which events change and nothing else; `view` draws it. Neither asks a
//!   server, reads a clock or writes to a terminal.
//! - `poll` has the tasks that ask the servers for what `wants` says, `effects` what else is done
//!   there; `event` is what goes to and fro.
//! - `dashboard` runs them: it feeds the state, draws it, and does what it wants.
//! - `terminal` takes the terminal over, and gives it back; `signals` are those that are heard
//!   meanwhile.
//! - `print` is what there is without a terminal: a page of text, or a `snapshot` a line.
//! - `keys` and `columns` are the tables from which keys, help, settings and manual page are made.

mod app;
pub(crate) mod columns;
mod dashboard;
mod data;
mod effects;
mod event;
mod filter;
mod graph;
pub(crate) mod keys;
mod line;
mod options;
pub(crate) mod page;
mod poll;
mod print;
pub mod replay;
mod rows;
#[cfg(test)]
mod samples;
mod signals;
mod snapshot;
mod terminal;
#[cfg(test)]
mod tests;
mod theme;
mod view;
mod wants;

use std::env;
use std::io::{self, IsTerminal as _};

#[cfg(test)]
pub(crate) use self::app::COMMANDS;
use self::dashboard::Dashboard;
use self::options::Options;
pub(crate) use self::options::{LEAST, MOST, TopSettings, theme as named_theme};
use self::signals::Signals;
use self::snapshot::Snapshot;
#[cfg(test)]
pub(crate) use self::theme::THEMES;
use crate::cli::{ApiOptions, Form, Top};
use crate::client::ServerAddr;
use crate::command::Error;
use crate::command::session::{self, Opened};
use crate::settings::Settings;
use crate::sink;

/// Shows the dashboard until the user has had enough, or prints what it would show.
///
/// # Errors
/// There is no server, the settings are wrong, or the terminal does not take what is written.
pub(crate) async fn run(arguments: &Top, api: &ApiOptions) -> Result<(), Error> {
    if arguments.json_schema {
        return sink::print(Snapshot::schema()).await.map_err(Error::stdout);
    }
    let settings = Settings::load()?;
    let variable = |name: &str| env::var(name).ok();
    let options = Options::new(arguments, &settings.top, variable);
    let opened = session::open_all(api).await?;
    let is_dumb = variable("TERM").is_none_or(|term| term.is_empty() || term == "dumb");
    let is_screen = io::stdout().is_terminal() && io::stdin().is_terminal() && !is_dumb;
    if arguments.json || api.output == Some(Form::Json) {
        return print::json(&opened, arguments, &options).await;
    }
    if arguments.once || !is_screen {
        return print::once(&opened, arguments, &options).await;
    }
    // Before the terminal is taken: whom a signal kills gives nothing back.
    let signals = Signals::install().map_err(Error::Signals)?;
    signals::end_at_last().map_err(Error::Signals)?;
    Dashboard::new(opened, api, &options)?.run(signals).await
}

/// A server, before it has answered.
fn server_of(opened: &Opened) -> data::Server {
    data::Server {
        name: opened.name.clone(),
        address: opened.client.server().to_string(),
        is_read_only: opened.read_only,
        rtmp: opened.rtmp.clone(),
        host: host_of(opened.client.server()),
        ..data::Server::default()
    }
}

/// The host of a server, as its API is reached.
fn host_of(server: &ServerAddr) -> String {
    match server {
        ServerAddr::Http(url) => url.host_str().unwrap_or("localhost").to_owned(),
        ServerAddr::Unix(_) => rustix::system::uname()
            .nodename()
            .to_string_lossy()
            .into_owned(),
    }
}
