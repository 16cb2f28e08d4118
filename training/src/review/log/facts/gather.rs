//! What a review needs of a log, kept small: a million customers with twelve million invoices stay
//! under two gibibytes.
//!
//! ```text
//! decisions ──> people (customer × arm), invoices asked about
//! outcomes  ──> fees and costs of people          (then decisions are forgotten)
//! customers, invoices, events ──> descriptions, amounts, moves of money, what happened
//! ```
//! Nothing depends on the order of the records, so that a log gives the same facts from a store,
//! from its export, and from files that another program wrote.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use lagom_features::domain::{EventType, Timestamp};
use rayon::slice::ParallelSliceMut;

use super::BEFORE_DAYS;
use super::rows::{DecisionRow, FactRow, InvoiceRow, Log, OutcomeRow};
use super::tally::Tally;
use crate::keys::{Index, Key, key};
use crate::review::ReviewError;
use crate::review::log::design::Learnt;
use crate::steps::{Step, Steps};

/// Nobody, nothing.
const NONE: u32 = u32::MAX;

/// A customer in one arm.
#[derive(Debug, Clone)]
pub(super) struct Person {
    pub(super) customer: u32,
    pub(super) arm: u16,
    /// The same customer in another arm.
    other: u32,
    pub(super) exposed: Timestamp,
    /// When the description was recorded that is held to be of the time of exposure.
    described: Option<Timestamp>,
    pub(super) segment: Option<u16>,
    pub(super) annual_margin_minor: Option<i64>,
    pub(super) fees_minor: i64,
    pub(super) cost_minor: i64,
    pub(super) billed_before_minor: i64,
    pub(super) paid_before_minor: i64,
    pub(super) messages: u32,
    pub(super) support: u32,
    pub(super) collections: u32,
    pub(super) complaint: bool,
    pub(super) churn: bool,
    pub(super) opt_out: bool,
}

/// An invoice of somebody who is looked at.
#[derive(Debug, Clone, Copy)]
pub(super) struct Bill {
    customer: u32,
    /// Who was asked about it first, and when.
    person: u32,
    asked: Timestamp,
    recorded_at: Timestamp,
    issued_at: Timestamp,
    pub(super) amount_minor: i64,
    currency: u16,
}

/// Money that came on an invoice, or went back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Move {
    bill: u32,
    pub(super) at: Timestamp,
    pub(super) minor: i64,
}

/// A decision whose outcome is awaited.
#[derive(Debug, Clone, Copy)]
struct Made {
    person: u32,
    at: Timestamp,
}

/// Texts of which there are few.
#[derive(Debug, Default)]
pub(super) struct Names(Vec<String>);

impl Names {
    fn place(&mut self, name: &str) -> u16 {
        let found = self.0.iter().position(|one| one == name);
        let place = found.unwrap_or_else(|| {
            self.0.push(name.to_owned());
            self.0.len() - 1
        });
        // Arms, segments and currencies are not counted in tens of thousands.
        u16::try_from(place).unwrap_or(u16::MAX)
    }

    pub(super) fn get(&self, place: u16) -> &str {
        self.0.get(usize::from(place)).map_or("", String::as_str)
    }
}

/// What has been gathered so far.
#[derive(Debug)]
pub(super) struct Gather {
    as_of: Timestamp,
    window_days: f64,
    customers: Index,
    pub(super) ids: Vec<Box<str>>,
    /// The first of each customer's people.
    first: Vec<u32>,
    pub(super) people: Vec<Person>,
    pub(super) arms: Names,
    pub(super) tallies: Vec<Tally>,
    /// What channels and tones add, by arm.
    pub(super) steps: BTreeMap<String, Vec<Step>>,
    pub(super) segments: Names,
    currencies: Names,
    index: Index,
    pub(super) bills: Vec<Bill>,
    /// Invoices that the same customer was asked about in a second arm.
    again: HashMap<(u32, u32), Timestamp>,
    moves: Vec<Move>,
    starts: Vec<u32>,
}

/// An invoice that somebody was asked about.
#[derive(Debug, Clone, Copy)]
pub(super) struct Asked {
    pub(super) person: u32,
    pub(super) at: Timestamp,
    pub(super) bill: u32,
}

impl Gather {
    pub(super) fn new(as_of: Timestamp, window_days: f64, invoices: usize) -> Self {
        Self {
            as_of,
            window_days,
            customers: Index::default(),
            ids: Vec::new(),
            first: Vec::new(),
            people: Vec::new(),
            arms: Names::default(),
            tallies: Vec::new(),
            steps: BTreeMap::new(),
            segments: Names::default(),
            currencies: Names::default(),
            index: Index::with_capacity(invoices),
            bills: Vec::with_capacity(invoices),
            again: HashMap::new(),
            moves: Vec::new(),
            starts: Vec::new(),
        }
    }

