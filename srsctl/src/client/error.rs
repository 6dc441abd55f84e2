//! Why a server did not answer as it was asked to, and what to do about it.

use std::error::Error as StdError;
use std::io;
use std::path::Path;
use std::time::Duration;

use reqwest::StatusCode;
use srs_api::{ErrorAnswer, ErrorCode};

use super::address::ServerAddr;
use super::sse::SseError;
use crate::output::text::{self, printable_lines};

/// Why a server did not answer as it was asked to.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ApiError {
    /// Nobody has made the socket.
    #[error("cannot reach srs at {server}: no such socket; is it running? {advice}")]
    NoSocket {
        server: String,
        advice: &'static str,
    },
    /// Nobody has made any of the sockets that are looked for by default.
    #[error("cannot reach srs at {servers}: no such socket; is it running? {advice}")]
    NoDefaultSocket {
        servers: String,
        advice: &'static str,
    },
    /// The socket is another's.
    #[error("cannot reach srs at {server}: permission denied: {advice}")]
    Permission { server: String, advice: String },
    /// Nobody listens.
    #[error(
        "cannot reach srs at {server}: connection refused; is it running there, and does its \
         http_api.listen have this address?"
    )]
    NotListening { server: String },
    /// It did not come to a connection, for another reason.
    #[error("cannot reach srs at {server}")]
    Unreachable {
        server: String,
        #[source]
        error: Box<dyn StdError + Send + Sync>,
    },
    /// There was no answer in time.
    #[error("{server}: no answer within {within:?}; {advice}")]
    Timeout {
        server: String,
        within: Duration,
        advice: &'static str,
    },
    /// The answer broke off.
    #[error("{server}: the answer broke off{advice}")]
    Broken {
        server: String,
        advice: &'static str,
        #[source]
        error: Box<dyn StdError + Send + Sync>,
    },
    /// The answer is longer than any of ours.
    #[error("{server}: the answer has more than {max} bytes; --limit asks for less")]
    TooLarge { server: String, max: usize },
    /// Something else answers there.
    #[error("{server} does not answer like srs ({what}): is this the address of its http_api?")]
    NotSrs { server: String, what: String },
    /// The server does not know who asks.
    #[error("{server}: {advice}")]
    Unauthorized {
        server: String,
        advice: &'static str,
    },
    /// The server knows, and does not allow it.
    #[error("{server}: refused: {message}")]
    Forbidden { server: String, message: String },
    /// Nothing may be changed there.
    #[error("{server}: nothing is changed there: {why}")]
    ReadOnly { server: String, why: String },
    /// What was asked for is wrong.
    #[error("{server}: {message}")]
    Wrong { server: String, message: String },
    /// There is no such thing.
    #[error("{server}: {message}")]
    NotFound { server: String, message: String },
    /// The server does not have the resource that we know.
    #[error("{server} has no {path}: it is older than this srsctl, or http_api is limited")]
    NoEndpoint { server: String, path: String },
    /// The configuration was not put in force.
    #[error("{message}")]
    ReloadFailed {
        message: String,
        /// For programs, as it came.
        answer: Box<ErrorAnswer>,
    },
    /// It does not do it, or cannot.
    #[error("{server}: {message}")]
    Failed { server: String, message: String },
    /// The stream of events is none.
    #[error("{server}: cannot read its events")]
    Events {
        server: String,
        #[source]
        error: SseError,
    },
    /// There is no client to ask with.
    #[error("cannot prepare to ask {server}")]
    Client {
        server: String,
        #[source]
        error: reqwest::Error,
    },
}

impl ApiError {
    /// Whether there was no server to answer. One whose socket is not for us may well be there.
    pub(crate) fn is_not_reached(&self) -> bool {
        matches!(
            self,
            Self::NoSocket { .. }
                | Self::NoDefaultSocket { .. }
                | Self::NotListening { .. }
                | Self::Unreachable { .. }
                | Self::Timeout { .. }
        )
    }

    /// Whether what was asked for is not there.
    pub(crate) fn is_not_found(&self) -> bool {
        matches!(self, Self::NotFound { .. })
    }

    /// Whether a server that knows less than we do has answered.
    pub(crate) fn is_unknown_to_server(&self) -> bool {
        matches!(self, Self::NoEndpoint { .. })
    }

