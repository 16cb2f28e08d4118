//! The few columns that every estimator shares.

use super::{error::OpeError, facets::Partition, numeric::real, round::Round, rounds::Rounds};

/// Weights, rewards and model terms of `n` rounds, one column each.
///
/// The distributions over actions are read once, when this is built; a log of
/// ten million decisions keeps some forty bytes a decision and eight a partition.
#[derive(Debug, Clone, Default)]
pub struct Terms {
    pub(super) reward: Vec<f64>,
    pub(super) weight: Vec<f64>,
    pub(super) model: Option<ModelTerms>,
    pub(super) marginal: Vec<Marginal>,
    /// Whether the action taken is the target's most probable (first of ties).
    pub(super) greedy: Vec<bool>,
    pub(super) customer: Option<Vec<u32>>,
}

/// What a reward model says of a round.
#[derive(Debug, Clone, Default)]
pub(super) struct ModelTerms {
    /// q(x, a) of the action taken.
    pub(super) chosen: Vec<f64>,
    /// Σ π(b) q(x, b) / Σ π(b).
    pub(super) expected: Vec<f64>,
}

/// Weights of the groups of a partition.
#[derive(Debug, Clone)]
pub(super) struct Marginal {
    pub(super) partition: Partition,
    pub(super) weight: Vec<f64>,
}

impl Terms {
    /// The terms of a checked log, with a column for each partition where the
    /// logging policy's whole distribution is known.
    #[must_use]
    pub fn of(rounds: &Rounds) -> Self {
        let mut builder = TermsBuilder::new(rounds.partitions(), rounds.has_predicted());
        for round in rounds.iter() {
            builder.add(&round);
        }
        let mut terms = builder.terms;
        terms.customer = rounds.customers().map(<[u32]>::to_vec);
        terms
    }

    /// The number of rounds.
    #[must_use]
    #[allow(clippy::len_without_is_empty)] // a log is never empty
    pub fn len(&self) -> usize {
        self.reward.len()
    }

    /// Importance weights of the actions taken, one a round.
    #[must_use]
    pub fn weights(&self) -> &[f64] {
        &self.weight
    }

    /// Rewards, one a round.
    #[must_use]
    pub fn rewards(&self) -> &[f64] {
        &self.reward
    }

    /// The customer of every round, where known.
    #[must_use]
    pub fn customers(&self) -> Option<&[u32]> {
        self.customer.as_deref()
    }

    /// Names of the partitions with marginal weights.
    pub fn partitions(&self) -> impl Iterator<Item = &str> {
        self.marginal.iter().map(|one| one.partition.name.as_str())
    }

    /// Whether a reward model is attached.
    #[must_use]
    pub fn has_model(&self) -> bool {
        self.model.is_some()
    }

    /// The terms of some rounds only (a segment), in the order given.
    ///
    /// # Errors
    /// No round, or one beyond the last.
    pub fn select(&self, rounds: &[usize]) -> Result<Self, OpeError> {
        if rounds.is_empty() {
            return Err(OpeError::NoRounds);
        }
        if let Some(&beyond) = rounds.iter().find(|&&round| round >= self.len()) {
            return Err(OpeError::Parameter {
                name: "the round of a segment",
                value: real(beyond),
                allowed: "below the number of rounds",
            });
        }
        let pick = |column: &[f64]| rounds.iter().map(|&round| column[round]).collect();
        Ok(Self {
            reward: pick(&self.reward),
            weight: pick(&self.weight),
            model: self.model.as_ref().map(|model| ModelTerms {
                chosen: pick(&model.chosen),
                expected: pick(&model.expected),
            }),
            marginal: self
                .marginal
                .iter()
                .map(|one| Marginal {
                    partition: one.partition.clone(),
                    weight: pick(&one.weight),
                })
                .collect(),
            greedy: rounds.iter().map(|&round| self.greedy[round]).collect(),
            customer: self
                .customer
                .as_ref()
                .map(|column| rounds.iter().map(|&round| column[round]).collect()),
        })
    }
}

/// Builds [`Terms`] from a stream, so that no matrix over the actions is held.
#[derive(Debug)]
pub struct TermsBuilder {
    terms: Terms,
    customers: Vec<u32>,
}

impl TermsBuilder {
    /// A builder for rounds that carry the logging distribution when there are
    /// `partitions`, and predicted rewards when `model` is set.
    #[must_use]
    pub fn new(partitions: Vec<Partition>, model: bool) -> Self {
        let marginal = partitions.into_iter().map(|partition| Marginal {
            partition,
            weight: Vec::new(),
        });
        Self {
            terms: Terms {
                model: model.then(ModelTerms::default),
                marginal: marginal.collect(),
                ..Terms::default()
            },
            customers: Vec::new(),
        }
    }

    /// Checks and adds a round; `customer` must be given for all rounds or for none.
    ///
    /// # Errors
    /// A value that cannot be, or a distribution that was promised and is missing.
    pub fn push(&mut self, round: &Round<'_>, customer: Option<u32>) -> Result<(), OpeError> {
        let index = self.terms.len();
        round.check(index)?;
        if self.terms.model.is_some() && round.predicted.is_none() {
            return Err(missing("a reward model"));
        }
        if !self.terms.marginal.is_empty() && round.logging.is_none() {
            return Err(missing("every probability of the logging policy"));
        }
        self.customers.extend(customer);
        self.add(round);
        Ok(())
    }

    /// The terms of the rounds pushed.
    ///
    /// # Errors
    /// No rounds, or a customer for some rounds only.
    pub fn finish(self) -> Result<Terms, OpeError> {
        let Self {
            mut terms,
            customers,
        } = self;
        if terms.len() == 0 {
            return Err(OpeError::NoRounds);
        }
        if !customers.is_empty() {
            if customers.len() != terms.len() {
                return Err(OpeError::Shape {
                    what: "the column of customers",
                    unit: "rows",
                    found: customers.len(),
                    expected: terms.len(),
                });
            }
            terms.customer = Some(customers);
        }
        Ok(terms)
    }

    fn add(&mut self, round: &Round<'_>) {
        let terms = &mut self.terms;
        terms.reward.push(round.reward);
        terms.weight.push(round.weight());
        terms
            .greedy
            .push(first_maximum(round.target) == round.action);
        if let (Some(model), Some(predicted)) = (&mut terms.model, round.predicted) {
            model.chosen.push(predicted[round.action]);
            model.expected.push(expectation(round.target, predicted));
        }
        if let Some(logging) = round.logging {
            for one in &mut terms.marginal {
                let target = one.partition.mass(round.action, round.target);
                let logged = one.partition.mass(round.action, logging);
                // The propensity is positive, so a group of zero mass is a
                // contradiction in the log; the action's own weight stands in.
                let weight = if logged > 0.0 {
                    target / logged
                } else {
                    round.weight()
                };
                one.weight.push(weight);
            }
        }
    }
}

fn missing(what: &'static str) -> OpeError {
    OpeError::Missing {
        estimator: "this evaluation".to_owned(),
        what,
    }
}

/// Position of the largest value, the first of equals.
fn first_maximum(values: &[f64]) -> usize {
    let mut best = 0;
    for (position, value) in values.iter().enumerate() {
        if *value > values[best] {
            best = position;
        }
    }
    best
}

/// Mean of `values` under `probabilities`, normalised by their sum so that
/// rounding in the file does not move the mean.
fn expectation(probabilities: &[f64], values: &[f64]) -> f64 {
    let mut mass = 0.0;
    let mut total = 0.0;
    for (probability, value) in probabilities.iter().zip(values) {
        mass += probability;
        total += probability * value;
    }
    total / mass
}
