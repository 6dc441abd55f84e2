//! The fleet as its users see it, with a clock that the tests advance, and its task.

use std::fs;
use std::path::Path;

use proptest::prelude::*;
use srs_api::{Answer, Event, Identity, ServerState, Summaries};
use tempfile::TempDir;
use tokio::task::JoinSet;
use tokio::time::timeout;

use super::*;
use crate::config::FilePath;

/// A fleet and its clock.
struct Scene {
    fleet: Fleet,
    now: Instant,
}

impl Scene {
    fn new(config: &FleetConfig) -> Self {
        Self {
            fleet: Fleet::new(config, Events::default()),
            now: Instant::now(),
        }
    }

    fn with_room_for(max_servers: usize) -> Self {
        Self::new(&FleetConfig {
            max_servers,
            ..FleetConfig::default()
        })
    }

    fn beat(&self, name: &str) -> Result<String, FleetError> {
        self.fleet.beat(heartbeat(name), None, self.now)
    }

    fn pass(&mut self, seconds: u64) {
        self.now += Duration::from_secs(seconds);
        self.fleet.look(self.now);
    }

    fn servers(&self) -> Vec<Server> {
        self.fleet.servers(self.now)
    }

    /// `+` for a server that is up, `-` for one that is late.
    fn shown(&self) -> String {
        let servers = self.servers();
        let each = servers.iter().map(|server| match server.state {
            ServerState::Up => format!("+{}", server.device_id),
            ServerState::Late => format!("-{}", server.device_id),
        });
        each.collect::<Vec<_>>().join(" ")
    }

    /// What was told, as `kind name`.
    fn told(&self) -> Vec<String> {
        let of = |event: &Arc<Event>| {
            format!("{} {}", event.kind, event.device.as_deref().unwrap_or("?"))
        };
        self.fleet
            .events
            .after(0, 1_000)
            .items
            .iter()
            .map(of)
            .collect()
    }
}

fn heartbeat(name: &str) -> Heartbeat {
    Heartbeat {
        device_id: name.to_owned(),
        ip: "192.0.2.1".to_owned(),
        summaries: None,
    }
}

fn with_version(name: &str, version: &str) -> Heartbeat {
    let mut data = Summaries::default();
    data.process.version = version.to_owned();
    Heartbeat {
        summaries: Some(Answer {
            code: 0,
            identity: Identity::default(),
            data,
        }),
        ..heartbeat(name)
    }
}

#[test]
fn servers_are_shown_by_name_with_what_their_last_heartbeat_said() {
    let mut scene = Scene::new(&FleetConfig::default());
    let peer = Some("198.51.100.7".parse().unwrap());
    scene
        .fleet
        .beat(with_version("b", "1.0"), peer, scene.now)
        .unwrap();
    scene.beat("a").unwrap();
    scene.pass(10);
    scene
        .fleet
        .beat(with_version("b", "2.0"), peer, scene.now)
        .unwrap();
    scene.pass(4);
    let unix = wall_clock::unix_millis();

    let [a, b] = &scene.servers()[..] else {
        panic!("two servers");
    };
    assert_eq!((a.device_id.as_str(), a.version.as_deref()), ("a", None));
    assert_eq!(
        (a.beats, a.age, a.interval, a.peer.as_str()),
        (1, 14.0, 0.0, "")
    );
    assert_eq!(
        (b.device_id.as_str(), b.version.as_deref()),
        ("b", Some("2.0"))
    );
    assert_eq!(
        (b.ip.as_str(), b.peer.as_str()),
        ("192.0.2.1", "198.51.100.7")
    );
    assert_eq!((b.beats, b.age, b.interval), (2, 4.0, 10.0));
    for (shown, ago) in [(b.first_seen_ms, 14_000), (b.last_seen_ms, 4_000)] {
        assert!((unix - ago - shown).abs() < 5_000, "{shown}");
    }
}

#[test]
fn a_server_is_late_once_and_back_once() {
    let mut scene = Scene::new(&FleetConfig::default());
    scene.beat("edge").unwrap();
    scene.pass(30);
    assert_eq!(scene.shown(), "+edge");
    scene.pass(1);
    assert_eq!(scene.shown(), "-edge");
    scene.pass(100);
    scene.beat("edge").unwrap();
    scene.beat("edge").unwrap();
    assert_eq!(scene.shown(), "+edge");
    assert_eq!(
        scene.told(),
        ["server_seen edge", "server_late edge", "server_seen edge"]
    );
}

