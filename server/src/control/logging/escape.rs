//! Text of peers made harmless: one line stays one line, and a terminal shows what is there.
//!
//! Stream names, URLs and messages of encoders reach the log. A newline in one would forge a line,
//! an escape sequence would command the terminal that shows the log, and a directional mark would
//! show a name backwards.

use std::fmt::Write;

/// What stands where text was cut.
const CUT: char = '…';

/// Appends `text` in plain form: hazards become `\n`, `\x1b` or `\u{202e}`.
///
/// Stops with `…` where `out` would otherwise grow beyond `end` bytes.
pub(super) fn push_plain(out: &mut String, text: &str, end: usize) {
    push(out, text, end, |out, c| {
        if is_hazard(c) {
            push_code(out, c);
        } else {
            out.push(c);
        }
    });
}

/// Appends `text` as a value: as it is where it is one word, else in quotes, with `\"` and `\\`.
///
/// What is between the quotes stops with `…` where `out` would otherwise grow beyond `end` bytes.
pub(super) fn push_value(out: &mut String, text: &str, end: usize) {
    let is_word = |c: char| !is_hazard(c) && !c.is_whitespace() && !matches!(c, '"' | '\\' | '=');
    if !text.is_empty() && text.chars().all(is_word) {
        return push_plain(out, text, end);
    }
    out.push('"');
    push(out, text, end.saturating_sub(1), |out, c| match c {
        '"' | '\\' => out.extend(['\\', c]),
        c if is_hazard(c) => push_code(out, c),
        c => out.push(c),
    });
    out.push('"');
}

/// Appends `text` as a JSON string (RFC 8259, section 7), its quotes included.
///
/// What is between the quotes stops with `…` where `out` would otherwise grow beyond `end` bytes.
pub(super) fn push_json(out: &mut String, text: &str, end: usize) {
    out.push('"');
    push(out, text, end.saturating_sub(1), |out, c| match c {
        '"' | '\\' => out.extend(['\\', c]),
        '\n' => out.push_str("\\n"),
        '\r' => out.push_str("\\r"),
        '\t' => out.push_str("\\t"),
        // Every hazard is below U+10000: no surrogates are needed.
        c if is_hazard(c) => _ = write!(out, "\\u{:04x}", u32::from(c)),
        c => out.push(c),
    });
    out.push('"');
}

fn push(out: &mut String, text: &str, end: usize, mut push_char: impl FnMut(&mut String, char)) {
    // The last place where the mark still fits, should the text turn out too long.
    let mut cut = out.len();
    for c in text.chars() {
        if out.len() + CUT.len_utf8() <= end {
            cut = out.len();
        }
        push_char(out, c);
        if out.len() > end {
            out.truncate(cut);
            if cut + CUT.len_utf8() <= end {
                out.push(CUT);
            }
            return;
        }
    }
}

fn push_code(out: &mut String, c: char) {
    match c {
        '\n' => out.push_str("\\n"),
        '\r' => out.push_str("\\r"),
        '\t' => out.push_str("\\t"),
        c if c.is_ascii() => _ = write!(out, "\\x{:02x}", u32::from(c)),
        c => _ = write!(out, "\\u{{{:x}}}", u32::from(c)),
    }
}

/// Whether `c` must not reach a log as it is: control characters (C0, DEL, C1), the other line
/// separators of Unicode, and marks that change the direction of what follows.
fn is_hazard(c: char) -> bool {
    c.is_control()
        || matches!(
            c,
            '\u{061c}'
                | '\u{200e}'
                | '\u{200f}'
                | '\u{2028}'..='\u{202e}'
                | '\u{2066}'..='\u{2069}'
                | '\u{feff}'
        )
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde::Deserialize;

    use super::*;

    type Push = fn(&mut String, &str, usize);

    fn escaped(push: Push, text: &str, end: usize) -> String {
        let mut out = String::new();
        push(&mut out, text, end);
        out
    }

    #[test]
    fn hazards_are_spelt_out() {
        let cases: &[(&str, Push, &str, &str)] = &[
            ("plain text", push_plain, "play of show", "play of show"),
            ("letters of any script", push_plain, "шоу 直播", "шоу 直播"),
            ("a forged line", push_plain, "a\r\n[2026]", "a\\r\\n[2026]"),
            ("a terminal's command", push_plain, "\x1b[2J", "\\x1b[2J"),
            ("NUL and DEL", push_plain, "\0\x7f", "\\x00\\x7f"),
            ("C1", push_plain, "\u{9b}31m", "\\u{9b}31m"),
            (
                "text turned round",
                push_plain,
                "\u{202e}vlf",
                "\\u{202e}vlf",
            ),
            ("a word", push_value, "show", "show"),
            (
                "an address",
                push_value,
                "[2001:db8::1]:1935",
                "[2001:db8::1]:1935",
            ),
            ("nothing", push_value, "", "\"\""),
            ("two words", push_value, "two words", "\"two words\""),
            ("a forged key", push_value, "a=b", "\"a=b\""),
            ("a quote", push_value, "a\"\\", "\"a\\\"\\\\\""),
            ("a newline", push_value, "a\nb", "\"a\\nb\""),
            ("a word", push_json, "show", "\"show\""),
            (
                "quotes and controls",
                push_json,
                "\"\\\n\0\u{2028}",
                r#""\"\\\n\u0000\u2028""#,
            ),
        ];
        for (name, push, text, expected) in cases {
            assert_eq!(escaped(*push, text, 1000), *expected, "{name}");
        }
    }

    #[test]
    fn long_text_is_cut_with_a_mark() {
        let cases: &[(&str, Push, &str, usize, &str)] = &[
            ("fits", push_plain, "12345", 5, "12345"),
            ("is cut", push_plain, "123456", 5, "12…"),
            ("an escape is cut whole", push_plain, "123\x1b", 6, "123…"),
            ("no room at all", push_plain, "123", 2, ""),
            ("in quotes", push_value, "1 3456", 7, "\"1 …\""),
            ("JSON", push_json, "123456", 7, "\"12…\""),
        ];
        for (name, push, text, end, expected) in cases {
            assert_eq!(escaped(*push, text, *end), *expected, "{name}");
        }
    }

    proptest! {
        #[test]
        fn nothing_harmful_passes_and_the_bound_holds(text: String, end in 8_usize..200) {
            for push in [push_plain, push_value, push_json] as [Push; 3] {
                let out = escaped(push, &text, end);
                prop_assert!(out.len() <= end);
                prop_assert!(!out.chars().any(is_hazard), "{out:?}");
            }
        }

        #[test]
        fn a_json_string_reads_back_as_what_it_was(text: String) {
            // A basic string of TOML has the syntax of a JSON string.
            #[derive(Deserialize)]
            struct Document {
                text: String,
            }
            let document = format!("text = {}", escaped(push_json, &text, usize::MAX));
            prop_assert_eq!(toml::from_str::<Document>(&document).unwrap().text, text);
        }
    }
}
