//! A line that the user types: a filter, a command.

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

use super::keys::{self, Edit, LINE_KEYS};

/// Text and a cursor in it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Line {
    text: String,
    /// In bytes, at the beginning of a character or the end.
    cursor: usize,
}

/// What a key did to a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Typed {
    /// The line is another one.
    Changed,
    /// The line is the same; the cursor may have moved.
    Same,
    /// It is what was wanted.
    Done,
    /// It is not wanted any more.
    Cancelled,
    /// It is to be completed.
    Complete,
    /// The one before is wanted.
    Recall,
}

impl Line {
    /// A line with the cursor at its end.
    pub(crate) fn new(text: &str) -> Self {
        let text: String = text
            .chars()
            .filter(|c| !c.is_control())
            .take(LONGEST)
            .collect();
        Self {
            cursor: text.len(),
            text,
        }
    }

    /// What is typed.
    pub(crate) fn text(&self) -> &str {
        &self.text
    }

    /// What stands before the cursor.
    pub(crate) fn before_cursor(&self) -> &str {
        self.text.get(..self.cursor).unwrap_or(&self.text)
    }

    /// Does what `key` says.
    pub(crate) fn handle(&mut self, key: KeyEvent) -> Typed {
        match keys::answer(key, LINE_KEYS) {
            Some(Edit::Done) => Typed::Done,
            // As in editors of this kind: nothing left to delete is the way out.
            Some(Edit::DeleteBefore) if self.text.is_empty() => Typed::Cancelled,
            Some(Edit::Cancel) => Typed::Cancelled,
            Some(Edit::DeleteBefore) => self.delete(self.before(), self.cursor),
            Some(Edit::Delete) => self.delete(self.cursor, self.after()),
            Some(Edit::DeleteWord) => self.delete(self.word_before(), self.cursor),
            Some(Edit::DeleteToStart) => self.delete(0, self.cursor),
            Some(Edit::DeleteToEnd) => self.delete(self.cursor, self.text.len()),
            Some(Edit::Left) => self.move_to(self.before()),
            Some(Edit::Right) => self.move_to(self.after()),
            Some(Edit::Start) => self.move_to(0),
            Some(Edit::End) => self.move_to(self.text.len()),
            Some(Edit::Complete) => Typed::Complete,
            Some(Edit::Recall) => Typed::Recall,
            None => match key.code {
                KeyCode::Char(c) if !key.modifiers.intersects(HELD) => self.insert(c),
                _ => Typed::Same,
            },
        }
    }

    /// Puts pasted text in, in one line.
    pub(crate) fn paste(&mut self, text: &str) -> Typed {
        let mut typed = Typed::Same;
        for c in text.lines().next().unwrap_or_default().chars() {
            if self.insert(c) == Typed::Changed {
                typed = Typed::Changed;
            }
        }
        typed
    }

    fn insert(&mut self, c: char) -> Typed {
        if c.is_control() || self.text.chars().count() >= LONGEST {
            return Typed::Same;
        }
        self.text.insert(self.cursor, c);
        self.cursor += c.len_utf8();
        Typed::Changed
    }

    fn delete(&mut self, from: usize, to: usize) -> Typed {
        if from >= to {
            return Typed::Same;
        }
        self.text.replace_range(from..to, "");
        self.cursor = from;
        Typed::Changed
    }

    fn move_to(&mut self, place: usize) -> Typed {
        self.cursor = place;
        Typed::Same
    }

    fn before(&self) -> usize {
        let last = self.before_cursor().char_indices().next_back();
        last.map_or(0, |(place, _)| place)
    }

    fn after(&self) -> usize {
        let next = self
            .text
            .get(self.cursor..)
            .and_then(|rest| rest.chars().next());
        self.cursor + next.map_or(0, char::len_utf8)
    }

    fn word_before(&self) -> usize {
        let text = self.before_cursor().trim_end();
        text.rfind([' ', '/']).map_or(0, |place| place + 1)
    }
}

/// With these a character is a command.
const HELD: KeyModifiers = KeyModifiers::CONTROL.union(KeyModifiers::ALT);
/// What the server takes as a filter, and more than anybody types.
const LONGEST: usize = 200;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn control(c: char) -> KeyEvent {
        KeyEvent::new(KeyCode::Char(c), KeyModifiers::CONTROL)
    }

    fn key(code: KeyCode) -> KeyEvent {
        code.into()
    }

    #[test]
    fn a_line_is_edited_as_in_a_shell() {
        let mut line = Line::new("streams live/直");
        assert_eq!(line.handle(key(KeyCode::Backspace)), Typed::Changed);
        assert_eq!(line.text(), "streams live/");
        line.handle(key(KeyCode::Char('x')));
        line.handle(control('w'));
        assert_eq!(line.text(), "streams live/");
        line.handle(control('a'));
        line.handle(key(KeyCode::Delete));
        assert_eq!((line.text(), line.before_cursor()), ("treams live/", ""));
        line.handle(key(KeyCode::Right));
        line.handle(control('k'));
        assert_eq!(line.text(), "t");
        assert_eq!(line.handle(control('u')), Typed::Changed);
        assert_eq!(line.handle(key(KeyCode::Backspace)), Typed::Cancelled);
        assert_eq!(line.handle(key(KeyCode::Enter)), Typed::Done);
        assert_eq!(line.paste("ab\x1bc\nsecond"), Typed::Changed);
        assert_eq!(line.text(), "abc");
    }

    proptest! {
        #[test]
        fn no_key_breaks_it(
            text in "\\PC{0,20}",
            keys in proptest::collection::vec((0_u8..14, any::<char>()), 0..60),
        ) {
            let mut line = Line::new(&text);
            for (kind, c) in keys {
                let event = match kind {
                    0 => key(KeyCode::Backspace),
                    1 => key(KeyCode::Delete),
                    2 => key(KeyCode::Left),
                    3 => key(KeyCode::Right),
                    4 => key(KeyCode::Home),
                    5 => key(KeyCode::End),
                    6 => control('w'),
                    7 => control('u'),
                    8 => control('k'),
                    9 => control(c),
                    _ => key(KeyCode::Char(c)),
                };
                line.handle(event);
                prop_assert!(line.text().is_char_boundary(line.cursor));
                prop_assert!(line.text().chars().count() <= LONGEST);
            }
        }
    }
}
