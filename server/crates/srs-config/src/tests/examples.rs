//! The files of `conf`, and that every configuration can be written and read again.

use std::fs;

use super::{toml_files, tree};
use crate::Config;

#[test]
fn every_example_is_right_and_says_how_to_try_it() {
    let files = toml_files("conf");
    assert!(files.len() > 5);
    for path in files {
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        if let Err(error) = Config::load(Some(&path)) {
            panic!("{error}");
        }
        let text = fs::read_to_string(&path).unwrap();
        let is_reference = ["full.toml", "srs.toml"].contains(&&*name);
        assert!(
            is_reference || text.contains(&format!("#   srs -c conf/{name}\n")),
            "{name}"
        );
        assert!(
            text.lines().all(|line| line.chars().count() <= 100),
            "{name}"
        );
    }
}

#[test]
fn every_example_but_the_references_differs_from_the_defaults() {
    for path in toml_files("conf") {
        let config = Config::load(Some(&path)).unwrap();
        let name = path.file_stem().unwrap().to_str().unwrap();
        if !["full", "srs", "rtmp"].contains(&name) {
            assert_ne!(config, Config::default(), "{name}");
        }
    }
    assert_eq!(
        Config::load(Some(&tree("conf/rtmp.toml"))).unwrap(),
        Config::default()
    );
}

#[test]
fn a_configuration_is_read_as_it_was_written() {
    for path in toml_files("conf") {
        let config = Config::load(Some(&path)).unwrap();
        let written = toml::to_string(&config).unwrap();
        assert_eq!(
            Config::parse(&written, "written.toml").unwrap(),
            config,
            "{}",
            path.display()
        );
    }
}
