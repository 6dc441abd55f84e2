//! Answers for tests and benches: as many of each as wanted, each a little different.
//!
//! `benches/top.rs` takes this file in by its path: it needs nothing but the types of the API.

use srs_api::{
    Answer, Audio, Change, Client, ClientRole, Disk, Effect, Event, EventKind, Field, HealthCause,
    HeartbeatState, History, Identity, Kbps, LogLevel, LogLine, Part, PartKind, PartState, Players,
    Publish, Reload, ReloadOutcome, ReloadSummary, Server, ServerState, ServersAnswer,
    ServiceState, ServiceSummary, Stream, StreamDetails, StreamHealth, StreamState, Summaries,
    Vhost, Video, Watchdog,
};
use srs_config::VhostName;

/// The time of all samples, in Unix milliseconds: 2026-11-24 12:17:00 UTC.
pub(crate) const NOW_MS: i64 = 1_795_522_620_000;

/// Streams.
pub(crate) fn streams(number: usize) -> Vec<Stream> {
    (0..number).map(stream).collect()
}

fn stream(place: usize) -> Stream {
    let name = match place {
        0 => "show".to_owned(),
        1 => "直播间".to_owned(),
        place => format!("cam{place}"),
    };
    let vhost = if place == 2 {
        "live.example.com"
    } else {
        VhostName::DEFAULT
    };
    let state = match place % 7 {
        3 => StreamState::Odd,
        5 => StreamState::Bad,
        6 => StreamState::Waiting,
        _ => StreamState::Good,
    };
    let is_live = state != StreamState::Waiting;
    let kbps = if is_live {
        4_000 / (place as u64 + 1) + 200
    } else {
        0
    };
    let viewers = 340 / (place + 1);
    Stream {
        id: format!("s{}", 10 + place),
        name: name.clone(),
        vhost: vhost.to_owned(),
        app: "live".to_owned(),
        tc_url: format!("rtmp://{vhost}/live"),
        url: format!("/live/{name}"),
        live_ms: NOW_MS.unsigned_abs() - (place as u64 + 1) * 754_000,
        clients: viewers + 1,
        viewers,
        viewers_peak: viewers * 2,
        players: Players {
            rtmp: viewers,
            ..Players::default()
        },
        frames: 25_000,
        send_bytes: 120_000_000 * (viewers as u64),
        recv_bytes: 120_000_000,
        send_packets: 90_000,
        recv_packets: 30_000,
        drops: if place % 5 == 4 { 1_234 } else { 0 },
        jumps: if place % 5 == 4 { 3 } else { 0 },
        clock_jumps: 0,
        reconnects: 1,
        publish_seconds: 754.0,
        play_seconds: 7_540.0,
        av_skew_ms: is_live.then_some(-12),
        kbps: Kbps {
            recv_5s: kbps,
            recv_1m: kbps,
            send_5s: kbps * viewers as u64,
            send_1m: kbps * viewers as u64,
            ..Kbps::default()
        },
        publish: Publish {
            active: is_live,
            cid: if is_live {
                (100 + place).to_string()
            } else {
                String::new()
            },
        },
        video: is_live.then(|| Video {
            codec: "H264".to_owned(),
            profile: "High".to_owned(),
            level: "4.1".to_owned(),
            width: 1920,
            height: 1080,
            fps: if state == StreamState::Odd {
                12.1
            } else {
                25.0
            },
            nominal_fps: 25.0,
            gop_ms: 2_000,
        }),
        audio: is_live.then(|| Audio {
            codec: "AAC".to_owned(),
            sample_rate: 44_100,
            channel: 2,
            profile: "LC".to_owned(),
        }),
        health: StreamHealth {
            state,
            why: match state {
                StreamState::Odd => vec!["12.1 of 25 frames/s".to_owned()],
                StreamState::Bad => vec!["nothing received for 5 s".to_owned()],
                StreamState::Good | StreamState::Waiting => Vec::new(),
            },
            causes: match state {
                StreamState::Odd => vec![HealthCause::Fps],
                StreamState::Bad => vec![HealthCause::Silence],
                StreamState::Good | StreamState::Waiting => Vec::new(),
            },
        },
        outputs: if place == 0 {
            vec![PartKind::Hls, PartKind::Dvr]
        } else {
            Vec::new()
        },
        recent_kbps: (0..30_u32)
            .map(|second| 3_000 + (second * 37 + 11) % 1_500)
            .collect(),
        details: None,
    }
}

/// Clients.
pub(crate) fn clients(number: usize) -> Vec<Client> {
    (0..number).map(client).collect()
}

