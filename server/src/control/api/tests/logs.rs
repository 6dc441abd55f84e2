//! Lines of the log, as server-sent events.

use std::time::Duration;

use futures_util::StreamExt as _;
use http_body_util::BodyDataStream;
use srs_api::LogLevel::{self, Error, Info, Warn};
use tokio::time::timeout;

use super::*;
use crate::control::logging::{KEPT_LINES, KeptLine};

const SOON: Duration = Duration::from_secs(10);

fn write(api: &Api, level: LogLevel, client: Option<u64>, message: &str) {
    let stream = client.map(|client| format!("__defaultVhost__/live/{client}").into());
    let line = KeptLine {
        time_ms: 1,
        level,
        client,
        stream,
        message: message.into(),
    };
    api.service().log_lines.push(message.len(), |_| line);
}

/// `LEVEL MESSAGE` of each line of a whole stream.
fn lines(text: &str) -> Vec<String> {
    let value = |event: &str, field: &str| {
        let lines = event.lines().filter_map(|line| line.strip_prefix(field));
        lines.map(str::trim).collect::<Vec<_>>().join("")
    };
    let events = text.split("\n\n").filter(|event| event.contains("data:"));
    let line = |event: &str| {
        let json: Value = serde_json::from_str(&value(event, "data:")).unwrap();
        assert_eq!(json["id"].to_string(), value(event, "id:"), "{event}");
        assert_eq!(value(event, "event:"), "line");
        let text = |key: &str| json[key].as_str().unwrap().to_owned();
        format!("{} {}", text("level"), text("message"))
    };
    events.map(line).collect()
}

async fn told(api: &Api, query: &str) -> Vec<String> {
    let told = Ask::get(format!("/api/v1/logs?follow=false{query}"))
        .of(api)
        .await;
    assert_eq!(told.header("content-type"), "text/event-stream");
    lines(&told.text())
}

#[tokio::test]
async fn the_lines_that_are_asked_for_are_told() {
    let api = api(|_| {});
    write(&api, Info, None, "a");
    write(&api, Warn, Some(7), "b\nb");
    write(&api, Info, Some(7), "c");
    write(&api, Error, Some(8), "d");
    let last = api.service().log_lines.newest();
    let all = ["info a", "warn b\nb", "info c", "error d"];
    let cases = [
        (String::new(), &all[..]),
        (format!("&after={}", last - 1), &all[3..]),
        ("&count=0".to_owned(), &[]),
        ("&count=2".to_owned(), &all[2..]),
        ("&client=7".to_owned(), &all[1..3]),
        ("&client=7&count=1".to_owned(), &all[2..3]),
        (format!("&client=7&count=1&after={}", last - 1), &[]),
        ("&level=warn&client=7".to_owned(), &all[1..2]),
        ("&level=error".to_owned(), &all[3..]),
        ("&level=trace".to_owned(), &all),
        ("&stream=live/7".to_owned(), &all[1..3]),
        ("&stream=__defaultVhost__/live/8".to_owned(), &all[3..]),
        ("&stream=other/live/8".to_owned(), &[]),
        ("&stream=7".to_owned(), &[]),
    ];
    for (query, expected) in cases {
        assert_eq!(told(&api, &query).await, expected, "{query}");
    }
}

#[tokio::test]
async fn what_cannot_be_asked_for_is_refused() {
    let api = api(|_| {});
    for (query, expected) in [
        (
            "level=loud",
            "level: unknown variant `loud`, expected one of",
        ),
        ("client=me", "client: invalid digit"),
        ("count=2001", "a number from 0 to 2000"),
        ("after=-1", "after: invalid digit"),
    ] {
        let told = Ask::get(format!("/api/v1/logs?{query}")).of(&api).await;
        let (_, message) = told.error();
        assert_eq!(told.status, 400, "{query}");
        assert!(message.contains(expected), "{query}: {message}");
    }
}

#[tokio::test]
async fn only_who_was_there_before_is_told_what_is_missing() {
    let api = api(|_| {});
    let origin = api.service().log_lines.newest();
    for _ in 0..KEPT_LINES + 5 {
        write(&api, Info, Some(7), "x");
    }
    let late = told(&api, "").await;
    assert_eq!((late.len(), late[0].as_str()), (KEPT_LINES, "info x"));
    let slow = told(&api, &format!("&after={}&level=error", origin + 2)).await;
    assert_eq!(slow, ["warn 3 lines of the log are missing here"]);
}

#[tokio::test]
async fn who_follows_is_told_as_it_is_written_until_the_stop() {
    let api = api(|_| {});
    write(&api, Info, Some(7), "before");
    let request = Request::get("/api/v1/logs?client=7")
        .body(Body::empty())
        .unwrap();
    let mut body = BodyDataStream::new(api.answer(UNIX, request).await.into_body());
    let mut next = async || match timeout(SOON, body.next()).await.unwrap() {
        Some(part) => lines(std::str::from_utf8(&part.unwrap()).unwrap()).join(","),
        None => "the end".to_owned(),
    };
    assert_eq!(next().await, "info before");
    for _ in 0..200 {
        write(&api, Info, Some(8), "of another");
    }
    write(&api, Warn, Some(7), "after");
    assert_eq!(next().await, "warn after");
    assert_eq!(api.service().api.watchers(), 1);
    write(&api, Info, Some(7), "last");
    api.service().stop.cancel();
    assert_eq!(next().await, "info last");
    assert_eq!(next().await, "the end");
    drop(body);
    assert_eq!(api.service().api.watchers(), 0);
}
