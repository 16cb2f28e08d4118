use crate::tables::fields::Fields;
use crate::tables::out::OutRow;
use crate::tables::record::Record;
use crate::tables::schema::{Column, Kind};
use lagom_features::domain::{Action, ActionId, Channel, Fault, Kind as Step, Tone};
use lagom_model::log::{Blocked, Choice, Decision};
use std::borrow::Cow;

fn action_ids(fields: &mut Fields<'_, '_>, column: &'static str) -> Option<Vec<ActionId>> {
    let texts: Vec<String> = fields.needed(column)?;
    let ids: Result<Vec<_>, _> = texts.into_iter().map(ActionId::try_from).collect();
    ids.inspect_err(|error| fields.fault(column, error.to_string()))
        .ok()
}

/// Pairs two parallel lists, which must be of one length.
fn pair<A, B>(
    fields: &mut Fields<'_, '_>,
    (left, left_values): (&str, Vec<A>),
    (right, right_values): (&str, Vec<B>),
) -> Option<Vec<(A, B)>> {
    let (a, b) = (left_values.len(), right_values.len());
    if a != b {
        let reason = format!("has {b} elements beside {a} of {left}");
        fields.fault(right, reason);
        return None;
    }
    Some(left_values.into_iter().zip(right_values).collect())
}

/// `kind`, `channel` and `tone` repeat the action for readers of the table; they must agree.
fn agrees(fields: &mut Fields<'_, '_>, action: Option<&Action>) {
    let kind: Option<Step> = fields.optional("kind");
    let channel: Option<Channel> = fields.optional("channel");
    let tone: Option<Tone> = fields.optional("tone");
    let Some(action) = action else { return };
    if kind.is_some_and(|kind| kind != action.kind) {
        fields.fault("kind", format!("is not that of action_id `{action}`"));
    }
    if fields.has("channel") && channel != action.channel {
        fields.fault("channel", format!("is not that of action_id `{action}`"));
    }
    if fields.has("tone") && tone != action.tone {
        fields.fault("tone", format!("is not that of action_id `{action}`"));
    }
}

