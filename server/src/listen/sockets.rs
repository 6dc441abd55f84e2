//! The listening sockets: told which there should be, they open and close what differs.
//!
//! What is to stay is not touched, so that a port that the kernel picked stays, too. What is new is
//! bound before anything else happens, and accepts nobody until it is told to; if one address
//! cannot be had, all is as it was. Only where a new address takes in one that is to go (`"1935"`
//! instead of `"127.0.0.1:1935"`) must the old one be closed before, and opened again if that was in
//! vain. Whoever has connected to a socket that is closed is still let in.

use std::env;
use std::fmt;
use std::mem;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use tokio::net::{TcpListener, UnixListener};
use tokio::task::JoinHandle;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use super::unix::{self, SocketFile};
use super::{ListenError, accept_rtmp, bind, http};
use crate::config::{ApiAddr, Config, DEFAULT_API_SOCKET, FilePath, ListenAddr};
use crate::control::logging::MessageId;
use crate::service::{Addresses, ApiAddress, Service};

/// A socket that there should be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Wanted {
    /// RTMP at this address.
    Rtmp(ListenAddr),
    /// The API at this address.
    Api(ApiAddr),
    /// The API at the usual place, or where else it can be had.
    ApiSomewhere,
}

/// The sockets that `config` wants, in its order.
pub fn wanted(config: &Config) -> Vec<Wanted> {
    let rtmp = config.listen.iter().copied().map(Wanted::Rtmp);
    let api = config
        .http_api
        .listen
        .iter()
        .filter(|_| config.http_api.enabled);
    let usual = Some(Path::new(DEFAULT_API_SOCKET));
    let api = api.map(|address| match address {
        address if address.path() == usual => Wanted::ApiSomewhere,
        address => Wanted::Api(address.clone()),
    });
    rtmp.chain(api).collect()
}

impl Wanted {
    fn tcp(&self) -> Option<&ListenAddr> {
        match self {
            Self::Rtmp(address) | Self::Api(ApiAddr::Tcp(address)) => Some(address),
            Self::Api(ApiAddr::Unix(_)) | Self::ApiSomewhere => None,
        }
    }

    /// Whether the kernel would refuse one beside the other.
    fn clashes(&self, other: &Self) -> bool {
        match (self.tcp(), other.tcp()) {
            (Some(one), Some(other)) => one.covers(other) || other.covers(one),
            _ => false,
        }
    }

    fn bind(&self) -> Result<Option<Bound>, ListenError> {
        let (listener, file) = match self {
            Self::Rtmp(address) => (Listener::Rtmp(bind(address)?), None),
            Self::Api(ApiAddr::Tcp(address)) => (Listener::ApiTcp(bind(address)?), None),
            Self::Api(ApiAddr::Unix(path)) => {
                let (listener, file) = unix::bind(path.as_path())?;
                (Listener::ApiUnix(listener), Some(file))
            }
            Self::ApiSomewhere => {
                let folder = env::var_os("XDG_RUNTIME_DIR").map(PathBuf::from);
                let folder = folder.filter(|folder| folder.is_absolute());
                let first = Path::new(DEFAULT_API_SOCKET);
                match unix::bind_default(first, folder.as_deref()) {
                    Some((listener, file)) => (Listener::ApiUnix(listener), Some(file)),
                    None => return Ok(None),
                }
            }
        };
        let place = match (&listener, &file) {
            (Listener::Rtmp(listener), _) => Place::Rtmp(address_of(listener)?),
            (Listener::ApiTcp(listener), _) => Place::Api(ApiAddress::Tcp(address_of(listener)?)),
            (Listener::ApiUnix(_), file) => {
                let path = file.as_ref().map(|file| file.path().into());
                Place::Api(ApiAddress::Unix(path.unwrap_or_default()))
            }
        };
        Ok(Some(Bound {
            wanted: self.clone(),
            place,
            listener,
            file,
        }))
    }
}

impl fmt::Display for Wanted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Rtmp(address) => write!(f, "{address}"),
            Self::Api(address) => write!(f, "{address} (API)"),
            Self::ApiSomewhere => write!(f, "unix:{DEFAULT_API_SOCKET} (API)"),
        }
    }
}

