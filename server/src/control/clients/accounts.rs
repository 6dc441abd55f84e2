//! What clients have counted, by whom and for whom.

use std::collections::HashMap;
use std::time::Instant;

use super::client::{Role, State};
use crate::hub::stats::history::History;
use crate::hub::stats::{Reading, Tally, Traffic, Windows};

/// What all clients that ever were have counted. Locked after a client's own state, never before.
#[derive(Debug)]
pub(super) struct Accounts {
    pub(super) all: Tally,
    pub(super) publishers: Reading,
    pub(super) players: Reading,
    pub(super) present: Present,
    pub(super) history: History,
    /// By name. Only vhosts that are configured have clients, so there are not many.
    pub(super) vhosts: HashMap<Box<str>, Tally>,
}

/// What a vhost's clients, or all of them, have counted since the server began.
#[derive(Clone, Debug)]
pub struct Account {
    /// The sums.
    pub total: Reading,
    /// The rates.
    pub windows: Windows,
}

/// How many clients do what, now.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Present {
    /// Those that publish.
    pub publishers: usize,
    /// Those that play.
    pub players: usize,
}

impl Present {
    pub(super) fn count(&mut self, role: Role) -> Option<&mut usize> {
        match role {
            Role::Unknown => None,
            Role::Publisher { .. } => Some(&mut self.publishers),
            Role::Player => Some(&mut self.players),
        }
    }
}

impl Accounts {
    /// Adds what a client has counted since the last time to all that it belongs to.
    pub(super) fn settle(&mut self, traffic: &Traffic, state: &mut State) {
        let reading = traffic.reading();
        let counted = reading.since(&state.settled);
        state.settled = reading;
        self.all.add(&counted);
        match state.role {
            Role::Unknown => {}
            Role::Publisher { .. } => self.publishers.add(&Reading {
                lag_millis: 0,
                ..counted
            }),
            Role::Player => self.players.add(&Reading {
                lag_millis: 0,
                ..counted
            }),
        }
        if let Some(stream) = &state.stream {
            stream.tally().add(&counted);
        }
        let vhost = state.vhost();
        if let Some(tally) = self.vhosts.get_mut(vhost) {
            tally.add(&counted);
        } else if !vhost.is_empty() {
            let mut tally = Tally::new(Instant::now());
            tally.add(&counted);
            self.vhosts.insert(vhost.into(), tally);
        }
    }
}

impl Account {
    pub(super) fn of(tally: &Tally) -> Self {
        Self {
            total: *tally.total(),
            windows: tally.windows().clone(),
        }
    }
}
