//! The arguments of the commands that ask a server by its HTTP API.

use std::path::PathBuf;
use std::time::Duration;

use clap::builder::NonEmptyStringValueParser;
use clap::{Args, Subcommand};
use srs_api::EventKind;

use super::Form;
use crate::duration;
use crate::settings::ServerRef;

/// Which server, and how. May stand before or after the command.
#[derive(Args, Clone, Debug, Default)]
#[command(next_help_heading = "Server options")]
pub(crate) struct ApiOptions {
    /// The server: unix:PATH, http://HOST:PORT, https://HOST:PORT, HOST:PORT, or its name in the
    /// settings file, srsctl.toml(5); else $SRSCTL_SERVER, else the one that the settings name,
    /// else the socket of the server on this host; srsctl top takes several
    #[arg(short, long, value_name = "SERVER")]
    pub(crate) server: Vec<ServerRef>,
    /// How to print the result: table is for people, json for programs
    #[arg(short, long, value_name = "FORM", hide_possible_values = true)]
    pub(crate) output: Option<Form>,
    /// The file whose first line is the token that the server wants; else what the settings have
    /// for it, else $SRSCTL_TOKEN
    #[arg(long, value_name = "FILE", conflicts_with_all = ["token", "user"])]
    pub(crate) token_file: Option<PathBuf>,
    /// The token itself, which others may see in the list of processes
    #[arg(long, value_name = "TOKEN", conflicts_with = "user")]
    pub(crate) token: Option<String>,
    /// Name and password, where the server wants those
    #[arg(long, value_name = "NAME:PASSWORD")]
    pub(crate) user: Option<String>,
    /// How long the server may take to answer, as in 350ms or 10s; else what the settings have for
    /// it, else 5s; a reload has 30s at least
    #[arg(long, value_name = "TIME", value_parser = duration::parse)]
    pub(crate) timeout: Option<Duration>,
    /// Refuse what would change anything there: kick and reload
    #[arg(long)]
    pub(crate) read_only: bool,
}

impl ApiOptions {
    /// These options, and where they say nothing those that stood further in front.
    pub(crate) fn or(&self, outer: &Self) -> Self {
        let has_proof = self.token_file.is_some() || self.token.is_some() || self.user.is_some();
        let proof = if has_proof { self } else { outer };
        Self {
            server: if self.server.is_empty() {
                &outer.server
            } else {
                &self.server
            }
            .clone(),
            output: self.output.or(outer.output),
            token_file: proof.token_file.clone(),
            token: proof.token.clone(),
            user: proof.user.clone(),
            timeout: self.timeout.or(outer.timeout),
            read_only: self.read_only || outer.read_only,
        }
    }

    /// The first that is given, as it is written.
    pub(crate) fn given(&self) -> Option<&'static str> {
        let given = [
            (!self.server.is_empty(), "--server"),
            (self.output.is_some(), "--output"),
            (self.token_file.is_some(), "--token-file"),
            (self.token.is_some(), "--token"),
            (self.user.is_some(), "--user"),
            (self.timeout.is_some(), "--timeout"),
            (self.read_only, "--read-only"),
        ];
        given
            .into_iter()
            .find(|(is_given, _)| *is_given)
            .map(|(_, name)| name)
    }
}

/// Show how a server is
///
/// One page: version and state, what it needs and serves, the last reload, and how its heartbeat
/// goes. Bit rates are those of all RTMP clients over the last 30 seconds.
#[derive(Args, Debug)]
#[command(after_help = STATUS_EXAMPLES)]
pub(crate) struct Status {
    #[command(flatten)]
    pub(crate) watch: WatchOptions,
    #[command(flatten)]
    pub(crate) api: ApiOptions,
}

/// List the live streams, or show one
///
/// The table has a line per stream: what is in it, kbit/s in and out over the last 30 seconds,
/// players, the seconds between its last two key frames, packets that slow players lost, and for
/// how long it has been live. The virtual host is a part of the name unless it is the default one.
///
/// With NAME everything about that stream is shown. A name that several streams bear shows all of
/// them; APP/STREAM or VHOST/APP/STREAM says which.
///
/// The server sorts by name, state, video, size, fps, audio, in, out, gop, players, drops, jumps,
/// skew, up or outputs.
#[derive(Args, Debug)]
#[command(after_help = STREAMS_EXAMPLES)]
pub(crate) struct Streams {
    /// A stream: STREAM, APP/STREAM, VHOST/APP/STREAM, or its id
    #[arg(value_name = "NAME", conflicts_with_all = ["sort", "filter"])]
    pub(crate) name: Option<String>,
    /// Only streams of this virtual host
    #[arg(long, value_name = "VHOST")]
    pub(crate) vhost: Option<String>,
    /// Only streams of this application
    #[arg(long, value_name = "APP")]
    pub(crate) app: Option<String>,
    #[command(flatten)]
    pub(crate) order: SortOptions,
    #[command(flatten)]
    pub(crate) list: ListOptions,
    #[command(flatten)]
    pub(crate) watch: WatchOptions,
    #[command(flatten)]
    pub(crate) api: ApiOptions,
}

