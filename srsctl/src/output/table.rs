//! Tables: aligned columns that fit the terminal.

use std::borrow::Cow;

use super::terminal::{Colour, Terminal};
use super::text;

/// Rows under headings. Text from the network may be put in as it is.
#[derive(Clone, Debug)]
pub(crate) struct Table {
    columns: Vec<Column>,
    rows: Vec<Vec<Cell>>,
}

/// How a column is shown.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Column {
    heading: &'static str,
    kind: Kind,
    /// 0 for one that stays, however narrow the terminal is.
    rank: u8,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    /// At the left, and cut where the terminal is too narrow.
    Text,
    /// At the left, and never cut.
    Word,
    /// At the right, and never cut.
    Number,
}

impl Column {
    /// Text of any length, which is cut where the terminal is too narrow.
    pub(crate) const fn text(heading: &'static str) -> Self {
        Self::new(heading, Kind::Text)
    }

    /// Short text, which is never cut: what would be left could not be used.
    pub(crate) const fn word(heading: &'static str) -> Self {
        Self::new(heading, Kind::Word)
    }

    /// Figures, with their ends below each other.
    pub(crate) const fn number(heading: &'static str) -> Self {
        Self::new(heading, Kind::Number)
    }

    /// The column, as one that may be left out where the terminal is too narrow: that of the
    /// highest rank first. Those without a rank stay, and are whole as long as anything else is.
    pub(crate) const fn rank(self, rank: u8) -> Self {
        Self { rank, ..self }
    }

    const fn new(heading: &'static str, kind: Kind) -> Self {
        let rank = 0;
        Self {
            heading,
            kind,
            rank,
        }
    }
}

/// What stands in a row under a heading.
#[derive(Clone, Debug)]
pub(crate) struct Cell {
    text: String,
    /// What says the same in fewer words.
    short: Option<String>,
    colour: Option<Colour>,
}

impl Cell {
    /// The cell, with what stands there instead if its column is too narrow.
    pub(crate) fn or_short(mut self, short: &str) -> Self {
        self.short = Some(text::printable(short).into_owned());
        self
    }

    /// The cell in `colour`, if `applies`.
    pub(crate) fn painted(mut self, colour: Colour, applies: bool) -> Self {
        self.colour = applies.then_some(colour);
        self
    }

    /// The columns that it should have at least, if it is one of `kind`.
    fn least(&self, kind: Kind, is_key: bool) -> usize {
        let whole = text::width(&self.text);
        match (&self.short, kind) {
            (Some(short), _) => text::width(short).min(whole),
            (None, Kind::Text) => whole.min(if is_key { KEY } else { USEFUL }),
            (None, Kind::Word | Kind::Number) => whole,
        }
    }

    /// What stands in so many columns.
    fn shown(&self, width: usize) -> Cow<'_, str> {
        match &self.short {
            Some(short) if text::width(&self.text) > width => text::cut(short, width),
            _ => text::cut(&self.text, width),
        }
    }
}

impl<T: ToString> From<T> for Cell {
    fn from(content: T) -> Self {
        Self {
            text: text::printable(&content.to_string()).into_owned(),
            short: None,
            colour: None,
        }
    }
}

impl Table {
    /// A table without rows.
    pub(crate) fn new<const N: usize>(columns: [Column; N]) -> Self {
        Self {
            columns: columns.into(),
            rows: Vec::new(),
        }
    }

    /// Adds a row; it has a cell for each column.
    pub(crate) fn add<const N: usize>(&mut self, row: [Cell; N]) {
        self.rows.push(row.into());
    }

    /// The table as text, a line per row; nothing at all if there are none.
    pub(crate) fn render(&self, terminal: &Terminal) -> String {
        if self.rows.is_empty() {
            return String::new();
        }
        let widths = self.widths(terminal.width);
        let mut out = String::new();
        let headings: Vec<Cell> = self
            .columns
            .iter()
            .map(|column| Cell::from(column.heading).painted(Colour::Heading, true))
            .collect();
        for row in [&headings].into_iter().chain(&self.rows) {
            out += &self.line(row, &widths, terminal);
            out.push('\n');
        }
        out
    }

