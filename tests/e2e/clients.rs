//! Clients written here, for what no program of others does on demand: many at once, broken,
//! silent or hostile ones, and those whose every message is looked at.
//!
//! - [`dial`]: a server inside the test, and connections to it;
//! - [`media`]: a stream that looks like H.264 and AAC, each message different from all others;
//! - [`publisher`], [`player`]: well-behaved clients on the client of `srs-net`;
//! - [`peer`], [`wire`]: one that sends and hears message by message, or byte by byte;
//! - [`scene`]: those who want to be left alone;
//! - [`dice`]: choices that a seed repeats.

pub(crate) mod dial;
pub(crate) mod dice;
pub(crate) mod media;
pub(crate) mod peer;
pub(crate) mod player;
pub(crate) mod publisher;
pub(crate) mod scene;
pub(crate) mod wire;

use std::time::Duration;

use anyhow::{Context, Result};
use testkit::{SOON, wait_until};

pub(crate) use dial::{Dial, at, refusal, serve};
pub(crate) use dice::Dice;
pub(crate) use media::{Part, Sample, Show};
pub(crate) use peer::Peer;
pub(crate) use player::Player;
pub(crate) use publisher::Publisher;
pub(crate) use scene::Scene;
pub(crate) use wire::Heard;

/// Waits for `future`, which is about `what`, as long as anything may take that happens at once on
/// a quiet machine.
pub(crate) async fn soon<T>(what: &str, future: impl Future<Output = T>) -> Result<T> {
    within(SOON, what, future).await
}

/// Waits for `future` for at most `bound`.
pub(crate) async fn within<T>(
    bound: Duration,
    what: &str,
    future: impl Future<Output = T>,
) -> Result<T> {
    tokio::time::timeout(bound, future)
        .await
        .with_context(|| format!("waited {bound:?} for {what}, in vain"))
}

/// Waits until `holds`, which no message tells of: figures inside the server.
pub(crate) fn until(what: &str, holds: impl FnMut() -> bool) -> Result<()> {
    // The other tasks of the test go on meanwhile.
    tokio::task::block_in_place(|| wait_until(SOON, what, holds))
}
