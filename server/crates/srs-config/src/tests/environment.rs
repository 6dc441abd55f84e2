//! Settings from variables of the environment.

use std::collections::BTreeSet;
use std::fs;
use std::path::PathBuf;

use proptest::prelude::*;
use proptest::sample::select;
use tempfile::tempdir;

use crate::{Config, Error, Loaded, Source, settings};

fn source(file: Option<PathBuf>, variables: &[(&str, &str)]) -> Source {
    let variables = variables.iter();
    let owned = variables.map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    Source {
        file,
        environment: Some(owned.collect()),
    }
}

fn load(variables: &[(&str, &str)]) -> Result<Loaded, Error> {
    source(None, variables).load()
}

#[test]
fn variables_are_settings() {
    let cases: &[(&[(&str, &str)], &str)] = &[
        (&[], ""),
        (&[("SRS_LISTEN", "1935")], "listen = [\"1935\"]"),
        (
            &[("SRS_LISTEN", "1935 [::1]:19350")],
            "listen = [\"1935\", \"[::1]:19350\"]",
        ),
        (&[("SRS_LISTEN", "")], ""),
        (&[("SRS_MAX_CONNECTIONS", "7")], "max_connections = 7"),
        (&[("SRS_PID", "/run/srs 1.pid")], "pid = \"/run/srs 1.pid\""),
        (&[("SRS_LOG_LEVEL", "trace")], "log.level = \"trace\""),
        (
            &[("SRS_LIMITS_STREAM_MEMORY", "2MiB")],
            "limits.stream_memory = \"2MiB\"",
        ),
        (
            &[("SRS_LIMITS_STREAM_MEMORY", "2000000")],
            "limits.stream_memory = 2000000",
        ),
        (
            &[("SRS_HTTP_API_ENABLED", "off")],
            "http_api.enabled = false",
        ),
        (&[("SRS_HTTP_API_ENABLED", "true")], ""),
        (
            &[("SRS_HTTP_API_LISTEN", "127.0.0.1:1985")],
            "http_api.listen = [\"127.0.0.1:1985\"]",
        ),
        (
            &[
                ("SRS_HTTP_API_LISTEN", "1985"),
                ("SRS_HTTP_API_TOKEN", "123"),
            ],
            "http_api = { listen = [\"1985\"], token = \"123\" }",
        ),
        (
            &[("SRS_HEARTBEAT_INTERVAL", "9.3")],
            "heartbeat.interval = \"9.3s\"",
        ),
        (
            &[("SRS_HEARTBEAT_DEVICE_ID", "17")],
            "heartbeat.device_id = \"17\"",
        ),
        (
            &[("SRS_STATS_NETWORK", "1"), ("SRS_STATS_DISK", "sda  sdb")],
            "stats = { network = 1, disk = [\"sda\", \"sdb\"] }",
        ),
        (
            &[("SRS_VHOST_CHUNK_SIZE", "128")],
            "vhost.__defaultVhost__.chunk_size = 128",
        ),
        (
            &[("SRS_VHOST_TIME_JITTER", "off")],
            "vhost.__defaultVhost__.time_jitter = \"off\"",
        ),
        (
            &[("SRS_VHOST_REFER_ALL", "a.example b.example")],
            "vhost.__defaultVhost__.refer.all = [\"a.example\", \"b.example\"]",
        ),
        // Names of SRS.
        (&[("SRS_SRS_LOG_LEVEL", "trace")], "log.level = \"info\""),
        (&[("SRS_SRS_LOG_LEVEL", "verbose")], "log.level = \"trace\""),
        (
            &[("SRS_SRS_LOG_LEVEL_V2", "trace")],
            "log.level = \"trace\"",
        ),
        (
            &[("SRS_SRS_LOG_TANK", "console")],
            "log.target = \"console\"",
        ),
        (
            &[("SRS_VHOST_PLAY_MW_LATENCY", "350")],
            "vhost.__defaultVhost__.play.merge = \"350ms\"",
        ),
        (
            &[("SRS_VHOST_PLAY_MW_LATENCY", "1s")],
            "vhost.__defaultVhost__.play.merge = \"1s\"",
        ),
        (
            &[("SRS_VHOST_PLAY_GOP_CACHE", "off")],
            "vhost.__defaultVhost__.gop_cache = false",
        ),
        (
            &[("SRS_VHOST_GOP_CACHE", "off")],
            "vhost.__defaultVhost__.gop_cache = false",
        ),
        (
            &[("SRS_VHOST_PLAY_QUEUE_LENGTH", "10")],
            "vhost.__defaultVhost__.queue_length = 10",
        ),
        (
            &[("SRS_VHOST_PUBLISH_FIRSTPKT_TIMEOUT", "20000")],
            "vhost.__defaultVhost__.publish.first_packet_timeout = 20",
        ),
        (
            &[("SRS_VHOST_PUBLISH_NORMAL_TIMEOUT", "5000")],
            "vhost.__defaultVhost__.publish.timeout = 5",
        ),
        // Basic authentication of later SRS.
        (&[("SRS_HTTP_API_AUTH_ENABLED", "on")], ""),
        (
            &[
                ("SRS_HTTP_API_AUTH_ENABLED", "on"),
                ("SRS_HTTP_API_AUTH_USERNAME", "u"),
                ("SRS_HTTP_API_AUTH_PASSWORD", "p"),
            ],
            "http_api = { username = \"u\", password = \"p\" }",
        ),
        (
            &[
                ("SRS_HTTP_API_AUTH_ENABLED", "off"),
                ("SRS_HTTP_API_AUTH_USERNAME", "u"),
                ("SRS_HTTP_API_AUTH_PASSWORD", "p"),
            ],
            "",
        ),
        (
            &[("SRS_HTTP_API_AUTH", "always")],
            "http_api.auth = \"always\"",
        ),
    ];
    for (variables, expected) in cases {
        let loaded = load(variables).unwrap_or_else(|error| panic!("{variables:?}: {error}"));
        assert_eq!(
            loaded.config,
            Config::parse(expected, "expected").unwrap(),
            "{variables:?}"
        );
        assert_eq!(
            (loaded.warnings, loaded.files),
            (vec![], vec![]),
            "{variables:?}"
        );
    }
}

