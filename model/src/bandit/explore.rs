//! From scores to probabilities: each rule exactly, in a file of its own.
//!
//! Scores here are rewards of unit scale, larger is better. A rule writes a distribution over the eligible
//! actions; the floor is mixed in afterwards and alike for all rules ([`floor`]).
//!
//! Thompson sampling is here by integrating who is the largest: redrawing the posterior has no closed
//! form, and a logged probability that is itself an estimate spoils every value computed from it.

pub mod allowance;
mod epsilon_greedy;
mod fast_cb;
pub mod floor;
mod greedy;
mod inverse_gap;
mod softmax;
mod thompson;
pub mod tilt;
mod uniform;

pub use epsilon_greedy::EpsilonGreedy;
pub use fast_cb::FastCb;
pub use greedy::Greedy;
pub use inverse_gap::InverseGap;
pub use softmax::Softmax;
pub use thompson::Thompson;
pub use uniform::Uniform;

use serde::{Deserialize, Serialize};

use super::error::BanditError;

/// What a rule sees of a decision: one score and one base measure for each eligible action.
#[derive(Debug, Clone, Copy)]
pub struct Situation<'a> {
    /// Predicted rewards of unit scale.
    pub scores: &'a [f64],
    /// The base measure `μ`: positive, summing to 1.
    pub base: &'a [f64],
    /// Posterior deviations of the scores against the reference action, for noise of 1; empty for rules
    /// that do not ask for them.
    pub deviations: &'a [f64],
}

impl Situation<'_> {
    /// The position of the highest score; the first of equals.
    #[must_use]
    pub fn best(&self) -> usize {
        let mut best = 0;
        for (at, &score) in self.scores.iter().enumerate().skip(1) {
            if score > self.scores[best] {
                best = at;
            }
        }
        best
    }
}

/// A rule that turns scores into a distribution, in closed form.
pub trait ExplorationRule {
    /// Writes the probability of each eligible action; they sum to 1 within rounding.
    ///
    /// `probabilities` has the length of the situation's scores, which is at least 1.
    fn distribution(&self, situation: Situation<'_>, probabilities: &mut [f64]);
}

/// The choice of a rule, before the number of labels is known.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum RuleConfig {
    /// SquareCB / FALCON: `γ = scale · labels^exponent`.
    InverseGap {
        /// Scale of `γ`.
        scale: f64,
        /// Growth of `γ` with the labels.
        exponent: f64,
    },
    /// FastCB: `γ = scale · labels^exponent`.
    FastCb {
        /// Scale of `γ`.
        scale: f64,
        /// Growth of `γ` with the labels.
        exponent: f64,
    },
    /// The best action, and a share of the base measure.
    EpsilonGreedy {
        /// The share explored.
        epsilon: f64,
    },
    /// Boltzmann exploration.
    Softmax {
        /// Difference in reward that makes an action e times as probable.
        temperature: f64,
    },
    /// Thompson sampling, each action's posterior by itself.
    Thompson {
        /// Standard deviation of a reward of unit scale about its mean.
        noise: f64,
    },
    /// The best action.
    Greedy,
    /// The base measure.
    Uniform,
}

impl Default for RuleConfig {
    fn default() -> Self {
        Self::InverseGap {
            scale: 5000.0,
            exponent: 0.5,
        }
    }
}

/// A rule with all its numbers, as a generation holds it.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Rule {
    /// See [`InverseGap`].
    InverseGap(InverseGap),
    /// See [`FastCb`].
    FastCb(FastCb),
    /// See [`EpsilonGreedy`].
    EpsilonGreedy(EpsilonGreedy),
    /// See [`Softmax`].
    Softmax(Softmax),
    /// See [`Thompson`].
    Thompson(Thompson),
    /// See [`Greedy`].
    Greedy(Greedy),
    /// See [`Uniform`].
    Uniform(Uniform),
}

impl RuleConfig {
    /// Whether the rule asks how sure each score is.
    #[must_use]
    pub fn asks_for_deviations(&self) -> bool {
        matches!(self, Self::Thompson { .. })
    }

    /// The rule after `labels` (weighted) matured rounds.
    #[must_use]
    pub fn after(&self, labels: f64) -> Rule {
        let gamma = |scale: f64, exponent: f64| {
            if labels > 0.0 {
                scale * libm::pow(labels, exponent)
            } else {
                0.0
            }
        };
        match *self {
            Self::InverseGap { scale, exponent } => Rule::InverseGap(InverseGap {
                gamma: gamma(scale, exponent),
            }),
            Self::FastCb { scale, exponent } => Rule::FastCb(FastCb {
                gamma: gamma(scale, exponent),
            }),
            Self::EpsilonGreedy { epsilon } => Rule::EpsilonGreedy(EpsilonGreedy { epsilon }),
            Self::Softmax { temperature } => Rule::Softmax(Softmax { temperature }),
            Self::Thompson { noise } => Rule::Thompson(Thompson { noise }),
            Self::Greedy => Rule::Greedy(Greedy),
            Self::Uniform => Rule::Uniform(Uniform),
        }
    }

    /// Refuses parameters outside their ranges.
    ///
    /// # Errors
    /// Names the parameter, its value and its range.
    pub fn check(&self) -> Result<(), BanditError> {
        let at_least_zero = |value: f64| value >= 0.0 && value.is_finite();
        let (name, value, holds, expected) = match *self {
            Self::InverseGap { scale, .. } | Self::FastCb { scale, .. }
                if !at_least_zero(scale) =>
            {
                ("exploration.rule.scale", scale, false, "at least zero")
            }
            Self::InverseGap { exponent, .. } | Self::FastCb { exponent, .. } => (
                "exploration.rule.exponent",
                exponent,
                at_least_zero(exponent),
                "at least zero",
            ),
            Self::EpsilonGreedy { epsilon } => (
                "exploration.rule.epsilon",
                epsilon,
                (0.0..=1.0).contains(&epsilon),
                "between 0 and 1",
            ),
            Self::Softmax { temperature } => (
                "exploration.rule.temperature",
                temperature,
                temperature > 0.0 && temperature.is_finite(),
                "above zero",
            ),
            Self::Thompson { noise } => (
                "exploration.rule.noise",
                noise,
                noise > 0.0 && noise.is_finite(),
                "above zero",
            ),
            Self::Greedy | Self::Uniform => return Ok(()),
        };
        if holds {
            return Ok(());
        }
        Err(BanditError::Parameter {
            name,
            value,
            expected,
        })
    }
}

impl ExplorationRule for Rule {
    fn distribution(&self, situation: Situation<'_>, probabilities: &mut [f64]) {
        match self {
            Self::InverseGap(rule) => rule.distribution(situation, probabilities),
            Self::FastCb(rule) => rule.distribution(situation, probabilities),
            Self::EpsilonGreedy(rule) => rule.distribution(situation, probabilities),
            Self::Softmax(rule) => rule.distribution(situation, probabilities),
            Self::Thompson(rule) => rule.distribution(situation, probabilities),
            Self::Greedy(rule) => rule.distribution(situation, probabilities),
            Self::Uniform(rule) => rule.distribution(situation, probabilities),
        }
    }
}

#[cfg(test)]
mod tests;
