//! Reviews of running experiments, from the log that the server writes: the numbers of
//! `lagom export` followed by `lagom review --json`.
//!
//! A review reads the whole log, so one is made at a time and those who ask meanwhile wait. It is
//! offline work that happens to be asked for over the wire, and needs the `training` feature.

use crate::engine::{Engine, Failure};
use lagom_features::domain::Timestamp;

/// A review.
#[derive(Debug, Clone)]
pub(crate) struct Reviewed {
    /// As `lagom review --json` writes it.
    pub(crate) json: String,
    /// What was known then.
    pub(crate) as_of: Timestamp,
    /// The commands that make the same numbers.
    pub(crate) recompute: String,
}

/// Reviews the experiment `name` as of a time, by default now. Blocks.
#[cfg(feature = "training")]
pub(crate) fn review(
    engine: &Engine,
    name: &str,
    as_of: Option<Timestamp>,
) -> Result<Reviewed, Failure> {
    use lagom_training::review::{LogReview, WINDOW_DAYS, review_log};
    use std::sync::{Mutex, PoisonError};

    static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());

    known(engine, name)?;
    let as_of = as_of.unwrap_or_else(|| engine.clock().now());
    let _turn = ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner);
    let tables = crate::export::read(engine.store())?.into_tables();
    let snapshot = engine.snapshot();
    let ask = LogReview {
        experiment: name,
        plan: None,
        control: None,
        shares: &engine.experiments().shares(name),
        as_of: Some(as_of),
        window_days: WINDOW_DAYS,
        objective: &snapshot.parts().objective,
    };
    let (review, _) =
        review_log(&tables, &ask).map_err(|error| Failure::Forbidden(error.to_string()))?;
    let json = serde_json::to_string_pretty(&review)
        .map_err(|error| Failure::Internal(error.to_string()))?;
    Ok(Reviewed {
        json,
        as_of,
        recompute: format!(
            "lagom export --config lagom.toml --out data && lagom review --data data \
             --experiment {name} --as-of {as_of} --config lagom.toml --json"
        ),
    })
}

/// A slim server has no tables to review.
#[cfg(not(feature = "training"))]
pub(crate) fn review(
    engine: &Engine,
    name: &str,
    as_of: Option<Timestamp>,
) -> Result<Reviewed, Failure> {
    known(engine, name)?;
    let as_of = as_of.unwrap_or_else(|| engine.clock().now());
    Err(Failure::Forbidden(format!(
        "this server was built without reviews (as of {as_of}); use lagom export, then lagom review"
    )))
}

fn known(engine: &Engine, name: &str) -> Result<(), Failure> {
    let mut specs = engine.experiments().specs().iter();
    if specs.any(|spec| spec.name == name) {
        Ok(())
    } else {
        Err(Failure::unknown("experiment", &name))
    }
}
