//! A log that is a file.

use std::collections::VecDeque;
use std::io::{self, Write as _};
use std::path::Path;
use std::time::Duration;

use tokio::time::{MissedTickBehavior, interval};

use super::Wanted;
use super::follow::Follower;
use crate::command::Error;
use crate::interrupt::Interrupt;
use crate::output::Terminal;
use crate::output::text::printable;

/// Prints the lines of the file at `path` that are wanted.
///
/// # Errors
/// It cannot be read, or standard output takes nothing any more.
pub(super) async fn print(path: &Path, wanted: &Wanted) -> Result<(), Error> {
    match print_lines(path, wanted).await {
        Ok(true) | Err(Stop::ReaderLeft) => Ok(()),
        Ok(false) => wanted.nothing().map_or(Ok(()), Err),
        Err(Stop::Output(error)) => Err(Error::stdout(error)),
        Err(Stop::Log(error)) => Err(Error::Log {
            path: path.to_owned(),
            error,
        }),
    }
}

/// Why there are no more lines.
#[derive(Debug)]
enum Stop {
    ReaderLeft,
    Output(io::Error),
    Log(io::Error),
}

impl From<io::Error> for Stop {
    fn from(error: io::Error) -> Self {
        Self::Log(error)
    }
}

/// Whether there was a line that is wanted.
///
/// Reads and writes on this thread: nothing else runs that could be held up, and signals are heard
/// between two looks at the file.
async fn print_lines(path: &Path, wanted: &Wanted) -> Result<bool, Stop> {
    let mut printer = Printer {
        is_terminal: Terminal::of_stdout().width.is_some(),
    };
    let mut follower = Follower::open(path)?;
    if wanted.filter.client.is_some() && wanted.filter.pid.is_some() {
        follower.skip_to_last(|line| wanted.filter.is_start(line))?;
    }
    let mut last = VecDeque::new();
    let mut has_found = false;
    let mut earlier = |line: &[u8]| {
        if !wanted.filter.takes(line) {
            return Ok::<(), Stop>(());
        }
        has_found = true;
        match wanted.lines {
            None => printer.print(line)?,
            Some(most) => {
                if last.len() >= most {
                    last.pop_front();
                }
                if most > 0 {
                    last.push_back(line.to_owned());
                }
            }
        }
        Ok(())
    };
    follower.read(&mut earlier)?;
    if !wanted.follow {
        follower.end_line(&mut earlier)?;
    }
    for line in &last {
        printer.print(line)?;
    }
    printer.flush()?;
    if !wanted.follow {
        return Ok(has_found);
    }
    let mut interrupt = Interrupt::install().map_err(Stop::Output)?;
    let mut look = interval(LOOK);
    look.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            () = interrupt.wait() => return Ok(has_found),
            _ = look.tick() => {}
        }
        follower.read(|line| {
            if wanted.filter.takes(line) {
                printer.print(line)
            } else {
                Ok(())
            }
        })?;
        printer.flush()?;
    }
}

/// Writes lines to standard output: as they are, but on a terminal so that they only show.
#[derive(Debug)]
struct Printer {
    is_terminal: bool,
}

impl Printer {
    #[expect(
        clippy::needless_pass_by_ref_mut,
        reason = "there is one standard output"
    )]
    fn print(&mut self, line: &[u8]) -> Result<(), Stop> {
        let mut stdout = io::stdout().lock();
        let written = if self.is_terminal {
            writeln!(stdout, "{}", printable(&String::from_utf8_lossy(line)))
        } else {
            stdout
                .write_all(line)
                .and_then(|()| stdout.write_all(b"\n"))
        };
        written.map_err(Stop::of_output)
    }

    #[expect(
        clippy::needless_pass_by_ref_mut,
        reason = "there is one standard output"
    )]
    fn flush(&mut self) -> Result<(), Stop> {
        io::stdout().flush().map_err(Stop::of_output)
    }
}

impl Stop {
    fn of_output(error: io::Error) -> Self {
        if error.kind() == io::ErrorKind::BrokenPipe {
            Self::ReaderLeft
        } else {
            Self::Output(error)
        }
    }
}

/// How often the file is looked at: soon enough for people.
const LOOK: Duration = Duration::from_millis(250);
