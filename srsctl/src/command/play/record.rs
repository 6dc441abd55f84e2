//! The stream into an FLV file.

use std::io::{self, IsTerminal as _};
use std::path::Path;
use std::time::{Duration, Instant};

use bytes::BytesMut;
use srs_media::flv::Tag;

use super::flv_file::FlvFile;
use super::{End, Playback, Step};
use crate::cli::Play;
use crate::command::Error;
use crate::command::publish::source::is_frame;
use crate::progress::Progress;
use crate::sink::{self, STDOUT, Sink};

/// Whether standard output shows what is written to it to somebody.
pub(super) fn is_for_eyes() -> bool {
    io::stdout().is_terminal()
}

/// Writes the stream into the file at `path`, or to standard output.
///
/// # Errors
/// The file cannot be written, or as [`Playback::finish`]. What came is in the file.
pub(super) async fn run(
    path: &Path,
    arguments: &Play,
    mut playback: Playback,
) -> Result<(), Error> {
    let (name, sink) = if path == Path::new("-") {
        (STDOUT.to_owned(), Sink::stdout())
    } else {
        (path.display().to_string(), Sink::file(path))
    };
    let unwritten = |error| Error::Output {
        output: name.clone(),
        error,
    };
    let mut recorder = Recorder {
        sink: sink.map_err(unwritten)?,
        file: FlvFile::default(),
        limit: arguments.duration,
        written: Progress::new(Instant::now()),
    };
    let recorded = recorder.run(&mut playback).await;
    let Recorder { sink, written, .. } = recorder;
    let finished = tokio::select! {
        finished = sink.finish() => sink::unless_reader_left(finished).map_err(unwritten),
        () = playback.interrupt.wait() => Err(Error::Unwritten { output: name.clone() }),
    };
    if written.has_media() {
        playback.status.tell(format_args!("{name}: {written}"));
    }
    let end = recorded.map_err(unwritten)?;
    finished?;
    playback
        .finish(&arguments.url, end, written.has_media())
        .await
}

struct Recorder {
    sink: Sink,
    file: FlvFile,
    /// As much media as is wanted.
    limit: Option<Duration>,
    written: Progress,
}

impl Recorder {
    /// Records until the end, and says what that was.
    async fn run(&mut self, playback: &mut Playback) -> io::Result<End> {
        let mut out = BytesMut::new();
        let end = loop {
            match playback.next().await {
                Step::Packet(packet, timestamp) => {
                    let is_frame = is_frame(&packet);
                    let time = self.written.time_at(packet.timestamp);
                    if is_frame && self.limit.is_some_and(|limit| time >= limit) {
                        break End::Duration;
                    }
                    self.written
                        .count(packet.timestamp, packet.payload.len(), is_frame);
                    let tag = Tag {
                        timestamp,
                        ..Tag::from(packet)
                    };
                    self.file
                        .take(tag, is_frame, &mut out)
                        .map_err(io::Error::other)?;
                    if let Some(end) = self.write(&mut out, playback).await? {
                        return Ok(end);
                    }
                }
                Step::Tick => {
                    let now = Instant::now();
                    let line = self.written.line(now);
                    playback.status.show(&line, now);
                }
                Step::End(end) => break end,
            }
        };
        self.file.begin(&mut out).map_err(io::Error::other)?;
        let cut_off = self.write(&mut out, playback).await?;
        Ok(cut_off.unwrap_or(end))
    }

    /// Writes what is in `out`. The end, if somebody has had enough meanwhile.
    async fn write(
        &mut self,
        out: &mut BytesMut,
        playback: &mut Playback,
    ) -> io::Result<Option<End>> {
        let order = async {
            if !out.is_empty() {
                self.sink.append(out.split().freeze()).await?;
            }
            match self.file.correction() {
                Some(header) => self.sink.overwrite(0, header).await,
                None => Ok(()),
            }
        };
        tokio::select! {
            result = order => match result {
                Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(Some(End::ReaderLeft)),
                result => result.map(|()| None),
            },
            () = playback.interrupt.wait() => Ok(Some(End::Interrupted)),
        }
    }
}
