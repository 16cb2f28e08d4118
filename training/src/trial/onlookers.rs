//! Who looks over a decision's shoulder: policies that cannot serve, and the witness of the bandit.

use super::curve::{Curve, Step};
use super::linear::LinearPolicy;
use super::truth::Truth;
use crate::simulated_log::{Onlooker, Seen, SimulationError};
use lagom_features::domain::Action;
use lagom_model::bandit::BaseScratch;
use lagom_model::decide::{PolicyKind, Request, Workspace, decide};
use lagom_model::policy::gentle::Harshness;

/// Does nothing, ever.
#[derive(Debug)]
pub(super) struct Waiting;

impl Onlooker for Waiting {
    fn look(&mut self, _: &Seen<'_>) -> Result<Option<Action>, SimulationError> {
        Ok(Some(Action::WAIT))
    }
}

/// Takes the step of the highest true value.
#[derive(Debug)]
pub(super) struct Clairvoyant;

impl Onlooker for Clairvoyant {
    fn look(&mut self, seen: &Seen<'_>) -> Result<Option<Action>, SimulationError> {
        let best = Truth::of(seen).and_then(|truth| truth.best());
        Ok(best.map(|(place, _)| seen.snapshot.strategy().catalogue()[place].clone()))
    }
}

/// Takes the step of the best linear policy.
#[derive(Debug)]
pub(super) struct AsLinear(pub(super) Option<LinearPolicy>);

impl Onlooker for AsLinear {
    fn look(&mut self, seen: &Seen<'_>) -> Result<Option<Action>, SimulationError> {
        let (Some(policy), Some(truth)) = (&mut self.0, Truth::of(seen)) else {
            return Ok(None);
        };
        let place = policy.choose(seen, &truth)?;
        Ok(Some(seen.snapshot.strategy().catalogue()[place].clone()))
    }
}

/// Values each decision of the bandit, and what others would have done in its place.
#[derive(Debug)]
pub(super) struct Witness {
    linear: Option<LinearPolicy>,
    workspace: Workspace,
    base: BaseScratch,
    measure: Vec<f64>,
    pub(super) curve: Curve,
}

impl Witness {
    pub(super) fn new(linear: Option<LinearPolicy>) -> Self {
        Self {
            linear,
            workspace: Workspace::new(),
            base: BaseScratch::default(),
            measure: Vec::new(),
            curve: Curve::default(),
        }
    }
}

impl Onlooker for Witness {
    fn look(&mut self, seen: &Seen<'_>) -> Result<Option<Action>, SimulationError> {
        let Some(truth) = Truth::of(seen) else {
            return Ok(None);
        };
        let request = Request {
            policy: Some(PolicyKind::Ladder),
            ..seen.request.clone()
        };
        let ladder = decide(seen.snapshot, &request, &mut self.workspace)?;
        let place = |action: &Action| seen.snapshot.strategy().place(action).unwrap_or(0);
        let value = |place: usize| truth.at(place).unwrap_or(0.0);
        let linear = match &mut self.linear {
            Some(policy) => policy.choose(seen, &truth)?,
            None => 0,
        };
        let places: Vec<u32> = truth
            .values
            .iter()
            .map(|&(place, _)| place as u32)
            .collect();
        let base = seen.snapshot.base();
        base.restrict(&places, &mut self.base, &mut self.measure);
        let bandit = truth.mean(seen.decision.eligible.iter().map(|one| one.probability));
        let explored = truth.mean(self.measure.iter().copied());
        let floor = seen.snapshot.parts().generation.config().exploration.floor;
        let scale = seen.snapshot.strategy().scale();
        let grade = |place: usize| scale[place].map_or(0, Harshness::grade);
        let mut grades = [0.0; Harshness::GRADES.len()];
        for (one, &place) in seen.decision.eligible.iter().zip(&places) {
            grades[grade(place as usize)] += one.probability;
        }
        let wait = seen.decision.eligible.iter().zip(&places);
        self.curve.steps.push(Step {
            day: seen.life.today(),
            matured: seen.matured,
            bandit,
            net: (bandit - floor * explored) / (1.0 - floor),
            ladder: value(place(&ladder.action)),
            linear: value(linear),
            best: truth.best().map_or(0.0, |(_, value)| value),
            wait: value(0),
            contacts: 1.0
                - wait
                    .filter(|(_, place)| **place == 0)
                    .map(|(one, _)| one.probability)
                    .sum::<f64>(),
            asked: grade(linear),
            grades,
        });
        Ok(None)
    }
}
