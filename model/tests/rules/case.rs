//! A case under test: one customer, the invoice `i`, whatever happened, and an instant.

use lagom_features::domain::{
    Action, Channel, Country, Currency, Customer, CustomerId, CustomerKind, Date, Event, EventId,
    EventType, Invoice, InvoiceId, Money, TenantId, Timestamp, Zone,
};
use lagom_features::{History, Ledger, Recorded};
use lagom_model::guardrails::{Facts, Guardrails, GuardrailsSpec, Override, Verdict};
use lagom_model::strategy::{StageSpec, StepSpec, Strategy, StrategySpec, When};
use std::sync::LazyLock;

pub(crate) fn t(text: &str) -> Timestamp {
    Timestamp::parse(text).unwrap()
}

pub(crate) fn day(text: &str) -> Date {
    Date::parse(text).unwrap()
}

pub(crate) fn invoice_id(name: &str) -> InvoiceId {
    InvoiceId::new(name).unwrap()
}

/// Every message over every channel in every tone on three days, always in stage, without fees.
pub(crate) static EVERYTHING: LazyLock<Strategy> = LazyLock::new(|| everything(0));

/// [`EVERYTHING`], with this fee on every message.
pub(crate) fn everything(fee_minor: i64) -> Strategy {
    use lagom_features::domain::Kind;
    let timings = ["d0", "d1", "d2", "d3"];
    let timings = timings.iter().flat_map(|day| {
        let parts = ["morning", "midday", "evening"];
        parts.map(|part| format!("{day}-{part}"))
    });
    let timings: Vec<String> = timings.collect();
    let all = |kind: Kind| !matches!(kind, Kind::Wait | Kind::HumanReview);
    let kinds: Vec<Kind> = Kind::ALL
        .iter()
        .copied()
        .filter(|&kind| all(kind))
        .collect();
    let steps = kinds.iter().map(|&kind| {
        let message = kind.is_contact();
        StepSpec {
            kind,
            channels: if message {
                Channel::ALL.to_vec()
            } else {
                Vec::new()
            },
            tones: if message {
                lagom_features::domain::Tone::ALL.to_vec()
            } else {
                Vec::new()
            },
            timings: timings.clone(),
            variants: Vec::new(),
            fee_minor: if message { fee_minor } else { 0 },
            price_minor: None,
            discount_minor: None,
            template: "{kind}".to_owned(),
        }
    });
    Strategy::new(StrategySpec {
        currency: Currency::SEK,
        steps: steps.collect(),
        stages: vec![StageSpec {
            name: "always".to_owned(),
            from_day: -100_000,
            until_day: None,
            kinds: kinds.clone(),
            channels: Vec::new(),
            tones: Vec::new(),
            when: When::default(),
            exit: None,
        }],
        ladder: Vec::new(),
    })
    .unwrap()
}

pub(crate) struct Case {
    pub(crate) customer: Customer,
    pub(crate) invoices: Vec<Invoice>,
    pub(crate) events: Vec<Event>,
    pub(crate) spec: GuardrailsSpec,
    pub(crate) now: Timestamp,
}

impl Case {
    /// A Swedish consumer who owes 1,000 kronor, due on `due`; asked at `now`.
    pub(crate) fn new(due: &str, now: &str) -> Self {
        let created = t("2010-01-01");
        let customer_id = CustomerId::new("c").unwrap();
        let mut customer = Customer::unknown(TenantId::default(), customer_id, created);
        customer.kind = Some(CustomerKind::Consumer);
        customer.country = Some(Country::new("SE").unwrap());
        customer.time_zone = Some(Zone::parse("Europe/Stockholm").unwrap());
        let mut case = Self {
            customer,
            invoices: Vec::new(),
            events: Vec::new(),
            spec: GuardrailsSpec::default(),
            now: t(now),
        };
        case.invoice("i", due, 100_000);
        case
    }

    /// Moves the customer: no zone means that it is unknown.
    pub(crate) fn living_in(mut self, country: &str, zone: Option<&str>) -> Self {
        self.customer.country = Some(Country::new(country).unwrap());
        self.customer.time_zone = zone.map(|name| Zone::parse(name).unwrap());
        self
    }

