//! What a server is doing at one moment, for programs (`--json`) and without a terminal (`--once`).

use schemars::JsonSchema;
use serde::Serialize;
use srs_api::{Client, HistoryRange, Part, Server, Stream, Summaries, Vhost};

use super::app::{App, Liking};
use super::data;
use super::event::{Answer, Event};
use super::page::Table;
use super::view;
use super::wants::ListWant;
use crate::client::{ApiError, Client as ApiClient};

/// What a server is doing at one moment. Lists have as many items as the command was told to show;
/// their totals say how many there are. A list that the server does not know is empty. Fields may be added in later versions.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(title = "srsctl top --json")]
pub(crate) struct Snapshot {
    /// The version of this form: 1.
    version: u32,
    /// When, in Unix milliseconds.
    time_ms: i64,
    /// What the user calls the server.
    server: String,
    /// Process, host and service at a glance.
    summaries: Summaries,
    /// How many streams there are.
    streams_total: usize,
    /// The streams, those with the most traffic to players first.
    streams: Vec<Stream>,
    /// How many clients there are.
    clients_total: usize,
    /// The clients, those with the most traffic to them first.
    clients: Vec<Client>,
    /// How many virtual hosts there are.
    vhosts_total: usize,
    /// The virtual hosts.
    vhosts: Vec<Vhost>,
    /// How many parts there are.
    parts_total: usize,
    /// What the server keeps running beside its clients.
    parts: Vec<Part>,
    /// How many servers send it their heartbeats.
    fleet_total: usize,
    /// The servers that send it their heartbeats.
    fleet: Vec<Server>,
}

impl Snapshot {
    /// Asks a server for everything; of lists for as many as `limit`.
    ///
    /// # Errors
    /// It does not answer.
    pub(crate) async fn take(
        client: &ApiClient,
        name: &str,
        limit: usize,
        time_ms: i64,
    ) -> Result<Self, ApiError> {
        let sorted = &[("sort", "-out")];
        let summaries = client.summaries().await?.data;
        let streams = known(client.streams(sorted, limit).await)?;
        let (streams_total, streams) =
            streams.map_or_else(none, |answer| (answer.total, answer.streams));
        let clients = known(client.clients(sorted, limit).await)?;
        let (clients_total, clients) =
            clients.map_or_else(none, |answer| (answer.total, answer.clients));
        let vhosts = known(client.vhosts(limit).await)?;
        let (vhosts_total, vhosts) =
            vhosts.map_or_else(none, |answer| (answer.total, answer.vhosts));
        let parts = known(client.parts(limit).await)?;
        let (parts_total, parts) = parts.map_or_else(none, |answer| (answer.total, answer.parts));
        let fleet = known(client.servers(limit).await)?;
        let (fleet_total, fleet) = fleet.map_or_else(none, |answer| (answer.total, answer.servers));
        Ok(Self {
            version: 1,
            time_ms,
            server: name.to_owned(),
            summaries,
            streams_total,
            streams,
            clients_total,
            clients,
            vhosts_total,
            vhosts,
            parts_total,
            parts,
            fleet_total,
            fleet,
        })
    }

    /// The schema of a snapshot, as JSON.
    pub(crate) fn schema() -> String {
        let schema = schemars::schema_for!(Self);
        serde_json::to_string_pretty(&schema).unwrap_or_default() + "\n"
    }
}

/// An answer; `None` from a server that does not know what was asked for, as it is an older one.
fn known<A>(answer: Result<A, ApiError>) -> Result<Option<A>, ApiError> {
    match answer {
        Ok(answer) => Ok(Some(answer)),
        Err(error) if error.is_unknown_to_server() || error.is_not_found() => Ok(None),
        Err(error) => Err(error),
    }
}

/// A list of nothing, and how many there are of it.
fn none<T>() -> (usize, Vec<T>) {
    (0, Vec::new())
}

