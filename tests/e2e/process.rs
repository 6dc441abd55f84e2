//! The daemon as a process: its signals, files, arguments and last words.

use std::fs::{self, Permissions};
use std::io::Read as _;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use rustix::process::{Pid, Resource, Rlimit, Signal, geteuid, getrlimit, kill_process, setrlimit};
use srs::server::READ_WITHIN;
use srs_rtmp::message::control::{Control, UserControl};
use tempfile::TempDir;
use testkit::{SOON, Srs, wait_for, wait_until};
use tokio::task::{JoinSet, block_in_place};

use crate::build_srs;
use crate::clients::{Heard, Peer, Show, at};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sigterm_ends_a_thousand_players_in_time_and_tells_each() -> Result<()> {
    const PLAYERS: usize = 1_000;
    raise_descriptor_limit(PLAYERS)?;
    // The publisher rests while they come, which may take long on a busy machine.
    let mut srs = build_srs()
        .settings("[vhost.\"__defaultVhost__\".publish]\ntimeout = \"10m\"")
        .start()?;
    let address = srs.addresses()[0];
    let show = Show::new(1);
    let mut publisher = at(address, "live/show").publish().await?;
    publisher.send(show.beginning(1_000)).await?;

    let mut connecting = JoinSet::new();
    for _ in 0..10 {
        connecting.spawn(async move {
            let mut players = Vec::new();
            for _ in 0..PLAYERS / 10 {
                let mut player = Peer::connect(address, "live").await?;
                player.play(1, "show").await?;
                player.media().await?;
                players.push(player);
            }
            anyhow::Ok(players)
        });
    }
    let mut watching = JoinSet::new();
    while let Some(players) = connecting.join_next().await {
        for mut player in players?? {
            watching.spawn(async move { player.closed().await });
        }
    }
    // Some who have not got that far.
    let (mute, connected) = (
        Peer::dial(address).await?,
        Peer::connect(address, "live").await?,
    );

    let finished = block_in_place(|| srs.stop())?;
    assert_eq!(finished.status.code(), Some(0));
    assert!(
        finished.took < Duration::from_secs(2),
        "it took {:?}",
        finished.took
    );
    eprintln!("the end of {PLAYERS} players took {:?}", finished.took);

    let eof = Heard::Control(Control::User(UserControl::StreamEof(1)));
    let mut told = 0;
    while let Some(heard) = watching.join_next().await {
        let heard = heard??;
        assert!(heard.contains(&eof), "{:?}", heard.last());
        let notice = heard
            .iter()
            .find(|h| h.status() == Some("NetStream.Play.UnpublishNotify"));
        assert_eq!(notice.map(Heard::words), Some("the server stops"));
        told += 1;
    }
    assert_eq!(told, PLAYERS);
    assert!(publisher.ended().await?.contains("the server stops"));
    drop((mute, connected));
    Ok(())
}

#[test]
fn sigusr1_begins_a_new_log_file_where_the_old_one_was_renamed() -> Result<()> {
    let mut daemon = Daemon::start("")?;
    daemon.wait_for_log("listening for RTMP on ")?;
    let old = daemon.path("old.log");
    fs::rename(daemon.log_file(), &old)?;
    daemon.signal(Signal::USR1)?;
    let line = daemon.wait_for_log("reopened the log file")?;
    assert!(!line.contains("listening"), "{line}");
    assert!(!fs::read_to_string(&old)?.contains("reopened"));
    daemon.signal(Signal::TERM)?;
    daemon.wait_for_log("stopped")?;
    assert!(daemon.wait()?.success());
    assert!(!fs::read_to_string(&old)?.contains("stop"));
    Ok(())
}

#[test]
fn sigusr1_that_cannot_be_obeyed_loses_no_line() -> Result<()> {
    let mut daemon = Daemon::start("")?;
    daemon.wait_for_log("listening for RTMP on ")?;
    // A folder in the place of the file.
    let old = daemon.path("old.log");
    fs::rename(daemon.log_file(), &old)?;
    fs::create_dir(daemon.log_file())?;
    daemon.signal(Signal::USR1)?;
    let log = || fs::read_to_string(&old).unwrap_or_default();
    wait_until(SOON, "a complaint in the old file", || {
        log().contains("[error]")
    })?;
    daemon.signal(Signal::TERM)?;
    assert!(daemon.wait()?.success());
    assert!(log().contains("stopped"));
    Ok(())
}

#[test]
fn sighup_does_not_end_it() -> Result<()> {
    let mut daemon = Daemon::start("")?;
    daemon.wait_for_log("listening for RTMP on ")?;
    daemon.signal(Signal::HUP)?;
    daemon.wait_for_log("reloaded the configuration")?;
    daemon.signal(Signal::TERM)?;
    assert!(daemon.wait()?.success());
    Ok(())
}

