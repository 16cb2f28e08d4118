//! What contacting now is worth against waiting, estimated in three ways, side by side.
//!
//! Reminders go to those who are late, so that the reminded pay worse than the others whatever a
//! reminder does. The first estimate compares them all the same; the second adjusts for what was
//! known; the third uses the probabilities with which the log drew its actions, and alone needs no
//! belief about why anybody was contacted. Where they differ, a reader sees how wrong a dashboard
//! would have been.

use super::direct::{FOLDS, Sample, cross_fit};
use super::error::OpeError;
use super::estimate::Estimate;
use super::interval::Interval;
use super::interval::skewed;
use super::numeric::real;
use ndarray::{Array2, ArrayView2};
use serde::{Deserialize, Serialize};

/// Estimated probabilities of a contact are kept this far from 0 and 1.
const TRIM: f64 = 0.02;

/// Decisions at which both contacting and waiting were possible.
#[derive(Debug, Clone, Copy)]
pub struct Contacts<'a> {
    /// What was known, decisions × columns, without missing values.
    pub known: ArrayView2<'a, f64>,
    /// Whether it was a contact.
    pub contacted: &'a [bool],
    /// Probability of any contact under the logging policy, strictly between 0 and 1.
    pub propensity: &'a [f64],
    /// What came of it.
    pub reward: &'a [f64],
    /// Number of each decision's customer, from 0.
    pub customers: &'a [u32],
}

/// An effect with its interval.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Effect {
    /// Mean reward of contacting less that of waiting, in units of the reward.
    pub value: f64,
    /// Student's t on customers.
    pub interval: Interval,
}

/// The same effect in three ways.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct SideBySide {
    /// Mean of the contacted less mean of the others.
    pub naive: Effect,
    /// Doubly robust by what was known, probabilities of a contact estimated as if the log had
    /// not kept them; cross-fitted by customer.
    pub adjusted: Effect,
    /// Doubly robust by the logged probabilities: right whatever the models are.
    pub randomised: Effect,
}

/// Estimates the effect of contacting now on one reward, the logging policy deciding afterwards.
///
/// ```text
/// naive       mean(r | contact) − mean(r | wait)
/// the others  mean( q₁ − q₀ + t (r − q₁)/e − (1 − t)(r − q₀)/(1 − e) )
/// ```
///
/// with `q` a cross-fitted reward model and `e` the probability of a contact, estimated or logged.
/// Robins, Rotnitzky and Zhao (JASA 89, 1994).
///
/// # Errors
/// Fewer decisions than folds, no contact or nothing but contacts, shapes that disagree, a
/// propensity outside (0, 1), or a confidence outside (0.5, 1).
pub fn side_by_side(of: &Contacts<'_>, confidence: f64) -> Result<SideBySide, OpeError> {
    if let Some(&value) = of
        .propensity
        .iter()
        .find(|one| !(0.0 < **one && **one < 1.0))
    {
        return Err(OpeError::Parameter {
            name: "the probability of a contact",
            value,
            allowed: "above 0 and below 1",
        });
    }
    let chosen: Vec<u32> = of.contacted.iter().map(|&one| u32::from(one)).collect();
    let rewards = Sample {
        contexts: of.known.reborrow(),
        chosen: &chosen,
        rewards: of.reward,
        actions: 2,
        customers: Some(of.customers),
    };
    let predicted = cross_fit(&rewards, FOLDS, 0)?;
    let treated: Vec<f64> = chosen.iter().map(|&one| f64::from(one)).collect();
    let only = vec![0; chosen.len()];
    let contacts = Sample {
        chosen: &only,
        rewards: &treated,
        actions: 1,
        ..rewards
    };
    let estimated: Vec<f64> = cross_fit(&contacts, FOLDS, 1)?
        .iter()
        .map(|one| one.clamp(TRIM, 1.0 - TRIM))
        .collect();
    let effect = |estimate: Estimate| {
        let interval = skewed(&estimate, Some(of.customers), confidence)?;
        Ok::<_, OpeError>(Effect {
            value: estimate.value,
            interval,
        })
    };
    Ok(SideBySide {
        naive: effect(naive(&treated, of.reward)?)?,
        adjusted: effect(doubly_robust(of, &predicted, &estimated))?,
        randomised: effect(doubly_robust(of, &predicted, of.propensity))?,
    })
}

