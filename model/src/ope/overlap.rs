//! Do the two policies overlap enough to say anything?

use super::{
    numeric::{real, sum},
    terms::Terms,
};

/// How evenly the importance weights spread over the log.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Overlap {
    /// Number of rounds.
    pub rounds: usize,
    /// Effective sample size, `(Σ w)² / Σ w²`: the number of rounds of equal
    /// weight that would vary as much (Kong 1992).
    pub ess: f64,
    /// `ess` as a share of the rounds, in [0, 1].
    pub ess_share: f64,
    /// Effective number of customers, `(Σ_g W_g)² / Σ_g W_g²` with `W_g` the
    /// summed weight of a customer; where customers are known.
    pub ess_customers: Option<f64>,
    /// The largest weight.
    pub max_weight: f64,
    /// The mean weight; 1 when the logged propensities are right.
    pub mean_weight: f64,
    /// Distance of the mean weight from 1 in standard errors.
    pub mean_weight_z: f64,
    /// Share of the rounds with weight zero.
    pub zero_share: f64,
    /// Weights at the quantiles 0.5, 0.9, 0.99 and 0.999.
    pub quantiles: [f64; 4],
    /// Share of the total weight held by the heaviest hundredth of the rounds.
    pub heaviest_percent_share: f64,
}

/// What a log must offer before its value is believed.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Requirements {
    /// Least effective sample size.
    pub ess: f64,
    /// Least effective sample size as a share of the rounds.
    pub ess_share: f64,
    /// Largest share of all weight that one round may hold.
    pub one_round_share: f64,
    /// Largest distance of the mean weight from 1, in standard errors.
    pub mean_weight_z: f64,
}

impl Default for Requirements {
    fn default() -> Self {
        Self {
            ess: 100.0,
            ess_share: 0.005,
            one_round_share: 0.05,
            mean_weight_z: 4.0,
        }
    }
}

impl Overlap {
    /// Measures the weights of a log.
    #[must_use]
    pub fn of(terms: &Terms) -> Self {
        Self::of_weights(terms.weights(), terms.customers())
    }

    /// Measures weights, one a round or one an episode; `customers` as long, numbered from 0.
    #[must_use]
    pub fn of_weights(weights: &[f64], customers: Option<&[u32]>) -> Self {
        let rounds = weights.len();
        let n = real(rounds);
        let total = sum(weights.iter().copied());
        let squares = sum(weights.iter().map(|w| w * w));
        let mean_weight = total / n;
        let variance = (squares / n - mean_weight * mean_weight).max(0.0);
        let error = (variance / n).sqrt();
        let mut sorted = weights.to_vec();
        sorted.sort_unstable_by(f64::total_cmp);
        let ess = effective(total, squares);
        let heaviest = sorted.len() - sorted.len().div_ceil(100);
        Self {
            rounds,
            ess,
            ess_share: ess / n,
            ess_customers: customers.map(|customers| effective_customers(weights, customers)),
            max_weight: sorted.last().copied().unwrap_or(0.0),
            mean_weight,
            mean_weight_z: if error > 0.0 {
                (mean_weight - 1.0) / error
            } else {
                0.0
            },
            zero_share: real(sorted.partition_point(|w| *w <= 0.0)) / n,
            quantiles: [0.5, 0.9, 0.99, 0.999].map(|share| quantile(&sorted, share)),
            heaviest_percent_share: if total > 0.0 {
                sum(sorted[heaviest..].iter().copied()) / total
            } else {
                0.0
            },
        }
    }

    /// Why this log cannot carry a verdict, in words; empty when it can.
    #[must_use]
    pub fn shortfalls(&self, required: &Requirements) -> Vec<String> {
        let mut reasons = Vec::new();
        let ess = self.ess_customers.map_or(self.ess, |one| one.min(self.ess));
        if ess < required.ess {
            reasons.push(format!(
                "effective sample size is {ess:.1}, below {:.0}",
                required.ess
            ));
        }
        if self.ess_share < required.ess_share {
            reasons.push(format!(
                "only {:.2} % of the rounds count, below {:.2} %",
                100.0 * self.ess_share,
                100.0 * required.ess_share
            ));
        }
        let share = self.max_weight / (self.mean_weight * real(self.rounds));
        if share > required.one_round_share {
            reasons.push(format!(
                "one round holds {:.1} % of all weight, above {:.1} %",
                100.0 * share,
                100.0 * required.one_round_share
            ));
        }
        if self.mean_weight_z.abs() > required.mean_weight_z {
            reasons.push(format!(
                "weights average {:.3} instead of 1 ({:.1} standard errors): the logged propensities are not those of the log",
                self.mean_weight, self.mean_weight_z
            ));
        }
        reasons
    }
}

fn effective(total: f64, squares: f64) -> f64 {
    if squares > 0.0 {
        total * total / squares
    } else {
        0.0
    }
}

fn effective_customers(weights: &[f64], customers: &[u32]) -> f64 {
    let largest = customers.iter().copied().max().unwrap_or(0) as usize;
    let mut totals = vec![0.0; largest + 1];
    for (weight, &customer) in weights.iter().zip(customers) {
        totals[customer as usize] += weight;
    }
    effective(
        sum(totals.iter().copied()),
        sum(totals.iter().map(|total| total * total)),
    )
}

/// The smallest value that at least this share of the rows does not exceed.
fn quantile(sorted: &[f64], share: f64) -> f64 {
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
    let rank = (share * real(sorted.len())).ceil() as usize; // in 0..=len
    sorted
        .get(rank.saturating_sub(1))
        .or(sorted.last())
        .copied()
        .unwrap_or(0.0)
}
