//! What was agreed before the start, and whether it was kept: the plan, the shares, and that the
//! reviewed policy did not learn from those it is judged on.

use std::collections::BTreeSet;

use lagom_features::domain::Timestamp;
use lagom_model::statistics::decision::IntegrityFailure;
use serde::{Deserialize, Serialize};

/// The policy whose choices depend on what it learnt.
const LEARNS: &str = "bandit";

/// What a store knows beside the canonical tables; `lagom export` writes it as `experiments.json`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Design {
    /// What was agreed of experiments, by time.
    pub phases: Vec<Phase>,
    /// What was published of the policy, by time.
    pub generations: Vec<Generation>,
    /// The model versions of the registry.
    pub models: Vec<Trained>,
}

/// Instants as people write them.
mod instant {
    use lagom_features::domain::Timestamp;
    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    pub(super) fn serialize<S: Serializer>(at: &Timestamp, out: S) -> Result<S::Ok, S::Error> {
        out.collect_str(at)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(input: D) -> Result<Timestamp, D::Error> {
        Timestamp::parse(&String::deserialize(input)?).map_err(D::Error::custom)
    }
}

/// What was agreed of an experiment, from its first decision under it until the next phase.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Phase {
    /// Of which experiment.
    pub experiment: String,
    /// From 1.
    pub number: u32,
    /// When.
    #[serde(with = "instant")]
    pub started_at: Timestamp,
    /// What the draw of arms is seeded with.
    pub salt: String,
    /// Digest of everything agreed but the shares.
    pub digest: String,
    /// Arms and their shares.
    pub shares: Vec<(String, f64)>,
    /// Whether the policy was not to learn from its customers.
    pub isolated: bool,
    /// The plan's text; empty for the default plan.
    #[serde(default)]
    pub plan: String,
}

/// A publication of the policy's learning state.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Generation {
    /// Its number.
    pub number: u64,
    /// When.
    #[serde(with = "instant")]
    pub published_at: Timestamp,
    /// Experiments from whose customers nothing was learnt.
    pub excluded: Vec<String>,
}

/// A model version.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Trained {
    /// Its id.
    pub id: String,
    /// Nothing recorded from here on was read.
    #[serde(with = "instant")]
    pub as_of: Timestamp,
    /// Experiments whose customers were left out.
    pub excluded: Vec<String>,
}

/// Whether the reviewed policy learnt from those it is judged on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Told {
    /// It did not.
    Isolated,
    /// It did.
    NotIsolated,
    /// What it learnt from is not known.
    CannotTell,
}

/// The finding, with its grounds.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Isolation {
    /// The finding.
    pub state: Told,
    /// What it rests on, in a sentence.
    pub why: String,
    /// How many generations of the policy decided.
    pub generations: u64,
    /// Which model versions did.
    pub models: Vec<String>,
}

/// What was agreed, and whether it was kept.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct DesignReport {
    /// The phases so far, by time; none where nothing was written down before the start.
    pub phases: Vec<Phase>,
    /// Whether the plan reviewed by is another than the one agreed at the start.
    pub plan_changed: bool,
    /// Whether the policy was kept from learning from these customers.
    pub isolation: Isolation,
    /// Customers left out because they came under earlier shares or an earlier draw.
    pub earlier_customers: u64,
}

impl DesignReport {
    pub(super) fn failures(&self) -> Vec<IntegrityFailure> {
        let mut failures = Vec::new();
        if self.plan_changed {
            failures.push(IntegrityFailure::PlanChanged);
        }
        if self.isolation.state == Told::NotIsolated {
            failures.push(IntegrityFailure::TrainingNotIsolated);
        }
        failures
    }
}

/// What those who decided had learnt.
#[derive(Debug, Clone, Default)]
pub(super) struct Learnt {
    generations: BTreeSet<u64>,
    models: BTreeSet<String>,
}

impl Learnt {
    pub(super) fn add(&mut self, policy: &str, generation: u64, model_id: Option<&str>) {
        if policy != LEARNS {
            return;
        }
        self.generations.insert(generation);
        if let Some(id) = model_id.filter(|id| !self.models.contains(*id)) {
            self.models.insert(id.to_owned());
        }
    }
}

/// What was agreed of one experiment up to a day.
#[derive(Debug)]
pub(super) struct Agreed<'a> {
    experiment: &'a str,
    design: Option<&'a Design>,
    phases: Vec<&'a Phase>,
}

