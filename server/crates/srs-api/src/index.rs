//! The paths that list what is below them.

/// The root: `api`.
pub const ROOT: &str = "/";
/// The versions: `v1`.
pub const API: &str = "/api";
/// Version 1, whose resources are below it.
pub const V1: &str = "/api/v1";
