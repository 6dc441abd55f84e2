//! What the dashboard shows is what the server's API says, and what happens.

use anyhow::{Context as _, Result};
use serde_json::Value;
use testkit::{SOON, clips, ffmpeg, wait_for};

use super::{Stage, open};

#[test]
fn figures_are_those_of_the_api_and_of_the_clip() -> Result<()> {
    let streams = [("news", 5), ("sport", 3), ("weather", 2)];
    let mut stage = Stage::empty()?;
    for (name, players) in streams {
        stage.stream(name, players)?;
    }
    let terminal = open(&stage, (160, 45))?;
    terminal.wait_for("players 10 ")?;
    let clip = clip_kbps()?;
    // What a wait in vain has to tell.
    let mut misfit = String::new();
    let settled = wait_for(SOON, "rates to settle", || {
        let screen = terminal.screen()?;
        let answer = stage.ask("/api/v1/streams")?;
        misfit = streams
            .iter()
            .map(|(name, players)| misfit_of(&screen, name, *players, &answer, clip))
            .find(|misfit| !misfit.is_empty())
            .unwrap_or_default();
        for (way, times) in [(" in ", 3), (" out ", 10)] {
            let total = total(&screen, way).unwrap_or_default();
            if misfit.is_empty() && !is_about(total, clip * times) {
                misfit = format!("{total} kbps are not {times} x {clip} kbps");
            }
        }
        Ok(misfit.is_empty().then_some(()))
    });
    settled.with_context(|| misfit.clone())?;
    terminal.press("q")?;
    assert_eq!(terminal.wait_for_status()?, 0);
    Ok(())
}

/// What does not fit of a stream's row, by what the API answers and by the rate of the clip.
fn misfit_of(screen: &str, name: &str, players: usize, answer: &Value, clip: u64) -> String {
    let mut streams = answer["streams"].as_array().into_iter().flatten();
    let Some(stream) = streams.find(|stream| stream["name"] == name) else {
        return format!("the API has no {name}");
    };
    let kbps = |key: &str| stream["kbps"][key].as_u64().unwrap_or_default();
    let shown = |heading| figure(screen, name, heading).unwrap_or_default();
    let players = players as u64;
    let fits = [
        shown("PLAYERS") == players && stream["viewers"] == players,
        is_about(shown("IN kbps"), kbps("recv_5s")),
        is_about(shown("IN kbps"), clip),
        is_about(shown("OUT kbps"), kbps("send_5s")),
        is_about(shown("OUT kbps"), clip * players),
    ];
    if fits.iter().all(|fits| *fits) {
        return String::new();
    }
    format!("{fits:?} with {clip} kbps and {stream}")
}

/// The figure below a heading in the row of a stream.
fn figure(screen: &str, name: &str, heading: &str) -> Option<u64> {
    let headings = screen.lines().find(|line| line.contains("PLAYERS"))?;
    let row = screen
        .lines()
        .find(|line| line.contains(&format!("live/{name} ")))?;
    let (before, behind) = headings.split_once(&format!(" {heading}"))?;
    // An arrow stands behind the heading of the column that the table is sorted by.
    let arrow = usize::from(behind.starts_with(['↓', '↑']));
    let end = before.chars().count() + 1 + heading.chars().count() + arrow;
    let left: String = row.chars().take(end).collect();
    left.split_whitespace().next_back()?.parse().ok()
}

/// The rate of all together in the header, in kbps: in a line, or above its graphs.
fn total(screen: &str, way: &str) -> Option<u64> {
    let header = screen
        .lines()
        .take_while(|line| !line.contains("1 streams"));
    let (_, behind) = { header }.find_map(|line| line.split_once(way))?;
    let mut words = behind.split_whitespace();
    let (number, unit) = (words.next()?, words.next()?);
    let tenths: u64 = match number.split_once('.') {
        Some((whole, tenth)) => format!("{whole}{tenth}").parse().ok()?,
        None => number.parse::<u64>().ok()? * 10,
    };
    match unit {
        "kbit/s" => Some(tenths / 10),
        "Mbit/s" => Some(tenths * 100),
        _ => None,
    }
}

/// What the clip has of pictures and sound a second.
fn clip_kbps() -> Result<u64> {
    let packets = ffmpeg::packets(clips::demo())?;
    let bytes: usize = packets.iter().map(|packet| packet.size).sum();
    Ok(bytes as u64 * 8 / 1_000 / CLIP_SECONDS)
}

/// Within 15 %.
fn is_about(one: u64, other: u64) -> bool {
    one > 0 && one.abs_diff(other) * 100 <= other * 15
}

const CLIP_SECONDS: u64 = 10;