    /// Whether the server may answer if it is asked again: it restarts, or the network is gone.
    pub(crate) fn is_retryable(&self) -> bool {
        self.is_not_reached() || matches!(self, Self::Permission { .. } | Self::Broken { .. })
    }

    /// What it says but for `server`, for where that is known.
    pub(crate) fn reason(&self, server: &ServerAddr) -> String {
        let text = text::chain(self);
        let rest = text.strip_prefix("cannot reach srs at ").unwrap_or(&text);
        let rest = rest.strip_prefix(&server.to_string());
        let rest = rest.and_then(|rest| rest.strip_prefix(": "));
        rest.map_or_else(|| text.clone(), str::to_owned)
    }

    /// Why there is no connection to `server`.
    pub(super) fn of_connect(server: &ServerAddr, error: io::Error) -> Self {
        let name = server.to_string();
        match error.kind() {
            io::ErrorKind::NotFound if server.socket().is_some() => Self::NoSocket {
                advice: absence_advice(is_units(server)),
                server: name,
            },
            io::ErrorKind::PermissionDenied if server.socket().is_some() => Self::Permission {
                advice: socket_advice(server),
                server: name,
            },
            io::ErrorKind::ConnectionRefused => Self::NotListening { server: name },
            io::ErrorKind::TimedOut => Self::Unreachable {
                server: name,
                error: "no answer to the attempt to connect".into(),
            },
            _ => Self::Unreachable {
                server: name,
                error: error.into(),
            },
        }
    }

    /// Why a request did not get an answer from `server`.
    pub(super) fn of_request(server: &ServerAddr, within: Duration, error: reqwest::Error) -> Self {
        let name = server.to_string();
        if error.is_timeout() {
            return Self::too_late(server, within);
        }
        if !error.is_connect() {
            return Self::broken(server, innermost(&error));
        }
        match io_error(&error) {
            Some(error) => Self::of_connect(server, error),
            None => Self::Unreachable {
                server: name,
                error: innermost(&error).into(),
            },
        }
    }

    /// The answer of `server` broke off. Before its text comes what to do, as that is the system's.
    pub(super) fn broken(
        server: &ServerAddr,
        error: impl Into<Box<dyn StdError + Send + Sync>>,
    ) -> Self {
        Self::Broken {
            server: server.to_string(),
            advice: break_advice(is_units(server)),
            error: error.into(),
        }
    }

    /// There was no answer of `server` in time.
    pub(super) fn too_late(server: &ServerAddr, within: Duration) -> Self {
        Self::Timeout {
            server: server.to_string(),
            within,
            advice: silence_advice(is_units(server)),
        }
    }

    /// There is none of the sockets that are looked for by default.
    pub(super) fn no_default_socket(servers: &[ServerAddr]) -> Self {
        let names: Vec<_> = servers.iter().map(ToString::to_string).collect();
        Self::NoDefaultSocket {
            servers: names.join(" or "),
            advice: absence_advice(servers.iter().any(is_units)),
        }
    }

    /// What an answer of `server` says that is none of success. `body` is its content.
    pub(super) fn of_answer(
        server: &ServerAddr,
        path: &str,
        status: StatusCode,
        body: &[u8],
        had_credentials: bool,
    ) -> Self {
        let server = server.to_string();
        let answer: Option<ErrorAnswer> = serde_json::from_slice(body).ok();
        let code = answer.as_ref().map(|answer| answer.code);
        let answer = answer.map(|answer| {
            let message = printable_lines(&answer.message).into_owned();
            (message, answer)
        });
        let is = |known: ErrorCode| code == Some(known as i32);
        match (status, answer) {
            (StatusCode::UNAUTHORIZED, _) => Self::Unauthorized {
                server,
                advice: if had_credentials {
                    "the server does not take this token (or name and password)"
                } else {
                    "the server wants a token: --token-file FILE, or SRSCTL_TOKEN \
                     (or --user NAME:PASSWORD)"
                },
            },
            (StatusCode::FORBIDDEN, Some((message, _))) => Self::Forbidden { server, message },
            (_, Some((message, answer))) if is(ErrorCode::ReloadFailed) => {
                let answer = Box::new(answer);
                Self::ReloadFailed { message, answer }
            }
            (StatusCode::NOT_FOUND | StatusCode::METHOD_NOT_ALLOWED, Some(_))
                if is(ErrorCode::NotFound) || is(ErrorCode::MethodNotAllowed) =>
            {
                Self::NoEndpoint {
                    server,
                    path: path.to_owned(),
                }
            }
            (StatusCode::NOT_FOUND, Some((message, _))) => Self::NotFound { server, message },
            (StatusCode::BAD_REQUEST, Some((message, _))) => Self::Wrong { server, message },
            (_, Some((message, _))) => Self::Failed { server, message },
            // Another server of this kind has errors of another form.
            (StatusCode::NOT_FOUND, None) if is_object(body) => Self::NoEndpoint {
                server,
                path: path.to_owned(),
            },
            (_, None) => Self::NotSrs {
                server,
                what: status.to_string(),
            },
        }
    }
}

