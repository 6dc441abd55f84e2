//! What standard output is: how wide, and whether it shows colours.

use std::env;
use std::io::{self, IsTerminal as _};

/// Where a result is going to be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Terminal {
    /// The columns that there are; `None` where nothing may be cut, as no terminal is there.
    pub(crate) width: Option<usize>,
    /// Whether colours are shown.
    pub(crate) colour: bool,
}

impl Terminal {
    /// No terminal, but a file or a program.
    #[cfg(test)]
    pub(crate) const NONE: Self = Self {
        width: None,
        colour: false,
    };

    /// Standard output as it is.
    pub(crate) fn of_stdout() -> Self {
        let stdout = io::stdout();
        let is_terminal = stdout.is_terminal();
        let variable = |name: &str| env::var(name).ok();
        let columns = || {
            rustix::termios::tcgetwinsize(&stdout)
                .ok()
                .map(|size| size.ws_col)
        };
        Self {
            width: is_terminal.then(|| width(variable("COLUMNS").as_deref(), columns())),
            colour: colour(is_terminal, variable),
        }
    }

    /// `text` in `colour`, where colours are shown.
    pub(crate) fn paint(&self, colour: Option<Colour>, text: &str) -> String {
        match colour.filter(|_| self.colour) {
            Some(colour) => format!("{}{text}\x1b[0m", colour.sequence()),
            None => text.to_owned(),
        }
    }
}

/// What a colour says: it is taken from the 16 of the terminal, and none has a background.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Colour {
    /// All is well.
    Good,
    /// Somebody should look at it.
    Odd,
    /// Something is wrong.
    Bad,
    /// The names of columns.
    Heading,
}

impl Colour {
    const fn sequence(self) -> &'static str {
        match self {
            Self::Good => "\x1b[32m",
            Self::Odd => "\x1b[33m",
            Self::Bad => "\x1b[31m",
            Self::Heading => "\x1b[1m",
        }
    }
}

fn width(columns: Option<&str>, kernel: Option<u16>) -> usize {
    let said = columns.and_then(|columns| columns.trim().parse().ok());
    let seen = kernel.map(usize::from);
    said.or(seen).filter(|&width| width > 0).unwrap_or(WIDTH)
}

/// Follows no-color.org and bixense.com/clicolors.
fn colour(is_terminal: bool, variable: impl Fn(&str) -> Option<String>) -> bool {
    let is_set = |name| variable(name).is_some_and(|value| !value.is_empty());
    if is_set("NO_COLOR") {
        false
    } else if is_set("CLICOLOR_FORCE") && variable("CLICOLOR_FORCE").as_deref() != Some("0") {
        true
    } else {
        is_terminal && variable("TERM").is_none_or(|term| term != "dumb")
    }
}

/// Where a terminal does not know itself.
const WIDTH: usize = 80;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_width_is_what_the_user_says_or_the_terminal() {
        let cases = [
            (Some("120"), Some(80), 120),
            (None, Some(132), 132),
            (Some("wide"), Some(132), 132),
            (Some("0"), None, 80),
            (None, Some(0), 80),
            (None, None, 80),
        ];
        for (columns, kernel, expected) in cases {
            assert_eq!(width(columns, kernel), expected, "{columns:?} {kernel:?}");
        }
    }

    #[test]
    fn colours_are_for_terminals_and_for_who_asks() {
        type Variables = &'static [(&'static str, &'static str)];
        let cases: [(bool, Variables, bool); 8] = [
            (true, &[], true),
            (false, &[], false),
            (true, &[("TERM", "dumb")], false),
            (true, &[("NO_COLOR", "1")], false),
            (true, &[("NO_COLOR", "")], true),
            (false, &[("CLICOLOR_FORCE", "1")], true),
            (false, &[("CLICOLOR_FORCE", "0")], false),
            (true, &[("CLICOLOR_FORCE", "1"), ("NO_COLOR", "1")], false),
        ];
        for (is_terminal, variables, expected) in cases {
            let variable = |name: &str| {
                let found = variables.iter().find(|(known, _)| *known == name);
                found.map(|(_, value)| (*value).to_owned())
            };
            assert_eq!(colour(is_terminal, variable), expected, "{variables:?}");
        }
    }
}
