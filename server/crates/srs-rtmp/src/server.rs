//! The side of a connection that accepts: an encoder's or a player's server.
//!
//! [`ServerConnection::read`] turns bytes into [`ServerEvent`]s, one at a time. Requests (connect,
//! publish, play) are answered by value, with an `accept_…` or a `reject_…`; until then the
//! connection reads nothing further, so a peer that sends ahead of the answers is served in order.
//! The machine knows the wire, its owner knows the policy.

mod answers;
mod request;

pub use request::{
    ConnectInfo, ConnectRejection, ConnectRequest, PlayRejection, PlayRequest, PublishRejection,
    PublishRequest,
};

use bytes::BytesMut;
use srs_amf0::{Object, Value};

use crate::chunk::HeaderPolicy;
use crate::entropy::Entropy;
use crate::handshake::ServerHandshake;
use crate::limits::Limits;
use crate::link::{self, ConnectionError, Incoming, Link, chunk_stream};
use crate::message::command::Command;
use crate::message::control::{Control, UserControl};
use crate::message::{Message, MessageType};
use crate::output::SendQueue;
use crate::{Media, MediaKind};

/// How a server side behaves on the wire.
#[derive(Clone, Debug, PartialEq)]
pub struct ServerSettings {
    /// What the peer may make us hold.
    pub limits: Limits,
    /// The window acknowledgement size and the peer bandwidth that are announced, in bytes.
    pub window: u32,
}

impl Default for ServerSettings {
    fn default() -> Self {
        Self {
            limits: Limits::default(),
            window: 2_500_000,
        }
    }
}

/// What the peer did or wants.
#[derive(Clone, Debug, PartialEq)]
pub enum ServerEvent {
    /// The handshake is over.
    HandshakeDone,
    /// Wants to connect to an app. Answer with [`ServerConnection::accept_connect`] or
    /// [`ServerConnection::reject_connect`].
    Connect(ConnectRequest),
    /// Wants to publish. Answer with [`ServerConnection::accept_publish`] or
    /// [`ServerConnection::reject_publish`]. If the message stream carried something already, that
    /// has ended.
    Publish(PublishRequest),
    /// Wants to play. Answer with [`ServerConnection::accept_play`] or
    /// [`ServerConnection::reject_play`]. If the message stream carried something already, that
    /// has ended.
    Play(PlayRequest),
    /// A message of a stream that the peer publishes.
    Media(Media),
    /// Paused or resumed its play; the notices were sent.
    Pause {
        /// The message stream that plays.
        message_stream_id: u32,
        /// Whether it is paused now.
        paused: bool,
    },
    /// Switched the audio or the video of its play off or on (`receiveAudio`, `receiveVideo`).
    Receive {
        /// The message stream that plays.
        message_stream_id: u32,
        /// [`MediaKind::Audio`] or [`MediaKind::Video`].
        kind: MediaKind,
        /// Whether it wants it.
        wanted: bool,
    },
    /// Told how much it buffers.
    BufferLength {
        /// The message stream that plays.
        message_stream_id: u32,
        /// Milliseconds.
        millis: u32,
    },
    /// Ended what the message stream carried, in order (`closeStream`, `deleteStream`,
    /// `FCUnpublish`). The connection goes on and may publish or play again.
    Stop {
        /// The message stream.
        message_stream_id: u32,
    },
}

/// One connection, from the accepting side. Plain data: no socket, no clock.
#[derive(Clone, Debug)]
pub struct ServerConnection {
    window: u32,
    phase: Phase,
    link: Link,
    streams: Vec<MessageStream>,
    /// Name of the last `FCPublish` or `releaseStream`, for a `publish` that carries none.
    announced_stream: Option<String>,
    /// Whether the peer announced its streams with `FCPublish` and so waits for `onFCPublish`.
    says_fc_publish: bool,
}

#[derive(Clone, Debug)]
enum Phase {
    Handshake(Box<ServerHandshake>),
    AwaitConnect,
    Connecting {
        transaction_id: f64,
        object_encoding: f64,
    },
    Connected,
    Rejected,
}

#[derive(Clone, Debug)]
struct MessageStream {
    id: u32,
    role: Role,
}

#[derive(Clone, Debug, PartialEq)]
enum Role {
    Idle,
    AskedToPublish { name: String },
    Publishing { name: String },
    AskedToPlay { name: String, reset: bool },
    Playing,
}

