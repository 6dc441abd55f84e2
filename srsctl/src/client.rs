//! The HTTP API of a server, as functions: on a unix socket or over TCP, with a token or without.
//!
//! Every answer is bounded in size and time. Lists are fetched page by page.

mod address;
mod credentials;
mod dashboard;
mod error;
mod events;
mod list;
mod request;
mod sse;

use std::time::Duration;

use reqwest::{Method, Url};
use srs_api::{
    Answer, ClientAnswer, ClientsAnswer, ConfigAnswer, Health, Meminfos, Reload, Rusages,
    SelfProcStats, ServersAnswer, StreamAnswer, StreamsAnswer, Summaries, Versions, VhostAnswer,
    VhostsAnswer,
};

pub(crate) use self::address::{ADDRESSES, AddrError, ServerAddr};
pub(crate) use self::credentials::{Credentials, Secret, TokenFileError};
pub(crate) use self::error::ApiError;
pub(crate) use self::events::EventStream;
use self::request::{find, http_client};
pub(crate) use self::sse::Message;

/// A server that can be asked. Clones share its connections.
#[derive(Clone, Debug)]
pub(crate) struct Client {
    http: reqwest::Client,
    server: ServerAddr,
    base: Url,
    credentials: Option<Credentials>,
    /// How long connecting may take, and any other answer than that to a reload.
    within: Duration,
    /// How long the answer may take that is waited for.
    answer_within: Duration,
    /// How long a reload may take.
    reload_within: Duration,
    /// Why nothing may be changed there, if so.
    read_only: Option<String>,
}

/// A query of a request: names and values.
type Query<'a> = [(&'a str, &'a str)];

impl Client {
    /// A client of the server at `server`; without one, of whoever answers on this host by default.
    /// Answers may take as long as `within`; that to a reload, half a minute at least.
    ///
    /// # Errors
    /// There is nobody by default. With an address this does not ask anybody yet.
    pub(crate) async fn open(
        server: Option<ServerAddr>,
        credentials: Option<Credentials>,
        within: Duration,
    ) -> Result<Self, ApiError> {
        let server = match server {
            Some(server) => server,
            None => find(ServerAddr::defaults(), within).await?,
        };
        let http = http_client(&server, within).map_err(|error| ApiError::Client {
            server: server.to_string(),
            error,
        })?;
        Ok(Self {
            http,
            base: server.base(),
            server,
            credentials,
            within,
            answer_within: within,
            reload_within: within.max(RELOAD),
            read_only: None,
        })
    }

    /// The client, as one that changes nothing, and says `why` if there is a reason.
    pub(crate) fn read_only(self, why: Option<String>) -> Self {
        let read_only = why;
        Self { read_only, ..self }
    }

    /// The client, as one that waits for a reload no longer than for anything else.
    pub(crate) fn impatient(self) -> Self {
        let reload_within = self.within;
        Self {
            reload_within,
            ..self
        }
    }

    /// Whether this client may change something.
    ///
    /// # Errors
    /// [`ApiError::ReadOnly`]: it may not.
    pub(crate) fn may_change(&self) -> Result<(), ApiError> {
        match &self.read_only {
            None => Ok(()),
            Some(why) => Err(ApiError::ReadOnly {
                server: self.server.to_string(),
                why: why.clone(),
            }),
        }
    }

    /// Where the server is.
    pub(crate) fn server(&self) -> &ServerAddr {
        &self.server
    }

    /// The version.
    ///
    /// # Errors
    /// As all requests: [`ApiError`].
    pub(crate) async fn versions(&self) -> Result<Answer<Versions>, ApiError> {
        self.get("api/v1/versions", &[]).await
    }

    /// Process and host at a glance.
    ///
    /// # Errors
    /// [`ApiError`]
    pub(crate) async fn summaries(&self) -> Result<Answer<Summaries>, ApiError> {
        self.get("api/v1/summaries", &[]).await
    }

    /// What the kernel accounts to the process.
    ///
    /// # Errors
    /// [`ApiError`]
    pub(crate) async fn rusages(&self) -> Result<Answer<Rusages>, ApiError> {
        self.get("api/v1/rusages", &[]).await
    }

    /// What the kernel tells of the process.
    ///
    /// # Errors
    /// [`ApiError`]
    pub(crate) async fn self_proc_stats(&self) -> Result<Answer<SelfProcStats>, ApiError> {
        self.get("api/v1/self_proc_stats", &[]).await
    }

