//! Peers of several makes publish, play and relay.

use anyhow::Result;
use testkit::{Nginx, Recording, SOON, clips, ffmpeg, gstreamer, rtmpdump, vlc};

use crate::{demo_packets, seconds, srs};

#[test]
fn rtmpdump_plays() -> Result<()> {
    let srs = srs()?;
    let url = srs.rtmp_url("live/show");
    let folder = tempfile::tempdir()?;

    let _publisher = ffmpeg::publish(clips::demo(), &url)
        .realtime()
        .start_live()?;
    let mut player = rtmpdump::record(&url, folder.path().join("seen.flv"))?;
    player.wait_for_size(60_000, SOON)?;

    player.stop()?.run_of(&demo_packets()?)?;
    Ok(())
}

#[test]
fn gstreamer_plays() -> Result<()> {
    let srs = srs()?;
    let url = srs.rtmp_url("live/show");
    let folder = tempfile::tempdir()?;

    let _publisher = ffmpeg::publish(clips::demo(), &url)
        .realtime()
        .start_live()?;
    let mut player = gstreamer::record(&url, folder.path().join("seen.flv"), 150)?;

    player.finish(SOON)?.run_of(&demo_packets()?)?;
    Ok(())
}

#[test]
fn gstreamer_publishes() -> Result<()> {
    let srs = srs()?;
    let url = srs.rtmp_url("live/show");
    let folder = tempfile::tempdir()?;

    let mut player = ffmpeg::record(&url, folder.path().join("seen.flv"))
        .duration(seconds(3))
        .start_waiting()?;
    let _publisher = gstreamer::publish(&clips::demo(), &url)?;

    check_three_seconds(&mut player)
}

#[test]
fn librtmp_publishes() -> Result<()> {
    let srs = srs()?;
    let url = srs.rtmp_url("live/show");
    let folder = tempfile::tempdir()?;

    let mut player = ffmpeg::record(&url, folder.path().join("seen.flv"))
        .duration(seconds(3))
        .start_waiting()?;
    let _publisher = gstreamer::publish_with_librtmp(&clips::demo(), &url)?;

    check_three_seconds(&mut player)
}

#[test]
fn vlc_plays() -> Result<()> {
    let srs = srs()?;
    let url = srs.rtmp_url("live/show");

    let _publisher = ffmpeg::publish(clips::demo(), &url)
        .realtime()
        .start_live()?;
    let mut player = vlc::record(&url, seconds(3))?;

    let seen = player.finish(SOON)?;
    assert!(seen.video().len() > 40, "{} pictures", seen.video().len());
    assert!(
        seen.audio().len() > 60,
        "{} pieces of sound",
        seen.audio().len()
    );
    Ok(())
}

#[test]
fn nginx_pulls() -> Result<()> {
    let srs = srs()?;
    let nginx = Nginx::start(&format!("pull {} name=show;", srs.rtmp_url("live/show")))?;
    let folder = tempfile::tempdir()?;

    let _publisher = ffmpeg::publish(clips::demo(), &srs.rtmp_url("live/show"))
        .realtime()
        .start_live()?;
    let mut player = ffmpeg::record(&nginx.rtmp_url("live/show"), folder.path().join("seen.flv"))
        .duration(seconds(2))
        .start()?;

    player.finish(SOON)?.run_of(&demo_packets()?)?;
    Ok(())
}

#[test]
fn nginx_pushes() -> Result<()> {
    let srs = srs()?;
    let nginx = Nginx::start(&format!("push {};", srs.rtmp_url("live")))?;
    let folder = tempfile::tempdir()?;

    let mut player = ffmpeg::record(&srs.rtmp_url("live/show"), folder.path().join("seen.flv"))
        .duration(seconds(2))
        .start_waiting()?;
    let _publisher = ffmpeg::publish(clips::demo(), &nginx.rtmp_url("live/show"))
        .realtime()
        .start_live()?;

    player.finish(SOON)?.run_of(&demo_packets()?)?;
    Ok(())
}

/// A publisher that packs the demo anew may change bytes, but nothing that matters.
fn check_three_seconds(player: &mut Recording) -> Result<()> {
    let seen = player.finish(SOON)?;
    seen.check_times_never_go_back()?;
    assert!(seen.video().len() > 70, "{} pictures", seen.video().len());
    assert!(
        seen.audio().len() > 120,
        "{} pieces of sound",
        seen.audio().len()
    );
    ffmpeg::decode(player.file())
}
