//! The clients that are connected: their ids, roles and traffic.

use std::collections::HashMap;
use std::net::{IpAddr, SocketAddr};
use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::hub::stats::{Reading, Traffic};

/// What a client does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// Has not said yet.
    Unknown,
    /// Publishes.
    Publisher,
    /// Plays.
    Player,
}

/// One connected client.
#[derive(Debug)]
pub struct Client {
    /// Unique while the process lives; counts from 100.
    pub id: u64,
    /// Where it connects from.
    pub peer: SocketAddr,
    /// What went through its connection.
    pub traffic: Arc<Traffic>,
    role: AtomicU8,
    /// What had gone through its connection when it took its present role. Written under the
    /// registry's lock only.
    before_role: Mutex<Reading>,
}

impl Client {
    /// What it does.
    pub fn role(&self) -> Role {
        match self.role.load(Ordering::Relaxed) {
            1 => Role::Publisher,
            2 => Role::Player,
            _ => Role::Unknown,
        }
    }

    /// What it has counted in its present role.
    fn in_role(&self) -> Reading {
        let before = *self
            .before_role
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        self.traffic.reading().since(&before)
    }
}

/// The clients of this process. Clones share them.
#[derive(Clone, Debug, Default)]
pub struct Clients {
    registry: Arc<Mutex<Registry>>,
}

#[derive(Debug, Default)]
struct Registry {
    accepted: u64,
    clients: HashMap<u64, Arc<Client>>,
    per_address: HashMap<IpAddr, u32>,
    /// What publishers and players that have left had counted.
    past_publishers: Reading,
    past_players: Reading,
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
    /// Notes what the client does from now on. What it counted before stays with the role that it
    /// had.
    pub fn set_role(&self, role: Role) {
        if self.client.role() != role {
            let mut registry = self.clients.lock();
            registry.retire(&self.client);
            let now = self.client.traffic.reading();
            *self
                .client
                .before_role
                .lock()
                .unwrap_or_else(PoisonError::into_inner) = now;
            self.client.role.store(role as u8, Ordering::Relaxed);
        }
    }

    /// The client.
    pub fn client(&self) -> &Arc<Client> {
        &self.client
    }
}

impl Clients {
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
        let client = Arc::new(Client {
            id: FIRST_ID + registry.accepted,
            peer,
            traffic: Arc::default(),
            role: AtomicU8::new(Role::Unknown as u8),
            before_role: Mutex::default(),
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

    /// How many clients have this role now, and what all that ever had it counted together. The
    /// lag is that of the present ones.
    pub fn totals(&self, role: Role) -> (usize, Reading) {
        let registry = self.lock();
        let mut count = 0;
        let mut total = registry.past(role).copied().unwrap_or_default();
        for client in registry
            .clients
            .values()
            .filter(|client| client.role() == role)
        {
            count += 1;
            total.add(&client.in_role());
        }
        (count, total)
    }

    fn lock(&self) -> MutexGuard<'_, Registry> {
        // Whole at every point where a holder could panic.
        self.registry.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Registry {
    /// Adds what a client counted in its present role to what those before it had.
    fn retire(&mut self, client: &Client) {
        let reading = Reading {
            lag_millis: 0,
            ..client.in_role()
        };
        match client.role() {
            Role::Unknown => {}
            Role::Publisher => self.past_publishers.add(&reading),
            Role::Player => self.past_players.add(&reading),
        }
    }

    fn past(&self, role: Role) -> Option<&Reading> {
        match role {
            Role::Unknown => None,
            Role::Publisher => Some(&self.past_publishers),
            Role::Player => Some(&self.past_players),
        }
    }
}

impl Drop for Admitted {
    fn drop(&mut self) {
        let mut registry = self.clients.lock();
        registry.clients.remove(&self.client.id);
        let address = self.client.peer.ip().to_canonical();
        if let Some(count) = registry.per_address.get_mut(&address) {
            *count -= 1;
            if *count == 0 {
                registry.per_address.remove(&address);
            }
        }
        registry.retire(&self.client);
    }
}

/// Ids below are for parts of the server itself.
const FIRST_ID: u64 = 100;

#[cfg(test)]
mod tests {
    use super::*;

    const ROOMY: Admission = Admission {
        connections: 3,
        per_address: Some(2),
    };

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
    fn what_a_client_counted_stays_with_the_role_that_it_had() {
        let clients = Clients::default();
        let client = clients.admit(peer(1), ROOMY).expect("room");
        client.set_role(Role::Player);
        client
            .client()
            .traffic
            .packets
            .store(500, Ordering::Relaxed);
        client.set_role(Role::Publisher);
        assert_eq!(clients.totals(Role::Player).1.packets, 500);
        client
            .client()
            .traffic
            .packets
            .store(520, Ordering::Relaxed);
        assert_eq!(clients.totals(Role::Publisher).1.packets, 20);
        drop(client);
        assert_eq!(clients.totals(Role::Player).1.packets, 500);
        assert_eq!(clients.totals(Role::Publisher).1.packets, 20);
    }

    #[test]
    fn what_clients_counted_is_not_lost_when_they_leave() {
        let clients = Clients::default();
        let player = clients.admit(peer(1), ROOMY).expect("room");
        player.set_role(Role::Player);
        player
            .client()
            .traffic
            .bytes_out
            .store(500, Ordering::Relaxed);
        assert_eq!(clients.totals(Role::Player).1.bytes_out, 500);
        drop(player);
        let (count, total) = clients.totals(Role::Player);
        assert_eq!((count, total.bytes_out), (0, 500));
    }
}
