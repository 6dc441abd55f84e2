//! `/metrics`: the server's state in Prometheus's text format, version 0.0.4.
//!
//! Nothing is registered or kept: the families are made from the state at each scrape. Names
//! follow Prometheus's conventions: base units, `_total` for what only grows. How many series
//! there are is bounded: no client has any of its own, and of vhosts, streams and servers of the
//! fleet so many have as is written here; how many were left out is a figure, too.

mod family;
mod fleet;
mod process;
mod streams;

use prometheus::TextEncoder;
use std::time::Instant;

use srs_api::{EventKind, ReloadOutcome, ServiceSummary};

use self::family::{Families, flag, millis, number};
use super::report;
use crate::service::Service;

/// The state of `service`, as text.
pub fn render(service: &Service) -> String {
    let mut families = Families::default();
    let summaries = report::summaries(service);
    process::add(&mut families, service, &summaries);
    add_clients(&mut families, service, summaries.srs.unwrap_or_default());
    streams::add(&mut families, service);
    add_control(&mut families, service);
    fleet::add(
        &mut families,
        &service.fleet.servers(Instant::now()),
        &service.heartbeat.state(),
    );
    let families = families.into_vec();
    TextEncoder::new()
        .encode_to_string(&families)
        .unwrap_or_else(|error| {
            tracing::error!("cannot write metrics: {error}");
            String::new()
        })
}

fn add_clients(families: &mut Families, service: &Service, state: ServiceSummary) {
    let others = state
        .clients
        .saturating_sub(state.publishers + state.players);
    families
        .gauge(
            "srs_clients",
            "RTMP clients that are connected, by what they do.",
        )
        .with(&[("type", "publish")], number(state.publishers))
        .with(&[("type", "play")], number(state.players))
        .with(&[("type", "unknown")], number(others));
    families
        .gauge(
            "srs_clients_limit",
            "The most RTMP clients that may be connected.",
        )
        .is(number(state.max_connections));
    families
        .counter("srs_clients_total", "RTMP clients that were let in.")
        .is(number(state.clients_total));
    families
        .counter(
            "srs_clients_failed_total",
            "RTMP clients that were refused or cut off.",
        )
        .is(number(state.clients_errs_total));
    families
        .counter(
            "srs_receive_packets_total",
            "Media packets received from RTMP clients.",
        )
        .is(number(state.recv_packets));
    families
        .counter(
            "srs_send_packets_total",
            "Media packets sent to RTMP clients.",
        )
        .is(number(state.send_packets));
    families
        .counter(
            "srs_dropped_packets_total",
            "Media packets that slow players lost.",
        )
        .is(number(state.drops));
    families
        .counter(
            "srs_incidents_total",
            "Clients that were refused or cut off, and what else went wrong, by the reason.",
        )
        .each("reason", service.counters.each());
}

fn add_control(families: &mut Families, service: &Service) {
    families
        .counter("srs_events_total", "What happened, by its kind.")
        .each(
            "kind",
            service
                .events
                .counts()
                // Told to single watchers, and not counted.
                .filter(|(kind, _)| *kind != EventKind::Lost)
                .map(|(kind, count)| (kind.name(), count)),
        );
    families
        .counter(
            "srs_api_requests_total",
            "Requests of the API, by their status.",
        )
        .each("status", service.api.requests());
    families
        .gauge("srs_api_connections", "HTTP connections to the API.")
        .is(number(service.api.connections()));
    families
        .gauge(
            "srs_api_event_watchers",
            "Clients of the API that watch the events.",
        )
        .is(number(service.api.watchers()));

    let last = service.reloader.last();
    families
        .counter(
            "srs_config_reloads_total",
            "Configurations that were put in force anew.",
        )
        .is(number(last.generation));
    families
        .gauge(
            "srs_config_last_reload_successful",
            "Whether the last reload put the configuration in force; 1 before the first.",
        )
        .is(flag(last.outcome != ReloadOutcome::Failed));
    if last.time_ms > 0 {
        families
            .gauge(
                "srs_config_last_reload_timestamp_seconds",
                "When the last reload was, whether or not it put anything in force.",
            )
            .is(millis(last.time_ms));
    }
}

#[cfg(test)]
mod tests;
