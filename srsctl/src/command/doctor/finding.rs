//! What a check finds.

use std::path::Path;

use serde::Serialize;

#[cfg(test)]
use crate::cli::Doctor;
use crate::output::Colour;

/// How bad it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Level {
    /// As it should be.
    Ok,
    /// Worth knowing.
    Note,
    /// It serves, and will bite.
    Warning,
    /// It does not serve as it was told to, or is about to stop.
    Problem,
}

impl Level {
    /// The word for it.
    pub(super) const fn word(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Note => "note",
            Self::Warning => "warning",
            Self::Problem => "problem",
        }
    }

    /// How it is shown where there are colours.
    pub(super) const fn colour(self) -> Option<Colour> {
        match self {
            Self::Ok => Some(Colour::Good),
            Self::Note => None,
            Self::Warning => Some(Colour::Odd),
            Self::Problem => Some(Colour::Bad),
        }
    }
}

/// What a check finds. Of a check with nothing to mend it is one, of the level `ok`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(super) struct Finding {
    /// The check, as in `ports`.
    pub(super) check: &'static str,
    /// What was found, for programs, as in `port-taken`; that of `ok` is the check's.
    pub(super) id: &'static str,
    pub(super) level: Level,
    /// What was seen, with its figures.
    pub(super) seen: String,
    /// What to do about it, in words.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) mend: Option<String>,
    /// What to type for that, a line each.
    pub(super) commands: Vec<String>,
}

impl Finding {
    /// All is well with `check`.
    pub(super) fn ok(check: &'static str, seen: impl Into<String>) -> Self {
        Self::new(Level::Ok, check, check, seen)
    }

    /// Worth knowing.
    pub(super) fn note(check: &'static str, id: &'static str, seen: impl Into<String>) -> Self {
        Self::new(Level::Note, check, id, seen)
    }

    /// It serves, and will bite.
    pub(super) fn warning(check: &'static str, id: &'static str, seen: impl Into<String>) -> Self {
        Self::new(Level::Warning, check, id, seen)
    }

    /// It does not serve as it was told to.
    pub(super) fn problem(check: &'static str, id: &'static str, seen: impl Into<String>) -> Self {
        Self::new(Level::Problem, check, id, seen)
    }

    /// A finding of a level that is told apart elsewhere.
    pub(super) fn new(
        level: Level,
        check: &'static str,
        id: &'static str,
        seen: impl Into<String>,
    ) -> Self {
        #[cfg(test)]
        assert!(Doctor::documents(check, id), "{check} {id}");
        Self {
            check,
            id,
            level,
            seen: seen.into(),
            mend: None,
            commands: Vec::new(),
        }
    }

    /// The finding, with what to do about it in words.
    pub(super) fn mend(mut self, mend: impl Into<String>) -> Self {
        self.mend = Some(mend.into());
        self
    }

    /// The finding, with a command to type. One for root begins with `sudo`, which is left out
    /// where root asks.
    pub(super) fn command(mut self, command: impl Into<String>) -> Self {
        self.commands.push(command.into());
        self
    }

    /// The finding, with commands as root types them.
    pub(super) fn for_root(mut self) -> Self {
        for command in &mut self.commands {
            *command = command.replace("sudo ", "");
        }
        self
    }
}

/// A path as a shell takes it.
pub(super) fn quoted(path: &Path) -> String {
    let path = path.display().to_string();
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "/._-+:@,=".contains(c);
    if path.chars().all(is_plain) {
        path
    } else {
        format!("'{}'", path.replace('\'', r"'\''"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_quoted_where_a_shell_would_take_them_apart() {
        for (path, expected) in [
            ("/etc/srs/srs.toml", "/etc/srs/srs.toml"),
            ("/a b", "'/a b'"),
            ("/it's", r"'/it'\''s'"),
            ("/$(a)", "'/$(a)'"),
        ] {
            assert_eq!(quoted(Path::new(path)), expected);
        }
    }

    #[test]
    fn root_needs_no_sudo() {
        let finding = Finding::note("disk", "folder-missing", "")
            .command("sudo a && sudo b | sudo c")
            .for_root();
        assert_eq!(finding.commands, ["a && b | c"]);
    }
}
