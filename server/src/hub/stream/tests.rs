//! A stream with its publishers and subscribers, by a clock that the tests advance.

use std::net::IpAddr;

use super::*;
use crate::config::Takeover;
use crate::hub::log::Entry;

const SETTINGS: StreamSettings = StreamSettings {
    log: LogLimits {
        queue_length: Duration::from_secs(10),
        gop_cache: true,
        memory: 1 << 20,
    },
    atc: false,
    atc_auto: true,
    mix_correct: false,
};

/// A hub with a clock, and packets of a 25 fps stream with a key frame each second.
struct Studio {
    hub: Hub,
    now: Instant,
    name: StreamName,
}

impl Studio {
    fn new() -> Self {
        let name = StreamName::new("__defaultVhost__", "live", "show");
        Self {
            hub: Hub::default(),
            now: Instant::now(),
            name,
        }
    }

    fn publish(&self, client: u64, takeover: Takeover) -> Result<Publisher, PublishError> {
        self.publish_by(&SETTINGS, client, takeover)
    }

    fn publish_by(
        &self,
        settings: &StreamSettings,
        client: u64,
        takeover: Takeover,
    ) -> Result<Publisher, PublishError> {
        let host = u8::try_from(client % 256).expect("below 256");
        let request = PublishRequest {
            client,
            credential: Credential {
                address: IpAddr::from([192, 0, 2, host]),
                params: String::new(),
            },
            takeover,
            dead_after: Duration::from_secs(2),
        };
        self.hub.publish(&self.name, settings, request, self.now)
    }

    fn subscribe(&self) -> Subscriber {
        self.hub.subscribe(&self.name, &SETTINGS, self.now)
    }

    /// Sends `frames` frames of video, each 40 ms, from the publisher's time `wire` on.
    fn send(&mut self, publisher: &Publisher, wire: u32, frames: u32) {
        for frame in 0..frames {
            let body: &[u8] = if frame % 25 == 0 {
                &[0x17, 1, 0, 0, 0, 9]
            } else {
                &[0x27, 1, 0, 0, 0, 9]
            };
            let wire = wire.wrapping_add(frame * 40);
            let body = Bytes::copy_from_slice(body);
            publisher
                .push(Track::Video, wire, body, self.now)
                .expect("it is the publisher");
            self.now += Duration::from_millis(40);
        }
    }

    fn send_header(&self, publisher: &Publisher, wire: u32) {
        let header = Bytes::from_static(&[0x17, 0, 0, 0, 0, 1, 100, 0, 31]);
        publisher
            .push(Track::Video, wire, header, self.now)
            .expect("it is the publisher");
    }
}

/// Everything there is to read.
fn read_all(subscriber: &mut Subscriber) -> Vec<Entry> {
    let mut entries = Vec::new();
    while subscriber.try_read(&mut entries) {}
    entries
}

/// `P`ublished, `U`npublished, `H`eader, `K`ey frame, `f`rame.
fn shape(entries: &[Entry]) -> String {
    let letter = |entry: &Entry| match entry {
        Entry::Published => 'P',
        Entry::Unpublished => 'U',
        Entry::Packet(logged) if HeaderKey::of(&logged.packet).is_some() => 'H',
        Entry::Packet(logged) if logged.packet.is_key_frame() => 'K',
        Entry::Packet(_) => 'f',
    };
    entries.iter().map(letter).collect()
}

fn timestamps(entries: &[Entry]) -> Vec<u64> {
    let timestamp = |entry: &Entry| match entry {
        Entry::Packet(logged) => Some(logged.packet.timestamp.as_millis()),
        _ => None,
    };
    entries.iter().filter_map(timestamp).collect()
}

#[test]
fn a_late_subscriber_gets_headers_and_then_a_key_frame() {
    let mut studio = Studio::new();
    let publisher = studio
        .publish(1, Takeover::Reject)
        .expect("nobody else publishes");
    studio.send_header(&publisher, 0);
    studio.send(&publisher, 0, 27);
    let mut late = studio.subscribe();
    let entries = read_all(&mut late);
    assert_eq!(shape(&entries), "PHKf");
    assert_eq!(
        timestamps(&entries),
        [1_000, 1_000, 1_040],
        "the header has the key frame's time"
    );
}

#[test]
fn without_a_gop_cache_a_late_subscriber_waits_for_a_key_frame() {
    let mut studio = Studio::new();
    let settings = StreamSettings {
        log: LogLimits {
            gop_cache: false,
            ..SETTINGS.log
        },
        ..SETTINGS
    };
    let publisher = studio
        .publish_by(&settings, 1, Takeover::Reject)
        .expect("free");
    studio.send_header(&publisher, 0);
    studio.send(&publisher, 0, 2);
    let mut late = studio.hub.subscribe(&studio.name, &settings, studio.now);
    assert_eq!(shape(&read_all(&mut late)), "PH");
    let pushed = |wire, body: &'static [u8]| {
        publisher
            .push(Track::Video, wire, Bytes::from_static(body), studio.now)
            .expect("current");
    };
    pushed(80, &[0x27, 1, 0, 0, 0, 9]);
    pushed(120, &[0x17, 1, 0, 0, 0, 9]);
    assert_eq!(shape(&read_all(&mut late)), "K");
}

