//! Which server is shown, and where its streams are played.

use super::{App, Tone};
use crate::top::columns::clients as client_columns;
use crate::top::event::{Effect, Target};
use crate::top::page::{Kind, Table};

impl App {
    pub(super) fn copy_url(&mut self) {
        let name = match (self.page().kind, self.page().kind.table()) {
            (Kind::Stream, _) => self.data().stream.as_ref().and_then(|stream| {
                let stream = stream.as_ref().ok()?;
                Some([&stream.vhost, &stream.app, &stream.name].map(Clone::clone))
            }),
            (Kind::Client, _) => self.data().client.as_ref().and_then(|client| {
                let client = client.as_ref().ok()?;
                Some([&client.vhost, &client.app, &client.name].map(Clone::clone))
            }),
            (_, Table::Streams) => self
                .data()
                .streams
                .get(self.page().cursor)
                .map(|stream| [&stream.vhost, &stream.app, &stream.name].map(Clone::clone)),
            (_, Table::Clients) => self
                .data()
                .clients
                .get(self.page().cursor)
                .map(|client| [&client.vhost, &client.app, &client.name].map(Clone::clone)),
            _ => None,
        };
        match name {
            Some([vhost, app, name]) if !name.is_empty() => {
                let url = client_columns::play_url(&self.play_base(), &vhost, &app, &name);
                self.want(Effect::Copy(url));
            }
            _ => self.say(Tone::Dim, "there is no stream to play"),
        }
    }

    /// What play URLs begin with: as the settings say, or else where the server listens.
    pub(super) fn play_base(&self) -> String {
        let server = self.server();
        if let Some(base) = &server.rtmp {
            return base.clone();
        }
        let service = server
            .data
            .summaries
            .as_ref()
            .and_then(|summaries| summaries.srs.as_ref());
        let listens = service.and_then(|service| service.listen.first());
        let port = listens.and_then(|address| address.rsplit(':').next());
        match port.and_then(|port| port.parse::<u16>().ok()) {
            Some(port) if port != RTMP => format!("rtmp://{}:{port}", server.host),
            _ => format!("rtmp://{}", server.host),
        }
    }

    pub(super) fn next_server(&mut self) {
        if self.servers.len() < 2 {
            self.say(
                Tone::Dim,
                "there is one server; :server NAME watches another one, too",
            );
            return;
        }
        self.show_server((self.current + 1) % self.servers.len());
    }

    /// Shows another server, from its first view on.
    pub(crate) fn show_server(&mut self, place: usize) {
        if place < self.servers.len() {
            self.current = place;
            self.close_questions();
            self.opened.clear();
            for page in &mut self.roots {
                page.marked.clear();
                page.selected = None;
                (page.cursor, page.offset) = (0, 0);
            }
            self.turn_page();
        }
    }

    pub(super) fn go_to_server(&mut self, place: usize) {
        let Some(member) = self.data().fleet.get(place).cloned() else {
            return;
        };
        let known = self
            .servers
            .iter()
            .position(|server| server.name == member.name);
        if let Some(place) = known {
            self.show_server(place);
            self.view = 0;
        } else {
            // Its API is where SRS has it, unless the settings know better.
            let address = match member.address.contains(':') {
                true => format!("http://[{}]:1985", member.address),
                false => format!("http://{}:1985", member.address),
            };
            match address.parse() {
                Ok(address) => {
                    self.say(Tone::Plain, format!("asks {}", member.name));
                    self.want(Effect::Open(Target::Heard {
                        name: member.name,
                        address,
                    }));
                }
                Err(_) => self.say(Tone::Odd, format!("{} gives no address", member.name)),
            }
        }
    }
}

/// The port of RTMP, which URLs need not name.
const RTMP: u16 = 1935;
