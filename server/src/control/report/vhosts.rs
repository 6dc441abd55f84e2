//! Vhosts.

use std::collections::{BTreeMap, HashMap};

use srs_api::{Hls, Vhost};

use super::{Listed, kbps};
use crate::config::{Config, VhostName};
use crate::control::clients::Account;
use crate::service::Service;

/// The vhosts that are configured and the one for all other names, by name.
pub fn vhosts(service: &Service, start: usize, count: usize) -> Listed<Vhost> {
    let config = service.config();
    let names = names(&config);
    let census = Census::take(service);
    Listed::page(&names, start, count, |name| tell(&config, name, &census))
}

/// One vhost.
pub fn vhost(service: &Service, id: &str) -> Option<Vhost> {
    let config = service.config();
    let name = *names(&config).iter().find(|name| **name == id)?;
    Some(tell(&config, name, &Census::take(service)))
}

fn names(config: &Config) -> Vec<&str> {
    let mut names: Vec<&str> = config.vhosts.keys().map(VhostName::as_str).collect();
    if let Err(place) = names.binary_search(&VhostName::DEFAULT) {
        names.insert(place, VhostName::DEFAULT);
    }
    names
}

/// What there is of each vhost.
struct Census {
    accounts: HashMap<Box<str>, Account>,
    clients: BTreeMap<Box<str>, usize>,
    /// Streams, and the players of all of them.
    streams: BTreeMap<String, (usize, usize)>,
}

impl Census {
    fn take(service: &Service) -> Self {
        let mut clients = BTreeMap::new();
        for vhost in service
            .clients
            .list()
            .iter()
            .filter_map(|client| client.vhost())
        {
            *clients.entry(vhost).or_default() += 1;
        }
        let mut streams: BTreeMap<String, (usize, usize)> = BTreeMap::new();
        for stream in service.hub.streams() {
            let (count, viewers) = streams.entry(stream.name().vhost.clone()).or_default();
            *count += 1;
            *viewers += stream.subscribers();
        }
        Self {
            accounts: service.clients.vhost_accounts(),
            clients,
            streams,
        }
    }
}

fn tell(config: &Config, name: &str, census: &Census) -> Vhost {
    let account = census.accounts.get(name);
    let total = account.map(|account| account.total).unwrap_or_default();
    let (streams, viewers) = census.streams.get(name).copied().unwrap_or_default();
    Vhost {
        id: name.to_owned(),
        name: name.to_owned(),
        enabled: config.vhost(name).1.enabled,
        clients: census.clients.get(name).copied().unwrap_or(0),
        streams,
        viewers,
        send_bytes: total.bytes_out,
        recv_bytes: total.bytes_in,
        send_packets: total.packets_out,
        recv_packets: total.packets_in,
        kbps: account
            .map(|account| kbps(&account.windows))
            .unwrap_or_default(),
        hls: Hls::default(),
    }
}
