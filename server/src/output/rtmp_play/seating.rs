//! Between a player's own task and the rows of the fan-out.

use std::sync::Arc;
use std::time::Duration;

use srs_net::tcp;
use srs_rtmp::SendQueue;
use srs_rtmp::server::ServerConnection;
use tokio::net::tcp::OwnedWriteHalf;

use super::super::fan_out::{FanOut, Guest, Left, Terms};
use super::RtmpPlay;
use crate::config::{Merge, SendBuffer, VhostConfig};
use crate::hub::log::Sequence;
use crate::hub::stats::Traffic;

impl RtmpPlay {
    /// Sits down among those that all want the same, if this player does: `writer` is then theirs.
    /// Everything that was sent to it before must have been written.
    ///
    /// # Errors
    /// The writer: it has something to read first, or a wish of its own.
    pub fn sit_down(
        &mut self,
        fan_out: &FanOut,
        connection: &ServerConnection,
        writer: OwnedWriteHalf,
        traffic: &Arc<Traffic>,
    ) -> Result<(), OwnedWriteHalf> {
        let atc = self.subscriber.is_atc();
        let (Some(position), Some(zero)) = (self.in_step(), self.clock.zero(atc)) else {
            return Err(writer);
        };
        let terms = Terms {
            chunk_size: connection.chunk_size(),
            merge: self.merge,
        };
        let stream = self.subscriber.stream();
        // The chunk size is the connection's, and may change between two plays.
        let group = match self.group.take().filter(|group| group.terms() == terms) {
            Some(group) => group,
            None => fan_out.group(stream, terms),
        };
        let group = self.group.insert(group);
        let guest = Guest {
            writer,
            position,
            place: Arc::clone(self.subscriber.place()),
            message_stream_id: self.message_stream_id,
            zero,
            atc,
            awaits_key_frame: self.subscriber.awaits_key_frame(),
            traffic: Arc::clone(traffic),
        };
        match group.join(guest) {
            Ok(seat) => {
                self.seat = Some(seat);
                Ok(())
            }
            Err(guest) => Err(guest.writer),
        }
    }

    /// How large the send buffer of the player's socket should be from now on, in bytes, unless it
    /// should stay as it is. To be asked again while [`RtmpPlay::awaits_rate`].
    pub fn new_send_buffer(&mut self) -> Option<usize> {
        let wanted = match self.send_buffer {
            SendBuffer::Bytes(bytes) => bytes,
            SendBuffer::Auto => self.automatic_send_buffer()?,
        };
        // It is set once, and again if the stream turns out to be much larger.
        let is_enough = |set: usize| wanted <= set + set / 2;
        if self.buffered.is_some_and(is_enough) {
            return None;
        }
        self.buffered = Some(wanted);
        Some(wanted)
    }

    /// `None` as long as nothing is known of the stream, and where the kernel would not give so
    /// much: it then does better by itself, and grows the buffer as the connection needs it.
    fn automatic_send_buffer(&mut self) -> Option<usize> {
        let stream = self.subscriber.stream();
        let rate = stream.with_log(|log| log.bytes_per_second());
        self.awaits_rate = rate == 0;
        if self.awaits_rate {
            return None;
        }
        let merge = match self.merge {
            Merge::Auto => Duration::ZERO,
            Merge::For(time) => time,
        };
        let media = (merge + BUFFERED_MEDIA).as_millis();
        let bytes = usize::try_from(u128::from(rate) * media / 1_000).ok()?;
        let largest = tcp::largest_send_buffer()?;
        match bytes.max(LEAST_SEND_BUFFER) {
            bytes if bytes <= largest => Some(bytes),
            // What was set stays set, so that as much as there is must do.
            _ => self.buffered.and(Some(largest)),
        }
    }

    /// Whether the size of the send buffer is open, because the bit rate of the stream is.
    pub fn awaits_rate(&self) -> bool {
        self.awaits_rate
    }

    /// The position of the next packet, if nothing sets this player apart from others.
    fn in_step(&self) -> Option<Sequence> {
        let has_wishes =
            self.paused || !self.audio_wanted || !self.video_wanted || self.duration.is_some();
        if has_wishes || self.dry.is_some() || !self.batch.is_empty() {
            return None;
        }
        let position = self.subscriber.position();
        if self.left_at == Some(position) {
            // What has come since then is collected for all.
            return Some(position);
        }
        self.subscriber.in_step().then_some(position)
    }

    /// Whether others write to the player for now.
    pub fn is_seated(&self) -> bool {
        self.seat.is_some()
    }

    /// Takes the player back, if others write to it: its writer, and the bytes that they wrote.
    /// What of a packet they could not write goes to `out`, which must be empty.
    pub fn stand_up(&mut self, out: &mut SendQueue) -> Option<(OwnedWriteHalf, u64)> {
        let Left {
            writer,
            position,
            rest,
            bytes,
            packets,
            fell_out,
        } = self.seat.take()?.leave();
        self.subscriber.resume(position);
        self.left_at = (!fell_out).then_some(position);
        self.packets += packets;
        out.put_bytes(rest);
        Some((writer, bytes))
    }
}

/// How long packets are collected for the players of a vhost. What waits must not be so old that
/// the log drops it.
pub(super) fn merge(config: &VhostConfig) -> Merge {
    match config.play.merge() {
        Merge::Auto => Merge::Auto,
        Merge::For(time) => Merge::For(time.min(config.queue_length / 2)),
    }
}

/// So much of a stream fits into a player's send buffer, beside one merged write: enough for a path
/// with a round trip of two seconds, and little enough that a player that does not read is noticed,
/// and the kernel's memory is not full of what nobody will see.
const BUFFERED_MEDIA: Duration = Duration::from_secs(2);
/// Bytes. Below this the kernel's own overhead for small writes would be most of the buffer.
const LEAST_SEND_BUFFER: usize = 64 * 1024;
