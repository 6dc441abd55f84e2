//! The server at a glance: how it is, what it carries, what it needs.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use srs_api::{ReloadOutcome, ServiceState, ServiceSummary, Summaries};

use super::graphs;
use super::layout;
use super::paint::Bar;
use crate::output::Size;
use crate::output::text::printable;
use crate::output::units::{Elapsed, count, percent};
use crate::top::app::App;
use crate::top::graph::{over, sparkline};
use crate::top::theme::Tone;

/// What is wrong with the server, in a line.
pub(crate) fn banner(app: &App) -> Option<(Tone, String)> {
    let server = app.server();
    if let Some((error, since)) = &server.link.down {
        let since = server.link.last_ms.unwrap_or(*since);
        let away = Elapsed::between(since, app.now_ms);
        let text = format!("{} has not answered for {away}: {error}", server.name);
        return Some((Tone::Bad, printable(&text).into_owned()));
    }
    if app.is_frozen {
        return Some((Tone::Odd, "frozen: f goes on".to_owned()));
    }
    if let Some(refused) = &server.link.refused {
        return Some((Tone::Bad, printable(refused).into_owned()));
    }
    if let Some(age) = app.stale_for() {
        let age = Elapsed::between(0, age);
        return Some((
            Tone::Odd,
            format!("{} is slow: this is {age} old", server.name),
        ));
    }
    let service = server.data.summaries.as_ref()?.srs.as_ref()?;
    let problem = service.problems.first()?;
    let more = match service.problems.len() - 1 {
        0 => String::new(),
        more => format!(" (and {more} more)"),
    };
    Some((
        Tone::Odd,
        printable(&format!("{problem}{more}")).into_owned(),
    ))
}

/// Draws the header.
pub(super) fn draw(app: &App, area: Rect, buffer: &mut Buffer) {
    let server = app.server();
    let Some(summaries) = &server.data.summaries else {
        let mut bar = Bar::new(buffer, &app.theme, area, 0);
        bar.skip(1);
        bar.add(&[(Tone::Title, &printable(&server.name))]);
        bar.add_apart(2, &[(Tone::Dim, &printable(&server.address))]);
        return;
    };
    let service = summaries.srs.clone().unwrap_or_default();
    let is_stale = app.stale_for().is_some() || server.link.down.is_some();
    draw_state(
        app,
        summaries,
        &service,
        line_of(app, area, 0, buffer).dimmed(is_stale),
    );
    // A large terminal has graphs instead of the line of rates.
    let has_graphs = area.height >= layout::WITH_GRAPHS;
    let mut row = 1;
    if !has_graphs && area.height > row {
        let bar = line_of(app, area, row, buffer).dimmed(is_stale);
        draw_traffic(app, &service, area.width, bar);
        row += 1;
    }
    if area.height > row {
        let bar = line_of(app, area, row, buffer).dimmed(is_stale);
        draw_clients(summaries, &service, bar);
        draw_care(
            app,
            &service,
            line_of(app, area, row + 1, buffer).dimmed(is_stale),
        );
    }
    if has_graphs {
        let below = Rect::new(area.x, area.y + 3, area.width, area.height - 3);
        draw_graphs(app, &service, below, buffer);
    }
}

fn line_of<'a>(app: &'a App, area: Rect, row: u16, buffer: &'a mut Buffer) -> Bar<'a> {
    let mut bar = Bar::new(buffer, &app.theme, area, row);
    bar.skip(1);
    bar
}