    /// Reads the decisions of `experiment` and what became of them, of customers none of whose
    /// decisions was made before `since`. Gives what the policy had learnt, and how many customers
    /// were left out.
    pub(super) fn experiment(
        &mut self,
        log: &dyn Log,
        experiment: &str,
        since: Option<Timestamp>,
    ) -> Result<(Learnt, u64), ReviewError> {
        let mut early: HashSet<Key> = HashSet::new();
        let mut known: BTreeSet<String> = BTreeSet::new();
        if let Some(since) = since {
            log.decisions(&mut |one| {
                if one.experiment == Some(experiment) && one.decided_at < since {
                    early.insert(key(one.customer_id));
                }
            })?;
        }
        let decisions = log.sizes().decisions;
        let (mut index, mut made) = (
            Index::with_capacity(decisions),
            Vec::with_capacity(decisions),
        );
        let mut learnt = Learnt::default();
        let mut repeated: Option<String> = None;
        log.decisions(&mut |one| {
            let (Some(name), Some(arm)) = (one.experiment, one.arm) else {
                return;
            };
            if name != experiment {
                if !known.contains(name) {
                    known.insert(name.to_owned());
                }
                return;
            }
            let customer = key(one.customer_id);
            if one.decided_at > self.as_of || early.contains(&customer) {
                return;
            }
            if !index.place(key(one.decision_id)).1 {
                repeated.get_or_insert_with(|| one.decision_id.to_owned());
                return;
            }
            learnt.add(one.policy, one.policy_generation, one.model_id);
            let person = self.ask(
                (customer, one.customer_id),
                arm,
                one.invoice_id,
                one.decided_at,
            );
            made.push(Made {
                person,
                at: one.decided_at,
            });
            self.count(person, one);
        })?;
        if let Some(decision) = repeated {
            return Err(ReviewError::Log(format!(
                "decision `{decision}` occurs twice"
            )));
        }
        if self.people.is_empty() {
            return Err(ReviewError::NoSuchExperiment {
                experiment: experiment.to_owned(),
                known: known.into_iter().collect(),
            });
        }
        let mut steps: BTreeMap<String, Steps> = BTreeMap::new();
        log.rounds(&mut |one| {
            let theirs = one.experiment == Some(experiment) && one.decided_at <= self.as_of;
            let Some(arm) = one.arm.filter(|_| theirs) else {
                return;
            };
            if early.contains(&key(one.customer_id)) {
                return;
            }
            if !steps.contains_key(arm) {
                steps.insert(arm.to_owned(), Steps::default());
            }
            if let Some(steps) = steps.get_mut(arm) {
                let ids = (one.decision_id, one.customer_id);
                steps.decision(ids, one.decided_at, one.action_id, one.eligible);
            }
        })?;
        log.outcomes(&mut |one| {
            if one.matured_at <= self.as_of && !one.censored {
                for steps in steps.values_mut() {
                    steps.outcome(one.decision_id, one.matured_at, one.value_minor);
                }
            }
            if let Some(place) = index.get(key(one.decision_id)) {
                self.outcome(made[place], one);
            }
        })?;
        let compared = steps.into_iter().map(|(arm, one)| (arm, one.compared()));
        self.steps = compared.collect();
        Ok((learnt, early.len() as u64))
    }

    fn count(&mut self, person: u32, decision: &DecisionRow<'_>) {
        let arm = usize::from(self.people[person as usize].arm);
        self.tallies[arm].count(decision);
    }

    fn outcome(&mut self, made: Made, outcome: &OutcomeRow<'_>) {
        if outcome.matured_at > self.as_of {
            return;
        }
        let person = &mut self.people[made.person as usize];
        self.tallies[usize::from(person.arm)].matured += 1;
        if made.at.days_since(person.exposed) < self.window_days {
            person.fees_minor += outcome.fee_minor;
            person.cost_minor += outcome.cost_minor;
        }
    }

    /// Notes that a customer in an arm was asked about an invoice; the first of all is the exposure.
    pub(super) fn ask(
        &mut self,
        (customer, id): (Key, &str),
        arm: &str,
        invoice_id: &str,
        at: Timestamp,
    ) -> u32 {
        let (customer, new) = self.customers.place(customer);
        if new {
            self.ids.push(id.into());
            self.first.push(NONE);
        }
        let person = self.person(customer, arm, at);
        let (bill, new) = self.index.place(key(invoice_id));
        if new {
            self.bills.push(Bill::of(customer as u32));
        }
        let one = &mut self.bills[bill];
        if one.person == NONE || one.person == person {
            one.asked = if one.person == NONE {
                at
            } else {
                one.asked.min(at)
            };
            one.person = person;
        } else {
            let first = self.again.entry((person, bill as u32)).or_insert(at);
            *first = (*first).min(at);
        }
        person
    }

