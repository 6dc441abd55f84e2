//! Bytes out of tags.
//!
//! Whoever sends one body to many puts [`write_tag_header`] and [`write_previous_tag_size`] around
//! it and leaves the body where it is; [`write_tag`] is for those who want the bytes in one piece.

use bytes::{BufMut, BytesMut};

use super::{Error, Header, Tag, TagType};

/// Appends the file header and the size 0 of the tag before the first.
pub fn write_header(has_audio: bool, has_video: bool, out: &mut BytesMut) {
    let header = Header {
        version: 1,
        has_audio,
        has_video,
    };
    out.put_slice(&header.encode());
    out.put_u32(0);
}

/// Appends the header of a tag whose body has `payload_len` bytes.
///
/// # Errors
/// [`Error::PayloadTooLarge`] if that is more than 16,777,215 bytes, which FLV cannot express. No
/// body of an RTMP message is that large. Nothing is appended then.
pub fn write_tag_header(
    tag_type: TagType,
    timestamp: u32,
    payload_len: usize,
    out: &mut BytesMut,
) -> Result<(), Error> {
    let len = match u32::try_from(payload_len) {
        Ok(len) if payload_len <= MAX_PAYLOAD => len,
        _ => return Err(Error::PayloadTooLarge { len: payload_len }),
    };
    let [_, len @ ..] = len.to_be_bytes();
    // The highest byte of the time was added to the format later, behind the others (E.4.1).
    let [extended, time @ ..] = timestamp.to_be_bytes();
    out.put_u8(tag_type.id());
    out.put_slice(&len);
    out.put_slice(&time);
    out.put_u8(extended);
    out.put_slice(&STREAM_ID);
    Ok(())
}

/// Appends what follows the body of a tag: the size of body and tag header.
///
/// `payload_len` is what [`write_tag_header`] accepted; a larger one is written as the largest.
pub fn write_previous_tag_size(payload_len: usize, out: &mut BytesMut) {
    let len = u32::try_from(payload_len.min(MAX_PAYLOAD) + TAG_HEADER_LEN);
    out.put_u32(len.expect("25 bits at most"));
}

/// Appends a whole tag: header, body and size.
///
/// # Errors
/// As [`write_tag_header`].
pub fn write_tag(tag: &Tag, out: &mut BytesMut) -> Result<(), Error> {
    write_tag_header(tag.tag_type, tag.timestamp, tag.payload.len(), out)?;
    out.put_slice(&tag.payload);
    write_previous_tag_size(tag.payload.len(), out);
    Ok(())
}

/// Bytes before the body of a tag.
pub(super) const TAG_HEADER_LEN: usize = 11;

/// The length field of a tag has 24 bits.
pub(super) const MAX_PAYLOAD: usize = 0xFF_FFFF;

const STREAM_ID: [u8; 3] = [0; 3];

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;

    #[test]
    fn bytes_are_those_of_the_specification() {
        let mut out = BytesMut::new();
        write_header(true, false, &mut out);
        assert_eq!(out, &b"FLV\x01\x04\0\0\0\x09\0\0\0\0"[..]);

        let cases: [(TagType, u32, &'static [u8], &[u8]); 3] = [
            (
                TagType::Audio,
                0,
                b"",
                b"\x08\0\0\0\0\0\0\0\0\0\0\0\0\0\x0B",
            ),
            (
                TagType::Video,
                40,
                b"ab",
                b"\x09\0\0\x02\0\0\x28\0\0\0\0ab\0\0\0\x0D",
            ),
            (
                TagType::Script,
                0xFE01_0203,
                b"a",
                b"\x12\0\0\x01\x01\x02\x03\xFE\0\0\0a\0\0\0\x0C",
            ),
        ];
        for (tag_type, timestamp, payload, bytes) in cases {
            let mut out = BytesMut::new();
            let tag = Tag {
                tag_type,
                timestamp,
                payload: Bytes::from_static(payload),
            };
            write_tag(&tag, &mut out).unwrap();
            assert_eq!(out, bytes, "{tag_type:?}");
        }
    }

    #[test]
    fn the_largest_body_has_24_bits_of_length() {
        let mut out = BytesMut::new();
        write_tag_header(TagType::Video, 0, MAX_PAYLOAD, &mut out).unwrap();
        write_previous_tag_size(MAX_PAYLOAD, &mut out);
        assert_eq!(out, &b"\x09\xFF\xFF\xFF\0\0\0\0\0\0\0\x01\0\0\x0A"[..]);

        let error = write_tag_header(TagType::Video, 0, MAX_PAYLOAD + 1, &mut out).unwrap_err();
        assert_eq!(error, Error::PayloadTooLarge { len: 0x100_0000 });
        assert_eq!(out.len(), 15, "nothing is appended");
    }
}