#[test]
fn a_wrong_value_is_told_of_with_its_variable() {
    let cases = [
        (
            "SRS_LISTEN",
            "1935 abc",
            "SRS_LISTEN cannot contain \"abc\": there is no port; expected \"PORT\", \"IP:PORT\" or \"[IP6]:PORT\"",
        ),
        (
            "SRS_LISTEN",
            " ",
            "SRS_LISTEN cannot be \" \": at least one address is needed",
        ),
        (
            "SRS_MAX_CONNECTIONS",
            "many",
            "SRS_MAX_CONNECTIONS cannot be \"many\": expected a whole number from 1 to 1000000",
        ),
        (
            "SRS_MAX_CONNECTIONS",
            "007",
            "SRS_MAX_CONNECTIONS cannot be \"007\": expected a whole number from 1 to 1000000",
        ),
        (
            "SRS_MAX_CONNECTIONS",
            "0",
            "SRS_MAX_CONNECTIONS cannot be \"0\": expected a whole number from 1 to 1000000",
        ),
        (
            "SRS_HTTP_API_ENABLED",
            "yes",
            "SRS_HTTP_API_ENABLED cannot be \"yes\": expected on or off",
        ),
        (
            "SRS_HTTP_API_AUTH_ENABLED",
            "yes",
            "SRS_HTTP_API_AUTH_ENABLED cannot be \"yes\": expected on or off",
        ),
        (
            "SRS_SRS_LOG_LEVEL",
            "wran",
            "SRS_SRS_LOG_LEVEL cannot be \"wran\": did you mean \"warn\"? expected \"error\", \"warn\", \"info\", \"debug\" or \"trace\"",
        ),
        (
            "SRS_VHOST_PLAY_MW_LATENCY",
            "20000",
            "SRS_VHOST_PLAY_MW_LATENCY cannot be \"20000\": expected \"auto\" or a duration from 0s to 10s, such as \"350ms\"",
        ),
        (
            "SRS_HTTP_API_TOKEN",
            "a\nb",
            "SRS_HTTP_API_TOKEN cannot be as it is: expected a text of 1 to 1024 bytes without control characters",
        ),
        (
            "SRS_HTTP_API_PASSWORD",
            "p",
            "SRS_HTTP_API_PASSWORD cannot be as it is: it needs a `username` beside it",
        ),
        (
            "SRS_HTTP_API_LISTEN",
            "1985",
            "SRS_HTTP_API_LISTEN cannot contain \"1985\": others can reach \"1985\", so [http_api] needs a token, or a username and a password, or auth = \"never\" if anybody may rule this server; or listen on \"127.0.0.1:1985\"",
        ),
        (
            "SRS_VHOST_MIX_CORRECT",
            "on",
            "SRS_VHOST_MIX_CORRECT cannot be \"on\": mix_correct = true needs atc = true or time_jitter = \"off\" in the same table",
        ),
    ];
    for (name, value, expected) in cases {
        let error = load(&[(name, value)]).unwrap_err();
        assert_eq!(error.to_string(), format!("environment: {expected}"));
        let [mistake] = error.mistakes() else {
            panic!("{error}");
        };
        assert_eq!((mistake.file(), mistake.line()), ("environment", 0));
    }
}

