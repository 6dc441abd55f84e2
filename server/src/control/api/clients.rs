//! `/api/v1/clients`

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::response::Response;
use schemars::JsonSchema;
use serde::Deserialize;
use srs_api::{Client, ClientAnswer, ClientsAnswer};

use super::answer::{Json, apart};
use super::query::{MatchQuery, PageQuery, Query};
use super::refusal::Refusal;
use crate::control::report::{self, ClientFilter, ClientKey, Sort, View};
use crate::service::Service;

/// Which clients are asked for.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
pub(super) struct ClientsQuery {
    /// Those of the stream with this id.
    #[schemars(with = "String")]
    stream: Option<String>,
    /// Those of the vhost with this name.
    #[schemars(with = "String")]
    vhost: Option<String>,
    /// Those that publish, or those that play.
    #[serde(rename = "type")]
    #[schemars(with = "RoleQuery")]
    role: Option<RoleQuery>,
    /// What they are sorted by, with a `-` before it for the greatest first.
    #[schemars(with = "Sort<ClientKey>")]
    sort: Option<Sort<ClientKey>>,
}

/// What clients do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum RoleQuery {
    Publish,
    Play,
}

pub(super) async fn list(
    State(service): State<Arc<Service>>,
    Query(page): Query<PageQuery>,
    Query(matches): Query<MatchQuery>,
    Query(query): Query<ClientsQuery>,
) -> Result<Response, Refusal> {
    let filter = ClientFilter {
        stream: query.stream,
        vhost: query.vhost,
        publish: query.role.map(|role| role == RoleQuery::Publish),
    };
    apart(service, move |service| {
        let view = View {
            pattern: matches.pattern()?,
            sort: query.sort,
            start: page.start,
            count: page.count,
        };
        let listed = report::clients(service, &filter, &view);
        Ok::<_, Refusal>(Json(ClientsAnswer {
            code: 0,
            identity: service.identity.clone(),
            total: listed.total,
            clients: listed.items,
        }))
    })
    .await
}

pub(super) async fn one(
    State(service): State<Arc<Service>>,
    Path(id): Path<String>,
) -> Result<Json<ClientAnswer>, Refusal> {
    let client = report::client(&service, &id);
    answer(&service, id, client)
}

/// Ends its session; the answer is what it was.
pub(super) async fn kick(
    State(service): State<Arc<Service>>,
    Path(id): Path<String>,
) -> Result<Json<ClientAnswer>, Refusal> {
    let client = report::kick(&service, &id);
    answer(&service, id, client)
}

fn answer(
    service: &Service,
    id: String,
    client: Option<Client>,
) -> Result<Json<ClientAnswer>, Refusal> {
    let client = client.ok_or(Refusal::NoClient(id))?;
    Ok(Json(ClientAnswer {
        code: 0,
        identity: service.identity.clone(),
        client,
    }))
}
