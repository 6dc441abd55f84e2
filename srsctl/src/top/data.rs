//! What is known of the servers: their newest answers, and how old those are.

use std::collections::VecDeque;

use srs_api::{
    Client, Event, HeartbeatState, History, LogLine, Part, Server as Beating, ServerState, Stream,
    Summaries, Vhost,
};

use super::columns::Item;
use super::filter::Filter;
use super::graph::UNKNOWN;
use super::page::Sort;
use super::wants::{ListWant, LogWant};
use crate::command::streams::label;

/// A server that is watched.
#[derive(Clone, Debug, Default)]
pub(crate) struct Server {
    /// What the user calls it.
    pub(crate) name: String,
    /// Where it is.
    pub(crate) address: String,
    /// Whether its name is what a heartbeat said, and not the user.
    pub(crate) is_heard: bool,
    /// Whether nothing may be changed there.
    pub(crate) is_read_only: bool,
    /// What its play URLs begin with, up to the application, where the user has said so.
    pub(crate) rtmp: Option<String>,
    /// Its host.
    pub(crate) host: String,
    pub(crate) link: Link,
    pub(crate) data: Data,
}

impl Server {
    /// Whether `other` is this one, under the same name from the same mouth.
    pub(crate) fn is_same(&self, other: &Self) -> bool {
        (&self.name, self.is_heard) == (&other.name, other.is_heard)
    }
}

/// Whether a server answers.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Link {
    /// When the last answer came, in Unix milliseconds; `None` before there was one.
    pub(crate) last_ms: Option<i64>,
    /// Why it does not answer, and since when.
    pub(crate) down: Option<(String, i64)>,
    /// Why the last request for something was refused, although the server answers.
    pub(crate) refused: Option<String>,
}

/// The newest answers of a server.
#[derive(Clone, Debug, Default)]
pub(crate) struct Data {
    /// Which life of the server they are of.
    pub(crate) life: String,
    pub(crate) summaries: Option<Summaries>,
    /// By how many milliseconds its clock is ahead of ours.
    clock_offset_ms: i64,
    /// All its clients together, over the last minutes.
    pub(crate) history: History,
    pub(crate) streams: Rows<Stream>,
    pub(crate) clients: Rows<Client>,
    pub(crate) vhosts: Rows<Vhost>,
    pub(crate) parts: Rows<Part>,
    pub(crate) fleet: Rows<Member>,
    /// Those that send their heartbeats there.
    pub(crate) beating: Vec<Beating>,
    pub(crate) heartbeat: HeartbeatState,
    pub(crate) events: Rows<Happening>,
    pub(crate) logs: Rows<Logged>,
    /// Which log the lines are of.
    pub(crate) logs_of: Option<LogWant>,
    /// The stream that is looked at; `Err` once it has gone.
    pub(crate) stream: Option<Result<Stream, Gone>>,
    pub(crate) stream_history: History,
    /// The client that is looked at, likewise.
    pub(crate) client: Option<Result<Client, Gone>>,
    pub(crate) client_history: ClientHistory,
}

impl Data {
    /// Notes which life of the server answers; says whether that is another one than before. Of an
    /// earlier one only what happened is kept: its ids are those of others now.
    pub(crate) fn begin_life(&mut self, life: &str) -> bool {
        if self.life == life {
            return false;
        }
        let is_first = self.life.is_empty();
        if !is_first {
            *self = Self {
                events: std::mem::take(&mut self.events),
                logs: std::mem::take(&mut self.logs),
                logs_of: self.logs_of.take(),
                clock_offset_ms: self.clock_offset_ms,
                ..Self::default()
            };
        }
        life.clone_into(&mut self.life);
        !is_first
    }

    /// Takes in the server at a glance, which came at `now_ms`, and what its clock shows.
    pub(crate) fn take_summaries(&mut self, summaries: Summaries, now_ms: i64) {
        // Not every server tells.
        if summaries.now_ms > 0 {
            let offset = summaries.now_ms.saturating_sub(now_ms);
            // What the answer's way adds is different each time, and no figure is to flicker.
            if offset.abs_diff(self.clock_offset_ms) >= SAME_CLOCK_MS {
                self.clock_offset_ms = offset;
            }
        }
        self.summaries = Some(summaries);
    }

