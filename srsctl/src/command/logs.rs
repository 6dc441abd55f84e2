//! `srsctl logs`: the log of a server, or of one client.
//!
//! Where it goes the server knows best; if it is down its configuration, or else the journal.

mod file;
mod follow;
mod journal;
mod line;

use std::path::PathBuf;

use jiff::{SignedDuration, Timestamp};
use srs_api::LogPlace;
use srs_config::{LogTarget, Source};

pub(super) use self::journal::unit_in;
use self::line::Filter;
use super::Error;
use super::session::Session;
use crate::cli::{ApiOptions, Form, Logs};
use crate::client::ApiError;
use crate::output;
use crate::settings::Settings;

/// What is wanted of a log.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Wanted {
    filter: Filter,
    /// When the process of the filter began: the journal has had the same pid before.
    began: Option<Timestamp>,
    /// The last lines only.
    lines: Option<usize>,
    follow: bool,
}

/// Prints the log, or becomes the program that does.
///
/// # Errors
/// The log is not on this host, or cannot be read.
pub(crate) async fn run(options: &ApiOptions, arguments: &Logs) -> Result<(), Error> {
    if options.output == Some(Form::Json) {
        return Err(Error::LogAsJson);
    }
    let mut wanted = Wanted {
        filter: Filter {
            client: arguments.client,
            since: arguments.since.map(|since| since.0),
            level: arguments.level,
            pid: None,
        },
        began: None,
        lines: arguments.lines,
        follow: arguments.follow,
    };
    let is_plain = arguments.client.is_none() && arguments.since.is_none();
    if is_plain && wanted.lines.is_none() {
        wanted.lines = Some(LINES);
    }
    match ask(options).await {
        Ok(asked) => {
            // Another process may have had a client of the same id, and so may an earlier one of
            // the same pid.
            wanted.filter.pid = asked.pid;
            wanted.began = asked.began;
            match show(asked.place, &wanted).await {
                Err(Error::NotLogged { client }) if asked.session.has_client(client).await => {
                    output::tell(format_args!(
                        "client {client} is connected, but no such line of it was found in the \
                         log that you may read: they may be in an older file or another place, \
                         after a rotation or a change of log.target"
                    ));
                    Ok(())
                }
                shown => shown,
            }
        }
        Err(Error::Api(error)) if error.is_not_reached() && !is_named(options) => {
            let place = guess();
            output::tell(format_args!("{error}; this is the log of earlier"));
            show(place, &wanted).await
        }
        // Who may read the journal may not always ask the server.
        Err(Error::Api(error @ ApiError::Permission { .. }))
            if !is_named(options) && journal::is_readable() =>
        {
            output::tell(format_args!(
                "{error}; this is the journal of the unit srs, of earlier servers, too"
            ));
            show(LogPlace::Journald, &wanted).await
        }
        Err(error) => Err(error),
    }
}

async fn show(place: LogPlace, wanted: &Wanted) -> Result<(), Error> {
    match place {
        LogPlace::Journald => Err(journal::show(wanted)),
        LogPlace::File { path } => file::print(&PathBuf::from(path), wanted).await,
        LogPlace::Console => Err(Error::LogOnConsole),
    }
}

/// What a server says of its log.
#[derive(Debug)]
struct Asked {
    session: Session,
    /// Where it goes.
    place: LogPlace,
    /// Which process writes it.
    pid: Option<u32>,
    /// When that process began, or a little before.
    began: Option<Timestamp>,
}

async fn ask(options: &ApiOptions) -> Result<Asked, Error> {
    let session = Session::open(options).await?;
    let server = session.client.server();
    if !server.is_local() {
        return Err(Error::LogElsewhere {
            server: server.to_string(),
        });
    }
    let answer = session.client.config().await?;
    // It helps to tell lives apart, and the log can be shown without.
    let began = match session.client.summaries().await {
        Ok(answer) => start(Timestamp::now(), answer.data.process.srs_uptime),
        Err(_) => None,
    };
    Ok(Asked {
        session,
        place: answer.data.log,
        pid: answer.identity.pid.parse().ok(),
        began,
    })
}

/// When a server began that is `uptime` seconds old `now`; a second earlier, so that its first
/// line is not before. `None` if it does not tell how old it is.
fn start(now: Timestamp, uptime: f64) -> Option<Timestamp> {
    if uptime <= 0.0 {
        return None;
    }
    let uptime = SignedDuration::try_from_secs_f64(uptime + 1.0).ok()?;
    now.checked_sub(uptime).ok()
}

/// Whether a certain server is meant. Its log is not that of the one which this host would run.
fn is_named(options: &ApiOptions) -> bool {
    let of_settings = || Settings::load().is_ok_and(|settings| settings.server.is_some());
    !options.server.is_empty() || std::env::var_os("SRSCTL_SERVER").is_some() || of_settings()
}

/// Where a server that is down has logged, as far as its configuration tells.
fn guess() -> LogPlace {
    match Source::default().load() {
        Ok(loaded) if loaded.config.log.target == LogTarget::File => LogPlace::File {
            path: loaded.config.log.file.as_path().display().to_string(),
        },
        _ => LogPlace::Journald,
    }
}

impl Wanted {
    /// Why nothing was shown, if somebody should know: of a client that is asked for there is a
    /// line at least.
    fn nothing(&self) -> Option<Error> {
        let client = self.filter.client.filter(|_| !self.follow)?;
        Some(Error::NotLogged { client })
    }
}

/// Without any wish: what fits a few screens.
const LINES: usize = 100;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_began_before_it_was_asked() {
        let now: Timestamp = "2026-11-22T17:05:06Z".parse().unwrap();
        let cases = [
            (60.0, Some("2026-11-22T17:04:05Z")),
            (0.5, Some("2026-11-22T17:05:04.5Z")),
            (0.0, None),
            (-1.0, None),
            (f64::NAN, None),
            (f64::MAX, None),
            (1e15, None),
        ];
        for (uptime, expected) in cases {
            let expected = expected.map(|time| time.parse().unwrap());
            assert_eq!(start(now, uptime), expected, "{uptime}");
        }
    }
}
