//! `[http_api]`: where the HTTP API is served, and to whom.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::units::{AddrList, ApiAddr};
use super::{DEFAULT_API_SOCKET, Secret};

/// `[http_api]`
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct HttpApiConfig {
    /// Whether the API is served.
    pub enabled: bool,
    /// Where: unix sockets and TCP addresses, none covered by another.
    #[serde(with = "AddrList::<ApiAddr>")]
    pub listen: Vec<ApiAddr>,
    /// Who must prove who it is.
    pub auth: ApiAuth,
    /// The bearer token that proves it.
    #[serde(
        deserialize_with = "super::secret::token",
        skip_serializing_if = "Option::is_none"
    )]
    #[schemars(with = "Secret")]
    pub token: Option<Secret>,
    /// The name for basic authentication, together with `password`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "String")]
    pub username: Option<String>,
    /// The password for basic authentication, together with `username`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Secret")]
    pub password: Option<Secret>,
    /// Whether pages of other origins may read answers (CORS).
    pub crossdomain: bool,
}

impl Default for HttpApiConfig {
    fn default() -> Self {
        Self {
            enabled: true,
            listen: vec![ApiAddr::unix(DEFAULT_API_SOCKET)],
            auth: ApiAuth::Remote,
            token: None,
            username: None,
            password: None,
            crossdomain: true,
        }
    }
}

/// Who must prove who it is, by the token or by name and password.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum ApiAuth {
    /// All but those who come by a unix socket or from the loopback.
    Remote,
    /// All but those who come by a unix socket.
    Always,
    /// Nobody.
    Never,
}
