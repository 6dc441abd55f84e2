//! One RTMP peer's way: handshake, connect, then publish or play, for as long as it likes.
//!
//! A session is one task. It feeds the pure [`ServerConnection`] from the socket, answers what
//! the peer asks for by the configuration, and hands media to [`crate::input::rtmp_publish`] or
//! takes it from [`crate::output::rtmp_play`]. Whatever goes wrong ends this one connection, with
//! one line in the log.

mod end;
mod patience;
mod requests;
mod wait;

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use srs_api::EventKind;
use srs_net::{Exchange, LendableSocket, Transport, seed, tcp};
use srs_rtmp::server::{ServerConnection, ServerEvent, ServerSettings};
use srs_rtmp::url::AppTarget;
use tokio::net::TcpStream;
use tokio::time::{sleep_until, timeout};
use tokio_util::sync::CancellationToken;
use tracing::Span;

use self::end::End;
use self::patience::{Phase, Unsent};
use self::wait::{ready_player, replaced_publisher};
use crate::config::{Config, LimitsConfig};
use crate::control::clients::{Admitted, Ending, Role};
use crate::control::complaints::Subject;
use crate::control::counters::Incident;
use crate::control::logging::{self, MessageId};
use crate::control::parts::Inside;
use crate::hub::takeover::Replaced;
use crate::input::rtmp_publish::{RtmpPublish, Taken};
use crate::output::rtmp_play::{RtmpPlay, Sent};
use crate::service::Service;

/// Serves one client until either side ends it, and gives its place back. `span` is the client's
/// own, entered already.
///
/// This is the whole task: a future around it would hold it twice, which are 2 KB a client.
pub async fn serve(
    service: Arc<Service>,
    config: Arc<Config>,
    socket: TcpStream,
    (admitted, inside): (Admitted, Inside),
    span: Span,
) {
    let stop = admitted.client().ended().clone();
    let mut session = Session::new(service, config, socket, admitted, span);
    let end = match tcp::prepare(
        session.transport.socket().as_ref(),
        session.config.limits.send_timeout,
    ) {
        Ok(()) => session.run(&stop).await,
        Err(error) => End::Socket(error),
    };
    session.finish(end).await;
    drop(inside);
}

struct Session {
    service: Arc<Service>,
    config: Arc<Config>,
    admitted: Admitted,
    span: Span,
    transport: Transport<LendableSocket>,
    connection: ServerConnection,
    /// What the peer connected to, once it has.
    connected: Option<Connected>,
    publishing: Vec<(u32, RtmpPublish)>,
    playing: Vec<RtmpPlay>,
    began: Instant,
    /// The phase before the peer publishes or plays, and when it must be over.
    phase: Phase,
    /// Set while bytes wait for the peer.
    unsent: Option<Unsent>,
    /// How often the peer asked to publish or play.
    requests: u32,
}

struct Connected {
    /// The page that holds the player; empty for encoders.
    page_url: Box<str>,
    target: AppTarget,
}

/// How much of what the peer sent was handled.
enum Handled {
    All,
    Some,
    End(End),
}

/// What woke a session up.
enum Woken {
    Exchange(io::Result<Exchange>),
    /// The player of this index has something to send.
    Player(usize),
    Replaced(u32, Replaced),
    Timer,
    Stop,
}

impl Session {
    fn new(
        service: Arc<Service>,
        config: Arc<Config>,
        socket: TcpStream,
        admitted: Admitted,
        span: Span,
    ) -> Self {
        let settings = ServerSettings {
            limits: protocol_limits(&config.limits),
            ..ServerSettings::default()
        };
        let connection = ServerConnection::new(settings, seed::unix_time(), seed::entropy());
        let now = Instant::now();
        Self {
            service,
            config,
            admitted,
            span,
            transport: Transport::new(LendableSocket::new(socket)),
            connection,
            connected: None,
            publishing: Vec::new(),
            playing: Vec::new(),
            began: now,
            phase: Phase::Handshake,
            unsent: None,
            requests: 0,
        }
    }

