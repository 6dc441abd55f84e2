//! Messages as a scripted client sends and hears them.

use bytes::{BufMut, BytesMut};
use srs_amf0::{Limits, Object, Value};
use srs_rtmp::message::command::Command;
use srs_rtmp::message::control::Control;
use srs_rtmp::message::{Message, MessageType};
use srs_rtmp::{Media, MediaKind};

use super::Sample;

/// One message from the server.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Heard {
    Control(Control),
    Command {
        message_stream_id: u32,
        command: Command,
    },
    Media(Media),
}

impl Heard {
    /// Code of the `onStatus` that it is, if it is one.
    pub(crate) fn status(&self) -> Option<&str> {
        match self {
            Self::Command { command, .. } if command.name == "onStatus" => command
                .arguments
                .first()?
                .as_object()?
                .get("code")?
                .as_str(),
            _ => None,
        }
    }

    /// The words of the `onStatus` or `_error` that it is.
    pub(crate) fn words(&self) -> &str {
        let Self::Command { command, .. } = self else {
            return "";
        };
        let information = command.arguments.iter().find_map(Value::as_object);
        information
            .and_then(|information| information.get("description"))
            .and_then(Value::as_str)
            .unwrap_or_default()
    }

    pub(crate) fn is_control(&self) -> bool {
        matches!(self, Self::Control(_))
    }

    pub(crate) fn media(self) -> Option<Media> {
        match self {
            Self::Media(media) => Some(media),
            _ => None,
        }
    }
}

/// What `connect` says of a client that wants `tc_url`.
pub(crate) fn connect_object(tc_url: &str) -> Object {
    let app = tc_url.splitn(4, '/').nth(3).unwrap_or_default();
    Object::new().with("app", app).with("tcUrl", tc_url)
}

/// The message that carries `sample`.
pub(crate) fn message(message_stream_id: u32, sample: Sample) -> Message {
    let (chunk_stream_id, message_type) = match sample.kind {
        MediaKind::Audio => (4, MessageType::Audio),
        MediaKind::Video => (6, MessageType::Video),
        MediaKind::Data => (5, MessageType::DataAmf0),
    };
    Message {
        chunk_stream_id,
        timestamp: sample.timestamp,
        message_type,
        message_stream_id,
        payload: sample.payload,
    }
}

/// An aggregate message of `samples` with the time `timestamp`.
pub(crate) fn aggregate(message_stream_id: u32, timestamp: u32, samples: &[Sample]) -> Message {
    let mut payload = BytesMut::new();
    for sample in samples {
        let message = message(message_stream_id, sample.clone());
        let len = u32::try_from(sample.payload.len()).expect("a small message");
        let [high, time @ ..] = sample.timestamp.to_be_bytes();
        payload.put_u8(message.message_type.id());
        payload.put_slice(&len.to_be_bytes()[1..]);
        payload.put_slice(&time);
        payload.put_u8(high);
        payload.put_slice(&[0, 0, 0]);
        payload.put_slice(&sample.payload);
        payload.put_u32(11 + len);
    }
    Message {
        chunk_stream_id: 4,
        timestamp,
        message_type: MessageType::Aggregate,
        message_stream_id,
        payload: payload.freeze(),
    }
}

/// Whether this is data that the server says itself at the start of a play.
pub(super) fn is_notice(payload: &[u8]) -> bool {
    let name = srs_amf0::Decoder::new(payload, Limits::default()).decode();
    name.is_ok_and(|name| matches!(name.as_str(), Some("|RtmpSampleAccess" | "onStatus")))
}
