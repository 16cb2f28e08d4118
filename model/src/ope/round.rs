//! One logged decision, seen with both policies and the reward model.

use super::error::OpeError;

/// Which of the two policies a probability belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// The policy to be valued.
    Target,
    /// The policy that wrote the log.
    Logging,
}

impl std::fmt::Display for Role {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str(match self {
            Role::Target => "target",
            Role::Logging => "logging",
        })
    }
}

/// A borrowed view of one logged decision over `K` actions.
#[derive(Debug, Clone, Copy)]
pub struct Round<'a> {
    /// The action taken, `0..K`.
    pub action: usize,
    /// The reward observed for it.
    pub reward: f64,
    /// The probability with which the logging policy took it, in (0, 1].
    pub propensity: f64,
    /// Probabilities of the target policy, length `K`.
    pub target: &'a [f64],
    /// Probabilities of the logging policy, length `K`, where all were logged.
    pub logging: Option<&'a [f64]>,
    /// Rewards a model predicts for every action, length `K`.
    pub predicted: Option<&'a [f64]>,
}

/// How far from one the probabilities of a round may sum: room for files that
/// were written with seven digits, not for a forgotten action.
const SUM_TOLERANCE: f64 = 1e-6;

impl Round<'_> {
    /// Checks every value of this round; `index` names it in the error.
    ///
    /// # Errors
    /// The first value that cannot be: see [`OpeError`].
    pub fn check(&self, index: usize) -> Result<(), OpeError> {
        let actions = self.target.len();
        check_decision(index, self.action, self.reward, self.propensity, actions)?;
        check_distribution(index, self.target, Role::Target)?;
        if let Some(logging) = self.logging {
            check_width("the logging policy", logging.len(), actions)?;
            check_distribution(index, logging, Role::Logging)?;
        }
        if let Some(predicted) = self.predicted {
            check_width("the reward model", predicted.len(), actions)?;
            check_predictions(index, predicted)?;
        }
        Ok(())
    }

    /// Importance weight of the action taken: target over logged propensity.
    #[must_use]
    pub fn weight(&self) -> f64 {
        self.target[self.action] / self.propensity
    }
}

fn check_width(what: &'static str, found: usize, expected: usize) -> Result<(), OpeError> {
    if found == expected {
        return Ok(());
    }
    Err(OpeError::Shape {
        what,
        unit: "columns",
        found,
        expected,
    })
}

pub(super) fn check_decision(
    round: usize,
    action: usize,
    reward: f64,
    propensity: f64,
    actions: usize,
) -> Result<(), OpeError> {
    if action >= actions {
        return Err(OpeError::Action {
            round,
            action,
            actions,
        });
    }
    if !reward.is_finite() {
        return Err(OpeError::Reward {
            round,
            value: reward,
        });
    }
    // A hair above one is rounding in the writer, and harmless.
    if !(propensity > 0.0 && propensity <= 1.0 + SUM_TOLERANCE) {
        return Err(OpeError::Propensity {
            round,
            value: propensity,
        });
    }
    Ok(())
}

pub(super) fn check_distribution(
    round: usize,
    probabilities: &[f64],
    role: Role,
) -> Result<(), OpeError> {
    let mut sum = 0.0;
    for (action, &value) in probabilities.iter().enumerate() {
        if !(0.0..=1.0 + SUM_TOLERANCE).contains(&value) {
            return Err(OpeError::Probability {
                round,
                action,
                role,
                value,
            });
        }
        sum += value;
    }
    if (sum - 1.0).abs() > SUM_TOLERANCE {
        return Err(OpeError::Sum { round, role, sum });
    }
    Ok(())
}

pub(super) fn check_predictions(round: usize, predicted: &[f64]) -> Result<(), OpeError> {
    match predicted.iter().position(|value| !value.is_finite()) {
        None => Ok(()),
        Some(action) => Err(OpeError::Prediction {
            round,
            action,
            value: predicted[action],
        }),
    }
}
