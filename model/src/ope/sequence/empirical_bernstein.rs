//! The empirical-Bernstein confidence sequence for doubly robust rows.

use crate::ope::{
    error::OpeError,
    interval::{Interval, check_level},
    round::Round,
};

/// A sequence over rounds in the order of the log; each [`push`](Self::push)
/// takes constant time and memory.
///
/// Rewards are first mapped to [0, 1] by the range given. With `w` the weight,
/// `q` the predicted reward and a cap `k ≥ 0` on the model's say:
///
/// ```text
/// φ  = w(a) (r − min(q(a), k/w(a))) + Σ_b π(b) min(q(b), k/w(b))      ≥ −k
/// ξ  = φ/(k+1),   ξ̂ₜ = min(mean ξ up to t, 1/(k+1)),   ξ̂₀ = 0
/// v̂ₜ = (1/(4 (k+1)²) + Σ_{i≤t} (ξᵢ − ξ̂ᵢ)²) / (t + 1)
/// λₜ = min(√(2 ln(1/α) / (v̂ₜ₋₁ t ln(1 + t))), 1/2)
/// Lₜ = (Σ λ ξ − ln(1/α) − Σ (ξ − ξ̂ᵢ₋₁)² (−ln(1 − λ) − λ)) / (Σ λ / (k+1))
/// ```
///
/// and the upper end is one minus the same on `1 − r`, `1 − q`, with α/2 each.
/// `k = 0` is importance sampling without a model. Waudby-Smith, Wu, Ramdas,
/// Karampatziakis and Mineiro, "Anytime-valid off-policy inference for
/// contextual bandits" (arXiv 2210.10768).
///
/// The model must be predictable: fitted on earlier rounds or on other data.
#[derive(Debug, Clone)]
pub struct EmpiricalBernstein {
    cap: f64,
    least: f64,
    span: f64,
    confidence: f64,
    below: Side,
    above: Side,
}

impl EmpiricalBernstein {
    /// A sequence for rewards in `[least, most]`.
    ///
    /// # Errors
    /// A negative cap, an empty range, or a confidence outside (0, 1).
    pub fn new(cap: f64, (least, most): (f64, f64), confidence: f64) -> Result<Self, OpeError> {
        check_level(confidence)?;
        if !(cap >= 0.0 && cap.is_finite()) {
            return Err(OpeError::Parameter {
                name: "the cap of the model's say",
                value: cap,
                allowed: "finite and at least 0",
            });
        }
        let span = most - least;
        if !(span > 0.0 && span.is_finite()) {
            return Err(OpeError::Parameter {
                name: "the width of the rewards' range",
                value: span,
                allowed: "finite and above 0",
            });
        }
        let log = (2.0 / (1.0 - confidence)).ln();
        Ok(Self {
            cap,
            least,
            span,
            confidence,
            below: Side::new(cap, log),
            above: Side::new(cap, log),
        })
    }

    /// Takes the next round of the log.
    ///
    /// # Errors
    /// A reward outside the range; with `k > 0`, a round without the logging
    /// policy's whole distribution or without predicted rewards.
    pub fn push(&mut self, round: &Round<'_>) -> Result<(), OpeError> {
        let (below, above) = self.rows(round)?;
        self.below.push(below);
        self.above.push(above);
        Ok(())
    }

    /// The row φ of this round, and the row on `1 − r`.
    fn rows(&self, round: &Round<'_>) -> Result<(f64, f64), OpeError> {
        let reward = (round.reward - self.least) / self.span;
        if !(0.0..=1.0).contains(&reward) {
            return Err(OpeError::RewardRange {
                round: self.below.rounds_seen(),
                value: round.reward,
                low: self.least,
                high: self.least + self.span,
            });
        }
        let weight = round.weight();
        if self.cap <= 0.0 {
            return Ok((weight * reward, weight * (1.0 - reward)));
        }
        let missing = |what| OpeError::Missing {
            estimator: "a doubly robust confidence sequence".to_owned(),
            what,
        };
        let predicted = round.predicted.ok_or_else(|| missing("a reward model"))?;
        let logging = round
            .logging
            .ok_or_else(|| missing("every probability of the logging policy"))?;
        let (mut mean, mut mirrored_mean) = (0.0, 0.0);
        for ((&target, &logged), &prediction) in round.target.iter().zip(logging).zip(predicted) {
            if target > 0.0 {
                let limit = self.cap * logged / target;
                let prediction = (prediction - self.least) / self.span;
                mean += target * prediction.min(limit);
                mirrored_mean += target * (1.0 - prediction).min(limit);
            }
        }
        let prediction = (predicted[round.action] - self.least) / self.span;
        let limit = if weight > 0.0 {
            self.cap / weight
        } else {
            f64::INFINITY
        };
        Ok((
            weight * (reward - prediction.min(limit)) + mean,
            weight * (1.0 - reward - (1.0 - prediction).min(limit)) + mirrored_mean,
        ))
    }

