//! Decoding: what encoders send, what is tolerated and what is refused.

mod bounds;

use bytes::BytesMut;

use super::*;
use crate::encode;

fn decoded(bytes: &[u8]) -> Result<Vec<Value>, DecodeError> {
    decode_all(bytes, Limits::default())
}

/// An object of numbers and texts, as commands hold them.
fn object<const N: usize>(properties: [(&str, Value); N]) -> Object {
    properties.into_iter().collect()
}

/// Recorded: `ffmpeg -i … -f flv rtmp://127.0.0.1:19399/live/livestream`, ffmpeg 5.1.
const FFMPEG_CONNECT: &[u8] = b"\x02\0\x07connect\0?\xf0\0\0\0\0\0\0\x03\
    \0\x03app\x02\0\x04live\
    \0\x04type\x02\0\x0anonprivate\
    \0\x08flashVer\x02\0$FMLE/3.0 (compatible; Lavf59.27.100)\
    \0\x05tcUrl\x02\0\x1brtmp://127.0.0.1:19399/live\
    \0\0\x09";

/// Recorded: the script tag of `ffmpeg -f lavfi -i testsrc=size=320x240:rate=25 -f lavfi
/// -i sine=sample_rate=44100 -t 0.2 -c:v libx264 -c:a aac -bitexact -f flv out.flv`, ffmpeg 5.1.
const FFMPEG_METADATA: &[u8] = b"\x02\0\x0aonMetaData\x08\0\0\0\x0c\
    \0\x08duration\0?\xd1\xeb\x85\x1e\xb8Q\xec\
    \0\x05width\0@t\0\0\0\0\0\0\
    \0\x06height\0@n\0\0\0\0\0\0\
    \0\x0dvideodatarate\0\0\0\0\0\0\0\0\0\
    \0\x09framerate\0@9\0\0\0\0\0\0\
    \0\x0cvideocodecid\0@\x1c\0\0\0\0\0\0\
    \0\x0daudiodatarate\0@P\xd8\x80\0\0\0\0\
    \0\x0faudiosamplerate\0@\xe5\x88\x80\0\0\0\0\
    \0\x0faudiosamplesize\0@0\0\0\0\0\0\0\
    \0\x06stereo\x01\0\
    \0\x0caudiocodecid\0@$\0\0\0\0\0\0\
    \0\x08filesize\0@\xb90\0\0\0\0\0\
    \0\0\x09";

/// In the form in which OBS Studio writes it.
const OBS_CONNECT: &[u8] = b"\x02\0\x07connect\0?\xf0\0\0\0\0\0\0\x03\
    \0\x03app\x02\0\x04live\
    \0\x04type\x02\0\x0anonprivate\
    \0\x08flashVer\x02\0\x1fFMLE/3.0 (compatible; FMSc/1.0)\
    \0\x06swfUrl\x02\0\x14rtmp://10.0.0.1/live\
    \0\x05tcUrl\x02\0\x14rtmp://10.0.0.1/live\
    \0\0\x09";

/// In the form in which OBS Studio writes it.
const OBS_METADATA: &[u8] = b"\x02\0\x0d@setDataFrame\x02\0\x0aonMetaData\x08\0\0\0\x14\
    \0\x08duration\0\0\0\0\0\0\0\0\0\
    \0\x08fileSize\0\0\0\0\0\0\0\0\0\
    \0\x05width\0@\x9e\0\0\0\0\0\0\
    \0\x06height\0@\x90\xe0\0\0\0\0\0\
    \0\x0cvideocodecid\0@\x1c\0\0\0\0\0\0\
    \0\x0dvideodatarate\0@\xa3\x88\0\0\0\0\0\
    \0\x09framerate\0@>\0\0\0\0\0\0\
    \0\x0caudiocodecid\0@$\0\0\0\0\0\0\
    \0\x0daudiodatarate\0@d\0\0\0\0\0\0\
    \0\x0faudiosamplerate\0@\xe7p\0\0\0\0\0\
    \0\x0faudiosamplesize\0@0\0\0\0\0\0\0\
    \0\x0daudiochannels\0@\0\0\0\0\0\0\0\
    \0\x06stereo\x01\x01\
    \0\x032.1\x01\0\0\x033.1\x01\0\0\x034.0\x01\0\0\x034.1\x01\0\0\x035.1\x01\0\0\x037.1\x01\0\
    \0\x07encoder\x02\0)obs-output module (libobs version 29.1.3)\
    \0\0\x09";

