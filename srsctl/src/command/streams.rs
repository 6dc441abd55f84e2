//! `srsctl streams`: the live streams.

pub(crate) mod content;
mod name;

use serde::Serialize;
use srs_api::{Kbps, Stream, StreamsAnswer};

pub(super) use self::name::find;
pub(crate) use self::name::label;
use self::name::nothing;
use super::Error;
use crate::cli::Streams;
use crate::client::Client;
use crate::output::units::{Elapsed, Rate, WallTime, count, now_ms};
use crate::output::{Cell, Colour, Column, Page, Report, Size, Table, Terminal, list_remark};

/// The streams that were asked for.
#[derive(Debug, Serialize)]
#[serde(transparent)]
pub(crate) struct Listing {
    answer: StreamsAnswer,
    /// Whether everything is told of each.
    #[serde(skip)]
    in_detail: bool,
}

/// Asks for the streams.
///
/// # Errors
/// The server does not answer. [`Error::Nothing`]: there is none of the name.
pub(crate) async fn run(client: &Client, arguments: &Streams) -> Result<Listing, Error> {
    let (vhost, app) = (arguments.vhost.as_deref(), arguments.app.as_deref());
    let place = [("vhost", vhost), ("app", app)];
    let is_wanted = |stream: &Stream| {
        vhost.is_none_or(|vhost| stream.vhost == vhost) && app.is_none_or(|app| stream.app == app)
    };
    let Some(name) = &arguments.name else {
        let place = place.into_iter();
        let place = place.filter_map(|(name, value)| Some((name, value?)));
        let query: Vec<_> = place.chain(arguments.order.query()).collect();
        let mut answer = client.streams(&query, arguments.list.limit).await?;
        // A server that does not know a filter gives everything.
        retain(&mut answer, is_wanted);
        return Ok(Listing {
            answer,
            in_detail: false,
        });
    };
    let mut answer = find(client, name).await?;
    retain(&mut answer, is_wanted);
    if answer.streams.is_empty() {
        return Err(nothing(name));
    }
    Ok(Listing {
        answer,
        in_detail: true,
    })
}

fn retain(answer: &mut StreamsAnswer, is_wanted: impl Fn(&Stream) -> bool) {
    let before = answer.streams.len();
    answer.streams.retain(is_wanted);
    answer.total -= (before - answer.streams.len()).min(answer.total);
}

impl Report for Listing {
    fn text(&self, terminal: &Terminal) -> String {
        if self.in_detail {
            details(&self.answer.streams).render(terminal)
        } else {
            table(&self.answer.streams, now_ms()).render(terminal)
        }
    }

    fn remark(&self) -> Option<String> {
        list_remark("streams", self.answer.streams.len(), self.answer.total)
    }
}

fn table(streams: &[Stream], now_ms: i64) -> Table {
    let mut table = Table::new([
        Column::text("STREAM"),
        Column::text("CODECS").rank(4),
        Column::number("IN kbps").rank(3),
        Column::number("OUT kbps").rank(1),
        Column::number("VIEWERS").rank(2),
        Column::number("GOP").rank(7),
        Column::number("DROPS").rank(5),
        Column::number("UP").rank(6),
    ]);
    for stream in streams {
        table.add([
            label(&stream.vhost, &stream.app, &stream.name).into(),
            codecs(stream),
            stream.kbps.recv_30s.into(),
            stream.kbps.send_30s.into(),
            stream.viewers.into(),
            stream
                .video
                .as_ref()
                .map_or_else(String::new, content::gop)
                .into(),
            Cell::from(stream.drops).painted(Colour::Odd, stream.drops > 0),
            match stream.publish.active {
                true => up(stream, now_ms).to_string().into(),
                false => "-".into(),
            },
        ]);
    }
    table
}

fn codecs(stream: &Stream) -> Cell {
    if stream.publish.active {
        Cell::from(content::in_short(stream)).or_short(&content::in_brief(stream))
    } else {
        Cell::from("not published").painted(Colour::Odd, true)
    }
}