fn draw_state(app: &App, summaries: &Summaries, service: &ServiceSummary, mut bar: Bar<'_>) {
    let server = app.server();
    let name = if service.name.is_empty() {
        &server.name
    } else {
        &service.name
    };
    bar.add(&[(Tone::Title, &printable(name))]);
    if *name != server.name {
        bar.add_apart(1, &[(Tone::Dim, &printable(&server.name))]);
    }
    bar.add_apart(
        1,
        &[
            (Tone::Dim, "srs "),
            (Tone::Plain, &printable(&summaries.process.version)),
        ],
    );
    let (symbol, tone, state) = match (service.state, server.link.down.is_some()) {
        (_, true) => (app.symbols.or("✖", "X"), Tone::Bad, "away"),
        (ServiceState::Running, _) => (app.symbols.or("●", "+"), Tone::Good, "running"),
        (ServiceState::Degraded, _) => (app.symbols.or("▲", "!"), Tone::Odd, "degraded"),
        (ServiceState::Draining, _) => (app.symbols.or("▼", "v"), Tone::Odd, "draining"),
        (ServiceState::Unknown, _) => (app.symbols.or("○", "-"), Tone::Dim, "running"),
    };
    bar.add_apart(2, &[(tone, symbol), (tone, " "), (tone, state)]);
    let up = Elapsed::seconds(summaries.process.srs_uptime).to_string();
    bar.add_apart(2, &[(Tone::Dim, "up "), (Tone::Plain, &up)]);
    let cpu = percent(summaries.process.cpu_percent);
    bar.add_apart(2, &[(Tone::Dim, "cpu "), (Tone::Plain, &cpu)]);
    let memory = Size(service.rss_kbyte.saturating_mul(1024)).to_string();
    bar.add_apart(2, &[(Tone::Dim, "mem "), (Tone::Plain, &memory)]);
    let files = format!("{}/{}", service.open_files, service.max_open_files);
    let is_full = service.open_files.saturating_mul(10) > service.max_open_files.saturating_mul(9);
    let tone = if is_full { Tone::Bad } else { Tone::Plain };
    bar.add_apart(2, &[(Tone::Dim, "files "), (tone, &files)]);
    if app.servers.len() > 1 {
        let place = format!("server {} of {}", app.current + 1, app.servers.len());
        bar.add_apart(2, &[(Tone::Dim, &place)]);
    }
}

/// Rates, with a line of the last minutes where the header has no graphs.
fn draw_traffic(app: &App, service: &ServiceSummary, width: u16, mut bar: Bar<'_>) {
    let history = &app.data().history;
    let line_width = usize::from(width).saturating_sub(60) / 2;
    let line_width = line_width.clamp(8, 60);
    let mut add = |label: &str, tone: Tone, kbps: u64, values: &[u32]| {
        let rate = format!("{:>12}", app.units.rate(kbps));
        let values = over(values, history.step_ms, app.range);
        let line = sparkline(&values, line_width, 0.0, app.symbols);
        bar.add(&[
            (Tone::Dim, label),
            (tone, &rate),
            (Tone::Dim, " "),
            (tone, &line),
        ]);
        bar.skip(2);
    };
    add("in ", Tone::In, service.kbps.recv_5s, &history.recv_kbps);
    add("out ", Tone::Out, service.kbps.send_5s, &history.send_kbps);
    let values = over(&history.recv_kbps, history.step_ms, app.range);
    bar.add(&[(Tone::Dim, &graphs::told_range(app.range, &values))]);
}

fn draw_clients(summaries: &Summaries, service: &ServiceSummary, mut bar: Bar<'_>) {
    let figure = |number: usize| count(number as u64);
    bar.add(&[
        (Tone::Dim, "streams "),
        (Tone::Plain, &figure(service.streams)),
    ]);
    bar.add_apart(
        2,
        &[
            (Tone::Dim, "publishers "),
            (Tone::Plain, &figure(service.publishers)),
        ],
    );
    bar.add_apart(
        2,
        &[
            (Tone::Dim, "players "),
            (Tone::Plain, &figure(service.players)),
        ],
    );
    bar.add_apart(
        2,
        &[
            (Tone::Dim, "http "),
            (Tone::Plain, &figure(service.http_viewers)),
        ],
    );
    let clients = format!("{}/{}", service.clients, service.max_connections);
    bar.add_apart(2, &[(Tone::Dim, "clients "), (Tone::Plain, &clients)]);
    let drops = count(service.drops);
    let tone = if service.drops > 0 {
        Tone::Odd
    } else {
        Tone::Plain
    };
    bar.add_apart(2, &[(Tone::Dim, "drops "), (tone, &drops)]);
    let load = format!("{:.2}", summaries.system.load_1m);
    bar.add_apart(2, &[(Tone::Dim, "load "), (Tone::Plain, &load)]);
    let host = percent(summaries.system.cpu_percent);
    bar.add_apart(2, &[(Tone::Dim, "host cpu "), (Tone::Plain, &host)]);
}

