//! The HTTP API: what an operator and other programs see of a server, and what they may do to it.
//!
//! [`Api::answer`] is the way of one request, whoever brought it. What can be asked for is one
//! table, `operations`, from which both the routes and the OpenAPI document are made.
//!
//! - `guard`: who must prove who it is, and what pages of others may not do;
//! - `path`, `query`, `body`: what is asked;
//! - `answer`, `refusal`, `jsonp`: what is answered;
//! - a file per resource: `index`, `process`, `requests`, `vhosts`, `streams`,
//!   `clients`, `history`, `parts`, `servers`, `reload`, `events`, `logs` (both by `watch`),
//!   `health`;

mod answer;
mod body;
mod clients;
mod events;
mod guard;
mod health;
mod history;
mod index;
mod jsonp;
mod logs;
mod openapi;
mod operations;
mod parts;
mod path;
mod peer;
mod process;
mod query;
mod refusal;
mod reload;
mod requests;
mod servers;
mod state;
mod streams;
mod vhosts;
mod watch;

#[cfg(test)]
mod tests;

use std::fmt;
use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::http::header::{
    ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS, ACCESS_CONTROL_ALLOW_ORIGIN, ALLOW,
    CACHE_CONTROL, CONTENT_LENGTH, CONTENT_TYPE, SERVER, X_CONTENT_TYPE_OPTIONS,
};
use axum::http::{HeaderValue, Method, Request};
use axum::response::{IntoResponse, Response};
use hyper::service::Service as _;
use hyper_util::service::TowerToHyperService;

pub use self::peer::HttpPeer;
pub use self::state::{ApiState, NoPlace, Place};

use self::answer::NO_CONTENT_TYPE;
use self::guard::Access;
use self::jsonp::Callback;
use self::refusal::Refusal;
use super::complaints::Subject;
use super::logging::MessageId;
use crate::config::{ApiAuth, HttpApiConfig};
use crate::service::Service;

/// Answers the requests of one server.
pub struct Api {
    service: Arc<Service>,
    router: TowerToHyperService<Router>,
    /// What is not for everybody is not here.
    accesses: Vec<(Method, &'static str, Access)>,
}

impl Api {
    /// The API of `service`.
    pub fn new(service: Arc<Service>) -> Self {
        let mut router = Router::new();
        let mut accesses = Vec::new();
        for operation in operations::all() {
            if operation.access != Access::Proof {
                accesses.push((operation.method, operation.path, operation.access));
            }
            router = router.route(operation.path, operation.handler);
        }
        let router = router
            .fallback(async || Refusal::NoResource)
            .method_not_allowed_fallback(async || Refusal::MethodNotAllowed)
            .with_state(Arc::clone(&service));
        Self {
            service,
            router: TowerToHyperService::new(router),
            accesses,
        }
    }

    /// The server that it is of.
    pub fn service(&self) -> &Arc<Service> {
        &self.service
    }

    /// Answers a request that came from `peer`. Whatever is wrong with it is answered, too.
    pub async fn answer(&self, peer: HttpPeer, mut request: Request<Body>) -> Response {
        let config = self.service.config();
        let http_api = &config.http_api;
        path::normalise(&mut request);
        let method = request.method().clone();
        let url = path::shown(request.uri());
        let path = path::shown_path(request.uri());
        let access = self.access(&method, request.uri().path());
        let is_tried_only = is_dry_run(request.uri().query());
        // What is for everybody is for programs, not for pages.
        let callback = match access {
            Access::Open => Ok(None),
            Access::Heartbeat | Access::Proof => Callback::of(&request),
        };

        let served = match &callback {
            Ok(callback) => {
                let (callback, config) = (callback.as_ref(), http_api);
                self.serve(peer, request, config, access, callback).await
            }
            Err(refusal) => Err(refusal.clone()),
        };
        // Of those that are turned away the guard tells, and of an API that is off nobody need.
        let is_turned_away = served.is_err();
        let response = served.unwrap_or_else(IntoResponse::into_response);
        let mut response = refusal::explain(response, &self.service.identity, &url);
        if let Ok(Some(callback)) = &callback {
            response = callback.wrap(response).await;
        }
        if method == Method::HEAD {
            response = without_body(response);
        }
        dress(&mut response, http_api);

        let status = response.status();
        self.service.api.count(status);
        let asks_for_a_change = !method.is_safe() && access == Access::Proof && !is_tried_only;
        if asks_for_a_change && !is_turned_away {
            let status = status.as_u16();
            tracing::info!(%peer, %method, path, status, "API: asked for a change");
        }
        response
    }

