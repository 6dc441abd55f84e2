//! A result on a terminal, over the one before.

use std::io::{self, IsTerminal as _};

use crate::output::text::{cut, printable, width};
use crate::output::{Colour, Terminal};

/// A terminal on which results are drawn over each other.
#[derive(Clone, Copy, Debug)]
pub(super) struct Screen {
    /// Whether something of ours stands there.
    is_drawn: bool,
}

/// What is drawn.
#[derive(Clone, Copy, Debug)]
pub(super) struct Frame<'a> {
    /// What is shown, and how often.
    pub(super) title: &'a str,
    /// Whose it is.
    pub(super) server: &'a str,
    /// The time.
    pub(super) now: &'a str,
    /// How it stands with the server, if that is worth saying.
    pub(super) note: &'a str,
    /// Whether that is bad.
    pub(super) is_lost: bool,
    /// The result.
    pub(super) text: &'a str,
    /// What is worth saying besides.
    pub(super) remark: Option<&'a str>,
}

impl Screen {
    /// Standard output, if it is a terminal.
    pub(super) fn of_stdout() -> Option<Self> {
        io::stdout()
            .is_terminal()
            .then_some(Self { is_drawn: false })
    }

    /// What draws `frame` on a terminal of the size that it has now.
    pub(super) fn draw(&mut self, frame: &Frame<'_>) -> String {
        let height =
            rustix::termios::tcgetwinsize(io::stdout()).map_or(0, |size| usize::from(size.ws_row));
        let height = if height == 0 { HEIGHT } else { height };
        let before = if self.is_drawn {
            HOME.to_owned()
        } else {
            // What stands there moves up, where it can be read later.
            "\n".repeat(height) + HOME
        };
        self.is_drawn = true;
        before + &drawn(frame, &Terminal::of_stdout(), height)
    }
}

/// The lines of `frame`, each over what stood there, and the rest of the screen empty.
fn drawn(frame: &Frame<'_>, terminal: &Terminal, height: usize) -> String {
    let columns = terminal.width.unwrap_or(usize::MAX);
    let note = cut(&printable(frame.note), columns).into_owned();
    let note = terminal.paint(frame.is_lost.then_some(Colour::Bad), &note);
    let mut lines = vec![head(frame, columns), note];
    let remark = frame.remark.map(|remark| cut(remark, columns).into_owned());
    let room = height.saturating_sub(lines.len() + usize::from(remark.is_some()));
    let all: Vec<_> = frame.text.lines().collect();
    if all.len() <= room {
        lines.extend(all.iter().map(|line| (*line).to_owned()));
    } else {
        let shown = room.saturating_sub(1);
        lines.extend(all.iter().take(shown).map(|line| (*line).to_owned()));
        let more = all.len() - shown;
        lines.push(cut(&format!("… {more} more lines"), columns).into_owned());
    }
    lines.extend(remark);
    lines.truncate(height);
    let lines: Vec<_> = lines
        .iter()
        .map(|line| format!("{line}{CLEAR_LINE}"))
        .collect();
    // A newline behind the last of them could move all of them up.
    format!("{NO_WRAP}{}{CLEAR_REST}{WRAP}", lines.join("\r\n"))
}

/// As watch(1) has it: what it is at the left, server and time at the right.
fn head(frame: &Frame<'_>, columns: usize) -> String {
    let right = format!("{}  {}", printable(frame.server), frame.now);
    let title = printable(frame.title);
    match columns.checked_sub(width(&title) + width(&right)) {
        Some(gap) if columns != usize::MAX && gap >= 2 => {
            format!("{title}{}{right}", " ".repeat(gap))
        }
        _ => cut(&format!("{title}  {right}"), columns).into_owned(),
    }
}

/// Behind the last frame: what comes next begins in a line of its own.
pub(super) const END: &str = "\r\n";
/// The cursor to the upper left corner.
const HOME: &str = "\x1b[H";
/// Nothing behind the cursor in its line.
const CLEAR_LINE: &str = "\x1b[K";
/// Nothing behind the cursor at all.
const CLEAR_REST: &str = "\x1b[J";
/// Lines that are too long are cut by the terminal, which knows colours; and no longer so.
const NO_WRAP: &str = "\x1b[?7l";
const WRAP: &str = "\x1b[?7h";
/// Where a terminal does not know itself.
const HEIGHT: usize = 24;

#[cfg(test)]
mod tests {
    use super::*;

    const FRAME: Frame<'static> = Frame {
        title: "Every 2s: srsctl streams",
        server: "edge1",
        now: "12:00:00",
        note: "",
        is_lost: false,
        text: "STREAM\none\ntwo\nthree\n",
        remark: None,
    };

    fn lines(frame: &Frame<'_>, width: usize, height: usize) -> Vec<String> {
        let terminal = Terminal {
            width: Some(width),
            colour: false,
        };
        let drawn = drawn(frame, &terminal, height);
        let drawn = drawn
            .strip_prefix(NO_WRAP)
            .and_then(|drawn| drawn.strip_suffix(WRAP))
            .and_then(|drawn| drawn.strip_suffix(CLEAR_REST))
            .unwrap();
        let line = |line: &str| line.strip_suffix(CLEAR_LINE).unwrap().to_owned();
        drawn.split("\r\n").map(line).collect()
    }

    #[test]
    fn a_frame_has_a_head_and_the_result() {
        assert_eq!(
            lines(&FRAME, 44, 24),
            [
                "Every 2s: srsctl streams     edge1  12:00:00",
                "",
                "STREAM",
                "one",
                "two",
                "three",
            ]
        );
        let narrow = lines(&FRAME, 30, 24);
        assert_eq!(narrow[0], "Every 2s: srsctl streams  edg…");
    }

    #[test]
    fn what_is_too_high_is_cut_and_counted() {
        assert_eq!(
            lines(&FRAME, 44, 5)[2..],
            ["STREAM", "one", "… 2 more lines"]
        );
        let remark = Some("4 of 9 streams; --limit shows more");
        let frame = Frame { remark, ..FRAME };
        assert_eq!(
            lines(&frame, 44, 5)[2..],
            [
                "STREAM",
                "… 3 more lines",
                "4 of 9 streams; --limit shows more"
            ]
        );
        for height in 1..10 {
            assert!(lines(&frame, 44, height).len() <= height);
        }
    }

    #[test]
    fn how_it_stands_with_the_server_is_below_the_head() {
        let frame = Frame {
            note: "since 12:00:01: cannot reach a\x1b[2Jb; trying again",
            is_lost: true,
            ..FRAME
        };
        assert_eq!(
            lines(&frame, 40, 9)[1],
            "since 12:00:01: cannot reach a\\u{1b}[2J…"
        );
    }
}
