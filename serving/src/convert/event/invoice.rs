//! An invoice as issued or corrected.

use super::Envelope;
use crate::convert::scalar::{At, FieldFault, money, short_text, time, wire_money, wire_time};
use lagom_features::domain::{Date, Invoice};
use lagom_proto::v1;

pub(super) fn read(
    body: v1::InvoiceUpsert,
    envelope: &Envelope<'_>,
) -> Result<Invoice, FieldFault> {
    let path = |field: &str| envelope.path(&format!("invoice.{field}"));
    let invoice_id = envelope.invoice_id.clone().ok_or_else(|| {
        FieldFault::new(envelope.path("invoice_id"), "is required for an invoice")
    })?;
    let amount = match &body.amount {
        Some(wire) => money(wire, || path("amount"))?,
        None => return Err(FieldFault::new(path("amount"), "is required")),
    };
    let terms_days = body.terms_days.map(u16::try_from).transpose();
    Ok(Invoice {
        invoice_id,
        customer_id: envelope.customer_id.clone(),
        issued_at: match body.issued_at {
            Some(wire) => time(wire, || path("issued_at"))?,
            None => envelope.occurred_at,
        },
        due_on: Date::parse(&body.due_on).at(|| path("due_on"))?,
        amount,
        terms_days: terms_days.at(|| path("terms_days"))?,
        payment_method: short_text(body.payment_method, || path("payment_method"))?.map(Box::from),
        billing_channel: short_text(body.billing_channel, || path("billing_channel"))?
            .map(Box::from),
        product: short_text(body.product, || path("product"))?.map(Box::from),
    })
}

pub(super) fn write(invoice: &Invoice) -> v1::InvoiceUpsert {
    v1::InvoiceUpsert {
        issued_at: Some(wire_time(invoice.issued_at)),
        due_on: invoice.due_on.to_string(),
        amount: Some(wire_money(invoice.amount)),
        terms_days: invoice.terms_days.map(u32::from),
        payment_method: word(invoice.payment_method.as_deref()),
        billing_channel: word(invoice.billing_channel.as_deref()),
        product: word(invoice.product.as_deref()),
    }
}

/// Proto3 says an absent text by an empty one.
fn word(word: Option<&str>) -> String {
    word.unwrap_or_default().to_owned()
}

pub(super) fn wire_field(field: &str) -> &str {
    match field {
        "amount_minor" => "invoice.amount.minor_units",
        _ => "invoice",
    }
}
