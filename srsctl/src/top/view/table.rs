//! Tables: headings, and as many rows and columns as there is room for.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;

use super::paint::Bar;
use crate::output::text;
use crate::top::app::App;
use crate::top::columns::{self, Cell, Column, Fitted, Item};
use crate::top::data::Rows;
use crate::top::page::{Page, Table};
use crate::top::rows::with_rows;
use crate::top::theme::Tone;

/// What is seen of a table.
struct Grid<T: 'static> {
    columns: Vec<Fitted<T>>,
    /// The place of each row, and its cells if the row is here, for all chosen columns.
    rows: Vec<(usize, Option<Vec<Cell>>)>,
    /// Which of the chosen columns are shown.
    shown: Vec<usize>,
}

impl<T: Item> Grid<T> {
    fn new(app: &App, rows: &Rows<T>, width: usize, height: usize) -> Self {
        let page = app.page();
        let look = app.look();
        let chosen: Vec<&'static Column<T>> = app
            .columns(page.kind.table())
            .iter()
            .filter_map(|key| T::COLUMNS.iter().find(|column| column.key == *key))
            .collect();
        let last = page.offset.saturating_add(height).min(rows.len());
        let cells: Vec<(usize, Option<Vec<Cell>>)> = (page.offset..last)
            .map(|place| {
                let cells = rows.get(place).map(|item| {
                    chosen
                        .iter()
                        .map(|column| column.cell(item, &look))
                        .collect()
                });
                (place, cells)
            })
            .collect();
        let wanted: Vec<_> = chosen
            .iter()
            .enumerate()
            .map(|(index, &column)| {
                let heading = text::width(&heading(app, page, column));
                let widths = cells
                    .iter()
                    .filter_map(|(_, cells)| cells.as_ref()?.get(index));
                let widest = widths
                    .map(|cell| text::width(&cell.text))
                    .max()
                    .unwrap_or(0);
                (column, widest.max(heading))
            })
            .collect();
        let room = width.saturating_sub(marks(page));
        let columns = columns::fit(&wanted, room, GAP);
        let shown = columns
            .iter()
            .filter_map(|fitted| {
                chosen
                    .iter()
                    .position(|column| column.key == fitted.column.key)
            })
            .collect();
        Self {
            columns,
            rows: cells,
            shown,
        }
    }
}

/// Draws the table of the page.
pub(super) fn draw<T: Item>(app: &App, rows: &Rows<T>, area: Rect, buffer: &mut Buffer) {
    let height = usize::from(area.height.saturating_sub(1));
    let grid = Grid::new(app, rows, usize::from(area.width), height);
    let page = app.page();
    let is_stale =
        app.stale_for().is_some() || app.server().link.down.is_some() || !app.has_wanted_rows();
    let mut bar = Bar::new(buffer, &app.theme, area, 0);
    bar.skip(marks(page));
    for (index, fitted) in grid.columns.iter().enumerate() {
        bar.skip(if index == 0 { 0 } else { GAP });
        let heading = heading(app, page, fitted.column);
        put(
            &mut bar,
            &heading,
            fitted,
            app.theme.style(Tone::Title),
            None,
        );
    }
    if rows.len() == 0 {
        let mut bar = Bar::new(buffer, &app.theme, area, 2);
        bar.skip(2);
        let (tone, text) = nothing(app);
        bar.add_cut(tone, &text);
        return;
    }
    let mut line = 0;
    for (place, cells) in &grid.rows {
        line += 1;
        draw_row(
            app,
            &grid,
            rows,
            *place,
            cells.as_deref(),
            area,
            line,
            is_stale,
            buffer,
        );
    }
}

#[expect(clippy::too_many_arguments, reason = "one row, of one caller")]
fn draw_row<T: Item>(
    app: &App,
    grid: &Grid<T>,
    rows: &Rows<T>,
    place: usize,
    cells: Option<&[Cell]>,
    area: Rect,
    line: u16,
    is_stale: bool,
    buffer: &mut Buffer,
) {
    let page = app.page();
    let is_selected = place == page.cursor && !app.is_still;
    let mark_columns = marks(page);
    let mut bar = Bar::new(buffer, &app.theme, area, line);
    let Some(cells) = cells else {
        bar.skip(mark_columns);
        bar.add(&[(Tone::Dim, app.symbols.or("…", "..."))]);
        return select(app, is_selected, area, line, buffer);
    };
    let id = rows.get(place).map(Item::id);
    let is_marked = id.is_some_and(|id| page.marked.contains_key(id));
    if mark_columns > 0 {
        let mark = if is_marked {
            app.symbols.or("▌", "*")
        } else {
            " "
        };
        bar.add(&[(Tone::Marked, mark)]);
    }
    for (index, (fitted, chosen)) in grid.columns.iter().zip(&grid.shown).enumerate() {
        bar.skip(if index == 0 { 0 } else { GAP });
        let Some(cell) = cells.get(*chosen) else {
            continue;
        };
        let tone = match (is_stale, is_marked) {
            (true, _) => Tone::Dim,
            (false, true) if cell.tone == Tone::Plain => Tone::Marked,
            _ => cell.tone,
        };
        let is_name = !fitted.column.is_right();
        let found = page.filter.as_ref().filter(|_| is_name);
        let found = found.and_then(|filter| filter.place(&cell.text));
        let matched = found.map(|place| (place, app.theme.style(Tone::Match)));
        put(&mut bar, &cell.text, fitted, app.theme.style(tone), matched);
    }
    select(app, is_selected, area, line, buffer);
}

