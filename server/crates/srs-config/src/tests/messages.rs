//! `tests/config/bad`: files with mistakes, and beside each exactly what is said about it.
//!
//! `SRS_BLESS=1 cargo test -p srs messages` writes what is said now; read the difference.

use std::fs;

use super::toml_files;
use crate::Config;

#[test]
fn every_mistake_is_told_as_expected() {
    let files = toml_files("tests/config/bad");
    assert!(!files.is_empty());
    let mut differing = Vec::new();
    for path in files {
        let text = fs::read_to_string(&path).unwrap();
        let name = path.file_name().unwrap().to_string_lossy();
        let told = match Config::parse(&text, &name) {
            Ok(_) => panic!("{name} is read as if it were right"),
            Err(error) => format!("{error}\n"),
        };
        let expected_path = path.with_extension("expected");
        if std::env::var_os("SRS_BLESS").is_some() {
            fs::write(&expected_path, &told).unwrap();
        }
        let expected = fs::read_to_string(&expected_path).unwrap_or_default();
        if told != expected {
            differing.push(format!("{name}: expected\n{expected}\nbut it is\n{told}"));
        }
    }
    assert!(differing.is_empty(), "{}", differing.join("\n"));
}
