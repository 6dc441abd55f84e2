//! How requests are made and answers are read; how a server is found.

use std::io;
use std::time::Duration;

use reqwest::{Method, RequestBuilder, Response, StatusCode, redirect};
use serde::de::DeserializeOwned;
use tokio::net::UnixStream;
use tokio::time::timeout;

use super::list::List;
use super::{ApiError, Client, EventStream, Query, ServerAddr};

impl Client {
    /// A whole list, page by page, up to `limit` of it.
    pub(super) async fn list<L: List>(
        &self,
        path: &str,
        query: &Query<'_>,
        limit: usize,
    ) -> Result<L, ApiError> {
        let mut whole: Option<L> = None;
        let mut start = 0;
        loop {
            let count = limit.saturating_sub(start).min(PAGE);
            let mut page: L = self.page(path, query, start, count).await?;
            let len = page.items().len();
            let is_last = len == 0 || start + len >= limit.min(page.total());
            start += len;
            let mut list = match whole.take() {
                Some(mut list) => {
                    list.append(page);
                    list
                }
                None => page,
            };
            if is_last {
                list.items().truncate(limit);
                return Ok(list);
            }
            whole = Some(list);
        }
    }

    /// A part of a list.
    pub(super) async fn page<L: List>(
        &self,
        path: &str,
        query: &Query<'_>,
        start: usize,
        count: usize,
    ) -> Result<L, ApiError> {
        let (start, count) = (start.to_string(), count.to_string());
        let mut query = query.to_vec();
        query.extend([("start", start.as_str()), ("count", count.as_str())]);
        self.get(path, &query).await
    }

    /// The stream at `path` of what came after that with the id `after`.
    pub(super) async fn event_stream(
        &self,
        path: &str,
        query: &Query<'_>,
        after: &str,
        follow: bool,
    ) -> Result<EventStream, ApiError> {
        let mut query = query.to_vec();
        query.push(("follow", if follow { "true" } else { "false" }));
        let request = self
            .prepare(Method::GET, path, &query)
            .header("Last-Event-ID", after);
        let response = self.send(request).await?;
        let status = response.status();
        if status.is_success() {
            return Ok(EventStream::new(self.server.clone(), response));
        }
        let body = timeout(self.answer_within, self.body(response));
        let body = body.await.unwrap_or_else(|_| Err(self.too_late()))?;
        Err(self.refusal(path, status, &body))
    }

    pub(super) async fn get_one<A: DeserializeOwned>(
        &self,
        list: &str,
        id: &str,
    ) -> Result<A, ApiError> {
        self.get(&self.path_of(list, id), &[]).await
    }

    /// The path of one of a list. What stands in `id` stays one part of the path.
    pub(super) fn path_of(&self, list: &str, id: &str) -> String {
        let mut url = self.base.clone();
        if let Ok(mut parts) = url.path_segments_mut() {
            parts.clear().extend(["api", "v1", list, id]);
        }
        url.path().trim_start_matches('/').to_owned()
    }

    pub(super) async fn get<A: DeserializeOwned>(
        &self,
        path: &str,
        query: &Query<'_>,
    ) -> Result<A, ApiError> {
        self.request(Method::GET, path, query).await
    }

    pub(super) async fn request<A: DeserializeOwned>(
        &self,
        method: Method,
        path: &str,
        query: &Query<'_>,
    ) -> Result<A, ApiError> {
        let (path, status, body) = self.ask(method, path, query).await?;
        if !status.is_success() {
            return Err(self.refusal(&path, status, &body));
        }
        serde_json::from_slice(&body).map_err(|error| {
            if error.is_data() {
                self.not_srs(format_args!("{path}: {error}"))
            } else {
                self.not_srs("no JSON")
            }
        })
    }

    /// The answer as it is, beside the path that was asked for.
    pub(super) async fn ask(
        &self,
        method: Method,
        path: &str,
        query: &Query<'_>,
    ) -> Result<(String, StatusCode, Vec<u8>), ApiError> {
        let response = self.send(self.prepare(method, path, query)).await?;
        let status = response.status();
        let body = timeout(self.answer_within, self.body(response));
        let body = body.await.unwrap_or_else(|_| Err(self.too_late()))?;
        Ok((path.to_owned(), status, body))
    }

    pub(super) fn prepare(&self, method: Method, path: &str, query: &Query<'_>) -> RequestBuilder {
        let mut url = self.base.clone();
        // The path is ours, and has been escaped: joining it cannot fail.
        if let Ok(joined) = self.base.join(path) {
            url = joined;
        }
        if !query.is_empty() {
            url.query_pairs_mut().extend_pairs(query);
        }
        let request = self.http.request(method, url);
        match &self.credentials {
            Some(credentials) => credentials.put_on(request),
            None => request,
        }
    }

    pub(super) async fn send(&self, request: RequestBuilder) -> Result<Response, ApiError> {
        let response = timeout(self.answer_within, request.send()).await;
        let response = response.map_err(|_| self.too_late())?;
        response.map_err(|error| self.failure(error))
    }

