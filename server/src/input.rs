//! What comes in: each way turns its peer's media into packets of a stream's log.

pub mod rtmp_publish;
