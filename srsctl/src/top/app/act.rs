//! What keys do where nothing is being typed.

use crossterm::event::KeyEvent;

use super::App;
use super::dialog::{ColumnChoice, CommandLine, FilterLine, Mode};
use crate::top::columns;
use crate::top::event::Effect;
use crate::top::keys::{self, Action};
use crate::top::line::Line;
use crate::top::page::{Kind, Page, Scope, Sort, Table};
use crate::top::theme::Theme;
use crate::top::view;

impl App {
    pub(super) fn act_on(&mut self, key: KeyEvent) {
        let kind = self.page().kind;
        let before = self.before.take();
        match keys::action(key, before, kind) {
            Some(action) => self.act(action),
            None => self.before = keys::begins(key, kind),
        }
    }

    pub(crate) fn act(&mut self, action: Action) {
        let height = self.rows().max(1);
        let cursor = self.page().cursor;
        match action {
            Action::View(place) => self.show_view(place),
            Action::NextView => self.show_view((self.view + 1) % Kind::VIEWS.len()),
            Action::PreviousView => {
                self.show_view((self.view + Kind::VIEWS.len() - 1) % Kind::VIEWS.len());
            }
            Action::Up => self.go_to(cursor.saturating_sub(1)),
            Action::Down => self.go_to(cursor.saturating_add(1)),
            Action::HalfUp => self.go_to(cursor.saturating_sub(height / 2)),
            Action::HalfDown => self.go_to(cursor.saturating_add(height / 2)),
            Action::PageUp => self.go_to(cursor.saturating_sub(height)),
            Action::PageDown => self.go_to(cursor.saturating_add(height)),
            Action::First => self.go_to(0),
            Action::Last => self.go_to(usize::MAX),
            Action::Enter => self.enter(),
            Action::Back => self.back(),
            Action::Filter => self.begin_filter(""),
            Action::InverseFilter => self.begin_filter("!"),
            Action::Command => self.mode = Mode::Command(CommandLine::default()),
            Action::SortLeft => self.sort_by_neighbour(false),
            Action::SortRight => self.sort_by_neighbour(true),
            Action::Reverse => self.reverse(),
            Action::Columns => self.mode = Mode::Columns(ColumnChoice::default()),
            Action::Mark => self.mark(),
            Action::MarkAll => self.mark_all(),
            Action::Kick => self.begin_kick(),
            Action::Logs => self.show_logs(),
            Action::Outputs => self.show_outputs(),
            Action::Facts => self.show_facts(),
            Action::Copy => self.copy_url(),
            Action::Freeze => self.freeze(),
            Action::Slower => self.change_interval(true),
            Action::Faster => self.change_interval(false),
            Action::Range => self.next_range(),
            Action::Expand => self.is_expanded = !self.is_expanded,
            Action::Theme => self.set_theme(Theme::after(self.theme.name)),
            Action::Units => self.units = self.units.other(),
            Action::SnapshotJson => self.want(Effect::SnapshotJson {
                server: self.current,
            }),
            Action::SnapshotText => {
                let text = view::as_text(self);
                self.want(Effect::SnapshotText(text));
            }
            Action::Servers => self.next_server(),
            Action::Reload => self.begin_reload(),
            Action::Help => self.mode = Mode::Help(0),
            Action::Redraw => {
                self.again += 1;
                self.want(Effect::Redraw);
            }
            Action::Suspend => self.want(Effect::Suspend),
            Action::Quit => self.want(Effect::Quit),
        }
    }

    /// Selects the row `to`, or the last one.
    pub(crate) fn go_to(&mut self, to: usize) {
        let (total, height) = (self.len(), self.rows());
        let page = self.page_mut();
        page.is_moved = true;
        page.go_to(to, total, height);
        let cursor = page.cursor;
        let id = self.row_id(cursor);
        self.page_mut().selected = id;
    }

    /// Shows a view as it was left; what was opened from one is closed.
    pub(crate) fn show_view(&mut self, place: usize) {
        if place < Kind::VIEWS.len() {
            self.opened.clear();
            self.view = place;
            self.turn_page();
        }
    }

    /// Opens what is about something.
    pub(crate) fn open(&mut self, kind: Kind, scope: Scope) {
        if self.opened.len() >= DEEPEST {
            self.opened.remove(0);
        }
        self.forget_subject(kind);
        self.opened.push(Page::new(kind, scope));
        self.turn_page();
    }

    /// Forgets what is known of the stream or the client that pages of this kind are about.
    fn forget_subject(&mut self, kind: Kind) {
        let data = self.data_mut();
        match kind {
            Kind::Stream => (data.stream, data.stream_history) = <_>::default(),
            Kind::Client => (data.client, data.client_history) = <_>::default(),
            _ => {}
        }
    }

