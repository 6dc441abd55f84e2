//! The servers that send heartbeats here, and the heartbeat of this one.

use srs_api::{HeartbeatState, Server, ServerState};

use super::family::{Families, flag, millis, number};

/// `fleet.max_servers` bounds them.
pub(super) fn add(families: &mut Families, servers: &[Server], heartbeat: &HeartbeatState) {
    let count = |state| {
        number(
            servers
                .iter()
                .filter(|server| server.state == state)
                .count(),
        )
    };
    families
        .gauge(
            "srs_fleet_servers",
            "Servers that send heartbeats here, by how they are.",
        )
        .with(&[("state", "up")], count(ServerState::Up))
        .with(&[("state", "late")], count(ServerState::Late));
    for (name, help, value) in GAUGES {
        let mut family = families.gauge(name, help);
        for server in servers {
            // What a server does not tell is no 0.
            if let Some(value) = value(server) {
                family.set(&[("device", &server.device_id)], value);
            }
        }
    }
    if heartbeat.enabled {
        add_own(families, heartbeat);
    }
}

fn add_own(families: &mut Families, heartbeat: &HeartbeatState) {
    families
        .gauge(
            "srs_heartbeat_up",
            "Whether the last heartbeat of this server arrived.",
        )
        .is(flag(heartbeat.ok));
    families
        .counter(
            "srs_heartbeat_sent_total",
            "Heartbeats of this server that arrived.",
        )
        .is(number(heartbeat.sent));
    families
        .counter(
            "srs_heartbeat_failed_total",
            "Heartbeats of this server that did not arrive.",
        )
        .is(number(heartbeat.failed));
    if heartbeat.last_ok_ms > 0 {
        families
            .gauge(
                "srs_heartbeat_last_success_timestamp_seconds",
                "When the last heartbeat of this server arrived, in Unix seconds.",
            )
            .is(millis(heartbeat.last_ok_ms));
    }
}

/// A name, what it is for people, and where its value is.
type Figure = (&'static str, &'static str, fn(&Server) -> Option<f64>);

const GAUGES: [Figure; 7] = [
    (
        "srs_fleet_server_up",
        "Whether the server's heartbeats come as they should.",
        |server| Some(flag(server.state == ServerState::Up)),
    ),
    (
        "srs_fleet_server_last_seen_timestamp_seconds",
        "When the server's last heartbeat came, in Unix seconds.",
        |server| Some(millis(server.last_seen_ms)),
    ),
    (
        "srs_fleet_server_streams",
        "Streams that the server has.",
        |server| server.streams.map(number),
    ),
    (
        "srs_fleet_server_clients",
        "Clients that the server has.",
        |server| server.clients.map(number),
    ),
    (
        "srs_fleet_server_receive_bytes_per_second",
        "What the server receives, over some seconds.",
        |server| server.recv_kbps.map(bytes_per_second),
    ),
    (
        "srs_fleet_server_send_bytes_per_second",
        "What the server sends, over some seconds.",
        |server| server.send_kbps.map(bytes_per_second),
    ),
    (
        "srs_fleet_server_cpu_ratio",
        "The server's processor time, as a fraction of one core.",
        |server| server.cpu_percent,
    ),
];

fn bytes_per_second(kbps: u64) -> f64 {
    number(kbps) * 1e3 / 8.0
}
