//! `srsctl config schema`: what editors complete and check a configuration by.

use crate::command::Error;
use crate::sink;

/// Prints the JSON Schema.
///
/// # Errors
/// It cannot be written.
pub(super) async fn run() -> Result<(), Error> {
    let text = format!("{:#}\n", srs_config::json_schema());
    sink::print(text.into_bytes()).await.map_err(Error::stdout)
}
