//! What a peer asks for, settled by the configuration.

use std::time::Instant;

use srs_amf0::Object;
use srs_api::EventKind;
use srs_rtmp::server::{
    ConnectInfo, ConnectRejection, ConnectRequest, PlayRejection, PlayRequest, PublishRejection,
    PublishRequest,
};
use srs_rtmp::url::{AppTarget, Target};

use super::end::End;
use super::{Connected, Session, amf_limits};
use crate::config::{Config, VhostConfig};
use crate::control::access::{self, Purpose};
use crate::control::clients::Profile;
use crate::control::counters::Incident;
use crate::control::logging::{self, MessageId};
use crate::control::watchdog::pulse::Kind;
use crate::hub::takeover::Credential;
use crate::hub::{self, PublishError, StreamName, StreamSettings};
use crate::input::rtmp_publish::RtmpPublish;
use crate::output::rtmp_play::RtmpPlay;

impl Session {
    pub(super) fn connect(&mut self, request: ConnectRequest) -> Option<End> {
        self.follow_config();
        let (target, vhost) = match self.resolve_app(&request) {
            Ok(resolved) => resolved,
            Err(rejection) => return Some(self.refuse_connect(&rejection)),
        };
        logging::record_app(&self.span, &vhost, &target.app);
        tracing::debug!(
            // Without the parameters, where tokens are.
            tc_url = request.tc_url.split('?').next(),
            page_url = request.page_url,
            flash_version = request.flash_version,
            "connect"
        );
        self.admitted.set_profile(Profile {
            vhost: vhost.into(),
            app: target.app.as_str().into(),
            tc_url: shown(&request.tc_url),
            page_url: shown(&request.page_url),
            swf_url: shown(&request.swf_url),
            agent: request.flash_version.as_str().into(),
        });
        let info = self.connect_info();
        self.connection
            .accept_connect(&info, &mut self.transport.outbox);
        self.connected = Some(Connected {
            page_url: request.page_url.into(),
            target,
        });
        None
    }

    fn resolve_app(
        &self,
        request: &ConnectRequest,
    ) -> Result<(AppTarget, String), ConnectRejection> {
        let target = AppTarget::resolve(&request.tc_url, Some(&request.app))
            .map_err(|error| ConnectRejection::InvalidApp(error.to_string()))?;
        let (name, vhost) =
            enabled_vhost(&self.config, &target.vhost).map_err(ConnectRejection::InvalidApp)?;
        let name = name.to_owned();
        access::check_refer(&vhost.refer, Purpose::Connect, &request.page_url)
            .map_err(|refused| ConnectRejection::Rejected(refused.to_string()))?;
        Ok((target, name))
    }

    fn refuse_connect(&mut self, rejection: &ConnectRejection) -> End {
        self.service.counters.count(Incident::ConnectRefused);
        let (ConnectRejection::Rejected(why) | ConnectRejection::InvalidApp(why)) = rejection;
        if self.may_complain(why) {
            tracing::warn!(
                message_id = MessageId::ConnectRefused.as_str(),
                "refused to connect: {why}"
            );
        } else {
            tracing::debug!("refused to connect: {why}");
        }
        self.tell_refusal(None, why);
        self.connection
            .reject_connect(rejection, &mut self.transport.outbox);
        End::Refused
    }

    /// Who we are. Players, edges and scripts read the `srs_` fields.
    fn connect_info(&self) -> ConnectInfo {
        let local = self.transport.socket().as_ref().local_addr();
        let ip = local
            .map(|address| address.ip().to_canonical().to_string())
            .unwrap_or_default();
        #[expect(clippy::cast_precision_loss, reason = "ids stay far below 2^53")]
        let id = self.admitted.client().id as f64;
        let data = Object::new()
            .with("version", "3,5,3,888")
            .with("srs_sig", "SRS")
            .with("srs_server", concat!("srs ", env!("CARGO_PKG_VERSION")))
            .with("srs_license", env!("CARGO_PKG_LICENSE"))
            .with("srs_role", "origin server")
            .with("srs_version", env!("CARGO_PKG_VERSION"))
            .with("srs_server_ip", ip)
            .with("srs_pid", f64::from(std::process::id()))
            .with("srs_id", id);
        ConnectInfo {
            data,
            ..ConnectInfo::default()
        }
    }

