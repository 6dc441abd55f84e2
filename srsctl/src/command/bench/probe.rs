//! A player that reads everything, and tells how long it was on its way.

use std::sync::Arc;

use srs_rtmp::client::ClientEvent;
use tokio::sync::watch;

use super::client::Client;
use super::histogram::Histogram;
use super::moment::Moment;
use super::stamp;
use super::window::{Arrivals, Window};

/// What a probe has found out.
#[derive(Clone, Debug)]
pub(super) struct Probed {
    /// From publication to arrival, of the messages that were published in the window.
    pub(super) latency: Histogram,
    pub(super) arrivals: Arrivals,
    /// Whether it played to the end.
    pub(super) is_playing: bool,
}

/// Plays until `stop` or until the server has had enough.
pub(super) async fn run(
    mut client: Client,
    window: Arc<Window>,
    mut stop: watch::Receiver<bool>,
) -> Probed {
    let mut probed = Probed {
        latency: Histogram::default(),
        arrivals: Arrivals::new(client.received_at()),
        is_playing: true,
    };
    let mut received = client.received();
    while probed.is_playing {
        tokio::select! {
            event = client.next_event() => match event {
                Ok(ClientEvent::Media(media)) => {
                    // What was published before the window is old on purpose: servers begin with
                    // the latest group of pictures.
                    if let Some(at) = stamp::read(media.kind, &media.payload)
                        && window.holds(at)
                    {
                        probed.latency.record(client.received_at().since(at));
                    }
                }
                Ok(_) => {}
                Err(_) => probed.is_playing = false,
            },
            _ = stop.changed() => break,
        }
        let len = usize::try_from(client.received() - received).unwrap_or(usize::MAX);
        if len > 0 {
            probed.arrivals.take(len, client.received_at(), &window);
            received = client.received();
        }
    }
    probed.arrivals.take(0, Moment::now(), &window);
    probed
}
