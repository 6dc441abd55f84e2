//! Aggregate messages: several messages in one, framed like FLV tags (RTMP 1.0, 7.1.6).

use std::iter::FusedIterator;

use bytes::Bytes;

use super::{Message, MessageError, MessageType};

/// The audio, video and AMF0 data messages in an aggregate, in order; see [`split`].
#[derive(Clone, Debug)]
pub struct Aggregate {
    aggregate: Message,
    offset: usize,
    /// The timestamp of the first item, whatever that item is.
    first_timestamp: Option<u32>,
}

/// Splits an aggregate into the messages that it holds.
///
/// They inherit the chunk stream and the message stream. The first item's timestamp becomes that
/// of the aggregate and the others keep their distance from it, modulo 2^32. Payloads are
/// copies. Items that are empty or neither audio, video nor AMF0 data are skipped,
/// nested aggregates among them. Nothing is asked of the type of `message` itself.
///
/// The iterator yields [`MessageError::TruncatedItem`] once, then ends, if an item reaches beyond
/// the end. The size that follows each item is not looked at, and may be missing after the last.
pub fn split(message: &Message) -> Aggregate {
    Aggregate {
        aggregate: message.clone(),
        offset: 0,
        first_timestamp: None,
    }
}

impl Iterator for Aggregate {
    type Item = Result<Message, MessageError>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            let start = self.offset;
            let rest = self
                .aggregate
                .payload
                .get(start..)
                .filter(|rest| !rest.is_empty())?;
            let Some((header, body)) = rest.split_first_chunk::<HEADER_LEN>() else {
                return Some(Err(self.truncated(HEADER_LEN)));
            };
            let [type_id, l0, l1, l2, t0, t1, t2, t3, ..] = *header;
            let len = u32::from_be_bytes([0, l0, l1, l2]) as usize;
            if len > body.len() {
                return Some(Err(self.truncated(HEADER_LEN + len)));
            }
            // As in FLV, the highest byte of the timestamp comes last.
            let timestamp = u32::from_be_bytes([t3, t0, t1, t2]);
            let first_timestamp = *self.first_timestamp.get_or_insert(timestamp);
            let body_start = start + HEADER_LEN;
            self.offset = body_start + len + TRAILER_LEN;

            let message_type = MessageType::from(type_id);
            let is_wanted = matches!(
                message_type,
                MessageType::Audio | MessageType::Video | MessageType::DataAmf0
            );
            if is_wanted && len > 0 {
                let distance = timestamp.wrapping_sub(first_timestamp);
                return Some(Ok(Message {
                    timestamp: self.aggregate.timestamp.wrapping_add(distance),
                    message_type,
                    // A copy: a slice would keep the whole aggregate for as long as a log holds the
                    // item, which may be a thousandth of it.
                    payload: Bytes::copy_from_slice(body.get(..len)?),
                    ..self.aggregate
                }));
            }
        }
    }
}

impl FusedIterator for Aggregate {}

impl Aggregate {
    /// The error of an item of `needed` bytes at the current offset; nothing is read after it.
    fn truncated(&mut self, needed: usize) -> MessageError {
        let offset = self.offset;
        let available = self.aggregate.payload.len() - offset;
        self.offset = self.aggregate.payload.len();
        MessageError::TruncatedItem {
            offset,
            needed,
            available,
        }
    }
}

