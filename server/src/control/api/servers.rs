//! `/api/v1/servers`: the fleet, and the heartbeats that make it.

use std::sync::Arc;
use std::time::Instant;

use axum::Extension;
use axum::body::Body;
use axum::extract::State;
use srs_api::{Answer, Heartbeat, HeartbeatTaken, ServersAnswer};

use super::answer::{Json, data};
use super::query::{PageQuery, Query};
use super::refusal::Refusal;
use super::{HttpPeer, body};
use crate::service::Service;

pub(super) async fn list(
    State(service): State<Arc<Service>>,
    Query(page): Query<PageQuery>,
) -> Json<ServersAnswer> {
    let servers = service.fleet.servers(Instant::now());
    Json(ServersAnswer {
        code: 0,
        identity: service.identity.clone(),
        total: servers.len(),
        servers: servers
            .into_iter()
            .skip(page.start)
            .take(page.count)
            .collect(),
        heartbeat: service.heartbeat.state(),
    })
}

/// Takes in a heartbeat. SRS sends its as `text/html`, so that the type says nothing.
pub(super) async fn beat(
    State(service): State<Arc<Service>>,
    Extension(peer): Extension<HttpPeer>,
    request: Body,
) -> Result<Json<Answer<HeartbeatTaken>>, Refusal> {
    let bytes = body::read(request).await?;
    let heartbeat = parse(&bytes).map_err(|error| Refusal::Body(error.to_string()))?;
    let id = service.fleet.beat(heartbeat, peer.ip(), Instant::now())?;
    Ok(data(&service, HeartbeatTaken { id }))
}

fn parse(bytes: &[u8]) -> serde_json::Result<Heartbeat> {
    // Whatever nests deeper than 128 levels is refused by this, also where nobody looks at it.
    serde_json::from_slice::<serde_json::Value>(bytes)?;
    serde_json::from_slice(bytes)
}
