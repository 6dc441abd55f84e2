//! The side of a connection that connects: it publishes one stream, or plays one.
//!
//! [`ClientConnection`] walks through handshake, connect, createStream and publish or play by
//! itself; its owner feeds it bytes, and learns from [`ClientEvent`]s when media may flow. A
//! refusal of the server is an event with the server's own words, never a mere disconnect.

use bytes::{Bytes, BytesMut};
use srs_amf0::{Object, Value};

use crate::chunk::HeaderPolicy;
use crate::entropy::Entropy;
use crate::handshake::{ClientForm, ClientHandshake};
use crate::limits::Limits;
use crate::link::{self, ConnectionError, Incoming, Link, chunk_stream};
use crate::message::command::Command;
use crate::message::control::{Control, UserControl};
use crate::message::data::Data;
use crate::message::{Message, MessageType};
use crate::output::SendQueue;
use crate::url::RtmpUrl;
use crate::{Media, MediaKind};

/// What the connection is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// Send a stream.
    Publish,
    /// Receive a stream.
    Play,
}

/// What the client tells the server, and how it behaves on the wire.
#[derive(Clone, Debug, PartialEq)]
pub struct ClientSettings {
    /// Publish or play.
    pub purpose: Purpose,
    /// The app, with its parameters.
    pub app: String,
    /// The whole address, without the stream name.
    pub tc_url: String,
    /// The stream's name with its parameters.
    pub stream: String,
    /// The page that the server is to believe the player in; empty for none.
    pub page_url: String,
    /// The player program's address; empty for none.
    pub swf_url: String,
    /// The client's name for itself. Servers take `FMLE/3.0` as a sign of an encoder.
    pub flash_version: String,
    /// An optional third value of `connect`, where some servers expect a token.
    pub arguments: Option<Value>,
    /// The buffer that a player announces, in milliseconds.
    pub buffer_millis: u32,
    /// The size of the chunks that are sent, in bytes.
    pub chunk_size: u32,
    /// The window that the server is asked to acknowledge, in bytes.
    pub window: u32,
    /// What the server may make us hold.
    pub limits: Limits,
    /// The form of the handshake.
    pub handshake: ClientForm,
}

impl ClientSettings {
    /// Settings for `url`, with what the field's servers are used to for the rest.
    pub fn new(url: &RtmpUrl, purpose: Purpose) -> Self {
        Self {
            purpose,
            app: url.app().to_owned(),
            tc_url: url.tc_url(),
            stream: url.stream().to_owned(),
            page_url: String::new(),
            swf_url: String::new(),
            flash_version: match purpose {
                Purpose::Publish => "FMLE/3.0 (compatible; srs)".into(),
                Purpose::Play => "WIN 12,0,0,41".into(),
            },
            arguments: None,
            buffer_millis: 1000,
            chunk_size: 60_000,
            window: 2_500_000,
            limits: Limits::default(),
            handshake: ClientForm::Complex,
        }
    }
}

/// What happened on the connection.
#[derive(Clone, Debug, PartialEq)]
pub enum ClientEvent {
    /// The server accepted the connect. `data` is what it told of itself (name, version, its id
    /// for this client), empty if nothing.
    Connected {
        /// The `data` array of the information object.
        data: Object,
    },
    /// Media may be sent, with [`ClientConnection::send_media`].
    Publishing,
    /// Media will come, as [`ClientEvent::Media`], once the stream has a publisher.
    Playing,
    /// One message of the stream that is played.
    Media(Media),
    /// The server refused: connect, publish or play.
    Refused {
        /// As `NetStream.Publish.BadName`.
        code: String,
        /// The server's words.
        description: String,
    },
    /// The stream has ended, or the server ended it.
    Ended {
        /// As `NetStream.Play.UnpublishNotify`.
        code: String,
        /// The server's words.
        description: String,
    },
    /// Any other `onStatus`.
    Status {
        /// As `NetStream.Play.Reset`.
        code: String,
        /// The server's words.
        description: String,
    },
}

