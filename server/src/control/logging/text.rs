//! Lines for people:
//! `[2026-11-22 17:05:06.123][info][4242][101] message key=value peer=… vhost=… app=… stream=…`.
//!
//! The brackets hold local time, level, process id and client id, `-` where no client is concerned.
//! What is known of the session comes last and is never cut off, however long the message.

use std::fmt::Write;

use tracing::Level;

use super::escape::{push_plain, push_value};
use super::line::{LINE_MAX, Line};

/// Appends `line` to `out`, its newline included; warnings and errors in colour if `colour`.
pub(super) fn format(line: &Line, colour: bool, out: &mut String) {
    let start = out.len();
    let _ = write!(out, "[{}][", line.time.strftime("%Y-%m-%d %H:%M:%S%.3f"));
    let paint = colour.then(|| paint(line.level)).flatten();
    out.push_str(paint.unwrap_or_default());
    out.push_str(level(line.level));
    if paint.is_some() {
        out.push_str(RESET);
    }
    let _ = write!(out, "][{}][", line.pid);
    match line.session.client {
        Some(client) => _ = write!(out, "{client}"),
        None => out.push('-'),
    }
    out.push_str("] ");
    push_body(line, out, start + LINE_MAX - "\n".len());
    out.push('\n');
}

/// The line as the journal shows it, which has time, level and process of its own:
/// `[101] message key=value …`, without the brackets where no client is concerned.
pub(super) fn journal_message(line: &Line) -> String {
    let mut out = String::new();
    if let Some(client) = line.session.client {
        let _ = write!(out, "[{client}] ");
    }
    push_body(line, &mut out, LINE_MAX);
    out
}

/// Message, fields and session, without anything before them.
pub(super) fn body(line: &Line) -> String {
    let mut out = String::with_capacity(USUAL);
    push_body(line, &mut out, LINE_MAX);
    out
}

/// The name of `level` in every format.
pub(super) fn level(level: Level) -> &'static str {
    match level {
        Level::ERROR => "error",
        Level::WARN => "warn",
        Level::INFO => "info",
        Level::DEBUG => "debug",
        Level::TRACE => "trace",
    }
}

/// Message, fields and session, so that `out` does not grow beyond `end` bytes.
fn push_body(line: &Line, out: &mut String, end: usize) {
    let mut tail = String::new();
    for (name, value) in line.session.names() {
        // Once, for all of them: to grow step by step was a tenth of what a line costs.
        if tail.is_empty() {
            tail.reserve(USUAL);
        }
        let end = tail.len() + NAME_ROOM;
        push_pair(&mut tail, name, value, end);
    }
    let end = end - tail.len();
    push_plain(out, &line.message, end);
    for field in line.fields.iter().chain(&line.context) {
        let before = out.len();
        if before + field.name.len() + PAIR_ROOM > end {
            break;
        }
        push_pair(out, field.name, &field.text, end);
    }
    out.push_str(&tail);
}

fn push_pair(out: &mut String, name: &str, value: &str, end: usize) {
    out.push(' ');
    out.push_str(name);
    out.push('=');
    push_value(out, value, end);
}

/// The escape sequence before a level that should catch the eye.
fn paint(level: Level) -> Option<&'static str> {
    match level {
        Level::ERROR => Some("\x1b[1;31m"),
        Level::WARN => Some("\x1b[33m"),
        _ => None,
    }
}

const RESET: &str = "\x1b[0m";

/// The most bytes that a name of the session takes in a line, its key included: room for the
/// longest that a span keeps, with each byte escaped.
const NAME_ROOM: usize = 1040;

/// The least room that a field needs beside its name: space, `=`, quotes and the mark of a cut.
const PAIR_ROOM: usize = 7;

/// Most lines are shorter.
const USUAL: usize = 192;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::line::tests::{field, line, publisher};
    use super::super::session::Session;
    use super::*;

    fn formatted(line: &Line) -> String {
        let mut out = String::new();
        format(line, false, &mut out);
        out
    }

    #[test]
    fn a_line_has_brackets_message_fields_and_session() {
        let mut outside = line(Level::WARN, "no room");
        outside.fields = vec![
            field("limit", "10000", true),
            field("why", "too many", false),
        ];
        let mut connected = line(Level::DEBUG, "connected");
        connected.session = Session {
            stream: None,
            ..publisher()
        };
        let mut publishing = line(Level::INFO, "publish starts");
        publishing.session = publisher();
        publishing.fields = vec![field("codec", "h264", false)];
        publishing.context = vec![field("attempt", "2", true)];

        let cases = [
            (
                "without a client",
                outside,
                "[2026-11-22 17:05:06.123][warn][4242][-] no room limit=10000 why=\"too many\"\n",
            ),
            (
                "a client that is connected",
                connected,
                "[2026-11-22 17:05:06.123][debug][4242][101] connected peer=192.0.2.7:51234 \
                 vhost=__defaultVhost__ app=live\n",
            ),
            (
                "a publisher",
                publishing,
                "[2026-11-22 17:05:06.123][info][4242][101] publish starts codec=h264 attempt=2 \
                 peer=192.0.2.7:51234 vhost=__defaultVhost__ app=live stream=show\n",
            ),
        ];
        for (name, line, expected) in cases {
            assert_eq!(formatted(&line), expected, "{name}");
        }
    }

    #[test]
    fn only_what_should_catch_the_eye_is_coloured() {
        let cases = [
            (Level::ERROR, "[\x1b[1;31merror\x1b[0m]"),
            (Level::WARN, "[\x1b[33mwarn\x1b[0m]"),
            (Level::INFO, "[info]"),
        ];
        for (level, expected) in cases {
            let mut out = String::new();
            format(&line(level, "x"), true, &mut out);
            assert!(out.contains(expected), "{out:?}");
        }
    }

    #[test]
    fn the_journal_gets_the_client_the_message_and_the_fields() {
        let mut line = line(Level::INFO, "publish starts");
        line.fields = vec![field("codec", "h264", false)];
        assert_eq!(journal_message(&line), "publish starts codec=h264");
        line.session = Session {
            client: Some(101),
            app: Some("live".into()),
            ..Session::default()
        };
        assert_eq!(
            journal_message(&line),
            "[101] publish starts codec=h264 app=live"
        );
    }

    #[test]
    fn a_long_line_is_cut_before_the_session() {
        let mut line = line(Level::INFO, &"m".repeat(LINE_MAX));
        line.fields = vec![field("never", "seen", false)];
        line.session = publisher();
        let out = formatted(&line);
        assert_eq!(out.len(), LINE_MAX);
        assert!(
            out.ends_with(
                "mmm… peer=192.0.2.7:51234 vhost=__defaultVhost__ app=live stream=show\n"
            )
        );
    }

    proptest! {
        #[test]
        fn whatever_peers_send_is_one_bounded_line(
            message: String,
            times in 1_usize..400,
            value: String,
            stream in "[\\x00-\\x1f]{0,256}|.{0,80}",
        ) {
            let mut line = line(Level::INFO, &message.repeat(times));
            line.fields = vec![field("key", &value, false)];
            let app = Some(stream.clone());
            line.session = Session { app, stream: Some(stream), ..publisher() };
            let out = formatted(&line);
            let inside = out.strip_suffix('\n').unwrap();
            prop_assert!(out.len() <= LINE_MAX);
            prop_assert!(!inside.chars().any(char::is_control), "{out:?}");
            prop_assert!(inside.contains(" stream="));
        }
    }
}
