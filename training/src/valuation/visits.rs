//! The places of a life as both policies see them, and what is collected of many.

use super::ValuationError;
use super::action_features::ActionFeatures;
use super::figures;
use super::{Policy, Shadows};
use lagom_features::domain::Days;
use lagom_features::{History, Segments};
use lagom_model::decide::{Revisitor, Snapshot};
use lagom_model::log::Decision;
use lagom_model::ope::lives::{Followed, Lives, Worth};
use lagom_model::ope::valuation::{Estimand, METRICS};
use lagom_model::ope::{OpeError, Overlap};
use std::ops::AddAssign;

/// One decision, seen by both policies.
pub(super) struct Visit {
    pub(super) taken: Vec<f64>,
    /// P(the candidate takes a step that the log could not).
    pub(super) unsupported: f64,
    pub(super) repeated: Repeated,
    weights: [f64; 2],
    averaged: [Vec<f64>; 2],
}

/// P(the candidate takes the step `a` that was drawn), `π(a)`, and its moments under the logged
/// probabilities `p`. It lies in [0, 1] however small they are, so that a sum over decisions is close to
/// normal where a sum of importance weights is far from it.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Repeated {
    /// `π(a)`.
    pub(super) seen: f64,
    /// `Σ π p`.
    pub(super) expected: f64,
    /// `Σ π² p - (Σ π p)²`.
    pub(super) variance: f64,
}

impl AddAssign for Repeated {
    fn add_assign(&mut self, other: Self) {
        self.seen += other.seen;
        self.expected += other.expected;
        self.variance += other.variance;
    }
}

impl Repeated {
    fn of(seen: f64, chances: &[f64], logged: &[f64]) -> Self {
        let both = || chances.iter().zip(logged);
        let expected: f64 = both().map(|(pi, p)| pi * p).sum();
        let square: f64 = both().map(|(pi, p)| pi * pi * p).sum();
        Self {
            seen,
            expected,
            variance: (square - expected * expected).max(0.0),
        }
    }
}

