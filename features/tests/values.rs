//! Features of one small history against numbers worked out by hand.
#![allow(clippy::unwrap_used)]

use lagom_features::domain::{
    Channel, Currency, Customer, CustomerId, Date, Event, EventId, EventType, Invoice, InvoiceId,
    Money, TenantId, Timestamp, Tone, Zone,
};
use lagom_features::{Extractor, FeatureSpec, History, Ledger};

fn t(text: &str) -> Timestamp {
    Timestamp::parse(text).unwrap()
}

struct World {
    history: History,
    events: usize,
}

impl World {
    /// Four invoices of 1000 öre: `a` paid 10 days late, `b` a day early, `c` open and late, and
    /// `d`, the one in question, issued on the 1st of May and due on the 31st.
    fn new() -> Self {
        let mut world = Self {
            history: History::new(),
            events: 0,
        };
        let id = CustomerId::new("c").unwrap();
        let mut customer = Customer::unknown(TenantId::default(), id, t("2026-01-01"));
        customer.time_zone = Some(Zone::parse("Europe/Stockholm").unwrap());
        world.history.record_customer(t("2026-01-01"), customer);
        for (id, issued, due) in [
            ("a", "2026-01-01", "2026-01-31"),
            ("b", "2026-02-01", "2026-03-03"),
            ("c", "2026-03-01", "2026-03-31"),
            ("d", "2026-05-01", "2026-05-31"),
        ] {
            let invoice = Invoice {
                invoice_id: InvoiceId::new(id).unwrap(),
                customer_id: CustomerId::new("c").unwrap(),
                issued_at: t(issued),
                due_on: Date::parse(due).unwrap(),
                amount: Money::new(if id == "d" { 3_000 } else { 1_000 }, Currency::SEK),
                terms_days: None,
                payment_method: None,
                billing_channel: None,
                product: None,
            };
            world.history.record_invoice(t(issued), invoice);
        }
        for (invoice, at) in [("a", "2026-02-10T12:00:00Z"), ("b", "2026-03-02T12:00:00Z")] {
            world.tell(EventType::PaymentSucceeded, invoice, at, at, |_| {});
        }
        world
    }

    fn tell(
        &mut self,
        kind: EventType,
        invoice: &str,
        at: &str,
        recorded: &str,
        more: impl FnOnce(&mut Event),
    ) {
        self.events += 1;
        let id = EventId::new(format!("e{}", self.events)).unwrap();
        let customer = CustomerId::new("c").unwrap();
        let mut event = Event::new(id, kind, customer, t(at), t(recorded));
        event.invoice_id = Some(InvoiceId::new(invoice).unwrap());
        event.amount = Some(Money::new(1_000, Currency::SEK));
        more(&mut event);
        self.history.record_event(&event);
    }

    /// The first column of a feature of invoice `d`.
    fn value(&self, feature: &str, at: &str) -> f64 {
        let text = format!("[[feature]]\nname = \"x\"\n{feature}");
        let spec = FeatureSpec::parse(&text).unwrap_or_else(|error| panic!("{text}\n{error}"));
        let view = self.history.as_of(t(at));
        let mut out = Vec::new();
        let invoice = InvoiceId::new("d").unwrap();
        Extractor::new(&spec)
            .extract(&view, &Ledger::of(&view), &invoice, &mut out)
            .unwrap();
        out[0]
    }
}

fn rows(source: &str, rest: &str) -> String {
    format!("source = \"{source}\"\nwindow = \"lifetime\"\n{rest}")
}

#[track_caller]
fn equal(value: f64, expected: f64) {
    let same = value == expected || (value.is_nan() && expected.is_nan());
    assert!(
        same || (value - expected).abs() < 1e-12,
        "{value} is not {expected}"
    );
}

