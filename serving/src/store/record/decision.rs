//! Decisions as records: a few names, packed numbers, and two bitmaps over the catalogue.
//!
//! Of 400 actions the bitmaps take 100 bytes where the names would take 12,000.

mod places;

use super::{Unreadable, field};
use lagom_features::domain::{
    Action, ActionId, CustomerId, DecisionId, InvoiceId, RequestId, TenantId, Timestamp,
};
use lagom_model::log::{Blocked, Choice, Decision, RuleId};
use places::Places;
use prost::Message;

/// Advice that was given.
#[derive(Clone, PartialEq, Message)]
pub(super) struct Decided {
    #[prost(string, tag = "1")]
    tenant: String,
    #[prost(string, tag = "2")]
    decision_id: String,
    #[prost(string, tag = "3")]
    request_id: String,
    #[prost(sint64, tag = "4")]
    decided_at: i64,
    #[prost(string, tag = "5")]
    customer_id: String,
    #[prost(string, tag = "6")]
    invoice_id: String,
    #[prost(string, tag = "7")]
    action: String,
    #[prost(sint64, optional, tag = "8")]
    send_at: Option<i64>,
    #[prost(sint64, optional, tag = "9")]
    send_until: Option<i64>,
    #[prost(sint64, tag = "10")]
    next_evaluation_at: i64,
    #[prost(sint64, tag = "11")]
    fee_minor: i64,
    #[prost(double, tag = "12")]
    probability: f64,
    /// Which actions could be chosen.
    #[prost(message, optional, tag = "13")]
    eligible: Option<Places>,
    /// Their probabilities, in the same order.
    #[prost(double, repeated, tag = "14")]
    probabilities: Vec<f64>,
    /// Which actions were refused.
    #[prost(message, optional, tag = "15")]
    blocked: Option<Places>,
    /// By which of `rules`, in the same order.
    #[prost(uint32, repeated, tag = "16")]
    blocked_by: Vec<u32>,
    #[prost(string, repeated, tag = "17")]
    rules: Vec<String>,
    #[prost(double, repeated, tag = "18")]
    features: Vec<f64>,
    #[prost(string, tag = "19")]
    feature_fingerprint: String,
    #[prost(string, optional, tag = "20")]
    model_id: Option<String>,
    #[prost(string, tag = "21")]
    policy: String,
    #[prost(uint64, tag = "22")]
    policy_generation: u64,
    #[prost(string, tag = "23")]
    objective_id: String,
    #[prost(string, tag = "24")]
    pub(super) strategy_id: String,
    #[prost(string, tag = "25")]
    guardrail_pack: String,
    #[prost(double, tag = "26")]
    draw: f64,
    #[prost(string, optional, tag = "27")]
    experiment: Option<String>,
    #[prost(string, optional, tag = "28")]
    arm: Option<String>,
    #[prost(double, optional, tag = "29")]
    payment_propensity: Option<f64>,
    #[prost(double, optional, tag = "30")]
    churn_risk: Option<f64>,
    #[prost(double, optional, tag = "31")]
    expected_value: Option<f64>,
    #[prost(string, optional, tag = "32")]
    fallback: Option<String>,
    #[prost(string, tag = "33")]
    reason: String,
    #[prost(sint64, optional, tag = "34")]
    price_minor: Option<i64>,
    #[prost(double, optional, tag = "35")]
    shadow_price_minor: Option<f64>,
}

impl Decided {
    /// With `catalogue` where the log has named it; otherwise actions are written by name.
    pub(super) fn of(one: &Decision, catalogue: Option<&[ActionId]>) -> Self {
        let eligible = one.eligible.iter().map(|choice| &choice.action);
        let blocked = one.blocked.iter().map(|refused| &refused.action);
        let (rules, blocked_by) = by_rule(&one.blocked);
        Self {
            tenant: one.tenant.to_string(),
            decision_id: one.decision_id.to_string(),
            request_id: one.request_id.to_string(),
            decided_at: one.decided_at.micros(),
            customer_id: one.customer_id.to_string(),
            invoice_id: one.invoice_id.to_string(),
            action: one.action.to_string(),
            send_at: one.send_at.map(Timestamp::micros),
            send_until: one.send_until.map(Timestamp::micros),
            next_evaluation_at: one.next_evaluation_at.micros(),
            fee_minor: one.fee_minor,
            price_minor: one.price_minor,
            shadow_price_minor: one.shadow_price_minor,
            probability: one.probability,
            eligible: Some(Places::of(eligible, catalogue)),
            probabilities: one
                .eligible
                .iter()
                .map(|choice| choice.probability)
                .collect(),
            blocked: Some(Places::of(blocked, catalogue)),
            blocked_by,
            rules,
            features: one.features.clone(),
            feature_fingerprint: one.feature_fingerprint.clone(),
            model_id: one.model_id.clone(),
            policy: one.policy.clone(),
            policy_generation: one.policy_generation,
            objective_id: one.objective_id.clone(),
            strategy_id: one.strategy_id.clone(),
            guardrail_pack: one.guardrail_pack.clone(),
            draw: one.draw,
            experiment: one.experiment.clone(),
            arm: one.arm.clone(),
            payment_propensity: one.payment_propensity,
            churn_risk: one.churn_risk,
            expected_value: one.expected_value,
            fallback: one.fallback.clone(),
            reason: one.reason.clone(),
        }
    }

