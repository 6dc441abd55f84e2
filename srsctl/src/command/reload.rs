//! `srsctl reload`: puts a changed configuration in force.

use srs_api::{Answer, Change, Effect, Reload, ReloadOutcome};

use super::Error;
use super::session::Session;
use crate::cli;
use crate::client::{ApiError, Client};
use crate::output::text::{printable, printable_lines};
use crate::output::{Colour, Report, Terminal};

/// Reloads, or tries to, and prints what came of it.
///
/// # Errors
/// The server does not answer. [`Error::Reload`]: nothing was changed.
pub(crate) async fn run(session: &Session, arguments: &cli::Reload) -> Result<(), Error> {
    let answer = match session.client.reload(arguments.dry_run).await {
        Ok(answer) => answer,
        Err(ApiError::ReloadFailed { message, answer }) => {
            session.print_json(&answer).await?;
            return Err(failure(message, arguments.dry_run));
        }
        Err(error) => return Err(error.into()),
    };
    if let Some(message) = mistake(&answer) {
        session.print_json(&answer).await?;
        return Err(failure(message, arguments.dry_run));
    }
    session.print(&answer).await
}

/// Why a configuration is not in force; that it is not goes without saying for a trial.
fn failure(message: String, dry_run: bool) -> Error {
    Error::Reload(if dry_run {
        message
    } else {
        message + "\nsrsctl: nothing was changed"
    })
}

/// What is wrong with the configuration.
fn mistake(answer: &Reloaded) -> Option<String> {
    let error = answer.data.error.as_deref().unwrap_or_default();
    let is_failed = answer.data.outcome == ReloadOutcome::Failed;
    is_failed.then(|| printable_lines(error).into_owned())
}

/// What a reload has changed, or would change.
pub(super) async fn reload(client: &Client, dry_run: bool) -> Result<Reloaded, Error> {
    let answer = client.reload(dry_run).await?;
    match mistake(&answer) {
        Some(message) => Err(Error::Reload(message)),
        None => Ok(answer),
    }
}

/// A reload that went well.
pub(crate) type Reloaded = Answer<Reload>;

impl Report for Reloaded {
    fn text(&self, terminal: &Terminal) -> String {
        text(&self.data, terminal)
    }

    fn remark(&self) -> Option<String> {
        if self.data.warnings.is_empty() {
            return None;
        }
        let warnings: Vec<_> = self
            .data
            .warnings
            .iter()
            .map(|line| printable_lines(line))
            .collect();
        Some(format!("warning: {}", warnings.join("\nsrsctl: warning: ")))
    }
}

fn text(reload: &Reload, terminal: &Terminal) -> String {
    let mut out = changes(&reload.changes, terminal);
    if !reload.notes.is_empty() {
        out += &terminal.paint(Some(Colour::Heading), "Done for it:");
        out.push('\n');
        for note in &reload.notes {
            out += &format!("  {}\n", printable(note));
        }
    }
    if out.is_empty() {
        out += "nothing differs\n";
    } else if reload.dry_run {
        out += "Nothing was changed: this was a trial.\n";
    }
    out
}

/// Changes in three groups, by when they take effect; nothing if there are none.
pub(super) fn changes(changes: &[Change], terminal: &Terminal) -> String {
    let mut out = String::new();
    for (is_heading, line) in change_lines(changes) {
        let colour = match line.as_str() {
            _ if !is_heading => None,
            AFTER_RESTART => Some(Colour::Odd),
            _ => Some(Colour::Heading),
        };
        out += &terminal.paint(colour, &line);
        out.push('\n');
    }
    out
}

/// The same as lines, and which of them are headings.
pub(crate) fn change_lines(changes: &[Change]) -> Vec<(bool, String)> {
    let groups = [
        (Effect::Now, "At once:"),
        (
            Effect::NewSessions,
            "For clients that connect, publish or play from now on:",
        ),
        (Effect::Restart, AFTER_RESTART),
    ];
    let mut lines = Vec::new();
    for (effect, heading) in groups {
        let own = changes.iter().filter(|change| change.effect == effect);
        let own: Vec<_> = own
            .map(|change| (false, format!("  {}", line(change))))
            .collect();
        if !own.is_empty() {
            lines.push((true, heading.to_owned()));
        }
        lines.extend(own);
    }
    lines
}

/// `chunk_size: 60000 -> 4096`.
fn line(change: &Change) -> String {
    let setting = printable(&change.setting);
    let value = |value: &Option<String>| value.as_deref().map(|text| printable(text).into_owned());
    match (value(&change.old), value(&change.new)) {
        (Some(old), Some(new)) => format!("{setting}: {old} -> {new}"),
        (None, Some(new)) => format!("{setting}: {new} (new)"),
        (Some(old), None) => format!("{setting}: gone (was {old})"),
        (None, None) => setting.into_owned(),
    }
}

const AFTER_RESTART: &str = "Only after a restart:";

#[cfg(test)]
mod tests {
    use super::*;

    fn change(setting: &str, old: Option<&str>, new: Option<&str>, effect: Effect) -> Change {
        Change {
            setting: setting.to_owned(),
            old: old.map(str::to_owned),
            new: new.map(str::to_owned),
            effect,
        }
    }

    fn done(changes: Vec<Change>) -> Reload {
        Reload {
            outcome: ReloadOutcome::Done,
            dry_run: false,
            generation: 1,
            time_ms: 0,
            took_ms: 1.5,
            files: Vec::new(),
            changes,
            notes: Vec::new(),
            warnings: Vec::new(),
            error: None,
        }
    }

    #[test]
    fn changes_stand_in_groups_by_when_they_take_effect() {
        let mut reload = done(vec![
            change("max_connections", Some("100"), Some("200"), Effect::Now),
            change("pid", None, Some("\"/run/srs/pid\""), Effect::Restart),
            change("vhost.\"a\"", Some("{}"), None, Effect::NewSessions),
            change(
                "listen",
                Some("[\"1935\"]"),
                Some("[\"1936\"]"),
                Effect::Now,
            ),
        ]);
        reload.notes.push("listens at 1936".to_owned());
        let expected = "\
At once:
  max_connections: 100 -> 200
  listen: [\"1935\"] -> [\"1936\"]
For clients that connect, publish or play from now on:
  vhost.\"a\": gone (was {})
Only after a restart:
  pid: \"/run/srs/pid\" (new)
Done for it:
  listens at 1936
";
        assert_eq!(text(&reload, &Terminal::NONE), expected);
        reload.dry_run = true;
        assert!(text(&reload, &Terminal::NONE).ends_with("this was a trial.\n"));
    }

    #[test]
    fn a_reload_without_changes_says_so() {
        assert_eq!(
            text(&done(Vec::new()), &Terminal::NONE),
            "nothing differs\n"
        );
    }
}
