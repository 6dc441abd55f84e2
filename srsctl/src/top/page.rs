//! Where the user is: a view, or what was opened from one, with the place in its table.

use std::collections::BTreeMap;

use super::filter::Filter;

/// A view, or what is opened from one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Kind {
    Streams,
    Clients,
    Vhosts,
    Parts,
    Events,
    Logs,
    Fleet,
    /// One stream; its table has its clients.
    Stream,
    /// One client; its table has its log.
    Client,
}

impl Kind {
    /// All of them.
    #[cfg(test)]
    pub(crate) const ALL: [Self; 9] = [
        Self::Streams,
        Self::Clients,
        Self::Vhosts,
        Self::Parts,
        Self::Events,
        Self::Logs,
        Self::Fleet,
        Self::Stream,
        Self::Client,
    ];
    /// Those that a key of their own shows, in the order of the keys.
    pub(crate) const VIEWS: [Self; 7] = [
        Self::Streams,
        Self::Clients,
        Self::Vhosts,
        Self::Parts,
        Self::Events,
        Self::Logs,
        Self::Fleet,
    ];

    /// What its table lists.
    pub(crate) const fn table(self) -> Table {
        match self {
            Self::Streams => Table::Streams,
            Self::Clients | Self::Stream => Table::Clients,
            Self::Vhosts => Table::Vhosts,
            Self::Parts => Table::Parts,
            Self::Events => Table::Events,
            Self::Logs | Self::Client => Table::Logs,
            Self::Fleet => Table::Fleet,
        }
    }

    /// The name, as in commands and on the tabs.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Stream => "stream",
            Self::Client => "client",
            view => view.table().name(),
        }
    }
}

/// What a table lists.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Table {
    Streams,
    Clients,
    Vhosts,
    Parts,
    Events,
    Logs,
    Fleet,
}

impl Table {
    /// All of them.
    pub(crate) const ALL: [Self; 7] = [
        Self::Streams,
        Self::Clients,
        Self::Vhosts,
        Self::Parts,
        Self::Events,
        Self::Logs,
        Self::Fleet,
    ];

    /// The name, as in the settings.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Streams => "streams",
            Self::Clients => "clients",
            Self::Vhosts => "vhosts",
            Self::Parts => "parts",
            Self::Events => "events",
            Self::Logs => "logs",
            Self::Fleet => "fleet",
        }
    }

    /// Whether the server sorts and filters it, and gives only the part that is shown: those that
    /// may be long.
    pub(crate) const fn is_windowed(self) -> bool {
        matches!(self, Self::Streams | Self::Clients)
    }

    /// Whether what is new stands at its end.
    pub(crate) const fn grows(self) -> bool {
        matches!(self, Self::Events | Self::Logs)
    }
}

/// What a page is about.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) enum Scope {
    /// The whole server.
    #[default]
    All,
    /// A vhost.
    Vhost(String),
    /// A stream.
    Stream {
        /// Its id.
        id: String,
        /// Its name, as people see it.
        label: String,
    },
    /// A client, by its id.
    Client(String),
}

impl Scope {
    /// What stands for it among the breadcrumbs.
    pub(crate) fn label(&self) -> Option<&str> {
        match self {
            Self::All => None,
            Self::Vhost(name) => Some(name),
            Self::Stream { label, .. } => Some(label),
            Self::Client(id) => Some(id),
        }
    }
}

/// Where the user is.
#[derive(Clone, Debug)]
pub(crate) struct Page {
    pub(crate) kind: Kind,
    pub(crate) scope: Scope,
    /// The row that is selected, counted from the first of all that match.
    pub(crate) cursor: usize,
    /// The first row that is seen.
    pub(crate) offset: usize,
    /// The id of the selected row, which the cursor stays with when rows move.
    pub(crate) selected: Option<String>,
    /// Whether the user has moved the cursor: until then it stays at the first row.
    pub(crate) is_moved: bool,
    /// Whether the cursor stays at the end of a table that grows.
    pub(crate) follows: bool,
    pub(crate) sort: Option<Sort>,
    pub(crate) filter: Option<Filter>,
    /// The ids that are marked, with what stands for each in a question.
    pub(crate) marked: BTreeMap<String, String>,
}

/// By what a table is sorted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Sort {
    /// The key of a column.
    pub(crate) key: &'static str,
    /// The highest first.
    pub(crate) descending: bool,
}

impl Page {
    /// The page at its beginning.
    pub(crate) fn new(kind: Kind, scope: Scope) -> Self {
        Self {
            kind,
            scope,
            cursor: 0,
            offset: 0,
            selected: None,
            is_moved: false,
            follows: kind.table().grows(),
            sort: default_sort(kind.table()),
            filter: None,
            marked: BTreeMap::new(),
        }
    }

    /// Goes to the row `to` of `total`, of which `height` are seen.
    pub(crate) fn go_to(&mut self, to: usize, total: usize, height: usize) {
        self.cursor = to.min(total.saturating_sub(1));
        self.follows = self.kind.table().grows() && self.cursor + 1 >= total;
        self.show_cursor(total, height);
    }

    /// Scrolls as little as is needed to see the cursor, and no further than the end.
    pub(crate) fn show_cursor(&mut self, total: usize, height: usize) {
        let height = height.max(1);
        self.cursor = self.cursor.min(total.saturating_sub(1));
        let lowest = self.cursor.saturating_sub(height - 1);
        self.offset = self.offset.clamp(lowest, self.cursor);
        self.offset = self.offset.min(total.saturating_sub(height));
    }
}

fn default_sort(table: Table) -> Option<Sort> {
    let (key, descending) = match table {
        Table::Streams | Table::Clients => ("out", true),
        Table::Vhosts | Table::Fleet => ("name", false),
        Table::Parts => ("kind", false),
        Table::Events | Table::Logs => return None,
    };
    Some(Sort { key, descending })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_cursor_is_always_seen() {
        let mut page = Page::new(Kind::Streams, Scope::All);
        // Where to, of how many, with what height: the row, and the first that is seen.
        let cases = [
            ((0, 100, 10), (0, 0)),
            ((9, 100, 10), (9, 0)),
            ((10, 100, 10), (10, 1)),
            ((5, 100, 10), (5, 1)),
            ((0, 100, 10), (0, 0)),
            ((usize::MAX, 100, 10), (99, 90)),
            ((99, 5, 10), (4, 0)),
            ((3, 0, 10), (0, 0)),
            ((3, 10, 0), (3, 3)),
        ];
        for ((to, total, height), expected) in cases {
            page.go_to(to, total, height);
            assert_eq!(
                (page.cursor, page.offset),
                expected,
                "{to} {total} {height}"
            );
        }
    }

    #[test]
    fn a_log_is_followed_as_long_as_its_last_row_is_selected() {
        let mut page = Page::new(Kind::Logs, Scope::All);
        assert!(page.follows);
        page.go_to(3, 10, 5);
        assert!(!page.follows);
        page.go_to(9, 10, 5);
        assert!(page.follows);
        page.kind = Kind::Streams;
        page.go_to(9, 10, 5);
        assert!(!page.follows);
    }
}
