//! An encoder's packets into the log.

use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use srs_amf0::{Decoder, Limits};
use srs_media::codec::{AudioConfig, VideoConfig};
use srs_media::metadata::{Metadata, MetadataError};
use srs_media::packet::Track;
use srs_media::{audio, video};
use srs_rtmp::{Media, MediaKind};

use crate::config::PublishConfig;
use crate::control::watchdog::pulse::Turn;
use crate::hub::takeover::Replaced;
use crate::hub::{Publisher, Stream, StreamName};

/// One stream that a client publishes over RTMP. Dropping it unpublishes.
#[derive(Debug)]
pub struct RtmpPublish {
    publisher: Publisher,
    /// Shows the watchdog that packets are waited for.
    turn: Turn,
    timeouts: Timeouts,
    began: Instant,
    last_packet: Option<Instant>,
    /// Sequence headers that were told about, so that repeated ones are not told again.
    told: [Option<Bytes>; 2],
    told_unreadable: bool,
    jumps: JumpLog,
    amf: Limits,
    announced: bool,
}

/// What is to be counted of a message that was taken in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Taken {
    /// Nothing special.
    Nothing,
    /// The publisher's clock jumped here, and was set right.
    WithJump {
        /// Whether the log told of it: a clock that jumps all the time is told of now and then.
        was_told: bool,
    },
    /// It was data that cannot be read, or is beyond `limits.amf_depth` or `limits.amf_values`.
    Unreadable,
}

/// Why a data message is not passed on.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
enum DataError {
    #[error(transparent)]
    Metadata(#[from] MetadataError),
    #[error("it does not begin with a name")]
    NoName,
}

#[derive(Clone, Copy, Debug)]
struct Timeouts {
    first_packet: Duration,
    packet: Duration,
}

impl RtmpPublish {
    /// Publishes by `publisher`, from `now` on. `announced`: as encoders of the FMLE kind do.
    pub fn new(
        (publisher, turn): (Publisher, Turn),
        config: &PublishConfig,
        amf: Limits,
        announced: bool,
        now: Instant,
    ) -> Self {
        Self {
            publisher,
            turn,
            timeouts: Timeouts {
                first_packet: config.first_packet_timeout,
                packet: config.timeout,
            },
            began: now,
            last_packet: None,
            told: [None, None],
            told_unreadable: false,
            jumps: JumpLog::default(),
            amf,
            announced,
        }
    }

    /// Whether the client announced the stream, as encoders of the FMLE kind do.
    pub fn is_announced(&self) -> bool {
        self.announced
    }

    /// The stream.
    pub fn stream(&self) -> &Arc<Stream> {
        self.publisher.stream()
    }

    /// The stream's name.
    pub fn name(&self) -> &StreamName {
        self.publisher.stream().name()
    }

    /// When the publisher counts as gone, unless a packet comes.
    pub fn deadline(&self) -> Instant {
        match self.last_packet {
            Some(last) => last + self.timeouts.packet,
            None => self.began + self.timeouts.first_packet,
        }
    }

    /// How long it has published.
    pub fn duration(&self, now: Instant) -> Duration {
        now.saturating_duration_since(self.began)
    }

    /// Notes that bytes came from the encoder.
    pub fn note_bytes(&self, now: Instant) {
        self.publisher.note_bytes(now);
    }

    /// Whether another client has taken the stream over, and which.
    pub async fn replaced(&self) -> Replaced {
        self.turn.beside(self.publisher.replaced()).await
    }

    /// Takes one message in.
    ///
    /// # Errors
    /// [`Replaced`]: another client publishes the stream now.
    pub fn take(&mut self, media: Media, now: Instant) -> Result<Taken, Replaced> {
        let (track, payload) = match media.kind {
            MediaKind::Audio => (Track::Audio, media.payload),
            MediaKind::Video => (Track::Video, media.payload),
            MediaKind::Data => match relayed_data(&media.payload, self.amf) {
                Ok(Some(payload)) => (Track::Data, payload),
                Ok(None) => return Ok(Taken::Nothing),
                Err(error) => {
                    self.tell_unreadable(&error);
                    return Ok(Taken::Unreadable);
                }
            },
        };
        self.last_packet = Some(now);
        self.tell_codec(track, &payload);
        let pushed = self.publisher.push(track, media.timestamp, payload, now)?;
        if pushed.clock_jumped {
            let was_told = self.jumps.tell(track, media.timestamp, now);
            return Ok(Taken::WithJump { was_told });
        }
        Ok(Taken::Nothing)
    }

    /// Tells of the first data message that could not be read; the others are counted.
    fn tell_unreadable(&mut self, error: &DataError) {
        if !self.told_unreadable {
            self.told_unreadable = true;
            tracing::warn!("left out a data message: {error}");
        }
    }

