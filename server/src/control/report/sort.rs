//! The rows of a list that are asked for, in the order that is asked for.

use std::cmp::Ordering;
use std::net::SocketAddr;
use std::sync::Arc;

use super::pattern::Pattern;
use crate::hub::{Stream, StreamName};

/// Which rows of a list are wanted, of those that the list's own filter lets through.
#[derive(Clone, Debug)]
pub struct View<K> {
    /// Those whose text it wants.
    pub pattern: Option<Pattern>,
    /// In this order; else in that of their ids.
    pub sort: Option<Sort<K>>,
    /// How many to leave out at the beginning.
    pub start: usize,
    /// How many to give at most.
    pub count: usize,
}

/// What a list is sorted by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sort<K> {
    /// The key.
    pub key: K,
    /// Whether the greatest comes first.
    pub descending: bool,
}

/// What the rows of some list can be sorted by.
pub trait SortKey: Copy + 'static {
    /// All of them, each by the name that a query has for it.
    const ALL: &'static [(&'static str, Self)];
}

/// By what rows are compared: all rows of a list have the same kind of it.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Rank {
    Number(i64),
    Text(String),
    Address(SocketAddr),
    Name(ByName),
}

impl Rank {
    /// A count, or something that was measured.
    pub(super) fn number(number: impl TryInto<i64>) -> Self {
        Self::Number(number.try_into().unwrap_or(i64::MAX))
    }
}

/// A stream, compared by its name, as which it need not be copied; none is the least.
#[derive(Debug)]
pub(super) struct ByName(pub(super) Option<Arc<Stream>>);

impl ByName {
    fn parts(&self) -> Option<(&str, &str, &str)> {
        let StreamName { vhost, app, stream } = self.0.as_ref()?.name();
        Some((vhost, app, stream))
    }

    fn is_same(&self, other: &Self) -> bool {
        matches!((&self.0, &other.0), (Some(one), Some(other)) if Arc::ptr_eq(one, other))
    }
}

impl Ord for ByName {
    fn cmp(&self, other: &Self) -> Ordering {
        if self.is_same(other) {
            return Ordering::Equal;
        }
        self.parts().cmp(&other.parts())
    }
}

impl PartialOrd for ByName {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for ByName {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for ByName {}

impl<K: Copy> View<K> {
    /// The rows of the page, of `items` in the order of their ids. Of those that rank alike the one
    /// with the least id comes first, so that they do not change places from one poll to the next.
    pub(super) fn page<T>(
        &self,
        items: Vec<T>,
        id: impl Fn(&T) -> u64,
        rank: impl Fn(&T, K) -> Rank,
    ) -> Vec<T> {
        let rows = items.into_iter();
        let Some(sort) = self.sort else {
            return rows.skip(self.start).take(self.count).collect();
        };
        let mut rows: Vec<_> = rows
            .map(|row| (rank(&row, sort.key), id(&row), row))
            .collect();
        let order = |one: &(Rank, u64, T), other: &(Rank, u64, T)| {
            let ranks = one.0.cmp(&other.0);
            let ranks = if sort.descending {
                ranks.reverse()
            } else {
                ranks
            };
            ranks.then(one.1.cmp(&other.1))
        };
        // Most of a long list is not on the page, and need not be in order.
        let end = self.start.saturating_add(self.count);
        if end < rows.len() {
            rows.select_nth_unstable_by(end, order);
            rows.truncate(end);
        }
        rows.sort_unstable_by(order);
        let page = rows.into_iter().skip(self.start);
        page.map(|(_, _, row)| row).collect()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn view(start: usize, count: usize, sort: Option<Sort<()>>) -> View<()> {
        View {
            pattern: None,
            sort,
            start,
            count,
        }
    }

    proptest! {
        #[test]
        fn pages_are_parts_of_the_whole_list_in_order(
            ranks in prop::collection::vec(0..20i64, 0..100),
            descending: bool,
            start in 0..120usize,
            count in 1..50usize,
        ) {
            let items: Vec<(u64, i64)> = (0..).zip(ranks).collect();
            let mut sorted = items.clone();
            sorted.sort_by_key(|(id, rank)| (if descending { -rank } else { *rank }, *id));
            let expected: Vec<_> = sorted.into_iter().skip(start).take(count).collect();
            let view = view(start, count, Some(Sort { key: (), descending }));
            let page = view.page(items, |item| item.0, |item, ()| Rank::Number(item.1));
            prop_assert_eq!(page, expected);
        }
    }

    #[test]
    fn without_a_key_rows_stay_as_they_are() {
        let items = vec![3, 1, 2];
        let page = view(1, 5, None).page(items, |item| *item, |_, ()| Rank::Number(0));
        assert_eq!(page, [1, 2]);
    }

    #[test]
    fn what_is_too_great_is_the_greatest() {
        assert_eq!(Rank::number(u64::MAX), Rank::Number(i64::MAX));
        assert_eq!(Rank::number(5_usize), Rank::Number(5));
    }
}
