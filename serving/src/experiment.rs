//! Which customers are in which arm: drawn once by a salted hash of the customer, written down with
//! the first decision, and kept from then on whatever becomes of the shares.
//!
//! ```text
//! hash(holdout salt, customer) < share  ──> the holdout: the ladder, for good
//! hash("layer", customer) in [from, to) ──> at most one experiment: they exclude each other
//! hash(experiment's salt, customer)     ──> its arm
//! ```

mod phase;

pub use phase::{Assignment, Phase};

use lagom_features::domain::CustomerId;
use lagom_model::decide::PolicyKind;
use lagom_model::strategy::Strategy;
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// The name under which the holdout is logged and reviewed.
pub const HOLDOUT: &str = "holdout";
/// The arm of everybody outside the holdout.
pub const LAGOM: &str = "lagom";

/// What stands in `[[experiments]]`, unchecked.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ExperimentSpec {
    /// Name under which decisions are logged.
    pub name: String,
    /// Share of all customers that take part, in (0, 1]. Those of all experiments sum to 1 at
    /// most: nobody is in two.
    #[serde(default = "everybody")]
    pub share: f64,
    /// What the draw of arms is seeded with; the name by default. A new salt draws everybody anew,
    /// and begins a new phase without a memory of the old one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub salt: Option<String>,
    /// Whether the policy must not learn from this experiment's customers.
    #[serde(default)]
    pub isolate: bool,
    /// The plan agreed before the start: a file beside the configuration, as `lagom review --plan`
    /// reads it. Without one, the default plan.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub plan: Option<String>,
    /// What stands in that file; empty without one.
    #[serde(skip)]
    pub plan_text: String,
    /// At least two.
    pub arms: Vec<ArmSpec>,
}

/// One arm.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ArmSpec {
    /// Name under which decisions are logged.
    pub name: String,
    /// Share of those who take part; the arms' shares sum to 1. It is drawn from when a customer
    /// first comes under a decision: those drawn before stay where they are.
    pub share: f64,
    /// Who decides in this arm.
    pub policy: PolicyKind,
    /// A strategy of its own: a file beside the configuration with what stands in `[strategy]`. The
    /// ladder and chance can decide by it; what the bandit has learnt is of one catalogue.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub strategy: Option<String>,
    /// What that file says; none without one.
    #[serde(skip)]
    pub own: Option<OwnStrategy>,
}

impl ArmSpec {
    /// An arm under the strategy that is in force for everybody.
    #[must_use]
    pub fn new(name: &str, share: f64, policy: PolicyKind) -> Self {
        Self {
            name: name.to_owned(),
            share,
            policy,
            strategy: None,
            own: None,
        }
    }
}

/// A strategy of an arm, which is another where its digest is.
#[derive(Debug, Clone)]
pub struct OwnStrategy(pub Arc<Strategy>);

impl PartialEq for OwnStrategy {
    fn eq(&self, other: &Self) -> bool {
        self.0.id() == other.0.id()
    }
}

/// What stands in `[holdout]`: customers for whom the ladder decides for good, so that what lagom
/// causes can be measured at any time.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct HoldoutSpec {
    /// Share of all customers, in [0, 1); 0 for none.
    pub share: f64,
    /// What the draw is seeded with.
    pub salt: String,
}

impl Default for HoldoutSpec {
    fn default() -> Self {
        Self {
            share: 0.0,
            salt: HOLDOUT.to_owned(),
        }
    }
}

const fn everybody() -> f64 {
    1.0
}

impl ExperimentSpec {
    /// What its draw is seeded with.
    #[must_use]
    pub fn salt(&self) -> &str {
        self.salt.as_deref().unwrap_or(&self.name)
    }
}

/// How far shares may be from 1 in sum.
const SLACK: f64 = 1e-9;

/// Experiments without faults.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Experiments {
    specs: Vec<ExperimentSpec>,
    holdout: HoldoutSpec,
}

/// Where a customer is.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Place {
    /// Experiment and arm to be logged.
    pub arm: Option<(String, String)>,
    /// Who decides, where it is not who decides for everybody.
    pub policy: Option<PolicyKind>,
    /// What was drawn just now and has to be written down: experiment, salt, arm.
    pub drawn: Vec<(String, String, String)>,
}

impl Experiments {
    /// Checks names and shares.
    ///
    /// # Errors
    /// Every fault, as a line each.
    pub fn new(specs: Vec<ExperimentSpec>, holdout: HoldoutSpec) -> Result<Self, Vec<String>> {
        let mut faults = Vec::new();
        if !(0.0..1.0).contains(&holdout.share) {
            let share = holdout.share;
            faults.push(format!("the holdout's share = {share} must lie in [0, 1)"));
        }
        for (place, spec) in specs.iter().enumerate() {
            let name = &spec.name;
            let mut fault = |what: String| faults.push(format!("experiment `{name}`: {what}"));
            if name.is_empty() {
                fault("a name is needed".to_owned());
            }
            if name == HOLDOUT {
                fault("this name is that of the holdout; choose another".to_owned());
            }
            if specs[..place].iter().any(|other| &other.name == name) {
                fault("the name stands there twice".to_owned());
            }
            if !(spec.share > 0.0 && spec.share <= 1.0) {
                fault(format!("share = {} must lie in (0, 1]", spec.share));
            }
            arms(spec, &mut fault);
        }
        let taken: f64 = specs.iter().map(|spec| spec.share).sum();
        if taken > 1.0 + SLACK {
            faults.push(format!(
                "the experiments take {taken} of all customers; nobody is in two, so their shares \
                 sum to 1 at most"
            ));
        }
        if faults.is_empty() {
            Ok(Self { specs, holdout })
        } else {
            Err(faults)
        }
    }