fn details(streams: &[Stream]) -> Page {
    let mut page = Page::default();
    for stream in streams {
        page.heading(&label(&stream.vhost, &stream.app, &stream.name));
        page.add("id", &stream.id);
        page.add("vhost", &stream.vhost);
        page.add("application", &stream.app);
        page.add("name", &stream.name);
        if stream.publish.active {
            page.add("publisher", &stream.publish.cid);
        } else {
            page.add_painted("publisher", "none", Some(Colour::Odd));
        }
        if stream.publish.active {
            let since = i64::try_from(stream.live_ms).unwrap_or_default();
            page.add(
                "up",
                format!("{}, since {}", up(stream, now_ms()), WallTime(since)),
            );
        }
        page.add(
            "video",
            stream
                .video
                .as_ref()
                .map_or_else(String::new, content::full_video),
        );
        page.add(
            "audio",
            stream
                .audio
                .as_ref()
                .map_or_else(String::new, content::audio),
        );
        if let Some(skew) = stream.av_skew_ms {
            page.add("audio ahead", format!("{skew} ms"));
        }
        add_traffic(
            &mut page,
            &stream.kbps,
            stream.recv_bytes,
            stream.send_bytes,
        );
        page.add(
            "viewers",
            format!("{}, at most {}", stream.viewers, stream.viewers_peak),
        );
        page.add("drops", dropped(stream.drops, stream.jumps));
        page.add("clock jumps", stream.clock_jumps);
        let again = match stream.reconnects {
            1 => "once".to_owned(),
            times => format!("{times} times"),
        };
        page.add("published again", again);
        page.add("published for", Elapsed::seconds(stream.publish_seconds));
        page.add("played for", Elapsed::seconds(stream.play_seconds));
    }
    page
}

/// Bit rates over all windows, and bytes.
pub(super) fn add_traffic(page: &mut Page, kbps: &Kbps, recv_bytes: u64, send_bytes: u64) {
    let line = |bytes, last_30s, last_5s, last_5m, last_hour| {
        format!(
            "{} ({} over 5 s, {} over 5 min, {} over 1 h), {} in all",
            Rate(last_30s),
            Rate(last_5s),
            Rate(last_5m),
            Rate(last_hour),
            Size(bytes)
        )
    };
    page.add(
        "in",
        line(
            recv_bytes,
            kbps.recv_30s,
            kbps.recv_5s,
            kbps.recv_5m,
            kbps.recv_60m,
        ),
    );
    page.add(
        "out",
        line(
            send_bytes,
            kbps.send_30s,
            kbps.send_5s,
            kbps.send_5m,
            kbps.send_60m,
        ),
    );
}

/// `12 packets in 3 jumps`: what slow players lost.
pub(super) fn dropped(drops: u64, jumps: u64) -> String {
    if drops == 0 {
        "none".to_owned()
    } else {
        format!("{} packets in {} jumps", count(drops), count(jumps))
    }
}

fn up(stream: &Stream, now_ms: i64) -> Elapsed {
    Elapsed::between(i64::try_from(stream.live_ms).unwrap_or(now_ms), now_ms)
}

#[cfg(test)]
pub(super) mod tests {
    use srs_api::{Audio, Publish, Video};
    use srs_config::VhostName;

    use super::*;

    pub(crate) fn stream(vhost: &str, app: &str, name: &str) -> Stream {
        Stream {
            id: "s17".to_owned(),
            name: name.to_owned(),
            vhost: vhost.to_owned(),
            app: app.to_owned(),
            tc_url: format!("rtmp://{vhost}/{app}"),
            url: format!("/{app}/{name}"),
            live_ms: 1_000_000,
            clients: 13,
            viewers: 12,
            viewers_peak: 20,
            players: <_>::default(),
            frames: 250,
            send_bytes: 12_000_000,
            recv_bytes: 1_000_000,
            send_packets: 12_000,
            recv_packets: 1_000,
            drops: 0,
            jumps: 0,
            clock_jumps: 0,
            reconnects: 0,
            publish_seconds: 10.0,
            play_seconds: 120.0,
            av_skew_ms: Some(-12),
            kbps: Kbps {
                recv_30s: 1_234,
                send_30s: 14_808,
                ..Kbps::default()
            },
            publish: Publish {
                active: true,
                cid: "104".to_owned(),
            },
            video: Some(Video {
                codec: "H264".to_owned(),
                profile: "High".to_owned(),
                level: "3.1".to_owned(),
                width: 1280,
                height: 720,
                fps: 24.9,
                nominal_fps: 25.0,
                gop_ms: 2_000,
            }),
            audio: Some(Audio {
                codec: "AAC".to_owned(),
                sample_rate: 44_100,
                channel: 2,
                profile: "LC".to_owned(),
            }),
            health: <_>::default(),
            outputs: Vec::new(),
            recent_kbps: Vec::new(),
            details: None,
        }
    }

