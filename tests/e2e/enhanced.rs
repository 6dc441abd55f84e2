//! Codecs that enhanced RTMP names by FourCC are passed on like H.264 and AAC: a late player gets
//! their sequence headers, and then a key frame.

use anyhow::Result;
use bytes::Bytes;
use srs_rtmp::MediaKind;

use crate::clients::{Sample, at, serve};

/// First byte of an enhanced video message: frame type and packet type.
const KEY: u8 = 0x90;
const INTER: u8 = 0xA0;
/// First byte of an enhanced audio message: the sound format that says so, and the packet type.
const SOUND: u8 = 0x90;
const SEQUENCE_START: u8 = 0;
const CODED_FRAMES: u8 = 1;

fn sample(kind: MediaKind, timestamp: u32, first: u8, four_cc: &[u8; 4], body: &[u8]) -> Sample {
    let payload: Bytes = [&[first], four_cc.as_slice(), body].concat().into();
    Sample {
        kind,
        timestamp,
        payload,
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_late_player_of_any_codec_starts_with_its_headers_and_a_key_frame() -> Result<()> {
    let server = serve("")?;
    let codecs: [(&[u8; 4], &[u8; 4]); 5] = [
        (b"hvc1", b"Opus"),
        (b"av01", b"fLaC"),
        (b"vp09", b"ac-3"),
        (b"avc1", b"mp4a"),
        (b"vvc1", b"ec-3"),
    ];
    for (index, (video, audio)) in codecs.into_iter().enumerate() {
        let show = at(server.addresses()[0], &format!("live/show{index}"));
        let mut encoder = show.publish().await?;
        let headers = [
            sample(MediaKind::Video, 0, KEY | SEQUENCE_START, video, b"record"),
            sample(
                MediaKind::Audio,
                0,
                SOUND | SEQUENCE_START,
                audio,
                b"record",
            ),
        ];
        let picture = |time: u32, first: u8| {
            sample(
                MediaKind::Video,
                time,
                first | CODED_FRAMES,
                video,
                &time.to_be_bytes(),
            )
        };
        let sound = |time: u32| {
            sample(
                MediaKind::Audio,
                time,
                SOUND | CODED_FRAMES,
                audio,
                &time.to_be_bytes(),
            )
        };
        let media = [
            picture(0, KEY),
            picture(40, INTER),
            picture(80, KEY),
            sound(80),
            picture(120, INTER),
        ];
        let mut early = show.play().await?;
        encoder.send(headers.clone()).await?;
        encoder.send(media.clone()).await?;
        let last = &media[4].payload;
        assert_eq!(
            early.up_to(last).await?.len(),
            7,
            "everything, as it was published"
        );

        let seen = show.play().await?.up_to(last).await?;
        let payloads: Vec<&Bytes> = seen.iter().map(|media| &media.payload).collect();
        let expected: Vec<&Bytes> = headers
            .iter()
            .chain(&media[2..])
            .map(|sample| &sample.payload)
            .collect();
        assert_eq!(payloads, expected, "{}", String::from_utf8_lossy(video));
    }
    Ok(())
}
