//! What can be asked for: one table, from which the routes, the indexes and the OpenAPI document
//! are made, so that they cannot disagree.

use std::sync::Arc;

use axum::handler::Handler;
use axum::http::{Method, StatusCode};
use axum::routing::{self, MethodRouter};
use schemars::generate::SchemaGenerator;
use schemars::{JsonSchema, Schema};
use srs_api::{
    API, Answer, Authors, ClientAnswer, ClientsAnswer, ConfigAnswer, Event, Health, Heartbeat,
    HeartbeatTaken, HistoryAnswer, LogLine, Meminfos, PartsAnswer, ROOT, Reload, Requests, Rusages,
    SelfProcStats, ServersAnswer, StreamAnswer, StreamsAnswer, Summaries, SystemProcStats,
    UrlsAnswer, V1, Versions, VhostAnswer, VhostsAnswer,
};

use super::guard::Access;
use super::query::{MatchQuery, PageQuery};
use super::{
    clients, events, health, history, index, logs, parts, process, reload, requests, servers,
    streams, vhosts,
};
use crate::service::Service;

/// One method of one path.
#[derive(Debug)]
pub(super) struct Operation {
    pub(super) method: Method,
    pub(super) path: &'static str,
    pub(super) summary: &'static str,
    pub(super) access: Access,
    /// What it reads of the query.
    pub(super) query: Vec<MakeSchema>,
    pub(super) body: Option<MakeSchema>,
    pub(super) answer: Content,
    /// Errors beside those that any such operation has.
    pub(super) fails: &'static [StatusCode],
    pub(super) handler: MethodRouter<Arc<Service>>,
}

pub(super) type MakeSchema = fn(&mut SchemaGenerator) -> Schema;