    fn person(&mut self, customer: usize, arm: &str, at: Timestamp) -> u32 {
        let arm = self.arms.place(arm);
        if usize::from(arm) == self.tallies.len() {
            self.tallies.push(Tally::default());
        }
        let mut next = self.first[customer];
        while let Some(person) = self.people.get_mut(next as usize) {
            if person.arm == arm {
                person.exposed = person.exposed.min(at);
                return next;
            }
            next = person.other;
        }
        let place = self.people.len() as u32;
        self.people.push(Person {
            customer: customer as u32,
            arm,
            other: self.first[customer],
            exposed: at,
            described: None,
            segment: None,
            annual_margin_minor: None,
            fees_minor: 0,
            cost_minor: 0,
            billed_before_minor: 0,
            paid_before_minor: 0,
            messages: 0,
            support: 0,
            collections: 0,
            complaint: false,
            churn: false,
            opt_out: false,
        });
        self.first[customer] = place;
        place
    }

    /// When a customer of the one arm was exposed.
    pub(super) fn exposed(&self, customer_id: &str) -> Option<Timestamp> {
        let customer = self.customers.get(key(customer_id))?;
        let person = self.people.get(self.first[customer] as usize)?;
        Some(person.exposed)
    }

    /// Adds what a decision outside of an experiment brought and cost.
    pub(super) fn add_money(&mut self, customer_id: &str, at: Timestamp, (fee, cost): (i64, i64)) {
        let Some(customer) = self.customers.get(key(customer_id)) else {
            return;
        };
        if let Some(person) = self.people.get_mut(self.first[customer] as usize)
            && (0.0..self.window_days).contains(&at.days_since(person.exposed))
        {
            person.fees_minor += fee;
            person.cost_minor += cost;
        }
    }

    /// Calls `each` for all people of a customer.
    fn each(&mut self, customer: u32, mut each: impl FnMut(&mut Person)) {
        let mut next = self.first.get(customer as usize).copied().unwrap_or(NONE);
        while let Some(person) = self.people.get_mut(next as usize) {
            each(person);
            next = person.other;
        }
    }

    /// Reads what customers are, what they owe, and what happened, as far as it was known.
    pub(super) fn surroundings(&mut self, log: &dyn Log) -> Result<(), ReviewError> {
        log.customers(&mut |one| {
            let Some(customer) = self.customers.get(key(one.customer_id)) else {
                return;
            };
            if one.recorded_at > self.as_of {
                return;
            }
            let segment = one.segment.map(|name| self.segments.place(name));
            self.each(customer as u32, |person| {
                if person.is_described_by(one.recorded_at) {
                    person.described = Some(one.recorded_at);
                    person.segment = segment;
                    person.annual_margin_minor = one.annual_margin_minor;
                }
            });
        })?;
        log.invoices(&mut |one| self.invoice(one))?;
        let mut foreign = None;
        log.events(&mut |one| {
            if let Some(fault) = self.event(one) {
                foreign.get_or_insert(fault);
            }
        })?;
        match foreign {
            Some(fault) => Err(ReviewError::Log(fault)),
            None => Ok(()),
        }
    }

    fn invoice(&mut self, one: &InvoiceRow<'_>) {
        if one.recorded_at > self.as_of {
            return;
        }
        let id = key(one.invoice_id);
        let bill = self.index.get(id).or_else(|| {
            let customer = self.customers.get(key(one.customer_id))?;
            self.bills.push(Bill::of(customer as u32));
            Some(self.index.place(id).0)
        });
        let Some(bill) = bill else {
            return;
        };
        let currency = self.currencies.place(one.currency);
        let bill = &mut self.bills[bill];
        if one.recorded_at >= bill.recorded_at {
            bill.recorded_at = one.recorded_at;
            bill.issued_at = one.issued_at;
            bill.amount_minor = one.amount_minor;
            bill.currency = currency;
        }
    }

