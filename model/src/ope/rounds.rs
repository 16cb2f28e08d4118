//! A checked log: every value in it can be relied on.

use ndarray::{Array2, ArrayView2};

use super::{
    error::OpeError,
    facets::{Facets, Partition},
    round::{Role, Round, check_decision, check_distribution, check_predictions},
};

/// Logged decisions with the distributions of both policies, checked on entry.
///
/// `n` rounds over `K` actions. Matrices are row-major, one row a round, one
/// column an action.
#[derive(Debug, Clone)]
pub struct Rounds {
    actions: Vec<u32>,
    rewards: Vec<f64>,
    propensities: Vec<f64>,
    target: Array2<f64>,
    logging: Option<Array2<f64>>,
    predicted: Option<Array2<f64>>,
    customers: Option<Vec<u32>>,
    facets: Option<Facets>,
}

impl Rounds {
    /// A log of actions (shape `n`), rewards (`n`), logged propensities (`n`)
    /// and the target policy's probabilities (`n × K`).
    ///
    /// # Errors
    /// [`OpeError`] names the first round and value that cannot be.
    pub fn new(
        actions: Vec<u32>,
        rewards: Vec<f64>,
        propensities: Vec<f64>,
        target: Array2<f64>,
    ) -> Result<Self, OpeError> {
        let rounds = actions.len();
        if rounds == 0 {
            return Err(OpeError::NoRounds);
        }
        check_rows("the rewards", rewards.len(), rounds)?;
        check_rows("the logged propensities", propensities.len(), rounds)?;
        check_rows("the target policy", target.nrows(), rounds)?;
        let target = row_major(target);
        for (round, row) in rows(target.view()).enumerate() {
            let action = actions[round] as usize;
            check_decision(
                round,
                action,
                rewards[round],
                propensities[round],
                row.len(),
            )?;
            check_distribution(round, row, Role::Target)?;
        }
        Ok(Self {
            actions,
            rewards,
            propensities,
            target,
            logging: None,
            predicted: None,
            customers: None,
            facets: None,
        })
    }

    /// Adds the logging policy's probabilities, `n × K`.
    ///
    /// # Errors
    /// A wrong shape, a probability outside [0, 1], a row that does not sum to one.
    pub fn with_logging(mut self, logging: Array2<f64>) -> Result<Self, OpeError> {
        self.check_shape("the logging policy", logging.view())?;
        let logging = row_major(logging);
        for (round, row) in rows(logging.view()).enumerate() {
            check_distribution(round, row, Role::Logging)?;
        }
        self.logging = Some(logging);
        Ok(self)
    }

    /// Adds a model's predicted rewards, `n × K`. The model must not have seen
    /// the reward of the round it predicts (see [`super::direct`]).
    ///
    /// # Errors
    /// A wrong shape or a prediction that is not finite.
    pub fn with_predicted(mut self, predicted: Array2<f64>) -> Result<Self, OpeError> {
        self.check_shape("the reward model", predicted.view())?;
        let predicted = row_major(predicted);
        for (round, row) in rows(predicted.view()).enumerate() {
            check_predictions(round, row)?;
        }
        self.predicted = Some(predicted);
        Ok(self)
    }

    /// Adds the customer of every round, as numbers `0, 1, …`; rounds of one
    /// customer are then not taken for independent.
    ///
    /// # Errors
    /// Another number of customers than rounds.
    pub fn with_customers(mut self, customers: Vec<u32>) -> Result<Self, OpeError> {
        check_rows("the customers", customers.len(), self.len())?;
        self.customers = Some(customers);
        Ok(self)
    }

    /// Adds the facets of the `K` actions, for marginalised weights.
    ///
    /// # Errors
    /// Facets of another number of actions.
    pub fn with_facets(mut self, facets: Facets) -> Result<Self, OpeError> {
        if facets.actions() != self.actions() {
            return Err(OpeError::Shape {
                what: "the table of facets",
                unit: "actions",
                found: facets.actions(),
                expected: self.actions(),
            });
        }
        self.facets = Some(facets);
        Ok(self)
    }

    fn check_shape(&self, what: &'static str, found: ArrayView2<'_, f64>) -> Result<(), OpeError> {
        check_rows(what, found.nrows(), self.len())?;
        if found.ncols() != self.actions() {
            return Err(OpeError::Shape {
                what,
                unit: "columns",
                found: found.ncols(),
                expected: self.actions(),
            });
        }
        Ok(())
    }

    /// The number of rounds.
    #[must_use]
    #[allow(clippy::len_without_is_empty)] // a log is never empty
    pub fn len(&self) -> usize {
        self.actions.len()
    }

    /// The number of actions, `K`.
    #[must_use]
    pub fn actions(&self) -> usize {
        self.target.ncols()
    }

    /// The action taken in every round.
    #[must_use]
    pub fn chosen(&self) -> &[u32] {
        &self.actions
    }

    /// The reward of every round.
    #[must_use]
    pub fn rewards(&self) -> &[f64] {
        &self.rewards
    }

    /// The logged propensity of every round.
    #[must_use]
    pub fn propensities(&self) -> &[f64] {
        &self.propensities
    }

    /// The customer of every round, where known.
    #[must_use]
    pub fn customers(&self) -> Option<&[u32]> {
        self.customers.as_deref()
    }

    /// The facets of the actions, where known.
    #[must_use]
    pub fn facets(&self) -> Option<&Facets> {
        self.facets.as_ref()
    }

    /// The partitions whose weights this log can give: none without facets or
    /// without every probability of the logging policy.
    #[must_use]
    pub fn partitions(&self) -> Vec<Partition> {
        match &self.facets {
            Some(facets) if self.has_logging() => facets.partitions(),
            _ => Vec::new(),
        }
    }

    /// Whether every probability of the logging policy was logged.
    #[must_use]
    pub fn has_logging(&self) -> bool {
        self.logging.is_some()
    }

    /// Whether a reward model is attached.
    #[must_use]
    pub fn has_predicted(&self) -> bool {
        self.predicted.is_some()
    }

    /// The rounds, in the order of the log.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = Round<'_>> {
        (0..self.len()).map(|index| self.round(index))
    }

    fn round(&self, index: usize) -> Round<'_> {
        Round {
            action: self.actions[index] as usize,
            reward: self.rewards[index],
            propensity: self.propensities[index],
            target: row(&self.target, index),
            logging: self.logging.as_ref().map(|matrix| row(matrix, index)),
            predicted: self.predicted.as_ref().map(|matrix| row(matrix, index)),
        }
    }
}

fn check_rows(what: &'static str, found: usize, expected: usize) -> Result<(), OpeError> {
    if found == expected {
        return Ok(());
    }
    Err(OpeError::Shape {
        what,
        unit: "rows",
        found,
        expected,
    })
}

fn row_major(matrix: Array2<f64>) -> Array2<f64> {
    if matrix.is_standard_layout() {
        return matrix;
    }
    matrix.as_standard_layout().into_owned()
}

fn row(matrix: &Array2<f64>, index: usize) -> &[f64] {
    let columns = matrix.ncols();
    let values = matrix
        .as_slice()
        .expect("matrices of a checked log are in standard layout");
    &values[index * columns..(index + 1) * columns]
}

fn rows(matrix: ArrayView2<'_, f64>) -> impl Iterator<Item = &[f64]> {
    let columns = matrix.ncols().max(1);
    matrix
        .to_slice()
        .expect("matrices of a checked log are in standard layout")
        .chunks_exact(columns)
}
