//! The screen, drawn from the state and from nothing else.

mod ansi;
mod chrome;
mod detail;
mod dialogs;
pub(crate) mod facts;
mod graphs;
pub(crate) mod header;
pub(crate) mod layout;
mod paint;
mod table;

use ratatui::backend::TestBackend;
use ratatui::buffer::{Buffer, Cell};
use ratatui::layout::Rect;
use ratatui::{Frame, Terminal};

pub(crate) use self::ansi::as_ansi;
use self::paint::Bar;
use super::app::App;
use super::graph::Symbols;
use super::page::Kind;
use super::rows::with_rows;
use super::theme::Tone;
use crate::output::text::printable;

/// Draws the screen.
pub(crate) fn draw(app: &App, frame: &mut Frame<'_>) {
    let Some(areas) = layout::areas(app) else {
        return too_small(app, frame);
    };
    // The terminal may be another size than the state knows of, for a moment.
    let on_screen = |area: Rect| area.intersection(frame.area());
    let areas = layout::Areas {
        header: on_screen(areas.header),
        banner: on_screen(areas.banner),
        tabs: on_screen(areas.tabs),
        trail: on_screen(areas.trail),
        detail: on_screen(areas.detail),
        table: on_screen(areas.table),
        footer: on_screen(areas.footer),
    };
    let buffer = frame.buffer_mut();
    header::draw(app, areas.header, buffer);
    if let Some((tone, text)) = header::banner(app) {
        let mut bar = Bar::new(buffer, &app.theme, areas.banner, 0);
        bar.skip(1);
        let symbol = app.symbols.or("▲ ", "! ");
        bar.add(&[(tone, symbol)]);
        bar.add_cut(tone, &printable(&text));
    }
    chrome::tabs(app, areas.tabs, buffer);
    chrome::trail(app, areas.trail, buffer);
    if matches!(app.page().kind, Kind::Stream | Kind::Client) {
        detail::draw(app, areas.detail, buffer);
    }
    let list = app.page().kind.table();
    with_rows!(app.data(), list, rows => table::draw(app, rows, areas.table, buffer));
    chrome::footer(app, areas.footer, frame);
    dialogs::draw(app, frame);
    if app.symbols == Symbols::Ascii {
        let cut = frame.buffer_mut().content.iter_mut();
        for cell in cut.filter(|cell| cell.symbol() == "…") {
            cell.set_symbol("~");
        }
    }
}

fn too_small(app: &App, frame: &mut Frame<'_>) {
    let (width, height) = layout::LEAST;
    let area = frame.area();
    let lines = [
        format!("{}x{} is too small", area.width, area.height),
        format!("{width}x{height} is enough"),
        "q quits".to_owned(),
    ];
    for (row, line) in (area.height / 3..).zip(lines) {
        let mut bar = Bar::new(frame.buffer_mut(), &app.theme, area, row);
        let left = bar.room().saturating_sub(line.len()) / 2;
        bar.skip(left);
        bar.add_cut(Tone::Plain, &line);
    }
}

/// The place of the view whose name stands at `x`.
pub(crate) fn tab_at(app: &App, x: u16) -> Option<usize> {
    chrome::tab_at(app, x)
}

/// The key of the column of the table that stands at `x`.
pub(crate) fn column_at(app: &App, x: u16) -> Option<&'static str> {
    let area = layout::areas(app)?.table;
    with_rows!(app.data(), app.page().kind.table(), rows => table::column_at(app, rows, area, x))
}

/// The first line that can be seen of what is open above the page, if its last one is seen.
pub(crate) fn last_line(app: &App) -> usize {
    let (width, height) = app.size;
    dialogs::last_line(app, Rect::new(0, 0, width, height))
}

/// The screen as text, without what is open above the page.
pub(crate) fn as_text(app: &App) -> String {
    let mut text = String::new();
    for row in cells(&drawn(app)) {
        let line: String = row.iter().map(|cell| cell.symbol()).collect();
        text += line.trim_end();
        text.push('\n');
    }
    text
}

/// The screen, drawn into memory.
fn drawn(app: &App) -> Buffer {
    let (width, height) = app.size;
    // It writes into memory, which does not fail.
    let Ok(mut terminal) = Terminal::new(TestBackend::new(width, height));
    let Ok(_) = terminal.draw(|frame| draw(app, frame));
    terminal.backend().buffer().clone()
}

/// The cells of each row, without those that a wide character before them covers.
fn cells(buffer: &Buffer) -> impl Iterator<Item = Vec<&Cell>> {
    let width = usize::from(buffer.area.width.max(1));
    buffer.content().chunks(width).map(|row| {
        let mut covered = 0;
        let is_seen = |cell: &&Cell| {
            if covered > 0 {
                covered -= 1;
                return false;
            }
            covered = crate::output::text::width(cell.symbol()).max(1) - 1;
            true
        };
        row.iter().filter(is_seen).collect()
    })
}
