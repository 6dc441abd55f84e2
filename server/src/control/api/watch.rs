//! What happens, as server-sent events, whatever it is.
//!
//! Follows the HTML standard, section 9.2: an event has the id of ours, so that a browser that
//! lost its connection goes on where it was. A watcher holds nothing but a position in the feed,
//! and waits for nobody but its own socket.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::http::{HeaderMap, HeaderValue};
use axum::response::sse::{self, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use futures_util::stream;
use serde::Serialize;
use tokio::sync::{OwnedSemaphorePermit, watch};
use tokio::task::coop;
use tokio::time::timeout;

use super::refusal::Refusal;
use crate::config::{Config, HttpApiConfig};
use crate::control::feed::Feed;
use crate::service::Service;

/// What can be watched, and which part of it is wanted.
pub(super) trait Watched: Send + 'static {
    /// What it is made of.
    type Item: Send + Sync + 'static;

    /// Where it is found.
    fn feed(service: &Service) -> &Feed<Self::Item>;

    /// Whether an item is wanted.
    fn wants(&self, item: &Self::Item) -> bool;

    /// An item, as it is told.
    fn tell(&self, id: u64, item: &Self::Item) -> sse::Event;

    /// That items up to `id` are missing: `lost` of them.
    fn tell_lost(&self, id: u64, lost: u64) -> sse::Event;
}

/// The event with the id `id` and the type `kind`, which carries `data` as JSON.
pub(super) fn event(id: u64, kind: &str, data: &impl Serialize) -> sse::Event {
    // Numbers and texts can be written, on one line.
    let data = serde_json::to_string(data).unwrap_or_default();
    sse::Event::default()
        .id(id.to_string())
        .event(kind)
        .data(data)
}

/// The position in `feed` of a reader that has seen what the header `Last-Event-ID` says, else
/// `after`. Who has seen nothing, which is 0, misses nothing that is not kept any more.
pub(super) fn seen<T>(headers: &HeaderMap, after: u64, feed: &Feed<T>) -> Result<u64, Refusal> {
    let seen = match headers.get(LAST_EVENT_ID).filter(|value| !value.is_empty()) {
        Some(value) => position(value)?,
        None => after,
    };
    Ok(if seen == 0 { feed.oldest() - 1 } else { seen })
}

fn position(value: &HeaderValue) -> Result<u64, Refusal> {
    let id = value.to_str().ok().and_then(|text| text.parse().ok());
    id.ok_or(Refusal::Header {
        name: "Last-Event-ID",
        problem: "expected the id of an event, which is a number",
    })
}

/// Tells what is `wanted` and comes after `position`, and goes on if `follow`.
pub(super) fn answer<W: Watched>(
    service: Arc<Service>,
    wanted: W,
    position: u64,
    follow: bool,
) -> Result<Response, Refusal> {
    let place = service.api.watch().ok_or(Refusal::TooManyWatchers)?;
    let config = service.follow_config();
    let let_in_by = config.borrow().http_api.clone();
    let watcher = Watcher {
        wanted,
        position: W::feed(&service).position(position),
        service,
        next: VecDeque::new(),
        follow,
        let_in_by,
        config,
        _place: place,
    };
    let events = stream::unfold(watcher, Watcher::next);
    Ok(Sse::new(events)
        .keep_alive(KeepAlive::new().interval(KEEP_ALIVE))
        .into_response())
}

/// Somebody who watches.
struct Watcher<W: Watched> {
    wanted: W,
    service: Arc<Service>,
    /// The id of the last item that was taken from the feed.
    position: u64,
    next: VecDeque<Next<W::Item>>,
    follow: bool,
    /// By what it was let in: who is to prove something else must come again.
    let_in_by: HttpApiConfig,
    config: watch::Receiver<Arc<Config>>,
    _place: OwnedSemaphorePermit,
}

enum Next<T> {
    Item { id: u64, item: Arc<T> },
    Lost { id: u64, lost: u64 },
}

impl<W: Watched> Watcher<W> {
    /// The next event, when there is one; `None` at the end.
    async fn next(mut self) -> Option<(Result<sse::Event, Infallible>, Self)> {
        loop {
            if let Some(event) = self.pop() {
                return Some((Ok(event), self));
            }
            if self.read() {
                // Where nothing of much is wanted, others have their turn.
                coop::consume_budget().await;
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
                () = W::feed(&self.service).told_after(self.position) => false,
            };
            if stops {
                // What the clients end with is told, too.
                return self.last_words().await;
            }
        }
    }

    /// The next event of a server that stops, until its clients are gone.
    async fn last_words(mut self) -> Option<(Result<sse::Event, Infallible>, Self)> {
        loop {
            if !self.service.clients.is_empty() {
                let told = W::feed(&self.service).told_after(self.position);
                // Nobody waits for a client that takes its time.
                let _ = timeout(LAST_WORDS, told).await;
            }
            let has_read = self.read();
            if let Some(event) = self.pop() {
                return Some((Ok(event), self));
            }
            if !has_read {
                return None;
            }
        }
    }

    fn pop(&mut self) -> Option<sse::Event> {
        Some(match self.next.pop_front()? {
            Next::Item { id, item } => self.wanted.tell(id, &item),
            Next::Lost { id, lost } => self.wanted.tell_lost(id, lost),
        })
    }

    /// Takes what there is after its position, up to a bound; false if there is nothing.
    fn read(&mut self) -> bool {
        let news = W::feed(&self.service).after(self.position, AT_ONCE);
        if news.items.is_empty() {
            return false;
        }
        if let lost @ 1.. = news.lost {
            let id = news.first - 1;
            self.next.push_back(Next::Lost { id, lost });
        }
        for (id, item) in (news.first..).zip(news.items) {
            self.position = id;
            if self.wanted.wants(&item) {
                self.next.push_back(Next::Item { id, item });
            }
        }
        true
    }
}

/// Known to browsers, but not to the crate.
const LAST_EVENT_ID: &str = "last-event-id";
/// Proxies take a connection that is silent for longer, often a minute, for a dead one.
const KEEP_ALIVE: Duration = Duration::from_secs(15);
/// So many items are taken from the feed at once. They are shared, but those that the feed has
/// dropped since live as long as the slowest reader: 64 of some kilobytes for each of 64 watchers.
const AT_ONCE: usize = 64;
/// As long as clients have for their farewell.
const LAST_WORDS: Duration = Duration::from_millis(500);
