//! Any bytes as the body of an audio, video or data message.

use bytes::Bytes;
use srs_media::codec::{AudioConfig, VideoConfig, avc, hevc};
use srs_media::{Metadata, Packet, PacketKind, Timestamp, audio, video};

use crate::amf0::{encoded, has_reference};

/// Reads the bytes as each kind of message. What is said of them is consistent and fit to be shown
/// in a log; metadata are the same when they are encoded and decoded again.
pub fn media(data: &[u8]) {
    let body = Bytes::copy_from_slice(data);
    check_video(&body);
    check_audio(&body);
    check_data(&body);
    // Most mutations of a parameter set break the record around it.
    let _ = (avc::Sps::parse(data), hevc::Sps::parse(data));
}

fn check_video(body: &Bytes) {
    let packet = Packet::video(Timestamp::ZERO, body.clone());
    assert_eq!(&packet.payload, body);
    let header = video::TagHeader::parse(body);
    let config = VideoConfig::parse(body);
    let Ok(header) = header else {
        assert_eq!(packet.kind, PacketKind::Frame);
        assert!(config.is_err());
        return;
    };
    assert_eq!(packet.track_id(), header.track_id);
    assert_eq!(packet.is_sequence_header(), header.is_sequence_header());
    assert!(!packet.is_key_frame() || header.is_key_frame());
    assert!((-0x80_0000..=0x7F_FFFF).contains(&header.composition_time_ms));
    assert!(header.timestamp_offset_nanos < 1_000_000);
    assert!(is_part(body, &header.payload(body)));

    let Ok(config) = config else {
        return;
    };
    assert_eq!(Some(config.codec()), header.codec);
    assert_line(&config.to_string());
    if let Some(resolution) = config.resolution() {
        assert!(resolution.width > 0 && resolution.height > 0);
    }
    if let Some(rate) = config.frame_rate() {
        assert!(rate.as_f64() > 0.0 && rate.as_f64().is_finite());
        assert_line(&rate.to_string());
    }
}

fn check_audio(body: &Bytes) {
    let packet = Packet::audio(Timestamp::ZERO, body.clone());
    assert_eq!(&packet.payload, body);
    let header = audio::TagHeader::parse(body);
    let config = AudioConfig::parse(body);
    let Ok(header) = header else {
        assert_eq!(packet.kind, PacketKind::Frame);
        assert!(config.is_err());
        return;
    };
    assert_eq!(packet.track_id(), header.track_id);
    assert_eq!(packet.is_sequence_header(), header.is_sequence_header());
    assert!(header.timestamp_offset_nanos < 1_000_000);
    assert!(is_part(body, &header.payload(body)));

    let Ok(config) = config else {
        return;
    };
    assert_eq!(config.codec(), header.codec);
    assert_line(&config.to_string());
    let _ = (config.sample_rate(), config.channels());
}

fn check_data(body: &Bytes) {
    let packet = Packet::data(Timestamp::ZERO, body.clone());
    assert!(body.ends_with(&packet.payload));
    let Ok(metadata) = Metadata::decode(body) else {
        return;
    };
    if let Some(resolution) = metadata.resolution() {
        assert!(resolution.width > 0 && resolution.height > 0);
    }
    assert!(
        metadata
            .frame_rate()
            .is_none_or(|rate| rate > 0.0 && rate.is_finite())
    );
    for rate in [
        metadata.video_data_rate_kbps(),
        metadata.audio_data_rate_kbps(),
    ] {
        assert!(rate.is_none_or(|rate| rate >= 0.0 && rate.is_finite()));
    }
    assert_ne!(metadata.audio_sample_rate(), Some(0));
    assert_ne!(metadata.audio_channels(), Some(0));
    let _ = (
        metadata.video_codec(),
        metadata.audio_codec(),
        metadata.encoder(),
    );
    let _ = metadata.bravo_atc();

    let values = || metadata.properties().iter().map(|(_, value)| value);
    let longest = metadata.properties().iter().map(|(key, _)| key.len()).max();
    // A reference may name something else in another place, and longer keys are cut.
    if values().any(has_reference) || longest > Some(usize::from(u16::MAX)) {
        return;
    }
    let first = metadata.encode();
    let again = Metadata::decode(&first).expect("what was decoded can be encoded");
    assert_eq!(again.encode(), first);
    let values: Vec<_> = values().cloned().collect();
    let again: Vec<_> = again
        .properties()
        .iter()
        .map(|(_, value)| value.clone())
        .collect();
    // Bytes are compared instead of values: a NaN does not equal itself.
    assert_eq!(encoded(&again), encoded(&values));
}

/// Whether `part` lies within the memory of `whole`; an empty one may lie anywhere.
fn is_part(whole: &Bytes, part: &Bytes) -> bool {
    let (whole, part) = (whole.as_ptr_range(), part.as_ptr_range());
    part.is_empty() || (whole.start <= part.start && part.end <= whole.end)
}

/// What ends up in a log is one line.
fn assert_line(text: &str) {
    assert!(
        !text.is_empty() && !text.contains(char::is_control),
        "{text:?}"
    );
}
