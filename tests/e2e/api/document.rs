//! The OpenAPI document that the daemon serves is true of its answers.

use anyhow::{Context, Result, ensure};
use serde_json::Value;

use super::http::{Answer, Api};
use super::{Busy, schema};

#[test]
fn every_answer_of_a_busy_daemon_is_as_the_document_says() -> Result<()> {
    let busy = Busy::start()?;
    let api = Api::of(&busy.srs);
    let document = api.get("/api/v1/openapi.json")?.json()?;
    let paths = document["paths"].as_object().context("no paths")?.clone();
    let mut checked = Vec::new();
    for (path, methods) in &paths {
        let answers = &methods["get"]["responses"]["200"]["content"];
        if answers["application/json"]["schema"].is_null() {
            continue;
        }
        for url in urls(&api, path)? {
            let answer = api.get(&url)?;
            hold(&document, "get", path, &answer).with_context(|| url.clone())?;
            checked.push(url);
        }
    }
    // One vhost, one stream, two clients, beside what has no ids.
    for list in ["vhosts/", "streams/", "clients/"] {
        ensure!(checked.iter().any(|url| url.contains(list)), "{checked:?}");
    }
    ensure!(checked.len() > 20, "{checked:?}");
    Ok(())
}

#[test]
fn what_changes_something_is_answered_as_the_document_says() -> Result<()> {
    let mut busy = Busy::start()?;
    let api = Api::of(&busy.srs);
    let document = api.get("/api/v1/openapi.json")?.json()?;
    let client = urls(&api, "/api/v1/clients/{id}")?;
    let client = client.last().context("no client")?;
    busy.srs.configure("chunk_size = 4096")?;
    let dry = "/api/v1/reload?dry_run=true";
    for (method, path, url) in [
        ("delete", "/api/v1/clients/{id}", client.as_str()),
        ("post", "/api/v1/reload", dry),
        ("post", "/api/v1/reload", "/api/v1/reload"),
        ("get", "/api/v1/reload", "/api/v1/reload"),
    ] {
        let answer = api.ask(&method.to_ascii_uppercase(), url, &[], "")?;
        hold(&document, method, path, &answer).with_context(|| format!("{method} {url}"))?;
    }
    Ok(())
}

/// Whether `answer` is the one that the document has for the success of an operation.
fn hold(document: &Value, method: &str, path: &str, answer: &Answer) -> Result<()> {
    ensure!(answer.status == 200, "{answer:?}");
    let path = path.replace('/', "~1");
    let place = format!("/paths/{path}/{method}/responses/200/content/application~1json/schema");
    let value = answer.json()?;
    let problems = schema::problems(&schema::schema(document, &place), &value);
    ensure!(problems.is_empty(), "{problems:?} in {value}");
    Ok(())
}

/// The URLs that `path` stands for: one for each of its list, if it has a place for an id.
fn urls(api: &Api, path: &str) -> Result<Vec<String>> {
    let Some((list, rest)) = path.split_once("/{id}") else {
        return Ok(vec![path.to_owned()]);
    };
    let name = list.rsplit('/').next().unwrap_or_default();
    let listed = api.get(&format!("{list}?count=1000"))?.json()?;
    let items = listed[name].as_array().context("no list")?;
    let ids = items.iter().filter_map(|item| item["id"].as_str());
    Ok(ids.map(|id| format!("{list}/{id}{rest}")).collect())
}
