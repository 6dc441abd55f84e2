//! What keys, clicks and answers do.

use std::time::Duration;

use crossterm::event::{KeyModifiers, MouseButton, MouseEvent, MouseEventKind};
use srs_api::HistoryRange;

use super::*;
use crate::top::app::Mode;
use crate::top::columns::Units;
use crate::top::event::{Failure, Impact, Outcome, Preference, Target};
use crate::top::page::{Kind, Scope, Sort};

/// A dashboard of a server that has answered.
fn ready() -> App {
    let mut app = app((120, 40));
    answer_all(&mut app);
    app
}

fn kind(app: &App) -> Kind {
    app.page().kind
}

#[test]
fn views_have_keys_and_are_found_as_they_were_left() {
    let mut app = ready();
    types(&mut app, "jj");
    for (place, view) in Kind::VIEWS.into_iter().enumerate() {
        types(&mut app, &(place + 1).to_string());
        assert_eq!(kind(&app), view);
    }
    happens(&mut app, key(KeyCode::Tab));
    assert_eq!((kind(&app), app.page().cursor), (Kind::Streams, 2));
    happens(&mut app, key(KeyCode::BackTab));
    assert_eq!(kind(&app), Kind::Fleet);
}

#[test]
fn what_is_opened_is_closed_in_turn() {
    let mut app = ready();
    happens(&mut app, key(KeyCode::Enter));
    assert_eq!(kind(&app), Kind::Stream);
    assert_eq!(app.wants().stream.as_deref(), Some("s10"));
    assert_eq!(app.list_want().unwrap().stream.as_deref(), Some("s10"));
    answer_all(&mut app);
    happens(&mut app, key(KeyCode::Enter));
    assert_eq!(kind(&app), Kind::Client);
    assert_eq!(app.wants().client.as_deref(), Some("100"));
    assert_eq!(app.wants().log.unwrap().client.as_deref(), Some("100"));
    assert_eq!(app.trail().count(), 3);
    answer_all(&mut app);
    types(&mut app, "l");
    assert_eq!(kind(&app), Kind::Logs);
    for expected in [Kind::Client, Kind::Stream, Kind::Streams, Kind::Streams] {
        happens(&mut app, key(KeyCode::Esc));
        assert_eq!(kind(&app), expected);
    }
}

#[test]
fn a_vhost_opens_its_streams() {
    let mut app = ready();
    types(&mut app, "3");
    answer_all(&mut app);
    types(&mut app, "j");
    happens(&mut app, key(KeyCode::Enter));
    assert_eq!(
        app.list_want().unwrap().vhost.as_deref(),
        Some("vhost1.example.com")
    );
}

#[test]
fn filters_work_as_they_are_typed_and_are_taken_back() {
    let mut app = ready();
    types(&mut app, "/ca");
    assert_eq!(
        app.list_want().unwrap().filter,
        Some(("(?i)ca".to_owned(), false))
    );
    types(&mut app, "m(");
    // The last one that was one stays.
    assert_eq!(
        app.list_want().unwrap().filter,
        Some(("(?i)cam".to_owned(), false))
    );
    happens(&mut app, key(KeyCode::Enter));
    assert!(
        matches!(app.mode, Mode::Filter(_)),
        "a wrong one is not taken"
    );
    happens(&mut app, key(KeyCode::Backspace));
    happens(&mut app, key(KeyCode::Enter));
    assert!(matches!(app.mode, Mode::Normal));
    types(&mut app, "!x");
    assert_eq!(
        app.list_want().unwrap().filter,
        Some(("(?i)x".to_owned(), true))
    );
    happens(&mut app, key(KeyCode::Esc));
    assert_eq!(
        app.page().filter.as_ref().unwrap().typed(),
        "cam",
        "the one before"
    );
    happens(&mut app, key(KeyCode::Esc));
    assert_eq!(app.page().filter, None);
}

#[test]
fn tables_that_come_whole_are_filtered_and_sorted_here() {
    let mut app = ready();
    types(&mut app, "3");
    answer_all(&mut app);
    types(&mut app, "/vhost[12]\n");
    let row = |app: &App, place| app.row_id(place);
    assert_eq!(app.len(), 2);
    happens(&mut app, key(KeyCode::Enter));
    types(&mut app, "r");
    assert_eq!(row(&app, 0).as_deref(), Some("vhost2.example.com"));
    assert_eq!(
        app.list_want().unwrap().query(),
        [],
        "the server is not asked for it"
    );
}

