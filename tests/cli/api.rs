//! The commands that ask a server by its API, against answers that a script gives.

use std::fs;
use std::io::{ErrorKind, Write as _};
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use anyhow::{Context as _, Result};
use srs_api::{
    ClientAnswer, ErrorAnswer, ErrorCode, LogPlace, Reload, ReloadOutcome, StreamsAnswer,
};
use testkit::{SOON, wait_for};

use crate::answers::{client, config, one, reload, server, stream, summaries};
use crate::fake_api::{FakeApi, Reply, identity};
use crate::{Tool, exit};

/// Runs `srsctl -s ADDRESS ARGUMENTS`; gives exit status, standard output and standard error.
fn run(api: &FakeApi, arguments: &[&str]) -> Result<(i32, String, String)> {
    let server = ["-s".to_owned(), api.address()];
    let arguments = arguments.iter().map(|argument| (*argument).to_owned());
    let mut tool = Tool::start(server.into_iter().chain(arguments))?;
    let status = tool.wait()?;
    Ok((status, String::from_utf8(tool.printed()?)?, tool.said()))
}

#[test]
fn every_command_shows_what_the_server_says() -> Result<()> {
    let api = FakeApi::start(server)?;
    let cases: [(&[&str], &[&str]); 12] = [
        (
            &["status"],
            &[
                "server       edge1\n",
                "state        ready\n",
                "uptime       3h 12m",
                "CPU          12.3 % of a core\n",
                // It has not looked at itself yet.
                "memory       not known\n",
                "open files   not known of ",
                "players      900\n",
                "out          1.2 Gbit/s\n",
                "listens at   0.0.0.0:1935, unix:/run/srs/api.sock (API), 0.0.0.0:8080 (HTTP)\n",
                "last reload  never\n",
                "heartbeat    off\n",
            ],
        ),
        (
            &["streams"],
            &[
                "STREAM ",
                "live/show ",
                "H264 High 1280x720@25",
                "live/a\\u{1b}[2Jb",
            ],
        ),
        (
            &["streams", "live/show"],
            &["id               s1\n", "audio"],
        ),
        (&["streams", "s1"], &["live/show\n"]),
        (
            &["clients"],
            &["104  publish  192.0.2.7  live/show ", "105  play "],
        ),
        (&["clients", "104"], &["address       192.0.2.7:51234\n"]),
        (
            &["clients", "--stream", "show", "--players"],
            &["105  play "],
        ),
        (&["vhosts"], &["live.example.com  on "]),
        (&["vhosts", "live.example.com"], &["state    on\n"]),
        (
            &["stats"],
            &["Service\n", "\nProcess\n", "12.3 s user", "\nHost\n"],
        ),
        (&["fleet"], &["edge2   late   5m 0s  192.0.2.2"]),
        (&["reload"], &["At once:\n  max_connections: 100 -> 200\n"]),
    ];
    for (arguments, parts) in cases {
        let (status, printed, said) = run(&api, arguments)?;
        assert_eq!(status, exit::DONE, "{arguments:?}: {said}");
        for part in parts {
            if *part == "audio" {
                assert!(!printed.contains(part), "{printed}");
            } else {
                assert!(printed.contains(part), "{arguments:?}: {part}: {printed}");
            }
        }
    }
    Ok(())
}

#[test]
fn programs_get_what_the_api_says() -> Result<()> {
    let api = FakeApi::start(server)?;
    let (_, printed, _) = run(&api, &["streams", "-o", "json"])?;
    let answer: StreamsAnswer = serde_json::from_str(&printed)?;
    assert_eq!(
        answer.streams,
        [stream("s1", "show"), stream("s2", "a\x1b[2Jb")]
    );
    let (_, printed, _) = run(&api, &["-o", "json", "clients", "104"])?;
    let answer: ClientAnswer = serde_json::from_str(&printed)?;
    assert_eq!(answer.client, client("104", true));
    for arguments in [
        ["status"].as_slice(),
        &["vhosts"],
        &["stats"],
        &["fleet"],
        &["reload"],
        &["reload", "--dry-run"],
        &["clients", "kick", "--yes", "104"],
    ] {
        let (status, printed, _) = run(&api, &[arguments, &["-o", "json"]].concat())?;
        assert_eq!(status, exit::DONE);
        let value: serde_json::Value = serde_json::from_str(&printed)?;
        assert!(value.is_object(), "{arguments:?}");
        assert_eq!(printed.lines().count(), 1, "{arguments:?}");
    }
    Ok(())
}

