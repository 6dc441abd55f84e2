//! What the daemon says: lines for the journal, the console or a file.
//!
//! Code writes events with [`tracing`]; each client has a span ([`client_span`]), and every line
//! inside shows whose it is. A line of text is
//!
//! ```text
//! [2026-11-22 17:05:06.123][info][4242][101] publish starts codec=h264 peer=192.0.2.7:51234 …
//!     … vhost=__defaultVhost__ app=live stream=show
//! ```
//!
//! with local time, level, process id and client id in brackets; in JSON the same is an object. The
//! journal gets the message and the names as fields, `SRS_CLIENT` to `SRS_STREAM`, so that
//! `journalctl SRS_CLIENT=101` tells one session's story.
//!
//! Text of peers belongs into fields, not into the message: there it is quoted where it is not a
//! plain word. Control characters are escaped everywhere. The names of the session are not used for
//! fields of events: in the journal both would have one name. An error is given as
//! `error = &error as &dyn Error`, which writes its causes too. Nothing is logged per packet; a
//! level that is off costs a comparison.
//!
//! An event that an operator may look for names its [`MessageId`] besides, for the journal and its
//! catalog.
//!
//! - `session`: the span of a client and its names
//! - `line`: one line before it has a format; `text` and `json` give it one, with `escape`
//! - `layer`: from spans and events to lines; `kept`: the newest ones, in memory; `output`: where they
//!   go at present: `console`, `file`, or `journal` with the ids of `message`, and with `taken`, which
//!   knows whether it was read
//! - `writer`: the thread that each of these places has, with a `queue` before it; `lost`: the lines
//!   that it could not write
//!
//! No place keeps who writes a line waiting: what a full disk, one that hangs, a console on hold or a
//! journal that does not read would not take in time is dropped, counted, and told when lines go on.
//! A process that is killed takes the lines along that its thread has not written yet, those of some
//! milliseconds; one that ends by itself waits for them, a second at most.

use std::ffi::OsStr;
use std::io::{self, IsTerminal};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use srs_api::LogPlace;
use thiserror::Error;
use tracing::Subscriber;
use tracing::level_filters::LevelFilter;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::{Registry, reload};

pub use self::kept::{KEPT_LINES, KeptLine, LogLines};
use self::layer::LineLayer;
pub use self::message::MessageId;
use self::output::{Destination, Output, Place};
pub use self::session::{client_span, record_app, record_stream};
use self::writer::Writer;
use super::open_error::hint;
use super::wall_clock;
use crate::config::{LogConfig, LogLevel, LogTarget};

mod append;
mod console;
mod escape;
mod file;
mod format;
mod journal;
mod json;
mod kept;
mod layer;
mod line;
mod lost;
mod message;
mod output;
mod queue;
mod session;
mod taken;
#[cfg(test)]
mod tests;
mod text;
mod writer;

/// The lines of a log that nothing is written to.
pub(crate) fn no_lines() -> LogLines {
    kept::since(wall_clock::unix_millis())
}

/// Sets logging up for the whole process; to be called once.
///
/// # Errors
/// The log file cannot be opened, the journal is wanted and not there, or logging was set up before.
pub fn init(config: &LogConfig) -> Result<LogHandle, LogError> {
    let (subscriber, handle) = subscriber(config)?;
    tracing::subscriber::set_global_default(subscriber).map_err(|_| LogError::SetUpBefore)?;
    Ok(handle)
}

/// Whether this thread is one that writes lines.
#[must_use]
pub fn is_writer() -> bool {
    writer::is_this_thread()
}

/// Tells the log why the server does not start, unless that is standard error. Where no log is set up
/// yet (`None`), it is the journal, if standard error leads there: what is written to that is
/// entries of no level, none of which an alarm could wait for.
///
/// Each line of `reason` is an entry of its own, and an alarm hears of each: so there should be one
/// for each thing that is wrong. True if standard error leads to where that stands now, for whoever
/// looks by the unit, and so need not be told.
pub fn tell_end(log: Option<&LogHandle>, is_config_refused: bool, reason: &str) -> bool {
    let tell = || {
        let mut lines = reason.lines();
        let first = lines.next().unwrap_or_default();
        if is_config_refused {
            tracing::error!(
                message_id = MessageId::ConfigRefused.as_str(),
                "cannot start: {first}"
            );
        } else {
            tracing::error!(
                message_id = MessageId::StartFailed.as_str(),
                "cannot start: {first}"
            );
        }
        for line in lines {
            tracing::error!("{line}");
        }
    };
    let is_read = || taken::is_all_read(Path::new(JOURNAL), END_WITHIN);
    if let Some(log) = log {
        if log.is_console() {
            return false;
        }
        tell();
        let is_written = log.flush();
        let is_journal = log.place() == LogPlace::Journald && stderr_is_journal();
        return is_written && is_journal && is_read();
    }
    match subscriber(&LogConfig::default()) {
        // It is the journal, which by default is taken only if standard error leads there.
        Ok((subscriber, log)) if !log.is_console() => {
            tracing::subscriber::with_default(subscriber, tell);
            log.flush() && is_read()
        }
        _ => false,
    }
}

