//! Features by segment: every cell is what adding up every customer by hand gives, and what was recorded
//! from the Monday on changes none.
#![allow(clippy::unwrap_used)]

mod records;

use lagom_features::domain::{
    Currency, Customer, CustomerId, Days, Event, EventId, EventType, Invoice, InvoiceId, Money,
    TenantId, Timestamp, Zone,
};
use lagom_features::sql::{self, Calendar, Compiled, Dialect, Form};
use lagom_features::{
    ExtractError, Extractor, FeatureSpec, History, Ledger, Pooling, PoolingMemory, Recorded,
    Scratch, Segments, Week, week_of,
};
use proptest::prelude::*;
use proptest::sample::select;
use proptest::test_runner::{Config, TestRunner};
use records::Records;
use std::collections::HashSet;
use std::sync::{Arc, LazyLock};

const SPEC: &str = r#"
[[feature]]
name = "segment_opened_60d"
source = "events"
types = ["invoice_opened", "invoice_viewed"]
key = "segment"
window = "60d"
op = "count"

[[feature]]
name = "own_opened_60d"
source = "events"
types = ["invoice_opened", "invoice_viewed"]
window = "60d"
op = "count"

[[feature]]
name = "segment_clicked"
source = "events"
types = ["link_clicked"]
key = "segment"
window = "lifetime"
op = "any"
missing = -1

[[feature]]
name = "segment_paid"
source = "events"
types = ["payment_succeeded"]
key = "segment"
window = "lifetime"
op = "sum"
column = "amount"

[[feature]]
name = "segment_paid_on_average"
source = "events"
types = ["payment_succeeded"]
key = "segment"
window = "lifetime"
op = "mean"
column = "amount"

[[feature]]
name = "segment_dwell"
source = "events"
types = ["invoice_viewed"]
key = "segment"
window = "90d"
op = "mean"
column = "dwell_seconds"

[[feature]]
name = "segment_late_share"
source = "dues"
key = "segment"
window = "365d"
op = "mean"
column = "late"
prior = 0.25
strength = 4

[[feature]]
name = "segment_on_mobile"
source = "events"
types = ["invoice_opened", "invoice_viewed", "link_clicked"]
key = "segment"
window = "lifetime"
op = "rate"
of = { device = "mobile" }
"#;
const COLUMNS: usize = 8;

static PARSED: LazyLock<FeatureSpec> = LazyLock::new(|| FeatureSpec::parse(SPEC).unwrap());
static EXTRACTOR: LazyLock<Extractor> = LazyLock::new(|| Extractor::new(&PARSED));
static POOLING: LazyLock<Pooling> = LazyLock::new(|| Pooling::new(&PARSED).unwrap());

fn instant() -> impl Strategy<Value = Timestamp> {
    let from = Timestamp::parse("2026-01-20").unwrap();
    (0_i64..24 * 90).prop_map(move |hours| from + Days::hours(hours))
}

/// Mostly learnt at once, sometimes days or months later.
fn delay() -> impl Strategy<Value = Days> {
    prop_oneof![
        5 => Just(Days::hours(0)),
        2 => (1_i64..72).prop_map(Days::hours),
        1 => (3_i64..60).prop_map(Days::whole),
    ]
}

fn invoice_id(number: usize) -> InvoiceId {
    InvoiceId::new(format!("i{number}")).unwrap()
}

/// Amounts of one invoice are of one currency.
fn currency(invoice: Option<usize>) -> Currency {
    match invoice {
        Some(number) if number % 3 == 2 => Currency::new("EUR").unwrap(),
        _ => Currency::SEK,
    }
}

fn event() -> impl Strategy<Value = Event> {
    let kinds = [
        EventType::InvoiceOpened,
        EventType::InvoiceViewed,
        EventType::LinkClicked,
        EventType::PaymentSucceeded,
        EventType::PaymentRefunded,
        EventType::DueDateChanged,
        EventType::ContactSent,
    ];
    let what = (
        select(kinds.to_vec()),
        instant(),
        delay(),
        prop::option::of(0_usize..3),
    );
    let over = (
        prop::option::of(select(&["mobile", "desktop"][..])),
        1_i64..2_000,
        0_i64..30,
    );
    (0_u32..10_000, what, over).prop_map(
        |(id, (kind, at, delay, invoice), (device, amount, ahead))| {
            // The id holds all that varies, so that equal ids are true duplicates.
            let id = format!("{id}-{kind}-{at}-{}-{amount}", delay.micros());
            let customer = CustomerId::new("c").unwrap();
            let mut event = Event::new(EventId::new(id).unwrap(), kind, customer, at, at + delay);
            event.invoice_id = invoice.map(invoice_id);
            event.device = device.map(str::to_owned);
            event.amount = Some(Money::new(amount, currency(invoice)));
            event.dwell_ms = (amount % 3 > 0).then_some(amount as u32);
            event.until = Some(at + Days::whole(ahead));
            event
        },
    )
}

