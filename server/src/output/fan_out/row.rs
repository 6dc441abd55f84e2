//! Some dozens of players of one stream, served by one task.

use std::cell::RefCell;
use std::ops::ControlFlow;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::{Instant, sleep_until};
use tokio_util::sync::CancellationToken;

use super::framing::{Batch, Filled};
use super::seat::{Guest, Occupied, Seat, Tells};
use super::{Group, Shared};
use crate::hub::log::Sequence;
use crate::hub::stream::Place;

thread_local! {
    /// Every row of a thread frames in the same memory: it does not wait while it writes.
    static BATCH: RefCell<Batch> = RefCell::new(Batch::new());
}

/// A row of seats.
#[derive(Debug)]
pub(super) struct Row {
    door: Mutex<Door>,
    players: AtomicUsize,
    /// Told when the last player has gone.
    emptied: Notify,
}

#[derive(Debug)]
struct Door {
    /// What stands before this in the log has been written, or is being written, to the players
    /// that have come in.
    position: Sequence,
    /// Players that wait to come in.
    arrivals: Vec<Arc<Occupied>>,
    is_open: bool,
}

/// A guest that gets no seat in a row, as it came.
#[derive(Debug)]
pub(super) enum Refused {
    /// The row has written, or is writing, what it has not had.
    Behind(Guest),
    /// The row has ended.
    Closed(Guest),
}

impl Row {
    /// A row that begins at `position`. [`Row::run`] serves it.
    pub(super) fn new(position: Sequence) -> Self {
        Self {
            door: Mutex::new(Door {
                position,
                arrivals: Vec::new(),
                is_open: true,
            }),
            players: AtomicUsize::new(0),
            emptied: Notify::new(),
        }
    }

    /// Whether another player may sit down.
    pub(super) fn has_room(&self) -> bool {
        self.players.load(Ordering::Relaxed) < SEATS
    }

    /// Gives a player a seat.
    ///
    /// # Errors
    /// [`Refused`]: the row has written what the player has not had, or has ended.
    pub(super) fn seat(
        self: &Arc<Self>,
        guest: Guest,
        shared: &Arc<Shared>,
    ) -> Result<Seat, Refused> {
        let mut door = self.lock_door();
        if !door.is_open {
            return Err(Refused::Closed(guest));
        }
        if guest.position < door.position {
            return Err(Refused::Behind(guest));
        }
        // Players may come and go as often as they send something, while the row has nothing to
        // write: those that have gone must not pile up at the door.
        if door.arrivals.len() >= 2 * SEATS {
            door.arrivals.retain(|player| player.is_in_step());
        }
        let seat = Seat::new(guest, self, shared);
        door.arrivals.push(Arc::clone(seat.occupied()));
        Ok(seat)
    }

    /// How many stand at the door, with those that have gone again.
    #[cfg(test)]
    pub(super) fn waiting(&self) -> usize {
        self.lock_door().arrivals.len()
    }

    pub(super) fn count(&self, players: usize) {
        self.players.fetch_add(players, Ordering::Relaxed);
    }

    /// Counts a player that leaves, here and in `seated`.
    pub(super) fn count_out(&self, seated: &AtomicUsize) {
        seated.fetch_sub(1, Ordering::Relaxed);
        if self.players.fetch_sub(1, Ordering::AcqRel) == 1 {
            self.emptied.notify_one();
        }
    }

    /// Serves the row until its last player has left, or the server stops.
    pub(super) async fn run(
        self: Arc<Self>,
        group: Arc<Group>,
        place: Place,
        stop: CancellationToken,
    ) {
        let mut service = Service {
            position: self.lock_door().position,
            written: Instant::now(),
            told: Instant::now(),
            measured: Instant::now(),
            players: Vec::new(),
            row: &self,
            group: &group,
            place,
        };
        let stopped = stop.cancelled();
        tokio::pin!(stopped);
        loop {
            tokio::select! {
                () = &mut stopped => return,
                () = self.emptied.notified() => {
                    if service.close_if_empty() {
                        return;
                    }
                }
                () = is_due(&group, service.position, service.written) => {
                    if service.write().is_continue() {
                        // There is more; but others want the processor, too.
                        tokio::task::yield_now().await;
                    }
                }
            }
        }
    }

