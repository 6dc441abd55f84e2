//! The stream in figures, on standard output.

use std::io;
use std::time::Instant;

use super::report::{HEADER, Summary};
use super::stats::Stats;
use super::{End, Playback, Step};
use crate::cli::Play;
use crate::command::{Error, without_parameters};
use crate::sink::{self, STDOUT, Sink};

/// Prints a row for each second of the stream, and a summary.
///
/// # Errors
/// Standard output cannot be written to, or as [`Playback::finish`].
pub(super) async fn run(arguments: &Play, mut playback: Playback) -> Result<(), Error> {
    let unwritten = |error| Error::Output {
        output: STDOUT.to_owned(),
        error,
    };
    let mut table = Table {
        sink: Sink::stdout().map_err(unwritten)?,
        stats: Stats::new(playback.start.began),
        rows: 0,
    };
    let end = table.run(&mut playback).await.map_err(unwritten)?;
    playback.status.clear();
    let has_media = table.stats.has_media();
    let summary = Summary {
        url: &without_parameters(&arguments.url),
        start: playback.start,
        stats: &table.stats,
        elapsed: playback.start.began.elapsed(),
        end: &end.to_string(),
    };
    let finishing = async {
        if has_media {
            table.sink.append(format!("\n{summary}").into()).await?;
        }
        table.sink.finish().await
    };
    let finished = tokio::select! {
        finished = finishing => sink::unless_reader_left(finished).map_err(unwritten),
        () = playback.interrupt.wait() => Err(Error::Unwritten { output: STDOUT.to_owned() }),
    };
    playback.finish(&arguments.url, end, has_media).await?;
    finished
}

struct Table {
    sink: Sink,
    stats: Stats,
    rows: usize,
}

impl Table {
    /// Prints until the end, and says what that was.
    async fn run(&mut self, playback: &mut Playback) -> io::Result<End> {
        loop {
            match playback.next().await {
                Step::Packet(packet, _) => self.stats.take(&packet, Instant::now()),
                Step::Tick if !self.stats.has_media() => {
                    playback.status.show("waiting for media", Instant::now());
                }
                Step::Tick => {
                    playback.status.clear();
                    let printed = tokio::select! {
                        printed = self.print_row() => printed,
                        () = playback.interrupt.wait() => return Ok(End::Interrupted),
                    };
                    match printed {
                        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => {
                            return Ok(End::ReaderLeft);
                        }
                        printed => printed?,
                    }
                }
                Step::End(end) => return Ok(end),
            }
        }
    }

    async fn print_row(&mut self) -> io::Result<()> {
        if self.rows.is_multiple_of(PAGE) {
            self.sink.append(format!("{HEADER}\n").into()).await?;
        }
        self.rows += 1;
        let row = self.stats.row(Instant::now());
        self.sink.append(format!("{row}\n").into()).await
    }
}

/// Rows between two headers of the table.
const PAGE: usize = 20;
