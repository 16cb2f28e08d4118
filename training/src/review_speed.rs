//! A year of a company as canonical tables, to time reviews on: what `lagom bench review` runs.
//!
//! Every customer is in an experiment from the first month on, gets an invoice and a decision about
//! it a month, pays sooner or later, and is contacted by half of the decisions. The records of each
//! table stand in the order of time, as a log has them, so that payments do not follow each other
//! as their invoices did.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::collections::binary_heap::PeekMut;
use std::fmt::Display;
use std::path::Path;

use lagom_features::Recorded;
use lagom_features::domain::{
    Action, Channel, Currency, Customer, CustomerId, DecisionId, Event, EventId, EventType,
    Invoice, InvoiceId, Money, RequestId, TenantId, Timestamp, Zone,
};
use lagom_model::log::{Choice, Decision, Outcome};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use serde::Serialize;

use crate::tables::{Record, TableError, TableWriter};

/// The experiment that everybody is in.
pub const EXPERIMENT: &str = "year";
/// Invoices of a customer.
pub const MONTHS: u32 = 12;

/// Days of a month on which invoices are issued.
const BILLING_DAYS: u32 = 28;

const DAY: i64 = 86_400_000_000;
/// 2025-01-01.
const START: i64 = 1_735_689_600_000_000;
const SEGMENTS: [&str; 3] = ["new", "loyal", "business"];

/// How many records were written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Written {
    /// Customers.
    pub customers: u64,
    /// Invoices.
    pub invoices: u64,
    /// Decisions, and as many outcomes.
    pub decisions: u64,
    /// Events.
    pub events: u64,
}

/// Why the year could not be written.
#[derive(Debug, thiserror::Error)]
pub enum YearError {
    /// A table.
    #[error(transparent)]
    Table(#[from] TableError),
    /// An id, an action or an instant.
    #[error("{0}")]
    Value(String),
}

struct Writers {
    invoices: TableWriter<Recorded<Invoice>>,
    decisions: TableWriter<Decision>,
    outcomes: TableWriter<Outcome>,
    events: TableWriter<Event>,
    /// Events that come later than what is written now, the next one first.
    coming: BinaryHeap<Reverse<Coming>>,
}

#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Coming {
    at: Timestamp,
    /// Number of the event, from 1.
    number: u64,
    kind: EventType,
    month: u32,
    customer: u32,
    minor: Option<i64>,
}

impl Writers {
    /// Writes the events that come before `until`.
    fn events(&mut self, until: Timestamp) -> Result<(), YearError> {
        while let Some(Reverse(one)) = self
            .coming
            .peek_mut()
            .filter(|one| one.0.at < until)
            .map(PeekMut::pop)
        {
            let id = value(EventId::new(format!("ev-{}", one.number)))?;
            self.events.push(&Event {
                invoice_id: Some(invoice_id(one.month, one.customer)?),
                channel: (one.kind == EventType::ContactSent).then_some(Channel::Sms),
                amount: one.minor.map(|minor| Money::new(minor, Currency::SEK)),
                ..Event::new(id, one.kind, customer(one.customer)?, one.at, one.at)
            })?;
        }
        Ok(())
    }
}

/// Writes the year of so many customers into `dir`. The same seed gives the same records.
///
/// # Errors
/// [`YearError`] where the disk refuses.
pub fn write(dir: &Path, customers: u32, seed: u64) -> Result<Written, YearError> {
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    let mut written = Written::default();
    let mut people: TableWriter<Recorded<Customer>> = table(dir)?;
    for n in 0..customers {
        people.push(&Recorded::at_creation(Customer {
            segment: Some(SEGMENTS[(n % 3) as usize].to_owned()),
            annual_margin_minor: Some(120_000),
            currency: Some(Currency::SEK),
            ..Customer::unknown(TenantId::default(), customer(n)?, at(-30 * DAY)?)
        }))?;
        written.customers += 1;
    }
    people.finish()?.publish()?;
    let mut writers = Writers {
        invoices: table(dir)?,
        decisions: table(dir)?,
        outcomes: table(dir)?,
        events: table(dir)?,
        coming: BinaryHeap::new(),
    };
    let form = form()?;
    for (month, day) in (0..MONTHS).flat_map(|month| (0..BILLING_DAYS).map(move |day| (month, day)))
    {
        for n in (day..customers).step_by(BILLING_DAYS as usize) {
            invoice(&mut writers, &mut random, &form, (month, n), &mut written)?;
        }
    }
    writers.events(Timestamp::MAX)?;
    writers.invoices.finish()?.publish()?;
    writers.decisions.finish()?.publish()?;
    writers.outcomes.finish()?.publish()?;
    writers.events.finish()?.publish()?;
    Ok(written)
}

fn table<T: Record>(dir: &Path) -> Result<TableWriter<T>, TableError> {
    TableWriter::create(&dir.join(format!("{}.parquet", T::TABLE)))
}

fn value<T>(made: Result<T, impl Display>) -> Result<T, YearError> {
    made.map_err(|error| YearError::Value(error.to_string()))
}

fn customer(n: u32) -> Result<CustomerId, YearError> {
    value(CustomerId::new(format!("cust-{n:07}")))
}

fn invoice_id(month: u32, n: u32) -> Result<InvoiceId, YearError> {
    value(InvoiceId::new(format!("inv-{month:02}-{n:07}")))
}