fn invoice() -> impl Strategy<Value = Recorded<Invoice>> {
    let numbered = (0_usize..3, instant(), delay(), 1_i32..40, 100_i64..2_000);
    numbered.prop_map(move |(number, at, delay, terms, amount)| Recorded {
        recorded_at: at + delay,
        value: Invoice {
            invoice_id: invoice_id(number),
            customer_id: CustomerId::new("c").unwrap(),
            issued_at: at,
            due_on: at.date(&Zone::utc()).plus_days(terms),
            amount: Money::new(amount, currency(Some(number))),
            terms_days: None,
            payment_method: None,
            billing_channel: None,
            product: None,
        },
    })
}

fn customer() -> impl Strategy<Value = Recorded<Customer>> {
    let zones = select(&["Europe/Stockholm", "America/New_York"][..]);
    let segments = prop::option::of(select(&["small", "large"][..]));
    (instant(), prop::option::of(zones), segments).prop_map(|(at, zone, segment)| {
        let id = CustomerId::new("c").unwrap();
        let mut value = Customer::unknown(TenantId::default(), id, at);
        value.time_zone = zone.map(|name| Zone::parse(name).unwrap());
        value.segment = segment.map(str::to_owned);
        Recorded {
            recorded_at: at,
            value,
        }
    })
}

/// A customer whose segment may change, who may never be described, with corrections and with events
/// that come twice.
fn records() -> impl Strategy<Value = Records> {
    (
        prop::collection::vec(customer(), 0..4),
        prop::collection::vec(invoice(), 0..6),
        prop::collection::vec(event(), 0..30),
    )
        .prop_map(|(customers, invoices, mut events)| {
            let again: Vec<Event> = events.iter().step_by(7).cloned().collect();
            events.extend(again);
            Records {
                customers,
                invoices,
                events,
            }
        })
}

fn company() -> impl Strategy<Value = Vec<Records>> {
    prop::collection::vec(records(), 1..6)
}

fn week<'a>(customers: impl IntoIterator<Item = &'a Records>, at: Timestamp) -> Week {
    let (mut week, mut memory) = (POOLING.begin(at), PoolingMemory::default());
    for records in customers {
        POOLING.add(&mut memory, &records.history(), &mut week);
    }
    week
}

fn segments(week: Week) -> Segments {
    let mut segments = Segments::of(&POOLING);
    segments.put(Arc::new(week));
    segments
}