#[test]
fn long_lists_are_fetched_page_by_page() -> Result<()> {
    const TOTAL: usize = 2_500;
    let api = FakeApi::start(|request| {
        let value = |name: &str| {
            let (_, query) = request.line.split_once('?')?;
            let pair = query.split('&').find_map(|pair| pair.strip_prefix(name))?;
            pair.strip_prefix('=')?.parse::<usize>().ok()
        };
        let start = value("start").unwrap_or(0);
        let count = value("count").unwrap_or(10);
        let streams = (start..TOTAL.min(start + count)).map(|number| {
            let id = format!("s{number}");
            stream(&id, &id)
        });
        Reply::json(&StreamsAnswer {
            code: 0,
            identity: identity(),
            total: TOTAL,
            streams: streams.collect(),
        })
    })?;
    let (status, printed, said) = run(&api, &["streams"])?;
    assert_eq!((status, said.as_str()), (exit::DONE, ""));
    assert_eq!(printed.lines().count(), TOTAL + 1);
    assert_eq!(api.requests().len(), 3);

    let (status, printed, said) = run(&api, &["streams", "--limit", "1001"])?;
    assert_eq!(status, exit::DONE);
    assert_eq!(printed.lines().count(), 1_002);
    assert_eq!(said, "srsctl: 1001 of 2500 streams; --limit shows more\n");
    let last = api.lines().pop().context("it was asked")?;
    assert_eq!(last, "GET /api/v1/streams?start=1000&count=1");
    Ok(())
}

#[test]
fn a_list_without_end_is_not_fetched_for_ever() -> Result<()> {
    // Whatever is asked for, the same two come, and there are said to be many more.
    let api = FakeApi::start(|_| {
        Reply::json(&StreamsAnswer {
            code: 0,
            identity: identity(),
            total: 1_000_000,
            streams: vec![stream("s1", "show"), stream("s2", "other")],
        })
    })?;
    let (status, printed, _) = run(&api, &["streams", "--limit", "10"])?;
    assert_eq!(status, exit::DONE);
    assert_eq!(printed.lines().count(), 3);
    assert_eq!(api.requests().len(), 5);
    Ok(())
}

#[test]
fn an_empty_list_says_so() -> Result<()> {
    let api = FakeApi::start(|_| {
        Reply::json(&StreamsAnswer {
            code: 0,
            identity: identity(),
            total: 0,
            streams: Vec::new(),
        })
    })?;
    let (status, printed, said) = run(&api, &["streams"])?;
    assert_eq!((status, printed.as_str()), (exit::DONE, ""));
    assert_eq!(said, "srsctl: no streams\n");
    Ok(())
}

#[test]
fn filters_are_asked_for() -> Result<()> {
    let api = FakeApi::start(server)?;
    run(&api, &["streams", "--vhost", "a b", "--app", "live"])?;
    run(&api, &["clients", "--publishers", "--vhost", "v"])?;
    run(&api, &["clients", "--stream", "live/show"])?;
    let lines = api.lines();
    let expected = [
        "GET /api/v1/streams?vhost=a+b&app=live&start=0&count=1000",
        "GET /api/v1/clients?vhost=v&type=publish&start=0&count=1000",
        "GET /api/v1/streams?start=0&count=1000",
        "GET /api/v1/clients?stream=s1&start=0&count=1000",
    ];
    assert_eq!(lines, expected);
    Ok(())
}

#[test]
fn what_is_not_there_is_told_with_its_exit_status() -> Result<()> {
    let api = FakeApi::start(server)?;
    let cases: [(&[&str], &str); 4] = [
        (
            &["streams", "nothing"],
            "no stream nothing; srsctl streams lists",
        ),
        (&["clients", "9"], "no client 9; srsctl clients lists"),
        (
            &["clients", "--stream", "x"],
            "no stream x; srsctl streams lists",
        ),
        (
            &["clients", "kick", "--yes", "104", "9"],
            "no client 9; srsctl clients",
        ),
    ];
    for (arguments, message) in cases {
        let (status, _, said) = run(&api, arguments)?;
        assert_eq!(status, exit::NOT_FOUND, "{arguments:?}");
        assert!(said.contains(message), "{said}");
    }
    assert!(
        api.lines()
            .contains(&"DELETE /api/v1/clients/104".to_owned()),
        "those that are there are cut off"
    );
    Ok(())
}

