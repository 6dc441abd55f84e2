//! What stands around the table: the views, the way here, keys and messages.

use ratatui::Frame;
use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};

use super::paint::Bar;
use crate::output::text::{printable, width};
use crate::output::units::count;
use crate::top::app::{App, Mode};
use crate::top::keys::{Action, KEYS};
use crate::top::page::{Kind, Table};
use crate::top::rows::with_rows;
use crate::top::theme::Tone;

/// Draws the names of the views.
pub(super) fn tabs(app: &App, area: Rect, buffer: &mut Buffer) {
    let mut bar = Bar::new(buffer, &app.theme, area, 0);
    for (place, label) in labels(app).into_iter().enumerate() {
        let tone = if place == app.view {
            Tone::Title
        } else {
            Tone::Dim
        };
        let style = app.theme.style(tone);
        let style = if place == app.view {
            style.patch(app.theme.selected)
        } else {
            style
        };
        if width(&label) <= bar.room() {
            bar.put(&label, style);
        }
    }
}

/// The place of the view whose name stands at `x`.
pub(super) fn tab_at(app: &App, x: u16) -> Option<usize> {
    let mut begin = 0;
    labels(app).iter().position(|label| {
        let end = begin + width(label);
        let is_here = (begin..end).contains(&usize::from(x));
        begin = end;
        is_here
    })
}

fn labels(app: &App) -> Vec<String> {
    let is_narrow = app.size.0 < 80;
    let label = |(place, kind): (usize, &Kind)| match is_narrow {
        true => format!(" {}{}", place + 1, kind.name()),
        false => format!(" {} {} ", place + 1, kind.name()),
    };
    Kind::VIEWS.iter().enumerate().map(label).collect()
}

/// Draws the way to what is shown, and how much of it there is.
pub(super) fn trail(app: &App, area: Rect, buffer: &mut Buffer) {
    let page = app.page();
    let mut bar = Bar::new(buffer, &app.theme, area, 0);
    bar.skip(1);
    let arrow = app.symbols.or(" › ", " > ");
    for (depth, page) in app.trail().enumerate() {
        if depth > 0 {
            bar.add(&[(Tone::Dim, arrow)]);
        }
        let name = match page.scope.label() {
            Some(label) => format!("{} {}", page.kind.name(), printable(label)),
            None => page.kind.name().to_owned(),
        };
        bar.add(&[(Tone::Title, &name)]);
    }
    let total = app.len();
    let place = match total {
        0 => "0".to_owned(),
        total => format!(
            "row {} of {}",
            count(page.cursor as u64 + 1),
            count(total as u64)
        ),
    };
    bar.add_apart(2, &[(Tone::Plain, &place)]);
    let all = with_rows!(app.data(), page.kind.table(), rows => rows.total());
    if all > total {
        bar.add(&[
            (Tone::Dim, ", "),
            (Tone::Dim, &count(all as u64)),
            (Tone::Dim, " in all"),
        ]);
    }
    if let Some(filter) = &page.filter {
        let text = printable(&filter.typed()).into_owned();
        bar.add_apart(
            2,
            &[(Tone::Dim, "filter "), (Tone::Key, "/"), (Tone::Key, &text)],
        );
    }
    if !page.marked.is_empty() {
        let marked = format!("{} marked", count(page.marked.len() as u64));
        bar.add_apart(2, &[(Tone::Marked, &marked)]);
    }
    if page.kind.table().grows() {
        let text = if page.follows { "follows" } else { "G follows" };
        bar.add_apart(2, &[(Tone::Dim, text)]);
    }
    if let Some(sort) = page.sort {
        let arrow = match sort.descending {
            true => app.symbols.or("↓", "v"),
            false => app.symbols.or("↑", "^"),
        };
        bar.add_apart(
            2,
            &[
                (Tone::Dim, "by "),
                (Tone::Dim, sort.key),
                (Tone::Dim, arrow),
            ],
        );
    }
    if app.server().is_read_only {
        bar.add_apart(2, &[(Tone::Odd, "read-only")]);
    }
    if let Some(why) = why(app) {
        bar.skip(2);
        bar.add_cut(Tone::Odd, &printable(&why));
    }
}

