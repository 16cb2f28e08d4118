//! From tables to a model version.
//!
//! ```text
//! tables ──> histories ──as_of──> decision points, vectors, labels ──fit──> models ──> version
//! ```
//! Each model is fitted on every decision point whose outcome is known. The figures that are
//! quoted are those of a twin, fitted on the earlier decisions and judged on later ones. The same
//! tables, configuration and seed give the same version, byte for byte.

mod config;
mod digest;
mod early;
mod error;
mod examples;
mod hazard;
mod heads;
mod leaving;
mod scrutiny;
mod study;
mod thin;

pub use config::{ConfigError, TrainingConfig};
pub use error::{EarlyError, TrainError};
pub use examples::Target;
pub use heads::HeadReport;
pub use study::{Study, early_study, study};

use crate::dataset::{Dataset, Points};
use crate::fit::FitError;
use crate::progress::work;
use crate::registry::Registry;
use crate::tables::{Partitions, Tables};
use lagom_features::domain::{CustomerId, Days, Timestamp};
use lagom_features::{History, Known, Segments};
use lagom_model::artefact::{FORMAT, Head, HeldOut, Lineage, ModelVersion, Parts, PolicyOrigin};
use lagom_model::early::{EarlyFigures, EarlyHead};
use lagom_model::hazard::{AtDay, Hazard, HazardHead};
use serde::Serialize;
use std::collections::BTreeMap;
use std::path::PathBuf;

/// What `lagom train` is told.
#[derive(Debug, Clone)]
pub struct TrainOptions {
    /// Folder of the canonical tables.
    pub data: PathBuf,
    /// Folder of the registry.
    pub models: PathBuf,
    /// How to train.
    pub config: TrainingConfig,
    /// Nothing recorded from this instant on is read; by default everything is.
    pub as_of: Option<Timestamp>,
    /// Seed of everything drawn.
    pub seed: u64,
    /// Experiments whose customers are left out, so that what is trained can be judged on them.
    pub excluded: Vec<String>,
    /// How the policy learns that will be stored beside the version, where one will.
    pub policy: Option<PolicyOrigin>,
}

/// What came of a training.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct TrainReport {
    /// Id of the version.
    pub model_id: String,
    /// Where it is stored, where it is.
    pub path: Option<PathBuf>,
    /// The version that was current meanwhile.
    pub parent: Option<String>,
    /// Nothing recorded from here on was read.
    pub as_of: Timestamp,
    /// Customers in the tables.
    pub customers: usize,
    /// Invoices in the tables.
    pub invoices: usize,
    /// Share of them that was looked at.
    pub invoice_share: f64,
    /// Decision points.
    pub points: usize,
    /// Columns of a vector.
    pub columns: usize,
    /// Fingerprint of the features.
    pub feature_fingerprint: String,
    /// Digest of the tables.
    pub data_digest: String,
    /// The models.
    pub heads: Vec<HeadReport>,
    /// The hazard of leaving.
    pub leaving: LeavingReport,
    /// The hazard of settlement.
    pub hazard: HazardReport,
    /// Early risk of new customers.
    pub early: EarlyReport,
}

/// How early risk was fitted.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct EarlyReport {
    /// Decisions over new customers.
    pub rows: usize,
    /// Share of them over an invoice that was late.
    pub base_rate: Option<f64>,
    /// It was judged on invoices issued from here on.
    pub judged_from: Option<Timestamp>,
    /// The twin against what came, beside the rate of the segment and the curve.
    pub held_out: Vec<EarlyFigures>,
    /// Whether the curve is quoted instead, because it did better.
    pub by_curve: bool,
    /// Why there is none.
    pub note: Option<String>,
}

impl EarlyReport {
    fn of(head: Option<&EarlyHead>, note: Option<String>) -> Self {
        Self {
            rows: head.map_or(0, |head| head.rows),
            base_rate: head.map(|head| head.base_rate),
            judged_from: head.and_then(|head| head.judged_from),
            held_out: head.map_or_else(Vec::new, |head| head.held_out.clone()),
            by_curve: head.is_some_and(EarlyHead::curve_is_better),
            note,
        }
    }
}

/// How the hazard of leaving was fitted.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct LeavingReport {
    /// Periods of decisions.
    pub rows: usize,
    /// Decisions among them whose outcome is not known to the end of the horizon.
    pub censored: usize,
    /// P(left within the horizon) of the twin against what came.
    pub held_out: Option<HeldOut>,
    /// Why there is none.
    pub note: Option<String>,
}

