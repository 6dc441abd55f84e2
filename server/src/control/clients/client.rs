//! One client: who it is, what it does, and how its session ends.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Instant;

use tokio_util::sync::CancellationToken;

use crate::hub::Stream;
use crate::hub::stats::{Coarse, Kbps, Reading, Traffic, Windows};

/// What a client does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// Has not said yet, or does nothing any more.
    Unknown,
    /// Publishes.
    Publisher {
        /// It announced the stream, as encoders of the FMLE kind do, and Flash does not.
        announced: bool,
    },
    /// Plays.
    Player,
}

/// What a client said of itself when it connected.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Profile {
    /// The vhost that serves it.
    pub vhost: Box<str>,
    /// The application.
    pub app: Box<str>,
    /// What it connected to, without parameters: those are secrets as often as not.
    pub tc_url: Box<str>,
    /// The page that it sits in.
    pub page_url: Box<str>,
    /// The Flash program that it is.
    pub swf_url: Box<str>,
    /// What it calls itself.
    pub agent: Box<str>,
}

/// Why the server ends a client's session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// An operator wants it.
    Kicked,
    /// Its vhost is not served any more.
    VhostRemoved,
}

/// One connected client.
#[derive(Debug)]
pub struct Client {
    /// Unique while the process lives; counts from 100.
    pub id: u64,
    /// Where it connects from.
    pub peer: SocketAddr,
    /// When it connected.
    pub since: Instant,
    /// What went through its connection.
    pub traffic: Arc<Traffic>,
    pub(super) ended: CancellationToken,
    pub(super) ending: OnceLock<Ending>,
    /// Changed when it connects, publishes, plays or stops; looked at by whoever samples.
    pub(super) state: Mutex<State>,
}

#[derive(Debug)]
pub(super) struct State {
    pub(super) role: Role,
    /// Shared with others that said the same, as most viewers of a stream do.
    pub(super) profile: Arc<Profile>,
    /// What it publishes or plays, the newest if there are several.
    pub(super) stream: Option<Arc<Stream>>,
    /// What of its traffic has been brought to account.
    pub(super) settled: Reading,
    pub(super) windows: Windows<Coarse>,
}

impl State {
    /// The vhost that serves the client; empty before it has connected.
    pub(super) fn vhost(&self) -> &str {
        let of_stream = self.stream.as_ref().map(|stream| &*stream.name().vhost);
        of_stream.unwrap_or(&self.profile.vhost)
    }
}

/// What a client is, without its figures.
#[derive(Clone, Debug)]
pub struct Glance {
    /// What it does.
    pub role: Role,
    /// What it said of itself.
    pub profile: Arc<Profile>,
    /// What it publishes or plays, the newest if there are several.
    pub stream: Option<Arc<Stream>>,
}

/// A moment's look at a client.
#[derive(Clone, Debug)]
pub struct Look {
    /// What it does.
    pub role: Role,
    /// What it said of itself.
    pub profile: Arc<Profile>,
    /// What it publishes or plays, the newest if there are several.
    pub stream: Option<Arc<Stream>>,
    /// Its counters.
    pub reading: Reading,
    /// Its rates.
    pub windows: Windows<Coarse>,
}

impl Client {
    /// What it does.
    pub fn role(&self) -> Role {
        self.lock().role
    }

    /// The vhost that serves it, once it has connected: that of its stream, whose name may lead to
    /// another than it connected to.
    pub fn vhost(&self) -> Option<Box<str>> {
        let state = self.lock();
        let vhost = state.vhost();
        (!vhost.is_empty()).then(|| vhost.into())
    }

    /// Whether it connected to `vhost`, or publishes or plays a stream of it.
    pub fn is_of(&self, vhost: &str) -> bool {
        let state = self.lock();
        *state.profile.vhost == *vhost || state.vhost() == vhost
    }

    /// What it publishes or plays, the newest if there are several.
    pub fn stream(&self) -> Option<Arc<Stream>> {
        self.lock().stream.clone()
    }

    /// What `tell` makes of what it is now: its role, what it said of itself, and its stream. It is
    /// called under the client's lock, so it must be short.
    pub fn told<T>(&self, tell: impl FnOnce(Role, &Profile, Option<&Stream>) -> T) -> T {
        let state = self.lock();
        tell(state.role, &state.profile, state.stream.as_deref())
    }

    /// What it is now.
    pub fn glance(&self) -> Glance {
        let state = self.lock();
        Glance {
            role: state.role,
            profile: Arc::clone(&state.profile),
            stream: state.stream.clone(),
        }
    }

    /// Its rates over the shortest window.
    pub fn newest_kbps(&self) -> Kbps {
        self.lock().windows.newest_kbps()
    }

    /// What is known of it now.
    pub fn look(&self) -> Look {
        let state = self.lock();
        Look {
            role: state.role,
            profile: Arc::clone(&state.profile),
            stream: state.stream.clone(),
            reading: self.traffic.reading(),
            windows: state.windows.clone(),
        }
    }

    /// Ends its session, as soon as its task comes to it. The first reason counts: it is false for
    /// another one.
    pub fn end(&self, why: Ending) -> bool {
        self.end_told(why, || {})
    }

    /// As [`Self::end`]; if the reason counts, `tell` is called before the session can come to it,
    /// so that nothing of its end is told earlier.
    pub fn end_told(&self, why: Ending, tell: impl FnOnce()) -> bool {
        let is_first = self.ending.set(why).is_ok();
        if is_first {
            tell();
            self.ended.cancel();
        }
        is_first
    }

    /// Why its session was ended, if it was.
    pub fn ending(&self) -> Option<Ending> {
        self.ending.get().copied()
    }

    /// Cancelled when its session is to end, or the server stops.
    pub fn ended(&self) -> &CancellationToken {
        &self.ended
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, State> {
        // Whole at every point where a holder could panic.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
