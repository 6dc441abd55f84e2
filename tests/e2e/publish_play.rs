//! What an encoder publishes is what a player gets.

use anyhow::Result;
use testkit::{SOON, clips, ffmpeg, rtmpdump};

use crate::{build_srs, demo_packets, seconds, srs};

#[test]
fn a_player_gets_every_packet_as_it_was_published() -> Result<()> {
    let srs = srs()?;
    let url = srs.rtmp_url("live/show");
    let folder = tempfile::tempdir()?;

    let mut player = ffmpeg::record(&url, folder.path().join("seen.flv"))
        .duration(seconds(4))
        .start_waiting()?;
    let _publisher = ffmpeg::publish(clips::demo(), &url)
        .realtime()
        .start_live()?;
    let seen = player.finish(SOON)?;

    // One offset for all packets: picture and sound are as far apart as they were.
    let run = seen.run_of(&demo_packets()?)?;
    assert_eq!(
        (run.video.start, run.audio.start),
        (0, 0),
        "the beginning is there"
    );
    assert!(
        run.video.len() >= 95 && run.audio.len() >= 160,
        "so are four seconds: {run:?}"
    );
    assert_eq!(
        ffmpeg::streams(player.file())?,
        ffmpeg::streams(clips::demo())?
    );
    ffmpeg::decode(player.file())
}

#[test]
fn a_player_gets_the_metadata_of_the_encoder() -> Result<()> {
    let srs = srs()?;
    let url = srs.rtmp_url("live/show");
    let folder = tempfile::tempdir()?;

    let _publisher = ffmpeg::publish(clips::demo(), &url)
        .realtime()
        .metadata("title", "A show")
        .start_live()?;
    // rtmpdump keeps the message as it came, where ffmpeg would write one of its own.
    let mut player = rtmpdump::record(&url, folder.path().join("seen.flv"))?;
    player.wait_for_size(20_000, SOON)?;
    player.stop()?;

    assert_eq!(
        ffmpeg::metadata(player.file(), "title")?.as_deref(),
        Some("A show")
    );
    for property in [
        "width                 640",
        "height                360",
        "audiocodecid          10",
    ] {
        assert!(player.log().contains(property), "{property}");
    }
    Ok(())
}

#[test]
fn streams_of_one_name_in_two_vhosts_do_not_mix() -> Result<()> {
    let srs = build_srs().settings("[vhost.\"one.example\"]").start()?;
    let folder = tempfile::tempdir()?;
    let clips = [
        (
            clips::demo(),
            "live?vhost=one.example/show",
            "live/show?vhost=one.example",
        ),
        (clips::long_gop(), "live/show", "live/show"),
    ];

    let mut publishers = vec![];
    let mut players = vec![];
    for (number, (clip, publish, play)) in clips.iter().enumerate() {
        let file = folder.path().join(format!("{number}.flv"));
        let player = ffmpeg::record(&srs.rtmp_url(play), file).duration(seconds(2));
        players.push(player.start_waiting()?);
        let publisher = ffmpeg::publish(clip, &srs.rtmp_url(publish)).realtime();
        publishers.push(publisher.start_live()?);
    }

    for (player, (clip, ..)) in players.iter_mut().zip(&clips) {
        player.finish(SOON)?.run_of(&ffmpeg::packets(clip)?)?;
    }
    Ok(())
}

#[test]
fn a_host_that_no_vhost_names_is_the_default_one() -> Result<()> {
    let srs = srs()?;
    let folder = tempfile::tempdir()?;

    let publish = srs.rtmp_url("live?vhost=unknown.example/show");
    let _publisher = ffmpeg::publish(clips::demo(), &publish)
        .realtime()
        .start_live()?;
    let mut player = ffmpeg::record(&srs.rtmp_url("live/show"), folder.path().join("seen.flv"))
        .duration(seconds(1))
        .start()?;

    player.finish(SOON)?.run_of(&demo_packets()?)?;
    Ok(())
}

#[test]
fn sound_alone_is_a_stream() -> Result<()> {
    let srs = srs()?;
    let url = srs.rtmp_url("live/radio");
    let folder = tempfile::tempdir()?;

    let mut player = rtmpdump::record(&url, folder.path().join("seen.flv"))?;
    player.log().wait_for("Starting Live Stream", SOON)?;
    let _publisher = ffmpeg::publish(clips::audio_only(), &url)
        .realtime()
        .start_live()?;
    player.wait_for_size(16_000, SOON)?;

    let run = player
        .stop()?
        .run_of(&ffmpeg::packets(clips::audio_only())?)?;
    assert_eq!(run.audio.start, 0);
    Ok(())
}

#[test]
fn a_picture_alone_is_a_stream() -> Result<()> {
    let srs = srs()?;
    let url = srs.rtmp_url("live/camera");
    let folder = tempfile::tempdir()?;

    let mut player = rtmpdump::record(&url, folder.path().join("seen.flv"))?;
    player.log().wait_for("Starting Live Stream", SOON)?;
    let _publisher = ffmpeg::publish(clips::video_only(), &url)
        .realtime()
        .start_live()?;
    player.wait_for_size(30_000, SOON)?;

    let run = player
        .stop()?
        .run_of(&ffmpeg::packets(clips::video_only())?)?;
    assert_eq!(run.video.start, 0);
    Ok(())
}

#[test]
fn a_stream_that_came_by_ipv6_is_played_by_ipv4_and_back() -> Result<()> {
    let srs = build_srs().listen(["127.0.0.1:0", "[::1]:0"]).start()?;
    let folder = tempfile::tempdir()?;
    let [v4, v6] = [srs.addresses()[0], srs.addresses()[1]];

    for (number, (from, to)) in [(v6, v4), (v4, v6)].into_iter().enumerate() {
        let file = folder.path().join(format!("{number}.flv"));
        let _publisher = ffmpeg::publish(clips::demo(), &format!("rtmp://{from}/live/{number}"))
            .realtime()
            .start_live()?;
        let mut player = ffmpeg::record(&format!("rtmp://{to}/live/{number}"), file)
            .duration(seconds(1))
            .start()?;
        player.finish(SOON)?.run_of(&demo_packets()?)?;
    }
    Ok(())
}
