//! What one arm did, counted.

use lagom_model::statistics::Moments;

use super::paid::{SoFar, TIMES};
use super::rows::DecisionRow;
use crate::review::log::ArmReport;
use crate::review::log::pay::Pay;
use crate::steps::Step as Added;

/// Probabilities are summed in whole numbers of this, so that their order does not matter.
const GRAIN: f64 = 9_007_199_254_740_992.0;

/// Counts of one arm.
#[derive(Debug, Clone, Default)]
pub(in crate::review::log) struct Tally {
    decisions: u64,
    /// Decisions whose outcome is known.
    pub(super) matured: u64,
    fallbacks: u64,
    probabilities: u128,
    steps: Vec<Step>,
    /// What its channels and tones add over waiting.
    pub(super) added: Vec<Added>,
    pub(in crate::review::log) pay: Pay,
    /// Collected so far and billed, of customers whose window has closed, by time since exposure.
    pub(in crate::review::log) since_exposure: Vec<Moments>,
}

#[derive(Debug, Clone)]
struct Step {
    kind: String,
    channel: Option<String>,
    tone: Option<String>,
    count: u64,
}

impl Tally {
    pub(super) fn count(&mut self, one: &DecisionRow<'_>) {
        self.decisions += 1;
        self.fallbacks += u64::from(one.fallback);
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a probability is not negative, and 2^53 of it fit"
        )]
        let grains = (one.probability * GRAIN) as u128;
        self.probabilities += grains;
        let same = |step: &&mut Step| {
            step.kind == one.kind
                && step.channel.as_deref() == one.channel
                && step.tone.as_deref() == one.tone
        };
        match self.steps.iter_mut().find(same) {
            Some(step) => step.count += 1,
            None => self.steps.push(Step {
                kind: one.kind.to_owned(),
                channel: one.channel.map(str::to_owned),
                tone: one.tone.map(str::to_owned),
                count: 1,
            }),
        }
    }

    pub(super) fn follow(&mut self, so_far: &SoFar, billed: f64) {
        if self.since_exposure.is_empty() {
            self.since_exposure = vec![Moments::new(2); TIMES];
        }
        for (moments, collected) in self.since_exposure.iter_mut().zip(so_far.sums()) {
            moments.push(&[collected, billed]);
        }
    }

    pub(in crate::review::log) fn report(&self) -> ArmReport {
        let mut actions: Vec<(String, u64)> = self
            .steps
            .iter()
            .map(|step| {
                let part = |text: &Option<String>| text.clone().unwrap_or_else(|| "none".into());
                let name = format!("{}.{}.{}", step.kind, part(&step.channel), part(&step.tone));
                (name, step.count)
            })
            .collect();
        actions.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
        ArmReport {
            decisions: self.decisions,
            without_outcome: self.decisions.saturating_sub(self.matured),
            fallbacks: self.fallbacks,
            mean_probability: (self.decisions > 0)
                .then(|| self.probabilities as f64 / GRAIN / self.decisions as f64),
            actions,
            steps: self.added.clone(),
            curve: Vec::new(),
        }
    }
}
