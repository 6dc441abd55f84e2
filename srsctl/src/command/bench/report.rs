//! The figures as they are told: one JSON object, or a table for people.

mod table;

use std::time::Duration;

use serde::Serialize;

use super::histogram::Histogram;
use super::load::{Load, Outcome, Publish, ServerUsage};
use super::moment::nanos;

/// Everything that was found out. What was not measured is `None`, and `null` in JSON; so is
/// everything about the server if the tool was saturated.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(super) struct Report {
    pub(super) command: &'static str,
    /// As asked for.
    pub(super) players: usize,
    pub(super) streams: usize,
    /// At the end.
    pub(super) publishers: usize,
    /// Between two writes of the floor.
    pub(super) interval_ms: Option<f64>,
    /// Of what others publish it is not known.
    pub(super) bitrate_kbps: Option<u32>,
    pub(super) seconds: f64,
    pub(super) saturated: bool,
    #[serde(skip)]
    pub(super) saturation: Option<Saturation>,
    pub(super) tool: Tool,
    pub(super) connected: usize,
    pub(super) playing: usize,
    pub(super) refused: usize,
    pub(super) failed: usize,
    pub(super) disconnected: usize,
    pub(super) starved: Option<usize>,
    /// In the direction that counts.
    pub(super) bytes: u64,
    pub(super) gbit: f64,
    /// From publishers, and to players, as far as they are measured.
    pub(super) gbit_in: Option<f64>,
    pub(super) gbit_out: Option<f64>,
    /// What the server took of what was due to be sent to it.
    pub(super) sent_ratio: Option<f64>,
    /// What players received of what was published for them.
    pub(super) delivered_ratio: Option<f64>,
    pub(super) first_byte_ms: Option<Times>,
    pub(super) first_key_frame_ms: Option<Times>,
    pub(super) latency_ms: Option<Latency>,
    pub(super) server: Option<Server>,
}

/// Why the tool could not keep up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Saturation {
    /// It had all of a processor, and needed more.
    Processor,
    /// With a processor that was not full it sent messages late.
    Publishers,
    /// It publishes nothing, and looked at its players late.
    Players,
}

impl Saturation {
    pub(crate) const fn cause(self) -> &'static str {
        match self {
            Self::Processor => "the tool's processor was full",
            Self::Publishers => {
                "the tool's publishers were late although its processor was not full"
            }
            Self::Players => "the tool read late although its processor was not full",
        }
    }

    pub(crate) const fn advice(self) -> &'static str {
        match self {
            Self::Processor => "give the tool a processor of its own (--cpu)",
            Self::Publishers => "the machine is too busy, or the server does not take the data",
            Self::Players => "the machine is too busy",
        }
    }
}

/// How the tool itself did.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub(super) struct Tool {
    pub(super) cpu_percent: f64,
    pub(super) late_p95_ms: Option<f64>,
}

/// How long something took.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub(super) struct Times {
    pub(super) p50: f64,
    pub(super) p95: f64,
    pub(super) max: f64,
}

/// How long messages were on their way.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub(super) struct Latency {
    pub(super) p50: f64,
    pub(super) p95: f64,
    pub(super) p99: f64,
    pub(super) max: f64,
}

/// What the server needed.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(super) struct Server {
    pub(super) cpu_percent: f64,
    pub(super) cpu_seconds: f64,
    /// Where both directions are measured, of both together.
    pub(super) cpu_seconds_per_gbit: Option<f64>,
    pub(super) rss_kb: u64,
    pub(super) rss_kb_before: Option<u64>,
    pub(super) kb_per_player: Option<f64>,
    pub(super) threads: Vec<ThreadUsage>,
}

/// What one of its threads needed.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(super) struct ThreadUsage {
    pub(super) name: String,
    pub(super) cpu_seconds: f64,
}

/// What was measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Subject {
    Play,
    Publish,
    /// The floor, with its interval; whether it reads.
    Floor {
        interval: Duration,
        reads: bool,
    },
}

