//! One of everything, with every field known, and one with none.

use crate::tables::Tables;
use lagom_features::Recorded;
use lagom_features::domain::*;
use lagom_model::log::{Blocked, Choice, Decision, Executed, Outcome};

fn t(text: &str) -> Timestamp {
    Timestamp::parse(text).unwrap()
}

fn action(id: &str) -> Action {
    id.parse().unwrap()
}

fn customers() -> Vec<Recorded<Customer>> {
    let tenant = TenantId::default();
    let bare = Customer::unknown(
        tenant,
        CustomerId::new("c,2 \"å\"").unwrap(),
        t("2025-01-02"),
    );
    let full = Customer {
        customer_id: CustomerId::new("c1").unwrap(),
        created_at: t("2025-01-01T10:00:00.000001Z"),
        kind: Some(CustomerKind::Business),
        country: Some(Country::new("SE").unwrap()),
        time_zone: Some(Zone::parse("Europe/Stockholm").unwrap()),
        language: Some("sv-SE".to_owned()),
        segment: Some("små företag, nya\nrad två".to_owned()),
        autopay: Some(false),
        annual_margin_minor: Some(-120_000),
        currency: Some(Currency::SEK),
        vulnerable: Some(true),
        minor: Some(false),
        ..bare.clone()
    };
    vec![Recorded::at_creation(full), Recorded::at_creation(bare)]
}

fn invoices() -> Vec<Recorded<Invoice>> {
    let bare = Invoice {
        invoice_id: InvoiceId::new("0000611365").unwrap(),
        customer_id: CustomerId::new("c1").unwrap(),
        issued_at: t("2025-02-01T08:30:00Z"),
        due_on: Date::parse("2025-03-03").unwrap(),
        amount: Money::new(9_007_199_254_740_993, Currency::SEK),
        terms_days: None,
        payment_method: None,
        billing_channel: None,
        product: None,
    };
    let full = Invoice {
        invoice_id: InvoiceId::new("i-2").unwrap(),
        terms_days: Some(30),
        payment_method: Some("direct_debit".into()),
        billing_channel: Some("e_invoice".into()),
        product: Some("el".into()),
        ..bare.clone()
    };
    vec![Recorded::at_issue(bare), Recorded::at_issue(full)]
}

fn events() -> Vec<Event> {
    let id = CustomerId::new("c1").unwrap();
    let at = t("2025-02-02T09:00:00.123456Z");
    let bare = Event::new(
        EventId::new("e1").unwrap(),
        EventType::SupportContacted,
        id.clone(),
        at,
        at,
    );
    let full = Event {
        invoice_id: Some(InvoiceId::new("i-2").unwrap()),
        decision_id: Some(DecisionId::new("d1").unwrap()),
        channel: Some(Channel::Sms),
        tone: Some(Tone::Friendly),
        amount: Some(Money::new(12_345, Currency::SEK)),
        method: Some("swish".to_owned()),
        device: Some("phone".to_owned()),
        dwell_ms: Some(u32::MAX),
        until: Some(t("2025-03-01")),
        reason: Some("plan, part 1 of 3".to_owned()),
        ..Event::new(
            EventId::new("e2").unwrap(),
            EventType::PaymentSucceeded,
            id,
            at,
            t("2025-02-03"),
        )
    };
    vec![bare, full]
}

fn decisions() -> Vec<Decision> {
    let chosen = action("reminder.sms.friendly.d1-evening.name");
    let full = Decision {
        tenant: TenantId::default(),
        decision_id: DecisionId::new("d1").unwrap(),
        request_id: RequestId::new("r1").unwrap(),
        decided_at: t("2025-03-05T12:00:00Z"),
        customer_id: CustomerId::new("c1").unwrap(),
        invoice_id: InvoiceId::new("i-2").unwrap(),
        action: chosen.clone(),
        send_at: Some(t("2025-03-06T16:00:00Z")),
        send_until: Some(t("2025-03-06T19:00:00Z")),
        next_evaluation_at: t("2025-03-09T12:00:00Z"),
        fee_minor: 0,
        price_minor: None,
        shadow_price_minor: None,
        probability: 0.1 + 0.2,
        eligible: vec![
            Choice {
                action: Action::WAIT.id(),
                probability: 1.0 - (0.1 + 0.2),
            },
            Choice {
                action: chosen.id(),
                probability: 0.1 + 0.2,
            },
        ],
        blocked: vec![Blocked {
            action: action("collection_claim.letter.final.d0-midday").id(),
            rule: "SE.claim-after-reminder".into(),
        }],
        features: vec![1.5, -0.0, 1e-300, 3.0],
        feature_fingerprint: "9f".to_owned(),
        model_id: Some("m1".to_owned()),
        policy: "bandit".to_owned(),
        policy_generation: u64::MAX,
        objective_id: "o".to_owned(),
        strategy_id: "s".to_owned(),
        guardrail_pack: "SE@1".to_owned(),
        draw: 0.999_999_999_999_999_9,
        experiment: Some("tone".to_owned()),
        arm: Some("b".to_owned()),
        payment_propensity: Some(0.25),
        churn_risk: Some(0.0),
        expected_value: Some(-3.25),
        fallback: Some("model too old".to_owned()),
        reason: "late for the first time; \"friendly\" first".to_owned(),
    };
    let bare = Decision {
        decision_id: DecisionId::new("d2").unwrap(),
        action: Action::WAIT,
        send_at: None,
        send_until: None,
        eligible: Vec::new(),
        blocked: Vec::new(),
        features: Vec::new(),
        model_id: None,
        experiment: None,
        arm: None,
        payment_propensity: None,
        churn_risk: None,
        expected_value: None,
        fallback: None,
        reason: String::new(),
        ..full.clone()
    };
    vec![full, bare]
}

fn outcomes() -> Vec<Outcome> {
    let full = Outcome {
        decision_id: DecisionId::new("d1").unwrap(),
        executed: Executed::Cancelled {
            rule: "global.paid".into(),
        },
        matured_at: t("2025-05-04T12:00:00Z"),
        outstanding_minor: 500,
        collected_minor: 500,
        days_to_payment: Some(1.0 / 3.0),
        paid: true,
        churned: false,
        complaint: true,
        support_contacts: 3,
        opt_out: false,
        collection_case: true,
        cost_minor: 45,
        fee_minor: 6000,
        value_minor: -0.1,
        censored: false,
    };
    let bare = Outcome {
        decision_id: DecisionId::new("d2").unwrap(),
        executed: Executed::Sent,
        days_to_payment: None,
        paid: false,
        censored: true,
        ..full.clone()
    };
    vec![full, bare]
}

pub(crate) fn tables() -> Tables {
    Tables {
        customers: customers(),
        invoices: invoices(),
        events: events(),
        decisions: decisions(),
        outcomes: outcomes(),
    }
}

/// [`priced`] as version 1 holds them since a channel may be scarce.
pub(super) fn scarce() -> Tables {
    let mut tables = priced();
    tables.decisions[0].shadow_price_minor = Some(1234.5);
    tables
}

/// [`recorded_late`] as version 1 holds them since a decision may say what its step costs.
pub(super) fn priced() -> Tables {
    let mut tables = recorded_late();
    tables.decisions[0].price_minor = Some(310);
    tables
}

/// [`tables`] as version 1 holds them since its rows may say when they were recorded.
pub(super) fn recorded_late() -> Tables {
    let mut tables = tables();
    tables.customers[0].recorded_at = t("2025-01-03T00:00:00Z");
    tables.invoices[1].recorded_at = t("2025-02-07T23:59:59.999999Z");
    tables
}
