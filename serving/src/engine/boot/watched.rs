//! A canary, and the live version beside the holdout, are watched on where they were.

#![allow(clippy::unwrap_used)]

use super::tests::{
    KEEPING, boot, boot_as, both_ways, config, copy, id, kept_upto, learning, live, state,
    without_state,
};
use crate::config::Config;
use crate::rollout::Staged;
use crate::server::Server;
use crate::store::{Entry, SqliteStore, Store};
use lagom_model::decide::Predictor;
use lagom_model::hazard::Moment;
use lagom_model::rollout::Stage;
use std::path::Path;
use std::sync::Arc;
use tempfile::TempDir;

/// A version that knows nothing.
#[derive(Debug)]
struct Version(String);

impl Predictor for Version {
    fn id(&self) -> &str {
        "m2"
    }

    fn feature_fingerprint(&self) -> &str {
        &self.0
    }

    fn payment_propensity(&self, _: &[f64], _: Moment) -> Option<f64> {
        None
    }

    fn churn_risk(&self, _: &[f64]) -> Option<f64> {
        None
    }

    fn early_risk(&self, _: &[f64], _: Moment) -> Option<f64> {
        None
    }
}

pub(super) fn version(config: &Config) -> Option<Arc<dyn Predictor>> {
    Some(Arc::new(Version(config.spec.fingerprint().to_owned())))
}

/// The version in force is watched beside the holdout, and neither a start nor whoever keeps reads the log
/// from its first decision on.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_live_version_is_watched_on_where_it_was() {
    let folder = TempDir::new().unwrap();
    let mut seen = Vec::new();
    for wave in 0..3 {
        let config = config(folder.path(), KEEPING);
        let version = version(&config);
        let server = Server::start(config, version).await.unwrap();
        // The first of the days ends with a pause, from which on the version is watched anew.
        for day in 1..3 {
            live(server.engine(), wave * 3 + day).await;
        }
        if wave == 1 {
            // From here on what was found of the customer is learnt from the rest of the log.
            server.engine().erase(&id(4)).await.unwrap();
            for name in ["lagom.db-state", "lagom.db-state-wal"] {
                let there = std::fs::read(folder.path().join(name)).unwrap_or_default();
                let found = there.windows(10).any(|bytes| bytes == b"customer-4");
                assert!(!found, "{name} still says who was erased");
            }
        }
        server.settle().await;
        let engine = Arc::clone(server.engine());
        let kept = tokio::task::spawn_blocking(move || engine.keep_now()).await;
        kept.unwrap().unwrap();
        live(server.engine(), wave * 3 + 3).await;
        server.settle().await;
        server.shutdown().await;
        both_ways(folder.path()).await;
        let copy = copy(folder.path());
        let booted = boot(copy.path(), KEEPING).await;
        let standing = booted.engine.rollout().standing().live.unwrap();
        assert_eq!(standing.model, "m2");
        seen.push(standing.exposed);
        let (position, upto) = watched_upto(folder.path());
        assert!(position > 0 && upto == position, "{upto} of {position}");
    }
    assert!(seen.iter().all(|[held, rest]| held + rest > 5), "{seen:?}");
}

/// Another holdout, or other numbers for harm, are watched from the whole log.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn under_another_guard_the_log_is_read_again() {
    let folder = TempDir::new().unwrap();
    let of = |folder: &Path, more: &str| learning(folder, KEEPING, more);
    let config = of(folder.path(), "");
    let version = version(&config);
    let server = Server::start(config, version).await.unwrap();
    for day in 0..3 {
        live(server.engine(), day).await;
    }
    server.settle().await;
    let engine = Arc::clone(server.engine());
    let kept = tokio::task::spawn_blocking(move || engine.keep_now()).await;
    kept.unwrap().unwrap();
    server.shutdown().await;
    let (with, whole) = (copy(folder.path()), without_state(folder.path()));
    let other = "[rollout]\nalpha = 0.2\n";
    let with = boot_as(&of(with.path(), other)).await;
    let whole = boot_as(&of(whole.path(), other)).await;
    assert_eq!(state(&with), state(&whole));
    let same = boot(folder.path(), KEEPING).await;
    assert_ne!(state(&same), state(&with));
}

/// Of the state that is kept: up to which record everything else, and the rollout.
fn watched_upto(folder: &Path) -> (i64, i64) {
    let copy = copy(folder);
    let store = SqliteStore::open(&copy.path().join("lagom.db")).unwrap();
    let opened = crate::kept::start(&config(copy.path(), KEEPING), store.own().unwrap());
    let start = opened.unwrap().start.unwrap();
    (start.position, start.rollout.unwrap().1)
}

/// What a canary has seen goes on where it was.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_canary_goes_on_where_it_was() {
    let folder = TempDir::new().unwrap();
    // Nobody learns here, so that no window may close.
    for day in 0..3 {
        let booted = boot(folder.path(), KEEPING).await;
        if day == 1 {
            let staged = Staged {
                at: booted.engine.clock().now(),
                number: 1,
                model: "m1".to_owned(),
                stage: Some(Stage::Canary { share: 0.5 }),
                reason: "a trial".to_owned(),
            };
            let store = &booted.engine.store;
            store
                .append(vec![Entry::Staged(Box::new(staged.clone()))])
                .await
                .unwrap();
            booted.engine.rollout().staged(staged);
        }
        live(&booted.engine, day).await;
        let engine = Arc::clone(&booted.engine);
        let kept = tokio::task::spawn_blocking(move || engine.keep_now()).await;
        kept.unwrap().unwrap();
        drop(booted);
        both_ways(folder.path()).await;
    }
    assert!(kept_upto(folder.path()).is_some());
}