#[test]
fn a_server_with_a_long_interval_is_late_after_three_of_them() {
    let mut scene = Scene::new(&FleetConfig::default());
    for _ in 0..3 {
        scene.beat("seldom").unwrap();
        scene.pass(20);
    }
    // Its age is 20 s.
    scene.pass(39);
    assert_eq!(scene.shown(), "+seldom");
    scene.pass(2);
    assert_eq!(scene.shown(), "-seldom");
}

#[test]
fn a_server_that_stays_away_is_forgotten() {
    let mut scene = Scene::new(&FleetConfig {
        forget_after: Duration::from_secs(60),
        ..FleetConfig::default()
    });
    scene.beat("edge").unwrap();
    scene.pass(61);
    assert_eq!(scene.shown(), "");
    scene.beat("edge").unwrap();
    assert_eq!(scene.servers()[0].beats, 1);
}

#[test]
fn a_server_is_not_forgotten_between_two_heartbeats() {
    let mut scene = Scene::new(&FleetConfig {
        forget_after: Duration::from_secs(60),
        ..FleetConfig::default()
    });
    for _ in 0..3 {
        scene.beat("hourly").unwrap();
        for _ in 0..6 {
            scene.now += Duration::from_secs(600);
        }
    }
    scene.fleet.look(scene.now);
    assert_eq!(scene.shown(), "+hourly");
}

#[test]
fn a_full_fleet_refuses_further_servers_and_keeps_those_it_knows() {
    let mut scene = Scene::with_room_for(2);
    for name in ["a", "b", "a", "b"] {
        scene.beat(name).unwrap();
    }
    let error = scene.beat("c").unwrap_err();
    assert_eq!(error, FleetError::Full { most: 2 });
    scene.beat("a").unwrap();

    // Also when they are down: those are the ones to be seen.
    scene.pass(100);
    assert_eq!(scene.beat("c"), Err(error));
    assert_eq!(scene.shown(), "-a -b");
}

#[test]
fn names_that_came_once_make_room_when_they_are_late() {
    let mut scene = Scene::with_room_for(3);
    for name in ["known", "known", "once", "twice", "twice"] {
        scene.beat(name).unwrap();
    }
    assert!(scene.beat("new").is_err());
    scene.pass(31);
    scene.beat("new").unwrap();
    assert_eq!(scene.shown(), "-known +new -twice");
    assert!(scene.beat("another").is_err());
}

#[test]
fn a_million_names_leave_the_fleet_bounded_and_its_servers_known() {
    let mut scene = Scene::with_room_for(1_000);
    for name in ["central", "edge"] {
        scene.beat(name).unwrap();
        scene.beat(name).unwrap();
    }
    let mut taken = 0;
    for number in 0..1_000_000 {
        if number % 100_000 == 0 {
            scene.pass(10);
        }
        taken += u32::from(scene.beat(&format!("{number:0>50}")).is_ok());
    }
    let servers = scene.servers();
    assert_eq!(servers.len(), 1_000);
    assert!(servers.iter().any(|server| server.device_id == "central"));
    assert!(taken < 5_000, "{taken}");
    assert!(scene.fleet.events.after(0, usize::MAX).items.len() <= 1_000);
}

#[test]
fn a_fleet_that_is_not_wanted_takes_nothing() {
    let scene = Scene::new(&FleetConfig {
        enabled: false,
        ..FleetConfig::default()
    });
    assert_eq!(scene.beat("edge"), Err(FleetError::Disabled));
}

#[test]
fn servers_beyond_a_smaller_limit_leave() {
    let mut scene = Scene::with_room_for(3);
    for name in ["oldest", "b", "c"] {
        scene.beat(name).unwrap();
        scene.pass(1);
    }
    scene.fleet.roster().configure(FleetConfig {
        max_servers: 2,
        ..FleetConfig::default()
    });
    assert_eq!(scene.shown(), "+b +c");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn no_bytes_hurt_the_fleet(posts in prop::collection::vec(any_post(), 1..40)) {
        let mut scene = Scene::with_room_for(8);
        for bytes in posts {
            let Ok(heartbeat) = serde_json::from_slice::<Heartbeat>(&bytes) else {
                continue;
            };
            let _ = scene.fleet.beat(heartbeat, None, scene.now);
            scene.pass(7);
            let servers = scene.servers();
            prop_assert!(servers.len() <= 8);
            for server in servers {
                prop_assert!(server.device_id.len() <= 256 && server.ip.len() <= 64);
                prop_assert!(!server.device_id.chars().any(char::is_control));
                prop_assert!(server.cpu_percent.is_none_or(|cpu| cpu >= 0.0));
                // What is shown is always JSON that can be read again, and kept.
                let json = serde_json::to_string(&server).unwrap();
                prop_assert_eq!(serde_json::from_str::<Server>(&json).unwrap(), server);
            }
        }
    }
}

