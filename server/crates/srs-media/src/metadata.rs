//! `onMetaData`: what a publisher says about its stream.
//!
//! Nothing in it can be relied on: encoders leave properties out, guess them, or send them before
//! they know them. Sequence headers know better where both speak.
//!
//! Follows Adobe's "Video File Format Specification" 10.1, E.5.

use bytes::{Bytes, BytesMut};
use srs_amf0::{DecodeError, Decoder, Limits, Object, Value};

use crate::codec::{AudioCodec, FourCc, Resolution, VideoCodec};

/// The properties of a stream as its publisher gave them, in their order, known here or not.
///
/// Typed getters answer `None` for what is missing, of another type or out of range; numbers that
/// came as text are read.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Metadata {
    properties: Object,
    form: Form,
}

/// How the properties came, and are passed on: there are players that accept the usual form only,
/// and publishers that send the other.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Form {
    #[default]
    EcmaArray,
    Object,
}

impl Metadata {
    /// No properties yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Reads the body of a data message or script tag: `onMetaData`, with or without
    /// `@setDataFrame` in front, and an object or ECMA array. What follows is left aside.
    ///
    /// # Errors
    /// [`MetadataError`] if the body is no such event, or not AMF0 within the default limits.
    pub fn decode(body: &[u8]) -> Result<Self, MetadataError> {
        Self::decode_within(body, Limits::default())
    }

    /// As [`decode`](Self::decode), with other limits than the usual ones.
    ///
    /// # Errors
    /// As there.
    pub fn decode_within(body: &[u8], limits: Limits) -> Result<Self, MetadataError> {
        let mut decoder = Decoder::new(body, limits);
        let mut name = decoder.decode()?;
        if name.as_str() == Some(SET_DATA_FRAME) {
            name = decoder.decode()?;
        }
        match name.as_str() {
            Some(ON_META_DATA) => {}
            // A stranger may send kilobytes as a name, and errors end in logs.
            Some(name) => {
                let name = name.chars().take(40).collect();
                return Err(MetadataError::OtherEvent { name });
            }
            None => return Err(MetadataError::NoName),
        }
        let (properties, form) = match decoder.decode()? {
            Value::EcmaArray(properties) => (properties, Form::EcmaArray),
            Value::Object(properties) | Value::TypedObject { properties, .. } => {
                (properties, Form::Object)
            }
            _ => return Err(MetadataError::NoProperties),
        };
        Ok(Self { properties, form })
    }

    /// The body of a data message or script tag: `onMetaData` and the properties, as an object if
    /// they came as one and otherwise as an ECMA array.
    pub fn encode(&self) -> Bytes {
        let mut body = BytesMut::new();
        srs_amf0::encode(&Value::from(ON_META_DATA), &mut body);
        let properties = self.properties.clone();
        let properties = match self.form {
            Form::EcmaArray => Value::EcmaArray(properties),
            Form::Object => Value::Object(properties),
        };
        srs_amf0::encode(&properties, &mut body);
        body.freeze()
    }

    /// Sets a property, and puts it last; returns what it was before.
    pub fn insert(&mut self, key: impl Into<String>, value: impl Into<Value>) -> Option<Value> {
        self.properties.insert(key, value)
    }

    /// All properties.
    pub const fn properties(&self) -> &Object {
        &self.properties
    }

    /// `width` and `height`, in pixels, if both are there and above zero.
    pub fn resolution(&self) -> Option<Resolution> {
        let side = |key| self.integer(key).filter(|&side| side > 0);
        Some(Resolution {
            width: side("width")?,
            height: side("height")?,
        })
    }

    /// `framerate`, in frames per second, above zero.
    pub fn frame_rate(&self) -> Option<f64> {
        self.number("framerate").filter(|&rate| rate > 0.0)
    }

    /// `videocodecid`: an FLV codec id, or a four-character code as number or text.
    pub fn video_codec(&self) -> Option<VideoCodec> {
        Some(match self.codec_id("videocodecid")? {
            CodecId::Legacy(id) => VideoCodec::from_id(id),
            CodecId::FourCc(code) => VideoCodec::from_four_cc(code),
        })
    }

