//! Whether journald has read what it was sent.
//!
//! It takes the unit of an entry's process from `/proc`, when it reads the entry: of a process that
//! has ended meanwhile it knows none, and `journalctl -u` leaves the entry out. What is written to
//! standard error has its unit from systemd.

use std::io;
use std::os::unix::net::UnixDatagram;
use std::path::Path;
use std::time::{Duration, Instant};

use socket2::SockRef;

/// Waits until all is read that was sent to the socket at `path` up to now, for `patience` at most;
/// false if it is not, or if that cannot be told.
///
/// Datagrams are read in the order in which they came. Empty ones are sent, which journald passes
/// over: the kernel counts each against the buffer of its sender until it is read, so that more can
/// be sent than the buffer holds only if the first ones have been read, and all before them.
pub(super) fn is_all_read(path: &Path, patience: Duration) -> bool {
    prober(path)
        .and_then(|socket| send_more_than_it_holds(&socket, patience))
        .is_ok()
}

/// A socket that is connected to `path`, and holds as little unread as the kernel lets it.
fn prober(path: &Path) -> io::Result<UnixDatagram> {
    let socket = UnixDatagram::unbound()?;
    socket.connect(path)?;
    SockRef::from(&socket).set_send_buffer_size(0)?;
    Ok(socket)
}

fn send_more_than_it_holds(socket: &UnixDatagram, patience: Duration) -> io::Result<()> {
    let until = Instant::now() + patience;
    for _ in 0..PROBES {
        let left = until.saturating_duration_since(Instant::now());
        // No time at all would mean for ever.
        socket.set_write_timeout(Some(left.max(Duration::from_millis(1))))?;
        socket.send(&[])?;
    }
    Ok(())
}

/// The smallest buffer holds a dozen of them at most: it is less than 5 KiB, and each takes the
/// kernel's own 350 bytes and more.
const PROBES: usize = 32;

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicBool, Ordering};
    use std::thread;

    use super::*;

    const SOON: Duration = Duration::from_secs(10);

    fn journal() -> (tempfile::TempDir, std::path::PathBuf, UnixDatagram) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("socket");
        let journal = UnixDatagram::bind(&path).unwrap();
        (folder, path, journal)
    }

    #[test]
    fn what_is_not_read_is_known_not_to_be() {
        let (_folder, path, journal) = journal();
        let sender = UnixDatagram::unbound().unwrap();
        sender.send_to(b"MESSAGE=cannot start\n", &path).unwrap();
        let began = Instant::now();
        assert!(!is_all_read(&path, Duration::from_millis(50)));
        assert!(began.elapsed() < SOON);
        drop(journal);
        assert!(!is_all_read(&path, SOON), "nobody is there");
    }

    #[test]
    fn what_is_read_late_is_waited_for() {
        let (_folder, path, journal) = journal();
        journal.set_read_timeout(Some(SOON)).unwrap();
        let sender = UnixDatagram::unbound().unwrap();
        sender.send_to(b"MESSAGE=cannot start\n", &path).unwrap();
        // It holds what it can before anything is read, so that not one more can be sent.
        let prober = prober(&path).unwrap();
        prober.set_nonblocking(true).unwrap();
        let held = (0..PROBES).take_while(|_| prober.send(&[]).is_ok()).count();
        assert!(held < PROBES, "{held} tell nothing");
        prober.set_nonblocking(false).unwrap();

        let is_read = AtomicBool::new(false);
        thread::scope(|scope| {
            scope.spawn(|| {
                let mut buffer = [0; 64];
                assert!(journal.recv(&mut buffer).unwrap() > 0);
                is_read.store(true, Ordering::SeqCst);
                for _ in 0..held + PROBES {
                    assert_eq!(journal.recv(&mut buffer).unwrap(), 0);
                }
            });
            send_more_than_it_holds(&prober, SOON).unwrap();
            assert!(is_read.load(Ordering::SeqCst));
        });
        // The whole of it, while somebody reads.
        thread::scope(|scope| {
            scope.spawn(|| {
                for _ in 0..PROBES {
                    assert_eq!(journal.recv(&mut [0; 64]).unwrap(), 0);
                }
            });
            assert!(is_all_read(&path, SOON));
        });
    }
}
