//! What a line of the log costs: from the event in the code to the file, and to those who read it
//! by the API.
//!
//! `cargo bench -p srs --bench log_line`. The file is `/dev/null`, so that no disk is in the way.

use std::net::SocketAddr;

use divan::Bencher;
use srs::config::{FilePath, LogConfig, LogFormat, LogTarget};
use srs::control::logging::{client_span, record_stream, subscriber};
use tikv_jemallocator::Jemalloc;
use tracing::subscriber::with_default;

/// That of the daemon.
#[global_allocator]
static ALLOCATOR: Jemalloc = Jemalloc;

fn main() {
    divan::main();
}

/// A line such as a session writes some of, with all that is known of the client.
#[divan::bench(args = [LogFormat::Text, LogFormat::Json])]
fn line_of_a_client(bencher: Bencher<'_, '_>, format: LogFormat) {
    let config = LogConfig {
        target: LogTarget::File,
        file: FilePath::new("/dev/null").expect("a path"),
        format,
        ..LogConfig::default()
    };
    let (subscriber, _handle) = subscriber(&config).expect("it takes lines");
    with_default(subscriber, || {
        let peer = SocketAddr::from(([192, 0, 2, 7], 51_234));
        let span = client_span(101, peer);
        record_stream(&span, "__defaultVhost__", "live", "show");
        let _inside = span.entered();
        bencher.bench_local(|| {
            tracing::info!(target: "srs::bench", codec = "h264", width = 1_920, "publish starts");
        });
    });
}
