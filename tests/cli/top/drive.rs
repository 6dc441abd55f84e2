//! The keys of the dashboard, one after the other, as somebody uses them.

use anyhow::{Result, ensure};

use super::{Before, Stage, Terminal, streams};

#[test]
fn streams_are_found_opened_and_left_again() -> Result<()> {
    let mut stage = Stage::empty()?;
    for (name, players) in [("news", 3), ("sport", 2), ("weather", 1)] {
        stage.stream(name, players)?;
    }
    let terminal = Terminal::open((160, 45))?;
    let before = Before::of(&terminal)?;
    terminal.run_top(&["--server", &stage.address()])?;
    terminal.wait_for("players 6 ")?;
    terminal.wait_until("three streams", |screen| streams(screen).len() == 3)?;

    filter(&terminal)?;
    sort(&terminal)?;
    open_and_leave(&terminal, &stage)?;
    help(&terminal)?;
    resize(&terminal)?;

    terminal.press("q")?;
    assert_eq!(terminal.wait_for_status()?, 0);
    before.is_back(&terminal)
}

fn filter(terminal: &Terminal) -> Result<()> {
    let shows = |what: &str, wanted: &[&str]| {
        let holds = |screen: &str| {
            let mut shown = streams(screen);
            shown.sort_unstable();
            shown == wanted
        };
        terminal.wait_until(what, holds)
    };
    terminal.press("/")?;
    terminal.type_in("spo")?;
    shows("a filter that works as it is typed", &["sport"])?;
    terminal.press("Enter")?;
    terminal.wait_for("filter /spo")?;
    shows("the filter to stay", &["sport"])?;
    terminal.press("Escape")?;
    shows("the filter to go", &["news", "sport", "weather"])?;

    terminal.press("'!'")?;
    terminal.type_in("^live/news")?;
    shows("an inverse filter", &["sport", "weather"])?;
    terminal.press("Enter")?;
    terminal.wait_for("filter /!^live/news")?;
    terminal.press("Escape")?;
    shows("that filter to go", &["news", "sport", "weather"])?;

    terminal.press("/")?;
    terminal.type_in("(")?;
    terminal.wait_for("unclosed group")?;
    shows("the rows to stay", &["news", "sport", "weather"])?;
    terminal.press("Enter")?;
    terminal.wait_for("unclosed group")?;
    terminal.press("Escape")?;
    terminal.wait_without("unclosed group")?;
    Ok(())
}

fn sort(terminal: &Terminal) -> Result<()> {
    let sorted = |heading: &str, wanted: [&str; 3]| {
        let holds = |screen: &str| screen.contains(heading) && streams(screen) == wanted;
        terminal.wait_until(heading, holds)
    };
    terminal.press("'<'")?;
    sorted("PLAYERS↓", ["news", "sport", "weather"])?;
    terminal.press("r")?;
    sorted("PLAYERS↑", ["weather", "sport", "news"])?;
    terminal.press("'>'")?;
    terminal.wait_for("OUT kbps↓")?;
    terminal.press("'<'")?;
    sorted("PLAYERS↓", ["news", "sport", "weather"])?;
    Ok(())
}

fn open_and_leave(terminal: &Terminal, stage: &Stage) -> Result<()> {
    terminal.press("g")?;
    terminal.press("g")?;
    terminal.press("Enter")?;
    let screen = terminal.wait_until("a stream with its clients and graphs", |screen| {
        let plays = screen.matches(" play ").count();
        plays == 3 && screen.contains("frames/s 2") && screen.contains("players 3 ")
    })?;
    for text in [
        "streams › stream live/news",
        "publisher",
        "H264 High",
        "GOP",
    ] {
        ensure!(screen.contains(text), "no {text}");
    }
    terminal.press("Enter")?;
    let screen = terminal.wait_until("a client with its graphs", |screen| {
        screen.contains("connected to") && screen.contains("lag 0 ms")
    })?;
    let (_, behind) = screen.split_once(" › client ").unwrap_or_default();
    let id = behind.split_whitespace().next().unwrap_or_default();
    let client = stage.ask(&format!("/api/v1/clients/{id}"))?["client"].take();
    assert_eq!(client["name"], "news", "{client}");

    terminal.press("Escape")?;
    terminal.wait_without("› client")?;
    terminal.wait_for("› stream live/news")?;
    terminal.press("Escape")?;
    terminal.wait_without("› stream")?;
    terminal.wait_until("the streams", |screen| streams(screen).len() == 3)?;
    Ok(())
}

fn help(terminal: &Terminal) -> Result<()> {
    terminal.press("?")?;
    let screen = terminal.wait_for("keys of streams")?;
    ensure!(screen.contains("half a page down"), "no keys");
    terminal.press("Escape")?;
    terminal.wait_without("keys of streams")?;
    terminal.press("5")?;
    terminal.press("?")?;
    let screen = terminal.wait_for("keys of events")?;
    ensure!(!screen.contains("sort by"), "events come as they come");
    terminal.press("Escape")?;
    terminal.wait_without("keys of events")?;
    terminal.press("1")?;
    terminal.wait_until("the streams", |screen| streams(screen).len() == 3)?;
    Ok(())
}

fn resize(terminal: &Terminal) -> Result<()> {
    for (size, text) in [
        ((60, 15), "live/weather"),
        ((40, 10), "40x10 is too small"),
        ((200, 60), "live/weather"),
        ((40, 10), "60x15 is enough"),
        ((160, 45), "live/weather"),
    ] {
        terminal.resize(size)?;
        // What stands in the last line says that it has drawn all of the new size.
        terminal.wait_until(&format!("{text} on {size:?}"), |screen| {
            let last = screen
                .lines()
                .nth(usize::from(size.1) - 1)
                .unwrap_or_default();
            screen.contains(text) && (last.contains("? help") || size == (40, 10))
        })?;
    }
    Ok(())
}
