//! How figures were over the last hour: a sample for each of the last seconds, and the mean of each
//! quarter of a minute before.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

/// The figures of one second, or the means of several.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sample {
    /// Received, in kbit/s.
    pub recv_kbps: u32,
    /// Sent, in kbit/s.
    pub send_kbps: u32,
    /// Players at the end.
    pub viewers: u32,
    /// Frames in a hundred seconds.
    frames: u16,
    /// Hundredths of a second between key frames.
    gop: u16,
}

impl Sample {
    /// Video frames per second.
    pub fn frame_rate(&self) -> f32 {
        f32::from(self.frames) / 100.0
    }

    /// Milliseconds between key frames.
    pub fn gop_millis(&self) -> u32 {
        u32::from(self.gop) * 10
    }
}

/// What a sample is made of.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Moment {
    /// Bytes received so far.
    pub bytes_in: u64,
    /// Bytes sent so far.
    pub bytes_out: u64,
    /// Players now.
    pub viewers: usize,
    /// Video frames per second.
    pub frame_rate: f64,
    /// The time between the last two key frames.
    pub gop: Duration,
}

/// Samples at regular moments.
#[derive(Clone, Debug, PartialEq)]
pub struct Span {
    /// From one sample to the next.
    pub step: Duration,
    /// When the newest was taken.
    pub end: Instant,
    /// The oldest first.
    pub samples: Vec<Sample>,
}

/// The last hour of some figures; it grows as time goes by, to about nine kilobytes.
#[derive(Debug)]
pub struct History {
    began: Instant,
    /// Which second since the beginning the newest sample is of.
    newest: u64,
    counted: Counted,
    seconds: Ring<SECONDS>,
    means: Ring<MEANS>,
    sum: Sum,
}

/// Byte counters at a moment.
#[derive(Clone, Copy, Debug)]
struct Counted {
    at: Instant,
    bytes_in: u64,
    bytes_out: u64,
}

impl History {
    /// Begins with counters that stand at zero.
    pub fn new(now: Instant) -> Self {
        Self {
            began: now,
            newest: 0,
            counted: Counted::zero(now),
            seconds: Ring::default(),
            means: Ring::default(),
            sum: Sum::default(),
        }
    }

    /// Goes on with counters that stand at zero again.
    pub fn resume(&mut self, now: Instant) {
        self.counted = Counted::zero(now);
    }

    /// Takes in how things are; to be called about once a second.
    pub fn record(&mut self, now: Instant, moment: &Moment) {
        // To the nearest second, so that a timer that is a little early or late skips none.
        let age = now.saturating_duration_since(self.began) + Duration::from_millis(500);
        let second = age.as_secs();
        if second <= self.newest {
            return;
        }
        let sample = self.counted.advance(now, moment);
        let missed = second - self.newest - 1;
        if missed > HOUR {
            *self = Self {
                began: self.began,
                newest: second - 1,
                counted: self.counted,
                ..Self::new(now)
            };
        } else {
            // After a hiccup of the timer the sample is that of all that time; for longer than that
            // nobody was there.
            let filler = if missed <= HICCUP {
                sample
            } else {
                Sample::default()
            };
            for _ in 0..missed {
                self.push(filler);
            }
        }
        self.push(sample);
    }

    fn push(&mut self, sample: Sample) {
        self.newest += 1;
        self.seconds.push(sample);
        self.sum.add(sample);
        if self.newest.is_multiple_of(MEAN_OF) {
            self.means.push(std::mem::take(&mut self.sum).mean());
        }
    }

    /// The last `length`: by the second if it is not too long for that.
    pub fn last(&self, length: Duration) -> Span {
        let is_short = length.as_secs() <= SECONDS as u64;
        let (step, end, ring) = if is_short {
            (1, self.newest, &self.seconds.samples)
        } else {
            let end = self.newest - self.newest % MEAN_OF;
            (MEAN_OF, end, &self.means.samples)
        };
        let count = usize::try_from(length.as_secs() / step).unwrap_or(usize::MAX);
        let skipped = ring.len().saturating_sub(count);
        Span {
            step: Duration::from_secs(step),
            end: self.began + Duration::from_secs(end),
            samples: ring.iter().skip(skipped).copied().collect(),
        }
    }