    /// The width of each column; none for those that are left out.
    ///
    /// Where not all fit, columns get what they need at least in the order of their ranks, as long
    /// as there is room for one, and what is left over in the same order. If not even those that
    /// stay fit, their widest text gives way first.
    fn widths(&self, room: Option<usize>) -> Vec<Option<usize>> {
        let mut columns: Vec<Fit> = self.columns.iter().enumerate().map(self.fit()).collect();
        let Some(room) = room else {
            return columns.iter().map(|fit| Some(fit.whole)).collect();
        };
        let mut by_rank: Vec<&mut Fit> = columns.iter_mut().collect();
        by_rank.sort_by_key(|fit| fit.rank);
        // Each column but the first has a gap before it.
        let mut left = room + GAP.len();
        for fit in &mut by_rank {
            let taken = fit.least + GAP.len();
            if fit.rank == 0 || taken <= left {
                fit.width = Some(fit.least);
                left = left.saturating_sub(taken);
            }
        }
        for fit in &mut by_rank {
            if let Some(width) = &mut fit.width {
                let more = fit.whole - *width;
                // What stands in short is no better for some room.
                let more = if fit.has_short && more > left {
                    0
                } else {
                    more.min(left)
                };
                *width += more;
                left -= more;
            }
        }
        let mut widths: Vec<_> = columns.iter().map(|fit| fit.width).collect();
        let taken = |widths: &[Option<usize>]| -> usize {
            let shown = widths.iter().flatten();
            shown.map(|width| width + GAP.len()).sum()
        };
        while taken(&widths) > room + GAP.len() {
            let texts = widths.iter_mut().zip(&self.columns);
            let widest = texts
                .filter(|(_, column)| column.kind == Kind::Text)
                .filter_map(|(width, _)| width.as_mut())
                .filter(|width| **width > NARROWEST)
                .max_by_key(|width| **width);
            match widest {
                Some(width) => *width -= 1,
                None => break,
            }
        }
        widths
    }

    /// What the column of this index needs.
    fn fit(&self) -> impl Fn((usize, &Column)) -> Fit {
        |(index, column)| {
            let cells = || self.rows.iter().filter_map(move |row| row.get(index));
            let heading = text::width(column.heading);
            let least = cells().map(|cell| cell.least(column.kind, column.rank == 0));
            let whole = cells().map(|cell| text::width(&cell.text));
            Fit {
                rank: column.rank,
                least: least.fold(heading, usize::max),
                whole: whole.fold(heading, usize::max),
                has_short: cells().any(|cell| cell.short.is_some()),
                width: None,
            }
        }
    }

    fn line(&self, row: &[Cell], widths: &[Option<usize>], terminal: &Terminal) -> String {
        let mut line = String::new();
        // Columns up to here; what does not fit any more is left out.
        let mut column = 0;
        for ((cell, format), width) in row.iter().zip(&self.columns).zip(widths) {
            let Some(width) = *width else {
                continue;
            };
            let gap = if column == 0 { "" } else { GAP };
            let left = terminal
                .width
                .map(|room| room.saturating_sub(column + gap.len()));
            let width = left.map_or(width, |left| left.min(width));
            let text = cell.shown(width);
            if text.is_empty() && !cell.text.is_empty() {
                break;
            }
            let padding = " ".repeat(width.saturating_sub(text::width(&text)));
            let painted = terminal.paint(cell.colour, &text);
            line += gap;
            match format.kind {
                Kind::Number => line = line + &padding + &painted,
                Kind::Text | Kind::Word => line = line + &painted + &padding,
            }
            column += gap.len() + width;
        }
        line.truncate(line.trim_end_matches(' ').len());
        line
    }
}

/// How much room a column has, and wants.
#[derive(Clone, Copy, Debug)]
struct Fit {
    rank: u8,
    /// Narrower it would be of no use.
    least: usize,
    /// Nothing of it is cut.
    whole: usize,
    /// Whether there is something between the two only for some rows.
    has_short: bool,
    width: Option<usize>,
}

const GAP: &str = "  ";
/// Names are whole up to here, with their application: all others give way before.
const KEY: usize = 40;
/// Of a text that is no name so much should be seen, or nothing.
const USEFUL: usize = 16;
/// A text is not cut shorter than that: it would say nothing any more.
const NARROWEST: usize = 8;

