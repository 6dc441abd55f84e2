//! A server in the process of the test.

use std::net::SocketAddr;
use std::os::fd::OwnedFd;
use std::path::Path;

use anyhow::{Context as _, Result};
use rustix::net::sockopt::set_socket_reuseaddr;
use rustix::net::{AddressFamily, SocketType, bind, socket};
use srs::config::Source;
use srs::server::Start;
use srs::service::ApiAddress;
use srs::{Config, Server};
use tokio::runtime::{Builder, Runtime};

/// A server on a port that the kernel chose. Players are told at once when a publisher leaves, and
/// nobody takes over from anybody. Dropping it stops it.
#[derive(Debug)]
pub(crate) struct TestServer {
    runtime: Runtime,
    server: Option<Server>,
    address: SocketAddr,
    /// Keeps the port of a server that has stopped: nobody listens there, nor can anybody else.
    kept: Option<OwnedFd>,
}

impl TestServer {
    /// Starts to serve.
    pub(crate) fn start() -> Result<Self> {
        let config = Config::parse(CONFIG, "the test")?;
        Self::serve(|| Ok(Server::start(config)?))
    }

    /// Starts to serve by the configuration in `file`, from which it can be reloaded.
    pub(crate) fn start_from(file: &Path) -> Result<Self> {
        let source = Source::of_file(Some(file.to_owned()));
        let loaded = source.load()?;
        let start = Start {
            loaded,
            source: Some(source),
            log: None,
            passed: Vec::new(),
            manager: srs::control::manager::Manager::nobody(),
        };
        Self::serve(|| Ok(Server::start_from(start)?))
    }

    fn serve(start: impl FnOnce() -> Result<Server>) -> Result<Self> {
        let runtime = Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()?;
        let server = runtime.block_on(async { start() })?;
        let address = *server.addresses().first().context("it listens nowhere")?;
        Ok(Self {
            runtime,
            server: Some(server),
            address,
            kept: None,
        })
    }

    /// Where the test's stream is.
    pub(crate) fn url(&self) -> String {
        self.url_of("show")
    }

    /// Where the stream `name` is.
    pub(crate) fn url_of(&self, name: &str) -> String {
        format!("rtmp://{}/live/{name}", self.address)
    }

    /// Where its API is, over TCP.
    pub(crate) fn api_address(&self) -> Result<SocketAddr> {
        let server = self.server.as_ref().context("it has stopped")?;
        let over_tcp = server.api_addresses().into_iter().find_map(|it| match it {
            ApiAddress::Tcp(address) => Some(address),
            ApiAddress::Unix(_) => None,
        });
        over_tcp.context("its API listens at no TCP address")
    }

    /// Ends in order.
    pub(crate) fn stop(&mut self) {
        if let Some(server) = self.server.take() {
            self.runtime.block_on(server.stop());
            self.kept = keep(self.address).ok();
        }
    }
}

/// Takes a port that the kernel would else give to the next one who asks, and listens to nobody there.
fn keep(address: SocketAddr) -> Result<OwnedFd> {
    let socket = socket(AddressFamily::INET, SocketType::STREAM, None)?;
    // Connections of the server may linger on it.
    set_socket_reuseaddr(&socket, true)?;
    bind(&socket, &address)?;
    Ok(socket)
}

impl Drop for TestServer {
    fn drop(&mut self) {
        self.stop();
    }
}

const CONFIG: &str = r#"
listen = ["127.0.0.1:0"]

[http_api]
enabled = false

[fleet]
enabled = false

[vhost."__defaultVhost__".publish]
takeover = "reject"
keep_players = "0s"
"#;