    pub(super) fn publish(&mut self, request: &PublishRequest, now: Instant) {
        self.follow_config();
        let id = request.message_stream_id;
        self.stop_stream(id, "the client publishes anew", now);
        self.end_own_publish_of(&request.stream, now);
        match self.begin_publish(request, now) {
            Ok(publish) => {
                let chunk_size = self.chunk_size(&publish.name().vhost);
                self.connection
                    .set_chunk_size(chunk_size, &mut self.transport.outbox);
                self.connection
                    .accept_publish(id, &mut self.transport.outbox);
                self.publishing.reserve_exact(1);
                self.tell_event(EventKind::Publish, publish.name());
                self.publishing.push((id, publish));
                self.note_streaming();
            }
            Err(rejection) => {
                self.service.counters.count(Incident::PublishRefused);
                let (PublishRejection::BadName(why) | PublishRejection::Denied(why)) = &rejection;
                if self.may_complain(why) {
                    tracing::warn!(
                        message_id = MessageId::PublishRefused.as_str(),
                        "refused to publish: {why}"
                    );
                } else {
                    tracing::debug!("refused to publish: {why}");
                }
                if self.is_told_of() {
                    self.tell_refusal(Some(&request.stream), why);
                }
                self.connection
                    .reject_publish(id, &rejection, &mut self.transport.outbox);
            }
        }
    }

    /// An encoder may publish the stream again on another message stream, without having ended it
    /// on the first. That is no takeover: the connection goes on.
    fn end_own_publish_of(&mut self, stream: &str, now: Instant) {
        let Ok((_, name, _)) = self.resolve(stream) else {
            return;
        };
        let own = self
            .publishing
            .iter()
            .find(|(_, publish)| *publish.name() == name);
        if let Some(id) = own.map(|(id, _)| *id) {
            let why = "the client publishes it anew";
            self.connection
                .end_publish(id, why, &mut self.transport.outbox);
            self.stop_stream(id, why, now);
        }
    }

    fn begin_publish(
        &self,
        request: &PublishRequest,
        now: Instant,
    ) -> Result<RtmpPublish, PublishRejection> {
        let (target, name, vhost) = self
            .resolve(&request.stream)
            .map_err(PublishRejection::BadName)?;
        logging::record_stream(&self.span, &name.vhost, &name.app, &name.stream);
        self.check_page(vhost, Purpose::Publish)
            .map_err(|refused| PublishRejection::Denied(refused.to_string()))?;
        let client = self.admitted.client();
        let credential = Credential {
            address: client.peer.ip().to_canonical(),
            params: target.params,
        };
        let wish = hub::PublishRequest {
            client: client.id,
            credential,
            takeover: vhost.publish.takeover,
            dead_after: vhost.publish.dead_after,
        };
        let settings = StreamSettings::of(&self.config, vhost);
        let publisher = self
            .service
            .hub
            .publish(&name, &settings, wish, now)
            .map_err(|busy @ PublishError::Busy { .. }| {
                PublishRejection::BadName(busy.to_string())
            })?;
        let style = if request.announced { "FMLE" } else { "Flash" };
        if self.is_told_of() {
            tracing::info!(message_id = MessageId::Publish.as_str(), style, "publish");
        }
        let turn = format!("client {} publishing {name}", client.id);
        let turn = self.service.pulse.join(Kind::Publisher, turn);
        let publish = RtmpPublish::new(
            (publisher, turn),
            &vhost.publish,
            amf_limits(&self.config.limits),
            request.announced,
            now,
        );
        // One that publishes anew for each message would have a line for each.
        Ok(if self.is_told_of() {
            publish
        } else {
            publish.silently()
        })
    }

    pub(super) fn play(&mut self, request: &PlayRequest, now: Instant) {
        self.follow_config();
        let id = request.message_stream_id;
        self.stop_stream(id, "the client plays anew", now);
        match self.begin_play(request, now) {
            Ok(play) => {
                let chunk_size = self.chunk_size(&play.name().vhost);
                self.connection
                    .set_chunk_size(chunk_size, &mut self.transport.outbox);
                self.connection.accept_play(id, &mut self.transport.outbox);
                // One stream is what a player plays; the list would have room for four.
                self.playing.reserve_exact(1);
                self.tell_event(EventKind::Play, play.name());
                self.playing.push(play);
                self.note_streaming();
            }
            Err(rejection) => {
                self.service.counters.count(Incident::PlayRefused);
                let (PlayRejection::StreamNotFound(why) | PlayRejection::Failed(why)) = &rejection;
                if self.may_complain(why) {
                    tracing::warn!(
                        message_id = MessageId::PlayRefused.as_str(),
                        "refused to play: {why}"
                    );
                } else {
                    tracing::debug!("refused to play: {why}");
                }
                if self.is_told_of() {
                    self.tell_refusal(Some(&request.stream), why);
                }
                self.connection
                    .reject_play(id, &rejection, &mut self.transport.outbox);
            }
        }
    }

