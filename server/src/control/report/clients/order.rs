//! What clients can be sorted by.

use std::time::Instant;

use super::super::label;
use super::super::sort::{ByName, Rank, SortKey};
use crate::control::clients::Client;

/// What clients can be sorted by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClientKey {
    /// The id.
    Id,
    /// What they do.
    Type,
    /// Address and port.
    Address,
    /// The name of the stream that they publish or play.
    Stream,
    /// What is received from them.
    In,
    /// What is sent to them.
    Out,
    /// How far they are behind.
    Lag,
    /// Packets that they lost.
    Drops,
    /// How often they jumped.
    Jumps,
    /// The round trip.
    Rtt,
    /// TCP segments that were sent again.
    Retransmits,
    /// How long they have been connected.
    Up,
    /// What they say they are.
    Agent,
}

impl SortKey for ClientKey {
    const ALL: &'static [(&'static str, Self)] = &[
        ("id", Self::Id),
        ("type", Self::Type),
        ("address", Self::Address),
        ("stream", Self::Stream),
        ("in", Self::In),
        ("out", Self::Out),
        ("lag", Self::Lag),
        ("drops", Self::Drops),
        ("jumps", Self::Jumps),
        ("rtt", Self::Rtt),
        ("retransmits", Self::Retransmits),
        ("up", Self::Up),
        ("agent", Self::Agent),
    ];
}

/// How `client` ranks by `key`.
pub(super) fn rank(client: &Client, key: ClientKey, now: Instant) -> Rank {
    let traffic = &client.traffic;
    match key {
        ClientKey::Id => Rank::number(client.id),
        ClientKey::Type => Rank::Text(label::role(client.role()).to_owned()),
        ClientKey::Address => Rank::Address(client.peer),
        ClientKey::Stream => Rank::Name(ByName(client.stream())),
        ClientKey::In => Rank::number(client.newest_kbps().received),
        ClientKey::Out => Rank::number(client.newest_kbps().sent),
        ClientKey::Lag => Rank::number(traffic.reading().lag_millis),
        ClientKey::Drops => Rank::number(traffic.reading().dropped),
        ClientKey::Jumps => Rank::number(traffic.reading().jumps),
        // Those that were not measured yet are the least.
        ClientKey::Rtt => traffic
            .round_trip()
            .map_or(Rank::Number(-1), |trip| Rank::number(trip.as_micros())),
        ClientKey::Retransmits => Rank::number(traffic.retransmits()),
        ClientKey::Up => {
            let up = now.saturating_duration_since(client.since);
            Rank::number(up.as_micros())
        }
        ClientKey::Agent => Rank::Text(client.glance().profile.agent.to_string()),
    }
}
