//! The exchange before the first chunk: the client's C0, C1 and C2, the server's S0, S1 and S2.
//!
//! The simple form is that of RTMP 1.0, section 5.2. The complex form, which the specification does
//! not have, carries HMAC digests in C1, S1 and the last packets; Flash players demand it before
//! they play H.264. The server finds out which form a client speaks from C1 alone.
//!
//! ```
//! use bytes::BytesMut;
//! use srs_rtmp::entropy::Entropy;
//! use srs_rtmp::handshake::{ClientForm, ClientHandshake, ServerHandshake};
//!
//! let mut client = ClientHandshake::new(0, Entropy::new([1; 32]), ClientForm::Complex);
//! let mut server = ServerHandshake::new(0, Entropy::new([2; 32]));
//! let (mut to_server, mut to_client) = (BytesMut::new(), BytesMut::new());
//!
//! client.start(&mut to_server);
//! assert!(!server.handle_input(&mut to_server, &mut to_client)?); // C2 is still to come
//! assert!(client.handle_input(&mut to_client, &mut to_server)?);
//! assert!(server.handle_input(&mut to_server, &mut to_client)?);
//! assert!(to_server.is_empty());
//! # Ok::<(), srs_rtmp::handshake::HandshakeError>(())
//! ```

mod complex;
mod simple;

use bytes::{Buf, BufMut, BytesMut};
use thiserror::Error;

use crate::entropy::Entropy;

/// How both sides shake hands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// Random bytes and their echo.
    Simple,
    /// Packets with digests.
    Complex(Schema),
}

/// Where C1 and S1 of the complex form hold their two blocks of 764 bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Schema {
    /// The key block stands first, the digest block second.
    KeyFirst = 0,
    /// The digest block stands first, the key block second.
    DigestFirst = 1,
}

/// The form in which a client begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClientForm {
    /// Understood by every server.
    Simple,
    /// What Flash players and ffmpeg send. A server that does not know it answers in simple form,
    /// and the client goes on in that.
    Complex,
}

/// Why the peer's first bytes are no RTMP handshake.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[non_exhaustive]
pub enum HandshakeError {
    /// C0 or S0 is not 3.
    #[error("expected RTMP version 3, found {found} ({})", protocol_of(*.found))]
    Version {
        /// The first byte of the peer.
        found: u8,
    },
}

/// The server's side.
///
/// It keeps no packet: C1 stays in the caller's input until it is whole, C2 is dropped as it comes.
#[derive(Clone, Debug)]
pub struct ServerHandshake {
    time: u32,
    entropy: Entropy,
    /// Known once C1 was answered.
    form: Option<Form>,
    c2_left: usize,
}

impl ServerHandshake {
    /// A handshake that waits for C0 and C1. `time` goes into S1 and means nothing to anybody;
    /// customary are the seconds since 1970.
    pub fn new(time: u32, entropy: Entropy) -> Self {
        Self {
            time,
            entropy,
            form: None,
            c2_left: PACKET_LEN,
        }
    }

    /// Takes from `input` what belongs to the handshake, and appends S0, S1 and S2 to `out` in one
    /// piece once C0 and C1 are there. Returns whether the handshake is done; what is left in
    /// `input` then are chunks.
    ///
    /// C2 is not checked: ffmpeg, for one, answers the complex form with an echo.
    ///
    /// # Errors
    /// [`HandshakeError::Version`] as soon as C0 is there, and again with every further call.
    pub fn handle_input(
        &mut self,
        input: &mut BytesMut,
        out: &mut BytesMut,
    ) -> Result<bool, HandshakeError> {
        if self.form.is_none() {
            let Some(c1) = version_and_packet(input)? else {
                return Ok(false);
            };
            self.form = Some(self.answer(c1, out));
            input.advance(1 + PACKET_LEN);
        }
        skip(input, &mut self.c2_left);
        Ok(self.c2_left == 0)
    }

    /// The form that the client speaks; `None` until C1 is there.
    pub fn form(&self) -> Option<Form> {
        self.form
    }

    fn answer(&mut self, c1: &Packet, out: &mut BytesMut) -> Form {
        out.reserve(1 + 2 * PACKET_LEN);
        out.put_u8(VERSION);
        match complex::find_digest(c1, complex::Signer::Client) {
            Some((schema, digest)) => {
                let signer = complex::Signer::Server;
                out.put_slice(&complex::hello(
                    signer,
                    schema,
                    self.time,
                    &mut self.entropy,
                ));
                out.put_slice(&complex::reply(signer, &digest, &mut self.entropy));
                Form::Complex(schema)
            }
            None => {
                out.put_slice(&simple::server_hello(c1, self.time, &mut self.entropy));
                out.put_slice(&simple::reply(c1));
                Form::Simple
            }
        }
    }
}

