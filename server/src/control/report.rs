//! The state of the server as the API tells it: looked at, turned into the types of `srs-api`, and
//! nothing kept. One file per resource.

mod clients;
mod details;
mod health;
mod history;
mod label;
mod media;
mod pattern;
mod problems;
mod sort;
mod streams;
mod summaries;
mod vhosts;

#[cfg(test)]
mod tests;

use srs_api::Kbps;

pub use self::clients::{ClientFilter, ClientKey, client, clients, kick};
pub use self::history::{history, stream_history};
pub(crate) use self::pattern::MAX_PATTERN;
pub use self::pattern::{Pattern, PatternError};
pub use self::sort::{Sort, SortKey, View};
pub use self::streams::{StreamFilter, StreamKey, stream, stream_figures, streams};
pub use self::summaries::summaries;
pub use self::vhosts::{vhost, vhosts};
use crate::hub::stats::{Counter, Windows};

/// One page of a list, and how long the whole list is.
#[derive(Clone, Debug, PartialEq)]
pub struct Listed<T> {
    /// How many there are in all.
    pub total: usize,
    /// Those of the page.
    pub items: Vec<T>,
}

impl<T> Listed<T> {
    /// The page of `all` that begins at `start`, each item as `tell` tells it.
    fn page<S>(all: &[S], start: usize, count: usize, tell: impl FnMut(&S) -> T) -> Self {
        Self {
            total: all.len(),
            items: all.iter().skip(start).take(count).map(tell).collect(),
        }
    }
}

pub(crate) fn kbps<T: Counter>(windows: &Windows<T>) -> Kbps {
    let [s5, s30, m1, m5, m60] = windows.kbps();
    Kbps {
        recv_30s: s30.received,
        send_30s: s30.sent,
        recv_5s: s5.received,
        send_5s: s5.sent,
        recv_1m: m1.received,
        send_1m: m1.sent,
        recv_5m: m5.received,
        send_5m: m5.sent,
        recv_60m: m60.received,
        send_60m: m60.sent,
    }
}
