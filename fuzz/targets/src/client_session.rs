//! A whole session of a server, from behind the handshake on.

use std::sync::LazyLock;

use bytes::{Buf, Bytes, BytesMut};
use srs_rtmp::client::{ClientConnection, ClientEvent, ClientSettings, Purpose};
use srs_rtmp::entropy::Entropy;
use srs_rtmp::url::RtmpUrl;
use srs_rtmp::{ConnectionError, MediaKind, SendQueue};

use crate::input::{Answers, Input, Pieces};
use crate::session::{Outcome, Output, Seen, simple_handshake};

/// Publishes to or plays from the server. Events do not depend on the split, media come to players
/// only, and what is sent is RTMP and not much more than was received.
pub fn client_session(data: &[u8]) {
    let Some(input) = Input::new(data) else {
        return;
    };
    let whole = Session::new(input.answers).run(input.bytes, Pieces::Whole);
    let split = Session::new(input.answers).run(input.bytes, input.pieces);
    assert_eq!(whole, split);
}

struct Session {
    connection: ClientConnection,
    purpose: Purpose,
    output: Output,
    answers: Answers,
    seen: Vec<Seen>,
    is_connected: bool,
}

impl Session {
    fn new(mut answers: Answers) -> Self {
        static PUBLISHER: LazyLock<BehindHandshake> =
            LazyLock::new(|| shake_hands(Purpose::Publish));
        static PLAYER: LazyLock<BehindHandshake> = LazyLock::new(|| shake_hands(Purpose::Play));
        let (purpose, client) = if answers.yes() {
            (Purpose::Publish, &PUBLISHER)
        } else {
            (Purpose::Play, &PLAYER)
        };
        let mut output = Output::default();
        output.send(|out| out.put_bytes(client.sent.clone()));
        Self {
            connection: client.connection.clone(),
            purpose,
            output,
            answers,
            seen: Vec::new(),
            is_connected: false,
        }
    }

    fn run(mut self, mut rest: &[u8], mut pieces: Pieces) -> Outcome {
        let mut inbox = BytesMut::new();
        // Once: what leads to publish or play. Then: pongs, and windows for bandwidths.
        self.output.allow(1000, rest.len(), 10);
        let mut error = None;
        while error.is_none() && pieces.feed(&mut rest, &mut inbox) {
            // One acknowledgement for each read at most, however many the server wants.
            self.output.allow(16, 0, 0);
            error = self.read_all(&mut inbox).err();
        }
        let connection = &mut self.connection;
        self.output.send(|out| connection.finish(out));
        self.output.check();
        Outcome {
            seen: self.seen,
            error,
        }
    }

    fn read_all(&mut self, inbox: &mut BytesMut) -> Result<(), ConnectionError> {
        while let Some(event) = self.connection.read(inbox, &mut self.output.queue)? {
            match &event {
                ClientEvent::Connected { .. } => {
                    assert!(!self.is_connected, "once");
                    self.is_connected = true;
                }
                ClientEvent::Publishing => {
                    assert!(self.is_connected);
                    assert_eq!(self.purpose, Purpose::Publish);
                }
                ClientEvent::Playing | ClientEvent::Media(_) => {
                    assert!(self.is_connected);
                    assert_eq!(self.purpose, Purpose::Play);
                }
                ClientEvent::Refused { .. }
                | ClientEvent::Ended { .. }
                | ClientEvent::Status { .. } => {}
            }
            self.seen.push(match event {
                ClientEvent::Media(media) => Seen::Media(media),
                event => Seen::other(&event),
            });
            if !self.answers.yes() {
                self.interfere();
            }
        }
        Ok(())
    }

    /// Does what a client does on its own account, whenever it likes.
    fn interfere(&mut self) {
        let connection = &mut self.connection;
        let payload = Bytes::from_static(&[0xAF; 300]);
        let purpose = self.purpose;
        self.output.send(|out| match purpose {
            Purpose::Publish => {
                connection.send_media(MediaKind::Video, u32::MAX, &payload, out);
            }
            Purpose::Play => connection.pause(true, 40, out),
        });
    }
}

/// A client that has connected, and the chunks that it sent.
struct BehindHandshake {
    connection: ClientConnection,
    sent: Bytes,
}

fn shake_hands(purpose: Purpose) -> BehindHandshake {
    let url = RtmpUrl::parse("rtmp://localhost/live/show").expect("a URL");
    let settings = ClientSettings::new(&url, purpose);
    let mut connection = ClientConnection::new(settings, 0, Entropy::new([7; 32]));
    let mut sent = SendQueue::default();
    connection.start(&mut sent);
    let event = connection.read(&mut simple_handshake(), &mut sent);
    assert_eq!(event, Ok(None));
    sent.advance(simple_handshake().len());
    BehindHandshake {
        connection,
        sent: sent.copy_to_bytes(sent.remaining()),
    }
}
