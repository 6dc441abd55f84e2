//! What waits for a manager that does not read.
//!
//! Only what still counts does, so that it has a bound however long the manager takes. Of the turns
//! in the server's life ([`Turn`]) the newest of each kind waits, in the order in which they came:
//! that leaves the manager where all of them would have left it. Of statuses and beats the newest one
//! waits.

use std::time::{Duration, Instant};

use sd_notify::NotifyState;

/// A turn in the server's life, which the manager must hear of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Turn {
    /// It serves.
    Ready,
    /// It puts another configuration in force.
    Reloading,
    /// It stops.
    Stopping,
    /// The stop takes longer.
    Extend,
}

/// What the manager has not been told yet.
#[derive(Debug, Default)]
pub(super) struct Waiting {
    turns: Vec<(Turn, String)>,
    status: Option<String>,
    beat: Option<Instant>,
    /// Within what time the manager wants a beat.
    watchdog: Option<Duration>,
}

impl Waiting {
    /// Nothing yet, for a manager that wants beats within `watchdog`.
    pub(super) fn new(watchdog: Option<Duration>) -> Self {
        Self {
            watchdog,
            ..Self::default()
        }
    }

    /// Adds `turn`, which is said with `states`. One of its kind that waits is over: a reload that
    /// has ended before the manager heard that it began, or time that was asked for and is asked for
    /// again.
    pub(super) fn turn(&mut self, turn: Turn, states: &[NotifyState<'_>]) {
        self.turns.retain(|(waiting, _)| *waiting != turn);
        let states: Vec<String> = states.iter().map(ToString::to_string).collect();
        self.turns.push((turn, states.join("\n")));
    }

    /// Adds how the server goes.
    pub(super) fn status(&mut self, status: &str) {
        self.status = Some(NotifyState::Status(status).to_string());
    }

    /// Adds that the server was seen to turn at this time.
    pub(super) fn beat(&mut self, at: Instant) {
        self.beat = Some(at);
    }

    /// Takes the next message out, at the time `now`.
    ///
    /// A beat says that the server turned when it was made, but the manager counts from when it reads
    /// it. So one that has waited for longer than the manager would have is left out: it would hide
    /// that no newer one came, and of a server that is stuck none comes. What is late all the same is
    /// the message that the thread has in hand while the manager does not read, and those in its
    /// socket: a server that got stuck meanwhile is found out one interval after they are read.
    pub(super) fn next(&mut self, now: Instant) -> Option<String> {
        if let Some(at) = self.beat.take()
            && self
                .watchdog
                .is_none_or(|within| now.saturating_duration_since(at) <= within)
        {
            return Some(NotifyState::Watchdog.to_string());
        }
        if self.turns.is_empty() {
            return self.status.take();
        }
        let (_, mut lines) = self.turns.remove(0);
        // With the last one: it is how the server goes after all of them.
        if self.turns.is_empty()
            && let Some(status) = self.status.take()
        {
            lines.push('\n');
            lines.push_str(&status);
        }
        Some(lines)
    }

    /// Whether the manager has been told all.
    pub(super) fn is_empty(&self) -> bool {
        self.turns.is_empty() && self.status.is_none() && self.beat.is_none()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const WITHIN: Duration = Duration::from_secs(30);

    /// Adds what `word` says: a turn, a status (`=fine`) or a beat of so many seconds ago (`beat 5`).
    fn add(waiting: &mut Waiting, word: &str, now: Instant) {
        let micros = |text: &str| text.parse().unwrap();
        match word.split_once(' ').unwrap_or((word, "")) {
            ("ready", _) => waiting.turn(Turn::Ready, &[NotifyState::Ready]),
            ("reloading", at) => waiting.turn(
                Turn::Reloading,
                &[
                    NotifyState::Reloading,
                    NotifyState::MonotonicUsec(at.parse().unwrap()),
                ],
            ),
            ("stopping", _) => waiting.turn(Turn::Stopping, &[NotifyState::Stopping]),
            ("extend", by) => {
                waiting.turn(Turn::Extend, &[NotifyState::ExtendTimeoutUsec(micros(by))]);
            }
            ("beat", ago) => {
                let ago = Duration::from_secs(ago.parse().unwrap());
                waiting.beat(now.checked_sub(ago).unwrap());
            }
            (status, _) => waiting.status(status.strip_prefix('=').unwrap()),
        }
    }

    fn sent(told: &[&str]) -> Vec<String> {
        // Late enough for beats of the past.
        let now = Instant::now() + Duration::from_secs(3_600);
        let mut waiting = Waiting::new(Some(WITHIN));
        for word in told {
            add(&mut waiting, word, now);
        }
        let sent = std::iter::from_fn(|| waiting.next(now)).collect();
        assert!(waiting.is_empty());
        sent
    }

    #[test]
    fn what_still_counts_is_sent_and_in_order() {
        let cases: [(&[&str], &[&str]); 13] = [
            (&[], &[]),
            (&["ready", "=fine"], &["READY=1\nSTATUS=fine"]),
            (&["=a", "=b", "=c"], &["STATUS=c"]),
            (&["beat 3", "beat 2", "beat 1"], &["WATCHDOG=1"]),
            (&["beat 30"], &["WATCHDOG=1"]),
            (&["beat 31"], &[]),
            (&["beat 31", "=a"], &["STATUS=a"]),
            (
                &["=a", "reloading 1", "beat 1", "ready", "=b", "beat 0"],
                &[
                    "WATCHDOG=1",
                    "RELOADING=1\nMONOTONIC_USEC=1",
                    "READY=1\nSTATUS=b",
                ],
            ),
            (
                &["reloading 1", "ready", "=a", "reloading 2", "ready", "=b"],
                &["RELOADING=1\nMONOTONIC_USEC=2", "READY=1\nSTATUS=b"],
            ),
            (
                &["ready", "reloading 1"],
                &["READY=1", "RELOADING=1\nMONOTONIC_USEC=1"],
            ),
            (
                &["reloading 1", "ready", "reloading 2"],
                &["READY=1", "RELOADING=1\nMONOTONIC_USEC=2"],
            ),
            (
                &["reloading 1", "stopping", "=stopping", "extend 5"],
                &[
                    "RELOADING=1\nMONOTONIC_USEC=1",
                    "STOPPING=1",
                    "EXTEND_TIMEOUT_USEC=5\nSTATUS=stopping",
                ],
            ),
            (
                &["stopping", "extend 5", "=a", "extend 6", "=b"],
                &["STOPPING=1", "EXTEND_TIMEOUT_USEC=6\nSTATUS=b"],
            ),
        ];
        for (told, expected) in cases {
            assert_eq!(sent(told), expected, "{told:?}");
        }
    }

    #[test]
    fn a_beat_counts_for_long_where_nobody_counts() {
        let now = Instant::now();
        let mut waiting = Waiting::new(None);
        waiting.beat(now);
        let beat = waiting.next(now + Duration::from_secs(3_600));
        assert_eq!(beat.as_deref(), Some("WATCHDOG=1"));
    }

    /// What systemd takes a unit for.
    #[derive(Clone, Copy, Debug, PartialEq)]
    enum Unit {
        Activating,
        Active,
        Reloading,
        Stopping,
    }

    /// As `service_notify_message` of systemd has it.
    fn after(unit: Unit, message: &str) -> Unit {
        match (unit, message.lines().next().unwrap()) {
            (_, "STOPPING=1") => Unit::Stopping,
            (Unit::Activating | Unit::Reloading, "READY=1") => Unit::Active,
            (Unit::Active, "RELOADING=1") => Unit::Reloading,
            _ => unit,
        }
    }

    #[test]
    fn the_manager_ends_where_all_messages_would_have_left_it() {
        let words = ["ready", "reloading 7", "stopping", "extend 5"];
        // Each sequence of seven.
        for number in 0..words.len().pow(7) {
            let told: Vec<&str> = (0..7)
                .map(|place| words[number / words.len().pow(place) % words.len()])
                .collect();
            let each: Vec<String> = told.iter().flat_map(|word| sent(&[*word])).collect();
            let sent = sent(&told);
            assert!(sent.len() <= words.len(), "{told:?}: {sent:?}");
            let mut rest = each.iter();
            let is_in_order = sent.iter().all(|message| rest.any(|it| it == message));
            assert!(is_in_order, "{told:?}: {sent:?}");
            for start in [Unit::Activating, Unit::Active] {
                let end = |messages: &[String]| {
                    let messages = messages.iter().map(String::as_str);
                    messages.fold(start, after)
                };
                assert_eq!(end(&sent), end(&each), "{told:?}: {sent:?}");
            }
        }
    }
}