    async fn run(&mut self, stop: &CancellationToken) -> End {
        let stopped = stop.cancelled();
        let timer = sleep_until(self.deadline().into());
        tokio::pin!(stopped, timer);
        loop {
            match self.handle_inbox() {
                Handled::All => {}
                // Others want the processor, too; and a stop must not wait for the rest.
                Handled::Some if stop.is_cancelled() => return self.ended(),
                Handled::Some => {
                    tokio::task::yield_now().await;
                    continue;
                }
                Handled::End(end) => return end,
            }
            self.note_unsent();
            self.sit_down();
            // Deadlines move back a little with each packet. The timer does not follow them: they
            // are looked at when it fires, so that a packet costs no timer.
            let deadline = tokio::time::Instant::from(self.deadline());
            let set = timer.deadline();
            if deadline < set || deadline > set + MUCH_LATER || timer.is_elapsed() {
                timer.as_mut().reset(deadline);
            }
            let takes_answers = self.transport.outbox.len() < MOST_UNSENT;
            let drained = self.transport.outbox.is_empty();
            let (transport, playing, publishing) =
                (&mut self.transport, &mut self.playing, &self.publishing);
            let woken = tokio::select! {
                () = &mut stopped => Woken::Stop,
                result = transport.exchange(takes_answers) => Woken::Exchange(result),
                index = ready_player(playing), if drained => Woken::Player(index),
                (id, by) = replaced_publisher(publishing) => Woken::Replaced(id, by),
                () = &mut timer => Woken::Timer,
            };
            self.stand_up();
            let end = match woken {
                Woken::Exchange(result) => self.exchanged(result),
                Woken::Player(index) => {
                    self.send_to_player(index);
                    None
                }
                Woken::Replaced(id, by) => self.replaced(id, by),
                Woken::Timer => self.read_then_check_deadlines().await,
                Woken::Stop => Some(self.ended()),
            };
            if let Some(end) = end {
                return end;
            }
        }
    }

    /// Lets the fan-out write to the player, if there is nothing else to do than to send it what
    /// is new.
    fn sit_down(&mut self) {
        let [play] = &mut self.playing[..] else {
            return;
        };
        if !self.publishing.is_empty() || !self.transport.outbox.is_empty() {
            return;
        }
        let socket = self.transport.socket_mut();
        if let Some(bytes) = play.new_send_buffer() {
            // A socket that is closed tells it when it is written to.
            let _ = tcp::set_send_buffer((*socket).as_ref(), bytes);
        }
        let Some(writer) = socket.lend() else {
            return;
        };
        let traffic = &self.admitted.client().traffic;
        if let Err(writer) = play.sit_down(&self.service.fan_out, &self.connection, writer, traffic)
        {
            socket.take_back(writer);
        }
    }

    /// Takes the writing back, whatever woke the session up: it may have to say something.
    fn stand_up(&mut self) {
        for play in &mut self.playing {
            if let Some((writer, bytes)) = play.stand_up(&mut self.transport.outbox) {
                self.transport.socket_mut().take_back(writer);
                self.transport.count_sent(bytes);
            }
        }
    }

    fn exchanged(&self, result: io::Result<Exchange>) -> Option<End> {
        let traffic = &self.admitted.client().traffic;
        traffic
            .bytes_in
            .store(self.transport.received(), Ordering::Relaxed);
        traffic
            .bytes_out
            .store(self.transport.sent(), Ordering::Relaxed);
        match result {
            Ok(Exchange::Closed) => Some(End::PeerClosed),
            Ok(Exchange::Drained) => None,
            Ok(Exchange::Received) => {
                let now = Instant::now();
                for (_, publish) in &self.publishing {
                    publish.note_bytes(now);
                }
                // Commands come in small segments, each of which the peer's Nagle holds back until
                // the one before is acknowledged. The kernel forgets the option again, so it is
                // set after each read; an error would show at the next one.
                if !matches!(self.phase, Phase::Streaming) {
                    let _ = tcp::acknowledge_at_once(self.transport.socket().as_ref());
                }
                None
            }
            // TCP_USER_TIMEOUT may be over a little before our own count of the same time.
            Err(error) if error.kind() == io::ErrorKind::TimedOut && self.has_unsent() => {
                Some(End::SendTimeout)
            }
            Err(error) => Some(End::Socket(error)),
        }
    }

