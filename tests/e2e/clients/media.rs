//! A stream that looks like H.264 and AAC to everyone who does not decode it.

use std::ops::Range;

use bytes::{BufMut, Bytes, BytesMut};
use srs_amf0::{Object, Value};
use srs_media::packet::{Packet, PacketKind, Track};
use srs_media::time::Timestamp;
use srs_rtmp::{Media, MediaKind};

/// One message of a stream.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Sample {
    pub(crate) kind: MediaKind,
    /// Milliseconds, modulo 2^32.
    pub(crate) timestamp: u32,
    pub(crate) payload: Bytes,
}

impl Sample {
    /// The same message at another time.
    pub(crate) fn at(self, timestamp: u32) -> Self {
        Self { timestamp, ..self }
    }

    /// The same message so much later, modulo 2^32.
    pub(crate) fn later_by(self, millis: u32) -> Self {
        let timestamp = self.timestamp.wrapping_add(millis);
        Self { timestamp, ..self }
    }

    pub(crate) fn part(&self) -> Part {
        part(self.kind, &self.payload)
    }
}

/// What a message is in its stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Part {
    Metadata,
    VideoHeader,
    AudioHeader,
    KeyFrame,
    Frame,
    Sound,
    /// Data that is no metadata.
    Event,
}

impl Part {
    pub(crate) fn of(media: &Media) -> Self {
        part(media.kind, &media.payload)
    }

    /// What a decoder is given before the media.
    pub(crate) fn is_header(self) -> bool {
        matches!(self, Self::Metadata | Self::VideoHeader | Self::AudioHeader)
    }
}

fn part(kind: MediaKind, payload: &Bytes) -> Part {
    let now = Timestamp::default();
    let packet = match kind {
        MediaKind::Audio => Packet::audio(now, payload.clone()),
        MediaKind::Video => Packet::video(now, payload.clone()),
        MediaKind::Data => Packet::data(now, payload.clone()),
    };
    match (packet.track, packet.kind) {
        (Track::Video, PacketKind::SequenceHeader) => Part::VideoHeader,
        (Track::Video, PacketKind::KeyFrame) => Part::KeyFrame,
        (Track::Video, _) => Part::Frame,
        (Track::Audio, PacketKind::SequenceHeader) => Part::AudioHeader,
        (Track::Audio, _) => Part::Sound,
        (Track::Data, PacketKind::Metadata) => Part::Metadata,
        (Track::Data, _) => Part::Event,
    }
}

/// A stream of 25 pictures and 50 packets of sound a second, with a key frame each second.
///
/// Each message differs from all others, also from those of shows with another number.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Show {
    number: u32,
    picture: bool,
    sound: bool,
}

impl Show {
    pub(crate) fn new(number: u32) -> Self {
        Self {
            number,
            picture: true,
            sound: true,
        }
    }

    pub(crate) fn sound_only(number: u32) -> Self {
        Self {
            number,
            picture: false,
            sound: true,
        }
    }

    pub(crate) fn picture_only(number: u32) -> Self {
        Self {
            number,
            picture: true,
            sound: false,
        }
    }

    /// Metadata and the sequence headers, at time 0.
    pub(crate) fn headers(self) -> Vec<Sample> {
        let mut samples = vec![self.metadata(&[])];
        if self.picture {
            let mut payload = BytesMut::from(AVC_HEADER);
            // In the PPS, where the server does not look.
            payload.extend_from_slice(&self.number.to_be_bytes());
            samples.push(sample(MediaKind::Video, 0, payload));
        }
        if self.sound {
            let mut payload = BytesMut::from(AAC_HEADER);
            payload.extend_from_slice(&self.number.to_be_bytes());
            samples.push(sample(MediaKind::Audio, 0, payload));
        }
        samples
    }

    /// Metadata at time 0, with further properties.
    pub(crate) fn metadata(self, more: &[(&str, Value)]) -> Sample {
        let mut properties = Object::new()
            .with("width", 64.0)
            .with("height", 48.0)
            .with("show", f64::from(self.number));
        for (key, value) in more {
            properties.insert(*key, value.clone());
        }
        let mut payload = BytesMut::new();
        srs_amf0::encode(&"@setDataFrame".into(), &mut payload);
        srs_amf0::encode(&"onMetaData".into(), &mut payload);
        srs_amf0::encode(&Value::EcmaArray(properties), &mut payload);
        sample(MediaKind::Data, 0, payload)
    }

