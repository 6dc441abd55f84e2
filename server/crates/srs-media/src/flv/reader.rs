//! Tags out of bytes, as they come in.

use bytes::{Buf, Bytes, BytesMut};

use super::writer::{MAX_PAYLOAD, TAG_HEADER_LEN};
use super::{Error, Header, Tag, TagType};

/// What a [`Reader`] accepts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// The largest body of a tag, in bytes: what the caller's buffer must be able to hold. By
    /// default what the format can express, 16,777,215.
    pub tag_payload: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            tag_payload: MAX_PAYLOAD,
        }
    }
}

/// Reads an FLV file or stream from its first byte on.
///
/// Without I/O: the caller appends what it has to a buffer, and takes tags out until there is none.
/// Tags of other types than audio, video and script, and encrypted ones, are passed over. The sizes
/// between tags, by which players seek backwards and which many writers get wrong, are counted
/// when they are ([`wrong_sizes`](Self::wrong_sizes)) and otherwise ignored.
#[derive(Clone, Debug)]
pub struct Reader {
    limits: Limits,
    state: State,
    header: Option<Header>,
    /// Bytes taken from the caller so far.
    offset: u64,
    wrong_sizes: u64,
}

/// What the next byte belongs to.
#[derive(Clone, Debug)]
enum State {
    Header,
    /// Bytes of the header that this version of the format does not define.
    HeaderExtra {
        left: u64,
    },
    PreviousSize {
        expected: u32,
    },
    Tag,
    /// The body of a tag that nobody wants, and what its size should be.
    Skip {
        left: usize,
        size: u32,
    },
}

impl Reader {
    /// A reader at the start of a file.
    pub const fn new(limits: Limits) -> Self {
        Self {
            limits,
            state: State::Header,
            header: None,
            offset: 0,
            wrong_sizes: 0,
        }
    }

    /// Takes the next tag from the front of `input`; `None` if there is not enough of it yet.
    ///
    /// Bodies are parts of `input`, not copies. A body is handed out as soon as it is complete,
    /// before the size that follows it has come. What stays in `input` is the start of something:
    /// the caller appends to it.
    ///
    /// # Errors
    /// [`Error`] if this is not FLV or a tag exceeds the limit; the reader is of no use afterwards.
    pub fn read(&mut self, input: &mut BytesMut) -> Result<Option<Tag>, Error> {
        loop {
            match self.state {
                State::Header => {
                    let Some(bytes) = input.first_chunk() else {
                        return Ok(None);
                    };
                    let (header, extra) = Header::decode(bytes)?;
                    self.header = Some(header);
                    self.consume(input, Header::LEN);
                    self.state = State::HeaderExtra { left: extra };
                }
                State::HeaderExtra { left } => {
                    let len = usize::try_from(left).unwrap_or(usize::MAX).min(input.len());
                    self.consume(input, len);
                    let left = left - len as u64;
                    if left > 0 {
                        self.state = State::HeaderExtra { left };
                        return Ok(None);
                    }
                    self.state = State::PreviousSize { expected: 0 };
                }
                State::PreviousSize { expected } => {
                    let Some(bytes) = input.first_chunk() else {
                        return Ok(None);
                    };
                    if u32::from_be_bytes(*bytes) != expected {
                        self.wrong_sizes += 1;
                    }
                    self.consume(input, size_of::<u32>());
                    self.state = State::Tag;
                }
                State::Tag => {
                    let Some(bytes) = input.first_chunk() else {
                        return Ok(None);
                    };
                    let tag = TagHeader::decode(bytes);
                    let len = tag.payload_len as usize;
                    let Some(tag_type) = tag.tag_type else {
                        self.consume(input, TAG_HEADER_LEN);
                        self.state = State::Skip {
                            left: len,
                            size: tag.size(),
                        };
                        continue;
                    };
                    if len > self.limits.tag_payload {
                        let (offset, limit) = (self.offset, self.limits.tag_payload);
                        return Err(Error::TagTooLarge { offset, len, limit });
                    }
                    if input.len() < TAG_HEADER_LEN + len {
                        return Ok(None);
                    }
                    self.consume(input, TAG_HEADER_LEN);
                    let payload = self.take(input, len);
                    self.state = State::PreviousSize {
                        expected: tag.size(),
                    };
                    return Ok(Some(Tag {
                        tag_type,
                        timestamp: tag.timestamp,
                        payload,
                    }));
                }
                State::Skip { left, size } => {
                    let len = left.min(input.len());
                    self.consume(input, len);
                    if len < left {
                        self.state = State::Skip {
                            left: left - len,
                            size,
                        };
                        return Ok(None);
                    }
                    self.state = State::PreviousSize { expected: size };
                }
            }
        }
    }

    /// Says whether the data may end here. `input` is what [`read`](Self::read) left.
    ///
    /// A missing size after the last tag is accepted: no media is lost with it.
    ///
    /// # Errors
    /// [`Error::Truncated`] if the data ends within something.
    pub fn finish(&self, input: &[u8]) -> Result<(), Error> {
        let within = match self.state {
            State::Header | State::HeaderExtra { .. } => "the file header",
            State::Skip { .. } => "a tag",
            State::Tag | State::PreviousSize { .. } if input.is_empty() => return Ok(()),
            State::Tag => "a tag",
            State::PreviousSize { .. } => "the size after a tag",
        };
        Err(Error::Truncated {
            offset: self.offset + input.len() as u64,
            within,
        })
    }