    /// The host's memory.
    ///
    /// # Errors
    /// [`ApiError`]
    pub(crate) async fn meminfos(&self) -> Result<Answer<Meminfos>, ApiError> {
        self.get("api/v1/meminfos", &[]).await
    }

    /// Whether the server serves.
    ///
    /// # Errors
    /// [`ApiError`]
    pub(crate) async fn readiness(&self) -> Result<Health, ApiError> {
        let (_, status, body) = self.ask(Method::GET, "readyz", &[]).await?;
        // A server that is not ready says so in the same form.
        match serde_json::from_slice(&body) {
            Ok(health) => Ok(health),
            Err(_) if status.is_success() => Err(self.not_srs("no JSON")),
            Err(_) => Err(self.refusal("readyz", status, &body)),
        }
    }

    /// The vhosts.
    ///
    /// # Errors
    /// [`ApiError`]
    pub(crate) async fn vhosts(&self, limit: usize) -> Result<VhostsAnswer, ApiError> {
        self.list("api/v1/vhosts", &[], limit).await
    }

    /// A vhost by its id.
    ///
    /// # Errors
    /// [`ApiError`]
    pub(crate) async fn vhost(&self, id: &str) -> Result<VhostAnswer, ApiError> {
        self.get_one("vhosts", id).await
    }

    /// The streams that `query` asks for.
    ///
    /// # Errors
    /// [`ApiError`]
    pub(crate) async fn streams(
        &self,
        query: &Query<'_>,
        limit: usize,
    ) -> Result<StreamsAnswer, ApiError> {
        self.list("api/v1/streams", query, limit).await
    }

    /// A stream by its id.
    ///
    /// # Errors
    /// [`ApiError`]
    pub(crate) async fn stream(&self, id: &str) -> Result<StreamAnswer, ApiError> {
        self.get_one("streams", id).await
    }

    /// The clients that `query` asks for.
    ///
    /// # Errors
    /// [`ApiError`]
    pub(crate) async fn clients(
        &self,
        query: &Query<'_>,
        limit: usize,
    ) -> Result<ClientsAnswer, ApiError> {
        self.list("api/v1/clients", query, limit).await
    }

    /// A client by its id.
    ///
    /// # Errors
    /// [`ApiError`]
    pub(crate) async fn client(&self, id: &str) -> Result<ClientAnswer, ApiError> {
        self.get_one("clients", id).await
    }

    /// Ends the session of a client.
    ///
    /// # Errors
    /// [`ApiError`]
    pub(crate) async fn kick(&self, id: &str) -> Result<(), ApiError> {
        self.may_change()?;
        let path = self.path_of("clients", id);
        let (_, status, body) = self.ask(Method::DELETE, &path, &[]).await?;
        if status.is_success() {
            Ok(())
        } else {
            Err(self.refusal(&path, status, &body))
        }
    }

    /// The last reload.
    ///
    /// # Errors
    /// [`ApiError`]
    pub(crate) async fn last_reload(&self) -> Result<Answer<Reload>, ApiError> {
        self.get("api/v1/reload", &[]).await
    }

    /// Puts the configuration in force anew, or only says what that would change.
    ///
    /// # Errors
    /// [`ApiError::ReloadFailed`] with the server's reason, and all others.
    pub(crate) async fn reload(&self, dry_run: bool) -> Result<Answer<Reload>, ApiError> {
        if !dry_run {
            self.may_change()?;
        }
        let query: &Query<'_> = if dry_run { &[("dry_run", "true")] } else { &[] };
        let patient = Self {
            answer_within: self.reload_within,
            ..self.clone()
        };
        patient.request(Method::POST, "api/v1/reload", query).await
    }

    /// The configuration in force.
    ///
    /// # Errors
    /// [`ApiError`]
    pub(crate) async fn config(&self) -> Result<ConfigAnswer, ApiError> {
        self.get("api/v1/config", &[]).await
    }

    /// The fleet.
    ///
    /// # Errors
    /// [`ApiError`]
    pub(crate) async fn servers(&self, limit: usize) -> Result<ServersAnswer, ApiError> {
        self.list("api/v1/servers", &[], limit).await
    }

    /// The events after the one with the id `after`, all with 0; without `follow` those that
    /// are kept, and then the stream ends.
    ///
    /// # Errors
    /// [`ApiError`]
    pub(crate) async fn events(&self, after: &str, follow: bool) -> Result<EventStream, ApiError> {
        self.event_stream("api/v1/events", &[], after, follow).await
    }
}

/// Listeners are opened and clients are told off before the server answers to a reload.
const RELOAD: Duration = Duration::from_secs(30);
