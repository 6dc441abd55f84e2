//! What is sorted, matched and left out.

use super::*;

fn view<K: SortKey>(sort: &str, pattern: Option<(&str, bool)>) -> View<K> {
    let (name, descending) = match sort.strip_prefix('-') {
        Some(name) => (name, true),
        None => (sort, false),
    };
    let key = K::ALL.iter().find(|(known, _)| *known == name);
    View {
        pattern: pattern.map(|(text, invert)| Pattern::new(text, invert).unwrap()),
        sort: key.map(|&(_, key)| Sort { key, descending }),
        start: 0,
        count: 10,
    }
}

fn stream_names(stage: &Stage, view: &View<StreamKey>) -> String {
    let listed = streams(&stage.service, &StreamFilter::default(), view, 0);
    let names: Vec<&str> = listed.items.iter().map(|stream| &*stream.name).collect();
    names.join(" ")
}

fn client_ids(stage: &Stage, view: &View<ClientKey>) -> String {
    let listed = clients(&stage.service, &ClientFilter::default(), view);
    let ids: Vec<&str> = listed.items.iter().map(|client| &*client.id).collect();
    ids.join(" ")
}

/// Three streams: `b` with video and two players, `a` with audio and one, `c` that one waits for.
fn full_stage() -> (Stage, Vec<Encoder>, Vec<Viewer>) {
    let stage = Stage::new();
    let b = stage.publish("a.example", "b");
    b.send(Track::Video, 0, &bytes(AVC_HEADER));
    for second in 0..5 {
        b.send(Track::Video, second * 1_000, KEY_FRAME);
        b.send(Track::Video, second * 1_000 + 500, FRAME);
    }
    let a = stage.publish("__defaultVhost__", "a");
    a.send(Track::Audio, 0, AAC_HEADER);
    let players = [
        ("a.example", "b", "192.0.2.9:5", "VLC"),
        ("a.example", "b", "192.0.2.9:4", "LNX 9,0,124,2"),
        ("__defaultVhost__", "a", "192.0.2.20:1", "VLC"),
        ("__defaultVhost__", "c", "[2001:db8::1]:1", "ffplay"),
    ];
    let players =
        players.map(|(vhost, name, address, agent)| stage.play(vhost, name, address, agent));
    // Ids: 100 and 101 publish, 102 to 105 play.
    add_bytes(&b.client, 250_000, 0);
    add_bytes(&a.client, 500_000, 0);
    for (player, bytes) in players.iter().zip([10_000, 200_000, 300_000, 0]) {
        add_bytes(&player.client, 0, bytes);
    }
    let slow = &players[2].client.client().traffic;
    slow.dropped.store(7, Ordering::Relaxed);
    slow.jumps.store(2, Ordering::Relaxed);
    slow.lag_millis.store(900, Ordering::Relaxed);
    slow.note_connection(Duration::from_micros(41_256), 3);
    stage.sample(1);
    (stage, vec![b, a], players.into())
}

#[test]
fn streams_are_sorted_by_every_key() {
    let (stage, _encoders, _viewers) = full_stage();
    // In the order of their ids: b a c.
    let cases = [
        ("", "b a c"),
        ("name", "a c b"),
        ("-name", "b c a"),
        ("state", "c b a"),
        ("-state", "b a c"),
        ("video", "a c b"),
        ("-video", "b a c"),
        ("-size", "b a c"),
        ("-fps", "b a c"),
        ("fps", "a c b"),
        ("-audio", "a b c"),
        ("-in", "a b c"),
        ("in", "c b a"),
        ("-out", "a b c"),
        ("-gop", "b a c"),
        ("-players", "b a c"),
        ("-drops", "a b c"),
        ("-jumps", "a b c"),
        ("-skew", "b a c"),
        ("-up", "b a c"),
        ("up", "c a b"),
        ("-outputs", "b a c"),
    ];
    for (sort, names) in cases {
        assert_eq!(stream_names(&stage, &view(sort, None)), names, "{sort}");
    }
    let tested = |name: &&str| {
        cases
            .iter()
            .any(|(sort, _)| sort.trim_start_matches('-') == *name)
    };
    let mut keys = StreamKey::ALL.iter().map(|(name, _)| name);
    assert!(keys.all(tested));
}

