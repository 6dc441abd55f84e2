//! What is new in a log, framed for a row of players.

use srs_media::packet::{PacketKind, Track};
use srs_rtmp::chunk::ChunkBatch;

use super::super::player_clock::{PacketTime, Zero};
use super::super::rtmp_play::kind_of;
use crate::hub::Stream;
use crate::hub::log::{Entry, Log, Sequence};

/// Packets that stand one behind the other in a log, in chunks.
#[derive(Debug)]
pub(super) struct Batch {
    chunks: ChunkBatch,
    times: Vec<PacketTime>,
    /// The position of the first packet.
    first: Sequence,
    has_video: bool,
    atc: bool,
    /// For whom it is stamped now.
    stamp: Option<Stamp>,
}

/// What the bytes of one player have that those of others may not have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Stamp {
    pub(super) message_stream_id: u32,
    pub(super) zero: Zero,
}

/// What [`Batch::fill`] found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Filled {
    /// There is nothing new.
    Nothing,
    /// Packets, and whether there were more than fit in.
    Packets { more: bool },
    /// Something that each player has to deal with alone: a publisher began or left, the place in
    /// the log is gone, or a packet is too large to be copied. The log ends here.
    Obstacle(Sequence),
}

impl Batch {
    pub(super) fn new() -> Self {
        Self {
            chunks: ChunkBatch::new(0),
            times: Vec::new(),
            first: 0,
            has_video: false,
            atc: false,
            stamp: None,
        }
    }

    /// Frames the packets from `position` on, up to the bounds of a batch or to an obstacle.
    pub(super) fn fill(&mut self, stream: &Stream, position: Sequence, chunk_size: u32) -> Filled {
        self.chunks.clear(KEPT_BYTES);
        self.chunks.set_chunk_size(chunk_size);
        self.times.clear();
        self.first = position;
        self.has_video = false;
        self.stamp = None;
        self.atc = stream.is_atc();
        stream.with_log(|log| self.take_from(log))
    }

    fn take_from(&mut self, log: &Log) -> Filled {
        if self.first < log.first() {
            return Filled::Obstacle(log.end());
        }
        let mut obstacle = false;
        for entry in log.entries_from(self.first) {
            match entry {
                Entry::Packet(logged) if logged.packet.payload.len() <= LARGEST => {
                    let packet = &logged.packet;
                    self.chunks.push(kind_of(packet.track), &packet.payload);
                    self.times.push(PacketTime::of(logged));
                    self.has_video |= packet.track == Track::Video
                        && matches!(packet.kind, PacketKind::KeyFrame | PacketKind::Frame);
                }
                _ => {
                    obstacle = true;
                    break;
                }
            }
            if self.chunks.byte_len() >= BATCH_BYTES || self.times.len() >= BATCH_PACKETS {
                break;
            }
        }
        match (self.times.is_empty(), obstacle) {
            (false, _) => Filled::Packets {
                more: self.end() < log.end(),
            },
            (true, true) => Filled::Obstacle(log.end()),
            (true, false) => Filled::Nothing,
        }
    }

    /// The position behind the last packet.
    pub(super) fn end(&self) -> Sequence {
        self.first + self.times.len() as u64
    }

    /// Whether players get the publisher's own timestamps.
    pub(super) fn is_atc(&self) -> bool {
        self.atc
    }

    /// Whether there are pictures in it.
    pub(super) fn has_video(&self) -> bool {
        self.has_video
    }

    /// The bytes from `position` on for a player with this stamp; `None` if its time takes a turn
    /// within them.
    pub(super) fn bytes_for(&mut self, position: Sequence, stamp: Stamp) -> Option<&[u8]> {
        let times = &self.times;
        if self.stamp != Some(stamp) {
            if !times.iter().all(|time| stamp.zero.holds_for(time)) {
                return None;
            }
            let wire = |index| times.get(index).map_or(0, |time| stamp.zero.wire(time));
            self.chunks.stamp(stamp.message_stream_id, wire);
            self.stamp = Some(stamp);
        }
        Some(self.chunks.bytes_from(self.index(position)))
    }

    /// What is left for a player that has had `written` bytes from `position` on: the rest of a
    /// packet that was cut off, and the position behind it.
    pub(super) fn rest_after(&self, position: Sequence, written: usize) -> (&[u8], Sequence) {
        let (rest, next) = self.chunks.rest_after(self.index(position), written);
        (rest, self.first + next as u64)
    }

    fn index(&self, position: Sequence) -> usize {
        usize::try_from(position.saturating_sub(self.first)).unwrap_or(usize::MAX)
    }
}

/// A batch ends after so many bytes: what a socket's buffer takes at once.
const BATCH_BYTES: usize = 256 * 1024;
/// A batch ends after so many packets: some seconds of a stream, and not too many to stamp.
const BATCH_PACKETS: usize = 512;
/// A larger packet is not copied: each player's write takes it from the log.
const LARGEST: usize = 64 * 1024;
/// Memory that a batch keeps from one use to the next.
const KEPT_BYTES: usize = 64 * 1024;