/// One connection, from the connecting side. Plain data: no socket, no clock.
#[derive(Clone, Debug)]
pub struct ClientConnection {
    settings: ClientSettings,
    phase: Phase,
    link: Link,
    message_stream_id: u32,
}

#[derive(Clone, Debug)]
enum Phase {
    Handshake(Box<ClientHandshake>),
    Connecting,
    Creating,
    Requested,
    Streaming,
    Over,
}

impl ClientConnection {
    /// A connection that has not begun. `time` is the Unix time in seconds, modulo 2^32;
    /// `entropy` seeds the handshake's random bytes.
    pub fn new(settings: ClientSettings, time: u32, entropy: Entropy) -> Self {
        let handshake = ClientHandshake::new(time, entropy, settings.handshake);
        Self {
            phase: Phase::Handshake(Box::new(handshake)),
            link: Link::new(&settings.limits, HeaderPolicy::Compressed),
            message_stream_id: 0,
            settings,
        }
    }

    /// Begins the handshake.
    pub fn start(&mut self, out: &mut SendQueue) {
        if let Phase::Handshake(handshake) = &mut self.phase {
            let mut hello = BytesMut::new();
            handshake.start(&mut hello);
            out.put_bytes(hello.freeze());
        }
    }

    /// The next event in `input`, whose bytes are consumed; the next steps go to `out`. `None`
    /// when more bytes are needed.
    ///
    /// # Errors
    /// The server broke the protocol or a limit: close.
    pub fn read(
        &mut self,
        input: &mut BytesMut,
        out: &mut SendQueue,
    ) -> Result<Option<ClientEvent>, ConnectionError> {
        if let Phase::Handshake(handshake) = &mut self.phase {
            let before = input.len();
            let mut reply = BytesMut::new();
            let done = handshake.handle_input(input, &mut reply);
            self.link.count_handshake(before - input.len());
            out.put_bytes(reply.freeze());
            if !done? {
                return Ok(None);
            }
            self.connect(out);
        }
        while let Some(incoming) = self.link.read(input, out)? {
            let event = match incoming {
                // End of stream alone is a pause for some servers, so only onStatus ends a play.
                Incoming::User(_) => None,
                Incoming::Message(message) => self.handle_message(message, out)?,
            };
            if event.is_some() {
                return Ok(event);
            }
        }
        Ok(None)
    }

    fn connect(&mut self, out: &mut SendQueue) {
        self.phase = Phase::Connecting;
        let settings = &self.settings;
        let object = Object::new()
            .with("app", settings.app.as_str())
            .with("type", "nonprivate")
            .with("flashVer", settings.flash_version.as_str())
            .with("swfUrl", settings.swf_url.as_str())
            .with("tcUrl", settings.tc_url.as_str())
            .with("fpad", false)
            .with("capabilities", 239.0)
            .with("audioCodecs", 3575.0)
            .with("videoCodecs", 252.0)
            .with("videoFunction", 1.0)
            .with("pageUrl", settings.page_url.as_str())
            .with("objectEncoding", 0.0);
        let command = Command {
            name: "connect".into(),
            transaction_id: transaction::CONNECT,
            object: object.into(),
            arguments: settings.arguments.iter().cloned().collect(),
        };
        let window = settings.window;
        self.link
            .send_command(&command, chunk_stream::COMMAND, 0, out);
        self.link.announce_window(window, out);
    }