/// One customer's numbers by hand: Σ and how much it counts, by column; none where it does not count.
fn by_hand(records: &Records, monday: Timestamp, asked: Currency) -> Vec<(f64, f64)> {
    let history = records.history();
    let view = history.as_of(monday);
    let mut seen = HashSet::new();
    let events: Vec<&Event> = (records.events.iter())
        .filter(|one| seen.insert(&one.event_id))
        .filter(|one| one.recorded_at < monday && one.occurred_at < monday)
        .collect();
    let ledger = Ledger::of(&view);
    let known = view.customer().is_some() || !events.is_empty() || !ledger.invoices().is_empty();
    let one = f64::from(u8::from(known));
    let of = |kinds: &[EventType], days: i64| -> Vec<&Event> {
        let since = monday - Days::whole(days);
        let of = |one: &&&Event| kinds.contains(&one.kind) && one.occurred_at >= since;
        events.iter().filter(of).copied().collect()
    };
    let (opened, viewed, clicked) = (
        EventType::InvoiceOpened,
        EventType::InvoiceViewed,
        EventType::LinkClicked,
    );
    let count = |events: Vec<&Event>| events.len() as f64;
    let looks = of(&[opened, viewed, clicked], 10_000);
    let mobile = |one: &&&Event| one.device.as_deref() == Some("mobile");
    let dwelt = of(&[viewed], 90).into_iter().filter_map(|one| one.dwell_ms);
    let dwelt: Vec<f64> = dwelt.map(|millis| f64::from(millis) / 1_000.0).collect();
    let billed = ledger
        .invoices()
        .iter()
        .any(|one| one.invoice.amount.currency == asked);
    let paid = of(&[EventType::PaymentSucceeded], 10_000);
    let paid = paid.into_iter().filter_map(|one| one.amount);
    let paid: Vec<f64> = paid
        .filter(|money| billed && money.currency == asked)
        .map(|money| money.minor_units as f64)
        .collect();
    let zone = view
        .customer()
        .map_or_else(Zone::utc, Customer::zone_or_utc);
    let due = ledger.invoices().iter().filter(|one| {
        let late_from = one.late_from(&zone);
        late_from < monday && late_from >= monday - Days::whole(365)
    });
    let late: Vec<bool> = due
        .map(|one| one.settled_at.is_none_or(|at| at >= one.late_from(&zone)))
        .collect();
    vec![
        (count(of(&[opened, viewed], 60)), one),
        (0.0, 0.0),
        (f64::from(u8::from(!of(&[clicked], 10_000).is_empty())), one),
        (paid.iter().sum(), f64::from(u8::from(billed))),
        (paid.iter().sum(), paid.len() as f64),
        (dwelt.iter().sum(), dwelt.len() as f64),
        (
            late.iter().filter(|late| **late).count() as f64,
            late.len() as f64,
        ),
        (
            looks.iter().filter(mobile).count() as f64,
            looks.len() as f64,
        ),
    ]
}

fn segment_at(records: &Records, at: Timestamp) -> Option<String> {
    let history = records.history();
    let view = history.as_of(at);
    view.customer().and_then(|one| one.segment.clone())
}

proptest! {
    #[test]
    fn a_cell_is_what_adding_up_every_customer_gives(company in company(), now in instant()) {
        let monday = week_of(now);
        let segments = segments(week(&company, monday));
        let (mut scratch, mut out) = (Scratch::new(), Vec::new());
        for records in &company {
            let history = records.history();
            let view = history.as_of(now);
            let ledger = Ledger::of(&view);
            let own = segment_at(records, now);
            for number in 0..3 {
                let made = EXTRACTOR.extract_among(
                    &mut scratch, &view, &ledger, &invoice_id(number), &segments, &mut out,
                );
                if made.is_err() {
                    continue;
                }
                let mut sums = vec![(0.0, 0.0); COLUMNS];
                let alike = company.iter().filter(|one| segment_at(one, monday) == own);
                for parts in alike.map(|one| by_hand(one, monday, currency(Some(number)))) {
                    for (sum, part) in sums.iter_mut().zip(parts) {
                        *sum = (sum.0 + part.0, sum.1 + part.1);
                    }
                }
                sums[6] = (sums[6].0 + 0.25 * 4.0, sums[6].1 + 4.0);
                for (place, (sum, counts)) in sums.into_iter().enumerate() {
                    let expected = match place {
                        1 => continue,
                        2 if counts == 0.0 => -1.0,
                        _ => sum / counts,
                    };
                    // Seconds are no whole numbers of 2⁻³²; everything else here is.
                    let same = if place == 5 {
                        (out[place] - expected).abs() < 1e-6 || (out[place].is_nan() && expected.is_nan())
                    } else {
                        out[place].to_bits() == expected.to_bits() || (out[place].is_nan() && expected.is_nan())
                    };
                    prop_assert!(same, "column {place}: {} is not {expected}", out[place]);
                }
            }
        }
    }

    #[test]
    fn nothing_recorded_from_the_monday_on_changes_a_week(
        company in prop::collection::vec((records(), records()), 1..5),
        newcomer in records(),
        now in instant(),
    ) {
        let monday = week_of(now);
        let before: Vec<Records> = company.iter().map(|(one, _)| one.clone()).collect();
        let mut after: Vec<Records> = (company.iter())
            .map(|(one, other)| one.with_future_of(other, monday))
            .collect();
        let nobody = Records { customers: Vec::new(), invoices: Vec::new(), events: Vec::new() };
        after.push(nobody.with_future_of(&newcomer, monday));
        prop_assert_eq!(week(&before, monday), week(&after, monday));
    }

    #[test]
    fn neither_the_order_of_customers_nor_how_they_are_parted_changes_a_week(
        company in company().prop_flat_map(|all| (Just(all.clone()), Just(all).prop_shuffle())),
        parted in 0_usize..6,
        now in instant(),
    ) {
        let (company, shuffled) = company;
        let parted = parted.min(shuffled.len());
        let mut parts = week(&shuffled[parted..], week_of(now));
        parts.merge(week(&shuffled[..parted], week_of(now)));
        prop_assert_eq!(week(&company, week_of(now)), parts);
    }
}

