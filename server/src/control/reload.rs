//! Reload: another configuration is put in force while the server runs.
//!
//! Whoever wants it asks the [`Reloader`]; the server does it ([`crate::server`]), one at a time, in
//! a task of its own, so that an operator who hangs up does not stop it halfway. First everything
//! that can fail: the files are read and checked, sockets are bound, files are opened. Then what
//! cannot: the parts are told. What differs is found by comparing both configurations setting by
//! setting, and when each takes effect is said by a table ([`effects`]).

pub mod effects;

use std::error::Error;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use srs_api::{Effect, LogPlace, Reload, ReloadOutcome, RunningConfig};
use tokio::sync::{mpsc, oneshot};

use super::logging::MessageId;
use super::plural::plural;
use super::wall_clock;
use crate::config::{Config, Shown};

/// Takes in requests for a reload, and knows what became of the last.
#[derive(Debug)]
pub struct Reloader {
    /// To the server that fulfils them; `None` before there is one.
    requests: Mutex<Option<mpsc::Sender<Request>>>,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    last: Reload,
    running: Running,
}

/// The configuration in force, and where it came from.
#[derive(Clone, Debug)]
pub struct Running {
    /// The configuration.
    pub config: Arc<Config>,
    /// The files that it was read from.
    pub files: Vec<String>,
    /// Where lines go.
    pub log: LogPlace,
}

/// Somebody wants the configuration to be read again.
#[derive(Debug)]
pub struct Request {
    /// Only to know what would change.
    pub dry_run: bool,
    answer: oneshot::Sender<Reload>,
}

impl Request {
    /// Tells what became of it.
    pub fn answer(self, reload: Reload) {
        // Who asked may have gone.
        let _ = self.answer.send(reload);
    }
}

impl Reloader {
    /// For a server that begins with `config`.
    pub fn new(config: Arc<Config>) -> Self {
        Self {
            requests: Mutex::default(),
            state: Mutex::new(State {
                last: nothing_yet(),
                running: Running {
                    config,
                    files: Vec::new(),
                    log: LogPlace::Console,
                },
            }),
        }
    }

    /// Reads the configuration again and puts it in force; with `dry_run` only says what that would
    /// change. One at a time: others wait.
    ///
    /// Cancel-safe: what has begun goes on.
    pub async fn reload(&self, dry_run: bool) -> Reload {
        match self.ask(dry_run).await {
            Some(reload) => reload,
            None => Reload {
                error: Some("the server does not run".into()),
                ..self.begin(dry_run)
            },
        }
    }

    /// `None` if the server has not begun, or stops.
    async fn ask(&self, dry_run: bool) -> Option<Reload> {
        let requests = self.lock_requests().clone()?;
        let (answer, answered) = oneshot::channel();
        let request = Request { dry_run, answer };
        requests.send(request).await.ok()?;
        answered.await.ok()
    }

    /// The last reload.
    pub fn last(&self) -> Reload {
        self.lock().last.clone()
    }

    /// The files that the configuration in force was read from.
    pub fn files(&self) -> Vec<String> {
        self.lock().running.files.clone()
    }

    /// Where lines of the log go.
    pub fn log_place(&self) -> LogPlace {
        self.lock().running.log.clone()
    }

    /// The configuration in force, as the operator is shown it.
    pub fn running_config(&self) -> RunningConfig {
        let state = self.lock();
        let (running, generation) = (state.running.clone(), state.last.generation);
        drop(state);
        RunningConfig {
            files: running.files,
            generation,
            toml: running.config.to_toml(Shown::WithoutSecrets),
            log: running.log,
        }
    }

    /// The requests from now on, for the server to fulfil.
    pub(crate) fn take_requests(&self) -> mpsc::Receiver<Request> {
        let (requests, receiver) = mpsc::channel(WAITING);
        *self.lock_requests() = Some(requests);
        receiver
    }

    /// A reload that has failed until it is told to have succeeded.
    pub(crate) fn begin(&self, dry_run: bool) -> Reload {
        Reload {
            outcome: ReloadOutcome::Failed,
            dry_run,
            generation: self.lock().last.generation,
            time_ms: wall_clock::unix_millis(),
            took_ms: 0.0,
            files: Vec::new(),
            changes: Vec::new(),
            notes: Vec::new(),
            warnings: Vec::new(),
            error: None,
        }
    }

    /// Notes what is in force.
    pub(crate) fn set_running(&self, running: Running) {
        self.lock().running = running;
    }

    /// Notes what became of a reload.
    pub(crate) fn set_last(&self, reload: Reload) {
        self.lock().last = reload;
    }

    fn lock_requests(&self) -> MutexGuard<'_, Option<mpsc::Sender<Request>>> {
        self.requests.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // Whole at every point where a holder could panic.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn nothing_yet() -> Reload {
    Reload {
        outcome: ReloadOutcome::Never,
        dry_run: false,
        generation: 0,
        time_ms: 0,
        took_ms: 0.0,
        files: Vec::new(),
        changes: Vec::new(),
        notes: Vec::new(),
        warnings: Vec::new(),
        error: None,
    }
}

/// Tells the log of a reload that succeeded: one line about all, and one about each change, up to a
/// bound.
pub(crate) fn log_done(reload: &Reload) {
    let count = |effect| reload.changes.iter().filter(|c| c.effect == effect).count();
    tracing::info!(
        message_id = MessageId::ReloadDone.as_str(),
        generation = reload.generation,
        changes = reload.changes.len(),
        now = count(Effect::Now),
        new_sessions = count(Effect::NewSessions),
        restart = count(Effect::Restart),
        millis = Duration::from_secs_f64(reload.took_ms / 1e3).as_millis(),
        "reloaded the configuration"
    );
    for change in reload.changes.iter().take(LOGGED) {
        let effect = match change.effect {
            Effect::Now => "now",
            Effect::NewSessions => "for new sessions",
            Effect::Restart => "after a restart",
        };
        tracing::info!(
            old = change.old,
            new = change.new,
            effect,
            "changed {}",
            change.setting
        );
    }
    if let more @ 1.. = reload.changes.len().saturating_sub(LOGGED) {
        let more = plural(more, "more change");
        tracing::info!("and {more}; /api/v1/reload shows all");
    }
    for warning in &reload.warnings {
        tracing::warn!("{warning}");
    }
}

/// An error with its causes.
pub fn chain(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text.push_str(": ");
        text.push_str(&error.to_string());
        cause = error.source();
    }
    text
}

/// So many requests wait in line before one has to wait to get into it.
const WAITING: usize = 8;
/// So many changes are told in the log; a thousand vhosts may change at once.
const LOGGED: usize = 50;
