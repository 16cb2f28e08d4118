//! Random worlds: a customer, two invoices, and whatever may have happened.

use crate::case::{invoice_id, t};
use lagom_features::domain::time::DAY_MICROS;
use lagom_features::domain::{
    Channel, Country, Currency, Customer, CustomerId, CustomerKind, Event, EventId, EventType,
    Invoice, Money, TenantId, Timestamp, Tone, Zone,
};
use lagom_model::guardrails::facts::{PLAN_IN_PREPARATION, Reserved, TREATMENT};
use lagom_model::guardrails::{Guardrails, GuardrailsSpec, Override};
use lagom_model::strategy::{Strategy, StrategySpec};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
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
    { name = "begin", from_day = 41, kinds = ["reminder"], tones = ["neutral"], when = { contacts_below = 2 }, exit = { seen = true } },
    { name = "follow up", from_day = 41, kinds = ["reminder"], tones = ["final"], when = { contacts_from = 1, sent = ["reminder"], sent_days = 7 }, exit = { failed_debits_from = 2 } },
    { name = "unseen", from_day = 41, kinds = ["discount_offer"], when = { seen = false, failed_debits_below = 2 }, exit = { sent = ["collection_claim"] } },
    { name = "failing", from_day = 41, kinds = ["plan_offer"], channels = ["sms"], when = { failed_debits_from = 1 }, exit = { sent_days = 20 } },
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
            packs: vec!["SE".to_owned(), "UK".to_owned()],
            home: None,
            files: Vec::new(),
            fees_agreed: agreed,
            overrides: if review { Vec::new() } else { off.to_vec() },
        };
        Guardrails::new(&spec).unwrap()
    })
});

/// Kinds of events that rules read; contacts are what rules are mostly about.
const OFTEN: [EventType; 22] = {
    use EventType::*;
    [
        ContactSent,
        ContactSent,
        ContactSent,
        ContactSent,
        ContactSent,
        ContactSent,
        ContactSent,
        ContactSent,
        PaymentFailed,
        PaymentFailed,
        PaymentFailed,
        InvoiceOpened,
        // Of what is rare, one is drawn below.
        HoldPlaced,
        HoldPlaced,
        HoldPlaced,
        HoldPlaced,
        HoldPlaced,
        HoldPlaced,
        HoldPlaced,
        HoldPlaced,
        HoldPlaced,
        CustomerDeceased,
    ]
};

const RARE: [EventType; 27] = {
    use EventType::*;
    [
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
        LinkClicked,
        SupportContacted,
    ]
};

const FINAL: [EventType; 4] = [
    EventType::CustomerDeceased,
    EventType::CustomerBankrupt,
    EventType::WrittenOff,
    EventType::SupportContacted,
];

const REASONS: [Option<&str>; 11] = [
    None,
    Some("reminder"),
    Some("reminder"),
    Some("collection_claim"),
    Some("channel"),
    Some("marketing"),
    Some("due_date_notice.email.friendly.d0-morning"),
    Some("reminder.letter.final.d1-morning"),
    Some("human_review"),
    Some(TREATMENT),
    Some(PLAN_IN_PREPARATION),
];

/// A customer, two invoices, and what may have happened.
#[derive(Debug, Clone)]
pub(crate) struct Random {
    pub(crate) customer: Customer,
    pub(crate) invoices: Vec<Invoice>,
    pub(crate) events: Vec<Event>,
    pub(crate) reserved: Vec<Reserved>,
    pub(crate) now: Timestamp,
    pub(crate) strategy: usize,
    pub(crate) guardrails: usize,
    pub(crate) allowed: Option<Vec<Channel>>,
}

/// Draws worlds; the same seed draws the same.
pub(crate) struct Draw(ChaCha8Rng);

impl Draw {
    pub(crate) fn new(seed: u64) -> Self {
        Self(ChaCha8Rng::seed_from_u64(seed))
    }

    pub(crate) fn below(&mut self, count: usize) -> usize {
        self.0.random_range(0..count)
    }

    fn of<T: Copy>(&mut self, list: &[T]) -> T {
        list[self.below(list.len())]
    }

    fn between(&mut self, from: i64, until: i64) -> i64 {
        self.0.random_range(from..until)
    }

    /// Once in `n`.
    fn once_in(&mut self, n: usize) -> bool {
        self.below(n) == 0
    }

    fn maybe<T: Copy>(&mut self, list: &[T]) -> Option<T> {
        (!self.once_in(2)).then(|| self.of(list))
    }

    fn customer(&mut self) -> Customer {
        let id = CustomerId::new("c").unwrap();
        let mut customer = Customer::unknown(TenantId::default(), id, t("2020-01-01"));
        let zone = self.of(&[
            None,
            None,
            Some("Europe/Stockholm"),
            Some("America/New_York"),
            Some("Asia/Kolkata"),
        ]);
        customer.time_zone = zone.map(|name| Zone::parse(name).unwrap());
        let country = self.of(&[
            None,
            Some("SE"),
            Some("SE"),
            Some("GB"),
            Some("US"),
            Some("JP"),
        ]);
        customer.country = country.map(|code| Country::new(code).unwrap());
        customer.kind = self.of(&[
            None,
            Some(CustomerKind::Consumer),
            Some(CustomerKind::Business),
        ]);
        let rare = [None, None, None, None, Some(false), Some(true)];
        customer.vulnerable = self.of(&rare);
        customer.minor = self.of(&rare).filter(|_| customer.vulnerable.is_some());
        customer.autopay = self.of(&[None, Some(false), Some(true)]);
        customer
    }