/// Lays the style of the selected row over it.
fn select(app: &App, is_selected: bool, area: Rect, line: u16, buffer: &mut Buffer) {
    if is_selected && line < area.height {
        let row = Rect::new(area.x, area.y + line, area.width, 1);
        buffer.set_style(row, app.theme.selected);
    }
}

/// Puts what stands in a column down, in the column's width.
fn put<T>(
    bar: &mut Bar<'_>,
    content: &str,
    fitted: &Fitted<T>,
    style: Style,
    matched: Option<(std::ops::Range<usize>, Style)>,
) {
    let shown = text::cut(content, fitted.width);
    let padding = fitted.width.saturating_sub(text::width(&shown));
    if fitted.column.is_right() {
        bar.skip(padding);
    }
    let parts = matched.and_then(|(place, style)| {
        let parts = (
            shown.get(..place.start)?,
            shown.get(place.clone())?,
            shown.get(place.end..)?,
        );
        Some((parts, style))
    });
    match parts {
        Some(((before, found, after), match_style)) => {
            bar.put(before, style);
            bar.put(found, style.patch(match_style));
            bar.put(after, style);
        }
        None => bar.put(&shown, style),
    }
    if !fitted.column.is_right() {
        bar.skip(padding);
    }
}

/// The key of the column at `x` of the screen.
pub(super) fn column_at<T: Item>(
    app: &App,
    rows: &Rows<T>,
    area: Rect,
    x: u16,
) -> Option<&'static str> {
    let height = usize::from(area.height.saturating_sub(1));
    let grid = Grid::new(app, rows, usize::from(area.width), height);
    let mut begin = usize::from(area.x) + marks(app.page());
    for fitted in &grid.columns {
        let end = begin + fitted.width;
        if (begin..end).contains(&usize::from(x)) {
            return Some(fitted.column.key);
        }
        begin = end + GAP;
    }
    None
}

/// The heading, with an arrow if the table is sorted by it.
fn heading<T>(app: &App, page: &Page, column: &Column<T>) -> String {
    let heading = column.heading(app.units);
    match page.sort {
        Some(sort) if sort.key == column.key => {
            let arrow = if sort.descending {
                app.symbols.or("↓", "v")
            } else {
                app.symbols.or("↑", "^")
            };
            format!("{}{arrow}", heading.trim_end())
        }
        _ => heading,
    }
}

/// Why the table is empty.
fn nothing(app: &App) -> (Tone, String) {
    let page = app.page();
    let link = &app.server().link;
    let things = match page.kind.table() {
        Table::Logs => "lines of the log",
        table => table.name(),
    };
    if let Some(refused) = &link.refused {
        return (Tone::Bad, text::printable(refused).into_owned());
    }
    let is_answered = match page.kind.table() {
        Table::Streams | Table::Clients | Table::Vhosts | Table::Parts => {
            with_rows!(app.data(), page.kind.table(), rows => rows.want.is_some())
        }
        Table::Logs => app.data().logs_of == app.wants().log,
        Table::Events | Table::Fleet => link.last_ms.is_some(),
    };
    if !is_answered {
        let text = if app.is_frozen {
            "frozen"
        } else {
            "no answer yet"
        };
        return (Tone::Dim, text.to_owned());
    }
    match &page.filter {
        Some(filter) => {
            let does = if filter.invert {
                "but those that match"
            } else {
                "match"
            };
            (
                Tone::Dim,
                format!("no {things} {does} {}", text::printable(&filter.text)),
            )
        }
        None => (Tone::Dim, format!("no {things}")),
    }
}

/// The columns for marks, where rows can be marked.
fn marks(page: &Page) -> usize {
    usize::from(matches!(page.kind.table(), Table::Streams | Table::Clients))
}

/// The columns between two columns.
const GAP: usize = 1;