fn at(micros: i64) -> Result<Timestamp, YearError> {
    value(Timestamp::from_micros(START + micros))
}

/// One customer's month.
fn invoice(
    writers: &mut Writers,
    random: &mut ChaCha8Rng,
    form: &Form,
    (month, n): (u32, u32),
    written: &mut Written,
) -> Result<(), YearError> {
    let issued =
        i64::from(month) * 30 * DAY + i64::from(n % BILLING_DAYS) * DAY + i64::from(n) * 1_000;
    let (issued, decided) = (at(issued)?, at(issued + 20 * DAY)?);
    let customer_id = customer(n)?;
    let invoice_id = invoice_id(month, n)?;
    let amount = Money::new(random.random_range(5_000..200_000), Currency::SEK);
    writers.invoices.push(&Recorded::at_issue(Invoice {
        invoice_id: invoice_id.clone(),
        customer_id: customer_id.clone(),
        issued_at: issued,
        due_on: decided.date(&Zone::utc()),
        amount,
        terms_days: Some(20),
        payment_method: None,
        billing_channel: None,
        product: None,
    }))?;
    let treated = n % 2 == 1;
    let contact = random.random::<f64>() < if treated { 0.4 } else { 0.6 };
    let decision = form.decision(
        (month, n),
        treated,
        contact,
        decided,
        &customer_id,
        &invoice_id,
    )?;
    writers.decisions.push(&decision)?;
    let late: f64 = random.random_range(0.0..1.0);
    let days = if late < 0.9 { late * 25.0 } else { 200.0 };
    let paid = days < 30.0;
    #[expect(clippy::cast_possible_truncation, reason = "days of a year")]
    let paid_at = at(decided.micros() - START + (days * DAY as f64) as i64)?;
    let matured_at = at(decided.micros() - START + 30 * DAY)?;
    let decision_id = decision.decision_id.clone();
    writers.outcomes.push(&Outcome {
        collected_minor: if paid { amount.minor_units } else { 0 },
        days_to_payment: paid.then_some(days),
        paid,
        cost_minor: i64::from(contact) * 50,
        value_minor: amount.minor_units as f64,
        ..Outcome::quiet(decision_id, matured_at, amount.minor_units)
    })?;
    let mut tell = |kind, at, minor| {
        written.events += 1;
        writers.coming.push(Reverse(Coming {
            at,
            number: written.events,
            kind,
            month,
            customer: n,
            minor,
        }));
    };
    if contact {
        tell(EventType::ContactSent, decided, None);
    }
    if paid {
        tell(
            EventType::PaymentSucceeded,
            paid_at,
            Some(amount.minor_units),
        );
    }
    if random.random::<f64>() < 0.01 {
        tell(EventType::ComplaintMade, decided, None);
    }
    if random.random::<f64>() < 0.05 {
        tell(EventType::SupportContacted, decided, None);
    }
    // Nothing of a later invoice comes before this decision.
    writers.events(decided)?;
    written.invoices += 1;
    written.decisions += 1;
    Ok(())
}

/// What all decisions share.
struct Form {
    send: Action,
    eligible: Vec<Choice>,
}

fn form() -> Result<Form, YearError> {
    let action = |text: &str| value(text.parse::<Action>());
    let (send, other) = (
        action("reminder.sms.friendly.d1-evening.name")?,
        action("reminder.email.neutral.d1-evening.name")?,
    );
    let choice = |action: &Action, probability| Choice {
        action: action.id(),
        probability,
    };
    Ok(Form {
        eligible: vec![
            choice(&Action::WAIT, 0.4),
            choice(&send, 0.4),
            choice(&other, 0.2),
        ],
        send,
    })
}

impl Form {
    fn decision(
        &self,
        (month, n): (u32, u32),
        treated: bool,
        contact: bool,
        decided_at: Timestamp,
        customer_id: &CustomerId,
        invoice_id: &InvoiceId,
    ) -> Result<Decision, YearError> {
        let id = format!("0197a1b2-{month:04x}-7{:03x}-8000-{n:012x}", n % 4_096);
        let arm = if treated { "bandit" } else { "ladder" };
        Ok(Decision {
            tenant: TenantId::default(),
            decision_id: value(DecisionId::new(&id))?,
            request_id: value(RequestId::new(&id))?,
            decided_at,
            customer_id: customer_id.clone(),
            invoice_id: invoice_id.clone(),
            action: if contact {
                self.send.clone()
            } else {
                Action::WAIT
            },
            send_at: None,
            send_until: None,
            next_evaluation_at: at(decided_at.micros() - START + DAY)?,
            fee_minor: 0,
            price_minor: None,
            shadow_price_minor: None,
            probability: 0.4,
            eligible: self.eligible.clone(),
            blocked: Vec::new(),
            features: Vec::new(),
            feature_fingerprint: "f".to_owned(),
            model_id: None,
            policy: arm.to_owned(),
            policy_generation: u64::from(month),
            objective_id: "o".to_owned(),
            strategy_id: "s".to_owned(),
            guardrail_pack: "SE@1".to_owned(),
            draw: 0.5,
            experiment: Some(EXPERIMENT.to_owned()),
            arm: Some(arm.to_owned()),
            payment_propensity: None,
            churn_risk: None,
            expected_value: None,
            fallback: None,
            reason: "made up to be timed".to_owned(),
        })
    }
}