impl ServerConnection {
    /// A connection that waits for the peer's handshake. `time` is the Unix time in seconds,
    /// modulo 2^32; `entropy` seeds the handshake's random bytes.
    pub fn new(settings: ServerSettings, time: u32, entropy: Entropy) -> Self {
        Self {
            window: settings.window,
            phase: Phase::Handshake(Box::new(ServerHandshake::new(time, entropy))),
            // Whole headers, so that a player may join or leave a shared run of chunks anywhere.
            link: Link::new(&settings.limits, HeaderPolicy::Full),
            streams: Vec::new(),
            announced_stream: None,
            says_fc_publish: false,
        }
    }

    /// The next event in `input`, whose bytes are consumed; answers that need no decision go to
    /// `out`. `None` when more bytes are needed, or a request waits for its answer.
    ///
    /// # Errors
    /// The peer broke the protocol or a limit: send what `out` holds, then close.
    pub fn read(
        &mut self,
        input: &mut BytesMut,
        out: &mut SendQueue,
    ) -> Result<Option<ServerEvent>, ConnectionError> {
        if let Phase::Handshake(handshake) = &mut self.phase {
            let before = input.len();
            let mut reply = BytesMut::new();
            let done = handshake.handle_input(input, &mut reply);
            self.link.count_handshake(before - input.len());
            out.put_bytes(reply.freeze());
            if !done? {
                return Ok(None);
            }
            self.phase = Phase::AwaitConnect;
            return Ok(Some(ServerEvent::HandshakeDone));
        }
        while !self.awaits_answer() {
            let Some(incoming) = self.link.read(input, out)? else {
                return Ok(None);
            };
            let event = match incoming {
                Incoming::User(UserControl::SetBufferLength {
                    message_stream_id,
                    millis,
                }) => Some(ServerEvent::BufferLength {
                    message_stream_id,
                    millis,
                }),
                Incoming::User(_) => None,
                Incoming::Message(message) => self.handle_message(message, out)?,
            };
            if event.is_some() {
                return Ok(event);
            }
        }
        Ok(None)
    }

    /// Whether a request waits for `accept_…` or `reject_…`, or the connection was rejected.
    fn awaits_answer(&self) -> bool {
        matches!(self.phase, Phase::Connecting { .. } | Phase::Rejected)
            || self.streams.iter().any(|stream| {
                matches!(
                    stream.role,
                    Role::AskedToPublish { .. } | Role::AskedToPlay { .. }
                )
            })
    }

    fn handle_message(
        &mut self,
        message: Message,
        out: &mut SendQueue,
    ) -> Result<Option<ServerEvent>, ConnectionError> {
        match message.message_type {
            MessageType::CommandAmf0 | MessageType::CommandAmf3 => {
                let command = Command::decode(&message, &self.link.limits().amf)?;
                self.handle_command(command, message.message_stream_id, out)
            }
            MessageType::Audio
            | MessageType::Video
            | MessageType::DataAmf0
            | MessageType::DataAmf3 => {
                let message = self.on_published_stream(message);
                let publishes = self.streams.iter().any(|stream| {
                    stream.id == message.message_stream_id
                        && matches!(stream.role, Role::Publishing { .. })
                });
                Ok(link::media(message)
                    .filter(|_| publishes)
                    .map(ServerEvent::Media))
            }
            // Shared objects and unknown types are no business of a live stream.
            _ => Ok(None),
        }
    }

    /// Some encoders send their media on message stream 0, whatever they publish on: it is meant
    /// for the stream that they publish, if that is a single one.
    fn on_published_stream(&self, message: Message) -> Message {
        let mut publishing = self
            .streams
            .iter()
            .filter(|stream| matches!(stream.role, Role::Publishing { .. }));
        match (publishing.next(), publishing.next()) {
            (Some(only), None) if message.message_stream_id == 0 => Message {
                message_stream_id: only.id,
                ..message
            },
            _ => message,
        }
    }

