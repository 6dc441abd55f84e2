//! What the state wants, done: questions to servers, files, the clipboard.

use std::sync::Arc;
use std::time::Duration;

use super::Dashboard;
use crate::cli::ApiOptions;
use crate::client::{Client, ServerAddr};
use crate::command::Error;
use crate::command::session::{self, Opened};
use crate::output::units::now_ms;
use crate::settings::{self, Settings};
use crate::top::app::App;
use crate::top::event::{Effect, Event, Outcome, Preference, Target, snapshot_path};
use crate::top::snapshot::Snapshot;
use crate::top::{effects, page, poll, server_of};

impl Dashboard {
    pub(super) fn perform(&mut self, effect: Effect) -> Result<(), Error> {
        match effect {
            Effect::Impact {
                server,
                question,
                ids,
            } => {
                self.ask(server, |client| async move {
                    let result = effects::impact(&client, &ids).await;
                    Outcome::Impact { question, result }
                });
            }
            Effect::Kick {
                server,
                life,
                ids,
                marked,
            } => {
                self.ask(server, |client| async move {
                    let (kicked, gone, failure) = effects::kick(&client, &life, ids).await;
                    Outcome::Kicked {
                        server,
                        marked,
                        kicked,
                        gone,
                        failure,
                    }
                });
            }
            Effect::MarkAll { server, want } => {
                self.ask(server, |client| async move {
                    effects::mark_all(&client, server, want).await
                });
            }
            Effect::Reload {
                server,
                question,
                in_life,
            } => {
                self.ask(server, |client| async move {
                    let result = effects::reload(&client, in_life.as_deref()).await;
                    Outcome::Reload {
                        question,
                        dry_run: in_life.is_none(),
                        result,
                    }
                });
            }
            Effect::Copy(text) => {
                self.screen.copy(&text).map_err(Error::stdout)?;
                self.say(Outcome::Done(format!(
                    "sent to the terminal's clipboard: {text}"
                )));
            }
            Effect::SnapshotJson { server } => {
                let name = self
                    .app
                    .servers
                    .get(server)
                    .map(|server| server.name.clone());
                let name = name.unwrap_or_default();
                self.ask(server, |client| async move {
                    let now = now_ms();
                    match Snapshot::take(&client, &name, SNAPSHOT, now).await {
                        Ok(snapshot) => {
                            blocking(move || {
                                let text = serde_json::to_string_pretty(&snapshot);
                                let text = text.unwrap_or_default() + "\n";
                                effects::write(&snapshot_path(now, "json"), &text)
                            })
                            .await
                        }
                        Err(error) => Outcome::Failed(poll::chain(&error)),
                    }
                });
            }
            Effect::SnapshotText(text) => {
                let path = snapshot_path(now_ms(), "txt");
                self.tell(blocking(move || effects::write(&path, &text)));
            }
            Effect::Open(target) => self.open(target),
            Effect::Remember(preference) => self.remember(preference),
            Effect::Redraw => self.screen.forget().map_err(Error::stdout)?,
            Effect::Suspend => self.suspend()?,
            Effect::Quit => self.is_over = true,
        }
        Ok(())
    }

    /// Has a task do something with a server, and tell what became of it.
    fn ask<F>(&mut self, server: usize, task: impl FnOnce(Client) -> F)
    where
        F: Future<Output = Outcome> + Send + 'static,
    {
        if let Some(client) = self.clients.get(server).cloned() {
            self.tell(task(client));
        }
    }

    /// Has a task do something, and tell what became of it.
    fn tell(&mut self, task: impl Future<Output = Outcome> + Send + 'static) {
        let events = self.events.clone();
        self.tasks.spawn(async move {
            // Nobody listens once the dashboard ends.
            let _ = events.send(Event::Outcome(task.await)).await;
        });
    }

    /// Writes what the user likes into the settings: in the order in which he said so.
    fn remember(&mut self, preference: Preference) {
        let key = preference.key();
        let value = preference.value(&self.app);
        let (events, turn) = (self.events.clone(), Arc::clone(&self.saving));
        self.saves.spawn(async move {
            let _turn = turn.lock().await;
            let saved = blocking(move || settings::save_top(&[(key, value)])).await;
            if let Err(error) = saved {
                let path = Settings::path();
                let text = format!("not remembered in {}: {error}", path.display());
                let _ = events.send(Event::Outcome(Outcome::Failed(text))).await;
            }
        });
    }

    pub(super) fn say(&mut self, outcome: Outcome) {
        // It asks for nothing.
        let _ = self.app.update(Event::Outcome(outcome), now_ms());
    }

    /// Watches another server.
    fn open(&mut self, target: Target) {
        let options = self.api.clone();
        let (events, newcomers) = (self.events.clone(), self.newcomers.0.clone());
        self.tasks.spawn(async move {
            let (opened, is_heard) = match target {
                Target::Typed(name) => (session::open_named(&options, &name).await, false),
                Target::Heard { name, address } => {
                    (open_heard(&options, name, address).await, true)
                }
            };
            // Nobody listens once the dashboard ends.
            match opened {
                Ok(opened) => {
                    if let Some(warning) = &opened.warning {
                        let outcome = Outcome::Failed(warning.to_string());
                        let _ = events.send(Event::Outcome(outcome)).await;
                    }
                    let mut server = server_of(&opened);
                    server.is_heard = is_heard;
                    let newcomer = (Box::new(server), opened.client);
                    let _ = newcomers.send(newcomer).await;
                }
                Err(error) => {
                    let outcome = Outcome::Failed(poll::chain(&error));
                    let _ = events.send(Event::Outcome(outcome)).await;
                }
            }
        });
    }
}

/// Opens a server that a heartbeat told of. Who sends heartbeats need not be known, so it gets no
/// secret, unless the settings have its name.
async fn open_heard(
    options: &ApiOptions,
    name: String,
    address: ServerAddr,
) -> Result<Opened, Error> {
    if Settings::load()?.servers.contains_key(&name) {
        return session::open_named(options, &name).await;
    }
    let read_only = options.read_only.then(|| "--read-only".to_owned());
    let client = Client::open(Some(address), None, UNNAMED).await?;
    Ok(Opened {
        read_only: read_only.is_some(),
        client: client.read_only(read_only),
        name,
        rtmp: None,
        warning: None,
    })
}

impl Preference {
    /// The key of the settings.
    fn key(&self) -> &'static str {
        match self {
            Self::Theme(_) => "theme",
            Self::Columns => "columns",
        }
    }

    fn value(&self, app: &App) -> toml::Value {
        match self {
            Self::Theme(name) => (*name).into(),
            Self::Columns => {
                let own = page::Table::ALL
                    .into_iter()
                    .filter(|table| app.has_own_columns(*table));
                let columns = |table| app.columns(table).iter().map(|key| toml::Value::from(*key));
                let tables = own.map(|table| {
                    let columns = toml::Value::Array(columns(table).collect());
                    (table.name().to_owned(), columns)
                });
                toml::Value::Table(tables.collect())
            }
        }
    }
}

/// Does what may take long elsewhere: keys are answered meanwhile.
async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    match tokio::task::spawn_blocking(work).await {
        Ok(result) => result,
        // Nobody cancels it.
        Err(error) => std::panic::resume_unwind(error.into_panic()),
    }
}

/// So much of each list is in a snapshot that a key writes.
const SNAPSHOT: usize = 10_000;
/// How long a server may take that nobody has named.
const UNNAMED: Duration = Duration::from_secs(5);
