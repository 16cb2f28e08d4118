//! Everything about the bandit that is chosen and not learnt.

use serde::{Deserialize, Serialize};

use super::base_measure::BaseMeasureConfig;
use super::error::BanditError;
use super::explore::RuleConfig;
use super::prior::{Firmness, PriorScales, Shrinkage};

/// The bandit's configuration. It is part of every generation, and so of what determines a probability.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct BanditConfig {
    /// How hard each kind of coefficient is shrunk.
    pub prior: PriorScales,
    /// How the common factor on the prior is found.
    pub shrinkage: Shrinkage,
    /// How scores become probabilities.
    pub exploration: Exploration,
    /// What exploration spreads over.
    pub base_measure: BaseMeasureConfig,
    /// When coefficients are solved for again.
    pub refresh: Refresh,
    /// Plausible range (largest minus smallest value) of each head, in the layout's order; it turns an
    /// objective in money into the rewards of unit scale that exploration speaks of. Empty: all 1.
    pub head_spans: Vec<f64>,
    /// How much harder than the prior says the effects of actions on each head are shrunk, in the
    /// layout's order: a rare event has much noise and small effects, so that its prior variance is a
    /// smaller part of its noise than that of cash. Empty: all 1.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub head_firmness: Vec<f64>,
    /// How much harder than the prior says it is shrunk by how much the effect of a level depends on the
    /// context, over all heads and beside [`head_firmness`](Self::head_firmness); above 0. None: 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub context_firmness: Option<f64>,
}

/// How scores become probabilities.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Exploration {
    /// The rule.
    pub rule: RuleConfig,
    /// Share of the base measure mixed into whatever the rule says, in `[0, 1]`; an eligible action has
    /// at least this times its base measure, which bounds every importance weight.
    pub floor: f64,
    /// Standard deviations added to the score of each action of a plain catalogue.
    ///
    /// Actions that share nothing must each be tried; the bonus settles that in fewer rounds than
    /// chance. In a composed catalogue it is not used: parts are tried by every action that has them,
    /// and with late outcomes a bonus repeats one action until its first outcome returns.
    pub optimism: f64,
}

/// When the coefficients of a block of `p` coefficients are solved for again.
///
/// ```text
/// due when  folds since ≥ max( 1, p / 64, min( growth · rounds at the last solution, p³ / (3 paid) ) )
/// ```
/// Either the block has grown by a share that matters, or the folds have paid for the work: `paid` is
/// the multiply-adds of factorisation a fold may cost on average in the long run.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Refresh {
    /// Share by which a block grows before it is solved again, if that comes before `paid` allows.
    pub growth: f64,
    /// Multiply-adds of factorisation that each fold pays for.
    pub paid: f64,
}

impl Default for Exploration {
    fn default() -> Self {
        Self {
            rule: RuleConfig::default(),
            floor: 0.05,
            optimism: 0.3,
        }
    }
}

impl Default for Refresh {
    fn default() -> Self {
        Self {
            growth: 0.25,
            paid: 150_000.0,
        }
    }
}

impl Refresh {
    /// Whether a block of `dimension` coefficients, last solved at `solved_at` rounds, is due after
    /// `since` more.
    #[must_use]
    pub fn is_due(&self, dimension: usize, solved_at: u64, since: u64) -> bool {
        let p = dimension as f64;
        let grown = self.growth * solved_at as f64;
        let paid = p * p * p / (3.0 * self.paid);
        since > 0 && since as f64 >= (p / 64.0).max(grown.min(paid))
    }
}

impl BanditConfig {
    /// Refuses parameters outside their ranges.
    ///
    /// # Errors
    /// Names the first parameter that is out of range, with its value and the range.
    pub fn check(&self, heads: usize) -> Result<(), BanditError> {
        self.prior.check()?;
        self.exploration.rule.check()?;
        self.base_measure.check()?;
        let share = |value: f64| (0.0..=1.0).contains(&value);
        let at_least_zero = |value: f64| value >= 0.0 && value.is_finite();
        let above_one = |value: f64| value > 1.0 && value.is_finite();
        let above_zero = |value: f64| value > 0.0 && value.is_finite();
        let Exploration {
            floor, optimism, ..
        } = self.exploration;
        let Shrinkage { spread, step, .. } = self.shrinkage;
        let ranges = [
            ("exploration.floor", floor, share(floor), "between 0 and 1"),
            (
                "exploration.optimism",
                optimism,
                at_least_zero(optimism),
                "at least zero",
            ),
            (
                "shrinkage.spread",
                spread,
                at_least_zero(spread),
                "at least zero",
            ),
            ("shrinkage.step", step, above_one(step), "above one"),
            (
                "refresh.growth",
                self.refresh.growth,
                at_least_zero(self.refresh.growth),
                "at least zero",
            ),
            (
                "refresh.paid",
                self.refresh.paid,
                above_zero(self.refresh.paid),
                "above zero",
            ),
        ];
        for (name, value, holds, expected) in ranges {
            if !holds {
                return Err(BanditError::Parameter {
                    name,
                    value,
                    expected,
                });
            }
        }
        self.check_each("`head_spans`", &self.head_spans, heads)?;
        self.check_each("`head_firmness`", &self.head_firmness, heads)?;
        match self.context_firmness {
            Some(value) if !above_zero(value) => Err(BanditError::Parameter {
                name: "context_firmness",
                value,
                expected: "above zero",
            }),
            _ => Ok(()),
        }
    }

    /// One number above zero for each head, or none at all.
    fn check_each(
        &self,
        what: &'static str,
        values: &[f64],
        heads: usize,
    ) -> Result<(), BanditError> {
        if !values.is_empty() && values.len() != heads {
            return Err(BanditError::Length {
                what,
                found: values.len(),
                expected: heads,
            });
        }
        let good = |value: f64| value > 0.0 && value.is_finite();
        match values.iter().find(|&&value| !good(value)) {
            Some(&value) => Err(BanditError::Parameter {
                name: what.trim_matches('`'),
                value,
                expected: "above zero",
            }),
            None => Ok(()),
        }
    }

    /// The plausible range of one head.
    #[must_use]
    pub fn span(&self, head: usize) -> f64 {
        self.head_spans.get(head).copied().unwrap_or(1.0)
    }

    /// How hard the effects of actions on one head are shrunk.
    pub(super) fn firmness(&self, head: usize) -> Firmness {
        let own = self.head_firmness.get(head).copied().unwrap_or(1.0);
        Firmness {
            effects: own,
            context: own * self.context_firmness.unwrap_or(1.0),
        }
    }
}
