//! AMF0, the value format of RTMP commands, of metadata and of FLV script tags.
//!
//! [`Decoder`] reads bytes of strangers: every length is checked against what is there, and nesting
//! and number of values have [`Limits`]. [`encode`] writes a [`Value`]. Neither does I/O, and what
//! the values mean (commands, metadata) is the business of the crates above.
//!
//! Follows "Action Message Format -- AMF 0", tolerant where encoders in the field are sloppy: an
//! object may lack its end, array counts are not trusted, and text need not be UTF-8.
//!
//! ```
//! use bytes::BytesMut;
//! use srs_amf0::{Limits, Object, Value, decode_all, encode};
//!
//! // What an encoder sends as the payload of a data message.
//! let mut payload = BytesMut::new();
//! encode(&Value::from("onMetaData"), &mut payload);
//! let metadata = Object::new().with("width", 1280.0).with("stereo", true);
//! encode(&Value::EcmaArray(metadata), &mut payload);
//!
//! let values = decode_all(&payload, Limits::default())?;
//! let [name, metadata] = values.as_slice() else { panic!("two values were written") };
//! assert_eq!(name.as_str(), Some("onMetaData"));
//!
//! let metadata = metadata.as_object().expect("an ECMA array has properties");
//! assert_eq!(metadata.get("width").and_then(Value::as_f64), Some(1280.0));
//! assert_eq!(metadata.get("height"), None);
//! # Ok::<(), srs_amf0::DecodeError>(())
//! ```
#![forbid(unsafe_code)]

mod decode;
mod encode;
mod marker;
mod object;
mod value;

pub use decode::{DecodeError, Decoder, Limits, decode_all};
pub use encode::encode;
pub use object::Object;
pub use value::Value;