    /// The pictures and the sound within `millis`, in the order of their times.
    pub(crate) fn media(self, millis: Range<u32>) -> impl Iterator<Item = Sample> {
        millis
            .filter(|time| time.is_multiple_of(SOUND_STEP))
            .flat_map(move |time| {
                let picture =
                    (self.picture && time.is_multiple_of(PICTURE_STEP)).then(|| self.picture(time));
                let sound = self.sound.then(|| self.sound(time));
                picture.into_iter().chain(sound)
            })
    }

    /// The headers and the media of the first `millis`.
    pub(crate) fn beginning(self, millis: u32) -> impl Iterator<Item = Sample> {
        self.headers().into_iter().chain(self.media(0..millis))
    }

    /// The picture at `time`.
    pub(crate) fn picture(self, time: u32) -> Sample {
        let index = time / PICTURE_STEP;
        let is_key_frame = index.is_multiple_of(GROUP);
        let (first, len) = if is_key_frame {
            (0x17, 3_000)
        } else {
            (0x27, 200)
        };
        // AVC NALU, no composition time.
        self.fill(
            MediaKind::Video,
            time,
            &[first, 1, 0, 0, 0],
            len + index % 97,
        )
    }

    /// The sound at `time`.
    pub(crate) fn sound(self, time: u32) -> Sample {
        // AAC raw.
        self.fill(MediaKind::Audio, time, &[0xAF, 1], 60 + time % 61)
    }

    fn fill(self, kind: MediaKind, time: u32, header: &[u8], len: u32) -> Sample {
        let mut payload = BytesMut::from(header);
        payload.put_u32(len);
        payload.put_u32(self.number);
        payload.put_u32(time);
        let fill = (0..len).map(|index| (index ^ time).to_be_bytes()[3]);
        payload.extend(fill);
        sample(kind, time, payload)
    }
}

fn sample(kind: MediaKind, timestamp: u32, payload: BytesMut) -> Sample {
    Sample {
        kind,
        timestamp,
        payload: payload.freeze(),
    }
}

/// Milliseconds from one picture to the next.
pub(crate) const PICTURE_STEP: u32 = 40;
/// Milliseconds from one packet of sound to the next.
pub(crate) const SOUND_STEP: u32 = 20;
/// Pictures from one key frame to the next.
const GROUP: u32 = 25;

/// An `AVCDecoderConfigurationRecord` in its message: baseline, 64 × 48, 25 pictures a second.
const AVC_HEADER: &[u8] = b"\x17\0\0\0\0\x01\x42\xC0\x0A\xFF\xE1\0\x17\x67\x42\xC0\x0A\xD9\x04\x7B\
    \x01\x10\0\0\x03\0\x10\0\0\x03\x03\x20\xF1\x22\x64\x80\x01\0\x09\x68\xCB\x83\xCB\x20";
/// An `AudioSpecificConfig` in its message: AAC LC, 44.1 kHz, mono.
const AAC_HEADER: &[u8] = b"\xAF\0\x12\x08\x56\xE5\0";

#[cfg(test)]
mod tests {
    use srs_media::codec::{AudioConfig, VideoConfig};

    use super::*;

    #[test]
    fn a_show_looks_like_what_an_encoder_sends() {
        let parts: Vec<Part> = Show::new(1)
            .beginning(60)
            .map(|sample| sample.part())
            .collect();
        let expected = [
            Part::Metadata,
            Part::VideoHeader,
            Part::AudioHeader,
            Part::KeyFrame,
            Part::Sound,
            Part::Sound,
            Part::Frame,
            Part::Sound,
        ];
        assert_eq!(parts, expected);
        let headers = Show::new(1).headers();
        VideoConfig::parse(&headers[1].payload).expect("a configuration of H.264");
        AudioConfig::parse(&headers[2].payload).expect("a configuration of AAC");
    }
}
