//! How much wider than chance an interval must be, learnt from the errors of past forecasts.
//!
//! ```text
//! S_h = Σ_o (came − said)²    V_h = Σ_o variance    M_h = Σ_o said²      o: past forecasts, h weeks ahead
//! ψ_h = max(0, Σ_k n_k ½^|k−h| S_k/V_k  /  Σ_k n_k ½^|k−h|  −  1)
//! c_h² = ψ_h · V_h / M_h
//! sd²  = variance + max(ψ_h · variance, c_h² · said²)
//! interval = said ± t_{n_h}(0.9) · sd
//! ```
//! Chance is what independent invoices leave. Whatever else the model does not know (a season, a drift
//! of volume, a curve that has aged, a common habit) makes its errors larger than chance by the factor
//! `1 + ψ_h`, in its own measure for each horizon. A horizon borrows from its neighbours, half as much for
//! every week, because only few past forecasts reach far. The excess grows with the square of what is
//! said, as common errors do; where less is said than in the past it is still the same multiple of
//! chance. Errors are taken about what was said and not about their mean, so a bias widens too. With
//! `n_h` errors the quantile is Student's, of as many degrees of freedom: an interval of a few errors is
//! itself uncertain. Standardised errors of a rolling origin: Tashman, International Journal of
//! Forecasting 16(4), 2000; the factor is the dispersion of Wedderburn, Biometrika 61(3), 1974.

use super::{Expected, LEVEL, Sum, Z};
use crate::statistics::special::student_t;
use serde::{Deserialize, Serialize};

/// Errors that an interval must rest on before the past can say whether such intervals hold.
pub const LEAST: usize = 4;
/// What an error one week further or nearer counts of one at the horizon itself.
const NEIGHBOUR: f64 = 0.5;

/// A past forecast of one week and what came.
#[derive(Debug, Clone, PartialEq)]
pub struct Tried {
    /// When it was made, in weeks from the first of the past forecasts.
    pub origin: u32,
    /// Weeks from the forecast to the end of the one it was for, from 1.
    pub ahead: u32,
    /// What was said.
    pub said: Sum,
    /// What came: as it was known when the week was over, one week later, and so on to now.
    pub came: Vec<f64>,
}

impl Tried {
    /// What had come as far as was known `now` weeks after the first past forecast; none before its
    /// week was over.
    fn came_by(&self, now: u32) -> Option<f64> {
        let since = now.checked_sub(self.origin + self.ahead)?;
        self.came.get(since as usize).copied()
    }

    /// Whether it said anything that could be wrong.
    fn spoke(&self) -> bool {
        self.said.variance > 0.0
    }
}

/// What is known of errors so many weeks ahead.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Widening {
    /// Weeks ahead, from 1.
    pub ahead: u32,
    /// Past forecasts so far ahead whose weeks are over (`n_h`). Below [`LEAST`] the interval is a
    /// guess from nearer weeks; where no horizon has any it is of chance alone.
    pub errors: usize,
    /// Variance of past errors beyond chance, in units of chance (`ψ_h`), at least 0.
    pub excess: f64,
    /// The same as a relative error (`c_h`), at least 0; 0 where `errors` is.
    pub common: f64,
    /// Standard deviations from the middle of an interval of [`LEVEL`] to its ends.
    pub quantile: f64,
}

impl Widening {
    /// Of nothing: chance alone.
    fn none(ahead: u32) -> Self {
        Self {
            ahead,
            errors: 0,
            excess: 0.0,
            common: 0.0,
            quantile: Z,
        }
    }

    /// What is `said` with its interval, which is never below 0 nor narrower than that of chance.
    #[must_use]
    pub fn expected(&self, said: Sum) -> Expected {
        let excess = (self.excess * said.variance).max((self.common * said.mean).powi(2));
        let reach = self.quantile * (said.variance + excess).sqrt();
        Expected {
            expected: said.mean,
            low: (said.mean - reach).max(0.0),
            high: said.mean + reach,
        }
    }
}

/// Sums over the errors at one horizon.
#[derive(Debug, Clone, Copy, Default)]
struct Errors {
    count: f64,
    squares: f64,
    chance: f64,
    said_squares: f64,
}