    /// Why the session is to end: for this client's sake, or because the server stops.
    fn ended(&self) -> End {
        match self.admitted.client().ending() {
            Some(Ending::Kicked) => End::Kicked,
            Some(Ending::VhostRemoved) => End::VhostRemoved,
            None => End::Stopped,
        }
    }

    fn has_unsent(&self) -> bool {
        !self.transport.outbox.is_empty()
    }

    /// Handles what the peer has sent so far, up to a fair share: an aggregate of 16 MB can hold a
    /// million messages.
    fn handle_inbox(&mut self) -> Handled {
        for _ in 0..FAIR_SHARE {
            if self.transport.outbox.len() >= MOST_UNSENT {
                return Handled::All;
            }
            let Transport { inbox, outbox, .. } = &mut self.transport;
            match self.connection.read(inbox, outbox) {
                Ok(Some(event)) => {
                    if let Some(end) = self.handle(event) {
                        return Handled::End(end);
                    }
                }
                Ok(None) => {
                    self.transport.release_inbox();
                    return Handled::All;
                }
                Err(error) => return Handled::End(End::Protocol(error)),
            }
        }
        Handled::Some
    }

    fn handle(&mut self, event: ServerEvent) -> Option<End> {
        let now = Instant::now();
        match event {
            ServerEvent::HandshakeDone => {
                self.phase = Phase::Identify(now);
            }
            ServerEvent::Connect(request) => return self.connect(request),
            ServerEvent::Publish(request) => {
                self.count_request();
                self.publish(&request, now);
            }
            ServerEvent::Play(request) => {
                self.count_request();
                self.play(&request, now);
            }
            ServerEvent::Media(media) => {
                let id = media.message_stream_id;
                let (_, publish) = self.publishing.iter_mut().find(|(known, _)| *known == id)?;
                let client = self.admitted.client();
                client.traffic.packets_in.fetch_add(1, Ordering::Relaxed);
                match publish.take(media, now) {
                    Ok(Taken::Nothing) => {}
                    Ok(Taken::WithJump { was_told }) => {
                        self.service.counters.count(Incident::ClockJump);
                        if was_told {
                            let (kind, name) = (EventKind::ClockJump, publish.name());
                            self.service.events.tell_of(kind, client, Some(name), "");
                        }
                    }
                    Ok(Taken::Unreadable) => {
                        self.service.counters.count(Incident::DataUnreadable);
                    }
                    Err(by) => return self.replaced(id, by),
                }
            }
            ServerEvent::Pause {
                message_stream_id,
                paused,
            } => {
                if let Some(play) = self.play_mut(message_stream_id) {
                    play.pause(paused);
                    tracing::debug!(paused, "the player paused or resumed");
                }
            }
            ServerEvent::Receive {
                message_stream_id,
                kind,
                wanted,
            } => {
                if let Some(play) = self.play_mut(message_stream_id) {
                    play.receive(kind, wanted);
                }
            }
            ServerEvent::BufferLength { millis, .. } => {
                tracing::debug!(millis, "the player told its buffer length");
            }
            ServerEvent::Stop { message_stream_id } => {
                self.stop_stream(message_stream_id, "ended by the client", now);
            }
        }
        None
    }

    fn count_request(&mut self) {
        self.requests = self.requests.saturating_add(1);
        if self.requests == TALKATIVE {
            let why = format!("asked for {TALKATIVE} streams on one connection");
            if self.may_complain(&why) {
                tracing::warn!("{why}; the log does not tell when more begin or end");
            } else {
                tracing::debug!("{why}; the log does not tell when more begin or end");
            }
        }
    }

