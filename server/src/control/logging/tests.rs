//! Logging as a whole: subscriber, spans, files and the handle that changes them.

use std::error::Error as _;
use std::fs;
use std::net::SocketAddr;
use std::os::unix::net::UnixDatagram;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::RecvTimeoutError;
use std::sync::{LazyLock, Mutex, mpsc};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use tempfile::TempDir;
use tracing::field::{Field, Visit};
use tracing::span::{Id, Record};
use tracing::subscriber::NoSubscriber;
use tracing::{Dispatch, Event, debug, dispatcher, info, warn};
use tracing_subscriber::layer::Context;

use super::journal::{NoSpans, writer_of};
use super::*;
use crate::config::{FilePath, LogFormat};

/// A configuration that logs to `name` in a folder of its own.
fn file_config(name: &str) -> (TempDir, LogConfig) {
    let folder = tempfile::tempdir().unwrap();
    let config = LogConfig {
        target: LogTarget::File,
        file: file_path(&folder, name),
        ..LogConfig::default()
    };
    (folder, config)
}

fn file_path(folder: &TempDir, name: &str) -> FilePath {
    FilePath::new(folder.path().join(name).to_str().unwrap()).unwrap()
}

/// The lines that `handle` has had written to `path`, behind the brackets of time, level and process.
fn lines(handle: &LogHandle, path: impl AsRef<Path>) -> Vec<String> {
    let pid = format!("[{}]", std::process::id());
    let text = text(handle, path);
    text.lines()
        .map(|line| line.split_once(&pid).unwrap().1.to_owned())
        .collect()
}

/// Runs `act` with its events going to `subscriber`.
///
/// While a process has one dispatcher only, tracing takes whichever thread changes a level, or calls
/// a place in the code for the first time, for one that has it; one that has not turns all events off,
/// those of another test among them. So two are always there, which want nothing.
fn with_default<T>(subscriber: impl Into<Dispatch>, act: impl FnOnce() -> T) -> T {
    static OTHERS: LazyLock<[Dispatch; 2]> =
        LazyLock::new(|| [(); 2].map(|()| Dispatch::new(NoSubscriber::new())));
    LazyLock::force(&OTHERS);
    dispatcher::with_default(&subscriber.into(), act)
}

/// What `handle` has had written to `path`.
fn text(handle: &LogHandle, path: impl AsRef<Path>) -> String {
    handle.flush();
    fs::read_to_string(path).unwrap()
}

fn peer() -> SocketAddr {
    "[::ffff:192.0.2.7]:51234".parse().unwrap()
}

#[test]
fn every_line_inside_a_span_shows_what_is_known_of_the_client() {
    let (_folder, config) = file_config("srs.log");
    let (subscriber, handle) = subscriber(&config).unwrap();
    with_default(subscriber, || {
        info!("outside");
        let span = client_span(101, peer());
        let _inside = span.enter();
        info!("accepted");
        record_app(&span, "__defaultVhost__", "live");
        info!("connected");
        record_stream(&span, "__defaultVhost__", "live", "show");
        let part = tracing::info_span!("part", attempt = 2, part = "push");
        part.in_scope(|| warn!(error = "gone", bytes = 5, "cannot go on"));
        record_stream(&span, "__defaultVhost__", "live", "other\n[show]");
        info!("publish starts");
    });
    let known = "peer=192.0.2.7:51234 vhost=__defaultVhost__ app=live";
    assert_eq!(
        lines(&handle, &config.file),
        [
            "[-] outside".to_owned(),
            "[101] accepted peer=192.0.2.7:51234".to_owned(),
            format!("[101] connected {known}"),
            format!(
                "[101] cannot go on error=gone bytes=5 attempt=2 part=push {known} stream=show"
            ),
            format!("[101] publish starts {known} stream=\"other\\n[show]\""),
        ]
    );
}

