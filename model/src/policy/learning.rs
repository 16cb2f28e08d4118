//! The bandit's memory: matured rounds in, generations out.

mod open;

pub use open::OpenRound;

use super::context::Context;
use super::heads::{COLLECTED, CONTEXT_FIRMNESS, FIRMNESS, HEADS, SPANS, expected, observed};
use super::scarcity::{Remembered, Scarcity};
use super::warm_start::{WarmStart, keep_latest};
use crate::bandit::{
    Anchor, Aside, BanditConfig, BanditError, BaseMeasure, ForwardDecay, Generation, Layout,
    Learner, Recovery, Round, SufficientStatistics,
};
use crate::log::{Executed, LoggedRound, Outcome};
use crate::objective::Objective;
use crate::policy::catalogue::action_space;
use crate::strategy::Strategy;
use lagom_features::domain::{Channel, Timestamp};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::sync::Arc;

const DAY_MICROS: i64 = 86_400_000_000;

/// What became of a round that was offered for learning.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Folded {
    /// It was learnt from.
    Learnt,
    /// The advice failed for reasons that have nothing to do with the customer; counted apart.
    Failed,
    /// Its window was cut short.
    Censored,
    /// Its action is not in the catalogue any more, or its features are of another spec.
    Foreign,
    /// The warm start knows it already.
    Known,
}

/// Everything that the rounds to come depend on and that the configuration does not say.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Learned {
    learner: Learner,
    half_life_days: Option<f64>,
    days: BTreeMap<i64, u64>,
    decay: Option<ForwardDecay>,
    latest: Timestamp,
    known_through: Option<Timestamp>,
    recovery: Recovery,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    scarcity: Option<Remembered>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    anchor: Option<Anchor>,
}

/// Folds what matured, publishes what was learnt. The same rounds in the same order publish the
/// same generations, online, offline and on replay.
#[derive(Debug, Clone)]
pub struct Learning {
    learner: Learner,
    context: Context,
    strategy: Arc<Strategy>,
    fingerprint: String,
    half_life_days: Option<f64>,
    /// What exploring may cost in a day, in the objective's units.
    budget: Option<f64>,
    /// Decisions of each of the latest days (UTC) whose outcomes are in.
    days: BTreeMap<i64, u64>,
    recovery: Recovery,
    /// Where some channels are scarce.
    scarcity: Option<Scarcity>,
    /// How far the policy may go from the ladder.
    anchor: Option<Anchor>,
    /// Set by the first round, so that the same rounds always get the same weights.
    decay: Option<ForwardDecay>,
    /// The latest end of a window that was learnt from.
    latest: Timestamp,
    /// Rounds up to here are in the sums that learning started with.
    known_through: Option<Timestamp>,
    base: BaseMeasure,
}

/// The configuration with scale and firmness of each head, unless the company states its own.
#[must_use]
pub fn with_spans(mut config: BanditConfig) -> BanditConfig {
    if config.head_spans.is_empty() {
        config.head_spans = SPANS.to_vec();
    }
    if config.head_firmness.is_empty() {
        config.head_firmness = FIRMNESS.to_vec();
    }
    config.context_firmness.get_or_insert(CONTEXT_FIRMNESS);
    config
}

/// The shape of what is learnt for a strategy and a context.
///
/// # Errors
/// [`BanditError`] where the catalogue is too large.
pub fn layout(strategy: &Strategy, context: &Context) -> Result<Layout, BanditError> {
    Layout::new(
        action_space(strategy)?,
        context.names().map(str::to_owned).collect(),
        HEADS.iter().map(|&head| head.to_owned()).collect(),
    )
}

impl Learning {
    /// Starts with nothing learnt, for features of the spec with this `fingerprint`.
    ///
    /// # Errors
    /// [`BanditError`] where the configuration or catalogue cannot be used.
    pub fn new(
        strategy: Arc<Strategy>,
        context: Context,
        fingerprint: impl Into<String>,
        config: BanditConfig,
    ) -> Result<Self, BanditError> {
        let layout = Arc::new(layout(&strategy, &context)?);
        let base = BaseMeasure::new(layout.space(), config.base_measure);
        let sums = SufficientStatistics::new(layout);
        let learner = Learner::new(sums, &with_spans(config), 1.0)?;
        Ok(Self {
            learner,
            context,
            strategy,
            fingerprint: fingerprint.into(),
            half_life_days: None,
            budget: None,
            days: BTreeMap::new(),
            recovery: Recovery::default(),
            scarcity: None,
            anchor: None,
            decay: None,
            latest: Timestamp::MIN,
            known_through: None,
            base,
        })
    }

    /// Lets a round count half after so many days; for ever where `None`.
    #[must_use]
    pub fn with_half_life(mut self, days: Option<f64>) -> Self {
        self.half_life_days = days;
        self
    }

