//! A histogram of durations with fixed bounds and one writer.

use std::time::Duration;

use super::cell::{Cell, Cells};

/// Upper bounds in microseconds: from what a proxy on loopback takes to what a client gives up at.
pub(super) const BOUNDS_MICROSECONDS: [u64; 18] = [
    100, 250, 500, 1_000, 2_500, 5_000, 10_000, 25_000, 50_000, 100_000, 250_000, 500_000,
    1_000_000, 2_500_000, 5_000_000, 10_000_000, 30_000_000, 60_000_000,
];

/// Durations in buckets, written by one thread.
#[derive(Debug)]
pub struct Histogram {
    /// One for each bound, and one for what lies above all.
    buckets: Cells,
    sum_microseconds: Cell,
}

/// A histogram's values at one moment; sums of several are made with [`Reading::add`].
#[derive(Clone, Debug, Default)]
pub(super) struct Reading {
    buckets: [u64; BOUNDS_MICROSECONDS.len() + 1],
    sum_microseconds: u64,
}

impl Histogram {
    /// An empty histogram.
    #[must_use]
    pub fn new() -> Self {
        Self {
            buckets: Cells::new(BOUNDS_MICROSECONDS.len() + 1),
            sum_microseconds: Cell::default(),
        }
    }

    /// Counts one duration.
    pub fn observe(&self, duration: Duration) {
        let microseconds = u64::try_from(duration.as_micros()).unwrap_or(u64::MAX);
        let bucket = BOUNDS_MICROSECONDS.partition_point(|bound| *bound < microseconds);
        self.buckets.increment(bucket);
        self.sum_microseconds.add(microseconds);
    }
}

impl Default for Histogram {
    fn default() -> Self {
        Self::new()
    }
}

impl Reading {
    pub(super) fn add(&mut self, histogram: &Histogram) {
        for (sum, value) in self.buckets.iter_mut().zip(histogram.buckets.iter()) {
            *sum = sum.wrapping_add(value);
        }
        self.sum_microseconds =
            self.sum_microseconds.wrapping_add(histogram.sum_microseconds.read());
    }

    pub(super) fn count(&self) -> u64 {
        self.buckets.iter().sum()
    }

    pub(super) fn sum_seconds(&self) -> f64 {
        seconds(self.sum_microseconds)
    }

    /// Upper bounds in seconds, each with the number of durations at or below it.
    pub(super) fn cumulative(&self) -> impl Iterator<Item = (f64, u64)> {
        let counts = self.buckets.iter().scan(0_u64, |total, count| {
            *total = total.wrapping_add(*count);
            Some(*total)
        });
        BOUNDS_MICROSECONDS.iter().map(|bound| seconds(*bound)).zip(counts)
    }
}

#[expect(clippy::cast_precision_loss, reason = "Prometheus' values are f64; 2^53 µs is 285 years")]
fn seconds(microseconds: u64) -> f64 {
    microseconds as f64 / 1e6
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_duration_counts_in_every_bucket_at_or_above_it() {
        let histogram = Histogram::new();

        histogram.observe(Duration::from_micros(100));
        histogram.observe(Duration::from_millis(7));
        histogram.observe(Duration::from_secs(90));

        let mut reading = Reading::default();
        reading.add(&histogram);
        let buckets: Vec<_> = reading.cumulative().collect();
        assert_eq!(buckets[0], (0.0001, 1));
        assert_eq!(buckets[5], (0.005, 1));
        assert_eq!(buckets[6], (0.01, 2));
        assert_eq!(buckets[17], (60.0, 2));
        assert_eq!(reading.count(), 3);
        assert!((reading.sum_seconds() - 90.0071).abs() < 1e-9);
    }

    #[test]
    fn the_bounds_rise() {
        assert!(BOUNDS_MICROSECONDS.is_sorted());
    }
}
