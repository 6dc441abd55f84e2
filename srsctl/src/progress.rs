//! How much of a stream has been sent or written.

use std::fmt;
use std::time::{Duration, Instant};

use srs_media::Timestamp;

use crate::output::{Size, kbps};

/// Counts packets. Displayed as a summary: `0:00:10.065, 683 packets, 436.2 kB, 347 kbps`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Progress {
    packets: u64,
    bytes: u64,
    /// The times of the first and the latest frame.
    span: Option<(Timestamp, Timestamp)>,
    /// When the line was last made, and the bytes by then.
    shown: (Instant, u64),
}

impl Progress {
    /// Nothing yet.
    pub(crate) fn new(now: Instant) -> Self {
        Self {
            packets: 0,
            bytes: 0,
            span: None,
            shown: (now, 0),
        }
    }

    /// One packet more, at `time` and of `len` bytes. Only frames have a time that counts.
    pub(crate) fn count(&mut self, time: Timestamp, len: usize, is_frame: bool) {
        self.packets += 1;
        self.bytes += len as u64;
        if is_frame {
            let (_, last) = self.span.get_or_insert((time, time));
            *last = time.max(*last);
        }
    }

    /// Whether there was a frame.
    pub(crate) fn has_media(&self) -> bool {
        self.span.is_some()
    }

    /// From the first frame to `time`; zero before the first.
    pub(crate) fn time_at(&self, time: Timestamp) -> Duration {
        self.span
            .map_or(Duration::ZERO, |(first, _)| time.saturating_since(first))
    }

    /// A line about now: the time of the stream, and the bit rate since the last line.
    pub(crate) fn line(&mut self, now: Instant) -> String {
        let (since, bytes) = std::mem::replace(&mut self.shown, (now, self.bytes));
        let rate = kbps(self.bytes - bytes, now.saturating_duration_since(since));
        format!(
            "{}  {rate:.0} kbps",
            Timestamp::ZERO.saturating_add(self.time())
        )
    }

    fn time(&self) -> Duration {
        self.span
            .map_or(Duration::ZERO, |(first, last)| last.saturating_since(first))
    }
}

impl fmt::Display for Progress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (time, packets, bytes) = (self.time(), self.packets, self.bytes);
        let clock = Timestamp::ZERO.saturating_add(time);
        write!(
            f,
            "{clock}, {packets} packets, {}, {:.0} kbps",
            Size(bytes),
            kbps(bytes, time)
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn millis(millis: u64) -> Timestamp {
        Timestamp::from_millis(millis)
    }

    #[test]
    fn the_time_is_that_of_the_frames_whatever_their_clock_begins_with() {
        let mut progress = Progress::new(Instant::now());
        progress.count(millis(0), 500, false);
        assert!(!progress.has_media());
        for (time, len) in [(90_000, 1_000), (92_000, 1_000), (91_990, 1_500)] {
            progress.count(millis(time), len, true);
        }
        assert_eq!(
            progress.to_string(),
            "0:00:02.000, 4 packets, 4.0 kB, 16 kbps"
        );
        assert_eq!(progress.time_at(millis(90_040)), Duration::from_millis(40));
    }

    #[test]
    fn a_line_has_the_bit_rate_since_the_one_before() {
        let start = Instant::now();
        let mut progress = Progress::new(start);
        progress.count(millis(0), 125_000, true);
        let first = progress.line(start + Duration::from_secs(1));
        progress.count(millis(1_500), 250_000, true);
        let second = progress.line(start + Duration::from_secs(3));
        assert_eq!(
            [first, second],
            ["0:00:00.000  1000 kbps", "0:00:01.500  1000 kbps"]
        );
    }
}
