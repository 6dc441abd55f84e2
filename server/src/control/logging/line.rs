//! One log line before it has a format: what an event and the spans around it say.
//!
//! Everything is captured by value and with a bound, before any lock is taken: a `Debug` that logs
//! itself, or prints a megabyte, does no harm.

use std::error::Error;
use std::fmt::{self, Write};

use jiff::Zoned;
use tracing::field::{Field as Key, Visit};
use tracing::{Event, Level};

use super::message::MessageId;
use super::session::{self, Session};

/// The most bytes of a finished line, its newline included.
pub(super) const LINE_MAX: usize = 8 * 1024;

/// What every format makes a line of.
#[derive(Clone, Debug)]
pub(super) struct Line {
    pub(super) time: Zoned,
    pub(super) level: Level,
    pub(super) pid: u32,
    pub(super) session: Session,
    /// What the journal knows it by.
    pub(super) message_id: Option<MessageId>,
    pub(super) message: String,
    /// The event's own fields, in the order of the source.
    pub(super) fields: Vec<Field>,
    /// Other fields of the spans around the event, from the outermost to the innermost.
    pub(super) context: Vec<Field>,
    /// The module that wrote the line.
    pub(super) target: &'static str,
    /// Source file and line.
    pub(super) location: Option<(&'static str, u32)>,
}

impl Line {
    /// A line of now, without session, fields or place in the source.
    pub(super) fn new(level: Level, target: &'static str, message: String) -> Self {
        Self {
            time: Zoned::now(),
            level,
            pid: std::process::id(),
            session: Session::default(),
            message_id: None,
            message,
            fields: Vec::new(),
            context: Vec::new(),
            target,
            location: None,
        }
    }

    /// What `event` says by itself.
    pub(super) fn of_event(event: &Event<'_>) -> Self {
        let metadata = event.metadata();
        let mut line = Self::new(*metadata.level(), metadata.target(), String::new());
        line.location = metadata.file().zip(metadata.line());
        event.record(&mut EventVisitor { line: &mut line });
        line
    }

    /// Adds what the span `inner`, within those added before, says.
    pub(super) fn add_span(&mut self, inner: &SpanFields) {
        self.session.overlay(&inner.session);
        self.context.extend(inner.others.iter().cloned());
    }

    /// The memory that it has beside its own place.
    pub(super) fn heap_bytes(&self) -> usize {
        let fields = self.fields.iter().chain(&self.context);
        let texts: usize = fields.map(|field| field.text.capacity()).sum();
        let places = self.fields.capacity() + self.context.capacity();
        let names: usize = self.session.names().map(|(_, name)| name.len()).sum();
        self.message.capacity() + places * size_of::<Field>() + texts + names
    }
}

/// A name and its value as text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Field {
    pub(super) name: &'static str,
    pub(super) text: String,
    /// The text is a number or a boolean, which JSON writes without quotes.
    pub(super) is_literal: bool,
}

/// What a span says; kept with it and brought up to date when more is recorded.
#[derive(Clone, Debug, Default)]
pub(super) struct SpanFields {
    session: Session,
    others: Vec<Field>,
}

impl SpanFields {
    /// What the span says about the client.
    pub(super) fn session(&self) -> &Session {
        &self.session
    }

    /// Takes over what was recorded later.
    pub(super) fn update(&mut self, newer: Self) {
        self.session.overlay(&newer.session);
        for field in newer.others {
            self.set(field);
        }
    }

    fn set(&mut self, field: Field) {
        match self
            .others
            .iter_mut()
            .find(|other| other.name == field.name)
        {
            Some(other) => *other = field,
            None => self.others.push(field),
        }
    }
}

impl Visit for SpanFields {
    fn record_u64(&mut self, key: &Key, value: u64) {
        if key.name() == session::CLIENT {
            self.session.client = Some(value);
        } else {
            self.set(literal(key, &value));
        }
    }

    fn record_i64(&mut self, key: &Key, value: i64) {
        self.set(literal(key, &value));
    }

    fn record_bool(&mut self, key: &Key, value: bool) {
        self.set(literal(key, &value));
    }

    fn record_f64(&mut self, key: &Key, value: f64) {
        self.set(float(key, value));
    }

    fn record_str(&mut self, key: &Key, value: &str) {
        self.record_debug(key, &format_args!("{value}"));
    }

    fn record_error(&mut self, key: &Key, value: &(dyn Error + 'static)) {
        self.record_debug(key, &format_args!("{}", Chain(value)));
    }

    fn record_debug(&mut self, key: &Key, value: &dyn fmt::Debug) {
        let text = capture(format_args!("{value:?}"));
        match self.session.slot(key.name()) {
            Some(slot) => *slot = Some(text),
            None => self.set(Field {
                name: key.name(),
                text,
                is_literal: false,
            }),
        }
    }
}

struct EventVisitor<'a> {
    line: &'a mut Line,
}

/// The field by which an event names its [`MessageId`]; it is none of the line's.
const MESSAGE_ID: &str = "message_id";

