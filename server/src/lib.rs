//! The daemon of srs, a live streaming server, as a library under a small `main`.
//!
//! A live stream is a log, and everyone who takes from it is a cursor:
//!
//! ```text
//! encoder ──rtmp──▶ listen/rtmp ─▶ input/rtmp_publish ─▶ hub: a log per ─▶ output/rtmp_play ──▶ players
//!                                                        stream, read by
//!                                                        cursors
//! ```
//!
//! - [`listen`] accepts peers and finds out what they want;
//! - [`input`] puts their media into a stream's log;
//! - [`hub`] holds the streams;
//! - [`output`] takes from the log, each in its own format and at its own pace; players that have
//!   caught up are served together;
//! - [`config`] says what should be, [`control`] steers and watches: API, reload, statistics,
//!   heartbeat, logs;
//! - [`service`] is what all of them share, [`server`] builds it, and takes it down in order;
//!   [`supervise`] keeps parts running.
//!
//! ```no_run
//! # #[tokio::main]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let server = srs::Server::start(srs::Config::default())?;
//! println!("publish to rtmp://{}/live/show", server.addresses()[0]);
//! tokio::signal::ctrl_c().await?;
//! server.stop().await;
//! # Ok(())
//! # }
//! ```
#![forbid(unsafe_code)]

pub mod control;
pub mod hub;
pub mod input;
pub mod listen;
pub mod output;
pub mod server;
pub mod service;
pub mod supervise;

pub use server::Server;
pub use srs_config as config;
pub use srs_config::Config;
