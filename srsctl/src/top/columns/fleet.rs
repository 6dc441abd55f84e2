//! Servers: those that are named, and those that send their heartbeats to the one that is shown.

use super::{Cell, Column, Item, by_figure};
use crate::output::Size;
use crate::output::units::{Elapsed, percent};
use crate::top::data::{Member, MemberState};
use crate::top::theme::Tone;

impl Item for Member {
    const COLUMNS: &'static [Column<Self>] = &[
        Column::text("name", "SERVER", "its name", |member: &Self, _| {
            Cell::new(&member.name).toned(Tone::Key, member.is_shown)
        })
        .by(|one, other| one.name.cmp(&other.name)),
        Column::word(
            "state",
            "STATE",
            "whether it is heard of",
            |member: &Self, _| {
                let (name, tone) = match member.state {
                    MemberState::Up => ("up", Tone::Good),
                    MemberState::Late => ("late", Tone::Bad),
                    MemberState::Down => ("down", Tone::Bad),
                    MemberState::Unknown => ("?", Tone::Dim),
                };
                Cell::new(name).toned(tone, true)
            },
        )
        .rank(1)
        .by(|one, other| one.state.cmp(&other.state)),
        Column::number(
            "seen",
            "SEEN",
            "how long ago it was heard of",
            |member: &Self, _| {
                let is_late = member.state != MemberState::Up;
                Cell::or_dash(member.age.map(Elapsed::seconds)).toned(Tone::Bad, is_late)
            },
        )
        .rank(2)
        .by(|one, other| by_figure(one.age, other.age)),
        Column::word(
            "how",
            "BY",
            "named here (name), or by its heartbeat (beat)",
            |member: &Self, _| {
                Cell::new(if member.is_named { "name" } else { "beat" }).toned(Tone::Dim, true)
            },
        )
        .rank(9)
        .by(|one, other| one.is_named.cmp(&other.is_named)),
        Column::text("address", "ADDRESS", "where it is", |member: &Self, _| {
            Cell::new(&member.address)
        })
        .rank(8)
        .by(|one, other| one.address.cmp(&other.address)),
        Column::word("version", "VERSION", "its version", |member: &Self, _| {
            Cell::or_dash(member.version.as_ref())
        })
        .rank(11)
        .by(|one, other| one.version.cmp(&other.version)),
        Column::number("streams", "STREAMS", "its streams", |member: &Self, _| {
            Cell::or_dash(member.streams)
        })
        .rank(6)
        .by(|one, other| one.streams.cmp(&other.streams)),
        Column::number("clients", "CLIENTS", "its clients", |member: &Self, _| {
            Cell::or_dash(member.clients)
        })
        .rank(3)
        .by(|one, other| one.clients.cmp(&other.clients)),
        Column::rate("in", "IN", "what it receives", |member: &Self, look| {
            Cell::or_dash(member.recv_kbps.map(|kbps| look.units.of(kbps)))
        })
        .rank(7)
        .by(|one, other| one.recv_kbps.cmp(&other.recv_kbps)),
        Column::rate("out", "OUT", "what it sends", |member: &Self, look| {
            Cell::or_dash(member.send_kbps.map(|kbps| look.units.of(kbps)))
        })
        .rank(4)
        .by(|one, other| one.send_kbps.cmp(&other.send_kbps)),
        Column::number(
            "cpu",
            "CPU",
            "its processor time, of one core",
            |member: &Self, _| Cell::or_dash(member.cpu.map(percent)),
        )
        .rank(5)
        .by(|one, other| by_figure(one.cpu, other.cpu)),
        Column::number("memory", "MEMORY", "its memory", |member: &Self, _| {
            Cell::or_dash(member.mem_kbyte.map(|kib| Size(kib.saturating_mul(1024))))
        })
        .rank(10)
        .by(|one, other| one.mem_kbyte.cmp(&other.mem_kbyte)),
        Column::number(
            "up",
            "UP",
            "for how long it has been running",
            |member: &Self, _| Cell::or_dash(member.uptime.map(Elapsed::seconds)),
        )
        .rank(9)
        .by(|one, other| by_figure(one.uptime, other.uptime)),
        Column::text(
            "error",
            "ERROR",
            "why it does not answer",
            |member: &Self, _| Cell::new(&member.error).toned(Tone::Odd, true),
        )
        .rank(12),
    ];

    fn id(&self) -> &str {
        &self.id
    }

    fn text(&self) -> String {
        format!("{} {} {}", self.name, self.address, self.error)
    }
}