    /// What the server's clock shows at `now_ms` of ours.
    pub(crate) fn server_now_ms(&self, now_ms: i64) -> i64 {
        now_ms.saturating_add(self.clock_offset_ms)
    }
}

/// What is looked at is not there any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Gone;

/// The rows of a table, or the part of them that the server gave.
#[derive(Clone, Debug)]
pub(crate) struct Rows<T> {
    /// What they answer; `None` for what is held here whole.
    pub(crate) want: Option<ListWant>,
    /// How many rows the server has in all.
    total: usize,
    /// The place of the first one that is here.
    start: usize,
    items: Vec<T>,
    /// Which of them are shown, in their order; `None`: all, as they came.
    shown: Option<Vec<usize>>,
    /// Whether they are from when the user looked at them the last time.
    pub(crate) is_old: bool,
}

impl<T> Default for Rows<T> {
    fn default() -> Self {
        Self {
            want: None,
            total: 0,
            start: 0,
            items: Vec::new(),
            shown: None,
            is_old: false,
        }
    }
}

impl<T: Item> Rows<T> {
    /// A part of a table.
    pub(crate) fn window(want: ListWant, total: usize, start: usize, items: Vec<T>) -> Self {
        Self {
            want: Some(want),
            // What a server says of itself may be absurd; what it gave is not.
            total: total.max(start.saturating_add(items.len())),
            start,
            items,
            shown: None,
            is_old: false,
        }
    }

    /// A whole table.
    pub(crate) fn whole(want: Option<ListWant>, total: usize, items: Vec<T>) -> Self {
        Self {
            want,
            total: total.max(items.len()),
            start: 0,
            items,
            shown: None,
            is_old: false,
        }
    }

    /// How many rows there are to show.
    pub(crate) fn len(&self) -> usize {
        self.shown.as_ref().map_or_else(
            || {
                if self.want.as_ref().is_some_and(ListWant::is_window) {
                    self.total
                } else {
                    self.items.len()
                }
            },
            Vec::len,
        )
    }

    /// How many there are in all, as far as is known.
    pub(crate) fn total(&self) -> usize {
        self.total
    }

    /// The row at this place, if it is here.
    pub(crate) fn get(&self, place: usize) -> Option<&T> {
        let place = match &self.shown {
            Some(shown) => *shown.get(place)?,
            None => place.checked_sub(self.start)?,
        };
        self.items.get(place)
    }

    /// Where the row of this id is, if it is here.
    pub(crate) fn find(&self, id: &str) -> Option<usize> {
        match &self.shown {
            Some(shown) => shown
                .iter()
                .position(|&place| self.items.get(place).is_some_and(|item| item.id() == id)),
            None => {
                let place = self.items.iter().position(|item| item.id() == id)?;
                Some(self.start.saturating_add(place))
            }
        }
    }

    /// Sorts and filters what is here whole; with `stream`, only what is of the stream of that id.
    pub(crate) fn arrange(
        &mut self,
        sort: Option<Sort>,
        filter: Option<&Filter>,
        stream: Option<&str>,
    ) {
        let compare = sort.and_then(|sort| {
            let column = T::COLUMNS.iter().find(|column| column.key == sort.key)?;
            Some((column.compare()?, sort.descending))
        });
        if compare.is_none() && filter.is_none() && stream.is_none() {
            self.shown = None;
            return;
        }
        let wanted = |item: &T| {
            stream.is_none_or(|stream| item.stream_id() == Some(stream))
                && filter.is_none_or(|filter| filter.wants(&item.text()))
        };
        let mut shown: Vec<(usize, &T)> = self
            .items
            .iter()
            .enumerate()
            .filter(|(_, item)| wanted(item))
            .collect();
        if let Some((compare, descending)) = compare {
            shown.sort_by(|(_, one), (_, other)| {
                let order = compare(one, other);
                if descending { order.reverse() } else { order }
            });
        }
        self.shown = Some(shown.into_iter().map(|(place, _)| place).collect());
    }

