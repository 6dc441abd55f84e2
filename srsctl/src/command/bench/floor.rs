//! `srsctl bench floor`: the least that a server needs.

use std::io::{self, BufRead as _, BufReader};
use std::net::{Ipv4Addr, SocketAddr};
use std::os::unix::process::CommandExt as _;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use super::client::{Destination, Speech};
use super::load::{Load, Publish};
use super::process::Processes;
use super::report::Subject;
use super::{machine, measure, pin};
use crate::cli::BenchFloor;
use crate::command::Error;

/// Measures a process that does nothing but a server's writes, or reads.
///
/// # Errors
/// The process does not start, or the tool cannot do it.
pub(super) async fn run(arguments: &BenchFloor) -> Result<(), Error> {
    let options = &arguments.load;
    machine::allow_clients(arguments.players)?;
    // Before this program is pinned: children inherit that.
    let server = machine::on_processor(arguments.server_cpu, || {
        Server::start(arguments).map_err(Error::Floor)
    })?;
    let processes = [server.child.id()];
    pin(options)?;
    let destination = Destination {
        addresses: vec![server.address],
        speech: Speech::Bare,
        within: WITHIN,
    };
    let clients = arguments.players;
    let load = Load {
        // Without a protocol there are no names: each publisher is a stream of its own.
        streams: vec![destination; if arguments.read { clients } else { 1 }],
        publish: if arguments.read {
            Publish::ForItself
        } else {
            Publish::No
        },
        players: if arguments.read { 0 } else { clients },
        probes: PROBES,
        shape: options.stream.into(),
        ramp: options.ramp,
        duration: options.duration,
        server: Processes::new(&processes).map_err(|pid| Error::NoProcess { pid })?,
        verbose: arguments.verbose,
    };
    let subject = Subject::Floor {
        interval: arguments.interval,
        reads: arguments.read,
    };
    measure(subject, &load, options, None).await
}

/// The process that writes. Dropping it ends it.
#[derive(Debug)]
struct Server {
    child: Child,
    address: SocketAddr,
}

impl Server {
    fn start(arguments: &BenchFloor) -> io::Result<Self> {
        let stream = arguments.load.stream;
        let mut command = Command::new(std::env::current_exe()?);
        command.args(["bench", "floor-server"]);
        let mut set = |name: &str, value: String| {
            command.arg(format!("--{name}={value}"));
        };
        set("clients", arguments.players.to_string());
        set("interval", format!("{}s", arguments.interval.as_secs_f64()));
        set("bitrate", stream.bitrate.to_string());
        set("fps", stream.fps.to_string());
        set("audio-fps", stream.audio_fps.to_string());
        set("gop", format!("{}s", stream.gop.as_secs_f64()));
        if arguments.read {
            command.arg("--read");
        }
        let mut child = command
            // Ctrl-C is for the one that reports.
            .process_group(0)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()?;
        let mut line = String::new();
        if let Some(stdout) = child.stdout.take() {
            BufReader::new(stdout).read_line(&mut line)?;
        }
        let mut server = Self {
            child,
            address: (Ipv4Addr::LOCALHOST, 0).into(),
        };
        // If it has nothing to tell it has said why on standard error.
        let port = line.trim().parse();
        server
            .address
            .set_port(port.map_err(|_| io::ErrorKind::BrokenPipe)?);
        Ok(server)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // An error means that it has ended.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// How long a connection to the other process may take.
const WITHIN: Duration = Duration::from_secs(10);
/// So many of the clients measure the latency.
const PROBES: usize = 20;
