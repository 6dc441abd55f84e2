//! RTMP connections on tokio sockets, from either side.
//!
//! The pure machines of [`srs_rtmp`] meet the network here and nowhere else: [`Transport`] moves
//! bytes between one socket and the buffers of one connection, [`dial`] opens a client connection,
//! and [`client`] drives one from connect to media. [`lend`] lets somebody else write.
#![forbid(unsafe_code)]

pub mod client;
pub mod dial;
pub mod lend;
pub mod seed;
pub mod tcp;
pub mod transport;

pub use client::RtmpClient;
pub use lend::LendableSocket;
pub use transport::{Exchange, Transport};
