//! How a stream is, judged by its figures.

use std::time::Duration;

use srs_api::{HealthCause, StreamHealth, StreamState};

/// What a stream is judged by.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Vitals {
    /// How long ago the newest packet came from its publisher; `None` without one.
    pub(super) silence: Option<Duration>,
    /// How long ago the newest video frame came from it; `None` if there was none.
    pub(super) video_silence: Option<Duration>,
    /// Seconds of media that came in a second; `None` if that is not known.
    pub(super) speed: Option<f64>,
    /// Frames per second as counted; 0 if that is not known.
    pub(super) counted_fps: f64,
    /// Frames per second as its headers say; 0 if they do not.
    pub(super) nominal_fps: f64,
    /// By how many milliseconds audio is ahead of video.
    pub(super) skew_millis: Option<i64>,
    /// Packets that slow players lost within the last half minute.
    pub(super) lost: u64,
    /// How long ago its publisher's clock jumped, if it did.
    pub(super) since_clock_jump: Option<Duration>,
    /// The time between key frames, if it has any.
    pub(super) key_frame_distance: Option<Duration>,
}

/// How a stream is that has these figures, and why it is not better.
pub(super) fn health(vitals: &Vitals) -> StreamHealth {
    let Some(silence) = vitals.silence else {
        return StreamHealth {
            state: StreamState::Waiting,
            why: vec!["nobody publishes it".to_owned()],
            causes: Vec::new(),
        };
    };
    if silence >= SILENCE {
        return StreamHealth {
            state: StreamState::Bad,
            why: vec![format!("nothing was received for {} s", silence.as_secs())],
            causes: vec![HealthCause::Silence],
        };
    }
    if let Some(silence) = vitals.video_silence.filter(|silence| *silence >= SILENCE) {
        return StreamHealth {
            state: StreamState::Bad,
            why: vec![format!("no video was received for {} s", silence.as_secs())],
            causes: vec![HealthCause::Fps],
        };
    }
    let (why, causes): (Vec<String>, Vec<HealthCause>) = [
        (speed(vitals), HealthCause::Speed),
        (frame_rate(vitals), HealthCause::Fps),
        (skew(vitals), HealthCause::Skew),
        (losses(vitals), HealthCause::Drops),
        (clock(vitals), HealthCause::Clock),
        (key_frames(vitals), HealthCause::Gop),
    ]
    .into_iter()
    .filter_map(|(why, cause)| Some((why?, cause)))
    .unzip();
    let state = if why.is_empty() {
        StreamState::Good
    } else {
        StreamState::Odd
    };
    StreamHealth { state, why, causes }
}

fn speed(vitals: &Vitals) -> Option<String> {
    let speed = vitals.speed.filter(|speed| *speed < ENOUGH_SPEED)?;
    Some(format!(
        "media comes at {speed:.2} of its speed: players will run dry"
    ))
}

fn frame_rate(vitals: &Vitals) -> Option<String> {
    let (counted, nominal) = (vitals.counted_fps, vitals.nominal_fps);
    let are_known = counted > 0.0 && nominal > 0.0 && nominal <= MOST_FPS;
    (are_known && counted < nominal * ENOUGH_FRAMES)
        .then(|| format!("{counted:.1} frames per second of {nominal:.1}"))
}

fn skew(vitals: &Vitals) -> Option<String> {
    let skew = vitals.skew_millis?;
    let apart = Duration::from_millis(skew.unsigned_abs());
    (apart > MOST_SKEW).then(|| {
        let side = if skew > 0 { "ahead of" } else { "behind" };
        format!("audio is {:.1} s {side} video", apart.as_secs_f64())
    })
}

fn losses(vitals: &Vitals) -> Option<String> {
    let lost = vitals.lost;
    (lost > 0).then(|| format!("packets that slow players lost in the last 30 s: {lost}"))
}

fn clock(vitals: &Vitals) -> Option<String> {
    let since = vitals.since_clock_jump?;
    let seconds = since.as_secs();
    (since < JUMP_FORGOTTEN).then(|| format!("the publisher's clock jumped {seconds} s ago"))
}

fn key_frames(vitals: &Vitals) -> Option<String> {
    let distance = vitals.key_frame_distance?;
    (distance > MOST_DISTANCE)
        .then(|| format!("key frames are {:.1} s apart", distance.as_secs_f64()))
}

