//! A publisher's timestamps made into one timeline, once, at the door.
//!
//! Encoders count milliseconds in 32 bits, or in 31; their clocks reset, jump, or run apart for
//! audio and video. Everyone who takes from the log sees none of it: the timeline is 64 bits wide,
//! begins at zero, never goes back on a track, and goes on when the next publisher takes over.
//!
//! Both tracks share one offset from the publisher's clock, so that audio and video stay in step.
//! A track gets a new offset only when its timestamp fits neither its own past, nor the other
//! track, nor the time that has passed; that is a jump, counted, and marked for outputs that must
//! know.

use std::time::Duration;

use srs_media::packet::Track;
use srs_media::time::Timestamp;

/// A track's timestamp may run ahead by this much from one packet to the next.
const JUMP_AHEAD: i64 = 3_000;
/// A track's timestamp may fall back by this much; decoding order and sloppy muxers do that.
const JUMP_BACK: i64 = 500;
/// A track that jumped is taken to have followed the other one when it is as near to it as this.
const NEAR: i64 = 2_000;
/// Audio and video may be this far apart: more than any encoder lets one track lead the other by.
const MAX_SKEW: i64 = 5_000;
/// How far the arrival of packets may differ from their timestamps when a stalled publisher goes on.
const ARRIVAL_TOLERANCE: i64 = 2_000;
/// The distance to the packet before when there is no better guess.
const USUAL_STEP: i64 = 40;

/// What became of one packet's timestamp.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stamp {
    /// On the timeline: from zero, never back on a track.
    pub timestamp: Timestamp,
    /// As the publisher counts, its wraps undone; negative only if it counted back from zero.
    pub source: i64,
    /// Whether the publisher's clock jumped here, so that the timeline hides a break.
    pub jumped: bool,
}

/// The timeline of one live stream. Outlives its publishers.
#[derive(Clone, Debug, Default)]
pub struct Timeline {
    audio: Option<TrackClock>,
    video: Option<TrackClock>,
    /// Whether any packet was ever placed.
    begun: bool,
    /// The highest timestamp given.
    head: i64,
    /// Where the next publisher's first packet goes.
    start: i64,
    /// The last source timestamp of either track, to unwrap a track's first one by.
    last_wire: Option<(u32, i64)>,
}

#[derive(Clone, Copy, Debug)]
struct TrackClock {
    wire: u32,
    source: i64,
    /// Timeline minus source.
    offset: i64,
    timestamp: i64,
    step: i64,
    arrival: Duration,
}

impl Timeline {
    /// Where the timeline has got to.
    pub fn head(&self) -> Timestamp {
        to_timestamp(self.head)
    }

    /// Begins with a new publisher: its first packet goes `gap` behind the last one's, so that
    /// players whose clocks went on meanwhile are neither starved nor late.
    pub fn restart(&mut self, gap: Duration) {
        let (begun, head) = (self.begun, self.head);
        let gap = i64::try_from(gap.as_millis()).unwrap_or(i64::MAX);
        let start = if begun {
            // A publisher that sent nothing moved the start, too.
            head.saturating_add(gap.max(USUAL_STEP)).max(self.start)
        } else {
            0
        };
        *self = Self {
            begun,
            head,
            start,
            ..Self::default()
        };
    }

    /// Places a frame with the 32-bit timestamp `wire`, which came `arrival` after some fixed
    /// instant. Data packets have no clock of their own: they go where the timeline is.
    pub fn place(&mut self, track: Track, wire: u32, arrival: Duration) -> Stamp {
        let (own, other) = match track {
            Track::Audio => (self.audio, self.video),
            Track::Video => (self.video, self.audio),
            Track::Data => return self.place_data(wire),
        };
        let reference = own.map(|own| (own.wire, own.source)).or(self.last_wire);
        let source = unwrap(reference, wire);
        let (offset, jumped) = match (own, other) {
            (None, None) => (self.start - source, false),
            (None, Some(other)) => join(source, &other),
            (Some(own), other) => follow(source, &own, other.as_ref(), arrival),
        };
        // A track that is new may not begin before what the last publisher sent on it.
        let previous = own.map_or(self.start, |own| own.timestamp);
        let timestamp = source.saturating_add(offset).max(previous);
        let step = timestamp - previous;
        let clock = TrackClock {
            wire,
            source,
            offset,
            timestamp,
            step: if own.is_some() && (1..=1_000).contains(&step) {
                step
            } else {
                USUAL_STEP
            },
            arrival,
        };
        match track {
            Track::Audio => self.audio = Some(clock),
            _ => self.video = Some(clock),
        }
        self.last_wire = Some((wire, source));
        self.begun = true;
        self.head = self.head.max(timestamp);
        Stamp {
            timestamp: to_timestamp(timestamp),
            source,
            jumped,
        }
    }

