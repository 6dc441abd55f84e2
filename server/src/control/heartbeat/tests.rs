//! Heartbeats to a small collector that behaves as told.

use std::net::SocketAddr;
use std::time::{Duration, Instant as StdInstant};

use serde_json::Value;
use srs_api::{Event, Identity, Part, PartState};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio::time::timeout;

use super::*;
use crate::config::{HttpUrl, Secret};

/// How a collector treats those who post to it.
#[derive(Clone, Copy, Debug)]
enum Mood {
    /// Answers with these bytes, and closes.
    Answer(&'static str),
    /// Begins an answer that never ends.
    Endless,
    /// Takes everything and says nothing.
    Hang,
    /// Closes the connection as soon as it has read the request.
    Close,
}

const OK: Mood = Mood::Answer("HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n0");
const BROKEN: Mood =
    Mood::Answer("HTTP/1.1 500 Internal Server Error\r\nContent-Length: 0\r\n\r\n");

/// A collector on a port of its own.
struct Collector {
    address: SocketAddr,
    mood: watch::Sender<Mood>,
    posts: mpsc::Receiver<Post>,
    _tasks: JoinSet<()>,
}

/// A request that came.
struct Post {
    head: String,
    body: String,
    at: StdInstant,
}

impl Collector {
    async fn start(mood: Mood) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (mood, moods) = watch::channel(mood);
        let (sender, posts) = mpsc::channel(100);
        let mut tasks = JoinSet::new();
        tasks.spawn(async move {
            let mut peers = JoinSet::new();
            while let Ok((peer, _)) = listener.accept().await {
                let mood = *moods.borrow();
                peers.spawn(treat(peer, mood, sender.clone()));
            }
        });
        Self {
            address,
            mood,
            posts,
            _tasks: tasks,
        }
    }

    fn url(&self) -> String {
        format!("http://{}/api/v1/servers", self.address)
    }

    async fn post(&mut self) -> Post {
        timeout(testkit::SOON, self.posts.recv())
            .await
            .expect("a heartbeat comes")
            .expect("the collector lives")
    }
}

async fn treat(mut peer: TcpStream, mood: Mood, posts: mpsc::Sender<Post>) {
    let Some(post) = read(&mut peer).await else {
        return;
    };
    let _ = posts.send(post).await;
    match mood {
        Mood::Answer(text) => {
            let _ = peer.write_all(text.as_bytes()).await;
        }
        Mood::Endless => {
            let head = "HTTP/1.1 200 OK\r\nContent-Length: 1000000000000\r\n\r\n";
            let _ = peer.write_all(head.as_bytes()).await;
            while peer.write_all(&[b'x'; 4096]).await.is_ok() {}
        }
        Mood::Hang => {
            let mut rest = vec![];
            let _ = peer.read_to_end(&mut rest).await;
        }
        Mood::Close => {}
    }
}

/// Reads a request with its body; `None` from who does not speak HTTP.
async fn read(peer: &mut TcpStream) -> Option<Post> {
    let mut bytes = vec![];
    let (head, body_at) = loop {
        if peer.read_buf(&mut bytes).await.ok()? == 0 {
            return None;
        }
        let text = String::from_utf8_lossy(&bytes).into_owned();
        if let Some((head, _)) = text.split_once("\r\n\r\n") {
            break (head.to_ascii_lowercase(), head.len() + 4);
        }
    };
    let (_, len) = head.split_once("content-length: ")?;
    let len: usize = len.lines().next()?.parse().ok()?;
    while bytes.len() < body_at + len {
        if peer.read_buf(&mut bytes).await.ok()? == 0 {
            return None;
        }
    }
    Some(Post {
        head,
        body: String::from_utf8(bytes.split_off(body_at)).ok()?,
        at: StdInstant::now(),
    })
}

/// A heartbeat at work.
struct Beating {
    config: watch::Sender<Arc<Config>>,
    handle: HeartbeatHandle,
    events: Events,
    parts: Parts,
    _task: JoinSet<()>,
}

impl Beating {
    fn start(heartbeat: HeartbeatConfig) -> Self {
        let (config, receiver) = watch::channel(Arc::new(Config {
            heartbeat,
            ..Config::default()
        }));
        let handle = HeartbeatHandle::default();
        let events = Events::default();
        let parts = Parts::default();
        let told = Told {
            handle: handle.clone(),
            events: events.clone(),
            parts: parts.clone(),
        };
        let mut task = JoinSet::new();
        task.spawn(run(receiver, summaries, told));
        Self {
            config,
            handle,
            events,
            parts,
            _task: task,
        }
    }

    fn change(&self, change: impl FnOnce(&mut Config)) {
        self.config
            .send_modify(|config| change(Arc::make_mut(config)));
    }