    async fn serve(
        &self,
        peer: HttpPeer,
        mut request: Request<Body>,
        config: &HttpApiConfig,
        access: Access,
        callback: Option<&Callback>,
    ) -> Result<Response, Refusal> {
        // Its own sockets are closed then, but those that systemd holds stay open.
        if !config.enabled {
            return Err(Refusal::Disabled);
        }
        // Asked by browsers before the request proper, and without any proof.
        if request.method() == Method::OPTIONS {
            return Ok(
                [(ALLOW, METHODS), (CONTENT_TYPE, "text/html;charset=utf-8")].into_response(),
            );
        }
        let is_open = match access {
            Access::Open => true,
            Access::Heartbeat => self.service.config().fleet.open || config.auth == ApiAuth::Never,
            Access::Proof => false,
        };
        guard::check(config, peer, &request, is_open).inspect_err(|refusal| {
            self.service.counters.count_refusal(refusal);
            let (method, path) = (request.method(), path::shown_path(request.uri()));
            let complaints = &self.service.complaints;
            if complaints.may_tell(Subject::ApiRequests, peer.ip(), &peer, refusal) {
                tracing::warn!(message_id = MessageId::ApiRefused.as_str(), %peer, %method, path, why = %refusal, "API: refused a request");
            } else {
                tracing::debug!(%peer, %method, path, why = %refusal, "API: refused a request");
            }
        })?;
        if callback.is_some() {
            jsonp::check(config, peer, &request)?;
        }
        request.extensions_mut().insert(peer);
        // A router has no errors.
        let Ok(response) = self.router.call(request).await;
        Ok(response)
    }

    /// Who may do this. Of what there is not, nobody learns that without proof.
    fn access(&self, method: &Method, path: &str) -> Access {
        let method = if method == Method::HEAD {
            &Method::GET
        } else {
            method
        };
        let is = |(of, at, _): &&(Method, &str, Access)| of == method && *at == path;
        self.accesses
            .iter()
            .find(is)
            .map_or(Access::Proof, |(_, _, access)| *access)
    }
}

impl fmt::Debug for Api {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Api").finish_non_exhaustive()
    }
}

/// Whether a reload is only to say what it would change.
fn is_dry_run(query: Option<&str>) -> bool {
    let is_said = |parameter: &str| parameter == "dry_run=true";
    query.is_some_and(|query| query.split('&').any(is_said))
}

/// What a HEAD is answered with: what a GET would be, but for the body.
fn without_body(mut response: Response) -> Response {
    use http_body_util::BodyExt as _;
    use hyper::body::Body as _;

    if let Some(len) = response.body().size_hint().exact()
        && !response.headers().contains_key(CONTENT_LENGTH)
    {
        response.headers_mut().insert(CONTENT_LENGTH, len.into());
    }
    response.map(|_| Body::new(http_body_util::Empty::new().map_err(|never| match never {})))
}

/// What every answer has.
fn dress(response: &mut Response, config: &HttpApiConfig) {
    let headers = response.headers_mut();
    let fixed = HeaderValue::from_static;
    headers.insert(SERVER, fixed(concat!("srs/", env!("CARGO_PKG_VERSION"))));
    headers.insert(X_CONTENT_TYPE_OPTIONS, fixed("nosniff"));
    // Figures are of the moment.
    headers.entry(CACHE_CONTROL).or_insert(fixed("no-store"));
    headers
        .entry(CONTENT_TYPE)
        .or_insert(fixed(NO_CONTENT_TYPE));
    if config.crossdomain {
        headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, fixed("*"));
        headers.insert(ACCESS_CONTROL_ALLOW_METHODS, fixed(CORS_METHODS));
        headers.insert(ACCESS_CONTROL_ALLOW_HEADERS, fixed(CORS_HEADERS));
    }
}

/// The methods that some resource has.
const METHODS: &str = "DELETE, GET, HEAD, OPTIONS, POST";
/// As SRS has them, so that its dashboards find what they look for.
const CORS_METHODS: &str = "GET, POST, HEAD, PUT, DELETE";
/// SRS's, and those that prove who asks or say where events go on.
const CORS_HEADERS: &str = "Cache-Control,X-Proxy-Authorization,X-Requested-With,Content-Type,\
                            Authorization,Last-Event-ID";
