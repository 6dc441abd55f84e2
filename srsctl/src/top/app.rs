//! The state of the dashboard, and how it changes: by events, and by nothing else. Nothing here
//! asks a server, reads a clock or writes to a terminal.

mod act;
mod answers;
mod ask;
mod command_line;
mod dialog;
mod liking;
mod mouse;
mod servers;

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use crossterm::event::{KeyCode, KeyEvent, KeyEventKind, KeyModifiers};
use srs_api::HistoryRange;

pub(crate) use self::command_line::COMMANDS;
pub(crate) use self::dialog::{ColumnChoice, KickDialog, Mode, ReloadDialog, TextDialog};
use super::columns::{self, Look, Units};
use super::data::{Data, Member, Server};
use super::event::{Answer, Effect, Event};
use super::graph::Symbols;
use super::keys::{self, Action};
use super::options::ChosenColumns;
use super::page::{Kind, Page, Scope, Table};
use super::rows::with_rows;
use super::theme::{Colours, Theme, Tone};
use super::view::layout;
use super::wants::{ListWant, LogWant, Wants};

/// How the user likes it.
#[derive(Clone, Debug)]
pub(crate) struct Liking {
    pub(crate) theme: &'static str,
    pub(crate) colours: Colours,
    pub(crate) symbols: Symbols,
    pub(crate) every: Duration,
    pub(crate) units: Units,
    /// The columns of tables, where they are not the usual ones.
    pub(crate) columns: ChosenColumns,
}

impl Default for Liking {
    fn default() -> Self {
        Self {
            theme: "default",
            colours: Colours::Sixteen,
            symbols: Symbols::Braille,
            every: Duration::from_secs(1),
            units: Units::Bits,
            columns: ChosenColumns::new(),
        }
    }
}

/// The state of the dashboard.
#[derive(Debug)]
pub(crate) struct App {
    /// Those that are watched; there is one at least.
    pub(crate) servers: Vec<Server>,
    /// The place of the one that is shown.
    pub(crate) current: usize,
    /// A page for each view.
    roots: Vec<Page>,
    /// The place of the view that is shown.
    pub(crate) view: usize,
    /// What was opened from it, the newest last.
    opened: Vec<Page>,
    pub(crate) mode: Mode,
    /// What was said last, and until when it stands there.
    notice: Option<(String, Tone, i64)>,
    /// Which columns are shown.
    columns: BTreeMap<Table, Vec<&'static str>>,
    pub(crate) is_frozen: bool,
    /// What has happened since the screen was frozen, the newest last.
    held: VecDeque<(usize, Answer)>,
    pub(crate) is_expanded: bool,
    pub(crate) every: Duration,
    pub(crate) range: HistoryRange,
    pub(crate) units: Units,
    pub(crate) symbols: Symbols,
    colours: Colours,
    pub(crate) theme: Theme,
    /// Columns and rows of the terminal.
    pub(crate) size: (u16, u16),
    /// The time, in Unix milliseconds.
    pub(crate) now_ms: i64,
    /// The key before, if it may be the first of two.
    before: Option<char>,
    /// Commands that were typed, the newest last.
    commands: Vec<String>,
    again: u64,
    /// When the server that is shown was last seen to have restarted, in Unix milliseconds.
    restarted_ms: i64,
    /// The number of the last question that was asked for a dialog.
    question: u64,
    effects: Vec<Effect>,
    /// Whether it is a page to print, with nothing to press.
    pub(crate) is_still: bool,
}

