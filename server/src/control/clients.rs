//! The clients that are connected: who they are, what they do, what they have counted.
//!
//! Counters belong to the connections, which only add to atomics. What they have counted is
//! brought to the account of their stream, their vhost and the server by [`Clients::sample`], about
//! once a second, and when a client changes its role or leaves: so sums and rates cost the players
//! nothing, and nothing is lost or counted twice.

use std::collections::{BTreeMap, HashMap};
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use tokio_util::sync::CancellationToken;

use crate::hub::Stream;
use crate::hub::stats::history::{History, Moment, Span};
use crate::hub::stats::{Coarse, Kbps, Reading, Tally, Traffic, Windows};

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
    ended: CancellationToken,
    ending: OnceLock<Ending>,
    /// Changed when it connects, publishes, plays or stops; looked at by whoever samples.
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    role: Role,
    /// Shared with others that said the same, as most viewers of a stream do.
    profile: Arc<Profile>,
    /// What it publishes or plays, the newest if there are several.
    stream: Option<Arc<Stream>>,
    /// What of its traffic has been brought to account.
    settled: Reading,
    windows: Windows<Coarse>,
}

impl State {
    /// The vhost that serves the client; empty before it has connected.
    fn vhost(&self) -> &str {
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

    fn lock(&self) -> MutexGuard<'_, State> {
        // Whole at every point where a holder could panic.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The clients of this process. Clones share them.
#[derive(Clone, Debug)]
pub struct Clients {
    registry: Arc<Mutex<Registry>>,
    accounts: Arc<Mutex<Accounts>>,
    stop: CancellationToken,
}

#[derive(Debug, Default)]
struct Registry {
    accepted: u64,
    clients: BTreeMap<u64, Arc<Client>>,
    per_address: HashMap<IpAddr, u32>,
    /// What the last one that connected said of itself.
    last_profile: Arc<Profile>,
}

/// What all clients that ever were have counted. Locked after a client's own state, never before.
#[derive(Debug)]
struct Accounts {
    all: Tally,
    publishers: Reading,
    players: Reading,
    present: Present,
    history: History,
    /// By name. Only vhosts that are configured have clients, so there are not many.
    vhosts: HashMap<Box<str>, Tally>,
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
    fn count(&mut self, role: Role) -> Option<&mut usize> {
        match role {
            Role::Unknown => None,
            Role::Publisher { .. } => Some(&mut self.publishers),
            Role::Player => Some(&mut self.players),
        }
    }
}

/// How many clients there may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Admission {
    /// In all.
    pub connections: usize,
    /// From one address; `None`: as many as like.
    pub per_address: Option<u32>,
}

/// Why a client is not let in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotAdmitted {
    /// There are as many clients as may be.
    #[error("{limit} clients are connected, which is max_connections")]
    TooMany {
        /// The limit.
        limit: usize,
    },
    /// There are as many clients from its address as may be.
    #[error(
        "{limit} clients are connected from this address, which is limits.connections_per_address"
    )]
    TooManyFromAddress {
        /// The limit.
        limit: u32,
    },
}

/// A client's place among the connected. Dropping it leaves.
#[derive(Debug)]
pub struct Admitted {
    clients: Clients,
    client: Arc<Client>,
}

impl Admitted {
    /// Notes what the client said of itself.
    pub fn set_profile(&self, profile: Profile) {
        let profile = self.clients.lock().share(profile);
        self.change(|state| state.profile = profile);
    }

    /// Notes what the client does from now on, and with which stream. What it has counted before
    /// stays with what it did then.
    pub fn set_role(&self, role: Role, stream: Option<Arc<Stream>>) {
        self.change(|state| {
            state.role = role;
            state.stream = stream;
        });
    }

    /// The client.
    pub fn client(&self) -> &Arc<Client> {
        &self.client
    }

