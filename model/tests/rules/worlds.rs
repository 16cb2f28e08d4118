//! Random worlds: a customer, two invoices, and whatever may have happened.

use crate::case::{invoice_id, t};
use lagom_features::domain::time::DAY_MICROS;
use lagom_features::domain::{
    Channel, Country, Currency, Customer, CustomerId, CustomerKind, Event, EventId, EventType,
    Invoice, Money, TenantId, Timestamp, Tone, Zone,
};
use lagom_model::guardrails::{Guardrails, GuardrailsSpec, Override};
use lagom_model::strategy::{Strategy, StrategySpec};
use proptest::prelude::*;
use proptest::strategy::Strategy as Strategy_;
use std::sync::LazyLock;

/// Fees on either side of the caps, selling, claims and debits.
const CHARGING: &str = r#"
currency = "SEK"
steps = [
    { kind = "reminder", channels = ["letter", "email", "sms"], tones = ["neutral", "firm"], timings = ["d0-morning", "d2-midday", "d3-evening"], fee_minor = 6000 },
    { kind = "reminder", channels = ["letter", "digital_mailbox"], tones = ["final"], timings = ["d0-evening", "d3-morning"], fee_minor = 6100 },
    { kind = "reminder", channels = ["phone", "app_push"], tones = ["friendly", "final"], timings = ["d0-midday", "d1-evening", "d3-morning"] },
    { kind = "collection_claim", channels = ["letter", "email"], tones = ["firm", "final"], timings = ["d0-morning", "d9-midday"], fee_minor = 18001 },
    { kind = "collection_claim", channels = ["digital_mailbox"], tones = ["final"], timings = ["d0-midday"], fee_minor = 45001 },
    { kind = "collection_claim", channels = ["letter"], tones = ["final"], timings = ["d1-morning"] },
    { kind = "plan_offer", channels = ["letter", "sms"], tones = ["friendly"], timings = ["d0-morning", "d2-midday"], fee_minor = 17001 },
    { kind = "discount_offer", channels = ["email", "sms"], tones = ["friendly"], timings = ["d0-midday", "d1-morning"] },
    { kind = "retry_debit", timings = ["d0-morning", "d1-midday", "d3-morning"] },
]
stages = [
    { name = "early", from_day = -10, until_day = 40, kinds = ["reminder", "plan_offer", "discount_offer", "retry_debit"] },
    { name = "late", from_day = 15, kinds = ["collection_claim"], tones = ["final"] },
    { name = "firm", from_day = 25, until_day = 60, kinds = ["collection_claim", "reminder"], channels = ["email", "letter"] },
    { name = "at home", from_day = 41, kinds = ["reminder", "retry_debit"], when = { countries = ["SE"], customers = "consumer" } },
    { name = "much", from_day = 41, kinds = ["plan_offer"], when = { owed_from_minor = 50000, first_miss = false } },
]
ladder = []
"#;

pub(crate) static STRATEGIES: LazyLock<[Strategy; 2]> = LazyLock::new(|| {
    let charging: StrategySpec = toml::from_str(CHARGING).unwrap();
    [Strategy::default(), Strategy::new(charging).unwrap()]
});

/// With and without people in the loop, and agreements on fees.
pub(crate) static GUARDRAILS: LazyLock<[Guardrails; 4]> = LazyLock::new(|| {
    [(true, false), (false, false), (true, true), (false, true)].map(|(review, agreed)| {
        let off = ["global.review_fees", "global.review_claims"];
        let off = off.map(|rule| Override::off(rule, "nobody is asked in this world"));
        let spec = GuardrailsSpec {
            packs: vec!["SE".to_owned()],
            home: None,
            fees_agreed: agreed,
            overrides: if review { Vec::new() } else { off.to_vec() },
        };
        Guardrails::new(&spec).unwrap()
    })
});

