//! Sums that do not lose small terms among ten million.

/// A running sum with Neumaier's compensation (ZAMM 54, 1974): the error does
/// not grow with the number of terms.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Sum {
    total: f64,
    lost: f64,
}

impl Sum {
    pub(super) fn add(&mut self, value: f64) {
        let next = self.total + value;
        self.lost += if self.total.abs() >= value.abs() {
            (self.total - next) + value
        } else {
            (value - next) + self.total
        };
        self.total = next;
    }

    pub(super) fn value(&self) -> f64 {
        self.total + self.lost
    }
}

/// Compensated sum of an iterator.
pub(super) fn sum(values: impl IntoIterator<Item = f64>) -> f64 {
    let mut total = Sum::default();
    for value in values {
        total.add(value);
    }
    total.value()
}

/// Mean of a slice that is not empty.
#[allow(clippy::cast_precision_loss)] // counts of rows are far below 2^53
pub(super) fn mean(values: &[f64]) -> f64 {
    sum(values.iter().copied()) / values.len() as f64
}

/// A count as a real number.
#[allow(clippy::cast_precision_loss)] // counts of rows are far below 2^53
pub(super) fn real(count: usize) -> f64 {
    count as f64
}

#[cfg(test)]
mod tests {
    use super::sum;

    #[test]
    fn small_terms_survive_large_ones() {
        let terms = [1.0, 1e100, 1.0, -1e100];
        assert!((sum(terms) - 2.0).abs() < 1e-15);
    }
}
