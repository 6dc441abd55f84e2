//! One child process: started, listened to, waited for with a bound, and never left behind.

use std::ffi::OsStr;
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use rustix::process::{Pid, Signal, kill_process, kill_process_group};

use crate::{Log, SOON, proc, wait_for};

/// A running peer, or the daemon. Dropping it kills it with all its children.
#[derive(Debug)]
pub struct Process {
    name: String,
    child: Child,
    log: Log,
}

/// How a process ended.
#[derive(Clone, Copy, Debug)]
pub struct Finished {
    /// Its exit status.
    pub status: ExitStatus,
    /// How long it was waited for.
    pub took: Duration,
}

/// A command that dies with the test, also when the test is killed: a process group of its own is
/// not reached by a terminal's Ctrl-C.
#[must_use]
pub(crate) fn command(program: impl AsRef<OsStr>) -> Command {
    let mut command = Command::new("setpriv");
    command.args(["--pdeathsig", "KILL", "--"]).arg(program);
    command
}

impl Process {
    /// Starts `command`, made by [`command`], in its own process group; `name` is what messages
    /// call it.
    pub(crate) fn start(name: &str, command: &mut Command) -> Result<Self> {
        let mut child = command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .process_group(0)
            .spawn()
            .with_context(|| format!("cannot start {name}"))?;
        let log = Log::new(name);
        if let Some(output) = child.stdout.take() {
            log.keep(output);
        }
        if let Some(output) = child.stderr.take() {
            log.keep(output);
        }
        Ok(Self {
            name: name.to_owned(),
            child,
            log,
        })
    }

    /// What messages call it.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What it wrote so far.
    #[must_use]
    pub fn log(&self) -> &Log {
        &self.log
    }

    /// Waits for it to end.
    ///
    /// # Errors
    /// If it still runs after `bound`.
    pub fn wait(&mut self, bound: Duration) -> Result<Finished> {
        let start = Instant::now();
        let what = format!("the end of {}", self.name);
        let status = wait_for(bound, &what, || Ok(self.child.try_wait()?))?;
        let took = start.elapsed();
        self.log.wait_for_end(Duration::from_secs(1));
        Ok(Finished { status, took })
    }

    /// Waits for it to end well.
    ///
    /// # Errors
    /// If it still runs after `bound`, or ended with another status than 0.
    pub fn succeed(&mut self, bound: Duration) -> Result<Finished> {
        let finished = self.wait(bound)?;
        if !finished.status.success() {
            bail!(
                "{} ended with {}; it said\n{}",
                self.name,
                finished.status,
                self.log.tail()
            );
        }
        Ok(finished)
    }

    /// Waits for it to end badly, as a peer does that was refused.
    ///
    /// # Errors
    /// If it still runs after `bound`, or ended with status 0.
    pub fn fail(&mut self, bound: Duration) -> Result<Finished> {
        let finished = self.wait(bound)?;
        if finished.status.success() {
            bail!("{} ended well, it should have failed", self.name);
        }
        Ok(finished)
    }

    /// Whether it still runs.
    ///
    /// # Errors
    /// If the kernel does not tell.
    pub fn is_running(&mut self) -> Result<bool> {
        Ok(self.child.try_wait()?.is_none())
    }

    /// Asks it to end in order (SIGTERM).
    ///
    /// # Errors
    /// If it has ended already.
    pub fn terminate(&mut self) -> Result<()> {
        self.signal(Signal::TERM)
    }

    /// Asks it to end in order as Ctrl-C in a terminal does (SIGINT).
    ///
    /// # Errors
    /// If it has ended already.
    pub fn interrupt(&mut self) -> Result<()> {
        self.signal(Signal::INT)
    }

    /// Asks it to read its configuration again (SIGHUP).
    ///
    /// # Errors
    /// If it has ended already.
    pub fn hang_up(&mut self) -> Result<()> {
        self.signal(Signal::HUP)
    }