fn client(place: usize) -> Client {
    let role = if place.is_multiple_of(10) {
        ClientRole::FmlePublish
    } else {
        ClientRole::Play
    };
    let publishes = role == ClientRole::FmlePublish;
    let is_slow = place % 9 == 4;
    Client {
        id: (100 + place).to_string(),
        vhost: VhostName::DEFAULT.to_owned(),
        stream: "s10".to_owned(),
        app: "live".to_owned(),
        ip: if place == 3 {
            "2001:db8::7".to_owned()
        } else {
            format!("192.0.2.{}", place % 250)
        },
        port: 50_000 + u16::try_from(place % 10_000).unwrap_or(0),
        page_url: String::new(),
        swf_url: String::new(),
        tc_url: "rtmp://example.com/live".to_owned(),
        url: "/live/show".to_owned(),
        name: "show".to_owned(),
        role,
        publish: publishes,
        agent: if publishes {
            "FMLE/3.0 (compatible; Lavf)".to_owned()
        } else {
            "LNX 9,0,124,2".to_owned()
        },
        alive: 754.0 + place as f64,
        send_bytes: 12_000_000,
        recv_bytes: 3_000,
        send_packets: 9_000,
        recv_packets: 12,
        drops: if is_slow { 321 } else { 0 },
        jumps: if is_slow { 2 } else { 0 },
        lag_ms: if is_slow { 6_200 } else { 40 },
        rtt_ms: Some(1.5 + (place % 30) as f64),
        retransmits: (place % 4) as u64,
        kbps: Kbps {
            recv_5s: if publishes { 4_200 } else { 0 },
            send_5s: if publishes { 1 } else { 4_200 },
            ..Kbps::default()
        },
    }
}

/// Virtual hosts.
pub(crate) fn vhosts(number: usize) -> Vec<Vhost> {
    let vhost = |place: usize| {
        let name = match place {
            0 => VhostName::DEFAULT.to_owned(),
            place => format!("vhost{place}.example.com"),
        };
        Vhost {
            id: name.clone(),
            name,
            enabled: place != 3,
            clients: 40 * place,
            streams: place,
            viewers: 39 * place,
            send_bytes: 1_000_000,
            recv_bytes: 1_000,
            send_packets: 1_000,
            recv_packets: 10,
            kbps: Kbps {
                recv_5s: 100 * place as u64,
                send_5s: 4_000 * place as u64,
                ..Kbps::default()
            },
            hls: srs_api::Hls::default(),
        }
    };
    (0..number).map(vhost).collect()
}

/// Parts.
pub(crate) fn parts() -> Vec<Part> {
    let part = |kind: PartKind, target: &str, state, progress: &str, error: &str| Part {
        id: format!("{} {target}", kind.name()),
        kind,
        target: target.to_owned(),
        stream: if kind == PartKind::Forward {
            "s10".to_owned()
        } else {
            String::new()
        },
        state,
        since_ms: NOW_MS - 95_000,
        restarts: if error.is_empty() { 0 } else { 7 },
        next_try_ms: (state == PartState::Retrying).then_some(NOW_MS + 12_000),
        progress: progress.to_owned(),
        error: error.to_owned(),
    };
    vec![
        part(
            PartKind::Listener,
            "rtmp 0.0.0.0:1935",
            PartState::Running,
            "352 clients",
            "",
        ),
        part(
            PartKind::Heartbeat,
            "http://monitor.example.com:1985/api/v1/servers",
            PartState::Retrying,
            "sent 80",
            "connection refused",
        ),
        part(
            PartKind::Forward,
            "192.0.2.9:1935",
            PartState::Running,
            "4.2 Mbit/s",
            "connection reset",
        ),
        part(
            PartKind::Dvr,
            "/var/lib/srs/www/live/show.flv",
            PartState::Failed,
            "",
            "no space left on device",
        ),
    ]
}

/// What happened.
pub(crate) fn events(number: usize) -> Vec<Event> {
    let event = |place: usize| {
        let kind = EventKind::ALL[place % EventKind::ALL.len()];
        let is_of_client = matches!(kind, EventKind::Publish | EventKind::Play | EventKind::Kick);
        let if_client = |text: &str| is_of_client.then(|| text.to_owned());
        Event {
            id: 1_000 + place as u64,
            time_ms: NOW_MS - (number - place) as i64 * 1_000,
            kind,
            client: if_client("104"),
            peer: if_client("192.0.2.7:51234"),
            vhost: if_client(VhostName::DEFAULT),
            app: if_client("live"),
            stream: if_client("show"),
            device: (kind == EventKind::ServerLate).then(|| "edge7".to_owned()),
            message: match kind {
                EventKind::ReloadFailed => {
                    "srs.toml:3:1: unknown key `lisen`\n  3 | lisen".to_owned()
                }
                EventKind::Kick => "by the operator".to_owned(),
                _ => String::new(),
            },
        }
    };
    (0..number).map(event).collect()
}

/// Lines of a log.
pub(crate) fn lines(number: usize) -> Vec<LogLine> {
    let levels = [
        LogLevel::Info,
        LogLevel::Warn,
        LogLevel::Error,
        LogLevel::Debug,
    ];
    let line = |place: usize| LogLine {
        id: 5_000 + place as u64,
        time_ms: NOW_MS - (number - place) as i64 * 1_000,
        level: levels[place % levels.len()],
        client: (!place.is_multiple_of(3)).then(|| (100 + place).to_string()),
        stream: Some("__defaultVhost__/live/show".to_owned()),
        message: format!(
            "publish style=FMLE peer=192.0.2.7:{} vhost=__defaultVhost__",
            50_000 + place
        ),
    };
    (0..number).map(line).collect()
}

