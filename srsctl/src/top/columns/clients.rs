//! Clients.

use srs_api::{Client, ClientRole};
use srs_config::VhostName;

use super::{Cell, Column, Item};
use crate::command::streams::label;
use crate::output::units::Elapsed;
use crate::top::theme::Tone;

impl Item for Client {
    const COLUMNS: &'static [Column<Self>] = &[
        Column::number("id", "ID", "its id, as in the log", |client: &Self, _| {
            Cell::new(&client.id)
        })
        .by_server(),
        Column::word("type", "TYPE", "what it does", |client: &Self, _| {
            let tone = match client.role {
                ClientRole::Unknown => Tone::Dim,
                ClientRole::Play => Tone::Plain,
                ClientRole::FmlePublish | ClientRole::FlashPublish => Tone::In,
            };
            Cell::new(role(client.role)).toned(tone, true)
        })
        .rank(3)
        .by_server(),
        Column::text(
            "address",
            "ADDRESS",
            "where it connects from",
            |client: &Self, _| Cell::new(address(client)),
        )
        .by_server(),
        Column::text(
            "stream",
            "STREAM",
            "what it publishes or plays",
            |client: &Self, _| {
                let name = stream(client);
                Cell::or_dash(Some(name).filter(|name| !name.is_empty()))
            },
        )
        .rank(4)
        .by_server(),
        Column::rate(
            "in",
            "IN",
            "what is received from it, over the last 5 seconds",
            |client: &Self, look| Cell::rate(client.kbps.recv_5s, look, Tone::In),
        )
        .rank(7)
        .by_server(),
        Column::rate(
            "out",
            "OUT",
            "what is sent to it, over the last 5 seconds",
            |client: &Self, look| Cell::rate(client.kbps.send_5s, look, Tone::Out),
        )
        .rank(1)
        .by_server(),
        Column::number(
            "lag",
            "LAG ms",
            "how far it is behind the newest packet",
            |client: &Self, _| {
                Cell::count(client.lag_ms, Tone::Plain).toned(Tone::Odd, client.lag_ms >= 5_000)
            },
        )
        .rank(2)
        .by_server(),
        Column::number(
            "drops",
            "DROPS",
            "packets that it lost because it was too slow",
            |client: &Self, _| Cell::count(client.drops, Tone::Odd),
        )
        .rank(2)
        .by_server(),
        Column::number(
            "jumps",
            "JUMPS",
            "how often it jumped to a newer key frame",
            |client: &Self, _| Cell::count(client.jumps, Tone::Odd),
        )
        .rank(11)
        .unusual()
        .by_server(),
        Column::number(
            "rtt",
            "RTT ms",
            "the round trip to it and back, as TCP measures it",
            |client: &Self, _| {
                let is_far = client.rtt_ms.is_some_and(|rtt| rtt >= 300.0);
                Cell::or_dash(client.rtt_ms.map(|rtt| format!("{rtt:.1}"))).toned(Tone::Odd, is_far)
            },
        )
        .rank(6)
        .by_server(),
        Column::number(
            "retransmits",
            "RETR",
            "TCP segments that had to be sent again",
            |client: &Self, _| Cell::count(client.retransmits, Tone::Plain),
        )
        .rank(9)
        .by_server(),
        Column::number(
            "up",
            "UP",
            "for how long it has been connected",
            |client: &Self, _| Cell::new(Elapsed::seconds(client.alive)),
        )
        .rank(5)
        .by_server(),
        Column::text(
            "agent",
            "AGENT",
            "what program it says it is",
            |client: &Self, _| Cell::new(&client.agent).toned(Tone::Dim, true),
        )
        .rank(10)
        .by_server(),
    ];

    fn id(&self) -> &str {
        &self.id
    }

    fn text(&self) -> String {
        let role = role(self.role);
        format!(
            "{} {role} {} {} {}",
            self.id,
            address(self),
            stream(self),
            self.agent
        )
    }
}

/// What a client does, in a word.
pub(crate) const fn role(role: ClientRole) -> &'static str {
    match role {
        ClientRole::Unknown => "unknown",
        ClientRole::Play => "play",
        ClientRole::FmlePublish | ClientRole::FlashPublish => "publish",
    }
}

/// Its address with its port.
pub(crate) fn address(client: &Client) -> String {
    if client.ip.contains(':') {
        format!("[{}]:{}", client.ip, client.port)
    } else {
        format!("{}:{}", client.ip, client.port)
    }
}

/// What it publishes or plays, as people see it; empty if nothing.
pub(crate) fn stream(client: &Client) -> String {
    if client.name.is_empty() {
        return String::new();
    }
    label(&client.vhost, &client.app, &client.name)
}

/// Where a stream is played, below what the server's URLs begin with.
pub(crate) fn play_url(base: &str, vhost: &str, app: &str, name: &str) -> String {
    let (app, name) = (encoded(app), encoded(name));
    let mut url = format!("{}/{app}/{name}", base.trim_end_matches('/'));
    if vhost != VhostName::DEFAULT {
        url += &format!("?vhost={}", encoded(vhost));
    }
    url
}

/// `text` with everything escaped that means something else in a URL, or would act on a terminal.
fn encoded(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'?' | b'#' | b'%' | b'"' | b'<' | b'>' | b'\\' | b'^' | b'`' | b'{' | b'|' | b'}' => {
                out += &format!("%{byte:02X}");
            }
            byte if byte.is_ascii_graphic() => out.push(char::from(byte)),
            byte => out += &format!("%{byte:02X}"),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_escaped_in_urls() {
        let cases = [
            ("show", "rtmp://h/live/show"),
            ("a b?c#d%", "rtmp://h/live/a%20b%3Fc%23d%25"),
            ("直", "rtmp://h/live/%E7%9B%B4"),
            ("a\x1b[2J", "rtmp://h/live/a%1B[2J"),
        ];
        for (name, url) in cases {
            assert_eq!(play_url("rtmp://h/", VhostName::DEFAULT, "live", name), url);
        }
    }
}
