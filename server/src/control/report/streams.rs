//! Live streams.

mod order;

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Instant;

use srs_amf0::Limits;
use srs_api::{Players, Publish};
use srs_media::codec::FrameRate;

pub use self::order::StreamKey;
use super::health::{self, Vitals};
use super::sort::View;
use super::{Listed, details, kbps, label, media};
use crate::control::wall_clock;
use crate::hub::stream::Look;
use crate::hub::{Stream, StreamName};
use crate::service::Service;

/// Which streams are wanted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct StreamFilter {
    /// Those of this vhost.
    pub vhost: Option<String>,
    /// Those of this application.
    pub app: Option<String>,
    /// Those of this name.
    pub name: Option<String>,
}

impl StreamFilter {
    fn wants(&self, name: &StreamName) -> bool {
        let is = |wanted: &Option<String>, own: &str| {
            wanted.as_ref().is_none_or(|wanted| *wanted == own)
        };
        is(&self.vhost, &name.vhost) && is(&self.app, &name.app) && is(&self.name, &name.stream)
    }
}

/// The streams that `view` shows, by default in the order in which they came to be, each with what
/// it received in the last `recent` seconds.
pub fn streams(
    service: &Service,
    filter: &StreamFilter,
    view: &View<StreamKey>,
    recent: usize,
) -> Listed<srs_api::Stream> {
    let mut streams = service.hub.streams();
    let mut line = String::new();
    streams.retain(|stream| {
        filter.wants(stream.name())
            && view.pattern.as_ref().is_none_or(|pattern| {
                line.clear();
                label::stream(stream.name(), &mut line);
                pattern.wants(&line)
            })
    });
    let (total, now) = (streams.len(), Instant::now());
    let outputs = match view.sort {
        Some(sort) if sort.key == StreamKey::Outputs => service.parts.count_by_stream(),
        _ => HashMap::new(),
    };
    let page = view.page(
        streams,
        |stream| stream.id(),
        |stream, key| order::rank(stream, key, &outputs, now),
    );
    let tell = |stream: &Arc<Stream>| srs_api::Stream {
        recent_kbps: stream.recent_kbps(recent),
        ..tell(service, stream, now)
    };
    Listed {
        total,
        items: page.iter().map(tell).collect(),
    }
}

/// The first `count` streams without what they carry, which has to be read from their headers.
pub fn stream_figures(service: &Service, count: usize) -> Listed<srs_api::Stream> {
    let streams = service.hub.streams();
    let now = Instant::now();
    Listed::page(&streams, 0, count, |stream| {
        figures(stream, &stream.look(now))
    })
}

/// One stream.
pub fn stream(service: &Service, wanted: &str) -> Option<srs_api::Stream> {
    let stream = find(service, wanted)?;
    let now = Instant::now();
    let config = service.config();
    let limits = Limits {
        depth: config.limits.amf_depth,
        // Players are told some more than the publisher said.
        values: config.limits.amf_values.saturating_add(8),
    };
    Some(srs_api::Stream {
        details: Some(details::details(&stream.look(now), limits)),
        ..tell(service, &stream, now)
    })
}

/// The stream that the API calls `wanted`.
pub(super) fn find(service: &Service, wanted: &str) -> Option<Arc<Stream>> {
    let number = wanted.strip_prefix('s')?.parse().ok()?;
    let stream = service.hub.find(number)?;
    // One stream has one id: `s+1` and `s01` are none.
    (id(&stream) == wanted).then_some(stream)
}

/// The id that the API calls a stream by.
pub(super) fn id(stream: &Stream) -> String {
    format!("s{}", stream.id())
}

/// `/APP/STREAM`
pub(super) fn path(name: &StreamName) -> String {
    format!("/{}/{}", name.app, name.stream)
}

fn tell(service: &Service, stream: &Stream, now: Instant) -> srs_api::Stream {
    let look = stream.look(now);
    srs_api::Stream {
        video: media::video(&look),
        audio: media::audio(&look),
        health: health::health(&vitals(&look)),
        outputs: service.parts.of_stream(&id(stream)),
        ..figures(stream, &look)
    }
}

/// What a stream is judged by.
fn vitals(look: &Look) -> Vitals {
    let figures = &look.figures;
    let header = figures.video_header();
    Vitals {
        silence: look.silence,
        video_silence: look.video_silence,
        speed: look.speed,
        counted_fps: look.frame_rate,
        nominal_fps: header
            .and_then(|header| header.frame_rate)
            .map_or(0.0, FrameRate::as_f64),
        skew_millis: figures.skew_millis(),
        lost: look.recent_losses,
        since_clock_jump: look.since_clock_jump,
        key_frame_distance: figures.key_frame_distance(),
    }
}

