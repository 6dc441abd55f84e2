//! One player's place in a row.

use std::fmt;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use rustix::net::SendFlags;
use srs_net::tcp;
use tokio::net::tcp::OwnedWriteHalf;
use tokio::sync::Notify;

use super::super::player_clock::Zero;
use super::Shared;
use super::framing::{Batch, Stamp};
use super::row::Row;
use crate::hub::log::Sequence;
use crate::hub::stats::Traffic;
use crate::hub::stream::Place;

/// A player that wants a seat, and all that is needed to serve it.
#[derive(Debug)]
pub struct Guest {
    /// Takes its bytes. Everything before `position` has been written to it.
    pub writer: OwnedWriteHalf,
    /// The next packet for it.
    pub position: Sequence,
    /// Where it holds the log, for as long as it reads alone.
    pub place: Arc<Place>,
    /// The message stream that it plays on.
    pub message_stream_id: u32,
    /// What its timestamps count from.
    pub zero: Zero,
    /// Whether that was so because its stream has its publisher's own timestamps.
    pub atc: bool,
    /// Whether it has no use for pictures before the next key frame.
    pub awaits_key_frame: bool,
    /// Counts what it gets.
    pub traffic: Arc<Traffic>,
}

/// What a player has when it leaves its seat.
#[derive(Debug)]
pub struct Left {
    /// Its socket's writing half.
    pub writer: OwnedWriteHalf,
    /// The next packet for it.
    pub position: Sequence,
    /// What it must get before that: the rest of a packet that was cut off.
    pub rest: Bytes,
    /// Bytes that it got in the seat.
    pub bytes: u64,
    /// Packets that it got in the seat, with the one that was cut off.
    pub packets: u64,
    /// Whether it could not have stayed.
    pub fell_out: bool,
}

/// A player's place in a row. Dropping it ends the connection's writing side.
pub struct Seat {
    occupied: Arc<Occupied>,
    row: Arc<Row>,
    shared: Arc<Shared>,
}

/// What row and player share of a seat.
#[derive(Debug)]
pub(super) struct Occupied {
    /// Held while bytes are written to the player.
    state: Mutex<State>,
    fell_out: Notify,
}

#[derive(Debug)]
struct State {
    /// `None` once the player has left.
    guest: Option<Guest>,
    is_in_step: bool,
    rest: Bytes,
    got: Counted,
    /// How much of that its client's counters know of.
    told: Counted,
}

/// What a player's client is told of when a batch has been written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Tells {
    /// Nothing.
    Nothing,
    /// What the player has got.
    Counters,
    /// That, and how its connection goes.
    CountersAndConnection,
}

#[derive(Clone, Copy, Debug, Default)]
struct Counted {
    bytes: u64,
    packets: u64,
}

impl Seat {
    pub(super) fn new(guest: Guest, row: &Arc<Row>, shared: &Arc<Shared>) -> Self {
        // Its row holds the log from now on.
        guest.place.set(Sequence::MAX);
        row.count(1);
        shared.seated.fetch_add(1, Ordering::Relaxed);
        Self {
            occupied: Arc::new(Occupied {
                state: Mutex::new(State {
                    guest: Some(guest),
                    is_in_step: true,
                    rest: Bytes::new(),
                    got: Counted::default(),
                    told: Counted::default(),
                }),
                fell_out: Notify::new(),
            }),
            row: Arc::clone(row),
            shared: Arc::clone(shared),
        }
    }

    pub(super) fn occupied(&self) -> &Arc<Occupied> {
        &self.occupied
    }

    /// Waits until the player falls out of step. The seat is of no use any more then, and is to be
    /// left.
    ///
    /// Cancel-safe.
    pub async fn fell_out(&self) {
        self.occupied.fell_out.notified().await;
    }

    /// Leaves the seat.
    ///
    /// # Panics
    /// If it was left already, which only its destructor could have done.
    pub fn leave(self) -> Left {
        self.take().expect("whoever has the seat has not left it")
    }