/// The fleet.
pub(crate) fn fleet() -> ServersAnswer {
    let server = |name: &str, state| Server {
        device_id: name.to_owned(),
        ip: "192.0.2.70".to_owned(),
        peer: "192.0.2.70".to_owned(),
        state,
        first_seen_ms: NOW_MS - 100_000,
        last_seen_ms: NOW_MS - 4_000,
        age: if state == ServerState::Up { 4.0 } else { 95.0 },
        interval: 9.9,
        beats: 12,
        version: Some("0.1.0".to_owned()),
        uptime: Some(86_500.0),
        streams: Some(12),
        clients: Some(340),
        recv_kbps: Some(12_000),
        send_kbps: Some(340_000),
        cpu_percent: Some(0.123),
        mem_kbyte: Some(24_000),
    };
    ServersAnswer {
        code: 0,
        identity: identity(),
        total: 2,
        servers: vec![
            server("edge1", ServerState::Up),
            server("edge7", ServerState::Late),
        ],
        heartbeat: HeartbeatState::default(),
    }
}

/// The server at a glance.
pub(crate) fn summaries() -> Answer<Summaries> {
    let mut data = Summaries::default();
    data.process.version = "0.1.0".to_owned();
    data.process.srs_uptime = 273_600.0;
    data.process.cpu_percent = 0.123;
    data.system.cpu_percent = 0.08;
    data.system.load_1m = 0.42;
    data.srs = Some(ServiceSummary {
        name: "origin1".to_owned(),
        streams: 12,
        clients: 352,
        publishers: 12,
        players: 340,
        rss_kbyte: 18_300,
        open_files: 390,
        max_open_files: 20_000,
        max_connections: 10_000,
        drops: 1_234,
        reloads: 3,
        kbps: Kbps {
            recv_5s: 12_345,
            send_5s: 340_100,
            ..Kbps::default()
        },
        listen: vec!["[::]:1935".to_owned()],
        state: ServiceState::Running,
        last_reload: ReloadSummary {
            outcome: Some(ReloadOutcome::Done),
            time_ms: NOW_MS - 7_200_000,
        },
        watchdog: Some(Watchdog {
            interval_ms: 30_000,
            last_ms: 1_200,
        }),
        disks: vec![Disk {
            path: "/var/lib/srs".to_owned(),
            total_bytes: 500_000_000_000,
            free_bytes: 120_000_000_000,
            full_in: Some(1_036_800.0),
            is_scarce: false,
        }],
        ..ServiceSummary::default()
    });
    Answer {
        code: 0,
        identity: identity(),
        data,
    }
}

/// How something was over the last minutes.
pub(crate) fn history(number: u32) -> History {
    let wave = |second: u32, base: u32| base + (second * 37 % 23) * base / 40;
    History {
        step_ms: 1_000,
        end_ms: NOW_MS,
        recv_kbps: (0..number).map(|second| wave(second, 4_000)).collect(),
        send_kbps: (0..number).map(|second| wave(second, 90_000)).collect(),
        viewers: (0..number).map(|second| second / 2).collect(),
        fps: (0..number)
            .map(|second| if second % 50 == 7 { 12.0 } else { 25.0 })
            .collect(),
        gop_ms: vec![2_000; number as usize],
    }
}

/// A stream with all that its headers say.
pub(crate) fn whole_stream() -> Stream {
    let field = |name: &str, value: &str| Field {
        name: name.to_owned(),
        value: value.to_owned(),
    };
    Stream {
        details: Some(StreamDetails {
            metadata: vec![field("encoder", "Lavf59.27.100"), field("width", "1920")],
            video: vec![
                field("profile", "High"),
                field("chroma", "4:2:0"),
                field("bit depth", "8"),
            ],
            audio: vec![field("object type", "LC"), field("channels", "2")],
        }),
        ..stream(0)
    }
}

/// What a reload would change.
pub(crate) fn reload() -> Reload {
    let change = |setting: &str, old: &str, new: &str, effect| Change {
        setting: setting.to_owned(),
        old: Some(old.to_owned()),
        new: Some(new.to_owned()),
        effect,
    };
    Reload {
        outcome: ReloadOutcome::Done,
        dry_run: true,
        generation: 4,
        time_ms: NOW_MS,
        took_ms: 1.5,
        files: vec!["/etc/srs/srs.toml".to_owned()],
        changes: vec![
            change("max_connections", "10000", "20000", Effect::Now),
            change(
                "vhost.\"__defaultVhost__\".queue_length",
                "\"30s\"",
                "\"10s\"",
                Effect::NewSessions,
            ),
        ],
        notes: Vec::new(),
        warnings: vec!["max_connections is more than the open files allow".to_owned()],
        error: None,
    }
}

/// Who answers.
pub(crate) fn identity() -> Identity {
    Identity {
        server: "vid-1".to_owned(),
        service: "a1".to_owned(),
        pid: "4242".to_owned(),
    }
}