    /// Puts what happened behind the rows, of which no more than `most` are kept.
    pub(crate) fn append(&mut self, more: impl IntoIterator<Item = T>, most: usize) {
        self.items.extend(more);
        let over = self.items.len().saturating_sub(most);
        self.items.drain(..over);
        self.total = self.items.len();
    }
}

/// An event, as a row.
#[derive(Clone, Debug)]
pub(crate) struct Happening {
    /// The event's id, as text.
    pub(crate) id: String,
    /// The stream's name, as people see it; empty if there is none.
    pub(crate) label: String,
    pub(crate) event: Event,
}

impl From<Event> for Happening {
    fn from(event: Event) -> Self {
        let of = |text: &Option<String>| text.clone().unwrap_or_default();
        Self {
            id: event.id.to_string(),
            label: label(&of(&event.vhost), &of(&event.app), &of(&event.stream)),
            event,
        }
    }
}

/// A line of the log, as a row.
#[derive(Clone, Debug)]
pub(crate) struct Logged {
    /// The line's id, as text.
    pub(crate) id: String,
    pub(crate) line: LogLine,
}

impl From<LogLine> for Logged {
    fn from(line: LogLine) -> Self {
        Self {
            id: line.id.to_string(),
            line,
        }
    }
}

/// A server of the fleet, as a row.
#[derive(Clone, Debug, Default)]
pub(crate) struct Member {
    /// What it is known by here.
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) address: String,
    /// Whether it was named here, or only sends its heartbeats.
    pub(crate) is_named: bool,
    /// Whether it is the one that is shown.
    pub(crate) is_shown: bool,
    pub(crate) state: MemberState,
    /// Seconds since it was heard of.
    pub(crate) age: Option<f64>,
    pub(crate) version: Option<String>,
    pub(crate) uptime: Option<f64>,
    pub(crate) streams: Option<u64>,
    pub(crate) clients: Option<u64>,
    pub(crate) recv_kbps: Option<u64>,
    pub(crate) send_kbps: Option<u64>,
    pub(crate) cpu: Option<f64>,
    pub(crate) mem_kbyte: Option<u64>,
    pub(crate) error: String,
}

/// Whether a server of the fleet is heard of.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum MemberState {
    #[default]
    Unknown,
    Up,
    Late,
    Down,
}

impl Member {
    /// A server that sends its heartbeats.
    pub(crate) fn beating(server: Beating) -> Self {
        Self {
            id: format!("beat {}", server.device_id),
            name: server.device_id,
            address: server.ip,
            state: match server.state {
                ServerState::Up => MemberState::Up,
                ServerState::Late => MemberState::Late,
            },
            age: Some(server.age),
            version: server.version,
            uptime: server.uptime,
            streams: server.streams,
            clients: server.clients,
            recv_kbps: server.recv_kbps,
            send_kbps: server.send_kbps,
            cpu: server.cpu_percent,
            mem_kbyte: server.mem_kbyte,
            ..Self::default()
        }
    }

    /// A server that is named here.
    pub(crate) fn named(server: &Server, is_shown: bool, now_ms: i64) -> Self {
        let summaries = server.data.summaries.as_ref();
        let service = summaries.and_then(|summaries| summaries.srs.as_ref());
        let link = &server.link;
        let age = link
            .last_ms
            .map(|last| now_ms.saturating_sub(last) as f64 / 1000.0);
        Self {
            id: format!("name {}", server.name),
            name: server.name.clone(),
            address: server.address.clone(),
            is_named: true,
            is_shown,
            state: match (&link.down, link.last_ms) {
                (Some(_), _) => MemberState::Down,
                (None, Some(_)) if age.is_some_and(|age| age > LATE) => MemberState::Late,
                (None, Some(_)) => MemberState::Up,
                (None, None) => MemberState::Unknown,
            },
            age,
            version: summaries.map(|summaries| summaries.process.version.clone()),
            uptime: summaries.map(|summaries| summaries.process.srs_uptime),
            streams: service.map(|service| service.streams as u64),
            clients: service.map(|service| service.clients as u64),
            recv_kbps: service.map(|service| service.kbps.recv_5s),
            send_kbps: service.map(|service| service.kbps.send_5s),
            cpu: summaries.map(|summaries| summaries.process.cpu_percent),
            mem_kbyte: service.map(|service| service.rss_kbyte),
            error: link
                .down
                .as_ref()
                .map(|(error, _)| error.clone())
                .or_else(|| link.refused.clone())
                .unwrap_or_default(),
        }
    }
}