#[test]
fn who_was_cut_off_is_told_even_if_the_rest_fails() -> Result<()> {
    let api = FakeApi::start(|request| match request.line.as_str() {
        "DELETE /api/v1/clients/105" => Reply::error(403, ErrorCode::Forbidden, "not this one"),
        _ => server(request),
    })?;
    let (status, printed, said) = run(&api, &["clients", "kick", "--yes", "104", "105"])?;
    assert_eq!(status, exit::REFUSED);
    assert!(
        printed.starts_with("cut off: 104 publishes live/show"),
        "{printed}"
    );
    assert!(said.contains("refused: not this one"), "{said}");
    Ok(())
}

#[test]
fn an_id_is_one_part_of_a_path() -> Result<()> {
    let api = FakeApi::start(server)?;
    let (status, ..) = run(&api, &["clients", "../../metrics?x#y"])?;
    assert_eq!(status, exit::FAILED);
    assert_eq!(
        api.lines(),
        ["GET /api/v1/clients/..%2F..%2Fmetrics%3Fx%23y"]
    );
    Ok(())
}

#[test]
fn nobody_is_cut_off_without_a_word() -> Result<()> {
    let api = FakeApi::start(server)?;
    let (status, _, said) = run(&api, &["clients", "kick", "104"])?;
    assert_eq!(status, exit::USAGE);
    assert!(said.contains("only with --yes"), "{said}");
    assert!(api.requests().is_empty());
    Ok(())
}

