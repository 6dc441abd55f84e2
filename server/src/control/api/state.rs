//! What all who serve the API share: how many there are, and how it went.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use axum::http::StatusCode;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::peer::HttpPeer;
use crate::config::{MAX_API_TCP, MAX_API_UNIX};
use crate::control::network::network;

/// Counts and bounds of the API of one server.
#[derive(Debug)]
pub struct ApiState {
    tcp: Arc<Semaphore>,
    unix: Arc<Semaphore>,
    /// Those of TCP that come from elsewhere, by their network.
    networks: Arc<Mutex<HashMap<IpAddr, usize>>>,
    watchers: Arc<Semaphore>,
    /// Whose turn it is to make a long answer.
    turn: Arc<Semaphore>,
    /// By the first digit of the status, from 1.
    requests: [AtomicU64; 5],
}

impl Default for ApiState {
    fn default() -> Self {
        Self {
            tcp: Arc::new(Semaphore::new(MAX_API_TCP)),
            unix: Arc::new(Semaphore::new(MAX_API_UNIX)),
            networks: Arc::default(),
            watchers: Arc::new(Semaphore::new(MAX_WATCHERS)),
            turn: Arc::new(Semaphore::new(1)),
            requests: Default::default(),
        }
    }
}

impl ApiState {
    /// A place for a connection.
    ///
    /// # Errors
    /// All are taken, or those that one address may have.
    pub fn admit(&self, peer: &HttpPeer) -> Result<Place, NoPlace> {
        let places = match peer {
            HttpPeer::Unix { .. } => &self.unix,
            HttpPeer::Tcp(_) => &self.tcp,
        };
        let permit = Arc::clone(places).try_acquire_owned();
        Ok(Place {
            _permit: permit.map_err(|_| NoPlace::AtAll)?,
            _from: match peer.ip().filter(|ip| !ip.is_loopback()) {
                Some(ip) => Some(PlaceOfNetwork::take(&self.networks, network(ip))?),
                None => None,
            },
        })
    }

    /// A place for somebody who watches events or the log.
    pub(super) fn watch(&self) -> Option<OwnedSemaphorePermit> {
        Arc::clone(&self.watchers).try_acquire_owned().ok()
    }

    /// Waits for its turn to make a long answer; it is over when the permit is dropped.
    pub(super) async fn turn(&self) -> Option<OwnedSemaphorePermit> {
        // It is never closed.
        Arc::clone(&self.turn).acquire_owned().await.ok()
    }

    pub(super) fn count(&self, status: StatusCode) {
        let class = usize::from(status.as_u16() / 100).wrapping_sub(1);
        if let Some(count) = self.requests.get(class) {
            count.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// How many connections there are.
    pub fn connections(&self) -> usize {
        let free = self.tcp.available_permits() + self.unix.available_permits();
        MAX_API_TCP + MAX_API_UNIX - free
    }

    /// How many watch events or the log.
    pub fn watchers(&self) -> usize {
        MAX_WATCHERS - self.watchers.available_permits()
    }

    /// Requests answered, by the class of their status.
    pub fn requests(&self) -> impl Iterator<Item = (&'static str, u64)> {
        let counts = self
            .requests
            .each_ref()
            .map(|count| count.load(Ordering::Relaxed));
        CLASSES.into_iter().zip(counts)
    }
}

/// Why a connection has no place.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoPlace {
    /// All are taken.
    #[error("there are as many as may be")]
    AtAll,
    /// Those that one address may have are taken.
    #[error("there are {MAX_PER_ADDRESS} from its address, which is as many as may be")]
    FromAddress,
}

/// The place of one connection. Dropping it makes it free.
#[derive(Debug)]
pub struct Place {
    _permit: OwnedSemaphorePermit,
    _from: Option<PlaceOfNetwork>,
}

/// One connection from a network.
#[derive(Debug)]
struct PlaceOfNetwork {
    networks: Arc<Mutex<HashMap<IpAddr, usize>>>,
    network: IpAddr,
}

impl PlaceOfNetwork {
    fn take(
        networks: &Arc<Mutex<HashMap<IpAddr, usize>>>,
        network: IpAddr,
    ) -> Result<Self, NoPlace> {
        let mut counts = networks.lock().unwrap_or_else(PoisonError::into_inner);
        let count = counts.entry(network).or_default();
        if *count >= MAX_PER_ADDRESS {
            return Err(NoPlace::FromAddress);
        }
        *count += 1;
        Ok(Self {
            networks: Arc::clone(networks),
            network,
        })
    }
}

impl Drop for PlaceOfNetwork {
    fn drop(&mut self) {
        let networks = &self.networks;
        let mut counts = networks.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = counts.get_mut(&self.network) {
            *count -= 1;
            if *count == 0 {
                counts.remove(&self.network);
            }
        }
    }
}

const CLASSES: [&str; 5] = ["1xx", "2xx", "3xx", "4xx", "5xx"];

/// From one address that is not of this host, so that nobody takes all before a proof is asked for.
const MAX_PER_ADDRESS: usize = 64;
/// Each event is written to all of them.
pub(crate) const MAX_WATCHERS: usize = 64;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_address_takes_no_more_than_its_share() {
        let api = ApiState::default();
        let tcp = |address: &str| HttpPeer::Tcp(address.parse().unwrap());
        let take = |peer: &HttpPeer| {
            (0..MAX_API_TCP)
                .map_while(|_| api.admit(peer).ok())
                .collect()
        };
        // IPv4 is IPv4 however it comes, and a host has many addresses of IPv6.
        for (peer, same, other) in [
            ("192.0.2.1:1", "[::ffff:192.0.2.1]:2", "192.0.2.2:1"),
            (
                "[2001:db8::1]:1",
                "[2001:db8::ffff:2]:2",
                "[2001:db8:0:1::1]:1",
            ),
        ] {
            let mut places: Vec<Place> = take(&tcp(peer));
            assert_eq!(places.len(), MAX_PER_ADDRESS, "{peer}");
            assert_eq!(api.admit(&tcp(same)).unwrap_err(), NoPlace::FromAddress);
            assert!(api.admit(&tcp(other)).is_ok(), "{other}");
            places.pop();
            assert!(api.admit(&tcp(same)).is_ok(), "{same}");
        }
        assert_eq!(
            (api.connections(), api.networks.lock().unwrap().len()),
            (0, 0)
        );

        let places: Vec<Place> = take(&tcp("127.0.0.1:1"));
        assert_eq!(places.len(), MAX_API_TCP, "this host");
        assert_eq!(api.admit(&tcp("192.0.2.1:1")).unwrap_err(), NoPlace::AtAll);
        assert!(api.networks.lock().unwrap().is_empty());
    }
}
