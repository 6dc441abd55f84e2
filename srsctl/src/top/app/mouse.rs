//! What the mouse does: the wheel scrolls, a click selects a row, opens the one that is selected,
//! sorts by a column, or shows a view.

use crossterm::event::{MouseButton, MouseEvent, MouseEventKind};

use super::{App, Mode};
use crate::top::columns;
use crate::top::keys::Action;
use crate::top::view::{self, layout};

impl App {
    pub(super) fn mouse(&mut self, mouse: MouseEvent) {
        if !matches!(self.mode, Mode::Normal) {
            return;
        }
        let cursor = self.page().cursor;
        match mouse.kind {
            MouseEventKind::ScrollUp => self.go_to(cursor.saturating_sub(WHEEL)),
            MouseEventKind::ScrollDown => self.go_to(cursor.saturating_add(WHEEL)),
            MouseEventKind::Down(MouseButton::Left) => self.click(mouse.column, mouse.row),
            _ => {}
        }
    }

    fn click(&mut self, column: u16, row: u16) {
        let Some(areas) = layout::areas(self) else {
            return;
        };
        if row == areas.tabs.y && areas.tabs.height > 0 {
            if let Some(place) = view::tab_at(self, column) {
                self.show_view(place);
            }
            return;
        }
        let Some(line) = row.checked_sub(areas.table.y) else {
            return;
        };
        if line >= areas.table.height {
            return;
        }
        if line == 0 {
            let sortable = columns::sortable(self.page().kind.table());
            if let Some(key) = view::column_at(self, column).filter(|key| sortable.contains(key)) {
                match self.page().sort {
                    Some(sort) if sort.key == key => self.act(Action::Reverse),
                    _ => self.sort_by(key, None),
                }
            }
            return;
        }
        let place = self.page().offset + usize::from(line) - 1;
        if place >= self.len() {
            return;
        }
        if place == self.page().cursor {
            self.act(Action::Enter);
        } else {
            self.go_to(place);
        }
    }
}

/// The rows that a notch of the wheel scrolls.
const WHEEL: usize = 3;
