//! Our client against our server, and scripted peers against the server, over plain buffers.

use bytes::{Buf, Bytes, BytesMut};
use proptest::prelude::*;
use srs_amf0::Value;

use super::*;
use crate::chunk::{ChunkReader, ChunkWriter};
use crate::client::{ClientConnection, ClientEvent, ClientSettings, Purpose};
use crate::handshake::{ClientForm, ClientHandshake};
use crate::message::control::PeerBandwidthLimit;
use crate::url::RtmpUrl;

const URL: &str = "rtmp://localhost/live/show?key=1";

/// A server that says yes to everything, and what it was asked.
struct Yes {
    connection: ServerConnection,
    inbox: BytesMut,
    outbox: SendQueue,
    events: Vec<ServerEvent>,
}

impl Yes {
    fn new() -> Self {
        let entropy = Entropy::new([7; 32]);
        Self {
            connection: ServerConnection::new(ServerSettings::default(), 1, entropy),
            inbox: BytesMut::new(),
            outbox: SendQueue::default(),
            events: Vec::new(),
        }
    }

    fn feed(&mut self, bytes: &[u8]) -> Result<(), ConnectionError> {
        self.inbox.extend_from_slice(bytes);
        while let Some(event) = self.connection.read(&mut self.inbox, &mut self.outbox)? {
            match &event {
                ServerEvent::Connect(_) => {
                    self.connection
                        .accept_connect(&ConnectInfo::default(), &mut self.outbox);
                }
                ServerEvent::Publish(request) => {
                    let id = request.message_stream_id;
                    self.connection.set_chunk_size(60_000, &mut self.outbox);
                    self.connection.accept_publish(id, &mut self.outbox);
                }
                ServerEvent::Play(request) => {
                    self.connection.set_chunk_size(60_000, &mut self.outbox);
                    self.connection
                        .accept_play(request.message_stream_id, &mut self.outbox);
                }
                _ => {}
            }
            self.events.push(event);
        }
        Ok(())
    }

    fn take_output(&mut self) -> Bytes {
        let len = self.outbox.remaining();
        self.outbox.copy_to_bytes(len)
    }
}

/// A peer that says exactly what a test wants, and reads what it is told.
struct Scripted {
    server: Yes,
    writer: ChunkWriter,
    reader: ChunkReader,
    inbox: BytesMut,
}

impl Scripted {
    /// Through the handshake and `connect`.
    fn connected() -> Self {
        let mut server = Yes::new();
        let mut handshake = ClientHandshake::new(1, Entropy::new([9; 32]), ClientForm::Simple);
        let mut hello = BytesMut::new();
        handshake.start(&mut hello);
        server.feed(&hello).expect("C0 and C1");
        let (mut reply, mut last) = (BytesMut::from(&server.take_output()[..]), BytesMut::new());
        assert_eq!(handshake.handle_input(&mut reply, &mut last), Ok(true));
        server.feed(&last).expect("C2");
        let mut peer = Self {
            server,
            writer: ChunkWriter::new(HeaderPolicy::Full),
            reader: ChunkReader::new(Limits::default()),
            inbox: BytesMut::new(),
        };
        let object = Object::new()
            .with("app", "live")
            .with("tcUrl", "rtmp://localhost/live");
        peer.say("connect", 1.0, object.into(), Vec::new(), 0);
        peer.hear();
        peer
    }

    fn say(&mut self, name: &str, id: f64, object: Value, arguments: Vec<Value>, stream: u32) {
        let command = Command {
            name: name.into(),
            transaction_id: id,
            object,
            arguments,
        };
        self.send(&command.encode(3, stream))
            .expect("the server takes it");
    }

    fn send(&mut self, message: &Message) -> Result<(), ConnectionError> {
        let mut out = SendQueue::default();
        self.writer.write(message, &mut out);
        let len = out.remaining();
        let bytes = out.copy_to_bytes(len);
        self.server.feed(&bytes)
    }

    /// The names of the commands, and the codes of the notices, that the server has sent.
    fn hear(&mut self) -> Vec<String> {
        let output = self.server.take_output();
        self.inbox.extend_from_slice(&output);
        let mut heard = Vec::new();
        while let Some(message) = self.reader.read(&mut self.inbox).expect("we write well") {
            if let Some(control) = Control::decode(&message).expect("a control message") {
                if let Control::SetChunkSize(size) = control {
                    self.reader.set_chunk_size(size).expect("a size");
                }
                heard.push(format!("{control:?}"));
            } else if let Ok(command) = Command::decode(&message, &srs_amf0::Limits::default())
                && message.message_type == MessageType::CommandAmf0
            {
                let code = command.arguments.first().and_then(Value::as_object);
                let code = code
                    .and_then(|object| object.get("code"))
                    .and_then(Value::as_str);
                let text = code.map_or_else(
                    || format!("{} {}", command.name, command.transaction_id),
                    |code| format!("{} {code}", command.name),
                );
                heard.push(text);
            }
        }
        heard
    }
}

