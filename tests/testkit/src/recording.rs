//! A player that writes what it sees into a file.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::Result;
use tempfile::TempDir;

use crate::{Log, Packets, Process, SOON, ffmpeg, wait_until};

/// A player at work, and its file.
#[derive(Debug)]
pub struct Recording {
    process: Process,
    file: PathBuf,
    /// Held for a player that may not write where the test does.
    _folder: Option<TempDir>,
}

impl Recording {
    pub(crate) fn new(process: Process, file: PathBuf, folder: Option<TempDir>) -> Self {
        Self {
            process,
            file,
            _folder: folder,
        }
    }

    /// The file, which grows.
    #[must_use]
    pub fn file(&self) -> &Path {
        &self.file
    }

    /// How many bytes are in the file.
    #[must_use]
    pub fn size(&self) -> u64 {
        fs::metadata(&self.file).map_or(0, |metadata| metadata.len())
    }

    /// What the player says.
    #[must_use]
    pub fn log(&self) -> &Log {
        self.process.log()
    }

    /// The player itself, to freeze or to measure.
    pub fn process(&mut self) -> &mut Process {
        &mut self.process
    }

    /// Waits until the file has at least so many bytes.
    ///
    /// # Errors
    /// If it does not have them within `bound`.
    pub fn wait_for_size(&self, bytes: u64, bound: Duration) -> Result<()> {
        let what = format!("{bytes} bytes from {}", self.process.name());
        wait_until(bound, &what, || self.size() >= bytes)
    }

    /// Waits until the file has got `bytes` more than it has now.
    ///
    /// # Errors
    /// If it does not get them within `bound`.
    pub fn wait_for_more(&self, bytes: u64, bound: Duration) -> Result<()> {
        self.wait_for_size(self.size() + bytes, bound)
    }

    /// Waits until the player has seen enough, or the server ended the stream, and gives what is in
    /// the file.
    ///
    /// # Errors
    /// If it does not end within `bound`, ends badly, or has nothing to show.
    pub fn finish(&mut self, bound: Duration) -> Result<Packets> {
        self.process.succeed(bound)?;
        ffmpeg::packets(&self.file)
    }

    /// Asks the player to end and gives what is in the file.
    ///
    /// # Errors
    /// If it had ended before, does not end soon, or has nothing to show.
    pub fn stop(&mut self) -> Result<Packets> {
        self.process.interrupt()?;
        // Players say with their status that they were interrupted.
        self.process.wait(SOON)?;
        ffmpeg::packets(&self.file)
    }
}
