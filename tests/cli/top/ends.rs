//! However the dashboard ends, the terminal is as it was before.

use std::fs;
use std::net::TcpListener;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use rustix::process::{Pid, Signal, kill_process};
use testkit::{SOON, wait_until};

use super::{Before, Stage, Terminal};

/// A terminal in which the dashboard runs, and what it was like before.
fn begin(stage: &Stage) -> Result<(Terminal, Before)> {
    let terminal = Terminal::open((100, 30))?;
    let before = Before::of(&terminal)?;
    terminal.run_top(&["--server", &stage.address()])?;
    terminal.wait_for("no streams")?;
    Ok((terminal, before))
}

#[test]
fn ctrl_z_stops_it_and_fg_brings_it_back() -> Result<()> {
    let stage = Stage::empty()?;
    let (terminal, before) = begin(&stage)?;
    for _ in 0..2 {
        terminal.press("C-z")?;
        before.is_back(&terminal)?;
        terminal.run_for_status("fg")?;
        terminal.wait_for("no streams")?;
        terminal.press("?")?;
        terminal.wait_for("keys of streams")?;
        terminal.press("Escape")?;
        terminal.wait_without("keys of streams")?;
    }
    terminal.press("q")?;
    assert_eq!(terminal.wait_for_status()?, 0);
    before.is_back(&terminal)
}

#[test]
fn ctrl_z_does_nothing_where_no_shell_waits() -> Result<()> {
    let stage = Stage::empty()?;
    let terminal = Terminal::open((100, 30))?;
    // In the place of the shell, as after `ssh -t HOST srsctl top`.
    let srsctl = env!("CARGO_BIN_EXE_srsctl");
    terminal.run(&format!("exec '{srsctl}' top --server {}", stage.address()))?;
    terminal.wait_for("no streams")?;
    terminal.press("C-z")?;
    terminal.wait_for("no shell waits here")?;
    terminal.press("?")?;
    terminal.wait_for("keys of streams")?;
    Ok(())
}

#[test]
fn it_goes_on_after_a_stop_from_outside() -> Result<()> {
    let stage = Stage::empty()?;
    let (terminal, before) = begin(&stage)?;
    kill_process(pid(&terminal)?, Signal::STOP)?;
    terminal.wait_for("Stopped")?;
    // The terminal is raw still: nothing is made of Enter. The quotes are not printed.
    terminal.type_in("stty sane; echo 'not '\"raw\"\n")?;
    terminal.wait_for("not raw")?;
    terminal.run_for_status("fg")?;
    terminal.wait_for("no streams")?;
    // Without Enter: the terminal is raw again.
    terminal.press("?")?;
    terminal.wait_for("keys of streams")?;
    terminal.press("Escape")?;
    terminal.wait_without("keys of streams")?;
    terminal.press("q")?;
    assert_eq!(terminal.wait_for_status()?, 0);
    before.is_back(&terminal)
}

#[test]
fn ctrl_c_and_signals_end_it_in_order() -> Result<()> {
    let stage = Stage::empty()?;
    let (terminal, before) = begin(&stage)?;
    terminal.press("C-c")?;
    assert_eq!(terminal.wait_for_status()?, 0);
    before.is_back(&terminal)?;
    for signal in [Signal::TERM, Signal::INT, Signal::HUP, Signal::QUIT] {
        let (terminal, before) = begin(&stage)?;
        kill_process(pid(&terminal)?, signal)?;
        assert_eq!(terminal.wait_for_status()?, 0, "{signal:?}");
        before.is_back(&terminal)?;
    }
    Ok(())
}

#[test]
fn it_ends_with_its_terminal() -> Result<()> {
    let stage = Stage::empty()?;
    for key in ["j", "C-l", "?"] {
        let (terminal, _) = begin(&stage)?;
        let pid = pid(&terminal)?;
        terminal.press(key)?;
        terminal.screen()?;
        drop(terminal);
        // One that nobody has waited for yet is still there in a way.
        let is_over = || {
            let stat = fs::read_to_string(format!("/proc/{}/stat", pid.as_raw_nonzero()));
            !stat.is_ok_and(|stat| !stat.contains(") Z "))
        };
        wait_until(SOON, "the end", is_over)?;
    }
    Ok(())
}

#[test]
fn ctrl_l_draws_the_screen_anew() -> Result<()> {
    let stage = Stage::empty()?;
    let (terminal, _) = begin(&stage)?;
    // As another program would, that writes to the same terminal.
    fs::write(
        terminal.state("#{pane_tty}")?,
        "\x1b[2J\x1b[Hsomething else",
    )?;
    terminal.wait_for("something else")?;
    terminal.press("C-l")?;
    terminal.wait_without("something else")?;
    terminal.wait_for("no streams")?;
    Ok(())
}

/// The process of the dashboard.
fn pid(terminal: &Terminal) -> Result<Pid> {
    let text = fs::read_to_string(terminal.pid_file())?;
    Pid::from_raw(text.trim().parse()?).context("no process")
}

#[test]
fn a_panic_is_read_on_a_terminal_that_is_as_before() -> Result<()> {
    let stage = Stage::empty()?;
    let (terminal, before) = begin(&stage)?;
    terminal.run(":panic")?;
    assert_eq!(terminal.wait_for_status()?, PANICKED);
    let screen = terminal.wait_for("panicked at")?;
    ensure!(screen.contains("somebody asked for it"), "{screen}");
    before.is_back(&terminal)
}

#[test]
fn a_server_that_does_not_answer_freezes_no_key() -> Result<()> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let address = format!("http://{}", listener.local_addr()?);
    let terminal = Terminal::open((100, 30))?;
    let before = Before::of(&terminal)?;
    terminal.run_top(&["--server", &address, "--timeout", "30s"])?;
    terminal.wait_for("no answer yet")?;
    let asked = Instant::now();
    terminal.press("?")?;
    terminal.wait_for("keys of streams")?;
    ensure!(asked.elapsed() < AT_ONCE, "{:?}", asked.elapsed());
    terminal.press("Escape")?;
    terminal.wait_without("keys of streams")?;
    let asked = Instant::now();
    terminal.press("q")?;
    assert_eq!(terminal.wait_for_status()?, 0);
    ensure!(asked.elapsed() < AT_ONCE, "{:?}", asked.elapsed());
    before.is_back(&terminal)
}

/// On a busy machine.
const AT_ONCE: Duration = Duration::from_secs(5);
/// The exit status of Rust's programs after a panic.
const PANICKED: i32 = 101;
