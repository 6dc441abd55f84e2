//! The dashboard without servers and without a terminal: events in, screens and wishes out.

mod absurd;
mod behaviour;
mod screens;

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use ratatui::Terminal;
use ratatui::backend::TestBackend;
use ratatui::buffer::Buffer;
use srs_api::{ClientsAnswer, PartsAnswer, StreamsAnswer, VhostsAnswer};

use super::app::{App, Liking};
use super::data::Server;
use super::event::{Answer, Effect, Event};
use super::page::Table;
use super::samples::{self, NOW_MS};
use super::view;
use super::wants::{ListWant, LogWant};

/// A server that has not answered yet.
fn server(name: &str) -> Server {
    Server {
        name: name.to_owned(),
        address: format!("http://{name}.example.com:1985"),
        host: format!("{name}.example.com"),
        ..Server::default()
    }
}

/// A dashboard of one server.
fn app(size: (u16, u16)) -> App {
    App::new(vec![server("origin1")], &Liking::default(), size, NOW_MS)
}

/// What happens, at the time of all samples.
fn happens(app: &mut App, event: Event) -> Vec<Effect> {
    app.update(event, NOW_MS)
}

fn answered(app: &mut App, answer: Answer) {
    let answer = Box::new(answer);
    let effects = happens(app, Event::Answer { server: 0, answer });
    assert_eq!(effects, [], "answers ask for nothing");
}

/// Everything that the dashboard wants to know at present, answered with samples.
fn answer_all(app: &mut App) {
    answered(app, Answer::Summaries(samples::summaries()));
    answered(app, Answer::History(app.range, samples::history(300)));
    answered(app, Answer::Fleet(samples::fleet()));
    let wants = app.wants();
    if let Some(list) = wants.list {
        answered(app, list_answer(list));
    }
    if let Some(id) = wants.stream {
        answered(
            app,
            Answer::Stream(id.clone(), Some(samples::whole_stream())),
        );
        answered(
            app,
            Answer::StreamHistory(id, wants.range, samples::history(300)),
        );
    }
    if let Some(id) = wants.client {
        answered(app, Answer::Client(id, samples::clients(1).pop()));
    }
    if let Some(of) = wants.log {
        answered(app, log_answer(of, true));
    }
    if app.data().events.len() == 0 {
        answered(app, Answer::Events(samples::events(40)));
    }
}

fn list_answer(want: ListWant) -> Answer {
    let identity = samples::identity();
    match want.table {
        Table::Streams => {
            let all = samples::streams(40);
            let streams = all
                .iter()
                .skip(want.start)
                .take(want.count)
                .cloned()
                .collect();
            let answer = StreamsAnswer {
                code: 0,
                identity,
                total: all.len(),
                streams,
            };
            Answer::Streams(want, answer)
        }
        Table::Clients => {
            let all = samples::clients(350);
            let clients = all
                .iter()
                .skip(want.start)
                .take(want.count)
                .cloned()
                .collect();
            let answer = ClientsAnswer {
                code: 0,
                identity,
                total: all.len(),
                clients,
            };
            Answer::Clients(want, answer)
        }
        Table::Vhosts => {
            let vhosts = samples::vhosts(5);
            let answer = VhostsAnswer {
                code: 0,
                identity,
                total: vhosts.len(),
                vhosts,
            };
            Answer::Vhosts(want, answer)
        }
        Table::Parts => {
            let parts = samples::parts();
            let answer = PartsAnswer {
                code: 0,
                identity,
                total: parts.len(),
                parts,
            };
            Answer::Parts(want, answer)
        }
        Table::Fleet | Table::Events | Table::Logs => Answer::Fleet(samples::fleet()),
    }
}

fn log_answer(of: LogWant, is_first: bool) -> Answer {
    Answer::Log {
        of,
        lines: samples::lines(30),
        is_first,
    }
}

fn key(code: KeyCode) -> Event {
    Event::Key(code.into())
}

fn control(c: char) -> Event {
    Event::Key(KeyEvent::new(KeyCode::Char(c), KeyModifiers::CONTROL))
}

/// Presses the keys of these characters; gives what is wanted because of them.
fn types(app: &mut App, text: &str) -> Vec<Effect> {
    let mut effects = Vec::new();
    for c in text.chars() {
        effects.extend(happens(app, key(KeyCode::Char(c))));
    }
    effects
}

/// The screen.
fn screen(app: &App) -> Buffer {
    let mut terminal = Terminal::new(TestBackend::new(app.size.0, app.size.1)).unwrap();
    terminal.draw(|frame| view::draw(app, frame)).unwrap();
    terminal.backend().buffer().clone()
}

/// The screen as text.
fn text(app: &App) -> String {
    view::as_text(app)
}
