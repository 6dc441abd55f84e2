//! Bytes on their way to a socket: payloads by reference, headers copied.
//!
//! A [`SendQueue`] is filled by the protocol and emptied by a vectored write. It knows nothing of
//! RTMP. It has no bound of its own: whoever fills it looks at [`SendQueue::len`] first.

use std::collections::VecDeque;
use std::fmt;
use std::io::IoSlice;

use bytes::{Buf, Bytes};

/// A queue of bytes, read through [`Buf`].
///
/// Copied bytes stand one behind the other in one scratch buffer, however many messages they
/// belong to, so that a run of headers and small payloads costs one slice of a vectored write.
/// Larger payloads are held by reference and shared with every other queue that sends them.
#[derive(Clone, Default)]
pub struct SendQueue {
    parts: VecDeque<Part>,
    /// The bytes of all [`Part::Copied`], in order, from `scratch_start` on.
    scratch: Vec<u8>,
    scratch_start: usize,
    len: usize,
}

#[derive(Clone)]
enum Part {
    /// So many of the next bytes of the scratch buffer.
    Copied(usize),
    Shared(Bytes),
}

impl SendQueue {
    /// Appends a copy of `bytes`.
    pub fn put_slice(&mut self, bytes: &[u8]) {
        if bytes.is_empty() {
            return;
        }
        let is_full = bytes.len() > self.scratch.capacity() - self.scratch.len();
        if is_full && self.scratch_start >= self.scratch.len() / 2 {
            // At least as much has been sent as must be moved, so the moves stay cheap in sum.
            self.scratch.drain(..self.scratch_start);
            self.scratch_start = 0;
        }
        self.scratch.extend_from_slice(bytes);
        self.len += bytes.len();
        match self.parts.back_mut() {
            Some(Part::Copied(len)) => *len += bytes.len(),
            _ => self.parts.push_back(Part::Copied(bytes.len())),
        }
    }

    /// Appends `bytes`: by reference if they are 256 or more, otherwise as a copy.
    ///
    /// A slice of its own in the vectored write and a reference count cost more than copying a few
    /// bytes.
    pub fn put_bytes(&mut self, bytes: Bytes) {
        if bytes.len() < SHARE_FROM {
            self.put_slice(&bytes);
        } else {
            self.share(bytes);
        }
    }

    /// As [`Self::put_bytes`] for `part`, which must be a slice of `whole`; the reference count of
    /// `whole` is touched only if its bytes are not copied.
    pub(crate) fn put_part(&mut self, whole: &Bytes, part: &[u8]) {
        if part.len() < SHARE_FROM {
            self.put_slice(part);
        } else {
            self.share(whole.slice_ref(part));
        }
    }

    /// Forgets everything that is still to be sent, and its memory.
    pub fn clear(&mut self) {
        *self = Self::default();
    }

    /// How many bytes are still to be sent.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether nothing is to be sent.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    fn share(&mut self, bytes: Bytes) {
        self.len += bytes.len();
        self.parts.push_back(Part::Shared(bytes));
    }

    /// Gives back what a burst has made large: thousands of queues are empty most of the time.
    fn release(&mut self) {
        self.scratch_start = 0;
        if self.scratch.capacity() > KEPT_SCRATCH {
            self.scratch = Vec::new();
        } else {
            self.scratch.clear();
        }
        if self.parts.capacity() > KEPT_PARTS {
            self.parts = VecDeque::new();
        }
    }
}

impl Buf for SendQueue {
    fn remaining(&self) -> usize {
        self.len
    }

    fn chunk(&self) -> &[u8] {
        match self.parts.front() {
            None => &[],
            Some(Part::Copied(len)) => &self.scratch[self.scratch_start..][..*len],
            Some(Part::Shared(bytes)) => bytes,
        }
    }

    fn chunks_vectored<'a>(&'a self, slices: &mut [IoSlice<'a>]) -> usize {
        let mut scratch = &self.scratch[self.scratch_start..];
        let mut filled = 0;
        for (slice, part) in slices.iter_mut().zip(&self.parts) {
            *slice = match part {
                Part::Copied(len) => {
                    let (copied, rest) = scratch.split_at(*len);
                    scratch = rest;
                    IoSlice::new(copied)
                }
                Part::Shared(bytes) => IoSlice::new(bytes),
            };
            filled += 1;
        }
        filled
    }

    /// # Panics
    /// If `count` is larger than [`SendQueue::len`], as every [`Buf`] does.
    fn advance(&mut self, mut count: usize) {
        assert!(
            count <= self.len,
            "advance by {count} of {} queued bytes",
            self.len
        );
        self.len -= count;
        while count > 0 {
            let Some(part) = self.parts.front_mut() else {
                break;
            };
            let (taken, is_sent) = match part {
                Part::Copied(len) => {
                    let taken = count.min(*len);
                    *len -= taken;
                    self.scratch_start += taken;
                    (taken, *len == 0)
                }
                Part::Shared(bytes) => {
                    let taken = count.min(bytes.len());
                    bytes.advance(taken);
                    (taken, bytes.is_empty())
                }
            };
            count -= taken;
            if is_sent {
                self.parts.pop_front();
            }
        }
        if self.len == 0 {
            self.release();
        }
    }
}

