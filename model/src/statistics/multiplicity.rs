//! Adjusted p-values for a family of hypotheses.
//!
//! Each function takes p-values in any order and returns adjusted ones in the same order; refusing
//! what is adjusted to at most `α` keeps the family's error at `α`. Bonferroni, Holm and Hochberg
//! bound the chance of any wrong alarm, Benjamini–Hochberg and Benjamini–Yekutieli the share of
//! wrong ones among the alarms.

/// `min(1, m p)`.
#[must_use]
pub fn bonferroni(p: &[f64]) -> Vec<f64> {
    let m = count(p.len());
    p.iter().map(|p| (m * p).min(1.0)).collect()
}

/// Holm's step-down: `max_{j≤k} min(1, (m-j+1) p_(j))`, never worse than Bonferroni and as general.
///
/// *Scandinavian Journal of Statistics* 6 (1979) 65.
#[must_use]
pub fn holm(p: &[f64]) -> Vec<f64> {
    let m = p.len();
    let mut largest: f64 = 0.0;
    in_order(p, ascending(p), |rank, p| {
        largest = largest.max((count(m - rank) * p).min(1.0));
        largest
    })
}

/// Hochberg's step-up: `min_{j≥k} min(1, (m-j+1) p_(j))`, for independent or positively dependent
/// tests.
///
/// *Biometrika* 75 (1988) 800.
#[must_use]
pub fn hochberg(p: &[f64]) -> Vec<f64> {
    step_up(p, |rank, m| count(m - rank))
}

/// Benjamini and Hochberg: `min_{j≥k} min(1, m p_(j)/j)`, for exploration.
///
/// *J. R. Stat. Soc. B* 57 (1995) 289.
#[must_use]
pub fn benjamini_hochberg(p: &[f64]) -> Vec<f64> {
    step_up(p, |rank, m| count(m) / count(rank + 1))
}

/// Benjamini and Yekutieli: as [`benjamini_hochberg`] times `Σ 1/i`, under any dependence.
///
/// *Annals of Statistics* 29 (2001) 1165.
#[must_use]
pub fn benjamini_yekutieli(p: &[f64]) -> Vec<f64> {
    let harmonic: f64 = (1..=p.len()).map(|i| 1.0 / count(i)).sum();
    step_up(p, |rank, m| harmonic * count(m) / count(rank + 1))
}

/// The running minimum from the largest p-value down, of `factor(rank, m)·p` capped at 1.
fn step_up(p: &[f64], factor: impl Fn(usize, usize) -> f64) -> Vec<f64> {
    let m = p.len();
    let mut smallest: f64 = 1.0;
    let mut order = ascending(p);
    order.reverse();
    in_order(p, order, |position, p| {
        smallest = smallest.min(factor(m - 1 - position, m) * p);
        smallest
    })
}

fn ascending(p: &[f64]) -> Vec<usize> {
    let mut order: Vec<usize> = (0..p.len()).collect();
    order.sort_by(|a, b| p[*a].total_cmp(&p[*b]));
    order
}

fn in_order(p: &[f64], order: Vec<usize>, mut adjust: impl FnMut(usize, f64) -> f64) -> Vec<f64> {
    let mut adjusted = vec![0.0; p.len()];
    for (position, index) in order.into_iter().enumerate() {
        adjusted[index] = adjust(position, p[index]);
    }
    adjusted
}

#[expect(clippy::cast_precision_loss, reason = "families are small")]
fn count(n: usize) -> f64 {
    n as f64
}
