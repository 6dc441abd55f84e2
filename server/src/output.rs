//! What goes out: each way is a cursor on a stream's log, and a wire format.

pub mod rtmp_play;
