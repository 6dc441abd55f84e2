//! Paths of files.

use std::borrow::Cow;
use std::path::Path;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, de};

/// A path that a file can have: not empty, no NUL. If it is relative, it is so to the working
/// directory of the server.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct FilePath(String);

impl FilePath {
    /// `None` if `path` is empty or holds a NUL.
    #[must_use]
    pub fn new(path: impl Into<String>) -> Option<Self> {
        let path = path.into();
        (!path.is_empty() && !path.contains('\0')).then_some(Self(path))
    }

    /// The path.
    #[must_use]
    pub fn as_path(&self) -> &Path {
        Path::new(&self.0)
    }
}

impl AsRef<Path> for FilePath {
    fn as_ref(&self) -> &Path {
        self.as_path()
    }
}

impl<'de> Deserialize<'de> for FilePath {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let path = String::deserialize(deserializer)?;
        let problem = if path.is_empty() {
            "a path cannot be empty"
        } else {
            "a path has no NUL"
        };
        Self::new(path).ok_or_else(|| de::Error::custom(problem))
    }
}

impl JsonSchema for FilePath {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "FilePath".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "minLength": 1 })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_not_empty_and_has_no_nul() {
        assert_eq!(FilePath::new(""), None);
        assert_eq!(FilePath::new("a\0b"), None);
        assert_eq!(
            FilePath::new("logs/srs.log").unwrap().as_path(),
            Path::new("logs/srs.log")
        );
    }
}
