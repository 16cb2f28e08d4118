//! What the log holds of experiments: who was drawn into which arm, and what was agreed when.

use super::{ExperimentSpec, Experiments, HOLDOUT, LAGOM};
use lagom_features::domain::{CustomerId, Timestamp};
use serde::Serialize;

/// A customer was drawn into an arm, and stays there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Assignment {
    /// Who.
    pub customer_id: CustomerId,
    /// Of which experiment; `holdout` for the holdout.
    pub experiment: String,
    /// What the draw was seeded with.
    pub salt: String,
    /// Into which arm.
    pub arm: String,
    /// When: with the first decision.
    pub at: Timestamp,
}

/// What was agreed of an experiment, from its first decision under it until the next phase.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Phase {
    /// Of which experiment.
    pub experiment: String,
    /// From 1; another digest or other shares begin the next.
    pub number: u32,
    /// When.
    pub started_at: Timestamp,
    /// What the draw is seeded with.
    pub salt: String,
    /// BLAKE3 of everything agreed but the shares: plan, arms with their policies and the strategies
    /// of their own, isolation, salt.
    pub digest: String,
    /// Arms and their shares of those who take part.
    pub shares: Vec<(String, f64)>,
    /// Whether the policy was not to learn from its customers.
    pub isolated: bool,
    /// The plan, as it stood in its file; empty for the default plan.
    pub plan: String,
}

impl Phase {
    /// Whether nothing that was agreed differs.
    fn agrees(&self, other: &Self) -> bool {
        self.digest == other.digest && self.shares == other.shares
    }
}

impl Experiments {
    /// The phases that begin at `at`, since nothing in `before` agrees with what is configured.
    #[must_use]
    pub fn phases_after(&self, before: &[Phase], at: Timestamp) -> Vec<Phase> {
        let mut now: Vec<Phase> = self.specs().iter().map(|spec| phase(spec, at)).collect();
        let holdout = self.holdout();
        if holdout.share > 0.0 {
            let shares = vec![
                (HOLDOUT.to_owned(), holdout.share),
                (LAGOM.to_owned(), 1.0 - holdout.share),
            ];
            now.push(Phase {
                experiment: HOLDOUT.to_owned(),
                number: 1,
                started_at: at,
                digest: digest(&(HOLDOUT, &holdout.salt)),
                salt: holdout.salt.clone(),
                shares,
                isolated: false,
                plan: String::new(),
            });
        }
        now.retain_mut(|one| {
            let last = before
                .iter()
                .rev()
                .find(|other| other.experiment == one.experiment);
            one.number = last.map_or(1, |last| last.number + 1);
            last.is_none_or(|last| !last.agrees(one))
        });
        now
    }
}

fn phase(spec: &ExperimentSpec, at: Timestamp) -> Phase {
    let arms: Vec<Vec<&str>> = spec
        .arms
        .iter()
        .map(|arm| {
            let own = arm.own.as_ref().map(|own| own.0.id());
            let agreed = [arm.name.as_str(), arm.policy.name()];
            agreed.into_iter().chain(own).collect()
        })
        .collect();
    Phase {
        experiment: spec.name.clone(),
        number: 1,
        started_at: at,
        salt: spec.salt().to_owned(),
        digest: digest(&(
            &spec.name,
            spec.salt(),
            spec.isolate,
            &arms,
            &spec.plan_text,
        )),
        shares: spec
            .arms
            .iter()
            .map(|arm| (arm.name.clone(), arm.share))
            .collect(),
        isolated: spec.isolate,
        plan: spec.plan_text.clone(),
    }
}

fn digest<T: Serialize>(agreed: &T) -> String {
    let text = serde_json::to_string(agreed).expect("names and a text");
    blake3::hash(text.as_bytes()).to_hex().to_string()
}
