//! Do events fall on the treated more often than their share of the customers? Watched event by
//! event, exact at every look, however rare the events.

use super::{Alpha, StatisticsError};
use serde::{Deserialize, Serialize};

/// By how much harm may multiply the odds: the alternatives that the mixture holds.
const ODDS: [f64; 6] = [1.25, 1.5, 2.0, 3.0, 5.0, 10.0];

/// An e-process against "the treated have at most `tolerated` times the events of the others".
///
/// Customers are treated with a fixed probability `s`, independently of everything. If an event
/// hits a treated customer at most `r` times as readily as another, then whatever its rate, the
/// next event is a treated customer's with probability at most
///
/// ```text
/// q₀ = s r / (s r + 1 - s)
/// ```
/// so that every likelihood ratio of a larger `q` is a supermartingale from 1, and so is their mean
///
/// ```text
/// E = mean over o of (q/q₀)^x ((1-q)/(1-q₀))^(n-x),    q/(1-q) = o · q₀/(1-q₀)
/// ```
/// after `n` events, `x` of them of treated customers. By Ville's inequality `E` ever reaches `1/α`
/// with probability at most `α` (Robbins 1970, doi:10.1214/aoms/1177696786; conditioning on the
/// events as in the exact test of two Poisson rates). A customer must bring one event at most.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EventShare {
    null: f64,
    alternatives: [f64; ODDS.len()],
    log: [f64; ODDS.len()],
    treated: u64,
    others: u64,
}

impl EventShare {
    /// Nothing seen yet: `share` of the customers, in (0, 1), are treated, and `tolerated` times
    /// the events of the others, at least 1, are no harm.
    ///
    /// # Errors
    /// [`StatisticsError::OutOfRange`].
    pub fn new(share: f64, tolerated: f64) -> Result<Self, StatisticsError> {
        if !(share > 0.0 && share < 1.0) {
            return Err(StatisticsError::OutOfRange {
                what: "the share of the treated",
                range: "(0, 1)",
                value: share,
            });
        }
        if !(tolerated >= 1.0 && tolerated.is_finite()) {
            return Err(StatisticsError::OutOfRange {
                what: "the tolerated multiple of the events",
                range: "[1, ∞)",
                value: tolerated,
            });
        }
        let odds = tolerated * share / (1.0 - share);
        let probability = |odds: f64| odds / (1.0 + odds);
        Ok(Self {
            null: probability(odds),
            alternatives: ODDS.map(|times| probability(times * odds)),
            log: [0.0; ODDS.len()],
            treated: 0,
            others: 0,
        })
    }

    /// One more customer with the event.
    pub fn see(&mut self, treated: bool) {
        let of = |q: f64| if treated { q } else { 1.0 - q };
        for (log, &q) in self.log.iter_mut().zip(&self.alternatives) {
            *log += (of(q) / of(self.null)).ln();
        }
        if treated {
            self.treated += 1;
        } else {
            self.others += 1;
        }
    }

    /// Customers with the event: of the others, of the treated.
    #[must_use]
    pub fn counts(&self) -> [u64; 2] {
        [self.others, self.treated]
    }

    /// Logarithm of the e-value.
    #[must_use]
    pub fn log_e(&self) -> f64 {
        let most = self.log.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let sum: f64 = self.log.iter().map(|log| (log - most).exp()).sum();
        most + (sum / ODDS.len() as f64).ln()
    }

    /// An always-valid p-value of this look, `min(1, 1/E)`.
    #[must_use]
    pub fn p(&self) -> f64 {
        (-self.log_e()).exp().min(1.0)
    }

    /// Whether harm is shown at level `alpha`.
    #[must_use]
    pub fn shows(&self, alpha: Alpha) -> bool {
        self.p() <= alpha.value()
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use rand::{RngExt, SeedableRng};
    use rand_chacha::ChaCha8Rng;

    /// Share of `runs` in which `events`, each of a treated customer with probability `q`, ever
    /// look like harm.
    fn alarms(share: f64, tolerated: f64, q: f64, runs: u64, events: usize) -> f64 {
        let mut stopped = 0.0;
        for seed in 0..runs {
            let mut rng = ChaCha8Rng::seed_from_u64(seed);
            let mut test = EventShare::new(share, tolerated).unwrap();
            let harm = (0..events).any(|_| {
                test.see(rng.random::<f64>() < q);
                test.shows(Alpha::FIVE_PERCENT)
            });
            stopped += f64::from(u8::from(harm));
        }
        stopped / runs as f64
    }

    #[test]
    fn looked_at_after_every_event_it_seldom_cries_wolf() {
        for (share, tolerated) in [(0.05, 1.0), (0.5, 1.0), (0.1, 1.3)] {
            let odds: f64 = tolerated * share / (1.0 - share);
            let found = alarms(share, tolerated, odds / (1.0 + odds), 1_000, 600);
            assert!(found <= 0.05 + 0.014, "{share}, {tolerated}: {found}");
        }
    }

    #[test]
    fn doubled_harm_is_found() {
        let odds = 2.0_f64;
        assert!(alarms(0.5, 1.0, odds / (1.0 + odds), 200, 200) > 0.95);
        let odds = 2.0 * 0.05 / 0.95;
        assert!(alarms(0.05, 1.0, odds / (1.0 + odds), 200, 1_500) > 0.9);
    }

    /// The mixture by hand: 3 of 4 events of the treated tenth.
    #[test]
    fn the_value_is_the_mean_of_likelihood_ratios() {
        let mut test = EventShare::new(0.1, 1.0).unwrap();
        for treated in [true, true, false, true] {
            test.see(treated);
        }
        let by_hand: f64 = ODDS
            .iter()
            .map(|times| {
                let q = times / (times + 9.0);
                (q / 0.1_f64).powi(3) * ((1.0 - q) / 0.9)
            })
            .sum::<f64>()
            / 6.0;
        assert!((test.log_e() - by_hand.ln()).abs() < 1e-12);
        assert_eq!(test.counts(), [1, 3]);
    }

    /// The expectation of the next factor is 1 where there is no harm, and below it where the
    /// treated have fewer events.
    #[test]
    fn it_is_a_supermartingale() {
        for q in [0.0, 0.1, 0.2] {
            let mut factor = 0.0;
            for (treated, chance) in [(true, q), (false, 1.0 - q)] {
                let mut test = EventShare::new(0.2, 1.0).unwrap();
                test.see(treated);
                factor += chance * test.log_e().exp();
            }
            let fair = (q - 0.2_f64).abs() < 1e-12;
            assert!(
                factor < 1.0 + 1e-12 && (!fair || factor > 1.0 - 1e-12),
                "{q}: {factor}"
            );
        }
    }

    #[test]
    fn shares_that_are_none_are_refused() {
        for (share, tolerated) in [(0.0, 1.0), (1.0, 1.0), (f64::NAN, 1.0), (0.5, 0.9)] {
            assert!(EventShare::new(share, tolerated).is_err());
        }
    }
}
