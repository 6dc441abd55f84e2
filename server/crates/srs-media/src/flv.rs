//! FLV files and streams: tags out of bytes, and bytes out of tags.
//!
//! Follows Adobe's "Video File Format Specification" 10.1, Annex E. The tags' bodies are those of
//! RTMP messages: [`crate::packet`] says what they are.
//!
//! ```text
//! header (9 bytes), 0 (4 bytes), then for each tag: header (11), body, size of both (4)
//! ```

mod header;
mod reader;
mod tag;
mod writer;

pub use self::header::Header;
pub use self::reader::{Limits, Reader};
pub use self::tag::{Tag, TagType};
pub use self::writer::{write_header, write_previous_tag_size, write_tag, write_tag_header};

/// Why bytes are not read as FLV, or a tag is not written.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// The first bytes are those of another format.
    #[error("expected the signature FLV, {:?} came", .found.escape_ascii().to_string())]
    NotFlv {
        /// The bytes that came.
        found: [u8; 3],
    },
    /// The file header says that it ends within itself.
    #[error("the file header says a length of {len} bytes, expected at least 9")]
    HeaderTooShort {
        /// The length that came.
        len: u32,
    },
    /// A tag is larger than the reader's limit.
    #[error("a tag at byte {offset} has a body of {len} bytes, the limit is {limit}")]
    TagTooLarge {
        /// Where the tag begins, in bytes from the start of the file.
        offset: u64,
        /// The length of its body.
        len: usize,
        /// The largest body that is allowed.
        limit: usize,
    },
    /// A body is larger than a tag can be.
    #[error("a body of {len} bytes does not fit a tag, the limit is 16777215")]
    PayloadTooLarge {
        /// The length of the body.
        len: usize,
    },
    /// The data ended within something.
    #[error("the data ends at byte {offset}, within {within}")]
    Truncated {
        /// Where it ended, in bytes from the start of the file.
        offset: u64,
        /// What was not complete: `the file header`, `a tag` or `the size after a tag`.
        within: &'static str,
    },
}
