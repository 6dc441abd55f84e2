//! Many RTMP players of one stream, served together.
//!
//! Most players of a live stream want the same at the same time: whatever is new. A player that
//! has caught up, and has no wish of its own, hands the writing half of its socket to the fan-out
//! and takes a [`Seat`]. The seats of a stream stand in rows of some dozens; each row is a
//! task that frames what is new once, into one buffer, and writes that to its players one after
//! the other. So a packet costs a player one `write`, and no wake-up, queue, timer or allocation.
//!
//! Whoever falls out of step (its socket is full, or the stream does something that players have
//! to be told of one by one) gets its socket back, with what it had received to the byte, and goes
//! on alone by [`rtmp_play`](super::rtmp_play) until it has caught up again.
//!
//! Rows are tasks, so the runtime spreads them over all cores, those of one popular stream as well
//! as those of many small ones. What they share is the log's lock, a few times for each batch and
//! never for a packet or a player.

mod framing;
mod merging;
mod row;
mod seat;

use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use self::row::{Refused, Row};
pub use self::seat::{Guest, Left, Seat};
use crate::config::Merge;
use crate::hub::Stream;

/// The fan-outs of all streams of this process. Clones share them.
#[derive(Clone, Debug)]
pub struct FanOut {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    /// By the stream's identity and how its players are served. A group is there while it has
    /// players.
    groups: Mutex<HashMap<GroupKey, Weak<Group>>>,
    /// How many players have a seat, in all groups.
    seated: AtomicUsize,
    /// How many cores there are to serve them.
    cores: usize,
    tasks: TaskTracker,
    stop: CancellationToken,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct GroupKey {
    /// The address of the stream, which the group keeps alive.
    stream: usize,
    terms: Terms,
}

/// How the players of a group are served.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Terms {
    /// The size of the chunks that they get, in bytes.
    pub chunk_size: u32,
    /// How long packets are collected for them.
    pub merge: Merge,
}

impl FanOut {
    /// A fan-out for a machine with so many cores, whose rows are tasks of `tasks` until `stop`.
    pub fn new(cores: usize, tasks: TaskTracker, stop: CancellationToken) -> Self {
        Self {
            shared: Arc::new(Shared {
                groups: Mutex::default(),
                seated: AtomicUsize::new(0),
                cores: cores.max(1),
                tasks,
                stop,
            }),
        }
    }

    /// The group of the players of `stream` that are served on these terms.
    pub fn group(&self, stream: &Arc<Stream>, terms: Terms) -> Arc<Group> {
        let key = GroupKey {
            stream: Arc::as_ptr(stream).addr(),
            terms,
        };
        let mut groups = self.shared.lock_groups();
        if let Some(group) = groups.get(&key).and_then(Weak::upgrade) {
            return group;
        }
        let group = Arc::new(Group {
            shared: Arc::clone(&self.shared),
            key,
            stream: Arc::clone(stream),
            rows: Mutex::default(),
        });
        groups.insert(key, Arc::downgrade(&group));
        group
    }

    /// How many players have a seat.
    pub fn seated(&self) -> usize {
        self.shared.seated.load(Ordering::Relaxed)
    }
}

impl Shared {
    fn lock_groups(&self) -> MutexGuard<'_, HashMap<GroupKey, Weak<Group>>> {
        // The map is whole at every point where a holder could panic.
        self.groups.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The players of one stream that are served on the same terms.
#[derive(Debug)]
pub struct Group {
    shared: Arc<Shared>,
    key: GroupKey,
    stream: Arc<Stream>,
    rows: Mutex<Vec<Arc<Row>>>,
}

impl Group {
    /// Takes a player in, unless packets that it has not had are on their way to the others (then
    /// it must read those itself first), or the server stops.
    ///
    /// # Errors
    /// The guest, as it came.
    pub fn join(self: &Arc<Self>, guest: Guest) -> Result<Seat, Guest> {
        if self.shared.stop.is_cancelled() {
            return Err(guest);
        }
        let mut rows = self.lock_rows();
        let mut guest = guest;
        // The newest row is the one with room, more often than not.
        for row in rows.iter().rev().filter(|row| row.has_room()) {
            match row.seat(guest, &self.shared) {
                Ok(seat) => return Ok(seat),
                Err(Refused::Behind(refused)) => return Err(refused),
                Err(Refused::Closed(refused)) => guest = refused,
            }
        }
        let row = Arc::new(Row::new(guest.position));
        let place = self.stream.hold(guest.position);
        let seat = row
            .seat(guest, &self.shared)
            .map_err(|(Refused::Behind(refused) | Refused::Closed(refused))| refused)?;
        rows.push(Arc::clone(&row));
        drop(rows);
        self.shared
            .tasks
            .spawn(row.run(Arc::clone(self), place, self.shared.stop.clone()));
        Ok(seat)
    }

    /// How its players are served.
    pub fn terms(&self) -> Terms {
        self.key.terms
    }

    /// How long packets are collected at present.
    pub fn merge_time(&self) -> Duration {
        let rate = self.stream.with_log(|log| log.bytes_per_second());
        let players = self.shared.seated.load(Ordering::Relaxed);
        merging::time(self.key.terms.merge, players / self.shared.cores, rate)
    }

    fn close(&self, row: &Arc<Row>) {
        self.lock_rows().retain(|known| !Arc::ptr_eq(known, row));
    }

    fn lock_rows(&self) -> MutexGuard<'_, Vec<Arc<Row>>> {
        // The list is whole at every point where a holder could panic.
        self.rows.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        let mut groups = self.shared.lock_groups();
        // Another group may have taken its place already.
        if groups
            .get(&self.key)
            .is_some_and(|group| group.strong_count() == 0)
        {
            groups.remove(&self.key);
        }
    }
}

#[cfg(test)]
mod tests;
