//! The figures as text: a table with a row a second, and a summary.

use std::fmt;
use std::time::Duration;

use srs_media::Timestamp;

use super::Start;
use super::stats::{Range, Row, Stats, TrackRow, TrackStats};
use crate::output::{Size, kbps};

/// The names of the columns.
pub(crate) const HEADER: &str = concat!(
    " time  video            fps   kbps  key s  audio   kbps",
    "   video at   audio at  a-v ms  gap ms",
);

impl fmt::Display for Row {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let video = self.video.as_ref();
        let picture = match (video, self.resolution) {
            (Some(video), Some(resolution)) => format!("{} {resolution}", video.codec),
            (video, _) => or_dash(video.map(|video| &video.codec)),
        };
        let key = self
            .key_frame_interval
            .map(|interval| one_decimal(interval.as_secs_f64()));
        let audio = self.audio.as_ref();
        write!(
            f,
            "{:>5}  {picture:15}  {:>4}  {:>5}  {:>5}  {:6} {:>5}  {:>9}  {:>9}  {:>6}  {:>6}",
            self.elapsed.as_secs_f64().round(),
            or_dash(video.map(|video| format!("{:.0}", video.frames_per_second))),
            or_dash(rate(video)),
            or_dash(key),
            or_dash(audio.map(|audio| &audio.codec)),
            or_dash(rate(audio)),
            or_dash(seconds(video)),
            or_dash(seconds(audio)),
            or_dash(self.skew.map(|skew| format!("{skew:+}"))),
            self.gap.as_millis(),
        )
    }
}

/// Everything that was found out about a stream.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Summary<'a> {
    pub(super) url: &'a str,
    pub(super) start: Start,
    pub(super) stats: &'a Stats,
    /// How long it was played.
    pub(super) elapsed: Duration,
    /// Why no longer.
    pub(super) end: &'a str,
}

impl fmt::Display for Summary<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let stats = self.stats;
        writeln!(f, "{}", self.url)?;
        writeln!(
            f,
            "  played    {:.1} s; {}",
            self.elapsed.as_secs_f64(),
            self.end
        )?;
        self.write_start(f)?;
        if let Some(video) = track(&stats.video.track, stats.video.config.as_ref()) {
            writeln!(f, "  video     {video}")?;
            writeln!(
                f,
                "            {:.2} fps{}",
                stats.video.track.frame_rate(),
                self.key_frames()
            )?;
        }
        if let Some(audio) = track(&stats.audio.track, stats.audio.config.as_ref()) {
            writeln!(f, "  audio     {audio}")?;
        }
        self.write_times(f)
    }
}

impl Summary<'_> {
    fn write_start(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let arrival = self.stats.arrival;
        write!(
            f,
            "  start     connected after {}",
            Millis(self.start.connected)
        )?;
        if let Some(time) = arrival.first_packet {
            write!(f, ", first packet after {}", Millis(time))?;
        }
        if let Some(time) = arrival.first_key_frame {
            write!(f, ", first key frame after {}", Millis(time))?;
        }
        writeln!(f)
    }

    fn key_frames(&self) -> String {
        match self.stats.video.key_frame_intervals {
            None => String::new(),
            Some(Range { least, most }) if least == most => {
                format!(", a key frame every {:.2} s", least.as_secs_f64())
            }
            Some(Range { least, most }) => format!(
                ", a key frame every {:.2} to {:.2} s",
                least.as_secs_f64(),
                most.as_secs_f64()
            ),
        }
    }

    fn write_times(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let stats = self.stats;
        if let Some(Range { least, most }) = stats.skew {
            writeln!(
                f,
                "  skew      sound ahead of the picture by {least:+} to {most:+} ms"
            )?;
        }
        match stats.video.track.backward + stats.audio.track.backward {
            0 => {}
            1 => writeln!(f, "  times     went back once")?,
            count => writeln!(f, "  times     went back {count} times")?,
        }
        if let Some((gap, at)) = stats.arrival.largest_gap {
            let (gap, at) = (gap.as_millis(), at.as_secs_f64());
            writeln!(
                f,
                "  gap       {gap} ms without a packet at most, {at:.1} s after the start"
            )?;
        }
        Ok(())
    }
}

/// One track in a line: what it is by its header, or by its codec alone, and how much came.
fn track(stats: &TrackStats, config: Option<&impl fmt::Display>) -> Option<String> {
    if stats.frames == 0 {
        return None;
    }
    let name = match config {
        Some(config) => config.to_string(),
        None => stats.codec.clone().unwrap_or_else(|| "unknown".to_owned()),
    };
    let (frames, size) = (stats.frames, Size(stats.bytes));
    let rate = kbps(stats.bytes, stats.duration());
    Some(format!("{name}; {frames} frames, {size}, {rate:.0} kbps"))
}

