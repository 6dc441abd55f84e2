//! The arguments of `srsctl config`.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::ApiOptions;

/// Check, show and compare configurations
///
/// Files are read as srs reads them: the file itself, then conf.d/*.toml beside it. srs.toml(5)
/// describes the settings.
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Config {
    #[command(subcommand)]
    pub(crate) command: ConfigCommand,
}

#[derive(Debug, Subcommand)]
pub(crate) enum ConfigCommand {
    Check(Check),
    Show(Show),
    Diff(Diff),
    Schema(Schema),
}

/// Check a configuration file, without a server
///
/// All mistakes are told at once, each with line, column and what would have been right; the exit
/// status is 6 then.
#[derive(Args, Debug)]
#[command(after_help = CHECK_EXAMPLES)]
pub(crate) struct Check {
    /// The file; /etc/srs/srs.toml if none is named
    #[arg(value_name = "FILE")]
    pub(crate) file: Option<PathBuf>,
}

/// Show the configuration of the running server, or of a file
///
/// What differs from the defaults is printed as TOML. Of the secrets of the running server no more
/// is shown than that they are there.
#[derive(Args, Debug)]
#[command(after_help = SHOW_EXAMPLES)]
pub(crate) struct Show {
    /// A file to show instead of what the server has
    #[arg(value_name = "FILE")]
    pub(crate) file: Option<PathBuf>,
    /// Show every setting, also those that have their defaults
    #[arg(long)]
    pub(crate) effective: bool,
    #[command(flatten)]
    pub(crate) api: ApiOptions,
}

/// Compare the running server's configuration with a file
///
/// Without FILE the server compares what it has with its own files, and says what a reload would
/// change. With FILE what it has is compared with that file, on this host; secrets are not
/// compared then, as the server does not tell them.
#[derive(Args, Debug)]
#[command(after_help = DIFF_EXAMPLES)]
pub(crate) struct Diff {
    /// The file to compare with; the server's own files if none is named
    #[arg(value_name = "FILE")]
    pub(crate) file: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) api: ApiOptions,
}

/// Print the JSON Schema of the configuration, for editors
///
/// An editor that knows it completes keys, shows what they are for, and marks mistakes while one
/// writes. What it cannot express, such as settings that contradict each other, only check finds.
#[derive(Args, Debug)]
#[command(after_help = SCHEMA_EXAMPLES)]
pub(crate) struct Schema {}

const EXAMPLES: &str = "\
Examples:
  srsctl config check
  srsctl config show --effective
  srsctl config diff";

const CHECK_EXAMPLES: &str = "\
Examples:
  srsctl config check
  srsctl config check new.toml && sudo mv new.toml /etc/srs/srs.toml";

const SHOW_EXAMPLES: &str = "\
Examples:
  srsctl config show
  srsctl config show --effective
  srsctl config show /etc/srs/srs.toml";

const DIFF_EXAMPLES: &str = "\
Examples:
  srsctl config diff
  srsctl config diff new.toml";

const SCHEMA_EXAMPLES: &str = "\
Examples:
  srsctl config schema > srs.schema.json";
