//! One live stream: its log, its publisher, its subscribers.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};
use std::time::{Duration, Instant, SystemTime};

use bytes::Bytes;
use srs_media::metadata::Metadata;
use srs_media::packet::{Packet, Track};
use srs_media::time::Timestamp;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use super::Hub;
use super::log::{HeaderKey, Headers, Log, LogLimits, LoggedPacket, Sequence};
use super::mixer::Mixer;
use super::name::StreamName;
use super::stats::headers::Header;
use super::stats::{Figures, Tally};
use super::takeover::{Credential, PublishError, PublishRequest, Replaced};
use super::timeline::Timeline;
use crate::config::{Config, VhostConfig};

mod past;
mod subscriber;

pub use self::past::Past;
pub use self::subscriber::{Place, Subscriber};

/// What a vhost's configuration says about its streams.
#[derive(Clone, Debug, PartialEq)]
pub struct StreamSettings {
    /// How much is kept, and for how long.
    pub log: LogLimits,
    /// Players get the publisher's own time.
    pub atc: bool,
    /// A publisher may ask for `atc` in its metadata (`bravo_atc` = "true").
    pub atc_auto: bool,
    /// Audio and video are put into the order of their timestamps.
    pub mix_correct: bool,
}

impl StreamSettings {
    /// What `config` says about the streams of `vhost`.
    pub fn of(config: &Config, vhost: &VhostConfig) -> Self {
        Self {
            log: LogLimits {
                queue_length: vhost.queue_length,
                gop_cache: vhost.gop_cache,
                memory: usize::try_from(config.limits.stream_memory).unwrap_or(usize::MAX),
            },
            atc: vhost.atc,
            atc_auto: vhost.atc_auto,
            mix_correct: vhost.mix_correct,
        }
    }
}

/// One live stream. It exists while somebody publishes it or subscribes to it.
#[derive(Debug)]
pub struct Stream {
    id: u64,
    name: StreamName,
    created: Instant,
    created_at: SystemTime,
    earlier_publishes: u64,
    /// Everything that an append changes, in one short critical section.
    state: RwLock<State>,
    /// Whether players get the publisher's own time: configured, or asked for by its metadata.
    atc: AtomicBool,
    /// Wakes the subscribers that have read everything.
    appended: Notify,
    /// Wakes those that collect packets, when there is something that must not wait.
    news: Notify,
    /// The positions of the subscribers, so that the log keeps what the slowest needs.
    readers: Mutex<Readers>,
    /// What its clients have counted together. Added to by whoever samples their counters.
    tally: Mutex<Tally>,
    /// Its last hour, once it was published.
    past: Mutex<Option<Box<Past>>>,
}

#[derive(Debug)]
struct State {
    settings: StreamSettings,
    log: Log,
    timeline: Timeline,
    mixer: Option<Mixer>,
    incumbent: Option<Incumbent>,
    /// Counts publishers; a publisher whose number is not the newest has been replaced.
    generation: u64,
    last_client: u64,
    last_clock_jump: Option<Instant>,
    /// When the newest video frame came from the present publisher.
    last_frame: Option<Instant>,
    left_at: Option<Instant>,
    since_eviction: u32,
    /// Whether the publisher's metadata asked for its own timestamps.
    asked_for_atc: bool,
    figures: Figures,
    /// How long all publishers but the present one have published.
    published: Duration,
}

impl State {
    /// Whether packets come, or did a moment ago.
    fn flows(&self, now: Instant) -> bool {
        self.incumbent.as_ref().is_some_and(|incumbent| {
            now.saturating_duration_since(incumbent.last_packet) < STANDS_STILL_AFTER
        })
    }

    /// Video frames per second. They are counted in media time, which stops with the frames.
    fn frame_rate(&self, now: Instant) -> f64 {
        match self.video_silence(now) {
            Some(silence) if silence < STANDS_STILL_AFTER => self.figures.frame_rate(),
            _ => 0.0,
        }
    }

    /// How long ago the newest video frame came, if one has.
    fn video_silence(&self, now: Instant) -> Option<Duration> {
        let last = self.last_frame.filter(|_| self.incumbent.is_some())?;
        Some(now.saturating_duration_since(last))
    }
}