impl App {
    /// The dashboard of `servers`, before any of them has answered.
    pub(crate) fn new(
        servers: Vec<Server>,
        liking: &Liking,
        size: (u16, u16),
        now_ms: i64,
    ) -> Self {
        let theme = Theme::named(liking.theme, liking.colours)
            .or_else(|| Theme::named("default", liking.colours));
        let mut columns = BTreeMap::new();
        for table in Table::ALL {
            columns.insert(table, chosen(table, liking.columns.get(&table)));
        }
        Self {
            servers: if servers.is_empty() {
                vec![Server::default()]
            } else {
                servers
            },
            current: 0,
            roots: Kind::VIEWS.map(|kind| Page::new(kind, Scope::All)).to_vec(),
            view: 0,
            opened: Vec::new(),
            mode: Mode::Normal,
            notice: None,
            columns,
            is_frozen: false,
            held: VecDeque::new(),
            is_expanded: false,
            every: liking.every,
            range: HistoryRange::FiveMinutes,
            units: liking.units,
            symbols: liking.symbols,
            colours: liking.colours,
            theme: theme.unwrap_or_else(Theme::plain),
            size,
            now_ms,
            before: None,
            commands: Vec::new(),
            again: 0,
            restarted_ms: 0,
            question: 0,
            effects: Vec::new(),
            is_still: false,
        }
    }

    /// A page to print of one server.
    pub(crate) fn still(server: Server, liking: &Liking, size: (u16, u16), now_ms: i64) -> Self {
        Self {
            is_still: true,
            ..Self::new(vec![server], liking, size, now_ms)
        }
    }

    /// Takes in what happened at `now_ms`, and says what is to be done about it.
    pub(crate) fn update(&mut self, event: Event, now_ms: i64) -> Vec<Effect> {
        self.now_ms = now_ms;
        match event {
            Event::Key(key) if key.kind == KeyEventKind::Release => {}
            Event::Key(key) => self.key(key),
            Event::Mouse(mouse) => self.mouse(mouse),
            Event::Paste(text) => self.paste(&text),
            Event::Resize(width, height) => self.size = (width, height),
            Event::Tick => {
                if self
                    .notice
                    .as_ref()
                    .is_some_and(|(.., until)| *until <= now_ms)
                {
                    self.notice = None;
                }
            }
            Event::Answer { server, answer } => self.answer(server, *answer),
            Event::Failed { server, failure } => self.failed(server, failure),
            Event::Outcome(outcome) => self.outcome(outcome),
        }
        self.settle();
        self.settle_dialog();
        std::mem::take(&mut self.effects)
    }

    /// The page that is shown.
    pub(crate) fn page(&self) -> &Page {
        // There is a root for each view, and the view is one of them.
        self.opened.last().unwrap_or(&self.roots[self.view])
    }

    pub(crate) fn page_mut(&mut self) -> &mut Page {
        self.opened.last_mut().unwrap_or(&mut self.roots[self.view])
    }

    /// The pages from the view to the one that is shown.
    pub(crate) fn trail(&self) -> impl Iterator<Item = &Page> {
        std::iter::once(&self.roots[self.view]).chain(&self.opened)
    }

    /// The server that is shown.
    pub(crate) fn server(&self) -> &Server {
        &self.servers[self.current]
    }

    pub(crate) fn data(&self) -> &Data {
        &self.server().data
    }

    fn data_mut(&mut self) -> &mut Data {
        &mut self.servers[self.current].data
    }

    /// What was said last, as long as it stands there.
    pub(crate) fn notice(&self) -> Option<(&str, Tone)> {
        self.notice
            .as_ref()
            .map(|(text, tone, _)| (text.as_str(), *tone))
    }

    /// The keys of the columns of a table that are shown.
    pub(crate) fn columns(&self, table: Table) -> &[&'static str] {
        self.columns
            .get(&table)
            .map(Vec::as_slice)
            .unwrap_or_default()
    }

    /// Whether the columns of a table are not the usual ones.
    pub(crate) fn has_own_columns(&self, table: Table) -> bool {
        self.columns(table) != chosen(table, None)
    }

    /// How figures are shown.
    pub(crate) fn look(&self) -> Look {
        Look {
            symbols: self.symbols,
            units: self.units,
            now_ms: self.now_ms,
            server_now_ms: self.data().server_now_ms(self.now_ms),
        }
    }

    /// For how many milliseconds nothing has come from the server that is shown, if that is too
    /// long.
    pub(crate) fn stale_for(&self) -> Option<i64> {
        let age = self.now_ms.saturating_sub(self.server().link.last_ms?);
        let most = i64::try_from(self.every.as_millis()).unwrap_or(i64::MAX);
        let most = most.saturating_mul(2).saturating_add(STALE_AFTER_MS);
        (age > most).then_some(age)
    }

