//! How one client comes: as a task of its own, up to where its stream flows.

use std::net::TcpStream;
use std::sync::Arc;

use bytes::Bytes;
use srs_net::client::ClientError;
use srs_rtmp::MediaKind;

use super::client::{Client, Destination, Missed, Start};

/// What a client is to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Role {
    Publisher,
    /// A player whose bytes are discarded once it has seen its first key frame.
    Player,
    /// A player that reads everything.
    Probe,
}

/// A client that has come.
#[derive(Debug)]
pub(super) enum Ready {
    Publisher {
        socket: TcpStream,
        message_stream_id: u32,
    },
    Player {
        socket: TcpStream,
        received: u64,
        start: Start,
    },
    Probe {
        client: Box<Client>,
        start: Start,
    },
}

/// What publishers send before all frames.
pub(super) type Headers = Arc<[(MediaKind, Bytes)]>;

/// Lets a client come.
///
/// # Errors
/// [`Missed`]: unreachable, refused, broken on the way, or without media.
pub(super) async fn come(role: Role, to: Destination, headers: Headers) -> Result<Ready, Missed> {
    if role == Role::Publisher {
        let mut client = Client::publish(&to).await?;
        let message_stream_id = client.announce(&headers).await?;
        return Ok(Ready::Publisher {
            socket: client.into_socket().map_err(ClientError::from)?,
            message_stream_id,
        });
    }
    let (client, start) = Client::play(&to).await?;
    if role == Role::Probe {
        let client = Box::new(client);
        return Ok(Ready::Probe { client, start });
    }
    Ok(Ready::Player {
        received: client.received(),
        socket: client.into_socket().map_err(ClientError::from)?,
        start,
    })
}

/// The role of the player of this index, where so many of all players are probes, evenly spread.
pub(super) fn of_player(index: usize, probes: usize, players: usize) -> Role {
    let probes = probes.min(players);
    if (index + 1) * probes / players > index * probes / players {
        Role::Probe
    } else {
        Role::Player
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn probes_are_spread_evenly_over_the_players() {
        for (probes, players, chosen) in [
            (0, 4, vec![]),
            (1, 4, vec![3]),
            (2, 4, vec![1, 3]),
            (3, 10, vec![3, 6, 9]),
            (20, 3, vec![0, 1, 2]),
        ] {
            let is_probe = |index: &usize| of_player(*index, probes, players) == Role::Probe;
            let found: Vec<_> = (0..players).filter(is_probe).collect();
            assert_eq!(found, chosen, "{probes} of {players}");
        }
    }
}
