//! `conf/srs.schema.json`, and what it says of right and wrong files.
//!
//! `SRS_BLESS=1 cargo test -p srs-config schema` writes it anew.

use std::fs;

use jsonschema::Validator;
use serde_json::Value;

use super::{toml_files, tree};
use crate::{Config, json_schema};

fn validator() -> Validator {
    jsonschema::draft202012::new(&json_schema()).unwrap()
}

/// A TOML text as JSON has it.
fn json(text: &str) -> Value {
    let table: toml::Table = text.parse().unwrap();
    serde_json::to_value(table).unwrap()
}

#[test]
fn the_published_schema_is_current() {
    let path = tree("conf/srs.schema.json");
    let current = format!("{:#}\n", json_schema());
    if std::env::var_os("SRS_BLESS").is_some() {
        fs::write(&path, &current).unwrap();
    }
    let published = fs::read_to_string(&path).unwrap_or_default();
    assert!(
        published == current,
        "conf/srs.schema.json is old: SRS_BLESS=1 writes it anew"
    );
}

#[test]
fn the_schema_is_one() {
    jsonschema::meta::validate(&json_schema()).unwrap();
}

#[test]
fn every_example_is_right_and_names_the_schema() {
    let validator = validator();
    for path in toml_files("conf") {
        let text = fs::read_to_string(&path).unwrap();
        if let Err(error) = validator.validate(&json(&text)) {
            panic!("{}: {}: {error}", path.display(), error.instance_path());
        }
        assert_eq!(
            text.lines().next(),
            Some("#:schema ./srs.schema.json"),
            "{}",
            path.display()
        );
    }
}

#[test]
fn every_configuration_that_is_written_out_is_right() {
    let validator = validator();
    for path in toml_files("conf") {
        let text = toml::to_string(&Config::load(Some(&path)).unwrap()).unwrap();
        if let Err(error) = validator.validate(&json(&text)) {
            panic!("{}: {}: {error}", path.display(), error.instance_path());
        }
    }
}

#[test]
fn typical_mistakes_are_mistakes_for_the_schema_too() {
    let validator = validator();
    let cases = [
        "lisen = [\"1935\"]",
        "listen = []",
        "listen = [\"localhost:1935\"]",
        "listen = 65536",
        "max_connections = 0",
        "max_connections = \"100\"",
        "chunk_size = 100",
        "pid = \"\"",
        "log = \"info\"",
        "[log]\nlevel = \"verbose\"",
        "[limits]\nhandshake_timeout = \"10 s\"",
        "[limits]\nhandshake_timeout = 10000",
        "[limits]\nstream_memory = \"64M\"",
        "[limits]\nstream_memory = 64",
        "[http_api]\nlisten = [\"unix:\"]",
        "[http_api]\nauth = true",
        "[http_api]\ntoken = \"\"",
        "[http_api.auth]\nenabled = true",
        "[heartbeat]\nurl = \"127.0.0.1:8085\"",
        "[fleet]\nforget_after = \"1y\"",
        "[vhost]\ngop_cache = true",
        "[vhost.a]\ngop_cache = \"on\"",
        "[vhost.a]\nrefer = [\"example.com\"]",
        "[vhost.a.example]\ngop_cache = true",
        "[vhost.a.play]\nmerge = \"automatic\"",
        "[vhost.a.publish]\ntakeover = \"same\"",
        "[vhost.\"rtmp://a/live\"]",
        "[vhost.\"a:1935\"]",
    ];
    for text in cases {
        assert!(!validator.is_valid(&json(text)), "{text}");
        assert!(Config::parse(text, "text").is_err(), "{text}");
    }
}

#[test]
fn what_is_right_in_other_spellings_is_right_for_the_schema() {
    let validator = validator();
    let cases = [
        "",
        "listen = 1935",
        "listen = \"[::1]:1935\"",
        "listen = [\"1935\", 1936]",
        "[limits]\nhandshake_timeout = 0.5\nmedia_message = 1000000",
        "[limits]\nhandshake_timeout = \"1m30.5s\"\nmedia_message = \"1.5mib\"",
        "[pithy_print]\nplay = 0\npublish = \"0s\"",
        "[http_api]\nlisten = \"unix:/run/a b.sock\"",
        "[vhost.\"2001:db8::1\"]",
        "[vhost.\"[2001:db8::1]\"]",
        "[vhost.\"bücher.example\".play]\nmerge = \"auto\"\nsend_buffer = \"64KiB\"",
    ];
    for text in cases {
        assert!(validator.is_valid(&json(text)), "{text}");
        assert!(Config::parse(text, "text").is_ok(), "{text}");
    }
}

#[test]
fn descriptions_are_for_people_who_write_files() {
    fn check(node: &Value, path: &str) {
        match node {
            Value::Object(entries) => {
                for (key, value) in entries {
                    let path = format!("{path}/{key}");
                    if let ("description", Value::String(text)) = (key.as_str(), value) {
                        for word in ["`None`", "[`", "::", "'static"] {
                            assert!(!text.contains(word), "{path}: {text}");
                        }
                    }
                    check(value, &path);
                }
            }
            Value::Array(elements) => elements.iter().for_each(|element| check(element, path)),
            _ => {}
        }
    }
    check(&json_schema(), "");
}
