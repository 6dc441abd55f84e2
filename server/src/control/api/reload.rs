//! `/api/v1/reload`

use std::sync::Arc;

use axum::extract::State;
use schemars::JsonSchema;
use serde::Deserialize;
use srs_api::{Answer, Reload, ReloadOutcome};

use super::answer::{Json, data};
use super::query::Query;
use super::refusal::Refusal;
use crate::service::Service;

/// How to reload.
#[derive(Clone, Copy, Debug, Deserialize, JsonSchema)]
pub(super) struct ReloadQuery {
    /// Only say what would change.
    #[serde(default)]
    dry_run: bool,
}

/// The last one.
pub(super) async fn last(State(service): State<Arc<Service>>) -> Json<Answer<Reload>> {
    data(&service, service.reloader.last())
}

/// Puts the configuration in force anew. What has begun goes on if nobody waits for the answer.
pub(super) async fn reload(
    State(service): State<Arc<Service>>,
    Query(query): Query<ReloadQuery>,
) -> Result<Json<Answer<Reload>>, Refusal> {
    let reload = service.reloader.reload(query.dry_run).await;
    if reload.outcome == ReloadOutcome::Failed {
        let why = reload.error.unwrap_or_else(|| "nobody said why".to_owned());
        return Err(Refusal::ReloadFailed(why));
    }
    Ok(data(&service, reload))
}
