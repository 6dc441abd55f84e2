//! The newest lines, in memory, wherever else they go: for those who read them by the API.

use srs_api::{LogLevel, LogLine};
use tracing::Level;

use super::line::Line;
use super::text;
use crate::control::feed::{Bounds, Feed};

/// The newest lines of the log. Clones share them.
pub type LogLines = Feed<KeptLine>;

/// A line that is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeptLine {
    /// When, in Unix milliseconds.
    pub time_ms: i64,
    /// How much it matters.
    pub level: LogLevel,
    /// The id of the client that it is of.
    pub client: Option<u64>,
    /// The stream that it is of, as `VHOST/APP/STREAM`.
    pub stream: Option<Box<str>>,
    /// The message with its fields, as in the text form of the log.
    pub message: Box<str>,
}

impl KeptLine {
    pub(super) fn of(line: &Line) -> Self {
        let session = &line.session;
        let stream = match (&session.vhost, &session.app, &session.stream) {
            (Some(vhost), Some(app), Some(stream)) => Some([vhost, "/", app, "/", stream].concat()),
            _ => None,
        };
        Self {
            time_ms: line.time.timestamp().as_millisecond(),
            level: level(line.level),
            client: session.client,
            stream: stream.map(String::into_boxed_str),
            message: text::body(line).into_boxed_str(),
        }
    }

    pub(super) fn push_to(self, lines: &LogLines) {
        let stream = self.stream.as_ref().map_or(0, |stream| stream.len());
        let bytes = size_of::<Self>() + stream + self.message.len();
        lines.push(bytes, |_| self);
    }

    /// The line as it is told, with its id.
    pub fn told(&self, id: u64) -> LogLine {
        LogLine {
            id,
            time_ms: self.time_ms,
            level: self.level,
            client: self.client.map(|id| id.to_string()),
            stream: self.stream.as_deref().map(str::to_owned),
            message: self.message.to_string(),
        }
    }
}

/// The lines of a process that begins to log at `started_ms`, in Unix milliseconds.
pub(super) fn since(started_ms: i64) -> LogLines {
    Feed::since(started_ms, BOUNDS)
}

fn level(level: Level) -> LogLevel {
    match level {
        Level::ERROR => LogLevel::Error,
        Level::WARN => LogLevel::Warn,
        Level::INFO => LogLevel::Info,
        Level::DEBUG => LogLevel::Debug,
        Level::TRACE => LogLevel::Trace,
    }
}

/// So many lines are kept.
pub const KEPT_LINES: usize = 2_000;
/// A usual line has 150 bytes, the longest 8 KiB.
const BOUNDS: Bounds = Bounds {
    items: KEPT_LINES,
    bytes: 512 << 10,
};

#[cfg(test)]
mod tests {
    use super::super::line::LINE_MAX;
    use super::super::line::tests::{field, line, publisher};
    use super::*;

    #[test]
    fn a_line_is_kept_without_what_is_beside_it() {
        let mut written = line(Level::WARN, "publish starts\n");
        written.session = publisher();
        written.fields = vec![field("codec", "h264", false)];
        let told = KeptLine::of(&written).told(7);
        let expected = LogLine {
            id: 7,
            time_ms: 1_795_363_506_123,
            level: LogLevel::Warn,
            client: Some("101".into()),
            stream: Some("__defaultVhost__/live/show".into()),
            message: "publish starts\\n codec=h264 peer=192.0.2.7:51234 \
                      vhost=__defaultVhost__ app=live stream=show"
                .into(),
        };
        assert_eq!(told, expected);
    }

    #[test]
    fn no_more_is_kept_than_may_be() {
        let lines = since(0);
        for (message, least, most) in [
            ("short".to_owned(), KEPT_LINES, KEPT_LINES),
            ("x".repeat(2 * LINE_MAX), 60, 64),
        ] {
            for _ in 0..KEPT_LINES + 5 {
                KeptLine::of(&line(Level::INFO, &message)).push_to(&lines);
            }
            let kept = lines.after(lines.oldest() - 1, usize::MAX).items.len();
            assert!((least..=most).contains(&kept), "{kept}");
        }
    }
}
