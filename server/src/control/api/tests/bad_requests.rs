//! What is wrong is answered with the right status, in the same form, and with what would be right.

use axum::http::Method;
use proptest::prelude::*;

use super::*;

#[tokio::test]
async fn each_wrong_request_has_its_status_its_code_and_its_reason() {
    let api = api(|_| {});
    let get = Method::GET;
    let cases = [
        (&get, "/nothing", 404, 3011, "GET /api/v1 lists"),
        (&get, "/api/v2", 404, 3011, "GET /api/v1 lists"),
        (&get, "/api/v1/stream", 404, 3011, "GET /api/v1 lists"),
        (&get, "/API/v1", 404, 3011, "GET /api/v1 lists"),
        (&get, "/api/v1/vhosts/none", 404, 2014, "no vhost \"none\""),
        (&get, "/api/v1/streams/s999", 404, 2048, "id \"s999\""),
        (&get, "/api/v1/clients/999", 404, 2049, "id \"999\""),
        (&get, "/api/v1/clients/a%2F..%00", 404, 2049, r#""a/..\0""#),
        (
            &Method::DELETE,
            "/api/v1/clients/999",
            404,
            2049,
            "no client",
        ),
        (&Method::DELETE, "/api/v1/clients", 405, 3012, "Allow"),
        (&Method::POST, "/api/v1/streams", 405, 3012, "Allow"),
        (&Method::PUT, "/api/v1/reload", 405, 3012, "Allow"),
        (&Method::PATCH, "/", 405, 3012, "Allow"),
        (&Method::TRACE, "/api", 405, 3012, "Allow"),
        (&get, "/api/v1/streams?count=0", 400, 3013, "count: "),
        (
            &get,
            "/api/v1/streams?count=10001",
            400,
            3013,
            "from 1 to 1000",
        ),
        (&get, "/api/v1/streams?count=ten", 400, 3013, "count: "),
        (&get, "/api/v1/clients?start=-1", 400, 3013, "start: "),
        (
            &get,
            "/api/v1/clients?start=99999999999999999999",
            400,
            3013,
            "start: ",
        ),
        (&get, "/api/v1/clients?start=1&start=2", 400, 3013, "start"),
        (
            &get,
            "/api/v1/clients?type=watch",
            400,
            3013,
            "`publish` or `play`",
        ),
        (
            &get,
            "/api/v1/streams?sort=-fame",
            400,
            3013,
            "sort: there is no key \"fame\"; there are name, state, video, size, fps, audio, in, out, \
             gop, players, drops, jumps, skew, up, outputs, and each with a - before it for the \
             greatest first",
        ),
        (
            &get,
            "/api/v1/clients?sort=",
            400,
            3013,
            "there are id, type, address, stream, in, out, lag, drops, jumps, rtt, retransmits, up, \
             agent, and",
        ),
        (&get, "/api/v1/clients?sort=--out", 400, 3013, "\"-out\""),
        (
            &get,
            "/api/v1/streams?filter=a(",
            400,
            3013,
            "in the query: filter: the pattern cannot be read: unclosed group",
        ),
        (
            &get,
            "/api/v1/clients?filter=(\\w{99}){99}",
            400,
            3013,
            "filter: the pattern means too many states",
        ),
        (&get, "/api/v1/clients?invert=maybe", 400, 3013, "invert: "),
        (
            &get,
            "/api/v1/streams?recent=61",
            400,
            3013,
            "recent: invalid value: string \"61\", expected a number from 1 to 60",
        ),
        (
            &get,
            "/api/v1/history?range=2m",
            400,
            3013,
            "`1m`, `5m`, `15m`, `60m`",
        ),
        (&get, "/api/v1/streams/s9/history", 404, 2048, "id \"s9\""),
        (&get, "/api/v1/vhosts?count=", 400, 3013, "count: "),
        (&get, "/api/v1/events?follow=maybe", 400, 3013, "follow: "),
        (&get, "/api/v1/events?after=-1", 400, 3013, "after: "),
        (
            &Method::POST,
            "/api/v1/reload?dry_run=1",
            400,
            3013,
            "dry_run: ",
        ),
        (
            &Method::POST,
            "/api/v1/reload",
            422,
            1061,
            "the server does not run",
        ),
        (
            &get,
            "/api/v1/versions?callback=a(b",
            400,
            3013,
            "callback: ",
        ),
        (
            &get,
            "/api/v1/versions?callback=a&method=DELETE",
            403,
            3016,
            "only reads",
        ),
    ];
    for (method, url, status, code, reason) in cases {
        let told = Ask::new(method.clone(), url).of(&api).await;
        assert_eq!(told.status, status, "{method} {url}: {}", told.text());
        let (found, message) = told.error();
        assert_eq!(found, code, "{method} {url}");
        assert!(message.contains(reason), "{method} {url}: {message}");
        assert_eq!(told.json()["data"]["url"], url);
    }
}

#[tokio::test]
async fn a_wrong_method_is_told_the_right_ones() {
    let api = api(|_| {});
    let cases = [
        ("/api/v1/streams", "GET,HEAD"),
        ("/api/v1/clients/1", "GET,HEAD,DELETE"),
        ("/api/v1/servers", "GET,HEAD,POST"),
    ];
    for (url, allow) in cases {
        let told = Ask::new(Method::PUT, url).of(&api).await;
        assert_eq!(told.status, 405);
        assert_eq!(told.header("allow"), allow, "{url}");
    }
}

#[tokio::test]
async fn what_a_header_says_wrongly_is_told_too() {
    let api = api(|_| {});
    let ask = Ask::get("/api/v1/events?follow=false").with("Last-Event-ID", "newest");
    let told = ask.of(&api).await;
    assert_eq!(told.status, 400);
    assert!(told.error().1.contains("Last-Event-ID"));
}

#[tokio::test]
async fn slashes_are_forgiven() {
    let api = api(|_| {});
    for url in [
        "//api//v1/versions/",
        "/api/v1/versions/?a=b",
        "/api/v1/versions//",
    ] {
        assert_eq!(Ask::get(url).of(&api).await.status, 200, "{url}");
    }
    assert_eq!(Ask::get("//").of(&api).await.status, 200);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    /// Whatever is asked, there is an answer, and whatever is wrong is said in our form.
    #[test]
    fn whatever_is_asked_is_answered(
        method in "(GET|HEAD|POST|PUT|DELETE|OPTIONS|PATCH|[A-Z]{1,8})",
        path in "(/(api|v1|clients|streams|vhosts|servers|reload|events|requests|history|[!-~&&[^?#]]{0,9})){0,5}/?",
        query in "((start|count|follow|after|type|callback|method|dry_run|sort|filter|invert|recent|range)=[!-~&&[^#]]{0,6}&){0,3}",
        headers in prop::collection::vec(
            ("(host|origin|authorization|last-event-id|x-forwarded-for|content-type)", "[ -~]{0,20}"),
            0..4,
        ),
        body in prop::collection::vec(any::<u8>(), 0..64),
        peer in prop::sample::select(vec![UNIX, tcp("127.0.0.1:9"), tcp("192.0.2.1:9")]),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let request = Request::builder().method(method.as_str()).uri(format!("/{path}?{query}follow=false"));
        let request = headers.iter().fold(request, |request, (name, value)| request.header(name, value));
        let request = request.body(Body::from(body));
        // What is no URI or header does not come to us.
        prop_assume!(request.is_ok());
        let request = request.unwrap();
        let told = runtime.block_on(async {
            let api = api(|_| {});
            // An event stream that is followed has no end of its own.
            api.service().stop.cancel();
            let (parts, body) = api.answer(peer, request).await.into_parts();
            let body = body.collect().await.unwrap().to_bytes();
            Told { url: path, status: parts.status, headers: parts.headers, body }
        });
        let is_script = told.header("content-type").starts_with("text/javascript");
        if told.status.is_client_error() && method != "HEAD" && !is_script {
            told.error();
        }
        prop_assert!(told.status != 500, "{told:?}");
        prop_assert!(told.headers.contains_key("server"));
    }
}