    fn handle_message(
        &mut self,
        message: Message,
        out: &mut SendQueue,
    ) -> Result<Option<ClientEvent>, ConnectionError> {
        match message.message_type {
            MessageType::CommandAmf0 | MessageType::CommandAmf3 => {
                let command = Command::decode(&message, &self.link.limits().amf)?;
                Ok(self.handle_command(&command, out))
            }
            MessageType::Audio | MessageType::Video => {
                Ok(self.played(message).map(ClientEvent::Media))
            }
            MessageType::DataAmf0 | MessageType::DataAmf3 => {
                // The server's own notices travel as data messages too. What has no name is nothing
                // that a player could use.
                let is_media = Data::decode(&message, &self.link.limits().amf).is_ok_and(|data| {
                    !matches!(data.name.as_str(), "|RtmpSampleAccess" | "onStatus")
                });
                Ok(self
                    .played(message)
                    .filter(|_| is_media)
                    .map(ClientEvent::Media))
            }
            _ => Ok(None),
        }
    }

    fn played(&self, message: Message) -> Option<Media> {
        let plays = self.settings.purpose == Purpose::Play
            && matches!(self.phase, Phase::Requested | Phase::Streaming);
        if plays { link::media(message) } else { None }
    }

    fn handle_command(&mut self, command: &Command, out: &mut SendQueue) -> Option<ClientEvent> {
        match command.name.as_str() {
            "_result" if command.transaction_id == transaction::CONNECT => {
                self.connected(command, out)
            }
            "_result" if command.transaction_id == transaction::CREATE_STREAM => {
                self.created(command, out);
                None
            }
            // Only connect and createStream must succeed; releaseStream fails on many servers when
            // there is nothing to release.
            "_error"
                if command.transaction_id == transaction::CONNECT
                    || command.transaction_id == transaction::CREATE_STREAM =>
            {
                self.phase = Phase::Over;
                let (_, code, description) = information(command);
                Some(ClientEvent::Refused { code, description })
            }
            "onStatus" => self.status(command),
            // Some servers close a refused connection with this.
            "close" => {
                self.phase = Phase::Over;
                Some(ClientEvent::Ended {
                    code: "close".into(),
                    description: "closed by the server".into(),
                })
            }
            _ => None,
        }
    }

    fn connected(&mut self, command: &Command, out: &mut SendQueue) -> Option<ClientEvent> {
        if !matches!(self.phase, Phase::Connecting) {
            return None;
        }
        self.phase = Phase::Creating;
        let (chunk_size, stream) = (self.settings.chunk_size, self.settings.stream.clone());
        self.link.announce_chunk_size(chunk_size, out);
        let name = || vec![Value::from(stream.as_str())];
        if self.settings.purpose == Purpose::Publish {
            self.call("releaseStream", transaction::RELEASE_STREAM, name(), 0, out);
            self.call("FCPublish", transaction::FC_PUBLISH, name(), 0, out);
        }
        self.call(
            "createStream",
            transaction::CREATE_STREAM,
            Vec::new(),
            0,
            out,
        );
        let data = command
            .arguments
            .first()
            .and_then(Value::as_object)
            .and_then(|information| information.get("data"))
            .and_then(Value::as_object)
            .cloned()
            .unwrap_or_default();
        Some(ClientEvent::Connected { data })
    }