#[test]
fn any_column_that_can_be_sorted_by_is_reached_by_keys() {
    let mut app = ready();
    let mut seen = Vec::new();
    loop {
        types(&mut app, ">");
        let sort = app.page().sort.unwrap();
        if seen.contains(&sort.key) {
            break;
        }
        seen.push(sort.key);
    }
    let sortable = crate::top::columns::sortable(Table::Streams);
    let shown: Vec<_> = sortable
        .iter()
        .filter(|key| app.columns(Table::Streams).contains(key))
        .collect();
    assert_eq!(seen.len(), shown.len());
    types(&mut app, ":sort -name\n");
    assert!(
        matches!(app.mode, Mode::Command(..)),
        "a newline is no Enter"
    );
    happens(&mut app, key(KeyCode::Enter));
    let expected = Sort {
        key: "name",
        descending: true,
    };
    assert_eq!(app.page().sort, Some(expected));
    types(&mut app, "r");
    assert_eq!(
        app.page().sort,
        Some(Sort {
            descending: false,
            ..expected
        })
    );
    assert_eq!(
        app.list_want().unwrap().query()[0],
        ("sort", "name".to_owned())
    );
}

#[test]
fn only_what_is_seen_is_asked_for() {
    let mut app = app((120, 40));
    let want = app.list_want().unwrap();
    assert_eq!(want.start, 0);
    assert!(
        want.count >= app.rows() && want.count <= 3 * 40,
        "{}",
        want.count
    );
    types(&mut app, "2");
    answer_all(&mut app);
    happens(&mut app, key(KeyCode::End));
    assert_eq!(app.page().cursor, 349);
    let want = app.list_want().unwrap();
    let last = app.page().offset + app.rows();
    assert!(want.start <= app.page().offset && want.start + want.count >= last);
    assert_eq!(app.row_id(349), None, "it is not here yet");
    answer_all(&mut app);
    assert_eq!(app.page().selected.as_deref(), Some("449"));
    assert!(text(&app).contains("350 of 350"), "{}", text(&app));
}

#[test]
fn the_cursor_stays_with_its_row() {
    let mut app = ready();
    types(&mut app, "jjj");
    assert_eq!(app.page().selected.as_deref(), Some("s13"));
    let want = app.list_want().unwrap();
    let mut streams = samples::streams(40);
    streams.rotate_right(1);
    let Answer::Streams(want, mut answer) = list_answer(want) else {
        panic!("streams are asked for");
    };
    answer.streams = streams;
    answered(&mut app, Answer::Streams(want, answer));
    assert_eq!(
        (app.page().cursor, app.page().selected.as_deref()),
        (4, Some("s13"))
    );
}

#[test]
fn answers_to_what_is_not_asked_any_more_are_not_shown() {
    let mut app = ready();
    let before = app.list_want().unwrap();
    types(&mut app, "/cam");
    answer_all(&mut app);
    let Answer::Streams(want, mut answer) = list_answer(before) else {
        panic!("streams are asked for");
    };
    answer.streams.clear();
    answer.total = 0;
    answered(&mut app, Answer::Streams(want, answer));
    assert_eq!(app.len(), 40);
    answered(&mut app, Answer::Stream("s99".to_owned(), None));
    assert_eq!(app.data().stream, None);
}

/// Whom it concerns if these are cut off, in answer to the question of this number.
fn impact(question: u64, ids: &[&str]) -> Event {
    let result = Ok(Impact {
        ids: ids.iter().map(|id| (*id).to_owned()).collect(),
        lines: ids
            .iter()
            .map(|id| format!("{id} plays to 12 viewers"))
            .collect(),
    });
    Event::Outcome(Outcome::Impact { question, result })
}

