//! The family of linear estimators: one formula, four choices.

use super::{
    error::OpeError,
    estimate::Estimate,
    numeric::{Sum, mean, real},
    shrinkage::Shrinkage,
    terms::{ModelTerms, Terms},
};

/// Which importance weight an estimator uses.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Weights {
    /// Of the action: `π(a|x) / p(a|x)`.
    Action,
    /// Of the action's group in the partition of this name:
    ///
    /// ```text
    /// w(g) = Σ_{b in g} π(b|x) / Σ_{b in g} p(b|x)
    /// ```
    ///
    /// Marginalised importance sampling, Saito and Joachims (ICML 2022, arXiv
    /// 2202.06317): unbiased where the reward depends on the action through its
    /// group only, and of far smaller variance. With a model: OffCEM, Saito, Ren
    /// and Joachims (ICML 2023, arXiv 2305.08062), where only differences
    /// *within* a group need the model.
    Group(String),
}

/// An estimator of the form
///
/// ```text
/// z = dm + g(w) (r − q)        dm = Σ_a π(a|x) q(x,a),  or dm = q = 0 without a model
/// V = mean(z)                                            plain
/// V = mean(dm) + Σ g(w) (r − q) / Σ g(w)                 self-normalised
/// ```
///
/// | weights | model | shrinkage | normalised | name |
/// |---|---|---|---|---|
/// | action | no | none | no | IPS (Horvitz and Thompson 1952) |
/// | action | no | none | yes | SNIPS (Swaminathan and Joachims 2015) |
/// | action | yes | ignore | no | direct method |
/// | action | yes | none | no | doubly robust (Dudík et al. 2014, arXiv 1503.02834) |
/// | action | yes | none | yes | SNDR |
/// | action | yes | switch, optimistic | no | Switch-DR, DRos |
/// | group | no | none | no | MIPS |
/// | group | yes | none | no | OffCEM |
#[derive(Debug, Clone, PartialEq)]
pub struct Estimator {
    /// Action or group.
    pub weights: Weights,
    /// How large weights are tamed.
    pub shrinkage: Shrinkage,
    /// Whether a reward model is the baseline.
    pub model: bool,
    /// Whether weights are divided by their own mean.
    pub normalised: bool,
}

impl Estimator {
    /// Importance sampling on the action, with this shrinkage.
    #[must_use]
    pub fn importance(shrinkage: Shrinkage) -> Self {
        Self {
            weights: Weights::Action,
            shrinkage,
            model: false,
            normalised: false,
        }
    }

    /// A doubly robust estimator on the action, with this shrinkage.
    #[must_use]
    pub fn doubly_robust(shrinkage: Shrinkage) -> Self {
        Self {
            model: true,
            ..Self::importance(shrinkage)
        }
    }

    /// The same, normalised by its own weights.
    #[must_use]
    pub fn self_normalised(self) -> Self {
        Self {
            normalised: true,
            ..self
        }
    }

    /// The same on the groups of a partition.
    #[must_use]
    pub fn over(self, partition: &str) -> Self {
        Self {
            weights: Weights::Group(partition.to_owned()),
            ..self
        }
    }

    /// The value with each round's influence.
    ///
    /// # Errors
    /// No model or partition where one is needed, a shrinkage outside its
    /// range, or no weight to normalise by.
    pub fn estimate(&self, terms: &Terms) -> Result<Estimate, OpeError> {
        let columns = Columns::of(self, terms)?;
        let mut influence: Vec<f64> = if self.normalised {
            columns.normalised()?
        } else {
            (0..terms.len()).map(|round| columns.row(round)).collect()
        };
        let value = mean(&influence);
        for one in &mut influence {
            *one -= value;
        }
        Ok(Estimate { value, influence })
    }

    /// The value alone.
    ///
    /// # Errors
    /// As [`Estimator::estimate`].
    pub fn value(&self, terms: &Terms) -> Result<f64, OpeError> {
        Ok(self.estimate(terms)?.value)
    }
}

/// The columns one estimator reads.
pub(super) struct Columns<'a> {
    weight: &'a [f64],
    reward: &'a [f64],
    model: Option<&'a ModelTerms>,
    shrinkage: Shrinkage,
}

impl<'a> Columns<'a> {
    pub(super) fn of(estimator: &Estimator, terms: &'a Terms) -> Result<Self, OpeError> {
        estimator.shrinkage.check()?;
        if terms.len() == 0 {
            return Err(OpeError::NoRounds);
        }
        let missing = |what| OpeError::Missing {
            estimator: "this estimator".to_owned(),
            what,
        };
        let weight = match &estimator.weights {
            Weights::Action => &terms.weight,
            Weights::Group(name) => {
                let found = terms
                    .marginal
                    .iter()
                    .find(|one| one.partition.name == *name);
                &found
                    .ok_or_else(|| missing("facets of the actions and the whole logging policy"))?
                    .weight
            }
        };
        let model = match (&terms.model, estimator.model) {
            (_, false) => None,
            (Some(model), true) => Some(model),
            (None, true) => return Err(missing("a reward model")),
        };
        Ok(Self {
            weight,
            reward: &terms.reward,
            model,
            shrinkage: estimator.shrinkage,
        })
    }

    /// The shrunken weight of a round.
    pub(super) fn shrunken(&self, round: usize) -> f64 {
        self.shrinkage.apply(self.weight[round])
    }

    /// `dm`, or zero without a model.
    pub(super) fn baseline(&self, round: usize) -> f64 {
        self.model.map_or(0.0, |model| model.expected[round])
    }

    /// `r − q`, or `r` without a model.
    pub(super) fn residual(&self, round: usize) -> f64 {
        self.reward[round] - self.model.map_or(0.0, |model| model.chosen[round])
    }

    /// The plain contribution `z`.
    pub(super) fn row(&self, round: usize) -> f64 {
        let weight = self.shrunken(round);
        // A residual times a weight of zero is zero even where the residual is huge.
        let correction = if weight > 0.0 {
            weight * self.residual(round)
        } else {
            0.0
        };
        self.baseline(round) + correction
    }

    /// Linearised contributions of the self-normalised form, whose mean is
    /// exactly the self-normalised value:
    ///
    /// ```text
    /// zᵢ = dmᵢ + c + gᵢ (rᵢ − qᵢ − c) / mean(g),   c = Σ g (r − q) / Σ g
    /// ```
    fn normalised(&self) -> Result<Vec<f64>, OpeError> {
        let rounds = self.weight.len();
        let (mut weights, mut corrections) = (Sum::default(), Sum::default());
        for round in 0..rounds {
            let weight = self.shrunken(round);
            weights.add(weight);
            corrections.add(weight * self.residual(round));
        }
        let total = weights.value();
        if total <= 0.0 {
            return Err(OpeError::NoWeight);
        }
        let ratio = corrections.value() / total;
        let scale = real(rounds) / total;
        Ok((0..rounds)
            .map(|round| {
                let pull = self.shrunken(round) * (self.residual(round) - ratio) * scale;
                self.baseline(round) + ratio + pull
            })
            .collect())
    }
}
