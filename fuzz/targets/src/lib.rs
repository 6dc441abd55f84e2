//! What the fuzz targets do: one function for each parser of foreign bytes.
//!
//! A target takes any bytes and checks properties of what comes out of them: that it does not depend
//! on where the input was split, keeps to the limits, survives being written and read again. It
//! panics if one does not hold. libFuzzer, in the folder above, calls these functions with bytes
//! that it makes up; the test of this package calls them with every file of `fuzz/corpus`.
#![forbid(unsafe_code)]

mod amf0;
mod chunk_reader;
mod chunk_roundtrip;
mod client_session;
mod flv_reader;
mod handshake;
mod heartbeat;
pub mod input;
mod media;
mod server_session;
mod session;
mod url;

pub use amf0::amf0;
pub use chunk_reader::chunk_reader;
pub use chunk_roundtrip::chunk_roundtrip;
pub use client_session::client_session;
pub use flv_reader::flv_reader;
pub use handshake::handshake;
pub use heartbeat::heartbeat;
pub use media::media;
pub use server_session::server_session;
pub use url::url;

/// A target.
pub type Target = fn(&[u8]);

/// All targets by name: that of their program, and of their folder in `fuzz/corpus`.
pub const TARGETS: &[(&str, Target)] = &[
    ("amf0", amf0),
    ("chunk_reader", chunk_reader),
    ("chunk_roundtrip", chunk_roundtrip),
    ("client_session", client_session),
    ("flv_reader", flv_reader),
    ("handshake", handshake),
    ("heartbeat", heartbeat),
    ("media", media),
    ("server_session", server_session),
    ("url", url),
];
