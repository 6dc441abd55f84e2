//! The columns of the tables: what stands in them, how wide they are, and which give way where
//! there is no room. One file per table.

pub(crate) mod clients;
mod events;
mod fleet;
mod logs;
mod parts;
pub(crate) mod streams;
mod vhosts;

use std::cmp::Ordering;

use super::graph::Symbols;
use super::page::Table;
use super::theme::Tone;
use crate::output::text;
use crate::output::units::WallTime;

/// What a table lists.
pub(crate) trait Item: Sized + 'static {
    /// Its columns, in their order.
    const COLUMNS: &'static [Column<Self>];

    /// What it is called by; unique in the table.
    fn id(&self) -> &str;

    /// What a filter is held against.
    fn text(&self) -> String;

    /// The id of the stream that it works for, if it works for one.
    fn stream_id(&self) -> Option<&str> {
        None
    }
}

type Text = &'static str;
/// What stands in a column of a row.
type Tell<T> = fn(&T, &Look) -> Cell;

/// A column of a table.
#[derive(Debug)]
pub(crate) struct Column<T> {
    /// The name in commands, settings and the API.
    pub(crate) key: &'static str,
    heading: &'static str,
    /// What it shows, for people.
    pub(crate) about: &'static str,
    kind: Kind,
    /// Those of the highest rank are left out first; those of rank 0 stay.
    rank: u8,
    /// Whether it is shown if nobody says anything.
    pub(crate) is_usual: bool,
    order: Order<T>,
    cell: Tell<T>,
}

/// How a table can be sorted by a column.
#[derive(Debug)]
enum Order<T> {
    /// It cannot.
    None,
    /// By the server.
    Server,
    /// Here.
    Here(fn(&T, &T) -> Ordering),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    /// At the left, and cut where there is no room.
    Text {
        /// Narrower it says nothing.
        least: usize,
    },
    /// At the left, and never cut.
    Word,
    /// At the right, and never cut.
    Number,
    /// A rate, whose heading says the unit; else as a number.
    Rate,
}

impl<T> Column<T> {
    const fn new(key: Text, heading: Text, about: Text, kind: Kind, cell: Tell<T>) -> Self {
        Self {
            key,
            heading,
            about,
            kind,
            rank: 0,
            is_usual: true,
            order: Order::None,
            cell,
        }
    }

    /// Text of any length.
    const fn text(key: Text, heading: Text, about: Text, cell: Tell<T>) -> Self {
        Self::new(key, heading, about, Kind::Text { least: 12 }, cell)
    }

    /// Short text.
    const fn word(key: Text, heading: Text, about: Text, cell: Tell<T>) -> Self {
        Self::new(key, heading, about, Kind::Word, cell)
    }

    /// A figure.
    const fn number(key: Text, heading: Text, about: Text, cell: Tell<T>) -> Self {
        Self::new(key, heading, about, Kind::Number, cell)
    }

    /// A bit rate.
    const fn rate(key: Text, heading: Text, about: Text, cell: Tell<T>) -> Self {
        Self::new(key, heading, about, Kind::Rate, cell)
    }

    /// The column, as one that gives way.
    const fn rank(mut self, rank: u8) -> Self {
        self.rank = rank;
        self
    }

    /// The column, as one that must be asked for.
    const fn unusual(mut self) -> Self {
        self.is_usual = false;
        self
    }

    /// The column, as one that the server sorts by.
    const fn by_server(mut self) -> Self {
        self.order = Order::Server;
        self
    }

    /// The column, as one that is sorted by here.
    const fn by(mut self, compare: fn(&T, &T) -> Ordering) -> Self {
        self.order = Order::Here(compare);
        self
    }

    /// Whether the table can be sorted by it.
    pub(crate) fn is_sortable(&self) -> bool {
        !matches!(self.order, Order::None)
    }

    /// How two rows are compared, where that is done here.
    pub(crate) fn compare(&self) -> Option<fn(&T, &T) -> Ordering> {
        match self.order {
            Order::Here(compare) => Some(compare),
            Order::None | Order::Server => None,
        }
    }

    /// The heading, with the unit of a rate.
    pub(crate) fn heading(&self, units: Units) -> String {
        match self.kind {
            Kind::Rate => format!("{} {}", self.heading, units.name()),
            _ => self.heading.to_owned(),
        }
    }

    /// Whether it stands at the right.
    pub(crate) fn is_right(&self) -> bool {
        matches!(self.kind, Kind::Number | Kind::Rate)
    }