    fn handle_command(
        &mut self,
        command: Command,
        message_stream_id: u32,
        out: &mut SendQueue,
    ) -> Result<Option<ServerEvent>, ConnectionError> {
        if !matches!(self.phase, Phase::Connected) {
            if command.name != "connect" || !matches!(self.phase, Phase::AwaitConnect) {
                return Ok(None);
            }
            let request = ConnectRequest::from_command(&command);
            self.phase = Phase::Connecting {
                transaction_id: command.transaction_id,
                object_encoding: request.object_encoding,
            };
            return Ok(Some(ServerEvent::Connect(request)));
        }
        let first = command.arguments.first();
        let event = match command.name.as_str() {
            "releaseStream" => {
                self.announced_stream = first.and_then(Value::as_str).map(str::to_owned);
                self.send_result(command.transaction_id, Value::Undefined, out);
                None
            }
            "FCPublish" => {
                self.announced_stream = first.and_then(Value::as_str).map(str::to_owned);
                self.says_fc_publish = true;
                self.send_result(command.transaction_id, Value::Undefined, out);
                None
            }
            "FCUnpublish" => {
                let name = first.and_then(Value::as_str).unwrap_or_default();
                self.fc_unpublish(name, command.transaction_id, out)
            }
            "FCSubscribe" => {
                let name = first.and_then(Value::as_str).unwrap_or_default();
                let info = status("status", "NetStream.Play.Start", name);
                self.send_notice("onFCSubscribe", info, 0, out);
                None
            }
            "createStream" => {
                let id = self.create_stream()?;
                self.send_result(command.transaction_id, Value::Number(f64::from(id)), out);
                None
            }
            "publish" => Some(self.publish(&command, message_stream_id)?),
            "play" => self.play(&command, message_stream_id)?,
            "pause" | "pauseRaw" => self.pause(&command, message_stream_id, out),
            "receiveAudio" => self.receive(MediaKind::Audio, &command, message_stream_id),
            "receiveVideo" => self.receive(MediaKind::Video, &command, message_stream_id),
            "closeStream" => self.stop(message_stream_id),
            "deleteStream" => {
                let id = first
                    .and_then(Value::as_f64)
                    .map_or(message_stream_id, whole_id);
                let event = self.stop(id);
                self.streams.retain(|stream| stream.id != id);
                event
            }
            // Answers to onBWDone and the like: nothing was asked, nothing follows.
            "_result" | "_error" | "onStatus" => None,
            _ => {
                // Flash waits for the answer of any call that has a transaction id.
                if command.transaction_id > 0.0 {
                    self.send_result(command.transaction_id, Value::Null, out);
                }
                None
            }
        };
        Ok(event)
    }

    fn create_stream(&mut self) -> Result<u32, ConnectionError> {
        let id = (1..=u32::MAX)
            .find(|id| self.streams.iter().all(|stream| stream.id != *id))
            .unwrap_or(u32::MAX);
        self.stream_mut(id)?;
        Ok(id)
    }

    /// The message stream of this id. One that was never created is made: `play` and `publish`
    /// without `createStream` are served as they always were.
    fn stream_mut(&mut self, id: u32) -> Result<&mut MessageStream, ConnectionError> {
        let limit = self.link.limits().message_streams;
        let index = match self.streams.iter().position(|stream| stream.id == id) {
            Some(index) => index,
            None if self.streams.len() >= limit => {
                return Err(ConnectionError::TooManyMessageStreams { limit });
            }
            None => {
                self.streams.push(MessageStream {
                    id,
                    role: Role::Idle,
                });
                self.streams.len() - 1
            }
        };
        Ok(&mut self.streams[index])
    }

    fn publish(
        &mut self,
        command: &Command,
        message_stream_id: u32,
    ) -> Result<ServerEvent, ConnectionError> {
        let name = command
            .arguments
            .first()
            .and_then(Value::as_str)
            .unwrap_or_default();
        let name = match (&self.announced_stream, name) {
            (Some(announced), "") => announced.clone(),
            (_, name) => name.to_owned(),
        };
        self.stream_mut(message_stream_id)?.role = Role::AskedToPublish { name: name.clone() };
        Ok(ServerEvent::Publish(PublishRequest {
            message_stream_id,
            stream: name,
            announced: self.says_fc_publish,
        }))
    }

    fn play(
        &mut self,
        command: &Command,
        message_stream_id: u32,
    ) -> Result<Option<ServerEvent>, ConnectionError> {
        // NetStream.play(false) ends what plays.
        if matches!(command.arguments.first(), Some(Value::Boolean(false))) {
            return Ok(self.stop(message_stream_id));
        }
        let request = PlayRequest::from_command(command, message_stream_id);
        self.stream_mut(message_stream_id)?.role = Role::AskedToPlay {
            name: request.stream.clone(),
            reset: request.reset,
        };
        Ok(Some(ServerEvent::Play(request)))
    }

