//! One stream out of one or many passes over a file.
//!
//! Each pass is moved as a whole, so that picture and sound stay in step, and by as little as
//! possible: the track that would overlap with its own end goes on after the duration of its last
//! frame, the other one has a gap of the difference. Headers that the server has already are not
//! repeated, and where the stream goes on nothing says that it ends.

use std::collections::HashMap;
use std::time::Duration;

use bytes::Bytes;
use srs_media::flv::Tag;
use srs_media::{Packet, PacketKind, Timestamp, Track};

use super::source::is_frame;

/// The tags of a file as packets of a stream. Begins with the first pass.
#[derive(Clone, Debug, Default)]
pub(crate) struct Passes {
    /// Passes that are over.
    over: u64,
    /// What is added to the file's times in this pass.
    shift: Duration,
    /// The last time in the file, to undo the wraps of the next by.
    near: Timestamp,
    audio: Extent,
    video: Extent,
    /// The last header of each kind, by track.
    headers: HashMap<(Track, u8, PacketKind), Bytes>,
    /// An end that comes at the end of the file is for the end of the last pass, if there is one.
    ends: bool,
}

/// What part of the file's time a track takes.
#[derive(Clone, Copy, Debug, Default)]
struct Extent {
    first: Option<Timestamp>,
    last: Timestamp,
    /// How long the last frame lasts, taken from the one before.
    step: Option<Duration>,
}

impl Passes {
    /// For a stream that ends with its file: the file's own end of sequence is kept.
    pub(crate) fn once() -> Self {
        Self {
            ends: true,
            ..Self::default()
        }
    }

    /// The next tag of the file as a packet of the stream; `None` if the stream does without it.
    pub(crate) fn take(&mut self, tag: Tag) -> Option<Packet> {
        let mut packet = tag.into_packet(self.near);
        let is_frame = is_frame(&packet);
        if is_frame && let Some(extent) = self.extent(packet.track) {
            extent.take(packet.timestamp);
            self.near = packet.timestamp;
        }
        if self.is_left_out(&packet) {
            return None;
        }
        if !is_frame && self.over > 0 {
            // Headers often have the time zero, whatever the frames begin with.
            packet.timestamp = packet.timestamp.max(self.first());
        }
        packet.timestamp = packet.timestamp.saturating_add(self.shift);
        Some(packet)
    }

    /// The file is over and begins again.
    pub(crate) fn restart(&mut self) {
        self.over += 1;
        self.shift += self.length();
        self.near = self.first();
        self.audio.restart();
        self.video.restart();
    }

    /// Which pass this is; the first is 1.
    pub(crate) fn number(&self) -> u64 {
        self.over + 1
    }

    fn extent(&mut self, track: Track) -> Option<&mut Extent> {
        match track {
            Track::Audio => Some(&mut self.audio),
            Track::Video => Some(&mut self.video),
            Track::Data => None,
        }
    }

    fn is_left_out(&mut self, packet: &Packet) -> bool {
        match packet.kind {
            PacketKind::EndOfSequence => !self.ends,
            PacketKind::SequenceHeader | PacketKind::Metadata => {
                let key = (packet.track, packet.track_id(), packet.kind);
                let known = self.headers.insert(key, packet.payload.clone());
                self.over > 0 && known.as_ref() == Some(&packet.payload)
            }
            PacketKind::KeyFrame | PacketKind::Frame | PacketKind::Data => false,
        }
    }

    /// When the first frame of either track is.
    fn first(&self) -> Timestamp {
        [self.audio.first, self.video.first]
            .into_iter()
            .flatten()
            .min()
            .unwrap_or_default()
    }

    /// By how much the next pass is later than this one.
    fn length(&self) -> Duration {
        let tracks = [self.audio, self.video];
        let longest = tracks.iter().map(Extent::length).max().unwrap_or_default();
        // If one track begins later than the other and ends later too, its end may lie behind the
        // next beginning of the other. A little of that is what every muxer does; of more, players
        // would see one track far ahead of the other.
        let all = tracks
            .iter()
            .map(|track| track.last)
            .max()
            .unwrap_or_default();
        longest.max(
            all.saturating_since(self.first())
                .saturating_sub(INTERLEAVING),
        )
    }
}

impl Extent {
    fn take(&mut self, time: Timestamp) {
        match self.first {
            None => {
                self.first = Some(time);
                self.last = time;
            }
            Some(_) => {
                let step = time.saturating_since(self.last);
                if !step.is_zero() {
                    self.step = Some(step.min(LONGEST_FRAME));
                }
                self.last = self.last.max(time);
            }
        }
    }

    /// Forgets where the track was, not how it goes.
    fn restart(&mut self) {
        self.last = self.first.unwrap_or_default();
    }

    /// From the first frame to the end of the last; zero if there is none.
    fn length(&self) -> Duration {
        self.first.map_or(Duration::ZERO, |first| {
            self.last.saturating_since(first) + self.step.unwrap_or(USUAL_FRAME)
        })
    }
}

/// Packets of two tracks may be out of order by so much.
const INTERLEAVING: Duration = Duration::from_millis(100);
/// The duration of the only frame of a track.
const USUAL_FRAME: Duration = Duration::from_millis(40);
/// A longer step is a pause, not the duration of a frame.
const LONGEST_FRAME: Duration = Duration::from_secs(1);

