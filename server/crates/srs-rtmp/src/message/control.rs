//! Protocol control and user control messages (RTMP 1.0, 5.4, 6.2 and 7.1.7).

use bytes::{BufMut, Bytes, BytesMut};

use super::{Message, MessageError, MessageType};

/// A message that steers the connection itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Control {
    /// The sender's chunk size from here on, in bytes. The value is as it came, whether it is
    /// allowed or not.
    SetChunkSize(u32),
    /// The rest of a half-sent message will not come.
    Abort {
        /// The chunk stream whose message is dropped.
        chunk_stream_id: u32,
    },
    /// How many bytes the sender has received so far, modulo 2^32.
    Acknowledgement(u32),
    /// After how many bytes the sender wants an acknowledgement.
    WindowAckSize(u32),
    /// How many bytes without an acknowledgement the receiver may have on the way.
    SetPeerBandwidth {
        /// In bytes.
        window: u32,
        /// How binding that is.
        limit: PeerBandwidthLimit,
    },
    /// An event of a message stream, or a ping.
    User(UserControl),
}

/// How binding a peer bandwidth is (RTMP 1.0, 5.4.5).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PeerBandwidthLimit {
    /// 0: the new window counts.
    Hard,
    /// 1: the smaller one of the new window and the one in force counts.
    Soft,
    /// 2: as hard if the last one was hard, otherwise to be ignored.
    Dynamic,
}

/// The events of user control messages (RTMP 1.0, 7.1.7).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UserControl {
    /// 0: the message stream begins to carry a stream.
    StreamBegin(u32),
    /// 1: what was played on the message stream is over.
    StreamEof(u32),
    /// 2: there is no more data on the message stream for now.
    StreamDry(u32),
    /// 3: how much the player buffers.
    SetBufferLength {
        /// The message stream that is played.
        message_stream_id: u32,
        /// The length of the buffer, in milliseconds.
        millis: u32,
    },
    /// 4: the message stream carries a recording.
    StreamIsRecorded(u32),
    /// 6: to be answered with the same value, the sender's time in milliseconds.
    PingRequest(u32),
    /// 7: the value of the request.
    PingResponse(u32),
    /// Any other event, or one whose data is incomplete; the data is dropped.
    Other {
        /// The number of the event.
        event: u16,
    },
}

impl Control {
    /// Reads a control message; `None` if `message` is of another type.
    ///
    /// Bytes after the expected ones are ignored. What no decision hangs on is read leniently:
    /// a bandwidth limit that is missing or unknown is [`PeerBandwidthLimit::Dynamic`], a user
    /// control message that is too short or unknown is [`UserControl::Other`].
    ///
    /// # Errors
    /// [`MessageError::TooShort`] if a type other than user control has less than four bytes.
    pub fn decode(message: &Message) -> Result<Option<Self>, MessageError> {
        let payload = &message.payload[..];
        let number = || {
            let bytes = payload.first_chunk().ok_or(MessageError::TooShort {
                message_type: message.message_type,
                len: payload.len(),
                expected: 4,
            })?;
            Ok(u32::from_be_bytes(*bytes))
        };
        let control = match message.message_type {
            MessageType::SetChunkSize => Self::SetChunkSize(number()?),
            MessageType::Abort => Self::Abort {
                chunk_stream_id: number()?,
            },
            MessageType::Acknowledgement => Self::Acknowledgement(number()?),
            MessageType::UserControl => Self::User(UserControl::decode(payload)),
            MessageType::WindowAckSize => Self::WindowAckSize(number()?),
            MessageType::SetPeerBandwidth => Self::SetPeerBandwidth {
                window: number()?,
                limit: match payload.get(4) {
                    Some(0) => PeerBandwidthLimit::Hard,
                    Some(1) => PeerBandwidthLimit::Soft,
                    _ => PeerBandwidthLimit::Dynamic,
                },
            },
            _ => return Ok(None),
        };
        Ok(Some(control))
    }

