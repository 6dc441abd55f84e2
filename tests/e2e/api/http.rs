//! A client of the API that knows nothing of it: one request for each connection.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::os::unix::net::UnixStream;
use std::path::PathBuf;

use anyhow::{Context, Result, bail};
use serde_json::Value;
use testkit::{SOON, Srs};

/// Where an API is.
#[derive(Clone, Debug)]
pub(crate) enum Api {
    Unix(PathBuf),
    Tcp(SocketAddr),
}

/// What it answers.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) head: String,
    pub(crate) body: String,
}

impl Answer {
    pub(crate) fn json(&self) -> Result<Value> {
        serde_json::from_str(&self.body).with_context(|| format!("{self:?}"))
    }
}

trait Stream: Read + Write {}

impl<T: Read + Write> Stream for T {}

impl Api {
    /// That of `srs`, on its unix socket.
    pub(crate) fn of(srs: &Srs) -> Self {
        Self::Unix(srs.api_socket())
    }

    /// That of `srs`, at the address that its log names.
    pub(crate) fn over_tcp(srs: &Srs) -> Result<Self> {
        const SERVING: &str = "serving the API on 127";
        let line = srs.wait_for_log(SERVING, SOON)?;
        let rest = line.split("serving the API on ").nth(1);
        let address = rest.and_then(|rest| rest.split_whitespace().next());
        Ok(Self::Tcp(address.context("no address")?.parse()?))
    }

    /// Its TCP address.
    pub(crate) fn address(&self) -> Result<SocketAddr> {
        match self {
            Self::Tcp(address) => Ok(*address),
            Self::Unix(path) => bail!("{} is no TCP address", path.display()),
        }
    }

    pub(crate) fn get(&self, url: &str) -> Result<Answer> {
        self.ask("GET", url, &[], "")
    }

    /// Sends a request and reads the answer to its end.
    pub(crate) fn ask(
        &self,
        method: &str,
        url: &str,
        headers: &[&str],
        body: &str,
    ) -> Result<Answer> {
        let mut stream = self.send(method, url, headers, body)?;
        let mut text = String::new();
        stream.read_to_string(&mut text)?;
        let (head, body) = text.split_once("\r\n\r\n").context("no whole head")?;
        let status = head.split(' ').nth(1).context("no status")?.parse()?;
        Ok(Answer {
            status,
            head: head.to_owned(),
            body: body.to_owned(),
        })
    }

    /// The lines of a stream of events, as they come. HTTP/1.0 has them come without chunks.
    pub(crate) fn events(&self, query: &str) -> Result<impl Iterator<Item = String> + use<>> {
        self.events_with(query, &[])
    }

    /// The same for who proves who it is.
    pub(crate) fn events_with(
        &self,
        query: &str,
        headers: &[&str],
    ) -> Result<impl Iterator<Item = String> + use<>> {
        self.stream(&format!("/api/v1/events{query}"), headers)
    }

    /// The lines of the stream at `url`, as they come.
    pub(crate) fn stream(
        &self,
        url: &str,
        headers: &[&str],
    ) -> Result<impl Iterator<Item = String> + use<>> {
        let stream = BufReader::new(self.send("GET", url, headers, "")?);
        Ok(stream.lines().map_while(Result::ok))
    }

    fn send(
        &self,
        method: &str,
        url: &str,
        headers: &[&str],
        body: &str,
    ) -> Result<Box<dyn Stream>> {
        let mut stream: Box<dyn Stream> = match self {
            Self::Unix(path) => {
                let stream = UnixStream::connect(path)?;
                stream.set_read_timeout(Some(SOON))?;
                Box::new(stream)
            }
            Self::Tcp(address) => {
                let stream = TcpStream::connect(address)?;
                stream.set_read_timeout(Some(SOON))?;
                Box::new(stream)
            }
        };
        let mut request = format!("{method} {url} HTTP/1.0\r\nHost: 127.0.0.1\r\n");
        for header in headers {
            request.push_str(header);
            request.push_str("\r\n");
        }
        request.push_str(&format!("Content-Length: {}\r\n\r\n{body}", body.len()));
        stream.write_all(request.as_bytes())?;
        Ok(stream)
    }
}
