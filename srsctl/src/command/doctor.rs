//! `srsctl doctor`: whether this host is fit for a server, and how to mend what is not.
//!
//! A [`Host`](host::Host) is read first; every check is a function of it, so that tests make up the
//! hosts that nobody has at hand.

mod accounts;
mod api_socket;
mod clock;
mod config;
mod descriptors;
mod disks;
mod ffmpeg;
mod finding;
mod firewall;
mod host;
mod kernel;
mod ports;
mod read;
mod report;
mod server;
mod units;

use self::host::Host;
use self::read::Root;
use self::report::Diagnosis;
use self::server::Server;
use self::units::Systemd;
use super::Error;
use super::session::{Session, form, print};
use crate::cli::{ApiOptions, Doctor};
use crate::output::units::plural;

/// Looks at the host, and prints what was found.
///
/// # Errors
/// There is a problem, or the options are wrong.
pub(crate) async fn run(arguments: &Doctor, options: &ApiOptions) -> Result<(), Error> {
    let root = Root::host();
    let systemd = Systemd::read(&root);
    // Whoever names a server wants it to be asked.
    let resting = Server::resting(&systemd).filter(|_| options.server.is_empty());
    let server = match resting {
        Some(resting) => resting,
        None => ask(options, &root).await?,
    };
    let host = Host::read(server, systemd, arguments.config.as_deref());
    let diagnosis = Diagnosis::of(host.check());
    print(&diagnosis, form(options)).await?;
    match diagnosis.problems() {
        0 => Ok(()),
        problems => Err(Error::Unfit {
            problems: plural(problems, "problem"),
        }),
    }
}

async fn ask(options: &ApiOptions, root: &Root) -> Result<Server, Error> {
    match Session::open(options).await {
        Ok(session) => Ok(Server::ask(&session.client, &session.name, root).await),
        // That there is none is a finding.
        Err(Error::Api(error)) => Ok(Server::absent(&error)),
        Err(error) => Err(error),
    }
}
