//! Streams and clients as one line of text, which patterns are matched with.

use std::fmt::Write as _;

use crate::config::VhostName;
use crate::control::clients::{Client, Glance, Role};
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
pub(super) fn client(client: &Client, glance: &Glance, line: &mut String) {
    let role = role(glance.role);
    // A text takes whatever is written to it.
    let _ = write!(line, "{} {role} {} ", client.id, client.peer);
    if let Some(playing) = &glance.stream {
        stream(playing.name(), line);
    }
    line.push(' ');
    line.push_str(&glance.profile.agent);
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