/// Where the chances of a policy come from.
enum Chances<'a> {
    Logged,
    Asked(Box<Revisitor<'a>>),
    Shadowed(&'a Shadows),
}

/// Both policies, asked in one place after another.
pub(super) struct Asked<'a> {
    policies: [Chances<'a>; 2],
    features: ActionFeatures,
    context: Option<&'a Snapshot>,
}

impl<'a> Asked<'a> {
    pub(super) fn new(
        (candidate, incumbent): (Policy<'a>, Policy<'a>),
        segments: [&'a Segments; 2],
    ) -> Self {
        let chances = |policy: Policy<'a>, segments: &'a Segments| match policy {
            Policy::Logged => Chances::Logged,
            Policy::Of(snapshot, kind) => {
                let revisitor = Revisitor::new(snapshot, kind).among(segments);
                Chances::Asked(Box::new(revisitor))
            }
            Policy::Shadowed(shadows) => Chances::Shadowed(shadows),
        };
        let context = [candidate, incumbent]
            .into_iter()
            .find_map(|one| match one {
                Policy::Logged | Policy::Shadowed(_) => None,
                Policy::Of(snapshot, _) => Some(snapshot),
            });
        Self {
            policies: [
                chances(candidate, segments[0]),
                chances(incumbent, segments[1]),
            ],
            features: ActionFeatures::default(),
            context,
        }
    }

    pub(super) fn live(
        &mut self,
        life: &[Decision],
        history: &History,
        horizon: Days,
    ) -> Result<Vec<Visit>, ValuationError> {
        let first = life[0].decided_at;
        life.iter()
            .take_while(|decision| decision.decided_at < first + horizon)
            .map(|decision| self.visit(decision, history, decision.decided_at.days_since(first)))
            .collect()
    }

    fn visit(
        &mut self,
        decision: &Decision,
        history: &History,
        days: f64,
    ) -> Result<Visit, ValuationError> {
        let id = decision.action.id();
        let mut context = Vec::new();
        if let Some(snapshot) = self.context {
            // The reward model's context is the log's own: the same for both policies.
            snapshot.parts().context.of(
                &decision.features,
                decision.payment_propensity,
                decision.churn_risk,
                &mut context,
            );
        }
        context.push(days / 30.0);
        context.push((days / 30.0).powi(2));
        let logged: Vec<f64> = decision
            .eligible
            .iter()
            .map(|one| one.probability)
            .collect();
        let mut weights = [1.0; 2];
        let mut averaged = [Vec::new(), Vec::new()];
        let mut chances = Vec::new();
        let mut unsupported = 0.0;
        let mut repeated = Repeated::default();
        for (number, policy) in self.policies.iter_mut().enumerate() {
            match policy {
                Chances::Logged => chances.clone_from(&logged),
                Chances::Shadowed(shadows) => {
                    let shadow = shadows.get(&decision.decision_id);
                    let of = |action| {
                        let choice = shadow?.iter().find(|choice| choice.action == action)?;
                        Some(choice.probability)
                    };
                    let eligible = decision.eligible.iter();
                    chances.clear();
                    chances.extend(eligible.map(|one| of(one.action.clone()).unwrap_or(0.0)));
                    weights[number] = of(id.clone()).unwrap_or(0.0) / decision.probability;
                }
                Chances::Asked(revisitor) => {
                    let asked = revisitor.probabilities(decision, history, &mut chances);
                    asked.map_err(|source| ValuationError::Decide {
                        decision_id: decision.decision_id.to_string(),
                        source,
                    })?;
                    let place = decision.eligible.iter().position(|one| one.action == id);
                    let chance = place.map_or(0.0, |place| chances[place]);
                    weights[number] = chance / decision.probability;
                }
            }
            if number == 0 {
                let both = chances.iter().zip(&logged);
                let possible = both.filter(|(_, logged)| **logged > 0.0);
                // What the log does not list at all is missing from the sum too.
                unsupported = (1.0 - possible.map(|(chance, _)| chance).sum::<f64>()).max(0.0);
                repeated = Repeated::of(weights[0] * decision.probability, &chances, &logged);
            }
            averaged[number] = self
                .features
                .averaged(&context, &decision.eligible, &chances);
        }
        Ok(Visit {
            taken: self.features.of(&context, &id),
            unsupported,
            repeated,
            weights,
            averaged,
        })
    }
}

/// Lives with both policies' part in them.
pub(super) struct Collected {
    pub(super) lives: Lives,
    followed: [Followed; 2],
}

impl Collected {
    pub(super) fn new(width: usize) -> Self {
        Self {
            lives: Lives::new(width, METRICS.len()),
            followed: [Followed::default(), Followed::default()],
        }
    }

    pub(super) fn push(&mut self, visit: &Visit, rewards: &[f64]) {
        self.lives.push(&visit.taken, rewards);
        for (number, followed) in self.followed.iter_mut().enumerate() {
            followed.weights.push(visit.weights[number]);
            followed.averaged.extend_from_slice(&visit.averaged[number]);
        }
    }

    pub(super) fn overlap(&self, policy: usize) -> Overlap {
        self.lives.overlap(&self.followed[policy])
    }

    /// Every metric under the candidate.
    pub(super) fn worth_of_candidate(&self) -> Result<Vec<Worth>, OpeError> {
        self.lives.value(&self.followed[0])
    }

    pub(super) fn estimand(
        &self,
        confidence: f64,
        segments: &[String],
    ) -> Result<(Estimand, [Vec<Worth>; 2]), OpeError> {
        let worths = [
            self.lives.value(&self.followed[0])?,
            self.lives.value(&self.followed[1])?,
        ];
        let overlap = [self.overlap(0), self.overlap(1)];
        let estimand = figures::estimand(
            &worths,
            overlap,
            self.lives.customers(),
            confidence,
            segments,
        )?;
        Ok((estimand, worths))
    }
}

#[cfg(test)]
mod tests {
    use super::Repeated;

    #[test]
    fn moments_of_a_repeated_step_are_those_of_drawing_it() {
        let (pi, p) = ([0.5, 0.5, 0.0], [0.001, 0.599, 0.4]);
        let found = Repeated::of(0.5, &pi, &p);
        // π(a) is 0.5 with probability 0.6 and 0 else.
        assert!((found.expected - 0.3).abs() < 1e-12);
        assert!((found.variance - 0.25 * 0.6 * 0.4).abs() < 1e-12);
        let certain = Repeated::of(1.0, &[1.0, 0.0], &[1.0, 0.0]);
        assert_eq!((certain.expected, certain.variance), (1.0, 0.0));
    }
}
