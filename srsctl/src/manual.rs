//! The manual pages, made from the arguments, and the test that keeps `man/` current.
//!
//! `SRSCTL_WRITE_MANUAL=1 cargo test -p srsctl manual` writes them anew.

mod dashboard;

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use clap::{Arg, Command, CommandFactory as _};
use clap_mangen::Man;

use crate::cli::Cli;

/// The pages by the names of their files.
fn pages() -> BTreeMap<String, String> {
    let mut program = Cli::command();
    program.build();
    let mut pages = BTreeMap::new();
    add_pages(&program, &[], &mut pages);
    pages
}

/// Adds the page of `command` and of the commands below it. `relatives` are the pages of those
/// above it and beside it.
fn add_pages(command: &Command, relatives: &[String], pages: &mut BTreeMap<String, String>) {
    let name = display_name(command);
    let children: Vec<_> = command
        .get_subcommands()
        .filter(|child| !child.is_hide_set())
        .collect();
    let names: Vec<_> = children.iter().copied().map(display_name).collect();
    let mut see_also: Vec<_> = relatives
        .iter()
        .chain(&names)
        .map(|name| (name.as_str(), 1))
        .collect();
    see_also.push(("srsctl.toml", 5));
    see_also.push(("srs", 8));
    pages.insert(format!("{name}.1"), page(command, &see_also));
    for child in children {
        let own = display_name(child);
        let siblings = names.iter().filter(|name| **name != own);
        let relatives: Vec<_> = [&name].into_iter().chain(siblings).cloned().collect();
        add_pages(child, &relatives, pages);
    }
}

fn display_name(command: &Command) -> String {
    command
        .get_display_name()
        .unwrap_or_else(|| command.get_name())
        .to_owned()
}

/// The page of `command`, with the sections that our pages have.
fn page(command: &Command, see_also: &[(&str, u8)]) -> String {
    let name = display_name(command);
    let man = Man::new(described(command).subcommand_help_heading("COMMANDS"))
        .title(name.to_uppercase())
        .date(DATE)
        .source(concat!("srs ", env!("CARGO_PKG_VERSION")))
        .manual("srs");
    let (mut head, mut body) = (Vec::new(), Vec::new());
    man.render_title(&mut head).unwrap();
    man.render_name_section(&mut head).unwrap();
    man.render_description_section(&mut body).unwrap();
    man.render_options_section(&mut body).unwrap();
    if command.has_subcommands() {
        man.render_subcommands_section(&mut body).unwrap();
    }
    let [head, body] = [head, body].map(|part| String::from_utf8(part).unwrap());
    let help = command
        .get_after_help()
        .map(ToString::to_string)
        .unwrap_or_default();
    tidy(
        &[
            head,
            synopsis(command),
            body,
            if name == "srsctl-top" {
                dashboard::sections()
            } else {
                String::new()
            },
            sections(&help),
            references(see_also),
        ]
        .concat(),
    )
}

/// The command with a description that does not begin with its name line once more.
fn described(command: &Command) -> Command {
    let about = command.get_about().unwrap().to_string();
    let long = command.get_long_about().unwrap().to_string();
    let rest = long.strip_prefix(&about).unwrap().trim_start();
    command.clone().long_about(rest.to_owned())
}

