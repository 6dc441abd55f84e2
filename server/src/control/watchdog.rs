//! The watchdog: beats to systemd (`WatchdogSec=`), as long as the server can be seen to turn.
//!
//! A thread of its own asks for a proof and sends a beat when it has come. If it does not come, the
//! log says what is waited for, and systemd restarts the server when its patience is over. The proof
//! goes the way that a publisher's packets go:
//!
//! - the runtime runs a new task, fires a timer, and sees a socket become readable;
//! - no worker of the runtime has been in one and the same task since the last proof;
//! - every listener waits for clients, and of the publishers, if there are any, at least one for
//!   packets ([`pulse`]);
//! - the set of streams, and each stream, can be locked for an append.

pub mod pulse;

use std::io;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::UnixStream;
use tokio::runtime::{Handle, RuntimeMetrics};
use tokio::task::spawn_blocking;
use tokio::time::sleep;

use crate::control::logging::MessageId;
use crate::service::Service;

/// How the watchdog goes, for whoever asks. Clones share it.
#[derive(Clone, Debug, Default)]
pub struct Beats {
    shared: Arc<Mutex<Option<State>>>,
}

#[derive(Clone, Copy, Debug)]
struct State {
    interval: Duration,
    last: Instant,
}

impl Beats {
    /// Within what time systemd wants a beat, and how long ago the last one was; `None` if it wants
    /// none.
    pub fn tell(&self) -> Option<srs_api::Watchdog> {
        let state = *self.lock();
        let millis = |time: Duration| u64::try_from(time.as_millis()).unwrap_or(u64::MAX);
        state.map(|state| srs_api::Watchdog {
            interval_ms: millis(state.interval),
            last_ms: millis(state.last.elapsed()),
        })
    }

