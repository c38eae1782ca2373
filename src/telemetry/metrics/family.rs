//! Prometheus' shapes, made from plain numbers.

use std::collections::HashMap;

use prometheus::{
    core::Desc,
    proto::{
        Bucket, Counter, Gauge, Histogram as ProtoHistogram, LabelPair, Metric, MetricFamily,
        MetricType,
    },
};

use super::histogram::Reading;

/// A family's definition: what stands in `# HELP` and which labels it has.
#[derive(Debug)]
pub(super) struct Family {
    pub(super) name: &'static str,
    pub(super) help: &'static str,
    pub(super) labels: &'static [&'static str],
}

impl Family {
    pub(super) const fn new(
        name: &'static str,
        help: &'static str,
        labels: &'static [&'static str],
    ) -> Self {
        Self { name, help, labels }
    }

    pub(super) fn desc(&self) -> prometheus::Result<Desc> {
        let labels = self.labels.iter().map(|&label| label.to_owned()).collect();
        Desc::new(self.name.to_owned(), self.help.to_owned(), labels, HashMap::new())
    }

    fn collect(&self, kind: MetricType, metrics: Vec<Metric>) -> MetricFamily {
        let mut family = MetricFamily::default();
        family.set_name(self.name.to_owned());
        family.set_help(self.help.to_owned());
        family.set_field_type(kind);
        family.set_metric(metrics);
        family
    }

    fn metric(&self, labels: &[&str]) -> Metric {
        let pair = |(name, value): (&&str, &&str)| {
            let mut pair = LabelPair::default();
            pair.set_name((*name).to_owned());
            pair.set_value((*value).to_owned());
            pair
        };
        Metric::from_label(self.labels.iter().zip(labels).map(pair).collect())
    }

    fn counter_metric(&self, labels: &[&str], value: f64) -> Metric {
        let mut counter = Counter::default();
        counter.set_value(value);
        let mut metric = self.metric(labels);
        metric.set_counter(counter);
        metric
    }

    fn gauge_metric(&self, labels: &[&str], value: f64) -> Metric {
        let mut gauge = Gauge::default();
        gauge.set_value(value);
        let mut metric = self.metric(labels);
        metric.set_gauge(gauge);
        metric
    }

    fn histogram_metric(&self, labels: &[&str], reading: &Reading) -> Metric {
        let bucket = |(bound, count)| {
            let mut bucket = Bucket::default();
            bucket.set_upper_bound(bound);
            bucket.set_cumulative_count(count);
            bucket
        };
        let mut histogram = ProtoHistogram::default();
        histogram.set_bucket(reading.cumulative().map(bucket).collect());
        histogram.set_sample_count(reading.count());
        histogram.set_sample_sum(reading.sum_seconds());
        let mut metric = self.metric(labels);
        metric.set_histogram(histogram);
        metric
    }

    /// A counter without labels.
    pub(super) fn counter(&self, value: u64) -> MetricFamily {
        self.counter_seconds(float(value))
    }

    /// A counter of seconds without labels.
    pub(super) fn counter_seconds(&self, value: f64) -> MetricFamily {
        self.collect(MetricType::COUNTER, vec![self.counter_metric(&[], value)])
    }

    /// A counter with one label.
    pub(super) fn counters<'a>(
        &self,
        values: impl Iterator<Item = (&'a str, u64)>,
    ) -> MetricFamily {
        let metrics = values.map(|(label, value)| self.counter_metric(&[label], float(value)));
        self.collect(MetricType::COUNTER, metrics.collect())
    }

    /// A counter with two labels.
    pub(super) fn counters_by_two<'a>(
        &self,
        values: impl Iterator<Item = (&'a str, &'a str, u64)>,
    ) -> MetricFamily {
        let metrics = values
            .map(|(first, second, value)| self.counter_metric(&[first, second], float(value)));
        self.collect(MetricType::COUNTER, metrics.collect())
    }

    /// A gauge without labels.
    pub(super) fn gauge(&self, value: u64) -> MetricFamily {
        self.collect(MetricType::GAUGE, vec![self.gauge_metric(&[], float(value))])
    }

    /// A gauge with one label.
    pub(super) fn gauges<'a>(&self, values: impl Iterator<Item = (&'a str, u64)>) -> MetricFamily {
        let metrics = values.map(|(label, value)| self.gauge_metric(&[label], float(value)));
        self.collect(MetricType::GAUGE, metrics.collect())
    }

    /// A histogram without labels.
    pub(super) fn histogram(&self, reading: &Reading) -> MetricFamily {
        self.collect(MetricType::HISTOGRAM, vec![self.histogram_metric(&[], reading)])
    }

    /// A histogram with one label.
    pub(super) fn histograms<'a>(
        &self,
        readings: impl Iterator<Item = (&'a str, &'a Reading)>,
    ) -> MetricFamily {
        let metrics = readings.map(|(label, reading)| self.histogram_metric(&[label], reading));
        self.collect(MetricType::HISTOGRAM, metrics.collect())
    }
}

#[expect(clippy::cast_precision_loss, reason = "Prometheus' values are f64, exact up to 2^53")]
fn float(value: u64) -> f64 {
    value as f64
}
