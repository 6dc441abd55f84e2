//! Codecs and containers of live streams: what a server must understand of the media it passes on.
//!
//! Everything here is pure: bytes in, values out, no I/O, no clock. Frames are not decoded and
//! payloads not copied.
//!
//! - [`Packet`]: an audio, video or data message of RTMP or FLV, with its role: sequence header,
//!   key frame, metadata
//! - [`Timestamp`]: media time, with the wraps of the wire undone
//! - [`video`], [`audio`]: the tag headers that such messages begin with, of Adobe's and of the
//!   enhanced kind
//! - [`codec`]: sequence headers, and what they say of size, rate and channels
//! - [`mod@metadata`], the properties that a publisher gives with `onMetaData`
//! - [`flv`]: reading and writing the container
//!
//! ```
//! use bytes::BytesMut;
//! use srs_media::codec::AudioConfig;
//! use srs_media::{PacketKind, Timestamp, flv};
//!
//! // An FLV file with one tag: the sequence header of AAC.
//! let mut file = BytesMut::new();
//! flv::write_header(true, false, &mut file);
//! flv::write_tag(
//!     &flv::Tag {
//!         tag_type: flv::TagType::Audio,
//!         timestamp: 40,
//!         payload: [0xAF, 0x00, 0x12, 0x10].as_slice().into(),
//!     },
//!     &mut file,
//! )?;
//!
//! let mut reader = flv::Reader::new(flv::Limits::default());
//! let mut time = Timestamp::ZERO;
//! while let Some(tag) = reader.read(&mut file)? {
//!     let packet = tag.into_packet(time);
//!     time = packet.timestamp;
//!     assert_eq!(packet.kind, PacketKind::SequenceHeader);
//!     let config = AudioConfig::parse(&packet.payload)?;
//!     assert_eq!(config.to_string(), "AAC LC 44100 Hz stereo");
//! }
//! reader.finish(&file)?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
#![forbid(unsafe_code)]

pub mod audio;
pub mod bits;
pub mod codec;
mod enhanced;
pub mod flv;
pub mod metadata;
pub mod packet;
pub mod time;
pub mod video;

pub use self::bits::FieldError;
pub use self::metadata::Metadata;
pub use self::packet::{Packet, PacketKind, Track};
pub use self::time::Timestamp;
