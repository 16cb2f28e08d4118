//! A customer's description.

use super::Envelope;
use crate::convert::scalar::{
    At, FieldFault, member, money, short_text, text, time, wire_member, wire_time,
};
use lagom_features::domain::{Country, Customer, Fault, Zone};
use lagom_proto::v1;

pub(super) fn read(
    body: v1::CustomerUpsert,
    envelope: &Envelope<'_>,
) -> Result<Customer, FieldFault> {
    let path = |field: &str| envelope.path(&format!("customer.{field}"));
    let created_at = match body.created_at {
        Some(wire) => time(wire, || path("created_at"))?,
        None => envelope.occurred_at,
    };
    let country = text(body.country).map(|code| Country::new(&code));
    let zone = text(body.time_zone).map(|name| Zone::parse(&name));
    let margin = match &body.annual_margin {
        Some(wire) => Some(money(wire, || path("annual_margin"))?),
        None => None,
    };
    Ok(Customer {
        created_at,
        kind: member(body.kind, || path("kind"))?,
        country: country
            .transpose()
            .map_err(|fault| FieldFault::new(path("country"), fault.reason))?,
        time_zone: zone.transpose().at(|| path("time_zone"))?,
        language: short_text(body.language, || path("language"))?,
        segment: short_text(body.segment, || path("segment"))?,
        autopay: body.autopay,
        annual_margin_minor: margin.map(|money| money.minor_units),
        currency: margin.map(|money| money.currency),
        vulnerable: body.vulnerable,
        minor: body.minor,
        ..Customer::unknown(
            envelope.tenant.clone(),
            envelope.customer_id.clone(),
            created_at,
        )
    })
}

pub(super) fn write(customer: &Customer) -> v1::CustomerUpsert {
    let margin = customer.annual_margin_minor.zip(customer.currency);
    v1::CustomerUpsert {
        created_at: Some(wire_time(customer.created_at)),
        kind: wire_member(customer.kind),
        country: customer.country.map(String::from).unwrap_or_default(),
        time_zone: customer
            .time_zone
            .clone()
            .map(String::from)
            .unwrap_or_default(),
        language: customer.language.clone().unwrap_or_default(),
        segment: customer.segment.clone().unwrap_or_default(),
        autopay: customer.autopay,
        annual_margin: margin.map(|(minor_units, currency)| v1::Money {
            minor_units,
            currency: currency.to_string(),
        }),
        vulnerable: customer.vulnerable,
        minor: customer.minor,
    }
}

pub(super) fn faults(customer: &Customer) -> Vec<Fault> {
    let mut faults = customer.faults();
    if customer.time_zone.is_none() {
        faults.push(Fault::new(
            "time_zone",
            "is required: it decides what hour it is for the customer; give an IANA name such as \
             Europe/Stockholm",
        ));
    }
    faults
}

pub(super) fn wire_field(field: &str) -> &str {
    match field {
        "time_zone" => "customer.time_zone",
        "annual_margin_minor" => "customer.annual_margin.minor_units",
        "currency" => "customer.annual_margin.currency",
        _ => "customer",
    }
}