#[test]
fn an_encoder_of_the_fmle_kind_is_answered_at_each_step() {
    let mut peer = Scripted::connected();
    let show = || vec![Value::from("show")];
    peer.say("releaseStream", 2.0, Value::Null, show(), 0);
    peer.say("FCPublish", 3.0, Value::Null, show(), 0);
    peer.say("createStream", 4.0, Value::Null, Vec::new(), 0);
    assert_eq!(peer.hear(), ["_result 2", "_result 3", "_result 4"]);
    peer.say(
        "publish",
        5.0,
        Value::Null,
        vec!["show".into(), "live".into()],
        1,
    );
    assert_eq!(
        peer.hear(),
        [
            "SetChunkSize(60000)",
            "onFCPublish NetStream.Publish.Start",
            "onStatus NetStream.Publish.Start"
        ]
    );
    peer.say("FCUnpublish", 6.0, Value::Null, show(), 0);
    assert_eq!(
        peer.hear(),
        [
            "onFCUnpublish NetStream.Unpublish.Success",
            "_result 6",
            "onStatus NetStream.Unpublish.Success"
        ]
    );
    assert_eq!(
        peer.server.events.last(),
        Some(&ServerEvent::Stop {
            message_stream_id: 1
        })
    );
    peer.say("publish", 7.0, Value::Null, vec!["again".into()], 1);
    assert_eq!(peer.hear().len(), 2, "the connection publishes again");
}

#[test]
fn a_player_is_told_all_that_players_wait_for() {
    let mut peer = Scripted::connected();
    peer.say("createStream", 2.0, Value::Null, Vec::new(), 0);
    peer.say("play", 0.0, Value::Null, vec!["show".into()], 1);
    assert_eq!(
        peer.hear(),
        [
            "_result 2",
            "SetChunkSize(60000)",
            "User(StreamBegin(1))",
            "onStatus NetStream.Play.Reset",
            "onStatus NetStream.Play.Start",
        ]
    );
    peer.say("pause", 0.0, Value::Null, vec![true.into(), 40.0.into()], 1);
    assert_eq!(
        peer.hear(),
        ["onStatus NetStream.Pause.Notify", "User(StreamEof(1))"]
    );
    peer.say(
        "pause",
        0.0,
        Value::Null,
        vec![false.into(), 40.0.into()],
        1,
    );
    assert_eq!(
        peer.hear(),
        ["onStatus NetStream.Unpause.Notify", "User(StreamBegin(1))"]
    );
    peer.say("closeStream", 0.0, Value::Null, Vec::new(), 1);
    assert_eq!(peer.hear(), [""; 0]);
    peer.say(
        "play",
        0.0,
        Value::Null,
        vec!["next".into(), (-2.0).into()],
        1,
    );
    assert_eq!(
        peer.hear().len(),
        3,
        "another stream on the same connection"
    );
    let plays = |event: &&ServerEvent| matches!(event, ServerEvent::Play(_));
    assert_eq!(peer.server.events.iter().filter(plays).count(), 2);
}

#[test]
fn message_streams_carry_different_things_at_a_time() {
    let mut peer = Scripted::connected();
    for transaction in [2.0, 3.0] {
        peer.say("createStream", transaction, Value::Null, Vec::new(), 0);
    }
    peer.say("publish", 0.0, Value::Null, vec!["mine".into()], 1);
    peer.say("play", 0.0, Value::Null, vec!["yours".into()], 2);
    peer.say("deleteStream", 0.0, Value::Null, vec![1.0.into()], 0);
    assert_eq!(
        peer.server.events.last(),
        Some(&ServerEvent::Stop {
            message_stream_id: 1
        })
    );
    peer.say("pause", 0.0, Value::Null, vec![true.into()], 2);
    let paused = ServerEvent::Pause {
        message_stream_id: 2,
        paused: true,
    };
    assert_eq!(peer.server.events.last(), Some(&paused));
}

