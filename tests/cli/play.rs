//! `srsctl play`.

use std::fs;

use anyhow::Result;
use rustix::process::Signal;
use srs_media::flv::TagType;
use testkit::{SOON, clips, ffmpeg, wait_until};

use crate::clip::{argument, media, tags};
use crate::{Clip, TestServer, Tool, exit, publish_demo};

#[test]
fn the_figures_come_line_by_line_and_then_all_together() -> Result<()> {
    let server = TestServer::start()?;
    let publisher = publish_demo(&server)?;
    let mut player = Tool::start(["play", &server.url()])?;
    player.wait_to_print("H.264 640x360")?;
    publisher.signal(Signal::TERM)?;

    assert_eq!(player.wait()?, exit::DONE);
    let printed = String::from_utf8(player.printed()?)?;
    assert!(printed.starts_with(" time  video"), "{printed}");
    let parts = [
        "the stream ended",
        "first key frame after",
        "AAC LC 44100 Hz stereo",
        "25.00 fps",
    ];
    for part in parts {
        assert!(printed.contains(part), "{part}: {printed}");
    }
    assert_eq!(
        player.said(),
        "",
        "what is not data is not said without need"
    );
    Ok(())
}

#[test]
fn a_recording_that_is_interrupted_is_a_whole_file() -> Result<()> {
    let server = TestServer::start()?;
    let _publisher = publish_demo(&server)?;
    let clip = Clip::new(b"something from earlier")?;
    let mut player = Tool::start(["play", "-o", &clip.argument(), &server.url()])?;
    let has_grown = || fs::metadata(clip.path()).is_ok_and(|file| file.len() > 20_000);
    wait_until(SOON, "a file that grows", has_grown)?;
    player.signal(Signal::INT)?;

    assert_eq!(player.wait()?, exit::DONE);
    assert_eq!(
        ffmpeg::streams(clip.path())?,
        ffmpeg::streams(clips::demo())?
    );
    ffmpeg::decode(clip.path())?;
    assert_eq!(
        tags(clip.path())?[0].tag_type,
        TagType::Script,
        "metadata comes first"
    );
    assert_eq!(
        fs::read(clip.path())?[4],
        0b101,
        "the header tells of audio and video"
    );
    Ok(())
}

#[test]
fn a_recording_holds_as_much_media_as_was_asked_for() -> Result<()> {
    let server = TestServer::start()?;
    let _publisher = publish_demo(&server)?;
    let mut player = Tool::start(["play", "--duration", "1s", "-o", "-", &server.url()])?;
    assert_eq!(player.wait()?, exit::DONE);

    let clip = Clip::new(&player.printed()?)?;
    let media = media(clip.path())?;
    let [first, last] = [media[0].timestamp, media[media.len() - 1].timestamp];
    assert!((1..1000).contains(&(last - first)), "{first} to {last}");
    Ok(())
}

#[test]
fn a_stream_of_sound_alone_is_recorded_as_such() -> Result<()> {
    let server = TestServer::start()?;
    let clip = Clip::new(b"")?;
    let sound = argument(&clips::audio_only());
    let publisher = Tool::start(["publish", "-v", "--loop", &sound, &server.url()])?;
    publisher.wait_to_say("publishing")?;
    let arguments = [
        "play",
        "--duration",
        "1s",
        "-o",
        &clip.argument(),
        &server.url(),
    ];
    let (status, said) = Tool::run(arguments)?;
    assert_eq!(status, exit::DONE, "{said}");
    assert_eq!(
        fs::read(clip.path())?[4],
        0b100,
        "the header tells of audio only"
    );
    Ok(())
}

#[test]
fn a_stream_that_is_not_there_is_not_found() -> Result<()> {
    let server = TestServer::start()?;
    let clip = Clip::new(b"")?;
    for output in [&["--stats"][..], &["-o", &clip.argument()]] {
        let url = server.url();
        let arguments = ["play", "--duration", "100ms", &url].into_iter();
        let (status, said) = Tool::run(arguments.chain(output.iter().copied()))?;
        assert_eq!(status, exit::NOT_FOUND, "{said}");
        assert!(said.contains("no media"), "{said}");
    }
    Ok(())
}

#[test]
fn a_disk_that_is_full_is_told() -> Result<()> {
    let server = TestServer::start()?;
    let _publisher = publish_demo(&server)?;
    let (status, said) = Tool::run(["play", "-o", "/dev/full", &server.url()])?;
    assert_eq!(status, exit::FAILED, "{said}");
    assert!(
        said.contains("/dev/full: No space left on device"),
        "{said}"
    );
    Ok(())
}

#[test]
fn a_folder_that_is_not_there_is_told() -> Result<()> {
    let server = TestServer::start()?;
    let file = Clip::new(b"")?.beside("nowhere/seen.flv");
    let (status, said) = Tool::run(["play", "-o", &file, &server.url()])?;
    assert_eq!(status, exit::FAILED, "{said}");
    assert!(
        said.contains("nowhere/seen.flv: No such file or directory"),
        "{said}"
    );
    Ok(())
}

#[test]
fn a_reader_that_leaves_is_no_error() -> Result<()> {
    let server = TestServer::start()?;
    let _publisher = publish_demo(&server)?;
    for arguments in [&["play", "-o", "-"][..], &["play"]] {
        let url = server.url();
        let mut player = Tool::start_unread(arguments.iter().copied().chain([url.as_str()]))?;
        assert_eq!(player.wait()?, exit::DONE, "{}", player.said());
    }
    Ok(())
}

#[test]
fn a_server_that_is_not_there_is_not_reached() -> Result<()> {
    let mut server = TestServer::start()?;
    server.stop();
    let (status, said) = Tool::run(["play", &server.url()])?;
    assert_eq!(status, exit::NOT_REACHED, "{said}");
    Ok(())
}

#[test]
fn figures_and_a_file_at_once_are_not_to_be_had() -> Result<()> {
    let (status, said) = Tool::run(["play", "--stats", "-o", "a.flv", "rtmp://h/live/show"])?;
    assert_eq!(status, exit::USAGE);
    assert!(said.contains("cannot be used with"), "{said}");
    Ok(())
}
