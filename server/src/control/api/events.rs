//! `/api/v1/events`: what happens, as server-sent events.

use std::sync::Arc;

use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;
use axum::response::sse;
use schemars::JsonSchema;
use serde::Deserialize;
use srs_api::{Event, EventKind};

use super::query::Query;
use super::refusal::Refusal;
use super::watch::{self, Watched};
use crate::control::feed::Feed;
use crate::control::wall_clock;
use crate::service::Service;

/// Which events are asked for.
#[derive(Clone, Copy, Debug, Deserialize, JsonSchema)]
pub(super) struct EventsQuery {
    /// Those after the event with this id; 0, or nothing: all that are kept. The header
    /// `Last-Event-ID` says the same, and counts more.
    #[serde(default)]
    after: u64,
    /// Whether to go on with those that happen from now on.
    #[serde(default = "yes")]
    follow: bool,
}

fn yes() -> bool {
    true
}

pub(super) async fn events(
    State(service): State<Arc<Service>>,
    Query(query): Query<EventsQuery>,
    headers: HeaderMap,
) -> Result<Response, Refusal> {
    let seen = watch::seen(&headers, query.after, service.events.feed())?;
    watch::answer(service, All, seen, query.follow)
}

/// Every event.
struct All;

impl Watched for All {
    type Item = Event;

    fn feed(service: &Service) -> &Feed<Event> {
        service.events.feed()
    }

    fn wants(&self, _event: &Event) -> bool {
        true
    }

    fn tell(&self, id: u64, event: &Event) -> sse::Event {
        watch::event(id, event.kind.name(), event)
    }

    fn tell_lost(&self, id: u64, lost: u64) -> sse::Event {
        let event = Event {
            id,
            time_ms: wall_clock::unix_millis(),
            kind: EventKind::Lost,
            client: None,
            peer: None,
            vhost: None,
            app: None,
            stream: None,
            device: None,
            message: format!("{lost} events are missing here"),
        };
        watch::event(id, event.kind.name(), &event)
    }
}
