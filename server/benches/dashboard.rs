//! What a dashboard costs that looks at a full server once a second: 2,000 streams, each with a
//! publisher, and 20,000 clients in all.
//!
//! `cargo bench -p srs --bench dashboard`. Each figure is one question, answered as JSON, without
//! HTTP; a millisecond is a tenth of a per cent of a core. `one_second` is what `srsctl top` asks in
//! each second, and is to be well under ten.

use std::hint::black_box;
use std::net::{IpAddr, SocketAddr};
use std::sync::atomic::Ordering;
use std::sync::{Arc, LazyLock};
use std::time::{Duration, Instant};

use bytes::Bytes;
use divan::Bencher;
use serde::Serialize;
use srs::Config;
use srs::config::{Takeover, VhostConfig};
use srs::control::clients::{Admission, Admitted, Profile, Role};
use srs::control::report::{
    self, ClientFilter, ClientKey, Pattern, Sort, SortKey, StreamFilter, StreamKey, View,
};
use srs::hub::takeover::Credential;
use srs::hub::{PublishRequest, Publisher, StreamName, StreamSettings, Subscriber};
use srs::service::Service;
use srs_api::HistoryRange;
use srs_media::packet::Track;

fn main() {
    divan::main();
}

/// A server without sockets, and all who are there.
struct House {
    service: Service,
    _publishers: Vec<(Admitted, Publisher)>,
    _players: Vec<(Admitted, Subscriber)>,
}

/// It takes longer to fill than to ask.
static HOUSE: LazyLock<House> = LazyLock::new(House::full);

impl House {
    fn full() -> Self {
        let service = Service::new(Arc::new(Config::default()), CLIENTS);
        let settings = StreamSettings::of(&service.config(), &VhostConfig::default());
        let start = Instant::now();
        let publishers = (0..STREAMS).map(|number| publish(&service, &settings, number, start));
        let publishers: Vec<_> = publishers.collect();
        let players = STREAMS..CLIENTS;
        let players = players.map(|number| play(&service, &settings, number, start));
        let players: Vec<_> = players.collect();
        for second in 1..=HISTORY_SECONDS {
            if second % 60 == 0 {
                let everybody = publishers.iter().map(|(client, _)| client);
                let everybody = everybody.chain(players.iter().map(|(client, _)| client));
                for (number, client) in (0..).zip(everybody) {
                    let traffic = &client.client().traffic;
                    traffic
                        .bytes_in
                        .fetch_add(number * 31 % 900_000, Ordering::Relaxed);
                    traffic
                        .bytes_out
                        .fetch_add(number * 7_919 % 900_000, Ordering::Relaxed);
                }
            }
            let now = start + Duration::from_secs(second);
            if second % 60 == 0 {
                service.clients.sample(now);
            }
            for stream in service.hub.streams() {
                stream.sample(now);
            }
        }
        Self {
            service,
            _publishers: publishers,
            _players: players,
        }
    }
}

fn admit(service: &Service, number: usize, agent: &str) -> Admitted {
    let number = u16::try_from(number).expect("there are not so many");
    let [high, low] = number.to_be_bytes();
    let address = SocketAddr::from(([10, 0, high, low], 40_000));
    let roomy = Admission {
        connections: CLIENTS,
        per_address: None,
    };
    let client = service.clients.admit(address, roomy).expect("room for all");
    client.set_profile(Profile {
        vhost: "__defaultVhost__".into(),
        app: "live".into(),
        agent: agent.into(),
        ..Profile::default()
    });
    client
}

fn name(number: usize) -> StreamName {
    StreamName::new("__defaultVhost__", "live", &format!("camera-{number}"))
}

fn publish(
    service: &Service,
    settings: &StreamSettings,
    number: usize,
    start: Instant,
) -> (Admitted, Publisher) {
    let client = admit(service, number, "FMLE/3.0 (compatible; Lavf61.7.100)");
    let request = PublishRequest {
        client: client.client().id,
        credential: Credential {
            address: IpAddr::from([10, 0, 0, 1]),
            params: String::new(),
        },
        takeover: Takeover::Reject,
        dead_after: Duration::from_secs(2),
    };
    let publisher = service.hub.publish(&name(number), settings, request, start);
    let publisher = publisher.expect("nobody else publishes");
    let stream = Arc::clone(publisher.stream());
    client.set_role(Role::Publisher { announced: true }, Some(stream));
    let push = |track, wire, body: &[u8]| {
        let body = Bytes::copy_from_slice(body);
        let pushed = publisher.push(track, wire, body, start);
        pushed.expect("nobody took over");
    };
    push(Track::Video, 0, VIDEO_HEADER);
    push(Track::Audio, 0, &[0xAF, 0, 0x12, 0x10]);
    for frame in 0..100 {
        let first = if frame % 50 == 0 { 0x17 } else { 0x27 };
        push(Track::Video, frame * 40, &[first, 1, 0, 0, 0, 9]);
        push(Track::Audio, frame * 40 + 5, &[0xAF, 1, 9]);
    }
    (client, publisher)
}

