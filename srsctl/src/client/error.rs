//! Why a server did not answer as it was asked to, and what to do about it.

use std::error::Error as StdError;
use std::io;
use std::time::Duration;

use reqwest::StatusCode;
use srs_api::{ErrorAnswer, ErrorCode};

use super::address::ServerAddr;
use super::sse::SseError;
use crate::output::text::printable_lines;

/// Why a server did not answer as it was asked to.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ApiError {
    /// Nobody has made the socket.
    #[error("cannot reach srs at {server}: no such socket; is it running? systemctl status srs")]
    NoSocket { server: String },
    /// Nobody has made any of the sockets that are looked for by default.
    #[error(
        "cannot reach srs at {servers}: no such socket; is it running? if it is, its log says \
         where the API is served"
    )]
    NoDefaultSocket { servers: String },
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
    #[error("{server}: no answer within {within:?}; --timeout allows more")]
    Timeout { server: String, within: Duration },
    /// The answer broke off.
    #[error("{server}: the answer broke off")]
    Broken {
        server: String,
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

    /// Why there is no connection to `server`.
    pub(super) fn of_connect(server: &ServerAddr, error: io::Error) -> Self {
        let name = server.to_string();
        match error.kind() {
            io::ErrorKind::NotFound if server.socket().is_some() => Self::NoSocket { server: name },
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
            return Self::Timeout {
                server: name,
                within,
            };
        }
        if !error.is_connect() {
            return Self::Broken {
                server: name,
                error: innermost(&error).into(),
            };
        }
        match io_error(&error) {
            Some(error) => Self::of_connect(server, error),
            None => Self::Unreachable {
                server: name,
                error: innermost(&error).into(),
            },
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
                "no such socket; is it running? systemctl status srs",
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
