//! Random records of customers, as tables of SQL and as the extractor has them: late arrivals, duplicates,
//! ties and corrections are frequent.

use lagom_features::domain::{
    Channel, Currency, Customer, CustomerId, CustomerKind, Days, Event, EventId, EventType,
    Invoice, InvoiceId, Money, TenantId, Timestamp, Tone, Zone,
};
use lagom_features::sql::Calendar;
use lagom_features::{Extractor, FeatureSpec, History, Ledger, Recorded};
use std::fmt::Write;

/// SplitMix64 (Steele, Lea and Flood, 2014, doi:10.1145/2714064.2660195).
struct Chance(u64);

impl Chance {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        (z ^ (z >> 31)) % bound
    }

    fn of<T: Copy>(&mut self, list: &[T]) -> T {
        list[self.below(list.len() as u64) as usize]
    }

    fn maybe<T: Copy>(&mut self, list: &[T]) -> Option<T> {
        (self.below(4) > 0).then(|| self.of(list))
    }

    /// Around a change to and from daylight saving; on few instants, so that many are tied.
    fn instant(&mut self) -> Timestamp {
        let from = Timestamp::parse("2025-10-10").unwrap();
        let odd = self.of(&[0, 0, 1, 1_234_567, 59_999_999]);
        let at = from + Days::hours(6 * self.below(4 * 200) as i64);
        Timestamp::from_micros(at.micros() + odd).unwrap()
    }

    fn delay(&mut self) -> Days {
        match self.below(8) {
            0 => Days::hours(self.below(72) as i64),
            1 => Days::whole(self.below(90) as i64),
            _ => Days::hours(0),
        }
    }
}

/// Records in the order in which they arrived.
#[derive(Default)]
pub(super) struct World {
    customers: Vec<Recorded<Customer>>,
    invoices: Vec<Recorded<Invoice>>,
    events: Vec<Event>,
    pub(super) points: Vec<(CustomerId, InvoiceId, Timestamp)>,
}

