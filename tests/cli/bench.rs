//! `srsctl bench`.
//!
//! On a machine that is busy with other things the tool may find itself saturated at any time. It
//! must say so then, and figures about the server are looked at only if it does not.

use std::fs;
use std::process::Command;

use anyhow::{Context as _, Result, ensure};
use rustix::process::Signal;
use serde_json::Value;
use testkit::{SOON, wait_until};

use crate::{TestServer, Tool, exit, publish_demo};

/// Runs `srsctl bench` and gives its result, and whether it says something about the server.
fn measured<'a>(arguments: impl IntoIterator<Item = &'a str>) -> Result<(Value, bool)> {
    let common = ["--ramp", "1000", "--duration", "1s", "-o", "json"];
    let arguments = ["bench"].into_iter().chain(arguments).chain(common);
    let mut tool = Tool::start(arguments)?;
    let status = tool.wait()?;
    let result: Value = serde_json::from_slice(&tool.printed()?).context("no JSON")?;
    let is_saturated = result["saturated"] == true;
    let expected = if is_saturated {
        exit::CHECK_FAILED
    } else {
        exit::DONE
    };
    assert_eq!(status, expected, "{}", tool.said());
    assert_eq!(tool.said().is_empty(), !is_saturated, "{}", tool.said());
    Ok((result, !is_saturated))
}

/// The figure at `path` (`server.rss_kb`), which must be there.
fn figure(result: &Value, path: &str) -> Result<f64> {
    let value = path.split('.').fold(result, |value, name| &value[name]);
    value.as_f64().with_context(|| format!("{path}: {value}"))
}

/// That the figure at `path` is in a range.
fn expect(result: &Value, path: &str, least: f64, most: f64) -> Result<()> {
    let found = figure(result, path)?;
    ensure!((least..=most).contains(&found), "{path}: {found}");
    Ok(())
}

#[test]
fn players_get_what_was_published_for_them() -> Result<()> {
    let server = TestServer::start()?;
    let (url, pid) = (server.url(), std::process::id().to_string());
    let arguments = [
        "play",
        "--players",
        "20",
        "--probes",
        "3",
        "--pid",
        &pid,
        &url,
    ];
    let (result, is_valid) = measured(arguments)?;

    let counts = [
        ("players", 20),
        ("streams", 1),
        ("publishers", 1),
        ("bitrate_kbps", 500),
        ("connected", 20),
        ("playing", 20),
        ("refused", 0),
        ("failed", 0),
        ("disconnected", 0),
    ];
    for (name, count) in counts {
        assert_eq!(result[name], count, "{name}");
    }
    assert_eq!(result["command"], "play");
    assert_eq!(result["interval_ms"], Value::Null);
    expect(&result, "seconds", 1.0, 20.0)?;
    expect(&result, "tool.cpu_percent", 0.01, 1_000.0)?;
    expect(&result, "tool.late_p95_ms", 0.0, 100_000.0)?;
    if !is_valid {
        return Ok(());
    }
    assert_eq!(result["starved"], 0);
    expect(&result, "bytes", 20.0 * 30_000.0, 20.0 * 20.0 * 125_000.0)?;
    expect(&result, "delivered_ratio", 0.5, 1.5)?;
    for time in ["first_byte_ms", "first_key_frame_ms", "latency_ms"] {
        let least = figure(&result[time], "p50")?;
        expect(&result[time], "max", least.max(0.001), 20_000.0)?;
    }
    expect(
        &result,
        "latency_ms.p99",
        figure(&result, "latency_ms.p95")?,
        20_000.0,
    )?;
    expect(&result, "server.rss_kb", 1_000.0, 10_000_000.0)?;
    expect(&result, "server.rss_kb_before", 1_000.0, 10_000_000.0)?;
    expect(&result, "server.kb_per_player", 1.0, 1_000_000.0)?;
    expect(&result, "server.cpu_seconds", 0.0, 1_000.0)?;
    expect(&result, "server.cpu_seconds_per_gbit", 0.0, 100_000.0)?;
    let threads = result["server"]["threads"].as_array();
    assert!(threads.is_some_and(|threads| threads.len() > 1));
    Ok(())
}

#[test]
fn players_are_spread_over_streams() -> Result<()> {
    let server = TestServer::start()?;
    let url = server.url();
    let arguments = [
        "play",
        "--players",
        "6",
        "--streams",
        "3",
        "--gop",
        "200ms",
        &url,
    ];
    let (result, is_valid) = measured(arguments)?;
    assert_eq!(
        (&result["playing"], &result["publishers"]),
        (&6.into(), &3.into())
    );
    if is_valid {
        expect(&result, "delivered_ratio", 0.5, 1.5)?;
    }
    Ok(())
}

#[test]
fn what_others_publish_is_played_without_latency() -> Result<()> {
    let server = TestServer::start()?;
    let _publisher = publish_demo(&server)?;
    let url = server.url();
    let (result, is_valid) = measured(["play", "--no-publish", "--players", "5", &url])?;
    assert_eq!(
        (&result["playing"], &result["publishers"]),
        (&5.into(), &0.into())
    );
    for unknown in ["bitrate_kbps", "latency_ms", "delivered_ratio", "server"] {
        assert_eq!(result[unknown], Value::Null, "{unknown}");
    }
    if is_valid {
        expect(&result, "first_key_frame_ms.p50", 0.001, 20_000.0)?;
    }
    Ok(())
}

