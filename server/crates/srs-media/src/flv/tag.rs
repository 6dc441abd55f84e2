//! One tag: what it is, when, and its body.

use bytes::Bytes;

use crate::packet::{Packet, Track};
use crate::time::Timestamp;

/// A tag of FLV (E.4.1); cloning it is a reference count.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tag {
    /// What the body is.
    pub tag_type: TagType,
    /// When it is decoded: milliseconds modulo 2^32.
    pub timestamp: u32,
    /// The body: that of an RTMP message of the same type.
    pub payload: Bytes,
}

impl Tag {
    /// The tag as a packet of a stream, whose time `near` undoes the wraps: that of the packet
    /// before, or [`Timestamp::ZERO`] for the first.
    pub fn into_packet(self, near: Timestamp) -> Packet {
        let timestamp = near.nearest(self.timestamp);
        match self.tag_type {
            TagType::Audio => Packet::audio(timestamp, self.payload),
            TagType::Video => Packet::video(timestamp, self.payload),
            TagType::Script => Packet::data(timestamp, self.payload),
        }
    }
}

impl From<Packet> for Tag {
    fn from(packet: Packet) -> Self {
        Self {
            tag_type: packet.track.into(),
            timestamp: packet.timestamp.wire(),
            payload: packet.payload,
        }
    }
}

/// What the body of a tag is. Discriminants are the values on the wire.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum TagType {
    /// Audio.
    Audio = 8,
    /// Video.
    Video = 9,
    /// AMF0 values, `onMetaData` first of all.
    Script = 18,
}

impl TagType {
    /// The type that the wire says as `id`; `None` for others, which readers are to pass over.
    pub const fn from_id(id: u8) -> Option<Self> {
        match id {
            8 => Some(Self::Audio),
            9 => Some(Self::Video),
            18 => Some(Self::Script),
            _ => None,
        }
    }

    /// The value on the wire.
    pub const fn id(self) -> u8 {
        self as u8
    }
}

impl From<Track> for TagType {
    fn from(track: Track) -> Self {
        match track {
            Track::Audio => Self::Audio,
            Track::Video => Self::Video,
            Track::Data => Self::Script,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_and_packets_are_the_same_messages() {
        const WRAP: u64 = 1 << 32;
        for (tag_type, track) in [
            (TagType::Audio, Track::Audio),
            (TagType::Video, Track::Video),
            (TagType::Script, Track::Data),
        ] {
            let tag = Tag {
                tag_type,
                timestamp: 40,
                payload: Bytes::from_static(b"\x17\x01"),
            };
            let packet = tag.clone().into_packet(Timestamp::from_millis(WRAP - 10));

            assert_eq!(
                (packet.track, packet.timestamp.as_millis()),
                (track, WRAP + 40)
            );
            assert_eq!(Tag::from(packet), tag);
            assert_eq!(TagType::from_id(tag_type.id()), Some(tag_type));
        }
        assert_eq!(TagType::from_id(10), None);
    }
}