    /// What the server that is shown should be asked for.
    pub(crate) fn wants(&self) -> Wants {
        let page = self.page();
        let (stream, client) = match (page.kind, &page.scope) {
            (Kind::Stream, Scope::Stream { id, .. }) => (Some(id.clone()), None),
            (Kind::Client, Scope::Client(id)) => (None, Some(id.clone())),
            _ => (None, None),
        };
        Wants {
            server: self.current,
            every: self.every,
            is_frozen: self.is_frozen,
            list: self.list_want(),
            stream,
            client,
            range: self.range,
            log: self.log_want(),
            again: self.again,
        }
    }

    /// The table of the page, or the part of it around what is seen.
    pub(crate) fn list_want(&self) -> Option<ListWant> {
        let page = self.page();
        let table = page.kind.table();
        if table.grows() {
            return None;
        }
        let mut want = ListWant::new(table);
        match &page.scope {
            Scope::Vhost(name) => want.vhost = Some(name.clone()),
            Scope::Stream { id, .. } => want.stream = Some(id.clone()),
            Scope::All | Scope::Client(_) => {}
        }
        if !table.is_windowed() {
            return Some(want);
        }
        want.sort = page.sort;
        want.filter = page
            .filter
            .as_ref()
            .map(|filter| (filter.pattern(), filter.invert));
        // In blocks, so that not each row that is scrolled by is asked for anew.
        let block = self.rows().max(LEAST_BLOCK);
        let first = (page.offset / block)
            .saturating_sub(1)
            .saturating_mul(block);
        Some(want.part(first, block.saturating_mul(3).min(MOST_ROWS)))
    }

    fn log_want(&self) -> Option<LogWant> {
        let page = self.page();
        if page.kind.table() != Table::Logs {
            return None;
        }
        Some(match &page.scope {
            Scope::Client(id) => LogWant {
                client: Some(id.clone()),
                stream: None,
            },
            Scope::Stream { label, .. } => LogWant {
                client: None,
                stream: Some(label.clone()),
            },
            Scope::All | Scope::Vhost(_) => LogWant::default(),
        })
    }

    /// The rows of the table that are seen.
    pub(crate) fn rows(&self) -> usize {
        layout::rows(self)
    }

    /// How many rows the table of the page has.
    pub(crate) fn len(&self) -> usize {
        with_rows!(self.data(), self.page().kind.table(), rows => rows.len())
    }

    /// The id of the row at `place`, if it is here.
    pub(crate) fn row_id(&self, place: usize) -> Option<String> {
        use super::columns::Item as _;
        let table = self.page().kind.table();
        with_rows!(self.data(), table, rows => rows.get(place).map(|row| row.id().to_owned()))
    }

    fn place_of(&self, id: &str) -> Option<usize> {
        with_rows!(self.data(), self.page().kind.table(), rows => rows.find(id))
    }

    /// Brings the rows and the cursor into line with what has changed.
    fn settle(&mut self) {
        self.gather_fleet();
        let table = self.page().kind.table();
        let (sort, filter) = (self.page().sort, self.page().filter.clone());
        if let Some(want) = self.list_want() {
            self.forget_other_rows(&want);
        }
        if !table.is_windowed() {
            let stream = match &self.page().scope {
                Scope::Stream { id, .. } if table == Table::Parts => Some(id.clone()),
                _ => None,
            };
            with_rows!(mut self.data_mut(), table, rows => {
                rows.arrange(sort, filter.as_ref(), stream.as_deref());
            });
        }
        let len = self.len();
        let height = self.rows();
        let place = match &self.page().selected {
            _ if self.page().follows => Some(len.saturating_sub(1)),
            Some(id) => self.place_of(id),
            None => None,
        };
        let page = self.page_mut();
        // Who scrolls ahead of the answers must not be thrown back to where he was.
        if let Some(place) = place {
            page.cursor = place;
        }
        // As long as nothing is known of the table, its place is kept.
        if len > 0 {
            page.show_cursor(len, height);
        }
        let cursor = page.cursor;
        let selected = self.row_id(cursor);
        if selected.is_some() && self.page().is_moved {
            self.page_mut().selected = selected;
        }
    }

