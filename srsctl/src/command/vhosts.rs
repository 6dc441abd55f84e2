//! `srsctl vhosts`: the virtual hosts.

use serde::Serialize;
use srs_api::{Vhost, VhostAnswer, VhostsAnswer};

use super::Error;
use super::streams::add_traffic;
use crate::cli::Vhosts;
use crate::client::Client;
use crate::output::{Cell, Colour, Column, Page, Report, Table, Terminal, list_remark};

/// The vhosts that were asked for.
#[derive(Debug, Serialize)]
#[serde(untagged)]
pub(crate) enum Listing {
    /// Several.
    All(VhostsAnswer),
    /// One, of which everything is told.
    One(VhostAnswer),
}

/// Asks for the vhosts.
///
/// # Errors
/// The server does not answer, or has no such vhost.
pub(crate) async fn run(client: &Client, arguments: &Vhosts) -> Result<Listing, Error> {
    let Some(name) = &arguments.name else {
        return Ok(Listing::All(client.vhosts(arguments.list.limit).await?));
    };
    match client.vhost(name).await {
        Ok(answer) => Ok(Listing::One(answer)),
        Err(error) if error.is_not_found() => Err(Error::Nothing {
            what: format!("vhost {name}"),
            list: "srsctl vhosts",
        }),
        Err(error) => Err(error.into()),
    }
}

impl Report for Listing {
    fn text(&self, terminal: &Terminal) -> String {
        match self {
            Self::All(answer) => table(&answer.vhosts).render(terminal),
            Self::One(answer) => details(&answer.vhost).render(terminal),
        }
    }

    fn remark(&self) -> Option<String> {
        match self {
            Self::All(answer) => list_remark("vhosts", answer.vhosts.len(), answer.total),
            Self::One(_) => None,
        }
    }
}

fn table(vhosts: &[Vhost]) -> Table {
    let mut table = Table::new([
        Column::text("VHOST"),
        Column::word("STATE").rank(1),
        Column::number("STREAMS").rank(2),
        Column::number("CLIENTS").rank(6),
        Column::number("VIEWERS").rank(3),
        Column::number("IN kbps").rank(5),
        Column::number("OUT kbps").rank(4),
    ]);
    for vhost in vhosts {
        table.add([
            vhost.name.as_str().into(),
            Cell::from(state(vhost)).painted(Colour::Odd, !vhost.enabled),
            vhost.streams.into(),
            vhost.clients.into(),
            vhost.viewers.into(),
            vhost.kbps.recv_30s.into(),
            vhost.kbps.send_30s.into(),
        ]);
    }
    table
}

fn details(vhost: &Vhost) -> Page {
    let mut page = Page::default();
    page.add("name", &vhost.name);
    page.add_painted(
        "state",
        state(vhost),
        (!vhost.enabled).then_some(Colour::Odd),
    );
    page.add("streams", vhost.streams);
    page.add("clients", vhost.clients);
    page.add("viewers", vhost.viewers);
    add_traffic(&mut page, &vhost.kbps, vhost.recv_bytes, vhost.send_bytes);
    page
}

fn state(vhost: &Vhost) -> &'static str {
    if vhost.enabled { "on" } else { "off" }
}

#[cfg(test)]
mod tests {
    use srs_api::{Hls, Kbps};

    use super::*;

    #[test]
    fn a_vhost_is_a_line() {
        let vhost = Vhost {
            id: "live.example.com".to_owned(),
            name: "live.example.com".to_owned(),
            enabled: false,
            clients: 13,
            streams: 1,
            viewers: 12,
            send_bytes: 0,
            recv_bytes: 0,
            send_packets: 0,
            recv_packets: 0,
            kbps: Kbps::default(),
            hls: Hls::default(),
        };
        let expected = "\
VHOST             STATE  STREAMS  CLIENTS  VIEWERS  IN kbps  OUT kbps
live.example.com  off          1       13       12        0         0
";
        assert_eq!(table(&[vhost]).render(&Terminal::NONE), expected);
    }
}
