//! The tasks that ask the servers. Each asks one server for what the dashboard wants at the time;
//! whatever takes long there, keys are answered meanwhile.

mod follow;

use std::time::Duration;

use srs_api::HistoryRange;
use tokio::sync::{mpsc, watch};
use tokio::time::{Instant, sleep_until};

use super::event::{Answer, Event, Failure};
use super::page::Table;
use super::wants::{ListWant, Wants};
use crate::client::{ApiError, Client};
pub(crate) use crate::output::text::chain;

/// One server, as its tasks see it.
#[derive(Clone, Debug)]
pub(crate) struct Watched {
    pub(crate) client: Client,
    /// Its place among those that are watched.
    pub(crate) place: usize,
    pub(crate) wants: watch::Receiver<Wants>,
    pub(crate) events: mpsc::Sender<Event>,
}

/// When what comes seldom was asked for.
#[derive(Debug, Default)]
struct Asked {
    summaries: Option<Instant>,
    history: Option<(Instant, HistoryRange)>,
    again: u64,
}

impl Watched {
    /// Asks for figures, again and again, until nobody wants them any more.
    pub(crate) async fn figures(mut self) {
        let mut asked = Asked::default();
        loop {
            let wants = self.wants.borrow_and_update().clone();
            let began = Instant::now();
            let is_shown = wants.server == self.place;
            let every = if is_shown {
                wants.every
            } else {
                wants.every.max(ASIDE)
            };
            let mut wants_changed = self.wants.clone();
            if !wants.is_frozen {
                tokio::select! {
                    () = self.ask(&wants, is_shown, &mut asked) => {}
                    // What is wanted now matters more than what was wanted then.
                    result = changed_for(&mut wants_changed, self.place, &wants) => {
                        if result.is_err() {
                            return;
                        }
                        continue;
                    }
                }
            }
            tokio::select! {
                () = sleep_until(began + every) => {}
                result = changed_for(&mut wants_changed, self.place, &wants) => {
                    if result.is_err() {
                        return;
                    }
                }
            }
        }
    }

    async fn ask(&self, wants: &Wants, is_shown: bool, asked: &mut Asked) {
        let is_again = asked.again != wants.again;
        if is_shown {
            // What the user waits for comes first.
            if let Some(list) = &wants.list
                && let Some(answer) = self.list(list).await.transpose()
            {
                self.tell(answer).await;
            }
            if let Some(id) = &wants.stream {
                let answer = self
                    .client
                    .stream(id)
                    .await
                    .map(|answer| Some(answer.stream));
                let answer = or_gone(answer).map(|stream| Answer::Stream(id.clone(), stream));
                self.tell(answer).await;
                let history = self.client.stream_history(id, wants.range).await;
                // That it is gone is told already.
                if let Ok(answer) = history {
                    let answer = Answer::StreamHistory(id.clone(), wants.range, answer.history);
                    self.tell(Ok(answer)).await;
                }
            }
            if let Some(id) = &wants.client {
                let answer = self
                    .client
                    .client(id)
                    .await
                    .map(|answer| Some(answer.client));
                let answer = or_gone(answer).map(|client| Answer::Client(id.clone(), client));
                self.tell(answer).await;
            }
        }
        let least = wants.every.min(ASIDE);
        let is_due = |at: Option<Instant>, every: Duration| {
            at.is_none_or(|at| at.elapsed() + TOLERANCE >= every)
        };
        if is_again || is_due(asked.summaries, least) {
            let began = Instant::now();
            self.tell(self.client.summaries().await.map(Answer::Summaries))
                .await;
            // Only now: a question that was given up is asked again.
            asked.summaries = Some(began);
            asked.again = wants.again;
        }
        let history = asked.history.filter(|(_, range)| *range == wants.range);
        if is_shown && is_due(history.map(|(at, _)| at), history_every(wants)) {
            let began = Instant::now();
            let answer = self.client.history(wants.range).await;
            if let Ok(answer) = answer {
                self.tell(Ok(Answer::History(wants.range, answer.history)))
                    .await;
            }
            asked.history = Some((began, wants.range));
        }
    }

