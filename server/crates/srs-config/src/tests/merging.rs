//! Several files as one configuration.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::time::Duration;

use proptest::prelude::*;
use proptest::sample::select;
use tempfile::{TempDir, tempdir};

use super::{read, toml_files};
use crate::check::{self, File};
use crate::environment::Environment;
use crate::{Config, Error, Loaded, Mistake, Source};

/// A folder with these files, those of `conf.d` among them.
fn folder(files: &[(&str, &str)]) -> TempDir {
    let folder = tempdir().unwrap();
    fs::create_dir(folder.path().join("conf.d")).unwrap();
    for (name, text) in files {
        fs::write(folder.path().join(name), text).unwrap();
    }
    folder
}

fn load(folder: &Path) -> Result<Loaded, Error> {
    Source::of_file(Some(folder.join("srs.toml"))).load()
}

/// What is told of these files, without the name of their folder.
fn told(files: &[(&str, &str)]) -> String {
    let folder = folder(files);
    let error = load(folder.path()).unwrap_err().to_string();
    error.replace(&format!("{}/", folder.path().display()), "")
}

#[test]
fn tables_merge_key_by_key_and_other_values_replace() {
    let cases = [
        (
            "another table",
            "max_connections = 7",
            "[log]\nlevel = \"warn\"",
            "max_connections = 7\n[log]\nlevel = \"warn\"",
        ),
        (
            "another key",
            "[log]\nlevel = \"warn\"",
            "[log]\nformat = \"json\"",
            "[log]\nlevel = \"warn\"\nformat = \"json\"",
        ),
        (
            "the same key",
            "[log]\nlevel = \"warn\"",
            "[log]\nlevel = \"info\"",
            "[log]\nlevel = \"info\"",
        ),
        (
            "a list",
            "listen = [\"1\", \"2\"]",
            "listen = [\"3\"]",
            "listen = [\"3\"]",
        ),
        (
            "a list for a text",
            "listen = \"1\"",
            "listen = [\"3\"]",
            "listen = [\"3\"]",
        ),
        (
            "an empty list",
            "[vhost.a.refer]\nall = [\"b\"]",
            "[vhost.a.refer]\nall = []",
            "[vhost.a.refer]\nall = []",
        ),
        (
            "an inner table",
            "[vhost.a]\natc = true\n[vhost.a.play]\nwait = 1",
            "[vhost.a.play]\nmerge = 1",
            "[vhost.a]\natc = true\n[vhost.a.play]\nwait = 1\nmerge = 1",
        ),
        (
            "another vhost",
            "[vhost.a]\natc = true",
            "[vhost.b]",
            "[vhost.a]\natc = true\n[vhost.b]",
        ),
        (
            "one vhost in two spellings",
            "[vhost.\"A.example.\"]\natc = true",
            "[vhost.\"a.EXAMPLE\"]\ngop_cache = false",
            "[vhost.\"a.example\"]\natc = true\ngop_cache = false",
        ),
        (
            "an inline table",
            "log = { level = \"warn\" }",
            "log.format = \"json\"",
            "[log]\nlevel = \"warn\"\nformat = \"json\"",
        ),
        ("nothing", "chunk_size = 128", "", "chunk_size = 128"),
        (
            "what is right together only",
            "[vhost.a]\natc = true",
            "[vhost.a]\nmix_correct = true",
            "[vhost.a]\natc = true\nmix_correct = true",
        ),
    ];
    for (name, first, second, expected) in cases {
        let folder = folder(&[("srs.toml", first), ("conf.d/10.toml", second)]);
        let loaded = load(folder.path()).unwrap();
        assert_eq!(
            loaded.config,
            Config::parse(expected, name).unwrap(),
            "{name}"
        );
    }
}

