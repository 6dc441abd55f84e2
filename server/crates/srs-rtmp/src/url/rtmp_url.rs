//! The URL that a client is given.

use std::fmt;
use std::str::FromStr;

use super::{DEFAULT_PORT, UrlError, split_host, split_scheme};

/// `rtmp://HOST[:PORT]/APP/STREAM`, as people write it for a client.
///
/// The stream is the last level of the path with its parameters, the app is all levels before.
/// Parameters may stand behind the app instead, as in `rtmp://host/live?vhost=v/stream`. App and
/// stream are kept as they were written, with their parameters: what they mean is the server's
/// business. [`Display`](fmt::Display) gives the URL back.
///
/// ```
/// use srs_rtmp::url::RtmpUrl;
///
/// let url = RtmpUrl::parse("rtmp://example.com/live/camera?token=x")?;
/// assert_eq!((url.host(), url.port()), ("example.com", 1935));
/// assert_eq!((url.app(), url.stream()), ("live", "camera?token=x"));
/// assert_eq!(url.tc_url(), "rtmp://example.com/live");
/// # Ok::<(), srs_rtmp::url::UrlError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct RtmpUrl {
    host: String,
    port: Option<u16>,
    app: String,
    stream: String,
}

impl RtmpUrl {
    /// Reads a URL. The scheme may be in upper case; superfluous slashes around app and stream are
    /// dropped.
    ///
    /// # Errors
    /// A [`UrlError`] that says what is missing or wrong, for the person who wrote it.
    pub fn parse(url: &str) -> Result<Self, UrlError> {
        if let Some(found) = url.chars().find(|c| c.is_control() || c.is_whitespace()) {
            return Err(UrlError::BadCharacter { found });
        }
        let (scheme, rest) = split_scheme(url)?;
        if !scheme.eq_ignore_ascii_case("rtmp") {
            return Err(UrlError::UnsupportedScheme {
                scheme: super::quoted(scheme),
            });
        }
        let (authority, path) = rest.split_at(rest.find(['/', '?']).unwrap_or(rest.len()));
        if authority.contains('@') {
            return Err(UrlError::UserInfo);
        }
        let (host, port) = split_host(authority)?;

        let (app, stream) = split_path(path.trim_start_matches('/'));
        let (app, stream) = (app.trim_end_matches('/'), stream.trim_start_matches('/'));
        if app.is_empty() || app.starts_with('?') {
            return Err(UrlError::MissingApp);
        }
        if stream.is_empty() || stream.starts_with('?') {
            return Err(UrlError::MissingStream);
        }
        Ok(Self {
            host: host.to_owned(),
            port,
            app: app.to_owned(),
            stream: stream.to_owned(),
        })
    }

    /// The host, an IPv6 address without its brackets.
    pub fn host(&self) -> &str {
        &self.host
    }

    /// The port, [`DEFAULT_PORT`] if the URL names none.
    pub fn port(&self) -> u16 {
        self.port.unwrap_or(DEFAULT_PORT)
    }

    /// The app with its parameters, for the property `app` of `connect`.
    pub fn app(&self) -> &str {
        &self.app
    }

    /// The stream with its parameters, for `publish` and `play`.
    pub fn stream(&self) -> &str {
        &self.stream
    }

    /// The URL without the stream, for the property `tcUrl` of `connect`.
    pub fn tc_url(&self) -> String {
        let (open, close) = if self.host.contains(':') {
            ("[", "]")
        } else {
            ("", "")
        };
        let port = self
            .port
            .map_or_else(String::new, |port| format!(":{port}"));
        format!("rtmp://{open}{}{close}{port}/{}", self.host, self.app)
    }
}

impl FromStr for RtmpUrl {
    type Err = UrlError;

    fn from_str(url: &str) -> Result<Self, UrlError> {
        Self::parse(url)
    }
}

impl fmt::Display for RtmpUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.tc_url(), self.stream)
    }
}

/// Splits a path into app and stream, each with its parameters.
///
/// Values may contain slashes, as base64 and URLs do, so not every slash is one between levels. The
/// parameters belong to the stream if there is one before them, except that a vhost contains no
/// slash: one in it ends the app.
fn split_path(path: &str) -> (&str, &str) {
    let Some(names_end) = path.find('?') else {
        let path = path.trim_end_matches('/');
        return path.rsplit_once('/').unwrap_or((path, ""));
    };
    let (names, query) = path.split_at(names_end);
    let slash = match names.rfind('/') {
        Some(slash) if slash + 1 < names_end => {
            slash_in_vhost(query).map_or(slash, |at| names_end + at)
        }
        _ => match query.find('/') {
            Some(at) => names_end + at,
            None => return (path, ""),
        },
    };
    (&path[..slash], &path[slash + 1..])
}