/// How a page is printed.
#[derive(Clone, Copy, Debug)]
pub(crate) struct PageForm {
    /// The columns that there are.
    pub(crate) width: u16,
    /// Whether it has colours.
    pub(crate) has_colours: bool,
    /// So many streams at most.
    pub(crate) limit: usize,
}

/// The header and the streams of a server as text.
///
/// # Errors
/// The server does not answer.
pub(crate) async fn page(
    client: &ApiClient,
    server: data::Server,
    liking: &Liking,
    form: PageForm,
    now_ms: i64,
) -> Result<String, ApiError> {
    let range = HistoryRange::FiveMinutes;
    let summaries = client.summaries().await?;
    let mut streams = client
        .streams(&[("sort", "-out"), ("recent", "30")], form.limit)
        .await?;
    // There is nothing to scroll to: those that are here are all that are shown.
    streams.total = streams.streams.len();
    let history = known(client.history(range).await)?;
    let rows = u16::try_from(streams.streams.len()).unwrap_or(u16::MAX);
    let size = (
        form.width.max(view::layout::LEAST.0),
        rows.saturating_add(view::layout::STILL),
    );
    // What somebody has hidden on his screen is not hidden from his scripts.
    let liking = Liking {
        columns: <_>::default(),
        ..liking.clone()
    };
    let mut app = App::still(server, &liking, size, now_ms);
    let want = app
        .list_want()
        .unwrap_or_else(|| ListWant::new(Table::Streams));
    let want = want.part(0, form.limit);
    let mut answers = vec![Answer::Summaries(summaries), Answer::Streams(want, streams)];
    answers.extend(history.map(|answer| Answer::History(range, answer.history)));
    for answer in answers {
        let answer = Box::new(answer);
        app.update(Event::Answer { server: 0, answer }, now_ms);
    }
    let text = match form.has_colours {
        true => view::as_ansi(&app),
        false => view::as_text(&app),
    };
    Ok(text.trim_end().to_owned() + "\n")
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use anyhow::Result;
    use srs_api::{ErrorCode, VhostsAnswer};

    use super::*;
    use crate::fake_api::{FakeApi, Reply};
    use crate::top::samples;

    async fn taken(api: &FakeApi) -> Result<Snapshot, ApiError> {
        let server = api.address().parse().unwrap();
        let client = ApiClient::open(Some(server), None, Duration::from_secs(5)).await?;
        Snapshot::take(&client, "edge1", 2, samples::NOW_MS).await
    }

    #[tokio::test]
    async fn what_an_older_server_does_not_know_is_an_empty_list() -> Result<()> {
        let api = FakeApi::start(|request| {
            let asks = |path: &str| request.line.contains(path);
            if asks("/api/v1/summaries") {
                Reply::json(&samples::summaries())
            } else if asks("/api/v1/vhosts") {
                Reply::json(&VhostsAnswer {
                    code: 0,
                    identity: samples::identity(),
                    total: 5,
                    vhosts: samples::vhosts(2),
                })
            } else {
                Reply::not_found()
            }
        })?;
        let snapshot = taken(&api).await?;
        assert_eq!((snapshot.vhosts_total, snapshot.vhosts.len()), (5, 2));
        assert_eq!((snapshot.parts_total, snapshot.parts.len()), (0, 0));
        assert_eq!((snapshot.fleet_total, snapshot.fleet.len()), (0, 0));
        assert_eq!((snapshot.streams_total, snapshot.clients_total), (0, 0));
        Ok(())
    }

    #[tokio::test]
    async fn a_server_that_refuses_is_not_taken_for_an_older_one() -> Result<()> {
        let api = FakeApi::start(|request| {
            if request.line.contains("/api/v1/summaries") {
                Reply::json(&samples::summaries())
            } else {
                Reply::error(403, ErrorCode::BadRequest, "not for you")
            }
        })?;
        let error = taken(&api).await.unwrap_err();
        assert!(error.to_string().contains("not for you"), "{error}");
        Ok(())
    }
}
