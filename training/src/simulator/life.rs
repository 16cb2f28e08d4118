//! The days of a simulated world, one after the other.

use super::bill::Bill;
use super::noise::{For, Noise};
use super::parameters::World;
use super::person::{Person, Received};
use super::tally::Tally;
use lagom_features::domain::{
    Action, Channel, Customer, CustomerId, Date, Days, DecisionId, Event, EventId, EventType,
    Invoice, InvoiceId, Kind, Money, Timestamp, Tone,
};
use std::collections::HashMap;

/// Days for which a person keeps a case that was handed over for review.
const REVIEW_DAYS: i64 = 14;

/// What a company learns of one day.
#[derive(Debug, Clone, Default)]
pub struct Day {
    /// Issued in the morning.
    pub invoices: Vec<Invoice>,
    /// Happened during the day, in order.
    pub events: Vec<Event>,
}

/// A message that a company sent to a simulated customer.
#[derive(Debug, Clone)]
pub struct Sent<'a> {
    /// On whose advice.
    pub decision_id: &'a DecisionId,
    /// To whom.
    pub customer_id: &'a CustomerId,
    /// About what.
    pub invoice_id: &'a InvoiceId,
    /// Which step.
    pub action: &'a Action,
    /// When.
    pub at: Timestamp,
}

