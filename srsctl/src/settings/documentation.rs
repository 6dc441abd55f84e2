//! `srsctl.toml(5)` against the structs: every key is there once, and no other.

use std::fs;

use super::keys::keys_of;
use super::{ServerSettings, Settings};
use crate::top::TopSettings;

#[test]
fn the_manual_has_every_key_once() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../man/srsctl.toml.5");
    let text = fs::read_to_string(path).unwrap();
    let mut documented = Vec::new();
    let mut table = "";
    for line in text.lines() {
        if let Some(title) = line.strip_prefix(".Ss ") {
            table = title.trim_end_matches(r"\&");
        } else if let Some(key) = line.strip_prefix(".It Ic ") {
            documented.push((table, key.split(' ').next().unwrap_or(key)));
        }
    }
    let of_server = keys_of::<ServerSettings>();
    let mut expected: Vec<_> = of_server
        .iter()
        .map(|key| ("[servers.NAME]", *key))
        .collect();
    for key in keys_of::<Settings>() {
        match *key {
            // A table of tables, whose keys are those above.
            "servers" => assert!(text.contains(".Ss [servers.NAME]")),
            "top" => {
                let of_top = keys_of::<TopSettings>();
                expected.extend(of_top.iter().map(|key| ("[top]", *key)));
            }
            key => expected.push(("The file", key)),
        }
    }
    documented.sort_unstable();
    expected.sort_unstable();
    assert_eq!(documented, expected);
}
