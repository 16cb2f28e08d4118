//! Only the curve of payment, or early risk, held against what came later; `lagom bench hazard` runs the first.

use super::examples::{Examples, Target};
use super::hazard::{Told, tell};
use super::{TrainError, TrainingConfig, early, fit_curve, heads, last_recorded};
use crate::dataset::{Dataset, Point, Stage};
use lagom_features::History;
use lagom_features::domain::{CustomerId, Days, Timestamp};
use lagom_model::early::EarlyHead;
use lagom_model::hazard::AtDay;
use lagom_model::metrics::{ClusteredGap, Metrics};
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};

/// Curves fitted on earlier decisions, against what came of later ones.
#[derive(Debug, Clone, Serialize)]
pub struct Study {
    /// The first curve saw nothing from this instant on.
    pub fitted_before: Timestamp,
    /// It was judged on invoices issued from this instant on.
    pub judged_from: Timestamp,
    /// When the curve was fitted anew, to everything known by then: invoices issued from one of these to
    /// the next are judged by the curve of the first of the two.
    pub refitted: Vec<Timestamp>,
    /// Figures over every later decision.
    pub all: Vec<AtDay>,
    /// How far each tenth of them is off, with an interval by customer; day by day.
    pub gaps: Vec<(u16, Vec<ClusteredGap>)>,
    /// The same by where in its life the invoice was.
    pub stages: Vec<(Stage, Vec<AtDay>)>,
    /// Log-loss at the propensity's day of a model of that one day, fitted and judged on the same rows.
    pub single: Option<Metrics>,
}

/// Fits nothing but the twin whose figures a version would quote, and judges it on what came later. With
/// `fits` above one, the time of the judged invoices is cut into as many equal parts, and the curve is
/// fitted anew at the beginning of each, as it is where versions are trained again and again: an evaluation
/// with a rolling origin. Source: Tashman, International Journal of Forecasting 16(4), 2000,
/// doi:10.1016/S0169-2070(00)00065-0.
///
/// # Errors
/// [`TrainError::NoPoints`] and [`TrainError::Fit`].
pub fn study(
    histories: &BTreeMap<CustomerId, History>,
    config: &TrainingConfig,
    fits: u16,
    seed: u64,
) -> Result<Study, TrainError> {
    let as_of = last_recorded(histories) + Days::SHORTEST;
    let options = config.dataset(histories, as_of, seed);
    let dataset = Dataset::build(histories, &config.spec, &options);
    if dataset.points().is_empty() {
        return Err(TrainError::NoPoints { as_of });
    }
    let failed = |source| TrainError::Fit {
        target: Target::Paid,
        source,
    };
    let (fitted_before, judged_from, ..) = Examples::of(&dataset, Target::Paid).parted(config);
    let last = dataset.points().iter().map(|point| point.issued_at).max();
    let refitted = origins(judged_from, last.unwrap_or(judged_from), fits);
    let mut curves = vec![(
        judged_from,
        fit_curve(histories, config, fitted_before, seed)?,
    )];
    for &at in &refitted {
        curves.push((at, fit_curve(histories, config, at, seed)?));
    }
    // The last one that was there when the invoice was issued.
    let quoting = |point: &Point| {
        let begun = curves.partition_point(|(from, _)| *from <= point.issued_at);
        begun.checked_sub(1).map(|place| &curves[place].1)
    };
    let told = |stage: Option<Stage>| {
        let by = |point: &Point| {
            let on = stage.is_none_or(|stage| stage == point.stage);
            on.then(|| quoting(point)).flatten()
        };
        tell(&dataset, config.paid_days, by, options.known_until).map_err(failed)
    };
    let figures = |told: &[Told]| {
        let figures = told.iter().map(Told::figures);
        figures.collect::<Result<_, _>>().map_err(failed)
    };
    let all = told(None)?;
    let stages: BTreeSet<Stage> = dataset.points().iter().map(|point| point.stage).collect();
    let stages = stages.into_iter();
    Ok(Study {
        fitted_before,
        judged_from,
        refitted,
        all: figures(&all)?,
        gaps: all.iter().map(Told::gaps).collect(),
        stages: stages
            .map(|stage| Ok((stage, figures(&told(Some(stage))?)?)))
            .collect::<Result<_, TrainError>>()?,
        single: heads::judged(&dataset, config, seed).ok(),
    })
}

/// The beginnings of the second and later of so many equal parts of the time between two instants.
fn origins(from: Timestamp, until: Timestamp, parts: u16) -> Vec<Timestamp> {
    let part = until.days_since(from) / f64::from(parts.max(1));
    let hours = |place: u16| (24.0 * part * f64::from(place)).round() as i64;
    (1..parts)
        .map(|place| from + Days::hours(hours(place)))
        .collect()
}

/// Fits nothing but early risk and, where asked for, the twin of the curve that it is held against.
///
/// # Errors
/// [`TrainError::NoPoints`] and [`TrainError::Early`].
pub fn early_study(
    histories: &BTreeMap<CustomerId, History>,
    config: &TrainingConfig,
    beside_curve: bool,
    seed: u64,
) -> Result<EarlyHead, TrainError> {
    let as_of = last_recorded(histories) + Days::SHORTEST;
    let options = config.dataset(histories, as_of, seed);
    let dataset = Dataset::build(histories, &config.spec, &options);
    if dataset.points().is_empty() {
        return Err(TrainError::NoPoints { as_of });
    }
    let (fitted_before, ..) = Examples::of(&dataset, Target::Paid).parted(config);
    let twin = || fit_curve(histories, config, fitted_before, seed).ok();
    let curve = beside_curve.then(twin).flatten();
    Ok(early::fit(&dataset, config, seed, curve.as_ref())?)
}
