//! What a screen of `srsctl top` costs when the server has 2,000 streams and 20,000 clients: to
//! parse its answers, to take them in, and to draw.
//!
//! `cargo bench -p srsctl --bench top`. Each figure is a second of the dashboard on a terminal of
//! that size, without HTTP and without writing to a terminal; it is to be well under 16 ms.

use divan::Bencher;
use srs_api::{
    Answer, ClientsAnswer, Event, EventKind, History, HistoryAnswer, Kbps, ServiceSummary,
    StreamsAnswer, Summaries, VhostsAnswer,
};
use srsctl::replay::{Question, Replay};

#[path = "../src/top/samples.rs"]
#[expect(dead_code, reason = "the tests use more of it")]
mod samples;

fn main() {
    divan::main();
}

/// What the server answers in a second, and what it was asked.
type Answers = Vec<(Question, String)>;

/// The dashboard on a terminal of this size, after `command`, with the answers to what it asks.
fn dashboard((width, height): (u16, u16), command: &str) -> (Replay, Answers) {
    let mut replay = Replay::new(width, height, samples::NOW_MS);
    replay.command(command);
    let (start, count) = replay.window();
    let answers = vec![
        match command.split(' ').next() {
            Some("streams") => (Question::Streams, streams(start, count)),
            Some("clients") => (Question::Clients, clients(start, count)),
            Some("vhosts") => (Question::Vhosts, vhosts()),
            _ => (Question::Events, events(0, 1)),
        },
        (Question::Summaries, summaries()),
        (Question::History, history()),
    ];
    (replay, answers)
}

/// Measures a second of it.
fn second(bencher: Bencher<'_, '_>, (mut replay, answers): (Replay, Answers)) {
    let mut frame = move || {
        for (question, json) in &answers {
            replay
                .update(*question, json)
                .expect("it is such an answer");
        }
        replay.draw();
    };
    frame();
    bencher.bench_local(frame);
}

#[divan::bench(args = SIZES)]
fn streams_second(bencher: Bencher<'_, '_>, size: &(u16, u16)) {
    second(bencher, dashboard(*size, "streams"));
}

#[divan::bench(args = SIZES)]
fn clients_second(bencher: Bencher<'_, '_>, size: &(u16, u16)) {
    second(bencher, dashboard(*size, "clients"));
}

#[divan::bench(args = SIZES)]
fn vhosts_filtered_second(bencher: Bencher<'_, '_>, size: &(u16, u16)) {
    second(bencher, dashboard(*size, "vhosts [1-8]+.example"));
}

#[divan::bench(args = SIZES)]
fn events_filtered_second(bencher: Bencher<'_, '_>, size: &(u16, u16)) {
    let (mut replay, answers) = dashboard(*size, "events cam[0-9]*[1-8]$");
    let many = events(1, EVENTS);
    let taken = replay.update(Question::Events, &many);
    taken.expect("they are events");
    second(bencher, (replay, answers));
}

/// The first answer of all: every event that the server has kept.
#[divan::bench]
fn events_all_at_once(bencher: Bencher<'_, '_>) {
    let many = events(1, EVENTS);
    let (mut replay, _) = dashboard(SIZES[2], "events cam[0-9]*[1-8]$");
    bencher.bench_local(move || {
        let taken = replay.update(Question::Events, &many);
        taken.expect("they are events");
        replay.draw();
    });
}

/// A frame without anything new, as each key has it drawn.
#[divan::bench(args = SIZES)]
fn draw(bencher: Bencher<'_, '_>, size: &(u16, u16)) {
    let (mut replay, answers) = dashboard(*size, "streams");
    for (question, json) in answers {
        let taken = replay.update(question, &json);
        taken.expect("it is such an answer");
    }
    bencher.bench_local(move || replay.draw());
}

fn streams(start: usize, count: usize) -> String {
    json(&StreamsAnswer {
        code: 0,
        identity: samples::identity(),
        total: STREAMS,
        streams: samples::streams(STREAMS)
            .into_iter()
            .skip(start)
            .take(count)
            .collect(),
    })
}

fn clients(start: usize, count: usize) -> String {
    json(&ClientsAnswer {
        code: 0,
        identity: samples::identity(),
        total: CLIENTS,
        clients: samples::clients(CLIENTS)
            .into_iter()
            .skip(start)
            .take(count)
            .collect(),
    })
}

fn vhosts() -> String {
    json(&VhostsAnswer {
        code: 0,
        identity: samples::identity(),
        total: VHOSTS,
        vhosts: samples::vhosts(VHOSTS),
    })
}

fn summaries() -> String {
    json(&Answer {
        code: 0,
        identity: samples::identity(),
        data: Summaries {
            ok: true,
            now_ms: samples::NOW_MS,
            srs: Some(ServiceSummary {
                streams: STREAMS,
                clients: CLIENTS,
                kbps: Kbps {
                    recv_5s: 8_000_000,
                    send_5s: 80_000_000,
                    ..Kbps::default()
                },
                ..ServiceSummary::default()
            }),
            ..Summaries::default()
        },
    })
}

/// Five minutes, second by second.
fn history() -> String {
    let wave = |height: u32| {
        (0..300)
            .map(|second| height + second * 37 % 1_000)
            .collect()
    };
    json(&HistoryAnswer {
        code: 0,
        identity: samples::identity(),
        history: History {
            step_ms: 1_000,
            end_ms: samples::NOW_MS,
            recv_kbps: wave(8_000_000),
            send_kbps: wave(80_000_000),
            viewers: wave(18_000),
            ..History::default()
        },
    })
}

/// An event on each line.
fn events(first: u64, number: u64) -> String {
    let event = |id: u64| Event {
        id,
        time_ms: samples::NOW_MS,
        kind: if id.is_multiple_of(2) {
            EventKind::Play
        } else {
            EventKind::Stop
        },
        client: Some((100 + id).to_string()),
        peer: Some(format!("192.0.2.{}:{}", id % 250, 50_000 + id)),
        vhost: Some("__defaultVhost__".to_owned()),
        app: Some("live".to_owned()),
        stream: Some(format!("cam{id}")),
        device: None,
        message: "12 minutes, 120 MB".to_owned(),
    };
    let lines: Vec<_> = (first..first + number).map(|id| json(&event(id))).collect();
    lines.join("\n")
}

fn json(answer: &impl serde::Serialize) -> String {
    serde_json::to_string(answer).expect("it can be written")
}

const SIZES: [(u16, u16); 3] = [(80, 24), (120, 40), (200, 60)];
const STREAMS: usize = 2_000;
const CLIENTS: usize = 20_000;
/// As many as the dashboard takes of them.
const VHOSTS: usize = 1_000;
/// As many as it keeps.
const EVENTS: u64 = 2_000;
