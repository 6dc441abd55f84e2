//! The daemon's heartbeat: what a collector gets, and what the log says of a collector that is
//! not there.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;

use anyhow::{Context, Result};
use socket2::{Domain, Socket, Type};
use testkit::{SOON, Srs};

use crate::{build_srs, seconds};

#[test]
fn a_collector_gets_the_figures_of_the_process() -> Result<()> {
    let (address, posts) = collector()?;
    let mut srs = beating(address, "device_id = \"edge-7\"\nsummaries = true")?;
    let first = posts.recv_timeout(SOON)?;
    assert!(
        first.starts_with(r#"{"device_id":"edge-7","ip":""#),
        "{first}"
    );
    assert!(first.contains(r#""summaries":{"code":0,"#), "{first}");
    // The first look at the kernel's figures is not waited for.
    let body = posts.recv_timeout(SOON)?;
    for (key, least) in [
        ("pid", 2.0),
        ("mem_kbyte", 1_000.0),
        ("mem_ram_kbyte", 1_000.0),
    ] {
        let value = number(&body, key).with_context(|| format!("no {key} in {body}"))?;
        assert!(value >= least, "{key} is {value}");
    }
    assert!(body.contains(r#""rusage_ok":true"#), "{body}");
    srs.wait_for_log("the collector takes heartbeats", SOON)?;

    let finished = srs.stop()?;
    assert_eq!(finished.status.code(), Some(0));
    Ok(())
}

#[test]
fn a_collector_that_is_down_costs_a_line_and_another_when_it_is_back() -> Result<()> {
    // A port that stays ours, and where nobody listens until later.
    let socket = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    socket.bind(&SocketAddr::from(([127, 0, 0, 1], 0)).into())?;
    let address = socket.local_addr()?.as_socket().context("an address")?;
    let mut srs = beating(address, "")?;
    srs.wait_for_log("heartbeats do not arrive: Connection refused", SOON)?;

    // It fails a second time before somebody listens, at the latest when that one is late.
    socket.listen(8)?;
    let listener = TcpListener::from(socket);
    let (peer, _) = listener.accept()?;
    drop(peer);
    let posts = collect(listener);
    posts.recv_timeout(SOON)?;
    let line = srs.wait_for_log("takes heartbeats again, after", SOON)?;
    assert!(line.contains(&format!("url=http://{address}/")), "{line}");

    srs.stop()?;
    let log = srs.process().log();
    assert_eq!(log.lines_with("heartbeats do not arrive").len(), 1);
    assert_eq!(log.lines_with("takes heartbeats").len(), 1);
    Ok(())
}

#[test]
fn a_collector_that_hangs_does_not_hold_up_the_end() -> Result<()> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let mut srs = beating(listener.local_addr()?, "")?;
    let (_peer, _) = listener.accept()?;

    let finished = srs.stop()?;
    assert_eq!(finished.status.code(), Some(0));
    assert!(finished.took < seconds(1), "it took {:?}", finished.took);
    Ok(())
}

/// A daemon that sends its heartbeats to `address`.
fn beating(address: SocketAddr, settings: &str) -> Result<Srs> {
    build_srs()
        .settings(&format!(
            "[heartbeat]\nenabled = true\ninterval = \"300ms\"\n\
             url = \"http://{address}/api/v1/servers\"\n{settings}"
        ))
        .start()
}

/// A collector, and the bodies that it gets.
fn collector() -> Result<(SocketAddr, Receiver<String>)> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let address = listener.local_addr()?;
    Ok((address, collect(listener)))
}

fn collect(listener: TcpListener) -> Receiver<String> {
    let (sender, receiver) = channel();
    thread::spawn(move || {
        for peer in listener.incoming().map_while(Result::ok) {
            // Nobody asks for more bodies once the test is over.
            if take(peer, &sender).is_err() {
                return;
            }
        }
    });
    receiver
}

/// Takes one POST as the simplest of collectors do.
fn take(mut peer: TcpStream, bodies: &Sender<String>) -> Result<()> {
    let mut reader = BufReader::new(peer.try_clone()?);
    let mut len = 0;
    loop {
        let mut line = String::new();
        reader.read_line(&mut line)?;
        if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length:") {
            len = value.trim().parse()?;
        }
        if line.trim().is_empty() {
            break;
        }
    }
    let mut body = vec![0; len];
    reader.read_exact(&mut body)?;
    peer.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n0")?;
    bodies.send(String::from_utf8(body)?)?;
    Ok(())
}

/// The first number called `key` of the process or its host.
fn number(json: &str, key: &str) -> Option<f64> {
    let (_, figures) = json.split_once("\"self\":")?;
    let (_, rest) = figures.split_once(&format!("\"{key}\":"))?;
    let end = rest.find([',', '}'])?;
    rest[..end].parse().ok()
}
