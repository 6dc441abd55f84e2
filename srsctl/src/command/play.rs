//! `srsctl play`: a live stream measured, or written into a file.

mod flv_file;
mod measure;
mod record;
mod report;
mod stats;

use std::fmt;
use std::future::pending;
use std::path::Path;
use std::time::{Duration, Instant};

use srs_media::{Packet, Timestamp};
use srs_net::RtmpClient;
use srs_net::client::ClientError;
use srs_net::dial;
use srs_rtmp::client::{ClientEvent, ClientSettings, Purpose};
use srs_rtmp::url::RtmpUrl;
use srs_rtmp::{Media, MediaKind};
use tokio::time::{Interval, MissedTickBehavior, interval_at, sleep_until};

use super::{Error, without_parameters};
use crate::cli::Play;
use crate::interrupt::Interrupt;
use crate::output::StatusLine;

/// Plays the stream.
///
/// # Errors
/// The server refuses or is gone, nothing came, or the result cannot be written.
pub(crate) async fn run(arguments: &Play) -> Result<(), Error> {
    if arguments.output.as_deref() == Some(Path::new("-")) && record::is_for_eyes() {
        return Err(Error::Terminal);
    }
    let mut interrupt = Interrupt::install().map_err(Error::Signals)?;
    let playing = tokio::select! {
        playing = open(&arguments.url, arguments.common.timeout) => playing,
        () = interrupt.wait() => return Ok(()),
    };
    let (client, start) = playing.map_err(|error| Error::server(&arguments.url, error))?;
    let mut status = StatusLine::new(arguments.common.verbose);
    if arguments.common.verbose {
        status.tell(format_args!(
            "playing {}",
            without_parameters(&arguments.url)
        ));
    }
    let playback = Playback::new(client, interrupt, start, arguments.duration, status);
    match &arguments.output {
        Some(path) => record::run(path, arguments, playback).await,
        None => measure::run(arguments, playback).await,
    }
}

/// Connects to the server of `url` and plays.
async fn open(url: &RtmpUrl, within: Duration) -> Result<(RtmpClient, Start), ClientError> {
    let began = Instant::now();
    let socket = dial::connect(url, within).await?;
    let connected = began.elapsed();
    let settings = ClientSettings::new(url, Purpose::Play);
    let client = RtmpClient::open_on(socket, settings, within).await?;
    Ok((client, Start { began, connected }))
}

/// How the play began.
#[derive(Clone, Copy, Debug)]
struct Start {
    /// When the server's address was first asked for.
    began: Instant,
    /// From then to the connected socket.
    connected: Duration,
}

/// A stream that is played: its packets, and what else happens meanwhile.
#[derive(Debug)]
struct Playback {
    client: RtmpClient,
    interrupt: Interrupt,
    start: Start,
    deadline: Option<Instant>,
    ticks: Interval,
    /// The last time of sound or picture, to undo the wraps of the next by.
    near: Timestamp,
    status: StatusLine,
}

/// What happens next.
#[derive(Debug)]
enum Step {
    /// A packet came, with the timestamp that it came with.
    Packet(Packet, u32),
    /// Another second has passed.
    Tick,
    /// That was all.
    End(End),
}

/// Why a play is over.
#[derive(Debug)]
enum End {
    /// The user has had enough.
    Interrupted,
    /// It has lasted as long as the user wished.
    Duration,
    /// Whoever reads the result has had enough.
    ReaderLeft,
    /// The stream has ended, in the server's words.
    Ended(String),
    /// The connection did not hold so long.
    Broken(ClientError),
}

impl fmt::Display for End {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Interrupted => f.write_str("interrupted"),
            Self::Duration => f.write_str("the time is over"),
            Self::ReaderLeft => f.write_str("nobody reads on"),
            Self::Ended(why) => write!(f, "the stream ended: {why}"),
            Self::Broken(error) => error.fmt(f),
        }
    }
}

impl Playback {
    fn new(
        client: RtmpClient,
        interrupt: Interrupt,
        start: Start,
        duration: Option<Duration>,
        status: StatusLine,
    ) -> Self {
        let now = Instant::now();
        let mut ticks = interval_at((now + SECOND).into(), SECOND);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Skip);
        let deadline = duration.map(|duration| now + duration);
        Self {
            client,
            interrupt,
            start,
            deadline,
            ticks,
            near: Timestamp::ZERO,
            status,
        }
    }

    /// Waits for what happens next. Cancel-safe.
    async fn next(&mut self) -> Step {
        loop {
            // In this order, so that a stream that never pauses does not hide the others.
            let event = tokio::select! {
                biased;
                () = self.interrupt.wait() => return Step::End(End::Interrupted),
                () = until(self.deadline) => return Step::End(End::Duration),
                _ = self.ticks.tick() => return Step::Tick,
                event = self.client.next_event() => event,
            };
            return match event {
                Ok(Some(ClientEvent::Media(media))) => {
                    let timestamp = media.timestamp;
                    Step::Packet(self.packet(media), timestamp)
                }
                Ok(Some(ClientEvent::Ended { description, code })) => {
                    Step::End(End::Ended(if description.is_empty() {
                        code
                    } else {
                        description
                    }))
                }
                Ok(Some(ClientEvent::Refused { code, description })) => {
                    Step::End(End::Broken(ClientError::Refused { code, description }))
                }
                Ok(Some(_)) => continue,
                Ok(None) => Step::End(End::Broken(ClientError::Closed)),
                Err(error) => Step::End(End::Broken(error)),
            };
        }
    }

    fn packet(&mut self, media: Media) -> Packet {
        let timestamp = self.near.nearest(media.timestamp);
        match media.kind {
            MediaKind::Audio => {
                self.near = timestamp;
                Packet::audio(timestamp, media.payload)
            }
            MediaKind::Video => {
                self.near = timestamp;
                Packet::video(timestamp, media.payload)
            }
            // Some servers send data with no time of its own.
            MediaKind::Data => Packet::data(timestamp, media.payload),
        }
    }

    /// Leaves the server in order, unless it was the one who left, and says what became of the
    /// play.
    async fn finish(self, url: &RtmpUrl, end: End, has_media: bool) -> Result<(), Error> {
        if !matches!(end, End::Broken(_)) {
            // The result is complete; how well the good-bye was heard does not matter.
            let _ = self.client.finish().await;
        }
        let no_media = |why| {
            Err(Error::NoMedia {
                url: without_parameters(url),
                why,
            })
        };
        match end {
            End::Broken(error) => Err(Error::server(url, error)),
            End::Ended(why) if !has_media => no_media(why),
            End::Duration if !has_media => no_media("none came in the time".to_owned()),
            End::Ended(_) | End::Duration | End::Interrupted | End::ReaderLeft => Ok(()),
        }
    }
}

/// Waits until `deadline`, for ever if there is none.
async fn until(deadline: Option<Instant>) {
    match deadline {
        Some(deadline) => sleep_until(deadline.into()).await,
        None => pending().await,
    }
}

const SECOND: Duration = Duration::from_secs(1);