fn play(
    service: &Service,
    settings: &StreamSettings,
    number: usize,
    start: Instant,
) -> (Admitted, Subscriber) {
    let client = admit(service, number, "LNX 9,0,124,2");
    // Half of them watch the same few.
    let watched = if number.is_multiple_of(2) {
        number % 50
    } else {
        number % STREAMS
    };
    let subscriber = service.hub.subscribe(&name(watched), settings, start);
    client.set_role(Role::Player, Some(Arc::clone(subscriber.stream())));
    (client, subscriber)
}

fn view<K: SortKey>(key: K, pattern: Option<&str>) -> View<K> {
    View {
        pattern: pattern.map(|text| Pattern::new(text, false).expect("it is one")),
        sort: Some(Sort {
            key,
            descending: true,
        }),
        start: 0,
        count: ROWS,
    }
}

fn json(answer: &impl Serialize) -> usize {
    black_box(serde_json::to_vec(answer).expect("it can be written")).len()
}

fn ask_summaries() -> usize {
    json(&report::summaries(&HOUSE.service))
}

fn ask_streams(key: StreamKey) -> usize {
    // As the API does, which compiles it anew for each request.
    let view = view(key, Some("(?i)camera-[0-9]*[1-8]$"));
    let listed = report::streams(&HOUSE.service, &StreamFilter::default(), &view, 30);
    assert_eq!(listed.items.len(), ROWS);
    json(&listed.items)
}

fn ask_clients(key: ClientKey, pattern: Option<&str>) -> usize {
    let view = view(key, pattern);
    let listed = report::clients(&HOUSE.service, &ClientFilter::default(), &view);
    assert_eq!(listed.items.len(), ROWS);
    json(&listed.items)
}

fn ask_history() -> usize {
    let id = format!("s{}", STREAMS / 2);
    let history = report::stream_history(&HOUSE.service, &id, HistoryRange::FiveMinutes);
    json(&history.expect("there is such a stream"))
}

/// Asks with caches that hold something else: in the second since the last time the server has
/// sent its streams to everybody.
fn bench(bencher: Bencher<'_, '_>, ask: impl Fn() -> usize) {
    LazyLock::force(&HOUSE);
    let mut others = vec![0_u8; OTHERS];
    bencher
        .with_inputs(|| {
            for byte in others.iter_mut().step_by(64) {
                *byte = byte.wrapping_add(1);
            }
            black_box(&others);
        })
        .bench_local_values(|()| ask());
}

#[divan::bench]
fn one_second(bencher: Bencher<'_, '_>) {
    bench(bencher, || {
        ask_summaries()
            + ask_streams(StreamKey::Out)
            + ask_clients(ClientKey::Out, None)
            + ask_history()
    });
}

#[divan::bench]
fn one_second_of_matched_clients(bencher: Bencher<'_, '_>) {
    bench(bencher, || {
        ask_summaries()
            + ask_streams(StreamKey::Out)
            + ask_clients(ClientKey::Out, Some("(?i)lnx"))
            + ask_history()
    });
}

#[divan::bench]
fn summaries(bencher: Bencher<'_, '_>) {
    bench(bencher, ask_summaries);
}

#[divan::bench(args = ["out", "name", "state", "video", "size"])]
fn streams(bencher: Bencher<'_, '_>, key: &str) {
    let key = key_of(key);
    bench(bencher, || ask_streams(key));
}

#[divan::bench(args = ["out", "stream", "agent"])]
fn clients(bencher: Bencher<'_, '_>, key: &str) {
    let key = key_of(key);
    bench(bencher, || ask_clients(key, None));
}

#[divan::bench]
fn clients_matched(bencher: Bencher<'_, '_>) {
    let pattern = Some(r"play 10\.0\.[0-9]+\.1[0-9]+:.*LNX");
    bench(bencher, || ask_clients(ClientKey::Out, pattern));
}

#[divan::bench]
fn history(bencher: Bencher<'_, '_>) {
    bench(bencher, ask_history);
}

/// What the server does each second for the figures, whoever looks.
#[divan::bench]
fn sample(bencher: Bencher<'_, '_>) {
    let now = std::cell::Cell::new(Instant::now() + Duration::from_secs(10 * HISTORY_SECONDS));
    bench(bencher, || {
        now.set(now.get() + Duration::from_secs(1));
        HOUSE.service.clients.sample(now.get());
        let streams = HOUSE.service.hub.streams();
        for stream in &streams {
            stream.sample(now.get());
        }
        streams.len()
    });
}

fn key_of<K: SortKey>(name: &str) -> K {
    let mut keys = K::ALL.iter();
    let (_, key) = keys
        .find(|(known, _)| *known == name)
        .expect("there is such a key");
    *key
}

const STREAMS: usize = 2_000;
const CLIENTS: usize = 20_000;
/// As many as a large terminal has.
const ROWS: usize = 60;
/// More than any cache has.
const OTHERS: usize = 128 * 1024 * 1024;
const HISTORY_SECONDS: u64 = 360;
/// Of x264: High 4.0, 1280x720, 25 frames a second.
const VIDEO_HEADER: &[u8] = b"\x17\0\0\0\0\x01\x64\0\x28\xFF\xE1\0\x1A\x67\x64\0\x28\xAC\xD9\x40\x50\
    \x05\xBB\x01\x10\0\0\x03\0\x10\0\0\x03\x03\x20\xF1\x83\x19\x60\x01\0\x06\x68\xEB\xE3\xCB\x22\xC0\
    \xFD\xF8\xF8\0";