fn customer() -> impl Strategy_<Value = Customer> {
    let zone = prop::sample::select(vec![
        None,
        None,
        Some("Europe/Stockholm"),
        Some("America/New_York"),
        Some("Asia/Kolkata"),
    ]);
    let country = prop::sample::select(vec![None, Some("SE"), Some("SE"), Some("US"), Some("JP")]);
    let kind = prop::sample::select(vec![
        None,
        Some(CustomerKind::Consumer),
        Some(CustomerKind::Business),
    ]);
    let rare = || prop::sample::select(vec![None, None, None, None, Some(false), Some(true)]);
    (zone, country, kind, rare(), rare(), any::<Option<bool>>()).prop_map(
        |(zone, country, kind, vulnerable, minor, autopay)| {
            let id = CustomerId::new("c").unwrap();
            let mut customer = Customer::unknown(TenantId::default(), id, t("2020-01-01"));
            customer.time_zone = zone.map(|name| Zone::parse(name).unwrap());
            customer.country = country.map(|code| Country::new(code).unwrap());
            customer.kind = kind;
            customer.vulnerable = vulnerable;
            customer.minor = minor.filter(|_| vulnerable.is_some());
            customer.autopay = autopay;
            customer
        },
    )
}

/// Kinds of events that rules read; contacts are what rules are mostly about.
fn event_kind() -> impl Strategy_<Value = EventType> {
    use EventType::*;
    let rare = vec![
        PaymentInitiated,
        PaymentSucceeded,
        PaymentFailed,
        PaymentRefunded,
        PaymentUnmatched,
        CreditIssued,
        DueDateChanged,
        DisputeOpened,
        DisputeResolved,
        PromiseMade,
        PlanStarted,
        PlanEnded,
        MoratoriumStarted,
        MoratoriumEnded,
        HoldPlaced,
        HoldReleased,
        VulnerabilityFlagged,
        ConsentGranted,
        ConsentWithdrawn,
        DeliveryFailed,
        InvoiceDelivered,
        CollectionOpened,
        CollectionRecalled,
        AutopayEnabled,
        AutopayDisabled,
    ];
    let final_ones = vec![
        CustomerDeceased,
        CustomerBankrupt,
        WrittenOff,
        SupportContacted,
    ];
    prop_oneof![
        8 => Just(ContactSent),
        3 => Just(PaymentFailed),
        8 => prop::sample::select(rare),
        1 => prop::sample::select(final_ones),
    ]
}

const REASONS: [Option<&str>; 9] = [
    None,
    Some("reminder"),
    Some("reminder"),
    Some("collection_claim"),
    Some("channel"),
    Some("marketing"),
    Some("due_date_notice.email.friendly.d0-morning"),
    Some("reminder.letter.final.d1-morning"),
    Some("human_review"),
];

/// An event up to 40 days before and a day after `now`, learnt up to two days later.
fn event(now: Timestamp) -> impl Strategy_<Value = Event> {
    let when = (
        -40 * DAY_MICROS..DAY_MICROS,
        prop_oneof![3 => Just(0), 1 => 0..2 * DAY_MICROS],
    );
    // Some things happen on the hour, where windows end.
    let when = (when, any::<bool>(), 0..1_000_i64);
    let about = prop::sample::select(vec![Some("i"), Some("i"), Some("i"), Some("j"), None]);
    let facets = (
        prop::option::of(prop::sample::select(Channel::ALL)),
        prop::option::of(prop::sample::select(Tone::ALL)),
        prop::sample::select(REASONS.to_vec()),
    );
    let amount = prop::option::of((
        prop::sample::select(vec![100_i64, 6_000, 30_000, 50_000, 99_000, 100_000]),
        prop::bool::weighted(0.1),
    ));
    let until = prop::option::of(-10 * DAY_MICROS..10 * DAY_MICROS);
    (event_kind(), when, about, facets, amount, until).prop_map(
        move |(kind, ((ago, lag), sharp, _), about, (channel, tone, reason), amount, until)| {
            let at = now.micros() + ago;
            let at = if sharp {
                at - at.rem_euclid(DAY_MICROS / 24)
            } else {
                at
            };
            let time = |micros: i64| Timestamp::from_micros(micros).unwrap();
            let id = EventId::new("unnamed").unwrap();
            let who = CustomerId::new("c").unwrap();
            let mut event = Event::new(id, kind, who, time(at), time(at + lag));
            event.invoice_id = about.map(invoice_id);
            event.channel = channel;
            event.tone = tone;
            event.reason = reason.map(str::to_owned);
            let foreign = kind == EventType::PaymentUnmatched;
            event.amount = amount.map(|(minor, euro)| {
                let euro = euro && foreign;
                let currency = if euro {
                    Currency::new("EUR").unwrap()
                } else {
                    Currency::SEK
                };
                Money::new(minor, currency)
            });
            event.until = until.map(|after| time(at + after));
            event
        },
    )
}

