//! What is told of a flood, by a clock that the test moves.

use std::cell::RefCell;

use proptest::prelude::*;
use tokio::time::advance;

use super::*;

const CLIENTS: Subject = Subject::Clients;

/// One complaint about `ip`, whose reason and port are `number`.
fn complain(complaints: &Complaints, subject: Subject, ip: &str, number: u16) -> bool {
    let ip: IpAddr = ip.parse().unwrap();
    let (peer, why) = (
        std::net::SocketAddr::new(ip, number),
        format!("no {number}"),
    );
    complaints.may_tell(subject, Some(ip), &peer, &why)
}

/// How many of so many complaints have a line of their own.
fn flood(complaints: &Complaints, ip: &str, number: u16) -> usize {
    let told = (0..number).filter(|number| complain(complaints, CLIENTS, ip, *number));
    told.count()
}

fn due(complaints: &Complaints) -> Vec<String> {
    let due = complaints.take_due(Instant::now());
    due.iter().map(ToString::to_string).collect()
}

#[tokio::test(start_paused = true)]
async fn a_flood_is_a_few_lines_and_then_one_for_each_window_until_it_ends() {
    let complaints = Complaints::default();
    assert_eq!(flood(&complaints, "192.0.2.1", 1_000), 5);
    advance(WINDOW - Duration::from_millis(1)).await;
    assert_eq!(due(&complaints), [""; 0]);
    assert_eq!(flood(&complaints, "192.0.2.1", 5), 0);
    advance(Duration::from_millis(1)).await;
    let first =
        "refused or cut off 1000 more connections or requests from 192.0.2.1, the last: no 4";
    assert_eq!(due(&complaints), [first]);
    assert_eq!(due(&complaints), [""; 0], "told once");

    assert_eq!(flood(&complaints, "192.0.2.1", 1), 0, "it goes on");
    advance(WINDOW).await;
    let second = "refused or cut off 1 more connection or request from 192.0.2.1, the last: no 0";
    assert_eq!(due(&complaints), [second]);

    advance(WINDOW).await;
    assert_eq!(due(&complaints), [""; 0]);
    assert_eq!(flood(&complaints, "192.0.2.1", 6), 5, "it begins anew");
}

#[tokio::test(start_paused = true)]
async fn who_complains_now_and_then_is_told_each_time() {
    let complaints = Complaints::default();
    for _ in 0..100 {
        assert_eq!(flood(&complaints, "192.0.2.1", 1), 1);
        advance(WINDOW / 5).await;
    }
    assert_eq!(complaints.next_end(), None);
}

#[tokio::test(start_paused = true)]
async fn a_window_that_is_told_late_loses_nothing() {
    let complaints = Complaints::default();
    assert_eq!(flood(&complaints, "192.0.2.1", 7), 5);
    advance(WINDOW * 10).await;
    assert_eq!(flood(&complaints, "192.0.2.1", 3), 0);
    let late = "refused or cut off 5 more connections or requests from 192.0.2.1, the last: no 2";
    assert_eq!(due(&complaints), [late]);
}

#[tokio::test(start_paused = true)]
async fn a_host_is_one_source_and_its_neighbours_are_others() {
    for (ip, same, other, shown) in [
        ("192.0.2.1", "::ffff:192.0.2.1", "192.0.2.2", "192.0.2.1"),
        (
            "2001:db8::1",
            "2001:db8::ffff:2",
            "2001:db8:0:1::1",
            "2001:db8::/64",
        ),
        ("::1", "::1", "127.0.0.1", "::1"),
    ] {
        let complaints = Complaints::default();
        assert_eq!(flood(&complaints, ip, 4), 4, "{ip}");
        assert_eq!(flood(&complaints, same, 10), 1, "{same}");
        assert_eq!(flood(&complaints, other, 10), 5, "{other}");
        advance(WINDOW).await;
        let from = format!(
            "refused or cut off 9 more connections or requests from {shown}, the last: no 9"
        );
        assert!(due(&complaints).contains(&from), "{from}");
    }
}

#[tokio::test(start_paused = true)]
async fn each_subject_has_its_own_lines_and_words() {
    let complaints = Complaints::default();
    for number in 0..8 {
        let of_unix = complaints.may_tell(Subject::ApiConnections, None, &"unix", &"full");
        for subject in [Subject::Clients, Subject::ApiRequests] {
            let is_told = complain(&complaints, subject, "192.0.2.1", number);
            assert_eq!((is_told, of_unix), (number < 5, number < 5));
        }
    }
    advance(WINDOW).await;
    let summaries = complaints.take_due(Instant::now());
    let told = summaries
        .iter()
        .map(|it| (&*it.peer, it.untold, it.to_string()));
    let expected = [
        (
            "192.0.2.1:7",
            "refused or cut off 3 more connections or requests from 192.0.2.1, the last: no 7",
        ),
        (
            "unix",
            "refused 3 more HTTP connections from this host by a unix socket, the last: full",
        ),
        (
            "192.0.2.1:7",
            "API: refused 3 more requests from 192.0.2.1, the last: no 7",
        ),
    ];
    let expected = expected.map(|(peer, text)| (peer, 3, text.to_owned()));
    assert_eq!(told.collect::<Vec<_>>(), expected);
}

#[tokio::test(start_paused = true)]
async fn who_holds_all_windows_does_not_hide_others_for_good() {
    let complaints = Complaints::default();
    for _ in 0..10 {
        for host in 0..100 {
            flood(&complaints, &format!("198.51.100.{host}"), 20);
        }
        advance(WINDOW).await;
        due(&complaints);
        assert!(complain(&complaints, CLIENTS, "192.0.2.1", 1), "a stranger");
    }
}

