//! The parts of a review's JSON that the page shows. The page has no other source of numbers.

use serde::de::{DeserializeOwned, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};
use std::fmt;
use std::marker::PhantomData;

/// A map in the order in which it was written.
#[derive(Debug, Clone, Default)]
pub(super) struct Ordered<T>(pub(super) Vec<(String, T)>);

impl<'de, T: DeserializeOwned> Deserialize<'de> for Ordered<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Entries<T>(PhantomData<T>);
        impl<'de, T: DeserializeOwned> Visitor<'de> for Entries<T> {
            type Value = Ordered<T>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a map")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Ordered<T>, A::Error> {
                let mut entries = Vec::new();
                while let Some(entry) = map.next_entry()? {
                    entries.push(entry);
                }
                Ok(Ordered(entries))
            }
        }
        deserializer.deserialize_map(Entries(PhantomData))
    }
}

/// A review.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct Document {
    pub(super) experiment: String,
    pub(super) plan_digest: String,
    pub(super) facts_digest: String,
    pub(super) control: String,
    pub(super) alpha: f64,
    pub(super) interval: String,
    pub(super) planned_customers: u64,
    pub(super) customers: u64,
    pub(super) arms: Vec<String>,
    pub(super) exclusions: Exclusions,
    pub(super) srm: Srm,
    pub(super) seq_srm: Option<SequentialShares>,
    pub(super) integrity_failures: Vec<Failure>,
    pub(super) comparisons: Ordered<Comparison>,
    #[serde(default)]
    pub(super) log: Option<Log>,
}

impl Document {
    /// Reads a review.
    pub(super) fn parse(json: &str) -> Result<Self, String> {
        let mut document: Self =
            serde_json::from_str(json).map_err(|error| format!("not a review: {error}"))?;
        if let Some(log) = &document.log {
            let comparisons = document.comparisons.0.iter_mut();
            for (_, metric) in comparisons.flat_map(|(_, one)| &mut one.metrics.0) {
                metric.currency.clone_from(&log.currency);
            }
        }
        Ok(document)
    }

    /// Whole days from the start of the phase in force to what was known last.
    pub(super) fn days(&self) -> Option<u64> {
        let log = self.log.as_ref()?;
        let phase = log.design.as_ref()?.phases.last()?;
        let date = |text: &str| text.get(..10)?.parse::<jiff::civil::Date>().ok();
        let days = date(&log.as_of)?.since(date(&phase.started_at)?).ok()?;
        u64::try_from(days.get_days()).ok()
    }
}

#[derive(Debug, Clone, Deserialize)]
pub(super) struct Exclusions {
    pub(super) without_arm: u64,
    pub(super) mixed_customers: u64,
    pub(super) rows_of_mixed_or_nameless: u64,
    pub(super) immature: u64,
}

#[derive(Debug, Clone, Deserialize)]
pub(super) struct Srm {
    pub(super) observed: Vec<u64>,
    pub(super) p: f64,
    pub(super) leak_units: u64,
}

#[derive(Debug, Clone, Deserialize)]
pub(super) struct SequentialShares {
    pub(super) running_min_p: f64,
}

/// An integrity check that failed.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "snake_case", tag = "check")]
pub(super) enum Failure {
    SampleRatio { p: f64 },
    Leak { customers: u64 },
    MixedExposure { customers: u64 },
    TrainingNotIsolated,
    PlanChanged,
    OffPolicyDisagrees { arm: String },
    TooFewCustomers { smaller_arm: u64, needed: u64 },
}

#[derive(Debug, Clone, Deserialize)]
pub(super) struct Comparison {
    pub(super) treatment: String,
    pub(super) customers_t: u64,
    pub(super) customers_c: u64,
    pub(super) decision: Decision,
    pub(super) balance: Ordered<Balance>,
    pub(super) metrics: Ordered<Metric>,
}

#[derive(Debug, Clone, Deserialize)]
pub(super) struct Decision {
    pub(super) verdict: Verdict,
    pub(super) reasons: Vec<Reason>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Verdict {
    Ship,
    KeepRunning,
    StopForHarm,
    KeepControl,
    CannotJudge,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "snake_case", tag = "reason")]