#[test]
fn the_marked_are_cut_off_after_a_yes() {
    let mut app = ready();
    types(&mut app, "2");
    answer_all(&mut app);
    types(&mut app, " j ");
    let marked: Vec<_> = app.page().marked.keys().cloned().collect();
    assert_eq!(marked, ["100", "102"]);
    let effects = types(&mut app, "K");
    let ids = vec!["100".to_owned(), "102".to_owned()];
    let asked = Effect::Impact {
        server: 0,
        question: 1,
        ids: ids.clone(),
    };
    assert_eq!(effects, [asked]);
    assert_eq!(
        types(&mut app, "y"),
        [],
        "nobody knows yet whom it concerns"
    );
    happens(&mut app, impact(1, &["100", "102"]));
    let shown = text(&app);
    assert!(shown.contains("Cut off these 2 clients?"), "{shown}");
    assert!(shown.contains("100 plays to 12 viewers"), "{shown}");
    assert!(shown.contains("cut off at origin1"), "{shown}");
    assert_eq!(types(&mut app, "n"), []);
    assert_eq!(app.page().marked.len(), 2, "who says no may say yes later");
    types(&mut app, "K");
    happens(&mut app, impact(2, &["100", "102"]));
    let kick = Effect::Kick {
        server: 0,
        life: "vid-1".to_owned(),
        ids: ids.clone(),
        marked: ids.clone(),
    };
    assert_eq!(types(&mut app, "y"), [kick]);
    // Meanwhile the user looks at something else.
    types(&mut app, "1");
    let kicked = Outcome::Kicked {
        server: 0,
        marked: ids,
        kicked: 1,
        gone: 1,
        failure: None,
    };
    happens(&mut app, Event::Outcome(kicked));
    types(&mut app, "2");
    assert!(app.page().marked.is_empty());
    let (said, _) = app.notice().unwrap();
    assert_eq!(said, "1 client cut off, 1 client had gone already");
}

#[test]
fn a_yes_is_for_the_server_and_the_clients_that_were_asked_about() {
    let servers = vec![server("a"), server("b")];
    let mut app = App::new(servers, &Liking::default(), (120, 40), NOW_MS);
    types(&mut app, "2");
    answer_all(&mut app);
    types(&mut app, "K");
    // The answer to a question that was taken back is not one to the next.
    happens(&mut app, key(KeyCode::Esc));
    types(&mut app, "jK");
    happens(&mut app, impact(1, &["100"]));
    assert_eq!(types(&mut app, "y"), [], "this was another question");
    happens(&mut app, impact(2, &["101"]));
    // Another server comes to be shown while the question stands.
    let opened = Outcome::Opened(Box::new(server("b")));
    happens(&mut app, Event::Outcome(opened));
    assert_eq!(app.wants().server, 1);
    assert!(
        matches!(app.mode, Mode::Normal),
        "the question was about another one"
    );
    assert_eq!(types(&mut app, "y"), []);
}

#[test]
fn whom_it_concerns_may_remain_unknown() {
    let mut app = ready();
    types(&mut app, "K");
    let result = Err("no answer within 5s".to_owned());
    let outcome = Outcome::Impact {
        question: 1,
        result,
    };
    happens(&mut app, Event::Outcome(outcome));
    assert!(text(&app).contains("no answer within 5s"));
    assert_eq!(types(&mut app, "y"), []);
}

#[test]
fn what_was_marked_for_another_page_is_not_marked_here() {
    let mut app = ready();
    let effects = types(&mut app, "*");
    let [Effect::MarkAll { want, .. }] = &effects[..] else {
        panic!("{effects:?}");
    };
    let marked = |server| {
        let want = want.clone();
        let rows = vec![("s10".to_owned(), "live/show".to_owned())];
        Event::Outcome(Outcome::Marked {
            server,
            want,
            rows,
            total: 2,
        })
    };
    types(&mut app, "2");
    happens(&mut app, marked(0));
    assert!(app.page().marked.is_empty());
    types(&mut app, "1");
    happens(&mut app, marked(1));
    assert!(app.page().marked.is_empty());
    happens(&mut app, marked(0));
    assert_eq!(app.notice().unwrap().0, "1 of 2 marked: no more at once");
}

#[test]
fn help_is_read_to_its_end_and_back() {
    for size in [(60, 15), (80, 24), (200, 60)] {
        let mut app = app(size);
        answer_all(&mut app);
        types(&mut app, "?");
        types(&mut app, &"j".repeat(300));
        assert!(text(&app).contains(":quit"), "{}", text(&app));
        let before = text(&app);
        types(&mut app, "k");
        assert!(text(&app) != before || size.1 == 60, "the next key is seen");
    }
}

#[test]
fn what_is_not_seen_is_not_acted_on() {
    let mut app = app((40, 10));
    answer_all(&mut app);
    assert_eq!(types(&mut app, "Ky "), []);
    assert!(matches!(app.mode, Mode::Normal) && app.page().marked.is_empty());
    assert_eq!(types(&mut app, "q"), [Effect::Quit]);
}

