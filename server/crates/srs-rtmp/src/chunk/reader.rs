//! Chunks into messages.

use bytes::{Buf, BytesMut};

use super::header::ChunkHeader;
use super::stream::{ChunkStream, HeaderInForce};
use super::{ChunkError, DEFAULT_CHUNK_SIZE, MAX_CHUNK_SIZE};
use crate::limits::Limits;
use crate::message::Message;

/// The receiving half of a chunk stream.
///
/// Bytes are taken out of the input as they come, also those of half a chunk, so the input stays as
/// small as the socket's reads and what is half read is here, within the [`Limits`].
///
/// ```
/// use bytes::BytesMut;
/// use srs_rtmp::chunk::ChunkReader;
/// use srs_rtmp::limits::Limits;
///
/// let mut reader = ChunkReader::new(Limits::default());
/// let mut input = BytesMut::from(&b"\x02\0\0\0\0\0\x04\x01\0\0\0\0\0\0"[..]);
/// assert_eq!(reader.read(&mut input)?, None);
/// input.extend_from_slice(b"\x10\0");
/// let message = reader.read(&mut input)?.expect("Set Chunk Size is complete");
/// assert_eq!(message.payload, &b"\0\0\x10\0"[..]);
/// # Ok::<(), srs_rtmp::chunk::ChunkError>(())
/// ```
#[derive(Clone, Debug)]
pub struct ChunkReader {
    limits: Limits,
    chunk_size: u32,
    /// Few, so a search from the front is faster than anything else.
    streams: Vec<ChunkStream>,
    /// The chunk whose header has been read and whose data has not, or not all of it.
    chunk: Option<Chunk>,
    /// Announced lengths of all half-read messages.
    partial_bytes: usize,
}

/// A chunk that is being read.
#[derive(Clone, Copy, Debug)]
struct Chunk {
    /// Index of its chunk stream; chunk streams are never removed.
    stream: usize,
    /// How much of its data is missing, in bytes.
    left: usize,
}

impl ChunkReader {
    /// A reader at the start of the chunk stream, with the default chunk size of 128 bytes.
    pub fn new(limits: Limits) -> Self {
        Self {
            limits,
            chunk_size: DEFAULT_CHUNK_SIZE,
            streams: Vec::new(),
            chunk: None,
            partial_bytes: 0,
        }
    }

    /// The next message, or `None` if `input` does not hold the rest of one.
    ///
    /// What was understood is taken out of `input`; at most a part of a chunk header stays. Where
    /// the input is cut makes no difference. Empty messages are skipped. The payload has an
    /// allocation of its own, of exactly its length.
    ///
    /// A message that changes how chunks are read (Set Chunk Size, Abort) must be obeyed with
    /// [`Self::set_chunk_size`] or [`Self::abort`] before the next call.
    ///
    /// # Errors
    /// [`ChunkError`] if the chunks contradict each other or exceed a limit. There is no way on:
    /// where the next chunk begins is unknown.
    pub fn read(&mut self, input: &mut BytesMut) -> Result<Option<Message>, ChunkError> {
        loop {
            let chunk = match &mut self.chunk {
                Some(chunk) => chunk,
                None => match self.begin_chunk(input)? {
                    Some(chunk) => self.chunk.insert(chunk),
                    None => return Ok(None),
                },
            };
            let stream = &mut self.streams[chunk.stream];
            let len = chunk.left.min(input.len());
            stream.append(&input[..len]);
            input.advance(len);
            chunk.left -= len;
            if chunk.left > 0 {
                return Ok(None);
            }
            self.chunk = None;
            if let Some(message) = stream.take_complete() {
                self.partial_bytes -= message.payload.len();
                return Ok(Some(message));
            }
        }
    }