#[test]
fn on_a_terminal_the_user_is_asked() -> Result<()> {
    let api = FakeApi::start(server)?;
    let server = api.address();
    let kick = |answer: &str| -> Result<(Option<i32>, String)> {
        // script(1) gives its child a terminal.
        let command = format!(
            "{} clients kick 104 105 --server {server}",
            env!("CARGO_BIN_EXE_srsctl")
        );
        let mut child = Command::new("script")
            .args(["--quiet", "--return", "--command", &command, "/dev/null"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let mut stdin = child.stdin.take().context("a pipe")?;
        stdin.write_all(answer.as_bytes())?;
        // Held open: at its end script would end the terminal, too.
        let output = child.wait_with_output()?;
        drop(stdin);
        Ok((
            output.status.code(),
            String::from_utf8_lossy(&output.stdout).into_owned(),
        ))
    };
    let (status, shown) = kick("n\n")?;
    assert_eq!(status, Some(exit::FAILED), "{shown}");
    for part in [
        "104 publishes live/show to 12 viewers, from 192.0.2.7, for 3m 12s",
        "105 plays live/show, from 192.0.2.7",
        "Cut off these 2 clients? [y/N]",
        "nothing was done",
    ] {
        assert!(shown.contains(part), "{part}: {shown}");
    }
    let deleted = || {
        api.lines()
            .iter()
            .filter(|line| line.starts_with("DELETE"))
            .count()
    };
    assert_eq!(deleted(), 0);

    let (status, shown) = kick("yes\n")?;
    assert_eq!(status, Some(exit::DONE), "{shown}");
    assert!(
        shown.contains("cut off: 104 publishes live/show"),
        "{shown}"
    );
    assert_eq!(deleted(), 2);
    Ok(())
}

#[test]
fn a_reload_that_fails_says_why() -> Result<()> {
    const MISTAKE: &str = "/etc/srs/srs.toml:3:1: unknown key `lisen`\n  3 | lisen = 1935";
    let api = FakeApi::start(|_| Reply::error(422, ErrorCode::ReloadFailed, MISTAKE))?;
    let (status, _, said) = run(&api, &["reload"])?;
    assert_eq!(status, exit::INVALID);
    let told = format!("srsctl: {MISTAKE}\nsrsctl: nothing was changed\n");
    assert_eq!(said, told);
    assert_eq!(api.lines(), ["POST /api/v1/reload"]);
    let (status, printed, said) = run(&api, &["reload", "-o", "json"])?;
    assert_eq!((status, said), (exit::INVALID, told));
    let answer: ErrorAnswer = serde_json::from_str(&printed)?;
    assert_eq!(answer.message, MISTAKE);
    assert_eq!(answer.code, ErrorCode::ReloadFailed as i32);
    let (_, printed, said) = run(&api, &["reload", "--dry-run"])?;
    assert_eq!(
        (printed.as_str(), said),
        ("", format!("srsctl: {MISTAKE}\n"))
    );

    let api = FakeApi::start(|_| {
        Reply::data(Reload {
            error: Some(MISTAKE.to_owned()),
            ..reload(ReloadOutcome::Failed)
        })
    })?;
    let (status, _, said) = run(&api, &["config", "diff"])?;
    assert_eq!(status, exit::INVALID);
    assert_eq!(said, format!("srsctl: {MISTAKE}\n"));
    assert_eq!(api.lines(), ["POST /api/v1/reload?dry_run=true"]);
    Ok(())
}

#[test]
fn a_server_that_is_not_there_is_told_with_what_to_do() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("api.sock");
    let server = format!("unix:{}", path.display());
    let (status, said) = Tool::run(["status", "-s", &server])?;
    assert_eq!(status, exit::NOT_REACHED);
    let expected = format!(
        "srsctl: cannot reach srs at {server}: no such socket; is it running? see its log for where \
         the API is, or srsctl doctor\n"
    );
    assert_eq!(said, expected);

    // Nobody listens any more.
    drop(std::os::unix::net::UnixListener::bind(&path)?);
    let (status, said) = Tool::run(["status", "-s", &server])?;
    assert_eq!(status, exit::NOT_REACHED);
    assert!(
        said.contains("connection refused; is it running there"),
        "{said}"
    );
    Ok(())
}

#[test]
fn a_server_that_says_nothing_is_not_waited_for_long() -> Result<()> {
    let listener = std::net::TcpListener::bind("127.0.0.1:0")?;
    let server = listener.local_addr()?.to_string();
    for command in ["status", "reload"] {
        let (status, said) = Tool::run([command, "--timeout", "100ms", "-s", &server])?;
        assert_eq!(status, exit::NOT_REACHED);
        assert!(
            said.contains("no answer within 100ms; --timeout allows more"),
            "{said}"
        );
    }
    Ok(())
}

#[test]
fn answers_that_are_none_of_ours_are_told_as_such() -> Result<()> {
    let cases = [
        (
            Reply::error(401, ErrorCode::Unauthorized, "who are you?"),
            exit::REFUSED,
            "the server wants a token: --token-file FILE, or SRSCTL_TOKEN",
        ),
        (
            Reply::error(403, ErrorCode::Forbidden, "only to look"),
            exit::REFUSED,
            "refused: only to look",
        ),
        (
            Reply::text(200, "<html>"),
            exit::FAILED,
            "does not answer like srs",
        ),
        (
            Reply::text(302, ""),
            exit::FAILED,
            "does not answer like srs (302 Found)",
        ),
        (
            Reply::not_found(),
            exit::FAILED,
            "has no /api/v1/streams: it is older than this srsctl",
        ),
        (
            Reply::error(500, ErrorCode::Internal, "out of \x1b[2Jorder"),
            exit::FAILED,
            "out of \\u{1b}[2Jorder",
        ),
    ];
    for (reply, expected, message) in cases {
        let api = FakeApi::start(move |_| reply.clone())?;
        let (status, printed, said) = run(&api, &["streams"])?;
        assert_eq!((status, printed.as_str()), (expected, ""), "{said}");
        assert!(said.contains(message), "{said}");
    }
    Ok(())
}

#[test]
fn an_older_server_shows_what_it_has() -> Result<()> {
    let api = FakeApi::start(|request| match request.line.as_str() {
        "GET /api/v1/summaries" => Reply::data(summaries()),
        _ => Reply::not_found(),
    })?;
    let (status, printed, _) = run(&api, &["status"])?;
    assert_eq!(status, exit::DONE);
    assert!(
        printed.contains("players") && !printed.contains("reload"),
        "{printed}"
    );
    Ok(())
}

#[test]
fn who_asks_proves_it() -> Result<()> {
    let api = FakeApi::start_tcp(server)?;
    let folder = tempfile::tempdir()?;
    let file = folder.path().join("token");
    fs::write(&file, "from-a-file\n")?;
    let file = file.display().to_string();
    let cases: [(&[&str], &str); 4] = [
        (&["--token", "s3cret"], "Bearer s3cret"),
        (&["--token-file", &file], "Bearer from-a-file"),
        (&["--user", "admin:a:b"], "Basic YWRtaW46YTpi"),
        (&[], "none"),
    ];
    for (arguments, expected) in cases {
        let (status, ..) = run(&api, &[&["vhosts"], arguments].concat())?;
        assert_eq!(status, exit::DONE);
        let request = api.requests().pop().context("it was asked")?;
        let proof = request.headers.get("authorization");
        assert_eq!(proof.map_or("none", String::as_str), expected);
    }
    // By the environment, which others do not see.
    let status = Command::new(env!("CARGO_BIN_EXE_srsctl"))
        .arg("vhosts")
        .env("SRSCTL_SERVER", api.address())
        .env("SRSCTL_TOKEN", "from-outside")
        .stdout(Stdio::null())
        .status()?;
    assert_eq!(status.code(), Some(exit::DONE));
    let request = api.requests().pop().context("it was asked")?;
    assert_eq!(request.headers["authorization"], "Bearer from-outside");
    Ok(())
}

#[test]
fn wrong_arguments_are_told_what_would_be_right() -> Result<()> {
    let cases: [(&[&str], &str); 8] = [
        (
            &["logs", "abc"],
            "a client's id is a number, as srsctl clients shows it",
        ),
        (&["logs", "-o", "json"], "-o json is not for logs"),
        (
            &["-s", "edge1", "status"],
            "expected unix:PATH, http://HOST:PORT",
        ),
        (&["status", "--token", "a b"], "a token has no spaces"),
        (&["status", "--user", "admin"], "expected NAME:PASSWORD"),
        (
            &["status", "--token-file", "/nowhere"],
            "/nowhere: No such file",
        ),
        (
            &["events", "--kind", "dance"],
            "there is no such kind of event",
        ),
        (
            &["-s", "edge1:1985", "completions", "bash"],
            "--server is for the commands that ask a server",
        ),
    ];
    for (arguments, message) in cases {
        let (status, said) = Tool::run(arguments)?;
        assert_eq!(status, exit::USAGE, "{arguments:?}");
        assert!(said.contains(message), "{said}");
    }
    Ok(())
}

#[test]
fn a_reader_that_leaves_is_no_error() -> Result<()> {
    let api = FakeApi::start(server)?;
    for command in ["streams", "status", "vhosts"] {
        let mut tool = Tool::start_unread([command, "-s", &api.address()])?;
        assert_eq!(tool.wait()?, exit::DONE, "{command}");
    }
    Ok(())
}

const EVENTS: &str = "\
id: 1
event: publish
data: {\"id\":1,\"time_ms\":1000,\"kind\":\"publish\",\"client\":\"104\",\"app\":\"live\",\"stream\":\"show\"}

: still here

id: 2
event: play
data: {\"id\":2,\"time_ms\":2000,\"kind\":\"play\",\"client\":\"105\"}

";

#[test]
fn events_that_are_kept_are_shown() -> Result<()> {
    let api = FakeApi::start(|request| match request.line.as_str() {
        "GET /api/v1/events?follow=false" => Reply::events(EVENTS),
        _ => server(request),
    })?;
    let (status, printed, said) = run(&api, &["events"])?;
    assert_eq!((status, said.as_str()), (exit::DONE, ""));
    let lines: Vec<_> = printed.lines().collect();
    assert_eq!(lines.len(), 2, "{printed}");
    assert!(
        lines[0].ends_with("  publish       104 live/show"),
        "{printed}"
    );
    assert!(lines[1].ends_with("  play          105"), "{printed}");

    for kinds in [
        ["--kind=publish,play"].as_slice(),
        &["--kind", "publish", "--kind", "play"],
        &["--kind=stop,publish", "--kind=play"],
    ] {
        let (_, printed, _) = run(&api, &[&["events"], kinds].concat())?;
        assert_eq!(printed.lines().count(), 2, "{kinds:?}");
    }

    let (_, printed, _) = run(&api, &["events", "--kind", "play", "-o", "json"])?;
    let event: srs_api::Event = serde_json::from_str(&printed)?;
    assert_eq!(event.id, 2);
    Ok(())
}

#[test]
fn who_follows_events_sees_each_once_over_a_restart() -> Result<()> {
    let connections = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&connections);
    let api = FakeApi::start(move |request| match request.line.as_str() {
        "GET /api/v1/events?follow=true" => match counted.fetch_add(1, Ordering::SeqCst) {
            0 => Reply::events(EVENTS),
            1 => Reply::events("id: 3\ndata: {\"id\":3,\"time_ms\":3000,\"kind\":\"stop\"}\n\n"),
            _ => Reply::events(": nothing new\n\n"),
        },
        _ => server(request),
    })?;
    let mut tool = Tool::start(["events", "-f", "-o", "json", "-s", &api.address()])?;
    tool.wait_to_print("\"stop\"")?;
    tool.signal(rustix::process::Signal::INT)?;
    assert_eq!(tool.wait()?, exit::DONE);
    assert_eq!(String::from_utf8(tool.printed()?)?.lines().count(), 3);
    let said = tool.said();
    assert!(
        said.contains("has ended the connection; trying again"),
        "{said}"
    );
    assert!(said.contains("answers again"), "{said}");
    let after: Vec<_> = api
        .requests()
        .into_iter()
        .filter_map(|request| request.headers.get("last-event-id").cloned())
        .collect();
    assert_eq!(after[..2], ["0", "2"]);
    Ok(())
}

const LOG: &str = "\
[2026-11-22 17:05:06.123][info][4241][104] of an earlier server
[2026-11-22 17:05:07.123][info][4242][-] listening
[2026-11-22 17:05:08.123][info][4242][104] connected
[2026-11-22 17:05:08.123][debug][4242][105] connected
[2026-11-22 17:05:09.123][warn][4242][104] gone
";

#[test]
fn the_log_is_read_where_the_server_writes_it() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("srs.log");
    fs::write(&path, LOG)?;
    let place = LogPlace::File {
        path: path.display().to_string(),
    };
    let api = FakeApi::start(move |_| config(place.clone(), ""))?;
    let cases: [(&[&str], &[&str]); 4] = [
        (
            &["logs"],
            &["earlier", "listening", "connected", "connected", "gone"],
        ),
        (&["logs", "104"], &["[104] connected", "[104] gone"]),
        (&["logs", "--level", "warn"], &["[104] gone"]),
        (&["logs", "-n", "2"], &["[105] connected", "[104] gone"]),
    ];
    for (arguments, expected) in cases {
        let (status, printed, said) = run(&api, arguments)?;
        assert_eq!((status, said.as_str()), (exit::DONE, ""));
        let lines: Vec<_> = printed.lines().collect();
        assert_eq!(lines.len(), expected.len(), "{arguments:?}: {printed}");
        for (line, part) in lines.iter().zip(expected) {
            assert!(line.contains(part), "{line}");
        }
    }
    Ok(())
}

#[test]
fn a_client_that_the_log_does_not_know_is_told_so() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("srs.log");
    fs::write(&path, LOG)?;
    let place = LogPlace::File {
        path: path.display().to_string(),
    };
    let api = FakeApi::start(move |request| match request.line.as_str() {
        "GET /api/v1/config" => config(place.clone(), ""),
        "GET /api/v1/clients/106" => one(client("106", false)),
        _ => server(request),
    })?;
    let (status, printed, said) = run(&api, &["logs", "9999"])?;
    assert_eq!((status, printed.as_str()), (exit::NOT_FOUND, ""));
    assert!(said.contains("nothing of client 9999 was found"), "{said}");
    // One that the server knows is there, whatever became of its lines.
    for arguments in [&["logs", "106"][..], &["logs", "104", "--level", "error"]] {
        let (status, printed, said) = run(&api, arguments)?;
        assert_eq!((status, printed.as_str()), (exit::DONE, ""), "{said}");
        assert!(said.contains("is connected, but no such line"), "{said}");
        assert!(said.contains("a change of log.target"), "{said}");
    }
    // Who wants no line of a client that is there misses nothing.
    let (status, printed, said) = run(&api, &["logs", "104", "-n", "0"])?;
    assert_eq!(
        (status, printed.as_str(), said.as_str()),
        (exit::DONE, "", "")
    );
    Ok(())
}

