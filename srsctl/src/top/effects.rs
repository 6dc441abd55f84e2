//! What the dashboard does, as far as it asks servers or writes files.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

use futures_util::{StreamExt as _, stream};
use srs_api::{Client as ApiClient, Reload};

use super::columns::Item as _;
use super::columns::clients as client_columns;
use super::event::{Impact, Outcome};
use super::page::Table;
use super::poll::chain;
use super::wants::ListWant;
use crate::client::{ApiError, Client};
use crate::command::clients::kick::description;
use crate::output::units::plural;

/// Whom it concerns if `ids` are cut off: clients, or the publishers of streams.
///
/// # Errors
/// The server does not tell: why.
pub(crate) async fn impact(client: &Client, ids: &[String]) -> Result<Impact, String> {
    let victims = victims(client, ids).await.map_err(|error| chain(&error))?;
    let lines = describe(client, &victims).await;
    Ok(Impact {
        ids: victims.into_iter().map(|client| client.id).collect(),
        lines,
    })
}

async fn victims(client: &Client, ids: &[String]) -> Result<Vec<ApiClient>, ApiError> {
    if ids.len() <= ONE_BY_ONE {
        let mut victims = Vec::new();
        for id in ids {
            let found = match id.starts_with('s') {
                true => publisher_of(client, id).await,
                false => client.client(id).await.map(|answer| Some(answer.client)),
            };
            match found {
                Ok(found) => victims.extend(found),
                Err(error) if error.is_not_found() => {}
                Err(error) => return Err(error),
            }
        }
        return Ok(victims);
    }
    let wanted: BTreeSet<&str> = ids.iter().map(String::as_str).collect();
    let all = client.clients(&[], ALL).await?.clients;
    let is_wanted = |client: &ApiClient| {
        wanted.contains(client.id.as_str())
            || client.publish && wanted.contains(client.stream.as_str())
    };
    Ok(all.into_iter().filter(is_wanted).collect())
}

async fn publisher_of(client: &Client, stream: &str) -> Result<Option<ApiClient>, ApiError> {
    let publisher = client.stream(stream).await?.stream.publish.cid;
    if publisher.is_empty() {
        return Ok(None);
    }
    Ok(Some(client.client(&publisher).await?.client))
}

/// A line for each publisher, and for each player as long as they are few.
async fn describe(client: &Client, victims: &[ApiClient]) -> Vec<String> {
    let (publishers, players): (Vec<_>, Vec<_>) = victims.iter().partition(|victim| victim.publish);
    let mut lines = Vec::new();
    for publisher in publishers.iter().take(ONE_BY_ONE) {
        let stream = client.stream(&publisher.stream).await.ok();
        let viewers = stream.map(|answer| answer.stream.viewers);
        lines.push(description(publisher, viewers));
    }
    if publishers.len() > ONE_BY_ONE {
        let more = plural(publishers.len() - ONE_BY_ONE, "more publisher");
        lines.push(format!("and {more}"));
    }
    if players.len() <= ONE_BY_ONE {
        lines.extend(players.iter().map(|player| description(player, None)));
        return lines;
    }
    let mut by_stream: BTreeMap<String, usize> = BTreeMap::new();
    for player in &players {
        *by_stream.entry(client_columns::stream(player)).or_default() += 1;
    }
    lines.extend(
        by_stream
            .into_iter()
            .map(|(stream, number)| match stream.as_str() {
                "" if number == 1 => "1 client that plays nothing".to_owned(),
                "" => format!("{number} clients that play nothing"),
                stream => format!("{} of {stream}", plural(number, "player")),
            }),
    );
    lines
}

/// Cuts clients off, as long as the server is in this `life`: the ids are those of others else.
/// Gives how many were cut off, how many had gone by themselves, and why the others were not tried.
pub(crate) async fn kick(
    client: &Client,
    life: &str,
    ids: Vec<String>,
) -> (usize, usize, Option<String>) {
    let (mut kicked, mut gone) = (0, 0);
    if let Err(failure) = same_life(client, life).await {
        return (kicked, gone, Some(failure));
    }
    let mut results = stream::iter(ids)
        .map(|id| async move { client.kick(&id).await })
        .buffer_unordered(AT_ONCE);
    while let Some(result) = results.next().await {
        match result {
            Ok(()) => kicked += 1,
            Err(error) if error.is_not_found() => gone += 1,
            Err(error) => return (kicked, gone, Some(chain(&error))),
        }
    }
    (kicked, gone, None)
}

async fn same_life(client: &Client, life: &str) -> Result<(), String> {
    match client.versions().await {
        Ok(answer) if answer.identity.server == life => Ok(()),
        Ok(_) => Err("the server has restarted since".to_owned()),
        Err(error) => Err(chain(&error)),
    }
}

/// All rows of a table, by id and by what stands for each in a question.
pub(crate) async fn mark_all(client: &Client, server: usize, want: ListWant) -> Outcome {
    let query = want.query();
    // Lines of the last seconds are for eyes.
    let query: Vec<(&str, &str)> = query
        .iter()
        .filter(|(name, _)| *name != "recent")
        .map(|(name, value)| (*name, value.as_str()))
        .collect();
    let marked = match want.table {
        Table::Streams => client.streams(&query, want.count).await.map(|answer| {
            let streams = answer.streams.into_iter();
            let rows: Vec<_> = streams
                .map(|stream| (stream.id.clone(), stream.text()))
                .collect();
            (rows, answer.total)
        }),
        _ => client.clients(&query, want.count).await.map(|answer| {
            let clients = answer.clients.into_iter();
            let rows = clients
                .map(|client| (client.id.clone(), client.text()))
                .collect();
            (rows, answer.total)
        }),
    };
    match marked {
        Ok((rows, total)) => Outcome::Marked {
            server,
            want,
            rows,
            total,
        },
        Err(error) => Outcome::Failed(chain(&error)),
    }
}

/// Puts the configuration in force anew, as long as the server is in this life; without one, only
/// says what that would change.
///
/// # Errors
/// Nothing was changed: why, in lines.
pub(crate) async fn reload(client: &Client, in_life: Option<&str>) -> Result<Box<Reload>, String> {
    if let Some(life) = in_life {
        same_life(client, life).await?;
    }
    match client.reload(in_life.is_none()).await {
        Ok(answer) => Ok(Box::new(answer.data)),
        Err(error) => Err(error.to_string()),
    }
}

/// Writes `text` into a new file that others may not read.
pub(crate) fn write(path: &Path, text: &str) -> Outcome {
    let written = || -> io::Result<()> {
        let mut file = OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(path)?;
        file.write_all(text.as_bytes()).inspect_err(|_| {
            // Half a snapshot is none. That it cannot be removed matters less than why.
            let _ = fs::remove_file(path);
        })
    };
    match written() {
        Ok(()) => Outcome::Done(format!("written: {}", path.display())),
        Err(error) => Outcome::Failed(format!("{}: {error}", path.display())),
    }
}

/// So many are asked for and told one by one.
const ONE_BY_ONE: usize = 20;
/// More clients than a server has.
const ALL: usize = 1_000_000;
/// So many requests are under way at once.
const AT_ONCE: usize = 16;
