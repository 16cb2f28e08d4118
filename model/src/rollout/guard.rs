//! Whether a canary harms: its customers beside those of the version in force, from the first
//! decision of each on, watched continuously. And whether a version that is live for all harms: its
//! customers beside those of the holdout, for whom the ladder decides for good.
//!
//! ```text
//! first decision ──> exposed ──first churn, complaint, call──> event share, exact at every look
//!                       └──window closed──> contacts advised ──> confidence sequence of the means
//! ```
//! Customers are in the canary by a hash of their own, so both sides are alike but for who decides.
//! Each customer counts once in every sequence.

mod kept;
mod spec;

pub use kept::{Known, Sequences};
pub use spec::GuardSpec;

use crate::log::Decision;
use crate::statistics::asymptotic_cs::{AsymptoticCs, FEWEST_PER_ARM};
use crate::statistics::event_share::EventShare;
use crate::statistics::{Alpha, ArmEstimate, Moments, StatisticsError};
use lagom_features::domain::{CustomerId, DecisionId, EventType, Timestamp};
use serde::Serialize;
use std::collections::HashMap;

/// What is watched.
pub const WATCHED: [&str; 4] = ["churn", "complaints", "support_contacts", "contacts"];
/// Those of [`WATCHED`] that are events.
pub const EVENTS: [EventType; 3] = [
    EventType::CustomerChurned,
    EventType::ComplaintMade,
    EventType::SupportContacted,
];
const CONTACTS: usize = EVENTS.len();

/// One sequence, as it stands.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Watched {
    /// Which of [`WATCHED`].
    pub name: &'static str,
    /// A customer's, under the version in force: a share, or a mean.
    pub incumbent: f64,
    /// Under the canary.
    pub canary: f64,
    /// Always-valid p-value of "no more than is tolerated".
    pub p: f64,
    /// At or below which it counts as harm.
    pub level: f64,
}

/// What is counted of a decision.
#[derive(Debug, Clone, Copy)]
pub struct Advised<'a> {
    /// About whom.
    pub customer: &'a CustomerId,
    /// Its key.
    pub decision: &'a DecisionId,
    /// When.
    pub at: Timestamp,
    /// Whether it advised a contact.
    pub contact: bool,
}

impl<'a> From<&'a Decision> for Advised<'a> {
    fn from(decision: &'a Decision) -> Self {
        Self {
            customer: &decision.customer_id,
            decision: &decision.decision_id,
            at: decision.decided_at,
            contact: decision.action.kind.is_contact(),
        }
    }
}

/// A customer from the first decision on.
#[derive(Debug, Clone)]
struct Exposed {
    canary: bool,
    since: Timestamp,
    contacts: u32,
    happened: [bool; EVENTS.len()],
}

/// Standard errors by which the customers may be split otherwise than by the stated share.
const SPLIT: f64 = 4.0;

/// The sequences of one canary, or of one version beside the holdout.
#[derive(Debug, Clone)]
pub struct Guard {
    spec: GuardSpec,
    /// Share of the customers that the watched version should have.
    share: f64,
    /// Whether it is a live version beside the holdout; otherwise a canary.
    beside_holdout: bool,
    level: Alpha,
    customers: HashMap<CustomerId, Exposed>,
    /// First decisions whose windows are open.
    open: HashMap<DecisionId, CustomerId>,
    exposed: [u64; 2],
    events: [EventShare; EVENTS.len()],
    contacts: [Moments; 2],
    harm: Option<String>,
}

impl Guard {
    /// Nothing seen yet of a canary for `share` of the customers.
    ///
    /// # Errors
    /// [`StatisticsError::OutOfRange`] where the share or the spec is out of range.
    pub fn new(spec: GuardSpec, share: f64) -> Result<Self, StatisticsError> {
        let tolerated = spec.tolerated();
        let events = |at: usize| EventShare::new(share, 1.0 + tolerated[at]);
        Ok(Self {
            share,
            beside_holdout: false,
            level: Alpha::new(spec.alpha)?.shared_by(WATCHED.len()),
            customers: HashMap::new(),
            open: HashMap::new(),
            exposed: [0; 2],
            events: [events(0)?, events(1)?, events(2)?],
            contacts: [Moments::new(1), Moments::new(1)],
            harm: None,
            spec,
        })
    }

    /// Nothing seen yet of a version that decides for all but `holdout` of the customers.
    ///
    /// # Errors
    /// As for [`Guard::new`].
    pub fn beside_holdout(spec: GuardSpec, holdout: f64) -> Result<Self, StatisticsError> {
        Ok(Self {
            beside_holdout: true,
            ..Self::new(spec, 1.0 - holdout)?
        })
    }

    /// Whether the customers are split as stated: with more of them under the watched version than
    /// its share, events there prove nothing.
    #[must_use]
    pub fn split_holds(&self) -> bool {
        let [old, new] = self.exposed.map(|n| n as f64);
        let deviation = ((old + new) * self.share * (1.0 - self.share)).sqrt();
        new - (old + new) * self.share <= SPLIT * deviation
    }

