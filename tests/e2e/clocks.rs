//! The clocks that publishers have, and how their times are written down.

use anyhow::{Context, Result};
use bytes::{BufMut, Bytes, BytesMut};
use srs::control::counters::Incident;
use srs_rtmp::message::Message;
use srs_rtmp::{Media, MediaKind};

use crate::clients::player::check_times_rise;
use crate::clients::wire::{aggregate, message};
use crate::clients::{Peer, Sample, Show, at, serve};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn times_pass_the_borders_of_24_31_and_32_bits() -> Result<()> {
    let show = Show::new(1);
    for (what, first, mask) in [
        ("extended timestamps begin", 0xFF_FFFF - 50, u32::MAX),
        (
            "exactly the mark of extended timestamps",
            0xFF_FFFF,
            u32::MAX,
        ),
        ("32 bits wrap", 0xFFFF_FFFF - 50, u32::MAX),
        ("31 bits wrap", 0x7FFF_FFFF - 50, 0x7FFF_FFFF),
        ("31 bits do not wrap", 0x7FFF_FFFF - 50, u32::MAX),
    ] {
        for form in ["all headers", "short headers", "no repeated times"] {
            let server = serve("")?;
            let mut player = at(server.addresses()[0], "live/show").play().await?;
            let (mut encoder, id) = Peer::with_stream(server.addresses()[0], "live").await?;
            encoder.publish(id, "show").await?;
            if form == "short headers" {
                encoder.compress_headers();
            }
            for sample in show.beginning(3_000) {
                let time = sample.timestamp.wrapping_add(first) & mask;
                let message = message(id, sample.at(time));
                if form == "no repeated times" {
                    encoder
                        .send_bytes(&without_repeated_times(&message))
                        .await?;
                } else {
                    encoder.send(&message).await?;
                }
            }
            let seen = player.up_to(&show.sound(2_980).payload).await?;
            let times = seen.iter().map(|media| media.timestamp);
            let expected = show.beginning(3_000).map(|sample| sample.timestamp);
            assert!(times.eq(expected), "{what}, {form}");
            assert_eq!(server.service().counters.total(), 0, "{what}, {form}");
        }
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn players_go_on_without_a_jump_whatever_the_publishers_clock_does() -> Result<()> {
    use MediaKind::{Audio, Video};
    type Clock = fn(MediaKind, u32) -> u32;
    let cases: [(&str, Clock, bool); 8] = [
        ("a clock as it should be", |_, time| time, false),
        (
            "one that begins anywhere",
            |_, time| time + 123_456_789,
            false,
        ),
        ("both reset", |_, time| time % 2_000, true),
        (
            "the picture's resets",
            |kind, time| if kind == Video { time % 2_000 } else { time },
            true,
        ),
        (
            "the sound's resets",
            |kind, time| if kind == Audio { time % 2_000 } else { time },
            true,
        ),
        (
            "both jump ahead",
            |_, time| if time < 2_000 { time } else { time + 3_600_000 },
            true,
        ),
        (
            "both jump back",
            |_, time| if time < 2_000 { time + 3_600_000 } else { time },
            true,
        ),
        (
            "the sound is an hour ahead",
            |kind, time| {
                if kind == Audio {
                    time + 3_600_000
                } else {
                    time
                }
            },
            true,
        ),
    ];
    let show = Show::new(1);
    for (name, clock, jumps) in cases {
        let server = serve("")?;
        let mut player = at(server.addresses()[0], "live/show").play().await?;
        let mut publisher = at(server.addresses()[0], "live/show").publish().await?;
        let samples = show.beginning(6_000).map(|sample| {
            let time = clock(sample.kind, sample.timestamp);
            sample.at(time)
        });
        publisher.send(samples).await?;
        let seen = player.up_to(&show.sound(5_980).payload).await?;
        assert_eq!(seen.len(), show.beginning(6_000).count(), "{name}");
        for kind in [Audio, Video] {
            let track: Vec<Media> = seen.iter().filter(|m| m.kind == kind).cloned().collect();
            check_times_rise(&track, 200).context(name)?;
            let end = track.last().map(|media| media.timestamp).context("media")?;
            assert!(
                (5_500..6_500).contains(&end),
                "{name}: six seconds became {end} ms"
            );
        }
        let counted = server.service().counters.get(Incident::ClockJump);
        assert_eq!(counted > 0, jumps, "{name}: {counted} jumps");
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn captions_and_cue_points_keep_their_place_in_time() -> Result<()> {
    let server = serve("")?;
    let show = Show::new(1);
    let mut player = at(server.addresses()[0], "live/show").play().await?;
    let mut publisher = at(server.addresses()[0], "live/show").publish().await?;
    publisher.send(show.beginning(1_000)).await?;
    let mut payload = BytesMut::new();
    srs_amf0::encode(&"onTextData".into(), &mut payload);
    let payload = payload.freeze();
    let caption = Sample {
        kind: MediaKind::Data,
        timestamp: 980,
        payload: payload.clone(),
    };
    publisher.send([caption]).await?;
    let seen = player.up_to(&payload).await?;
    assert_eq!(seen.last().map(|media| media.timestamp), Some(980));
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn aggregates_arrive_as_what_is_in_them_at_the_right_times() -> Result<()> {
    let show = Show::new(1);
    let sent: Vec<Sample> = show.media(0..4_000).collect();
    let absolute = |first: u32, time: u32| (first, time);
    let relative = |first: u32, time: u32| (first, time - first);
    // As of a relay whose clock began earlier, and that does not touch what it relays.
    let shifted = |first: u32, time: u32| (first + 70_000, time);
    type Times = fn(u32, u32) -> (u32, u32);
    let cases: [(&str, Times); 3] = [
        ("absolute", absolute),
        ("relative", relative),
        ("shifted", shifted),
    ];
    for (name, times) in cases {
        let server = serve("")?;
        let mut player = at(server.addresses()[0], "live/show").play().await?;
        let (mut encoder, id) = Peer::with_stream(server.addresses()[0], "live").await?;
        encoder.publish(id, "show").await?;
        let offset = times(0, 0).0;
        encoder
            .send_media(id, show.headers().into_iter().map(|s| s.later_by(offset)))
            .await?;
        for group in sent.chunks(13) {
            let first = group[0].timestamp;
            let (own, _) = times(first, first);
            let items: Vec<Sample> = group
                .iter()
                .map(|sample| sample.clone().at(times(first, sample.timestamp).1))
                .collect();
            encoder.send(&aggregate(id, own, &items)).await?;
        }
        let seen = player.up_to(&show.sound(3_980).payload).await?;
        assert_eq!(seen.len(), 3 + sent.len(), "{name}");
        for (media, sample) in seen[3..].iter().zip(&sent) {
            assert_eq!(
                (media.kind, &media.payload),
                (sample.kind, &sample.payload),
                "{name}"
            );
            assert_eq!(media.timestamp, sample.timestamp, "{name}");
        }
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_broken_aggregate_ends_the_one_who_sent_it() -> Result<()> {
    let server = serve("")?;
    let show = Show::new(1);
    let (mut encoder, id) = Peer::with_stream(server.addresses()[0], "live").await?;
    encoder.publish(id, "show").await?;
    let samples: Vec<Sample> = show.media(0..200).collect();
    let mut broken = aggregate(id, 0, &samples);
    broken.payload.truncate(broken.payload.len() - 20);
    encoder.send(&broken).await?;
    encoder.closed().await?;
    assert_eq!(server.service().counters.get(Incident::ProtocolError), 1);
    Ok(())
}

/// The chunks of 128 bytes that carry `message`, with an extended timestamp in the first header
/// only, as librtmp writes them.
fn without_repeated_times(message: &Message) -> Bytes {
    let time = message.timestamp.min(0xFF_FFFF);
    let len = u32::try_from(message.payload.len()).expect("a small message");
    let id = u8::try_from(message.chunk_stream_id).expect("a small id");
    let mut out = BytesMut::new();
    out.put_u8(id);
    out.put_slice(&time.to_be_bytes()[1..]);
    out.put_slice(&len.to_be_bytes()[1..]);
    out.put_u8(message.message_type.id());
    out.put_u32_le(message.message_stream_id);
    if time == 0xFF_FFFF {
        out.put_u32(message.timestamp);
    }
    for (index, chunk) in message.payload.chunks(128).enumerate() {
        if index > 0 {
            out.put_u8(0xC0 | id);
        }
        out.put_slice(chunk);
    }
    out.freeze()
}
