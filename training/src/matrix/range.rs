//! What values a column takes.

use serde::Serialize;

/// Range of one column of the matrix.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Range {
    /// The column.
    pub column: String,
    /// Rows in which it is known.
    pub known: usize,
    /// Rows in which it is not.
    pub unknown: usize,
    /// Smallest known value, if any.
    pub least: Option<f64>,
    /// Mean of the known values, if any.
    pub mean: Option<f64>,
    /// Largest known value, if any.
    pub most: Option<f64>,
}

impl Range {
    /// Of nothing yet.
    #[must_use]
    pub fn new(column: &str) -> Self {
        Self {
            column: column.to_owned(),
            known: 0,
            unknown: 0,
            least: None,
            mean: None,
            most: None,
        }
    }

    /// Takes more rows; NaN is unknown.
    pub fn take(&mut self, values: impl Iterator<Item = f64>) {
        for value in values {
            if value.is_nan() {
                self.unknown += 1;
                continue;
            }
            self.known += 1;
            self.least = Some(self.least.map_or(value, |least| least.min(value)));
            self.most = Some(self.most.map_or(value, |most| most.max(value)));
            let mean = self.mean.unwrap_or(0.0);
            self.mean = Some(mean + (value - mean) / self.known as f64);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Range;

    #[test]
    fn a_range_grows_by_parts_and_counts_what_is_unknown() {
        let mut range = Range::new("x");
        range.take([2.0, f64::NAN].into_iter());
        range.take([-1.0, 5.0].into_iter());
        assert_eq!((range.known, range.unknown), (3, 1));
        assert_eq!((range.least, range.most), (Some(-1.0), Some(5.0)));
        assert_eq!(range.mean, Some(2.0));
    }
}
