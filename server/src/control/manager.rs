//! What the service manager is told: that the server is ready, reloads, stops, how it goes, and
//! that it turns. The words are those of sd_notify(3).
//!
//! Where nobody wants to know (no `NOTIFY_SOCKET`), nothing is sent. A manager that is busy, as systemd
//! is while it reads its units again, does not read what it is told: so a thread of its own does the
//! telling (`speaker`). Meanwhile what is out of date is left out, and nothing else is (`waiting`).

mod speaker;
mod waiting;

use std::io;
use std::sync::Arc;
use std::time::{Duration, Instant};

use sd_notify::NotifyState;
use tokio::time::{MissedTickBehavior, interval};

use self::speaker::Speaker;
use self::waiting::{Turn, Waiting};
use super::plural::plural;
use super::report;
use crate::service::Service;

/// Who is told how the server goes. Clones tell the same one.
#[derive(Clone, Debug)]
pub struct Manager {
    listener: Listener,
    /// Within what time it wants a beat, if it wants any.
    watchdog: Option<Duration>,
}

#[derive(Clone, Debug)]
enum Listener {
    Nobody,
    /// The one that `NOTIFY_SOCKET` names.
    Systemd(Arc<Speaker>),
    #[cfg(test)]
    Test(Arc<std::sync::Mutex<Vec<String>>>),
}

impl Manager {
    /// The one that has started this process, if it wants to know.
    ///
    /// # Errors
    /// It wants to, and the system has no thread to tell it: it would wait in vain for the server to
    /// be ready.
    pub fn from_environment() -> io::Result<Self> {
        let is_wanted = std::env::var_os("NOTIFY_SOCKET").is_some_and(|path| !path.is_empty());
        if !is_wanted {
            return Ok(Self::nobody());
        }
        let watchdog = sd_notify::watchdog_enabled().filter(|interval| !interval.is_zero());
        let tell = |lines: &str| sd_notify::notify(&[NotifyState::Custom(lines)]);
        let speaker = Speaker::start(Waiting::new(watchdog), tell)?;
        let listener = Listener::Systemd(Arc::new(speaker));
        Ok(Self { listener, watchdog })
    }

    /// Nobody.
    pub fn nobody() -> Self {
        Self {
            listener: Listener::Nobody,
            watchdog: None,
        }
    }

    /// One that keeps what it is told, and wants beats within `watchdog`.
    #[cfg(test)]
    pub(crate) fn test(watchdog: Option<Duration>) -> (Self, Arc<std::sync::Mutex<Vec<String>>>) {
        let told = Arc::default();
        let listener = Listener::Test(Arc::clone(&told));
        (Self { listener, watchdog }, told)
    }

    /// Whether there is somebody.
    pub fn is_there(&self) -> bool {
        !matches!(self.listener, Listener::Nobody)
    }

    /// Within what time it wants to be told each time that the server turns; `None` if it does not
    /// want to know.
    pub fn watchdog(&self) -> Option<Duration> {
        self.watchdog
    }

    /// The server serves, as `status` says.
    pub fn ready(&self, status: &str) {
        self.tell(|waiting| {
            waiting.turn(Turn::Ready, &[NotifyState::Ready]);
            waiting.status(status);
        });
    }

    /// Another configuration is being put in force, until [`Manager::ready`].
    pub fn reloading(&self) {
        // systemd 253 and newer (Type=notify-reload) tell this reload from others by the time.
        let mut states = vec![NotifyState::Reloading];
        states.extend(NotifyState::monotonic_usec_now());
        self.tell(|waiting| waiting.turn(Turn::Reloading, &states));
    }

    /// The server begins to stop.
    pub fn stopping(&self, status: &str) {
        self.tell(|waiting| {
            waiting.turn(Turn::Stopping, &[NotifyState::Stopping]);
            waiting.status(status);
        });
    }

    /// The stop goes on for up to `by`, for the reason that `status` gives.
    pub fn extend(&self, by: Duration, status: &str) {
        let micros = u32::try_from(by.as_micros()).unwrap_or(u32::MAX);
        self.tell(|waiting| {
            waiting.turn(Turn::Extend, &[NotifyState::ExtendTimeoutUsec(micros)]);
            waiting.status(status);
        });
    }

