//! Clients.

mod order;

use std::sync::Arc;
use std::time::{Duration, Instant};

use srs_api::{ClientRole, EventKind};

pub use self::order::ClientKey;
use super::sort::View;
use super::{Listed, kbps, label, streams};
use crate::control::clients::{Client, Ending, Role};
use crate::service::Service;

/// Which clients are wanted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ClientFilter {
    /// Those of the stream with this id.
    pub stream: Option<String>,
    /// Those of this vhost.
    pub vhost: Option<String>,
    /// Those that publish (`true`) or play (`false`).
    pub publish: Option<bool>,
}

impl ClientFilter {
    fn is_open(&self) -> bool {
        *self == Self::default()
    }

    fn wants(&self, client: &Client) -> bool {
        let vhost = |wanted: &String| client.vhost().is_some_and(|vhost| *vhost == **wanted);
        let stream = |wanted: &String| {
            let stream = client.stream();
            stream.is_some_and(|stream| streams::id(&stream) == *wanted)
        };
        let publish = |wanted: bool| match client.role() {
            Role::Unknown => false,
            Role::Publisher { .. } => wanted,
            Role::Player => !wanted,
        };
        self.vhost.as_ref().is_none_or(vhost)
            && self.stream.as_ref().is_none_or(stream)
            && self.publish.is_none_or(publish)
    }
}

/// The clients that `view` shows, by default in the order of their ids.
pub fn clients(
    service: &Service,
    filter: &ClientFilter,
    view: &View<ClientKey>,
) -> Listed<srs_api::Client> {
    let mut clients = service.clients.list();
    if !filter.is_open() {
        clients.retain(|client| filter.wants(client));
    }
    if let Some(pattern) = &view.pattern {
        let mut line = String::new();
        clients.retain(|client| {
            line.clear();
            label::client(client, &mut line);
            pattern.wants(&line)
        });
    }
    let (total, now) = (clients.len(), Instant::now());
    let page = view.page(
        clients,
        |client| client.id,
        |client, key| order::rank(client, key, now),
    );
    Listed {
        total,
        items: page.iter().map(|client| tell(client)).collect(),
    }
}

/// One client.
pub fn client(service: &Service, id: &str) -> Option<srs_api::Client> {
    find(service, id).map(|client| tell(&client))
}

/// Ends the session of a client; gives what it was.
pub fn kick(service: &Service, id: &str) -> Option<srs_api::Client> {
    let client = find(service, id)?;
    let told = tell(&client);
    let stream = client.stream();
    // Who asks twice is told once.
    client.end_told(Ending::Kicked, || {
        let name = stream.as_ref().map(|stream| stream.name());
        let (kind, why) = (EventKind::Kick, "by the operator");
        service.events.tell_of(kind, &client, name, why);
    });
    Some(told)
}

/// Milliseconds, to two digits.
fn millis(round_trip: Duration) -> f64 {
    (round_trip.as_secs_f64() * 1e5).round() / 1e2
}

fn find(service: &Service, id: &str) -> Option<Arc<Client>> {
    service.clients.get(id.parse().ok()?)
}

fn tell(client: &Client) -> srs_api::Client {
    let look = client.look();
    let name = look.stream.as_ref().map(|stream| stream.name());
    let profile = look.profile;
    srs_api::Client {
        id: client.id.to_string(),
        // The stream's own vhost and application: its name may lead elsewhere than the connect.
        vhost: name.map_or_else(|| profile.vhost.to_string(), |name| name.vhost.clone()),
        app: name.map_or_else(|| profile.app.to_string(), |name| name.app.clone()),
        stream: look.stream.as_deref().map(streams::id).unwrap_or_default(),
        ip: client.peer.ip().to_string(),
        port: client.peer.port(),
        page_url: profile.page_url.to_string(),
        swf_url: profile.swf_url.to_string(),
        tc_url: profile.tc_url.to_string(),
        url: name.map(streams::path).unwrap_or_default(),
        name: name.map(|name| name.stream.clone()).unwrap_or_default(),
        role: match look.role {
            Role::Unknown => ClientRole::Unknown,
            Role::Publisher { announced: true } => ClientRole::FmlePublish,
            Role::Publisher { announced: false } => ClientRole::FlashPublish,
            Role::Player => ClientRole::Play,
        },
        publish: matches!(look.role, Role::Publisher { .. }),
        agent: profile.agent.to_string(),
        alive: client.since.elapsed().as_secs_f64(),
        send_bytes: look.reading.bytes_out,
        recv_bytes: look.reading.bytes_in,
        send_packets: look.reading.packets_out,
        recv_packets: look.reading.packets_in,
        drops: look.reading.dropped,
        jumps: look.reading.jumps,
        lag_ms: look.reading.lag_millis,
        rtt_ms: client.traffic.round_trip().map(millis),
        retransmits: client.traffic.retransmits().into(),
        kbps: kbps(&look.windows),
    }
}
