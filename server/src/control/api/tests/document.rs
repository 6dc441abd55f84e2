//! The OpenAPI document is true: every answer is held to it.

use std::collections::BTreeSet;

use axum::http::Method;
use serde_json::json;

use super::*;
use crate::control::api::operations::{Content, Operation};

fn place(operation: &Operation, status: StatusCode) -> String {
    let path = operation.path.replace('~', "~0").replace('/', "~1");
    let method = operation.method.as_str().to_ascii_lowercase();
    format!("/paths/{path}/{method}/responses/{}", status.as_u16())
}

#[tokio::test]
async fn every_operation_answers_as_the_document_says() {
    let api = api(|_| {});
    let document = describe(&operations::all());
    for operation in operations::all() {
        let url = operation.path.replace("{id}", "no-such-id");
        let mut ask = Ask::new(operation.method.clone(), url.as_str());
        if matches!(operation.answer, Content::Events(_)) {
            ask = Ask::get(format!("{url}?follow=false"));
        }
        if operation.body.is_some() {
            ask = Ask::post(url, r#"{"device_id":"one","ip":"192.0.2.1"}"#);
        }
        let told = ask.of(&api).await;
        let place = place(&operation, told.status);
        let documented = document
            .pointer(&place)
            .unwrap_or_else(|| panic!("{place}: not said"));
        if !told.status.is_success() && documented.get("$ref").is_some() {
            hold(&schema::schema(&document, ERROR), &told.json());
            continue;
        }
        let types = documented["content"].as_object().unwrap();
        let (media_type, _) = types.iter().next().unwrap();
        let given = told.header("content-type");
        assert!(
            given.starts_with(media_type.split(';').next().unwrap()),
            "{}: {given}",
            operation.path
        );
        if media_type == "application/json" {
            let place = format!("{place}/content/application~1json/schema");
            hold(&schema::schema(&document, &place), &told.json());
        }
    }
}

#[tokio::test]
async fn every_operation_says_how_it_is_refused() {
    let api = api(|_| {});
    let document = describe(&operations::all());
    for operation in operations::all() {
        let ask = Ask::new(
            operation.method.clone(),
            operation.path.replace("{id}", "1"),
        );
        let told = ask.from(tcp("192.0.2.1:1")).of(&api).await;
        if told.status != 200 && !matches!(operation.answer, Content::Health(_)) {
            assert_eq!(told.status, 401, "{}", operation.path);
            assert!(document.pointer(&place(&operation, told.status)).is_some());
        }
    }
}

#[test]
fn the_document_is_whole() {
    let document = describe(&operations::all());
    let text = document.to_string();
    // Whatever is referred to is there.
    let references = text.split(r##""$ref":"#"##).skip(1);
    for reference in references.map(|rest| rest.split('"').next().unwrap()) {
        assert!(document.pointer(reference).is_some(), "{reference}");
    }
    let mut ids = BTreeSet::new();
    for operation in operations::all() {
        let method = operation.method.as_str().to_ascii_lowercase();
        let described = &document["paths"][operation.path][method];
        assert!(
            described["summary"]
                .as_str()
                .is_some_and(|it| !it.is_empty())
        );
        let id = described["operationId"].as_str().unwrap();
        assert!(ids.insert(id.to_owned()), "{id} twice");
    }
    assert!(
        ids.contains("getStreams") && ids.contains("deleteClientsId"),
        "{ids:?}"
    );
    let count = json!({
        "name": "count",
        "in": "query",
        "description": "How many to give at most.",
        "schema": { "type": "integer", "format": "uint", "minimum": 1, "maximum": 1000, "default": 10 },
    });
    let parameters = document["paths"]["/api/v1/streams"]["get"]["parameters"].as_array();
    assert!(parameters.unwrap().contains(&count), "{parameters:?}");
    let parameter = |path: &str, name: &str| {
        let parameters = document["paths"][path]["get"]["parameters"]
            .as_array()
            .unwrap();
        let mut named = parameters
            .iter()
            .filter(|parameter| parameter["name"] == name);
        named.next().unwrap_or_else(|| panic!("{path}: {name}"))["schema"].clone()
    };
    let sort = parameter("/api/v1/clients", "sort");
    assert_eq!(sort["enum"][0], "id");
    assert_eq!(sort["enum"][1], "-id");
    let recent = json!({ "type": "integer", "minimum": 1, "maximum": 60 });
    assert_eq!(parameter("/api/v1/streams", "recent"), recent);
    let filter = json!({ "type": "string", "maxLength": 256 });
    assert_eq!(parameter("/api/v1/streams", "filter"), filter);
    let range = parameter("/api/v1/streams/{id}/history", "range");
    assert_eq!(range["default"], "1m");
}

#[tokio::test]
async fn the_indexes_list_what_there_is() {
    let api = api(|_| {});
    let keys = async |url: &str| {
        let told = Ask::get(url).of(&api).await.json();
        assert_eq!(told["code"], 0);
        let keys: Vec<String> = told["urls"].as_object().unwrap().keys().cloned().collect();
        keys.join(" ")
    };
    assert_eq!(keys("/").await, "api healthz metrics readyz");
    assert_eq!(keys("/api").await, "v1");
    assert_eq!(
        keys("/api/v1").await,
        "authors clients config events history logs meminfos openapi.json parts reload requests \
         rusages self_proc_stats servers streams summaries system_proc_stats versions vhosts"
    );
}

#[tokio::test]
async fn every_answer_says_who_gives_it() {
    let api = api(|_| {});
    let told = Ask::get("/api/v1/versions").of(&api).await.json();
    assert_eq!(told["pid"], std::process::id().to_string());
    assert_eq!(told["server"], api.service().identity.server);
    assert_eq!(told["service"], api.service().identity.service);
    assert_eq!(told["data"]["version"], env!("CARGO_PKG_VERSION"));
}

#[tokio::test]
async fn a_request_is_echoed_but_for_what_proves_who_asks() {
    let api = api(|_| {});
    let ask = Ask::get("//api/v1/requests/?a=b")
        .with("Host", "host:1985")
        .with("X-Quote", "\"'\\")
        .with("X-Twice", "1")
        .with("X-Twice", "2")
        .with("Cookie", "secret")
        .with("Authorization", "Bearer secret");
    let told = ask.of(&api).await;
    assert!(!told.text().contains("secret"));
    let data = &told.json()["data"];
    assert_eq!(data["uri"], "http://host:1985/api/v1/requests?a=b");
    assert_eq!(data["path"], "/api/v1/requests");
    assert_eq!(data["METHOD"], "GET");
    assert_eq!(data["headers"]["x-quote"], "\"'\\");
    assert_eq!(data["headers"]["x-twice"], "1, 2");
    assert_eq!(data["server"]["sigature"], "SRS");
}

#[tokio::test]
async fn a_head_has_the_head_of_a_get() {
    let api = api(|_| {});
    for url in [
        "/api/v1/versions",
        "/api/v1/streams/none",
        "/nothing",
        "/metrics",
    ] {
        let get = Ask::get(url).of(&api).await;
        let head = Ask::new(Method::HEAD, url).of(&api).await;
        assert_eq!(head.status, get.status, "{url}");
        assert_eq!(head.body.len(), 0, "{url}");
        assert_eq!(head.header("content-type"), get.header("content-type"));
        // The figures of /metrics are others each time.
        if url != "/metrics" {
            assert_eq!(
                head.header("content-length"),
                get.body.len().to_string(),
                "{url}"
            );
        }
    }
}

#[tokio::test]
async fn health_is_what_it_is() {
    let api = api(|_| {});
    assert_eq!(Ask::get("/healthz").of(&api).await.json()["status"], "ok");
    let told = Ask::get("/readyz").of(&api).await;
    assert_eq!(told.status, 503);
    assert_eq!(told.json()["status"], "nothing listens for RTMP yet");

    let mut addresses = api.service().addresses();
    addresses.rtmp.push("127.0.0.1:1935".parse().unwrap());
    api.service().set_addresses(addresses.clone());
    assert_eq!(Ask::get("/readyz").of(&api).await.status, 200);

    addresses.missing.push("127.0.0.1:1936".to_owned());
    api.service().set_addresses(addresses);
    let told = Ask::get("/readyz").of(&api).await;
    assert_eq!(told.status, 503);
    let status = told.json()["status"].as_str().unwrap().to_owned();
    assert!(status.contains("127.0.0.1:1936"), "{status}");

    api.service().stop.cancel();
    let told = Ask::get("/readyz").of(&api).await;
    assert_eq!(
        (told.status, told.json()["status"].clone()),
        (StatusCode::SERVICE_UNAVAILABLE, json!("the server stops"))
    );
    assert_eq!(Ask::get("/healthz").of(&api).await.status, 200);
}