    /// A table; `None` of those that are told line by line instead.
    async fn list(&self, want: &ListWant) -> Result<Option<Answer>, ApiError> {
        let query = want.query();
        let query: Vec<(&str, &str)> = query
            .iter()
            .map(|(name, value)| (*name, value.as_str()))
            .collect();
        let client = &self.client;
        let want = want.clone();
        let (start, count) = (want.start, want.count);
        Ok(Some(match want.table {
            Table::Streams => {
                Answer::Streams(want, client.streams_page(&query, start, count).await?)
            }
            Table::Clients => {
                Answer::Clients(want, client.clients_page(&query, start, count).await?)
            }
            Table::Vhosts => Answer::Vhosts(want, client.vhosts(count).await?),
            Table::Parts => Answer::Parts(want, client.parts(count).await?),
            Table::Fleet => Answer::Fleet(client.servers(count).await?),
            Table::Events | Table::Logs => return Ok(None),
        }))
    }

    async fn tell(&self, answer: Result<Answer, ApiError>) {
        let event = match answer {
            Ok(answer) => Event::Answer {
                server: self.place,
                answer: Box::new(answer),
            },
            Err(error) => self.failed(&error),
        };
        // Nobody listens once the dashboard ends.
        let _ = self.events.send(event).await;
    }

    fn failed(&self, error: &ApiError) -> Event {
        let is_down = error.is_not_reached() || error.is_retryable();
        Event::Failed {
            server: self.place,
            failure: if is_down {
                // The line that tells of it begins with the server.
                Failure::Down(error.reason(self.client.server()))
            } else {
                Failure::Refused(chain(error))
            },
        }
    }
}

/// Waits until something else is wanted of the server at `place` than `wants`.
async fn changed_for(
    receiver: &mut watch::Receiver<Wants>,
    place: usize,
    wants: &Wants,
) -> Result<(), watch::error::RecvError> {
    let concerns = |now: &Wants| {
        let is_of_others = now.server != place && wants.server != place;
        now != wants
            && !(is_of_others && now.is_frozen == wants.is_frozen && now.every == wants.every)
    };
    receiver.wait_for(concerns).await.map(drop)
}

/// An answer, or that there is nothing of the kind any more.
fn or_gone<T>(answer: Result<Option<T>, ApiError>) -> Result<Option<T>, ApiError> {
    match answer {
        Err(error) if error.is_not_found() => Ok(None),
        answer => answer,
    }
}

/// How often a history is worth asking for: a new sample is seen by then.
fn history_every(wants: &Wants) -> Duration {
    match wants.range {
        HistoryRange::Minute | HistoryRange::FiveMinutes => wants.every,
        HistoryRange::Quarter | HistoryRange::Hour => Duration::from_secs(5),
    }
}

/// Servers that are not shown are asked that often at most.
const ASIDE: Duration = Duration::from_secs(5);
/// Timers are a little early or late.
const TOLERANCE: Duration = Duration::from_millis(50);

#[cfg(test)]
mod tests {
    use std::sync::mpsc::sync_channel;

    use anyhow::Result;
    use tokio::task::{JoinSet, yield_now};
    use tokio::time::timeout;

    use super::*;
    use crate::fake_api::{FakeApi, Reply};
    use crate::top::samples;

    #[tokio::test]
    async fn a_question_that_was_given_up_is_asked_again() -> Result<()> {
        let (asked, mut histories) = mpsc::channel(8);
        let (release, held) = sync_channel::<()>(1);
        let api = FakeApi::start(move |request| {
            if !request.line.contains("/history") {
                return Reply::json(&samples::summaries());
            }
            let _ = asked.blocking_send(());
            // Until the test goes on, or is over.
            let _ = held.recv_timeout(SOON);
            Reply::not_found()
        })?;
        let present = Wants {
            every: Duration::from_secs(60),
            ..Wants::default()
        };
        let (wants, receiver) = watch::channel(present.clone());
        let (events, _inbox) = mpsc::channel(8);
        let watched = Watched {
            client: Client::open(Some(api.address().parse()?), None, SOON).await?,
            place: 0,
            wants: receiver,
            events,
        };
        let mut tasks = JoinSet::new();
        tasks.spawn(watched.figures());
        timeout(SOON, histories.recv()).await?;
        wants.send(Wants {
            again: 1,
            ..present
        })?;
        // The task sees it before the answer.
        yield_now().await;
        release.send(())?;
        let again = timeout(SOON, histories.recv()).await?;
        assert_eq!(again, Some(()));
        drop(release);
        Ok(())
    }

    /// On a busy machine; sooner than the question would come anyway.
    const SOON: Duration = Duration::from_secs(20);
}
