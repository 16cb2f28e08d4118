//! Anything else that happened.

use super::Envelope;
use crate::convert::scalar::{
    FieldFault, member, money, short_text, time, wire_member, wire_money, wire_time,
};
use lagom_features::domain::Event;
use lagom_proto::v1;

pub(super) fn read(body: v1::Fact, envelope: &Envelope<'_>) -> Result<Event, FieldFault> {
    let path = |field: &str| envelope.path(&format!("fact.{field}"));
    let kind = member(body.r#type, || path("type"))?
        .ok_or_else(|| FieldFault::new(path("type"), "is required"))?;
    Ok(Event {
        channel: member(body.channel, || path("channel"))?,
        tone: member(body.tone, || path("tone"))?,
        amount: match &body.amount {
            Some(wire) => Some(money(wire, || path("amount"))?),
            None => None,
        },
        method: short_text(body.method, || path("method"))?,
        device: short_text(body.device, || path("device"))?,
        dwell_ms: body.dwell_ms,
        until: match body.until {
            Some(wire) => Some(time(wire, || path("until"))?),
            None => None,
        },
        reason: short_text(body.reason, || path("reason"))?,
        event_id: envelope.event_id.clone(),
        occurred_at: envelope.occurred_at,
        recorded_at: envelope.occurred_at,
        customer_id: envelope.customer_id.clone(),
        invoice_id: envelope.invoice_id.clone(),
        decision_id: envelope.decision_id.clone(),
        kind,
    })
}

pub(super) fn write(event: &Event) -> v1::Fact {
    v1::Fact {
        r#type: wire_member(Some(event.kind)),
        channel: wire_member(event.channel),
        tone: wire_member(event.tone),
        amount: event.amount.map(wire_money),
        method: event.method.clone().unwrap_or_default(),
        device: event.device.clone().unwrap_or_default(),
        dwell_ms: event.dwell_ms,
        until: event.until.map(wire_time),
        reason: event.reason.clone().unwrap_or_default(),
    }
}

pub(super) fn wire_field(field: &str) -> &str {
    match field {
        "amount_minor" => "fact.amount.minor_units",
        "until" => "fact.until",
        "channel" => "fact.channel",
        "invoice_id" => "invoice_id",
        "occurred_at" => "occurred_at",
        _ => "fact",
    }
}