/// Heartbeats whose every part may be anything, and plain bytes.
fn any_post() -> impl Strategy<Value = Vec<u8>> {
    let leaf = || {
        prop_oneof![
            Just("null".to_owned()),
            Just("true".to_owned()),
            any::<i64>().prop_map(|number| number.to_string()),
            any::<u64>().prop_map(|number| number.to_string()),
            any::<f64>().prop_map(|number| serde_json::to_string(&number).unwrap()),
            Just("1e308".to_owned()),
            any::<String>().prop_map(|text| serde_json::to_string(&text).unwrap()),
            "[a-z]{1,300}".prop_map(|text| format!("\"{text}\"")),
            (0_usize..200).prop_map(|depth| "[".repeat(depth) + &"]".repeat(depth)),
        ]
    };
    let number = || {
        prop_oneof![
            any::<i64>().prop_map(|n| n.to_string()),
            Just("-1e300".into())
        ]
    };
    let beat = (leaf(), leaf(), leaf(), number(), number(), number()).prop_map(
        |(name, ip, version, cpu, memory, clients)| {
            format!(
                r#"{{"device_id":{name},"ip":{ip},"summaries":{{"code":0,"data":{{
                "self":{{"version":{version},"cpu_percent":{cpu},"mem_kbyte":{memory}}},
                "system":{{"conn_srs":{clients}}}}}}}}}"#
            )
        },
    );
    let bare = (leaf(), leaf(), leaf()).prop_map(|(name, ip, summaries)| {
        format!(r#"{{"device_id":{name},"ip":{ip},"summaries":{summaries}}}"#)
    });
    let name = "[a-z]{1,3}".prop_map(|name| format!(r#"{{"device_id":"{name}"}}"#));
    prop_oneof![
        beat.prop_map(String::into_bytes),
        bare.prop_map(String::into_bytes),
        name.prop_map(String::into_bytes),
        any::<Vec<u8>>(),
    ]
}

/// The task, by a configuration that can be changed.
struct Watched {
    fleet: Fleet,
    config: watch::Sender<Arc<Config>>,
    stop: CancellationToken,
    task: JoinSet<()>,
}

impl Watched {
    fn start(config: FleetConfig) -> Self {
        let fleet = Fleet::new(&config, Events::default());
        let (sender, receiver) = watch::channel(whole(config));
        let stop = CancellationToken::new();
        let mut task = JoinSet::new();
        task.spawn(run(fleet.clone(), receiver, stop.clone()));
        Self {
            fleet,
            config: sender,
            stop,
            task,
        }
    }

    /// One that has read its file, which has the server `name`.
    async fn start_with(name: &str, config: FleetConfig) -> Self {
        let before = Self::start(config.clone());
        before.beat(name);
        before.stop().await;
        let after = Self::start(config);
        after.wait_for(&[name]).await;
        after
    }

    fn beat(&self, name: &str) {
        let now = Instant::now();
        self.fleet.beat(heartbeat(name), None, now).unwrap();
    }

    fn names(&self) -> Vec<String> {
        let servers = self.fleet.servers(Instant::now());
        servers.into_iter().map(|server| server.device_id).collect()
    }

    async fn wait_for(&self, names: &[&str]) {
        let wait = async {
            while self.names() != names {
                tokio::time::sleep(Duration::from_millis(2)).await;
            }
        };
        let waited = timeout(testkit::SOON, wait).await;
        assert!(waited.is_ok(), "{:?} instead of {names:?}", self.names());
    }

    async fn stop(mut self) {
        self.stop.cancel();
        let ended = timeout(testkit::SOON, self.task.join_next()).await;
        ended.unwrap().unwrap().unwrap();
    }
}

fn whole(fleet: FleetConfig) -> Arc<Config> {
    Arc::new(Config {
        fleet,
        ..Config::default()
    })
}

fn kept_in(folder: &TempDir, name: &str) -> FleetConfig {
    let path = folder.path().join(name);
    FleetConfig {
        file: FilePath::new(path.to_str().unwrap()).unwrap(),
        ..FleetConfig::default()
    }
}

#[tokio::test]
async fn the_fleet_survives_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let config = kept_in(&folder, "fleet.json");
    let before = Watched::start(config.clone());
    before.beat("a");
    before.beat("b");
    before.beat("b");
    before.stop().await;

    let after = Watched::start(config);
    after.wait_for(&["a", "b"]).await;
    let [a, b] = &after.fleet.servers(Instant::now())[..] else {
        panic!("two servers");
    };
    assert_eq!((a.beats, b.beats, b.state), (1, 2, ServerState::Up));
    assert!(a.age < 60.0, "{}", a.age);
    assert_eq!(after.fleet.events.newest(), 0, "nothing new has happened");
    after.stop().await;
}

#[tokio::test]
async fn a_server_without_a_fleet_writes_no_file_and_needs_no_place_for_it() {
    let folder = tempfile::tempdir().unwrap();
    let config = kept_in(&folder, "fleet.json");
    Watched::start(config.clone()).stop().await;
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);

    let nowhere = Watched::start(kept_in(&folder, "missing/fleet.json"));
    nowhere.beat("a");
    nowhere.stop().await;
}