/// List the connected clients, show one, or cut them off
///
/// The table has a line per client: what it does, from where, with which stream, kbit/s received
/// from it and sent to it over the last 30 seconds, by how many milliseconds it is behind, packets
/// that it lost because it was too slow, the round trip to it and what had to be sent to it again
/// as TCP counts that, for how long it has been connected, and what program it says it is.
///
/// The server sorts by id, type, address, stream, in, out, lag, drops, jumps, rtt, retransmits, up
/// or agent.
///
/// The id is that of the log: srsctl-logs(1) tells a client's whole story.
#[derive(Args, Debug)]
#[command(after_help = CLIENTS_EXAMPLES)]
pub(crate) struct Clients {
    /// A client's id, to show everything about it
    #[arg(
        value_name = "ID",
        value_parser = NonEmptyStringValueParser::new(),
        conflicts_with_all = ["sort", "filter"]
    )]
    pub(crate) id: Option<String>,
    /// Only clients of this stream: STREAM, APP/STREAM, VHOST/APP/STREAM, or its id
    #[arg(long, value_name = "NAME")]
    pub(crate) stream: Option<String>,
    /// Only clients of this virtual host
    #[arg(long, value_name = "VHOST")]
    pub(crate) vhost: Option<String>,
    /// Only those that publish
    #[arg(long, conflicts_with = "players")]
    pub(crate) publishers: bool,
    /// Only those that play
    #[arg(long)]
    pub(crate) players: bool,
    #[command(flatten)]
    pub(crate) order: SortOptions,
    #[command(flatten)]
    pub(crate) list: ListOptions,
    #[command(flatten)]
    pub(crate) watch: WatchOptions,
    #[command(flatten)]
    pub(crate) api: ApiOptions,
    #[command(subcommand)]
    pub(crate) command: Option<ClientsCommand>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum ClientsCommand {
    Kick(Kick),
}

/// Cut clients off
///
/// On a terminal it first says what they do and whose viewers that concerns, and asks. Elsewhere
/// --yes is needed. The server closes their connections; nothing keeps them from coming back.
///
/// All clients are tried. The exit status is 4 if one of them was not there.
#[derive(Args, Debug)]
#[command(after_help = KICK_EXAMPLES)]
pub(crate) struct Kick {
    /// The ids of the clients
    #[arg(value_name = "ID", required = true, value_parser = NonEmptyStringValueParser::new())]
    pub(crate) ids: Vec<String>,
    /// Do it without a question
    #[arg(short, long)]
    pub(crate) yes: bool,
    #[command(flatten)]
    pub(crate) api: ApiOptions,
}

/// List the virtual hosts, or show one
///
/// Those that the configuration has, and the one that serves all other names. Bit rates are kbit/s
/// over the last 30 seconds.
#[derive(Args, Debug)]
#[command(after_help = VHOSTS_EXAMPLES)]
pub(crate) struct Vhosts {
    /// A virtual host, to show everything about it
    #[arg(value_name = "NAME", value_parser = NonEmptyStringValueParser::new())]
    pub(crate) name: Option<String>,
    #[command(flatten)]
    pub(crate) list: ListOptions,
    #[command(flatten)]
    pub(crate) watch: WatchOptions,
    #[command(flatten)]
    pub(crate) api: ApiOptions,
}

/// Show the figures of the process and its host
///
/// What the server has carried since it began, what the kernel accounts to its process, and how
/// its host is: processors, memory, disks, network and sockets.
#[derive(Args, Debug)]
#[command(after_help = STATS_EXAMPLES)]
pub(crate) struct Stats {
    #[command(flatten)]
    pub(crate) watch: WatchOptions,
    #[command(flatten)]
    pub(crate) api: ApiOptions,
}