    /// What was received in each of the last `count` seconds, in kbit/s, the newest last.
    pub fn recent_kbps(&self, count: usize) -> Vec<u32> {
        let samples = &self.seconds.samples;
        let skipped = samples.len().saturating_sub(count);
        let recent = samples.iter().skip(skipped);
        recent.map(|sample| sample.recv_kbps).collect()
    }
}

impl Counted {
    fn zero(at: Instant) -> Self {
        Self {
            at,
            bytes_in: 0,
            bytes_out: 0,
        }
    }

    /// What was counted up to `moment`, as rates.
    fn advance(&mut self, now: Instant, moment: &Moment) -> Sample {
        let millis = now.saturating_duration_since(self.at).as_millis().max(1);
        let rate = |bytes: u64| u32::try_from(u128::from(bytes) * 8 / millis).unwrap_or(u32::MAX);
        let sample = Sample {
            recv_kbps: rate(moment.bytes_in.saturating_sub(self.bytes_in)),
            send_kbps: rate(moment.bytes_out.saturating_sub(self.bytes_out)),
            viewers: u32::try_from(moment.viewers).unwrap_or(u32::MAX),
            frames: hundredths(moment.frame_rate),
            gop: hundredths(moment.gop.as_secs_f64()),
        };
        *self = Self {
            at: now,
            bytes_in: moment.bytes_in,
            bytes_out: moment.bytes_out,
        };
        sample
    }
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "the cast saturates: no stream has so many frames, and ten minutes are long enough"
)]
fn hundredths(value: f64) -> u16 {
    (value * 100.0).round() as u16
}

/// The last `MOST` samples. Takes memory as they come.
#[derive(Debug, Default)]
struct Ring<const MOST: usize> {
    samples: VecDeque<Sample>,
}

impl<const MOST: usize> Ring<MOST> {
    fn push(&mut self, sample: Sample) {
        let samples = &mut self.samples;
        if samples.len() == MOST {
            samples.pop_front();
        } else if samples.len() == samples.capacity() {
            samples.reserve_exact(GROWTH.min(MOST - samples.len()));
        }
        samples.push_back(sample);
    }
}

/// Samples that a mean is to be made of.
#[derive(Debug, Default)]
struct Sum {
    count: u64,
    recv_kbps: u64,
    send_kbps: u64,
    frames: u64,
    gop: u64,
    viewers: u32,
}

impl Sum {
    fn add(&mut self, sample: Sample) {
        self.count += 1;
        self.recv_kbps += u64::from(sample.recv_kbps);
        self.send_kbps += u64::from(sample.send_kbps);
        self.frames += u64::from(sample.frames);
        self.gop += u64::from(sample.gop);
        self.viewers = sample.viewers;
    }

    fn mean(self) -> Sample {
        let mean = |sum: u64| sum / self.count.max(1);
        let wide = |sum| u32::try_from(mean(sum)).unwrap_or(u32::MAX);
        let narrow = |sum| u16::try_from(mean(sum)).unwrap_or(u16::MAX);
        Sample {
            recv_kbps: wide(self.recv_kbps),
            send_kbps: wide(self.send_kbps),
            viewers: self.viewers,
            frames: narrow(self.frames),
            gop: narrow(self.gop),
        }
    }
}

/// Samples of a second that are kept: five minutes.
const SECONDS: usize = 300;
/// Means that are kept: an hour.
const MEANS: usize = 240;
/// Seconds that a mean is of.
const MEAN_OF: u64 = 15;
/// Seconds after which nothing is left of what was before.
const HOUR: u64 = 3_600;
/// Seconds that a busy machine may be late by.
const HICCUP: u64 = 3;
/// Samples that a ring takes memory for at a time.
const GROWTH: usize = 60;

#[cfg(test)]
mod tests {
    use super::*;

    const MINUTE: Duration = Duration::from_secs(60);

    fn at(second: u64) -> Moment {
        Moment {
            bytes_in: second * 125_000,
            bytes_out: second * 250_000,
            viewers: usize::try_from(second).unwrap(),
            frame_rate: 29.97,
            gop: Duration::from_millis(2_002),
        }
    }

