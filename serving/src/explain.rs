//! Why a decision was made: from its record alone, and from what is still in force beside it.

use crate::convert::decision::answer;
use crate::store::Wording;
use lagom_model::decide::Snapshot;
use lagom_model::guardrails::Rule;
use lagom_model::log::{Choice, Decision};
use lagom_model::policy::context::{CHURN_RISK, PAYMENT_PROPENSITY};
use lagom_model::policy::explain::{Explained, Turn};
use lagom_proto::v1;

/// The explanation of a logged decision, with what its action offered. Names of features and rules are
/// those in force, where the decision was made under them; `explained` is what the policy's own numbers say,
/// where they are at hand.
#[must_use]
pub fn explain(
    decision: &Decision,
    wording: Wording,
    snapshot: &Snapshot,
    explained: Option<&Explained>,
) -> v1::ExplainDecisionResponse {
    let mut likely: Vec<(&Choice, Option<f64>)> = decision
        .eligible
        .iter()
        .enumerate()
        .map(|(at, choice)| (choice, explained.map(|one| one.values[at])))
        .collect();
    likely.sort_by(|a, b| b.0.probability.total_cmp(&a.0.probability));
    let eligible = likely.iter().map(|&(choice, score)| v1::EligibleAction {
        action_id: choice.action.to_string(),
        probability: choice.probability,
        score,
    });
    let refused = decision.blocked.iter().map(|blocked| {
        let rule = snapshot.guardrails().rule_named(blocked.rule.as_str());
        v1::RefusedAction {
            action_id: blocked.action.to_string(),
            rule: blocked.rule.to_string(),
            explanation: rule.map(said).unwrap_or_default(),
            legal_source: rule.map(|rule| rule.source.clone()).unwrap_or_default(),
        }
    });
    v1::ExplainDecisionResponse {
        decision: Some(answer(decision.clone(), wording, false)),
        request_id: decision.request_id.to_string(),
        customer_id: decision.customer_id.to_string(),
        invoice_id: decision.invoice_id.to_string(),
        summary: summary(decision),
        features: features(decision, snapshot, explained),
        eligible: eligible.collect(),
        refused: refused.collect(),
        would_have_changed: alternatives(decision, &likely, explained),
        draw: decision.draw,
        feature_fingerprint: decision.feature_fingerprint.clone(),
        value: explained.and_then(value),
    }
}

fn value(explained: &Explained) -> Option<v1::ValueExplanation> {
    let heads = explained.heads.iter().map(|head| v1::HeadValue {
        head: head.head.clone(),
        chosen: head.chosen,
        other: head.other,
        weight_minor: head.weight_minor,
        addends: head
            .addends
            .iter()
            .map(|one| v1::Addend {
                part: one.part.clone(),
                entry: one.entry.clone(),
                value: one.value,
            })
            .collect(),
    });
    Some(v1::ValueExplanation {
        compared_with: explained.other.as_ref()?.to_string(),
        difference_minor: explained.difference_minor,
        constant_minor: explained.constant_minor,
        heads: heads.collect(),
    })
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

/// Values by name where the spec is the decision's own, by place where it is not; the strongest
/// contributions first. The models' predictions count as features of the policy.
fn features(
    decision: &Decision,
    snapshot: &Snapshot,
    explained: Option<&Explained>,
) -> Vec<v1::FeatureContribution> {
    let same = snapshot.extractor().fingerprint() == decision.feature_fingerprint;
    let names = if same {
        snapshot.parts().spec.names()
    } else {
        Vec::new()
    };
    let contribution = |name: &str| {
        let found = explained?.by_feature.iter().find(|(own, _)| own == name);
        found.map(|&(_, value)| value)
    };
    let one = |name: String, value: Option<f64>| v1::FeatureContribution {
        contribution: contribution(&name),
        name,
        value,
    };
    let values = decision.features.iter().enumerate();
    let mut all: Vec<v1::FeatureContribution> = values
        .map(|(place, &value)| {
            let name = names
                .get(place)
                .map_or_else(|| format!("feature {place}"), |name| (*name).to_owned());
            one(name, (!value.is_nan()).then_some(value))
        })
        .collect();
    for (name, value) in [
        (PAYMENT_PROPENSITY, decision.payment_propensity),
        (CHURN_RISK, decision.churn_risk),
    ] {
        if value.is_some() {
            all.push(one(name.to_owned(), value));
        }
    }
    let strength = |one: &v1::FeatureContribution| one.contribution.unwrap_or(0.0).abs();
    all.sort_by(|a, b| strength(b).total_cmp(&strength(a)));
    all
}

/// What would have led elsewhere: another draw, other numbers, or one rule less.
fn alternatives(
    decision: &Decision,
    likely: &[(&Choice, Option<f64>)],
    explained: Option<&Explained>,
) -> Vec<String> {
    let chosen = decision.action.id();
    let other = likely
        .iter()
        .map(|(choice, _)| choice)
        .find(|choice| choice.action != chosen);
    let mut all: Vec<String> = other
        .map(|choice| {
            format!(
                "another draw: `{}` had probability {:.3}",
                choice.action, choice.probability
            )
        })
        .into_iter()
        .collect();
    if let Some((explained, other)) = explained.and_then(|one| Some((one, one.other.as_ref()?))) {
        if decision.action.is_wait() && explained.difference_minor < 0.0 {
            let more = -explained.difference_minor;
            all.push(format!(
                "more outcomes that bear it out: `{other}` is thought to be worth {more:.0} minor units \
                 more, which is not sure enough to be preferred to waiting"
            ));
        }
        all.extend(explained.turns.iter().map(|turn| match turn {
            Turn::Weight { head, times } => format!(
                "`{other}` would be worth as much if `{head}` counted {times:.2} times what it does"
            ),
            Turn::Feature { feature, value } => {
                format!("`{other}` would be worth as much if `{feature}` were {value:.3}")
            }
        }));
    }
    let mut rules: Vec<(&str, usize)> = Vec::new();
    for blocked in &decision.blocked {
        match rules.iter_mut().find(|(rule, _)| blocked.rule == *rule) {
            Some((_, n)) => *n += 1,
            None => rules.push((blocked.rule.as_str(), 1)),
        }
    }
    rules.sort_by_key(|(_, n)| std::cmp::Reverse(*n));
    let of_rules = rules.iter().map(|(rule, n)| {
        format!("without rule `{rule}`, which was the first to refuse {n} actions")
    });
    all.extend(of_rules);
    all
}
