//! What lagom believes and would choose.
//!
//! * [`artefact`]: a model version: numbers with lineage.
//! * [`bandit`]: learns what each action is worth, and chooses with known probabilities.
//! * [`calibration`]: maps that make probabilities honest.
//! * [`decide`]: one decision, from what is known to what is logged.
//! * [`early`]: whether somebody new will pay late.
//! * [`guardrails`]: what must not happen, as data.
//! * [`card`]: a version for its reviewers.
//! * [`forecast`]: expected cash by week, with intervals that the past has tried.
//! * [`hazard`]: time to payment as one curve.
//! * [`leaving`]: when a customer leaves.
//! * [`linear`]: linear-logistic models as plain numbers, exact to explain.
//! * [`log`]: what is written down of a decision and its outcome, and their join.
//! * [`metrics`]: how good probabilities are.
//! * [`objective`]: what the company wants, as weights and prices.
//! * [`ope`]: what another policy would have been worth, from the log of this one.
//! * [`outcome`]: what became of a decision, once its window has closed.
//! * [`policy`]: who chooses: ladder, uniform, bandit.
//! * [`rollout`]: which version decides, and how another takes over by steps.
//! * [`statistics`]: whether an experiment shows what it seems to.
//! * [`strategy`]: what a company is willing to do: the catalogue and the ladder.
//!
//! Pure functions of their arguments: this crate reads no clock, no file and no environment,
//! starts no thread, and draws no random number that was not handed to it.

pub mod artefact;
pub mod bandit;
pub mod calibration;
pub mod card;
pub mod decide;
pub mod early;
pub mod forecast;
pub mod guardrails;
pub mod hazard;
pub mod leaving;
pub mod linear;
pub mod log;
pub mod metrics;
pub mod objective;
pub mod ope;
pub mod outcome;
pub mod policy;
pub mod rollout;
pub mod statistics;
pub mod strategy;