/// The widening of forecasts 1 to `weeks` ahead that are made `now` weeks after the first of the past
/// forecasts: of the weeks that were over by then and of what was known of them by then.
#[must_use]
pub fn learn(tried: &[Tried], now: u32, weeks: u32) -> Vec<Widening> {
    let mut errors = vec![Errors::default(); weeks as usize];
    for one in tried.iter().filter(|one| one.spoke()) {
        let place = one.ahead.checked_sub(1).map(|place| place as usize);
        let at = place.and_then(|place| errors.get_mut(place));
        let (Some(at), Some(came)) = (at, one.came_by(now)) else {
            continue;
        };
        at.count += 1.0;
        at.squares += (came - one.said.mean).powi(2);
        at.chance += one.said.variance;
        at.said_squares += one.said.mean.powi(2);
    }
    (1..=weeks).map(|ahead| widening(&errors, ahead)).collect()
}

fn widening(errors: &[Errors], ahead: u32) -> Widening {
    let (mut ratio, mut weight) = (0.0, 0.0);
    for (at, other) in errors.iter().zip(1..=u32::MAX) {
        if at.count > 0.0 {
            let near = at.count * NEIGHBOUR.powf(f64::from(ahead.abs_diff(other)));
            ratio += near * at.squares / at.chance;
            weight += near;
        }
    }
    if weight == 0.0 {
        return Widening::none(ahead);
    }
    let excess = (ratio / weight - 1.0).max(0.0);
    let own = errors[ahead as usize - 1];
    let common = if own.said_squares > 0.0 {
        (excess * own.chance / own.said_squares).sqrt()
    } else {
        0.0
    };
    Widening {
        ahead,
        errors: own.count as usize,
        excess,
        common,
        quantile: student_t::isf((1.0 - LEVEL) / 2.0, own.count.max(1.0)).max(Z),
    }
}

/// Root of the mean square over the weeks of the relative error beyond chance; 0 without any.
#[must_use]
pub fn common_error(learnt: &[Widening]) -> f64 {
    let squares: f64 = learnt.iter().map(|one| one.common.powi(2)).sum();
    (squares / learnt.len().max(1) as f64).sqrt()
}

/// How past forecasts so many weeks ahead have done, each with the interval that it would have had
/// then: of errors that were known when it was made.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Coverage {
    /// Weeks ahead, from 1.
    pub ahead: u32,
    /// Past forecasts whose weeks are over; the sums are of these. 0 in documents of format 1, where
    /// they are of `forecasts`.
    #[serde(default)]
    pub known: usize,
    /// Of those, how many had [`LEAST`] earlier errors to make their interval of. The others cannot
    /// be judged.
    pub forecasts: usize,
    /// Of `forecasts`, how many intervals held what came.
    pub inside: usize,
    /// Sum of what was said, in minor units.
    pub said_minor: f64,
    /// Sum of what came, as known now.
    pub came_minor: f64,
}

/// Holds past forecasts against what came, as far as is known `now` weeks after the first.
#[must_use]
pub fn coverage(tried: &[Tried], now: u32, weeks: u32) -> Vec<Coverage> {
    let row = |ahead| Coverage {
        ahead,
        ..Coverage::default()
    };
    let mut rows: Vec<Coverage> = (1..=weeks).map(row).collect();
    for origin in 0..now {
        let learnt = learn(tried, origin, weeks);
        let made = tried.iter().filter(|one| one.origin == origin);
        for one in made.filter(|one| one.spoke()) {
            let Some(came) = one.came_by(now) else {
                continue;
            };
            let places = rows.iter_mut().zip(&learnt);
            let Some((row, widening)) = places.into_iter().find(|(row, _)| row.ahead == one.ahead)
            else {
                continue;
            };
            row.known += 1;
            row.said_minor += one.said.mean;
            row.came_minor += came;
            if widening.errors >= LEAST {
                let band = widening.expected(one.said);
                row.forecasts += 1;
                row.inside += usize::from((band.low..=band.high).contains(&came));
            }
        }
    }
    rows.retain(|row| row.known > 0);
    rows
}

#[cfg(test)]
mod tests;
