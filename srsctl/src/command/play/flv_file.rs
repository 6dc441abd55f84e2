//! An FLV file out of packets whose tracks are not known before they come.
//!
//! The header of the file says whether there is sound and picture, and players believe it: one
//! that is promised sound may wait for it. So the first packets are held back until both tracks
//! have shown themselves, or a second of media has come without the other one. Should a track
//! come later still, the header is set right where it stands.

use bytes::{Bytes, BytesMut};
use srs_media::flv::{self, Tag, TagType};

/// Turns tags into the bytes of a file.
#[derive(Clone, Debug, Default)]
pub(crate) struct FlvFile {
    tracks: Tracks,
    /// The tracks that the header tells of, once it is written.
    told: Option<Tracks>,
    held: Vec<Tag>,
    held_bytes: usize,
    /// The times of the first and the last held frame.
    span: Option<(u32, u32)>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Tracks {
    audio: bool,
    video: bool,
}

impl FlvFile {
    /// Takes a tag; what is to be appended to the file goes to `out`. `is_frame` says whether it
    /// is sound or a picture, and not something about them.
    ///
    /// # Errors
    /// [`flv::Error::TagTooLarge`]: RTMP could carry it, FLV cannot. The file is as it was.
    pub(crate) fn take(
        &mut self,
        tag: Tag,
        is_frame: bool,
        out: &mut BytesMut,
    ) -> Result<(), flv::Error> {
        match tag.tag_type {
            TagType::Audio => self.tracks.audio = true,
            TagType::Video => self.tracks.video = true,
            TagType::Script => {}
        }
        if self.told.is_some() {
            return flv::write_tag(&tag, out);
        }
        if is_frame {
            let (_, last) = self.span.get_or_insert((tag.timestamp, tag.timestamp));
            *last = tag.timestamp;
        }
        self.held_bytes += tag.payload.len();
        self.held.push(tag);
        if self.is_known() {
            self.begin(out)
        } else {
            Ok(())
        }
    }

    /// The stream is over, or the file must begin: what is held back goes to `out`.
    ///
    /// # Errors
    /// As [`FlvFile::take`].
    pub(crate) fn begin(&mut self, out: &mut BytesMut) -> Result<(), flv::Error> {
        if self.told.is_none() {
            self.told = Some(self.tracks);
            flv::write_header(self.tracks.audio, self.tracks.video, out);
            for tag in std::mem::take(&mut self.held) {
                flv::write_tag(&tag, out)?;
            }
        }
        Ok(())
    }

    /// The right header, to be put over the start of the file, if the one there is wrong by now.
    pub(crate) fn correction(&mut self) -> Option<Bytes> {
        let told = self.told.as_mut().filter(|told| **told != self.tracks)?;
        *told = self.tracks;
        let mut header = BytesMut::new();
        flv::write_header(self.tracks.audio, self.tracks.video, &mut header);
        Some(header.freeze())
    }

    fn is_known(&self) -> bool {
        let both = self.tracks.audio && self.tracks.video;
        let long = self
            .span
            .is_some_and(|(first, last)| last.wrapping_sub(first) >= PATIENCE_MILLIS);
        both || long || self.held.len() >= MOST_HELD || self.held_bytes >= MOST_HELD_BYTES
    }
}

/// A track that is there shows itself within so much media: at the latest where picture and sound
/// are out of step already.
const PATIENCE_MILLIS: u32 = 1_000;
/// Tags that are held back at most.
const MOST_HELD: usize = 256;
/// Bytes that are held back at most: several large key frames.
const MOST_HELD_BYTES: usize = 8 * 1024 * 1024;

#[cfg(test)]
mod tests {
    use super::*;

    fn tag(tag_type: TagType, timestamp: u32) -> Tag {
        Tag {
            tag_type,
            timestamp,
            payload: Bytes::from_static(&[1, 2, 3]),
        }
    }

    /// What a reader finds in `bytes`: the flags for audio and video, and the tags.
    fn read(mut bytes: BytesMut) -> ((bool, bool), Vec<Tag>) {
        let mut reader = flv::Reader::new(flv::Limits::default());
        let mut tags = Vec::new();
        while let Some(tag) = reader.read(&mut bytes).unwrap() {
            tags.push(tag);
        }
        let header = reader.header().unwrap();
        ((header.has_audio, header.has_video), tags)
    }

    #[test]
    fn the_file_begins_when_both_tracks_are_there() {
        let mut file = FlvFile::default();
        let mut out = BytesMut::new();
        let script = tag(TagType::Script, 0);
        let (video, audio) = (tag(TagType::Video, 0), tag(TagType::Audio, 5));
        file.take(script.clone(), false, &mut out).unwrap();
        file.take(video.clone(), true, &mut out).unwrap();
        assert!(out.is_empty());
        file.take(audio.clone(), true, &mut out).unwrap();
        assert_eq!(read(out), ((true, true), vec![script, video, audio]));
        assert_eq!(file.correction(), None);
    }

    #[test]
    fn a_track_that_is_not_there_is_not_waited_for_long() {
        let mut file = FlvFile::default();
        let mut out = BytesMut::new();
        for time in [u32::MAX - 499, 0, 499] {
            file.take(tag(TagType::Audio, time), true, &mut out)
                .unwrap();
            assert!(out.is_empty());
        }
        file.take(tag(TagType::Audio, 500), true, &mut out).unwrap();
        assert_eq!(file.correction(), None);
        let ((has_audio, has_video), tags) = read(out);
        assert!(has_audio && !has_video);
        assert_eq!(tags.len(), 4);
    }

    #[test]
    fn a_header_before_the_first_frame_says_nothing_of_the_time() {
        let mut file = FlvFile::default();
        let mut out = BytesMut::new();
        file.take(tag(TagType::Video, 0), false, &mut out).unwrap();
        file.take(tag(TagType::Video, 90_000), true, &mut out)
            .unwrap();
        assert!(out.is_empty());
    }

    #[test]
    fn a_track_that_comes_late_sets_the_header_right() {
        let mut file = FlvFile::default();
        let mut out = BytesMut::new();
        file.take(tag(TagType::Video, 0), true, &mut out).unwrap();
        file.take(tag(TagType::Video, 2_000), true, &mut out)
            .unwrap();
        file.take(tag(TagType::Audio, 2_000), true, &mut out)
            .unwrap();
        let correction = file.correction().unwrap();
        out[..correction.len()].copy_from_slice(&correction);
        let (flags, tags) = read(out);
        assert_eq!((flags, tags.len()), ((true, true), 3));
        assert_eq!(file.correction(), None, "it is right now");
    }

    #[test]
    fn a_stream_that_ends_early_is_written_all_the_same() {
        let mut file = FlvFile::default();
        let mut out = BytesMut::new();
        file.take(tag(TagType::Audio, 0), true, &mut out).unwrap();
        file.begin(&mut out).unwrap();
        assert_eq!(read(out), ((true, false), vec![tag(TagType::Audio, 0)]));
    }

    #[test]
    fn nothing_is_held_back_without_bound() {
        let mut file = FlvFile::default();
        let mut out = BytesMut::new();
        for _ in 0..MOST_HELD {
            file.take(tag(TagType::Video, 0), true, &mut out).unwrap();
        }
        assert_eq!(read(out).1.len(), MOST_HELD);
    }
}
