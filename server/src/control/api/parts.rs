//! `/api/v1/parts`: what the server keeps running beside its clients.

use std::sync::Arc;

use axum::extract::State;
use srs_api::PartsAnswer;

use super::answer::Json;
use super::query::{PageQuery, Query};
use crate::service::Service;

pub(super) async fn list(
    State(service): State<Arc<Service>>,
    Query(page): Query<PageQuery>,
) -> Json<PartsAnswer> {
    let parts = service.parts.list();
    Json(PartsAnswer {
        code: 0,
        identity: service.identity.clone(),
        total: parts.len(),
        parts: parts
            .into_iter()
            .skip(page.start)
            .take(page.count)
            .collect(),
    })
}
