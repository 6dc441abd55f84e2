//! What streams can be sorted by.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Instant;

use srs_media::codec::Resolution;

use super::super::sort::{ByName, Rank, SortKey};
use super::super::{health, media};
use super::{id, vitals};
use crate::hub::Stream;

/// What streams can be sorted by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StreamKey {
    /// Vhost, application, name.
    Name,
    /// How they are.
    State,
    /// The codec of the video.
    Video,
    /// The size of the picture, in pixels.
    Size,
    /// Frames per second.
    Fps,
    /// The codec of the audio.
    Audio,
    /// What is received.
    In,
    /// What is sent.
    Out,
    /// The time between key frames.
    Gop,
    /// Players.
    Players,
    /// Packets that slow players lost.
    Drops,
    /// How often slow players jumped.
    Jumps,
    /// How far audio and video are apart, whichever is ahead.
    Skew,
    /// How long they have been live.
    Up,
    /// How many parts take from them.
    Outputs,
}

impl SortKey for StreamKey {
    const ALL: &'static [(&'static str, Self)] = &[
        ("name", Self::Name),
        ("state", Self::State),
        ("video", Self::Video),
        ("size", Self::Size),
        ("fps", Self::Fps),
        ("audio", Self::Audio),
        ("in", Self::In),
        ("out", Self::Out),
        ("gop", Self::Gop),
        ("players", Self::Players),
        ("drops", Self::Drops),
        ("jumps", Self::Jumps),
        ("skew", Self::Skew),
        ("up", Self::Up),
        ("outputs", Self::Outputs),
    ];
}

/// How `stream` ranks by `key`, where so many parts take from streams as `outputs` says.
pub(super) fn rank(
    stream: &Arc<Stream>,
    key: StreamKey,
    outputs: &HashMap<String, usize>,
    now: Instant,
) -> Rank {
    let look = || stream.look(now);
    let figures = || look().figures;
    match key {
        StreamKey::Name => Rank::Name(ByName(Some(Arc::clone(stream)))),
        StreamKey::State => Rank::number(health::health(&vitals(&look())).state as u8),
        StreamKey::Video => Rank::Text(
            figures()
                .video_codec()
                .map(media::video_name)
                .unwrap_or_default(),
        ),
        StreamKey::Size => {
            let resolution = figures()
                .video_header()
                .and_then(|header| header.resolution);
            let pixels = |size: Resolution| u64::from(size.width) * u64::from(size.height);
            Rank::number(resolution.map_or(0, pixels))
        }
        StreamKey::Fps => hundredths(look().frame_rate),
        StreamKey::Audio => {
            let codec = figures().audio_codec();
            Rank::Text(codec.map(|codec| codec.to_string()).unwrap_or_default())
        }
        StreamKey::In => Rank::number(stream.tally().windows().newest_kbps().received),
        StreamKey::Out => Rank::number(stream.tally().windows().newest_kbps().sent),
        StreamKey::Gop => Rank::number(figures().gop().unwrap_or_default().as_millis()),
        StreamKey::Players => Rank::number(stream.subscribers()),
        StreamKey::Drops => Rank::number(stream.tally().total().dropped),
        StreamKey::Jumps => Rank::number(stream.tally().total().jumps),
        // Those without are the least.
        StreamKey::Skew => figures()
            .skew_millis()
            .map_or(Rank::Number(-1), |skew| Rank::number(skew.unsigned_abs())),
        StreamKey::Up => {
            let look = look();
            let live = look.publisher.map(|_| look.live_since.elapsed());
            live.map_or(Rank::Number(-1), |live| {
                Rank::number(live.unwrap_or_default().as_micros())
            })
        }
        StreamKey::Outputs => Rank::number(outputs.get(&id(stream)).copied().unwrap_or(0)),
    }
}

#[expect(
    clippy::cast_possible_truncation,
    reason = "the cast saturates, which is right for what is only compared"
)]
fn hundredths(rate: f64) -> Rank {
    Rank::Number((rate * 100.0) as i64)
}
