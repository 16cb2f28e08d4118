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

pub use kept::{Known, Sequences};

use crate::log::Decision;
use crate::statistics::asymptotic_cs::{AsymptoticCs, FEWEST_PER_ARM};
use crate::statistics::event_share::EventShare;
use crate::statistics::{Alpha, ArmEstimate, Moments, StatisticsError};
use lagom_features::domain::{CustomerId, DecisionId, EventType, Timestamp};
use serde::{Deserialize, Serialize};
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

/// What a company takes for harm.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct GuardSpec {
    /// Whether a canary that harms is taken off its way without asking.
    pub automatic: bool,
    /// Chance, over all sequences and looks, that a harmless canary is taken for harmful; in
    /// (0, 0.5).
    pub alpha: f64,
    /// How many more customers may leave, as a share of those of the version in force.
    pub churn: f64,
    /// How many more customers may complain, likewise.
    pub complaints: f64,
    /// How many more customers may call for support, likewise.
    pub support_contacts: f64,
    /// How many more contacts a customer may be advised, likewise.
    pub contacts: f64,
    /// Customers, of both sides, at which the sequence of contacts is tightest.
    pub planned_customers: u32,
}

impl Default for GuardSpec {
    fn default() -> Self {
        Self {
            automatic: true,
            alpha: 0.05,
            churn: 0.0,
            complaints: 0.0,
            support_contacts: 0.0,
            contacts: 0.25,
            planned_customers: 2_000,
        }
    }
}

impl GuardSpec {
    /// What is wrong with it: the key, and what it must be.
    #[must_use]
    pub fn faults(&self) -> Vec<(&'static str, String)> {
        let mut faults = Vec::new();
        if !(self.alpha > 0.0 && self.alpha < 0.5) {
            faults.push(("alpha", format!("{} must lie in (0, 0.5)", self.alpha)));
        }
        for (key, value) in WATCHED.into_iter().zip(self.tolerated()) {
            if !(value >= 0.0 && value.is_finite()) {
                faults.push((key, format!("{value} must be 0 or more")));
            }
        }
        if self.planned_customers == 0 {
            faults.push(("planned_customers", "0 must be 1 or more".to_owned()));
        }
        faults
    }