/// A seeded world, lived day by day. It knows messages, never who chose them or why.
#[derive(Debug, Clone)]
pub struct Life {
    world: World,
    noise: Noise,
    people: Vec<Person>,
    bills: Vec<Bill>,
    by_invoice: HashMap<InvoiceId, (usize, usize)>,
    today: Date,
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
            today: start,
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
        day.events
            .sort_by(|a, b| (a.occurred_at, &a.event_id).cmp(&(b.occurred_at, &b.event_id)));
        self.today = self.today.plus_days(1);
        day
    }

    /// A step is carried out: tells what a company's own systems record of it, and remembers what
    /// it will do. What it stirs up beside payments is in the returned events too. A step that no
    /// customer notices is only counted.
    pub fn receive(&mut self, sent: &Sent<'_>) -> Vec<Event> {
        let Some(&(who, serial)) = self.by_invoice.get(sent.invoice_id) else {
            return Vec::new();
        };
        let place = (sent.action.kind, sent.action.channel);
        *self.tally.sent.entry(place).or_default() += 1;
        if sent.action.kind == Kind::HumanReview {
            return vec![self.review(sent, who, serial)];
        }
        if !sent.action.kind.is_contact() {
            return Vec::new();
        }
        self.tally.contacts += 1;
        let mut record = self.event(EventType::ContactSent, who, Some(serial), sent.at);
        record.invoice_id = Some(sent.invoice_id.clone());
        record.decision_id = Some(sent.decision_id.clone());
        record.channel = sent.action.channel;
        record.tone = sent.action.tone;
        record.reason = Some(sent.action.kind.name().to_owned());
        let mut events = vec![record];
        if let Some(channel) = sent.action.channel {
            self.arrive(sent, who, serial, channel, &mut events);
        }
        events
    }

    /// A person takes the case for two weeks, in which nobody else is to touch it.
    fn review(&self, sent: &Sent<'_>, who: usize, serial: usize) -> Event {
        let mut event = self.event(EventType::HoldPlaced, who, Some(serial), sent.at);
        event.invoice_id = Some(sent.invoice_id.clone());
        event.decision_id = Some(sent.decision_id.clone());
        event.until = Some(sent.at + Days::whole(REVIEW_DAYS));
        event.reason = Some(Kind::HumanReview.name().to_owned());
        event
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

    fn issue(&mut self, day: &mut Day) {
        let (today, world, noise) = (self.today, &self.world, self.noise);
        let day_of_month = today.civil().day();
        for (who, person) in self.people.iter().enumerate() {
            if person.issue_day != day_of_month || person.left_on.is_some() {
                continue;
            }
            let payer = &world.payer[person.payer];
            let due_on = today.plus_days(i32::from(world.invoices.terms_days));
            let late = !noise.happens(payer.on_time, who, today.days(), For::OnTime);
            let early = (noise.uniform(who, today.days(), For::PayEarly).powi(2) * 12.0) as i32;
            let (opens, clicks) = if late {
                (payer.opens, payer.clicks)
            } else {
                (0.85, 0.5)
            };
            let opened = noise.happens(opens, who, today.days(), For::Open);
            let disputed = (late
                && noise.happens(
                    world.invoices.dispute_share,
                    who,
                    today.days(),
                    For::Dispute,
                ))
            .then(|| (due_on.plus_days(1), due_on.plus_days(22)));
            let serial = self.serial;
            self.serial += 1;
            let invoice = Invoice {
                invoice_id: InvoiceId::new(format!("i{serial:07}")).expect("a number is an id"),
                customer_id: person.customer.customer_id.clone(),
                issued_at: today.at(5, &world.time_zone),
                due_on,
                amount: Money::new(person.amount_minor, world.currency),
                terms_days: Some(world.invoices.terms_days),
                payment_method: Some(
                    if person.customer.autopay == Some(true) {
                        "direct_debit"
                    } else {
                        "bank_transfer"
                    }
                    .to_owned(),
                ),
                billing_channel: Some("email".to_owned()),
                product: None,
            };
            self.by_invoice
                .insert(invoice.invoice_id.clone(), (who, serial));
            if due_on >= self.judged.0 && due_on <= self.judged.1 {
                self.tally.invoices += 1;
                self.tally.billed_minor += person.amount_minor;
            }
            day.invoices.push(invoice.clone());
            self.bills.push(Bill {
                who,
                serial,
                unpaid_minor: person.amount_minor,
                pays_on: (!late).then(|| {
                    if person.customer.autopay == Some(true) {
                        due_on
                    } else {
                        due_on.plus_days(-early)
                    }
                }),
                rest_on: None,
                opens_on: opened.then(|| {
                    today.plus_days((noise.uniform(who, today.days(), For::Click) * 20.0) as i32)
                }),
                clicks: noise.happens(clicks, who, today.days(), For::Click),
                disputed,
                claimed_on: None,
                in_collection: false,
                invoice,
            });
        }
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

    /// Daily probability that a late bill is paid today.
    fn hazard(&self, bill: &Bill) -> f64 {
        let person = &self.people[bill.who];
        let payer = &self.world.payer[person.payer];
        let mut natural = if self.today > bill.invoice.due_on {
            1.0
        } else {
            0.0
        };
        if person.has_just_been_paid(self.today) {
            natural *= payer.payday_factor;
        }
        let boost = person.boost(&self.world, bill.serial, self.today);
        if bill.is_disputed_on(self.today) {
            return 0.010 * (natural + 0.05 * boost);
        }
        (payer.hazard * (natural + boost)).min(1.0)
    }

    fn pay(&mut self, day: &mut Day) {
        let (today, noise) = (self.today, self.noise);
        let mut bills = std::mem::take(&mut self.bills);
        for bill in &mut bills {
            let planned = bill.pays_on.or(bill.rest_on);
            let pays = match planned {
                Some(on) => on == today,
                None => noise.happens(self.hazard(bill), bill.who, today.days(), For::Pay),
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
            event.method.clone_from(&bill.invoice.payment_method);
            day.events.push(event);
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
            let hazard = person.churn_hazard(&self.world, today);
            if self.noise.happens(hazard, who, today.days(), For::Churn) {
                let at = today.at(15, &self.world.time_zone);
                day.events
                    .push(self.event(EventType::CustomerChurned, who, None, at));
                self.people[who].left_on = Some(today);
                self.tally.churned += 1;
                self.tally.lost_margin_minor += self.world.churn.annual_margin_minor;
            }
        }
    }

    fn arrive(
        &mut self,
        sent: &Sent<'_>,
        who: usize,
        serial: usize,
        channel: Channel,
        events: &mut Vec<Event>,
    ) {
        let (world, noise) = (&self.world, self.noise);
        let (person, reach) = (&self.people[who], &world.channel[&channel]);
        let payer = &world.payer[person.payer];
        let sent_on = sent.at.date(&world.time_zone);
        let arrives_on = sent_on.plus_days(i32::from(reach.delay_days));
        let key = arrives_on.days();
        let opened = noise.happens(reach.reach, who, key, For::MessageOpen);
        let tone = sent.action.tone.unwrap_or(Tone::Neutral);
        let claim = sent.action.kind == Kind::CollectionClaim;
        let earlier = person
            .arrived_within(world.fatigue.window_days, arrives_on)
            .count();
        let tired = |factor: f64| factor.powi(i32::try_from(earlier).unwrap_or(i32::MAX));
        let power = reach.power * if claim { world.stir.claim_power } else { 1.0 };
        let takes_hold = payer.persuadable.get(&tone).copied().unwrap_or(0.0);
        let boost = (power - 1.0) * takes_hold * tired(world.fatigue.effect_factor);

        let stir = &world.stir;
        let (mut complaint, support) = if claim {
            (stir.complaint_of_claim, stir.support_after_claim)
        } else {
            let gentle = matches!(
                sent.action.kind,
                Kind::PreDueNotice | Kind::DueDateNotice | Kind::InvoiceRedelivery
            );
            let support = stir.support_after_reminder * if gentle { 0.25 } else { 1.0 };
            (reach.complaint, support)
        };
        complaint *= tired(world.fatigue.complaint_factor);
        if person.is_newcomer_to(Some(tone)) {
            complaint *= stir.firm_complaint_factor;
        }
        let disputed = self
            .bills
            .iter()
            .any(|bill| bill.serial == serial && bill.is_disputed_on(arrives_on));
        if disputed {
            complaint *= 5.0;
        }
        let stirred = [
            (EventType::ComplaintMade, complaint, For::Complaint),
            (EventType::SupportContacted, support, For::Support),
            (EventType::ConsentWithdrawn, reach.opt_out, For::OptOut),
        ];
        let received = Received {
            kind: sent.action.kind,
            arrives_on,
            opened,
            boost,
            invoice: serial,
            harsh_to_newcomer: person.is_newcomer_to(sent.action.tone),
        };
        let promises = opened
            && payer.payday_factor > 1.0
            && noise.happens(stir.promise_share, who, key, For::Promise);
        for (kind, probability, what) in stirred {
            if !noise.happens(probability, who, key, what) {
                continue;
            }
            let mut event = self.event(kind, who, Some(serial), sent.at);
            event.invoice_id = Some(sent.invoice_id.clone());
            event.decision_id = Some(sent.decision_id.clone());
            event.channel = (kind == EventType::ConsentWithdrawn).then_some(channel);
            events.push(event);
            match kind {
                EventType::ComplaintMade => self.tally.complaints += 1,
                EventType::SupportContacted => self.tally.support_contacts += 1,
                _ => self.tally.opt_outs += 1,
            }
        }
        if promises {
            let mut event = self.event(EventType::PromiseMade, who, Some(serial), sent.at);
            event.invoice_id = Some(sent.invoice_id.clone());
            event.until = Some(sent_on.plus_days(7).at(23, &self.world.time_zone));
            events.push(event);
        }
        if claim && let Some(bill) = self.bills.iter_mut().find(|bill| bill.serial == serial) {
            bill.claimed_on.get_or_insert(sent_on);
        }
        self.people[who].received.push(received);
    }
}