    pub(crate) fn business(mut self) -> Self {
        self.customer.kind = Some(CustomerKind::Business);
        self
    }

    /// Switches rules off.
    pub(crate) fn without(mut self, rules: &[&str]) -> Self {
        let off = rules
            .iter()
            .map(|rule| Override::off(*rule, "not under test"));
        self.spec.overrides.extend(off);
        self
    }

    /// With fees that were agreed on and need no person.
    pub(crate) fn fees_allowed(mut self) -> Self {
        self.spec.fees_agreed = true;
        self.without(&["global.review_fees", "global.review_claims"])
    }

    pub(crate) fn invoice(&mut self, id: &str, due: &str, amount_minor: i64) {
        let due_on = day(due);
        self.invoices.push(Invoice {
            invoice_id: invoice_id(id),
            customer_id: self.customer.customer_id.clone(),
            issued_at: due_on.plus_days(-30).start(&Zone::utc()),
            due_on,
            amount: Money::new(amount_minor, Currency::SEK),
            terms_days: Some(30),
            payment_method: None,
            billing_channel: None,
            product: None,
        });
    }

    /// Records that something happened to the invoice `i`.
    pub(crate) fn event(
        mut self,
        kind: EventType,
        at: &str,
        detail: impl FnOnce(&mut Event),
    ) -> Self {
        let id = EventId::new(format!("e{}", self.events.len())).unwrap();
        let customer = self.customer.customer_id.clone();
        let mut event = Event::new(id, kind, customer, t(at), t(at));
        event.invoice_id = Some(invoice_id("i"));
        detail(&mut event);
        self.events.push(event);
        self
    }

    /// Records that `action` was carried out for the invoice `i`, with a fee.
    pub(crate) fn sent(self, action: &str, at: &str, fee_minor: i64) -> Self {
        let parsed: Action = action.parse().unwrap();
        self.event(EventType::ContactSent, at, |event| {
            event.channel = parsed.channel;
            event.tone = parsed.tone;
            event.reason = Some(action.to_owned());
            event.amount = (fee_minor > 0).then(|| Money::new(fee_minor, Currency::SEK));
        })
    }

    pub(crate) fn history(&self) -> History {
        let customer = Recorded {
            recorded_at: self.customer.created_at,
            value: self.customer.clone(),
        };
        let invoices = self.invoices.iter().map(|one| Recorded {
            recorded_at: one.issued_at,
            value: one.clone(),
        });
        History::from_records(vec![customer], invoices.collect(), &self.events)
    }

    pub(crate) fn facts(&self) -> Facts {
        let history = self.history();
        let view = history.as_of(self.now);
        Facts::of(&view, &Ledger::of(&view), &invoice_id("i")).unwrap()
    }

    pub(crate) fn guardrails(&self) -> Guardrails {
        Guardrails::new(&self.spec).unwrap()
    }

    /// The rule that refuses `action` of `strategy`, if any does.
    pub(crate) fn refusal_of(&self, action: &str, strategy: &Strategy) -> Option<String> {
        let guardrails = self.guardrails();
        let mut verdicts = Vec::new();
        guardrails.screen(&self.facts(), strategy, None, &mut verdicts);
        let place = strategy.place(&action.parse().unwrap());
        match verdicts[place.expect("the action is in the catalogue")] {
            Verdict::Allowed => None,
            Verdict::Refused(rule) => Some(guardrails.rule(rule).id.to_string()),
        }
    }

    /// The rule that refuses `action`, which has no fee.
    pub(crate) fn refusal(&self, action: &str) -> Option<String> {
        self.refusal_of(action, &EVERYTHING)
    }

    #[track_caller]
    pub(crate) fn refuses(&self, action: &str, rule: &str) {
        assert_eq!(self.refusal(action).as_deref(), Some(rule), "{action}");
    }

    #[track_caller]
    pub(crate) fn allows(&self, action: &str) {
        assert_eq!(self.refusal(action), None, "{action}");
    }

    /// The rule that refuses `action` with this fee, if any does.
    pub(crate) fn charging(&self, action: &str, fee_minor: i64) -> Option<String> {
        self.refusal_of(action, &everything(fee_minor))
    }
}
