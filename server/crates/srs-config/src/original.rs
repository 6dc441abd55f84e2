//! What people bring along: the names and the syntax of SRS up to 7.0, and the names of what
//! this version does not have yet.

use std::ops::Range;

use toml::de::DeValue;

use super::hint;
use super::key_path::KeyPath;
use super::schema::{self, ANY_VHOST};

/// What has become of a name.
#[derive(Clone, Copy, Debug)]
pub(super) enum Fate {
    /// It is this key of this table.
    Is(Path, &'static str),
    /// It is this key of this table, where a bare number is seconds. There it was milliseconds.
    IsInMillis(Path, &'static str),
    /// It comes in a later version.
    Later,
    /// It comes in a later version, as this table.
    LaterAs(Path),
    /// There is no such thing, for this reason.
    Gone(&'static str),
}

/// The keys on the way to a table, with [`ANY_VHOST`] for the name of a vhost.
type Path = &'static [&'static str];

const ROOT: Path = &[];
const LOG: Path = &["log"];
const PITHY_PRINT: Path = &["pithy_print"];
const VHOST: Path = &["vhost", ANY_VHOST];
const PUBLISH: Path = &["vhost", ANY_VHOST, "publish"];
const PLAY: Path = &["vhost", ANY_VHOST, "play"];
const REFER: Path = &["vhost", ANY_VHOST, "refer"];
const EDGE: Path = &["vhost", ANY_VHOST, "edge"];

/// Names by the table in which they are used.
const FATES: &[(Path, &str, Fate)] = &[
    (ROOT, "srs_log_tank", Fate::Is(LOG, "target")),
    (ROOT, "srs_log_level", Fate::Is(LOG, "level")),
    (ROOT, "srs_log_level_v2", Fate::Is(LOG, "level")),
    (ROOT, "srs_log_file", Fate::Is(LOG, "file")),
    (
        ROOT,
        "daemon",
        Fate::Gone("leave it out: srs stays in the foreground, systemd watches it"),
    ),
    (
        ROOT,
        "pithy_print_ms",
        Fate::Gone("it is `publish` and `play` in [pithy_print] here"),
    ),
    (ROOT, "ff_log_dir", Fate::Later),
    (ROOT, "http_api", Fate::Later),
    (ROOT, "http_server", Fate::Later),
    (ROOT, "http_stream", Fate::LaterAs(&["http_server"])),
    (ROOT, "tls", Fate::Later),
    (ROOT, "heartbeat", Fate::Later),
    (ROOT, "stats", Fate::Later),
    (ROOT, "cluster", Fate::Later),
    (PITHY_PRINT, "forwarder", Fate::Later),
    (PITHY_PRINT, "encoder", Fate::Later),
    (PITHY_PRINT, "ingester", Fate::Later),
    (PITHY_PRINT, "hls", Fate::Later),
    (PITHY_PRINT, "edge", Fate::Later),
    (VHOST, "refer_publish", Fate::Is(REFER, "publish")),
    (VHOST, "refer_play", Fate::Is(REFER, "play")),
    (VHOST, "mw_latency", Fate::IsInMillis(PLAY, "merge")),
    (VHOST, "min_latency", Fate::Is(PLAY, "min_latency")),
    (VHOST, "send_min_interval", NOT_SPACED),
    (VHOST, "tcp_nodelay", ALWAYS_NODELAY),
    (VHOST, "mr", READ_AT_ONCE),
    (VHOST, "mode", Fate::LaterAs(EDGE)),
    (VHOST, "origin", Fate::LaterAs(EDGE)),
    (VHOST, "token_traverse", Fate::LaterAs(EDGE)),
    (VHOST, "cluster", Fate::LaterAs(EDGE)),
    (VHOST, "edge", Fate::Later),
    (VHOST, "access", Fate::Later),
    (
        VHOST,
        "security",
        Fate::LaterAs(&["vhost", ANY_VHOST, "access"]),
    ),
    (VHOST, "hls", Fate::Later),
    (VHOST, "http", Fate::Later),
    (
        VHOST,
        "http_static",
        Fate::LaterAs(&["vhost", ANY_VHOST, "http"]),
    ),
    (VHOST, "http_flv", Fate::Later),
    (
        VHOST,
        "http_remux",
        Fate::LaterAs(&["vhost", ANY_VHOST, "http_flv"]),
    ),
    (VHOST, "http_hooks", Fate::Later),
    (VHOST, "dvr", Fate::Later),
    (VHOST, "forward", Fate::Later),
    (VHOST, "transcode", Fate::Later),
    (VHOST, "ingest", Fate::Later),
    (VHOST, "bandcheck", Fate::Later),
    (
        PUBLISH,
        "firstpkt_timeout",
        Fate::IsInMillis(PUBLISH, "first_packet_timeout"),
    ),
    (
        PUBLISH,
        "normal_timeout",
        Fate::IsInMillis(PUBLISH, "timeout"),
    ),
    (PUBLISH, "mr", READ_AT_ONCE),
    (PUBLISH, "mr_latency", READ_AT_ONCE),
    (PUBLISH, "tcp_nodelay", ALWAYS_NODELAY),
    (PLAY, "mw_latency", Fate::IsInMillis(PLAY, "merge")),
    (
        PLAY,
        "mw_msgs",
        Fate::Gone("leave it out: packets are collected by time, which is `merge`, not by number"),
    ),
    (PLAY, "send_min_interval", NOT_SPACED),
    (PLAY, "tcp_nodelay", ALWAYS_NODELAY),
];

const ALWAYS_NODELAY: Fate = Fate::Gone("leave it out: it is always on");
const NOT_SPACED: Fate = Fate::Gone(
    "leave it out: packets cannot be spaced evenly, they are sent as they come or as `merge` says",
);
const READ_AT_ONCE: Fate = Fate::Gone("leave it out: what has arrived is read in one go");

/// What has become of `key` in the table at `table`, if it is a name from elsewhere.
pub(super) fn fate(table: &[&str], key: &str) -> Option<Fate> {
    let table = schema::generalize(table);
    FATES
        .iter()
        .find(|(path, name, _)| *path == table && *name == key)
        .map(|(_, _, fate)| *fate)
}

/// What to say about a value that a key had elsewhere and cannot have here.
pub(super) fn explain_value(path: &KeyPath, value: &DeValue<'_>) -> Option<String> {
    match &path.keys()[..] {
        ["log", "level"] => {
            let level = value.as_str()?;
            Some(format!("SRS's {level:?} is {:?} here", log_level(level)?))
        }
        ["vhost", _, "refer"] if value.is_array() => {
            Some(format!("the list for all clients is `all` in [{path}]"))
        }
        ["vhost", _] if !value.is_table() => Some(format!(
            "settings of a vhost belong in {}",
            hint::header(VHOST, &[])
        )),
        _ => None,
    }
}

/// The level that has the lines which SRS 1.0 wrote at `level`, where the names differ.
fn log_level(level: &str) -> Option<&'static str> {
    match level {
        "verbose" | "verb" => Some("trace"),
        _ => None,
    }
}

/// A line in the syntax of SRS, as it would be here.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Directive {
    /// Where it is, in bytes of the text.
    pub(super) span: Range<usize>,
    /// What it says, without the spaces for the eye.
    pub(super) brief: String,
    /// How it is written here.
    pub(super) help: String,
}

