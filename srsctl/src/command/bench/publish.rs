//! `srsctl bench publish`: many publishers, and players of each.

use super::load::{Load, Publish};
use super::report::Subject;
use super::{check, destinations, measure, pin};
use crate::cli::BenchPublish;
use crate::command::Error;

/// Publishes, and reports.
///
/// # Errors
/// The server refuses or is not there, or the tool cannot do it.
pub(super) async fn run(arguments: &BenchPublish) -> Result<(), Error> {
    let (options, common) = (&arguments.load, &arguments.server.common);
    let players = arguments.players * arguments.publishers;
    let server = check(&arguments.server.pids, players + arguments.publishers)?;
    pin(options)?;
    let load = Load {
        streams: destinations(&arguments.url, arguments.publishers, common.timeout).await?,
        publish: Publish::ForItself,
        players,
        probes: PROBES,
        shape: options.stream.into(),
        ramp: options.ramp,
        duration: options.duration,
        server,
        verbose: common.verbose,
    };
    measure(Subject::Publish, &load, options, Some(&arguments.url)).await
}

/// So many of the players measure the latency.
const PROBES: usize = 20;