#[test]
fn publishers_are_counted_and_so_are_those_that_are_refused() -> Result<()> {
    let server = TestServer::start()?;
    let url = server.url();
    // Somebody has the second name already.
    let taken = format!("{url}-2");
    let publisher = Tool::start(["publish", "-v", "--loop", &crate::clip::demo(), &taken])?;
    publisher.wait_to_say("publishing")?;
    let arguments = [
        "bench",
        "publish",
        "--publishers",
        "4",
        "--players",
        "2",
        "-o",
        "json",
    ];
    let rest = ["--duration", "1s", "--gop", "200ms", &url];
    let mut tool = Tool::start(arguments.into_iter().chain(rest))?;
    let status = tool.wait()?;
    let result: Value = serde_json::from_slice(&tool.printed()?)?;
    assert_eq!(result["refused"], 1, "{}", tool.said());
    assert!(tool.said().contains("BadName"), "{}", tool.said());
    assert_eq!(
        (&result["publishers"], &result["playing"]),
        (&3.into(), &8.into())
    );
    assert_eq!(status, exit::CHECK_FAILED, "{}", tool.said());
    if result["saturated"] == false {
        assert!(tool.said().contains("not all clients were served"));
        expect(&result, "sent_ratio", 0.5, 1.0)?;
        expect(&result, "gbit_in", 0.000_1, 1.0)?;
        expect(&result, "gbit_out", 0.000_1, 1.0)?;
        expect(&result, "latency_ms.p50", 0.001, 20_000.0)?;
    }
    Ok(())
}

#[test]
fn a_stream_that_somebody_else_publishes_is_left_alone() -> Result<()> {
    let server = TestServer::start()?;
    let mut publisher = publish_demo(&server)?;
    let url = server.url();
    for (command, option, advice) in [
        ("play", "--players=3", "--no-publish"),
        ("publish", "--publishers=1", "name another stream"),
    ] {
        let (status, said) = Tool::run(["bench", command, option, &url])?;
        assert_eq!(status, exit::REFUSED, "{said}");
        assert!(said.contains("is live already"), "{said}");
        assert!(said.contains(advice), "{said}");
    }
    let (status, said) = Tool::run(["play", "--duration", "1s", &url])?;
    assert_eq!(status, exit::DONE, "{said}");
    publisher.signal(Signal::INT)?;
    assert_eq!(publisher.wait()?, exit::DONE, "it published to the end");
    Ok(())
}

#[test]
fn a_load_that_is_ended_before_it_measures_says_so() -> Result<()> {
    let server = TestServer::start()?;
    let arguments = ["bench", "play", "-v", "-o", "json", "--ramp", "1"];
    let url = server.url();
    let mut tool = Tool::start(arguments.into_iter().chain([url.as_str()]))?;
    tool.wait_to_say("connecting")?;
    tool.signal(Signal::TERM)?;
    assert_eq!(tool.wait()?, exit::FAILED, "{}", tool.said());
    assert!(tool.said().contains("nothing was measured yet"));
    assert!(tool.printed()?.is_empty());
    Ok(())
}

#[test]
fn a_server_that_goes_leaves_clients_unserved() -> Result<()> {
    let mut server = TestServer::start()?;
    // The server is in this process, which stays: another one goes in its place.
    let mut process = Command::new("sleep").arg("1h").spawn()?;
    let arguments = ["bench", "play", "-v", "--players", "2", "--duration", "1h"];
    let rest = ["--pid", &process.id().to_string(), &server.url()];
    let mut tool = Tool::start(arguments.into_iter().chain(rest))?;
    let measuring = tool.wait_to_say("measuring");
    process.kill()?;
    process.wait()?;
    measuring?;
    server.stop();
    tool.wait_to_say("a publisher was disconnected")?;
    tool.signal(Signal::INT)?;
    assert_eq!(tool.wait()?, exit::CHECK_FAILED, "{}", tool.said());
    assert!(tool.said().contains("a process of the server is gone"));
    Ok(())
}

#[test]
fn the_floor_has_no_server_to_be_told_about() -> Result<()> {
    for option in ["--pid=1", "--timeout=1s"] {
        let (status, said) = Tool::run(["bench", "floor", option])?;
        assert_eq!(status, exit::USAGE, "{said}");
        assert!(said.contains("unexpected argument"), "{said}");
    }
    Ok(())
}

#[test]
fn a_server_that_is_not_there_is_not_reached() -> Result<()> {
    let mut server = TestServer::start()?;
    server.stop();
    for arguments in [&["play"][..], &["play", "--no-publish"], &["publish"]] {
        let url = server.url();
        let arguments = ["bench"]
            .iter()
            .chain(arguments)
            .copied()
            .chain([url.as_str()]);
        let (status, said) = Tool::run(arguments)?;
        assert_eq!(status, exit::NOT_REACHED, "{said}");
        assert!(said.contains("Connection refused"), "{said}");
    }
    Ok(())
}