/// Type, length, timestamp and stream id of an item.
const HEADER_LEN: usize = 11;
/// The size of the item, repeated behind it.
const TRAILER_LEN: usize = 4;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn aggregate(timestamp: u32, payload: &[u8]) -> Message {
        Message {
            chunk_stream_id: 6,
            timestamp,
            message_type: MessageType::Aggregate,
            message_stream_id: 1,
            payload: Bytes::copy_from_slice(payload),
        }
    }

    fn item(type_id: u8, timestamp: u32, body: &[u8]) -> Vec<u8> {
        let [t3, t0, t1, t2] = timestamp.to_be_bytes();
        let len = u8::try_from(body.len()).unwrap();
        let mut item = vec![type_id, 0, 0, len, t0, t1, t2, t3, 0, 0, 0];
        item.extend_from_slice(body);
        item.extend_from_slice(&[0, 0, 0, len + 11]);
        item
    }

    /// Type, timestamp and payload of what `message` holds.
    fn items(message: &Message) -> Result<Vec<(u8, u32, Vec<u8>)>, MessageError> {
        split(message)
            .map(|item| item.map(|m| (m.message_type.id(), m.timestamp, m.payload.to_vec())))
            .collect()
    }

    #[test]
    fn an_aggregate_is_read_as_the_specification_draws_it() {
        let message = aggregate(
            1000,
            &[
                9, 0, 0, 2, 0, 0, 0x28, 0, 0, 0, 0, 0x17, 0x01, 0, 0, 0, 13, // video at 40
                8, 0, 0, 1, 0, 0, 0x3F, 0, 0, 0, 0, 0xAF, 0, 0, 0, 12, // audio at 63
            ],
        );
        let split: Vec<_> = split(&message).map(Result::unwrap).collect();
        let video = Message {
            message_type: MessageType::Video,
            payload: Bytes::from_static(&[0x17, 0x01]),
            ..message.clone()
        };
        let audio = Message {
            timestamp: 1023,
            message_type: MessageType::Audio,
            payload: Bytes::from_static(&[0xAF]),
            ..message
        };
        assert_eq!(split, [video, audio]);
    }

    #[test]
    fn timestamps_are_counted_from_the_first_item_on() {
        let cases: &[(&str, u32, &[u32], &[u32])] = &[
            ("items that count from zero", 500, &[0, 10], &[500, 510]),
            (
                "items with the aggregate's own time",
                500,
                &[500, 510],
                &[500, 510],
            ),
            (
                "the fourth byte of the timestamp",
                7,
                &[0x0100_0000, 0x0200_0000],
                &[7, 0x0100_0007],
            ),
            ("an item before the first one", 500, &[10, 4], &[500, 494]),
            (
                "beyond 32 bits",
                0xFFFF_FFF0,
                &[0, 0x20],
                &[0xFFFF_FFF0, 0x10],
            ),
        ];
        for (name, timestamp, subs, expected) in cases {
            let payload: Vec<u8> = subs.iter().flat_map(|sub| item(9, *sub, b"x")).collect();
            let items = items(&aggregate(*timestamp, &payload)).unwrap();
            let timestamps: Vec<u32> = items.iter().map(|item| item.1).collect();
            assert_eq!(&timestamps, expected, "{name}");
        }
    }

    #[test]
    fn only_audio_video_and_data_are_yielded() {
        let payload = [
            item(20, 5, b"command"),
            item(18, 6, b"data"),
            item(22, 7, &item(9, 0, b"nested")),
            item(9, 8, b""),
            item(15, 9, b"amf3"),
            item(8, 10, b"audio"),
        ]
        .concat();
        assert_eq!(
            items(&aggregate(100, &payload)).unwrap(),
            [(18, 101, b"data".to_vec()), (8, 105, b"audio".to_vec())]
        );
    }

    #[test]
    fn a_truncated_item_is_an_error_once() {
        let whole = item(9, 0, b"frame");
        let cut = [&whole[..], &[8, 0, 0, 9, 0, 0, 0, 0, 0, 0, 0, 1, 2]].concat();
        let mut split_cut = split(&aggregate(0, &cut));
        assert!(split_cut.next().unwrap().is_ok());
        assert_eq!(
            split_cut.next(),
            Some(Err(MessageError::TruncatedItem {
                offset: 20,
                needed: 20,
                available: 13
            }))
        );
        assert_eq!(split_cut.next(), None);

        let mut split_header = split(&aggregate(0, &whole[..10]));
        assert_eq!(
            split_header.next(),
            Some(Err(MessageError::TruncatedItem {
                offset: 0,
                needed: 11,
                available: 10
            }))
        );
        assert_eq!(split_header.next(), None);
    }

    #[test]
    fn the_size_behind_the_last_item_may_be_missing() {
        let whole = item(9, 0, b"frame");
        for missing in 0..=4 {
            let items = items(&aggregate(0, &whole[..whole.len() - missing])).unwrap();
            assert_eq!(items, [(9, 0, b"frame".to_vec())]);
        }
        assert_eq!(items(&aggregate(0, b"")).unwrap(), []);
    }

    proptest! {
        #[test]
        fn any_bytes_end_without_a_panic(bytes in prop::collection::vec(0..30_u8, 0..200)) {
            let found = split(&aggregate(0, &bytes)).count();
            prop_assert!(found <= bytes.len());
        }
    }
}
