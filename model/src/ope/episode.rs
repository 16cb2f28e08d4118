//! The value of following a policy over an invoice's whole life.
//!
//! A different estimand from everything else in [`crate::ope`]: there one
//! decision is replaced and the logging policy takes over again; here the
//! target policy takes every decision of the episode. Weights multiply along
//! the way, so episodes of many decisions need far more data.

use super::{
    error::OpeError,
    estimate::Estimate,
    numeric::{mean, real},
};

/// One decision of an episode.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Step {
    /// Importance weight of the action taken, `π(a|x) / p(a|x)`.
    pub weight: f64,
    /// Reward between this decision and the next.
    pub reward: f64,
    /// Predicted reward of the rest of the episode under the target policy,
    /// after the action taken: `q(x, a)`. Zero without a model.
    pub chosen: f64,
    /// The same averaged over the target policy: `v(x) = Σ π(b|x) q(x, b)`.
    pub expected: f64,
}

/// Per-decision importance sampling: each reward is weighted by the decisions
/// that led to it, not by those after it.
///
/// ```text
/// V = mean over episodes of Σ_t γᵗ ρ_t r_t,   ρ_t = Π_{s ≤ t} w_s
/// ```
///
/// Precup, Sutton and Singh (ICML 2000). `discount` γ in (0, 1].
///
/// # Errors
/// No episodes, a discount outside (0, 1], or a value that is not finite.
pub fn per_decision(episodes: &[Vec<Step>], discount: f64) -> Result<Estimate, OpeError> {
    sequential(episodes, discount, false)
}

/// The sequential doubly robust estimator: per-decision importance sampling
/// with the model as control variate.
///
/// ```text
/// V = mean over episodes of Σ_t γᵗ ( ρ_{t−1} v(x_t) + ρ_t (r_t − q(x_t, a_t)) )
/// ```
///
/// Jiang and Li (ICML 2016, arXiv 1511.03722); with one decision an episode it
/// is the doubly robust estimator. `discount` γ in (0, 1]; the model's `q` is
/// discounted with the same γ.
///
/// # Errors
/// As [`per_decision`].
pub fn doubly_robust(episodes: &[Vec<Step>], discount: f64) -> Result<Estimate, OpeError> {
    sequential(episodes, discount, true)
}

/// Per-decision importance sampling, normalised at every step by the weights
/// of all episodes, those that have ended with the weight they ended with.
///
/// ```text
/// V = Σ_t γᵗ Σ_i ρ_{i,t} r_{i,t} / Σ_i ρ_{i,t}
/// ```
///
/// Biased, consistent, and within the range of the rewards. Thomas and
/// Brunskill (ICML 2016, arXiv 1604.00923). The influence is linearised.
///
/// # Errors
/// As [`per_decision`]; also when at some step no episode has weight.
pub fn weighted_per_decision(episodes: &[Vec<Step>], discount: f64) -> Result<Estimate, OpeError> {
    check(episodes, discount)?;
    let longest = episodes.iter().map(Vec::len).max().unwrap_or(0);
    let mut weights = vec![1.0; episodes.len()];
    let mut influence = vec![0.0; episodes.len()];
    let mut value = 0.0;
    let mut fade = 1.0;
    for time in 0..longest {
        let mut rewarded = 0.0;
        for (weight, episode) in weights.iter_mut().zip(episodes) {
            if let Some(step) = episode.get(time) {
                *weight *= step.weight;
                rewarded += *weight * step.reward;
            }
        }
        let average = mean(&weights);
        if average <= 0.0 {
            return Err(OpeError::NoWeight);
        }
        let here = rewarded / real(episodes.len()) / average;
        value += fade * here;
        for ((one, weight), episode) in influence.iter_mut().zip(&weights).zip(episodes) {
            let reward = episode.get(time).map_or(0.0, |step| step.reward);
            *one += fade * weight * (reward - here) / average;
        }
        fade *= discount;
    }
    Ok(Estimate { value, influence })
}

fn sequential(
    episodes: &[Vec<Step>],
    discount: f64,
    with_model: bool,
) -> Result<Estimate, OpeError> {
    check(episodes, discount)?;
    let totals: Vec<f64> = episodes
        .iter()
        .map(|episode| {
            let (mut before, mut fade, mut total) = (1.0, 1.0, 0.0);
            for step in episode {
                let (chosen, expected) = if with_model {
                    (step.chosen, step.expected)
                } else {
                    (0.0, 0.0)
                };
                let after = before * step.weight;
                total += fade * (before * expected + after * (step.reward - chosen));
                before = after;
                fade *= discount;
            }
            total
        })
        .collect();
    Ok(Estimate::mean_of(&totals))
}