    /// The same without refusals.
    pub(super) fn choice(self) -> Self {
        Self {
            blocked: None,
            blocked_by: Vec::new(),
            rules: Vec::new(),
            ..self
        }
    }

    /// The same without alternatives, refusals and features.
    pub(super) fn head(self) -> Self {
        Self {
            eligible: None,
            probabilities: Vec::new(),
            features: Vec::new(),
            ..self.choice()
        }
    }

    pub(super) fn read(self, catalogue: Option<&[ActionId]>) -> Result<Decision, Unreadable> {
        let time = |name: &str, micros| field(name, Timestamp::from_micros(micros));
        let eligible = self.eligible.unwrap_or_default().read(catalogue)?;
        let blocked = self.blocked.unwrap_or_default().read(catalogue)?;
        if eligible.len() != self.probabilities.len() || blocked.len() != self.blocked_by.len() {
            return Err(format!(
                "{} eligible actions have {} probabilities, {} blocked ones {} rules",
                eligible.len(),
                self.probabilities.len(),
                blocked.len(),
                self.blocked_by.len()
            ));
        }
        Ok(Decision {
            tenant: field("tenant", TenantId::new(self.tenant))?,
            decision_id: field("decision_id", DecisionId::new(self.decision_id))?,
            request_id: field("request_id", RequestId::new(self.request_id))?,
            decided_at: time("decided_at", self.decided_at)?,
            customer_id: field("customer_id", CustomerId::new(self.customer_id))?,
            invoice_id: field("invoice_id", InvoiceId::new(self.invoice_id))?,
            action: field("action", self.action.parse::<Action>())?,
            send_at: self.send_at.map(|at| time("send_at", at)).transpose()?,
            send_until: self
                .send_until
                .map(|at| time("send_until", at))
                .transpose()?,
            next_evaluation_at: time("next_evaluation_at", self.next_evaluation_at)?,
            fee_minor: self.fee_minor,
            price_minor: self.price_minor,
            shadow_price_minor: self.shadow_price_minor,
            probability: self.probability,
            eligible: choices(eligible, &self.probabilities),
            blocked: refusals(blocked, &self.blocked_by, &self.rules)?,
            features: self.features,
            feature_fingerprint: self.feature_fingerprint,
            model_id: self.model_id,
            policy: self.policy,
            policy_generation: self.policy_generation,
            objective_id: self.objective_id,
            strategy_id: self.strategy_id,
            guardrail_pack: self.guardrail_pack,
            draw: self.draw,
            experiment: self.experiment,
            arm: self.arm,
            payment_propensity: self.payment_propensity,
            churn_risk: self.churn_risk,
            expected_value: self.expected_value,
            fallback: self.fallback,
            reason: self.reason,
        })
    }
}

/// The distinct rules in the order of their first use, and for each refusal its place in them.
fn by_rule(blocked: &[Blocked]) -> (Vec<String>, Vec<u32>) {
    let mut rules: Vec<&RuleId> = Vec::new();
    let mut places = Vec::with_capacity(blocked.len());
    for refused in blocked {
        let known = rules.iter().position(|rule| **rule == refused.rule);
        let place = known.unwrap_or_else(|| {
            rules.push(&refused.rule);
            rules.len() - 1
        });
        places.push(u32::try_from(place).expect("there are fewer than 2^32 rules"));
    }
    (rules.into_iter().map(ToString::to_string).collect(), places)
}

fn choices(actions: Vec<ActionId>, probabilities: &[f64]) -> Vec<Choice> {
    let pairs = actions.into_iter().zip(probabilities);
    pairs
        .map(|(action, &probability)| Choice {
            action,
            probability,
        })
        .collect()
}

fn refusals(
    actions: Vec<ActionId>,
    blocked_by: &[u32],
    rules: &[String],
) -> Result<Vec<Blocked>, Unreadable> {
    let rules: Vec<RuleId> = rules.iter().map(|rule| rule.as_str().into()).collect();
    let pairs = actions.into_iter().zip(blocked_by);
    pairs
        .map(|(action, &place)| {
            let rule = rules
                .get(place as usize)
                .ok_or_else(|| format!("blocked_by: {place} of {} rules", rules.len()))?;
            Ok(Blocked {
                action,
                rule: rule.clone(),
            })
        })
        .collect()
}
