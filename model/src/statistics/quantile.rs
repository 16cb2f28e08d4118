//! Sample quantiles.

use super::StatisticsError;

/// The type-7 quantile of `values` (linear between order statistics, as numpy and R by default).
///
/// ```text
/// h = (n-1) q,   Q = x_(⌊h⌋) + (h - ⌊h⌋) (x_(⌊h⌋+1) - x_(⌊h⌋))
/// ```
/// Hyndman and Fan, *The American Statistician* 50 (1996) 361. `values` is reordered, not sorted:
/// one selection, linear time.
///
/// # Errors
/// [`StatisticsError::TooFew`] for an empty sample, [`StatisticsError::OutOfRange`] for `q`
/// outside [0, 1].
pub fn quantile(values: &mut [f64], q: f64) -> Result<f64, StatisticsError> {
    if values.is_empty() {
        return Err(StatisticsError::TooFew {
            what: "a quantile",
            needed: 1,
            found: 0,
        });
    }
    if !(0.0..=1.0).contains(&q) {
        return Err(StatisticsError::OutOfRange {
            what: "the order of a quantile",
            range: "[0, 1]",
            value: q,
        });
    }
    let (below, fraction) = position(values.len(), q);
    let (_, low, above) = values.select_nth_unstable_by(below, f64::total_cmp);
    let low = *low;
    let high = above.iter().copied().reduce(f64::min).unwrap_or(low);
    Ok(between(low, high, fraction))
}

/// The type-7 quantile of a sample already sorted in ascending order; NaN for an empty one.
#[must_use]
pub fn of_sorted(sorted: &[f64], q: f64) -> f64 {
    if sorted.is_empty() {
        return f64::NAN;
    }
    let (below, fraction) = position(sorted.len(), q.clamp(0.0, 1.0));
    let high = sorted[(below + 1).min(sorted.len() - 1)];
    between(sorted[below], high, fraction)
}

#[expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a position within a slice"
)]
fn position(len: usize, q: f64) -> (usize, f64) {
    let h = (len - 1) as f64 * q;
    (h.floor() as usize, h - h.floor())
}

fn between(low: f64, high: f64, fraction: f64) -> f64 {
    if fraction == 0.0 {
        low
    } else {
        low + fraction * (high - low)
    }
}
