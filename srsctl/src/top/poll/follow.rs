//! What a server tells line by line, and is followed for: events, and the log.

use std::time::Duration;

use serde::de::DeserializeOwned;
use srs_api::{Event as Happening, LogLine};
use tokio::time::{Instant, sleep, timeout_at};

use super::Watched;
use crate::client::{ApiError, Client, EventStream, Message};
use crate::top::event::{Answer, Event};
use crate::top::wants::{LogWant, Wants};

impl Watched {
    /// Follows what happens, as long as the server is the one that is shown.
    pub(crate) async fn happenings(self) {
        self.follow(
            // Events are kept of every server: those of the time between are added.
            OnReturn::GoOn,
            |wants| Some(wants.server),
            async |client, _, last: &str| client.events(last, true).await,
            |_, messages: Vec<Happening>, _| Answer::Events(messages),
        )
        .await;
    }

    /// Follows the part of the log that is wanted.
    pub(crate) async fn log(self) {
        self.follow(
            // Lines of a log that is not shown any more are dropped, wherever they are.
            OnReturn::BeginAnew,
            |wants| wants.log.clone(),
            async |client, want: &LogWant, last: &str| {
                let query = log_query(want, last);
                let query: Vec<_> = query
                    .iter()
                    .map(|(name, value)| (*name, value.as_str()))
                    .collect();
                client.logs(&query, last, true).await
            },
            |want, lines: Vec<LogLine>, is_first| Answer::Log {
                of: want.clone(),
                lines,
                is_first,
            },
        )
        .await;
    }

    /// Follows something that a server tells line by line, while `wanted` gives something; from the
    /// beginning when that is something else.
    async fn follow<W, T, O>(
        mut self,
        on_return: OnReturn,
        wanted: impl Fn(&Wants) -> Option<W>,
        open: O,
        answer: impl Fn(&W, Vec<T>, bool) -> Answer,
    ) where
        W: PartialEq + Clone,
        T: DeserializeOwned,
        O: AsyncFn(&Client, &W, &str) -> Result<EventStream, ApiError>,
    {
        let place = self.place;
        let now = |wants: &Wants| wanted(wants).filter(|_| wants.server == place);
        let mut told = Told::default();
        loop {
            let Ok(want) = self
                .wants
                .wait_for(|wants| now(wants).is_some())
                .await
                .map(|wants| now(&wants))
            else {
                return;
            };
            let Some(want) = want else {
                continue;
            };
            let mut wants = self.wants.clone();
            let is_other = |wants: &Wants| now(wants).as_ref() != Some(&want);
            let following = async {
                loop {
                    let opened = open(&self.client, &want, &told.last).await;
                    let result = match opened {
                        Ok(stream) => self.pass_on(stream, &want, &answer, &mut told).await,
                        Err(error) => Err(error),
                    };
                    // That a server is away the figures tell; what it refuses they do not.
                    if let Err(error) = result
                        && !error.is_not_reached()
                        && !error.is_retryable()
                    {
                        // Nobody listens once the dashboard ends.
                        let _ = self.events.send(self.failed(&error)).await;
                    }
                    sleep(RETRY).await;
                }
            };
            tokio::select! {
                () = following => {}
                result = wants.wait_for(is_other) => {
                    if result.is_err() {
                        return;
                    }
                }
            }
            if on_return == OnReturn::BeginAnew {
                told = Told::default();
            }
        }
    }

    /// Passes on what `stream` tells, until it ends.
    ///
    /// # Errors
    /// It breaks off.
    async fn pass_on<W, T: DeserializeOwned>(
        &self,
        mut stream: EventStream,
        want: &W,
        answer: impl Fn(&W, Vec<T>, bool) -> Answer,
        told: &mut Told,
    ) -> Result<(), ApiError> {
        loop {
            let Batch { messages, end } = batch(&mut stream, told.is_first).await;
            let last = messages
                .iter()
                .rfind(|message| !message.id.is_empty())
                .map(|message| message.id.clone());
            let items: Vec<T> = messages
                .iter()
                .filter_map(|message| serde_json::from_str(&message.data).ok())
                .collect();
            if !items.is_empty() || told.is_first {
                let event = Event::Answer {
                    server: self.place,
                    answer: Box::new(answer(want, items, told.is_first)),
                };
                // Nobody listens once the dashboard ends.
                let _ = self.events.send(event).await;
            }
            // Only now: what is given up while it waits to be taken is asked for again.
            told.is_first = false;
            if let Some(last) = last {
                told.last = last;
            }
            if let Some(result) = end {
                return result;
            }
        }
    }
}

/// What is done when something is wanted again that was not wanted for a while.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum OnReturn {
    /// What has come meanwhile is added to what was told.
    GoOn,
    /// All is told anew.
    BeginAnew,
}

/// How far something was told that comes line by line.
#[derive(Debug)]
struct Told {
    /// The id of the last message.
    last: String,
    /// Whether nothing was told yet.
    is_first: bool,
}

impl Default for Told {
    fn default() -> Self {
        Self {
            last: "0".to_owned(),
            is_first: true,
        }
    }
}

/// What comes together.
#[derive(Debug)]
struct Batch {
    messages: Vec<Message>,
    /// How the stream has ended, if so.
    end: Option<Result<(), ApiError>>,
}

