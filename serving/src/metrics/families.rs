//! What is counted and what is true now, as families of samples.

use super::text::{Family, escaped};
use super::{FALLBACKS, Gauges, Metrics, OUTCOMES};
use lagom_model::rollout::guard::WATCHED;
use std::sync::PoisonError;
use std::sync::atomic::{AtomicU64, Ordering};

impl Metrics {
    /// Everything, as samples of one tenant.
    pub(super) fn families(&self, tenant: &str, gauges: &Gauges) -> Vec<Family> {
        let tenant = format!("tenant=\"{}\"", escaped(tenant));
        let decisions = self.decisions();
        let by_label = decisions.iter().flat_map(|(policy, by_arm)| {
            by_arm.iter().flat_map(move |(arm, by_action)| {
                by_action
                    .iter()
                    .map(move |(labels, n)| (policy, arm, labels, n))
            })
        });
        let by_label = by_label.map(|(policy, arm, (kind, channel, tone), n)| {
            let labels = format!(
                "{tenant},policy=\"{policy}\",arm=\"{}\",kind=\"{kind}\",channel=\"{channel}\",\
                 tone=\"{tone}\"",
                escaped(arm),
            );
            (labels, *n as f64)
        });
        let mut families = vec![Family::plain(
            "dunning_decisions_total",
            "counter",
            "Decisions by what was advised.",
            by_label,
        )];
        drop(decisions);
        let labelled = |label: &str, name: &str, count: &AtomicU64| {
            let labels = format!("{tenant},{label}=\"{name}\"");
            (labels, count.load(Ordering::Relaxed) as f64)
        };
        let reasons = FALLBACKS.iter().zip(&self.fallbacks);
        families.push(Family::plain(
            "dunning_fallback_decisions_total",
            "counter",
            "Decisions that the intended policy did not make, by reason.",
            reasons.map(|((reason, _), count)| labelled("reason", reason, count)),
        ));
        let kinds = OUTCOMES.iter().zip(&self.outcomes);
        families.push(Family::plain(
            "dunning_outcomes_total",
            "counter",
            "Outcomes that matured, by what they show.",
            kinds.map(|(kind, count)| labelled("kind", kind, count)),
        ));
        families.push(Family {
            name: "dunning_decision_duration_seconds",
            kind: "histogram",
            help: "Time from a well-formed question to its decision on disk.",
            samples: self.seconds.samples(&tenant),
        });
        families.push(Family {
            name: "dunning_propensity_ratio",
            kind: "histogram",
            help: "Probability of payment within the horizon, as predicted for each decision.",
            samples: self.propensity.samples(&tenant),
        });
        let missing = self.missing.lock().unwrap_or_else(PoisonError::into_inner);
        families.push(Family::plain(
            "dunning_feature_missing_total",
            "counter",
            "Decisions in which a feature was unknown.",
            gauges
                .features
                .iter()
                .zip(missing.iter())
                .map(|(name, count)| {
                    let labels = format!("{tenant},feature=\"{}\"", escaped(name));
                    (labels, *count as f64)
                }),
        ));
        drop(missing);
        let info = format!(
            "{tenant},version=\"{}\",generation=\"{}\",digest=\"{}\"",
            escaped(gauges.model.as_deref().unwrap_or_default()),
            gauges.generation,
            escaped(&gauges.digest)
        );
        families.push(Family::plain(
            "dunning_policy_info",
            "gauge",
            "What decides: version of the models, publication of the policy and its digest.",
            [(info, 1.0)],
        ));
        families.extend(self.rollout(&tenant, gauges));
        let refusals = self.most_refusing().into_iter().map(|(rule, n)| {
            let labels = format!("{tenant},rule=\"{}\"", escaped(&rule));
            (labels, n as f64)
        });
        families.push(Family::plain(
            "dunning_contact_cap_hits_total",
            "counter",
            "Decisions in which a rule refused an action.",
            refusals,
        ));
        for (name, help, counter) in [
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
                "dunning_log_write_errors_total",
                "Appends that failed.",
                &self.write_errors,
            ),
            (
                "dunning_customers_retired_total",
                "Customers erased because nothing was heard of them for as long as data is kept.",
                &self.retired,
            ),
            (
                "dunning_reload_errors_total",
                "Models and configurations that were refused while the server ran.",
                &self.reload_errors,
            ),
        ] {
            let value = counter.load(Ordering::Relaxed) as f64;
            families.push(Family::plain(
                name,
                "counter",
                help,
                [(tenant.clone(), value)],
            ));
        }
        for (name, help, value) in [
            (
                "dunning_customers",
                "Customers anything is known of.",
                gauges.customers as f64,
            ),
            (
                "dunning_customers_in_memory",
                "Customers whose histories are in memory.",
                gauges.in_memory as f64,
            ),
            (
                "dunning_degraded",
                "1 while the ladder decides because the store is slow.",
                f64::from(u8::from(gauges.degraded)),
            ),
            (
                "dunning_log_damaged",
                "1 once a record of the log was found damaged while the server ran.",
                self.damaged.load(Ordering::Relaxed) as f64,
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
                "dunning_policy_loaded_timestamp_seconds",
                "When what decides was put in force.",
                gauges.loaded_seconds,
            ),
            (
                "dunning_exploration_ratio",
                "Mean probability of everything but the most likely action.",
                self.explored(),
            ),
            (
                "dunning_policy_paused",
                "1 while the ladder decides until resumed.",
                f64::from(u8::from(gauges.paused)),
            ),
        ] {
            families.push(Family::plain(
                name,
                "gauge",
                help,
                [(tenant.clone(), value)],
            ));
        }
        families
    }
}

impl Metrics {
    /// Where a candidate stands, and whether it harms.
    fn rollout(&self, tenant: &str, gauges: &Gauges) -> Vec<Family> {
        let candidate = gauges.candidate.iter().map(|one| {
            let (model, stage) = (escaped(&one.id), one.stage.name());
            let labels = format!("{tenant},version=\"{model}\",stage=\"{stage}\"");
            (labels, one.stage.share())
        });
        let [incumbent, canary] = gauges.standing.exposed;
        let sides = [("incumbent", incumbent), ("canary", canary)];
        let named = |label: &str, name: &str| format!("{tenant},{label}=\"{name}\"");
        let watched = gauges.standing.watched.iter();
        let rollbacks = WATCHED.iter().zip(&self.rollbacks);
        vec![
            Family::plain(
                "dunning_rollout_share",
                "gauge",
                "Share of the customers for whom the candidate decides; 0 in shadow.",
                candidate,
            ),
            Family::plain(
                "dunning_rollout_customers",
                "gauge",
                "Customers decided about since the canary began, by who decided.",
                sides.map(|(side, n)| (named("side", side), n as f64)),
            ),
            Family::plain(
                "dunning_rollout_harm_p",
                "gauge",
                "Always-valid p-value of the canary doing no harm; small is bad.",
                watched.map(|one| (named("metric", one.name), one.p)),
            ),
            Family::plain(
                "dunning_rollbacks_total",
                "counter",
                "Canaries that were rolled back, by what they harmed.",
                rollbacks.map(|(name, count)| {
                    (named("metric", name), count.load(Ordering::Relaxed) as f64)
                }),
            ),
        ]
    }
}