    pub(super) async fn body(&self, mut response: Response) -> Result<Vec<u8>, ApiError> {
        let mut body = Vec::new();
        loop {
            let chunk = response.chunk().await;
            let chunk = chunk.map_err(|error| self.failure(error))?;
            match chunk {
                None => return Ok(body),
                Some(chunk) if body.len() + chunk.len() > MAX_ANSWER => {
                    return Err(ApiError::TooLarge {
                        server: self.server.to_string(),
                        max: MAX_ANSWER,
                    });
                }
                Some(chunk) => body.extend_from_slice(&chunk),
            }
        }
    }

    pub(super) fn refusal(&self, path: &str, status: StatusCode, body: &[u8]) -> ApiError {
        let path = format!("/{path}");
        let had_credentials = self.credentials.is_some();
        ApiError::of_answer(&self.server, &path, status, body, had_credentials)
    }

    pub(super) fn not_srs(&self, what: impl ToString) -> ApiError {
        ApiError::NotSrs {
            server: self.server.to_string(),
            what: what.to_string(),
        }
    }

    /// Why there was no answer. Of time only connecting can run out there.
    fn failure(&self, error: reqwest::Error) -> ApiError {
        ApiError::of_request(&self.server, self.within, error)
    }

    fn too_late(&self) -> ApiError {
        ApiError::too_late(&self.server, self.answer_within)
    }
}

/// The first of `servers`, on this host, that takes connections.
pub(super) async fn find(
    servers: Vec<ServerAddr>,
    within: Duration,
) -> Result<ServerAddr, ApiError> {
    let mut missing = Vec::new();
    let mut failure = None;
    for server in servers {
        let Some(path) = server.socket() else {
            continue;
        };
        let connected = timeout(within, UnixStream::connect(path)).await;
        match connected.unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into())) {
            Ok(_) => return Ok(server),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                missing.push(server);
            }
            // A socket that is there says more than one that is not.
            Err(error) => {
                failure.get_or_insert_with(|| ApiError::of_connect(&server, error));
            }
        }
    }
    Err(failure.unwrap_or_else(|| ApiError::no_default_socket(&missing)))
}

/// What speaks HTTP to `server`.
pub(super) fn http_client(
    server: &ServerAddr,
    within: Duration,
) -> reqwest::Result<reqwest::Client> {
    let builder = reqwest::Client::builder()
        .user_agent(concat!("srsctl/", env!("CARGO_PKG_VERSION")))
        .connect_timeout(within)
        .redirect(redirect::Policy::none())
        // A proxy for the web is none for the API of a server: it would be the one that asks.
        .no_proxy();
    // An error means that there is one already, which is as good.
    let _ = rustls::crypto::ring::default_provider().install_default();
    match server {
        // Without TLS there is no need to read the system's certificates.
        ServerAddr::Unix(path) => builder
            .unix_socket(path.as_path())
            .tls_certs_only([])
            .build(),
        ServerAddr::Http(url) if url.scheme() == "http" => builder.tls_certs_only([]).build(),
        ServerAddr::Http(_) => builder.build(),
    }
}

/// So many of a list are asked for at once.
const PAGE: usize = 1_000;
/// A page has about a megabyte. What is much longer is no answer of ours.
const MAX_ANSWER: usize = 32 << 20;

#[cfg(test)]
mod tests {
    use std::os::unix::net::UnixListener;

    use super::*;

    #[tokio::test]
    async fn a_reload_may_take_longer_unless_nothing_may() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("silent");
        let _listener = UnixListener::bind(&path).unwrap();
        let within = Duration::from_millis(50);
        let client = Client::open(Some(ServerAddr::Unix(path)), None, within);
        let client = client.await.unwrap();
        let is_late =
            |error| matches!(error, ApiError::Timeout { within: told, .. } if told == within);
        assert!(is_late(client.versions().await.unwrap_err()));
        let reload = client.reload(true);
        let reload = timeout(4 * within, reload).await;
        assert!(reload.is_err(), "it is waited for");
        let reload = client.clone().impatient().reload(true).await;
        assert!(is_late(reload.unwrap_err()));
    }

    #[tokio::test]
    async fn a_server_is_looked_for_in_all_places() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name| folder.path().join(name);
        let servers = || ["a", "b"].map(|name| ServerAddr::Unix(path(name))).to_vec();
        let within = Duration::from_secs(5);
        let error = find(servers(), within).await.unwrap_err();
        let expected = format!(
            "cannot reach srs at unix:{} or unix:{}: no such socket; is it running? see its \
             log for where the API is, or srsctl doctor",
            path("a").display(),
            path("b").display()
        );
        assert_eq!(error.to_string(), expected);
        assert!(error.is_not_reached());
        let _listener = UnixListener::bind(path("b")).unwrap();
        let found = find(servers(), within).await.unwrap();
        assert_eq!(found, ServerAddr::Unix(path("b")));
    }
}
