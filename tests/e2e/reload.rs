//! The configuration is changed while the daemon serves: what differs is put in force, and nobody
//! else notices.

mod addresses;
mod files;
mod load;
mod settings;

use anyhow::Result;
use testkit::Srs;
use tokio::task::block_in_place;

/// Reloads with `settings`, while the other tasks of the test go on.
fn reload(srs: &mut Srs, settings: &str) -> Result<()> {
    block_in_place(|| srs.reload(settings))
}

/// Reloads with `settings` that cannot be put in force; gives what the log says.
fn reload_in_vain(srs: &mut Srs, settings: &str) -> Result<String> {
    block_in_place(|| srs.reload_in_vain(settings))
}