    /// Stops its execution without its knowing (SIGSTOP), as a network that vanishes does: its
    /// sockets stay open, and nobody reads them.
    ///
    /// # Errors
    /// If it has ended already.
    pub fn freeze(&mut self) -> Result<()> {
        self.signal(Signal::STOP)
    }

    /// Lets it go on after [`freeze`](Self::freeze).
    ///
    /// # Errors
    /// If it has ended already.
    pub fn thaw(&mut self) -> Result<()> {
        self.signal(Signal::CONT)
    }

    /// Ends it at once with all its children, without a last word (SIGKILL).
    ///
    /// # Errors
    /// If it has ended already, or does not end even so.
    pub fn kill(&mut self) -> Result<()> {
        if !self.is_running()? {
            bail!(
                "{} ended before it was killed; it said\n{}",
                self.name,
                self.log.tail()
            );
        }
        kill_process_group(self.pid(), Signal::KILL)?;
        self.wait(SOON)?;
        Ok(())
    }

    /// Memory that is resident now, in kB.
    ///
    /// # Errors
    /// If it has ended.
    pub fn rss_kb(&self) -> Result<u64> {
        proc::rss_kb(self.child.id())
    }

    /// Processor time used so far, of all its threads, to about 10 ms.
    ///
    /// # Errors
    /// If it has ended.
    pub fn cpu_time(&self) -> Result<Duration> {
        proc::cpu_time(self.child.id())
    }

    /// Open file descriptors.
    ///
    /// # Errors
    /// If it has ended.
    pub fn open_fds(&self) -> Result<usize> {
        proc::open_fds(self.child.id())
    }

    /// Threads.
    ///
    /// # Errors
    /// If it has ended.
    pub fn threads(&self) -> Result<u64> {
        proc::threads(self.child.id())
    }

    fn signal(&mut self, signal: Signal) -> Result<()> {
        if !self.is_running()? {
            bail!(
                "{} ended before it got {signal:?}; it said\n{}",
                self.name,
                self.log.tail()
            );
        }
        Ok(kill_process(self.pid(), signal)?)
    }

    fn pid(&self) -> Pid {
        Pid::from_child(&self.child)
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // Once reaped, its number may be another's.
        if let Ok(true) = self.is_running() {
            // Failing means that it ended meanwhile.
            let _ = kill_process_group(self.pid(), Signal::KILL);
            let _ = self.child.wait();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shell(script: &str) -> Process {
        Process::start("shell", command("sh").args(["-c", script])).unwrap()
    }

    #[test]
    fn a_process_is_heard_and_its_status_is_seen() {
        let mut process = shell("echo out; echo err >&2; exit 3");
        assert_eq!(process.wait(SOON).unwrap().status.code(), Some(3));
        assert!(process.log().contains("out"));
        assert!(process.log().contains("err"));
    }

    #[test]
    fn a_dropped_process_is_gone_with_its_children() {
        let process = shell("sleep 1000 & echo child $!; wait");
        let line = process.log().wait_for("child", SOON).unwrap();
        let child: u32 = line.trim_start_matches("child ").parse().unwrap();
        assert!(proc::rss_kb(child).is_ok());
        drop(process);
        crate::wait_until(SOON, "the end of the child", || {
            proc::rss_kb(child).is_err()
        })
        .unwrap();
    }

    #[test]
    fn a_frozen_process_does_not_go_on_until_it_is_thawed() {
        let mut process = shell("trap 'echo asked; exit 0' TERM; echo ready; while :; do :; done");
        process.log().wait_for("ready", SOON).unwrap();
        process.freeze().unwrap();
        process.terminate().unwrap();
        assert!(process.wait(Duration::from_millis(50)).is_err());
        process.thaw().unwrap();
        process.succeed(SOON).unwrap();
        assert!(process.log().contains("asked"));
    }

    #[test]
    fn what_cannot_be_started_is_an_error_with_its_name() {
        let mut process = Process::start("nothing", &mut command("/does/not/exist")).unwrap();
        let error = process.succeed(SOON).unwrap_err().to_string();
        assert!(error.starts_with("nothing ended with"), "{error}");
        assert!(error.contains("/does/not/exist"), "{error}");
    }
}