fn address_of(listener: &TcpListener) -> Result<SocketAddr, ListenError> {
    listener.local_addr().map_err(ListenError::Unknown)
}

/// Where a socket is.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Place {
    Rtmp(SocketAddr),
    Api(ApiAddress),
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Rtmp(address) => write!(f, "{address}"),
            Self::Api(address) => write!(f, "{address} (API)"),
        }
    }
}

#[derive(Debug)]
enum Listener {
    Rtmp(TcpListener),
    ApiTcp(TcpListener),
    ApiUnix(UnixListener),
}

/// A socket that queues clients and accepts none yet.
#[derive(Debug)]
struct Bound {
    wanted: Wanted,
    place: Place,
    listener: Listener,
    file: Option<SocketFile>,
}

impl Bound {
    fn start(self, service: &Arc<Service>) -> Open {
        let stop = service.stop.child_token();
        match &self.place {
            Place::Rtmp(address) => tracing::info!("listening for RTMP on {address}"),
            Place::Api(address) => tracing::info!("serving the API on {address}"),
        }
        let (shared, until) = (Arc::clone(service), stop.clone());
        let task = match self.listener {
            Listener::Rtmp(listener) => service.tasks.spawn(accept_rtmp(shared, listener, until)),
            Listener::ApiTcp(listener) => service
                .tasks
                .spawn(http::accept_tcp(shared, listener, until)),
            Listener::ApiUnix(listener) => service
                .tasks
                .spawn(http::accept_unix(shared, listener, until)),
        };
        Open {
            wanted: self.wanted,
            place: self.place,
            stop,
            task,
            file: self.file,
        }
    }
}

/// A socket that accepts. Dropping it closes it.
#[derive(Debug)]
struct Open {
    wanted: Wanted,
    place: Place,
    stop: CancellationToken,
    task: JoinHandle<()>,
    file: Option<SocketFile>,
}

impl Open {
    /// Whether it is what is wanted, or has come to lie where that should be.
    fn is(&self, wanted: &Wanted) -> bool {
        // A file that somebody has removed must be made anew.
        let can_be_reached = self.file.as_ref().is_none_or(SocketFile::is_there);
        can_be_reached && (self.wanted == *wanted || self.as_it_is() == *wanted)
    }

    /// What one would have to want to get exactly this one: with the port that the kernel picked,
    /// and at the place that the API has found.
    fn as_it_is(&self) -> Wanted {
        let with_port = |address: &ListenAddr, local: &SocketAddr| match address.ip() {
            Some(_) => ListenAddr::from(*local),
            None => ListenAddr::any(local.port()),
        };
        match (&self.wanted, &self.place) {
            (Wanted::Rtmp(address), Place::Rtmp(local)) => Wanted::Rtmp(with_port(address, local)),
            (Wanted::Api(ApiAddr::Tcp(address)), Place::Api(ApiAddress::Tcp(local))) => {
                Wanted::Api(ApiAddr::Tcp(with_port(address, local)))
            }
            (Wanted::ApiSomewhere, Place::Api(ApiAddress::Unix(path))) => path
                .to_str()
                .and_then(FilePath::new)
                .map_or(Wanted::ApiSomewhere, |path| {
                    Wanted::Api(ApiAddr::Unix(path))
                }),
            (wanted, _) => wanted.clone(),
        }
    }

    /// Accepts nobody further than those who wait already; true when the address is free.
    async fn close(&mut self) -> bool {
        self.stop.cancel();
        timeout(CLOSE_WITHIN, &mut self.task).await.is_ok()
    }

