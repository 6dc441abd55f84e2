//! What the dashboard asks beside the commands: how it was, what runs, the log, and lists of which
//! only what is on the screen is fetched.

use srs_api::{ClientsAnswer, HistoryAnswer, HistoryRange, PartsAnswer, StreamsAnswer};

use super::{ApiError, Client, EventStream, Query};

impl Client {
    /// How the figures of the server were.
    ///
    /// # Errors
    /// As all requests: [`ApiError`].
    pub(crate) async fn history(&self, range: HistoryRange) -> Result<HistoryAnswer, ApiError> {
        let query = [("range", range.name())];
        self.get("api/v1/history", &query).await
    }

    /// How those of a stream were.
    ///
    /// # Errors
    /// [`ApiError`]
    pub(crate) async fn stream_history(
        &self,
        id: &str,
        range: HistoryRange,
    ) -> Result<HistoryAnswer, ApiError> {
        let path = format!("{}/history", self.path_of("streams", id));
        self.get(&path, &[("range", range.name())]).await
    }

    /// What the server keeps running beside its clients.
    ///
    /// # Errors
    /// [`ApiError`]
    pub(crate) async fn parts(&self, limit: usize) -> Result<PartsAnswer, ApiError> {
        self.list("api/v1/parts", &[], limit).await
    }

    /// Of the streams that `query` asks for `count` at most, from that of the index `start` on.
    ///
    /// # Errors
    /// [`ApiError`]
    pub(crate) async fn streams_page(
        &self,
        query: &Query<'_>,
        start: usize,
        count: usize,
    ) -> Result<StreamsAnswer, ApiError> {
        self.page("api/v1/streams", query, start, count).await
    }

    /// As [`Client::streams_page`], of the clients.
    ///
    /// # Errors
    /// [`ApiError`]
    pub(crate) async fn clients_page(
        &self,
        query: &Query<'_>,
        start: usize,
        count: usize,
    ) -> Result<ClientsAnswer, ApiError> {
        self.page("api/v1/clients", query, start, count).await
    }

    /// The lines of the log that `query` asks for after the one with the id `after`, all that are
    /// kept with 0; without `follow` the stream ends with them.
    ///
    /// # Errors
    /// [`ApiError`]
    pub(crate) async fn logs(
        &self,
        query: &Query<'_>,
        after: &str,
        follow: bool,
    ) -> Result<EventStream, ApiError> {
        self.event_stream("api/v1/logs", query, after, follow).await
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use anyhow::Result;
    use serde_json::json;
    use srs_api::{ErrorCode, History, LogLine};

    use super::*;
    use crate::fake_api::{FakeApi, Reply, identity};

    async fn client(api: &FakeApi) -> Result<Client> {
        let server = api.address().parse()?;
        Ok(Client::open(Some(server), None, Duration::from_secs(5)).await?)
    }

    /// An answer with this list, which is empty.
    fn empty(list: &str) -> Reply {
        let mut answer = json!({ "code": 0, "total": 2_000, list: [], "heartbeat": {} });
        let identity = serde_json::to_value(identity()).unwrap();
        if let (Some(answer), Some(identity)) = (answer.as_object_mut(), identity.as_object()) {
            answer.extend(identity.clone());
        }
        Reply::json(&answer)
    }

    #[tokio::test]
    async fn histories_have_a_range() -> Result<()> {
        let api = FakeApi::start(|_| {
            Reply::json(&HistoryAnswer {
                code: 0,
                identity: identity(),
                history: History {
                    step_ms: 1_000,
                    recv_kbps: vec![1, 2, 3],
                    ..History::default()
                },
            })
        })?;
        let client = client(&api).await?;
        let answer = client.history(HistoryRange::Hour).await?;
        assert_eq!(answer.history.recv_kbps, [1, 2, 3]);
        client.stream_history("s/1", HistoryRange::Minute).await?;
        let expected = [
            "GET /api/v1/history?range=60m",
            "GET /api/v1/streams/s%2F1/history?range=1m",
        ];
        assert_eq!(api.lines(), expected);
        Ok(())
    }

    #[tokio::test]
    async fn a_page_is_one_question() -> Result<()> {
        let api = FakeApi::start(|request| {
            let lists = ["streams", "clients", "vhosts", "servers", "parts"];
            let asked = |list: &&&str| request.line.contains(&format!("/v1/{list}?"));
            lists
                .iter()
                .find(asked)
                .map_or_else(Reply::not_found, |list| empty(list))
        })?;
        let client = client(&api).await?;
        let query = [("sort", "-out"), ("filter", "^live/")];
        assert_eq!(client.streams_page(&query, 40, 20).await?.total, 2_000);
        assert_eq!(client.clients_page(&[], 0, 50).await?.total, 2_000);
        assert_eq!(client.parts(100).await?.total, 2_000);
        let expected = [
            "GET /api/v1/streams?sort=-out&filter=%5Elive%2F&start=40&count=20",
            "GET /api/v1/clients?start=0&count=50",
            "GET /api/v1/parts?start=0&count=100",
        ];
        assert_eq!(api.lines(), expected);
        Ok(())
    }

    #[tokio::test]
    async fn the_log_is_a_stream_of_lines() -> Result<()> {
        let line = LogLine {
            id: 8,
            time_ms: 1,
            level: srs_api::LogLevel::Warn,
            client: Some("104".to_owned()),
            stream: None,
            message: "slow".to_owned(),
        };
        let body = format!(
            "id: 8\nevent: line\ndata: {}\n\n",
            serde_json::to_string(&line)?
        );
        let api = FakeApi::start(move |request| match request.line.contains("level=warn") {
            true => Reply::events(&body),
            false => Reply::error(400, ErrorCode::BadRequest, "no such level"),
        })?;
        let client = client(&api).await?;
        let mut lines = client.logs(&[("level", "warn")], "7", true).await?;
        let message = lines.next().await?.unwrap();
        assert_eq!((message.id.as_str(), message.event.as_str()), ("8", "line"));
        assert_eq!(serde_json::from_str::<LogLine>(&message.data)?, line);
        assert_eq!(lines.next().await?, None);
        let [request] = &api.requests()[..] else {
            panic!("one request");
        };
        assert_eq!(request.line, "GET /api/v1/logs?level=warn&follow=true");
        assert_eq!(request.headers["last-event-id"], "7");
        let error = client.logs(&[("level", "loud")], "0", false).await;
        assert!(matches!(error, Err(ApiError::Wrong { .. })));
        Ok(())
    }

    #[tokio::test]
    async fn what_an_older_server_does_not_have_is_told_as_such() -> Result<()> {
        let api = FakeApi::start(|_| Reply::not_found())?;
        let client = client(&api).await?;
        let error = client.history(HistoryRange::Minute).await.unwrap_err();
        assert!(error.is_unknown_to_server(), "{error}");
        let error = client.logs(&[], "0", false).await.unwrap_err();
        assert!(error.is_unknown_to_server(), "{error}");
        Ok(())
    }
}