    /// A decision was made, by the canary or the version in force.
    pub fn decided(&mut self, advised: Advised<'_>, canary: bool) {
        let id = advised.customer;
        if !self.customers.contains_key(id) {
            self.exposed[usize::from(canary)] += 1;
            self.open.insert(advised.decision.clone(), id.clone());
            self.customers.insert(
                id.clone(),
                Exposed {
                    canary,
                    since: advised.at,
                    contacts: 0,
                    happened: [false; EVENTS.len()],
                },
            );
        }
        if let Some(exposed) = self.customers.get_mut(id) {
            exposed.contacts += u32::from(advised.contact);
        }
    }

    /// Something happened to a customer.
    pub fn happened(&mut self, customer: &CustomerId, kind: EventType, at: Timestamp) {
        let Some(place) = EVENTS.iter().position(|one| *one == kind) else {
            return;
        };
        let Some(exposed) = self.customers.get_mut(customer) else {
            return;
        };
        if at >= exposed.since && !exposed.happened[place] {
            exposed.happened[place] = true;
            self.events[place].see(exposed.canary);
            self.look(place);
        }
    }

    /// The window of a decision closed.
    pub fn matured(&mut self, decision: &DecisionId) {
        let Some(id) = self.open.remove(decision) else {
            return;
        };
        if let Some(exposed) = self.customers.get(&id) {
            let side = usize::from(exposed.canary);
            self.contacts[side].push(&[f64::from(exposed.contacts)]);
            self.look(CONTACTS);
        }
    }

    /// A customer asked to be forgotten: nothing more is counted of them.
    pub fn forget(&mut self, customer: &CustomerId) {
        self.customers.remove(customer);
        self.open.retain(|_, of| of != customer);
    }

    /// Customers exposed to the version in force and to the canary.
    #[must_use]
    pub fn exposed(&self) -> [u64; 2] {
        self.exposed
    }

    /// What was found, in words, once harm has been shown; it stays.
    #[must_use]
    pub fn harm(&self) -> Option<&str> {
        self.harm.as_deref()
    }

    /// Every sequence as it stands.
    #[must_use]
    pub fn watched(&self) -> Vec<Watched> {
        (0..WATCHED.len()).map(|place| self.one(place)).collect()
    }

    fn one(&self, place: usize) -> Watched {
        let (incumbent, canary, p) = if place == CONTACTS {
            let [old, new] = &self.contacts;
            (old.mean(0), new.mean(0), self.contacts_p().unwrap_or(1.0))
        } else {
            let [old, new] = self.events[place].counts();
            let rate = |n: u64, side: usize| n as f64 / self.exposed[side].max(1) as f64;
            (rate(old, 0), rate(new, 1), self.events[place].p())
        };
        Watched {
            name: WATCHED[place],
            incumbent,
            canary,
            p,
            level: self.level.value(),
        }
    }

    /// ```text
    /// L = m_canary - (1+δ) m_incumbent,   se² = s²/n + (1+δ)² s²/n
    /// ```
    /// `None` while either side is too small for an asymptotic sequence.
    fn contacts_p(&self) -> Option<f64> {
        let [old, new] = &self.contacts;
        if old.n() < FEWEST_PER_ARM || new.n() < FEWEST_PER_ARM {
            return None;
        }
        let (old, new) = (
            ArmEstimate::mean(old, 0).ok()?,
            ArmEstimate::mean(new, 0).ok()?,
        );
        let scale = 1.0 + self.spec.contacts;
        let excess = new.mean - scale * old.mean;
        let variance = new.variance_of_mean() + scale * scale * old.variance_of_mean();
        let planned = f64::from(self.spec.planned_customers);
        let sequence = AsymptoticCs::new(self.level, planned).ok()?;
        let units = self.contacts[0].n() + self.contacts[1].n();
        (variance > 0.0).then(|| sequence.one_sided_p(units, excess, variance.sqrt()))
    }

    /// Names of the two sides: what is compared with, what is watched.
    const fn sides(&self) -> [&'static str; 2] {
        match self.beside_holdout {
            true => ["the holdout's ladder", "the live version"],
            false => ["the version in force", "the canary"],
        }
    }

    fn look(&mut self, place: usize) {
        if self.harm.is_some() {
            return;
        }
        let seen = self.one(place);
        if seen.p <= seen.level {
            self.harm = Some(format!(
                "{}: {:.4} a customer under {}, {:.4} under {} (p = {:.1e} at any time, {} and {} \
                 customers)",
                seen.name,
                seen.canary,
                self.sides()[1],
                seen.incumbent,
                self.sides()[0],
                seen.p,
                self.exposed[1],
                self.exposed[0]
            ));
        }
    }
}

#[cfg(test)]
mod tests;
