//! A terminal with a shell in it: a tmux of the test's own, on a socket of its own.

use std::fs;
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::PathBuf;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, sync_channel};
use std::thread;
use std::time::Duration;

use anyhow::{Context as _, Result, bail, ensure};
use tempfile::TempDir;
use testkit::{SOON, wait_for};

/// A terminal. Dropping it ends all that runs in it, and so does the end of the test program.
pub(crate) struct Terminal {
    /// Nobody else may ask while an answer is awaited.
    control: Mutex<Control>,
    /// Commands that were run for their exit status.
    runs: AtomicUsize,
    child: Child,
    folder: TempDir,
}

impl Terminal {
    /// Opens one of this size, with a shell that has asked for a command.
    pub(crate) fn open(size: (u16, u16)) -> Result<Self> {
        Self::open_with(size, &[])
    }

    /// Opens one whose programs have these variables, too.
    pub(crate) fn open_with(
        (width, height): (u16, u16),
        variables: &[(&str, &str)],
    ) -> Result<Self> {
        let folder = tempfile::tempdir()?;
        let configuration = folder.path().join("tmux.conf");
        fs::write(&configuration, CONFIGURATION)?;
        let mut child = Command::new("tmux")
            .env_clear()
            .envs(std::env::var_os("PATH").map(|path| ("PATH", path)))
            .envs([("LC_ALL", "C.UTF-8"), ("PS1", PROMPT), ("SHELL", "/bin/sh")])
            .env("HOME", folder.path())
            .env("XDG_CONFIG_HOME", folder.path().join("config"))
            .envs(variables.iter().copied())
            .current_dir(folder.path())
            .arg("-S")
            .arg(folder.path().join("tmux"))
            .arg("-f")
            .arg(&configuration)
            .args(["-u", "-C", "new-session", "-f", "no-output"])
            .args(["-x", &width.to_string(), "-y", &height.to_string()])
            .arg("exec sh -i")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .context("cannot start tmux; tests/run installs it")?;
        let control = Control::new(&mut child)?;
        let terminal = Self {
            control: Mutex::new(control),
            runs: AtomicUsize::new(0),
            child,
            folder,
        };
        terminal.wait_for_prompt()?;
        Ok(terminal)
    }

    /// Has the shell run a command, and does not wait for it.
    pub(crate) fn run(&self, command: &str) -> Result<()> {
        self.type_in(command)?;
        self.press("Enter")
    }

    /// Runs the dashboard with these arguments; the shell says how it ended.
    pub(crate) fn run_top(&self, arguments: &[&str]) -> Result<()> {
        let srsctl = env!("CARGO_BIN_EXE_srsctl");
        let mut script = format!("echo $$ >{PID}\nexec '{srsctl}' top");
        for argument in arguments {
            script += &format!(" '{argument}'");
        }
        fs::write(self.folder.path().join("top.sh"), script)?;
        self.run_for_status("sh top.sh")
    }

    /// Has the shell run a command, and say how it ended.
    pub(crate) fn run_for_status(&self, command: &str) -> Result<()> {
        let run = self.runs.fetch_add(1, Ordering::Relaxed) + 1;
        self.run(&format!("{command}; echo {STATUS}{run}:$?"))
    }

    /// The file with the process that the dashboard is.
    pub(crate) fn pid_file(&self) -> PathBuf {
        self.folder.path().join(PID)
    }

    /// Waits until the command that was run last for its exit status has ended, and gives it.
    pub(crate) fn wait_for_status(&self) -> Result<i32> {
        let before = format!("{STATUS}{}:", self.runs.load(Ordering::Relaxed));
        let status = |screen: &str| {
            // In the command that was typed no number stands there.
            let mut lines = screen.lines();
            lines.find_map(|line| line.strip_prefix(&before)?.parse().ok())
        };
        self.wait_to_find("the exit status", status)
    }

    /// Types text, as if on a keyboard.
    pub(crate) fn type_in(&self, text: &str) -> Result<()> {
        let bytes: Vec<String> = text.bytes().map(|byte| format!("{byte:02x}")).collect();
        self.ask(&format!("send-keys -H {}", bytes.join(" ")))?;
        Ok(())
    }

    /// Presses keys, by tmux's names of them: `Enter`, `C-c`, `q`.
    pub(crate) fn press(&self, keys: &str) -> Result<()> {
        self.ask(&format!("send-keys {keys}"))?;
        Ok(())
    }

    /// Gives it another size.
    pub(crate) fn resize(&self, (width, height): (u16, u16)) -> Result<()> {
        self.ask(&format!("resize-window -x {width} -y {height}"))?;
        Ok(())
    }

    /// What is on its screen.
    pub(crate) fn screen(&self) -> Result<String> {
        self.ask("capture-pane -p")
    }

    /// What is on its screen, and what has left it at the top.
    pub(crate) fn screen_and_past(&self) -> Result<String> {
        self.ask("capture-pane -p -S -")
    }

    /// What is on its screen, with the escape sequences that make its colours.
    pub(crate) fn painted(&self) -> Result<String> {
        self.ask("capture-pane -p -e")
    }

