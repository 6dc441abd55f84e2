//! Streams.

use srs_api::{HealthCause, PartKind, Stream, StreamState};

use super::{Cell, Column, Item};
use crate::command::streams::{content, label};
use crate::output::units::Elapsed;
use crate::top::graph::{Symbols, padded, sparkline};
use crate::top::theme::Tone;
use crate::top::wants::RECENT;

impl Item for Stream {
    const COLUMNS: &'static [Column<Self>] = &[
        Column::word(
            "state",
            " ",
            "how it is: good, odd, bad, or waiting",
            |stream: &Self, look| {
                let (symbol, tone) = state(stream.health.state, look.symbols);
                Cell::new(symbol).toned(tone, true)
            },
        )
        .by_server(),
        Column::text(
            "name",
            "STREAM",
            "its name, with a vhost unless it is the default one",
            |stream: &Self, _| Cell::new(label(&stream.vhost, &stream.app, &stream.name)),
        )
        .by_server(),
        Column::word(
            "video",
            "VIDEO",
            "the codec of the video",
            |stream: &Self, _| Cell::or_dash(stream.video.as_ref().map(|video| &video.codec)),
        )
        .rank(6)
        .by_server(),
        Column::number(
            "size",
            "SIZE",
            "the size of the picture",
            |stream: &Self, _| {
                let video = stream.video.as_ref().filter(|video| video.width > 0);
                Cell::or_dash(video.map(|video| format!("{}x{}", video.width, video.height)))
            },
        )
        .rank(5)
        .by_server(),
        Column::number(
            "fps",
            "FPS",
            "video frames that come in a second",
            |stream: &Self, _| {
                let video = stream.video.as_ref().filter(|video| video.fps > 0.0);
                Cell::or_dash(video.map(|video| format!("{:.1}", video.fps)))
                    .toned(Tone::Odd, is_cause(stream, HealthCause::Fps))
            },
        )
        .rank(4)
        .by_server(),
        Column::word(
            "audio",
            "AUDIO",
            "the codec of the audio, and its sample rate",
            |stream: &Self, _| Cell::or_dash(stream.audio.as_ref().map(content::audio_in_short)),
        )
        .rank(12)
        .by_server(),
        Column::rate(
            "in",
            "IN",
            "what is received of it, over the last 5 seconds",
            |stream: &Self, look| Cell::rate(stream.kbps.recv_5s, look, Tone::In),
        )
        .rank(2)
        .by_server(),
        Column::word(
            "recent",
            "LAST 30 s",
            "what was received in each of the last seconds",
            |stream: &Self, look| {
                let values = padded(&stream.recent_kbps, RECENT);
                let text = sparkline(&values, RECENT_COLUMNS, 0.0, look.symbols);
                Cell::new(text).toned(Tone::In, true)
            },
        )
        .rank(8),
        Column::number(
            "gop",
            "GOP",
            "the time between its last two key frames",
            |stream: &Self, _| {
                let gop = stream.video.as_ref().map(content::gop);
                Cell::or_dash(gop.filter(|gop| !gop.is_empty()))
                    .toned(Tone::Odd, is_cause(stream, HealthCause::Gop))
            },
        )
        .rank(9)
        .by_server(),
        Column::number(
            "players",
            "PLAYERS",
            "its players; by RTMP+HTTP-FLV+HLS where it has several",
            |stream: &Self, _| {
                let players = stream.players;
                if players.http_flv == 0 && players.hls == 0 {
                    return Cell::count(stream.viewers as u64, Tone::Plain);
                }
                Cell::new(format!(
                    "{}+{}+{}",
                    players.rtmp, players.http_flv, players.hls
                ))
            },
        )
        .rank(1)
        .by_server(),
        Column::rate(
            "out",
            "OUT",
            "what is sent of it, over the last 5 seconds",
            |stream: &Self, look| Cell::rate(stream.kbps.send_5s, look, Tone::Out),
        )
        .rank(1)
        .by_server(),
        Column::number(
            "drops",
            "DROPS",
            "packets that slow players lost",
            |stream: &Self, _| Cell::count(stream.drops, Tone::Odd),
        )
        .rank(3)
        .by_server(),
        Column::number(
            "jumps",
            "JUMPS",
            "how often slow players jumped to a newer key frame",
            |stream: &Self, _| Cell::count(stream.jumps, Tone::Odd),
        )
        .rank(10)
        .by_server(),
        Column::number(
            "skew",
            "A-V ms",
            "by how much audio is ahead of video (-: behind)",
            |stream: &Self, _| {
                Cell::or_dash(stream.av_skew_ms)
                    .toned(Tone::Odd, is_cause(stream, HealthCause::Skew))
            },
        )
        .rank(11)
        .by_server(),
        Column::number(
            "up",
            "UP",
            "for how long it has been published",
            |stream: &Self, look| {
                let since = i64::try_from(stream.live_ms).unwrap_or(look.server_now_ms);
                let up = stream
                    .publish
                    .active
                    .then(|| Elapsed::between(since, look.server_now_ms));
                Cell::or_dash(up)
            },
        )
        .rank(7)
        .by_server(),
        Column::word(
            "outputs",
            "OUTPUTS",
            "what else takes from it: Forward, Edge, Transcode, Dvr, Hls",
            |stream: &Self, _| {
                let flags: String = stream
                    .outputs
                    .iter()
                    .filter_map(|kind| flag(*kind))
                    .collect();
                Cell::or_dash(Some(flags).filter(|flags| !flags.is_empty()))
            },
        )
        .rank(13)
        .by_server(),
        Column::number(
            "peak",
            "PEAK",
            "the most players at a time",
            |stream: &Self, _| Cell::count(stream.viewers_peak as u64, Tone::Plain),
        )
        .rank(14)
        .unusual(),
        Column::number(
            "clock",
            "CLOCK",
            "how often its publisher's clock jumped",
            |stream: &Self, _| Cell::count(stream.clock_jumps, Tone::Odd),
        )
        .rank(15)
        .unusual(),
        Column::word("id", "ID", "its id, as in the API", |stream: &Self, _| {
            Cell::new(&stream.id)
        })
        .rank(16)
        .unusual(),
    ];

    fn id(&self) -> &str {
        &self.id
    }

    fn text(&self) -> String {
        label(&self.vhost, &self.app, &self.name)
    }
}

