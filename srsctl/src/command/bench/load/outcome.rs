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
    /// The different reasons that were not told yet, with the number of clients.
    pub(in super::super) reasons: Vec<(String, usize)>,
    /// Clients with yet other reasons.
    pub(in super::super) others: usize,
}

impl Tally {
    /// One did not come.
    pub(super) fn miss(&mut self, error: Missed) {
        if matches!(error, Missed::Client(ClientError::Refused { .. })) {
            self.refused += 1;
        } else {
            self.failed += 1;
        }
        let error = anyhow::Error::new(error);
        let text = format!("{error:#}");
        if let Some((_, count)) = self.reasons.iter_mut().find(|(known, _)| *known == text) {
            *count += 1;
        } else if self.reasons.len() < REASONS {
            self.reasons.push((text, 1));
        } else {
            self.others += 1;
        }
        if self.reason.is_none() {
            self.reason = error.downcast().ok();
        }
    }

    /// Why some did not come, each reason once; from then on for those that follow.
    pub(super) fn news(&mut self) -> Vec<String> {
        let clients = |count| match count {
            1 => "a client".to_owned(),
            count => format!("{count} clients"),
        };
        let reasons = std::mem::take(&mut self.reasons).into_iter();
        let mut news: Vec<_> = reasons
            .map(|(reason, count)| format!("{} did not come: {reason}", clients(count)))
            .collect();
        let others = std::mem::take(&mut self.others);
        if others > 0 {
            news.push(format!(
                "{} did not come for other reasons",
                clients(others)
            ));
        }
        news
    }
}

/// Different reasons that are told.
const REASONS: usize = 5;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn those_that_do_not_come_are_counted_and_each_reason_is_told_once() {
        let mut tally = Tally::default();
        let refused = |code: &str| ClientError::Refused {
            code: code.to_owned(),
            description: "no".to_owned(),
        };
        for _ in 0..7 {
            tally.miss(refused("NetStream.Play.Failed").into());
        }
        tally.miss(ClientError::Closed.into());
        for code in ["a", "b", "c", "d", "e"] {
            tally.miss(refused(code).into());
        }
        assert_eq!((tally.refused, tally.failed), (12, 1));
        assert!(matches!(
            tally.reason,
            Some(Missed::Client(ClientError::Refused { .. }))
        ));
        let news = tally.news();
        assert_eq!(news.len(), 6, "{news:?}");
        assert!(news[0].starts_with("7 clients did not come: "), "{news:?}");
        assert!(news[0].contains("no (NetStream.Play.Failed)"), "{news:?}");
        assert!(news[1].starts_with("a client did not come: "), "{news:?}");
        assert_eq!(news[5], "2 clients did not come for other reasons");
        assert!(tally.news().is_empty(), "told once");
    }
}
