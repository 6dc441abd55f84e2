//! The configuration file itself, and the files and signals of the process.

use std::fs;

use anyhow::{Context, Result};
use srs::Server;
use srs::config::Source;
use srs::server::Start;
use srs_api::{EventKind, ReloadOutcome};
use testkit::{SOON, wait_until};
use tokio::task::block_in_place;

use super::{reload, reload_in_vain};
use crate::build_srs;
use crate::clients::{Show, at};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_wrong_file_changes_nothing_and_says_where_it_is_wrong() -> Result<()> {
    let mut srs = build_srs().start()?;
    let address = srs.addresses()[0];
    let dial = at(address, "live/show");
    let mut publisher = dial.publish().await?;
    let show = Show::new(1);
    publisher.send(show.beginning(1_000)).await?;
    let mut player = dial.play().await?;
    player.up_to(&show.sound(980).payload).await?;

    for (settings, words) in [
        (
            "max_conections = 5",
            &["srs.toml:2:1", "`max_connections`"][..],
        ),
        (
            "max_connections = 5\n[vhost.a]\nqueue_length = \"7 parsecs\"",
            &["srs.toml:4:16"],
        ),
        ("max_connections = 5\n[log", &["srs.toml:3:"]),
        (
            "max_connections = 0\nchunk_size = 0",
            &["srs.toml:2:19", "srs.toml:3:14"],
        ),
    ] {
        let said = reload_in_vain(&mut srs, settings)?;
        assert!(said.contains("nothing is changed"), "{said}");
        // Each mistake has a line of its own.
        for words in words {
            let line = block_in_place(|| srs.wait_for_log(words, SOON))?;
            assert!(line.contains("[error]"), "{line}");
        }
    }
    // No file at all.
    fs::remove_file(srs.configuration_file())?;
    srs.process().hang_up()?;
    block_in_place(|| srs.wait_for_log("there is no such file", SOON))?;

    publisher.send(show.media(1_000..2_000)).await?;
    assert_eq!(player.up_to(&show.sound(1_980).payload).await?.len(), 75);
    dial.play().await?;
    // And it can be mended.
    reload(&mut srs, "max_connections = 5")
}

#[test]
fn a_reload_is_told_line_by_line() -> Result<()> {
    let mut srs = build_srs().start()?;
    srs.reload("max_connections = 500\nchunk_size = 4096\n[http_api]\nenabled = true\ntoken = \"sesame\"\nlisten = [\"127.0.0.1:0\"]")?;
    for words in [
        "changed max_connections old=10000 new=500 effect=now",
        "changed chunk_size old=60000 new=4096 effect=\"for new sessions\"",
        "changed http_api.token",
        "serving the API on 127.0.0.1:",
    ] {
        srs.wait_for_log(words, SOON)?;
    }
    assert!(!srs.process().log().contains("sesame"));
    Ok(())
}

#[test]
fn signals_that_come_at_once_are_obeyed_one_after_the_other() -> Result<()> {
    let mut srs = build_srs().start()?;
    for round in 1..=50 {
        srs.configure(&format!("max_connections = {round}"))?;
        srs.process().hang_up()?;
    }
    srs.wait_for_log("new=50 effect=now", SOON)?;
    assert!(!srs.process().log().contains("not reloaded"));
    assert!(srs.stop()?.status.success());
    Ok(())
}

#[test]
fn a_reload_does_not_hold_up_the_end() -> Result<()> {
    for _ in 0..10 {
        let mut srs = build_srs().start()?;
        srs.configure("[vhost.a]\n[vhost.b]")?;
        srs.process().hang_up()?;
        assert!(srs.stop()?.status.success());
        assert!(!srs.api_socket().exists());
    }
    Ok(())
}

#[test]
fn the_pid_file_moves_and_is_never_missing() -> Result<()> {
    let mut srs = build_srs().start()?;
    let folder = srs.folder().to_owned();
    let (first, second) = (folder.join("first.pid"), folder.join("second.pid"));
    let holds = |path: &std::path::Path| {
        let (finished, said) = build_srs()
            .settings(&format!("pid = {path:?}"))
            .start_in_vain()?;
        anyhow::ensure!(finished.status.code() == Some(1), "{said}");
        anyhow::ensure!(said.contains("already running as pid"), "{said}");
        anyhow::Ok(())
    };
    srs.reload(&format!("pid = {first:?}"))?;
    holds(&first)?;
    srs.reload(&format!("pid = {second:?}"))?;
    assert!(!first.exists());
    holds(&second)?;
    // The same file by another name.
    srs.reload(&format!("pid = \"{}/./second.pid\"", folder.display()))?;
    holds(&second)?;

    let said = srs.reload_in_vain(&format!("pid = \"{}/missing/srs.pid\"", folder.display()))?;
    assert!(said.contains("there is no directory"), "{said}");
    holds(&second)?;
    // A part that would have gone well is undone.
    let said = srs.reload_in_vain(&format!(
        "pid = {first:?}\n[http_api]\nlisten = [\"unix:/missing/x\"]"
    ))?;
    assert!(said.contains("there is no directory /missing"), "{said}");
    assert!(!first.exists());
    holds(&second)?;

    srs.reload("")?;
    assert!(!second.exists());
    Ok(())
}

