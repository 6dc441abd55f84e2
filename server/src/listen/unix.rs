//! Unix sockets to listen on: their files, and whose they are.
//!
//! A file outlives a server that crashes. Whether anybody accepts behind it shows when one
//! connects: a file of nobody is replaced, one of somebody is left alone.

use std::io;
use std::os::unix::fs::{
    DirBuilderExt as _, FileTypeExt as _, MetadataExt as _, PermissionsExt as _, lchown,
};
use std::path::{Path, PathBuf};

use nix::unistd::{Gid, Group, geteuid};
use socket2::{Domain, SockAddr, Socket, Type};
use tokio::net::UnixListener;

use super::BACKLOG;
use crate::control::logging::MessageId;
use crate::control::open_error::hint;

/// Why a unix socket cannot be listened at.
#[derive(Debug, thiserror::Error)]
pub enum UnixError {
    /// Somebody accepts there.
    #[error(
        "cannot listen on unix:{}: another server accepts there; `ss -lxp` shows which", path.display()
    )]
    InUse {
        /// The socket.
        path: PathBuf,
    },
    /// There is something else.
    #[error("cannot listen on unix:{}: there is a file that is no socket", path.display())]
    NoSocket {
        /// The file.
        path: PathBuf,
    },
    /// Anything else.
    #[error("cannot listen on unix:{}{hint}", path.display())]
    Other {
        /// The socket.
        path: PathBuf,
        /// What is wrong with the place, in parentheses, if that can be told.
        hint: String,
        /// What the system said.
        source: io::Error,
    },
}

impl UnixError {
    fn new(path: &Path, source: io::Error) -> Self {
        Self::Other {
            path: path.into(),
            hint: hint(path, &source),
            source,
        }
    }
}

/// The file of a socket that listens here. Dropping it removes the file, unless somebody has put
/// another in its place.
#[derive(Debug)]
pub struct SocketFile {
    path: PathBuf,
    id: (u64, u64),
}

impl SocketFile {
    fn of(path: &Path) -> io::Result<Self> {
        Ok(Self {
            path: path.into(),
            id: id_of(path)?,
        })
    }

    /// Whether it is still there, and nobody has removed it or put another in its place.
    #[must_use]
    pub fn is_there(&self) -> bool {
        id_of(&self.path).is_ok_and(|id| id == self.id)
    }

    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for SocketFile {
    fn drop(&mut self) {
        if self.is_there() {
            // Who removes it before us has done our work.
            let _ = std::fs::remove_file(&self.path);
        }
    }
}

/// Device and inode, which tell one file from another of the same name.
pub(super) fn id_of(path: &Path) -> io::Result<(u64, u64)> {
    let metadata = std::fs::symlink_metadata(path)?;
    Ok((metadata.dev(), metadata.ino()))
}

/// Listens at `path`, for the server's user and group (0660); where root starts the server, for the
/// group `srs`, if there is one.
///
/// # Errors
/// [`UnixError`]: somebody accepts there, or the file cannot be made.
pub fn bind(path: &Path) -> Result<(UnixListener, SocketFile), UnixError> {
    let failed = |source| UnixError::new(path, source);
    let address = SockAddr::unix(path).map_err(failed)?;
    let socket = Socket::new(Domain::UNIX, Type::STREAM, None).map_err(failed)?;
    socket.set_nonblocking(true).map_err(failed)?;
    match socket.bind(&address) {
        Err(error) if error.kind() == io::ErrorKind::AddrInUse => {
            remove_stale(path, &address)?;
            socket.bind(&address).map_err(failed)?;
        }
        bound => bound.map_err(failed)?,
    }
    let file = SocketFile::of(path).map_err(failed)?;
    // Before anybody can connect; the umask belongs to the whole process.
    if geteuid().is_root()
        && let Some(group) = group_of(GROUP)
    {
        lchown(path, None, Some(group.as_raw())).map_err(failed)?;
    }
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(MODE)).map_err(failed)?;
    socket.listen(BACKLOG).map_err(failed)?;
    let listener = UnixListener::from_std(socket.into()).map_err(failed)?;
    Ok((listener, file))
}

/// Removes the socket at `path` if nobody accepts behind it.
fn remove_stale(path: &Path, address: &SockAddr) -> Result<(), UnixError> {
    let failed = |source| UnixError::new(path, source);
    let metadata = std::fs::symlink_metadata(path).map_err(failed)?;
    if !metadata.file_type().is_socket() {
        return Err(UnixError::NoSocket { path: path.into() });
    }
    let probe = Socket::new(Domain::UNIX, Type::STREAM, None).map_err(failed)?;
    probe.set_nonblocking(true).map_err(failed)?;
    match probe.connect(address) {
        Err(error) if error.kind() == io::ErrorKind::ConnectionRefused => {
            std::fs::remove_file(path).map_err(failed)
        }
        // Gone meanwhile.
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        // A server whose backlog is full answers that it would block.
        Ok(()) => Err(UnixError::InUse { path: path.into() }),
        Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
            Err(UnixError::InUse { path: path.into() })
        }
        Err(error) => Err(failed(error)),
    }
}

/// Listens at the default place of the API: `first`, whose folder is made if that can be done, else
/// `srs/api.sock` in `runtime_folder` (`$XDG_RUNTIME_DIR`), which is the user's own. `None`, with a
/// warning in the log, if neither can be had: nobody has asked for it.
pub fn bind_default(
    first: &Path,
    runtime_folder: Option<&Path>,
) -> Option<(UnixListener, SocketFile)> {
    let refused = match bind_in_folder(first, FOLDER_MODE) {
        Ok(bound) => return Some(bound),
        Err(error) => error,
    };
    let instead =
        runtime_folder.map(|folder| bind_in_folder(&folder.join("srs/api.sock"), OWN_FOLDER_MODE));
    match instead {
        Some(Ok(bound)) => {
            tracing::debug!(
                error = &refused as &dyn std::error::Error,
                "the API gives way"
            );
            Some(bound)
        }
        Some(Err(error)) => {
            tell_in_vain(&error);
            None
        }
        None => {
            tell_in_vain(&refused);
            None
        }
    }
}