    /// Rows of something else are not those of this page. In another order, or by another filter,
    /// they are shown until those come that are wanted.
    fn forget_other_rows(&mut self, want: &ListWant) {
        let is_other =
            |known: &Option<ListWant>| known.as_ref().is_some_and(|known| !known.is_of_same(want));
        let data = self.data_mut();
        match want.table {
            Table::Streams if is_other(&data.streams.want) => data.streams = <_>::default(),
            Table::Clients if is_other(&data.clients.want) => data.clients = <_>::default(),
            _ => {}
        }
    }

    /// Another page is shown: what is here of its table is from when it was shown before.
    fn turn_page(&mut self) {
        let table = self.page().kind.table();
        // What grows is told on, whatever is shown, and the fleet is gathered anew.
        if !table.grows() && table != Table::Fleet {
            with_rows!(mut self.data_mut(), table, rows => rows.is_old = true);
        }
        self.again += 1;
    }

    /// Whether the rows of the table are those that are wanted: others may stand there for a
    /// moment.
    pub(crate) fn has_wanted_rows(&self) -> bool {
        let table = self.page().kind.table();
        if with_rows!(self.data(), table, rows => rows.is_old) {
            return false;
        }
        let known = with_rows!(self.data(), table, rows => rows.want.as_ref());
        match (self.list_want(), known) {
            (Some(want), Some(known)) => want.is_like(known),
            // The fleet is gathered here.
            (Some(want), None) => want.table == Table::Fleet,
            (None, _) => true,
        }
    }

    /// The fleet: those that are named, and those that send their heartbeats to the server that is
    /// shown.
    fn gather_fleet(&mut self) {
        if self.page().kind != Kind::Fleet || self.is_frozen {
            return;
        }
        let named = self.servers.iter().enumerate();
        let mut members: Vec<Member> = named
            .map(|(place, server)| Member::named(server, place == self.current, self.now_ms))
            .collect();
        members.extend(self.data().beating.iter().cloned().map(Member::beating));
        let total = members.len();
        self.data_mut().fleet = super::data::Rows::whole(None, total, members);
    }

    fn key(&mut self, key: KeyEvent) {
        // Who presses Escape and then a key at once looks to a terminal as if Alt were held.
        if key.modifiers == KeyModifiers::ALT && matches!(key.code, KeyCode::Char(_)) {
            self.key(KeyCode::Esc.into());
            return self.key(key.code.into());
        }
        match keys::always(key) {
            Some(action) => self.act(action),
            // What is not seen must not be acted on.
            None if layout::areas(self).is_none() => {
                if keys::action(key, None, self.page().kind) == Some(Action::Quit) {
                    self.act(Action::Quit);
                }
            }
            None if matches!(self.mode, Mode::Normal) => self.act_on(key),
            None => self.dialog_key(key),
        }
    }

    /// Says something to the user, for some seconds.
    pub(crate) fn say(&mut self, tone: Tone, text: impl Into<String>) {
        let until = self.now_ms.saturating_add(NOTICE_MS);
        self.notice = Some((text.into(), tone, until));
    }

    fn want(&mut self, effect: Effect) {
        self.effects.push(effect);
    }
}

/// Which columns of a table are shown: those of `liked`, or else the usual ones.
fn chosen(table: Table, liked: Option<&Vec<&'static str>>) -> Vec<&'static str> {
    if let Some(liked) = liked.filter(|liked| !liked.is_empty()) {
        return liked.clone();
    }
    let usual = columns::known(table)
        .into_iter()
        .filter(|known| known.is_usual);
    usual.map(|known| known.key).collect()
}

/// How long something that was said stands there.
const NOTICE_MS: i64 = 6_000;
/// A server that takes so much longer than it is asked is late.
const STALE_AFTER_MS: i64 = 1_500;
/// The server gives no more at once.
const MOST_ROWS: usize = 1_000;
/// So many rows are asked for at least.
const LEAST_BLOCK: usize = 20;
