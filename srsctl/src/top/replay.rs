//! The dashboard without server and terminal: recorded answers go in, and screens are drawn into
//! memory. For `benches/top.rs`; nothing in the tool uses it.

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use ratatui::Terminal;
use ratatui::backend::TestBackend;
use serde::de::DeserializeOwned;
use srs_api::HistoryAnswer;

use super::app::{App, Liking};
use super::data::Server;
use super::event::{Answer, Event};
use super::page::Table;
use super::view;
use super::wants::ListWant;

/// A dashboard of one server, which answers as was recorded.
#[derive(Debug)]
pub struct Replay {
    app: App,
    terminal: Terminal<TestBackend>,
    now_ms: i64,
}

/// Which question was answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Question {
    /// `/api/v1/summaries`
    Summaries,
    /// `/api/v1/history`
    History,
    /// `/api/v1/streams`
    Streams,
    /// `/api/v1/clients`
    Clients,
    /// `/api/v1/vhosts`
    Vhosts,
    /// `/api/v1/events`: an event on each line.
    Events,
}

impl Replay {
    /// The dashboard on a terminal of `width` columns and `height` rows, at this time in Unix
    /// milliseconds.
    #[must_use]
    pub fn new(width: u16, height: u16, now_ms: i64) -> Self {
        let size = (width, height);
        // It writes into memory, which does not fail.
        let Ok(terminal) = Terminal::new(TestBackend::new(width, height));
        Self {
            app: App::new(vec![Server::default()], &Liking::default(), size, now_ms),
            terminal,
            now_ms,
        }
    }

    /// Types a command, as in `clients ^192`.
    pub fn command(&mut self, command: &str) {
        let typed = format!(":{command}");
        let codes = typed.chars().map(KeyCode::Char).chain([KeyCode::Enter]);
        for code in codes {
            let key = KeyEvent::new(code, KeyModifiers::NONE);
            self.app.update(Event::Key(key), self.now_ms);
        }
    }

    /// The first row that the dashboard asks for, and how many, where it asks for a part.
    #[must_use]
    pub fn window(&self) -> (usize, usize) {
        let want = self.app.list_want();
        want.map_or((0, 0), |want| (want.start, want.count))
    }

    /// Parses an answer, takes it in, and lets a millisecond pass.
    ///
    /// # Errors
    /// It is no such answer.
    pub fn update(&mut self, question: Question, json: &str) -> Result<(), serde_json::Error> {
        let want = |table| {
            let want = self.app.list_want().filter(|want| want.table == table);
            want.unwrap_or_else(|| ListWant::new(table))
        };
        let answer = match question {
            Question::Summaries => Answer::Summaries(parse(json)?),
            Question::History => {
                let answer: HistoryAnswer = parse(json)?;
                Answer::History(self.app.range, answer.history)
            }
            Question::Streams => Answer::Streams(want(Table::Streams), parse(json)?),
            Question::Clients => Answer::Clients(want(Table::Clients), parse(json)?),
            Question::Vhosts => Answer::Vhosts(want(Table::Vhosts), parse(json)?),
            Question::Events => {
                let events = json.lines().map(parse).collect::<Result<_, _>>()?;
                Answer::Events(events)
            }
        };
        self.now_ms += 1;
        let answer = Box::new(answer);
        self.app
            .update(Event::Answer { server: 0, answer }, self.now_ms);
        Ok(())
    }

    /// Draws the screen.
    pub fn draw(&mut self) {
        let Ok(_) = self.terminal.draw(|frame| view::draw(&self.app, frame));
    }

    /// The screen as text.
    #[must_use]
    pub fn screen(&self) -> String {
        view::as_text(&self.app)
    }
}

fn parse<T: DeserializeOwned>(json: &str) -> Result<T, serde_json::Error> {
    serde_json::from_str(json)
}
