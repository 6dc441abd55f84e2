//! Addresses in every form that clients are known to send, and in some that nobody should.

use proptest::prelude::*;

use super::*;
use crate::url::RtmpUrl;

/// `vhost`, `app`, `stream` and `params` of an address.
fn resolved(tc_url: &str, app: Option<&str>, stream: &str) -> Result<[String; 4], UrlError> {
    let target = Target::resolve(tc_url, app, stream)?;
    Ok([target.vhost, target.app, target.stream, target.params])
}

#[test]
fn an_app_is_resolved_in_every_form_that_clients_send() {
    let cases = [
        ("rtmp://h/live", "live", "h", ""),
        ("rtmp://h:19350/live/sub", "live/sub", "h", ""),
        ("rtmp://h/a/b/c/d", "a/b/c/d", "h", ""),
        ("rtmp://h/live?vhost=v", "live", "v", ""),
        ("rtmp://h/live/sub?vhost=v", "live/sub", "v", ""),
        ("rtmp://h/live...vhost...v", "live", "v", ""),
        ("rtmp://h/live/sub...vhost...v", "live/sub", "v", ""),
        ("rtmp://h/live...vhost...v?key=k", "live", "v", "key=k"),
        ("rtmp://h/live...vhost...v...key=k", "live", "v", "key=k"),
        ("rtmp://h/live?key=k...vhost...v", "live", "v", "key=k"),
        ("rtmp://h/live...key=k", "live", "h", "key=k"),
        ("rtmp://h/live?key=k,vhost=v", "live", "v", "key=k"),
        ("rtmp://h/live,vhost=v", "live", "v", ""),
        ("rtmp://h/live=vhost=v", "live", "v", ""),
        ("rtmp://h/live?key=k&vhost=v", "live", "v", "key=k"),
        ("rtmp://h/live?vhost=v&&key=k", "live", "v", "key=k"),
        ("rtmp://h/live?vhost=v&key=k", "live", "v", "key=k"),
        ("rtmp://h/live?vhost=v?key=k", "live", "v", "key=k"),
        ("rtmp://h/live&vhost=v", "live", "v", ""),
        ("rtmp://h/live?vhost=", "live", "h", ""),
        ("rtmp://h/live?vhost=/", "live", "h", ""),
        ("rtmp://h/live?vhost=v/", "live", "v", ""),
        ("rtmp://h/live/?vhost=v", "live", "v", ""),
        (
            "rtmp://h/live?token=a/b==&ip=1,2",
            "live",
            "h",
            "token=a/b==&ip=1,2",
        ),
        // Superfluous slashes and white space.
        ("rtmp://h//live//sub/", "live/sub", "h", ""),
        (" rtmp://h/live\r\n", "live", "h", ""),
        ("rtmp:// h /\tli ve ?vhost= v \n", "live", "v", ""),
        ("rtmp://h/live.. .vhost. ..v", "live", "v", ""),
        ("rtmp://h/live.\t..key=k", "live", "h", "key=k"),
        // Flash, with the instance of an application; Flash Media Live Encoder; ffmpeg and OBS.
        ("rtmp://h:1935/live/_definst_", "live/_definst_", "h", ""),
        (
            "rtmp://192.168.1.10/live?key=k...vhost...v.example.com",
            "live",
            "v.example.com",
            "key=k",
        ),
        ("rtmp://127.0.0.1:19399/live", "live", "127.0.0.1", ""),
        (
            "rtmp://h:1935/live?vhost=v.example.com",
            "live",
            "v.example.com",
            "",
        ),
        // On its way to us another scheme may have been taken off.
        ("rtmps://h:443/live", "live", "h", ""),
        ("rtmpt://h:80/live", "live", "h", ""),
        ("rtmp://[::1]/live", "live", "::1", ""),
        ("rtmp://[2001:db8::1]:1936/live?vhost=v", "live", "v", ""),
        ("rtmp://2001:db8::1/live", "live", "2001:db8::1", ""),
        ("rtmp://user:secret@h/live", "live", "h", ""),
    ];
    for (tc_url, app, vhost, params) in cases {
        let target = AppTarget::resolve(tc_url, None).unwrap();
        assert_eq!(
            (&*target.app, &*target.vhost, &*target.params),
            (app, vhost, params),
            "{tc_url}"
        );
    }
}

