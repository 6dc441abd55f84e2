//! Addresses that come and go.

use std::fs;
use std::io::ErrorKind;
use std::net::{SocketAddr, TcpListener};
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::Path;
use std::sync::atomic::{AtomicU32, Ordering};

use anyhow::{Context, Result, bail, ensure};
use testkit::SOON;
use tokio::net::TcpStream;
use tokio::task::block_in_place;

use super::{reload, reload_in_vain};
use crate::build_srs;
use crate::clients::{Peer, Player, Publisher, Show, at, soon};

/// A publisher and a player at an address.
struct Pair {
    publisher: Publisher,
    player: Player,
    time: u32,
}

impl Pair {
    async fn at(address: SocketAddr) -> Result<Self> {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let path = format!("live/{}", COUNT.fetch_add(1, Ordering::Relaxed));
        let mut publisher = at(address, &path).publish().await?;
        publisher.send(Show::new(1).headers()).await?;
        let mut player = at(address, &path).play().await?;
        player.take(3).await?;
        let mut pair = Self {
            publisher,
            player,
            time: 0,
        };
        pair.check().await?;
        Ok(pair)
    }

    /// Checks that another second comes through whole.
    async fn check(&mut self) -> Result<()> {
        let (show, time) = (Show::new(1), self.time);
        self.time += 1_000;
        self.publisher.send(show.media(time..time + 1_000)).await?;
        let seen = self.player.up_to(&show.sound(time + 980).payload).await?;
        ensure!(seen.len() == 75, "{} of 75 messages", seen.len());
        Ok(())
    }
}

