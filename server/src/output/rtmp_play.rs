//! A cursor's packets to an RTMP player.
//!
//! A player that has caught up is served together with others by [`fan_out`](super::fan_out), to
//! which `seating` leads. What is here serves it while it is alone: at its beginning, when it
//! is slow or paused, and when the stream does something that each player is told of.

mod seating;

use std::sync::Arc;
use std::time::{Duration, Instant};

use srs_media::packet::{PacketKind, Track};
use srs_rtmp::server::ServerConnection;
use srs_rtmp::{MediaKind, SendQueue};

use super::fan_out::{Group, Seat};
use super::player_clock::PlayerClock;
use crate::config::{Merge, SendBuffer, VhostConfig};
use crate::hub::log::{Entry, LoggedPacket, Sequence};
use crate::hub::{Stream, StreamName, Subscriber};

/// One stream that a client plays over RTMP. Dropping it leaves the stream.
#[derive(Debug)]
pub struct RtmpPlay {
    message_stream_id: u32,
    subscriber: Subscriber,
    clock: PlayerClock,
    began: Instant,
    /// What was read and not yet sent.
    batch: Vec<Entry>,
    paused: bool,
    audio_wanted: bool,
    video_wanted: bool,
    /// Milliseconds of media after which the play is over.
    duration: Option<u64>,
    /// Since when there is no publisher, and how long the player keeps its place.
    dry: Option<Dry>,
    keep: Duration,
    packets: u64,
    /// The losses that were told of.
    told: Losses,
    merge: Merge,
    send_buffer: SendBuffer,
    /// What the socket's buffer was set to, once it was.
    buffered: Option<usize>,
    awaits_rate: bool,
    /// Those that it is served with while it has caught up.
    group: Option<Arc<Group>>,
    /// Set while others write to it.
    seat: Option<Seat>,
    /// Where it stood when it left its seat of its own accord.
    left_at: Option<Sequence>,
}

/// What a player lost because it was too slow.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Losses {
    /// Packets.
    pub packets: u64,
    /// How often it jumped to a newer key frame.
    pub jumps: u64,
}

#[derive(Clone, Copy, Debug)]
struct Dry {
    since: Instant,
    patience: Duration,
}

/// What became of a send.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sent {
    /// More will follow.
    More,
    /// The player has had what it asked for.
    Finished,
}