#[test]
fn a_variable_that_is_no_setting_is_only_worth_a_warning() {
    let cases: &[(&[&str], &[&str])] = &[
        (&["HOME", "srs_listen", "SRSLISTEN"], &[]),
        (
            &["SRS_PORT", "SRS_SERVICE_HOST", "SRS_PORT_1935_TCP_ADDR"],
            &["no setting has the name of SRS_PORT, SRS_PORT_1935_TCP_ADDR or of SRS_SERVICE_HOST"],
        ),
        (
            &["SRS_LISTN"],
            &["no setting has the name of SRS_LISTN: did you mean SRS_LISTEN?"],
        ),
        (
            &["SRS_VHOST_HLS_ENABLED", "SRS_VHOST_HTTP_HOOKS_ON_PUBLISH"],
            &[
                "SRS_VHOST_HLS_ENABLED is not available in this version yet",
                "SRS_VHOST_HTTP_HOOKS_ON_PUBLISH is not available in this version yet",
            ],
        ),
        (
            &["SRS_RTC_SERVER_ENABLED"],
            &["SRS_RTC_SERVER_ENABLED is not available in this version yet"],
        ),
        (
            &["SRS_HTTP_API_HTTPS_LISTEN"],
            &["SRS_HTTP_API_HTTPS_LISTEN is not available in this version yet"],
        ),
        (
            &["SRS_DAEMON"],
            &[
                "SRS_DAEMON does nothing: leave it out: srs stays in the foreground, systemd watches it",
            ],
        ),
        (
            &["SRS_EXPORTER_ENABLED"],
            &[
                "SRS_EXPORTER_ENABLED does nothing: leave it out: [http_api] serves Prometheus at /metrics",
            ],
        ),
    ];
    for (names, expected) in cases {
        let variables: Vec<_> = names.iter().map(|name| (*name, "on")).collect();
        let loaded = load(&variables).unwrap();
        assert_eq!(loaded.config, Config::default(), "{names:?}");
        assert_eq!(loaded.warnings, *expected);
    }
}

#[test]
fn of_two_variables_for_one_setting_the_name_that_is_ours_counts() {
    let names = ["SRS_VHOST_GOP_CACHE", "SRS_VHOST_PLAY_GOP_CACHE"];
    for (values, expected) in [(["on", "off"], 1), (["off", "on"], 1), (["off", "off"], 0)] {
        let loaded = load(&[(names[0], values[0]), (names[1], values[1])]).unwrap();
        let (_, vhost) = loaded.config.vhost("a");
        assert_eq!(vhost.gop_cache, values[0] == "on", "{values:?}");
        assert_eq!(loaded.warnings.len(), expected, "{:?}", loaded.warnings);
        let warning = "SRS_VHOST_PLAY_GOP_CACHE does nothing: SRS_VHOST_GOP_CACHE says something \
                       else and counts more";
        assert!(
            loaded.warnings.iter().all(|it| it == warning),
            "{:?}",
            loaded.warnings
        );
    }
}

#[test]
fn what_is_printed_of_a_source_has_no_values() {
    let source = source(None, &[("SRS_HTTP_API_TOKEN", "geheim")]);
    let printed = format!("{source:?}");
    assert!(
        printed.contains("SRS_HTTP_API_TOKEN") && !printed.contains("geheim"),
        "{printed}"
    );
}

#[test]
fn variables_count_more_than_files_and_for_every_vhost() {
    let folder = tempdir().unwrap();
    let path = folder.path().join("srs.toml");
    let text = "max_connections = 1\nchunk_size = 128\n[vhost.a]\natc = true\n[vhost.b]\ngop_cache = true\n";
    fs::write(&path, text).unwrap();
    let variables = [("SRS_MAX_CONNECTIONS", "2"), ("SRS_VHOST_GOP_CACHE", "off")];
    let loaded = source(Some(path.clone()), &variables).load().unwrap();
    let config = loaded.config;
    assert_eq!((config.max_connections, config.chunk_size.get()), (2, 128));
    assert_eq!(loaded.files, [path]);
    for (name, is_atc) in [("a", true), ("b", false), ("elsewhere", false)] {
        let (_, vhost) = config.vhost(name);
        assert_eq!((vhost.gop_cache, vhost.atc), (false, is_atc), "{name}");
    }
}

