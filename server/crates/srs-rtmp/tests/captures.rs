//! Sessions of real encoders, players and servers, recorded by `tests/captures/record`.
//!
//! Each side of a recording is given to the machine that answers such peers. That machine's own
//! answers go nowhere: the peer had the same from the daemon, or from nginx, when it was recorded.

use std::path::Path;

use bytes::BytesMut;
use proptest::prelude::*;
use srs_rtmp::chunk::ChunkReader;
use srs_rtmp::client::{ClientConnection, ClientEvent, ClientSettings, Purpose};
use srs_rtmp::entropy::Entropy;
use srs_rtmp::message::control::Control;
use srs_rtmp::server::{ConnectInfo, ServerConnection, ServerEvent, ServerSettings};
use srs_rtmp::url::RtmpUrl;
use srs_rtmp::{ConnectionError, Limits, Media, SendQueue};

/// What a server hears from each client, a line for an event or a run of media.
const CLIENTS: &[(&str, &[&str])] = &[
    (
        "ffmpeg_publish",
        &[
            "HandshakeDone",
            "connect live of …/live as \"FMLE/3.0 (compatible; Lavf59.27.100)\"",
            "1: publish show?key=1, announced",
            "Data 0, Video 0, Audio 0, Video 0 … 75",
            "1: stop",
        ],
    ),
    (
        "ffmpeg_publish_late",
        &[
            "HandshakeDone",
            "connect live of …/live as \"FMLE/3.0 (compatible; Lavf59.27.100)\"",
            "1: publish show, announced",
            "Data 0, Video 0, Audio 0, Video 20000000 … 70",
            "1: stop",
        ],
    ),
    (
        "ffmpeg_play",
        &[
            "HandshakeDone",
            "connect live of …/live as \"LNX 9,0,124,2\"",
            "1: play show from -2000 for -1",
            "1: buffer of 3000 ms",
        ],
    ),
    (
        "gstreamer_publish",
        &[
            "HandshakeDone",
            "connect live of …/live as \"LNX 10,0,32,18\"",
            "1: publish show, announced",
            "Data 0, Video 0, Audio 0, Video 0 … 85",
            "1: stop",
        ],
    ),
    (
        "gstreamer_play",
        &[
            "HandshakeDone",
            "connect live of …/live as \"LNX 10,0,32,18\"",
            "0: buffer of 300 ms",
            "1: play show from -2 for -1",
            "1: buffer of 30000 ms",
        ],
    ),
    (
        "librtmp_publish",
        &[
            "HandshakeDone",
            "connect live of …/live as \"\"",
            "1: publish show, announced",
            "Data 0, Video 0, Audio 0, Video 0 … 75",
            "1: stop",
        ],
    ),
    (
        "librtmp_publish_late",
        &[
            "HandshakeDone",
            "connect live of …/live as \"\"",
            "1: publish show, announced",
            "Data 0, Video 0, Audio 0, Video 20000000 … 70",
            "1: stop",
        ],
    ),
    (
        "librtmp_play",
        &[
            "HandshakeDone",
            "connect live of …/live as \"LNX 10,0,32,18\"",
            "0: buffer of 300 ms",
            "1: play show from -1000 for -1",
            "1: buffer of 36000000 ms",
            "1: stop",
        ],
    ),
    (
        "nginx_push",
        &[
            "HandshakeDone",
            "connect live of …/live as \"LNX.11,1,102,55\"",
            "1: publish show",
            "Data 0, Audio 57, Audio 80, Audio 103 … 118",
        ],
    ),
    (
        "nginx_pull",
        &[
            "HandshakeDone",
            "connect live of …/live as \"LNX.11,1,102,55\"",
            "1: play show from -2000 for -1000",
            "1: buffer of 5000 ms",
        ],
    ),
    (
        "srs_publish",
        &[
            "HandshakeDone",
            "connect live of …/live as \"FMLE/3.0 (compatible; srs)\"",
            "1: publish show, announced",
            "Data 0, Video 0, Audio 0, Video 0 … 75",
            "1: stop",
        ],
    ),
    (
        "srs_play",
        &[
            "HandshakeDone",
            "connect live of …/live as \"WIN 12,0,0,41\"",
            "1: play show from -2000 for -1",
            "1: buffer of 1000 ms",
            "1: stop",
        ],
    ),
];

