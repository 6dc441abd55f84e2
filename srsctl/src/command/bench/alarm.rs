//! A timer for deadlines finer than the runtime's, which are full milliseconds.

use std::io;
use std::os::fd::OwnedFd;
use std::time::Duration;

use rustix::time::{
    Itimerspec, TimerfdClockId, TimerfdFlags, TimerfdTimerFlags, Timespec, timerfd_create,
    timerfd_settime,
};
use tokio::io::unix::AsyncFd;

use super::moment::Moment;

/// A timer of the kernel's, for one deadline after the other (timerfd_create(2)).
#[derive(Debug)]
pub(super) struct Alarm {
    timer: AsyncFd<OwnedFd>,
    set: Option<Moment>,
}

impl Alarm {
    /// An alarm that is not set. Call it within a runtime.
    ///
    /// # Errors
    /// The kernel has none to give.
    pub(super) fn new() -> io::Result<Self> {
        let flags = TimerfdFlags::CLOEXEC | TimerfdFlags::NONBLOCK;
        let timer = timerfd_create(TimerfdClockId::Monotonic, flags)?;
        #[expect(
            deprecated,
            reason = "what it does not check, and why its successor is unsafe, is that the file \
                      stays the same; an OwnedFd sees to that"
        )]
        let timer = AsyncFd::new(timer)?;
        Ok(Self { timer, set: None })
    }

    /// Waits until `at`, not at all if that has passed. Cancel-safe.
    ///
    /// # Errors
    /// None is known.
    pub(super) async fn wait_until(&mut self, at: Moment) -> io::Result<()> {
        if at <= Moment::now() {
            return Ok(());
        }
        if self.set != Some(at) {
            // This also forgets an earlier deadline that has passed unheard.
            self.set_to(at)?;
        }
        while Moment::now() < at {
            let mut ready = self.timer.readable().await?;
            let mut expirations = [0; 8];
            // There is nothing to read if what is ready is an earlier deadline.
            let _ = rustix::io::read(self.timer.get_ref(), &mut expirations);
            ready.clear_ready();
        }
        self.set = None;
        Ok(())
    }

    fn set_to(&mut self, at: Moment) -> io::Result<()> {
        let value = Duration::from_nanos(at.nanos()).try_into();
        let deadline = Itimerspec {
            it_interval: Timespec::default(),
            it_value: value.map_err(io::Error::other)?,
        };
        timerfd_settime(&self.timer, TimerfdTimerFlags::ABSTIME, &deadline)?;
        self.set = Some(at);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn block_on<F: Future>(future: F) -> F::Output {
        tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap()
            .block_on(future)
    }

    #[test]
    fn deadlines_are_met_one_after_the_other_also_after_one_that_was_not_waited_for() {
        block_on(async {
            let mut alarm = Alarm::new().unwrap();
            let begin = Moment::now();
            let at = |micros| begin + Duration::from_micros(micros);
            for deadline in [at(0), at(1_500), at(1_700)] {
                alarm.wait_until(deadline).await.unwrap();
                assert!(Moment::now() >= deadline);
            }
            tokio::select! {
                biased;
                // On a busy machine this deadline may be over already.
                waited = alarm.wait_until(at(3_000)) => waited.unwrap(),
                () = std::future::ready(()) => {}
            }
            while Moment::now() < at(4_000) {}
            for deadline in [at(6_000), at(6_500)] {
                alarm.wait_until(deadline).await.unwrap();
                assert!(Moment::now() >= deadline);
            }
        });
    }
}
