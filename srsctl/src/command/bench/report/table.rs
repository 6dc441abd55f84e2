//! A report for people, on 80 columns.

use std::fmt;

use super::{Latency, Report, Server, Times};
use crate::output::units::plural;

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "  load        {}", self.load())?;
        writeln!(f, "  measured    {:.1} s", self.seconds)?;
        writeln!(f, "  clients     {}", self.clients())?;
        writeln!(f, "  problems    {}", self.problems())?;
        let (taken, delivered) = (self.sent_ratio, self.delivered_ratio);
        if let Some(gbit) = self.gbit_in {
            let traffic = self.traffic(gbit, taken, "of what was due");
            writeln!(f, "  to server   {traffic}")?;
        }
        if let Some(gbit) = self.gbit_out {
            let traffic = self.traffic(gbit, delivered, "of what was published");
            writeln!(f, "  to players  {traffic}")?;
        }
        self.write_times(f)?;
        if let Some(server) = &self.server {
            server.fmt(f)?;
        }
        write!(
            f,
            "  tool        {:.1} % of a processor",
            self.tool.cpu_percent
        )?;
        if let Some(late) = self.tool.late_p95_ms {
            write!(f, ", late by {} ms (p95)", Millis(late))?;
        }
        writeln!(f)?;
        if let Some(saturation) = self.saturation {
            let (cause, advice) = (saturation.cause(), saturation.advice());
            writeln!(
                f,
                "\nSaturated: {cause},\nso the server was not measured:\n{advice}."
            )?;
        }
        Ok(())
    }
}

impl Report {
    fn load(&self) -> String {
        let mut load = plural(self.streams, "stream");
        if let Some(bitrate) = self.bitrate_kbps {
            load += &format!(" of {bitrate} kbit/s");
        }
        if self.players > 0 {
            load = format!("{}, {load}", plural(self.players, "player"));
        }
        match self.interval_ms {
            None => load,
            Some(0.0) => format!("{load}, a write per message"),
            Some(interval) => format!("{load}, a write every {interval} ms"),
        }
    }

    fn clients(&self) -> String {
        let counts = [(self.playing, "playing"), (self.publishers, "publishing")];
        list(&counts).unwrap_or_else(|| "none".to_owned())
    }

    fn problems(&self) -> String {
        let counts = [
            (self.refused, "refused"),
            (self.failed, "failed"),
            (self.disconnected, "disconnected"),
            (self.starved.unwrap_or_default(), "starved"),
        ];
        list(&counts).unwrap_or_else(|| "none".to_owned())
    }

    fn traffic(&self, gbit: f64, ratio: Option<f64>, of_what: &str) -> String {
        let rate = gbit / self.seconds.max(f64::MIN_POSITIVE);
        let mut traffic = format!("{gbit:.3} Gbit, {rate:.3} Gbit/s");
        if let Some(ratio) = ratio {
            traffic += &format!(", {:.1} % {of_what}", ratio * 100.0);
        }
        traffic
    }

    fn write_times(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let rows = [
            ("first byte", self.first_byte_ms.map(Row::from)),
            ("key frame", self.first_key_frame_ms.map(Row::from)),
            ("latency", self.latency_ms.map(Row::from)),
        ];
        if rows.iter().all(|(_, row)| row.is_none()) {
            return Ok(());
        }
        let (p50, p95, p99, max) = ("p50", "p95", "p99", "max");
        writeln!(f, "\n  {:12}{p50:>12}{p95:>12}{p99:>12}{max:>12}", "ms")?;
        for (name, row) in rows {
            if let Some(row) = row {
                write!(f, "  {name:12}")?;
                for figure in [Some(row.p50), Some(row.p95), row.p99, Some(row.max)] {
                    let figure = figure.map_or_else(|| "-".to_owned(), |f| Millis(f).to_string());
                    write!(f, "{figure:>12}")?;
                }
                writeln!(f)?;
            }
        }
        writeln!(f)
    }
}

impl fmt::Display for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "  server      {:.1} % of a processor, {:.2} s",
            self.cpu_percent, self.cpu_seconds
        )?;
        if let Some(seconds) = self.cpu_seconds_per_gbit {
            write!(f, ", {seconds:.3} s per Gbit")?;
        }
        writeln!(f)?;
        let busy = self
            .threads
            .iter()
            .filter(|thread| thread.cpu_seconds > 0.0);
        for (number, thread) in busy.take(THREADS).enumerate() {
            let label = if number == 0 { "threads" } else { "" };
            writeln!(
                f,
                "  {label:10}  {:15} {:7.2} s",
                thread.name, thread.cpu_seconds
            )?;
        }
        write!(f, "  memory      {}", kb(self.rss_kb))?;
        if let Some(before) = self.rss_kb_before {
            write!(f, ", {} before", kb(before))?;
        }
        if let Some(each) = self.kb_per_player {
            write!(f, ", {each:.1} kB per player in all")?;
        }
        writeln!(f)
    }
}