#[test]
fn a_client_is_known_at_every_level() {
    let (_folder, config) = file_config("srs.log");
    let config = LogConfig {
        level: LogLevel::Error,
        ..config
    };
    let (subscriber, handle) = subscriber(&config).unwrap();
    with_default(subscriber, || {
        let _inside = client_span(7, peer()).entered();
        warn!("hidden");
        handle
            .apply(&LogConfig {
                level: LogLevel::Debug,
                ..config.clone()
            })
            .unwrap();
        debug!("shown");
    });
    assert_eq!(
        lines(&handle, &config.file),
        ["[7] shown peer=192.0.2.7:51234"]
    );
}

#[test]
fn other_crates_are_heard_from_warnings_up() {
    let cases = [
        (LogLevel::Error, LevelFilter::ERROR, LevelFilter::ERROR),
        (LogLevel::Warn, LevelFilter::WARN, LevelFilter::WARN),
        (LogLevel::Info, LevelFilter::INFO, LevelFilter::WARN),
        (LogLevel::Debug, LevelFilter::DEBUG, LevelFilter::WARN),
        (LogLevel::Trace, LevelFilter::TRACE, LevelFilter::TRACE),
    ];
    for (level, ours, theirs) in cases {
        let targets = targets(level);
        for (target, limit) in [
            ("srs::hub", ours),
            ("srs_rtmp::chunk", ours),
            ("mio::poll", theirs),
        ] {
            for event in [
                tracing::Level::ERROR,
                tracing::Level::WARN,
                tracing::Level::INFO,
                tracing::Level::DEBUG,
                tracing::Level::TRACE,
            ] {
                let name = format!("{target} at {event} with level {level:?}");
                assert_eq!(
                    targets.would_enable(target, &event),
                    event <= limit,
                    "{name}"
                );
            }
        }
    }
}

#[test]
fn a_level_that_is_off_is_off_before_anything_is_computed() {
    let (_folder, config) = file_config("srs.log");
    let (subscriber, _handle) = subscriber(&config).unwrap();
    assert_eq!(subscriber.max_level_hint(), Some(LevelFilter::INFO));
}

#[test]
fn the_newest_lines_are_kept_wherever_they_go_but_for_those_that_are_off() {
    let (folder, config) = file_config("srs.log");
    let (subscriber, handle) = subscriber(&config).unwrap();
    with_default(subscriber, || {
        let _inside = client_span(7, peer()).entered();
        debug!("hidden");
        info!(token = "two words", "shown");
        handle
            .apply(&LogConfig {
                level: LogLevel::Debug,
                format: LogFormat::Json,
                file: file_path(&folder, "other.log"),
                ..config.clone()
            })
            .unwrap();
        debug!("shown, too");
    });
    let lines = handle.lines();
    let kept = lines.after(0, 10).items;
    let of_client = kept.iter().map(|line| (line.client, &*line.message));
    let of_client: Vec<_> = of_client
        .filter(|(_, it)| it.starts_with("shown"))
        .collect();
    assert_eq!(
        of_client,
        [
            (Some(7), "shown token=\"two words\" peer=192.0.2.7:51234"),
            (Some(7), "shown, too peer=192.0.2.7:51234"),
        ]
    );
    assert_eq!(kept.len(), 3, "and that it goes on elsewhere");
}

#[test]
fn a_renamed_file_is_written_to_until_it_is_reopened() {
    let (folder, config) = file_config("srs.log");
    let rotated = folder.path().join("srs.log.1");
    let (subscriber, handle) = subscriber(&config).unwrap();
    with_default(subscriber, || {
        info!("one");
        fs::rename(&config.file, &rotated).unwrap();
        info!("two");
        assert_eq!(
            handle.reopen().unwrap().as_deref(),
            Some(config.file.as_path())
        );
        info!("three");
    });
    assert_eq!(lines(&handle, &rotated), ["[-] one", "[-] two"]);
    assert_eq!(lines(&handle, &config.file), ["[-] three"]);
}