fn rate(track: Option<&TrackRow>) -> Option<String> {
    track.map(|track| format!("{:.0}", track.kbps))
}

/// A track's newest timestamp, in seconds.
fn seconds(track: Option<&TrackRow>) -> Option<String> {
    let time = track?.timestamp.saturating_since(Timestamp::ZERO);
    Some(format!("{:.3}", time.as_secs_f64()))
}

fn one_decimal(number: f64) -> String {
    format!("{number:.1}")
}

fn or_dash(text: Option<impl ToString>) -> String {
    text.map_or_else(|| "-".to_owned(), |text| text.to_string())
}

/// Milliseconds, with a decimal where it matters.
struct Millis(Duration);

impl fmt::Display for Millis {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let millis = self.0.as_secs_f64() * 1000.0;
        if millis < 10.0 {
            write!(f, "{millis:.1} ms")
        } else {
            write!(f, "{millis:.0} ms")
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use bytes::Bytes;
    use srs_media::{Packet, Track};
    use testkit::clips;

    use super::super::stats::tests::packets;
    use super::*;

    /// Five seconds of frames of 1000 bytes, 25 a second, with a key frame every other second, and
    /// of sound in 200 bytes, 30 ms later; each with the header of the demo.
    fn show(has_video: bool) -> (Stats, Vec<String>) {
        let start = Instant::now();
        let mut stats = Stats::new(start);
        let mut rows = Vec::new();
        for header in packets(&clips::demo())
            .iter()
            .filter(|packet| packet.is_sequence_header())
        {
            if has_video || header.track == Track::Audio {
                stats.take(header, start);
            }
        }
        for number in 0..125 {
            let millis = number * 40;
            let at = start + Duration::from_millis(millis);
            if number > 0 && number % 25 == 0 {
                rows.push(stats.row(at).to_string());
            }
            let first = if number % 50 == 0 { 0x17 } else { 0x27 };
            let video = Bytes::from([&[first, 1, 0, 0, 0], &[0; 995][..]].concat());
            let audio = Bytes::from([&[0xAF, 1], &[0; 198][..]].concat());
            if has_video {
                stats.take(&Packet::video(Timestamp::from_millis(millis), video), at);
            }
            stats.take(
                &Packet::audio(Timestamp::from_millis(millis + 30), audio),
                at,
            );
        }
        (stats, rows)
    }

    fn summary(stats: &Stats) -> String {
        let start = Start {
            began: Instant::now(),
            connected: Duration::from_micros(400),
        };
        let (elapsed, end) = (Duration::from_millis(5_040), "interrupted");
        Summary {
            url: "rtmp://h/live/show",
            start,
            stats,
            elapsed,
            end,
        }
        .to_string()
    }

    #[test]
    fn a_row_stands_under_its_header() {
        let rows = show(true).1;
        assert_eq!(
            [HEADER, &rows[1], &rows[3]],
            [
                " time  video            fps   kbps  key s  audio   kbps   video at   audio at  a-v ms  gap ms",
                "    2  H.264 640x360      25    200      -  AAC       40      1.960      1.990     +30      40",
                "    4  H.264 640x360      25    200    2.0  AAC       40      3.960      3.990     +30      40",
            ]
        );
    }

    #[test]
    fn what_is_not_there_is_a_dash() {
        let rows = show(false).1;
        assert_eq!(
            rows[1],
            "    2  -                   -      -      -  AAC       40          -      1.990       -      40"
        );
    }

    #[test]
    fn a_summary_says_everything_that_was_found_out() {
        let summary = summary(&show(true).0);
        assert_eq!(
            summary,
            "\
rtmp://h/live/show
  played    5.0 s; interrupted
  start     connected after 0.4 ms, first packet after 0.0 ms, first key frame after 0.0 ms
  video     H.264 High 3.0 640x360; 125 frames, 125.1 kB, 202 kbps
            25.00 fps, a key frame every 2.00 s
  audio     AAC LC 44100 Hz stereo; 125 frames, 25.0 kB, 40 kbps
  skew      sound ahead of the picture by -10 to +30 ms
  gap       40 ms without a packet at most, 0.0 s after the start
"
        );
    }

    #[test]
    fn a_summary_leaves_out_what_is_not_there() {
        let summary = summary(&show(false).0);
        let lines = ["key frame", "video", "skew", "times"];
        assert!(
            !lines.iter().any(|line| summary.contains(line)),
            "{summary}"
        );
    }
}
