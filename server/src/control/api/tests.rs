//! The API without sockets: requests in, answers out, each held to the OpenAPI document.

mod bad_requests;
mod document;
mod events;
mod heartbeats;
mod logs;
mod pages;
mod parts;
mod proof;
// Of the tests with the real daemon, which hold its answers to the same document.
#[path = "../../../../tests/e2e/api/schema.rs"]
mod schema;

use std::net::SocketAddr;
use std::sync::{Arc, LazyLock};

use axum::body::Body;
use axum::http::{HeaderMap, Method, Request, StatusCode};
use bytes::Bytes;
use http_body_util::BodyExt;
use jsonschema::Validator;
use serde_json::Value;

use super::openapi::describe;
use super::{Api, HttpPeer, operations};
use crate::config::Config;
use crate::service::Service;

/// Whether `value` is what the document says, and nothing beyond that.
fn hold(schema: &Validator, value: &Value) {
    let problems = schema::problems(schema, value);
    assert!(problems.is_empty(), "{problems:?} in {value}");
}

/// The place of every error.
const ERROR: &str = "/components/responses/Error/content/application~1json/schema";
const UNIX: HttpPeer = HttpPeer::Unix { uid: Some(0) };

fn tcp(address: &str) -> HttpPeer {
    HttpPeer::Tcp(address.parse::<SocketAddr>().unwrap())
}

/// An API by the default configuration, but for what `change` does to it.
fn api(change: impl FnOnce(&mut Config)) -> Api {
    let mut config = Config::default();
    change(&mut config);
    let service = Service::new(Arc::new(config), 100);
    // Nobody fulfils reloads here: they fail at once.
    drop(service.reloader.take_requests());
    Api::new(Arc::new(service))
}

/// What is asked.
struct Ask {
    peer: HttpPeer,
    method: Method,
    url: String,
    headers: Vec<(String, String)>,
    body: Body,
}

impl Ask {
    fn new(method: Method, url: impl Into<String>) -> Self {
        Self {
            peer: UNIX,
            method,
            url: url.into(),
            headers: Vec::new(),
            body: Body::empty(),
        }
    }

    fn get(url: impl Into<String>) -> Self {
        Self::new(Method::GET, url)
    }

    fn post(url: impl Into<String>, body: impl Into<Body>) -> Self {
        let body = body.into();
        Self {
            body,
            ..Self::new(Method::POST, url)
        }
    }

    fn from(self, peer: HttpPeer) -> Self {
        Self { peer, ..self }
    }

    fn with(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    async fn of(self, api: &Api) -> Told {
        let mut request = Request::builder().method(self.method).uri(&self.url);
        for (name, value) in &self.headers {
            request = request.header(name, value);
        }
        let request = request.body(self.body).unwrap();
        let (parts, body) = api.answer(self.peer, request).await.into_parts();
        Told {
            url: self.url,
            status: parts.status,
            headers: parts.headers,
            body: body.collect().await.unwrap().to_bytes(),
        }
    }
}

/// What is answered.
#[derive(Debug)]
struct Told {
    url: String,
    status: StatusCode,
    headers: HeaderMap,
    body: Bytes,
}

impl Told {
    fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| {
            panic!("{}: {error} in {:?}", self.url, self.text());
        })
    }

    fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    fn header(&self, name: &str) -> &str {
        self.headers
            .get(name)
            .map_or("", |value| value.to_str().unwrap())
    }

    /// Holds it to be an error of ours, as the OpenAPI document has them, and gives its code and
    /// message.
    fn error(&self) -> (i64, String) {
        static SCHEMA: LazyLock<Validator> =
            LazyLock::new(|| schema::schema(&describe(&operations::all()), ERROR));
        let json = self.json();
        hold(&SCHEMA, &json);
        assert_eq!(json["data"]["status_code"], self.status.as_u16(), "{json}");
        let message = json["message"].as_str().unwrap().to_owned();
        assert!(!message.is_empty(), "{json}");
        assert_eq!(
            self.header("content-type"),
            "application/json;charset=utf-8"
        );
        (json["code"].as_i64().unwrap(), message)
    }
}
