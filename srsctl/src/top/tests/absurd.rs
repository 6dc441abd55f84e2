//! Whatever is pressed and whatever servers answer, there is a screen.

use crossterm::event::{KeyModifiers, MouseButton, MouseEvent, MouseEventKind};
use proptest::prelude::*;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::*;
use crate::top::event::{Failure, Impact, Outcome};

/// What happens in a test.
#[derive(Clone, Debug)]
enum Step {
    Key(KeyEvent),
    Type(String),
    Mouse(u16, u16, u8),
    Paste(String),
    Resize(u16, u16),
    /// All that is wanted is answered.
    Answer,
    /// Something is answered with its text changed at this place, or cut off there.
    Mutated(u8, usize, u8, bool),
    Away,
    Refused,
    /// A server of another life answers.
    Restart,
    Outcome(u8),
    /// So many milliseconds later.
    Later(i64),
}

fn step() -> impl Strategy<Value = Step> {
    let special = prop_oneof![
        Just(KeyCode::Enter),
        Just(KeyCode::Esc),
        Just(KeyCode::Up),
        Just(KeyCode::Down),
        Just(KeyCode::Home),
        Just(KeyCode::End),
        Just(KeyCode::PageUp),
        Just(KeyCode::PageDown),
        Just(KeyCode::Tab),
        Just(KeyCode::BackTab),
        Just(KeyCode::Backspace),
        Just(KeyCode::Delete),
        Just(KeyCode::F(1)),
        any::<char>().prop_map(KeyCode::Char),
        prop::char::range(' ', '~').prop_map(KeyCode::Char),
        prop::char::range(' ', '~').prop_map(KeyCode::Char),
        prop::char::range(' ', '~').prop_map(KeyCode::Char),
    ];
    let modifiers = prop_oneof![
        5 => Just(KeyModifiers::NONE),
        1 => Just(KeyModifiers::CONTROL),
        1 => Just(KeyModifiers::ALT),
    ];
    let keys = (special, modifiers).prop_map(|(code, held)| Step::Key(KeyEvent::new(code, held)));
    let commands = prop_oneof![
        Just(":streams cam\n".to_owned()),
        Just(":clients !play\n".to_owned()),
        Just(":sort -name\n".to_owned()),
        Just(":columns name,out\n".to_owned()),
        Just(":client 100\n".to_owned()),
        Just(":theme light\n".to_owned()),
        Just(":range 60m\n".to_owned()),
        Just("/(\n".to_owned()),
        "[/:!][ -~]{0,12}\n",
    ];
    prop_oneof![
        12 => keys,
        3 => commands.prop_map(Step::Type),
        2 => (0..250_u16, 0..90_u16, any::<u8>()).prop_map(|(x, y, kind)| Step::Mouse(x, y, kind)),
        1 => "\\PC{0,30}".prop_map(Step::Paste),
        2 => (0..250_u16, 0..90_u16).prop_map(|(width, height)| Step::Resize(width, height)),
        4 => Just(Step::Answer),
        4 => (any::<u8>(), any::<usize>(), any::<u8>(), any::<bool>())
            .prop_map(|(what, place, byte, cut)| Step::Mutated(what, place, byte, cut)),
        1 => Just(Step::Away),
        1 => Just(Step::Refused),
        1 => Just(Step::Restart),
        2 => any::<u8>().prop_map(Step::Outcome),
        1 => prop_oneof![Just(i64::MIN), Just(i64::MAX), -10_000_i64..1_000_000]
            .prop_map(Step::Later),
    ]
}

fn run(app: &mut App, step: Step, now_ms: &mut i64) {
    let happens = |app: &mut App, event| drop(app.update(event, *now_ms));
    match step {
        Step::Key(event) => happens(app, Event::Key(event)),
        Step::Type(text) => {
            for c in text.chars() {
                let code = if c == '\n' {
                    KeyCode::Enter
                } else {
                    KeyCode::Char(c)
                };
                happens(app, key(code));
            }
        }
        Step::Mouse(column, row, kind) => {
            let kind = match kind % 4 {
                0 => MouseEventKind::ScrollUp,
                1 => MouseEventKind::ScrollDown,
                _ => MouseEventKind::Down(MouseButton::Left),
            };
            let mouse = MouseEvent {
                kind,
                column,
                row,
                modifiers: KeyModifiers::NONE,
            };
            happens(app, Event::Mouse(mouse));
        }
        Step::Paste(text) => happens(app, Event::Paste(text)),
        Step::Resize(width, height) => happens(app, Event::Resize(width, height)),
        Step::Answer => {
            for answer in answers(app) {
                let answer = Box::new(answer);
                happens(app, Event::Answer { server: 0, answer });
            }
        }
        Step::Mutated(what, place, byte, is_cut) => {
            let mut all = answers(app);
            let which = usize::from(what) % all.len().max(1);
            let event = match mutated(all.swap_remove(which), place, byte, is_cut) {
                Some(answer) => {
                    let server = usize::from(what % 3);
                    let answer = Box::new(answer);
                    Event::Answer { server, answer }
                }
                None => Event::Failed {
                    server: 0,
                    failure: Failure::Refused("no JSON".to_owned()),
                },
            };
            happens(app, event);
        }
        Step::Away | Step::Refused => {
            let text = "away\x1b[2J\n".to_owned();
            let failure = match step {
                Step::Away => Failure::Down(text),
                _ => Failure::Refused(text),
            };
            happens(app, Event::Failed { server: 0, failure });
        }
        Step::Restart => {
            let mut summaries = samples::summaries();
            summaries.identity.server = "another life".to_owned();
            let answer = Box::new(Answer::Summaries(summaries));
            happens(app, Event::Answer { server: 0, answer });
        }
        Step::Outcome(kind) => happens(app, Event::Outcome(outcome(kind))),
        Step::Later(millis) => {
            *now_ms = now_ms.saturating_add(millis);
            drop(app.update(Event::Tick, *now_ms));
        }
    }
}