/// List the servers that send this one their heartbeats
///
/// Every srs takes the heartbeats of others at /api/v1/servers. The one that is asked is not in the
/// list, unless it sends itself some; srsctl top shows it, too. Servers whose heartbeats have not
/// come for longer than usual are late. What a server does not tell is left empty.
#[derive(Args, Debug)]
#[command(after_help = FLEET_EXAMPLES)]
pub(crate) struct Fleet {
    #[command(flatten)]
    pub(crate) list: ListOptions,
    #[command(flatten)]
    pub(crate) watch: WatchOptions,
    #[command(flatten)]
    pub(crate) api: ApiOptions,
}

/// Put a changed configuration in force
///
/// The server reads its files anew, and changes what differs; nobody else notices. What changed is
/// printed by when it takes effect: at once, for clients that come from now on, or only after a
/// restart. If the files have a mistake nothing changes; the mistakes are told with line and
/// column, and the exit status is 6. With -o json the server's answer is printed then, too.
#[derive(Args, Debug)]
#[command(after_help = RELOAD_EXAMPLES)]
pub(crate) struct Reload {
    /// Only say what would change
    #[arg(short = 'n', long)]
    pub(crate) dry_run: bool,
    #[command(flatten)]
    pub(crate) api: ApiOptions,
}

/// Show what happens: who publishes and plays, who is refused, reloads, heartbeats
///
/// The server keeps its last events, about a thousand. With -f what happens from now on is shown,
/// too. A server that restarts is waited for, and no event is shown twice.
///
/// With -o json each event is an object in a line of its own.
#[derive(Args, Debug)]
#[command(after_help = EVENTS_EXAMPLES)]
pub(crate) struct Events {
    /// Go on with what happens from now on, until Ctrl-C
    #[arg(short, long)]
    pub(crate) follow: bool,
    /// Only events of these kinds, with commas between them; may be repeated: start, publish,
    /// unpublish, play, stop, refuse, kick, clock_jump, reload, reload_failed, heartbeat,
    /// server_seen, server_late, lost
    #[arg(long, value_name = "KIND", value_parser = kind, value_delimiter = ',')]
    pub(crate) kind: Vec<EventKind>,
    #[command(flatten)]
    pub(crate) api: ApiOptions,
}

/// How often a result is shown.
#[derive(Args, Clone, Copy, Debug)]
pub(crate) struct WatchOptions {
    /// Show the result again and again, until Ctrl-C; on a terminal over the one before, with -o
    /// json a line each. Without SECONDS every 2; 0.25 to 3600, or as in 500ms
    #[arg(
        long,
        value_name = "SECONDS",
        num_args = 0..=1,
        require_equals = true,
        default_missing_value = "2",
        value_parser = watch
    )]
    pub(crate) watch: Option<Duration>,
}

/// Which of a list, in which order.
#[derive(Args, Clone, Debug, Default)]
pub(crate) struct SortOptions {
    /// Put them in the order of KEY; as in --sort=-out in the opposite one
    #[arg(long, value_name = "KEY")]
    pub(crate) sort: Option<String>,
    /// Only those in which something matches this regular expression
    #[arg(long, value_name = "REGEX")]
    pub(crate) filter: Option<String>,
    /// Only those in which nothing does
    #[arg(long, requires = "filter")]
    pub(crate) invert: bool,
}

impl SortOptions {
    /// The query that asks for it.
    pub(crate) fn query(&self) -> impl Iterator<Item = (&'static str, &str)> {
        let pairs = [
            ("sort", self.sort.as_deref()),
            ("filter", self.filter.as_deref()),
            ("invert", self.invert.then_some("true")),
        ];
        pairs
            .into_iter()
            .filter_map(|(name, value)| Some((name, value?)))
    }
}

/// What all lists share.
#[derive(Args, Clone, Copy, Debug)]
pub(crate) struct ListOptions {
    /// Show so many at most
    #[arg(long, value_name = "N", default_value_t = 10_000, value_parser = at_least_one)]
    pub(crate) limit: usize,
}

fn kind(text: &str) -> Result<EventKind, String> {
    let name = serde_json::Value::String(text.to_owned());
    serde_json::from_value(name).map_err(|_| "there is no such kind of event".to_owned())
}

fn watch(text: &str) -> Result<Duration, String> {
    let every = duration::parse(text).map_err(|error| error.to_string())?;
    if (SHORTEST..=LONGEST).contains(&every) {
        Ok(every)
    } else {
        Err("expected 0.25 to 3600 seconds".to_owned())
    }
}

pub(super) fn at_least_one(text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(number) if number > 0 => Ok(number),
        _ => Err("expected a number above zero".to_owned()),
    }
}

