//! An encoder's packets into the log.

mod told;

use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use srs_amf0::{Decoder, Limits};
use srs_media::metadata::{Metadata, MetadataError};
use srs_media::packet::Track;
use srs_rtmp::{Media, MediaKind};

use self::told::Told;
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
    told: Told,
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
            told: Told::new(false),
            amf,
            announced,
        }
    }

    /// Has the log tell nothing of what the encoder sends.
    pub fn silently(mut self) -> Self {
        self.told = Told::new(true);
        self
    }

    /// Whether the client announced the stream, as encoders of the FMLE kind do.
    pub fn is_announced(&self) -> bool {
        self.announced
    }

    /// How many changes of codec or format the log has told nothing of: there were too many.
    pub fn untold_headers(&self) -> u64 {
        self.told.untold_headers()
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
                    self.told.tell_unreadable(&error);
                    return Ok(Taken::Unreadable);
                }
            },
        };
        self.last_packet = Some(now);
        self.told.tell_codec(track, &payload, now);
        let pushed = self.publisher.push(track, media.timestamp, payload, now)?;
        if pushed.clock_jumped {
            let was_told = self.told.tell_jump(track, media.timestamp, now);
            return Ok(Taken::WithJump { was_told });
        }
        Ok(Taken::Nothing)
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
