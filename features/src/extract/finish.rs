//! From a feature's number to its columns in the vector.

use crate::spec::feature::{Feature, PairOp, Shrink, Transform};

/// The mean of `n` values, drawn to a prior where one is given; NaN of none without.
pub(crate) fn mean(sum: f64, n: f64, shrink: Option<Shrink>) -> f64 {
    match shrink {
        Some(by) => (sum + by.strength * by.prior) / (n + by.strength),
        None => sum / n,
    }
}

/// What a pair of columns makes.
pub(crate) fn pair(op: PairOp, left: f64, right: f64) -> f64 {
    match op {
        PairOp::Difference => left - right,
        PairOp::Ratio => left / right,
        PairOp::Product => left * right,
    }
}

/// The number at a `place` between the order statistics `low` and `high` on either side of it.
pub(crate) fn between(low: f64, high: f64, place: f64) -> f64 {
    low + (place - place.floor()) * (high - low)
}

/// Quantile by linear interpolation between order statistics; NaN of none.
pub(super) fn quantile(values: &mut [f64], q: f64) -> f64 {
    if values.is_empty() {
        return f64::NAN;
    }
    values.sort_unstable_by(f64::total_cmp);
    let place = q * (values.len() - 1) as f64;
    let low = values[place.floor() as usize];
    let high = values[place.ceil() as usize];
    between(low, high, place)
}

/// How many different values there are.
pub(super) fn distinct(values: &mut [u64]) -> f64 {
    values.sort_unstable();
    let changes = values.windows(2).filter(|pair| pair[0] != pair[1]).count();
    if values.is_empty() {
        0.0
    } else {
        (changes + 1) as f64
    }
}

/// Writes a column a level.
pub(crate) fn levels(feature: &Feature, word: Option<&str>, out: &mut Vec<f64>) {
    let Transform::Levels(levels) = &feature.transform else {
        return;
    };
    out.extend(levels.iter().map(|level| match word {
        Some(word) => f64::from(u8::from(word == level)),
        None => feature.missing,
    }));
}

/// Clips, transforms and writes a number.
pub(crate) fn transformed(feature: &Feature, value: f64, out: &mut Vec<f64>) {
    let value = match feature.clip {
        Some((low, high)) if !value.is_nan() => value.clamp(low, high),
        _ => value,
    };
    let known = |value: f64| {
        if value.is_finite() {
            value
        } else {
            feature.missing
        }
    };
    match &feature.transform {
        Transform::None | Transform::Spline(_) | Transform::Levels(_) => out.push(known(value)),
        Transform::Log1p => out.push(known(libm::log1p(value.abs()).copysign(value))),
        Transform::Bins(edges) => {
            let bin = edges.partition_point(|&edge| edge <= value);
            out.extend((0..=edges.len()).map(|one| {
                if value.is_nan() {
                    feature.missing
                } else {
                    f64::from(u8::from(one == bin))
                }
            }));
        }
        Transform::Cyclic(period) => {
            let angle = std::f64::consts::TAU * (value / period);
            out.push(known(libm::sin(angle)));
            out.push(known(libm::cos(angle)));
        }
    }
}