/// Listens at `path`, whose folder is made with this mode if it is not there.
fn bind_in_folder(path: &Path, mode: u32) -> Result<(UnixListener, SocketFile), UnixError> {
    let made = path.parent().map_or(Ok(()), |folder| {
        std::fs::DirBuilder::new().mode(mode).create(folder)
    });
    match made {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => {
            Err(UnixError::new(path, error))
        }
        Ok(()) | Err(_) => bind(path),
    }
}

fn tell_in_vain(error: &UnixError) {
    tracing::warn!(
        message_id = MessageId::ApiNotServed.as_str(),
        error = error as &dyn std::error::Error,
        "the API is not served; http_api.listen can name another place for it"
    );
}

/// The group of this name, if the host has it.
fn group_of(name: &str) -> Option<Gid> {
    match Group::from_name(name) {
        Ok(group) => group.map(|group| group.gid),
        Err(error) => {
            tracing::debug!("cannot tell whether there is a group {name}: {error}");
            None
        }
    }
}

/// The group that the packages make for those who operate the server.
const GROUP: &str = "srs";
/// The folder that systemd would have made: whoever may use the socket must get there.
const FOLDER_MODE: u32 = 0o755;
/// A folder of the user alone.
const OWN_FOLDER_MODE: u32 = 0o700;
/// The server's user and group may connect: whoever can write to a socket can.
const MODE: u32 = 0o660;

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::net::{UnixListener as StdListener, UnixStream};

    use super::*;

    #[tokio::test]
    async fn the_file_is_for_user_and_group_and_goes_with_its_owner() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("api.sock");
        let (listener, file) = bind(&path).unwrap();
        assert_eq!(file.path(), path);
        assert_eq!(
            fs::metadata(&path).unwrap().permissions().mode() & 0o777,
            0o660
        );
        UnixStream::connect(&path).unwrap();
        drop((listener, file));
        assert!(!path.exists());
    }

    #[tokio::test]
    async fn the_file_is_for_the_group_of_operators_where_root_makes_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("api.sock");
        let _bound = bind(&path).unwrap();
        // As the system's own files have it.
        let groups = fs::read_to_string("/etc/group").unwrap();
        let operators = groups.lines().find_map(|line| line.strip_prefix("srs:x:"));
        let operators = operators.map(|rest| rest.split(':').next().unwrap().parse().unwrap());
        let own = fs::metadata(folder.path()).unwrap();
        let expected = operators
            .filter(|_| own.uid() == 0)
            .unwrap_or_else(|| own.gid());
        assert_eq!(fs::metadata(&path).unwrap().gid(), expected);
    }

    #[test]
    fn a_group_is_found_by_its_name() {
        assert_eq!(group_of("root"), Some(Gid::from_raw(0)));
        assert_eq!(group_of("no-such-group"), None);
    }

    #[tokio::test]
    async fn a_file_left_by_a_crash_is_replaced() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("api.sock");
        drop(StdListener::bind(&path).unwrap());
        assert!(path.exists());
        let _bound = bind(&path).unwrap();
        UnixStream::connect(&path).unwrap();
    }

    #[tokio::test]
    async fn what_is_somebody_elses_is_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("api.sock");
        let other = StdListener::bind(&path).unwrap();
        let error = bind(&path).unwrap_err();
        assert!(matches!(error, UnixError::InUse { .. }), "{error}");
        UnixStream::connect(&path).unwrap();
        drop(other);

        let text = folder.path().join("text");
        fs::write(&text, "mine").unwrap();
        let error = bind(&text).unwrap_err();
        assert!(matches!(error, UnixError::NoSocket { .. }), "{error}");
        assert_eq!(fs::read_to_string(&text).unwrap(), "mine");

        // Another server's file in the place of ours.
        let ours = folder.path().join("ours.sock");
        let (listener, file) = bind(&ours).unwrap();
        fs::rename(&ours, folder.path().join("moved.sock")).unwrap();
        let _successor = StdListener::bind(&ours).unwrap();
        drop((listener, file));
        UnixStream::connect(&ours).unwrap();
    }

    #[tokio::test]
    async fn a_place_that_cannot_be_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let missing = folder.path().join("missing");
        let error = bind(&missing.join("api.sock")).unwrap_err().to_string();
        let hint = format!(" (there is no directory {})", missing.display());
        assert!(error.ends_with(&hint), "{error}");
    }

    #[tokio::test]
    async fn the_default_gives_way_to_the_users_own_folder() {
        let folder = tempfile::tempdir().unwrap();
        let first = folder.path().join("api.sock");
        let _other = StdListener::bind(&first).unwrap();
        let (_listener, file) = bind_default(&first, Some(folder.path())).unwrap();
        assert_eq!(file.path(), folder.path().join("srs/api.sock"));
        let mode = fs::metadata(folder.path().join("srs"))
            .unwrap()
            .permissions()
            .mode();
        assert_eq!(mode & 0o777, 0o700);
        assert!(bind_default(&first, Some(folder.path())).is_none());
        assert!(bind_default(&first, None).is_none());
        // Where the folder is missing, it is made.
        let (_listener, file) = bind_default(&folder.path().join("run/api.sock"), None).unwrap();
        assert!(file.is_there());
        fs::remove_file(file.path()).unwrap();
        assert!(!file.is_there());
    }
}
