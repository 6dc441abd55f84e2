//! How streams are, were, and what their headers say.

use srs_amf0::{Object, Value, encode};
use srs_api::{Field, HistoryRange, StreamState};

use super::*;

fn one(stage: &Stage, id: &str) -> srs_api::Stream {
    stream(&stage.service, id).unwrap()
}

fn values(fields: &[Field]) -> Vec<(&str, &str)> {
    fields
        .iter()
        .map(|field| (&*field.name, &*field.value))
        .collect()
}

#[test]
fn a_stream_is_as_its_figures_are() {
    let stage = Stage::new();
    let viewer = stage.play("v", "show", "192.0.2.9:1", "VLC");
    let health = one(&stage, "s1").health;
    assert_eq!(health.state, StreamState::Waiting);
    assert_eq!(one(&stage, "s1").players.rtmp, 1);

    let encoder = stage.publish("v", "show");
    encoder.send(Track::Video, 0, &bytes(AVC_HEADER));
    for frame in 0..100 {
        encoder.send(
            Track::Video,
            frame * 40,
            if frame % 50 == 0 { KEY_FRAME } else { FRAME },
        );
    }
    stage.sample(1);
    assert_eq!(
        one(&stage, "s1").health,
        srs_api::StreamHealth {
            state: StreamState::Good,
            ..srs_api::StreamHealth::default()
        }
    );

    // The picture stands still for 15 seconds, the clock jumps, and a player is too slow.
    for frame in 0..30 {
        encoder.send(Track::Video, 4_000 + frame * 500, FRAME);
    }
    encoder.send(Track::Video, 4_000_000, FRAME);
    let slow = &viewer.client.client().traffic;
    slow.dropped.store(12, Ordering::Relaxed);
    stage.sample(2);
    let health = one(&stage, "s1").health;
    assert_eq!(health.state, StreamState::Odd);
    let [frames, lost, clock, keys] = &health.why[..] else {
        panic!("{health:?}");
    };
    assert!(
        frames.starts_with("2.0 frames per second of 25.0"),
        "{frames}"
    );
    assert_eq!(lost, "packets that slow players lost in the last 30 s: 12");
    assert_eq!(clock, "the publisher's clock jumped 0 s ago");
    assert!(keys.starts_with("key frames are 1"), "{keys}");

    drop(encoder);
    let health = one(&stage, "s1").health;
    assert_eq!(health.state, StreamState::Waiting);
}

#[test]
fn history_is_that_of_what_was_sent_and_outlives_its_publisher() {
    let stage = Stage::new();
    let viewer = stage.play("v", "show", "192.0.2.9:1", "VLC");
    stage.sample(1);
    let history = |id, range| stream_history(&stage.service, id, range);
    let waiting = history("s1", HistoryRange::Minute).unwrap();
    assert_eq!((waiting.step_ms, waiting.recv_kbps.len()), (1_000, 0));
    assert_eq!(history("s2", HistoryRange::Minute), None);

    let encoder = stage.publish("v", "show");
    for second in 2..=40 {
        add_bytes(&encoder.client, 125_000, 0);
        add_bytes(&viewer.client, 0, 250_000);
        stage.sample(second);
    }
    let minute = history("s1", HistoryRange::Minute).unwrap();
    assert_eq!(minute.recv_kbps[5..], [1_000; 35]);
    assert_eq!(minute.send_kbps[5..], [2_000; 35]);
    assert_eq!(minute.viewers.last(), Some(&1));
    assert_eq!((minute.fps.len(), minute.gop_ms.len()), (40, 40));
    let hour = history("s1", HistoryRange::Hour).unwrap();
    assert_eq!((hour.step_ms, hour.recv_kbps.len()), (15_000, 2));
    assert_eq!(hour.recv_kbps[1], 1_000);
    let view = View {
        pattern: None,
        sort: None,
        start: 0,
        count: 1,
    };
    let listed = streams(&stage.service, &StreamFilter::default(), &view, 3);
    assert_eq!(listed.items[0].recent_kbps, [1_000; 3]);

    // All of them leave, and the publisher comes back: another stream, the same history.
    drop((encoder, viewer));
    let _encoder = stage.publish("v", "show");
    stage.sample(50);
    let minute = history("s2", HistoryRange::Minute).unwrap();
    assert_eq!(minute.recv_kbps.len(), 50);
    assert_eq!((minute.recv_kbps[39], minute.recv_kbps[49]), (1_000, 0));

    let all = super::history(&stage.service, HistoryRange::Minute);
    assert_eq!(all.recv_kbps[39], 1_000);
    assert_eq!((all.viewers[39], all.viewers[49]), (1, 0));
    assert!(all.fps.is_empty());
}

#[test]
fn names_that_are_only_waited_for_have_no_history() {
    let stage = Stage::new();
    let _viewers: Vec<_> = (0..100)
        .map(|number| stage.play("v", &number.to_string(), "192.0.2.9:1", "VLC"))
        .collect();
    stage.sample(1);
    for stream in stage.service.hub.streams() {
        assert_eq!(stream.history(Duration::from_secs(60)), None);
    }
}

#[test]
fn details_are_what_metadata_and_headers_say() {
    let stage = Stage::new();
    let encoder = stage.publish("v", "show");
    let mut metadata = bytes::BytesMut::new();
    encode(&"onMetaData".into(), &mut metadata);
    let properties = Object::new()
        .with("width", 1280.0)
        .with("encoder", "Lavf61")
        .with("stereo", true)
        .with("server", "srs")
        .with("more", Object::new().with("a", 1.0));
    encode(&Value::EcmaArray(properties), &mut metadata);
    encoder.send(Track::Data, 0, &metadata);
    encoder.send(Track::Video, 0, &bytes(AVC_HEADER));
    encoder.send(Track::Audio, 0, AAC_HEADER);

    let details = one(&stage, "s1").details.unwrap();
    let expected = [
        ("width", "1280"),
        ("encoder", "Lavf61"),
        ("stereo", "true"),
        ("more", "(1 properties)"),
    ];
    assert_eq!(values(&details.metadata), expected);
    let expected = [
        ("codec", "H.264"),
        ("profile", "High"),
        ("level", "4.0"),
        ("chroma format", "4:2:0"),
        ("bit depth", "8"),
        ("scan", "progressive"),
        ("reference frames", "4"),
        ("size", "1280x720"),
        ("frame rate", "25"),
    ];
    assert_eq!(values(&details.video), expected);
    let expected = [
        ("codec", "AAC"),
        ("object type", "LC"),
        ("sample rate", "44100 Hz"),
        ("channels", "2"),
        ("band replication (SBR)", "no"),
        ("parametric stereo (PS)", "no"),
    ];
    assert_eq!(values(&details.audio), expected);
    let view = View {
        pattern: None,
        sort: None,
        start: 0,
        count: 1,
    };
    let listed = streams(&stage.service, &StreamFilter::default(), &view, 0);
    assert_eq!(listed.items[0].details, None);
}
