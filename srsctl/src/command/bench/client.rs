//! One client on its way to its stream: connected, published or played up to the first key frame.
//!
//! A connection of its own and not [`srs_net::RtmpClient`]: a socket leaves the runtime as soon as
//! its stream flows, and is written to and discarded from by the thousand.

use std::io::{self, IoSlice};
use std::net::{SocketAddr, TcpStream as StdTcpStream};
use std::time::Duration;

use bytes::{Buf as _, Bytes, BytesMut};
use rustix::net::sockopt::{set_tcp_nodelay, set_tcp_quickack};
use srs_media::{Packet, Timestamp};
use srs_net::client::ClientError;
use srs_net::dial::DialError;
use srs_net::seed;
use srs_rtmp::chunk::ChunkReader;
use srs_rtmp::client::{ClientConnection, ClientEvent, ClientSettings, Purpose};
use srs_rtmp::limits::Limits;
use srs_rtmp::message::MessageType;
use srs_rtmp::url::RtmpUrl;
use srs_rtmp::{ConnectionError, Media, MediaKind, SendQueue};
use tokio::net::{TcpStream, lookup_host};
use tokio::time::timeout;

use super::moment::Moment;
use super::pattern::CHUNK_SIZE;

/// Where clients connect to, and how they go on.
#[derive(Clone, Debug)]
pub(super) struct Destination {
    pub(super) addresses: Vec<SocketAddr>,
    pub(super) speech: Speech,
    /// How long each step may take.
    pub(super) within: Duration,
}

/// What is spoken on a connection.
#[derive(Clone, Debug)]
pub(super) enum Speech {
    /// RTMP, about the stream of this URL.
    Rtmp(RtmpUrl),
    /// Messages in chunks and nothing else.
    Bare,
}

impl Destination {
    /// The server of `url`. Its address is looked up once, for all clients.
    ///
    /// # Errors
    /// It has none.
    pub(super) async fn of(url: &RtmpUrl, within: Duration) -> Result<Self, ClientError> {
        let host = || url.host().to_owned();
        let addresses: Vec<_> = lookup_host((url.host(), url.port()))
            .await
            .map_err(|source| DialError::Resolve {
                host: host(),
                source,
            })?
            .collect();
        if addresses.is_empty() {
            return Err(DialError::NoAddress { host: host() }.into());
        }
        Ok(Self {
            addresses,
            speech: Speech::Rtmp(url.clone()),
            within,
        })
    }
}

/// Why a client did not come so far.
#[derive(Debug, thiserror::Error)]
pub(super) enum Missed {
    /// The connection did not come about, or broke.
    #[error(transparent)]
    Client(#[from] ClientError),
    /// There was nothing to play.
    #[error("no media came within {within:?}")]
    NoMedia {
        /// The time that it had.
        within: Duration,
    },
}

/// When what came, from the beginning of the connect.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Start {
    /// The first media message.
    pub(super) first_media: Option<Duration>,
    /// The end of the first key frame; never, in a stream without video.
    pub(super) first_key_frame: Option<Duration>,
}

/// A connection with its socket.
#[derive(Debug)]
pub(super) struct Client {
    socket: TcpStream,
    connection: Connection,
    inbox: BytesMut,
    outbox: SendQueue,
    received: u64,
    received_at: Moment,
    /// Whether a medium has come: from then on it acknowledges as any player does.
    has_media: bool,
}

#[derive(Debug)]
enum Connection {
    Rtmp(Box<ClientConnection>),
    Bare(Box<ChunkReader>),
}

impl Client {
    /// Connects and publishes; media may be sent then.
    ///
    /// # Errors
    /// [`ClientError`]: unreachable, refused, or broken on the way.
    pub(super) async fn publish(to: &Destination) -> Result<Self, ClientError> {
        let mut client = Self::connect(to, Purpose::Publish).await?;
        client
            .reach(to, |event| *event == ClientEvent::Publishing)
            .await?;
        Ok(client)
    }