    /// Lets exploring cost at most so much in a day, in the objective's units (minor units of money):
    /// each decision gets an equal share of it, counted on a day as busy as the busiest of the latest
    /// four weeks whose outcomes are in. What the floor costs is spent in any case.
    #[must_use]
    pub fn with_exploration_budget(mut self, budget: Option<f64>) -> Self {
        self.budget = budget;
        self
    }

    /// Lets channels be scarce: those named can be used so many times a day, and cost a shadow price
    /// beside their own where more would be asked for; see [`scarcity`](super::scarcity).
    #[must_use]
    pub fn with_capacity(mut self, capacity: BTreeMap<Channel, u32>, objective: Objective) -> Self {
        let scarce = !capacity.is_empty();
        self.scarcity = scarce.then(|| Scarcity::new(capacity, objective));
        self
    }

    /// Reckons the age of rounds as `other` does, so that what both learn can be added up.
    #[must_use]
    pub fn weighing_as(mut self, other: &Self) -> Self {
        self.half_life_days = other.half_life_days;
        self.decay = other.decay;
        self
    }

    /// Holds the policy to the explored ladder; `None` lets it go its own way.
    ///
    /// # Errors
    /// [`BanditError::Parameter`] for numbers out of range.
    pub fn anchored(mut self, anchor: Option<Anchor>) -> Result<Self, BanditError> {
        if let Some(anchor) = &anchor {
            anchor.check()?;
        }
        if self.anchor != anchor {
            self.anchor = anchor;
            self.learner.amend(self.aside());
        }
        Ok(self)
    }

    fn allowance(&self) -> Option<f64> {
        let busiest = *self.days.values().max()?;
        self.budget.map(|budget| budget / busiest as f64)
    }

    /// Starts from what was learnt from history, if it is of the same shape. Rounds that are in it
    /// are not learnt from again.
    ///
    /// # Errors
    /// [`BanditError::ForeignSums`] where strategy, context or features have changed since.
    pub fn start_from(mut self, warm: WarmStart) -> Result<Self, BanditError> {
        let expected = self.learner.sums().layout().digest();
        let found = warm.sums.layout().digest();
        if expected != found || warm.feature_fingerprint != self.fingerprint {
            return Err(BanditError::ForeignSums {
                found: format!("{found} over features {}", warm.feature_fingerprint),
                expected: format!("{expected} over features {}", self.fingerprint),
            });
        }
        if let Some(anchor) = &warm.anchor {
            anchor.check()?;
        }
        let config = self.learner.generation().config().clone();
        self.half_life_days = warm.decay.half_life_days;
        self.decay = Some(warm.decay);
        self.latest = warm.through;
        self.known_through = Some(warm.through);
        self.days = warm.days;
        self.recovery = warm.recovery;
        self.anchor = warm.anchor;
        let learner = Learner::new(warm.sums, &config, self.discount())?;
        self.learner = learner;
        self.learner.amend(self.aside());
        Ok(self)
    }

    /// What has been learnt, to go on from later.
    #[must_use]
    pub fn learned(&self) -> Learned {
        Learned {
            learner: self.learner.clone(),
            half_life_days: self.half_life_days,
            days: self.days.clone(),
            decay: self.decay,
            latest: self.latest,
            known_through: self.known_through,
            recovery: self.recovery.clone(),
            scarcity: self.scarcity.as_ref().map(Scarcity::remembered),
            anchor: self.anchor,
        }
    }

    /// Goes on from what was learnt under the same configuration and warm start, to the same bits as if
    /// every round had been folded here.
    ///
    /// # Errors
    /// [`BanditError::ForeignSums`] where it is of another shape.
    pub fn go_on(mut self, learned: Learned) -> Result<Self, BanditError> {
        let expected = self.learner.sums().layout().digest();
        let found = learned.learner.sums().layout().digest();
        if expected != found {
            return Err(BanditError::ForeignSums {
                found: found.to_string(),
                expected: expected.to_string(),
            });
        }
        self.learner = learned.learner;
        self.half_life_days = learned.half_life_days;
        self.days = learned.days;
        self.decay = learned.decay;
        self.latest = learned.latest;
        self.known_through = learned.known_through;
        self.recovery = learned.recovery;
        self.anchor = learned.anchor;
        if let (Some(scarcity), Some(remembered)) = (&mut self.scarcity, learned.scarcity) {
            scarcity.go_on(remembered);
        }
        Ok(self)
    }

    /// What a server can start with; `None` where nothing has been learnt.
    #[must_use]
    pub fn warm_start(&self) -> Option<WarmStart> {
        Some(WarmStart {
            sums: self.learner.sums().clone(),
            decay: self.decay?,
            through: self.latest,
            feature_fingerprint: self.fingerprint.clone(),
            days: self.days.clone(),
            recovery: self.recovery.clone(),
            anchor: self.anchor,
        })
    }

