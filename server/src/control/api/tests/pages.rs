//! Pages of other origins: CORS and JSONP.

use super::*;

#[tokio::test]
async fn a_preflight_is_answered_whatever_it_is_for() {
    let api = api(|_| {});
    for url in ["/api/v1/clients/1", "/nothing", "/"] {
        let ask = Ask::new(Method::OPTIONS, url).from(tcp("192.0.2.1:1"));
        let told = ask.of(&api).await;
        assert_eq!(told.status, 200, "{url}");
        assert_eq!(told.body.len(), 0);
        assert_eq!(told.header("access-control-allow-origin"), "*");
        assert!(
            told.header("access-control-allow-methods")
                .contains("DELETE")
        );
        assert!(
            told.header("access-control-allow-headers")
                .contains("Authorization")
        );
        assert!(told.header("allow").contains("GET"));
    }
}

#[tokio::test]
async fn every_answer_may_be_read_by_pages_unless_crossdomain_is_off() {
    let open = api(|_| {});
    let closed = api(|config| config.http_api.crossdomain = false);
    for (url, peer) in [
        ("/api/v1/versions", UNIX),
        ("/nothing", UNIX),
        ("/metrics", UNIX),
        ("/api/v1/versions", tcp("192.0.2.1:1")),
    ] {
        let told = Ask::get(url).from(peer).of(&open).await;
        assert_eq!(told.header("access-control-allow-origin"), "*", "{url}");
        let told = Ask::get(url).from(peer).of(&closed).await;
        assert_eq!(told.header("access-control-allow-origin"), "", "{url}");
    }
}

#[tokio::test]
async fn a_callback_is_called_with_the_answer() {
    let api = api(|_| {});
    let told = Ask::get("/api/v1/versions?callback=page.show_1")
        .of(&api)
        .await;
    assert_eq!(told.header("content-type"), "text/javascript;charset=utf-8");
    assert_eq!(told.header("x-content-type-options"), "nosniff");
    let text = told.text();
    let json = text
        .strip_prefix("page.show_1(")
        .and_then(|rest| rest.strip_suffix(')'));
    let json: Value = serde_json::from_str(json.unwrap()).unwrap();
    assert_eq!(json["code"], 0);

    let told = Ask::get("/api/v1/streams/none?callback=f").of(&api).await;
    assert_eq!(told.status, 404);
    assert!(
        told.text().starts_with(r#"f({"code":2048,"#),
        "{}",
        told.text()
    );
    // What is no JSON is no script either.
    // Whoever watches the process gets the same answer, whatever it asks with.
    let told = Ask::get("/readyz?callback=f").of(&api).await;
    assert!(told.text().starts_with('{'), "{}", told.text());
    let told = Ask::get("/metrics?callback=f").of(&api).await;
    assert!(told.header("content-type").starts_with("text/plain"));
}

#[tokio::test]
async fn a_callback_is_not_for_what_needs_a_password() {
    let api = api(|config| {
        config.http_api.username = Some("admin".to_owned());
        config.http_api.password = crate::config::Secret::new("secret");
    });
    let ask = || Ask::get("/api/v1/clients?callback=f").from(tcp("192.0.2.1:1"));
    assert_eq!(ask().of(&api).await.status, 401);
    // admin:secret
    let told = ask()
        .with("Authorization", "Basic YWRtaW46c2VjcmV0")
        .of(&api)
        .await;
    assert_eq!(told.status, 403);
    assert!(
        told.text().contains("no name and password"),
        "{}",
        told.text()
    );
}

#[tokio::test]
async fn a_callback_is_not_for_those_who_are_kept_out() {
    let api = api(|config| config.http_api.crossdomain = false);
    let told = Ask::get("/api/v1/versions?callback=f").of(&api).await;
    assert_eq!(told.status, 403);
    assert!(
        told.text().contains("http_api.crossdomain"),
        "{}",
        told.text()
    );
}

#[tokio::test]
async fn a_callback_is_not_for_whoever_opens_a_page_on_this_host() {
    use crate::config::ApiAuth;

    let guarded = api(|_| {});
    let public = api(|config| config.http_api.auth = ApiAuth::Never);
    let here = || Ask::get("/api/v1/versions?callback=f").from(tcp("127.0.0.1:1"));
    for (api, fetch_site, status) in [
        (&guarded, "", 403),
        (&guarded, "cross-site", 401),
        (&guarded, "same-origin", 200),
        (&public, "cross-site", 200),
    ] {
        let ask = match fetch_site {
            "" => here(),
            site => here().with("Sec-Fetch-Site", site),
        };
        assert_eq!(ask.of(api).await.status, status, "{fetch_site:?}");
    }
}