pub(super) enum Reason {
    Integrity(Failure),
    GuardrailHarmful { metric: String },
    Deteriorated { metric: String },
    Superior { metric: String },
    NoneSuperior,
    GuardrailOpen { metric: String },
    GuardrailsSafe,
    PlannedSizeNotReached { reached: u64, planned: u64 },
}

#[derive(Debug, Clone, Deserialize)]
pub(super) struct Balance {
    pub(super) smd: f64,
}

/// `[low, high]`; an open end is `null`.
pub(super) type Interval = [Option<f64>; 2];

#[derive(Debug, Clone, Deserialize)]
pub(super) struct Metric {
    pub(super) name: String,
    pub(super) role: String,
    pub(super) direction: Option<Direction>,
    pub(super) mean_c: f64,
    pub(super) mean_t: f64,
    pub(super) n_c: f64,
    pub(super) n_t: f64,
    pub(super) absolute: Difference,
    pub(super) total_c: f64,
    pub(super) total_t: f64,
    pub(super) denominator_c: Option<f64>,
    pub(super) denominator_t: Option<f64>,
    pub(super) missing_c: u64,
    pub(super) missing_t: u64,
    pub(super) winsorised: Option<Winsorised>,
    pub(super) adjusted: Option<Adjusted>,
    pub(super) asymp_cs: Look,
    pub(super) proportions: Option<serde::de::IgnoredAny>,
    pub(super) judged: Judged,
    pub(super) p_holm: Option<f64>,
    pub(super) superior: Option<bool>,
    pub(super) guardrail: Option<Guardrail>,
    pub(super) segments: Vec<Segmentation>,
    pub(super) daily_cs: Vec<Day>,
    #[serde(default)]
    pub(super) cohorts: Vec<CohortOf>,
    /// Of amounts: the log's, where there is a log. Set once the document is read.
    #[serde(skip)]
    pub(super) currency: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Direction {
    Higher,
    Lower,
}

#[derive(Debug, Clone, Deserialize)]
pub(super) struct Difference {
    pub(super) diff: f64,
    pub(super) z: Option<Test>,
}

#[derive(Debug, Clone, Deserialize)]
pub(super) struct Test {
    pub(super) p: f64,
    pub(super) ci: Interval,
}

#[derive(Debug, Clone, Deserialize)]
pub(super) struct Winsorised {
    pub(super) caps: Vec<Cap>,
    pub(super) absolute: Difference,
}

#[derive(Debug, Clone, Deserialize)]
pub(super) struct Cap {
    pub(super) cap: f64,
    pub(super) share_capped: f64,
}

#[derive(Debug, Clone, Deserialize)]
pub(super) struct Adjusted {
    pub(super) cuped: Cuped,
    pub(super) lin_hc2: Difference,
}

#[derive(Debug, Clone, Deserialize)]
pub(super) struct Cuped {
    pub(super) absolute: Difference,
    pub(super) variance_reduction: f64,
}

#[derive(Debug, Clone, Deserialize)]
pub(super) struct Look {
    pub(super) ci: Interval,
    pub(super) p: f64,
}

#[derive(Debug, Clone, Deserialize)]
pub(super) struct Judged {
    pub(super) estimate: String,
    pub(super) diff: f64,
    pub(super) lift: Option<f64>,
    pub(super) alpha: f64,
    pub(super) p: f64,
    pub(super) ci: Interval,
    pub(super) ci_lift: Option<Interval>,
    pub(super) mde: f64,
    pub(super) mde_lift: Option<f64>,
}

#[derive(Debug, Clone, Deserialize)]
pub(super) struct Guardrail {
    pub(super) margin: f64,
    pub(super) margin_kind: String,
    pub(super) alpha: f64,
    pub(super) room: f64,
    pub(super) bound: f64,
    pub(super) p: f64,
    pub(super) state: GuardrailState,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum GuardrailState {
    Safe,
    NotYetShownSafe,
    Harmful,
}

#[derive(Debug, Clone, Deserialize)]
pub(super) struct Segmentation {
    pub(super) column: String,
    pub(super) by_segment: Ordered<SegmentEffect>,
    pub(super) heterogeneity: Option<Heterogeneity>,
    pub(super) holm: Vec<f64>,
    pub(super) hidden: Vec<Hidden>,
}

#[derive(Debug, Clone, Deserialize)]
pub(super) struct SegmentEffect {
    pub(super) n_c: f64,
    pub(super) n_t: f64,
    pub(super) absolute: Difference,
}

#[derive(Debug, Clone, Deserialize)]
pub(super) struct Heterogeneity {
    #[serde(rename = "Q")]
    pub(super) q: f64,
    pub(super) p: f64,
    #[serde(rename = "I2")]
    pub(super) i2: f64,
}

#[derive(Debug, Clone, Deserialize)]
pub(super) struct Hidden {
    pub(super) segment: String,
    pub(super) n_c: u64,
    pub(super) n_t: u64,
}

/// Customers who came in one span of days.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct CohortOf {
    pub(super) from_day: i64,
    pub(super) to_day: i64,
    pub(super) diff: f64,
    pub(super) ci: Interval,
}

#[derive(Debug, Clone, Deserialize)]
pub(super) struct Day {
    pub(super) day: i64,
    pub(super) diff: f64,
    pub(super) run_lo: f64,
    pub(super) run_hi: f64,
}

/// What only a decision log can tell.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct Log {
    pub(super) as_of: String,
    pub(super) design: Option<Design>,
    pub(super) window_days: f64,
    #[serde(default)]
    pub(super) currency: String,
    pub(super) arms: Ordered<ArmLog>,
    pub(super) rmst: Ordered<Rmst>,
    #[serde(default)]
    pub(super) since_exposure: Ordered<Vec<SinceExposure>>,
    #[serde(default)]
    pub(super) agreement: Option<Ordered<Agreement>>,
}

