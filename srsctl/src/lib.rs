//! `srsctl`: watches and steers a server, publishes, plays and measures live streams.
//!
//! A library under a small main, so that benches reach what they measure. It is nobody else's:
//! nothing here is promised to stay.
#![forbid(unsafe_code)]

mod cli;
mod client;
mod command;
mod duration;
#[cfg(test)]
#[path = "../../tests/cli/fake_api.rs"]
#[expect(dead_code, reason = "the tests of the whole tool use more of it")]
mod fake_api;
mod interrupt;
#[cfg(test)]
mod manual;
mod output;
mod progress;
mod settings;
mod since;
mod sink;
mod top;

use std::process::ExitCode;

use anyhow::Context as _;
use clap::Parser as _;

use cli::Cli;
#[doc(hidden)]
pub use top::replay;

/// Does what the arguments say.
#[must_use]
pub fn main() -> ExitCode {
    let cli = Cli::parse();
    match run(cli) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            output::tell(format_args!("{error:#}"));
            let error = error.downcast_ref::<command::Error>();
            error.map_or(ExitCode::FAILURE, command::Error::exit_code)
        }
    }
}

fn run(cli: Cli) -> anyhow::Result<()> {
    // One connection at a time: one thread, beside those that read and write files.
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .context("starting the runtime")?;
    let result = runtime.block_on(command::run(cli));
    // A name that is still being looked up must not hold up the end.
    runtime.shutdown_background();
    Ok(result?)
}
