//! What the headers of a stream say, for people.

use srs_amf0::{Limits, Value};
use srs_api::{Field, StreamDetails};
use srs_media::audio as audio_tag;
use srs_media::codec::{AudioConfig, VideoConfig, avc, hevc};
use srs_media::metadata::Metadata;

use super::media;
use crate::hub::log::HeaderKey;
use crate::hub::stream::Look;

/// What the headers in force say, and the newest packets where there are none. Metadata is read
/// within `limits`.
pub(super) fn details(look: &Look, limits: Limits) -> StreamDetails {
    let body = |key| Some(&look.headers.get(&key)?.1.packet.payload);
    let metadata = body(HeaderKey::Metadata).and_then(|body| {
        // What was let in was within the limits of then.
        Metadata::decode_within(body, limits).ok()
    });
    let video = body(HeaderKey::Video(0)).and_then(|body| VideoConfig::parse(body).ok());
    let audio = body(HeaderKey::Audio(0)).and_then(|body| AudioConfig::parse(body).ok());
    StreamDetails {
        metadata: metadata.as_ref().map(properties).unwrap_or_default(),
        video: video
            .as_ref()
            .map_or_else(|| coded_video(look), video_fields),
        audio: audio
            .as_ref()
            .map_or_else(|| coded_audio(look), audio_fields),
    }
}

fn field(name: &str, value: impl ToString) -> Field {
    Field {
        name: name.to_owned(),
        value: value.to_string(),
    }
}

/// The publisher's own, in its order, without what the server adds for players.
fn properties(metadata: &Metadata) -> Vec<Field> {
    let properties = metadata.properties().iter();
    properties
        .filter(|(name, _)| !OURS.contains(name))
        .take(MOST_FIELDS)
        .map(|(name, value)| field(&cut(name), brief(value)))
        .collect()
}

/// A value in one line.
fn brief(value: &Value) -> String {
    let count = |count: usize, what: &str| format!("({count} {what})");
    match value {
        Value::Number(number) => number.to_string(),
        Value::Boolean(boolean) => boolean.to_string(),
        Value::String(text) | Value::LongString(text) | Value::XmlDocument(text) => cut(text),
        Value::Object(properties)
        | Value::EcmaArray(properties)
        | Value::TypedObject { properties, .. } => count(properties.len(), "properties"),
        Value::StrictArray(values) => count(values.len(), "values"),
        Value::Date { millis, .. } => date(*millis),
        Value::Null => "null".to_owned(),
        Value::Undefined => "undefined".to_owned(),
        Value::Reference(_) | Value::Unsupported => "(not supported)".to_owned(),
    }
}

#[expect(
    clippy::cast_possible_truncation,
    reason = "the cast saturates, and what no calendar has is shown as a number"
)]
fn date(millis: f64) -> String {
    let moment = jiff::Timestamp::from_millisecond(millis as i64);
    moment.map_or_else(|_| millis.to_string(), |moment| moment.to_string())
}

/// The beginning of a text that is too long.
fn cut(text: &str) -> String {
    match text.char_indices().nth(MOST_CHARACTERS) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

fn video_fields(config: &VideoConfig) -> Vec<Field> {
    let mut fields = vec![field("codec", config.codec())];
    match config {
        VideoConfig::Avc(config) => fields.extend(avc_fields(config)),
        VideoConfig::Hevc(config) => fields.extend(hevc_fields(config)),
        VideoConfig::Av1(config) => {
            fields.push(field("profile", config.profile));
            fields.push(field("tier", tier(config.is_high_tier)));
            fields.push(field("bit depth", config.bit_depth));
        }
        VideoConfig::Vp8(config) | VideoConfig::Vp9(config) => {
            fields.push(field("profile", config.profile));
            if config.level > 0 {
                let (units, tenths) = (config.level / 10, config.level % 10);
                fields.push(field("level", format!("{units}.{tenths}")));
            }
            fields.push(field("bit depth", config.bit_depth));
        }
        VideoConfig::Other(_) => {}
    }
    let rates = [
        ("size", config.resolution().map(|size| size.to_string())),
        (
            "frame rate",
            config.frame_rate().map(|rate| rate.to_string()),
        ),
    ];
    let known = |(name, value): (&str, Option<String>)| Some(field(name, value?));
    fields.extend(rates.into_iter().filter_map(known));
    fields
}

fn avc_fields(config: &avc::DecoderConfig) -> Vec<Field> {
    let mut fields = vec![
        field("profile", config.profile),
        field("level", config.level),
    ];
    if let Some(Ok(sps)) = config.first_sps() {
        fields.push(field("chroma format", sps.chroma_format));
        fields.push(field(
            "bit depth",
            depth(sps.luma_bit_depth, sps.chroma_bit_depth),
        ));
        let scan = if sps.is_interlaced {
            "interlaced"
        } else {
            "progressive"
        };
        fields.push(field("scan", scan));
        fields.push(field("reference frames", sps.max_reference_frames));
    }
    fields
}

fn hevc_fields(config: &hevc::DecoderConfig) -> Vec<Field> {
    let (profile, level) = media::profile_of_hevc(config);
    let mut fields = vec![
        field("profile", profile),
        field("level", level),
        field("tier", tier(config.profile.is_high_tier)),
    ];
    if let Some(Ok(sps)) = config.first_sps() {
        fields.push(field("chroma format", sps.chroma_format));
        if let Some((luma, chroma)) = sps.bit_depths {
            fields.push(field("bit depth", depth(luma, chroma)));
        }
    }
    fields
}

fn tier(is_high: bool) -> &'static str {
    if is_high { "High" } else { "Main" }
}

