//! `srsctl config check`: whether files are a configuration.

use std::path::Path;

use srs_config::{DEFAULT_PATH, Loaded, Source};

use crate::cli::Check;
use crate::command::Error;
use crate::output;
use crate::output::text::printable_lines;
use crate::sink;

/// Reads the file and those beside it, and says that they are one.
///
/// # Errors
/// They are none, for all the reasons that are told.
pub(super) async fn run(arguments: &Check) -> Result<(), Error> {
    let loaded = load(arguments.file.as_deref())?;
    let files: Vec<_> = loaded
        .files
        .iter()
        .map(|file| file.display().to_string())
        .collect();
    let text = if files.is_empty() {
        format!("there is no {DEFAULT_PATH}: the built-in configuration counts, and is valid\n")
    } else {
        format!("{}: the configuration is valid\n", files.join(", "))
    };
    sink::print(text).await.map_err(Error::stdout)
}

/// Reads the file, or the default one, and those of `conf.d` beside it; tells the warnings.
///
/// # Errors
/// They cannot be read, or have mistakes.
pub(super) fn load(file: Option<&Path>) -> Result<Loaded, Error> {
    let loaded = Source::of_file(file.map(Path::to_owned)).load()?;
    for warning in &loaded.warnings {
        output::tell(format_args!("warning: {}", printable_lines(warning)));
    }
    Ok(loaded)
}
