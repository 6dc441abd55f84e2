//! `/healthz` and `/readyz`: whether the server lives, and serves.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::Identity;

/// Whether the server is well.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Health {
    /// 0 if it is.
    pub code: i32,
    /// Who answers.
    #[serde(flatten)]
    pub identity: Identity,
    /// `ok`, or what is not.
    pub status: String,
}