/// What lets a user in.
fn socket_advice(server: &ServerAddr) -> String {
    let path = server.socket().unwrap_or_else(|| "".as_ref());
    if path.starts_with("/run/srs") {
        "add yourself to the group srs: sudo usermod -aG srs $USER, then log in again".to_owned()
    } else {
        format!("ls -l {} shows who may", path.display())
    }
}

/// What to do where nobody answers, and nothing is there.
fn absence_advice(is_units: bool) -> &'static str {
    if is_units {
        "see systemctl status srs, or srsctl doctor"
    } else {
        "see its log for where the API is, or srsctl doctor"
    }
}

/// What to do where somebody should answer. A socket of systemd's is open even while the daemon
/// cannot start.
fn silence_advice(is_units: bool) -> &'static str {
    if is_units {
        "see systemctl status srs, or srsctl doctor; --timeout allows more"
    } else {
        "--timeout allows more"
    }
}

/// What to do where somebody went away in the midst of it, as one does who cannot start.
fn break_advice(is_units: bool) -> &'static str {
    if is_units {
        " (see systemctl status srs, or srsctl doctor)"
    } else {
        ""
    }
}

/// Whether a server is that of the unit srs, which is installed.
fn is_units(server: &ServerAddr) -> bool {
    let is_installed = |folder: &str| Path::new(folder).join("srs.service").exists();
    server.socket() == Some(Path::new(srs_config::DEFAULT_API_SOCKET))
        && Path::new("/run/systemd/system").is_dir()
        && UNITS.iter().any(|folder| is_installed(folder))
}

/// Where systemd looks for units.
const UNITS: [&str; 5] = [
    "/etc/systemd/system",
    "/run/systemd/system",
    "/usr/local/lib/systemd/system",
    "/usr/lib/systemd/system",
    "/lib/systemd/system",
];

fn is_object(body: &[u8]) -> bool {
    serde_json::from_slice::<serde_json::Value>(body).is_ok_and(|value| value.is_object())
}

/// What the system said, if it is to blame.
fn io_error(error: &reqwest::Error) -> Option<io::Error> {
    let found = chain(error).find_map(|error| error.downcast_ref::<io::Error>())?;
    // TLS speaks through errors of the system, too; those have a text and no number.
    Some(match found.raw_os_error() {
        Some(code) => io::Error::from_raw_os_error(code),
        None => io::Error::new(found.kind(), found.to_string()),
    })
}

/// The error at the root: those around it say no more than that a request failed.
fn innermost(error: &reqwest::Error) -> String {
    let last = chain(error).last();
    last.map_or_else(|| error.to_string(), ToString::to_string)
}