#[test]
fn a_second_instance_hears_of_the_first() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let pid_file = folder.path().join("srs.pid");
    let build = || build_srs().settings(&format!("pid = {pid_file:?}"));
    let mut first = build().start()?;
    let pid = fs::read_to_string(&pid_file)?;

    let (finished, said) = build().start_in_vain()?;
    assert_eq!(finished.status.code(), Some(1));
    assert!(
        said.contains(&format!("already running as pid {}", pid.trim())),
        "{said}"
    );
    assert_eq!(
        fs::read_to_string(&pid_file)?,
        pid,
        "the first one's file is untouched"
    );
    first.stop()?;
    assert!(!pid_file.exists());

    // A file that is left behind by a crash is in nobody's way.
    let mut crashed = build().start()?;
    crashed.process().kill()?;
    assert!(pid_file.exists());
    build().start()?.stop()?;
    assert!(!pid_file.exists());
    Ok(())
}

#[test]
fn a_start_in_vain_leaves_no_pid_file_behind() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let pid_file = folder.path().join("srs.pid");
    let first = build_srs().start()?;
    let (finished, said) = build_srs()
        .listen([first.addresses()[0]])
        .settings(&format!("pid = {pid_file:?}"))
        .start_in_vain()?;
    assert_eq!(finished.status.code(), Some(1));
    assert!(said.contains("the address is in use"), "{said}");
    assert!(
        said.contains(&format!("sport = :{}", first.addresses()[0].port())),
        "{said}"
    );
    assert!(!pid_file.exists());
    Ok(())
}

#[test]
fn a_check_of_what_cannot_be_read_ends_by_itself() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let pipe = folder.path().join("pipe");
    rustix::fs::mkfifoat(rustix::fs::CWD, &pipe, 0o600.into())?;
    let began = Instant::now();
    let mut check = Daemon {
        child: Command::new("setpriv")
            .args(["--pdeathsig", "KILL", "--", BINARY, "-t", "-c"])
            .arg(&pipe)
            .stdin(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()?,
        folder,
    };
    let bound = READ_WITHIN + SOON;
    let status = wait_for(bound, "the end of the check", || {
        Ok(check.child.try_wait()?)
    })?;
    assert!(began.elapsed() >= READ_WITHIN, "{:?}", began.elapsed());
    assert_eq!(status.code(), Some(1));
    let mut said = String::new();
    let stderr = check.child.stderr.as_mut().context("standard error")?;
    stderr.read_to_string(&mut said)?;
    assert_eq!(
        said,
        "srs: the configuration could not be read within 10s\n"
    );
    Ok(())
}

#[test]
fn a_configuration_is_checked_without_a_start() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let running = build_srs().start()?;
    let pid_file = folder.path().join("srs.pid");
    let good = folder.path().join("good.toml");
    // The address is in use, which is not the configuration's fault.
    let address = running.addresses()[0];
    fs::write(
        &good,
        format!("listen = [\"{address}\"]\npid = {pid_file:?}\n"),
    )?;
    let output = Command::new(BINARY)
        .arg("-t")
        .arg("-c")
        .arg(&good)
        .output()?;
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    assert_eq!(
        output.stdout,
        format!("{}: valid\n", good.display()).as_bytes()
    );
    assert!(output.stderr.is_empty(), "{output:?}");
    assert!(!pid_file.exists());

    let bad = folder.path().join("bad.toml");
    fs::write(
        &bad,
        "listen = [\"127.0.0.1:0\"]\nmax_conections = 5\n[log]\nlevel = \"loud\"\n",
    )?;
    // 78 is EX_CONFIG: systemd does not start it again.
    for (arguments, status) in [(vec!["-t"], 1), (vec![], 78)] {
        let output = Command::new(BINARY)
            .args(arguments)
            .arg("-c")
            .arg(&bad)
            .output()?;
        assert_eq!(output.status.code(), Some(status), "{output:?}");
        assert!(output.stdout.is_empty(), "{output:?}");
        let said = String::from_utf8(output.stderr)?;
        for words in ["bad.toml", "max_conections", "max_connections", "loud", "4"] {
            assert!(said.contains(words), "{words} is not in {said}");
        }
    }

    let output = Command::new(BINARY)
        .args(["-t", "-c", "/does/not/exist.toml"])
        .output()?;
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8(output.stderr)?.contains("/does/not/exist.toml"));
    Ok(())
}