    /// What tmux knows of it, such as `#{cursor_flag}`.
    pub(crate) fn state(&self, format: &str) -> Result<String> {
        let answer = self.ask(&format!("display-message -p '{format}'"))?;
        Ok(answer.trim_end().to_owned())
    }

    /// Waits until `text` is on the screen, and gives the screen.
    pub(crate) fn wait_for(&self, text: &str) -> Result<String> {
        self.wait_until(text, |screen| screen.contains(text))
    }

    /// Waits until `text` has gone from the screen, and gives the screen.
    pub(crate) fn wait_without(&self, text: &str) -> Result<String> {
        self.wait_until(&format!("the end of {text}"), |screen| {
            !screen.contains(text)
        })
    }

    /// Waits until the screen is as wanted, and gives it.
    pub(crate) fn wait_until(&self, what: &str, holds: impl Fn(&str) -> bool) -> Result<String> {
        self.wait_to_find(what, |screen| holds(screen).then(|| screen.to_owned()))
    }

    /// Waits until there is something on the screen, in two looks: the first may see half a frame.
    pub(crate) fn wait_to_find<T>(
        &self,
        what: &str,
        find: impl Fn(&str) -> Option<T>,
    ) -> Result<T> {
        let mut is_second = false;
        let found = wait_for(SOON, what, || {
            let found = find(&self.screen()?);
            let was_there = std::mem::replace(&mut is_second, found.is_some());
            Ok(found.filter(|_| was_there))
        });
        found.with_context(|| format!("the screen is\n{}", self.screen().unwrap_or_default()))
    }

    /// Waits until the shell asks for a command.
    pub(crate) fn wait_for_prompt(&self) -> Result<()> {
        let prompt = PROMPT.trim_end();
        let asks = |screen: &str| screen.trim_end().lines().last() == Some(prompt);
        self.wait_until("the prompt", asks).map(drop)
    }

    /// What a command prints, whose output fits on the screen.
    pub(crate) fn output_of(&self, command: &str) -> Result<String> {
        let run = self.runs.fetch_add(1, Ordering::Relaxed) + 1;
        // The quotes are not printed: what was typed is something else.
        self.run(&format!("clear; {command}; echo \"{DONE}\"{run}"))?;
        let end = format!("{DONE}{run}\n");
        let screen = self.wait_for(&end)?;
        let (output, _) = screen.split_once(&end).context("no end")?;
        Ok(output.to_owned())
    }

    fn ask(&self, command: &str) -> Result<String> {
        let mut control = self.control.lock().expect("no test goes on after a panic");
        control.ask(command).with_context(|| command.to_owned())
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        // The captured output of a test that fails tells what it saw.
        eprintln!("the last screen:\n{}", self.screen().unwrap_or_default());
        let _ = self.ask("kill-server");
        // An error means that it has ended.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// tmux in its control mode: a line for each command, and an answer between two lines. That costs
/// no process for each look at the screen.
struct Control {
    input: ChildStdin,
    lines: Receiver<String>,
}

impl Control {
    fn new(child: &mut Child) -> Result<Self> {
        let input = child.stdin.take().context("no input")?;
        let output = child.stdout.take().context("no output")?;
        let (sender, lines) = sync_channel(LINES);
        thread::spawn(move || {
            for line in BufReader::new(output).split(b'\n').map_while(Result::ok) {
                let line = String::from_utf8_lossy(&line).into_owned();
                if sender.send(line).is_err() {
                    return;
                }
            }
        });
        let mut control = Self { input, lines };
        // To the command that began it all.
        control.answer()?;
        // It would have ended at once before.
        control.ask("set-option -g exit-unattached on")?;
        Ok(control)
    }

    fn ask(&mut self, command: &str) -> Result<String> {
        writeln!(self.input, "{command}")?;
        self.answer()
    }

    fn answer(&self) -> Result<String> {
        let begin = loop {
            let line = self.line()?;
            if let Some(begin) = line.strip_prefix("%begin ") {
                break begin.to_owned();
            }
        };
        let (end, error) = (format!("%end {begin}"), format!("%error {begin}"));
        let mut text = String::new();
        loop {
            let line = self.line()?;
            if line == end {
                return Ok(text);
            }
            ensure!(line != error, "tmux says: {text}");
            text += &line;
            text.push('\n');
        }
    }

    fn line(&self) -> Result<String> {
        match self.lines.recv_timeout(ANSWER) {
            Ok(line) => Ok(line),
            Err(error) => bail!("tmux does not answer: {error}"),
        }
    }
}

/// What the shell says before an exit status: this, and which one it is.
const STATUS: &str = "status-";
/// The file with the process of the dashboard.
const PID: &str = "pid";
/// What it says after a command.
const DONE: &str = "this-was-all-";
/// What the shell asks for a command with.
const PROMPT: &str = "ready> ";
/// Of tmux, at once.
const LINES: usize = 10_000;
const ANSWER: Duration = Duration::from_secs(20);
const CONFIGURATION: &str = "\
set -g status off
set -g default-terminal tmux-256color
set -s escape-time 0
";
