//! What is kept of the figures in a heartbeat.
//!
//! They come from servers of any make and from anybody who may post: numbers that no server can
//! have are left out, and texts are cut.

use srs_api::{Server, Summaries};

/// The figures of one heartbeat, as far as it has any.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Figures {
    pub version: Option<String>,
    pub uptime: Option<f64>,
    pub streams: Option<u64>,
    pub clients: Option<u64>,
    pub recv_kbps: Option<u64>,
    pub send_kbps: Option<u64>,
    pub cpu_percent: Option<f64>,
    pub mem_kbyte: Option<u64>,
}

impl Figures {
    /// Out of the summaries of any server. What only ours tells counts before what SRS has.
    pub(super) fn of(summaries: &Summaries) -> Self {
        let (process, system) = (&summaries.process, &summaries.system);
        let ours = summaries.srs.as_ref();
        let service = |ours: Option<u64>, of_srs: i64| ours.or_else(|| u64::try_from(of_srs).ok());
        let mem_kbyte = service(
            ours.map(|srs| srs.rss_kbyte).filter(|kbyte| *kbyte > 0),
            process.mem_kbyte,
        );
        Self {
            version: Some(process.version.clone()),
            uptime: Some(process.srs_uptime),
            streams: ours.map(|srs| srs.streams as u64),
            clients: service(ours.map(|srs| srs.clients as u64), system.conn_srs),
            recv_kbps: service(ours.map(|srs| srs.kbps.recv_30s), system.srs_recv_kbps),
            send_kbps: service(ours.map(|srs| srs.kbps.send_30s), system.srs_send_kbps),
            cpu_percent: Some(process.cpu_percent),
            mem_kbyte,
        }
        .sane()
    }

    /// Those of a server that was kept in a file.
    pub(super) fn of_kept(server: &Server) -> Self {
        Self {
            version: server.version.clone(),
            uptime: server.uptime,
            streams: server.streams,
            clients: server.clients,
            recv_kbps: server.recv_kbps,
            send_kbps: server.send_kbps,
            cpu_percent: server.cpu_percent,
            mem_kbyte: server.mem_kbyte,
        }
        .sane()
    }

    fn sane(self) -> Self {
        let float =
            |number: Option<f64>, most: f64| number.filter(|number| (0.0..=most).contains(number));
        let count = |number: Option<u64>, most: u64| number.filter(|number| *number <= most);
        Self {
            version: self.version.map(cut).filter(|version| !version.is_empty()),
            uptime: float(self.uptime, MOST_SECONDS),
            streams: count(self.streams, MOST_CLIENTS),
            clients: count(self.clients, MOST_CLIENTS),
            recv_kbps: count(self.recv_kbps, MOST_KBPS),
            send_kbps: count(self.send_kbps, MOST_KBPS),
            cpu_percent: float(self.cpu_percent, MOST_CORES),
            mem_kbyte: count(self.mem_kbyte, MOST_KBYTE),
        }
    }
}

/// A text that fits a line.
fn cut(text: String) -> String {
    text.chars()
        .filter(|c| !c.is_control())
        .take(MOST_CHARS)
        .collect()
}

const MOST_CHARS: usize = 32;
/// A hundred years.
const MOST_SECONDS: f64 = 3.2e9;
const MOST_CLIENTS: u64 = 1_000_000_000;
/// A petabit per second.
const MOST_KBPS: u64 = 1_000_000_000_000;
const MOST_CORES: f64 = 100_000.0;
/// A pebibyte.
const MOST_KBYTE: u64 = 1 << 40;

#[cfg(test)]
mod tests {
    use srs_api::ServiceSummary;

    use super::*;

    #[test]
    fn ours_count_before_those_of_srs() {
        let mut summaries = Summaries::default();
        summaries.process.version = "0.9.189".to_owned();
        summaries.process.mem_kbyte = 100;
        summaries.system.conn_srs = 3;
        summaries.system.srs_recv_kbps = 30;
        let of_srs = Figures::of(&summaries);
        assert_eq!(of_srs.version.as_deref(), Some("0.9.189"));
        assert_eq!((of_srs.streams, of_srs.clients), (None, Some(3)));
        assert_eq!((of_srs.recv_kbps, of_srs.mem_kbyte), (Some(30), Some(100)));

        let mut srs = ServiceSummary {
            streams: 1,
            clients: 2,
            rss_kbyte: 50,
            ..ServiceSummary::default()
        };
        srs.kbps.recv_30s = 40;
        summaries.srs = Some(srs);
        let ours = Figures::of(&summaries);
        assert_eq!((ours.streams, ours.clients), (Some(1), Some(2)));
        assert_eq!((ours.recv_kbps, ours.mem_kbyte), (Some(40), Some(50)));
    }

    #[test]
    fn what_cannot_be_is_left_out() {
        let mut summaries = Summaries::default();
        summaries.process.version = format!("\u{1b}[31m{}", "9".repeat(1_000));
        summaries.process.srs_uptime = f64::NAN;
        summaries.process.cpu_percent = -0.5;
        summaries.process.mem_kbyte = i64::MIN;
        summaries.system.conn_srs = i64::MAX;
        summaries.system.srs_recv_kbps = -1;
        summaries.system.srs_send_kbps = i64::MAX;
        let figures = Figures::of(&summaries);
        let version = format!("[31m{}", "9".repeat(28));
        assert_eq!(
            figures,
            Figures {
                version: Some(version),
                ..Figures::default()
            }
        );
        summaries.process.srs_uptime = f64::INFINITY;
        assert_eq!(Figures::of(&summaries).uptime, None);
    }
}
