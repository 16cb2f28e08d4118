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
    /// Whether and how the data speak of each kind of effect apart; only of the common factor if absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub by_kind: Option<ByKind>,
}

/// How factors of a head's own are found for the penalties of each kind of effect of actions: the
/// constants of levels, their dependence on the context, and pairs.
///
/// Where messages hardly matter, hundreds of coefficients must stay near zero, or the choice falls on
/// the luckiest estimate; where they matter for late cases alone, the dependence on the context is all
/// there is to learn. No fixed prior serves both worlds, and one common factor cannot tell them apart.
/// Coordinate by coordinate, the same evidence is climbed with `Σ (ln f)² / (2 spread²)` against
/// leaving 1.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ByKind {
    /// Standard deviation of the prior on each `ln f`.
    pub spread: f64,
    /// Ratio of neighbouring factors that are tried.
    pub step: f64,
    /// Rounds below which all factors stay 1.
    pub from_rounds: u64,
    /// Share by which the rounds grow before the factors are looked at again.
    pub every_growth: f64,
}

impl Default for ByKind {
    fn default() -> Self {
        Self {
            spread: 1.5,
            step: 3.0,
            from_rounds: 500,
            every_growth: 1.0,
        }
    }
}

/// What the penalties are multiplied with, found in the data.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Factors {
    /// `κ`, common to all.
    pub common: f64,
    /// One for each head, or none at all, which is 1 for each.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub by_head: Vec<KindFactors>,
}

/// What the penalties of one head's effects of actions are multiplied with, beside the common factor.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KindFactors {
    /// Constants of levels, and of actions that share nothing.
    pub level: f64,
    /// Their dependence on the context.
    pub context: f64,
    /// Pairs of levels.
    pub pair: f64,
}

impl Default for Factors {
    fn default() -> Self {
        Self {
            common: 1.0,
            by_head: Vec::new(),
        }
    }
}

impl Factors {
    /// Those of one head.
    #[must_use]
    pub fn of(&self, head: usize) -> KindFactors {
        self.by_head.get(head).copied().unwrap_or_default()
    }
}

impl Default for KindFactors {
    fn default() -> Self {
        Self {
            level: 1.0,
            context: 1.0,
            pair: 1.0,
        }
    }
}

impl Default for Shrinkage {
    fn default() -> Self {
        Self {
            spread: 0.2,
            step: 3.0,
            from_rounds: 16,
            every_growth: 7.0,
            by_kind: None,
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
    /// `variance` is the pooled variance of a context entry; `firmness` and the factors `kinds`
    /// multiply the penalties of what actions do, what happens whatever is done is not shrunk harder.
    pub(super) fn penalties(
        &self,
        layout: &Layout,
        block: usize,
        variance: f64,
        firmness: f64,
        kinds: KindFactors,
    ) -> Vec<f64> {
        let (level, pair) = (firmness * kinds.level, firmness * kinds.pair);
        let context = firmness * kinds.context * variance;
        let penalty = |role| match role {
            Role::Baseline => self.baseline,
            Role::BaselineContext => self.baseline_context * variance,
            Role::Level => level * self.level,
            Role::LevelContext => context * self.level_context,
            Role::Pair => pair * self.pair,
            Role::Own => level * self.own,
            Role::OwnContext => context * self.own_context,
        };
        layout.roles(block).into_iter().map(penalty).collect()
    }
}

/// Heads that share their penalties, and so the factor of their normal equations.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct HeadGroup {
    pub(super) heads: Vec<usize>,
    /// One a coefficient of the block.
    pub(super) penalties: Vec<f64>,
}

/// The heads by equal firmness, in the order of their first: each set has its penalties in common.
pub(super) fn kin(config: &BanditConfig, layout: &Layout) -> Vec<Vec<usize>> {
    let mut sets: Vec<Vec<usize>> = Vec::new();
    for head in 0..layout.heads().len() {
        let alike = |set: &&mut Vec<usize>| config.firmness(set[0]) == config.firmness(head);
        match sets.iter_mut().find(alike) {
            Some(set) => set.push(head),
            None => sets.push(vec![head]),
        }
    }
    sets
}

/// The penalties of one block under `factors`, for heads that are [`kin`].
pub(super) fn head_group(
    config: &BanditConfig,
    layout: &Layout,
    block: usize,
    variance: f64,
    factors: &Factors,
    heads: Vec<usize>,
) -> HeadGroup {
    let (firmness, kinds) = (config.firmness(heads[0]), factors.of(heads[0]));
    let own = (config.prior).penalties(layout, block, variance, firmness, kinds);
    HeadGroup {
        heads,
        penalties: (own.into_iter())
            .map(|penalty| penalty * factors.common)
            .collect(),
    }
}

/// The penalties of one block under `factors`, for all heads.
pub(super) fn head_groups(
    config: &BanditConfig,
    layout: &Layout,
    block: usize,
    variance: f64,
    factors: &Factors,
) -> Vec<HeadGroup> {
    let sets = kin(config, layout).into_iter();
    sets.map(|heads| head_group(config, layout, block, variance, factors, heads))
        .collect()
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