impl<'a> Agreed<'a> {
    pub(super) fn of(design: Option<&'a Design>, experiment: &'a str, as_of: Timestamp) -> Self {
        let phases = design.into_iter().flat_map(|design| &design.phases);
        let theirs = |one: &&Phase| one.experiment == experiment && one.started_at <= as_of;
        Self {
            experiment,
            design,
            phases: phases.filter(theirs).collect(),
        }
    }

    /// The phases under the present draw.
    fn present(&self) -> &[&'a Phase] {
        let Some(last) = self.phases.last() else {
            return &[];
        };
        let other = self.phases.iter().rposition(|one| one.salt != last.salt);
        &self.phases[other.map_or(0, |at| at + 1)..]
    }

    /// From when on customers came under the present draw and the present shares: customers of
    /// other shares cannot be pooled with them, since their times differ between the arms.
    pub(super) fn since(&self) -> Option<Timestamp> {
        let present = self.present();
        let last = present.last()?;
        let other = present.iter().rposition(|one| one.shares != last.shares);
        Some(present[other.map_or(0, |at| at + 1)].started_at)
    }

    /// The plan that was agreed, where it is not the default plan.
    pub(super) fn plan(&self) -> Option<&'a str> {
        let plan = self.phases.last().map(|one| one.plan.as_str());
        plan.filter(|plan| !plan.is_empty())
    }

    pub(super) fn shares(&self) -> Option<&'a [(String, f64)]> {
        self.phases.last().map(|one| one.shares.as_slice())
    }

    pub(super) fn report(
        &self,
        plan: Option<&str>,
        learnt: &Learnt,
        earlier_customers: u64,
    ) -> DesignReport {
        let present = self.present();
        let first = present.first();
        let redone = present
            .iter()
            .any(|one| Some(&one.digest) != first.map(|one| &one.digest));
        let other = match (plan, self.phases.last()) {
            (Some(plan), Some(agreed)) => agreed.plan != plan,
            _ => false,
        };
        DesignReport {
            phases: self.phases.iter().map(|one| (*one).clone()).collect(),
            plan_changed: redone || other,
            isolation: self.isolation(learnt),
            earlier_customers,
        }
    }

    fn isolation(&self, learnt: &Learnt) -> Isolation {
        let (state, why) = self.finding(learnt);
        Isolation {
            state,
            why,
            generations: learnt.generations.len() as u64,
            models: learnt.models.iter().cloned().collect(),
        }
    }

    fn finding(&self, learnt: &Learnt) -> (Told, String) {
        if learnt.generations.is_empty() && learnt.models.is_empty() {
            let why = "nobody who learns decided for these customers";
            return (Told::Isolated, why.to_owned());
        }
        let (Some(design), Some(start)) = (self.design, self.present().first()) else {
            let why = "the log alone does not say what the policy had learnt from";
            return (Told::CannotTell, why.to_owned());
        };
        let start = start.started_at;
        let mut unknown = None;
        for number in &learnt.generations {
            let published = design.generations.iter().find(|one| one.number == *number);
            match published {
                None => unknown = Some(format!("generation {number} of the policy is not known")),
                Some(one) if one.published_at < start || self.excluded(&one.excluded) => {}
                Some(one) => {
                    let why = format!(
                        "generation {number}, published {}, had learnt from these customers too",
                        one.published_at
                    );
                    return (Told::NotIsolated, why);
                }
            }
        }
        for id in &learnt.models {
            match design.models.iter().find(|one| &one.id == id) {
                None => unknown = Some(format!("model `{id}` is not in the registry any more")),
                Some(one) if one.as_of <= start || self.excluded(&one.excluded) => {}
                Some(one) => {
                    let why = format!(
                        "model `{id}` was trained up to {} with these customers in it",
                        one.as_of
                    );
                    return (Told::NotIsolated, why);
                }
            }
        }
        match unknown {
            Some(why) => (Told::CannotTell, why),
            None => (
                Told::Isolated,
                format!(
                    "{} generations of the policy and {} model versions decided; none had learnt \
                     from these customers",
                    learnt.generations.len(),
                    learnt.models.len()
                ),
            ),
        }
    }

    fn excluded(&self, names: &[String]) -> bool {
        names.iter().any(|name| name == self.experiment)
    }
}

#[cfg(test)]
mod tests;
