//! The subcommands: each is a function from its arguments to a result, in a file of its own name.

pub(crate) mod bench;
pub(crate) mod clients;
pub(crate) mod completions;
pub(crate) mod config;
pub(crate) mod doctor;
pub(crate) mod events;
pub(crate) mod fleet;
pub(crate) mod logs;
pub(crate) mod play;
pub(crate) mod publish;
pub(crate) mod reload;
pub(crate) mod session;
pub(crate) mod stats;
pub(crate) mod status;
pub(crate) mod streams;
pub(crate) mod vhosts;
mod watch;

use std::io;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use srs_net::client::ClientError;
use srs_rtmp::url::RtmpUrl;

use self::bench::Saturation;
use self::publish::source::SourceError;
use self::session::Session;
use crate::cli::{ApiOptions, Cli, Clients, ClientsCommand, Command};
use crate::client::{ADDRESSES, AddrError, ApiError, TokenFileError};
use crate::settings::SettingsError;
use crate::{sink, top};

/// Does what was asked for.
///
/// # Errors
/// [`Error`]: what became of it instead.
pub(crate) async fn run(cli: Cli) -> Result<(), Error> {
    let outer = &cli.api;
    match &cli.command {
        Command::Status(arguments) => {
            let session = Session::open(&arguments.api.or(outer)).await?;
            let ask = async || status::run(&session.client).await;
            watch::show(&session, arguments.watch, "status", ask).await
        }
        Command::Streams(arguments) => {
            let session = Session::open(&arguments.api.or(outer)).await?;
            let ask = async || streams::run(&session.client, arguments).await;
            watch::show(&session, arguments.watch, "streams", ask).await
        }
        Command::Clients(arguments) => run_clients(arguments, outer).await,
        Command::Vhosts(arguments) => {
            let session = Session::open(&arguments.api.or(outer)).await?;
            let ask = async || vhosts::run(&session.client, arguments).await;
            watch::show(&session, arguments.watch, "vhosts", ask).await
        }
        Command::Stats(arguments) => {
            let session = Session::open(&arguments.api.or(outer)).await?;
            let ask = async || stats::run(&session.client).await;
            watch::show(&session, arguments.watch, "stats", ask).await
        }
        Command::Fleet(arguments) => {
            let session = Session::open(&arguments.api.or(outer)).await?;
            let ask = async || fleet::run(&session.client, arguments).await;
            watch::show(&session, arguments.watch, "fleet", ask).await
        }
        Command::Reload(arguments) => {
            let session = Session::open(&arguments.api.or(outer)).await?;
            reload::run(&session, arguments).await
        }
        Command::Events(arguments) => {
            let session = Session::open(&arguments.api.or(outer)).await?;
            events::run(&session, arguments).await
        }
        Command::Top(arguments) => top::run(arguments, &arguments.api.or(outer)).await,
        Command::Logs(arguments) => logs::run(&arguments.api.or(outer), arguments).await,
        Command::Config(arguments) => config::run(&arguments.command, outer).await,
        Command::Doctor(arguments) => doctor::run(arguments, &arguments.api.or(outer)).await,
        Command::Publish(arguments) => {
            no_server(outer)?;
            publish::run(arguments).await
        }
        Command::Play(arguments) => {
            no_server(outer)?;
            play::run(arguments).await
        }
        Command::Bench(arguments) => {
            no_server(outer)?;
            bench::run(arguments).await
        }
        Command::Completions(arguments) => {
            no_server(outer)?;
            completions::run(arguments).await
        }
    }
}

async fn run_clients(arguments: &Clients, outer: &ApiOptions) -> Result<(), Error> {
    let options = arguments.api.or(outer);
    let Some(ClientsCommand::Kick(kick)) = &arguments.command else {
        let session = Session::open(&options).await?;
        let ask = async || clients::run(&session.client, arguments).await;
        return watch::show(&session, arguments.watch, "clients", ask).await;
    };
    let session = Session::open(&kick.api.or(&options)).await?;
    let kicked = clients::kick::run(&session.client, kick).await?;
    session.print(&kicked).await?;
    kicked.check()
}

/// Options for a server, before a command that asks none, are a mistake.
fn no_server(outer: &ApiOptions) -> Result<(), Error> {
    match outer.given() {
        Some(option) => Err(Error::NoServer { option }),
        None => Ok(()),
    }
}

