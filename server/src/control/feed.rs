//! What happens, for those who watch: a bounded log, read by positions in it.
//!
//! As with a stream, whoever reads holds nothing but a position; who is too slow, or comes too
//! late, is told how much is missing. Ids go on from the time at which the server began, so that
//! the position of somebody who read before a restart is not taken for one of the new life.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;

/// The newest items of one kind. Clones share them.
#[derive(Debug)]
pub struct Feed<T> {
    shared: Arc<Shared<T>>,
}

/// What a feed keeps for those who come later. What is beyond either bound goes, the oldest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bounds {
    /// So many items.
    pub items: usize,
    /// So much memory.
    pub bytes: usize,
}

#[derive(Debug)]
struct Shared<T> {
    bounds: Bounds,
    log: Mutex<Log<T>>,
    told: Notify,
}

#[derive(Debug)]
struct Log<T> {
    /// The id before that of the first item.
    origin: u64,
    /// The id of the newest item; `origin` before there was one.
    newest: u64,
    kept: VecDeque<Kept<T>>,
    /// What those that are kept take.
    bytes: usize,
}

#[derive(Debug)]
struct Kept<T> {
    item: Arc<T>,
    bytes: usize,
}

/// What a reader gets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct News<T> {
    /// Items between the reader's position and the first one here, which are not kept any more.
    pub lost: u64,
    /// The id of the first one here.
    pub first: u64,
    /// The items, the oldest first.
    pub items: Vec<Arc<T>>,
}

impl<T> Feed<T> {
    /// A feed of a server that began at `started_ms`, in Unix milliseconds.
    pub fn since(started_ms: i64, bounds: Bounds) -> Self {
        // In microseconds: no life tells a million items a second, so that it ends with smaller
        // ids than the next begins with. They are exact in JSON until 2255.
        let origin = u64::try_from(started_ms).unwrap_or(0).saturating_mul(1_000);
        Self {
            shared: Arc::new(Shared {
                bounds,
                log: Mutex::new(Log {
                    origin,
                    newest: origin,
                    kept: VecDeque::new(),
                    bytes: 0,
                }),
                told: Notify::new(),
            }),
        }
    }

    /// Adds what `make` makes of its id, and takes `bytes`.
    pub fn push(&self, bytes: usize, make: impl FnOnce(u64) -> T) {
        let bounds = self.shared.bounds;
        let mut log = self.lock();
        let id = log.newest + 1;
        let item = Arc::new(make(id));
        log.newest = id;
        log.bytes += bytes;
        log.kept.push_back(Kept { item, bytes });
        while log.kept.len() > bounds.items || log.bytes > bounds.bytes {
            let Some(oldest) = log.kept.pop_front() else {
                break;
            };
            log.bytes -= oldest.bytes;
        }
        drop(log);
        self.shared.told.notify_waiters();
    }

    /// The position of a reader that has seen the item `id`: the beginning if that is an item of
    /// another life, of which all there is here is news.
    pub fn position(&self, id: u64) -> u64 {
        self.lock().position(id)
    }

    /// The position of a reader that has seen the item `id`, and wants no more than `most` of those
    /// that are kept and that `wants` takes: the newest.
    pub fn position_of_newest(&self, id: u64, most: usize, wants: impl Fn(&T) -> bool) -> u64 {
        let log = self.lock();
        let seen = log.position(id);
        let mut left = most;
        let ids = (log.oldest()..=log.newest).rev();
        for (id, kept) in ids.zip(log.kept.iter().rev()) {
            if id <= seen {
                return seen;
            }
            if wants(&kept.item) {
                if left == 0 {
                    return id;
                }
                left -= 1;
            }
        }
        seen
    }

    /// The id of the newest item; before there was one, that of the beginning.
    pub fn newest(&self) -> u64 {
        self.lock().newest
    }

    /// The id of the oldest item that is kept; one more than the newest if there is none.
    pub fn oldest(&self) -> u64 {
        self.lock().oldest()
    }

    /// What came after the item `id`, up to `most` items.
    pub fn after(&self, id: u64, most: usize) -> News<T> {
        let log = self.lock();
        let (oldest, next) = (log.oldest(), log.position(id) + 1);
        let skip = usize::try_from(next.saturating_sub(oldest)).unwrap_or(usize::MAX);
        let kept = log.kept.iter().skip(skip).take(most);
        News {
            lost: oldest.saturating_sub(next),
            first: oldest.max(next),
            items: kept.map(|kept| Arc::clone(&kept.item)).collect(),
        }
    }

