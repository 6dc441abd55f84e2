//! `srsctl clients`: who is connected.

pub(crate) mod kick;

use serde::Serialize;
use srs_api::{Client as ApiClient, ClientAnswer, ClientRole, ClientsAnswer};

use super::Error;
use super::streams;
use crate::cli::Clients;
use crate::client::Client;
use crate::output::units::Elapsed;
use crate::output::{Cell, Colour, Column, Page, Report, Table, Terminal, list_remark};

/// The clients that were asked for.
#[derive(Debug, Serialize)]
#[serde(untagged)]
pub(crate) enum Listing {
    /// Several.
    All(ClientsAnswer),
    /// One, of which everything is told.
    One(Box<ClientAnswer>),
}

/// Asks for the clients.
///
/// # Errors
/// The server does not answer, or has no such client or stream.
pub(crate) async fn run(client: &Client, arguments: &Clients) -> Result<Listing, Error> {
    if let Some(id) = &arguments.id {
        return match client.client(id).await {
            Ok(answer) => Ok(Listing::One(Box::new(answer))),
            Err(error) if error.is_not_found() => Err(Error::Nothing {
                what: format!("client {id}"),
                list: "srsctl clients",
            }),
            Err(error) => Err(error.into()),
        };
    }
    let mut query = Vec::new();
    if let Some(vhost) = &arguments.vhost {
        query.push(("vhost", vhost.as_str()));
    }
    if arguments.publishers {
        query.push(("type", "publish"));
    } else if arguments.players {
        query.push(("type", "play"));
    }
    query.extend(arguments.order.query());
    let limit = arguments.list.limit;
    let mut answer = match &arguments.stream {
        Some(name) => of_stream(client, name, &query, limit).await?,
        None => client.clients(&query, limit).await?,
    };
    // A server that does not know a filter gives everything.
    let before = answer.clients.len();
    answer.clients.retain(|client| is_wanted(client, arguments));
    answer.total -= (before - answer.clients.len()).min(answer.total);
    Ok(Listing::All(answer))
}

/// The clients of all streams that `name` may mean.
async fn of_stream(
    client: &Client,
    name: &str,
    query: &[(&str, &str)],
    limit: usize,
) -> Result<ClientsAnswer, Error> {
    let streams = streams::find(client, name).await?;
    let mut whole = ClientsAnswer {
        code: streams.code,
        identity: streams.identity,
        total: 0,
        clients: Vec::new(),
    };
    for stream in &streams.streams {
        let query = [query, &[("stream", stream.id.as_str())]].concat();
        let mut part = client.clients(&query, limit).await?;
        let before = part.clients.len();
        part.clients.retain(|client| client.stream == stream.id);
        whole.total += part.total - (before - part.clients.len()).min(part.total);
        whole.clients.append(&mut part.clients);
        whole.clients.truncate(limit);
    }
    Ok(whole)
}

fn is_wanted(client: &ApiClient, arguments: &Clients) -> bool {
    let plays = client.role == ClientRole::Play;
    arguments
        .vhost
        .as_ref()
        .is_none_or(|vhost| client.vhost == *vhost)
        && (!arguments.publishers || client.publish)
        && (!arguments.players || plays)
}

impl Report for Listing {
    fn text(&self, terminal: &Terminal) -> String {
        match self {
            Self::All(answer) => table(&answer.clients).render(terminal),
            Self::One(answer) => details(&answer.client).render(terminal),
        }
    }

    fn remark(&self) -> Option<String> {
        match self {
            Self::All(answer) => list_remark("clients", answer.clients.len(), answer.total),
            Self::One(_) => None,
        }
    }
}

fn table(clients: &[ApiClient]) -> Table {
    let mut table = Table::new([
        Column::number("ID"),
        Column::word("TYPE").rank(1),
        Column::word("ADDRESS").rank(2),
        Column::text("STREAM"),
        Column::number("IN kbps").rank(4),
        Column::number("OUT kbps").rank(3),
        Column::number("LAG ms").rank(7),
        Column::number("DROPS").rank(5),
        Column::number("RTT ms").rank(9),
        Column::number("RETR").rank(10),
        Column::number("UP").rank(6),
        Column::text("AGENT").rank(8),
    ]);
    for client in clients {
        table.add([
            client.id.as_str().into(),
            role(client).into(),
            client.ip.as_str().into(),
            stream(client).into(),
            client.kbps.recv_30s.into(),
            client.kbps.send_30s.into(),
            client.lag_ms.into(),
            Cell::from(client.drops).painted(Colour::Odd, client.drops > 0),
            rtt(client).into(),
            client.retransmits.into(),
            Elapsed::seconds(client.alive).into(),
            client.agent.as_str().into(),
        ]);
    }
    table
}

fn details(client: &ApiClient) -> Page {
    let mut page = Page::default();
    page.add("id", &client.id);
    page.add("type", long_role(client.role));
    page.add("address", address(client));
    page.add("stream", stream(client));
    page.add("stream id", &client.stream);
    page.add("vhost", &client.vhost);
    page.add("connected to", &client.tc_url);
    page.add("page", &client.page_url);
    page.add("player", &client.swf_url);
    page.add("agent", &client.agent);
    page.add("up", Elapsed::seconds(client.alive));
    streams::add_traffic(
        &mut page,
        &client.kbps,
        client.recv_bytes,
        client.send_bytes,
    );
    if client.rtt_ms.is_some() {
        page.add("round trip", format!("{} ms", rtt(client)));
    }
    page.add("sent again", format!("{} TCP segments", client.retransmits));
    if client.role == ClientRole::Play {
        page.add("behind by", format!("{} ms", client.lag_ms));
        page.add("drops", streams::dropped(client.drops, client.jumps));
    }
    page
}