    /// What begins now begins by the configuration that is in force now. What the protocol was
    /// limited by when the client connected stays.
    fn follow_config(&mut self) {
        self.config = self.service.config();
    }

    fn tell_event(&self, kind: EventKind, name: &StreamName) {
        if self.is_told_of() {
            let client = self.admitted.client();
            self.service.events.tell_of(kind, client, Some(name), "");
        }
    }

    /// Tells that the client was refused, with the name of the stream that it asked for, if any.
    fn tell_refusal(&self, stream: Option<&str>, why: &str) {
        let name = stream.and_then(|stream| Some(self.resolve(stream).ok()?.1));
        let (kind, client) = (EventKind::Refuse, self.admitted.client());
        self.service
            .events
            .tell_of(kind, client, name.as_ref(), why);
    }

    fn begin_play(&self, request: &PlayRequest, now: Instant) -> Result<RtmpPlay, PlayRejection> {
        let (_, name, vhost) = self
            .resolve(&request.stream)
            .map_err(PlayRejection::StreamNotFound)?;
        logging::record_stream(&self.span, &name.vhost, &name.app, &name.stream);
        self.check_page(vhost, Purpose::Play)
            .map_err(|refused| PlayRejection::Failed(refused.to_string()))?;
        let settings = StreamSettings::of(&self.config, vhost);
        let subscriber = self.service.hub.subscribe(&name, &settings, now);
        match subscriber.stream().publisher() {
            None if vhost.play.wait.is_zero() => {
                return Err(PlayRejection::StreamNotFound(format!(
                    "nobody publishes {name}"
                )));
            }
            _ if !self.is_told_of() => {}
            Some(publisher) => tracing::info!(publisher, "play"),
            None => tracing::info!("play: waiting for a publisher"),
        }
        let id = request.message_stream_id;
        Ok(RtmpPlay::new(id, subscriber, vhost, request.duration, now))
    }

    /// What the name of a stream means on this connection.
    fn resolve(&self, stream: &str) -> Result<(Target, StreamName, &VhostConfig), String> {
        let connected = self.connected.as_ref().ok_or("not connected")?;
        let target = connected
            .target
            .stream(stream)
            .map_err(|error| error.to_string())?;
        let (vhost_name, vhost) = enabled_vhost(&self.config, &target.vhost)?;
        let name = StreamName::new(vhost_name, &target.app, &target.stream);
        Ok((target, name, vhost))
    }

    /// Checks the page by the rules for everybody, too: a stream's name may lead to another vhost
    /// than the one that was connected to.
    fn check_page(&self, vhost: &VhostConfig, purpose: Purpose) -> Result<(), access::Refused> {
        let connected = self.connected.as_ref();
        let page_url = connected.map_or("", |connected| &*connected.page_url);
        access::check_refer(&vhost.refer, Purpose::Connect, page_url)?;
        access::check_refer(&vhost.refer, purpose, page_url)
    }

    fn chunk_size(&self, vhost: &str) -> u32 {
        let (_, vhost) = self.config.vhost(vhost);
        vhost.chunk_size.unwrap_or(self.config.chunk_size).get()
    }
}

/// A URL of a peer as operators see it: without parameters, which are secrets as often as not, and
/// not longer than real ones are.
fn shown(url: &str) -> Box<str> {
    let end = url.find(['?', '#']).unwrap_or(url.len()).min(MOST_OF_A_URL);
    url[..url.floor_char_boundary(end)].into()
}

/// The vhost that serves `host`, unless it is switched off.
fn enabled_vhost<'a>(config: &'a Config, host: &str) -> Result<(&'a str, &'a VhostConfig), String> {
    let (name, vhost) = config.vhost(host);
    if vhost.enabled {
        Ok((name, vhost))
    } else {
        Err(format!("vhost {name} is not enabled"))
    }
}

/// Bytes of a URL that are kept.
const MOST_OF_A_URL: usize = 512;