    /// Whether the log tells of this peer's streams: one that begins thousands of them would fill
    /// the disk with it.
    ///
    /// On how many connections it begins them is not looked at, nor whether media ever flow: a
    /// proxy that returns begins hundreds at once, each of which somebody may look for, and one
    /// packet is no proof of good will.
    fn is_told_of(&self) -> bool {
        self.requests < TALKATIVE
    }

    fn play_mut(&mut self, message_stream_id: u32) -> Option<&mut RtmpPlay> {
        self.playing
            .iter_mut()
            .find(|play| play.message_stream_id() == message_stream_id)
    }

    /// Ends what a message stream carries; the client goes on and may begin anew.
    fn stop_stream(&mut self, message_stream_id: u32, why: &str, now: Instant) {
        if let Some(index) = self
            .publishing
            .iter()
            .position(|(id, _)| *id == message_stream_id)
        {
            let (_, publish) = self.publishing.remove(index);
            self.tell_unpublish(&publish, why, now);
        }
        let of_stream = |play: &RtmpPlay| play.message_stream_id() == message_stream_id;
        if let Some(index) = self.playing.iter().position(of_stream) {
            let play = self.playing.remove(index);
            self.tell_stop(&play, why, now);
        }
        // One who was refused has not streamed, and no more time for it than before.
        let streamed = matches!(self.phase, Phase::Streaming);
        if streamed && self.publishing.is_empty() && self.playing.is_empty() {
            self.phase = Phase::Idle(now);
        }
        if streamed {
            self.note_role();
        }
    }

    /// Notes what the client does, for those who look: of several streams it is the one that it
    /// publishes, else the newest that it plays.
    fn note_role(&self) {
        let (role, stream) = if let Some((_, publish)) = self.publishing.last() {
            let announced = publish.is_announced();
            (Role::Publisher { announced }, Some(publish.stream()))
        } else if let Some(play) = self.playing.last() {
            (Role::Player, Some(play.stream()))
        } else {
            (Role::Unknown, None)
        };
        self.admitted.set_role(role, stream.map(Arc::clone));
    }

    fn tell_unpublish(&self, publish: &RtmpPublish, why: &str, now: Instant) {
        if !self.is_told_of() {
            return;
        }
        let client = self.admitted.client();
        let traffic = client.traffic.reading();
        let name = publish.name();
        let untold = publish.untold_headers();
        logging::record_stream(&self.span, &name.vhost, &name.app, &name.stream);
        tracing::info!(
            message_id = MessageId::Unpublish.as_str(),
            seconds = publish.duration(now).as_secs(),
            packets = traffic.packets_in,
            bytes = traffic.bytes_in,
            untold_headers = (untold > 0).then_some(untold),
            "unpublish: {why}"
        );
        let events = &self.service.events;
        events.tell_of(EventKind::Unpublish, client, Some(name), why);
    }

    fn tell_stop(&self, play: &RtmpPlay, why: &str, now: Instant) {
        if !self.is_told_of() {
            return;
        }
        let name = play.name();
        logging::record_stream(&self.span, &name.vhost, &name.app, &name.stream);
        tracing::info!(
            seconds = play.duration(now).as_secs(),
            packets = play.packets(),
            dropped = play.dropped(),
            "stop: {why}"
        );
        let (events, client) = (&self.service.events, self.admitted.client());
        events.tell_of(EventKind::Stop, client, Some(name), why);
    }

    fn send_to_player(&mut self, index: usize) {
        let now = Instant::now();
        let Some(play) = self.playing.get_mut(index) else {
            return;
        };
        let before = play.packets();
        let sent = play.send(&mut self.connection, &mut self.transport.outbox, now);
        // What it has lost it lost when it read, which was before.
        let losses = play.new_losses();
        let traffic = &self.admitted.client().traffic;
        let add = |counter: &AtomicU64, count| counter.fetch_add(count, Ordering::Relaxed);
        add(&traffic.packets_out, play.packets() - before);
        add(&traffic.dropped, losses.packets);
        add(&traffic.jumps, losses.jumps);
        if sent == Sent::Finished {
            let id = play.message_stream_id();
            self.end_play(id, "the duration that was asked for is over", now);
        }
    }