    fn take(&self) -> Option<Left> {
        let mut state = self.occupied.lock();
        state.tell();
        let guest = state.guest.take()?;
        let fell_out = !state.is_in_step;
        if state.is_in_step {
            state.is_in_step = false;
            guest.place.set(guest.position);
            self.row.count_out(&self.shared.seated);
        }
        Some(Left {
            writer: guest.writer,
            position: guest.position,
            rest: std::mem::take(&mut state.rest),
            bytes: state.got.bytes,
            packets: state.got.packets,
            fell_out,
        })
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        self.take();
    }
}

impl fmt::Debug for Seat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Seat").finish_non_exhaustive()
    }
}

impl Occupied {
    /// Writes what the batch has for the player, and tells its client of it as `tells` says. Returns
    /// whether it keeps its seat.
    pub(super) fn serve(
        &self,
        batch: &mut Batch,
        tells: Tells,
        row: &Row,
        seated: &AtomicUsize,
    ) -> bool {
        let mut state = self.lock();
        if !state.is_in_step {
            return false;
        }
        let keeps = state.serve(batch);
        if tells != Tells::Nothing {
            state.tell();
        }
        if tells == Tells::CountersAndConnection {
            state.measure();
        }
        if !keeps {
            self.fall_out(&mut state, row, seated);
        }
        keeps
    }

    /// Gives the player its socket back, where it stands.
    pub(super) fn dismiss(&self, row: &Row, seated: &AtomicUsize) {
        let mut state = self.lock();
        if state.is_in_step {
            self.fall_out(&mut state, row, seated);
        }
    }

    /// Whether the player is still served by its row.
    pub(super) fn is_in_step(&self) -> bool {
        self.lock().is_in_step
    }

    fn fall_out(&self, state: &mut State, row: &Row, seated: &AtomicUsize) {
        state.is_in_step = false;
        if let Some(guest) = &state.guest {
            guest.place.set(guest.position);
        }
        row.count_out(seated);
        self.fell_out.notify_one();
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // A panic while it is held leaves a player that has left, or one that has its place.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// Tells the client's counters what the player has got since the last time.
    fn tell(&mut self) {
        let Some(guest) = &self.guest else {
            return;
        };
        let (got, told) = (self.got, std::mem::replace(&mut self.told, self.got));
        let traffic = &guest.traffic;
        let add = |counter: &AtomicU64, count| counter.fetch_add(count, Ordering::Relaxed);
        add(&traffic.bytes_out, got.bytes - told.bytes);
        add(&traffic.packets_out, got.packets - told.packets);
    }

    /// Tells the client how its connection goes.
    fn measure(&self) {
        if let Some(guest) = &self.guest
            && let Ok(info) = tcp::info(guest.writer.as_ref())
        {
            let traffic = &guest.traffic;
            traffic.note_connection(info.round_trip, info.retransmits);
        }
    }

    fn serve(&mut self, batch: &mut Batch) -> bool {
        let Some(guest) = &mut self.guest else {
            return false;
        };
        // It came with packets that the row has not seen yet.
        if guest.position >= batch.end() {
            return true;
        }
        let takes_a_turn =
            guest.atc != batch.is_atc() || guest.awaits_key_frame && batch.has_video();
        let stamp = Stamp {
            message_stream_id: guest.message_stream_id,
            zero: guest.zero,
        };
        let Some(bytes) = batch
            .bytes_for(guest.position, stamp)
            .filter(|_| !takes_a_turn)
        else {
            return false;
        };
        // Past tokio, which would look at its own notes on the socket first: with thousands of
        // players each look is a cache miss. A failed write is the business of the player's own
        // task, which finds the socket as it is.
        let flags = SendFlags::DONTWAIT | SendFlags::NOSIGNAL;
        let written = rustix::net::send(guest.writer.as_ref(), bytes, flags).unwrap_or(0);
        let before = guest.position;
        let is_complete = written == bytes.len();
        if is_complete {
            guest.position = batch.end();
        } else {
            let (rest, next) = batch.rest_after(before, written);
            self.rest = Bytes::copy_from_slice(rest);
            guest.position = next;
        }
        self.got.bytes += written as u64;
        self.got.packets += guest.position - before;
        is_complete
    }
}
