//! What is open above the page, and what keys do there.

use crossterm::event::{KeyCode, KeyEvent};
use srs_api::Reload;

use super::{App, Tone};
use crate::top::columns;
use crate::top::event::{Effect, Impact};
use crate::top::filter::Filter;
use crate::top::keys::{self, Action, Answer, COLUMN_KEYS, Choice, TEXT_KEYS};
use crate::top::line::{Line, Typed};
use crate::top::view;

/// What keys are for at present.
#[derive(Clone, Debug)]
pub(crate) enum Mode {
    /// The page.
    Normal,
    /// A filter is typed.
    Filter(FilterLine),
    /// A command is typed.
    Command(CommandLine),
    Kick(KickDialog),
    Reload(ReloadDialog),
    Columns(ColumnChoice),
    Text(TextDialog),
    /// The keys of the view, from this line on.
    Help(usize),
}

/// A filter that is being typed. It works as far as it is one.
#[derive(Clone, Debug)]
pub(crate) struct FilterLine {
    pub(crate) line: Line,
    /// What it was before.
    pub(crate) before: Option<Filter>,
    /// Why it is none.
    pub(crate) error: Option<String>,
}

/// A command that is being typed.
#[derive(Clone, Debug, Default)]
pub(crate) struct CommandLine {
    pub(crate) line: Line,
    /// What was wrong with it.
    pub(crate) error: Option<String>,
    /// How many commands back the one is that was recalled.
    pub(crate) recalled: usize,
}

/// The question before clients are cut off.
#[derive(Clone, Debug, Default)]
pub(crate) struct KickDialog {
    /// The server that was asked, by its place, and in which of its lives.
    pub(crate) server: usize,
    pub(crate) life: String,
    /// The number of the question.
    pub(crate) question: u64,
    /// The rows that it is about.
    pub(crate) marked: Vec<String>,
    /// Whom that concerns, or why nobody knows; `None` as long as the server is asked for it.
    pub(crate) impact: Option<Result<Impact, String>>,
    /// The first line that is seen.
    pub(crate) offset: usize,
}

/// The question before a reload.
#[derive(Clone, Debug, Default)]
pub(crate) struct ReloadDialog {
    /// The server that was asked, by its place, and in which of its lives.
    pub(crate) server: usize,
    pub(crate) life: String,
    /// The number of the question.
    pub(crate) question: u64,
    /// What would change, or why nothing would; `None` as long as the server is asked for it.
    pub(crate) difference: Option<Result<Box<Reload>, String>>,
    pub(crate) offset: usize,
}

/// The choice of columns of the table of the page.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct ColumnChoice {
    /// The line that is selected.
    pub(crate) cursor: usize,
}

/// Text to read.
#[derive(Clone, Debug, Default)]
pub(crate) struct TextDialog {
    pub(crate) title: String,
    /// Lines with a name each, which may be empty.
    pub(crate) lines: Vec<(String, String)>,
    pub(crate) offset: usize,
}

/// Where a scroll from `offset` leads.
fn scrolled(answer: Option<Answer>, offset: usize) -> usize {
    match answer {
        Some(Answer::Up) => offset.saturating_sub(1),
        Some(Answer::Down) => offset.saturating_add(1),
        Some(Answer::PageUp) => offset.saturating_sub(PAGE),
        Some(Answer::PageDown) => offset.saturating_add(PAGE),
        Some(Answer::Yes | Answer::Close) | None => offset,
    }
}

