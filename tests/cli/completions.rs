//! `srsctl completions`.

use anyhow::Result;

use crate::{Tool, exit};

#[test]
fn every_shell_gets_a_script_that_knows_the_commands() -> Result<()> {
    for shell in ["bash", "zsh", "fish"] {
        let mut tool = Tool::start(["completions", shell])?;
        assert_eq!(tool.wait()?, exit::DONE);
        let script = String::from_utf8(tool.printed()?)?;
        for name in ["publish", "timeout", "streams", "kick", "token-file"] {
            assert!(script.contains(name), "{shell}: {name}");
        }
    }
    Ok(())
}

#[test]
fn a_reader_that_leaves_is_no_error() -> Result<()> {
    assert_eq!(
        Tool::start_unread(["completions", "bash"])?.wait()?,
        exit::DONE
    );
    Ok(())
}
