//! Data messages: metadata and notices (RTMP 1.0, 7.1.2).

use bytes::BytesMut;
use srs_amf0::Value;

use super::{Message, MessageError, MessageType, Values};

/// A data message: `onMetaData`, `onStatus`, `|RtmpSampleAccess` and so on.
#[derive(Clone, Debug, PartialEq)]
pub struct Data {
    /// What the values mean. Never `@setDataFrame`: an encoder puts that in front of the real name
    /// to have the server keep the data for players that come later.
    pub name: String,
    /// The values behind the name, in order.
    pub values: Vec<Value>,
}

impl Data {
    /// Reads an AMF0 data message, or an AMF3 data message whose values are AMF0 as encoders send
    /// it: with or without a zero byte in front.
    ///
    /// The values end before the first that cannot be read.
    ///
    /// # Errors
    /// [`MessageError`] if `message` is no data message, or does not begin with a name.
    pub fn decode(message: &Message, limits: &srs_amf0::Limits) -> Result<Self, MessageError> {
        if !matches!(
            message.message_type,
            MessageType::DataAmf0 | MessageType::DataAmf3
        ) {
            return Err(MessageError::UnexpectedType {
                message_type: message.message_type,
                expected: "a data message",
            });
        }
        let mut values = Values::new(message, limits);
        let mut name = values.name()?;
        if name == SET_DATA_FRAME {
            name = values.name()?;
        }
        Ok(Self {
            name,
            values: values.rest(),
        })
    }

    /// The AMF0 data message that says this, with timestamp 0.
    pub fn encode(&self, chunk_stream_id: u32, message_stream_id: u32) -> Message {
        let mut payload = BytesMut::new();
        srs_amf0::encode(&self.name.as_str().into(), &mut payload);
        for value in &self.values {
            srs_amf0::encode(value, &mut payload);
        }
        Message {
            chunk_stream_id,
            timestamp: 0,
            message_type: MessageType::DataAmf0,
            message_stream_id,
            payload: payload.freeze(),
        }
    }
}

const SET_DATA_FRAME: &str = "@setDataFrame";

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use srs_amf0::{Limits, Object};

    use super::*;

    fn message(message_type: MessageType, payload: &[u8]) -> Message {
        Message {
            chunk_stream_id: 4,
            timestamp: 0,
            message_type,
            message_stream_id: 1,
            payload: Bytes::copy_from_slice(payload),
        }
    }

    fn data(name: &str, values: Vec<Value>) -> Data {
        Data {
            name: name.into(),
            values,
        }
    }

    #[test]
    fn a_data_message_is_its_name_and_values_in_amf0() {
        let access = data("|RtmpSampleAccess", vec![true.into(), false.into()]);
        let message = message(
            MessageType::DataAmf0,
            b"\x02\0\x11|RtmpSampleAccess\x01\x01\x01\0",
        );
        assert_eq!(access.encode(4, 1), message);
        assert_eq!(Data::decode(&message, &Limits::default()), Ok(access));
    }

    #[test]
    fn data_messages_are_read_in_all_forms_that_encoders_send() {
        use MessageType::{DataAmf0, DataAmf3};
        const PLAIN: &[u8] = b"\x02\0\nonMetaData\x03\0\x03fps\0\x40\x39\0\0\0\0\0\0\0\0\x09";
        const PREFIX: &[u8] = b"\x02\0\r@setDataFrame";
        let metadata = Value::Object(Object::new().with("fps", 25.0));
        let metadata = || data("onMetaData", vec![metadata.clone()]);
        let cases: &[(&str, MessageType, Vec<u8>, Data)] = &[
            ("as stored in FLV", DataAmf0, PLAIN.to_vec(), metadata()),
            (
                "with @setDataFrame",
                DataAmf0,
                [PREFIX, PLAIN].concat(),
                metadata(),
            ),
            (
                "AMF3 with a zero byte",
                DataAmf3,
                [b"\0", PREFIX, PLAIN].concat(),
                metadata(),
            ),
            (
                "AMF3 without a zero byte",
                DataAmf3,
                [PREFIX, PLAIN].concat(),
                metadata(),
            ),
            (
                "a value that is cut off",
                DataAmf0,
                [PLAIN, b"\0\x40"].concat(),
                metadata(),
            ),
            (
                "only a name",
                DataAmf0,
                PLAIN[..13].to_vec(),
                data("onMetaData", vec![]),
            ),
        ];
        for (name, message_type, bytes, expected) in cases {
            let decoded = Data::decode(&message(*message_type, bytes), &Limits::default());
            assert_eq!(decoded.as_ref(), Ok(expected), "{name}");
        }
    }

    #[test]
    fn data_without_a_name_is_an_error() {
        let no_name = |message_type| Err(MessageError::NoName { message_type });
        let cases: &[(MessageType, &[u8])] = &[
            (MessageType::DataAmf0, b""),
            (MessageType::DataAmf0, b"\x01\x01"),
            (MessageType::DataAmf0, b"\x02\0\r@setDataFrame"),
            (MessageType::DataAmf0, b"\x02\0\r@setDataFrame\x05"),
            (MessageType::DataAmf3, b"\0"),
        ];
        for (message_type, bytes) in cases {
            let decoded = Data::decode(&message(*message_type, bytes), &Limits::default());
            assert_eq!(decoded, no_name(*message_type), "{bytes:?}");
        }
        assert!(matches!(
            Data::decode(
                &message(MessageType::CommandAmf0, b"\x02\0\x01a"),
                &Limits::default()
            ),
            Err(MessageError::UnexpectedType { .. })
        ));
    }
}
