//! The path of a request: as SRS, `//` is `/` and a `/` at the end is none.

use std::borrow::Cow;

use axum::http::Uri;
use axum::http::uri::PathAndQuery;

/// Makes `//a///b/` of a request `/a/b`. The query is left alone.
pub(super) fn normalise<B>(request: &mut axum::http::Request<B>) {
    let uri = request.uri();
    let Cow::Owned(path) = normalised(uri.path()) else {
        return;
    };
    let path_and_query = match uri.query() {
        Some(query) => format!("{path}?{query}"),
        None => path,
    };
    let mut parts = uri.clone().into_parts();
    // What was a path is one with fewer slashes; if not, it is answered as it came.
    if let Ok(path_and_query) = PathAndQuery::try_from(path_and_query) {
        parts.path_and_query = Some(path_and_query);
        if let Ok(uri) = Uri::from_parts(parts) {
            *request.uri_mut() = uri;
        }
    }
}

fn normalised(path: &str) -> Cow<'_, str> {
    if path.starts_with('/') && !path.contains("//") && (path.len() == 1 || !path.ends_with('/')) {
        return path.into();
    }
    let parts = path.split('/').filter(|part| !part.is_empty());
    let mut whole = String::with_capacity(path.len());
    for part in parts {
        whole.push('/');
        whole.push_str(part);
    }
    if whole.is_empty() {
        whole.push('/');
    }
    whole.into()
}

/// Path and query, as answers show them to who has sent them: what is long is cut.
pub(super) fn shown(uri: &Uri) -> String {
    let whole = uri
        .path_and_query()
        .map_or_else(|| uri.path(), PathAndQuery::as_str);
    cut(whole)
}

/// The path, as the log shows it: what is long is cut. Some write a token into the query.
pub(super) fn shown_path(uri: &Uri) -> String {
    cut(uri.path())
}

fn cut(whole: &str) -> String {
    match whole.char_indices().nth(MAX_SHOWN) {
        Some((end, _)) => format!("{}…", &whole[..end]),
        None => whole.to_owned(),
    }
}

const MAX_SHOWN: usize = 256;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slashes_too_many_are_left_out() {
        let cases = [
            ("/", "/"),
            ("//", "/"),
            ("/api/v1", "/api/v1"),
            ("/api/v1/", "/api/v1"),
            ("//api///v1//streams//s1//", "/api/v1/streams/s1"),
            ("/api/v1/vhosts/a%2F%2Fb", "/api/v1/vhosts/a%2F%2Fb"),
        ];
        for (path, expected) in cases {
            assert_eq!(normalised(path), expected, "{path}");
            let mut request = axum::http::Request::get(format!("{path}?a=//&b=/"))
                .body(())
                .unwrap();
            normalise(&mut request);
            assert_eq!(request.uri().to_string(), format!("{expected}?a=//&b=/"));
        }
    }

    #[test]
    fn a_host_before_the_path_stays() {
        let mut request = axum::http::Request::get("http://host:1985//api/")
            .body(())
            .unwrap();
        normalise(&mut request);
        assert_eq!(request.uri().to_string(), "http://host:1985/api");
    }

    #[test]
    fn a_long_url_is_shown_in_part() {
        let uri: Uri = format!("/{}", "x".repeat(1_000)).parse().unwrap();
        assert_eq!(shown(&uri).chars().count(), MAX_SHOWN + 1);
        assert_eq!(shown_path(&uri).chars().count(), MAX_SHOWN + 1);
    }

    #[test]
    fn the_log_shows_no_query() {
        let uri = Uri::from_static("/api/v1/clients?token=s3cret");
        assert_eq!(shown(&uri), "/api/v1/clients?token=s3cret");
        assert_eq!(shown_path(&uri), "/api/v1/clients");
    }
}
