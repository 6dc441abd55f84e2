//! A line about all publishers and one about all players, at an interval, however many there are.

use std::time::Duration;

use tokio::time::{Instant, MissedTickBehavior, interval};

use super::clients::{Clients, Role};
use super::counters::Counters;
use crate::config::PithyPrintConfig;
use crate::hub::Hub;
use crate::hub::stats::Rates;

/// What the lines are about.
#[derive(Clone, Debug)]
pub struct Subject {
    /// The clients.
    pub clients: Clients,
    /// The streams.
    pub hub: Hub,
    /// What went wrong.
    pub counters: std::sync::Arc<Counters>,
}

/// Prints until it is dropped.
pub async fn run(subject: Subject, config: PithyPrintConfig) {
    let players = print_role(&subject, Role::Player, "-> PLA", config.play);
    let publishers = print_role(&subject, Role::Publisher, "<- CPB", config.publish);
    tokio::join!(players, publishers, print_incidents(&subject));
}

/// The original's tags are kept: scripts look for them.
async fn print_role(subject: &Subject, role: Role, tag: &str, every: Option<Duration>) {
    let Some(every) = every else {
        return;
    };
    let started = Instant::now();
    let (_, total) = subject.clients.totals(role);
    let mut rates_in = Rates::new(started.into_std(), total.bytes_in);
    let mut rates_out = Rates::new(started.into_std(), total.bytes_out);
    let mut before = total;
    let mut ticks = ticker(every);
    loop {
        let now = ticks.tick().await;
        let (clients, total) = subject.clients.totals(role);
        rates_in.record(now.into_std(), total.bytes_in);
        rates_out.record(now.into_std(), total.bytes_out);
        if clients > 0 {
            tracing::info!(
                time = now.duration_since(started).as_millis(),
                clients,
                streams = subject.hub.streams().len(),
                msgs = total.packets.saturating_sub(before.packets),
                okbps = %list(rates_out.kbps()),
                ikbps = %list(rates_in.kbps()),
                lag = total.lag_millis,
                drops = total.dropped,
                "{tag}"
            );
        }
        before = total;
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

fn list(kbps: [u64; 3]) -> String {
    let [average, short, long] = kbps;
    format!("{average},{short},{long}")
}

const INCIDENTS_EVERY: Duration = Duration::from_secs(60);
