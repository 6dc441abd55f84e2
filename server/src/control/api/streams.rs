//! `/api/v1/streams`

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::response::Response;
use schemars::JsonSchema;
use serde::Deserialize;
use srs_api::{StreamAnswer, StreamsAnswer};

use super::answer::{Json, apart};
use super::query::{MatchQuery, Number, PageQuery, Query};
use super::refusal::Refusal;
use crate::control::report::{self, Sort, StreamFilter, StreamKey, View};
use crate::service::Service;

/// Which streams are asked for.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
pub(super) struct StreamsQuery {
    /// Those of the vhost with this name.
    #[schemars(with = "String")]
    vhost: Option<String>,
    /// Those of this application.
    #[schemars(with = "String")]
    app: Option<String>,
    /// Those of this name.
    #[schemars(with = "String")]
    name: Option<String>,
    /// What they are sorted by, with a `-` before it for the greatest first.
    #[schemars(with = "Sort<StreamKey>")]
    sort: Option<Sort<StreamKey>>,
    /// With what each received in so many of the last seconds, as `recent_kbps`.
    #[schemars(with = "Recent")]
    recent: Option<Recent>,
}

type Recent = Number<1, 60>;

pub(super) async fn list(
    State(service): State<Arc<Service>>,
    Query(page): Query<PageQuery>,
    Query(matches): Query<MatchQuery>,
    Query(query): Query<StreamsQuery>,
) -> Result<Response, Refusal> {
    let filter = StreamFilter {
        vhost: query.vhost,
        app: query.app,
        name: query.name,
    };
    apart(service, move |service| {
        let view = View {
            pattern: matches.pattern()?,
            sort: query.sort,
            start: page.start,
            count: page.count,
        };
        let recent = query.recent.map_or(0, |Number(seconds)| seconds);
        let listed = report::streams(service, &filter, &view, recent);
        Ok::<_, Refusal>(Json(StreamsAnswer {
            code: 0,
            identity: service.identity.clone(),
            total: listed.total,
            streams: listed.items,
        }))
    })
    .await
}

pub(super) async fn one(
    State(service): State<Arc<Service>>,
    Path(id): Path<String>,
) -> Result<Json<StreamAnswer>, Refusal> {
    let stream = report::stream(&service, &id).ok_or(Refusal::NoStream(id))?;
    Ok(Json(StreamAnswer {
        code: 0,
        identity: service.identity.clone(),
        stream,
    }))
}
