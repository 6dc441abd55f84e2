//! How the host is read: files below a root, which tests make themselves, and programs, which get
//! little time.

use std::env;
use std::fs::{self, File};
use std::io::{self, BufReader, Read as _};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

/// Where the files of the host are.
#[derive(Clone, Debug)]
pub(super) struct Root(PathBuf);

impl Root {
    /// The host itself.
    pub(super) fn host() -> Self {
        Self("/".into())
    }

    /// A folder that looks like one.
    #[cfg(test)]
    pub(super) fn of(folder: &Path) -> Self {
        Self(folder.to_owned())
    }

    /// Where `path` is. A relative one is that of the working directory.
    pub(super) fn at(&self, path: impl AsRef<Path>) -> PathBuf {
        let path = path.as_ref();
        match path.strip_prefix("/") {
            Ok(below) => self.0.join(below),
            Err(_) => path.to_owned(),
        }
    }

    /// What stands in the file.
    pub(super) fn text(&self, path: &str) -> Option<String> {
        let mut text = Vec::new();
        let file = File::open(self.at(path)).ok()?;
        file.take(MOST_BYTES).read_to_end(&mut text).ok()?;
        Some(String::from_utf8_lossy(&text).into_owned())
    }

    /// The file, to be read line by line.
    pub(super) fn lines(&self, path: &str) -> io::Result<BufReader<File>> {
        File::open(self.at(path)).map(BufReader::new)
    }

    /// The numbers in the file.
    pub(super) fn numbers(&self, path: &str) -> Vec<u64> {
        let text = self.text(path).unwrap_or_default();
        text.split_whitespace()
            .map_while(|word| word.parse().ok())
            .collect()
    }

    /// The only number in the file.
    pub(super) fn number(&self, path: &str) -> Option<u64> {
        self.numbers(path).first().copied()
    }

    /// Whether something is there.
    pub(super) fn has(&self, path: &str) -> bool {
        fs::symlink_metadata(self.at(path)).is_ok()
    }
}

/// The file that a shell would run as `program`.
pub(super) fn program(program: &str) -> Option<PathBuf> {
    let folders = env::var_os("PATH")?;
    // Tools for root are in no user's PATH on Debian.
    let all = env::split_paths(&folders).chain(["/usr/sbin".into(), "/sbin".into()]);
    all.map(|folder| folder.join(program)).find(|file| {
        let found = fs::metadata(file);
        found.is_ok_and(|found| found.is_file() && found.permissions().mode() & 0o111 != 0)
    })
}

/// What `program` prints, if it can be run and ends well within its time.
pub(super) fn printed(program: &Path, arguments: &[&str]) -> Option<String> {
    let child = Command::new(program)
        .args(arguments)
        // What is read here is read in one language.
        .env("LC_ALL", "C")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn();
    let mut child = Running(child.ok()?);
    let mut stdout = child.0.stdout.take()?.take(MOST_BYTES);
    let (send, receive) = mpsc::channel();
    thread::spawn(move || {
        let mut bytes = Vec::new();
        let result = stdout.read_to_end(&mut bytes).map(|_| bytes);
        // Nobody waits any more if it took too long.
        let _ = send.send(result);
    });
    let bytes = receive.recv_timeout(PATIENCE).ok()?.ok()?;
    let status = child.end_within(PATIENCE)?;
    status
        .success()
        .then(|| String::from_utf8_lossy(&bytes).into_owned())
}

/// A child that is not left behind.
struct Running(Child);

impl Running {
    /// How it ended; `None` if it does not, though it says no more.
    fn end_within(&mut self, patience: Duration) -> Option<ExitStatus> {
        let until = Instant::now() + patience;
        loop {
            if let Some(status) = self.0.try_wait().ok()? {
                return Some(status);
            }
            if Instant::now() >= until {
                return None;
            }
            thread::sleep(BETWEEN_LOOKS);
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // An error means that it has ended.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// No file or answer that is read has more: 20,000 sockets are 3 MB.
const MOST_BYTES: u64 = 64 << 20;
/// What hangs says nothing about the host but that.
const PATIENCE: Duration = Duration::from_secs(5);
/// The kernel wakes nobody for the end of one child among several.
const BETWEEN_LOOKS: Duration = Duration::from_millis(2);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn programs_are_found_and_heard() {
        let sh = program("sh").unwrap();
        assert_eq!(printed(&sh, &["-c", "echo $LC_ALL"]).unwrap(), "C\n");
        assert_eq!(printed(&sh, &["-c", "echo a; exit 1"]), None);
        assert_eq!(program("no-such-program"), None);
        let closed = Command::new(&sh).args(["-c", "exec sleep 60"]).spawn();
        let mut lives_on = Running(closed.unwrap());
        assert_eq!(lives_on.end_within(Duration::from_millis(20)), None);
    }

    #[test]
    fn files_are_those_below_the_root() {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir_all(folder.path().join("proc/sys")).unwrap();
        fs::write(folder.path().join("proc/sys/a"), "4096\t87380  x\n").unwrap();
        let root = Root::of(folder.path());
        assert_eq!(root.numbers("/proc/sys/a"), [4096, 87380]);
        assert_eq!(root.number("/proc/sys/b"), None);
        assert!(root.has("/proc/sys/a") && !root.has("/proc/sys/b"));
        assert_eq!(root.at("a/b"), Path::new("a/b"));
    }
}
