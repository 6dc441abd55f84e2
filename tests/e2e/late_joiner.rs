//! A player that comes while a stream runs.

use std::time::Instant;

use anyhow::Result;
use testkit::{SOON, Srs, clips, ffmpeg, rtmpdump};

use crate::{build_srs, demo_packets, seconds, srs};

#[test]
fn a_late_player_starts_at_once_and_at_a_key_frame() -> Result<()> {
    let srs = srs()?;
    let url = srs.rtmp_url("live/show");
    let folder = tempfile::tempdir()?;
    let _publisher = ffmpeg::publish(clips::demo(), &url)
        .realtime()
        .start_live()?;
    // Three seconds: the newest key frame is that at two, and a second old.
    wait_for_media(&srs, 3)?;

    let start = Instant::now();
    let mut player = rtmpdump::record(&url, folder.path().join("seen.flv"))?;
    player.wait_for_size(5_000, SOON)?;
    assert!(
        start.elapsed() < seconds(1),
        "it took {:?}",
        start.elapsed()
    );

    let seen = player.stop()?;
    let run = seen.run_of(&demo_packets()?)?;
    assert!(seen.video()[0].is_key_frame);
    assert!(
        run.video.start > 0,
        "it need not see what is long past: {run:?}"
    );
    Ok(())
}

#[test]
fn a_late_player_gets_a_long_gop_from_its_start() -> Result<()> {
    let srs = srs()?;
    let url = srs.rtmp_url("live/show");
    let folder = tempfile::tempdir()?;
    let _publisher = ffmpeg::publish(clips::long_gop(), &url)
        .realtime()
        .start_live()?;
    wait_for_media(&srs, 3)?;

    let mut player = rtmpdump::record(&url, folder.path().join("seen.flv"))?;
    player.wait_for_size(40_000, SOON)?;

    let run = player
        .stop()?
        .run_of(&ffmpeg::packets(clips::long_gop())?)?;
    assert_eq!((run.video.start, run.audio.start), (0, 0));
    Ok(())
}

#[test]
fn without_a_gop_cache_a_late_player_waits_for_the_next_key_frame() -> Result<()> {
    let srs = build_srs()
        .settings("[vhost.\"__defaultVhost__\"]\ngop_cache = false")
        .start()?;
    let url = srs.rtmp_url("live/show");
    let folder = tempfile::tempdir()?;
    let _publisher = ffmpeg::publish(clips::demo(), &url)
        .realtime()
        .start_live()?;
    wait_for_media(&srs, 1)?;

    let mut player = rtmpdump::record(&url, folder.path().join("seen.flv"))?;
    player.wait_for_size(40_000, SOON)?;

    let seen = player.stop()?;
    let run = seen.run_of(&demo_packets()?)?;
    assert!(seen.video()[0].is_key_frame);
    assert!(run.video.start >= 50, "{run:?}");
    Ok(())
}

/// Waits until so many seconds of `live/show` have been played.
fn wait_for_media(srs: &Srs, number: u64) -> Result<()> {
    let folder = tempfile::tempdir()?;
    ffmpeg::record(&srs.rtmp_url("live/show"), folder.path().join("clock.flv"))
        .duration(seconds(number))
        .start()?
        .finish(SOON)?;
    Ok(())
}