    /// A history of so many seconds, by a timer that is never quite on time.
    fn after(start: Instant, seconds: u64) -> History {
        let mut history = History::new(start);
        for second in 1..=seconds {
            let jitter = Duration::from_millis(second * 37 % 200);
            history.record(start + Duration::from_secs(second) + jitter, &at(second));
        }
        history
    }

    #[test]
    fn each_range_has_what_there_is_of_it() {
        let start = Instant::now();
        // Seconds, range in minutes, samples, and how many seconds ago the last one was.
        let cases = [
            (0, 1, 0, 0),
            (0, 60, 0, 0),
            (10, 1, 10, 0),
            (100, 1, 60, 0),
            (100, 5, 100, 0),
            (100, 15, 6, 10),
            (100, 60, 6, 10),
            (5_000, 5, 300, 0),
            (5_000, 15, 60, 5),
            (5_000, 60, 240, 5),
        ];
        for (seconds, minutes, samples, ago) in cases {
            let span = after(start, seconds).last(MINUTE * minutes);
            let case = (seconds, minutes);
            assert_eq!(span.samples.len(), samples, "{case:?}");
            assert_eq!(
                span.end,
                start + Duration::from_secs(seconds - ago),
                "{case:?}"
            );
            let last = u32::try_from(seconds - ago).unwrap();
            if let Some(newest) = span.samples.last() {
                assert_eq!(newest.viewers, last, "{case:?}");
            }
        }
    }

    #[test]
    fn samples_and_means_are_what_was_recorded() {
        let start = Instant::now();
        let history = after(start, 3_600);
        for minutes in [1, 60] {
            for sample in history.last(MINUTE * minutes).samples {
                assert!(sample.recv_kbps.abs_diff(1_000) < 250, "{sample:?}");
                assert!(sample.send_kbps.abs_diff(2_000) < 500, "{sample:?}");
                assert_eq!(sample.frame_rate(), 29.97);
                assert_eq!(sample.gop_millis(), 2_000);
            }
        }
        let hour = history.last(MINUTE * 60).samples;
        let sum: u32 = hour.iter().map(|sample| sample.recv_kbps).sum();
        assert!(sum.abs_diff(240_000) < 2_400, "{sum}");
        assert_eq!(history.recent_kbps(7).len(), 7);
    }

    #[test]
    fn time_goes_by_when_nobody_is_there() {
        let start = Instant::now();
        let mut history = after(start, 60);
        // The counters of another stream of the name begin at zero.
        let back = start + MINUTE + Duration::from_secs(30);
        history.resume(back);
        history.record(back + Duration::from_secs(1), &at(1));
        let span = history.last(MINUTE * 5);
        assert_eq!(span.samples.len(), 91);
        assert_eq!(span.samples[75], Sample::default());
        assert_eq!(span.samples[90].recv_kbps, 1_000);
        // A busy machine has missed two.
        history.record(back + Duration::from_secs(4), &at(4));
        let kbps: Vec<u32> = history.recent_kbps(4);
        assert_eq!(kbps, [1_000; 4]);
        // After a day nothing is left.
        history.record(back + MINUTE * 1_440, &at(5));
        assert_eq!(history.last(MINUTE * 5).samples.len(), 1);
        assert_eq!(history.last(MINUTE * 60).samples.len(), 1);
    }

    #[test]
    fn two_samples_of_one_second_are_one() {
        let start = Instant::now();
        let mut history = after(start, 5);
        history.record(start + Duration::from_millis(5_300), &at(6));
        assert_eq!(history.last(MINUTE).samples.len(), 5);
    }

    #[test]
    fn memory_is_taken_as_time_goes_by_and_has_a_bound() {
        let start = Instant::now();
        let room = |seconds| {
            let history = after(start, seconds);
            let samples = history.seconds.samples.capacity() + history.means.samples.capacity();
            samples * size_of::<Sample>()
        };
        assert_eq!((size_of::<Sample>(), room(0)), (16, 0));
        assert_eq!(room(10), 60 * 16);
        assert_eq!(room(8_000), 540 * 16);
    }
}
