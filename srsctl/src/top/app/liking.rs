//! How the user likes it: interval, range, theme, columns, and a screen that stands still.

use std::time::Duration;

use ratatui::style::Style;
use srs_api::HistoryRange;

use super::{App, Tone};
use crate::top::event::{Effect, Preference};
use crate::top::options::{LEAST, MOST};
use crate::top::page::Table;
use crate::top::theme::{Colours, Theme};

impl App {
    pub(super) fn freeze(&mut self) {
        if self.is_frozen {
            self.unfreeze();
            self.again += 1;
        } else {
            self.is_frozen = true;
        }
    }

    /// Lets the screen go on, with what has happened meanwhile.
    pub(super) fn unfreeze(&mut self) {
        self.is_frozen = false;
        for (server, answer) in std::mem::take(&mut self.held) {
            self.answer(server, answer);
        }
    }

    pub(super) fn change_interval(&mut self, slower: bool) {
        let present = self.every.as_millis();
        let next = if slower {
            INTERVALS.into_iter().find(|every| *every > present)
        } else {
            INTERVALS.into_iter().rev().find(|every| *every < present)
        };
        let millis = next.and_then(|millis| u64::try_from(millis).ok());
        self.set_interval(millis.map_or(self.every, Duration::from_millis));
    }

    /// How often servers are asked, between 0.25 and 10 seconds.
    pub(crate) fn set_interval(&mut self, every: Duration) {
        self.every = every.clamp(LEAST, MOST);
        self.say(Tone::Plain, format!("asks every {:?}", self.every));
    }

    pub(super) fn next_range(&mut self) {
        let place = HistoryRange::ALL
            .iter()
            .position(|range| *range == self.range);
        let next = place.map_or(0, |place| (place + 1) % HistoryRange::ALL.len());
        if let Some(range) = HistoryRange::ALL.get(next) {
            self.set_range(*range);
        }
    }

    /// How far graphs go back.
    pub(crate) fn set_range(&mut self, range: HistoryRange) {
        self.range = range;
        // What is there is of another range.
        let data = self.data_mut();
        (data.history, data.stream_history) = <_>::default();
        self.again += 1;
    }

    /// Takes a theme, and has it remembered.
    pub(crate) fn set_theme(&mut self, name: &'static str) {
        if let Some(theme) = Theme::named(name, self.colours) {
            let is_plain = theme.style(Tone::In)
                != Theme::named(name, Colours::All)
                    .map_or_else(Style::new, |whole| whole.style(Tone::In));
            self.theme = theme;
            self.say(
                Tone::Plain,
                match is_plain {
                    false => format!("theme {name}"),
                    true => {
                        format!("theme {name}, as far as this terminal has colours (COLORTERM)")
                    }
                },
            );
            self.want(Effect::Remember(Preference::Theme(name)));
        }
    }

    /// Takes the columns of a table, and has them remembered.
    pub(crate) fn set_columns(&mut self, table: Table, keys: Vec<&'static str>) {
        if !keys.is_empty() {
            self.columns.insert(table, keys);
            self.want(Effect::Remember(Preference::Columns));
        }
    }
}

/// In milliseconds.
const INTERVALS: [u128; 7] = [250, 500, 1_000, 2_000, 3_000, 5_000, 10_000];