/// How the hazard was fitted.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct HazardReport {
    /// Person-period rows.
    pub rows: usize,
    /// When the judged twin's knowledge ended.
    pub fitted_before: Option<Timestamp>,
    /// It was judged on invoices issued from here on.
    pub judged_from: Option<Timestamp>,
    /// P(settled by each day) of the twin against what came.
    pub held_out: Vec<AtDay>,
    /// Why there is none.
    pub note: Option<String>,
}

impl HazardReport {
    fn of(head: Option<&HazardHead>, note: Option<String>) -> Self {
        Self {
            rows: head.map_or(0, |head| head.rows),
            fitted_before: head.and_then(|head| head.fitted_before),
            judged_from: head.and_then(|head| head.judged_from),
            held_out: head.map_or_else(Vec::new, |head| head.held_out.clone()),
            note,
        }
    }
}

/// Where a version comes from, apart from data and configuration.
#[derive(Debug, Clone, Default)]
pub struct Origin {
    /// The version that is current now.
    pub parent: Option<String>,
    /// Nothing recorded from this instant on is read; by default everything is.
    pub as_of: Option<Timestamp>,
    /// Seed of everything drawn.
    pub seed: u64,
    /// Experiments whose customers are not in the histories.
    pub excluded: Vec<String>,
    /// How the policy learns that will be stored beside the version, where one will.
    pub policy: Option<PolicyOrigin>,
}

/// Trains on the tables of a folder and stores the version. Nothing is promoted.
///
/// # Errors
/// [`TrainError`]: tables, fit or registry.
pub fn train(options: &TrainOptions) -> Result<TrainReport, TrainError> {
    let registry = Registry::at(&options.models);
    let mut tables = Tables::read(&options.data)?;
    let mut histories = tables.take_histories();
    let spec = &options.config.spec;
    // Of everybody: those who are left out below were pooled with the others when they were served.
    let as_of = options
        .as_of
        .unwrap_or_else(|| last_recorded(&histories) + Days::SHORTEST);
    let segments = Points::Stages.segments(spec, &histories, as_of);
    for decision in &tables.decisions {
        let of = decision.experiment.as_ref();
        if of.is_some_and(|name| options.excluded.contains(name)) {
            histories.remove(&decision.customer_id);
        }
    }
    let origin = Origin {
        parent: registry.pointers()?.current,
        as_of: options.as_of,
        seed: options.seed,
        excluded: options.excluded.clone(),
        policy: options.policy,
    };
    let (version, mut report) = fit_among(&histories, &segments, &options.config, origin)?;
    report.path = Some(registry.put(&version)?);
    Ok(report)
}

/// The curve of payment that [`fit_version`] would give its version, without the other models and
/// without judging it.
///
/// # Errors
/// [`TrainError`], where there is too little to fit it on too.
pub(crate) fn fit_curve(
    histories: &BTreeMap<CustomerId, History>,
    config: &TrainingConfig,
    as_of: Timestamp,
    seed: u64,
) -> Result<Hazard, TrainError> {
    let options = config.dataset(histories, as_of, seed);
    let known_until = options.known_until;
    let dataset = Dataset::build(histories, &config.spec, &options);
    if dataset.points().is_empty() {
        return Err(TrainError::NoPoints { as_of });
    }
    hazard::curve(&dataset, config, known_until, seed).map_err(|source| TrainError::Fit {
        target: Target::Paid,
        source,
    })
}

/// Fits a version to `histories`, which are everybody, without touching a file.
///
/// # Errors
/// [`TrainError::NoPoints`], and [`TrainError::Fit`] where even the propensity cannot be fitted;
/// lateness and churn are left out where the data has too little of them.
pub fn fit_version(
    histories: &BTreeMap<CustomerId, History>,
    config: &TrainingConfig,
    origin: Origin,
) -> Result<(ModelVersion, TrainReport), TrainError> {
    let end = || last_recorded(histories) + Days::SHORTEST;
    let as_of = origin.as_of.unwrap_or_else(end);
    let segments = Points::Stages.segments(&config.spec, histories, as_of);
    fit_among(histories, &segments, config, origin)
}

