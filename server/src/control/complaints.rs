//! Complaints that strangers can cause as often as they like: of one source the log shows the
//! first few, and then how many more there were.
//!
//! A window begins with a source's first complaint. When it ends, one line tells how many had none
//! of their own, and the reason of the last. If it goes on after that, it is one such line for each
//! further window, until there is one without complaints. There is a bounded number of windows at a
//! time for each [`Subject`]; whoever comes beyond shares one with all others, so that neither the
//! log nor memory grows with the number of addresses.
//!
//! Nothing here is touched by clients that behave: no lock, and no timer while nothing is kept back.

use std::collections::BTreeMap;
use std::fmt::{self, Display, Write as _};
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::{Instant, sleep_until};

use super::logging::MessageId;
use super::network::{Shown, network};

/// What is complained about. Each has windows of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Subject {
    /// Connections that were refused or cut off, and what was refused to those that were not: a
    /// client may ask again and again.
    Clients,
    /// Connections to the API that had no place.
    ApiConnections,
    /// Requests of the API that did not prove who asks.
    ApiRequests,
}

impl Subject {
    const ALL: [Self; 3] = [Self::Clients, Self::ApiConnections, Self::ApiRequests];
}

/// The complaints of one server.
#[derive(Debug, Default)]
pub struct Complaints {
    /// Held only to count, or to take what is to be told.
    tables: Mutex<[Table; Subject::ALL.len()]>,
    /// That something is kept back, so that there is a moment to wait for.
    kept_back: Notify,
}

/// By source, [`Source::Others`] besides.
type Table = BTreeMap<Source, Window>;

/// Who may tell so many, and not more, in a window.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Source {
    /// An address of IPv4, or all that one host of IPv6 can choose from: who has 2^64 addresses
    /// would begin as many windows.
    Network(IpAddr),
    /// Whoever comes by a unix socket.
    Unix,
    /// All for whom there is no window left.
    Others,
}

impl Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Network(network) => Shown(*network).fmt(f),
            Self::Unix => f.write_str("this host by a unix socket"),
            Self::Others => f.write_str("many other addresses"),
        }
    }
}

#[derive(Debug)]
struct Window {
    began: Instant,
    told: u32,
    untold: u64,
    /// Of the last that is untold; empty if none is.
    peer: String,
    why: String,
}

impl Window {
    fn new(began: Instant, told: u32) -> Self {
        Self {
            began,
            told,
            untold: 0,
            peer: String::new(),
            why: String::new(),
        }
    }

    fn ends(&self) -> Instant {
        self.began + WINDOW
    }

    /// Whether nothing is lost without it. One that has something to tell stays until that is
    /// told, however late that is.
    fn is_over(&self, now: Instant) -> bool {
        self.untold == 0 && now >= self.ends()
    }
}

impl Complaints {
    /// Whether a complaint that happens now is to have a line of its own. If not, it is counted,
    /// and told with others when its window ends.
    ///
    /// `from` is the address that it is about (`None`: it came by a unix socket), `peer` is that as
    /// the line would show it, and `why` is the reason.
    pub fn may_tell(
        &self,
        subject: Subject,
        from: Option<IpAddr>,
        peer: &dyn Display,
        why: &dyn Display,
    ) -> bool {
        self.may_tell_at(Instant::now(), subject, from, peer, why)
    }

    fn may_tell_at(
        &self,
        now: Instant,
        subject: Subject,
        from: Option<IpAddr>,
        peer: &dyn Display,
        why: &dyn Display,
    ) -> bool {
        let source = from.map_or(Source::Unix, |ip| Source::Network(network(ip)));
        let mut tables = self.lock();
        let window = window_of(&mut tables[subject as usize], source, now);
        if window.told < TOLD {
            window.told += 1;
            return true;
        }
        window.untold += 1;
        note(&mut window.peer, peer);
        note(&mut window.why, why);
        let is_first = window.untold == 1;
        drop(tables);
        if is_first {
            self.kept_back.notify_one();
        }
        false
    }

    /// Takes what is to be told `now` of the windows that have `ended`. Another begins for each of
    /// them, in which nothing has a line of its own, but for what comes from others.
    fn take(&self, now: Instant, ended: impl Fn(&Window) -> bool) -> Vec<Summary> {
        let mut summaries = Vec::new();
        let mut tables = self.lock();
        for (subject, table) in Subject::ALL.into_iter().zip(tables.iter_mut()) {
            for (source, window) in table {
                if window.untold > 0 && ended(window) {
                    // The others are not the same ones all the time: who comes to them next has not
                    // been heard of.
                    let told = if *source == Source::Others { 0 } else { TOLD };
                    let window = std::mem::replace(window, Window::new(now, told));
                    summaries.push(Summary {
                        subject,
                        source: *source,
                        peer: window.peer,
                        untold: window.untold,
                        why: window.why,
                    });
                }
            }
        }
        summaries
    }

