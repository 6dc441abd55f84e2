//! What differs between two configurations.

use std::time::{Duration, Instant};

use proptest::prelude::*;

use super::toml_files;
use crate::{Config, Difference, diff};

fn parse(text: &str) -> Config {
    Config::parse(text, "srs.toml").unwrap_or_else(|error| panic!("{error}"))
}

#[test]
fn every_setting_that_differs_is_told_with_its_effective_values() {
    let login = "http_api = { username = \"u\", password = \"1\" }";
    // Setting, old value, new value.
    type Told = (&'static str, Option<&'static str>, Option<&'static str>);
    let cases: &[(&str, &str, &[Told])] = &[
        ("", "listen = [\"1935\"]\nmax_connections = 10000", &[]),
        (
            "",
            "max_connections = 7",
            &[("max_connections", Some("10000"), Some("7"))],
        ),
        (
            "listen = 1",
            "listen = [\"1\", \"2\"]",
            &[("listen", Some("[\"1\"]"), Some("[\"1\", \"2\"]"))],
        ),
        (
            "",
            "pid = \"/run/srs.pid\"",
            &[("pid", None, Some("\"/run/srs.pid\""))],
        ),
        (
            "pid = \"/run/srs.pid\"",
            "",
            &[("pid", Some("\"/run/srs.pid\""), None)],
        ),
        (
            "[log]\nlevel = \"warn\"",
            "chunk_size = 128\n[log]\nformat = \"json\"",
            &[
                ("chunk_size", Some("60000"), Some("128")),
                ("log.level", Some("\"warn\""), Some("\"info\"")),
                ("log.format", Some("\"text\""), Some("\"json\"")),
            ],
        ),
        (
            "",
            "heartbeat.interval = 2.5",
            &[("heartbeat.interval", Some("\"9.9s\""), Some("\"2.5s\""))],
        ),
        (
            "",
            "http_api.token = \"abc\"",
            &[("http_api.token", None, Some("\"…\""))],
        ),
        (
            "http_api.token = \"abc\"",
            "http_api.token = \"abd\"",
            &[("http_api.token", Some("\"…\""), Some("\"…\""))],
        ),
        (
            login,
            "http_api = { username = \"u\", password = \"2\" }",
            &[("http_api.password", Some("\"…\""), Some("\"…\""))],
        ),
        (
            "[vhost.\"a.example\"]",
            "[vhost.\"A.example\"]\nqueue_length = 5\n[vhost.\"A.example\".play]\nmerge = 0.35",
            &[
                (
                    "vhost.\"a.example\".queue_length",
                    Some("\"30s\""),
                    Some("\"5s\""),
                ),
                (
                    "vhost.\"a.example\".play.merge",
                    Some("\"auto\""),
                    Some("\"350ms\""),
                ),
            ],
        ),
        (
            "",
            "[vhost.b]\n[vhost.\"a.example\"]",
            &[
                ("vhost.\"a.example\"", None, Some("{}")),
                ("vhost.b", None, Some("{}")),
            ],
        ),
        (
            "[vhost.a]\natc = true\nrefer = { enabled = true, play = [\"b.example\"] }\nchunk_size = 60000",
            "[vhost.c]",
            &[
                (
                    "vhost.a",
                    Some(
                        "{ chunk_size = 60000, atc = true, refer.enabled = true, refer.play = [\"b.example\"] }",
                    ),
                    None,
                ),
                ("vhost.c", None, Some("{}")),
            ],
        ),
    ];
    for (old, new, expected) in cases {
        let found = diff(&parse(old), &parse(new));
        let found: Vec<_> = found
            .iter()
            .map(|it| (it.setting.as_str(), it.old.as_deref(), it.new.as_deref()))
            .collect();
        assert_eq!(found, *expected, "{old:?} to {new:?}");
    }
}

#[test]
fn the_keys_of_a_difference_can_be_matched() {
    let new = "log.level = \"warn\"\n[vhost.\"a.b\".play]\nwait = 1\n[vhost.c]";
    let differences = diff(&parse("[vhost.\"a.b\"]"), &parse(new));
    let found: Vec<_> = differences
        .iter()
        .map(|difference| match difference.keys()[..] {
            ["log", "level"] => "level",
            ["vhost", "a.b", "play", "wait"] => "wait",
            ["vhost", _] => "vhost",
            _ => "something else",
        })
        .collect();
    assert_eq!(found, ["level", "wait", "vhost"]);
}

#[test]
fn the_same_is_no_difference_and_another_always_is() {
    let configs: Vec<_> = toml_files("conf")
        .iter()
        .map(|path| Config::load(Some(path)).unwrap())
        .collect();
    for old in &configs {
        for new in &configs {
            assert_eq!(diff(old, new).is_empty(), old == new);
            let back = diff(new, old);
            for (there, back) in diff(old, new).iter().zip(&back) {
                assert_eq!(
                    (&there.path, &there.old, &there.new),
                    (&back.path, &back.new, &back.old)
                );
            }
        }
    }
}

proptest! {
    #[test]
    fn no_secret_is_told(token in "[a-z]{8,20}") {
        let new = parse(&format!("[http_api]\ntoken = {token:?}\nusername = \"u\"\npassword = {token:?}\n[heartbeat]\ntoken = {token:?}\nurl = \"http://h/?{token}\""));
        let told = format!("{:?}", diff(&Config::default(), &new));
        prop_assert!(!told.contains(&token));
    }
}

#[test]
fn only_the_query_of_a_url_is_hidden() {
    let [old, new] = ["old", "new"].map(|token| {
        parse(&format!(
            "heartbeat.url = \"http://a.example/b?token={token}\""
        ))
    });
    let differences = diff(&Config::default(), &new);
    let [
        Difference {
            old: before,
            new: now,
            ..
        },
    ] = &differences[..]
    else {
        panic!("{differences:?}");
    };
    assert_eq!(
        before.as_deref(),
        Some("\"http://127.0.0.1:8085/api/v1/servers\"")
    );
    assert_eq!(now.as_deref(), Some("\"http://a.example/b?…\""));
    let differences = diff(&old, &new);
    assert_eq!(differences.len(), 1, "that it differs is told");
    assert_eq!(differences[0].old, differences[0].new);
}

#[test]
fn a_thousand_vhosts_are_compared_about_as_fast_as_they_are_read() {
    let vhosts = (0..1_000).map(|number| {
        format!(
            "[vhost.\"v{number}.example\"]\nqueue_length = 5\nplay.merge = 0.35\n\
             refer = {{ enabled = true, all = [\"a{number}.example\"] }}\n"
        )
    });
    let text: String = vhosts.collect();
    let (config, empty) = (parse(&text), Config::default());
    assert_eq!(diff(&empty, &config).len(), 1_000);
    let reading = shortest(|| drop(parse(&text)));
    for (old, new) in [(&empty, &config), (&config, &empty), (&config, &config)] {
        let comparing = shortest(|| drop(diff(old, new)));
        // Whoever makes tables of defaults for each setting of each vhost takes ten times as long.
        assert!(
            comparing < reading * 4,
            "{comparing:?}, reading {reading:?}"
        );
    }
}

/// How long `work` takes when nothing disturbs it.
fn shortest(work: impl Fn()) -> Duration {
    let times = (0..5).map(|_| {
        let start = Instant::now();
        work();
        start.elapsed()
    });
    times.min().unwrap()
}