    /// Connects, plays, and goes on to the first key frame. A stream that has none plays as soon as
    /// `within` is over.
    ///
    /// # Errors
    /// [`Missed`]: unreachable, refused, broken on the way, or without media.
    pub(super) async fn play(to: &Destination) -> Result<(Self, Start), Missed> {
        let began = Moment::now();
        let mut client = Self::connect(to, Purpose::Play).await?;
        client
            .reach(to, |event| *event == ClientEvent::Playing)
            .await?;
        let mut start = Start::default();
        let first_key_frame = client.first_key_frame(began, &mut start);
        match timeout(to.within, first_key_frame).await {
            Ok(played) => played?,
            Err(_) if start.first_media.is_some() => {}
            Err(_) => return Err(Missed::NoMedia { within: to.within }),
        }
        Ok((client, start))
    }

    async fn connect(to: &Destination, purpose: Purpose) -> Result<Self, ClientError> {
        let socket = dial(to).await?;
        set_tcp_nodelay(&socket, true).map_err(io::Error::from)?;
        let mut outbox = SendQueue::default();
        let connection = match &to.speech {
            Speech::Rtmp(url) => {
                let settings = ClientSettings {
                    chunk_size: CHUNK_SIZE,
                    ..ClientSettings::new(url, purpose)
                };
                let mut connection =
                    ClientConnection::new(settings, seed::unix_time(), seed::entropy());
                connection.start(&mut outbox);
                Connection::Rtmp(Box::new(connection))
            }
            Speech::Bare => {
                let mut reader = ChunkReader::new(Limits::default());
                reader
                    .set_chunk_size(CHUNK_SIZE)
                    .map_err(ConnectionError::from)?;
                Connection::Bare(Box::new(reader))
            }
        };
        Ok(Self {
            socket,
            connection,
            inbox: BytesMut::new(),
            outbox,
            received: 0,
            received_at: Moment::now(),
            has_media: false,
        })
    }

    /// Goes on until the server has agreed.
    async fn reach(
        &mut self,
        to: &Destination,
        is_it: impl Fn(&ClientEvent) -> bool,
    ) -> Result<(), ClientError> {
        if matches!(self.connection, Connection::Bare(_)) {
            return Ok(());
        }
        let reached = async {
            while !is_it(&self.next_event().await?) {}
            Ok(())
        };
        let late = Err(ClientError::Timeout { within: to.within });
        timeout(to.within, reached).await.unwrap_or(late)
    }

    async fn first_key_frame(
        &mut self,
        began: Moment,
        start: &mut Start,
    ) -> Result<(), ClientError> {
        loop {
            let ClientEvent::Media(media) = self.next_event().await? else {
                continue;
            };
            let time = self.received_at.since(began);
            start.first_media.get_or_insert(time);
            if is_key_frame(media) {
                start.first_key_frame = Some(time);
                return Ok(());
            }
        }
    }

    /// The next event that is not the end. Cancel-safe.
    ///
    /// # Errors
    /// The end: refused, over, closed, or broken.
    pub(super) async fn next_event(&mut self) -> Result<ClientEvent, ClientError> {
        loop {
            match self.read()? {
                Some(ClientEvent::Refused { code, description }) => {
                    return Err(ClientError::Refused { code, description });
                }
                Some(ClientEvent::Ended { .. }) => return Err(ClientError::Closed),
                Some(event) => {
                    self.has_media |= matches!(event, ClientEvent::Media(_));
                    return Ok(event);
                }
                None => {}
            }
            self.flush().await?;
            self.socket.readable().await?;
            match self.receive() {
                Ok(0) => return Err(ClientError::Closed),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                received => {
                    received?;
                }
            }
        }
    }