#[test]
fn a_pipe_in_the_place_of_the_file_is_refused_and_not_waited_for() {
    let (folder, config) = file_config("srs.log");
    let pipe = folder.path().join("pipe");
    rustix::fs::mkfifoat(rustix::fs::CWD, &pipe, 0o600.into()).unwrap();
    let (subscriber, handle) = subscriber(&config).unwrap();
    let other = LogConfig {
        file: file_path(&folder, "pipe"),
        ..config
    };
    let error = handle.prepare(&other).unwrap_err();
    assert!(format!("{:?}", error.source()).contains("pipe"), "{error}");
    with_default(subscriber, || info!("lines go on"));
    assert_eq!(lines(&handle, folder.path().join("srs.log")).len(), 1);
}

#[test]
fn a_reopen_that_fails_keeps_the_file_and_says_so() {
    let (folder, config) = file_config("srs.log");
    let rotated = folder.path().join("srs.log.1");
    let (subscriber, handle) = subscriber(&config).unwrap();
    with_default(subscriber, || {
        fs::rename(&config.file, &rotated).unwrap();
        fs::create_dir(&config.file).unwrap();
        let error = handle.reopen().unwrap_err();
        assert!(
            error
                .to_string()
                .ends_with("again, lines go on to the old one"),
            "{error}"
        );
        info!("still there");
    });
    assert_eq!(lines(&handle, &rotated), ["[-] still there"]);
}

#[test]
fn lines_that_the_old_file_lost_are_told_in_the_new_one() {
    let (folder, config) = file_config("srs.log");
    std::os::unix::fs::symlink("/dev/full", &config.file).unwrap();
    let (subscriber, handle) = subscriber(&config).unwrap();
    with_default(subscriber, || {
        info!("lost");
        fs::remove_file(&config.file).unwrap();
        handle.reopen().unwrap();
    });
    let lines = lines(&handle, &config.file);
    assert!(
        lines[0].starts_with("[-] 1 log line is missing here: No space left"),
        "{lines:?}"
    );
    drop(folder);
}

#[test]
fn a_reload_moves_to_another_file_in_another_format() {
    let (folder, config) = file_config("srs.log");
    let moved = LogConfig {
        file: file_path(&folder, "srs.json"),
        format: LogFormat::Json,
        ..config.clone()
    };
    let (subscriber, handle) = subscriber(&config).unwrap();
    with_default(subscriber, || {
        info!("one");
        handle.apply(&moved).unwrap();
        info!(count = 2, "two");
    });
    let where_to = format!(
        "[-] the log continues in the file {}",
        moved.file.as_path().display()
    );
    assert_eq!(lines(&handle, &config.file), ["[-] one", &where_to]);
    let json = text(&handle, &moved.file);
    assert!(
        json.contains("\"message\":\"two\",\"target\":\"srs::control::logging"),
        "{json}"
    );
    assert!(json.ends_with("\"fields\":{\"count\":2}}\n"), "{json}");
}

#[test]
fn a_reload_that_fails_changes_nothing() {
    let (folder, config) = file_config("srs.log");
    let wrong = LogConfig {
        file: file_path(&folder, "missing/srs.log"),
        level: LogLevel::Error,
        format: LogFormat::Json,
        ..config.clone()
    };
    let (subscriber, handle) = subscriber(&config).unwrap();
    with_default(subscriber, || {
        let error = handle.apply(&wrong).unwrap_err();
        let expected = format!(
            "cannot open the log file {} (there is no directory {})",
            wrong.file.as_path().display(),
            folder.path().join("missing").display()
        );
        assert_eq!(error.to_string(), expected);
        assert!(error.source().is_some());
        info!("as before");
    });
    assert_eq!(lines(&handle, &config.file), ["[-] as before"]);
}

