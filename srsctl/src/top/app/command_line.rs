//! Commands that are typed after `:`.

use srs_api::HistoryRange;

use super::dialog::{CommandLine, Mode};
use super::{App, Tone};
use crate::duration;
use crate::top::columns::{self, Units};
use crate::top::event::{Effect, Target};
use crate::top::filter::Filter;
use crate::top::keys::{self, Action};
use crate::top::line::Line;
use crate::top::page::{Kind, Scope};
use crate::top::theme::THEMES;

/// A command: its name, what stands behind it, and what it does.
pub(crate) const COMMANDS: [(&str, &str, &str); 20] = [
    ("streams", "[FILTER]", "the streams, with a filter"),
    ("clients", "[FILTER]", "the clients, with a filter"),
    ("vhosts", "[FILTER]", "the virtual hosts, with a filter"),
    (
        "parts",
        "[FILTER]",
        "the parts of the server, with a filter",
    ),
    ("events", "[FILTER]", "the events, with a filter"),
    ("logs", "[FILTER]", "the log, with a filter"),
    ("fleet", "[FILTER]", "the fleet, with a filter"),
    ("client", "ID", "all about a client"),
    ("server", "NAME", "another server: a context, or an address"),
    (
        "sort",
        "COLUMN",
        "sort by a column; with - before it, the highest first",
    ),
    ("columns", "COLUMN,...", "the columns of the table"),
    (
        "theme",
        "NAME",
        "another theme: default, mono, dark, light, contrast",
    ),
    (
        "interval",
        "TIME",
        "how often servers are asked, as in 500ms or 2s",
    ),
    (
        "range",
        "TIME",
        "how far graphs go back: 1m, 5m, 15m or 60m",
    ),
    ("units", "bits|bytes", "what rates are told in"),
    ("kick", "", "cut off the marked clients, after a question"),
    (
        "reload",
        "",
        "reload the configuration, after a look at what would change",
    ),
    ("snapshot", "[json|text]", "write a snapshot into a file"),
    ("help", "", "the keys of the view"),
    ("quit", "", "quit"),
];

impl App {
    pub(super) fn command(&mut self, text: &str) {
        let text = text.trim();
        if text.is_empty() {
            return;
        }
        match self.run(text) {
            Ok(()) => {
                if self.commands.len() >= REMEMBERED {
                    self.commands.remove(0);
                }
                self.commands.push(text.to_owned());
            }
            Err(error) => {
                self.mode = Mode::Command(CommandLine {
                    line: Line::new(text),
                    error: Some(error),
                    recalled: 0,
                });
            }
        }
    }

    fn run(&mut self, text: &str) -> Result<(), String> {
        let (name, argument) = text.split_once(char::is_whitespace).unwrap_or((text, ""));
        let argument = argument.trim();
        // For tests: the terminal must be given back even so.
        #[cfg(debug_assertions)]
        assert!(name != "panic", "somebody asked for it");
        let name = full_name(name)?;
        if let Some(place) = Kind::VIEWS.iter().position(|kind| kind.name() == name) {
            let filter = Filter::parse(argument)?;
            self.show_view(place);
            self.set_filter(filter);
            return Ok(());
        }
        match name {
            "client" => self.open(
                Kind::Client,
                Scope::Client(needed(argument, "the id of a client")?),
            ),
            "server" => self.server_named(&needed(argument, "a context or an address")?),
            "sort" => self.sort_named(argument)?,
            "columns" => self.columns_named(argument)?,
            "theme" => {
                let known = THEMES.iter().find(|(known, _)| *known == argument);
                let (name, _) =
                    known.ok_or_else(|| one_of("theme", &THEMES.map(|(name, _)| name)))?;
                self.set_theme(name);
            }
            "interval" => {
                let every = duration::parse(argument).map_err(|error| error.to_string())?;
                self.set_interval(every);
            }
            "range" => {
                let names = HistoryRange::ALL.map(HistoryRange::name);
                let place = names.iter().position(|name| *name == argument);
                let range = place.and_then(|place| HistoryRange::ALL.get(place));
                self.set_range(*range.ok_or_else(|| one_of("range", &names))?);
            }
            "units" => {
                self.units = match argument {
                    "bits" => Units::Bits,
                    "bytes" => Units::Bytes,
                    _ => return Err(one_of("unit", &["bits", "bytes"])),
                }
            }
            "kick" if !keys::has(Action::Kick, self.page().kind) => {
                return Err("there is nobody to cut off in this view".to_owned());
            }
            "kick" => self.act(Action::Kick),
            "reload" => self.act(Action::Reload),
            "snapshot" => match argument {
                "" | "json" => self.act(Action::SnapshotJson),
                "text" => self.act(Action::SnapshotText),
                _ => return Err(one_of("form", &["json", "text"])),
            },
            "help" => self.act(Action::Help),
            _ => self.act(Action::Quit),
        }
        Ok(())
    }

