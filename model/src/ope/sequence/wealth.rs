//! The sequence of a gambler who bets that the value is larger than claimed.

use crate::ope::{
    error::OpeError,
    interval::{Interval, check_level},
};

/// A confidence sequence for importance-weighted rewards in a known range.
///
/// With `X = w (r − least)/(most − least)` and the running guess
/// `x̂ₜ = (Σ_{i<t} Xᵢ + 1/2)/t`, the log wealth against the claim `μ` is that
/// of a gamma mixture over bets (ρ = 1):
///
/// ```text
/// s = Σ X − t μ,   v = Σ (X − x̂)²
/// ln W(μ) = ln S(v+ρ, s+v+ρ) − ln S(ρ, ρ),   S(a, x) = Σ_{j≥0} xʲ / (a (a+1) … (a+j))
/// ```
///
/// A claim is refuted when its wealth passes 2/α; the lower end is the largest
/// refuted claim, and the upper end the same on `most − r`. Karampatziakis,
/// Mineiro and Ramdas, "Off-policy Confidence Sequences" (ICML 2021, arXiv
/// 2102.09540); the mixture is in Howard, Ramdas, McAuliffe and Sekhon (Ann.
/// Stat. 49, 2021), proposition 9. The form above is theirs with the
/// incomplete gamma functions cancelled, so that it stays exact for long logs.
#[derive(Debug, Clone)]
pub struct Wealth {
    least: f64,
    span: f64,
    confidence: f64,
    below: Side,
    above: Side,
}

impl Wealth {
    /// A sequence for rewards in `[least, most]`.
    ///
    /// # Errors
    /// An empty range, or a confidence outside (0, 1).
    pub fn new((least, most): (f64, f64), confidence: f64) -> Result<Self, OpeError> {
        check_level(confidence)?;
        let span = most - least;
        if !(span > 0.0 && span.is_finite()) {
            return Err(OpeError::Parameter {
                name: "the width of the rewards' range",
                value: span,
                allowed: "finite and above 0",
            });
        }
        Ok(Self {
            least,
            span,
            confidence,
            below: Side::default(),
            above: Side::default(),
        })
    }

    /// Takes the next round's weight and reward.
    ///
    /// # Errors
    /// A reward outside the range.
    pub fn push(&mut self, weight: f64, reward: f64) -> Result<(), OpeError> {
        let scaled = (reward - self.least) / self.span;
        if !(0.0..=1.0).contains(&scaled) {
            return Err(OpeError::RewardRange {
                round: self.below.rounds,
                value: reward,
                low: self.least,
                high: self.least + self.span,
            });
        }
        self.below.push(weight * scaled);
        self.above.push(weight * (1.0 - scaled));
        Ok(())
    }

    /// The interval after the rounds seen so far; the whole range before the first.
    #[must_use]
    pub fn interval(&self) -> Interval {
        let threshold = (2.0 / (1.0 - self.confidence)).ln();
        Interval {
            low: self.least + self.span * self.below.lower(threshold),
            high: self.least + self.span * (1.0 - self.above.lower(threshold)),
            confidence: self.confidence,
        }
    }
}

/// The mixture's shape: how much wealth is staked at the start.
const RHO: f64 = 1.0;

#[derive(Debug, Clone, Default)]
struct Side {
    rounds: usize,
    total: f64,
    squares: f64,
}

impl Side {
    fn push(&mut self, value: f64) {
        let guess = (self.total + 0.5) / (self.time() + 1.0);
        self.squares += (value - guess) * (value - guess);
        self.total += value;
        self.rounds += 1;
    }

    #[allow(clippy::cast_precision_loss)] // counts of rounds are far below 2^53
    fn time(&self) -> f64 {
        self.rounds as f64
    }

    fn log_wealth(&self, claim: f64) -> f64 {
        let surplus = self.total - self.time() * claim;
        log_series(self.squares + RHO, surplus + self.squares + RHO) - log_series(RHO, RHO)
    }

    /// The largest claim in [0, mean] whose wealth passes the threshold.
    fn lower(&self, threshold: f64) -> f64 {
        if self.rounds == 0 || self.log_wealth(0.0) <= threshold {
            return 0.0;
        }
        let (mut low, mut high) = (0.0_f64, (self.total / self.time()).min(1.0));
        if self.log_wealth(high) >= threshold {
            return high;
        }
        while high - low > 1e-13 {
            let middle = low + (high - low) / 2.0;
            if self.log_wealth(middle) > threshold {
                low = middle;
            } else {
                high = middle;
            }
        }
        low + (high - low) / 2.0
    }
}

/// `ln Σ_{j≥0} xʲ / (a (a+1) … (a+j))`, rescaled on the way so that it cannot overflow.
fn log_series(a: f64, x: f64) -> f64 {
    const LARGE: f64 = 1e250;
    let mut term = 1.0 / a;
    let mut sum = term;
    let mut scaled = 0.0;
    let mut denominator = a;
    loop {
        denominator += 1.0;
        term *= x / denominator;
        sum += term;
        if sum > LARGE {
            sum /= LARGE;
            term /= LARGE;
            scaled += LARGE.ln();
        }
        // Past the peak the terms fall faster than a geometric series.
        if denominator > x && term < sum * 1e-17 * (1.0 - x / denominator) {
            return sum.ln() + scaled;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::log_series;

    #[test]
    fn the_series_has_its_closed_forms() {
        // S(1, x) = (eˣ − 1)/x.
        for x in [0.1_f64, 1.0, 7.5, 300.0] {
            let closed = x.exp_m1().ln() - x.ln();
            assert!((log_series(1.0, x) - closed).abs() < 1e-12 * closed.abs().max(1.0));
        }
        // Beyond the range of a double: ln S(1, 2000) = 2000 − ln 2000.
        assert!((log_series(1.0, 2000.0) - (2000.0 - 2000.0_f64.ln())).abs() < 1e-9);
    }
}
