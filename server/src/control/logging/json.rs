//! Lines for programs: one JSON object a line.
//!
//! `time` (RFC 3339 with the offset of local time), `level`, `pid`, `client`, `peer`, `vhost`,
//! `app`, `stream`, `message`, `target`, `file`, `line`, and `fields`, an object with whatever the
//! event and the spans around it say besides. What is not known is left out. Where a line would be
//! longer than 8 KiB, texts end with `…`, and fields that have no room are left out, which
//! `"truncated":true` tells.

use std::fmt::Write;

use super::escape::push_json;
use super::line::{Field, LINE_MAX, Line};
use super::session::CLIENT;
use super::text;

/// Appends `line` to `out`, its newline included.
pub(super) fn format(line: &Line, out: &mut String) {
    let start = out.len();
    let _ = write!(
        out,
        "{{\"time\":\"{}\"",
        line.time.strftime("%Y-%m-%dT%H:%M:%S%.3f%:z")
    );
    push_text(out, "level", text::level(line.level), NAME_ROOM);
    push_number(out, "pid", u64::from(line.pid));
    if let Some(client) = line.session.client {
        push_number(out, CLIENT, client);
    }
    for (name, value) in line.session.names() {
        push_text(out, name, value, NAME_ROOM);
    }
    push_text(out, "message", &line.message, MESSAGE_ROOM);
    push_text(out, "target", line.target, NAME_ROOM);
    if let Some((file, number)) = line.location {
        push_text(out, "file", file, NAME_ROOM);
        push_number(out, "line", u64::from(number));
    }
    push_fields(line, out, start + LINE_MAX - END.len());
    out.push_str("}\n");
}

/// The fields of event and spans, as far as they fit before `end`.
fn push_fields(line: &Line, out: &mut String, end: usize) {
    let mut fields: Vec<&Field> = Vec::new();
    // The event comes first: where a span has a field of the same name, the event's is the newer.
    for field in line.fields.iter().chain(line.context.iter().rev()) {
        if !fields.iter().any(|known| known.name == field.name) {
            fields.push(field);
        }
    }
    if fields.is_empty() {
        return;
    }
    let mut is_whole = true;
    let mut separator = ",\"fields\":{";
    let open = out.len();
    for field in fields {
        let before = out.len();
        out.push_str(separator);
        push_json(out, field.name, usize::MAX);
        out.push(':');
        if field.is_literal {
            out.push_str(&field.text);
        } else {
            push_json(out, &field.text, (out.len() + FIELD_ROOM).min(end));
        }
        if out.len() > end {
            out.truncate(before);
            is_whole = false;
            break;
        }
        separator = ",";
    }
    if out.len() > open {
        out.push('}');
    }
    if !is_whole {
        out.push_str(",\"truncated\":true");
    }
}

/// Appends a member whose text takes up to `room` bytes, its quotes included.
fn push_text(out: &mut String, name: &str, text: &str, room: usize) {
    let _ = write!(out, ",\"{name}\":");
    let end = out.len() + room;
    push_json(out, text, end);
}

fn push_number(out: &mut String, name: &str, number: u64) {
    let _ = write!(out, ",\"{name}\":{number}");
}

/// The longest end of a line, for which room is kept.
const END: &str = "},\"truncated\":true}\n";

/// The most bytes of a name of the session or of the source: seven of them and a message leave a
/// quarter of the line for the fields.
const NAME_ROOM: usize = 400;

/// The most bytes of a message.
const MESSAGE_ROOM: usize = 3 * 1024;

/// The most bytes of the value of a field.
const FIELD_ROOM: usize = 1024;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use tracing::Level;

    use super::super::line::tests::{field, line, publisher};
    use super::super::session::Session;
    use super::*;

    fn formatted(line: &Line) -> String {
        let mut out = String::new();
        format(line, &mut out);
        out
    }

    #[test]
    fn a_line_is_an_object_with_what_is_known() {
        let mut plain = line(Level::WARN, "no \"room\"");
        plain.location = None;
        let mut publishing = line(Level::INFO, "publish starts");
        publishing.session = publisher();
        publishing.fields = vec![
            field("codec", "h264", false),
            field("width", "1920", true),
            field("attempt", "2", true),
        ];
        publishing.context = vec![
            field("attempt", "1", true),
            field("part", "two words", false),
        ];

        let cases = [
            (
                "without a client",
                plain,
                concat!(
                    r#"{"time":"2026-11-22T17:05:06.123+01:00","level":"warn","pid":4242,"#,
                    r#""message":"no \"room\"","target":"srs::input::rtmp_publish"}"#,
                    "\n",
                ),
            ),
            (
                "a publisher",
                publishing,
                concat!(
                    r#"{"time":"2026-11-22T17:05:06.123+01:00","level":"info","pid":4242,"#,
                    r#""client":101,"peer":"192.0.2.7:51234","vhost":"__defaultVhost__","#,
                    r#""app":"live","stream":"show","message":"publish starts","#,
                    r#""target":"srs::input::rtmp_publish","#,
                    r#""file":"server/src/input/rtmp_publish.rs","line":57,"#,
                    r#""fields":{"codec":"h264","width":1920,"attempt":2,"part":"two words"}}"#,
                    "\n",
                ),
            ),
        ];
        for (name, line, expected) in cases {
            assert_eq!(formatted(&line), expected, "{name}");
        }
    }

    #[test]
    fn fields_without_room_are_left_out_and_said_to_be() {
        let mut line = line(Level::INFO, &"m".repeat(LINE_MAX));
        line.session = publisher();
        line.fields = vec![field("long", &"f".repeat(LINE_MAX), false); 1];
        line.context = ["a", "b", "c", "d", "e", "f", "g", "h"]
            .map(|name| field(name, &"x".repeat(LINE_MAX), false))
            .into();
        let out = formatted(&line);
        assert!(out.len() <= LINE_MAX, "{}", out.len());
        assert!(out.ends_with("…\"},\"truncated\":true}\n"), "{out}");
    }

    proptest! {
        #[test]
        fn whatever_peers_send_is_one_bounded_line(
            message: String,
            times in 1_usize..400,
            values in prop::collection::vec(any::<String>(), 0..6),
            stream in "[\\x00-\\x1f]{0,256}|.{0,80}",
        ) {
            let names = ["a", "b", "c", "d", "e", "f"];
            let mut line = line(Level::INFO, &message.repeat(times));
            line.fields = names
                .iter()
                .zip(&values)
                .map(|(name, value)| field(name, &value.repeat(times), false))
                .collect();
            let app = Some(stream.clone());
            line.session = Session { app, stream: Some(stream), ..publisher() };
            let out = formatted(&line);
            prop_assert!(out.len() <= LINE_MAX);
            let is_object = out.starts_with('{') && out.ends_with("}\n");
            prop_assert!(is_object, "{out:?}");
            prop_assert!(!out.trim_end().chars().any(char::is_control), "{out:?}");
        }
    }
}
