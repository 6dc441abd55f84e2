//! Why a request is not answered with what it asks for.

use std::time::Duration;

use axum::Extension;
use axum::body::Body;
use axum::http::header::{CONNECTION, CONTENT_LENGTH, CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE};
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use srs_api::{ErrorAnswer, ErrorCode, ErrorData, Identity};

use super::answer::JSON;
use super::state::MAX_WATCHERS;
use crate::control::fleet::FleetError;

/// Why a request is not answered with what it asks for. The message says what would be right.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Refusal {
    #[error("there is no such resource; GET /api/v1 lists those that there are")]
    NoResource,
    #[error(
        "http_api.enabled is false in the configuration of this server; `systemctl kill -s HUP srs` \
         has it reload all the same"
    )]
    Disabled,
    #[error("there is no vhost {0:?}; GET /api/v1/vhosts lists them")]
    NoVhost(String),
    #[error("there is no stream with the id {0:?}; GET /api/v1/streams lists them")]
    NoStream(String),
    #[error("there is no client with the id {0:?}; GET /api/v1/clients lists them")]
    NoClient(String),
    #[error("this resource does not know the method; the header Allow lists those that it does")]
    MethodNotAllowed,
    #[error("in the query: {0}")]
    Query(String),
    #[error("in the header {name}: {problem}")]
    Header {
        name: &'static str,
        problem: &'static str,
    },
    #[error("in the body: {0}")]
    Body(String),
    #[error("the body did not come within {within:?}")]
    BodyLate { within: Duration },
    #[error("the body has more than {most} bytes")]
    TooLarge { most: usize },
    #[error("{}", if *.has_tried { WRONG_PROOF } else { NO_PROOF })]
    Unauthorized { has_tried: bool, takes_basic: bool },
    #[error(
        "a page of another origin asks for this in the name of its visitor; a bearer token would \
         prove that it may"
    )]
    CrossSite,
    #[error(
        "a request from this host must name it by an address or as localhost, not as {host:?}; \
         a bearer token would do, too"
    )]
    HostName { host: String },
    #[error("{0}")]
    Callback(&'static str),
    #[error(transparent)]
    Fleet(#[from] FleetError),
    #[error("{MAX_WATCHERS} clients watch the events already, which is as many as may be")]
    TooManyWatchers,
    #[error("{0}")]
    ReloadFailed(String),
    #[error("the request cannot be understood: {0}")]
    Status(StatusCode),
    #[error("the answer could not be written: {0}")]
    Internal(String),
}

impl Refusal {
    /// The HTTP status.
    pub(crate) fn status(&self) -> StatusCode {
        match self {
            Self::NoResource | Self::NoVhost(_) | Self::NoStream(_) | Self::NoClient(_) => {
                StatusCode::NOT_FOUND
            }
            Self::MethodNotAllowed => StatusCode::METHOD_NOT_ALLOWED,
            Self::Query(_) | Self::Header { .. } | Self::Body(_) => StatusCode::BAD_REQUEST,
            Self::BodyLate { .. } => StatusCode::REQUEST_TIMEOUT,
            Self::TooLarge { .. } => StatusCode::PAYLOAD_TOO_LARGE,
            Self::Unauthorized { .. } => StatusCode::UNAUTHORIZED,
            Self::Fleet(error) => fleet_error(*error).0,
            Self::TooManyWatchers | Self::Disabled => StatusCode::SERVICE_UNAVAILABLE,
            Self::CrossSite | Self::HostName { .. } | Self::Callback(_) => StatusCode::FORBIDDEN,
            Self::ReloadFailed(_) => StatusCode::UNPROCESSABLE_ENTITY,
            Self::Status(status) => *status,
            Self::Internal(_) => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }

    fn code(&self) -> ErrorCode {
        match self {
            Self::NoResource => ErrorCode::NotFound,
            Self::NoVhost(_) => ErrorCode::NoVhost,
            Self::NoStream(_) => ErrorCode::NoStream,
            Self::NoClient(_) => ErrorCode::NoClient,
            Self::MethodNotAllowed => ErrorCode::MethodNotAllowed,
            Self::TooLarge { .. } => ErrorCode::TooLarge,
            Self::Unauthorized { .. } => ErrorCode::Unauthorized,
            Self::Fleet(error) => fleet_error(*error).1,
            Self::TooManyWatchers => ErrorCode::TooMany,
            Self::CrossSite | Self::HostName { .. } | Self::Callback(_) | Self::Disabled => {
                ErrorCode::Forbidden
            }
            Self::ReloadFailed(_) => ErrorCode::ReloadFailed,
            Self::Internal(_) => ErrorCode::Internal,
            Self::Status(status) if status.is_server_error() => ErrorCode::Internal,
            Self::Query(_)
            | Self::Header { .. }
            | Self::Body(_)
            | Self::BodyLate { .. }
            | Self::Status(_) => ErrorCode::BadRequest,
        }
    }
}

/// The HTTP status and the number that say it.
fn fleet_error(error: FleetError) -> (StatusCode, ErrorCode) {
    match error {
        FleetError::Disabled => (StatusCode::FORBIDDEN, ErrorCode::Forbidden),
        FleetError::Unnamed | FleetError::TooLong { .. } | FleetError::Unprintable { .. } => {
            (StatusCode::BAD_REQUEST, ErrorCode::BadRequest)
        }
        FleetError::Full { .. } => (StatusCode::SERVICE_UNAVAILABLE, ErrorCode::TooMany),
    }
}

impl IntoResponse for Refusal {
    /// Without a body still: [`explain`] knows what was asked.
    fn into_response(self) -> Response {
        let mut response = self.status().into_response();
        let headers = response.headers_mut();
        if let Self::Unauthorized { takes_basic, .. } = self {
            headers.insert(WWW_AUTHENTICATE, HeaderValue::from_static(BEARER));
            if takes_basic {
                headers.append(WWW_AUTHENTICATE, HeaderValue::from_static(BASIC));
            }
            // Each guess costs a connection.
            headers.insert(CONNECTION, HeaderValue::from_static("close"));
        }
        if self == Self::Disabled {
            // Nobody is to have a place who gets nothing.
            headers.insert(CONNECTION, HeaderValue::from_static("close"));
        }
        if self.status() == StatusCode::SERVICE_UNAVAILABLE {
            headers.insert(RETRY_AFTER, HeaderValue::from_static("10"));
        }
        (Extension(self), response).into_response()
    }
}

/// Gives an answer that is an error its body, unless it has one of ours.
pub(super) fn explain(response: Response, identity: &Identity, url: &str) -> Response {
    let status = response.status();
    let is_error = status.is_client_error() || status.is_server_error();
    let refusal = match response.extensions().get() {
        Some(refusal) => Refusal::clone(refusal),
        None if !is_error || has_json(&response) => return response,
        None => Refusal::Status(status),
    };
    let answer = ErrorAnswer {
        code: refusal.code() as i32,
        identity: identity.clone(),
        message: refusal.to_string(),
        data: ErrorData {
            status_code: status.as_u16(),
            reason_phrase: status.canonical_reason().unwrap_or_default().to_owned(),
            url: url.to_owned(),
        },
    };
    let (mut parts, _) = response.into_parts();
    parts.headers.remove(CONTENT_LENGTH);
    parts
        .headers
        .insert(CONTENT_TYPE, HeaderValue::from_static(JSON));
    // Numbers and texts can be written.
    let body = serde_json::to_vec(&answer).unwrap_or_default();
    Response::from_parts(parts, Body::from(body))
}

/// Whether it is JSON, which only our own answers are.
pub(super) fn has_json(response: &Response) -> bool {
    response
        .headers()
        .get(CONTENT_TYPE)
        .is_some_and(|of| of == JSON)
}

const NO_PROOF: &str = "who asks must prove who it is: by `Authorization: Bearer TOKEN` with the \
                        token of http_api, or by its username and password";
const WRONG_PROOF: &str = "that is not the token of http_api, nor its username and password";
const BEARER: &str = r#"Bearer realm="srs""#;
const BASIC: &str = r#"Basic realm="srs", charset="UTF-8""#;
