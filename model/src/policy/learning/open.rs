//! Rounds whose outcome is not known yet: what learning reads of a decision, and no more of it.

use super::Learning;
use crate::bandit::BaseScratch;
use crate::log::Decision;
use crate::strategy::WAIT;
use lagom_features::domain::Timestamp;

/// Least that a round counts, however certain its step was.
const LEAST_WEIGHT: f64 = 0.02;

/// What learning reads of a decision until its outcome is known: of some 24 KB that a decision with
/// its refusals takes, a few hundred bytes.
///
/// It is of the configuration that opened it: [`Learning::close`] belongs to the same [`Learning`] or to
/// one that goes on from it.
#[derive(Debug, Clone)]
pub enum OpenRound {
    /// Of this catalogue and these features.
    Own(Box<Opened>),
    /// The action is not in the catalogue any more, or the features are of another spec.
    Foreign,
}

/// What [`OpenRound::Own`] holds.
#[derive(Debug, Clone)]
pub struct Opened {
    pub(super) decided_at: Timestamp,
    /// Its place in the catalogue.
    pub(super) action: u32,
    /// As the bandit saw the case.
    pub(super) context: Box<[f64]>,
    /// How much the round counts, by [`Learning::importance`].
    pub(super) importance: f64,
    /// Days since the invoice fell due; NaN where unknown.
    pub(super) age_days: f64,
    /// Of what could have been chosen, ascending; held where channels are scarce.
    pub(super) places: Option<Box<[u32]>>,
}

impl Learning {
    /// What has to be held of `decision` until its outcome is known.
    #[must_use]
    pub fn open(&self, decision: &Decision) -> OpenRound {
        let place = self.strategy.place(&decision.action);
        let (Some(action), true) = (place, decision.feature_fingerprint == self.fingerprint) else {
            return OpenRound::Foreign;
        };
        let mut context = Vec::new();
        self.context.of(
            &decision.features,
            decision.payment_propensity,
            decision.churn_risk,
            &mut context,
        );
        let places = self.places(decision);
        let importance = self.weigh(decision, places.as_deref());
        let scarce = self.scarcity.is_some();
        let places = places.filter(|_| scarce).map(|mut places| {
            places.sort_unstable();
            places.into_boxed_slice()
        });
        OpenRound::Own(Box::new(Opened {
            decided_at: decision.decided_at,
            action: u32::try_from(action).expect("a catalogue has fewer than 2^32 actions"),
            context: context.into_boxed_slice(),
            importance,
            age_days: self.context.age_days(&decision.features),
            places,
        }))
    }

    /// How much a logged round counts, by what else could have been done in its case.
    ///
    /// ```text
    /// w = 2 P(contact | x)                         where the case was left waiting
    /// w = 2 P(wait | x) · (½ + ½ μ_c(a) / p_c(a))  where contact a was made; p_c, μ_c: among contacts
    /// ```
    /// Each generation waits and contacts in different cases, and what happens anyway is not linear in
    /// what is known of a case. Unweighted, the fit explains that by the contact: late cases are left
    /// alone and do not pay, so contact seems to help. Under the first factors (overlap weights) waiting
    /// and contact have the same distribution of cases, whatever the logged probabilities were, and no
    /// weight is large: Li, Morgan, Zaslavsky, "Balancing covariates via propensity score weighting",
    /// JASA 113, 2018, doi:10.1080/01621459.2016.1260466. The last factor does half of the same among
    /// contacts; the other half keeps it small: a defensive mixture (Hesterberg, Technometrics 37(2),
    /// 1995, doi:10.1080/00401706.1995.10484303).
    ///
    /// A case in which nothing else was possible says hardly anything of a choice and counts
    /// `LEAST_WEIGHT`; a rule that never explores has no weight that would undo it, and counts 1.
    #[must_use]
    pub fn importance(&self, decision: &Decision) -> f64 {
        self.weigh(decision, self.places(decision).as_deref())
    }

    /// The same; `places` are those of what could have been done, in the decision's order, or `None`
    /// where not all of it is in the catalogue.
    fn weigh(&self, decision: &Decision, places: Option<&[u32]>) -> f64 {
        let explored = decision.probability < 1.0 || decision.eligible.len() == 1;
        let Some(places) = places.filter(|_| explored) else {
            return 1.0;
        };
        let mut measure = Vec::with_capacity(places.len());
        self.base
            .restrict(places, &mut BaseScratch::default(), &mut measure);
        let chosen = decision.action.id();
        let Some(at) = (decision.eligible.iter()).position(|one| one.action == chosen) else {
            return 1.0;
        };
        let wait = places.iter().position(|&place| place as usize == WAIT);
        let chance = |at: Option<usize>| at.map_or(0.0, |at| decision.eligible[at].probability);
        let waits = chance(wait).clamp(0.0, 1.0);
        let weight = if wait == Some(at) {
            2.0 * (1.0 - waits)
        } else {
            let among = measure[at] / (1.0 - wait.map_or(0.0, |at| measure[at]));
            let own = decision.probability / (1.0 - waits);
            2.0 * waits * (0.5 + 0.5 * among / own)
        };
        weight.max(LEAST_WEIGHT)
    }

    /// Places of the eligible actions in the catalogue, in the decision's order; `None` if one is not
    /// there.
    fn places(&self, decision: &Decision) -> Option<Vec<u32>> {
        let eligible = decision.eligible.iter();
        eligible
            .map(|choice| u32::try_from(self.strategy.place_of(&choice.action)?).ok())
            .collect()
    }
}