fn outcome(kind: u8) -> Outcome {
    let id = || "100".to_owned();
    // Some are to a question that was asked, some are not.
    let question = u64::from(kind / 64);
    match kind % 9 {
        0 => Outcome::Impact {
            question,
            result: Ok(Impact {
                ids: vec![id()],
                lines: vec!["\x1b[2J".to_owned(); 40],
            }),
        },
        1 => Outcome::Impact {
            question,
            result: Ok(Impact::default()),
        },
        2 => Outcome::Impact {
            question,
            result: Err("away\n".repeat(40)),
        },
        3 => Outcome::Marked {
            server: 0,
            want: ListWant::new(Table::Streams),
            rows: vec![(id(), id())],
            total: usize::MAX,
        },
        4 => Outcome::Kicked {
            server: 0,
            marked: vec![id()],
            kicked: usize::MAX,
            gone: 1,
            failure: Some(String::new()),
        },
        5 => Outcome::Reload {
            question,
            dry_run: true,
            result: Ok(Box::new(samples::reload())),
        },
        6 => Outcome::Reload {
            question,
            dry_run: false,
            result: Err(String::new()),
        },
        7 => Outcome::Opened(Box::new(server("edge1"))),
        _ => Outcome::Failed("\u{202e}".to_owned()),
    }
}

/// Answers to all that is wanted.
fn answers(app: &App) -> Vec<Answer> {
    let wants = app.wants();
    let mut answers = vec![
        Answer::Summaries(samples::summaries()),
        Answer::History(wants.range, samples::history(300)),
        Answer::Fleet(samples::fleet()),
        Answer::Events(samples::events(30)),
    ];
    answers.extend(wants.list.map(list_answer));
    if let Some(id) = wants.stream {
        answers.push(Answer::Stream(id.clone(), Some(samples::whole_stream())));
        answers.push(Answer::StreamHistory(id, wants.range, samples::history(60)));
    }
    if let Some(id) = wants.client {
        answers.push(Answer::Client(id, samples::clients(1).pop()));
    }
    answers.extend(wants.log.map(|of| log_answer(of, false)));
    answers
}

/// The answer with its text changed, as far as it can still be read.
fn mutated(answer: Answer, place: usize, byte: u8, is_cut: bool) -> Option<Answer> {
    let change = |text: &mut Vec<u8>| {
        if text.is_empty() {
            return;
        }
        let mut place = place % text.len();
        // Half of the time it is a number that is changed.
        if byte.is_multiple_of(2) {
            let digit = text.iter().skip(place).position(u8::is_ascii_digit);
            place += digit.unwrap_or(0);
        }
        if is_cut {
            text.truncate(place);
        } else if text[place].is_ascii_digit() {
            // Numbers at the edges are what servers get wrong.
            let edges: [&[u8]; 6] = [
                b"0",
                b"-1",
                b"18446744073709551615",
                b"9223372036854775807",
                b"1e300",
                b"-0.5",
            ];
            let edge = edges[usize::from(byte) % edges.len()];
            let begin = text[..place]
                .iter()
                .rposition(|b| !b.is_ascii_digit())
                .map_or(0, |at| at + 1);
            let rest = &text[place..];
            let end = place
                + rest
                    .iter()
                    .position(|b| !b.is_ascii_digit())
                    .unwrap_or(rest.len());
            text.splice(begin..end, edge.iter().copied());
        } else {
            text[place] = byte;
        }
    };
    fn through<T: Serialize + DeserializeOwned>(
        value: &T,
        change: impl Fn(&mut Vec<u8>),
    ) -> Option<T> {
        let mut text = serde_json::to_vec(value).unwrap();
        change(&mut text);
        serde_json::from_slice(&text).ok()
    }
    Some(match answer {
        Answer::Summaries(answer) => Answer::Summaries(through(&answer, change)?),
        Answer::History(range, history) => Answer::History(range, through(&history, change)?),
        Answer::Streams(want, answer) => Answer::Streams(want, through(&answer, change)?),
        Answer::Clients(want, answer) => Answer::Clients(want, through(&answer, change)?),
        Answer::Vhosts(want, answer) => Answer::Vhosts(want, through(&answer, change)?),
        Answer::Parts(want, answer) => Answer::Parts(want, through(&answer, change)?),
        Answer::Fleet(answer) => Answer::Fleet(through(&answer, change)?),
        Answer::Stream(id, stream) => Answer::Stream(id, through(&stream, change)?),
        Answer::StreamHistory(id, range, history) => {
            Answer::StreamHistory(id, range, through(&history, change)?)
        }
        Answer::Client(id, client) => Answer::Client(id, through(&client, change)?),
        Answer::Events(events) => Answer::Events(through(&events, change)?),
        Answer::Log {
            of,
            lines,
            is_first,
        } => Answer::Log {
            of,
            lines: through(&lines, change)?,
            is_first,
        },
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn nothing_that_happens_takes_the_screen_away(
        steps in proptest::collection::vec(step(), 1..60),
        width in 40..200_u16,
        height in 10..60_u16,
    ) {
        let mut app = app((width, height));
        let mut now_ms = NOW_MS;
        for step in steps {
            run(&mut app, step, &mut now_ms);
            let buffer = screen(&app);
            for cell in buffer.content() {
                prop_assert!(
                    !cell.symbol().chars().any(|c| c.is_control()),
                    "what came from a server acts on the terminal: {:?}", cell.symbol()
                );
            }
            let page = app.page();
            prop_assert!(page.cursor == 0 || app.len() == 0 || page.cursor < app.len());
        }
    }
}
