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

use std::collections::{BTreeMap, HashMap};

use lagom_features::domain::Timestamp;
use rayon::slice::ParallelSliceMut;

use super::bill::{Bill, Move, UNDESCRIBED, starts};
use super::person::Person;
use super::tally::Tally;
use crate::keys::{Index, Key, key};
use crate::steps::Step;

/// Nobody, nothing.
pub(super) const NONE: u32 = u32::MAX;

/// Texts of which there are few.
#[derive(Debug, Default)]
pub(super) struct Names(Vec<String>);

impl Names {
    pub(super) fn place(&mut self, name: &str) -> u16 {
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
    pub(super) as_of: Timestamp,
    pub(super) window_days: f64,
    pub(super) customers: Index,
    pub(super) ids: Vec<Box<str>>,
    /// The first of each customer's people.
    first: Vec<u32>,
    pub(super) people: Vec<Person>,
    pub(super) arms: Names,
    pub(super) tallies: Vec<Tally>,
    /// What channels and tones add, by arm.
    pub(super) steps: BTreeMap<String, Vec<Step>>,
    pub(super) segments: Names,
    pub(super) currencies: Names,
    pub(super) index: Index,
    pub(super) bills: Vec<Bill>,
    /// Invoices that the same customer was asked about in a second arm.
    again: HashMap<(u32, u32), Timestamp>,
    pub(super) moves: Vec<Move>,
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

    /// Notes that a customer in an arm was asked about an invoice; the first of all is the exposure.
    pub(super) fn ask(
        &mut self,
        (customer, id): (Key, &str),
        arm: &str,
        invoice: Key,
        at: Timestamp,
    ) -> u32 {
        let (customer, new) = self.customers.place(customer);
        if new {
            self.ids.push(id.into());
            self.first.push(NONE);
        }
        let person = self.person(customer, arm, at);
        let (bill, new) = self.index.place(invoice);
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
        let other = self.first[customer];
        self.people
            .push(Person::new(customer as u32, arm, at, other));
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
    pub(super) fn each(&mut self, customer: u32, mut each: impl FnMut(&mut Person)) {
        let mut next = self.first.get(customer as usize).copied().unwrap_or(NONE);
        while let Some(person) = self.people.get_mut(next as usize) {
            each(person);
            next = person.other;
        }
    }

    /// Invoices that are followed, person by person in the order of `rank`, and the currencies
    /// they are in. Nothing more can be read afterwards.
    pub(super) fn followed(&mut self, rank: &[u32]) -> (Vec<Asked>, Vec<String>) {
        let keys = std::mem::take(&mut self.index).into_keys();
        let followed = self.window_days / 2.0;
        let (mut asked, mut currencies) = (Vec::with_capacity(keys.len()), BTreeMap::new());
        for place in 0..self.bills.len() {
            let bill = self.bills[place];
            if bill.currency == UNDESCRIBED {
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
            let known = self.bills[bill as usize].currency != UNDESCRIBED;
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
