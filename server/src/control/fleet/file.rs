//! The file that keeps the fleet over a restart.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use srs_api::Server;
use tokio::task::spawn_blocking;

use crate::config::FilePath;
use crate::control::open_error::hint;

/// Where the fleet is kept. All work on the file is done by other threads.
#[derive(Debug, Default)]
pub(super) struct FleetFile {
    path: Option<PathBuf>,
    /// Whether it could not be written last time, which was told then.
    has_failed: bool,
}

/// What another place for the file means.
#[derive(Debug)]
pub(super) enum Followed {
    /// Nothing.
    Unchanged,
    /// Nothing was kept before, and these servers were found there.
    Opened(Vec<Server>),
    /// The fleet goes on, and is to be written there. What is there is of another one.
    Moved,
}

/// What is in the file.
#[derive(Debug, Serialize, Deserialize)]
struct Kept {
    /// What the file is, and in which shape.
    format: String,
    servers: Vec<Server>,
}

/// Why the file is of no use.
#[derive(Debug, thiserror::Error)]
enum FileError {
    #[error("{0}")]
    Io(#[from] io::Error),
    #[error("it is not a regular file")]
    NotRegular,
    #[error("it is longer than {MAX_LEN} bytes")]
    TooLong,
    #[error("it is not a fleet: {0}")]
    NotJson(#[from] serde_json::Error),
    #[error("it is of another format: {0:.20}")]
    Format(String),
}

impl FleetFile {
    /// Whether there is a place to keep the fleet at.
    pub(super) fn is_open(&self) -> bool {
        self.path.is_some()
    }

    /// Keeps the fleet at `path` from now on, or nowhere.
    pub(super) async fn follow(&mut self, path: Option<&FilePath>) -> Followed {
        let path = path.map(|path| path.as_path().to_owned());
        if path == self.path {
            return Followed::Unchanged;
        }
        let was_open = self.is_open();
        self.has_failed = false;
        self.path.clone_from(&path);
        match path {
            None => Followed::Unchanged,
            Some(_) if was_open => Followed::Moved,
            Some(path) => {
                let read = spawn_blocking(move || read_or_move_aside(&path)).await;
                // A panic is told by the log.
                Followed::Opened(read.unwrap_or_default())
            }
        }
    }

    /// Writes the file; whether that succeeded. Its failing is told once, until it succeeds.
    pub(super) async fn write(&mut self, servers: Vec<Server>) -> bool {
        let Some(path) = self.path.clone() else {
            return false;
        };
        let written = spawn_blocking(move || write(&path, servers)).await;
        let result = match written {
            Ok(result) => result,
            Err(panic) => Err(panic.to_string()),
        };
        let is_written = result.is_ok();
        match result {
            Ok(()) if self.has_failed => tracing::info!("the fleet's file can be written again"),
            Ok(()) => {}
            Err(_) if self.has_failed => {}
            Err(error) => {
                tracing::warn!("{error}; until it can be written, a restart forgets the fleet");
            }
        }
        self.has_failed = !is_written;
        is_written
    }
}

/// What is in the file; nothing if it does not exist. One that is of no use is put aside, so that
/// it neither stays in the way nor is lost.
fn read_or_move_aside(path: &Path) -> Vec<Server> {
    let error = match read(path) {
        Ok(servers) => return servers,
        Err(FileError::Io(error)) if error.kind() == io::ErrorKind::NotFound => return vec![],
        Err(error) => error,
    };
    let shown = path.display();
    let aside = beside(path, ".broken");
    match error {
        // Somebody's device or folder, or one that is not ours to read: it stays as it is.
        FileError::Io(_) | FileError::NotRegular => {
            tracing::warn!("the fleet cannot be read from {shown}: {error}");
        }
        error if fs::rename(path, &aside).is_ok() => tracing::warn!(
            "the fleet cannot be read from {shown}: {error}; the file is now {}",
            aside.display()
        ),
        error => tracing::warn!("the fleet cannot be read from {shown}: {error}"),
    }
    vec![]
}

fn read(path: &Path) -> Result<Vec<Server>, FileError> {
    // Before it is opened: opening a pipe would wait for somebody who writes into it.
    if !fs::metadata(path)?.is_file() {
        return Err(FileError::NotRegular);
    }
    let mut bytes = Vec::new();
    File::open(path)?
        .take(MAX_LEN + 1)
        .read_to_end(&mut bytes)?;
    if bytes.len() as u64 > MAX_LEN {
        return Err(FileError::TooLong);
    }
    let kept: Kept = serde_json::from_slice(&bytes)?;
    if kept.format != FORMAT {
        return Err(FileError::Format(kept.format));
    }
    Ok(kept.servers)
}

/// Writes another file and puts it in the place of the first, so that there is a whole one at any
/// time.
fn write(path: &Path, servers: Vec<Server>) -> Result<(), String> {
    let failed = |error: &dyn std::fmt::Display, hint: &str| {
        format!(
            "the fleet cannot be kept in {}: {error}{hint}",
            path.display()
        )
    };
    // Of a link it is the file behind it that is replaced.
    let path = &fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    match fs::metadata(path).map(|there| there.is_file()) {
        // A device or a pipe is not to be replaced by a file.
        Ok(false) => return Err(failed(&FileError::NotRegular, "")),
        // Nor is what we may not read, and therefore have not read: it is somebody else's.
        Ok(true) => match File::open(path) {
            Err(error) if error.kind() == io::ErrorKind::PermissionDenied => {
                return Err(failed(&error, &hint(path, &error)));
            }
            _ => {}
        },
        Err(_) => {}
    }
    let kept = Kept {
        format: FORMAT.to_owned(),
        servers,
    };
    let text = serde_json::to_vec(&kept).map_err(|error| failed(&error, ""))?;
    let next = beside(path, ".new");
    replace(&next, path, &text).map_err(|error| {
        let _ = fs::remove_file(&next);
        failed(&error, &hint(path, &error))
    })
}

fn replace(next: &Path, path: &Path, text: &[u8]) -> io::Result<()> {
    let mut file = OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o640)
        .open(next)?;
    file.write_all(text)?;
    file.sync_all()?;
    fs::rename(next, path)
}

fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    name.into()
}