#[test]
fn requests_are_answered_in_order_even_when_the_peer_sends_ahead() {
    let mut peer = Scripted::connected();
    // A server that has not answered yet reads nothing further.
    let mut waiting = peer.server.connection.clone();
    let mut out = SendQueue::default();
    let publish = Command {
        name: "publish".into(),
        transaction_id: 0.0,
        object: Value::Null,
        arguments: vec!["show".into()],
    };
    peer.writer.write(&publish.encode(3, 1), &mut out);
    let video = Message {
        chunk_stream_id: 6,
        timestamp: 0,
        message_type: MessageType::Video,
        message_stream_id: 1,
        payload: Bytes::from_static(&[0x17, 1]),
    };
    peer.writer.write(&video, &mut out);
    let len = out.remaining();
    let mut inbox = BytesMut::from(&out.copy_to_bytes(len)[..]);
    let mut answers = SendQueue::default();
    let first = waiting.read(&mut inbox, &mut answers).expect("well formed");
    assert!(matches!(first, Some(ServerEvent::Publish(_))));
    assert_eq!(waiting.read(&mut inbox, &mut answers), Ok(None));
    assert!(
        !inbox.is_empty(),
        "the media wait until the answer is given"
    );
    waiting.accept_publish(1, &mut answers);
    let second = waiting.read(&mut inbox, &mut answers).expect("well formed");
    assert!(matches!(second, Some(ServerEvent::Media(_))));
}

#[test]
fn media_without_a_publish_and_answers_to_nothing_are_ignored() {
    let mut peer = Scripted::connected();
    let before = peer.server.events.len();
    let video = Message {
        chunk_stream_id: 6,
        timestamp: 0,
        message_type: MessageType::Video,
        message_stream_id: 1,
        payload: Bytes::from_static(&[0x17, 1]),
    };
    peer.send(&video).expect("ignored");
    peer.say("_result", 9.0, Value::Null, Vec::new(), 0);
    peer.say("onStatus", 0.0, Value::Null, Vec::new(), 0);
    assert_eq!(peer.server.events.len(), before);
    assert_eq!(peer.hear(), [""; 0]);
    peer.say("getStreamLength", 5.0, Value::Null, vec!["show".into()], 0);
    assert_eq!(
        peer.hear(),
        ["_result 5"],
        "a call with a transaction is answered"
    );
}

#[test]
fn a_peers_window_is_acknowledged_and_its_ping_answered() {
    let mut peer = Scripted::connected();
    peer.send(&Control::WindowAckSize(100).encode())
        .expect("a window");
    peer.hear();
    peer.send(&Control::User(UserControl::PingRequest(77)).encode())
        .expect("a ping");
    assert_eq!(peer.hear(), ["User(PingResponse(77))"]);
    let filler = Message {
        chunk_stream_id: 6,
        timestamp: 0,
        message_type: MessageType::Video,
        message_stream_id: 1,
        payload: Bytes::from(vec![0; 120]),
    };
    peer.send(&filler).expect("media");
    let heard = peer.hear();
    assert!(heard[0].starts_with("Acknowledgement("), "{heard:?}");
    let bandwidth = Control::SetPeerBandwidth {
        window: 5_000,
        limit: PeerBandwidthLimit::Hard,
    };
    peer.send(&bandwidth.encode()).expect("a bandwidth");
    assert!(peer.hear().contains(&"WindowAckSize(5000)".to_owned()));
}

#[test]
fn more_message_streams_than_allowed_end_the_connection() {
    let mut peer = Scripted::connected();
    let limit = Limits::default().message_streams;
    for index in 0..limit {
        let transaction = f64::from(u32::try_from(index).expect("small")) + 2.0;
        peer.say("createStream", transaction, Value::Null, Vec::new(), 0);
    }
    let command = Command {
        name: "createStream".into(),
        transaction_id: 99.0,
        object: Value::Null,
        arguments: Vec::new(),
    };
    let error = peer.send(&command.encode(3, 0));
    assert_eq!(error, Err(ConnectionError::TooManyMessageStreams { limit }));
}

/// Our client and a server, with the bytes between them cut into pieces.
struct Pair {
    client: ClientConnection,
    to_server: SendQueue,
    at_client: BytesMut,
    server: Yes,
    events: Vec<ClientEvent>,
}

impl Pair {
    fn new(purpose: Purpose, form: ClientForm) -> Self {
        let url = RtmpUrl::parse(URL).expect("a URL");
        let settings = ClientSettings {
            handshake: form,
            ..ClientSettings::new(&url, purpose)
        };
        let mut client = ClientConnection::new(settings, 2, Entropy::new([3; 32]));
        let mut to_server = SendQueue::default();
        client.start(&mut to_server);
        Self {
            client,
            to_server,
            at_client: BytesMut::new(),
            server: Yes::new(),
            events: Vec::new(),
        }
    }

