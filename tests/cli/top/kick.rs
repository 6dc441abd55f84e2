//! Clients are cut off: those that were meant, after a question.

use anyhow::{Result, ensure};
use testkit::{SOON, wait_for};

use super::{Stage, Terminal, open};

#[test]
fn the_marked_players_are_cut_off_and_nobody_else() -> Result<()> {
    let mut stage = Stage::empty()?;
    stage.stream("show", 10)?;
    let mut ids: Vec<String> = stage.sent()?.into_iter().map(|(id, _)| id).collect();
    ids.sort_unstable();
    let (victims, others) = ids.split_at(2);
    let terminal = open(&stage, (120, 40))?;
    terminal.press("2")?;
    // Rates change, and with them the order that clients have at first.
    terminal.run(":sort id")?;
    terminal.wait_for("1 of 11")?;
    terminal.wait_for("ID↑")?;
    // The publisher has the first row.
    for key in ["j", "Space", "Space"] {
        terminal.press(key)?;
    }
    terminal.wait_for("2 marked")?;

    ask(&terminal, victims)?;
    terminal.press("n")?;
    terminal.wait_for("nobody was cut off")?;
    ensure!(stage.sent()?.len() == 10);

    ask(&terminal, victims)?;
    let before = stage.sent()?;
    terminal.press("y")?;
    terminal.wait_for("2 clients cut off")?;
    terminal.wait_without("marked")?;
    stage.wait_for_ends(2)?;
    wait_for(SOON, "the others to go on", || {
        let now = stage.sent()?;
        let mut left: Vec<&String> = now.iter().map(|(id, _)| id).collect();
        left.sort_unstable();
        let grows = |(id, bytes): &(String, u64)| {
            before.iter().any(|(known, was)| known == id && bytes > was)
        };
        Ok((left == others.iter().collect::<Vec<_>>() && now.iter().all(grows)).then_some(()))
    })?;
    terminal.wait_for(" of 9")?;
    Ok(())
}

/// Has the dashboard ask whether to cut off `victims`.
fn ask(terminal: &Terminal, victims: &[String]) -> Result<()> {
    terminal.press("K")?;
    let screen = terminal.wait_for("Cut off these 2 clients?")?;
    for id in victims {
        ensure!(screen.contains(&format!("{id} plays live/show")), "no {id}");
    }
    assert_eq!(screen.matches(" plays live/show").count(), 2);
    Ok(())
}

#[test]
fn who_may_only_read_cuts_nobody_off() -> Result<()> {
    let mut stage = Stage::empty()?;
    stage.stream("show", 1)?;
    let terminal = Terminal::open((120, 40))?;
    terminal.run_top(&["--read-only", "--server", &stage.address()])?;
    terminal.wait_for("players 1 ")?;
    terminal.press("2")?;
    terminal.wait_for("1 of 2")?;
    terminal.press("K")?;
    terminal.wait_for("read-only: nothing is cut off")?;
    terminal.press("y")?;
    terminal.press("C-r")?;
    terminal.wait_for("read-only: nothing is reloaded")?;
    ensure!(stage.sent()?.len() == 1);
    Ok(())
}