#[test]
fn subscribers_keep_their_place_when_the_publisher_returns() {
    let mut studio = Studio::new();
    let first = studio.publish(1, Takeover::Reject).expect("free");
    studio.send_header(&first, 0);
    studio.send(&first, 0, 2);
    let mut subscriber = studio.subscribe();
    assert_eq!(shape(&read_all(&mut subscriber)), "PHKf");
    drop(first);
    assert_eq!(shape(&read_all(&mut subscriber)), "U");
    studio.now += Duration::from_secs(2);
    let second = studio.publish(2, Takeover::Reject).expect("free again");
    studio.send_header(&second, 500_000);
    studio.send(&second, 500_000, 1);
    let entries = read_all(&mut subscriber);
    assert_eq!(shape(&entries), "PHK");
    assert_eq!(
        timestamps(&entries),
        [2_080, 2_080],
        "the time that passed is in the timeline"
    );
}

#[test]
fn a_subscriber_that_comes_between_two_publishers_starts_with_the_second() {
    let mut studio = Studio::new();
    let early = studio.subscribe();
    let first = studio.publish(1, Takeover::Reject).expect("free");
    studio.send_header(&first, 0);
    studio.send(&first, 0, 30);
    drop(first);
    let mut between = studio.subscribe();
    assert_eq!(shape(&read_all(&mut between)), "U", "nothing old is shown");
    let second = studio.publish(2, Takeover::Reject).expect("free");
    studio.send(&second, 0, 1);
    assert_eq!(shape(&read_all(&mut between)), "PK");
    drop(early);
}

#[test]
fn a_slow_subscriber_jumps_to_the_newest_key_frame_and_the_loss_is_counted() {
    let mut studio = Studio::new();
    let publisher = studio.publish(1, Takeover::Reject).expect("free");
    studio.send_header(&publisher, 0);
    let mut slow = studio.subscribe();
    studio.send(&publisher, 0, 1);
    assert_eq!(shape(&read_all(&mut slow)), "PHK");
    studio.send(&publisher, 40, 25 * 20 + 3);
    let entries = read_all(&mut slow);
    assert_eq!(shape(&entries), "PKff");
    assert_eq!((slow.jumps(), slow.dropped()), (1, 25 * 20));
    let times = timestamps(&entries);
    assert!(
        times.is_sorted() && times[0] >= 40,
        "time only goes on: {times:?}"
    );
}

#[test]
fn a_slow_subscriber_reads_what_the_publisher_left_behind() {
    let mut studio = Studio::new();
    let publisher = studio.publish(1, Takeover::Reject).expect("free");
    studio.send_header(&publisher, 0);
    let mut slow = studio.subscribe();
    studio.send(&publisher, 0, 1);
    read_all(&mut slow);
    studio.send(&publisher, 40, 25 * 20 + 3);
    drop(publisher);
    let entries = shape(&read_all(&mut slow));
    assert!(
        entries.ends_with("KffU"),
        "the last key frame and what follows: {entries}"
    );
}

#[test]
fn a_new_header_that_a_jump_leaves_out_is_given_all_the_same() {
    let mut studio = Studio::new();
    let publisher = studio.publish(1, Takeover::Reject).expect("free");
    studio.send_header(&publisher, 0);
    studio.send(&publisher, 0, 1);
    let mut slow = studio.subscribe();
    read_all(&mut slow);
    studio.send(&publisher, 40, 25);
    studio.send_header(&publisher, 1_040);
    studio.send(&publisher, 1_040, 25 * 20);
    assert!(shape(&read_all(&mut slow)).starts_with("PHKf"));
}

#[test]
fn only_one_publishes_at_a_time() {
    let mut studio = Studio::new();
    let first = studio.publish(1, Takeover::Reject).expect("free");
    studio.send(&first, 0, 1);
    let busy = studio
        .publish(2, Takeover::TakeoverSame)
        .expect_err("another address");
    assert_eq!(busy, PublishError::Busy { client: 1 });
    let second = studio.publish(2, Takeover::Takeover).expect("takes over");
    let pushed = first.push(Track::Video, 40, Bytes::from_static(&[0x27, 1]), studio.now);
    assert_eq!(pushed, Err(Replaced { by: 2 }));
    drop(first);
    assert_eq!(
        second.stream().publisher(),
        Some(2),
        "the replaced one unpublishes nothing"
    );
}

