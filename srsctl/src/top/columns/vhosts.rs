//! Virtual hosts.

use srs_api::Vhost;

use super::{Cell, Column, Item};
use crate::top::theme::Tone;

impl Item for Vhost {
    const COLUMNS: &'static [Column<Self>] = &[
        Column::text("name", "VHOST", "its name", |vhost: &Self, _| {
            Cell::new(&vhost.name)
        })
        .by(|one, other| one.name.cmp(&other.name)),
        Column::word(
            "state",
            "STATE",
            "whether its clients are served",
            |vhost: &Self, _| {
                let state = if vhost.enabled { "on" } else { "off" };
                Cell::new(state)
                    .toned(Tone::Good, vhost.enabled)
                    .toned(Tone::Odd, !vhost.enabled)
            },
        )
        .rank(3)
        .by(|one, other| one.enabled.cmp(&other.enabled)),
        Column::number("streams", "STREAMS", "its streams", |vhost: &Self, _| {
            Cell::count(vhost.streams as u64, Tone::Plain)
        })
        .rank(2)
        .by(|one, other| one.streams.cmp(&other.streams)),
        Column::number(
            "players",
            "PLAYERS",
            "players of its streams",
            |vhost: &Self, _| Cell::count(vhost.viewers as u64, Tone::Plain),
        )
        .rank(2)
        .by(|one, other| one.viewers.cmp(&other.viewers)),
        Column::number(
            "clients",
            "CLIENTS",
            "clients that are connected to it",
            |vhost: &Self, _| Cell::count(vhost.clients as u64, Tone::Plain),
        )
        .rank(4)
        .by(|one, other| one.clients.cmp(&other.clients)),
        Column::rate(
            "in",
            "IN",
            "what its clients send, over the last 5 seconds",
            |vhost: &Self, look| Cell::rate(vhost.kbps.recv_5s, look, Tone::In),
        )
        .rank(3)
        .by(|one, other| one.kbps.recv_5s.cmp(&other.kbps.recv_5s)),
        Column::rate(
            "out",
            "OUT",
            "what is sent to its clients, over the last 5 seconds",
            |vhost: &Self, look| Cell::rate(vhost.kbps.send_5s, look, Tone::Out),
        )
        .rank(1)
        .by(|one, other| one.kbps.send_5s.cmp(&other.kbps.send_5s)),
        Column::word(
            "hls",
            "HLS",
            "whether its streams are served as HLS",
            |vhost: &Self, _| {
                let state = if vhost.hls.enabled { "on" } else { "-" };
                Cell::new(state).toned(Tone::Dim, !vhost.hls.enabled)
            },
        )
        .rank(5),
    ];

    fn id(&self) -> &str {
        &self.id
    }

    fn text(&self) -> String {
        self.name.clone()
    }
}
