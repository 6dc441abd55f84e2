use std::io::Write as _;
use std::process::{Command, Stdio};
use std::sync::Arc;

use prometheus::TextEncoder;
use srs_api::{EventKind, HeartbeatState, Kbps, Publish, Server, ServerState, Stream};

use super::*;
use crate::config::Config;
use crate::control::counters::Incident;

fn service() -> Service {
    Service::new(Arc::new(Config::default()), 100)
}

fn text(fill: impl FnOnce(&mut Families)) -> String {
    let mut families = Families::default();
    fill(&mut families);
    TextEncoder::new()
        .encode_to_string(&families.into_vec())
        .unwrap()
}

fn stream(name: &str) -> Stream {
    Stream {
        id: "s1".to_owned(),
        name: name.to_owned(),
        vhost: "__defaultVhost__".to_owned(),
        app: "live".to_owned(),
        tc_url: String::new(),
        url: String::new(),
        live_ms: 0,
        clients: 3,
        viewers: 2,
        viewers_peak: 2,
        players: <_>::default(),
        frames: 250,
        send_bytes: 20_000_000_000_000,
        recv_bytes: 1,
        send_packets: 0,
        recv_packets: 0,
        drops: 0,
        jumps: 0,
        clock_jumps: 0,
        reconnects: 0,
        publish_seconds: 1.5,
        play_seconds: 0.0,
        av_skew_ms: None,
        kbps: Kbps::default(),
        publish: Publish {
            active: true,
            cid: "100".to_owned(),
        },
        video: None,
        audio: None,
        health: <_>::default(),
        outputs: Vec::new(),
        recent_kbps: Vec::new(),
        details: None,
    }
}

fn server(name: &str, state: ServerState) -> Server {
    Server {
        device_id: name.to_owned(),
        ip: String::new(),
        peer: String::new(),
        state,
        first_seen_ms: 0,
        last_seen_ms: 1_700_000_000_500,
        age: 0.0,
        interval: 0.0,
        beats: 1,
        version: None,
        uptime: None,
        streams: Some(7),
        clients: None,
        recv_kbps: Some(8),
        send_kbps: None,
        cpu_percent: Some(0.25),
        mem_kbyte: None,
    }
}

fn heartbeat() -> HeartbeatState {
    HeartbeatState {
        enabled: true,
        ok: true,
        sent: 3,
        last_ok_ms: 1_000,
        ..HeartbeatState::default()
    }
}

/// What Prometheus's own tool finds wrong with `text`.
fn promtool(text: &str) -> String {
    let mut tool = Command::new("promtool")
        .args(["check", "metrics"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap_or_else(|error| panic!("promtool, of Debian's package prometheus: {error}"));
    tool.stdin
        .take()
        .unwrap()
        .write_all(text.as_bytes())
        .unwrap();
    let output = tool.wait_with_output().unwrap();
    let said = [output.stdout, output.stderr].concat();
    let said = String::from_utf8_lossy(&said).into_owned();
    assert_eq!(output.status.success(), said.is_empty(), "{said}");
    said
}

#[test]
fn prometheus_finds_nothing_wrong() {
    let service = service();
    service.events.tell(EventKind::Start, |_| {});
    let of_service = render(&service);
    let others = text(|families| {
        streams::add_streams(families, &[stream("a"), stream("quo\"te\\new\nline")], 0);
        fleet::add(
            families,
            &[
                server("one", ServerState::Up),
                server("two", ServerState::Late),
            ],
            &heartbeat(),
        );
    });
    for text in [of_service, others] {
        assert!(text.ends_with('\n') && text.lines().count() > 20, "{text}");
        assert_eq!(promtool(&text), "", "{text}");
    }
}

#[test]
fn the_state_shows_under_its_names() {
    let service = service();
    service.counters.count(Incident::ProtocolError);
    service.events.tell(EventKind::Publish, |_| {});
    let text = render(&service);
    for line in [
        concat!(
            "srs_build_info{version=\"",
            env!("CARGO_PKG_VERSION"),
            "\"} 1"
        ),
        r#"srs_clients{type="play"} 0"#,
        r#"srs_incidents_total{reason="protocol_error"} 1"#,
        r#"srs_incidents_total{reason="send_timeout"} 0"#,
        r#"srs_events_total{kind="publish"} 1"#,
        r#"srs_api_requests_total{status="2xx"} 0"#,
        r#"srs_fleet_servers{state="late"} 0"#,
        "srs_config_last_reload_successful 1",
        "srs_streams 0",
    ] {
        assert!(text.lines().any(|it| it == line), "{line} in\n{text}");
    }
    // Watchers may lose events, each for itself.
    assert!(!text.contains(r#"kind="lost""#), "{text}");
    // A heartbeat that is not sent has no figures.
    assert!(!text.contains("srs_heartbeat_"), "{text}");
}

#[test]
fn a_stream_has_its_figures_and_its_name_is_escaped() {
    let text = text(|families| streams::add_streams(families, &[stream("quo\"te")], 5));
    let labels = r#"{vhost="__defaultVhost__",app="live",stream="quo\"te"}"#;
    for (name, value) in [
        ("srs_stream_send_bytes_total", "20000000000000"),
        ("srs_stream_frames_total", "250"),
        ("srs_stream_viewers", "2"),
        ("srs_stream_active", "1"),
        ("srs_stream_publish_seconds_total", "1.5"),
    ] {
        let line = format!("{name}{labels} {value}");
        assert!(text.lines().any(|it| it == line), "{line} in\n{text}");
    }
    assert!(text.contains("\nsrs_streams_left_out 5\n"), "{text}");
}

#[test]
fn what_a_server_of_the_fleet_does_not_tell_is_no_zero() {
    let servers = [
        server("one", ServerState::Up),
        server("two", ServerState::Late),
    ];
    let text = text(|families| fleet::add(families, &servers, &heartbeat()));
    for line in [
        r#"srs_fleet_servers{state="up"} 1"#,
        r#"srs_fleet_server_up{device="two"} 0"#,
        r#"srs_fleet_server_last_seen_timestamp_seconds{device="one"} 1700000000.5"#,
        r#"srs_fleet_server_receive_bytes_per_second{device="one"} 1000"#,
        r#"srs_fleet_server_cpu_ratio{device="one"} 0.25"#,
        "srs_heartbeat_sent_total 3",
        "srs_heartbeat_last_success_timestamp_seconds 1",
    ] {
        assert!(text.lines().any(|it| it == line), "{line} in\n{text}");
    }
    assert!(!text.contains("srs_fleet_server_clients"), "{text}");
}
