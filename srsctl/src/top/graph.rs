//! Figures over time, drawn with characters: lines of one row, and graphs of several.
//!
//! The newest figure stands at the right, and the width is the time that was asked for: what is
//! not known of it is blank. Nothing is interpolated: where there are more figures than dots the
//! highest of each group is drawn, so that no peak is lost.

use std::iter;

use srs_api::HistoryRange;

/// What graphs are drawn with.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Symbols {
    /// Braille patterns: two by four dots to a character.
    #[default]
    Braille,
    /// Block elements: eight steps to a character.
    Block,
    /// What every terminal has.
    Ascii,
}

impl Symbols {
    /// The kind of this name.
    pub(crate) fn named(name: &str) -> Option<Self> {
        Some(match name {
            "braille" => Self::Braille,
            "block" => Self::Block,
            "ascii" => Self::Ascii,
            _ => return None,
        })
    }

    /// What the environment can show: the locale's encoding, and what the terminal's font has.
    pub(crate) fn of(variable: impl Fn(&str) -> Option<String>) -> Self {
        let locale = ["LC_ALL", "LC_CTYPE", "LANG"]
            .into_iter()
            .find_map(|name| variable(name).filter(|value| !value.is_empty()))
            .unwrap_or_default()
            .to_ascii_lowercase();
        let is_utf8 = locale.contains("utf-8") || locale.contains("utf8");
        match variable("TERM").as_deref() {
            _ if !is_utf8 => Self::Ascii,
            // The fonts of the Linux console have neither.
            Some("linux") => Self::Ascii,
            _ => Self::Braille,
        }
    }

    /// Figures that a column of a graph shows side by side.
    pub(crate) fn per_column(self) -> usize {
        match self {
            Self::Braille => 2,
            Self::Block | Self::Ascii => 1,
        }
    }

    /// Steps that a row of a graph has.
    fn per_row(self) -> usize {
        match self {
            Self::Braille => 4,
            Self::Block => 8,
            Self::Ascii => 2,
        }
    }

    /// `symbol`, or what stands for it where only ASCII is shown.
    pub(crate) fn or(self, symbol: &'static str, ascii: &'static str) -> &'static str {
        if self == Self::Ascii { ascii } else { symbol }
    }

    /// The character whose columns are filled up to these steps of [`Self::per_row`].
    fn character(self, left: usize, right: usize) -> char {
        match self {
            Self::Braille => {
                // Unicode 15, 15.13: bits 7, 3, 2, 1 are the left dots from the bottom up, and
                // 8, 6, 5, 4 the right ones.
                const LEFT: [u32; 5] = [0, 0x40, 0x44, 0x46, 0x47];
                const RIGHT: [u32; 5] = [0, 0x80, 0xa0, 0xb0, 0xb8];
                let dots = LEFT[left.min(4)] | RIGHT[right.min(4)];
                // The empty pattern is a blank, but not for those who copy or hear the screen.
                let pattern = char::from_u32(0x2800 + dots).filter(|_| dots > 0);
                pattern.unwrap_or(' ')
            }
            Self::Block => BLOCKS[right.min(8)],
            Self::Ascii => [' ', '.', ':'][right.min(2)],
        }
    }
}

/// A figure that is not known.
pub(crate) const UNKNOWN: f64 = f64::NAN;

/// `values`, the newest last, as `number` of them: those before the first are not known.
pub(crate) fn padded<T: Copy + Into<f64>>(values: &[T], number: usize) -> Vec<f64> {
    let values = last(values, number);
    let unknown = iter::repeat_n(UNKNOWN, number - values.len());
    unknown
        .chain(values.iter().map(|&value| value.into()))
        .collect()
}

/// `values`, one for each `step_ms`, as those of the whole `range`.
pub(crate) fn over<T: Copy + Into<f64>>(
    values: &[T],
    step_ms: u64,
    range: HistoryRange,
) -> Vec<f64> {
    let number = (range.seconds() * 1_000).checked_div(step_ms).unwrap_or(0);
    let number = usize::try_from(number).unwrap_or(usize::MAX);
    // What a server says of itself may be absurd.
    padded(values, number.min(MOST_VALUES))
}

/// How many of `values` are known, up to the newest.
pub(crate) fn known(values: &[f64]) -> usize {
    let known = values.iter().skip_while(|value| value.is_nan());
    known.count()
}

