//! How the daemon ends.

use anyhow::Result;
use tempfile::TempDir;
use testkit::{Process, Recording, SOON, Srs, clips, ffmpeg, rtmpdump};

use crate::{build_srs, seconds, srs};

#[test]
fn sigterm_ends_everybody_in_order() -> Result<()> {
    let mut busy = Busy::start()?;
    busy.srs.process().terminate()?;
    busy.check_the_end()
}

#[test]
fn sigint_does_the_same() -> Result<()> {
    let mut busy = Busy::start()?;
    busy.srs.process().interrupt()?;
    busy.check_the_end()
}

#[test]
fn a_frozen_player_does_not_hold_up_the_end() -> Result<()> {
    let mut busy = Busy::start()?;
    busy.players[0].process().freeze()?;

    let finished = busy.srs.stop()?;
    assert_eq!(finished.status.code(), Some(0));
    assert!(finished.took < seconds(2), "it took {:?}", finished.took);
    Ok(())
}

#[test]
fn an_idle_daemon_ends_at_once() -> Result<()> {
    let finished = srs()?.stop()?;
    assert_eq!(finished.status.code(), Some(0));
    assert!(finished.took < seconds(1), "it took {:?}", finished.took);
    Ok(())
}

#[test]
fn a_port_in_use_is_said_clearly() -> Result<()> {
    let first = srs()?;
    let address = first.addresses()[0];

    let (finished, said) = build_srs().listen([address]).start_in_vain()?;
    assert_eq!(finished.status.code(), Some(1));
    assert!(said.contains(&address.to_string()), "{said}");
    assert!(said.contains("in use"), "{said}");
    Ok(())
}

/// A daemon with a publisher and several players.
struct Busy {
    srs: Srs,
    publisher: Process,
    players: Vec<Recording>,
    _folder: TempDir,
}

impl Busy {
    fn start() -> Result<Self> {
        let srs = srs()?;
        let url = srs.rtmp_url("live/show");
        let folder = tempfile::tempdir()?;
        let publisher = ffmpeg::publish(clips::demo(), &url)
            .realtime()
            .looped()
            .start_live()?;
        let mut players = vec![];
        for number in 0..3 {
            let file = folder.path().join(format!("{number}.flv"));
            players.push(ffmpeg::record(&url, file).start()?);
        }
        players.push(rtmpdump::record(&url, folder.path().join("rtmpdump.flv"))?);
        // One that waits for a stream which nobody publishes.
        let idle = srs.rtmp_url("live/idle");
        players.push(ffmpeg::record(&idle, folder.path().join("idle.flv")).start_waiting()?);
        for player in &players[..4] {
            player.wait_for_size(1_000, SOON)?;
        }
        Ok(Self {
            srs,
            publisher,
            players,
            _folder: folder,
        })
    }

    /// Checks that the daemon, which was asked to end, does so soon, and that its peers see it.
    fn check_the_end(&mut self) -> Result<()> {
        let finished = self.srs.process().wait(SOON)?;
        assert_eq!(finished.status.code(), Some(0));
        assert!(finished.took < seconds(2), "it took {:?}", finished.took);
        self.publisher.wait(SOON)?;
        for player in &mut self.players {
            player.process().wait(SOON)?;
        }
        for player in &mut self.players[..3] {
            // With an end of the stream, not with an error.
            player.finish(SOON)?;
        }
        Ok(())
    }
}
