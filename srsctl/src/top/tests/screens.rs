//! Screens, as they are to be: every view at four sizes, with colours, without, and in ASCII.
//!
//! `SRSCTL_WRITE_SCREENS=1 cargo test -p srsctl screens` writes them anew; the difference is to be
//! read.

use std::fs;
use std::path::Path;

use ratatui::buffer::Buffer;
use ratatui::style::{Color, Modifier, Style};

use super::*;
use crate::top::event::{Failure, Impact, Outcome};
use crate::top::graph::Symbols;
use crate::top::theme::Colours;

const SIZES: [(u16, u16); 4] = [(60, 15), (80, 24), (120, 40), (200, 60)];

/// A dashboard in which all that is asked was answered, after `drive`.
fn driven(size: (u16, u16), liking: &Liking, drive: fn(&mut App)) -> App {
    let mut app = App::new(vec![server("origin1")], liking, size, NOW_MS);
    answer_all(&mut app);
    drive(&mut app);
    answer_all(&mut app);
    // What scrolls or opens may want more.
    answer_all(&mut app);
    app
}

/// Holds the screens after `drive` to the files of `name`.
fn check(name: &str, sizes: &[(u16, u16)], drive: fn(&mut App)) {
    for &size in sizes {
        let with = |colours, symbols| {
            let liking = Liking {
                colours,
                symbols,
                ..Liking::default()
            };
            driven(size, &liking, drive)
        };
        let colour = with(Colours::Sixteen, Symbols::Braille);
        let plain = with(Colours::None, Symbols::Braille);
        let ascii = with(Colours::None, Symbols::Ascii);
        assert_eq!(text(&plain), text(&colour), "colours say nothing alone");
        let ascii_text = text(&ascii);
        let own = ascii_text.replace(['直', '播', '间'], "");
        assert!(own.is_ascii(), "{name}: {own}");
        let shown = format!(
            "== text\n{}== ascii\n{ascii_text}== colours\n{}== no colours\n{}",
            text(&colour),
            styles(&screen(&colour)),
            styles(&screen(&plain)),
        );
        hold(&format!("{name}-{}x{}.txt", size.0, size.1), &shown);
    }
}

fn hold(file: &str, shown: &str) {
    // Where the clock on the wall stands depends on where one is.
    let clock = regex::Regex::new(r"\d\d:\d\d:\d\d").unwrap();
    let day = regex::Regex::new(r"\d{4}-\d\d-\d\d hh").unwrap();
    let shown = clock.replace_all(shown, "hh:mm:ss");
    let shown = day.replace_all(&shown, "yyyy-mm-dd hh");
    let folder = Path::new(concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/src/top/tests/screens"
    ));
    let path = folder.join(file);
    if std::env::var_os("SRSCTL_WRITE_SCREENS").is_some() {
        fs::write(&path, shown.as_bytes()).unwrap();
    }
    let expected = fs::read_to_string(&path).unwrap_or_default();
    assert!(
        shown == expected,
        "{} is another screen now; SRSCTL_WRITE_SCREENS=1 cargo test -p srsctl screens writes it \
         anew. It is\n{shown}",
        path.display()
    );
}

/// The styles of a screen: for each row the columns that have one, and which.
fn styles(buffer: &Buffer) -> String {
    let width = usize::from(buffer.area.width);
    let mut out = String::new();
    for (row, cells) in buffer.content().chunks(width).enumerate() {
        let mut runs: Vec<(usize, usize, String)> = Vec::new();
        for (column, cell) in cells.iter().enumerate() {
            let style = named(cell.style());
            match runs.last_mut() {
                Some((_, end, known)) if *known == style && *end == column => *end = column + 1,
                _ => runs.push((column, column + 1, style)),
            }
        }
        runs.retain(|(.., style)| !style.is_empty());
        if !runs.is_empty() {
            let runs: Vec<_> = runs
                .iter()
                .map(|(begin, end, style)| format!("{begin}-{} {style}", end - 1))
                .collect();
            out += &format!("{row}: {}\n", runs.join(", "));
        }
    }
    out
}

fn named(style: Style) -> String {
    let mut parts = Vec::new();
    if let Some(colour) = style.fg.filter(|colour| *colour != Color::Reset) {
        parts.push(colour.to_string().to_lowercase());
    }
    assert!(
        matches!(style.bg, None | Some(Color::Reset)),
        "no background is painted"
    );
    let names = [
        (Modifier::BOLD, "bold"),
        (Modifier::DIM, "dim"),
        (Modifier::UNDERLINED, "underlined"),
        (Modifier::REVERSED, "reversed"),
    ];
    for (modifier, name) in names {
        if style.add_modifier.contains(modifier) {
            parts.push(name.to_owned());
        }
    }
    parts.join("+")
}

