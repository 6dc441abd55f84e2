//! Any text as addresses: a client's URL, and what a server hears in `connect`, `publish`, `play`.

use srs_rtmp::url::{AppTarget, RtmpUrl, UrlError};

/// Takes three texts, separated by zeros: URL or `tcUrl`, app and stream. A URL that is read is
/// given back the same; names lead to no other folder, vhost or line of a log.
pub fn url(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let mut parts = text.splitn(3, '\0');
    let [first, app, stream] = std::array::from_fn(|_| parts.next());
    let first = first.unwrap_or_default();
    check_url(first);
    match AppTarget::resolve(first, app) {
        Ok(target) => check_target(&target, stream.unwrap_or_default()),
        Err(error) => check_error(&error),
    }
}

fn check_url(text: &str) {
    let url = match RtmpUrl::parse(text) {
        Ok(url) => url,
        Err(error) => return check_error(&error),
    };
    let shown = url.to_string();
    assert_eq!(RtmpUrl::parse(&shown), Ok(url.clone()));
    assert_eq!(shown, format!("{}/{}", url.tc_url(), url.stream()));
    assert!(!shown.contains(|c: char| c.is_control() || c.is_whitespace()));
    assert!(!url.host().is_empty() && url.port() > 0);
    assert!(!url.app().is_empty() && !url.stream().is_empty());

    // What a client makes of it, a server understands.
    match AppTarget::resolve(&url.tc_url(), Some(url.app())) {
        Ok(target) => assert_eq!((&*target.host, target.port), (url.host(), url.port())),
        Err(UrlError::MissingApp | UrlError::MissingHost | UrlError::BadName { .. }) => {}
        Err(error) => panic!("{shown}: {error}"),
    }
}

fn check_target(target: &AppTarget, name: &str) {
    assert!(!target.host.is_empty() && target.port > 0);
    check_vhost(&target.vhost);
    check_path(&target.app);
    check_params(&target.params);
    let again = AppTarget::resolve(&format!("rtmp://h/{}", target.app), None);
    assert_eq!(again.expect("an app that was read").app, target.app);

    let stream = match target.stream(name) {
        Ok(stream) => stream,
        Err(error) => return check_error(&error),
    };
    check_vhost(&stream.vhost);
    check_path(&stream.stream);
    check_params(&stream.params);
    assert_eq!(stream.app, target.app);
    assert_eq!(
        stream.key(),
        format!("{}/{}/{}", stream.vhost, stream.app, stream.stream)
    );
    if target.vhost != target.host.replace('/', "") {
        assert_eq!(stream.vhost, target.vhost, "a player stays in its vhost");
    }
    let again = target.stream(&stream.stream).expect("a name that was read");
    assert_eq!(again.stream, stream.stream);
}

/// App and stream become paths of files.
fn check_path(path: &str) {
    for level in path.split('/') {
        assert!(!matches!(level, "" | "." | ".."), "{path:?}");
    }
    check_characters(path);
}

fn check_vhost(vhost: &str) {
    assert!(!vhost.contains('/'), "{vhost:?}");
    check_path(vhost);
}

/// Parameters are handed on as they are, white space within them too.
fn check_params(params: &str) {
    let is_bad = |c: char| c.is_control() && !matches!(c, '\r' | '\n' | '\t');
    assert!(!params.contains(is_bad), "{params:?}");
}

fn check_characters(name: &str) {
    assert!(
        !name.contains(|c: char| c.is_control() || c == ' '),
        "{name:?}"
    );
}

/// Errors go to logs, and to the peer.
fn check_error(error: &UrlError) {
    let text = error.to_string();
    assert!(
        text.len() < 1000 && !text.contains(char::is_control),
        "{text:?}"
    );
}