/// What an answer is.
#[derive(Clone, Copy, Debug)]
pub(super) enum Content {
    /// JSON of some type.
    Json(MakeSchema),
    /// JSON that also says what is wrong, with status 503.
    Health(MakeSchema),
    /// JSON that describes itself.
    Document,
    /// Server-sent events, whose data is JSON of some type.
    Events(MakeSchema),
    /// Text of another format.
    Text(&'static str),
}

/// Every operation.
pub(super) fn all() -> Vec<Operation> {
    vec![
        get(ROOT, "what there is", index::root).answers::<UrlsAnswer>(),
        get(API, "the versions of the API", index::api).answers::<UrlsAnswer>(),
        get(V1, "the resources of version 1", index::v1).answers::<UrlsAnswer>(),
        get(
            "/api/v1/versions",
            "the version of the server",
            process::versions,
        )
        .answers::<Answer<Versions>>(),
        get(
            "/api/v1/summaries",
            "process and host at a glance",
            process::summaries,
        )
        .answers::<Answer<Summaries>>(),
        get("/api/v1/rusages", "what the process used", process::rusages)
            .answers::<Answer<Rusages>>(),
        get(
            "/api/v1/self_proc_stats",
            "the process, as the kernel sees it",
            process::self_proc_stats,
        )
        .answers::<Answer<SelfProcStats>>(),
        get(
            "/api/v1/system_proc_stats",
            "the host's processors",
            process::system_proc_stats,
        )
        .answers::<Answer<SystemProcStats>>(),
        get("/api/v1/meminfos", "the host's memory", process::meminfos)
            .answers::<Answer<Meminfos>>(),
        get("/api/v1/authors", "who wrote the server", requests::authors)
            .answers::<Answer<Authors>>(),
        get("/api/v1/requests", "the request itself", requests::requests)
            .answers::<Answer<Requests>>(),
        get("/api/v1/vhosts", "the vhosts", vhosts::list)
            .query::<PageQuery>()
            .answers::<VhostsAnswer>(),
        get("/api/v1/vhosts/{id}", "one vhost", vhosts::one).answers::<VhostAnswer>(),
        get("/api/v1/streams", "the live streams", streams::list)
            .query::<PageQuery>()
            .query::<MatchQuery>()
            .query::<streams::StreamsQuery>()
            .answers::<StreamsAnswer>(),
        get("/api/v1/streams/{id}", "one stream", streams::one).answers::<StreamAnswer>(),
        get(
            "/api/v1/streams/{id}/history",
            "how a stream was over the last hour",
            history::of_stream,
        )
        .query::<history::HistoryQuery>()
        .answers::<HistoryAnswer>(),
        get(
            "/api/v1/history",
            "how all clients together were over the last hour",
            history::of_all,
        )
        .query::<history::HistoryQuery>()
        .answers::<HistoryAnswer>(),
        get("/api/v1/clients", "the connected clients", clients::list)
            .query::<PageQuery>()
            .query::<MatchQuery>()
            .query::<clients::ClientsQuery>()
            .answers::<ClientsAnswer>(),
        get("/api/v1/clients/{id}", "one client", clients::one).answers::<ClientAnswer>(),
        delete(
            "/api/v1/clients/{id}",
            "end a client's session",
            clients::kick,
        )
        .answers::<ClientAnswer>(),
        get(
            "/api/v1/reload",
            "what became of the last reload",
            reload::last,
        )
        .answers::<Answer<Reload>>(),
        post(
            "/api/v1/reload",
            "put the configuration in force anew",
            reload::reload,
        )
        .query::<reload::ReloadQuery>()
        .answers::<Answer<Reload>>()
        .fails(&[StatusCode::UNPROCESSABLE_ENTITY]),
        get(
            "/api/v1/config",
            "the configuration in force",
            process::config,
        )
        .answers::<ConfigAnswer>(),
        get(
            "/api/v1/parts",
            "what the server keeps running beside its clients",
            parts::list,
        )
        .query::<PageQuery>()
        .answers::<PartsAnswer>(),
        get("/api/v1/servers", "the fleet", servers::list)
            .query::<PageQuery>()
            .answers::<ServersAnswer>(),
        post(
            "/api/v1/servers",
            "a heartbeat of another server",
            servers::beat,
        )
        .access(Access::Heartbeat)
        .takes::<Heartbeat>()
        .answers::<Answer<HeartbeatTaken>>()
        .fails(&[
            StatusCode::REQUEST_TIMEOUT,
            StatusCode::PAYLOAD_TOO_LARGE,
            StatusCode::SERVICE_UNAVAILABLE,
        ]),
        get(
            "/api/v1/events",
            "what happens, as it happens",
            events::events,
        )
        .query::<events::EventsQuery>()
        .content(Content::Events(SchemaGenerator::subschema_for::<Event>))
        .fails(&[StatusCode::SERVICE_UNAVAILABLE]),
        get("/api/v1/logs", "the newest lines of the log", logs::logs)
            .query::<logs::LogsQuery>()
            .content(Content::Events(SchemaGenerator::subschema_for::<LogLine>))
            .fails(&[StatusCode::SERVICE_UNAVAILABLE]),
        get("/api/v1/openapi.json", "this description", process::openapi)
            .content(Content::Document),
        get("/metrics", "figures for Prometheus", process::metrics)
            .content(Content::Text(process::METRICS)),
        get("/healthz", "whether the server lives", health::healthz)
            .access(Access::Open)
            .content(Content::Health(SchemaGenerator::subschema_for::<Health>)),
        get("/readyz", "whether the server serves", health::readyz)
            .access(Access::Open)
            .content(Content::Health(SchemaGenerator::subschema_for::<Health>)),
    ]
}

fn get<H, T>(path: &'static str, summary: &'static str, handler: H) -> Operation
where
    H: Handler<T, Arc<Service>>,
    T: 'static,
{
    Operation::new(Method::GET, path, summary, routing::get(handler))
}

fn post<H, T>(path: &'static str, summary: &'static str, handler: H) -> Operation
where
    H: Handler<T, Arc<Service>>,
    T: 'static,
{
    Operation::new(Method::POST, path, summary, routing::post(handler))
}

fn delete<H, T>(path: &'static str, summary: &'static str, handler: H) -> Operation
where
    H: Handler<T, Arc<Service>>,
    T: 'static,
{
    Operation::new(Method::DELETE, path, summary, routing::delete(handler))
}

impl Operation {
    fn new(
        method: Method,
        path: &'static str,
        summary: &'static str,
        handler: MethodRouter<Arc<Service>>,
    ) -> Self {
        Self {
            method,
            path,
            summary,
            access: Access::Proof,
            query: Vec::new(),
            body: None,
            answer: Content::Document,
            fails: &[],
            handler,
        }
    }

    fn access(self, access: Access) -> Self {
        Self { access, ..self }
    }

    fn query<Q: JsonSchema>(mut self) -> Self {
        self.query.push(Q::json_schema);
        self
    }

    fn takes<B: JsonSchema>(self) -> Self {
        let body = Some(SchemaGenerator::subschema_for::<B> as MakeSchema);
        Self { body, ..self }
    }

    fn answers<A: JsonSchema>(self) -> Self {
        self.content(Content::Json(SchemaGenerator::subschema_for::<A>))
    }

    fn content(self, answer: Content) -> Self {
        Self { answer, ..self }
    }

    fn fails(self, fails: &'static [StatusCode]) -> Self {
        Self { fails, ..self }
    }
}