#[test]
fn payment_history_is_counted_by_what_is_known() {
    let world = World::new();
    let now = |feature: &str| world.value(&rows("dues", feature), "2026-05-02");
    equal(now("op = \"count\""), 3.0);
    equal(now("op = \"mean\"\ncolumn = \"late\""), 2.0 / 3.0);
    equal(
        now("op = \"mean\"\ncolumn = \"late\"\nprior = 0.25\nstrength = 4"),
        3.0 / 7.0,
    );
    equal(now("op = \"streak\"\ncolumn = \"late\""), 1.0);
    equal(
        now("op = \"count\"\nwhere = { late = true, open = false }"),
        1.0,
    );
    let lags = |feature: &str| world.value(&rows("settlements", feature), "2026-05-02");
    equal(lags("op = \"mean\"\ncolumn = \"lag_days\""), 4.5);
    equal(lags("op = \"last\"\ncolumn = \"lag_days\""), -1.0);
    equal(lags("op = \"max\"\ncolumn = \"lag_days\""), 10.0);
    equal(
        lags("op = \"quantile\"\nq = 0.25\ncolumn = \"lag_days\""),
        1.75,
    );
    let payments = "source = \"events\"\ntypes = \"payment_succeeded\"\nwindow = \"61d\"\n";
    let since = |op: &str, at: &str| world.value(&format!("{payments}op = \"{op}\""), at);
    equal(since("days_since", "2026-05-02T12:00:00Z"), 61.0);
    equal(since("count", "2026-05-02T12:00:00Z"), 1.0);
    equal(since("count", "2026-05-02T12:00:00.000001Z"), 0.0);
    equal(since("days_since", "2026-05-02T12:00:00.000001Z"), f64::NAN);
}

#[test]
fn an_invoice_falls_late_when_its_due_date_ends_where_the_customer_is() {
    let world = World::new();
    let dues = rows("dues", "op = \"count\"\nscope = \"this_invoice\"");
    // Midnight in Stockholm, in summer, is 22 o'clock in UTC; at that instant nothing is before it.
    equal(world.value(&dues, "2026-05-31T22:00:00Z"), 0.0);
    equal(world.value(&dues, "2026-05-31T22:00:00.000001Z"), 1.0);
    let past_due = "source = \"invoice\"\nattribute = \"days_past_due\"";
    equal(world.value(past_due, "2026-05-31T21:59:59Z"), 0.0);
    equal(world.value(past_due, "2026-05-31T22:00:00Z"), 1.0);
    equal(world.value(past_due, "2026-05-02"), -29.0);
}

#[test]
fn what_is_learnt_late_counts_from_then_on_and_at_its_own_time() {
    let mut world = World::new();
    let paid = (EventType::PaymentSucceeded, "c", "2026-03-20", "2026-05-10");
    world.tell(paid.0, paid.1, paid.2, paid.3, |_| {});
    let late = rows("dues", "op = \"sum\"\ncolumn = \"late\"");
    equal(world.value(&late, "2026-05-10"), 2.0);
    equal(world.value(&late, "2026-05-11"), 1.0);
    let last = rows("settlements", "op = \"last\"\ncolumn = \"lag_days\"");
    equal(world.value(&last, "2026-05-10"), -1.0);
    equal(world.value(&last, "2026-05-11"), -11.0);
}

#[test]
fn events_are_counted_by_window_scope_and_filter() {
    let mut world = World::new();
    for (invoice, at, channel, tone) in [
        ("c", "2026-04-02", Channel::Email, Tone::Friendly),
        ("d", "2026-05-25", Channel::Email, Tone::Friendly),
        ("d", "2026-06-04", Channel::Sms, Tone::Firm),
    ] {
        world.tell(EventType::ContactSent, invoice, at, at, |event| {
            (event.channel, event.tone) = (Some(channel), Some(tone));
        });
    }
    let click = (EventType::LinkClicked, "d", "2026-05-26");
    world.tell(click.0, click.1, click.2, click.2, |_| {});
    let count = |window: &str, rest: &str| {
        let types = "source = \"events\"\ntypes = [\"contact_sent\"]";
        let feature = format!("{types}\nwindow = \"{window}\"\n{rest}");
        world.value(&feature, "2026-06-10")
    };
    equal(count("lifetime", "op = \"count\""), 3.0);
    equal(count("30d", "op = \"count\""), 2.0);
    equal(count("since_due", "op = \"count\""), 1.0);
    equal(count("since_issue", "op = \"count\""), 2.0);
    equal(
        count("last 1", "op = \"rate\"\nof = { tone = \"firm\" }"),
        1.0,
    );
    equal(
        count("last 2", "op = \"rate\"\nof = { tone = \"firm\" }"),
        0.5,
    );
    equal(
        count(
            "lifetime",
            "op = \"count\"\nwhere = { channel = \"email\" }",
        ),
        2.0,
    );
    equal(
        count("lifetime", "op = \"count\"\nscope = \"this_invoice\""),
        2.0,
    );
    equal(
        count("lifetime", "op = \"distinct\"\ncolumn = \"channel\""),
        2.0,
    );
    equal(count("lifetime", "op = \"days_since_first\""), 69.0);
    equal(
        count(
            "lifetime",
            "op = \"decayed\"\nhalf_life = \"6d\"\nscope = \"this_invoice\"",
        ),
        0.5 + (-16.0_f64 / 6.0).exp2(),
    );
    // One contact led to a click, one did not, and of the last it is not known yet.
    let led = rows("contacts", "op = \"mean\"\ncolumn = \"led_to_click\"");
    equal(world.value(&led, "2026-06-10"), 0.5);
    equal(world.value(&led, "2026-06-12"), 1.0 / 3.0);
}