/// What our client hears from the servers of those clients that number their requests as it does.
const SERVERS: &[(&str, Purpose, &[&str])] = &[
    (
        "ffmpeg_publish",
        Purpose::Publish,
        &[
            "connected",
            "Publishing",
            "ended NetStream.Unpublish.Success",
        ],
    ),
    (
        "ffmpeg_play",
        Purpose::Play,
        &[
            "connected",
            "status NetStream.Play.Reset",
            "Playing",
            "Data 0, Video 0, Audio 0, Video 0 … 24",
        ],
    ),
    (
        "librtmp_publish",
        Purpose::Publish,
        &[
            "connected",
            "Publishing",
            "ended NetStream.Unpublish.Success",
        ],
    ),
    (
        "librtmp_play",
        Purpose::Play,
        &[
            "connected",
            "status NetStream.Play.Reset",
            "Playing",
            "Data 0, Video 0, Audio 0, Video 0 … 24",
        ],
    ),
    (
        "srs_publish",
        Purpose::Publish,
        &[
            "connected",
            "Publishing",
            "ended NetStream.Unpublish.Success",
        ],
    ),
    (
        "srs_play",
        Purpose::Play,
        &[
            "connected",
            "Playing",
            "Data 0, Video 1040, Video 1160, Video 1200 … 26",
        ],
    ),
];

#[test]
fn every_recorded_client_is_understood() {
    for &(name, expected) in CLIENTS {
        let heard = hear_client(&recorded(name, "client"), usize::MAX).expect(name);
        assert_eq!(heard.lines(), expected, "{name}");
    }
}

#[test]
fn every_recorded_server_is_understood() {
    for &(name, purpose, expected) in SERVERS {
        let heard = hear_server(purpose, &recorded(name, "server"), usize::MAX).expect(name);
        assert_eq!(heard.lines(), expected, "{name}");
    }
}

#[test]
fn recordings_are_understood_however_they_are_split() {
    for piece in [1, 7, 1000] {
        for &(name, expected) in CLIENTS {
            let heard = hear_client(&recorded(name, "client"), piece).expect(name);
            assert_eq!(heard.lines(), expected, "{name} in pieces of {piece}");
        }
        for &(name, purpose, expected) in SERVERS {
            let heard = hear_server(purpose, &recorded(name, "server"), piece).expect(name);
            assert_eq!(heard.lines(), expected, "{name} in pieces of {piece}");
        }
    }
}

#[test]
fn timestamps_beyond_24_bits_are_those_of_the_clip() {
    let name = "srs_publish";
    let clip = hear_client(&recorded(name, "client"), usize::MAX).expect(name);
    for name in ["ffmpeg_publish_late", "librtmp_publish_late"] {
        let heard = hear_client(&recorded(name, "client"), usize::MAX).expect(name);
        // The clip was cut a little earlier there, and ends with other messages.
        let frames: Vec<_> = heard
            .media()
            .filter(|media| media.timestamp > 0)
            .take(60)
            .collect();
        assert_eq!(frames.len(), 60, "{name}");
        for frame in frames {
            let is_in_clip = clip.media().any(|other| {
                (other.timestamp + LATE_MILLIS, &other.payload) == (frame.timestamp, &frame.payload)
            });
            assert!(is_in_clip, "{name}: {frame:?}");
        }
    }
}