fn figures(stream: &Stream, look: &Look) -> srs_api::Stream {
    let tally = stream.tally();
    let (total, kbps) = (*tally.total(), kbps(tally.windows()));
    drop(tally);
    let name = stream.name();
    srs_api::Stream {
        id: id(stream),
        name: name.stream.clone(),
        vhost: name.vhost.clone(),
        app: name.app.clone(),
        tc_url: format!("rtmp://{}/{}", name.vhost, name.app),
        url: path(name),
        live_ms: wall_clock::unix_millis_of(look.live_since).unsigned_abs(),
        clients: look.subscribers + usize::from(look.publisher.is_some()),
        viewers: look.subscribers,
        viewers_peak: look.most_subscribers,
        players: Players {
            rtmp: look.subscribers,
            ..Players::default()
        },
        frames: look.figures.video_frames,
        send_bytes: total.bytes_out,
        recv_bytes: total.bytes_in,
        send_packets: total.packets_out,
        recv_packets: total.packets_in,
        drops: total.dropped,
        jumps: total.jumps,
        clock_jumps: look.figures.clock_jumps,
        reconnects: look.reconnects,
        publish_seconds: look.published.as_secs_f64(),
        play_seconds: look.subscribed.as_secs_f64(),
        av_skew_ms: look.figures.skew_millis(),
        kbps,
        publish: Publish {
            active: look.publisher.is_some(),
            cid: look.publisher.map(|id| id.to_string()).unwrap_or_default(),
        },
        video: None,
        audio: None,
        health: <_>::default(),
        outputs: Vec::new(),
        recent_kbps: Vec::new(),
        details: None,
    }
}

#[cfg(test)]
mod tests {
    use std::net::IpAddr;
    use std::time::Duration;

    use bytes::Bytes;
    use srs_api::PartKind;
    use srs_media::packet::Track;

    use super::*;
    use crate::config::{Config, Takeover, VhostConfig};
    use crate::control::report::Sort;
    use crate::hub::takeover::Credential;
    use crate::hub::{PublishRequest, Publisher, StreamSettings};

    fn service() -> Service {
        Service::new(Arc::new(Config::default()), 100)
    }

    fn list(service: &Service) -> Listed<srs_api::Stream> {
        let view = View {
            pattern: None,
            sort: None,
            start: 0,
            count: 10,
        };
        streams(service, &StreamFilter::default(), &view, 0)
    }

    fn publish(service: &Service, name: &str) -> Publisher {
        let name = StreamName::new("v", "live", name);
        let settings = StreamSettings::of(&service.config(), &VhostConfig::default());
        let request = PublishRequest {
            client: 100,
            credential: Credential {
                address: IpAddr::from([192, 0, 2, 1]),
                params: String::new(),
            },
            takeover: Takeover::Takeover,
            dead_after: Duration::from_secs(1),
        };
        let published = service
            .hub
            .publish(&name, &settings, request, Instant::now());
        published.expect("nobody else")
    }

    #[test]
    fn figures_are_those_of_the_list_without_what_is_read_from_headers() {
        let service = service();
        let publisher = publish(&service, "show");
        // AAC LC, 44.1 kHz, stereo.
        let header = Bytes::from_static(&[0xAF, 0x00, 0x12, 0x10]);
        publisher
            .push(Track::Audio, 0, header, Instant::now())
            .unwrap();

        let listed = list(&service);
        let figures = stream_figures(&service, 10);
        assert_eq!((listed.total, figures.total), (1, 1));
        assert_eq!(listed.items[0].audio.as_ref().unwrap().sample_rate, 44_100);
        assert_eq!(figures.items[0].audio, None);
        assert_eq!(figures.items[0].name, "show");
        assert_eq!(figures.items[0].recv_packets, listed.items[0].recv_packets);
        assert_eq!(stream_figures(&service, 0).items, []);
        assert_eq!(stream_figures(&service, 0).total, 1);
    }

    #[test]
    fn what_works_for_a_stream_is_told_with_it() {
        let service = service();
        let _publishers = ["a", "b"].map(|name| publish(&service, name));
        let listed = || {
            let view = View {
                sort: Some(Sort {
                    key: StreamKey::Outputs,
                    descending: true,
                }),
                pattern: None,
                start: 0,
                count: 10,
            };
            streams(&service, &StreamFilter::default(), &view, 0).items
        };
        let second = listed()
            .into_iter()
            .find(|stream| stream.name == "b")
            .unwrap();
        let handle = service.parts.register(PartKind::Dvr, "/b.flv", &second.id);
        let now = listed();
        assert_eq!(
            (&*now[0].name, &*now[0].outputs),
            ("b", &[PartKind::Dvr][..])
        );
        assert_eq!((&*now[1].name, &*now[1].outputs), ("a", &[][..]));
        drop(handle);
        assert!(listed().iter().all(|stream| stream.outputs.is_empty()));
    }

    #[test]
    fn a_stream_is_found_by_its_id_and_by_nothing_near_it() {
        let service = service();
        let _publishers = ["a", "b"].map(|name| publish(&service, name));
        for listed in list(&service).items {
            let number = listed.id.strip_prefix('s').unwrap();
            let found = stream(&service, &listed.id).unwrap();
            assert_eq!(found.name, listed.name);
            for near in [number, &format!("s+{number}"), &format!("s0{number}"), "s"] {
                assert_eq!(stream(&service, near), None, "{near}");
            }
        }
    }
}