    /// `videodatarate`, in kilobits per second, not negative.
    pub fn video_data_rate_kbps(&self) -> Option<f64> {
        self.number("videodatarate").filter(|&rate| rate >= 0.0)
    }

    /// `audiocodecid`: an FLV sound format, or a four-character code as number or text.
    pub fn audio_codec(&self) -> Option<AudioCodec> {
        Some(match self.codec_id("audiocodecid")? {
            CodecId::Legacy(id) => AudioCodec::from_id(id),
            CodecId::FourCc(code) => AudioCodec::from_four_cc(code),
        })
    }

    /// `audiodatarate`, in kilobits per second, not negative.
    pub fn audio_data_rate_kbps(&self) -> Option<f64> {
        self.number("audiodatarate").filter(|&rate| rate >= 0.0)
    }

    /// `audiosamplerate`, in Hz, above zero.
    pub fn audio_sample_rate(&self) -> Option<u32> {
        self.integer("audiosamplerate").filter(|&rate| rate > 0)
    }

    /// `audiochannels` or, where only that is said, `stereo`.
    pub fn audio_channels(&self) -> Option<u32> {
        self.integer("audiochannels")
            .filter(|&count| count > 0)
            .or_else(|| {
                let is_stereo = self.properties.get("stereo")?.as_bool()?;
                Some(if is_stereo { 2 } else { 1 })
            })
    }

    /// `encoder`: the name of the software.
    pub fn encoder(&self) -> Option<&str> {
        self.properties.get("encoder")?.as_str()
    }

    /// `bravo_atc`: whether the publisher's timestamps are absolute and to be kept. The encoders
    /// that know it send the text `true`; the boolean is taken as well.
    pub fn bravo_atc(&self) -> bool {
        self.properties
            .get("bravo_atc")
            .is_some_and(|value| value.as_str() == Some("true") || value.as_bool() == Some(true))
    }

    /// A finite number, also if it came as text.
    fn number(&self, key: &str) -> Option<f64> {
        let value = self.properties.get(key)?;
        let number = value
            .as_f64()
            .or_else(|| value.as_str()?.trim().parse().ok())?;
        number.is_finite().then_some(number)
    }

    /// A number from 0 to 2^32 - 1, rounded.
    fn integer(&self, key: &str) -> Option<u32> {
        let number = self.number(key)?.round();
        if !(0.0..=f64::from(u32::MAX)).contains(&number) {
            return None;
        }
        #[expect(clippy::cast_possible_truncation, reason = "the range was checked")]
        Some(number as u32)
    }

    fn codec_id(&self, key: &str) -> Option<CodecId> {
        if let Some(text) = self.properties.get(key)?.as_str()
            && let Ok(code) = text.as_bytes().try_into()
        {
            return Some(CodecId::FourCc(FourCc(code)));
        }
        let number = self.integer(key)?;
        Some(match u8::try_from(number) {
            Ok(id) => CodecId::Legacy(id),
            Err(_) => CodecId::FourCc(FourCc::from_u32(number)),
        })
    }
}

enum CodecId {
    Legacy(u8),
    FourCc(FourCc),
}

/// Why a body is not read as metadata.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum MetadataError {
    /// The body is not AMF0.
    #[error("metadata cannot be decoded")]
    Amf(#[from] DecodeError),
    /// The body is another event.
    #[error("expected the event onMetaData, {name:?} came")]
    OtherEvent {
        /// The start of the event's name.
        name: String,
    },
    /// The body does not begin with a name.
    #[error("expected the event onMetaData, no name came")]
    NoName,
    /// The event has neither an object nor an ECMA array.
    #[error("expected an object or ECMA array after onMetaData, another type came")]
    NoProperties,
}

/// `body` without a leading `@setDataFrame`. Nothing is copied.
pub(crate) fn without_set_data_frame(mut body: Bytes) -> Bytes {
    if let Some(rest) = after_string(&body, SET_DATA_FRAME) {
        let _ = body.split_to(body.len() - rest.len());
    }
    body
}

/// Whether `body` begins with the text `onMetaData`.
pub(crate) fn is_metadata(body: &[u8]) -> bool {
    after_string(body, ON_META_DATA).is_some()
}

