//! What goes out: each way is a cursor on a stream's log, and a wire format.
//!
//! - [`rtmp_play`]: one player's way, whatever it does; [`player_clock`]: the timestamps it sees;
//! - [`fan_out`]: many players that all want the same.

pub mod fan_out;
pub mod player_clock;
pub mod rtmp_play;
