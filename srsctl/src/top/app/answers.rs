//! What answers do to the state.

use super::{App, Mode, Tone};
use crate::top::data::{self, Data, Gone, Rows};
use crate::top::event::{Answer, Failure, Impact, Outcome};
use crate::top::page::{Kind, Scope};
use crate::top::wants::ListWant;

impl App {
    /// Takes an answer in.
    pub(super) fn answer(&mut self, server: usize, answer: Answer) {
        let now_ms = self.now_ms;
        let is_shown = server == self.current;
        let Some(from) = self.servers.get_mut(server) else {
            return;
        };
        // What is told once comes on a way of its own: that it comes does not show that the server
        // answers.
        let is_told_once = matches!(answer, Answer::Events(_) | Answer::Log { .. });
        let was_away = !is_told_once && from.link.down.take().is_some();
        if !is_told_once {
            from.link.last_ms = Some(now_ms);
        }
        let has_restarted = life(&answer).is_some_and(|life| from.data.begin_life(life));
        if is_shown && has_restarted {
            self.forget_ids();
        } else if is_shown && was_away {
            let text = format!("{} answers again", self.server().name);
            self.say(Tone::Good, text);
        }
        if self.is_frozen {
            // Figures come again; what is told once must not be lost.
            if is_told_once {
                self.hold(server, answer);
            }
            return;
        }
        if is_shown && !self.is_wanted(&answer) {
            return;
        }
        let Some(from) = self.servers.get_mut(server) else {
            return;
        };
        let is_whole = matches!(
            answer,
            Answer::Summaries(_)
                | Answer::Streams(..)
                | Answer::Clients(..)
                | Answer::Vhosts(..)
                | Answer::Parts(..)
        );
        if is_whole {
            from.link.refused = None;
        }
        take(&mut from.data, answer, now_ms);
    }

    /// Keeps what has happened while the screen is frozen: as much as is shown at most.
    fn hold(&mut self, server: usize, answer: Answer) {
        self.held.push_back((server, answer));
        let lines = |answer: &Answer| match answer {
            Answer::Events(events) => events.len(),
            Answer::Log { lines, .. } => lines.len(),
            _ => 0,
        };
        let mut number: usize = self.held.iter().map(|(_, answer)| lines(answer)).sum();
        while number > MOST_HELD {
            let oldest = self.held.pop_front();
            number -= oldest.map_or(number, |(_, answer)| lines(&answer));
        }
    }

    /// The server has restarted: its ids are those of others now.
    fn forget_ids(&mut self) {
        self.unfreeze();
        self.opened.clear();
        let since_last = self.now_ms.saturating_sub(self.restarted_ms);
        self.restarted_ms = self.now_ms;
        for page in &mut self.roots {
            page.marked.clear();
            page.selected = None;
        }
        self.close_questions();
        // Where several servers answer in turn, asking at once would never end.
        let name = &self.server().name;
        if (0..ONE_LIFE_MS).contains(&since_last) {
            let text = format!("{name} restarts again and again, or several servers answer there");
            self.say(Tone::Bad, text);
        } else {
            let text = format!("{name} has restarted");
            self.again += 1;
            self.say(Tone::Odd, text);
        }
    }

    /// Whether an answer is to what is asked at present: one to something else may have been under
    /// way.
    fn is_wanted(&self, answer: &Answer) -> bool {
        let scope_of = |kind| self.trail().filter(|page| page.kind == kind).last();
        let is_of = |kind, id: &str| {
            scope_of(kind).is_some_and(|page| match &page.scope {
                Scope::Stream { id: own, .. } | Scope::Client(own) => own == id,
                Scope::All | Scope::Vhost(_) => false,
            })
        };
        match answer {
            Answer::History(range, _) => *range == self.range,
            Answer::Streams(want, _)
            | Answer::Clients(want, _)
            | Answer::Vhosts(want, _)
            | Answer::Parts(want, _) => self
                .list_want()
                .is_some_and(|present| present.is_like(want)),
            Answer::Stream(id, _) => is_of(Kind::Stream, id),
            Answer::StreamHistory(id, range, _) => is_of(Kind::Stream, id) && *range == self.range,
            Answer::Client(id, _) => is_of(Kind::Client, id),
            Answer::Log { of, .. } => self.wants().log.as_ref() == Some(of),
            Answer::Summaries(_) | Answer::Fleet(_) | Answer::Events(_) => true,
        }
    }

    pub(super) fn failed(&mut self, server: usize, failure: Failure) {
        let now_ms = self.now_ms;
        let Some(from) = self.servers.get_mut(server) else {
            return;
        };
        match failure {
            Failure::Down(error) => match &mut from.link.down {
                Some((known, _)) => *known = error,
                down @ None => *down = Some((error, now_ms)),
            },
            Failure::Refused(error) => from.link.refused = Some(error),
        }
    }

