//! A socket whose writing side can be lent out.
//!
//! A connection that has nothing of its own to say may leave the writing to somebody who writes
//! the same to many sockets at once. The writing half is then theirs alone: bytes of two writers
//! cannot get mixed up.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};

/// A TCP socket in two halves. Writing fails while the writing half is lent.
#[derive(Debug)]
pub struct LendableSocket {
    reader: OwnedReadHalf,
    writer: Option<OwnedWriteHalf>,
}

impl LendableSocket {
    /// Divides a connected socket.
    pub fn new(socket: TcpStream) -> Self {
        let (reader, writer) = socket.into_split();
        Self {
            reader,
            writer: Some(writer),
        }
    }

    /// The writing half, unless it is lent already. If it is dropped instead of given back, the
    /// peer is told that nothing more comes.
    pub fn lend(&mut self) -> Option<OwnedWriteHalf> {
        self.writer.take()
    }

    /// Takes the writing half back.
    pub fn take_back(&mut self, writer: OwnedWriteHalf) {
        self.writer = Some(writer);
    }

    fn writer(&mut self) -> io::Result<Pin<&mut OwnedWriteHalf>> {
        let lent = || io::Error::other("somebody else writes to this socket for now");
        self.writer.as_mut().map(Pin::new).ok_or_else(lent)
    }
}

impl AsRef<TcpStream> for LendableSocket {
    fn as_ref(&self) -> &TcpStream {
        self.reader.as_ref()
    }
}

impl AsyncRead for LendableSocket {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.reader).poll_read(context, buffer)
    }
}

impl AsyncWrite for LendableSocket {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.writer()?.poll_write(context, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.writer()?.poll_write_vectored(context, slices)
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.writer()?.poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.writer()?.poll_shutdown(context)
    }
}

#[cfg(test)]
mod tests {
    use std::future::poll_fn;

    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio::net::TcpListener;

    use super::*;

    #[tokio::test]
    async fn while_the_writing_half_is_lent_only_its_holder_writes() {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("it is bound");
        let mut peer = TcpStream::connect(address).await.expect("it listens");
        let (socket, _) = listener.accept().await.expect("the peer has connected");

        let mut socket = LendableSocket::new(socket);
        let mut lent = socket.lend().expect("it was here");
        assert!(socket.lend().is_none());
        let refused = poll_fn(|context| Pin::new(&mut socket).poll_write(context, b"x")).await;
        assert!(refused.is_err());
        lent.write_all(b"from the holder, ")
            .await
            .expect("the peer is there");
        peer.write_all(b"hi").await.expect("the socket is there");
        let mut heard = [0; 2];
        socket
            .read_exact(&mut heard)
            .await
            .expect("reading goes on");

        socket.take_back(lent);
        socket
            .write_all(b"from the owner")
            .await
            .expect("the peer is there");
        drop(socket);
        let mut said = String::new();
        peer.read_to_string(&mut said)
            .await
            .expect("all of it is text");
        assert_eq!(said, "from the holder, from the owner");
    }
}