#[cfg(test)]
mod tests {
    use srs_media::flv::TagType;

    use super::*;

    const KEY_FRAME: &[u8] = &[0x17, 1, 0, 0, 0, 1];
    const VIDEO_HEADER: &[u8] = &[0x17, 0, 0, 0, 0, 1];
    const VIDEO_END: &[u8] = &[0x17, 2, 0, 0, 0];
    const SOUND: &[u8] = &[0xAF, 1, 1];
    const AUDIO_HEADER: &[u8] = &[0xAF, 0, 0x12, 0x10];

    fn tag(tag_type: TagType, timestamp: u32, payload: &'static [u8]) -> Tag {
        Tag {
            tag_type,
            timestamp,
            payload: Bytes::from_static(payload),
        }
    }

    fn video(timestamp: u32) -> Tag {
        tag(TagType::Video, timestamp, KEY_FRAME)
    }

    fn audio(timestamp: u32) -> Tag {
        tag(TagType::Audio, timestamp, SOUND)
    }

    fn times(passes: &mut Passes, clip: &[Tag]) -> Vec<u64> {
        let packets = clip.iter().filter_map(|tag| passes.take(tag.clone()));
        packets.map(|packet| packet.timestamp.as_millis()).collect()
    }

    /// The first frames of the passes after the first, of each track.
    fn later(clip: &[Tag]) -> [Vec<u64>; 2] {
        let mut passes = Passes::default();
        let mut tracks = [Vec::new(), Vec::new()];
        for _ in 0..3 {
            let packets: Vec<Packet> = clip
                .iter()
                .filter_map(|tag| passes.take(tag.clone()))
                .collect();
            for (track, times) in [Track::Video, Track::Audio].into_iter().zip(&mut tracks) {
                let first = packets.iter().find(|packet| packet.track == track);
                times.extend(first.map(|packet| packet.timestamp.as_millis()));
            }
            passes.restart();
        }
        tracks
    }

    #[test]
    fn the_first_pass_has_the_times_of_the_file() {
        let clip = [
            tag(TagType::Video, 0, VIDEO_HEADER),
            video(7_000),
            audio(6_990),
            video(7_040),
        ];
        assert_eq!(
            times(&mut Passes::default(), &clip),
            [0, 7_000, 6_990, 7_040]
        );
    }

    #[test]
    fn a_track_goes_on_after_the_duration_of_its_last_frame() {
        let cases = [
            (
                "one track",
                vec![video(0), video(40), video(80)],
                [vec![0, 120, 240], vec![]],
            ),
            (
                "a late start",
                vec![video(900), video(940)],
                [vec![900, 980, 1_060], vec![]],
            ),
            ("a single frame", vec![video(5)], [vec![5, 45, 85], vec![]]),
            (
                "sound that ends a little later",
                vec![
                    video(0),
                    audio(0),
                    audio(23),
                    video(40),
                    audio(46),
                    audio(69),
                ],
                [vec![0, 92, 184], vec![0, 92, 184]],
            ),
            (
                "sound that begins and ends a little later, where only the picture has a gap",
                vec![video(0), audio(30), video(40), audio(53), audio(76)],
                [vec![0, 80, 160], vec![30, 110, 190]],
            ),
            (
                "sound that begins and ends much later",
                vec![video(0), video(40), audio(2_000), audio(2_040)],
                [vec![0, 1_940, 3_880], vec![2_000, 3_940, 5_880]],
            ),
        ];
        for (name, clip, expected) in cases {
            assert_eq!(later(&clip), expected, "{name}");
        }
    }

    #[test]
    fn time_passes_the_end_of_the_wires_clock() {
        let mut passes = Passes::default();
        let clip = [video(0xFFFF_FFF0), video(0x10)];
        assert_eq!(times(&mut passes, &clip), [0xFFFF_FFF0, 0x1_0000_0010]);
        passes.restart();
        assert_eq!(times(&mut passes, &clip), [0x1_0000_0030, 0x1_0000_0050]);
    }

    #[test]
    fn what_the_server_knows_is_not_repeated() {
        let clip = [
            tag(TagType::Video, 0, VIDEO_HEADER),
            tag(TagType::Audio, 0, AUDIO_HEADER),
            video(500),
            tag(TagType::Video, 500, VIDEO_END),
        ];
        let mut passes = Passes::default();
        assert_eq!(times(&mut passes, &clip), [0, 0, 500], "headers, no end");
        passes.restart();
        assert_eq!(times(&mut passes, &clip), [540], "the frame");
        assert_eq!(
            times(&mut Passes::once(), &clip),
            [0, 0, 500, 500],
            "all of it"
        );
    }

    #[test]
    fn a_header_that_changed_is_repeated_at_the_time_of_the_first_frame() {
        let first = tag(TagType::Video, 0, VIDEO_HEADER);
        let second = tag(TagType::Video, 540, &[0x17, 0, 0, 0, 0, 2]);
        let clip = [first, video(500), second, video(540)];
        let mut passes = Passes::default();
        assert_eq!(times(&mut passes, &clip), [0, 500, 540, 540]);
        passes.restart();
        assert_eq!(times(&mut passes, &clip), [580, 580, 620, 620]);
    }
}
