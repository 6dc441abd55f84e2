//! Configurations written out whole.

use std::fs;

use super::toml_files;
use crate::{Config, Shown, VhostConfig, VhostName, settings};

/// `config` with a table for the hosts that have none.
fn with_default_vhost(mut config: Config) -> Config {
    config.vhosts.entry(VhostName::default()).or_default();
    config
}

#[test]
fn what_is_written_out_reads_as_it_was() {
    for path in toml_files("conf") {
        let config = Config::load(Some(&path)).unwrap();
        let text = config.to_toml(Shown::WithSecrets);
        let read = Config::parse(&text, "effective.toml").unwrap_or_else(|error| panic!("{error}"));
        assert_eq!(read, with_default_vhost(config), "{}", path.display());
    }
}

#[test]
fn every_setting_is_there() {
    let text = Config::default().to_toml(Shown::WithoutSecrets);
    for setting in settings::all() {
        let has = |form: &str| text.contains(form);
        let key = setting.key;
        assert!(
            has(&format!("\n{key} = "))
                || has(&format!("\n# {key} is not set\n"))
                || text.starts_with(&format!("{key} = ")),
            "{key}"
        );
    }
    assert_eq!(
        text.lines().filter(|line| line.contains("not set")).count(),
        6,
        "{text}"
    );
}

#[test]
fn it_reads_from_the_top_down() {
    let text =
        "chunk_size = 128\n[vhost.\"z.example\"]\natc = true\n[http_api]\ntoken = \"geheim\"";
    let config = Config::parse(text, "srs.toml").unwrap();
    let text = config.to_toml(Shown::WithoutSecrets);
    assert!(!text.contains("geheim"));
    let start = "listen = [\"1935\"]\nmax_connections = 10000\nchunk_size = 128\n# pid is not set\n\n[log]\ntarget = \"auto\"\n";
    assert!(text.starts_with(start), "{text}");
    let headers: Vec<_> = text.lines().filter(|line| line.starts_with('[')).collect();
    assert_eq!(
        headers,
        [
            "[log]",
            "[limits]",
            "[http_api]",
            "[heartbeat]",
            "[fleet]",
            "[stats]",
            "[pithy_print]",
            "[vhost.__defaultVhost__]",
            "[vhost.__defaultVhost__.publish]",
            "[vhost.__defaultVhost__.play]",
            "[vhost.__defaultVhost__.refer]",
            "[vhost.\"z.example\"]",
            "[vhost.\"z.example\".publish]",
            "[vhost.\"z.example\".play]",
            "[vhost.\"z.example\".refer]",
        ]
    );
    assert!(text.contains("\ntoken = \"…\"\n"));
    assert!(
        config
            .to_toml(Shown::WithSecrets)
            .contains("\ntoken = \"geheim\"\n")
    );
}

#[test]
fn what_is_written_without_secrets_can_be_read_too() {
    let text = "heartbeat = { token = \"a\", device_id = \"…\" }\n\
                http_api = { token = \"b\", username = \"c\", password = \"d\" }";
    let config = Config::parse(text, "srs.toml").unwrap();
    let text = config.to_toml(Shown::WithoutSecrets);
    let read = Config::parse_shown(&text, "shown").unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(read.to_toml(Shown::WithoutSecrets), text);

    for (text, told) in [("warp = 9", "unknown key `warp`"), ("warp = ", "shown:1:")] {
        let error = Config::parse_shown(text, "shown").unwrap_err().to_string();
        assert!(error.contains(told), "{error}");
    }
}

#[test]
fn the_query_of_a_url_is_a_secret() {
    for (url, shown) in [
        ("https://a.example/b?token=geheim", "https://a.example/b?…"),
        ("https://a.example/b?", "https://a.example/b?"),
        ("https://a.example/b", "https://a.example/b"),
    ] {
        let config = Config::parse(&format!("heartbeat.url = {url:?}"), "srs.toml").unwrap();
        let text = config.to_toml(Shown::WithoutSecrets);
        assert!(text.contains(&format!("\nurl = {shown:?}\n")), "{text}");
        // Whoever is shown it can read it and compare.
        let read = Config::parse(&text, "effective.toml").unwrap_or_else(|error| panic!("{error}"));
        assert_eq!(read.to_toml(Shown::WithSecrets), text);
        let text = config.to_toml(Shown::WithSecrets);
        assert!(text.contains(&format!("\nurl = {url:?}\n")), "{text}");
    }
}

#[test]
fn the_examples_need_nothing_but_themselves() {
    for path in toml_files("conf") {
        let text = fs::read_to_string(&path).unwrap();
        assert_eq!(
            Config::parse(&text, "text").unwrap(),
            Config::load(Some(&path)).unwrap()
        );
    }
    assert_eq!(
        with_default_vhost(Config::default()).vhost("any").1,
        &VhostConfig::default()
    );
}
