//! A client that publishes as it should, until the test has it do otherwise.

use std::time::Duration;

use anyhow::{Result, bail};
use socket2::SockRef;
use srs_net::RtmpClient;
use srs_rtmp::client::ClientEvent;

use super::{Sample, soon};

/// A publisher that the server has accepted. Dropping it ends the connection without a word.
#[derive(Debug)]
pub(crate) struct Publisher {
    client: RtmpClient,
}

impl Publisher {
    pub(super) fn new(client: RtmpClient) -> Self {
        Self { client }
    }

    /// Sends `samples` as fast as the server takes them.
    pub(crate) async fn send(&mut self, samples: impl IntoIterator<Item = Sample>) -> Result<()> {
        for (index, sample) in samples.into_iter().enumerate() {
            self.client
                .send(sample.kind, sample.timestamp, &sample.payload);
            if index % BATCH == BATCH - 1 {
                self.flush().await?;
            }
        }
        self.flush().await
    }

    async fn flush(&mut self) -> Result<()> {
        match soon("the server to take media", self.client.flush()).await?? {
            None => Ok(()),
            Some(event) => bail!("the server ended the publish: {event:?}"),
        }
    }

    /// Waits until the server ends the publish and the connection; gives the words that it said.
    pub(crate) async fn ended(&mut self) -> Result<String> {
        soon("the server to end the publish", async {
            let mut words = None;
            while let Some(event) = self.client.next_event().await? {
                if let ClientEvent::Ended { description, .. } = event {
                    words = Some(description);
                }
            }
            match words {
                Some(words) => Ok(words),
                None => bail!("the server closed the connection without a word"),
            }
        })
        .await?
    }

    /// Unpublishes and closes, as an encoder does whose button was pressed. The server has done so
    /// too when it returns.
    pub(crate) async fn finish(self) -> Result<()> {
        Ok(self.client.finish().await?)
    }

    /// Ends the connection with a reset, as the kernel of a machine does that was started again.
    pub(crate) fn reset(self) -> Result<()> {
        SockRef::from(self.client.socket()).set_linger(Some(Duration::ZERO))?;
        Ok(())
    }
}

/// So many messages are put into one write.
const BATCH: usize = 64;