#[test]
fn a_publisher_that_fell_silent_gets_its_stream_back_and_strangers_do_not() {
    let mut studio = Studio::new();
    let lost = studio.publish(1, Takeover::Reject).expect("free");
    studio.send(&lost, 0, 10);
    lost.note_bytes(studio.now);
    studio.now += Duration::from_millis(1_900);
    studio
        .publish(1, Takeover::Reject)
        .expect_err("it may yet be there");
    lost.note_bytes(studio.now);
    studio.now += Duration::from_millis(1_900);
    studio
        .publish(1, Takeover::Reject)
        .expect_err("it still sends a long packet");
    studio.now += Duration::from_millis(100);
    studio
        .publish(2, Takeover::Reject)
        .expect_err("silence is no credential");
    studio
        .publish(2, Takeover::TakeoverSame)
        .expect_err("nor here");
    studio
        .publish(1, Takeover::Reject)
        .expect("it is the lost one");
}

#[test]
fn memory_is_bounded_whatever_headers_a_publisher_sends() {
    let studio = Studio::new();
    let publisher = studio.publish(1, Takeover::Reject).expect("free");
    let mut idle = studio.subscribe();
    read_all(&mut idle);
    for round in 0..200u32 {
        for track in 0..=255u8 {
            // An enhanced multitrack sequence header of AVC, then a key frame of one byte.
            let mut header = vec![0x90 | 6, 0, b'a', b'v', b'c', b'1', track];
            header.resize(1_000, 0);
            let wire = round * 40;
            publisher
                .push(Track::Video, wire, header.into(), studio.now)
                .expect("current");
            let key = Bytes::from_static(&[0x17, 1, 0, 0, 0]);
            publisher
                .push(Track::Video, wire, key, studio.now)
                .expect("current");
        }
        let stream = publisher.stream();
        assert!(
            stream.log_bytes() <= SETTINGS.log.memory,
            "{} bytes",
            stream.log_bytes()
        );
        assert!(stream.headers().len() <= 16);
    }
}

#[test]
fn players_of_a_publisher_that_begins_mid_gop_wait_for_a_key_frame() {
    let mut studio = Studio::new();
    let mut waiting = studio.subscribe();
    read_all(&mut waiting);
    let first = studio.publish(1, Takeover::Reject).expect("free");
    studio.send_header(&first, 0);
    let inter = Bytes::from_static(&[0x27, 1, 0, 0, 0, 9]);
    first
        .push(Track::Video, 0, inter.clone(), studio.now)
        .expect("current");
    first
        .push(Track::Video, 40, inter.clone(), studio.now)
        .expect("current");
    studio.send(&first, 80, 2);
    assert_eq!(shape(&read_all(&mut waiting)), "PHKf");
    drop(first);
    let second = studio.publish(2, Takeover::Reject).expect("free");
    second
        .push(Track::Video, 0, inter, studio.now)
        .expect("current");
    studio.send(&second, 40, 1);
    assert_eq!(shape(&read_all(&mut waiting)), "UPK");
}

#[test]
fn a_key_frame_behind_many_that_are_left_out_is_read_at_once() {
    let mut studio = Studio::new();
    let publisher = studio.publish(1, Takeover::Reject).expect("free");
    let mut subscriber = studio.subscribe();
    read_all(&mut subscriber);
    for frame in 0..200 {
        let inter = Bytes::from_static(&[0x27, 1, 0, 0, 0, 9]);
        publisher
            .push(Track::Video, frame * 40, inter, studio.now)
            .expect("current");
    }
    studio.send(&publisher, 8_000, 1);
    assert_eq!(shape(&read_all(&mut subscriber)), "K");
}

#[test]
fn an_encoder_that_comes_back_is_counted_whether_or_not_anybody_watches() {
    let studio = Studio::new();
    let mut reconnects = Vec::new();
    for _ in 0..3 {
        let publisher = studio.publish(1, Takeover::Reject).expect("free");
        reconnects.push(publisher.stream().look(studio.now).reconnects);
    }
    assert_eq!(reconnects, [0, 1, 2]);
    // Somebody watches: the stream stays.
    let subscriber = studio.subscribe();
    drop(studio.publish(1, Takeover::Reject).expect("free"));
    let look = subscriber.stream().look(studio.now);
    assert_eq!((look.reconnects, look.subscribers), (3, 1));
    // Names that nobody publishes are not remembered.
    let name = StreamName::new("v", "live", "asked");
    drop(studio.hub.subscribe(&name, &SETTINGS, studio.now));
    assert_eq!(studio.hub.lock().ended.len(), 3);
}

