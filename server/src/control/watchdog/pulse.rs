//! Who must show that it turns, and whether it does.
//!
//! A round is asked for; whoever waits for work of its own is woken, and answers from where it
//! waits. Whoever is stuck anywhere else does not.

use std::collections::BTreeMap;
use std::pin::pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::Context;

use futures_util::task::AtomicWaker;
use tokio::sync::Notify;

/// Those of one server that are asked. Clones share them.
#[derive(Clone, Debug, Default)]
pub struct Pulse {
    shared: Arc<Shared>,
}

#[derive(Debug, Default)]
struct Shared {
    members: Mutex<Members>,
    /// Told at every answer.
    answered: Notify,
}

#[derive(Debug, Default)]
struct Members {
    round: u64,
    newest: u64,
    by_number: BTreeMap<u64, Arc<Member>>,
}

#[derive(Debug)]
struct Member {
    kind: Kind,
    name: String,
    asked: AtomicU64,
    answered: AtomicU64,
    waker: AtomicWaker,
}

/// What one does who is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Lets clients in. Each must answer.
    Listener,
    /// Takes in the media of a publisher. If there are any, one must answer: a session that is
    /// stuck alone is no reason to end those of all others.
    Publisher,
}

/// One's place among those that are asked. Dropping it leaves.
#[derive(Debug)]
pub struct Turn {
    pulse: Pulse,
    number: u64,
    member: Arc<Member>,
}

impl Pulse {
    /// Takes in who is asked from the next round on; `name` is what the log calls it.
    pub fn join(&self, kind: Kind, name: String) -> Turn {
        let mut members = self.lock();
        members.newest += 1;
        let number = members.newest;
        let member = Arc::new(Member {
            kind,
            name,
            asked: AtomicU64::new(members.round),
            answered: AtomicU64::new(members.round),
            waker: AtomicWaker::new(),
        });
        members.by_number.insert(number, Arc::clone(&member));
        drop(members);
        Turn {
            pulse: self.clone(),
            number,
            member,
        }
    }

    /// Asks everybody.
    pub(super) fn ask(&self) {
        let mut members = self.lock();
        members.round += 1;
        for member in members.by_number.values() {
            member.asked.store(members.round, Ordering::Release);
            member.waker.wake();
        }
    }

    /// Waits until whoever must has answered.
    pub(super) async fn answers(&self) {
        loop {
            let mut answered = pin!(self.shared.answered.notified());
            // Before it is looked, so that no answer is missed.
            answered.as_mut().enable();
            if self.silent().is_empty() {
                return;
            }
            answered.await;
        }
    }

    /// Who should have answered and has not.
    pub(super) fn silent(&self) -> Vec<String> {
        let members = self.lock();
        let of = |kind| members.by_number.values().filter(move |m| m.kind == kind);
        let silent = |member: &&Arc<Member>| !member.has_answered();
        let name = |member: &Arc<Member>| member.name.clone();
        let mut names: Vec<String> = of(Kind::Listener).filter(silent).map(name).collect();
        if of(Kind::Publisher).all(|member| !member.has_answered()) {
            names.extend(of(Kind::Publisher).map(name));
        }
        names
    }

    fn lock(&self) -> MutexGuard<'_, Members> {
        // Whole at every point where a holder could panic.
        let members = self.shared.members.lock();
        members.unwrap_or_else(PoisonError::into_inner)
    }
}

impl Member {
    fn has_answered(&self) -> bool {
        self.answered.load(Ordering::Acquire) >= self.asked.load(Ordering::Acquire)
    }
}

impl Turn {
    /// Answers if it was asked, and is woken when it will be: for the poll of a future that waits
    /// for work.
    pub fn answer(&self, context: &Context<'_>) {
        self.member.waker.register(context.waker());
        let asked = self.member.asked.load(Ordering::Acquire);
        if self.member.answered.swap(asked, Ordering::AcqRel) != asked {
            self.pulse.shared.answered.notify_waiters();
        }
    }

    /// Waits for `work`, and answers meanwhile.
    pub async fn beside<F: Future>(&self, work: F) -> F::Output {
        let mut work = pin!(work);
        std::future::poll_fn(|context| {
            self.answer(context);
            work.as_mut().poll(context)
        })
        .await
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        self.pulse.lock().by_number.remove(&self.number);
        // Who waited for it waits for nobody now.
        self.pulse.shared.answered.notify_waiters();
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tokio::sync::oneshot;
    use tokio::task::JoinSet;
    use tokio::time::timeout;

    use super::*;

    const SOON: Duration = Duration::from_millis(50);

    #[tokio::test]
    async fn who_waits_for_work_answers_and_who_is_stuck_is_named() {
        let pulse = Pulse::default();
        let waits = pulse.join(Kind::Listener, "waits".into());
        let (work, done) = oneshot::channel::<()>();
        let mut waiting = JoinSet::new();
        waiting.spawn(async move { waits.beside(done).await });
        pulse.ask();
        timeout(Duration::from_secs(10), pulse.answers())
            .await
            .unwrap();

        let stuck = pulse.join(Kind::Listener, "stuck".into());
        assert!(pulse.silent().is_empty(), "it was not there to be asked");
        pulse.ask();
        assert!(timeout(SOON, pulse.answers()).await.is_err());
        assert_eq!(pulse.silent(), ["stuck"]);
        drop(stuck);
        timeout(Duration::from_secs(10), pulse.answers())
            .await
            .unwrap();
        drop(work);
        waiting.join_next().await.unwrap().unwrap().unwrap_err();
    }

    #[tokio::test]
    async fn one_publisher_answers_for_all() {
        let pulse = Pulse::default();
        let stuck = pulse.join(Kind::Publisher, "client 1".into());
        pulse.ask();
        assert_eq!(pulse.silent(), ["client 1"]);
        let other = pulse.join(Kind::Publisher, "client 2".into());
        pulse.ask();
        assert_eq!(pulse.silent(), ["client 1", "client 2"]);
        other.beside(std::future::ready(())).await;
        assert!(pulse.silent().is_empty());
        drop((stuck, other));
        pulse.ask();
        assert!(pulse.silent().is_empty());
    }
}
