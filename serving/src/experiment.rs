//! Which customers are in which arm: by a hash of the customer, so that a customer stays where it
//! is whatever happens, and no table of assignments is needed.

use lagom_features::domain::CustomerId;
use lagom_model::decide::PolicyKind;
use serde::{Deserialize, Serialize};

/// What stands in `[[experiments]]`, unchecked.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ExperimentSpec {
    /// Name under which decisions are logged; it also seeds the assignment.
    pub name: String,
    /// Share of the customers that take part, in (0, 1].
    #[serde(default = "everybody")]
    pub share: f64,
    /// At least two.
    pub arms: Vec<ArmSpec>,
}

/// One arm.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ArmSpec {
    /// Name under which decisions are logged.
    pub name: String,
    /// Share of those who take part; the arms' shares sum to 1.
    pub share: f64,
    /// Who decides in this arm.
    pub policy: PolicyKind,
}

const fn everybody() -> f64 {
    1.0
}

/// How far the arms' shares may be from 1 in sum.
const SLACK: f64 = 1e-9;

/// Experiments without faults. A customer is in the first that takes it.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Experiments(Vec<ExperimentSpec>);

impl Experiments {
    /// Checks names and shares.
    ///
    /// # Errors
    /// Every fault, as a line each.
    pub fn new(specs: Vec<ExperimentSpec>) -> Result<Self, Vec<String>> {
        let mut faults = Vec::new();
        for (place, spec) in specs.iter().enumerate() {
            let name = &spec.name;
            let mut fault = |what: String| faults.push(format!("experiment `{name}`: {what}"));
            if name.is_empty() {
                fault("a name is needed".to_owned());
            }
            if specs[..place].iter().any(|other| &other.name == name) {
                fault("the name stands there twice".to_owned());
            }
            if !(spec.share > 0.0 && spec.share <= 1.0) {
                fault(format!("share = {} must lie in (0, 1]", spec.share));
            }
            if spec.arms.len() < 2 {
                fault(format!(
                    "{} arms are too few; two at least",
                    spec.arms.len()
                ));
            }
            let sum: f64 = spec.arms.iter().map(|arm| arm.share).sum();
            if spec
                .arms
                .iter()
                .any(|arm| arm.share.is_nan() || arm.share <= 0.0)
            {
                fault("every arm needs a share above 0".to_owned());
            } else if (sum - 1.0).abs() > SLACK {
                fault(format!("the arms' shares sum to {sum}, not to 1"));
            }
            for (place, arm) in spec.arms.iter().enumerate() {
                if spec.arms[..place]
                    .iter()
                    .any(|other| other.name == arm.name)
                {
                    fault(format!("arm `{}` stands there twice", arm.name));
                }
            }
        }
        if faults.is_empty() {
            Ok(Self(specs))
        } else {
            Err(faults)
        }
    }

    /// The experiments.
    #[must_use]
    pub fn specs(&self) -> &[ExperimentSpec] {
        &self.0
    }

    /// The planned shares of an experiment's arms; none if it is not configured.
    #[must_use]
    pub fn shares(&self, name: &str) -> Vec<(String, f64)> {
        let spec = self.0.iter().find(|spec| spec.name == name);
        let arms = spec.into_iter().flat_map(|spec| &spec.arms);
        arms.map(|arm| (arm.name.clone(), arm.share)).collect()
    }

    /// Experiment and arm of a customer, and who decides there.
    #[must_use]
    pub fn assign(&self, customer: &CustomerId) -> Option<((String, String), PolicyKind)> {
        let spec = self
            .0
            .iter()
            .find(|spec| uniform(&[&spec.name, "takes part", customer.as_str()]) < spec.share)?;
        let mut rest = uniform(&[&spec.name, "arm", customer.as_str()]);
        let arm = spec.arms.iter().find(|arm| {
            rest -= arm.share;
            rest < 0.0
        });
        let arm = arm.or(spec.arms.last())?;
        Some(((spec.name.clone(), arm.name.clone()), arm.policy))
    }
}

/// A number in [0, 1) that depends on nothing but these words.
fn uniform(words: &[&str]) -> f64 {
    let mut hasher = blake3::Hasher::new();
    for word in words {
        hasher.update(&(word.len() as u64).to_le_bytes());
        hasher.update(word.as_bytes());
    }
    let bytes = *hasher.finalize().as_bytes();
    let first: [u8; 8] = std::array::from_fn(|i| bytes[i]);
    (u64::from_le_bytes(first) >> 11) as f64 / (1_u64 << 53) as f64
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn arm(name: &str, share: f64, policy: PolicyKind) -> ArmSpec {
        ArmSpec {
            name: name.to_owned(),
            share,
            policy,
        }
    }

    fn spec(share: f64, shares: [f64; 2]) -> ExperimentSpec {
        ExperimentSpec {
            name: "spring".to_owned(),
            share,
            arms: vec![
                arm("control", shares[0], PolicyKind::Ladder),
                arm("bandit", shares[1], PolicyKind::Bandit),
            ],
        }
    }

    #[test]
    fn shares_are_kept_and_a_customer_stays_in_its_arm() {
        let experiments = Experiments::new(vec![spec(0.5, [0.25, 0.75])]).unwrap();
        let ids = (0..20_000).map(|n| CustomerId::new(format!("c{n}")).unwrap());
        let assigned: Vec<_> = ids
            .filter_map(|id| {
                assert_eq!(experiments.assign(&id), experiments.assign(&id));
                experiments.assign(&id)
            })
            .collect();
        // Five standard deviations of a binomial count.
        assert!((assigned.len() as f64 - 10_000.0).abs() < 5.0 * 71.0);
        let control = assigned.iter().filter(|((_, arm), policy)| {
            assert_eq!(arm == "control", *policy == PolicyKind::Ladder);
            arm == "control"
        });
        let control = control.count() as f64;
        assert!((control / assigned.len() as f64 - 0.25).abs() < 5.0 * 0.0044);
    }

    #[test]
    fn every_fault_is_reported_at_once() {
        let wrong = vec![spec(0.0, [0.5, 0.6]), spec(1.0, [0.5, 0.5])];
        let faults = Experiments::new(wrong).unwrap_err().join("\n");
        for part in ["share = 0", "sum to 1.1", "twice"] {
            assert!(faults.contains(part), "{faults}");
        }
    }
}
