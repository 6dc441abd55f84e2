//! `srsctl events`: what happens, as it happens.

use std::io;
use std::time::Duration;

use srs_api::{Event, EventKind};
use tokio::time::sleep;

use super::session::Session;
use super::{Error, streams};
use crate::cli::{Events, Form};
use crate::client::{ApiError, Client, EventStream};
use crate::interrupt::Interrupt;
use crate::output::text::{printable, printable_json};
use crate::output::units::WallTime;
use crate::output::{self, Colour, Terminal};
use crate::sink::Sink;

/// Prints events until there are no more, or until the user has had enough.
///
/// # Errors
/// The server does not answer, or standard output takes nothing any more.
pub(crate) async fn run(session: &Session, arguments: &Events) -> Result<(), Error> {
    let mut interrupt = Interrupt::install().map_err(Error::Signals)?;
    tokio::select! {
        () = interrupt.wait() => Ok(()),
        result = print(session, arguments) => result,
    }
}

async fn print(session: &Session, arguments: &Events) -> Result<(), Error> {
    let mut printer = Printer {
        form: session.form(),
        terminal: Terminal::of_stdout(),
        sink: Sink::stdout().map_err(Error::stdout)?,
    };
    let mut reader = Reader::new(&session.client, arguments.follow);
    while let Some(data) = reader.next().await? {
        match serde_json::from_str::<Event>(&data) {
            Ok(event) if !is_wanted(&event, &arguments.kind) => {}
            Ok(event) => {
                if !printer.print(&event).await? {
                    return Ok(());
                }
            }
            // A newer server has kinds that we do not know.
            Err(_) if arguments.kind.is_empty() => {
                output::tell(format_args!(
                    "an event of a newer server: {}",
                    printable(&data)
                ));
            }
            Err(_) => {}
        }
    }
    printer.finish().await
}

fn is_wanted(event: &Event, kinds: &[EventKind]) -> bool {
    kinds.is_empty() || kinds.contains(&event.kind)
}

/// The events of a server, across breaks of the connection and restarts.
#[derive(Debug)]
struct Reader<'a> {
    client: &'a Client,
    follow: bool,
    stream: Option<EventStream>,
    /// The id of the newest event that was read.
    last: Option<String>,
    /// Which life of the server it is from.
    server: Option<String>,
    is_broken: bool,
}

impl<'a> Reader<'a> {
    fn new(client: &'a Client, follow: bool) -> Self {
        Self {
            client,
            follow,
            stream: None,
            last: None,
            server: None,
            is_broken: false,
        }
    }

    /// Waits for the next event, as JSON; `None` at the end, which a reader that follows never
    /// sees.
    async fn next(&mut self) -> Result<Option<String>, Error> {
        loop {
            let stream = match &mut self.stream {
                Some(stream) => stream,
                None => match self.connect().await {
                    Ok(stream) => self.stream.insert(stream),
                    // The first attempt must succeed: a wrong address does not mend itself.
                    Err(error) if self.is_broken && error.is_retryable() => {
                        sleep(RETRY).await;
                        continue;
                    }
                    Err(error) => return Err(error.into()),
                },
            };
            match stream.next().await {
                Ok(Some(message)) => {
                    if !message.id.is_empty() {
                        self.last = Some(message.id);
                    }
                    return Ok(Some(message.data));
                }
                Ok(None) if !self.follow => return Ok(None),
                Err(error) if !self.follow || !error.is_retryable() => return Err(error.into()),
                // The end of a stream that is followed is a server that ends.
                Ok(None) | Err(_) => {
                    self.lose();
                    sleep(RETRY).await;
                }
            }
        }
    }

    /// Continues where the last connection ended; from the beginning if the server is another.
    async fn connect(&mut self) -> Result<EventStream, ApiError> {
        let server = self.client.versions().await?.identity.server;
        if self.server.as_ref().is_some_and(|known| *known != server) {
            // It counts its events anew.
            self.last = None;
        }
        // Everything is new to who has seen nothing yet.
        let after = self.last.as_deref().unwrap_or("0");
        let stream = self.client.events(after, self.follow).await?;
        self.server = Some(server);
        if self.is_broken {
            self.is_broken = false;
            output::tell(format_args!("{} answers again", self.client.server()));
        }
        Ok(stream)
    }