    /// The message that says this: on chunk stream 2 and message stream 0, as RTMP 1.0, 5.4
    /// demands, with timestamp 0.
    pub fn encode(&self) -> Message {
        let mut payload = BytesMut::with_capacity(LONGEST);
        let message_type = match *self {
            Self::SetChunkSize(size) => {
                payload.put_u32(size);
                MessageType::SetChunkSize
            }
            Self::Abort { chunk_stream_id } => {
                payload.put_u32(chunk_stream_id);
                MessageType::Abort
            }
            Self::Acknowledgement(received) => {
                payload.put_u32(received);
                MessageType::Acknowledgement
            }
            Self::WindowAckSize(window) => {
                payload.put_u32(window);
                MessageType::WindowAckSize
            }
            Self::SetPeerBandwidth { window, limit } => {
                payload.put_u32(window);
                payload.put_u8(match limit {
                    PeerBandwidthLimit::Hard => 0,
                    PeerBandwidthLimit::Soft => 1,
                    PeerBandwidthLimit::Dynamic => 2,
                });
                MessageType::SetPeerBandwidth
            }
            Self::User(event) => {
                event.encode(&mut payload);
                MessageType::UserControl
            }
        };
        Message {
            chunk_stream_id: 2,
            timestamp: 0,
            message_type,
            message_stream_id: 0,
            payload: Bytes::from(payload),
        }
    }
}

impl UserControl {
    fn decode(payload: &[u8]) -> Self {
        let (event, data) = match *payload {
            [high, low, ref data @ ..] => (u16::from_be_bytes([high, low]), data),
            // Flash Media Server sends events of one byte.
            [event] => {
                return Self::Other {
                    event: event.into(),
                };
            }
            [] => return Self::Other { event: 0 },
        };
        let number = data.first_chunk().copied().map(u32::from_be_bytes);
        let second = data
            .get(4..)
            .and_then(<[u8]>::first_chunk)
            .copied()
            .map(u32::from_be_bytes);
        match (event, number, second) {
            (0, Some(id), _) => Self::StreamBegin(id),
            (1, Some(id), _) => Self::StreamEof(id),
            (2, Some(id), _) => Self::StreamDry(id),
            (3, Some(message_stream_id), Some(millis)) => Self::SetBufferLength {
                message_stream_id,
                millis,
            },
            (4, Some(id), _) => Self::StreamIsRecorded(id),
            (6, Some(time), _) => Self::PingRequest(time),
            (7, Some(time), _) => Self::PingResponse(time),
            _ => Self::Other { event },
        }
    }

    fn encode(self, out: &mut impl BufMut) {
        let (event, number, second) = match self {
            Self::StreamBegin(id) => (0, Some(id), None),
            Self::StreamEof(id) => (1, Some(id), None),
            Self::StreamDry(id) => (2, Some(id), None),
            Self::SetBufferLength {
                message_stream_id,
                millis,
            } => (3, Some(message_stream_id), Some(millis)),
            Self::StreamIsRecorded(id) => (4, Some(id), None),
            Self::PingRequest(time) => (6, Some(time), None),
            Self::PingResponse(time) => (7, Some(time), None),
            Self::Other { event } => (event, None, None),
        };
        out.put_u16(event);
        for number in [number, second].into_iter().flatten() {
            out.put_u32(number);
        }
    }
}

/// The longest payload that is written here: that of [`UserControl::SetBufferLength`].
const LONGEST: usize = 10;

#[cfg(test)]
mod tests {
    use super::*;

    fn message(message_type: u8, payload: &[u8]) -> Message {
        Message {
            chunk_stream_id: 2,
            timestamp: 0,
            message_type: message_type.into(),
            message_stream_id: 0,
            payload: Bytes::copy_from_slice(payload),
        }
    }

