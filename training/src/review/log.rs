//! A review from the canonical tables: from decisions and events to one row a customer.
//!
//! ```text
//! decisions (experiment, arm) ──first of each customer──> exposure t₀
//! events in [t₀, t₀ + W)      ──counted──> complaints, contacts, churn …
//! invoices first asked about in [t₀, t₀ + W/2), each followed for W/2 days ──> billed, collected
//! ```
//! A customer is counted in the arm of the first decision, by intention to treat; customers seen in
//! two arms have a row in each, which the review finds and leaves out. Only what was recorded by
//! the day of the review is looked at. Every customer and every invoice is followed for the same
//! time, so that a policy which only makes people pay sooner is not taken for one that makes them
//! pay more.

mod design;
mod facts;
mod pay;
mod plan;

use std::collections::BTreeMap;
use std::path::Path;

use lagom_features::domain::Timestamp;
use lagom_model::decide::Snapshot;
use lagom_model::objective::Objective;
use lagom_model::statistics::agreement::State;
use lagom_model::statistics::decision::IntegrityFailure;
use lagom_model::statistics::difference::Difference;
use lagom_model::statistics::maturity::Window;
use lagom_model::statistics::survival::RmstDifference;
use lagom_model::statistics::{Alpha, ArmEstimate, Interval};
use serde::Serialize;

use super::{Gate, Plan, Review, ReviewError, assemble};
use crate::steps::Step;
use crate::tables::Tables;
use crate::valuation::{Agreement, OwnLog, Question};

use facts::{SoFar, Tally};

pub use design::{Design, DesignReport, Generation, Isolation, Phase, Told, Trained};
pub use facts::{
    CustomerRow, DecisionRow, FactRow, Facts, Folder, History, InvoiceRow, Log, OutcomeRow,
    RoundRow, Sizes, history,
};
pub use plan::default_plan;

/// Days for which each customer is followed unless a reviewer says otherwise.
pub const WINDOW_DAYS: f64 = 60.0;

/// What is reviewed.
#[derive(Debug, Clone)]
pub struct LogReview<'a> {
    /// Name under which decisions were logged.
    pub experiment: &'a str,
    /// The plan agreed before the start: its text (TOML, as for a table). Without one, the plan
    /// that [`default_plan`] writes, which names no size.
    pub plan: Option<&'a str>,
    /// The arm to compare with; the plan's, else `ladder`, `control`, or the first by name.
    pub control: Option<&'a str>,
    /// Planned shares by arm; equal ones if empty.
    pub shares: &'a [(String, f64)],
    /// The day of the review; the last that the tables know of if absent.
    pub as_of: Option<Timestamp>,
    /// Days for which each customer is followed.
    pub window_days: f64,
    /// Weights and prices of the net value.
    pub objective: &'a Objective,
    /// What was agreed beforehand and what the policy learnt from, as far as it is known.
    pub design: Option<&'a Design>,
    /// A snapshot whose ladder is the control's, to hold what other arms' probabilities say of it
    /// against what the control shows. Logs of more than half a million decisions are not asked.
    pub ladder: Option<&'a Snapshot>,
}

/// What only a log can tell, beside the numbers of the table.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct LogReport {
    /// The day of the review.
    pub as_of: String,
    /// Days for which each customer was followed.
    pub window_days: f64,
    /// What was agreed beforehand, and whether it was kept.
    pub design: DesignReport,
    /// Currency of all amounts, in major units.
    pub currency: String,
    /// By arm.
    pub arms: BTreeMap<String, ArmReport>,
    /// Time to pay of each treatment against the control, invoices with customers as clusters.
    pub rmst: BTreeMap<String, RmstDifference>,
    /// What had been collected of what was billed, treatment less control, by days since each
    /// customer's exposure: does an effect fade, or is only time gained?
    pub since_exposure: BTreeMap<String, Vec<SinceExposure>>,
    /// By arm, whether its logged probabilities say of the ladder what the control shows; absent
    /// where it was not asked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub agreement: Option<BTreeMap<String, Agreement>>,
}

