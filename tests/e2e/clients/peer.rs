//! A client without a will of its own: it sends what the test says, and tells all that it hears.

use std::net::SocketAddr;

use anyhow::{Context, Result, bail, ensure};
use bytes::{Buf, Bytes, BytesMut};
use srs_amf0::{Limits, Object, Value};
use srs_rtmp::chunk::{ChunkReader, ChunkWriter, HeaderPolicy};
use srs_rtmp::entropy::Entropy;
use srs_rtmp::handshake::{ClientForm, ClientHandshake};
use srs_rtmp::message::command::Command;
use srs_rtmp::message::control::{Control, UserControl};
use srs_rtmp::message::{Message, MessageType};
use srs_rtmp::{Media, MediaKind, SendQueue};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::wire::{Heard, connect_object, is_notice, message};
use super::{Sample, at, soon};

/// A scripted client. Dropping it ends the connection without a word.
#[derive(Debug)]
pub(crate) struct Peer {
    socket: TcpStream,
    inbox: BytesMut,
    reader: ChunkReader,
    writer: ChunkWriter,
    /// Sends commands in the envelope of AMF3.
    amf3: bool,
    transaction_id: f64,
    chunk_size_heard: u32,
    sent: u64,
}

impl Peer {
    /// Connects the socket, and no more.
    pub(crate) async fn dial(server: SocketAddr) -> Result<Self> {
        Self::on(at(server, "").socket().await?)
    }

    /// As [`Self::dial`], on a socket that is connected.
    pub(crate) fn on(socket: TcpStream) -> Result<Self> {
        socket.set_nodelay(true)?;
        Ok(Self {
            socket,
            inbox: BytesMut::new(),
            reader: ChunkReader::new(srs_rtmp::Limits::default()),
            writer: ChunkWriter::new(HeaderPolicy::Full),
            amf3: false,
            transaction_id: 1.0,
            chunk_size_heard: 128,
            sent: 0,
        })
    }

    /// Connects to `app` of the server.
    pub(crate) async fn connect(server: SocketAddr, app: &str) -> Result<Self> {
        let mut peer = Self::dial(server).await?;
        peer.shake_hands().await?;
        peer.connect_to(&format!("rtmp://{server}/{app}")).await?;
        Ok(peer)
    }

    /// As [`Self::connect`], with a message stream: 1 in a fresh connection.
    pub(crate) async fn with_stream(server: SocketAddr, app: &str) -> Result<(Self, u32)> {
        let mut peer = Self::connect(server, app).await?;
        let id = peer.create_stream().await?;
        Ok((peer, id))
    }

    /// Exchanges the handshakes in their simple form.
    pub(crate) async fn shake_hands(&mut self) -> Result<()> {
        let mut handshake = ClientHandshake::new(0, Entropy::new([7; 32]), ClientForm::Simple);
        let mut out = BytesMut::new();
        handshake.start(&mut out);
        loop {
            self.send_bytes(&out).await?;
            out.clear();
            if handshake.handle_input(&mut self.inbox, &mut out)? {
                return self.send_bytes(&out).await;
            }
            if out.is_empty() {
                ensure!(self.read().await?, "closed in the handshake");
            }
        }
    }

    /// Sends commands as AMF3 from here on, as Flash does with `objectEncoding` 3.
    pub(crate) fn speak_amf3(&mut self) {
        self.amf3 = true;
    }

    /// Calls `connect` and waits for the answer, which must be yes.
    pub(crate) async fn connect_to(&mut self, tc_url: &str) -> Result<Command> {
        self.connect_with(connect_object(tc_url)).await
    }

    /// As [`Self::connect_to`], with all that `object` says.
    pub(crate) async fn connect_with(&mut self, object: Object) -> Result<Command> {
        let command = Command {
            name: "connect".into(),
            transaction_id: 1.0,
            object: object.into(),
            arguments: Vec::new(),
        };
        self.send_command(&command, 0).await?;
        let answer = self.command_named("_result").await?;
        ensure!(
            answer.transaction_id == 1.0,
            "an answer to {}",
            answer.transaction_id
        );
        Ok(answer)
    }

    /// Makes a message stream and gives its id.
    pub(crate) async fn create_stream(&mut self) -> Result<u32> {
        let id = self.call("createStream", Vec::new()).await?;
        let id = id.as_f64().context("the id is no number")?;
        // Ids are small.
        Ok(format!("{id}").parse()?)
    }

    /// Calls a method of the connection and waits for its result.
    pub(crate) async fn call(&mut self, name: &str, arguments: Vec<Value>) -> Result<Value> {
        let transaction_id = self.request(name, 0, arguments).await?;
        loop {
            let answer = self.command_named("_result").await?;
            if answer.transaction_id == transaction_id {
                return Ok(answer.arguments.into_iter().next().unwrap_or(Value::Null));
            }
        }
    }

