//! Answers as JSON.

use std::sync::Arc;

use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use srs_api::Answer;

use super::refusal::Refusal;
use crate::service::Service;

/// What is answered as JSON.
#[derive(Debug)]
pub(super) struct Json<T>(pub(super) T);

impl<T: Serialize> IntoResponse for Json<T> {
    fn into_response(self) -> Response {
        match serde_json::to_vec(&self.0) {
            Ok(body) => ([(CONTENT_TYPE, JSON)], body).into_response(),
            Err(error) => Refusal::Internal(error.to_string()).into_response(),
        }
    }
}

/// What `make` makes of the service, as an answer: on a thread of its own and one at a time, for
/// what may be long. However many ask for it, players do not wait for it.
///
/// # Errors
/// [`Refusal::Internal`]: it panicked.
pub(super) async fn apart<T: IntoResponse>(
    service: Arc<Service>,
    make: impl FnOnce(&Service) -> T + Send + 'static,
) -> Result<Response, Refusal> {
    let turn = service.api.turn().await;
    let answer = tokio::task::spawn_blocking(move || {
        let answer = make(&service).into_response();
        drop(turn);
        answer
    });
    answer
        .await
        .map_err(|error| Refusal::Internal(error.to_string()))
}

/// `data` in the envelope.
pub(super) fn data<T>(service: &Service, data: T) -> Json<Answer<T>> {
    Json(Answer {
        code: 0,
        identity: service.identity.clone(),
        data,
    })
}

/// The type, as SRS writes it.
pub(super) const JSON: &str = "application/json;charset=utf-8";
/// For what has no content.
pub(super) const NO_CONTENT_TYPE: &str = "text/plain;charset=utf-8";
