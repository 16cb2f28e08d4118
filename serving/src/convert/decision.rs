//! Questions and decisions.

use super::event;
use super::names::Named;
use super::scalar::{At, FieldFault, member, time, wire_member, wire_money, wire_time};
use crate::engine::Ask;
use crate::store::Wording;
use lagom_features::domain::{Action, Channel, CustomerId, InvoiceId, Money, RequestId, TenantId};
use lagom_model::log::Decision;
use lagom_proto::v1;

/// Most events in one request.
pub const MAX_EVENTS: usize = 10_000;

/// Reads a question.
///
/// # Errors
/// The first field that is missing, malformed or refused.
pub fn ask(request: v1::NextBestActionRequest, tenant: &TenantId) -> Result<Ask, FieldFault> {
    let own = |field: &str| field.to_owned();
    let request_id = super::scalar::text(request.request_id)
        .map(RequestId::new)
        .transpose()
        .at(|| own("request_id"))?;
    let as_of = match request.as_of {
        Some(wire) => Some(time(wire, || own("as_of"))?),
        None => None,
    };
    too_many(request.events.len())?;
    let mut events = Vec::with_capacity(request.events.len());
    for (place, wire) in request.events.into_iter().enumerate() {
        let path = format!("events[{place}]");
        let recording = event::read(wire, &path, tenant)?;
        event::check(&recording, &path)?;
        events.push((path, recording));
    }
    Ok(Ask {
        request_id,
        customer_id: CustomerId::new(request.customer_id).at(|| own("customer_id"))?,
        invoice_id: InvoiceId::new(request.invoice_id).at(|| own("invoice_id"))?,
        as_of,
        allowed_channels: channels(&request.allowed_channels)?,
        events,
        dry_run: request.dry_run,
    })
}

/// Refuses a message of more events than are taken at once.
///
/// # Errors
/// A fault of `events`.
pub fn too_many(events: usize) -> Result<(), FieldFault> {
    if events > MAX_EVENTS {
        let reason = format!("has {events} events; send at most {MAX_EVENTS}, or use StreamEvents");
        return Err(FieldFault::new("events", reason));
    }
    Ok(())
}

fn channels(wire: &[i32]) -> Result<Option<Vec<Channel>>, FieldFault> {
    let mut channels = Vec::with_capacity(wire.len());
    for (place, &number) in wire.iter().enumerate() {
        let path = || format!("allowed_channels[{place}]");
        let channel = member(number, path)?;
        channels.push(channel.ok_or_else(|| FieldFault::new(path(), "is unspecified"))?);
    }
    Ok((!channels.is_empty()).then_some(channels))
}

/// The answer, with what its action offers.
#[must_use]
pub fn answer(
    mut decision: Decision,
    wording: Wording,
    dry_run: bool,
) -> v1::NextBestActionResponse {
    let blocked = std::mem::take(&mut decision.blocked);
    let blocked = blocked.into_iter().map(|one| v1::BlockedAction {
        action_id: one.action.into_shared().into(),
        rule: one.rule.into_shared().into(),
    });
    let decision_id = if dry_run {
        String::new()
    } else {
        decision.decision_id.to_string()
    };
    v1::NextBestActionResponse {
        decision_id,
        action: Some(action(&decision, wording)),
        probability: decision.probability,
        next_evaluation_at: Some(wire_time(decision.next_evaluation_at)),
        policy: decision.policy.clone(),
        policy_generation: decision.policy_generation,
        model_id: decision.model_id.clone().unwrap_or_default(),
        objective_id: decision.objective_id.clone(),
        strategy_id: decision.strategy_id.clone(),
        guardrail_pack: decision.guardrail_pack.clone(),
        experiment: decision.experiment.clone().unwrap_or_default(),
        arm: decision.arm.clone().unwrap_or_default(),
        payment_propensity: decision.payment_propensity,
        churn_risk: decision.churn_risk,
        expected_value: decision.expected_value,
        fallback: decision.fallback.clone().unwrap_or_default(),
        reason: decision.reason.clone(),
        blocked: blocked.collect(),
        decided_at: Some(wire_time(decision.decided_at)),
        shadow_price_minor: decision.shadow_price_minor,
    }
}

fn action(decision: &Decision, wording: Wording) -> v1::Action {
    let action: &Action = &decision.action;
    let money = |minor_units| wire_money(Money::new(minor_units, wording.currency));
    v1::Action {
        action_id: action.to_string(),
        kind: action.kind.number(),
        channel: wire_member(action.channel),
        tone: wire_member(action.tone),
        send_at: decision.send_at.map(wire_time),
        send_until: decision.send_until.map(wire_time),
        template_key: wording.message.template_key.unwrap_or_default(),
        fee: (decision.fee_minor > 0).then(|| money(decision.fee_minor)),
        discount: wording.message.discount_minor.map(money),
    }
}