/// Waits for the next message, for a moment only if there `may_be_none`, and takes those with it
/// that come within that moment. Not cancel-safe: what it has taken is lost.
async fn batch(stream: &mut EventStream, may_be_none: bool) -> Batch {
    let mut messages = Vec::new();
    let mut until = may_be_none.then(|| Instant::now() + TOGETHER);
    let end = loop {
        let next = match until {
            None => stream.next().await,
            Some(until) => match timeout_at(until, stream.next()).await {
                Ok(next) => next,
                Err(_) => break None,
            },
        };
        match next {
            Ok(Some(message)) => messages.push(message),
            Ok(None) => break Some(Ok(())),
            Err(error) => break Some(Err(error)),
        }
        if messages.len() >= AT_ONCE {
            break None;
        }
        // From the first one on, so that a steady flow does not put it off.
        until.get_or_insert_with(|| Instant::now() + TOGETHER);
    };
    Batch { messages, end }
}

fn log_query(want: &LogWant, last: &str) -> Vec<(&'static str, String)> {
    let mut query = Vec::new();
    query.extend(want.client.clone().map(|client| ("client", client)));
    query.extend(want.stream.clone().map(|stream| ("stream", stream)));
    if last == "0" {
        query.push(("count", FIRST_LINES.to_string()));
    }
    query
}

/// Before a stream that has ended is opened again.
const RETRY: Duration = Duration::from_secs(1);
/// What comes within that time comes together.
const TOGETHER: Duration = Duration::from_millis(50);
/// So much comes together at most.
const AT_ONCE: usize = 500;
/// Of the log's past.
const FIRST_LINES: usize = 500;

#[cfg(test)]
mod tests {
    use anyhow::{Context as _, Result};
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio::net::TcpListener;
    use tokio::sync::{mpsc, watch};
    use tokio::task::{JoinSet, yield_now};
    use tokio::time::{interval, timeout};

    use super::*;
    use crate::fake_api::{FakeApi, Reply};
    use crate::top::samples;

    async fn client(address: &str) -> Result<Client> {
        Ok(Client::open(Some(address.parse()?), None, SOON).await?)
    }

    #[tokio::test]
    async fn a_steady_flow_is_told_all_the_while() -> Result<()> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let client = client(&format!("http://{}", listener.local_addr()?)).await?;
        let mut tasks = JoinSet::new();
        tasks.spawn(async move {
            let (mut socket, _) = listener.accept().await?;
            let head = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n";
            let _ = socket.read(&mut [0; 4096]).await?;
            socket.write_all(head.as_bytes()).await?;
            let mut ticks = interval(TOGETHER / 5);
            for id in 1_u32.. {
                ticks.tick().await;
                socket
                    .write_all(format!("id: {id}\ndata: {id}\n\n").as_bytes())
                    .await?;
            }
            anyhow::Ok(())
        });
        let mut stream = client.events("0", true).await?;
        let mut next = 1;
        for may_be_none in [true, false, false] {
            let batch = timeout(SOON, batch(&mut stream, may_be_none)).await?;
            assert!(batch.end.is_none());
            assert!(batch.messages.len() < AT_ONCE, "it came in a second");
            for message in batch.messages {
                assert_eq!(message.id, next.to_string());
                next += 1;
            }
        }
        Ok(())
    }

    #[tokio::test]
    async fn a_log_that_is_wanted_again_is_told_anew() -> Result<()> {
        let line = samples::lines(1).pop().context("no line")?;
        let body = format!("id: 8\ndata: {}\n\n", serde_json::to_string(&line)?);
        let api = FakeApi::start(move |_| Reply::events(&body))?;
        let shown = Wants {
            log: Some(LogWant::default()),
            ..Wants::default()
        };
        let (wants, receiver) = watch::channel(shown.clone());
        let (events, mut inbox) = mpsc::channel(8);
        let watched = Watched {
            client: client(&api.address()).await?,
            place: 0,
            wants: receiver,
            events,
        };
        let mut tasks = JoinSet::new();
        tasks.spawn(watched.log());
        for _ in 0..2 {
            let event = timeout(SOON, inbox.recv()).await?.context("no event")?;
            let Event::Answer { answer, .. } = event else {
                panic!("{event:?}");
            };
            let Answer::Log {
                lines, is_first, ..
            } = *answer
            else {
                panic!("{answer:?}");
            };
            assert!(is_first, "it replaces what is known");
            assert_eq!(lines, std::slice::from_ref(&line));
            // Another page is looked at meanwhile, and the task sees that.
            wants.send(Wants::default())?;
            yield_now().await;
            wants.send(shown.clone())?;
        }
        let requests = api.requests();
        let after = requests.iter().take(2);
        let after: Vec<_> = after.map(|asked| &asked.headers["last-event-id"]).collect();
        assert_eq!(after, ["0", "0"]);
        Ok(())
    }

    #[tokio::test]
    async fn what_was_not_handed_over_counts_as_not_told() -> Result<()> {
        let api = FakeApi::start(|_| Reply::events("id: 8\ndata: 1\n\n"))?;
        let (_wants, receiver) = watch::channel(Wants::default());
        let (events, mut inbox) = mpsc::channel(1);
        let watched = Watched {
            client: client(&api.address()).await?,
            place: 0,
            wants: receiver,
            events,
        };
        watched.events.send(Event::Tick).await?;
        let answer = |(): &(), _: Vec<u32>, _| Answer::Events(Vec::new());
        let mut told = Told::default();
        let stream = watched.client.events("0", true).await?;
        let waits = watched.pass_on(stream, &(), answer, &mut told);
        assert!(timeout(4 * TOGETHER, waits).await.is_err(), "no room");
        assert_eq!((told.last.as_str(), told.is_first), ("0", true));

        inbox.recv().await;
        let stream = watched.client.events("0", true).await?;
        timeout(SOON, watched.pass_on(stream, &(), answer, &mut told)).await??;
        assert_eq!((told.last.as_str(), told.is_first), ("8", false));
        Ok(())
    }

    /// On a busy machine.
    const SOON: Duration = Duration::from_secs(20);
}