    /// What stands in it.
    pub(crate) fn cell(&self, item: &T, look: &Look) -> Cell {
        (self.cell)(item, look)
    }
}

/// How figures are shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Look {
    /// What graphs are drawn with.
    pub(crate) symbols: Symbols,
    /// What rates are told in.
    pub(crate) units: Units,
    /// The time now, in Unix milliseconds.
    pub(crate) now_ms: i64,
    /// The time now by the server's clock, by which it tells its times.
    pub(crate) server_now_ms: i64,
}

/// What rates are told in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Units {
    /// Kilobits per second.
    #[default]
    Bits,
    /// Kilobytes per second.
    Bytes,
}

impl Units {
    /// The unit of the figures in a table.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Bits => "kbps",
            Self::Bytes => "kB/s",
        }
    }

    /// The figure in a table for a rate in kbit/s.
    pub(crate) const fn of(self, kbps: u64) -> u64 {
        match self {
            Self::Bits => kbps,
            Self::Bytes => kbps.div_ceil(8),
        }
    }

    /// A rate in kbit/s with the unit that fits.
    pub(crate) fn rate(self, kbps: u64) -> String {
        match self {
            Self::Bits => crate::output::units::Rate(kbps).to_string(),
            Self::Bytes => format!("{}/s", crate::output::Size(kbps.saturating_mul(125))),
        }
    }

    /// The other one.
    pub(crate) const fn other(self) -> Self {
        match self {
            Self::Bits => Self::Bytes,
            Self::Bytes => Self::Bits,
        }
    }
}

/// What stands in a row of a column.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Cell {
    /// The text; nothing in it acts on a terminal.
    pub(crate) text: String,
    /// What it means.
    pub(crate) tone: Tone,
}

impl Cell {
    fn new(content: impl ToString) -> Self {
        let content = content.to_string();
        Self {
            text: text::thinned(&text::printable(&content)).into_owned(),
            tone: Tone::Plain,
        }
    }

    /// The cell in `tone`, if `applies`.
    fn toned(mut self, tone: Tone, applies: bool) -> Self {
        if applies {
            self.tone = tone;
        }
        self
    }

    /// A count, which means little as long as it is zero.
    fn count(number: u64, tone: Tone) -> Self {
        let is_zero = number == 0;
        Self::new(number)
            .toned(tone, !is_zero)
            .toned(Tone::Dim, is_zero)
    }

    /// A rate in kbit/s.
    fn rate(kbps: u64, look: &Look, tone: Tone) -> Self {
        Self::count(look.units.of(kbps), tone)
    }

    /// What is there, or a dash.
    fn or_dash(content: Option<impl ToString>) -> Self {
        match content {
            Some(content) => Self::new(content),
            None => Self::new("-").toned(Tone::Dim, true),
        }
    }
}

/// What is known of a column, whatever its table lists.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Known {
    pub(crate) key: Text,
    /// What it shows, for people.
    pub(crate) about: Text,
    /// Whether it is shown if nobody says anything.
    pub(crate) is_usual: bool,
    /// Whether the table can be sorted by it.
    pub(crate) is_sortable: bool,
}

/// The columns of a table.
pub(crate) fn known(table: Table) -> Vec<Known> {
    fn of<T: Item>() -> Vec<Known> {
        let known = |column: &Column<T>| Known {
            key: column.key,
            about: column.about,
            is_usual: column.is_usual,
            is_sortable: column.is_sortable(),
        };
        T::COLUMNS.iter().map(known).collect()
    }
    match table {
        Table::Streams => of::<srs_api::Stream>(),
        Table::Clients => of::<srs_api::Client>(),
        Table::Vhosts => of::<srs_api::Vhost>(),
        Table::Parts => of::<srs_api::Part>(),
        Table::Events => of::<super::data::Happening>(),
        Table::Logs => of::<super::data::Logged>(),
        Table::Fleet => of::<super::data::Member>(),
    }
}

/// The keys of a table's columns.
pub(crate) fn keys(table: Table) -> Vec<Text> {
    known(table).into_iter().map(|known| known.key).collect()
}

/// The keys of those that a table can be sorted by.
pub(crate) fn sortable(table: Table) -> Vec<Text> {
    let known = known(table).into_iter();
    known
        .filter(|known| known.is_sortable)
        .map(|known| known.key)
        .collect()
}

/// A column that is shown, and how wide.
#[derive(Debug)]
pub(crate) struct Fitted<T: 'static> {
    pub(crate) column: &'static Column<T>,
    pub(crate) width: usize,
}

