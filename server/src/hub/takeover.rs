//! Who may publish a stream that somebody publishes already.

use std::net::IpAddr;
use std::time::Duration;

use crate::config::Takeover;

/// What a publisher can show for itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Credential {
    /// Where it comes from.
    pub address: IpAddr,
    /// The parameters of its address, in order; empty if none.
    pub params: String,
}

impl Credential {
    /// Whether two publishers are the same: by their parameters, or, where neither has any, by
    /// their address.
    pub fn is_same(&self, other: &Self) -> bool {
        if self.params.is_empty() && other.params.is_empty() {
            self.address == other.address
        } else {
            self.params == other.params
        }
    }
}

/// A client that wants to publish.
#[derive(Clone, Debug)]
pub struct PublishRequest {
    /// The client's id, for logs and for the client that it replaces.
    pub client: u64,
    /// What it can show.
    pub credential: Credential,
    /// Whom it may replace.
    pub takeover: Takeover,
    /// A publisher from which no byte came for so long counts as lost when it comes back itself,
    /// where it may not replace itself at once.
    pub dead_after: Duration,
}

impl PublishRequest {
    /// Whether this client may replace one with `credential` that has been silent for `silence`.
    pub fn may_replace(&self, credential: &Credential, silence: Duration) -> bool {
        let is_same = self.credential.is_same(credential);
        match self.takeover {
            Takeover::Takeover => true,
            Takeover::TakeoverSame => is_same,
            Takeover::Reject => is_same && silence >= self.dead_after,
        }
    }
}

/// Why a stream cannot be published.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PublishError {
    /// Somebody publishes it, and the newcomer may not replace them.
    #[error("the stream is published by client {client} already")]
    Busy {
        /// The client that publishes it.
        client: u64,
    },
}

/// A publisher is no longer its stream's: another client replaced it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("replaced by client {by}")]
pub struct Replaced {
    /// The client that publishes now.
    pub by: u64,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_same_publisher_replaces_by_default() {
        let home = IpAddr::from([192, 0, 2, 1]);
        let away = IpAddr::from([192, 0, 2, 2]);
        let who = |address, params: &str| Credential {
            address,
            params: params.into(),
        };
        for (name, newcomer, incumbent, same) in [
            (
                "the same address, no parameters",
                who(home, ""),
                who(home, ""),
                true,
            ),
            (
                "another address, no parameters",
                who(away, ""),
                who(home, ""),
                false,
            ),
            (
                "the same parameters from elsewhere",
                who(away, "key=1"),
                who(home, "key=1"),
                true,
            ),
            (
                "other parameters, same address",
                who(home, "key=2"),
                who(home, "key=1"),
                false,
            ),
            (
                "no parameters against some",
                who(home, ""),
                who(home, "key=1"),
                false,
            ),
            (
                "some parameters against none",
                who(home, "key=1"),
                who(home, ""),
                false,
            ),
        ] {
            let request = |takeover| PublishRequest {
                client: 2,
                credential: newcomer.clone(),
                takeover,
                dead_after: Duration::from_secs(2),
            };
            let lively = Duration::from_millis(40);
            let same_only = request(Takeover::TakeoverSame);
            assert_eq!(same_only.may_replace(&incumbent, lively), same, "{name}");
            assert!(
                request(Takeover::Takeover).may_replace(&incumbent, lively),
                "{name}"
            );
            assert!(
                !request(Takeover::Reject).may_replace(&incumbent, lively),
                "{name}"
            );
            let silent = Duration::from_secs(2);
            let rejecting = request(Takeover::Reject);
            assert_eq!(rejecting.may_replace(&incumbent, silent), same, "{name}");
            assert_eq!(
                same_only.may_replace(&incumbent, silent),
                same,
                "{name}: no key"
            );
        }
    }
}
