//! Seeds with what no recording has.

use bytes::{Buf, Bytes};
use fuzz_targets::input::Input;
use srs_amf0::{Object, Value};
use srs_rtmp::SendQueue;
use srs_rtmp::chunk::{ChunkWriter, HeaderPolicy};
use srs_rtmp::message::command::Command;
use srs_rtmp::message::control::{Control, PeerBandwidthLimit, UserControl};
use srs_rtmp::message::{Message, MessageType};

use super::Corpus;

/// Adds them.
pub(super) fn add(corpus: &mut Corpus) {
    add_sessions(corpus);
    for (name, text) in URLS {
        corpus.add("url", name, text.as_bytes().to_vec());
    }
    for (name, json) in HEARTBEATS {
        corpus.add("heartbeat", name, json.as_bytes().to_vec());
    }
    for (name, values) in AMF0 {
        corpus.add("amf0", name, [&[0], *values].concat());
    }
    for (name, bytes) in CHUNKS {
        corpus.add("chunk_reader", name, Input::compose(bytes));
    }
    for (name, body) in MEDIA {
        corpus.add("media", name, body.to_vec());
    }
    // Any bytes describe messages.
    let random = |mut state: u32| {
        std::iter::from_fn(move || {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            Some(state.to_be_bytes()[0])
        })
    };
    for seed in 1..5 {
        corpus.add(
            "chunk_roundtrip",
            &format!("random.{seed}"),
            random(seed).take(400).collect(),
        );
    }
}

/// Sessions with what encoders and players rarely say, or servers to our client.
fn add_sessions(corpus: &mut Corpus) {
    let null = || Value::Null;
    let connect = Object::new()
        .with("app", "live")
        .with("tcUrl", "rtmp://h/live");
    let client = [
        command(0, "connect", 1.0, connect.into(), vec!["token".into()]),
        Control::WindowAckSize(100).encode(),
        Control::User(UserControl::PingRequest(1)).encode(),
        command(0, "FCSubscribe", 2.0, null(), vec!["show".into()]),
        command(0, "createStream", 3.0, null(), vec![]),
        command(1, "play", 0.0, null(), vec!["show".into(), (-2.0).into()]),
        command(1, "pause", 0.0, null(), vec![true.into(), 40.0.into()]),
        command(1, "pauseRaw", 0.0, null(), vec![false.into(), 40.0.into()]),
        command(1, "receiveVideo", 0.0, null(), vec![false.into()]),
        command(1, "receiveAudio", 0.0, null(), vec![true.into()]),
        command(1, "play", 0.0, null(), vec![false.into()]),
        command(0, "releaseStream", 4.0, null(), vec!["mine".into()]),
        command(0, "FCPublish", 5.0, null(), vec!["mine".into()]),
        command(2, "publish", 6.0, null(), vec![null(), "live".into()]),
        media(2, MessageType::Video, b"\x17\x01\0\0\0a"),
        media(2, MessageType::Aggregate, AGGREGATE),
        media(2, MessageType::DataAmf3, b"\0\x02\0\x0AonMetaData\x05"),
        command(0, "FCUnpublish", 7.0, null(), vec!["mine".into()]),
        command(2, "closeStream", 0.0, null(), vec![]),
        command(0, "deleteStream", 0.0, null(), vec![1.0.into()]),
        command(0, "getStreamLength", 8.0, null(), vec!["show".into()]),
    ];
    corpus.add(
        "server_session",
        "all_commands",
        Input::compose(&chunks(&client)),
    );

    let information = |level: &str, code: &str| {
        let object = Object::new().with("level", level).with("code", code);
        vec![object.with("description", "so it is").into()]
    };
    let connected = information("status", "NetConnection.Connect.Success");
    let status = |code| command(1, "onStatus", 0.0, null(), information("status", code));
    let server = [
        Control::WindowAckSize(100).encode(),
        Control::SetPeerBandwidth {
            window: 5000,
            limit: PeerBandwidthLimit::Dynamic,
        }
        .encode(),
        Control::User(UserControl::PingRequest(1)).encode(),
        command(0, "_result", 1.0, null(), connected),
        command(0, "_result", 4.0, null(), vec![1.0.into()]),
        status("NetStream.Play.Start"),
        media(
            1,
            MessageType::DataAmf0,
            b"\x02\0\x11|RtmpSampleAccess\x01\x01",
        ),
        media(1, MessageType::Aggregate, AGGREGATE),
        status("NetStream.Play.UnpublishNotify"),
        command(0, "close", 0.0, null(), vec![]),
    ];
    // The first answer is "no": to play and not to publish.
    let mut seed = Input::compose(&chunks(&server));
    seed[4] = 0xFE;
    corpus.add("client_session", "play_to_the_end", seed);

    let rejected = information("error", "NetConnection.Connect.Rejected");
    let server = [command(0, "_error", 1.0, null(), rejected)];
    corpus.add(
        "client_session",
        "refused",
        Input::compose(&chunks(&server)),
    );
}

