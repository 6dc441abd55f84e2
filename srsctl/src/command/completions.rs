//! `srsctl completions`: what a shell needs to complete our arguments.

use clap::CommandFactory as _;

use super::Error;
use crate::cli::{Cli, Completions};
use crate::sink;

/// Prints the completions.
///
/// # Errors
/// They cannot be written.
pub(crate) async fn run(arguments: &Completions) -> Result<(), Error> {
    let mut script = Vec::new();
    clap_complete::generate(arguments.shell, &mut Cli::command(), "srsctl", &mut script);
    sink::print(script).await.map_err(Error::stdout)
}
