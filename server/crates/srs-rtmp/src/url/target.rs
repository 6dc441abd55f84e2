//! What a server makes of `connect` and of a stream's name.

use std::net::Ipv6Addr;

use super::query::Query;
use super::{DEFAULT_PORT, UrlError, quoted, split_host, split_scheme};

/// What `connect` says: host, vhost and app. [`stream`](Self::stream) adds the stream when the
/// client names it.
///
/// The vhost is that of a parameter, in any of these forms, else the host:
///
/// | `tcUrl` | app | vhost |
/// |---|---|---|
/// | `rtmp://h/live` | `live` | `h` |
/// | `rtmp://h/live/sub` | `live/sub` | `h` |
/// | `rtmp://h/live?vhost=v&key=k` | `live` | `v` |
/// | `rtmp://h/live?key=k,vhost=v` | `live` | `v` |
/// | `rtmp://h/live...vhost...v` | `live` | `v` |
///
/// Nothing is percent-decoded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AppTarget {
    /// The server's host as the client calls it; an IPv6 address without brackets.
    pub host: String,
    /// The server's port as the client calls it, [`DEFAULT_PORT`] if it does not.
    pub port: u16,
    /// The virtual host, before any default.
    pub vhost: String,
    /// The app, of one or several levels, without parameters.
    pub app: String,
    /// The app's parameters without the vhost, joined by `&`.
    pub params: String,
    /// Whether a parameter gave the vhost.
    vhost_is_named: bool,
}

impl AppTarget {
    /// Resolves the properties `tcUrl` and `app` of `connect`; the second counts if the first has
    /// no app. Any scheme will do: what the client calls `rtmps` or `rtmpt` may have become RTMP on
    /// its way.
    ///
    /// # Errors
    /// [`UrlError`] if scheme, host or app are missing, the port is none, or a name cannot be one.
    pub fn resolve(tc_url: &str, connect_app: Option<&str>) -> Result<Self, UrlError> {
        let (_, rest) = split_scheme(tc_url.trim_start_matches(SPACE))?;
        let (authority, path) = rest.split_at(rest.find(['/', '?']).unwrap_or(rest.len()));
        let authority = clean(authority)?;
        // Credentials are for servers that ask for them.
        let authority = authority
            .rsplit_once('@')
            .map_or(&*authority, |(_, host)| host);
        let (host, port) = if authority.parse::<Ipv6Addr>().is_ok() {
            // Some clients lose the brackets.
            (authority, None)
        } else {
            split_host(authority)?
        };

        let (mut app, mut query) = parse_app(path)?;
        if app.is_empty()
            && let Some(connect_app) = connect_app
        {
            let (name, more) = parse_app(connect_app)?;
            app = name;
            query.append(more);
        }
        if app.is_empty() {
            return Err(UrlError::MissingApp);
        }

        let named = query
            .vhost
            .map(|vhost| clean_vhost(&vhost))
            .transpose()?
            .flatten();
        Ok(Self {
            vhost_is_named: named.is_some(),
            vhost: match named {
                Some(vhost) => vhost,
                None => clean_vhost(host)?.ok_or(UrlError::MissingHost)?,
            },
            host: host.to_owned(),
            port: port.unwrap_or(DEFAULT_PORT),
            app,
            params: query.params,
        })
    }

    /// The stream that a client names in `publish`, `play` and the like.
    ///
    /// Its parameters are split off at the first `?`. A vhost among them counts if `connect` named
    /// none; a player cannot leave the vhost into which it was let.
    ///
    /// # Errors
    /// [`UrlError`] if nothing is left for the name, or the name cannot be one.
    pub fn stream(&self, name: &str) -> Result<Target, UrlError> {
        let (name, query) = name.split_once('?').unwrap_or((name, ""));
        let stream = clean_path(name)?;
        if stream.is_empty() {
            return Err(UrlError::MissingStream);
        }
        refuse_control_characters(query)?;
        let mut all = Query {
            vhost: None,
            params: self.params.clone(),
        };
        all.append(Query::parse(query));

        let named = all
            .vhost
            .map(|vhost| clean_vhost(&vhost))
            .transpose()?
            .flatten();
        Ok(Target {
            host: self.host.clone(),
            port: self.port,
            vhost: match named {
                Some(vhost) if !self.vhost_is_named => vhost,
                _ => self.vhost.clone(),
            },
            app: self.app.clone(),
            stream,
            params: all.params,
        })
    }
}