    /// Reads with another chunk size, in bytes, from the next chunk on, as Set Chunk Size demands.
    ///
    /// Sizes above 16 777 215 mean just that (RTMP 1.0, 5.4.1). Small sizes are taken as well, down
    /// to a single byte: they are slow but have a meaning.
    ///
    /// # Errors
    /// [`ChunkError::ChunkSize`] if the size is 0 or has its highest bit set.
    pub fn set_chunk_size(&mut self, chunk_size: u32) -> Result<(), ChunkError> {
        if !(1..=0x7FFF_FFFF).contains(&chunk_size) {
            return Err(ChunkError::ChunkSize { chunk_size });
        }
        self.chunk_size = chunk_size.min(MAX_CHUNK_SIZE);
        Ok(())
    }

    /// The chunk size in use, in bytes.
    pub fn chunk_size(&self) -> u32 {
        self.chunk_size
    }

    /// Drops the half-read message of a chunk stream, if there is one, as Abort demands. The next
    /// chunk there begins a new message.
    pub fn abort(&mut self, chunk_stream_id: u32) {
        if let Some(stream) = self.streams.iter_mut().find(|s| s.id() == chunk_stream_id) {
            self.partial_bytes -= stream.abort();
        }
    }

    /// How much memory half-read messages occupy, in bytes.
    #[cfg(test)]
    pub(super) fn memory(&self) -> usize {
        self.streams.iter().map(ChunkStream::capacity).sum()
    }

    /// Takes the header of the next chunk with data out of `input`; `None` if it is incomplete.
    fn begin_chunk(&mut self, input: &mut BytesMut) -> Result<Option<Chunk>, ChunkError> {
        loop {
            let mut bytes = &input[..];
            let Some(ChunkHeader {
                chunk_stream_id,
                message,
            }) = ChunkHeader::decode(&mut bytes)
            else {
                return Ok(None);
            };
            let index = self
                .streams
                .iter()
                .position(|stream| stream.id() == chunk_stream_id);
            let index = match index {
                None => {
                    let header = HeaderInForce::first(chunk_stream_id, message)?;
                    self.begin_chunk_stream(chunk_stream_id, header)?
                }
                Some(index) if self.streams[index].missing().is_some() => {
                    if !self.streams[index].continues(message, &mut bytes)? {
                        return Ok(None);
                    }
                    index
                }
                Some(index) => {
                    let Some(header) = self.streams[index].header().next(message, &mut bytes)
                    else {
                        return Ok(None);
                    };
                    self.reserve(chunk_stream_id, &header)?;
                    self.streams[index].begin(header);
                    index
                }
            };
            let header_len = input.len() - bytes.len();
            input.advance(header_len);
            if let Some(missing) = self.streams[index].missing() {
                let left = missing.min(self.chunk_size as usize);
                return Ok(Some(Chunk {
                    stream: index,
                    left,
                }));
            }
        }
    }

    /// Adds a chunk stream; its index.
    fn begin_chunk_stream(
        &mut self,
        chunk_stream_id: u32,
        header: HeaderInForce,
    ) -> Result<usize, ChunkError> {
        let limit = self.limits.chunk_streams;
        if self.streams.len() >= limit {
            return Err(ChunkError::TooManyChunkStreams {
                chunk_stream_id,
                limit,
            });
        }
        self.reserve(chunk_stream_id, &header)?;
        self.streams.push(ChunkStream::new(chunk_stream_id, header));
        Ok(self.streams.len() - 1)
    }

    /// Counts a message that begins, if the limits have room for it.
    fn reserve(&mut self, chunk_stream_id: u32, header: &HeaderInForce) -> Result<(), ChunkError> {
        let message_type = header.message_type;
        let length = header.length as usize;
        let limit = self.limits.message_len(message_type);
        if length > limit {
            return Err(ChunkError::MessageTooLong {
                chunk_stream_id,
                message_type,
                length,
                limit,
            });
        }
        let limit = self.limits.partial_bytes;
        if length > limit.saturating_sub(self.partial_bytes) {
            return Err(ChunkError::TooManyPartialBytes {
                chunk_stream_id,
                length,
                partial_bytes: self.partial_bytes,
                limit,
            });
        }
        self.partial_bytes += length;
        Ok(())
    }
}

#[cfg(test)]
mod tests;
