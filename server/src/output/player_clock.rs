//! The timestamps that one player sees (`time_jitter` and `atc`).

use srs_media::time::Timestamp;

use crate::config::TimeJitter;
use crate::hub::log::{HeaderKey, LoggedPacket};

/// Where one player's time begins, once it has.
#[derive(Clone, Debug)]
pub struct PlayerClock {
    jitter: TimeJitter,
    base: Option<i64>,
    began: Option<u64>,
}

/// When a packet is, for one player.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PlayerTime {
    /// Milliseconds modulo 2^32, as the message carries them.
    pub wire: u32,
    /// Milliseconds of media since the player began.
    pub played: u64,
}

/// What the timestamps of one packet are made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PacketTime {
    timeline: Timestamp,
    source: i64,
    header: Option<HeaderKey>,
}

/// What a player's time counts from. Players with the same zero see the same timestamps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Zero {
    /// A point on the stream's own timeline.
    Timeline(i64),
    /// A point in the publisher's time.
    Source(i64),
    /// The publisher's own zero.
    Untouched,
}

impl PlayerClock {
    /// The clock of a player that has had no packet yet.
    pub fn new(jitter: TimeJitter) -> Self {
        Self {
            jitter,
            base: None,
            began: None,
        }
    }

    /// The player's time of a packet. With `atc` it gets the publisher's.
    pub fn tell(&mut self, logged: &LoggedPacket, atc: bool) -> PlayerTime {
        let timeline = logged.packet.timestamp.as_millis();
        let began = *self.began.get_or_insert(timeline);
        let time = PacketTime::of(logged);
        match self.jitter(atc) {
            TimeJitter::Full if time.header == Some(HeaderKey::Metadata) => {}
            TimeJitter::Full => {
                self.base.get_or_insert_with(|| time.timeline());
            }
            // A header's own time means nothing, so it sets no beginning.
            TimeJitter::Zero if time.header.is_some() => {}
            TimeJitter::Zero => {
                let base = self.base.get_or_insert(time.source);
                *base = (*base).min(time.source);
            }
            TimeJitter::Off => {}
        }
        PlayerTime {
            wire: self.zero(atc).map_or(0, |zero| zero.wire(&time)),
            played: timeline.saturating_sub(began),
        }
    }

    /// What the player's time counts from; `None` before it has begun.
    pub fn zero(&self, atc: bool) -> Option<Zero> {
        match self.jitter(atc) {
            TimeJitter::Full => self.base.map(Zero::Timeline),
            TimeJitter::Zero => self.base.map(Zero::Source),
            TimeJitter::Off => Some(Zero::Untouched),
        }
    }

    fn jitter(&self, atc: bool) -> TimeJitter {
        if atc { TimeJitter::Off } else { self.jitter }
    }
}

impl PacketTime {
    /// The times of a packet.
    pub fn of(logged: &LoggedPacket) -> Self {
        Self {
            timeline: logged.packet.timestamp,
            source: logged.source,
            header: HeaderKey::of(&logged.packet),
        }
    }

    fn timeline(&self) -> i64 {
        i64::try_from(self.timeline.as_millis()).unwrap_or(i64::MAX)
    }
}

impl Zero {
    /// The time of a packet that counts from here, in milliseconds modulo 2^32.
    pub fn wire(self, time: &PacketTime) -> u32 {
        let millis = match self {
            // ffmpeg takes metadata for a track of its own unless its time is zero.
            Self::Timeline(_) if time.header == Some(HeaderKey::Metadata) => 0,
            // The other track's packets may lie a little before the first one's.
            Self::Timeline(zero) => (time.timeline() - zero).max(0),
            Self::Source(zero) => (time.source - zero).max(0),
            Self::Untouched => time.source,
        };
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "messages carry the time modulo 2^32"
        )]
        let wire = millis as u32;
        wire
    }

    /// Whether a player's zero stays where it is after a packet of this time.
    pub fn holds_for(self, time: &PacketTime) -> bool {
        match self {
            Self::Timeline(_) | Self::Untouched => true,
            Self::Source(zero) => time.header.is_some() || time.source >= zero,
        }
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use srs_media::packet::Packet;

    use super::*;

    fn times(jitter: TimeJitter, atc: bool, packets: &[(u64, i64)]) -> Vec<u32> {
        let mut clock = PlayerClock::new(jitter);
        let tell = |(timeline, source): &(u64, i64)| {
            let timestamp = Timestamp::from_millis(*timeline);
            let packet = Packet::audio(timestamp, Bytes::from_static(&[0xAF, 1]));
            let logged = LoggedPacket {
                packet,
                source: *source,
                discontinuity: false,
            };
            clock.tell(&logged, atc).wire
        };
        packets.iter().map(tell).collect()
    }

    #[test]
    fn each_setting_gives_its_own_time() {
        // The publisher's clock resets after the second packet; the timeline goes on.
        let packets = [(5_000, 90_000), (5_040, 90_040), (5_080, 0), (5_120, 40)];
        assert_eq!(times(TimeJitter::Full, false, &packets), [0, 40, 80, 120]);
        assert_eq!(times(TimeJitter::Zero, false, &packets), [0, 40, 0, 40]);
        assert_eq!(
            times(TimeJitter::Off, false, &packets),
            [90_000, 90_040, 0, 40]
        );
        assert_eq!(
            times(TimeJitter::Full, true, &packets),
            [90_000, 90_040, 0, 40]
        );
    }

    #[test]
    fn time_wraps_only_on_the_wire() {
        let day = 86_400_000;
        let packets = [(0, 0), (60 * day, 0), (60 * day + 40, 0)];
        let expected = u32::try_from(60 * day % (1 << 32)).expect("below 2^32");
        assert_eq!(
            times(TimeJitter::Full, false, &packets),
            [0, expected, expected + 40]
        );
    }

    #[test]
    fn audio_a_little_before_the_first_key_frame_is_not_four_billion() {
        assert_eq!(
            times(TimeJitter::Full, false, &[(5_000, 0), (4_990, 0)]),
            [0, 0]
        );
    }
}
