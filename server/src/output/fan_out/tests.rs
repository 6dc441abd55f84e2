//! Players on real sockets, served by rows.

use std::net::IpAddr;
use std::sync::atomic::Ordering;
use std::time::Instant;

use bytes::{BufMut as _, Bytes, BytesMut};
use socket2::SockRef;
use srs_media::packet::Track;
use srs_net::{Exchange, LendableSocket, Transport, seed};
use srs_rtmp::Limits;
use srs_rtmp::chunk::ChunkReader;
use srs_rtmp::message::{Message, MessageType};
use srs_rtmp::server::{ServerConnection, ServerSettings};
use tokio::io::AsyncReadExt as _;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio::time::timeout;

use super::*;
use crate::config::{SendBuffer, Takeover, VhostConfig};
use crate::hub::log::LogLimits;
use crate::hub::stats::Traffic;
use crate::hub::takeover::Credential;
use crate::hub::{Hub, PublishRequest, Publisher, StreamName, StreamSettings};
use crate::output::rtmp_play::RtmpPlay;

const SOON: Duration = Duration::from_secs(20);

/// A stream with its publisher and its players.
struct Theatre {
    hub: Hub,
    fan_out: FanOut,
    config: VhostConfig,
    publisher: Option<Publisher>,
    /// How many packets were published.
    published: u32,
    sessions: JoinSet<()>,
}

impl Theatre {
    fn new(merge: Merge) -> Self {
        let mut config = VhostConfig::default();
        config.play.merge = merge;
        let mut theatre = Self {
            hub: Hub::default(),
            fan_out: FanOut::new(2, TaskTracker::new(), CancellationToken::new()),
            config,
            publisher: None,
            published: 0,
            sessions: JoinSet::new(),
        };
        theatre.begin();
        theatre
    }

    fn begin(&mut self) {
        let request = PublishRequest {
            client: 100,
            credential: Credential {
                address: IpAddr::from([192, 0, 2, 1]),
                params: String::new(),
            },
            takeover: Takeover::Takeover,
            dead_after: SOON,
        };
        let publisher = self
            .hub
            .publish(&name(), &settings(), request, Instant::now());
        self.publisher = Some(publisher.expect("a takeover is allowed"));
    }

    /// Publishes packets, 20 ms apart, each with its number in it. Every 50th is a key frame.
    fn push(&mut self, len: usize, count: u32) {
        for _ in 0..count {
            let number = self.published;
            let first = if number.is_multiple_of(50) {
                0x17
            } else {
                0x27
            };
            let mut body = BytesMut::zeroed(len.max(9));
            (&mut body[..]).put_slice(&[first, 1, 0, 0, 0]);
            (&mut body[5..]).put_u32(number);
            let publisher = self.publisher.as_ref().expect("somebody publishes");
            publisher
                .push(Track::Video, number * 20, body.freeze(), Instant::now())
                .expect("nobody took over");
            self.published += 1;
        }
    }

    /// Adds a player that is served as a session serves it.
    async fn player(&mut self) -> Player {
        self.player_with(None).await
    }

    async fn player_with(&mut self, buffers: Option<usize>) -> Player {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("it is bound");
        let socket = TcpStream::connect(address).await.expect("it listens");
        let (served, _) = listener.accept().await.expect("the player has connected");
        // Little fits in, so that a player that does not read is noticed soon.
        if let Some(size) = buffers {
            SockRef::from(&served)
                .set_send_buffer_size(size)
                .expect("open");
            SockRef::from(&socket)
                .set_recv_buffer_size(size)
                .expect("open");
        }

        let subscriber = self.hub.subscribe(&name(), &settings(), Instant::now());
        let play = RtmpPlay::new(1, subscriber, &self.config, -1.0, Instant::now());
        let traffic = Arc::<Traffic>::default();
        let session = serve(play, served, self.fan_out.clone(), Arc::clone(&traffic));
        self.sessions.spawn(session);
        let mut reader = ChunkReader::new(Limits::default());
        reader.set_chunk_size(60_000).expect("an allowed size");
        Player {
            socket,
            reader,
            inbox: BytesMut::new(),
            traffic,
        }
    }

    async fn until_seated(&self, players: usize) {
        let seated = async {
            while self.fan_out.seated() != players {
                tokio::task::yield_now().await;
            }
        };
        let so_far = || format!("{} of {players} are seated", self.fan_out.seated());
        timeout(SOON, seated)
            .await
            .unwrap_or_else(|_| panic!("{}", so_far()));
    }
}

fn name() -> StreamName {
    StreamName::new("__defaultVhost__", "live", "show")
}