#[test]
fn redrawing_and_stopping_work_whatever_is_open() {
    for open in ["?", ":x", "/x", "c", "K"] {
        let mut app = ready();
        types(&mut app, open);
        assert_eq!(happens(&mut app, control('z')), [Effect::Suspend], "{open}");
        assert_eq!(happens(&mut app, control('l')), [Effect::Redraw], "{open}");
        assert!(!matches!(app.mode, Mode::Normal), "{open}");
    }
}

#[test]
fn where_nothing_may_be_changed_nothing_is() {
    let mut app = ready();
    app.servers[0].is_read_only = true;
    assert_eq!(types(&mut app, "K"), []);
    assert_eq!(happens(&mut app, control('r')), []);
    assert!(matches!(app.mode, Mode::Normal));
    assert!(text(&app).contains("read-only"));
}

#[test]
fn a_reload_is_done_after_a_look_at_what_would_change() {
    let mut app = ready();
    let asked = |question| Effect::Reload {
        server: 0,
        question,
        in_life: None,
    };
    assert_eq!(happens(&mut app, control('r')), [asked(1)]);
    assert_eq!(
        types(&mut app, "y"),
        [],
        "nobody knows yet what would change"
    );
    let tried = |question, result| {
        let dry_run = true;
        Event::Outcome(Outcome::Reload {
            question,
            dry_run,
            result,
        })
    };
    happens(
        &mut app,
        tried(1, Err("srs.toml:3:1: unknown key".to_owned())),
    );
    assert_eq!(types(&mut app, "y"), [], "a mistake cannot be put in force");
    assert!(text(&app).contains("srs.toml:3:1: unknown key"));
    happens(&mut app, key(KeyCode::Esc));
    assert_eq!(happens(&mut app, control('r')), [asked(2)]);
    happens(&mut app, tried(1, Ok(Box::new(samples::reload()))));
    assert_eq!(types(&mut app, "y"), [], "this was another question");
    happens(&mut app, tried(2, Ok(Box::new(samples::reload()))));
    assert!(text(&app).contains("max_connections: 10000 -> 20000"));
    let reload = Effect::Reload {
        server: 0,
        question: 2,
        in_life: Some("vid-1".to_owned()),
    };
    assert_eq!(types(&mut app, "y"), [reload]);
}

#[test]
fn a_frozen_screen_stays_and_loses_nothing() {
    let mut app = ready();
    types(&mut app, "5");
    let events = app.len();
    types(&mut app, "f");
    assert!(app.wants().is_frozen);
    let before = text(&app);
    assert!(before.contains("frozen"));
    answered(&mut app, Answer::Events(samples::events(3)));
    answered(
        &mut app,
        Answer::Summaries({
            let mut summaries = samples::summaries();
            summaries.data.process.version = "9.9.9".to_owned();
            summaries
        }),
    );
    assert_eq!(text(&app), before);
    types(&mut app, "p");
    assert!(!app.wants().is_frozen);
    assert_eq!(app.len(), events + 3);
}

#[test]
fn a_server_that_goes_away_and_returns_is_told() {
    let mut app = ready();
    let failure = Failure::Down("connection refused".to_owned());
    app.update(Event::Failed { server: 0, failure }, NOW_MS);
    app.update(Event::Tick, NOW_MS + 5_000);
    assert!(
        text(&app).contains("origin1 has not answered for 5s: connection refused"),
        "{}",
        text(&app)
    );
    types(&mut app, "jj2");
    assert_eq!(kind(&app), Kind::Clients, "keys work");
    answer_all(&mut app);
    assert!(!text(&app).contains("has not answered"));
    assert_eq!(app.notice().unwrap().0, "origin1 answers again");
}

#[test]
fn a_server_that_is_slow_looks_so() {
    let mut app = ready();
    assert_eq!(app.stale_for(), None);
    app.update(Event::Tick, NOW_MS + 20_000);
    assert_eq!(app.stale_for(), Some(20_000));
    assert!(text(&app).contains("origin1 is slow: this is 20s old"));
}

