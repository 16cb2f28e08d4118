//! Why a decision was made: from its record alone, and from what is still in force beside it.

use crate::convert::decision::answer;
use lagom_model::decide::Snapshot;
use lagom_model::guardrails::Rule;
use lagom_model::log::{Choice, Decision};
use lagom_proto::v1;

/// The explanation of a logged decision. Names of features, rules and templates are those in
/// force, where the decision was made under them.
#[must_use]
pub fn explain(decision: &Decision, snapshot: &Snapshot) -> v1::ExplainDecisionResponse {
    let mut likely: Vec<&Choice> = decision.eligible.iter().collect();
    likely.sort_by(|a, b| b.probability.total_cmp(&a.probability));
    let eligible = likely.iter().map(|choice| v1::EligibleAction {
        action_id: choice.action.to_string(),
        probability: choice.probability,
        score: None,
    });
    let refused = decision.blocked.iter().map(|blocked| {
        let rule = snapshot.guardrails().rule_named(&blocked.rule);
        v1::RefusedAction {
            action_id: blocked.action.to_string(),
            rule: blocked.rule.clone(),
            explanation: rule.map(said).unwrap_or_default(),
            legal_source: rule.map(|rule| rule.source.clone()).unwrap_or_default(),
        }
    });
    v1::ExplainDecisionResponse {
        decision: Some(answer(decision, snapshot.strategy(), false)),
        request_id: decision.request_id.to_string(),
        customer_id: decision.customer_id.to_string(),
        invoice_id: decision.invoice_id.to_string(),
        summary: summary(decision),
        features: features(decision, snapshot),
        eligible: eligible.collect(),
        refused: refused.collect(),
        would_have_changed: alternatives(decision, &likely),
        draw: decision.draw,
        feature_fingerprint: decision.feature_fingerprint.clone(),
    }
}

fn said(rule: &Rule) -> String {
    let confidence = format!("{:?}", rule.confidence).to_lowercase();
    format!("{:?}; confidence: {confidence}", rule.check)
}

fn summary(decision: &Decision) -> String {
    let mut text = format!(
        "On {} lagom advised `{}` for invoice {}: {}. It was chosen by the {} policy (generation \
         {}) with probability {:.3} among {} possible actions; rules refused {}.",
        decision.decided_at,
        decision.action,
        decision.invoice_id,
        decision.reason,
        decision.policy,
        decision.policy_generation,
        decision.probability,
        decision.eligible.len(),
        decision.blocked.len(),
    );
    if let Some(propensity) = decision.payment_propensity {
        text.push_str(&format!(
            " The model expected payment without a step with probability {propensity:.3}."
        ));
    }
    if let Some(fallback) = &decision.fallback {
        text.push_str(&format!(" The intended policy did not decide: {fallback}."));
    }
    text
}

/// Values by name where the spec is the decision's own, by place where it is not.
fn features(decision: &Decision, snapshot: &Snapshot) -> Vec<v1::FeatureContribution> {
    let same = snapshot.extractor().fingerprint() == decision.feature_fingerprint;
    let names = if same {
        snapshot.parts().spec.names()
    } else {
        Vec::new()
    };
    let values = decision.features.iter().enumerate();
    values
        .map(|(place, &value)| v1::FeatureContribution {
            name: names
                .get(place)
                .map_or_else(|| format!("feature {place}"), |name| (*name).to_owned()),
            value: (!value.is_nan()).then_some(value),
            contribution: None,
        })
        .collect()
}

/// What would have led elsewhere: another draw, or one rule less.
fn alternatives(decision: &Decision, likely: &[&Choice]) -> Vec<String> {
    let chosen = decision.action.id();
    let other = likely.iter().find(|choice| choice.action != chosen);
    let mut all: Vec<String> = other
        .map(|choice| {
            format!(
                "another draw: `{}` had probability {:.3}",
                choice.action, choice.probability
            )
        })
        .into_iter()
        .collect();
    let mut rules: Vec<(&str, usize)> = Vec::new();
    for blocked in &decision.blocked {
        match rules.iter_mut().find(|(rule, _)| *rule == blocked.rule) {
            Some((_, n)) => *n += 1,
            None => rules.push((&blocked.rule, 1)),
        }
    }
    rules.sort_by_key(|(_, n)| std::cmp::Reverse(*n));
    let of_rules = rules.iter().map(|(rule, n)| {
        format!("without rule `{rule}`, which was the first to refuse {n} actions")
    });
    all.extend(of_rules);
    all
}