    /// Brings to account what was counted up to now, then changes what the rest belongs to.
    fn change(&self, change: impl FnOnce(&mut State)) {
        let mut state = self.client.lock();
        let mut accounts = self.clients.lock_accounts();
        accounts.settle(&self.client.traffic, &mut state);
        let before = state.role;
        change(&mut state);
        if let Some(count) = accounts.present.count(before) {
            *count -= 1;
        }
        if let Some(count) = accounts.present.count(state.role) {
            *count += 1;
        }
    }
}

impl Default for Clients {
    fn default() -> Self {
        Self::new(CancellationToken::new())
    }
}

impl Clients {
    /// Nobody yet. All sessions end when `stop` is cancelled.
    pub fn new(stop: CancellationToken) -> Self {
        let now = Instant::now();
        Self {
            registry: Arc::default(),
            accounts: Arc::new(Mutex::new(Accounts {
                all: Tally::new(now),
                publishers: Reading::default(),
                players: Reading::default(),
                present: Present::default(),
                history: History::new(now),
                vhosts: HashMap::new(),
            })),
            stop,
        }
    }

    /// Lets a client in, if there is room.
    ///
    /// # Errors
    /// [`NotAdmitted`]: there is none.
    pub fn admit(&self, peer: SocketAddr, admission: Admission) -> Result<Admitted, NotAdmitted> {
        let address = peer.ip().to_canonical();
        let mut registry = self.lock();
        if registry.clients.len() >= admission.connections {
            return Err(NotAdmitted::TooMany {
                limit: admission.connections,
            });
        }
        let from_address = registry.per_address.get(&address).copied().unwrap_or(0);
        if let Some(limit) = admission.per_address.filter(|limit| from_address >= *limit) {
            return Err(NotAdmitted::TooManyFromAddress { limit });
        }
        let now = Instant::now();
        let client = Arc::new(Client {
            id: FIRST_ID + registry.accepted,
            peer: SocketAddr::new(address, peer.port()),
            since: now,
            traffic: Arc::default(),
            ended: self.stop.child_token(),
            ending: OnceLock::new(),
            state: Mutex::new(State {
                role: Role::Unknown,
                profile: Arc::default(),
                stream: None,
                settled: Reading::default(),
                windows: Windows::new(now),
            }),
        });
        registry.accepted += 1;
        registry.per_address.insert(address, from_address + 1);
        registry.clients.insert(client.id, Arc::clone(&client));
        drop(registry);
        Ok(Admitted {
            clients: self.clone(),
            client,
        })
    }

    /// How many are connected.
    pub fn len(&self) -> usize {
        self.lock().clients.len()
    }

    /// Whether nobody is connected.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// How many were let in since the server began.
    pub fn accepted(&self) -> u64 {
        self.lock().accepted
    }

    /// Those that are connected, by id.
    pub fn list(&self) -> Vec<Arc<Client>> {
        self.lock().clients.values().map(Arc::clone).collect()
    }

    /// The client of this id, if it is connected.
    pub fn get(&self, id: u64) -> Option<Arc<Client>> {
        self.lock().clients.get(&id).map(Arc::clone)
    }

    /// Brings to account what the clients have counted, and notes it for the rates; to be called
    /// about once a second, from one place.
    pub fn sample(&self, now: Instant) {
        for client in self.list() {
            let mut state = client.lock();
            let reading = client.traffic.reading();
            state
                .windows
                .record(now, reading.bytes_in, reading.bytes_out);
            // Somebody who counts nothing new costs no more than the look.
            if reading.since(&state.settled).has_counted() {
                self.lock_accounts().settle(&client.traffic, &mut state);
            }
        }
        let mut accounts = self.lock_accounts();
        accounts.all.sample(now);
        let moment = Moment {
            bytes_in: accounts.all.total().bytes_in,
            bytes_out: accounts.all.total().bytes_out,
            viewers: accounts.present.players,
            ..Moment::default()
        };
        accounts.history.record(now, &moment);
        for vhost in accounts.vhosts.values_mut() {
            vhost.sample(now);
        }
    }

