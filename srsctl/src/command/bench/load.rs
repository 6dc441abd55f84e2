//! Clients by the thousand on one thread: they come, they stay for as long as is measured, they go.
//!
//! ```text
//! setup (a task each) ─▶ publishers (one schedule for all)      ─▶ the server
//!                     ─▶ sweeper (one epoll for all players)    ◀─ the server
//!                     ─▶ probes (a task each): read and parse   ◀─ the server
//! ```
//!
//! A [`Load`] says what is to be done, an [`Outcome`] what became of it.

mod outcome;

use std::io;
use std::sync::Arc;
use std::time::{Duration, Instant};

use srs_net::client::ClientError;
use tokio::sync::watch;
use tokio::task::{JoinSet, yield_now};
use tokio::time::timeout;

pub(super) use self::outcome::{Outcome, ServerUsage, Tally};
use super::alarm::Alarm;
use super::client::{Destination, Missed, Speech, Start};
use super::moment::{Moment, processor_time};
use super::pattern::{Pattern, Shape};
use super::probe::{self, Probed};
use super::process::Processes;
use super::publishers::Publishers;
use super::setup::{self, Headers, Ready, Role};
use super::sweeper::Sweeper;
use super::window::Window;
use crate::interrupt::Interrupt;
use crate::output::StatusLine;

/// What is to be done.
#[derive(Clone, Debug)]
pub(super) struct Load {
    /// Where each stream is; the players are spread evenly over them.
    pub(super) streams: Vec<Destination>,
    pub(super) publish: Publish,
    /// Players of all streams.
    pub(super) players: usize,
    /// So many of them measure latency.
    pub(super) probes: usize,
    pub(super) shape: Shape,
    /// New connections a second.
    pub(super) ramp: u32,
    pub(super) duration: Duration,
    pub(super) server: Processes,
    /// Tell when the measuring begins.
    pub(super) verbose: bool,
}

/// Whether the tool publishes the streams.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Publish {
    /// Somebody else does.
    No,
    /// It must, for the players: without them there is nothing to measure.
    ForPlayers,
    /// That is what is measured.
    ForItself,
}

/// Why there is nothing to tell.
#[derive(Debug)]
pub(super) enum End {
    /// The user has had enough before there was anything to measure.
    Interrupted,
    /// Nobody came, or a stream that is needed could not be published. The first reason.
    Nobody(Option<Missed>),
    /// The kernel has no timer to give, or no epoll.
    Kernel(io::Error),
}

impl Load {
    /// Does it.
    ///
    /// # Errors
    /// [`End`]: there was nothing to measure.
    pub(super) async fn run(
        &self,
        interrupt: &mut Interrupt,
        status: &mut StatusLine,
    ) -> Result<Outcome, End> {
        let run = Run::new(self, interrupt, status).map_err(End::Kernel)?;
        run.run().await
    }

    fn publishers(&self) -> usize {
        match self.publish {
            Publish::No => 0,
            Publish::ForPlayers | Publish::ForItself => self.streams.len(),
        }
    }
}

struct Run<'a> {
    load: &'a Load,
    interrupt: &'a mut Interrupt,
    status: &'a mut StatusLine,
    shown: Moment,
    alarm: Alarm,
    /// When it last did something.
    woken: Moment,
    headers: Headers,
    window: Arc<Window>,
    setups: JoinSet<(usize, Result<Ready, Missed>)>,
    publishers: Publishers,
    sweeper: Sweeper,
    probes: JoinSet<Probed>,
    /// Tells the probes that it is over.
    stop: watch::Sender<bool>,
    tally: Tally,
    /// Players of each stream.
    audience: Vec<u64>,
    outcome: Outcome,
}

impl<'a> Run<'a> {
    fn new(
        load: &'a Load,
        interrupt: &'a mut Interrupt,
        status: &'a mut StatusLine,
    ) -> io::Result<Self> {
        let window = Arc::new(Window::new());
        let pattern = Pattern::new(load.shape);
        let headers = pattern.headers().into();
        let is_rtmp = |to: &Destination| matches!(to.speech, Speech::Rtmp(_));
        let is_rtmp = load.streams.iter().all(is_rtmp);
        Ok(Self {
            load,
            interrupt,
            status,
            shown: Moment::from_nanos(0),
            alarm: Alarm::new()?,
            woken: Moment::from_nanos(0),
            headers,
            setups: JoinSet::new(),
            publishers: Publishers::new(pattern, load.publishers(), Arc::clone(&window)),
            sweeper: Sweeper::new(Arc::clone(&window), is_rtmp)?,
            probes: JoinSet::new(),
            stop: watch::Sender::new(false),
            tally: Tally::default(),
            audience: vec![0; load.streams.len()],
            outcome: Outcome::default(),
            window,
        })
    }

