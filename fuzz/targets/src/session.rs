//! What the targets of both sides of a connection share.

use std::fmt::Debug;

use bytes::{Buf, BytesMut};
use srs_rtmp::chunk::ChunkReader;
use srs_rtmp::message::MessageType;
use srs_rtmp::message::command::Command;
use srs_rtmp::message::control::Control;
use srs_rtmp::message::data::Data;
use srs_rtmp::{ConnectionError, Limits, Media, SendQueue};

/// An event of either side, so that it can be compared. Whatever holds AMF0 values may hold a NaN,
/// which does not equal itself but looks the same.
#[derive(Debug, PartialEq)]
pub(crate) enum Seen {
    Media(Media),
    Other(String),
}

impl Seen {
    pub(crate) fn other(event: &impl Debug) -> Self {
        Self::Other(format!("{event:?}"))
    }
}

/// What came of a session.
#[derive(Debug, PartialEq)]
pub(crate) struct Outcome {
    pub(crate) seen: Vec<Seen>,
    pub(crate) error: Option<ConnectionError>,
}

/// The bytes that a session sends, and how many of them it may.
#[derive(Debug, Default)]
pub(crate) struct Output {
    pub(crate) queue: SendQueue,
    /// Bytes that we wanted sent.
    ours: usize,
    allowed: usize,
}

impl Output {
    /// Lets the session send so many bytes for each one that it gets, besides a fixed number.
    pub(crate) fn allow(&mut self, fixed: usize, received: usize, for_each: usize) {
        self.allowed += fixed + received * for_each;
    }

    /// Sends what the owner of the session decided to send: it does not count. Returns its length.
    pub(crate) fn send(&mut self, send: impl FnOnce(&mut SendQueue)) -> usize {
        let before = self.queue.len();
        send(&mut self.queue);
        let sent = self.queue.len() - before;
        self.ours += sent;
        sent
    }

    /// Panics if too much was sent, or if it is not RTMP that another side would understand.
    pub(crate) fn check(mut self) {
        let len = self.queue.len();
        let answers = len - self.ours;
        assert!(
            answers <= self.allowed,
            "{answers} bytes, {} allowed",
            self.allowed
        );

        let mut input = BytesMut::from(&self.queue.copy_to_bytes(len)[..]);
        let mut reader = ChunkReader::new(Limits::default());
        while let Some(message) = reader
            .read(&mut input)
            .expect("we write chunks that we read")
        {
            let amf = srs_amf0::Limits::default();
            match message.message_type {
                MessageType::CommandAmf0 => {
                    Command::decode(&message, &amf).expect("we write commands that we read");
                }
                MessageType::DataAmf0 => {
                    Data::decode(&message, &amf).expect("we write data that we read");
                }
                MessageType::Audio | MessageType::Video => {}
                other => match Control::decode(&message) {
                    Ok(Some(Control::SetChunkSize(size))) => {
                        reader.set_chunk_size(size).expect("a size that exists");
                    }
                    Ok(Some(_)) => {}
                    unexpected => panic!("{other:?} was sent: {unexpected:?}"),
                },
            }
        }
        assert!(input.is_empty(), "part of a message was sent");
    }
}

/// The whole handshake of one side, in the simple form: version, zeros, zeros.
pub(crate) fn simple_handshake() -> BytesMut {
    let mut bytes = BytesMut::zeroed(1 + 2 * 1536);
    bytes[0] = 3;
    bytes
}