    #[test]
    fn a_stream_is_a_line() {
        let mut waiting = stream("live.example.com", "live", "later");
        waiting.publish.active = false;
        waiting.drops = 7;
        let streams = [stream(VhostName::DEFAULT, "live", "show"), waiting];
        let expected = "\
STREAM                       CODECS                                  IN kbps  OUT kbps  VIEWERS  GOP  DROPS      UP
live/show                    H264 High 1280x720@25 AAC 44.1k stereo     1234     14808       12   2s      0  3m 20s
live.example.com/live/later  not published                              1234     14808       12   2s      7       -
";
        assert_eq!(table(&streams, 1_200_000).render(&Terminal::NONE), expected);
    }

    #[test]
    fn names_are_whole_where_the_terminal_is_narrow() {
        let mut waiting = stream(VhostName::DEFAULT, "live", "later");
        waiting.publish.active = false;
        let short = stream(VhostName::DEFAULT, "live", "show");
        let long = stream(VhostName::DEFAULT, "live", &"n".repeat(32));
        let shown = |streams: &[Stream]| {
            let terminal = Terminal {
                width: Some(80),
                colour: false,
            };
            let text = table(streams, 1_200_000).render(&terminal);
            text.lines().map(str::to_owned).collect::<Vec<_>>()
        };
        assert_eq!(
            shown(&[short.clone(), waiting]),
            [
                "STREAM      CODECS            IN kbps  OUT kbps  VIEWERS  GOP  DROPS      UP",
                "live/show   H264 1280x720@25     1234     14808       12   2s      0  3m 20s",
                "live/later  not published        1234     14808       12   2s      0       -",
            ]
        );
        assert_eq!(
            shown(&[short, long])[2],
            "live/nnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnn     1234     14808       12      0  3m 20s"
        );
    }

    #[test]
    fn the_details_fit_the_terminal() {
        let mut busy = stream(VhostName::DEFAULT, "live", "show");
        let kbps = &mut busy.kbps;
        (kbps.send_30s, kbps.send_5s) = (999_000, 999_000);
        (kbps.send_5m, kbps.send_60m) = (999_000, 999_000);
        busy.send_bytes = 999_900_000;
        for width in [80, 60] {
            let terminal = Terminal {
                width: Some(width),
                colour: false,
            };
            let text = details(std::slice::from_ref(&busy)).render(&terminal);
            for line in text.lines() {
                assert!(line.chars().count() <= width, "{line}");
            }
        }
    }

    #[test]
    fn a_stream_that_nobody_publishes_is_not_up() {
        let mut waiting = stream(VhostName::DEFAULT, "live", "later");
        waiting.publish.active = false;
        let text = details(&[waiting]).render(&Terminal::NONE);
        assert!(!text.contains("\nup "), "{text}");
        assert!(text.contains("publisher        none\n"), "{text}");
    }

    #[test]
    fn the_details_are_lines() {
        let text = details(&[stream(VhostName::DEFAULT, "live", "show")]).render(&Terminal::NONE);
        for part in [
            "live/show\nid               s17\n",
            "publisher        104\n",
            "H264 High 3.1, 1280x720, 25 fps, a key frame every 2s\n",
            "AAC LC, 44100 Hz, stereo\n",
            "1.2 Mbit/s (0 kbit/s over 5 s, 0 kbit/s over 5 min, 0 kbit/s over 1 h), 1.0 MB in all",
            "viewers          12, at most 20\n",
        ] {
            assert!(text.contains(part), "{part}: {text}");
        }
    }
}