/// A journal that keeps what it is told.
#[derive(Clone, Debug, Default)]
struct FakeJournal {
    told: Arc<Mutex<Vec<String>>>,
}

impl FakeJournal {
    /// As the subscriber wants it: what is told goes to this one.
    fn start(&self) -> Option<Writer> {
        let told = Arc::clone(&self.told);
        writer_of(move |id| {
            let told = Arc::clone(&told);
            Ok(FakeLayer(id, move |entry| told.lock().unwrap().push(entry)))
        })
        .ok()
    }

    /// What it was told.
    fn told(&self, handle: &LogHandle) -> Vec<String> {
        handle.flush();
        self.told.lock().unwrap().clone()
    }
}

/// Hands on the entries with an id, as text.
struct FakeLayer<F>(Option<MessageId>, F);

impl<F: Fn(String) + 'static> tracing_subscriber::Layer<NoSpans> for FakeLayer<F> {
    fn on_event(&self, event: &Event<'_>, context: Context<'_, NoSpans>) {
        assert!(context.lookup_current().is_none());
        let mut told = Known(vec![event.metadata().level().to_string()]);
        if let Some(id) = self.0 {
            told.0.push(format!("MESSAGE_ID={}", id.as_str()));
        }
        event.record(&mut told);
        (self.1)(told.0.join("|"));
    }
}

/// The values of an entry.
struct Known(Vec<String>);

impl Visit for Known {
    fn record_debug(&mut self, field: &Field, value: &dyn std::fmt::Debug) {
        self.0.push(format!("{field}={value:?}"));
    }
    fn record_str(&mut self, field: &Field, value: &str) {
        self.0.push(format!("{field}={value}"));
    }
}

fn to_journal() -> LogConfig {
    LogConfig {
        target: LogTarget::Journald,
        ..LogConfig::default()
    }
}

/// A journal whose entries are datagrams, as those of the real one; whoever has the socket reads
/// them, or does not.
fn journal_at_a_socket() -> (Writer, UnixDatagram) {
    let (writer, reader) = UnixDatagram::pair().unwrap();
    reader.set_read_timeout(Some(PATIENCE)).unwrap();
    let journal = writer_of(move |id| {
        let writer = writer.try_clone()?;
        Ok(FakeLayer(id, move |entry: String| {
            // It fails only if the reader is gone.
            let _ = writer.send(entry.as_bytes());
        }))
    });
    (journal.unwrap(), reader)
}

fn read(socket: &UnixDatagram) -> String {
    let mut entry = [0; 1_000];
    let length = socket.recv(&mut entry).unwrap();
    String::from_utf8(entry[..length].to_vec()).unwrap()
}

/// What a test waits for comes within this, or never.
const PATIENCE: Duration = Duration::from_secs(20);

#[test]
fn a_journal_that_does_not_read_costs_lines_and_never_blocks() {
    const LINES: usize = 20_000;
    let (journal, socket) = journal_at_a_socket();
    let (subscriber, handle) = assemble(&to_journal(), Some(journal)).unwrap();
    let subscriber = Dispatch::new(subscriber);
    let (done, is_done) = mpsc::channel();
    let writer = {
        let subscriber = subscriber.clone();
        thread::spawn(move || {
            with_default(subscriber, || {
                for number in 0..LINES {
                    info!("line {number}");
                }
            });
            done.send(()).unwrap();
        })
    };
    is_done.recv_timeout(PATIENCE).expect("it was not held up");
    writer.join().unwrap();

    // Now it reads: the first lines, then how many are missing.
    let mut told = 0;
    let gap = loop {
        let entry = read(&socket);
        if entry.starts_with("WARN") {
            break entry;
        }
        assert_eq!(entry, format!("INFO|message=line {told}"));
        told += 1;
    };
    assert!(told >= 4_096, "{told}");
    let missing = LINES - told;
    assert_eq!(
        gap,
        format!("WARN|message={missing} log lines are missing here: journald did not read in time")
    );
    with_default(subscriber, || info!("goes on"));
    assert_eq!(read(&socket), "INFO|message=goes on");
    assert_eq!(handle.lines().after(0, usize::MAX).items.len(), KEPT_LINES);
}

