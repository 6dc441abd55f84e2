//! The bytes before the first chunk, to both sides.

use bytes::BytesMut;
use srs_rtmp::entropy::Entropy;
use srs_rtmp::handshake::{ClientForm, ClientHandshake, Form, HandshakeError, ServerHandshake};

use crate::input::{Input, Pieces};

/// Gives the bytes to a server and to a client. What they answer does not depend on the split,
/// has the length that it must have, and suits the other side.
pub fn handshake(data: &[u8]) {
    let Some(mut input) = Input::new(data) else {
        return;
    };
    let time = input.answers.number();
    let first = if input.answers.yes() {
        ClientForm::Complex
    } else {
        ClientForm::Simple
    };
    for side in [Side::Server, Side::Client(first)] {
        let whole = shake_hands(side, time, input.bytes, Pieces::Whole);
        let split = shake_hands(side, time, input.bytes, input.pieces);
        assert_eq!(whole, split, "{side:?}");
        check(side, &whole, input.bytes);
    }
}

#[derive(Clone, Copy, Debug)]
enum Side {
    Server,
    Client(ClientForm),
}

#[derive(Debug, PartialEq)]
struct Outcome {
    done: Result<bool, HandshakeError>,
    form: Option<Form>,
    sent: BytesMut,
    /// How many bytes of the input were not for the handshake.
    left: usize,
}

fn shake_hands(side: Side, time: u32, mut rest: &[u8], mut pieces: Pieces) -> Outcome {
    let mut server = ServerHandshake::new(time, entropy());
    let mut client = match side {
        Side::Server => None,
        Side::Client(form) => Some(ClientHandshake::new(time, entropy(), form)),
    };
    let (mut inbox, mut sent) = (BytesMut::new(), BytesMut::new());
    let mut done = Ok(false);
    loop {
        let before = (sent.len(), inbox.len());
        let result = match &mut client {
            None => server.handle_input(&mut inbox, &mut sent),
            Some(client) => client.handle_input(&mut inbox, &mut sent),
        };
        if done != Ok(false) {
            assert_eq!((&result, before), (&done, (sent.len(), inbox.len())));
        }
        done = result;
        if !pieces.feed(&mut rest, &mut inbox) {
            break;
        }
    }
    Outcome {
        done,
        form: match client {
            None => server.form(),
            Some(client) => client.form(),
        },
        sent,
        left: inbox.len(),
    }
}

fn check(side: Side, outcome: &Outcome, bytes: &[u8]) {
    let is_wrong_version = bytes.first().is_some_and(|version| *version != 3);
    let has_first = !is_wrong_version && bytes.len() > PACKET;
    match outcome.done {
        Err(HandshakeError::Version { found }) => assert!(is_wrong_version && found == bytes[0]),
        Err(_) => panic!("no other error is known: {outcome:?}"),
        Ok(done) => {
            assert!(!is_wrong_version);
            assert_eq!(done, bytes.len() > 2 * PACKET);
            if done {
                assert_eq!(outcome.left, bytes.len() - 1 - 2 * PACKET);
            }
        }
    }
    assert_eq!(outcome.form.is_some(), has_first);
    let sent = match (side, has_first) {
        (Side::Server, false) => 0,
        (Side::Client(_), false) => 1 + PACKET,
        (_, true) => 1 + 2 * PACKET,
    };
    assert_eq!(outcome.sent.len(), sent);
    if let (Side::Client(ClientForm::Simple), Some(form)) = (side, outcome.form) {
        assert_eq!(form, Form::Simple);
    }
    if let (Side::Server, Some(form)) = (side, outcome.form) {
        // A client of the same form is content with the answer.
        let mut client = ClientHandshake::new(0, entropy(), ClientForm::Complex);
        let mut answer = outcome.sent.clone();
        let done = client.handle_input(&mut answer, &mut BytesMut::new());
        assert_eq!((done, client.form()), (Ok(true), Some(form)));
    }
}

fn entropy() -> Entropy {
    Entropy::new([7; 32])
}

/// C1, C2, S1 and S2.
const PACKET: usize = 1536;
