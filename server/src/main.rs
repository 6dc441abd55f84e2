//! `srs`: reads the configuration, serves until a signal ends it.
#![forbid(unsafe_code)]

use std::convert::Infallible;
use std::io::{self, Write as _};
use std::path::PathBuf;
use std::process::{ExitCode, exit};
use std::thread;
use std::time::Duration;

use anyhow::Context as _;
use clap::Parser;
use srs::Server;
use srs::config::{Error as ConfigError, Loaded, Source};
use srs::control::logging::{self, LogHandle, MessageId};
use srs::control::manager::Manager;
use srs::control::service_user;
use srs::listen::passed::{self, Passed, PassedError};
use srs::server::{READ_WITHIN, Start};
use tikv_jemallocator::Jemalloc;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::oneshot;

/// Gives memory back when streams end, which glibc's allocator does not: after 300 streams of
/// 2 Mbit/s it kept 101 of 105 MB, this one 30 of 121. It also takes publishers in at a tenth less.
#[global_allocator]
static ALLOCATOR: Jemalloc = Jemalloc;

/// Live streaming server: takes RTMP from encoders and gives it to players.
#[derive(Debug, Parser)]
#[command(version, about, after_help = "See srs(8) and srs.toml(5).")]
struct Arguments {
    /// The configuration file [default: /etc/srs/srs.toml if it exists, else built-in defaults]
    #[arg(short, long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Take settings from the environment, too: SRS_LISTEN, SRS_HTTP_API_LISTEN and so on
    #[arg(short, long)]
    env: bool,
    /// Check the configuration and exit: 0 if it is right, 1 with the reasons if not
    #[arg(short, long)]
    test: bool,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let mut log = None;
    // Before there are threads, of which the manager has one.
    let passed = passed::from_environment();
    let (manager, is_told) = match Manager::from_environment() {
        Ok(manager) => (manager, Ok(())),
        Err(error) => (Manager::nobody(), Err(error)),
    };
    let result = is_told
        .context("starting the thread that tells systemd how the server goes")
        .and_then(|()| run(&arguments, passed, &manager, &mut log));
    match result {
        Ok(()) => {
            if let Some(log) = &log {
                log.flush();
            }
            manager.flush();
            ExitCode::SUCCESS
        }
        Err(error) => {
            // Standard error may be where its last lines are on their way to.
            if let Some(log) = &log {
                log.flush();
            }
            // If standard error is gone there is nobody left to tell.
            let say = || drop(writeln!(io::stderr(), "srs: {error:#}"));
            if arguments.test {
                say();
                return ExitCode::FAILURE;
            }
            let not_valid = error.downcast_ref::<NotValid>();
            let reason = not_valid.map_or_else(|| format!("{error:#}"), NotValid::lines);
            if !logging::tell_end(log.as_ref(), not_valid.is_some(), &reason) {
                say();
            }
            let first = reason.lines().next().unwrap_or_default();
            manager.status(&format!("cannot start: {first}"));
            manager.flush();
            match not_valid {
                Some(_) => ExitCode::from(EXIT_CONFIG),
                None => ExitCode::FAILURE,
            }
        }
    }
}

/// The configuration is wrong: a page with a line for each mistake, or one sentence.
#[derive(Debug, thiserror::Error)]
enum NotValid {
    #[error("the configuration is not valid\n{0}")]
    Mistakes(ConfigError),
    #[error(transparent)]
    Other(ConfigError),
}

impl NotValid {
    fn new(error: ConfigError) -> Self {
        match error {
            ConfigError::Invalid { .. } | ConfigError::Several { .. } => Self::Mistakes(error),
            error => Self::Other(error),
        }
    }

    /// Place and reason of each mistake, a line for each.
    fn lines(&self) -> String {
        let (Self::Mistakes(error) | Self::Other(error)) = self;
        error.lines().join("\n")
    }
}

fn run(
    arguments: &Arguments,
    passed: Result<Vec<Passed>, PassedError>,
    manager: &Manager,
    log: &mut Option<LogHandle>,
) -> anyhow::Result<()> {
    let passed = passed?;
    let mut source = Source::of_file(arguments.config.clone());
    if arguments.env {
        source = source.with_environment();
    }
    if arguments.test {
        end_if_it_hangs();
    }
    let loaded = source.load().map_err(NotValid::new)?;
    if arguments.test {
        let otherwise = if arguments.env {
            "the environment"
        } else {
            "the built-in configuration"
        };
        return tell_valid(&loaded, otherwise).context("writing the result");
    }
    let log = log.insert(logging::init(&loaded.config.log)?);
    log_panics();
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .context("starting the runtime")?;
    let start = Start {
        loaded,
        source: Some(source),
        log: Some(log.clone()),
        passed,
        manager: manager.clone(),
    };
    let result = runtime.block_on(serve(start, log));
    // Whoever did not end in time does not hold up the end of the process either.
    runtime.shutdown_timeout(LAST_GRACE);
    result
}

