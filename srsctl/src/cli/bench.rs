//! The arguments of `srsctl bench`.

use std::time::Duration;

use clap::{Args, Subcommand, ValueEnum};
use srs_rtmp::url::RtmpUrl;

use super::Common;
use crate::duration;

/// Load a server with many clients, and measure what it does and needs
///
/// All clients run on one thread of this program: thousands of players cost it a fraction of a
/// processor, as their bytes are counted and discarded in the kernel. Whether the tool itself kept
/// up is part of every result; if it did not, the result says nothing about the server. The exit
/// status is 7 then, and also if not all clients were served to the end.
///
/// Players read what comes within a few milliseconds, so that it is acknowledged at once, as with
/// real players. While acknowledgements are delayed a server that leaves Nagle's algorithm on has
/// its small writes merged: with players that read seldom it would seem to need less than it does.
///
/// The server may be of any make. Where it runs on the same machine, --pid reports its processor
/// time and its memory; give it and the tool processors of their own (--cpu, taskset(1)), as
/// otherwise each measures the other.
///
/// With -o json the result is one object with the names below. A figure is null if it was not
/// measured, or if it is about the server and the tool was saturated.
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Bench {
    #[command(subcommand)]
    pub(crate) command: BenchCommand,
}

#[derive(Debug, Subcommand)]
pub(crate) enum BenchCommand {
    Play(BenchPlay),
    Publish(BenchPublish),
    Floor(BenchFloor),
    #[command(hide = true)]
    FloorServer(FloorServer),
}

/// Play one stream many times, or a few
///
/// The tool publishes the stream, connects the players, waits until all of them play, and then
/// measures: what arrived, how long it was on its way, and what the server needed for it.
///
/// A player plays as soon as it has its first key frame. The time to the first byte ends with the
/// first media message, the time to the first key frame with its last byte; both begin with the
/// connect. Latency runs from a message's being written by the publisher to its being read by one
/// of the probes.
#[derive(Args, Debug)]
#[command(after_help = PLAY_EXAMPLES)]
pub(crate) struct BenchPlay {
    /// What to play, as rtmp://HOST/APP/STREAM or rtmp://HOST:PORT/APP/STREAM
    #[arg(value_name = "URL")]
    pub(crate) url: RtmpUrl,
    /// How many players
    #[arg(long, value_name = "N", default_value_t = 100, value_parser = at_least_one)]
    pub(crate) players: usize,
    /// How many streams, over which the players are spread evenly; if more than one they are
    /// called STREAM-1, STREAM-2 and so on
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = at_least_one)]
    pub(crate) streams: usize,
    /// Publish nothing, and play what others publish; then there is no latency
    #[arg(long)]
    pub(crate) no_publish: bool,
    /// How many of the players read everything and measure the latency
    #[arg(long, value_name = "N", default_value_t = 20)]
    pub(crate) probes: usize,
    #[command(flatten)]
    pub(crate) load: LoadOptions,
    #[command(flatten)]
    pub(crate) server: ServerOptions,
}

/// Publish many streams, and play each of them if asked to
///
/// More streams than one are called STREAM-1, STREAM-2 and so on. They begin one after the other, so
/// that their key frames are spread over time. What is reported is what the server took; with
/// --players also what came out again.
#[derive(Args, Debug)]
#[command(after_help = PUBLISH_EXAMPLES)]
pub(crate) struct BenchPublish {
    /// Where to publish, as rtmp://HOST/APP/STREAM or rtmp://HOST:PORT/APP/STREAM
    #[arg(value_name = "URL")]
    pub(crate) url: RtmpUrl,
    /// How many publishers
    #[arg(long, value_name = "N", default_value_t = 100, value_parser = at_least_one)]
    pub(crate) publishers: usize,
    /// How many players of each stream
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub(crate) players: usize,
    #[command(flatten)]
    pub(crate) load: LoadOptions,
    #[command(flatten)]
    pub(crate) server: ServerOptions,
}

/// Do the same work without a server: what no server can beat
///
/// A second process writes the bytes of the stream to each client with plain writes, without any
/// protocol, and is measured like a server. What it needs is what the kernel takes for moving the
/// bytes; how much more a server needs is its own.
#[derive(Args, Debug)]
#[command(after_help = FLOOR_EXAMPLES)]
pub(crate) struct BenchFloor {
    /// How many clients
    #[arg(long, value_name = "N", default_value_t = 100, value_parser = at_least_one)]
    pub(crate) players: usize,
    /// How often each client is written to, with all messages that were due meanwhile; 0s is a
    /// write for each message, at its time
    #[arg(
        long,
        value_name = "TIME",
        default_value = "350ms",
        value_parser = duration::parse_or_zero
    )]
    pub(crate) interval: Duration,
    /// Pin the process that writes to this processor
    #[arg(long, value_name = "N")]
    pub(crate) server_cpu: Option<usize>,
    /// Let the clients send the stream, and the process read and discard it
    #[arg(long, conflicts_with = "interval")]
    pub(crate) read: bool,
    #[command(flatten)]
    pub(crate) load: LoadOptions,
    /// Tell more, and show the progress also where there is no terminal
    #[arg(short, long)]
    pub(crate) verbose: bool,
}

