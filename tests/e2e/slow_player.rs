//! A player that does not read costs nobody anything.

use anyhow::Result;
use testkit::{SOON, clips, ffmpeg, wait_until};

use crate::{demo_packets, seconds, srs};

#[test]
fn a_player_that_stops_reading_does_not_delay_the_others() -> Result<()> {
    let srs = srs()?;
    let url = srs.rtmp_url("live/show");
    let folder = tempfile::tempdir()?;

    let mut player = ffmpeg::record(&url, folder.path().join("seen.flv"))
        .duration(seconds(5))
        .start_waiting()?;
    let mut stuck = ffmpeg::record(&url, folder.path().join("stuck.flv")).start_waiting()?;
    let _publisher = ffmpeg::publish(clips::demo(), &url)
        .realtime()
        .start_live()?;
    stuck.wait_for_size(1, SOON)?;
    stuck.process().freeze()?;

    let run = player.finish(SOON)?.run_of(&demo_packets()?)?;
    assert_eq!(run.video.start, 0);
    assert!(run.video.len() >= 120, "{run:?}");
    Ok(())
}

#[test]
fn a_player_that_stops_reading_does_not_grow_the_memory() -> Result<()> {
    let mut srs = srs()?;
    let url = srs.rtmp_url("live/show");
    let folder = tempfile::tempdir()?;

    let mut publisher = ffmpeg::publish(clips::demo(), &url)
        .realtime()
        .start_live()?;
    let mut stuck = ffmpeg::record(&url, folder.path().join("stuck.flv")).start_playing()?;
    stuck.process().freeze()?;
    publisher.kill()?;
    let before = srs.process().rss_kb()?;

    // Much more than the buffers of both sockets and the queue hold: 90 MB, which is half an hour.
    let times = 200;
    ffmpeg::publish(clips::demo(), &url)
        .repeated(times)
        .start()?
        .succeed(SOON)?;
    let after = srs.process().rss_kb()?;
    assert!(after < before + 20_000, "from {before} kB to {after} kB");

    // When it reads again it leaves out what it missed, and is where everybody else is.
    let _publisher = ffmpeg::publish(clips::long_gop(), &url)
        .realtime()
        .start_live()?;
    stuck.process().thaw()?;
    let now = ffmpeg::packets(clips::long_gop())?;
    let what = "the thawed player to see what is published now";
    wait_until(SOON, what, || {
        ffmpeg::packets(stuck.file()).is_ok_and(|seen| seen.contains(now.video()[0]))
    })?;
    let seen = stuck.stop()?;
    seen.check_times_never_go_back()?;
    let missed = demo_packets()?.video().len() * usize::try_from(times)?;
    assert!(
        seen.video().len() < missed / 2,
        "it saw {} of {missed}",
        seen.video().len()
    );
    Ok(())
}