#[test]
fn host_and_port_are_the_clients() {
    let cases = [
        ("rtmp://h/live?vhost=v", "h", 1935),
        ("rtmp://h:19350/live", "h", 19350),
        ("rtmp://[::1]:1936/live", "::1", 1936),
        ("rtmp://::1/live", "::1", 1935),
    ];
    for (tc_url, host, port) in cases {
        let target = AppTarget::resolve(tc_url, None).unwrap();
        assert_eq!((&*target.host, target.port), (host, port), "{tc_url}");
    }
}

#[test]
fn the_app_of_connect_counts_if_the_url_has_none() {
    let cases = [
        (
            "rtmp://h/live",
            Some("other?vhost=w"),
            ["h", "live", "s", ""],
        ),
        ("rtmp://h", Some("live"), ["h", "live", "s", ""]),
        ("rtmp://h/", Some("/live/sub/"), ["h", "live/sub", "s", ""]),
        (
            "rtmp://h/",
            Some("live?vhost=v&key=k"),
            ["v", "live", "s", "key=k"],
        ),
        (
            "rtmp://h?vhost=v&a=1",
            Some("live?vhost=w&b=2"),
            ["v", "live", "s", "a=1&b=2"],
        ),
    ];
    for (tc_url, app, expected) in cases {
        assert_eq!(resolved(tc_url, app, "s").unwrap(), expected, "{tc_url}");
    }
}

#[test]
fn a_stream_has_its_own_parameters() {
    let cases = [
        ("rtmp://h/live", "s", ["h", "live", "s", ""]),
        ("rtmp://h/live", "s?token=x", ["h", "live", "s", "token=x"]),
        (
            "rtmp://h/live?a=1",
            "s?b=2&c=3",
            ["h", "live", "s", "a=1&b=2&c=3"],
        ),
        ("rtmp://h/live", "s?vhost=v", ["v", "live", "s", ""]),
        (
            "rtmp://h/live",
            "s?token=x&vhost=v",
            ["v", "live", "s", "token=x"],
        ),
        (
            "rtmp://h/live?vhost=v",
            "s?vhost=w&b=2",
            ["v", "live", "s", "b=2"],
        ),
        ("rtmp://h/live", "s?vhost=/", ["h", "live", "s", ""]),
        ("rtmp://h/live", " /s/\r\n", ["h", "live", "s", ""]),
        ("rtmp://h/live", "my stream", ["h", "live", "mystream", ""]),
        ("rtmp://h/live", "s?", ["h", "live", "s", ""]),
        (
            "rtmp://h/live",
            "s?u=http://x/y?z=1",
            ["h", "live", "s", "u=http://x/y&z=1"],
        ),
        ("rtmp://h/live", "dir/s", ["h", "live", "dir/s", ""]),
        // Only a question mark ends a stream's name.
        (
            "rtmp://h/live",
            "a=b,c&d...e",
            ["h", "live", "a=b,c&d...e", ""],
        ),
        ("rtmp://h/live", "mp4:s.f4v", ["h", "live", "mp4:s.f4v", ""]),
    ];
    for (tc_url, stream, expected) in cases {
        assert_eq!(
            resolved(tc_url, None, stream).unwrap(),
            expected,
            "{tc_url} {stream}"
        );
    }
}

