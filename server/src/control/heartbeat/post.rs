//! One heartbeat on its way to the collector.

use std::error::Error;
use std::time::Duration;

use reqwest::header::{CONTENT_TYPE, HeaderValue};
use reqwest::redirect::Policy;
use reqwest::{Client, Response, StatusCode};
use srs_api::Heartbeat;
use tokio::task::spawn_blocking;
use tokio::time::timeout;

use crate::config::HeartbeatConfig;

/// Posts heartbeats by one configuration.
#[derive(Debug)]
pub(super) struct Poster {
    config: HeartbeatConfig,
    within: Duration,
    /// Made for the first beat: reading the system's certificates takes a while, and may fail.
    client: Option<Client>,
}

/// Why a heartbeat did not arrive.
#[derive(Debug, thiserror::Error)]
pub(super) enum PostError {
    /// There is no client, for want of certificates.
    #[error("no connection can be made: {0}")]
    Client(String),
    /// No connection, or a broken one; the message is that of its cause.
    #[error("{0}")]
    Connection(String),
    /// The collector is silent.
    #[error("no answer within {within:?}")]
    Timeout {
        /// The time that it had.
        within: Duration,
    },
    /// The collector does not want it.
    #[error("the answer is {status}{}", hint(*.status))]
    Refused {
        /// What it says.
        status: StatusCode,
    },
}

impl Poster {
    pub(super) fn new(config: &HeartbeatConfig) -> Self {
        Self {
            config: config.clone(),
            within: config.interval.clamp(SHORTEST, LONGEST),
            client: None,
        }
    }

    /// Sends `heartbeat`. It has arrived when the answer begins with a status of success; what
    /// else is in the answer does not matter.
    pub(super) async fn post(&mut self, heartbeat: &Heartbeat) -> Result<(), PostError> {
        let client = self.client().await?;
        let body = serde_json::to_vec(heartbeat).expect("its keys are strings");
        let mut request = client
            .post(self.config.url.as_str())
            .header(CONTENT_TYPE, HeaderValue::from_static("application/json"))
            .body(body);
        if let Some(token) = &self.config.token {
            request = request.bearer_auth(token.expose());
        }
        let silent = |_| PostError::Timeout {
            within: self.within,
        };
        let answer = timeout(self.within, request.send())
            .await
            .map_err(silent)?
            .map_err(|error| PostError::Connection(cause(&error)))?;
        let status = answer.status();
        // Who has begun to answer has read the heartbeat; whether it ever ends does not matter.
        let _ = timeout(PATIENCE, drain(answer)).await;
        if status.is_success() {
            Ok(())
        } else {
            Err(PostError::Refused { status })
        }
    }

    async fn client(&mut self) -> Result<Client, PostError> {
        if let Some(client) = &self.client {
            return Ok(client.clone());
        }
        let is_secure = self.config.url.as_str().starts_with("https:");
        let connect_within = self.within.min(CONNECT_WITHIN);
        let made = spawn_blocking(move || build(is_secure, connect_within)).await;
        let client = made
            .map_err(|panic| PostError::Client(panic.to_string()))?
            .map_err(|error| PostError::Client(cause(&error)))?;
        Ok(self.client.insert(client).clone())
    }
}

fn build(is_secure: bool, connect_within: Duration) -> reqwest::Result<Client> {
    // Fails if there is one already, which is as good.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let builder = Client::builder()
        .user_agent(concat!("srs/", env!("CARGO_PKG_VERSION")))
        // Heartbeats stay in the house; a proxy of the environment is for what leaves it.
        .no_proxy()
        .redirect(Policy::none())
        .connect_timeout(connect_within)
        // Each beat finds out anew whether the collector is there, and where. A connection that
        // the collector closes between two beats would look like one that is down.
        .pool_max_idle_per_host(0);
    if is_secure {
        builder.build()
    } else {
        // A host without any certificates can still send over plain HTTP.
        builder.tls_certs_only([]).build()
    }
}

/// Reads the answer to its end, so that its sender sees no broken connection, but not for ever.
async fn drain(mut answer: Response) {
    let mut len = 0;
    while let Ok(Some(chunk)) = answer.chunk().await {
        len += chunk.len();
        if len > MOST_OF_ANSWER {
            return;
        }
    }
}

/// The innermost reason: those around it say no more than that a request failed.
fn cause(error: &reqwest::Error) -> String {
    let mut cause: &dyn Error = error;
    while let Some(source) = cause.source() {
        cause = source;
    }
    cause.to_string()
}

fn hint(status: StatusCode) -> &'static str {
    match status {
        StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => " (heartbeat.token may be wrong)",
        StatusCode::NOT_FOUND | StatusCode::METHOD_NOT_ALLOWED => " (heartbeat.url may be wrong)",
        _ if status.is_redirection() => " (heartbeat.url must be the place itself)",
        _ => "",
    }
}

/// A second is for connections over the sea, with TLS, also if beats come faster.
const SHORTEST: Duration = Duration::from_secs(1);
const LONGEST: Duration = Duration::from_secs(10);
const CONNECT_WITHIN: Duration = Duration::from_secs(3);
/// For the rest of an answer whose beginning is there.
const PATIENCE: Duration = Duration::from_millis(500);
const MOST_OF_ANSWER: usize = 64 << 10;
