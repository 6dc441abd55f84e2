//! `/healthz` and `/readyz`: whether the server lives, and serves.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use srs_api::{ErrorCode, Health};
use tokio::task::yield_now;
use tokio::time::timeout;

use super::answer::Json;
use crate::service::Service;

/// Whether the runtime takes up a task that is given to it now.
pub(super) async fn healthz(State(service): State<Arc<Service>>) -> Response {
    let tick = service.tasks.spawn(yield_now());
    let turns = matches!(timeout(TURNS_WITHIN, tick).await, Ok(Ok(())));
    let problem = (!turns).then(|| "the runtime takes up no tasks".to_owned());
    health(&service, problem)
}

/// Whether clients can come.
pub(super) async fn readyz(State(service): State<Arc<Service>>) -> Response {
    let addresses = service.addresses();
    let problem = if service.stop.is_cancelled() {
        Some("the server stops".to_owned())
    } else if addresses.rtmp.is_empty() {
        Some("nothing listens for RTMP yet".to_owned())
    } else if !addresses.missing.is_empty() {
        let missing = addresses.missing.join(", ");
        Some(format!("nothing listens on {missing}; the log says why"))
    } else {
        None
    };
    health(&service, problem)
}

fn health(service: &Service, problem: Option<String>) -> Response {
    let (status, code) = match &problem {
        None => (StatusCode::OK, 0),
        Some(_) => (StatusCode::SERVICE_UNAVAILABLE, ErrorCode::NotReady as i32),
    };
    let health = Health {
        code,
        identity: service.identity.clone(),
        status: problem.unwrap_or_else(|| "ok".to_owned()),
    };
    (status, Json(health)).into_response()
}

/// A runtime that is well takes some microseconds.
const TURNS_WITHIN: Duration = Duration::from_secs(1);
