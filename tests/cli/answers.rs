//! What the scripted server of the API answers: two streams, some clients, a fleet.

use srs_api::{
    Change, Client, ClientAnswer, ClientRole, ClientsAnswer, ConfigAnswer, Effect, ErrorCode,
    Health, HeartbeatState, Hls, Kbps, LogPlace, Meminfos, Publish, Reload, ReloadOutcome,
    RunningConfig, Rusages, SelfProcStats, SelfSummary, Server, ServerState, ServersAnswer,
    ServiceSummary, Stream, StreamAnswer, StreamsAnswer, Summaries, Versions, Vhost, VhostAnswer,
    VhostsAnswer, Video,
};

use crate::fake_api::{Reply, Request, identity};

/// A server with two streams and three clients, that knows everything.
pub(crate) fn server(request: &Request) -> Reply {
    let path = request.line.split('?').next().unwrap_or_default();
    match path {
        "GET /api/v1/versions" => Reply::data(Versions::default()),
        "GET /api/v1/summaries" => Reply::data(summaries()),
        "GET /api/v1/rusages" => Reply::data(Rusages::default()),
        "GET /api/v1/self_proc_stats" => Reply::data(SelfProcStats {
            ok: true,
            utime: 1_234,
            ..SelfProcStats::default()
        }),
        "GET /api/v1/meminfos" => Reply::data(Meminfos::default()),
        "GET /readyz" => Reply::json(&Health {
            code: 0,
            identity: identity(),
            status: "ok".to_owned(),
        }),
        "GET /api/v1/streams" => Reply::json(&StreamsAnswer {
            code: 0,
            identity: identity(),
            total: 2,
            streams: vec![stream("s1", "show"), stream("s2", "a\x1b[2Jb")],
        }),
        "GET /api/v1/streams/s1" => Reply::json(&StreamAnswer {
            code: 0,
            identity: identity(),
            stream: stream("s1", "show"),
        }),
        "GET /api/v1/clients" => Reply::json(&ClientsAnswer {
            code: 0,
            identity: identity(),
            total: 2,
            clients: vec![client("104", true), client("105", false)],
        }),
        "GET /api/v1/clients/104" | "DELETE /api/v1/clients/104" => one(client("104", true)),
        "GET /api/v1/clients/105" | "DELETE /api/v1/clients/105" => one(client("105", false)),
        "GET /api/v1/clients/9" => Reply::error(404, ErrorCode::NoClient, "there is no client 9"),
        "GET /api/v1/vhosts" => Reply::json(&VhostsAnswer {
            code: 0,
            identity: identity(),
            total: 1,
            vhosts: vec![vhost()],
        }),
        "GET /api/v1/vhosts/live.example.com" => Reply::json(&VhostAnswer {
            code: 0,
            identity: identity(),
            vhost: vhost(),
        }),
        "GET /api/v1/reload" => Reply::data(reload(ReloadOutcome::Never)),
        "POST /api/v1/reload" => Reply::data(reload(ReloadOutcome::Done)),
        "GET /api/v1/servers" => Reply::json(&ServersAnswer {
            code: 0,
            identity: identity(),
            total: 1,
            servers: vec![late_server()],
            heartbeat: HeartbeatState::default(),
        }),
        _ => Reply::not_found(),
    }
}

pub(crate) fn one(client: Client) -> Reply {
    Reply::json(&ClientAnswer {
        code: 0,
        identity: identity(),
        client,
    })
}

pub(crate) fn summaries() -> Summaries {
    Summaries {
        ok: true,
        self_cpu_stat_ok: true,
        process: SelfSummary {
            version: "0.1.0".to_owned(),
            pid: 4242,
            srs_uptime: 11_520.0,
            cpu_percent: 0.123,
            ..SelfSummary::default()
        },
        srs: Some(ServiceSummary {
            name: "edge1".to_owned(),
            streams: 2,
            players: 900,
            kbps: Kbps {
                send_30s: 1_234_000,
                ..Kbps::default()
            },
            listen: vec!["0.0.0.0:1935".to_owned()],
            listen_api: vec!["unix:/run/srs/api.sock".to_owned()],
            listen_http: vec!["0.0.0.0:8080".to_owned()],
            ..ServiceSummary::default()
        }),
        ..Summaries::default()
    }
}