    async fn wait_until(&self, what: &str, holds: impl Fn(&HeartbeatState) -> bool) {
        let wait = async {
            while !holds(&self.handle.state()) {
                tokio::time::sleep(Duration::from_millis(2)).await;
            }
        };
        let waited = timeout(testkit::SOON, wait).await;
        assert!(waited.is_ok(), "no {what}: {:?}", self.handle.state());
    }

    /// The part that it is.
    fn part(&self) -> Part {
        let [part] = &self.parts.list()[..] else {
            panic!("{:?}", self.parts);
        };
        part.clone()
    }

    /// What was told of heartbeats, which is what the log got.
    fn told(&self) -> Vec<Arc<Event>> {
        let mut events = self.events.after(0, 1_000).items;
        events.retain(|event| event.kind == EventKind::Heartbeat);
        events
    }
}

fn summaries() -> Answer<Summaries> {
    let mut data = Summaries::default();
    data.process.version = "1.2.3".to_owned();
    Answer {
        code: 0,
        identity: Identity::default(),
        data,
    }
}

fn to(url: &str) -> HeartbeatConfig {
    HeartbeatConfig {
        enabled: true,
        interval: Duration::from_millis(300),
        url: HttpUrl::new(url).unwrap(),
        ..HeartbeatConfig::default()
    }
}

