//! Events.

use srs_api::EventKind;

use super::{Cell, Column, Item, wall_time};
use crate::top::data::Happening;
use crate::top::theme::Tone;

impl Item for Happening {
    const COLUMNS: &'static [Column<Self>] = &[
        Column::word("time", "TIME", "when", |happening: &Self, look| {
            Cell::new(wall_time(happening.event.time_ms, look)).toned(Tone::Dim, true)
        }),
        Column::word("kind", "EVENT", "what", |happening: &Self, _| {
            let kind = happening.event.kind;
            Cell::new(kind.name()).toned(tone(kind), true)
        }),
        Column::word(
            "client",
            "CLIENT",
            "the client's id",
            |happening: &Self, _| Cell::new(happening.event.client.as_deref().unwrap_or_default()),
        )
        .rank(2),
        Column::text("stream", "STREAM", "the stream", |happening: &Self, _| {
            Cell::new(&happening.label)
        })
        .rank(2),
        Column::text(
            "peer",
            "PEER",
            "the client's address, or the other server's name",
            |happening: &Self, _| {
                let event = &happening.event;
                let peer = event.peer.as_deref().or(event.device.as_deref());
                Cell::new(peer.unwrap_or_default()).toned(Tone::Dim, true)
            },
        )
        .rank(4),
        Column::text(
            "message",
            "MESSAGE",
            "anything else",
            |happening: &Self, _| {
                let mut lines = happening.event.message.trim_end().lines();
                Cell::new(lines.next().unwrap_or_default())
            },
        )
        .rank(1),
    ];

    fn id(&self) -> &str {
        &self.id
    }

    fn text(&self) -> String {
        let event = &self.event;
        let of = |text: &Option<String>| text.clone().unwrap_or_default();
        [
            event.kind.name().to_owned(),
            of(&event.client),
            self.label.clone(),
            of(&event.peer),
            of(&event.device),
            event.message.clone(),
        ]
        .join(" ")
    }
}

fn tone(kind: EventKind) -> Tone {
    match kind {
        EventKind::Publish | EventKind::Play | EventKind::Start | EventKind::ServerSeen => {
            Tone::Good
        }
        EventKind::Refuse | EventKind::Kick | EventKind::ClockJump | EventKind::Lost => Tone::Odd,
        EventKind::ReloadFailed | EventKind::ServerLate => Tone::Bad,
        EventKind::Unpublish | EventKind::Stop | EventKind::Reload | EventKind::Heartbeat => {
            Tone::Plain
        }
    }
}