pub(crate) fn stream(id: &str, name: &str) -> Stream {
    Stream {
        id: id.to_owned(),
        name: name.to_owned(),
        vhost: "__defaultVhost__".to_owned(),
        app: "live".to_owned(),
        tc_url: "rtmp://__defaultVhost__/live".to_owned(),
        url: format!("/live/{name}"),
        live_ms: 1_000,
        clients: 13,
        viewers: 12,
        viewers_peak: 20,
        players: <_>::default(),
        frames: 250,
        send_bytes: 0,
        recv_bytes: 0,
        send_packets: 0,
        recv_packets: 0,
        drops: 0,
        jumps: 0,
        clock_jumps: 0,
        reconnects: 0,
        publish_seconds: 0.0,
        play_seconds: 0.0,
        av_skew_ms: None,
        kbps: Kbps {
            recv_30s: 1_234,
            send_30s: 14_808,
            ..Kbps::default()
        },
        publish: Publish {
            active: true,
            cid: "104".to_owned(),
        },
        video: Some(Video {
            codec: "H264".to_owned(),
            profile: "High".to_owned(),
            level: "3.1".to_owned(),
            width: 1280,
            height: 720,
            fps: 25.0,
            nominal_fps: 25.0,
            gop_ms: 2_000,
        }),
        audio: None,
        health: <_>::default(),
        outputs: Vec::new(),
        recent_kbps: Vec::new(),
        details: None,
    }
}

pub(crate) fn client(id: &str, publish: bool) -> Client {
    Client {
        id: id.to_owned(),
        vhost: "__defaultVhost__".to_owned(),
        stream: "s1".to_owned(),
        app: "live".to_owned(),
        ip: "192.0.2.7".to_owned(),
        port: 51_234,
        page_url: String::new(),
        swf_url: String::new(),
        tc_url: "rtmp://example.com/live".to_owned(),
        url: "/live/show".to_owned(),
        name: "show".to_owned(),
        role: if publish {
            ClientRole::FmlePublish
        } else {
            ClientRole::Play
        },
        publish,
        agent: "LNX 9,0,124,2".to_owned(),
        alive: 192.0,
        send_bytes: 0,
        recv_bytes: 0,
        send_packets: 0,
        recv_packets: 0,
        drops: 0,
        jumps: 0,
        lag_ms: 0,
        rtt_ms: None,
        retransmits: 0,
        kbps: Kbps::default(),
    }
}

pub(crate) fn vhost() -> Vhost {
    Vhost {
        id: "live.example.com".to_owned(),
        name: "live.example.com".to_owned(),
        enabled: true,
        clients: 13,
        streams: 1,
        viewers: 12,
        send_bytes: 0,
        recv_bytes: 0,
        send_packets: 0,
        recv_packets: 0,
        kbps: Kbps::default(),
        hls: Hls::default(),
    }
}

pub(crate) fn late_server() -> Server {
    Server {
        device_id: "edge2".to_owned(),
        ip: "192.0.2.2".to_owned(),
        peer: "192.0.2.2".to_owned(),
        state: ServerState::Late,
        first_seen_ms: 0,
        last_seen_ms: 0,
        age: 300.0,
        interval: 9.9,
        beats: 100,
        version: None,
        uptime: None,
        streams: None,
        clients: None,
        recv_kbps: None,
        send_kbps: None,
        cpu_percent: None,
        mem_kbyte: None,
    }
}

pub(crate) fn reload(outcome: ReloadOutcome) -> Reload {
    Reload {
        outcome,
        dry_run: false,
        generation: 1,
        time_ms: 0,
        took_ms: 1.0,
        files: Vec::new(),
        changes: vec![Change {
            setting: "max_connections".to_owned(),
            old: Some("100".to_owned()),
            new: Some("200".to_owned()),
            effect: Effect::Now,
        }],
        notes: Vec::new(),
        warnings: vec!["heartbeat: nobody is told".to_owned()],
        error: None,
    }
}

pub(crate) fn config(log: LogPlace, toml: &str) -> Reply {
    Reply::json(&ConfigAnswer {
        code: 0,
        identity: identity(),
        data: RunningConfig {
            files: Vec::new(),
            generation: 0,
            toml: toml.to_owned(),
            log,
        },
    })
}