#[test]
fn messages_of_encoders_are_read_and_written_back_to_the_same_bytes() {
    let cases = [
        (
            "ffmpeg connect",
            FFMPEG_CONNECT,
            3,
            "tcUrl",
            Value::from("rtmp://127.0.0.1:19399/live"),
        ),
        (
            "ffmpeg metadata",
            FFMPEG_METADATA,
            2,
            "audiosamplerate",
            Value::from(44100.0),
        ),
        (
            "OBS connect",
            OBS_CONNECT,
            3,
            "swfUrl",
            Value::from("rtmp://10.0.0.1/live"),
        ),
        (
            "OBS metadata",
            OBS_METADATA,
            3,
            "height",
            Value::from(1080.0),
        ),
    ];
    for (name, bytes, count, key, expected) in cases {
        let values = decoded(bytes).unwrap();
        assert_eq!(values.len(), count, "{name}");
        let object = values.last().and_then(Value::as_object).unwrap();
        assert_eq!(object.get(key), Some(&expected), "{name}");

        let mut back = BytesMut::new();
        values.iter().for_each(|value| encode(value, &mut back));
        assert_eq!(back, bytes, "{name}");
    }
}

#[test]
fn sloppy_bytes_are_read_as_they_were_meant() {
    let a = || object([("a", Value::Null)]);
    let cases: &[(&str, &[u8], Value)] = &[
        ("object without end", b"\x03\0\x01a\x05", Value::Object(a())),
        (
            "object with one byte of its end",
            b"\x03\0\x01a\x05\0",
            Value::Object(a()),
        ),
        (
            "object with two bytes of its end",
            b"\x03\0\x01a\x05\0\0",
            Value::Object(a()),
        ),
        (
            "object of nothing at all",
            b"\x03",
            Value::from(Object::new()),
        ),
        (
            "ecma array without end",
            b"\x08\0\0\0\x01\0\x01a\x05",
            Value::EcmaArray(a()),
        ),
        (
            "ecma array with count 0",
            b"\x08\0\0\0\0\0\x01a\x05\0\0\x09",
            Value::EcmaArray(a()),
        ),
        (
            "ecma array with count 2^32-1",
            b"\x08\xff\xff\xff\xff\0\x01a\x05\0\0\x09",
            Value::EcmaArray(a()),
        ),
        (
            "strict array with count 2^32-1",
            b"\x0a\xff\xff\xff\xff\x05\x06",
            Value::StrictArray(vec![Value::Null, Value::Undefined]),
        ),
        (
            "typed object without end",
            b"\x10\0\x01C\0\x01a\x05",
            Value::TypedObject {
                class: "C".to_owned(),
                properties: a(),
            },
        ),
        (
            "two objects without ends",
            b"\x03\0\x01a\x03\0\x01a\x05",
            Value::from(object([("a", Value::Object(a()))])),
        ),
        (
            "property without name",
            b"\x03\0\0\x05\0\x01a\x05\0\0\x09",
            Value::from(object([("", Value::Null), ("a", Value::Null)])),
        ),
        (
            "a key twice",
            b"\x03\0\x01a\x06\0\x01b\x06\0\x01a\x05\0\0\x09",
            Value::from(object([("b", Value::Undefined), ("a", Value::Null)])),
        ),
        ("truth of 2", b"\x01\x02", Value::from(true)),
        (
            "text that is not UTF-8",
            b"\x02\0\x04a\xff\xfeb",
            Value::from("a\u{fffd}\u{fffd}b"),
        ),
        (
            "short text as long string",
            b"\x0c\0\0\0\x01a",
            Value::LongString("a".to_owned()),
        ),
    ];
    for (name, bytes, expected) in cases {
        assert_eq!(
            decoded(bytes).as_deref(),
            Ok(std::slice::from_ref(expected)),
            "{name}"
        );
    }
}

#[test]
fn a_string_of_more_than_32767_bytes_is_read_whole() {
    let mut bytes = vec![0x02, 0xFF, 0xFF];
    bytes.resize(3 + 65535, b'x');
    assert_eq!(decoded(&bytes), Ok(vec![Value::from("x".repeat(65535))]));
}

#[test]
fn bad_bytes_are_refused_with_what_and_where() {
    let truncated = |offset, expected, found| DecodeError::Truncated {
        offset,
        expected,
        found,
    };
    let unknown = |offset, marker| DecodeError::UnknownMarker { offset, marker };
    let cases: &[(&str, &[u8], DecodeError)] = &[
        ("half a number", b"\x00\x3f\xf8", truncated(1, 8, 2)),
        ("boolean without value", b"\x01", truncated(1, 1, 0)),
        ("half a string", b"\x05\x02\0\x04li", truncated(4, 4, 2)),
        ("half a string length", b"\x02\0", truncated(1, 2, 1)),
        ("half a key", b"\x03\0\x04ke", truncated(3, 4, 2)),
        ("key without value", b"\x03\0\x01a", truncated(4, 1, 0)),
        ("half a count", b"\x0a\0\0", truncated(1, 4, 2)),
        ("half a date", b"\x0b\0\0\0\0\0\0\0\0\0", truncated(9, 2, 1)),
        (
            "long string of 4 GiB",
            b"\x0c\xff\xff\xff\xffa",
            truncated(5, 0xFFFF_FFFF, 1),
        ),
        (
            "xml of 4 GiB",
            b"\x0f\xff\xff\xff\xff",
            truncated(5, 0xFFFF_FFFF, 0),
        ),
        ("movie clip", b"\x04", unknown(0, 0x04)),
        ("end of no object", b"\x05\x09", unknown(1, 0x09)),
        ("end behind a key", b"\x03\0\x01a\x09", unknown(4, 0x09)),
        ("record set", b"\x0e", unknown(0, 0x0E)),
        ("no marker", b"\x12", unknown(0, 0x12)),
    ];
    for (name, bytes, expected) in cases {
        assert_eq!(decoded(bytes).as_ref(), Err(expected), "{name}");
    }
    assert_eq!(
        decoded(b"\x05\x02\0\x04li").unwrap_err().to_string(),
        "expected 4 bytes at offset 4, found 2"
    );
}

