//! What the dashboard wants to know of the server that it shows: what its tasks ask for. Made from
//! its state alone, so that nothing is asked for that nobody sees.

use std::time::Duration;

use srs_api::HistoryRange;

use super::page::{Sort, Table};

/// What is asked for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Wants {
    /// The server, by its place among those that are watched.
    pub(crate) server: usize,
    /// How often.
    pub(crate) every: Duration,
    /// Whether nothing is asked for until the user wants it again.
    pub(crate) is_frozen: bool,
    /// The table.
    pub(crate) list: Option<ListWant>,
    /// A stream and its history, by its id.
    pub(crate) stream: Option<String>,
    /// A client, by its id.
    pub(crate) client: Option<String>,
    /// How far histories go back.
    pub(crate) range: HistoryRange,
    /// A part of the log.
    pub(crate) log: Option<LogWant>,
    /// Grows when the user wants everything at once.
    pub(crate) again: u64,
}

/// A table, or a part of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ListWant {
    pub(crate) table: Table,
    /// Only those of the vhost of this name.
    pub(crate) vhost: Option<String>,
    /// Only those of the stream of this id.
    pub(crate) stream: Option<String>,
    pub(crate) sort: Option<Sort>,
    /// A regular expression, and whether those are wanted that do not match.
    pub(crate) filter: Option<(String, bool)>,
    pub(crate) start: usize,
    pub(crate) count: usize,
}

impl ListWant {
    /// The whole of a table.
    pub(crate) fn new(table: Table) -> Self {
        Self {
            table,
            vhost: None,
            stream: None,
            sort: None,
            filter: None,
            start: 0,
            count: WHOLE,
        }
    }

    /// The part that begins at `start`.
    pub(crate) fn part(self, start: usize, count: usize) -> Self {
        Self {
            start,
            count,
            ..self
        }
    }

    /// Whether it is a part that the server has sorted and filtered.
    pub(crate) fn is_window(&self) -> bool {
        self.table.is_windowed()
    }

    /// Whether `other` wants rows of the same table in the same order.
    pub(crate) fn is_like(&self, other: &Self) -> bool {
        let whole = |want: &Self| want.clone().part(0, 0);
        whole(self) == whole(other)
    }

    /// Whether `other` wants rows of the same things, in whatever order.
    pub(crate) fn is_of_same(&self, other: &Self) -> bool {
        let things = |want: &Self| (want.table, want.vhost.clone(), want.stream.clone());
        things(self) == things(other)
    }

    /// What it asks of the server, as names and values of a query.
    pub(crate) fn query(&self) -> Vec<(&'static str, String)> {
        let mut query = Vec::new();
        let mut add = |name, value: Option<String>| query.extend(value.map(|value| (name, value)));
        add("vhost", self.vhost.clone());
        add("stream", self.stream.clone());
        if !self.is_window() {
            return query;
        }
        add(
            "sort",
            self.sort.map(|sort| {
                let sign = if sort.descending { "-" } else { "" };
                format!("{sign}{}", sort.key)
            }),
        );
        if let Some((pattern, invert)) = &self.filter {
            add("filter", Some(pattern.clone()));
            add("invert", invert.then(|| "true".to_owned()));
        }
        if self.table == Table::Streams {
            add("recent", Some(RECENT.to_string()));
        }
        query
    }
}

/// A part of the log.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct LogWant {
    /// Only lines of this client.
    pub(crate) client: Option<String>,
    /// Only lines of this stream, by its name.
    pub(crate) stream: Option<String>,
}

/// So many rows of a table that comes whole are enough.
const WHOLE: usize = 1_000;
/// The seconds of a line in a row.
pub(crate) const RECENT: usize = 30;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_server_is_asked_for_what_is_seen() {
        let want = ListWant {
            sort: Some(Sort {
                key: "out",
                descending: true,
            }),
            filter: Some(("(?i)a b".to_owned(), true)),
            vhost: Some("v".to_owned()),
            ..ListWant::new(Table::Streams)
        };
        let text = |name: &'static str, value: &str| (name, value.to_owned());
        let expected = [
            text("vhost", "v"),
            text("sort", "-out"),
            text("filter", "(?i)a b"),
            text("invert", "true"),
            text("recent", "30"),
        ];
        assert_eq!(want.query(), expected);
        let here = ListWant {
            table: Table::Vhosts,
            vhost: None,
            ..want.clone()
        };
        assert_eq!(here.query(), [], "it is sorted and filtered here");
        assert!(want.is_like(&want.clone().part(100, 50)));
        assert!(!want.is_like(&here));
    }
}