pub(super) fn world(seed: u64, customers: u64) -> World {
    let mut chance = Chance(seed);
    let mut world = World::default();
    let zones = [
        "Europe/Stockholm",
        "America/New_York",
        "America/Sao_Paulo",
        "Asia/Kathmandu",
    ];
    for number in 0..customers {
        let id = CustomerId::new(format!("c{number}")).unwrap();
        for _ in 0..chance.below(4) {
            let at = chance.instant();
            let mut value = Customer::unknown(TenantId::default(), id.clone(), at);
            value.time_zone = chance.maybe(&zones).map(|name| Zone::parse(name).unwrap());
            value.kind = chance.maybe(CustomerKind::ALL);
            value.autopay = chance.maybe(&[true, false]);
            value.annual_margin_minor = chance.maybe(&[-5_000, 12_345]);
            value.segment = chance.maybe(&["it's", "b", "other\t\\"]).map(str::to_owned);
            value.language = chance.maybe(&["sv", "en"]).map(str::to_owned);
            let recorded_at = at + chance.delay();
            world.customers.push(Recorded { recorded_at, value });
        }
        for _ in 0..1 + chance.below(7) {
            let at = chance.instant();
            let terms = 1 + chance.below(40) as i32;
            let currency =
                chance.of(&[Currency::SEK, Currency::SEK, Currency::new("EUR").unwrap()]);
            let value = Invoice {
                invoice_id: InvoiceId::new(format!("i{number}-{}", chance.below(5))).unwrap(),
                customer_id: id.clone(),
                issued_at: at,
                due_on: at.date(&Zone::utc()).plus_days(terms),
                amount: Money::new(100 + chance.below(2_000) as i64, currency),
                terms_days: chance.maybe(&[10, 30]),
                payment_method: chance.maybe(&["card", "direct_debit"]).map(Box::from),
                billing_channel: chance.maybe(&["paper", "email"]).map(Box::from),
                product: None,
            };
            let recorded_at = at + chance.delay();
            world.invoices.push(Recorded { recorded_at, value });
        }
        for _ in 0..chance.below(70) {
            let (at, kind) = (chance.instant(), chance.of(EventType::ALL));
            let kind = match chance.below(3) {
                0 => kind,
                1 => chance.of(&[EventType::PaymentSucceeded, EventType::ContactSent]),
                _ => chance.of(&[
                    EventType::InvoiceOpened,
                    EventType::InvoiceViewed,
                    EventType::PaymentFailed,
                ]),
            };
            // Few ids, so that some come twice, with other contents.
            let event_id = EventId::new(format!("e{number}-{}", chance.below(90))).unwrap();
            let mut event = Event::new(event_id, kind, id.clone(), at, at + chance.delay());
            // An invoice that is never recorded is among them.
            let invoice = chance.maybe(&[0, 1, 2, 3, 4, 9]);
            if chance.below(8) == 0 {
                // Announced before it happens.
                event.recorded_at = at - Days::whole(3);
            }
            event.invoice_id = invoice.map(|i| InvoiceId::new(format!("i{number}-{i}")).unwrap());
            event.channel = chance.maybe(Channel::ALL);
            event.tone = chance.maybe(Tone::ALL);
            event.device = chance.maybe(&["mobile", "desktop"]).map(str::to_owned);
            event.method = chance.maybe(&["card", "swish"]).map(str::to_owned);
            let minor = 1 + chance.below(1_500) as i64;
            event.amount = chance
                .maybe(&[Currency::SEK, Currency::new("EUR").unwrap()])
                .map(|c| Money::new(minor, c));
            event.dwell_ms = chance.maybe(&[0, 1, 333, 1_001, 77_777]);
            let ahead = Days::whole(chance.below(30) as i64);
            event.until = chance.maybe(&[at + ahead, at]);
            world.events.push(event);
        }
        // A message and a click at one instant: the id says whether the click came after it.
        let (at, tied) = (chance.instant(), chance.of(&[["a", "b"], ["b", "a"]]));
        for (kind, tie) in [EventType::ContactSent, EventType::LinkClicked]
            .into_iter()
            .zip(tied)
        {
            let event_id = EventId::new(format!("t{number}-{tie}")).unwrap();
            world
                .events
                .push(Event::new(event_id, kind, id.clone(), at, at));
        }
        let times = world.events.iter().filter(|event| event.customer_id == id);
        let times: Vec<_> = times
            .flat_map(|one| [one.occurred_at, one.recorded_at])
            .collect();
        for _ in 0..12 {
            let invoice = InvoiceId::new(format!("i{number}-{}", chance.below(5))).unwrap();
            // Often at the very instant of an event, or of the end of its window.
            let at = match chance.below(3) {
                0 if !times.is_empty() => chance.of(&times),
                1 if !times.is_empty() => chance.of(&times) + Days::whole(chance.of(&[7, 30, 90])),
                _ => chance.instant(),
            };
            world.points.push((id.clone(), invoice, at));
        }
    }
    world
}

impl World {
    pub(super) fn calendar(&self) -> Calendar {
        let zones = self
            .customers
            .iter()
            .filter_map(|one| one.value.time_zone.clone());
        Calendar {
            zones: zones.collect(),
            from: Timestamp::parse("2025-09-01").unwrap(),
            to: Timestamp::parse("2026-12-01").unwrap(),
        }
    }

    /// Tables as SQL, which both engines read; every text is quoted.
    pub(super) fn load(&self, text: &str) -> String {
        self.load_quoted(text, |word| format!("'{}'", word.replace('\'', "''")))
    }

