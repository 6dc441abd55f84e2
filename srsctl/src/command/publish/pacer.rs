//! When each frame is to be sent: by its timestamp, on the clock that the first one started.
//!
//! The schedule is reckoned from its beginning and not from frame to frame, so that it never
//! drifts. After a stall the frames that are late follow at [`CATCH_UP`] times the usual speed
//! until the schedule is met: a burst of seconds of media would hit the server, and everybody
//! behind it, at once.

use std::time::{Duration, Instant};

use srs_media::Timestamp;

/// The schedule of one stream. It knows no clock: the caller tells the time.
#[derive(Clone, Debug, Default)]
pub(crate) struct Pacer {
    /// Where media time and real time meet.
    anchor: Option<Meeting>,
    /// The last frame, and when it was sent.
    last: Option<Meeting>,
}

#[derive(Clone, Copy, Debug)]
struct Meeting {
    at: Instant,
    media: Timestamp,
}

impl Pacer {
    /// When the frame at `media` is to be sent, seen from `now`; a time that has passed means at
    /// once. The first frame, and the first after a jump of the file's clock, starts the schedule.
    pub(crate) fn due(&mut self, media: Timestamp, now: Instant) -> Instant {
        if self.last.is_some_and(|last| is_jump(last.media, media)) {
            self.anchor = None;
        }
        let anchor = *self.anchor.get_or_insert(Meeting { at: now, media });
        let scheduled = anchor.at + media.saturating_since(anchor.media);
        match self.last {
            Some(last) if !is_jump(last.media, media) => {
                scheduled.max(last.at + media.saturating_since(last.media) / CATCH_UP)
            }
            _ => scheduled,
        }
    }

    /// The frame at `media` was sent at `now`.
    pub(crate) fn sent(&mut self, media: Timestamp, now: Instant) {
        // Tracks are not always in order with each other: time that went back is not to be paced
        // twice.
        match &mut self.last {
            Some(last) if media < last.media && !is_jump(last.media, media) => last.at = now,
            last => *last = Some(Meeting { at: now, media }),
        }
    }

    /// How late the last frame was, if it was.
    pub(crate) fn behind(&self, now: Instant) -> Duration {
        let (Some(anchor), Some(last)) = (self.anchor, self.last) else {
            return Duration::ZERO;
        };
        let scheduled = anchor.at + last.media.saturating_since(anchor.media);
        last.at.min(now).saturating_duration_since(scheduled)
    }
}

fn is_jump(from: Timestamp, to: Timestamp) -> bool {
    to.saturating_since(from) > LONGEST_STEP || from.saturating_since(to) > LONGEST_STEP
}

/// How much faster than usual late frames follow each other.
const CATCH_UP: u32 = 2;

/// A longer step between two frames is the file's clock being set, not a pause: servers give up on
/// an encoder that is silent for so long.
const LONGEST_STEP: Duration = Duration::from_secs(10);

#[cfg(test)]
mod tests {
    use super::*;

    /// Sends frames by a clock that only moves when somebody waits.
    struct Run {
        pacer: Pacer,
        start: Instant,
        now: Instant,
    }

    impl Run {
        fn new() -> Self {
            let now = Instant::now();
            Self {
                pacer: Pacer::default(),
                start: now,
                now,
            }
        }

        /// Sends the frame at `media` and says when, in milliseconds from the start.
        fn send(&mut self, media: u64) -> u128 {
            let media = Timestamp::from_millis(media);
            self.now = self.now.max(self.pacer.due(media, self.now));
            self.pacer.sent(media, self.now);
            (self.now - self.start).as_millis()
        }

        fn stall(&mut self, millis: u64) {
            self.now += Duration::from_millis(millis);
        }

        fn behind(&self) -> u128 {
            self.pacer.behind(self.now).as_millis()
        }
    }

    #[test]
    fn frames_are_sent_when_their_timestamps_say() {
        let mut run = Run::new();
        let sent = [5_000, 5_040, 5_040, 5_063, 5_080].map(|media| run.send(media));
        assert_eq!(sent, [0, 40, 40, 63, 80], "from the first one on");
    }

    #[test]
    fn time_lost_on_the_way_does_not_add_up() {
        let mut run = Run::new();
        for frame in 0..25_000 {
            run.send(frame * 40);
            run.stall(3);
        }
        assert_eq!(run.send(1_000_000), 1_000_000);
    }

    #[test]
    fn after_a_stall_frames_follow_at_twice_the_speed_until_the_schedule_is_met() {
        let mut run = Run::new();
        run.send(0);
        run.stall(200);
        let sent = [40, 80, 120, 160, 200, 240, 280, 320, 360, 400, 440].map(|m| run.send(m));
        assert_eq!(
            sent,
            [200, 220, 240, 260, 280, 300, 320, 340, 360, 400, 440]
        );
    }

    #[test]
    fn the_delay_is_told_until_it_is_made_up() {
        let mut run = Run::new();
        run.send(0);
        run.stall(1_000);
        run.send(40);
        assert_eq!(run.behind(), 960);
        run.send(1_000);
        assert_eq!(run.behind(), 480);
        run.send(3_000);
        assert_eq!(run.behind(), 0);
    }

    #[test]
    fn a_frame_before_the_last_one_is_sent_at_once() {
        let mut run = Run::new();
        let sent = [0, 100, 60, 140].map(|media| run.send(media));
        assert_eq!(sent, [0, 100, 100, 140]);
    }

    #[test]
    fn a_clock_that_is_set_starts_the_schedule_anew() {
        let mut run = Run::new();
        let sent = [0, 40, 3_600_000, 3_600_040, 20, 60].map(|media| run.send(media));
        assert_eq!(sent, [0, 40, 40, 80, 80, 120]);
    }

    #[test]
    fn a_pause_is_kept() {
        let mut run = Run::new();
        assert_eq!([0, 9_000].map(|media| run.send(media)), [0, 9_000]);
    }
}
