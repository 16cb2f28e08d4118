//! One action against another inside data that a learning policy collected.
//!
//! Whoever learns chooses by what was seen before, so the mean of an action that looked bad early
//! stays too low, and those for whom it is chosen are not like the others. Augmented inverse
//! propensity scores repair the second, weights that depend on the past alone the first:
//!
//! ```text
//! Γ_t(g) = m_t(g) + 1{A_t = g} (Y_t − m_t(g)) / e_t(g)
//! h_t    = (past mean of 1/e(a) + 1/e(b))^(−1/2)
//! Q      = Σ h_t (Γ_t(a) − Γ_t(b)) / Σ h_t
//! Var Q  = Σ over customers (Σ h_t (Γ_t(a) − Γ_t(b) − Q))² / (Σ h_t)²
//! ```
//! `m_t(g)` is the mean of the rewards of `g` that were known before round `t`. The estimand is the
//! mean of `Y(a) − Y(b)` over rounds in which both could be chosen. Where a policy learns in the same
//! direction throughout, late rounds of the action it drops weigh less.
//!
//! Hadad, Hirshberg, Zhan, Wager, Athey, "Confidence intervals for policy evaluation in adaptive
//! experiments", PNAS 118 (2021), arXiv 1911.02768; for contexts Zhan, Hadad, Hirshberg, Athey,
//! KDD 2021, arXiv 2106.02029, whose non-contextual weights these are. Departs from them in the variance,
//! which is summed by customer.

use std::collections::BTreeMap;

use serde::Serialize;

use super::special::normal;
use super::{Alpha, Interval, StatisticsError};

/// Rounds over which the past's propensities are remembered.
const MEMORY: f64 = 500.0;

/// A decision in which both actions could be chosen.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Round {
    /// When it was made, in any unit; rounds need not be sorted.
    pub at: i64,
    /// When its reward was known, in the same unit.
    pub known_at: i64,
    /// Rounds of one customer share a number.
    pub customer: u32,
    /// Logged probability of each of the two actions, above 0.
    pub propensities: [f64; 2],
    /// Which of them was chosen, if one was.
    pub chosen: Option<usize>,
    /// What came of the choice.
    pub reward: f64,
}

/// The first action less the second.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Contrast {
    /// Rounds.
    pub rounds: u64,
    /// Choices of each action.
    pub chosen: [u64; 2],
    /// The difference.
    pub diff: f64,
    /// Standard error, by customer.
    pub se: f64,
    /// Normal interval.
    pub ci: Interval,
    /// The difference of the plain means: confounded, and biased where the policy learns.
    pub naive: f64,
}

/// Compares the first action with the second.
///
/// # Errors
/// [`StatisticsError::TooFew`] unless each was chosen twice; [`StatisticsError::OutOfRange`] for a
/// propensity outside (0, 1]; [`StatisticsError::NotFinite`] for a reward.
pub fn contrast(rounds: &[Round], alpha: Alpha) -> Result<Contrast, StatisticsError> {
    let sums = plain(rounds)?;
    let mut order: Vec<&Round> = rounds.iter().collect();
    order.sort_by_key(|one| one.at);
    let mut known: Vec<&Round> = order
        .iter()
        .copied()
        .filter(|one| one.chosen.is_some())
        .collect();
    known.sort_by_key(|one| one.known_at);
    let mut known = known.into_iter().peekable();
    let mut past = [Past::default(); 2];
    // Two actions with even chances, until something is known.
    let (mut spread, mut seen): (f64, f64) = (4.0, 0.0);
    let (mut weights, mut scored) = (0.0, 0.0);
    let mut scores: Vec<(u32, f64, f64)> = Vec::with_capacity(order.len());
    for one in order {
        while let Some(earlier) = known.next_if(|other| other.known_at < one.at) {
            if let Some(which) = earlier.chosen {
                past[which].add(earlier.reward);
            }
        }
        let [a, b] = [0, 1].map(|which| {
            let model = past[which].mean(&past);
            let corrected = if one.chosen == Some(which) {
                (one.reward - model) / one.propensities[which]
            } else {
                0.0
            };
            model + corrected
        });
        let weight = 1.0 / spread.sqrt();
        weights += weight;
        scored += weight * (a - b);
        scores.push((one.customer, weight, a - b));
        seen += 1.0;
        let now = one.propensities.iter().map(|e| 1.0 / e).sum::<f64>();
        spread += (now - spread) / (seen + 1.0).min(MEMORY);
    }
    let diff = scored / weights;
    let mut by_customer: BTreeMap<u32, f64> = BTreeMap::new();
    for (customer, weight, score) in scores {
        *by_customer.entry(customer).or_insert(0.0) += weight * (score - diff);
    }
    let se = by_customer
        .values()
        .map(|sum| sum * sum)
        .sum::<f64>()
        .sqrt()
        / weights;
    let half = normal::isf(alpha.half().value()) * se;
    Ok(Contrast {
        rounds: rounds.len() as u64,
        chosen: sums.map(|(count, _)| count),
        diff,
        se,
        ci: Interval {
            low: diff - half,
            high: diff + half,
        },
        naive: {
            let [a, b] = sums.map(|(count, sum)| sum / count as f64);
            a - b
        },
    })
}

