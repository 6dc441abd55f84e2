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
//! It hears of no span: what is known of the session is in the line already, and is added to each
//! event. With spans it would keep every name that a client ever had.

use std::io;
use std::os::fd::AsFd;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::time::Duration;

use rustix::net::{SocketAddrUnix, getpeername};
use tracing::field::{Field, FieldSet, Value};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Metadata, Subscriber};
use tracing_journald::{Priority, PriorityMappings};
use tracing_subscriber::Layer;
use tracing_subscriber::layer::{Layered, SubscriberExt};
use tracing_subscriber::registry::{Data, LookupSpan};

use super::message::MessageId;
use super::queue::Entry;
use super::session::{APP, CLIENT, PEER, STREAM, VHOST};
use super::text;
use super::writer::{Sink, Traits, Writer};

/// What the journal is to the thread that writes to it.
const TRAITS: Traits = Traits {
    thread: "journal",
    slow: "journald did not read in time",
    stuck: "journald does not read its socket",
    open_within: Duration::from_secs(1),
};

/// A writer to the journal by way of layers that `make` makes, in the thread that uses them; it is
/// given the `MESSAGE_ID` of the layer's entries.
///
/// # Errors
/// Those of `make`, which has a second, and those of starting a thread.
pub(super) fn writer_of<J>(
    make: impl FnMut(Option<MessageId>) -> io::Result<J> + Send + 'static,
) -> io::Result<Writer>
where
    J: Layer<NoSpans>,
{
    Writer::start(TRAITS, move || Layers::of(make))
}

/// The layers that speak to the journal.
struct Layers<J> {
    /// For what has no id.
    plain: Layered<J, NoSpans>,
    /// By [`MessageId`].
    marked: Vec<Layered<J, NoSpans>>,
}

impl<J: Layer<NoSpans>> Layers<J> {
    fn of(mut make: impl FnMut(Option<MessageId>) -> io::Result<J>) -> io::Result<Self> {
        let mut make = |id| make(id).map(|layer| NoSpans.with(layer));
        let plain = make(None)?;
        let ids = MessageId::ALL.iter().map(|(id, ..)| Some(*id));
        let marked = ids.map(make).collect::<io::Result<_>>()?;
        Ok(Self { plain, marked })
    }

    fn layer(&self, id: Option<MessageId>) -> &Layered<J, NoSpans> {
        id.and_then(|id| self.marked.get(id as usize))
            .unwrap_or(&self.plain)
    }
}

impl<J: Layer<NoSpans>> Sink for Layers<J> {
    fn write(&mut self, entry: &Entry) -> io::Result<()> {
        forward(self.layer(entry.line.message_id), entry);
        // What goes wrong stays in the layer: while nobody has journald's socket, entries are lost
        // that nobody counts.
        Ok(())
    }
}

/// What a layer of the journal stands on: it is called by hand, and nothing has a span.
///
/// It is never a dispatcher's, for one that wants everything would have every event of the process
/// made, whatever level is configured.
#[derive(Debug)]
pub(super) struct NoSpans;

impl Subscriber for NoSpans {
    fn enabled(&self, _metadata: &Metadata<'_>) -> bool {
        true
    }

    fn new_span(&self, _span: &Attributes<'_>) -> Id {
        // None is ever made; an id must not be 0.
        Id::from_u64(1)
    }

    fn record(&self, _span: &Id, _values: &Record<'_>) {}

    fn record_follows_from(&self, _span: &Id, _follows: &Id) {}

    fn event(&self, _event: &Event<'_>) {}

    fn enter(&self, _span: &Id) {}

    fn exit(&self, _span: &Id) {}
}

impl<'a> LookupSpan<'a> for NoSpans {
    type Data = Data<'a>;

    fn span_data(&'a self, _id: &Id) -> Option<Self::Data> {
        None
    }
}

/// Connects to the journal, with our names: fields start with `SRS_`.
///
/// # Errors
/// The journal's socket is not there, nobody listens to it, or it is full and stays so.
pub(super) fn connect() -> io::Result<Writer> {
    writer_of(layer)
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

/// Whether `stream` leads to the journal. `journal_stream` is the value of `$JOURNAL_STREAM`, which
/// names by device and inode the file that does (systemd.exec(5)); systemd before 231, as CentOS 7 has
/// it, does not set it, and there it shows by who is at the other end.
///
/// The variable alone says little: a child whose output goes elsewhere inherits it too.
pub(super) fn is_connected(journal_stream: Option<&str>, stream: impl AsFd) -> bool {
    let Some(journal_stream) = journal_stream else {
        return is_connected_to(Path::new(JOURNAL_STDOUT), stream);
    };
    let Some((device, inode)) = journal_stream.split_once(':') else {
        return false;
    };
    let (Ok(device), Ok(inode)) = (device.parse::<u64>(), inode.parse::<u64>()) else {
        return false;
    };
    rustix::fs::fstat(stream).is_ok_and(|stat| stat.st_dev == device && stat.st_ino == inode)
}

/// Where journald takes what services write to their standard error.
const JOURNAL_STDOUT: &str = "/run/systemd/journal/stdout";

/// Whether `stream` is a unix socket whose other end is that of `path`.
fn is_connected_to(path: &Path, stream: impl AsFd) -> bool {
    let Ok(Some(peer)) = getpeername(stream) else {
        return false;
    };
    SocketAddrUnix::try_from(peer)
        .is_ok_and(|peer| peer.path_bytes() == Some(path.as_os_str().as_bytes()))
}

/// Makes an event of `entry` again, and hands it to `journal`.
///
/// More than 32 fields of an event are not handed on; the message has what fits a line.
fn forward(journal: &impl Subscriber, entry: &Entry) {
    let Entry { metadata, line, .. } = entry;
    let message = text::journal_message(line);
    let client = line.session.client.map(|id| id.to_string());
    // A set of values takes fields of its own call site only, so these are said to be from there.
    let added = FieldSet::new(ADDED, metadata.callsite());
    let added = added.iter().filter_map(|key| {
        let mut names = line.session.names();
        let text = match key.name() {
            MESSAGE => message.as_str(),
            CLIENT => client.as_deref()?,
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
    journal.event(&Event::new(metadata, &values));
}

/// What every line bears beside the fields of its event: the message as people should read it, and
/// what is known of its session.
const ADDED: &[&str] = &[MESSAGE, CLIENT, PEER, VHOST, APP, STREAM];

/// What tracing calls the text of an event.
const MESSAGE: &str = "message";

/// The most fields of an event that are handed on.
const OWN_MAX: usize = 32;

#[cfg(test)]
mod tests {
    use std::fs::File;
    use std::os::unix::fs::MetadataExt;
    use std::os::unix::net::{UnixListener, UnixStream};

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

    #[test]
    fn the_journal_is_recognised_by_its_socket_where_nothing_names_it() {
        let folder = tempfile::tempdir().unwrap();
        let [journal, other] = ["journal", "other"].map(|name| folder.path().join(name));
        let _listeners = [&journal, &other].map(|path| UnixListener::bind(path).unwrap());
        assert!(is_connected_to(
            &journal,
            UnixStream::connect(&journal).unwrap()
        ));
        assert!(!is_connected_to(
            &journal,
            UnixStream::connect(&other).unwrap()
        ));
        let (unnamed, _peer) = UnixStream::pair().unwrap();
        assert!(!is_connected_to(&journal, unnamed));
        assert!(!is_connected_to(&journal, File::open("/dev/null").unwrap()));
    }
}
