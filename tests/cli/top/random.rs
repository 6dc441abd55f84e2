//! Keys that nobody meant.

use std::env;
use std::time::{Duration, UNIX_EPOCH};

use anyhow::{Result, bail};
use testkit::wait_for;

use super::{Before, Stage, Terminal};

#[test]
fn whatever_is_pressed_the_terminal_is_given_back() -> Result<()> {
    let seed = match env::var(SEED) {
        Ok(seed) => seed.parse()?,
        Err(_) => u64::try_from(UNIX_EPOCH.elapsed()?.as_nanos())?,
    };
    println!("{SEED}={seed} presses the same again");
    let mut random = Random(seed | 1);

    let mut stage = Stage::empty()?;
    stage.stream("show", 2)?;
    let terminal = Terminal::open(SIZE)?;
    let before = Before::of(&terminal)?;
    terminal.run_top(&["--server", &stage.address()])?;
    terminal.wait_for("live/show")?;
    for _ in 0..300 {
        match random.below(10) {
            0 => {
                let (width, height) = (random.below(200), random.below(60));
                terminal.resize((1 + u16::try_from(width)?, 1 + u16::try_from(height)?))?;
            }
            1 => terminal.press(random.of(&NAMED)?)?,
            _ => {
                let character = random.of(&CHARACTERS)?;
                terminal.type_in(character)?;
            }
        }
        // So that the dashboard sees them one by one, as it would those of a person.
        terminal.screen()?;
    }
    terminal.resize(SIZE)?;
    quit(&terminal)?;
    assert_eq!(terminal.wait_for_status()?, 0);
    before.is_back(&terminal)
}

/// Ends the dashboard, whatever is open in it: Ctrl-C closes what is, and then the dashboard.
fn quit(terminal: &Terminal) -> Result<()> {
    for _ in 0..3 {
        terminal.press("C-c")?;
        let left = || Ok((terminal.state("#{alternate_on}")? == "0").then_some(()));
        if wait_for(Duration::from_secs(3), "the end", left).is_ok() {
            return Ok(());
        }
    }
    bail!("Ctrl-C does not end it");
}

/// Numbers in an order that only the seed tells (xorshift).
struct Random(u64);

impl Random {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % bound
    }

    fn of<'a>(&mut self, choice: &[&'a str]) -> Result<&'a str> {
        let place = self.below(choice.len() as u64);
        Ok(choice[usize::try_from(place)?])
    }
}

const SIZE: (u16, u16) = (100, 30);
/// A variable with the seed of a run that failed.
const SEED: &str = "TOP_SEED";
/// All that do not end or stop it.
const NAMED: [&str; 22] = [
    "Enter", "Escape", "Tab", "BTab", "BSpace", "Up", "Down", "Left", "Right", "Home", "End",
    "PPage", "NPage", "F1", "C-d", "C-u", "C-l", "C-r", "C-w", "M-x", "DC", "C-k",
];
const CHARACTERS: [&str; 48] = [
    "1", "2", "3", "4", "5", "6", "7", "8", "9", "/", "!", ":", "<", ">", "r", "j", "k", "g", "G",
    "d", "K", "y", "n", "l", "i", "c", "e", "f", "p", "+", "-", "u", "t", "S", "?", " ", "*", "w",
    "W", "J", "s", "(", ")", "[", "]", "ä", "é", "直",
];