    pub(super) fn outcome(&mut self, outcome: Outcome) {
        match outcome {
            Outcome::Impact { question, result } => self.examined(question, result),
            Outcome::Marked {
                server,
                want,
                rows,
                total,
            } => {
                let is_of_page = server == self.current
                    && self
                        .list_want()
                        .is_some_and(|present| present.is_like(&want));
                if is_of_page {
                    let marked = rows.len();
                    self.page_mut().marked.extend(rows);
                    self.say(
                        Tone::Plain,
                        match marked < total {
                            true => format!("{marked} of {total} marked: no more at once"),
                            false => format!("{marked} marked"),
                        },
                    );
                }
            }
            Outcome::Kicked {
                server,
                marked,
                kicked,
                gone,
                failure,
            } => {
                if server == self.current {
                    for page in self.roots.iter_mut().chain(&mut self.opened) {
                        page.marked.retain(|id, _| !marked.contains(id));
                    }
                }
                self.again += 1;
                self.say_kicked(kicked, gone, failure);
            }
            Outcome::Reload {
                question,
                dry_run,
                result,
            } => self.reloaded(question, dry_run, result),
            Outcome::Opened(server) => {
                let known = self.servers.iter().position(|known| known.is_same(&server));
                let place = known.unwrap_or_else(|| {
                    self.servers.push(*server);
                    self.servers.len() - 1
                });
                self.show_server(place);
                self.view = 0;
            }
            Outcome::Done(text) => self.say(Tone::Good, text),
            Outcome::Failed(text) => self.say(Tone::Bad, text),
        }
    }

    /// Whom it concerns if clients are cut off.
    fn examined(&mut self, question: u64, result: Result<Impact, String>) {
        let Mode::Kick(dialog) = &mut self.mode else {
            return;
        };
        if dialog.question != question {
            return;
        }
        if result.as_ref().is_ok_and(|impact| impact.ids.is_empty()) {
            self.mode = Mode::Normal;
            self.say(Tone::Odd, "there is nobody to cut off any more");
            return;
        }
        dialog.impact = Some(result);
    }

    fn say_kicked(&mut self, kicked: usize, gone: usize, failure: Option<String>) {
        let clients = |number: usize| match number {
            1 => "1 client".to_owned(),
            number => format!("{number} clients"),
        };
        let mut text = format!("{} cut off", clients(kicked));
        if gone > 0 {
            text += &format!(", {} had gone already", clients(gone));
        }
        match failure {
            Some(failure) => self.say(Tone::Bad, format!("{text}; then: {failure}")),
            None => self.say(Tone::Good, text),
        }
    }

    fn reloaded(
        &mut self,
        question: u64,
        dry_run: bool,
        result: Result<Box<srs_api::Reload>, String>,
    ) {
        match (dry_run, result) {
            (true, result) => {
                if let Mode::Reload(dialog) = &mut self.mode
                    && dialog.question == question
                {
                    dialog.difference = Some(result);
                }
            }
            (false, Ok(reload)) => {
                let text = match reload.changes.len() {
                    0 => "reloaded: nothing differs".to_owned(),
                    1 => "reloaded: 1 change".to_owned(),
                    number => format!("reloaded: {number} changes"),
                };
                self.say(Tone::Good, text);
            }
            (false, Err(error)) => {
                let first = error.lines().next().unwrap_or_default().to_owned();
                self.say(Tone::Bad, format!("not reloaded: {first}"));
            }
        }
    }
}

/// Which life of the server an answer is of, if it says so.
fn life(answer: &Answer) -> Option<&str> {
    let identity = match answer {
        Answer::Summaries(answer) => &answer.identity,
        Answer::Streams(_, answer) => &answer.identity,
        Answer::Clients(_, answer) => &answer.identity,
        Answer::Vhosts(_, answer) => &answer.identity,
        Answer::Parts(_, answer) => &answer.identity,
        Answer::Fleet(answer) => &answer.identity,
        _ => return None,
    };
    Some(&identity.server)
}

fn take(data: &mut Data, answer: Answer, now_ms: i64) {
    match answer {
        Answer::Summaries(answer) => data.take_summaries(answer.data, now_ms),
        Answer::History(_, history) => data.history = history,
        Answer::Streams(want, answer) => {
            data.streams = window(want, answer.total, answer.streams);
        }
        Answer::Clients(want, answer) => {
            data.clients = window(want, answer.total, answer.clients);
        }
        Answer::Vhosts(want, answer) => {
            data.vhosts = Rows::whole(Some(want), answer.total, answer.vhosts);
        }
        Answer::Parts(want, answer) => {
            data.parts = Rows::whole(Some(want), answer.total, answer.parts);
        }
        Answer::Fleet(answer) => {
            data.beating = answer.servers;
            data.heartbeat = answer.heartbeat;
        }
        Answer::Stream(_, stream) => match (stream, &mut data.stream) {
            (Some(stream), known) => *known = Some(Ok(stream)),
            (None, known) => *known = Some(Err(Gone)),
        },
        Answer::StreamHistory(_, _, history) => data.stream_history = history,
        Answer::Client(_, client) => {
            if let Some(client) = &client {
                data.client_history.note(client, now_ms);
            }
            data.client = Some(client.ok_or(Gone));
        }
        Answer::Events(events) => data
            .events
            .append(events.into_iter().map(Into::into), data::KEPT),
        Answer::Log {
            of,
            lines,
            is_first,
        } => {
            if is_first || data.logs_of.as_ref() != Some(&of) {
                data.logs = Rows::default();
                data.logs_of = Some(of);
            }
            data.logs
                .append(lines.into_iter().map(Into::into), data::KEPT);
        }
    }
}

fn window<T: crate::top::columns::Item>(want: ListWant, total: usize, items: Vec<T>) -> Rows<T> {
    let start = want.start;
    Rows::window(want, total, start, items)
}

/// No server lives so short again and again.
const ONE_LIFE_MS: i64 = 5_000;
/// More than anybody lets happen before he looks again.
const MOST_HELD: usize = 2_000;