fn synopsis(command: &Command) -> String {
    let mut line = format!(
        "\\fB{}\\fR",
        escape(command.get_bin_name().unwrap_or("srsctl"))
    );
    let options = command
        .get_arguments()
        .filter(|argument| is_our_option(argument));
    let (shared, own): (Vec<_>, Vec<_>) =
        options.partition(|option| option.get_help_heading().is_some());
    for option in own {
        let long = option.get_long().unwrap();
        let name = option
            .get_short()
            .map_or_else(|| format!("--{long}"), |short| format!("-{short}"));
        line += &format!(" [\\fB{}\\fR{}]", escape(&name), value(option, " "));
    }
    if !shared.is_empty() {
        line += " [\\fISERVER OPTIONS\\fR]";
    }
    for positional in command.get_positionals() {
        let takes_many = matches!(positional.get_action(), clap::ArgAction::Append);
        let many = if takes_many { "..." } else { "" };
        let name = value(positional, "") + many;
        if positional.is_required_set() {
            line += &format!(" {name}");
        } else {
            line += &format!(" [{name}]");
        }
    }
    if command.is_subcommand_required_set() {
        line += " \\fICOMMAND\\fR ...";
    } else if command.has_subcommands() {
        line += " [\\fICOMMAND\\fR ...]";
    }
    format!(".SH SYNOPSIS\n{line}\n")
}

fn is_our_option(argument: &Arg) -> bool {
    !argument.is_positional() && !matches!(argument.get_id().as_str(), "help" | "version")
}

fn value(argument: &Arg, before: &str) -> String {
    let names = argument
        .get_value_names()
        .filter(|_| argument.get_action().takes_values());
    names.map_or_else(String::new, |names| {
        let name = format!("\\fI{}\\fR", names.join(" "));
        if argument
            .get_num_args()
            .is_some_and(|it| it.min_values() == 0)
        {
            format!("[={name}]")
        } else {
            before.to_owned() + &name
        }
    })
}

/// What stands behind the options in the help: a title with a colon, and lines that are kept.
fn sections(help: &str) -> String {
    let mut sections = String::new();
    for line in help.lines() {
        match line.strip_suffix(':') {
            Some(title) => sections += &format!(".SH \"{}\"\n.nf\n", title.to_uppercase()),
            None => sections += &format!("{}\n", escape(line.trim())),
        }
    }
    sections + ".fi\n"
}

fn references(pages: &[(&str, u8)]) -> String {
    let reference = |(name, section): &(&str, u8)| format!("\\fB{}\\fR({section})", escape(name));
    let list: Vec<String> = pages.iter().map(reference).collect();
    format!(".SH \"SEE ALSO\"\n{}\n", list.join(",\n"))
}

fn escape(text: &str) -> String {
    text.replace('\\', "\\e").replace('-', "\\-")
}

/// The page with its preamble once, and with lines that are easily compared.
fn tidy(page: &str) -> String {
    let mut tidy = String::new();
    let mut keeps_lines = false;
    for line in page.lines() {
        keeps_lines = line == ".nf" || keeps_lines && line != ".fi";
        let is_preamble = line.starts_with(".ie ") || line.starts_with(".el ");
        if is_preamble && tidy.contains(line) {
            continue;
        }
        if keeps_lines || line.starts_with('.') {
            tidy += &format!("{line}\n");
        } else {
            tidy += &wrapped(line);
        }
    }
    tidy
}

/// Text of 80 columns at most. A line must not begin like a request.
fn wrapped(text: &str) -> String {
    let mut wrapped = String::new();
    let mut column = 0;
    for word in text.split_whitespace() {
        let fits = column + 1 + word.len() <= 80 || word.starts_with(['.', '\'']);
        if column > 0 {
            wrapped.push(if fits { ' ' } else { '\n' });
            column = if fits { column + 1 } else { 0 };
        }
        wrapped += word;
        column += word.len();
    }
    wrapped + "\n"
}

/// When what the pages say was last changed.
const DATE: &str = "2026-11-24";

#[test]
fn the_manual_pages_are_current() {
    let folder = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../man"));
    for (name, page) in pages() {
        let path = folder.join(&name);
        if std::env::var_os("SRSCTL_WRITE_MANUAL").is_some() {
            fs::write(&path, &page).unwrap();
        }
        let written = fs::read_to_string(&path).unwrap_or_default();
        assert!(
            written == page,
            "man/{name} is not what the arguments say; \
             SRSCTL_WRITE_MANUAL=1 cargo test -p srsctl manual writes it anew"
        );
    }
}
