//! Client against server, and both against bytes that other programs computed.

use std::fmt::Write;

use proptest::prelude::*;
use sha2::{Digest, Sha256};

use super::*;

/// C0 and C1 of `ffmpeg -f lavfi -i testsrc -f flv rtmp://127.0.0.1:19399/live/livestream`, ffmpeg
/// 5.1: the first 1537 bytes that a listening socket read.
const FFMPEG_C0C1: &[u8] = include_bytes!("fixtures/ffmpeg-c0c1.bin");

const SIMPLE: Form = Form::Simple;
const KEY_FIRST: Form = Form::Complex(Schema::KeyFirst);
const DIGEST_FIRST: Form = Form::Complex(Schema::DigestFirst);

fn client(form: ClientForm) -> ClientHandshake {
    ClientHandshake::new(0x0102_0304, Entropy::new([1; 32]), form)
}

fn server() -> ServerHandshake {
    ServerHandshake::new(0x0a0b_0c0d, Entropy::new([2; 32]))
}

fn c0c1(form: ClientForm) -> BytesMut {
    let mut out = BytesMut::new();
    client(form).start(&mut out);
    out
}

/// C0 and C1 of an old Flash player: no client of ours puts the key first.
fn key_first_c0c1() -> BytesMut {
    let (signer, mut entropy) = (complex::Signer::Client, Entropy::new([3; 32]));
    let mut bytes = BytesMut::from(&[VERSION][..]);
    bytes.put_slice(&complex::hello(
        signer,
        Schema::KeyFirst,
        0x0102_0304,
        &mut entropy,
    ));
    bytes
}

fn sha256(bytes: &[u8]) -> String {
    Sha256::digest(bytes)
        .iter()
        .fold(String::new(), |mut hex, byte| {
            write!(hex, "{byte:02x}").unwrap();
            hex
        })
}

/// What the server answers to C0 and C1, and the form it finds.
fn answer(c0c1: &[u8]) -> (BytesMut, Option<Form>) {
    let (mut server, mut out) = (server(), BytesMut::new());
    assert_eq!(
        server.handle_input(&mut BytesMut::from(c0c1), &mut out),
        Ok(false)
    );
    (out, server.form())
}

/// SHA-256 of whole packets, which a python3 script made from hmac and hashlib alone: the random
/// bytes are `sha256(seed + counter.to_bytes(8, "big"))`, the rest as in the table of `complex`.
#[test]
fn packets_are_those_that_an_independent_program_computes() {
    let complex = c0c1(ClientForm::Complex);
    let simple = c0c1(ClientForm::Simple);
    let cases = [
        (
            "C0C1 complex",
            complex.clone(),
            "2de85531455812f498a3fa05b386b9252603481cfde78cb0c125d12f5f6df138",
        ),
        (
            "C0C1 simple",
            simple.clone(),
            "99ceb070a5b972425f34fdff60111ac80baaa5df645992bb1f6b8d526eb414b9",
        ),
        (
            "S0S1S2 to ffmpeg",
            answer(FFMPEG_C0C1).0,
            "a033dcbd9ddc9fdaf68bcea202ef23320cced8d60d629d88083320673d68a57f",
        ),
        (
            "S0S1S2, digest first",
            answer(&complex).0,
            "7ebfc9201b80507933d3b7bfc2e5257905f7e5603a35088b51ca556ec0242428",
        ),
        (
            "S0S1S2, key first",
            answer(&key_first_c0c1()).0,
            "88555006e093c27413fca2ff6b4a25c6a2cce0394298a1487b06ff173a3e83b8",
        ),
        (
            "S0S1S2, simple",
            answer(&simple).0,
            "642718d44e8f6bb6b6ead7de2e64de0423701dbaf7c4f998b8c851b5ace5cad1",
        ),
        (
            "C2, digest first",
            {
                let (mut client, mut out) = (client(ClientForm::Complex), BytesMut::new());
                client.start(&mut BytesMut::new());
                client
                    .handle_input(&mut answer(&complex).0, &mut out)
                    .unwrap();
                out
            },
            "bcdd2ff35791e0656b2aacd524c4284bef32e6ce9235f61056ffb9fae83c51fb",
        ),
    ];
    for (name, bytes, expected) in cases {
        assert_eq!(sha256(&bytes), expected, "{name}");
    }
}