impl fmt::Debug for SendQueue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SendQueue")
            .field("len", &self.len)
            .field("parts", &self.parts.len())
            .finish_non_exhaustive()
    }
}

/// From this many bytes on a payload is referenced instead of copied.
const SHARE_FROM: usize = 256;
/// The largest scratch buffer that an empty queue keeps, in bytes.
const KEPT_SCRATCH: usize = 512;
/// The longest list of parts that an empty queue keeps.
const KEPT_PARTS: usize = 8;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn slices(queue: &SendQueue) -> Vec<Vec<u8>> {
        let mut slices = [IoSlice::new(&[]); 16];
        let filled = queue.chunks_vectored(&mut slices);
        slices[..filled]
            .iter()
            .map(|slice| slice.to_vec())
            .collect()
    }

    #[test]
    fn headers_and_small_payloads_share_a_slice_and_large_ones_are_referenced() {
        let large = Bytes::from(vec![7; 256]);
        let mut queue = SendQueue::default();
        queue.put_slice(b"head");
        queue.put_bytes(Bytes::from(vec![1; 255]));
        queue.put_bytes(large.clone());
        queue.put_slice(b"tail");

        assert_eq!(queue.len(), 4 + 255 + 256 + 4);
        assert_eq!(
            slices(&queue),
            [
                [&b"head"[..], &[1; 255]].concat(),
                large.to_vec(),
                b"tail".to_vec()
            ]
        );
        queue.advance(4 + 255);
        assert_eq!(
            queue.chunk().as_ptr(),
            large.as_ptr(),
            "the payload itself, not a copy"
        );
    }

    #[test]
    fn a_vectored_read_fills_no_more_slices_than_it_was_given() {
        let mut queue = SendQueue::default();
        for _ in 0..3 {
            queue.put_slice(b"h");
            queue.put_bytes(Bytes::from(vec![0; 300]));
        }
        let mut two = [IoSlice::new(&[]); 2];
        assert_eq!(queue.chunks_vectored(&mut two), 2);
        assert_eq!((two[0].len(), two[1].len()), (1, 300));
    }

    #[test]
    fn an_empty_queue_holds_nearly_no_memory() {
        let mut queue = SendQueue::default();
        for _ in 0..100 {
            queue.put_slice(&[0; 100]);
            queue.put_bytes(Bytes::from(vec![0; 1000]));
        }
        queue.advance(queue.len());
        assert!(queue.is_empty());
        assert!(queue.scratch.capacity() <= KEPT_SCRATCH && queue.parts.capacity() <= KEPT_PARTS);
        assert_eq!(queue.chunk(), b"");
        assert_eq!(slices(&queue), Vec::<Vec<u8>>::new());
    }

    #[test]
    fn a_queue_that_is_never_quite_empty_does_not_grow() {
        let mut queue = SendQueue::default();
        queue.put_slice(&[0; 100]);
        for _ in 0..10_000 {
            queue.put_slice(&[0; 100]);
            queue.advance(100);
        }
        assert!(
            queue.scratch.capacity() < 2000,
            "{}",
            queue.scratch.capacity()
        );
    }

    #[test]
    fn a_cleared_queue_is_empty() {
        let mut queue = SendQueue::default();
        queue.put_slice(b"gone");
        queue.clear();
        queue.put_slice(b"new");
        assert_eq!(queue.copy_to_bytes(queue.remaining()), "new");
    }

    proptest! {
        #[test]
        fn what_goes_in_comes_out_in_order_whatever_is_written_at_a_time(
            steps in prop::collection::vec((0..600_usize, any::<bool>(), 0..700_usize), 1..60),
        ) {
            let mut queue = SendQueue::default();
            let (mut put, mut got) = (Vec::new(), Vec::new());
            for (number, (len, is_shared, read)) in (0_u8..).zip(steps) {
                let bytes = vec![number; len];
                put.extend_from_slice(&bytes);
                if is_shared {
                    queue.put_bytes(Bytes::from(bytes));
                } else {
                    queue.put_slice(&bytes);
                }
                let ahead = slices(&queue).concat();
                prop_assert_eq!(&ahead[..], &put[got.len()..][..ahead.len()]);
                got.extend_from_slice(&queue.copy_to_bytes(read.min(queue.len())));
                prop_assert_eq!(queue.len(), put.len() - got.len());
            }
            got.extend_from_slice(&queue.copy_to_bytes(queue.remaining()));
            prop_assert_eq!(put, got);
        }
    }
}