#[tokio::test(start_paused = true)]
async fn a_flood_from_everywhere_is_bounded_and_adds_up() {
    let complaints = Complaints::default();
    let mut told = 0;
    for number in 0..100_000_u32 {
        let ip = std::net::Ipv4Addr::from_bits(number).to_string();
        told += usize::from(complain(&complaints, CLIENTS, &ip, 1));
    }
    assert_eq!(told, SOURCES + 5);
    assert_eq!(complaints.lock()[0].len(), SOURCES + 1);
    advance(WINDOW).await;
    let summaries = complaints.take_due(Instant::now());
    let [others] = &summaries[..] else {
        panic!("{summaries:?}");
    };
    assert_eq!(others.untold, 100_000 - u64::try_from(told).unwrap());
    assert_eq!(others.peer, "0.1.134.159:1");
    let text = "refused or cut off 99963 more connections or requests from many other addresses, the last: no 1";
    assert_eq!(others.to_string(), text);

    // Windows of those that have gone make room.
    assert_eq!(flood(&complaints, "192.0.2.1", 10), 5);
    assert_eq!(complaints.lock()[0].len(), 2, "the others go on");
}

#[tokio::test(start_paused = true)]
async fn a_window_that_has_something_to_tell_makes_no_room() {
    let complaints = Complaints::default();
    for last in 0..SOURCES {
        flood(&complaints, &format!("192.0.2.{last}"), 6);
    }
    advance(WINDOW).await;
    assert_eq!(flood(&complaints, "198.51.100.1", 6), 5);
    assert_eq!(complaints.lock()[0].len(), SOURCES + 1);
    assert_eq!(due(&complaints).len(), SOURCES);
}

#[tokio::test(start_paused = true)]
async fn what_is_kept_of_a_reason_is_short() {
    let complaints = Complaints::default();
    let long = "é".repeat(10_000);
    for _ in 0..6 {
        complaints.may_tell(CLIENTS, None, &long, &long);
    }
    let summary = complaints.take(Instant::now(), |_| true).remove(0);
    assert_eq!(summary.why, "é".repeat(LONGEST / 2));
    assert_eq!(summary.peer, summary.why);
    assert!(summary.why.capacity() <= LONGEST);
}

#[tokio::test(start_paused = true)]
async fn each_window_is_told_when_it_ends() {
    let complaints = Complaints::default();
    let began = Instant::now();
    let told = RefCell::new(Vec::new());
    let tell = |summary: &Summary| {
        let (source, untold) = (summary.source.to_string(), summary.untold);
        told.borrow_mut()
            .push((began.elapsed().as_secs(), source, untold));
    };
    let act = async {
        // The clock goes on by itself when all wait: to the end of the first wait there is.
        sleep_until(began + Duration::from_secs(3_600)).await;
        assert_eq!(complaints.next_end(), None);
        flood(&complaints, "192.0.2.1", 1);
        sleep_until(began + Duration::from_secs(3_602)).await;
        flood(&complaints, "192.0.2.2", 7);
        sleep_until(began + Duration::from_secs(3_604)).await;
        // It keeps something back later, but of a window that ends earlier.
        flood(&complaints, "192.0.2.1", 10);
        sleep_until(began + Duration::from_secs(7_200)).await;
    };
    tokio::select! {
        () = complaints.follow(tell) => unreachable!("it does not end"),
        () = act => {}
    }
    let expected = [(3_610, "192.0.2.1", 6), (3_612, "192.0.2.2", 2)];
    let expected = expected.map(|(second, source, untold)| (second, source.to_owned(), untold));
    assert_eq!(*told.borrow(), expected);
}

/// One thing that happens, and how many milliseconds after the one before.
#[derive(Clone, Debug)]
enum Step {
    Complaint(Subject, u8),
    Look,
}

fn steps() -> impl Strategy<Value = Vec<(u64, Step)>> {
    let subject = prop::sample::select(&Subject::ALL[..]);
    let step = prop_oneof![
        9 => (subject, 0..60_u8).prop_map(|(subject, host)| Step::Complaint(subject, host % 47)),
        1 => Just(Step::Look),
    ];
    let pause = prop_oneof![20 => 0..50_u64, 1 => 0..15_000_u64];
    prop::collection::vec((pause, step), 0..600)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    /// Whatever comes when, and however late it is told: every complaint is told by a line of its
    /// own or counted in one summary, and there is no more to remember than there may be.
    #[test]
    fn nothing_is_lost_and_nothing_is_told_twice(steps in steps()) {
        let complaints = Complaints::default();
        let mut now = Instant::now();
        let (mut all, mut told, mut untold) = ([0; 3], [0; 3], [0; 3]);
        for (pause, step) in steps {
            now += Duration::from_millis(pause);
            match step {
                Step::Complaint(subject, host) => {
                    let ip = IpAddr::from([192, 0, 2, host]);
                    let is_told = complaints.may_tell_at(now, subject, Some(ip), &ip, &"why");
                    all[subject as usize] += 1;
                    told[subject as usize] += u64::from(is_told);
                }
                Step::Look => for summary in complaints.take_due(now) {
                    untold[summary.subject as usize] += summary.untold;
                }
            }
            prop_assert!(complaints.lock().iter().all(|table| table.len() <= SOURCES + 1));
        }
        for summary in complaints.take(now, |_| true) {
            untold[summary.subject as usize] += summary.untold;
        }
        for subject in Subject::ALL {
            let subject = subject as usize;
            prop_assert_eq!(told[subject] + untold[subject], all[subject]);
        }
    }
}