    /// Sends a command with the next transaction id, which it gives, and waits for nothing.
    pub(crate) async fn request(
        &mut self,
        name: &str,
        message_stream_id: u32,
        arguments: Vec<Value>,
    ) -> Result<f64> {
        self.transaction_id += 1.0;
        let transaction_id = self.transaction_id;
        let command = Command {
            name: name.into(),
            transaction_id,
            object: Value::Null,
            arguments,
        };
        self.send_command(&command, message_stream_id).await?;
        Ok(transaction_id)
    }

    /// Plays `stream` and waits until the server has accepted it.
    pub(crate) async fn play(&mut self, message_stream_id: u32, stream: &str) -> Result<()> {
        self.request("play", message_stream_id, vec![stream.into()])
            .await?;
        self.status("NetStream.Play.Start").await?;
        Ok(())
    }

    /// Publishes `stream` and waits until the server has accepted it.
    pub(crate) async fn publish(&mut self, message_stream_id: u32, stream: &str) -> Result<()> {
        self.request(
            "publish",
            message_stream_id,
            vec![stream.into(), "live".into()],
        )
        .await?;
        self.status("NetStream.Publish.Start").await?;
        Ok(())
    }

    pub(crate) async fn send_command(
        &mut self,
        command: &Command,
        message_stream_id: u32,
    ) -> Result<()> {
        let mut message = command.encode(3, message_stream_id);
        if self.amf3 {
            message.message_type = MessageType::CommandAmf3;
            message.payload = [&[0], &message.payload[..]].concat().into();
        }
        self.send(&message).await
    }

    pub(crate) async fn send_control(&mut self, control: &Control) -> Result<()> {
        self.send(&control.encode()).await
    }

    /// Sends `samples` of a stream that it publishes.
    pub(crate) async fn send_media(
        &mut self,
        message_stream_id: u32,
        samples: impl IntoIterator<Item = Sample>,
    ) -> Result<()> {
        let mut out = SendQueue::default();
        for sample in samples {
            self.writer
                .write(&message(message_stream_id, sample), &mut out);
        }
        let bytes = out.copy_to_bytes(out.remaining());
        self.send_bytes(&bytes).await
    }

    pub(crate) async fn send(&mut self, message: &Message) -> Result<()> {
        let bytes = self.encode(message);
        self.send_bytes(&bytes).await
    }

    /// The bytes that would carry `message` next.
    pub(crate) fn encode(&mut self, message: &Message) -> Bytes {
        let mut out = SendQueue::default();
        self.writer.write(message, &mut out);
        out.copy_to_bytes(out.remaining())
    }

    pub(crate) async fn send_bytes(&mut self, bytes: &[u8]) -> Result<()> {
        soon("the server to take bytes", self.socket.write_all(bytes)).await??;
        self.sent += bytes.len() as u64;
        Ok(())
    }

    /// Tells the server a chunk size, and uses it.
    pub(crate) async fn set_chunk_size(&mut self, size: u32) -> Result<()> {
        self.send_control(&Control::SetChunkSize(size)).await?;
        self.writer.set_chunk_size(size);
        Ok(())
    }

    /// Leaves out what headers of chunks may leave out, from here on.
    pub(crate) fn compress_headers(&mut self) {
        let mut writer = ChunkWriter::new(HeaderPolicy::Compressed);
        writer.set_chunk_size(self.writer.chunk_size());
        self.writer = writer;
    }

    /// The chunk size that the server has set.
    pub(crate) fn chunk_size_heard(&self) -> u32 {
        self.chunk_size_heard
    }

    /// How many bytes it has sent.
    pub(crate) fn sent(&self) -> u64 {
        self.sent
    }

    /// The next message; `None` once the server has closed the connection, in whatever manner.
    pub(crate) async fn hear(&mut self) -> Result<Option<Heard>> {
        soon("the server to say something", self.hear_unbounded()).await?
    }

    async fn hear_unbounded(&mut self) -> Result<Option<Heard>> {
        loop {
            if let Some(message) = self.reader.read(&mut self.inbox)? {
                if let Some(heard) = self.understand(message)? {
                    return Ok(Some(heard));
                }
            } else if !self.read().await? {
                return Ok(None);
            }
        }
    }

    fn understand(&mut self, message: Message) -> Result<Option<Heard>> {
        if let Some(control) = Control::decode(&message)? {
            if let Control::SetChunkSize(size) = control {
                self.reader.set_chunk_size(size)?;
                self.chunk_size_heard = size;
            }
            return Ok(Some(Heard::Control(control)));
        }
        let message_stream_id = message.message_stream_id;
        let kind = match message.message_type {
            MessageType::CommandAmf0 => {
                let command = Command::decode(&message, &Limits::default())?;
                return Ok(Some(Heard::Command {
                    message_stream_id,
                    command,
                }));
            }
            MessageType::Audio => MediaKind::Audio,
            MessageType::Video => MediaKind::Video,
            MessageType::DataAmf0 if is_notice(&message.payload) => return Ok(None),
            MessageType::DataAmf0 => MediaKind::Data,
            other => bail!("the server sent a message of type {other:?}"),
        };
        let (timestamp, payload) = (message.timestamp, message.payload);
        Ok(Some(Heard::Media(Media {
            message_stream_id,
            kind,
            timestamp,
            payload,
        })))
    }