#[test]
fn names_leave_nothing_behind() {
    let studio = Studio::new();
    for index in 0..10_000 {
        let name = StreamName::new("v", "live", &format!("stream{index}"));
        drop(studio.hub.subscribe(&name, &SETTINGS, studio.now));
    }
    assert_eq!(studio.hub.streams().len(), 0);
    assert!(studio.hub.lock().by_name.capacity() < 1_000);
    let publisher = studio.publish(1, Takeover::Reject).expect("free");
    let subscriber = studio.subscribe();
    drop(publisher);
    assert_eq!(studio.hub.streams().len(), 1, "somebody still waits");
    drop(subscriber);
    assert_eq!(studio.hub.streams().len(), 0);
}

#[test]
fn a_refused_publisher_leaves_the_stream_alone() {
    let studio = Studio::new();
    let first = studio.publish(1, Takeover::Reject).expect("free");
    studio.publish(2, Takeover::Reject).expect_err("busy");
    assert_eq!(studio.hub.streams().len(), 1);
    assert_eq!(first.stream().publisher(), Some(1));
}

#[test]
fn metadata_asks_for_the_publishers_own_time() {
    let studio = Studio::new();
    let publisher = studio.publish(1, Takeover::Reject).expect("free");
    let subscriber = studio.subscribe();
    assert!(!subscriber.is_atc());
    let mut metadata = Metadata::new();
    metadata.insert("bravo_atc", "true");
    publisher
        .push(Track::Data, 0, metadata.encode(), studio.now)
        .expect("current");
    assert!(subscriber.is_atc());
}

#[test]
fn packets_in_the_wrong_order_are_mixed_right_and_none_is_lost() {
    let studio = Studio::new();
    let settings = StreamSettings {
        mix_correct: true,
        ..SETTINGS
    };
    let publisher = studio
        .publish_by(&settings, 1, Takeover::Reject)
        .expect("free");
    let mut subscriber = studio.subscribe();
    read_all(&mut subscriber);
    for (track, wire) in [
        (Track::Video, 0),
        (Track::Video, 40),
        (Track::Video, 80),
        (Track::Audio, 10),
        (Track::Audio, 50),
    ] {
        let body: &'static [u8] = if track == Track::Video {
            &[0x17, 1, 0, 0, 0, 9]
        } else {
            &[0xAF, 1, 9]
        };
        publisher
            .push(track, wire, Bytes::from_static(body), studio.now)
            .expect("current");
    }
    drop(publisher);
    let entries = read_all(&mut subscriber);
    assert_eq!(timestamps(&entries), [0, 10, 40, 50, 80]);
    assert_eq!(entries.last(), Some(&Entry::Unpublished));
}

#[test]
fn a_subscriber_that_waits_is_woken_by_the_next_packet() {
    let mut studio = Studio::new();
    let publisher = studio.publish(1, Takeover::Reject).expect("free");
    let mut subscriber = studio.subscribe();
    read_all(&mut subscriber);
    let mut batch = Vec::new();
    let mut waiting = polled(subscriber.read(&mut batch));
    assert!(!waiting.is_ready());
    studio.send(&publisher, 0, 1);
    assert!(waiting.is_ready());
}

/// Polls a future once at a time.
fn polled<F: Future>(future: F) -> Polled<F> {
    Polled(Box::pin(future))
}

struct Polled<F>(std::pin::Pin<Box<F>>);

impl<F: Future> Polled<F> {
    fn is_ready(&mut self) -> bool {
        let mut context = std::task::Context::from_waker(std::task::Waker::noop());
        self.0.as_mut().poll(&mut context).is_ready()
    }
}

#[test]
fn a_stream_of_which_nothing_comes_has_no_frame_rate() {
    let mut studio = Studio::new();
    let publisher = studio
        .publish(100, Takeover::Takeover)
        .expect("nobody else");
    studio.send(&publisher, 0, 200);
    let stream = studio.hub.streams().pop().expect("it is published");
    let rate = |now| stream.look(now).frame_rate;
    let last = studio.now - Duration::from_millis(40);
    assert_eq!(rate(studio.now), 25.0);
    assert_eq!(rate(last + Duration::from_millis(2_999)), 25.0);
    assert_eq!(rate(last + Duration::from_secs(3)), 0.0);
    // Its history says the same.
    stream.sample(studio.now);
    stream.sample(last + Duration::from_secs(4));
    let span = stream
        .history(Duration::from_secs(60))
        .expect("it was published");
    let rates = span.samples.iter().map(|sample| sample.frame_rate());
    let rates: Vec<f32> = rates.skip_while(|rate| *rate == 0.0).collect();
    assert_eq!(rates.first(), Some(&25.0), "{rates:?}");
    assert_eq!(rates.last(), Some(&0.0), "{rates:?}");
    drop(publisher);
    assert_eq!(
        rate(last + Duration::from_millis(1)),
        0.0,
        "nobody publishes it"
    );
}
