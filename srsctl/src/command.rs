//! The subcommands: each is a function from its arguments to a result, in a file of its own name.

pub(crate) mod bench;
pub(crate) mod completions;
pub(crate) mod play;
pub(crate) mod publish;

use std::io;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use srs_net::client::ClientError;
use srs_rtmp::url::RtmpUrl;

use self::bench::Saturation;
use self::publish::source::SourceError;
use crate::cli::Command;

/// Does what was asked for.
///
/// # Errors
/// [`Error`]: what became of it instead.
pub(crate) async fn run(command: Command) -> Result<(), Error> {
    match command {
        Command::Publish(arguments) => publish::run(&arguments).await,
        Command::Play(arguments) => play::run(&arguments).await,
        Command::Bench(arguments) => bench::run(&arguments).await,
        Command::Completions(arguments) => completions::run(&arguments).await,
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
    /// The kernel gives no signal handlers.
    #[error("installing signal handlers")]
    Signals(#[source] io::Error),
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
            Self::NoMedia { .. } => NOT_FOUND,
            Self::Terminal | Self::NoProcess { .. } | Self::Processor { .. } => USAGE,
            Self::Live { .. } => REFUSED,
            Self::Saturated(_) | Self::Unserved => CHECK_FAILED,
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
            | Self::Signals(_) => FAILED,
        })
    }

    /// The error of a connection to `url`.
    pub(crate) fn server(url: &RtmpUrl, error: ClientError) -> Self {
        Self::Server {
            url: without_parameters(url),
            error,
        }
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
const CHECK_FAILED: u8 = 7;

const STREAM_NOT_FOUND: &str = "NetStream.Play.StreamNotFound";

#[cfg(test)]
mod tests {
    use super::*;

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