    /// What all clients since the server began have counted, up to the last sample.
    pub fn account(&self) -> Account {
        Account::of(&self.lock_accounts().all)
    }

    /// What the clients of each vhost have counted, up to the last sample.
    pub fn vhost_accounts(&self) -> HashMap<Box<str>, Account> {
        let mut accounts = HashMap::new();
        for (name, tally) in &self.lock_accounts().vhosts {
            accounts.insert(name.clone(), Account::of(tally));
        }
        accounts
    }

    /// The last `length` of what all clients received, sent and played.
    pub fn history(&self, length: Duration) -> Span {
        self.lock_accounts().history.last(length)
    }

    /// How many publish and play now.
    pub fn present(&self) -> Present {
        self.lock_accounts().present
    }

    /// Forgets the accounts of vhosts that `is_wanted` says no to.
    pub fn retain_vhosts(&self, is_wanted: impl Fn(&str) -> bool) {
        let mut accounts = self.lock_accounts();
        accounts.vhosts.retain(|name, _| is_wanted(name));
    }

    /// How many clients publish now, how far the slowest of them is behind, and what all that ever
    /// did have counted as publishers.
    pub fn publishers(&self) -> (usize, Reading) {
        let (count, lag) = self.count(|role| matches!(role, Role::Publisher { .. }));
        let total = self.lock_accounts().publishers;
        (
            count,
            Reading {
                lag_millis: lag,
                ..total
            },
        )
    }

    /// The same of players.
    pub fn players(&self) -> (usize, Reading) {
        let (count, lag) = self.count(|role| role == Role::Player);
        let total = self.lock_accounts().players;
        (
            count,
            Reading {
                lag_millis: lag,
                ..total
            },
        )
    }

    /// Settles all clients; counts those of a role, with the longest lag in milliseconds.
    fn count(&self, is_wanted: impl Fn(Role) -> bool) -> (usize, u64) {
        let (mut count, mut lag) = (0, 0);
        for client in self.list() {
            let mut state = client.lock();
            self.lock_accounts().settle(&client.traffic, &mut state);
            if is_wanted(state.role) {
                count += 1;
                lag = lag.max(state.settled.lag_millis);
            }
        }
        (count, lag)
    }

    fn lock(&self) -> MutexGuard<'_, Registry> {
        // Whole at every point where a holder could panic.
        self.registry.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn lock_accounts(&self) -> MutexGuard<'_, Accounts> {
        // Sums, each of which is whole by itself.
        self.accounts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Registry {
    /// `profile`, or the same that somebody else has already.
    fn share(&mut self, profile: Profile) -> Arc<Profile> {
        if *self.last_profile != profile {
            self.last_profile = Arc::new(profile);
        }
        Arc::clone(&self.last_profile)
    }
}

impl Accounts {
    /// Adds what a client has counted since the last time to all that it belongs to.
    fn settle(&mut self, traffic: &Traffic, state: &mut State) {
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
    fn of(tally: &Tally) -> Self {
        Self {
            total: *tally.total(),
            windows: tally.windows().clone(),
        }
    }
}

impl Drop for Admitted {
    fn drop(&mut self) {
        self.change(|state| state.role = Role::Unknown);
        let mut registry = self.clients.lock();
        registry.clients.remove(&self.client.id);
        let address = self.client.peer.ip();
        if let Some(count) = registry.per_address.get_mut(&address) {
            *count -= 1;
            if *count == 0 {
                registry.per_address.remove(&address);
            }
        }
    }
}

/// Ids below are for parts of the server itself.
const FIRST_ID: u64 = 100;

#[cfg(test)]
mod tests {
    use std::sync::atomic::Ordering;

    use super::*;

    const ROOMY: Admission = Admission {
        connections: 3,
        per_address: Some(2),
    };

    fn packets_out(packets_out: u64) -> Reading {
        Reading {
            packets_out,
            ..Reading::default()
        }
    }

    fn peer(host: u8) -> SocketAddr {
        SocketAddr::from(([192, 0, 2, host], 40_000))
    }