proptest! {
    #[test]
    fn who_is_taken_out_never_was_there(company in company(), gone in records(), now in instant()) {
        let monday = week_of(now);
        let mut with = company.clone();
        with.push(gone.clone());
        let mut with = segments(week(&with, monday));
        with.take_out(&POOLING, &gone.history());
        let without = segments(week(&company, monday));
        let (mut left, mut right) = (Vec::new(), Vec::new());
        for records in company.iter().chain([&gone]) {
            let history = records.history();
            let view = history.as_of(now);
            let ledger = Ledger::of(&view);
            for id in (0..3).map(invoice_id) {
                let made = |segments: &Segments, out: &mut Vec<f64>| {
                    EXTRACTOR.extract_among(
                        &mut Scratch::new(), &view, &ledger, &id, segments, out,
                    )
                };
                prop_assert_eq!(made(&with, &mut left), made(&without, &mut right));
                let bits = |out: &[f64]| out.iter().map(|one| one.to_bits()).collect::<Vec<_>>();
                prop_assert_eq!(bits(&left), bits(&right));
            }
        }
    }
}

#[test]
fn a_planted_leak_is_caught() {
    let config = Config {
        failure_persistence: None,
        ..Config::default()
    };
    let mut runner = TestRunner::new(config);
    let caught = runner.run(
        &(records(), records(), instant()),
        |(records, other, now)| {
            let monday = week_of(now);
            let by_occurrence = |records: &Records| {
                let mut leaky = records.clone();
                let all = leaky.events.iter_mut();
                all.for_each(|event| event.recorded_at = event.occurred_at);
                leaky
            };
            let changed = records.with_future_of(&other, monday);
            let (before, after) = (by_occurrence(&records), by_occurrence(&changed));
            prop_assert_eq!(week([&before], monday), week([&after], monday));
            Ok(())
        },
    );
    assert!(caught.is_err(), "the check did not see the leak");
}

#[test]
fn a_week_that_is_not_at_hand_is_said_and_not_guessed() {
    let monday = Timestamp::parse("2026-03-02").unwrap();
    let at = monday + Days::whole(2);
    let id = CustomerId::new("c").unwrap();
    let mut history = History::new();
    let invoice = Invoice {
        invoice_id: invoice_id(0),
        customer_id: id,
        issued_at: monday,
        due_on: monday.date(&Zone::utc()),
        amount: Money::new(1, Currency::SEK),
        terms_days: None,
        payment_method: None,
        billing_channel: None,
        product: None,
    };
    history.record_invoice(monday, invoice);
    let view = history.as_of(at);
    let mut out = Vec::new();
    let mut extract = |extractor: &Extractor, segments: &Segments| {
        let (scratch, ledger) = (&mut Scratch::new(), Ledger::of(&view));
        extractor.extract_among(scratch, &view, &ledger, &invoice_id(0), segments, &mut out)
    };
    let missing = Err(ExtractError::Week { week: monday });
    assert_eq!(extract(&EXTRACTOR, Segments::none()), missing);
    let earlier = segments(POOLING.begin(monday - Days::whole(7)));
    assert_eq!(extract(&EXTRACTOR, &earlier), missing);
    let at_hand = segments(POOLING.begin(monday));
    assert_eq!(extract(&EXTRACTOR, &at_hand), Ok(()));
    // Of nobody is known anything: a prior, what `missing` says, or NaN.
    assert!(
        out[0].is_nan() && out[2] == -1.0 && out[6] == 0.25,
        "{out:?}"
    );
    let other = FeatureSpec::parse(&SPEC.replace("60d", "61d")).unwrap();
    let other = Extractor::new(&other);
    let mut extract = |extractor: &Extractor, segments: &Segments| {
        let (scratch, ledger) = (&mut Scratch::new(), Ledger::of(&view));
        extractor.extract_among(scratch, &view, &ledger, &invoice_id(0), segments, &mut out)
    };
    assert_eq!(extract(&other, &at_hand), missing, "weeks of another spec");
    assert!(Pooling::new(&FeatureSpec::built_in()).is_none());
    let built_in = Extractor::new(&FeatureSpec::built_in());
    assert_eq!(extract(&built_in, Segments::none()), Ok(()));
}

