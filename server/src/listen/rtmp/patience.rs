//! How long a session waits for its peer, and for what.

use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use srs_net::tcp;
use tokio::time::timeout;

use super::end::End;
use super::{Handled, Session};
use crate::output::rtmp_play::RtmpPlay;

/// Bytes wait for the peer.
#[derive(Clone, Copy, Debug)]
pub(super) struct Unsent {
    /// When it last took some, as far as was looked.
    since: Instant,
    /// How many it had taken then.
    sent: u64,
}

/// What is to come from the peer before media flow.
#[derive(Clone, Copy, Debug)]
pub(super) enum Phase {
    Handshake,
    /// Since then the peer has not published or played anything.
    Identify(Instant),
    /// Since then it does not any more.
    Idle(Instant),
    Streaming,
}

impl Session {
    /// Takes in what the socket holds before it judges by the time: after a pause of the whole
    /// process the media that came meanwhile are still unread.
    pub(super) async fn read_then_check_deadlines(&mut self) -> Option<End> {
        if let Ok(result) = timeout(Duration::ZERO, self.transport.exchange(true)).await
            && let Some(end) = self.exchanged(result)
        {
            return Some(end);
        }
        match self.handle_inbox() {
            Handled::All => self.check_deadlines(Instant::now()),
            // What is left is handled next, and the timer looks again.
            Handled::Some => None,
            Handled::End(end) => Some(end),
        }
    }

    /// Notes when bytes begin to wait for the peer, and when none do any more.
    pub(super) fn note_unsent(&mut self) {
        if self.transport.outbox.is_empty() {
            self.unsent = None;
        } else if self.unsent.is_none() {
            self.unsent = Some(Unsent {
                since: Instant::now(),
                sent: self.transport.sent(),
            });
        }
    }

    /// The next moment at which patience with the peer may be over.
    pub(super) fn deadline(&self) -> Instant {
        let limits = &self.config.limits;
        let phase = match self.phase {
            Phase::Handshake => Some(self.began + limits.handshake_timeout),
            Phase::Identify(since) => Some(since + limits.identify_timeout),
            Phase::Idle(since) => Some(since + BETWEEN_STREAMS),
            Phase::Streaming => None,
        };
        let write = self.unsent.map(|unsent| unsent.since + limits.send_timeout);
        let publishers = self
            .publishing
            .iter()
            .map(|(_, publish)| publish.deadline());
        let players = self.playing.iter().filter_map(RtmpPlay::deadline);
        let pause = match self.playing.iter().find(|play| play.is_seated()) {
            Some(play) if play.awaits_rate() => UNTIL_THE_RATE_IS_KNOWN,
            Some(_) => UNTIL_IT_STANDS,
            None => LOOK_AGAIN,
        };
        let look_again = Instant::now() + pause;
        [phase, write]
            .into_iter()
            .flatten()
            .chain(publishers)
            .chain(players)
            .fold(look_again, Ord::min)
    }

    /// Notes the round trip to the peer, and what had to be sent to it again.
    pub(super) fn measure_connection(&self) {
        // Of a socket that is closed there is nothing to tell.
        if let Ok(info) = tcp::info(self.transport.socket().as_ref()) {
            let traffic = &self.admitted.client().traffic;
            traffic.note_connection(info.round_trip, info.retransmits);
        }
    }

    fn check_deadlines(&mut self, now: Instant) -> Option<End> {
        let sent = self.transport.sent();
        if let Some(unsent) = &mut self.unsent
            && unsent.sent != sent
        {
            *unsent = Unsent { since: now, sent };
        }
        for play in &mut self.playing {
            play.look_for_publisher(now);
        }
        let traffic = &self.admitted.client().traffic;
        let lag = self
            .playing
            .iter()
            .map(RtmpPlay::lag)
            .max()
            .unwrap_or_default();
        let lag = u64::try_from(lag.as_millis()).unwrap_or(u64::MAX);
        traffic.lag_millis.store(lag, Ordering::Relaxed);
        traffic.bytes_out.store(sent, Ordering::Relaxed);
        self.measure_connection();
        let send_timeout = self.config.limits.send_timeout;
        if self
            .unsent
            .is_some_and(|unsent| now >= unsent.since + send_timeout)
        {
            return Some(End::SendTimeout);
        }
        match self.phase {
            Phase::Handshake if now >= self.began + self.config.limits.handshake_timeout => {
                return Some(End::HandshakeTimeout);
            }
            Phase::Identify(since) if now >= since + self.config.limits.identify_timeout => {
                return Some(End::IdentifyTimeout);
            }
            Phase::Idle(since) if now >= since + BETWEEN_STREAMS => return Some(End::Idle),
            _ => {}
        }
        if self
            .publishing
            .iter()
            .any(|(_, publish)| now >= publish.deadline())
        {
            return Some(End::PublishTimeout);
        }
        let tired: Vec<u32> = self
            .playing
            .iter()
            .filter(|play| play.deadline().is_some_and(|deadline| now >= deadline))
            .map(RtmpPlay::message_stream_id)
            .collect();
        for id in tired {
            self.end_play(id, "the stream has no publisher", now);
        }
        None
    }
}

/// How long a client may rest between two streams on one connection.
const BETWEEN_STREAMS: Duration = Duration::from_secs(180);
/// Until its send buffer has a size, a player that does not read makes the kernel hold megabytes.
const UNTIL_THE_RATE_IS_KNOWN: Duration = Duration::from_secs(3);
/// A player that others write to has no figures but those that they tell: it is behind by nothing.
const UNTIL_IT_STANDS: Duration = Duration::from_secs(600);
/// A session looks at its figures at least so often.
const LOOK_AGAIN: Duration = Duration::from_secs(10);
