//! A server in the process of the test.

use std::net::SocketAddr;

use anyhow::{Context as _, Result};
use srs::{Config, Server};
use tokio::runtime::{Builder, Runtime};

/// A server on a port that the kernel chose. Players are told at once when a publisher leaves, and
/// nobody takes over from anybody. Dropping it stops it.
#[derive(Debug)]
pub(crate) struct TestServer {
    runtime: Runtime,
    server: Option<Server>,
    address: SocketAddr,
}

impl TestServer {
    /// Starts to serve.
    pub(crate) fn start() -> Result<Self> {
        let runtime = Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()?;
        let config = Config::parse(CONFIG, "the test")?;
        let server = runtime.block_on(async { Server::start(config) })?;
        let address = *server.addresses().first().context("it listens nowhere")?;
        Ok(Self {
            runtime,
            server: Some(server),
            address,
        })
    }

    /// Where the test's stream is.
    pub(crate) fn url(&self) -> String {
        format!("rtmp://{}/live/show", self.address)
    }

    /// Ends in order.
    pub(crate) fn stop(&mut self) {
        if let Some(server) = self.server.take() {
            self.runtime.block_on(server.stop());
        }
    }
}

impl Drop for TestServer {
    fn drop(&mut self) {
        self.stop();
    }
}

const CONFIG: &str = r#"
listen = ["127.0.0.1:0"]

[vhost."__defaultVhost__".publish]
takeover = "reject"
keep_players = "0s"
"#;