#[test]
fn the_log_changes_its_level_its_place_and_its_form() -> Result<()> {
    let mut srs = build_srs().start()?;
    let file = srs.folder().join("srs.log");
    let log = || fs::read_to_string(&file).unwrap_or_default();

    for _ in 0..2 {
        srs.reload("[log]\nlevel = \"debug\"")?;
    }
    srs.wait_for_log("[debug]", SOON)?;

    let said = srs.reload_in_vain("[log]\ntarget = \"file\"\nfile = \"/missing/srs.log\"")?;
    assert!(said.contains("there is no directory /missing"), "{said}");

    srs.configure(&format!(
        "[log]\ntarget = \"file\"\nfile = {file:?}\nformat = \"json\""
    ))?;
    srs.process().hang_up()?;
    wait_until(SOON, "a line in the log file", || {
        log().contains("changed log.target")
    })?;
    assert!(log().starts_with('{'), "{}", log());
    assert!(!srs.process().log().contains("log.target"));

    srs.reload("")?;
    let before = log();
    srs.stop()?;
    assert_eq!(log(), before, "it is back at the console");
    Ok(())
}

#[test]
fn a_thousand_vhosts_are_reloaded_in_no_time() -> Result<()> {
    let vhosts = |queue_length: u32| {
        let vhost = |number| {
            format!(
                "[vhost.\"v{number}.test\"]\nqueue_length = {queue_length}\nplay.merge = \"0s\"\n"
            )
        };
        (0..1_000).map(vhost).collect::<String>()
    };
    let mut srs = build_srs().settings(&vhosts(10)).start()?;
    srs.reload(&vhosts(20))?;
    let line = srs.wait_for_log("reloaded the configuration", SOON)?;
    assert!(line.contains("changes=1000"), "{line}");
    srs.wait_for_log("and 950 more changes", SOON)?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_asks_is_told_what_a_reload_did_or_would_do() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let file = folder.path().join("srs.toml");
    let write = |settings: &str| {
        let text = format!(
            "listen = [\"127.0.0.1:0\"]\nhttp_api.enabled = false\nfleet.enabled = false\n{settings}\n"
        );
        fs::write(&file, text)
    };
    write("")?;
    let source = Source::of_file(Some(file.clone()));
    let server = Server::start_from(Start {
        loaded: source.load()?,
        source: Some(source),
        log: None,
        passed: Vec::new(),
        manager: srs::control::manager::Manager::nobody(),
    })?;
    let (service, reloader) = (server.service(), &server.service().reloader);
    assert_eq!(reloader.last().outcome, ReloadOutcome::Never);
    let newest = service.events.newest();

    write("max_connections = 77\n[vhost.a]\ngop_cache = false")?;
    let tried = reloader.reload(true).await;
    assert_eq!((tried.outcome, tried.dry_run), (ReloadOutcome::Done, true));
    let settings: Vec<&str> = tried.changes.iter().map(|c| c.setting.as_str()).collect();
    assert_eq!(settings, ["max_connections", "vhost.a"]);
    assert_eq!(service.config().max_connections, 10_000);
    assert_eq!(reloader.last().outcome, ReloadOutcome::Never);
    assert_eq!(service.events.newest(), newest, "nothing has happened");

    let done = reloader.reload(false).await;
    assert_eq!((done.outcome, done.generation), (ReloadOutcome::Done, 1));
    assert_eq!(done.changes, tried.changes);
    assert_eq!(done.files, [file.display().to_string()]);
    assert_eq!(reloader.last(), done);
    assert_eq!(service.max_connections(), 77);
    let running = reloader.running_config();
    assert_eq!((running.generation, &running.files), (1, &done.files));
    assert!(
        running.toml.contains("max_connections = 77"),
        "{}",
        running.toml
    );

    write("max_connections = \"none\"")?;
    let failed = reloader.reload(false).await;
    assert_eq!(
        (failed.outcome, failed.generation),
        (ReloadOutcome::Failed, 1)
    );
    let error = failed.error.clone().context("a reason")?;
    assert!(error.contains("srs.toml:4:19"), "{error}");
    assert_eq!(reloader.last(), failed);
    assert_eq!(reloader.running_config(), running);

    let told = service.events.after(newest, 10).items;
    let kinds: Vec<EventKind> = told.iter().map(|event| event.kind).collect();
    assert_eq!(kinds, [EventKind::Reload, EventKind::ReloadFailed]);
    assert_eq!(told[1].message, error);
    server.stop().await;
    Ok(())
}

#[test]
fn files_beside_the_main_one_are_read_again_too() -> Result<()> {
    let mut srs = build_srs().start()?;
    let folder = srs.folder().join("conf.d");
    fs::create_dir(&folder)?;
    fs::write(folder.join("10-more.toml"), "max_connections = 4")?;
    srs.reload("max_connections = 3")?;
    srs.wait_for_log("changed max_connections old=10000 new=4", SOON)?;
    fs::write(folder.join("20-wrong.toml"), "\n\nchunk_size = 0")?;
    let said = srs.reload_in_vain("max_connections = 3")?;
    assert!(said.contains("conf.d/20-wrong.toml:3:14"), "{said}");
    fs::remove_dir_all(&folder)?;
    srs.reload("max_connections = 3")?;
    srs.wait_for_log("changed max_connections old=4 new=3", SOON)?;
    Ok(())
}
