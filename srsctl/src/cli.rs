//! The arguments, and nothing else: help, manual pages and completions come from here.

mod api;
mod bench;
mod config;
mod doctor;
mod logs;
mod top;

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Parser, Subcommand};
use clap_complete::Shell;
use srs_rtmp::url::RtmpUrl;

pub(crate) use self::api::{
    ApiOptions, Clients, ClientsCommand, Events, Fleet, Kick, Reload, Stats, Status, Streams,
    Vhosts, WatchOptions,
};
pub(crate) use self::bench::{
    Bench, BenchCommand, BenchFloor, BenchPlay, BenchPublish, FloorServer, Form, LoadOptions,
    StreamOptions,
};
pub(crate) use self::config::{Check, Config, ConfigCommand, Show};
pub(crate) use self::doctor::Doctor;
pub(crate) use self::logs::Logs;
pub(crate) use self::top::Top;
use crate::duration;

/// Operates srs: watches and steers a server, publishes, plays and measures live streams
///
/// A server is watched and steered by its HTTP API: what it serves (status, streams, clients,
/// vhosts, stats, fleet), what happens (events, logs), and what it does (clients kick, reload,
/// config). doctor looks at the host that it runs on. Without --server, and where the settings name none, that is the one on this host, by its
/// socket /run/srs/api.sock or else $XDG_RUNTIME_DIR/srs/api.sock; root and the members of the group
/// srs need no token there.
///
/// publish, play and bench speak RTMP, to servers of any make.
///
/// Each command does one thing and says with its exit status what became of it. Results go to
/// standard output, everything else to standard error. Tables fit the terminal; where there is none
/// nothing is cut. Where colours are not wanted, NO_COLOR or TERM=dumb says so.
#[derive(Debug, Parser)]
#[command(version, disable_help_subcommand = true, after_help = EXIT_STATUS, max_term_width = 100)]
pub(crate) struct Cli {
    #[command(flatten)]
    pub(crate) api: ApiOptions,
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    Top(Top),
    Status(Status),
    Streams(Streams),
    Clients(Box<Clients>),
    Vhosts(Vhosts),
    Stats(Stats),
    Fleet(Fleet),
    Events(Events),
    Logs(Logs),
    Reload(Reload),
    Config(Config),
    Doctor(Doctor),
    Publish(Publish),
    Play(Play),
    Bench(Bench),
    Completions(Completions),
}

/// Publish an FLV file as a live stream
///
/// The packets are sent as they are and when their timestamps say, as an encoder would send them.
/// Where the server or the network holds them up, the stream catches up at no more than twice the
/// usual speed. What the metadata says of the file alone (its duration, size and index) is left
/// out. Of a file that was cut off everything up to there is published, with a warning.
///
/// At the end of the file, and on Ctrl-C or SIGTERM, the stream is ended in order. On a terminal a
/// line shows the time and the bit rate.
#[derive(Args, Debug)]
#[command(after_help = PUBLISH_EXAMPLES)]
pub(crate) struct Publish {
    /// The FLV file to publish
    #[arg(value_name = "FILE")]
    pub(crate) file: PathBuf,
    /// Where to publish, as rtmp://HOST/APP/STREAM or rtmp://HOST:PORT/APP/STREAM
    #[arg(value_name = "URL")]
    pub(crate) url: RtmpUrl,
    /// Start again at the end of the file, with timestamps that go on
    #[arg(long = "loop")]
    pub(crate) repeat: bool,
    #[command(flatten)]
    pub(crate) common: Common,
}

/// Play a live stream: measure it, or record it
///
/// Without -o a line a second says what has arrived in it: the codecs and the size of the picture,
/// frames and kilobits per second, the seconds between the last two key frames, the newest
/// timestamps of picture and sound in seconds, by how many milliseconds sound (a) is ahead of the
/// picture (v), and the longest time without a packet, in milliseconds. A summary follows at the
/// end.
///
/// With -o the packets are written into an FLV file as they come, with the timestamps that the
/// server gives them. The file is complete up to the last packet at any time.
///
/// The command ends with the stream, on Ctrl-C or SIGTERM, or after --duration. A stream that is
/// not there yet is waited for, for as long as the server lets players wait.
#[derive(Args, Debug)]
#[command(after_help = PLAY_EXAMPLES)]
pub(crate) struct Play {
    /// What to play, as rtmp://HOST/APP/STREAM or rtmp://HOST:PORT/APP/STREAM
    #[arg(value_name = "URL")]
    pub(crate) url: RtmpUrl,
    /// Write the stream into this FLV file, which is overwritten; - is standard output
    #[arg(short, long, value_name = "FILE", conflicts_with = "stats")]
    pub(crate) output: Option<PathBuf>,
    /// Print a line a second about what arrives, and a summary (the default)
    #[arg(long)]
    pub(crate) stats: bool,
    /// End after so long, as in 90s or 1h; a file also ends when it holds so much media
    #[arg(long, value_name = "TIME", value_parser = duration::parse)]
    pub(crate) duration: Option<Duration>,
    #[command(flatten)]
    pub(crate) common: Common,
}