#[test]
fn ids_of_another_life_of_the_server_mean_nothing() {
    let mut app = ready();
    assert!(app.len() > 0);
    types(&mut app, " ");
    happens(&mut app, key(KeyCode::Enter));
    answer_all(&mut app);
    types(&mut app, "K");
    let mut summaries = samples::summaries();
    summaries.identity.server = "another".to_owned();
    answered(&mut app, Answer::Summaries(summaries));
    assert_eq!((kind(&app), app.len()), (Kind::Streams, 0));
    assert!(app.page().marked.is_empty() && matches!(app.mode, Mode::Normal));
    assert_eq!(app.notice().unwrap().0, "origin1 has restarted");
    assert!(app.data().events.len() > 0, "what happened stays");
}

#[test]
fn servers_are_shown_in_turn() {
    let servers = vec![server("a"), server("b")];
    let mut app = App::new(servers, &Liking::default(), (120, 40), NOW_MS);
    assert_eq!(app.wants().server, 0);
    types(&mut app, "S");
    assert_eq!(app.wants().server, 1);
    types(&mut app, "7");
    let shown = text(&app);
    assert!(
        shown.contains("http://a.example.com:1985") && shown.contains("http://b.example.com:1985")
    );
    happens(&mut app, key(KeyCode::Enter));
    assert_eq!((app.wants().server, kind(&app)), (0, Kind::Streams));
    types(&mut app, ":server b");
    happens(&mut app, key(KeyCode::Enter));
    assert_eq!(app.wants().server, 1);
    types(&mut app, ":server edge9");
    let effects = happens(&mut app, key(KeyCode::Enter));
    let open = Effect::Open(Target::Typed("edge9".to_owned()));
    assert_eq!(effects, [open]);
    happens(
        &mut app,
        Event::Outcome(Outcome::Opened(Box::new(server("edge9")))),
    );
    assert_eq!((app.wants().server, app.servers.len()), (2, 3));
}

#[test]
fn a_server_that_beats_is_gone_to_without_a_secret() {
    let mut app = ready();
    types(&mut app, "7");
    answer_all(&mut app);
    types(&mut app, ":sort -how");
    happens(&mut app, key(KeyCode::Enter));
    types(&mut app, "rgg");
    assert_eq!(app.row_id(0).as_deref(), Some("beat edge1"));
    let effects = happens(&mut app, key(KeyCode::Enter));
    let address = "http://192.0.2.70:1985".parse().unwrap();
    assert_eq!(
        effects,
        [Effect::Open(Target::Heard {
            name: "edge1".to_owned(),
            address
        })]
    );
}

#[test]
fn play_urls_are_copied() {
    let mut app = ready();
    let cases = [
        ("gg", "rtmp://origin1.example.com/live/show"),
        (
            "ggjj",
            "rtmp://origin1.example.com/live/cam2?vhost=live.example.com",
        ),
    ];
    for (keys, url) in cases {
        types(&mut app, keys);
        assert_eq!(types(&mut app, "y"), [Effect::Copy(url.to_owned())]);
    }
    let listen = vec!["[::]:19350".to_owned()];
    let summaries = app.servers[0].data.summaries.as_mut().unwrap();
    summaries.srs.as_mut().unwrap().listen = listen;
    types(&mut app, "gg");
    let url = "rtmp://origin1.example.com:19350/live/show".to_owned();
    assert_eq!(types(&mut app, "y"), [Effect::Copy(url)]);
    app.servers[0].rtmp = Some("rtmp://cdn.example.com".to_owned());
    let url = "rtmp://cdn.example.com/live/show".to_owned();
    assert_eq!(types(&mut app, "y"), [Effect::Copy(url)]);
}

#[test]
fn a_server_that_gives_no_address_is_not_taken_for_one_that_was_named() {
    for address in ["x y", "[a:b]", ""] {
        let mut app = ready();
        types(&mut app, "7");
        let mut fleet = samples::fleet();
        // What looks like an address in its name must not get the user's token.
        fleet.servers[0].device_id = "http://192.0.2.66:80".to_owned();
        fleet.servers[0].ip = address.to_owned();
        answered(&mut app, Answer::Fleet(fleet));
        types(&mut app, "/http://192.0.2.66");
        happens(&mut app, key(KeyCode::Enter));
        assert_eq!(app.row_id(0).as_deref(), Some("beat http://192.0.2.66:80"));
        assert_eq!(happens(&mut app, key(KeyCode::Enter)), [], "{address}");
    }
}