#[test]
fn a_decoder_keeps_what_came_before_an_error_and_stays_there() {
    let mut decoder = Decoder::new(b"\x05\x03\0\x01a\x04", Limits::default());
    assert_eq!(decoder.decode(), Ok(Value::Null));
    assert_eq!(decoder.position(), 1);

    let error = DecodeError::UnknownMarker {
        offset: 5,
        marker: 4,
    };
    assert_eq!(decoder.decode(), Err(error.clone()));
    assert_eq!(decoder.decode(), Err(error));
    assert_eq!(decoder.position(), 1);
    assert_eq!(decoder.remaining(), b"\x03\0\x01a\x04");
    assert!(!decoder.is_empty());
}

#[test]
fn nothing_left_is_an_error_of_the_decoder_but_no_values_are_none() {
    let error = DecodeError::Truncated {
        offset: 0,
        expected: 1,
        found: 0,
    };
    assert_eq!(Decoder::new(b"", Limits::default()).decode(), Err(error));
    assert_eq!(decoded(b""), Ok(vec![]));
}

#[test]
fn a_reference_is_replaced_by_what_it_names() {
    let a = || Value::from(object([("a", Value::Null)]));
    let cases: &[(&str, &[u8], Vec<Value>)] = &[
        (
            "earlier value",
            b"\x03\0\x01a\x05\0\0\x09\x07\0\0",
            vec![a(), a()],
        ),
        (
            "second complex value, simple ones have no index",
            b"\x0a\0\0\0\0\x05\x02\0\x01x\x03\0\x01a\x05\0\0\x09\x07\0\x01",
            vec![
                Value::StrictArray(vec![]),
                Value::Null,
                Value::from("x"),
                a(),
                a(),
            ],
        ),
        (
            "a neighbour within the same array, whose own index is 0",
            b"\x0a\0\0\0\x02\x03\0\x01a\x05\0\0\x09\x07\0\x01",
            vec![Value::StrictArray(vec![a(), a()])],
        ),
        (
            "a value that itself holds a reference",
            b"\x03\0\x01a\x05\0\0\x09\x0a\0\0\0\x01\x07\0\0\x07\0\x01",
            vec![
                a(),
                Value::StrictArray(vec![a()]),
                Value::StrictArray(vec![a()]),
            ],
        ),
        (
            "repeated values get no index of their own",
            b"\x03\0\x01a\x05\0\0\x09\x07\0\0\x0a\0\0\0\0\x07\0\x01",
            vec![
                a(),
                a(),
                Value::StrictArray(vec![]),
                Value::StrictArray(vec![]),
            ],
        ),
        (
            "an index without value",
            b"\x07\0\0",
            vec![Value::Reference(0)],
        ),
        (
            "the value around it",
            b"\x0a\0\0\0\x01\x07\0\0",
            vec![Value::StrictArray(vec![Value::Reference(0)])],
        ),
        (
            "a circle stays one when its value is repeated",
            b"\x0a\0\0\0\x01\x07\0\0\x07\0\0",
            vec![Value::StrictArray(vec![Value::Reference(0)]); 2],
        ),
        (
            "a later value",
            b"\x07\0\0\x03\0\x01a\x05\0\0\x09",
            vec![Value::Reference(0), a()],
        ),
    ];
    for (name, bytes, expected) in cases {
        assert_eq!(decoded(bytes).as_ref(), Ok(expected), "{name}");
    }
}

#[test]
fn a_value_that_failed_leaves_no_index_behind() {
    let limits = Limits {
        depth: 1,
        values: 100,
    };
    let mut decoder = Decoder::new(b"\x0a\0\0\0\x01\x0a\0\0\0\0", limits);
    assert_eq!(
        decoder.decode(),
        Err(DecodeError::TooDeep {
            offset: 5,
            limit: 1
        })
    );
    assert!(decoder.complex.is_empty());
}
