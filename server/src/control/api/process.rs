//! `/api/v1/versions`, `summaries` and the kernel's figures; `/metrics` and the document.

use std::sync::Arc;

use axum::extract::State;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use srs_api::{
    Answer, ConfigAnswer, Meminfos, Rusages, SelfProcStats, Summaries, SystemProcStats, Versions,
};

use super::answer::{JSON, Json, apart, data};
use super::openapi;
use super::refusal::Refusal;
use crate::control::{metrics, report};
use crate::service::Service;

type Shared = State<Arc<Service>>;

pub(super) async fn versions(State(service): Shared) -> Json<Answer<Versions>> {
    let number = |text: &str| text.parse().unwrap_or_default();
    data(
        &service,
        Versions {
            major: number(env!("CARGO_PKG_VERSION_MAJOR")),
            minor: number(env!("CARGO_PKG_VERSION_MINOR")),
            revision: number(env!("CARGO_PKG_VERSION_PATCH")),
            version: env!("CARGO_PKG_VERSION").to_owned(),
        },
    )
}

pub(super) async fn summaries(State(service): Shared) -> Json<Answer<Summaries>> {
    data(&service, report::summaries(&service))
}

pub(super) async fn rusages(State(service): Shared) -> Json<Answer<Rusages>> {
    data(&service, service.sysinfo.rusages())
}

pub(super) async fn self_proc_stats(State(service): Shared) -> Json<Answer<SelfProcStats>> {
    data(&service, service.sysinfo.self_proc_stats())
}

pub(super) async fn system_proc_stats(State(service): Shared) -> Json<Answer<SystemProcStats>> {
    data(&service, service.sysinfo.system_proc_stats())
}

pub(super) async fn meminfos(State(service): Shared) -> Json<Answer<Meminfos>> {
    data(&service, service.sysinfo.meminfos())
}

pub(super) async fn config(State(service): Shared) -> Json<ConfigAnswer> {
    Json(ConfigAnswer {
        code: 0,
        identity: service.identity.clone(),
        data: service.reloader.running_config(),
    })
}

pub(super) async fn metrics(State(service): Shared) -> Result<Response, Refusal> {
    apart(service, |service| {
        ([(CONTENT_TYPE, METRICS)], metrics::render(service))
    })
    .await
}

pub(super) async fn openapi() -> impl IntoResponse {
    ([(CONTENT_TYPE, JSON)], openapi::document())
}

/// The version of Prometheus's text format.
pub(super) const METRICS: &str = "text/plain; version=0.0.4; charset=utf-8";
