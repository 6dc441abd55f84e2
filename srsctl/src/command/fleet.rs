//! `srsctl fleet`: the servers that send this one their heartbeats.

use std::fmt::Display;

use srs_api::{Server, ServerState, ServersAnswer};

use super::Error;
use crate::cli::Fleet;
use crate::client::Client;
use crate::output::units::{Elapsed, percent};
use crate::output::{Cell, Colour, Column, Report, Size, Table, Terminal, list_remark};

/// Asks for the fleet.
///
/// # Errors
/// The server does not answer.
pub(crate) async fn run(client: &Client, arguments: &Fleet) -> Result<ServersAnswer, Error> {
    Ok(client.servers(arguments.list.limit).await?)
}

impl Report for ServersAnswer {
    fn text(&self, terminal: &Terminal) -> String {
        table(&self.servers).render(terminal)
    }

    fn remark(&self) -> Option<String> {
        list_remark("servers", self.servers.len(), self.total)
    }
}

fn table(servers: &[Server]) -> Table {
    let mut table = Table::new([
        Column::text("SERVER"),
        Column::word("STATE").rank(1),
        Column::number("SEEN").rank(2),
        Column::word("ADDRESS").rank(8),
        Column::word("VERSION").rank(11),
        Column::number("STREAMS").rank(6),
        Column::number("CLIENTS").rank(3),
        Column::number("IN kbps").rank(7),
        Column::number("OUT kbps").rank(4),
        Column::number("CPU").rank(5),
        Column::number("MEMORY").rank(10),
        Column::number("UP").rank(9),
    ]);
    for server in servers {
        let is_late = server.state == ServerState::Late;
        let state = if is_late { "late" } else { "up" };
        let colour = if is_late { Colour::Bad } else { Colour::Good };
        let seen = Elapsed::seconds(server.age);
        let memory = server.mem_kbyte.map(|kib| Size(kib.saturating_mul(1024)));
        table.add([
            server.device_id.as_str().into(),
            Cell::from(state).painted(colour, true),
            Cell::from(seen).painted(Colour::Bad, is_late),
            server.ip.as_str().into(),
            told(server.version.as_ref()),
            told(server.streams),
            told(server.clients),
            told(server.recv_kbps),
            told(server.send_kbps),
            told(server.cpu_percent.map(percent)),
            told(memory),
            told(server.uptime.map(Elapsed::seconds)),
        ]);
    }
    table
}

/// What a server tells; empty if it does not.
fn told(value: Option<impl Display>) -> Cell {
    value
        .map_or_else(String::new, |value| value.to_string())
        .into()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn up(device_id: &str) -> Server {
        Server {
            device_id: device_id.to_owned(),
            ip: "192.0.2.1".to_owned(),
            peer: "192.0.2.1".to_owned(),
            state: ServerState::Up,
            first_seen_ms: 0,
            last_seen_ms: 0,
            age: 3.2,
            interval: 9.9,
            beats: 100,
            version: Some("0.1.0".to_owned()),
            uptime: Some(11_520.0),
            streams: Some(3),
            clients: Some(905),
            recv_kbps: Some(1_234),
            send_kbps: Some(90_000),
            cpu_percent: Some(0.123),
            mem_kbyte: Some(48_000),
        }
    }

    #[test]
    fn late_servers_are_flagged_and_what_is_not_told_is_empty() {
        let up = up("edge1");
        let late = Server {
            device_id: "edge2".to_owned(),
            state: ServerState::Late,
            age: 300.0,
            version: None,
            uptime: None,
            streams: None,
            clients: None,
            recv_kbps: None,
            send_kbps: None,
            cpu_percent: None,
            mem_kbyte: None,
            ..up.clone()
        };
        let text = table(&[up, late]).render(&Terminal::NONE);
        let lines: Vec<_> = text.lines().collect();
        assert_eq!(
            lines,
            [
                "SERVER  STATE   SEEN  ADDRESS    VERSION  STREAMS  CLIENTS  IN kbps  OUT kbps     \
                 CPU   MEMORY      UP",
                "edge1   up        3s  192.0.2.1  0.1.0          3      905     1234     90000  \
                 12.3 %  49.2 MB  3h 12m",
                "edge2   late   5m 0s  192.0.2.1",
            ]
        );
    }

    #[test]
    fn names_are_whole_where_the_terminal_is_narrow() {
        let terminal = Terminal {
            width: Some(80),
            colour: false,
        };
        let text = table(&[up(&"e".repeat(32))]).render(&terminal);
        assert_eq!(
            text.lines().last().unwrap(),
            "eeeeeeeeeeeeeeeeeeeeeeeeeeeeeeee  up       3s      905     90000  12.3 %  3h 12m"
        );
    }
}
