//! `srsctl publish`: an FLV file as a live stream.
//!
//! ```text
//! source (tags of the file) ─▶ passes (one stream out of them) ─▶ pacer (when) ─▶ the server
//! ```

mod pacer;
mod passes;
pub(crate) mod source;

use std::pin::pin;
use std::time::{Duration, Instant};

use srs_media::Packet;
use srs_net::RtmpClient;
use srs_net::client::ClientError;
use srs_rtmp::client::{ClientEvent, Purpose};
use tokio::time::{Interval, MissedTickBehavior, interval_at, sleep_until};

use self::pacer::Pacer;
use self::passes::Passes;
use self::source::{Item, Source, SourceError};
use super::{Error, without_parameters};
use crate::cli::Publish;
use crate::interrupt::Interrupt;
use crate::output::StatusLine;
use crate::progress::Progress;

/// Publishes the file.
///
/// # Errors
/// The file is of no use, the server refuses or is gone. What could be published has been.
pub(crate) async fn run(arguments: &Publish) -> Result<(), Error> {
    let (url, within) = (&arguments.url, arguments.common.timeout);
    let mut interrupt = Interrupt::install().map_err(Error::Signals)?;
    let beginning = async {
        // Before the server is bothered: a file that is none should not even be announced.
        let source = Source::open(&arguments.file, arguments.repeat)
            .await
            .map_err(|error| unusable(arguments, error))?;
        let client = RtmpClient::open(url, Purpose::Publish, within).await;
        let client = client.map_err(|error| Error::server(url, error))?;
        Ok::<_, Error>((source, client))
    };
    let (source, client) = tokio::select! {
        begun = beginning => begun?,
        () = interrupt.wait() => return Ok(()),
    };
    let mut status = StatusLine::new(arguments.common.verbose);
    if arguments.common.verbose {
        status.tell(format_args!("publishing to {}", without_parameters(url)));
    }
    let mut ticks = interval_at(tokio::time::Instant::now() + BETWEEN_TICKS, BETWEEN_TICKS);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Skip);
    let mut publisher = Publisher {
        arguments,
        passes: if arguments.repeat {
            Passes::default()
        } else {
            Passes::once()
        },
        pacer: Pacer::default(),
        client,
        interrupt,
        status,
        ticks,
        progress: Progress::new(Instant::now()),
    };
    let result = publisher.run(source).await;
    let Publisher {
        client,
        mut status,
        progress,
        ..
    } = publisher;
    let is_there = !matches!(
        result,
        Err(Error::Server { .. } | Error::Stalled { .. } | Error::Ended { .. })
    );
    let finished = if is_there {
        client.finish().await
    } else {
        Ok(())
    };
    status.tell(format_args!(
        "{}: published {progress}",
        arguments.file.display()
    ));
    result?;
    finished.map_err(|error| Error::server(url, error))
}

fn unusable(arguments: &Publish, error: SourceError) -> Error {
    Error::Source {
        path: arguments.file.clone(),
        error,
    }
}

struct Publisher<'a> {
    arguments: &'a Publish,
    passes: Passes,
    pacer: Pacer,
    client: RtmpClient,
    interrupt: Interrupt,
    status: StatusLine,
    ticks: Interval,
    progress: Progress,
}

/// Whether to go on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Next {
    GoOn,
    Stop,
}