    fn read(&mut self) -> Result<Option<ClientEvent>, ClientError> {
        let Self { inbox, outbox, .. } = self;
        match &mut self.connection {
            Connection::Rtmp(connection) => Ok(connection.read(inbox, outbox)?),
            Connection::Bare(reader) => {
                let message = reader.read(inbox).map_err(ConnectionError::from)?;
                Ok(message.map(|message| {
                    ClientEvent::Media(Media {
                        message_stream_id: message.message_stream_id,
                        kind: match message.message_type {
                            MessageType::Audio => MediaKind::Audio,
                            MessageType::Video => MediaKind::Video,
                            _ => MediaKind::Data,
                        },
                        timestamp: message.timestamp,
                        payload: message.payload,
                    })
                }))
            }
        }
    }

    /// Reads what is there; 0 at the end.
    fn receive(&mut self) -> io::Result<usize> {
        let mut space = [0; READ_SIZE];
        let read = self.socket.try_read(&mut space)?;
        self.received_at = Moment::now();
        self.received += read as u64;
        self.inbox.extend_from_slice(&space[..read]);
        if !self.has_media {
            // Questions and answers take turns: a server that writes in small pieces would wait
            // for delayed acknowledgements. Of media whoever reads promptly needs no more.
            set_tcp_quickack(&self.socket, true)?;
        }
        Ok(read)
    }

    /// Sends everything that is to be sent. Cancel-safe.
    pub(super) async fn flush(&mut self) -> io::Result<()> {
        while !self.outbox.is_empty() {
            self.socket.writable().await?;
            let mut slices = [IoSlice::new(&[]); 8];
            let count = self.outbox.chunks_vectored(&mut slices);
            match self.socket.try_write_vectored(&slices[..count]) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                written => self.outbox.advance(written?),
            }
        }
        Ok(())
    }

    /// Sends what comes before all frames, and says on which message stream frames are to follow.
    ///
    /// # Errors
    /// The connection broke.
    pub(super) async fn announce(
        &mut self,
        headers: &[(MediaKind, Bytes)],
    ) -> Result<u32, ClientError> {
        let Connection::Rtmp(connection) = &mut self.connection else {
            return Ok(ANY_MESSAGE_STREAM);
        };
        for (kind, payload) in headers {
            connection.send_media(*kind, 0, payload, &mut self.outbox);
        }
        // The connection keeps the id to itself, but the first message on a chunk stream tells it
        // in its header (RTMP 1.0, 5.3.1.2.1).
        let id = self.outbox.chunk().get(8..12).and_then(<[u8]>::first_chunk);
        let id = id.map_or(ANY_MESSAGE_STREAM, |id| u32::from_le_bytes(*id));
        self.flush().await?;
        Ok(id)
    }

    /// Bytes received so far.
    pub(super) const fn received(&self) -> u64 {
        self.received
    }

    /// When the latest of them were.
    pub(super) const fn received_at(&self) -> Moment {
        self.received_at
    }

    /// The socket, without the runtime's attention.
    ///
    /// # Errors
    /// The runtime does not let it go.
    pub(super) fn into_socket(self) -> io::Result<StdTcpStream> {
        self.socket.into_std()
    }
}

async fn dial(to: &Destination) -> Result<TcpStream, ClientError> {
    let mut failure = None;
    for &address in &to.addresses {
        failure = Some(
            match timeout(to.within, TcpStream::connect(address)).await {
                Ok(Ok(socket)) => return Ok(socket),
                Ok(Err(source)) => DialError::Connect { address, source },
                Err(_) => DialError::Timeout {
                    address,
                    within: to.within,
                },
            },
        );
    }
    Err(failure.map_or(ClientError::Closed, ClientError::Dial))
}

fn is_key_frame(media: Media) -> bool {
    media.kind == MediaKind::Video && Packet::video(Timestamp::ZERO, media.payload).is_key_frame()
}

/// What servers give the first message stream of a connection.
const ANY_MESSAGE_STREAM: u32 = 1;
/// Bytes read at once.
const READ_SIZE: usize = 16 * 1024;