    /// Takes an event; a text where its currency is not its invoice's.
    fn event(&mut self, one: &FactRow<'_>) -> Option<String> {
        use EventType as E;
        let sign = match one.kind {
            E::PaymentSucceeded | E::CreditIssued => 1,
            E::PaymentRefunded => -1,
            E::ContactSent
            | E::SupportContacted
            | E::ComplaintMade
            | E::CustomerChurned
            | E::ConsentWithdrawn
            | E::CollectionOpened => 0,
            _ => return None,
        };
        if one.recorded_at > self.as_of {
            return None;
        }
        let bill = one.invoice_id.and_then(|id| self.index.get(key(id)));
        let customer = match bill {
            Some(bill) => self.bills[bill].customer,
            None => self.customers.get(key(one.customer_id))? as u32,
        };
        if let (Some(bill), Some((minor, currency))) = (bill, one.amount) {
            let of_bill = &self.bills[bill];
            if of_bill.currency != u16::MAX && self.currencies.get(of_bill.currency) != currency {
                return Some(format!("an event is in {currency}, its invoice is not"));
            }
            if sign != 0 && of_bill.person != NONE && one.occurred_at <= self.as_of {
                self.moves.push(Move {
                    bill: bill as u32,
                    at: one.occurred_at,
                    minor: sign * minor,
                });
            }
        }
        let paid = match (one.kind, one.amount) {
            (E::PaymentSucceeded, Some((minor, _))) => minor,
            _ => 0,
        };
        let window_days = self.window_days;
        self.each(customer, |person| {
            if paid != 0 && person.was_before(one.occurred_at) {
                person.paid_before_minor += paid;
            }
            let day = one.occurred_at.days_since(person.exposed);
            if sign == 0 && (0.0..window_days).contains(&day) {
                match one.kind {
                    E::ContactSent => person.messages += 1,
                    E::SupportContacted => person.support += 1,
                    E::ComplaintMade => person.complaint = true,
                    E::CustomerChurned => person.churn = true,
                    E::ConsentWithdrawn => person.opt_out = true,
                    E::CollectionOpened => person.collections += 1,
                    _ => {}
                }
            }
        });
        None
    }

    /// Invoices that are followed, person by person in the order of `rank`, and the currencies
    /// they are in. Nothing more can be read afterwards.
    pub(super) fn followed(&mut self, rank: &[u32]) -> (Vec<Asked>, Vec<String>) {
        let keys = std::mem::take(&mut self.index).into_keys();
        let followed = self.window_days / 2.0;
        let (mut asked, mut currencies) = (Vec::with_capacity(keys.len()), BTreeMap::new());
        for place in 0..self.bills.len() {
            let bill = self.bills[place];
            if bill.currency == u16::MAX {
                continue;
            }
            self.each(bill.customer, |person| {
                if person.was_before(bill.issued_at) {
                    person.billed_before_minor += bill.amount_minor;
                }
            });
            if bill.person != NONE {
                asked.push(Asked {
                    person: bill.person,
                    at: bill.asked,
                    bill: place as u32,
                });
            }
        }
        asked.extend(self.again.drain().filter_map(|((person, bill), at)| {
            let known = self.bills[bill as usize].currency != u16::MAX;
            known.then_some(Asked { person, at, bill })
        }));
        asked.retain(|one| one.at.days_since(self.people[one.person as usize].exposed) < followed);
        for one in &asked {
            let currency = self.bills[one.bill as usize].currency;
            currencies.entry(currency).or_insert(());
        }
        let place = |one: &Asked| (rank[one.person as usize], one.at, keys[one.bill as usize]);
        asked.par_sort_unstable_by_key(place);
        self.moves.par_sort_unstable();
        self.starts = starts(&self.moves, self.bills.len());
        let mut names: Vec<String> = currencies
            .into_keys()
            .map(|currency| self.currencies.get(currency).to_owned())
            .collect();
        names.sort_unstable();
        (asked, names)
    }

    /// The moves on an invoice by time, after [`Self::followed`]; what went back comes first where
    /// both have one instant.
    pub(super) fn moves_of(&self, bill: u32) -> &[Move] {
        let place = bill as usize;
        &self.moves[self.starts[place] as usize..self.starts[place + 1] as usize]
    }
}

/// Where the moves of each bill start, and where those of the last end.
fn starts(moves: &[Move], bills: usize) -> Vec<u32> {
    let mut starts = Vec::with_capacity(bills + 1);
    let mut next = 0;
    for bill in 0..bills {
        starts.push(next as u32);
        while moves.get(next).is_some_and(|one| one.bill as usize == bill) {
            next += 1;
        }
    }
    starts.push(next as u32);
    starts
}

impl Bill {
    fn of(customer: u32) -> Self {
        Self {
            customer,
            person: NONE,
            asked: Timestamp::MAX,
            recorded_at: Timestamp::MIN,
            issued_at: Timestamp::MIN,
            amount_minor: 0,
            // Not described yet.
            currency: u16::MAX,
        }
    }
}

impl Person {
    /// The last description before the exposure holds, since a later one may be an effect; where
    /// there is none, the first after it.
    fn is_described_by(&self, recorded_at: Timestamp) -> bool {
        match self.described {
            None => true,
            Some(held) if recorded_at <= self.exposed => held > self.exposed || recorded_at >= held,
            Some(held) => held > self.exposed && recorded_at < held,
        }
    }

    fn was_before(&self, at: Timestamp) -> bool {
        let days = self.exposed.days_since(at);
        days > 0.0 && days <= BEFORE_DAYS
    }
}