impl App {
    pub(super) fn dialog_key(&mut self, key: KeyEvent) {
        let answer = keys::answer(key, TEXT_KEYS);
        match std::mem::replace(&mut self.mode, Mode::Normal) {
            Mode::Normal => {}
            Mode::Filter(filter) => self.filter_key(filter, key),
            Mode::Command(command) => self.command_key(command, key),
            Mode::Kick(dialog) => self.kick_key(dialog, answer),
            Mode::Reload(dialog) => self.reload_key(dialog, answer),
            Mode::Columns(choice) => self.columns_key(choice, key),
            Mode::Text(mut text) => {
                if answer != Some(Answer::Close) && key.code != KeyCode::Enter {
                    text.offset = scrolled(answer, text.offset);
                    self.mode = Mode::Text(text);
                }
            }
            Mode::Help(offset) => {
                let is_again = keys::action(key, None, self.page().kind) == Some(Action::Help);
                if answer != Some(Answer::Close) && key.code != KeyCode::Enter && !is_again {
                    self.mode = Mode::Help(scrolled(answer, offset));
                }
            }
        }
    }

    /// Keeps what is scrolled from going beyond its end.
    pub(super) fn settle_dialog(&mut self) {
        let last = view::last_line(self);
        let offset = match &mut self.mode {
            Mode::Kick(dialog) => &mut dialog.offset,
            Mode::Reload(dialog) => &mut dialog.offset,
            Mode::Text(text) => &mut text.offset,
            Mode::Help(offset) => offset,
            Mode::Normal | Mode::Filter(_) | Mode::Command(_) | Mode::Columns(_) => return,
        };
        *offset = (*offset).min(last);
    }

    /// The number of a new question.
    pub(super) fn next_question(&mut self) -> u64 {
        self.question += 1;
        self.question
    }

    /// Closes questions whose ground has gone.
    pub(super) fn close_questions(&mut self) {
        if matches!(self.mode, Mode::Kick(_) | Mode::Reload(_)) {
            self.mode = Mode::Normal;
        }
    }

    pub(super) fn paste(&mut self, text: &str) {
        match std::mem::replace(&mut self.mode, Mode::Normal) {
            Mode::Filter(mut filter) => {
                filter.line.paste(text);
                self.apply_filter(&mut filter);
                self.mode = Mode::Filter(filter);
            }
            Mode::Command(mut command) => {
                command.line.paste(text);
                command.error = None;
                self.mode = Mode::Command(command);
            }
            // What is pasted where nothing is typed must not act as keys.
            mode => self.mode = mode,
        }
    }

    fn filter_key(&mut self, mut filter: FilterLine, key: KeyEvent) {
        match filter.line.handle(key) {
            Typed::Changed => {
                self.apply_filter(&mut filter);
                self.mode = Mode::Filter(filter);
            }
            Typed::Same | Typed::Complete | Typed::Recall => self.mode = Mode::Filter(filter),
            Typed::Done if filter.error.is_some() => self.mode = Mode::Filter(filter),
            Typed::Done => {}
            Typed::Cancelled => {
                self.page_mut().filter = filter.before;
                self.again += 1;
            }
        }
    }

    fn apply_filter(&mut self, filter: &mut FilterLine) {
        match Filter::parse(filter.line.text()) {
            Ok(parsed) => {
                filter.error = None;
                self.set_filter(parsed);
            }
            Err(error) => filter.error = Some(error),
        }
    }

    /// Shows only what `filter` wants, from the first row on.
    pub(crate) fn set_filter(&mut self, filter: Option<Filter>) {
        let page = self.page_mut();
        page.filter = filter;
        if !page.follows {
            (page.cursor, page.offset) = (0, 0);
            page.selected = None;
        }
        self.again += 1;
    }

    fn command_key(&mut self, mut command: CommandLine, key: KeyEvent) {
        match command.line.handle(key) {
            Typed::Cancelled => return,
            Typed::Done => return self.command(command.line.text()),
            Typed::Complete => command.line = super::command_line::completed(self, &command.line),
            Typed::Recall => {
                let back = (command.recalled + 1).min(self.commands.len());
                let recalled = self.commands.iter().rev().nth(back.saturating_sub(1));
                command.line = Line::new(recalled.map_or("", String::as_str));
                command.recalled = back;
            }
            Typed::Changed => command.error = None,
            Typed::Same => {}
        }
        self.mode = Mode::Command(command);
    }

