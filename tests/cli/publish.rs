//! `srsctl publish`.

use std::fs;
use std::net::TcpListener;
use std::time::{Duration, Instant};

use anyhow::Result;
use rustix::process::Signal;
use srs_media::flv::{Tag, TagType};
use srs_media::{Metadata, PacketKind};
use testkit::{SOON, wait_until};

use crate::clip::{self, kind, media, tags};
use crate::{Clip, TestServer, Tool, exit, publish_demo, record};

#[test]
fn a_player_gets_every_packet_of_the_file_at_its_time() -> Result<()> {
    let server = TestServer::start()?;
    let clip = Clip::of(600)?;
    let seen = clip.beside("seen.flv");
    let mut player = record(&server, &seen)?;

    let began = Instant::now();
    let (status, said) = Tool::run(["publish", &clip.argument(), &server.url()])?;
    let took = began.elapsed();

    assert_eq!(status, exit::DONE, "{said}");
    assert!(said.contains("published 0:00:00.5"), "{said}");
    assert!(
        took >= Duration::from_millis(500),
        "{took:?} for 600 ms of media"
    );
    assert_eq!(player.wait()?, exit::DONE);
    assert_eq!(media(&seen)?, media(clip.path())?);
    Ok(())
}

#[test]
fn a_player_gets_the_metadata_but_not_what_is_true_of_the_file_alone() -> Result<()> {
    let server = TestServer::start()?;
    let clip = Clip::of(100)?;
    let seen = clip.beside("seen.flv");
    let mut player = record(&server, &seen)?;
    Tool::run(["publish", &clip.argument(), &server.url()])?;
    player.wait()?;

    let metadata = |file: &str| anyhow::Ok(Metadata::decode(&tags(file)?[0].payload)?);
    let (sent, got) = (metadata(&clip.argument())?, metadata(&seen)?);
    assert_eq!(got.resolution(), sent.resolution());
    assert!(sent.properties().get("duration").is_some());
    assert!(got.properties().get("duration").is_none());
    Ok(())
}

#[test]
fn a_loop_goes_on_without_a_jump_until_it_is_asked_to_end() -> Result<()> {
    let server = TestServer::start()?;
    let clip = Clip::of(300)?;
    let seen = clip.beside("seen.flv");
    let mut player = record(&server, &seen)?;
    let mut publisher = Tool::start(["publish", "--loop", &clip.argument(), &server.url()])?;
    let size = |file: &str| fs::metadata(file).map_or(0, |file| file.len());
    let is_over = || size(&seen) > 2 * size(&clip.argument());
    wait_until(SOON, "the third pass", is_over)?;
    publisher.signal(Signal::TERM)?;
    assert_eq!([publisher.wait()?, player.wait()?], [exit::DONE; 2]);

    let (seen, clip) = (media(&seen)?, media(clip.path())?);
    for track in [TagType::Video, TagType::Audio] {
        check_goes_on(&frames(&seen, track), &frames(&clip, track));
    }
    let headers = seen
        .iter()
        .filter(|tag| kind(tag) == PacketKind::SequenceHeader);
    assert_eq!(headers.count(), 2, "no header is repeated");
    Ok(())
}

fn frames(tags: &[Tag], track: TagType) -> Vec<&Tag> {
    let of_track = tags.iter().filter(|tag| tag.tag_type == track);
    of_track
        .filter(|tag| kind(tag) != PacketKind::SequenceHeader)
        .collect()
}

/// Checks that `seen` is `clip` more than once, with times that go on.
fn check_goes_on(seen: &[&Tag], clip: &[&Tag]) {
    assert!(
        seen.len() > clip.len(),
        "the end was passed: {} frames",
        seen.len()
    );
    for (frame, expected) in seen.iter().zip(clip.iter().cycle()) {
        assert_eq!(frame.payload, expected.payload, "at {} ms", frame.timestamp);
    }
    for pair in seen.windows(2) {
        let [from, to] = [pair[0].timestamp, pair[1].timestamp];
        assert!(from < to && to <= from + 120, "from {from} to {to} ms");
    }
}

#[test]
fn of_a_file_that_was_cut_off_everything_is_published_that_is_there() -> Result<()> {
    let server = TestServer::start()?;
    let whole = fs::read(Clip::of(200)?.path())?;
    let len = whole.len() - 20;
    let clip = Clip::new(&whole[..len])?;
    let seen = clip.beside("seen.flv");
    let mut player = record(&server, &seen)?;

    let (status, said) = Tool::run(["publish", &clip.argument(), &server.url()])?;

    assert_eq!(status, exit::DONE);
    let warning = format!("clip.flv: the data ends at byte {len}, within a tag");
    assert!(
        said.contains("warning: ") && said.contains(&warning),
        "{said}"
    );
    player.wait()?;
    assert_eq!(media(&seen)?, media(clip.path())?);
    Ok(())
}

