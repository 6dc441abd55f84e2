//! The terminal: taken over, drawn on, and given back as it was, whatever happens.

use std::cell::RefCell;
use std::fs;
use std::io::{self, Write};
use std::panic;
use std::rc::Rc;
use std::sync::atomic::{AtomicBool, Ordering};

use crossterm::clipboard::CopyToClipboard;
use crossterm::cursor::Show;
use crossterm::event::{
    DisableBracketedPaste, DisableMouseCapture, EnableBracketedPaste, EnableMouseCapture,
};
use crossterm::terminal::{
    BeginSynchronizedUpdate, Clear, ClearType, EndSynchronizedUpdate, EnterAlternateScreen,
    LeaveAlternateScreen, disable_raw_mode, enable_raw_mode,
};
use crossterm::{execute, queue};
use ratatui::backend::CrosstermBackend;
use ratatui::{Frame, Terminal};
use rustix::process::{Signal, getpid, kill_process};

use super::app::App;
use super::view;

/// The terminal, as long as the dashboard has it. Dropping it gives it back.
pub(crate) struct Screen {
    terminal: Terminal<CrosstermBackend<Sheet>>,
    /// What `terminal` writes on.
    sheet: Sheet,
    has_mouse: bool,
}

/// Whether the terminal is the dashboard's: a panic must give it back, wherever it is.
static IS_TAKEN: AtomicBool = AtomicBool::new(false);

impl Screen {
    /// Takes the terminal over.
    ///
    /// # Errors
    /// Standard output is no terminal, or does not take what is written.
    pub(crate) fn take(has_mouse: bool) -> io::Result<Self> {
        let before = panic::take_hook();
        panic::set_hook(Box::new(move |info| {
            give_back();
            before(info);
        }));
        let sheet = Sheet::default();
        let terminal = Terminal::new(CrosstermBackend::new(sheet.clone()))?;
        let mut screen = Self {
            terminal,
            sheet,
            has_mouse,
        };
        screen.enter()?;
        Ok(screen)
    }

    /// Columns and rows.
    ///
    /// # Errors
    /// The terminal does not tell.
    pub(crate) fn size(&self) -> io::Result<(u16, u16)> {
        let size = self.terminal.size()?;
        Ok((size.width, size.height))
    }

    /// Draws a frame.
    ///
    /// # Errors
    /// The terminal does not take what is written.
    pub(crate) fn draw(&mut self, app: &App) -> io::Result<()> {
        draw_on(&mut self.terminal, |frame| view::draw(app, frame))?;
        self.sheet.hand_over(&mut io::stdout())
    }

    /// Draws the next frame from nothing, for something else may have written.
    ///
    /// # Errors
    /// As [`Screen::draw`].
    pub(crate) fn forget(&mut self) -> io::Result<()> {
        // Both buffers are empty then. `Terminal::clear` would ask the terminal where its cursor is,
        // and wait for the answer, which the reader of the keys takes.
        self.terminal.swap_buffers();
        queue!(self.sheet, Clear(ClearType::All))?;
        self.sheet.hand_over(&mut io::stdout())
    }

    /// Puts `text` into the terminal's clipboard, if it has one (OSC 52).
    ///
    /// # Errors
    /// As [`Screen::draw`].
    pub(crate) fn copy(&mut self, text: &str) -> io::Result<()> {
        queue!(self.sheet, CopyToClipboard::to_clipboard_from(text))?;
        self.sheet.hand_over(&mut io::stdout())
    }

    /// Gives the terminal back and stops the process, as Ctrl-Z does elsewhere; takes the terminal
    /// over again when the process goes on. Where nobody could wake it, it does not stop.
    ///
    /// # Errors
    /// As [`Screen::draw`].
    pub(crate) fn suspend(&mut self) -> io::Result<()> {
        give_back();
        // Whoever started the process sees that it has stopped, and takes over. SIGTSTP would not
        // stop it, for it is heard; and SIGSTOP would, even where no shell is left to wake it.
        kill_process(getpid(), Signal::TTOU)?;
        self.resume()
    }

    /// Takes the terminal over again, after something else had it.
    ///
    /// # Errors
    /// As [`Screen::draw`].
    pub(crate) fn resume(&mut self) -> io::Result<()> {
        self.enter()?;
        self.forget()
    }

    fn enter(&mut self) -> io::Result<()> {
        // Who had the terminal meanwhile may have left it otherwise; crossterm would believe that
        // it is raw still.
        disable_raw_mode()?;
        enable_raw_mode()?;
        IS_TAKEN.store(true, Ordering::SeqCst);
        queue!(self.sheet, EnterAlternateScreen, EnableBracketedPaste)?;
        if self.has_mouse {
            queue!(self.sheet, EnableMouseCapture)?;
        }
        self.sheet.hand_over(&mut io::stdout())
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        give_back();
    }
}

/// What is written for the terminal, which gets it all at once or not at all: a panic leaves nothing
/// behind that would still be written after the terminal was given back. Clones are the same sheet.
#[derive(Clone, Default)]
struct Sheet(Rc<RefCell<Vec<u8>>>);

impl Sheet {
    /// Writes to `output` what is on it, and wipes it.
    fn hand_over(&self, output: &mut impl Write) -> io::Result<()> {
        let mut bytes = self.0.borrow_mut();
        let written = output.write_all(&bytes).and_then(|()| output.flush());
        bytes.clear();
        written
    }
}

