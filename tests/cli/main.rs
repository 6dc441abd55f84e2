//! `srsctl` as its users call it, against a server that runs in the test's own process.

use anyhow::Result;

mod answers;
mod api;
mod bench;
mod clip;
mod completions;
mod doctor;
mod fake_api;
mod operate;
mod play;
mod publish;
mod server;
mod settings;
mod tool;
mod top;
mod watch;

use clip::Clip;
use server::TestServer;
use tool::Tool;

/// The demo, published to `server` again and again.
fn publish_demo(server: &TestServer) -> Result<Tool> {
    let publisher = Tool::start(["publish", "-v", "--loop", &clip::demo(), &server.url()])?;
    publisher.wait_to_say("publishing")?;
    Ok(publisher)
}

/// A player that records into `file` and has begun.
fn record(server: &TestServer, file: &str) -> Result<Tool> {
    let player = Tool::start(["play", "-v", "-o", file, &server.url()])?;
    player.wait_to_say("playing")?;
    Ok(player)
}

/// What exit statuses mean.
mod exit {
    pub(crate) const DONE: i32 = 0;
    pub(crate) const FAILED: i32 = 1;
    pub(crate) const USAGE: i32 = 2;
    pub(crate) const NOT_REACHED: i32 = 3;
    pub(crate) const NOT_FOUND: i32 = 4;
    pub(crate) const REFUSED: i32 = 5;
    pub(crate) const INVALID: i32 = 6;
    pub(crate) const CHECK_FAILED: i32 = 7;
}
