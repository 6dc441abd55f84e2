//! What is open above the page: questions, choices, text, the keys.

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::symbols::border;
use ratatui::widgets::{Block, BorderType, Clear, Widget as _};

use super::paint::Bar;
use crate::command::reload;
use crate::output::text::{cut, printable, width, wrapped_hard};
use crate::top::app::{App, COMMANDS, ColumnChoice, KickDialog, Mode, ReloadDialog, TextDialog};
use crate::top::columns;
use crate::top::graph::Symbols;
use crate::top::keys::{self, COLUMN_KEYS, Entry, Group, KEYS, LINE_KEYS, MOUSE, TEXT_KEYS};
use crate::top::theme::Tone;

/// A line of pieces.
type Line = Vec<(Tone, String)>;

/// Draws what is open, if something is.
pub(super) fn draw(app: &App, frame: &mut Frame<'_>) {
    if let Some(content) = content(app, frame.area()) {
        content.draw(app, frame.area(), frame);
    }
}

/// The first line that can be seen of what is open, if its last one is seen.
pub(super) fn last_line(app: &App, area: Rect) -> usize {
    content(app, area).map_or(0, |content| content.last(area))
}

/// What is open, with room as large as `area`.
fn content(app: &App, area: Rect) -> Option<Content> {
    Some(match &app.mode {
        Mode::Normal | Mode::Filter(_) | Mode::Command(_) => return None,
        Mode::Kick(dialog) => kick(app, dialog, area),
        Mode::Reload(dialog) => reload_question(app, dialog, area),
        Mode::Columns(choice) => column_choice(app, *choice, area),
        Mode::Text(text) => read(text, area),
        Mode::Help(offset) => help(app, *offset, area),
    })
}

fn kick(app: &App, dialog: &KickDialog, area: Rect) -> Content {
    let (lines, answers) = match &dialog.impact {
        None => (vec![plain("asks whom it concerns")], LEAVE),
        Some(Err(error)) => {
            let mut lines = vec![vec![(
                Tone::Bad,
                "Nobody knows whom it concerns:".to_owned(),
            )]];
            lines.extend(broken(Tone::Plain, error, area));
            (lines, LEAVE)
        }
        Some(Ok(impact)) => {
            let question = match impact.ids.len() {
                1 => "Cut off this client?".to_owned(),
                number => format!("Cut off these {number} clients?"),
            };
            let mut lines = vec![vec![(Tone::Title, question)], Vec::new()];
            lines.extend(
                impact
                    .lines
                    .iter()
                    .flat_map(|line| broken(Tone::Plain, line, area)),
            );
            lines.push(Vec::new());
            let remark = "Nothing keeps them from coming back.".to_owned();
            lines.push(vec![(Tone::Dim, remark)]);
            (lines, [("y", "cut off"), ("n", "leave them")].as_slice())
        }
    };
    Content {
        title: format!("cut off at {}", server_name(app, dialog.server)),
        lines,
        offset: dialog.offset,
        answers,
    }
}

fn reload_question(app: &App, dialog: &ReloadDialog, area: Rect) -> Content {
    let heading = |tone, text: &str| vec![vec![(tone, text.to_owned())], Vec::new()];
    let (lines, answers) = match &dialog.difference {
        None => (vec![plain("asks what would change")], LEAVE),
        Some(Err(error)) => {
            let text = "This cannot be put in force; nothing has changed:";
            let mut lines = heading(Tone::Bad, text);
            lines.extend(broken(Tone::Plain, error, area));
            (lines, LEAVE)
        }
        Some(Ok(difference)) if difference.changes.is_empty() => {
            let text = "The files say what is in force already: nothing differs.";
            let answers = [("y", "reload all the same"), ("n", "leave it")].as_slice();
            (vec![plain(text)], answers)
        }
        Some(Ok(difference)) => {
            let mut lines = heading(Tone::Title, "Put this in force?");
            for (is_heading, line) in reload::change_lines(&difference.changes) {
                let tone = if is_heading { Tone::Dim } else { Tone::Plain };
                lines.extend(broken(tone, &line, area));
            }
            // Whom it ends matters most.
            for note in &difference.notes {
                lines.extend(broken(Tone::Odd, note, area));
            }
            for warning in &difference.warnings {
                lines.extend(broken(Tone::Odd, warning, area));
            }
            (lines, [("y", "reload"), ("n", "leave it")].as_slice())
        }
    };
    Content {
        title: format!("reload {}", server_name(app, dialog.server)),
        lines,
        offset: dialog.offset,
        answers,
    }
}

