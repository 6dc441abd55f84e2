//! Brings what the clients have counted to the accounts of streams, vhosts and the server, about
//! once a second, and notes for rates and histories how much it is.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::{MissedTickBehavior, interval};

use crate::service::Service;

/// Samples until it is dropped.
pub async fn run(service: Arc<Service>) {
    let mut ticks = interval(EVERY);
    // After a suspension one sample is enough.
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        let now = ticks.tick().await.into_std();
        service.clients.sample(now);
        for stream in service.hub.streams() {
            stream.sample(now);
        }
    }
}

/// A fifth of the shortest window of the rates.
const EVERY: Duration = Duration::from_secs(1);
