//! `srsctl bench play`: many players.

use super::load::{Load, Publish};
use super::report::Subject;
use super::{check, destinations, measure, pin};
use crate::cli::BenchPlay;
use crate::command::Error;

/// Plays, and reports.
///
/// # Errors
/// The server refuses or is not there, or the tool cannot do it.
pub(super) async fn run(arguments: &BenchPlay) -> Result<(), Error> {
    let (options, common) = (&arguments.load, &arguments.server.common);
    let server = check(
        &arguments.server.pids,
        arguments.players + arguments.streams,
    )?;
    pin(options)?;
    let load = Load {
        streams: destinations(&arguments.url, arguments.streams, common.timeout).await?,
        publish: if arguments.no_publish {
            Publish::No
        } else {
            Publish::ForPlayers
        },
        players: arguments.players,
        probes: arguments.probes,
        shape: options.stream.into(),
        ramp: options.ramp,
        duration: options.duration,
        server,
        verbose: common.verbose,
    };
    measure(Subject::Play, &load, options, Some(&arguments.url)).await
}