fn check(episodes: &[Vec<Step>], discount: f64) -> Result<(), OpeError> {
    if episodes.is_empty() {
        return Err(OpeError::NoRounds);
    }
    if !(discount > 0.0 && discount <= 1.0) {
        return Err(OpeError::Parameter {
            name: "the discount",
            value: discount,
            allowed: "above 0 and at most 1",
        });
    }
    for step in episodes.iter().flatten() {
        let weighs = step.weight >= 0.0 && step.weight.is_finite();
        if !weighs {
            return Err(OpeError::Parameter {
                name: "the weight of a decision",
                value: step.weight,
                allowed: "finite and at least 0",
            });
        }
        let worth = step.reward + step.chosen + step.expected;
        if !worth.is_finite() {
            return Err(OpeError::Parameter {
                name: "the reward or prediction of a decision",
                value: worth,
                allowed: "finite",
            });
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use rand::{RngExt, SeedableRng};
    use rand_chacha::ChaCha8Rng;

    use super::{Step, doubly_robust, per_decision, weighted_per_decision};
    use crate::ope::interval::student::standard_error;

    /// Two decisions between wait (0) and remind (1). Reminding pays 1 with
    /// probability 0.5, waiting with 0.2; a payment ends the episode.
    /// Logged: remind with 0.4. Target: remind with 0.8.
    const PAYS: [f64; 2] = [0.2, 0.5];
    const LOGGED: f64 = 0.4;
    const TARGET: f64 = 0.8;

    fn truth() -> f64 {
        let once = TARGET * PAYS[1] + (1.0 - TARGET) * PAYS[0];
        once + (1.0 - once) * once
    }

    fn episodes(seed: u64, count: usize, model_error: f64) -> Vec<Vec<Step>> {
        let mut random = ChaCha8Rng::seed_from_u64(seed);
        let once = TARGET * PAYS[1] + (1.0 - TARGET) * PAYS[0];
        (0..count)
            .map(|_| {
                let mut steps = Vec::new();
                for time in 0..2 {
                    let remind = random.random::<f64>() < LOGGED;
                    let pays = PAYS[usize::from(remind)];
                    let paid = random.random::<f64>() < pays;
                    let rest = if time == 0 { once } else { 0.0 };
                    let q = |p: f64| p + (1.0 - p) * rest + model_error;
                    steps.push(Step {
                        weight: if remind {
                            TARGET / LOGGED
                        } else {
                            (1.0 - TARGET) / (1.0 - LOGGED)
                        },
                        reward: f64::from(paid),
                        chosen: q(pays),
                        expected: TARGET * q(PAYS[1]) + (1.0 - TARGET) * q(PAYS[0]),
                    });
                    if paid {
                        break;
                    }
                }
                steps
            })
            .collect()
    }

    #[test]
    fn all_three_find_the_truth() {
        let log = episodes(3, 60_000, 0.0);
        for estimate in [
            per_decision(&log, 1.0).unwrap(),
            doubly_robust(&log, 1.0).unwrap(),
            weighted_per_decision(&log, 1.0).unwrap(),
        ] {
            let (error, _) = standard_error(&estimate, None).unwrap();
            let distance = (estimate.value - truth()).abs();
            assert!(
                error < 0.01 && distance < 4.0 * error,
                "{distance} at {error}"
            );
        }
    }

    #[test]
    fn a_wrong_model_costs_no_bias_and_a_right_one_saves_variance() {
        let wrong = doubly_robust(&episodes(5, 60_000, 0.4), 1.0).unwrap();
        let (error, _) = standard_error(&wrong, None).unwrap();
        assert!((wrong.value - truth()).abs() < 4.0 * error);
        let log = episodes(5, 60_000, 0.0);
        let right = standard_error(&doubly_robust(&log, 1.0).unwrap(), None).unwrap();
        let plain = standard_error(&per_decision(&log, 1.0).unwrap(), None).unwrap();
        assert!(right.0 < plain.0);
    }

    #[test]
    fn one_decision_is_the_one_step_value() {
        let log: Vec<Vec<Step>> = episodes(7, 100, 0.1)
            .into_iter()
            .map(|episode| episode[..1].to_vec())
            .collect();
        let mean: f64 = log
            .iter()
            .map(|one| one[0].expected + one[0].weight * (one[0].reward - one[0].chosen))
            .sum::<f64>()
            / 100.0;
        assert!((doubly_robust(&log, 1.0).unwrap().value - mean).abs() < 1e-12);
    }
}
