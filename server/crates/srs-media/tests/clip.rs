//! A file that ffmpeg wrote (`golden/make_clip.sh`), read and written again.

use bytes::{Bytes, BytesMut};
use proptest::prelude::*;
use srs_media::codec::{AudioCodec, AudioConfig, VideoCodec, VideoConfig};
use srs_media::{Metadata, Packet, PacketKind, Timestamp, Track, flv, video};

const CLIP: &[u8] = include_bytes!("golden/clip.flv");

/// Reads the clip as it comes in, in pieces of these lengths and then the rest.
fn read(pieces: impl IntoIterator<Item = usize>) -> Vec<flv::Tag> {
    let mut reader = flv::Reader::new(flv::Limits::default());
    let (mut rest, mut input, mut tags) = (CLIP, BytesMut::new(), Vec::new());
    for len in pieces.into_iter().chain([CLIP.len()]) {
        let (piece, after) = rest.split_at(len.min(rest.len()));
        input.extend_from_slice(piece);
        rest = after;
        while let Some(tag) = reader.read(&mut input).expect("the clip is whole") {
            tags.push(tag);
        }
    }
    assert_eq!(reader.finish(&input), Ok(()));
    assert_eq!(reader.wrong_sizes(), 0);
    tags
}

fn packets() -> Vec<Packet> {
    read([])
        .into_iter()
        .map(|tag| tag.into_packet(Timestamp::ZERO))
        .collect()
}

#[test]
fn packets_have_the_roles_and_times_that_ffprobe_shows() {
    use PacketKind::{EndOfSequence, Frame, KeyFrame, Metadata, SequenceHeader};

    let packets = packets();
    let video: Vec<_> = packets
        .iter()
        .filter(|packet| packet.track == Track::Video)
        .map(|packet| {
            let header = video::TagHeader::parse(&packet.payload).unwrap();
            let decoded = i32::try_from(packet.timestamp.as_millis()).unwrap();
            (packet.kind, decoded, decoded + header.composition_time_ms)
        })
        .collect();
    let audio: Vec<_> = packets
        .iter()
        .filter(|packet| packet.track == Track::Audio)
        .map(|packet| (packet.kind, packet.timestamp.as_millis()))
        .collect();

    assert_eq!((packets[0].track, packets[0].kind), (Track::Data, Metadata));
    assert_eq!(
        video,
        [
            (SequenceHeader, 0, 0),
            (KeyFrame, 0, 200),
            (Frame, 100, 500),
            (Frame, 200, 300),
            (Frame, 300, 400),
            (Frame, 400, 600),
            (KeyFrame, 500, 700),
            (Frame, 600, 1000),
            (Frame, 700, 800),
            (Frame, 800, 900),
            (Frame, 900, 1100),
            (EndOfSequence, 900, 900),
        ]
    );
    assert_eq!(audio[0], (SequenceHeader, 0));
    assert_eq!(
        audio[1..].iter().map(|(_, time)| *time).collect::<Vec<_>>(),
        [72, 200, 328, 456, 584, 712, 840, 968, 1096]
    );
    assert!(audio[1..].iter().all(|(kind, _)| *kind == Frame));
}

#[test]
fn headers_and_metadata_describe_the_same_stream() {
    let packets = packets();
    let header = |track| -> &Bytes {
        let of_track = |packet: &&Packet| packet.track == track && packet.is_sequence_header();
        &packets
            .iter()
            .find(of_track)
            .expect("each track has one")
            .payload
    };
    let video = VideoConfig::parse(header(Track::Video)).unwrap();
    let audio = AudioConfig::parse(header(Track::Audio)).unwrap();
    let metadata = Metadata::decode(&packets[0].payload).unwrap();

    assert_eq!(video.to_string(), "H.264 High 1.0 64x36");
    assert_eq!(audio.to_string(), "AAC LC 8000 Hz mono");
    assert_eq!(metadata.resolution(), video.resolution());
    assert_eq!(
        metadata.frame_rate(),
        video.frame_rate().map(|rate| rate.as_f64())
    );
    assert_eq!(metadata.video_codec(), Some(VideoCodec::Avc));
    assert_eq!(metadata.audio_codec(), Some(AudioCodec::Aac));
    assert_eq!(metadata.audio_sample_rate(), audio.sample_rate());
    assert_eq!(metadata.audio_channels(), audio.channels().map(u32::from));
    assert_eq!(metadata.encode(), packets[0].payload);
}

#[test]
fn the_same_tags_make_the_same_file() {
    let mut file = BytesMut::new();
    flv::write_header(true, true, &mut file);
    for packet in packets() {
        flv::write_tag(&flv::Tag::from(packet), &mut file).unwrap();
    }
    assert_eq!(file, CLIP);
}

proptest! {
    #[test]
    fn any_split_of_the_file_gives_the_same_tags(
        pieces in prop::collection::vec(0..200usize, 0..40),
    ) {
        prop_assert_eq!(read(pieces), read([]));
    }
}
