//! The journal: whether standard error is connected to it, and lines in its native protocol.
//!
//! [`tracing_journald`] does the talking. It knows nothing of our line format, so it is handed each
//! event with the message as people should read it, `[101] publish refused reason=…`, and the same
//! values as fields besides: `SRS_CLIENT`, `SRS_REASON`.
//!
//! It puts `SRS_` before the name of every field but the message, so `MESSAGE_ID` cannot be a field of
//! an event. What it does not change is what a layer is made with: so there is a layer, which is a
//! socket, for each id, and one for what has none.
//!
//! It appends what is recorded on a span to what the span had, and replaces nothing: a client that
//! plays one stream after another would grow without bound, and its lines would bear the names of
//! all of them. So it learns of a span only what that is made with, client and peer; what is learnt
//! later, virtual host, application and stream, is added to each event.

use std::io;
use std::os::fd::AsFd;

use tracing::field::{Field, FieldSet, Value};
use tracing::{Event, Subscriber};
use tracing_journald::{Priority, PriorityMappings};
use tracing_subscriber::Layer;
use tracing_subscriber::layer::Context;

use super::line::Line;
use super::message::MessageId;
use super::session::{APP, STREAM, VHOST};
use super::text;

/// The layers that speak to the journal.
#[derive(Debug)]
pub(super) struct Journal<J> {
    /// For what has no id, and for spans: what it keeps with a span the others find there.
    plain: J,
    /// By [`MessageId`].
    marked: Vec<J>,
}

impl<J> Journal<J> {
    /// Of layers that `make` makes; it is given the `MESSAGE_ID` of the layer's entries.
    ///
    /// # Errors
    /// Those of `make`.
    pub(super) fn of(mut make: impl FnMut(Option<MessageId>) -> io::Result<J>) -> io::Result<Self> {
        let plain = make(None)?;
        let ids = MessageId::ALL.iter().map(|(id, ..)| Some(*id));
        let marked = ids.map(make).collect::<io::Result<_>>()?;
        Ok(Self { plain, marked })
    }

    /// The layer that hears of spans.
    pub(super) fn spans(&self) -> &J {
        &self.plain
    }

    fn layer(&self, id: Option<MessageId>) -> &J {
        id.and_then(|id| self.marked.get(id as usize))
            .unwrap_or(&self.plain)
    }
}

/// Connects to the journal, with our names: fields start with `SRS_`.
///
/// # Errors
/// The journal's socket is not there, or nobody listens to it.
pub(super) fn connect() -> io::Result<Journal<tracing_journald::Layer>> {
    Journal::of(layer)
}

fn layer(id: Option<MessageId>) -> io::Result<tracing_journald::Layer> {
    let priorities = PriorityMappings {
        error: Priority::Error,
        warn: Priority::Warning,
        info: Priority::Informational,
        debug: Priority::Debug,
        trace: Priority::Debug,
    };
    Ok(tracing_journald::layer()?
        .with_field_prefix(Some("SRS".into()))
        .with_syslog_identifier("srs".into())
        .with_priority_mappings(priorities)
        .with_custom_fields(id.map(|id| ("MESSAGE_ID", id.as_str()))))
}

/// Whether the file behind `stream` is the one that `journal_stream`, the value of
/// `$JOURNAL_STREAM`, names by device and inode (systemd.exec(5)).
///
/// The variable alone says little: a child whose output goes elsewhere inherits it too.
pub(super) fn is_connected(journal_stream: Option<&str>, stream: impl AsFd) -> bool {
    let Some((device, inode)) = journal_stream.and_then(|value| value.split_once(':')) else {
        return false;
    };
    let (Ok(device), Ok(inode)) = (device.parse::<u64>(), inode.parse::<u64>()) else {
        return false;
    };
    rustix::fs::fstat(stream).is_ok_and(|stat| stat.st_dev == device && stat.st_ino == inode)
}

/// Hands `event`, which `line` was captured from, to `journal`, with the newest names of its
/// session.
///
/// More than 32 fields of an event are not handed on; the message has what fits a line.
pub(super) fn forward<S, J>(
    journal: &Journal<J>,
    event: &Event<'_>,
    line: &Line,
    context: Context<'_, S>,
) where
    S: Subscriber,
    J: Layer<S>,
{
    let metadata = event.metadata();
    let message = text::journal_message(line);
    // A set of values takes fields of its own call site only, so these are said to be from there.
    let added = FieldSet::new(ADDED, metadata.callsite());
    let added = added.iter().filter_map(|key| {
        let mut names = line.session.names();
        let text = match key.name() {
            MESSAGE => message.as_str(),
            name => names.find(|&(known, _)| known == name)?.1,
        };
        Some((key, text))
    });
    let own = metadata.fields().iter().filter_map(|key| {
        let field = line.fields.iter().find(|field| field.name == key.name())?;
        Some((key, field.text.as_str()))
    });
    let pairs: Vec<(Field, &str)> = added.chain(own).collect();

    // There is always the message.
    let Some((first, _)) = pairs.first() else {
        return;
    };
    // The number of values must be known at compile time: places that stay empty are passed over.
    let mut values: [(&Field, Option<&dyn Value>); ADDED.len() + OWN_MAX] = [(first, None); _];
    for (place, (key, text)) in values.iter_mut().zip(&pairs) {
        *place = (key, Some(text));
    }
    // Level and place in the source are those of the event's own call site. Hidden in the
    // documentation, this is what tracing's macros expand to.
    let values = metadata.fields().value_set(&values);
    let journal = journal.layer(line.message_id);
    journal.on_event(&Event::new(metadata, &values), context);
}

/// What every line bears beside the fields of its event: the message as people should read it, and
/// the names that a client's span is not made with.
const ADDED: &[&str] = &[MESSAGE, VHOST, APP, STREAM];

/// What tracing calls the text of an event.
const MESSAGE: &str = "message";

/// The most fields of an event that are handed on.
const OWN_MAX: usize = 32;

#[cfg(test)]
mod tests {
    use std::fs::File;
    use std::os::unix::fs::MetadataExt;

    use super::*;

    #[test]
    fn the_journal_is_recognised_by_device_and_inode() {
        let folder = tempfile::tempdir().unwrap();
        let stderr = File::create(folder.path().join("stderr")).unwrap();
        let metadata = stderr.metadata().unwrap();
        let (device, inode) = (metadata.dev(), metadata.ino());
        let cases = [
            ("no variable", None, false),
            ("ours", Some(format!("{device}:{inode}")), true),
            (
                "another file",
                Some(format!("{device}:{}", inode + 1)),
                false,
            ),
            (
                "another device",
                Some(format!("{}:{inode}", device + 1)),
                false,
            ),
            ("half of it", Some(device.to_string()), false),
            ("no numbers", Some("a:b".into()), false),
            ("empty", Some(String::new()), false),
        ];
        for (name, variable, expected) in cases {
            assert_eq!(
                is_connected(variable.as_deref(), &stderr),
                expected,
                "{name}"
            );
        }
    }
}
