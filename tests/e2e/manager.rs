//! The daemon and its service manager: sockets that are passed, and what the manager is told.

use std::fs;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Result;
use testkit::{SOON, ServiceManager, clips, ffmpeg};
use tokio::task::{JoinSet, block_in_place};

use crate::api::http::Api;
use crate::build_srs;
use crate::clients::Peer;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_connects_between_two_daemons_waits_and_is_served() -> Result<()> {
    let mut manager = ServiceManager::new()?;
    let address = manager.hold_tcp("rtmp")?;
    let manager = Arc::new(manager);
    let build = build_srs().listen([address]).manager(&manager);
    let mut srs = block_in_place(|| build.start())?;
    assert_eq!(srs.addresses(), [address]);
    srs.wait_for_log("(held by systemd)", SOON)?;
    let mut publish = ffmpeg::publish(clips::demo(), &srs.rtmp_url("live/show")).start()?;
    block_in_place(|| publish.succeed(SOON))?;
    assert_eq!(block_in_place(|| srs.stop())?.status.code(), Some(0));

    // Nobody is there, and nobody is refused.
    let mut waiting = JoinSet::new();
    waiting.spawn(Peer::connect(address, "live"));
    let mut next = block_in_place(|| build.start())?;
    waiting.join_next().await.transpose()?.transpose()?;
    block_in_place(|| next.stop())?;
    Ok(())
}

#[test]
fn each_passed_socket_is_for_what_its_name_says() -> Result<()> {
    let mut manager = ServiceManager::new()?;
    let rtmp = manager.hold_tcp("rtmp")?;
    let http = manager.hold_tcp("http")?;
    let api = manager.hold_unix("api")?;
    manager.hold_tcp("spare")?;
    let manager = Arc::new(manager);
    // Its own address comes beside those.
    let mut srs = build_srs().manager(&manager).start()?;
    assert_eq!(srs.addresses(), [rtmp]);
    let log = srs.process().log();
    let own = log.wait_for_nth(2, "listening for RTMP on ", SOON)?;
    assert!(!own.contains("held"), "{own}");
    srs.wait_for_log("a socket whose use nobody can tell", SOON)?;

    let answer = Api::Tcp(http).get("/live/show.flv")?;
    assert_eq!(answer.status, 404);
    assert!(
        answer.body.contains("serves no media over HTTP"),
        "{answer:?}"
    );
    let passed = Api::Unix(api.clone());
    let summaries = passed.get("/api/v1/summaries")?.json()?;
    let told = |key: &str| &summaries["data"]["srs"][key];
    assert_eq!(told("listen")[0], rtmp.to_string());
    assert_eq!(told("listen_http")[0], http.to_string());
    assert_eq!(told("listen_api")[0], format!("unix:{}", api.display()));

    // A socket that the manager holds cannot be closed: it says what is the matter.
    srs.reload("[http_api]\nenabled = false")?;
    let answer = passed.get("/api/v1/summaries")?;
    assert_eq!(answer.status, 503);
    assert!(
        answer.body.contains("http_api.enabled is false"),
        "{answer:?}"
    );
    // Nor can whoever reaches it fill the log.
    assert_eq!(passed.ask("POST", "/api/v1/reload", &[], "")?.status, 503);
    srs.reload("")?;
    assert!(srs.process().log().lines_with("asked for a").is_empty());
    assert_eq!(passed.get("/api/v1/summaries")?.status, 200);
    Ok(())
}

