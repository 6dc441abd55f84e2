//! `/api/v1/versions`, `authors` and `requests`: who the server is, and what it was asked.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The version of the server.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Versions {
    /// The first number.
    pub major: u32,
    /// The second.
    pub minor: u32,
    /// The third.
    pub revision: u32,
    /// All three.
    pub version: String,
}

/// Who wrote the server.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Authors {
    /// The first ones.
    pub primary_authors: String,
    /// Where the others are named.
    pub contributors_link: String,
    /// The others, as far as they are named here.
    pub contributors: String,
    /// The licence.
    #[serde(default)]
    pub license: String,
}

/// A request as the server understood it, for those who write clients.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Requests {
    /// The whole URL.
    pub uri: String,
    /// Its path.
    pub path: String,
    /// The method.
    #[serde(rename = "METHOD")]
    pub method: String,
    /// The headers, by lower-case name; several of one name are joined by commas. What proves who
    /// asks is left out.
    pub headers: BTreeMap<String, String>,
    /// Who answers.
    pub server: ServerSignature,
}

/// Who answers.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ServerSignature {
    /// `SRS`. The spelling is SRS's.
    pub sigature: String,
    /// The name.
    pub name: String,
    /// The version.
    pub version: String,
    /// Where more is to be found.
    pub link: String,
    /// The time, in Unix milliseconds.
    pub time: i64,
}
