//! The bootstrap over rounds, or over customers, with the ratio taken anew in
//! every resample.

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::{Interval, check_level};
use crate::{
    ope::{
        error::OpeError,
        estimator::{Columns, Estimator},
        numeric::real,
        terms::Terms,
    },
    statistics::{quantile::of_sorted, special::normal},
};

/// How many resamples, from which seed, and how they become an interval.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Options {
    /// Number of resamples, at least 100.
    pub resamples: usize,
    /// Seed of ChaCha8; the same seed and rounds give the same interval.
    pub seed: u64,
    /// Percentiles of the resampled values, or corrected for bias and skew.
    pub kind: Kind,
}

/// How resampled values become an interval.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Their percentiles.
    Percentile,
    /// Bias-corrected and accelerated (Efron, JASA 82, 1987).
    Accelerated,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            resamples: 2_000,
            seed: 0,
            kind: Kind::Accelerated,
        }
    }
}

/// What a value is made of, summed over one unit (a round or a customer).
#[derive(Debug, Clone, Copy, Default)]
struct Parts {
    rounds: f64,
    baseline: f64,
    weight: f64,
    correction: f64,
}

impl Parts {
    fn add(&mut self, other: &Self, times: f64) {
        self.rounds += times * other.rounds;
        self.baseline += times * other.baseline;
        self.weight += times * other.weight;
        self.correction += times * other.correction;
    }

    /// The value of a resample. The normalising sum is the resample's own:
    /// dividing the rows by it beforehand would freeze the ratio and give an
    /// interval that is too wide.
    fn value(&self, normalised: bool) -> f64 {
        let denominator = if normalised { self.weight } else { self.rounds };
        let correction = if denominator > 0.0 {
            self.correction / denominator
        } else {
            0.0
        };
        self.baseline / self.rounds + correction
    }
}

/// A bootstrap interval of a linear estimator; units are drawn with
/// replacement, whole customers where customers are known.
///
/// Bias correction and acceleration, with `Φ` the normal distribution and the
/// jackknife over units:
///
/// ```text
/// z₀ = Φ⁻¹(share of resamples below the value)
/// a  = Σ d³ / (6 (Σ d²)^{3/2}),   d = mean(θ₍₎) − θ₍ᵢ₎
/// percentile = Φ(z₀ + (z₀ + z) / (1 − a (z₀ + z)))
/// ```
///
/// # Errors
/// As the estimator's own; fewer than two units, a confidence outside (0, 1),
/// or fewer than 100 resamples.
pub fn bootstrap(
    estimator: &Estimator,
    terms: &Terms,
    confidence: f64,
    options: Options,
) -> Result<Interval, OpeError> {
    let intervals = bootstrap_all(&[estimator], terms, confidence, options)?;
    Ok(intervals[0])
}

/// Bootstrap intervals of several estimators from the same resamples, so that
/// each draw is made once; in the order of the estimators.
///
/// # Errors
/// As [`bootstrap`], of the first estimator that fails.
pub fn bootstrap_all(
    estimators: &[&Estimator],
    terms: &Terms,
    confidence: f64,
    options: Options,
) -> Result<Vec<Interval>, OpeError> {
    check_level(confidence)?;
    if options.resamples < 100 {
        return Err(OpeError::TooFew {
            what: "a bootstrap",
            needed: 100,
            found: options.resamples,
            unit: "resamples",
        });
    }
    let units = estimators
        .iter()
        .map(|estimator| units(estimator, terms))
        .collect::<Result<Vec<_>, _>>()?;
    let count = units.first().map_or(0, Vec::len);
    if count < 2 {
        return Err(OpeError::TooFew {
            what: "a bootstrap",
            needed: 2,
            found: count,
            unit: "independent units",
        });
    }
    let resampled = resample(&units, estimators, options);
    let intervals = estimators.iter().zip(&units).zip(resampled);
    Ok(intervals
        .map(|((estimator, units), values)| {
            ends(
                units,
                values,
                estimator.normalised,
                confidence,
                options.kind,
            )
        })
        .collect())
}

