//! What went wrong with clients, counted since the start.

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};

/// Why a client was refused or cut off.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Incident {
    /// More clients than `max_connections`.
    TooManyConnections,
    /// More clients from one address, or network of IPv6, than `limits.connections_per_address`.
    TooManyFromAddress,
    /// The handshake took too long.
    HandshakeTimeout,
    /// Neither publish nor play came in time.
    IdentifyTimeout,
    /// A publisher sent nothing for too long.
    PublishTimeout,
    /// A client took no byte for too long.
    SendTimeout,
    /// A client broke the protocol or a limit of it.
    ProtocolError,
    /// A connect was refused: unknown or disabled vhost, refer.
    ConnectRefused,
    /// A publish was refused.
    PublishRefused,
    /// A play was refused.
    PlayRefused,
    /// A publisher was replaced by another.
    PublisherReplaced,
    /// A publisher's clock jumped and was set right.
    ClockJump,
    /// A data message of a publisher could not be read, and was left out.
    DataUnreadable,
    /// A request of the API did not prove who asks.
    ApiUnauthorized,
}

impl Incident {
    const ALL: [(Self, &'static str); 14] = [
        (Self::TooManyConnections, "too_many_connections"),
        (Self::TooManyFromAddress, "too_many_from_address"),
        (Self::HandshakeTimeout, "handshake_timeout"),
        (Self::IdentifyTimeout, "identify_timeout"),
        (Self::PublishTimeout, "publish_timeout"),
        (Self::SendTimeout, "send_timeout"),
        (Self::ProtocolError, "protocol_error"),
        (Self::ConnectRefused, "connect_refused"),
        (Self::PublishRefused, "publish_refused"),
        (Self::PlayRefused, "play_refused"),
        (Self::PublisherReplaced, "publisher_replaced"),
        (Self::ClockJump, "clock_jump"),
        (Self::DataUnreadable, "data_unreadable"),
        (Self::ApiUnauthorized, "api_unauthorized"),
    ];
}

/// Counts of each [`Incident`].
#[derive(Debug, Default)]
pub struct Counters {
    counts: [AtomicU64; Incident::ALL.len()],
}

impl Counters {
    /// Counts one more.
    pub fn count(&self, incident: Incident) {
        self.counts[incident as usize].fetch_add(1, Ordering::Relaxed);
    }

    /// The count of one.
    pub fn get(&self, incident: Incident) -> u64 {
        self.counts[incident as usize].load(Ordering::Relaxed)
    }

    /// All of them by name, for those who keep them.
    pub fn each(&self) -> impl Iterator<Item = (&'static str, u64)> {
        Incident::ALL
            .into_iter()
            .map(|(incident, name)| (name, self.get(incident)))
    }

    /// How many clients were refused or cut off.
    pub fn clients(&self) -> u64 {
        let of_a_client = |(incident, _): &(Incident, &str)| {
            !matches!(
                incident,
                Incident::ClockJump | Incident::DataUnreadable | Incident::ApiUnauthorized
            )
        };
        let counted = Incident::ALL.into_iter().filter(of_a_client);
        counted.map(|(incident, _)| self.get(incident)).sum()
    }

    /// The sum of all, to see whether anything has changed.
    pub fn total(&self) -> u64 {
        self.counts
            .iter()
            .map(|count| count.load(Ordering::Relaxed))
            .sum()
    }
}

impl fmt::Display for Counters {
    /// `handshake_timeout=3 protocol_error=1`: those that are not zero.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut separator = "";
        for (incident, name) in Incident::ALL {
            let count = self.get(incident);
            if count > 0 {
                write!(f, "{separator}{name}={count}")?;
                separator = " ";
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_incident_has_a_counter_of_its_own() {
        let counters = Counters::default();
        for (index, (incident, name)) in Incident::ALL.into_iter().enumerate() {
            assert_eq!(incident as usize, index, "{name}");
            counters.count(incident);
        }
        assert_eq!(counters.total(), Incident::ALL.len() as u64);
    }

    #[test]
    fn what_never_happened_is_not_shown() {
        let counters = Counters::default();
        assert_eq!(counters.to_string(), "");
        counters.count(Incident::ProtocolError);
        counters.count(Incident::HandshakeTimeout);
        counters.count(Incident::HandshakeTimeout);
        assert_eq!(counters.to_string(), "handshake_timeout=2 protocol_error=1");
    }
}
