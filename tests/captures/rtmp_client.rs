//! Our own client on a plain socket, for `tests/captures/record`.
//!
//! `rtmp_client publish URL FILE.flv` sends a file as fast as it goes, `rtmp_client play URL COUNT`
//! receives so many messages of a stream.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;

use anyhow::{Context as _, bail};
use bytes::{Buf as _, BytesMut};
use srs_media::flv;
use srs_rtmp::client::{ClientConnection, ClientEvent, ClientSettings, Purpose};
use srs_rtmp::entropy::Entropy;
use srs_rtmp::url::RtmpUrl;
use srs_rtmp::{MediaKind, SendQueue};

fn main() -> anyhow::Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [what, url, with] = &arguments[..] else {
        bail!("expected publish URL FILE, or play URL COUNT");
    };
    let url = RtmpUrl::parse(url)?;
    match what.as_str() {
        "publish" => Client::connect(&url, Purpose::Publish)?.publish(with),
        "play" => Client::connect(&url, Purpose::Play)?.play(with.parse()?),
        _ => bail!("expected publish or play, not {what}"),
    }
}

struct Client {
    connection: ClientConnection,
    socket: TcpStream,
    inbox: BytesMut,
    outbox: SendQueue,
}

impl Client {
    fn connect(url: &RtmpUrl, purpose: Purpose) -> anyhow::Result<Self> {
        let settings = ClientSettings::new(url, purpose);
        // Of no importance here: nobody attacks a recording.
        let entropy = Entropy::new([7; 32]);
        let mut client = Self {
            connection: ClientConnection::new(settings, 0, entropy),
            socket: TcpStream::connect((url.host(), url.port()))?,
            inbox: BytesMut::new(),
            outbox: SendQueue::default(),
        };
        client.connection.start(&mut client.outbox);
        Ok(client)
    }

    fn publish(mut self, file: &str) -> anyhow::Result<()> {
        while self.next_event()? != ClientEvent::Publishing {}
        let mut bytes = BytesMut::from(&std::fs::read(file).context(file.to_owned())?[..]);
        let mut reader = flv::Reader::new(flv::Limits::default());
        while let Some(tag) = reader.read(&mut bytes)? {
            let kind = match tag.tag_type {
                flv::TagType::Audio => MediaKind::Audio,
                flv::TagType::Video => MediaKind::Video,
                flv::TagType::Script => MediaKind::Data,
            };
            let (connection, outbox) = (&mut self.connection, &mut self.outbox);
            connection.send_media(kind, tag.timestamp, &tag.payload, outbox);
        }
        self.finish()
    }

    fn play(mut self, count: usize) -> anyhow::Result<()> {
        let mut received = 0;
        while received < count {
            if let ClientEvent::Media(_) = self.next_event()? {
                received += 1;
            }
        }
        self.finish()
    }

    fn finish(mut self) -> anyhow::Result<()> {
        self.connection.finish(&mut self.outbox);
        self.flush()
    }

    fn next_event(&mut self) -> anyhow::Result<ClientEvent> {
        loop {
            let event = self.connection.read(&mut self.inbox, &mut self.outbox)?;
            self.flush()?;
            if let Some(event) = event {
                return Ok(event);
            }
            let mut piece = [0; 4096];
            let len = self.socket.read(&mut piece)?;
            if len == 0 {
                bail!("the server hung up");
            }
            self.inbox.extend_from_slice(&piece[..len]);
        }
    }

    fn flush(&mut self) -> anyhow::Result<()> {
        let len = self.outbox.remaining();
        self.socket.write_all(&self.outbox.copy_to_bytes(len))?;
        Ok(())
    }
}
