//! Counters for Prometheus. Labels never name a customer, an invoice or a decision.

use crate::engine::Recorded;
use lagom_model::log::{Decision, RuleId};
use std::collections::BTreeMap;
use std::fmt::Write;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// What is counted since the start.
#[derive(Debug, Default)]
pub struct Metrics {
    decisions: Mutex<BTreeMap<String, ByArm>>,
    refusals: Mutex<BTreeMap<RuleId, u64>>,
    fallbacks: AtomicU64,
    events: AtomicU64,
    duplicates: AtomicU64,
    rejected: AtomicU64,
    outcomes: AtomicU64,
    write_errors: AtomicU64,
    reload_errors: AtomicU64,
}

/// Decisions of a policy by arm, then by kind and channel.
type ByArm = BTreeMap<String, BTreeMap<(&'static str, &'static str), u64>>;

/// What is true now, beside the counters.
#[derive(Debug, Clone, Copy)]
pub struct Gauges {
    /// Customers anything is known of.
    pub customers: usize,
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
}

impl Metrics {
    /// One more decision.
    pub fn decision(&self, decision: &Decision) {
        let arm = decision.arm.as_deref().unwrap_or_default();
        let action = &decision.action;
        let labels = (
            action.kind.name(),
            action.channel.map_or("none", |one| one.name()),
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
        if decision.fallback.is_some() {
            self.fallbacks.fetch_add(1, Ordering::Relaxed);
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

    /// Outcomes that matured.
    pub fn outcomes(&self, n: usize) {
        self.outcomes.fetch_add(n as u64, Ordering::Relaxed);
    }

    /// An append that failed.
    pub fn write_error(&self) {
        self.write_errors.fetch_add(1, Ordering::Relaxed);
    }

    /// A model or configuration that was refused while the server ran.
    pub fn reload_error(&self) {
        self.reload_errors.fetch_add(1, Ordering::Relaxed);
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

    fn decisions(&self) -> MutexGuard<'_, BTreeMap<String, ByArm>> {
        self.decisions
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    fn refusals(&self) -> MutexGuard<'_, BTreeMap<RuleId, u64>> {
        self.refusals.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Everything, as samples of one tenant.
    fn families(&self, tenant: &str, gauges: &Gauges) -> Vec<Family> {
        let tenant = format!("tenant=\"{}\"", escaped(tenant));
        let decisions = self.decisions();
        let by_label = decisions.iter().flat_map(|(policy, by_arm)| {
            by_arm.iter().flat_map(move |(arm, by_action)| {
                by_action
                    .iter()
                    .map(move |((kind, channel), n)| (policy, arm, kind, channel, n))
            })
        });
        let by_label = by_label.map(|(policy, arm, kind, channel, n)| {
            let labels = format!(
                "{tenant},policy=\"{policy}\",arm=\"{}\",kind=\"{kind}\",channel=\"{channel}\"",
                escaped(arm),
            );
            (labels, *n as f64)
        });
        let mut families = vec![Family {
            name: "dunning_decisions_total",
            kind: "counter",
            help: "Decisions by what was advised.",
            samples: by_label.collect(),
        }];
        drop(decisions);
        let refusals = self.most_refusing().into_iter().map(|(rule, n)| {
            let labels = format!("{tenant},rule=\"{}\"", escaped(&rule));
            (labels, n as f64)
        });
        families.push(Family {
            name: "dunning_contact_cap_hits_total",
            kind: "counter",
            help: "Decisions in which a rule refused an action.",
            samples: refusals.collect(),
        });
        for (name, help, counter) in [
            (
                "dunning_fallback_decisions_total",
                "Decisions that the intended policy did not make.",
                &self.fallbacks,
            ),
            ("dunning_events_total", "Events recorded.", &self.events),
            (
                "dunning_events_duplicate_total",
                "Events that had been recorded before.",
                &self.duplicates,
            ),
            (
                "dunning_events_rejected_total",
                "Events that were refused.",
                &self.rejected,
            ),
            (
                "dunning_outcomes_total",
                "Outcomes that matured.",
                &self.outcomes,
            ),
            (
                "dunning_log_write_errors_total",
                "Appends that failed.",
                &self.write_errors,
            ),
            (
                "dunning_reload_errors_total",
                "Models and configurations that were refused while the server ran.",
                &self.reload_errors,
            ),
        ] {
            families.push(Family {
                name,
                kind: "counter",
                help,
                samples: vec![(tenant.clone(), counter.load(Ordering::Relaxed) as f64)],
            });
        }
        for (name, help, value) in [
            (
                "dunning_customers",
                "Customers anything is known of.",
                gauges.customers as f64,
            ),
            (
                "dunning_outcomes_pending",
                "Decisions whose windows have not closed.",
                gauges.pending as f64,
            ),
            (
                "dunning_log_waiting",
                "Appends that wait for the disk.",
                gauges.waiting as f64,
            ),
            (
                "dunning_policy_generation",
                "Publication of the policy's learning state.",
                gauges.generation as f64,
            ),
            (
                "dunning_outcome_lag_seconds",
                "How far learning lags behind the clock.",
                gauges.lag_seconds,
            ),
            (
                "dunning_policy_paused",
                "1 while the ladder decides until resumed.",
                f64::from(u8::from(gauges.paused)),
            ),
        ] {
            families.push(Family {
                name,
                kind: "gauge",
                help,
                samples: vec![(tenant.clone(), value)],
            });
        }
        families
    }
}

/// The value of `key`, made where it is new; a text is copied only then.
fn entry<'a, V: Default>(map: &'a mut BTreeMap<String, V>, key: &str) -> &'a mut V {
    if !map.contains_key(key) {
        map.insert(key.to_owned(), V::default());
    }
    map.get_mut(key).expect("it was made if it was missing")
}

/// Samples of one name.
struct Family {
    name: &'static str,
    kind: &'static str,
    help: &'static str,
    samples: Vec<(String, f64)>,
}

/// Everything of every tenant in the text format of Prometheus.
#[must_use]
pub fn text<'a>(tenants: impl Iterator<Item = (&'a str, &'a Metrics, Gauges)>) -> String {
    let each: Vec<Vec<Family>> = tenants
        .map(|(tenant, metrics, gauges)| metrics.families(tenant, &gauges))
        .collect();
    let mut text = String::new();
    let Some(first) = each.first() else {
        return text;
    };
    for (place, family) in first.iter().enumerate() {
        let Family {
            name, kind, help, ..
        } = family;
        // Writing to a String cannot fail.
        let _ = writeln!(text, "# HELP {name} {help}\n# TYPE {name} {kind}");
        for families in &each {
            for (labels, value) in &families[place].samples {
                let _ = writeln!(text, "{name}{{{labels}}} {value}");
            }
        }
    }
    text
}

fn escaped(label: &str) -> String {
    label
        .replace('\\', r"\\")
        .replace('"', "\\\"")
        .replace('\n', r"\n")
}
