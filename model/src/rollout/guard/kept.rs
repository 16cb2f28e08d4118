//! A guard taken apart, so that it can be kept: its sequences, and its customers one by one.
//!
//! ```text
//! guard = sequences + every customer      a part of it = sequences + those customers who are looked at
//! ```
//! What is decided about a customer, or happens to one, changes that customer and the sequences alone; so
//! a guard that knows the customers of a stretch of the log goes through it as the whole guard would.

use super::{EVENTS, Exposed, Guard, GuardSpec};
use crate::statistics::event_share::EventShare;
use crate::statistics::{Moments, StatisticsError};
use lagom_features::domain::{CustomerId, DecisionId, Timestamp};
use serde::{Deserialize, Serialize};
use std::collections::HashMap;

/// Everything of a guard but its customers.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sequences {
    spec: GuardSpec,
    share: f64,
    beside_holdout: bool,
    exposed: [u64; 2],
    events: [EventShare; EVENTS.len()],
    contacts: [Moments; 2],
    harm: Option<String>,
}

/// A customer from the first decision on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Known {
    /// Who.
    pub customer: CustomerId,
    /// Whether under the version that is watched.
    pub canary: bool,
    /// Since when.
    pub since: Timestamp,
    /// Contacts that were advised.
    pub contacts: u32,
    /// Which of [`EVENTS`] have happened.
    pub happened: [bool; EVENTS.len()],
    /// The first decision, while its window is open.
    pub open: Option<DecisionId>,
}

impl Guard {
    /// Its sequences as they stand.
    #[must_use]
    pub fn sequences(&self) -> Sequences {
        Sequences {
            spec: self.spec,
            share: self.share,
            beside_holdout: self.beside_holdout,
            exposed: self.exposed,
            events: self.events.clone(),
            contacts: self.contacts.clone(),
            harm: self.harm.clone(),
        }
    }

    /// A guard that goes on with these sequences and knows nobody yet.
    ///
    /// # Errors
    /// [`StatisticsError`] where they are no guard's.
    pub fn going_on(sequences: Sequences) -> Result<Self, StatisticsError> {
        let Sequences {
            spec,
            share,
            beside_holdout,
            exposed,
            events,
            contacts,
            harm,
        } = sequences;
        for moments in &contacts {
            moments.check(CONTACTS_DIMENSIONS)?;
        }
        let new = match beside_holdout {
            true => Self::beside_holdout(spec, 1.0 - share)?,
            false => Self::new(spec, share)?,
        };
        Ok(Self {
            share,
            exposed,
            events,
            contacts,
            harm,
            ..new
        })
    }

    /// Whether anything is known of a customer.
    #[must_use]
    pub fn knows(&self, customer: &CustomerId) -> bool {
        self.customers.contains_key(customer)
    }

    /// Brings in a customer as [`Self::known`] had told.
    pub fn bring_in(&mut self, known: Known) {
        if let Some(decision) = known.open {
            self.open.insert(decision, known.customer.clone());
        }
        let exposed = Exposed {
            canary: known.canary,
            since: known.since,
            contacts: known.contacts,
            happened: known.happened,
        };
        self.customers.insert(known.customer, exposed);
    }

    /// Everybody it knows, in no order.
    #[must_use]
    pub fn known(&self) -> Vec<Known> {
        let open: HashMap<&CustomerId, &DecisionId> = self
            .open
            .iter()
            .map(|(decision, of)| (of, decision))
            .collect();
        let all = self.customers.iter().map(|(customer, one)| Known {
            customer: customer.clone(),
            canary: one.canary,
            since: one.since,
            contacts: one.contacts,
            happened: one.happened,
            open: open.get(customer).map(|decision| (*decision).clone()),
        });
        all.collect()
    }

    /// Lets everybody go who is known: the sequences stay.
    pub fn let_go(&mut self) {
        self.customers = HashMap::new();
        self.open = HashMap::new();
    }
}

/// Of each customer the contacts alone are averaged.
const CONTACTS_DIMENSIONS: usize = 1;

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::super::Advised;
    use super::*;
    use lagom_features::domain::Days;
    use std::collections::BTreeMap;

    fn start() -> Timestamp {
        Timestamp::parse("2026-03-01").unwrap()
    }

    fn customer(n: usize) -> CustomerId {
        CustomerId::new(format!("c{n}")).unwrap()
    }

    /// What happens to customer `n` in round `round`.
    fn happen(guard: &mut Guard, n: usize, round: usize) {
        let id = customer(n);
        let decision = DecisionId::new(format!("d{n}-{round}")).unwrap();
        let at = start() + Days::whole(round as i64);
        let advised = Advised {
            customer: &id,
            decision: &decision,
            at,
            contact: !(n + round).is_multiple_of(3),
        };
        guard.decided(advised, n.is_multiple_of(2));
        if n.is_multiple_of(2) && (n + round).is_multiple_of(5) {
            guard.happened(&id, EVENTS[n % EVENTS.len()], at);
        }
        if round == 2 {
            guard.matured(&DecisionId::new(format!("d{n}-0")).unwrap());
        }
    }

    fn all(guard: &Guard) -> (String, BTreeMap<CustomerId, Known>) {
        let known = guard.known().into_iter();
        let known = known.map(|one| (one.customer.clone(), one)).collect();
        let sequences = serde_json::to_string(&guard.sequences()).unwrap();
        (sequences, known)
    }

    /// Through its kept form, with the customers of one stretch at hand, as in memory all at once.
    #[test]
    fn in_parts_it_is_the_whole_guard() {
        let spec = GuardSpec::default();
        for mut whole in [
            Guard::beside_holdout(spec, 0.5).unwrap(),
            Guard::new(spec, 0.4).unwrap(),
        ] {
            let mut kept = (
                serde_json::to_string(&whole.sequences()).unwrap(),
                BTreeMap::new(),
            );
            for round in 0..4 {
                for stretch in 0..10 {
                    let mut part = Guard::going_on(serde_json::from_str(&kept.0).unwrap()).unwrap();
                    for n in stretch * 10..stretch * 10 + 10 {
                        if let Some(one) = kept.1.get(&customer(n)) {
                            part.bring_in(Known::clone(one));
                        }
                        assert_eq!(part.knows(&customer(n)), round > 0);
                        happen(&mut whole, n, round);
                        happen(&mut part, n, round);
                    }
                    let (sequences, known) = all(&part);
                    assert_eq!(known.len(), 10);
                    kept.0 = sequences;
                    kept.1.extend(known);
                    part.let_go();
                    assert!(part.known().is_empty());
                }
                assert_eq!(all(&whole), kept);
            }
            assert!(whole.harm().is_some(), "{:?}", whole.watched());
            assert_eq!(whole.exposed(), [50, 50]);
        }
    }

    #[test]
    fn what_is_no_guard_is_refused() {
        let guard = Guard::new(GuardSpec::default(), 0.4).unwrap();
        let text = serde_json::to_string(&guard.sequences()).unwrap();
        for (from, to) in [
            ("\"share\":0.4", "\"share\":1.4"),
            ("\"means\":[0.0]", "\"means\":[]"),
            ("\"comoments\":[0.0]", "\"comoments\":[0.0,0.0]"),
        ] {
            assert!(text.contains(from), "{text}");
            let other = serde_json::from_str(&text.replace(from, to)).unwrap();
            assert!(Guard::going_on(other).is_err(), "{to}");
        }
    }
}