    fn kick_key(&mut self, mut dialog: KickDialog, answer: Option<Answer>) {
        match (answer, &dialog.impact) {
            (Some(Answer::Close), _) => self.say(Tone::Plain, "nobody was cut off"),
            (Some(Answer::Yes), Some(Ok(impact))) => {
                let ids = impact.ids.clone();
                self.want(Effect::Kick {
                    server: dialog.server,
                    life: dialog.life,
                    ids,
                    marked: dialog.marked,
                });
            }
            (answer, _) => {
                dialog.offset = scrolled(answer, dialog.offset);
                self.mode = Mode::Kick(dialog);
            }
        }
    }

    fn reload_key(&mut self, mut dialog: ReloadDialog, answer: Option<Answer>) {
        match (answer, &dialog.difference) {
            (Some(Answer::Close), _) => self.say(Tone::Plain, "nothing was reloaded"),
            (Some(Answer::Yes), Some(Ok(_))) => {
                self.say(Tone::Plain, "reloads");
                self.want(Effect::Reload {
                    server: dialog.server,
                    question: dialog.question,
                    in_life: Some(dialog.life),
                });
            }
            (answer, _) => {
                dialog.offset = scrolled(answer, dialog.offset);
                self.mode = Mode::Reload(dialog);
            }
        }
    }

    fn columns_key(&mut self, mut choice: ColumnChoice, key: KeyEvent) {
        let table = self.page().kind.table();
        let order = self.column_order();
        let selected = order.get(choice.cursor).copied();
        let mut shown = self.columns(table).to_vec();
        let place = selected.and_then(|key| shown.iter().position(|known| *known == key));
        match (keys::answer(key, COLUMN_KEYS), place) {
            (Some(Choice::Done), _) => return,
            (Some(Choice::Usual), _) => self.set_columns(table, super::chosen(table, None)),
            // The last one stays: a table without columns shows nothing.
            (Some(Choice::Toggle), Some(place)) => {
                shown.remove(place);
                self.set_columns(table, shown);
            }
            (Some(Choice::Toggle), None) => {
                if let Some(selected) = selected {
                    // Where it usually stands, as far as those beside it do.
                    let usual = columns::keys(table);
                    let rank = |key: &str| usual.iter().position(|known| *known == key);
                    let place = shown.iter().position(|key| rank(key) > rank(selected));
                    shown.insert(place.unwrap_or(shown.len()), selected);
                    self.set_columns(table, shown);
                }
            }
            (Some(Choice::MoveDown), Some(place)) if place + 1 < shown.len() => {
                shown.swap(place, place + 1);
                self.set_columns(table, shown);
                choice.cursor += 1;
            }
            (Some(Choice::MoveUp), Some(place)) if place > 0 => {
                shown.swap(place, place - 1);
                self.set_columns(table, shown);
                choice.cursor = choice.cursor.saturating_sub(1);
            }
            (Some(Choice::MoveDown | Choice::MoveUp), _) => {}
            (None, _) => {
                let answer = keys::answer(key, TEXT_KEYS);
                if answer == Some(Answer::Close) {
                    return;
                }
                let last = order.len().saturating_sub(1);
                choice.cursor = scrolled(answer, choice.cursor).min(last);
            }
        }
        if keys::answer(key, COLUMN_KEYS) == Some(Choice::Toggle) {
            // The cursor goes where the column goes, so that the same key takes it back.
            let order = self.column_order();
            let place = selected.and_then(|key| order.iter().position(|known| *known == key));
            choice.cursor = place.unwrap_or(choice.cursor);
        }
        self.mode = Mode::Columns(choice);
    }

    /// The columns of the table of the page: those that are shown, in their order, then the
    /// others.
    pub(crate) fn column_order(&self) -> Vec<&'static str> {
        let table = self.page().kind.table();
        let shown = self.columns(table);
        let mut order = shown.to_vec();
        order.extend(
            columns::keys(table)
                .into_iter()
                .filter(|key| !shown.contains(key)),
        );
        order
    }
}

/// The lines that a page of a dialog is scrolled by.
const PAGE: usize = 8;