#[test]
fn pages_below_each_other_keep_their_own_subject() {
    let mut app = ready();
    for id in ["100", "101"] {
        types(&mut app, &format!(":client {id}"));
        happens(&mut app, key(KeyCode::Enter));
        answer_all(&mut app);
    }
    happens(&mut app, key(KeyCode::Esc));
    assert_eq!(
        app.data().client,
        None,
        "what was known was of the other one"
    );
    assert_eq!(app.wants().client.as_deref(), Some("100"));
}

#[test]
fn rows_stay_until_those_come_that_are_wanted() {
    let mut app = ready();
    types(&mut app, "/cam");
    assert!(app.len() > 0 && !app.has_wanted_rows());
    answer_all(&mut app);
    assert!(app.has_wanted_rows());
    types(&mut app, "\n");
    happens(&mut app, key(KeyCode::Enter));
    types(&mut app, "2");
    assert!(text(&app).contains("no answer yet"), "{}", text(&app));
    types(&mut app, "f3");
    assert!(text(&app).contains("  frozen"), "{}", text(&app));
}

#[test]
fn that_lines_come_does_not_show_that_figures_do() {
    let mut app = ready();
    let failure = Failure::Down("timed out".to_owned());
    app.update(Event::Failed { server: 0, failure }, NOW_MS);
    let answer = Box::new(Answer::Events(samples::events(1)));
    app.update(Event::Answer { server: 0, answer }, NOW_MS + 9_000);
    assert!(
        text(&app).contains("has not answered for 9s: timed out"),
        "{}",
        text(&app)
    );
    let refused = Failure::Refused("401: who are you?".to_owned());
    answer_all(&mut app);
    app.update(
        Event::Failed {
            server: 0,
            failure: refused,
        },
        NOW_MS,
    );
    assert!(text(&app).contains("401: who are you?"), "{}", text(&app));
}

#[test]
fn intervals_are_stepped_through() {
    let mut app = ready();
    types(&mut app, ":interval 1500ms");
    happens(&mut app, key(KeyCode::Enter));
    types(&mut app, "+");
    assert_eq!(app.every, Duration::from_secs(2));
    types(&mut app, "--");
    assert_eq!(app.every, Duration::from_millis(500));
    types(&mut app, "-------");
    assert_eq!(app.every, Duration::from_millis(250));
}

#[test]
fn commands_are_recalled_one_by_one() {
    let mut app = ready();
    for command in [":units bits", ":range 5m"] {
        types(&mut app, command);
        happens(&mut app, key(KeyCode::Enter));
    }
    types(&mut app, ":");
    for expected in ["range 5m", "units bits", "units bits"] {
        happens(&mut app, key(KeyCode::Up));
        assert!(matches!(&app.mode, Mode::Command(command) if command.line.text() == expected));
    }
}

#[test]
fn columns_are_chosen_moved_and_remembered() {
    let mut app = ready();
    // The third one is hidden.
    let effects = types(&mut app, "cjj ");
    assert_eq!(effects, [Effect::Remember(Preference::Columns)]);
    assert!(!app.columns(Table::Streams).contains(&"video"));
    assert!(app.has_own_columns(Table::Streams) && !app.has_own_columns(Table::Clients));
    types(&mut app, "r");
    assert!(!app.has_own_columns(Table::Streams));
    happens(&mut app, key(KeyCode::Esc));
    types(&mut app, ":columns out,name");
    happens(&mut app, key(KeyCode::Enter));
    assert_eq!(app.columns(Table::Streams), ["out", "name"]);
    types(&mut app, "cJ");
    assert_eq!(app.columns(Table::Streams), ["name", "out"]);
    types(&mut app, "q:columns nonsense");
    happens(&mut app, key(KeyCode::Enter));
    assert!(matches!(&app.mode, Mode::Command(command)
        if command.error.as_ref().unwrap().contains("expected a column")));
}

#[test]
fn commands_may_be_short_and_say_what_they_expect() {
    let mut app = ready();
    let mut command = |text: &str| {
        types(&mut app, ":");
        types(&mut app, text);
        happens(&mut app, key(KeyCode::Enter));
        let error = match &app.mode {
            Mode::Command(command) => command.error.clone(),
            _ => None,
        };
        happens(&mut app, key(KeyCode::Esc));
        error
    };
    for right in [
        "cli play",
        "ev",
        "interval 2s",
        "range 15m",
        "units bytes",
        "theme mono",
    ] {
        assert_eq!(command(right), None, "{right}");
    }
    let wrong = [
        ("dance", "there is no command dance; :help lists them"),
        (
            "theme pink",
            "expected a theme: default, mono, dark, light, contrast",
        ),
        ("range 2m", "expected a range: 1m, 5m, 15m, 60m"),
        ("client", "expected the id of a client"),
        ("streams (", "unclosed group"),
    ];
    for (text, expected) in wrong {
        assert_eq!(command(text).as_deref(), Some(expected), "{text}");
    }
    assert_eq!(app.every, Duration::from_secs(2));
    assert_eq!(
        (app.range, app.units),
        (HistoryRange::Quarter, Units::Bytes)
    );
}