    /// The file header, once it was read.
    pub const fn header(&self) -> Option<Header> {
        self.header
    }

    /// How many sizes between tags were not those of the tag before.
    pub const fn wrong_sizes(&self) -> u64 {
        self.wrong_sizes
    }

    fn consume(&mut self, input: &mut BytesMut, len: usize) {
        input.advance(len);
        self.offset += len as u64;
    }

    fn take(&mut self, input: &mut BytesMut, len: usize) -> Bytes {
        self.offset += len as u64;
        input.split_to(len).freeze()
    }
}

/// The eleven bytes before the body of a tag (E.4.1).
struct TagHeader {
    /// `None`: of another type, or encrypted.
    tag_type: Option<TagType>,
    /// 24 bits.
    payload_len: u32,
    timestamp: u32,
}

impl TagHeader {
    const fn decode(bytes: &[u8; TAG_HEADER_LEN]) -> Self {
        let [kind, l0, l1, l2, t1, t2, t3, t0, _, _, _] = *bytes;
        Self {
            tag_type: if kind & ENCRYPTED == 0 {
                TagType::from_id(kind & TYPE)
            } else {
                None
            },
            payload_len: u32::from_be_bytes([0, l0, l1, l2]),
            timestamp: u32::from_be_bytes([t0, t1, t2, t3]),
        }
    }

    /// What should follow the body.
    const fn size(&self) -> u32 {
        // Fits: the length has 24 bits.
        self.payload_len + 11
    }
}

const TYPE: u8 = 0b0001_1111;