    fn created(&mut self, command: &Command, out: &mut SendQueue) {
        if !matches!(self.phase, Phase::Creating) {
            return;
        }
        self.phase = Phase::Requested;
        let id = command
            .arguments
            .first()
            .and_then(Value::as_f64)
            .unwrap_or(1.0);
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "the cast saturates; the id is only sent back to its server"
        )]
        let id = id as u32;
        self.message_stream_id = id;
        let stream = Value::from(self.settings.stream.as_str());
        match self.settings.purpose {
            Purpose::Publish => {
                let arguments = vec![stream, "live".into()];
                self.call("publish", transaction::REQUEST, arguments, id, out);
            }
            Purpose::Play => {
                let live = vec![stream, (-2000.0).into()];
                self.call("play", transaction::REQUEST, live, id, out);
                let buffer = UserControl::SetBufferLength {
                    message_stream_id: id,
                    millis: self.settings.buffer_millis,
                };
                self.link.send_control(&Control::User(buffer), out);
            }
        }
    }

    fn status(&mut self, command: &Command) -> Option<ClientEvent> {
        let (level, code, description) = information(command);
        if level == "error" {
            self.phase = Phase::Over;
            return Some(ClientEvent::Refused { code, description });
        }
        let waits = matches!(self.phase, Phase::Requested);
        match (code.as_str(), self.settings.purpose) {
            ("NetStream.Publish.Start", Purpose::Publish) if waits => {
                self.phase = Phase::Streaming;
                Some(ClientEvent::Publishing)
            }
            ("NetStream.Play.Start", Purpose::Play) if waits => {
                self.phase = Phase::Streaming;
                Some(ClientEvent::Playing)
            }
            ("NetStream.Unpublish.Success", Purpose::Publish)
            | (
                "NetStream.Play.Stop"
                | "NetStream.Play.UnpublishNotify"
                | "NetStream.Play.Complete",
                Purpose::Play,
            ) => Some(ClientEvent::Ended { code, description }),
            _ => Some(ClientEvent::Status { code, description }),
        }
    }

    /// Sends one message of the stream that is published. Before [`ClientEvent::Publishing`] it
    /// does nothing. `timestamp` is in milliseconds, modulo 2^32.
    pub fn send_media(
        &mut self,
        kind: MediaKind,
        timestamp: u32,
        payload: &Bytes,
        out: &mut SendQueue,
    ) {
        if matches!(self.phase, Phase::Streaming) && self.settings.purpose == Purpose::Publish {
            self.link
                .send_media(self.message_stream_id, kind, timestamp, payload, out);
        }
    }

    /// Pauses or resumes what is played. `position_millis` is the last timestamp that was shown.
    pub fn pause(&mut self, paused: bool, position_millis: u32, out: &mut SendQueue) {
        let arguments = vec![paused.into(), f64::from(position_millis).into()];
        self.call(
            "pause",
            transaction::NONE,
            arguments,
            self.message_stream_id,
            out,
        );
    }

    /// Ends the stream in order. Send what `out` holds, then close.
    pub fn finish(&mut self, out: &mut SendQueue) {
        if matches!(self.phase, Phase::Requested | Phase::Streaming) {
            let id = self.message_stream_id;
            if self.settings.purpose == Purpose::Publish {
                let name = Value::from(self.settings.stream.as_str());
                self.call("FCUnpublish", transaction::FC_UNPUBLISH, vec![name], 0, out);
            }
            let stream = Value::from(f64::from(id));
            self.call("deleteStream", transaction::NONE, vec![stream], 0, out);
        }
        self.phase = Phase::Over;
    }

    fn call(
        &mut self,
        name: &str,
        transaction_id: f64,
        arguments: Vec<Value>,
        message_stream_id: u32,
        out: &mut SendQueue,
    ) {
        let command = Command {
            name: name.into(),
            transaction_id,
            object: Value::Null,
            arguments,
        };
        self.link
            .send_command(&command, chunk_stream::COMMAND, message_stream_id, out);
    }
}

/// Level, code and description of an `onStatus` or `_error`.
fn information(command: &Command) -> (String, String, String) {
    let object = command.arguments.iter().find_map(Value::as_object);
    let text = |key| {
        let value = object.and_then(|object| object.get(key));
        value.and_then(Value::as_str).unwrap_or_default().to_owned()
    };
    (text("level"), text("code"), text("description"))
}

/// Transaction ids: each request of a connection has its own, so answers are told apart.
mod transaction {
    pub(super) const NONE: f64 = 0.0;
    pub(super) const CONNECT: f64 = 1.0;
    pub(super) const RELEASE_STREAM: f64 = 2.0;
    pub(super) const FC_PUBLISH: f64 = 3.0;
    pub(super) const CREATE_STREAM: f64 = 4.0;
    pub(super) const REQUEST: f64 = 5.0;
    pub(super) const FC_UNPUBLISH: f64 = 6.0;
}