/// Finds the lines of `text` that are in the syntax of SRS: `name value;` and `name {`. Beside
/// them the places of the braces that close a block.
pub(super) fn directives(text: &str) -> (Vec<Directive>, Vec<Range<usize>>) {
    let mut directives = Vec::new();
    let mut closing = Vec::new();
    let mut blocks: Vec<Vec<String>> = Vec::new();
    let mut next = 0;
    for line in text.split_inclusive('\n') {
        let start = next + (line.len() - line.trim_start().len());
        next += line.len();
        let code = line.split('#').next().unwrap_or_default().trim();
        if code == "}" {
            closing.push(start..start + 1);
            blocks.pop();
        } else if let Some((words, opens)) = split(code) {
            directives.push(Directive {
                span: start..start + code.len(),
                brief: format!("{}{}", words.join(" "), if opens { " {" } else { ";" }),
                help: translate(&words, opens, &blocks),
            });
            if opens {
                blocks.push(words);
            }
        }
    }
    (directives, closing)
}

/// The words of a line that is a directive, and whether it opens a block.
fn split(code: &str) -> Option<(Vec<String>, bool)> {
    let opens = code.ends_with('{');
    let code = code.strip_suffix(['{', ';'])?;
    let (name, values) = code.split_once(char::is_whitespace).unwrap_or((code, ""));
    let is_name = name.starts_with(|c: char| c.is_ascii_lowercase())
        && name
            .bytes()
            .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_');
    if !is_name || values.trim_start().starts_with('=') {
        return None;
    }
    let unquoted = values
        .split_whitespace()
        .map(|word| word.trim_matches(['"', '\'']));
    Some((
        [name]
            .into_iter()
            .chain(unquoted)
            .map(str::to_owned)
            .collect(),
        opens,
    ))
}