/// Share collected so many days after the exposure, of customers whose window has closed.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct SinceExposure {
    /// Days after the exposure.
    pub day: f64,
    /// Share in the control.
    pub control: f64,
    /// Share in the treatment.
    pub treatment: f64,
    /// Treatment less control.
    pub diff: f64,
    /// Interval for one look.
    pub ci: Interval,
}

/// What one arm did.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct ArmReport {
    /// Decisions.
    pub decisions: u64,
    /// Of those, how many have no outcome yet.
    pub without_outcome: u64,
    /// Of those, how many the intended policy did not make.
    pub fallbacks: u64,
    /// Mean probability with which the chosen action was chosen.
    pub mean_probability: Option<f64>,
    /// Decisions by action, channel and tone, most frequent first.
    #[serde(serialize_with = "super::report::keyed")]
    pub actions: Vec<(String, u64)>,
    /// What channels and tones add over waiting, where chance chose between them.
    pub steps: Vec<Step>,
    /// Share of invoices unpaid by day: `[day, share, still watched and unpaid]`.
    pub curve: Vec<(f64, f64, u64)>,
}

/// Reviews an experiment from a folder of canonical tables: by columns where all of them are Parquet
/// and plainly right, else row by row, which says what is wrong and where.
///
/// # Errors
/// As [`review_log`], and where the folder cannot be read.
pub fn review_folder(dir: &Path, ask: &LogReview<'_>) -> Result<(Review, Facts), ReviewError> {
    if let Some(folder) = Folder::open(dir)? {
        match review_log(&folder, ask) {
            Err(ReviewError::Log(_)) => {}
            reviewed => return reviewed,
        }
    }
    review_log(&Tables::read(dir)?, ask)
}

/// Reviews an experiment from its log, and hands back the facts it rests on.
///
/// # Errors
/// [`ReviewError`] where the log has no such experiment, holds several currencies, or cannot be
/// judged by the plan.
pub fn review_log(log: &dyn Log, ask: &LogReview<'_>) -> Result<(Review, Facts), ReviewError> {
    let window = Window::of_days(ask.window_days).map_err(ReviewError::Design)?;
    let as_of = match ask.as_of {
        Some(as_of) => as_of,
        None => log.last_known()?,
    };
    let agreed = design::Agreed::of(ask.design, ask.experiment, as_of);
    let facts = Facts::of(
        log,
        ask.experiment,
        (agreed.since(), as_of),
        ask.window_days,
        ask.objective,
    )?;
    let (file, text) = match ask.plan.or(agreed.plan()) {
        Some(text) => ("the plan", text.to_owned()),
        None => (
            "the default plan",
            default_plan(
                ask.experiment,
                &control(ask.control, &facts),
                agreed.shares().unwrap_or(ask.shares),
            ),
        ),
    };
    let mut plan = Plan::parse(file, &text)?;
    plan.gate = Some(Gate {
        exposed: "exposed_day".to_owned(),
        window,
        as_of: facts.as_of_day(),
    });
    for metric in &mut plan.metrics {
        // What does not vary explains nothing, and an adjustment by it is undefined.
        metric.covariates.retain(|name| facts.varies(name));
    }
    let design = agreed.report(ask.plan, facts.learnt(), facts.earlier());
    let agreement = agreement(log, ask, &plan.control, as_of)?;
    let mut failures = design.failures();
    failures.extend(disagreements(agreement.as_ref()));
    let (review, digest) = rayon::join(
        || assemble::review(facts.table(), &plan, &failures),
        || facts.digest(),
    );
    let mut review = review?;
    review.plan_digest = blake3::hash(text.as_bytes()).to_hex().to_string();
    review.facts_digest = digest;
    review.log = Some(report(&facts, &plan, design, agreement, as_of)?);
    Ok((review, facts))
}