fn naive(treated: &[f64], reward: &[f64]) -> Result<Estimate, OpeError> {
    let share = treated.iter().sum::<f64>() / real(treated.len());
    if share <= 0.0 || share >= 1.0 {
        return Err(OpeError::TooFew {
            what: "an effect of contacting",
            needed: 1,
            found: 0,
            unit: "decisions of each kind",
        });
    }
    let mean = |arm: f64, weight: f64| {
        let pairs = treated.iter().zip(reward).filter(|(one, _)| **one == arm);
        pairs.map(|(_, reward)| reward).sum::<f64>() / (weight * real(reward.len()))
    };
    let (contact, wait) = (mean(1.0, share), mean(0.0, 1.0 - share));
    let influence = treated.iter().zip(reward).map(|(one, reward)| {
        one * (reward - contact) / share - (1.0 - one) * (reward - wait) / (1.0 - share)
    });
    Ok(Estimate {
        value: contact - wait,
        influence: influence.collect(),
    })
}

fn doubly_robust(of: &Contacts<'_>, predicted: &Array2<f64>, propensity: &[f64]) -> Estimate {
    let rows = of.contacted.iter().zip(of.reward).zip(propensity);
    let rows: Vec<f64> = rows
        .zip(predicted.rows())
        .map(|(((&contacted, reward), e), q)| {
            let more = if contacted {
                (reward - q[1]) / e
            } else {
                -(reward - q[0]) / (1.0 - e)
            };
            q[1] - q[0] + more
        })
        .collect();
    Estimate::mean_of(&rows)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use rand::{RngExt, SeedableRng};
    use rand_chacha::ChaCha8Rng;

    const EFFECT: f64 = 0.1;

    struct Log {
        known: Array2<f64>,
        contacted: Vec<bool>,
        propensity: Vec<f64>,
        reward: Vec<f64>,
        customers: Vec<u32>,
    }

    impl Log {
        /// Those who are late are contacted more and pay less; so are, where `hidden`, those with
        /// a trouble that the log's policy saw and the columns do not show.
        fn draw(seed: u64, hidden: bool) -> Self {
            let mut random = ChaCha8Rng::seed_from_u64(seed);
            let mut log = Self {
                known: Array2::zeros((8_000, 1)),
                contacted: Vec::new(),
                propensity: Vec::new(),
                reward: Vec::new(),
                customers: Vec::new(),
            };
            for row in 0..8_000 {
                let late = random.random::<f64>();
                let trouble = f64::from(u8::from(hidden && random.random::<f64>() < 0.5));
                let e = 0.15 + 0.4 * late + 0.3 * trouble;
                let contacted = random.random::<f64>() < e;
                let lift = if contacted { EFFECT } else { 0.0 };
                let pays = random.random::<f64>() < 0.7 - 0.4 * late - 0.2 * trouble + lift;
                log.known[[row, 0]] = late;
                log.contacted.push(contacted);
                log.propensity.push(e);
                log.reward.push(f64::from(u8::from(pays)));
                log.customers.push(u32::try_from(row / 2).unwrap());
            }
            log
        }

        fn found(&self) -> SideBySide {
            let contacts = Contacts {
                known: self.known.view(),
                contacted: &self.contacted,
                propensity: &self.propensity,
                reward: &self.reward,
                customers: &self.customers,
            };
            side_by_side(&contacts, 0.95).unwrap()
        }
    }

    #[test]
    fn a_naive_comparison_is_wrong_and_the_other_two_agree_where_everything_is_known() {
        let found = Log::draw(1, false).found();
        assert!(found.naive.interval.high < EFFECT, "{found:?}");
        assert!(found.adjusted.interval.covers(EFFECT), "{found:?}");
        assert!(found.randomised.interval.covers(EFFECT), "{found:?}");
    }

    #[test]
    fn what_nobody_recorded_misleads_adjustment_but_not_randomisation() {
        let found = Log::draw(2, true).found();
        assert!(found.adjusted.interval.high < EFFECT, "{found:?}");
        assert!(found.randomised.interval.covers(EFFECT), "{found:?}");
    }

    #[test]
    fn the_randomised_interval_covers() {
        let held = (0..60).filter(|&seed| {
            let found = Log::draw(100 + seed, true).found();
            found.randomised.interval.covers(EFFECT)
        });
        assert!(held.count() >= 52);
    }

    #[test]
    fn what_cannot_be_compared_is_refused() {
        let mut log = Log::draw(3, false);
        log.propensity[7] = 1.0;
        let contacts = |log: &Log, contacted: &[bool]| {
            side_by_side(
                &Contacts {
                    known: log.known.view(),
                    contacted,
                    propensity: &log.propensity,
                    reward: &log.reward,
                    customers: &log.customers,
                },
                0.95,
            )
        };
        let error = contacts(&log, &log.contacted).unwrap_err().to_string();
        assert!(error.contains("probability of a contact"), "{error}");
        log.propensity[7] = 0.5;
        assert!(contacts(&log, &vec![true; 8_000]).is_err());
    }
}
