//! The dashboard without a terminal: a page of text (`--once`), or snapshots for programs (`--json`).
//!
//! Of several servers those that answer are printed; one that is away takes nothing from them.

use std::io;

use tokio::time::{MissedTickBehavior, interval};

use super::options::Options;
use super::server_of;
use super::snapshot::{self, Snapshot};
use crate::cli::Top;
use crate::command::Error;
use crate::command::session::Opened;
use crate::interrupt::Interrupt;
use crate::output::text::{chain, printable_json};
use crate::output::units::now_ms;
use crate::output::{self, Terminal};
use crate::sink::{self, Sink};

/// Prints one snapshot a line, of each server in turn, until the user has had enough or nobody reads
/// on; with `--once`, one of each.
///
/// # Errors
/// A server does not answer, and that does not pass; or standard output takes nothing.
pub(crate) async fn json(
    opened: &[Opened],
    arguments: &Top,
    options: &Options,
) -> Result<(), Error> {
    let mut interrupt = Interrupt::install().map_err(Error::Signals)?;
    let mut sink = Sink::stdout().map_err(Error::stdout)?;
    let mut ticks = interval(options.liking.every);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut away = vec![false; opened.len()];
    let mut failures = Failures::default();
    loop {
        tokio::select! {
            _ = ticks.tick() => {}
            () = interrupt.wait() => break,
        }
        for (opened, is_away) in opened.iter().zip(&mut away) {
            let taken = Snapshot::take(&opened.client, &opened.name, arguments.limit, now_ms());
            let taken = tokio::select! {
                taken = taken => taken,
                () = interrupt.wait() => return finish(sink).await,
            };
            let name = &opened.name;
            let snapshot = match taken {
                Ok(snapshot) => snapshot,
                Err(error) if arguments.once => {
                    failures.note(error.into());
                    continue;
                }
                // Who reads on is better served by a gap than by an end.
                Err(error) if error.is_retryable() => {
                    if !std::mem::replace(is_away, true) {
                        output::tell(format_args!("{}; trying again", chain(&error)));
                    }
                    continue;
                }
                Err(error) => return Err(error.into()),
            };
            if std::mem::take(is_away) {
                output::tell(format_args!("{name} answers again"));
            }
            let line = printable_json(serde_json::to_string(&snapshot).unwrap_or_default()) + "\n";
            match sink.append(line.into()).await {
                Ok(()) => {}
                Err(error) if error.kind() == io::ErrorKind::BrokenPipe => return Ok(()),
                Err(error) => return Err(Error::stdout(error)),
            }
        }
        if arguments.once {
            break;
        }
    }
    finish(sink).await?;
    failures.check()
}

async fn finish(sink: Sink) -> Result<(), Error> {
    sink::unless_reader_left(sink.finish().await).map_err(Error::stdout)
}

/// Prints the header and the streams of each server as text, in colours where they are shown.
///
/// # Errors
/// A server does not answer, or standard output takes nothing.
pub(crate) async fn once(
    opened: &[Opened],
    arguments: &Top,
    options: &Options,
) -> Result<(), Error> {
    let terminal = Terminal::of_stdout();
    let width = terminal.width.unwrap_or(WITHOUT_TERMINAL);
    let form = snapshot::PageForm {
        width: u16::try_from(width).unwrap_or(u16::MAX),
        has_colours: terminal.colour,
        limit: arguments.limit,
    };
    let mut text = String::new();
    let mut failures = Failures::default();
    for opened in opened {
        let server = server_of(opened);
        let page = snapshot::page(&opened.client, server, &options.liking, form, now_ms()).await;
        match page {
            Ok(page) => {
                if !text.is_empty() {
                    text.push('\n');
                }
                text += &page;
            }
            Err(error) => failures.note(error.into()),
        }
    }
    sink::print(text).await.map_err(Error::stdout)?;
    failures.check()
}

/// Why some of the servers are not printed: the first is what the command ends with, the others are
/// told at once.
#[derive(Debug, Default)]
struct Failures {
    first: Option<Error>,
}

impl Failures {
    fn note(&mut self, error: Error) {
        match self.first {
            None => self.first = Some(error),
            Some(_) => output::tell(format_args!("{}", chain(&error))),
        }
    }

    fn check(self) -> Result<(), Error> {
        self.first.map_or(Ok(()), Err)
    }
}

/// As wide as text is where no terminal says.
const WITHOUT_TERMINAL: usize = 160;