fn settings() -> StreamSettings {
    StreamSettings {
        log: LogLimits {
            queue_length: Duration::from_secs(600),
            gop_cache: true,
            memory: 256 << 20,
        },
        atc: false,
        atc_auto: false,
        mix_correct: false,
    }
}

/// What a session does with a player that has been accepted.
async fn serve(mut play: RtmpPlay, socket: TcpStream, fan_out: FanOut, traffic: Arc<Traffic>) {
    let mut connection = ServerConnection::new(ServerSettings::default(), 0, seed::entropy());
    let mut transport = Transport::new(LendableSocket::new(socket));
    connection.set_chunk_size(60_000, &mut transport.outbox);
    loop {
        let idle = transport.outbox.is_empty();
        if idle
            && let Some(writer) = transport.socket_mut().lend()
            && let Err(writer) = play.sit_down(&fan_out, &connection, writer, &traffic)
        {
            transport.socket_mut().take_back(writer);
        }
        let exchanged = tokio::select! {
            exchanged = transport.exchange(true) => Some(exchanged),
            () = play.ready(), if idle => None,
        };
        if let Some((writer, bytes)) = play.stand_up(&mut transport.outbox) {
            transport.socket_mut().take_back(writer);
            transport.count_sent(bytes);
        }
        match exchanged {
            Some(Ok(Exchange::Closed) | Err(_)) => return,
            Some(Ok(_)) => transport.inbox.clear(),
            None => {
                play.send(&mut connection, &mut transport.outbox, Instant::now());
            }
        }
    }
}

/// The other end of a player's connection.
struct Player {
    socket: TcpStream,
    reader: ChunkReader,
    inbox: BytesMut,
    traffic: Arc<Traffic>,
}

impl Player {
    /// The next packet: its number and its timestamp.
    async fn next(&mut self) -> (u32, u32) {
        loop {
            let message = self.reader.read(&mut self.inbox).expect("whole chunks");
            match message {
                Some(Message {
                    message_type: MessageType::Video,
                    payload,
                    timestamp,
                    ..
                }) => {
                    let number = payload.get(5..9).and_then(|bytes| bytes.try_into().ok());
                    return (number.map(u32::from_be_bytes).expect("a number"), timestamp);
                }
                // The chunk size, which the reader has from the beginning.
                Some(_) => {}
                None => {
                    let read = timeout(SOON, self.socket.read_buf(&mut self.inbox)).await;
                    let read = read
                        .expect("something comes")
                        .expect("the connection holds");
                    assert!(read > 0, "the connection was closed");
                }
            }
        }
    }

    /// Sees that the packets come one after the other, 20 ms apart, up to number `last`.
    async fn watch(&mut self, (mut number, mut timestamp): (u32, u32), last: u32) {
        while number < last {
            let next = self.next().await;
            assert_eq!(next, (number + 1, timestamp + 20));
            (number, timestamp) = next;
        }
    }

    /// Makes the player's session stand up.
    async fn say_something(&mut self) {
        use tokio::io::AsyncWriteExt as _;
        self.socket.write_all(b"!").await.expect("the server reads");
    }
}

#[tokio::test]
async fn players_of_a_row_each_have_their_own_time() {
    let mut theatre = Theatre::new(Merge::For(Duration::ZERO));
    let mut players = Vec::new();
    // More than a row holds; they come in the middle of different groups of pictures.
    for _ in 0..3 {
        theatre.push(500, 20);
        for _ in 0..60 {
            players.push(theatre.player().await);
        }
    }
    theatre.until_seated(180).await;
    theatre.push(700, 200);
    let last = theatre.published - 1;
    for (index, player) in players.iter_mut().enumerate() {
        let first = if index < 120 { 0 } else { 50 };
        assert_eq!(player.next().await, (first, 0));
        player.watch((first, 0), last).await;
    }
    let counters: Vec<_> = players
        .iter()
        .map(|player| Arc::clone(&player.traffic))
        .collect();
    drop(players);
    theatre.until_seated(0).await;
    for traffic in counters {
        let by_row = traffic.packets_out.load(Ordering::Relaxed);
        assert!(
            by_row >= 200,
            "all but what it found when it came: {by_row}"
        );
    }
    while theatre.sessions.join_next().await.is_some() {}
    theatre.fan_out.shared.tasks.close();
    timeout(SOON, theatre.fan_out.shared.tasks.wait())
        .await
        .expect("rows without players end");
    assert!(theatre.fan_out.shared.lock_groups().is_empty());
}