/// To be changed when an older server could not read the file any more.
const FORMAT: &str = "srs-fleet-1";
/// Ten thousand servers with the longest names.
const MAX_LEN: u64 = 16 << 20;

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    fn servers() -> Vec<Server> {
        serde_json::from_str(
            r#"[{"device_id":"edge","ip":"10.0.0.1","peer":"","state":"up","first_seen_ms":1,
                "last_seen_ms":2,"age":0.5,"interval":10,"beats":3}]"#,
        )
        .unwrap()
    }

    #[test]
    fn what_was_written_is_read_and_nothing_else_is_left() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("fleet.json");
        assert_eq!(read_or_move_aside(&path), [], "not there yet");
        for _ in 0..2 {
            write(&path, servers()).unwrap();
            assert_eq!(read_or_move_aside(&path), servers());
        }
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn a_file_of_no_use_is_put_aside() {
        for (name, text) in [
            ("empty", ""),
            ("cut off", r#"{"format":"srs-fleet-1","servers":[{"device"#),
            ("nested", &"[".repeat(100_000)),
            ("of another program", r#"{"servers":[]}"#),
            ("of the future", r#"{"format":"srs-fleet-2","servers":[]}"#),
        ] {
            let folder = tempfile::tempdir().unwrap();
            let path = folder.path().join("fleet.json");
            fs::write(&path, text).unwrap();
            assert_eq!(read_or_move_aside(&path), [], "{name}");
            assert!(!path.exists(), "{name}");
            let aside = fs::read_to_string(beside(&path, ".broken")).unwrap();
            assert_eq!(aside, text, "{name}");
        }
    }

    #[test]
    fn a_file_without_end_is_not_read() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("fleet.json");
        File::create(&path).unwrap().set_len(MAX_LEN + 1).unwrap();
        assert!(matches!(read(&path), Err(FileError::TooLong)));
    }

    #[test]
    fn devices_and_folders_stay_what_they_are() {
        let folder = tempfile::tempdir().unwrap();
        let device = folder.path().join("device");
        symlink("/dev/null", &device).unwrap();
        for path in [folder.path(), &device] {
            assert_eq!(read_or_move_aside(path), []);
            let error = write(path, servers()).unwrap_err();
            assert!(error.ends_with("it is not a regular file"), "{error}");
        }
        assert!(device.is_symlink());
    }

    #[test]
    fn a_link_stays_one() {
        let folder = tempfile::tempdir().unwrap();
        let (file, link) = (folder.path().join("file"), folder.path().join("link"));
        write(&file, vec![]).unwrap();
        symlink(&file, &link).unwrap();
        write(&link, servers()).unwrap();
        assert!(link.is_symlink());
        assert_eq!(read_or_move_aside(&file), servers());
    }

    #[test]
    fn a_folder_that_is_missing_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let missing = folder.path().join("missing");
        let error = write(&missing.join("fleet.json"), servers()).unwrap_err();
        let hint = format!("(there is no directory {})", missing.display());
        assert!(error.ends_with(&hint), "{error}");
    }
}
