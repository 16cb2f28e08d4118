//! Records made up for tests.

use super::{Catalogue, Entry, Message, PolicyChange, Publication, Reservation, Terms};
use crate::experiment::{Assignment, Phase};
use crate::recording::{Recording, What};
use crate::rollout::Staged;
use lagom_features::domain::{
    Action, ActionId, Channel, Country, Currency, Customer, CustomerId, CustomerKind, Date,
    DecisionId, Event, EventId, EventType, Invoice, InvoiceId, Kind, Money, RequestId, TenantId,
    Timestamp, Tone, Zone,
};
use lagom_model::log::{Blocked, Choice, Decision, Executed, Outcome};
use lagom_model::rollout::Stage;
use std::sync::Arc;

pub(crate) fn at(micros: i64) -> Timestamp {
    Timestamp::from_micros(micros).unwrap()
}

pub(crate) fn catalogue() -> Vec<ActionId> {
    let names = [
        "wait",
        "reminder.sms.friendly.d1-evening",
        "reminder.email.firm.d0-midday.name",
        "reminder.letter.neutral.d2-morning",
        "retry_debit.none.none.d2-morning",
        "collection_claim.letter.final.d3-morning",
        "human_review.none.none.none",
        "plan_offer.email.friendly.d1-morning",
        "discount_offer.sms.neutral.d1-midday",
        "invoice_redelivery.digital_mailbox.neutral.d0-morning",
    ];
    names
        .map(|name| name.parse::<Action>().unwrap().id())
        .to_vec()
}

/// The catalogue under the name of a strategy.
pub(crate) fn named(strategy_id: &str, terms: Option<Terms>) -> Entry {
    Entry::Catalogue(Arc::new(Catalogue {
        strategy_id: strategy_id.to_owned(),
        actions: catalogue(),
        terms,
    }))
}

/// What the actions of [`catalogue`] offer: messages that some of them share, and none.
pub(crate) fn terms() -> Terms {
    let messages = catalogue().into_iter().map(|id| {
        let action = id.action();
        Message {
            template_key: action.tone.map(|tone| format!("text_{}", tone.name())),
            discount_minor: (action.kind == Kind::DiscountOffer).then_some(2_500),
        }
    });
    Terms {
        currency: Currency::SEK,
        messages: messages.collect(),
    }
}

/// Every field used, of the strategy `s` with [`catalogue`].
pub(crate) fn decision(n: u64) -> Decision {
    let all = catalogue();
    let choice = |i: usize, probability| Choice {
        action: all[i].clone(),
        probability,
    };
    let blocked = |i: usize, rule: &str| Blocked {
        action: all[i].clone(),
        rule: rule.into(),
    };
    Decision {
        tenant: TenantId::default(),
        decision_id: DecisionId::new(format!("d{n}")).unwrap(),
        request_id: RequestId::new(format!("r{n}")).unwrap(),
        decided_at: at(1_700_000_000_000_001),
        customer_id: CustomerId::new("c").unwrap(),
        invoice_id: InvoiceId::new("i").unwrap(),
        action: all[1].action(),
        send_at: Some(at(1_700_000_100_000_000)),
        send_until: Some(at(1_700_000_200_000_000)),
        next_evaluation_at: at(1_700_001_000_000_000),
        fee_minor: 6_000,
        price_minor: None,
        shadow_price_minor: None,
        probability: 0.25,
        eligible: vec![choice(0, 0.125), choice(1, 0.25), choice(9, 0.625)],
        blocked: vec![
            blocked(2, "global.cooldown"),
            blocked(5, "SE.stage"),
            blocked(8, "global.cooldown"),
        ],
        features: vec![1.5, f64::NAN, -0.0, 3e-300],
        feature_fingerprint: "f".to_owned(),
        model_id: Some("m".to_owned()),
        policy: "bandit".to_owned(),
        policy_generation: 7,
        objective_id: "o".to_owned(),
        strategy_id: "s".to_owned(),
        guardrail_pack: "SE@1".to_owned(),
        draw: 0.3,
        experiment: Some("e".to_owned()),
        arm: Some("a".to_owned()),
        payment_propensity: Some(0.5),
        churn_risk: Some(0.01),
        expected_value: Some(-12.5),
        fallback: Some("paused".to_owned()),
        reason: "because".to_owned(),
    }
}

pub(crate) fn outcome(n: u64) -> Outcome {
    Outcome {
        decision_id: DecisionId::new(format!("d{n}")).unwrap(),
        executed: Executed::Cancelled {
            rule: "global.paid".into(),
        },
        matured_at: at(1_702_000_000_000_000),
        outstanding_minor: 49_900,
        collected_minor: 20_000,
        days_to_payment: Some(3.25),
        paid: false,
        churned: true,
        complaint: true,
        support_contacts: 2,
        opt_out: true,
        collection_case: true,
        cost_minor: 45,
        fee_minor: 6_000,
        value_minor: -0.1,
        censored: true,
    }
}

