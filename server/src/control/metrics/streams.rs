//! Vhosts and streams.

use srs_api::{Stream, Vhost};

use super::family::{Families, flag, number};
use crate::control::report;
use crate::service::Service;

pub(super) fn add(families: &mut Families, service: &Service) {
    let vhosts = report::vhosts(service, 0, MOST);
    let left_out = vhosts.total.saturating_sub(vhosts.items.len());
    add_vhosts(families, &vhosts.items, left_out);

    let streams = report::stream_figures(service, MOST);
    let left_out = streams.total.saturating_sub(streams.items.len());
    families
        .gauge("srs_streams", "Streams that there are.")
        .is(number(streams.total));
    add_streams(families, &streams.items, left_out);
}

pub(super) fn add_vhosts(families: &mut Families, vhosts: &[Vhost], left_out: usize) {
    families
        .gauge(
            "srs_vhosts_left_out",
            "Vhosts that have no figures here, for there are too many.",
        )
        .is(number(left_out));
    for (name, help, value) in VHOST_COUNTERS {
        let mut family = families.counter(name, help);
        for vhost in vhosts {
            family.set(&[("vhost", &vhost.name)], value(vhost));
        }
    }
    for (name, help, value) in VHOST_GAUGES {
        let mut family = families.gauge(name, help);
        for vhost in vhosts {
            family.set(&[("vhost", &vhost.name)], value(vhost));
        }
    }
}

pub(super) fn add_streams(families: &mut Families, streams: &[Stream], left_out: usize) {
    families
        .gauge(
            "srs_streams_left_out",
            "Streams that have no figures here, for there are too many.",
        )
        .is(number(left_out));
    for (name, help, value) in STREAM_COUNTERS {
        let mut family = families.counter(name, help);
        for stream in streams {
            family.set(&labels(stream), value(stream));
        }
    }
    for (name, help, value) in STREAM_GAUGES {
        let mut family = families.gauge(name, help);
        for stream in streams {
            family.set(&labels(stream), value(stream));
        }
    }
}

fn labels(stream: &Stream) -> [(&str, &str); 3] {
    [
        ("vhost", &stream.vhost),
        ("app", &stream.app),
        ("stream", &stream.name),
    ]
}

/// A name, what it is for people, and where its value is.
type Figure<T> = (&'static str, &'static str, fn(&T) -> f64);

const VHOST_COUNTERS: [Figure<Vhost>; 4] = [
    (
        "srs_vhost_receive_bytes_total",
        "Bytes received from clients of the vhost.",
        |vhost| number(vhost.recv_bytes),
    ),
    (
        "srs_vhost_send_bytes_total",
        "Bytes sent to clients of the vhost.",
        |vhost| number(vhost.send_bytes),
    ),
    (
        "srs_vhost_receive_packets_total",
        "Packets received from clients of the vhost.",
        |vhost| number(vhost.recv_packets),
    ),
    (
        "srs_vhost_send_packets_total",
        "Packets sent to clients of the vhost.",
        |vhost| number(vhost.send_packets),
    ),
];

const VHOST_GAUGES: [Figure<Vhost>; 3] = [
    ("srs_vhost_clients", "Clients of the vhost.", |vhost| {
        number(vhost.clients)
    }),
    ("srs_vhost_streams", "Streams of the vhost.", |vhost| {
        number(vhost.streams)
    }),
    ("srs_vhost_viewers", "Players of the vhost.", |vhost| {
        number(vhost.viewers)
    }),
];

const STREAM_COUNTERS: [Figure<Stream>; 11] = [
    (
        "srs_stream_receive_bytes_total",
        "Bytes received from the stream's publishers.",
        |stream| number(stream.recv_bytes),
    ),
    (
        "srs_stream_send_bytes_total",
        "Bytes sent to the stream's players.",
        |stream| number(stream.send_bytes),
    ),
    (
        "srs_stream_receive_packets_total",
        "Packets received from its publishers.",
        |stream| number(stream.recv_packets),
    ),
    (
        "srs_stream_send_packets_total",
        "Packets sent to its players.",
        |stream| number(stream.send_packets),
    ),
    (
        "srs_stream_frames_total",
        "Video frames received.",
        |stream| number(stream.frames),
    ),
    (
        "srs_stream_dropped_packets_total",
        "Packets that its slow players lost.",
        |stream| number(stream.drops),
    ),
    (
        "srs_stream_jumps_total",
        "How often its slow players jumped to a newer key frame.",
        |stream| number(stream.jumps),
    ),
    (
        "srs_stream_clock_jumps_total",
        "How often its publisher's clock jumped, and was set right.",
        |stream| number(stream.clock_jumps),
    ),
    (
        "srs_stream_reconnects_total",
        "How often somebody published it again.",
        |stream| number(stream.reconnects),
    ),
    (
        "srs_stream_publish_seconds_total",
        "Time that it was published.",
        |stream| stream.publish_seconds,
    ),
    (
        "srs_stream_viewer_seconds_total",
        "Time that it was played, all players together.",
        |stream| stream.play_seconds,
    ),
];

const STREAM_GAUGES: [Figure<Stream>; 2] = [
    (
        "srs_stream_active",
        "Whether somebody publishes it.",
        |stream| flag(stream.publish.active),
    ),
    ("srs_stream_viewers", "Players of the stream.", |stream| {
        number(stream.viewers)
    }),
];

/// A stream has 13 series, of some 150 bytes each: this bounds an answer to four megabytes, and
/// what a publisher that invents names can do to a Prometheus.
const MOST: usize = 2_000;