/// `Filter`: the body begins with the parameters of its encryption.
const ENCRYPTED: u8 = 0b0010_0000;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::flv::{write_header, write_tag};

    const START: &[u8] = b"FLV\x01\x05\0\0\0\x09\0\0\0\0";

    /// Reads all of `bytes`: tags, and how it ended.
    fn read(bytes: &[u8]) -> (Vec<Tag>, Result<(), Error>, Reader) {
        let mut reader = Reader::new(Limits { tag_payload: 1000 });
        let (mut input, mut tags) = (BytesMut::from(bytes), Vec::new());
        loop {
            match reader.read(&mut input) {
                Ok(Some(tag)) => tags.push(tag),
                Ok(None) => break (tags, reader.finish(&input), reader),
                Err(error) => break (tags, Err(error), reader),
            }
        }
    }

    fn tag(tag_type: TagType, timestamp: u32, payload: &'static [u8]) -> Tag {
        Tag {
            tag_type,
            timestamp,
            payload: Bytes::from_static(payload),
        }
    }

    #[test]
    fn tags_are_read_and_others_passed_over() {
        use TagType::{Audio, Script, Video};

        let cases: [(&str, &[u8], Vec<Tag>); 8] = [
            ("none", b"", vec![]),
            (
                "video",
                b"\x09\0\0\x02\0\0\x28\0\0\0\0ab\0\0\0\x0D",
                vec![tag(Video, 40, b"ab")],
            ),
            (
                "extended time",
                b"\x08\0\0\x01\x01\x02\x03\xFE\0\0\0a\0\0\0\x0C",
                vec![tag(Audio, 0xFE01_0203, b"a")],
            ),
            (
                "empty body",
                b"\x12\0\0\0\0\0\0\0\0\0\0\0\0\0\x0B",
                vec![tag(Script, 0, b"")],
            ),
            (
                "stream id",
                b"\x08\0\0\x01\0\0\0\0\0\0\x01a\0\0\0\x0C",
                vec![tag(Audio, 0, b"a")],
            ),
            (
                "another type",
                b"\x0A\0\0\x02\0\0\0\0\0\0\0ab\0\0\0\x0D\x08\0\0\0\0\0\0\0\0\0\0",
                vec![tag(Audio, 0, b"")],
            ),
            (
                "encrypted",
                b"\x28\0\0\x02\0\0\0\0\0\0\0ab\0\0\0\x0D",
                vec![],
            ),
            (
                "no size after the last",
                b"\x09\0\0\x02\0\0\x28\0\0\0\0ab",
                vec![tag(Video, 40, b"ab")],
            ),
        ];
        for (name, bytes, expected) in cases {
            let (tags, end, reader) = read(&[START, bytes].concat());

            assert_eq!(tags, expected, "{name}");
            assert_eq!((end, reader.wrong_sizes()), (Ok(()), 0), "{name}");
        }
    }

    #[test]
    fn bytes_between_header_and_first_tag_are_passed_over() {
        let bytes = b"FLV\x02\x04\0\0\0\x0Cabc\0\0\0\0\x08\0\0\x01\0\0\0\0\0\0\0a";
        let (tags, end, reader) = read(bytes);

        assert_eq!((tags, end), (vec![tag(TagType::Audio, 0, b"a")], Ok(())));
        let header = Header {
            version: 2,
            has_audio: true,
            has_video: false,
        };
        assert_eq!(reader.header(), Some(header));
    }

    #[test]
    fn wrong_sizes_are_counted_and_otherwise_ignored() {
        let bytes = b"\x08\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x08\0\0\0\0\0\0\0\0\0\0\xFF\0\0\0";
        let (tags, end, reader) = read(&[START, bytes].concat());

        assert_eq!((tags.len(), end, reader.wrong_sizes()), (2, Ok(()), 2));
    }

    #[test]
    fn a_body_is_handed_out_before_the_size_behind_it_has_come() {
        let mut reader = Reader::new(Limits::default());
        let mut input = BytesMut::from(START);
        assert_eq!(reader.read(&mut input), Ok(None));
        input.extend_from_slice(b"\x08\0\0\x01\0\0\0\0\0\0\0");
        assert_eq!(reader.read(&mut input), Ok(None));
        input.extend_from_slice(b"a");
        assert_eq!(
            reader.read(&mut input),
            Ok(Some(tag(TagType::Audio, 0, b"a")))
        );
    }

    #[test]
    fn files_that_end_too_early_are_told() {
        let cases: [(&[u8], u64, &str); 7] = [
            (b"", 0, "the file header"),
            (b"FLV\x01\x05", 5, "the file header"),
            (b"FLV\x01\x05\0\0\0\x0Cab", 11, "the file header"),
            (&START[..11], 11, "the size after a tag"),
            (&[START, b"\x08\0"].concat(), 15, "a tag"),
            (
                &[START, b"\x08\0\0\x02\0\0\0\0\0\0\0a"].concat(),
                25,
                "a tag",
            ),
            (
                &[START, b"\x0A\0\0\x02\0\0\0\0\0\0\0a"].concat(),
                25,
                "a tag",
            ),
        ];
        for (bytes, offset, within) in cases {
            assert_eq!(
                read(bytes).1,
                Err(Error::Truncated { offset, within }),
                "{bytes:02x?}"
            );
        }
        assert_eq!(
            read(b"").1.unwrap_err().to_string(),
            "the data ends at byte 0, within the file header"
        );
    }

    #[test]
    fn bodies_over_the_limit_are_refused_before_they_come() {
        let (_, end, _) = read(&[START, b"\x09\0\x03\xE9\0\0\0\0\0\0\0"].concat());

        assert_eq!(
            end.unwrap_err().to_string(),
            "a tag at byte 13 has a body of 1001 bytes, the limit is 1000"
        );
    }

    #[test]
    fn bodies_that_nobody_wants_are_not_kept() {
        let mut reader = Reader::new(Limits { tag_payload: 10 });
        let mut input = BytesMut::from(&[START, b"\x0F\xFF\xFF\xFF\0\0\0\0\0\0\0"].concat()[..]);
        for _ in 0..100 {
            input.extend_from_slice(&[0; 1000]);
            assert_eq!(reader.read(&mut input), Ok(None));
            assert!(input.is_empty());
        }
    }

    fn tags() -> impl Strategy<Value = Vec<Tag>> {
        let tag_type = prop::sample::select(vec![TagType::Audio, TagType::Video, TagType::Script]);
        let payload = prop::collection::vec(any::<u8>(), 0..300).prop_map(Bytes::from);
        let tag =
            (tag_type, any::<u32>(), payload).prop_map(|(tag_type, timestamp, payload)| Tag {
                tag_type,
                timestamp,
                payload,
            });
        prop::collection::vec(tag, 0..10)
    }

    proptest! {
        #[test]
        fn what_was_written_is_read(tags in tags()) {
            let mut file = BytesMut::new();
            write_header(true, true, &mut file);
            for tag in &tags {
                write_tag(tag, &mut file).unwrap();
            }
            let (read, end, reader) = read(&file);
            prop_assert_eq!((read, end, reader.wrong_sizes()), (tags, Ok(()), 0));
        }

        #[test]
        fn any_split_of_any_bytes_reads_the_same(
            bytes: Vec<u8>,
            with_start: bool,
            pieces in prop::collection::vec(0..20usize, 0..20),
        ) {
            let bytes = if with_start { [START, &bytes].concat() } else { bytes };
            let (expected, end, _) = read(&bytes);

            let mut reader = Reader::new(Limits { tag_payload: 1000 });
            let (mut rest, mut input, mut tags) = (&bytes[..], BytesMut::new(), Vec::new());
            let mut error = None;
            for len in pieces.into_iter().chain([bytes.len()]) {
                let (piece, after) = rest.split_at(len.min(rest.len()));
                input.extend_from_slice(piece);
                rest = after;
                while error.is_none() {
                    match reader.read(&mut input) {
                        Ok(Some(tag)) => tags.push(tag),
                        Ok(None) => break,
                        Err(refused) => error = Some(refused),
                    }
                }
            }
            prop_assert_eq!(tags, expected);
            prop_assert_eq!(error.map_or_else(|| reader.finish(&input), Err), end);
        }
    }
}