fn server_name(app: &App, place: usize) -> String {
    let name = app.servers.get(place).map(|server| server.name.as_str());
    printable(name.unwrap_or_default()).into_owned()
}

fn column_choice(app: &App, choice: ColumnChoice, area: Rect) -> Content {
    let table = app.page().kind.table();
    let known = columns::known(table);
    let shown = app.columns(table);
    let order = app.column_order();
    let lines: Vec<Line> = order
        .iter()
        .enumerate()
        .map(|(place, key)| {
            let mark = if shown.contains(key) { "[x] " } else { "[ ] " };
            let arrow = if place == choice.cursor { "> " } else { "  " };
            let about = known.iter().find(|known| known.key == *key);
            let about = about.map_or("", |known| known.about);
            let tone = if place == choice.cursor {
                Tone::Title
            } else {
                Tone::Plain
            };
            vec![
                (Tone::Key, arrow.to_owned()),
                (tone, format!("{mark}{key:<12}")),
                (Tone::Dim, about.to_owned()),
            ]
        })
        .collect();
    Content {
        title: "columns".to_owned(),
        lines,
        // The selected one stays in sight.
        offset: choice.cursor.saturating_sub(usize::from(area.height / 3)),
        answers: &[
            ("Space", "show or hide"),
            ("J K", "move"),
            ("r", "the usual ones"),
            ("Enter", "done"),
        ],
    }
}

fn read(text: &TextDialog, area: Rect) -> Content {
    let names = text.lines.iter().map(|(name, _)| width(name));
    let names = names.max().unwrap_or(0).min(NAMES);
    let room = usize::from(area.width).saturating_sub(8 + names + 2).max(8);
    let mut lines: Vec<Line> = Vec::new();
    for (name, value) in &text.lines {
        for (index, part) in wrapped_hard(value, room).into_iter().enumerate() {
            let name = if index == 0 {
                cut(name, names).into_owned()
            } else {
                String::new()
            };
            let padding = " ".repeat(names.saturating_sub(width(&name)) + 2);
            let name = name + &padding;
            lines.push(vec![(Tone::Dim, name), (Tone::Plain, part.to_owned())]);
        }
    }
    Content {
        title: text.title.clone(),
        lines,
        offset: text.offset,
        answers: READ,
    }
}

fn help(app: &App, offset: usize, area: Rect) -> Content {
    let kind = app.page().kind;
    let mut entries: Vec<(&str, Vec<(String, &str)>)> = Vec::new();
    for group in Group::ALL {
        let here = KEYS
            .iter()
            .filter(|binding| binding.group == group && binding.place.has(kind));
        let keys = here.map(|binding| (keys::names(binding.keys), binding.help));
        entries.push((group.title(), keys.collect()));
    }
    fn told<A>(table: &'static [Entry<A>]) -> Vec<(String, &'static str)> {
        let told = |entry: &Entry<A>| (keys::names(entry.keys), entry.help);
        table.iter().map(told).collect()
    }
    entries.push(("In questions and texts", told(TEXT_KEYS)));
    entries.push(("In the choice of columns", told(COLUMN_KEYS)));
    entries.push(("While typing", told(LINE_KEYS)));
    let mouse = MOUSE.iter().map(|(what, does)| ((*what).to_owned(), *does));
    entries.push(("Mouse", mouse.collect()));
    let commands = COMMANDS.iter().map(|(name, argument, about)| {
        let command = format!(":{name} {argument}");
        (command.trim_end().to_owned(), *about)
    });
    entries.push(("Commands", commands.collect()));

    let names = entries.iter().flat_map(|(_, entries)| entries);
    let widest = names.map(|(name, _)| width(name)).max().unwrap_or(0);
    let room = usize::from(area.width).saturating_sub(widest + 12).max(16);
    let mut lines: Vec<Line> = Vec::new();
    for (title, entries) in entries {
        if !lines.is_empty() {
            lines.push(Vec::new());
        }
        lines.push(vec![(Tone::Title, title.to_owned())]);
        for (name, about) in entries {
            for (index, part) in wrapped_hard(about, room).into_iter().enumerate() {
                let name = if index == 0 { name.as_str() } else { "" };
                let padding = " ".repeat(widest.saturating_sub(width(name)) + 2);
                let name = format!("  {name}{padding}");
                lines.push(vec![(Tone::Key, name), (Tone::Plain, part.to_owned())]);
            }
        }
    }
    Content {
        title: format!("keys of {}", kind.name()),
        lines,
        offset,
        answers: READ,
    }
}

