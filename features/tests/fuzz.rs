//! Specs and events that nobody would write: nothing panics, and a refusal names the line or field.
#![allow(clippy::unwrap_used)]

use lagom_features::domain::{
    Channel, Currency, Customer, CustomerId, Date, Days, DecisionId, Event, EventId, EventType,
    Invoice, InvoiceId, Money, TenantId, Timestamp, Tone, Zone,
};
use lagom_features::{
    Extractor, FeatureSpec, History, Ledger, Pooling, PoolingMemory, Scratch, Segments, week_of,
};
use proptest::prelude::*;
use proptest::sample::{Index, select};
use std::sync::{Arc, LazyLock};

const BUILT_IN: &str = include_str!("../spec/built_in.toml");
const BY_SEGMENT: &str = r#"
[[feature]]
name = "segment_opened"
source = "contacts"
key = "segment"
where = { channel = "sms" }
window = "180d"
op = "rate"
of = { tone = "friendly" }
prior = 0.3
strength = 5
"#;

static EXTRACTOR: LazyLock<Extractor> = LazyLock::new(|| Extractor::new(&FeatureSpec::built_in()));

/// Words that mean something somewhere in a spec, and values at the edge of what is allowed.
const WORDS: &[&str] = &[
    "",
    "0",
    "-1",
    "nan",
    "inf",
    "1e308",
    "9223372036854775807",
    "\"\"",
    "\"last 0\"",
    "\"last 4294967296\"",
    "\"999999999999d\"",
    "\"-30d\"",
    "\"lifetime\"",
    "\"ratio\"",
    "\"features\"",
    "\"events\"",
    "\"segment\"",
    "{ within_hours = 3 }",
    "[]",
    "[\"sms\", \"sms\"]",
    "{}",
    "true",
    "[[feature]]",
    "[feature]",
    "\"å\\u0000\"",
    "\"",
    "=",
];

