//! The process that `srsctl bench floor` measures: a server's system calls, and nothing else.
//!
//! It tells its port in a line on standard output, and dies with whoever started it.

use std::io::{self, Read as _, Write as _};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::os::fd::AsFd as _;
use std::time::Duration;

use rustix::event::epoll;
use rustix::process::{Signal, set_parent_process_death_signal};
use rustix::thread::{ClockId, clock_nanosleep_absolute};

use super::machine;
use super::moment::Moment;
use super::pattern::{Pattern, Timeline};
use crate::cli::FloorServer;

/// Serves until it is killed.
///
/// # Errors
/// The kernel has no socket to give, or nobody reads the port.
pub(super) fn run(arguments: &FloorServer) -> io::Result<()> {
    set_parent_process_death_signal(Some(Signal::KILL))?;
    machine::allow_clients(arguments.clients).map_err(io::Error::other)?;
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    listener.set_nonblocking(true)?;
    // More than what comes in an interval; the standard library asks for no more than 128.
    rustix::net::listen(&listener, BACKLOG)?;
    // If the parent has died already nobody reads, and the write fails.
    writeln!(io::stdout(), "{}", listener.local_addr()?.port())?;
    if arguments.read {
        read(&listener)
    } else {
        write(&listener, arguments)
    }
}

/// Writes to every client what is due, at the interval, or each message at its time.
fn write(listener: &TcpListener, arguments: &FloorServer) -> io::Result<()> {
    let pattern = Pattern::new(arguments.stream.into());
    let mut timeline = Timeline::default();
    let mut clients: Vec<TcpStream> = Vec::new();
    let mut batch = Vec::new();
    let begin = Moment::now();
    let mut due = Duration::ZERO;
    loop {
        due = if arguments.interval.is_zero() {
            timeline.peek(&pattern).at
        } else {
            due + arguments.interval
        };
        sleep_until(begin + due);
        accept(listener, |client| {
            clients.push(client);
            Ok(())
        })?;
        batch.clear();
        loop {
            let slot = timeline.peek(&pattern);
            if slot.at > due {
                break;
            }
            // With the time that a publisher would have sent it at.
            pattern.append(slot, MESSAGE_STREAM, begin + slot.at, &mut batch);
            timeline.advance(slot);
        }
        // Who cannot be written to is missed by the other side, which counts it.
        clients.retain(|mut client| client.write(&batch).is_ok_and(|len| len == batch.len()));
    }
}

/// Reads what clients send.
fn read(listener: &TcpListener) -> io::Result<()> {
    let epoll = epoll::create(epoll::CreateFlags::CLOEXEC)?;
    let mut clients: Vec<Option<TcpStream>> = Vec::new();
    let event = |number: u64| epoll::EventData::new_u64(number);
    epoll::add(
        &epoll,
        listener.as_fd(),
        event(u64::MAX),
        epoll::EventFlags::IN,
    )?;
    let mut events = Vec::with_capacity(EVENTS);
    let mut place = vec![0; READ_SIZE];
    loop {
        events.clear();
        epoll::wait(&epoll, rustix::buffer::spare_capacity(&mut events), None)?;
        for ready in &events {
            let number = ready.data.u64();
            let known = usize::try_from(number)
                .ok()
                .and_then(|n| clients.get_mut(n));
            let Some(client) = known else {
                accept(listener, |client| {
                    let data = event(clients.len() as u64);
                    epoll::add(&epoll, &client, data, epoll::EventFlags::IN)?;
                    clients.push(Some(client));
                    Ok(())
                })?;
                continue;
            };
            let is_over = client
                .as_mut()
                .is_some_and(|socket| matches!(socket.read(&mut place), Ok(0)));
            if is_over {
                *client = None;
            }
        }
    }
}

/// Takes in everybody who waits.
fn accept(
    listener: &TcpListener,
    mut welcome: impl FnMut(TcpStream) -> io::Result<()>,
) -> io::Result<()> {
    loop {
        match listener.accept() {
            Ok((client, _)) => {
                client.set_nonblocking(true)?;
                client.set_nodelay(true)?;
                welcome(client)?;
            }
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(()),
            // Somebody who has left while waiting.
            Err(error) if error.kind() == io::ErrorKind::ConnectionAborted => {}
            Err(error) => return Err(error),
        }
    }
}

/// Sleeps, not at all if the time has passed.
fn sleep_until(at: Moment) {
    if let Ok(at) = Duration::from_nanos(at.nanos()).try_into() {
        // A signal that does not kill is none of ours; the schedule is absolute.
        let _ = clock_nanosleep_absolute(ClockId::Monotonic, &at);
    }
}

const MESSAGE_STREAM: u32 = 1;
/// Clients that may wait to be accepted.
const BACKLOG: i32 = 4096;
/// Sockets that are told to be readable at once.
const EVENTS: usize = 1024;
/// Bytes read at once.
const READ_SIZE: usize = 256 * 1024;
