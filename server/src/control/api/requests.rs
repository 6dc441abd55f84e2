//! `/api/v1/authors` and `/api/v1/requests`: who wrote the server, and what it was asked.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::extract::State;
use axum::http::header::{AUTHORIZATION, COOKIE, HOST, PROXY_AUTHORIZATION};
use axum::http::request::Parts;
use srs_api::{Answer, Authors, Requests, ServerSignature};

use super::answer::{Json, data};
use crate::control::wall_clock;
use crate::service::Service;

pub(super) async fn authors(State(service): State<Arc<Service>>) -> Json<Answer<Authors>> {
    data(
        &service,
        Authors {
            primary_authors: "the srs authors".to_owned(),
            contributors_link: String::new(),
            contributors: String::new(),
            license: "MIT".to_owned(),
        },
    )
}

pub(super) async fn requests(
    State(service): State<Arc<Service>>,
    parts: Parts,
) -> Json<Answer<Requests>> {
    let mut headers: BTreeMap<String, String> = BTreeMap::new();
    for (name, value) in &parts.headers {
        if [AUTHORIZATION, PROXY_AUTHORIZATION, COOKIE].contains(name) {
            continue;
        }
        let value = String::from_utf8_lossy(value.as_bytes());
        let all = headers.entry(name.as_str().to_owned()).or_default();
        if !all.is_empty() {
            all.push_str(", ");
        }
        all.push_str(&value);
    }
    let whole = parts.uri.path_and_query().map_or("/", |it| it.as_str());
    let host = headers.get(HOST.as_str()).map_or("", String::as_str);
    data(
        &service,
        Requests {
            uri: format!("http://{host}{whole}"),
            path: parts.uri.path().to_owned(),
            method: parts.method.to_string(),
            headers,
            server: ServerSignature {
                sigature: "SRS".to_owned(),
                name: "srs".to_owned(),
                version: env!("CARGO_PKG_VERSION").to_owned(),
                link: String::new(),
                time: wall_clock::unix_millis(),
            },
        },
    )
}