/// Where journald reads entries, and how long the end of a start that fails waits for that.
const JOURNAL: &str = "/run/systemd/journal/socket";
const END_WITHIN: Duration = Duration::from_secs(1);

/// Makes what [`init`] installs, without installing it: a test can use it for itself, with
/// [`tracing::subscriber::with_default`].
///
/// # Errors
/// The log file cannot be opened, or the journal is wanted and not there.
pub fn subscriber(
    config: &LogConfig,
) -> Result<(impl Subscriber + Send + Sync + use<>, LogHandle), LogError> {
    // Connected to even where lines go elsewhere, so that a reload can turn to it.
    let journal = journal::connect().ok();
    assemble(config, journal)
}

/// The subscriber around `journal`, which lines are passed on to if there is one.
fn assemble(
    config: &LogConfig,
    journal: Option<Writer>,
) -> Result<(impl Subscriber + Send + Sync + use<>, LogHandle), LogError> {
    let journal = journal.map(Arc::new);
    let wanted = destination(config, journal.is_some())?;
    let place = open(wanted, journal.as_ref())?;
    let output = Arc::new(Output::new(place));
    let (filter, levels) = reload::Layer::new(targets(config.level));
    let kept = kept::since(wall_clock::unix_millis());
    let lines = LineLayer::new(Arc::clone(&output), kept.clone());
    let handle = LogHandle {
        output,
        kept,
        levels,
        journal,
    };
    Ok((Registry::default().with(filter).with(lines), handle))
}

/// Changes logging while it runs.
#[derive(Clone, Debug)]
pub struct LogHandle {
    output: Arc<Output>,
    kept: LogLines,
    levels: reload::Handle<Targets, Registry>,
    journal: Option<Arc<Writer>>,
}

impl LogHandle {
    /// The newest lines, wherever they go.
    #[must_use]
    pub fn lines(&self) -> LogLines {
        self.kept.clone()
    }

    /// Whether lines go to standard error, so that whoever sees that sees them.
    #[must_use]
    pub fn is_console(&self) -> bool {
        matches!(self.output.destination(), Destination::Console { .. })
    }

    /// Waits until the lines that are on their way are written, for a second at most; whether they
    /// are. To be called at the end, and by nothing that serves clients.
    pub fn flush(&self) -> bool {
        self.output.flush(LAST_WORDS)
    }

    /// Opens the log file again under its name, after somebody has renamed it; returns the name, or
    /// `None` if lines do not go to a file, or not any more. It waits for the disk.
    ///
    /// # Errors
    /// The file cannot be opened: lines go on to the one that was renamed.
    pub fn reopen(&self) -> Result<Option<PathBuf>, LogError> {
        let from = self.output.destination();
        let Destination::File { path, format } = from.clone() else {
            return Ok(None);
        };
        let place = Place::file(path.clone(), format).map_err(|source| LogError::Reopen {
            path: path.clone(),
            hint: hint(&path, &source),
            source,
        })?;
        // A reload may have moved the log while the disk took its time.
        Ok(self.output.change(&from, place).is_ok().then_some(path))
    }

    /// Puts level, target, file and format of `config` in force. A file of the same name and format
    /// stays open.
    ///
    /// # Errors
    /// The new file cannot be opened or the journal is not there: everything stays as it was.
    pub fn apply(&self, config: &LogConfig) -> Result<(), LogError> {
        self.commit(self.prepare(config)?);
        Ok(())
    }

    /// Opens what `config` needs, and waits for the disk; lines go on to where they go.
    ///
    /// # Errors
    /// The new file cannot be opened or the journal is not there.
    pub fn prepare(&self, config: &LogConfig) -> Result<LogChange, LogError> {
        let wanted = destination(config, self.journal.is_some())?;
        let place = if wanted == self.output.destination() {
            None
        } else {
            Some(open(wanted, self.journal.as_ref())?)
        };
        Ok(LogChange {
            place,
            level: config.level,
        })
    }

    /// Puts in force what was prepared. It gives the place that is left a moment for its last lines,
    /// and waits for it.
    pub fn commit(&self, change: LogChange) {
        if let Some(next) = change.place {
            let from = self.output.destination();
            // Whoever watches the old place would think that the server had stopped.
            let to = next.destination();
            if to.to_string() != from.to_string() {
                tracing::info!("the log continues {to}");
            }
            // It fails if lines go elsewhere by now, which nothing but another reload can have done.
            let _ = self.output.change(&from, next);
        }
        // It fails only once nothing is logged any more.
        let _ = self.levels.reload(targets(change.level));
    }