/// A row of the table of times.
#[derive(Clone, Copy, Debug)]
struct Row {
    p50: f64,
    p95: f64,
    p99: Option<f64>,
    max: f64,
}

impl From<Times> for Row {
    fn from(Times { p50, p95, max }: Times) -> Self {
        let p99 = None;
        Self { p50, p95, p99, max }
    }
}

impl From<Latency> for Row {
    fn from(Latency { p50, p95, p99, max }: Latency) -> Self {
        let p99 = Some(p99);
        Self { p50, p95, p99, max }
    }
}

/// Milliseconds, with as many decimals as matter.
struct Millis(f64);

impl fmt::Display for Millis {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            ..10.0 => write!(f, "{:.2}", self.0),
            ..100.0 => write!(f, "{:.1}", self.0),
            millis => write!(f, "{millis:.0}"),
        }
    }
}

/// The counts that are not 0; `None` if all are.
fn list(counts: &[(usize, &str)]) -> Option<String> {
    let parts: Vec<_> = counts
        .iter()
        .filter(|(number, _)| *number > 0)
        .map(|(number, what)| format!("{number} {what}"))
        .collect();
    (!parts.is_empty()).then(|| parts.join(", "))
}

/// Memory, which the kernel counts in kB of 1024 bytes.
fn kb(kb: u64) -> String {
    match kb {
        ..10_000 => format!("{kb} kB"),
        _ => format!("{:.1} MB", kb as f64 / 1024.0),
    }
}

/// The busiest threads; others are in the JSON.
const THREADS: usize = 8;

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::super::tests::{load, outcome};
    use super::super::{Saturation, Subject};
    use super::*;

    #[test]
    fn a_table_fits_on_80_columns_and_says_everything() {
        let table = Report::new(Subject::Play, &load(900), &outcome()).to_string();
        assert_eq!(
            table,
            "  \
  load        900 players, 1 stream of 500 kbit/s
  measured    20.0 s
  clients     900 playing, 1 publishing
  problems    none
  to players  9.000 Gbit, 0.450 Gbit/s, 100.4 % of what was published

  ms                   p50         p95         p99         max
  first byte          2.00        2.00           -        2.00
  key frame           2.00        2.00           -        2.00
  latency             2.00        2.00        2.00        2.00

  server      12.3 % of a processor, 2.46 s, 0.273 s per Gbit
  threads     srs                2.46 s
  memory      12.1 MB, 4000 kB before, 13.7 kB per player in all
  tool        7.1 % of a processor, late by 2.00 ms (p95)
"
        );
    }

    #[test]
    fn a_saturated_tool_says_so_and_nothing_about_the_server() {
        let mut outcome = outcome();
        outcome.own_cpu = Duration::from_secs(20);
        let table = Report::new(Subject::Publish, &load(0), &outcome).to_string();
        assert!(table.contains("processor was full"), "{table}");
        for absent in ["\n  server", "p50", "starved", "%, of"] {
            assert!(!table.contains(absent), "{absent}: {table}");
        }
    }

    #[test]
    fn why_the_tool_was_saturated_fits_on_80_columns() {
        for saturation in [
            Saturation::Processor,
            Saturation::Publishers,
            Saturation::Players,
        ] {
            let mut report = Report::new(Subject::Play, &load(900), &outcome());
            report.saturation = Some(saturation);
            let table = report.to_string();
            assert!(table.contains(saturation.cause()), "{table}");
            assert!(table.lines().all(|line| line.len() <= 80), "{table}");
        }
    }

    #[test]
    fn every_line_is_readable_where_the_figures_are_large() {
        let mut outcome = outcome();
        (outcome.received, outcome.published) = (1 << 40, 1 << 39);
        outcome.playing = 12_345;
        outcome.first_media.record(Duration::from_millis(12_345));
        outcome.latency.record(Duration::from_secs(100));
        let interval = Duration::from_millis(350);
        outcome.tally.failed = 12_345;
        outcome.starved = 12_345;
        let subjects = [
            Subject::Publish,
            Subject::Floor {
                interval,
                reads: false,
            },
        ];
        for subject in subjects {
            let table = Report::new(subject, &load(12_345), &outcome).to_string();
            assert!(table.lines().all(|line| line.len() <= 80), "{table}");
        }
    }
}
