//! The arguments of the dashboard.

use std::time::Duration;

use clap::Args;

use super::api::{ApiOptions, at_least_one};
use crate::duration;
use crate::top;

/// Watch a server live: streams, clients, rates, and what happens
///
/// A dashboard of a server, or of several: its streams with their health and rates, its clients,
/// virtual hosts, parts, events and log, and the fleet. Enter opens what is selected, Esc goes
/// back, / filters, K cuts clients off after a question, ? shows the keys of the view.
///
/// The server is asked for what is on the screen, and for no more: it sorts and filters, however
/// many clients it has.
///
/// Where standard output is no terminal, or with --once, what the dashboard shows first is printed
/// as text; with --json, a snapshot a line.
///
/// Themes, columns and more are kept in the settings file: srsctl.toml(5).
#[derive(Args, Clone, Debug)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Top {
    /// How often servers are asked, from 250ms to 10s; 1s if nothing else is said
    #[arg(short, long, value_name = "TIME", value_parser = interval)]
    pub(crate) interval: Option<Duration>,
    /// How it looks: default, mono, dark, light or contrast
    #[arg(long, value_name = "THEME", value_parser = top::named_theme)]
    pub(crate) theme: Option<&'static str>,
    /// Draw with ASCII only
    #[arg(long)]
    pub(crate) ascii: bool,
    /// Leave the mouse to the terminal
    #[arg(long)]
    pub(crate) no_mouse: bool,
    /// Print what the dashboard shows first, once; with --json, one snapshot
    #[arg(long)]
    pub(crate) once: bool,
    /// Print a snapshot a line, as JSON, until Ctrl-C
    #[arg(long)]
    pub(crate) json: bool,
    /// Print the JSON Schema of a snapshot
    #[arg(long, conflicts_with_all = ["json", "once"])]
    pub(crate) json_schema: bool,
    /// Of each list, print so much at most; with --once and --json
    #[arg(long, value_name = "N", default_value_t = 1_000, value_parser = at_least_one)]
    pub(crate) limit: usize,
    #[command(flatten)]
    pub(crate) api: ApiOptions,
}

/// A time between two questions to a server.
fn interval(text: &str) -> Result<Duration, String> {
    let every = duration::parse(text).map_err(|error| error.to_string())?;
    if (top::LEAST..=top::MOST).contains(&every) {
        Ok(every)
    } else {
        Err("expected a time from 250ms to 10s".to_owned())
    }
}

const EXAMPLES: &str = "\
Examples:
  srsctl top
  srsctl top --server edge1 --server edge2 --read-only
  srsctl top --once | head -40
  srsctl top --json | jq -r '.streams[] | [.url, .kbps.recv_5s, .viewers] | @tsv'";