#[derive(Debug, Clone)]
enum Slip {
    DropLine,
    RepeatLine,
    SwapLines(Index),
    Value(&'static str),
    Key(Index),
    Cut(u8),
    Insert(char),
}

fn slip() -> impl Strategy<Value = Slip> {
    prop_oneof![
        Just(Slip::DropLine),
        Just(Slip::RepeatLine),
        any::<Index>().prop_map(Slip::SwapLines),
        select(WORDS).prop_map(Slip::Value),
        any::<Index>().prop_map(Slip::Key),
        any::<u8>().prop_map(Slip::Cut),
        any::<char>().prop_map(Slip::Insert),
    ]
}

/// The text with one slip of the pen in the line that `at` falls on.
fn slipped(text: &str, at: &Index, slip: &Slip) -> String {
    let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
    if lines.is_empty() {
        return slip_of_nothing(slip);
    }
    let place = at.index(lines.len());
    let key_of = |line: &str| line.split_once('=').map(|(key, _)| key.to_owned());
    match slip {
        Slip::DropLine => {
            lines.remove(place);
        }
        Slip::RepeatLine => lines.insert(place, lines[place].clone()),
        Slip::SwapLines(other) => {
            let other = other.index(lines.len());
            lines.swap(place, other);
        }
        Slip::Value(word) => {
            if let Some(key) = key_of(&lines[place]) {
                lines[place] = format!("{key}= {word}");
            } else {
                lines[place] = (*word).to_owned();
            }
        }
        Slip::Key(other) => {
            let other = key_of(&lines[other.index(lines.len())]);
            if let Some((other, (_, value))) = other.zip(lines[place].split_once('=')) {
                lines[place] = format!("{other}={value}");
            }
        }
        Slip::Cut(bytes) => {
            let kept = lines[place]
                .chars()
                .take(usize::from(*bytes) % 40)
                .collect();
            lines[place] = kept;
        }
        Slip::Insert(one) => lines[place].push(*one),
    }
    lines.join("\n")
}

fn slip_of_nothing(slip: &Slip) -> String {
    match slip {
        Slip::Value(word) => (*word).to_owned(),
        Slip::Insert(one) => one.to_string(),
        _ => String::new(),
    }
}

/// Reads a spec and uses it; a refusal must say where and why.
fn use_or_refuse(text: &str) -> Result<(), TestCaseError> {
    match FeatureSpec::parse(text) {
        Ok(spec) => {
            let (mut out, history) = (Vec::new(), history(Vec::new()));
            let view = history.as_of(Timestamp::parse("2026-02-20").unwrap());
            let ledger = Ledger::of(&view);
            let extractor = Extractor::new(&spec);
            let mut segments = Segments::default();
            if let Some(pooling) = Pooling::new(&spec) {
                let mut week = pooling.begin(week_of(view.now()));
                pooling.add(&mut PoolingMemory::default(), &history, &mut week);
                segments = Segments::of(&pooling);
                segments.put(Arc::new(week));
            }
            let (scratch, id) = (&mut Scratch::new(), invoice_id());
            let made = extractor.extract_among(scratch, &view, &ledger, &id, &segments, &mut out);
            prop_assert!(made.is_ok());
            prop_assert_eq!(out.len(), spec.names().len());
        }
        Err(error) => {
            prop_assert!(!error.faults.is_empty());
            let lines = 1 + text.matches('\n').count();
            for fault in &error.faults {
                prop_assert!(
                    (1..=lines).contains(&fault.line),
                    "{fault} of {lines} lines"
                );
                prop_assert!(!fault.reason.is_empty());
            }
        }
    }
    Ok(())
}

fn invoice_id() -> InvoiceId {
    InvoiceId::new("i").unwrap()
}

fn history(events: Vec<Event>) -> History {
    let start = Timestamp::parse("2026-01-01").unwrap();
    let customer_id = CustomerId::new("c").unwrap();
    let mut customer = Customer::unknown(TenantId::default(), customer_id.clone(), start);
    customer.time_zone = Some(Zone::parse("Europe/Stockholm").unwrap());
    let mut history = History::new();
    history.record_customer(start, customer);
    history.record_invoice(
        start,
        Invoice {
            invoice_id: invoice_id(),
            customer_id,
            issued_at: start,
            due_on: Date::parse("2026-01-31").unwrap(),
            amount: Money::new(49_900, Currency::SEK),
            terms_days: None,
            payment_method: None,
            billing_channel: None,
            product: None,
        },
    );
    for event in events {
        history.record_event(&event);
    }
    history
}

/// Anywhere that an instant can be, most often around the invoice.
fn instant() -> impl Strategy<Value = Timestamp> {
    let near = Timestamp::parse("2026-02-10").unwrap().micros();
    let month = 30 * 86_400_000_000;
    prop_oneof![
        1 => Just(Timestamp::MIN.micros()),
        1 => Just(Timestamp::MAX.micros()),
        2 => Timestamp::MIN.micros()..=Timestamp::MAX.micros(),
        6 => near - month..near + month,
    ]
    .prop_map(|micros| Timestamp::from_micros(micros).unwrap())
}

fn event() -> impl Strategy<Value = Event> {
    let amount = prop_oneof![Just(i64::MIN), Just(i64::MAX), Just(0), any::<i64>()];
    let currency = select(vec![Currency::SEK, Currency::new("EUR").unwrap()]);
    let money = prop::option::of((amount, currency));
    let what = (select(EventType::ALL), instant(), instant(), any::<u16>());
    let over = (
        prop::option::of(select(Channel::ALL)),
        prop::option::of(select(Tone::ALL)),
        prop::option::of("\\PC{0,40}"),
        prop::option::of("\\PC{0,40}"),
    );
    let more = (
        prop::option::of(any::<u32>()),
        prop::option::of(instant()),
        prop::option::of("\\PC{0,300}"),
        0_u8..4,
    );
    (what, over, money, more).prop_map(|(what, over, money, more)| {
        let (kind, occurred_at, recorded_at, number) = what;
        let id = EventId::new(format!("e{number}")).unwrap();
        let customer_id = CustomerId::new("c").unwrap();
        let mut event = Event::new(id, kind, customer_id, occurred_at, recorded_at);
        (event.channel, event.tone, event.method, event.device) = over;
        event.amount = money.map(|(minor, currency)| Money::new(minor, currency));
        (event.dwell_ms, event.until, event.reason) = (more.0, more.1, more.2);
        event.invoice_id = match more.3 {
            0 => None,
            1 => Some(InvoiceId::new("another").unwrap()),
            _ => Some(invoice_id()),
        };
        event.decision_id = (more.3 == 3).then(|| DecisionId::new("d").unwrap());
        event
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_spec_with_slips_is_used_or_refused_by_line(
        slips in prop::collection::vec((any::<Index>(), slip()), 1..4),
    ) {
        let mut text = format!("{BUILT_IN}{BY_SEGMENT}");
        for (at, slip) in &slips {
            text = slipped(&text, at, slip);
        }
        use_or_refuse(&text)?;
    }

    #[test]
    fn a_feature_by_segment_with_slips_is_used_or_refused_by_line(
        slips in prop::collection::vec((any::<Index>(), slip()), 1..4),
    ) {
        let mut text = BY_SEGMENT.to_owned();
        for (at, slip) in &slips {
            text = slipped(&text, at, slip);
        }
        use_or_refuse(&text)?;
    }

    #[test]
    fn any_text_is_used_or_refused_by_line(text in "\\PC{0,200}") {
        use_or_refuse(&text)?;
    }

    #[test]
    fn any_words_of_the_language_are_used_or_refused_by_line(
        words in prop::collection::vec(
            prop_oneof![
                select(WORDS).prop_map(str::to_owned),
                select(&["name", "source", "op", "window", "types", "where", "of", "\n", " = "][..])
                    .prop_map(str::to_owned),
                "[a-z_]{1,8}",
            ],
            0..40,
        ),
    ) {
        use_or_refuse(&words.join(" "))?;
    }

    /// Whoever records an event asks for its faults first; but also one with faults does no harm.
    #[test]
    fn any_events_give_a_vector(
        events in prop::collection::vec(event(), 0..30),
        now in instant(),
    ) {
        const COLUMNS: [&str; 6] =
            ["amount_minor", "currency", "invoice_id", "until", "channel", "occurred_at"];
        for fault in events.iter().flat_map(Event::faults) {
            prop_assert!(COLUMNS.contains(&fault.field), "{fault:?}");
        }
        let history = history(events);
        let view = history.as_of(now);
        let ledger = Ledger::of(&view);
        let mut out = Vec::new();
        let made =
            EXTRACTOR.extract_with(&mut Scratch::new(), &view, &ledger, &invoice_id(), &mut out);
        let known = view.invoice(&invoice_id()).is_some();
        prop_assert_eq!(made.is_ok(), known);
        if known {
            prop_assert_eq!(out.len(), EXTRACTOR.width());
        }
        let later = history.as_of(now + Days::whole(3));
        prop_assert!(Ledger::of(&later).invoices().len() <= 1);
    }
}

/// Found by [`any_events_give_a_vector`]: the ledger negated the smallest amount there is.
#[test]
fn the_smallest_amount_is_no_fault_of_the_ledger() {
    let at = Timestamp::parse("2026-01-02").unwrap();
    let (id, customer_id) = (EventId::new("e").unwrap(), CustomerId::new("c").unwrap());
    let mut credit = Event::new(id, EventType::CreditIssued, customer_id, at, at);
    credit.invoice_id = Some(invoice_id());
    credit.amount = Some(Money::new(i64::MIN, Currency::SEK));
    let history = history(vec![credit]);
    let ledger = Ledger::of(&history.as_of(Timestamp::MAX));
    assert_eq!(ledger.invoices()[0].outstanding_minor, i64::MAX);
}