#[derive(Debug)]
struct Incumbent {
    client: u64,
    credential: Credential,
    since: Instant,
    since_at: SystemTime,
    /// Cancelled when somebody else takes the stream over.
    replaced: CancellationToken,
    last_packet: Instant,
    /// When the last byte came from it, in milliseconds since the stream was created.
    last_byte: Arc<AtomicU64>,
}

#[derive(Debug, Default)]
struct Readers {
    next_id: u64,
    positions: HashMap<u64, Arc<AtomicU64>>,
    subscribers: usize,
    most_subscribers: usize,
    /// How long those that have left had subscribed, together.
    subscribed: Duration,
    /// The ages of the stream at which the present ones came, added up.
    begins: Duration,
}

/// A moment's look at a stream.
#[derive(Clone, Debug)]
pub struct Look {
    /// The client that publishes it, if one does.
    pub publisher: Option<u64>,
    /// How long ago the newest packet came from it, if one does.
    pub silence: Option<Duration>,
    /// How long ago the newest video frame came, if one has.
    pub video_silence: Option<Duration>,
    /// Seconds of media that came in a second, over the last ten; `None` before they have passed.
    pub speed: Option<f64>,
    /// How long ago its clock jumped, if it did.
    pub since_clock_jump: Option<Duration>,
    /// When that client began to publish it; else when the stream came to be.
    pub live_since: SystemTime,
    /// How long it was published in all.
    pub published: Duration,
    /// How often it was published after the first time.
    pub reconnects: u64,
    /// How many subscribe to it.
    pub subscribers: usize,
    /// The most that did at a time.
    pub most_subscribers: usize,
    /// How long they did, added up.
    pub subscribed: Duration,
    /// How many packets slow ones lost within the last half minute.
    pub recent_losses: u64,
    /// Video frames per second; none once it stands still.
    pub frame_rate: f64,
    /// What its packets tell.
    pub figures: Figures,
    /// The headers that a decoder needs now.
    pub headers: Arc<Headers>,
}

impl Stream {
    pub(super) fn new(id: u64, name: StreamName, settings: &StreamSettings, now: Instant) -> Self {
        Self {
            id,
            name,
            created: now,
            created_at: SystemTime::now(),
            earlier_publishes: 0,
            state: RwLock::new(State {
                log: Log::new(settings.log),
                timeline: Timeline::default(),
                mixer: None,
                incumbent: None,
                generation: 0,
                last_client: 0,
                last_clock_jump: None,
                last_frame: None,
                left_at: None,
                since_eviction: 0,
                asked_for_atc: false,
                figures: Figures::default(),
                published: Duration::ZERO,
                settings: settings.clone(),
            }),
            atc: AtomicBool::new(settings.atc),
            appended: Notify::new(),
            news: Notify::new(),
            readers: Mutex::default(),
            tally: Mutex::new(Tally::new(now)),
            past: Mutex::default(),
        }
    }

    /// The same, published so often before it was gone for a moment.
    pub(super) fn with_publishes(mut self, publishes: u64) -> Self {
        self.earlier_publishes = publishes;
        self
    }

    /// How often it was published, and before it was gone for a moment.
    pub(super) fn publishes(&self) -> u64 {
        self.earlier_publishes + self.read_state().generation
    }

    /// Unique while the process lives; counts from 1. A stream that was gone for a moment has
    /// another one afterwards.
    pub fn id(&self) -> u64 {
        self.id
    }

    /// The stream's name.
    pub fn name(&self) -> &StreamName {
        &self.name
    }

    /// The client that publishes the stream, if one does.
    pub fn publisher(&self) -> Option<u64> {
        self.read_state()
            .incumbent
            .as_ref()
            .map(|incumbent| incumbent.client)
    }

    /// What is known of it now.
    pub fn look(&self, now: Instant) -> Look {
        let state = self.read_state();
        let incumbent = state.incumbent.as_ref();
        let published = incumbent.map(|incumbent| now.saturating_duration_since(incumbent.since));
        let look = Look {
            publisher: incumbent.map(|incumbent| incumbent.client),
            silence: incumbent
                .map(|incumbent| now.saturating_duration_since(incumbent.last_packet)),
            video_silence: state.video_silence(now),
            speed: None,
            since_clock_jump: state
                .last_clock_jump
                .map(|jump| now.saturating_duration_since(jump)),
            live_since: incumbent.map_or(self.created_at, |incumbent| incumbent.since_at),
            published: state.published + published.unwrap_or_default(),
            reconnects: (self.earlier_publishes + state.generation).saturating_sub(1),
            frame_rate: state.frame_rate(now),
            figures: state.figures,
            headers: Arc::clone(state.log.headers()),
            subscribers: 0,
            most_subscribers: 0,
            subscribed: Duration::ZERO,
            recent_losses: 0,
        };
        drop(state);
        let (recent_losses, speed) = (self.recent_losses(), self.speed());
        let readers = self.lock_readers();
        let present = u32::try_from(readers.subscribers).unwrap_or(u32::MAX);
        let present = (self.age(now) * present).saturating_sub(readers.begins);
        Look {
            subscribers: readers.subscribers,
            most_subscribers: readers.most_subscribers,
            subscribed: readers.subscribed + present,
            recent_losses,
            speed,
            ..look
        }
    }