#[tokio::test]
async fn a_player_that_does_not_read_for_a_while_loses_nothing() {
    let mut theatre = Theatre::new(Merge::For(Duration::ZERO));
    theatre.push(100, 1);
    let mut slow = theatre.player_with(Some(8_192)).await;
    let mut fast = theatre.player().await;
    theatre.until_seated(2).await;
    let (slow_first, fast_first) = (slow.next().await, fast.next().await);
    let bursts = [
        (3_000, 10),
        (70_000, 2),
        (20, 10),
        (100_000, 2),
        (1_000, 26),
    ];
    for (len, count) in bursts {
        let last = theatre.published - 1;
        theatre.push(len, count);
        fast.watch((last, last * 20), last + count).await;
    }
    assert_eq!(fast_first, (0, 0));
    slow.watch(slow_first, theatre.published - 1).await;
    theatre.until_seated(2).await;
    theatre.push(100, 5);
    slow.watch((50, 1_000), 55).await;
}

#[tokio::test]
async fn sessions_that_stand_up_at_any_time_get_every_packet_once() {
    let mut theatre = Theatre::new(Merge::For(Duration::from_millis(3)));
    theatre.push(100, 1);
    let mut players = Vec::new();
    for _ in 0..10 {
        players.push(theatre.player().await);
    }
    let mut firsts = Vec::new();
    for player in &mut players {
        firsts.push(player.next().await);
    }
    for round in 0..200 {
        theatre.push(900, 1);
        players[round % 10].say_something().await;
        tokio::task::yield_now().await;
        for (player, first) in players.iter_mut().zip(&mut firsts) {
            if round % 7 == 0 {
                player.watch(*first, theatre.published - 1).await;
                *first = (theatre.published - 1, (theatre.published - 1) * 20);
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn many_players_on_all_cores_get_every_packet_once_whatever_happens() {
    for merge in [Duration::ZERO, Duration::from_millis(3)] {
        let mut theatre = Theatre::new(Merge::For(merge));
        theatre.push(100, 50);
        let mut players = JoinSet::new();
        let last = 649;
        for index in 0..300 {
            let mut player = theatre.player().await;
            players.spawn(async move {
                let (mut number, mut timestamp) = player.next().await;
                assert_eq!((number, timestamp), (0, 0));
                while number < last {
                    let next = player.next().await;
                    assert_eq!(next.0, number + 1);
                    assert!(next.1 >= timestamp, "time goes back: {next:?}");
                    (number, timestamp) = next;
                    // Each at other moments, so that some stand up while they are written to.
                    if (number * 31 + index * 17).is_multiple_of(23) {
                        player.say_something().await;
                    }
                }
            });
        }
        for round in 0..60 {
            match round % 20 {
                // Too large to be copied.
                5 => theatre.push(80_000, 10),
                // Another publisher takes over, with a key frame.
                15 => {
                    theatre.begin();
                    theatre.push(300, 10);
                }
                _ => theatre.push(900, 10),
            }
            tokio::task::yield_now().await;
        }
        let watched = async {
            while let Some(player) = players.join_next().await {
                player.expect("a player saw something wrong");
            }
        };
        timeout(4 * SOON, watched)
            .await
            .expect("all of them see the end");
    }
}

#[tokio::test]
async fn players_that_come_and_go_do_not_pile_up_at_the_door() {
    let mut theatre = Theatre::new(Merge::For(Duration::ZERO));
    theatre.push(100, 1);
    let mut restless = theatre.player().await;
    let mut quiet = theatre.player().await;
    let firsts = (restless.next().await, quiet.next().await);
    theatre.until_seated(2).await;
    let rows = || {
        let groups = theatre.fan_out.shared.lock_groups();
        let group = groups.values().next().and_then(Weak::upgrade);
        group.expect("there are players").lock_rows().clone()
    };
    // Nothing is published meanwhile.
    for _ in 0..2_000 {
        restless.say_something().await;
        tokio::task::yield_now().await;
    }
    theatre.until_seated(2).await;
    for row in rows() {
        assert!(row.waiting() <= 512, "{} wait", row.waiting());
    }
    theatre.push(100, 5);
    restless.watch(firsts.0, 5).await;
    quiet.watch(firsts.1, 5).await;
}

#[tokio::test(start_paused = true)]
async fn packets_are_collected_but_a_key_frame_is_not_held_back() {
    let mut theatre = Theatre::new(Merge::For(Duration::from_secs(9)));
    theatre.push(100, 1);
    let mut player = theatre.player().await;
    let first = player.next().await;
    theatre.until_seated(1).await;

    theatre.push(100, 10);
    let early = timeout(Duration::from_secs(8), player.next()).await;
    assert!(early.is_err(), "packets are collected for 9 s: {early:?}");
    timeout(Duration::from_secs(2), player.watch(first, 10))
        .await
        .expect("9 s are over");

    theatre.push(100, 40);
    let at_once = player.watch((10, 200), 50);
    timeout(Duration::from_secs(1), at_once)
        .await
        .expect("number 50 is a key frame");
}

#[tokio::test(start_paused = true)]
async fn connections_of_players_are_measured_while_they_are_seated() {
    let mut theatre = Theatre::new(Merge::For(Duration::ZERO));
    theatre.push(100, 1);
    let mut player = theatre.player().await;
    player.next().await;
    theatre.until_seated(1).await;
    assert_eq!(player.traffic.round_trip(), None);
    tokio::time::advance(Duration::from_secs(10)).await;
    theatre.push(100, 1);
    player.next().await;
    assert!(player.traffic.round_trip().is_some());
}

#[tokio::test]
async fn a_send_buffer_has_room_for_a_merged_write_and_two_seconds() {
    let cases = [
        (Merge::For(Duration::ZERO), SendBuffer::Auto, Some(100_000)),
        (
            Merge::For(Duration::from_secs(1)),
            SendBuffer::Auto,
            Some(150_000),
        ),
        (Merge::Auto, SendBuffer::Bytes(5_000), Some(5_000)),
    ];
    for (merge, setting, expected) in cases {
        let mut theatre = Theatre::new(merge);
        theatre.config.play.send_buffer = setting;
        let early = theatre.hub.subscribe(&name(), &settings(), Instant::now());
        let mut early = RtmpPlay::new(1, early, &theatre.config, -1.0, Instant::now());
        theatre.push(1_000, 1);
        let known = early.new_send_buffer();
        assert_eq!(
            (known.is_none(), early.awaits_rate()),
            match setting {
                SendBuffer::Auto => (true, true),
                SendBuffer::Bytes(_) => (false, false),
            }
        );
        // 50 packets a second: 50 kB.
        theatre.push(1_000, 200);
        assert_eq!(early.new_send_buffer().or(known), expected, "{merge:?}");
        assert!(!early.awaits_rate());
        let subscriber = theatre.hub.subscribe(&name(), &settings(), Instant::now());
        let mut play = RtmpPlay::new(1, subscriber, &theatre.config, -1.0, Instant::now());
        assert_eq!(play.new_send_buffer(), expected, "{merge:?}");
        assert_eq!(play.new_send_buffer(), None, "it is said once");
    }
}

#[tokio::test]
async fn nobody_is_left_in_a_row_whose_task_has_ended() {
    let mut theatre = Theatre::new(Merge::For(Duration::ZERO));
    theatre.push(100, 1);
    let mut player = theatre.player().await;
    let first = player.next().await;
    theatre.until_seated(1).await;
    // As the end of the server, or a panic, would end it.
    theatre.fan_out.shared.stop.cancel();
    theatre.until_seated(0).await;
    theatre.push(100, 10);
    player.watch(first, 10).await;
}

#[tokio::test]
async fn players_keep_their_place_when_the_publisher_returns() {
    let mut theatre = Theatre::new(Merge::For(Duration::ZERO));
    theatre.push(100, 50);
    let mut player = theatre.player().await;
    theatre.until_seated(1).await;
    let first = player.next().await;
    player.watch(first, 49).await;
    theatre.publisher = None;
    theatre.until_seated(0).await;
    theatre.begin();
    theatre.push(100, 10);
    let (number, timestamp) = player.next().await;
    assert_eq!(number, 50);
    assert!(timestamp > 49 * 20, "time goes on: {timestamp}");
    theatre.until_seated(1).await;
    theatre.push(100, 10);
    player.watch((50, timestamp), 69).await;
}

#[tokio::test]
async fn listeners_of_a_stream_without_video_are_seated_too() {
    let mut theatre = Theatre::new(Merge::For(Duration::ZERO));
    let push = |theatre: &Theatre, time| {
        let body = Bytes::from_static(&[0xAF, 1, 9]);
        let publisher = theatre.publisher.as_ref().expect("somebody publishes");
        publisher
            .push(Track::Audio, time, body, Instant::now())
            .expect("nobody took over");
    };
    push(&theatre, 0);
    let mut player = theatre.player().await;
    theatre.until_seated(1).await;
    // Pictures of a camera that is switched on are of use from the first key frame on.
    theatre.published = 1;
    theatre.push(100, 60);
    assert_eq!(player.next().await.0, 50);
}
