//! The configuration is reloaded from the dashboard.

use std::fs;

use anyhow::{Context as _, Result, ensure};

use super::{Stage, open};

#[test]
fn a_reload_shows_the_difference_and_a_mistake_changes_nothing() -> Result<()> {
    let stage = Stage::empty()?;
    let terminal = open(&stage, (120, 30))?;
    let text = fs::read_to_string(stage.file())?;
    let first = generation(&stage)?;

    fs::write(stage.file(), format!("max_connections = 77\n{text}"))?;
    terminal.press("C-r")?;
    let screen = terminal.wait_for("Put this in force?")?;
    ensure!(screen.contains("max_connections") && screen.contains("77"));
    assert_eq!(generation(&stage)?, first, "it is only asked");
    terminal.press("y")?;
    terminal.wait_for("reloaded: 1 change")?;
    let second = generation(&stage)?;
    ensure!(second > first, "{second} after {first}");
    terminal.wait_for("clients 0/77")?;

    fs::write(stage.file(), format!("max_conections = 78\n{text}"))?;
    terminal.press("C-r")?;
    let screen = terminal.wait_for("This cannot be put in force")?;
    ensure!(screen.contains(":1:1: unknown key `max_conections`"));
    // There is nothing to say yes to.
    terminal.press("y")?;
    terminal.press("Escape")?;
    terminal.wait_without("This cannot be put in force")?;
    assert_eq!(generation(&stage)?, second);
    terminal.wait_for("clients 0/77")?;
    Ok(())
}

/// How often the configuration has been put in force.
fn generation(stage: &Stage) -> Result<u64> {
    let answer = stage.ask("/api/v1/config")?;
    let generation = answer["data"]["generation"].as_u64();
    generation.with_context(|| answer.to_string())
}
