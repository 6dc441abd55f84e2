//! `srsctl doctor`, on this host as it is, with a real server and with a configuration that cannot
//! work here.

use std::fs;
use std::net::TcpListener;
use std::path::Path;

use anyhow::{Context as _, Result, ensure};
use serde_json::Value;
use tempfile::TempDir;

use crate::server::TestServer;
use crate::{Tool, exit};

/// A folder with a configuration in it.
fn configured(text: &str) -> Result<TempDir> {
    let folder = tempfile::tempdir()?;
    let text = text.replace("FOLDER", &folder.path().display().to_string());
    fs::write(folder.path().join("srs.toml"), text)?;
    Ok(folder)
}

/// Runs the doctor on the configuration in `folder`; gives its exit status, what it printed and
/// what it said.
fn doctor(folder: &Path, arguments: &[&str]) -> Result<(i32, String, String)> {
    let server = format!("unix:{}", folder.join("api.sock").display());
    let config = folder.join("srs.toml").display().to_string();
    let own = ["doctor", "--server", &server, "--config", &config];
    let mut tool = Tool::start([&own, arguments].concat())?;
    let status = tool.wait()?;
    Ok((status, String::from_utf8(tool.printed()?)?, tool.said()))
}

/// The findings of a check.
fn findings(report: &str, check: &str) -> Result<Vec<Value>> {
    let report: Value = serde_json::from_str(report).with_context(|| report.to_owned())?;
    let findings = report["findings"].as_array().context("no findings")?;
    let of_check = findings.iter().filter(|finding| finding["check"] == check);
    Ok(of_check.cloned().collect())
}

/// The only finding of a check.
fn finding(report: &str, check: &str) -> Result<Value> {
    let mut found = findings(report, check)?;
    ensure!(found.len() == 1, "{check}: {found:#?}");
    found.pop().context("none")
}

const API: &str = "[http_api]\nlisten = [\"unix:FOLDER/api.sock\"]\n\
                   [fleet]\nfile = \"FOLDER/fleet.json\"\n";

#[test]
fn a_host_with_a_server_that_serves_is_fit() -> Result<()> {
    let folder = configured(&format!(
        "listen = [\"127.0.0.1:0\"]\nmax_connections = 100\n{API}"
    ))?;
    let file = folder.path().join("srs.toml");
    let server = TestServer::start_from(&file)?;
    // The port that the kernel chose, as a configuration has it.
    let url = server.url();
    let address = url
        .strip_prefix("rtmp://")
        .and_then(|url| url.split('/').next())
        .context("no address")?;
    let text = fs::read_to_string(&file)?.replace("127.0.0.1:0", address);
    fs::write(&file, text)?;

    let (status, report, said) = doctor(folder.path(), &["-o", "json"])?;
    // The disk and the clock are those of whoever runs this.
    let problems = serde_json::from_str::<Value>(&report)?["problems"].clone();
    let expected = if problems == 0 {
        exit::DONE
    } else {
        exit::CHECK_FAILED
    };
    assert_eq!(status, expected, "{report} {said}");
    let ports = finding(&report, "ports")?;
    assert_eq!(ports["level"], "ok", "{ports}");
    let pid = format!("(pid {})", std::process::id());
    let seen = ports["seen"].as_str().unwrap_or_default();
    ensure!(seen.contains(address) && seen.contains(&pid), "{ports}");
    for check in ["config", "server", "api-socket", "descriptors"] {
        let finding = finding(&report, check)?;
        assert_eq!(finding["level"], "ok", "{finding}");
        assert_eq!(finding["id"], check, "{finding}");
    }
    let clock = findings(&report, "clock")?;
    ensure!(clock.iter().all(|it| it["id"] != "clock-skew"), "{clock:?}");

    let (status, text, said) = doctor(folder.path(), &[])?;
    assert_eq!(status, expected, "{text} {said}");
    let line = text.lines().find(|line| line.contains(" ports "));
    ensure!(line.is_some_and(|it| it.starts_with("ok ")), "{text}");
    Ok(())
}

#[test]
fn what_cannot_work_is_told_with_what_to_do() -> Result<()> {
    let taken = TcpListener::bind("127.0.0.1:0")?;
    let address = taken.local_addr()?;
    // A port of TEST-NET-1, which no host has; more connections than any limit has descriptors.
    let folder = configured(&format!(
        "listen = [\"{address}\", \"192.0.2.1:1935\"]\nmax_connections = 1000000\n\
         log.target = \"file\"\nlog.file = \"FOLDER/none/srs.log\"\n{API}"
    ))?;
    fs::write(folder.path().join("api.sock"), "")?;
    let arguments = ["-o", "json"];
    let (status, report, said) = doctor(folder.path(), &arguments)?;
    assert_eq!(status, exit::CHECK_FAILED, "{report} {said}");
    ensure!(said.contains("not fit for srs: "), "{said}");
    let ids = |check: &str| -> Result<Vec<String>> {
        let found = findings(&report, check)?.into_iter();
        Ok(found
            .map(|it| it["id"].as_str().unwrap_or_default().to_owned())
            .collect())
    };
    assert_eq!(ids("ports")?, ["port-taken", "address-not-here"]);
    assert_eq!(ids("api-socket")?, ["api-socket-obstructed"]);
    ensure!(
        ids("disk")?.contains(&"log-folder-missing".to_owned()),
        "{report}"
    );
    let ports = findings(&report, "ports")?;
    let seen = ports[0]["seen"].as_str().unwrap_or_default();
    let pid = std::process::id().to_string();
    ensure!(
        seen.contains(&address.to_string()) && seen.contains(&pid),
        "{seen}"
    );
    ensure!(ports[0]["commands"][0].is_string(), "{report}");

    let (status, text, _) = doctor(folder.path(), &[])?;
    assert_eq!(status, exit::CHECK_FAILED);
    let line = text
        .lines()
        .position(|it| it.starts_with("problem") && it.contains(seen));
    let line = line.with_context(|| text.clone())?;
    let below: Vec<&str> = text.lines().skip(line + 1).take(2).collect();
    ensure!(below.iter().all(|it| it.starts_with("    ")), "{text}");
    Ok(())
}

#[test]
fn mistakes_of_a_configuration_are_problems_with_line_and_column() -> Result<()> {
    let folder = configured("max_connections = 5\nlisen = [\"1935\"]\n")?;
    let (status, text, _) = doctor(folder.path(), &[])?;
    assert_eq!(status, exit::CHECK_FAILED, "{text}");
    ensure!(text.contains("srs.toml:2:1: unknown key `lisen`"), "{text}");
    ensure!(text.contains("srsctl config check "), "{text}");
    Ok(())
}

#[test]
fn options_that_are_wrong_are_no_findings() -> Result<()> {
    let (status, said) = Tool::run(["doctor", "--server", "no-such-name"])?;
    assert_eq!(status, exit::USAGE, "{said}");
    Ok(())
}