#[test]
fn the_server_finds_the_form_in_c1() {
    let mut broken = c0c1(ClientForm::Complex);
    broken[1000] ^= 1;
    let cases: &[(&str, &[u8], Form)] = &[
        ("ffmpeg", FFMPEG_C0C1, DIGEST_FIRST),
        (
            "our complex client",
            &c0c1(ClientForm::Complex),
            DIGEST_FIRST,
        ),
        ("an old player", &key_first_c0c1(), KEY_FIRST),
        ("our simple client", &c0c1(ClientForm::Simple), SIMPLE),
        ("a digest that is wrong", &broken, SIMPLE),
        (
            "nothing but zeros",
            &[&[VERSION][..], &[0; PACKET_LEN]].concat(),
            SIMPLE,
        ),
    ];
    for (name, bytes, form) in cases {
        let (out, found) = answer(bytes);
        assert_eq!(found, Some(*form), "{name}");
        assert_eq!(out.len(), 1 + 2 * PACKET_LEN, "{name}");
    }
}

#[test]
fn the_simple_form_echoes() {
    let hello = c0c1(ClientForm::Simple);
    assert_eq!(hello[..9], [3, 1, 2, 3, 4, 0, 0, 0, 0]);

    let mut reply = answer(&hello).0;
    assert_eq!(reply[..9], [3, 0x0a, 0x0b, 0x0c, 0x0d, 1, 2, 3, 4]);
    assert_eq!(reply[1 + PACKET_LEN..], hello[1..]);

    let s1 = reply[1..=PACKET_LEN].to_vec();
    let (mut client, mut out) = (client(ClientForm::Simple), BytesMut::new());
    client.start(&mut BytesMut::new());
    assert_eq!(client.handle_input(&mut reply, &mut out), Ok(true));
    assert_eq!(out, s1);
}

#[test]
fn a_simple_client_stays_simple_even_if_s1_has_a_digest() {
    let mut signed = answer(&c0c1(ClientForm::Complex)).0;
    let s1 = signed[1..=PACKET_LEN].to_vec();
    let (mut client, mut out) = (client(ClientForm::Simple), BytesMut::new());
    client.start(&mut BytesMut::new());
    assert_eq!(client.handle_input(&mut signed, &mut out), Ok(true));
    assert_eq!(client.form(), Some(SIMPLE));
    assert_eq!(out, s1);
}

#[test]
fn a_complex_client_goes_on_as_simple_with_a_server_that_answers_so() {
    let hello = c0c1(ClientForm::Complex);
    let s1 = simple::server_hello(
        hello[1..].first_chunk().unwrap(),
        7,
        &mut Entropy::new([9; 32]),
    );
    let mut reply = BytesMut::from(&[&[VERSION][..], &s1, &hello[1..], b"chunks"].concat()[..]);

    let (mut client, mut out) = (client(ClientForm::Complex), BytesMut::new());
    client.start(&mut BytesMut::new());
    assert_eq!(client.form(), None);
    assert_eq!(client.handle_input(&mut reply, &mut out), Ok(true));
    assert_eq!(client.form(), Some(SIMPLE));
    assert_eq!(out, &s1[..]);
    assert_eq!(reply, &b"chunks"[..]);
}

#[test]
fn c2_goes_out_before_s2_has_come() {
    let mut reply = answer(&c0c1(ClientForm::Complex)).0;
    let mut s2 = reply.split_off(1 + PACKET_LEN);
    let (mut client, mut out) = (client(ClientForm::Complex), BytesMut::new());
    client.start(&mut BytesMut::new());

    assert_eq!(client.handle_input(&mut reply, &mut out), Ok(false));
    assert_eq!(out.len(), PACKET_LEN);
    assert_eq!(client.handle_input(&mut s2, &mut out), Ok(true));
    assert_eq!(out.len(), PACKET_LEN);
    assert!(s2.is_empty());
}

#[test]
fn input_without_a_start_starts() {
    let (mut client, mut out) = (client(ClientForm::Complex), BytesMut::new());
    assert_eq!(
        client.handle_input(&mut BytesMut::new(), &mut out),
        Ok(false)
    );
    client.start(&mut out);
    assert_eq!(out, c0c1(ClientForm::Complex));
}

#[test]
fn chunks_behind_c2_are_left_in_the_input() {
    let (mut server, mut out) = (server(), BytesMut::new());
    let mut input = BytesMut::from(FFMPEG_C0C1);
    input.put_bytes(0xAA, PACKET_LEN);
    input.put_slice(b"chunks");

    assert_eq!(server.handle_input(&mut input, &mut out), Ok(true));
    assert_eq!(input, &b"chunks"[..]);
    assert_eq!(out.len(), 1 + 2 * PACKET_LEN);
    assert_eq!(server.handle_input(&mut input, &mut out), Ok(true));
    assert_eq!(input, &b"chunks"[..]);
}

