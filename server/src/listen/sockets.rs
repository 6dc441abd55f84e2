//! The listening sockets: told which there should be, they open and close what differs.
//!
//! What is to stay is not touched, so that a port that the kernel picked stays, too. What is new is
//! bound before anything else happens, and accepts nobody until it is told to; if one address
//! cannot be had, all is as it was. Only where a new address takes in one that is to go (`"1935"`
//! instead of `"127.0.0.1:1935"`) must the old one be closed before, and opened again if that was in
//! vain. Whoever has connected to a socket that is closed is still let in.
//!
//! Sockets that systemd has passed ([`super::passed`]) are always open. What they serve is not bound
//! again, and where one of their kind is there, the default address gives way.

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

use super::http;
use super::passed::{Handed, HandedListener, HandedPlace, Passed, Role};
use super::unix::{self, SocketFile};
use super::{ListenError, accept_rtmp, bind};
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
    /// The one of this number among those that were passed, which is there.
    Passed(usize, Place),
}

impl Wanted {
    fn tcp(&self) -> Option<&ListenAddr> {
        match self {
            Self::Rtmp(address) | Self::Api(ApiAddr::Tcp(address)) => Some(address),
            Self::Api(ApiAddr::Unix(_)) | Self::ApiSomewhere | Self::Passed(..) => None,
        }
    }

    /// Whether the kernel would refuse one beside the other.
    fn clashes(&self, other: &Self) -> bool {
        match (self.tcp(), other.tcp()) {
            (Some(one), Some(other)) => one.covers(other) || other.covers(one),
            _ => false,
        }
    }

    /// Binds it, or takes it out of `handed`.
    fn bind(&self, handed: &mut [Handed]) -> Result<Option<Bound>, ListenError> {
        let (listener, file) = match self {
            Self::Passed(index, place) => {
                let Some(handed) = handed.get_mut(*index) else {
                    return Ok(None);
                };
                let role = handed.role;
                let Some(socket) = handed.take().map_err(ListenError::Passed)? else {
                    return Ok(None);
                };
                return Ok(Some(Bound {
                    wanted: self.clone(),
                    place: place.clone(),
                    listener: Listener::of(role, socket),
                    file: None,
                }));
            }
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
            (Listener::Http(listener), _) => Place::Http(address_of(listener)?),
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
            Self::Passed(_, place) => write!(f, "{place}"),
        }
    }
}

fn address_of(listener: &TcpListener) -> Result<SocketAddr, ListenError> {
    listener.local_addr().map_err(ListenError::Unknown)
}

/// Where a socket is, and what for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// RTMP is listened for there.
    Rtmp(SocketAddr),
    /// The API is served there.
    Api(ApiAddress),
    /// Media is asked for there, over HTTP.
    Http(SocketAddr),
}

impl Place {
    fn of(handed: &Handed) -> Self {
        match (&handed.place, handed.role) {
            (HandedPlace::Unix { path, .. }, _) => Self::Api(ApiAddress::Unix(path.clone())),
            (HandedPlace::Tcp(tcp), Role::Rtmp) => Self::Rtmp(tcp.address),
            (HandedPlace::Tcp(tcp), Role::Api) => Self::Api(ApiAddress::Tcp(tcp.address)),
            (HandedPlace::Tcp(tcp), Role::Http) => Self::Http(tcp.address),
        }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Rtmp(address) => write!(f, "{address}"),
            Self::Api(address) => write!(f, "{address} (API)"),
            Self::Http(address) => write!(f, "{address} (HTTP)"),
        }
    }
}

#[derive(Debug)]
enum Listener {
    Rtmp(TcpListener),
    ApiTcp(TcpListener),
    ApiUnix(UnixListener),
    Http(TcpListener),
}

