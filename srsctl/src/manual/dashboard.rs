//! What the manual page of the dashboard says of keys, commands, columns and themes: from the
//! tables that the dashboard itself goes by.

use super::escape;
use crate::top::columns;
use crate::top::keys::{self, COLUMN_KEYS, Entry, Group, KEYS, LINE_KEYS, MOUSE, Place, TEXT_KEYS};
use crate::top::page::{Kind, Table};
use crate::top::{COMMANDS, THEMES};

/// The sections, as roff.
pub(super) fn sections() -> String {
    let mut out = String::from(".SH KEYS\n");
    for group in Group::ALL {
        out += &format!(".SS {}\n", group.title());
        for binding in KEYS.iter().filter(|binding| binding.group == group) {
            let place = match binding.place {
                Place::Everywhere => String::new(),
                Place::Only(kinds) => format!(" ({})", places(kinds)),
            };
            out += &entry(
                &keys::names(binding.keys),
                &format!("{}{place}", binding.help),
            );
        }
    }
    out += &table("In questions and texts", TEXT_KEYS);
    out += &table("In the choice of columns", COLUMN_KEYS);
    out += &table("While typing a filter or a command", LINE_KEYS);
    out += ".SS Mouse\n";
    for (what, does) in MOUSE {
        out += &entry(what, does);
    }
    out += ".SH COMMANDS OF THE DASHBOARD\n";
    out += "A command may be shortened as far as it is still the first of its kind.\n";
    for (name, argument, about) in COMMANDS {
        out += &entry(format!(":{name} {argument}").trim_end(), about);
    }
    out += ".SH COLUMNS\n";
    out += "Those in parentheses are shown only if they are chosen.\n";
    for table in Table::ALL {
        out += &format!(".SS {}\n", table.name());
        for column in columns::known(table) {
            let (key, about) = (column.key, column.about);
            let name = match column.is_usual {
                true => key.to_owned(),
                false => format!("({key})"),
            };
            out += &entry(&name, about);
        }
    }
    out += ".SH THEMES\n";
    for (name, about) in THEMES {
        out += &entry(name, about);
    }
    out
}

fn table<A>(title: &str, entries: &[Entry<A>]) -> String {
    let mut out = format!(".SS {title}\n");
    for line in entries {
        out += &entry(&keys::names(line.keys), line.help);
    }
    out
}

fn entry(name: &str, about: &str) -> String {
    format!(".TP\n\\fB{}\\fR\n{}\n", escape(name), escape(about))
}

fn places(kinds: &[Kind]) -> String {
    let names: Vec<_> = kinds.iter().map(|kind| kind.name()).collect();
    names.join(", ")
}