impl Publisher<'_> {
    /// Publishes until the file is over or the user has had enough.
    async fn run(&mut self, mut source: Source) -> Result<(), Error> {
        while let Some(Some(item)) = self.unless_stopped(source.next()).await? {
            let tag = match item.map_err(|error| unusable(self.arguments, error))? {
                Item::Tag(tag) => tag,
                Item::End { truncated } => {
                    if let Some(error) = truncated.filter(|_| self.passes.number() == 1) {
                        let file = self.arguments.file.display();
                        self.status.tell(format_args!("warning: {file}: {error}"));
                    }
                    self.passes.restart();
                    continue;
                }
            };
            let Some(packet) = self.passes.take(tag) else {
                continue;
            };
            if self.publish(&packet).await? == Next::Stop {
                break;
            }
        }
        Ok(())
    }

    /// Sends `packet` when it is time for it.
    async fn publish(&mut self, packet: &Packet) -> Result<Next, Error> {
        let is_frame = source::is_frame(packet);
        if is_frame {
            let due = self.pacer.due(packet.timestamp, Instant::now());
            if self
                .unless_stopped(sleep_until(due.into()))
                .await?
                .is_none()
            {
                return Ok(Next::Stop);
            }
        }
        let (kind, payload) = source::message(packet);
        self.client.send(kind, packet.timestamp.wire(), &payload);
        if self.flush().await? == Next::Stop {
            return Ok(Next::Stop);
        }
        if is_frame {
            self.pacer.sent(packet.timestamp, Instant::now());
        }
        self.progress
            .count(packet.timestamp, payload.len(), is_frame);
        Ok(Next::GoOn)
    }
    /// What `future` gives, or `None` if the user has had enough before. Listens to the server
    /// meanwhile.
    async fn unless_stopped<T>(
        &mut self,
        future: impl Future<Output = T>,
    ) -> Result<Option<T>, Error> {
        let mut future = pin!(future);
        loop {
            // In this order, so that a long row of overdue packets does not hide the others.
            tokio::select! {
                biased;
                () = self.interrupt.wait() => return Ok(None),
                event = self.client.next_event() => self.heed(event)?,
                _ = self.ticks.tick() => self.show_status(),
                value = &mut future => return Ok(Some(value)),
            }
        }
    }

    /// Sends what is to be sent. The server may take long for it, but must take something.
    async fn flush(&mut self) -> Result<Next, Error> {
        let within = self.arguments.common.timeout;
        let mut sent = self.client.sent();
        let mut deadline = Instant::now() + within;
        loop {
            tokio::select! {
                flushed = self.client.flush() => match flushed {
                    Ok(None) => return Ok(Next::GoOn),
                    event => self.heed(event)?,
                },
                () = self.interrupt.wait() => return Ok(Next::Stop),
                _ = self.ticks.tick() => self.show_status(),
                () = sleep_until(deadline.into()) => {
                    if self.client.sent() == sent {
                        let url = without_parameters(&self.arguments.url);
                        return Err(Error::Stalled { url, within });
                    }
                    sent = self.client.sent();
                    deadline = Instant::now() + within;
                }
            }
        }
    }

    fn show_status(&mut self) {
        let now = Instant::now();
        let mut text = self.progress.line(now);
        let (pass, behind) = (self.passes.number(), self.pacer.behind(now));
        if pass > 1 {
            text += &format!("  pass {pass}");
        }
        if behind >= WORTH_TELLING {
            text += &format!("  behind by {:.1} s", behind.as_secs_f64());
        }
        self.status.show(&text, now);
    }

    /// What the server says to a publisher is the end, or does not matter.
    fn heed(&self, event: Result<Option<ClientEvent>, ClientError>) -> Result<(), Error> {
        let url = &self.arguments.url;
        let error = match event {
            Ok(Some(ClientEvent::Ended { code, description })) => {
                return Err(Error::Ended {
                    url: without_parameters(url),
                    code,
                    description,
                });
            }
            Ok(Some(ClientEvent::Refused { code, description })) => {
                ClientError::Refused { code, description }
            }
            Ok(Some(_)) => return Ok(()),
            Ok(None) => ClientError::Closed,
            Err(error) => error,
        };
        Err(Error::server(url, error))
    }
}

const BETWEEN_TICKS: Duration = Duration::from_secs(1);
/// A delay that is no matter of timers and sockets any more.
const WORTH_TELLING: Duration = Duration::from_millis(500);