#[test]
fn the_manager_is_told_of_start_reload_and_stop_and_gets_beats() -> Result<()> {
    let manager = Arc::new(ServiceManager::new()?.watchdog(Duration::from_millis(300)));
    let mut srs = build_srs().manager(&manager).start()?;
    let ready = manager.wait_for("READY=1", SOON)?;
    assert!(
        ready.contains("STATUS=0 streams, 0 clients, 0 kbps in, 0 kbps out"),
        "{ready}"
    );
    for _ in 0..3 {
        manager.wait_for("WATCHDOG=1", SOON)?;
    }

    srs.reload("chunk_size = 4096")?;
    let reloading = manager.wait_for("RELOADING=1", SOON)?;
    assert!(reloading.contains("MONOTONIC_USEC="), "{reloading}");
    manager.wait_for("READY=1", SOON)?;

    srs.reload_in_vain("chunk_sizes = 4096")?;
    manager.wait_for("RELOADING=1", SOON)?;
    let ready = manager.wait_for("READY=1", SOON)?;
    let place = format!("{}:2:1: ", srs.configuration_file().display());
    assert!(ready.contains("the last reload failed: "), "{ready}");
    assert!(ready.contains(&place), "{ready}");
    manager.wait_for("WATCHDOG=1", SOON)?;

    srs.process().terminate()?;
    let stopping = manager.wait_for("STOPPING=1", SOON)?;
    assert!(stopping.contains("STATUS=stopping"), "{stopping}");
    Ok(())
}

#[test]
fn the_manager_is_told_why_it_cannot_start() -> Result<()> {
    let manager = Arc::new(ServiceManager::new()?);
    let (finished, _) = build_srs()
        .settings("lisen = 1")
        .manager(&manager)
        .start_in_vain()?;
    assert_eq!(finished.status.code(), Some(78));
    let status = manager.wait_for("STATUS=cannot start: ", SOON)?;
    assert!(
        status.contains("srs.toml:2:1: unknown key `lisen`"),
        "{status}"
    );

    let first = build_srs().start()?;
    let (finished, _) = build_srs()
        .listen([first.addresses()[0]])
        .manager(&manager)
        .start_in_vain()?;
    assert_eq!(finished.status.code(), Some(1));
    let status = manager.wait_for("STATUS=cannot start", SOON)?;
    assert!(status.contains("the address is in use"), "{status}");
    Ok(())
}

#[test]
fn who_cannot_tell_the_manager_says_so_instead_of_keeping_it_waiting() -> Result<()> {
    let manager = Arc::new(ServiceManager::new()?);
    // More than any address space: no thread of the standard library starts.
    let (finished, said) = build_srs()
        .manager(&manager)
        .environment(&[("RUST_MIN_STACK", "1152921504606846976")])
        .start_in_vain()?;
    assert_eq!(finished.status.code(), Some(1));
    assert!(
        said.contains("srs: starting the thread that tells systemd how the server goes: "),
        "{said}"
    );
    Ok(())
}

#[test]
fn what_cannot_be_listened_at_is_refused_with_a_reason() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let file = folder.path().join("srs.toml");
    fs::write(&file, "")?;
    let script =
        "exec 3</dev/null; LISTEN_PID=$$ LISTEN_FDS=1 LISTEN_FDNAMES=rtmp exec \"$0\" -c \"$1\"";
    let output = std::process::Command::new("bash")
        .args(["-c", script, env!("CARGO_BIN_EXE_srs")])
        .arg(&file)
        .output()?;
    assert_eq!(output.status.code(), Some(1));
    let said = String::from_utf8(output.stderr)?;
    assert!(
        said.contains("socket 1 (\"rtmp\") that systemd passes cannot be used"),
        "{said}"
    );
    Ok(())
}

#[test]
fn a_manager_that_does_not_read_holds_up_nothing_and_misses_nothing() -> Result<()> {
    let manager = Arc::new(ServiceManager::new()?.watchdog(Duration::from_millis(30)));
    manager.be_busy()?;
    let mut srs = build_srs().manager(&manager).start()?;
    // By now there were more beats than a queue would hold.
    srs.wait_for_log("systemd has not read what it is told", SOON)?;
    srs.reload("chunk_size = 4096")?;
    assert_eq!(Api::of(&srs).get("/api/v1/summaries")?.status, 200);
    manager.wait_for("RELOADING=1", SOON)?;
    let ready = manager.wait_for("READY=1", SOON)?;
    assert!(ready.contains("STATUS=0 streams, 0 clients"), "{ready}");
    manager.wait_for("WATCHDOG=1", SOON)?;

    manager.be_busy()?;
    let finished = srs.stop()?;
    assert_eq!(finished.status.code(), Some(0));
    assert!(finished.took < Duration::from_secs(5), "{finished:?}");
    Ok(())
}
