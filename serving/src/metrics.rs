//! Counters for Prometheus. Labels never name a customer, an invoice or a decision.

mod families;
mod histogram;
mod text;

use crate::engine::Recorded;
use crate::rollout::Standing;
use histogram::Histogram;
use lagom_model::log::{Decision, Outcome, RuleId};
use lagom_model::rollout::Candidate;
use lagom_model::rollout::guard::WATCHED;
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use text::Family;

/// Bounds of the time that a decision takes, in seconds.
const SECONDS: [f64; 12] = [
    0.000_25, 0.000_5, 0.001, 0.002, 0.004, 0.008, 0.016, 0.032, 0.064, 0.125, 0.25, 1.0,
];
/// Bounds of a probability.
const TENTHS: [f64; 10] = [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0];

/// What is counted since the start.
#[derive(Debug)]
pub struct Metrics {
    decisions: Mutex<BTreeMap<String, ByArm>>,
    refusals: Mutex<BTreeMap<RuleId, u64>>,
    fallbacks: [AtomicU64; FALLBACKS.len()],
    seconds: Histogram<12>,
    propensity: Histogram<10>,
    /// Sum over decisions of the probability of everything but the most likely action, in millionths.
    explored_millionths: AtomicU64,
    /// Decisions in which each place of the feature vector was unknown.
    missing: Mutex<Vec<u64>>,
    events: AtomicU64,
    duplicates: AtomicU64,
    rejected: AtomicU64,
    outcomes: [AtomicU64; OUTCOMES.len()],
    write_errors: AtomicU64,
    retired: AtomicU64,
    damaged: AtomicU64,
    reload_errors: AtomicU64,
    /// Canaries that were rolled back, by what they harmed.
    rollbacks: [AtomicU64; WATCHED.len()],
}

impl Default for Metrics {
    fn default() -> Self {
        Self {
            decisions: Mutex::default(),
            refusals: Mutex::default(),
            fallbacks: Default::default(),
            seconds: Histogram::new(SECONDS),
            propensity: Histogram::new(TENTHS),
            explored_millionths: AtomicU64::new(0),
            missing: Mutex::default(),
            events: AtomicU64::new(0),
            duplicates: AtomicU64::new(0),
            rejected: AtomicU64::new(0),
            outcomes: Default::default(),
            write_errors: AtomicU64::new(0),
            retired: AtomicU64::new(0),
            damaged: AtomicU64::new(0),
            reload_errors: AtomicU64::new(0),
            rollbacks: Default::default(),
        }
    }
}

/// Why the intended policy did not decide, by what its reason says.
const FALLBACKS: [(&str, &str); 4] = [
    ("slow_store", "store is slow"),
    ("paused", "paused"),
    ("cold_start", "outcomes have matured"),
    ("other", ""),
];

/// What became of decisions, as far as the windows show it.
const OUTCOMES: [&str; 3] = ["paid", "unpaid", "censored"];