fn command(
    message_stream_id: u32,
    name: &str,
    transaction_id: f64,
    object: Value,
    arguments: Vec<Value>,
) -> Message {
    let command = Command {
        name: name.to_owned(),
        transaction_id,
        object,
        arguments,
    };
    command.encode(3, message_stream_id)
}

fn media(message_stream_id: u32, message_type: MessageType, payload: &'static [u8]) -> Message {
    Message {
        chunk_stream_id: 6,
        timestamp: 40,
        message_type,
        message_stream_id,
        payload: Bytes::from_static(payload),
    }
}

fn chunks(messages: &[Message]) -> Vec<u8> {
    let mut writer = ChunkWriter::new(HeaderPolicy::Compressed);
    let mut out = SendQueue::default();
    for message in messages {
        writer.write(message, &mut out);
    }
    out.copy_to_bytes(out.remaining()).to_vec()
}

/// Heartbeats of SRS 1.0, of later versions, and of nobody.
const HEARTBEATS: &[(&str, &str)] = &[
    ("bare", r#"{"device_id":"edge","ip":"192.0.2.7"}"#),
    (
        "srs_1",
        r#"{"device_id":"","ip":"","summaries":{"code":0,"data":{"rusage_ok":true,"now_ms":1.4e12,"self":{"version":"0.9.189","pid":1,"cpu_percent":0.5,"srs_uptime":5.27515e+06},"system":{"srs_recv_kbps":1.2e6,"conn_srs":3}}}}"#,
    ),
    (
        "srs_5",
        r#"{"device_id":"e","ip":"::1","server":"vid-1","service":"s","pid":"9","summaries":{"code":0,"server":"vid-1","service":"s","pid":"9","data":{"ok":true,"self":{"srs_uptime":17},"system":{}}}}"#,
    ),
    (
        "odd",
        r#"{"device_id":7,"summaries":{"code":-1e99,"data":{"now_ms":null,"self":{"mem_kbyte":-1},"srs":{"streams":1e300,"kbps":{}}}}}"#,
    ),
];

/// URL or `tcUrl`, app and stream, separated by zeros.
const URLS: &[(&str, &str)] = &[
    ("client", "rtmp://example.com:19350/live/camera?token=a/b=="),
    ("client_ipv6", "rtmp://[fe80::1%eth0]:1935/live/sub/camera"),
    (
        "client_vhost",
        "rtmp://10.0.0.1/live?key=k&vhost=v.example/camera?x=1",
    ),
    ("server", "rtmp://example.com/live\0live\0camera?token=x"),
    (
        "server_no_app",
        "rtmp://example.com:1935\0live?vhost=v\0camera",
    ),
    (
        "server_vhost",
        "rtmp://h/live?vhost=v&key=k,vhost=w...x=1\0live\0camera?vhost=u&a=1",
    ),
    (
        "server_dots",
        "rtmp://h/live...vhost...v\0live\0sub/../camera",
    ),
    (
        "server_space",
        "rtmps://user:secret@h /a/ b//c/?p=1\0a\0 camera \t",
    ),
    ("server_ipv6", "rtmp://::1/live\0\0a,b=c"),
];

/// References, a typed object, AMF3, a strict array, what has no end.
const AMF0: &[(&str, &[u8])] = &[
    (
        "reference",
        b"\x03\0\x01a\x00\x3F\xF0\0\0\0\0\0\0\0\0\x09\x07\0\0\x07\0\x01\x07\0\x07",
    ),
    (
        "typed_object",
        b"\x10\0\x01C\0\x01a\x08\0\0\0\x01\0\x01b\x05\0\0\x09\0\0\x09",
    ),
    (
        "strict_array",
        b"\x0A\0\0\0\x03\x05\x06\x0D\x0B\x42\x70\0\0\0\0\0\0\0\x3C",
    ),
    (
        "amf3",
        b"\x11\x06\x07abc\x11\x06\0\x11\x04\x81\x01\x11\x05\x7F\xF8\0\0\0\0\0\0\x11\x03",
    ),
    (
        "long_text",
        b"\x0C\0\0\0\x03abc\x0F\0\0\0\x04<a/>\x02\0\x02\xFF\xFE",
    ),
    ("no_end", b"\x08\xFF\xFF\xFF\xFF\0\x01a\x03\0\x01b\x01\x01"),
];

/// Extended timestamps, long ids of chunk streams, Abort.
const CHUNKS: &[(&str, &[u8])] = &[
    (
        "extended",
        b"\x06\xFF\xFF\xFF\0\0\x82\x09\x01\0\0\0\x01\0\0\0\
          ................................................................\
          ................................................................\
          \xC6\x01\0\0\0..\xC6\x01\0\0\x20",
    ),
    (
        "long_ids",
        b"\x00\x10\0\0\0\0\0\x01\x08\0\0\0\0a\x01\x10\x20\0\0\0\0\0\x01\x08\0\0\0\0b\xC0\x10c",
    ),
    (
        "abort",
        b"\x02\0\0\0\0\0\x04\x01\0\0\0\0\0\0\0\x02\x06\0\0\0\0\0\x05\x09\x01\0\0\0ab\
          \x02\0\0\0\0\0\x04\x02\0\0\0\0\0\0\0\x06\x46\0\0\x01\0\0\x02\x09ab",
    ),
];

/// Audio and video.
const AGGREGATE: &[u8] = b"\x08\0\0\x04\0\0\x05\0\0\0\0\xAF\x01ab\0\0\0\x0F\
    \x09\0\0\x02\0\0\x10\0\0\0\0\x27\x01\0\0\0\x0D";

/// Enhanced RTMP: several tracks, a modifier, colours, the order of channels, VP8 and VP9.
const MEDIA: &[(&str, &[u8])] = &[
    ("enhanced.hevc_frame", b"\x91hvc1\0\0\x28abcdef"),
    (
        "enhanced.two_tracks",
        b"\x96\x11av01\0\0\0\x02ab\x01\0\0\x01c",
    ),
    (
        "enhanced.many_codecs",
        b"\x96\x21av01\0\0\0\x01ahvc1\x01\0\0\x04\0\0\0b",
    ),
    ("enhanced.nanoseconds", b"\x97\x02\x07\xA1\x20\x01Opusab"),
    (
        "enhanced.colours",
        b"\x94hvc1\x02\0\x09colorInfo\x03\0\0\x09",
    ),
    ("enhanced.channels", b"\x94Opus\x01\x02\0\0\0\x03"),
    ("enhanced.end", b"\x92Opus"),
    (
        "sequence_header.vp8",
        b"\x90vp08\x01\0\0\0\0\x0A\x82\x02\x02\x02\0\0",
    ),
    (
        "sequence_header.vp9",
        b"\x90vp09\x01\0\0\0\x02\x1F\xA2\x01\x01\x01\0\0",
    ),
];