    fn tell_closed(&self) {
        match &self.place {
            Place::Rtmp(address) => tracing::info!("no longer listening for RTMP on {address}"),
            Place::Api(address) => tracing::info!("no longer serving the API on {address}"),
        }
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

/// The listening sockets of a server.
#[derive(Debug, Default)]
pub struct Sockets {
    /// What there should be.
    wanted: Vec<Wanted>,
    open: Vec<Open>,
}

/// What has been made ready; dropping it closes what is new.
#[derive(Debug)]
pub struct Prepared {
    wanted: Vec<Wanted>,
    bound: Vec<Bound>,
    /// Closed already, to make room.
    closed: Vec<Place>,
}

/// Sockets that are not wanted any more. Dropping them closes them, too, a little later.
#[derive(Debug)]
pub struct Leaving {
    open: Vec<Open>,
}

impl Leaving {
    /// Closes them: nobody can connect when it returns.
    pub async fn close(mut self) {
        for open in &self.open {
            open.stop.cancel();
        }
        for open in &mut self.open {
            if !open.close().await {
                tracing::warn!("{} is slow to close", open.place);
            }
        }
    }
}

/// The addresses that were opened and closed, as they are written in messages.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Moved {
    /// Opened.
    pub opened: Vec<String>,
    /// Closed.
    pub closed: Vec<String>,
}

impl Sockets {
    /// Binds what is in `wanted` and not open.
    ///
    /// # Errors
    /// An address cannot be had: the sockets are what they were.
    pub fn bind(wanted: Vec<Wanted>) -> Result<Prepared, ListenError> {
        let bound = bind_all(&wanted)?;
        Ok(Prepared {
            wanted,
            bound,
            closed: Vec::new(),
        })
    }

    /// Makes ready to have the sockets of `wanted`, and no others: binds those that are not open.
    ///
    /// # Errors
    /// An address cannot be had: the sockets are what they were.
    pub async fn prepare(
        &mut self,
        service: &Arc<Service>,
        wanted: Vec<Wanted>,
    ) -> Result<Prepared, ListenError> {
        let (new, going) = self.differences(&wanted);
        let in_the_way = |index: &usize| {
            let going = self.open.get(*index);
            going.is_some_and(|going| new.iter().any(|new| new.clashes(&going.as_it_is())))
        };
        let in_the_way: Vec<usize> = going.into_iter().filter(in_the_way).collect();
        let (blocked, free): (Vec<Wanted>, Vec<Wanted>) = new.into_iter().partition(|new| {
            let clash = |&index: &usize| self.open[index].as_it_is().clashes(new);
            in_the_way.iter().any(clash)
        });
        let mut bound = bind_all(&free)?;
        let mut closed = Vec::new();
        if !blocked.is_empty() {
            for &index in &in_the_way {
                let open = &mut self.open[index];
                if !open.close().await {
                    tracing::warn!("{} is slow to close", open.place);
                }
                open.tell_closed();
                closed.push(open.place.clone());
            }
            match bind_all(&blocked) {
                Ok(more) => bound.extend(more),
                Err(error) => {
                    self.open_again(service, &in_the_way);
                    return Err(error);
                }
            }
            self.open.retain(|open| !open.stop.is_cancelled());
        }
        Ok(Prepared {
            wanted,
            bound,
            closed,
        })
    }

    /// What would be opened and closed to have the sockets of `wanted`.
    pub fn plan(&self, wanted: &[Wanted]) -> Moved {
        let (new, going) = self.differences(wanted);
        let going = going.into_iter().filter_map(|index| self.open.get(index));
        Moved {
            opened: new.iter().map(ToString::to_string).collect(),
            closed: going.map(|open| open.place.to_string()).collect(),
        }
    }

    /// What is in `wanted` and not open, and the places of what is open and not in `wanted`.
    fn differences(&self, wanted: &[Wanted]) -> (Vec<Wanted>, Vec<usize>) {
        let mut going: Vec<usize> = (0..self.open.len()).collect();
        let mut new = Vec::new();
        for wanted in wanted {
            match going.iter().position(|&index| self.open[index].is(wanted)) {
                Some(found) => {
                    going.remove(found);
                }
                None => new.push(wanted.clone()),
            }
        }
        (new, going)
    }