    /// What its clients have counted together. Held only to add to it or to look at it.
    pub fn tally(&self) -> MutexGuard<'_, Tally> {
        self.tally.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Puts changed settings in force, whoever publishes and plays.
    pub fn apply(&self, settings: &StreamSettings) {
        let mut guard = self.write_state();
        let state = &mut *guard;
        if state.settings == *settings {
            return;
        }
        let before = state.log.end();
        if state.mixer.is_some() != settings.mix_correct {
            self.flush_mixer(state);
            let is_published = state.incumbent.is_some();
            state.mixer = (settings.mix_correct && is_published).then(Mixer::default);
        }
        state.settings = settings.clone();
        state.log.set_limits(settings.log);
        state.log.evict(self.slowest_reader());
        self.settle_atc(state);
        drop(guard);
        self.wake(before);
    }

    fn settle_atc(&self, state: &State) {
        let settings = &state.settings;
        let atc = settings.atc || settings.atc_auto && state.asked_for_atc;
        self.atc.store(atc, Ordering::Relaxed);
    }

    /// How many subscribers the stream has.
    pub fn subscribers(&self) -> usize {
        self.lock_readers().subscribers
    }

    /// Looks at the log. Nobody can append meanwhile.
    pub fn with_log<T>(&self, look: impl FnOnce(&Log) -> T) -> T {
        look(&self.read_state().log)
    }

    /// Whether players of the stream get its publisher's own timestamps.
    pub fn is_atc(&self) -> bool {
        self.atc.load(Ordering::Relaxed)
    }

    /// Waits until there is an entry at `position` of the log, or behind it.
    ///
    /// Cancel-safe.
    pub async fn reached(&self, position: Sequence) {
        let there = || self.with_log(|log| log.end() > position);
        wait_until(&self.appended, there).await;
    }

    /// Waits until there is something that must not wait at `position` of the log, or behind it:
    /// see [`Log::has_news_from`].
    ///
    /// Cancel-safe.
    pub async fn has_news_from(&self, position: Sequence) {
        let there = || self.with_log(|log| log.has_news_from(position));
        wait_until(&self.news, there).await;
    }

    /// Keeps what stands at `position` of the log, and behind it, from being dropped before the
    /// queue length is over.
    pub fn hold(self: &Arc<Self>, position: Sequence) -> Place {
        let position = Arc::new(AtomicU64::new(position));
        let mut readers = self.lock_readers();
        readers.next_id += 1;
        let id = readers.next_id;
        readers.positions.insert(id, Arc::clone(&position));
        drop(readers);
        Place::new(Arc::clone(self), id, position)
    }

    /// Bytes of media that the log holds.
    pub fn log_bytes(&self) -> usize {
        self.read_state().log.bytes()
    }

    /// The headers that a decoder of this stream needs now.
    pub fn headers(&self) -> Arc<Headers> {
        Arc::clone(self.read_state().log.headers())
    }

    fn age(&self, now: Instant) -> Duration {
        now.saturating_duration_since(self.created)
    }

    /// Whether nobody publishes or subscribes.
    pub(super) fn is_abandoned(&self) -> bool {
        self.read_state().incumbent.is_none() && self.subscribers() == 0
    }

    fn slowest_reader(&self) -> Option<Sequence> {
        let readers = self.lock_readers();
        readers
            .positions
            .values()
            .map(|position| position.load(Ordering::Acquire))
            .min()
    }

    fn append(&self, state: &mut State, logged: LoggedPacket) {
        state.since_eviction += 1;
        if state.log.append(logged) || state.since_eviction >= EVICTION_INTERVAL {
            state.since_eviction = 0;
            state.log.evict(self.slowest_reader());
        }
    }