/// Whether nobody listens at `address`.
async fn is_closed(address: SocketAddr) -> Result<bool> {
    match soon("an answer to a connect", TcpStream::connect(address)).await? {
        Ok(_) => Ok(false),
        Err(error) if error.kind() == ErrorKind::ConnectionRefused => Ok(true),
        Err(error) => Err(error.into()),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn addresses_come_and_go_beside_one_that_stays() -> Result<()> {
    let mut srs = build_srs().listen(["127.0.0.1:0", "127.0.0.2:0"]).start()?;
    let [stays, goes] = srs.addresses()[..] else {
        bail!("{:?}", srs.addresses());
    };
    let (mut one, mut other) = (Pair::at(stays).await?, Pair::at(goes).await?);

    srs.set_listen(["127.0.0.3:0", "127.0.0.1:0"]);
    reload(&mut srs, "")?;
    let [kept, new] = srs.addresses()[..] else {
        bail!("{:?}", srs.addresses());
    };
    assert_eq!(kept, stays, "a port that the kernel chose stays");
    assert_eq!(new.ip().to_string(), "127.0.0.3");
    assert!(is_closed(goes).await?);
    Pair::at(new).await?;
    // Who had come in by the one that went is still there.
    one.check().await?;
    other.check().await?;

    // Several that the kernel chooses a port for are several.
    srs.set_listen(["127.0.0.1:0", "127.0.0.1:0", "127.0.0.3:0"]);
    reload(&mut srs, "")?;
    assert_eq!(srs.addresses().len(), 3);
    assert_eq!(srs.addresses()[..2], [kept, new]);
    srs.set_listen(["127.0.0.1:0"]);
    reload(&mut srs, "")?;
    assert_eq!(srs.addresses(), [kept]);
    one.check().await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_wider_address_takes_the_place_of_a_narrower_one_and_back() -> Result<()> {
    let mut srs = build_srs()
        .listen([format!("127.0.0.1:{}", port_of_nobody()?)])
        .start()?;
    let narrow = srs.addresses()[0];
    let mut pair = Pair::at(narrow).await?;

    srs.set_listen([narrow.port()]);
    reload(&mut srs, "")?;
    assert_eq!(srs.addresses().len(), 1);
    assert!(
        srs.addresses()[0].ip().is_unspecified(),
        "{:?}",
        srs.addresses()
    );
    Pair::at(SocketAddr::from(([127, 0, 0, 2], narrow.port()))).await?;

    srs.set_listen([narrow]);
    reload(&mut srs, "")?;
    assert_eq!(srs.addresses(), [narrow]);
    assert!(is_closed(SocketAddr::from(([127, 0, 0, 2], narrow.port()))).await?);
    Pair::at(narrow).await?;
    pair.check().await
}

/// A port that is free at all addresses, and that the kernel gives to none of the tests beside this
/// one: those are picked from a range above.
fn port_of_nobody() -> Result<u16> {
    let first = 20_000 + u16::try_from(std::process::id() % 5_000)?;
    let is_free = |port: &u16| TcpListener::bind(("::", *port)).is_ok();
    let range = fs::read_to_string("/proc/sys/net/ipv4/ip_local_port_range")?;
    let lowest: u16 = range
        .split_whitespace()
        .next()
        .context("no range")?
        .parse()?;
    (first..lowest).find(is_free).context("no free port")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_address_of_somebody_else_leaves_everything_as_it_was() -> Result<()> {
    let mut srs = build_srs().start()?;
    let ours = srs.addresses()[0];
    let mut pair = Pair::at(ours).await?;
    let theirs = TcpListener::bind("127.0.0.1:0")?;

    // A new one beside ours, and one that changes something else, too.
    srs.set_listen([
        ours.to_string(),
        "127.0.0.5:0".into(),
        theirs.local_addr()?.to_string(),
    ]);
    let said = reload_in_vain(&mut srs, "max_connections = 1")?;
    for words in [
        "the address is in use",
        &theirs.local_addr()?.to_string(),
        "nothing is changed",
    ] {
        assert!(said.contains(words), "{words} is not in {said}");
    }
    assert_eq!(srs.addresses(), [ours]);
    Pair::at(ours).await?;

    // All of the port, of which ours is a part and somebody else has another.
    let _theirs = TcpListener::bind(("127.0.0.9", ours.port()))?;
    srs.set_listen([ours.port()]);
    let said = reload_in_vain(&mut srs, "")?;
    assert!(said.contains("the address is in use"), "{said}");
    assert_eq!(srs.addresses(), [ours], "closed, and opened again");
    Pair::at(ours).await?;
    pair.check().await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_has_connected_before_an_address_goes_is_still_served() -> Result<()> {
    let mut srs = build_srs().listen(["127.0.0.1:0", "127.0.0.2:0"]).start()?;
    let goes = srs.addresses()[1];
    srs.set_listen(["127.0.0.1:0"]);
    srs.configure("")?;
    // The kernel lets them in while the daemon stands still; then it finds them and the signal.
    srs.process().freeze()?;
    let mut peers = Vec::new();
    for _ in 0..50 {
        peers.push(Peer::on(at(goes, "").socket().await?)?);
    }
    srs.process().hang_up()?;
    srs.process().thaw()?;
    for peer in &mut peers {
        peer.shake_hands().await?;
        peer.connect_to("rtmp://127.0.0.2/live").await?;
    }
    block_in_place(|| srs.wait_for_log("reloaded the configuration", SOON))?;
    assert!(is_closed(goes).await?);
    Ok(())
}

#[test]
fn the_socket_of_the_api_comes_and_goes_with_the_configuration() -> Result<()> {
    let mut srs = build_srs().start()?;
    let (first, second) = (srs.api_socket(), srs.folder().join("second.sock"));
    let mode = fs::metadata(&first)?.permissions().mode();
    assert_eq!(mode & 0o777, 0o660);
    UnixStream::connect(&first)?;

    let listen = |path: &Path| {
        format!(
            "[http_api]\nlisten = [\"unix:{}\", \"127.0.0.1:0\"]",
            path.display()
        )
    };
    srs.reload(&listen(&second))?;
    assert!(!first.exists());
    UnixStream::connect(&second)?;
    let line = srs.wait_for_log("serving the API on 127.0.0.1:", SOON)?;
    let (_, address) = line.rsplit_once(' ').context("an address")?;
    std::net::TcpStream::connect(address)?;

    srs.reload("[http_api]\nenabled = false")?;
    assert!(!second.exists());
    let refused = std::net::TcpStream::connect(address).map_err(|error| error.kind());
    assert_eq!(refused.err(), Some(ErrorKind::ConnectionRefused));

    srs.reload("")?;
    UnixStream::connect(&first)?;
    // One of somebody else.
    let _theirs = UnixListener::bind(&second)?;
    let said = srs.reload_in_vain(&listen(&second))?;
    assert!(said.contains("another server accepts there"), "{said}");
    UnixStream::connect(&first)?;

    srs.stop()?;
    assert!(!first.exists());
    assert!(second.exists());
    Ok(())
}
