//! The daemon as a whole, among the encoders, players and servers of others: one file per
//! behaviour.
//!
//! The clock of most tests is ffmpeg's, which publishes as fast as the media plays.

use std::time::Duration;

use anyhow::Result;
use testkit::{Packets, Srs, SrsBuilder, clips, ffmpeg};

mod api;
mod busy;
mod chunks;
mod clients;
mod clocks;
mod enhanced;
mod fleet;
mod heartbeat;
mod held_log;
mod late_joiner;
mod limits;
mod manager;
mod many_players;
mod merging;
mod message_streams;
mod names;
mod noise;
mod nonsense;
mod peers;
mod play_commands;
mod players;
mod process;
mod publish_play;
mod publisher_return;
mod publishers;
mod reload;
mod slow_player;
mod stop;
mod takeover;
mod two_publishers;
mod vhosts;

/// The daemon with nothing configured.
fn srs() -> Result<Srs> {
    build_srs().start()
}

/// The daemon, to be configured.
fn build_srs() -> SrsBuilder {
    Srs::build(env!("CARGO_BIN_EXE_srs"))
}

/// What is in the demo clip.
fn demo_packets() -> Result<Packets> {
    ffmpeg::packets(clips::demo())
}

/// So many seconds.
const fn seconds(number: u64) -> Duration {
    Duration::from_secs(number)
}