/// How often each was chosen, and what came of it in all.
fn plain(rounds: &[Round]) -> Result<[(u64, f64); 2], StatisticsError> {
    let mut sums = [(0_u64, 0.0); 2];
    for (position, one) in rounds.iter().enumerate() {
        for value in one.propensities {
            if !(value > 0.0 && value <= 1.0) {
                return Err(StatisticsError::OutOfRange {
                    what: "a propensity",
                    range: "(0, 1]",
                    value,
                });
            }
        }
        if !one.reward.is_finite() {
            return Err(StatisticsError::NotFinite {
                what: "reward",
                position,
                value: one.reward,
            });
        }
        if let Some(sum) = one.chosen.and_then(|which| sums.get_mut(which)) {
            sum.0 += 1;
            sum.1 += one.reward;
        }
    }
    for (count, _) in sums {
        if count < 2 {
            return Err(StatisticsError::TooFew {
                what: "a contrast of two actions (choices of each)",
                needed: 2,
                found: count as usize,
            });
        }
    }
    Ok(sums)
}

/// Rewards of one action known so far.
#[derive(Debug, Clone, Copy, Default)]
struct Past {
    count: f64,
    sum: f64,
}

impl Past {
    fn add(&mut self, reward: f64) {
        self.count += 1.0;
        self.sum += reward;
    }

    /// Its mean, drawn towards that of both by the weight of one reward; 0 before any is known.
    fn mean(&self, both: &[Self; 2]) -> f64 {
        let count: f64 = both.iter().map(|one| one.count).sum();
        if count == 0.0 {
            return 0.0;
        }
        let common = both.iter().map(|one| one.sum).sum::<f64>() / count;
        (self.sum + common) / (self.count + 1.0)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn round(at: i64, chosen: usize, reward: f64, propensity: f64) -> Round {
        Round {
            at,
            known_at: at,
            customer: at as u32,
            propensities: [propensity, 1.0 - propensity],
            chosen: Some(chosen),
            reward,
        }
    }

    #[test]
    fn nothing_depends_on_the_order_of_the_rounds() {
        let mut rounds: Vec<Round> = (0..200)
            .map(|n| round(n, (n % 3 == 0).into(), (n % 7) as f64, 0.6))
            .collect();
        let one = contrast(&rounds, Alpha::FIVE_PERCENT).unwrap();
        rounds.reverse();
        assert_eq!(one, contrast(&rounds, Alpha::FIVE_PERCENT).unwrap());
    }

    #[test]
    fn rewards_that_do_not_vary_leave_no_doubt_once_they_are_known() {
        let rounds: Vec<Round> = (0..4_000)
            .map(|n| round(n, (n % 2) as usize, if n % 2 == 0 { 5.0 } else { 2.0 }, 0.5))
            .collect();
        let found = contrast(&rounds, Alpha::FIVE_PERCENT).unwrap();
        assert!((found.diff - 3.0).abs() < 0.02, "{found:?}");
        assert!(found.ci.contains(3.0) && found.se < 0.02, "{found:?}");
        assert!((found.naive - 3.0).abs() < 1e-12);
    }

    #[test]
    fn what_cannot_be_compared_is_refused() {
        let lonely: Vec<Round> = (0..10).map(|n| round(n, 0, 1.0, 0.5)).collect();
        let refused = contrast(&lonely, Alpha::FIVE_PERCENT).unwrap_err();
        assert!(refused.to_string().contains("choices of each"), "{refused}");
        let impossible = [round(0, 0, 1.0, 1.0)];
        let refused = contrast(&impossible, Alpha::FIVE_PERCENT).unwrap_err();
        assert!(refused.to_string().contains("propensity"), "{refused}");
        let unknown = [round(0, 0, f64::NAN, 0.5)];
        assert!(contrast(&unknown, Alpha::FIVE_PERCENT).is_err());
    }
}