/// Why a command did not do what it was asked for.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    /// The file to publish is of no use.
    #[error("{}", path.display())]
    Source {
        path: PathBuf,
        #[source]
        error: SourceError,
    },
    /// The connection did not come about, or broke.
    #[error("{url}")]
    Server {
        /// Without parameters: they are secrets as often as not.
        url: String,
        #[source]
        error: ClientError,
    },
    /// The server takes nothing any more.
    #[error("{url}: the server took no data for {within:?}")]
    Stalled { url: String, within: Duration },
    /// The server ended what was published.
    #[error("{url}: ended by the server: {description} ({code})")]
    Ended {
        url: String,
        code: String,
        description: String,
    },
    /// What was played had no packet.
    #[error("{url}: no media: {why}")]
    NoMedia { url: String, why: String },
    /// The result cannot be written.
    #[error("{output}")]
    Output {
        output: String,
        #[source]
        error: io::Error,
    },
    /// The user would not wait until the result was written.
    #[error("{output}: interrupted before everything was written")]
    Unwritten { output: String },
    /// An FLV file is nothing for eyes.
    #[error("standard output is a terminal: name a file, or pipe the stream into a program")]
    Terminal,
    /// A load on a server that cannot be measured as it was wished.
    #[error("there is no process {pid}")]
    NoProcess { pid: u32 },
    /// The tool cannot run where it was told to.
    #[error("cannot run on processor {cpu}")]
    Processor {
        cpu: usize,
        #[source]
        error: io::Error,
    },
    /// More clients than the process may have sockets.
    #[error(
        "so many clients need {needed} open files and {allowed} are allowed: \
         raise the hard limit (ulimit -Hn)"
    )]
    OpenFiles { needed: u64, allowed: u64 },
    /// The process that does a server's work without one has failed.
    #[error("the process to measure against")]
    Floor(#[source] io::Error),
    /// The kernel gives no timer or no epoll.
    #[error("making a timer and an epoll")]
    Kernel(#[source] io::Error),
    /// None of the clients got so far.
    #[error("no client came")]
    Nobody,
    /// The streams that a load would publish are somebody else's.
    #[error("{url} is live already: {advice}")]
    Live { url: String, advice: &'static str },
    /// A load was ended too early.
    #[error("interrupted: nothing was measured yet")]
    Unmeasured,
    /// The load was too much for the tool.
    #[error("saturated: {}, so the server was not measured: {}", .0.cause(), .0.advice())]
    Saturated(Saturation),
    /// The server did not bear the load.
    #[error("not all clients were served to the end")]
    Unserved,
    /// A server does not get on here; what was found is told already.
    #[error("this host is not fit for srs: {problems}")]
    Unfit { problems: String },
    /// The kernel gives no signal handlers.
    #[error("installing signal handlers")]
    Signals(#[source] io::Error),
    /// The server did not do what it was asked for.
    #[error(transparent)]
    Api(#[from] ApiError),
    /// The server has no such thing.
    #[error("no {what}; {list} lists those that there are")]
    Nothing { what: String, list: &'static str },
    /// A configuration was not put in force; here is why.
    #[error("{0}")]
    Reload(String),
    /// A configuration is none.
    #[error(transparent)]
    Config(#[from] srs_config::Error),
    /// What the server says of its configuration cannot be read.
    #[error("the configuration of the server")]
    ConfigText(#[source] toml::de::Error),
    /// It is none that this program knows, so that it cannot be compared.
    #[error(
        "the configuration of the server, which may be of another version than this srsctl {}",
        env!("CARGO_PKG_VERSION")
    )]
    ServerConfig(#[source] srs_config::Error),
    /// A question that nobody can answer.
    #[error("clients are cut off only with --yes, as there is no terminal to ask on")]
    NeedsYes,
    /// The answer was no.
    #[error("nothing was done")]
    Declined,
    /// The log goes to another host's disk.
    #[error("the log of {server} is on that host: srsctl logs shows it there")]
    LogElsewhere { server: String },
    /// The log goes to nobody's disk.
    #[error(
        "the server logs to its console: look at the terminal or the program that started it, or \
         set log.target"
    )]
    LogOnConsole,
    /// Nothing is known of a client.
    #[error(
        "nothing of client {client} was found in the log that you may read; srsctl clients lists \
         those that are connected"
    )]
    NotLogged { client: u64 },
    /// The lines of a log are what they are.
    #[error(
        "-o json is not for logs, which are shown as they were written: with log.format = \
         \"json\" the server writes them so"
    )]
    LogAsJson,
    /// The log cannot be read.
    #[error("{}", path.display())]
    Log {
        path: PathBuf,
        #[source]
        error: io::Error,
    },
    /// There is no journalctl.
    #[error("the server logs to the journal, and journalctl cannot be run")]
    Journalctl(#[source] io::Error),
    /// journalctl runs, and shows nothing.
    #[error(
        "the log is in the system's journal, which you may not read: sudo srsctl logs, or join the \
         group that may: sudo usermod -aG systemd-journal $USER, then log in again"
    )]
    JournalClosed,
    /// A variable of the environment is wrong.
    #[error("{name}")]
    Variable {
        name: &'static str,
        #[source]
        error: AddrError,
    },
    /// A name that no server has.
    #[error("no server is called {name}: expected {ADDRESSES}, or {expected}")]
    UnknownServer {
        name: String,
        /// What would be known.
        expected: String,
    },
    /// The settings file is of no use.
    #[error(transparent)]
    Settings(#[from] SettingsError),
    /// A token, or a name with a password, that is none.
    #[error("{what}")]
    Unusable { what: &'static str },
    /// Where one server can be asked, several were named.
    #[error("more than one --server: of all commands only srsctl top takes several")]
    SeveralServers,
    /// A file that should hold a token.
    #[error(transparent)]
    TokenFile(#[from] TokenFileError),
    /// An option for a server, where none is asked.
    #[error("{option} is for the commands that ask a server by its API, and this one does not")]
    NoServer { option: &'static str },
}

impl Error {
    /// What the program's exit status says of it.
    pub(crate) fn exit_code(&self) -> ExitCode {
        ExitCode::from(match self {
            Self::Server { error, .. } => match error {
                ClientError::Dial(_) | ClientError::Timeout { .. } => NOT_REACHED,
                ClientError::Refused { code, .. } if code == STREAM_NOT_FOUND => NOT_FOUND,
                ClientError::Refused { .. } => REFUSED,
                ClientError::Socket(_) | ClientError::Protocol(_) | ClientError::Closed => FAILED,
            },
            Self::Api(error) => api_exit_code(error),
            Self::NoMedia { .. } | Self::Nothing { .. } | Self::NotLogged { .. } => NOT_FOUND,
            Self::Terminal
            | Self::NoProcess { .. }
            | Self::Processor { .. }
            | Self::NeedsYes
            | Self::Variable { .. }
            | Self::UnknownServer { .. }
            | Self::Settings(_)
            | Self::Unusable { .. }
            | Self::TokenFile(_)
            | Self::LogAsJson
            | Self::SeveralServers
            | Self::NoServer { .. } => USAGE,
            Self::Live { .. } | Self::JournalClosed => REFUSED,
            Self::Config(srs_config::Error::Unreadable { .. }) => FAILED,
            Self::Reload(_) | Self::Config(_) => INVALID,
            Self::Saturated(_) | Self::Unserved | Self::Unfit { .. } => CHECK_FAILED,
            Self::OpenFiles { .. }
            | Self::Floor(_)
            | Self::Kernel(_)
            | Self::Nobody
            | Self::Unmeasured
            | Self::Source { .. }
            | Self::Stalled { .. }
            | Self::Ended { .. }
            | Self::Output { .. }
            | Self::Unwritten { .. }
            | Self::Signals(_)
            | Self::ConfigText(_)
            | Self::ServerConfig(_)
            | Self::Declined
            | Self::LogElsewhere { .. }
            | Self::LogOnConsole
            | Self::Log { .. }
            | Self::Journalctl(_) => FAILED,
        })
    }

    /// Standard output takes nothing.
    pub(crate) fn stdout(error: io::Error) -> Self {
        Self::Output {
            output: sink::STDOUT.to_owned(),
            error,
        }
    }

    /// The error of a connection to `url`.
    pub(crate) fn server(url: &RtmpUrl, error: ClientError) -> Self {
        Self::Server {
            url: without_parameters(url),
            error,
        }
    }
}

fn api_exit_code(error: &ApiError) -> u8 {
    match error {
        error if error.is_not_reached() => NOT_REACHED,
        ApiError::Wrong { .. } => USAGE,
        ApiError::NotFound { .. } => NOT_FOUND,
        ApiError::Permission { .. }
        | ApiError::Unauthorized { .. }
        | ApiError::Forbidden { .. }
        | ApiError::ReadOnly { .. } => REFUSED,
        ApiError::ReloadFailed { .. } => INVALID,
        _ => FAILED,
    }
}

/// `url` as messages show it. Parameters of app and stream are left out: they carry tokens.
pub(crate) fn without_parameters(url: &RtmpUrl) -> String {
    fn name(text: &str) -> &str {
        text.split_once('?').map_or(text, |(name, _)| name)
    }
    format!("{}/{}", name(&url.tc_url()), name(url.stream()))
}

const FAILED: u8 = 1;
const USAGE: u8 = 2;
const NOT_REACHED: u8 = 3;
const NOT_FOUND: u8 = 4;
const REFUSED: u8 = 5;
const INVALID: u8 = 6;
const CHECK_FAILED: u8 = 7;

const STREAM_NOT_FOUND: &str = "NetStream.Play.StreamNotFound";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_that_is_not_for_us_is_no_server_that_is_not_there() {
        let server = String::new();
        let cases = [
            (
                ApiError::Permission {
                    server: server.clone(),
                    advice: String::new(),
                },
                REFUSED,
            ),
            (ApiError::NotListening { server }, NOT_REACHED),
        ];
        for (error, expected) in cases {
            assert_eq!(api_exit_code(&error), expected, "{error}");
        }
    }

    #[test]
    fn messages_show_no_parameters() {
        let cases = [
            ("rtmp://h/live/s", "rtmp://h/live/s"),
            (
                "rtmp://[::1]:19350/live/s?token=x",
                "rtmp://[::1]:19350/live/s",
            ),
            ("rtmp://h/live?vhost=v&key=k/s?a=1", "rtmp://h/live/s"),
        ];
        for (url, shown) in cases {
            assert_eq!(without_parameters(&url.parse().unwrap()), shown);
        }
    }
}