    /// The interval after the rounds seen so far, within the rewards' range.
    /// The whole range before the first round.
    #[must_use]
    pub fn interval(&self) -> Interval {
        Interval {
            low: self.least + self.span * self.below.lower(),
            high: self.least + self.span * (1.0 - self.above.lower()),
            confidence: self.confidence,
        }
    }
}

/// A one-sided lower sequence for rows of at least `−k` and mean in [0, 1].
#[derive(Debug, Clone)]
struct Side {
    scale: f64,
    log: f64,
    rounds: f64,
    total: f64,
    squares: f64,
    bets: f64,
    won: f64,
    penalty: f64,
}

impl Side {
    fn new(cap: f64, log: f64) -> Self {
        Self {
            scale: cap + 1.0,
            log,
            rounds: 0.0,
            total: 0.0,
            squares: 0.0,
            bets: 0.0,
            won: 0.0,
            penalty: 0.0,
        }
    }

    fn rounds_seen(&self) -> usize {
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
        let seen = self.rounds as usize; // counted up from zero in ones
        seen
    }

    fn centre(&self) -> f64 {
        if self.rounds > 0.0 {
            (self.total / self.rounds).min(1.0 / self.scale)
        } else {
            0.0
        }
    }

    fn push(&mut self, row: f64) {
        let scaled = row / self.scale;
        let before = self.centre();
        let prior = 0.25 / (self.scale * self.scale);
        let variance = (prior + self.squares) / (self.rounds + 1.0);
        let time = self.rounds + 1.0;
        let bet = (2.0 * self.log / (variance * time * time.ln_1p()))
            .sqrt()
            .min(0.5);
        self.won += bet * scaled;
        self.bets += bet / self.scale;
        self.penalty += (scaled - before).powi(2) * (-(-bet).ln_1p() - bet);
        self.rounds = time;
        self.total += scaled;
        self.squares += (scaled - self.centre()).powi(2);
    }

    fn lower(&self) -> f64 {
        if self.bets > 0.0 {
            ((self.won - self.log - self.penalty) / self.bets).clamp(0.0, 1.0)
        } else {
            0.0
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use rand::{RngExt, SeedableRng};
    use rand_chacha::ChaCha8Rng;

    use super::EmpiricalBernstein;
    use crate::ope::round::Round;

    /// Two actions, logged 0.8/0.2, target 0.3/0.7, rewards Bernoulli(0.3) and (0.6).
    #[test]
    fn it_covers_at_every_moment() {
        let (logging, target, means) = ([0.8, 0.2], [0.3, 0.7], [0.3, 0.6]);
        let truth = 0.3 * 0.3 + 0.7 * 0.6;
        let predicted = [0.35, 0.5];
        let mut failures = 0;
        for seed in 0..200 {
            let mut random = ChaCha8Rng::seed_from_u64(seed);
            let mut sequence = EmpiricalBernstein::new(1.0, (0.0, 1.0), 0.9).unwrap();
            let mut held = true;
            for _ in 0..500 {
                let action = usize::from(random.random::<f64>() >= logging[0]);
                let reward = f64::from(random.random::<f64>() < means[action]);
                let round = Round {
                    action,
                    reward,
                    propensity: logging[action],
                    target: &target,
                    logging: Some(&logging),
                    predicted: Some(&predicted),
                };
                sequence.push(&round).unwrap();
                held &= sequence.interval().covers(truth);
            }
            failures += usize::from(!held);
        }
        // Ten per cent allowed at all times together: 20 of 200 expected at most.
        assert!(failures <= 20, "{failures} of 200 sequences lost the truth");
    }

    #[test]
    fn a_reward_outside_the_range_is_refused() {
        let mut sequence = EmpiricalBernstein::new(0.0, (0.0, 1.0), 0.95).unwrap();
        let round = Round {
            action: 0,
            reward: 1.5,
            propensity: 0.5,
            target: &[1.0],
            logging: None,
            predicted: None,
        };
        assert!(sequence.push(&round).is_err());
    }

    #[test]
    fn rewards_in_money_give_the_scaled_interval() {
        let rounds = [(0.0, 0.5), (1.0, 0.25), (1.0, 0.5), (0.0, 0.75)];
        let mut unit = EmpiricalBernstein::new(0.0, (0.0, 1.0), 0.5).unwrap();
        let mut money = EmpiricalBernstein::new(0.0, (-50.0, 150.0), 0.5).unwrap();
        for (reward, propensity) in rounds.iter().cycle().take(400) {
            let mut round = Round {
                action: 0,
                reward: *reward,
                propensity: *propensity,
                target: &[0.5, 0.5],
                logging: None,
                predicted: None,
            };
            unit.push(&round).unwrap();
            round.reward = reward * 200.0 - 50.0;
            money.push(&round).unwrap();
        }
        let (unit, money) = (unit.interval(), money.interval());
        assert!(unit.low > 0.0 && unit.high < 1.0);
        assert!((money.low - (unit.low * 200.0 - 50.0)).abs() < 1e-9);
        assert!((money.high - (unit.high * 200.0 - 50.0)).abs() < 1e-9);
    }
}
