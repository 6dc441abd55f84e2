//! What runs while the dashboard is shown: keys, answers and time go into the state, and what it
//! wants is done.

mod perform;

use std::io;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use crossterm::event::{self as terminal_event, Event as Input};
use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;
use tokio::time::{Instant, MissedTickBehavior, interval, sleep_until};

use super::app::App;
use super::event::{Event, Outcome};
use super::options::Options;
use super::poll::Watched;
use super::signals::{Heard, Signals};
use super::terminal::{self, Screen};
use super::{data, server_of, wants};
use crate::cli::ApiOptions;
use crate::client::Client;
use crate::command::Error;
use crate::command::session::Opened;
use crate::output::units::now_ms;

/// What runs while the dashboard is shown.
pub(super) struct Dashboard {
    app: App,
    screen: Screen,
    clients: Vec<Client>,
    api: ApiOptions,
    wants: watch::Sender<wants::Wants>,
    events: mpsc::Sender<Event>,
    inbox: mpsc::Receiver<Event>,
    /// Servers that are watched from now on, too.
    newcomers: (mpsc::Sender<Newcomer>, mpsc::Receiver<Newcomer>),
    tasks: JoinSet<()>,
    /// Those that write the settings, and whose turn it is.
    saves: JoinSet<()>,
    saving: Arc<tokio::sync::Mutex<()>>,
    /// Whether the user has had enough.
    is_over: bool,
}

/// A server that is watched from now on, and who asks it.
type Newcomer = (Box<data::Server>, Client);

impl Dashboard {
    /// Takes the terminal over, and begins to ask the servers.
    ///
    /// # Errors
    /// The terminal does not take what is written.
    pub(super) fn new(
        opened: Vec<Opened>,
        api: &ApiOptions,
        options: &Options,
    ) -> Result<Self, Error> {
        let servers = opened.iter().map(server_of).collect();
        let screen = Screen::take(options.has_mouse).map_err(Error::stdout)?;
        let size = screen.size().map_err(Error::stdout)?;
        let app = App::new(servers, &options.liking, size, now_ms());
        let (wants, _) = watch::channel(app.wants());
        let (events, inbox) = mpsc::channel(QUEUE);
        let mut dashboard = Self {
            app,
            screen,
            clients: Vec::new(),
            api: api.clone(),
            wants,
            events,
            inbox,
            newcomers: mpsc::channel(NEWCOMERS),
            tasks: JoinSet::new(),
            saves: JoinSet::new(),
            saving: Arc::default(),
            is_over: false,
        };
        for opened in opened {
            dashboard.watch(opened.client);
        }
        Ok(dashboard)
    }

    /// Asks another server from now on.
    fn watch(&mut self, client: Client) {
        let watched = Watched {
            client: client.clone(),
            place: self.clients.len(),
            wants: self.wants.subscribe(),
            events: self.events.clone(),
        };
        self.clients.push(client);
        self.tasks.spawn(watched.clone().figures());
        self.tasks.spawn(watched.clone().happenings());
        self.tasks.spawn(watched.log());
    }

