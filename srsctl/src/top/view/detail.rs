//! A stream or a client: what is known of it, and how it was.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::facts::{self, Fact};
use super::graphs::{self, Graph, whole};
use super::paint::Bar;
use crate::output::text::{printable, width};
use crate::output::units::count;
use crate::top::app::App;
use crate::top::data::{ClientSample, Gone};
use crate::top::graph::over;
use crate::top::page::Kind;
use crate::top::theme::Tone;

/// Draws what the page is about.
pub(super) fn draw(app: &App, area: Rect, buffer: &mut Buffer) {
    let data = app.data();
    let known = match app.page().kind {
        Kind::Stream => data.stream.as_ref().map(|stream| {
            stream.as_ref().map(|stream| {
                let mut facts = facts::stream_facts(app, stream);
                facts.extend(facts::headers(stream));
                (facts, stream_graphs(app, stream))
            })
        }),
        Kind::Client => data.client.as_ref().map(|client| {
            client
                .as_ref()
                .map(|client| (facts::client_facts(app, client), client_graphs(app)))
        }),
        _ => return,
    };
    let (facts, graphs) = match known {
        Some(Ok(known)) => known,
        Some(Err(Gone)) => return say(app, "it is not there any more", area, buffer),
        None => return say(app, "no answer yet", area, buffer),
    };
    let facts_width = (area.width / 2).clamp(36, 76).min(area.width);
    let left = Rect::new(area.x, area.y, facts_width, area.height);
    let right = Rect::new(left.right(), area.y, area.width - facts_width, area.height);
    draw_facts(app, &facts, left, buffer);
    draw_graphs(app, &graphs, right, buffer);
}

fn say(app: &App, text: &str, area: Rect, buffer: &mut Buffer) {
    let mut bar = Bar::new(buffer, &app.theme, area, 1);
    bar.skip(2);
    bar.add_cut(Tone::Dim, text);
}

fn draw_facts(app: &App, facts: &[Fact], area: Rect, buffer: &mut Buffer) {
    let is_stale = app.stale_for().is_some() || app.server().link.down.is_some();
    let seen = facts.iter().take(usize::from(area.height));
    let names = seen.map(|(name, _)| width(name)).max().unwrap_or(0);
    let names = names.min(usize::from(area.width) / 2);
    let more = facts.len() > usize::from(area.height);
    for (row, (name, value)) in (0..area.height).zip(facts) {
        let mut bar = Bar::new(buffer, &app.theme, area, row).dimmed(is_stale);
        bar.skip(1);
        if more && row + 1 == area.height {
            bar.add(&[(Tone::Key, "i"), (Tone::Dim, " shows all of it")]);
            return;
        }
        let begin = usize::from(bar.x());
        bar.add_cut(
            Tone::Dim,
            &crate::output::text::cut(&printable(name), names),
        );
        let used = usize::from(bar.x()) - begin;
        bar.skip(names.saturating_sub(used) + 1);
        let tone = if name == "health" && !value.starts_with("good") {
            Tone::Odd
        } else {
            Tone::Plain
        };
        bar.add_cut(tone, &printable(value));
    }
}

/// As many graphs above each other as there is room for.
fn draw_graphs(app: &App, drawn: &[Graph], area: Rect, buffer: &mut Buffer) {
    let most = usize::from(area.height / LEAST_GRAPH).min(drawn.len());
    let Ok(number) = u16::try_from(most) else {
        return;
    };
    if number == 0 {
        return;
    }
    let each = area.height / number;
    for (place, graph) in (0..number).zip(drawn) {
        let last = place + 1 == number;
        let height = if last {
            area.height - each * place
        } else {
            each
        };
        let area = Rect::new(area.x, area.y + each * place, area.width, height);
        graphs::draw(app, graph, area, buffer);
    }
}

fn stream_graphs(app: &App, stream: &srs_api::Stream) -> Vec<Graph> {
    let history = &app.data().stream_history;
    let series = |values: &[u32]| over(values, history.step_ms, app.range);
    let rate = |app: &App, value: f64| app.units.rate(whole(value));
    let video = stream.video.as_ref();
    let mut drawn = vec![
        Graph {
            title: "in",
            figure: app.units.rate(stream.kbps.recv_5s),
            tone: Tone::In,
            values: series(&history.recv_kbps),
            tell: rate,
        },
        Graph {
            title: "out",
            figure: app.units.rate(stream.kbps.send_5s),
            tone: Tone::Out,
            values: series(&history.send_kbps),
            tell: rate,
        },
    ];
    if let Some(video) = video {
        drawn.push(Graph {
            title: "frames/s",
            figure: format!("{:.1}", video.fps),
            tone: Tone::Good,
            values: over(&history.fps, history.step_ms, app.range),
            tell: |_, value| format!("{value:.0}"),
        });
        drawn.push(Graph {
            title: "GOP",
            figure: format!("{:.1} s", video.gop_ms as f64 / 1000.0),
            tone: Tone::Key,
            values: series(&history.gop_ms),
            tell: |_, value| format!("{:.1} s", value / 1000.0),
        });
    }
    drawn.push(Graph {
        title: "players",
        figure: count(stream.viewers as u64),
        tone: Tone::Plain,
        values: series(&history.viewers),
        tell: |_, value| count(whole(value)),
    });
    drawn
}

fn client_graphs(app: &App) -> Vec<Graph> {
    let data = app.data();
    let Some(Ok(client)) = &data.client else {
        return Vec::new();
    };
    let history = &data.client_history;
    let newest = history.newest();
    let end_ms = match newest {
        Some(newest) if app.is_frozen => newest.time_ms,
        _ => app.now_ms,
    };
    let series = |figure: fn(&ClientSample) -> f64| {
        let seconds = app.range.seconds();
        history.series(end_ms, seconds, figure)
    };
    let rate = |app: &App, value: f64| app.units.rate(whole(value));
    let rate_of = |title, tone, kbps, figure| Graph {
        title,
        figure: app.units.rate(kbps),
        tone,
        values: series(figure),
        tell: rate,
    };
    let sent = rate_of("out", Tone::Out, client.kbps.send_5s, |sample| {
        sample.send_kbps
    });
    let received = rate_of("in", Tone::In, client.kbps.recv_5s, |sample| {
        sample.recv_kbps
    });
    let lag = Graph {
        title: "lag",
        figure: format!("{} ms", count(client.lag_ms)),
        tone: Tone::Odd,
        values: series(|sample| sample.lag_ms),
        tell: |_, value| format!("{} ms", count(whole(value))),
    };
    if client.publish {
        return vec![received, lag, sent];
    }
    let lost = newest.map_or(0.0, |sample| sample.drops_per_second);
    let drops = Graph {
        title: "drops/s",
        figure: count(whole(lost)),
        tone: Tone::Bad,
        values: series(|sample| sample.drops_per_second),
        tell: |_, value| count(whole(value)),
    };
    vec![sent, lag, drops, received]
}

/// A title and two rows.
const LEAST_GRAPH: u16 = 3;