    #[test]
    fn clients_are_let_in_up_to_each_limit_and_leave_room_behind() {
        let clients = Clients::default();
        let first = clients.admit(peer(1), ROOMY).expect("room");
        let second = clients.admit(peer(1), ROOMY).expect("room");
        assert_eq!((first.client().id, second.client().id), (100, 101));
        let refused = clients
            .admit(peer(1), ROOMY)
            .expect_err("two from one address");
        assert_eq!(refused, NotAdmitted::TooManyFromAddress { limit: 2 });
        let _third = clients.admit(peer(2), ROOMY).expect("room");
        let refused = clients.admit(peer(3), ROOMY).expect_err("three in all");
        assert_eq!(refused, NotAdmitted::TooMany { limit: 3 });
        drop(first);
        clients.admit(peer(1), ROOMY).expect("room again");
    }

    #[test]
    fn an_ipv4_address_counts_the_same_through_an_ipv6_socket() {
        let clients = Clients::default();
        let mapped = SocketAddr::from((std::net::Ipv4Addr::new(192, 0, 2, 1).to_ipv6_mapped(), 1));
        let _one = clients.admit(peer(1), ROOMY).expect("room");
        let _two = clients.admit(mapped, ROOMY).expect("room");
        assert!(clients.admit(mapped, ROOMY).is_err());
    }

    #[test]
    fn why_a_client_is_ended_is_told_once_and_before_it_ends() {
        let clients = Clients::default();
        let admitted = clients.admit(peer(1), ROOMY).expect("room");
        let client = admitted.client();
        let mut told = 0;
        for is_first in [true, false] {
            let ended = client.end_told(Ending::Kicked, || {
                assert!(!client.ended().is_cancelled());
                told += 1;
            });
            assert_eq!((ended, told), (is_first, 1));
            assert!(client.ended().is_cancelled());
        }
        assert!(!client.end(Ending::VhostRemoved));
        assert_eq!(client.ending(), Some(Ending::Kicked));
    }

    #[test]
    fn what_a_client_counted_stays_with_the_role_that_it_had() {
        let clients = Clients::default();
        let client = clients.admit(peer(1), ROOMY).expect("room");
        client.set_role(Role::Player, None);
        let counter = &client.client().traffic.packets_out;
        counter.store(500, Ordering::Relaxed);
        client.set_role(Role::Publisher { announced: true }, None);
        assert_eq!(clients.players().1.packets_out, 500);
        counter.store(520, Ordering::Relaxed);
        assert_eq!(clients.publishers(), (1, packets_out(20)));
        let present = Present {
            publishers: 1,
            players: 0,
        };
        assert_eq!(clients.present(), present);
        drop(client);
        assert_eq!(clients.players(), (0, packets_out(500)));
        assert_eq!(clients.publishers(), (0, packets_out(20)));
        assert_eq!(clients.present(), Present::default());
    }

    #[test]
    fn what_clients_counted_is_not_lost_when_they_leave() {
        let clients = Clients::default();
        let player = clients.admit(peer(1), ROOMY).expect("room");
        player.set_profile(Profile {
            vhost: "a.example".into(),
            ..Profile::default()
        });
        player.set_role(Role::Player, None);
        let counter = &player.client().traffic.bytes_out;
        counter.store(500, Ordering::Relaxed);
        assert_eq!(clients.players().1.bytes_out, 500);
        counter.store(700, Ordering::Relaxed);
        clients.sample(Instant::now());
        clients.sample(Instant::now());
        assert_eq!(clients.account().total.bytes_out, 700);
        counter.store(900, Ordering::Relaxed);
        drop(player);
        let (count, total) = clients.players();
        assert_eq!((count, total.bytes_out), (0, 900));
        assert_eq!(clients.account().total.bytes_out, 900);
        let accounts = clients.vhost_accounts();
        assert_eq!(accounts["a.example"].total.bytes_out, 900);
    }
}
