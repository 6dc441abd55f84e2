//! Parts of the server: outputs, peers, processes, listeners, tasks.

use srs_api::{Part, PartState};

use super::{Cell, Column, Item};
use crate::output::units::Elapsed;
use crate::top::theme::Tone;

impl Item for Part {
    const COLUMNS: &'static [Column<Self>] = &[
        Column::word("kind", "KIND", "what it is", |part: &Self, _| {
            Cell::new(part.kind.name())
        })
        .by(|one, other| {
            let key = |part: &Self| (part.kind.name(), part.target.clone());
            key(one).cmp(&key(other))
        }),
        Column::text(
            "target",
            "TARGET",
            "an address, a file, a name: what it works with",
            |part: &Self, _| Cell::new(&part.target),
        )
        .by(|one, other| one.target.cmp(&other.target)),
        Column::word("state", "STATE", "how it is", |part: &Self, _| {
            let tone = match part.state {
                PartState::Running => Tone::Good,
                PartState::Retrying => Tone::Odd,
                PartState::Failed => Tone::Bad,
                PartState::Idle => Tone::Dim,
            };
            Cell::new(part.state.name()).toned(tone, true)
        })
        .rank(1)
        .by(|one, other| one.state.cmp(&other.state)),
        Column::word(
            "stream",
            "STREAM",
            "the id of the stream that it works for",
            |part: &Self, _| Cell::or_dash(Some(&part.stream).filter(|id| !id.is_empty())),
        )
        .rank(6)
        .by(|one, other| one.stream.cmp(&other.stream)),
        Column::number(
            "since",
            "SINCE",
            "for how long it has been so",
            |part: &Self, look| {
                let since = Some(part.since_ms).filter(|since| *since > 0);
                Cell::or_dash(since.map(|since| Elapsed::between(since, look.server_now_ms)))
            },
        )
        .rank(3)
        .by(|one, other| other.since_ms.cmp(&one.since_ms)),
        Column::number(
            "restarts",
            "RESTARTS",
            "how often it was started again",
            |part: &Self, _| Cell::count(part.restarts, Tone::Odd),
        )
        .rank(5)
        .by(|one, other| one.restarts.cmp(&other.restarts)),
        Column::number(
            "next",
            "NEXT TRY",
            "in how long it tries again",
            |part: &Self, look| {
                let next = part.next_try_ms;
                Cell::or_dash(next.map(|at| Elapsed::between(look.server_now_ms, at)))
            },
        )
        .rank(4)
        .by(|one, other| one.next_try_ms.cmp(&other.next_try_ms)),
        Column::text(
            "progress",
            "PROGRESS",
            "what it has done",
            |part: &Self, _| Cell::new(&part.progress),
        )
        .rank(2),
        Column::text(
            "error",
            "LAST ERROR",
            "why it failed the last time",
            |part: &Self, _| Cell::new(&part.error).toned(Tone::Odd, true),
        )
        .rank(2),
    ];

    fn id(&self) -> &str {
        &self.id
    }

    fn stream_id(&self) -> Option<&str> {
        Some(&self.stream)
    }

    fn text(&self) -> String {
        let (kind, state) = (self.kind.name(), self.state.name());
        format!(
            "{kind} {} {state} {} {}",
            self.target, self.progress, self.error
        )
    }
}
