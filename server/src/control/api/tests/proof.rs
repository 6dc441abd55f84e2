//! Who must prove who it is, and what it is told.

use super::*;
use crate::config::{ApiAuth, Secret};
use crate::control::counters::Incident;

#[tokio::test]
async fn without_proof_nothing_is_told_but_how_to_prove_it() {
    let api = api(|config| config.http_api.token = Secret::new("s3cret"));
    for url in [
        "/api/v1/clients",
        "/",
        "/metrics",
        "/api/v1/openapi.json",
        "/nothing",
    ] {
        let told = Ask::get(url).from(tcp("192.0.2.1:1")).of(&api).await;
        assert_eq!(told.status, 401, "{url}");
        assert_eq!(told.header("www-authenticate"), r#"Bearer realm="srs""#);
        assert_eq!(told.header("connection"), "close");
        let (code, message) = told.error();
        assert_eq!(code, 3015);
        assert!(message.contains("Authorization: Bearer TOKEN"), "{message}");
    }
    assert_eq!(api.service().counters.get(Incident::ApiUnauthorized), 5);

    let ask = Ask::get("/api/v1/clients").from(tcp("192.0.2.1:1"));
    let told = ask.with("Authorization", "Bearer guess").of(&api).await;
    assert!(told.error().1.contains("not the token"));
    let ask = Ask::get("/api/v1/clients").from(tcp("192.0.2.1:1"));
    assert_eq!(
        ask.with("Authorization", "Bearer s3cret")
            .of(&api)
            .await
            .status,
        200
    );
}

#[tokio::test]
async fn basic_is_offered_where_there_is_a_name() {
    let api = api(|config| {
        config.http_api.username = Some("admin".to_owned());
        config.http_api.password = Secret::new("secret");
    });
    let told = Ask::get("/").from(tcp("192.0.2.1:1")).of(&api).await;
    let offers: Vec<_> = told.headers.get_all("www-authenticate").iter().collect();
    assert_eq!(
        offers,
        [
            r#"Bearer realm="srs""#,
            r#"Basic realm="srs", charset="UTF-8""#
        ]
    );
}

#[tokio::test]
async fn health_needs_no_proof() {
    let api = api(|config| config.http_api.auth = ApiAuth::Always);
    for (url, status) in [("/healthz", 200), ("/readyz", 503)] {
        let told = Ask::get(url).from(tcp("192.0.2.1:1")).of(&api).await;
        assert_eq!(told.status, status);
    }
    let head = Ask::new(Method::HEAD, "/healthz").from(tcp("192.0.2.1:1"));
    assert_eq!(head.of(&api).await.status, 200);
}

#[tokio::test]
async fn heartbeats_need_none_where_the_fleet_is_open() {
    let beat = || Ask::post("/api/v1/servers", "{}").from(tcp("192.0.2.1:1"));
    let closed = api(|_| {});
    assert_eq!(beat().of(&closed).await.status, 401);
    let open = api(|config| config.fleet.open = true);
    assert_eq!(beat().of(&open).await.status, 200);
    // A collector has a name.
    let public = api(|config| config.http_api.auth = ApiAuth::Never);
    let told = beat().with("Host", "fleet.example").of(&public).await;
    assert_eq!(told.status, 200);
    // What is told of the fleet is another matter.
    let told = Ask::get("/api/v1/servers")
        .from(tcp("192.0.2.1:1"))
        .of(&open)
        .await;
    assert_eq!(told.status, 401);
}

#[tokio::test]
async fn a_page_cannot_end_a_session_in_the_name_of_its_visitor() {
    let api = api(|config| config.http_api.token = Secret::new("s3cret"));
    let kick = || {
        let ask = Ask::new(Method::DELETE, "/api/v1/clients/100").from(tcp("127.0.0.1:1"));
        ask.with("Host", "127.0.0.1:1985")
            .with("Origin", "http://evil.example")
    };
    let told = kick().of(&api).await;
    assert_eq!((told.status.as_u16(), told.error().0), (403, 3016));
    let told = kick().with("Authorization", "Bearer s3cret").of(&api).await;
    assert_eq!(told.status, 404);
}