#[test]
fn clients_are_sorted_by_every_key() {
    let (stage, _encoders, _viewers) = full_stage();
    let cases = [
        ("", "100 101 102 103 104 105"),
        ("-id", "105 104 103 102 101 100"),
        ("type", "102 103 104 105 100 101"),
        ("address", "100 101 103 102 104 105"),
        ("stream", "101 104 105 100 102 103"),
        ("-in", "101 100 102 103 104 105"),
        ("-out", "104 103 102 100 101 105"),
        ("-lag", "104 100 101 102 103 105"),
        ("-drops", "104 100 101 102 103 105"),
        ("-jumps", "104 100 101 102 103 105"),
        ("-rtt", "104 100 101 102 103 105"),
        ("-retransmits", "104 100 101 102 103 105"),
        ("-up", "100 101 102 103 104 105"),
        ("agent", "100 101 103 102 104 105"),
    ];
    for (sort, ids) in cases {
        assert_eq!(client_ids(&stage, &view(sort, None)), ids, "{sort}");
    }
    let tested = |name: &&str| {
        cases
            .iter()
            .any(|(sort, _)| sort.trim_start_matches('-') == *name)
    };
    let mut keys = ClientKey::ALL.iter().map(|(name, _)| name);
    assert!(keys.all(tested));
}

#[test]
fn rows_are_matched_by_what_people_see_of_them() {
    let (stage, _encoders, _viewers) = full_stage();
    let cases = [
        ("", "b a c", "100 101 102 103 104 105"),
        ("^live/", "a c", ""),
        (r"^a\.example/live/b$", "b", ""),
        (r" live/[ac] ", "", "101 104 105"),
        ("VLC$", "", "102 104"),
        ("(?i)vlc", "", "102 104"),
        ("^10[0-2] (publish|play) 192", "", "100 101 102"),
        (r"play .*:4 a\.example/live/b LNX", "", "103"),
        (r"\[2001:db8::1\]:1 ", "", "105"),
    ];
    for (pattern, names, ids) in cases {
        let by = |invert| Some((pattern, invert));
        assert_eq!(
            stream_names(&stage, &view("", by(false))),
            names,
            "{pattern}"
        );
        assert_eq!(client_ids(&stage, &view("", by(false))), ids, "{pattern}");
        let others = |all: &str, found: &str| {
            let is_other = |name: &&str| !found.split(' ').any(|found| found == *name);
            let others: Vec<&str> = all.split(' ').filter(is_other).collect();
            others.join(" ")
        };
        let inverted = stream_names(&stage, &view("", by(true)));
        assert_eq!(inverted, others("b a c", names), "{pattern}");
        let inverted = client_ids(&stage, &view("", by(true)));
        assert_eq!(
            inverted,
            others("100 101 102 103 104 105", ids),
            "{pattern}"
        );
    }
}

#[test]
fn a_page_is_a_part_of_what_is_left_and_the_total_is_all_of_that() {
    let (stage, _encoders, _viewers) = full_stage();
    let cases = [
        (0, 2, "104 103"),
        (1, 2, "103 102"),
        (3, 5, "105"),
        (4, 5, ""),
    ];
    for (start, count, ids) in cases {
        let view = View {
            start,
            count,
            ..view("-out", Some((" play ", false)))
        };
        assert_eq!(client_ids(&stage, &view), ids, "{start} {count}");
        let listed = clients(&stage.service, &ClientFilter::default(), &view);
        assert_eq!(listed.total, 4);
    }
    // A list's own filter comes first.
    let of_b = ClientFilter {
        stream: Some("s1".to_owned()),
        ..ClientFilter::default()
    };
    let listed = clients(&stage.service, &of_b, &view("-id", Some(("VLC", true))));
    let ids: Vec<_> = listed.items.iter().map(|client| &*client.id).collect();
    assert_eq!((listed.total, ids), (2, vec!["103", "100"]));
}

#[test]
fn a_client_has_the_figures_of_its_connection() {
    let (stage, _encoders, _viewers) = full_stage();
    let slow = client(&stage.service, "104").unwrap();
    assert_eq!((slow.rtt_ms, slow.retransmits), (Some(41.26), 3));
    let other = client(&stage.service, "105").unwrap();
    assert_eq!((other.rtt_ms, other.retransmits), (None, 0));
}