    /// Shows the dashboard until the user has had enough.
    ///
    /// # Errors
    /// The terminal does not take what is written.
    pub(super) async fn run(mut self, mut signals: Signals) -> Result<(), Error> {
        let mut input = read_input();
        let mut ticks = interval(TICK);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut next_frame = Instant::now();
        let mut is_drawn = false;
        while !self.is_over {
            tokio::select! {
                event = input.recv() => match event {
                    Some(Ok(event)) => {
                        self.input(event)?;
                        // Who presses a key must see at once what it does.
                        next_frame = Instant::now();
                    }
                    // The terminal is gone.
                    Some(Err(_)) | None => break,
                },
                Some(event) = self.inbox.recv() => self.take(event)?,
                Some((server, client)) = self.newcomers.1.recv() => {
                    // One that is watched already is only shown.
                    if !self.app.servers.iter().any(|known| known.is_same(&server)) {
                        self.watch(client);
                    }
                    self.take(Event::Outcome(Outcome::Opened(server)))?;
                }
                _ = ticks.tick() => self.take(Event::Tick)?,
                () = sleep_until(next_frame), if !is_drawn => {
                    self.screen.draw(&self.app).map_err(Error::stdout)?;
                    is_drawn = true;
                    next_frame = Instant::now() + FRAME;
                    continue;
                }
                ended = self.tasks.join_next() => match ended {
                    Some(Err(error)) if error.is_panic() => {
                        std::panic::resume_unwind(error.into_panic());
                    }
                    _ => {}
                },
                signal = signals.next() => match signal {
                    Heard::End => break,
                    Heard::Stop => self.suspend()?,
                    Heard::Continue => {
                        self.screen.resume().map_err(Error::stdout)?;
                        self.resize()?;
                    }
                },
            }
            is_drawn = false;
        }
        // What the user likes is written to the end; a disk that hangs holds nobody up for long.
        let saves = async { while self.saves.join_next().await.is_some() {} };
        let _ = tokio::time::timeout(SAVES, saves).await;
        Ok(())
    }

    fn input(&mut self, event: Input) -> Result<(), Error> {
        match event {
            Input::Key(key) => self.take(Event::Key(key)),
            Input::Mouse(mouse) => self.take(Event::Mouse(mouse)),
            Input::Paste(text) => self.take(Event::Paste(text)),
            Input::Resize(width, height) => self.take(Event::Resize(width, height)),
            Input::FocusGained | Input::FocusLost => Ok(()),
        }
    }

    /// Takes in what happened, and all that has happened meanwhile.
    fn take(&mut self, event: Event) -> Result<(), Error> {
        let mut event = Some(event);
        let mut left = AT_ONCE;
        while let Some(happened) = event {
            let effects = self.app.update(happened, now_ms());
            for effect in effects {
                self.perform(effect)?;
            }
            left -= 1;
            event = if left > 0 {
                self.inbox.try_recv().ok()
            } else {
                None
            };
        }
        let wants = self.app.wants();
        self.wants.send_if_modified(|known| {
            let is_other = *known != wants;
            if is_other {
                *known = wants;
            }
            is_other
        });
        Ok(())
    }

    fn suspend(&mut self) -> Result<(), Error> {
        if !terminal::has_job_control() {
            self.say(Outcome::Failed(
                "no shell waits here that could bring it back: it does not stop".to_owned(),
            ));
            return Ok(());
        }
        self.screen.suspend().map_err(Error::stdout)?;
        self.resize()
    }

    /// The terminal may have another size than before.
    fn resize(&mut self) -> Result<(), Error> {
        let (width, height) = self.screen.size().map_err(Error::stdout)?;
        self.take(Event::Resize(width, height))
    }
}

/// Keys, and what else comes from the terminal; an error is the last.
///
/// A thread reads them, which nobody waits for. crossterm does not give up on a terminal that is
/// gone: who reads there never hears the signal that says so, and never ends by himself.
fn read_input() -> mpsc::Receiver<io::Result<Input>> {
    let (sender, receiver) = mpsc::channel(QUEUE);
    thread::spawn(move || {
        loop {
            let input = terminal_event::read();
            let is_last = input.is_err();
            // Nobody listens once the dashboard ends.
            if sender.blocking_send(input).is_err() || is_last {
                return;
            }
        }
    });
    receiver
}

/// What tasks have to tell and cannot yet: a screen is drawn meanwhile.
const QUEUE: usize = 256;
/// So much that has happened is taken in before a screen is drawn.
const AT_ONCE: usize = 64;
/// Between two screens, if no key is pressed.
const FRAME: Duration = Duration::from_millis(50);
/// Ages are counted in seconds.
const TICK: Duration = Duration::from_millis(500);
const NEWCOMERS: usize = 8;
/// As long as a disk may take.
const SAVES: Duration = Duration::from_secs(2);
