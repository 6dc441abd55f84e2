//! What a line of the log costs: from the event in the code to the file, and to those who read it
//! by the API. Lines are written by a thread of its own, so both figures are of interest: what the
//! one who logs has to pay, and what it takes until all are in the file.
//!
//! `cargo bench -p srs --bench log_line`. The file is `/dev/null`, so that no disk is in the way.

use std::net::SocketAddr;

use divan::Bencher;
use divan::counter::ItemsCount;
use srs::config::{FilePath, LogConfig, LogFormat, LogTarget};
use srs::control::logging::{LogHandle, client_span, record_stream, subscriber};
use tikv_jemallocator::Jemalloc;
use tracing::subscriber::with_default;

/// That of the daemon.
#[global_allocator]
static ALLOCATOR: Jemalloc = Jemalloc;

fn main() {
    divan::main();
}

/// Lines such as a session writes some of, with all that is known of the client, for whoever logs.
#[divan::bench(args = [LogFormat::Text, LogFormat::Json], sample_size = LINES)]
fn logged(bencher: Bencher<'_, '_>, format: LogFormat) {
    with_log(format, |log| {
        // None of a sample's lines finds the queue full.
        bencher
            .with_inputs(|| log.flush())
            .bench_local_values(|_| log_line());
    });
}

/// The same until they are in the file: so many at a time.
#[divan::bench(args = [LogFormat::Text, LogFormat::Json])]
fn written(bencher: Bencher<'_, '_>, format: LogFormat) {
    with_log(format, |log| {
        bencher.counter(ItemsCount::new(LINES)).bench_local(|| {
            for _ in 0..LINES {
                log_line();
            }
            log.flush();
        });
    });
}

const LINES: u32 = 1_000;

fn log_line() {
    tracing::info!(target: "srs::bench", codec = "h264", width = 1_920, "publish starts");
}

/// Runs `act` in the span of a client, with a log in `format`.
fn with_log(format: LogFormat, act: impl FnOnce(&LogHandle)) {
    let config = LogConfig {
        target: LogTarget::File,
        file: FilePath::new("/dev/null").expect("a path"),
        format,
        ..LogConfig::default()
    };
    let (subscriber, log) = subscriber(&config).expect("it takes lines");
    with_default(subscriber, || {
        let peer = SocketAddr::from(([192, 0, 2, 7], 51_234));
        let span = client_span(101, peer);
        record_stream(&span, "__defaultVhost__", "live", "show");
        let _inside = span.entered();
        act(&log);
    });
}
