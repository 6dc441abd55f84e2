//! What the kernel knows about the server: processor time and memory, from proc(5).

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::time::Duration;

use rustix::param::clock_ticks_per_second;

/// The processes of a server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Processes {
    pids: Vec<u32>,
}

/// What they have used so far.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Usage {
    /// User and system time of all processes.
    cpu: Duration,
    threads: BTreeMap<(u32, u32), Thread>,
}

/// A thread's name, and what it has used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Thread {
    pub(super) name: String,
    pub(super) cpu: Duration,
}

impl Processes {
    /// The processes of these ids.
    ///
    /// # Errors
    /// The id that is none.
    pub(super) fn new(pids: &[u32]) -> Result<Self, u32> {
        let processes = Self {
            pids: pids.to_vec(),
        };
        let missing = pids
            .iter()
            .find(|pid| stat(&format!("/proc/{pid}")).is_err());
        missing.map_or(Ok(processes), |pid| Err(*pid))
    }

    pub(super) fn is_empty(&self) -> bool {
        self.pids.is_empty()
    }

    /// What they have used so far.
    ///
    /// # Errors
    /// One of them has ended.
    pub(super) fn usage(&self) -> io::Result<Usage> {
        let mut usage = Usage::default();
        for &pid in &self.pids {
            let process = stat(&format!("/proc/{pid}"))?;
            usage.cpu += process.cpu;
            for entry in fs::read_dir(format!("/proc/{pid}/task"))? {
                let entry = entry?;
                let Some(tid) = entry
                    .file_name()
                    .to_str()
                    .and_then(|name| name.parse().ok())
                else {
                    continue;
                };
                // A thread may end at any time.
                if let Ok(thread) = stat(&entry.path().to_string_lossy()) {
                    usage.threads.insert((pid, tid), thread);
                }
            }
        }
        Ok(usage)
    }

    /// The memory that they hold, in kB (`VmRSS`).
    ///
    /// # Errors
    /// One of them has ended.
    pub(super) fn rss_kb(&self) -> io::Result<u64> {
        let of = |pid| rss_kb(&fs::read_to_string(format!("/proc/{pid}/status"))?);
        self.pids.iter().map(of).sum()
    }
}

impl Usage {
    /// What was used since `before`: of all processes, and of each thread, the busiest first. What
    /// has ended in between counts in the sum alone.
    pub(super) fn since(&self, before: &Self) -> (Duration, Vec<Thread>) {
        let mut threads: Vec<_> = self
            .threads
            .iter()
            .map(|(id, thread)| {
                let earlier = before
                    .threads
                    .get(id)
                    .map_or(Duration::ZERO, |thread| thread.cpu);
                Thread {
                    name: thread.name.clone(),
                    cpu: thread.cpu.saturating_sub(earlier),
                }
            })
            .collect();
        threads.sort_by_key(|thread| std::cmp::Reverse(thread.cpu));
        (self.cpu.saturating_sub(before.cpu), threads)
    }
}

/// Name and times in the file `stat` of a process or a thread.
fn stat(folder: &str) -> io::Result<Thread> {
    let text = fs::read_to_string(format!("{folder}/stat"))?;
    parse_stat(&text, clock_ticks_per_second()).ok_or_else(|| io::ErrorKind::InvalidData.into())
}

fn parse_stat(text: &str, ticks_per_second: u64) -> Option<Thread> {
    // The name may hold anything, parentheses and spaces too.
    let (head, rest) = text.rsplit_once(')')?;
    let (_, name) = head.split_once('(')?;
    let mut fields = rest.split_ascii_whitespace().skip(11);
    let mut ticks = || fields.next()?.parse::<u64>().ok();
    let ticks = ticks()?.checked_add(ticks()?)?;
    Some(Thread {
        name: name.to_owned(),
        cpu: Duration::from_secs(ticks) / u32::try_from(ticks_per_second).ok()?,
    })
}

fn rss_kb(status: &str) -> io::Result<u64> {
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let number = line.and_then(|line| line.split_ascii_whitespace().next()?.parse().ok());
    number.ok_or_else(|| io::ErrorKind::InvalidData.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_may_look_like_the_rest_of_the_line() {
        let line = "77 (a) R 1 (b) S 1 77 77 0 -1 4194560 3 0 0 0 250 150 0 0 20 0 3 0 1 2 3";
        let thread = parse_stat(line, 100).unwrap();
        assert_eq!(thread.name, "a) R 1 (b");
        assert_eq!(thread.cpu, Duration::from_secs(4));
        assert_eq!(parse_stat("77 (a) S 1", 100), None);
    }

    #[test]
    fn this_process_has_memory_and_threads() {
        let own = Processes::new(&[std::process::id()]).unwrap();
        assert!(own.rss_kb().unwrap() > 100);
        let before = own.usage().unwrap();
        let (_, threads) = own.usage().unwrap().since(&before);
        assert!(!threads.is_empty());
    }

    #[test]
    fn an_id_without_a_process_is_told() {
        // Above the largest that the kernel gives.
        assert_eq!(Processes::new(&[std::process::id(), 1 << 30]), Err(1 << 30));
    }

    #[test]
    fn what_was_used_is_the_difference() {
        let usage = |cpu: u64, threads: &[(u32, u64)]| Usage {
            cpu: Duration::from_millis(cpu),
            threads: threads
                .iter()
                .map(|(tid, cpu)| {
                    let (name, cpu) = (format!("t{tid}"), Duration::from_millis(*cpu));
                    ((1, *tid), Thread { name, cpu })
                })
                .collect(),
        };
        let before = usage(1_000, &[(1, 900), (2, 100)]);
        let after = usage(1_500, &[(1, 910), (3, 390)]);
        let (cpu, threads) = after.since(&before);
        let threads: Vec<_> = threads
            .iter()
            .map(|thread| (thread.name.as_str(), thread.cpu.as_millis()))
            .collect();
        assert_eq!(cpu.as_millis(), 500);
        assert_eq!(threads, [("t3", 390), ("t1", 10)]);
    }
}
