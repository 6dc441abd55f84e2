//! Where a server's API is: `unix:PATH`, `http://HOST:PORT`, `https://HOST`, `HOST:PORT`.

use std::env;
use std::fmt;
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use reqwest::Url;

/// Where a server's API is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum ServerAddr {
    /// The path of a unix socket.
    Unix(PathBuf),
    /// What the paths of the API are below of; it ends with a slash.
    Http(Url),
}

impl ServerAddr {
    /// Where the API of a server on this host is by default, the likeliest first.
    pub(crate) fn defaults() -> Vec<Self> {
        let own = env::var_os("XDG_RUNTIME_DIR").filter(|folder| !folder.is_empty());
        let own = own.map(|folder| Path::new(&folder).join("srs/api.sock"));
        [PathBuf::from(srs_config::DEFAULT_API_SOCKET)]
            .into_iter()
            .chain(own)
            .map(Self::Unix)
            .collect()
    }

    /// What requests are made below of. For a unix socket the host says nothing.
    pub(crate) fn base(&self) -> Url {
        match self {
            Self::Unix(_) => Url::parse("http://localhost/").expect("a URL"),
            Self::Http(url) => url.clone(),
        }
    }

    /// The path, if it is a unix socket.
    pub(crate) fn socket(&self) -> Option<&Path> {
        match self {
            Self::Unix(path) => Some(path),
            Self::Http(_) => None,
        }
    }

    /// Whether the server is on this host.
    pub(crate) fn is_local(&self) -> bool {
        match self {
            Self::Unix(_) => true,
            Self::Http(url) => url.host_str().is_some_and(|host| {
                let host = host.trim_matches(['[', ']']);
                let is_loopback = |ip: IpAddr| ip.is_loopback();
                host == "localhost" || host.parse().is_ok_and(is_loopback)
            }),
        }
    }
}

impl fmt::Display for ServerAddr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unix(path) => write!(f, "unix:{}", path.display()),
            Self::Http(url) => f.write_str(url.as_str().trim_end_matches('/')),
        }
    }
}

/// Why text is no address of a server.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum AddrError {
    #[error("expected {ADDRESSES}")]
    Unknown,
    #[error("the path of a socket has 1 to 107 bytes")]
    SocketPath,
    #[error("a name and a password are given with --user")]
    Credentials,
    #[error("expected no more than scheme, host, port and path")]
    Parameters,
}

impl FromStr for ServerAddr {
    type Err = AddrError;

    fn from_str(text: &str) -> Result<Self, AddrError> {
        if let Some(path) = text.strip_prefix("unix:") {
            // sockaddr_un has room for 107 bytes and a NUL.
            let is_right = (1..=107).contains(&path.len()) && !path.contains('\0');
            return is_right
                .then(|| Self::Unix(path.into()))
                .ok_or(AddrError::SocketPath);
        }
        let text = match text.split_once("://") {
            Some(("http" | "https", _)) => text.to_owned(),
            None if has_port(text) => format!("http://{text}"),
            _ => return Err(AddrError::Unknown),
        };
        let mut url = Url::parse(&text).map_err(|_| AddrError::Unknown)?;
        if !url.username().is_empty() || url.password().is_some() {
            return Err(AddrError::Credentials);
        }
        if url.query().is_some() || url.fragment().is_some() {
            return Err(AddrError::Parameters);
        }
        if !url.path().ends_with('/') {
            let path = format!("{}/", url.path());
            url.set_path(&path);
        }
        Ok(Self::Http(url))
    }
}

/// Whether `text` is HOST:PORT, and not a word or a path.
fn has_port(text: &str) -> bool {
    text.rsplit_once(':').is_some_and(|(host, port)| {
        !host.is_empty() && !host.contains('/') && port.parse::<u16>().is_ok()
    })
}

/// The forms of an address, as messages list them.
pub(crate) const ADDRESSES: &str = "unix:PATH, http://HOST:PORT, https://HOST:PORT or HOST:PORT";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_sockets_urls_and_hosts_with_ports() {
        let cases = [
            ("unix:/run/srs/api.sock", "unix:/run/srs/api.sock", true),
            ("unix:api.sock", "unix:api.sock", true),
            ("http://127.0.0.1:1985", "http://127.0.0.1:1985", true),
            ("http://[::1]:1985/", "http://[::1]:1985", true),
            ("localhost:1985", "http://localhost:1985", true),
            ("edge1:1985", "http://edge1:1985", false),
            ("[2001:db8::1]:1985", "http://[2001:db8::1]:1985", false),
            (
                "https://live.example.com",
                "https://live.example.com",
                false,
            ),
            ("https://example.com/srs", "https://example.com/srs", false),
        ];
        for (text, shown, is_local) in cases {
            let address: ServerAddr = text.parse().unwrap();
            assert_eq!(address.to_string(), shown);
            assert_eq!(address.is_local(), is_local, "{text}");
        }
    }

    #[test]
    fn what_is_no_address_is_told_what_would_be_one() {
        let cases = [
            ("", AddrError::Unknown),
            ("edge1", AddrError::Unknown),
            ("/run/srs/api.sock", AddrError::Unknown),
            ("rtmp://host/live", AddrError::Unknown),
            ("host:port", AddrError::Unknown),
            ("http://", AddrError::Unknown),
            ("unix:", AddrError::SocketPath),
            ("http://admin:secret@host:1985", AddrError::Credentials),
            ("http://host:1985/?token=x", AddrError::Parameters),
        ];
        for (text, error) in cases {
            assert_eq!(text.parse::<ServerAddr>(), Err(error), "{text}");
        }
    }

    #[test]
    fn requests_are_made_below_the_path() {
        let address: ServerAddr = "https://example.com/srs".parse().unwrap();
        let url = address.base().join("api/v1/streams").unwrap();
        assert_eq!(url.as_str(), "https://example.com/srs/api/v1/streams");
    }
}
