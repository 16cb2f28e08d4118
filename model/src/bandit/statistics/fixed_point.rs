//! Fixed-point numbers: sums in them do not depend on the order of their terms, and what was added can
//! be taken out without a trace.
//!
//! A round's contribution is computed once, as integers; sums of integers form a group, so that merging
//! shards in any order, or subtracting a customer's rounds, gives the very bits of a log that had the
//! same rounds in another order, or never had that customer.
//!
//! ```text
//! feature          u  -> round(u 2^28)            |u| ≤ 2^14, resolution 3.7e-9
//! weighted feature wu -> round(w u 2^28)          0 < w ≤ 2^18
//! gram             (u_i)(w u_j)    at 2^-56       i ≤ j
//! target           y  -> round(y 2^24)            |y| ≤ 2^32
//! moment           (u_i)(w y_h)    at 2^-52
//! square           (y_h)(w y_h)    at 2^-48
//! ```
//! A product needs at most 124 bits. The sum of the largest product of each round is kept beside the
//! sums and bounds them all; a fold that would take it beyond 2^126 is refused, so no sum ever wraps.

use crate::bandit::error::BanditError;

const FEATURE_BITS: i32 = 28;
const TARGET_BITS: i32 = 24;

/// Largest magnitude of a context entry.
pub const FEATURE_LIMIT: f64 = 16_384.0;
/// Largest magnitude of an observed head.
pub const TARGET_LIMIT: f64 = 4_294_967_296.0;
/// Largest weight of a round.
pub const WEIGHT_LIMIT: f64 = 262_144.0;
/// What the bound on all sums may reach.
pub(super) const CEILING: i128 = 1 << 126;

/// 2^bits, exactly.
fn scale(bits: i32) -> f64 {
    f64::powi(2.0, bits)
}

fn quantise(value: f64, bits: i32) -> i64 {
    (value * scale(bits)).round_ties_even() as i64
}

fn within(what: &'static str, index: usize, value: f64, limit: f64) -> Result<f64, BanditError> {
    if value.abs() <= limit {
        return Ok(value);
    }
    Err(BanditError::OutOfRange {
        what,
        index,
        value,
        limit,
    })
}

/// One round in fixed point.
pub(super) struct FixedRound {
    /// `[1, x]`.
    pub(super) features: Vec<i64>,
    /// `w · [1, x]`.
    pub(super) weighted: Vec<i64>,
    /// The heads.
    pub(super) targets: Vec<i64>,
    /// `w ·` the heads.
    pub(super) weighted_targets: Vec<i64>,
    /// `w`.
    pub(super) weight: i64,
}

impl FixedRound {
    /// Quantises a round, or says which number it cannot carry.
    pub(super) fn new(context: &[f64], heads: &[f64], weight: f64) -> Result<Self, BanditError> {
        if !(weight > 0.0 && weight <= WEIGHT_LIMIT) {
            return Err(BanditError::OutOfRange {
                what: "the weight of round",
                index: 0,
                value: weight,
                limit: WEIGHT_LIMIT,
            });
        }
        let mut features = Vec::with_capacity(context.len() + 1);
        let mut weighted = Vec::with_capacity(context.len() + 1);
        features.push(quantise(1.0, FEATURE_BITS));
        weighted.push(quantise(weight, FEATURE_BITS));
        for (index, &value) in context.iter().enumerate() {
            let value = within("context entry", index, value, FEATURE_LIMIT)?;
            features.push(quantise(value, FEATURE_BITS));
            weighted.push(quantise(weight * value, FEATURE_BITS));
        }
        let mut targets = Vec::with_capacity(heads.len());
        let mut weighted_targets = Vec::with_capacity(heads.len());
        for (index, &value) in heads.iter().enumerate() {
            let value = within("head", index, value, TARGET_LIMIT)?;
            within(
                "the weighted head",
                index,
                weight * value,
                TARGET_LIMIT * 64.0,
            )?;
            targets.push(quantise(value, TARGET_BITS));
            weighted_targets.push(quantise(weight * value, TARGET_BITS));
        }
        Ok(Self {
            features,
            weighted,
            targets,
            weighted_targets,
            weight: quantise(weight, FEATURE_BITS),
        })
    }

    /// The largest magnitude any of this round's products can have.
    pub(super) fn ceiling(&self) -> i128 {
        let largest = |values: &[i64]| values.iter().map(|value| value.abs()).max().unwrap_or(0);
        let feature = i128::from(largest(&self.features).max(largest(&self.targets)));
        let weighted = i128::from(largest(&self.weighted).max(largest(&self.weighted_targets)));
        feature * weighted
    }
}

/// The nearest number; the same through either type, and several times faster through the smaller one.
fn number(sum: i128) -> f64 {
    i64::try_from(sum).map_or_else(|_| sum as f64, |small| small as f64)
}

/// A sum of products of features as a number.
pub(super) fn gram(sum: i128) -> f64 {
    number(sum) * scale(-2 * FEATURE_BITS)
}

/// A sum of products of a feature and a head as a number.
pub(super) fn moment(sum: i128) -> f64 {
    number(sum) * scale(-FEATURE_BITS - TARGET_BITS)
}

/// A sum of squares of a head as a number.
pub(super) fn square(sum: i128) -> f64 {
    number(sum) * scale(-2 * TARGET_BITS)
}

/// A sum of weights as a number.
pub(super) fn weight(sum: i128) -> f64 {
    number(sum) * scale(-FEATURE_BITS)
}
