//! Heartbeats: of other servers, of SRS, and hostile ones.

use std::convert::Infallible;

use futures_util::stream;

use super::*;

#[tokio::test]
async fn a_heartbeat_is_taken_whatever_its_type_and_answered_as_a_collector_of_srs_does() {
    let api = api(|_| {});
    let beat = r#"{"device_id":"my-srs-device","ip":"192.168.1.100"}"#;
    for content_type in ["text/html", "application/json", ""] {
        let told = Ask::post("/api/v1/servers", beat)
            .with("Content-Type", content_type)
            .of(&api)
            .await;
        assert_eq!(told.status, 200, "{}", told.text());
        let json = told.json();
        assert_eq!(json["code"], 0);
        assert_eq!(json["data"]["id"], "my-srs-device");
    }
}

#[tokio::test]
async fn the_answer_says_by_what_name_the_fleet_knows_the_server() {
    let api = api(|_| {});
    let mapped = tcp("[::ffff:127.0.0.1]:9");
    for (peer, beat, expected) in [
        (mapped, r#"{"device_id":" edge "}"#, "edge"),
        (mapped, "{}", "127.0.0.1"),
        (
            mapped,
            r#"{"device_id":"  ","ip":"192.0.2.1"}"#,
            "127.0.0.1",
        ),
        (UNIX, r#"{"ip":"192.0.2.1"}"#, "192.0.2.1"),
    ] {
        let told = Ask::post("/api/v1/servers", beat).from(peer).of(&api).await;
        assert_eq!(told.json()["data"]["id"], expected, "{beat}");
        let servers = Ask::get("/api/v1/servers").of(&api).await.json();
        let servers = servers["servers"].as_array().unwrap();
        let is_there = servers.iter().any(|it| it["device_id"] == expected);
        assert!(is_there, "{expected} in {servers:?}");
    }
}

#[tokio::test]
async fn what_the_fleet_does_not_take_has_its_status_and_code() {
    let full = api(|config| config.fleet.max_servers = 1);
    let beat = |name: &str| Ask::post("/api/v1/servers", format!(r#"{{"device_id":"{name}"}}"#));
    assert_eq!(beat("one").of(&full).await.status, 200);
    for (name, status, code) in [
        ("two", 503, 3017),
        ("", 400, 3013),
        ("a\\u0007", 400, 3013),
        (&"x".repeat(257), 400, 3013),
    ] {
        let told = beat(name).of(&full).await;
        assert_eq!(
            (told.status.as_u16(), told.error().0),
            (status, code),
            "{name}"
        );
    }
}

#[tokio::test]
async fn the_whole_summaries_of_srs_are_taken() {
    let api = api(|_| {});
    let beat = r#"{"device_id":"a","ip":"","summaries":{"code":0,"data":{"rusage_ok":true,"now_ms":1,
        "self":{"version":"0.9.189","pid":1,"argv":"srs -c x","cpu_percent":0.04,"srs_uptime":1},
        "system":{"cpu_percent":0.1,"ilde_time":3.5,"srs_recv_kbps":5,"conn_srs":2,"later":[1]}}}}"#;
    let told = Ask::post("/api/v1/servers", beat).of(&api).await;
    assert_eq!(told.status, 200, "{}", told.text());
}

#[tokio::test]
async fn a_wrong_heartbeat_is_told_where_it_is_wrong() {
    let api = api(|_| {});
    let deep = |open: &str, close: &str| {
        format!(r#"{{"x":{}1{}}}"#, open.repeat(5_000), close.repeat(5_000))
    };
    let cases = [
        (String::new(), "line 1 column 0"),
        ("\n\n{".to_owned(), "line 3 column 1"),
        ("[]x".to_owned(), "line 1 column"),
        ("17".to_owned(), "line 1 column 2"),
        (r#"{"device_id":[5]}"#.to_owned(), "line 1 column 14"),
        (
            "{\"ip\":\"a\",\n \"device_id\": \"quo\"te\"}".to_owned(),
            "line 2 column",
        ),
        ("\u{feff}{}".to_owned(), "line 1 column 1"),
        (deep("[", "]"), "recursion limit"),
        (deep(r#"{"a":"#, "}"), "recursion limit"),
    ];
    for (body, place) in cases {
        let told = Ask::post("/api/v1/servers", body.clone()).of(&api).await;
        assert_eq!(told.status, 400, "{body:.40}: {}", told.text());
        let (code, message) = told.error();
        assert_eq!(code, 3013);
        assert!(message.contains(place), "{body:.40}: {message}");
    }
}

#[tokio::test]
async fn a_huge_heartbeat_is_refused() {
    let api = api(|_| {});
    let huge = vec![b' '; (64 << 10) + 1];
    let told = Ask::post("/api/v1/servers", huge.clone()).of(&api).await;
    assert_eq!((told.status.as_u16(), told.error().0), (413, 3014));
    // Also if it does not say at first how long it is.
    let pieces = stream::iter(
        huge.chunks(1_000)
            .map(|it| Ok::<_, Infallible>(it.to_vec()))
            .collect::<Vec<_>>(),
    );
    let told = Ask::post("/api/v1/servers", Body::from_stream(pieces))
        .of(&api)
        .await;
    assert_eq!(told.status, 413);
}

#[tokio::test(start_paused = true)]
async fn a_heartbeat_that_does_not_come_is_not_waited_for() {
    let api = api(|_| {});
    let never = Body::from_stream(stream::pending::<Result<Bytes, Infallible>>());
    let told = Ask::post("/api/v1/servers", never).of(&api).await;
    assert_eq!(told.status, 408);
    assert!(told.error().1.contains("within 10s"));
}

#[tokio::test]
async fn where_there_is_no_fleet_heartbeats_are_told_so() {
    let api = api(|config| config.fleet.enabled = false);
    let told = Ask::post("/api/v1/servers", "{}").of(&api).await;
    assert_eq!(told.status, 403);
    assert!(told.error().1.contains("fleet.enabled"));
}
