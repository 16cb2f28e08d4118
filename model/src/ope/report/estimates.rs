//! Every estimator of the catalogue with its intervals.

use std::collections::BTreeMap;

use super::{Options, Report};
use crate::ope::{
    catalogue::{Method, catalogue},
    cressie_read,
    error::OpeError,
    estimate::Estimate,
    estimator::Estimator,
    interval::{
        bootstrap::bootstrap,
        bounds::lower_bounds,
        clopper_pearson,
        student::{gaussian, student},
    },
    numeric::{mean, real},
    overlap::Overlap,
    sequence::asymptotic,
    shrinkage::Shrinkage,
    support::SupportCount,
    terms::Terms,
    tuning,
};

/// Estimators that are also given a bootstrap interval.
const BOOTSTRAPPED: [&str; 5] = ["ips", "snips", "dm", "dr", "sndr"];

impl Report {
    /// A report with the overlap measured and nothing estimated yet.
    pub(super) fn empty(terms: &Terms, actions: usize, options: &Options) -> Self {
        let overlap = Overlap::of(terms);
        Self {
            rounds: terms.len(),
            actions,
            customers: terms.customers().map(count_distinct),
            logged_value: mean(terms.rewards()),
            value: BTreeMap::new(),
            interval: BTreeMap::new(),
            bootstrap: BTreeMap::new(),
            lower_bound: BTreeMap::new(),
            tuned: BTreeMap::new(),
            confidence: options.confidence,
            ess: overlap.ess,
            max_weight: overlap.max_weight,
            shortfalls: overlap.shortfalls(&options.required),
            overlap,
            support: SupportCount::default().finish(),
            calibration: None,
            left_out: Vec::new(),
        }
    }
}

/// Adds what the terms can give; what they cannot is listed with its reason.
pub(super) fn fill(report: &mut Report, terms: &Terms, options: &Options) {
    let partitions: Vec<&str> = terms.partitions().collect();
    if partitions.is_empty() {
        report.leave_out(
            "mips_true, offcem",
            "they need facets of the actions and every probability of the logging policy",
        );
    }
    for (name, method) in catalogue(&partitions) {
        if let Err(reason) = add(report, &name, &method, terms, options) {
            report.leave_out(&name, &reason.to_string());
        }
    }
    if let Err(reason) = add_importance_intervals(report, terms, options) {
        report.leave_out("gaussian", &reason.to_string());
    }
}

fn add(
    report: &mut Report,
    name: &str,
    method: &Method,
    terms: &Terms,
    options: &Options,
) -> Result<(), OpeError> {
    let estimate = if let Method::Tuned(family, criterion) = method {
        let chosen = tuning::choose(*family, family.default_grid(), *criterion, terms)?;
        report.tuned.insert(name.replace("_tuned", ""), chosen);
        family.member(chosen).estimate(terms)?
    } else {
        method.estimate(terms)?
    };
    report.value.insert(name.to_owned(), estimate.value);
    let interval = student(&estimate, terms.customers(), options.confidence)?;
    report.interval.insert(name.to_owned(), interval);
    if name == "ips" || name == "dr" {
        add_bounds(report, name, &estimate, terms, options)?;
    }
    if let (Method::Linear(estimator), Some(resampling)) = (method, options.bootstrap)
        && BOOTSTRAPPED.contains(&name)
    {
        let interval = bootstrap(estimator, terms, options.confidence, resampling)?;
        report.bootstrap.insert(name.to_owned(), interval);
    }
    Ok(())
}

fn add_bounds(
    report: &mut Report,
    name: &str,
    estimate: &Estimate,
    terms: &Terms,
    options: &Options,
) -> Result<(), OpeError> {
    let bounds = lower_bounds(estimate, 1.0 - options.confidence)?;
    report.lower_bound.insert(name.to_owned(), bounds);
    let units = real(report.customers.unwrap_or(report.rounds));
    let watched = asymptotic(estimate, terms.customers(), units, options.confidence);
    report.keep(&format!("{name}_asymptotic_cs"), watched);
    Ok(())
}

/// Intervals that other programs print for importance sampling; they take
/// rounds for independent.
fn add_importance_intervals(
    report: &mut Report,
    terms: &Terms,
    options: &Options,
) -> Result<(), OpeError> {
    let confidence = options.confidence;
    let estimate = Estimator::importance(Shrinkage::None).estimate(terms)?;
    report.keep("gaussian", gaussian(&estimate, None, confidence));
    let Some(range) = options.rewards else {
        report.leave_out(
            "anytime_cs, dr_eb, cressieread_ci, clopper_pearson",
            "they need the range of the rewards, and some lie outside [0, 1]",
        );
        return Ok(());
    };
    if range == (0.0, 1.0) {
        report.keep("clopper_pearson", clopper_pearson(terms, confidence));
    }
    for (name, largest) in [
        ("cressieread_ci", f64::INFINITY),
        ("cressieread_ci_wmax100", 100.0),
    ] {
        report.keep(
            name,
            cressie_read::interval(terms, largest, range, confidence),
        );
    }
    Ok(())
}

fn count_distinct(customers: &[u32]) -> usize {
    let mut sorted = customers.to_vec();
    sorted.sort_unstable();
    sorted.dedup();
    sorted.len()
}