macro_rules! screens {
    ($sizes:expr, $($name:ident: $drive:expr;)*) => {
        $(
            #[test]
            fn $name() {
                check(stringify!($name), &$sizes, $drive);
            }
        )*
    };
}

screens! {
    SIZES,
    streams: |_| {};
    clients: |app| { types(app, "2"); };
    vhosts: |app| { types(app, "3"); };
    parts: |app| { types(app, "4"); };
    events: |app| { types(app, "5"); };
    logs: |app| { types(app, "6"); };
    fleet: |app| { types(app, "7"); };
    stream: |app| { happens(app, key(KeyCode::Enter)); };
    client: |app| {
        types(app, "2");
        answer_all(app);
        happens(app, key(KeyCode::Enter));
    };
}

screens! {
    [(60, 15), (80, 24)],
    help: |app| { types(app, "?"); };
    columns: |app| { types(app, "cjj"); };
    filter: |app| { types(app, "/cam1"); };
    wrong_filter: |app| { types(app, "/cam("); };
    marked: |app| { types(app, " j  "); };
    kick: |app| {
        types(app, "2");
        answer_all(app);
        types(app, "  K");
        let lines = vec![
            "100 publishes live/show to 12 viewers, from 192.0.2.0, for 12m 34s".to_owned(),
            "101 plays live/show, from 192.0.2.1, for 12m 35s".to_owned(),
        ];
        let ids = vec!["100".to_owned(), "101".to_owned()];
        let result = Ok(Impact { ids, lines });
        happens(app, Event::Outcome(Outcome::Impact { question: 1, result }));
    };
    reload: |app| {
        happens(app, control('r'));
        let result = Ok(Box::new(samples::reload()));
        happens(app, Event::Outcome(Outcome::Reload { question: 1, dry_run: true, result }));
    };
    wrong_reload: |app| {
        happens(app, control('r'));
        let result = Err("srs.toml:3:1: unknown key `lisen`\n  3 | lisen = [\"1935\"]\n    | ^^^^^ did you mean `listen`?".to_owned());
        happens(app, Event::Outcome(Outcome::Reload { question: 1, dry_run: true, result }));
    };
    expanded: |app| { types(app, "e"); };
}

#[test]
fn a_server_that_is_away_is_told_and_its_figures_look_stale() {
    let mut app = driven((80, 24), &Liking::default(), |_| {});
    let error = "cannot reach srs at http://origin1.example.com:1985: connection refused";
    let failure = Failure::Down(error.to_owned());
    happens(&mut app, Event::Failed { server: 0, failure });
    app.update(Event::Tick, NOW_MS + 9_000);
    hold(
        "away-80x24.txt",
        &format!("{}{}", text(&app), styles(&screen(&app))),
    );
}

#[test]
fn where_there_is_no_room_a_message_says_so() {
    for (width, height) in [(59, 24), (80, 14), (40, 10), (20, 3), (5, 1), (1, 1)] {
        let app = driven((width, height), &Liking::default(), |_| {});
        let shown = text(&app);
        assert_eq!(shown.lines().count(), usize::from(height));
        if width >= 40 {
            assert!(
                shown.contains(&format!("{width}x{height} is too small")),
                "{shown}"
            );
            assert!(shown.contains("60x15 is enough"), "{shown}");
        }
    }
}

#[test]
fn a_page_in_colours_has_the_same_text() {
    let mut app = app((120, 40));
    answer_all(&mut app);
    let painted = view::as_ansi(&app);
    let mut plain = String::new();
    for (index, piece) in painted.split("\u{1b}[").enumerate() {
        let (codes, text) = match index {
            0 => ("0", piece),
            _ => piece.split_once('m').unwrap(),
        };
        assert!(
            codes.bytes().all(|c| c.is_ascii_digit() || c == b';'),
            "{codes}"
        );
        plain += text;
    }
    assert!(painted.contains("\u{1b}[0;32m"), "what is well is green");
    let lines: Vec<_> = plain.lines().map(str::trim_end).collect();
    assert_eq!(lines, text(&app).lines().collect::<Vec<_>>());
}
