//! The prior: how much each kind of coefficient is shrunk, on the scale of its feature.

use serde::{Deserialize, Serialize};

use super::config::BanditConfig;
use super::error::BanditError;
use super::layout::{Layout, Role};
use super::statistics::SufficientStatistics;

/// Ridge penalties by role, for rewards of unit scale.
///
/// A coefficient with penalty `λ` has the prior variance `σ² / λ`, σ² being the noise of a reward.
/// Context coefficients are penalised by `λ` times the pooled variance of a context entry, so that the
/// penalty speaks of the spread of effects over customers and not of the features' units. How a level's
/// effect depends on the context is shrunk hardest, a pair's and a level's own effect less, the baseline
/// hardly: with hundreds of actions and thousands of rounds, what works for everybody is learnt first.
///
/// An action that shares nothing has no parts to be shrunk towards, hence weak penalties of its own.
/// All are multiplied with the common factor that [`Shrinkage`] finds in the data.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct PriorScales {
    /// Constant of the baseline.
    pub baseline: f64,
    /// Context coefficients of the baseline.
    pub baseline_context: f64,
    /// Constant of a level.
    pub level: f64,
    /// Context coefficients of a level.
    pub level_context: f64,
    /// A pair of levels.
    pub pair: f64,
    /// Constant of an action that shares nothing.
    pub own: f64,
    /// Context coefficients of such an action.
    pub own_context: f64,
}

impl Default for PriorScales {
    fn default() -> Self {
        Self {
            baseline: 1e-3,
            baseline_context: 300.0,
            level: 30.0,
            level_context: 1000.0,
            pair: 30.0,
            own: 0.1,
            own_context: 5.0,
        }
    }
}

/// How the common factor `κ` on all penalties is found: by maximising the evidence, started at 1 and
/// held back by a log-normal prior.
///
/// ```text
/// ln p(y | κ) = Σ_h −½ ln det(A + κΛ) + ½ ln det κΛ − (n + a)/2 · ln(Σ w y² − B'(A + κΛ)⁻¹B + b)
///               − (ln κ)² / (2 s²)
/// ```
/// MacKay, "Bayesian interpolation", Neural Computation 4(3), 1992, doi:10.1162/neco.1992.4.3.415.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Shrinkage {
    /// Standard deviation of the prior on `ln κ`; 0 keeps `κ = 1`.
    pub spread: f64,
    /// Ratio of neighbouring values of `κ` that are tried.
    pub step: f64,
    /// Rounds below which `κ` stays 1 and the context's variance counts as 1.
    pub from_rounds: u64,
    /// Share by which the rounds grow before both are looked at again.
    pub every_growth: f64,
}

impl Default for Shrinkage {
    fn default() -> Self {
        Self {
            spread: 0.2,
            step: 3.0,
            from_rounds: 16,
            every_growth: 7.0,
        }
    }
}

impl PriorScales {
    /// Refuses penalties that are not positive.
    ///
    /// # Errors
    /// When any is zero, negative or not a number: the normal equations would have no solution.
    pub fn check(&self) -> Result<(), BanditError> {
        let named = [
            ("prior.baseline", self.baseline),
            ("prior.baseline_context", self.baseline_context),
            ("prior.level", self.level),
            ("prior.level_context", self.level_context),
            ("prior.pair", self.pair),
            ("prior.own", self.own),
            ("prior.own_context", self.own_context),
        ];
        for (name, value) in named {
            if !(value > 0.0 && value.is_finite()) {
                return Err(BanditError::Parameter {
                    name,
                    value,
                    expected: "above zero and finite",
                });
            }
        }
        Ok(())
    }

    /// The penalties of one block before the common factor, one a coefficient.
    ///
    /// `variance` is the pooled variance of a context entry.
    pub(super) fn penalties(
        &self,
        layout: &Layout,
        block: usize,
        variance: f64,
        firmness: Firmness,
    ) -> Vec<f64> {
        let Firmness { effects, context } = firmness;
        let penalty = |role| match role {
            Role::Baseline => self.baseline,
            Role::BaselineContext => self.baseline_context * variance,
            Role::Level => effects * self.level,
            Role::LevelContext => context * self.level_context * variance,
            Role::Pair => effects * self.pair,
            Role::Own => effects * self.own,
            Role::OwnContext => effects * self.own_context * variance,
        };
        layout.roles(block).into_iter().map(penalty).collect()
    }
}

/// How much harder than [`PriorScales`] says what actions do is shrunk; what happens whatever is done is
/// not shrunk harder.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Firmness {
    /// What a level, a pair, or an action that shares nothing does.
    pub(super) effects: f64,
    /// By how much that of a level depends on the context.
    pub(super) context: f64,
}

impl Firmness {
    /// As the prior says.
    #[cfg(test)]
    pub(super) const PLAIN: Self = Self {
        effects: 1.0,
        context: 1.0,
    };
}

/// Heads that share their penalties, and so the factor of their normal equations.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct HeadGroup {
    pub(super) heads: Vec<usize>,
    /// One a coefficient of the block.
    pub(super) penalties: Vec<f64>,
}

/// The penalties of one block, `factor` times those of the configuration, for each group of heads of
/// equal firmness in the order of their first heads.
pub(super) fn head_groups(
    config: &BanditConfig,
    layout: &Layout,
    block: usize,
    variance: f64,
    factor: f64,
) -> Vec<HeadGroup> {
    let mut groups: Vec<(Firmness, HeadGroup)> = Vec::new();
    for head in 0..layout.heads().len() {
        let firmness = config.firmness(head);
        if let Some((_, group)) = groups.iter_mut().find(|(own, _)| *own == firmness) {
            group.heads.push(head);
            continue;
        }
        let own = config.prior.penalties(layout, block, variance, firmness);
        let group = HeadGroup {
            heads: vec![head],
            penalties: own.into_iter().map(|penalty| penalty * factor).collect(),
        };
        groups.push((firmness, group));
    }
    groups.into_iter().map(|(_, group)| group).collect()
}

/// Weight of the assumption that a context entry has variance 1, in rounds.
const UNIT_VARIANCE_ROUNDS: f64 = 1.0;

/// The variance of a context entry over all rounds, averaged over the entries: one number, since a
/// variance per entry would let a feature that hardly varies take any coefficient.
pub(super) fn context_variance(sums: &SufficientStatistics) -> f64 {
    let entries = sums.layout().context().len();
    let weight = sums.weight();
    if entries == 0 || weight <= 0.0 {
        return 1.0;
    }
    let mut first = vec![0.0; entries];
    let mut second = vec![0.0; entries];
    let (width, mut square) = (entries + 1, Vec::new());
    for action in sums.actions().iter().filter(|action| action.rounds() > 0) {
        action.gram_square(1.0, &mut square);
        for entry in 0..entries {
            first[entry] += square[(entry + 1) * width];
            second[entry] += square[(entry + 1) * (width + 1)];
        }
    }
    let spread = |(&sum, &square): (&f64, &f64)| {
        let mean = sum / weight;
        (square / weight - mean * mean).max(0.0)
    };
    let mean = first.iter().zip(&second).map(spread).sum::<f64>() / entries as f64;
    (mean * weight + UNIT_VARIANCE_ROUNDS) / (weight + UNIT_VARIANCE_ROUNDS)
}
