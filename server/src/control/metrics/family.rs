//! Metrics of one name, with and without labels.

use prometheus::proto::{Counter, Gauge, LabelPair, Metric, MetricFamily, MetricType};

/// All metrics, in the order in which they were added.
#[derive(Debug, Default)]
pub(super) struct Families(Vec<MetricFamily>);

impl Families {
    /// What may go up and down.
    pub(super) fn gauge(&mut self, name: &str, help: &str) -> Family<'_> {
        self.family(name, help, MetricType::GAUGE)
    }

    /// What only grows, until a restart.
    pub(super) fn counter(&mut self, name: &str, help: &str) -> Family<'_> {
        self.family(name, help, MetricType::COUNTER)
    }

    fn family(&mut self, name: &str, help: &str, of: MetricType) -> Family<'_> {
        let mut family = MetricFamily::default();
        family.set_name(name.to_owned());
        family.set_help(help.to_owned());
        family.set_field_type(of);
        Family {
            families: self,
            family,
            metrics: Vec::new(),
        }
    }

    /// Those that have a value.
    pub(super) fn into_vec(self) -> Vec<MetricFamily> {
        self.0
    }
}

/// Metrics of one name. Dropping it adds it to the others, if it has any.
#[derive(Debug)]
pub(super) struct Family<'a> {
    families: &'a mut Families,
    family: MetricFamily,
    metrics: Vec<Metric>,
}

impl Family<'_> {
    /// The one value.
    pub(super) fn is(self, value: f64) {
        drop(self.with(&[], value));
    }

    /// The value of those with `labels`.
    pub(super) fn with(mut self, labels: &[(&str, &str)], value: f64) -> Self {
        self.set(labels, value);
        self
    }

    /// A count for each value of one label.
    pub(super) fn each<'a>(mut self, label: &str, counts: impl Iterator<Item = (&'a str, u64)>) {
        for (value, count) in counts {
            self.set(&[(label, value)], number(count));
        }
    }

    /// The value of those with `labels`.
    pub(super) fn set(&mut self, labels: &[(&str, &str)], value: f64) {
        let pair = |(name, value): &(&str, &str)| {
            let mut pair = LabelPair::default();
            pair.set_name((*name).to_owned());
            pair.set_value((*value).to_owned());
            pair
        };
        let mut metric = Metric::from_label(labels.iter().map(pair).collect());
        if self.family.get_field_type() == MetricType::COUNTER {
            let mut counter = Counter::default();
            counter.set_value(value);
            metric.set_counter(counter);
        } else {
            let mut gauge = Gauge::default();
            gauge.set_value(value);
            metric.set_gauge(gauge);
        }
        self.metrics.push(metric);
    }
}

impl Drop for Family<'_> {
    fn drop(&mut self) {
        if !self.metrics.is_empty() {
            self.family.set_metric(std::mem::take(&mut self.metrics));
            self.families.0.push(std::mem::take(&mut self.family));
        }
    }
}

/// A count as Prometheus has them: exact up to 2^53.
#[expect(
    clippy::cast_precision_loss,
    reason = "Prometheus's numbers are floats, and these are exact up to 9 petabytes"
)]
pub(super) fn number(count: impl TryInto<u64>) -> f64 {
    count.try_into().map_or(f64::NAN, |count: u64| count as f64)
}

/// Unix milliseconds as seconds.
pub(super) fn millis(unix_millis: i64) -> f64 {
    number(unix_millis) / 1e3
}

/// 1 or 0.
pub(super) fn flag(is_set: bool) -> f64 {
    f64::from(u8::from(is_set))
}
