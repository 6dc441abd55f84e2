//! Sequence headers of real encoders, read as ffprobe reads them.
//!
//! `golden/sequence_headers.txt` holds both; `golden/make.sh` makes it and says what a line is.

use bytes::Bytes;
use proptest::prelude::*;
use srs_media::codec::{AudioConfig, FrameRate, VideoConfig};

const GOLDEN: &str = include_str!("golden/sequence_headers.txt");

/// A line of the golden file: how ffmpeg was called, the body of the packet, what ffprobe said.
struct Golden {
    codec: &'static str,
    arguments: &'static str,
    body: Bytes,
    facts: Vec<&'static str>,
}

fn golden(codecs: &[&str]) -> Vec<Golden> {
    let lines = GOLDEN.lines().map(|line| {
        let mut columns = line.split('|');
        let mut next = || columns.next().expect("a line has six columns or more");
        let (codec, arguments, record) = (next(), next(), hex(next()));
        let tag_header: &[u8] = match codec {
            "avc" => &[0x17, 0, 0, 0, 0],
            "hevc" => b"\x90hvc1",
            "av1" => b"\x90av01",
            "aac" => &[0xAF, 0],
            "opus" => b"\x90Opus",
            other => panic!("no tag header for {other}"),
        };
        let body = [tag_header, &record].concat().into();
        Golden {
            codec,
            arguments,
            body,
            facts: columns.collect(),
        }
    });
    let lines: Vec<_> = lines.filter(|line| codecs.contains(&line.codec)).collect();
    assert!(!lines.is_empty());
    lines
}

fn hex(digits: &str) -> Vec<u8> {
    let byte = |start| u8::from_str_radix(&digits[start..start + 2], 16).expect("hex digits");
    (0..digits.len()).step_by(2).map(byte).collect()
}

#[test]
fn size_and_rate_of_video_are_those_that_ffprobe_reads() {
    for Golden {
        arguments,
        body,
        facts,
        ..
    } in golden(&["avc", "hevc"])
    {
        let config = VideoConfig::parse(&body).expect(arguments);
        let (numerator, denominator) = facts[3].split_once('/').unwrap();
        let frame_rate = FrameRate::new(numerator.parse().unwrap(), denominator.parse().unwrap());
        let resolution = config.resolution().expect(arguments);

        assert_eq!(resolution.to_string(), facts[2], "{arguments}");
        assert_eq!(config.frame_rate(), frame_rate, "{arguments}");
    }
}

#[test]
fn the_size_of_av1_is_that_which_ffprobe_reads() {
    for Golden {
        arguments,
        body,
        facts,
        ..
    } in golden(&["av1"])
    {
        let config = VideoConfig::parse(&body).expect(arguments);

        assert_eq!(
            config.resolution().expect(arguments).to_string(),
            facts[2],
            "{arguments}"
        );
        assert_eq!(
            config.frame_rate(),
            None,
            "libaom leaves the rate to the container"
        );
    }
}

#[test]
fn video_is_described_by_profile_level_and_size() {
    for Golden {
        codec,
        arguments,
        body,
        facts,
    } in golden(&["avc", "hevc", "av1"])
    {
        let config = VideoConfig::parse(&body).expect(arguments);
        let (profile, level, size) = (facts[0], facts[1].parse::<f64>().unwrap(), facts[2]);
        let profile = if profile == "Rext" {
            "Range Extensions"
        } else {
            profile
        };
        let expected = match codec {
            "avc" if arguments.ends_with("-level 1b") => format!("H.264 {profile} 1b {size}"),
            "avc" => format!("H.264 {profile} {:.1} {size}", level / 10.0),
            "hevc" => {
                let tier = if arguments.contains("high-tier") {
                    " High tier"
                } else {
                    ""
                };
                format!("HEVC {profile} {:.1}{tier} {size}", level / 30.0)
            }
            _ => format!(
                "AV1 {profile} {}.{} {size}",
                2.0 + (level / 4.0).floor(),
                level % 4.0
            ),
        };

        assert_eq!(config.to_string(), expected, "{arguments}");
    }
}

#[test]
fn audio_is_described_by_profile_rate_and_channels() {
    for Golden {
        codec,
        arguments,
        body,
        facts,
    } in golden(&["aac", "opus"])
    {
        let config = AudioConfig::parse(&body).expect(arguments);
        let codec = if codec == "aac" {
            format!("AAC {}", facts[0])
        } else {
            "Opus".to_owned()
        };
        let channels = match facts[2] {
            "1" => "mono",
            "2" => "stereo",
            "6" => "5.1",
            "8" => "7.1",
            other => panic!("no clip has {other} channels"),
        };

        assert_eq!(
            config.sample_rate().map(|rate| rate.to_string()).as_deref(),
            Some(facts[1])
        );
        assert_eq!(
            config.channels().map(|count| count.to_string()).as_deref(),
            Some(facts[2])
        );
        assert_eq!(
            config.to_string(),
            format!("{codec} {} Hz {channels}", facts[1]),
            "{arguments}"
        );
    }
}

proptest! {
    #[test]
    fn damaged_sequence_headers_never_panic(
        line: prop::sample::Index,
        damage in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..8),
        len: prop::sample::Index,
    ) {
        let lines = golden(&["avc", "hevc", "av1", "aac", "opus"]);
        let mut body = line.get(&lines).body.to_vec();
        for (index, byte) in damage {
            let index = index.index(body.len());
            body[index] = byte;
        }
        body.truncate(len.index(body.len()) + 1);
        let body = Bytes::from(body);
        if let Ok(config) = VideoConfig::parse(&body) {
            let _ = (config.to_string(), config.resolution(), config.frame_rate());
        }
        if let Ok(config) = AudioConfig::parse(&body) {
            let _ = (config.to_string(), config.sample_rate(), config.channels());
        }
    }
}
