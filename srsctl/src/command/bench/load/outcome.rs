//! What became of a load.

use std::time::Duration;

use srs_net::client::ClientError;

use super::super::client::Missed;
use super::super::histogram::Histogram;
use super::super::process::Thread;

/// What became of a load. The figures are of the measuring window, where nothing else is said.
#[derive(Debug, Default)]
pub(in super::super) struct Outcome {
    pub(in super::super) tally: Tally,
    /// Publishers and players that were there to the end.
    pub(in super::super) publishing: usize,
    pub(in super::super) playing: usize,
    /// Clients that were there, and that the server did not keep.
    pub(in super::super) disconnected: usize,
    /// How long was measured.
    pub(in super::super) window: Duration,
    /// Players that got nothing for too long.
    pub(in super::super) starved: usize,
    /// Bytes that came to players, and that were published for them.
    pub(in super::super) received: u64,
    pub(in super::super) published: u64,
    /// Bytes that the server took from publishers, and that were due to be sent.
    pub(in super::super) sent: u64,
    pub(in super::super) due: u64,
    /// From the beginning of the connect, of all players.
    pub(in super::super) first_media: Histogram,
    pub(in super::super) first_key_frame: Histogram,
    /// From publication to the probes.
    pub(in super::super) latency: Histogram,
    /// How late the tool did what was due: of messages, or of visits if it publishes nothing.
    pub(in super::super) late: Histogram,
    /// For how long the tool had a processor.
    pub(in super::super) own_cpu: Duration,
    pub(in super::super) server: Option<ServerUsage>,
}

/// What the server needed.
#[derive(Clone, Debug)]
pub(in super::super) struct ServerUsage {
    pub(in super::super) cpu: Duration,
    pub(in super::super) threads: Vec<Thread>,
    /// At the end, and before the clients that are measured came.
    pub(in super::super) rss_kb: u64,
    pub(in super::super) rss_kb_before: Option<u64>,
}

/// What became of those that were to come.
#[derive(Debug, Default)]
pub(in super::super) struct Tally {
    pub(in super::super) connected: usize,
    /// The server said no.
    pub(in super::super) refused: usize,
    /// Anything else.
    pub(in super::super) failed: usize,
    /// Of the first that did not come.
    pub(in super::super) reason: Option<Missed>,
}

impl Tally {
    /// One did not come. The first few are worth telling.
    pub(super) fn miss(&mut self, error: Missed) -> Option<String> {
        if matches!(error, Missed::Client(ClientError::Refused { .. })) {
            self.refused += 1;
        } else {
            self.failed += 1;
        }
        let error = anyhow::Error::new(error);
        let news = match self.refused + self.failed {
            ..=REASONS => Some(format!("a client did not come: {error:#}")),
            missed if missed == REASONS + 1 => {
                Some("more clients did not come; they are counted".to_owned())
            }
            _ => None,
        };
        if self.reason.is_none() {
            self.reason = error.downcast().ok();
        }
        news
    }
}

/// Clients whose reasons are told one by one.
const REASONS: usize = 5;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn those_that_do_not_come_are_counted_and_the_first_are_told() {
        let mut tally = Tally::default();
        let refused = || ClientError::Refused {
            code: "NetStream.Play.Failed".to_owned(),
            description: "no".to_owned(),
        };
        let news: Vec<_> = (0..7).map(|_| tally.miss(refused().into())).collect();
        assert!(
            news[0]
                .as_ref()
                .is_some_and(|news| news.contains("no (NetStream"))
        );
        assert!(news[5].as_ref().is_some_and(|news| news.contains("more")));
        assert_eq!(news[6], None);
        tally.miss(ClientError::Closed.into());
        assert_eq!((tally.refused, tally.failed), (7, 1));
        assert!(matches!(
            tally.reason,
            Some(Missed::Client(ClientError::Refused { .. }))
        ));
    }
}
