//! Reviews of running experiments, from the log that the server writes: the numbers of
//! `lagom export` followed by `lagom review --json`.
//!
//! A review reads the whole log, so one is made at a time and those who ask meanwhile wait. It is
//! offline work that happens to be asked for over the wire, and needs the `training` feature.

use crate::engine::{Engine, Failure};
use lagom_features::domain::Timestamp;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

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

/// How long a review waits for outcomes that are due, which the learner is writing down.
const PATIENCE: Duration = Duration::from_secs(30);

/// How old a page of a review may be; a review reads the whole log, whoever reloads its page.
const FRESH: Duration = Duration::from_secs(60);

/// What pages have shown lately, by what was asked for.
#[derive(Debug)]
pub(crate) struct Shown<T>(Mutex<HashMap<String, Arc<tokio::sync::Mutex<Kept<T>>>>>);

/// What was found, and when.
type Kept<T> = Option<(Instant, T)>;

impl<T> Default for Shown<T> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

impl<T: Clone> Shown<T> {
    /// What `find` gives, unless it was found within the last minute. Those who ask for the same
    /// meanwhile wait for it; a failure is not kept.
    pub(crate) async fn or<E>(
        &self,
        what: &str,
        find: impl Future<Output = Result<T, E>>,
    ) -> Result<T, E> {
        let place = {
            let mut places = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            Arc::clone(places.entry(what.to_owned()).or_default())
        };
        let mut kept = place.lock().await;
        if let Some((when, found)) = &*kept
            && when.elapsed() < FRESH
        {
            return Ok(found.clone());
        }
        let found = find.await;
        match &found {
            Ok(found) => *kept = Some((Instant::now(), found.clone())),
            // Names that nobody knows must not pile up.
            Err(_) => {
                let mut places = self.0.lock().unwrap_or_else(PoisonError::into_inner);
                places.remove(what);
            }
        }
        found
    }
}

/// Reviews the experiment `name` as of a time, by default now, once every outcome due by now is in
/// the log.
pub(crate) async fn review(
    engine: Arc<Engine>,
    name: String,
    as_of: Option<Timestamp>,
) -> Result<Reviewed, Failure> {
    let now = engine.clock().now();
    if tokio::time::timeout(PATIENCE, engine.pending().settled(now))
        .await
        .is_err()
    {
        tracing::warn!("reviewing although outcomes are due that are not in the log yet");
    }
    let work = move || read(&engine, &name, as_of.unwrap_or(now));
    let read = tokio::task::spawn_blocking(work).await;
    read.unwrap_or_else(|error| Err(Failure::Internal(error.to_string())))
}

/// The uplift ledger of everything that is known now, as `lagom ledger --json` writes it.
pub(crate) async fn ledger(engine: Arc<Engine>) -> Result<String, Failure> {
    let read = tokio::task::spawn_blocking(move || count(&engine)).await;
    read.unwrap_or_else(|error| Err(Failure::Internal(error.to_string())))
}

#[cfg(feature = "training")]
fn count(engine: &Engine) -> Result<String, Failure> {
    let mut export = crate::export::read(engine.store())?;
    let drawn = std::mem::take(&mut export.assignments)
        .into_iter()
        .filter(|one| one.experiment == crate::experiment::HOLDOUT)
        .map(|one| {
            let held = one.arm == crate::experiment::HOLDOUT;
            (one.customer_id, (held, one.at))
        })
        .collect();
    let objective = &engine.snapshot().parts().objective.clone();
    let now = engine.clock().now();
    let ledger = lagom_training::uplift::ledger(&export.into_tables(), &drawn, objective, now)
        .map_err(Failure::Forbidden)?;
    serde_json::to_string_pretty(&ledger).map_err(|error| Failure::Internal(error.to_string()))
}

/// A slim server has no tables to count.
#[cfg(not(feature = "training"))]
fn count(_: &Engine) -> Result<String, Failure> {
    Err(Failure::Forbidden(
        "this server was built without the ledger; use lagom export, then lagom ledger".to_owned(),
    ))
}

