//! What enhanced RTMP put in front of audio and video alike: modifiers, tracks, four-character
//! codes.
//!
//! Follows Veovera's "Enhanced RTMP (V2)", the tables of `ExAudioTagHeader` and `ExVideoTagHeader`;
//! version 1 is the part of it without modifiers and tracks.

use bytes::Bytes;

use crate::bits::{BitReader, FieldError};
use crate::codec::FourCc;

/// What follows the packet type in a tag header.
pub(crate) struct Extension {
    /// The packet type after multitrack is taken off.
    pub(crate) packet_type: u32,
    pub(crate) four_cc: FourCc,
    /// The track, the first one if the message has several. 0 is the default track, and the one of
    /// messages without tracks.
    pub(crate) track_id: u8,
    /// Where in the body the track ends, in bytes.
    end: usize,
}

impl Extension {
    /// Reads on after `packet_type`, of which [`read_modifiers`] has taken the modifiers off.
    ///
    /// `multitrack` is the packet type that announces tracks: another in audio than in video.
    pub(crate) fn read(
        reader: &mut BitReader<'_>,
        packet_type: u32,
        multitrack: u32,
    ) -> Result<Self, FieldError> {
        if packet_type != multitrack {
            let four_cc = read_four_cc(reader)?;
            return Ok(Self {
                packet_type,
                four_cc,
                track_id: 0,
                end: Payload::rest(reader).end,
            });
        }
        let kind = reader.bits(4, "AvMultitrackType")?;
        if kind > MANY_TRACKS_MANY_CODECS {
            return Err(FieldError::unexpected("AvMultitrackType", kind, "0 to 2"));
        }
        let field = "PacketType of the tracks";
        let packet_type = reader.bits(4, field)?;
        if packet_type == multitrack || packet_type == MOD_EX {
            let expected = "neither Multitrack nor ModEx";
            return Err(FieldError::unexpected(field, packet_type, expected));
        }
        // One code for all tracks and the first track's own stand in the same place.
        let four_cc = read_four_cc(reader)?;
        let track_id = reader.byte("track id")?;
        let end = if kind == ONE_TRACK {
            Payload::rest(reader).end
        } else {
            let len = reader.bits(24, "size of track")? as usize;
            let mut track = *reader;
            track.bytes(len, "track")?;
            track.position() / 8
        };
        Ok(Self {
            packet_type,
            four_cc,
            track_id,
            end,
        })
    }

    /// The track's bytes that `reader`, which stands within it, has not read.
    pub(crate) fn payload(&self, reader: &BitReader<'_>) -> Payload {
        Payload {
            start: (reader.position() / 8).min(self.end),
            end: self.end,
        }
    }
}

fn read_four_cc(reader: &mut BitReader<'_>) -> Result<FourCc, FieldError> {
    reader.bits(32, "FourCC").map(FourCc::from_u32)
}

/// Takes the modifiers (`ModEx`) off: what they leave over as the packet type, and the nanoseconds
/// below 1,000,000 by which they refine the timestamp.
pub(crate) fn read_modifiers(
    reader: &mut BitReader<'_>,
    mut packet_type: u32,
) -> Result<(u32, u32), FieldError> {
    let mut nanos = 0;
    while packet_type == MOD_EX {
        let mut len = reader.bits(8, "modExDataSize")? as usize + 1;
        if len == 256 {
            len = reader.bits(16, "modExDataSize")? as usize + 1;
        }
        let data = reader.bytes(len, "modExData")?;
        let kind = reader.bits(4, "PacketModExType")?;
        packet_type = reader.bits(4, "PacketType after ModEx")?;
        // Other kinds are to come: what they say is passed over.
        if kind == TIMESTAMP_OFFSET_NANO {
            nanos = BitReader::new(data)
                .bits(24, "timestampOffsetNano")?
                .min(999_999);
        }
    }
    Ok((packet_type, nanos))
}

/// Where in a body the payload lies, in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Payload {
    start: usize,
    end: usize,
}

impl Payload {
    pub(crate) const EMPTY: Self = Self { start: 0, end: 0 };

    /// All that `reader` has not read.
    pub(crate) fn rest(reader: &BitReader<'_>) -> Self {
        let start = reader.position() / 8;
        Self {
            start,
            end: start + reader.left() / 8,
        }
    }

    /// The payload of `body`; of a shorter body than the one that was parsed, nothing.
    pub(crate) fn of(self, body: &Bytes) -> Bytes {
        if self.end > body.len() {
            Bytes::new()
        } else {
            body.slice(self.start..self.end)
        }
    }
}

const MOD_EX: u32 = 7;
const TIMESTAMP_OFFSET_NANO: u32 = 0;
const ONE_TRACK: u32 = 0;
const MANY_TRACKS_MANY_CODECS: u32 = 2;