#[test]
fn files_are_read_in_the_order_of_their_names_and_others_passed_over() {
    let folder = folder(&[
        ("srs.toml", "max_connections = 1"),
        ("conf.d/20-b.toml", "max_connections = 20"),
        ("conf.d/10-a.toml", "max_connections = 10"),
        ("conf.d/100.toml", "max_connections = 100"),
        ("conf.d/.99.toml", "max_connections = 0"),
        ("conf.d/99.toml~", "max_connections = 0"),
        ("conf.d/99.toml.dpkg-new", "max_connections = 0"),
        ("conf.d/99.conf", "max_connections = 0"),
        ("conf.d/README", "of this folder"),
    ]);
    let loaded = load(folder.path()).unwrap();
    let names = [
        "srs.toml",
        "conf.d/10-a.toml",
        "conf.d/100.toml",
        "conf.d/20-b.toml",
    ];
    assert_eq!(loaded.files, names.map(|name| folder.path().join(name)));
    assert_eq!(loaded.config.max_connections, 20);
    assert_eq!(loaded.warnings, [""; 0]);
}

#[test]
fn the_folder_counts_without_the_main_file_if_nobody_named_that() {
    let folder = folder(&[("conf.d/1.toml", "max_connections = 7")]);
    let main = folder.path().join("srs.toml");
    let loaded = Source::default().load_with_default(&main).unwrap();
    assert_eq!(loaded.config.max_connections, 7);
    assert_eq!(loaded.files, [folder.path().join("conf.d/1.toml")]);
    let named = load(folder.path()).unwrap_err();
    assert!(matches!(named, Error::Unreadable { path, .. } if path == main));
}

#[test]
fn what_cannot_be_read_in_the_folder_is_an_error() {
    let folder = folder(&[("srs.toml", ""), ("conf.d/2.toml", "")]);
    fs::create_dir(folder.path().join("conf.d/1.toml")).unwrap();
    let told = load(folder.path()).unwrap_err().to_string();
    assert!(
        told.ends_with("conf.d/1.toml: is a directory, where a file was expected"),
        "{told}"
    );
}

#[test]
fn a_file_that_cannot_be_read_hides_no_mistakes_of_others() {
    let folder = folder(&[("srs.toml", "a = 1"), ("conf.d/3.toml", "b = 1")]);
    fs::create_dir(folder.path().join("conf.d/1.toml")).unwrap();
    fs::write(folder.path().join("conf.d/2.toml"), b"# \xFF").unwrap();
    let error = load(folder.path()).unwrap_err();
    assert!(
        matches!(&error, Error::Several(errors) if errors.len() == 3),
        "{error}"
    );
    assert_eq!(error.mistakes().len(), 2);
    let told = error.to_string();
    for place in [
        "1.toml: is a directory",
        "2.toml:1:3: byte 0xff",
        "srs.toml:1:1:",
        "3.toml:1:1:",
    ] {
        assert!(told.contains(place), "{place}\n{told}");
    }
    let lines = error.lines();
    assert_eq!(lines.len(), 4, "{lines:?}");
    assert!(
        lines.iter().all(|line| line.contains(".toml:")),
        "{lines:?}"
    );
}

#[test]
fn mistakes_of_all_files_are_told_together_each_in_its_file() {
    let told = told(&[
        ("srs.toml", "lisen = \"1935\"\n[log]\nlevel = \"wran\"\n"),
        ("conf.d/1.toml", "max_connections = \n"),
        ("conf.d/2.toml", "# right\nchunk_size = 4096\n"),
        ("conf.d/3.toml", "[log]\nformat = 5\n"),
    ]);
    let expected = "\
srs.toml:1:1: unknown key `lisen`
  1 | lisen = \"1935\"
    | ^^^^^ did you mean `listen`?
srs.toml:3:9: `log.level` cannot be \"wran\"
  3 | level = \"wran\"
    |         ^^^^^^ did you mean \"warn\"? expected \"error\", \"warn\", \"info\", \"debug\" or \"trace\"
conf.d/1.toml:1:19: there is no value
  1 | max_connections = 
    |                   ^ expected one behind the `=`
conf.d/3.toml:2:10: `log.format` cannot be 5
  2 | format = 5
    |          ^ expected \"text\" or \"json\"";
    assert_eq!(told, expected);
}