#[test]
fn what_cannot_be_pooled_is_refused_by_name_and_line() {
    let refused = |rest: &str| {
        let text = format!("[[feature]]\nname = \"x\"\nkey = \"segment\"\n{rest}");
        let error = FeatureSpec::parse(&text).unwrap_err();
        assert_eq!(error.faults.len(), 1, "{error}");
        let fault = error.faults[0].clone();
        assert_eq!(fault.feature.as_deref(), Some("x"));
        (fault.line, fault.reason)
    };
    let rows = "source = \"dues\"\nwindow = \"30d\"\n";
    for (op, line) in [
        ("op = \"max\"\ncolumn = \"late\"", 6),
        ("op = \"last\"\ncolumn = \"late\"", 6),
        ("column = \"late\"\nop = \"quantile\"\nq = 0.5", 7),
        ("op = \"streak\"\ncolumn = \"late\"", 6),
        ("op = \"days_since\"", 6),
        ("op = \"distinct\"\ncolumn = \"invoice\"", 6),
        ("op = \"decayed\"\nhalf_life = \"30d\"", 6),
    ] {
        let (at, reason) = refused(&format!("{rows}{op}"));
        assert_eq!(at, line, "{op}: {reason}");
        assert!(reason.contains("count, any, sum, mean, rate"), "{reason}");
    }
    let (line, reason) = refused(&format!("{rows}op = \"count\"\nscope = \"this_invoice\""));
    assert!(
        line == 7 && reason.contains("this_invoice"),
        "{line}: {reason}"
    );
    let (line, reason) = refused("source = \"dues\"\nwindow = \"since_due\"\nop = \"count\"");
    assert!(line == 5 && reason.contains("lifetime"), "{line}: {reason}");
    let contacts = "source = \"contacts\"\nwindow = \"30d\"\nop = \"rate\"\n";
    let (line, reason) = refused(&format!("{contacts}of = {{ within_hours = 3 }}"));
    assert!(
        line == 7 && reason.contains("within_hours"),
        "{line}: {reason}"
    );
    let of = "of = { channel = \"sms\" }\nwhere = { within_hours = 3 }";
    let (line, reason) = refused(&format!("{contacts}{of}"));
    assert!(
        line == 8 && reason.contains("within_hours"),
        "{line}: {reason}"
    );
    let (line, reason) = refused("source = \"calendar\"\nattribute = \"weekday\"");
    assert!(
        line == 3 && reason.contains("no effect"),
        "{line}: {reason}"
    );
    let text = "[[feature]]\nname = \"x\"\nkey = \"country\"\nsource = \"dues\"\nwindow = \"30d\"\nop = \"count\"";
    let error = FeatureSpec::parse(text).unwrap_err().to_string();
    assert!(error.starts_with("line 3, feature `x`"), "{error}");
    assert!(error.contains("customer, segment"), "{error}");
}

#[test]
fn the_key_is_in_the_fingerprint_and_its_default_is_not() {
    let spec = |key: &str| {
        let text = format!(
            "[[feature]]\nname = \"x\"\n{key}\nsource = \"dues\"\nwindow = \"30d\"\nop = \"count\""
        );
        FeatureSpec::parse(&text).unwrap().fingerprint().to_owned()
    };
    assert_eq!(spec(""), spec("key = \"customer\""));
    assert_ne!(spec(""), spec("key = \"segment\""));
}

#[test]
fn no_query_is_made_of_a_feature_by_segment() {
    let calendar = Calendar {
        zones: vec![Zone::utc()],
        from: Timestamp::parse("2026-01-01").unwrap(),
        to: Timestamp::parse("2026-02-01").unwrap(),
    };
    for form in [Form::Cells, Form::Finished] {
        let refused = Compiled::new(&PARSED, form, Dialect::Standard, &calendar).unwrap_err();
        assert_eq!(refused.0.len(), COLUMNS - 1, "{refused}");
        assert!(refused.0[0].feature == "segment_opened_60d" && refused.0[0].line == 3);
        assert_eq!(sql::check(&PARSED), Err(refused));
    }
    assert_eq!(sql::check(&FeatureSpec::built_in()), Ok(()));
}
