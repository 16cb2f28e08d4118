//! The best policy of the bandit's form: the same context, catalogue and prior, fitted to the true value
//! of every step instead of to one noisy outcome of one step.

use super::truth::Truth;
use crate::simulated_log::{Onlooker, Seen, SimulationError};
use lagom_features::domain::Action;
use lagom_model::bandit::{
    ActionSet, BanditConfig, Generation, Layout, Round, Scorer, Scratch, SufficientStatistics,
    Valuation,
};
use std::sync::Arc;

/// Minor units that count as 1.
const UNIT: f64 = 100_000.0;
/// Every so-manieth step of a decision is learnt from: what is next to each other is alike.
const EVERY: usize = 3;

/// Gathers the truth along a life.
#[derive(Debug, Default)]
pub(super) struct Pilot {
    sums: Option<SufficientStatistics>,
    config: BanditConfig,
    row: Vec<f64>,
    seen: usize,
}

/// A fitted policy: greedy on its scores.
#[derive(Debug, Clone)]
pub(super) struct LinearPolicy {
    scorer: Scorer,
    scratch: Scratch,
    row: Vec<f64>,
}

impl Pilot {
    pub(super) fn new() -> Self {
        Self::default()
    }

    /// The policy that was learnt; none if nothing was decided.
    pub(super) fn fit(self) -> Result<Option<LinearPolicy>, SimulationError> {
        let Some(sums) = self.sums else {
            return Ok(None);
        };
        let config = BanditConfig {
            head_spans: Vec::new(),
            head_firmness: Vec::new(),
            ..self.config
        };
        let generation = Generation::fit(&sums, &config, 0, 1.0, 1.0)?;
        let valuation = Valuation {
            head_weights: vec![1.0],
            action_values: Vec::new(),
        };
        Ok(Some(LinearPolicy {
            scorer: Scorer::new(Arc::new(generation), &valuation)?,
            scratch: Scratch::default(),
            row: Vec::new(),
        }))
    }
}

fn row(seen: &Seen<'_>, into: &mut Vec<f64>) {
    let decision = seen.decision;
    seen.snapshot.parts().context.of(
        &decision.features,
        decision.payment_propensity,
        decision.churn_risk,
        into,
    );
}

impl Onlooker for Pilot {
    fn look(&mut self, seen: &Seen<'_>) -> Result<Option<Action>, SimulationError> {
        let Some(truth) = Truth::of(seen) else {
            return Ok(None);
        };
        if self.sums.is_none() {
            let served = &seen.snapshot.parts().generation;
            self.config = served.config().clone();
            let layout = served.layout();
            let own = Layout::new(
                layout.space().clone(),
                layout.context().to_vec(),
                vec!["value".to_owned()],
            )?;
            self.sums = Some(SufficientStatistics::new(Arc::new(own)));
        }
        let Some(sums) = &mut self.sums else {
            return Ok(None);
        };
        row(seen, &mut self.row);
        self.seen += 1;
        // The level of a case is the same for all of its steps and says nothing of a choice.
        let level = truth.mean(std::iter::repeat(1.0 / truth.values.len() as f64));
        for &(place, value) in truth.values.iter().skip(self.seen % EVERY).step_by(EVERY) {
            sums.fold(&Round {
                context: &self.row,
                action: place,
                heads: &[(value - level) / UNIT],
                weight: 1.0,
            })?;
        }
        Ok(None)
    }
}

impl LinearPolicy {
    /// The place of the step that it takes.
    pub(super) fn choose(
        &mut self,
        seen: &Seen<'_>,
        truth: &Truth,
    ) -> Result<usize, SimulationError> {
        row(seen, &mut self.row);
        let actions = seen.snapshot.strategy().catalogue().len();
        let open: Vec<usize> = truth.all().map(|(place, _)| place).collect();
        let eligible = ActionSet::from_predicate(actions, |place| open.contains(&place));
        self.scorer.score(&self.row, &eligible, &mut self.scratch)?;
        let scores = self.scratch.eligible().iter().zip(self.scratch.values());
        let best = scores.reduce(|best, one| if one.1 > best.1 { one } else { best });
        Ok(best.map_or(0, |(&place, _)| place as usize))
    }
}
