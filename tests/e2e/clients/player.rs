//! A client that plays as it should.

use anyhow::{Context, Result, bail};
use bytes::Bytes;
use srs_net::RtmpClient;
use srs_rtmp::Media;
use srs_rtmp::client::ClientEvent;

use super::{Part, soon};

/// A player that the server has accepted. Dropping it ends the connection without a word.
#[derive(Debug)]
pub(crate) struct Player {
    client: RtmpClient,
}

impl Player {
    pub(super) fn new(client: RtmpClient) -> Self {
        Self { client }
    }

    /// The next message of the stream.
    pub(crate) async fn next(&mut self) -> Result<Media> {
        soon("media", async {
            loop {
                match self.client.next_event().await? {
                    Some(ClientEvent::Media(media)) => return Ok(media),
                    Some(event @ ClientEvent::Ended { .. }) => bail!("the stream ended: {event:?}"),
                    Some(_) => {}
                    None => bail!("the server closed the connection"),
                }
            }
        })
        .await?
    }

    /// Bytes that it has read, of all kinds.
    pub(crate) fn received(&self) -> u64 {
        self.client.received()
    }

    /// The next `count` messages.
    pub(crate) async fn take(&mut self, count: usize) -> Result<Vec<Media>> {
        let mut seen = Vec::with_capacity(count);
        while seen.len() < count {
            let media = self.next().await;
            seen.push(media.with_context(|| format!("after {} messages", seen.len()))?);
        }
        Ok(seen)
    }

    /// The messages up to the one that carries `payload`, which is the last.
    pub(crate) async fn up_to(&mut self, payload: &Bytes) -> Result<Vec<Media>> {
        let mut seen = Vec::new();
        while seen
            .last()
            .is_none_or(|last: &Media| last.payload != payload)
        {
            let media = self.next().await;
            seen.push(media.with_context(|| format!("after {} messages", seen.len()))?);
        }
        Ok(seen)
    }

    /// Waits until the server ends the stream; gives what came before, and the code of the end.
    pub(crate) async fn ended(&mut self) -> Result<(Vec<Media>, String)> {
        soon("the end of the stream", async {
            let mut seen = Vec::new();
            loop {
                match self.client.next_event().await? {
                    Some(ClientEvent::Media(media)) => seen.push(media),
                    Some(ClientEvent::Ended { code, .. }) => return Ok((seen, code)),
                    Some(_) => {}
                    None => bail!("the server closed the connection without a word"),
                }
            }
        })
        .await?
    }

    /// Stops and closes in order.
    pub(crate) async fn finish(self) -> Result<()> {
        Ok(self.client.finish().await?)
    }
}

/// Checks that the times of picture and sound rise, and that none is more than `most` milliseconds
/// after the one before. Metadata has no time.
pub(crate) fn check_times_rise(seen: &[Media], most: u32) -> Result<()> {
    let times = seen
        .iter()
        .filter(|media| Part::of(media) != Part::Metadata);
    let times: Vec<u32> = times.map(|media| media.timestamp).collect();
    for pair in times.windows(2) {
        let (before, after) = (pair[0], pair[1]);
        let step = after.wrapping_sub(before);
        if step > most {
            bail!("from {before} ms to {after} ms, at most {most} ms later was expected");
        }
    }
    Ok(())
}

/// What the messages are, in order.
pub(crate) fn parts(seen: &[Media]) -> Vec<Part> {
    seen.iter().map(Part::of).collect()
}
