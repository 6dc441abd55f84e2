//! A whole session of a client, from behind the handshake on.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use bytes::{Bytes, BytesMut};
use srs_rtmp::entropy::Entropy;
use srs_rtmp::server::{
    ConnectInfo, ConnectRejection, PlayRejection, PublishRejection, ServerConnection, ServerEvent,
    ServerSettings,
};
use srs_rtmp::{ConnectionError, Limits, MediaKind, SendQueue};

use crate::input::{Answers, Input, Pieces};
use crate::session::{Outcome, Output, Seen, simple_handshake};

/// Answers what the client asks for as the input says. Events do not depend on the split, belong to
/// streams that were accepted, and what is sent is RTMP and not much more than was received.
pub fn server_session(data: &[u8]) {
    let Some(input) = Input::new(data) else {
        return;
    };
    let whole = Session::new(input.answers).run(input.bytes, Pieces::Whole);
    let split = Session::new(input.answers).run(input.bytes, input.pieces);
    assert_eq!(whole, split);
}

/// A server, and what it should know of its message streams.
struct Session {
    connection: ServerConnection,
    output: Output,
    answers: Answers,
    seen: Vec<Seen>,
    publishing: BTreeSet<u32>,
    playing: BTreeSet<u32>,
    is_rejected: bool,
}

impl Session {
    fn new(answers: Answers) -> Self {
        static BEHIND_HANDSHAKE: LazyLock<ServerConnection> = LazyLock::new(shake_hands);
        Self {
            connection: BEHIND_HANDSHAKE.clone(),
            output: Output::default(),
            answers,
            seen: Vec::new(),
            publishing: BTreeSet::new(),
            playing: BTreeSet::new(),
            is_rejected: false,
        }
    }

    fn run(mut self, mut rest: &[u8], mut pieces: Pieces) -> Outcome {
        let mut inbox = BytesMut::new();
        // Of what needs no decision, FCUnpublish has the longest answer: 25 times as long.
        self.output.allow(100, rest.len(), 30);
        let mut error = None;
        while error.is_none() && pieces.feed(&mut rest, &mut inbox) {
            // One acknowledgement for each read at most, however many the client wants.
            self.output.allow(16, 0, 0);
            error = self.read_all(&mut inbox).err();
        }
        self.output.check();
        Outcome {
            seen: self.seen,
            error,
        }
    }

    fn read_all(&mut self, inbox: &mut BytesMut) -> Result<(), ConnectionError> {
        while let Some(event) = self.connection.read(inbox, &mut self.output.queue)? {
            assert!(!self.is_rejected, "nothing is read behind a refusal");
            if is_request(&event) && self.answers.yes() {
                let (bytes, sent) = (inbox.len(), self.output.queue.len());
                let read = self.connection.read(inbox, &mut self.output.queue);
                assert_eq!(read, Ok(None), "a request waits for its answer");
                assert_eq!((inbox.len(), self.output.queue.len()), (bytes, sent));
            }
            let id = self.handle(&event);
            self.seen.push(match event {
                ServerEvent::Media(media) => Seen::Media(media),
                event => Seen::other(&event),
            });
            if let Some(id) = id
                && !self.answers.yes()
            {
                self.interfere(id);
            }
        }
        Ok(())
    }

    /// Answers the event; the message stream that it is about.
    fn handle(&mut self, event: &ServerEvent) -> Option<u32> {
        match event {
            ServerEvent::HandshakeDone => panic!("the handshake was done before"),
            ServerEvent::Connect(_) => {
                if self.answers.yes() {
                    let info = ConnectInfo::default();
                    self.answer(0, |connection, out| connection.accept_connect(&info, out));
                } else {
                    let rejection = ConnectRejection::InvalidApp("no such app".to_owned());
                    self.answer(0, |connection, out| {
                        connection.reject_connect(&rejection, out);
                    });
                    self.is_rejected = true;
                }
                None
            }
            ServerEvent::Publish(request) => {
                let id = request.message_stream_id;
                self.publishing.remove(&id);
                self.playing.remove(&id);
                if self.answers.yes() {
                    self.answer(0, |connection, out| {
                        connection.set_chunk_size(60_000, out);
                        connection.accept_publish(id, out);
                    });
                    self.publishing.insert(id);
                } else {
                    let rejection = PublishRejection::BadName("busy".to_owned());
                    self.answer(0, |connection, out| {
                        connection.reject_publish(id, &rejection, out);
                    });
                }
                Some(id)
            }
            ServerEvent::Play(request) => {
                let id = request.message_stream_id;
                self.publishing.remove(&id);
                self.playing.remove(&id);
                if self.answers.yes() {
                    self.answer(request.stream.len(), |connection, out| {
                        connection.set_chunk_size(128, out);
                        connection.accept_play(id, out);
                    });
                    self.playing.insert(id);
                } else {
                    let rejection = PlayRejection::StreamNotFound("no such stream".to_owned());
                    self.answer(0, |connection, out| {
                        connection.reject_play(id, &rejection, out);
                    });
                }
                Some(id)
            }
            ServerEvent::Media(media) => {
                assert!(self.publishing.contains(&media.message_stream_id));
                assert!(media.payload.len() <= longest(media.kind));
                Some(media.message_stream_id)
            }
            ServerEvent::Pause {
                message_stream_id: id,
                ..
            }
            | ServerEvent::Receive {
                message_stream_id: id,
                ..
            } => {
                assert!(self.playing.contains(id));
                Some(*id)
            }
            ServerEvent::BufferLength { .. } => None,
            ServerEvent::Stop {
                message_stream_id: id,
            } => {
                assert!(self.publishing.remove(id) || self.playing.remove(id));
                Some(*id)
            }
        }
        .inspect(|_| {
            let streams = self.publishing.union(&self.playing).count();
            assert!(streams <= Limits::default().message_streams);
        })
    }

    /// Sends an answer, which may repeat a name of so many bytes.
    fn answer(
        &mut self,
        name_len: usize,
        send: impl FnOnce(&mut ServerConnection, &mut SendQueue),
    ) {
        let sent = self.output.send(|out| send(&mut self.connection, out));
        assert!(sent <= 1000 + 3 * name_len, "{sent} bytes");
    }

    /// Does what a server does on its own account.
    fn interfere(&mut self, id: u32) {
        let connection = &mut self.connection;
        if self.publishing.remove(&id) {
            self.output
                .send(|out| connection.end_publish(id, "replaced", out));
        } else if self.playing.contains(&id) {
            let payload = Bytes::from_static(&[0xAF; 300]);
            self.output.send(|out| {
                connection.send_media(id, MediaKind::Audio, u32::MAX, &payload, out);
                connection.stream_dry(id, out);
            });
        } else {
            // Neither published nor played: of no consequence to what the peer does next.
            self.output.send(|out| connection.end_play(id, "over", out));
        }
    }
}

fn is_request(event: &ServerEvent) -> bool {
    matches!(
        event,
        ServerEvent::Connect(_) | ServerEvent::Publish(_) | ServerEvent::Play(_)
    )
}

fn longest(kind: MediaKind) -> usize {
    let limits = Limits::default();
    match kind {
        MediaKind::Audio | MediaKind::Video => limits.media_message,
        MediaKind::Data => limits.data_message,
    }
}

fn shake_hands() -> ServerConnection {
    let entropy = Entropy::new([7; 32]);
    let mut connection = ServerConnection::new(ServerSettings::default(), 0, entropy);
    let event = connection.read(&mut simple_handshake(), &mut SendQueue::default());
    assert_eq!(event, Ok(Some(ServerEvent::HandshakeDone)));
    connection
}
