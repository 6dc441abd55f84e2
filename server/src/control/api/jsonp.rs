//! JSONP, as later SRS has it: `?callback=name` makes a script of an answer, for pages of other
//! origins in browsers that know nothing better.
//!
//! Any page can load a script, and older browsers do not say whose page it is. So what is given is
//! what `http_api.crossdomain` gives to all pages anyway: reads, never by a password that the
//! browser adds by itself, nor because the browser runs on this host.

use axum::body::Body;
use axum::http::header::{AUTHORIZATION, CONTENT_LENGTH, CONTENT_TYPE};
use axum::http::{HeaderValue, Method, Request};
use axum::response::Response;
use bytes::{BufMut, BytesMut};
use http_body_util::BodyExt;
use schemars::JsonSchema;
use serde::Deserialize;

use super::guard;
use super::peer::HttpPeer;
use super::refusal::{Refusal, has_json};
use crate::config::{ApiAuth, HttpApiConfig};

/// The parameters that make a script of an answer.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
pub(super) struct JsonpQuery {
    /// The function of the page that is to be called with the answer: the answer is then a script.
    #[schemars(with = "String", regex(pattern = "^[A-Za-z0-9._-]{1,64}$"))]
    pub(super) callback: Option<String>,
    /// The method that the page means; only GET is taken.
    #[schemars(with = "String")]
    pub(super) method: Option<String>,
}

/// The name of the function that is to be called.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Callback(String);

impl Callback {
    /// What a request asks for, if it asks for a script.
    ///
    /// # Errors
    /// It does, but not rightly.
    pub(super) fn of<B>(request: &Request<B>) -> Result<Option<Self>, Refusal> {
        if request.method() != Method::GET || request.uri().query().is_none() {
            return Ok(None);
        }
        // A query that cannot be read at all is the business of whoever needs it.
        let Ok(axum::extract::Query(query)) =
            axum::extract::Query::<JsonpQuery>::try_from_uri(request.uri())
        else {
            return Ok(None);
        };
        let Some(name) = query.callback else {
            return Ok(None);
        };
        let is_name = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
        let is_number = |name: &str| name.starts_with(|c: char| c.is_ascii_digit());
        if name.is_empty()
            || is_number(&name)
            || name.len() > MAX_NAME
            || !name.bytes().all(is_name)
        {
            return Err(Refusal::Query(CALLBACK_RULE.to_owned()));
        }
        match query.method {
            Some(method) if !method.eq_ignore_ascii_case("GET") => {
                Err(Refusal::Callback(CALLBACK_READS))
            }
            _ => Ok(Some(Self(name))),
        }
    }

    /// `answer` as a script, if it is JSON.
    pub(super) async fn wrap(&self, answer: Response) -> Response {
        if !has_json(&answer) {
            return answer;
        }
        let (mut parts, body) = answer.into_parts();
        // It is in memory whole.
        let json = body
            .collect()
            .await
            .map(|body| body.to_bytes())
            .unwrap_or_default();
        let mut script = BytesMut::with_capacity(self.0.len() + 2 + json.len());
        script.put_slice(self.0.as_bytes());
        script.put_u8(b'(');
        script.put(json);
        script.put_u8(b')');
        parts.headers.remove(CONTENT_LENGTH);
        parts
            .headers
            .insert(CONTENT_TYPE, HeaderValue::from_static(SCRIPT));
        Response::from_parts(parts, Body::from(script.freeze()))
    }
}

/// Checks that a request may be answered with a script.
///
/// # Errors
/// It may not.
pub(super) fn check<B>(
    config: &HttpApiConfig,
    peer: HttpPeer,
    request: &Request<B>,
) -> Result<(), Refusal> {
    if !config.crossdomain {
        return Err(Refusal::Callback(CALLBACK_OFF));
    }
    let proof = request
        .headers()
        .get(AUTHORIZATION)
        .map(HeaderValue::as_bytes);
    let is_basic = |proof: &[u8]| {
        proof
            .get(..5)
            .is_some_and(|it| it.eq_ignore_ascii_case(b"basic"))
    };
    if proof.is_some_and(is_basic) {
        return Err(Refusal::Callback(CALLBACK_PASSWORD));
    }
    // The guard let it in: by a token, or by where it comes from. No browser asks a unix socket.
    let is_by_place = proof.is_none() && config.auth != ApiAuth::Never;
    let is_tcp = peer.ip().is_some();
    if is_by_place && is_tcp && !guard::is_same_origin(request.headers()) {
        return Err(Refusal::Callback(CALLBACK_PLACE));
    }
    Ok(())
}

const SCRIPT: &str = "text/javascript;charset=utf-8";
const MAX_NAME: usize = 64;
const CALLBACK_RULE: &str =
    "callback: expected a name of 1 to 64 letters, digits, `.`, `_` and `-`, no digit first";
const CALLBACK_READS: &str = "a callback only reads: any page could send another method this way";
const CALLBACK_OFF: &str = "a callback gives answers to pages of other origins, which \
                            http_api.crossdomain = false does not";
const CALLBACK_PLACE: &str = "a callback is not answered to whoever asks from this host: any page \
                              could; it needs the bearer token, or http_api.auth = \"never\"";
const CALLBACK_PASSWORD: &str = "a callback takes no name and password: the browser would add \
                                 them for any page";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_callback_has_a_plain_name_and_only_reads() {
        let callback = |query: &str| {
            let request = Request::get(format!("/api/v1?{query}")).body(()).unwrap();
            Callback::of(&request).map_err(|refusal| refusal.status().as_u16())
        };
        let named = |name: &str| Ok(Some(Callback(name.to_owned())));
        let long = "x".repeat(65);
        assert_eq!(callback("callback=jQuery.cb_1-2"), named("jQuery.cb_1-2"));
        assert_eq!(callback("callback=x&method=get"), named("x"));
        assert_eq!(
            callback("method=DELETE"),
            Ok(None),
            "without a callback it means nothing"
        );
        assert_eq!(callback("callback=x&method=DELETE"), Err(403));
        for bad in [
            "",
            "alert(1)//",
            "a%20b",
            "%3Cscript%3E",
            "a%0a",
            "%C3%A4",
            "0",
            "1x",
            &long,
        ] {
            assert_eq!(callback(&format!("callback={bad}")), Err(400), "{bad}");
        }
    }
}