#[test]
fn what_servers_send_is_a_sound_chunk_stream() {
    for &(name, _) in CLIENTS {
        let mut input = recorded(name, "server").split_off(HANDSHAKE);
        let mut reader = ChunkReader::new(Limits::default());
        let mut messages = 0;
        while let Some(message) = reader.read(&mut input).expect(name) {
            if let Some(Control::SetChunkSize(size)) = Control::decode(&message).expect(name) {
                reader.set_chunk_size(size).expect(name);
            }
            messages += 1;
        }
        assert!(messages >= 7, "{name}: {messages} messages");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn a_damaged_recording_ends_its_session_at_worst(
        (name, _) in prop::sample::select(CLIENTS),
        damages in prop::collection::vec((HANDSHAKE..HANDSHAKE + 2000, any::<u8>()), 1..8),
        piece in 1..2000_usize,
        purpose in prop::sample::select(&[Purpose::Publish, Purpose::Play]),
    ) {
        let mut sides = [recorded(name, "client"), recorded(name, "server")];
        for (at, byte) in damages {
            for side in &mut sides {
                if let Some(damaged) = side.get_mut(at) {
                    *damaged = byte;
                }
            }
        }
        // An error is fine.
        let _ = hear_client(&sides[0], piece);
        let _ = hear_server(purpose, &sides[1], piece);
    }
}

/// What was heard in a session.
enum Heard {
    Event(String),
    Media(Media),
}

/// All that was heard in a session, in order.
struct Session(Vec<Heard>);

impl Session {
    /// A line for an event. A run of media is a line too: the first four messages with their
    /// timestamps, and how many there are.
    fn lines(&self) -> Vec<String> {
        let is_media = |heard: &Heard| matches!(heard, Heard::Media(_));
        let runs = self.0.chunk_by(|a, b| is_media(a) && is_media(b));
        let line = |run: &[Heard]| match run {
            [Heard::Event(event)] => event.clone(),
            _ => {
                let first = run.iter().take(4).map(|heard| match heard {
                    Heard::Event(event) => event.clone(),
                    Heard::Media(media) => format!("{:?} {}", media.kind, media.timestamp),
                });
                format!("{} … {}", first.collect::<Vec<_>>().join(", "), run.len())
            }
        };
        runs.map(line).collect()
    }

    fn media(&self) -> impl Iterator<Item = &Media> {
        self.0.iter().filter_map(|heard| match heard {
            Heard::Media(media) => Some(media),
            Heard::Event(_) => None,
        })
    }
}

/// Gives a client's bytes to a server that accepts everything, so many at a time.
fn hear_client(bytes: &[u8], piece: usize) -> Result<Session, ConnectionError> {
    let entropy = Entropy::new([7; 32]);
    let mut server = ServerConnection::new(ServerSettings::default(), 0, entropy);
    let (mut inbox, mut outbox) = (BytesMut::new(), SendQueue::default());
    let mut heard = Vec::new();
    for bytes in bytes.chunks(piece) {
        inbox.extend_from_slice(bytes);
        while let Some(event) = server.read(&mut inbox, &mut outbox)? {
            accept(&mut server, &event, &mut outbox);
            heard.push(match event {
                ServerEvent::Media(media) => Heard::Media(media),
                event => Heard::Event(describe(&event)),
            });
        }
    }
    Ok(Session(heard))
}

fn accept(server: &mut ServerConnection, event: &ServerEvent, outbox: &mut SendQueue) {
    match event {
        ServerEvent::Connect(_) => server.accept_connect(&ConnectInfo::default(), outbox),
        ServerEvent::Publish(request) => {
            server.set_chunk_size(60_000, outbox);
            server.accept_publish(request.message_stream_id, outbox);
        }
        ServerEvent::Play(request) => {
            server.set_chunk_size(60_000, outbox);
            server.accept_play(request.message_stream_id, outbox);
        }
        _ => {}
    }
}

/// An event in a line, without what differs from one recording to the next.
fn describe(event: &ServerEvent) -> String {
    match event {
        ServerEvent::Connect(request) => {
            let path = request.tc_url.rsplit('/').next().unwrap_or_default();
            let (app, name) = (&request.app, &request.flash_version);
            format!("connect {app} of …/{path} as {name:?}")
        }
        ServerEvent::Publish(request) => {
            let announced = if request.announced { ", announced" } else { "" };
            format!(
                "{}: publish {}{announced}",
                request.message_stream_id, request.stream
            )
        }
        ServerEvent::Play(request) => {
            let (id, stream, start) = (request.message_stream_id, &request.stream, request.start);
            format!("{id}: play {stream} from {start} for {}", request.duration)
        }
        ServerEvent::BufferLength {
            message_stream_id,
            millis,
        } => format!("{message_stream_id}: buffer of {millis} ms"),
        ServerEvent::Stop { message_stream_id } => format!("{message_stream_id}: stop"),
        event => format!("{event:?}"),
    }
}

/// Gives a server's bytes to a client, so many at a time.
fn hear_server(purpose: Purpose, bytes: &[u8], piece: usize) -> Result<Session, ConnectionError> {
    let url = RtmpUrl::parse("rtmp://localhost/live/show").expect("a URL");
    let settings = ClientSettings::new(&url, purpose);
    let mut client = ClientConnection::new(settings, 0, Entropy::new([7; 32]));
    let (mut inbox, mut outbox) = (BytesMut::new(), SendQueue::default());
    client.start(&mut outbox);
    let mut heard = Vec::new();
    for bytes in bytes.chunks(piece) {
        inbox.extend_from_slice(bytes);
        while let Some(event) = client.read(&mut inbox, &mut outbox)? {
            heard.push(match event {
                ClientEvent::Media(media) => Heard::Media(media),
                // With whatever the server tells about itself.
                ClientEvent::Connected { .. } => Heard::Event("connected".to_owned()),
                ClientEvent::Status { code, .. } => Heard::Event(format!("status {code}")),
                ClientEvent::Ended { code, .. } => Heard::Event(format!("ended {code}")),
                event => Heard::Event(format!("{event:?}")),
            });
        }
    }
    Ok(Session(heard))
}

fn recorded(name: &str, side: &str) -> BytesMut {
    let folder = Path::new(concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../../tests/captures"
    ));
    let file = folder.join(format!("{name}.{side}"));
    let bytes = std::fs::read(&file).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
    BytesMut::from(&bytes[..])
}

/// How much later than in the clip the recordings of that name are.
const LATE_MILLIS: u32 = 20_000_000;
/// What either side sends before the first chunk.
const HANDSHAKE: usize = 1 + 2 * 1536;