    async fn run(mut self) -> Result<Outcome, End> {
        let mut rss_kb_before = self.load.server.rss_kb().ok();
        self.publish().await?;
        if self.load.publish == Publish::ForPlayers {
            rss_kb_before = self.load.server.rss_kb().ok();
        }
        let (players, probes) = (self.load.players, self.load.probes);
        let role = |index| setup::of_player(index, probes, players);
        self.ramp("players", (0..players).map(role).collect())
            .await?;
        if self.tally.connected == 0 {
            return Err(End::Nobody(self.tally.reason));
        }
        self.wait_until(Moment::now() + SETTLE, "settling").await?;
        self.measure(rss_kb_before).await;
        Ok(self.outcome)
    }

    /// Begins all streams.
    async fn publish(&mut self) -> Result<(), End> {
        let count = self.load.publishers();
        self.ramp("publishers", vec![Role::Publisher; count])
            .await?;
        let publishing = self.publishers.publishing();
        let is_needed = self.load.publish == Publish::ForPlayers;
        if publishing < count && (is_needed || publishing == 0) {
            return Err(End::Nobody(self.tally.reason.take()));
        }
        if is_needed {
            // The tally is that of the players, then.
            self.tally = Tally::default();
        }
        while !self.publishers.have_begun(Moment::now()) {
            self.turn(Moment::now() + BETWEEN_LOOKS).await?;
        }
        Ok(())
    }

    /// Lets clients come, and tells why some did not.
    async fn ramp(&mut self, what: &str, roles: Vec<Role>) -> Result<(), End> {
        let ramped = self.let_come(what, roles).await;
        for news in self.tally.news() {
            self.status.tell(format_args!("{news}"));
        }
        ramped
    }

    /// Lets clients come, each at its time, until all are there or have been given up.
    async fn let_come(&mut self, what: &str, roles: Vec<Role>) -> Result<(), End> {
        let (begin, count) = (Moment::now(), roles.len());
        let mut to_come = roles.into_iter().enumerate().peekable();
        loop {
            let now = Moment::now();
            let next = to_come.peek().map(|(index, _)| {
                begin + Duration::from_secs_f64(*index as f64 / f64::from(self.load.ramp))
            });
            if next.is_some_and(|next| next <= now) {
                if let Some((index, role)) = to_come.next() {
                    self.invite(index % self.load.streams.len(), role);
                }
                continue;
            }
            if next.is_none() && self.setups.is_empty() {
                return Ok(());
            }
            let open = to_come.len() + self.setups.len();
            self.show(|| format!("connecting {what} {}/{count}", count - open));
            let until = next.unwrap_or(now + BETWEEN_LOOKS);
            self.turn(until.min(now + BETWEEN_LOOKS)).await?;
        }
    }

    /// Lets one client come.
    fn invite(&mut self, stream: usize, role: Role) {
        let to = self.load.streams[stream].clone();
        let headers = Arc::clone(&self.headers);
        self.setups
            .spawn(async move { (stream, setup::come(role, to, headers).await) });
    }

    /// A client has come, or has not.
    fn welcome(&mut self, stream: usize, ready: Result<Ready, Missed>) {
        match ready.and_then(|ready| self.take_in(stream, ready)) {
            Ok(()) => self.tally.connected += 1,
            Err(error) => self.tally.miss(error),
        }
    }

    fn take_in(&mut self, stream: usize, ready: Ready) -> Result<(), Missed> {
        let now = Moment::now();
        match ready {
            Ready::Publisher {
                socket,
                message_stream_id,
            } => self.publishers.add(stream, socket, message_stream_id, now),
            Ready::Player {
                socket,
                received,
                start,
            } => {
                let added = self.sweeper.add(socket, received, now);
                added.map_err(ClientError::from)?;
                self.note(stream, start);
            }
            Ready::Probe { client, start } => {
                self.note(stream, start);
                let (window, stop) = (Arc::clone(&self.window), self.stop.subscribe());
                self.probes.spawn(probe::run(*client, window, stop));
            }
        }
        Ok(())
    }

    fn note(&mut self, stream: usize, start: Start) {
        self.audience[stream] += 1;
        if let Some(time) = start.first_media {
            self.outcome.first_media.record(time);
        }
        if let Some(time) = start.first_key_frame {
            self.outcome.first_key_frame.record(time);
        }
    }