    fn lose(&mut self) {
        self.stream = None;
        if !self.is_broken {
            self.is_broken = true;
            let server = self.client.server();
            output::tell(format_args!(
                "{server} has ended the connection; trying again"
            ));
        }
    }
}

/// Writes events, each in a line.
#[derive(Debug)]
struct Printer {
    form: Form,
    terminal: Terminal,
    sink: Sink,
}

impl Printer {
    /// Whether anybody reads on.
    async fn print(&mut self, event: &Event) -> Result<bool, Error> {
        let line = match self.form {
            Form::Table => line(event, &self.terminal),
            Form::Json => printable_json(serde_json::to_string(event).unwrap_or_default()),
        };
        match self.sink.append((line + "\n").into()).await {
            Ok(()) => Ok(true),
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(false),
            Err(error) => Err(Error::stdout(error)),
        }
    }

    async fn finish(self) -> Result<(), Error> {
        crate::sink::unless_reader_left(self.sink.finish().await).map_err(Error::stdout)
    }
}

/// `2026-11-22 17:05:06  publish        104 live/show 192.0.2.7:51234 h264`.
fn line(event: &Event, terminal: &Terminal) -> String {
    let text = |part: &Option<String>| part.clone().unwrap_or_default();
    let name = streams::label(&text(&event.vhost), &text(&event.app), &text(&event.stream));
    let parts = [
        text(&event.client),
        name,
        text(&event.device),
        text(&event.peer),
        first_line(&event.message),
    ];
    let known: Vec<_> = parts.iter().filter(|part| !part.is_empty()).collect();
    let kind = terminal.paint(colour(event.kind), event.kind.name());
    let mut line = format!("{}  {kind}", WallTime(event.time_ms));
    for (index, part) in known.into_iter().enumerate() {
        let gap = if index == 0 {
            KIND.saturating_sub(event.kind.name().len()) + 1
        } else {
            1
        };
        line += &" ".repeat(gap);
        line += &printable(part);
    }
    line
}

/// The first line of a message, and how many more it has.
fn first_line(message: &str) -> String {
    let mut lines = message.trim_end().lines();
    let first = lines.next().unwrap_or_default();
    match lines.count() {
        0 => first.to_owned(),
        1 => format!("{first} (+1 line)"),
        more => format!("{first} (+{more} lines)"),
    }
}

fn colour(kind: EventKind) -> Option<Colour> {
    match kind {
        EventKind::Publish | EventKind::Play | EventKind::Start | EventKind::ServerSeen => {
            Some(Colour::Good)
        }
        EventKind::Refuse | EventKind::Kick | EventKind::ClockJump | EventKind::Lost => {
            Some(Colour::Odd)
        }
        EventKind::ReloadFailed | EventKind::ServerLate => Some(Colour::Bad),
        EventKind::Unpublish | EventKind::Stop | EventKind::Reload | EventKind::Heartbeat => None,
    }
}

/// The columns of the longest kind of event.
const KIND: usize = 13;
/// Before each attempt to reach a server that has gone. What happens meanwhile it keeps.
const RETRY: Duration = Duration::from_secs(1);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_a_long_message_the_first_line_is_shown() {
        let cases = [
            ("", ""),
            ("takes over\n", "takes over"),
            (
                "srs.toml:3:1: unknown key\n  3 | x",
                "srs.toml:3:1: unknown key (+1 line)",
            ),
            ("one\n\ntwo\nthree", "one (+3 lines)"),
        ];
        for (message, expected) in cases {
            assert_eq!(first_line(message), expected);
        }
    }

    #[test]
    fn an_event_is_a_line() {
        let event = Event {
            id: 7,
            time_ms: 1_795_367_106_123,
            kind: EventKind::Publish,
            client: Some("104".to_owned()),
            peer: Some("192.0.2.7:51234".to_owned()),
            vhost: Some("__defaultVhost__".to_owned()),
            app: Some("live".to_owned()),
            stream: Some("a\x1b[2J".to_owned()),
            device: None,
            message: "takes over\nand more".to_owned(),
        };
        let line = line(&event, &Terminal::NONE);
        let expected = "  publish       104 live/a\\u{1b}[2J 192.0.2.7:51234 takes over (+1 line)";
        assert!(line.ends_with(expected), "{line}");
        assert!(is_wanted(&event, &[]));
        assert!(is_wanted(&event, &[EventKind::Play, EventKind::Publish]));
        assert!(!is_wanted(&event, &[EventKind::Play]));
    }
}