    /// An event up to 70 days before and a day after `now`, learnt up to two days later.
    fn event(&mut self, now: Timestamp, kind: EventType) -> Event {
        let ago = if self.once_in(4) {
            self.between(-70 * DAY_MICROS, -40 * DAY_MICROS)
        } else {
            self.between(-40 * DAY_MICROS, DAY_MICROS)
        };
        let mut at = now.micros() + ago;
        if self.once_in(2) {
            // Some things happen on the hour, where windows end.
            at -= at.rem_euclid(DAY_MICROS / 24);
        }
        let lag = if self.once_in(4) {
            self.between(0, 2 * DAY_MICROS)
        } else {
            0
        };
        let time = |micros: i64| Timestamp::from_micros(micros).unwrap();
        let id = EventId::new("unnamed").unwrap();
        let who = CustomerId::new("c").unwrap();
        let mut event = Event::new(id, kind, who, time(at), time(at + lag));
        let about = self.of(&[Some("i"), Some("i"), Some("i"), Some("j"), None]);
        event.invoice_id = about.map(invoice_id);
        event.channel = self.maybe(Channel::ALL);
        event.tone = self.maybe(Tone::ALL);
        event.reason = self.of(&REASONS).map(str::to_owned);
        let amounts = [100_i64, 6_000, 30_000, 50_000, 99_000, 100_000];
        if let Some(minor) = self.maybe(&amounts) {
            let euro = kind == EventType::PaymentUnmatched && self.once_in(10);
            event.amount = Some(Money::new(
                minor,
                if euro { euros() } else { Currency::SEK },
            ));
        }
        if self.once_in(2) {
            event.until = Some(time(at + self.between(-10 * DAY_MICROS, 10 * DAY_MICROS)));
        }
        event
    }

    /// Anything, or a customer with much mail about something else.
    fn events(&mut self, now: Timestamp) -> Vec<Event> {
        let busy = self.once_in(5);
        let any = if busy { self.below(3) } else { self.below(14) };
        let mut events: Vec<Event> = (0..any)
            .map(|_| {
                let kind = match self.of(&OFTEN) {
                    EventType::HoldPlaced => self.of(&RARE),
                    EventType::CustomerDeceased => self.of(&FINAL),
                    often => often,
                };
                self.event(now, kind)
            })
            .collect();
        if busy {
            for _ in 0..6 + self.below(6) {
                let mut mail = self.event(now, EventType::ContactSent);
                mail.invoice_id = Some(invoice_id("j"));
                mail.channel = Some(Channel::Letter);
                events.push(mail);
            }
        }
        for (place, event) in events.iter_mut().enumerate() {
            event.event_id = EventId::new(format!("e{place:02}")).unwrap();
        }
        events.retain(|event| event.faults().is_empty());
        events
    }

    /// Steps that were let through and not reported.
    fn reserved(&mut self, now: Timestamp) -> Vec<Reserved> {
        let count = if self.once_in(4) {
            1 + self.below(2)
        } else {
            0
        };
        let actions = [
            "reminder.sms.friendly.d0-morning",
            "reminder.letter.final.d1-morning",
            "collection_claim.letter.final.d0-midday",
            "due_date_notice.email.friendly.d3-morning",
            "retry_debit.none.none.d1-morning",
        ];
        (0..count)
            .map(|_| {
                let at = now.micros() + self.between(-2 * DAY_MICROS, 3 * DAY_MICROS);
                let until = now.micros() + self.between(0, 5 * DAY_MICROS);
                Reserved {
                    invoice_id: invoice_id(self.of(&["i", "j"])),
                    action: self.of(&actions).parse().unwrap(),
                    fee_minor: self.of(&[0, 0, 6_000]),
                    at: Timestamp::from_micros(at).unwrap(),
                    until: Timestamp::from_micros(until.max(at)).unwrap(),
                }
            })
            .collect()
    }

    pub(crate) fn world(&mut self) -> Random {
        let hour = DAY_MICROS / 24;
        let first = t("2025-03-01").micros() / hour;
        let last = t("2027-12-01").micros() / hour;
        let past = self.of(&[0_i64, 0, 1, 1_799_000_000]);
        let now = Timestamp::from_micros(self.between(first, last) * hour + past).unwrap();
        let customer = self.customer();
        let due_on = now
            .date(&Zone::utc())
            .plus_days(-(self.below(80) as i32 - 20));
        let minor = self.of(&[4_000_i64, 100_000, 100_000, 100_000, 1_500_000]);
        let currency = if self.once_in(10) {
            euros()
        } else {
            Currency::SEK
        };
        let method = self.of(&[None, Some("card"), Some("invoice")]);
        let invoices = ["i", "j"].map(|id| Invoice {
            invoice_id: invoice_id(id),
            customer_id: customer.customer_id.clone(),
            issued_at: due_on.plus_days(-90).start(&Zone::utc()),
            due_on,
            amount: Money::new(minor, currency),
            terms_days: None,
            payment_method: method.map(Box::from),
            billing_channel: None,
            product: None,
        });
        let allowed = self.once_in(5).then(|| {
            let count = self.below(4);
            (0..count).map(|_| self.of(Channel::ALL)).collect()
        });
        Random {
            customer,
            invoices: invoices.to_vec(),
            events: self.events(now),
            reserved: self.reserved(now),
            now,
            strategy: self.below(2),
            guardrails: self.below(4),
            allowed,
        }
    }
}

fn euros() -> Currency {
    Currency::new("EUR").unwrap()
}