    /// Measures, until the time is over or the user has had enough.
    async fn measure(&mut self, rss_kb_before: Option<u64>) {
        if self.load.verbose {
            let connected = self.tally.connected;
            let have_come = match connected {
                1 => "1 client has come".to_owned(),
                connected => format!("{connected} clients have come"),
            };
            self.status.tell(format_args!("{have_come}; measuring"));
        }
        let before = self.load.server.usage();
        let (begin, cpu) = (Moment::now(), processor_time());
        self.window.open(begin);
        let end = begin + self.load.duration;
        let total = self.load.duration.as_secs_f64();
        let mut is_complete = true;
        while is_complete && Moment::now() < end {
            let seconds = Moment::now().since(begin).as_secs();
            self.show(|| format!("measuring {seconds}/{total:.0} s"));
            let until = end.min(Moment::now() + BETWEEN_LOOKS);
            is_complete = self.turn(until).await.is_ok();
        }
        let now = Moment::now();
        self.window.close(now);
        self.outcome.own_cpu = processor_time().saturating_sub(cpu);
        self.outcome.window = now.since(begin);
        self.outcome.server = before
            .and_then(|before| {
                let (cpu, threads) = self.load.server.usage()?.since(&before);
                Ok(ServerUsage {
                    cpu,
                    threads,
                    rss_kb: self.load.server.rss_kb()?,
                    rss_kb_before,
                })
            })
            .inspect_err(|_| {
                let gone = "a process of the server is gone: what it needed is not known";
                self.status.tell(format_args!("{gone}"));
            })
            .ok()
            .filter(|_| !self.load.server.is_empty());
        if is_complete {
            // What was published in the window may still be on its way to the probes.
            let _ = self.wait_until(now + LINGER, "finishing").await;
        }
        self.count().await;
    }

    /// Puts together what everybody has found out.
    async fn count(&mut self) {
        let outcome = &mut self.outcome;
        outcome.tally = std::mem::take(&mut self.tally);
        outcome.publishing = self.publishers.publishing();
        outcome.playing = self.sweeper.playing();
        outcome.disconnected += self.sweeper.disconnected();
        let totals = self.sweeper.totals(Moment::now());
        (outcome.received, outcome.starved) = (totals.bytes, totals.starved);
        outcome.late = if self.publishers.late().count() > 0 {
            self.publishers.late().clone()
        } else {
            self.sweeper.late().clone()
        };
        let sent = self.publishers.sent();
        outcome.sent = sent.taken;
        outcome.due = sent.due.iter().sum();
        let for_players = sent.due.iter().zip(&self.audience);
        outcome.published = for_players.map(|(bytes, players)| bytes * players).sum();

        let _ = self.stop.send(true);
        // They do nothing else any more.
        while let Ok(Some(probed)) = timeout(LINGER, self.probes.join_next()).await {
            let Ok(probed) = probed else {
                continue;
            };
            outcome.latency.merge(&probed.latency);
            outcome.received += probed.arrivals.bytes();
            outcome.starved += usize::from(probed.arrivals.is_starved());
            if probed.is_playing {
                outcome.playing += 1;
            } else {
                outcome.disconnected += 1;
            }
        }
    }

    async fn wait_until(&mut self, until: Moment, what: &str) -> Result<(), End> {
        while Moment::now() < until {
            self.show(|| what.to_owned());
            self.turn(until).await?;
        }
        Ok(())
    }

    /// Waits for what happens next, `until` at the latest, and deals with it.
    async fn turn(&mut self, until: Moment) -> Result<(), End> {
        let due = [self.publishers.due(), self.sweeper.due()];
        let next = due.into_iter().flatten().fold(until, Moment::min);
        // Many streams have something due all the time: not each of their messages is worth
        // waking up for.
        let next = next.max(self.woken + QUANTUM);
        // The tasks have their turn in between, also if something is always due.
        yield_now().await;
        // In this order, so that Ctrl-C is heard under any load.
        tokio::select! {
            biased;
            () = self.interrupt.wait() => return Err(End::Interrupted),
            Some(ready) = self.setups.join_next() => {
                if let Ok((stream, ready)) = ready {
                    self.welcome(stream, ready);
                }
            }
            waited = self.alarm.wait_until(next) => waited.map_err(End::Kernel)?,
        }
        self.woken = Moment::now();
        self.publishers.run();
        self.sweeper.run(Moment::now());
        for error in self.publishers.failures() {
            self.outcome.disconnected += 1;
            self.status
                .tell(format_args!("a publisher was disconnected: {error}"));
        }
        Ok(())
    }

    /// Shows how far it is, if it is time for that.
    fn show(&mut self, line: impl FnOnce() -> String) {
        let now = Moment::now();
        if now.since(self.shown) >= BETWEEN_LOOKS {
            self.shown = now;
            self.status.show(&line(), Instant::now());
        }
    }
}

/// From the last client's coming to the beginning of the measuring.
const SETTLE: Duration = Duration::from_secs(1);
/// How long what is on its way is waited for.
const LINGER: Duration = Duration::from_millis(500);
/// The least time from one look at what is due to the next.
const QUANTUM: Duration = Duration::from_micros(250);
/// How often it is looked for what no timer tells, and the status line is shown.
const BETWEEN_LOOKS: Duration = Duration::from_millis(100);
