//! Lines of a log file: what they are about, and whether they are wanted.
//!
//! Two forms, of which srs.toml(5) tells more:
//! `[2026-11-22 17:05:06.123][info][4242][101] message …` and
//! `{"time":"2026-11-22T17:05:06.123+01:00","level":"info","pid":4242,"client":101,…}`.

use std::borrow::Cow;

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use serde::Deserialize;
use srs_config::LogLevel;

/// Which lines are wanted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Filter {
    /// Those of this client.
    pub(super) client: Option<u64>,
    /// Those of this process, where a client is asked for: another has had the same ids.
    pub(super) pid: Option<u32>,
    /// Those since then.
    pub(super) since: Option<Timestamp>,
    /// Those that are as important as this.
    pub(super) level: Option<LogLevel>,
}

impl Filter {
    /// Whether `line` is wanted, without its newline. What is no line of ours is wanted only where
    /// everything is.
    pub(super) fn takes(&self, line: &[u8]) -> bool {
        if self.client.is_none() && self.since.is_none() && self.level.is_none() {
            return true;
        }
        let Some(facts) = str::from_utf8(line).ok().and_then(Facts::of) else {
            return false;
        };
        let is_of_client = self.client.is_none_or(|client| {
            facts.client == Some(client) && self.pid.is_none_or(|pid| facts.pid == pid)
        });
        is_of_client
            && self.level.is_none_or(|level| facts.level <= level)
            && self
                .since
                .is_none_or(|since| facts.time.is_none_or(|time| time >= since))
    }

    /// Whether with `line` the process begins whose client is asked for: what an earlier one of
    /// the same pid has written is before it.
    pub(super) fn is_start(&self, line: &[u8]) -> bool {
        let (Some(_), Some(pid)) = (self.client, self.pid) else {
            return false;
        };
        let facts = str::from_utf8(line).ok().and_then(Facts::of);
        facts.is_some_and(|facts| {
            facts.pid == pid && facts.client.is_none() && is_start(&facts.message)
        })
    }
}

/// `srs 0.1.0 starts`
fn is_start(message: &str) -> bool {
    let version = message
        .strip_prefix("srs ")
        .and_then(|rest| rest.strip_suffix(" starts"));
    version.is_some_and(|version| !version.contains(' '))
}

/// What a line says of itself.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Facts<'a> {
    time: Option<Timestamp>,
    level: LogLevel,
    pid: u32,
    client: Option<u64>,
    message: Cow<'a, str>,
}

/// The members of a line in JSON that matter here.
#[derive(Debug, Deserialize)]
struct JsonLine<'a> {
    time: &'a str,
    level: LogLevel,
    pid: u32,
    client: Option<u64>,
    #[serde(borrow, default)]
    message: Cow<'a, str>,
}

impl<'a> Facts<'a> {
    fn of(line: &'a str) -> Option<Self> {
        // Files of older versions of SRS have a NUL before each line.
        let line = line.trim_start_matches('\0');
        if line.starts_with('{') {
            Self::of_json(line)
        } else {
            Self::of_text(line)
        }
    }

    fn of_json(line: &'a str) -> Option<Self> {
        let line: JsonLine<'_> = serde_json::from_str(line).ok()?;
        Some(Self {
            time: line.time.parse().ok(),
            level: line.level,
            pid: line.pid,
            client: line.client,
            message: line.message,
        })
    }

    fn of_text(line: &'a str) -> Option<Self> {
        let mut rest = line;
        let mut bracket = || {
            let (inside, behind) = rest.strip_prefix('[')?.split_once(']')?;
            rest = behind;
            Some(inside)
        };
        let (time, level, pid, client) = (bracket()?, bracket()?, bracket()?, bracket()?);
        let time: DateTime = time.parse().ok()?;
        Some(Self {
            // Where a clock is set back for the winter, the earlier of the two is taken.
            time: time
                .to_zoned(TimeZone::system())
                .ok()
                .map(|time| time.timestamp()),
            level: level_of(level)?,
            pid: pid.parse().ok()?,
            client: client.parse().ok(),
            message: Cow::Borrowed(rest.trim_start()),
        })
    }
}

