//! What is known of one thing, in lines of a name and a value.

use srs_api::{Client, Kbps, Stream};

use crate::command::streams::content;
use crate::output::Size;
use crate::output::text::printable;
use crate::output::units::{Elapsed, WallTime, count};
use crate::top::app::{App, TextDialog};
use crate::top::columns::clients as client_columns;
use crate::top::page::{Kind, Table};

/// A name and a value.
pub(crate) type Fact = (String, String);

/// Everything about the stream or the client of the page, to read.
pub(crate) fn page(app: &App) -> Option<TextDialog> {
    let data = app.data();
    let (title, lines) = match app.page().kind {
        Kind::Stream => {
            let stream = data.stream.as_ref()?.as_ref().ok()?;
            let mut lines = stream_facts(app, stream);
            lines.extend(headers(stream));
            (format!("stream {}", name(stream)), lines)
        }
        Kind::Client => {
            let client = data.client.as_ref()?.as_ref().ok()?;
            (format!("client {}", client.id), client_facts(app, client))
        }
        _ => return None,
    };
    Some(text(title, lines))
}

/// Everything about a row that has no page.
pub(crate) fn row(app: &App, place: usize) -> Option<TextDialog> {
    let data = app.data();
    let fact = |name: &str, value: String| (name.to_owned(), value);
    let time = |millis: i64| WallTime(millis).to_string();
    let (title, lines) = match app.page().kind.table() {
        Table::Events => {
            let event = &data.events.get(place)?.event;
            let of = |text: &Option<String>| text.clone().unwrap_or_default();
            let mut lines = vec![
                fact("time", time(event.time_ms)),
                fact("id", event.id.to_string()),
                fact("client", of(&event.client)),
                fact("peer", of(&event.peer)),
                fact("vhost", of(&event.vhost)),
                fact("application", of(&event.app)),
                fact("stream", of(&event.stream)),
                fact("server", of(&event.device)),
            ];
            lines.extend(several("message", &event.message));
            (format!("event {}", event.kind), lines)
        }
        Table::Logs => {
            let line = &data.logs.get(place)?.line;
            let mut lines = vec![
                fact("time", time(line.time_ms)),
                fact("level", line.level.name().to_owned()),
                fact("client", line.client.clone().unwrap_or_default()),
                fact("stream", line.stream.clone().unwrap_or_default()),
            ];
            lines.extend(several("message", &line.message));
            ("line of the log".to_owned(), lines)
        }
        Table::Parts => {
            let part = data.parts.get(place)?;
            let mut lines = vec![
                fact("id", part.id.clone()),
                fact("target", part.target.clone()),
                fact("state", part.state.name().to_owned()),
                fact("since", time(part.since_ms)),
                fact("stream", part.stream.clone()),
                fact("restarts", count(part.restarts)),
                fact("next try", part.next_try_ms.map(time).unwrap_or_default()),
                fact("progress", part.progress.clone()),
            ];
            lines.extend(several("last error", &part.error));
            (format!("{} {}", part.kind.name(), part.target), lines)
        }
        _ => return None,
    };
    Some(text(title, lines))
}

/// What is shown of a stream beside its graphs, what matters most first.
pub(super) fn stream_facts(app: &App, stream: &Stream) -> Vec<Fact> {
    let mut facts = Vec::new();
    let mut add = |name: &str, value: String| facts.push((name.to_owned(), value));
    let health = match stream.health.why.as_slice() {
        [] => state_name(stream).to_owned(),
        why => format!("{}: {}", state_name(stream), why.join("; ")),
    };
    add("health", health);
    let publisher = if stream.publish.active {
        let now_ms = app.look().server_now_ms;
        let since = i64::try_from(stream.live_ms).unwrap_or(now_ms);
        format!(
            "{}, for {}",
            stream.publish.cid,
            Elapsed::between(since, now_ms)
        )
    } else {
        "none".to_owned()
    };
    add("publisher", publisher);
    add(
        "video",
        stream
            .video
            .as_ref()
            .map(content::full_video)
            .unwrap_or_default(),
    );
    let fps = stream.video.as_ref().filter(|video| video.fps > 0.0);
    add(
        "frame rate",
        fps.map(|video| format!("{:.2} of {:.2} fps", video.fps, video.nominal_fps))
            .unwrap_or_default(),
    );
    add(
        "audio",
        stream
            .audio
            .as_ref()
            .map(content::audio)
            .unwrap_or_default(),
    );
    let skew = stream.av_skew_ms.map(|skew| format!("{skew} ms"));
    add("audio ahead", skew.unwrap_or_default());
    let players = stream.players;
    add(
        "players",
        format!(
            "{}, at most {} (rtmp {}, http-flv {}, hls {})",
            stream.viewers, stream.viewers_peak, players.rtmp, players.http_flv, players.hls
        ),
    );
    for (name, value) in traffic(app, &stream.kbps, stream.recv_bytes, stream.send_bytes) {
        add(name, value);
    }
    add("lost", lost(stream.drops, stream.jumps));
    add("clock jumps", count(stream.clock_jumps));
    add(
        "published again",
        match stream.reconnects {
            1 => "once".to_owned(),
            times => format!("{} times", count(times)),
        },
    );
    let outputs: Vec<_> = stream.outputs.iter().map(|kind| kind.name()).collect();
    add("outputs", outputs.join(", "));
    add("id", stream.id.clone());
    facts.retain(|(_, value)| !value.is_empty());
    facts
}

