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
    /// It is this key of this table, where some words mean something else.
    IsInWords(Path, &'static str),
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
const HTTP_API: Path = &["http_api"];
/// Later SRS's table for basic authentication.
const HTTP_API_AUTH: Path = &["http_api", "auth"];
const HEARTBEAT: Path = &["heartbeat"];
const STATS: Path = &["stats"];
const PITHY_PRINT: Path = &["pithy_print"];
const VHOST: Path = &["vhost", ANY_VHOST];
const PUBLISH: Path = &["vhost", ANY_VHOST, "publish"];
const PLAY: Path = &["vhost", ANY_VHOST, "play"];
const REFER: Path = &["vhost", ANY_VHOST, "refer"];
const EDGE: Path = &["vhost", ANY_VHOST, "edge"];

/// Names by the table in which they are used.
const FATES: &[(Path, &str, Fate)] = &[
    (ROOT, "srs_log_tank", Fate::IsInWords(LOG, "target")),
    (ROOT, "srs_log_level", Fate::IsInWords(LOG, "level")),
    (ROOT, "srs_log_level_v2", Fate::Is(LOG, "level")),
    (ROOT, "srs_log_file", Fate::Is(LOG, "file")),
    (
        ROOT,
        "daemon",
        Fate::Gone("leave it out: srs stays in the foreground, systemd watches it"),
    ),
    (ROOT, "disable_daemon_for_docker", IN_FOREGROUND),
    (ROOT, "in_docker", IN_FOREGROUND),
    (
        ROOT,
        "pithy_print_ms",
        Fate::Gone("it is `publish` and `play` in [pithy_print] here"),
    ),
    (
        ROOT,
        "exporter",
        Fate::Gone("leave it out: [http_api] serves Prometheus at /metrics"),
    ),
    (ROOT, "inotify_auto_reload", RELOADED_WHEN_TOLD),
    (ROOT, "auto_reload_for_docker", RELOADED_WHEN_TOLD),
    (
        ROOT,
        "server_id",
        Fate::Gone("leave it out: `device_id` in [heartbeat] names this server"),
    ),
    (
        ROOT,
        "config_file",
        Fate::Gone("the option -c of srs names the file"),
    ),
    (
        ROOT,
        "env_only",
        Fate::Gone("the option -e of srs takes the environment"),
    ),
    (
        ROOT,
        "work_dir",
        Fate::Gone("leave it out: the unit of systemd, or the container, sets the folder"),
    ),
    (
        ROOT,
        "utc_time",
        Fate::Gone("leave it out: the environment variable TZ sets the time zone"),
    ),
    (ROOT, "asprocess", STOPPED_BY_SYSTEMD),
    (ROOT, "grace_start_wait", STOPPED_BY_SYSTEMD),
    (ROOT, "grace_final_wait", STOPPED_BY_SYSTEMD),
    (ROOT, "force_grace_quit", STOPPED_BY_SYSTEMD),
    (ROOT, "query_latest_version", ASKS_NOBODY),
    (ROOT, "first_wait_for_qlv", ASKS_NOBODY),
    (ROOT, "ff_log_dir", Fate::Later),
    (ROOT, "http_server", Fate::Later),
    (ROOT, "http_stream", Fate::LaterAs(&["http_server"])),
    (ROOT, "rtc_server", Fate::Later),
    (ROOT, "srt_server", Fate::Later),
    (ROOT, "tls", Fate::Later),
    (ROOT, "cluster", Fate::Later),
    (HTTP_API, "https", Fate::LaterAs(&["tls"])),
    (
        HTTP_API,
        "raw_api",
        Fate::Gone("leave it out: POST /api/v1/reload and `srsctl reload` reload"),
    ),
    (HTTP_API_AUTH, "enabled", LOGIN),
    (HTTP_API_AUTH, "username", Fate::Is(HTTP_API, "username")),
    (HTTP_API_AUTH, "password", Fate::Is(HTTP_API, "password")),
    (
        HEARTBEAT,
        "ports",
        Fate::Gone("leave it out: heartbeats have no list of ports"),
    ),
    (
        STATS,
        "enabled",
        Fate::Gone("leave it out: figures of the machine are always taken, every few seconds"),
    ),
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
    (VHOST, "exec", Fate::Later),
    (VHOST, "rtc", Fate::Later),
    (VHOST, "srt", Fate::Later),
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
    (PLAY, "gop_cache", Fate::Is(VHOST, "gop_cache")),
    (PLAY, "gop_cache_max_frames", BY_MEMORY),
    (PLAY, "queue_length", Fate::Is(VHOST, "queue_length")),
    (PLAY, "time_jitter", Fate::Is(VHOST, "time_jitter")),
    (PLAY, "atc", Fate::Is(VHOST, "atc")),
    (PLAY, "atc_auto", Fate::Is(VHOST, "atc_auto")),
    (PLAY, "mix_correct", Fate::Is(VHOST, "mix_correct")),
    (PLAY, "send_min_interval", NOT_SPACED),
    (PLAY, "tcp_nodelay", ALWAYS_NODELAY),
];

const ALWAYS_NODELAY: Fate = Fate::Gone("leave it out: it is always on");
const IN_FOREGROUND: Fate = Fate::Gone("leave it out: srs always stays in the foreground");
const RELOADED_WHEN_TOLD: Fate =
    Fate::Gone("leave it out: `systemctl reload srs` or `srsctl reload` applies a changed file");
const STOPPED_BY_SYSTEMD: Fate =
    Fate::Gone("leave it out: srs ends in order at SIGTERM, and its clients are told");
const ASKS_NOBODY: Fate = Fate::Gone("leave it out: srs asks nobody for newer versions");
const BY_MEMORY: Fate =
    Fate::Gone("leave it out: `stream_memory` in [limits] bounds what is kept of a stream");
const LOGIN: Fate = Fate::Gone(
    "leave it out: there is basic authentication if [http_api] has `username` and `password`",
);
const NOT_SPACED: Fate = Fate::Gone(
    "leave it out: packets cannot be spaced evenly, they are sent as they come or as `merge` says",
);
const READ_AT_ONCE: Fate = Fate::Gone("leave it out: what has arrived is read in one go");

/// All names from elsewhere, each with its table.
pub(super) fn fates() -> impl Iterator<Item = (&'static [&'static str], &'static &'static str, Fate)>
{
    FATES.iter().map(|(table, key, fate)| (*table, key, *fate))
}

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
        ["http_api", "auth"] if value.is_table() => Some(
            "SRS's table for basic authentication is `username` and `password` in [http_api] here"
                .to_owned(),
        ),
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

