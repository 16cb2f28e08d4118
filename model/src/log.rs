//! What is written down of a decision and of what became of it: enough to rebuild every
//! probability, to value another policy, and to explain the choice years later.

use lagom_features::domain::{
    Action, ActionId, CustomerId, DecisionId, InvoiceId, RequestId, TenantId, Timestamp,
};
use serde::{Deserialize, Serialize};
use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

/// Name of a guardrail rule, such as `global.cooldown` or `SE.fee-cap`. Copies share the text.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(from = "String", into = "String")]
pub struct RuleId(Arc<str>);

impl RuleId {
    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The text itself, without a copy to count.
    #[must_use]
    pub fn into_shared(self) -> Arc<str> {
        self.0
    }
}

impl fmt::Display for RuleId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl From<&str> for RuleId {
    fn from(text: &str) -> Self {
        Self(text.into())
    }
}

impl From<String> for RuleId {
    fn from(text: String) -> Self {
        Self(text.into())
    }
}

impl From<RuleId> for String {
    fn from(id: RuleId) -> Self {
        id.as_str().to_owned()
    }
}

impl PartialEq<str> for RuleId {
    fn eq(&self, text: &str) -> bool {
        self.as_str() == text
    }
}

impl PartialEq<&str> for RuleId {
    fn eq(&self, text: &&str) -> bool {
        self.as_str() == *text
    }
}

/// An action that a rule refused.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Blocked {
    /// The refused action.
    pub action: ActionId,
    /// The first rule that refused it.
    pub rule: RuleId,
}

/// An action that could be chosen, with its chance.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Choice {
    /// The action.
    pub action: ActionId,
    /// Its probability under the policy; those of all choices sum to 1.
    pub probability: f64,
}

/// One decision, as logged.
///
/// `policy_generation`, `objective_id`, `strategy_id`, `guardrail_pack`, `features` and the
/// eligible set determine every probability bit for bit; `draw` then determines the action.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Decision {
    /// Namespace.
    pub tenant: TenantId,
    /// Key.
    pub decision_id: DecisionId,
    /// The caller's idempotency key.
    pub request_id: RequestId,
    /// The instant whose past was looked at.
    pub decided_at: Timestamp,
    /// About whom.
    pub customer_id: CustomerId,
    /// About which invoice.
    pub invoice_id: InvoiceId,
    /// What was chosen.
    pub action: Action,
    /// Start of the slot in which to carry it out; none for waiting.
    pub send_at: Option<Timestamp>,
    /// End of that slot.
    pub send_until: Option<Timestamp>,
    /// When to ask again if nothing happens.
    pub next_evaluation_at: Timestamp,
    /// Fee to be charged with the action, in minor units of the invoice's currency.
    pub fee_minor: i64,
    /// What carrying out the action costs where its step of the strategy says so, in minor units;
    /// otherwise the objective's price holds.
    pub price_minor: Option<i64>,
    /// What one more use of the action's channel a day would have been worth, in minor units, where
    /// the channel was scarce; it was charged beside the price.
    pub shadow_price_minor: Option<f64>,
    /// Probability with which `action` was chosen.
    pub probability: f64,
    /// Every action that could have been chosen, in the catalogue's order.
    pub eligible: Vec<Choice>,
    /// Every action that was refused, and why.
    pub blocked: Vec<Blocked>,
    /// The feature vector, in the order of the spec; NaN is unknown.
    pub features: Vec<f64>,
    /// Which spec made the features.
    pub feature_fingerprint: String,
    /// Which model version gave propensity and churn; none before the first training.
    pub model_id: Option<String>,
    /// Which policy chose: `ladder`, `uniform` or `bandit`.
    pub policy: String,
    /// Which publication of the policy's learning state.
    pub policy_generation: u64,
    /// Digest of the objective's weights and prices.
    pub objective_id: String,
    /// Digest of the strategy.
    pub strategy_id: String,
    /// Names and digest of the guardrail packs.
    pub guardrail_pack: String,
    /// The uniform number in [0, 1) that picked the action.
    pub draw: f64,
    /// Experiment that the customer is in.
    pub experiment: Option<String>,
    /// Arm of that experiment.
    pub arm: Option<String>,
    /// P(paid within the horizon without a contact), if a model is fit.
    pub payment_propensity: Option<f64>,
    /// P(leaves within 90 days), if a model is fit.
    pub churn_risk: Option<f64>,
    /// Expected value of the action against waiting, in minor units, if the policy has one.
    pub expected_value: Option<f64>,
    /// Why the intended policy did not choose, if it did not.
    pub fallback: Option<String>,
    /// One line for a person.
    pub reason: String,
}

