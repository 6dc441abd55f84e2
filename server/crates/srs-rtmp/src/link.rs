//! What both sides of a connection do alike: messages in and out, and protocol control.
//!
//! The link answers by itself what needs no decision: chunk sizes, aborts, acknowledgement
//! windows, pings. Everything else goes up to [`crate::server`] or [`crate::client`].

use bytes::{Bytes, BytesMut};

use crate::chunk::{ChunkError, ChunkReader, ChunkWriter, HeaderPolicy};
use crate::handshake::HandshakeError;
use crate::limits::Limits;
use crate::message::aggregate::{self, Aggregate};
use crate::message::command::Command;
use crate::message::control::{Control, UserControl};
use crate::message::{Message, MessageError, MessageType};
use crate::output::SendQueue;
use crate::{Media, MediaKind};

/// Why a connection cannot go on. The peer's bytes after this have no meaning.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum ConnectionError {
    /// The handshake was refused.
    #[error("handshake: {0}")]
    Handshake(#[from] HandshakeError),
    /// The chunk stream is broken or beyond a limit.
    #[error("chunk stream: {0}")]
    Chunk(#[from] ChunkError),
    /// A message cannot be read.
    #[error("message: {0}")]
    Message(#[from] MessageError),
    /// A message inside an aggregate is longer than one of its type may be.
    #[error("a message of {len} bytes in an aggregate, more than the {limit} that are allowed")]
    ItemTooLong {
        /// Its length.
        len: usize,
        /// The most that is allowed.
        limit: usize,
    },
    /// The peer wants to be acknowledged more often than it may.
    #[error("an acknowledgement window of {window} bytes, less than the {least} that are allowed")]
    AcknowledgementWindow {
        /// The window that the peer announced.
        window: u32,
        /// The smallest that is allowed.
        least: u32,
    },
    /// The peer asked for more message streams than it may have.
    #[error("more than {limit} message streams on one connection")]
    TooManyMessageStreams {
        /// The most that are allowed.
        limit: usize,
    },
}

/// A message that the link does not settle alone.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Incoming {
    User(UserControl),
    Message(Message),
}

/// Chunk reader and writer of one connection, with the accounts of RTMP 1.0, 5.4.
#[derive(Clone, Debug)]
pub(crate) struct Link {
    limits: Limits,
    reader: ChunkReader,
    writer: ChunkWriter,
    aggregate: Option<Aggregate>,
    /// Bytes read from the peer, the handshake included, as acknowledgements count them.
    received: u64,
    /// `received` when the last acknowledgement was sent.
    acknowledged: u64,
    /// The peer wants an acknowledgement after so many bytes.
    peer_window: Option<u32>,
    /// The window that we announced.
    own_window: u32,
}

impl Link {
    pub(crate) fn new(limits: &Limits, policy: HeaderPolicy) -> Self {
        Self {
            limits: limits.clone(),
            reader: ChunkReader::new(limits.clone()),
            writer: ChunkWriter::new(policy),
            aggregate: None,
            received: 0,
            acknowledged: 0,
            peer_window: None,
            own_window: 0,
        }
    }

    pub(crate) fn limits(&self) -> &Limits {
        &self.limits
    }

    /// Counts bytes that were consumed before the chunk stream began.
    pub(crate) fn count_handshake(&mut self, bytes: usize) {
        self.received += bytes as u64;
    }

    /// The next message for the layer above; `None` when `input` holds no whole one.
    pub(crate) fn read(
        &mut self,
        input: &mut BytesMut,
        out: &mut SendQueue,
    ) -> Result<Option<Incoming>, ConnectionError> {
        loop {
            if let Some(aggregate) = &mut self.aggregate {
                match aggregate.next() {
                    Some(message) => {
                        let message = message?;
                        self.check_len(&message)?;
                        return Ok(Some(Incoming::Message(message)));
                    }
                    None => self.aggregate = None,
                }
            }
            let before = input.len();
            let message = self.reader.read(input)?;
            self.received += (before - input.len()) as u64;
            self.acknowledge(out);
            let Some(message) = message else {
                return Ok(None);
            };
            if message.message_type == MessageType::Aggregate {
                self.aggregate = Some(aggregate::split(&message));
                continue;
            }
            match Control::decode(&message)? {
                None => return Ok(Some(Incoming::Message(message))),
                Some(Control::SetChunkSize(size)) => self.reader.set_chunk_size(size)?,
                Some(Control::Abort { chunk_stream_id }) => self.reader.abort(chunk_stream_id),
                // We never wait for acknowledgements: flow control is TCP's, and players that never
                // acknowledge are common. So a peer gains nothing by false ones.
                Some(Control::Acknowledgement(_)) => {}
                Some(Control::WindowAckSize(0)) => {}
                Some(Control::WindowAckSize(window)) => self.set_peer_window(window)?,
                // RTMP 1.0, 5.4.5: the answer to a new bandwidth is the window that it sets.
                Some(Control::SetPeerBandwidth { window, .. }) => {
                    if window > 0 && window != self.own_window {
                        self.announce_window(window, out);
                    }
                }
                Some(Control::User(UserControl::PingRequest(time))) => {
                    self.send_control(&Control::User(UserControl::PingResponse(time)), out);
                }
                Some(Control::User(event)) => return Ok(Some(Incoming::User(event))),
            }
        }
    }

    fn set_peer_window(&mut self, window: u32) -> Result<(), ConnectionError> {
        let least = self.limits.least_ack_window;
        if window < least {
            return Err(ConnectionError::AcknowledgementWindow { window, least });
        }
        self.peer_window = Some(window);
        Ok(())
    }

    /// The chunk reader measures whole messages; what comes inside an aggregate is measured here.
    fn check_len(&self, message: &Message) -> Result<(), ConnectionError> {
        let limit = self.limits.message_len(message.message_type);
        let len = message.payload.len();
        if len > limit {
            Err(ConnectionError::ItemTooLong { len, limit })
        } else {
            Ok(())
        }
    }

    /// Sends an acknowledgement once the peer's window has been received (RTMP 1.0, 5.4.3).
    ///
    /// At most one for each read, so that a window of one byte does not turn every byte that
    /// comes into sixteen that go.
    fn acknowledge(&mut self, out: &mut SendQueue) {
        let Some(window) = self.peer_window else {
            return;
        };
        if self.received - self.acknowledged >= u64::from(window) {
            self.acknowledged = self.received;
            #[expect(
                clippy::cast_possible_truncation,
                reason = "the sequence number is the count modulo 2^32"
            )]
            let sequence = self.received as u32;
            self.send_control(&Control::Acknowledgement(sequence), out);
        }
    }

    pub(crate) fn announce_window(&mut self, window: u32, out: &mut SendQueue) {
        self.own_window = window;
        self.send_control(&Control::WindowAckSize(window), out);
    }

    /// Announces a chunk size and uses it from the next message on.
    pub(crate) fn announce_chunk_size(&mut self, size: u32, out: &mut SendQueue) {
        if size != self.writer.chunk_size() {
            self.send_control(&Control::SetChunkSize(size), out);
            self.writer.set_chunk_size(size);
        }
    }

    pub(crate) fn chunk_size(&self) -> u32 {
        self.writer.chunk_size()
    }

    pub(crate) fn send(&mut self, message: &Message, out: &mut SendQueue) {
        self.writer.write(message, out);
    }

    pub(crate) fn send_control(&mut self, control: &Control, out: &mut SendQueue) {
        self.send(&control.encode(), out);
    }

    pub(crate) fn send_command(
        &mut self,
        command: &Command,
        chunk_stream_id: u32,
        message_stream_id: u32,
        out: &mut SendQueue,
    ) {
        self.send(&command.encode(chunk_stream_id, message_stream_id), out);
    }

    /// Sends one message of a stream on the chunk stream that is customary for its kind.
    pub(crate) fn send_media(
        &mut self,
        message_stream_id: u32,
        kind: MediaKind,
        timestamp: u32,
        payload: &Bytes,
        out: &mut SendQueue,
    ) {
        let (chunk_stream_id, message_type) = channel(kind);
        let message = Message {
            chunk_stream_id,
            timestamp,
            message_type,
            message_stream_id,
            payload: payload.clone(),
        };
        self.send(&message, out);
    }
}

