//! Server-sent events.

use std::time::Duration;

use futures_util::StreamExt;
use http_body_util::BodyDataStream;
use srs_api::EventKind;
use tokio::time::timeout;

use super::*;

const SOON: Duration = Duration::from_secs(10);

fn tell(api: &Api, kinds: &[EventKind]) {
    for kind in kinds {
        api.service()
            .events
            .tell(*kind, |event| event.message = "a\nb".to_owned());
    }
}

/// `NUMBER KIND` of each event of a whole stream, where the first of `api` has the number 1.
fn heads(api: &Api, text: &str) -> Vec<String> {
    let origin = u64::try_from(api.service().started_ms).unwrap() * 1_000;
    let value = |event: &str, field: &str| {
        let lines = event.lines().filter_map(|line| line.strip_prefix(field));
        lines.map(str::trim).collect::<Vec<_>>().join("")
    };
    let events = text.split("\n\n").filter(|event| event.contains("data:"));
    let head = |event: &str| {
        let json: Value = serde_json::from_str(&value(event, "data:")).unwrap();
        assert_eq!(json["id"].to_string(), value(event, "id:"), "{event}");
        assert_eq!(json["kind"], value(event, "event:"), "{event}");
        let id: u64 = value(event, "id:").parse().unwrap();
        format!("{} {}", id - origin, value(event, "event:"))
    };
    events.map(head).collect()
}

#[tokio::test]
async fn what_is_kept_is_told_in_order_from_where_the_reader_was() {
    let api = api(|_| {});
    tell(
        &api,
        &[EventKind::Start, EventKind::Publish, EventKind::Play],
    );
    let all = ["1 start", "2 publish", "3 play"];
    let last = api.service().events.newest();
    let [first, second] = [last - 2, last - 1].map(|id| id.to_string());
    let cases = [
        (String::new(), "", &all[..]),
        ("&after=0".to_owned(), "", &all),
        (format!("&after={first}"), "", &all[1..]),
        (format!("&after={last}"), "", &[]),
        // Of another life.
        ("&after=2".to_owned(), "", &all),
        (format!("&after={}", last + 1), "", &all),
        (String::new(), "2", &all),
        (String::new(), &second, &all[2..]),
        (format!("&after={first}"), &second, &all[2..]),
    ];
    for (query, last, expected) in cases {
        let ask =
            Ask::get(format!("/api/v1/events?follow=false{query}")).with("Last-Event-ID", last);
        let told = ask.of(&api).await;
        assert_eq!(told.header("content-type"), "text/event-stream");
        assert_eq!(heads(&api, &told.text()), expected, "{query} {last}");
    }
}

#[tokio::test]
async fn what_is_missing_is_told() {
    let api = api(|_| {});
    tell(&api, &[EventKind::Play; 1_005]);
    let second = api.service().events.newest() - 1_003;
    let told = Ask::get(format!("/api/v1/events?follow=false&after={second}"))
        .of(&api)
        .await;
    let heads = heads(&api, &told.text());
    assert_eq!(heads[..2], ["5 lost", "6 play"]);
    assert_eq!(heads.len(), 1_001);
    assert!(told.text().contains("3 events are missing here"));
    // Who comes for the first time misses nothing.
    for query in ["", "&after=0"] {
        let told = Ask::get(format!("/api/v1/events?follow=false{query}"))
            .of(&api)
            .await;
        let all = self::heads(&api, &told.text());
        assert_eq!((all.len(), all[0].as_str()), (1_000, "6 play"));
    }
}

#[tokio::test]
async fn who_follows_is_told_as_it_happens_until_the_stop() {
    let api = api(|_| {});
    tell(&api, &[EventKind::Start]);
    let request = Request::get("/api/v1/events").body(Body::empty()).unwrap();
    let mut body = BodyDataStream::new(api.answer(UNIX, request).await.into_body());
    let mut next = async || match timeout(SOON, body.next()).await.unwrap() {
        Some(part) => heads(&api, std::str::from_utf8(&part.unwrap()).unwrap()).join(","),
        None => "the end".to_owned(),
    };
    assert_eq!(next().await, "1 start");
    tell(&api, &[EventKind::Publish]);
    assert_eq!(next().await, "2 publish");
    assert_eq!(api.service().api.watchers(), 1);
    api.service().stop.cancel();
    assert_eq!(next().await, "the end");
    drop(body);
    assert_eq!(api.service().api.watchers(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_silent_stream_is_kept_alive() {
    let api = api(|_| {});
    let request = Request::get("/api/v1/events").body(Body::empty()).unwrap();
    let mut body = BodyDataStream::new(api.answer(UNIX, request).await.into_body());
    let part = timeout(Duration::from_secs(16), body.next()).await.unwrap();
    assert!(part.unwrap().unwrap().starts_with(b":"));
}

#[tokio::test]
async fn no_more_watch_than_may() {
    let api = api(|_| {});
    let mut watchers = Vec::new();
    for _ in 0..64 {
        let request = Request::get("/api/v1/events").body(Body::empty()).unwrap();
        watchers.push(api.answer(UNIX, request).await);
    }
    let told = Ask::get("/api/v1/events").of(&api).await;
    assert_eq!((told.status.as_u16(), told.error().0), (503, 3017));
    assert_eq!(told.header("retry-after"), "10");
    watchers.pop();
    assert_eq!(
        Ask::get("/api/v1/events?follow=false")
            .of(&api)
            .await
            .status,
        200
    );
}