    fn enter(&mut self) {
        let place = self.page().cursor;
        match self.page().kind.table() {
            Table::Streams => {
                if let Some((id, label)) = self.stream_at(place) {
                    self.open(Kind::Stream, Scope::Stream { id, label });
                }
            }
            Table::Clients => {
                if let Some(client) = self.data().clients.get(place) {
                    let id = client.id.clone();
                    self.open(Kind::Client, Scope::Client(id));
                }
            }
            Table::Vhosts => {
                if let Some(vhost) = self.data().vhosts.get(place) {
                    let name = vhost.name.clone();
                    self.open(Kind::Streams, Scope::Vhost(name));
                }
            }
            Table::Fleet => self.go_to_server(place),
            Table::Parts | Table::Events | Table::Logs => {
                if let Some(text) = view::facts::row(self, place) {
                    self.mode = Mode::Text(text);
                }
            }
        }
    }

    pub(super) fn stream_at(&self, place: usize) -> Option<(String, String)> {
        use crate::top::columns::Item as _;
        let stream = self.data().streams.get(place)?;
        Some((stream.id.clone(), stream.text()))
    }

    /// Back by one step: what was opened last, the filter, the marks.
    fn back(&mut self) {
        if let Some(page) = self.opened.pop() {
            // Another one of its kind may lie below.
            self.forget_subject(page.kind);
            self.turn_page();
            return;
        }
        let page = self.page_mut();
        if page.filter.is_some() {
            page.filter = None;
        } else if !page.marked.is_empty() {
            page.marked.clear();
        }
    }

    fn begin_filter(&mut self, text: &str) {
        let before = self.page().filter.clone();
        let text = match (&before, text) {
            (Some(filter), "") => filter.typed(),
            _ => text.to_owned(),
        };
        self.mode = Mode::Filter(FilterLine {
            line: Line::new(&text),
            before,
            error: None,
        });
    }

    fn sort_by_neighbour(&mut self, to_the_right: bool) {
        let table = self.page().kind.table();
        let sortable = columns::sortable(table);
        let shown: Vec<_> = self
            .columns(table)
            .iter()
            .copied()
            .filter(|key| sortable.contains(key))
            .collect();
        let present = self.page().sort.map(|sort| sort.key);
        let place = shown.iter().position(|key| Some(*key) == present);
        let next = match (place, to_the_right) {
            (None, _) => 0,
            (Some(place), true) => (place + 1) % shown.len(),
            (Some(place), false) => (place + shown.len() - 1) % shown.len(),
        };
        if let Some(key) = shown.get(next) {
            self.sort_by(key, None);
        }
    }

    /// Sorts by a column; without a direction, figures have the highest first, and names the
    /// lowest.
    pub(crate) fn sort_by(&mut self, key: &'static str, descending: Option<bool>) {
        let is_name = NAMES.contains(&key);
        let descending = descending.unwrap_or(!is_name);
        self.page_mut().sort = Some(Sort { key, descending });
        self.show_the_top();
        self.again += 1;
    }

    /// Who sorts wants to see what comes first.
    fn show_the_top(&mut self) {
        let page = self.page_mut();
        (page.cursor, page.offset, page.selected) = (0, 0, None);
    }

    fn reverse(&mut self) {
        if let Some(sort) = &mut self.page_mut().sort {
            sort.descending = !sort.descending;
            self.show_the_top();
            self.again += 1;
        }
    }

    fn show_logs(&mut self) {
        let page = self.page();
        let scope = match (page.kind, &page.scope) {
            (Kind::Stream, scope @ Scope::Stream { .. }) => Some(scope.clone()),
            (Kind::Client, scope @ Scope::Client(_)) => Some(scope.clone()),
            _ => match page.kind.table() {
                Table::Streams => self
                    .stream_at(page.cursor)
                    .map(|(id, label)| Scope::Stream { id, label }),
                Table::Clients => self.row_id(page.cursor).map(Scope::Client),
                Table::Events => {
                    let happening = self.data().events.get(page.cursor);
                    happening
                        .and_then(|happening| happening.event.client.clone())
                        .map(Scope::Client)
                }
                _ => None,
            },
        };
        if let Some(scope) = scope {
            self.open(Kind::Logs, scope);
        }
    }

    fn show_outputs(&mut self) {
        let page = self.page();
        let scope = match &page.scope {
            scope @ Scope::Stream { .. } => Some(scope.clone()),
            _ => self
                .stream_at(page.cursor)
                .map(|(id, label)| Scope::Stream { id, label }),
        };
        if let Some(scope) = scope {
            self.open(Kind::Parts, scope);
        }
    }

    fn show_facts(&mut self) {
        if let Some(text) = view::facts::page(self) {
            self.mode = Mode::Text(text);
        }
    }
}

/// Sorted from the first to the last by whoever does not say.
const NAMES: [&str; 10] = [
    "name", "address", "stream", "agent", "id", "video", "audio", "kind", "target", "type",
];
/// So many pages may be open above each other.
const DEEPEST: usize = 16;