    fn server_named(&mut self, name: &str) {
        let known = self
            .servers
            .iter()
            .position(|server| server.name == name && !server.is_heard);
        match known {
            Some(place) => self.show_server(place),
            None => {
                self.say(Tone::Plain, format!("asks {name}"));
                self.want(Effect::Open(Target::Typed(name.to_owned())));
            }
        }
    }

    fn sort_named(&mut self, argument: &str) -> Result<(), String> {
        let (key, descending) = match argument.strip_prefix('-') {
            Some(key) => (key, true),
            None => (argument, false),
        };
        let sortable = columns::sortable(self.page().kind.table());
        let found = sortable.iter().find(|known| **known == key);
        let key = found.ok_or_else(|| one_of("column", &sortable))?;
        self.sort_by(key, Some(descending));
        Ok(())
    }

    fn columns_named(&mut self, argument: &str) -> Result<(), String> {
        let table = self.page().kind.table();
        let known = columns::keys(table);
        let mut chosen = Vec::new();
        for name in argument.split([',', ' ']).filter(|name| !name.is_empty()) {
            let found = known.iter().find(|known| **known == name);
            let key = *found.ok_or_else(|| one_of("column", &known))?;
            if !chosen.contains(&key) {
                chosen.push(key);
            }
        }
        if chosen.is_empty() {
            return Err(one_of("column", &known));
        }
        self.set_columns(table, chosen);
        Ok(())
    }
}

/// The command of this name, or else the first that begins with it.
fn full_name(name: &str) -> Result<&'static str, String> {
    let names = COMMANDS.map(|(known, ..)| known);
    let whole = names.into_iter().find(|known| *known == name);
    let begun = names.into_iter().find(|known| known.starts_with(name));
    whole
        .or(begun)
        .ok_or_else(|| format!("there is no command {name}; :help lists them"))
}

fn needed(argument: &str, what: &str) -> Result<String, String> {
    if argument.is_empty() {
        return Err(format!("expected {what}"));
    }
    Ok(argument.to_owned())
}

fn one_of(what: &str, names: &[&str]) -> String {
    format!("expected a {what}: {}", names.join(", "))
}

/// The line with the command, or the last word, that it begins.
pub(super) fn completed(app: &App, line: &Line) -> Line {
    let text = line.text();
    let (head, last) = match text.rfind([' ', ',']) {
        Some(place) => text.split_at(place + 1),
        None => ("", text),
    };
    let table = app.page().kind.table();
    let names: Vec<String> = match head.trim() {
        "" => COMMANDS
            .iter()
            .map(|(name, ..)| (*name).to_owned())
            .collect(),
        "theme" => THEMES.iter().map(|(name, _)| (*name).to_owned()).collect(),
        "server" => app
            .servers
            .iter()
            .map(|server| server.name.clone())
            .collect(),
        "range" => HistoryRange::ALL
            .iter()
            .map(|range| range.name().to_owned())
            .collect(),
        head if head.starts_with("sort") => own(columns::sortable(table)),
        head if head.starts_with("columns") => own(columns::keys(table)),
        _ => Vec::new(),
    };
    match names.iter().find(|name| name.starts_with(last)) {
        Some(name) if head.is_empty() => Line::new(&format!("{name} ")),
        Some(name) => Line::new(&format!("{head}{name}")),
        None => line.clone(),
    }
}

fn own(names: Vec<&str>) -> Vec<String> {
    names.into_iter().map(str::to_owned).collect()
}

/// So many commands are kept.
const REMEMBERED: usize = 50;