impl Visit for EventVisitor<'_> {
    fn record_u64(&mut self, key: &Key, value: u64) {
        self.line.fields.push(literal(key, &value));
    }

    fn record_i64(&mut self, key: &Key, value: i64) {
        self.line.fields.push(literal(key, &value));
    }

    fn record_bool(&mut self, key: &Key, value: bool) {
        self.line.fields.push(literal(key, &value));
    }

    fn record_f64(&mut self, key: &Key, value: f64) {
        self.line.fields.push(float(key, value));
    }

    fn record_str(&mut self, key: &Key, value: &str) {
        if key.name() == MESSAGE_ID {
            self.line.message_id = MessageId::of(value);
        } else {
            self.record_debug(key, &format_args!("{value}"));
        }
    }

    fn record_error(&mut self, key: &Key, value: &(dyn Error + 'static)) {
        self.record_debug(key, &format_args!("{}", Chain(value)));
    }

    fn record_debug(&mut self, key: &Key, value: &dyn fmt::Debug) {
        let text = capture(format_args!("{value:?}"));
        if key.name() == "message" {
            self.line.message = text;
        } else {
            self.line.fields.push(Field {
                name: key.name(),
                text,
                is_literal: false,
            });
        }
    }
}

/// An error and what caused it, which `Display` alone leaves out.
struct Chain<'a>(&'a (dyn Error + 'static));

impl fmt::Display for Chain<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)?;
        let mut cause = self.0.source();
        while let Some(error) = cause {
            write!(f, ": {error}")?;
            cause = error.source();
        }
        Ok(())
    }
}

fn literal(key: &Key, value: &dyn fmt::Display) -> Field {
    Field {
        name: key.name(),
        text: value.to_string(),
        is_literal: true,
    }
}

fn float(key: &Key, value: f64) -> Field {
    // JSON has no word for infinity or NaN.
    Field {
        name: key.name(),
        text: value.to_string(),
        is_literal: value.is_finite(),
    }
}

/// `text` as a string of at most [`LINE_MAX`] bytes; what is beyond is not even stored.
fn capture(text: fmt::Arguments<'_>) -> String {
    struct Bounded(String);

    impl Write for Bounded {
        fn write_str(&mut self, part: &str) -> fmt::Result {
            let room = LINE_MAX - self.0.len();
            self.0.push_str(
                part.get(..part.floor_char_boundary(room))
                    .unwrap_or_default(),
            );
            // Full is an error here so that a long list is not formatted to its end.
            if part.len() > room {
                Err(fmt::Error)
            } else {
                Ok(())
            }
        }
    }

    let mut bounded = Bounded(String::new());
    // A `Debug` that fails halfway has said what it could.
    let _ = bounded.write_fmt(text);
    bounded.0
}

#[cfg(test)]
pub(super) mod tests {
    use jiff::civil::date;
    use jiff::tz::{TimeZone, offset};

    use super::*;

    /// A line written at a fixed moment by a fixed process, in a zone one hour east of Greenwich.
    pub(in crate::control::logging) fn line(level: Level, message: &str) -> Line {
        Line {
            time: date(2026, 11, 22)
                .at(17, 5, 6, 123_456_789)
                .to_zoned(TimeZone::fixed(offset(1)))
                .unwrap(),
            level,
            pid: 4242,
            session: Session::default(),
            message_id: None,
            message: message.into(),
            fields: Vec::new(),
            context: Vec::new(),
            target: "srs::input::rtmp_publish",
            location: Some(("server/src/input/rtmp_publish.rs", 57)),
        }
    }

    /// The session of a publisher of `live/show`.
    pub(in crate::control::logging) fn publisher() -> Session {
        Session {
            client: Some(101),
            peer: Some("192.0.2.7:51234".into()),
            vhost: Some("__defaultVhost__".into()),
            app: Some("live".into()),
            stream: Some("show".into()),
        }
    }

    /// A field with the text `text`.
    pub(in crate::control::logging) fn field(
        name: &'static str,
        text: &str,
        is_literal: bool,
    ) -> Field {
        Field {
            name,
            text: text.into(),
            is_literal,
        }
    }

    #[test]
    fn a_value_is_captured_up_to_the_length_of_a_line() {
        assert_eq!(capture(format_args!("{}", "short")), "short");
        let long = vec!["é"; 10_000];
        let text = capture(format_args!("{long:?}"));
        assert!((LINE_MAX - 1..=LINE_MAX).contains(&text.len()));
    }

    #[test]
    fn a_debug_that_fails_is_captured_as_far_as_it_went() {
        struct Broken;
        impl fmt::Debug for Broken {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("half")?;
                Err(fmt::Error)
            }
        }
        assert_eq!(capture(format_args!("{Broken:?}")), "half");
    }

    #[test]
    fn an_error_is_followed_by_its_causes() {
        #[derive(Debug, thiserror::Error)]
        #[error("cannot read the file")]
        struct Outer(#[source] std::io::Error);

        let error = Outer(std::io::Error::other("the disk is gone"));
        assert_eq!(
            Chain(&error).to_string(),
            "cannot read the file: the disk is gone"
        );
    }
}