#[test]
fn an_earlier_server_of_the_same_pid_had_another_client() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("srs.log");
    let place = LogPlace::File {
        path: path.display().to_string(),
    };
    let api = FakeApi::start(move |_| config(place.clone(), ""))?;
    let text = "\
[2026-11-22 17:05:06.123][info][4242][-] srs 0.1.0 starts
[2026-11-22 17:05:07.123][info][4242][104] first
[2026-11-22 17:05:08.123][info][4242][-] srs 0.1.0 starts
[2026-11-22 17:05:09.123][info][4242][104] second
";
    let json = r#"{"time":"2026-11-22T17:05:07Z","level":"info","pid":4242,"client":104,"message":"first"}
{"time":"2026-11-22T17:05:08Z","level":"info","pid":4242,"message":"srs 0.1.0 starts"}
{"time":"2026-11-22T17:05:09Z","level":"info","pid":4242,"client":104,"message":"second"}
"#;
    for log in [text, json] {
        fs::write(&path, log)?;
        let (status, printed, said) = run(&api, &["logs", "104"])?;
        assert_eq!((status, said.as_str()), (exit::DONE, ""));
        let lines: Vec<_> = printed.lines().collect();
        assert!(
            matches!(lines[..], [line] if line.contains("second")),
            "{printed}"
        );
    }
    Ok(())
}

