//! Means and co-moments that merge: what is kept of a sample.

use super::StatisticsError;
use serde::{Deserialize, Serialize};

/// Count, means and centred co-moments of a `d`-dimensional sample.
///
/// Updated one unit at a time (Welford 1962) and merged pairwise (Chan, Golub and LeVeque,
/// *The American Statistician* 37 (1983) 242), so that a cube of days × segments × arms can be
/// added up in any order:
/// ```text
/// n   = n_a + n_b
/// δ   = m_b - m_a
/// m   = m_a + δ n_b/n
/// C   = C_a + C_b + δ δᵀ n_a n_b/n
/// ```
/// Sums of squares are never formed: for cash, with a mean far from zero and a heavy tail, they
/// lose half their digits.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Moments {
    count: u64,
    means: Vec<f64>,
    /// Lower triangle with diagonal, row by row: `Σ (x_i - m_i)(x_j - m_j)` for `j ≤ i`.
    comoments: Vec<f64>,
}

impl Moments {
    /// Nothing seen yet of samples with `dimensions` values a unit.
    #[must_use]
    pub fn new(dimensions: usize) -> Self {
        Self {
            count: 0,
            means: vec![0.0; dimensions],
            comoments: vec![0.0; dimensions * (dimensions + 1) / 2],
        }
    }

    /// The moments of equally long `columns`, one value a unit.
    ///
    /// # Errors
    /// [`StatisticsError::Length`] when the columns differ in length,
    /// [`StatisticsError::NotFinite`] for a missing or infinite value.
    pub fn of_columns(columns: &[&[f64]]) -> Result<Self, StatisticsError> {
        let mut moments = Self::new(columns.len());
        let Some(first) = columns.first() else {
            return Ok(moments);
        };
        for column in columns {
            if column.len() != first.len() {
                return Err(StatisticsError::Length {
                    left_name: "the first column",
                    left: first.len(),
                    right_name: "another",
                    right: column.len(),
                });
            }
            if let Some(position) = column.iter().position(|value| !value.is_finite()) {
                return Err(StatisticsError::NotFinite {
                    what: "value",
                    position,
                    value: column[position],
                });
            }
        }
        let mut unit = vec![0.0; columns.len()];
        for row in 0..first.len() {
            for (value, column) in unit.iter_mut().zip(columns) {
                *value = column[row];
            }
            moments.push(&unit);
        }
        Ok(moments)
    }

    /// Refuses what was read from a file and is not of samples with `dimensions` values a unit.
    ///
    /// # Errors
    /// [`StatisticsError::Length`].
    pub(crate) fn check(&self, dimensions: usize) -> Result<(), StatisticsError> {
        let expected = Self::new(dimensions);
        for (name, found, expected) in [
            ("means", self.means.len(), expected.means.len()),
            ("comoments", self.comoments.len(), expected.comoments.len()),
        ] {
            if found != expected {
                return Err(StatisticsError::Length {
                    left_name: name,
                    left: found,
                    right_name: "dimensions",
                    right: expected,
                });
            }
        }
        Ok(())
    }

    /// Takes in one unit, whose values must be finite.
    ///
    /// # Panics
    /// When `unit` has not one value a dimension: a fault of the caller's code, not of its data.
    pub fn push(&mut self, unit: &[f64]) {
        assert_eq!(unit.len(), self.means.len(), "one value a dimension");
        self.count += 1;
        let n = self.n();
        let weight = (n - 1.0) / n;
        let mut cell = 0;
        for (i, value) in unit.iter().enumerate() {
            let deviation = weight * (value - self.means[i]);
            for (other, mean) in unit[..=i].iter().zip(&self.means) {
                self.comoments[cell] += deviation * (other - mean);
                cell += 1;
            }
        }
        for (mean, value) in self.means.iter_mut().zip(unit) {
            *mean += (value - *mean) / n;
        }
    }

    /// Adds the units of `other`, as if they had been pushed here.
    ///
    /// # Panics
    /// When the dimensions differ: a fault of the caller's code, not of its data.
    pub fn merge(&mut self, other: &Self) {
        assert_eq!(self.means.len(), other.means.len(), "the same dimensions");
        if other.count == 0 {
            return;
        }
        if self.count == 0 {
            self.clone_from(other);
            return;
        }
        let (n_a, n_b) = (self.n(), other.n());
        let n = n_a + n_b;
        let weight = n_a * (n_b / n);
        let mut cell = 0;
        for i in 0..self.means.len() {
            let deviation = other.means[i] - self.means[i];
            for j in 0..=i {
                self.comoments[cell] +=
                    other.comoments[cell] + weight * deviation * (other.means[j] - self.means[j]);
                cell += 1;
            }
        }
        for (mean, theirs) in self.means.iter_mut().zip(&other.means) {
            *mean += (theirs - *mean) * (n_b / n);
        }
        self.count += other.count;
    }