/// What an operator looks after: reload, watchdog, heartbeat, disks.
fn draw_care(app: &App, service: &ServiceSummary, mut bar: Bar<'_>) {
    let reload = &service.last_reload;
    let ago = Elapsed::between(reload.time_ms, app.look().server_now_ms);
    let (tone, text) = match reload.outcome {
        Some(ReloadOutcome::Done) => (Tone::Plain, format!("{} done {ago} ago", service.reloads)),
        Some(ReloadOutcome::Failed) => (Tone::Bad, format!("failed {ago} ago")),
        Some(ReloadOutcome::Never) | None => (Tone::Dim, "never".to_owned()),
    };
    bar.add(&[(Tone::Dim, "reload "), (tone, &text)]);
    let (tone, text) = match service.watchdog {
        Some(watchdog) if watchdog.last_ms > watchdog.interval_ms => (
            Tone::Bad,
            format!("late by {} ms", watchdog.last_ms - watchdog.interval_ms),
        ),
        Some(watchdog) => (Tone::Good, format!("{} ms ago", watchdog.last_ms)),
        None => (Tone::Dim, "off".to_owned()),
    };
    bar.add_apart(2, &[(Tone::Dim, "watchdog "), (tone, &text)]);
    for disk in &service.disks {
        let free = Size(disk.free_bytes).to_string();
        let path = printable(&disk.path).into_owned();
        let full = disk.full_in.map_or_else(String::new, |seconds| {
            format!(", full in {}", Elapsed::seconds(seconds))
        });
        let tone = if disk.is_scarce {
            Tone::Bad
        } else {
            Tone::Plain
        };
        let label = (Tone::Dim, "disk ");
        // As much of it as there is room for.
        let whole = [
            label,
            (Tone::Dim, &path),
            (tone, " "),
            (tone, &free),
            (tone, " free"),
            (tone, &full),
        ];
        let short = [label, (tone, &free), (tone, " free"), (tone, &full)];
        let shortest = [label, (tone, &free), (tone, " free")];
        let added =
            bar.add_apart(2, &whole) || bar.add_apart(2, &short) || bar.add_apart(2, &shortest);
        if !added {
            break;
        }
    }
    if service.disks.is_empty() {
        bar.add_apart(2, &[(Tone::Dim, "disk nothing is written")]);
    }
}

fn draw_graphs(app: &App, service: &ServiceSummary, area: Rect, buffer: &mut Buffer) {
    let history = &app.data().history;
    let series = |values: &[u32]| over(values, history.step_ms, app.range);
    let left = Rect::new(area.x, area.y, area.width / 2, area.height);
    let right = Rect::new(left.right(), area.y, area.width - left.width, area.height);
    let graph = graphs::Graph {
        title: "in",
        figure: app.units.rate(service.kbps.recv_5s),
        tone: Tone::In,
        values: series(&history.recv_kbps),
        tell: |app, value| app.units.rate(graphs::whole(value)),
    };
    graphs::draw(app, &graph, left, buffer);
    let graph = graphs::Graph {
        title: "out",
        figure: app.units.rate(service.kbps.send_5s),
        tone: Tone::Out,
        values: series(&history.send_kbps),
        ..graph
    };
    graphs::draw(app, &graph, right, buffer);
}
