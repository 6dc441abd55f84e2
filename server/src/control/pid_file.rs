//! The file that says which process the server is, and that keeps a second one from starting.
//!
//! For service managers other than systemd. The process holds a write lock of fcntl(2) over the
//! whole file for as long as it lives, so that a file left by a crash does not count, whatever
//! process has its number by then. Such a lock belongs to the process and ends when *any* of its
//! descriptors of the file is closed: nothing else in the server may open the file.

use std::fs::{File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use rustix::fs::{FlockOperation, fcntl_lock};
use rustix::io::Errno;
use rustix::process::{Flock, FlockOffsetType, FlockType, fcntl_getlk};
use thiserror::Error;

use super::open_error::hint;

/// A pid file of ours, removed when it is dropped.
#[derive(Debug)]
pub struct PidFile {
    path: PathBuf,
    /// Holds the lock.
    file: File,
}

impl PidFile {
    /// Creates `path`, or takes over one that nobody holds, and writes the process id into it, in
    /// decimal and with a newline. A new file can be read by everybody (0644).
    ///
    /// To be called by the process that stays: a child does not inherit the lock.
    ///
    /// # Errors
    /// [`PidFileError::Running`] if another process holds it; else what the system refused.
    pub fn create(path: impl Into<PathBuf>) -> Result<Self, PidFileError> {
        let path = path.into();
        let file = lock(&path)?;
        let pid_file = Self { path, file };
        pid_file.write().map_err(|source| PidFileError::Write {
            path: pid_file.path.clone(),
            source,
        })?;
        Ok(pid_file)
    }

    /// The file.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Whether `path` names this file, in whatever way. To open it again would end the lock.
    #[must_use]
    pub fn is_at(&self, path: &Path) -> bool {
        is_same(&self.file, path).unwrap_or(false)
    }

    fn write(&self) -> io::Result<()> {
        self.file.set_len(0)?;
        (&self.file).write_all(format!("{}\n", std::process::id()).as_bytes())
    }
}

impl Drop for PidFile {
    fn drop(&mut self) {
        // While the lock is still held, so that a server starting now finds either the lock or no
        // file. A file that somebody put in the place of ours is not ours to remove.
        if is_same(&self.file, &self.path).unwrap_or(false) {
            let _ = std::fs::remove_file(&self.path);
        }
    }
}

/// Why there is no pid file.
#[derive(Debug, Error)]
pub enum PidFileError {
    /// The file cannot be opened.
    #[error("cannot open the pid file {}{hint}", path.display())]
    Open {
        /// The file.
        path: PathBuf,
        /// What is wrong with the place, in parentheses, if that can be told.
        hint: String,
        /// What the system said.
        source: io::Error,
    },
    /// Another server holds the file.
    #[error(
        "already running{}, which holds the pid file {}",
        pid.map(|pid| format!(" as pid {pid}")).unwrap_or_default(),
        path.display()
    )]
    Running {
        /// The file.
        path: PathBuf,
        /// Who it is; `None` if neither the system nor the file tells.
        pid: Option<u32>,
    },
    /// The file cannot be locked.
    #[error("cannot lock the pid file {}", path.display())]
    Lock {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The process id cannot be written.
    #[error("cannot write the pid file {}", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

/// Opens and locks `path`.
fn lock(path: &Path) -> Result<File, PidFileError> {
    loop {
        let file = open(path)?;
        let locked = |source: io::Error| PidFileError::Lock {
            path: path.into(),
            source,
        };
        match fcntl_lock(&file, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => {}
            Err(Errno::ACCESS | Errno::AGAIN) => {
                return Err(PidFileError::Running {
                    path: path.into(),
                    pid: holder(&file),
                });
            }
            Err(error) => return Err(locked(error.into())),
        }
        // A server that ended since the file was opened has removed it, and what is locked now has
        // no name any more: the next attempt makes a new one. Each turn takes the end of another
        // server, so there are few.
        if is_same(&file, path).map_err(locked)? {
            return Ok(file);
        }
    }
}

/// Opens `path` without truncating it: until it is locked, it is another server's.
fn open(path: &Path) -> Result<File, PidFileError> {
    OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .mode(0o644)
        .open(path)
        .and_then(|file| {
            // Removing /dev/null at the end would help nobody.
            let is_file = file.metadata()?.is_file();
            if is_file {
                Ok(file)
            } else {
                Err(io::Error::other("it is not a regular file"))
            }
        })
        .map_err(|source| PidFileError::Open {
            path: path.into(),
            hint: hint(path, &source),
            source,
        })
}

/// Who holds the lock of `file`: as the system says, else as the file does, for a process of
/// another pid namespace has no number in ours.
fn holder(file: &File) -> Option<u32> {
    let whole = Flock {
        start: 0,
        length: 0,
        pid: None,
        typ: FlockType::WriteLock,
        offset_type: FlockOffsetType::Set,
    };
    let of_lock = fcntl_getlk(file, &whole)
        .ok()
        .flatten()
        .and_then(|held| held.pid);
    if let Some(pid) = of_lock {
        return u32::try_from(pid.as_raw_nonzero().get()).ok();
    }
    let mut text = String::new();
    file.take(32).read_to_string(&mut text).ok()?;
    text.trim().parse().ok()
}

/// Whether `path` still names `file`.
fn is_same(file: &File, path: &Path) -> io::Result<bool> {
    let ours = file.metadata()?;
    match std::fs::metadata(path) {
        Ok(named) => Ok((named.dev(), named.ino()) == (ours.dev(), ours.ino())),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use std::error::Error as _;
    use std::fs;
    use std::io::{BufRead, BufReader};
    use std::os::unix::fs::PermissionsExt;
    use std::process::{Child, Command, Stdio};

    use super::*;

    /// Where the process that [`hold_elsewhere`] starts finds its pid file.
    const HELD: &str = "SRS_TEST_HELD_PID_FILE";

    #[test]
    #[ignore = "holds a pid file for other tests, which start it in a process of its own"]
    fn holds_a_pid_file() {
        let Ok(path) = std::env::var(HELD) else {
            return;
        };
        let _held = PidFile::create(path).unwrap();
        println!("held");
        io::stdin().read_to_end(&mut Vec::new()).unwrap();
    }

    /// Another process that has created `path`. A lock of ours would not do: within one process
    /// such locks do not exclude each other.
    fn hold_elsewhere(path: &Path) -> Child {
        let (_, module) = module_path!().split_once("::").unwrap();
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args([
                "--ignored",
                "--nocapture",
                "--exact",
                &format!("{module}::holds_a_pid_file"),
            ])
            .env(HELD, path)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let output = BufReader::new(child.stdout.as_mut().unwrap());
        assert!(output.lines().any(|line| line.unwrap().ends_with("held")));
        child
    }

    #[test]
    fn the_file_holds_the_pid_for_everybody_and_goes_with_its_owner() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("srs.pid");
        let pid_file = PidFile::create(&path).unwrap();
        assert_eq!(
            fs::read_to_string(pid_file.path()).unwrap(),
            format!("{}\n", std::process::id())
        );
        // Whatever the umask: nobody else may write.
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o133, 0);
        let flags = rustix::io::fcntl_getfd(&pid_file.file).unwrap();
        assert!(flags.contains(rustix::io::FdFlags::CLOEXEC));
        drop(pid_file);
        assert!(!path.exists());
    }

    #[test]
    fn a_file_left_by_a_crash_is_taken_over() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("srs.pid");
        fs::write(&path, "1 and more than our pid is long\n").unwrap();
        let _pid_file = PidFile::create(&path).unwrap();
        assert_eq!(
            fs::read_to_string(&path).unwrap(),
            format!("{}\n", std::process::id())
        );
    }

    #[test]
    fn a_second_server_is_told_who_runs() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("srs.pid");
        let mut other = hold_elsewhere(&path);

        let error = PidFile::create(&path).unwrap_err();
        let expected = format!(
            "already running as pid {}, which holds the pid file {}",
            other.id(),
            path.display()
        );
        assert_eq!(error.to_string(), expected);
        assert_eq!(
            fs::read_to_string(&path).unwrap(),
            format!("{}\n", other.id())
        );

        other.kill().unwrap();
        other.wait().unwrap();
        assert!(path.exists(), "a killed server leaves its file");
        assert!(PidFile::create(&path).is_ok());
    }

    #[test]
    fn a_server_that_ends_makes_room_for_the_next() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("srs.pid");
        let mut other = hold_elsewhere(&path);
        drop(other.stdin.take());
        assert!(other.wait().unwrap().success());
        assert!(!path.exists());
        assert!(PidFile::create(&path).is_ok());
    }

    #[test]
    fn a_file_that_took_the_place_of_ours_is_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("srs.pid");
        let pid_file = PidFile::create(&path).unwrap();
        fs::rename(&path, folder.path().join("moved.pid")).unwrap();
        fs::write(&path, "somebody's\n").unwrap();
        drop(pid_file);
        assert_eq!(fs::read_to_string(&path).unwrap(), "somebody's\n");
    }

    #[test]
    fn the_file_is_known_by_every_name() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("srs.pid");
        let link = folder.path().join("link.pid");
        let pid_file = PidFile::create(&path).unwrap();
        std::os::unix::fs::symlink(&path, &link).unwrap();
        assert!(pid_file.is_at(&path));
        assert!(pid_file.is_at(&link));
        assert!(!pid_file.is_at(&folder.path().join("other.pid")));
    }

    #[test]
    fn a_place_that_cannot_be_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let missing = folder.path().join("missing");
        let cases = [
            (
                "no directory",
                missing.join("srs.pid"),
                format!(" (there is no directory {})", missing.display()),
                "No such file or directory (os error 2)",
            ),
            (
                "a directory",
                folder.path().into(),
                String::new(),
                "Is a directory (os error 21)",
            ),
            (
                "a device",
                "/dev/null".into(),
                String::new(),
                "it is not a regular file",
            ),
        ];
        for (name, path, hint, cause) in cases {
            let error = PidFile::create(&path).unwrap_err();
            let expected = format!("cannot open the pid file {}{hint}", path.display());
            assert_eq!(error.to_string(), expected, "{name}");
            assert_eq!(error.source().unwrap().to_string(), cause, "{name}");
        }
    }
}