fn agreement(
    log: &dyn Log,
    ask: &LogReview<'_>,
    control: &str,
    as_of: Timestamp,
) -> Result<Option<BTreeMap<String, Agreement>>, ReviewError> {
    let Some(ladder) = ask.ladder else {
        return Ok(None);
    };
    let Some(tables) = log.whole()? else {
        return Ok(None);
    };
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a window is a positive number of days, checked before"
    )]
    let horizon_days = (ask.window_days / 2.0).ceil() as u16;
    let question = Question {
        experiment: ask.experiment,
        control,
        as_of,
        horizon_days,
    };
    let found = OwnLog::of(tables).and_then(|own| own.agreement(ladder, ask.objective, question));
    found
        .map(Some)
        .map_err(|error| ReviewError::Log(error.to_string()))
}

fn disagreements(found: Option<&BTreeMap<String, Agreement>>) -> Vec<IntegrityFailure> {
    let arms = found.into_iter().flatten();
    arms.filter(|(_, one)| one.state == State::Disagrees)
        .map(|(arm, _)| IntegrityFailure::OffPolicyDisagrees { arm: arm.clone() })
        .collect()
}

fn control(named: Option<&str>, facts: &Facts) -> String {
    let arms: Vec<&String> = facts.arms().keys().collect();
    let has = |name: &str| arms.iter().any(|arm| *arm == name).then(|| name.to_owned());
    named
        .map(str::to_owned)
        .or_else(|| has("ladder"))
        .or_else(|| has("control"))
        .unwrap_or_else(|| arms.first().map_or_else(String::new, |arm| (*arm).clone()))
}

fn report(
    facts: &Facts,
    plan: &Plan,
    design: DesignReport,
    agreement: Option<BTreeMap<String, Agreement>>,
    as_of: Timestamp,
) -> Result<LogReport, ReviewError> {
    let tau = facts.window_days() / 2.0;
    let fault = |source| ReviewError::Statistics {
        metric: "time to pay".to_owned(),
        comparison: plan.experiment.clone(),
        source,
    };
    let mut arms = BTreeMap::new();
    let mut means = BTreeMap::new();
    for (name, tally) in facts.arms() {
        let mut arm = tally.report();
        if tally.pay.invoices() > 1 {
            let (curve, mean) = tally.pay.restricted_mean(tau).map_err(fault)?;
            arm.curve = curve;
            means.insert(name.clone(), mean);
        }
        arms.insert(name.clone(), arm);
    }
    let mut rmst = BTreeMap::new();
    if let Some(control) = means.get(&plan.control).copied() {
        for (name, mean) in means.iter().filter(|(name, _)| **name != plan.control) {
            rmst.insert(
                name.clone(),
                RmstDifference::of(control, *mean, tau, plan.alpha),
            );
        }
    }
    let mut since = BTreeMap::new();
    if let Some(control) = facts.arms().get(&plan.control) {
        for (name, treatment) in facts
            .arms()
            .iter()
            .filter(|(name, _)| **name != plan.control)
        {
            let by_day = since_exposure(control, treatment, facts.window_days(), plan.alpha);
            since.insert(name.clone(), by_day);
        }
    }
    Ok(LogReport {
        since_exposure: since,
        as_of: as_of.to_string(),
        window_days: facts.window_days(),
        design,
        currency: facts.currency().to_owned(),
        arms,
        rmst,
        agreement,
    })
}

fn since_exposure(
    control: &Tally,
    treatment: &Tally,
    window_days: f64,
    alpha: Alpha,
) -> Vec<SinceExposure> {
    let arms = control.since_exposure.iter().zip(&treatment.since_exposure);
    arms.enumerate()
        .filter_map(|(time, (control, treatment))| {
            let control = ArmEstimate::ratio(control, 0, 1).ok()?;
            let treatment = ArmEstimate::ratio(treatment, 0, 1).ok()?;
            let found = Difference::between(&control, &treatment, alpha);
            Some(SinceExposure {
                day: SoFar::day(time, window_days),
                control: control.mean,
                treatment: treatment.mean,
                diff: found.diff,
                ci: found.z?.ci,
            })
        })
        .collect()
}