impl Listener {
    fn of(role: Role, socket: HandedListener) -> Self {
        match (socket, role) {
            // A unix socket is for nothing else.
            (HandedListener::Unix(listener), _) => Self::ApiUnix(listener),
            (HandedListener::Tcp(listener), Role::Rtmp) => Self::Rtmp(listener),
            (HandedListener::Tcp(listener), Role::Api) => Self::ApiTcp(listener),
            (HandedListener::Tcp(listener), Role::Http) => Self::Http(listener),
        }
    }
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
        let by = match self.wanted {
            Wanted::Passed(..) => " (held by systemd)",
            _ => "",
        };
        match &self.place {
            Place::Rtmp(address) => tracing::info!("listening for RTMP on {address}{by}"),
            Place::Api(address) => tracing::info!("serving the API on {address}{by}"),
            Place::Http(address) => {
                tracing::info!("refusing HTTP on {address}{by}: no media is served over it yet");
            }
        }
        let (shared, until) = (Arc::clone(service), stop.clone());
        let task = match self.listener {
            Listener::Rtmp(listener) => service.tasks.spawn(accept_rtmp(shared, listener, until)),
            Listener::ApiTcp(listener) => service
                .tasks
                .spawn(http::accept_tcp(shared, listener, until)),
            Listener::Http(listener) => service
                .tasks
                .spawn(http::media::accept(shared, listener, until)),
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
            Place::Http(address) => tracing::info!("no longer refusing HTTP on {address}"),
        }
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

/// A socket that is to be open: it is, or has been bound for it.
#[derive(Debug)]
enum Next {
    Open(Open),
    Bound(Bound),
}

impl Next {
    fn place(&self) -> &Place {
        match self {
            Self::Open(open) => &open.place,
            Self::Bound(bound) => &bound.place,
        }
    }

    fn start(self, service: &Arc<Service>) -> Open {
        match self {
            Self::Open(open) => open,
            Self::Bound(bound) => bound.start(service),
        }
    }
}

/// The listening sockets of a server.
#[derive(Debug, Default)]
pub struct Sockets {
    /// Those that were passed. They are as many as long as the server runs.
    handed: Vec<Handed>,
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
    /// None is open yet; those that were passed are for what `config` says, or their names.
    pub fn new(passed: Vec<Passed>, config: &Config) -> Self {
        let handed = passed.into_iter().filter_map(|p| p.into_handed(config));
        Self {
            handed: handed.collect(),
            ..Self::default()
        }
    }

    /// The sockets that there should be by `config`: those that were passed, and one for each of its
    /// addresses that none of them serves.
    pub fn wanted(&self, config: &Config) -> Vec<Wanted> {
        let passed = self.handed.iter().enumerate();
        let passed = passed.map(|(index, handed)| Wanted::Passed(index, Place::of(handed)));
        let mut wanted: Vec<Wanted> = passed.collect();

        let has = |role| self.handed.iter().any(|handed| handed.is_way_to(role));
        let gives_way = config.listen == Config::default().listen && has(Role::Rtmp);
        let is_served = |address: &&ListenAddr| {
            gives_way || self.handed.iter().any(|handed| handed.serves_rtmp(address))
        };
        let rtmp = config.listen.iter().filter(|address| !is_served(address));
        wanted.extend(rtmp.copied().map(Wanted::Rtmp));

        if config.http_api.enabled {
            let gives_way =
                config.http_api.listen == Config::default().http_api.listen && has(Role::Api);
            let is_served = |address: &&ApiAddr| {
                gives_way || self.handed.iter().any(|handed| handed.serves_api(address))
            };
            let api = config.http_api.listen.iter();
            let usual = Some(Path::new(DEFAULT_API_SOCKET));
            wanted.extend(api.filter(|a| !is_served(a)).map(|address| match address {
                address if address.path() == usual => Wanted::ApiSomewhere,
                address => Wanted::Api(address.clone()),
            }));
        }
        wanted
    }

    /// What `config` says of RTMP and passed sockets do not heed: they stay open, whatever it is.
    pub fn warnings(&self, config: &Config) -> Vec<String> {
        let is_default = config.listen == Config::default().listen;
        let handed = self
            .handed
            .iter()
            .filter(|handed| handed.role == Role::Rtmp);
        let unnamed = handed.filter(|handed| {
            let is_named = |wanted: &ListenAddr| handed.place.is(wanted);
            !is_default && !config.listen.iter().any(is_named)
        });
        let warning = |handed: &Handed| {
            let place = &handed.place;
            let covered = config
                .listen
                .iter()
                .find(|wanted| handed.serves_rtmp(wanted));
            let instead =
                covered.map_or_else(String::new, |wanted| format!("{wanted} is part of it; "));
            format!(
                "RTMP is served on {place}, which systemd holds, though `listen` does not name it: \
                 {instead}`systemctl edit srs.socket` says where systemd listens, or `systemctl mask \
                 --now srs.socket` leaves it to `listen`"
            )
        };
        unnamed.map(warning).collect()
    }

