//! Which vhost serves a host.

use crate::{ChunkSize, Config, VhostConfig};

#[test]
fn a_host_is_served_by_its_own_table_or_the_default_one() {
    let config = Config::parse(
        r#"
        [vhost."Live.example.com"]
        chunk_size = 128
        [vhost."2001:db8::1"]
        chunk_size = 256
        [vhost.__defaultVhost__]
        chunk_size = 512
        "#,
        "srs.toml",
    )
    .unwrap();
    let cases = [
        ("live.example.com", "live.example.com", 128),
        ("LIVE.EXAMPLE.COM.", "live.example.com", 128),
        ("[2001:DB8::1]", "2001:db8::1", 256),
        ("__defaultVhost__", "__defaultVhost__", 512),
        ("__DEFAULTVHOST__", "__defaultVhost__", 512),
        ("a.live.example.com", "__defaultVhost__", 512),
        ("192.0.2.1", "__defaultVhost__", 512),
        ("", "__defaultVhost__", 512),
        ("../\0", "__defaultVhost__", 512),
    ];
    for (host, expected_name, expected_size) in cases {
        let (name, vhost) = config.vhost(host);
        let size = vhost.chunk_size.map(ChunkSize::get);
        assert_eq!(
            (name, size),
            (expected_name, Some(expected_size)),
            "{host:?}"
        );
    }
}

#[test]
fn without_a_default_table_the_defaults_count() {
    let config = Config::parse("[vhost.\"a.example\"]\nenabled = false", "srs.toml").unwrap();
    let default = VhostConfig::default();
    assert_eq!(config.vhost("b.example"), ("__defaultVhost__", &default));
    assert_eq!(
        config.vhost("a.example"),
        (
            "a.example",
            &VhostConfig {
                enabled: false,
                ..default
            }
        )
    );
}