/// How the directive is written here; `blocks` are the words that opened the blocks around it.
fn translate(words: &[String], opens: bool, blocks: &[Vec<String>]) -> String {
    let Some((name, values)) = words.split_first() else {
        return String::new();
    };
    let path: Vec<_> = blocks.iter().flatten().map(String::as_str).collect();
    let table = schema::generalize(&path);
    if !schema::is_table(&table) {
        return "leave it out with its block".to_owned();
    }
    if opens && name == "vhost" {
        let vhost = values.first().map_or(ANY_VHOST, String::as_str);
        return format!("write {}", hint::header(VHOST, &["vhost", vhost]));
    }
    let write = |key: &str, value: &str, here: &[&str]| {
        let place = if here == table {
            String::new()
        } else {
            format!(" in {}", hint::header(here, &path))
        };
        format!("write {key} = {value}{place}")
    };
    match fate(&table, name) {
        Some(Fate::Is(here, key)) => write(key, &toml_value(key, values), here),
        Some(Fate::IsInMillis(here, key)) => write(key, &toml_millis(values), here),
        Some(Fate::Gone(reason)) => reason.to_owned(),
        Some(Fate::Later | Fate::LaterAs(_)) => {
            "that is not available in this version yet: leave it out".to_owned()
        }
        None if table == VHOST && name == "refer" && !opens => {
            write("all", &toml_list(values), REFER)
        }
        None if opens => {
            let inner: Vec<_> = path.iter().copied().chain([name.as_str()]).collect();
            format!("write {}", hint::header(&inner, &[]))
        }
        None if table == PITHY_PRINT => write(name, &toml_millis(values), PITHY_PRINT),
        // Later versions of SRS have it in `play`.
        None if !schema::has(&table, name) && schema::has(VHOST, name) => {
            write(name, &toml_value(name, values), VHOST)
        }
        None => write(name, &toml_value(name, values), &table),
    }
}

/// The value of a duration that was a bare number of milliseconds.
fn toml_millis(values: &[String]) -> String {
    format!("\"{}ms\"", values.concat())
}

fn toml_list(values: &[String]) -> String {
    format!(
        "[{}]",
        values
            .iter()
            .map(|v| format!("{v:?}"))
            .collect::<Vec<_>>()
            .join(", ")
    )
}

/// The value of `key` in TOML.
fn toml_value(key: &str, values: &[String]) -> String {
    let first = values.first().map_or("", String::as_str);
    match (key, first) {
        ("listen" | "all" | "publish" | "play", _) => toml_list(values),
        ("target", "console") => "\"console\"".to_owned(),
        ("target", _) => "\"file\"".to_owned(),
        ("level", "trace") => "\"info\"".to_owned(),
        ("level", "info") => "\"debug\"".to_owned(),
        ("level", level) => format!("{:?}", log_level(level).unwrap_or(level)),
        (_, "on") => "true".to_owned(),
        (_, "off") if key != "time_jitter" => "false".to_owned(),
        (_, number) if number.parse::<u64>().is_ok() => number.to_owned(),
        (_, text) => format!("{text:?}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_here_under_another_name_is_here() {
        for (table, name, fate) in FATES {
            assert!(
                !schema::has(table, name),
                "{name} is a key, so it needs no explanation"
            );
            if let Fate::Is(path, key) | Fate::IsInMillis(path, key) = fate {
                assert!(schema::has(path, key), "{name} is said to be {key}");
            }
            assert!(schema::is_table(table), "{table:?}");
        }
    }

    #[test]
    fn only_names_with_values_or_blocks_are_directives() {
        let cases = [
            ("listen 1935;", true),
            ("  gop_cache  off; # why", true),
            ("http_api {", true),
            ("}", false),
            ("listen = [\"1935\"];", false),
            ("refer = {", false),
            ("[log]", false),
            ("\"a\";", false),
            ("# listen 1935;", false),
            (";", false),
            ("", false),
        ];
        for (line, expected) in cases {
            assert_eq!(!directives(line).0.is_empty(), expected, "{line:?}");
        }
    }
}
