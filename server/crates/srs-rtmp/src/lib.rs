//! RTMP as pure state machines: handshake, chunks, messages, and a connection's two sides.
//!
//! Nothing here knows a socket, a clock or a task. Bytes that came from a peer go in as a
//! [`BytesMut`](bytes::BytesMut), bytes for the peer come out in a [`SendQueue`], and what the
//! peer wants comes out as events by value. Time and randomness are arguments, so a test runs
//! hours in milliseconds and the state of a connection is plain data.
//!
//! The layers, from the wire up:
//!
//! - [`handshake`]: the first 3073 bytes of each side;
//! - [`chunk`]: messages cut into chunks and put together again;
//! - [`message`]: what a message says (protocol control, commands, data, aggregates);
//! - [`server`] and [`client`]: one connection, from the side that accepts and from the side that
//!   connects.
//!
//! Media payloads stay opaque here. Follows Adobe's RTMP specification 1.0 (December 2012), cited
//! in the code as "RTMP 1.0" with the section.
//!
//! ```
//! use bytes::{Buf, BytesMut};
//! use srs_rtmp::client::{ClientConnection, ClientEvent, ClientSettings, Purpose};
//! use srs_rtmp::entropy::Entropy;
//! use srs_rtmp::server::{ConnectInfo, ServerConnection, ServerEvent, ServerSettings};
//! use srs_rtmp::url::RtmpUrl;
//! use srs_rtmp::SendQueue;
//!
//! let url = RtmpUrl::parse("rtmp://localhost/live/show")?;
//! let mut client = ClientConnection::new(
//!     ClientSettings::new(&url, Purpose::Publish), 0, Entropy::new([1; 32]));
//! let mut server = ServerConnection::new(ServerSettings::default(), 0, Entropy::new([2; 32]));
//! let (mut to_server, mut to_client) = (SendQueue::default(), SendQueue::default());
//! let (mut at_server, mut at_client) = (BytesMut::new(), BytesMut::new());
//!
//! client.start(&mut to_server);
//! 'published: loop {
//!     // A socket would stand here.
//!     at_server.extend_from_slice(&to_server.copy_to_bytes(to_server.remaining()));
//!     while let Some(event) = server.read(&mut at_server, &mut to_client)? {
//!         match event {
//!             ServerEvent::Connect(_) => {
//!                 server.accept_connect(&ConnectInfo::default(), &mut to_client);
//!             }
//!             ServerEvent::Publish(request) => {
//!                 server.accept_publish(request.message_stream_id, &mut to_client);
//!             }
//!             _ => {}
//!         }
//!     }
//!     at_client.extend_from_slice(&to_client.copy_to_bytes(to_client.remaining()));
//!     while let Some(event) = client.read(&mut at_client, &mut to_server)? {
//!         if matches!(event, ClientEvent::Publishing) {
//!             break 'published;
//!         }
//!     }
//! }
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
#![forbid(unsafe_code)]

pub mod chunk;
pub mod client;
pub mod entropy;
pub mod handshake;
pub mod limits;
mod link;
pub mod message;
pub mod output;
pub mod server;
pub mod url;

pub use limits::Limits;
pub use link::ConnectionError;
pub use output::SendQueue;

/// The three kinds of message that carry a stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MediaKind {
    /// Message type 8.
    Audio,
    /// Message type 9.
    Video,
    /// Message types 15 and 18: script data, `onMetaData` above all, as AMF0.
    Data,
}

/// One audio, video or data message of a stream, in either direction.
#[derive(Clone, Debug, PartialEq)]
pub struct Media {
    /// The message stream that carries it.
    pub message_stream_id: u32,
    /// What it is.
    pub kind: MediaKind,
    /// Milliseconds, modulo 2^32, as the peer counts.
    pub timestamp: u32,
    /// The message body: an FLV tag's body, or AMF0 values for [`MediaKind::Data`].
    pub payload: bytes::Bytes,
}
