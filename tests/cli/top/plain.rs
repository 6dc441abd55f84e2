//! The dashboard where it has no terminal, or not the colours of one.

use anyhow::{Context as _, Result, ensure};
use rustix::process::Signal;
use serde_json::Value;
use testkit::{SOON, wait_for};

use super::{Stage, Terminal, streams};
use crate::{Tool, exit};

#[test]
fn without_a_terminal_it_prints_the_page_once() -> Result<()> {
    let mut stage = Stage::empty()?;
    stage.stream("show", 1)?;
    let address = stage.address();
    for more in [&[][..], &["--once"]] {
        let mut tool = Tool::start([&["top", "--server", &address], more].concat())?;
        assert_eq!(tool.wait()?, exit::DONE);
        is_page(&String::from_utf8(tool.printed()?)?)?;
    }
    let terminal = Terminal::open((120, 40))?;
    let top = format!(
        "'{}' top --server '{address}'",
        env!("CARGO_BIN_EXE_srsctl")
    );
    for (command, has_colours) in [
        (format!("{top} --once"), true),
        (format!("NO_COLOR=1 {top} --once"), false),
        (format!("{top} | cat"), false),
        (format!("CLICOLOR_FORCE=1 {top} | cat"), true),
        (format!("TERM=dumb {top}"), false),
    ] {
        is_page(&terminal.output_of(&command)?).context(command.clone())?;
        let painted = terminal.painted()?;
        ensure!(
            colours(&painted).is_empty() != has_colours,
            "{command}: {painted}"
        );
    }
    Ok(())
}

/// Checks that `text` is the page that is printed, once.
fn is_page(text: &str) -> Result<()> {
    ensure!(streams(text) == ["show"], "{text}");
    ensure!(text.matches("PLAYERS").count() == 1, "{text}");
    ensure!(text.contains("players 1 "), "{text}");
    ensure!(!text.contains('\u{1b}'), "{text}");
    Ok(())
}

#[test]
fn of_several_servers_those_that_answer_are_printed() -> Result<()> {
    let mut stage = Stage::empty()?;
    stage.stream("show", 1)?;
    let (address, nobody) = (stage.address(), "unix:/nonexistent/api.sock");
    let servers = ["--server", nobody, "--server", &address, "--server", nobody];
    for (more, prints) in [(&[][..], "live/show"), (&["--json"], "\"name\":\"show\"")] {
        let mut tool = Tool::start([&["top", "--once"], more, &servers[..]].concat())?;
        assert_eq!(tool.wait()?, exit::NOT_REACHED);
        let printed = String::from_utf8(tool.printed()?)?;
        ensure!(printed.contains(prints), "{printed}");
        let said = tool.said();
        assert_eq!(said.matches("no such socket").count(), 2, "{said}");
    }
    Ok(())
}

#[test]
fn snapshots_are_lines_that_hold_to_their_schema() -> Result<()> {
    let mut stage = Stage::empty()?;
    stage.stream("show", 1)?;
    let address = stage.address();
    let mut tool = Tool::start(["top", "--json-schema"])?;
    assert_eq!(tool.wait()?, exit::DONE);
    let schema: Value = serde_json::from_slice(&tool.printed()?)?;
    jsonschema::meta::validate(&schema).map_err(|error| error.to_owned())?;
    let schema = jsonschema::validator_for(&schema)?;
    let parse = |line: &str| -> Result<Value> {
        let snapshot: Value = serde_json::from_str(line)?;
        let problems = schema.iter_errors(&snapshot);
        let problems: Vec<_> = problems.map(|problem| problem.to_string()).collect();
        ensure!(problems.is_empty(), "{problems:?} in {snapshot}");
        assert_eq!(snapshot["streams"][0]["name"], "show");
        assert_eq!(snapshot["clients_total"], 2);
        Ok(snapshot)
    };

    let mut tool = Tool::start(["top", "--json", "--once", "--server", &address])?;
    assert_eq!(tool.wait()?, exit::DONE);
    let printed = String::from_utf8(tool.printed()?)?;
    let line = printed.strip_suffix('\n').context("no line")?;
    ensure!(!line.contains('\n'), "{printed}");
    parse(line)?;

    let mut tool = Tool::start(["top", "--json", "--server", &address])?;
    let lines = wait_for(SOON, "three lines", || {
        let printed = String::from_utf8(tool.printed()?)?;
        let lines: Vec<_> = printed.split_inclusive('\n').map(str::to_owned).collect();
        Ok((lines.len() >= 3 && printed.ends_with('\n')).then_some(lines))
    })?;
    let times = lines
        .iter()
        .map(|line| parse(line)?["time_ms"].as_i64().context("no time"));
    let times: Vec<i64> = times.collect::<Result<_>>()?;
    for pair in times.windows(2) {
        let between = pair[1] - pair[0];
        ensure!((800..4_000).contains(&between), "{times:?}");
    }
    tool.signal(Signal::TERM)?;
    assert_eq!(tool.wait()?, exit::DONE);
    Ok(())
}

#[test]
fn colours_are_those_that_the_user_wants() -> Result<()> {
    let mut stage = Stage::empty()?;
    stage.stream("show", 1)?;
    for (variables, has_colours) in [
        (&[][..], true),
        (&[("NO_COLOR", "")], true),
        (&[("NO_COLOR", "1")], false),
        (&[("NO_COLOR", "1"), ("CLICOLOR_FORCE", "1")], false),
        (&[("CLICOLOR_FORCE", "1")], true),
    ] {
        let terminal = Terminal::open_with((120, 40), variables)?;
        terminal.run_top(&["--server", &stage.address()])?;
        terminal.wait_for("live/show")?;
        // A row that is marked, and a dialog, have colours of their own.
        terminal.press("Space")?;
        terminal.wait_for("1 marked")?;
        terminal.press("K")?;
        terminal.wait_for("Cut off this client?")?;
        let painted = terminal.painted()?;
        let colours = colours(&painted);
        ensure!(
            colours.is_empty() != has_colours,
            "{variables:?}: {painted}"
        );
        let paints_background = |code: &u16| matches!(code, 40..=48 | 100..=107);
        ensure!(
            !colours.iter().any(paints_background),
            "{variables:?}: {painted}"
        );
    }
    Ok(())
}

/// The codes in `text` that set a colour, and not back to the terminal's own.
fn colours(text: &str) -> Vec<u16> {
    let mut found = Vec::new();
    for sequence in text.split("\u{1b}[").skip(1) {
        let Some((codes, _)) = sequence.split_once('m') else {
            continue;
        };
        let mut codes = codes.split(';').map(|code| code.parse().unwrap_or(0));
        while let Some(code) = codes.next() {
            match code {
                // Of 256, or of all: which one stands behind it.
                38 | 48 => {
                    found.push(code);
                    let rest = if codes.next() == Some(5) { 1 } else { 3 };
                    codes.by_ref().take(rest).for_each(drop);
                }
                30..=37 | 40..=47 | 90..=97 | 100..=107 => found.push(code),
                _ => {}
            }
        }
    }
    found
}
