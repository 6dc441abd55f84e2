//! `/api/v1/logs`: the newest lines of the log, as server-sent events.

use std::sync::Arc;

use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;
use axum::response::sse;
use schemars::JsonSchema;
use serde::Deserialize;
use srs_api::{LogLevel, LogLine};

use super::query::{Query, number};
use super::refusal::Refusal;
use super::watch::{self, Watched};
use crate::config::VhostName;
use crate::control::feed::Feed;
use crate::control::logging::{KEPT_LINES, KeptLine};
use crate::control::wall_clock;
use crate::service::Service;

/// Which lines are asked for.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
pub(super) struct LogsQuery {
    /// Those after the line with this id; 0, or nothing: all that are kept. The header
    /// `Last-Event-ID` says the same, and counts more.
    #[serde(default)]
    after: u64,
    /// Whether to go on with those that are written from now on.
    #[serde(default = "yes")]
    follow: bool,
    /// Those of the client with this id.
    #[schemars(with = "u64")]
    client: Option<u64>,
    /// Those of this stream: `VHOST/APP/STREAM`, or `APP/STREAM` of the default vhost.
    #[schemars(with = "String")]
    stream: Option<String>,
    /// Those of this level, and worse.
    #[schemars(with = "LogLevel")]
    level: Option<LogLevel>,
    /// How many of those that are kept to give at most: the newest.
    #[serde(default = "all", deserialize_with = "number::<0, { KEPT_LINES }, _>")]
    #[schemars(range(min = 0, max = KEPT_LINES))]
    count: usize,
}

fn yes() -> bool {
    true
}

fn all() -> usize {
    KEPT_LINES
}

pub(super) async fn logs(
    State(service): State<Arc<Service>>,
    Query(query): Query<LogsQuery>,
    headers: HeaderMap,
) -> Result<Response, Refusal> {
    let wanted = Wanted {
        client: query.client,
        stream: query.stream,
        level: query.level,
    };
    let feed = &service.log_lines;
    let seen = watch::seen(&headers, query.after, feed)?;
    let position = feed.position_of_newest(seen, query.count, |line| wanted.wants(line));
    watch::answer(service, wanted, position, query.follow)
}

/// The lines that are wanted.
struct Wanted {
    client: Option<u64>,
    stream: Option<String>,
    level: Option<LogLevel>,
}

impl Watched for Wanted {
    type Item = KeptLine;

    fn feed(service: &Service) -> &Feed<KeptLine> {
        &service.log_lines
    }

    fn wants(&self, line: &KeptLine) -> bool {
        let is_of = |wanted: &String| {
            line.stream.as_deref().is_some_and(|stream| {
                let rest = stream.strip_prefix(VhostName::DEFAULT);
                let label = rest.and_then(|rest| rest.strip_prefix('/'));
                stream == wanted || label == Some(wanted)
            })
        };
        self.level.is_none_or(|level| line.level <= level)
            && self.client.is_none_or(|id| line.client == Some(id))
            && self.stream.as_ref().is_none_or(is_of)
    }

    fn tell(&self, id: u64, line: &KeptLine) -> sse::Event {
        watch::event(id, LINE, &line.told(id))
    }

    fn tell_lost(&self, id: u64, lost: u64) -> sse::Event {
        let line = LogLine {
            id,
            time_ms: wall_clock::unix_millis(),
            level: LogLevel::Warn,
            client: None,
            stream: None,
            message: format!("{lost} lines of the log are missing here"),
        };
        watch::event(id, LINE, &line)
    }
}

/// The type of the events.
const LINE: &str = "line";