/// The level that has the lines which SRS 1.0 wrote at `level`, where nothing has that name.
fn log_level(level: &str) -> Option<&'static str> {
    match level {
        "verbose" | "verb" => Some("trace"),
        _ => None,
    }
}

/// What SRS's word for a log level or for where the log goes is here, where it is another.
pub(super) fn word(word: &str) -> Option<&'static str> {
    match word {
        "trace" => Some("info"),
        "info" => Some("debug"),
        _ => log_level(word),
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
    if !schema::is_table(&table) && table != HTTP_API_AUTH {
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
        Some(Fate::IsInWords(here, key)) => write(key, &toml_words(key, values), here),
        Some(Fate::IsInMillis(here, key)) => write(key, &toml_millis(values), here),
        Some(Fate::Gone(reason)) => reason.to_owned(),
        Some(Fate::Later | Fate::LaterAs(_)) => {
            "that is not available in this version yet: leave it out".to_owned()
        }
        None if table == VHOST && name == "refer" && !opens => {
            write("all", &toml_list(values), REFER)
        }
        None if opens && table == HTTP_API && name == "auth" => {
            "leave it out: `username` and `password` are in [http_api] here".to_owned()
        }
        // There it was open to everybody.
        None if table == HTTP_API && name == "listen" => match values {
            [port] if port.bytes().all(|b| b.is_ascii_digit()) => format!(
                "write listen = [\"127.0.0.1:{port}\"], or [{port:?}] and a token if other hosts \
                 need it"
            ),
            values => write(name, &toml_list(values), HTTP_API),
        },
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

/// The value of `key` in TOML, which was in SRS's words.
fn toml_words(key: &str, values: &[String]) -> String {
    let first = values.first().map_or("", String::as_str);
    match key {
        "target" if first != "console" => "\"file\"".to_owned(),
        _ => format!("{:?}", word(first).unwrap_or(first)),
    }
}

/// The value of `key` in TOML.
fn toml_value(key: &str, values: &[String]) -> String {
    let first = values.first().map_or("", String::as_str);
    match (key, first) {
        ("listen" | "all" | "publish" | "play" | "disk", _) => toml_list(values),
        (_, "on") => "true".to_owned(),
        (_, "off") if key != "time_jitter" => "false".to_owned(),
        (_, number) if is_decimal(number) => number.to_owned(),
        (_, text) => format!("{text:?}"),
    }
}

/// Whether `text` is a number as TOML has it: `9`, `9.5`, but not `9.`.
fn is_decimal(text: &str) -> bool {
    let is_digits = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    let (whole, fraction) = text.split_once('.').unwrap_or((text, "0"));
    is_digits(whole) && is_digits(fraction)
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
            if let Fate::Is(path, key) | Fate::IsInWords(path, key) | Fate::IsInMillis(path, key) =
                fate
            {
                assert!(schema::has(path, key), "{name} is said to be {key}");
            }
            assert!(
                schema::is_table(table) || *table == HTTP_API_AUTH,
                "{table:?}"
            );
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