/// The client's side.
#[derive(Clone, Debug)]
pub struct ClientHandshake {
    time: u32,
    entropy: Entropy,
    first: ClientForm,
    started: bool,
    /// Known once S1 was answered.
    form: Option<Form>,
    s2_left: usize,
}

impl ClientHandshake {
    /// A handshake that begins in `form`. `time` goes into C1, with as little meaning as in S1.
    pub fn new(time: u32, entropy: Entropy, form: ClientForm) -> Self {
        Self {
            time,
            entropy,
            first: form,
            started: false,
            form: None,
            s2_left: PACKET_LEN,
        }
    }

    /// Appends C0 and C1 to `out`; a second call appends nothing.
    pub fn start(&mut self, out: &mut BytesMut) {
        if self.started {
            return;
        }
        self.started = true;
        let c1 = match self.first {
            ClientForm::Simple => simple::client_hello(self.time, &mut self.entropy),
            // The schema of ffmpeg and of the later Flash players.
            ClientForm::Complex => complex::hello(
                complex::Signer::Client,
                Schema::DigestFirst,
                self.time,
                &mut self.entropy,
            ),
        };
        out.reserve(1 + PACKET_LEN);
        out.put_u8(VERSION);
        out.put_slice(&c1);
    }

    /// Takes from `input` what belongs to the handshake, and appends C2 to `out` once S0 and S1 are
    /// there. Returns whether the handshake is done, that is, S2 has come as well; what is left in
    /// `input` then are chunks. [Starts](Self::start) first if that was not done.
    ///
    /// Begun in complex form, it goes on in simple form if S1 holds no valid digest. S2 is not
    /// checked, since servers differ in what they put there.
    ///
    /// # Errors
    /// [`HandshakeError::Version`] as soon as S0 is there, and again with every further call.
    pub fn handle_input(
        &mut self,
        input: &mut BytesMut,
        out: &mut BytesMut,
    ) -> Result<bool, HandshakeError> {
        self.start(out);
        if self.form.is_none() {
            let Some(s1) = version_and_packet(input)? else {
                return Ok(false);
            };
            self.form = Some(self.answer(s1, out));
            input.advance(1 + PACKET_LEN);
        }
        skip(input, &mut self.s2_left);
        Ok(self.s2_left == 0)
    }

    /// The form in which the handshake goes on; `None` until S1 is there.
    pub fn form(&self) -> Option<Form> {
        self.form
    }

    fn answer(&mut self, s1: &Packet, out: &mut BytesMut) -> Form {
        let signed = match self.first {
            ClientForm::Simple => None,
            ClientForm::Complex => complex::find_digest(s1, complex::Signer::Server),
        };
        match signed {
            Some((schema, digest)) => {
                let signer = complex::Signer::Client;
                out.put_slice(&complex::reply(signer, &digest, &mut self.entropy));
                Form::Complex(schema)
            }
            None => {
                out.put_slice(&simple::reply(s1));
                Form::Simple
            }
        }
    }
}

/// C1, C2, S1 or S2.
type Packet = [u8; PACKET_LEN];

/// The version and the packet behind it, without taking them; `None` while they are not whole.
fn version_and_packet(input: &[u8]) -> Result<Option<&Packet>, HandshakeError> {
    // The version is judged before the packet is waited for: a peer that speaks something else may
    // never send as much.
    if let Some(&found) = input.first()
        && found != VERSION
    {
        return Err(HandshakeError::Version { found });
    }
    Ok(input
        .first_chunk::<{ 1 + PACKET_LEN }>()
        .map(|[_version, packet @ ..]| packet))
}

/// Drops the bytes of a packet that nobody looks at, as far as they have come.
fn skip(input: &mut BytesMut, left: &mut usize) {
    let len = input.len().min(*left);
    input.advance(len);
    *left -= len;
}

/// What a peer probably speaks that begins with `version`, for the one who reads the error.
fn protocol_of(version: u8) -> &'static str {
    match version {
        0..=2 => "an obsolete version of RTMP",
        6 => "RTMPE, encrypted RTMP, is not supported",
        8 => "RTMPE with XTEA is not supported",
        9 => "RTMPE with Blowfish is not supported",
        0x16 => "TLS, as RTMPS begins",
        b'A'..=b'Z' => "text, such as an HTTP request",
        _ => "not RTMP",
    }
}

const VERSION: u8 = 3;
const PACKET_LEN: usize = 1536;

#[cfg(test)]
mod tests;