/// `values` in one row of `width` columns. The highest of them reaches the top, or `top` if that is
/// higher; what is not zero is always seen.
pub(crate) fn sparkline(values: &[f64], width: usize, top: f64, symbols: Symbols) -> String {
    let highest = values.iter().copied().fold(top, f64::max);
    if symbols == Symbols::Ascii {
        return line(values, width, highest, ASCII.len() - 1, |step| ASCII[step]);
    }
    // In one row blocks say more than dots, and are the same in both.
    line(values, width, highest, BLOCKS.len() - 1, |step| {
        BLOCKS[step]
    })
}

fn line(
    values: &[f64],
    width: usize,
    highest: f64,
    steps: usize,
    character: impl Fn(usize) -> char,
) -> String {
    let drawn = fit(values, width).map(|value| {
        let step = step_of(value, highest, steps);
        // A stream that has stopped is a gap; one that is slow is not.
        character(if value > 0.0 { step.max(1) } else { 0 })
    });
    drawn.collect()
}

/// A graph of `values` in `height` rows of `width` columns, from the top down. A value of `top`
/// fills a column.
pub(crate) fn graph(
    values: &[f64],
    width: usize,
    height: usize,
    top: f64,
    symbols: Symbols,
) -> Vec<String> {
    let steps = height * symbols.per_row();
    let fitted = fit(values, width * symbols.per_column());
    let levels: Vec<usize> = fitted
        .map(|value| {
            let step = step_of(value, top, steps);
            if value > 0.0 { step.max(1) } else { 0 }
        })
        .collect();
    let row = |row: usize| {
        let below = (height - 1 - row) * symbols.per_row();
        let of = |level: &usize| level.saturating_sub(below).min(symbols.per_row());
        levels
            .chunks(symbols.per_column())
            .map(|pair| {
                let left = pair.first().map_or(0, of);
                symbols.character(left, pair.last().map_or(0, of))
            })
            .collect()
    };
    (0..height).map(row).collect()
}

/// `values` as `dots` of them, each where it belongs in time: the highest of each group where there
/// are more, each several times where there are fewer.
fn fit(values: &[f64], dots: usize) -> impl Iterator<Item = f64> {
    let place = move |dot: usize| dot * values.len() / dots;
    (0..dots).map(move |dot| {
        let from = place(dot);
        let to = place(dot + 1).max(from + 1);
        let group = values.get(from..to).unwrap_or_default();
        group.iter().copied().fold(UNKNOWN, f64::max)
    })
}

/// The value that a graph should reach up to for its `highest`: the next of 1, 2, 5 and their
/// tens, so that the scale does not move with each figure.
pub(crate) fn scale(highest: f64) -> f64 {
    if !highest.is_finite() || highest <= 0.0 {
        return 1.0;
    }
    let ten = 10_f64.powf(highest.log10().floor());
    let steps = [1.0, 2.0, 5.0, 10.0];
    let step = steps
        .into_iter()
        .find(|step| highest <= ten * step * 1.000_001);
    ten * step.unwrap_or(10.0)
}

fn step_of(value: f64, top: f64, steps: usize) -> usize {
    if !(value > 0.0 && top > 0.0) {
        return 0;
    }
    let share = (value / top).min(1.0);
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a share of few steps"
    )]
    let step = (share * steps as f64).round() as usize;
    step.min(steps)
}

fn last<T>(values: &[T], number: usize) -> &[T] {
    values
        .get(values.len().saturating_sub(number)..)
        .unwrap_or_default()
}

