//! Lines of the log.

use srs_api::LogLevel;

use super::{Cell, Column, Item, wall_time};
use crate::top::data::Logged;
use crate::top::theme::Tone;

impl Item for Logged {
    const COLUMNS: &'static [Column<Self>] = &[
        Column::word("time", "TIME", "when", |logged: &Self, look| {
            Cell::new(wall_time(logged.line.time_ms, look)).toned(Tone::Dim, true)
        })
        .rank(2),
        Column::word(
            "level",
            "LEVEL",
            "how much it matters",
            |logged: &Self, _| {
                Cell::new(logged.line.level.name()).toned(tone(logged.line.level), true)
            },
        )
        .rank(1),
        Column::word("client", "CLIENT", "the client's id", |logged: &Self, _| {
            Cell::new(logged.line.client.as_deref().unwrap_or_default())
        })
        .rank(3),
        Column::text(
            "message",
            "MESSAGE",
            "the message with its fields",
            |logged: &Self, _| Cell::new(&logged.line.message).toned(tone(logged.line.level), true),
        ),
        Column::text("stream", "STREAM", "the stream", |logged: &Self, _| {
            Cell::new(logged.line.stream.as_deref().unwrap_or_default())
        })
        .rank(4)
        .unusual(),
    ];

    fn id(&self) -> &str {
        &self.id
    }

    fn text(&self) -> String {
        let line = &self.line;
        let of = |text: &Option<String>| text.clone().unwrap_or_default();
        let level = line.level.name();
        format!(
            "{level} {} {} {}",
            of(&line.client),
            of(&line.stream),
            line.message
        )
    }
}

fn tone(level: LogLevel) -> Tone {
    match level {
        LogLevel::Error => Tone::Bad,
        LogLevel::Warn => Tone::Odd,
        LogLevel::Info => Tone::Plain,
        LogLevel::Debug | LogLevel::Trace => Tone::Dim,
    }
}
