//! nginx with its RTMP module: a server to relay from and to, and one to hold ours against.

use std::fs;
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::PathBuf;

use anyhow::{Context, Result, bail};
use tempfile::TempDir;

use crate::process::command;
use crate::{Log, Process, SOON, wait_for};

/// A running nginx that serves RTMP on a port of its own, and nothing else.
#[derive(Debug)]
pub struct Nginx {
    process: Process,
    address: SocketAddr,
    _folder: TempDir,
}

impl Nginx {
    /// Starts it with the application `live`, whose `directives` (`live on;` is there already) may
    /// push and pull.
    ///
    /// # Errors
    /// If there is no nginx with the RTMP module, or it does not like the directives.
    pub fn start(directives: &str) -> Result<Self> {
        // Between our asking for a free port and nginx's binding it, another may have taken it.
        for _ in 0..PORTS_TO_TRY {
            if let Some(nginx) = Self::try_start(directives, free_address()?)? {
                return Ok(nginx);
            }
        }
        bail!("nginx found {PORTS_TO_TRY} ports taken that were free")
    }

    /// The URL of `path` (`live/show`) there.
    #[must_use]
    pub fn rtmp_url(&self, path: &str) -> String {
        format!("rtmp://{}/{path}", self.address)
    }

    /// What it says.
    #[must_use]
    pub fn log(&self) -> &Log {
        self.process.log()
    }

    fn try_start(directives: &str, address: SocketAddr) -> Result<Option<Self>> {
        let folder = tempfile::tempdir()?;
        let configuration = folder.path().join("nginx.conf");
        let module = module()?;
        fs::write(
            &configuration,
            format!(
                "load_module {};\n\
                 daemon off;\n\
                 master_process off;\n\
                 pid {}/nginx.pid;\n\
                 error_log stderr info;\n\
                 events {{}}\n\
                 rtmp {{ server {{ listen {address};\n\
                 application live {{ live on; {directives} }}\n\
                 }} }}\n",
                module.display(),
                folder.path().display(),
            ),
        )?;
        let mut process = Process::start(
            "nginx",
            command(program())
                .args(["-e", "stderr", "-p"])
                .arg(folder.path())
                .arg("-c")
                .arg(&configuration),
        )?;
        let started = wait_for(SOON, "nginx to listen", || {
            if !process.is_running()? {
                return Ok(Some(false));
            }
            Ok(TcpStream::connect(address).is_ok().then_some(true))
        })?;
        if started {
            return Ok(Some(Self {
                process,
                address,
                _folder: folder,
            }));
        }
        process.wait(SOON)?;
        if process.log().contains("Address already in use") {
            return Ok(None);
        }
        bail!("nginx does not start: {}", process.log().tail())
    }
}

fn free_address() -> Result<SocketAddr> {
    Ok(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?)
}

/// nginx lies where only root's `PATH` leads.
fn program() -> &'static str {
    "/usr/sbin/nginx"
}

fn module() -> Result<PathBuf> {
    [
        "/usr/lib/nginx/modules",
        "/usr/share/nginx/modules",
        "/usr/lib64/nginx/modules",
    ]
    .iter()
    .map(|folder| PathBuf::from(folder).join("ngx_rtmp_module.so"))
    .find(|path| path.exists())
    .context("nginx has no RTMP module; Debian's package is libnginx-mod-rtmp")
}

const PORTS_TO_TRY: u32 = 5;
