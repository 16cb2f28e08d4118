//! The days of a simulated world, one after the other.

mod issue;
mod prospect;
mod receive;
mod report;

pub use prospect::{Horizon, Outlook, Prospect};
pub use receive::Sent;

use super::bill::Bill;
use super::noise::{For, Noise};
use super::parameters::{Effects, World};
use super::person::Person;
use super::tally::Tally;
use lagom_features::domain::{
    Customer, CustomerId, Date, Event, EventId, EventType, Invoice, InvoiceId, Money, Timestamp,
};
use std::collections::{BTreeMap, HashMap};

/// Daily probability of paying what is disputed.
const DISPUTED_HAZARD: f64 = 0.010;
/// Share of a message's boost that moves somebody who disputes the bill.
const DISPUTED_LISTENS: f64 = 0.05;

/// What a company learns of one day.
#[derive(Debug, Clone, Default)]
pub struct Day {
    /// Issued in the morning.
    pub invoices: Vec<Invoice>,
    /// Happened during the day, in order.
    pub events: Vec<Event>,
}

/// A seeded world, lived day by day. It knows messages, never who chose them or why.
#[derive(Debug, Clone)]
pub struct Life {
    world: World,
    noise: Noise,
    people: Vec<Person>,
    bills: Vec<Bill>,
    by_invoice: HashMap<InvoiceId, (usize, usize)>,
    start: Date,
    today: Date,
    /// What happened and is not reported yet, by the day of the report.
    unreported: BTreeMap<Date, Vec<Event>>,
    judged: (Date, Date),
    serial: usize,
    tally: Tally,
}

impl Life {
    /// A world of `customers` people on the morning of `start`. Cash is judged on invoices that
    /// fall due from `judged.0` up to and including `judged.1`.
    #[must_use]
    pub fn begin(
        world: World,
        customers: usize,
        seed: u64,
        start: Date,
        judged: (Date, Date),
    ) -> Self {
        let noise = Noise::new(seed);
        let people = (0..customers)
            .map(|who| Person::born(&world, noise, who, start))
            .collect();
        Self {
            world,
            noise,
            people,
            bills: Vec::new(),
            by_invoice: HashMap::new(),
            start,
            today: start,
            unreported: BTreeMap::new(),
            judged,
            serial: 0,
            tally: Tally::default(),
        }
    }

    /// Every customer, as a company describes them.
    pub fn customers(&self) -> impl Iterator<Item = &Customer> {
        self.people.iter().map(|person| &person.customer)
    }

    /// The day that has not been lived yet.
    #[must_use]
    pub fn today(&self) -> Date {
        self.today
    }

    /// The sums so far.
    #[must_use]
    pub fn tally(&self) -> &Tally {
        &self.tally
    }

    /// The latent kind of a customer's payer, for tests of the world; never part of a record.
    #[must_use]
    pub fn payer_of(&self, customer_id: &CustomerId) -> Option<&str> {
        let person = self
            .people
            .iter()
            .find(|person| &person.customer.customer_id == customer_id)?;
        Some(&self.world.payer[person.payer].name)
    }

    /// Invoices that are neither paid nor issued today, with their due dates.
    pub fn unpaid(&self) -> impl Iterator<Item = (&CustomerId, &InvoiceId, Date)> {
        self.bills.iter().map(|bill| {
            let invoice = &bill.invoice;
            (&invoice.customer_id, &invoice.invoice_id, invoice.due_on)
        })
    }

    /// Lives through today and goes on to tomorrow.
    pub fn live_day(&mut self) -> Day {
        let mut day = Day::default();
        self.issue(&mut day);
        self.look_at_bills(&mut day);
        self.pay(&mut day);
        self.hand_over(&mut day);
        self.leave(&mut day);
        day.events.extend(self.reported_today());
        day.events
            .sort_by(|a, b| (a.occurred_at, &a.event_id).cmp(&(b.occurred_at, &b.event_id)));
        self.today = self.today.plus_days(1);
        day
    }

    fn event(
        &self,
        kind: EventType,
        who: usize,
        serial: Option<usize>,
        occurred_at: Timestamp,
    ) -> Event {
        let bill = serial.map_or_else(String::new, |serial| format!("-{serial}"));
        let id = format!("{kind}-{who}{bill}-{}", occurred_at.micros());
        Event::new(
            EventId::new(id).expect("numbers make a well-formed id"),
            kind,
            self.people[who].customer.customer_id.clone(),
            occurred_at,
            occurred_at,
        )
    }

    fn on_bill(&self, kind: EventType, bill: &Bill, hour: i8) -> Event {
        let at = self.today.at(hour, &self.world.time_zone);
        let mut event = self.event(kind, bill.who, Some(bill.serial), at);
        event.invoice_id = Some(bill.invoice.invoice_id.clone());
        event
    }

    /// How today differs for this person from the rest of the world.
    fn effects_on(&self, who: usize) -> Effects {
        let lived = self.today.days_since(self.start);
        let market = self.people[who].market;
        let own = market.map(|place| &self.world.market[place].effects);
        let changes = self.world.change.iter();
        let so_far = changes
            .filter(|change| lived >= i32::from(change.from_day))
            .map(|change| &change.effects);
        own.into_iter()
            .chain(so_far)
            .fold(Effects::default(), |both, one| both.and(one))
    }

