//! An encoder that dies and comes back finds its players where they were.

use anyhow::Result;
use testkit::{SOON, clips, ffmpeg, rtmpdump, wait_for};

use crate::{build_srs, demo_packets, seconds, srs};

#[test]
fn players_go_on_when_a_killed_publisher_returns() -> Result<()> {
    let srs = srs()?;
    let url = srs.rtmp_url("live/show");
    let folder = tempfile::tempdir()?;
    let publisher = ffmpeg::publish(clips::demo(), &url).realtime().looped();

    let mut first = publisher.start_live()?;
    let mut ffmpeg = ffmpeg::record(&url, folder.path().join("ffmpeg.flv")).start_playing()?;
    let mut rtmpdump = rtmpdump::record(&url, folder.path().join("rtmpdump.flv"))?;
    for player in [&ffmpeg, &rtmpdump] {
        player.wait_for_size(20_000, SOON)?;
    }

    first.kill()?;
    let _second = publisher.start_live()?;
    for player in [&ffmpeg, &rtmpdump] {
        player.wait_for_more(40_000, SOON)?;
    }

    let demo = demo_packets()?;
    for player in [&mut ffmpeg, &mut rtmpdump] {
        let seen = player.stop()?;
        seen.check_times_never_go_back()?;
        let starts = seen.count(demo.video()[0]);
        assert_eq!(starts, 2, "both publications are in the file, each once");
    }
    // ffmpeg mends times that go back, but says so.
    for complaint in ["Non-monotonous DTS", "non monotonically increasing dts"] {
        assert!(!ffmpeg.log().contains(complaint), "{complaint}");
    }
    Ok(())
}

#[test]
fn where_players_are_not_kept_they_end_with_the_stream() -> Result<()> {
    let srs = build_srs()
        .settings("[vhost.\"__defaultVhost__\".publish]\nkeep_players = 0")
        .start()?;
    let url = srs.rtmp_url("live/show");
    let folder = tempfile::tempdir()?;

    let mut player = ffmpeg::record(&url, folder.path().join("seen.flv")).start_waiting()?;
    ffmpeg::publish(clips::demo(), &url)
        .realtime()
        .duration(seconds(2))
        .start()?
        .succeed(SOON)?;

    let run = player.finish(SOON)?.run_of(&demo_packets()?)?;
    assert!(run.video.len() >= 45, "to the last picture: {run:?}");
    Ok(())
}

#[test]
fn a_silent_publisher_makes_way_for_itself() -> Result<()> {
    let srs = build_srs()
        .settings(
            "[vhost.\"__defaultVhost__\".publish]\ntakeover = \"reject\"\ndead_after = \"1s\"",
        )
        .start()?;
    let url = srs.rtmp_url("live/show");
    let folder = tempfile::tempdir()?;
    let mut first = ffmpeg::publish(clips::demo(), &url)
        .realtime()
        .looped()
        .start_live()?;
    let player = ffmpeg::record(&url, folder.path().join("seen.flv")).start_playing()?;

    // As if its cable was cut: no packet says that it is gone.
    first.freeze()?;
    let again = ffmpeg::publish(clips::demo(), &url).realtime();
    let _second = wait_for(SOON, "the second publisher to be let in", || {
        Ok(again.start_live().ok())
    })?;

    player.wait_for_more(20_000, SOON)
}