    /// Places a header: it has the time of its track. Encoders send headers at time zero in the
    /// midst of a stream, so their own timestamps mean nothing.
    pub fn place_header(&self, track: Track, wire: u32) -> Stamp {
        let own = match track {
            Track::Audio => self.audio,
            Track::Video => self.video,
            Track::Data => None,
        };
        let Some(own) = own else {
            return self.place_data(wire);
        };
        Stamp {
            timestamp: to_timestamp(own.timestamp),
            source: own.source,
            jumped: false,
        }
    }

    fn place_data(&self, wire: u32) -> Stamp {
        let source = unwrap(self.last_wire, wire);
        let timestamp = self.head.max(self.start);
        Stamp {
            timestamp: to_timestamp(timestamp),
            source,
            jumped: false,
        }
    }
}

/// The offset for a track's first packet when the other track runs already.
fn join(source: i64, other: &TrackClock) -> (i64, bool) {
    if (source - other.source).abs() <= MAX_SKEW {
        (other.offset, false)
    } else {
        // The tracks count from different beginnings: line them up where they are now.
        (other.timestamp - source, true)
    }
}

/// The offset for the next packet of a track that runs.
fn follow(
    source: i64,
    own: &TrackClock,
    other: Option<&TrackClock>,
    arrival: Duration,
) -> (i64, bool) {
    let delta = source - own.source;
    if (-JUMP_BACK..=JUMP_AHEAD).contains(&delta) {
        return match other {
            Some(other) if behind(source + own.offset, other, arrival) => {
                (other.timestamp - source, true)
            }
            _ => (own.offset, false),
        };
    }
    if let Some(other) = other {
        // Both tracks jumped, the other one first; or this one paused while the other went on.
        let goes_on = source + other.offset >= own.timestamp - JUMP_BACK;
        if (source - other.source).abs() <= NEAR && goes_on {
            return (other.offset, other.offset != own.offset);
        }
    }
    let elapsed = arrival.saturating_sub(own.arrival).as_millis();
    let elapsed = i64::try_from(elapsed).unwrap_or(i64::MAX);
    if delta > 0 && (delta - elapsed).abs() <= ARRIVAL_TOLERANCE + elapsed / 10 {
        // The publisher stalled and its clock went on: a gap, not a jump.
        return (own.offset, false);
    }
    let next = own.timestamp + own.step;
    let target = match other {
        Some(other) if other.timestamp - next <= MAX_SKEW => next.max(other.timestamp),
        _ => next,
    };
    (target - source, true)
}

/// Whether a track has drifted too far behind the other, which still runs.
fn behind(timestamp: i64, other: &TrackClock, arrival: Duration) -> bool {
    let other_runs = arrival.saturating_sub(other.arrival) < Duration::from_secs(1);
    other_runs && other.timestamp - timestamp > MAX_SKEW
}

/// Undoes the wrap of a 32-bit clock, and of those that wrap at 31 bits, by taking the nearest
/// value to the one before, if there was one: its wire form, and what that stood for.
fn unwrap(reference: Option<(u32, i64)>, wire: u32) -> i64 {
    let Some((last, source)) = reference else {
        return i64::from(wire);
    };
    let difference = wire.wrapping_sub(last);
    let wide = i64::from(difference.cast_signed());
    if wide.abs() > 1 << 30 && last <= WRAP_31 && wire <= WRAP_31 {
        let narrow = i64::from((difference << 1).cast_signed() >> 1);
        return source + narrow;
    }
    source + wide
}

const WRAP_31: u32 = 0x7FFF_FFFF;