impl Report {
    pub(super) fn new(subject: Subject, load: &Load, outcome: &Outcome) -> Self {
        let seconds = outcome.window.as_secs_f64();
        let cpu = ratio(outcome.own_cpu.as_secs_f64(), seconds).unwrap_or_default();
        let late = outcome.late.percentile(95);
        let is_late = late.is_some_and(|late| late > MOST_LATE);
        let saturation = if cpu > MOST_CPU {
            Some(Saturation::Processor)
        } else if load.publish == Publish::No {
            is_late.then_some(Saturation::Players)
        } else {
            is_late.then_some(Saturation::Publishers)
        };
        let is_inward = match subject {
            Subject::Play => false,
            Subject::Publish => true,
            Subject::Floor { reads, .. } => reads,
        };
        let is_ours = subject != Subject::Play || load.publish != Publish::No;
        let has_both = is_inward && load.players > 0;
        let bytes = if is_inward {
            outcome.sent
        } else {
            outcome.received
        };
        let moved = if has_both {
            outcome.sent + outcome.received
        } else {
            bytes
        };
        let mut report = Self {
            command: match subject {
                Subject::Play => "play",
                Subject::Publish => "publish",
                Subject::Floor { .. } => "floor",
            },
            players: load.players,
            streams: load.streams.len(),
            publishers: outcome.publishing,
            interval_ms: match subject {
                Subject::Floor {
                    interval,
                    reads: false,
                } => Some(millis(interval)),
                _ => None,
            },
            bitrate_kbps: is_ours.then_some(load.shape.bitrate_kbps),
            seconds: rounded(seconds, 3),
            saturated: saturation.is_some(),
            saturation,
            tool: Tool {
                cpu_percent: rounded(cpu * 100.0, 1),
                late_p95_ms: late.map(millis),
            },
            connected: outcome.tally.connected,
            playing: outcome.playing,
            refused: outcome.tally.refused,
            failed: outcome.tally.failed,
            disconnected: outcome.disconnected,
            starved: Some(outcome.starved),
            bytes,
            gbit: gbit(bytes),
            gbit_in: is_inward.then(|| gbit(outcome.sent)),
            gbit_out: (load.players > 0).then(|| gbit(outcome.received)),
            sent_ratio: is_inward
                .then(|| share(outcome.sent, outcome.due))
                .flatten(),
            delivered_ratio: share(outcome.received, outcome.published),
            first_byte_ms: times(&outcome.first_media),
            first_key_frame_ms: times(&outcome.first_key_frame),
            latency_ms: latency(&outcome.latency),
            server: outcome
                .server
                .as_ref()
                .map(|usage| server(usage, seconds, moved, outcome.playing)),
        };
        if saturation.is_some() {
            report.forget_server();
        }
        report
    }

    /// Whether a client was not served to the end.
    pub(super) fn has_problems(&self) -> bool {
        let starved = self.starved.unwrap_or_default();
        self.refused + self.failed + self.disconnected + starved > 0
    }

    /// What a tool that cannot keep up sees is about itself.
    fn forget_server(&mut self) {
        self.starved = None;
        self.sent_ratio = None;
        self.delivered_ratio = None;
        self.first_byte_ms = None;
        self.first_key_frame_ms = None;
        self.latency_ms = None;
        self.server = None;
    }
}

fn server(usage: &ServerUsage, seconds: f64, bytes: u64, playing: usize) -> Server {
    let cpu = usage.cpu.as_secs_f64();
    let per_gbit = ratio(cpu, bytes as f64 / BYTES_PER_GBIT);
    let per_player = ratio(usage.rss_kb as f64, playing as f64);
    Server {
        cpu_percent: rounded(ratio(cpu, seconds).unwrap_or_default() * 100.0, 1),
        cpu_seconds: rounded(cpu, 2),
        cpu_seconds_per_gbit: per_gbit.map(|seconds| rounded(seconds, 4)),
        rss_kb: usage.rss_kb,
        rss_kb_before: usage.rss_kb_before,
        kb_per_player: per_player.map(|kb| rounded(kb, 2)),
        threads: usage
            .threads
            .iter()
            .map(|thread| ThreadUsage {
                name: thread.name.clone(),
                cpu_seconds: rounded(thread.cpu.as_secs_f64(), 2),
            })
            .collect(),
    }
}