    pub(super) fn load_quoted(&self, text: &str, quoted: fn(&str) -> String) -> String {
        let word = |word: Option<&str>| word.map_or("NULL".to_owned(), quoted);
        let number = |number: Option<i64>| number.map_or("NULL".to_owned(), |n| n.to_string());
        let mut sql = format!(
            "CREATE TABLE lagom_customers (customer_id {text}, created_at BIGINT, kind {text}, \
             country {text}, time_zone {text}, language {text}, segment {text}, autopay BIGINT, \
             annual_margin_minor BIGINT, recorded_at BIGINT, seq BIGINT);\n\
             CREATE TABLE lagom_invoices (invoice_id {text}, customer_id {text}, issued_at BIGINT, \
             due_on BIGINT, amount_minor BIGINT, currency {text}, terms_days BIGINT, \
             payment_method {text}, billing_channel {text}, product {text}, recorded_at BIGINT, \
             seq BIGINT);\n\
             CREATE TABLE lagom_events (event_id {text}, customer_id {text}, invoice_id {text}, \
             occurred_at BIGINT, recorded_at BIGINT, type {text}, channel {text}, tone {text}, \
             amount_minor BIGINT, currency {text}, method {text}, device {text}, dwell_ms BIGINT, \
             until BIGINT, seq BIGINT);\n\
             CREATE TABLE lagom_points (point_id BIGINT, customer_id {text}, invoice_id {text}, \
             asked_at BIGINT);\n"
        );
        let mut insert = |table: &str, rows: Vec<String>| {
            writeln!(sql, "INSERT INTO {table} VALUES\n{};", rows.join(",\n")).unwrap();
        };
        let customers = self.customers.iter().enumerate().map(|(seq, one)| {
            let c = &one.value;
            format!(
                "({}, {}, {}, NULL, {}, {}, {}, {}, {}, {}, {seq})",
                word(Some(c.customer_id.as_str())),
                c.created_at.micros(),
                word(c.kind.map(CustomerKind::name)),
                word(c.time_zone.as_ref().map(Zone::name)),
                word(c.language.as_deref()),
                word(c.segment.as_deref()),
                number(c.autopay.map(i64::from)),
                number(c.annual_margin_minor),
                one.recorded_at.micros(),
            )
        });
        insert("lagom_customers", customers.collect());
        let invoices = self.invoices.iter().enumerate().map(|(seq, one)| {
            let i = &one.value;
            format!(
                "({}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {seq})",
                word(Some(i.invoice_id.as_str())),
                word(Some(i.customer_id.as_str())),
                i.issued_at.micros(),
                i.due_on.days(),
                i.amount.minor_units,
                word(Some(i.amount.currency.as_str())),
                number(i.terms_days.map(i64::from)),
                word(i.payment_method.as_deref()),
                word(i.billing_channel.as_deref()),
                word(i.product.as_deref()),
                one.recorded_at.micros(),
            )
        });
        insert("lagom_invoices", invoices.collect());
        let events = self.events.iter().enumerate().map(|(seq, e)| {
            format!(
                "({}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {seq})",
                word(Some(e.event_id.as_str())),
                word(Some(e.customer_id.as_str())),
                word(e.invoice_id.as_ref().map(InvoiceId::as_str)),
                e.occurred_at.micros(),
                e.recorded_at.micros(),
                word(Some(e.kind.name())),
                word(e.channel.map(Channel::name)),
                word(e.tone.map(Tone::name)),
                number(e.amount.map(|money| money.minor_units)),
                word(e.amount.as_ref().map(|money| money.currency.as_str())),
                word(e.method.as_deref()),
                word(e.device.as_deref()),
                number(e.dwell_ms.map(i64::from)),
                number(e.until.map(Timestamp::micros)),
            )
        });
        insert("lagom_events", events.collect());
        let points = self
            .points
            .iter()
            .enumerate()
            .map(|(point, (customer, invoice, at))| {
                format!(
                    "({point}, '{}', '{}', {})",
                    customer.as_str(),
                    invoice.as_str(),
                    at.micros()
                )
            });
        insert("lagom_points", points.collect());
        sql
    }

    /// The extractor's vector at each point; none where the invoice was not known.
    pub(super) fn vectors(&self, spec: &FeatureSpec) -> Vec<Option<Vec<f64>>> {
        let extractor = Extractor::new(spec);
        let of = |id: &CustomerId| {
            let customers = self
                .customers
                .iter()
                .filter(|one| one.value.customer_id == *id);
            let invoices = self
                .invoices
                .iter()
                .filter(|one| one.value.customer_id == *id);
            let events = self.events.iter().filter(|one| one.customer_id == *id);
            let events: Vec<Event> = events.cloned().collect();
            History::from_records(
                customers.cloned().collect(),
                invoices.cloned().collect(),
                &events,
            )
        };
        let vector = |(customer, invoice, at): &(CustomerId, InvoiceId, Timestamp)| {
            let history = of(customer);
            let (view, mut out) = (history.as_of(*at), Vec::new());
            let made = extractor.extract(&view, &Ledger::of(&view), invoice, &mut out);
            made.ok().map(|()| out)
        };
        self.points.iter().map(vector).collect()
    }
}