    /// Opens those anew that have been closed in vain.
    fn open_again(&mut self, service: &Arc<Service>, indices: &[usize]) {
        for &index in indices {
            let open = &mut self.open[index];
            match open.as_it_is().bind() {
                Ok(Some(bound)) => {
                    let wanted = open.wanted.clone();
                    *open = Bound { wanted, ..bound }.start(service);
                }
                Ok(None) => {}
                // Somebody was faster. It is tried again with every reload.
                Err(error) => tracing::error!(
                    message_id = MessageId::ListenerLost.as_str(),
                    error = &error as &dyn std::error::Error,
                    "{} was closed to make room and cannot be opened again",
                    open.place
                ),
            }
        }
        self.open.retain(|open| !open.stop.is_cancelled());
        self.publish(service);
    }

    /// Accepts at what is new; gives what is not wanted any more, to be closed. Cannot fail.
    pub fn commit(&mut self, service: &Arc<Service>, prepared: Prepared) -> (Moved, Leaving) {
        let mut before = mem::take(&mut self.open);
        let mut bound = prepared.bound;
        let mut moved = Moved::default();
        self.wanted.clone_from(&prepared.wanted);
        for wanted in prepared.wanted {
            if let Some(kept) = before.iter().position(|open| open.is(&wanted)) {
                let mut kept = before.remove(kept);
                kept.wanted = wanted;
                self.open.push(kept);
            } else if let Some(new) = bound.iter().position(|bound| bound.wanted == wanted) {
                let new = bound.remove(new);
                moved.opened.push(new.place.to_string());
                self.open.push(new.start(service));
            }
        }
        for open in &before {
            open.tell_closed();
        }
        let gone = before.iter().map(|open| &open.place);
        moved.closed = prepared
            .closed
            .iter()
            .chain(gone)
            .map(ToString::to_string)
            .collect();
        self.publish(service);
        (moved, Leaving { open: before })
    }

    /// Closes all, for good.
    pub fn close(&mut self, service: &Service) {
        self.wanted.clear();
        self.open.clear();
        self.publish(service);
    }

    fn publish(&self, service: &Service) {
        let mut addresses = Addresses::default();
        for open in &self.open {
            match &open.place {
                Place::Rtmp(address) => addresses.rtmp.push(*address),
                Place::Api(address) => addresses.api.push(address.clone()),
            }
        }
        // Where the API is to be somewhere, it may be nowhere.
        let is_missing = |wanted: &&Wanted| {
            **wanted != Wanted::ApiSomewhere && !self.open.iter().any(|open| open.is(wanted))
        };
        let missing = self.wanted.iter().filter(is_missing);
        addresses.missing = missing.map(ToString::to_string).collect();
        service.set_addresses(addresses);
    }
}

fn bind_all(wanted: &[Wanted]) -> Result<Vec<Bound>, ListenError> {
    let bound = wanted.iter().map(Wanted::bind);
    bound.filter_map(Result::transpose).collect()
}

/// An accept loop ends as soon as it is told; what it lets in meanwhile takes no longer.
const CLOSE_WITHIN: Duration = Duration::from_secs(1);

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn an_address_that_was_lost_is_told_as_missing() {
        let config = Arc::new(Config::default());
        let service = Arc::new(Service::new(config, 100));
        let rtmp = |address: &str| Wanted::Rtmp(address.parse().unwrap());
        let wanted = vec![rtmp("127.0.0.1:0"), rtmp("127.0.0.2:0")];
        let mut sockets = Sockets::default();
        let prepared = Sockets::bind(wanted).unwrap();
        let _ = sockets.commit(&service, prepared);
        let before = service.addresses();
        assert_eq!((before.rtmp.len(), before.missing.len()), (2, 0));

        // Closed to make room, and somebody is faster.
        assert!(sockets.open[0].close().await);
        let _other = std::net::TcpListener::bind(before.rtmp[0]).unwrap();
        sockets.open_again(&service, &[0]);
        let after = service.addresses();
        assert_eq!(after.rtmp, before.rtmp[1..]);
        assert_eq!(after.missing, ["127.0.0.1:0"]);

        sockets.close(&service);
        assert_eq!(service.addresses(), Addresses::default());
    }
}
