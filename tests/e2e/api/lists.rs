//! Lists of what there is: pages and filters.

use anyhow::{Context, Result, ensure};
use serde_json::Value;

use super::Busy;
use super::http::Api;

/// `field` of each item of a list, and how many there are in all.
fn listed(api: &Api, url: &str, field: &str) -> Result<(u64, Vec<String>)> {
    let answer = api.get(url)?.json()?;
    let path = url.split('?').next().unwrap_or_default();
    let name = path.rsplit('/').next().unwrap_or_default();
    let items = answer[name].as_array().context("no list")?;
    let text = |item: &Value| item[field].as_str().unwrap_or_default().to_owned();
    let total = answer["total"].as_u64().context("no total")?;
    Ok((total, items.iter().map(text).collect()))
}

#[test]
fn clients_are_listed_by_what_they_do_and_where() -> Result<()> {
    let busy = Busy::start()?;
    let api = Api::of(&busy.srs);
    let clients = |query: &str| listed(&api, &format!("/api/v1/clients?{query}"), "type");
    let all = clients("")?;
    assert_eq!(all, (2, vec!["fmle-publish".to_owned(), "play".to_owned()]));
    assert_eq!(clients("start=1")?, (2, vec!["play".to_owned()]));
    assert_eq!(clients("count=1")?, (2, vec!["fmle-publish".to_owned()]));
    assert_eq!(clients("start=2")?, (2, Vec::new()));
    assert_eq!(clients("type=play")?, (1, vec!["play".to_owned()]));
    assert_eq!(clients("type=publish&start=1")?, (1, Vec::new()));
    assert_eq!(clients("vhost=other")?, (0, Vec::new()));

    let (_, ids) = listed(&api, "/api/v1/streams?app=live&name=show", "id")?;
    let [id] = &ids[..] else {
        anyhow::bail!("{ids:?}");
    };
    assert_eq!(clients(&format!("stream={id}"))?, all);
    assert_eq!(listed(&api, "/api/v1/streams?name=other", "id")?.0, 0);
    let vhost = api.get(&format!("/api/v1/streams/{id}"))?.json()?["stream"]["vhost"].clone();
    let vhost = vhost.as_str().context("no vhost")?;
    let (_, vhosts) = listed(&api, "/api/v1/vhosts", "id")?;
    ensure!(vhosts.iter().any(|it| it == vhost), "{vhost} in {vhosts:?}");
    assert_eq!(clients(&format!("vhost={vhost}"))?, all);
    Ok(())
}
