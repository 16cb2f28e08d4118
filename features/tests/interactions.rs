//! Features made of two features: what holds of them whatever the two are.
#![allow(clippy::unwrap_used)]

use lagom_features::domain::{
    Currency, CustomerId, Date, Event, EventId, EventType, Invoice, InvoiceId, MOST_MINOR_UNITS,
    Money, Timestamp,
};
use lagom_features::{Extractor, FeatureSpec, History, Ledger};
use proptest::prelude::*;
use proptest::sample::select;

/// Two features of the same rows, one of which may be unknown, and all that can be made of them.
fn spec(left: &str, right: &str) -> FeatureSpec {
    let base = |name: &str, rest: &str| {
        format!(
            "[[feature]]\nname = \"{name}\"\nsource = \"events\"\n\
             types = [\"payment_succeeded\"]\nwindow = \"lifetime\"\n{rest}\n"
        )
    };
    let pair = |name: &str, op: &str, left: &str, right: &str| {
        format!(
            "[[feature]]\nname = \"{name}\"\nsource = \"features\"\nop = \"{op}\"\n\
             left = \"{left}\"\nright = \"{right}\"\n"
        )
    };
    let text = [
        base("left", left),
        base("right", right),
        pair("product", "product", "left", "right"),
        pair("turned", "product", "right", "left"),
        pair("square", "product", "left", "left"),
        pair("difference", "difference", "left", "right"),
        pair("against", "difference", "right", "left"),
        pair("ratio", "ratio", "left", "right"),
        pair("nested", "product", "product", "ratio"),
        pair("clipped", "product", "left", "right") + "clip = [-10, 10]\n",
        pair("known", "product", "left", "right") + "missing = -1\n",
    ];
    FeatureSpec::parse(&text.concat()).unwrap()
}

const BASES: &[&str] = &[
    "op = \"count\"",
    "op = \"sum\"\ncolumn = \"amount\"",
    "op = \"mean\"\ncolumn = \"amount\"",
    "op = \"min\"\ncolumn = \"amount\"",
    "op = \"days_since\"",
    "op = \"mean\"\ncolumn = \"log_amount\"\nprior = 3\nstrength = 2",
    "op = \"max\"\ncolumn = \"dwell_seconds\"",
];

fn history(payments: &[(i64, i64)]) -> History {
    let at = |micros| Timestamp::from_micros(micros).unwrap();
    let customer = CustomerId::new("c").unwrap();
    let invoice_id = InvoiceId::new("i").unwrap();
    let mut history = History::new();
    let invoice = Invoice {
        invoice_id: invoice_id.clone(),
        customer_id: customer.clone(),
        issued_at: at(0),
        due_on: Date::parse("1970-02-01").unwrap(),
        amount: Money::new(1_000, Currency::SEK),
        terms_days: None,
        payment_method: None,
        billing_channel: None,
        product: None,
    };
    history.record_invoice(at(0), invoice);
    for (number, &(minor, micros)) in payments.iter().enumerate() {
        let id = EventId::new(format!("e{number}")).unwrap();
        let kind = EventType::PaymentSucceeded;
        let mut event = Event::new(id, kind, customer.clone(), at(micros), at(micros));
        event.invoice_id = Some(invoice_id.clone());
        event.amount = Some(Money::new(minor, Currency::SEK));
        history.record_event(&event);
    }
    history
}

fn bits(value: f64) -> u64 {
    // Unknown is one value, and so is zero.
    if value.is_nan() {
        f64::NAN
    } else {
        value + 0.0
    }
    .to_bits()
}

proptest! {
    #[test]
    fn a_pair_is_made_of_the_two_columns_and_unknown_where_one_is(
        left in select(BASES),
        right in select(BASES),
        payments in prop::collection::vec((1..=MOST_MINOR_UNITS, 1_i64..1_000_000_000_000), 0..6),
    ) {
        let (spec, history) = (spec(left, right), history(&payments));
        let view = history.as_of(Timestamp::from_micros(2_000_000_000_000).unwrap());
        let mut out = Vec::new();
        let invoice = InvoiceId::new("i").unwrap();
        Extractor::new(&spec).extract(&view, &Ledger::of(&view), &invoice, &mut out).unwrap();
        let names = spec.names();
        let of = |name: &str| out[names.iter().position(|one| *one == name).unwrap()];
        let (left, right) = (of("left"), of("right"));
        prop_assert_eq!(bits(of("product")), bits(left * right));
        prop_assert_eq!(bits(of("turned")), bits(of("product")));
        prop_assert_eq!(bits(of("against")), bits(-of("difference")));
        prop_assert!(of("square").is_nan() == left.is_nan() && (left.is_nan() || of("square") >= 0.0));
        prop_assert_eq!(of("product").is_nan(), left.is_nan() || right.is_nan());
        // What is not a number, 0 / 0 or 1 / 0, is unknown and never infinite.
        prop_assert_eq!(of("ratio").is_nan(), left.is_nan() || right.is_nan() || right == 0.0);
        prop_assert_eq!(bits(of("nested")), bits(of("product") * of("ratio")));
        let clipped = if of("product").is_nan() { f64::NAN } else { of("product").clamp(-10.0, 10.0) };
        prop_assert_eq!(bits(of("clipped")), bits(clipped));
        let known = if of("product").is_nan() { -1.0 } else { of("product") };
        prop_assert_eq!(bits(of("known")), bits(known));
        prop_assert!(out.iter().all(|value| !value.is_infinite()));
    }

    /// An amount that no sum could hold is refused where it comes in.
    #[test]
    fn amounts_beyond_the_largest_are_refused_by_name(minor in MOST_MINOR_UNITS - 2..=MOST_MINOR_UNITS + 2) {
        let id = EventId::new("e").unwrap();
        let at = Timestamp::from_micros(0).unwrap();
        let mut event = Event::new(id, EventType::PaymentFailed, CustomerId::new("c").unwrap(), at, at);
        event.amount = Some(Money::new(minor, Currency::SEK));
        let faults = event.faults();
        prop_assert_eq!(faults.is_empty(), minor <= MOST_MINOR_UNITS);
        prop_assert!(faults.iter().all(|fault| fault.field == "amount_minor"));
        let invoice = Invoice {
            amount: Money::new(minor, Currency::SEK),
            ..history(&[]).invoices()[0].value.clone()
        };
        prop_assert_eq!(invoice.faults().is_empty(), minor <= MOST_MINOR_UNITS);
    }
}
