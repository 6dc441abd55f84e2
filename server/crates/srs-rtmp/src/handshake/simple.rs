//! The simple form: C1 and S1 are a time and random bytes, C2 and S2 their echo (RTMP 1.0, 5.2).

use super::Packet;
use crate::entropy::Entropy;

/// C1: the time, four zeros, random bytes. The zeros tell servers that there is no digest.
pub(super) fn client_hello(time: u32, entropy: &mut Entropy) -> Packet {
    hello(time, [0; 4], entropy)
}

/// S1: the time, the client's time, random bytes. The specification has zeros for the second;
/// servers in the field echo the client's.
pub(super) fn server_hello(c1: &Packet, time: u32, entropy: &mut Entropy) -> Packet {
    let [a, b, c, d, ..] = *c1;
    hello(time, [a, b, c, d], entropy)
}

/// C2 or S2: the peer's packet as it came. The specification has the time of its arrival in bytes 4
/// to 7, but peers that compare do so with the whole packet.
pub(super) fn reply(packet: &Packet) -> Packet {
    *packet
}

fn hello(time: u32, second: [u8; 4], entropy: &mut Entropy) -> Packet {
    let mut packet = [0; super::PACKET_LEN];
    entropy.fill(&mut packet[8..]);
    packet[..4].copy_from_slice(&time.to_be_bytes());
    packet[4..8].copy_from_slice(&second);
    packet
}