#[test]
fn with_e_the_environment_counts_more_than_the_file() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let (in_file, in_environment) = (folder.path().join("file"), folder.path().join("variable"));
    let settings = format!("pid = {in_file:?}");
    let variable = in_environment.to_str().context("a path of UTF-8")?;
    let build = || {
        let build = build_srs().settings(&settings);
        build.environment(&[("SRS_PID", variable), ("SRS_CHUNK_SIZ", "128")])
    };
    let mut srs = build().start()?;
    assert!(in_environment.exists() && !in_file.exists());
    srs.wait_for_log("no setting has the name of SRS_CHUNK_SIZ", SOON)?;
    srs.reload(&format!("{settings}\nchunk_size = 128"))?;
    assert!(in_environment.exists() && !in_file.exists());
    srs.stop()?;

    let (finished, said) = build()
        .environment(&[("SRS_MAX_CONNECTIONS", "many")])
        .start_in_vain()?;
    assert_eq!(finished.status.code(), Some(78));
    assert!(
        said.contains("environment: SRS_MAX_CONNECTIONS cannot be \"many\""),
        "{said}"
    );
    Ok(())
}

#[test]
fn with_e_no_file_is_needed() -> Result<()> {
    let run = |arguments: &[&str], value| {
        Command::new(BINARY)
            .args(arguments)
            .env("SRS_LISTEN", value)
            .output()
    };
    let output = run(&["-e", "-t"], "127.0.0.1:0 [::1]:0")?;
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    assert_eq!(output.stdout, b"the environment: valid\n");
    let output = run(&["-e", "-t"], "here")?;
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    let said = String::from_utf8(output.stderr)?;
    assert!(
        said.contains("SRS_LISTEN cannot contain \"here\""),
        "{said}"
    );

    // Without -e a variable is nothing.
    let folder = tempfile::tempdir()?;
    let file = folder.path().join("srs.toml");
    fs::write(&file, "")?;
    let file = file.to_str().context("a path of UTF-8")?;
    let output = run(&["-t", "-c", file], "here")?;
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_line_of_a_session_bears_its_client() -> Result<()> {
    let settings = "[log]\nlevel = \"trace\"\n[pithy_print]\npublish = 0\nplay = 0";
    let mut srs = build_srs().settings(settings).start()?;
    let address = srs.addresses()[0];
    let show = Show::new(1);

    // Client 100 publishes, 101 plays, 102 is refused, 103 replaces, 104 talks nonsense.
    let mut publisher = at(address, "live/show?key=a").publish().await?;
    publisher.send(show.beginning(1_000)).await?;
    let mut player = at(address, "live/show").play().await?;
    player.up_to(&show.sound(980).payload).await?;
    assert!(at(address, "live/show?key=b").publish().await.is_err());
    let successor = at(address, "live/show?key=a").publish().await?;
    publisher.ended().await?;
    let mut nonsense = Peer::dial(address).await?;
    nonsense.send_bytes(b"nonsense").await?;
    nonsense.gone().await?;
    successor.finish().await?;
    player.finish().await?;
    block_in_place(|| srs.stop())?;

    let lines = srs.process().log().lines_with("");
    let begin = lines
        .iter()
        .position(|line| line.contains("serving the API on"))
        .context("begin")?;
    let end = lines
        .iter()
        .position(|line| line.contains("] stopping"))
        .context("end")?;
    let mut counts = [0; 5];
    for line in &lines[begin + 1..end] {
        let client = line.split(['[', ']']).nth(7).context("four brackets")?;
        let index: usize = client
            .parse::<usize>()
            .with_context(|| format!("no client: {line}"))?;
        assert!(line.contains("peer=127.0.0.1:"), "{line}");
        *counts.get_mut(index - 100).with_context(|| line.clone())? += 1;
    }
    assert!(counts.iter().all(|count| *count > 0), "{counts:?}");
    for (client, words) in [
        (100, "unpublish: replaced by another publisher"),
        (101, "play"),
        (101, "stop: "),
        (102, "refused to publish"),
        (103, "publish"),
        (104, "broke the protocol"),
    ] {
        let has = |line: &String| line.contains(&format!("][{client}]")) && line.contains(words);
        assert!(lines.iter().any(has), "client {client}: {words}");
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn it_serves_at_all_its_addresses() -> Result<()> {
    let srs: Srs = build_srs()
        .listen(["127.0.0.1:0", "[::1]:0", "127.0.0.3:0"])
        .start()?;
    for (number, from) in (1..).zip(srs.addresses()) {
        let show = Show::new(number);
        let path = format!("live/{number}");
        let mut publisher = at(*from, &path).publish().await?;
        publisher.send(show.beginning(500)).await?;
        for to in srs.addresses() {
            at(*to, &path)
                .play()
                .await?
                .up_to(&show.sound(480).payload)
                .await?;
        }
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_an_ip_it_serves_both_kinds() -> Result<()> {
    // A port alone must be one that is free, so another test's may be in its way.
    let free = std::net::TcpListener::bind("[::]:0")?.local_addr()?.port();
    let srs = build_srs().listen([free]).start()?;
    let port = srs.addresses()[0].port();
    let dial = at(([127, 0, 0, 1], port).into(), "live/show");
    let mut publisher = dial.publish().await?;
    publisher.send(Show::new(1).beginning(500)).await?;
    let v6 = at(([0, 0, 0, 0, 0, 0, 0, 1], port).into(), "live/show");
    v6.play()
        .await?
        .up_to(&Show::new(1).sound(480).payload)
        .await?;
    Ok(())
}

#[test]
fn a_port_for_root_alone_is_said_clearly() -> Result<()> {
    let first_free = fs::read_to_string("/proc/sys/net/ipv4/ip_unprivileged_port_start")?;
    if first_free.trim().parse::<u16>()? <= PRIVILEGED_PORT {
        eprintln!("skipped: this system lets everybody have port {PRIVILEGED_PORT}");
        return Ok(());
    }
    // Where anybody may read it.
    let folder = tempfile::tempdir()?;
    fs::set_permissions(folder.path(), Permissions::from_mode(0o755))?;
    let (binary, file) = (folder.path().join("srs"), folder.path().join("srs.toml"));
    // By a process of its own: until this one had closed the file, and all that were forked from it
    // meanwhile, it could not be run.
    ensure!(
        Command::new("cp")
            .arg(BINARY)
            .arg(&binary)
            .status()?
            .success(),
        "no copy"
    );
    fs::write(
        &file,
        format!("listen = [\"127.0.0.1:{PRIVILEGED_PORT}\"]\n"),
    )?;
    let mut command = if geteuid().is_root() {
        let mut command = Command::new("setpriv");
        command
            .args([
                "--reuid",
                "65534",
                "--regid",
                "65534",
                "--clear-groups",
                "--",
            ])
            .arg(&binary);
        command
    } else {
        Command::new(&binary)
    };
    let output = command.arg("-c").arg(&file).output()?;
    let said = String::from_utf8(output.stderr)?;
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(
        said.contains(&format!("127.0.0.1:{PRIVILEGED_PORT}: permission denied")),
        "{said}"
    );
    assert!(said.contains("CAP_NET_BIND_SERVICE"), "{said}");
    Ok(())
}

/// A daemon that logs into a file. Dropping it kills it.
struct Daemon {
    child: Child,
    folder: TempDir,
}

impl Daemon {
    fn start(settings: &str) -> Result<Self> {
        let folder = tempfile::tempdir()?;
        let log = folder.path().join("srs.log");
        let file = folder.path().join("srs.toml");
        let config = format!(
            "listen = [\"127.0.0.1:0\"]\nhttp_api.enabled = false\nfleet.enabled = false\n{settings}\n[log]\ntarget = \"file\"\nfile = {log:?}\n"
        );
        fs::write(&file, config)?;
        // It does not outlive the test, however that ends.
        let child = Command::new("setpriv")
            .args(["--pdeathsig", "KILL", "--", BINARY, "-c"])
            .arg(&file)
            .stdin(Stdio::null())
            .spawn()?;
        Ok(Self { child, folder })
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn log_file(&self) -> PathBuf {
        self.path("srs.log")
    }

    /// Waits until the log file has a line with `text`; gives the file's first one.
    fn wait_for_log(&self, text: &str) -> Result<String> {
        let file = self.log_file();
        wait_for(SOON, text, || {
            Ok(lines_of(&file).filter(|log| log.contains(text)))
        })
    }

    fn signal(&self, signal: Signal) -> Result<()> {
        Ok(kill_process(Pid::from_child(&self.child), signal)?)
    }

    fn wait(&mut self) -> Result<std::process::ExitStatus> {
        wait_for(SOON, "the end of the daemon", || {
            Ok(self.child.try_wait()?)
        })
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        // If it has ended already there is nothing to do.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn lines_of(file: &Path) -> Option<String> {
    fs::read_to_string(file).ok()
}

/// Lets this process have `more` connections beside what it has.
fn raise_descriptor_limit(more: usize) -> Result<()> {
    let limit = getrlimit(Resource::Nofile);
    let enough = u64::try_from(more)? + 500;
    if limit.current.is_some_and(|current| current < enough) {
        ensure!(
            limit.maximum.is_none_or(|most| most >= enough),
            "no more than {limit:?} files"
        );
        let raised = Rlimit {
            current: limit.maximum,
            maximum: limit.maximum,
        };
        setrlimit(Resource::Nofile, raised)?;
    }
    Ok(())
}

const BINARY: &str = env!("CARGO_BIN_EXE_srs");
const PRIVILEGED_PORT: u16 = 99;
