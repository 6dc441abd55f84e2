//! Puts audio and video into the order of their timestamps, for encoders that do not.
//!
//! Players that get the publisher's own timestamps (`atc`, or `time_jitter = "off"`) may need them
//! in order across the tracks. Each packet waits until the other track has come as far, or
//! more than ten packets are waiting, which is the case in a stream with one track.

use std::collections::BTreeMap;

use srs_media::packet::Track;

use super::log::LoggedPacket;

/// Packets that wait for the other track; see the module's documentation.
#[derive(Debug, Default)]
pub struct Mixer {
    /// Ordered by timestamp, then by arrival.
    waiting: BTreeMap<(i64, u64), LoggedPacket>,
    arrivals: u64,
    audio: usize,
    video: usize,
}

impl Mixer {
    /// Takes a packet in.
    pub fn push(&mut self, packet: LoggedPacket) {
        self.arrivals += 1;
        if let Some(count) = self.count(packet.packet.track) {
            *count += 1;
        }
        self.waiting.insert((packet.source, self.arrivals), packet);
    }

    /// The next packet whose turn it is.
    pub fn pop(&mut self) -> Option<LoggedPacket> {
        let both = self.audio > 0 && self.video > 0;
        if both || self.waiting.len() > PATIENCE {
            self.pop_first()
        } else {
            None
        }
    }

    /// The next packet whether or not its turn has come: the publisher has left.
    pub fn pop_first(&mut self) -> Option<LoggedPacket> {
        let (_, packet) = self.waiting.pop_first()?;
        if let Some(count) = self.count(packet.packet.track) {
            *count -= 1;
        }
        Some(packet)
    }

    fn count(&mut self, track: Track) -> Option<&mut usize> {
        match track {
            Track::Audio => Some(&mut self.audio),
            Track::Video => Some(&mut self.video),
            Track::Data => None,
        }
    }
}

/// So many packets wait at most: about a quarter of a second of audio.
const PATIENCE: usize = 10;

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use srs_media::packet::Packet;
    use srs_media::time::Timestamp;

    use super::*;

    fn packet(track: Track, source: i64) -> LoggedPacket {
        let timestamp = Timestamp::from_millis(0);
        let packet = match track {
            Track::Audio => Packet::audio(timestamp, Bytes::from_static(&[0xAF, 1])),
            _ => Packet::video(timestamp, Bytes::from_static(&[0x27, 1, 0, 0, 0])),
        };
        LoggedPacket {
            packet,
            source,
            discontinuity: false,
        }
    }

    fn drain(mixer: &mut Mixer) -> Vec<i64> {
        std::iter::from_fn(|| mixer.pop())
            .map(|packet| packet.source)
            .collect()
    }

    #[test]
    fn tracks_leave_in_the_order_of_their_timestamps() {
        let mut mixer = Mixer::default();
        mixer.push(packet(Track::Video, 40));
        mixer.push(packet(Track::Video, 80));
        assert_eq!(
            drain(&mut mixer),
            [0i64; 0],
            "audio may yet come in between"
        );
        mixer.push(packet(Track::Audio, 23));
        mixer.push(packet(Track::Audio, 46));
        assert_eq!(drain(&mut mixer), [23, 40, 46]);
        assert_eq!(mixer.pop_first().map(|packet| packet.source), Some(80));
    }

    #[test]
    fn a_stream_with_one_track_is_held_back_a_little_only() {
        let mut mixer = Mixer::default();
        for index in 0..100 {
            mixer.push(packet(Track::Audio, index * 23));
        }
        assert_eq!(drain(&mut mixer).len(), 100 - PATIENCE);
    }
}