#[test]
fn a_flush_waits_for_what_is_queued_and_not_for_ever() {
    let (journal, socket) = journal_at_a_socket();
    let (subscriber, handle) = assemble(&to_journal(), Some(journal)).unwrap();
    let lines = 3_000;
    with_default(subscriber, || {
        for number in 0..lines {
            info!("line {number}");
        }
    });
    let started = Instant::now();
    handle.flush();
    let waited = started.elapsed();
    let bounds = Duration::from_secs(1)..PATIENCE;
    assert!(bounds.contains(&waited), "nobody reads: {waited:?}");

    let read_all: JoinHandle<Vec<_>> =
        thread::spawn(move || (0..lines).map(|_| read(&socket)).collect());
    loop {
        // While nothing is read it has given up; as soon as something is, it need not.
        handle.flush();
        if read_all.is_finished() {
            break;
        }
        assert!(started.elapsed() < PATIENCE, "it is not read");
    }
    assert_eq!(
        read_all.join().unwrap().last().unwrap(),
        "INFO|message=line 2999"
    );
}

#[test]
fn a_thread_that_logs_elsewhere_turns_nothing_off() {
    let (_folder, config) = file_config("srs.log");
    let (subscriber, handle) = subscriber(&config).unwrap();
    with_default(subscriber, || {
        for number in 0..2 {
            info!("line {number}");
            let apply = || handle.apply(&config).unwrap();
            thread::scope(|scope| scope.spawn(apply).join()).unwrap();
        }
    });
    assert_eq!(lines(&handle, &config.file), ["[-] line 0", "[-] line 1"]);
}

#[test]
fn what_is_queued_is_told_even_when_logging_is_gone_and_the_thread_ends() {
    let (tell, told) = mpsc::channel();
    let journal = writer_of(move |id| {
        let tell = tell.clone();
        Ok(FakeLayer(id, move |entry| tell.send(entry).unwrap()))
    });
    let (subscriber, handle) = assemble(&to_journal(), journal.ok()).unwrap();
    with_default(subscriber, || {
        for number in 0..1_000 {
            info!("line {number}");
        }
    });
    drop(handle);
    for number in 0..1_000 {
        let entry = told.recv_timeout(PATIENCE).unwrap();
        assert_eq!(entry, format!("INFO|message=line {number}"));
    }
    // Its layers are gone, so it has ended.
    assert_eq!(
        told.recv_timeout(PATIENCE),
        Err(RecvTimeoutError::Disconnected)
    );
}

#[test]
fn a_journal_that_cannot_be_spoken_to_is_none() {
    let refused = writer_of(|_| -> io::Result<tracing_journald::Layer> {
        Err(io::ErrorKind::ConnectionRefused.into())
    });
    assert_eq!(
        refused.unwrap_err().kind(),
        io::ErrorKind::ConnectionRefused
    );
    let (end, ended) = mpsc::channel::<()>();
    let stuck = writer_of(move |_| -> io::Result<tracing_journald::Layer> {
        // As a socket that is full: until the test ends.
        let _ = ended.recv();
        Err(io::ErrorKind::ConnectionRefused.into())
    });
    assert_eq!(stuck.unwrap_err().kind(), io::ErrorKind::TimedOut);
    drop(end);
}