/// Faster than that nobody reads, and the server has better things to do.
const SHORTEST: Duration = Duration::from_millis(250);
const LONGEST: Duration = Duration::from_secs(3600);

const STATUS_EXAMPLES: &str = "\
Examples:
  srsctl status
  srsctl status -o json | jq .summaries.data.srs.players
  srsctl status --server http://edge1.example.com:1985 --token-file ~/.srs-token";

const STREAMS_EXAMPLES: &str = "\
Examples:
  srsctl streams
  srsctl streams live/show
  srsctl streams --vhost live.example.com --app live
  srsctl streams --watch --sort=-out --filter '^live/'
  srsctl streams -o json | jq -r '.streams[] | [.url, .viewers] | @tsv'";

const CLIENTS_EXAMPLES: &str = "\
Examples:
  srsctl clients --stream live/show --players
  srsctl clients --watch=500ms --sort=-lag
  srsctl clients 104
  srsctl clients kick 104 105";

const KICK_EXAMPLES: &str = "\
Examples:
  srsctl clients kick 104
  srsctl clients kick --yes 104 105";

const VHOSTS_EXAMPLES: &str = "\
Examples:
  srsctl vhosts
  srsctl vhosts live.example.com";

const STATS_EXAMPLES: &str = "\
Examples:
  srsctl stats
  srsctl stats -o json | jq .summaries.data.system.load_1m";

const FLEET_EXAMPLES: &str = "\
Examples:
  srsctl fleet --server http://monitor.example.com:1985
  srsctl fleet -o json | jq -r '.servers[] | select(.state == \"late\") | .device_id'";

const RELOAD_EXAMPLES: &str = "\
Examples:
  srsctl reload --dry-run
  srsctl reload";

const EVENTS_EXAMPLES: &str = "\
Examples:
  srsctl events
  srsctl events -f --kind publish,unpublish
  srsctl events -f -o json | jq -r 'select(.kind == \"refuse\") | .peer'";

#[cfg(test)]
mod tests {
    use clap::Parser as _;

    use super::*;
    use crate::cli::{Cli, Command};

    fn options(arguments: &[&str]) -> ApiOptions {
        let cli = Cli::parse_from([&["srsctl"], arguments].concat());
        let Command::Status(status) = cli.command else {
            panic!("the status was asked for");
        };
        status.api.or(&cli.api)
    }

    #[test]
    fn options_stand_before_or_after_the_command() {
        let server = ["unix:/run/a.sock".parse().unwrap()];
        for arguments in [
            ["-s", "unix:/run/a.sock", "status"],
            ["status", "--server", "unix:/run/a.sock"],
        ] {
            assert_eq!(options(&arguments).server, server);
        }
        let both = ["-s", "a:1", "--timeout", "1s", "status", "-s", "b:1"];
        let options = options(&both);
        assert_eq!(options.server, ["b:1".parse().unwrap()], "the last counts");
        assert_eq!(options.timeout, Some(Duration::from_secs(1)));
    }

    #[test]
    fn a_proof_after_the_command_replaces_the_one_before_it() {
        let options = options(&["--token", "a", "status", "--user", "b:c"]);
        assert_eq!(options.token, None);
        assert_eq!(options.user.as_deref(), Some("b:c"));
    }

    #[test]
    fn kinds_of_events_may_be_listed() {
        let cli = Cli::parse_from(["srsctl", "events", "--kind", "play,stop", "--kind", "kick"]);
        let Command::Events(events) = cli.command else {
            panic!("the events were asked for");
        };
        assert_eq!(
            events.kind,
            [EventKind::Play, EventKind::Stop, EventKind::Kick]
        );
        assert!(Cli::try_parse_from(["srsctl", "events", "--kind", "dance"]).is_err());
    }

    #[test]
    fn clients_are_shown_by_id_and_kicked_by_command() {
        let Command::Clients(clients) = Cli::parse_from(["srsctl", "clients", "104"]).command
        else {
            panic!("clients were asked for");
        };
        assert_eq!(clients.id.as_deref(), Some("104"));
        let arguments = ["srsctl", "clients", "kick", "104", "105", "--yes"];
        let Command::Clients(clients) = Cli::parse_from(arguments).command else {
            panic!("clients were asked for");
        };
        assert!(matches!(
            clients.command,
            Some(ClientsCommand::Kick(Kick { ids, yes: true, .. })) if ids == ["104", "105"]
        ));
        assert!(Cli::try_parse_from(["srsctl", "clients", "kick"]).is_err());
    }
}