/// Decisions of a policy by arm, then by kind, channel and tone.
type ByArm = BTreeMap<String, BTreeMap<(&'static str, &'static str, &'static str), u64>>;

/// What is true now, beside the counters.
#[derive(Debug, Clone)]
pub struct Gauges {
    /// Names of the features, in the order of the vector.
    pub features: Vec<String>,
    /// Version of the propensity and churn models, if one is in force.
    pub model: Option<String>,
    /// Digest of the publication.
    pub digest: String,
    /// When what decides was put in force, in seconds of 1970.
    pub loaded_seconds: f64,
    /// Customers anything is known of.
    pub customers: usize,
    /// Those of them whose histories are in memory.
    pub in_memory: usize,
    /// Whether the ladder decides because the store is slow.
    pub degraded: bool,
    /// Decisions whose windows have not closed.
    pub pending: usize,
    /// Appends that wait for the disk.
    pub waiting: usize,
    /// Publication of the policy's learning state.
    pub generation: u64,
    /// Seconds by which learning lags behind the clock.
    pub lag_seconds: f64,
    /// Whether the ladder decides until resumed.
    pub paused: bool,
    /// The candidate beside the version in force.
    pub candidate: Option<Candidate>,
    /// What is watched of it.
    pub standing: Standing,
}

impl Metrics {
    /// One more decision, which took this long.
    pub fn decision(&self, decision: &Decision, took: Duration) {
        self.seconds.observe(took.as_secs_f64());
        if let Some(propensity) = decision.payment_propensity {
            self.propensity.observe(propensity);
        }
        let likeliest = decision.eligible.iter().map(|one| one.probability);
        let explored = 1.0 - likeliest.fold(0.0, f64::max);
        let millionths = (explored.max(0.0) * 1e6).round() as u64;
        self.explored_millionths
            .fetch_add(millionths, Ordering::Relaxed);
        self.features(&decision.features);
        let arm = decision.arm.as_deref().unwrap_or_default();
        let action = &decision.action;
        let labels = (
            action.kind.name(),
            action.channel.map_or("none", |one| one.name()),
            action.tone.map_or("none", |one| one.name()),
        );
        let mut decisions = self.decisions();
        *entry(entry(&mut decisions, &decision.policy), arm)
            .entry(labels)
            .or_default() += 1;
        drop(decisions);
        let mut refusals = self.refusals();
        for rule in decision.rules() {
            match refusals.get_mut(rule) {
                Some(n) => *n += 1,
                None => {
                    refusals.insert(rule.clone(), 1);
                }
            }
        }
        drop(refusals);
        if let Some(reason) = &decision.fallback {
            let class = FALLBACKS.iter().position(|(_, part)| reason.contains(part));
            self.fallbacks[class.unwrap_or(FALLBACKS.len() - 1)].fetch_add(1, Ordering::Relaxed);
        }
    }

    fn features(&self, features: &[f64]) {
        let mut missing = self.missing.lock().unwrap_or_else(PoisonError::into_inner);
        // Another spec has another length; what was counted before belongs to other features.
        if missing.len() != features.len() {
            missing.clear();
            missing.resize(features.len(), 0);
        }
        for (count, value) in missing.iter_mut().zip(features) {
            *count += u64::from(value.is_nan());
        }
    }

    /// Events that came in.
    pub fn events(&self, recorded: &Recorded) {
        self.events.fetch_add(recorded.accepted, Ordering::Relaxed);
        self.duplicates
            .fetch_add(recorded.duplicates, Ordering::Relaxed);
        self.rejected
            .fetch_add(recorded.rejected.len() as u64, Ordering::Relaxed);
    }

    /// An outcome that matured.
    pub fn outcome(&self, outcome: &Outcome) {
        let place = match outcome {
            Outcome { censored: true, .. } => 2,
            Outcome { paid: true, .. } => 0,
            _ => 1,
        };
        self.outcomes[place].fetch_add(1, Ordering::Relaxed);
    }

    /// An append that failed.
    pub fn write_error(&self) {
        self.write_errors.fetch_add(1, Ordering::Relaxed);
    }

    /// So many customers were erased because data is kept no longer.
    pub fn retired(&self, customers: usize) {
        self.retired.fetch_add(customers as u64, Ordering::Relaxed);
    }

    /// The log was found to be damaged while the server ran.
    pub fn damaged(&self) {
        self.damaged.store(1, Ordering::Relaxed);
    }

    /// A model or configuration that was refused while the server ran.
    pub fn reload_error(&self) {
        self.reload_errors.fetch_add(1, Ordering::Relaxed);
    }

    /// A canary was rolled back for the harm that `reason` begins with.
    pub fn rolled_back(&self, reason: &str) {
        let of = WATCHED.iter().position(|name| reason.starts_with(name));
        if let Some(place) = of {
            self.rollbacks[place].fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Models and configurations that were refused while the server ran.
    #[must_use]
    pub fn reload_errors(&self) -> u64 {
        self.reload_errors.load(Ordering::Relaxed)
    }

    /// Decisions by the policy that made them.
    #[must_use]
    pub fn by_policy(&self) -> Vec<(String, u64)> {
        let decisions = self.decisions();
        let sum = |by_arm: &ByArm| by_arm.values().flat_map(BTreeMap::values).sum();
        let sums = decisions.iter();
        sums.map(|(policy, by_arm)| (policy.clone(), sum(by_arm)))
            .collect()
    }

    /// Decisions in which a rule refused at least one action, by rule, most frequent first.
    #[must_use]
    pub fn most_refusing(&self) -> Vec<(String, u64)> {
        let mut refusals: Vec<_> = self
            .refusals()
            .iter()
            .map(|(rule, n)| (rule.to_string(), *n))
            .collect();
        refusals.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
        refusals
    }

    /// Decisions in all.
    #[must_use]
    pub fn decisions_total(&self) -> u64 {
        self.by_policy().iter().map(|(_, n)| n).sum()
    }

    fn explored(&self) -> f64 {
        let sum = self.explored_millionths.load(Ordering::Relaxed) as f64 / 1e6;
        sum / (self.decisions_total().max(1) as f64)
    }

    fn decisions(&self) -> MutexGuard<'_, BTreeMap<String, ByArm>> {
        self.decisions
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    fn refusals(&self) -> MutexGuard<'_, BTreeMap<RuleId, u64>> {
        self.refusals.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The value of `key`, made where it is new; a text is copied only then.
fn entry<'a, V: Default>(map: &'a mut BTreeMap<String, V>, key: &str) -> &'a mut V {
    if !map.contains_key(key) {
        map.insert(key.to_owned(), V::default());
    }
    map.get_mut(key).expect("it was made if it was missing")
}

/// Everything of every tenant in the text format of Prometheus.
#[must_use]
pub fn text<'a>(tenants: impl Iterator<Item = (&'a str, &'a Metrics, Gauges)>) -> String {
    let each: Vec<Vec<Family>> = tenants
        .map(|(tenant, metrics, gauges)| metrics.families(tenant, &gauges))
        .collect();
    text::text(&each)
}