fn to_timestamp(millis: i64) -> Timestamp {
    Timestamp::from_millis(u64::try_from(millis).unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Feeds `(track, wire, arrival in ms)` and gives the timeline's timestamps and jumps.
    fn place(packets: &[(Track, u32, u64)]) -> Vec<(u64, bool)> {
        let mut timeline = Timeline::default();
        packets
            .iter()
            .map(|(track, wire, arrival)| {
                let stamp = timeline.place(*track, *wire, Duration::from_millis(*arrival));
                (stamp.timestamp.as_millis(), stamp.jumped)
            })
            .collect()
    }

    use Track::{Audio as A, Video as V};

    #[test]
    fn publishers_clocks_become_one_timeline() {
        type Case = (
            &'static str,
            &'static [(Track, u32, u64)],
            &'static [(u64, bool)],
        );
        let cases: &[Case] = &[
            (
                "begins at zero and keeps audio and video in step",
                &[(V, 5_000, 0), (A, 5_010, 0), (V, 5_040, 40), (A, 5_033, 40)],
                &[(0, false), (10, false), (40, false), (33, false)],
            ),
            (
                "32-bit wrap",
                &[(V, 0xFFFF_FFF0, 0), (V, 0x18, 40), (A, 0x18, 40)],
                &[(0, false), (40, false), (40, false)],
            ),
            (
                "31-bit wrap, as encoders that mask the top bit do",
                &[(V, 0x7FFF_FFF0, 0), (V, 0x18, 40), (A, 0x7FFF_FFFE, 41)],
                &[(0, false), (40, false), (14, false)],
            ),
            (
                "both clocks reset: the second track follows the first",
                &[
                    (V, 90_000, 0),
                    (A, 90_000, 0),
                    (V, 0, 40),
                    (A, 10, 45),
                    (V, 40, 80),
                ],
                &[(0, false), (0, false), (40, true), (50, true), (80, false)],
            ),
            (
                "video alone resets",
                &[
                    (V, 90_000, 0),
                    (A, 90_000, 0),
                    (V, 0, 40),
                    (A, 90_040, 40),
                    (V, 40, 80),
                ],
                &[(0, false), (0, false), (40, true), (40, false), (80, false)],
            ),
            (
                "both jump ahead by an hour",
                &[(V, 0, 0), (A, 0, 0), (V, 3_600_000, 40), (A, 3_600_010, 50)],
                &[(0, false), (0, false), (40, true), (50, true)],
            ),
            (
                "audio begins an hour away from video",
                &[
                    (V, 0, 0),
                    (V, 40, 40),
                    (A, 3_600_000, 45),
                    (A, 3_600_023, 68),
                ],
                &[(0, false), (40, false), (40, true), (63, false)],
            ),
            (
                "a publisher that stalled for a minute while its clock went on",
                &[(V, 0, 0), (V, 60_000, 60_000), (V, 60_040, 60_040)],
                &[(0, false), (60_000, false), (60_040, false)],
            ),
            (
                "audio that was muted comes back where video is",
                &[
                    (A, 0, 0),
                    (V, 0, 0),
                    (V, 2_900, 0),
                    (V, 5_800, 0),
                    (A, 5_800, 0),
                ],
                &[
                    (0, false),
                    (0, false),
                    (2_900, false),
                    (5_800, false),
                    (5_800, false),
                ],
            ),
            (
                "small steps back are held, not rebased",
                &[
                    (V, 1_000, 0),
                    (V, 1_040, 40),
                    (V, 1_020, 80),
                    (V, 1_080, 120),
                ],
                &[(0, false), (40, false), (40, false), (80, false)],
            ),
        ];
        for (name, packets, expected) in cases {
            assert_eq!(place(packets), *expected, "{name}");
        }
    }

    #[test]
    fn a_track_that_drifts_far_behind_is_brought_back() {
        let mut timeline = Timeline::default();
        let mut jumps = 0;
        // Audio counts 2 % too slowly.
        for millis in (0..900_000u32).step_by(20) {
            let arrival = Duration::from_millis(u64::from(millis));
            let video = timeline.place(V, millis, arrival);
            let audio = timeline.place(A, millis / 50 * 49, arrival);
            let skew = video
                .timestamp
                .as_millis()
                .abs_diff(audio.timestamp.as_millis());
            assert!(skew <= 5_020, "audio and video are {skew} ms apart");
            jumps += u32::from(audio.jumped) + u32::from(video.jumped);
        }
        assert_eq!(
            jumps, 3,
            "18 s of drift in all, brought back at 5 s each time"
        );
    }

    #[test]
    fn a_month_of_media_goes_past_every_wrap_without_a_jump() {
        for mask in [0xFFFF_FFFF_u64, 0x7FFF_FFFF] {
            let mut timeline = Timeline::default();
            let mut last = 0;
            for millis in (0..60 * 86_400_000_u64).step_by(2_500) {
                let wire = u32::try_from(millis & mask).expect("masked");
                let arrival = Duration::from_millis(millis);
                let video = timeline.place(V, wire, arrival);
                let audio = timeline.place(A, wire, arrival);
                assert!(!video.jumped && !audio.jumped, "at {millis} ms");
                assert_eq!(video.timestamp.as_millis(), millis);
                assert_eq!(audio.timestamp.as_millis(), millis);
                last = millis;
            }
            assert!(last > u64::from(u32::MAX));
        }
    }

    #[test]
    fn the_next_publisher_goes_on_where_the_last_one_left() {
        let mut timeline = Timeline::default();
        timeline.restart(Duration::ZERO);
        timeline.place(V, 1_000, Duration::ZERO);
        timeline.place(V, 2_000, Duration::from_secs(1));
        timeline.restart(Duration::from_secs(2));
        let first = timeline.place(A, 700_000, Duration::from_secs(3));
        assert_eq!(first.timestamp.as_millis(), 3_000);
        let second = timeline.place(V, 700_020, Duration::from_secs(3));
        assert_eq!(second.timestamp.as_millis(), 3_020);
    }

    #[test]
    fn the_next_publishers_tracks_begin_behind_the_last_ones_each() {
        let mut timeline = Timeline::default();
        timeline.place(V, 4_960, Duration::ZERO);
        timeline.place(A, 4_960, Duration::ZERO);
        timeline.restart(Duration::ZERO);
        let video = timeline.place(V, 1_000, Duration::ZERO);
        let audio = timeline.place(A, 0, Duration::ZERO);
        assert_eq!(
            (video.timestamp.as_millis(), audio.timestamp.as_millis()),
            (40, 40)
        );
    }

    #[test]
    fn headers_do_not_move_the_clock() {
        let mut timeline = Timeline::default();
        assert_eq!(timeline.place_header(V, 0).timestamp, Timestamp::ZERO);
        let first = timeline.place(V, 20_000_000, Duration::ZERO);
        assert_eq!((first.timestamp, first.jumped), (Timestamp::ZERO, false));
        for frame in 1..100 {
            let header = timeline.place_header(V, 0);
            assert_eq!(header.source, 20_000_000 + (i64::from(frame) - 1) * 40);
            let wire = 20_000_000 + frame * 40;
            let stamp = timeline.place(V, wire, Duration::from_millis(u64::from(frame) * 40));
            assert_eq!(
                (stamp.timestamp.as_millis(), stamp.jumped),
                (u64::from(frame) * 40, false)
            );
        }
    }

    proptest! {
        #[test]
        fn no_clock_and_no_publisher_makes_a_track_go_back(
            packets in prop::collection::vec((0..4u8, any::<u32>(), 0..100_000u64), 1..200)
        ) {
            let mut timeline = Timeline::default();
            let (mut last, mut arrival) = ([0u64; 3], 0u64);
            for (kind, wire, elapsed) in packets {
                arrival += elapsed;
                if kind == 3 {
                    timeline.restart(Duration::from_millis(elapsed));
                    continue;
                }
                let track = [A, V, Track::Data][usize::from(kind)];
                let stamp = timeline.place(track, wire, Duration::from_millis(arrival));
                let timestamp = stamp.timestamp.as_millis();
                prop_assert!(timestamp >= last[usize::from(kind)]);
                last[usize::from(kind)] = timestamp;
            }
        }
    }
}