/// A server that is not shown is asked every five to ten seconds.
const LATE: f64 = 20.0;

/// What was seen of one client since somebody looks at it; the server keeps no more of one than
/// its rates.
#[derive(Clone, Debug, Default)]
pub(crate) struct ClientHistory {
    /// The newest last.
    samples: VecDeque<ClientSample>,
}

/// How a client was at a moment.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct ClientSample {
    pub(crate) time_ms: i64,
    pub(crate) recv_kbps: f64,
    pub(crate) send_kbps: f64,
    pub(crate) lag_ms: f64,
    /// Packets that it lost a second since the sample before; not known of the first one.
    pub(crate) drops_per_second: f64,
    /// Packets that it lost so far.
    drops: u64,
}

impl ClientHistory {
    /// Notes how it is. A second has one sample, however often is asked.
    pub(crate) fn note(&mut self, client: &Client, time_ms: i64) {
        let second = time_ms.div_euclid(1_000);
        // What is later was seen before the clock was set back.
        let is_over = |sample: &mut ClientSample| sample.time_ms.div_euclid(1_000) >= second;
        while self.samples.pop_back_if(is_over).is_some() {}
        if self.samples.len() >= CLIENT_SAMPLES {
            self.samples.pop_front();
        }
        let drops_per_second = self.newest().map_or(UNKNOWN, |before| {
            let millis = time_ms.saturating_sub(before.time_ms).max(1);
            client.drops.saturating_sub(before.drops) as f64 * 1_000.0 / millis as f64
        });
        self.samples.push_back(ClientSample {
            time_ms,
            recv_kbps: client.kbps.recv_5s as f64,
            send_kbps: client.kbps.send_5s as f64,
            lag_ms: client.lag_ms as f64,
            drops_per_second,
            drops: client.drops,
        });
    }

    /// How it was when it was seen last.
    pub(crate) fn newest(&self) -> Option<&ClientSample> {
        self.samples.back()
    }

    /// One of its figures in each of the last `seconds` up to `end_ms`: the last one seen before the
    /// end of each. What was before it was looked at, and while it was not, is not known.
    pub(crate) fn series(
        &self,
        end_ms: i64,
        seconds: u64,
        figure: impl Fn(&ClientSample) -> f64,
    ) -> Vec<f64> {
        let mut samples = self.samples.iter().peekable();
        let mut last: Option<&ClientSample> = None;
        (0..seconds)
            .rev()
            .map(|ago| {
                let ago_ms = i64::try_from(ago.saturating_mul(1_000)).unwrap_or(i64::MAX);
                let end = end_ms.saturating_sub(ago_ms);
                while let Some(sample) = samples.next_if(|sample| sample.time_ms <= end) {
                    last = Some(sample);
                }
                let is_recent =
                    |sample: &&ClientSample| end.saturating_sub(sample.time_ms) <= HELD_MS;
                last.filter(is_recent).map_or(UNKNOWN, &figure)
            })
            .collect()
    }
}

/// Clocks that are no further apart are taken for the same.
const SAME_CLOCK_MS: u64 = 1_000;
/// The longest time between two questions, and some more for the answer.
const HELD_MS: i64 = 15_000;
/// An hour of one a second.
const CLIENT_SAMPLES: usize = 3_600;
/// As many as the server keeps, and more than anybody reads.
pub(crate) const KEPT: usize = 2_000;

#[cfg(test)]
mod tests {
    use super::super::page::Table;
    use super::super::{graph, samples};
    use super::*;