#[test]
fn a_file_that_is_none_is_not_even_announced() -> Result<()> {
    let text = Clip::new(b"once upon a time")?;
    let empty = Clip::new(b"")?;
    let cases = [
        (
            text.beside("nothing.flv"),
            "nothing.flv: cannot be opened: No such file",
        ),
        (
            text.argument(),
            "clip.flv: not an FLV file, at byte 0: expected the signature FLV",
        ),
        (empty.argument(), "clip.flv: the file is empty"),
    ];
    for (file, message) in cases {
        // Whoever connected would fail differently.
        let (status, said) = Tool::run(["publish", &file, &nowhere()?])?;
        assert_eq!(status, exit::FAILED, "{said}");
        assert!(said.contains(message), "{said}");
    }
    Ok(())
}

#[test]
fn a_second_publisher_is_refused_with_the_servers_words() -> Result<()> {
    let server = TestServer::start()?;
    let _first = publish_demo(&server)?;

    let url = format!("{}?token=secret", server.url());
    let (status, said) = Tool::run(["publish", &clip::demo(), &url])?;

    assert_eq!(status, exit::REFUSED, "{said}");
    assert!(said.contains("refused by the server: "), "{said}");
    assert!(said.contains("(NetStream.Publish.BadName)"), "{said}");
    assert!(!said.contains("secret"), "{said}");
    Ok(())
}

#[test]
fn a_server_that_is_not_there_is_told_with_its_address() -> Result<()> {
    let url = nowhere()?;
    let (status, said) = Tool::run(["publish", &clip::demo(), &url])?;
    assert_eq!(status, exit::NOT_REACHED, "{said}");
    assert!(
        said.contains(&url) && said.contains("Connection refused"),
        "{said}"
    );
    Ok(())
}

#[test]
fn a_server_that_says_nothing_is_not_waited_for_longer_than_agreed() -> Result<()> {
    // The kernel accepts connections in its name.
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let url = format!("rtmp://{}/live/show", listener.local_addr()?);
    let (status, said) = Tool::run(["publish", "--timeout", "100ms", &clip::demo(), &url])?;
    assert_eq!(status, exit::NOT_REACHED, "{said}");
    assert!(
        said.contains("no answer from the server within 100ms"),
        "{said}"
    );
    Ok(())
}

#[test]
fn a_server_that_stops_ends_the_stream_with_its_reason() -> Result<()> {
    let mut server = TestServer::start()?;
    let mut publisher = publish_demo(&server)?;
    server.stop();
    assert_eq!(publisher.wait()?, exit::FAILED);
    let said = publisher.said();
    assert!(
        said.contains("ended by the server: the server stops"),
        "{said}"
    );
    Ok(())
}

#[test]
fn ctrl_c_ends_the_stream_in_order() -> Result<()> {
    let server = TestServer::start()?;
    let seen = Clip::new(b"")?;
    let mut player = record(&server, &seen.argument())?;
    let mut publisher = publish_demo(&server)?;
    wait_until(SOON, "media", || {
        media(seen.path()).is_ok_and(|tags| tags.len() > 5)
    })?;
    publisher.signal(Signal::INT)?;
    assert_eq!(publisher.wait()?, exit::DONE);
    assert_eq!(player.wait()?, exit::DONE, "it is told that this was all");
    Ok(())
}

#[test]
fn wrong_arguments_are_answered_with_what_would_be_right() -> Result<()> {
    let cases: [(&[&str], &str); 3] = [
        (
            &["publish", "a.flv", "http://h/live/s"],
            "expected \"rtmp\"",
        ),
        (
            &["publish", "a.flv", "rtmp://h/live"],
            "expected rtmp://HOST[:PORT]/APP/STREAM",
        ),
        (
            &["publish", "--timeout", "soon", "a.flv", "rtmp://h/a/s"],
            "as in 10s or 350ms",
        ),
    ];
    for (arguments, message) in cases {
        let (status, said) = Tool::run(arguments)?;
        assert_eq!(status, exit::USAGE, "{said}");
        assert!(said.contains(message), "{said}");
    }
    Ok(())
}

/// A URL where nobody listens.
fn nowhere() -> Result<String> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    Ok(format!("rtmp://{}/live/show", listener.local_addr()?))
}
