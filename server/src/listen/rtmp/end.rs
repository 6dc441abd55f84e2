//! How a session ends, and who is told.

use std::fmt;
use std::io;

use srs_rtmp::ConnectionError;

use crate::control::counters::Incident;
use crate::control::logging::MessageId;

/// Why a session is over.
#[derive(Debug)]
pub(super) enum End {
    /// The peer closed the connection.
    PeerClosed,
    /// The socket broke.
    Socket(io::Error),
    /// The peer broke the protocol or a limit of it.
    Protocol(ConnectionError),
    /// The connect was refused; it was told and counted where it happened.
    Refused,
    /// Another publisher took the stream over; told and counted likewise.
    Replaced,
    /// The handshake took too long.
    HandshakeTimeout,
    /// Neither publish nor play came in time.
    IdentifyTimeout,
    /// The client had published or played, and did neither for long.
    Idle,
    /// The publisher sent nothing for too long.
    PublishTimeout,
    /// The peer took no byte for too long.
    SendTimeout,
    /// An operator wants the client gone.
    Kicked,
    /// The vhost that serves the client was removed or disabled by a reload.
    VhostRemoved,
    /// The server stops.
    Stopped,
}

impl End {
    /// What is counted.
    pub(super) fn incident(&self) -> Option<Incident> {
        match self {
            Self::Protocol(_) => Some(Incident::ProtocolError),
            Self::HandshakeTimeout => Some(Incident::HandshakeTimeout),
            Self::IdentifyTimeout => Some(Incident::IdentifyTimeout),
            Self::PublishTimeout => Some(Incident::PublishTimeout),
            Self::SendTimeout => Some(Incident::SendTimeout),
            Self::PeerClosed
            | Self::Socket(_)
            | Self::Refused
            | Self::Replaced
            | Self::Idle
            | Self::Kicked
            | Self::VhostRemoved
            | Self::Stopped => None,
        }
    }

    /// Whether the peer is still there to be told.
    pub(super) fn deserves_farewell(&self) -> bool {
        match self {
            Self::Refused
            | Self::Replaced
            | Self::Kicked
            | Self::VhostRemoved
            | Self::Stopped
            | Self::Idle
            | Self::IdentifyTimeout
            | Self::PublishTimeout
            | Self::Protocol(_) => true,
            Self::PeerClosed | Self::Socket(_) | Self::HandshakeTimeout | Self::SendTimeout => {
                false
            }
        }
    }

    /// Whether the peer had to be cut off, for what it did or did not do: that is what is counted.
    pub(super) fn is_cut_off(&self) -> bool {
        self.incident().is_some()
    }

    /// The session's last line in the log: a peer that leaves is nothing special, one that must be
    /// cut off is worth a look, unless there are so many that [`Complaints`] only counts them.
    ///
    /// [`Complaints`]: crate::control::complaints::Complaints
    pub(super) fn tell(&self, is_worth_a_line: bool) {
        if self.is_cut_off() && is_worth_a_line {
            tracing::warn!(
                message_id = MessageId::CutOff.as_str(),
                "disconnected: {self}"
            );
            return;
        }
        match self {
            Self::Kicked | Self::VhostRemoved => tracing::info!("disconnected: {self}"),
            _ => tracing::debug!("disconnected: {self}"),
        }
    }
}

impl fmt::Display for End {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::PeerClosed => write!(f, "the client closed the connection"),
            Self::Socket(error) => write!(f, "the connection broke: {error}"),
            Self::Protocol(error) => write!(f, "the client broke the protocol: {error}"),
            Self::Refused => write!(f, "the client was refused"),
            Self::Replaced => write!(f, "another publisher took over"),
            Self::HandshakeTimeout => {
                write!(f, "no handshake within limits.handshake_timeout")
            }
            Self::IdentifyTimeout => {
                write!(f, "neither publish nor play within limits.identify_timeout")
            }
            Self::Idle => write!(f, "nothing was published or played for three minutes"),
            Self::PublishTimeout => {
                write!(
                    f,
                    "no media within publish.first_packet_timeout or publish.timeout"
                )
            }
            Self::SendTimeout => write!(f, "took no data within limits.send_timeout"),
            Self::Kicked => write!(f, "disconnected by the operator"),
            Self::VhostRemoved => write!(f, "the vhost is not served any more"),
            Self::Stopped => write!(f, "the server stops"),
        }
    }
}
