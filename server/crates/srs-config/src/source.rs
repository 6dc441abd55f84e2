//! Where a configuration comes from: files, and the environment.

use std::ffi::OsStr;
use std::fmt;
use std::fs;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use super::check::{self, File};
use super::environment::Environment;
use super::{Config, DEFAULT_PATH, Error};

/// Where a configuration comes from. [`Source::default`] is [`DEFAULT_PATH`] and the folder
/// `conf.d` beside it.
///
/// The main file is read first, then the files of `conf.d` beside it whose names end in `.toml`
/// and do not begin with a dot, in the order of their names, then the environment. Tables are
/// merged key by key; every other value, a list among them, replaces the one before.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Source {
    /// The main file. `None`: [`DEFAULT_PATH`] if it exists, or with an environment no file.
    pub file: Option<PathBuf>,
    /// Names and values of variables, of which those count that begin with `SRS_`.
    pub environment: Option<Vec<(String, String)>>,
}

/// A configuration, and where it came from.
#[derive(Clone, Debug, PartialEq)]
pub struct Loaded {
    /// The configuration.
    pub config: Config,
    /// The files that were read, in that order.
    pub files: Vec<PathBuf>,
    /// What is worth knowing, though no mistake; a sentence each.
    pub warnings: Vec<String>,
}

impl Source {
    /// The file `file`, or else the default one, and no environment.
    #[must_use]
    pub fn of_file(file: Option<PathBuf>) -> Self {
        Self {
            file,
            environment: None,
        }
    }

    /// The same with the variables of this process whose names begin with `SRS_`. What is no UTF-8
    /// in a value becomes U+FFFD.
    #[must_use]
    pub fn with_environment(self) -> Self {
        let variables = std::env::vars_os().filter_map(|(name, value)| {
            let name = name.into_string().ok()?;
            let is_ours = name.starts_with(super::environment::PREFIX);
            is_ours.then(|| (name, value.to_string_lossy().into_owned()))
        });
        Self {
            environment: Some(variables.collect()),
            ..self
        }
    }

    /// Reads and checks the configuration.
    ///
    /// # Errors
    /// [`Error`] if a file cannot be read or is no UTF-8 text; [`Error::Invalid`] with the
    /// mistakes of all files and of the environment; [`Error::Several`] with all of these.
    pub fn load(&self) -> Result<Loaded, Error> {
        self.load_with_default(Path::new(DEFAULT_PATH))
    }

    /// As [`Self::load`], with another path than [`DEFAULT_PATH`].
    pub(super) fn load_with_default(&self, default: &Path) -> Result<Loaded, Error> {
        let mut paths = Vec::new();
        let mut files = Vec::new();
        // A file that cannot be read hides no mistakes of the others.
        let mut errors = Vec::new();
        for path in self.paths(default, &mut errors) {
            // Whoever names a pipe may want one, `-c <(…)`; the others are for every start and reload,
            // which must not wait for somebody to write.
            let is_named = self.file.as_deref() == Some(&*path);
            let text = if is_named {
                Ok(())
            } else {
                expect_regular(&path)
            };
            match text.and_then(|()| read_text(&path)) {
                Ok(text) => {
                    let name = path.display().to_string();
                    files.push(File { name, text });
                    paths.push(path);
                }
                Err(error)
                    if self.file.is_none()
                        && path == default
                        && error.is_not_found()
                        && !is_link(&path) => {}
                Err(error) => errors.push(error),
            }
        }
        let environment = Environment::new(self.environment.as_deref().unwrap_or_default());
        match check::read(&files, &environment) {
            Ok(config) if errors.is_empty() => Ok(Loaded {
                config,
                files: paths,
                warnings: environment.warnings(),
            }),
            Ok(_) => Err(Error::all(errors)),
            Err(mistakes) => {
                errors.push(Error::invalid(mistakes));
                Err(Error::all(errors))
            }
        }
    }

    /// The files that are to be read; that of [`DEFAULT_PATH`] need not be there.
    fn paths(&self, default: &Path, errors: &mut Vec<Error>) -> Vec<PathBuf> {
        let main = match &self.file {
            None if self.environment.is_some() => return Vec::new(),
            file => file.as_deref().unwrap_or(default),
        };
        let mut paths = vec![main.to_owned()];
        let folder = main.parent().unwrap_or_else(|| Path::new("")).join(FOLDER);
        match list(&folder) {
            Ok(others) => paths.extend(others),
            Err(error) => errors.push(error),
        }
        paths
    }
}

/// Without the values of variables, which can be passwords.
impl fmt::Debug for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names = self.environment.as_ref().map(|variables| {
            let names = variables.iter().map(|(name, _)| name);
            names.collect::<Vec<_>>()
        });
        f.debug_struct("Source")
            .field("file", &self.file)
            .field("environment", &names)
            .finish()
    }
}

/// The files of `folder` that count, in the order of their names; none if there is no such folder.
fn list(folder: &Path) -> Result<Vec<PathBuf>, Error> {
    let unreadable = |cause| Error::Unreadable {
        path: folder.to_owned(),
        cause,
    };
    let entries = match fs::read_dir(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries.map_err(unreadable)?,
    };
    let mut names = Vec::new();
    for entry in entries {
        let name = entry.map_err(unreadable)?.file_name();
        // Editors and package managers leave their own files beside ours: `.a.toml.swp`,
        // `a.toml~`, `a.toml.dpkg-old`.
        let is_hidden = name.as_encoded_bytes().starts_with(b".");
        if !is_hidden && Path::new(&name).extension() == Some(OsStr::new("toml")) {
            names.push(name);
        }
    }
    names.sort();
    Ok(names.into_iter().map(|name| folder.join(name)).collect())
}

/// Whether something lies there, though it leads nowhere: a start without it would be one without
/// the settings that somebody wanted.
fn is_link(path: &Path) -> bool {
    fs::symlink_metadata(path).is_ok()
}

/// Checks that the file at `path`, if it is there, is no pipe, device or socket.
fn expect_regular(path: &Path) -> Result<(), Error> {
    match fs::metadata(path) {
        Ok(metadata) if !metadata.is_file() && !metadata.is_dir() => Err(Error::Unreadable {
            path: path.to_owned(),
            cause: io::Error::other("it is no regular file"),
        }),
        // What else is wrong is told when it is read.
        _ => Ok(()),
    }
}

/// What the file at `path` says.
fn read_text(path: &Path) -> Result<String, Error> {
    let mut bytes = Vec::new();
    fs::File::open(path)
        .and_then(|file| file.take(MAX_FILE_SIZE + 1).read_to_end(&mut bytes))
        .map_err(|cause| Error::Unreadable {
            path: path.to_owned(),
            cause,
        })?;
    if bytes.len() as u64 > MAX_FILE_SIZE {
        return Err(Error::TooLarge {
            path: path.to_owned(),
            max: MAX_FILE_SIZE,
        });
    }
    String::from_utf8(bytes).map_err(|error| {
        let offset = error.utf8_error().valid_up_to();
        Error::not_utf8(path, error.as_bytes(), offset)
    })
}

/// The folder beside the main file whose files are read after it.
const FOLDER: &str = "conf.d";

/// Whoever names a device or a recording instead of the configuration should hear so at once,
/// not when the memory is full. A thousand vhosts with every key are about 1 MB.
const MAX_FILE_SIZE: u64 = 16 << 20;
