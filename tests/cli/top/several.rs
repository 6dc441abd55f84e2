//! Several servers at once.

use anyhow::Result;

use super::{Stage, Terminal, streams};

#[test]
fn servers_are_switched_and_the_fleet_shows_who_is_late() -> Result<()> {
    let mut central = Stage::empty()?;
    central.stream("news", 0)?;
    let heartbeat = format!(
        "[heartbeat]\nenabled = true\ninterval = \"300ms\"\nsummaries = true\n\
         device_id = \"edge-7\"\nurl = \"http://{}/api/v1/servers\"\n",
        central.server.api_address()?
    );
    let mut edge = Stage::with(&heartbeat)?;
    edge.stream("sport", 0)?;
    let (one, other) = (central.address(), edge.address());

    let terminal = Terminal::open((160, 40))?;
    terminal.run_top(&["--server", &one, "--server", &other])?;
    let shows = |place: &str, stream: &str| {
        let holds = |screen: &str| screen.contains(place) && streams(screen) == [stream];
        terminal.wait_until(place, holds)
    };
    shows("server 1 of 2", "news")?;
    terminal.press("S")?;
    shows("server 2 of 2", "sport")?;
    terminal.press("S")?;
    shows("server 1 of 2", "news")?;

    terminal.press("7")?;
    let row = |name: &str, state: &str| {
        let what = format!("{name} to be {state}");
        let holds = |line: &str| {
            let mut words = line.split_whitespace();
            line.contains(name) && words.any(|word| word == state)
        };
        terminal.wait_until(&what, |screen| screen.lines().any(holds))
    };
    // The header has the name of the first one, and no such state.
    for name in [one.as_str(), other.as_str(), "edge-7"] {
        row(name, "up")?;
    }
    edge.server.stop();
    row("edge-7", "late")?;
    row(&other, "down")?;
    row(&one, "up")?;
    Ok(())
}
