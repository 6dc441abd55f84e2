//! Streams and clients as one line of text, which patterns are matched with.

use std::fmt::Write as _;
use std::net::SocketAddr;

use crate::config::VhostName;
use crate::control::clients::{Client, Role};
use crate::hub::StreamName;

/// Writes a stream's name as people see it: `APP/STREAM`, with `VHOST/` before it unless that is the
/// one for all names.
pub(super) fn stream(name: &StreamName, line: &mut String) {
    if name.vhost != VhostName::DEFAULT {
        line.push_str(&name.vhost);
        line.push('/');
    }
    line.push_str(&name.app);
    line.push('/');
    line.push_str(&name.stream);
}

/// Writes `ID TYPE ADDRESS:PORT STREAM AGENT`. What is not known of it is empty.
///
/// It is written for each client whenever a pattern is looked for, so numbers are written without
/// `fmt`, which takes several times as long.
pub(super) fn client(client: &Client, line: &mut String) {
    client.told(|is, profile, playing| {
        number(client.id, line);
        line.push(' ');
        line.push_str(role(is));
        line.push(' ');
        address(client.peer, line);
        line.push(' ');
        if let Some(playing) = playing {
            stream(playing.name(), line);
        }
        line.push(' ');
        line.push_str(&profile.agent);
    });
}

fn address(peer: SocketAddr, line: &mut String) {
    let SocketAddr::V4(peer) = peer else {
        // A text takes whatever is written to it.
        let _ = write!(line, "{peer}");
        return;
    };
    for (place, octet) in peer.ip().octets().into_iter().enumerate() {
        if place > 0 {
            line.push('.');
        }
        number(u64::from(octet), line);
    }
    line.push(':');
    number(u64::from(peer.port()), line);
}

fn number(number: u64, line: &mut String) {
    if number >= 10 {
        self::number(number / 10, line);
    }
    // A digit is one byte.
    line.push(char::from(b'0' + u8::try_from(number % 10).unwrap_or(0)));
}

/// What a client does, in a word.
pub(super) fn role(role: Role) -> &'static str {
    match role {
        Role::Unknown => "unknown",
        Role::Publisher { .. } => "publish",
        Role::Player => "play",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_written_as_everywhere() {
        for text in ["0.0.0.0:0", "192.0.2.107:65535", "[2001:db8::1]:1935"] {
            let mut line = String::new();
            address(text.parse().unwrap(), &mut line);
            assert_eq!(line, text);
        }
    }

    #[test]
    fn a_stream_is_named_with_its_vhost_where_it_has_one_of_its_own() {
        for (vhost, label) in [
            ("__defaultVhost__", "live/camera/north"),
            ("a.example", "a.example/live/camera/north"),
        ] {
            let mut line = String::new();
            stream(&StreamName::new(vhost, "live", "camera/north"), &mut line);
            assert_eq!(line, label);
        }
    }
}
