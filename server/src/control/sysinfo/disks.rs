//! The file systems that the server writes to: how full they are, and when they will be.

use std::collections::{BTreeMap, VecDeque};
use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use rustix::fs::statvfs;
use srs_api::Disk;

/// Looks at file systems, and remembers what was free on each.
#[derive(Debug, Default)]
pub(super) struct Disks {
    /// By device id.
    trends: BTreeMap<u64, Trend>,
}

impl Disks {
    /// The file systems that `folders` are on, each once, under the first folder that is on it.
    /// What is not there, or has no size, is left out. May block for as long as a disk hangs.
    pub(super) fn look(&mut self, folders: &[PathBuf], now: Instant) -> Vec<Disk> {
        let mut disks = Vec::new();
        let mut seen = Vec::new();
        for folder in folders {
            let Ok(space) = Space::of(folder) else {
                continue;
            };
            if space.total == 0 || seen.contains(&space.device) {
                continue;
            }
            seen.push(space.device);
            let trend = self.trends.entry(space.device).or_default();
            trend.add(now, space.free);
            disks.push(Disk {
                path: folder.display().to_string(),
                total_bytes: space.total,
                free_bytes: space.free,
                full_in: trend.full_in(),
                // That is judged where it is reported.
                is_scarce: false,
            });
        }
        // Another log file, another disk.
        self.trends.retain(|device, _| seen.contains(device));
        disks
    }
}

struct Space {
    device: u64,
    total: u64,
    free: u64,
}

impl Space {
    fn of(folder: &Path) -> io::Result<Self> {
        let device = fs::metadata(folder)?.dev();
        let space = statvfs(folder)?;
        Ok(Self {
            device,
            total: space.f_blocks.saturating_mul(space.f_frsize),
            // Without what is kept back for root.
            free: space.f_bavail.saturating_mul(space.f_frsize),
        })
    }
}

/// What was free on a file system during the last hour.
#[derive(Debug, Default)]
struct Trend {
    /// Some time apart, the newest last.
    looks: VecDeque<(Instant, u64)>,
    last: Option<(Instant, u64)>,
}

impl Trend {
    fn add(&mut self, now: Instant, free: u64) {
        self.last = Some((now, free));
        let newest = self.looks.back();
        if newest.is_none_or(|(then, _)| now.saturating_duration_since(*then) >= APART) {
            self.looks.push_back((now, free));
        }
        let is_old = |(then, _): &(Instant, u64)| now.saturating_duration_since(*then) > WINDOW;
        while self.looks.front().is_some_and(is_old) {
            self.looks.pop_front();
        }
    }

    /// In how many seconds nothing is free, by the straight line that lies closest to all that was
    /// seen: a file that is deleted, or a burst, does not turn it round. `None` if it does not
    /// shrink, or was not seen for long enough.
    fn full_in(&self) -> Option<f64> {
        let ((first, _), (now, free)) = (*self.looks.front()?, self.last?);
        if now.saturating_duration_since(first) < LEAST {
            return None;
        }
        let points = || {
            let looks = self.looks.iter().chain(&self.last);
            // Bytes from now: the differences are small enough to be exact.
            looks.map(|(then, bytes)| {
                let seconds = then.saturating_duration_since(first).as_secs_f64();
                (seconds, *bytes as f64 - free as f64)
            })
        };
        let count = points().count() as f64;
        let sum = |of: fn((f64, f64)) -> f64| points().map(of).sum::<f64>();
        let (mean_x, mean_y) = (sum(|(x, _)| x) / count, sum(|(_, y)| y) / count);
        let (mut products, mut squares) = (0.0, 0.0);
        for (x, y) in points() {
            products += (x - mean_x) * (y - mean_y);
            squares += (x - mean_x) * (x - mean_x);
        }
        let per_second = products / squares;
        (per_second < 0.0).then(|| free as f64 / -per_second)
    }
}

/// What happened before it says little of what will.
const WINDOW: Duration = Duration::from_secs(3_600);
/// A shorter time says nothing of an hour.
const LEAST: Duration = Duration::from_secs(60);
/// 120 looks are enough for a line through an hour.
const APART: Duration = Duration::from_secs(30);

#[cfg(test)]
mod tests {
    use super::*;

    /// What a disk tells that was looked at every six seconds.
    fn trend(seconds: u64, free: impl Fn(u64) -> u64) -> Trend {
        let (mut trend, start) = (Trend::default(), Instant::now());
        for at in (0..=seconds).step_by(6) {
            trend.add(start + Duration::from_secs(at), free(at));
        }
        trend
    }

    #[test]
    fn a_disk_that_fills_is_full_at_some_time() {
        let full_in = |trend: Trend| trend.full_in().map(f64::round);
        let falls = |at| 1_000_000_000_000 - at * 1_000_000;
        assert_eq!(full_in(trend(54, falls)), None, "too early");
        assert_eq!(full_in(trend(60, falls)), Some(999_940.0));
        assert_eq!(full_in(trend(3_000, falls)), Some(997_000.0));
        assert_eq!(full_in(trend(60, |_| 5)), None, "it stays");
        assert_eq!(full_in(trend(60, |at| 5 + at)), None, "it gets emptier");
        assert_eq!(full_in(trend(60, |at| 60 - at)), Some(0.0), "it is full");
        // Only the last hour counts.
        let stops = |at: u64| 10_000_000 - at.min(3_600) * 1_000;
        assert_eq!(full_in(trend(9_000, stops)), None);
        let trend = trend(100_000, falls);
        assert!(trend.looks.len() <= 121, "{}", trend.looks.len());
    }

    #[test]
    fn each_file_system_is_told_once() {
        let folder = tempfile::tempdir().unwrap();
        let below = folder.path().join("below");
        fs::create_dir(&below).unwrap();
        let folders = [folder.path().to_owned(), below, "/no/such/folder".into()];
        let mut disks = Disks::default();
        let told = disks.look(&folders, Instant::now());
        assert_eq!(told.len(), 1, "{told:?}");
        assert_eq!(told[0].path, folder.path().to_str().unwrap());
        assert!(told[0].total_bytes >= told[0].free_bytes && told[0].total_bytes > 0);
        assert_eq!(told[0].full_in, None);
        assert!(disks.look(&[], Instant::now()).is_empty());
        assert!(disks.trends.is_empty());
    }
}
