//! Whose line it is: the span of a client, and the names of its fields in every format.
//!
//! A span is made when the peer is accepted and entered for as long as its connection lives; what
//! is learnt later (the application, the stream) is recorded on it, and every line written inside
//! from then on shows it.

use std::net::SocketAddr;

use tracing::Span;
use tracing::field::Empty;
use tracing_subscriber::Registry;
use tracing_subscriber::registry::LookupSpan;

use super::line::SpanFields;

/// The client id, which the API and the hooks use for the same client.
pub(super) const CLIENT: &str = "client";
/// The peer's address and port.
pub(super) const PEER: &str = "peer";
/// The virtual host that the client was mapped to.
pub(super) const VHOST: &str = "vhost";
/// The application.
pub(super) const APP: &str = "app";
/// The stream's name within the application.
pub(super) const STREAM: &str = "stream";

/// The most bytes of a name that a span keeps. A peer chooses names, and they stand in each of its
/// lines.
const NAME_MAX: usize = 256;

/// The span of a client: `id` is its client id, `peer` where it connects from.
///
/// An IPv4 address that came through an IPv6 socket is shown as IPv4. What is written inside the
/// span bears both; the names follow with [`record_app`] and [`record_stream`].
#[must_use]
pub fn client_span(id: u64, peer: SocketAddr) -> Span {
    let peer = SocketAddr::new(peer.ip().to_canonical(), peer.port());
    // Of level error, which is never shown: a span below the configured level would not exist, and
    // the warnings inside it would belong to nobody.
    tracing::error_span!("client", client = id, %peer, vhost = Empty, app = Empty, stream = Empty)
}

/// Records the virtual host and application that a client has connected to.
///
/// Names longer than 256 bytes are cut.
pub fn record_app(span: &Span, vhost: &str, app: &str) {
    record(span, [(VHOST, vhost), (APP, app)]);
}

/// Records the stream that a client publishes or plays.
///
/// Names longer than 256 bytes are cut. Where a client goes on to another stream, lines from then
/// on show the newest, in the journal too. What the span has already is not recorded again.
pub fn record_stream(span: &Span, vhost: &str, app: &str, stream: &str) {
    record(span, [(VHOST, vhost), (APP, app), (STREAM, stream)]);
}

fn record<const N: usize>(span: &Span, names: [(&'static str, &str); N]) {
    let names = names.map(|(name, value)| (name, cut(value)));
    if has(span, &names) {
        return;
    }
    for (name, value) in names {
        span.record(name, value);
    }
}

/// Whether `span` says all of `names` as they are. Compares only: nothing is copied.
fn has(span: &Span, names: &[(&'static str, &str)]) -> bool {
    span.with_subscriber(|(id, subscriber)| {
        let span = subscriber.downcast_ref::<Registry>()?.span(id)?;
        let extensions = span.extensions();
        let session = extensions.get::<SpanFields>()?.session();
        let known = |name| session.names().find(|&(other, _)| other == name);
        Some(names.iter().all(|&pair| known(pair.0) == Some(pair)))
    })
    .flatten()
    .unwrap_or(false)
}

/// What the spans around an event say about the client.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Session {
    pub(super) client: Option<u64>,
    pub(super) peer: Option<String>,
    pub(super) vhost: Option<String>,
    pub(super) app: Option<String>,
    pub(super) stream: Option<String>,
}

impl Session {
    /// The place of the text field `name`, if it is one of the session's.
    pub(super) fn slot(&mut self, name: &str) -> Option<&mut Option<String>> {
        match name {
            PEER => Some(&mut self.peer),
            VHOST => Some(&mut self.vhost),
            APP => Some(&mut self.app),
            STREAM => Some(&mut self.stream),
            _ => None,
        }
    }

    /// Takes over what `inner`, the session of a span within, knows.
    pub(super) fn overlay(&mut self, inner: &Self) {
        self.client = inner.client.or(self.client);
        for (mine, theirs) in [
            (&mut self.peer, &inner.peer),
            (&mut self.vhost, &inner.vhost),
            (&mut self.app, &inner.app),
            (&mut self.stream, &inner.stream),
        ] {
            if theirs.is_some() {
                mine.clone_from(theirs);
            }
        }
    }

    /// The text fields that are known, with their names, in the order of a line.
    pub(super) fn names(&self) -> impl Iterator<Item = (&'static str, &str)> {
        [
            (PEER, &self.peer),
            (VHOST, &self.vhost),
            (APP, &self.app),
            (STREAM, &self.stream),
        ]
        .into_iter()
        .filter_map(|(name, value)| Some((name, value.as_deref()?)))
    }
}

/// The longest beginning of `name` that fits [`NAME_MAX`] bytes and ends between characters.
fn cut(name: &str) -> &str {
    name.get(..name.floor_char_boundary(NAME_MAX))
        .unwrap_or(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_name_is_cut_between_characters() {
        assert_eq!(cut("live"), "live");
        assert_eq!(cut(&"a".repeat(300)).len(), NAME_MAX);
        assert_eq!(cut(&format!("{}é", "a".repeat(255))).len(), 255);
    }

    #[test]
    fn an_inner_session_adds_to_the_outer_one_and_wins() {
        let mut outer = Session {
            client: Some(1),
            peer: Some("192.0.2.7:1".into()),
            app: Some("live".into()),
            ..Session::default()
        };
        outer.overlay(&Session {
            app: Some("vod".into()),
            stream: Some("show".into()),
            ..Session::default()
        });
        assert_eq!(outer.client, Some(1));
        assert_eq!(
            outer.names().collect::<Vec<_>>(),
            [("peer", "192.0.2.7:1"), ("app", "vod"), ("stream", "show")]
        );
    }
}