    fn pause(
        &mut self,
        command: &Command,
        message_stream_id: u32,
        out: &mut SendQueue,
    ) -> Option<ServerEvent> {
        if !self.plays(message_stream_id) {
            return None;
        }
        let paused = command
            .arguments
            .first()
            .and_then(Value::as_bool)
            .unwrap_or(true);
        let (code, description, control) = if paused {
            (
                "NetStream.Pause.Notify",
                "Paused stream.",
                UserControl::StreamEof(message_stream_id),
            )
        } else {
            (
                "NetStream.Unpause.Notify",
                "Unpaused stream.",
                UserControl::StreamBegin(message_stream_id),
            )
        };
        self.send_status(message_stream_id, status("status", code, description), out);
        self.link.send_control(&Control::User(control), out);
        Some(ServerEvent::Pause {
            message_stream_id,
            paused,
        })
    }

    fn receive(
        &self,
        kind: MediaKind,
        command: &Command,
        message_stream_id: u32,
    ) -> Option<ServerEvent> {
        let wanted = command.arguments.first().and_then(Value::as_bool)?;
        self.plays(message_stream_id)
            .then_some(ServerEvent::Receive {
                message_stream_id,
                kind,
                wanted,
            })
    }

    fn plays(&self, message_stream_id: u32) -> bool {
        self.streams
            .iter()
            .any(|stream| stream.id == message_stream_id && stream.role == Role::Playing)
    }

    /// Ends what the message stream carries; it stays, idle.
    fn stop(&mut self, message_stream_id: u32) -> Option<ServerEvent> {
        let stream = self
            .streams
            .iter_mut()
            .find(|stream| stream.id == message_stream_id)?;
        let role = std::mem::replace(&mut stream.role, Role::Idle);
        (role != Role::Idle).then_some(ServerEvent::Stop { message_stream_id })
    }

    fn fc_unpublish(
        &mut self,
        name: &str,
        transaction_id: f64,
        out: &mut SendQueue,
    ) -> Option<ServerEvent> {
        let mut publishing = self.streams.iter().filter_map(|stream| match &stream.role {
            Role::Publishing { name } => Some((stream.id, name.as_str())),
            _ => None,
        });
        // Some encoders unpublish by the name without its parameters, or by none at all.
        let plain = |name: &str| name.split('?').next().unwrap_or_default().to_owned();
        let first = publishing.next();
        let mut others = publishing.clone();
        let by_name = first
            .into_iter()
            .chain(publishing)
            .find(|(_, published)| plain(published) == plain(name));
        let only = first.filter(|_| others.next().is_none());
        let Some((id, _)) = by_name.or(only) else {
            self.send_result(transaction_id, Value::Undefined, out);
            return None;
        };
        let notice = Object::new()
            .with("code", "NetStream.Unpublish.Success")
            .with("description", "Stop publishing stream.");
        self.send_notice("onFCUnpublish", notice, id, out);
        self.send_result(transaction_id, Value::Undefined, out);
        let done = status(
            "status",
            "NetStream.Unpublish.Success",
            "Stream is now unpublished.",
        );
        self.send_status(id, done, out);
        self.stop(id)
    }

    fn send_result(&mut self, transaction_id: f64, value: Value, out: &mut SendQueue) {
        let command = Command {
            name: "_result".into(),
            transaction_id,
            object: Value::Null,
            arguments: vec![value],
        };
        self.link
            .send_command(&command, chunk_stream::COMMAND, 0, out);
    }

    fn send_status(&mut self, message_stream_id: u32, info: Object, out: &mut SendQueue) {
        self.send_notice("onStatus", info, message_stream_id, out);
    }

    fn send_notice(
        &mut self,
        name: &str,
        info: Object,
        message_stream_id: u32,
        out: &mut SendQueue,
    ) {
        let command = Command {
            name: name.into(),
            transaction_id: 0.0,
            object: Value::Null,
            arguments: vec![info.into()],
        };
        self.link
            .send_command(&command, chunk_stream::STATUS, message_stream_id, out);
    }
}

/// The information object of `onStatus` and `_error` (RTMP 1.0, 7.2.2).
fn status(level: &str, code: &str, description: &str) -> Object {
    Object::new()
        .with("level", level)
        .with("code", code)
        .with("description", description)
        .with("clientid", CLIENT_ID)
}

/// A message stream id that came as an AMF number.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "the cast saturates, and an id that no stream has is ignored"
)]
fn whole_id(number: f64) -> u32 {
    number as u32
}

/// Flash Media Server names the client in each status; its clients only check that it is there.
const CLIENT_ID: &str = "ASAICiss";

#[cfg(test)]
mod tests;
