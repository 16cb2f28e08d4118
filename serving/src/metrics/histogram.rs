//! Counts by bounds, as Prometheus wants them.

use std::sync::atomic::{AtomicU64, Ordering};

/// How many values lay at or below each of `N` bounds, how many there were, and their sum.
#[derive(Debug)]
pub(super) struct Histogram<const N: usize> {
    bounds: [f64; N],
    counts: [AtomicU64; N],
    above: AtomicU64,
    /// In millionths, so that it can be added to without a lock.
    sum_millionths: AtomicU64,
}

impl<const N: usize> Histogram<N> {
    /// Empty, with ascending `bounds`.
    pub(super) fn new(bounds: [f64; N]) -> Self {
        Self {
            bounds,
            counts: std::array::from_fn(|_| AtomicU64::new(0)),
            above: AtomicU64::new(0),
            sum_millionths: AtomicU64::new(0),
        }
    }

    /// One more value, of zero or more; a value that is none is left out.
    pub(super) fn observe(&self, value: f64) {
        if !value.is_finite() || value < 0.0 {
            return;
        }
        let place = self.bounds.iter().position(|bound| value <= *bound);
        let count = place.map_or(&self.above, |place| &self.counts[place]);
        count.fetch_add(1, Ordering::Relaxed);
        let millionths = (value * 1e6).round() as u64;
        self.sum_millionths.fetch_add(millionths, Ordering::Relaxed);
    }

    /// Suffix of the name, labels and value of every sample.
    pub(super) fn samples(&self, labels: &str) -> Vec<(&'static str, String, f64)> {
        let mut samples = Vec::with_capacity(N + 3);
        let mut so_far = 0;
        for (bound, count) in self.bounds.iter().zip(&self.counts) {
            so_far += count.load(Ordering::Relaxed);
            let labels = format!("{labels},le=\"{bound}\"");
            samples.push(("_bucket", labels, so_far as f64));
        }
        let all = so_far + self.above.load(Ordering::Relaxed);
        let sum = self.sum_millionths.load(Ordering::Relaxed) as f64 / 1e6;
        samples.push(("_bucket", format!("{labels},le=\"+Inf\""), all as f64));
        samples.push(("_sum", labels.to_owned(), sum));
        samples.push(("_count", labels.to_owned(), all as f64));
        samples
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn buckets_add_up() {
        let histogram = Histogram::new([0.5, 1.0]);
        for value in [0.1, 0.5, 0.6, 7.0, f64::NAN, -1.0] {
            histogram.observe(value);
        }
        let samples = histogram.samples("tenant=\"t\"");
        let values: Vec<f64> = samples.iter().map(|(_, _, value)| *value).collect();
        assert_eq!(values, [2.0, 3.0, 4.0, 8.2, 4.0]);
        assert_eq!(samples[2].1, "tenant=\"t\",le=\"+Inf\"");
    }
}