    fn take_due(&self, now: Instant) -> Vec<Summary> {
        self.take(now, |window| now >= window.ends())
    }

    /// When the next window ends that has something to tell.
    fn next_end(&self) -> Option<Instant> {
        let tables = self.lock();
        let windows = tables.iter().flat_map(BTreeMap::values);
        let telling = windows.filter(|window| window.untold > 0);
        telling.map(Window::ends).min()
    }

    /// Gives `tell` what was kept back, whenever a window ends.
    async fn follow(&self, mut tell: impl FnMut(&Summary)) {
        loop {
            let ends = async {
                match self.next_end() {
                    Some(end) => sleep_until(end).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                () = ends => self.take_due(Instant::now()).iter().for_each(&mut tell),
                // It may be of a window that ends before the one that is waited for.
                () = self.kept_back.notified() => {}
            }
        }
    }

    /// Tells what is kept back, of windows that have not ended, too.
    pub fn tell_rest(&self) {
        let rest = self.take(Instant::now(), |_| true);
        rest.iter().for_each(Summary::tell);
    }

    fn lock(&self) -> MutexGuard<'_, [Table; Subject::ALL.len()]> {
        // Whole at every point where a holder could panic: it is counted before it is described.
        self.tables.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Tells what is kept back when it is due, until it is dropped.
pub async fn run(complaints: Arc<Complaints>) {
    complaints.follow(Summary::tell).await;
}

/// The window of `source`, or that of the others if there is no room for one more.
fn window_of(table: &mut Table, source: Source, now: Instant) -> &mut Window {
    let is_known = table.contains_key(&source);
    if !is_known && room_is_taken(table) {
        table.retain(|_, window| !window.is_over(now));
    }
    let source = if is_known || !room_is_taken(table) {
        source
    } else {
        Source::Others
    };
    let window = table.entry(source).or_insert_with(|| Window::new(now, 0));
    if window.is_over(now) {
        *window = Window::new(now, 0);
    }
    window
}

fn room_is_taken(table: &Table) -> bool {
    let others = usize::from(table.contains_key(&Source::Others));
    table.len() - others >= SOURCES
}

/// Puts `text` in the place of what is in `place`, as far as there is room.
fn note(place: &mut String, text: &dyn Display) {
    place.clear();
    // It fails if `text` does, and then there is what it has written.
    let _ = write!(place, "{text}");
    place.truncate(place.floor_char_boundary(LONGEST));
    place.shrink_to(LONGEST);
}

/// How many complaints of a source had no line of their own.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Summary {
    subject: Subject,
    source: Source,
    /// Of the last of them.
    peer: String,
    untold: u64,
    /// Of the last of them.
    why: String,
}

impl Summary {
    fn tell(&self) {
        tracing::warn!(
            message_id = MessageId::MoreRefused.as_str(),
            peer = %self.peer,
            untold = self.untold,
            "{self}"
        );
    }
}

impl Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (done, one, several) = match self.subject {
            Subject::Clients => (
                "refused or cut off",
                "connection or request",
                "connections or requests",
            ),
            Subject::ApiConnections => ("refused", "HTTP connection", "HTTP connections"),
            Subject::ApiRequests => ("API: refused", "request", "requests"),
        };
        let (untold, source, why) = (self.untold, self.source, &self.why);
        let what = if untold == 1 { one } else { several };
        write!(
            f,
            "{done} {untold} more {what} from {source}, the last: {why}"
        )
    }
}

/// Lines of one source in a window, before the rest is counted: enough to see what it is about, and
/// for tools that count lines before they block an address.
const TOLD: u32 = 5;
/// Often enough to see that it goes on.
const WINDOW: Duration = Duration::from_secs(10);
/// Sources with a window of their own, for each subject. However many addresses there are, that is
/// at most 165 lines and 33 summaries in a window; of those that just go on, the summaries and five
/// lines of others.
const SOURCES: usize = 32;
/// Bytes of a reason that are kept; ours are shorter.
const LONGEST: usize = 256;

#[cfg(test)]
mod tests;