#[test]
fn without_a_named_file_the_environment_stands_alone() {
    let folder = tempdir().unwrap();
    let path = folder.path().join("srs.toml");
    fs::write(&path, "max_connections = 1").unwrap();
    let alone = source(None, &[]).load_with_default(&path).unwrap();
    assert_eq!((alone.config, alone.files), (Config::default(), vec![]));
}

#[test]
fn basic_authentication_that_is_off_is_off_for_files_too() {
    let folder = tempdir().unwrap();
    let path = folder.path().join("srs.toml");
    fs::write(
        &path,
        "[http_api]\nusername = \"u\"\npassword = \"p\"\ncrossdomain = false",
    )
    .unwrap();
    let off = [("SRS_HTTP_API_AUTH_ENABLED", "off")];
    let api = source(Some(path), &off).load().unwrap().config.http_api;
    assert_eq!(
        (api.username, api.password, api.crossdomain),
        (None, None, false)
    );
}

#[test]
fn mistakes_of_variables_are_told_with_those_of_files() {
    let folder = tempdir().unwrap();
    let path = folder.path().join("srs.toml");
    fs::write(&path, "[vhost.a]\ngop = true\n[vhost.b]").unwrap();
    let variables = [("SRS_VHOST_GOP_CACHE", "5"), ("SRS_VHOST_PLAY_WAIT", "x")];
    let error = source(Some(path.clone()), &variables).load().unwrap_err();
    let files: Vec<_> = error
        .mistakes()
        .iter()
        .map(|mistake| mistake.file().to_owned())
        .collect();
    assert_eq!(
        files,
        [path.to_str().unwrap(), "environment", "environment"]
    );
}

#[test]
fn a_contradiction_with_a_file_is_told_of_with_the_variable() {
    let folder = tempdir().unwrap();
    let path = folder.path().join("srs.toml");
    fs::write(&path, "[vhost.a]\nmix_correct = true\natc = true").unwrap();
    let error = source(Some(path), &[("SRS_VHOST_ATC", "off")])
        .load()
        .unwrap_err();
    assert_eq!(
        error.to_string(),
        "environment: SRS_VHOST_ATC cannot be \"off\": mix_correct = true needs atc = true or \
         time_jitter = \"off\" in the same table"
    );
}

#[test]
fn every_setting_has_a_variable_of_its_own() {
    let mut names = BTreeSet::new();
    for setting in settings::all() {
        let path = setting.path();
        let keys: Vec<_> = path
            .iter()
            .filter(|key| **key != "NAME")
            .map(|key| key.to_uppercase())
            .collect();
        let name = format!("SRS_{}", keys.join("_"));
        assert!(names.insert(name.clone()), "{name} is two settings");
        let known = load(&[(&name, "\u{7f}")]);
        let is_free_text = [
            "SRS_PID",
            "SRS_LOG_FILE",
            "SRS_FLEET_FILE",
            "SRS_HEARTBEAT_DEVICE_ID",
            "SRS_STATS_DISK",
        ];
        match known {
            Ok(loaded) => {
                assert!(is_free_text.contains(&&*name), "{name}");
                assert!(loaded.warnings.is_empty(), "{name}");
            }
            Err(error) => assert!(error.to_string().contains(&name), "{error}"),
        }
    }
}

proptest! {
    #[test]
    fn no_value_makes_it_panic(index: prop::sample::Index, value in r"(?s).{0,40}|[-0-9.a-z: \[\]]{0,20}") {
        let setting = &settings::all()[index.index(settings::all().len())];
        let keys = setting.path().join("_").replace("NAME_", "").to_uppercase();
        let _ = load(&[(&format!("SRS_{keys}"), &value)]);
    }

    #[test]
    fn no_name_makes_it_panic(
        parts in prop::collection::vec(select(vec!["SRS", "VHOST", "HTTP", "API", "HLS", "", "ä", "PLAY", "LISTEN"]), 0..6),
        value in r"\PC{0,10}",
    ) {
        let name = parts.join("_");
        let _ = load(&[(&name, &value)]);
    }
}

#[test]
fn the_query_of_a_url_is_not_told() {
    let variables = [("SRS_HEARTBEAT_URL", "htp://h/x?token=geheim")];
    let error = source(None, &variables).load().unwrap_err();
    let told = error.to_string();
    assert!(told.contains("cannot be \"htp://h/x?…\""), "{told}");
}