    fn discount(&self) -> f64 {
        let seconds = self.latest.micros().div_euclid(1_000_000);
        self.decay.map_or(1.0, |decay| decay.discount(seconds))
    }

    /// Learns from one matured round; it counts by its age, and by what else could have been done in its
    /// case ([`open`](Self::open)).
    ///
    /// # Errors
    /// [`BanditError`] where a number lies outside what the sums can hold.
    pub fn fold(&mut self, round: &LoggedRound) -> Result<Folded, BanditError> {
        self.close(&self.open(&round.decision), &round.outcome)
    }

    /// Learns from a round that was [`open`](Self::open), to the same bits as from the whole decision.
    ///
    /// # Errors
    /// As [`Self::fold`].
    pub fn close(&mut self, round: &OpenRound, outcome: &Outcome) -> Result<Folded, BanditError> {
        if matches!(outcome.executed, Executed::Failed { .. }) {
            return Ok(Folded::Failed);
        }
        if outcome.censored {
            return Ok(Folded::Censored);
        }
        if self
            .known_through
            .is_some_and(|through| outcome.matured_at <= through)
        {
            return Ok(Folded::Known);
        }
        let OpenRound::Own(round) = round else {
            return Ok(Folded::Foreign);
        };
        let seconds = outcome.matured_at.micros().div_euclid(1_000_000);
        let half_life_days = self.half_life_days;
        let decay = *self.decay.get_or_insert(ForwardDecay {
            landmark_seconds: seconds,
            half_life_days,
        });
        let mut deviation = observed(outcome);
        let action = &self.strategy.catalogue()[round.action as usize];
        for (observed, expected) in deviation.iter_mut().zip(expected(action)) {
            *observed -= expected;
        }
        self.learner.fold(&Round {
            context: &round.context,
            action: round.action as usize,
            heads: &deviation,
            weight: round.importance * decay.weight(seconds)?,
        })?;
        if let (Some(scarcity), Some(places)) = (&mut self.scarcity, &round.places) {
            let day = decided_on(round.decided_at);
            let owed = outcome.outstanding_minor;
            scarcity.see(day, &round.context, places.to_vec(), owed, round.age_days);
        }
        let window_days = outcome.matured_at.days_since(round.decided_at);
        self.recovery
            .count(round.age_days, window_days, observed(outcome)[COLLECTED]);
        self.latest = self.latest.max(outcome.matured_at);
        self.count(round.decided_at);
        Ok(Folded::Learnt)
    }

    fn count(&mut self, decided_at: Timestamp) {
        *self.days.entry(decided_on(decided_at)).or_default() += 1;
        keep_latest(&mut self.days);
    }

    /// What generations carry now; the shadow prices are those found last.
    fn aside(&self) -> Aside {
        Aside {
            allowance: self.allowance(),
            recovery: Some(self.recovery.clone()),
            shadow_prices: self.learner.aside().shadow_prices.clone(),
            anchor: self.anchor,
        }
    }

    /// Finds the shadow prices for a generation that was just published, once for every day.
    fn priced(&mut self, published: Arc<Generation>) -> Result<Arc<Generation>, BanditError> {
        let day = decided_on(self.latest);
        let Some(scarcity) = self.scarcity.as_mut().filter(|one| one.is_due(day)) else {
            return Ok(published);
        };
        let shadow_prices = scarcity.prices(day, &self.days, &published, &self.strategy)?;
        if shadow_prices == published.aside().shadow_prices {
            return Ok(published);
        }
        let aside = self.aside();
        Ok(self.learner.amend(Aside {
            shadow_prices,
            ..aside
        }))
    }

    /// The generation last published.
    #[must_use]
    pub fn generation(&self) -> &Arc<Generation> {
        self.learner.generation()
    }

    /// Goes on counting publications from `number`.
    pub fn renumber(&mut self, number: u64) {
        self.learner.renumber(number);
    }

    /// Rounds learnt from.
    #[must_use]
    pub fn rounds(&self) -> u64 {
        self.learner.sums().rounds()
    }

    /// Publishes the next generation, if the configured schedule says that one is due.
    ///
    /// # Errors
    /// [`BanditError`] where the sums cannot be fitted.
    pub fn refresh(&mut self) -> Result<Option<Arc<Generation>>, BanditError> {
        let discount = self.discount();
        self.learner.carry(self.aside());
        let published = self.learner.refresh(discount)?;
        published.map(|one| self.priced(one)).transpose()
    }

    /// Publishes the next generation now.
    ///
    /// # Errors
    /// [`BanditError`] where the sums cannot be fitted.
    pub fn publish(&mut self) -> Result<Arc<Generation>, BanditError> {
        let discount = self.discount();
        self.learner.carry(self.aside());
        let published = self.learner.publish(discount)?;
        self.priced(published)
    }
}

/// In days since 1970 (UTC).
fn decided_on(at: Timestamp) -> i64 {
    at.micros().div_euclid(DAY_MICROS)
}
