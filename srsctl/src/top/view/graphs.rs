//! Graphs over time with a title, the newest figure, and what the top means.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use srs_api::HistoryRange;

use super::paint::Bar;
use crate::output::text::width;
use crate::output::units::Elapsed;
use crate::top::app::App;
use crate::top::graph::{graph, known, scale};
use crate::top::theme::Tone;

/// A graph.
pub(super) struct Graph {
    pub(super) title: &'static str,
    /// The newest figure, for people.
    pub(super) figure: String,
    pub(super) tone: Tone,
    /// Those of the whole range, the oldest first; what is not known of it is blank.
    pub(super) values: Vec<f64>,
    /// A figure, for people.
    pub(super) tell: fn(&App, f64) -> String,
}

/// Draws a graph with its title in the first row.
pub(super) fn draw(app: &App, drawn: &Graph, area: Rect, buffer: &mut Buffer) {
    if area.height < 2 || area.width < 16 {
        return;
    }
    let is_stale = app.stale_for().is_some() || app.server().link.down.is_some();
    let highest = drawn.values.iter().copied().fold(0.0, f64::max);
    let top = scale(highest);
    let mut bar = Bar::new(buffer, &app.theme, area, 0).dimmed(is_stale);
    bar.skip(1);
    bar.add(&[
        (Tone::Title, drawn.title),
        (Tone::Plain, " "),
        (drawn.tone, &drawn.figure),
    ]);
    let range = told_range(app.range, &drawn.values);
    // As much of it as there is room for.
    let told = [format!("top {}, {range}", (drawn.tell)(app, top)), range];
    if let Some(told) = told.iter().find(|told| bar.room() >= width(told) + 2) {
        bar.skip_to_last(width(told) + 1);
        bar.add(&[(Tone::Dim, told)]);
    }
    let columns = usize::from(area.width.saturating_sub(2));
    let rows = graph(
        &drawn.values,
        columns,
        usize::from(area.height - 1),
        top,
        app.symbols,
    );
    for (row, line) in (1..area.height).zip(rows) {
        let mut bar = Bar::new(buffer, &app.theme, area, row).dimmed(is_stale);
        bar.skip(1);
        bar.add(&[(drawn.tone, &line)]);
    }
}

/// Of what time `values` are, which are those of the whole `range`, for people: `last 5m`, or
/// `12s of 5m` where no more is known.
pub(super) fn told_range(range: HistoryRange, values: &[f64]) -> String {
    let (known, number) = (known(values), values.len());
    if known == 0 || known == number {
        return format!("last {}", range.name());
    }
    let seconds = range.seconds() as f64 * known as f64 / number as f64;
    format!("{} of {}", Elapsed::seconds(seconds), range.name())
}

/// A figure without its fraction.
pub(super) fn whole(value: f64) -> u64 {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "it saturates, and is for eyes"
    )]
    let whole = value.round() as u64;
    whole
}
