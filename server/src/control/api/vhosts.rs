//! `/api/v1/vhosts`

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::response::Response;
use srs_api::{VhostAnswer, VhostsAnswer};

use super::answer::{Json, apart};
use super::query::{PageQuery, Query};
use super::refusal::Refusal;
use crate::control::report;
use crate::service::Service;

pub(super) async fn list(
    State(service): State<Arc<Service>>,
    Query(page): Query<PageQuery>,
) -> Result<Response, Refusal> {
    apart(service, move |service| {
        let listed = report::vhosts(service, page.start, page.count);
        Json(VhostsAnswer {
            code: 0,
            identity: service.identity.clone(),
            total: listed.total,
            vhosts: listed.items,
        })
    })
    .await
}

pub(super) async fn one(
    State(service): State<Arc<Service>>,
    Path(id): Path<String>,
) -> Result<Json<VhostAnswer>, Refusal> {
    let vhost = report::vhost(&service, &id).ok_or(Refusal::NoVhost(id))?;
    Ok(Json(VhostAnswer {
        code: 0,
        identity: service.identity.clone(),
        vhost,
    }))
}