#[test]
fn the_journal_of_a_server_that_may_not_be_asked_is_shown_all_the_same() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let at = |name: &str| folder.path().join(name);
    let permit = |path: &Path, mode| fs::set_permissions(path, fs::Permissions::from_mode(mode));
    permit(folder.path(), 0o755)?;
    fs::create_dir(at("srs"))?;
    let _listener = std::os::unix::net::UnixListener::bind(at("srs/api.sock"))?;
    permit(&at("srs/api.sock"), 0o000)?;
    // To root nothing is forbidden.
    let is_root = rustix::process::geteuid().is_root();
    fs::copy(env!("CARGO_BIN_EXE_srsctl"), at("srsctl"))?;
    wait_to_be_run(&at("srsctl"))?;
    let show = |arguments: &[&str]| {
        let mut tool = Command::new(at("srsctl"));
        tool.args(arguments)
            .env("PATH", folder.path())
            .env("XDG_RUNTIME_DIR", folder.path())
            .env_remove("SRSCTL_SERVER");
        if is_root {
            tool.uid(NOBODY).gid(NOBODY);
        }
        tool.output()
    };
    let denied = |output: &Output| {
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(said.contains("permission denied"), "{said}");
        output.status.code()
    };
    // There is no journalctl, or it may not read the journal.
    assert_eq!(denied(&show(&["logs"])?), Some(exit::REFUSED));
    fs::write(at("journalctl"), "#!/bin/sh\nexit 1\n")?;
    permit(&at("journalctl"), 0o755)?;
    wait_to_be_run(&at("journalctl"))?;
    assert_eq!(denied(&show(&["logs"])?), Some(exit::REFUSED));

    fs::write(at("journalctl"), "#!/bin/sh\necho \"$*\"\n")?;
    wait_to_be_run(&at("journalctl"))?;
    let output = show(&["logs"])?;
    assert_eq!(denied(&output), Some(exit::DONE));
    let printed = String::from_utf8_lossy(&output.stdout);
    assert_eq!(printed, "--lines=100 --unit=srs.service\n");
    // A server that is named has its own log.
    let socket = format!("unix:{}", at("srs/api.sock").display());
    let output = show(&["logs", "-s", &socket])?;
    assert_eq!(denied(&output), Some(exit::REFUSED));
    Ok(())
}