    /// Waits until there is an item after the position `id`.
    ///
    /// Cancel-safe.
    pub async fn told_after(&self, id: u64) {
        loop {
            let told = self.shared.told.notified();
            tokio::pin!(told);
            // Registered before the look, so that no item falls between look and wait.
            told.as_mut().enable();
            if self.newest() != id {
                return;
            }
            told.await;
        }
    }

    fn lock(&self) -> MutexGuard<'_, Log<T>> {
        // Whole at every point where a holder could panic.
        self.shared
            .log
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

impl<T> Clone for Feed<T> {
    fn clone(&self) -> Self {
        Self {
            shared: Arc::clone(&self.shared),
        }
    }
}

impl<T> Log<T> {
    fn oldest(&self) -> u64 {
        self.newest + 1 - self.kept.len() as u64
    }

    fn position(&self, id: u64) -> u64 {
        // Beyond the newest, if the clock was set back between the lives.
        if (self.origin..=self.newest).contains(&id) {
            id
        } else {
            self.origin
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BOUNDS: Bounds = Bounds {
        items: 10,
        bytes: 1_000,
    };

    fn feed(count: u64) -> Feed<u64> {
        let feed = Feed::since(0, BOUNDS);
        (0..count).for_each(|_| feed.push(10, |id| id));
        feed
    }

    fn ids(news: &News<u64>) -> Vec<u64> {
        let items: Vec<u64> = news.items.iter().map(|item| **item).collect();
        assert!(items.first().is_none_or(|first| *first == news.first));
        items
    }

    #[test]
    fn a_reader_gets_what_came_after_its_position() {
        assert_eq!(ids(&feed(0).after(0, 10)), [0; 0]);
        let feed = feed(3);
        assert_eq!(ids(&feed.after(0, 10)), [1, 2, 3]);
        assert_eq!(ids(&feed.after(1, 1)), [2]);
        assert_eq!(ids(&feed.after(3, 10)), [0; 0]);
        assert_eq!(ids(&feed.after(99, 10)), [1, 2, 3], "of another life");
    }

    #[test]
    fn who_read_before_a_restart_gets_all_of_the_new_life() {
        let tell = |feed: &Feed<u64>| (0..3).for_each(|_| feed.push(1, |id| id));
        let before = Feed::since(1_700_000_000_000, BOUNDS);
        tell(&before);
        let seen = before.after(0, 1);
        assert_eq!((seen.lost, ids(&seen)), (0, vec![1_700_000_000_000_001]));

        let after = Feed::since(1_700_000_000_001, BOUNDS);
        let start = after.newest();
        assert_eq!(after.position(before.newest()), start);
        tell(&after);
        for id in [0, 2, before.newest(), after.newest() + 1, u64::MAX] {
            let news = after.after(id, 10);
            assert_eq!(ids(&news), [start + 1, start + 2, start + 3], "{id}");
            assert_eq!(news.lost, 0, "{id}");
        }
        assert_eq!(ids(&after.after(start + 2, 10)), [start + 3]);
    }

    #[test]
    fn who_is_too_slow_is_told_how_much_is_missing() {
        let feed = feed(15);
        let news = feed.after(2, 1);
        assert_eq!((news.lost, ids(&news)), (3, vec![6]));
        assert_eq!(feed.after(0, 1).lost, 5);
    }

    #[test]
    fn large_items_push_out_more_of_the_old_ones() {
        let feed = feed(5);
        feed.push(975, |id| id);
        assert_eq!(ids(&feed.after(0, 10)), [4, 5, 6]);
        feed.push(1_001, |id| id);
        assert_eq!(
            (feed.oldest(), feed.newest()),
            (8, 7),
            "one that is too large"
        );
        feed.push(1_000, |id| id);
        assert_eq!(ids(&feed.after(0, 10)), [8]);
    }

    #[test]
    fn the_newest_of_those_that_are_wanted_are_counted_from_the_end() {
        let feed = feed(15);
        let is_even = |id: &u64| id.is_multiple_of(2);
        for (seen, most, expected) in [
            (0, 0, vec![]),
            (0, 1, vec![14]),
            (0, 3, vec![10, 12, 14]),
            (0, 99, vec![6, 8, 10, 12, 14]),
            (11, 3, vec![12, 14]),
            (15, 3, vec![]),
        ] {
            let position = feed.position_of_newest(seen, most, is_even);
            let mut found = ids(&feed.after(position, 99));
            found.retain(is_even);
            assert_eq!(found, expected, "{most} after {seen}");
        }
    }
}