/// Where the value of a parameter `vhost` is cut by a slash.
fn slash_in_vhost(query: &str) -> Option<usize> {
    query.match_indices("vhost=").find_map(|(at, _)| {
        query[..at].ends_with(['?', '&', ',']).then_some(())?;
        let value = &query[at..];
        let end = value.find(['/', '?', '&', ','])?;
        value[end..].starts_with('/').then_some(at + end)
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn urls_are_taken_apart_and_put_together_again() {
        let cases = [
            ("rtmp://h/live/s", "h", 1935, "live", "s"),
            ("rtmp://h:19350/live/s", "h", 19350, "live", "s"),
            ("rtmp://h:1935/live/s", "h", 1935, "live", "s"),
            ("rtmp://10.0.0.1/live/s", "10.0.0.1", 1935, "live", "s"),
            ("rtmp://[::1]/live/s", "::1", 1935, "live", "s"),
            (
                "rtmp://[2001:db8::1]:1936/live/s",
                "2001:db8::1",
                1936,
                "live",
                "s",
            ),
            ("rtmp://h/live/sub/s", "h", 1935, "live/sub", "s"),
            ("rtmp://h/a/b/c/s", "h", 1935, "a/b/c", "s"),
            ("rtmp://h/live/s?token=x", "h", 1935, "live", "s?token=x"),
            (
                "rtmp://h/live/s?token=a/b==&u=http://x/y?z",
                "h",
                1935,
                "live",
                "s?token=a/b==&u=http://x/y?z",
            ),
            ("rtmp://h/live/s?token=a/", "h", 1935, "live", "s?token=a/"),
            ("rtmp://h/live/s?vhost=v", "h", 1935, "live", "s?vhost=v"),
            (
                "rtmp://h/live/s?vhost=v&token=a/b",
                "h",
                1935,
                "live",
                "s?vhost=v&token=a/b",
            ),
            ("rtmp://h/live?vhost=v/s", "h", 1935, "live?vhost=v", "s"),
            (
                "rtmp://h/live?vhost=v/s?token=a/b",
                "h",
                1935,
                "live?vhost=v",
                "s?token=a/b",
            ),
            (
                "rtmp://h/live?key=k&vhost=v/s",
                "h",
                1935,
                "live?key=k&vhost=v",
                "s",
            ),
            (
                "rtmp://h/live/sub?vhost=v/s",
                "h",
                1935,
                "live/sub?vhost=v",
                "s",
            ),
            (
                "rtmp://h/live/sub?key=k,vhost=v/s?a=1",
                "h",
                1935,
                "live/sub?key=k,vhost=v",
                "s?a=1",
            ),
            (
                "rtmp://h/live/s?myvhost=a/b",
                "h",
                1935,
                "live",
                "s?myvhost=a/b",
            ),
            (
                "rtmp://h/live...vhost...v/s",
                "h",
                1935,
                "live...vhost...v",
                "s",
            ),
            ("rtmp://h/live/?vhost=v/s", "h", 1935, "live/?vhost=v", "s"),
        ];
        for (text, host, port, app, stream) in cases {
            let url = RtmpUrl::parse(text).unwrap();
            let parts = (url.host(), url.port(), url.app(), url.stream());
            assert_eq!(parts, (host, port, app, stream), "{text}");
            assert_eq!(url.to_string(), text);
            assert_eq!(format!("{}/{stream}", url.tc_url()), text);
        }
    }

    #[test]
    fn what_means_the_same_is_put_into_one_form() {
        let cases = [
            ("RTMP://h/live/s", "rtmp://h/live/s"),
            ("rtmp://h//live//s/", "rtmp://h/live/s"),
            ("rtmp://h/live//s?token=a//", "rtmp://h/live/s?token=a//"),
            ("rtmp://h/live?vhost=v//s", "rtmp://h/live?vhost=v/s"),
        ];
        for (text, expected) in cases {
            assert_eq!(
                text.parse::<RtmpUrl>().unwrap().to_string(),
                expected,
                "{text}"
            );
        }
    }

    #[test]
    fn mistakes_are_named() {
        let scheme = |scheme: &str| UrlError::UnsupportedScheme {
            scheme: scheme.to_owned(),
        };
        let cases = [
            ("", UrlError::MissingScheme),
            ("h/live/s", UrlError::MissingScheme),
            ("://h/live/s", UrlError::MissingScheme),
            ("h/live/s?u=http://x", UrlError::MissingScheme),
            ("rtmps://h/live/s", scheme("rtmps")),
            ("http://h/live/s", scheme("http")),
            ("rtmp:///live/s", UrlError::MissingHost),
            ("rtmp://:1935/live/s", UrlError::MissingHost),
            (
                "rtmp://h:/live/s",
                UrlError::BadPort {
                    port: String::new(),
                },
            ),
            (
                "rtmp://h:rtmp/live/s",
                UrlError::BadPort {
                    port: "rtmp".to_owned(),
                },
            ),
            (
                "rtmp://::1/live/s",
                UrlError::BadHost {
                    host: "::1".to_owned(),
                },
            ),
            ("rtmp://user:secret@h/live/s", UrlError::UserInfo),
            ("rtmp://h", UrlError::MissingApp),
            ("rtmp://h/", UrlError::MissingApp),
            ("rtmp://h?vhost=v", UrlError::MissingApp),
            ("rtmp://h/?vhost=v/s", UrlError::MissingApp),
            ("rtmp://h/live", UrlError::MissingStream),
            ("rtmp://h/live/", UrlError::MissingStream),
            ("rtmp://h/live?vhost=v", UrlError::MissingStream),
            ("rtmp://h/live/?vhost=v", UrlError::MissingStream),
            ("rtmp://h/live?vhost=v/?a=1", UrlError::MissingStream),
            ("rtmp://h/live/s\n", UrlError::BadCharacter { found: '\n' }),
            (
                "rtmp://h/live/my stream",
                UrlError::BadCharacter { found: ' ' },
            ),
        ];
        for (text, expected) in cases {
            assert_eq!(RtmpUrl::parse(text), Err(expected), "{text}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_refused_or_given_back(
            text in r"(rtmp://)?[\[\]a-z:/?&=,.%@0-9]{0,30}|.{0,30}",
        ) {
            if let Ok(url) = RtmpUrl::parse(&text) {
                let again = RtmpUrl::parse(&url.to_string());
                prop_assert_eq!(again, Ok(url));
            }
        }
    }
}