fn depth(luma: u8, chroma: u8) -> String {
    if luma == chroma {
        luma.to_string()
    } else {
        format!("{luma}, colour {chroma}")
    }
}

/// Of video without a header that can be read.
fn coded_video(look: &Look) -> Vec<Field> {
    let codec = look.figures.video_codec();
    codec
        .map(|codec| field("codec", codec))
        .into_iter()
        .collect()
}

fn audio_fields(config: &AudioConfig) -> Vec<Field> {
    let mut fields = vec![field("codec", config.codec())];
    if let AudioConfig::Aac(config) = config {
        fields.push(field("object type", config.object_type));
    }
    if let Some(rate) = config.sample_rate() {
        fields.push(field("sample rate", format!("{rate} Hz")));
    }
    if let Some(channels) = config.channels() {
        fields.push(field("channels", channels));
    }
    match config {
        AudioConfig::Aac(config) => {
            let sbr = match config.sbr_sample_rate {
                Some(_) => format!("yes, over {} Hz", config.core_sample_rate),
                None => "no".to_owned(),
            };
            fields.push(field("band replication (SBR)", sbr));
            let ps = if config.has_parametric_stereo {
                "yes"
            } else {
                "no"
            };
            fields.push(field("parametric stereo (PS)", ps));
        }
        AudioConfig::Opus(header) => {
            let rate = header.input_sample_rate;
            fields.push(field("input sample rate", format!("{rate} Hz")));
        }
        AudioConfig::Other(_) => {}
    }
    fields
}

/// Of audio without a header that can be read.
fn coded_audio(look: &Look) -> Vec<Field> {
    let begins = look.figures.audio_begins();
    let Some(tag) = begins.and_then(|begins| audio_tag::TagHeader::parse(begins).ok()) else {
        return Vec::new();
    };
    let mut fields = vec![field("codec", tag.codec)];
    if let Some(sound) = media::sound_of(&tag) {
        fields.push(field("sample rate", format!("{} Hz", sound.sample_rate)));
        fields.push(field("channels", sound.channels));
    }
    fields
}

/// What players are told of the server in the metadata.
const OURS: [&str; 2] = ["server", "server_version"];
/// The most properties that are shown.
const MOST_FIELDS: usize = 64;
/// The most characters of a text that are shown.
const MOST_CHARACTERS: usize = 200;

#[cfg(test)]
mod tests {
    use srs_amf0::Object;

    use super::*;

    #[test]
    fn values_are_shown_in_short() {
        let nested = || Object::new().with("a", 1.0).with("b", 2.0);
        let long = "é".repeat(300);
        let shown = format!("{}…", "é".repeat(200));
        let cases = [
            (Value::from(1280.0), "1280"),
            (29.97.into(), "29.97"),
            (f64::NAN.into(), "NaN"),
            (true.into(), "true"),
            ("Lavf61".into(), "Lavf61"),
            (Value::LongString(long), &shown),
            (Value::Object(nested()), "(2 properties)"),
            (Value::EcmaArray(nested()), "(2 properties)"),
            (Value::StrictArray(vec![Value::Null]), "(1 values)"),
            (Value::Null, "null"),
            (Value::Undefined, "undefined"),
            (
                Value::Date {
                    millis: 1_000.0,
                    time_zone: 0,
                },
                "1970-01-01T00:00:01Z",
            ),
            (
                Value::Date {
                    millis: 1e300,
                    time_zone: 0,
                },
                &1e300.to_string(),
            ),
            (Value::Unsupported, "(not supported)"),
        ];
        for (value, text) in cases {
            assert_eq!(brief(&value), text, "{value:?}");
        }
    }

    #[test]
    fn properties_are_shown_in_their_order_up_to_a_bound() {
        let mut metadata = Metadata::new();
        metadata.insert("server", "srs");
        for number in 0..100 {
            metadata.insert(format!("key {number}"), f64::from(number));
        }
        let fields = properties(&metadata);
        assert_eq!(fields.len(), MOST_FIELDS);
        assert_eq!(fields[0], field("key 0", "0"));
        assert_eq!(fields[63], field("key 63", "63"));
    }
}