#[test]
fn another_version_is_refused_at_its_first_byte_and_named() {
    let cases = [
        (
            6,
            "expected RTMP version 3, found 6 (RTMPE, encrypted RTMP, is not supported)",
        ),
        (
            8,
            "expected RTMP version 3, found 8 (RTMPE with XTEA is not supported)",
        ),
        (
            9,
            "expected RTMP version 3, found 9 (RTMPE with Blowfish is not supported)",
        ),
        (
            22,
            "expected RTMP version 3, found 22 (TLS, as RTMPS begins)",
        ),
        (
            b'G',
            "expected RTMP version 3, found 71 (text, such as an HTTP request)",
        ),
        (
            0,
            "expected RTMP version 3, found 0 (an obsolete version of RTMP)",
        ),
        (200, "expected RTMP version 3, found 200 (not RTMP)"),
    ];
    for (found, message) in cases {
        let error = HandshakeError::Version { found };
        assert_eq!(error.to_string(), message);

        let (mut input, mut out) = (BytesMut::from(&[found][..]), BytesMut::new());
        let mut server = server();
        assert_eq!(
            server.handle_input(&mut input, &mut out),
            Err(error.clone())
        );
        assert_eq!(
            server.handle_input(&mut input, &mut out),
            Err(error.clone())
        );
        assert!(out.is_empty());

        let mut client = client(ClientForm::Complex);
        assert_eq!(client.handle_input(&mut input, &mut out), Err(error));
    }
    // A valid digest does not help.
    let mut encrypted = BytesMut::from(FFMPEG_C0C1);
    encrypted[0] = 6;
    let result = server().handle_input(&mut encrypted, &mut BytesMut::new());
    assert_eq!(result, Err(HandshakeError::Version { found: 6 }));
}

#[test]
fn state_is_small_and_so_is_its_debug_text() {
    assert!(
        size_of::<ServerHandshake>() <= 80,
        "{}",
        size_of::<ServerHandshake>()
    );
    assert!(
        size_of::<ClientHandshake>() <= 80,
        "{}",
        size_of::<ClientHandshake>()
    );
    assert!(format!("{:?}", server()).len() < 200);
    assert!(format!("{:?}", client(ClientForm::Complex)).len() < 200);
}

/// Moves up to `len` bytes, as a socket would.
fn carry(from: &mut BytesMut, to: &mut BytesMut, len: usize) {
    let len = len.min(from.len());
    to.extend_from_slice(&from.split_to(len));
}

proptest! {
    #[test]
    fn both_sides_finish_however_the_bytes_are_split(
        form in prop_oneof![Just(ClientForm::Simple), Just(ClientForm::Complex)],
        sizes in prop::collection::vec(prop_oneof![1_usize..40, 1_usize..4000], 1..20),
        behind in prop::collection::vec(any::<u8>(), 0..50),
    ) {
        let (mut client, mut server) = (client(form), server());
        let (mut client_in, mut client_out) = (BytesMut::new(), BytesMut::new());
        let (mut server_in, mut server_out) = (BytesMut::new(), BytesMut::new());
        let (mut client_done, mut server_done) = (false, false);

        client.start(&mut client_out);
        for &size in sizes.iter().cycle() {
            carry(&mut client_out, &mut server_in, size);
            server_done = server_done || server.handle_input(&mut server_in, &mut server_out)?;
            carry(&mut server_out, &mut client_in, size);
            if !client_done && client.handle_input(&mut client_in, &mut client_out)? {
                client_done = true;
                client_out.extend_from_slice(&behind);
            }
            if client_done && server_done && client_out.is_empty() {
                break;
            }
        }
        let expected = match form {
            ClientForm::Simple => SIMPLE,
            ClientForm::Complex => DIGEST_FIRST,
        };
        prop_assert_eq!(client.form(), Some(expected));
        prop_assert_eq!(server.form(), Some(expected));
        prop_assert!(client_in.is_empty());
        prop_assert_eq!(server_in, behind);
    }

    #[test]
    fn random_bytes_never_panic(
        bytes in prop::collection::vec(any::<u8>(), 0..4000),
        first in prop_oneof![3 => Just(VERSION), 1 => any::<u8>()],
    ) {
        let bytes = [&[first][..], &bytes].concat();
        let mut out = BytesMut::new();
        let _ = server().handle_input(&mut BytesMut::from(&bytes[..]), &mut out);
        let _ = client(ClientForm::Complex).handle_input(&mut BytesMut::from(&bytes[..]), &mut out);
    }
}
