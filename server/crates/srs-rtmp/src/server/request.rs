//! What a peer asks for, and the words in which it is told yes or no.

use srs_amf0::{Object, Value};

use crate::message::command::Command;

/// The fields of `connect` that a server decides by (RTMP 1.0, 7.2.1.1).
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ConnectRequest {
    /// The app, with its parameters, as the peer wrote it.
    pub app: String,
    /// The whole address, without the stream name. Empty if the peer sent none.
    pub tc_url: String,
    /// The page that holds the player; empty for encoders.
    pub page_url: String,
    /// The address of the player's program; empty for encoders.
    pub swf_url: String,
    /// The peer's name for itself.
    pub flash_version: String,
    /// The AMF version (0 or 3) that the peer speaks; echoed in the answer.
    pub object_encoding: f64,
    /// The optional third value, where some players carry a token.
    pub arguments: Option<Value>,
}

impl ConnectRequest {
    pub(super) fn from_command(command: &Command) -> Self {
        let text = |key| {
            let value = command
                .object
                .as_object()
                .and_then(|object| object.get(key));
            value.and_then(Value::as_str).unwrap_or_default().to_owned()
        };
        let encoding = command
            .object
            .as_object()
            .and_then(|object| object.get("objectEncoding"));
        Self {
            app: text("app"),
            tc_url: text("tcUrl"),
            page_url: text("pageUrl"),
            swf_url: text("swfUrl"),
            flash_version: text("flashVer"),
            object_encoding: encoding.and_then(Value::as_f64).unwrap_or(0.0),
            arguments: command.arguments.first().cloned(),
        }
    }
}

/// What the answer to `connect` tells about the server.
#[derive(Clone, Debug, PartialEq)]
pub struct ConnectInfo {
    /// The `fmsVer` that players look at to learn what a server can do.
    pub fms_version: String,
    /// The `data` array of the information object: who this server is.
    pub data: Object,
}

impl Default for ConnectInfo {
    fn default() -> Self {
        Self {
            fms_version: "FMS/3,5,3,888".into(),
            data: Object::new(),
        }
    }
}

impl ConnectInfo {
    pub(super) fn to_command(&self, transaction_id: f64, object_encoding: f64) -> Command {
        let properties = Object::new()
            .with("fmsVer", self.fms_version.as_str())
            .with("capabilities", 127.0)
            .with("mode", 1.0);
        let information = Object::new()
            .with("level", "status")
            .with("code", "NetConnection.Connect.Success")
            .with("description", "Connection succeeded.")
            .with("objectEncoding", object_encoding)
            .with("data", Value::EcmaArray(self.data.clone()));
        Command {
            name: "_result".into(),
            transaction_id,
            object: properties.into(),
            arguments: vec![information.into()],
        }
    }
}

/// Why a `connect` is refused. The text reaches the peer's log.
#[derive(Clone, Debug, PartialEq)]
pub enum ConnectRejection {
    /// The peer may not connect.
    Rejected(String),
    /// There is no such app (or the address makes no sense).
    InvalidApp(String),
}

impl ConnectRejection {
    pub(super) fn code(&self) -> &'static str {
        match self {
            Self::Rejected(_) => "NetConnection.Connect.Rejected",
            Self::InvalidApp(_) => "NetConnection.Connect.InvalidApp",
        }
    }

    pub(super) fn description(&self) -> &str {
        match self {
            Self::Rejected(text) | Self::InvalidApp(text) => text,
        }
    }
}

/// A peer wants to publish (RTMP 1.0, 7.2.2.6).
#[derive(Clone, Debug, PartialEq)]
pub struct PublishRequest {
    /// The message stream that will carry it.
    pub message_stream_id: u32,
    /// The stream's name with its parameters, as the peer wrote it.
    pub stream: String,
    /// Whether the encoder announced it by `FCPublish` (the style of FMLE and its successors).
    pub announced: bool,
}

/// Why a publish is refused. The text reaches the encoder's log.
#[derive(Clone, Debug, PartialEq)]
pub enum PublishRejection {
    /// Somebody else publishes the stream, or its name makes no sense.
    BadName(String),
    /// The peer may not publish.
    Denied(String),
}

impl PublishRejection {
    pub(super) fn code(&self) -> &'static str {
        match self {
            Self::BadName(_) => "NetStream.Publish.BadName",
            Self::Denied(_) => "NetStream.Publish.Denied",
        }
    }

    pub(super) fn description(&self) -> &str {
        match self {
            Self::BadName(text) | Self::Denied(text) => text,
        }
    }
}

/// A peer wants to play (RTMP 1.0, 7.2.2.1).
#[derive(Clone, Debug, PartialEq)]
pub struct PlayRequest {
    /// The message stream that will carry it.
    pub message_stream_id: u32,
    /// The stream's name with its parameters, as the peer wrote it.
    pub stream: String,
    /// Where to start. Negative (-1 and -2, or -1000 and -2000 from peers that count milliseconds
    /// throughout): live.
    pub start: f64,
    /// Milliseconds of media to play; negative: until it ends. The specification says seconds,
    /// Flash and all that followed it send milliseconds.
    pub duration: f64,
    /// Whether it replaces what the message stream played.
    pub reset: bool,
}

impl PlayRequest {
    pub(super) fn from_command(command: &Command, message_stream_id: u32) -> Self {
        let argument = |index: usize| command.arguments.get(index);
        let reset = match argument(3) {
            Some(Value::Boolean(reset)) => *reset,
            Some(Value::Number(mode)) => *mode != 0.0,
            _ => true,
        };
        Self {
            message_stream_id,
            stream: argument(0)
                .and_then(Value::as_str)
                .unwrap_or_default()
                .to_owned(),
            start: argument(1).and_then(Value::as_f64).unwrap_or(-2.0),
            duration: argument(2).and_then(Value::as_f64).unwrap_or(-1.0),
            reset,
        }
    }
}

/// Why a play is refused. The text reaches the player's log.
#[derive(Clone, Debug, PartialEq)]
pub enum PlayRejection {
    /// There is no such stream.
    StreamNotFound(String),
    /// The peer may not play.
    Failed(String),
}

impl PlayRejection {
    pub(super) fn code(&self) -> &'static str {
        match self {
            Self::StreamNotFound(_) => "NetStream.Play.StreamNotFound",
            Self::Failed(_) => "NetStream.Play.Failed",
        }
    }

    pub(super) fn description(&self) -> &str {
        match self {
            Self::StreamNotFound(text) | Self::Failed(text) => text,
        }
    }
}
