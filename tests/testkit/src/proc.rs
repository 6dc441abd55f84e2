//! What the kernel knows about a process, from `/proc`.

use std::fs;
use std::time::Duration;

use anyhow::{Context, Result};

/// `VmRSS` in kB. A zombie has none, which is an error.
pub(crate) fn rss_kb(pid: u32) -> Result<u64> {
    status_field(pid, "VmRSS:")
}

/// `Threads`.
pub(crate) fn threads(pid: u32) -> Result<u64> {
    status_field(pid, "Threads:")
}

/// Entries of `/proc/PID/fd`.
pub(crate) fn open_fds(pid: u32) -> Result<usize> {
    Ok(fs::read_dir(format!("/proc/{pid}/fd"))?.count())
}

/// User and system time of all threads.
pub(crate) fn cpu_time(pid: u32) -> Result<Duration> {
    let path = format!("/proc/{pid}/stat");
    let text = fs::read_to_string(&path).with_context(|| format!("cannot read {path}"))?;
    ticks(&text)
        .map(|ticks| TICK * ticks)
        .with_context(|| format!("{path} is odd: {text}"))
}

/// `utime` and `stime`, fields 14 and 15; the name before them, in brackets, may contain anything.
fn ticks(stat: &str) -> Option<u32> {
    let (_, after_name) = stat.rsplit_once(')')?;
    let mut fields = after_name.split_whitespace().skip(11);
    let user: u32 = fields.next()?.parse().ok()?;
    let system: u32 = fields.next()?.parse().ok()?;
    Some(user + system)
}

fn status_field(pid: u32, name: &str) -> Result<u64> {
    let path = format!("/proc/{pid}/status");
    let text = fs::read_to_string(&path).with_context(|| format!("cannot read {path}"))?;
    text.lines()
        .find_map(|line| {
            line.strip_prefix(name)?
                .split_whitespace()
                .next()?
                .parse()
                .ok()
        })
        .with_context(|| format!("{path} has no {name}"))
}

/// `USER_HZ`, which is 100 on every Linux that programs see.
const TICK: Duration = Duration::from_millis(10);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_process_has_memory_threads_and_descriptors() {
        let own = std::process::id();
        assert!(rss_kb(own).unwrap() > 100);
        assert!(threads(own).unwrap() >= 1);
        assert!(open_fds(own).unwrap() >= 3);
        cpu_time(own).unwrap();
    }

    #[test]
    fn times_are_found_behind_any_name() {
        let stat = "7 (a) b (c) S 1 7 7 0 -1 4194304 100 0 0 0 12 30 0 0 20 0 1 0 5 6 7";
        assert_eq!(ticks(stat), Some(42));
    }
}
