//! The arguments of `srsctl logs`.

use clap::Args;
use srs_config::LogLevel;

use super::ApiOptions;
use crate::since::Since;

/// Show the log of the server, or one client's whole story
///
/// The server is asked where its log goes. Lines of the journal are shown by journalctl(1), those
/// of a file are read from it; a server that logs to its console is told so. If the server is down
/// its unit's part of the journal is shown, or the file that /etc/srs/srs.toml names. If the user
/// may not ask it, the unit's part of the journal is shown, too.
///
/// With CLIENT only lines of that client are shown, from the first on, and those of the running
/// server only: an earlier one has had the same ids.
///
/// The lines are shown as they were written: log.format of the server says whether as text or as
/// JSON, and -o json is refused. A client of whom there is none is told so, with exit status 4
/// unless the server knows it: then its lines are in an older file or another place.
///
/// The log must be on this host, and be readable: members of the group systemd-journal may read the
/// journal. Others are told so, with exit status 5.
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Logs {
    /// A client's id, as srsctl clients and each line of the log have it
    #[arg(value_name = "CLIENT", value_parser = client)]
    pub(crate) client: Option<u64>,
    /// Go on with what is logged from now on, also over a rotation, until Ctrl-C
    #[arg(short, long)]
    pub(crate) follow: bool,
    /// Only what was logged after this time: 10m (ago), 17:05, "2026-11-22 17:05:06", or RFC 3339
    #[arg(long, value_name = "TIME")]
    pub(crate) since: Option<Since>,
    /// Only the last lines; 100 if neither CLIENT nor --since say what is wanted
    #[arg(short = 'n', long, value_name = "LINES")]
    pub(crate) lines: Option<usize>,
    /// Only lines as important as this: error, warn, info, debug or trace
    #[arg(long, value_name = "LEVEL", value_parser = level)]
    pub(crate) level: Option<LogLevel>,
    #[command(flatten)]
    pub(crate) api: ApiOptions,
}

fn client(text: &str) -> Result<u64, &'static str> {
    text.parse()
        .map_err(|_| "a client's id is a number, as srsctl clients shows it")
}

fn level(text: &str) -> Result<LogLevel, String> {
    let name = serde_json::Value::String(text.to_owned());
    serde_json::from_value(name)
        .map_err(|_| "expected error, warn, info, debug or trace".to_owned())
}

const EXAMPLES: &str = "\
Examples:
  srsctl logs 104
  srsctl logs -f --level warn
  srsctl logs --since 10m
  srsctl logs --since \"2026-11-22 17:05\" -n 20";
