//! Text on the screen: in lines of pieces that are shown whole or not at all.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;

use crate::output::text;
use crate::top::theme::{Theme, Tone};

/// A line that pieces are put on, from the left.
pub(crate) struct Bar<'a> {
    buffer: &'a mut Buffer,
    theme: &'a Theme,
    x: u16,
    y: u16,
    end: u16,
    /// Whether everything is toned down.
    is_dim: bool,
}

impl<'a> Bar<'a> {
    /// The row `row` of `area`.
    pub(crate) fn new(buffer: &'a mut Buffer, theme: &'a Theme, area: Rect, row: u16) -> Self {
        let is_there = row < area.height;
        Self {
            buffer,
            theme,
            x: area.x,
            y: area.y.saturating_add(row),
            end: if is_there { area.right() } else { area.x },
            is_dim: false,
        }
    }

    /// The line with everything toned down, if `applies`.
    pub(crate) fn dimmed(mut self, applies: bool) -> Self {
        self.is_dim = applies;
        self
    }

    /// The columns that are left.
    pub(crate) fn room(&self) -> usize {
        usize::from(self.end.saturating_sub(self.x))
    }

    /// Puts pieces of text down side by side, if there is room for all of them.
    pub(crate) fn add(&mut self, pieces: &[(Tone, &str)]) -> bool {
        let width: usize = pieces.iter().map(|(_, text)| text::width(text)).sum();
        if width > self.room() {
            return false;
        }
        for (tone, text) in pieces {
            let style = self.style(*tone);
            self.put(text, style);
        }
        true
    }

    /// The same, some columns behind what is there; the columns only if there is something.
    pub(crate) fn add_apart(&mut self, gap: usize, pieces: &[(Tone, &str)]) -> bool {
        let width: usize = pieces.iter().map(|(_, text)| text::width(text)).sum();
        if width + gap > self.room() {
            return false;
        }
        self.skip(gap);
        self.add(pieces)
    }

    /// Puts text down, cut where there is no room for all of it.
    pub(crate) fn add_cut(&mut self, tone: Tone, text: &str) {
        let style = self.style(tone);
        let room = self.room();
        self.put(&text::cut(text, room), style);
    }

    /// Leaves columns empty.
    pub(crate) fn skip(&mut self, columns: usize) {
        let columns = u16::try_from(columns).unwrap_or(u16::MAX);
        self.x = self.x.saturating_add(columns).min(self.end);
    }

    /// Goes to where `columns` are left.
    pub(crate) fn skip_to_last(&mut self, columns: usize) {
        let columns = u16::try_from(columns).unwrap_or(u16::MAX);
        self.x = self.end.saturating_sub(columns).max(self.x);
    }

    /// Where the next piece stands.
    pub(crate) fn x(&self) -> u16 {
        self.x
    }

    /// Puts text down in a style.
    pub(crate) fn put(&mut self, text: &str, style: Style) {
        let room = self.room();
        if room > 0 {
            (self.x, _) = self.buffer.set_stringn(self.x, self.y, text, room, style);
        }
    }

    fn style(&self, tone: Tone) -> Style {
        self.theme.style(if self.is_dim { Tone::Dim } else { tone })
    }
}
