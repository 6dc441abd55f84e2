//! The peers themselves, held against nginx-rtmp: whoever fails here would fail against any server.

use std::time::Duration;

use anyhow::Result;
use testkit::{Nginx, SOON, clips, ffmpeg, gstreamer, rtmpdump, vlc};

const SHORT: Duration = Duration::from_secs(2);

#[test]
fn ffmpeg_publishes_and_records_the_same_packets() -> Result<()> {
    let nginx = Nginx::start("")?;
    let url = nginx.rtmp_url("live/show");
    let folder = tempfile::tempdir()?;

    let mut recording = ffmpeg::record(&url, folder.path().join("seen.flv"))
        .duration(SHORT)
        .start_waiting()?;
    let _publisher = ffmpeg::publish(clips::demo(), &url)
        .realtime()
        .start_live()?;
    let seen = recording.finish(SOON)?;

    let run = seen.run_of(&ffmpeg::packets(clips::demo())?)?;
    assert!(run.video.len() > 40, "{run:?}");
    seen.check_times_never_go_back()?;
    ffmpeg::decode(recording.file())
}

#[test]
fn rtmpdump_records_until_it_is_stopped() -> Result<()> {
    let nginx = Nginx::start("")?;
    let url = nginx.rtmp_url("live/show");
    let folder = tempfile::tempdir()?;

    let mut recording = rtmpdump::record(&url, folder.path().join("seen.flv"))?;
    nginx.log().wait_for(PLAY, SOON)?;
    let _publisher = ffmpeg::publish(clips::demo(), &url)
        .realtime()
        .start_live()?;
    recording.wait_for_size(30_000, SOON)?;

    assert!(recording.stop()?.video().len() > 10);
    Ok(())
}

#[test]
fn gstreamer_publishes_and_records_with_its_own_rtmp() -> Result<()> {
    let nginx = Nginx::start("")?;
    let url = nginx.rtmp_url("live/show");
    let folder = tempfile::tempdir()?;

    let mut recording = gstreamer::record(&url, folder.path().join("seen.flv"), 60)?;
    nginx.log().wait_for(PLAY, SOON)?;
    let _publisher = gstreamer::publish(&clips::demo(), &url)?;

    assert!(recording.finish(SOON)?.video().len() > 10);
    Ok(())
}

#[test]
fn gstreamer_publishes_with_librtmp() -> Result<()> {
    let nginx = Nginx::start("")?;
    let url = nginx.rtmp_url("live/show");
    let folder = tempfile::tempdir()?;

    let mut recording = ffmpeg::record(&url, folder.path().join("seen.flv"))
        .duration(SHORT)
        .start_waiting()?;
    let _publisher = gstreamer::publish_with_librtmp(&clips::demo(), &url)?;

    assert!(recording.finish(SOON)?.video().len() > 40);
    Ok(())
}

#[test]
fn vlc_records_without_a_screen() -> Result<()> {
    let nginx = Nginx::start("")?;
    let url = nginx.rtmp_url("live/show");

    let mut recording = vlc::record(&url, SHORT)?;
    nginx.log().wait_for(PLAY, SOON)?;
    let _publisher = ffmpeg::publish(clips::demo(), &url)
        .realtime()
        .start_live()?;

    assert!(recording.finish(SOON)?.video().len() > 10);
    Ok(())
}

/// What nginx says when a player has asked for the stream.
const PLAY: &str = "play: name='show'";