    /// Moves bytes until neither side has any, in pieces of these sizes, over and over.
    fn exchange(&mut self, pieces: &[usize]) {
        let mut sizes = pieces.iter().copied().cycle();
        let mut piece = || sizes.next().unwrap_or(usize::MAX).max(1);
        while self.to_server.has_remaining() || self.server.outbox.has_remaining() {
            let len = self.to_server.remaining().min(piece());
            let bytes = self.to_server.copy_to_bytes(len);
            self.server
                .feed(&bytes)
                .expect("the client keeps to the protocol");
            let len = self.server.outbox.remaining().min(piece());
            self.at_client
                .extend_from_slice(&self.server.outbox.copy_to_bytes(len));
            while let Some(event) = self
                .client
                .read(&mut self.at_client, &mut self.to_server)
                .expect("the server keeps to the protocol")
            {
                self.events.push(event);
            }
        }
    }
}

#[test]
fn our_client_publishes_to_our_server() {
    for form in [ClientForm::Simple, ClientForm::Complex] {
        let mut pair = Pair::new(Purpose::Publish, form);
        pair.exchange(&[usize::MAX]);
        assert!(
            pair.events.contains(&ClientEvent::Publishing),
            "{:?}",
            pair.events
        );
        let payload = Bytes::from(vec![0x17; 5_000]);
        pair.client
            .send_media(MediaKind::Video, 0xFFFF_FFF0, &payload, &mut pair.to_server);
        pair.client.finish(&mut pair.to_server);
        pair.exchange(&[usize::MAX]);
        let media = Media {
            message_stream_id: 1,
            kind: MediaKind::Video,
            timestamp: 0xFFFF_FFF0,
            payload,
        };
        let events = &pair.server.events;
        assert!(events.contains(&ServerEvent::Media(media)));
        assert!(events.contains(&ServerEvent::Stop {
            message_stream_id: 1
        }));
    }
}

#[test]
fn our_client_plays_from_our_server_until_the_end() {
    let mut pair = Pair::new(Purpose::Play, ClientForm::Complex);
    pair.exchange(&[usize::MAX]);
    assert!(
        pair.events.contains(&ClientEvent::Playing),
        "{:?}",
        pair.events
    );
    let payload = Bytes::from_static(&[0xAF, 1, 2, 3]);
    let server = &mut pair.server;
    server
        .connection
        .send_media(1, MediaKind::Audio, 40, &payload, &mut server.outbox);
    server.connection.end_play(1, "over", &mut server.outbox);
    pair.exchange(&[usize::MAX]);
    let media = Media {
        message_stream_id: 1,
        kind: MediaKind::Audio,
        timestamp: 40,
        payload,
    };
    assert!(pair.events.contains(&ClientEvent::Media(media)));
    let ended = |event: &ClientEvent| matches!(event, ClientEvent::Ended { .. });
    assert!(pair.events.iter().any(ended));
}

#[test]
fn a_refusal_reaches_the_client_in_the_servers_words() {
    let mut pair = Pair::new(Purpose::Publish, ClientForm::Complex);
    pair.exchange(&[usize::MAX]);
    let rejection = PublishRejection::BadName("busy".into());
    let server = &mut pair.server;
    server
        .connection
        .reject_publish(1, &rejection, &mut server.outbox);
    pair.exchange(&[usize::MAX]);
    let refused = ClientEvent::Refused {
        code: "NetStream.Publish.BadName".into(),
        description: "busy".into(),
    };
    assert_eq!(pair.events.last(), Some(&refused));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn any_split_of_the_bytes_gives_the_same_events(
        pieces in prop::collection::vec(1usize..700, 1..20),
        publish in any::<bool>(),
    ) {
        let purpose = if publish { Purpose::Publish } else { Purpose::Play };
        let mut whole = Pair::new(purpose, ClientForm::Complex);
        whole.exchange(&[usize::MAX]);
        let mut split = Pair::new(purpose, ClientForm::Complex);
        split.exchange(&pieces);
        prop_assert_eq!(whole.server.events, split.server.events);
        prop_assert_eq!(whole.events, split.events);
    }

    #[test]
    fn random_bytes_after_connect_end_the_connection_at_worst(
        bytes in prop::collection::vec(any::<u8>(), 0..4_000)
    ) {
        let mut peer = Scripted::connected();
        // An error is fine; a panic, or output without bound, is not.
        let _ = peer.server.feed(&bytes);
        prop_assert!(peer.server.outbox.len() < 64 * bytes.len() + 1_000);
    }
}