#[test]
fn tab_completes_commands_and_their_words() {
    let mut app = ready();
    let cases = [
        ("str", "streams "),
        ("theme da", "theme dark"),
        ("sort pl", "sort players"),
    ];
    for (typed, expected) in cases {
        types(&mut app, &format!(":{typed}"));
        happens(&mut app, key(KeyCode::Tab));
        assert!(
            matches!(&app.mode, Mode::Command(command) if command.line.text() == expected),
            "{typed}"
        );
        happens(&mut app, key(KeyCode::Esc));
    }
}

#[test]
fn the_mouse_selects_opens_sorts_and_scrolls() {
    let mut app = ready();
    let mouse = |app: &mut App, kind, column, row| {
        let modifiers = KeyModifiers::NONE;
        happens(
            app,
            Event::Mouse(MouseEvent {
                kind,
                column,
                row,
                modifiers,
            }),
        )
    };
    let click = MouseEventKind::Down(MouseButton::Left);
    let lines: Vec<String> = text(&app).lines().map(str::to_owned).collect();
    let heading = lines
        .iter()
        .position(|line| line.contains("PLAYERS"))
        .unwrap();
    let row_of = |place: usize| u16::try_from(heading + 1 + place).unwrap();
    mouse(&mut app, click, 10, row_of(3));
    assert_eq!(app.page().cursor, 3);
    let chars = lines[heading].chars().collect::<String>();
    let column = chars.split("PLAYERS").next().unwrap().chars().count();
    let column = u16::try_from(column + 2).unwrap();
    mouse(&mut app, click, column, row_of(0) - 1);
    let sort = app.page().sort.unwrap();
    assert_eq!((sort.key, sort.descending), ("players", true));
    answer_all(&mut app);
    mouse(&mut app, MouseEventKind::ScrollDown, 0, 20);
    let cursor = app.page().cursor;
    mouse(&mut app, MouseEventKind::ScrollUp, 0, 20);
    assert!(app.page().cursor < cursor);
    let selected = app.page().cursor - app.page().offset;
    mouse(&mut app, click, 10, row_of(selected));
    assert_eq!(kind(&app), Kind::Stream);
    let tabs = lines
        .iter()
        .position(|line| line.starts_with(" 1 streams"))
        .unwrap();
    let fleet = u16::try_from(lines[tabs].find("fleet").unwrap()).unwrap();
    mouse(&mut app, click, fleet, u16::try_from(tabs).unwrap());
    assert_eq!(kind(&app), Kind::Fleet);
}

#[test]
fn a_log_is_followed_until_one_looks_up() {
    let mut app = ready();
    types(&mut app, "6");
    answer_all(&mut app);
    assert_eq!(app.page().cursor, 29);
    let more = |app: &mut App| {
        let of = app.wants().log.unwrap();
        answered(app, log_answer(of, false));
    };
    more(&mut app);
    assert_eq!((app.len(), app.page().cursor), (60, 59));
    types(&mut app, "k");
    more(&mut app);
    assert_eq!((app.len(), app.page().follows), (90, false));
    types(&mut app, "G");
    assert!(app.page().follows);
}

#[test]
fn what_is_pasted_where_nothing_is_typed_does_nothing() {
    let mut app = ready();
    let effects = happens(&mut app, Event::Paste("Kyq:quit\n".to_owned()));
    assert_eq!(effects, []);
    assert!(matches!(app.mode, Mode::Normal));
    types(&mut app, "/");
    happens(&mut app, Event::Paste("cam\nK".to_owned()));
    assert_eq!(app.page().filter.as_ref().unwrap().typed(), "cam");
}