fn chain(error: &reqwest::Error) -> impl Iterator<Item = &(dyn StdError + 'static)> {
    std::iter::successors(error.source(), |&error| error.source())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(status: u16, body: &str, had_credentials: bool) -> String {
        let server: ServerAddr = "unix:/run/srs/api.sock".parse().unwrap();
        let status = StatusCode::from_u16(status).unwrap();
        let path = "/api/v1/streams";
        ApiError::of_answer(&server, path, status, body.as_bytes(), had_credentials).to_string()
    }

    fn error(code: ErrorCode, status: u16, message: &str) -> String {
        let answer = ErrorAnswer {
            code: code as i32,
            identity: srs_api::Identity::default(),
            message: message.to_owned(),
            data: srs_api::ErrorData {
                status_code: status,
                reason_phrase: String::new(),
                url: String::new(),
            },
        };
        serde_json::to_string(&answer).unwrap()
    }

    #[test]
    fn an_answer_that_is_none_says_what_to_do() {
        let wants = error(ErrorCode::Unauthorized, 401, "who are you?");
        let cases = [
            (401, wants.clone(), false, "wants a token: --token-file"),
            (401, wants, true, "does not take this token"),
            (
                403,
                error(ErrorCode::Forbidden, 403, "not you"),
                true,
                "refused: not you",
            ),
            (
                404,
                error(ErrorCode::NoStream, 404, "there is no stream s9"),
                false,
                "there is no stream s9",
            ),
            (
                404,
                error(ErrorCode::NotFound, 404, "no such resource"),
                false,
                "has no /api/v1/streams: it is older than this srsctl",
            ),
            (
                404,
                "{\"code\":404}".to_owned(),
                false,
                "has no /api/v1/streams",
            ),
            (
                404,
                "<html>".to_owned(),
                false,
                "does not answer like srs (404 Not Found)",
            ),
            (
                422,
                error(ErrorCode::ReloadFailed, 422, "srs.toml:3:1: unknown key"),
                false,
                "srs.toml:3:1: unknown key",
            ),
            (
                500,
                error(ErrorCode::Internal, 500, "a\x1b[2J\nb"),
                false,
                "a\\u{1b}[2J\nb",
            ),
        ];
        for (status, body, had_credentials, expected) in cases {
            let message = answer(status, &body, had_credentials);
            assert!(message.contains(expected), "{message}");
        }
    }

    #[test]
    fn who_gets_no_answer_is_told_where_to_look() {
        for (is_units, words) in [(true, "systemctl status srs"), (false, "its log")] {
            let advice = absence_advice(is_units);
            assert!(advice.contains(words) && advice.contains("srsctl doctor"));
        }
        assert!(silence_advice(true).starts_with("see systemctl status srs"));
        assert_eq!(silence_advice(false), "--timeout allows more");
        assert!(break_advice(true).contains("systemctl status srs"));
        assert_eq!(break_advice(false), "");
        let elsewhere = ["unix:/tmp/api.sock", "http://localhost:1985"];
        assert!(!elsewhere.iter().any(|it| is_units(&it.parse().unwrap())));
    }

    #[test]
    fn why_a_server_is_away_can_be_told_without_its_name() {
        let server: ServerAddr = "unix:/run/srs/api.sock".parse().unwrap();
        let of_connect = |kind: io::ErrorKind| ApiError::of_connect(&server, kind.into());
        for (error, expected) in [
            (of_connect(io::ErrorKind::NotFound), "no such socket"),
            (
                of_connect(io::ErrorKind::ConnectionRefused),
                "connection refused",
            ),
            (
                ApiError::too_late(&server, Duration::from_secs(5)),
                "no answer within 5s",
            ),
        ] {
            let reason = error.reason(&server);
            assert!(reason.starts_with(expected), "{reason}");
        }
        let message = "why".to_owned();
        let failed = ApiError::ReloadFailed {
            answer: Box::new(
                serde_json::from_str(&error(ErrorCode::ReloadFailed, 422, "")).unwrap(),
            ),
            message,
        };
        assert_eq!(failed.reason(&server), "why");
    }

    #[test]
    fn a_socket_that_does_not_let_us_in_says_what_to_do() {
        let cases = [
            (
                "unix:/run/srs/api.sock",
                io::ErrorKind::PermissionDenied,
                "permission denied: add yourself to the group srs: sudo usermod -aG srs $USER",
            ),
            (
                "unix:/tmp/api.sock",
                io::ErrorKind::PermissionDenied,
                "permission denied: ls -l /tmp/api.sock shows who may",
            ),
            (
                "unix:/run/srs/api.sock",
                io::ErrorKind::NotFound,
                "no such socket; is it running? see ",
            ),
            (
                "localhost:1985",
                io::ErrorKind::ConnectionRefused,
                "connection refused; is it running there",
            ),
        ];
        for (server, kind, expected) in cases {
            let error = ApiError::of_connect(&server.parse().unwrap(), kind.into());
            assert!(error.to_string().contains(expected), "{error}");
            let is_denied = kind == io::ErrorKind::PermissionDenied;
            assert_eq!(error.is_not_reached(), !is_denied);
            assert!(error.is_retryable());
        }
    }
}