/// Whether an arm's logged probabilities say of the control what the control shows.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct Agreement {
    pub(super) state: AgreementState,
    pub(super) reason: Option<String>,
    pub(super) horizon_days: u16,
    pub(super) customers_c: u64,
    pub(super) customers_t: u64,
    pub(super) effective: f64,
    pub(super) metrics: Vec<BothWays>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum AgreementState {
    Agrees,
    Disagrees,
    CannotSay,
}

/// A metric of the control, by experiment and by weighting.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct BothWays {
    pub(super) name: String,
    pub(super) experimental: f64,
    pub(super) off_policy: f64,
    pub(super) p_holm: Option<f64>,
}

/// Shares collected so many days after the exposure.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct SinceExposure {
    pub(super) day: f64,
    pub(super) diff: f64,
    pub(super) ci: Interval,
}

/// What was agreed beforehand, and whether it was kept.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct Design {
    pub(super) phases: Vec<Phase>,
    pub(super) isolation: Isolation,
    pub(super) plan_changed: bool,
    pub(super) earlier_customers: u64,
}

#[derive(Debug, Clone, Deserialize)]
pub(super) struct Phase {
    pub(super) number: u32,
    pub(super) started_at: String,
    pub(super) digest: String,
}

#[derive(Debug, Clone, Deserialize)]
pub(super) struct Isolation {
    pub(super) state: String,
    pub(super) why: String,
    #[serde(default)]
    pub(super) generations: u64,
    #[serde(default)]
    pub(super) models: Vec<String>,
}

#[derive(Debug, Clone, Deserialize)]
pub(super) struct ArmLog {
    pub(super) decisions: u64,
    pub(super) without_outcome: u64,
    pub(super) fallbacks: u64,
    pub(super) mean_probability: Option<f64>,
    pub(super) actions: Ordered<u64>,
    #[serde(default)]
    pub(super) steps: Vec<Step>,
    pub(super) curve: Vec<(f64, f64, u64)>,
}

/// What a channel and tone add over waiting.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct Step {
    pub(super) step: String,
    pub(super) decisions: u64,
    pub(super) comparable: u64,
    pub(super) added: [f64; 3],
    pub(super) naive: f64,
}

#[derive(Debug, Clone, Deserialize)]
pub(super) struct Rmst {
    pub(super) tau: f64,
    pub(super) diff: f64,
    pub(super) control: RestrictedMean,
    pub(super) treatment: RestrictedMean,
    pub(super) z: Option<Test>,
}

#[derive(Debug, Clone, Deserialize)]
pub(super) struct RestrictedMean {
    pub(super) n: u64,
    pub(super) rmst: f64,
    #[serde(rename = "S_tau")]
    pub(super) survival_at_tau: f64,
}
