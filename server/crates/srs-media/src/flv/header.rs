//! The file header: nine bytes at the start.

use super::Error;

/// What the file header says (E.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Header {
    /// 1 in every file so far.
    pub version: u8,
    /// Whether the writer expected audio tags. Often wrong: live streams begin before it is known.
    pub has_audio: bool,
    /// The same of video tags.
    pub has_video: bool,
}

impl Header {
    /// Bytes of a header.
    pub(super) const LEN: usize = 9;

    /// The header, and the bytes between it and the first tag that a later version may add.
    pub(super) fn decode(bytes: &[u8; Self::LEN]) -> Result<(Self, u64), Error> {
        let [f, l, v, version, flags, len @ ..] = *bytes;
        if [f, l, v] != SIGNATURE {
            return Err(Error::NotFlv { found: [f, l, v] });
        }
        let len = u32::from_be_bytes(len);
        let extra = len
            .checked_sub(HEADER_LEN)
            .ok_or(Error::HeaderTooShort { len })?;
        let has_audio = flags & HAS_AUDIO != 0;
        let has_video = flags & HAS_VIDEO != 0;
        Ok((
            Self {
                version,
                has_audio,
                has_video,
            },
            extra.into(),
        ))
    }

    /// The bytes of this header.
    pub(super) const fn encode(self) -> [u8; Self::LEN] {
        let [f, l, v] = SIGNATURE;
        let audio = if self.has_audio { HAS_AUDIO } else { 0 };
        let video = if self.has_video { HAS_VIDEO } else { 0 };
        let [l0, l1, l2, l3] = HEADER_LEN.to_be_bytes();
        [f, l, v, self.version, audio | video, l0, l1, l2, l3]
    }
}

const SIGNATURE: [u8; 3] = *b"FLV";
const HEADER_LEN: u32 = 9;
const HAS_AUDIO: u8 = 0b100;
const HAS_VIDEO: u8 = 0b001;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_say_what_they_hold() {
        let cases: [(&str, &[u8; 9], (bool, bool)); 4] = [
            ("both", b"FLV\x01\x05\x00\x00\x00\x09", (true, true)),
            ("audio", b"FLV\x01\x04\x00\x00\x00\x09", (true, false)),
            ("video", b"FLV\x01\x01\x00\x00\x00\x09", (false, true)),
            ("neither", b"FLV\x01\x00\x00\x00\x00\x09", (false, false)),
        ];
        for (name, bytes, (has_audio, has_video)) in cases {
            let header = Header {
                version: 1,
                has_audio,
                has_video,
            };
            assert_eq!(Header::decode(bytes), Ok((header, 0)), "{name}");
            assert_eq!(&header.encode(), bytes, "{name}");
        }
    }

    #[test]
    fn other_formats_and_impossible_lengths_are_refused() {
        assert_eq!(
            Header::decode(b"\0\0\0\x18ftyp\0").unwrap_err().to_string(),
            r#"expected the signature FLV, "\\x00\\x00\\x00" came"#
        );
        assert_eq!(
            Header::decode(b"FLV\x01\x05\x00\x00\x00\x08"),
            Err(Error::HeaderTooShort { len: 8 })
        );
    }

    #[test]
    fn a_longer_header_is_told() {
        let (_, extra) = Header::decode(b"FLV\x01\x05\xFF\xFF\xFF\xFF").unwrap();
        assert_eq!(extra, u64::from(u32::MAX) - 9);
    }
}