/// The ends of one estimator's interval from its resampled values.
fn ends(
    units: &[Parts],
    mut values: Vec<f64>,
    normalised: bool,
    confidence: f64,
    kind: Kind,
) -> Interval {
    values.sort_by(f64::total_cmp);
    let tail = (1.0 - confidence) / 2.0;
    let (low, high) = match kind {
        Kind::Percentile => (tail, 1.0 - tail),
        Kind::Accelerated => {
            let whole = total(units);
            let value = whole.value(normalised);
            let below = values.partition_point(|one| *one < value);
            let share = (real(below) + 0.5) / (real(values.len()) + 1.0);
            let bias = normal::quantile(share);
            let skew = acceleration(units, &whole, normalised);
            (adjust(tail, bias, skew), adjust(1.0 - tail, bias, skew))
        }
    };
    Interval {
        low: of_sorted(&values, low),
        high: of_sorted(&values, high),
        confidence,
    }
}

fn units(estimator: &Estimator, terms: &Terms) -> Result<Vec<Parts>, OpeError> {
    let columns = Columns::of(estimator, terms)?;
    let part = |round: usize| {
        let weight = columns.shrunken(round);
        Parts {
            rounds: 1.0,
            baseline: columns.baseline(round),
            weight,
            correction: weight * columns.residual(round),
        }
    };
    let Some(customers) = terms.customers() else {
        return Ok((0..terms.len()).map(part).collect());
    };
    let largest = customers.iter().copied().max().unwrap_or(0) as usize;
    let mut units = vec![Parts::default(); largest + 1];
    for (round, &customer) in customers.iter().enumerate() {
        units[customer as usize].add(&part(round), 1.0);
    }
    units.retain(|unit| unit.rounds > 0.0);
    Ok(units)
}

fn total(units: &[Parts]) -> Parts {
    let mut whole = Parts::default();
    for unit in units {
        whole.add(unit, 1.0);
    }
    whole
}

/// Resampled values of every estimator: one list an estimator.
fn resample(units: &[Vec<Parts>], estimators: &[&Estimator], options: Options) -> Vec<Vec<f64>> {
    let mut random = ChaCha8Rng::seed_from_u64(options.seed);
    let count = units[0].len();
    let width = units.len();
    // Side by side, so that a draw touches one place in memory.
    let together: Vec<Parts> = (0..count)
        .flat_map(|unit| units.iter().map(move |own| own[unit]))
        .collect();
    let last = u32::try_from(count).unwrap_or(u32::MAX);
    let mut values = vec![Vec::with_capacity(options.resamples); width];
    for _ in 0..options.resamples {
        let mut sums = vec![Parts::default(); width];
        for _ in 0..count {
            let drawn = random.random_range(0..last) as usize;
            let parts = &together[drawn * width..(drawn + 1) * width];
            for (sum, part) in sums.iter_mut().zip(parts) {
                sum.add(part, 1.0);
            }
        }
        for ((values, sum), estimator) in values.iter_mut().zip(&sums).zip(estimators) {
            values.push(sum.value(estimator.normalised));
        }
    }
    values
}

fn acceleration(units: &[Parts], whole: &Parts, normalised: bool) -> f64 {
    let without: Vec<f64> = units
        .iter()
        .map(|unit| {
            let mut rest = *whole;
            rest.add(unit, -1.0);
            rest.value(normalised)
        })
        .collect();
    let centre = without.iter().sum::<f64>() / real(without.len());
    let (mut squares, mut cubes) = (0.0, 0.0);
    for one in &without {
        let distance = centre - one;
        squares += distance * distance;
        cubes += distance * distance * distance;
    }
    if squares > 0.0 {
        cubes / (6.0 * squares.powf(1.5))
    } else {
        0.0
    }
}

fn adjust(tail: f64, bias: f64, skew: f64) -> f64 {
    let shifted = bias + normal::quantile(tail);
    normal::cdf(bias + shifted / (1.0 - skew * shifted))
}
