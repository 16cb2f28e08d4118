//! What the policy of a version learnt from history comes with its promotion, not with the next start.

use crate::changes::until;
use crate::house::House;
use crate::versions::version;
use lagom_features::FeatureSpec;
use lagom_model::log::{Decision, LoggedRound};
use lagom_serving::registry;
use lagom_serving::store::Entry;
use lagom_tests::company::{DAY, MONDAY, at, opening, question};
use lagom_training::registry::Registry;
use std::collections::HashMap;
use std::sync::Arc;

const CUSTOMERS: usize = 40;
/// How often the history holds every round of the log, so that the two can be told apart.
const TIMES: usize = 3;

fn rounds(house: &House) -> Vec<LoggedRound> {
    let mut decisions: HashMap<String, Decision> = HashMap::new();
    let mut rounds = Vec::new();
    house
        .server
        .engine()
        .store()
        .scan(&mut |_, entry| {
            match entry {
                Entry::Decided(one) => {
                    decisions.insert(one.decision_id.to_string(), (*one).clone());
                }
                Entry::Matured(outcome) => rounds.push(LoggedRound {
                    decision: decisions[outcome.decision_id.as_str()].clone(),
                    outcome: *outcome,
                }),
                _ => {}
            }
            Ok(())
        })
        .unwrap();
    rounds
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_promotion_brings_what_was_learnt_from_history() {
    let house = House::open("").await;
    house.record(opening(CUSTOMERS).events).await;
    for n in 0..CUSTOMERS {
        house
            .decisions()
            .next_best_action(question(n))
            .await
            .unwrap();
    }
    let mut later = question(0);
    later.request_id = "later".to_owned();
    later.as_of = at(MONDAY + 60 * DAY);
    house.decisions().next_best_action(later).await.unwrap();
    until(|| rounds(&house).len() == CUSTOMERS).await;
    let engine = house.server.engine();
    let labels = |house: &House| {
        let snapshot = house.server.engine().snapshot();
        snapshot.parts().generation.labels()
    };
    let before = labels(&house);

    let config = engine.config();
    let fingerprint = config.spec.fingerprint();
    let mut learning = config.nothing_learnt(fingerprint).unwrap();
    for round in rounds(&house) {
        for _ in 0..TIMES {
            learning.fold(&round).unwrap();
        }
    }
    let dir = house.folder.path().join("models");
    let version = version(1, 0.01, FeatureSpec::built_in().text());
    let folder = Registry::at(&dir).put(&version).unwrap();
    let warm = learning.warm_start().unwrap();
    let known = warm.sums.weight();
    let warm = serde_json::to_vec(&warm).unwrap();
    std::fs::write(folder.join("bandit.json"), warm).unwrap();

    registry::promote(&dir, version.id(), "it has a history").unwrap();
    engine.follow().await.unwrap();
    until(|| labels(&house) > 0.9 * known).await;
    assert!(before < 0.5 * known, "{before} of {known} before");
    let promoted = Arc::clone(&engine.snapshot().parts().generation);

    // A start comes to the same.
    let house = house.reopen("").await;
    let started = Arc::clone(&house.server.engine().snapshot().parts().generation);
    assert_eq!(started.digest(), promoted.digest());
    assert_eq!(started.number(), promoted.number());
}
