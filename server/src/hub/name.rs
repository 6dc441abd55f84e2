//! The name that publishers and players meet under.

use std::fmt;

/// `vhost/app/stream`: which live stream is meant. The vhost is the configured one, so all hosts
/// that no table names share `__defaultVhost__`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct StreamName {
    /// The configured vhost's name.
    pub vhost: String,
    /// The app; may have several levels, `live/camera`.
    pub app: String,
    /// The stream, without its parameters.
    pub stream: String,
}

impl StreamName {
    /// A name of its parts.
    ///
    /// Clients disagree where the app ends in `a/b/c`: all but the last level are the app, however
    /// they divided it, so that they meet.
    pub fn new(vhost: impl Into<String>, app: &str, stream: &str) -> Self {
        let (app, stream) = match stream.rsplit_once('/') {
            Some((levels, last)) => (format!("{app}/{levels}"), last.to_owned()),
            None => (app.to_owned(), stream.to_owned()),
        };
        Self {
            vhost: vhost.into(),
            app,
            stream,
        }
    }
}

impl fmt::Display for StreamName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}/{}", self.vhost, self.app, self.stream)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clients_meet_however_they_divide_the_path() {
        let name = StreamName::new("v", "live/camera", "north");
        assert_eq!(StreamName::new("v", "live", "camera/north"), name);
        assert_eq!(name.to_string(), "v/live/camera/north");
        assert_eq!(
            (name.app.as_str(), name.stream.as_str()),
            ("live/camera", "north")
        );
    }
}