/// What follows the AMF0 string `text` at the start of `body`.
fn after_string<'a>(body: &'a [u8], text: &str) -> Option<&'a [u8]> {
    let (marker, rest) = body.split_first()?;
    let (len, rest) = rest.split_first_chunk()?;
    let is_string = *marker == 2 && usize::from(u16::from_be_bytes(*len)) == text.len();
    if is_string {
        rest.strip_prefix(text.as_bytes())
    } else {
        None
    }
}

const SET_DATA_FRAME: &str = "@setDataFrame";
const ON_META_DATA: &str = "onMetaData";

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn body(values: &[Value]) -> Vec<u8> {
        let mut body = BytesMut::new();
        for value in values {
            srs_amf0::encode(value, &mut body);
        }
        body.to_vec()
    }

    fn with(properties: Object) -> Metadata {
        Metadata {
            properties,
            form: Form::EcmaArray,
        }
    }

    #[test]
    fn metadata_is_read_in_all_forms_that_publishers_send() {
        let (set, on) = (Value::from("@setDataFrame"), Value::from("onMetaData"));
        let properties = Object::new().with("width", 1280.0);
        let array = Value::EcmaArray(properties.clone());
        let object = Value::Object(properties.clone());
        let typed = Value::TypedObject {
            class: "M".to_owned(),
            properties: properties.clone(),
        };
        let cases = [
            ("array", vec![on.clone(), array.clone()], Form::EcmaArray),
            ("object", vec![on.clone(), object.clone()], Form::Object),
            ("typed object", vec![on.clone(), typed], Form::Object),
            (
                "@setDataFrame",
                vec![set, on.clone(), array],
                Form::EcmaArray,
            ),
            (
                "more values",
                vec![on.clone(), object, Value::Null],
                Form::Object,
            ),
        ];
        for (name, values, form) in cases {
            let expected = Metadata {
                properties: properties.clone(),
                form,
            };
            assert_eq!(Metadata::decode(&body(&values)), Ok(expected), "{name}");
        }
    }

    #[test]
    fn other_bodies_are_refused() {
        let cases = [
            (
                body(&[Value::from("onTextData")]),
                "expected the event onMetaData, \"onTextData\" came",
            ),
            (
                body(&[Value::from(1.0)]),
                "expected the event onMetaData, no name came",
            ),
            (
                body(&[Value::from("onMetaData"), Value::Null]),
                "expected an object or ECMA array after onMetaData, another type came",
            ),
            (
                body(&[Value::from("onMetaData")]),
                "metadata cannot be decoded",
            ),
            (vec![], "metadata cannot be decoded"),
        ];
        for (body, message) in cases {
            assert_eq!(Metadata::decode(&body).unwrap_err().to_string(), message);
        }
    }

    #[test]
    fn known_properties_have_types() {
        let metadata = with(
            Object::new()
                .with("width", 1920.0)
                .with("height", 1080.0)
                .with("framerate", 29.97)
                .with("videocodecid", 7.0)
                .with("videodatarate", 2500.0)
                .with("audiocodecid", f64::from(0x4F70_7573))
                .with("audiodatarate", 128.0)
                .with("audiosamplerate", 48_000.0)
                .with("stereo", true)
                .with("encoder", "obs-output module"),
        );

        assert_eq!(
            metadata.resolution(),
            Some(Resolution {
                width: 1920,
                height: 1080
            })
        );
        assert_eq!(metadata.frame_rate(), Some(29.97));
        assert_eq!(metadata.video_codec(), Some(VideoCodec::Avc));
        assert_eq!(metadata.video_data_rate_kbps(), Some(2500.0));
        assert_eq!(metadata.audio_codec(), Some(AudioCodec::Opus));
        assert_eq!(metadata.audio_data_rate_kbps(), Some(128.0));
        assert_eq!(metadata.audio_sample_rate(), Some(48_000));
        assert_eq!(metadata.audio_channels(), Some(2));
        assert_eq!(metadata.encoder(), Some("obs-output module"));
        assert!(!metadata.bravo_atc());
    }

    #[test]
    fn what_is_missing_or_makes_no_sense_is_none() {
        let nonsense = with(
            Object::new()
                .with("width", -1.0)
                .with("height", 720.0)
                .with("framerate", f64::NAN)
                .with("videocodecid", true)
                .with("videodatarate", f64::INFINITY)
                .with("audiosamplerate", 0.0)
                .with("audiochannels", 5e9)
                .with("encoder", 1.0),
        );
        for metadata in [Metadata::new(), nonsense] {
            assert_eq!(metadata.resolution(), None);
            assert_eq!(metadata.frame_rate(), None);
            assert_eq!(metadata.video_codec(), None);
            assert_eq!(metadata.video_data_rate_kbps(), None);
            assert_eq!(metadata.audio_codec(), None);
            assert_eq!(metadata.audio_data_rate_kbps(), None);
            assert_eq!(metadata.audio_sample_rate(), None);
            assert_eq!(metadata.audio_channels(), None);
            assert_eq!(metadata.encoder(), None);
        }
    }

    #[test]
    fn numbers_and_codecs_may_come_as_text() {
        let metadata = with(
            Object::new()
                .with("width", "1280")
                .with("height", " 720 ")
                .with("framerate", "25.0")
                .with("videocodecid", "avc1")
                .with("audiocodecid", "10")
                .with("audiochannels", 6.0),
        );

        assert_eq!(
            metadata.resolution(),
            Some(Resolution {
                width: 1280,
                height: 720
            })
        );
        assert_eq!(metadata.frame_rate(), Some(25.0));
        assert_eq!(metadata.video_codec(), Some(VideoCodec::Avc));
        assert_eq!(metadata.audio_codec(), Some(AudioCodec::Aac));
        assert_eq!(metadata.audio_channels(), Some(6));
    }

    #[test]
    fn absolute_time_is_asked_for_by_text() {
        for (value, expected) in [
            (Value::from("true"), true),
            (Value::from(true), true),
            (Value::from("false"), false),
            (Value::from(1.0), false),
        ] {
            assert_eq!(
                with(Object::new().with("bravo_atc", value)).bravo_atc(),
                expected
            );
        }
    }

    #[test]
    fn relayed_metadata_keeps_form_order_and_types() {
        let unusual = Object::new()
            .with(
                "created",
                Value::Date {
                    millis: 1.7e12,
                    time_zone: 60,
                },
            )
            .with("note", Value::LongString("x".repeat(70_000)))
            .with(
                "keyframes",
                Object::new().with("times", Value::StrictArray(vec![1.0.into()])),
            )
            .with("width", 640.0);
        for value in [Value::Object(unusual.clone()), Value::EcmaArray(unusual)] {
            let body = body(&[Value::from("onMetaData"), value]);
            let metadata = Metadata::decode(&body).unwrap();

            assert_eq!(metadata.encode(), body);
        }
    }

    #[test]
    fn properties_can_be_added() {
        let mut metadata = Metadata::new();

        assert_eq!(metadata.insert("server", "srs"), None);
        assert_eq!(metadata.insert("server", "other"), Some(Value::from("srs")));
        assert_eq!(
            metadata.properties().get("server"),
            Some(&Value::from("other"))
        );
        assert_eq!(
            metadata.encode(),
            &b"\x02\0\x0AonMetaData\x08\0\0\0\x01\0\x06server\x02\0\x05other\0\0\x09"[..]
        );
    }

    proptest! {
        #[test]
        fn what_was_encoded_is_decoded(
            pairs in prop::collection::btree_map(".{0,20}", -1e9..1e9f64, 0..20),
        ) {
            let metadata = with(pairs.into_iter().collect());
            prop_assert_eq!(Metadata::decode(&metadata.encode()), Ok(metadata));
        }

        #[test]
        fn no_bytes_panic(bytes: Vec<u8>) {
            let _ = Metadata::decode(&bytes);
            let named = [&body(&[Value::from("onMetaData")]), &bytes[..]].concat();
            if let Ok(metadata) = Metadata::decode(&named) {
                let _ = (metadata.resolution(), metadata.video_codec(), metadata.encode());
            }
        }
    }
}
