//! A server's API as a script: it answers what the test says, and remembers what it was asked.

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};

use anyhow::Result;
use serde::Serialize;
use srs_api::{Answer, ErrorAnswer, ErrorCode, ErrorData, Identity};
use tempfile::TempDir;

/// The API, on a unix socket or on TCP. Dropping it ends it.
pub(crate) struct FakeApi {
    address: Address,
    /// Keeps the socket.
    _folder: TempDir,
    requests: Arc<Mutex<Vec<Request>>>,
    is_over: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

#[derive(Clone, Debug)]
enum Address {
    Unix(PathBuf),
    Tcp(SocketAddr),
}

/// What was asked.
#[derive(Clone, Debug)]
pub(crate) struct Request {
    /// Method, path and query: `GET /api/v1/streams?start=0`.
    pub(crate) line: String,
    /// The headers, by lower-case name.
    pub(crate) headers: BTreeMap<String, String>,
}

/// What is answered.
#[derive(Clone, Debug)]
pub(crate) struct Reply {
    status: u16,
    kind: &'static str,
    body: String,
}

impl Reply {
    /// An answer of this type.
    pub(crate) fn json(answer: &impl Serialize) -> Self {
        Self {
            status: 200,
            kind: "application/json",
            body: serde_json::to_string(answer).expect("a type of the API"),
        }
    }

    /// An answer around `data`.
    pub(crate) fn data(data: impl Serialize) -> Self {
        Self::json(&Answer {
            code: 0,
            identity: identity(),
            data,
        })
    }

    /// An error.
    pub(crate) fn error(status: u16, code: ErrorCode, message: &str) -> Self {
        let answer = ErrorAnswer {
            code: code as i32,
            identity: identity(),
            message: message.to_owned(),
            data: ErrorData {
                status_code: status,
                reason_phrase: String::new(),
                url: String::new(),
            },
        };
        Self {
            status,
            ..Self::json(&answer)
        }
    }

    /// There is no such path.
    pub(crate) fn not_found() -> Self {
        Self::error(404, ErrorCode::NotFound, "there is no such resource")
    }

    /// Something that is not JSON.
    pub(crate) fn text(status: u16, body: &str) -> Self {
        Self {
            status,
            kind: "text/html",
            body: body.to_owned(),
        }
    }

    /// A stream of events, which ends.
    pub(crate) fn events(body: &str) -> Self {
        Self {
            kind: "text/event-stream",
            ..Self::text(200, body)
        }
    }
}

/// Who answers; the process is the test's own.
pub(crate) fn identity() -> Identity {
    Identity {
        server: "srv-1".to_owned(),
        service: "svc-1".to_owned(),
        pid: "4242".to_owned(),
    }
}

impl FakeApi {
    /// On a unix socket; `answer` is called for each request.
    pub(crate) fn start(answer: impl FnMut(&Request) -> Reply + Send + 'static) -> Result<Self> {
        let folder = tempfile::tempdir()?;
        let path = folder.path().join("api.sock");
        let listener = UnixListener::bind(&path)?;
        let accept = move || Ok(listener.accept()?.0);
        Ok(Self::serve(Address::Unix(path), folder, accept, answer))
    }

    /// On the loopback.
    pub(crate) fn start_tcp(
        answer: impl FnMut(&Request) -> Reply + Send + 'static,
    ) -> Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let address = Address::Tcp(listener.local_addr()?);
        let accept = move || Ok(listener.accept()?.0);
        Ok(Self::serve(address, tempfile::tempdir()?, accept, answer))
    }

    fn serve<S: Read + Write>(
        address: Address,
        folder: TempDir,
        accept: impl Fn() -> Result<S> + Send + 'static,
        mut answer: impl FnMut(&Request) -> Reply + Send + 'static,
    ) -> Self {
        let requests = Arc::new(Mutex::new(Vec::new()));
        let is_over = Arc::new(AtomicBool::new(false));
        let (asked, over) = (Arc::clone(&requests), Arc::clone(&is_over));
        let thread = thread::spawn(move || {
            while let Ok(socket) = accept() {
                if over.load(Ordering::SeqCst) {
                    return;
                }
                // Who only looks whether somebody listens asks nothing.
                let mut socket = BufReader::new(socket);
                let Some(request) = read(&mut socket) else {
                    continue;
                };
                let reply = answer(&request);
                let mut asked = asked.lock().unwrap_or_else(PoisonError::into_inner);
                asked.push(request);
                drop(asked);
                // Who has left does not hear it.
                let _ = write(socket.get_mut(), &reply);
            }
        });
        Self {
            address,
            _folder: folder,
            requests,
            is_over,
            thread: Some(thread),
        }
    }

    /// Where it is, as an argument.
    pub(crate) fn address(&self) -> String {
        match &self.address {
            Address::Unix(path) => format!("unix:{}", path.display()),
            Address::Tcp(address) => format!("http://{address}"),
        }
    }

    /// What was asked so far.
    pub(crate) fn requests(&self) -> Vec<Request> {
        let requests = self.requests.lock();
        requests.unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The lines of what was asked so far.
    pub(crate) fn lines(&self) -> Vec<String> {
        self.requests()
            .into_iter()
            .map(|request| request.line)
            .collect()
    }
}

impl Drop for FakeApi {
    fn drop(&mut self) {
        self.is_over.store(true, Ordering::SeqCst);
        // Wakes the thread; a failure means that it has ended.
        match &self.address {
            Address::Unix(path) => drop(UnixStream::connect(path)),
            Address::Tcp(address) => drop(TcpStream::connect(address)),
        }
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

fn read(socket: &mut impl std::io::BufRead) -> Option<Request> {
    let mut lines = socket.lines().map_while(|line| line.ok());
    let line = lines.next()?;
    let line = line.strip_suffix(" HTTP/1.1")?.to_owned();
    let headers = lines
        .take_while(|line| !line.is_empty())
        .filter_map(|line| {
            let (name, value) = line.split_once(": ")?;
            Some((name.to_lowercase(), value.to_owned()))
        })
        .collect();
    Some(Request { line, headers })
}

fn write(socket: &mut impl Write, reply: &Reply) -> std::io::Result<()> {
    let Reply { status, kind, body } = reply;
    write!(
        socket,
        "HTTP/1.1 {status} X\r\nContent-Type: {kind}\r\nConnection: close\r\n\r\n{body}"
    )?;
    socket.flush()
}