#[tokio::test]
async fn a_change_of_the_file_takes_the_fleet_along() {
    let folder = tempfile::tempdir().unwrap();
    let watched = Watched::start_with("a", kept_in(&folder, "old.json")).await;
    watched
        .config
        .send(whole(kept_in(&folder, "new.json")))
        .unwrap();
    let new = folder.path().join("new.json");
    let wait = async {
        while !new.exists() {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    };
    timeout(testkit::SOON, wait).await.expect("it is written");
    watched.wait_for(&["a"]).await;
    watched.stop().await;
}

#[tokio::test]
async fn a_fleet_that_is_switched_off_is_kept_for_later() {
    let folder = tempfile::tempdir().unwrap();
    let config = kept_in(&folder, "fleet.json");
    let watched = Watched::start_with("a", config.clone()).await;
    let off = FleetConfig {
        enabled: false,
        ..config.clone()
    };
    watched.config.send(whole(off)).unwrap();
    watched.wait_for(&[]).await;
    watched.config.send(whole(config)).unwrap();
    watched.wait_for(&["a"]).await;
    watched.stop().await;
}

#[tokio::test]
async fn what_was_kept_gives_way_to_what_came_meanwhile_and_to_what_cannot_be() {
    let folder = tempfile::tempdir().unwrap();
    let config = kept_in(&folder, "fleet.json");
    let kept = r#"{"device_id":"NAME","ip":"x","peer":"","state":"up","first_seen_ms":9e18,
        "last_seen_ms":9000000000000000000,"age":-1,"interval":1e300,"beats":0,
        "cpu_percent":-7}"#;
    let kept = kept.replace("9e18", "-9000000000000000000");
    let servers = ["edge", "", "a\\u0007b", "late"].map(|name| kept.replace("NAME", name));
    let text = format!(
        r#"{{"format":"srs-fleet-1","servers":[{}]}}"#,
        servers.join(",")
    );
    fs::write(config.file.as_path(), text).unwrap();

    let watched = Watched::start(config);
    watched.beat("edge");
    watched.wait_for(&["edge", "late"]).await;
    let servers = watched.fleet.servers(Instant::now());
    assert_eq!(
        (servers[0].ip.as_str(), servers[1].ip.as_str()),
        ("192.0.2.1", "x")
    );
    let late = &servers[1];
    assert_eq!((late.beats, late.cpu_percent), (1, None));
    assert!(late.age < 60.0 && late.interval <= 86_400.0, "{late:?}");
    watched.stop().await;
}

#[tokio::test]
async fn nobody_is_late_only_because_the_central_server_was_away() {
    let folder = tempfile::tempdir().unwrap();
    let config = kept_in(&folder, "fleet.json");
    let long_ago = wall_clock::unix_millis() - 3_600_000;
    let text = format!(
        r#"{{"format":"srs-fleet-1","servers":[{{"device_id":"a","ip":"","peer":"","state":"up",
        "first_seen_ms":{long_ago},"last_seen_ms":{long_ago},"age":0,"interval":10,"beats":9}}]}}"#
    );
    fs::write(config.file.as_path(), text).unwrap();
    let watched = Watched::start(config);
    watched.wait_for(&["a"]).await;
    let soon = Instant::now() + Duration::from_secs(20);
    watched.fleet.look(soon);
    let server = &watched.fleet.servers(soon)[0];
    assert_eq!(server.state, ServerState::Up);
    assert!(server.age > 3_600.0, "{}", server.age);
    watched.fleet.look(soon + Duration::from_secs(20));
    assert_eq!(watched.fleet.servers(soon)[0].state, ServerState::Late);
    watched.stop().await;
}

#[test]
fn the_default_file_is_in_the_state_directory() {
    let config = FleetConfig::default();
    assert!(config.file.as_path().starts_with(Path::new("/var/lib/srs")));
}