    /// Wakes whoever waits for what was appended from `before` on.
    fn wake(&self, before: Sequence) {
        if self.with_log(|log| log.has_news_from(before)) {
            self.news.notify_waiters();
        }
        self.appended.notify_waiters();
    }

    // A panic inside a critical section leaves a whole state behind: every change in it is a
    // single push or assignment. So the locks are taken whether or not they are poisoned.

    /// Waits until an append could lock all that it needs.
    pub(crate) fn wait_for_locks(&self) {
        drop(self.write_state());
        drop(self.lock_readers());
    }

    fn read_state(&self) -> RwLockReadGuard<'_, State> {
        self.state.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write_state(&self) -> RwLockWriteGuard<'_, State> {
        self.state.write().unwrap_or_else(PoisonError::into_inner)
    }

    fn lock_readers(&self) -> MutexGuard<'_, Readers> {
        self.readers.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// Adds what the present publisher has published to the sum, if there is one.
    fn end_publish(&mut self, now: Instant) {
        if let Some(incumbent) = &self.incumbent {
            self.published += now.saturating_duration_since(incumbent.since);
        }
    }
}

/// The one who publishes a stream. Dropping it unpublishes.
#[derive(Debug)]
pub struct Publisher {
    hub: Hub,
    stream: Arc<Stream>,
    generation: u64,
    replaced: CancellationToken,
    last_byte: Arc<AtomicU64>,
}

/// What a publisher's packet meant for its stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pushed {
    /// The publisher's clock jumped at this packet, and was set right.
    pub clock_jumped: bool,
}

impl Publisher {
    pub(super) fn begin(
        hub: Hub,
        stream: &Arc<Stream>,
        settings: &StreamSettings,
        request: PublishRequest,
        now: Instant,
    ) -> Result<Self, PublishError> {
        let mut state = stream.write_state();
        if let Some(incumbent) = &state.incumbent {
            let last_byte = Duration::from_millis(incumbent.last_byte.load(Ordering::Relaxed));
            let silence = stream.age(now).saturating_sub(last_byte);
            if !request.may_replace(&incumbent.credential, silence) {
                return Err(PublishError::Busy {
                    client: incumbent.client,
                });
            }
            incumbent.replaced.cancel();
        }
        let replaced = CancellationToken::new();
        let last_byte = Arc::new(AtomicU64::new(millis(stream.age(now))));
        let gap = match (&state.incumbent, state.left_at) {
            (Some(incumbent), _) => now.saturating_duration_since(incumbent.last_packet),
            (None, Some(left)) => now.saturating_duration_since(left),
            (None, None) => Duration::ZERO,
        };
        stream.flush_mixer(&mut state);
        state.end_publish(now);
        state.generation += 1;
        state.last_client = request.client;
        state.incumbent = Some(Incumbent {
            client: request.client,
            credential: request.credential,
            since: now,
            since_at: SystemTime::now(),
            replaced: replaced.clone(),
            last_packet: now,
            last_byte: Arc::clone(&last_byte),
        });
        state.settings = settings.clone();
        state.last_clock_jump = None;
        state.last_frame = None;
        state.asked_for_atc = false;
        stream.settle_atc(&state);
        state.figures.restart();
        state.mixer = settings.mix_correct.then(Mixer::default);
        state.log.set_limits(settings.log);
        state.timeline.restart(gap);
        let before = state.log.end();
        state.log.publish();
        let generation = state.generation;
        drop(state);
        let new = || Box::new(Past::new(now));
        stream.lock_past().get_or_insert_with(new);
        stream.wake(before);
        Ok(Self {
            hub,
            stream: Arc::clone(stream),
            generation,
            replaced,
            last_byte,
        })
    }

    /// The stream that is published.
    pub fn stream(&self) -> &Arc<Stream> {
        &self.stream
    }

    /// Notes that bytes came from the publisher: it lives, even if it takes its time for a packet.
    pub fn note_bytes(&self, now: Instant) {
        self.last_byte
            .store(millis(self.stream.age(now)), Ordering::Relaxed);
    }

    /// Completes when another client takes the stream over.
    pub async fn replaced(&self) -> Replaced {
        self.replaced.cancelled().await;
        self.replacement()
    }

