//! The paths that list what is below them.

use std::collections::BTreeMap;
use std::sync::{Arc, LazyLock};

use axum::extract::State;
use srs_api::{API, ROOT, UrlsAnswer, V1};

use super::answer::Json;
use super::operations;
use crate::service::Service;

pub(super) async fn root(State(service): State<Arc<Service>>) -> Json<UrlsAnswer> {
    below(&service, ROOT)
}

pub(super) async fn api(State(service): State<Arc<Service>>) -> Json<UrlsAnswer> {
    below(&service, API)
}

pub(super) async fn v1(State(service): State<Arc<Service>>) -> Json<UrlsAnswer> {
    below(&service, V1)
}

fn below(service: &Service, folder: &str) -> Json<UrlsAnswer> {
    let folder = folder.trim_end_matches('/');
    let mut urls = BTreeMap::new();
    for (path, summary) in LISTED.iter() {
        if let Some(name) = path
            .strip_prefix(folder)
            .and_then(|rest| rest.strip_prefix('/'))
            && !name.is_empty()
            && !name.contains('/')
        {
            urls.insert(name.to_owned(), (*summary).to_owned());
        }
    }
    Json(UrlsAnswer {
        code: 0,
        identity: service.identity.clone(),
        urls,
    })
}

/// What each path gives.
static LISTED: LazyLock<Vec<(&str, &str)>> = LazyLock::new(|| {
    let operations = operations::all().into_iter();
    let reads = operations.filter(|operation| operation.method == axum::http::Method::GET);
    reads
        .map(|operation| (operation.path, operation.summary))
        .collect()
});