impl Decision {
    /// The rules that refused something, each once, in the order of their first refusal.
    #[must_use]
    pub fn rules(&self) -> Vec<&RuleId> {
        let mut rules: Vec<&RuleId> = Vec::new();
        for refused in &self.blocked {
            if !rules.contains(&&refused.rule) {
                rules.push(&refused.rule);
            }
        }
        rules
    }
}

/// What became of the advice itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "status", rename_all = "snake_case")]
pub enum Executed {
    /// It was carried out, or it was to wait.
    Sent,
    /// It was not carried out because of the customer's state; the rule or reason says which.
    Cancelled {
        /// Rule or reason.
        rule: String,
    },
    /// It could not be carried out for reasons that have nothing to do with the customer.
    Failed {
        /// What failed.
        reason: String,
    },
}

/// What happened after a decision, counted once its window has closed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Outcome {
    /// Of which decision.
    pub decision_id: DecisionId,
    /// What became of the advice.
    pub executed: Executed,
    /// End of the window.
    pub matured_at: Timestamp,
    /// Owed when the decision was made, in minor units.
    pub outstanding_minor: i64,
    /// Collected on the invoice within the window, in minor units.
    pub collected_minor: i64,
    /// Days from the decision to full payment, if within the window.
    pub days_to_payment: Option<f64>,
    /// Whether the invoice was settled within the window.
    pub paid: bool,
    /// Whether the customer left within the window.
    pub churned: bool,
    /// Whether the customer complained within the window.
    pub complaint: bool,
    /// Times the customer contacted support within the window.
    pub support_contacts: u32,
    /// Whether the customer withdrew consent within the window.
    pub opt_out: bool,
    /// Whether the case went to collection within the window.
    pub collection_case: bool,
    /// What carrying the advice out cost, in minor units.
    pub cost_minor: i64,
    /// Fee charged, in minor units.
    pub fee_minor: i64,
    /// Value by the objective, in minor units.
    pub value_minor: f64,
    /// Whether the window was cut short, so that the outcome is not known in full.
    pub censored: bool,
}

impl Outcome {
    /// Of advice that was carried out and of which nothing came: nothing paid, nothing stirred up, no
    /// cost, worth nothing.
    #[must_use]
    pub fn quiet(decision_id: DecisionId, matured_at: Timestamp, outstanding_minor: i64) -> Self {
        Self {
            decision_id,
            executed: Executed::Sent,
            matured_at,
            outstanding_minor,
            collected_minor: 0,
            days_to_payment: None,
            paid: false,
            churned: false,
            complaint: false,
            support_contacts: 0,
            opt_out: false,
            collection_case: false,
            cost_minor: 0,
            fee_minor: 0,
            value_minor: 0.0,
            censored: false,
        }
    }
}

/// A decision and what became of it: the row that policies learn from and are valued on.
#[derive(Debug, Clone, PartialEq)]
pub struct LoggedRound {
    /// The decision.
    pub decision: Decision,
    /// Its outcome.
    pub outcome: Outcome,
}

/// How many records found no partner in a [`join`].
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Unjoined {
    /// Decisions whose window has not closed, or whose outcome is lost.
    pub decisions: usize,
    /// Outcomes of decisions that are not in the log.
    pub outcomes: usize,
}

/// Pairs decisions with their outcomes by id, in the order of the decisions.
#[must_use]
pub fn join(decisions: Vec<Decision>, outcomes: Vec<Outcome>) -> (Vec<LoggedRound>, Unjoined) {
    let mut by_id: HashMap<DecisionId, Outcome> = outcomes
        .into_iter()
        .map(|outcome| (outcome.decision_id.clone(), outcome))
        .collect();
    let mut unjoined = Unjoined::default();
    let mut rounds = Vec::with_capacity(by_id.len());
    for decision in decisions {
        match by_id.remove(&decision.decision_id) {
            Some(outcome) => rounds.push(LoggedRound { decision, outcome }),
            None => unjoined.decisions += 1,
        }
    }
    unjoined.outcomes = by_id.len();
    (rounds, unjoined)
}