    #[test]
    fn a_window_is_a_part_of_the_rows() {
        let streams = samples::streams(5);
        let want = ListWant::new(Table::Streams).part(10, 5);
        let rows = Rows::window(want, 100, 10, streams.clone());
        assert_eq!((rows.len(), rows.total()), (100, 100));
        assert!(rows.get(9).is_none() && rows.get(15).is_none());
        assert_eq!(rows.get(12).unwrap().id, streams[2].id);
        assert_eq!(rows.find(&streams[2].id), Some(12));
        assert_eq!(rows.find("none"), None);
        // A server that says nonsense.
        let want = ListWant::new(Table::Streams).part(10, 5);
        let absurd = Rows::window(want, 0, usize::MAX, streams);
        assert_eq!(absurd.len(), usize::MAX);
        assert!(absurd.get(0).is_none());
    }

    #[test]
    fn whole_tables_are_sorted_and_filtered_here() {
        let vhosts = samples::vhosts(4);
        let mut rows = Rows::whole(None, 4, vhosts);
        let names = |rows: &Rows<Vhost>| {
            let rows = (0..rows.len()).filter_map(|place| rows.get(place));
            rows.map(|vhost| vhost.name.clone()).collect::<Vec<_>>()
        };
        let sort = Some(Sort {
            key: "name",
            descending: true,
        });
        let all = names(&rows);
        rows.arrange(sort, None, None);
        let mut sorted = all.clone();
        sorted.sort();
        sorted.reverse();
        assert_eq!(names(&rows), sorted);
        let filter = Filter::parse("!vhost1").unwrap();
        rows.arrange(None, filter.as_ref(), None);
        assert_eq!(rows.len(), 3);
        assert_eq!(rows.total(), 4);
        assert_eq!(rows.find("vhost1.example.com"), None);
        assert_eq!(rows.find("vhost2.example.com"), Some(1));
    }

    #[test]
    fn what_a_client_did_is_known_from_when_it_was_looked_at() {
        let mut history = ClientHistory::default();
        let mut client = samples::clients(1).remove(0);
        // Asked four times a second; it loses twenty packets in each.
        for quarter in 0..40 {
            client.drops += 5;
            history.note(&client, 50_000 + quarter * 250);
        }
        assert_eq!(history.samples.len(), 10, "one a second");
        let rate = client.kbps.send_5s as f64;
        let series = history.series(60_000, 60, |sample| sample.send_kbps);
        assert_eq!((series.len(), graph::known(&series)), (60, 10));
        assert_eq!(series[50..], [rate; 10]);
        let drops = history.series(60_000, 60, |sample| sample.drops_per_second);
        assert_eq!(graph::known(&drops), 9, "the first is of no time");
        assert_eq!(drops[51..], [20.0; 9]);
        // While nobody looks nothing is known.
        history.note(&client, 100_000);
        let series = history.series(100_000, 60, |sample| sample.send_kbps);
        let is_known: Vec<_> = series.iter().map(|value| !value.is_nan()).collect();
        let seen = |from: usize, to: usize| is_known[from..to].iter().all(|known| *known);
        let unseen = |from: usize, to: usize| !is_known[from..to].iter().any(|known| *known);
        assert!(seen(10, 34) && unseen(35, 59) && seen(59, 60), "{series:?}");
    }

    #[test]
    fn a_clock_that_is_set_back_is_followed() {
        let mut history = ClientHistory::default();
        let client = samples::clients(1).remove(0);
        for second in 0..10 {
            history.note(&client, 50_000 + second * 1_000);
        }
        history.note(&client, 52_500);
        let times: Vec<_> = history
            .samples
            .iter()
            .map(|sample| sample.time_ms)
            .collect();
        assert_eq!(times, [50_000, 51_000, 52_500]);
    }

    #[test]
    fn times_of_the_server_are_by_its_own_clock() {
        let mut data = Data::default();
        let mut told = |now_ms, server_ms| {
            let summaries = Summaries {
                now_ms: server_ms,
                ..Summaries::default()
            };
            data.take_summaries(summaries, now_ms);
            data.server_now_ms(now_ms)
        };
        assert_eq!(told(1_000, 1_400), 1_000, "that is the way of the answer");
        assert_eq!(told(2_000, 302_000), 302_000);
        assert_eq!(told(3_000, 303_300), 303_000, "it does not flicker");
        assert_eq!(told(4_000, 0), 304_000, "it does not tell");
        assert_eq!(told(5_000, 4_900), 4_900);
        assert_eq!(data.server_now_ms(i64::MAX), i64::MAX - 100);
    }
}
