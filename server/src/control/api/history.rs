//! `/api/v1/history` and `/api/v1/streams/{id}/history`

use std::sync::Arc;

use axum::extract::{Path, State};
use schemars::JsonSchema;
use serde::Deserialize;
use srs_api::{History, HistoryAnswer, HistoryRange};

use super::answer::Json;
use super::query::Query;
use super::refusal::Refusal;
use crate::control::report;
use crate::service::Service;

/// How much of the past is asked for.
#[derive(Clone, Copy, Debug, Deserialize, JsonSchema)]
pub(super) struct HistoryQuery {
    /// How far it reaches back: in steps of a second up to 5 minutes, else of 15 seconds.
    #[serde(default)]
    range: HistoryRange,
}

pub(super) async fn of_all(
    State(service): State<Arc<Service>>,
    Query(query): Query<HistoryQuery>,
) -> Json<HistoryAnswer> {
    answer(&service, report::history(&service, query.range))
}

pub(super) async fn of_stream(
    State(service): State<Arc<Service>>,
    Path(id): Path<String>,
    Query(query): Query<HistoryQuery>,
) -> Result<Json<HistoryAnswer>, Refusal> {
    let history = report::stream_history(&service, &id, query.range);
    Ok(answer(&service, history.ok_or(Refusal::NoStream(id))?))
}

fn answer(service: &Service, history: History) -> Json<HistoryAnswer> {
    Json(HistoryAnswer {
        code: 0,
        identity: service.identity.clone(),
        history,
    })
}
