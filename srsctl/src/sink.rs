//! Where results go: a file or standard output, written on a thread of its own.
//!
//! A disk or a reader that is slow then holds up neither the connection nor Ctrl-C. The queue to
//! the thread is bounded; when it is full the writer waits.

use std::fs::File;
use std::io::{self, BufWriter, Write as _};
use std::os::fd::AsFd as _;
use std::os::unix::fs::FileExt as _;
use std::path::Path;
use std::thread;

use bytes::Bytes;
use tokio::sync::{mpsc, oneshot};

/// The writing end. What was written is handed to the kernel as soon as nothing more waits.
#[derive(Debug)]
pub(crate) struct Sink {
    orders: mpsc::Sender<Order>,
    /// How the writing went; `None` once that was told.
    result: Option<oneshot::Receiver<io::Result<()>>>,
}

#[derive(Debug)]
enum Order {
    Append(Bytes),
    Overwrite { offset: u64, bytes: Bytes },
}

impl Sink {
    /// A new file at `path`; one that is there is overwritten.
    ///
    /// # Errors
    /// It cannot be made.
    pub(crate) fn file(path: &Path) -> io::Result<Self> {
        let file = File::create(path)?;
        // A pipe or a device can be written to like a file, but has nothing to sync.
        let is_file = file.metadata()?.is_file();
        Self::start(file, is_file)
    }

    /// Standard output.
    ///
    /// # Errors
    /// There is none.
    pub(crate) fn stdout() -> io::Result<Self> {
        let stdout = io::stdout().as_fd().try_clone_to_owned()?;
        Self::start(File::from(stdout), false)
    }

    fn start(file: File, is_file: bool) -> io::Result<Self> {
        let (orders, queue) = mpsc::channel(QUEUE);
        let (report, result) = oneshot::channel();
        thread::Builder::new()
            .name("writer".to_owned())
            .spawn(move || {
                // Nobody waits for the result if the program is about to end anyway.
                let _ = report.send(write(file, is_file, queue));
            })?;
        Ok(Self {
            orders,
            result: Some(result),
        })
    }

    /// Appends `bytes`, and waits where there is no room in the queue. What is cancelled is not
    /// written at all.
    ///
    /// # Errors
    /// An earlier write failed. [`io::ErrorKind::BrokenPipe`]: the reader has gone.
    pub(crate) async fn append(&mut self, bytes: Bytes) -> io::Result<()> {
        self.order(Order::Append(bytes)).await
    }

    /// Puts `bytes` over those at `offset` of a file; elsewhere this does nothing.
    ///
    /// # Errors
    /// As [`Sink::append`].
    pub(crate) async fn overwrite(&mut self, offset: u64, bytes: Bytes) -> io::Result<()> {
        self.order(Order::Overwrite { offset, bytes }).await
    }

    async fn order(&mut self, order: Order) -> io::Result<()> {
        if self.orders.send(order).await.is_ok() {
            return Ok(());
        }
        if let Some(result) = self.result.take() {
            Self::told(result).await?;
        }
        Err(io::ErrorKind::BrokenPipe.into())
    }

    /// Waits until everything is written, a file down to the disk.
    ///
    /// # Errors
    /// Something could not be written, and that was not told yet.
    pub(crate) async fn finish(self) -> io::Result<()> {
        drop(self.orders);
        match self.result {
            Some(result) => Self::told(result).await,
            None => Ok(()),
        }
    }

    /// What the thread has to tell.
    async fn told(result: oneshot::Receiver<io::Result<()>>) -> io::Result<()> {
        result
            .await
            .unwrap_or_else(|_| Err(io::ErrorKind::BrokenPipe.into()))
    }
}

/// Prints all of `text` on standard output. A reader that leaves is content with what it got.
///
/// # Errors
/// It cannot be written.
pub(crate) async fn print(text: impl Into<Bytes>) -> io::Result<()> {
    let written = async {
        let mut sink = Sink::stdout()?;
        sink.append(text.into()).await?;
        sink.finish().await
    };
    unless_reader_left(written.await)
}

/// A reader that has left is content with what it got: `result`, unless that is what went wrong.
///
/// # Errors
/// All others.
pub(crate) fn unless_reader_left(result: io::Result<()>) -> io::Result<()> {
    match result {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        result => result,
    }
}

fn write(file: File, is_file: bool, mut queue: mpsc::Receiver<Order>) -> io::Result<()> {
    let mut writer = BufWriter::with_capacity(BUFFER, file);
    while let Some(order) = queue.blocking_recv() {
        match order {
            Order::Append(bytes) => writer.write_all(&bytes)?,
            Order::Overwrite { offset, bytes } => {
                if is_file {
                    writer.flush()?;
                    writer.get_ref().write_all_at(&bytes, offset)?;
                }
            }
        }
        if queue.is_empty() {
            writer.flush()?;
        }
    }
    writer.flush()?;
    if is_file {
        writer.get_ref().sync_all()
    } else {
        Ok(())
    }
}

/// What messages call standard output.
pub(crate) const STDOUT: &str = "standard output";
/// Packets or lines that may wait for the disk: seconds of media.
const QUEUE: usize = 256;
/// Bytes that are handed to the kernel at once, where so many wait.
const BUFFER: usize = 64 * 1024;

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn block_on<F: Future>(future: F) -> F::Output {
        tokio::runtime::Builder::new_current_thread()
            .build()
            .unwrap()
            .block_on(future)
    }

    #[test]
    fn a_file_has_everything_in_order_and_what_was_put_over_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        fs::write(&path, "something longer from earlier").unwrap();
        block_on(async {
            let mut sink = Sink::file(&path).unwrap();
            for part in ["one ", "two ", "three"] {
                sink.append(part.into()).await.unwrap();
            }
            sink.overwrite(4, "2".into()).await.unwrap();
            sink.append(".".into()).await.unwrap();
            sink.finish().await.unwrap();
        });
        assert_eq!(fs::read_to_string(&path).unwrap(), "one 2wo three.");
    }

    #[test]
    fn a_full_disk_is_told_with_its_reason() {
        block_on(async {
            let mut sink = Sink::file(Path::new("/dev/full")).unwrap();
            let error = loop {
                if let Err(error) = sink.append(Bytes::from_static(&[0; 4096])).await {
                    break error;
                }
            };
            assert_eq!(error.kind(), io::ErrorKind::StorageFull);
            assert!(sink.finish().await.is_ok(), "and only once");
        });
    }

    #[test]
    fn what_fails_last_is_told_at_the_end() {
        block_on(async {
            let mut sink = Sink::file(Path::new("/dev/full")).unwrap();
            sink.append("x".into()).await.unwrap();
            let error = sink.finish().await.unwrap_err();
            assert_eq!(error.kind(), io::ErrorKind::StorageFull);
        });
    }
}