    /// Ends a play from our side.
    fn end_play(&mut self, message_stream_id: u32, why: &str, now: Instant) {
        self.connection
            .end_play(message_stream_id, why, &mut self.transport.outbox);
        self.stop_stream(message_stream_id, why, now);
    }

    /// Another client took a stream over. The connection ends with it, unless it carries more.
    fn replaced(&mut self, message_stream_id: u32, by: Replaced) -> Option<End> {
        self.service.counters.count(Incident::PublisherReplaced);
        let why = format!("replaced by another publisher (client {})", by.by);
        self.connection
            .end_publish(message_stream_id, &why, &mut self.transport.outbox);
        self.stop_stream(message_stream_id, &why, Instant::now());
        let carries_more = !self.publishing.is_empty() || !self.playing.is_empty();
        (!carries_more).then_some(End::Replaced)
    }

    /// Tells the peer, the log and the counters how it ended, and closes.
    async fn finish(&mut self, end: End) {
        let now = Instant::now();
        let why = end.to_string();
        if let Some(incident) = end.incident() {
            self.service.counters.count(incident);
        }
        let ids: Vec<u32> = self
            .playing
            .iter()
            .map(RtmpPlay::message_stream_id)
            .collect();
        for id in ids {
            self.end_play(id, &why, now);
        }
        while let Some((id, publish)) = self.publishing.pop() {
            self.tell_unpublish(&publish, &why, now);
            self.connection
                .end_publish(id, &why, &mut self.transport.outbox);
        }
        end.tell(self.is_worth_a_line(&end, &why));
        if end.deserves_farewell() {
            // A peer that does not take our last words in time goes without them.
            let _ = timeout(FAREWELL, self.transport.close()).await;
        }
    }

    /// Whether the log warns of this end, if it warns of such an end at all. Of a client that media
    /// came from or went to it always does; to ask for a stream and then send junk costs nothing,
    /// and strangers could fill the log with it.
    fn is_worth_a_line(&self, end: &End, why: &str) -> bool {
        let has_streamed = self.admitted.client().traffic.reading().packets() > 0;
        has_streamed || !end.is_cut_off() || self.may_complain(why)
    }

    /// Whether what is wrong with this client has a line of its own, or is counted with other
    /// complaints about its address.
    fn may_complain(&self, why: &str) -> bool {
        let (complaints, peer) = (&self.service.complaints, self.admitted.client().peer);
        complaints.may_tell(Subject::Clients, Some(peer.ip()), &peer, &why)
    }

    /// Notes that the client has begun to publish or to play.
    fn note_streaming(&mut self) {
        self.phase = Phase::Streaming;
        self.note_role();
        self.measure_connection();
    }
}

fn protocol_limits(limits: &LimitsConfig) -> srs_rtmp::Limits {
    srs_rtmp::Limits {
        media_message: limits.media_message,
        data_message: limits.data_message,
        command_message: limits.command_message,
        chunk_streams: limits.chunk_streams,
        message_streams: limits.message_streams,
        least_ack_window: limits.ack_window,
        amf: amf_limits(limits),
        ..srs_rtmp::Limits::default()
    }
}

fn amf_limits(limits: &LimitsConfig) -> srs_amf0::Limits {
    srs_amf0::Limits {
        depth: limits.amf_depth,
        values: limits.amf_values,
    }
}

/// Nothing more is read from a peer for which so many bytes wait: one batch of media and the
/// answers to some commands.
const MOST_UNSENT: usize = 1024 * 1024;
/// No player or encoder begins so many streams on one connection.
const TALKATIVE: u32 = 100;
/// A deadline that is so much later is worth a new timer: a wake-up costs more.
const MUCH_LATER: Duration = Duration::from_secs(60);
/// Events that are handled before others get their turn.
const FAIR_SHARE: usize = 256;
/// How long the last words may take.
const FAREWELL: Duration = Duration::from_millis(500);
