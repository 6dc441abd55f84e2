//! Command messages: remote calls and their results (RTMP 1.0, 7.1.1 and 7.2).

use bytes::BytesMut;
use srs_amf0::Value;

use super::{Message, MessageError, MessageType, Values};

/// A command: `connect`, `publish`, `_result`, `onStatus` and so on.
#[derive(Clone, Debug, PartialEq)]
pub struct Command {
    /// What is to be done, or what kind of answer this is.
    pub name: String,
    /// Pairs an answer with its request; 0 if no answer is expected.
    pub transaction_id: f64,
    /// The command object; [`Value::Null`] for most commands.
    pub object: Value,
    /// What else the command carries, in order.
    pub arguments: Vec<Value>,
}

impl Command {
    /// Reads an AMF0 command, or an AMF3 command whose values are AMF0 as all known peers send it.
    ///
    /// A transaction id that is missing or no number is 0, a missing object is [`Value::Null`].
    /// The arguments end before the first that cannot be read: they are optional, and whoever
    /// needs one finds it missing.
    ///
    /// # Errors
    /// [`MessageError`] if `message` is no command, does not begin with a name, or has a
    /// transaction id or object that cannot be read.
    pub fn decode(message: &Message, limits: &srs_amf0::Limits) -> Result<Self, MessageError> {
        if !matches!(
            message.message_type,
            MessageType::CommandAmf0 | MessageType::CommandAmf3
        ) {
            return Err(MessageError::UnexpectedType {
                message_type: message.message_type,
                expected: "a command",
            });
        }
        let mut values = Values::new(message, limits);
        Ok(Self {
            name: values.name()?,
            transaction_id: values
                .next("transaction id")?
                .and_then(|id| id.as_f64())
                .unwrap_or_default(),
            object: values.next("command object")?.unwrap_or(Value::Null),
            arguments: values.rest(),
        })
    }

    /// The AMF0 command message that says this, with timestamp 0.
    pub fn encode(&self, chunk_stream_id: u32, message_stream_id: u32) -> Message {
        let mut payload = BytesMut::new();
        srs_amf0::encode(&self.name.as_str().into(), &mut payload);
        srs_amf0::encode(&self.transaction_id.into(), &mut payload);
        srs_amf0::encode(&self.object, &mut payload);
        for argument in &self.arguments {
            srs_amf0::encode(argument, &mut payload);
        }
        Message {
            chunk_stream_id,
            timestamp: 0,
            message_type: MessageType::CommandAmf0,
            message_stream_id,
            payload: payload.freeze(),
        }
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use srs_amf0::{Limits, Object};

    use super::*;

    fn message(message_type: MessageType, payload: &[u8]) -> Message {
        Message {
            chunk_stream_id: 3,
            timestamp: 0,
            message_type,
            message_stream_id: 0,
            payload: Bytes::copy_from_slice(payload),
        }
    }

    fn command(name: &str, id: f64, object: Value, arguments: Vec<Value>) -> Command {
        Command {
            name: name.into(),
            transaction_id: id,
            object,
            arguments,
        }
    }

    #[test]
    fn a_command_is_its_name_transaction_object_and_arguments_in_amf0() {
        let play = command("play", 4.0, Value::Null, vec!["show".into(), (-2.0).into()]);
        let bytes = b"\x02\0\x04play\0\x40\x10\0\0\0\0\0\0\x05\x02\0\x04show\0\xC0\0\0\0\0\0\0\0";
        let message = Message {
            message_stream_id: 1,
            ..message(MessageType::CommandAmf0, bytes)
        };
        assert_eq!(play.encode(3, 1), message);
        assert_eq!(Command::decode(&message, &Limits::default()), Ok(play));
    }

    #[test]
    fn commands_are_read_leniently() {
        let object = Value::Object(Object::new().with("app", "live"));
        let cases: &[(&str, MessageType, &[u8], Command)] = &[
            (
                "nothing but a name",
                MessageType::CommandAmf0,
                b"\x02\0\x04ping",
                command("ping", 0.0, Value::Null, vec![]),
            ),
            (
                "no object",
                MessageType::CommandAmf0,
                b"\x02\0\x04ping\0\x3F\xF0\0\0\0\0\0\0",
                command("ping", 1.0, Value::Null, vec![]),
            ),
            (
                "a transaction id that is no number",
                MessageType::CommandAmf0,
                b"\x02\0\x04ping\x05\x05\x01\x01",
                command("ping", 0.0, Value::Null, vec![true.into()]),
            ),
            (
                "an object without an end",
                MessageType::CommandAmf0,
                b"\x02\0\x07connect\0\x3F\xF0\0\0\0\0\0\0\x03\0\x03app\x02\0\x04live",
                command("connect", 1.0, object, vec![]),
            ),
            (
                "AMF3 with the byte in front",
                MessageType::CommandAmf3,
                b"\0\x02\0\x04ping\0\x3F\xF0\0\0\0\0\0\0\x05",
                command("ping", 1.0, Value::Null, vec![]),
            ),
            (
                "AMF3 without the byte in front",
                MessageType::CommandAmf3,
                b"\x02\0\x04ping\0\x3F\xF0\0\0\0\0\0\0\x05",
                command("ping", 1.0, Value::Null, vec![]),
            ),
            (
                "an argument that is cut off",
                MessageType::CommandAmf0,
                b"\x02\0\x04ping\0\x3F\xF0\0\0\0\0\0\0\x05\x01\x01\x02\0\x09cut",
                command("ping", 1.0, Value::Null, vec![true.into()]),
            ),
            (
                "an argument of an unknown type",
                MessageType::CommandAmf0,
                b"\x02\0\x04ping\0\x3F\xF0\0\0\0\0\0\0\x05\x77\x01\x01",
                command("ping", 1.0, Value::Null, vec![]),
            ),
        ];
        for (name, message_type, bytes, expected) in cases {
            let decoded = Command::decode(&message(*message_type, bytes), &Limits::default());
            assert_eq!(decoded.as_ref(), Ok(expected), "{name}");
        }
    }

    #[test]
    fn what_a_command_cannot_do_without_is_an_error() {
        let decode = |bytes| {
            Command::decode(
                &message(MessageType::CommandAmf0, bytes),
                &Limits::default(),
            )
        };
        let no_name = MessageError::NoName {
            message_type: MessageType::CommandAmf0,
        };
        assert_eq!(decode(b""), Err(no_name.clone()));
        assert_eq!(decode(b"\x05"), Err(no_name));
        let cases: &[(&[u8], &str)] = &[
            (b"\x02\0\x09cut", "name"),
            (b"\x02\0\x04ping\0\x3F", "transaction id"),
            (
                b"\x02\0\x04ping\0\x3F\xF0\0\0\0\0\0\0\x77",
                "command object",
            ),
        ];
        for (bytes, expected) in cases {
            match decode(bytes) {
                Err(MessageError::Amf { what, .. }) => assert_eq!(what, *expected),
                other => panic!("{expected}: {other:?}"),
            }
        }
        assert_eq!(
            Command::decode(
                &message(MessageType::Audio, b"\x02\0\x04ping"),
                &Limits::default()
            ),
            Err(MessageError::UnexpectedType {
                message_type: MessageType::Audio,
                expected: "a command"
            })
        );
    }
}
