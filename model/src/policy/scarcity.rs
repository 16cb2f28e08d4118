//! Channels of which only so much can be used in a day: who gets the call.
//!
//! ```text
//! minimise λ_c ≥ 0   subject to   n_d · mean over the cases of day d Σ_{a over c} p(a | case, λ)  ≤  capacity_c
//! value(a | λ) = value(a) − λ_c                                                  for a over channel c
//! ```
//! for every recent day d with its n_d decisions, and for all recent cases with as many decisions as the
//! busiest of the latest days had: on the day of a month on which most falls due, the cases differ too.
//! `λ_c` is the shadow price of the channel, what one more of it a day would be worth: charged beside
//! the real price, it leaves the scarce channel to the cases in which it adds most, and to nobody
//! else. It is found on the latest cases whose outcomes are in, under the distribution that would
//! serve. What the floor explores is spent in any case: where that alone is more than there is, the price stays finite.

use super::heads::{self, Stakes};
use crate::bandit::{ActionSet, BanditError, Generation, Scorer, Scratch, Valuation};
use crate::objective::Objective;
use crate::strategy::Strategy;
use lagom_features::domain::Channel;
use serde::{Deserialize, Serialize};
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
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Case {
    /// On which it was decided, in days since 1970.
    day: i64,
    context: Vec<f64>,
    /// Places of the eligible actions, ascending.
    places: Vec<u32>,
    outstanding_minor: i64,
    age_days: f64,
}

/// What has been seen of cases, beside what is configured.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Remembered {
    cases: VecDeque<Case>,
    found_on: Option<i64>,
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

    /// What it has seen, to go on from later.
    #[must_use]
    pub fn remembered(&self) -> Remembered {
        Remembered {
            cases: self.cases.clone(),
            found_on: self.found_on,
        }
    }

    /// Goes on from what was seen under the same capacities.
    pub fn go_on(&mut self, remembered: Remembered) {
        self.cases = remembered.cases;
        self.found_on = remembered.found_on;
    }

    /// Remembers a case in the place of the oldest.
    pub fn see(
        &mut self,
        day: i64,
        context: &[f64],
        places: Vec<u32>,
        outstanding_minor: i64,
        age_days: f64,
    ) {
        if self.cases.len() == CASES {
            self.cases.pop_front();
        }
        self.cases.push_back(Case {
            day,
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

    /// The prices for decisions by `generation`; `decisions` holds those of each of the latest days.
    ///
    /// # Errors
    /// [`BanditError`] where a case does not fit the generation.
    pub fn prices(
        &mut self,
        day: i64,
        decisions: &BTreeMap<i64, u64>,
        generation: &Arc<Generation>,
        strategy: &Strategy,
    ) -> Result<ShadowPrices, BanditError> {
        self.found_on = Some(day);
        let mut trial = Trial::new(self, decisions, generation, strategy)?;
        let mut prices = ShadowPrices::new();
        for _ in 0..ROUNDS {
            for (&channel, &capacity) in &self.capacity {
                let price = trial.price(channel, f64::from(capacity), &mut prices)?;
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
    /// Of each of the latest days.
    decisions: &'a BTreeMap<i64, u64>,
    strategy: &'a Strategy,
    scorer: Scorer,
    scratch: Scratch,
    valuation: Valuation,
}

impl<'a> Trial<'a> {
    fn new(
        scarcity: &'a Scarcity,
        decisions: &'a BTreeMap<i64, u64>,
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
            decisions,
            strategy,
            scorer: Scorer::new(Arc::clone(generation), &valuation)?,
            scratch: Scratch::default(),
            valuation,
        })
    }

    /// The least price of `channel` under which it is used at most `target` times a day, beside the other
    /// prices.
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

    /// Uses of `channel` on the day that has most.
    fn used(&mut self, channel: Channel, prices: &ShadowPrices) -> Result<f64, BanditError> {
        let catalogue = self.strategy.catalogue();
        let generation = Arc::clone(self.scorer.generation());
        let mut days: BTreeMap<i64, (f64, f64)> = BTreeMap::new();
        for case in &self.scarcity.cases {
            let stakes = Stakes {
                outstanding_minor: case.outstanding_minor,
                annual_margin_minor: None,
            };
            let objective = &self.scarcity.objective;
            let later = heads::later(objective, generation.recovery(), case.age_days);
            let into = &mut self.valuation;
            heads::value(objective, self.strategy, stakes, later, Some(prices), into);
            self.scorer.revalue(&self.valuation)?;
            let open = |place: usize| case.places.binary_search(&(place as u32)).is_ok();
            let eligible = ActionSet::from_predicate(catalogue.len(), open);
            self.scorer
                .score(&case.context, &eligible, &mut self.scratch)?;
            self.scorer.spread(&case.context, &mut self.scratch);
            let chances = self.scratch.eligible().iter();
            let uses = chances
                .zip(self.scratch.probabilities())
                .filter(|(place, _)| catalogue[**place as usize].channel == Some(channel))
                .map(|(_, chance)| chance)
                .sum::<f64>();
            let (sum, cases) = days.entry(case.day).or_default();
            *sum += uses;
            *cases += 1.0;
        }
        let sum: f64 = days.values().map(|(sum, _)| sum).sum();
        let busiest = self.decisions.values().max().copied().unwrap_or(1) as f64;
        let on_average = busiest * sum / self.scarcity.cases.len().max(1) as f64;
        let of_day = |(day, (sum, cases)): (&i64, &(f64, f64))| {
            let decisions = self.decisions.get(day).copied().unwrap_or_default() as f64;
            decisions * sum / cases
        };
        Ok(days.iter().map(of_day).fold(on_average, f64::max))
    }
}