/// Whether the server says that this is why the stream is not better.
fn is_cause(stream: &Stream, cause: HealthCause) -> bool {
    stream.health.causes.contains(&cause)
}

/// What stands for a state, and what that means. Without colours the symbols tell them apart.
pub(crate) fn state(state: StreamState, symbols: Symbols) -> (&'static str, Tone) {
    match state {
        StreamState::Good => (symbols.or("●", "+"), Tone::Good),
        StreamState::Odd => (symbols.or("▲", "!"), Tone::Odd),
        StreamState::Bad => (symbols.or("✖", "X"), Tone::Bad),
        StreamState::Waiting => (symbols.or("○", "-"), Tone::Dim),
    }
}

fn flag(kind: PartKind) -> Option<char> {
    Some(match kind {
        PartKind::Forward => 'F',
        PartKind::Edge => 'E',
        PartKind::Transcode => 'T',
        PartKind::Dvr => 'D',
        PartKind::Hls => 'H',
        PartKind::Ingest => 'I',
        PartKind::Listener | PartKind::Heartbeat | PartKind::Task | PartKind::Other => {
            return None;
        }
    })
}

/// The columns of a line of the last seconds.
const RECENT_COLUMNS: usize = 10;

#[cfg(test)]
mod tests {
    use super::super::{Look, Units};
    use super::*;
    use crate::top::samples::{self, NOW_MS};

    fn cell(stream: &Stream, key: &str) -> Cell {
        let look = Look {
            symbols: Symbols::Block,
            units: Units::Bits,
            now_ms: NOW_MS - 300_000,
            server_now_ms: NOW_MS,
        };
        let mut columns = Stream::COLUMNS.iter();
        let column = columns.find(|column| column.key == key).unwrap();
        column.cell(stream, &look)
    }

    #[test]
    fn a_figure_is_odd_where_the_server_says_so() {
        let mut stream = samples::streams(1).remove(0);
        let video = stream.video.as_mut().unwrap();
        // The rate of a clock, as encoders with a variable rate say.
        (video.fps, video.nominal_fps) = (25.0, 1_000.0);
        stream.av_skew_ms = Some(5_000);
        for key in ["fps", "skew", "gop"] {
            assert_eq!(cell(&stream, key).tone, Tone::Plain, "{key}");
        }
        let causes = [
            ("fps", HealthCause::Fps),
            ("skew", HealthCause::Skew),
            ("gop", HealthCause::Gop),
        ];
        for (key, cause) in causes {
            stream.health.causes = vec![HealthCause::Silence, cause];
            assert_eq!(cell(&stream, key).tone, Tone::Odd, "{key}");
        }
    }

    #[test]
    fn the_time_that_a_stream_is_up_is_by_the_servers_clock() {
        let mut stream = samples::streams(1).remove(0);
        stream.live_ms = NOW_MS.unsigned_abs() - 65_000;
        assert_eq!(cell(&stream, "up").text, "1m 5s");
    }

    #[test]
    fn the_line_of_a_young_stream_is_short() {
        let mut stream = samples::streams(1).remove(0);
        stream.recent_kbps = vec![1_000; 6];
        assert_eq!(cell(&stream, "recent").text, "        ██");
    }
}