    /// Reads what has come; false at the end.
    async fn read(&mut self) -> Result<bool> {
        match self.socket.read_buf(&mut self.inbox).await {
            Ok(0) => Ok(false),
            Ok(_) => Ok(true),
            Err(error) if error.kind() == std::io::ErrorKind::ConnectionReset => Ok(false),
            Err(error) => Err(error.into()),
        }
    }

    /// Hears until `is_it`, and gives all up to that message, which is the last.
    pub(crate) async fn hear_until(
        &mut self,
        what: &str,
        mut is_it: impl FnMut(&Heard) -> bool,
    ) -> Result<Vec<Heard>> {
        let mut heard = Vec::new();
        loop {
            let next = self.hear().await.with_context(|| format!("until {what}"))?;
            let Some(next) = next else {
                bail!("closed before {what}; heard {heard:?}");
            };
            let found = is_it(&next);
            heard.push(next);
            if found {
                return Ok(heard);
            }
        }
    }

    /// Waits for the next `onStatus`, which must have `code`.
    pub(crate) async fn status(&mut self, code: &str) -> Result<Heard> {
        let heard = self.hear_until(code, |heard| {
            // A play begins with two.
            heard
                .status()
                .is_some_and(|heard| heard == code || heard != "NetStream.Play.Reset")
        });
        let last = heard.await?.pop().context("a status")?;
        ensure!(last.status() == Some(code), "{last:?}, {code} was expected");
        Ok(last)
    }

    /// Waits for the next command of this name.
    pub(crate) async fn command_named(&mut self, name: &str) -> Result<Command> {
        let heard = self.hear_until(
            name,
            |heard| matches!(heard, Heard::Command { command, .. } if command.name == name),
        );
        match heard.await?.pop() {
            Some(Heard::Command { command, .. }) => Ok(command),
            other => bail!("{other:?}"),
        }
    }

    /// The next message of audio, video or data.
    pub(crate) async fn media(&mut self) -> Result<Media> {
        let heard = self
            .hear_until("media", |heard| matches!(heard, Heard::Media(_)))
            .await?;
        heard
            .into_iter()
            .next_back()
            .and_then(Heard::media)
            .context("media")
    }

    /// The media up to the message that carries `payload`, which is the last.
    pub(crate) async fn up_to(&mut self, payload: &Bytes) -> Result<Vec<Media>> {
        let heard = self
            .hear_until(
                "a certain message",
                |heard| matches!(heard, Heard::Media(media) if media.payload == payload),
            )
            .await?;
        Ok(heard.into_iter().filter_map(Heard::media).collect())
    }

    /// Checks how the server ends a play: end of stream, and the two notices that players know.
    /// Gives the media that came before.
    pub(crate) async fn end_of_play(&mut self, message_stream_id: u32) -> Result<Vec<Media>> {
        let stop = |heard: &Heard| heard.status() == Some("NetStream.Play.Stop");
        let mut heard = self.hear_until("the end of the play", stop).await?;
        let last = heard.split_off(heard.len().saturating_sub(3));
        let [eof, notice, _] = &last[..] else {
            bail!("too little: {last:?}")
        };
        let end = Control::User(UserControl::StreamEof(message_stream_id));
        ensure!(*eof == Heard::Control(end), "{eof:?}");
        ensure!(
            notice.status() == Some("NetStream.Play.UnpublishNotify"),
            "{notice:?}"
        );
        ensure!(!notice.words().is_empty(), "an end without a reason");
        Ok(heard.into_iter().filter_map(Heard::media).collect())
    }

    /// Waits until the server has handled all that was sent; gives what it said meanwhile.
    pub(crate) async fn ping(&mut self) -> Result<Vec<Heard>> {
        let time = 0x5250_0000;
        self.send_control(&Control::User(UserControl::PingRequest(time)))
            .await?;
        let pong = Heard::Control(Control::User(UserControl::PingResponse(time)));
        self.hear_until("the answer to a ping", |heard| *heard == pong)
            .await
    }

    /// Waits until the server closes the connection; gives what it said before.
    pub(crate) async fn closed(&mut self) -> Result<Vec<Heard>> {
        let mut heard = Vec::new();
        while let Some(next) = self.hear().await.context("until the server closes")? {
            heard.push(next);
        }
        Ok(heard)
    }

    /// Waits until the server closes the connection, whatever it sends before.
    pub(crate) async fn gone(&mut self) -> Result<()> {
        soon("the server to close", async {
            while self.read().await? {
                self.inbox.clear();
            }
            Ok(())
        })
        .await?
    }

    /// Whether the server has not closed the connection yet.
    pub(crate) async fn is_served(&mut self) -> bool {
        self.ping().await.is_ok()
    }

    /// Ends the sending half, in the middle of whatever was sent.
    pub(crate) async fn hang_up(&mut self) -> Result<()> {
        Ok(self.socket.shutdown().await?)
    }
}
