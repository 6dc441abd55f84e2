//! What the end-to-end tests share: the daemon as an operator runs it, and the encoders, players
//! and servers of others as its peers.
//!
//! Everything here blocks and has a bound; what cannot be had within it is an error that says what
//! was waited for. All processes write into the test's captured output, so that a failed test
//! shows the whole story with times, and all of them are killed when they are dropped.
//!
//! ```no_run
//! use std::time::Duration;
//! use testkit::{Srs, clips, ffmpeg};
//!
//! # fn main() -> anyhow::Result<()> {
//! let srs = Srs::start("target/debug/srs")?;           // in a test: env!("CARGO_BIN_EXE_srs")
//! let url = srs.rtmp_url("live/show");
//! let folder = tempfile::tempdir()?;
//!
//! let _publisher = ffmpeg::publish(clips::demo(), &url).realtime().start_live()?;
//! let mut recording = ffmpeg::record(&url, folder.path().join("seen.flv"))
//!     .duration(Duration::from_secs(4))
//!     .start()?;
//! let seen = recording.finish(Duration::from_secs(20))?;
//! seen.run_of(&ffmpeg::packets(clips::demo())?)?;      // nothing missing, nothing changed
//! # Ok(())
//! # }
//! ```
#![forbid(unsafe_code)]

pub mod clips;
pub mod ffmpeg;
pub mod gstreamer;
mod log;
mod manager;
pub mod nginx;
mod packets;
mod proc;
mod process;
mod recording;
pub mod rtmpdump;
mod srs;
pub mod vlc;
mod wait;

pub use log::Log;
pub use manager::ServiceManager;
pub use nginx::Nginx;
pub use packets::{Kind, Packet, Packets, Run};
pub use process::{Finished, Process};
pub use recording::Recording;
pub use srs::{Srs, SrsBuilder};
pub use wait::{wait_for, wait_until};

/// How long a peer may take for what it does at once on a quiet machine: start, connect, end.
///
/// Generous, because tests run beside each other on few cores; nothing waits that long when all is
/// well.
pub const SOON: std::time::Duration = std::time::Duration::from_secs(20);