#[test]
fn the_journal_can_be_turned_to_while_clients_are_connected() {
    let (_folder, config) = file_config("srs.log");
    let journal = FakeJournal::default();
    let (subscriber, handle) = assemble(&config, journal.start()).unwrap();
    with_default(subscriber, || {
        let span = client_span(101, peer());
        let _inside = span.enter();
        record_app(&span, "__defaultVhost__", "live");
        info!("to the file");
        handle
            .apply(&LogConfig {
                target: LogTarget::Journald,
                ..config.clone()
            })
            .unwrap();
        assert_eq!(handle.reopen().unwrap(), None);
        warn!(reason = "no such app", code = 404, "connect refused");
    });
    assert!(lines(&handle, &config.file)[1].contains("the log continues in the journal"));
    assert_eq!(
        journal.told(&handle),
        [
            "WARN|message=[101] connect refused reason=\"no such app\" code=404 \
          peer=192.0.2.7:51234 vhost=__defaultVhost__ app=live|client=101|peer=192.0.2.7:51234\
          |vhost=__defaultVhost__|app=live|reason=no such app|code=404"
        ]
    );
}

#[test]
fn a_client_that_goes_through_many_streams_keeps_and_tells_only_the_newest() {
    let (_folder, config) = file_config("srs.log");
    let journal = FakeJournal::default();
    let (subscriber, handle) = assemble(&config, journal.start()).unwrap();
    handle
        .apply(&LogConfig {
            target: LogTarget::Journald,
            ..config
        })
        .unwrap();
    with_default(subscriber, || {
        let span = client_span(101, peer());
        let _inside = span.enter();
        for number in 0..10_000 {
            let [vhost, app, stream] =
                ["vhost", "app", "stream"].map(|name| format!("{name}{number}"));
            record_stream(&span, &vhost, &app, &stream);
            if number % 5_000 == 4_999 {
                info!(codec = "h264", "play starts");
            }
        }
    });
    let told = |number: u32| {
        format!(
            "INFO|message=[101] play starts codec=h264 peer=192.0.2.7:51234 vhost=vhost{number} \
             app=app{number} stream=stream{number}|client=101|peer=192.0.2.7:51234\
             |vhost=vhost{number}|app=app{number}|stream=stream{number}|codec=h264"
        )
    };
    assert_eq!(journal.told(&handle), [told(4_999), told(9_999)]);
}

#[test]
fn the_journal_takes_an_event_with_many_fields_and_one_without_any() {
    let (_folder, config) = file_config("srs.log");
    let journal = FakeJournal::default();
    let (subscriber, handle) = assemble(&config, journal.start()).unwrap();
    handle
        .apply(&LogConfig {
            target: LogTarget::Journald,
            ..config
        })
        .unwrap();
    with_default(subscriber, || {
        let span = client_span(101, peer());
        let _inside = span.enter();
        record_stream(&span, "v", "a", "s");
        info!(
            f1 = 1,
            f2 = 2,
            f3 = 3,
            f4 = 4,
            f5 = 5,
            f6 = 6,
            f7 = 7,
            f8 = 8,
            f9 = 9,
            f10 = 10,
            f11 = 11,
            f12 = 12,
            f13 = 13,
            f14 = 14,
            f15 = 15,
            f16 = 16,
            f17 = 17,
            f18 = 18,
            f19 = 19,
            f20 = 20,
            f21 = 21,
            f22 = 22,
            f23 = 23,
            f24 = 24,
            f25 = 25,
            f26 = 26,
            f27 = 27,
            f28 = 28,
            f29 = 29,
            f30 = 30,
            f31 = 31,
            f32 = 32,
            f33 = 33,
            f34 = 34,
            "many"
        );
        info!(reason = tracing::field::Empty);
    });
    let told = journal.told(&handle);
    let session = "|client=101|peer=192.0.2.7:51234|vhost=v|app=a|stream=s";
    assert!(told[0].contains(&format!("{session}|f1=1|")), "{told:?}");
    assert!(told[0].ends_with("|f32=32"), "{told:?}");
    assert!(
        told[1].starts_with("INFO|message=[101] ") && told[1].ends_with(session),
        "{told:?}"
    );
}