/// Lines in a frame.
struct Content {
    title: String,
    lines: Vec<Line>,
    /// The first line that is seen.
    offset: usize,
    /// Keys, and what they answer.
    answers: &'static [(&'static str, &'static str)],
}

impl Content {
    /// Where the frame stands on a screen.
    fn frame(&self, area: Rect) -> Rect {
        let of_line = |line: &Line| line.iter().map(|(_, text)| width(text)).sum::<usize>();
        let answers = self.answers.iter();
        let answers: usize = answers
            .map(|(key, text)| width(key) + width(text) + 4)
            .sum();
        let widest = self.lines.iter().map(of_line).max().unwrap_or(0);
        let widest = widest.max(answers).max(width(&self.title) + 2) + 4;
        let room = area.width.saturating_sub(2);
        let columns = u16::try_from(widest).unwrap_or(u16::MAX);
        let columns = columns.clamp(24.min(room), room);
        let wanted = u16::try_from(self.lines.len()).unwrap_or(u16::MAX);
        let rows = wanted.saturating_add(4).min(area.height.saturating_sub(2));
        let x = area.x + area.width.saturating_sub(columns) / 2;
        let y = area.y + area.height.saturating_sub(rows) / 2;
        Rect::new(x, y, columns, rows).intersection(area)
    }

    /// The lines that are seen at once: the frame has two, and the answers as many.
    fn height(&self, area: Rect) -> usize {
        usize::from(self.frame(area).height.saturating_sub(4))
    }

    /// The first line that is seen if the last one is.
    fn last(&self, area: Rect) -> usize {
        self.lines.len().saturating_sub(self.height(area))
    }

    fn draw(&self, app: &App, area: Rect, frame: &mut Frame<'_>) {
        let box_area = self.frame(area);
        let buffer = frame.buffer_mut();
        Clear.render(box_area, buffer);
        let block = Block::bordered()
            .border_style(app.theme.style(Tone::Dim))
            .title_style(app.theme.style(Tone::Title))
            .title(format!(" {} ", self.title));
        let block = match app.symbols {
            Symbols::Ascii => block.border_set(ASCII_BORDER),
            _ => block.border_type(BorderType::Rounded),
        };
        let inside = block.inner(box_area);
        block.render(box_area, buffer);
        if inside.height < 2 {
            return;
        }
        let offset = self.offset.min(self.last(area));
        for (row, line) in (0..inside.height - 2).zip(self.lines.iter().skip(offset)) {
            let mut bar = Bar::new(buffer, &app.theme, inside, row);
            bar.skip(1);
            for (tone, text) in line {
                bar.add_cut(*tone, text);
            }
        }
        let mut bar = Bar::new(buffer, &app.theme, inside, inside.height - 1);
        bar.skip(1);
        for (index, (key, text)) in self.answers.iter().enumerate() {
            let gap = if index == 0 { 0 } else { 3 };
            let pieces = [(Tone::Key, *key), (Tone::Dim, " "), (Tone::Dim, *text)];
            bar.add_apart(gap, &pieces);
        }
        if self.last(area) > 0 {
            let end = (offset + self.height(area)).min(self.lines.len());
            let place = format!("{}-{end} of {}", offset + 1, self.lines.len());
            if bar.room() > place.len() + 1 {
                bar.skip_to_last(place.len() + 1);
                bar.add(&[(Tone::Dim, &place)]);
            }
        }
    }
}

fn plain(text: &str) -> Line {
    vec![(Tone::Plain, printable(text).into_owned())]
}

/// `text` in lines that fit.
fn broken(tone: Tone, text: &str, area: Rect) -> Vec<Line> {
    let room = usize::from(area.width).saturating_sub(8).max(8);
    let mut lines = Vec::new();
    for line in text.lines() {
        let shown = printable(line);
        let parts = wrapped_hard(&shown, room).into_iter();
        lines.extend(parts.map(|part| vec![(tone, part.to_owned())]));
    }
    lines
}

/// Where there is nothing to say yes to.
const LEAVE: &[(&str, &str)] = &[("Esc", "leave it")];
const READ: &[(&str, &str)] = &[("Esc", "back"), ("j k", "scroll")];
/// Names are cut beyond that.
const NAMES: usize = 24;
const ASCII_BORDER: border::Set<'_> = border::Set {
    top_left: "+",
    top_right: "+",
    bottom_left: "+",
    bottom_right: "+",
    vertical_left: "|",
    vertical_right: "|",
    horizontal_top: "-",
    horizontal_bottom: "-",
};
