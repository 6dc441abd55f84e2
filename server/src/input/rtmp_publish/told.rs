//! What the log tells of one publication: nothing for each packet, whatever the encoder does.

use std::time::{Duration, Instant};

use bytes::Bytes;
use srs_media::codec::{AudioConfig, VideoConfig};
use srs_media::packet::Track;
use srs_media::{audio, video};

/// The lines of one publication.
#[derive(Debug)]
pub(super) struct Told {
    video: Headers,
    audio: Headers,
    jumps: Throttle,
    unreadable: bool,
    /// Set if it tells nothing at all.
    silent: bool,
}

/// Sequence headers of a track.
#[derive(Debug)]
struct Headers {
    /// The newest, so that repeated ones are not told again.
    last: Option<Bytes>,
    throttle: Throttle,
}

/// Lets so many through at once, and then one in [`Throttle::EVERY`].
#[derive(Debug)]
struct Throttle {
    at_once: u32,
    last: Option<Instant>,
    untold: u64,
}

impl Told {
    /// Nothing yet. `silent`: nothing later, either.
    pub(super) fn new(silent: bool) -> Self {
        let headers = || Headers {
            last: None,
            throttle: Throttle::new(HEADERS_AT_ONCE),
        };
        Self {
            video: headers(),
            audio: headers(),
            jumps: Throttle::new(1),
            unreadable: false,
            silent,
        }
    }

    /// How many sequence headers were new, and had no line, nor a later one that counts them.
    pub(super) fn untold_headers(&self) -> u64 {
        self.video.throttle.untold + self.audio.throttle.untold
    }

    /// Tells of the first data message that could not be read; the others are counted.
    pub(super) fn tell_unreadable(&mut self, error: &dyn std::error::Error) {
        if !self.silent && !self.unreadable {
            self.unreadable = true;
            tracing::warn!("left out a data message: {error}");
        }
    }

    /// Tells of a clock that jumped. Returns whether it did.
    pub(super) fn tell_jump(&mut self, track: Track, wire: u32, now: Instant) -> bool {
        if self.silent {
            return false;
        }
        let Some(untold) = self.jumps.pass(now) else {
            return false;
        };
        tracing::warn!(
            timestamp = wire,
            untold,
            "the publisher's {} clock jumped; players go on without a jump",
            name_of(track)
        );
        true
    }

    /// Tells what a sequence header says, when it is a new one.
    pub(super) fn tell_codec(&mut self, track: Track, payload: &Bytes, now: Instant) {
        let headers = match track {
            _ if self.silent => return,
            Track::Video if is_video_header(payload) => &mut self.video,
            Track::Audio if is_audio_header(payload) => &mut self.audio,
            _ => return,
        };
        if headers.last.as_ref() == Some(payload) {
            return;
        }
        headers.last = Some(payload.clone());
        let Some(untold) = headers.throttle.pass(now) else {
            return;
        };
        // None of them is what there is to say of an encoder that behaves.
        let untold = (untold > 0).then_some(untold);
        match summary(track, payload) {
            Ok(summary) => tracing::info!(untold, "{} is {summary}", name_of(track)),
            // Players may understand what we do not: the header is passed on as it is.
            Err(error) => {
                tracing::warn!(
                    untold,
                    "cannot read the {} sequence header: {error}",
                    name_of(track)
                );
            }
        }
    }
}

impl Throttle {
    const EVERY: Duration = Duration::from_secs(30);

    fn new(at_once: u32) -> Self {
        Self {
            at_once,
            last: None,
            untold: 0,
        }
    }

    /// Whether this one may be told, and then how many since the last that was may not.
    fn pass(&mut self, now: Instant) -> Option<u64> {
        let is_due = self
            .last
            .is_none_or(|last| now.saturating_duration_since(last) >= Self::EVERY);
        if self.at_once == 0 && !is_due {
            self.untold += 1;
            return None;
        }
        self.at_once = self.at_once.saturating_sub(1);
        self.last = Some(now);
        Some(std::mem::take(&mut self.untold))
    }
}

fn summary(track: Track, payload: &Bytes) -> Result<String, String> {
    match track {
        Track::Video => VideoConfig::parse(payload)
            .map(|config| config.to_string())
            .map_err(|error| error.to_string()),
        _ => AudioConfig::parse(payload)
            .map(|config| config.to_string())
            .map_err(|error| error.to_string()),
    }
}

fn is_video_header(payload: &[u8]) -> bool {
    video::TagHeader::parse(payload).is_ok_and(|header| header.is_sequence_header())
}

fn is_audio_header(payload: &[u8]) -> bool {
    audio::TagHeader::parse(payload).is_ok_and(|header| header.is_sequence_header())
}

fn name_of(track: Track) -> &'static str {
    match track {
        Track::Audio => "audio",
        Track::Video => "video",
        Track::Data => "data",
    }
}

/// Of each track. An encoder begins with one, and has another when its picture changes.
const HEADERS_AT_ONCE: u32 = 5;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_throttle_lets_some_through_at_once_and_then_counts() {
        let began = Instant::now();
        let mut throttle = Throttle::new(3);
        let at = |seconds| began + Duration::from_secs(seconds);
        // Seconds after the beginning, and what may be told then.
        let steps = [
            (0, Some(0)),
            (0, Some(0)),
            (1, Some(0)),
            (1, None),
            (30, None),
            (31, Some(2)),
            (31, None),
            (60, None),
            (100, Some(2)),
            (1_000, Some(0)),
        ];
        for (second, expected) in steps {
            assert_eq!(throttle.pass(at(second)), expected, "after {second} s");
        }
        throttle.pass(at(1_000));
        assert_eq!(throttle.untold, 1);
    }

    #[test]
    fn only_headers_that_are_new_count_and_each_track_for_itself() {
        let now = Instant::now();
        let mut told = Told::new(false);
        let header = |rate: u8| Bytes::copy_from_slice(&[0xAF, 0, 0x12, rate]);
        for _ in 0..10 {
            told.tell_codec(Track::Audio, &header(0x10), now);
            told.tell_codec(Track::Audio, &Bytes::from_static(&[0xAF, 1, 7]), now);
        }
        assert_eq!(told.untold_headers(), 0, "it is always the same");
        for number in 0..100 {
            told.tell_codec(Track::Audio, &header(number), now);
        }
        assert_eq!(told.untold_headers(), 100 + 1 - u64::from(HEADERS_AT_ONCE));
        told.tell_codec(Track::Video, &Bytes::from_static(&[0x17, 0, 0, 0, 0]), now);
        assert_eq!(told.untold_headers(), 96);
        told.tell_codec(Track::Audio, &header(100), now + Throttle::EVERY);
        assert_eq!(told.untold_headers(), 0, "that line counts them");
    }

    #[test]
    fn of_a_client_that_begins_streams_without_end_nothing_is_told() {
        let now = Instant::now();
        let mut told = Told::new(true);
        assert!(!told.tell_jump(Track::Video, 0, now));
        let header = Bytes::from_static(&[0xAF, 0, 0x12, 0x10]);
        told.tell_codec(Track::Audio, &header, now);
        assert_eq!(told.audio.last, None);
    }
}