fn level_of(name: &str) -> Option<LogLevel> {
    Some(match name {
        "error" => LogLevel::Error,
        "warn" => LogLevel::Warn,
        "info" => LogLevel::Info,
        "debug" => LogLevel::Debug,
        "trace" => LogLevel::Trace,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "[2026-11-22 17:05:06.123][info][4242][101] publish starts codec=h264";
    const JSON: &str = r#"{"time":"2026-11-22T17:05:06.123+01:00","level":"info","pid":4242,"client":101,"message":"publish starts"}"#;
    const OUTSIDE: &str = "[2026-11-22 17:05:06.123][warn][4242][-] no room [x][101]";

    #[test]
    fn lines_are_known_by_their_client() {
        let of = |client| Filter {
            client: Some(client),
            pid: Some(4242),
            ..Filter::default()
        };
        let cases = [
            (TEXT, 101, true),
            (TEXT, 10, false),
            (JSON, 101, true),
            (JSON, 102, false),
            (OUTSIDE, 101, false),
            ("\0[2026-11-22 17:05:06.123][info][4242][101] x", 101, true),
            ("[2026-11-22 17:05:06.123][info][4243][101] x", 101, false),
            ("thread panicked [101]", 101, false),
            ("{\"client\":101}", 101, false),
            ("", 101, false),
        ];
        for (line, client, expected) in cases {
            assert_eq!(
                of(client).takes(line.as_bytes()),
                expected,
                "{line} {client}"
            );
        }
    }

    #[test]
    fn lines_are_as_important_as_they_must_be() {
        let at = |level| Filter {
            level: Some(level),
            ..Filter::default()
        };
        assert!(at(LogLevel::Info).takes(TEXT.as_bytes()));
        assert!(!at(LogLevel::Warn).takes(JSON.as_bytes()));
        assert!(at(LogLevel::Warn).takes(OUTSIDE.as_bytes()));
        assert!(!at(LogLevel::Error).takes(OUTSIDE.as_bytes()));
    }

    #[test]
    fn lines_are_as_new_as_they_must_be() {
        let since = |time: &str| Filter {
            since: Some(time.parse().unwrap()),
            ..Filter::default()
        };
        assert!(since("2026-11-22T17:05:06+01:00").takes(JSON.as_bytes()));
        assert!(!since("2026-11-22T17:05:07+01:00").takes(JSON.as_bytes()));
        // Whatever the zone of this host is.
        assert!(since("2026-11-20T00:00:00Z").takes(TEXT.as_bytes()));
        assert!(!since("2026-11-24T00:00:00Z").takes(TEXT.as_bytes()));
    }

    #[test]
    fn a_process_begins_where_it_says_so() {
        let filter = Filter {
            client: Some(104),
            pid: Some(1),
            ..Filter::default()
        };
        let text = |rest| format!("[2026-11-22 17:05:06.123][info]{rest}");
        let json = |rest| format!(r#"{{"time":"2026-11-22T17:05:06Z","level":"info",{rest}}}"#);
        let cases = [
            (text("[1][-] srs 0.1.0 starts"), true),
            (text("[2][-] srs 0.1.0 starts"), false),
            (text("[1][104] srs 0.1.0 starts"), false),
            (text("[1][-] srs 0.1.0 starts again"), false),
            (text("[1][-] srs is full; nobody starts"), false),
            (json(r#""pid":1,"message":"srs 0.1.0 starts""#), true),
            (json(r#""pid":1,"message":"srs 0.1.\u0030 starts""#), true),
            (json(r#""pid":2,"message":"srs 0.1.0 starts""#), false),
            (
                json(r#""pid":1,"client":104,"message":"srs 0.1.0 starts""#),
                false,
            ),
            (json(r#""pid":1"#), false),
        ];
        for (line, expected) in cases {
            assert_eq!(filter.is_start(line.as_bytes()), expected, "{line}");
            assert!(!Filter::default().is_start(line.as_bytes()));
        }
    }

    #[test]
    fn without_a_wish_everything_is_wanted() {
        for line in [TEXT, "thread panicked", ""] {
            assert!(Filter::default().takes(line.as_bytes()));
        }
        assert!(Filter::default().takes(b"\xff"));
    }
}