    #[test]
    fn control_messages_are_read_and_written_as_the_specification_says() {
        use PeerBandwidthLimit::{Dynamic, Hard, Soft};
        let cases: &[(u8, &[u8], Control)] = &[
            (1, &[0, 0, 0x10, 0], Control::SetChunkSize(4096)),
            (1, &[0x80, 0, 0, 0], Control::SetChunkSize(0x8000_0000)),
            (2, &[0, 0, 0, 6], Control::Abort { chunk_stream_id: 6 }),
            (3, &[0xFF, 0, 0, 1], Control::Acknowledgement(0xFF00_0001)),
            (5, &[0, 0x26, 0x25, 0xA0], Control::WindowAckSize(2_500_000)),
            (
                6,
                &[0, 0, 0, 9, 0],
                Control::SetPeerBandwidth {
                    window: 9,
                    limit: Hard,
                },
            ),
            (
                6,
                &[0, 0, 0, 9, 1],
                Control::SetPeerBandwidth {
                    window: 9,
                    limit: Soft,
                },
            ),
            (
                6,
                &[0, 0, 0, 9, 2],
                Control::SetPeerBandwidth {
                    window: 9,
                    limit: Dynamic,
                },
            ),
            (
                4,
                &[0, 0, 0, 0, 0, 1],
                Control::User(UserControl::StreamBegin(1)),
            ),
            (
                4,
                &[0, 1, 0, 0, 0, 1],
                Control::User(UserControl::StreamEof(1)),
            ),
            (
                4,
                &[0, 2, 0, 0, 0, 1],
                Control::User(UserControl::StreamDry(1)),
            ),
            (
                4,
                &[0, 3, 0, 0, 0, 1, 0, 0, 3, 0xE8],
                Control::User(UserControl::SetBufferLength {
                    message_stream_id: 1,
                    millis: 1000,
                }),
            ),
            (
                4,
                &[0, 4, 0, 0, 0, 1],
                Control::User(UserControl::StreamIsRecorded(1)),
            ),
            (
                4,
                &[0, 6, 1, 2, 3, 4],
                Control::User(UserControl::PingRequest(0x0102_0304)),
            ),
            (
                4,
                &[0, 7, 1, 2, 3, 4],
                Control::User(UserControl::PingResponse(0x0102_0304)),
            ),
            (4, &[0, 32], Control::User(UserControl::Other { event: 32 })),
        ];
        for (message_type, payload, control) in cases {
            let message = message(*message_type, payload);
            assert_eq!(Control::decode(&message), Ok(Some(*control)), "{payload:?}");
            assert_eq!(control.encode(), message, "{payload:?}");
        }
    }

    #[test]
    fn odd_but_harmless_control_messages_are_read_leniently() {
        let other = |event| Control::User(UserControl::Other { event });
        let cases: &[(&str, u8, &[u8], Control)] = &[
            (
                "bytes behind the end",
                1,
                &[0, 0, 1, 0, 9, 9],
                Control::SetChunkSize(256),
            ),
            (
                "no bandwidth limit",
                6,
                &[0, 0, 0, 9],
                Control::SetPeerBandwidth {
                    window: 9,
                    limit: PeerBandwidthLimit::Dynamic,
                },
            ),
            (
                "unknown bandwidth limit",
                6,
                &[0, 0, 0, 9, 7],
                Control::SetPeerBandwidth {
                    window: 9,
                    limit: PeerBandwidthLimit::Dynamic,
                },
            ),
            ("no event", 4, &[], other(0)),
            ("an event of one byte", 4, &[0x1A], other(0x1A)),
            ("an event of three bytes", 4, &[0, 0x1A, 1], other(0x1A)),
            ("a begin without its stream", 4, &[0, 0], other(0)),
            ("a ping with two bytes", 4, &[0, 6, 1, 2], other(6)),
            (
                "a buffer length without the length",
                4,
                &[0, 3, 0, 0, 0, 1],
                other(3),
            ),
            ("an unknown event", 4, &[0, 31, 0, 0, 0, 1], other(31)),
        ];
        for (name, message_type, payload, expected) in cases {
            let decoded = Control::decode(&message(*message_type, payload));
            assert_eq!(decoded, Ok(Some(*expected)), "{name}");
        }
    }

    #[test]
    fn a_control_message_without_its_number_is_an_error() {
        for message_type in [1, 2, 3, 5, 6] {
            assert_eq!(
                Control::decode(&message(message_type, &[0, 0, 1])),
                Err(MessageError::TooShort {
                    message_type: message_type.into(),
                    len: 3,
                    expected: 4
                })
            );
        }
    }

    #[test]
    fn other_messages_are_no_control_messages() {
        for message_type in [0, 7, 8, 9, 15, 18, 20, 22, 255] {
            assert_eq!(Control::decode(&message(message_type, &[])), Ok(None));
        }
    }
}
