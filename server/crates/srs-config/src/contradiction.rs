//! Settings that are right alone but not together.

use super::key_path::KeyPath;
use super::{ApiAddr, ApiAuth, Config, TimeJitter};

/// Settings that cannot be so together.
pub(super) struct Contradiction {
    /// The settings, the one that is to blame first if they are all in one file.
    pub(super) settings: Vec<KeyPath>,
    /// What would be right.
    pub(super) help: String,
}

/// All contradictions in `config`.
pub(super) fn find(config: &Config) -> Vec<Contradiction> {
    let mut found = Vec::new();
    found.extend(unprotected_api(config));
    found.extend(half_a_login(config));
    found.extend(shared_addresses(config));
    found.extend(rewritten_timestamps(config));
    found
}

/// An API that others can reach needs to know who they are.
fn unprotected_api(config: &Config) -> Option<Contradiction> {
    let api = &config.http_api;
    let has_proof = api.token.is_some() || (api.username.is_some() && api.password.is_some());
    if !api.enabled || api.auth == ApiAuth::Never || has_proof {
        return None;
    }
    let (index, address) = (0..).zip(&api.listen).find(|(_, a)| !a.is_local())?;
    let table = KeyPath::of_keys(&["http_api"]);
    let local = match address {
        ApiAddr::Tcp(address) => format!("\"127.0.0.1:{}\"", address.port()),
        ApiAddr::Unix(_) => "a unix socket".to_owned(),
    };
    Some(Contradiction {
        settings: vec![
            table.key("listen").element(index),
            table.key("auth"),
            table.key("enabled"),
        ],
        help: format!(
            "others can reach \"{address}\", so [http_api] needs a token, or a username and a \
             password, or auth = \"never\" if anybody may rule this server; or listen on {local}"
        ),
    })
}

/// Basic authentication takes a name and a password.
fn half_a_login(config: &Config) -> Option<Contradiction> {
    let api = &config.http_api;
    let table = KeyPath::of_keys(&["http_api"]);
    let (there, missing) = match (&api.username, &api.password) {
        (Some(_), None) => ("username", "password"),
        (None, Some(_)) => ("password", "username"),
        (Some(name), Some(_)) if name.is_empty() || name.contains(':') => {
            return Some(Contradiction {
                settings: vec![table.key("username")],
                help: "a name for basic authentication is not empty and has no colon".to_owned(),
            });
        }
        _ => return None,
    };
    Some(Contradiction {
        settings: vec![table.key(there)],
        help: format!("it needs a `{missing}` beside it"),
    })
}

/// RTMP and the API cannot have one address.
fn shared_addresses(config: &Config) -> Option<Contradiction> {
    if !config.http_api.enabled {
        return None;
    }
    let (index, address, rtmp) = (0..)
        .zip(&config.http_api.listen)
        .find_map(|(index, api)| {
            let ApiAddr::Tcp(address) = api else {
                return None;
            };
            let mut rtmp = config.listen.iter();
            let other = rtmp.find(|rtmp| rtmp.covers(address) || address.covers(rtmp))?;
            Some((index, address, other))
        })?;
    let api = KeyPath::of_keys(&["http_api"]);
    Some(Contradiction {
        settings: vec![
            api.key("listen").element(index),
            KeyPath::of_keys(&["listen"]),
            api.key("enabled"),
        ],
        help: format!(
            "\"{rtmp}\" is where RTMP is listened for, so \"{address}\" cannot be the API's: \
             expected another port"
        ),
    })
}

/// Order by timestamps needs timestamps that nothing rewrites.
fn rewritten_timestamps(config: &Config) -> impl Iterator<Item = Contradiction> {
    let is_wrong = |(_, vhost): &(_, &super::VhostConfig)| {
        vhost.mix_correct && !vhost.atc && vhost.time_jitter != TimeJitter::Off
    };
    config.vhosts.iter().filter(is_wrong).map(|(name, _)| {
        let table = KeyPath::of_keys(&["vhost", name.as_str()]);
        Contradiction {
            settings: vec![
                table.key("mix_correct"),
                table.key("atc"),
                table.key("time_jitter"),
            ],
            help: "mix_correct = true needs atc = true or time_jitter = \"off\" in the same table"
                .to_owned(),
        }
    })
}
