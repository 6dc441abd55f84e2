//! Results that are shown again and again.

use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use anyhow::Result;
use rustix::process::Signal;
use srs_api::{ErrorCode, StreamsAnswer};
use testkit::{SOON, wait_for};

use crate::answers::server;
use crate::fake_api::{FakeApi, Reply};
use crate::{Tool, exit};

#[test]
fn results_follow_each_other_until_ctrl_c() -> Result<()> {
    let api = FakeApi::start(server)?;
    for command in ["status", "streams", "clients", "vhosts", "stats", "fleet"] {
        let address = api.address();
        let arguments = [command, "--watch=0.25", "-o", "json", "-s", &address];
        let mut tool = Tool::start(arguments)?;
        let lines = wait_for(SOON, "three lines", || {
            let printed = String::from_utf8(tool.printed()?)?;
            let lines: Vec<_> = printed.split_inclusive('\n').map(str::to_owned).collect();
            Ok((lines.len() >= 3).then_some(lines))
        })?;
        for line in &lines[..3] {
            let value: serde_json::Value = serde_json::from_str(line)?;
            assert!(value.is_object(), "{line}");
        }
        tool.signal(Signal::INT)?;
        assert_eq!(tool.wait()?, exit::DONE, "{command}");
        assert_eq!(tool.said(), "");
    }
    Ok(())
}

#[test]
fn a_server_that_goes_away_is_waited_for() -> Result<()> {
    let asked = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&asked);
    let api = FakeApi::start(move |request| match count.fetch_add(1, Ordering::SeqCst) {
        1..4 => Reply::text(502, "<html>"),
        _ => server(request),
    })?;
    let address = api.address();
    let mut tool = Tool::start(["vhosts", "--watch=250ms", "-s", &address])?;
    tool.wait_to_say("answers again")?;
    assert!(asked.load(Ordering::SeqCst) > 4);
    assert_eq!(tool.said().matches("trying again").count(), 1);
    tool.signal(Signal::TERM)?;
    assert_eq!(tool.wait()?, exit::DONE);
    let printed = String::from_utf8(tool.printed()?)?;
    assert!(printed.matches("live.example.com  on ").count() >= 1);
    Ok(())
}

#[test]
fn a_first_question_without_an_answer_is_an_error() -> Result<()> {
    let api = FakeApi::start(|_| Reply::error(400, ErrorCode::BadRequest, "no such key: colour"))?;
    let address = api.address();
    let arguments = ["streams", "--watch", "--sort=-colour", "-s", &address];
    let (status, said) = Tool::run(arguments)?;
    assert_eq!(status, exit::USAGE);
    assert!(said.ends_with(": no such key: colour\n"), "{said}");
    let (status, _) = Tool::run(["streams", "--watch", "-s", "unix:/nowhere/api.sock"])?;
    assert_eq!(status, exit::NOT_REACHED);
    for interval in ["0.2", "3601", "2x"] {
        let (status, _) = Tool::run(["streams", &format!("--watch={interval}")])?;
        assert_eq!(status, exit::USAGE, "{interval}");
    }
    Ok(())
}

#[test]
fn order_and_filter_are_asked_for() -> Result<()> {
    let api = FakeApi::start(server)?;
    let address = api.address();
    let cases: [(&[&str], &str); 3] = [
        (
            &["streams", "--sort=-out", "--filter", "^live/"],
            "GET /api/v1/streams?sort=-out&filter=%5Elive%2F&start=0&count=1000",
        ),
        (
            &["clients", "--sort", "lag", "--players"],
            "GET /api/v1/clients?type=play&sort=lag&start=0&count=1000",
        ),
        (
            &["clients", "--filter", "LNX", "--invert"],
            "GET /api/v1/clients?filter=LNX&invert=true&start=0&count=1000",
        ),
    ];
    for (arguments, expected) in cases {
        let (status, said) = Tool::run(arguments.iter().chain(&["-s", &address]))?;
        assert_eq!((status, said.as_str()), (exit::DONE, ""), "{arguments:?}");
        assert_eq!(api.lines().pop().as_deref(), Some(expected));
    }
    for arguments in [["streams", "--invert"], ["clients", "--invert"]] {
        let (status, _) = Tool::run(arguments)?;
        assert_eq!(status, exit::USAGE);
    }
    Ok(())
}

#[test]
fn on_a_terminal_the_result_is_drawn_over_the_one_before() -> Result<()> {
    // The third question is answered with an end, so that script(1) ends, too.
    let asked = Arc::new(AtomicUsize::new(0));
    let api = FakeApi::start(move |request| match asked.fetch_add(1, Ordering::SeqCst) {
        3 => Reply::error(403, ErrorCode::Forbidden, "enough"),
        2 => Reply::json(&StreamsAnswer {
            code: 0,
            identity: crate::fake_api::identity(),
            total: 0,
            streams: Vec::new(),
        }),
        _ => server(request),
    })?;
    let command = format!(
        "stty cols 60 rows 4; {} streams --watch=0.25 -s {}",
        env!("CARGO_BIN_EXE_srsctl"),
        api.address()
    );
    let output = Command::new("script")
        .args(["--quiet", "--return", "--command", &command, "/dev/null"])
        .env("NO_COLOR", "1")
        .env("SRSCTL_CONFIG", "/dev/null")
        .env_remove("COLUMNS")
        .stdin(Stdio::null())
        .output()?;
    assert_eq!(output.status.code(), Some(exit::REFUSED));
    let shown = String::from_utf8(output.stdout)?;
    let frames: Vec<_> = shown.split("\x1b[H").collect();
    assert_eq!(frames.len(), 4, "{shown:?}");
    assert_eq!(frames[0], "\r\n".repeat(4));
    assert!(
        frames[1].starts_with("\x1b[?7lEvery 250ms: srsctl streams  unix:"),
        "{shown:?}"
    );
    assert!(frames[1].contains("STREAM"), "{shown:?}");
    assert!(
        frames[1].ends_with("… 2 more lines\x1b[K\x1b[J\x1b[?7h"),
        "{shown:?}"
    );
    assert!(
        frames[3].contains("no streams\x1b[K\x1b[J\x1b[?7h\r"),
        "{shown:?}"
    );
    assert!(frames[3].contains("refused: enough"), "{shown:?}");
    Ok(())
}