#[test]
fn the_journal_alone_is_given_the_id_of_a_message_and_it_once() {
    let (_folder, config) = file_config("srs.log");
    let journal = FakeJournal::default();
    let (subscriber, handle) = assemble(&config, journal.start()).unwrap();
    with_default(subscriber, || {
        let _inside = client_span(101, peer()).entered();
        let publish = || {
            let id = MessageId::Publish.as_str();
            info!(message_id = id, style = "FMLE", "publish");
        };
        publish();
        let to_journal = LogConfig {
            target: LogTarget::Journald,
            ..config.clone()
        };
        handle.apply(&to_journal).unwrap();
        publish();
        info!("play");
    });
    let line = "publish style=FMLE peer=192.0.2.7:51234";
    assert_eq!(lines(&handle, &config.file)[0], format!("[101] {line}"));
    let kept = handle.lines().after(0, 10).items;
    assert!(kept.iter().any(|it| &*it.message == line), "{kept:?}");
    let client = "client=101|peer=192.0.2.7:51234";
    let id = MessageId::Publish.as_str();
    assert_eq!(
        journal.told(&handle),
        [
            format!("INFO|MESSAGE_ID={id}|message=[101] {line}|{client}|style=FMLE"),
            format!("INFO|message=[101] play peer=192.0.2.7:51234|{client}"),
        ]
    );
}

/// Counts what is recorded on spans.
#[derive(Clone, Debug, Default)]
struct Records(Arc<AtomicUsize>);

impl<S: Subscriber> tracing_subscriber::Layer<S> for Records {
    fn on_record(&self, _id: &Id, _values: &Record<'_>, _context: Context<'_, S>) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

#[test]
fn names_that_did_not_change_are_not_recorded_again() {
    let (_folder, config) = file_config("srs.log");
    let records = Records::default();
    let (subscriber, _handle) = subscriber(&config).unwrap();
    let long = "s".repeat(300);
    with_default(subscriber.with(records.clone()), || {
        let span = client_span(101, peer());
        let cases: [(&str, &dyn Fn(), usize); 7] = [
            ("an application", &|| record_app(&span, "v", "live"), 2),
            ("the same again", &|| record_app(&span, "v", "live"), 0),
            ("a stream", &|| record_stream(&span, "v", "live", "show"), 3),
            (
                "the same again",
                &|| record_stream(&span, "v", "live", "show"),
                0,
            ),
            (
                "the application alone",
                &|| record_app(&span, "v", "live"),
                0,
            ),
            (
                "a name that is cut",
                &|| record_stream(&span, "v", "live", &long),
                3,
            ),
            (
                "the same again",
                &|| record_stream(&span, "v", "live", &long),
                0,
            ),
        ];
        for (name, record, expected) in cases {
            let before = records.0.load(Ordering::Relaxed);
            record();
            assert_eq!(
                records.0.load(Ordering::Relaxed) - before,
                expected,
                "{name}"
            );
        }
    });
}

#[test]
fn a_journal_that_is_not_there_is_an_error_only_where_it_is_named() {
    let (_folder, config) = file_config("srs.log");
    let journald = LogConfig {
        target: LogTarget::Journald,
        ..config.clone()
    };
    let auto = LogConfig {
        target: LogTarget::Auto,
        ..config
    };
    assert!(destination(&journald, false).is_err());
    assert!(matches!(
        destination(&auto, false),
        Ok(Destination::Console { .. })
    ));
}

#[test]
fn colours_can_be_declined() {
    let cases = [
        (None, Some("xterm"), true),
        (Some(""), Some("xterm"), true),
        (Some("1"), Some("xterm"), false),
        (None, Some("dumb"), false),
        (None, None, false),
    ];
    for (no_color, term, expected) in cases {
        let allowed = allows_colour(no_color.map(OsStr::new), term.map(OsStr::new));
        assert_eq!(allowed, expected, "NO_COLOR={no_color:?} TERM={term:?}");
    }
}
