//! How figures were over the last hour.

use std::time::{Duration, Instant};

use srs_api::{History, HistoryRange};

use super::streams;
use crate::control::wall_clock;
use crate::hub::stats::history::{Sample, Span};
use crate::service::Service;

/// What all clients together received, sent and played.
pub fn history(service: &Service, range: HistoryRange) -> History {
    tell(service.clients.history(length(range)))
}

/// The same of one stream, with its frames.
pub fn stream_history(service: &Service, id: &str, range: HistoryRange) -> Option<History> {
    let stream = streams::find(service, id)?;
    let never = || Span {
        step: Duration::from_secs(1),
        end: Instant::now(),
        samples: Vec::new(),
    };
    let span = stream.history(length(range)).unwrap_or_else(never);
    let each = |figure: fn(&Sample) -> f32| span.samples.iter().map(figure).collect();
    let fps = each(Sample::frame_rate);
    let gop_ms = span.samples.iter().map(Sample::gop_millis).collect();
    Some(History {
        fps,
        gop_ms,
        ..tell(span)
    })
}

fn tell(span: Span) -> History {
    let each = |figure: fn(&Sample) -> u32| span.samples.iter().map(figure).collect();
    let ago = i64::try_from(span.end.elapsed().as_millis()).unwrap_or(i64::MAX);
    History {
        step_ms: u64::try_from(span.step.as_millis()).unwrap_or(u64::MAX),
        end_ms: wall_clock::unix_millis().saturating_sub(ago),
        recv_kbps: each(|sample| sample.recv_kbps),
        send_kbps: each(|sample| sample.send_kbps),
        viewers: each(|sample| sample.viewers),
        fps: Vec::new(),
        gop_ms: Vec::new(),
    }
}

fn length(range: HistoryRange) -> Duration {
    Duration::from_secs(range.seconds())
}