/// A stream as a client addresses it, resolved.
///
/// ```
/// use srs_rtmp::url::Target;
///
/// let target = Target::resolve("rtmp://10.0.0.1/live", None, "camera?vhost=v&token=x")?;
/// assert_eq!(target.key(), "v/live/camera");
/// assert_eq!(target.params, "token=x");
/// # Ok::<(), srs_rtmp::url::UrlError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    /// The server's host as the client calls it; an IPv6 address without brackets.
    pub host: String,
    /// The server's port as the client calls it, [`DEFAULT_PORT`] if it does not.
    pub port: u16,
    /// The virtual host, before any default.
    pub vhost: String,
    /// The app, of one or several levels, without parameters.
    pub app: String,
    /// The stream, usually of one level, without parameters.
    pub stream: String,
    /// The parameters of app and stream without the vhost, in order, joined by `&`.
    pub params: String,
}

impl Target {
    /// [`AppTarget::resolve`] and [`AppTarget::stream`] in one.
    ///
    /// # Errors
    /// Those of the two.
    pub fn resolve(
        tc_url: &str,
        connect_app: Option<&str>,
        stream: &str,
    ) -> Result<Self, UrlError> {
        AppTarget::resolve(tc_url, connect_app)?.stream(stream)
    }

    /// `vhost/app/stream`, which is what two addresses of the same stream have in common: clients
    /// do not agree where in `rtmp://h/a/b/c/d` the app ends.
    pub fn key(&self) -> String {
        format!("{}/{}/{}", self.vhost, self.app, self.stream)
    }
}

/// Splits an app from its parameters.
fn parse_app(text: &str) -> Result<(String, Query), UrlError> {
    // White space goes before the separators are looked for: it may stand within one.
    let (names, params) = text.split_at(text.find(['?', ',', '&', '=']).unwrap_or(text.len()));
    refuse_control_characters(params)?;
    let text = (clean(names)? + params).replace("...vhost...", "?vhost=");
    let end = ["?", ",", "&", "=", "..."]
        .iter()
        .filter_map(|separator| text.find(separator))
        .min();
    let (name, query) = text.split_at(end.unwrap_or(text.len()));
    let query = query
        .strip_prefix("...")
        .or_else(|| query.get(1..))
        .unwrap_or_default();
    Ok((clean_path(name)?, Query::parse(query)))
}

/// A name of one or several levels, without white space and superfluous slashes.
fn clean_path(name: &str) -> Result<String, UrlError> {
    let name = clean(name)?;
    let levels: Vec<&str> = name.split('/').filter(|level| !level.is_empty()).collect();
    if levels.iter().any(|level| is_dots(level)) {
        return Err(UrlError::BadName {
            name: quoted(&name),
        });
    }
    Ok(levels.join("/"))
}

/// A vhost without white space and slashes; `None` if nothing is left.
fn clean_vhost(name: &str) -> Result<Option<String>, UrlError> {
    let name = clean(name)?.replace('/', "");
    if is_dots(&name) {
        return Err(UrlError::BadName { name });
    }
    Ok(Some(name).filter(|name| !name.is_empty()))
}

fn clean(text: &str) -> Result<String, UrlError> {
    refuse_control_characters(text)?;
    Ok(text.replace(SPACE, ""))
}

fn refuse_control_characters(text: &str) -> Result<(), UrlError> {
    match text.chars().find(|c| c.is_control() && !SPACE.contains(c)) {
        Some(found) => Err(UrlError::BadCharacter { found }),
        None => Ok(()),
    }
}

/// Whether a name would lead out of the directory that is made for it.
fn is_dots(level: &str) -> bool {
    matches!(level, "." | "..")
}

/// What people paste along with a name, and never mean.
const SPACE: [char; 4] = [' ', '\r', '\n', '\t'];

#[cfg(test)]
mod tests;