    /// Where lines go.
    #[must_use]
    pub fn place(&self) -> LogPlace {
        match self.output.destination() {
            Destination::File { path, .. } => {
                let path = std::path::absolute(&path).unwrap_or(path);
                LogPlace::File {
                    path: path.display().to_string(),
                }
            }
            Destination::Console { .. } => LogPlace::Console,
            Destination::Journal => LogPlace::Journald,
        }
    }
}

/// How long the end waits for a place that does not take the last lines.
const LAST_WORDS: Duration = Duration::from_secs(1);

/// Another place for lines, opened and not used yet.
#[derive(Debug)]
pub struct LogChange {
    /// `None`: the present one.
    place: Option<Place>,
    level: LogLevel,
}

/// Why logging cannot be as the configuration wants it.
#[derive(Debug, Error)]
pub enum LogError {
    /// The log file cannot be opened.
    #[error("cannot open the log file {}{hint}", path.display())]
    Open {
        /// The file.
        path: PathBuf,
        /// What is wrong with the place, in parentheses, if that can be told.
        hint: String,
        /// What the system said.
        source: io::Error,
    },
    /// The log file cannot be opened again, after it was moved away.
    #[error("cannot open the log file {} again{hint}, lines go on to the old one", path.display())]
    Reopen {
        /// The file.
        path: PathBuf,
        /// What is wrong with the place, in parentheses, if that can be told.
        hint: String,
        /// What the system said.
        source: io::Error,
    },
    /// There is no thread for standard error.
    #[error("cannot write the log to standard error")]
    Console(#[source] io::Error),
    /// The journal was asked for, and nobody listens at its socket.
    #[error(
        "cannot reach journald, which log.target = \"journald\" needs (\"auto\" takes it only \
         where it is)"
    )]
    Journal(#[source] io::Error),
    /// The journal was asked for by a reload, and was not there when the server started.
    #[error(
        "log.target = \"journald\" needs a restart, for journald was not there when srs started"
    )]
    JournalCameLater,
    /// Something in this process has set logging up before.
    #[error("logging is already set up in this process")]
    SetUpBefore,
}

/// The place that `config` wants.
fn destination(config: &LogConfig, has_journal: bool) -> Result<Destination, LogError> {
    let format = config.format;
    match config.target {
        LogTarget::Auto if has_journal && stderr_is_journal() => Ok(Destination::Journal),
        LogTarget::Auto | LogTarget::Console => Ok(Destination::Console {
            format,
            colour: stderr_has_colour(),
        }),
        LogTarget::Journald if has_journal => Ok(Destination::Journal),
        LogTarget::Journald => Err(journal::connect()
            .err()
            .map_or(LogError::JournalCameLater, LogError::Journal)),
        LogTarget::File => Ok(Destination::File {
            path: config.file.as_path().into(),
            format,
        }),
    }
}

/// Opens `destination`; the journal, if there is one, is open.
fn open(destination: Destination, journal: Option<&Arc<Writer>>) -> Result<Place, LogError> {
    match destination {
        Destination::Journal => {
            let journal = journal.ok_or(LogError::JournalCameLater)?;
            Ok(Place::journal(Arc::clone(journal)))
        }
        Destination::Console { format, colour } => {
            Place::console(format, colour).map_err(LogError::Console)
        }
        Destination::File { path, format } => {
            Place::file(path.clone(), format).map_err(|source| LogError::Open {
                hint: hint(&path, &source),
                path,
                source,
            })
        }
    }
}

fn stderr_is_journal() -> bool {
    let variable = std::env::var("JOURNAL_STREAM").ok();
    journal::is_connected(variable.as_deref(), io::stderr())
}

fn stderr_has_colour() -> bool {
    let variable = |name| std::env::var_os(name);
    io::stderr().is_terminal()
        && allows_colour(variable("NO_COLOR").as_deref(), variable("TERM").as_deref())
}

/// Whether a terminal may be sent colours, from `$NO_COLOR` (no-color.org) and `$TERM`.
fn allows_colour(no_color: Option<&OsStr>, term: Option<&OsStr>) -> bool {
    no_color.is_none_or(OsStr::is_empty) && term.is_some_and(|term| term != "dumb")
}

/// What is let through at `level`: of other people's crates warnings and errors only, unless
/// everything is wanted.
fn targets(level: LogLevel) -> Targets {
    let ours = match level {
        LogLevel::Error => LevelFilter::ERROR,
        LogLevel::Warn => LevelFilter::WARN,
        LogLevel::Info => LevelFilter::INFO,
        LogLevel::Debug => LevelFilter::DEBUG,
        LogLevel::Trace => LevelFilter::TRACE,
    };
    let theirs = if level == LogLevel::Trace {
        ours
    } else {
        ours.min(LevelFilter::WARN)
    };
    // A target is a prefix: this is the daemon and all of its crates, `srs_rtmp` among them.
    Targets::new().with_target("srs", ours).with_default(theirs)
}