impl Record for Decision {
    const TABLE: &'static str = "decisions";
    const COLUMNS: &'static [Column] = &[
        Column::optional("tenant", Kind::Text),
        Column::needed("decision_id", Kind::Text),
        Column::needed("request_id", Kind::Text),
        Column::needed("decided_at", Kind::Instant),
        Column::needed("customer_id", Kind::Text),
        Column::needed("invoice_id", Kind::Text),
        Column::needed("action_id", Kind::Text),
        Column::optional("kind", Kind::Text),
        Column::optional("channel", Kind::Text),
        Column::optional("tone", Kind::Text),
        Column::optional("send_at", Kind::Instant),
        Column::optional("send_until", Kind::Instant),
        Column::needed("next_evaluation_at", Kind::Instant),
        Column::needed("fee_minor", Kind::Whole),
        Column::optional("price_minor", Kind::Whole),
        Column::optional("shadow_price_minor", Kind::Real),
        Column::needed("probability", Kind::Real),
        Column::needed("eligible", Kind::Texts),
        Column::needed("probabilities", Kind::Reals),
        Column::needed("blocked", Kind::Texts),
        Column::needed("blocked_rules", Kind::Texts),
        Column::needed("features", Kind::Reals),
        Column::needed("feature_fingerprint", Kind::Text),
        Column::optional("model_id", Kind::Text),
        Column::needed("policy", Kind::Text),
        Column::needed("policy_generation", Kind::Count),
        Column::needed("objective_id", Kind::Text),
        Column::needed("strategy_id", Kind::Text),
        Column::needed("guardrail_pack", Kind::Text),
        Column::needed("draw", Kind::Real),
        Column::optional("experiment", Kind::Text),
        Column::optional("arm", Kind::Text),
        Column::optional("payment_propensity", Kind::Real),
        Column::optional("churn_risk", Kind::Real),
        Column::optional("expected_value", Kind::Real),
        Column::optional("fallback", Kind::Text),
        Column::optional("reason", Kind::Text),
    ];

    fn read(fields: &mut Fields<'_, '_>) -> Option<Self> {
        let tenant = fields.optional("tenant").unwrap_or_default();
        let decision_id = fields.needed("decision_id");
        let request_id = fields.needed("request_id");
        let decided_at = fields.needed("decided_at");
        let customer_id = fields.needed("customer_id");
        let invoice_id = fields.needed("invoice_id");
        let action: Option<Action> = fields.needed("action_id").map(|id: ActionId| id.action());
        agrees(fields, action.as_ref());
        let send_at = fields.optional("send_at");
        let send_until = fields.optional("send_until");
        let next_evaluation_at = fields.needed("next_evaluation_at");
        let fee_minor = fields.needed("fee_minor");
        let price_minor = fields.optional("price_minor");
        let shadow_price_minor = fields.optional("shadow_price_minor");
        let probability = fields.needed("probability");
        let eligible = action_ids(fields, "eligible");
        let probabilities: Option<Vec<f64>> = fields.needed("probabilities");
        let blocked = action_ids(fields, "blocked");
        let rules: Option<Vec<String>> = fields.needed("blocked_rules");
        let features = fields.needed("features");
        let feature_fingerprint = fields.text_or_empty("feature_fingerprint");
        let model_id = fields.optional("model_id");
        let policy = fields.text_or_empty("policy");
        let policy_generation = fields.needed("policy_generation");
        let objective_id = fields.text_or_empty("objective_id");
        let strategy_id = fields.text_or_empty("strategy_id");
        let guardrail_pack = fields.text_or_empty("guardrail_pack");
        let draw = fields.needed("draw");
        let experiment = fields.optional("experiment");
        let arm = fields.optional("arm");
        let payment_propensity = fields.optional("payment_propensity");
        let churn_risk = fields.optional("churn_risk");
        let expected_value = fields.optional("expected_value");
        let fallback = fields.optional("fallback");
        let reason = fields.text_or_empty("reason");
        let eligible = pair(
            fields,
            ("eligible", eligible?),
            ("probabilities", probabilities?),
        );
        let blocked = pair(fields, ("blocked", blocked?), ("blocked_rules", rules?));
        Some(Self {
            tenant,
            decision_id: decision_id?,
            request_id: request_id?,
            decided_at: decided_at?,
            customer_id: customer_id?,
            invoice_id: invoice_id?,
            action: action?,
            send_at,
            send_until,
            next_evaluation_at: next_evaluation_at?,
            fee_minor: fee_minor?,
            price_minor,
            shadow_price_minor,
            probability: probability?,
            eligible: eligible?
                .into_iter()
                .map(|(action, probability)| Choice {
                    action,
                    probability,
                })
                .collect(),
            blocked: blocked?
                .into_iter()
                .map(|(action, rule)| Blocked {
                    action,
                    rule: rule.into(),
                })
                .collect(),
            features: features?,
            feature_fingerprint,
            model_id,
            policy,
            policy_generation: policy_generation?,
            objective_id,
            strategy_id,
            guardrail_pack,
            draw: draw?,
            experiment,
            arm,
            payment_propensity,
            churn_risk,
            expected_value,
            fallback,
            reason,
        })
    }

    fn write<'a>(&'a self, out: &mut OutRow<'a>) {
        fn texts<'a>(texts: impl Iterator<Item = &'a str>) -> Vec<Cow<'a, str>> {
            texts.map(Cow::Borrowed).collect()
        }
        let action = &self.action;
        let eligible = texts(self.eligible.iter().map(|one| one.action.as_str()));
        let probabilities: Vec<f64> = self.eligible.iter().map(|one| one.probability).collect();
        let blocked = texts(self.blocked.iter().map(|one| one.action.as_str()));
        let rules = texts(self.blocked.iter().map(|one| one.rule.as_str()));
        out.put("tenant", self.tenant.as_str());
        out.put("decision_id", self.decision_id.as_str());
        out.put("request_id", self.request_id.as_str());
        out.put("decided_at", self.decided_at);
        out.put("customer_id", self.customer_id.as_str());
        out.put("invoice_id", self.invoice_id.as_str());
        out.put("action_id", action.to_string());
        out.put("kind", action.kind.name());
        out.put("channel", action.channel.map(Channel::name));
        out.put("tone", action.tone.map(Tone::name));
        out.put("send_at", self.send_at);
        out.put("send_until", self.send_until);
        out.put("next_evaluation_at", self.next_evaluation_at);
        out.put("fee_minor", self.fee_minor);
        out.put("price_minor", self.price_minor);
        out.put("shadow_price_minor", self.shadow_price_minor);
        out.put("probability", self.probability);
        out.put("eligible", eligible);
        out.put("probabilities", probabilities);
        out.put("blocked", blocked);
        out.put("blocked_rules", rules);
        out.put("features", self.features.as_slice());
        out.put("feature_fingerprint", &self.feature_fingerprint);
        out.put("model_id", self.model_id.as_ref());
        out.put("policy", &self.policy);
        out.put("policy_generation", self.policy_generation);
        out.put("objective_id", &self.objective_id);
        out.put("strategy_id", &self.strategy_id);
        out.put("guardrail_pack", &self.guardrail_pack);
        out.put("draw", self.draw);
        out.put("experiment", self.experiment.as_ref());
        out.put("arm", self.arm.as_ref());
        out.put("payment_propensity", self.payment_propensity);
        out.put("churn_risk", self.churn_risk);
        out.put("expected_value", self.expected_value);
        out.put("fallback", self.fallback.as_ref());
        out.put("reason", &self.reason);
    }

    fn row_faults(&self) -> Vec<Fault> {
        let mut faults = Vec::new();
        let mut share = |field, value: Option<f64>| {
            if let Some(value) = value
                && !(0.0..=1.0).contains(&value)
            {
                faults.push(Fault::new(field, format!("{value} is not between 0 and 1")));
            }
        };
        share("probability", Some(self.probability));
        share("payment_propensity", self.payment_propensity);
        share("churn_risk", self.churn_risk);
        share("draw", Some(self.draw));
        for choice in &self.eligible {
            share("probabilities", Some(choice.probability));
        }
        for (name, value) in [
            ("expected_value", self.expected_value),
            ("shadow_price_minor", self.shadow_price_minor),
        ] {
            if value.is_some_and(|value| !value.is_finite()) {
                faults.push(Fault::new(name, "is not a finite number"));
            }
        }
        faults
    }

    fn unique_key(&self) -> Option<(&'static str, &str)> {
        Some(("decision_id", self.decision_id.as_str()))
    }
}
