//! The parts that a reload changes, and the task that does it.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use srs_api::{EventKind, LogPlace, Reload, ReloadOutcome};
use tokio::sync::mpsc;
use tokio::time::timeout;

use super::{Room, StartError, room};
use crate::config::{Config, DEFAULT_PATH, FilePath, Loaded, Source, VhostName};
use crate::control::clients::{Client, Ending};
use crate::control::logging::{LogChange, LogError, LogHandle, MessageId};
use crate::control::manager;
use crate::control::pid_file::PidFile;
use crate::control::plural::plural;
use crate::control::reload::{self, Request, Running, effects};
use crate::hub::StreamSettings;
use crate::listen::ListenError;
use crate::listen::sockets::{Leaving, Moved, Prepared, Sockets};
use crate::service::Service;

/// Owns what a reload changes.
#[derive(Debug)]
pub(super) struct Parts {
    pub(super) service: Arc<Service>,
    pub(super) source: Option<Source>,
    pub(super) log: Option<LogHandle>,
    /// Held while the server runs, removed when it is dropped.
    pub(super) pid_file: Option<PidFile>,
    pub(super) sockets: Sockets,
}

/// Everything that could fail has been done for it.
struct Ready {
    config: Arc<Config>,
    room: Room,
    log: Option<LogChange>,
    pid_file: NextPidFile,
    sockets: Prepared,
}

enum NextPidFile {
    Same,
    Other(PidFile),
    Without,
}