#[cfg(feature = "training")]
impl crate::export::Export {
    /// What a review has to know beside the tables; `models` is the folder of the registry.
    pub(crate) fn design(&self, models: &std::path::Path) -> lagom_training::review::Design {
        use lagom_training::review::{Design, Generation, Phase, Trained};
        let versions = crate::registry::list(models).unwrap_or_else(|error| {
            tracing::warn!(%error, "what the models were trained on is not known");
            Vec::new()
        });
        Design {
            phases: self
                .phases
                .iter()
                .map(|one| Phase {
                    experiment: one.experiment.clone(),
                    number: one.number,
                    started_at: one.started_at,
                    salt: one.salt.clone(),
                    digest: one.digest.clone(),
                    shares: one.shares.clone(),
                    isolated: one.isolated,
                    plan: one.plan.clone(),
                })
                .collect(),
            generations: self
                .generations
                .iter()
                .map(|one| Generation {
                    number: one.generation,
                    published_at: one.published_at,
                    excluded: one.excluded.clone(),
                })
                .collect(),
            models: versions
                .iter()
                .map(|one| Trained {
                    id: one.id().to_owned(),
                    as_of: one.parts().lineage.as_of,
                    excluded: one.parts().lineage.excluded.clone(),
                })
                .collect(),
        }
    }

    /// As tables to be written or reviewed.
    pub(crate) fn into_tables(self) -> lagom_training::tables::Tables {
        lagom_training::tables::Tables {
            customers: self.customers,
            invoices: self.invoices,
            events: self.events,
            decisions: self.decisions,
            outcomes: self.outcomes,
        }
    }
}

#[cfg(feature = "training")]
fn read(engine: &Engine, name: &str, as_of: Timestamp) -> Result<Reviewed, Failure> {
    use lagom_training::review::{LogReview, WINDOW_DAYS, review_log};

    static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());

    known(engine, name)?;
    let _turn = ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner);
    let export = crate::export::read(engine.store())?;
    let design = export.design(&engine.config().models);
    let tables = export.into_tables();
    let snapshot = engine.snapshot();
    let ask = LogReview {
        experiment: name,
        plan: None,
        control: None,
        shares: &engine.experiments().shares(name),
        as_of: Some(as_of),
        window_days: WINDOW_DAYS,
        objective: &snapshot.parts().objective,
        design: Some(&design),
        ladder: Some(&snapshot),
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
fn read(engine: &Engine, name: &str, as_of: Timestamp) -> Result<Reviewed, Failure> {
    known(engine, name)?;
    Err(Failure::Forbidden(format!(
        "this server was built without reviews (as of {as_of}); use lagom export, then lagom review"
    )))
}

fn known(engine: &Engine, name: &str) -> Result<(), Failure> {
    let experiments = engine.experiments();
    if experiments.specs().iter().any(|spec| spec.name == name) {
        Ok(())
    } else {
        Err(Failure::unknown("experiment", &name))
    }
}

/// Whether the text of `file` is a plan that an experiment can be reviewed by.
#[cfg(feature = "training")]
pub(crate) fn check_plan(file: &str, text: &str) -> Result<(), String> {
    let plan = lagom_training::review::Plan::parse(file, text);
    plan.map(drop).map_err(|error| error.to_string())
}

/// A slim server reviews nothing; whoever reviews its export reads the plan.
#[cfg(not(feature = "training"))]
pub(crate) fn check_plan(_: &str, _: &str) -> Result<(), String> {
    Ok(())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use std::sync::atomic::{AtomicU32, Ordering};

    #[tokio::test]
    async fn a_page_is_made_once_however_many_ask_and_a_failure_is_not_kept() {
        let (shown, made) = (Shown::default(), AtomicU32::new(0));
        let find = async || {
            tokio::task::yield_now().await;
            match made.fetch_add(1, Ordering::Relaxed) {
                0 => Err("not yet"),
                n => Ok(n),
            }
        };
        assert_eq!(shown.or("spring", find()).await, Err("not yet"));
        let both = tokio::join!(shown.or("spring", find()), shown.or("spring", find()));
        assert_eq!(both, (Ok(1), Ok(1)));
        assert_eq!(shown.or("autumn", find()).await, Ok(2));
    }
}