fn times(histogram: &Histogram) -> Option<Times> {
    Some(Times {
        p50: millis(histogram.percentile(50)?),
        p95: millis(histogram.percentile(95)?),
        max: millis(histogram.max()?),
    })
}

fn latency(histogram: &Histogram) -> Option<Latency> {
    Some(Latency {
        p50: millis(histogram.percentile(50)?),
        p95: millis(histogram.percentile(95)?),
        p99: millis(histogram.percentile(99)?),
        max: millis(histogram.max()?),
    })
}

fn millis(duration: Duration) -> f64 {
    rounded(nanos(duration) as f64 / 1e6, 3)
}

fn gbit(bytes: u64) -> f64 {
    rounded(bytes as f64 / BYTES_PER_GBIT, 6)
}

fn share(part: u64, whole: u64) -> Option<f64> {
    ratio(part as f64, whole as f64).map(|share| rounded(share, 4))
}

/// `None` where there is nothing to divide by.
fn ratio(part: f64, whole: f64) -> Option<f64> {
    (whole > 0.0).then(|| part / whole)
}

fn rounded(number: f64, decimals: i32) -> f64 {
    let scale = 10_f64.powi(decimals);
    (number * scale).round() / scale
}

const BYTES_PER_GBIT: f64 = 1e9 / 8.0;
/// Of its processor; beyond that what the tool measures is itself.
const MOST_CPU: f64 = 0.85;
/// How late it may be with one of twenty things.
const MOST_LATE: Duration = Duration::from_millis(20);

#[cfg(test)]
pub(super) mod tests {
    use serde_json::{Value, json};

    use super::super::client::{Destination, Speech};
    use super::super::load::Tally;
    use super::super::pattern::Shape;
    use super::super::process::{Processes, Thread};
    use super::*;

    pub(in super::super) fn load(players: usize) -> Load {
        let stream = Destination {
            addresses: Vec::new(),
            speech: Speech::Bare,
            within: Duration::from_secs(1),
        };
        Load {
            streams: vec![stream],
            publish: Publish::ForPlayers,
            players,
            probes: 20,
            shape: Shape {
                bitrate_kbps: 500,
                fps: 25,
                audio_fps: 43,
                gop: Duration::from_secs(2),
            },
            ramp: 300,
            duration: Duration::from_secs(20),
            server: Processes::new(&[]).unwrap(),
            verbose: false,
        }
    }

    pub(in super::super) fn outcome() -> Outcome {
        let mut histogram = Histogram::default();
        histogram.record(Duration::from_millis(2));
        Outcome {
            tally: Tally {
                connected: 900,
                ..Tally::default()
            },
            publishing: 1,
            playing: 900,
            window: Duration::from_secs(20),
            received: 1_125_000_000,
            published: 1_120_000_000,
            sent: 1_250_000,
            due: 1_250_000,
            first_media: histogram.clone(),
            first_key_frame: histogram.clone(),
            latency: histogram.clone(),
            late: histogram,
            own_cpu: Duration::from_millis(1_420),
            server: Some(ServerUsage {
                cpu: Duration::from_millis(2_460),
                threads: vec![Thread {
                    name: "srs".to_owned(),
                    cpu: Duration::from_millis(2_460),
                }],
                rss_kb: 12_345,
                rss_kb_before: Some(4_000),
            }),
            ..Outcome::default()
        }
    }

    fn json(subject: Subject, load: &Load, outcome: &Outcome) -> Value {
        serde_json::to_value(Report::new(subject, load, outcome)).unwrap()
    }

    #[test]
    fn json_has_everything_under_its_name() {
        let times = json!({ "p50": 2.0, "p95": 2.0, "max": 2.0 });
        assert_eq!(
            json(Subject::Play, &load(900), &outcome()),
            json!({
                "command": "play", "players": 900, "streams": 1, "publishers": 1,
                "interval_ms": null, "bitrate_kbps": 500, "seconds": 20.0,
                "saturated": false, "tool": { "cpu_percent": 7.1, "late_p95_ms": 2.0 },
                "connected": 900, "playing": 900, "refused": 0, "failed": 0,
                "disconnected": 0, "starved": 0,
                "bytes": 1_125_000_000, "gbit": 9.0, "gbit_in": null, "gbit_out": 9.0,
                "sent_ratio": null, "delivered_ratio": 1.0045,
                "first_byte_ms": times, "first_key_frame_ms": times,
                "latency_ms": { "p50": 2.0, "p95": 2.0, "p99": 2.0, "max": 2.0 },
                "server": {
                    "cpu_percent": 12.3, "cpu_seconds": 2.46, "cpu_seconds_per_gbit": 0.2733,
                    "rss_kb": 12_345, "rss_kb_before": 4_000, "kb_per_player": 13.72,
                    "threads": [{ "name": "srs", "cpu_seconds": 2.46 }],
                },
            })
        );
    }