fn recording(event_id: &str, what: What) -> Entry {
    Entry::Recorded(Box::new(Recording {
        event_id: EventId::new(event_id).unwrap(),
        occurred_at: at(1_600_000_000_000_000),
        recorded_at: at(1_600_000_000_000_009),
        what,
    }))
}

pub(crate) fn fact(event_id: &str) -> Entry {
    let mut event = Event::new(
        EventId::new(event_id).unwrap(),
        EventType::PaymentSucceeded,
        CustomerId::new("c").unwrap(),
        at(1_600_000_000_000_000),
        at(1_600_000_000_000_009),
    );
    event.invoice_id = Some(InvoiceId::new("i").unwrap());
    event.decision_id = Some(DecisionId::new("d1").unwrap());
    event.channel = Some(Channel::AppPush);
    event.tone = Some(Tone::Firm);
    event.amount = Some(Money::new(49_900, Currency::SEK));
    event.method = Some("card".to_owned());
    event.device = Some("phone".to_owned());
    event.dwell_ms = Some(0);
    event.until = Some(at(-1));
    event.reason = Some("å".to_owned());
    recording(event_id, What::Fact(event))
}

/// One of every kind.
pub(crate) fn every_kind() -> Vec<Entry> {
    let customer = Customer {
        kind: Some(CustomerKind::Consumer),
        country: Some(Country::new("SE").unwrap()),
        time_zone: Some(Zone::parse("Europe/Stockholm").unwrap()),
        language: Some("sv".to_owned()),
        segment: Some("plus".to_owned()),
        autopay: Some(false),
        annual_margin_minor: Some(-5),
        currency: Some(Currency::SEK),
        vulnerable: Some(true),
        minor: Some(false),
        ..Customer::unknown(TenantId::default(), CustomerId::new("c").unwrap(), at(5))
    };
    let invoice = Invoice {
        invoice_id: InvoiceId::new("i").unwrap(),
        customer_id: CustomerId::new("c").unwrap(),
        issued_at: at(1_600_000_000_000_000),
        due_on: Date::parse("2026-03-31").unwrap(),
        amount: Money::new(49_900, Currency::SEK),
        terms_days: Some(30),
        payment_method: Some("card".into()),
        billing_channel: Some("email".into()),
        product: Some("gym".into()),
    };
    vec![
        recording("e1", What::Customer(customer)),
        recording("e2", What::Invoice(invoice)),
        fact("e3"),
        named("s", None),
        Entry::Decided(Arc::new(decision(1))),
        Entry::Reserved(Reservation {
            decision_id: DecisionId::new("d1").unwrap(),
            customer_id: CustomerId::new("c").unwrap(),
            invoice_id: InvoiceId::new("i").unwrap(),
            action: catalogue()[1].action(),
            reserved_at: at(1_700_000_050_000_000),
        }),
        Entry::Matured(Box::new(outcome(1))),
        Entry::Published(Publication {
            generation: 8,
            published_at: at(1_702_000_000_000_001),
            outcomes: 1,
            excluded: Vec::new(),
            state: vec![0, 1, 255],
        }),
        Entry::Policy(PolicyChange {
            at: at(1_702_000_000_000_002),
            paused: true,
            reason: "incident".to_owned(),
        }),
        Entry::Assigned(Assignment {
            customer_id: CustomerId::new("c").unwrap(),
            experiment: "spring".to_owned(),
            salt: "second go".to_owned(),
            arm: "ladder".to_owned(),
            at: at(1_702_000_000_000_003),
        }),
        Entry::Phase(Box::new(Phase {
            experiment: "spring".to_owned(),
            number: 2,
            started_at: at(1_702_000_000_000_004),
            salt: "second go".to_owned(),
            digest: "0f".to_owned(),
            shares: vec![("ladder".to_owned(), 0.25), ("bandit".to_owned(), 0.75)],
            isolated: true,
            plan: "planned_customers = 10".to_owned(),
        })),
        Entry::Published(Publication {
            generation: 9,
            published_at: at(1_702_000_000_000_005),
            outcomes: 2,
            excluded: vec!["spring".to_owned()],
            state: vec![2],
        }),
        Entry::Shadowed(Arc::new(Decision {
            features: Vec::new(),
            blocked: Vec::new(),
            reason: String::new(),
            ..decision(1)
        })),
        Entry::Staged(Box::new(Staged {
            at: at(1_702_000_000_000_006),
            number: 3,
            model: "m".to_owned(),
            stage: Some(Stage::Canary { share: 0.05 }),
            reason: "try".to_owned(),
        })),
        Entry::Forgotten { digest: [7; 32] },
        named("t", Some(terms())),
    ]
}

/// Equality by text, in which unknown features (NaN) equal themselves.
pub(crate) fn same(a: &Entry, b: &Entry) -> bool {
    format!("{a:?}") == format!("{b:?}")
}