/// Which of the columns `chosen` fit into `room`, and how wide each is, for rows whose cells have
/// the widths `wanted` (a row for each of `chosen`). `gap` columns stand between two.
///
/// Those of a low rank come first; what is left over goes to text that would be cut.
pub(crate) fn fit<T>(
    chosen: &[(&'static Column<T>, usize)],
    room: usize,
    gap: usize,
) -> Vec<Fitted<T>> {
    let least = |&(column, wanted): &(&Column<T>, usize)| match column.kind {
        Kind::Text { .. } if column.rank == 0 => wanted.min(KEY),
        Kind::Text { least } => wanted.min(least),
        Kind::Word | Kind::Number | Kind::Rate => wanted,
    };
    let mut order: Vec<usize> = (0..chosen.len()).collect();
    order.sort_by_key(|&index| chosen.get(index).map(|(column, _)| column.rank));
    let mut left = room + gap;
    let mut widths = vec![None; chosen.len()];
    for &index in &order {
        let Some(entry) = chosen.get(index) else {
            continue;
        };
        let width = least(entry);
        let is_first = widths.iter().all(Option::is_none);
        if width + gap <= left {
            widths[index] = Some(width);
            left -= width + gap;
        } else if is_first {
            widths[index] = Some(left.saturating_sub(gap));
            left = 0;
        }
    }
    for &index in &order {
        if let (Some(entry), Some(Some(width))) = (chosen.get(index), widths.get_mut(index)) {
            let more = entry.1.saturating_sub(*width).min(left);
            *width += more;
            left -= more;
        }
    }
    let shown = chosen.iter().zip(widths);
    shown
        .filter_map(|(&(column, _), width)| {
            let width = width?;
            Some(Fitted { column, width })
        })
        .collect()
}

/// A moment of the server's, as its clock on the wall shows it; with the date if it is not of this day.
fn wall_time(time_ms: i64, look: &Look) -> String {
    let [time, now] = [time_ms, look.server_now_ms].map(|ms| WallTime(ms).to_string());
    match (time.split_once(' '), now.split_once(' ')) {
        (Some((day, time)), Some((today, _))) if day == today => time.to_owned(),
        _ => time,
    }
}

/// Names are whole up to here: all others give way before.
const KEY: usize = 40;

/// The order of two figures that may be none: those come first.
fn by_figure(one: Option<f64>, other: Option<f64>) -> Ordering {
    match (one, other) {
        (Some(one), Some(other)) => one.total_cmp(&other),
        (one, other) => one.is_some().cmp(&other.is_some()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_unique_and_explained() {
        for table in Table::ALL {
            let known = known(table);
            for (index, column) in known.iter().enumerate() {
                assert!(!column.about.is_empty(), "{}", column.key);
                let before = known.iter().take(index);
                let is_known = before.clone().any(|other| other.key == column.key);
                assert!(!is_known, "{} of {}", column.key, table.name());
            }
            assert!(known.iter().any(|column| column.is_usual));
        }
    }

    #[test]
    fn columns_give_way_by_their_rank() {
        struct Row;
        const NAME: Column<Row> = Column::text("name", "NAME", "", |_, _| Cell::default());
        const OUT: Column<Row> = Column::number("out", "OUT", "", |_, _| Cell::default()).rank(1);
        const UP: Column<Row> = Column::number("up", "UP", "", |_, _| Cell::default()).rank(2);
        let widths = |room| {
            let fitted = fit(&[(&NAME, 30), (&OUT, 6), (&UP, 4)], room, 1);
            fitted
                .iter()
                .map(|fitted| (fitted.column.key, fitted.width))
                .collect::<Vec<_>>()
        };
        assert_eq!(widths(80), [("name", 30), ("out", 6), ("up", 4)]);
        assert_eq!(widths(41), [("name", 30), ("out", 6)]);
        assert_eq!(widths(37), [("name", 30), ("out", 6)]);
        assert_eq!(widths(36), [("name", 30), ("up", 4)]);
        assert_eq!(widths(34), [("name", 30)]);
        assert_eq!(widths(15), [("name", 15)]);
        assert_eq!(widths(5), [("name", 5)]);
        assert_eq!(widths(0), [("name", 0)]);
    }

    #[test]
    fn rates_are_told_in_bits_or_bytes() {
        assert_eq!((Units::Bits.of(801), Units::Bytes.of(801)), (801, 101));
        assert_eq!(Units::Bits.rate(1_234), "1.2 Mbit/s");
        assert_eq!(Units::Bytes.rate(8_000), "1.0 MB/s");
        assert_eq!(Units::Bytes.other(), Units::Bits);
    }
}
