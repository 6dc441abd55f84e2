//! Lists, health, history and details of a server without sockets, by a clock that the tests advance.

mod lists;
mod stories;

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use bytes::Bytes;
use srs_media::packet::Track;

use super::*;
use crate::config::{Config, Takeover, VhostConfig};
use crate::control::clients::{Admission, Admitted, Profile, Role};
use crate::hub::takeover::Credential;
use crate::hub::{PublishRequest, Publisher, StreamName, StreamSettings, Subscriber};
use crate::service::Service;

/// A server, and when its clock began.
struct Stage {
    service: Service,
    start: Instant,
}

/// Somebody who publishes.
struct Encoder {
    client: Admitted,
    publisher: Publisher,
}

/// Somebody who plays.
struct Viewer {
    client: Admitted,
    _subscriber: Subscriber,
}

impl Stage {
    fn new() -> Self {
        Self {
            service: Service::new(Arc::new(Config::default()), 1_000),
            start: Instant::now(),
        }
    }

    fn settings(&self) -> StreamSettings {
        StreamSettings::of(&self.service.config(), &VhostConfig::default())
    }

    fn admit(&self, address: &str, agent: &str) -> Admitted {
        let address: SocketAddr = address.parse().unwrap();
        let roomy = Admission {
            connections: 1_000,
            per_address: None,
        };
        let client = self.service.clients.admit(address, roomy).unwrap();
        client.set_profile(Profile {
            agent: agent.into(),
            ..Profile::default()
        });
        client
    }

    fn publish(&self, vhost: &str, name: &str) -> Encoder {
        let client = self.admit("192.0.2.1:40000", "FMLE/3.0");
        let request = PublishRequest {
            client: client.client().id,
            credential: Credential {
                address: IpAddr::from([192, 0, 2, 1]),
                params: String::new(),
            },
            takeover: Takeover::Takeover,
            dead_after: Duration::from_secs(1),
        };
        let name = StreamName::new(vhost, "live", name);
        let hub = &self.service.hub;
        let publisher = hub.publish(&name, &self.settings(), request, self.start);
        let publisher = publisher.unwrap();
        let stream = Arc::clone(publisher.stream());
        client.set_role(Role::Publisher { announced: true }, Some(stream));
        Encoder { client, publisher }
    }

    fn play(&self, vhost: &str, name: &str, address: &str, agent: &str) -> Viewer {
        let client = self.admit(address, agent);
        let name = StreamName::new(vhost, "live", name);
        let hub = &self.service.hub;
        let subscriber = hub.subscribe(&name, &self.settings(), self.start);
        client.set_role(Role::Player, Some(Arc::clone(subscriber.stream())));
        Viewer {
            client,
            _subscriber: subscriber,
        }
    }

    /// What happens each second.
    fn sample(&self, second: u64) {
        let now = self.start + Duration::from_secs(second);
        self.service.clients.sample(now);
        for stream in self.service.hub.streams() {
            stream.sample(now);
        }
    }
}

impl Encoder {
    fn send(&self, track: Track, wire: u32, body: &[u8]) {
        let body = Bytes::copy_from_slice(body);
        let now = Instant::now();
        self.publisher.push(track, wire, body, now).unwrap();
    }
}

fn add_bytes(client: &Admitted, received: u64, sent: u64) {
    let traffic = &client.client().traffic;
    traffic.bytes_in.fetch_add(received, Ordering::Relaxed);
    traffic.bytes_out.fetch_add(sent, Ordering::Relaxed);
}

/// Of x264: High 4.0, 1280x720, 25 frames a second.
const AVC_HEADER: &str = "1700000000\
    01640028ffe1001a67640028acd9405005bb011000000300100000030320f183196001000668ebe3cb22c0fdf8f800";
/// AAC LC, 44.1 kHz, stereo.
const AAC_HEADER: &[u8] = &[0xAF, 0, 0x12, 0x10];
const KEY_FRAME: &[u8] = &[0x17, 1, 0, 0, 0, 9];
const FRAME: &[u8] = &[0x27, 1, 0, 0, 0, 9];

fn bytes(hex: &str) -> Vec<u8> {
    let digits = hex.as_bytes().chunks(2);
    let byte = |digits| u8::from_str_radix(str::from_utf8(digits).unwrap(), 16).unwrap();
    digits.map(byte).collect()
}
