//! What a slip of the pen does to a file, at any place.

use proptest::prelude::*;
use proptest::sample::{Index, select};

use super::read;
use crate::{Config, schema};

/// The lines of `conf/full.toml`, and which of them, from 0, are settings.
fn lines() -> (Vec<String>, Vec<usize>) {
    let lines: Vec<_> = read("conf/full.toml").lines().map(str::to_owned).collect();
    let is_setting = |line: &String| line.starts_with(|c: char| c.is_ascii_lowercase());
    let settings = (0..lines.len())
        .filter(|&index| is_setting(&lines[index]))
        .collect();
    (lines, settings)
}

/// The lines, from 1, of all mistakes of `text`.
fn mistaken_lines(text: &str) -> Vec<usize> {
    match Config::parse(text, "full.toml") {
        Ok(_) => Vec::new(),
        Err(error) => {
            assert!(!error.to_string().is_empty());
            error
                .mistakes()
                .iter()
                .map(|mistake| mistake.line())
                .collect()
        }
    }
}

/// Pieces of which texts are made that are nearly right.
const PIECES: [&str; 40] = [
    "listen",
    "log",
    "level",
    "vhost",
    "limits",
    "publish",
    "play",
    "refer",
    "gop_cache",
    "\"a.b\"",
    "\"1935\"",
    "\"10s\"",
    "1",
    "-1",
    "1.5",
    "nan",
    "true",
    "0x",
    "1979-05-27",
    "''",
    "\"\"\"",
    "'''",
    "\"",
    "\\",
    "=",
    "=",
    " = ",
    ".",
    ",",
    "[",
    "]",
    "[[",
    "]]",
    "{",
    "}",
    "#",
    ";",
    "\n",
    "\n",
    "ä",
];

proptest! {
    #[test]
    fn a_mistyped_key_is_told_of_in_its_line(
        line: Index, place: Index, letter in select(vec!["", "x", "_", "q", "10"]), cut in 0..2_usize
    ) {
        let (mut lines, settings) = lines();
        let number = settings[line.index(settings.len())];
        let (key, value) = lines[number].split_once(" = ").unwrap();
        let (before, after) = key.split_at(place.index(key.len()));
        let typed = format!("{before}{letter}{}", &after[cut.min(after.len())..]);
        let is_known = |key: &str| schema::tables().iter().any(|table| table.keys.contains(&key));
        if typed.is_empty() || is_known(&typed) {
            return Ok(());
        }
        lines[number] = format!("{typed} = {value}");
        prop_assert_eq!(mistaken_lines(&lines.join("\n")), [number + 1]);
    }

    #[test]
    fn a_value_that_is_none_is_told_of_in_its_line(
        line: Index,
        value in select(vec!["", "nothing", "\"", "[", "{", "{ a = 1 }", "1979-05-27", "= 1", "5;"]),
    ) {
        let (mut lines, settings) = lines();
        let number = settings[line.index(settings.len())];
        let (key, _) = lines[number].split_once(" = ").unwrap();
        lines[number] = format!("{key} = {value}");
        prop_assert_eq!(mistaken_lines(&lines.join("\n")), [number + 1]);
    }

    #[test]
    fn a_lost_character_is_not_blamed_on_the_lines_before_it(place: Index) {
        let mut text = read("conf/full.toml");
        let places: Vec<_> = text.char_indices().map(|(index, _)| index).collect();
        let place = places[place.index(places.len())];
        let line = text[..place].matches('\n').count() + 1;
        text.remove(place);
        let mistaken = mistaken_lines(&text);
        prop_assert!(mistaken.iter().all(|&mistaken| mistaken >= line), "{}: {:?}", line, mistaken);
    }

    #[test]
    fn no_text_makes_it_panic(text in r"(?s)([\r\n]|.){0,200}") {
        let _ = Config::parse(&text, "text");
    }

    #[test]
    fn no_text_that_is_nearly_right_makes_it_panic(
        pieces in prop::collection::vec(select(PIECES.to_vec()), 0..60)
    ) {
        let _ = mistaken_lines(&pieces.concat());
    }
}