    fn lock_door(&self) -> MutexGuard<'_, Door> {
        // Whole at every point where a holder could panic.
        self.door.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Waits until what stands at `position` is to be written to a row that was last `written` to then.
///
/// The time counts from there, not from the first packet that waits: rows that were written to one
/// after the other stay so, and do not all have their turn at once.
async fn is_due(group: &Group, position: Sequence, written: Instant) {
    let stream = &group.stream;
    stream.reached(position).await;
    let due = written + group.merge_time();
    if due > Instant::now() {
        tokio::select! {
            () = sleep_until(due) => {}
            // Key frames are what viewers wait for, and there are few of them.
            () = stream.has_news_from(position) => {}
        }
    }
}

/// A row at work.
struct Service<'a> {
    row: &'a Arc<Row>,
    group: &'a Group,
    /// What stands before this was written.
    position: Sequence,
    /// When.
    written: Instant,
    /// When the players' counters were told last.
    told: Instant,
    /// When their connections were measured last.
    measured: Instant,
    place: Place,
    players: Vec<Arc<Occupied>>,
}

impl Service<'_> {
    /// Writes what is new to all players, or a fair share of it.
    fn write(&mut self) -> ControlFlow<()> {
        self.written = Instant::now();
        BATCH.with_borrow_mut(|batch| (0..FAIR_SHARE).try_for_each(|_| self.write_batch(batch)))
    }

    /// Writes a batch to all players. Goes on if there is more.
    fn write_batch(&mut self, batch: &mut Batch) -> ControlFlow<()> {
        let (row, shared) = (self.row, &self.group.shared);
        let chunk_size = self.group.key.terms.chunk_size;
        let has_more = match batch.fill(&self.group.stream, self.position, chunk_size) {
            Filled::Nothing => false,
            Filled::Packets { more } => {
                self.let_in(batch.end());
                let tells = self.what_to_tell();
                self.players
                    .retain(|player| player.serve(batch, tells, row, &shared.seated));
                more
            }
            Filled::Obstacle(end) => {
                self.let_in(end);
                for player in self.players.drain(..) {
                    player.dismiss(row, &shared.seated);
                }
                false
            }
        };
        // Only now: whoever has fallen out holds the log for itself.
        self.place.set(self.position);
        if has_more {
            ControlFlow::Continue(())
        } else {
            ControlFlow::Break(())
        }
    }

    /// What the players' clients are told of this time.
    fn what_to_tell(&mut self) -> Tells {
        if self.written.duration_since(self.told) < TELL_EVERY {
            return Tells::Nothing;
        }
        self.told = self.written;
        if self.written.duration_since(self.measured) < MEASURE_EVERY {
            return Tells::Counters;
        }
        self.measured = self.written;
        Tells::CountersAndConnection
    }

    /// Lets in who waits at the door, and moves on to `position`: those who come later must have
    /// had everything before it.
    fn let_in(&mut self, position: Sequence) {
        let mut door = self.row.lock_door();
        self.players.append(&mut door.arrivals);
        // A burst of arrivals must not leave its room behind.
        door.arrivals.shrink_to(0);
        door.position = position;
        self.position = position;
    }

    /// Closes the door if nobody sits here any more.
    fn close_if_empty(&mut self) -> bool {
        let mut door = self.row.lock_door();
        self.players.append(&mut door.arrivals);
        self.players.retain(|player| player.is_in_step());
        door.is_open = !self.players.is_empty();
        !door.is_open
    }
}

impl Drop for Service<'_> {
    /// However the row ends, nobody is left sitting in it.
    fn drop(&mut self) {
        let mut door = self.row.lock_door();
        door.is_open = false;
        self.players.append(&mut door.arrivals);
        drop(door);
        for player in self.players.drain(..) {
            player.dismiss(self.row, &self.group.shared.seated);
        }
        self.group.close(self.row);
    }
}

/// Players in a row: few enough that a row is done before others wait for long, and that a stream
/// with some hundred players has rows for every core; many enough that what a row costs is little
/// for each of them.
const SEATS: usize = 128;
/// Batches that are written before other tasks get their turn.
const FAIR_SHARE: usize = 8;
/// The counters of players, which lie elsewhere, are told so often: to do it for each write would
/// cost a cache miss for each player.
const TELL_EVERY: Duration = Duration::from_secs(1);
/// Their connections are measured so often, which is a system call for each.
const MEASURE_EVERY: Duration = Duration::from_secs(8);