impl Write for Sheet {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.borrow_mut().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    /// Does nothing: what asks for it does not know whether the frame is complete.
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Draws a frame that the terminal shows as a whole.
fn draw_on(
    terminal: &mut Terminal<CrosstermBackend<Sheet>>,
    render: impl FnOnce(&mut Frame<'_>),
) -> io::Result<()> {
    queue!(terminal.backend_mut(), BeginSynchronizedUpdate)?;
    terminal.draw(render)?;
    queue!(terminal.backend_mut(), EndSynchronizedUpdate)
}

/// Whether somebody can wake the process if it stops: a shell with job control gives each of its
/// jobs a group of its own, so that one in the group of the session's leader has no such shell.
pub(crate) fn has_job_control() -> bool {
    let stat = fs::read_to_string("/proc/self/stat").unwrap_or_default();
    // If that is not known, the kernel does not stop a process that is left alone.
    !is_group_of_leader(&stat).unwrap_or(false)
}

/// Whether a process is of the group of its session's leader, by its `/proc/PID/stat`.
fn is_group_of_leader(stat: &str) -> Option<bool> {
    // The name may hold anything, and nothing behind it has a parenthesis.
    let (_, fields) = stat.rsplit_once(')')?;
    let mut fields = fields.split_ascii_whitespace().skip(2);
    let (group, session) = (fields.next()?, fields.next()?);
    Some(group == session)
}

/// Gives the terminal back, if it is taken.
fn give_back() {
    if IS_TAKEN.swap(false, Ordering::SeqCst) {
        restore(&mut io::stdout());
        // Nobody is left to tell if that fails.
        let _ = disable_raw_mode();
    }
}

/// Gives the terminal back as far as that takes no waiting: somebody else may be writing to it, and
/// wait.
pub(crate) fn abandon() {
    if IS_TAKEN.swap(false, Ordering::SeqCst) {
        // The modes are the kernel's, whatever the terminal takes.
        let _ = disable_raw_mode();
        let mut sequences = Vec::new();
        restore(&mut sequences);
        let stdout = rustix::stdio::stdout();
        if let Ok(flags) = rustix::fs::fcntl_getfl(stdout) {
            let _ = rustix::fs::fcntl_setfl(stdout, flags | rustix::fs::OFlags::NONBLOCK);
            let _ = rustix::io::write(stdout, &sequences);
            // The description is the shell's, too.
            let _ = rustix::fs::fcntl_setfl(stdout, flags);
        }
    }
}

fn restore(output: &mut impl Write) {
    // All of it is tried, even if a part cannot be written.
    let _ = execute!(
        output,
        EndSynchronizedUpdate,
        DisableMouseCapture,
        DisableBracketedPaste,
        LeaveAlternateScreen,
        Show
    );
}

#[cfg(test)]
mod tests {
    use std::panic::{AssertUnwindSafe, catch_unwind};

    use ratatui::layout::Rect;
    use ratatui::{TerminalOptions, Viewport};

    use super::*;

    #[test]
    fn a_panic_leaves_nothing_of_its_frame() {
        let sheet = Sheet::default();
        let area = Rect::new(0, 0, 10, 2);
        let viewport = Viewport::Fixed(area);
        let backend = CrosstermBackend::new(sheet.clone());
        let mut terminal = Terminal::with_options(backend, TerminalOptions { viewport }).unwrap();
        let mut written = Vec::new();
        draw_on(&mut terminal, |frame| frame.render_widget("one", area)).unwrap();
        sheet.hand_over(&mut written).unwrap();
        let text = String::from_utf8(written.clone()).unwrap();
        assert!(text.starts_with("\x1b[?2026h"), "{text:?}");
        assert!(text.ends_with("\x1b[?2026l"), "{text:?}");
        assert!(text.contains("one"), "{text:?}");

        let before = written.clone();
        let drawn = catch_unwind(AssertUnwindSafe(|| {
            draw_on(&mut terminal, |frame| {
                frame.render_widget("two", area);
                panic!("while it is drawn");
            })
        }));
        assert!(drawn.is_err());
        // It shows the cursor again, and flushes.
        drop(terminal);
        assert_eq!(written, before);
        assert!(!sheet.0.borrow().is_empty(), "what is lost with it");
    }

    #[test]
    fn a_job_of_a_shell_has_a_group_of_its_own() {
        let cases = [
            ("7 (srsctl) S 5 7 5 34816 7 4194304", Some(false)),
            ("7 (srsctl) S 1 7 7 34816 7 4194304", Some(true)),
            ("7 (a) b (c) S 5 5 5 34816 5 4194304", Some(true)),
            ("7 (srsctl) S 5", None),
            ("", None),
        ];
        for (stat, expected) in cases {
            assert_eq!(is_group_of_leader(stat), expected, "{stat}");
        }
    }

    #[test]
    fn what_was_turned_on_is_turned_off() {
        let (mut on, mut off) = (Vec::new(), Vec::new());
        execute!(
            on,
            EnterAlternateScreen,
            EnableBracketedPaste,
            EnableMouseCapture
        )
        .unwrap();
        restore(&mut off);
        let (on, off) = (
            String::from_utf8(on).unwrap(),
            String::from_utf8(off).unwrap(),
        );
        for mode in on.split("\x1b[?").filter(|mode| mode.ends_with('h')) {
            let number = mode.trim_end_matches('h');
            assert!(
                off.contains(&format!("\x1b[?{number}l")),
                "{number}: {off:?}"
            );
        }
        assert!(off.contains("\x1b[?25h"), "the cursor is shown");
    }
}
