//! A client connection on a socket, from the handshake to the last packet.

use std::io;
use std::time::Duration;

use bytes::Bytes;
use srs_rtmp::client::{ClientConnection, ClientEvent, ClientSettings, Purpose};
use srs_rtmp::url::RtmpUrl;
use srs_rtmp::{ConnectionError, MediaKind};
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::dial::{self, DialError};
use crate::transport::{Exchange, Transport};
use crate::{seed, tcp};

/// Why a client's connection failed.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// The server could not be reached.
    #[error(transparent)]
    Dial(#[from] DialError),
    /// The connection broke.
    #[error("the connection broke")]
    Socket(#[from] io::Error),
    /// The server broke the protocol.
    // The error tells its own sources already.
    #[error("the server broke the protocol: {0}")]
    Protocol(ConnectionError),
    /// The server said no.
    #[error("refused by the server: {description} ({code})")]
    Refused {
        /// As `NetStream.Publish.BadName`.
        code: String,
        /// The server's words.
        description: String,
    },
    /// The server closed the connection before the stream was over.
    #[error("closed by the server")]
    Closed,
    /// The server did not get so far in time.
    #[error("no answer from the server within {within:?}")]
    Timeout {
        /// The time that it had.
        within: Duration,
    },
}

impl From<ConnectionError> for ClientError {
    fn from(error: ConnectionError) -> Self {
        Self::Protocol(error)
    }
}

/// A client connection to a server, publishing or playing one stream.
#[derive(Debug)]
pub struct RtmpClient {
    connection: ClientConnection,
    transport: Transport<TcpStream>,
}

impl RtmpClient {
    /// Connects to the server of `url` and goes on until media may flow. Each step has `within`.
    ///
    /// # Errors
    /// [`ClientError`]: unreachable, refused, or broken on the way.
    pub async fn open(
        url: &RtmpUrl,
        purpose: Purpose,
        within: Duration,
    ) -> Result<Self, ClientError> {
        let socket = dial::connect(url, within).await?;
        Self::open_on(socket, ClientSettings::new(url, purpose), within).await
    }

    /// As [`RtmpClient::open`], on a connected socket and with given settings.
    ///
    /// # Errors
    /// [`ClientError`]: refused, or broken on the way.
    pub async fn open_on(
        socket: TcpStream,
        settings: ClientSettings,
        within: Duration,
    ) -> Result<Self, ClientError> {
        tcp::prepare(&socket, within)?;
        let connection = ClientConnection::new(settings, seed::unix_time(), seed::entropy());
        let mut client = Self {
            connection,
            transport: Transport::new(socket),
        };
        client.connection.start(&mut client.transport.outbox);
        timeout(within, client.reach_media())
            .await
            .unwrap_or(Err(ClientError::Timeout { within }))?;
        Ok(client)
    }

    async fn reach_media(&mut self) -> Result<(), ClientError> {
        loop {
            match self.next_event().await? {
                Some(ClientEvent::Publishing | ClientEvent::Playing) => return Ok(()),
                Some(ClientEvent::Refused { code, description }) => {
                    return Err(ClientError::Refused { code, description });
                }
                Some(_) => {}
                None => return Err(ClientError::Closed),
            }
        }
    }

    /// The next event; `None` once the server has closed the connection.
    ///
    /// Cancel-safe: an event is either returned or still to come.
    ///
    /// # Errors
    /// The socket broke, or the server broke the protocol.
    pub async fn next_event(&mut self) -> Result<Option<ClientEvent>, ClientError> {
        loop {
            let Transport { inbox, outbox, .. } = &mut self.transport;
            if let Some(event) = self.connection.read(inbox, outbox)? {
                return Ok(Some(event));
            }
            self.transport.release_inbox();
            if self.transport.exchange(true).await? == Exchange::Closed {
                return Ok(None);
            }
        }
    }

    /// Puts one message of the published stream into the outbox; [`RtmpClient::flush`] sends it.
    pub fn send(&mut self, kind: MediaKind, timestamp: u32, payload: &Bytes) {
        self.connection
            .send_media(kind, timestamp, payload, &mut self.transport.outbox);
    }

    /// Pauses or resumes what is played.
    pub fn pause(&mut self, paused: bool, position_millis: u32) {
        self.connection
            .pause(paused, position_millis, &mut self.transport.outbox);
    }

    /// Writes until the outbox is empty, while it takes in what the server says. Returns the
    /// server's refusal or end of the stream if one came meanwhile.
    ///
    /// # Errors
    /// The socket broke, or the server broke the protocol or closed the connection.
    pub async fn flush(&mut self) -> Result<Option<ClientEvent>, ClientError> {
        while !self.transport.outbox.is_empty() {
            if self.transport.exchange(true).await? == Exchange::Closed {
                return Err(ClientError::Closed);
            }
            let Transport { inbox, outbox, .. } = &mut self.transport;
            while let Some(event) = self.connection.read(inbox, outbox)? {
                if matches!(
                    event,
                    ClientEvent::Refused { .. } | ClientEvent::Ended { .. }
                ) {
                    return Ok(Some(event));
                }
            }
            self.transport.release_inbox();
        }
        Ok(None)
    }

    /// Ends the stream in order and closes the connection, within a second.
    ///
    /// # Errors
    /// The socket broke before all was sent.
    pub async fn finish(mut self) -> Result<(), ClientError> {
        self.connection.finish(&mut self.transport.outbox);
        match timeout(FAREWELL, self.transport.close()).await {
            Ok(Err(error)) => Err(error.into()),
            // Whether the server says good-bye as well is its own affair.
            Ok(Ok(())) | Err(_) => Ok(()),
        }
    }

    /// Bytes read so far.
    pub fn received(&self) -> u64 {
        self.transport.received()
    }

    /// Bytes written so far.
    pub fn sent(&self) -> u64 {
        self.transport.sent()
    }

    /// The socket, for its addresses and options.
    pub fn socket(&self) -> &TcpStream {
        self.transport.socket()
    }
}

const FAREWELL: Duration = Duration::from_secs(1);