    #[test]
    fn publishing_counts_what_the_server_took() {
        let report = json(Subject::Publish, &load(900), &outcome());
        assert_eq!(report["gbit"], 0.01);
        assert_eq!(
            (&report["gbit_in"], &report["gbit_out"]),
            (&json!(0.01), &json!(9.0))
        );
        assert_eq!(report["sent_ratio"], 1.0);
        assert_eq!(report["server"]["cpu_seconds_per_gbit"], 0.273);
        let alone = json(Subject::Publish, &load(0), &outcome());
        assert_eq!(alone["gbit_out"], Value::Null);
    }

    #[test]
    fn the_floor_counts_in_its_direction() {
        let interval = Duration::from_millis(350);
        let floor = |reads| json(Subject::Floor { interval, reads }, &load(0), &outcome());
        assert_eq!(floor(false)["gbit"], 9.0);
        assert_eq!(floor(true)["gbit"], 0.01);
        assert_eq!(floor(false)["interval_ms"], 350.0);
        assert_eq!(floor(true)["interval_ms"], Value::Null);
    }

    #[test]
    fn a_tool_that_is_late_or_busy_says_nothing_about_the_server() {
        let mut busy = outcome();
        busy.own_cpu = Duration::from_secs(18);
        let mut late = outcome();
        late.late.record(Duration::from_millis(30));
        let causes = [Saturation::Processor, Saturation::Publishers];
        for (outcome, cause) in [busy, late].into_iter().zip(causes) {
            let report = Report::new(Subject::Play, &load(900), &outcome);
            assert_eq!(report.saturation, Some(cause));
            let report = serde_json::to_value(report).unwrap();
            assert_eq!(report["saturated"], true);
            for figure in [
                "starved",
                "delivered_ratio",
                "first_byte_ms",
                "latency_ms",
                "server",
            ] {
                assert_eq!(report[figure], Value::Null, "{figure}");
            }
            assert_eq!(
                (&report["playing"], &report["gbit"]),
                (&json!(900), &json!(9.0))
            );
        }
    }

    #[test]
    fn whoever_was_not_served_to_the_end_is_a_problem() {
        let has_problems =
            |outcome: &Outcome| Report::new(Subject::Play, &load(900), outcome).has_problems();
        assert!(!has_problems(&outcome()));
        let problems: [fn(&mut Outcome) -> &mut usize; 4] = [
            |outcome| &mut outcome.tally.refused,
            |outcome| &mut outcome.tally.failed,
            |outcome| &mut outcome.disconnected,
            |outcome| &mut outcome.starved,
        ];
        for problem in problems {
            let mut outcome = outcome();
            *problem(&mut outcome) += 1;
            assert!(has_problems(&outcome), "{outcome:?}");
        }
    }

    #[test]
    fn the_bit_rate_of_what_others_publish_is_not_known() {
        let mut load = load(900);
        load.publish = Publish::No;
        assert_eq!(
            json(Subject::Play, &load, &outcome())["bitrate_kbps"],
            Value::Null
        );
    }

    #[test]
    fn nothing_is_divided_by_nothing() {
        let mut outcome = outcome();
        (outcome.playing, outcome.received, outcome.published) = (0, 0, 0);
        let report = json(Subject::Play, &load(900), &outcome);
        assert_eq!(report["delivered_ratio"], Value::Null);
        assert_eq!(report["server"]["kb_per_player"], Value::Null);
        assert_eq!(report["server"]["cpu_seconds_per_gbit"], Value::Null);
    }
}