/// What the headers of a stream say.
pub(super) fn headers(stream: &Stream) -> Vec<Fact> {
    let Some(details) = &stream.details else {
        return Vec::new();
    };
    let parts = [
        ("video: ", &details.video),
        ("audio: ", &details.audio),
        ("metadata: ", &details.metadata),
    ];
    parts
        .into_iter()
        .flat_map(|(prefix, fields)| {
            fields
                .iter()
                .map(move |field| (format!("{prefix}{}", field.name), field.value.clone()))
        })
        .collect()
}

/// What is shown of a client.
pub(super) fn client_facts(app: &App, client: &Client) -> Vec<Fact> {
    let mut facts = Vec::new();
    let mut add = |name: &str, value: String| facts.push((name.to_owned(), value));
    let does = match client_columns::stream(client) {
        name if name.is_empty() => client_columns::role(client.role).to_owned(),
        name => format!("{} {name}", client_columns::role(client.role)),
    };
    add("does", does);
    add("address", client_columns::address(client));
    add("connected", Elapsed::seconds(client.alive).to_string());
    add("agent", client.agent.clone());
    for (name, value) in traffic(app, &client.kbps, client.recv_bytes, client.send_bytes) {
        add(name, value);
    }
    add("lag", format!("{} ms", count(client.lag_ms)));
    add("lost", lost(client.drops, client.jumps));
    let tcp = client.rtt_ms.map(|rtt| {
        format!(
            "{rtt:.1} ms, {} segments sent again",
            count(client.retransmits)
        )
    });
    add("round trip", tcp.unwrap_or_default());
    add(
        "packets",
        format!(
            "{} in, {} out",
            count(client.recv_packets),
            count(client.send_packets)
        ),
    );
    add("connected to", client.tc_url.clone());
    add("page", client.page_url.clone());
    add("swf", client.swf_url.clone());
    facts.retain(|(_, value)| !value.is_empty());
    facts
}

/// Rates over the windows that people ask for, and bytes.
fn traffic(app: &App, kbps: &Kbps, received: u64, sent: u64) -> [(&'static str, String); 2] {
    let rate = |kbps| app.units.rate(kbps);
    let line = |now, minute, hour, bytes| {
        format!(
            "{}, 1 min {}, 1 h {}, {} in all",
            rate(now),
            rate(minute),
            rate(hour),
            Size(bytes)
        )
    };
    [
        (
            "in",
            line(kbps.recv_5s, kbps.recv_1m, kbps.recv_60m, received),
        ),
        ("out", line(kbps.send_5s, kbps.send_1m, kbps.send_60m, sent)),
    ]
}

fn lost(drops: u64, jumps: u64) -> String {
    if drops == 0 {
        return "nothing".to_owned();
    }
    format!("{} packets in {} jumps", count(drops), count(jumps))
}

fn state_name(stream: &Stream) -> &'static str {
    match stream.health.state {
        srs_api::StreamState::Waiting => "waiting",
        srs_api::StreamState::Good => "good",
        srs_api::StreamState::Odd => "odd",
        srs_api::StreamState::Bad => "bad",
    }
}

fn name(stream: &Stream) -> String {
    use crate::top::columns::Item as _;
    stream.text()
}

/// A value of several lines, as facts of which the first has the name.
fn several(name: &str, value: &str) -> Vec<Fact> {
    let lines = value.lines().enumerate();
    lines
        .map(|(index, line)| {
            let name = if index == 0 { name } else { "" };
            (name.to_owned(), line.to_owned())
        })
        .collect()
}

fn text(title: String, lines: Vec<Fact>) -> TextDialog {
    let only_shows = |text: String| printable(&text).into_owned();
    TextDialog {
        title: only_shows(title),
        lines: lines
            .into_iter()
            .filter(|(name, value)| name.is_empty() || !value.is_empty())
            .map(|(name, value)| (only_shows(name), only_shows(value)))
            .collect(),
        offset: 0,
    }
}