    /// Units seen.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.count
    }

    /// Units seen, as a float.
    #[must_use]
    #[expect(
        clippy::cast_precision_loss,
        reason = "no experiment has 2^53 customers"
    )]
    pub fn n(&self) -> f64 {
        self.count as f64
    }

    /// Values a unit.
    #[must_use]
    pub fn dimensions(&self) -> usize {
        self.means.len()
    }

    /// Mean of dimension `i`; zero before the first unit.
    #[must_use]
    pub fn mean(&self, i: usize) -> f64 {
        self.means[i]
    }

    /// Sum of dimension `i` over the units.
    #[must_use]
    pub fn sum(&self, i: usize) -> f64 {
        self.means[i] * self.n()
    }

    /// `Σ (x_i - m_i)(x_j - m_j)` over the units.
    #[must_use]
    pub fn comoment(&self, i: usize, j: usize) -> f64 {
        let (i, j) = if i >= j { (i, j) } else { (j, i) };
        self.comoments[i * (i + 1) / 2 + j]
    }

    /// Sample covariance of dimensions `i` and `j` (divisor n - 1); NaN below two units.
    #[must_use]
    pub fn covariance(&self, i: usize, j: usize) -> f64 {
        if self.count < 2 {
            return f64::NAN;
        }
        self.comoment(i, j) / (self.n() - 1.0)
    }

    /// Sample variance of dimension `i` (divisor n - 1); NaN below two units.
    #[must_use]
    pub fn variance(&self, i: usize) -> f64 {
        self.covariance(i, i)
    }

    /// The moments of linear combinations of the dimensions: of `offset + weights · x` for each row.
    ///
    /// Adjusted and linearised metrics are such combinations, so they need no second pass over
    /// the units.
    ///
    /// # Panics
    /// When a row has not one weight a dimension: a fault of the caller's code, not of its data.
    #[must_use]
    pub fn combine(&self, rows: &[(f64, &[f64])]) -> Self {
        let mut combined = Self::new(rows.len());
        combined.count = self.count;
        for (mean, (offset, weights)) in combined.means.iter_mut().zip(rows) {
            assert_eq!(weights.len(), self.means.len(), "one weight a dimension");
            *mean = offset
                + weights
                    .iter()
                    .zip(&self.means)
                    .map(|(w, m)| w * m)
                    .sum::<f64>();
        }
        let mut cell = 0;
        for i in 0..rows.len() {
            for j in 0..=i {
                combined.comoments[cell] = self.bilinear(rows[i].1, rows[j].1);
                cell += 1;
            }
        }
        combined
    }

    /// `Σ_ab u_a v_b C_ab`.
    fn bilinear(&self, u: &[f64], v: &[f64]) -> f64 {
        let mut sum = 0.0;
        for (a, u_a) in u.iter().enumerate() {
            for (b, v_b) in v.iter().enumerate() {
                sum += u_a * v_b * self.comoment(a, b);
            }
        }
        sum
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn columns() -> (Vec<f64>, Vec<f64>) {
        // A large common offset: what destroys sums of squares.
        let x: Vec<f64> = (0..500).map(|i| 1e9 + f64::from(i * i % 97)).collect();
        let y: Vec<f64> = (0..500).map(|i| f64::from(i * 7 % 31) - 3.0).collect();
        (x, y)
    }

    #[test]
    fn an_offset_costs_no_digits() {
        let (x, y) = columns();
        let near: Vec<f64> = x.iter().map(|v| v - 1e9).collect();
        let far = Moments::of_columns(&[&x, &y]).unwrap();
        let centred = Moments::of_columns(&[&near, &y]).unwrap();
        assert!((far.variance(0) / centred.variance(0) - 1.0).abs() < 1e-8);
        assert!((far.covariance(0, 1) - centred.covariance(0, 1)).abs() < 1e-6);
    }

    #[test]
    fn parts_merge_to_the_whole_in_any_order() {
        let (x, y) = columns();
        let x: Vec<f64> = x.iter().map(|v| v - 1e9).collect();
        let whole = Moments::of_columns(&[&x, &y]).unwrap();
        for cuts in [[1, 2, 300], [100, 250, 499]] {
            let bounds = [0, cuts[0], cuts[1], cuts[2], 500];
            let mut parts: Vec<Moments> = bounds
                .windows(2)
                .map(|w| Moments::of_columns(&[&x[w[0]..w[1]], &y[w[0]..w[1]]]).unwrap())
                .collect();
            parts.reverse();
            let mut sum = Moments::new(2);
            for part in &parts {
                sum.merge(part);
            }
            assert_eq!(sum.count(), 500);
            for (i, j) in [(0, 0), (1, 0), (1, 1)] {
                assert!(
                    (sum.covariance(i, j) - whole.covariance(i, j)).abs()
                        < 1e-10 * whole.variance(0)
                );
            }
            assert!((sum.mean(0) - whole.mean(0)).abs() < 1e-11);
        }
    }

    #[test]
    fn combinations_need_no_second_pass() {
        let (x, y) = columns();
        let x: Vec<f64> = x.iter().map(|v| v - 1e9).collect();
        let direct: Vec<f64> = x
            .iter()
            .zip(&y)
            .map(|(x, y)| 4.0 + 2.0 * x - 3.0 * y)
            .collect();
        let direct = Moments::of_columns(&[&direct]).unwrap();
        let combined = Moments::of_columns(&[&x, &y])
            .unwrap()
            .combine(&[(4.0, &[2.0, -3.0])]);
        assert!((combined.mean(0) - direct.mean(0)).abs() < 1e-10);
        assert!((combined.variance(0) / direct.variance(0) - 1.0).abs() < 1e-12);
    }

    #[test]
    fn a_missing_value_is_named() {
        let error = Moments::of_columns(&[&[1.0, f64::NAN]]).unwrap_err();
        assert!(matches!(
            error,
            StatisticsError::NotFinite { position: 1, .. }
        ));
    }
}