const NOBODY: u32 = 65_534;

/// Waits until a program that was just written can be run: a process that another test starts at
/// that moment holds the file open for a while.
fn wait_to_be_run(program: &Path) -> Result<()> {
    wait_for(SOON, "a program that can be run", || {
        match Command::new(program).arg("--version").output() {
            Err(error) if error.kind() == ErrorKind::ExecutableFileBusy => Ok(None),
            ended => Ok(Some(ended.map(drop)?)),
        }
    })
}

#[test]
fn the_journal_is_looked_through_for_a_client_first() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let journalctl = folder.path().join("journalctl");
    fs::write(
        &journalctl,
        "#!/bin/sh\ncase \"$*\" in *--since=@*_PID=4242*SRS_CLIENT=104*) echo of client 104;; esac\n",
    )?;
    fs::set_permissions(&journalctl, fs::Permissions::from_mode(0o755))?;
    wait_to_be_run(&journalctl)?;
    // The running server's start bounds what is asked for.
    let api = FakeApi::start(|request| match request.line.as_str() {
        "GET /api/v1/config" => config(LogPlace::Journald, ""),
        _ => server(request),
    })?;
    let show = |client: &str| {
        Command::new(env!("CARGO_BIN_EXE_srsctl"))
            .args(["-s", &api.address(), "logs", client])
            .env("PATH", folder.path())
            .output()
    };
    let output = show("104")?;
    assert_eq!(output.status.code(), Some(exit::DONE));
    assert_eq!(String::from_utf8_lossy(&output.stdout), "of client 104\n");
    let output = show("9999")?;
    assert_eq!(output.status.code(), Some(exit::NOT_FOUND));
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(said.contains("nothing of client 9999 was found"), "{said}");
    let output = show("105")?;
    assert_eq!(output.status.code(), Some(exit::DONE));
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(said.contains("client 105 is connected"), "{said}");
    Ok(())
}

#[test]
fn a_log_is_followed_over_its_rotation() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("srs.log");
    fs::write(&path, LOG)?;
    let place = LogPlace::File {
        path: path.display().to_string(),
    };
    let api = FakeApi::start(move |_| config(place.clone(), ""))?;
    let mut tool = Tool::start(["logs", "104", "-f", "-s", &api.address()])?;
    tool.wait_to_print("gone")?;
    fs::rename(&path, folder.path().join("srs.log.1"))?;
    fs::write(
        &path,
        "[2026-11-22 17:06:00.000][info][4242][105] other\n\
         [2026-11-22 17:06:00.000][info][4242][104] back\n",
    )?;
    tool.wait_to_print("back")?;
    tool.signal(rustix::process::Signal::TERM)?;
    assert_eq!(tool.wait()?, exit::DONE);
    assert!(!String::from_utf8(tool.printed()?)?.contains("other"));
    Ok(())
}