    fn note(&self, interval: Duration) {
        let last = Instant::now();
        *self.lock() = Some(State { interval, last });
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Option<State>> {
        // Whole at any time.
        self.shared.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Beats until `service` stops, about three times in each `interval`. To be called in the runtime
/// that is to be watched.
///
/// # Errors
/// The system has no thread for it, or no sockets.
pub fn start(service: &Arc<Service>, interval: Duration) -> io::Result<()> {
    service.beats.note(interval);
    let (end, ended) = mpsc::channel::<()>();
    let stop = service.stop.clone();
    service.tasks.spawn(async move {
        stop.cancelled().await;
        drop(end);
    });
    // Kept: a server that has no descriptors left turns all the same.
    let probe = Arc::new(Probe::new(UnixStream::pair()?));
    let watchdog = Watchdog {
        probe,
        service: Arc::clone(service),
        runtime: Handle::current(),
        interval,
        workers: Workers::default(),
        looked: Instant::now(),
    };
    thread::Builder::new()
        .name("watchdog".into())
        .spawn(move || watchdog.run(&ended))?;
    Ok(())
}

struct Watchdog {
    service: Arc<Service>,
    runtime: Handle,
    probe: Arc<Probe>,
    interval: Duration,
    workers: Workers,
    /// When the workers were looked at.
    looked: Instant,
}

impl Watchdog {
    fn run(mut self, ended: &mpsc::Receiver<()>) {
        let period = (self.interval / 3).max(SHORTEST_PERIOD);
        let mut doubted = false;
        loop {
            let waits_for = WaitsFor::default();
            let (proved, proof) = mpsc::channel();
            let (service, stage) = (Arc::clone(&self.service), waits_for.clone());
            let probe = Arc::clone(&self.probe);
            self.runtime.spawn(async move {
                prove(&service, &probe, &stage).await;
                // Nobody waits for it any more if the server stops.
                let _ = proved.send(());
            });
            // The same proof is waited for, however long it takes: more of them would be stuck at
            // the same place.
            let is_proved = loop {
                match proof.recv_timeout(period) {
                    Ok(()) => break true,
                    Err(RecvTimeoutError::Disconnected) => break false,
                    Err(RecvTimeoutError::Timeout) => {
                        if self.service.stop.is_cancelled() {
                            return;
                        }
                        if !doubted {
                            doubted = true;
                            self.tell(&waits_for.tell());
                        }
                    }
                }
            };
            match self.stuck_worker() {
                None if is_proved => {
                    self.service.manager.beat();
                    self.service.beats.note(self.interval);
                    if doubted {
                        doubted = false;
                        tracing::warn!("the server turns again");
                    }
                }
                stuck => {
                    if !doubted {
                        doubted = true;
                        self.tell(&stuck.unwrap_or_else(|| waits_for.tell()));
                    }
                }
            }
            if ended.recv_timeout(period) != Err(RecvTimeoutError::Timeout) {
                return;
            }
        }
    }

    /// The worker that has been in one task for long, if there is one.
    fn stuck_worker(&mut self) -> Option<String> {
        if self.looked.elapsed() < TASK_WITHIN {
            return None;
        }
        self.looked = Instant::now();
        self.workers.stuck(&self.runtime.metrics())
    }

    fn tell(&self, waits_for: &str) {
        tracing::error!(
            message_id = MessageId::Watchdog.as_str(),
            interval = ?self.interval,
            "the server is stuck, please report this: {waits_for}; unless that changes, systemd \
             restarts it"
        );
    }
}

/// What a proof waits for at present.
#[derive(Clone, Debug, Default)]
struct WaitsFor {
    text: Arc<Mutex<String>>,
}

impl WaitsFor {
    fn set(&self, text: String) {
        *self.text.lock().unwrap_or_else(PoisonError::into_inner) = text;
    }

    fn tell(&self) -> String {
        let text = self.text.lock().unwrap_or_else(PoisonError::into_inner);
        match text.as_str() {
            "" => "the runtime does not run new tasks".to_owned(),
            text => text.to_owned(),
        }
    }
}

/// A pair of sockets that a byte goes through. One proof has it at a time.
type Probe = tokio::sync::Mutex<(UnixStream, UnixStream)>;

/// Ends when it has gone the whole way.
async fn prove(service: &Arc<Service>, probe: &Probe, waits_for: &WaitsFor) {
    waits_for.set("a timer of the runtime does not fire".into());
    sleep(Duration::from_millis(1)).await;

    waits_for.set("the runtime does not see that a socket is readable".into());
    let (near, far) = &mut *probe.lock().await;
    // Neither end is ever closed: there is nothing that could fail.
    let _ = tokio::join!(far.read_u8(), near.write_u8(1));

    waits_for.set("listeners or publishers do not answer".into());
    let pulse = &service.pulse;
    pulse.ask();
    tokio::select! {
        () = pulse.answers() => {}
        () = async {
            loop {
                sleep(NAMED_AFTER).await;
                waits_for.set(format!("no answer from {}", pulse.silent().join(", ")));
            }
        } => {}
    }

    waits_for.set("the set of streams is locked".into());
    let (hub, stage) = (service.hub.clone(), waits_for.clone());
    let locks = spawn_blocking(move || {
        for stream in hub.streams() {
            stage.set(format!("the stream {} is locked", stream.name()));
            stream.wait_for_locks();
        }
    });
    // A lock that a panic has left is none, and a runtime that ends needs no proof.
    let _ = locks.await;
}

/// What the workers of a runtime had done at the last look.
#[derive(Debug, Default)]
struct Workers {
    seen: Vec<(u64, Duration)>,
}

impl Workers {
    /// Says which worker has been in the same task since the last look, if one has.
    fn stuck(&mut self, metrics: &RuntimeMetrics) -> Option<String> {
        let now = (0..metrics.num_workers()).map(|worker| {
            let parks = metrics.worker_park_unpark_count(worker);
            (parks, metrics.worker_total_busy_duration(worker))
        });
        let now: Vec<(u64, Duration)> = now.collect();
        // An odd count is that of a worker that sleeps. One that works counts how long it was busy
        // each time that it has gone through some dozens of tasks.
        let is_stuck = |(before, now): (&(u64, Duration), &(u64, Duration))| {
            before == now && now.0.is_multiple_of(2)
        };
        let stuck = self.seen.iter().zip(&now).position(is_stuck);
        self.seen = now;
        stuck.map(|worker| format!("worker {worker} of the runtime does not come back from a task"))
    }
}

/// No task keeps a worker for so long, whatever the host does.
const TASK_WITHIN: Duration = Duration::from_secs(2);
/// Nobody means less by WatchdogSec=; a busy host could not keep it, and the log would be full of it.
const SHORTEST_PERIOD: Duration = Duration::from_millis(10);
/// Who does not answer within this is named, if the proof does not come in time.
const NAMED_AFTER: Duration = Duration::from_millis(500);

#[cfg(test)]
mod tests {
    use tokio::time::timeout;

    use super::pulse::Kind;
    use super::*;
    use crate::config::{Config, VhostConfig};
    use crate::control::manager::Manager;
    use crate::hub::{StreamName, StreamSettings};

    fn service(watchdog: Duration) -> (Arc<Service>, Arc<Mutex<Vec<String>>>) {
        let mut service = Service::new(Arc::new(Config::default()), 100);
        let (manager, told) = Manager::test(Some(watchdog));
        service.manager = manager;
        (Arc::new(service), told)
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn a_server_that_turns_beats_and_says_so() {
        let interval = Duration::from_millis(60);
        let (service, told) = service(interval);
        assert_eq!(service.beats.tell(), None);
        start(&service, interval).unwrap();
        let beats = async {
            while told.lock().unwrap().len() < 5 {
                sleep(Duration::from_millis(1)).await;
            }
        };
        timeout(Duration::from_secs(20), beats).await.unwrap();
        assert!(told.lock().unwrap().iter().all(|beat| beat == "WATCHDOG=1"));
        let shown = service.beats.tell().unwrap();
        assert_eq!(shown.interval_ms, 60);
        assert!(shown.last_ms < 20_000);
        service.stop.cancel();
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn nothing_is_proved_while_a_stream_is_locked() {
        let (service, _told) = service(Duration::from_secs(1));
        let name = StreamName::new("v", "live", "show");
        let settings = StreamSettings::of(&Config::default(), &VhostConfig::default());
        let subscriber = service.hub.subscribe(&name, &settings, Instant::now());
        let stream = Arc::clone(subscriber.stream());
        let (locked, is_locked) = mpsc::channel();
        let (release, released) = mpsc::channel::<()>();
        let holder = thread::spawn(move || {
            stream.with_log(|_| {
                locked.send(()).unwrap();
                let _ = released.recv();
            });
        });
        is_locked.recv().unwrap();

        let waits_for = WaitsFor::default();
        let probe = Probe::new(UnixStream::pair().unwrap());
        let mut proof = std::pin::pin!(prove(&service, &probe, &waits_for));
        assert!(
            timeout(Duration::from_millis(300), proof.as_mut())
                .await
                .is_err()
        );
        assert_eq!(waits_for.tell(), format!("the stream {name} is locked"));
        drop(release);
        timeout(Duration::from_secs(20), proof).await.unwrap();
        holder.join().unwrap();
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn nothing_is_proved_while_a_listener_does_something_else() {
        let (service, _told) = service(Duration::from_secs(1));
        let turn = service.pulse.join(Kind::Listener, "[::]:1935".into());
        let waits_for = WaitsFor::default();
        let probe = Probe::new(UnixStream::pair().unwrap());
        let proof = prove(&service, &probe, &waits_for);
        assert!(timeout(NAMED_AFTER * 3, proof).await.is_err());
        assert_eq!(waits_for.tell(), "no answer from [::]:1935");
        drop(turn);
        prove(&service, &probe, &waits_for).await;
    }

    #[test]
    fn a_runtime_that_does_nothing_at_all_is_told_as_such() {
        assert_eq!(
            WaitsFor::default().tell(),
            "the runtime does not run new tasks"
        );
    }

    #[test]
    fn a_worker_that_does_not_come_back_is_seen() {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build()
            .unwrap();
        let (release, released) = mpsc::channel::<()>();
        let (blocked, is_blocked) = mpsc::channel();
        runtime.spawn(async move {
            blocked.send(()).unwrap();
            let _ = released.recv();
        });
        is_blocked.recv().unwrap();
        let mut workers = Workers::default();
        assert_eq!(workers.stuck(&runtime.metrics()), None, "the first look");
        let stuck = workers.stuck(&runtime.metrics()).unwrap();
        assert!(stuck.ends_with("does not come back from a task"), "{stuck}");
        drop(release);
        // It goes to sleep, or does something else.
        let began = Instant::now();
        while workers.stuck(&runtime.metrics()).is_some() {
            assert!(began.elapsed() < Duration::from_secs(20));
            thread::yield_now();
        }
    }
}