/// Anything, or a customer with much mail about something else.
fn events(now: Timestamp) -> impl Strategy_<Value = Vec<Event>> {
    let mail = event(now).prop_map(|mut event| {
        event.kind = EventType::ContactSent;
        event.invoice_id = Some(invoice_id("j"));
        event.channel = Some(Channel::Letter);
        event
    });
    let busy = (
        prop::collection::vec(event(now), 0..3),
        prop::collection::vec(mail, 6..12),
    );
    prop_oneof![
        4 => prop::collection::vec(event(now), 0..14),
        1 => busy.prop_map(|(some, mail)| [some, mail].concat()),
    ]
}

#[derive(Debug, Clone)]
pub(crate) struct Random {
    pub(crate) customer: Customer,
    pub(crate) invoices: Vec<Invoice>,
    pub(crate) events: Vec<Event>,
    pub(crate) now: Timestamp,
    pub(crate) strategy: usize,
    pub(crate) guardrails: usize,
    pub(crate) allowed: Option<Vec<Channel>>,
}

pub(crate) fn random() -> impl Strategy_<Value = Random> {
    let first = t("2025-03-01").micros() / (DAY_MICROS / 24);
    let last = t("2027-12-01").micros() / (DAY_MICROS / 24);
    let now = (
        first..last,
        prop::sample::select(vec![0_i64, 0, 1, 1_799_000_000]),
    )
        .prop_map(|(hour, past)| Timestamp::from_micros(hour * (DAY_MICROS / 24) + past).unwrap());
    let allowed = prop::option::weighted(
        0.2,
        prop::collection::vec(prop::sample::select(Channel::ALL), 0..4),
    );
    now.prop_flat_map(move |now| {
        (
            customer(),
            events(now),
            -20..60_i32,
            prop::sample::select(vec![4_000_i64, 100_000, 100_000]),
            prop::bool::weighted(0.1),
            prop::option::of(prop::sample::select(vec!["card", "invoice"])),
            (0..2_usize, 0..4_usize),
            allowed.clone(),
        )
            .prop_map(
                move |(customer, mut events, age, amount, euro, method, rules, allowed)| {
                    let due_on = now.date(&Zone::utc()).plus_days(-age);
                    let currency = if euro {
                        Currency::new("EUR").unwrap()
                    } else {
                        Currency::SEK
                    };
                    let invoices = ["i", "j"].map(|id| Invoice {
                        invoice_id: invoice_id(id),
                        customer_id: customer.customer_id.clone(),
                        issued_at: due_on.plus_days(-90).start(&Zone::utc()),
                        due_on,
                        amount: Money::new(amount, currency),
                        terms_days: None,
                        payment_method: method.map(str::to_owned),
                        billing_channel: None,
                        product: None,
                    });
                    for (place, event) in events.iter_mut().enumerate() {
                        event.event_id = EventId::new(format!("e{place:02}")).unwrap();
                    }
                    events.retain(|event| event.faults().is_empty());
                    Random {
                        customer,
                        invoices: invoices.to_vec(),
                        events,
                        now,
                        strategy: rules.0,
                        guardrails: rules.1,
                        allowed,
                    }
                },
            )
    })
}
