//! Whether weighting the log of one arm finds what another arm shows.
//!
//! Chance puts customers into arms, so what the logged probabilities of an exploring arm say of the
//! control's policy must be what the control shows. Where it is not, the probabilities are not those
//! that the draws were made by, or the arms differ in more than their policies, and the numbers of
//! the experiment mean something else than they claim.

use serde::Serialize;

use super::{Alpha, ArmEstimate, difference::Difference, multiplicity, srm};

/// Effective customers below which a weighted value is not held against a real one: its spread is
/// estimated from too few, and the normal test would find faults that are not there.
pub const FEWEST_EFFECTIVE: f64 = 100.0;

/// One metric by both ways.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Compared {
    /// Its name.
    pub name: String,
    /// Mean in the control, by experiment.
    pub experimental: f64,
    /// Mean of the control's policy, by weighting the other arm's log.
    pub off_policy: f64,
    /// `off_policy - experimental`.
    pub diff: f64,
    /// Standard error of `diff`.
    pub se: f64,
    /// Of the normal test of `diff = 0`; absent where both have no spread.
    pub p: Option<f64>,
    /// Adjusted by Holm over the metrics.
    pub p_holm: Option<f64>,
}

/// What the comparison came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// No metric differs by more than chance explains.
    Agrees,
    /// Some metric does.
    Disagrees,
    /// The log cannot speak of the control's policy.
    CannotSay,
}

/// Compares metrics, each with what the control shows and what weighting says of it. They disagree
/// where Holm's p-value of one is below the level of the test of shares ([`srm::ALPHA`]): this is a
/// check of the machinery, looked at again and again, and not a finding.
#[must_use]
pub fn compare(metrics: &[(&str, ArmEstimate, ArmEstimate)]) -> (Vec<Compared>, State) {
    let mut compared: Vec<Compared> = metrics
        .iter()
        .map(|(name, experimental, off_policy)| {
            let found = Difference::between(experimental, off_policy, Alpha::FIVE_PERCENT);
            Compared {
                name: (*name).to_owned(),
                experimental: experimental.mean,
                off_policy: off_policy.mean,
                diff: found.diff,
                se: found.se,
                p: found.z.map(|test| test.p),
                p_holm: None,
            }
        })
        .collect();
    let p: Vec<f64> = compared.iter().filter_map(|one| one.p).collect();
    let tested = compared.iter_mut().filter(|one| one.p.is_some());
    for (one, p) in tested.zip(multiplicity::holm(&p)) {
        one.p_holm = Some(p);
    }
    // Without spread there is no test, and nothing to be explained by chance.
    let differs = |one: &Compared| match one.p_holm {
        Some(p) => p < srm::ALPHA,
        None => one.diff != 0.0,
    };
    let state = if compared.iter().any(differs) {
        State::Disagrees
    } else {
        State::Agrees
    };
    (compared, state)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn arm(mean: f64, variance: f64) -> ArmEstimate {
        ArmEstimate {
            n: 1_000.0,
            mean,
            variance,
        }
    }

    #[test]
    fn what_chance_explains_agrees_and_what_it_does_not_disagrees() {
        let near = [("value", arm(10.0, 400.0), arm(11.0, 900.0))];
        let (compared, state) = compare(&near);
        // se = √(0.4 + 0.9), z = 0.877.
        assert!((compared[0].se - 1.3_f64.sqrt()).abs() < 1e-12);
        assert!((compared[0].p.unwrap_or(0.0) - 0.380_455).abs() < 1e-5);
        assert_eq!((compared[0].p, state), (compared[0].p_holm, State::Agrees));
        let far = [near[0], ("churned", arm(0.10, 0.09), arm(0.16, 0.13))];
        let (compared, state) = compare(&far);
        assert_eq!(state, State::Disagrees);
        assert_eq!(compared[1].p_holm, compared[1].p.map(|p| 2.0 * p));
    }

    #[test]
    fn without_spread_only_equality_agrees() {
        let same = [("complaints", arm(0.0, 0.0), arm(0.0, 0.0))];
        assert_eq!(compare(&same).1, State::Agrees);
        let other = [("complaints", arm(0.0, 0.0), arm(1.0, 0.0))];
        let (compared, state) = compare(&other);
        assert_eq!((compared[0].p, state), (None, State::Disagrees));
    }
}
