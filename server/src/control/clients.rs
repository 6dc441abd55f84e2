//! The clients that are connected: who they are, what they do, what they have counted.
//!
//! Counters belong to the connections, which only add to atomics. What they have counted is
//! brought to the account of their stream, their vhost and the server by [`Clients::sample`], about
//! once a second, and when a client changes its role or leaves: so sums and rates cost the players
//! nothing, and nothing is lost or counted twice.
//!
//! - `client`: one of them; `accounts`: the sums.

mod accounts;
mod client;

use std::collections::{BTreeMap, HashMap};
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use tokio_util::sync::CancellationToken;

use self::accounts::Accounts;
pub use self::accounts::{Account, Present};
use self::client::State;
pub use self::client::{Client, Ending, Glance, Look, Profile, Role};
use super::network::{Shown, network};
use crate::hub::Stream;
use crate::hub::stats::history::{History, Moment, Span};
use crate::hub::stats::{Reading, Tally, Windows};

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
    /// By network: a host of IPv6 has 2^64 addresses to come from.
    per_network: HashMap<IpAddr, u32>,
    /// What the last one that connected said of itself.
    last_profile: Arc<Profile>,
}

/// How many clients there may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Admission {
    /// In all.
    pub connections: usize,
    /// From one address of IPv4 or one /64 network of IPv6; `None`: as many as like.
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
    /// There are as many clients from its address as may be, or from its network of IPv6.
    #[error(
        "{limit} clients are connected from {}, which is limits.connections_per_address",
        Shown(*from)
    )]
    TooManyFromAddress {
        /// The address or network.
        from: IpAddr,
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
        let from = network(address);
        let count = registry.per_network.get(&from).copied().unwrap_or(0);
        if let Some(limit) = admission.per_address.filter(|limit| count >= *limit) {
            return Err(NotAdmitted::TooManyFromAddress { from, limit });
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
        registry.per_network.insert(from, count + 1);
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

impl Drop for Admitted {
    fn drop(&mut self) {
        self.change(|state| state.role = Role::Unknown);
        let mut registry = self.clients.lock();
        registry.clients.remove(&self.client.id);
        let from = network(self.client.peer.ip());
        if let Some(count) = registry.per_network.get_mut(&from) {
            *count -= 1;
            if *count == 0 {
                registry.per_network.remove(&from);
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
        let text =
            "2 clients are connected from 192.0.2.1, which is limits.connections_per_address";
        assert_eq!(refused.to_string(), text);
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
    fn a_host_of_ipv6_has_no_more_room_by_changing_its_address() {
        let clients = Clients::default();
        let roomy = Admission {
            connections: 100,
            ..ROOMY
        };
        let admit = |ip: &str| clients.admit(SocketAddr::new(ip.parse().unwrap(), 1), roomy);
        let first = admit("2001:db8::1").expect("room");
        let second = admit("2001:db8::ffff:2").expect("room");
        let refused = admit("2001:db8::3").expect_err("two from one network");
        let text =
            "2 clients are connected from 2001:db8::/64, which is limits.connections_per_address";
        assert_eq!(refused.to_string(), text);
        let neighbours = ["2001:db8:0:1::1", "::1", "127.0.0.1"];
        let others = neighbours.map(|ip| admit(ip).expect("it is another host"));
        drop(first);
        admit("2001:db8::3").expect("room again");
        drop((second, others));
        assert!(clients.lock().per_network.is_empty());
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
