//! A line about all publishers and one about all players, at an interval, however many there are.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::{Instant, MissedTickBehavior, interval};

use super::clients::Clients;
use super::counters::Counters;
use crate::config::{Config, PithyPrintConfig};
use crate::hub::Hub;
use crate::hub::stats::{Reading, Windows};

/// What the lines are about.
#[derive(Clone, Debug)]
pub struct Subject {
    /// The clients.
    pub clients: Clients,
    /// The streams.
    pub hub: Hub,
    /// What went wrong.
    pub counters: Arc<Counters>,
}

/// Prints until it is dropped, at the intervals of the configuration in force.
pub async fn run(subject: Subject, config: watch::Receiver<Arc<Config>>) {
    let players = print_role(&subject, Clients::players, "-> PLA", config.clone(), |c| {
        c.play
    });
    let publishers = print_role(&subject, Clients::publishers, "<- CPB", config, |c| {
        c.publish
    });
    tokio::join!(players, publishers, print_incidents(&subject));
}

/// The original's tags are kept: scripts look for them.
async fn print_role(
    subject: &Subject,
    count: Count,
    tag: &str,
    mut config: watch::Receiver<Arc<Config>>,
    interval_of: fn(&PithyPrintConfig) -> Option<Duration>,
) {
    let mut print = Print::new(subject, count, tag);
    loop {
        let every = interval_of(&config.borrow_and_update().pithy_print);
        let changed = async {
            let is_other = |config: &Arc<Config>| interval_of(&config.pithy_print) != every;
            if config.wait_for(is_other).await.is_err() {
                // Nobody is left who could change it.
                std::future::pending::<()>().await;
            }
        };
        tokio::select! {
            () = changed => {}
            () = print.at_each(every) => {}
        }
    }
}

/// How many clients have a role, and what they have counted in it.
type Count = fn(&Clients) -> (usize, Reading);

struct Print<'a> {
    subject: &'a Subject,
    count: Count,
    tag: &'a str,
    started: Instant,
    /// What had been counted when it began.
    began_at: Reading,
    windows: Windows,
    before: Reading,
}

impl<'a> Print<'a> {
    fn new(subject: &'a Subject, count: Count, tag: &'a str) -> Self {
        let started = Instant::now();
        let (_, total) = count(&subject.clients);
        Self {
            subject,
            count,
            tag,
            started,
            began_at: total,
            windows: Windows::new(started.into_std()),
            before: total,
        }
    }

    /// Prints at once and then at each interval; never if there is none.
    async fn at_each(&mut self, every: Option<Duration>) {
        let Some(every) = every else {
            return std::future::pending().await;
        };
        let mut ticks = ticker(every);
        loop {
            let now = ticks.tick().await;
            self.print(now);
        }
    }

    fn print(&mut self, now: Instant) {
        let (clients, total) = (self.count)(&self.subject.clients);
        let counted = total.since(&self.began_at);
        self.windows
            .record(now.into_std(), counted.bytes_in, counted.bytes_out);
        let [_, short, _, long, _] = self.windows.kbps();
        let elapsed = now.duration_since(self.started);
        let average = |bytes| average_kbps(bytes, elapsed);
        if clients > 0 {
            tracing::info!(
                time = elapsed.as_millis(),
                clients,
                streams = self.subject.hub.len(),
                msgs = total.packets().saturating_sub(self.before.packets()),
                okbps = %list([average(counted.bytes_out), short.sent, long.sent]),
                ikbps = %list([average(counted.bytes_in), short.received, long.received]),
                lag = total.lag_millis,
                drops = total.dropped,
                "{}",
                self.tag
            );
        }
        self.before = total;
    }
}

/// Refusals and errors are logged where they happen; their sums show how it goes on the whole.
async fn print_incidents(subject: &Subject) {
    let mut before = 0;
    let mut ticks = ticker(INCIDENTS_EVERY);
    loop {
        ticks.tick().await;
        let total = subject.counters.total();
        if total != before {
            tracing::info!("incidents since the start: {}", subject.counters);
            before = total;
        }
    }
}

fn ticker(every: Duration) -> tokio::time::Interval {
    let mut ticks = interval(every);
    // After a suspension one line is enough.
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    ticks
}

fn average_kbps(bytes: u64, elapsed: Duration) -> u64 {
    let bits = u128::from(bytes) * 8;
    let kbps = bits.checked_div(elapsed.as_millis()).unwrap_or(0);
    u64::try_from(kbps).unwrap_or(u64::MAX)
}

fn list(kbps: [u64; 3]) -> String {
    let [average, short, long] = kbps;
    format!("{average},{short},{long}")
}

const INCIDENTS_EVERY: Duration = Duration::from_secs(60);