#[test]
fn a_stream_without_media_is_told_as_such() -> Result<()> {
    let server = TestServer::start()?;
    let arguments = ["bench", "play", "--no-publish", "--players", "2"];
    let rest = ["--timeout", "500ms", &server.url()];
    let (status, said) = Tool::run(arguments.into_iter().chain(rest))?;
    assert_eq!(status, exit::NOT_FOUND, "{said}");
    Ok(())
}

#[test]
fn a_process_or_a_processor_that_is_not_there_is_wrong_usage() -> Result<()> {
    // Above the largest that the kernel gives.
    let cases = [
        (["--pid", "1073741824"], "there is no process 1073741824"),
        (["--cpu", "1000000"], "cannot run on processor 1000000"),
    ];
    for (argument, message) in cases {
        let command = ["bench", "play", "rtmp://127.0.0.1:1/live/show"];
        let (status, said) = Tool::run(command.iter().chain(&argument))?;
        assert_eq!(status, exit::USAGE, "{said}");
        assert!(said.contains(message), "{said}");
    }
    for option in ["--cpu", "--server-cpu"] {
        let (status, said) = Tool::run(["bench", "floor", option, "1000000"])?;
        assert_eq!(status, exit::USAGE, "{said}");
    }
    Ok(())
}

#[test]
fn the_floor_writes_at_its_interval_or_every_message() -> Result<()> {
    for (interval, millis) in [("50ms", 50.0), ("0s", 0.0)] {
        let arguments = [
            "floor",
            "--players",
            "8",
            "--interval",
            interval,
            "--gop",
            "200ms",
        ];
        let (result, is_valid) = measured(arguments)?;
        assert_eq!(
            (&result["command"], &result["playing"]),
            (&"floor".into(), &8.into())
        );
        assert_eq!(figure(&result, "interval_ms")?, millis);
        if is_valid {
            expect(&result, "bytes", 8.0 * 30_000.0, 8.0 * 20.0 * 125_000.0)?;
            expect(&result, "latency_ms.p50", 0.0, 20_000.0)?;
            expect(&result, "server.rss_kb", 500.0, 1_000_000.0)?;
        }
    }
    Ok(())
}

#[test]
fn the_floor_reads_what_clients_send() -> Result<()> {
    let (result, is_valid) = measured(["floor", "--read", "--players", "8", "--gop", "200ms"])?;
    assert_eq!(
        (&result["publishers"], &result["playing"]),
        (&8.into(), &0.into())
    );
    assert_eq!(result["latency_ms"], Value::Null);
    if is_valid {
        expect(&result, "sent_ratio", 0.5, 1.0)?;
        expect(&result, "server.cpu_seconds", 0.0, 1_000.0)?;
    }
    Ok(())
}

#[test]
fn a_table_is_for_people() -> Result<()> {
    let server = TestServer::start()?;
    let arguments = ["bench", "play", "--players", "2", "--duration", "1s"];
    let url = server.url();
    let mut tool = Tool::start(arguments.into_iter().chain([url.as_str()]))?;
    tool.wait()?;
    let table = String::from_utf8(tool.printed()?)?;
    for part in [&url, "2 players, 1 stream", "2 playing", "  tool  "] {
        assert!(table.contains(part), "{part}: {table}");
    }
    Ok(())
}

#[test]
fn an_interrupted_measurement_tells_what_it_has() -> Result<()> {
    let server = TestServer::start()?;
    let arguments = ["bench", "play", "-v", "--players", "2", "--duration", "1h"];
    let url = server.url();
    let mut tool = Tool::start(arguments.into_iter().chain([url.as_str()]))?;
    tool.wait_to_say("measuring")?;
    tool.signal(Signal::INT)?;
    tool.wait()?;
    assert!(String::from_utf8(tool.printed()?)?.contains("2 playing"));
    Ok(())
}

#[test]
fn the_process_that_is_measured_dies_with_the_one_that_measures() -> Result<()> {
    // Nobody else measures this.
    let bitrate = "--bitrate=123";
    let arguments = [
        "bench",
        "floor",
        "-v",
        "--players",
        "2",
        "--duration",
        "1h",
        bitrate,
    ];
    let mut tool = Tool::start(arguments)?;
    tool.wait_to_say("measuring")?;
    let processes = || processes_with(&["floor-server", bitrate]);
    assert_eq!(processes()?, 1);
    tool.signal(Signal::KILL)?;
    // Killed by a signal it has no status.
    assert!(tool.wait().is_err());
    wait_until(SOON, "the end of the other process", || {
        processes().is_ok_and(|count| count == 0)
    })
}

/// How many processes have all these arguments.
fn processes_with(arguments: &[&str]) -> Result<usize> {
    let mut count = 0;
    for entry in fs::read_dir("/proc")? {
        // What has no arguments is no process, or has ended.
        let line = fs::read_to_string(entry?.path().join("cmdline")).unwrap_or_default();
        let has = |argument: &&str| line.split('\0').any(|own| own == *argument);
        count += usize::from(arguments.iter().all(has));
    }
    Ok(count)
}
