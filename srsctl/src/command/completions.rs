//! `srsctl completions`: what a shell needs to complete our arguments.

use clap::CommandFactory as _;

use super::Error;
use crate::cli::{Cli, Completions};
use crate::sink::{self, Sink};

/// Prints the completions.
///
/// # Errors
/// They cannot be written.
pub(crate) async fn run(arguments: &Completions) -> Result<(), Error> {
    let mut script = Vec::new();
    clap_complete::generate(arguments.shell, &mut Cli::command(), "srsctl", &mut script);
    let written = async {
        let mut sink = Sink::stdout()?;
        sink.append(script.into()).await?;
        sink.finish().await
    };
    sink::unless_reader_left(written.await).map_err(|error| Error::Output {
        output: sink::STDOUT.to_owned(),
        error,
    })
}