#[cfg(test)]
mod tests {
    use super::*;

    fn table() -> Table {
        let mut table = Table::new([
            Column::text("STREAM"),
            Column::number("VIEWERS"),
            Column::word("STATE"),
            Column::text("CODECS"),
        ]);
        table.add([
            "live/show".into(),
            12.into(),
            "up".into(),
            "H264 High".into(),
        ]);
        table.add([
            "live/直播".into(),
            1_000.into(),
            Cell::from("late").painted(Colour::Bad, true),
            "".into(),
        ]);
        table
    }

    #[test]
    fn columns_stand_below_each_other() {
        let expected = "\
STREAM     VIEWERS  STATE  CODECS
live/show       12  up     H264 High
live/直播     1000  late
";
        assert_eq!(table().render(&Terminal::NONE), expected);
    }

    #[test]
    fn the_widest_text_gives_way_to_a_narrow_terminal() {
        let mut table = table();
        table.add([
            "live/a-rather-long-name".into(),
            1.into(),
            "up".into(),
            "H264".into(),
        ]);
        let terminal = Terminal {
            width: Some(40),
            colour: false,
        };
        let expected = "\
STREAM         VIEWERS  STATE  CODECS
live/show           12  up     H264 High
live/直播         1000  late
live/a-rathe…        1  up     H264
";
        assert_eq!(table.render(&terminal), expected);
        for width in 1..60 {
            let width = Some(width);
            let text = table.render(&Terminal { width, ..terminal });
            let widest = text.lines().map(text::width).max();
            assert!(widest <= width, "{width:?}: {text}");
        }
    }

    #[test]
    fn columns_give_way_by_their_rank_and_the_name_last() {
        let mut table = Table::new([
            Column::text("STREAM"),
            Column::text("CODECS").rank(2),
            Column::number("OUT").rank(1),
            Column::number("DROPS").rank(3),
            Column::text("AGENT").rank(4),
        ]);
        table.add([
            "live/show-of-the-evening".into(),
            Cell::from("H264 High 640x360 AAC").or_short("H264 640x360"),
            1_200.into(),
            7.into(),
            "an encoder of some make".into(),
        ]);
        let cases = [
            (
                90,
                "live/show-of-the-evening  H264 High 640x360 AAC  1200      7  an encoder of some make",
            ),
            (
                80,
                "live/show-of-the-evening  H264 High 640x360 AAC  1200      7  an encoder of som…",
            ),
            (
                62,
                "live/show-of-the-evening  H264 High 640x360 AAC  1200      7",
            ),
            (52, "live/show-of-the-evening  H264 640x360  1200      7"),
            (44, "live/show-of-the-evening  H264 640x360  1200"),
            (40, "live/show-of-the-evening  1200      7"),
            (30, "live/show-of-the-evening  1200"),
            (26, "live/show-of-the-evening"),
            (12, "live/show-o…"),
        ];
        for (width, expected) in cases {
            let terminal = Terminal {
                width: Some(width),
                colour: false,
            };
            let text = table.render(&terminal);
            assert_eq!(text.lines().last(), Some(expected), "{width}: {text}");
        }
    }

    #[test]
    fn colours_take_no_room() {
        let terminal = Terminal {
            width: Some(80),
            colour: true,
        };
        let painted = table().render(&terminal);
        assert!(painted.contains("1000  \x1b[31mlate\x1b[0m"), "{painted:?}");
        let plain = painted
            .replace("\x1b[31m", "")
            .replace("\x1b[1m", "")
            .replace("\x1b[0m", "");
        let trimmed: Vec<_> = plain.lines().map(str::trim_end).collect();
        assert_eq!(trimmed.join("\n") + "\n", table().render(&Terminal::NONE));
    }

    #[test]
    fn names_from_the_network_only_show() {
        let mut table = Table::new([Column::text("STREAM")]);
        table.add(["a\x1b[2J\nb".into()]);
        assert_eq!(table.render(&Terminal::NONE), "STREAM\na\\u{1b}[2J\\nb\n");
    }

    #[test]
    fn without_rows_there_is_no_table() {
        assert_eq!(
            Table::new([Column::text("STREAM")]).render(&Terminal::NONE),
            ""
        );
    }
}
