//! A second encoder for a stream that has one.

use anyhow::Result;
use testkit::{SOON, SrsBuilder, clips, ffmpeg};

use crate::{build_srs, demo_packets, seconds, srs};

#[test]
fn where_takeover_is_rejected_the_second_hears_why_and_the_first_goes_on() -> Result<()> {
    let srs = with_takeover("reject").start()?;
    let url = srs.rtmp_url("live/show");
    let folder = tempfile::tempdir()?;

    let mut player = ffmpeg::record(&url, folder.path().join("seen.flv"))
        .duration(seconds(4))
        .start_waiting()?;
    let mut first = ffmpeg::publish(clips::demo(), &url)
        .realtime()
        .start_live()?;
    player.wait_for_size(10_000, SOON)?;

    let mut second = ffmpeg::publish(clips::demo(), &url).realtime().start()?;
    let refused = second.fail(SOON)?;
    assert!(
        refused.took < seconds(2),
        "the second was kept waiting for {:?}",
        refused.took
    );
    let reason = second.log().wait_for("Server error: ", SOON)?;
    assert!(reason.contains("published"), "{reason}");

    player.finish(SOON)?.run_of(&demo_packets()?)?;
    assert!(first.is_running()?);
    Ok(())
}

#[test]
fn where_takeover_is_free_the_second_replaces_the_first_and_players_stay() -> Result<()> {
    let srs = with_takeover("takeover").start()?;
    let folder = tempfile::tempdir()?;
    let mut first = ffmpeg::publish(clips::demo(), &srs.rtmp_url("live/show?token=first"))
        .realtime()
        .looped()
        .start_live()?;
    let mut player = ffmpeg::record(&srs.rtmp_url("live/show"), folder.path().join("seen.flv"))
        .start_playing()?;

    let _second = ffmpeg::publish(clips::long_gop(), &srs.rtmp_url("live/show?token=second"))
        .realtime()
        .start_live()?;
    first.fail(SOON)?;
    player.wait_for_more(30_000, SOON)?;

    let seen = player.stop()?;
    seen.check_times_never_go_back()?;
    let second = ffmpeg::packets(clips::long_gop())?;
    assert!(seen.contains(second.video()[0]));
    Ok(())
}

#[test]
fn by_default_the_same_encoder_may_take_its_own_stream_over() -> Result<()> {
    let srs = srs()?;
    let url = srs.rtmp_url("live/show?token=secret");
    let folder = tempfile::tempdir()?;
    let mut first = ffmpeg::publish(clips::demo(), &url)
        .realtime()
        .looped()
        .start_live()?;
    let mut player = ffmpeg::record(&srs.rtmp_url("live/show"), folder.path().join("seen.flv"))
        .start_playing()?;

    let _second = ffmpeg::publish(clips::demo(), &url)
        .realtime()
        .looped()
        .start_live()?;
    first.fail(SOON)?;
    player.wait_for_more(30_000, SOON)?;
    player.stop()?.check_times_never_go_back()
}

#[test]
fn by_default_nobody_with_other_credentials_takes_a_stream_over() -> Result<()> {
    let srs = srs()?;
    let mut first = ffmpeg::publish(clips::demo(), &srs.rtmp_url("live/show?token=secret"))
        .realtime()
        .start_live()?;

    for guess in ["live/show?token=guess", "live/show"] {
        let mut second = ffmpeg::publish(clips::demo(), &srs.rtmp_url(guess))
            .realtime()
            .start()?;
        second.fail(SOON)?;
        second.log().wait_for("Server error: ", SOON)?;
    }
    assert!(first.is_running()?);
    Ok(())
}

#[test]
fn by_default_nobody_from_elsewhere_takes_a_stream_over() -> Result<()> {
    let srs = build_srs().listen(["127.0.0.1:0", "[::1]:0"]).start()?;
    // A peer on this machine comes from the address that it goes to.
    let [here, elsewhere] = [srs.addresses()[0], srs.addresses()[1]];
    let mut first = ffmpeg::publish(clips::demo(), &format!("rtmp://{here}/live/show"))
        .realtime()
        .start_live()?;

    let mut second =
        ffmpeg::publish(clips::demo(), &format!("rtmp://{elsewhere}/live/show")).start()?;
    second.fail(SOON)?;
    second.log().wait_for("Server error: ", SOON)?;
    assert!(first.is_running()?);
    Ok(())
}

fn with_takeover(policy: &str) -> SrsBuilder {
    let settings = format!("[vhost.\"__defaultVhost__\".publish]\ntakeover = \"{policy}\"");
    build_srs().settings(&settings)
}
