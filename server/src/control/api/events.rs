//! `/api/v1/events`: what happens, as server-sent events.
//!
//! Follows the HTML standard, section 9.2: an event has the id of ours, so that a browser that
//! lost its connection goes on where it was. A watcher holds nothing but a position in the log,
//! and waits for nobody but its own socket.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue};
use axum::response::sse::{self, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use futures_util::stream;
use schemars::JsonSchema;
use serde::Deserialize;
use srs_api::{Event, EventKind};
use tokio::sync::{OwnedSemaphorePermit, watch};
use tokio::time::timeout;

use super::query::Query;
use super::refusal::Refusal;
use crate::config::{Config, HttpApiConfig};
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
    let after = match headers.get(LAST_EVENT_ID).filter(|value| !value.is_empty()) {
        Some(value) => position(value)?,
        None => query.after,
    };
    let place = service.api.watch().ok_or(Refusal::TooManyWatchers)?;
    let watcher = Watcher::new(service, after, query.follow, place);
    let events = stream::unfold(watcher, Watcher::next);
    Ok(Sse::new(events)
        .keep_alive(KeepAlive::new().interval(KEEP_ALIVE))
        .into_response())
}

fn position(value: &HeaderValue) -> Result<u64, Refusal> {
    let id = value.to_str().ok().and_then(|text| text.parse().ok());
    id.ok_or(Refusal::Header {
        name: "Last-Event-ID",
        problem: "expected the id of an event, which is a number",
    })
}

/// Somebody who watches.
struct Watcher {
    service: Arc<Service>,
    /// The id of the last event that it was given.
    position: u64,
    next: VecDeque<Arc<Event>>,
    follow: bool,
    /// By what it was let in: who is to prove something else must come again.
    let_in_by: HttpApiConfig,
    config: watch::Receiver<Arc<Config>>,
    _place: OwnedSemaphorePermit,
}

impl Watcher {
    fn new(service: Arc<Service>, after: u64, follow: bool, place: OwnedSemaphorePermit) -> Self {
        let config = service.follow_config();
        let let_in_by = config.borrow().http_api.clone();
        Self {
            position: service.events.position(after),
            service,
            next: VecDeque::new(),
            follow,
            let_in_by,
            config,
            _place: place,
        }
    }

    /// The next event, when there is one; `None` at the end.
    async fn next(mut self) -> Option<(Result<sse::Event, Infallible>, Self)> {
        loop {
            if let Some(event) = self.next.pop_front() {
                self.position = event.id;
                return Some((Ok(told(&event)), self));
            }
            self.read();
            if !self.next.is_empty() {
                continue;
            }
            if !self.follow {
                return None;
            }
            let let_in_by = &self.let_in_by;
            let is_other = |config: &Arc<Config>| config.http_api != *let_in_by;
            let stops = tokio::select! {
                () = self.service.stop.cancelled() => true,
                _ = self.config.wait_for(is_other) => return None,
                () = self.service.events.told_after(self.position) => false,
            };
            if stops {
                // What the clients end with is told, too.
                return self.last_words().await;
            }
        }
    }

    /// The next event of a server that stops, until its clients are gone.
    async fn last_words(mut self) -> Option<(Result<sse::Event, Infallible>, Self)> {
        if !self.service.clients.is_empty() {
            let told = self.service.events.told_after(self.position);
            // Nobody waits for a client that takes its time.
            let _ = timeout(LAST_WORDS, told).await;
        }
        self.read();
        let event = self.next.pop_front()?;
        self.position = event.id;
        Some((Ok(told(&event)), self))
    }

    /// Takes what there is after its position, up to a bound.
    fn read(&mut self) {
        let news = self.service.events.after(self.position, AT_ONCE);
        if let (lost @ 1.., Some(first)) = (news.lost, news.events.first()) {
            self.next.push_back(Arc::new(Event {
                id: first.id - 1,
                time_ms: wall_clock::unix_millis(),
                kind: EventKind::Lost,
                client: None,
                peer: None,
                vhost: None,
                app: None,
                stream: None,
                device: None,
                message: format!("{lost} events are missing here"),
            }));
        }
        self.next.extend(news.events);
    }
}

fn told(event: &Event) -> sse::Event {
    // Numbers and texts can be written, on one line.
    let data = serde_json::to_string(event).unwrap_or_default();
    sse::Event::default()
        .id(event.id.to_string())
        .event(event.kind.name())
        .data(data)
}

/// Known to browsers, but not to the crate.
const LAST_EVENT_ID: &str = "last-event-id";
/// Proxies take a connection that is silent for longer, often a minute, for a dead one.
const KEEP_ALIVE: Duration = Duration::from_secs(15);
/// So many events are taken from the log at once.
const AT_ONCE: usize = 100;
/// As long as clients have for their farewell.
const LAST_WORDS: Duration = Duration::from_millis(500);