const SILENCE: Duration = Duration::from_secs(5);
/// A moment's stall of the network is made up for within ten seconds; what is slower for longer is
/// too slow.
const ENOUGH_SPEED: f64 = 0.9;
/// The part of the nominal frames that must come.
const ENOUGH_FRAMES: f64 = 0.8;
/// Encoders with a variable rate say the rate of their clock instead, thousands a second.
const MOST_FPS: f64 = 300.0;
const MOST_SKEW: Duration = Duration::from_secs(1);
const JUMP_FORGOTTEN: Duration = Duration::from_secs(60);
/// New players wait so long for a picture, or get so much at once.
const MOST_DISTANCE: Duration = Duration::from_secs(10);

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: Vitals = Vitals {
        silence: Some(Duration::from_millis(40)),
        video_silence: Some(Duration::from_millis(60)),
        speed: Some(0.99),
        counted_fps: 24.5,
        nominal_fps: 25.0,
        skew_millis: Some(-120),
        lost: 0,
        since_clock_jump: None,
        key_frame_distance: Some(Duration::from_secs(2)),
    };

    #[test]
    fn causes_say_for_programs_what_reasons_are_about() {
        let causes = |vitals: Vitals| health(&vitals).causes;
        assert_eq!(causes(Vitals::default()), []);
        assert_eq!(causes(GOOD), []);
        let silent = Vitals {
            silence: Some(SILENCE),
            ..GOOD
        };
        assert_eq!(causes(silent), [HealthCause::Silence]);
        let odd = Vitals {
            speed: Some(0.5),
            counted_fps: 12.0,
            skew_millis: Some(2_000),
            lost: 1,
            since_clock_jump: Some(Duration::ZERO),
            key_frame_distance: Some(Duration::from_secs(20)),
            ..GOOD
        };
        let all = [
            HealthCause::Speed,
            HealthCause::Fps,
            HealthCause::Skew,
            HealthCause::Drops,
            HealthCause::Clock,
            HealthCause::Gop,
        ];
        assert_eq!(causes(odd), all);
    }

    #[test]
    fn every_state_has_its_reasons() {
        use StreamState::{Bad, Good, Odd, Waiting};
        let seconds = |seconds| Some(Duration::from_secs(seconds));
        let cases: Vec<(Vitals, StreamState, &[&str])> = vec![
            (
                Vitals {
                    video_silence: seconds(50),
                    ..GOOD
                },
                Bad,
                &["no video was received for 50 s"],
            ),
            (
                Vitals {
                    speed: Some(0.5),
                    ..GOOD
                },
                Odd,
                &["media comes at 0.50 of its speed: players will run dry"],
            ),
            (Vitals::default(), Waiting, &["nobody publishes it"]),
            (
                Vitals {
                    silence: None,
                    lost: 5,
                    ..GOOD
                },
                Waiting,
                &["nobody publishes it"],
            ),
            (GOOD, Good, &[]),
            (
                Vitals {
                    silence: seconds(7),
                    lost: 5,
                    ..GOOD
                },
                Bad,
                &["nothing was received for 7 s"],
            ),
            (
                Vitals {
                    silence: Some(Duration::from_millis(4_999)),
                    ..GOOD
                },
                Good,
                &[],
            ),
            (
                Vitals {
                    counted_fps: 19.9,
                    ..GOOD
                },
                Odd,
                &["19.9 frames per second of 25.0"],
            ),
            (
                Vitals {
                    counted_fps: 20.0,
                    ..GOOD
                },
                Good,
                &[],
            ),
            // One of the two is not known, or is the rate of a clock.
            (
                Vitals {
                    counted_fps: 0.0,
                    ..GOOD
                },
                Good,
                &[],
            ),
            (
                Vitals {
                    nominal_fps: 0.0,
                    ..GOOD
                },
                Good,
                &[],
            ),
            (
                Vitals {
                    nominal_fps: 1_000.0,
                    ..GOOD
                },
                Good,
                &[],
            ),
            (
                Vitals {
                    skew_millis: Some(1_540),
                    ..GOOD
                },
                Odd,
                &["audio is 1.5 s ahead of video"],
            ),
            (
                Vitals {
                    skew_millis: Some(-1_001),
                    ..GOOD
                },
                Odd,
                &["audio is 1.0 s behind video"],
            ),
            (
                Vitals {
                    skew_millis: Some(-1_000),
                    ..GOOD
                },
                Good,
                &[],
            ),
            (
                Vitals { lost: 3, ..GOOD },
                Odd,
                &["packets that slow players lost in the last 30 s: 3"],
            ),
            (
                Vitals {
                    since_clock_jump: seconds(59),
                    ..GOOD
                },
                Odd,
                &["the publisher's clock jumped 59 s ago"],
            ),
            (
                Vitals {
                    since_clock_jump: seconds(60),
                    ..GOOD
                },
                Good,
                &[],
            ),
            (
                Vitals {
                    key_frame_distance: Some(Duration::from_millis(10_500)),
                    ..GOOD
                },
                Odd,
                &["key frames are 10.5 s apart"],
            ),
            (
                Vitals {
                    key_frame_distance: seconds(10),
                    ..GOOD
                },
                Good,
                &[],
            ),
            (
                Vitals {
                    counted_fps: 1.0,
                    lost: 1,
                    key_frame_distance: seconds(60),
                    ..GOOD
                },
                Odd,
                &[
                    "1.0 frames per second of 25.0",
                    "packets that slow players lost in the last 30 s: 1",
                    "key frames are 60.0 s apart",
                ],
            ),
        ];
        for (vitals, state, why) in cases {
            let health = health(&vitals);
            assert_eq!(health.state, state, "{vitals:?}");
            assert_eq!(health.why, why, "{vitals:?}");
        }
    }
}