    /// Logs what a sequence header says, when it is a new one.
    fn tell_codec(&mut self, track: Track, payload: &Bytes) {
        let (told, summary) = match track {
            Track::Video if is_video_header(payload) => {
                let summary = VideoConfig::parse(payload).map(|config| config.to_string());
                (&mut self.told[0], summary)
            }
            Track::Audio if is_audio_header(payload) => {
                let summary = AudioConfig::parse(payload).map(|config| config.to_string());
                (&mut self.told[1], summary)
            }
            _ => return,
        };
        if told.as_ref() == Some(payload) {
            return;
        }
        *told = Some(payload.clone());
        match summary {
            Ok(summary) => tracing::info!("{} is {summary}", name_of(track)),
            // Players may understand what we do not: the header is passed on as it is.
            Err(error) => {
                tracing::warn!(
                    "cannot read the {} sequence header: {error}",
                    name_of(track)
                );
            }
        }
    }
}

fn is_video_header(payload: &[u8]) -> bool {
    video::TagHeader::parse(payload).is_ok_and(|header| header.is_sequence_header())
}

fn is_audio_header(payload: &[u8]) -> bool {
    audio::TagHeader::parse(payload).is_ok_and(|header| header.is_sequence_header())
}

fn name_of(track: Track) -> &'static str {
    match track {
        Track::Audio => "audio",
        Track::Video => "video",
        Track::Data => "data",
    }
}

/// What players get of a data message: metadata in their own form, cue points and captions as they
/// are, and nothing of what speaks to the server alone.
fn relayed_data(payload: &Bytes, limits: Limits) -> Result<Option<Bytes>, DataError> {
    match Metadata::decode_within(payload, limits) {
        Ok(mut metadata) => {
            metadata.insert("server", SERVER);
            metadata.insert("server_version", env!("CARGO_PKG_VERSION"));
            return Ok(Some(metadata.encode()));
        }
        Err(MetadataError::OtherEvent { .. }) => {}
        Err(error) => return Err(error.into()),
    }
    let name = Decoder::new(payload, limits)
        .decode()
        .map_err(MetadataError::from)?;
    let name = name.as_str().ok_or(DataError::NoName)?;
    let for_us = name.starts_with(['@', '|']) || name == "onStatus";
    Ok((!for_us).then(|| payload.clone()))
}

/// Tells of a jumping clock once, and then at most once in [`JumpLog::EVERY`].
#[derive(Debug, Default)]
struct JumpLog {
    last: Option<Instant>,
    untold: u64,
}

impl JumpLog {
    const EVERY: Duration = Duration::from_secs(30);

    /// Returns whether it told.
    fn tell(&mut self, track: Track, wire: u32, now: Instant) -> bool {
        let quiet = self
            .last
            .is_none_or(|last| now.saturating_duration_since(last) >= Self::EVERY);
        if !quiet {
            self.untold += 1;
            return false;
        }
        tracing::warn!(
            timestamp = wire,
            untold = self.untold,
            "the publisher's {} clock jumped; players go on without a jump",
            name_of(track)
        );
        self.last = Some(now);
        self.untold = 0;
        true
    }
}

/// What metadata calls this server.
const SERVER: &str = concat!("srs ", env!("CARGO_PKG_VERSION"));

#[cfg(test)]
mod tests {
    use bytes::BytesMut;
    use srs_amf0::{Object, Value, encode};

    use super::*;

    fn body(values: &[Value]) -> Bytes {
        let mut out = BytesMut::new();
        for value in values {
            encode(value, &mut out);
        }
        out.freeze()
    }

    #[test]
    fn players_get_metadata_without_the_encoders_instruction() {
        let properties = Value::EcmaArray(Object::new().with("width", 640.0));
        let sent = body(&["@setDataFrame".into(), "onMetaData".into(), properties]);
        let relayed = relayed_data(&sent, Limits::default())
            .expect("it can be read")
            .expect("metadata is relayed");
        let metadata = Metadata::decode(&relayed).expect("it is metadata");
        let server = metadata.properties().get("server").and_then(Value::as_str);
        assert_eq!(server, Some(SERVER));
        assert_eq!(
            metadata.properties().get("width").and_then(Value::as_f64),
            Some(640.0)
        );
        assert!(!relayed.windows(13).any(|window| window == b"@setDataFrame"));
    }

    #[test]
    fn cue_points_pass_and_the_servers_own_messages_do_not() {
        let limits = Limits::default();
        let cue = body(&["onCuePoint".into(), Object::new().with("name", "ad").into()]);
        assert_eq!(relayed_data(&cue, limits), Ok(Some(cue)));
        for name in ["@clearDataFrame", "|RtmpSampleAccess", "onStatus"] {
            assert_eq!(
                relayed_data(&body(&[name.into()]), limits),
                Ok(None),
                "{name}"
            );
        }
        assert!(relayed_data(&Bytes::from_static(&[0xFF, 0, 1]), limits).is_err());
    }

    #[test]
    fn the_configured_limits_hold_for_metadata() {
        let many = (0..100).map(|index| (format!("key{index}"), Value::Number(1.0)));
        let sent = body(&["onMetaData".into(), many.collect::<Object>().into()]);
        let limits = Limits {
            values: 50,
            ..Limits::default()
        };
        assert!(relayed_data(&sent, limits).is_err());
        let limits = Limits {
            values: 5_000,
            ..Limits::default()
        };
        assert!(relayed_data(&sent, limits).is_ok());
    }
}
