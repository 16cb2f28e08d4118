//! Made-up customers: their numbers of events are what matters, not what they do.

use crate::cli::answer::Failure;
use lagom_features::Recorded;
use lagom_features::domain::{
    Channel, Currency, Customer, CustomerId, Event, EventId, EventType, Invoice, InvoiceId, Money,
    TenantId, Timestamp, Zone,
};
use lagom_training::tables::TableWriter;
use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::Path;

/// File of decision points in a world's folder.
pub(super) const POINTS: &str = "points.csv";
const INVOICES: u32 = 5;
const DAYS_AN_INVOICE: u64 = 120;
const MINUTES_A_DAY: u64 = 24 * 60;
const SPAN: u64 = INVOICES as u64 * DAYS_AN_INVOICE * MINUTES_A_DAY;
const TYPES: [EventType; 6] = [
    EventType::PaymentSucceeded,
    EventType::PaymentFailed,
    EventType::InvoiceOpened,
    EventType::InvoiceViewed,
    EventType::LinkClicked,
    EventType::ContactSent,
];

/// How much of everything.
#[derive(Debug, Clone, Copy)]
pub(super) struct World {
    pub(super) customers: u32,
    pub(super) events: u32,
    pub(super) points: u32,
    /// Events of one customer more.
    pub(super) giant_events: u32,
}

impl World {
    pub(super) fn total_events(&self) -> u64 {
        u64::from(self.customers) * u64::from(self.events) + u64::from(self.giant_events)
    }

    pub(super) fn total_points(&self) -> u64 {
        (u64::from(self.customers) + 1) * u64::from(self.points)
    }

    /// Writes canonical tables and [`POINTS`], events in the order of customers, to `dir`.
    pub(super) fn write(&self, dir: &Path) -> Result<(), Failure> {
        let mut customers = TableWriter::create(&dir.join("customers.parquet"))?;
        let mut invoices = TableWriter::create(&dir.join("invoices.parquet"))?;
        let mut events = TableWriter::create(&dir.join("events.parquet"))?;
        let mut points = BufWriter::new(File::create(dir.join(POINTS))?);
        writeln!(points, "customer_id,invoice_id,at")?;
        for number in 0..=self.customers {
            let giant = number == self.customers;
            let count = if giant {
                self.giant_events
            } else {
                self.events
            };
            let someone = Someone::new(number, count)?;
            customers.push(&someone.customer)?;
            someone
                .invoices
                .iter()
                .try_for_each(|one| invoices.push(one))?;
            someone.events.iter().try_for_each(|one| events.push(one))?;
            // The first invoice is known at all of them, and no two are the same.
            let stride = SPAN / 2 / u64::from(self.points);
            let mut chance = Chance(u64::from(number) << 32 | 1);
            for point in 0..u64::from(self.points) {
                let minutes = SPAN / 2 + point * stride + chance.below(stride);
                let (customer, at) = (&someone.customer.value.customer_id, instant(minutes)?);
                let invoice = &someone.invoices[0].value.invoice_id;
                writeln!(points, "{},{},{at}", customer.as_str(), invoice.as_str())?;
            }
        }
        points.flush()?;
        customers.finish()?.publish()?;
        invoices.finish()?.publish()?;
        events.finish()?.publish()?;
        Ok(())
    }
}

/// One customer's records.
pub(super) struct Someone {
    pub(super) customer: Recorded<Customer>,
    pub(super) invoices: Vec<Recorded<Invoice>>,
    pub(super) events: Vec<Event>,
}

impl Someone {
    /// The customer of this number, with `count` events: one in twelve is learnt up to three days
    /// late and one in fifty up to two hundred, and many share their minute with another.
    pub(super) fn new(number: u32, count: u32) -> Result<Self, Failure> {
        let customer_id = CustomerId::new(format!("customer-{number}"))?;
        let mut customer = Customer::unknown(TenantId::default(), customer_id.clone(), instant(0)?);
        customer.time_zone = Some(Zone::parse("Europe/Stockholm")?);
        let invoices: Vec<_> = (0..INVOICES)
            .map(|place| {
                let issued_at = instant(u64::from(place) * DAYS_AN_INVOICE * MINUTES_A_DAY)?;
                Ok(Recorded::at_issue(Invoice {
                    invoice_id: InvoiceId::new(format!("invoice-{number}-{place}"))?,
                    customer_id: customer_id.clone(),
                    issued_at,
                    due_on: issued_at.date(&Zone::utc()).plus_days(30),
                    amount: Money::new(49_900, Currency::SEK),
                    terms_days: Some(30),
                    payment_method: None,
                    billing_channel: None,
                    product: None,
                }))
            })
            .collect::<Result<_, Failure>>()?;
        let mut chance = Chance(u64::from(number) << 32);
        let events = (0..count)
            .map(|place| {
                let kind = TYPES[chance.below(TYPES.len() as u64) as usize];
                let minutes = 1 + chance.below(SPAN - 1);
                let late = match chance.below(100) {
                    0..8 => chance.below(3 * MINUTES_A_DAY),
                    8..10 => chance.below(200 * MINUTES_A_DAY),
                    _ => 0,
                };
                let id = EventId::new(format!("{number}-{place}"))?;
                let (occurred_at, recorded_at) = (instant(minutes)?, instant(minutes + late)?);
                let mut event = Event::new(id, kind, customer_id.clone(), occurred_at, recorded_at);
                let invoice = &invoices[(minutes * u64::from(INVOICES) / SPAN) as usize];
                event.invoice_id = Some(invoice.value.invoice_id.clone());
                match kind {
                    EventType::PaymentSucceeded => {
                        let minor = 1 + chance.below(20_000) as i64;
                        event.amount = Some(Money::new(minor, Currency::SEK));
                    }
                    EventType::InvoiceViewed if chance.below(5) > 0 => {
                        event.dwell_ms = Some(chance.below(60_000) as u32);
                    }
                    EventType::ContactSent => {
                        let sms = chance.below(3) == 0;
                        event.channel = Some(if sms { Channel::Sms } else { Channel::Email });
                    }
                    _ => {}
                }
                Ok(event)
            })
            .collect::<Result<_, Failure>>()?;
        Ok(Self {
            customer: Recorded::at_creation(customer),
            invoices,
            events,
        })
    }
}

fn instant(minutes: u64) -> Result<Timestamp, Failure> {
    let start = Timestamp::parse("2024-01-01T00:00:00Z")?;
    let micros = start.micros() + minutes as i64 * 60_000_000;
    Ok(Timestamp::from_micros(micros)?)
}

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
}