    /// The experiments.
    #[must_use]
    pub fn specs(&self) -> &[ExperimentSpec] {
        &self.specs
    }

    /// The holdout; its share is 0 where there is none.
    #[must_use]
    pub fn holdout(&self) -> &HoldoutSpec {
        &self.holdout
    }

    /// The experiment of this name.
    #[must_use]
    pub fn spec(&self, name: &str) -> Option<&ExperimentSpec> {
        self.specs.iter().find(|spec| spec.name == name)
    }

    /// The planned shares of an experiment's arms; none if it is not configured.
    #[must_use]
    pub fn shares(&self, name: &str) -> Vec<(String, f64)> {
        if name == HOLDOUT {
            let share = self.holdout.share;
            // Those in an experiment are logged under its name, and so are not in this comparison.
            let rest =
                (1.0 - share) * (1.0 - self.specs.iter().map(|spec| spec.share).sum::<f64>());
            if share == 0.0 || rest <= SLACK {
                return Vec::new();
            }
            let whole = share + rest;
            return vec![
                (HOLDOUT.to_owned(), share / whole),
                (LAGOM.to_owned(), rest / whole),
            ];
        }
        let arms = self.spec(name).into_iter().flat_map(|spec| &spec.arms);
        arms.map(|arm| (arm.name.clone(), arm.share)).collect()
    }

    /// Experiments from whose customers nothing is learnt, by name.
    #[must_use]
    pub fn isolated(&self) -> Vec<String> {
        let mut names: Vec<String> = self
            .specs
            .iter()
            .filter(|spec| spec.isolate)
            .map(|spec| spec.name.clone())
            .collect();
        names.sort();
        names
    }

    /// Where a customer is, who was drawn before as `stored` says.
    #[must_use]
    pub fn place(&self, customer: &CustomerId, stored: &[Assignment]) -> Place {
        let mut drawn = Vec::new();
        let in_holdout = self.in_holdout(customer, stored, &mut drawn);
        if in_holdout == Some(true) {
            return Place {
                arm: Some((HOLDOUT.to_owned(), HOLDOUT.to_owned())),
                policy: Some(PolicyKind::Ladder),
                drawn,
            };
        }
        if let Some((spec, arm)) = self.arm(customer, stored, &mut drawn) {
            return Place {
                arm: Some((spec.name.clone(), arm.name.clone())),
                policy: Some(arm.policy),
                drawn,
            };
        }
        Place {
            arm: in_holdout.map(|_| (HOLDOUT.to_owned(), LAGOM.to_owned())),
            policy: None,
            drawn,
        }
    }

    fn in_holdout(
        &self,
        customer: &CustomerId,
        stored: &[Assignment],
        drawn: &mut Vec<(String, String, String)>,
    ) -> Option<bool> {
        let HoldoutSpec { share, salt } = &self.holdout;
        if *share == 0.0 {
            return None;
        }
        let before = stored
            .iter()
            .find(|one| one.experiment == HOLDOUT && &one.salt == salt);
        if let Some(before) = before {
            return Some(before.arm == HOLDOUT);
        }
        let held = uniform(&[salt, "holdout", customer.as_str()]) < *share;
        let arm = if held { HOLDOUT } else { LAGOM };
        drawn.push((HOLDOUT.to_owned(), salt.clone(), arm.to_owned()));
        Some(held)
    }

    fn arm(
        &self,
        customer: &CustomerId,
        stored: &[Assignment],
        drawn: &mut Vec<(String, String, String)>,
    ) -> Option<(&ExperimentSpec, &ArmSpec)> {
        let kept = self.specs.iter().find_map(|spec| {
            let before = stored
                .iter()
                .find(|one| one.experiment == spec.name && one.salt == spec.salt())?;
            let arm = spec.arms.iter().find(|arm| arm.name == before.arm)?;
            Some((spec, arm))
        });
        if kept.is_some() {
            return kept;
        }
        let mut place = uniform(&["layer", customer.as_str()]);
        let spec = self.specs.iter().find(|spec| {
            place -= spec.share;
            place < 0.0
        })?;
        let mut rest = uniform(&[spec.salt(), "arm", customer.as_str()]);
        let arm = spec.arms.iter().find(|arm| {
            rest -= arm.share;
            rest < 0.0
        });
        let arm = arm.or(spec.arms.last())?;
        drawn.push((spec.name.clone(), spec.salt().to_owned(), arm.name.clone()));
        Some((spec, arm))
    }
}

fn arms(spec: &ExperimentSpec, fault: &mut impl FnMut(String)) {
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
        if arm.strategy.is_some() && arm.policy == PolicyKind::Bandit {
            fault(format!(
                "arm `{}` has a strategy of its own, which the bandit cannot decide by: it has learnt \
                 the catalogue of [strategy]; let its policy be ladder or uniform",
                arm.name
            ));
        }
    }
}

/// A number in [0, 1) that depends on nothing but these words.
pub(crate) fn uniform(words: &[&str]) -> f64 {
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
mod tests;
