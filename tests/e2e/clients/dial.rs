//! A server inside the test, and connections to it.

use std::net::{IpAddr, SocketAddr};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use socket2::SockRef;
use srs::config::HttpApiConfig;
use srs::{Config, Server};
use srs_net::RtmpClient;
use srs_net::client::ClientError;
use srs_rtmp::client::{ClientSettings, Purpose};
use srs_rtmp::url::RtmpUrl;
use testkit::SOON;
use tokio::net::{TcpSocket, TcpStream};

use super::{Player, Publisher, Sample};

/// Starts a server at a free port of 127.0.0.1, with `settings` in TOML.
pub(crate) fn serve(settings: &str) -> Result<Server> {
    let config = format!("listen = [\"127.0.0.1:0\"]\n{settings}");
    let mut config = Config::parse(&config, "test")?;
    if config.http_api == HttpApiConfig::default() {
        // Its socket is one for the whole machine.
        config.http_api.enabled = false;
    }
    // So is its file.
    config.fleet.enabled = false;
    Ok(Server::start(config)?)
}

/// A connection to be opened to the server at `address`, for `path`, as `live/show?key=x`.
pub(crate) fn at(address: SocketAddr, path: &str) -> Dial {
    Dial {
        server: address,
        path: path.to_owned(),
        host: address.to_string(),
        from: None,
        page_url: String::new(),
        receive_buffer: None,
    }
}

/// A connection that is not open yet.
#[derive(Clone, Debug)]
pub(crate) struct Dial {
    server: SocketAddr,
    path: String,
    host: String,
    from: Option<IpAddr>,
    page_url: String,
    receive_buffer: Option<usize>,
}

impl Dial {
    /// Asks for `host`, wherever the server is.
    pub(crate) fn host(self, host: &str) -> Self {
        Self {
            host: host.to_owned(),
            ..self
        }
    }

    /// Comes from this address of this machine.
    pub(crate) fn from(self, address: impl Into<IpAddr>) -> Self {
        Self {
            from: Some(address.into()),
            ..self
        }
    }

    /// Claims to be in this page.
    pub(crate) fn page(self, url: &str) -> Self {
        Self {
            page_url: url.to_owned(),
            ..self
        }
    }

    /// With a receive buffer of about so many bytes.
    pub(crate) fn receive_buffer(self, bytes: usize) -> Self {
        Self {
            receive_buffer: Some(bytes),
            ..self
        }
    }

    /// Publishes: accepted by the server when it returns.
    pub(crate) async fn publish(&self) -> Result<Publisher, ClientError> {
        Ok(Publisher::new(self.open(Purpose::Publish).await?))
    }

    /// Publishes, and sends `samples`.
    pub(crate) async fn show(
        &self,
        samples: impl IntoIterator<Item = Sample>,
    ) -> Result<Publisher> {
        let mut publisher = self.publish().await?;
        publisher.send(samples).await?;
        Ok(publisher)
    }

    /// Publishes as soon as the server lets it, and says how long that took.
    ///
    /// # Errors
    /// It was still refused after `bound`.
    pub(crate) async fn publish_within(&self, bound: Duration) -> Result<(Publisher, Duration)> {
        let start = Instant::now();
        loop {
            match self.publish().await {
                Ok(publisher) => return Ok((publisher, start.elapsed())),
                Err(ClientError::Refused { .. }) if start.elapsed() < bound => {}
                Err(error) => {
                    return Err(error).with_context(|| format!("after {:?}", start.elapsed()));
                }
            }
        }
    }

    /// Plays: accepted by the server when it returns.
    pub(crate) async fn play(&self) -> Result<Player, ClientError> {
        Ok(Player::new(self.open(Purpose::Play).await?))
    }

    async fn open(&self, purpose: Purpose) -> Result<RtmpClient, ClientError> {
        let url = format!("rtmp://{}/{}", self.host, self.path);
        let url = RtmpUrl::parse(&url).expect("a test writes correct URLs");
        let mut settings = ClientSettings::new(&url, purpose);
        settings.page_url.clone_from(&self.page_url);
        RtmpClient::open_on(self.socket().await?, settings, SOON).await
    }

    /// The connected socket alone.
    pub(crate) async fn socket(&self) -> std::io::Result<TcpStream> {
        let socket = match self.server {
            SocketAddr::V4(_) => TcpSocket::new_v4()?,
            SocketAddr::V6(_) => TcpSocket::new_v6()?,
        };
        if let Some(bytes) = self.receive_buffer {
            SockRef::from(&socket).set_recv_buffer_size(bytes)?;
        }
        if let Some(from) = self.from {
            socket.bind(SocketAddr::new(from, 0))?;
        }
        socket.connect(self.server).await
    }
}

/// Code and words of the refusal that `result` must be.
pub(crate) fn refusal<T>(result: Result<T, ClientError>) -> Result<(String, String)> {
    match result {
        Ok(_) => bail!("let in, a refusal was expected"),
        Err(ClientError::Refused { code, description }) => Ok((code, description)),
        Err(error) => Err(error).context("a refusal was expected"),
    }
}
