//! Are the logged probabilities the probabilities with which the log was drawn?

use super::{numeric::real, round::Round};
use crate::statistics::special::chi_squared;

/// Logged probabilities against what was taken.
///
/// If action `a` was drawn with probability `p(a|x)` in every round, then it
/// was taken about `E = Σ p(a|x)` times, with variance `Σ p (1 − p)`.
#[derive(Debug, Clone, Default, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Calibration {
    /// Largest difference between a logged propensity and the probability of
    /// the same action in the logged distribution.
    pub largest_mismatch: f64,
    /// Round of that difference.
    pub mismatch_round: usize,
    /// One entry a group of probabilities, from small to large.
    pub bins: Vec<Bin>,
    /// `Σ z²` over the bins that expect at least five.
    pub chi_squared: f64,
    /// Number of those bins.
    pub degrees: usize,
    /// Upper tail probability of `chi_squared`: a small one says that the log
    /// was not drawn from what it says.
    pub p_value: f64,
    /// The action whose count differs most, in standard deviations.
    pub worst_action: usize,
    /// That distance; positive when it was taken too often.
    pub worst_action_z: f64,
}

/// Pairs of round and action whose logged probability lies in a range.
#[derive(Debug, Clone, Copy, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Bin {
    /// Least probability of the bin, inclusive.
    pub from: f64,
    /// Largest probability of the bin, exclusive but for the last.
    pub to: f64,
    /// How often such actions should have been taken, `Σ p`.
    pub expected: f64,
    /// How often they were.
    pub taken: usize,
    /// `(taken − expected) / √(Σ p (1 − p))`, zero for an impossible bin.
    pub z: f64,
}

/// Edges of the bins: logarithmic below a tenth, where exploration lives.
const EDGES: [f64; 10] = [0.0, 1e-4, 1e-3, 0.01, 0.03, 0.1, 0.3, 0.6, 0.9, 1.0];

#[derive(Debug, Clone, Copy, Default)]
struct Count {
    expected: f64,
    variance: f64,
    taken: usize,
}

impl Count {
    fn see(&mut self, probability: f64, taken: bool) {
        self.expected += probability;
        self.variance += probability * (1.0 - probability).max(0.0);
        self.taken += usize::from(taken);
    }

    fn z(&self) -> f64 {
        if self.variance > 0.0 {
            (real(self.taken) - self.expected) / self.variance.sqrt()
        } else {
            0.0
        }
    }
}

/// Counts a log against its probabilities, round by round.
#[derive(Debug, Clone, Default)]
pub struct CalibrationCount {
    rounds: usize,
    bins: [Count; EDGES.len() - 1],
    actions: Vec<Count>,
    largest_mismatch: f64,
    mismatch_round: usize,
}

impl CalibrationCount {
    /// Takes a checked round; one without the logging policy's whole
    /// distribution says nothing.
    pub fn see(&mut self, round: &Round<'_>) {
        let Some(logging) = round.logging else {
            return;
        };
        self.actions.resize(logging.len(), Count::default());
        for (action, &probability) in logging.iter().enumerate() {
            let taken = action == round.action;
            self.bins[bin_of(probability)].see(probability, taken);
            self.actions[action].see(probability, taken);
        }
        let mismatch = (logging[round.action] - round.propensity).abs();
        if mismatch > self.largest_mismatch {
            (self.largest_mismatch, self.mismatch_round) = (mismatch, self.rounds);
        }
        self.rounds += 1;
    }

    /// What the counts say; none when no round had a whole distribution.
    #[must_use]
    pub fn finish(&self) -> Option<Calibration> {
        let actions = &self.actions;
        let worst_action = (0..actions.len())
            .max_by(|&left, &right| actions[left].z().abs().total_cmp(&actions[right].z().abs()))?;
        let counted: Vec<&Count> = self.bins.iter().filter(|bin| bin.expected >= 5.0).collect();
        let chi_squared = counted.iter().map(|bin| bin.z() * bin.z()).sum();
        let degrees = counted.len();
        let bins = self.bins.iter().zip(EDGES.windows(2));
        Some(Calibration {
            largest_mismatch: self.largest_mismatch,
            mismatch_round: self.mismatch_round,
            bins: bins
                .map(|(bin, edges)| Bin {
                    from: edges[0],
                    to: edges[1],
                    expected: bin.expected,
                    taken: bin.taken,
                    z: bin.z(),
                })
                .collect(),
            chi_squared,
            degrees,
            p_value: if degrees > 0 {
                chi_squared::sf(chi_squared, real(degrees))
            } else {
                1.0
            },
            worst_action,
            worst_action_z: actions[worst_action].z(),
        })
    }
}

fn bin_of(probability: f64) -> usize {
    EDGES[1..EDGES.len() - 1].partition_point(|edge| *edge <= probability)
}