    fn tolerated(&self) -> [f64; WATCHED.len()] {
        [
            self.churn,
            self.complaints,
            self.support_contacts,
            self.contacts,
        ]
    }
}

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
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use lagom_features::domain::Days;
    use rand::{RngExt, SeedableRng};
    use rand_chacha::ChaCha8Rng;

    fn start() -> Timestamp {
        Timestamp::parse("2026-03-01").unwrap()
    }

    /// How often each of [`WATCHED`] happens to a customer; the last is a mean below 4.
    type Rates = [f64; WATCHED.len()];

    /// Customers come under decisions one after another.
    fn lived(seed: u64, customers: u32, share: f64, rates: [Rates; 2]) -> Guard {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let mut guard = Guard::new(GuardSpec::default(), share).unwrap();
        for n in 0..customers {
            let canary = rng.random::<f64>() < share;
            let rates = rates[usize::from(canary)];
            let customer = CustomerId::new(format!("c{n}")).unwrap();
            let first = DecisionId::new(format!("d{n}")).unwrap();
            for advised in 0..4 {
                guard.decided(
                    Advised {
                        customer: &customer,
                        decision: &first,
                        at: start() + Days::whole(advised),
                        contact: rng.random::<f64>() < rates[CONTACTS] / 4.0,
                    },
                    canary,
                );
            }
            for (kind, rate) in EVENTS.into_iter().zip(rates) {
                if rng.random::<f64>() < rate {
                    guard.happened(&customer, kind, start() + Days::whole(5));
                    guard.happened(&customer, kind, start() + Days::whole(6));
                }
            }
            guard.matured(&first);
        }
        guard
    }

    const USUAL: Rates = [0.03, 0.02, 0.1, 1.2];

    #[test]
    fn a_harmless_canary_is_seldom_taken_for_harmful() {
        let runs = 300_u32;
        // The contacts lie at the end of what is tolerated.
        let canary = [0.03, 0.02, 0.1, 1.5];
        let harmed = (0..runs)
            .filter(|&seed| {
                lived(u64::from(seed), 800, 0.2, [USUAL, canary])
                    .harm()
                    .is_some()
            })
            .count();
        let most = 0.05 + 3.0 * (0.05_f64 * 0.95 / f64::from(runs)).sqrt();
        assert!(
            (harmed as f64) <= most * f64::from(runs),
            "{harmed} of {runs}"
        );
    }

    #[test]
    fn harm_is_found_by_its_name() {
        for (place, worse) in [(0, 0.15), (1, 0.1), (2, 0.3), (3, 2.6)] {
            let mut canary = USUAL;
            canary[place] = worse;
            let found = (0..40)
                .filter(|seed| {
                    let guard = lived(*seed, 2_000, 0.3, [USUAL, canary]);
                    let harm = guard.harm();
                    harm.is_some_and(|harm| harm.starts_with(WATCHED[place]))
                })
                .count();
            assert!(found >= 36, "{}: {found} of 40", WATCHED[place]);
        }
    }

    #[test]
    fn a_split_that_is_not_the_stated_one_is_told() {
        let spec = GuardSpec::default();
        let mut guard = Guard::beside_holdout(spec, 0.2).unwrap();
        for n in 0..400 {
            let customer = CustomerId::new(format!("c{n}")).unwrap();
            let decision = DecisionId::new(format!("d{n}")).unwrap();
            let advised = Advised {
                customer: &customer,
                decision: &decision,
                at: start(),
                contact: false,
            };
            // A fifth is held out of the first half, a fiftieth of the second.
            guard.decided(advised, n % (if n < 200 { 5 } else { 50 }) != 0);
            if n == 199 {
                assert!(guard.split_holds());
            }
        }
        assert!(!guard.split_holds());
    }

    #[test]
    fn a_customer_counts_once_and_only_from_the_first_decision_on() {
        let mut guard = Guard::new(GuardSpec::default(), 0.5).unwrap();
        let [customer, other] = ["a", "b"].map(|id| CustomerId::new(id).unwrap());
        let first = DecisionId::new("d").unwrap();
        let advised = Advised {
            customer: &customer,
            decision: &first,
            at: start(),
            contact: true,
        };
        let complaint = EventType::ComplaintMade;
        let seen = |guard: &Guard, place: usize| {
            let one = &guard.watched()[place];
            [one.incumbent, one.canary].map(|rate| format!("{rate:.1}"))
        };
        guard.happened(&customer, complaint, start());
        guard.decided(advised, true);
        guard.happened(&customer, complaint, start() + Days::whole(-1));
        guard.happened(&other, complaint, start());
        assert_eq!(seen(&guard, 1), ["0.0", "0.0"]);
        for _ in 0..3 {
            guard.decided(advised, false);
            guard.happened(&customer, complaint, start());
            guard.matured(&first);
        }
        assert_eq!(guard.exposed(), [0, 1]);
        assert_eq!(seen(&guard, 1), ["0.0", "1.0"]);
        // Advised twice when the window closed.
        assert_eq!(seen(&guard, 3), ["0.0", "2.0"]);
        guard.forget(&customer);
        guard.happened(&customer, EventType::CustomerChurned, start());
        assert_eq!(seen(&guard, 0), ["0.0", "0.0"]);
    }

    #[test]
    fn a_spec_that_is_none_is_refused_by_its_key() {
        let spec = GuardSpec {
            alpha: 0.7,
            churn: -0.1,
            planned_customers: 0,
            ..GuardSpec::default()
        };
        let keys: Vec<&str> = spec.faults().iter().map(|(key, _)| *key).collect();
        assert_eq!(keys, ["alpha", "churn", "planned_customers"]);
        assert!(GuardSpec::default().faults().is_empty());
    }
}
