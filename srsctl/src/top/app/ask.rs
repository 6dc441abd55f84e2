//! Marks, and the questions before something is done to a server.

use super::dialog::{KickDialog, Mode, ReloadDialog};
use super::{App, Tone};
use crate::top::event::Effect;
use crate::top::page::{Kind, Scope, Table};

impl App {
    pub(super) fn mark(&mut self) {
        let place = self.page().cursor;
        if let Some((id, label)) = self.markable(place) {
            let marked = &mut self.page_mut().marked;
            if marked.remove(&id).is_none() {
                marked.insert(id, label);
            }
        }
        self.go_to(place.saturating_add(1));
    }

    /// The row at `place`, as one that can be marked: its id, and what stands for it.
    pub(super) fn markable(&self, place: usize) -> Option<(String, String)> {
        use crate::top::columns::Item as _;
        match self.page().kind.table() {
            Table::Streams => self.stream_at(place),
            Table::Clients => {
                let client = self.data().clients.get(place)?;
                Some((client.id.clone(), client.text()))
            }
            _ => None,
        }
    }

    pub(super) fn mark_all(&mut self) {
        if !self.page().marked.is_empty() {
            self.page_mut().marked.clear();
            return;
        }
        if let Some(want) = self.list_want() {
            let want = want.part(0, MOST_MARKED);
            self.want(Effect::MarkAll {
                server: self.current,
                want,
            });
        }
    }

    pub(super) fn begin_kick(&mut self) {
        if self.server().is_read_only {
            self.say(Tone::Odd, "read-only: nothing is cut off here");
            return;
        }
        let page = self.page();
        let ids: Vec<String> = match (page.kind, &page.scope) {
            (Kind::Client, Scope::Client(id)) => vec![id.clone()],
            _ if !page.marked.is_empty() => page.marked.keys().cloned().collect(),
            _ => self.row_id(page.cursor).into_iter().collect(),
        };
        if ids.is_empty() {
            self.say(Tone::Dim, "there is nobody to cut off");
            return;
        }
        let question = self.next_question();
        self.mode = Mode::Kick(KickDialog {
            server: self.current,
            life: self.data().life.clone(),
            question,
            marked: ids.clone(),
            ..KickDialog::default()
        });
        // In the table of streams these are the ids of streams: the server knows who publishes.
        self.want(Effect::Impact {
            server: self.current,
            question,
            ids,
        });
    }

    pub(super) fn begin_reload(&mut self) {
        if self.server().is_read_only {
            self.say(Tone::Odd, "read-only: nothing is reloaded here");
            return;
        }
        let question = self.next_question();
        self.mode = Mode::Reload(ReloadDialog {
            server: self.current,
            life: self.data().life.clone(),
            question,
            ..ReloadDialog::default()
        });
        self.want(Effect::Reload {
            server: self.current,
            question,
            in_life: None,
        });
    }
}

/// So many rows may be marked at once.
pub(crate) const MOST_MARKED: usize = 10_000;
