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
        bootstrap::{self, bootstrap_all},
        bounds::lower_bounds,
        clopper_pearson, skewed,
        student::gaussian,
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

/// Draws beyond which a bootstrap is not worth its time.
const MOST_DRAWS: f64 = 1e9;
const TOO_MANY_DRAWS: &str =
    "more than a billion draws; at this size Student's interval says the same";

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
    if let Some(resampling) = options.bootstrap {
        add_bootstrap(report, terms, options.confidence, resampling);
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
    let interval = skewed(&estimate, terms.customers(), options.confidence)?;
    report.interval.insert(name.to_owned(), interval);
    if name == "ips" || name == "dr" {
        add_bounds(report, name, &estimate, terms, options)?;
    }
    Ok(())
}

/// Bootstrap intervals of the estimators that have a value, from shared draws.
fn add_bootstrap(
    report: &mut Report,
    terms: &Terms,
    confidence: f64,
    resampling: bootstrap::Options,
) {
    if real(terms.len()) * real(resampling.resamples) > MOST_DRAWS {
        report.leave_out("bootstrap", TOO_MANY_DRAWS);
        return;
    }
    let named: Vec<(String, Estimator)> = catalogue(&[])
        .into_iter()
        .filter(|(name, _)| {
            BOOTSTRAPPED.contains(&name.as_str()) && report.value.contains_key(name)
        })
        .filter_map(|(name, method)| match method {
            Method::Linear(estimator) => Some((name, estimator)),
            _ => None,
        })
        .collect();
    let estimators: Vec<&Estimator> = named.iter().map(|(_, estimator)| estimator).collect();
    match bootstrap_all(&estimators, terms, confidence, resampling) {
        Ok(intervals) => {
            let names = named.iter().map(|(name, _)| name.clone());
            report.bootstrap.extend(names.zip(intervals));
        }
        Err(reason) => report.leave_out("bootstrap", &reason.to_string()),
    }
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