#[test]
fn a_wrong_value_is_a_mistake_even_if_a_later_file_replaces_it() {
    let told = told(&[
        ("srs.toml", "chunk_size = 1"),
        ("conf.d/1.toml", "chunk_size = 128"),
    ]);
    assert!(
        told.starts_with("srs.toml:1:14: `chunk_size` cannot be 1\n"),
        "{told}"
    );
}

#[test]
fn of_many_mistakes_the_first_are_told_and_the_others_counted() {
    let text: String = (0..25).map(|n| format!("mistake_{n} = 0\n")).collect();
    let told = told(&[
        ("srs.toml", &text),
        ("conf.d/1.toml", &text[..28]),
        ("conf.d/2.toml", "a = 1"),
    ]);
    let last: Vec<_> = told.lines().rev().take(3).collect();
    assert_eq!(
        last,
        [
            "conf.d/2.toml: and 1 more mistake",
            "conf.d/1.toml: and 2 more mistakes",
            "srs.toml: and 5 more mistakes",
        ]
    );
}

#[test]
fn a_contradiction_is_told_in_the_file_that_brought_it_about() {
    let api = "http_api.listen = \"192.0.2.1:1985\"\n";
    let cases = [
        (
            "the last of two",
            "[vhost.a]\natc = true",
            "[vhost.a]\nmix_correct = true\natc = false",
            "conf.d/1.toml:2:15: `vhost.a.mix_correct` cannot be true",
        ),
        (
            "another setting",
            "[vhost.a]\nmix_correct = true\natc = true",
            "[vhost.A]\natc = false",
            "conf.d/1.toml:2:7: `vhost.A.atc` cannot be false",
        ),
        (
            "the first, if the others have nothing to do with it",
            "[vhost.a]\nmix_correct = true",
            "[vhost.b]\natc = true",
            "srs.toml:2:15: `vhost.a.mix_correct` cannot be true",
        ),
        (
            "a list",
            "http_api.token = \"t\"",
            "listen = \"80\"\nhttp_api.listen = [\"80\"]",
            "conf.d/1.toml:2:20: `http_api.listen` cannot contain \"80\"",
        ),
        (
            "RTMP takes the port",
            "http_api = { listen = \"127.0.0.1:80\" }",
            "listen = \"80\"",
            "conf.d/1.toml:1:10: `listen` cannot be \"80\"",
        ),
        (
            "a text",
            "",
            api,
            "conf.d/1.toml:1:19: `http_api.listen` cannot be \"192.0.2.1:1985\"",
        ),
        (
            "who must prove",
            &format!("{api}http_api.auth = \"never\""),
            "http_api.auth = \"remote\"",
            "conf.d/1.toml:1:17: `http_api.auth` cannot be \"remote\"",
        ),
        (
            "switched on",
            &format!("{api}http_api.enabled = false"),
            "http_api.enabled = true",
            "conf.d/1.toml:1:20: `http_api.enabled` cannot be true",
        ),
        (
            "half a login",
            "",
            "http_api.password = \"p\"",
            "conf.d/1.toml:1:21: `http_api.password` cannot be as it is",
        ),
    ];
    for (name, first, second, expected) in cases {
        let told = told(&[("srs.toml", first), ("conf.d/1.toml", second)]);
        assert_eq!(told.lines().next(), Some(expected), "{name}\n{told}");
        assert_eq!(told.lines().count(), 3, "{name}\n{told}");
    }
}

#[test]
fn what_is_wrong_anyway_is_no_contradiction_too() {
    let told = told(&[
        ("srs.toml", "[http_api]\nlisten = [\"1985\"]\n"),
        ("conf.d/token.toml", "[http_api]\ntoken = \"\"\n"),
    ]);
    assert!(
        told.starts_with("conf.d/token.toml:2:9: `http_api.token` cannot be as it is\n"),
        "{told}"
    );
    assert_eq!(told.lines().count(), 3, "{told}");
}

