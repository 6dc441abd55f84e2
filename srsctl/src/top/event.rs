//! What happens to the dashboard, and what it wants done about it.

use std::path::PathBuf;

use crossterm::event::{KeyEvent, MouseEvent};
use srs_api::{
    Answer as Envelope, Client, ClientsAnswer, Event as Told, History, HistoryRange, LogLine,
    PartsAnswer, Reload, ServersAnswer, Stream, StreamsAnswer, Summaries, VhostsAnswer,
};

use super::data::Server;
use super::wants::{ListWant, LogWant};
use crate::client::ServerAddr;

/// What happens.
#[derive(Debug)]
pub(crate) enum Event {
    Key(KeyEvent),
    Mouse(MouseEvent),
    Paste(String),
    /// The terminal has so many columns and rows.
    Resize(u16, u16),
    /// Time passes.
    Tick,
    /// A server has answered.
    Answer {
        /// Its place among those that are watched.
        server: usize,
        answer: Box<Answer>,
    },
    /// A server has not answered, or has refused something.
    Failed {
        server: usize,
        failure: Failure,
    },
    /// What became of something that was wanted.
    Outcome(Outcome),
}

/// What a server answered.
#[derive(Debug)]
pub(crate) enum Answer {
    Summaries(Envelope<Summaries>),
    History(HistoryRange, History),
    Streams(ListWant, StreamsAnswer),
    Clients(ListWant, ClientsAnswer),
    Vhosts(ListWant, VhostsAnswer),
    Parts(ListWant, PartsAnswer),
    Fleet(ServersAnswer),
    /// A stream that is looked at, by the id that was asked for; `None` if it is gone.
    Stream(String, Option<Stream>),
    StreamHistory(String, HistoryRange, History),
    /// A client, likewise.
    Client(String, Option<Client>),
    Events(Vec<Told>),
    /// Lines of a log; the first ones of it replace those of another.
    Log {
        of: LogWant,
        lines: Vec<LogLine>,
        is_first: bool,
    },
}

/// Why there is no answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Failure {
    /// The server is not reached.
    Down(String),
    /// It answers, but not this.
    Refused(String),
}

/// What became of something that was wanted. What was asked of a server by a dialog has the number
/// of the question, so that no other dialog takes the answer for its own.
#[derive(Debug)]
pub(crate) enum Outcome {
    /// Whom it concerns if clients are cut off.
    Impact {
        question: u64,
        result: Result<Impact, String>,
    },
    /// All rows that match, and how many there are.
    Marked {
        server: usize,
        want: ListWant,
        /// By id, with what stands for each in a question.
        rows: Vec<(String, String)>,
        total: usize,
    },
    /// Clients were cut off.
    Kicked {
        server: usize,
        /// What was marked for it.
        marked: Vec<String>,
        kicked: usize,
        gone: usize,
        failure: Option<String>,
    },
    /// What a reload would change, or has changed; or why not.
    Reload {
        question: u64,
        dry_run: bool,
        result: Result<Box<Reload>, String>,
    },
    /// Another server is watched from now on.
    Opened(Box<Server>),
    /// Something was done, and this is how to say it.
    Done(String),
    /// Something was not done, and this is why.
    Failed(String),
}

/// Whom it concerns if clients are cut off.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Impact {
    /// The clients.
    pub(crate) ids: Vec<String>,
    /// A line for each, or for several.
    pub(crate) lines: Vec<String>,
}

/// What is wanted.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Effect {
    /// To know whom it concerns if clients are cut off. Of a stream it is its publisher.
    Impact {
        server: usize,
        question: u64,
        ids: Vec<String>,
    },
    Kick {
        server: usize,
        /// Which life of the server the ids are of.
        life: String,
        ids: Vec<String>,
        /// What was marked for it.
        marked: Vec<String>,
    },
    /// To know all rows of a table.
    MarkAll {
        server: usize,
        want: ListWant,
    },
    Reload {
        server: usize,
        question: u64,
        /// Nothing is to be changed; the life of the server otherwise that was looked at.
        in_life: Option<String>,
    },
    /// To put text into the terminal's clipboard.
    Copy(String),
    /// To write everything that the server tells into a file.
    SnapshotJson {
        server: usize,
    },
    /// To write the screen into a file.
    SnapshotText(String),
    /// To watch another server.
    Open(Target),
    /// To remember how the user likes it.
    Remember(Preference),
    Redraw,
    Suspend,
    Quit,
}

/// A server to be watched.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Target {
    /// One of the settings, or an address: what the user has typed.
    Typed(String),
    /// What a heartbeat says. It gets no secret, unless the settings know its name.
    Heard { name: String, address: ServerAddr },
}

/// What is remembered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Preference {
    Theme(&'static str),
    /// The columns of the tables.
    Columns,
}

/// Where a snapshot goes.
pub(crate) fn snapshot_path(now_ms: i64, extension: &str) -> PathBuf {
    let time = crate::output::units::WallTime(now_ms).to_string();
    let time = time.replace([' ', ':'], "-");
    PathBuf::from(format!("srsctl-top-{time}.{extension}"))
}