    fn replacement(&self) -> Replaced {
        Replaced {
            by: self.stream.read_state().last_client,
        }
    }

    /// Appends a packet that came with the 32-bit timestamp `wire`.
    ///
    /// # Errors
    /// [`Replaced`]: another client publishes the stream now; the packet was dropped.
    pub fn push(
        &self,
        track: Track,
        wire: u32,
        payload: Bytes,
        now: Instant,
    ) -> Result<Pushed, Replaced> {
        let stream = &self.stream;
        let mut packet = match track {
            Track::Audio => Packet::audio(Timestamp::ZERO, payload),
            Track::Video => Packet::video(Timestamp::ZERO, payload),
            Track::Data => Packet::data(Timestamp::ZERO, payload),
        };
        let header = HeaderKey::of(&packet);
        // Read before the lock is taken: metadata may be long.
        let says = header.and_then(|key| Header::read(key, &packet));
        let asks_for_atc = (header == Some(HeaderKey::Metadata)).then(|| asks_for_atc(&packet));
        let mut guard = stream.write_state();
        let state = &mut *guard;
        if state.generation != self.generation {
            drop(guard);
            return Err(self.replacement());
        }
        if let Some(incumbent) = &mut state.incumbent {
            incumbent.last_packet = now;
        }
        let stamp = match header {
            None => state.timeline.place(track, wire, stream.age(now)),
            Some(_) => state.timeline.place_header(track, wire),
        };
        packet.timestamp = stamp.timestamp;
        if let Some(asked) = asks_for_atc {
            state.asked_for_atc = asked;
            stream.settle_atc(state);
        }
        state.figures.count(&packet);
        if track == Track::Video && header.is_none() {
            state.last_frame = Some(now);
        }
        if let Some(header) = says {
            state.figures.note_header(header);
        }
        state.figures.clock_jumps += u64::from(stamp.jumped);
        let logged = LoggedPacket {
            packet,
            source: stamp.source,
            discontinuity: stamp.jumped,
        };
        let before = state.log.end();
        if stamp.jumped {
            state.last_clock_jump = Some(now);
            // What waits in the mixer has times that cannot be compared with those to come.
            stream.flush_mixer(state);
        }
        match &mut state.mixer {
            None => stream.append(state, logged),
            Some(mixer) => {
                mixer.push(logged);
                while let Some(next) = state.mixer.as_mut().and_then(Mixer::pop) {
                    stream.append(state, next);
                }
            }
        }
        let has_news = state.log.has_news_from(before);
        drop(guard);
        if has_news {
            stream.news.notify_waiters();
        }
        stream.appended.notify_waiters();
        Ok(Pushed {
            clock_jumped: stamp.jumped,
        })
    }
}

impl Drop for Publisher {
    fn drop(&mut self) {
        let mut state = self.stream.write_state();
        let before = state.log.end();
        if state.generation == self.generation {
            self.stream.flush_mixer(&mut state);
            state.end_publish(Instant::now());
            state.left_at = state
                .incumbent
                .take()
                .map(|incumbent| incumbent.last_packet);
            state.log.unpublish();
            state.figures.forget_headers();
            state.log.evict(self.stream.slowest_reader());
        }
        drop(state);
        self.stream.wake(before);
        self.hub.leave(&self.stream);
    }
}

impl Stream {
    fn flush_mixer(&self, state: &mut State) {
        while let Some(next) = state.mixer.as_mut().and_then(Mixer::pop_first) {
            self.append(state, next);
        }
    }
}

/// Waits for notices until `there` says yes.
async fn wait_until(notices: &Notify, there: impl Fn() -> bool) {
    while !there() {
        let notice = notices.notified();
        tokio::pin!(notice);
        // Registered before the second look, so that no notice falls between look and wait.
        notice.as_mut().enable();
        if there() {
            return;
        }
        notice.await;
    }
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

/// Whether an encoder asks for its own timestamps, as Adobe's and BravoSoft's do.
fn asks_for_atc(packet: &Packet) -> bool {
    Metadata::decode(&packet.payload).is_ok_and(|metadata| metadata.bravo_atc())
}

/// What nobody needs is dropped at each key frame, and after so many packets without one.
const EVICTION_INTERVAL: u32 = 64;
/// A stream of which so long nothing came has no frame rate.
const STANDS_STILL_AFTER: Duration = Duration::from_secs(3);

#[cfg(test)]
mod tests;
