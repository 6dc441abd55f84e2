//! Waiting for whichever of a session's streams has something to do.

use std::pin::Pin;
use std::task::Poll;

use crate::hub::takeover::Replaced;
use crate::input::rtmp_publish::RtmpPublish;
use crate::output::rtmp_play::RtmpPlay;

/// Waits until a player has something to send; gives its index.
pub(super) async fn ready_player(playing: &mut [RtmpPlay]) -> usize {
    match playing {
        [] => std::future::pending().await,
        [only] => {
            only.ready().await;
            0
        }
        // Several streams on one connection are rare (Flash did that), so this may allocate.
        several => {
            let ready = several.iter_mut().enumerate().map(|(index, play)| {
                Box::pin(async move {
                    play.ready().await;
                    index
                })
            });
            first(ready.collect()).await
        }
    }
}

/// Waits until another client has taken over one of the published streams.
pub(super) async fn replaced_publisher(publishing: &[(u32, RtmpPublish)]) -> (u32, Replaced) {
    match publishing {
        [] => std::future::pending().await,
        [(id, only)] => (*id, only.replaced().await),
        several => {
            let replaced = several
                .iter()
                .map(|(id, publish)| Box::pin(async { (*id, publish.replaced().await) }));
            first(replaced.collect()).await
        }
    }
}

/// The output of whichever future completes first.
async fn first<F: Future + Unpin>(mut futures: Vec<F>) -> F::Output {
    std::future::poll_fn(|context| {
        for future in &mut futures {
            if let Poll::Ready(output) = Pin::new(future).poll(context) {
                return Poll::Ready(output);
            }
        }
        Poll::Pending
    })
    .await
}