#[test]
fn all_rows_are_marked_by_asking_for_all_that_match() {
    let mut app = ready();
    types(&mut app, "/cam1\n");
    happens(&mut app, key(KeyCode::Enter));
    let effects = types(&mut app, "*");
    let [Effect::MarkAll { want, .. }] = &effects[..] else {
        panic!("{effects:?}");
    };
    assert_eq!(want.start, 0);
    assert!(want.filter.is_some() && want.count > app.rows());
    let marked = Outcome::Marked {
        server: 0,
        want: want.clone(),
        rows: vec![("s11".to_owned(), "live/cam1".to_owned())],
        total: 1,
    };
    happens(&mut app, Event::Outcome(marked));
    assert!(text(&app).contains("1 marked"));
    assert_eq!(types(&mut app, "*"), [], "and none");
    assert!(app.page().marked.is_empty());
}

#[test]
fn a_stream_that_ends_while_it_is_looked_at_is_told() {
    let mut app = ready();
    happens(&mut app, key(KeyCode::Enter));
    let Scope::Stream { id, .. } = app.page().scope.clone() else {
        panic!("a stream was opened");
    };
    answered(&mut app, Answer::Stream(id, None));
    assert!(text(&app).contains("it is not there any more"));
}

#[test]
fn a_stream_leads_to_what_works_for_it() {
    let mut app = ready();
    types(&mut app, "o");
    assert_eq!(kind(&app), Kind::Parts);
    answer_all(&mut app);
    assert_eq!(app.len(), 1, "of four parts one is of this stream");
    let shown = text(&app);
    assert!(
        shown.contains("parts live/show") && shown.contains("forward"),
        "{shown}"
    );
    types(&mut app, "4");
    assert_eq!(app.len(), 4);
}

#[test]
fn escape_and_a_key_at_once_are_not_a_key_with_alt() {
    let mut app = ready();
    types(&mut app, "/cam");
    let alt = KeyEvent::new(KeyCode::Char(':'), KeyModifiers::ALT);
    happens(&mut app, Event::Key(alt));
    assert_eq!(app.page().filter, None, "the filter was taken back");
    assert!(matches!(app.mode, Mode::Command(_)));
}

#[test]
fn a_column_that_was_hidden_comes_back_by_the_same_key() {
    let mut app = ready();
    let before = app.columns(Table::Streams).to_vec();
    types(&mut app, "cjj ");
    assert_ne!(app.columns(Table::Streams), before);
    types(&mut app, " ");
    assert_eq!(app.columns(Table::Streams), before);
}

#[test]
fn whom_a_reload_ends_is_told_before_it_is_done() {
    let mut app = ready();
    happens(&mut app, control('r'));
    let mut reload = samples::reload();
    reload.notes = vec!["would end 2 clients of vhost sports.example.com".to_owned()];
    let outcome = Outcome::Reload {
        question: 1,
        dry_run: true,
        result: Ok(Box::new(reload)),
    };
    happens(&mut app, Event::Outcome(outcome));
    assert!(text(&app).contains("would end 2 clients"), "{}", text(&app));
}

#[test]
fn who_sorts_sees_what_comes_first() {
    let mut app = ready();
    types(&mut app, "jjjj>");
    answer_all(&mut app);
    assert_eq!((app.page().cursor, app.page().offset), (0, 0));
}

#[test]
fn several_servers_at_one_address_are_not_asked_without_end() {
    let mut app = ready();
    let again = app.wants().again;
    for life in 0..50 {
        let mut summaries = samples::summaries();
        summaries.identity.server = format!("life {life}");
        answered(&mut app, Answer::Summaries(summaries));
    }
    assert!(app.wants().again <= again + 1);
    let (said, _) = app.notice().unwrap();
    assert!(said.contains("several servers answer there"), "{said}");
}

#[test]
fn a_name_that_was_heard_is_not_what_the_user_types() {
    let mut app = ready();
    let impostor = Server {
        is_heard: true,
        ..server("http://192.0.2.1:1985")
    };
    happens(
        &mut app,
        Event::Outcome(Outcome::Opened(Box::new(impostor))),
    );
    types(&mut app, ":server http://192.0.2.1:1985");
    let effects = happens(&mut app, key(KeyCode::Enter));
    let typed = Target::Typed("http://192.0.2.1:1985".to_owned());
    assert_eq!(effects, [Effect::Open(typed)]);
}

#[test]
fn the_selected_stream_says_why_it_is_not_better() {
    let mut app = ready();
    types(&mut app, "jjj");
    assert!(text(&app).contains("12.1 of 25 frames/s"), "{}", text(&app));
}