/// Why a configuration is not put in force.
#[derive(Debug, thiserror::Error)]
enum ReloadError {
    #[error("this server was started without a configuration that could be read again")]
    NoSource,
    /// A start without it is one with the built-in settings, which nobody wants who had others.
    #[error("{DEFAULT_PATH} is gone; an empty file would stand for the built-in settings")]
    Gone,
    #[error(transparent)]
    Config(#[from] crate::config::Error),
    /// A pipe that nobody writes into, a disk that hangs. The thread that reads is left to it.
    #[error("the configuration could not be read within {READ_WITHIN:?}")]
    Slow,
    #[error("a part of the reload panicked, please report this")]
    Panicked(#[from] tokio::task::JoinError),
    #[error(transparent)]
    Log(#[from] LogError),
    #[error(transparent)]
    Start(#[from] StartError),
}

impl ReloadError {
    /// A line for each thing that is wrong.
    fn lines(&self) -> Vec<String> {
        match self {
            Self::Config(error) => error.lines(),
            error => vec![reload::chain(error)],
        }
    }
}

impl Parts {
    /// Fulfils requests until the server stops, one after the other.
    pub(super) async fn run(mut self, mut requests: mpsc::Receiver<Request>) -> Self {
        let service = Arc::clone(&self.service);
        // A reload that has begun is short, and is not left halfway.
        while let Some(Some(request)) = service.stop.run_until_cancelled(requests.recv()).await {
            let reload = self.reload(request.dry_run).await;
            request.answer(reload);
        }
        self.sockets.close(&service);
        self
    }

    /// Notes for whoever asks what is in force.
    pub(super) fn tell_running(&self, config: Arc<Config>, files: Vec<String>) {
        let log = self
            .log
            .as_ref()
            .map_or(LogPlace::Console, LogHandle::place);
        self.service
            .reloader
            .set_running(Running { config, files, log });
    }

    async fn reload(&mut self, dry_run: bool) -> Reload {
        let began = Instant::now();
        let manager = self.service.manager.clone();
        if !dry_run {
            manager.reloading();
        }
        let mut reload = self.service.reloader.begin(dry_run);
        let mut mistakes = Vec::new();
        let result = self.try_reload(&mut reload).await;
        reload.took_ms = began.elapsed().as_secs_f64() * 1e3;
        match result {
            Ok(()) => reload.outcome = ReloadOutcome::Done,
            Err(error) => {
                reload.changes.clear();
                reload.notes.clear();
                reload.error = Some(reload::chain(&error));
                mistakes = error.lines();
            }
        }
        if !dry_run {
            self.tell(&mut reload, &mistakes);
            // A server that stops meanwhile has said so.
            if !self.service.stop.is_cancelled() {
                manager.ready(&manager::status(&self.service));
            }
        }
        reload
    }

    /// Tells the log, those who watch events, and those who ask later. The log has an entry for each
    /// of the `mistakes`, without the lines of the files that the others see.
    fn tell(&self, reload: &mut Reload, mistakes: &[String]) {
        let events = &self.service.events;
        if let Some(error) = &reload.error {
            let (first, others) = mistakes.split_first().unwrap_or((error, &[]));
            tracing::error!(
                message_id = MessageId::ReloadFailed.as_str(),
                "the configuration was not reloaded, nothing is changed: {first}"
            );
            for mistake in others {
                tracing::error!("{mistake}");
            }
            events.tell(EventKind::ReloadFailed, |event| {
                event.message.clone_from(error)
            });
        } else {
            reload.generation += 1;
            reload::log_done(reload);
            let count = reload.changes.len();
            events.tell(EventKind::Reload, |event| {
                event.message = plural(count, "change");
            });
        }
        self.service.reloader.set_last(reload.clone());
    }

    async fn try_reload(&mut self, reload: &mut Reload) -> Result<(), ReloadError> {
        let source = self.source.clone().ok_or(ReloadError::NoSource)?;
        let old = self.service.config();
        // Files may lie on a disk that sleeps.
        let read = tokio::task::spawn_blocking(move || {
            let loaded = source.load()?;
            let changes = effects::changes(&old, &loaded.config);
            Ok::<_, crate::config::Error>((loaded, changes))
        });
        let (loaded, changes) = timeout(READ_WITHIN, read)
            .await
            .map_err(|_| ReloadError::Slow)???;
        let Loaded {
            config,
            files,
            warnings,
        } = loaded;
        let files = shown(&files);
        let is_gone = |file: &str| {
            let before = self.service.reloader.files();
            before.iter().any(|known| known == file) && !files.iter().any(|read| read == file)
        };
        if is_gone(DEFAULT_PATH) {
            return Err(ReloadError::Gone);
        }
        reload.changes = changes;
        reload.files = files;
        reload.warnings = warnings;
        reload.warnings.extend(self.sockets.warnings(&config));
        if reload.dry_run {
            let moved = self.sockets.plan(&self.sockets.wanted(&config));
            reload.notes = notes(&moved, ["would open", "would close"]);
            for vhost in vhosts_gone(&self.service.config(), &config) {
                let count = clients_of(&self.service, vhost).count();
                if count > 0 {
                    reload
                        .notes
                        .push(note_of_clients("would end", count, vhost));
                }
            }
            return Ok(());
        }
        let mut ready = self.prepare(Arc::new(config)).await?;
        reload.warnings.extend(ready.room.warning.clone());
        self.move_log(ready.log.take()).await;
        let (notes, leaving) = self.commit(ready, reload.files.clone());
        reload.notes = notes;
        leaving.close().await;
        Ok(())
    }

    /// Does everything that can fail, and changes nothing that anybody could notice.
    async fn prepare(&mut self, config: Arc<Config>) -> Result<Ready, ReloadError> {
        let room = room(&config).map_err(StartError::from)?;
        let old = self.service.config();
        let log = match &self.log {
            Some(log) if old.log != config.log => {
                let (log, config) = (log.clone(), Arc::clone(&config));
                let prepared = tokio::task::spawn_blocking(move || log.prepare(&config.log));
                Some(prepared.await??)
            }
            _ => None,
        };
        let pid_file = self.prepare_pid_file(config.pid.as_ref())?;
        // The last: an address may have to be closed to make room for another.
        let wanted = self.sockets.wanted(&config);
        let sockets = self.sockets.prepare(&self.service, wanted).await;
        let sockets = sockets.map_err(|error: ListenError| StartError::from(error))?;
        Ok(Ready {
            config,
            room,
            log,
            pid_file,
            sockets,
        })
    }

    fn prepare_pid_file(&self, path: Option<&FilePath>) -> Result<NextPidFile, StartError> {
        let Some(path) = path else {
            return Ok(NextPidFile::Without);
        };
        let is_ours = |file: &PidFile| file.is_at(path.as_path());
        if self.pid_file.as_ref().is_some_and(is_ours) {
            return Ok(NextPidFile::Same);
        }
        Ok(NextPidFile::Other(PidFile::create(path.as_path())?))
    }

    /// Puts the log's part in force, which waits for a disk.
    async fn move_log(&self, change: Option<LogChange>) {
        if let (Some(log), Some(change)) = (self.log.clone(), change) {
            // Of a panic the log tells.
            let _ = tokio::task::spawn_blocking(move || log.commit(change)).await;
        }
    }

    /// Puts the rest in force, which cannot fail; gives notes about what had to be done.
    fn commit(&mut self, ready: Ready, files: Vec<String>) -> (Vec<String>, Leaving) {
        let service = Arc::clone(&self.service);
        let old = service.config();
        let config = ready.config;
        match ready.pid_file {
            NextPidFile::Same => {}
            NextPidFile::Other(file) => self.pid_file = Some(file),
            NextPidFile::Without => self.pid_file = None,
        }
        service.set_config(Arc::clone(&config), ready.room.connections);
        // Only now, so that whoever comes in by a new address is served by the new configuration.
        let (moved, leaving) = self.sockets.commit(&service, ready.sockets);
        apply_stream_settings(&service, &old, &config);
        let mut notes = notes(&moved, ["opened", "closed"]);
        for vhost in vhosts_gone(&old, &config) {
            let clients = clients_of(&service, vhost);
            let ended = clients.filter(|client| client.end(Ending::VhostRemoved));
            let count = ended.count();
            if count > 0 {
                let note = note_of_clients("ended", count, vhost);
                tracing::info!("{note}");
                notes.push(note);
            }
        }
        // Those whose clients are about to go have their accounts until the next reload.
        service
            .clients
            .retain_vhosts(|name| serves(&old, name) || serves(&config, name));
        self.tell_running(config, files);
        (notes, leaving)
    }
}

/// Streams have settings, which no session keeps for them.
fn apply_stream_settings(service: &Service, old: &Config, new: &Config) {
    for stream in service.hub.streams() {
        let vhost = &stream.name().vhost;
        let (name, new_vhost) = new.vhost(vhost);
        if name != vhost {
            // Its vhost is gone, and its clients are about to go.
            continue;
        }
        let settings = StreamSettings::of(new, new_vhost);
        let (_, old_vhost) = old.vhost(vhost);
        if settings != StreamSettings::of(old, old_vhost) {
            stream.apply(&settings);
        }
    }
}

/// The vhosts that `old` serves and `new` does not.
fn vhosts_gone<'a>(old: &'a Config, new: &Config) -> impl Iterator<Item = &'a str> {
    let default = (!old.vhosts.contains_key(VhostName::DEFAULT)).then_some(VhostName::DEFAULT);
    let names = old.vhosts.keys().map(VhostName::as_str).chain(default);
    names.filter(|name| serves(old, name) && !serves(new, name))
}

/// Whether clients that ask for the vhost `name` get it, and no other.
fn serves(config: &Config, name: &str) -> bool {
    let (served, vhost) = config.vhost(name);
    served == name && vhost.enabled
}

/// The clients of a vhost.
fn clients_of(service: &Service, vhost: &str) -> impl Iterator<Item = Arc<Client>> {
    let clients = service.clients.list().into_iter();
    clients.filter(move |client| client.is_of(vhost))
}

/// Tells that clients go with their vhost; `verb` is what becomes of them.
fn note_of_clients(verb: &str, count: usize, vhost: &str) -> String {
    let clients = plural(count, "client");
    format!("{verb} {clients} of vhost {vhost}, which is gone")
}

/// The names of files, as whoever is in another folder needs them.
pub(super) fn shown(files: &[PathBuf]) -> Vec<String> {
    let absolute = |file: &PathBuf| std::path::absolute(file).unwrap_or_else(|_| file.clone());
    files
        .iter()
        .map(|file| absolute(file).display().to_string())
        .collect()
}

/// What has become of addresses; `opened` and `closed` are the verbs.
fn notes(moved: &Moved, [opened, closed]: [&str; 2]) -> Vec<String> {
    let new = moved.opened.iter().map(|place| format!("{opened} {place}"));
    let gone = moved.closed.iter().map(|place| format!("{closed} {place}"));
    new.chain(gone).collect()
}

/// How long reading the configuration may take: a local disk needs milliseconds, one that must spin up
/// some seconds.
pub const READ_WITHIN: Duration = Duration::from_secs(10);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_vhost_is_gone_when_its_clients_would_be_refused_or_fall_to_another() {
        let cases: [(&str, &str, &[&str]); 8] = [
            ("", "[vhost.a]", &[]),
            ("[vhost.a]", "", &["a"]),
            ("[vhost.a]", "[vhost.a]\nenabled = false", &["a"]),
            ("[vhost.a]\nenabled = false", "", &[]),
            ("[vhost.a]\n[vhost.b]", "[vhost.b]\natc = true", &["a"]),
            ("", "[vhost.__defaultVhost__]\natc = true", &[]),
            (
                "",
                "[vhost.__defaultVhost__]\nenabled = false",
                &["__defaultVhost__"],
            ),
            ("[vhost.__defaultVhost__]\natc = true", "", &[]),
        ];
        for (old, new, expected) in cases {
            let [from, to] = [old, new].map(|text| Config::parse(text, "test").expect("a config"));
            let gone: Vec<&str> = vhosts_gone(&from, &to).collect();
            assert_eq!(gone, expected, "from {old:?} to {new:?}");
        }
    }
}
