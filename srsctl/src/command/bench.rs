//! `srsctl bench`: a server under load.
//!
//! ```text
//! play, publish, floor ─▶ load (clients by the thousand) ─▶ report (table or JSON)
//! ```

mod alarm;
mod client;
mod floor;
mod floor_server;
mod histogram;
mod live;
mod load;
mod machine;
mod moment;
mod pattern;
mod play;
mod probe;
mod process;
mod publish;
mod publishers;
mod report;
mod setup;
mod stamp;
mod sweeper;
mod window;

use std::time::Duration;

use srs_rtmp::url::RtmpUrl;

use self::client::{Destination, Missed, Speech};
use self::load::{End, Load, Publish};
use self::pattern::Shape;
use self::process::Processes;
pub(crate) use self::report::Saturation;
use self::report::{Report, Subject};
use super::{Error, without_parameters};
use crate::cli::{Bench, BenchCommand, Form, LoadOptions, StreamOptions};
use crate::interrupt::Interrupt;
use crate::output::StatusLine;
use crate::sink::{self, STDOUT, Sink};

/// Loads the server, and reports.
///
/// # Errors
/// There was nothing to measure, or nothing that the tool could measure.
pub(crate) async fn run(arguments: &Bench) -> Result<(), Error> {
    match &arguments.command {
        BenchCommand::Play(arguments) => play::run(arguments).await,
        BenchCommand::Publish(arguments) => publish::run(arguments).await,
        BenchCommand::Floor(arguments) => floor::run(arguments).await,
        BenchCommand::FloorServer(arguments) => floor_server::run(arguments).map_err(Error::Floor),
    }
}

/// Looks whether everything is there that is needed, before anything is started.
fn check(pids: &[u32], clients: usize) -> Result<Processes, Error> {
    machine::allow_clients(clients)?;
    Processes::new(pids).map_err(|pid| Error::NoProcess { pid })
}

/// Keeps this program to the processor that was asked for.
fn pin(options: &LoadOptions) -> Result<(), Error> {
    options.cpu.map_or(Ok(()), machine::pin)
}

/// Where the streams of `url` are: as it says, or numbered if there is more than one.
async fn destinations(
    url: &RtmpUrl,
    count: usize,
    within: Duration,
) -> Result<Vec<Destination>, Error> {
    let destination = Destination::of(url, within)
        .await
        .map_err(|error| Error::server(url, error))?;
    if count == 1 {
        return Ok(vec![destination]);
    }
    let numbered = |number| Destination {
        speech: Speech::Rtmp(numbered(url, number)),
        ..destination.clone()
    };
    Ok((1..=count).map(numbered).collect())
}

/// `url` with its stream called STREAM-NUMBER.
fn numbered(url: &RtmpUrl, number: usize) -> RtmpUrl {
    let stream = url.stream();
    let (name, parameters) = stream.split_at(stream.find('?').unwrap_or(stream.len()));
    let text = format!("{}/{name}-{number}{parameters}", url.tc_url());
    // It is as good as the one that it was made of.
    text.parse().unwrap_or_else(|_| url.clone())
}

impl From<StreamOptions> for Shape {
    fn from(options: StreamOptions) -> Self {
        Self {
            bitrate_kbps: options.bitrate,
            fps: options.fps,
            audio_fps: options.audio_fps,
            gop: options.gop,
        }
    }
}

/// Does what `load` says, and reports. `url` is named where nobody came.
async fn measure(
    subject: Subject,
    load: &Load,
    options: &LoadOptions,
    url: Option<&RtmpUrl>,
) -> Result<(), Error> {
    let mut interrupt = Interrupt::install().map_err(Error::Signals)?;
    let mut status = StatusLine::new(load.verbose);
    if let Some(url) = url {
        tokio::select! {
            free = expect_free(url, load) => free?,
            () = interrupt.wait() => return Err(Error::Unmeasured),
        }
    }
    let outcome = match load.run(&mut interrupt, &mut status).await {
        Ok(outcome) => outcome,
        Err(End::Interrupted) => {
            status.clear();
            return Err(Error::Unmeasured);
        }
        Err(End::Kernel(error)) => return Err(Error::Kernel(error)),
        Err(End::Nobody(reason)) => return Err(nobody(url, reason)),
    };
    status.clear();
    let report = Report::new(subject, load, &outcome);
    print(&report, options.output, url).await?;
    match report.saturation {
        Some(saturation) => Err(Error::Saturated(saturation)),
        None if report.has_problems() => Err(Error::Unserved),
        None => Ok(()),
    }
}

/// Looks whether somebody publishes already what the load would publish: many servers would let
/// the tool take over.
async fn expect_free(url: &RtmpUrl, load: &Load) -> Result<(), Error> {
    let first = load.streams.first().filter(|_| load.publish != Publish::No);
    let Some(Destination {
        speech: Speech::Rtmp(stream),
        within,
        ..
    }) = first
    else {
        return Ok(());
    };
    let is_live = live::is_live(stream, *within).await;
    if !is_live.map_err(|error| Error::server(url, error))? {
        return Ok(());
    }
    Err(Error::Live {
        url: without_parameters(stream),
        advice: match load.publish {
            Publish::ForPlayers => "name another stream, or play this one with --no-publish",
            Publish::No | Publish::ForItself => "name another stream",
        },
    })
}

fn nobody(url: Option<&RtmpUrl>, reason: Option<Missed>) -> Error {
    match (url, reason) {
        (Some(url), Some(Missed::Client(error))) => Error::server(url, error),
        (Some(url), Some(Missed::NoMedia { within })) => Error::NoMedia {
            url: without_parameters(url),
            why: format!("none came within {within:?}"),
        },
        (None, _) | (_, None) => Error::Nobody,
    }
}

async fn print(report: &Report, form: Form, url: Option<&RtmpUrl>) -> Result<(), Error> {
    let text = match form {
        // Nothing in it can fail to be JSON.
        Form::Json => serde_json::to_string(report).unwrap_or_default() + "\n",
        Form::Table => {
            let title = url.map_or_else(|| "without a server".to_owned(), without_parameters);
            format!("{title}\n{report}")
        }
    };
    let printed = async {
        let mut sink = Sink::stdout()?;
        sink.append(text.into()).await?;
        sink.finish().await
    };
    sink::unless_reader_left(printed.await).map_err(|error| Error::Output {
        output: STDOUT.to_owned(),
        error,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_stand_behind_the_name_of_the_stream() {
        let cases = [
            ("rtmp://h/live/show", "rtmp://h/live/show-2"),
            (
                "rtmp://[::1]:19350/a/b/s?key=1",
                "rtmp://[::1]:19350/a/b/s-2?key=1",
            ),
        ];
        for (url, expected) in cases {
            assert_eq!(
                numbered(&url.parse().unwrap(), 2),
                expected.parse().unwrap()
            );
        }
    }
}
