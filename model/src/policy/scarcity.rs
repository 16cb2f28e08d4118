//! Channels of which only so much can be used in a day: who gets the call.
//!
//! ```text
//! minimise λ_c ≥ 0   subject to   n · mean over recent cases Σ_{a over c} p(a | case, λ)  ≤  capacity_c
//! value(a | λ) = value(a) − λ_c                                            for a over channel c
//! ```
//! `λ_c` is the shadow price of the channel, what one more of it a day would be worth: charged beside
//! the real price, it leaves the scarce channel to the cases in which it adds most, and to nobody
//! else. It is found on the latest cases whose outcomes are in, under the distribution that would
//! serve, for as many decisions `n` as the busiest of the latest days had. What the floor explores is
//! spent in any case: where that alone is more than there is, the price stays finite.

use super::heads::{self, Stakes};
use crate::bandit::{ActionSet, BanditError, Generation, Scorer, Scratch, Valuation};
use crate::objective::Objective;
use crate::strategy::Strategy;
use lagom_features::domain::Channel;
use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

/// Latest cases on which prices are found.
const CASES: usize = 256;
/// Cases below which nothing is said.
const LEAST_CASES: usize = 32;
/// Halvings of the interval in which a price is looked for.
const HALVINGS: usize = 12;
/// Each price depends on the others: times that all are looked at.
const ROUNDS: usize = 2;
/// The first price that is tried, in minor units, and the doublings from there.
const FIRST_MINOR: f64 = 100.0;
const DOUBLINGS: usize = 20;
/// A price is high enough where a higher one would hardly save more.
const SETTLED: f64 = 1.02;

/// Shadow prices in minor units, by channel.
pub type ShadowPrices = BTreeMap<Channel, f64>;

/// One case as the bandit saw it.
#[derive(Debug, Clone)]
struct Case {
    context: Vec<f64>,
    /// Places of the eligible actions, ascending.
    places: Vec<u32>,
    outstanding_minor: i64,
    age_days: f64,
}

/// Finds prices for the channels that are scarce.
#[derive(Debug, Clone)]
pub struct Scarcity {
    /// Uses in a day, by channel.
    capacity: BTreeMap<Channel, u32>,
    objective: Objective,
    cases: VecDeque<Case>,
    /// The day for which prices were found last, in days since 1970.
    found_on: Option<i64>,
}

impl Scarcity {
    /// Of these capacities a day, for decisions under `objective`.
    #[must_use]
    pub fn new(capacity: BTreeMap<Channel, u32>, objective: Objective) -> Self {
        Self {
            capacity,
            objective,
            cases: VecDeque::new(),
            found_on: None,
        }
    }

    /// Remembers a case in the place of the oldest.
    pub fn see(
        &mut self,
        context: &[f64],
        places: Vec<u32>,
        outstanding_minor: i64,
        age_days: f64,
    ) {
        if self.cases.len() == CASES {
            self.cases.pop_front();
        }
        self.cases.push_back(Case {
            context: context.to_vec(),
            places,
            outstanding_minor,
            age_days,
        });
    }

    /// Whether prices of another day are due on `day`.
    #[must_use]
    pub fn is_due(&self, day: i64) -> bool {
        self.cases.len() >= LEAST_CASES && self.found_on != Some(day)
    }

    /// The prices for decisions by `generation` on a day with as many `decisions`.
    ///
    /// # Errors
    /// [`BanditError`] where a case does not fit the generation.
    pub fn prices(
        &mut self,
        day: i64,
        decisions: f64,
        generation: &Arc<Generation>,
        strategy: &Strategy,
    ) -> Result<ShadowPrices, BanditError> {
        self.found_on = Some(day);
        let mut trial = Trial::new(self, generation, strategy)?;
        let mut prices = ShadowPrices::new();
        for _ in 0..ROUNDS {
            for (&channel, &capacity) in &self.capacity {
                let target = f64::from(capacity) / decisions.max(1.0);
                let price = trial.price(channel, target, &mut prices)?;
                if price > 0.0 {
                    prices.insert(channel, price);
                } else {
                    prices.remove(&channel);
                }
            }
        }
        Ok(prices)
    }
}

/// Decides the remembered cases again under tried prices.
struct Trial<'a> {
    scarcity: &'a Scarcity,
    strategy: &'a Strategy,
    scorer: Scorer,
    scratch: Scratch,
    valuation: Valuation,
}

impl<'a> Trial<'a> {
    fn new(
        scarcity: &'a Scarcity,
        generation: &Arc<Generation>,
        strategy: &'a Strategy,
    ) -> Result<Self, BanditError> {
        let mut valuation = Valuation::default();
        let nothing = Stakes {
            outstanding_minor: 0,
            annual_margin_minor: None,
        };
        let objective = &scarcity.objective;
        heads::value(objective, strategy, nothing, 0.0, None, &mut valuation);
        Ok(Self {
            scarcity,
            strategy,
            scorer: Scorer::new(Arc::clone(generation), &valuation)?,
            scratch: Scratch::default(),
            valuation,
        })
    }

    /// The least price of `channel` under which at most the share `target` of decisions use it, beside
    /// the other prices.
    fn price(
        &mut self,
        channel: Channel,
        target: f64,
        prices: &mut ShadowPrices,
    ) -> Result<f64, BanditError> {
        let mut used = |price: f64| {
            prices.insert(channel, price);
            self.used(channel, prices)
        };
        if used(0.0)? <= target {
            return Ok(0.0);
        }
        let dearest = FIRST_MINOR * libm::pow(2.0, DOUBLINGS as f64);
        let target = target.max(SETTLED * used(dearest)?);
        let (mut low, mut high) = (0.0, FIRST_MINOR);
        while high < dearest && used(high)? > target {
            (low, high) = (high, 2.0 * high);
        }
        for _ in 0..HALVINGS {
            let middle = 0.5 * (low + high);
            if used(middle)? > target {
                low = middle;
            } else {
                high = middle;
            }
        }
        Ok(high)
    }

    /// Share of decisions that use `channel`.
    fn used(&mut self, channel: Channel, prices: &ShadowPrices) -> Result<f64, BanditError> {
        let catalogue = self.strategy.catalogue();
        let recovery = self.scorer.generation().recovery().cloned();
        let mut sum = 0.0;
        for case in &self.scarcity.cases {
            let stakes = Stakes {
                outstanding_minor: case.outstanding_minor,
                annual_margin_minor: None,
            };
            let objective = &self.scarcity.objective;
            let later = heads::later(objective, recovery.as_ref(), case.age_days);
            let into = &mut self.valuation;
            heads::value(objective, self.strategy, stakes, later, Some(prices), into);
            self.scorer.revalue(&self.valuation)?;
            let open = |place: usize| case.places.binary_search(&(place as u32)).is_ok();
            let eligible = ActionSet::from_predicate(catalogue.len(), open);
            self.scorer
                .score(&case.context, &eligible, &mut self.scratch)?;
            self.scorer.spread(&case.context, &mut self.scratch);
            let chances = self.scratch.eligible().iter();
            sum += chances
                .zip(self.scratch.probabilities())
                .filter(|(place, _)| catalogue[**place as usize].channel == Some(channel))
                .map(|(_, chance)| chance)
                .sum::<f64>();
        }
        Ok(sum / self.scarcity.cases.len().max(1) as f64)
    }
}
