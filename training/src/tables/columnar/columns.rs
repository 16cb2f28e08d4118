//! The columns of events.

use super::cells::{Numbers, Words};
use lagom_features::domain::{Currency, CustomerId, EventRow, EventType, Money};
use polars::prelude::DataFrame;
use std::ops::Range;

/// The columns of some rows.
pub(super) struct Columns<'a> {
    rows: usize,
    event_id: Words<'a>,
    occurred_at: Numbers<'a>,
    recorded_at: Numbers<'a>,
    pub(super) customer_id: Words<'a>,
    invoice_id: Words<'a>,
    decision_id: Words<'a>,
    kind: Words<'a>,
    channel: Words<'a>,
    tone: Words<'a>,
    amount_minor: Numbers<'a>,
    currency: Words<'a>,
    method: Words<'a>,
    device: Words<'a>,
    dwell_ms: Numbers<'a>,
    until: Numbers<'a>,
    reason: Words<'a>,
}

impl<'f> Columns<'f> {
    /// None where a column is not of the type that lagom writes.
    pub(super) fn of(frame: &'f DataFrame) -> Option<Self> {
        let text = |name| Words::of(frame, name);
        let whole = |name| Numbers::whole(frame, name);
        let instant = |name| Numbers::instants(frame, name);
        Some(Self {
            rows: frame.height(),
            event_id: text("event_id")?,
            occurred_at: instant("occurred_at")?,
            recorded_at: instant("recorded_at")?,
            customer_id: text("customer_id")?,
            invoice_id: text("invoice_id")?,
            decision_id: text("decision_id")?,
            kind: text("type")?,
            channel: text("channel")?,
            tone: text("tone")?,
            amount_minor: whole("amount_minor")?,
            currency: text("currency")?,
            method: text("method")?,
            device: text("device")?,
            dwell_ms: whole("dwell_ms")?,
            until: instant("until")?,
            reason: text("reason")?,
        })
    }

    /// Rows one behind another that are of one customer.
    pub(super) fn runs(&self) -> impl Iterator<Item = Range<usize>> {
        let mut start = 0;
        std::iter::from_fn(move || {
            let first = (start < self.rows).then(|| self.customer_id.get(start))?;
            let mut end = start + 1;
            while end < self.rows && self.customer_id.get(end) == first {
                end += 1;
            }
            let run = start..end;
            start = end;
            Some(run)
        })
    }

    /// None where a cell is wrong, or one that is needed is empty.
    pub(super) fn event<'a>(
        &'a self,
        row: usize,
        customer_id: &'a CustomerId,
    ) -> Option<EventRow<'a>> {
        let currency = match self.currency.get(row) {
            Some(code) => Some(Currency::new(code).ok()?),
            None => None,
        };
        let amount = match self.amount_minor.get(row) {
            Some(minor) => Some(Money::new(minor, currency?)),
            None => None,
        };
        let dwell_ms = match self.dwell_ms.get(row) {
            Some(millis) => Some(u32::try_from(millis).ok()?),
            None => None,
        };
        Some(EventRow {
            event_id: self.event_id.get(row)?,
            occurred_at: self.occurred_at.instant(row)??,
            recorded_at: self.recorded_at.instant(row)??,
            customer_id,
            invoice_id: self.invoice_id.get(row),
            decision_id: self.decision_id.get(row),
            kind: self.kind.named::<EventType>(row)??,
            channel: self.channel.named(row)?,
            tone: self.tone.named(row)?,
            amount,
            method: self.method.get(row),
            device: self.device.get(row),
            dwell_ms,
            until: self.until.instant(row)?,
            reason: self.reason.get(row),
        })
    }
}