/// The other side of `floor`, started by it.
#[derive(Args, Debug)]
pub(crate) struct FloorServer {
    #[arg(long)]
    pub(crate) clients: usize,
    #[arg(long, value_parser = duration::parse_or_zero)]
    pub(crate) interval: Duration,
    #[arg(long)]
    pub(crate) read: bool,
    #[command(flatten)]
    pub(crate) stream: StreamOptions,
}

/// What all kinds of load share.
#[derive(Args, Debug)]
pub(crate) struct LoadOptions {
    /// How long to measure, from a second after all clients have come
    #[arg(long, value_name = "TIME", default_value = "20s", value_parser = duration::parse)]
    pub(crate) duration: Duration,
    /// How many clients connect in a second
    #[arg(
        long,
        value_name = "N",
        default_value_t = 300,
        value_parser = clap::value_parser!(u32).range(1..)
    )]
    pub(crate) ramp: u32,
    #[command(flatten)]
    pub(crate) stream: StreamOptions,
    /// Pin this program to this processor
    #[arg(long, value_name = "N")]
    pub(crate) cpu: Option<usize>,
    /// How to print the result: table or json
    #[arg(
        short,
        long,
        value_name = "FORM",
        value_enum,
        default_value_t = Form::Table,
        hide_possible_values = true
    )]
    pub(crate) output: Form,
}

/// What a load on a server needs to know of it.
#[derive(Args, Debug)]
pub(crate) struct ServerOptions {
    /// A process of the server, whose processor time and memory are reported; may be repeated
    #[arg(long = "pid", value_name = "PID")]
    pub(crate) pids: Vec<u32>,
    #[command(flatten)]
    pub(crate) common: Common,
}

/// How the stream is made up.
#[derive(Args, Clone, Copy, Debug)]
pub(crate) struct StreamOptions {
    /// Kilobits per second of a stream, video and audio together
    #[arg(
        long,
        value_name = "KBPS",
        default_value_t = 500,
        value_parser = clap::value_parser!(u32).range(1..=1_000_000)
    )]
    pub(crate) bitrate: u32,
    /// Pictures per second
    #[arg(
        long,
        value_name = "N",
        default_value_t = 25,
        value_parser = clap::value_parser!(u32).range(1..=1_000)
    )]
    pub(crate) fps: u32,
    /// Audio frames per second; 0 is a stream without sound
    #[arg(
        long,
        value_name = "N",
        default_value_t = 43,
        value_parser = clap::value_parser!(u32).range(..=1_000)
    )]
    pub(crate) audio_fps: u32,
    /// From one key frame to the next
    #[arg(long, value_name = "TIME", default_value = "2s", value_parser = duration::parse)]
    pub(crate) gop: Duration,
}

/// How a result is printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Form {
    /// For people
    Table,
    /// For programs: one JSON object
    Json,
}

fn at_least_one(text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(0) => Err("expected 1 or more".to_owned()),
        Ok(number) => Ok(number),
        Err(error) => Err(format!("{error}")),
    }
}

const EXAMPLES: &str = "\
Examples:
  srsctl bench play --players 900 --pid $(pidof srs) rtmp://localhost/live/bench
  srsctl bench publish --publishers 500 rtmp://localhost/live/bench

Result:
  command: play, publish or floor
  players, streams: as many as were asked for
  publishers: those of the tool that published to the end
  interval_ms: of floor: from one write to a client to the next
  bitrate_kbps: of each stream, where the tool makes it
  seconds: how long was measured
  saturated: whether the tool did not keep up
  connected, playing: clients that came, and that played to the end
  refused, failed: clients that the server refused, and that failed otherwise
  disconnected: clients that the server did not keep
  starved: players that got no byte for 3 seconds
  bytes, gbit: to players; of publish and floor --read: from publishers
  gbit_in, gbit_out: from publishers, and to players
  sent_ratio: bytes that the server took / bytes that were due to be sent
  delivered_ratio: bytes that came to players / bytes published for them
  first_byte_ms: from the start of the connect to the first media message
  first_key_frame_ms: from the start of the connect to the end of a key frame
  latency_ms: from the publisher's write to a probe's read
  server.cpu_percent: what it used, in percent of one processor
  server.cpu_seconds: user and system time of all its processes
  server.cpu_seconds_per_gbit: for what gbit counts, or gbit_in and gbit_out
  server.rss_kb: its memory at the end; rss_kb_before: before the clients came
  server.kb_per_player: all of its memory / players that play
  server.threads: name and cpu_seconds of each, the busiest first
  tool.cpu_percent: what the tool used of its processor; saturated above 85
  tool.late_p95_ms: how late it sent, or read if it only plays; saturated above 20";

const PLAY_EXAMPLES: &str = "\
Examples:
  srsctl bench play --players 5000 --pid $(pidof srs) --cpu 1 rtmp://localhost/live/bench
  srsctl bench play --no-publish -o json rtmp://localhost/live/bench";

const PUBLISH_EXAMPLES: &str = "\
Examples:
  srsctl bench publish --publishers 500 --bitrate 2000 rtmp://localhost/live/bench
  srsctl bench publish --publishers 100 --players 10 rtmp://localhost/live/bench";

const FLOOR_EXAMPLES: &str = "\
Examples:
  srsctl bench floor --players 900 --server-cpu 0 --cpu 1
  srsctl bench floor --players 500 --bitrate 2000 --read";
