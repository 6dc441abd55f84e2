//! `--watch`: a result again and again, until the user has had enough.
//!
//! On a terminal it is drawn over the one before, elsewhere they follow each other. A server that
//! goes away is waited for, once it has answered.

mod screen;

use std::io;
use std::time::Duration;

use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::time::{Interval, MissedTickBehavior, interval, timeout};

use self::screen::{Frame, Screen};
use super::Error;
use super::session::Session;
use crate::cli::{Form, WatchOptions};
use crate::client::ApiError;
use crate::interrupt::Interrupt;
use crate::output::text::{chain, printable_json};
use crate::output::units::{WallTime, now_ms};
use crate::output::{self, Report, Terminal};
use crate::sink::{Sink, unless_reader_left};

/// Prints what `ask` gives; with `--watch` again and again. `command` is what people call it.
///
/// # Errors
/// Those of `ask`, as far as they do not pass; or the result cannot be written.
pub(crate) async fn show<R: Report>(
    session: &Session,
    options: WatchOptions,
    command: &str,
    ask: impl AsyncFn() -> Result<R, Error>,
) -> Result<(), Error> {
    let Some(every) = options.watch else {
        return session.print(&ask().await?).await;
    };
    let mut interrupt = Interrupt::install().map_err(Error::Signals)?;
    let sink = Sink::stdout().map_err(Error::stdout)?;
    let screen = match session.form() {
        Form::Table => Screen::of_stdout(),
        Form::Json => None,
    };
    let mut watch = Watch {
        session,
        title: format!("Every {every:?}: srsctl {command}"),
        screen,
        sink,
        last: None,
        remark: None,
        lost: None,
        note: String::new(),
    };
    let result = tokio::select! {
        () = interrupt.wait() => Ok(()),
        result = watch.run(every, ask) => result,
    };
    // A reader that takes nothing must not hold up the end.
    match timeout(FLUSH, watch.finish()).await {
        Ok(finished) => {
            result?;
            unless_reader_left(finished).map_err(Error::stdout)
        }
        Err(_) => result,
    }
}

#[derive(Debug)]
struct Watch<'a, R> {
    session: &'a Session,
    title: String,
    /// Where results are drawn over each other, if they are.
    screen: Option<Screen>,
    sink: Sink,
    /// The newest result, for a terminal that changes its size.
    last: Option<R>,
    /// What was said of the last result besides, which is not said twice.
    remark: Option<String>,
    /// Since when the server does not answer, if so.
    lost: Option<i64>,
    /// What is known of that, on a terminal.
    note: String,
}

impl<R: Report> Watch<'_, R> {
    async fn run(
        &mut self,
        every: Duration,
        ask: impl AsyncFn() -> Result<R, Error>,
    ) -> Result<(), Error> {
        let mut ticks = interval(every);
        // After a slow answer the next question is asked when it is due, and none is made up for.
        ticks.set_missed_tick_behavior(MissedTickBehavior::Skip);
        let mut resized = signal(SignalKind::window_change()).map_err(Error::Signals)?;
        loop {
            self.wait(&mut ticks, &mut resized).await?;
            match ask().await {
                Ok(report) => {
                    self.find();
                    self.last = Some(report);
                }
                // The first attempt must succeed: a wrong address does not mend itself.
                Err(error) if self.last.is_none() || !may_pass(&error) => return Err(error),
                Err(error) => {
                    self.lose(&error);
                    if self.screen.is_none() {
                        continue;
                    }
                }
            }
            if !self.draw().await? {
                return Ok(());
            }
        }
    }

    /// Waits until it is time to ask again.
    async fn wait(&mut self, ticks: &mut Interval, resized: &mut Signal) -> Result<(), Error> {
        loop {
            tokio::select! {
                _ = ticks.tick() => return Ok(()),
                _ = resized.recv() => {
                    if self.screen.is_some() {
                        self.draw().await?;
                    }
                }
            }
        }
    }

    /// The server has answered.
    fn find(&mut self) {
        let Some(since) = self.lost.take() else {
            return;
        };
        let server = &self.session.name;
        if self.screen.is_some() {
            self.note = format!(
                "was away from {} to {}",
                WallTime(since),
                WallTime(now_ms())
            );
        } else {
            output::tell(format_args!("{server} answers again"));
        }
    }

    /// The server has not answered as it should.
    fn lose(&mut self, error: &Error) {
        let is_new = self.lost.is_none();
        let since = *self.lost.get_or_insert_with(now_ms);
        let error = chain(error);
        if self.screen.is_some() {
            self.note = format!("since {}: {error}; trying again", WallTime(since));
        } else if is_new {
            output::tell(format_args!("{error}; trying again"));
        }
    }

    /// Shows the newest result. Whether anybody looks on.
    async fn draw(&mut self) -> Result<bool, Error> {
        let Some(report) = &self.last else {
            return Ok(true);
        };
        let text = match (&mut self.screen, self.session.form()) {
            (Some(screen), _) => {
                let remark = report.remark();
                let terminal = Terminal::of_stdout();
                screen.draw(&Frame {
                    title: &self.title,
                    server: &self.session.name,
                    now: &WallTime(now_ms()).to_string(),
                    note: &self.note,
                    is_lost: self.lost.is_some(),
                    text: &report.text(&terminal),
                    remark: remark.as_deref(),
                })
            }
            (None, form) => {
                let remark = report.remark();
                if self.remark != remark {
                    if let Some(remark) = &remark {
                        output::tell(format_args!("{remark}"));
                    }
                    self.remark = remark;
                }
                match form {
                    Form::Table => report.text(&Terminal::of_stdout()) + "\n",
                    Form::Json => {
                        printable_json(serde_json::to_string(report).unwrap_or_default()) + "\n"
                    }
                }
            }
        };
        match self.sink.append(text.into()).await {
            Ok(()) => Ok(true),
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(false),
            Err(error) => Err(Error::stdout(error)),
        }
    }

    async fn finish(mut self) -> io::Result<()> {
        if self.screen.is_some() && self.last.is_some() {
            self.sink.append(screen::END.into()).await?;
        }
        self.sink.finish().await
    }
}

/// Whether the same question may be answered later: not if who asks may not, or asks wrongly.
fn may_pass(error: &Error) -> bool {
    match error {
        Error::Nothing { .. } => true,
        Error::Api(error) => !matches!(
            error,
            ApiError::Unauthorized { .. } | ApiError::Forbidden { .. } | ApiError::Wrong { .. }
        ),
        _ => false,
    }
}

/// How long standard output may take for what is left at the end.
const FLUSH: Duration = Duration::from_secs(1);
