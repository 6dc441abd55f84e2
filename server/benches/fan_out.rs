//! What one packet costs on its way from the log to the players: reading by many cursors, and the
//! framing for each.
//!
//! `cargo bench -p srs --bench fan_out`. The stream is 500 kbit/s: 25 video and 43 audio packets a
//! second. Figures are packets delivered, and payload bytes delivered, a second on one core, with
//! no socket in the way.

use std::net::IpAddr;
use std::time::{Duration, Instant};

use bytes::{Buf as _, Bytes};
use divan::counter::{BytesCount, ItemsCount};
use divan::{Bencher, black_box};
use srs::config::{Takeover, VhostConfig};
use srs::hub::log::LogLimits;
use srs::hub::takeover::Credential;
use srs::hub::{Hub, PublishRequest, Publisher, StreamName, StreamSettings, Subscriber};
use srs::output::rtmp_play::RtmpPlay;
use srs_media::packet::Track;
use srs_net::seed;
use srs_rtmp::SendQueue;
use srs_rtmp::server::{ServerConnection, ServerSettings};

fn main() {
    divan::main();
}

/// A stream with a publisher, and a second of its packets.
struct Studio {
    hub: Hub,
    publisher: Publisher,
    name: StreamName,
    second: Vec<(Track, u32, Bytes)>,
    start: Instant,
    seconds: u32,
}

impl Studio {
    fn new() -> Self {
        let (hub, start) = (Hub::default(), Instant::now());
        let name = StreamName::new("__defaultVhost__", "live", "show");
        let request = PublishRequest {
            client: 100,
            credential: Credential {
                address: IpAddr::from([127, 0, 0, 1]),
                params: String::new(),
            },
            takeover: Takeover::Reject,
            dead_after: Duration::from_secs(2),
        };
        let publisher = hub
            .publish(&name, &settings(), request, start)
            .expect("nobody else publishes");
        Self {
            hub,
            publisher,
            name,
            second: second_of_packets(),
            start,
            seconds: 0,
        }
    }

    fn subscribe(&self) -> Subscriber {
        self.hub.subscribe(&self.name, &settings(), self.start)
    }

    /// Appends the next second.
    fn publish_second(&mut self) {
        let base = self.seconds * 1_000;
        for (track, offset, payload) in &self.second {
            let now = self.start + Duration::from_millis(u64::from(base + offset));
            self.publisher
                .push(*track, base + offset, payload.clone(), now)
                .expect("nobody took over");
        }
        self.seconds += 1;
    }

    fn packets(&self) -> usize {
        self.second.len()
    }

    fn bytes(&self) -> usize {
        self.second
            .iter()
            .map(|(_, _, payload)| payload.len())
            .sum()
    }
}

fn settings() -> StreamSettings {
    StreamSettings {
        log: LogLimits {
            queue_length: Duration::from_secs(30),
            gop_cache: true,
            memory: 64 * 1024 * 1024,
        },
        atc: false,
        atc_auto: false,
        mix_correct: false,
    }
}

/// 436 kbit/s of video with one key frame, 64 kbit/s of audio, in the order of their timestamps.
fn second_of_packets() -> Vec<(Track, u32, Bytes)> {
    let video = (0..25).map(|frame| {
        let (first, len) = if frame == 0 {
            (0x17, 12_000)
        } else {
            (0x27, 1_770)
        };
        let mut body = vec![0; len];
        body[..2].copy_from_slice(&[first, 1]);
        (Track::Video, frame * 40, Bytes::from(body))
    });
    let audio = (0..43).map(|frame| {
        let mut body = vec![0; 186];
        body[..2].copy_from_slice(&[0xAF, 1]);
        (Track::Audio, frame * 1_000 / 43, Bytes::from(body))
    });
    let mut packets: Vec<_> = video.chain(audio).collect();
    packets.sort_by_key(|(_, offset, _)| *offset);
    packets
}

/// The publisher's side alone: the timeline, the log, and what is dropped from it.
#[divan::bench]
fn append(bencher: Bencher<'_, '_>) {
    let mut studio = Studio::new();
    let (packets, bytes) = (studio.packets(), studio.bytes());
    bencher
        .counter(ItemsCount::new(packets))
        .counter(BytesCount::new(bytes))
        .bench_local(|| studio.publish_second());
}

/// Cursors alone: one second is appended, and each of them reads it.
#[divan::bench(args = [1, 100, 1_000])]
fn read(bencher: Bencher<'_, '_>, players: usize) {
    let mut studio = Studio::new();
    let mut subscribers: Vec<_> = (0..players).map(|_| studio.subscribe()).collect();
    let mut batch = Vec::new();
    bencher
        .counter(ItemsCount::new(studio.packets() * players))
        .counter(BytesCount::new(studio.bytes() * players))
        .bench_local(|| {
            studio.publish_second();
            for subscriber in &mut subscribers {
                while subscriber.try_read(&mut batch) {
                    black_box(&batch);
                    batch.clear();
                }
            }
        });
}

/// Cursors and RTMP framing: what is left is the write to the socket.
#[divan::bench(args = [1, 100, 1_000])]
fn read_and_frame(bencher: Bencher<'_, '_>, players: usize) {
    let mut studio = Studio::new();
    let config = VhostConfig::default();
    let mut plays: Vec<_> = (0..players)
        .map(|_| {
            let connection = ServerConnection::new(ServerSettings::default(), 0, seed::entropy());
            (
                RtmpPlay::new(1, studio.subscribe(), &config, -1.0, studio.start),
                connection,
            )
        })
        .collect();
    for (_, connection) in &mut plays {
        connection.set_chunk_size(60_000, &mut SendQueue::default());
    }
    let mut out = SendQueue::default();
    bencher
        .counter(ItemsCount::new(studio.packets() * players))
        .counter(BytesCount::new(studio.bytes() * players))
        .bench_local(|| {
            studio.publish_second();
            for (play, connection) in &mut plays {
                while play.try_ready() {
                    play.send(connection, &mut out, studio.start);
                    out.advance(black_box(out.remaining()));
                }
            }
        });
}
