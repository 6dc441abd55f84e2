//! One socket's bytes, in and out.

use std::future::poll_fn;
use std::io::{self, IoSlice};
use std::mem::MaybeUninit;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::{Buf, BytesMut};
use srs_rtmp::SendQueue;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// A socket with the bytes that came and the bytes that are to go.
///
/// An idle transport holds no buffer: what is read lands on the stack first, and both queues give
/// their memory back when they are empty. Thousands of players cost sockets, not buffers.
#[derive(Debug)]
pub struct Transport<S> {
    socket: S,
    /// Bytes from the peer that were not consumed yet.
    pub inbox: BytesMut,
    /// Bytes for the peer that were not written yet.
    pub outbox: SendQueue,
    received: u64,
    sent: u64,
}

/// What an [`Transport::exchange`] brought about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exchange {
    /// There is more in the inbox.
    Received,
    /// The outbox has become empty.
    Drained,
    /// The peer has closed its side; nothing more will come.
    Closed,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Transport<S> {
    /// A transport on a connected socket.
    pub fn new(socket: S) -> Self {
        Self {
            socket,
            inbox: BytesMut::new(),
            outbox: SendQueue::default(),
            received: 0,
            sent: 0,
        }
    }

    /// The socket itself.
    pub fn socket(&self) -> &S {
        &self.socket
    }

    /// Bytes read so far.
    pub fn received(&self) -> u64 {
        self.received
    }

    /// Bytes written so far.
    pub fn sent(&self) -> u64 {
        self.sent
    }

    /// The socket itself, to lend a part of it out.
    pub fn socket_mut(&mut self) -> &mut S {
        &mut self.socket
    }

    /// Counts bytes that somebody else wrote to the socket.
    pub fn count_sent(&mut self, bytes: u64) {
        self.sent += bytes;
    }

    /// Writes what is in the outbox and reads what the peer sent, until one of them has come to
    /// something. With `reading` off nothing is read, so that a peer that does not take its
    /// answers cannot make us hold more of them.
    ///
    /// Cancel-safe: all progress is in the queues.
    ///
    /// # Errors
    /// Those of the socket.
    pub async fn exchange(&mut self, reading: bool) -> io::Result<Exchange> {
        poll_fn(|context| self.poll_exchange(context, reading)).await
    }

    fn poll_exchange(
        &mut self,
        context: &mut Context<'_>,
        reading: bool,
    ) -> Poll<io::Result<Exchange>> {
        if !self.outbox.is_empty() && self.poll_write(context)?.is_ready() {
            return Poll::Ready(Ok(Exchange::Drained));
        }
        if reading {
            self.poll_read(context)
        } else {
            Poll::Pending
        }
    }

    /// Writes until the outbox is empty.
    fn poll_write(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        while !self.outbox.is_empty() {
            let mut slices = [IoSlice::new(&[]); WRITE_SLICES];
            let count = self.outbox.chunks_vectored(&mut slices);
            let socket = Pin::new(&mut self.socket);
            let written = ready!(socket.poll_write_vectored(context, &slices[..count]))?;
            if written == 0 {
                return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
            }
            self.outbox.advance(written);
            self.sent += written as u64;
        }
        // TLS and the like keep a buffer of their own; for TCP this does nothing.
        Pin::new(&mut self.socket).poll_flush(context)
    }

    fn poll_read(&mut self, context: &mut Context<'_>) -> Poll<io::Result<Exchange>> {
        let mut space = [MaybeUninit::uninit(); READ_SIZE];
        let mut buffer = ReadBuf::uninit(&mut space);
        ready!(Pin::new(&mut self.socket).poll_read(context, &mut buffer))?;
        let read = buffer.filled();
        if read.is_empty() {
            return Poll::Ready(Ok(Exchange::Closed));
        }
        self.received += read.len() as u64;
        if self.inbox.is_empty() {
            self.inbox = BytesMut::with_capacity(read.len());
        }
        self.inbox.extend_from_slice(read);
        Poll::Ready(Ok(Exchange::Received))
    }

    /// Gives the inbox's memory back if it is empty; call when its bytes have been consumed.
    pub fn release_inbox(&mut self) {
        if self.inbox.is_empty() && self.inbox.capacity() > 0 {
            self.inbox = BytesMut::new();
        }
    }

    /// Writes what is left, ends our side, and waits for the peer to end its own.
    ///
    /// Without the wait, bytes that the peer still had on their way would make the kernel reset the
    /// connection, and the peer would lose our last words: why it was refused, or that the stream
    /// is over. The caller bounds the time.
    ///
    /// # Errors
    /// Those of the socket.
    pub async fn close(&mut self) -> io::Result<()> {
        poll_fn(|context| self.poll_write(context)).await?;
        poll_fn(|context| Pin::new(&mut self.socket).poll_shutdown(context)).await?;
        let mut discarded = 0;
        while discarded < MOST_DISCARDED && self.exchange(true).await? == Exchange::Received {
            discarded += self.inbox.len();
            self.inbox.clear();
        }
        Ok(())
    }
}

/// Slices handed to one `writev`: a batch of small messages in a single system call.
const WRITE_SLICES: usize = 64;
/// Bytes read at once. Lies on the stack of a poll, so every idle connection shares it.
const READ_SIZE: usize = 16 * 1024;
/// A peer that goes on sending after the end is cut off after so many bytes.
const MOST_DISCARDED: usize = 4 * 1024 * 1024;
