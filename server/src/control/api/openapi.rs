//! The OpenAPI document: what [`operations`] says, in a form for programs.
//!
//! Follows the OpenAPI Specification 3.1. The schemas are those of the types that are written and
//! read.

use std::sync::LazyLock;

use axum::http::{Method, StatusCode};
use bytes::Bytes;
use schemars::JsonSchema;
use schemars::generate::{SchemaGenerator, SchemaSettings};
use serde_json::{Map, Value, json};
use srs_api::ErrorAnswer;

use super::guard::Access;
use super::jsonp::JsonpQuery;
use super::operations::{self, Content, Operation};

/// The document, as JSON.
pub(super) fn document() -> Bytes {
    static DOCUMENT: LazyLock<Bytes> =
        LazyLock::new(|| Bytes::from(describe(&operations::all()).to_string()));
    DOCUMENT.clone()
}

/// Describes `operations`.
pub(super) fn describe(operations: &[Operation]) -> Value {
    let mut written = settings().for_serialize().into_generator();
    let mut paths = Map::new();
    for operation in operations {
        let methods = paths.entry(operation.path).or_insert_with(|| json!({}));
        let method = operation.method.as_str().to_ascii_lowercase();
        methods[method] = describe_one(operation, &mut written);
    }
    let error = written.subschema_for::<ErrorAnswer>();
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "srs",
            "summary": "A live streaming server: what it serves, and how to operate it",
            "version": env!("CARGO_PKG_VERSION"),
            "license": { "name": "MIT", "identifier": "MIT" },
        },
        "security": [{ "bearer": [] }, { "basic": [] }, {}],
        "paths": paths,
        "components": {
            "securitySchemes": {
                "bearer": { "type": "http", "scheme": "bearer" },
                "basic": { "type": "http", "scheme": "basic" },
            },
            "responses": {
                "Error": {
                    "description": "Why it is not answered",
                    "content": {
                        "application/json": { "schema": error },
                        "text/javascript": { "schema": { "type": "string" } },
                    },
                },
            },
            "schemas": written.take_definitions(true),
        },
    })
}

fn describe_one(operation: &Operation, written: &mut SchemaGenerator) -> Value {
    let mut described = json!({
        "summary": operation.summary,
        "operationId": operation_id(operation),
        "parameters": parameters(operation),
        "responses": responses(operation, written),
    });
    if let Some(schema) = operation.body {
        // What is read may lack what is always written, so its types are others.
        let mut read = settings().for_deserialize();
        read.inline_subschemas = true;
        let schema = schema(&mut read.into_generator());
        described["requestBody"] = json!({
            "required": true,
            "content": { "application/json": { "schema": schema } },
        });
    }
    if operation.access == Access::Open {
        described["security"] = json!([]);
    }
    described
}

fn settings() -> SchemaSettings {
    SchemaSettings::draft2020_12().with(|settings| {
        settings.definitions_path = "/components/schemas".into();
        settings.meta_schema = None;
    })
}

/// `getStreams`, `deleteClientsId`
fn operation_id(operation: &Operation) -> String {
    let mut id = operation.method.as_str().to_ascii_lowercase();
    let path = operation.path.trim_start_matches("/api/v1/");
    for word in path
        .split(|c: char| !c.is_ascii_alphanumeric())
        .filter(|word| !word.is_empty())
    {
        let (first, rest) = word.split_at(1);
        id.push_str(&first.to_ascii_uppercase());
        id.push_str(rest);
    }
    id
}

fn parameters(operation: &Operation) -> Vec<Value> {
    let mut parameters = Vec::new();
    if operation.path.contains("{id}") {
        parameters.push(json!({
            "name": "id", "in": "path", "required": true, "schema": { "type": "string" },
        }));
    }
    let mut query = operation.query.clone();
    if can_be_a_script(operation) {
        query.push(JsonpQuery::json_schema);
    }
    let mut settings = settings().for_deserialize();
    settings.inline_subschemas = true;
    let mut read = settings.into_generator();
    for schema in query {
        let schema = schema(&mut read);
        let Some(Value::Object(properties)) = schema.get("properties") else {
            continue;
        };
        for (name, property) in properties {
            let mut property = property.clone();
            let description = property
                .as_object_mut()
                .and_then(|it| it.remove("description"));
            parameters.push(json!({
                "name": name, "in": "query", "description": description, "schema": property,
            }));
        }
    }
    parameters
}

fn responses(operation: &Operation, written: &mut SchemaGenerator) -> Value {
    let mut responses = Map::new();
    let mut answer = match operation.answer {
        Content::Json(schema) | Content::Health(schema) => json!({
            "application/json": { "schema": schema(written) },
        }),
        Content::Document => json!({ "application/json": { "schema": { "type": "object" } } }),
        Content::Events(schema) => {
            let data = schema(written);
            json!({ "text/event-stream": {
                "schema": { "type": "string", "x-data": data },
            } })
        }
        Content::Text(media_type) => json!({ media_type: { "schema": { "type": "string" } } }),
    };
    if let Content::Health(_) = operation.answer {
        let content = answer.clone();
        responses.insert(
            "503".into(),
            json!({ "description": "What is wrong with it", "content": content }),
        );
    }
    if can_be_a_script(operation) {
        answer["text/javascript"] = json!({ "schema": { "type": "string" } });
    }
    responses.insert(
        "200".into(),
        json!({ "description": operation.summary, "content": answer }),
    );
    for status in failures(operation) {
        let error = json!({ "$ref": "#/components/responses/Error" });
        responses.insert(status.as_str().to_owned(), error);
    }
    responses.into()
}

/// Whether `?callback=` makes a script of the answer.
fn can_be_a_script(operation: &Operation) -> bool {
    operation.method == Method::GET && matches!(operation.answer, Content::Json(_))
}

/// The statuses that an operation may fail with.
pub(super) fn failures(operation: &Operation) -> Vec<StatusCode> {
    let mut failures = operation.fails.to_vec();
    if operation.access != Access::Open {
        failures.extend([StatusCode::UNAUTHORIZED, StatusCode::FORBIDDEN]);
    }
    let reads_query = !operation.query.is_empty() || can_be_a_script(operation);
    if reads_query || operation.body.is_some() {
        failures.push(StatusCode::BAD_REQUEST);
    }
    if operation.path.contains("{id}") {
        failures.push(StatusCode::NOT_FOUND);
    }
    failures.sort_unstable();
    failures.dedup();
    failures
}