/// The chunk stream that is customary for media of this kind, and its message type.
pub(crate) fn channel(kind: MediaKind) -> (u32, MessageType) {
    match kind {
        MediaKind::Audio => (chunk_stream::AUDIO, MessageType::Audio),
        MediaKind::Video => (chunk_stream::VIDEO, MessageType::Video),
        MediaKind::Data => (chunk_stream::DATA, MessageType::DataAmf0),
    }
}

/// Reads a message as media, if that is what it is.
pub(crate) fn media(message: Message) -> Option<Media> {
    let kind = match message.message_type {
        MessageType::Audio => MediaKind::Audio,
        MessageType::Video => MediaKind::Video,
        MessageType::DataAmf0 | MessageType::DataAmf3 => MediaKind::Data,
        _ => return None,
    };
    let mut payload = message.payload;
    // The AMF3 envelope of data is a zero byte before the AMF0 values; not every encoder sends it.
    if message.message_type == MessageType::DataAmf3 && payload.first() == Some(&0) {
        payload = payload.slice(1..);
    }
    Some(Media {
        message_stream_id: message.message_stream_id,
        kind,
        timestamp: message.timestamp,
        payload,
    })
}

/// Chunk stream ids by what they carry. Control messages have 2 by the specification (5.4); the
/// others are what Flash Media Server uses and its clients have been tested with.
pub(crate) mod chunk_stream {
    pub(crate) const COMMAND: u32 = 3;
    pub(crate) const DATA: u32 = 4;
    pub(crate) const STATUS: u32 = 5;
    pub(crate) const VIDEO: u32 = 6;
    pub(crate) const AUDIO: u32 = 7;
}