#[test]
fn an_api_that_others_reach_needs_proof_or_the_word_that_it_needs_none() {
    let cases = [
        ("listen = [\"1985\"]", false),
        ("listen = [\"0.0.0.0:1985\"]", false),
        ("listen = [\"[::]:1985\"]", false),
        ("listen = [\"192.0.2.1:1985\"]\nauth = \"always\"", false),
        ("listen = [\"127.0.0.1:1985\"]", true),
        ("listen = [\"[::1]:1985\", \"127.0.0.2:1985\"]", true),
        ("listen = [\"unix:/tmp/api.sock\"]", true),
        ("listen = [\"1985\"]\ntoken = \"t\"", true),
        (
            "listen = [\"1985\"]\nusername = \"u\"\npassword = \"p\"",
            true,
        ),
        ("listen = [\"1985\"]\nauth = \"never\"", true),
        ("listen = [\"1985\"]\nenabled = false", true),
        ("username = \"u\"", false),
        ("username = \"\"\npassword = \"p\"", false),
    ];
    for (lines, expected) in cases {
        let config = Config::parse(&format!("[http_api]\n{lines}"), "srs.toml");
        assert_eq!(config.is_ok(), expected, "{lines}");
    }
}

#[test]
fn a_mistake_knows_its_file() {
    let folder = folder(&[("srs.toml", "a = 1"), ("conf.d/1.toml", "\n b = 1")]);
    let error = load(folder.path()).unwrap_err();
    let places: Vec<_> = error
        .mistakes()
        .iter()
        .map(|mistake| {
            (
                Path::new(mistake.file())
                    .file_name()
                    .unwrap()
                    .to_str()
                    .unwrap(),
                mistake.line(),
                mistake.column(),
            )
        })
        .collect();
    assert_eq!(places, [("srs.toml", 1, 1), ("1.toml", 2, 2)]);
    assert!(
        error
            .to_string()
            .ends_with(&error.mistakes().last().map(Mistake::to_string).unwrap())
    );
}

/// Reads texts as the files of one configuration.
fn read_all(texts: &[String]) -> Result<Config, Vec<Mistake>> {
    let file = |(index, text): (usize, &String)| File {
        name: format!("{index}.toml"),
        text: text.clone(),
    };
    let files: Vec<_> = texts.iter().enumerate().map(file).collect();
    check::read(&files, &Environment::default())
}

#[test]
fn any_two_examples_together_are_right_or_contradict_each_other() {
    let texts: Vec<_> = toml_files("conf")
        .iter()
        .map(|path| fs::read_to_string(path).unwrap())
        .collect();
    for first in &texts {
        for second in &texts {
            match read_all(&[first.clone(), second.clone()]) {
                Ok(config) if first == second => {
                    assert_eq!(config, Config::parse(first, "once").unwrap());
                }
                Ok(_) => {}
                Err(mistakes) => assert!(!mistakes.is_empty()),
            }
        }
    }
}

proptest! {
    #[test]
    fn no_two_damaged_files_make_it_panic(
        cuts in prop::collection::vec((0..5_000_usize, 0..5_000_usize), 2),
        word in select(vec!["", "[", "\"", "=", "x = 1\n", "[vhost.a]\n"]),
    ) {
        let full = read("conf/full.toml");
        let texts: Vec<_> = cuts
            .iter()
            .map(|&(start, len)| {
                let mut text: Vec<_> = full.chars().collect();
                let start = start.min(text.len());
                let end = (start + len).min(text.len());
                text.splice(start..end, word.chars());
                text.into_iter().collect::<String>()
            })
            .collect();
        let _ = read_all(&texts);
    }

    #[test]
    fn the_last_file_counts(seconds in prop::collection::vec(1..600_u64, 1..5)) {
        let texts: Vec<_> = seconds.iter().map(|s| format!("[vhost.a]\nqueue_length = {s}")).collect();
        let config = read_all(&texts).unwrap();
        let last = seconds.last().copied().map(Duration::from_secs);
        prop_assert_eq!(Some(config.vhost("a").1.queue_length), last);
    }
}

#[test]
fn every_file_is_told_apart_by_its_name() {
    let texts = ["x = 1".to_owned(), "x = 1".to_owned()];
    let files: BTreeSet<_> = read_all(&texts)
        .unwrap_err()
        .iter()
        .map(|m| m.file().to_owned())
        .collect();
    assert_eq!(files.len(), 2);
}
