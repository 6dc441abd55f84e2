//! The settings of the tool: servers by their names, and how the dashboard looks.
//!
//! A file that is not there is none with mistakes: it says nothing. `srsctl.toml(5)` documents
//! every key; a test holds it to these structs.

#[cfg(test)]
mod documentation;
mod keys;
mod mistake;
mod read;
mod save;
mod server;

use std::collections::BTreeMap;
use std::env;
use std::fs::{self, File};
use std::io::{self, Read as _};
use std::os::unix::fs::FileTypeExt as _;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use self::mistake::Mistake;
pub(crate) use self::save::save_top;
pub(crate) use self::server::{ServerRef, ServerSettings, duration};
use crate::top::TopSettings;

/// What the settings file says.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Settings {
    /// The one of `servers` that is asked where nothing else names one.
    pub(crate) server: Option<String>,
    /// The servers, by their names.
    pub(crate) servers: BTreeMap<String, ServerSettings>,
    /// How the dashboard looks.
    pub(crate) top: TopSettings,
}

impl Settings {
    /// Reads the file, if there is one.
    ///
    /// # Errors
    /// [`SettingsError`]: it cannot be read, or has mistakes.
    pub(crate) fn load() -> Result<Self, SettingsError> {
        Self::of_file(&Self::path())
    }

    /// Where the file is, or would be.
    pub(crate) fn path() -> PathBuf {
        path(|name| env::var_os(name).map(PathBuf::from), env::home_dir())
    }

    fn of_file(path: &Path) -> Result<Self, SettingsError> {
        let text = match text(path) {
            Ok(text) => text,
            Err(error) if is_missing(&error) || is_out_of_reach(path) => {
                return Ok(Self::default());
            }
            Err(error) => {
                let path = path.to_owned();
                return Err(SettingsError::Unreadable { path, error });
            }
        };
        read::settings(&text, path).map_err(SettingsError::Invalid)
    }

    /// The names of the servers, as messages list them.
    pub(crate) fn names(&self) -> String {
        let names: Vec<_> = self.servers.keys().map(String::as_str).collect();
        names.join(", ")
    }
}

/// Why there are no settings.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SettingsError {
    /// The file is there, and cannot be read.
    #[error("{}", path.display())]
    Unreadable {
        path: PathBuf,
        #[source]
        error: io::Error,
    },
    /// The file has mistakes.
    #[error("{}", lines(.0))]
    Invalid(Vec<Mistake>),
}

/// The mistakes, one below the other.
fn lines(mistakes: &[Mistake]) -> String {
    let lines: Vec<_> = mistakes.iter().map(ToString::to_string).collect();
    lines.join("\n")
}

/// The text of the file at `path`.
fn text(path: &Path) -> io::Result<String> {
    let mut text = String::new();
    // Where nobody writes into a pipe, whoever opens it waits.
    if fs::metadata(path)?.file_type().is_fifo() {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "is a pipe"));
    }
    let file = File::open(path)?;
    file.take(MAX_SIZE + 1).read_to_string(&mut text)?;
    if text.len() as u64 > MAX_SIZE {
        let message = format!("has more than {MAX_SIZE} bytes, which no settings need");
        return Err(io::Error::new(io::ErrorKind::FileTooLarge, message));
    }
    Ok(text)
}

/// Whether there is no file, or not even a folder for it.
fn is_missing(error: &io::Error) -> bool {
    use io::ErrorKind::{NotADirectory, NotFound};
    matches!(error.kind(), NotFound | NotADirectory)
}

/// Whether not even that can be told: a program that runs as another user may still have the home of
/// the one who started it.
fn is_out_of_reach(path: &Path) -> bool {
    let looked = fs::symlink_metadata(path);
    looked.is_err_and(|error| error.kind() == io::ErrorKind::PermissionDenied)
}

/// Follows the XDG Base Directory Specification, in which a folder that is relative counts for
/// none.
fn path(variable: impl Fn(&str) -> Option<PathBuf>, home: Option<PathBuf>) -> PathBuf {
    let own = variable("SRSCTL_CONFIG").filter(|path| !path.as_os_str().is_empty());
    own.unwrap_or_else(|| {
        let folder = variable("XDG_CONFIG_HOME").filter(|folder| folder.is_absolute());
        // Whoever has no home has no settings in whatever folder this happens to run.
        let home = || home.unwrap_or_else(|| "/".into()).join(".config");
        folder.unwrap_or_else(home).join("srsctl/config.toml")
    })
}

/// A thousand servers take a tenth of it.
const MAX_SIZE: u64 = 1 << 20;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_file_is_where_the_user_says_or_where_settings_are() {
        type Variables = &'static [(&'static str, &'static str)];
        let cases: [(Variables, &str); 5] = [
            (&[], "/home/u/.config/srsctl/config.toml"),
            (&[("XDG_CONFIG_HOME", "/c")], "/c/srsctl/config.toml"),
            (
                &[("XDG_CONFIG_HOME", "c")],
                "/home/u/.config/srsctl/config.toml",
            ),
            (
                &[("SRSCTL_CONFIG", "mine.toml"), ("XDG_CONFIG_HOME", "/c")],
                "mine.toml",
            ),
            (
                &[("SRSCTL_CONFIG", ""), ("XDG_CONFIG_HOME", "/c")],
                "/c/srsctl/config.toml",
            ),
        ];
        for (variables, expected) in cases {
            let variable = |name: &str| {
                let found = variables.iter().find(|(known, _)| *known == name);
                found.map(|(_, value)| value.into())
            };
            let home = Some("/home/u".into());
            assert_eq!(path(variable, home), Path::new(expected), "{variables:?}");
        }
    }

    #[test]
    fn a_file_that_is_not_there_says_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("config.toml");
        assert!(Settings::of_file(&file).unwrap().servers.is_empty());
        fs::write(&file, "").unwrap();
        assert!(Settings::of_file(&file).unwrap().servers.is_empty());
        let below = file.join("config.toml");
        assert!(Settings::of_file(&below).unwrap().servers.is_empty());
        let error = Settings::of_file(folder.path()).unwrap_err();
        assert!(matches!(error, SettingsError::Unreadable { .. }), "{error}");
    }

    #[test]
    fn no_file_is_read_without_end() {
        let error = text(Path::new("/dev/zero")).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::FileTooLarge);
    }
}
