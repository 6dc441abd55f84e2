//! Server-sent events: bytes in, events out.
//!
//! Follows the HTML standard, section 9.2.6, "Interpreting an event stream". What a server sends
//! is bounded: a line or an event that is longer than any of ours ends the stream.

use std::collections::VecDeque;
use std::mem;

/// An event.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Message {
    /// The newest id of the stream, which may be that of an earlier event; empty if there was none.
    pub(crate) id: String,
    /// Its type; empty if it has none.
    pub(crate) event: String,
    /// Its data: the lines, with newlines between them.
    pub(crate) data: String,
}

/// Why a stream cannot be read on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum SseError {
    #[error("an event of more than {MAX_EVENT} bytes")]
    TooLong,
}

/// Takes an event stream apart.
#[derive(Clone, Debug, Default)]
pub(crate) struct Parser {
    /// The line that has not ended yet.
    line: Vec<u8>,
    /// Whether the last byte was a carriage return, so that a line feed belongs to it.
    after_return: bool,
    /// Whether a line has been read: the first may begin with a byte order mark.
    has_begun: bool,
    /// The event that has not ended yet, and whether it has data.
    message: Message,
    has_data: bool,
    ready: VecDeque<Message>,
}

impl Parser {
    /// Takes the next bytes of the stream.
    ///
    /// # Errors
    /// [`SseError::TooLong`]: nothing can be read after that any more.
    pub(crate) fn handle_input(&mut self, bytes: &[u8]) -> Result<(), SseError> {
        for &byte in bytes {
            let was_return = mem::replace(&mut self.after_return, byte == b'\r');
            match byte {
                b'\n' if was_return => {}
                b'\n' | b'\r' => self.end_line(),
                _ if self.line.len() + self.message.data.len() >= MAX_EVENT => {
                    return Err(SseError::TooLong);
                }
                _ => self.line.push(byte),
            }
        }
        Ok(())
    }

    /// The next event that is whole.
    pub(crate) fn poll_message(&mut self) -> Option<Message> {
        self.ready.pop_front()
    }

    fn end_line(&mut self) {
        let line = mem::take(&mut self.line);
        let text = String::from_utf8_lossy(&line);
        let is_first = !mem::replace(&mut self.has_begun, true);
        let text = match text.strip_prefix('\u{feff}') {
            Some(text) if is_first => text,
            _ => &text,
        };
        if text.is_empty() {
            self.end_message();
            return;
        }
        let (field, value) = text.split_once(':').unwrap_or((text, ""));
        let value = value.strip_prefix(' ').unwrap_or(value);
        match field {
            "data" => {
                if mem::replace(&mut self.has_data, true) {
                    self.message.data.push('\n');
                }
                self.message.data.push_str(value);
            }
            "event" => value.clone_into(&mut self.message.event),
            "id" if !value.contains('\0') => value.clone_into(&mut self.message.id),
            // A comment has an empty name. How long to wait before the next try is ours to say.
            _ => {}
        }
    }

    fn end_message(&mut self) {
        let next = Message {
            id: self.message.id.clone(),
            ..Message::default()
        };
        let message = mem::replace(&mut self.message, next);
        if mem::take(&mut self.has_data) {
            self.ready.push_back(message);
        }
    }
}

/// Our events have some hundred bytes.
const MAX_EVENT: usize = 64 * 1024;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn messages(pieces: &[&[u8]]) -> Result<Vec<Message>, SseError> {
        let mut parser = Parser::default();
        let mut messages = Vec::new();
        for piece in pieces {
            parser.handle_input(piece)?;
            messages.extend(std::iter::from_fn(|| parser.poll_message()));
        }
        Ok(messages)
    }

    fn message(id: &str, event: &str, data: &str) -> Message {
        Message {
            id: id.to_owned(),
            event: event.to_owned(),
            data: data.to_owned(),
        }
    }

    #[test]
    fn events_are_blocks_of_fields() {
        let cases: [(&str, &str, &[Message]); 11] = [
            (
                "one of ours",
                "id: 7\nevent: publish\ndata: {\"id\":7}\n\n",
                &[message("7", "publish", "{\"id\":7}")],
            ),
            (
                "all kinds of line ends",
                "data: a\r\n\r\ndata: b\r\rdata: c\n\n",
                &[
                    message("", "", "a"),
                    message("", "", "b"),
                    message("", "", "c"),
                ],
            ),
            (
                "data of several lines",
                "data: a\ndata\ndata:  b\n\n",
                &[message("", "", "a\n\n b")],
            ),
            (
                "no space after the colon",
                "data:a\n\n",
                &[message("", "", "a")],
            ),
            (
                "comments",
                ": alive\n\ndata: a\n:\n\n",
                &[message("", "", "a")],
            ),
            (
                "an id goes on",
                "id: 7\ndata: a\n\ndata: b\n\nid\ndata: c\n\n",
                &[
                    message("7", "", "a"),
                    message("7", "", "b"),
                    message("", "", "c"),
                ],
            ),
            (
                "an id with a NUL",
                "id: 7\0\ndata: a\n\n",
                &[message("", "", "a")],
            ),
            (
                "a type without data",
                "event: publish\n\ndata: a\n\n",
                &[message("", "", "a")],
            ),
            (
                "fields of other kinds",
                "retry: 10\nwhat: x\ndata: a\n\n",
                &[message("", "", "a")],
            ),
            (
                "a byte order mark",
                "\u{feff}data: a\n\n",
                &[message("", "", "a")],
            ),
            ("an event that is not whole", "data: a\n", &[]),
        ];
        for (name, stream, expected) in cases {
            assert_eq!(messages(&[stream.as_bytes()]).unwrap(), expected, "{name}");
        }
    }

    #[test]
    fn an_event_has_a_bound_and_a_stream_has_none() {
        let endless = [b'x'; MAX_EVENT + 1];
        assert_eq!(messages(&[&endless]), Err(SseError::TooLong));
        let line = [b"data: ".as_slice(), &[b'x'; 1_000], b"\n"].concat();
        assert_eq!(messages(&[line.as_slice(); 100]), Err(SseError::TooLong));
        let whole = [line.as_slice(), b"\n"].concat();
        assert_eq!(messages(&[whole.as_slice(); 100]).unwrap().len(), 100);
    }

    proptest! {
        #[test]
        fn any_split_gives_the_same_events(
            lines in prop::collection::vec(
                prop::sample::select(vec![
                    "data: a", "data: \u{20ac}", "data", "id: 7", "id:", "event: play", ": alive",
                    "x: y", "", "", "",
                ]),
                0..20,
            ),
            ends in prop::collection::vec(prop::sample::select(vec!["\n", "\r", "\r\n"]), 20),
            cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..8),
        ) {
            let stream: String = lines.iter().zip(&ends).flat_map(|(line, end)| [*line, *end]).collect();
            let stream = stream.as_bytes();
            let mut cuts: Vec<usize> = cuts.iter().map(|cut| cut.index(stream.len() + 1)).collect();
            cuts.extend([0, stream.len()]);
            cuts.sort_unstable();
            let pieces: Vec<&[u8]> = cuts.windows(2).map(|cut| &stream[cut[0]..cut[1]]).collect();
            prop_assert_eq!(messages(&pieces), messages(&[stream]));
        }

        #[test]
        fn any_bytes_are_borne(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            prop_assert!(messages(&[&bytes]).is_ok());
        }
    }
}