/// Why the selected stream is not better.
fn why(app: &App) -> Option<String> {
    let page = app.page();
    if page.kind.table() != Table::Streams {
        return None;
    }
    let stream = app.data().streams.get(page.cursor)?;
    let why = &stream.health.why;
    (stream.publish.active && !why.is_empty()).then(|| why.join("; "))
}

/// Draws the last line: what is typed, what was said, or keys.
pub(super) fn footer(app: &App, area: Rect, frame: &mut Frame<'_>) {
    let typed = match &app.mode {
        Mode::Filter(filter) => Some(("/", &filter.line, filter.error.as_deref())),
        Mode::Command(command) => Some((":", &command.line, command.error.as_deref())),
        _ => None,
    };
    let Some((sign, line, error)) = typed else {
        let buffer = frame.buffer_mut();
        let mut bar = Bar::new(buffer, &app.theme, area, 0);
        bar.skip(1);
        return match app.notice() {
            Some((text, tone)) => bar.add_cut(tone, &printable(text)),
            None => hints(app, bar),
        };
    };
    let mut bar = Bar::new(frame.buffer_mut(), &app.theme, area, 0);
    bar.add(&[(Tone::Key, sign)]);
    let room = bar.room();
    // The end of what is typed is what matters.
    let skipped = width(line.before_cursor()).saturating_sub(room.saturating_sub(1));
    let mut shown = line.text();
    while width(line.text()) - width(shown) < skipped {
        let mut rest = shown.chars();
        if rest.next().is_none() {
            break;
        }
        shown = rest.as_str();
    }
    let column = width(line.before_cursor())
        - (width(line.text()) - width(shown)).min(width(line.before_cursor()));
    bar.add_cut(Tone::Key, shown);
    match (error, &app.mode) {
        (Some(error), _) => {
            bar.skip(2);
            bar.add_cut(Tone::Bad, &printable(error));
        }
        (None, Mode::Filter(_)) => {
            bar.add_apart(3, &[(Tone::Dim, "a regular expression; ! in front turns it around; Enter keeps it, Esc does not")]);
        }
        (None, _) => {
            bar.add_apart(
                3,
                &[(Tone::Dim, "Tab completes; :help lists what there is")],
            );
        }
    }
    let x = area
        .x
        .saturating_add(1)
        .saturating_add(u16::try_from(column).unwrap_or(u16::MAX));
    let x = x.min(area.right().saturating_sub(1));
    frame.set_cursor_position(Position::new(x, area.y));
}

/// The keys that are needed most, as far as there is room.
fn hints(app: &App, mut bar: Bar<'_>) {
    let kind = app.page().kind;
    let mut is_first = true;
    for (action, text) in HINTS {
        let here = KEYS
            .iter()
            .find(|binding| binding.action == action && binding.place.has(kind));
        let Some(key) = here.and_then(|binding| binding.keys.first()) else {
            continue;
        };
        let key = key.name();
        let gap = if is_first { 0 } else { 2 };
        bar.add_apart(
            gap,
            &[(Tone::Key, &key), (Tone::Dim, " "), (Tone::Dim, text)],
        );
        is_first = false;
    }
}

const HINTS: [(Action, &str); 13] = [
    (Action::Help, "help"),
    (Action::Quit, "quit"),
    (Action::Enter, "open"),
    (Action::Back, "back"),
    (Action::Filter, "filter"),
    (Action::SortRight, "sort"),
    (Action::Kick, "cut off"),
    (Action::Logs, "log"),
    (Action::Facts, "all of it"),
    (Action::Range, "range"),
    (Action::Command, "command"),
    (Action::Freeze, "freeze"),
    (Action::Columns, "columns"),
];