    fn look_at_bills(&mut self, day: &mut Day) {
        let today = self.today;
        for bill in &self.bills {
            let kinds = [
                (bill.opens_on == Some(today), EventType::InvoiceOpened, 18),
                (
                    bill.opens_on == Some(today) && bill.clicks,
                    EventType::LinkClicked,
                    18,
                ),
                (
                    bill.disputed.is_some_and(|(from, _)| from == today),
                    EventType::DisputeOpened,
                    10,
                ),
                (
                    bill.disputed.is_some_and(|(_, until)| until == today),
                    EventType::DisputeResolved,
                    10,
                ),
            ];
            for (_, kind, hour) in kinds.into_iter().filter(|(happens, ..)| *happens) {
                day.events.push(self.on_bill(kind, bill, hour));
            }
            if bill.invoice.due_on.plus_days(1) == today {
                let judged = self.judged.0..=self.judged.1;
                self.tally.late_invoices += u64::from(judged.contains(&bill.invoice.due_on));
                self.people[bill.who].times_late += 1;
            }
        }
    }

    /// Daily probability that a late bill is paid on `day`.
    fn hazard(&self, bill: &Bill, day: Date) -> f64 {
        let person = &self.people[bill.who];
        let payer = &self.world.payer[person.payer];
        let mut natural = if day > bill.invoice.due_on { 1.0 } else { 0.0 };
        if person.has_just_been_paid(day) {
            natural *= payer.payday_factor;
        }
        let boost = person.boost(&self.world, bill.serial, day);
        if bill.is_disputed_on(day) {
            return DISPUTED_HAZARD * natural + self.hazard_gain(bill, day) * boost;
        }
        (payer.hazard * natural + self.hazard_gain(bill, day) * boost).min(1.0)
    }

    /// What one unit of boost adds to that probability.
    fn hazard_gain(&self, bill: &Bill, day: Date) -> f64 {
        if bill.is_disputed_on(day) {
            return DISPUTED_HAZARD * DISPUTED_LISTENS;
        }
        self.world.payer[self.people[bill.who].payer].hazard
    }

    fn pay(&mut self, day: &mut Day) {
        let (today, noise) = (self.today, self.noise);
        let mut bills = std::mem::take(&mut self.bills);
        for bill in &mut bills {
            let planned = bill.pays_on.or(bill.rest_on);
            let pays = match planned {
                Some(on) => on == today,
                None => noise.happens(self.hazard(bill, today), bill.who, today.days(), For::Pay),
            };
            if !pays {
                continue;
            }
            let split = bill.rest_on.is_none()
                && noise.happens(
                    self.world.invoices.partial_share,
                    bill.who,
                    today.days(),
                    For::Partial,
                );
            let part = if split {
                bill.unpaid_minor / 2
            } else {
                bill.unpaid_minor
            };
            bill.unpaid_minor -= part;
            bill.pays_on = None;
            bill.rest_on = split.then(|| today.plus_days(7));
            let mut event = self.on_bill(EventType::PaymentSucceeded, bill, 20);
            event.amount = Some(Money::new(part, self.world.currency));
            event.method = bill.invoice.payment_method.as_deref().map(str::to_owned);
            day.events.extend(self.report(event, bill.who));
            self.count_payment(bill, part);
        }
        bills.retain(|bill| bill.unpaid_minor > 0);
        self.bills = bills;
    }

    fn count_payment(&mut self, bill: &Bill, part: i64) {
        let due_on = bill.invoice.due_on;
        if due_on < self.judged.0 || due_on > self.judged.1 {
            return;
        }
        let after = self.today.days_since(due_on);
        if after <= 30 {
            self.tally.collected_30_minor += part;
        }
        if after <= 60 {
            self.tally.collected_60_minor += part;
        }
    }

    fn hand_over(&mut self, day: &mut Day) {
        let patience = i32::from(self.world.stir.collection_after_claim_days);
        let mut bills = std::mem::take(&mut self.bills);
        for bill in &mut bills {
            let due = bill.claimed_on.map(|on| on.plus_days(patience));
            if !bill.in_collection && due == Some(self.today) {
                bill.in_collection = true;
                self.tally.collection_cases += 1;
                day.events
                    .push(self.on_bill(EventType::CollectionOpened, bill, 9));
            }
        }
        self.bills = bills;
    }

    fn leave(&mut self, day: &mut Day) {
        let today = self.today;
        for who in 0..self.people.len() {
            let person = &self.people[who];
            if person.left_on.is_some() {
                continue;
            }
            let hazard = person.churn_hazard(&self.world, &self.effects_on(who), today, &[]);
            self.tally.expected.churned += hazard;
            if self.noise.happens(hazard, who, today.days(), For::Churn) {
                let at = today.at(15, &self.world.time_zone);
                let event = self.event(EventType::CustomerChurned, who, None, at);
                day.events.extend(self.report(event, who));
                self.people[who].left_on = Some(today);
                self.tally.churned += 1;
                self.tally.lost_margin_minor += self.world.churn.annual_margin_minor;
            }
        }
    }
}
