//! Servers that the settings file names.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use anyhow::{Context as _, Result};

use crate::answers::server;
use crate::fake_api::FakeApi;
use crate::{Tool, exit};

/// Runs `srsctl ARGUMENTS` with these settings; gives exit status and standard error.
fn run(settings: &str, arguments: &[&str]) -> Result<(i32, String)> {
    let mut tool = Tool::start_set(settings, arguments)?;
    Ok((tool.wait()?, tool.said()))
}

#[test]
fn a_name_stands_for_address_and_token() -> Result<()> {
    let [edge1, edge2] = [FakeApi::start_tcp(server)?, FakeApi::start(server)?];
    let folder = tempfile::tempdir()?;
    let secret = folder.path().join("secret");
    fs::write(&secret, "s3cret\n")?;
    let permit = |mode| fs::set_permissions(&secret, fs::Permissions::from_mode(mode));
    permit(0o600)?;
    let (path, addresses) = (secret.display(), [edge1.address(), edge2.address()]);
    let settings = format!(
        "server = \"edge2\"\n\
         [servers.edge1]\naddress = \"{}\"\ntoken_file = \"{path}\"\n\
         [servers.edge2]\naddress = \"{}\"\nuser = \"admin\"\npassword_file = \"{path}\"\n",
        addresses[0], addresses[1]
    );
    let cases: [(&[&str], &FakeApi, &str); 4] = [
        (&["vhosts"], &edge2, "Basic YWRtaW46czNjcmV0"),
        (&["vhosts", "-s", "edge1"], &edge1, "Bearer s3cret"),
        (
            &["-s", "edge1", "vhosts", "--token", "mine"],
            &edge1,
            "Bearer mine",
        ),
        (&["vhosts", "-s", &addresses[0]], &edge1, "none"),
    ];
    for (arguments, api, expected) in cases {
        let before = api.requests().len();
        let (status, said) = run(&settings, arguments)?;
        assert_eq!(status, exit::DONE, "{arguments:?}: {said}");
        assert_eq!(api.requests().len(), before + 1, "{arguments:?}");
        let request = api.requests().pop().context("it was asked")?;
        let proof = request.headers.get("authorization");
        let proof = proof.map_or("none", String::as_str);
        assert_eq!(proof, expected, "{arguments:?}");
        assert_eq!(said, "");
    }
    permit(0o644)?;
    let (status, said) = run(&settings, &["vhosts"])?;
    assert_eq!(status, exit::DONE);
    assert!(said.contains("everybody on this host may read"), "{said}");
    Ok(())
}

#[test]
fn what_is_wrong_is_told_with_what_would_be_right() -> Result<()> {
    const SETTINGS: &str = "[servers.edge1]\naddress = \"edge1:1985\"\n";
    let cases: [(&str, &[&str], &str); 4] = [
        (
            SETTINGS,
            &["status", "-s", "edge7"],
            "no server is called edge7: expected unix:PATH, http://HOST:PORT, https://HOST:PORT or \
             HOST:PORT, or a name that ",
        ),
        (SETTINGS, &["status", "-s", "edge7"], "has: edge1\n"),
        ("", &["status", "-s", "edge7"], "and it has none\n"),
        (
            "servr = \"edge1\"\n",
            &["status"],
            "config.toml:1:1: unknown key `servr`\n  1 | servr = \"edge1\"\n    | ^^^^^ did you \
             mean `server`?\n",
        ),
    ];
    for (settings, arguments, expected) in cases {
        let (status, said) = run(settings, arguments)?;
        assert_eq!(status, exit::USAGE, "{said}");
        assert!(said.contains(expected), "{said}");
    }
    Ok(())
}

#[test]
fn nothing_is_changed_where_that_is_forbidden() -> Result<()> {
    let api = FakeApi::start(server)?;
    let address = api.address();
    let settings = format!("[servers.a]\naddress = \"{address}\"\nread_only = true\n");
    let cases: [(&[&str], i32); 7] = [
        (
            &["-s", "a", "clients", "kick", "--yes", "104"],
            exit::REFUSED,
        ),
        (&["-s", "a", "clients", "kick", "104"], exit::REFUSED),
        (&["-s", "a", "reload"], exit::REFUSED),
        (&["-s", &address, "reload", "--read-only"], exit::REFUSED),
        (&["-s", "a", "reload", "--dry-run"], exit::DONE),
        (&["-s", "a", "config", "diff"], exit::DONE),
        (&["-s", &address, "reload"], exit::DONE),
    ];
    for (arguments, expected) in cases {
        let (status, said) = run(&settings, arguments)?;
        assert_eq!(status, expected, "{arguments:?}: {said}");
        let is_told = said.contains("nothing is changed there: ");
        assert_eq!(is_told, expected == exit::REFUSED, "{said}");
    }
    let asked = api.lines();
    assert!(!asked.iter().any(|line| line.starts_with("DELETE")));
    let reloads = asked.iter().filter(|line| *line == "POST /api/v1/reload");
    assert_eq!(reloads.count(), 1);
    Ok(())
}
