//! `srsctl top` in a terminal: a shell in tmux, and a server that really serves.

mod away;
mod drive;
mod ends;
mod figures;
mod kick;
mod plain;
mod random;
mod reload;
mod several;
mod stage;
mod tmux;

use anyhow::{Result, ensure};

use stage::Stage;
use tmux::Terminal;

/// A terminal in which the dashboard shows a server.
fn open(stage: &Stage, size: (u16, u16)) -> Result<Terminal> {
    let terminal = Terminal::open(size)?;
    terminal.run_top(&["--server", &stage.address()])?;
    terminal.wait_for("clients")?;
    Ok(terminal)
}

/// What a terminal was like before the dashboard took it over.
struct Before {
    modes: String,
}

impl Before {
    fn of(terminal: &Terminal) -> Result<Self> {
        let modes = terminal.output_of("stty -g")?;
        Ok(Self { modes })
    }

    /// Checks that a terminal, whose shell has asked for a command, is like that again.
    fn is_back(&self, terminal: &Terminal) -> Result<()> {
        terminal.wait_for_prompt()?;
        // Alternate screen, cursor, mouse.
        let state = terminal.state("#{alternate_on} #{cursor_flag} #{mouse_any_flag}")?;
        ensure!(state == "0 1 0", "{state}");
        let text = terminal.screen_and_past()?;
        ensure!(text.contains(self.modes.trim_end()), "{text}");
        let modes = terminal.output_of("stty -g")?;
        ensure!(modes == self.modes, "{modes} is not {}", self.modes);
        Ok(())
    }
}

/// The names of the streams in the table, from above.
fn streams(screen: &str) -> Vec<&str> {
    let words = screen.lines().flat_map(str::split_whitespace);
    words
        .filter_map(|word| word.strip_prefix("live/"))
        .collect()
}