/// An hour of one a second.
const MOST_VALUES: usize = 3_600;
const BLOCKS: [char; 9] = [' ', '▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
const ASCII: [char; 7] = [' ', '_', '.', '-', '=', '*', '#'];

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_line_has_the_newest_at_its_right() {
        let cases: [(&[u32], usize, f64, Symbols, &str); 8] = [
            (&[1, 2, 4, 8], 4, 0.0, Symbols::Block, "▁▂▄█"),
            (&[1, 2, 4, 8], 6, 0.0, Symbols::Braille, "  ▁▂▄█"),
            (&[9, 1, 2, 4, 8], 4, 0.0, Symbols::Block, "▁▂▄█"),
            (&[8, 0, 8], 3, 0.0, Symbols::Block, "█ █"),
            (&[1], 1, 1_000.0, Symbols::Block, "▁"),
            (&[0, 6, 3, 1], 4, 0.0, Symbols::Ascii, " #-_"),
            (&[], 2, 0.0, Symbols::Ascii, "  "),
            (&[1, 2], 0, 0.0, Symbols::Block, ""),
        ];
        for (values, width, top, symbols, expected) in cases {
            let line = sparkline(&padded(values, width), width, top, symbols);
            assert_eq!(line, expected, "{values:?}");
        }
    }

    #[test]
    fn the_width_is_the_whole_time_whatever_is_known_of_it() {
        use HistoryRange::{FiveMinutes, Hour, Minute};
        // Figures, the step between them in seconds, the range, and the columns of 20 that are
        // blank.
        let cases = [
            (0, 1, Minute, 20),
            (30, 1, Minute, 10),
            (60, 1, Minute, 0),
            (30, 1, FiveMinutes, 18),
            (300, 1, FiveMinutes, 0),
            (300, 1, Minute, 0),
            (120, 15, Hour, 10),
            (120, 1, Hour, 19),
        ];
        for (number, step, range, blank) in cases {
            let values = over(&vec![5_u32; number], step * 1_000, range);
            let expected = " ".repeat(blank) + &"█".repeat(20 - blank);
            let line = sparkline(&values, 20, 0.0, Symbols::Block);
            assert_eq!(line, expected, "{number} {step} {range:?}");
            let rows = graph(&values, 20, 1, 5.0, Symbols::Block);
            assert_eq!(rows, [expected], "{number} {step} {range:?}");
        }
        assert_eq!(over(&[1_u32; 10], 0, Hour).len(), 0);
        assert_eq!(over(&[1_u32; 10], 1, Hour).len(), MOST_VALUES);
        assert_eq!(known(&over(&[0_u32; 30], 1_000, Minute)), 30);
    }

    #[test]
    fn a_graph_grows_from_its_bottom() {
        let values = [0.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 8.0];
        let drawn = |width, symbols| graph(&values, width, 2, 8.0, symbols);
        assert_eq!(drawn(4, Symbols::Braille), ["  ⢀⣼", "⢀⣴⣿⣿"]);
        assert_eq!(drawn(8, Symbols::Block), ["     ▂▄█", " ▂▄▆████"]);
        assert_eq!(drawn(8, Symbols::Ascii), ["     ..:", " ..:::::"]);
    }

    #[test]
    fn no_peak_is_lost() {
        let mut values = vec![1.0; 1_000];
        values[637] = 100.0;
        let rows = graph(&values, 10, 4, 100.0, Symbols::Block);
        assert_eq!(rows[0].matches('█').count(), 1, "{rows:?}");
    }

    #[test]
    fn scales_have_round_ends() {
        let cases = [
            (0.0, 1.0),
            (0.3, 0.5),
            (1.0, 1.0),
            (1.1, 2.0),
            (25.0, 50.0),
            (999.0, 1_000.0),
            (f64::NAN, 1.0),
            (f64::INFINITY, 1.0),
        ];
        for (highest, expected) in cases {
            assert!(
                (scale(highest) - expected).abs() < 1e-9,
                "{highest}: {}",
                scale(highest)
            );
        }
    }

    #[test]
    fn the_environment_says_what_can_be_drawn() {
        let cases: [(&[(&str, &str)], Symbols); 5] = [
            (
                &[("LANG", "de_DE.UTF-8"), ("TERM", "xterm")],
                Symbols::Braille,
            ),
            (&[("LANG", "C.utf8"), ("TERM", "linux")], Symbols::Ascii),
            (&[("LANG", "de_DE.UTF-8"), ("LC_ALL", "C")], Symbols::Ascii),
            (&[("LANG", "de_DE.UTF-8"), ("LC_ALL", "")], Symbols::Braille),
            (&[], Symbols::Ascii),
        ];
        for (variables, expected) in cases {
            let variable = |name: &str| {
                let found = variables.iter().find(|(known, _)| *known == name);
                found.map(|(_, value)| (*value).to_owned())
            };
            assert_eq!(Symbols::of(variable), expected, "{variables:?}");
        }
    }

    proptest! {
        #[test]
        fn all_figures_fit(
            values in proptest::collection::vec(any::<f64>(), 0..300),
            width in 0_usize..50,
            height in 0_usize..8,
            top in any::<f64>(),
        ) {
            for symbols in [Symbols::Braille, Symbols::Block, Symbols::Ascii] {
                let rows = graph(&values, width, height, top, symbols);
                prop_assert_eq!(rows.len(), height);
                for row in rows {
                    prop_assert_eq!(row.chars().count(), width);
                }
            }
        }
    }
}
