//! Honesty: in bins of equal count, how far quoted probabilities are from what happened.

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

use super::{RELIABILITY_BINS, share};

/// Standard normal quantile of a two-sided 95 % interval.
const Z_95: f64 = 1.959_963_984_540_054;

/// One bin of a reliability table.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct ReliabilityBin {
    /// Predictions in the bin.
    pub rows: usize,
    /// Their mean probability.
    pub mean_predicted: f64,
    /// The share of positive outcomes among them.
    pub observed: f64,
    /// Lower end of the observed share's 95 % Wilson interval.
    pub low: f64,
    /// Upper end of the same.
    pub high: f64,
}

/// The Brier score taken apart over the bins:
///
/// ```text
/// reliability = Σ_b (n_b/n)(p̄_b − ȳ_b)²      0 is honest
/// resolution  = Σ_b (n_b/n)(ȳ_b − ȳ)²        higher tells more rows apart
/// uncertainty = ȳ(1 − ȳ)
/// within      = Brier − (reliability − resolution + uncertainty)
/// ```
/// `within` is what the binning hides: the spread of the probabilities inside a bin and their covariance with the
/// outcomes. Source: Murphy, Journal of Applied Meteorology 12, 1973; Stephenson et al., Weather and Forecasting
/// 23, 2008, doi:10.1175/2007WAF2006116.1.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct BrierDecomposition {
    /// Calibration part.
    pub reliability: f64,
    /// Discrimination part.
    pub resolution: f64,
    /// The base rate's own variance.
    pub uncertainty: f64,
    /// What remains inside the bins.
    pub within: f64,
}

/// The reliability table: [`RELIABILITY_BINS`] bins of equal count by ascending probability (the first bins hold one
/// row more when the count does not divide; equal probabilities keep the order of the rows). Bins without rows are
/// left out.
#[must_use]
pub fn reliability(outcomes: &[bool], probabilities: &[f64]) -> Vec<ReliabilityBin> {
    let mut bins = Vec::with_capacity(RELIABILITY_BINS);
    for rows in tenths(probabilities) {
        let positives = rows.iter().filter(|row| outcomes[**row]).count();
        let (low, high) = wilson(positives, rows.len());
        bins.push(ReliabilityBin {
            rows: rows.len(),
            mean_predicted: rows.iter().map(|row| probabilities[*row]).sum::<f64>()
                / rows.len() as f64,
            observed: positives as f64 / rows.len() as f64,
            low,
            high,
        });
    }
    bins
}

/// The rows of each bin of [`reliability`], in the order of their probabilities.
#[must_use]
pub fn tenths(probabilities: &[f64]) -> Vec<Vec<usize>> {
    let mut order: Vec<usize> = (0..probabilities.len()).collect();
    order.sort_by(|a, b| probabilities[*a].total_cmp(&probabilities[*b]));
    let (each, longer) = (
        order.len() / RELIABILITY_BINS,
        order.len() % RELIABILITY_BINS,
    );
    let mut rest = order.as_slice();
    let mut bins = Vec::with_capacity(RELIABILITY_BINS);
    for bin in 0..RELIABILITY_BINS {
        let (rows, later) = rest.split_at(each + usize::from(bin < longer));
        rest = later;
        if !rows.is_empty() {
            bins.push(rows.to_vec());
        }
    }
    bins
}

/// How far a bin of [`reliability`] is off, with an interval that knows that rows hang together.
///
/// ```text
/// gap = (1/n) Σ_i (y_i − p_i)        var = m/(m − 1) · Σ_c (Σ_{i ∈ c} (y_i − p_i − gap))² / n²
/// ```
/// Decisions over one customer share outcomes, so an interval of independent rows is too short; this one is by
/// clusters. Source: Liang and Zeger, Biometrika 73, 1986, doi:10.1093/biomet/73.1.13.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct ClusteredGap {
    /// Clusters in the bin.
    pub clusters: usize,
    /// Share seen less mean probability.
    pub gap: f64,
    /// Lower end of its 95 % interval.
    pub low: f64,
    /// Upper end of the same.
    pub high: f64,
}