/// Hours are those of clocks in Stockholm, an hour ahead of UTC in winter and two in summer.
#[test]
fn rows_of_the_hour_are_counted_around_the_clock_where_the_customer_is() {
    let mut world = World::new();
    for at in [
        "2026-02-10T07:30:00Z", // 8:30
        "2026-05-10T06:30:00Z", // 8:30, summer time
        "2026-05-11T21:30:00Z", // 23:30
        "2026-05-12T22:15:00Z", // 0:15
        "2026-05-13T13:00:00Z", // 15:00
    ] {
        world.tell(EventType::ContactSent, "d", at, at, |_| {});
    }
    let within = |hours: u32, at: &str| {
        let types = "source = \"events\"\ntypes = [\"contact_sent\"]\nwindow = \"lifetime\"";
        let filter = format!("where = {{ within_hours = {hours} }}");
        world.value(&format!("{types}\n{filter}\nop = \"count\""), at)
    };
    equal(within(1, "2026-06-10T07:00:00Z"), 2.0); // 9:00
    equal(within(1, "2026-06-10T22:00:00Z"), 2.0); // midnight
    equal(within(1, "2026-06-10T16:00:00Z"), 0.0); // 18:00
    equal(within(3, "2026-06-10T16:00:00Z"), 1.0);
    equal(within(9, "2026-06-10T22:00:00Z"), 5.0);
    equal(within(8, "2026-06-10T22:00:00Z"), 2.0);
    // Of the messages of a day, the share at this hour.
    let rate = rows("contacts", "op = \"rate\"\nof = { within_hours = 1 }");
    equal(world.value(&rate, "2026-06-10T07:00:00Z"), 0.4);
}

#[test]
fn unknown_is_not_zero_unless_declared() {
    let world = World::new();
    let open = rows("invoices", "op = \"mean\"\ncolumn = \"days_to_open\"");
    equal(world.value(&open, "2026-05-02"), f64::NAN);
    equal(
        world.value(&format!("{open}\nmissing = -1"), "2026-05-02"),
        -1.0,
    );
    let business = "source = \"customer\"\nattribute = \"business\"";
    equal(world.value(business, "2026-05-02"), f64::NAN);
    let segment = "source = \"customer\"\nattribute = \"segment\"\nlevels = [\"a\"]";
    equal(world.value(segment, "2026-05-02"), f64::NAN);
    let amount = "source = \"invoice\"\nattribute = \"invoice_amount\"";
    equal(
        world.value(&format!("{amount}\nclip = [0, 2000]"), "2026-05-02"),
        2_000.0,
    );
    equal(
        world.value(&format!("{amount}\ntransform = \"log1p\""), "2026-05-02"),
        3_001.0_f64.ln(),
    );
    for (edges, first_bin) in [("[3000]", 0.0), ("[2999.5, 9e9]", 0.0), ("[3000.5]", 1.0)] {
        let bins = format!("{amount}\ntransform = \"bins\"\nedges = {edges}");
        equal(world.value(&bins, "2026-05-02"), first_bin);
    }
    let bins = format!("{business}\ntransform = \"bins\"\nedges = [0.5]");
    equal(world.value(&bins, "2026-05-02"), f64::NAN);
    // Saturday the 2nd of May: Monday is 0.
    let weekday =
        "source = \"calendar\"\nattribute = \"weekday\"\ntransform = \"cyclic\"\nperiod = 7.0";
    let angle = std::f64::consts::TAU * 5.0 / 7.0;
    equal(world.value(weekday, "2026-05-02"), angle.sin());
}

#[test]
fn an_invoice_that_is_not_known_is_refused_by_name() {
    let world = World::new();
    let view = world.history.as_of(t("2026-05-01"));
    let extractor = Extractor::new(&FeatureSpec::built_in());
    let invoice = InvoiceId::new("d").unwrap();
    let mut out = vec![1.0];
    let refused = extractor.extract(&view, &Ledger::of(&view), &invoice, &mut out);
    let message = refused.unwrap_err().to_string();
    assert!(
        message.contains("`d`") && message.contains("2026-05-01T00:00:00Z"),
        "{message}"
    );
    assert!(out.is_empty());
}
