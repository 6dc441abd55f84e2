//! What every answer has in common.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::lenient;

/// Which server answers; a part of every answer.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Identity {
    /// The server, until it restarts.
    #[serde(deserialize_with = "lenient::text")]
    pub server: String,
    /// Its process, until it restarts.
    #[serde(deserialize_with = "lenient::text")]
    pub service: String,
    /// The process id.
    #[serde(deserialize_with = "lenient::text")]
    pub pid: String,
}

/// An answer whose content is one object.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Answer<T> {
    /// 0: it is what was asked for.
    pub code: i32,
    /// Who answers.
    #[serde(flatten)]
    pub identity: Identity,
    /// The content.
    pub data: T,
}

/// The answer of an index: what is below it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct UrlsAnswer {
    /// 0.
    pub code: i32,
    /// Who answers.
    #[serde(flatten)]
    pub identity: Identity,
    /// What is there, by name; the values are for people.
    pub urls: BTreeMap<String, String>,
}

/// What a request was refused or failed with.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ErrorAnswer {
    /// A number of [`ErrorCode`].
    pub code: i32,
    /// Who answers.
    #[serde(flatten, default)]
    pub identity: Identity,
    /// What is wrong and what would be right, for people.
    pub message: String,
    /// The HTTP status once more, as SRS says it.
    pub data: ErrorData,
}

/// The HTTP status of an error, and the path that was asked for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ErrorData {
    /// The HTTP status.
    pub status_code: u16,
    /// Its name.
    pub reason_phrase: String,
    /// The path of the request, with its query.
    pub url: String,
}

/// The numbers of errors: SRS's where it has one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(i32)]
pub enum ErrorCode {
    /// There is no such resource.
    NotFound = 3011,
    /// There is no such vhost.
    NoVhost = 2014,
    /// There is no such stream.
    NoStream = 2048,
    /// There is no such client.
    NoClient = 2049,
    /// The resource cannot be used in this way.
    MethodNotAllowed = 3012,
    /// The request cannot be understood.
    BadRequest = 3013,
    /// The request is too large.
    TooLarge = 3014,
    /// Who asks has not said who it is, or not rightly.
    Unauthorized = 3015,
    /// Who asks may not do this.
    Forbidden = 3016,
    /// There are as many as may be.
    TooMany = 3017,
    /// The new configuration was not put in force.
    ReloadFailed = 1061,
    /// The server is not ready, or ends.
    NotReady = 3018,
    /// The server is to blame.
    Internal = 3019,
}