impl ClusteredGap {
    /// Whether the gap is larger than `bar` and than chance, by clusters and by independent rows (which is wider
    /// where all rows had one outcome).
    #[must_use]
    pub fn misses(&self, bar: f64, bin: &ReliabilityBin) -> bool {
        self.gap.abs() > bar
            && !(self.low..=self.high).contains(&0.0)
            && !(bin.low..=bin.high).contains(&bin.mean_predicted)
    }
}

/// The gap of each bin of [`reliability`], in its order; `clusters` names the cluster of each row. Bins of a single
/// cluster have an interval of all numbers.
#[must_use]
pub fn clustered_gaps(
    outcomes: &[bool],
    probabilities: &[f64],
    clusters: &[usize],
) -> Vec<ClusteredGap> {
    let off = |row: usize| f64::from(u8::from(outcomes[row])) - probabilities[row];
    let gap_of = |rows: Vec<usize>| {
        let n = rows.len() as f64;
        let gap = rows.iter().map(|row| off(*row)).sum::<f64>() / n;
        let mut sums = BTreeMap::<usize, f64>::new();
        for row in rows {
            *sums.entry(clusters[row]).or_default() += off(row) - gap;
        }
        let m = sums.len() as f64;
        let squares: f64 = sums.values().map(|sum| sum * sum).sum();
        let reach = if sums.len() > 1 {
            Z_95 * (m / (m - 1.0) * squares).sqrt() / n
        } else {
            f64::INFINITY
        };
        ClusteredGap {
            clusters: sums.len(),
            gap,
            low: gap - reach,
            high: gap + reach,
        }
    };
    tenths(probabilities).into_iter().map(gap_of).collect()
}

/// Expected calibration error: `Σ_b (n_b/n)·|p̄_b − ȳ_b|` over the bins of [`reliability`]. Source: Naeini, Cooper
/// and Hauskrecht, AAAI 2015.
#[must_use]
pub fn ece(outcomes: &[bool], probabilities: &[f64]) -> f64 {
    reliability(outcomes, probabilities)
        .iter()
        .map(|bin| bin.rows as f64 * (bin.mean_predicted - bin.observed).abs())
        .sum::<f64>()
        / outcomes.len() as f64
}

/// The Brier score taken apart; see [`BrierDecomposition`].
#[must_use]
pub fn brier_decomposition(outcomes: &[bool], probabilities: &[f64]) -> BrierDecomposition {
    let rows = outcomes.len() as f64;
    let base = share(outcomes);
    let (mut reliable, mut resolved) = (0.0, 0.0);
    for bin in reliability(outcomes, probabilities) {
        let weight = bin.rows as f64 / rows;
        reliable += weight * (bin.mean_predicted - bin.observed).powi(2);
        resolved += weight * (bin.observed - base).powi(2);
    }
    let uncertainty = base * (1.0 - base);
    BrierDecomposition {
        reliability: reliable,
        resolution: resolved,
        uncertainty,
        within: super::brier(outcomes, probabilities) - (reliable - resolved + uncertainty),
    }
}

/// The 95 % Wilson score interval of a share: `positives` of `rows`, `rows` at least 1. Source: Wilson, JASA 22,
/// 1927, doi:10.1080/01621459.1927.10502953.
#[must_use]
pub fn wilson(positives: usize, rows: usize) -> (f64, f64) {
    let (n, z2) = (rows as f64, Z_95 * Z_95);
    let p = positives as f64 / n;
    let centre = (p + z2 / (2.0 * n)) / (1.0 + z2 / n);
    let half = Z_95 / (1.0 + z2 / n) * (p * (1.0 - p) / n + z2 / (4.0 * n * n)).sqrt();
    ((centre - half).max(0.0), (centre + half).min(1.0))
}
