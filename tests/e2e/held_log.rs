//! A log whose reader has stopped reading: nobody waits for it, and it gets what there is room for.

use anyhow::{Result, ensure};
use testkit::SOON;
use tokio::task::block_in_place;

use crate::build_srs;
use crate::clients::{Peer, Show, at};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_terminal_on_hold_costs_no_line_and_stops_nobody() -> Result<()> {
    let mut srs = build_srs().settings("[log]\nlevel = \"debug\"").start()?;
    let (address, log) = (srs.addresses()[0], srs.process().log().clone());
    log.hold();
    // More than a pipe holds: at least a line of a hundred bytes each.
    for _ in 0..STRANGERS {
        let mut stranger = Peer::dial(address).await?;
        stranger.send_bytes(b"GET / HTTP/1.0\r\n\r\n").await?;
        stranger.gone().await?;
    }
    let show = Show::new(1);
    let mut publisher = at(address, "live/show").publish().await?;
    let mut player = at(address, "live/show").play().await?;
    publisher.send(show.beginning(1_000)).await?;
    player.up_to(&show.sound(980).payload).await?;
    log.go_on();
    block_in_place(|| log.wait_for("publish", SOON))?;
    let told = log.lines_with("the client broke the protocol");
    ensure!(told.len() == STRANGERS, "{} of them", told.len());
    ensure!(log.lines_with("missing here").is_empty());

    // With a terminal that stays on hold it ends all the same.
    log.hold();
    for _ in 0..STRANGERS {
        let mut stranger = Peer::dial(address).await?;
        stranger.send_bytes(b"GET / HTTP/1.0\r\n\r\n").await?;
        stranger.gone().await?;
    }
    let finished = block_in_place(|| srs.stop())?;
    ensure!(finished.status.success(), "{finished:?}");
    log.go_on();
    Ok(())
}

const STRANGERS: usize = 1_000;