/// Print the completions for a shell
///
/// What is printed goes where the shell looks for completions.
#[derive(Args, Debug)]
#[command(after_help = COMPLETIONS_EXAMPLES)]
pub(crate) struct Completions {
    /// The shell: bash, zsh, fish, elvish or powershell
    #[arg(value_name = "SHELL", hide_possible_values = true)]
    pub(crate) shell: Shell,
}

/// What all commands with a server share.
#[derive(Args, Debug)]
pub(crate) struct Common {
    /// How long the server may take for each step, as in 350ms or 10s
    #[arg(long, value_name = "TIME", default_value = "10s", value_parser = duration::parse)]
    pub(crate) timeout: Duration,
    /// Tell more, and show the progress also where there is no terminal
    #[arg(short, long)]
    pub(crate) verbose: bool,
}

const EXIT_STATUS: &str = "\
Environment:
  SRSCTL_SERVER   the server, where --server does not say
  SRSCTL_TOKEN    the token, where neither options nor settings say who asks
  SRSCTL_CONFIG   the settings file, instead of that below
  NO_COLOR        not empty: no colours
  CLICOLOR_FORCE  not empty: colours also where there is no terminal
  COLUMNS         how wide the tables on a terminal are, where that is not as wide as it says

Files:
  ~/.config/srsctl/config.toml  servers by their names, and more: srsctl.toml(5)

Exit status:
  0  done, or ended by Ctrl-C or SIGTERM
  1  failed, or a load was ended before anything was measured
  2  usage: the arguments or the settings are wrong
  3  the server was not reached
  4  not found: no such stream, client or vhost, or a stream without media
  5  refused: who asks may not, also not by its socket, or has not said who it is, or nothing may
     be changed there
  6  the configuration is invalid, and was not put in force
  7  a check failed: doctor found a problem; the tool of bench was saturated, or not all of its
     clients were served to the end";

const PUBLISH_EXAMPLES: &str = "\
Examples:
  srsctl publish show.flv rtmp://localhost/live/show
  srsctl publish --loop test.flv \"rtmp://example.com/live/test?token=x\"";

const PLAY_EXAMPLES: &str = "\
Examples:
  srsctl play rtmp://localhost/live/show
  srsctl play --duration 1m -o show.flv rtmp://localhost/live/show
  srsctl play -o - rtmp://localhost/live/show | ffplay -";

const COMPLETIONS_EXAMPLES: &str = "\
Examples:
  srsctl completions bash > /etc/bash_completion.d/srsctl
  srsctl completions zsh > ~/.zfunc/_srsctl
  srsctl completions fish > ~/.config/fish/completions/srsctl.fish";

#[cfg(test)]
mod tests {
    use clap::{CommandFactory as _, Parser as _};

    use super::*;

    #[test]
    fn the_arguments_are_defined_without_contradiction() {
        Cli::command().debug_assert();
    }

    #[test]
    fn a_wrong_address_is_answered_with_what_would_be_right() {
        let cases = [
            (
                "http://h/live/s",
                "scheme \"http\" is not supported, expected \"rtmp\"",
            ),
            (
                "rtmp://h/live",
                "found no stream, expected rtmp://HOST[:PORT]/APP/STREAM",
            ),
        ];
        for (url, message) in cases {
            let error = Cli::try_parse_from(["srsctl", "play", url]).unwrap_err();
            assert_eq!(error.exit_code(), 2);
            assert!(error.to_string().contains(message), "{error}");
        }
    }

    #[test]
    fn times_have_units() {
        let arguments = ["srsctl", "play", "rtmp://h/live/s", "--timeout", "350ms"];
        let Command::Play(play) = Cli::parse_from(arguments).command else {
            panic!("play was asked for");
        };
        assert_eq!(play.common.timeout, Duration::from_millis(350));
    }
}