    /// Binds what is in `wanted`, where nothing is open yet.
    ///
    /// # Errors
    /// An address cannot be had: none is open.
    pub fn bind(&mut self, wanted: Vec<Wanted>) -> Result<Prepared, ListenError> {
        let bound = bind_all(&wanted, &mut self.handed)?;
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
        let mut bound = bind_all(&free, &mut self.handed)?;
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
            match bind_all(&blocked, &mut self.handed) {
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
            match open.as_it_is().bind(&mut []) {
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
        let mut next = Vec::new();
        let mut missing = Vec::new();
        for wanted in &prepared.wanted {
            if let Some(kept) = before.iter().position(|open| open.is(wanted)) {
                let mut kept = before.remove(kept);
                kept.wanted = wanted.clone();
                next.push(Next::Open(kept));
            } else if let Some(new) = bound.iter().position(|bound| bound.wanted == *wanted) {
                let new = bound.remove(new);
                moved.opened.push(new.place.to_string());
                next.push(Next::Bound(new));
            } else {
                missing.push(wanted);
            }
        }
        // Whoever is let in by one that is new may ask at once where we listen.
        service.set_addresses(addresses(next.iter().map(Next::place), missing));
        self.open = next.into_iter().map(|next| next.start(service)).collect();
        self.wanted = prepared.wanted;
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
        (moved, Leaving { open: before })
    }

    /// Closes all, for good.
    pub fn close(&mut self, service: &Service) {
        self.wanted.clear();
        self.open.clear();
        self.publish(service);
    }

    fn publish(&self, service: &Service) {
        let is_missing = |wanted: &&Wanted| !self.open.iter().any(|open| open.is(wanted));
        let missing = self.wanted.iter().filter(is_missing);
        service.set_addresses(addresses(self.open.iter().map(|open| &open.place), missing));
    }
}

/// Where it listens, and what is wanted and not there.
fn addresses<'a>(
    places: impl IntoIterator<Item = &'a Place>,
    missing: impl IntoIterator<Item = &'a Wanted>,
) -> Addresses {
    let mut addresses = Addresses::default();
    for place in places {
        match place {
            Place::Rtmp(address) => addresses.rtmp.push(*address),
            Place::Api(address) => addresses.api.push(address.clone()),
            Place::Http(address) => addresses.http.push(*address),
        }
    }
    // Where the API is to be somewhere, it may be nowhere.
    let missing = missing
        .into_iter()
        .filter(|wanted| **wanted != Wanted::ApiSomewhere);
    addresses.missing = missing.map(ToString::to_string).collect();
    addresses
}

fn bind_all(wanted: &[Wanted], handed: &mut [Handed]) -> Result<Vec<Bound>, ListenError> {
    let bound = wanted.iter().map(|wanted| wanted.bind(handed));
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
        let prepared = sockets.bind(wanted).unwrap();
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

    #[tokio::test]
    async fn two_that_are_wanted_alike_are_two_and_one_that_is_not_there_is_told() {
        let service = Arc::new(Service::new(Arc::new(Config::default()), 100));
        let rtmp = || Wanted::Rtmp("127.0.0.1:0".parse().unwrap());
        let gone = Place::Rtmp("192.0.2.1:1935".parse().unwrap());
        let wanted = vec![
            rtmp(),
            rtmp(),
            Wanted::Passed(7, gone),
            Wanted::ApiSomewhere,
        ];
        let mut sockets = Sockets::default();
        let prepared = Prepared {
            bound: bind_all(&wanted[..3], &mut []).unwrap(),
            wanted,
            closed: Vec::new(),
        };
        let (moved, _) = sockets.commit(&service, prepared);
        let told = service.addresses();
        assert_eq!(told.rtmp.len(), 2);
        assert_ne!(told.rtmp[0], told.rtmp[1]);
        assert_eq!(told.missing, ["192.0.2.1:1935"]);
        assert_eq!(moved.opened.len(), 2);
    }

    fn passed(name: &str) -> (Passed, SocketAddr) {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        (Passed::of_tcp(name, listener).unwrap(), address)
    }

    #[tokio::test]
    async fn what_was_passed_stays_whatever_is_configured() {
        let (socket, address) = passed("rtmp");
        let config = |text: &str| Config::parse(text, "test").unwrap();
        let default = config("[http_api]\nenabled = false");
        let service = Arc::new(Service::new(Arc::new(default.clone()), 100));
        let mut sockets = Sockets::new(vec![socket], &default);
        let wanted = sockets.wanted(&default);
        assert_eq!(wanted, [Wanted::Passed(0, Place::Rtmp(address))]);
        let prepared = sockets.bind(wanted).unwrap();
        let _ = sockets.commit(&service, prepared);
        assert_eq!(service.addresses().rtmp, [address]);

        // An address of its own comes beside it; its own is it.
        let more = config(&format!(
            "listen = [\"{address}\", \"127.0.0.2:0\"]\n[http_api]\nenabled = false"
        ));
        let wanted = sockets.wanted(&more);
        let prepared = sockets.prepare(&service, wanted).await.unwrap();
        let (moved, leaving) = sockets.commit(&service, prepared);
        assert!(moved.closed.is_empty() && leaving.open.is_empty());
        let addresses = service.addresses();
        assert_eq!((addresses.rtmp.len(), addresses.rtmp[0]), (2, address));
        assert!(addresses.missing.is_empty());

        // Back again: it is still there, and the other one is gone.
        let wanted = sockets.wanted(&default);
        let prepared = sockets.prepare(&service, wanted).await.unwrap();
        let (moved, leaving) = sockets.commit(&service, prepared);
        assert_eq!((moved.opened.len(), moved.closed.len()), (0, 1));
        leaving.close().await;
        assert_eq!(service.addresses().rtmp, [address]);
    }

    #[tokio::test]
    async fn each_socket_that_was_passed_is_told_beside_those_of_our_own() {
        let (rtmp, rtmp_at) = passed("rtmp");
        let (http, http_at) = passed("http");
        let (api, api_at) = passed("api");
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("api.sock");
        let listener = std::os::unix::net::UnixListener::bind(&path).unwrap();
        let unix = Passed::of_unix("api", listener).unwrap();
        let config = Config::parse("http_api.listen = [\"127.0.0.1:0\"]", "test").unwrap();
        let service = Arc::new(Service::new(Arc::new(config.clone()), 100));
        let mut sockets = Sockets::new(vec![rtmp, http, api, unix], &config);
        let prepared = sockets.bind(sockets.wanted(&config)).unwrap();
        let _ = sockets.commit(&service, prepared);

        let told = crate::control::report::summaries(&service).srs.unwrap();
        assert_eq!(told.listen, [rtmp_at.to_string()]);
        assert_eq!(told.listen_http, [http_at.to_string()]);
        let passed = [api_at.to_string(), format!("unix:{}", path.display())];
        assert_eq!(told.listen_api[..2], passed);
        assert_eq!(told.listen_api.len(), 3, "{:?}", told.listen_api);
    }

    #[test]
    fn a_passed_socket_that_the_configuration_does_not_name_is_told() {
        let told = |bound: &str, listen: &str| {
            let listener = std::net::TcpListener::bind(bound).unwrap();
            let port = listener.local_addr().unwrap().port();
            let socket = Passed::of_tcp("rtmp", listener).unwrap();
            let listen = listen.replace("PORT", &port.to_string());
            let config = Config::parse(&listen, "test").unwrap();
            Sockets::new(vec![socket], &config).warnings(&config)
        };
        for (bound, listen, expected) in [
            ("127.0.0.1:0", "", None),
            ("0.0.0.0:0", "listen = [\"PORT\"]", None),
            ("127.0.0.1:0", "listen = [\"127.0.0.1:PORT\"]", None),
            (
                "0.0.0.0:0",
                "listen = [\"127.0.0.1:PORT\"]",
                Some("is part of it"),
            ),
            (
                "127.0.0.1:0",
                "listen = [\"1\"]",
                Some("does not name it: `systemctl"),
            ),
        ] {
            let warnings = told(bound, listen);
            let is_right = match expected {
                None => warnings.is_empty(),
                Some(words) => warnings.len() == 1 && warnings[0].contains(words),
            };
            assert!(is_right, "{bound} and {listen}: {warnings:?}");
        }
    }

    #[test]
    fn the_default_gives_way_to_what_was_passed_and_what_was_written_does_not() {
        let api = "[http_api]\nenabled = false";
        for (name, config, expected) in [
            ("rtmp", String::new(), 1),
            ("rtmp", "listen = [\"1936\"]\n".to_owned(), 2),
            ("http", String::new(), 2),
        ] {
            let (socket, _) = passed(name);
            let config = Config::parse(&format!("{config}{api}"), "test").unwrap();
            let sockets = Sockets::new(vec![socket], &config);
            let wanted = sockets.wanted(&config);
            assert_eq!(
                wanted.len(),
                expected,
                "{name} beside {config:?}: {wanted:?}"
            );
        }
        let folder = tempfile::tempdir().unwrap();
        let listener = std::os::unix::net::UnixListener::bind(folder.path().join("a")).unwrap();
        let socket = Passed::of_unix("api", listener).unwrap();
        let sockets = Sockets::new(vec![socket], &Config::default());
        let wanted = sockets.wanted(&Config::default());
        assert!(!wanted.contains(&Wanted::ApiSomewhere), "{wanted:?}");
    }
}
