//! A fuzz input: the bytes of a peer, and before them what decides about everything else.
//!
//! ```text
//! pieces (4 bytes), answers (4), the bytes of the peer
//! ```

use bytes::BytesMut;

/// A fuzz input, taken apart.
#[derive(Clone, Copy, Debug)]
pub struct Input<'a> {
    /// How the bytes are cut into pieces.
    pub pieces: Pieces,
    /// What is answered where the peer leaves a choice.
    pub answers: Answers,
    /// What the peer sends.
    pub bytes: &'a [u8],
}

impl<'a> Input<'a> {
    /// Takes `data` apart; `None` if it is too short.
    pub fn new(data: &'a [u8]) -> Option<Self> {
        let (pieces, rest) = data.split_first_chunk()?;
        let (answers, bytes) = rest.split_first_chunk()?;
        Some(Self {
            pieces: Pieces::Random(u32::from_le_bytes(*pieces)),
            answers: Answers(u32::from_le_bytes(*answers)),
            bytes,
        })
    }

    /// The input that has all answers "yes": for real sessions.
    pub fn compose(bytes: &[u8]) -> Vec<u8> {
        [&[1, 0, 0, 0], &[0xFF; 4], bytes].concat()
    }
}

/// Lengths of pieces, without end.
#[derive(Clone, Copy, Debug)]
pub enum Pieces {
    /// Everything at once.
    Whole,
    /// So many bytes at a time as the state of a random generator says.
    Random(u32),
}

impl Pieces {
    /// Moves the next piece of `rest` to the end of `inbox`; `false` if nothing is left.
    pub fn feed(&mut self, rest: &mut &[u8], inbox: &mut BytesMut) -> bool {
        if rest.is_empty() {
            return false;
        }
        let (piece, behind) = rest
            .split_at_checked(self.next_len())
            .unwrap_or((rest, &[]));
        inbox.extend_from_slice(piece);
        *rest = behind;
        true
    }

    fn next_len(&mut self) -> usize {
        let Self::Random(state) = self else {
            return usize::MAX;
        };
        // Xorshift: short, and as random as this needs. Zero would stay zero.
        *state = (*state).max(1);
        *state ^= *state << 13;
        *state ^= *state >> 17;
        *state ^= *state << 5;
        // Single bytes, parts of headers, parts of chunks, and what a socket gives.
        let longest = match *state >> 28 {
            0..4 => 1,
            4..8 => 12,
            8..12 => 200,
            _ => 4000,
        };
        1 + (*state as usize) % longest
    }
}

/// Yes or no, without end: 32 answers, over and over.
#[derive(Clone, Copy, Debug)]
pub struct Answers(u32);

impl Answers {
    /// The next answer.
    pub fn yes(&mut self) -> bool {
        self.0 = self.0.rotate_right(1);
        self.0 >> 31 == 1
    }

    /// All answers as a number, for a choice of more than two.
    pub fn number(self) -> u32 {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_input_is_choices_and_bytes() {
        assert!(Input::new(&[0; 7]).is_none());
        let composed = Input::compose(b"abc");
        let input = Input::new(&composed).unwrap();
        assert_eq!(input.bytes, b"abc");
        let mut answers = input.answers;
        assert!((0..40).all(|_| answers.yes()));
    }

    #[test]
    fn answers_are_the_bits_from_the_lowest_on() {
        let mut answers = Answers(0b101);
        let first: Vec<_> = (0..4).map(|_| answers.yes()).collect();
        assert_eq!(first, [true, false, true, false]);
    }

    #[test]
    fn pieces_are_the_whole_in_the_end() {
        let bytes = [7; 30_000];
        for mut pieces in [Pieces::Whole, Pieces::Random(0), Pieces::Random(5)] {
            let (mut rest, mut inbox) = (&bytes[..], BytesMut::new());
            while pieces.feed(&mut rest, &mut inbox) {}
            assert_eq!(inbox, &bytes[..]);
        }
    }
}
