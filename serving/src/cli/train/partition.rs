//! `lagom train --partition`: what a part of the customers teaches the policy, to be merged.

use super::rounds;
use crate::cli::answer::{Answer, Failure};
use crate::cli::output::Output;
use crate::config::Config;
use lagom_features::domain::CustomerId;
use lagom_model::artefact::{ModelVersion, PolicyOrigin};
use lagom_model::policy::learning::{Folded, Learning};
use lagom_training::registry::Registry;
use lagom_training::tables::part_of;
use serde::Serialize;
use std::path::Path;
use std::str::FromStr;

/// A part of the customers, the same wherever it is taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Part {
    /// From 1.
    number: usize,
    of: usize,
}

impl FromStr for Part {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let both = text.split_once('/');
        let parsed = both.and_then(|(number, of)| Some((number.parse().ok()?, of.parse().ok()?)));
        match parsed {
            Some((number, of)) if (1..=of).contains(&number) => Ok(Self { number, of }),
            _ => Err(format!(
                "`{text}` is no part: write 3/8 for the third of eight"
            )),
        }
    }
}

impl Part {
    /// Whether it holds a customer: one belongs to exactly one of the parts.
    fn holds(self, customer: &CustomerId) -> bool {
        part_of(customer, self.of) + 1 == self.number
    }
}

#[derive(Debug, Serialize)]
struct Report {
    /// Logged rounds of the part.
    rounds: usize,
    /// Of them, learnt from.
    learnt: u64,
}

/// Writes what the rounds of a part teach the policy of the version `id`, under its own terms: what it was
/// trained on, without the experiments that it left out.
pub(super) fn run(
    (data, models, id): (&Path, &Path, &str),
    part: Part,
    into: &Path,
    config: &Config,
    out: &mut Output,
) -> Result<Answer, Failure> {
    let version = Registry::at(models).get(id)?;
    let lineage = &version.parts().lineage;
    let mut learning = config.nothing_learnt(&version.parts().feature_fingerprint)?;
    same_ways(&version, &learning)?;
    let mut counted = Report {
        rounds: 0,
        learnt: 0,
    };
    // The age of every round is reckoned from the first of the whole log, in whatever part that lies.
    let mut first = learning.clone();
    for round in rounds(data, &lineage.excluded, lineage.as_of)? {
        if first.rounds() == 0 && first.fold(&round)? == Folded::Learnt {
            learning = learning.weighing_as(&first);
        }
        if part.holds(&round.decision.customer_id) {
            counted.rounds += 1;
            learning.fold(&round)?;
        }
    }
    counted.learnt = learning.rounds();
    let Some(sums) = learning.warm_start() else {
        return Err(format!(
            "{}: no logged round has the features of {} and this catalogue; there is nothing to merge",
            data.display(),
            version.id()
        )
        .into());
    };
    std::fs::write(into, serde_json::to_vec(&sums)?)
        .map_err(|error| format!("{}: {error}", into.display()))?;
    out.report(&counted, || {
        let (Report { rounds, learnt }, Part { number, of }) = (&counted, part);
        format!("part {number} of {of}: learnt from {learnt} of {rounds} logged rounds\n")
    })?;
    out.next(format_args!(
        "lagom merge --models {} --model {id} {} ...",
        models.display(),
        into.display()
    ));
    Ok(Answer::Yes)
}

/// Refuses a configuration by which the policy of a version would learn in other ways than it was trained
/// to.
fn same_ways(version: &ModelVersion, learning: &Learning) -> Result<(), Failure> {
    let ways = learning.generation().ways();
    match version.parts().lineage.policy {
        Some(PolicyOrigin { ways: own, .. }) if own != ways => Err(format!(
            "the policy of {} learns in ways {own}, this configuration in {ways}; name the --config that it \
             was trained with",
            version.id()
        )
        .into()),
        Some(PolicyOrigin { anchored: true, .. }) => Err(format!(
            "{} was trained with --anchor, which looks at the whole log; train a version without it to \
             learn by parts",
            version.id()
        )
        .into()),
        _ => Ok(()),
    }
}