#[test]
fn a_log_that_cannot_be_shown_is_told_where_it_is() -> Result<()> {
    let api = FakeApi::start(|_| config(LogPlace::Console, ""))?;
    let (status, _, said) = run(&api, &["logs"])?;
    assert_eq!(status, exit::FAILED);
    assert!(said.contains("the server logs to its console"), "{said}");

    let (status, said) = Tool::run(["logs", "-s", "http://live.example.com:1985"])?;
    assert_eq!(status, exit::FAILED);
    assert!(said.contains("is on that host"), "{said}");
    Ok(())
}

#[test]
fn a_configuration_is_checked_without_a_server() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("srs.toml");
    let file = path.display().to_string();
    fs::write(&path, "listen = [\"1936\"]\n")?;
    fs::create_dir(folder.path().join("conf.d"))?;
    fs::write(folder.path().join("conf.d/a.toml"), "chunk_size = 4096\n")?;
    let mut tool = Tool::start(["config", "check", &file])?;
    assert_eq!((tool.wait()?, tool.said().as_str()), (exit::DONE, ""));
    let printed = String::from_utf8(tool.printed()?)?;
    assert!(
        printed.contains("conf.d/a.toml: the configuration is valid"),
        "{printed}"
    );
    fs::write(&path, "\nlisen = [\"1936\"]\n")?;
    let (status, said) = Tool::run(["config", "check", &file])?;
    assert_eq!(status, exit::INVALID);
    assert!(said.contains(":2:1: unknown key `lisen`"), "{said}");
    assert_eq!(said.matches("did you mean `listen`?").count(), 1, "{said}");
    Ok(())
}

#[test]
fn configurations_are_shown_and_compared() -> Result<()> {
    const RUNNING: &str = "\
listen = [\"1936\"]
max_connections = 10000

[http_api]
token = \"…\"
";
    let api = FakeApi::start(|_| config(LogPlace::Console, RUNNING))?;
    let (status, printed, _) = run(&api, &["config", "show"])?;
    assert_eq!(status, exit::DONE);
    assert_eq!(
        printed,
        "listen = [\"1936\"]\n\n[http_api]\ntoken = \"…\"\n"
    );
    let (_, printed, _) = run(&api, &["config", "show", "--effective"])?;
    assert!(printed.contains("max_connections = 10000\n"), "{printed}");

    let folder = tempfile::tempdir()?;
    let path = folder.path().join("srs.toml");
    let file = path.display().to_string();
    fs::write(
        &path,
        "listen = [\"1937\"]\n[http_api]\ntoken = \"s3cret\"\n",
    )?;
    let (status, printed, _) = run(&api, &["config", "diff", &file])?;
    assert_eq!(status, exit::DONE);
    assert!(
        printed.contains("- listen = [\"1936\"]\n+ listen = [\"1937\"]\n"),
        "{printed}"
    );
    assert!(!printed.contains("token"), "{printed}");

    let newer = FakeApi::start(|_| config(LogPlace::Console, "warp = 9"))?;
    let (status, _, said) = run(&newer, &["config", "diff", &file])?;
    assert_eq!(status, exit::FAILED, "{said}");
    assert!(
        said.contains("another version") && said.contains("unknown key `warp`"),
        "{said}"
    );
    Ok(())
}

#[test]
fn a_table_fits_the_terminal() -> Result<()> {
    let api = FakeApi::start(server)?;
    let shown = |columns: usize| -> Result<String> {
        let command = format!(
            "stty cols {columns}; {} streams --server {}",
            env!("CARGO_BIN_EXE_srsctl"),
            api.address()
        );
        let output = Command::new("script")
            .args(["--quiet", "--return", "--command", &command, "/dev/null"])
            .env("NO_COLOR", "1")
            .env_remove("COLUMNS")
            .stdin(Stdio::null())
            .output()?;
        Ok(String::from_utf8_lossy(&output.stdout).into_owned())
    };
    for columns in [50, 80] {
        let shown = shown(columns)?;
        assert!(shown.contains("live/a\\u{1b}[2Jb "), "{shown}");
        assert!(!shown.contains('\x1b'), "{shown}");
        for line in shown.lines() {
            assert!(line.trim_end().chars().count() <= columns, "{line}");
        }
    }
    assert!(shown(70)?.contains("  H264 1280x720@25 "), "in short");
    assert!(shown(200)?.contains("  H264 High 1280x720@25 "));
    Ok(())
}