impl RtmpPlay {
    /// Plays by `subscriber` on the message stream, from `now` on. `duration_millis` is the
    /// player's wish: nothing below zero counts.
    pub fn new(
        message_stream_id: u32,
        mut subscriber: Subscriber,
        config: &VhostConfig,
        duration_millis: f64,
        now: Instant,
    ) -> Self {
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "the cast saturates, and a longer wish than 2^64 ms is as good as granted"
        )]
        let duration = (duration_millis > 0.0).then_some(duration_millis as u64);
        // Known before the first read: where nobody may wait, that would come too late.
        let waits = subscriber.stream().publisher().is_none();
        // Takes its place before the player is told yes: what is published after that is for it.
        let mut batch = Vec::new();
        subscriber.try_read(&mut batch);
        Self {
            message_stream_id,
            subscriber,
            clock: PlayerClock::new(config.time_jitter),
            began: now,
            batch,
            paused: false,
            audio_wanted: true,
            video_wanted: true,
            duration,
            dry: waits.then_some(Dry {
                since: now,
                patience: config.play.wait,
            }),
            keep: config.publish.keep_players,
            packets: 0,
            told: Losses::default(),
            merge: seating::merge(config),
            send_buffer: config.play.send_buffer,
            buffered: None,
            awaits_rate: false,
            group: None,
            seat: None,
            left_at: None,
        }
    }

    /// The message stream that carries it.
    pub fn message_stream_id(&self) -> u32 {
        self.message_stream_id
    }

    /// The stream's name.
    pub fn name(&self) -> &StreamName {
        self.subscriber.stream().name()
    }

    /// The stream.
    pub fn stream(&self) -> &Arc<Stream> {
        self.subscriber.stream()
    }

    /// What the player has lost since the last time that this was asked.
    pub fn new_losses(&mut self) -> Losses {
        let losses = Losses {
            packets: self.subscriber.dropped(),
            jumps: self.subscriber.jumps(),
        };
        let told = std::mem::replace(&mut self.told, losses);
        Losses {
            packets: losses.packets - told.packets,
            jumps: losses.jumps - told.jumps,
        }
    }

    /// How long it has played.
    pub fn duration(&self, now: Instant) -> Duration {
        now.saturating_duration_since(self.began)
    }

    /// Packets sent.
    pub fn packets(&self) -> u64 {
        self.packets
    }

    /// Packets lost because the player was too slow.
    pub fn dropped(&self) -> u64 {
        self.subscriber.dropped()
    }

    /// How far the player is behind the newest packet.
    pub fn lag(&self) -> Duration {
        self.subscriber.lag()
    }

    /// Notices whether a paused player has lost or regained its publisher: it does not read what
    /// the log says of that.
    pub fn look_for_publisher(&mut self, now: Instant) {
        if self.paused {
            let published = self.subscriber.stream().publisher().is_some();
            match self.dry {
                None if !published => {
                    self.dry = Some(Dry {
                        since: now,
                        patience: self.keep,
                    })
                }
                Some(_) if published => self.dry = None,
                _ => {}
            }
        }
    }

    /// When the player has waited long enough for a publisher.
    pub fn deadline(&self) -> Option<Instant> {
        self.dry.map(|dry| dry.since + dry.patience)
    }

    /// Stops sending, or goes on where it stopped (or at a key frame, if that was too long ago).
    pub fn pause(&mut self, paused: bool) {
        self.left_at = None;
        self.paused = paused;
    }

    /// Leaves audio or video out, or takes it in again.
    pub fn receive(&mut self, kind: MediaKind, wanted: bool) {
        self.left_at = None;
        match kind {
            MediaKind::Audio => self.audio_wanted = wanted,
            MediaKind::Video => {
                if wanted && !self.video_wanted {
                    self.subscriber.await_key_frame();
                }
                self.video_wanted = wanted;
            }
            MediaKind::Data => {}
        }
    }

    /// Waits until there is something to send, or the player must stand up. A paused player waits
    /// for ever.
    ///
    /// Cancel-safe.
    pub async fn ready(&mut self) {
        if self.paused {
            std::future::pending::<()>().await;
        }
        if let Some(seat) = &self.seat {
            return seat.fell_out().await;
        }
        if self.batch.is_empty() {
            self.subscriber.read(&mut self.batch).await;
        }
    }

    /// Whether there is something to send now.
    pub fn try_ready(&mut self) -> bool {
        !self.paused && (!self.batch.is_empty() || self.subscriber.try_read(&mut self.batch))
    }

    /// Sends what [`RtmpPlay::ready`] found.
    pub fn send(
        &mut self,
        connection: &mut ServerConnection,
        out: &mut SendQueue,
        now: Instant,
    ) -> Sent {
        let atc = self.subscriber.is_atc();
        let mut sent = Sent::More;
        for entry in std::mem::take(&mut self.batch) {
            match entry {
                Entry::Packet(logged) => {
                    if self.is_wanted(&logged) {
                        let time = self.clock.tell(&logged, atc);
                        if self
                            .duration
                            .is_some_and(|duration| time.played >= duration)
                        {
                            sent = Sent::Finished;
                            break;
                        }
                        let kind = kind_of(logged.packet.track);
                        let payload = &logged.packet.payload;
                        let id = self.message_stream_id;
                        connection.send_media(id, kind, time.wire, payload, out);
                        self.packets += 1;
                    }
                }
                // The first entry tells a player that waits already what it knows.
                Entry::Unpublished if self.dry.is_some() => {}
                Entry::Unpublished => {
                    self.dry = Some(Dry {
                        since: now,
                        patience: self.keep,
                    });
                    connection.stream_dry(self.message_stream_id, out);
                }
                Entry::Published => {
                    if self.dry.take().is_some() && self.packets > 0 {
                        connection.stream_begin(self.message_stream_id, out);
                    }
                }
            }
        }
        sent
    }

    /// Headers go out even where a track is not wanted for now: the decoder will need them.
    fn is_wanted(&self, logged: &LoggedPacket) -> bool {
        let header = logged.packet.kind == PacketKind::SequenceHeader;
        match logged.packet.track {
            Track::Audio => self.audio_wanted || header,
            Track::Video => self.video_wanted || header,
            Track::Data => true,
        }
    }
}

/// The kind of message that carries a track.
pub(super) fn kind_of(track: Track) -> MediaKind {
    match track {
        Track::Audio => MediaKind::Audio,
        Track::Video => MediaKind::Video,
        Track::Data => MediaKind::Data,
    }
}
