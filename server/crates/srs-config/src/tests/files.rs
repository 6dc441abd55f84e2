//! Files that cannot be read, and those that can in spite of their looks.

use std::fs::{self, File};
use std::path::PathBuf;

use tempfile::tempdir;

use crate::{Config, Error, Source};

#[test]
fn without_a_file_the_defaults_count() {
    let folder = tempdir().unwrap();
    let path = folder.path().join("srs.toml");
    let load = || Source::default().load_with_default(&path);
    assert_eq!(load().unwrap().config, Config::default());
    assert_eq!(load().unwrap().files, [""; 0].map(PathBuf::from));
    fs::write(&path, "max_connections = 7").unwrap();
    assert_eq!(load().unwrap().config.max_connections, 7);
    assert_eq!(load().unwrap().files, std::slice::from_ref(&path));
    fs::write(&path, "max_connections = 0").unwrap();
    assert!(load().is_err());
}

#[test]
fn a_default_file_that_leads_nowhere_is_not_the_defaults() {
    let folder = tempdir().unwrap();
    let path = folder.path().join("srs.toml");
    std::os::unix::fs::symlink("/does/not/exist", &path).unwrap();
    let error = Source::default().load_with_default(&path).unwrap_err();
    assert!(
        error.to_string().ends_with("there is no such file"),
        "{error}"
    );
}

#[test]
fn nobody_waits_for_a_pipe_that_nobody_names() {
    let folder = tempdir().unwrap();
    let path = folder.path().join("srs.toml");
    fs::write(&path, "").unwrap();
    fs::create_dir(folder.path().join("conf.d")).unwrap();
    let pipe = folder.path().join("conf.d/a.toml");
    let made = std::process::Command::new("mkfifo").arg(&pipe).status();
    assert!(made.unwrap().success());
    for source in [Source::default(), Source::of_file(Some(path.clone()))] {
        let error = source.load_with_default(&path).unwrap_err();
        let expected = format!("{}: cannot be read: it is no regular file", pipe.display());
        assert_eq!(error.to_string(), expected);
    }
}

#[test]
fn an_empty_file_is_the_default_configuration() {
    assert_eq!(Config::parse("", "srs.toml").unwrap(), Config::default());
}

#[test]
fn what_cannot_be_read_is_told_with_its_reason() {
    let folder = tempdir().unwrap();
    let cases = [
        ("missing.toml", "there is no such file"),
        (".", "is a directory, where a file was expected"),
    ];
    for (name, reason) in cases {
        let path = folder.path().join(name);
        let error = Config::load(Some(&path)).unwrap_err();
        assert_eq!(error.to_string(), format!("{}: {reason}", path.display()));
        assert!(error.mistakes().is_empty());
    }
}

#[test]
fn a_file_that_is_no_text_is_told_of_with_the_place() {
    let path = tempdir().unwrap().keep().join("srs.toml");
    let bytes = [
        b"# caf\xC3\xA9\n# ".as_slice(),
        "ä".as_bytes(),
        b"\xFFabc\n",
    ]
    .concat();
    fs::write(&path, bytes).unwrap();
    let error = Config::load(Some(&path)).unwrap_err();
    let expected = format!(
        "{}:2:4: byte 0xff at offset 12 is not UTF-8, in which configuration files are written",
        path.display()
    );
    assert_eq!(error.to_string(), expected);
}

#[test]
fn a_file_beyond_all_measure_is_not_read_to_its_end() {
    let folder = tempdir().unwrap();
    let path = folder.path().join("recording.flv");
    File::create(&path).unwrap().set_len(1 << 40).unwrap();
    let error = Config::load(Some(&path)).unwrap_err();
    assert!(matches!(error, Error::TooLarge { .. }), "{error}");
    let unending = Config::load(Some("/dev/zero".as_ref())).unwrap_err();
    assert!(matches!(unending, Error::TooLarge { .. }), "{unending}");
}

#[test]
fn byte_order_marks_and_line_ends_of_other_systems_do_no_harm() {
    let text = "\u{feff}max_connections = 7\r\n[log]\r\nlevel = \"warn\"\r\n";
    assert_eq!(Config::parse(text, "srs.toml").unwrap().max_connections, 7);
}

#[test]
fn a_mistake_says_where_it_is() {
    let error = Config::parse("[log]\nlevel = 5\nformt = \"json\"\n", "srs.toml").unwrap_err();
    let places: Vec<_> = error
        .mistakes()
        .iter()
        .map(|m| (m.line(), m.column()))
        .collect();
    assert_eq!(places, [(2, 9), (3, 1)]);
    assert_eq!(
        error.mistakes()[1].problem(),
        "unknown key `formt` in [log]"
    );
    assert_eq!(error.mistakes()[1].help(), "did you mean `format`?");
}