    /// How the server goes, in a line.
    pub fn status(&self, status: &str) {
        self.tell(|waiting| waiting.status(status));
    }

    /// The server turns.
    pub fn beat(&self) {
        self.tell(|waiting| waiting.beat(Instant::now()));
    }

    /// Waits until it was told all, for as long as it is likely to listen: for the end of the process.
    pub fn flush(&self) {
        if let Listener::Systemd(speaker) = &self.listener {
            // Who does not listen now does not hold up the end.
            speaker.flush(FLUSH_WITHIN);
        }
    }

    fn tell(&self, add: impl FnOnce(&mut Waiting)) {
        match &self.listener {
            Listener::Nobody => {}
            Listener::Systemd(speaker) => speaker.tell(add),
            #[cfg(test)]
            Listener::Test(told) => {
                let mut waiting = Waiting::new(self.watchdog);
                add(&mut waiting);
                let messages = std::iter::from_fn(|| waiting.next(Instant::now()));
                told.lock().unwrap().extend(messages);
            }
        }
    }
}

/// Tells the manager of `service` every few seconds how it goes, until it is dropped.
pub async fn run(service: Arc<Service>) {
    if !service.manager.is_there() {
        return;
    }
    let mut told = String::new();
    let mut ticks = interval(EVERY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        let status = status(&service);
        if status != told {
            service.manager.status(&status);
            told = status;
        }
    }
}

/// The line that `systemctl status` shows: `3 streams, 120 clients, 6000 kbps in, 240000 kbps out`,
/// and why the last reload failed, if it did.
pub fn status(service: &Service) -> String {
    let streams = service.hub.streams();
    let live = streams.iter().filter(|stream| stream.publisher().is_some());
    let kbps = report::kbps(&service.clients.account().windows);
    let mut status = format!(
        "{}, {}, {} kbps in, {} kbps out",
        plural(live.count(), "stream"),
        plural(service.clients.len(), "client"),
        kbps.recv_5s,
        kbps.send_5s,
    );
    if let Some(error) = &service.reloader.last().error {
        let reason: String = error
            .lines()
            .next()
            .unwrap_or_default()
            .chars()
            .take(REASON)
            .collect();
        status.push_str(&format!("; the last reload failed: {reason}"));
    }
    status
}

const FLUSH_WITHIN: Duration = Duration::from_millis(500);
/// How often the status is looked at: as long as the shortest window of the rates.
const EVERY: Duration = Duration::from_secs(5);
/// Longest reason in a status, in characters; the log has the whole.
const REASON: usize = 200;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Config;

    #[test]
    fn what_is_told_is_as_systemd_reads_it() {
        let (manager, told) = Manager::test(None);
        manager.ready("0 streams");
        manager.reloading();
        manager.extend(Duration::from_secs(10), "writing");
        manager.stopping("3 clients go");
        manager.beat();
        let told = told.lock().unwrap();
        let reloading: Vec<&str> = told[1].lines().collect();
        assert_eq!(reloading[0], "RELOADING=1");
        let now = reloading[1].strip_prefix("MONOTONIC_USEC=").unwrap();
        assert!(now.parse::<u64>().unwrap() > 0);
        assert_eq!(told[0], "READY=1\nSTATUS=0 streams");
        assert_eq!(told[2], "EXTEND_TIMEOUT_USEC=10000000\nSTATUS=writing");
        assert_eq!(told[3], "STOPPING=1\nSTATUS=3 clients go");
        assert_eq!(told[4], "WATCHDOG=1");
    }

    #[test]
    fn nobody_is_told_nothing() {
        assert!(!Manager::nobody().is_there());
        Manager::nobody().beat();
    }

    #[test]
    fn the_status_is_one_line_with_the_reason_of_a_failed_reload() {
        let service = Service::new(Arc::new(Config::default()), 100);
        let fine = "0 streams, 0 clients, 0 kbps in, 0 kbps out";
        assert_eq!(status(&service), fine);
        let mut failed = service.reloader.begin(false);
        failed.error = Some("/etc/srs/srs.toml:3:1: unknown key `lisen`\n  3 | lisen".into());
        service.reloader.set_last(failed);
        assert_eq!(
            status(&service),
            format!("{fine}; the last reload failed: /etc/srs/srs.toml:3:1: unknown key `lisen`")
        );
    }
}
