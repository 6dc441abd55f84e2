//! Pages: what is known of one thing, a line for each, under headings if there is much.

use super::terminal::{Colour, Terminal};
use super::text;

/// Lines of a name and a value. Text from the network may be put in as it is.
#[derive(Clone, Debug, Default)]
pub(crate) struct Page {
    lines: Vec<Line>,
}

#[derive(Clone, Debug)]
enum Line {
    Heading(String),
    Entry {
        name: &'static str,
        value: String,
        colour: Option<Colour>,
    },
}

impl Page {
    /// A heading for the lines to come.
    pub(crate) fn heading(&mut self, heading: &str) {
        let heading = text::printable(heading).into_owned();
        self.lines.push(Line::Heading(heading));
    }

    /// A line; none if there is no value to show.
    pub(crate) fn add(&mut self, name: &'static str, value: impl ToString) {
        self.add_painted(name, value, None);
    }

    /// A line whose value is in colour.
    pub(crate) fn add_painted(
        &mut self,
        name: &'static str,
        value: impl ToString,
        colour: Option<Colour>,
    ) {
        let value = text::printable(&value.to_string()).into_owned();
        if !value.is_empty() {
            self.lines.push(Line::Entry {
                name,
                value,
                colour,
            });
        }
    }

    /// The page as text, with an empty line before each heading but the first line. Values go on
    /// in the next line where the terminal is too narrow.
    pub(crate) fn render(&self, terminal: &Terminal) -> String {
        let names = self.lines.iter().map(|line| match line {
            Line::Heading(_) => 0,
            Line::Entry { name, .. } => text::width(name),
        });
        let width = names.max().unwrap_or(0);
        let mut out = String::new();
        for line in &self.lines {
            match line {
                Line::Heading(heading) => {
                    if !out.is_empty() {
                        out.push('\n');
                    }
                    out += &terminal.paint(Some(Colour::Heading), heading);
                }
                Line::Entry {
                    name,
                    value,
                    colour,
                } => {
                    let room = terminal
                        .width
                        .map(|room| room.saturating_sub(width + GAP.len()));
                    let lines = text::wrapped(value, room.unwrap_or(usize::MAX));
                    out += &format!("{name:width$}");
                    for (index, line) in lines.into_iter().enumerate() {
                        if index > 0 {
                            out += &format!("\n{:width$}", "");
                        }
                        out += GAP;
                        out += &terminal.paint(*colour, line);
                    }
                }
            }
            out.push('\n');
        }
        out
    }
}

const GAP: &str = "  ";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_stand_below_each_other_and_what_is_unknown_is_left_out() {
        let mut page = Page::default();
        page.heading("live/show");
        page.add("id", "s17");
        page.add("agent", "");
        page.add_painted("viewers", 12, Some(Colour::Good));
        page.heading("live/a\x07");
        page.add("id", "s18");
        let expected = "\
live/show
id       s17
viewers  12

live/a\\u{7}
id       s18
";
        assert_eq!(page.render(&Terminal::NONE), expected);
        let narrow = Terminal {
            width: Some(20),
            colour: false,
        };
        let mut long = Page::default();
        long.add("id", "s17");
        long.add("out", "12 kbit/s, 1.0 MB in all");
        assert_eq!(
            long.render(&narrow),
            "id   s17\nout  12 kbit/s,\n     1.0 MB in all\n"
        );
        let terminal = Terminal {
            width: None,
            colour: true,
        };
        assert!(
            page.render(&terminal)
                .contains("viewers  \x1b[32m12\x1b[0m")
        );
    }
}