#[tokio::test]
async fn a_heartbeat_is_what_collectors_of_srs_expect() {
    let mut collector = Collector::start(OK).await;
    let _beating = Beating::start(HeartbeatConfig {
        device_id: "edge \"7\"".to_owned(),
        summaries: true,
        token: Secret::new("open sesame"),
        ..to(&format!("{}?room=1", collector.url()))
    });
    let post = collector.post().await;

    assert!(
        post.head
            .starts_with("post /api/v1/servers?room=1 http/1.1\r\n"),
        "{}",
        post.head
    );
    let host = format!("host: {}", collector.address);
    for header in [
        &host,
        "content-type: application/json",
        "authorization: bearer open sesame",
        concat!("user-agent: srs/", env!("CARGO_PKG_VERSION")),
    ] {
        assert!(
            post.head.lines().any(|line| line == header),
            "{header}: {}",
            post.head
        );
    }
    assert!(
        post.body.starts_with(r#"{"device_id":"edge \"7\"","ip":""#),
        "{}",
        post.body
    );
    let body: Value = serde_json::from_str(&post.body).unwrap();
    assert_eq!(body["ip"], address::local_ipv4(0));
    assert_eq!(
        body["summaries"],
        serde_json::to_value(summaries()).unwrap()
    );
    assert_eq!(body["summaries"]["data"]["self"]["version"], "1.2.3");
    assert_eq!(body.as_object().unwrap().len(), 3);
}

#[tokio::test]
async fn without_a_name_it_has_that_of_the_host_and_no_figures_unless_wanted() {
    let mut collector = Collector::start(OK).await;
    let _beating = Beating::start(to(&collector.url()));
    let post = collector.post().await;
    let body: Value = serde_json::from_str(&post.body).unwrap();
    let host = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap();
    assert_eq!(body["device_id"], host.trim());
    assert_eq!(body.as_object().unwrap().len(), 2, "{body}");
    assert!(!post.head.contains("authorization"), "{}", post.head);
}

#[tokio::test]
async fn beats_come_at_the_interval_and_the_first_at_once() {
    let mut collector = Collector::start(OK).await;
    let beating = Beating::start(to(&collector.url()));
    let first = collector.post().await.at;
    collector.post().await;
    let third = collector.post().await.at;
    let between = third.duration_since(first);
    assert!(between >= Duration::from_millis(550), "{between:?}");
    beating
        .wait_until("three beats", |state| state.sent >= 3)
        .await;
    let state = beating.handle.state();
    assert!(state.ok && state.enabled && state.error.is_empty());
    assert_eq!((state.failed, state.url), (0, collector.url()));
    assert!(state.last_ok_ms > 0);
    assert_eq!(beating.told().len(), 1);
}

/// Against a collector in `mood` the heartbeat fails with `error`, and is told so once; when the
/// collector is well again, so is the heartbeat.
async fn falls_and_rises(mood: Mood, error: &str) {
    let collector = Collector::start(mood).await;
    let beating = Beating::start(to(&collector.url()));
    beating
        .wait_until("failures", |state| state.failed >= 2)
        .await;
    let state = beating.handle.state();
    assert!(!state.ok);
    assert!(state.error.contains(error), "{error}: {}", state.error);
    let told = beating.told();
    assert_eq!(told.len(), 1, "{told:?}");
    assert!(told[0].message.contains(error), "{}", told[0].message);
    let part = beating.part();
    assert_eq!(part.state, PartState::Retrying);
    assert!(
        part.next_try_ms.is_some() && part.error.contains(error),
        "{part:?}"
    );

    collector.mood.send(OK).unwrap();
    beating.wait_until("success", |state| state.sent >= 2).await;
    assert!(beating.handle.state().ok && beating.handle.state().error.is_empty());
    let part = beating.part();
    assert_eq!((part.state, part.next_try_ms), (PartState::Running, None));
    assert!(
        part.progress.starts_with("sent ") && part.restarts >= 2,
        "{part:?}"
    );
    let told = beating.told();
    assert_eq!(told.len(), 2, "{told:?}");
    assert!(told[1].message.contains("again"), "{}", told[1].message);
}

#[tokio::test]
async fn a_collector_that_answers_500_is_down() {
    falls_and_rises(BROKEN, "the answer is 500 Internal Server Error").await;
}

#[tokio::test]
async fn a_collector_that_hangs_is_cut_off() {
    falls_and_rises(Mood::Hang, "no answer within 1s").await;
}

#[tokio::test]
async fn a_collector_that_closes_is_down() {
    falls_and_rises(Mood::Close, "connection").await;
}

#[tokio::test]
async fn a_collector_that_speaks_something_else_is_down() {
    falls_and_rises(
        Mood::Answer("220 smtp.example.com ESMTP\r\n"),
        "invalid HTTP",
    )
    .await;
}

#[tokio::test]
async fn redirects_are_not_followed() {
    let answer = "HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n";
    falls_and_rises(
        Mood::Answer(answer),
        "heartbeat.url must be the place itself",
    )
    .await;
}

#[tokio::test]
async fn a_wrong_token_is_said_to_be_one() {
    let answer = "HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n\r\n";
    falls_and_rises(Mood::Answer(answer), "heartbeat.token").await;
}

#[tokio::test]
async fn an_answer_without_end_is_a_good_one() {
    let mut collector = Collector::start(Mood::Endless).await;
    let beating = Beating::start(to(&collector.url()));
    collector.post().await;
    collector.post().await;
    beating.wait_until("success", |state| state.sent >= 2).await;
    assert_eq!(beating.handle.state().failed, 0);
}

#[tokio::test]
async fn a_port_where_nobody_listens_is_said_clearly() {
    let address = TcpListener::bind("127.0.0.1:0")
        .await
        .unwrap()
        .local_addr()
        .unwrap();
    let beating = Beating::start(to(&format!("http://{address}/?token=secret")));
    beating
        .wait_until("failures", |state| state.failed >= 2)
        .await;
    let state = beating.handle.state();
    assert!(
        state.error.starts_with("Connection refused"),
        "{}",
        state.error
    );
    assert_eq!(
        state.url,
        format!("http://{address}/"),
        "without what may be secret"
    );
    assert_eq!(beating.told().len(), 1);
}

#[tokio::test]
async fn a_collector_without_tls_fails_where_tls_is_wanted() {
    let collector = Collector::start(OK).await;
    let beating = Beating::start(to(&collector.url().replace("http:", "https:")));
    beating
        .wait_until("failure", |state| state.failed >= 1)
        .await;
    assert!(!beating.handle.state().error.is_empty());
}

#[tokio::test]
async fn changes_take_effect_at_once() {
    let mut first = Collector::start(OK).await;
    let mut second = Collector::start(OK).await;
    let beating = Beating::start(HeartbeatConfig {
        interval: Duration::from_secs(3_600),
        ..to(&first.url())
    });
    first.post().await;
    beating.wait_until("success", |state| state.sent == 1).await;

    // What does not concern it does not make it beat.
    beating.change(|config| config.max_connections = 7);
    let url = HttpUrl::new(second.url()).unwrap();
    beating.change(|config| config.heartbeat.url = url);
    second.post().await;
    beating.wait_until("success", |state| state.sent == 2).await;
    assert_eq!(beating.handle.state().url, second.url());
    assert!(first.posts.try_recv().is_err());

    beating.change(|config| config.heartbeat.interval = Duration::from_millis(300));
    second.post().await;
    second.post().await;

    beating.change(|config| config.heartbeat.enabled = false);
    beating.wait_until("an end", |state| !state.enabled).await;
    let state = beating.handle.state();
    assert_eq!((state.ok, state.url.as_str()), (false, ""));
    let part = beating.part();
    assert_eq!((part.state, part.target), (PartState::Idle, second.url()));
    while second.posts.try_recv().is_ok() {}

    beating.change(|config| {
        config.heartbeat.enabled = true;
        config.heartbeat.device_id = "new".to_owned();
    });
    assert!(second.post().await.body.contains(r#""device_id":"new""#));
}
