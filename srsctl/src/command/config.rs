//! `srsctl config`: checks, shows and compares configurations.

mod check;
mod diff;
mod schema;
mod show;

use super::session::{Session, form, print};
use super::{Error, reload};
use crate::cli::{ApiOptions, ConfigCommand};

/// Does what was asked for. `outer` are the options that stood before the command.
///
/// # Errors
/// A configuration is wrong, or the server does not answer.
pub(crate) async fn run(command: &ConfigCommand, outer: &ApiOptions) -> Result<(), Error> {
    match command {
        ConfigCommand::Check(arguments) => {
            super::no_server(outer)?;
            check::run(arguments).await
        }
        ConfigCommand::Schema(_) => {
            super::no_server(outer)?;
            schema::run().await
        }
        ConfigCommand::Show(arguments) => {
            let options = arguments.api.or(outer);
            match &arguments.file {
                Some(file) => print(&show::of_file(file, arguments)?, form(&options)).await,
                None => {
                    let session = Session::open(&options).await?;
                    let shown = show::of_server(&session.client, arguments).await?;
                    session.print(&shown).await
                }
            }
        }
        ConfigCommand::Diff(arguments) => {
            let session = Session::open(&arguments.api.or(outer)).await?;
            match &arguments.file {
                Some(file) => {
                    let differences = diff::with_file(&session.client, file).await?;
                    session.print(&differences).await
                }
                None => {
                    let reloaded = reload::reload(&session.client, true).await?;
                    session.print(&reloaded).await
                }
            }
        }
    }
}
