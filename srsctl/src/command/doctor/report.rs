//! What was found, for people and for programs.

use serde::Serialize;

use super::finding::{Finding, Level};
use crate::output::text::{printable_lines, width};
use crate::output::units::plural;
use crate::output::{Colour, Report, Terminal};

/// What all checks found.
#[derive(Debug, Serialize)]
pub(crate) struct Diagnosis {
    /// The worst of the levels.
    level: Level,
    problems: usize,
    warnings: usize,
    notes: usize,
    findings: Vec<Finding>,
}

impl Diagnosis {
    /// Of these findings.
    pub(super) fn of(findings: Vec<Finding>) -> Self {
        let count = |level| findings.iter().filter(|it| it.level == level).count();
        Self {
            level: findings
                .iter()
                .map(|it| it.level)
                .max()
                .unwrap_or(Level::Ok),
            problems: count(Level::Problem),
            warnings: count(Level::Warning),
            notes: count(Level::Note),
            findings,
        }
    }

    /// How many problems there are.
    pub(super) fn problems(&self) -> usize {
        self.problems
    }

    /// The last line.
    fn summary(&self) -> (String, Option<Colour>) {
        let counts = [
            (self.problems, "problem"),
            (self.warnings, "warning"),
            (self.notes, "note"),
        ];
        let told: Vec<_> = counts
            .into_iter()
            .filter(|(count, _)| *count > 0)
            .map(|(count, thing)| plural(count, thing))
            .collect();
        match told.as_slice() {
            [] => ("all is well".to_owned(), Level::Ok.colour()),
            told => (told.join(", "), self.level.colour()),
        }
    }
}

impl Report for Diagnosis {
    fn text(&self, terminal: &Terminal) -> String {
        let checks = self.findings.iter().map(|it| width(it.check));
        let checks = checks.max().unwrap_or(0);
        let mut out = String::new();
        for finding in &self.findings {
            out += &shown(finding, checks, terminal);
        }
        let (summary, colour) = self.summary();
        out + &format!("\n{}\n", terminal.paint(colour, &summary))
    }
}

/// A line of level, check and what was seen; below it what to do, in words and then as commands.
/// Commands are never broken: somebody is going to copy them.
fn shown(finding: &Finding, checks: usize, terminal: &Terminal) -> String {
    let margin = LEVELS + checks + 2 * GAP.len();
    let room = terminal
        .width
        .map_or(usize::MAX, |columns| columns.saturating_sub(margin).max(20));
    let level = format!("{:LEVELS$}", finding.level.word());
    let level = terminal.paint(finding.level.colour(), &level);
    let mut out = format!("{level}{GAP}{:checks$}{GAP}", finding.check);
    let mend = finding.mend.iter().flat_map(|mend| lines(mend, room));
    for (index, line) in lines(&finding.seen, room)
        .into_iter()
        .chain(mend)
        .enumerate()
    {
        if index > 0 {
            out += &format!("{:margin$}", "");
        }
        out += &format!("{line}\n");
    }
    for command in &finding.commands {
        let command = printable_lines(command);
        let command = terminal.paint(Some(Colour::Heading), &command);
        out += &format!("{:margin$}{GAP}{command}\n", "");
    }
    out
}

/// `text` in lines of at most `room` columns, broken between words. A longer word stays whole.
fn lines(text: &str, room: usize) -> Vec<String> {
    let text = printable_lines(text);
    let mut lines = Vec::new();
    for paragraph in text.lines() {
        let mut line = String::new();
        for word in paragraph.split_whitespace() {
            if !line.is_empty() && width(&line) + 1 + width(word) > room {
                lines.push(std::mem::take(&mut line));
            }
            if !line.is_empty() {
                line.push(' ');
            }
            line += word;
        }
        lines.push(line);
    }
    lines
}

/// The columns of the longest word for a level.
const LEVELS: usize = 7;
const GAP: &str = "  ";

#[cfg(test)]
mod tests {
    use super::*;

    fn diagnosis() -> Diagnosis {
        let ports = Finding::problem("ports", "port-taken", "1935 is taken by nginx (pid 812)")
            .mend("stop that program")
            .command("sudo systemctl disable --now nginx.service");
        Diagnosis::of(vec![Finding::ok("descriptors", "enough"), ports])
    }

    #[test]
    fn each_finding_has_its_lines() {
        let expected = "\
ok       descriptors  enough
problem  ports        1935 is taken by nginx (pid 812)
                      stop that program
                        sudo systemctl disable --now nginx.service

1 problem
";
        assert_eq!(diagnosis().text(&Terminal::NONE), expected);
    }

    #[test]
    fn long_lines_wrap_and_commands_do_not() {
        let narrow = Terminal {
            width: Some(42),
            colour: false,
        };
        let expected = "\
ok       descriptors  enough
problem  ports        1935 is taken by
                      nginx (pid 812)
                      stop that program
                        sudo systemctl disable --now nginx.service

1 problem
";
        assert_eq!(diagnosis().text(&narrow), expected);
    }

    #[test]
    fn programs_get_the_same() {
        let json = serde_json::to_value(diagnosis()).unwrap();
        assert_eq!(json["level"], "problem");
        assert_eq!((&json["problems"], &json["notes"]), (&1.into(), &0.into()));
        assert_eq!(json["findings"][1]["id"], "port-taken");
        assert_eq!(json["findings"][0]["commands"], serde_json::json!([]));
        assert!(json["findings"][0].get("mend").is_none());
    }

    #[test]
    fn the_worst_level_counts() {
        let of = |findings: Vec<Finding>| Diagnosis::of(findings).summary().0;
        assert_eq!(of(vec![Finding::ok("disk", "")]), "all is well");
        let all = vec![
            Finding::note("disk", "folder-missing", ""),
            Finding::warning("disk", "disk-scarce", ""),
            Finding::warning("disk", "disk-scarce", ""),
        ];
        assert_eq!(Diagnosis::of(all.clone()).level, Level::Warning);
        assert_eq!(of(all), "2 warnings, 1 note");
    }
}
