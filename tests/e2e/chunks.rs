//! Chunks of any size and order, and the control of their flow.

use anyhow::{Context, Result};
use srs::control::counters::Incident;
use srs_rtmp::message::control::{Control, PeerBandwidthLimit};

use crate::clients::wire::message;
use crate::clients::{Heard, Part, Peer, Show, at, serve};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn chunks_may_be_of_any_size() -> Result<()> {
    let server = serve("")?;
    let mut player = at(server.addresses()[0], "live/show").play().await?;
    for (number, size) in (1..).zip([1, 2, 127, 128, 65_537, 0xFF_FFFF, 0x100_0000, 0x7FFF_FFFF]) {
        let show = Show::new(number);
        let (mut encoder, id) = Peer::with_stream(server.addresses()[0], "live").await?;
        encoder.set_chunk_size(size).await?;
        encoder.publish(id, "show").await?;
        encoder.send_media(id, show.beginning(1_100)).await?;
        let seen = player.up_to(&show.sound(1_080).payload).await?;
        assert_eq!(
            seen.len(),
            show.beginning(1_100).count(),
            "chunks of {size} bytes"
        );
        encoder.request("closeStream", id, vec![]).await?;
        encoder.ping().await?;
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn chunks_of_no_size_end_the_one_who_asks_for_them() -> Result<()> {
    let server = serve("")?;
    for (count, size) in (1..).zip([0, 0x8000_0000, u32::MAX]) {
        let (mut encoder, _) = Peer::with_stream(server.addresses()[0], "live").await?;
        encoder.send_control(&Control::SetChunkSize(size)).await?;
        encoder.closed().await?;
        assert_eq!(
            server.service().counters.get(Incident::ProtocolError),
            count
        );
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sound_may_come_between_the_chunks_of_a_picture() -> Result<()> {
    let server = serve("")?;
    let mut player = at(server.addresses()[0], "live/show").play().await?;
    let show = Show::new(1);
    let (mut encoder, id) = Peer::with_stream(server.addresses()[0], "live").await?;
    encoder.publish(id, "show").await?;
    encoder.send_media(id, show.headers()).await?;

    let picture = encoder.encode(&message(id, show.picture(0)));
    // A full header, then headers of one byte, each before 128 bytes.
    let (mut at_once, mut rest) = (picture.slice(..12 + 128), picture.slice(12 + 128..));
    for time in (0..400).step_by(20) {
        encoder.send_bytes(&at_once).await?;
        encoder.send_media(id, [show.sound(time)]).await?;
        at_once = rest.split_to(rest.len().min(1 + 128));
    }
    encoder.send_bytes(&at_once).await?;
    encoder.send_bytes(&rest).await?;
    let seen = player.up_to(&show.picture(0).payload).await?;
    let sounds = seen
        .iter()
        .filter(|media| Part::of(media) == Part::Sound)
        .count();
    assert_eq!(sounds, 20);
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_picture_that_is_aborted_is_as_if_never_sent() -> Result<()> {
    let server = serve("")?;
    let mut player = at(server.addresses()[0], "live/show").play().await?;
    let show = Show::new(1);
    let (mut encoder, id) = Peer::with_stream(server.addresses()[0], "live").await?;
    encoder.publish(id, "show").await?;
    encoder.send_media(id, show.headers()).await?;
    let aborted = encoder.encode(&message(id, show.picture(0)));
    encoder.send_bytes(&aborted[..12 + 128 + 1 + 128]).await?;
    encoder
        .send_control(&Control::Abort { chunk_stream_id: 6 })
        .await?;
    encoder.send_media(id, show.media(1_000..2_000)).await?;
    let seen = player.up_to(&show.sound(1_980).payload).await?;
    assert_eq!(seen.len(), 3 + show.media(1_000..2_000).count());
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_server_acknowledges_as_often_as_it_is_asked_to() -> Result<()> {
    const WINDOW: u32 = 20_000;
    let server = serve("")?;
    let show = Show::new(1);
    let (mut encoder, id) = Peer::with_stream(server.addresses()[0], "live").await?;
    encoder.publish(id, "show").await?;
    encoder.send_media(id, show.beginning(5_000)).await?;
    let heard = encoder.ping().await?;
    assert_eq!(acknowledgements(&heard), [0u32; 0], "nobody has asked");

    encoder
        .send_control(&Control::WindowAckSize(WINDOW))
        .await?;
    let heard = encoder.ping().await?;
    // It counts from the first byte of the handshake on.
    let mut before = acknowledgements(&heard)
        .pop()
        .context("more than the window has come")?;
    for second in 5..10 {
        encoder
            .send_media(id, show.media(second * 1_000..(second + 1) * 1_000))
            .await?;
        for sequence in acknowledgements(&encoder.ping().await?) {
            assert!(sequence >= before + WINDOW, "{sequence} after {before}");
            before = sequence;
        }
        let missing = encoder.sent() - u64::from(before);
        assert!(
            missing < u64::from(WINDOW) + 100,
            "{missing} bytes are not acknowledged"
        );
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_new_bandwidth_is_answered_with_the_window_that_it_sets() -> Result<()> {
    let server = serve("")?;
    let mut peer = Peer::connect(server.addresses()[0], "live").await?;
    let bandwidth = Control::SetPeerBandwidth {
        window: 1_000_000,
        limit: PeerBandwidthLimit::Hard,
    };
    peer.send_control(&bandwidth).await?;
    let heard = peer.ping().await?;
    assert!(
        heard.contains(&Heard::Control(Control::WindowAckSize(1_000_000))),
        "{heard:?}"
    );
    Ok(())
}

fn acknowledgements(heard: &[Heard]) -> Vec<u32> {
    let sequence = |heard: &Heard| match heard {
        Heard::Control(Control::Acknowledgement(sequence)) => Some(*sequence),
        _ => None,
    };
    heard.iter().filter_map(sequence).collect()
}
