//! What the owner of a connection decides: yes, no, and that something is over.

use bytes::Bytes;
use srs_amf0::{Object, Value};

use super::{
    ConnectInfo, ConnectRejection, Phase, PlayRejection, PublishRejection, Role, ServerConnection,
    status,
};
use crate::MediaKind;
use crate::link::chunk_stream;
use crate::message::command::Command;
use crate::message::control::{Control, PeerBandwidthLimit, UserControl};
use crate::message::data::Data;
use crate::output::SendQueue;

impl ServerConnection {
    /// Answers a [connect](super::ServerEvent::Connect): the peer may publish and play.
    pub fn accept_connect(&mut self, info: &ConnectInfo, out: &mut SendQueue) {
        let Phase::Connecting {
            transaction_id,
            object_encoding,
        } = self.phase
        else {
            return;
        };
        self.phase = Phase::Connected;
        self.link.announce_window(self.window, out);
        let bandwidth = Control::SetPeerBandwidth {
            window: self.window,
            limit: PeerBandwidthLimit::Dynamic,
        };
        self.link.send_control(&bandwidth, out);
        let result = info.to_command(transaction_id, object_encoding);
        self.link
            .send_command(&result, chunk_stream::COMMAND, 0, out);
        let done = Command {
            name: "onBWDone".into(),
            transaction_id: 0.0,
            object: Value::Null,
            arguments: Vec::new(),
        };
        self.link.send_command(&done, chunk_stream::COMMAND, 0, out);
    }

    /// Answers a [connect](super::ServerEvent::Connect) with a refusal; then send `out` and close.
    pub fn reject_connect(&mut self, rejection: &ConnectRejection, out: &mut SendQueue) {
        let Phase::Connecting { transaction_id, .. } = self.phase else {
            return;
        };
        self.phase = Phase::Rejected;
        let command = Command {
            name: "_error".into(),
            transaction_id,
            object: Value::Null,
            arguments: vec![status("error", rejection.code(), rejection.description()).into()],
        };
        self.link
            .send_command(&command, chunk_stream::COMMAND, 0, out);
    }

    /// Sets the size of the chunks that are sent from here on, in bytes.
    pub fn set_chunk_size(&mut self, size: u32, out: &mut SendQueue) {
        self.link.announce_chunk_size(size, out);
    }

    /// The size of the chunks that are sent now, in bytes.
    pub fn chunk_size(&self) -> u32 {
        self.link.chunk_size()
    }

    /// Answers a [publish](super::ServerEvent::Publish): its media follow, as
    /// [events](super::ServerEvent::Media).
    pub fn accept_publish(&mut self, message_stream_id: u32, out: &mut SendQueue) {
        let Some(stream) = self
            .streams
            .iter_mut()
            .find(|stream| stream.id == message_stream_id)
        else {
            return;
        };
        let Role::AskedToPublish { name } = &mut stream.role else {
            return;
        };
        stream.role = Role::Publishing {
            name: std::mem::take(name),
        };
        if self.says_fc_publish {
            let notice = Object::new()
                .with("code", "NetStream.Publish.Start")
                .with("description", "Started publishing stream.");
            self.send_notice("onFCPublish", notice, message_stream_id, out);
        }
        let started = status(
            "status",
            "NetStream.Publish.Start",
            "Started publishing stream.",
        );
        self.send_status(message_stream_id, started, out);
    }

    /// Answers a [publish](super::ServerEvent::Publish) with a refusal. The connection may try again.
    pub fn reject_publish(
        &mut self,
        message_stream_id: u32,
        rejection: &PublishRejection,
        out: &mut SendQueue,
    ) {
        self.stop(message_stream_id);
        let info = status("error", rejection.code(), rejection.description());
        self.send_status(message_stream_id, info, out);
    }

    /// Answers a [play](super::ServerEvent::Play): media may be sent.
    pub fn accept_play(&mut self, message_stream_id: u32, out: &mut SendQueue) {
        let Some(stream) = self
            .streams
            .iter_mut()
            .find(|stream| stream.id == message_stream_id)
        else {
            return;
        };
        let Role::AskedToPlay { name, reset } = std::mem::replace(&mut stream.role, Role::Playing)
        else {
            return;
        };
        self.stream_begin(message_stream_id, out);
        if reset {
            let info = status(
                "status",
                "NetStream.Play.Reset",
                "Playing and resetting stream.",
            )
            .with("details", name.as_str());
            self.send_status(message_stream_id, info, out);
        }
        let info = status("status", "NetStream.Play.Start", "Started playing stream.")
            .with("details", name.as_str());
        self.send_status(message_stream_id, info, out);
        let access = Data {
            name: "|RtmpSampleAccess".into(),
            values: vec![Value::Boolean(true), Value::Boolean(true)],
        };
        self.link
            .send(&access.encode(chunk_stream::STATUS, message_stream_id), out);
        // Flash Media Server goes on with a data message onStatus, NetStream.Data.Start. No player
        // waits for it, and ffmpeg takes it for a third track, of which nothing ever comes.
    }

    /// Answers a [play](super::ServerEvent::Play) with a refusal. The connection may try again.
    pub fn reject_play(
        &mut self,
        message_stream_id: u32,
        rejection: &PlayRejection,
        out: &mut SendQueue,
    ) {
        self.stop(message_stream_id);
        let info = status("error", rejection.code(), rejection.description());
        self.send_status(message_stream_id, info, out);
    }

    /// Ends a publish from this side (replaced, timed out, shut down); the message stream is idle.
    pub fn end_publish(&mut self, message_stream_id: u32, why: &str, out: &mut SendQueue) {
        self.stop(message_stream_id);
        let info = status("status", "NetStream.Unpublish.Success", why);
        self.send_status(message_stream_id, info, out);
    }

    /// Ends a play from this side: end of stream, and the notices that players stop by.
    pub fn end_play(&mut self, message_stream_id: u32, why: &str, out: &mut SendQueue) {
        self.stop(message_stream_id);
        self.link.send_control(
            &Control::User(UserControl::StreamEof(message_stream_id)),
            out,
        );
        let info = status("status", "NetStream.Play.UnpublishNotify", why);
        self.send_status(message_stream_id, info, out);
        let info = status("status", "NetStream.Play.Stop", "Stopped playing stream.");
        self.send_status(message_stream_id, info, out);
    }

    /// Tells a player that its stream (again) has media to come.
    pub fn stream_begin(&mut self, message_stream_id: u32, out: &mut SendQueue) {
        self.link.send_control(
            &Control::User(UserControl::StreamBegin(message_stream_id)),
            out,
        );
    }

    /// Tells a player that its stream has no media for now.
    pub fn stream_dry(&mut self, message_stream_id: u32, out: &mut SendQueue) {
        self.link.send_control(
            &Control::User(UserControl::StreamDry(message_stream_id)),
            out,
        );
    }

    /// Sends one message of a stream that the peer plays. `timestamp` is in milliseconds, modulo
    /// 2^32; the payload is referenced, not copied, where it is large.
    pub fn send_media(
        &mut self,
        message_stream_id: u32,
        kind: MediaKind,
        timestamp: u32,
        payload: &Bytes,
        out: &mut SendQueue,
    ) {
        self.link
            .send_media(message_stream_id, kind, timestamp, payload, out);
    }
}