/// The round trip to it, in milliseconds; empty before it was measured.
fn rtt(client: &ApiClient) -> String {
    client
        .rtt_ms
        .map_or_else(String::new, |rtt| format!("{rtt:.1}"))
}

/// What it does, in a word.
fn role(client: &ApiClient) -> &'static str {
    match client.role {
        ClientRole::Unknown => "-",
        ClientRole::FmlePublish | ClientRole::FlashPublish => "publish",
        ClientRole::Play => "play",
    }
}

fn long_role(role: ClientRole) -> &'static str {
    match role {
        ClientRole::Unknown => "has not said yet what it wants",
        ClientRole::FmlePublish => "publishes, as FMLE does",
        ClientRole::FlashPublish => "publishes, as Flash does",
        ClientRole::Play => "plays",
    }
}

/// The stream of a client as people call it; as far as it has one.
fn stream(client: &ApiClient) -> String {
    streams::label(&client.vhost, &client.app, &client.name)
}

/// `192.0.2.7:51234`, or `[2001:db8::7]:51234`.
fn address(client: &ApiClient) -> String {
    match client.port {
        0 => client.ip.clone(),
        port if client.ip.contains(':') => format!("[{}]:{port}", client.ip),
        port => format!("{}:{port}", client.ip),
    }
}

#[cfg(test)]
pub(super) mod tests {
    use srs_api::Kbps;

    use super::*;

    pub(crate) fn client(id: &str, role: ClientRole) -> ApiClient {
        ApiClient {
            id: id.to_owned(),
            vhost: "__defaultVhost__".to_owned(),
            stream: "s17".to_owned(),
            app: "live".to_owned(),
            ip: "192.0.2.7".to_owned(),
            port: 51_234,
            page_url: String::new(),
            swf_url: String::new(),
            tc_url: "rtmp://example.com/live".to_owned(),
            url: "/live/show".to_owned(),
            name: "show".to_owned(),
            role,
            publish: role != ClientRole::Play,
            agent: "LNX 9,0,124,2".to_owned(),
            alive: 192.5,
            send_bytes: 3_000,
            recv_bytes: 4_000_000,
            send_packets: 10,
            recv_packets: 20,
            drops: 0,
            jumps: 0,
            lag_ms: 0,
            rtt_ms: None,
            retransmits: 0,
            kbps: Kbps {
                recv_30s: 1_234,
                ..Kbps::default()
            },
        }
    }

    #[test]
    fn a_client_is_a_line() {
        let mut slow = client("1105", ClientRole::Play);
        (slow.drops, slow.lag_ms, slow.agent) = (7, 850, "a\x1b[2J".to_owned());
        (slow.rtt_ms, slow.retransmits) = (Some(23.46), 12);
        let mut new = client("1106", ClientRole::Unknown);
        (new.app, new.name, new.vhost) = Default::default();
        let clients = [client("104", ClientRole::FmlePublish), slow, new];
        let text = table(&clients).render(&Terminal::NONE);
        let lines: Vec<_> = text.lines().collect();
        assert_eq!(
            lines,
            [
                "  ID  TYPE     ADDRESS    STREAM     IN kbps  OUT kbps  LAG ms  DROPS  RTT ms  RETR      \
                 UP  AGENT",
                " 104  publish  192.0.2.7  live/show     1234         0       0      0             0  \
                 3m 12s  LNX 9,0,124,2",
                "1105  play     192.0.2.7  live/show     1234         0     850      7    23.5    12  \
                 3m 12s  a\\u{1b}[2J",
                "1106  -        192.0.2.7                1234         0       0      0             0  \
                 3m 12s  LNX 9,0,124,2",
            ]
        );
    }

    #[test]
    fn names_are_whole_where_the_terminal_is_narrow() {
        let terminal = Terminal {
            width: Some(80),
            colour: false,
        };
        let player = client("1104", ClientRole::Play);
        let mut long = client("1105", ClientRole::Play);
        long.name = "n".repeat(32);
        let shown = |client: &ApiClient| {
            let text = table(std::slice::from_ref(client)).render(&terminal);
            text.lines().map(str::to_owned).collect::<Vec<_>>()
        };
        assert_eq!(
            shown(&player),
            [
                "  ID  TYPE  ADDRESS    STREAM     IN kbps  OUT kbps  LAG ms  DROPS  RETR      UP",
                "1104  play  192.0.2.7  live/show     1234         0       0      0     0  3m 12s",
            ]
        );
        assert_eq!(
            shown(&long)[1],
            "1105  play  192.0.2.7  live/nnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnn     1234         0"
        );
    }

    #[test]
    fn addresses_have_their_port() {
        let mut client = client("104", ClientRole::Play);
        assert_eq!(address(&client), "192.0.2.7:51234");
        client.ip = "2001:db8::7".to_owned();
        assert_eq!(address(&client), "[2001:db8::7]:51234");
        client.port = 0;
        assert_eq!(
            address(&client),
            "2001:db8::7",
            "an older server does not tell"
        );
    }
}
