//! The decisions of an experiment, and what became of them.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use lagom_features::domain::Timestamp;

use super::gather::Gather;
use super::rows::{DecisionRow, Log, OutcomeRow, RoundRow};
use crate::keys::{Index, Key, key};
use crate::review::ReviewError;
use crate::review::log::design::Learnt;
use crate::steps::{Step, Steps};

/// A decision whose outcome is awaited.
#[derive(Debug, Clone, Copy)]
struct Made {
    person: u32,
    at: Timestamp,
}

/// A decision of a block that counts, with the keys of what it names.
struct Asking {
    row: usize,
    decision: Key,
    customer: Key,
    invoice: Key,
}

/// Reads the decisions of one experiment.
struct Reading<'a> {
    gather: &'a mut Gather,
    experiment: &'a str,
    /// Customers who came before the experiment that is looked at.
    early: HashSet<Key>,
    /// Experiments that decisions name.
    known: BTreeSet<String>,
    index: Index,
    made: Vec<Made>,
    learnt: Learnt,
    repeated: Option<String>,
}

impl Gather {
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
        if let Some(since) = since {
            log.decisions(&mut |rows| {
                let theirs = |one: &&DecisionRow<'_>| {
                    one.experiment == Some(experiment) && one.decided_at < since
                };
                early.extend(rows.iter().filter(theirs).map(|one| key(one.customer_id)));
            })?;
        }
        let decisions = log.sizes().decisions;
        let mut reading = Reading {
            gather: self,
            experiment,
            early,
            known: BTreeSet::new(),
            index: Index::with_capacity(decisions),
            made: Vec::with_capacity(decisions),
            learnt: Learnt::default(),
            repeated: None,
        };
        let mut asking = Vec::new();
        log.decisions(&mut |rows| reading.decisions(rows, &mut asking))?;
        if let Some(decision) = reading.repeated {
            return Err(ReviewError::Log(format!(
                "decision `{decision}` occurs twice"
            )));
        }
        if reading.gather.people.is_empty() {
            return Err(ReviewError::NoSuchExperiment {
                experiment: experiment.to_owned(),
                known: reading.known.into_iter().collect(),
            });
        }
        let steps = reading.outcomes(log)?;
        let (learnt, early) = (reading.learnt, reading.early.len());
        self.steps = steps;
        Ok((learnt, early as u64))
    }
}

impl Reading<'_> {
    fn decisions(&mut self, rows: &[DecisionRow<'_>], asking: &mut Vec<Asking>) {
        asking.clear();
        asking.extend((0..rows.len()).filter_map(|row| self.asking(row, &rows[row])));
        self.index.fetch(asking.iter().map(|one| one.decision));
        let (customers, invoices) = (&self.gather.customers, &self.gather.index);
        customers.fetch(asking.iter().map(|one| one.customer));
        invoices.fetch(asking.iter().map(|one| one.invoice));
        for one in asking {
            self.decision(&rows[one.row], one);
        }
    }

    fn asking(&mut self, row: usize, one: &DecisionRow<'_>) -> Option<Asking> {
        let (name, _) = one.experiment.zip(one.arm)?;
        if name != self.experiment {
            if !self.known.contains(name) {
                self.known.insert(name.to_owned());
            }
            return None;
        }
        let customer = key(one.customer_id);
        let counts = one.decided_at <= self.gather.as_of && !self.early.contains(&customer);
        counts.then(|| Asking {
            row,
            decision: key(one.decision_id),
            customer,
            invoice: key(one.invoice_id),
        })
    }

    fn decision(&mut self, one: &DecisionRow<'_>, asking: &Asking) {
        if !self.index.place(asking.decision).1 {
            self.repeated
                .get_or_insert_with(|| one.decision_id.to_owned());
            return;
        }
        self.learnt
            .add(one.policy, one.policy_generation, one.model_id);
        let (customer, arm) = ((asking.customer, one.customer_id), one.arm.unwrap_or(""));
        let person = self
            .gather
            .ask(customer, arm, asking.invoice, one.decided_at);
        self.made.push(Made {
            person,
            at: one.decided_at,
        });
        let arm = usize::from(self.gather.people[person as usize].arm);
        self.gather.tallies[arm].count(one);
    }

    /// Reads outcomes; gives what channels and tones add, by arm.
    fn outcomes(&mut self, log: &dyn Log) -> Result<BTreeMap<String, Vec<Step>>, ReviewError> {
        let mut steps: BTreeMap<String, Steps> = BTreeMap::new();
        log.rounds(&mut |one| self.round(one, &mut steps))?;
        let (mut keys, mut places) = (Vec::new(), Vec::new());
        let as_of = self.gather.as_of;
        log.outcomes(&mut |rows| {
            let known = rows.iter().filter(|one| one.matured_at <= as_of);
            for one in known.filter(|one| !one.censored) {
                for steps in steps.values_mut() {
                    steps.outcome(one.decision_id, one.matured_at, one.value_minor);
                }
            }
            keys.clear();
            keys.extend(rows.iter().map(|one| key(one.decision_id)));
            self.index.get_all(&keys, &mut places);
            for (one, place) in rows.iter().zip(&places) {
                if let Some(place) = place {
                    let made = self.made[*place as usize];
                    self.outcome(made, one);
                }
            }
        })?;
        let compared = steps.into_iter().map(|(arm, one)| (arm, one.compared()));
        Ok(compared.collect())
    }

    fn round(&self, one: &RoundRow<'_>, steps: &mut BTreeMap<String, Steps>) {
        let theirs = one.experiment == Some(self.experiment) && one.decided_at <= self.gather.as_of;
        let Some(arm) = one.arm.filter(|_| theirs) else {
            return;
        };
        if self.early.contains(&key(one.customer_id)) {
            return;
        }
        if !steps.contains_key(arm) {
            steps.insert(arm.to_owned(), Steps::default());
        }
        if let Some(steps) = steps.get_mut(arm) {
            let ids = (one.decision_id, one.customer_id);
            steps.decision(ids, one.decided_at, one.action_id, one.eligible);
        }
    }

    fn outcome(&mut self, made: Made, outcome: &OutcomeRow<'_>) {
        let gather = &mut *self.gather;
        if outcome.matured_at > gather.as_of {
            return;
        }
        let person = &mut gather.people[made.person as usize];
        gather.tallies[usize::from(person.arm)].matured += 1;
        if made.at.days_since(person.exposed) < gather.window_days {
            person.fees_minor += outcome.fee_minor;
            person.cost_minor += outcome.cost_minor;
        }
    }
}