/// Ends the process when reading the configuration takes too long, as from a pipe that nobody writes
/// into. Whoever asks may be the script of a package, with nobody there to interrupt
/// it; and there timeout(1) hangs itself, for rpm 4.14 runs scripts with SIGCHLD blocked.
fn end_if_it_hangs() {
    let watch = || {
        thread::sleep(READ_WITHIN);
        // If standard error is gone there is nobody left to tell.
        let _ = writeln!(
            io::stderr(),
            "srs: the configuration could not be read within {READ_WITHIN:?}"
        );
        exit(1);
    };
    // Without a thread it is asked without a bound, as anybody can who is there.
    let _ = thread::Builder::new().spawn(watch);
}

/// Says that the configuration is right, and what is worth knowing of it; `otherwise` is what it is
/// called where it came from no file.
fn tell_valid(loaded: &Loaded, otherwise: &str) -> io::Result<()> {
    let hidden = service_user::hidden_files(&loaded.files);
    for warning in loaded.warnings.iter().chain(&hidden) {
        writeln!(io::stderr(), "srs: warning: {warning}")?;
    }
    let files = loaded.files.iter().map(|file| file.display().to_string());
    let mut names = files.collect::<Vec<_>>().join(", ");
    if names.is_empty() {
        names.push_str(otherwise);
    }
    writeln!(io::stdout(), "{names}: valid")
}

/// A panic costs the one task that it happens in; the log must tell of it like of anything else.
fn log_panics() {
    std::panic::set_hook(Box::new(|panic| {
        let place = panic
            .location()
            .map(ToString::to_string)
            .unwrap_or_default();
        let message = panic.payload_as_str().unwrap_or("without a message");
        // What writes the log must not go round in circles.
        if logging::is_writer() {
            let _ = writeln!(
                io::stderr(),
                "srs: writing the log panicked at {place}: {message}"
            );
            return;
        }
        tracing::error!(
            message_id = MessageId::TaskPanicked.as_str(),
            place,
            "a task panicked, please report this: {message}"
        );
    }));
}

async fn serve(start: Start, log: &LogHandle) -> anyhow::Result<()> {
    // Before the first client comes, so that no signal finds its default action, which is death.
    let signals = Signals::install().context("installing signal handlers")?;
    tracing::info!(
        message_id = MessageId::Start.as_str(),
        "srs {} starts",
        env!("CARGO_PKG_VERSION")
    );
    let server = Server::start_from(start)?;
    obey(signals, &server, log).await;
    server.stop().await;
    Ok(())
}

/// Does what signals ask for, until one asks for the end.
async fn obey(signals: Signals, server: &Server, log: &LogHandle) {
    let Signals {
        mut terminate,
        mut interrupt,
        user1,
        hangup,
    } = signals;
    // Beside each other: neither a reload nor a disk that hangs holds up the end.
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
        never = reload_at(hangup, server) => match never {},
        never = reopen_at(user1, log) => match never {},
    }
}

/// Opens the log file again at each SIGUSR1, for ever. Those that come while it opens are one further
/// time.
async fn reopen_at(mut user1: Signal, log: &LogHandle) -> Infallible {
    loop {
        if user1.recv().await.is_none() {
            // The runtime ends.
            return std::future::pending().await;
        }
        let (log, (done, is_done)) = (log.clone(), oneshot::channel::<()>());
        let reopen = move || {
            reopen(&log);
            drop(done);
        };
        // Not tokio's, which panic where there is none to be had.
        match thread::Builder::new().name("reopen".into()).spawn(reopen) {
            Ok(_) => drop(is_done.await),
            Err(error) => {
                tracing::error!("cannot open the log file again, for want of a thread: {error}");
            }
        }
    }
}

/// Opens the log file again, which logrotate(8) has renamed.
fn reopen(log: &LogHandle) {
    match log.reopen() {
        Ok(Some(path)) => tracing::info!("reopened the log file {}", path.display()),
        Ok(None) => tracing::info!("SIGUSR1: no log file is in use"),
        Err(error) => tracing::error!("{:#}", anyhow::Error::from(error)),
    }
}

/// Reloads at each SIGHUP, for ever. Those that come during a reload are one further reload.
async fn reload_at(mut hangup: Signal, server: &Server) -> Infallible {
    loop {
        if hangup.recv().await.is_none() {
            // The runtime ends.
            return std::future::pending().await;
        }
        tracing::debug!("SIGHUP: reloading the configuration");
        // What became of it is in the log.
        server.service().reloader.reload(false).await;
    }
}

/// `EX_CONFIG` of sysexits(3), which systemd shows as such. Whoever would start us again at any other
/// failure (`RestartPreventExitStatus=`) knows by it that it would be in vain.
const EXIT_CONFIG: u8 = 78;
/// What tasks that missed the stop have left.
const LAST_GRACE: Duration = Duration::from_millis(200);

struct Signals {
    terminate: Signal,
    interrupt: Signal,
    user1: Signal,
    hangup: Signal,
}

impl Signals {
    fn install() -> io::Result<Self> {
        Ok(Self {
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
            user1: signal(SignalKind::user_defined1())?,
            hangup: signal(SignalKind::hangup())?,
        })
    }
}