/// [`fit_version`] to some of the customers, where everybody adds up to `segments`.
fn fit_among(
    histories: &BTreeMap<CustomerId, History>,
    segments: &Segments,
    config: &TrainingConfig,
    origin: Origin,
) -> Result<(ModelVersion, TrainReport), TrainError> {
    let as_of = origin
        .as_of
        .unwrap_or_else(|| last_recorded(histories) + Days::SHORTEST);
    let seed = origin.seed;
    let invoices = histories.values().map(|one| one.invoices().len()).sum();
    let options = config.dataset(histories, as_of, seed);
    let known_until = options.known_until;
    let customers: Vec<_> = histories.iter().collect();
    let dataset = Dataset::of(&customers, &config.spec, &options, Points::Stages, segments);
    if dataset.points().is_empty() {
        return Err(TrainError::NoPoints { as_of });
    }
    let fits = work("fitting models", "fits", 6);
    let fitted = |target: Target| {
        let fitted = heads::fit(&dataset, target, config, seed);
        fits.advance(1);
        fitted
    };
    let needed = |target: Target| move |source: FitError| TrainError::Fit { target, source };
    let (propensity, paid) = fitted(Target::Paid).map_err(needed(Target::Paid))?;
    let mut reports = vec![paid];
    let mut optional = |target: Target| -> Result<Option<Head>, TrainError> {
        match fitted(target) {
            Ok((head, report)) => {
                reports.push(report);
                Ok(Some(head))
            }
            Err(why @ (FitError::TooFewRows { .. } | FitError::OneOutcome { .. })) => {
                reports.push(heads::unfitted(&dataset, target, config, &why));
                Ok(None)
            }
            Err(source) => Err(TrainError::Fit { target, source }),
        }
    };
    let (lateness, churn) = (optional(Target::Late)?, optional(Target::Left)?);
    let (leaving, leaving_note) = match leaving::fit(&dataset, config, known_until, seed) {
        Ok(head) => (Some(head), None),
        Err(why) => (None, Some(why.to_string())),
    };
    fits.advance(1);
    let then = |day: Timestamp| {
        let options = config.dataset(histories, day, seed);
        let spec = &config.spec;
        let dataset = Dataset::of(&customers, spec, &options, Points::Stages, segments);
        (dataset, options.known_until)
    };
    let curve = hazard::fit(&dataset, config, known_until, seed, then);
    let (hazard, twin, hazard_note) = match curve {
        Ok((head, twin)) => (Some(head), twin, None),
        // Nothing else rests on the curve, so a version without it is better than none.
        Err(why) => (None, None, Some(why.to_string())),
    };
    fits.advance(1);
    let (early, early_note) = match early::fit(&dataset, config, seed, twin.as_ref()) {
        Ok(head) => (Some(head), None),
        Err(why) => (None, Some(why.to_string())),
    };
    let data_digest = digest::of(histories);
    let version = ModelVersion::new(Parts {
        format: FORMAT,
        feature_fingerprint: config.spec.fingerprint().to_owned(),
        feature_spec: config.spec.text().to_owned(),
        propensity,
        hazard,
        lateness,
        churn,
        leaving,
        early,
        lineage: Lineage {
            parent: origin.parent.clone(),
            data_digest: data_digest.clone(),
            config_digest: config.digest().to_owned(),
            code_version: env!("CARGO_PKG_VERSION").to_owned(),
            seed,
            as_of,
            excluded: origin.excluded.clone(),
            policy: origin.policy,
        },
    })?;
    let hazard_report = HazardReport::of(version.parts().hazard.as_ref(), hazard_note);
    let early_report = EarlyReport::of(version.parts().early.as_ref(), early_note);
    let leaving = version.parts().leaving.as_ref();
    let leaving_report = LeavingReport {
        rows: leaving.map_or(0, |head| head.rows),
        censored: leaving.map_or(0, |head| head.censored),
        held_out: leaving.and_then(|head| head.held_out.clone()),
        note: leaving_note,
    };
    let report = TrainReport {
        model_id: version.id().to_owned(),
        path: None,
        parent: origin.parent,
        as_of,
        customers: histories.len(),
        invoices,
        invoice_share: options.share,
        points: dataset.points().len(),
        columns: dataset.names().len(),
        feature_fingerprint: config.spec.fingerprint().to_owned(),
        data_digest,
        heads: reports,
        leaving: leaving_report,
        hazard: hazard_report,
        early: early_report,
    };
    Ok((version, report))
}

/// The first instant at which everything in a folder is known, whichever of its parts `histories`
/// were read from.
pub(crate) fn end(parts: &Partitions, histories: &BTreeMap<CustomerId, History>) -> Timestamp {
    let last = parts.last_recorded();
    last.unwrap_or_else(|| last_recorded(histories)) + Days::SHORTEST
}

/// When the last event or invoice was recorded.
pub(crate) fn last_recorded(histories: &BTreeMap<CustomerId, History>) -> Timestamp {
    let last = histories.values().flat_map(|history| {
        let events = history.events().map(Known::recorded_at);
        let invoices = history.invoices().iter().map(|one| one.recorded_at);
        events.chain(invoices)
    });
    last.max().unwrap_or(Timestamp::MIN)
}