#[test]
fn addresses_that_name_no_stream_are_refused() {
    let bad_name = |name: &str| UrlError::BadName {
        name: name.to_owned(),
    };
    let cases = [
        ("", "s", UrlError::MissingScheme),
        ("h/live", "s", UrlError::MissingScheme),
        ("://h/live", "s", UrlError::MissingScheme),
        ("rtmp:///live", "s", UrlError::MissingHost),
        ("rtmp:// /live", "s", UrlError::MissingHost),
        ("rtmp://:1935/live", "s", UrlError::MissingHost),
        (
            "rtmp://h:/live",
            "s",
            UrlError::BadPort {
                port: String::new(),
            },
        ),
        (
            "rtmp://h:x/live",
            "s",
            UrlError::BadPort {
                port: "x".to_owned(),
            },
        ),
        (
            "rtmp://[h]/live",
            "s",
            UrlError::BadHost {
                host: "[h]".to_owned(),
            },
        ),
        ("rtmp://h", "s", UrlError::MissingApp),
        ("rtmp://h/", "s", UrlError::MissingApp),
        ("rtmp://h/ / ?vhost=v", "s", UrlError::MissingApp),
        ("rtmp://h/live", "", UrlError::MissingStream),
        ("rtmp://h/live", " / ", UrlError::MissingStream),
        ("rtmp://h/live", "?token=x", UrlError::MissingStream),
        ("rtmp://h/..", "s", bad_name("/..")),
        (
            "rtmp://h/live",
            "../../etc/passwd",
            bad_name("../../etc/passwd"),
        ),
        ("rtmp://h/live", "a/. ./b", bad_name("a/../b")),
        ("rtmp://h/live?vhost=..", "s", bad_name("..")),
        ("rtmp://h/live", "s?vhost=./.", bad_name("..")),
        ("rtmp://../live", "s", bad_name("..")),
        (
            "rtmp://h/li\0ve",
            "s",
            UrlError::BadCharacter { found: '\0' },
        ),
        (
            "rtmp://h/live?vhost=\u{1b}[2J",
            "s",
            UrlError::BadCharacter { found: '\u{1b}' },
        ),
        (
            "rtmp://h/live",
            "s\u{7f}",
            UrlError::BadCharacter { found: '\u{7f}' },
        ),
        (
            "rtmp://h/live",
            "s?a=\0",
            UrlError::BadCharacter { found: '\0' },
        ),
    ];
    for (tc_url, stream, expected) in cases {
        assert_eq!(
            resolved(tc_url, None, stream),
            Err(expected),
            "{tc_url} {stream}"
        );
    }
}

#[test]
fn a_key_is_the_same_wherever_a_client_ends_the_app() {
    let ffmpeg = Target::resolve("rtmp://h/a/b", None, "c/s").unwrap();
    let other = Target::resolve("rtmp://h:1935/a/b/c", None, "s?x=1").unwrap();
    assert_eq!(ffmpeg.key(), "h/a/b/c/s");
    assert_eq!(other.key(), ffmpeg.key());
}

#[test]
fn what_our_client_sends_is_what_the_server_finds() {
    let cases = [
        ("rtmp://h/live/s", ["h", "live", "s", ""]),
        (
            "rtmp://h:1936/live/sub/s?token=a/b",
            ["h", "live/sub", "s", "token=a/b"],
        ),
        ("rtmp://h/live/s?vhost=v", ["v", "live", "s", ""]),
        (
            "rtmp://h/live?a=1&vhost=v/s?b=2",
            ["v", "live", "s", "a=1&b=2"],
        ),
        ("rtmp://h/live/sub?vhost=v/s", ["v", "live/sub", "s", ""]),
        ("rtmp://h/live...vhost...v/s", ["v", "live", "s", ""]),
        ("rtmp://[::1]:1936/live/s", ["::1", "live", "s", ""]),
    ];
    for (text, expected) in cases {
        let url = RtmpUrl::parse(text).unwrap();
        let found = resolved(&url.tc_url(), Some(url.app()), url.stream());
        assert_eq!(found.unwrap(), expected, "{text}");
    }
}

/// Names that separators, dots and odd characters make up.
fn text() -> impl Strategy<Value = String> {
    "([a-c]|vhost|://|rtmp://h/|[:/?&=,. \\[\\]%@é\t\0]|\\.\\.\\.){0,12}|.{0,20}"
}

proptest! {
    #[test]
    fn whatever_a_client_says_no_name_is_empty_or_leads_out_of_its_directory(
        tc_url in prop_oneof![text(), text().prop_map(|path| format!("rtmp://h/{path}"))],
        app in prop::option::of(text()),
        stream in text(),
    ) {
        if let Ok(target) = Target::resolve(&tc_url, app.as_deref(), &stream) {
            prop_assert!(!target.host.is_empty());
            prop_assert!(!target.vhost.contains('/'));
            for name in [&target.vhost, &target.app, &target.stream] {
                prop_assert!(name.split('/').all(|level| !matches!(level, "" | "." | "..")));
                prop_assert!(!name.contains(|c: char| c == ' ' || c.is_control()));
            }
            prop_assert!(!target.params.starts_with(['?', '&']));
        }
    }
}
