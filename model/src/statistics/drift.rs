//! Has a distribution moved?

use serde::Serialize;

use super::{
    StatisticsError,
    quantile::of_sorted,
    special::{chi_squared, kolmogorov},
};

/// Shares below this are raised to it, so that an empty bin has a finite logarithm.
const FLOOR: f64 = 1e-4;

/// The population stability index of a current sample against a reference.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Psi {
    /// Inner bin borders: quantiles of the reference; bins are `(lo, hi]`.
    pub edges: Vec<f64>,
    /// Share of the reference per bin.
    #[serde(rename = "ref")]
    pub reference: Vec<f64>,
    /// Share of the current sample per bin.
    #[serde(rename = "cur")]
    pub current: Vec<f64>,
    /// The floor under shares inside the logarithm.
    pub eps: f64,
    /// The index.
    pub psi: f64,
    /// The index above which drift is believed at this size: see [`Psi::between`].
    pub alert_above: f64,
}

impl Psi {
    /// ```text
    /// PSI   = Σ_b (q_b - p_b) ln(q_b/p_b)
    /// alert : PSI > max(0.1, (1/n + 1/m) χ²_{B-1; 0.999})
    /// ```
    /// The customary 0.1 and 0.25 ignore the sample sizes; without drift the index is distributed as
    /// `(1/n + 1/m) χ²_{B-1}` (Yurdakul and Naranjo, *Journal of Risk Model Validation* 14 (2020)).
    /// Equal quantiles of the reference are one border, so that a lumpy distribution has fewer bins.
    ///
    /// # Errors
    /// [`StatisticsError::TooFew`] for an empty sample or fewer than two bins,
    /// [`StatisticsError::NotFinite`] for a missing value.
    pub fn between(
        reference: &[f64],
        current: &[f64],
        bins: usize,
    ) -> Result<Self, StatisticsError> {
        if bins < 2 {
            return Err(StatisticsError::TooFew {
                what: "a stability index, in bins,",
                needed: 2,
                found: bins,
            });
        }
        let sorted = sorted(reference, "reference value")?;
        finite(current, "current value")?;
        let mut edges: Vec<f64> = (1..bins)
            .map(|b| of_sorted(&sorted, count(b) / count(bins)))
            .collect();
        edges.dedup();
        let before = shares(reference, &edges);
        let after = shares(current, &edges);
        let psi = before
            .iter()
            .zip(&after)
            .map(|(p, q)| (p.max(FLOOR), q.max(FLOOR)))
            .map(|(p, q)| (q - p) * (q / p).ln())
            .sum();
        let noise = 1.0 / count(reference.len()) + 1.0 / count(current.len());
        let alert_above = (noise * chi_squared::isf(0.001, count(edges.len()))).max(0.1);
        Ok(Self {
            edges,
            reference: before,
            current: after,
            eps: FLOOR,
            psi,
            alert_above,
        })
    }

    /// Whether the index is above what chance explains.
    #[must_use]
    pub fn alerts(&self) -> bool {
        self.psi > self.alert_above
    }
}

/// The two-sample Kolmogorov–Smirnov test.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct KolmogorovSmirnov {
    /// Largest distance between the two empirical distribution functions.
    #[serde(rename = "D")]
    pub d: f64,
    /// `P(K > √(nm/(n+m)) D)` by Kolmogorov's limiting distribution.
    pub p_asymptotic: f64,
}

impl KolmogorovSmirnov {
    /// Compares two samples.
    ///
    /// # Errors
    /// [`StatisticsError::TooFew`] for an empty sample, [`StatisticsError::NotFinite`] for a missing
    /// value.
    pub fn between(left: &[f64], right: &[f64]) -> Result<Self, StatisticsError> {
        let (a, b) = (sorted(left, "left value")?, sorted(right, "right value")?);
        let (n, m) = (count(a.len()), count(b.len()));
        let (mut i, mut j) = (0, 0);
        let mut d: f64 = 0.0;
        while i < a.len() && j < b.len() {
            let value = a[i].min(b[j]);
            // Ties move both functions before they are compared.
            while i < a.len() && a[i] <= value {
                i += 1;
            }
            while j < b.len() && b[j] <= value {
                j += 1;
            }
            d = d.max((count(i) / n - count(j) / m).abs());
        }
        Ok(Self {
            d,
            p_asymptotic: kolmogorov::sf((n * m / (n + m)).sqrt() * d),
        })
    }
}

fn shares(values: &[f64], edges: &[f64]) -> Vec<f64> {
    let mut counts = vec![0_usize; edges.len() + 1];
    for value in values {
        counts[edges.partition_point(|edge| edge < value)] += 1;
    }
    counts
        .iter()
        .map(|c| count(*c) / count(values.len()))
        .collect()
}

fn finite(values: &[f64], what: &'static str) -> Result<(), StatisticsError> {
    if values.is_empty() {
        return Err(StatisticsError::TooFew {
            what: "a comparison of distributions",
            needed: 1,
            found: 0,
        });
    }
    match values.iter().position(|value| !value.is_finite()) {
        Some(position) => Err(StatisticsError::NotFinite {
            what,
            position,
            value: values[position],
        }),
        None => Ok(()),
    }
}

fn sorted(values: &[f64], what: &'static str) -> Result<Vec<f64>, StatisticsError> {
    finite(values, what)?;
    let mut sorted = values.to_vec();
    sorted.sort_unstable_by(f64::total_cmp);
    Ok(sorted)
}

#[expect(clippy::cast_precision_loss, reason = "a count of units")]
fn count(n: usize) -> f64 {
    n as f64
}
