//! Parts that run as long as the server does: one that panics is started again, after a pause that
//! grows, and never takes the server with it.

use std::panic::AssertUnwindSafe;
use std::time::Duration;

use futures_util::FutureExt as _;
use tokio::time::{Instant, sleep};
use tokio_util::sync::CancellationToken;

use crate::control::logging::MessageId;
use crate::control::parts::PartHandle;

/// Runs what `start` gives until it ends by itself; if it panics, starts it again, unless `stop` is
/// cancelled. `name` is what the log calls it, and `part` is told how it goes.
pub async fn keep_running<F>(
    name: &str,
    part: &PartHandle,
    stop: &CancellationToken,
    mut start: impl FnMut() -> F,
) where
    F: Future<Output = ()>,
{
    let mut pause = FIRST_PAUSE;
    loop {
        let began = Instant::now();
        // What a part shares with others is whole wherever it could panic: see its locks.
        let run = AssertUnwindSafe(start()).catch_unwind();
        if run.await.is_ok() || stop.is_cancelled() {
            return;
        }
        if began.elapsed() >= LONGEST_PAUSE {
            pause = FIRST_PAUSE;
        }
        part.retrying("panicked", pause);
        tracing::error!(
            message_id = MessageId::PartRestarts.as_str(),
            "{name} failed and starts again in {pause:?}"
        );
        if stop.run_until_cancelled(sleep(pause)).await.is_none() {
            return;
        }
        part.running();
        pause = (pause * 2).min(LONGEST_PAUSE);
    }
}

const FIRST_PAUSE: Duration = Duration::from_secs(1);
const LONGEST_PAUSE: Duration = Duration::from_secs(60);

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use srs_api::{PartKind, PartState};

    use super::*;
    use crate::control::parts::Parts;

    fn part(parts: &Parts) -> PartHandle {
        parts.register(PartKind::Task, "a part", "")
    }

    #[tokio::test(start_paused = true)]
    async fn a_part_that_panics_is_started_again_and_one_that_ends_is_not() {
        let (starts, stop, parts) = (Cell::new(0), CancellationToken::new(), Parts::default());
        let began = Instant::now();
        let start = || async {
            let told = parts.list().remove(0);
            assert_eq!(
                (told.restarts, told.state),
                (starts.get(), PartState::Running)
            );
            starts.set(starts.get() + 1);
            assert!(starts.get() == 4, "it fails three times");
        };
        let handle = part(&parts);
        keep_running("a part", &handle, &stop, start).await;
        assert_eq!(parts.list().remove(0).error, "panicked");
        assert_eq!(starts.get(), 4);
        assert_eq!(began.elapsed().as_secs(), 1 + 2 + 4);
    }

    #[tokio::test(start_paused = true)]
    async fn nothing_is_started_again_once_the_server_stops() {
        let (starts, stop) = (Cell::new(0), CancellationToken::new());
        let start = || async {
            starts.set(starts.get() + 1);
            stop.cancel();
            panic!("at the worst moment");
        };
        keep_running("a part", &part(&Parts::default()), &stop, start).await;
        assert_eq!(starts.get(), 1);
    }
}
